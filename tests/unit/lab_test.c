/* Labs: what is saved comes back exactly, whatever happens to the process; what is not ours is refused. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/control/defaults.h"
#include "sim/lab/bundle.h"
#include "sim/lab/progress.h"
#include "sim/lab/store.h"
#include "tests/unit/test.h"

static const char manifests[] =
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n---\n"
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 3\n  selector: {matchLabels: {app: web}}\n"
	"  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n        image: nginx\n"
	"        ports: [{containerPort: 80, name: http}]\n        readinessProbe: {httpGet: {path: /, port: http}}\n"
	"      tolerations: [{key: a, operator: Exists}, {key: b, effect: NoExecute, tolerationSeconds: 0}]\n---\n"
	"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: shop}\nspec:\n  serviceName: db\n  replicas: 2\n"
	"  selector: {matchLabels: {app: db}}\n  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: postgres}]}}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n---\n"
	"apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\nspec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all, namespace: shop}\n"
	"spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}, {namespaceSelector: {}, podSelector: {matchLabels: {app: x}}}]}, {}]}\n---\n"
	"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n"
	"spec: {rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n---\n"
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text, namespace: shop}\ndata: {a: \"1\", b: \"line\\nline\\n\"}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: given, namespace: shop, labels: {app: given}}\n"
	"spec: {nodeName: worker-1, activeDeadlineSeconds: 3600, containers: [{name: c, image: nginx}]}\n"
	"status: {phase: Running, podIP: 10.244.1.77, podIPs: [{ip: 10.244.1.77}], conditions: [{type: Ready, status: \"True\"}],\n"
	"  containerStatuses: [{name: c, image: nginx, ready: true, restartCount: 2, state: {running: {startedAt: \"2026-01-02T03:04:05Z\"}}}]}\n---\n"
	"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: shop}\nspec: {n: 1}\n";

struct cell { struct cluster *c; struct control *t; };

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	static const struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true, .respect_status = true };
	struct cell *cell = ctx;

	return apply_doc(cell->c, d, &opt, NULL, err) != APPLY_ERROR;
}

static void apply(struct cell *cell, const char *text)
{
	struct err err = { 0 };

	CU_ASSERT(docs_read("shop.yaml", text, strlen(text), NULL, take, cell, &err));
	if (err_any(&err))
		err_print(&err, stderr);
	err_free(&err);
}

static struct cell new_cell(const char *cni)
{
	struct cell cell = { .c = cluster_new(NULL, 7) };

	cluster_flags(cell.c)->cni = cluster_str(cell.c, cni);
	cell.t = control_new(cell.c);
	return cell;
}

/* All that can be seen of a cluster, and what the lab itself would write of it. */
static char *dump(struct cell *cell)
{
	struct arena *a = arena_new(NULL, "dump");
	const struct event *e;
	struct sb out = { 0 };
	uint32_t nr;

	sb_printf(&out, "now %" PRId64 " rev %u seed %" PRIu64 " cni %s\n", cluster_now(cell->c), cluster_rev(cell->c), cluster_seed(cell->c), cluster_flags(cell->c)->cni);
	for (uint32_t id = 1; id <= cluster_handles(cell->c); id++) {
		const struct object *o = obj_get(cell->c, (obj_h){ id });

		sb_printf(&out, "%u %s %s/%s uid %s life %u rev %u created %" PRId64 " deleted %" PRId64 " %s:%u\n", id, o->kind->name, o->ns ? o->ns : "", o->name, o->uid, o->life,
			  o->rev, o->created, o->deleted, o->file ? o->file : "", o->line);
		if (o->gone)
			continue;
		val_print_json(object_render(cell->c, o, a), &out, 0, true);
		sb_addc(&out, '\n');
		val_print_json(state_pack(o, a), &out, 0, true);
		val_print_json(own_pack(o, a), &out, 0, true);
		if (o->kind == &pod_kind) {
			struct val *spec = val_new(a, VAL_MAP);

			fields_encode(a, pod_spec_fields, ((const struct pod *)o)->spec, spec);
			val_print_json(spec, &out, 0, true);
		}
		if (o->doc)
			sb_printf(&out, " applied at %u:%u, metadata at %u:%u", o->doc->line, o->doc->col, val_get(o->doc, "metadata")->line, val_get(o->doc, "metadata")->col);
		sb_addc(&out, '\n');
	}
	e = cluster_events(cell->c, &nr);
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(&out, "%" PRId64 " %d %u %s %s %s\n", e[k].at, e[k].warning, e[k].object.i, e[k].reason, e[k].message, e[k].component ? e[k].component : "");
	val_print_json(control_save(cell->t, a), &out, 0, true);
	arena_free(a);
	return out.s;
}

