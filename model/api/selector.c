/* Label selectors: matching, the -l syntax, and printing. Source: kubernetes apimachinery pkg/labels/selector.go. */
#include "model/api/object.h"

const char *const sel_op_names[] = { "", "In", "NotIn", "Exists", "DoesNotExist", NULL };

static const struct field requirement_fields[] = {
	{ .name = "key", .type = F_STR, .at = offsetof(struct requirement, key) },
	{ .name = "operator", .type = F_ENUM, .flags = FIELD_LATER, .at = offsetof(struct requirement, op), .names = sel_op_names },
	{ .name = "values", .type = F_STRS, .at = offsetof(struct requirement, values) },
	FIELD_END
};
const struct field selector_fields[] = {
	{ .name = "matchLabels", .type = F_PAIRS, .at = offsetof(struct selector, labels) },
	{ .name = "matchExpressions", .type = F_LIST, .at = offsetof(struct selector, exprs), .size = sizeof(struct requirement), .sub = requirement_fields },
	FIELD_END
};

str label_get(const pair_list *l, const char *key)
{
	uint32_t lo = 0, hi = key ? l->nr : 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const char *have = l->v[mid].key;
		int d = *have != *key ? (unsigned char)*have - (unsigned char)*key : have == key ? 0 : strcmp(have, key);

		if (d == 0)
			return l->v[mid].value;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool pairs_match(const pair_list *want, const pair_list *have)
{
	if (want->v == have->v && want->nr == have->nr)
		return true;
	for (uint32_t k = 0; k < want->nr; k++) {
		str v = label_get(have, want->v[k].key);

		if (!v || !streq(v, want->v[k].value))
			return false;
	}
	return true;
}

static bool among(const struct requirement *r, str v)
{
	for (uint32_t k = 0; k < r->values.nr; k++)
		if (streq(r->values.v[k], v))
			return true;
	return false;
}

bool selector_matches(const struct selector *s, const pair_list *labels)
{
	if (!pairs_match(&s->labels, labels))
		return false;
	for (uint32_t k = 0; k < s->exprs.nr; k++) {
		const struct requirement *r = &s->exprs.v[k];
		str v = label_get(labels, r->key);
		bool holds = true;

		switch (r->op - 1) {
		case SEL_IN:
			holds = v && among(r, v);
			break;
		case SEL_NOT_IN:                /* a label that is not there is not in any list */
			holds = !v || !among(r, v);
			break;
		case SEL_EXISTS:
			holds = v != NULL;
			break;
		case SEL_DOES_NOT_EXIST:
			holds = !v;
			break;
		}
		if (!holds)
			return false;
	}
	return true;
}

/* ---- -l a=b,c!=d,e in (f,g),h,!i */

struct reading { struct strtab *strings; struct arena *arena; const char *p; VEC(struct requirement) exprs; VEC(struct pair) pairs; };

static void blanks(struct reading *r)
{
	r->p += strspn(r->p, " \t");
}

static str word(struct reading *r)
{
	size_t n = strcspn(r->p, " \t,=!()");
	str s = n ? str_intern_n(r->strings, r->p, n) : NULL;

	r->p += n;
	blanks(r);
	return s;
}

static bool keyword(struct reading *r, const char *k)
{
	size_t n = strlen(k);

	if (strncmp(r->p, k, n) != 0 || (r->p[n] != ' ' && r->p[n] != '\t' && r->p[n] != '('))
		return false;
	r->p += n;
	blanks(r);
	return true;
}

static bool value_set(struct reading *r, struct requirement *q)
{
	VEC(str) v = { 0 };

	if (*r->p != '(')
		return false;
	r->p++;
	for (;;) {
		str s;

		blanks(r);
		s = word(r);
		vec_add(r->arena, &v, s ? s : str_intern(r->strings, ""));
		if (*r->p == ',') {
			r->p++;
			continue;
		}
		break;
	}
	if (*r->p != ')')
		return false;
	r->p++;
	blanks(r);
	q->values.v = v.v;
	q->values.nr = v.nr;
	q->values.set = true;
	return true;
}

static bool one(struct reading *r)
{
	struct requirement q = { 0 };
	str value;

	blanks(r);
	if (*r->p == '!') {
		r->p++;
		blanks(r);
		q.op = 1 + SEL_DOES_NOT_EXIST;
		q.key = word(r);
	} else if (!(q.key = word(r))) {
		return false;
	} else if (strncmp(r->p, "!=", 2) == 0) {
		r->p += 2;
		blanks(r);
		q.op = 1 + SEL_NOT_IN;
		value = word(r);
		q.values.v = arena_make(r->arena, str);
		q.values.v[0] = value ? value : str_intern(r->strings, "");
		q.values.nr = 1;
	} else if (*r->p == '=') {
		r->p += r->p[1] == '=' ? 2 : 1;
		blanks(r);
		value = word(r);
		vec_add(r->arena, &r->pairs, (struct pair){ q.key, value ? value : str_intern(r->strings, "") });
		return true;
	} else if (keyword(r, "in")) {
		q.op = 1 + SEL_IN;
		if (!value_set(r, &q))
			return false;
	} else if (keyword(r, "notin")) {
		q.op = 1 + SEL_NOT_IN;
		if (!value_set(r, &q))
			return false;
	} else {
		q.op = 1 + SEL_EXISTS;
	}
	if (!q.key)
		return false;
	vec_add(r->arena, &r->exprs, q);
	return true;
}

static void sort_pairs(struct pair *v, uint32_t nr)
{
	for (uint32_t k = 1; k < nr; k++)
		for (uint32_t i = k; i > 0 && str_order(v[i - 1].key, v[i].key) > 0; i--) {
			struct pair t = v[i];

			v[i] = v[i - 1];
			v[i - 1] = t;
		}
}

bool selector_parse(struct strtab *strings, struct arena *a, const char *text, struct selector *out, struct err *err)
{
	struct reading r = { .strings = strings, .arena = a, .p = text };

	*out = (struct selector){ 0 };
	for (;;) {
		if (!one(&r) || (*r.p && *r.p != ','))
			return err_add(err, ERR_INPUT, NULL, "-l: \"%s\" is not a label selector (a=b,c!=d,e in (f,g),h,!i): it goes wrong at %s%s%s", text, *r.p ? "\"" : "its end", r.p,
				       *r.p ? "\"" : "");
		if (!*r.p)
			break;
		r.p++;
	}
	sort_pairs(r.pairs.v, r.pairs.nr);
	out->labels = (pair_list){ r.pairs.v, r.pairs.nr, true };
	out->exprs.v = r.exprs.v;
	out->exprs.nr = r.exprs.nr;
	out->exprs.set = true;
	return true;
}

void selector_print(const struct selector *s, struct sb *out)
{
	const char *sep = "";

	if (!s->labels.nr && !s->exprs.nr)
		sb_add(out, "<none>");
	for (uint32_t k = 0; k < s->labels.nr; k++, sep = ",")
		sb_printf(out, "%s%s=%s", sep, s->labels.v[k].key, s->labels.v[k].value);
	for (uint32_t k = 0; k < s->exprs.nr; k++, sep = ",") {
		const struct requirement *r = &s->exprs.v[k];
		bool in = r->op - 1 == SEL_IN || r->op - 1 == SEL_NOT_IN;

		sb_printf(out, "%s%s%s%s", sep, r->op - 1 == SEL_DOES_NOT_EXIST ? "!" : "", r->key, in ? r->op - 1 == SEL_IN ? " in (" : " notin (" : "");
		for (uint32_t i = 0; in && i < r->values.nr; i++)
			sb_printf(out, "%s%s", i ? "," : "", r->values.v[i]);
		sb_add(out, in ? ")" : "");
	}
}
