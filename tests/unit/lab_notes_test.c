/* Events in a lab: whatever follows whatever, they come back as they were told; damaged ones are refused or do not matter. */
#include "tests/unit/lab.h"

static const struct event_form forms[] = {
	{ false, "one", "First", "Says %s" }, { true, "one", "Second", "Warns of %s" }, { false, "two", "Third", "Nothing more" }, { false, NULL, "Fourth", "%o: %s" },
};

/* Runs of like ones, one form and two in turn, and among them what nobody expects. */
static void tell(struct cell *cell, uint32_t nr, uint64_t seed)
{
	static const char *const texts[] = { "d1-6cf4d5b9c8-x7k2p", "d1-6cf4d5b9c8-x7k2q", "d1-6cf4d5b9c8", "", "é", "d1-6cf4d5b9c8-x7k2p, and more" };
	uint32_t handles = cluster_handles(cell->c);

	for (uint32_t k = 0; k < nr; k++) {
		uint64_t r = hash_mix(seed, k), like = hash_mix(seed, k / 50);
		bool wild = r % 20 == 0;
		const struct event_form *form = &forms[wild ? r >> 8 & 3 : like & 1 ? k % 2 : like >> 1 & 3];
		const struct object *o = obj_get(cell->c, (obj_h){ 1 + (uint32_t)((wild ? r >> 16 : k / 2) % handles) });
		const char *text = form == &forms[2] ? NULL : texts[(wild ? r >> 32 : like & 2 ? like >> 8 : k) % ARRAY_LEN(texts)];

		if (r % 97 == 0)
			cluster_set_now(cell->c, cluster_now(cell->c) + (nsec)(r >> 40));
		cluster_event_form(cell->c, o, form, text ? cluster_str(cell->c, text) : NULL);
	}
}

static bool same_notes(const struct cluster *a, const struct cluster *b)
{
	if (cluster_event_count(a) != cluster_event_count(b))
		return false;
	for (uint32_t k = 0; k < cluster_event_count(a); k++) {
		struct event_note x = cluster_event_note(a, k), y = cluster_event_note(b, k);

		if (x.at != y.at || x.object.i != y.object.i || !streq(x.a, y.a) || x.form->warning != y.form->warning || !streq(x.form->component, y.form->component) ||
		    !streq(x.form->reason, y.form->reason) || !streq(x.form->format, y.form->format))
			return false;
	}
	return true;
}

TEST(events_come_back_as_they_were_told)
{
	const char *path = lab_path();

	for (uint64_t seed = 0; seed < 12; seed++) {
		struct cell cell = new_cell("calico"), again;
		struct err err = { 0 };
		struct lab *lab;

		remove_lab(path);
		apply(&cell, manifests);
		control_settle(cell.t);
		for (int command = 0; command < 3; command++) {
			tell(&cell, (uint32_t)(hash_mix(seed, (uint64_t)command) % (seed < 2 ? 20000 : 300)), seed + (uint64_t)command);
			lab = lab_open(path, command ? LAB_WRITE : LAB_NEW, NULL, &err);
			CU_ASSERT_FATAL(lab && (!command || load(&again, lab, (struct lab_point){ command, NEVER }, &err)));
			if (command)
				cluster_free(again.c);
			CU_ASSERT(save(&cell, lab, "tell", &err));
			lab_close(lab);
		}
		lab = lab_open(path, LAB_READ, NULL, &err);
		CU_ASSERT_FATAL(lab && load(&again, lab, (struct lab_point){ 3, NEVER }, &err));
		CU_ASSERT(same_notes(cell.c, again.c));
		lab_close(lab);
		complain(&err);
		CU_ASSERT_EQUAL(err.nr, 0);
		err_free(&err);
		cluster_free(again.c);
		cluster_free(cell.c);
	}
	remove_lab(path);
}

/* Each byte of a row becomes another, or the rest is missing. */
TEST(damaged_events_are_refused)
{
	const char *path = lab_path();
	struct cell cell = new_cell("calico");
	struct err err = { 0 };
	struct lab *lab;
	sqlite3_stmt *st;
	unsigned char *bytes;
	sqlite3 *db;
	uint32_t refused = 0;
	int n;

	remove_lab(path);
	apply(&cell, manifests);
	control_settle(cell.t);
	tell(&cell, 300, 5);
	lab = lab_open(path, LAB_NEW, NULL, &err);
	CU_ASSERT_FATAL(lab && save(&cell, lab, "tell", &err));
	lab_close(lab);
	CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
	CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "SELECT body, size FROM notes", -1, &st, NULL), SQLITE_OK);
	CU_ASSERT_EQUAL_FATAL(sqlite3_step(st), SQLITE_ROW);
	CU_ASSERT_EQUAL(sqlite3_column_int(st, 1), 0);  /* not compressed: what is changed is what is read */
	n = sqlite3_column_bytes(st, 0);
	bytes = malloc((size_t)n);
	memcpy(bytes, sqlite3_column_blob(st, 0), (size_t)n);
	sqlite3_finalize(st);
	for (int k = 0; k < n; k += 3) {
		struct cell read;
		bool cut = k % 2;
		unsigned char was = bytes[k];

		bytes[k] = (unsigned char)(was ^ (1 + k % 255));
		CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, "UPDATE notes SET body = ?1", -1, &st, NULL), SQLITE_OK);
		sqlite3_bind_blob(st, 1, bytes, cut ? k : n, SQLITE_STATIC);
		CU_ASSERT_EQUAL(sqlite3_step(st), SQLITE_DONE);
		sqlite3_finalize(st);
		bytes[k] = was;
		lab = lab_open(path, LAB_READ, NULL, &err);
		if (lab && load(&read, lab, (struct lab_point){ 1, NEVER }, &err))
			cluster_free(read.c);
		else
			refused++;
		CU_ASSERT(!lab || refused || !err_any(&err));
		lab_close(lab);
		err_free(&err);
		err = (struct err){ 0 };
	}
	CU_ASSERT(refused > 10);
	sqlite3_close(db);
	free(bytes);
	cluster_free(cell.c);
	remove_lab(path);
}