static void remove_lab(const char *path)
{
	char beside[300];

	unlink(path);
	snprintf(beside, sizeof(beside), "%s-wal", path);
	unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", path);
	unlink(beside);
}

static const char *lab_path(void)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/podwire-lab-test-%d.db", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	return path;
}

static void complain(const struct err *err)
{
	if (err_any(err))
		err_print(err, stderr);
}

static bool save(struct cell *cell, struct lab *lab, const char *word, struct err *err)
{
	struct arena *a = arena_new(NULL, "save");
	struct lab_input in = { .argv = &word, .argc = 1, .from = cluster_now(cell->c), .result = "done" };
	bool ok = lab_save(lab, cell->c, control_save(cell->t, a), &in, err);

	arena_free(a);
	return ok;
}

static bool load(struct cell *cell, struct lab *lab, struct lab_point at, struct err *err)
{
	struct val *control;

	cell->c = lab_load(lab, at, &control, err);
	if (!cell->c)
		return false;
	cell->t = control_new(cell->c);
	control_load(cell->t, control);
	return true;
}

/* One that is saved and restored after every step, beside one that is not. */
static const struct step { const char *apply; nsec advance; const char *remove; } steps[] = {
	{ manifests, 0, NULL }, { NULL, SECONDS(3), NULL }, { NULL, MINUTES(2), NULL },
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 81}]}\n", SECONDS(1), NULL },
	{ NULL, 0, "late" }, { NULL, MILLIS(1234), NULL },
	{ "apiVersion: v1\nkind: Service\nmetadata: {name: late, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 82}]}\n", 0, NULL },
	{ NULL, MINUTES(10), NULL },
};

/* Enough of them that a command leaves a bundle, not rows. */
static void add_many(struct cell *cell)
{
	static const char text[] =
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: many, namespace: shop}\nspec: {replicas: 40, strategy: {rollingUpdate: {maxSurge: 7}}, selector: {matchLabels: {app: many}},"
		" template: {metadata: {labels: {app: many}, annotations: {note: here}}, spec: {containers: [{name: c, image: nginx, env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}],"
		" ports: [{containerPort: 80}], lifecycle: {preStop: {exec: {command: [sleep, '3']}}}}]}}}\n---\n"
		"apiVersion: v1\nkind: Service\nmetadata: {name: many, namespace: shop}\nspec: {selector: {app: many}, ports: [{port: 80}]}\n---\n"
		"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: often, namespace: shop}\nspec: {schedule: '*/5 * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure,"
		" containers: [{name: c, image: busybox, command: [sh, -c, \"echo \\\"a\\\"\"]}]}}}}}\n---\n"
		"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: each, namespace: shop}\nspec: {selector: {matchLabels: {app: each}}, template: {metadata: {labels: {app: each}},"
		" spec: {hostNetwork: true, containers: [{name: c, image: agent, resources: {requests: {cpu: 10m}}}]}}}\n";

	apply(cell, text);
}

