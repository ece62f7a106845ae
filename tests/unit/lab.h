/* Labs, for tests: a cluster and its controllers saved into a file and loaded from it, all that can be seen of it as text, and steps that it is taken through. */
#ifndef PODWIRE_TEST_LAB_H
#define PODWIRE_TEST_LAB_H

#include <stdlib.h>
#include <unistd.h>

#include "model/control/defaults.h"
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
	"apiVersion: batch/v1\nkind: Job\nmetadata: {name: refused, namespace: shop}\n"
	"spec: {template: {spec: {priorityClassName: nowhere, restartPolicy: Never, containers: [{name: c, image: busybox}]}}}\n---\n"
	"apiVersion: v1\nkind: Pod\nmetadata: {name: given, namespace: shop, labels: {app: given}}\n"
	"spec: {nodeName: worker-1, activeDeadlineSeconds: 3600, containers: [{name: c, image: nginx}]}\n"
	"status: {phase: Running, podIP: 10.244.1.77, podIPs: [{ip: 10.244.1.77}], conditions: [{type: Ready, status: \"True\"}],\n"
	"  containerStatuses: [{name: c, image: nginx, ready: true, restartCount: 2, state: {running: {startedAt: \"2026-01-02T03:04:05Z\"}}}]}\n---\n"
	"apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t, namespace: shop}\nspec: {n: 1}\n";

struct cell { struct cluster *c; struct control *t; };

static inline bool take(void *ctx, const struct doc *d, struct err *err)
{
	static const struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = true, .respect_status = true };
	struct cell *cell = ctx;

	return apply_doc(cell->c, d, &opt, NULL, err) != APPLY_ERROR;
}

static inline void apply(struct cell *cell, const char *text)
{
	struct err err = { 0 };

	CU_ASSERT(docs_read("shop.yaml", text, strlen(text), NULL, take, cell, &err));
	if (err_any(&err))
		err_print(&err, stderr);
	err_free(&err);
}

static inline struct cell new_cell(const char *cni)
{
	struct cell cell = { .c = cluster_new(NULL, 7) };

	cluster_flags(cell.c)->cni = cluster_str(cell.c, cni);
	cell.t = control_new(cell.c);
	return cell;
}

/* Metadata and status exactly; the fields of its kind. */
static inline struct val *state_of(const struct object *o, struct arena *a)
{
	struct val *v = val_new(a, VAL_MAP);

	fields_encode(a, state_meta_fields, o, v);
	if (state_fields(o->kind))
		fields_encode(a, state_fields(o->kind), o, val_put(a, v, "status", val_new(a, VAL_MAP)));
	if (state_template(o))
		val_put(a, v, "template", val_copy(a, state_template(o)));
	if (o->kind->fields)
		fields_encode(a, o->kind->fields, o, val_put(a, v, "own", val_new(a, VAL_MAP)));
	return v;
}

/* All that can be seen of a cluster, and what the lab itself would write of it. */
static inline char *dump(struct cell *cell)
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
		val_print_json(state_of(o, a), &out, 0, true);
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

static inline void remove_lab(const char *path)
{
	char beside[300];

	unlink(path);
	snprintf(beside, sizeof(beside), "%s-wal", path);
	unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", path);
	unlink(beside);
}

static inline const char *lab_path(void)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/podwire-lab-test-%d.db", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	return path;
}

static inline void complain(const struct err *err)
{
	if (err_any(err))
		err_print(err, stderr);
}

static inline bool save(struct cell *cell, struct lab *lab, const char *word, struct err *err)
{
	struct arena *a = arena_new(NULL, "save");
	struct lab_input in = { .argv = &word, .argc = 1, .from = cluster_now(cell->c), .result = "done" };
	bool ok = lab_save(lab, cell->c, control_save(cell->t, a), &in, err);

	arena_free(a);
	return ok;
}

static inline bool load(struct cell *cell, struct lab *lab, struct lab_point at, struct err *err)
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

/* Enough of them that Pods share shapes. */
static inline void add_many(struct cell *cell)
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

static inline void do_step(struct cell *cell, const struct step *s, bool many)
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

#endif
