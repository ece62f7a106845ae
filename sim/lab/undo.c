/* Undo: the last command is taken out of the lab as if it had not been; what it changed is as it was before. */
#include "sim/lab/store.h"

bool lab_undo(struct lab *lab, struct sb *what, struct err *err)
{
	/* ?1: the command that goes. Objects that came with it have no row in object_was. */
	static const char *const steps[] = {
		"DELETE FROM object WHERE id IN (SELECT id FROM object_was WHERE until = ?1) OR (input = ?1 AND id NOT IN (SELECT id FROM object_was))",
		"INSERT INTO object(" OBJECT_COLUMNS ") SELECT " OBJECT_COLUMNS " FROM object_was WHERE until = ?1",
		"DELETE FROM object_was WHERE until = ?1",
		"DELETE FROM event WHERE input = ?1",
		"DELETE FROM notes WHERE input = ?1",
		"DELETE FROM shape WHERE segment IN (SELECT id FROM segment WHERE input = ?1)",
		"DELETE FROM segment WHERE input = ?1",
		"DELETE FROM bundle WHERE input = ?1",
		"DELETE FROM control WHERE input = ?1",
		"DELETE FROM document WHERE input = ?1",
		"DELETE FROM input WHERE nr = ?1",
		"UPDATE fact SET value = (SELECT ended FROM input ORDER BY nr DESC LIMIT 1) WHERE name = 'now' AND ?1",
		"UPDATE fact SET value = (SELECT rev FROM input ORDER BY nr DESC LIMIT 1) WHERE name = 'rev' AND ?1",
	};
	int64_t last = store_number(lab, "SELECT max(nr) FROM input", 0);
	sqlite3_stmt *st;
	bool ok = true;

	if (last < 2)
		return err_add(err, ERR_INPUT, NULL, "nothing can be undone: the lab holds what it began with");
	st = store_prepare(lab, "SELECT argv FROM input WHERE nr = ?1", err);
	if (!st)
		return false;
	sqlite3_bind_int64(st, 1, last);
	if (sqlite3_step(st) == SQLITE_ROW) {
		struct arena *a = arena_new(NULL, "undo");
		const char *text = (const char *)sqlite3_column_text(st, 0);
		const struct val *argv = text ? json_parse(a, "lab", text, strlen(text), NULL, err) : NULL;

		sb_add(what, "undone:");
		VAL_EACH(v, argv)
			if (v != argv->first && val_str(v)) {
				if (strcmp(v->s, "--lab") == 0)
					break;
				sb_printf(what, " %s", v->s);
			}
		arena_free(a);
	}
	sqlite3_finalize(st);
	for (size_t k = 0; ok && k < ARRAY_LEN(steps); k++) {
		st = store_prepare(lab, steps[k], err);
		if (st) {
			sqlite3_bind_int64(st, 1, last);
			ok = store_do(lab, st, "cannot be written", err);
		} else {
			ok = false;
		}
		sqlite3_finalize(st);
	}
	ok = ok && store_run(lab, "COMMIT", "cannot be written", err);
	lab->writing = !ok;
	return ok;
}