static void do_step(struct cell *cell, const struct step *s, bool many)
{
	if (s == steps && many)
		apply(cell, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n");
	if (s == steps && many)
		add_many(cell);
	if (s->apply)
		apply(cell, s->apply);
	if (s->remove)
		apply_delete(cell->c, &find_service(cell->c, "shop", s->remove)->o);
	if (s->advance)
		control_advance(cell->t, s->advance);
	else
		control_settle(cell->t);
}

static void straight_and_broken(const char *cni, bool many)
{
	const char *path = lab_path();
	struct cell straight = new_cell(cni), broken = new_cell(cni);
	char *seen[ARRAY_LEN(steps)];
	struct err err = { 0 };
	struct cell then;
	struct lab *lab;

	defaults_add(straight.c);
	defaults_add(broken.c);
	remove_lab(path);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		char *have;

		lab = lab_open(path, LAB_CREATE, NULL, &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
		if (k) {
			cluster_free(broken.c);
			CU_ASSERT_FATAL(load(&broken, lab, (struct lab_point){ lab->input, NEVER }, &err));
		}
		do_step(&straight, &steps[k], many);
		do_step(&broken, &steps[k], many);
		CU_ASSERT(save(&broken, lab, "step", &err));
		lab_close(lab);
		complain(&err);
		seen[k] = dump(&straight);
		have = dump(&broken);
		SAME_TEXT(have, seen[k]);
		free(have);
	}
	lab = lab_open(path, LAB_READ, NULL, &err);
	for (size_t k = 0; lab && k < ARRAY_LEN(steps); k++) {
		char *have;

		CU_ASSERT_FATAL(load(&then, lab, (struct lab_point){ (int64_t)k + 1, NEVER }, &err));
		have = dump(&then);
		SAME_TEXT(have, seen[k]);
		free(have);
		free(seen[k]);
		cluster_free(then.c);
	}
	lab_close(lab);
	complain(&err);
	err_free(&err);
	cluster_free(straight.c);
	cluster_free(broken.c);
	remove_lab(path);
}

TEST(restored_clusters_go_on_alike)
{
	straight_and_broken("calico", false);
	straight_and_broken("flannel", false);
}

TEST(restored_from_bundles_they_go_on_alike)
{
	straight_and_broken("calico", true);
}

/* What lies behind the last member of a list that was built where other things lay before. */
static void put_behind(pair_list *l, int what)
{
	size_t end = offsetof(pair_list, set) + sizeof(l->set);

	memset((char *)l + end, what, sizeof(*l) - end);
}

/* Pods of one shape are written once, wherever their lists were built: no byte of a lab depends on what lay in memory. */
TEST(equal_pods_have_one_shape)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct bundle_writer w;
	struct err err = { 0 };
	struct object_list l;
	struct lab *lab;

	defaults_add(cell.c);
	do_step(&cell, &steps[0], true);
	remove_lab(path);
	lab = lab_open(path, LAB_CREATE, NULL, &err);
	CU_ASSERT_FATAL(bundle_begin(&w, lab, cell.c, 1, &err));
	l = pods_of(cell.c, cluster_find(cell.c, &daemonset_kind, "shop", "each")->uid);
	CU_ASSERT_FATAL(l.nr >= 1);
	for (int k = 0; k < 2; k++) {
		struct pod p;

		memcpy(&p, l.v[0], sizeof(p));
		put_behind(&p.o.labels, k ? 0xff : 0);
		put_behind(&p.o.annotations, k ? 0xff : 0);
		CU_ASSERT(bundle_add(&w, &p.o, &err));
	}
	CU_ASSERT_EQUAL(w.nr_shapes, 1);
	bundle_end(&w, NULL);
	lab_close(lab);
	complain(&err);
	err_free(&err);
	cluster_free(cell.c);
	remove_lab(path);
}

