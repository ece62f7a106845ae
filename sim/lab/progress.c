#include "sim/lab/progress.h"

#include "sim/lab/store.h"

#define PREFIX "lesson:"

void progress_begin(struct progress *p, struct arena *a, const char *lesson, uint32_t nr_steps)
{
	*p = (struct progress){ .lesson = lesson, .nr_steps = nr_steps, .steps = arena_array(a, struct progress_step, nr_steps + 1) };
}

uint32_t progress_right(const struct progress *p)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < p->nr_steps; k++)
		nr += p->steps[k].right;
	return nr;
}

static struct val *pack(const struct progress *p, struct arena *a)
{
	struct val *root = val_new(a, VAL_MAP), *steps;

	val_put(a, root, "at", val_int(a, p->at));
	steps = val_put(a, root, "steps", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < p->nr_steps; k++) {
		const struct progress_step *s = &p->steps[k];
		struct val *v = val_add(a, steps, val_new(a, VAL_MAP)), *commands;

		val_put(a, v, "tries", val_int(a, s->tries));
		val_put(a, v, "chosen", val_int(a, s->chosen));
		val_put(a, v, "right", val_bool(a, s->right));
		val_put(a, v, "hints", val_int(a, s->hints));
		val_put(a, v, "task", val_int(a, s->task));
		commands = val_put(a, v, "commands", val_new(a, VAL_LIST));
		for (uint32_t i = 0; i < s->commands.nr; i++)
			val_add(a, commands, val_string(a, s->commands.v[i]));
	}
	return root;
}

static void unpack(const struct val *root, struct arena *a, const char *lesson, struct progress *p)
{
	const struct val *steps = val_get(root, "steps"), *commands;
	uint32_t nr = 0;

	VAL_EACH(v, steps)
		nr++;
	progress_begin(p, a, lesson, nr);
	p->at = (uint32_t)MIN(MAX(val_int_or(val_get(root, "at"), 0), 0), (int64_t)(nr ? nr - 1 : 0));
	nr = 0;
	VAL_EACH(v, steps) {
		struct progress_step *s = &p->steps[nr++];

		s->tries = (uint32_t)val_int_or(val_get(v, "tries"), 0);
		s->chosen = (uint32_t)val_int_or(val_get(v, "chosen"), 0);
		s->right = val_bool_or(val_get(v, "right"), false);
		s->hints = (uint32_t)val_int_or(val_get(v, "hints"), 0);
		s->task = (uint8_t)MIN(MAX(val_int_or(val_get(v, "task"), 0), 0), (int64_t)TASK_SHOWN);
		commands = val_get(v, "commands");
		VAL_EACH(c, commands)
			if (val_str(c))
				vec_add(a, &s->commands, arena_strdup(a, val_str(c)));
	}
}

static bool read_rows(struct lab *lab, const char *lesson, struct arena *a, progress_list *out, struct err *err)
{
	sqlite3_stmt *st = store_prepare(lab, "SELECT name, value FROM fact WHERE name GLOB '" PREFIX "*' AND (?1 IS NULL OR name = '" PREFIX "' || ?1) ORDER BY name", err);
	bool ok = st != NULL;
	int rc = SQLITE_DONE;

	if (!st)
		return false;
	store_bind_text(st, 1, lesson);
	while (ok && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *name = arena_strdup(a, (const char *)sqlite3_column_text(st, 0)), *text = (const char *)sqlite3_column_text(st, 1);
		const struct val *v = text ? json_parse(a, lab->path, arena_strdup(a, text), strlen(text), NULL, err) : NULL;
		struct progress p;

		ok = v != NULL;
		if (ok) {
			unpack(v, a, name + strlen(PREFIX), &p);
			vec_add(a, out, p);
		}
	}
	if (ok && rc != SQLITE_DONE)
		ok = store_failed(lab, "cannot be read", err);
	sqlite3_finalize(st);
	return ok;
}

bool progress_read_all(struct lab *lab, struct arena *a, progress_list *out, struct err *err) { return read_rows(lab, NULL, a, out, err); }

bool progress_read(struct lab *lab, const char *lesson, struct arena *a, struct progress *out, struct err *err)
{
	progress_list all = { 0 };

	*out = (struct progress){ .lesson = lesson };
	if (!read_rows(lab, lesson, a, &all, err))
		return false;
	if (all.nr)
		*out = all.v[0];
	return true;
}

static bool committed(struct lab *lab, sqlite3_stmt *st, struct err *err)
{
	bool ok = st && store_do(lab, st, "cannot be written", err) && store_commit(lab, err);

	lab->writing = lab->writing && !ok;
	sqlite3_finalize(st);
	return ok;
}

bool progress_write(struct lab *lab, const struct progress *p, struct err *err)
{
	struct arena *a = arena_new(NULL, "progress");
	sqlite3_stmt *st = store_prepare(lab, "INSERT OR REPLACE INTO fact VALUES('" PREFIX "' || ?1, ?2)", err);
	struct sb text = { 0 };
	bool ok;

	val_print_json(pack(p, a), &text, 0, false);
	if (st) {
		store_bind_text(st, 1, p->lesson);
		store_bind_text(st, 2, sb_text(&text));
	}
	ok = committed(lab, st, err);
	sb_free(&text);
	arena_free(a);
	return ok;
}

bool progress_forget(struct lab *lab, const char *lesson, struct err *err)
{
	sqlite3_stmt *st = store_prepare(lab, "DELETE FROM fact WHERE name GLOB '" PREFIX "*' AND (?1 IS NULL OR name = '" PREFIX "' || ?1)", err);

	if (st)
		store_bind_text(st, 1, lesson);
	return committed(lab, st, err);
}
