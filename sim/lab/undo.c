/* Undo: the last command is taken out of the lab as if it had not been; what it changed is as it was before. */
#include "sim/lab/load.h"

/* ?1: the command that goes. */
static const char *const steps[] = {
	"DELETE FROM whole WHERE ?1 = (SELECT value FROM fact WHERE name = 'whole')",
	"DELETE FROM fact WHERE name IN ('whole', 'wholeBytes') AND ?1 = (SELECT value FROM fact WHERE name = 'whole')",
	"DELETE FROM fact WHERE name = 'flags:' || ?1",         /* or the next command of that number would have them */
	"DELETE FROM bundle WHERE place BETWEEN ?1 << 20 AND (?1 + 1 << 20) - 1",
	"DELETE FROM notes WHERE input = ?1",
	"DELETE FROM segment WHERE input = ?1",
	"DELETE FROM control WHERE input = ?1",
	"DELETE FROM document WHERE input = ?1",
	"DELETE FROM input WHERE nr = ?1",
	NULL
};
/* Of what an older podwire left in rows. Objects that came with the command have no row in object_was. */
static const char *const row_steps[] = {
	"DELETE FROM object WHERE id IN (SELECT id FROM object_was WHERE until = ?1) OR (input = ?1 AND id NOT IN (SELECT id FROM object_was))",
	"INSERT INTO object(" ROW_COLUMNS ") SELECT " ROW_COLUMNS " FROM object_was WHERE until = ?1",
	"DELETE FROM object_was WHERE until = ?1",
	"DELETE FROM event WHERE input = ?1",
	"DELETE FROM shape WHERE segment IN (SELECT id FROM segment WHERE input = ?1)",
	NULL
};

static bool take_out(struct lab *lab, const char *const *step, int64_t input, struct err *err)
{
	bool ok = true;

	for (; ok && *step; step++) {
		sqlite3_stmt *st = store_prepare(lab, *step, err);

		if (st)
			sqlite3_bind_int64(st, 1, input);
		ok = st && store_do(lab, st, "cannot be written", err);
		sqlite3_finalize(st);
	}
	return ok;
}

bool lab_undo(struct lab *lab, struct sb *what, struct err *err)
{
	int64_t last = store_number(lab, "SELECT max(nr) FROM input", 0);
	sqlite3_stmt *st;
	bool ok;

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
	ok = (!store_number(lab, "SELECT value FROM fact WHERE name = 'rows'", 0) || take_out(lab, row_steps, last, err)) && take_out(lab, steps, last, err);
	ok = ok && store_commit(lab, err);
	lab->writing = !ok;
	return ok;
}
