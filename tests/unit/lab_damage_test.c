/* Labs, whatever happens to the process and the file: what was saved is whole; what is damaged or not ours is refused. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/lab.h"

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
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "UPDATE bundle SET body = ?1 WHERE place = 1 << 20 | 1", -1, &st, NULL), SQLITE_OK);
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
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "SELECT body FROM bundle WHERE place = 1 << 20 | 1", -1, &st, NULL), SQLITE_OK);
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