TEST(history_and_moments)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct err err = { 0 };
	struct arena *a = arena_new(NULL, "test");
	struct lab_history h;
	struct lab_point at;
	struct lab *lab;
	bool fresh;

	remove_lab(path);
	for (int k = 0; k < 3; k++) {
		const char *argv[] = { "advance", "10s" };
		struct doc d = { "a.yaml", yaml_parse(a, "a.yaml", "# c\nkind: X\n", 12, NULL, &err) };
		struct lab_input in = { argv, 2, &d, 1, cluster_now(cell.c), ERR_NONE, k ? "advanced" : NULL };
		struct val *control;

		lab = lab_open(path, LAB_CREATE, &fresh, &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
		CU_ASSERT_EQUAL(fresh, k == 0);
		if (k) {
			cluster_free(cell.c);
			cell.c = lab_load(lab, (struct lab_point){ k, NEVER }, &control, &err);
		}
		control_advance(control_new(cell.c), SECONDS(10));
		CU_ASSERT(lab_save(lab, cell.c, val_new(a, VAL_MAP), &in, &err));
		CU_ASSERT(lab_pack(lab, &err));
		lab_close(lab);
	}
	lab = lab_open(path, LAB_READ, &fresh, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	CU_ASSERT(lab_history(lab, a, &h, &err));
	CU_ASSERT_EQUAL_FATAL(h.nr, 3);
	CU_ASSERT_EQUAL(h.v[2].to, SECONDS(30));
	CU_ASSERT_EQUAL(h.v[2].input.from, SECONDS(20));
	CU_ASSERT_EQUAL(h.v[2].input.argc, 2);
	SAME_TEXT(h.v[2].input.argv[1], "10s");
	CU_ASSERT_PTR_NULL(h.v[0].input.result);
	CU_ASSERT_EQUAL(h.v[1].input.nr_docs, 1);
	SAME_TEXT(h.v[1].input.docs[0].file, "a.yaml");
	CU_ASSERT_EQUAL(h.v[1].input.docs[0].root->line, 2);
	CU_ASSERT_EQUAL(val_get(h.v[1].input.docs[0].root, "kind")->col, 7);
	CU_ASSERT(lab_find(lab, NULL, &at, &err) && at.input == 3 && at.at == NEVER);
	CU_ASSERT(lab_find(lab, "20s", &at, &err) && at.input == 2 && at.at == NEVER);
	CU_ASSERT(lab_find(lab, "12.5s", &at, &err) && at.input == 1 && at.at == MILLIS(12500));
	CU_ASSERT(lab_find(lab, "1s", &at, &err) && at.input == 0 && at.at == SECONDS(1));
	CU_ASSERT_EQUAL(err.nr, 0);
	CU_ASSERT(!lab_find(lab, "31s", &at, &err));
	CU_ASSERT(!lab_find(lab, "yesterday", &at, &err));
	CU_ASSERT(!lab_find(lab, "rev:x", &at, &err));
	CU_ASSERT_EQUAL(err.nr, 3);
	lab_close(lab);
	cluster_free(cell.c);
	arena_free(a);
	err_free(&err);
	remove_lab(path);
}

/* Step by step forward, and step by step back again; then the last step once more. */
static void forward_and_back(bool many)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	char *seen[ARRAY_LEN(steps)], *have;
	struct err err = { 0 };
	struct sb what = { 0 };
	struct lab *lab;

	defaults_add(cell.c);
	remove_lab(path);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		lab = lab_open(path, LAB_CREATE, NULL, &err);
		if (k) {
			cluster_free(cell.c);
			CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ lab->input, NEVER }, &err));
		}
		do_step(&cell, &steps[k], many);
		CU_ASSERT(save(&cell, lab, "step", &err));
		lab_close(lab);
		seen[k] = dump(&cell);
	}
	for (size_t k = ARRAY_LEN(steps) - 1; k > 0; k--) {
		lab = lab_open(path, LAB_WRITE, NULL, &err);
		CU_ASSERT_FATAL(lab && lab_undo(lab, &what, &err));
		lab_close(lab);
		lab = lab_open(path, LAB_WRITE, NULL, &err);
		cluster_free(cell.c);
		CU_ASSERT_FATAL(load(&cell, lab, (struct lab_point){ lab->input, NEVER }, &err));
		have = dump(&cell);
		SAME_TEXT(have, seen[k - 1]);
		free(have);
		do_step(&cell, &steps[k], many);              /* it can be done again, and undone again */
		CU_ASSERT(save(&cell, lab, "step", &err));
		lab_close(lab);
		have = dump(&cell);
		SAME_TEXT(have, seen[k]);
		free(have);
		lab = lab_open(path, LAB_WRITE, NULL, &err);
		CU_ASSERT(lab && lab_undo(lab, &what, &err));
		lab_close(lab);
	}
	complain(&err);
	CU_ASSERT_EQUAL(err.nr, 0);
	lab = lab_open(path, LAB_WRITE, NULL, &err);
	CU_ASSERT(lab && !lab_undo(lab, &what, &err) && err.nr == 1);
	lab_close(lab);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++)
		free(seen[k]);
	cluster_free(cell.c);
	sb_free(&what);
	err_free(&err);
	remove_lab(path);
}

TEST(undone_as_if_it_had_not_been)
{
	forward_and_back(false);
	forward_and_back(true);
}

/* A byte of a bundle is another one, or the rest is missing: that is said, or it does not matter; nothing falls over. */
static void load_damaged(const char *path, sqlite3 *db, const unsigned char *bytes, int n, uint32_t flip, int cut, uint32_t *said)
{
	unsigned char *copy = malloc((size_t)n);
	struct err err = { 0 };
	struct cell cell;
	struct lab *lab;
	sqlite3_stmt *st;

	memcpy(copy, bytes, (size_t)n);
	if (flip)
		copy[flip % (uint32_t)n] ^= (unsigned char)(1 + flip / 7 % 255);
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "UPDATE bundle SET body = ?1 WHERE input = 1 AND part = 1", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_blob(st, 1, copy, cut ? n - cut : n, SQLITE_STATIC);
	CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
	lab = lab_open(path, LAB_READ, NULL, &err);
	if (lab) {
		struct val *control;

		cell.c = lab_load(lab, (struct lab_point){ 1, NEVER }, &control, &err);
		CU_ASSERT(cell.c || err_any(&err));
		*said += !cell.c;
		cluster_free(cell.c);
	}
	lab_close(lab);
	err_free(&err);
	free(copy);
}

