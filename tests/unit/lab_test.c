/* Labs: what is saved comes back exactly, and is undone exactly. */
#include <sys/stat.h>
#include <zlib.h>

#include "sim/lab/bundle.h"
#include "sim/lab/progress.h"
#include "tests/unit/lab.h"

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
	CU_ASSERT_FATAL(bundle_begin(&w, lab, cell.c, 1, false, &err));
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
	bundle_end(&w, NULL, NULL);
	lab_close(lab);
	complain(&err);
	err_free(&err);
	cluster_free(cell.c);
	remove_lab(path);
}

/* What a Job knows of Pods that are gone, and of those that it has given up, is saved. */
TEST(a_restored_job_remembers_its_pods)
{
	static const char text[] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
				   "apiVersion: batch/v1\nkind: Job\nmetadata: {name: fails, namespace: shop}\nspec: {backoffLimit: 4, template: {spec: {restartPolicy: Never,"
				   " containers: [{name: c, image: busybox, command: [sh, -c, exit 1]}]}}}\n---\n"
				   "apiVersion: batch/v1\nkind: Job\nmetadata: {name: waits, namespace: shop}\nspec: {template: {spec: {restartPolicy: Never,"
				   " containers: [{name: c, image: busybox, command: [sh, -c, sleep 1000]}]}}}\n";
	const char *path = lab_path();
	struct cell straight = new_cell("calico"), restored = { 0 };
	struct err err = { 0 };
	struct object_list l;
	struct lab *lab;
	char *want, *have;

	defaults_add(straight.c);
	apply(&straight, text);
	control_advance(straight.t, SECONDS(40));
	l = pods_of(straight.c, cluster_find(straight.c, &job_kind, "shop", "fails")->uid);
	CU_ASSERT_FATAL(l.nr > 0);
	apply_delete(straight.c, l.v[0]);
	apply(&straight, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: waits, namespace: shop}\nspec: {suspend: true, template: {spec: {restartPolicy: Never,"
			 " containers: [{name: c, image: busybox, command: [sh, -c, sleep 1000]}]}}}\n");
	control_advance(straight.t, SECONDS(1));
	remove_lab(path);
	lab = lab_open(path, LAB_CREATE, NULL, &err);
	CU_ASSERT_FATAL(lab && save(&straight, lab, "step", &err));
	CU_ASSERT_FATAL(load(&restored, lab, (struct lab_point){ 1, NEVER }, &err));
	lab_close(lab);
	control_advance(straight.t, MINUTES(10));
	control_advance(restored.t, MINUTES(10));
	want = dump(&straight);
	have = dump(&restored);
	SAME_TEXT(have, want);
	CU_ASSERT_EQUAL(((const struct job *)cluster_find(restored.c, &job_kind, "shop", "fails"))->st_failed, 5);
	CU_ASSERT_EQUAL(((const struct job *)cluster_find(restored.c, &job_kind, "shop", "waits"))->st_failed, 0);
	free(want);
	free(have);
	cluster_free(straight.c);
	cluster_free(restored.c);
	complain(&err);
	err_free(&err);
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

/* An import may come into a lab that is there: the flags that it sets go with it, and are not those of the time before. */
TEST(flags_are_those_of_their_time)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct err err = { 0 };
	struct sb what = { 0 };
	struct lab *lab;

	remove_lab(path);
	for (int k = 0; k < 12; k++) {                  /* 10 and 11 stand behind 2 as numbers, not as text */
		lab = lab_open(path, LAB_CREATE, NULL, &err);
		if (k) {
			cluster_free(cell.c);
			CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ k, NEVER }, &err));
		}
		cluster_flags(cell.c)->respect = k >= 1;
		cluster_flags(cell.c)->no_defaults = k >= 10;
		CU_ASSERT(save(&cell, lab, "step", &err));
		lab_close(lab);
	}
	for (int64_t last = 12; last > 0; last--) {
		lab = lab_open(path, LAB_WRITE, NULL, &err);
		for (int64_t at = 0; at <= last; at++) {
			cluster_free(cell.c);
			CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ at, NEVER }, &err));
			SAME_TEXT(cluster_flags(cell.c)->cni, "calico");
			CU_ASSERT(cluster_seed(cell.c) == 7);
			CU_ASSERT_EQUAL(cluster_flags(cell.c)->respect, at >= 2);
			CU_ASSERT_EQUAL(cluster_flags(cell.c)->no_defaults, at >= 11);
		}
		CU_ASSERT(last == 1 || lab_undo(lab, &what, &err));
		lab_close(lab);
	}
	for (int k = 0; k < 2; k++) {                   /* another second command, without them */
		lab = lab_open(path, LAB_WRITE, NULL, &err);
		cluster_free(cell.c);
		CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ k + 1, NEVER }, &err));
		CU_ASSERT(!cluster_flags(cell.c)->respect && (k || save(&cell, lab, "step", &err)));
		lab_close(lab);
	}
	cluster_free(cell.c);
	complain(&err);
	CU_ASSERT_EQUAL(err.nr, 0);
	err_free(&err);
	sb_free(&what);
	remove_lab(path);
}

