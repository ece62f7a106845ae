#include "model/api/form.h"

#include <inttypes.h>
#include <stdio.h>

#include "model/base/regex.h"

bool form_matches(const char *text, const char *pattern)
{
	struct arena *a = arena_new(NULL, "pattern");
	const struct regex *re = regex_compile(a, pattern, false, NULL);
	bool found = !re || regex_search(re, text, NULL, a);

	arena_free(a);
	return found;
}

const char *form_text(const struct val *v, const char *member, const char *dflt)
{
	const struct val *m = val_get(v, member);

	return val_is(m, VAL_STRING) ? m->s : dflt;
}

/* ---- one value. Each says whether the rules can still be asked. */

static bool good_word(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	char number[24];
	const char *text = v->s;

	if (v->type == VAL_INT) {
		snprintf(number, sizeof(number), "%" PRId64, v->i);
		text = number;
	}
	if (one_of(text, f->words))
		return true;
	return v->type == VAL_INT ? refuse_unsupported_text(c, p, number, f->words) : refuse_unsupported(c, p, text, f->words);
}

static bool good_text(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	int64_t length = 0;
	char path[PATH_TEXT];

	for (const char *s = v->s; *s; s++)
		length += (*s & 0xc0) != 0x80;
	if (length < f->min)
		refuse_str(c, p, v->s, "%s in body should be at least %" PRId64 " chars long", path_text(p, path), f->min);
	if (f->pattern && !form_matches(v->s, f->pattern))
		refuse_str(c, p, v->s, "%s in body should match '%s'", path_text(p, path), f->pattern);
	return !f->max || length <= f->max || refuse_long(c, p, (uint32_t)f->max);
}

static bool good_number(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	char path[PATH_TEXT];

	if (v->i < f->min)
		refuse_int(c, p, v->i, "%s in body should be greater than or equal to %" PRId64, path_text(p, path), f->min);
	else if (f->max && v->i > f->max)
		refuse_int(c, p, v->i, "%s in body should be less than or equal to %" PRId64, path_text(p, path), f->max);
	return true;
}

static bool good_count(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	char path[PATH_TEXT];

	if (v->nr < f->min)
		refuse_val(c, p, NULL, "%s in body should have at least %" PRId64 " %s", path_text(p, path), f->min, v->type == VAL_LIST ? "items" : "properties");
	return !f->max || v->nr <= f->max || refuse_many(c, p, v->nr, (uint32_t)f->max);
}

static const struct val *key_of(const struct form *f, const struct val *item)
{
	return *f->key ? val_get(item, f->key) : item;
}

static bool same_key(const struct form *f, const struct val *a, const struct val *b)
{
	const struct val *x = key_of(f, a), *y = key_of(f, b);

	return x && y && val_equal(x, y);
}

static void check_keys(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	uint32_t k = 0;
	struct sb sb = { 0 };

	VAL_EACH(item, v) {
		bool again = false;

		for (const struct val *before = v->first; before != item && !again; before = before->next)
			again = same_key(f, before, item);
		if (again && !*f->key) {
			refuse_duplicate_val(c, ITEM(p, k), item);
		} else if (again) {
			sb_reset(&sb);
			json_of(key_of(f, item), &sb);
			char text[512];

			snprintf(text, sizeof(text), "{\"%s\":%s}", f->key, sb_text(&sb));
			refuse_duplicate_text(c, ITEM(p, k), text);
		}
		k++;
	}
	sb_free(&sb);
}

/* ---- all of it: first the form, then, where it is good, the rules */

static bool good_form(struct check *, const struct form *, const struct val *, const struct path *);

static bool good_object(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	bool ok = good_count(c, f, v, p);

	for (const struct form_member *m = f->members; m && m->name; m++) {
		const struct val *w = val_get(v, m->name);

		if (w && w->type != VAL_NULL)
			ok = good_form(c, m->form, w, SUB(p, m->name)) && ok;
		else if (m->needed)
			ok = refuse_missing(c, SUB(p, m->name), "%s", "");
	}
	if (f->items)
		VAL_EACH_KEY(w, v)
			ok = good_form(c, f->items, w, ENTRY(p, w->key)) && ok;
	return ok;
}

static bool good_list(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	bool ok = good_count(c, f, v, p);
	uint32_t k = 0;

	if (!ok)
		return false;
	if (f->key)
		check_keys(c, f, v, p);
	if (f->items)
		VAL_EACH(item, v)
			ok = good_form(c, f->items, item, ITEM(p, k++)) && ok;
	return ok;
}

static bool good_form(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	if (!f)
		return true;
	switch ((enum val_type)v->type) {
	case VAL_STRING:
		return (!f->words || good_word(c, f, v, p)) && good_text(c, f, v, p);
	case VAL_INT:
		return f->words ? good_word(c, f, v, p) : good_number(c, f, v, p);
	case VAL_LIST:
		return good_list(c, f, v, p);
	case VAL_MAP:
		return good_object(c, f, v, p);
	case VAL_NULL: case VAL_BOOL: case VAL_FLOAT:
		return true;
	}
	return true;
}

static void ask_rules(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	uint32_t k = 0;

	if (!f || !v)
		return;
	if (f->rules)
		f->rules(c, v, p);
	for (const struct form_member *m = v->type == VAL_MAP ? f->members : NULL; m && m->name; m++)
		ask_rules(c, m->form, val_get(v, m->name), SUB(p, m->name));
	if (f->items && v->type == VAL_LIST)
		VAL_EACH(item, v)
			ask_rules(c, f->items, item, ITEM(p, k++));
	if (f->items && v->type == VAL_MAP)
		VAL_EACH_KEY(item, v)
			ask_rules(c, f->items, item, ENTRY(p, item->key));
}

void form_check(struct check *c, const struct form *f, const struct val *v, const struct path *p)
{
	if (v && good_form(c, f, v, p))
		ask_rules(c, f, v, p);
}

void form_check_spec(struct check *c, const struct form *f)
{
	const struct val *spec = val_get(c->root, "spec"), *was = val_get(c->was, "spec");

	if (!spec || spec->type == VAL_NULL)
		refuse_missing(c, SUB(NULL, "spec"), "%s", "");
	else if (!was || !val_equal(spec, was))
		form_check(c, f, spec, SUB(NULL, "spec"));
}