TEST(progress_in_lessons_is_kept_beside_the_cluster)
{
	struct arena *a = arena_new(NULL, "test");
	struct progress p, back;
	progress_list all = { 0 };
	char path[64] = "/tmp/podwire-progress-XXXXXX";
	struct err err = { 0 };
	struct lab *lab;
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	progress_begin(&p, a, "it's \"one\"; --", 3);
	p.at = 1;
	p.steps[0] = (struct progress_step){ .tries = 2, .chosen = 3, .right = true, .hints = 1, .task = TASK_SHOWN };
	vec_add(a, &p.steps[1].commands, "apply -f a\nb");
	for (int k = 0; k < 2; k++) {
		lab = lab_open(path, k ? LAB_WRITE : LAB_NEW, NULL, &err);
		CU_ASSERT_FATAL(lab != NULL);
		CU_ASSERT(progress_write(lab, &p, &err));
		lab_close(lab);
	}
	p.lesson = "other";
	lab = lab_open(path, LAB_WRITE, NULL, &err);
	CU_ASSERT(lab && progress_write(lab, &p, &err));
	lab_close(lab);
	lab = lab_open(path, LAB_READ, NULL, &err);
	CU_ASSERT(lab && progress_read_all(lab, a, &all, &err) && all.nr == 2);
	CU_ASSERT(lab && progress_read(lab, "it's \"one\"; --", a, &back, &err));
	CU_ASSERT(back.at == 1 && back.nr_steps == 3 && back.steps[0].tries == 2 && back.steps[0].chosen == 3 && back.steps[0].right && back.steps[0].hints == 1 && back.steps[0].task == TASK_SHOWN);
	CU_ASSERT(back.steps[1].commands.nr == 1 && streq(back.steps[1].commands.v[0], "apply -f a\nb") && progress_right(&back) == 1);
	CU_ASSERT(lab && progress_read(lab, "oth", a, &back, &err) && back.nr_steps == 0);
	lab_close(lab);
	lab = lab_open(path, LAB_WRITE, NULL, &err);
	CU_ASSERT(lab && progress_forget(lab, "other", &err));
	lab_close(lab);
	lab = lab_open(path, LAB_READ, NULL, &err);
	all.nr = 0;
	CU_ASSERT(lab && progress_read_all(lab, a, &all, &err) && all.nr == 1);
	lab_close(lab);
	CU_ASSERT(err.nr == 0);
	err_print(&err, stderr);
	err_free(&err);
	unlink(path);
	arena_free(a);
}

TEST(damaged_bundles_are_refused)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct err err = { 0 };
	uint32_t said = 0;
	struct lab *lab;
	sqlite3_stmt *st;
	sqlite3 *db;
	unsigned char *bytes;
	int n;

	defaults_add(cell.c);
	do_step(&cell, &steps[0], true);
	remove_lab(path);
	lab = lab_open(path, LAB_CREATE, NULL, &err);
	CU_ASSERT(save(&cell, lab, "step", &err));
	lab_close(lab);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "SELECT body FROM bundle WHERE input = 1 AND part = 1", -1, &st, NULL), SQLITE_OK);
	CU_ASSERT_EQUAL_FATAL(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_bytes(st, 0);
	CU_ASSERT_FATAL(n > 1000);
	bytes = malloc((size_t)n);
	memcpy(bytes, sqlite3_column_blob(st, 0), (size_t)n);
	sqlite3_finalize(st);
	load_damaged(path, db, bytes, n, 0, 0, &said);
	CU_ASSERT_EQUAL(said, 0);
	for (int cut = 1; cut < n; cut += n / 40)
		load_damaged(path, db, bytes, n, 0, cut, &said);
	CU_ASSERT(said >= 39);
	for (uint32_t k = 1; k < 400; k++)
		load_damaged(path, db, bytes, n, k * 7919, 0, &said);
	CU_ASSERT(said > 100);
	sqlite3_close(db);
	free(bytes);
	cluster_free(cell.c);
	err_free(&err);
	remove_lab(path);
}

static bool refused(const char *path, enum lab_mode mode, const char *because)
{
	struct err err = { 0 };
	struct lab *lab = lab_open(path, mode, NULL, &err);
	bool ok = !lab && err.nr == 1 && strstr(err.v[0].text, because) && err_kind(&err) == ERR_INPUT;

	if (!ok)
		fprintf(stderr, "\nwanted \"%s\", have \"%s\"\n", because, lab ? "an open lab" : err.v[0].text);
	lab_close(lab);
	err_free(&err);
	return ok;
}