static void one_service_more(const char *path, uint32_t nr, struct err *err)
{
	struct lab *lab = lab_open(path, LAB_WRITE, NULL, err);
	struct cell cell = { 0 };
	char text[200];

	CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ lab->input, NEVER }, err));
	snprintf(text, sizeof(text), "apiVersion: v1\nkind: Service\nmetadata: {name: s%u, namespace: shop}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n", nr);
	apply(&cell, text);
	control_advance(cell.t, SECONDS(1));
	CU_ASSERT(save(&cell, lab, "step", err));
	lab_close(lab);
	cluster_free(cell.c);
}

static char *seen_now(const char *path, struct err *err)
{
	struct lab *lab = lab_open(path, LAB_READ, NULL, err);
	struct cell cell = { 0 };
	char *seen;

	CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ lab->input, NEVER }, err));
	seen = dump(&cell);
	lab_close(lab);
	cluster_free(cell.c);
	return seen;
}

/* What a command reads does not grow with the number of commands before it: neither the bundles behind the last whole nor the log. */
TEST(many_commands_leave_little_to_read)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct err err = { 0 };
	struct lab *lab;
	struct stat st;
	char log[300], *with, *without;
	uint32_t wholes = 0;
	int64_t last = 0;

	defaults_add(cell.c);
	do_step(&cell, &steps[0], false);
	remove_lab(path);
	snprintf(log, sizeof(log), "%s-wal", path);
	lab = lab_open(path, LAB_CREATE, NULL, &err);
	CU_ASSERT(save(&cell, lab, "step", &err));
	lab_close(lab);
	cluster_free(cell.c);
	for (uint32_t k = 0; k < 60; k++) {
		int64_t whole;

		one_service_more(path, k, &err);
		CU_ASSERT(stat(log, &st) == 0 && st.st_size < 1 << 20);
		lab = lab_open(path, LAB_READ, NULL, &err);
		whole = store_number(lab, "SELECT value FROM fact WHERE name = 'whole'", 0);
		CU_ASSERT(store_number(lab, "SELECT count(*) FROM bundle WHERE place & 1048575 = 0 AND place >> 20 > (SELECT value FROM fact WHERE name = 'whole')", 0) < 20);
		lab_close(lab);
		wholes += whole != last;
		last = whole;
	}
	CU_ASSERT(wholes > 2 && wholes < 40);
	with = seen_now(path, &err);
	lab = lab_open(path, LAB_WRITE, NULL, &err);
	CU_ASSERT(store_run(lab, "DELETE FROM whole; DELETE FROM fact WHERE name IN ('whole', 'wholeBytes'); COMMIT", "cannot be written", &err));
	lab_close(lab);
	without = seen_now(path, &err);
	SAME_TEXT(without, with);
	free(with);
	free(without);
	complain(&err);
	CU_ASSERT_EQUAL(err.nr, 0);
	err_free(&err);
	remove_lab(path);
}

/* A lab as an older podwire wrote it. */
static void make_older(const char *path, int format)
{
	char file[100];
	struct sb text = { 0 };
	sqlite3 *db;
	gzFile in;
	int n;

	snprintf(file, sizeof(file), "tests/cli/labs/format-%d.sql.gz", format);
	in = gzopen(file, "rb");
	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	do {
		char piece[4096];

		n = gzread(in, piece, sizeof(piece));
		sb_addn(&text, piece, n > 0 ? (size_t)n : 0);
	} while (n > 0);
	gzclose(in);
	remove_lab(path);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL(sqlite3_exec(db, sb_text(&text), NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	sb_free(&text);
}

/* Back behind commands that an older podwire wrote, whatever came after them. */
TEST(commands_of_older_labs_are_undone)
{
	const char *path = lab_path();

	for (int format = 1; format < LAB_VERSION; format++) {
		struct err err = { 0 };
		struct sb what = { 0 };
		struct cell cell = { 0 };
		struct lab *lab;
		char *was, *is;

		make_older(path, format);
		for (uint32_t k = 0; k < 12; k++)
			one_service_more(path, k, &err);
		lab = lab_open(path, LAB_READ, NULL, &err);
		CU_ASSERT_FATAL(lab && load(&cell, lab, (struct lab_point){ 3, NEVER }, &err));
		was = dump(&cell);
		lab_close(lab);
		cluster_free(cell.c);
		for (int64_t left = 18; left > 3; left--) {
			lab = lab_open(path, LAB_WRITE, NULL, &err);
			CU_ASSERT_FATAL(lab && lab->input == left && lab_undo(lab, &what, &err));
			lab_close(lab);
		}
		is = seen_now(path, &err);
		SAME_TEXT(is, was);
		free(was);
		free(is);
		complain(&err);
		CU_ASSERT_EQUAL(err.nr, 0);
		err_free(&err);
		sb_free(&what);
	}
	remove_lab(path);
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