static void sql(const char *path, const char *text)
{
	sqlite3 *db;

	CU_ASSERT_EQUAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

TEST(what_is_no_lab_is_refused)
{
	const char *path = lab_path();
	struct err err = { 0 };
	struct stat before, after;
	struct cell cell;
	FILE *f;

	remove_lab(path);
	CU_ASSERT(refused(path, LAB_READ, "no lab there"));
	CU_ASSERT(refused(path, LAB_WRITE, "no lab there"));
	CU_ASSERT(access(path, F_OK) != 0);
	CU_ASSERT(refused("/nowhere/at/all.db", LAB_CREATE, "cannot be opened"));
	f = fopen(path, "w");
	for (int k = 0; k < 2000; k++)
		fputs("this is a text\n", f);
	fclose(f);
	stat(path, &before);
	CU_ASSERT(refused(path, LAB_READ, "it is no SQLite file"));
	CU_ASSERT(refused(path, LAB_CREATE, "it is no SQLite file"));
	stat(path, &after);
	CU_ASSERT_EQUAL(before.st_size, after.st_size);
	remove_lab(path);
	sql(path, "CREATE TABLE t(x); PRAGMA user_version=3");
	CU_ASSERT(refused(path, LAB_CREATE, "another program"));
	remove_lab(path);
	cell = new_cell("calico");
	{
		struct lab *lab = lab_open(path, LAB_NEW, NULL, &err);

		CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
		CU_ASSERT(save(&cell, lab, "init", &err));
		lab_close(lab);
	}
	CU_ASSERT(refused(path, LAB_NEW, "holds a lab already"));
	sql(path, "PRAGMA user_version=1000");
	CU_ASSERT(refused(path, LAB_WRITE, "newer podwire"));
	cluster_free(cell.c);
	complain(&err);
	err_free(&err);
	remove_lab(path);
}

TEST(what_is_not_saved_is_forgotten)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct err err = { 0 };
	struct lab *lab;

	remove_lab(path);
	lab = lab_open(path, LAB_CREATE, NULL, &err);
	CU_ASSERT(save(&cell, lab, "first", &err));
	lab_close(lab);
	lab = lab_open(path, LAB_WRITE, NULL, &err);
	lab_close(lab);
	lab = lab_open(path, LAB_READ, NULL, &err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
	CU_ASSERT_EQUAL(lab->input, 1);
	lab_close(lab);
	cluster_free(cell.c);
	err_free(&err);
	remove_lab(path);
}

/* Commands until killed: each makes one Service more. */
static void work_until_killed(const char *path)
{
	for (;;) {
		static const char *const word = "apply";
		struct err err = { 0 };
		struct lab *lab = lab_open(path, LAB_CREATE, NULL, &err);
		struct cell cell = new_cell("calico");
		char text[200];

		if (!lab)
			_exit(1);
		if (lab->input) {
			cluster_free(cell.c);
			if (!load(&cell, lab, (struct lab_point){ lab->input, NEVER }, &err))
				_exit(2);
		}
		snprintf(text, sizeof(text), "apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {ports: [{port: 80}]}\n", (int)lab->input);
		apply(&cell, "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n");
		apply(&cell, text);
		if (!save(&cell, lab, word, &err))
			_exit(3);
		lab_close(lab);
		cluster_free(cell.c);
	}
}

TEST(killed_at_any_moment)
{
	const char *path = lab_path();
	int64_t last = 0;

	remove_lab(path);
	for (int k = 0; k < 30 || (last <= 5 && k < 1000); k++) {      /* a busy machine gets less done between two kills */
		struct err err = { 0 };
		struct cell cell = { 0 };
		struct lab *lab;
		int status;
		pid_t pid = fork();

		if (pid == 0)
			work_until_killed(path);
		usleep((useconds_t)(500 + k % 60 * 900));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		CU_ASSERT(WIFSIGNALED(status));
		lab = lab_open(path, LAB_CREATE, NULL, &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
		CU_ASSERT(lab->input >= last);
		last = lab->input;
		CU_ASSERT(load(&cell, lab, (struct lab_point){ lab->input, NEVER }, &err));
		CU_ASSERT_EQUAL(cluster_count(cell.c, &service_kind), (uint32_t)last);
		lab_close(lab);
		cluster_free(cell.c);
		complain(&err);
		err_free(&err);
	}
	CU_ASSERT(last > 5);
	remove_lab(path);
}
