/* Names of objects and ranges, as expectations spell them. */
#include "sim/scenario/scenario.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <strings.h>

bool parse_failed(struct parse *p, const struct val *at, const char *path, const char *fmt, ...)
{
	struct where w = { p->file, at ? at->line : 0, at ? at->col : 0, p->object, path };
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_add(p->err, ERR_INPUT, &w, "%s", text);
}

struct decode parse_strictly(const struct parse *p)
{
	return (struct decode){ .strings = p->strings, .arena = p->arena, .unknown = VALIDATE_STRICT, .file = p->file, .object = p->object, .err = p->err };
}

val_vec as_list(struct arena *a, const struct val *v)
{
	val_vec l = { .set = v != NULL };

	if (!v || val_is(v, VAL_NULL))
		return l;
	l.v = arena_array(a, const struct val *, val_is(v, VAL_LIST) ? v->nr : 1);
	if (!val_is(v, VAL_LIST))
		l.v[l.nr++] = v;
	else
		VAL_EACH(m, v)
			l.v[l.nr++] = m;
	return l;
}

/* ---- objects */

/* The next word, blanks apart; NULL at the end. */
static const char *next_word(struct arena *a, const char **p)
{
	const char *from = *p + strspn(*p, " \t"), *to = from + strcspn(from, " \t");

	*p = to;
	return to > from ? arena_strndup(a, from, (size_t)(to - from)) : NULL;
}

static bool pick_name(struct parse *p, const char *word, const struct val *at, struct pick *out)
{
	const char *slash = strchr(word, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;

	out->word = slash ? arena_strndup(p->arena, word, (size_t)(slash - word)) : word;
	if (second)
		out->ns = str_intern_n(p->strings, slash + 1, (size_t)(second - slash - 1));
	if (slash)
		out->name = str_intern(p->strings, second ? second + 1 : slash + 1);
	if (!*out->word || (slash && (!*out->name || (second && (!*out->ns || strchr(second + 1, '/'))))))
		return parse_failed(p, at, NULL, "\"%s\" names no object: KIND/NAME, KIND/NS/NAME, or KIND -l SELECTOR", word);
	return true;
}

/* Reads as far as the words belong to it; *rest is behind them. */
static bool pick_begin(struct parse *p, const char *text, const struct val *at, struct pick *out, const char **rest)
{
	const char *word = next_word(p->arena, &text), *value;

	*out = (struct pick){ 0 };
	if (!word)
		return parse_failed(p, at, NULL, "an object was expected: KIND/NAME or KIND -l SELECTOR");
	if (!pick_name(p, word, at, out))
		return false;
	for (*rest = text; (word = next_word(p->arena, &text)) && *word == '-'; *rest = text) {
		if (strcmp(word, "-A") == 0) {
			out->all_ns = true;
			continue;
		}
		value = next_word(p->arena, &text);
		if (!value || (strcmp(word, "-l") != 0 && strcmp(word, "-n") != 0))
			return parse_failed(p, at, NULL, "\"%s\": after a kind come -l SELECTOR, -n NS or -A", word);
		if (word[1] == 'n') {
			out->ns = str_intern(p->strings, value);
			continue;
		}
		if (out->name)
			return parse_failed(p, at, NULL, "\"-l\" goes with a kind, not with the name of one object");
		out->by_label = true;
		if (!selector_parse(p->strings, p->arena, value, &out->by, p->err))
			return parse_failed(p, at, NULL, "\"%s\" is not a label selector", value);
	}
	return true;
}

bool pick_parse(struct parse *p, const char *text, const struct val *at, struct pick *out)
{
	const char *rest = text;

	if (!pick_begin(p, text, at, out, &rest))
		return false;
	out->text = text;
	rest += strspn(rest, " \t");
	return !*rest || parse_failed(p, at, NULL, "\"%s\": \"%s\" does not belong to the name of an object", text, rest);
}

const struct kind *pick_kind(const struct cluster *c, const struct pick *p)
{
	const struct kind *k = kind_by_word(p->word);

	for (uint32_t i = 0; !k && c && cluster_pool_kind(c, i); i++) {
		const struct kind *have = cluster_pool_kind(c, i);

		if (kind_has_word(have, p->word))
			k = have;
	}
	return k;
}

struct object_list pick_objects(const struct cluster *c, const struct pick *p, const char *dflt_ns, struct arena *a)
{
	const struct kind *k = pick_kind(c, p);
	const char *ns = p->ns ? p->ns : dflt_ns;
	struct object_list all, found = { 0 };

	if (!k)
		return found;
	if (p->name) {
		struct object *o = cluster_find(c, k, ns, p->name);

		if (o) {
			found.v = arena_copy(a, &o, sizeof(o));
			found.nr = 1;
		}
		return found;
	}
	all = p->all_ns || !k->namespaced ? cluster_list(c, k) : cluster_list_ns(c, k, ns);
	found.v = arena_array(a, struct object *, all.nr);
	for (uint32_t i = 0; i < all.nr; i++)
		if (!p->by_label || selector_matches(&p->by, &all.v[i]->labels))
			found.v[found.nr++] = all.v[i];
	return found;
}

static bool is_endpoint(const struct cluster *c, const struct service *s, const struct pod *p)
{
	struct object_list slices = service_slices(c, s);
	ip_addr ip;

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *e = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < e->endpoints.nr; i++)
			for (uint32_t j = 0; j < e->endpoints.v[i].addresses.nr; j++)
				if (ip_parse(e->endpoints.v[i].addresses.v[j], &ip) && (ip_eq(ip, p->ip) || ip_eq(ip, p->ip2)))
					return true;
	}
	return false;
}

/* Owned, or owned by what it owns. */
static bool is_owned(const struct cluster *c, const struct object *owner, const struct object *o)
{
	const struct object *up;

	for (uint32_t k = 0; k < o->owners.nr; k++) {
		const struct kind *kind = kind_find(o->owners.v[k].api, o->owners.v[k].kind);

		if (streq(o->owners.v[k].uid, owner->uid))
			return true;
		up = kind ? cluster_find(c, kind, o->ns, o->owners.v[k].name) : NULL;
		if (up && up != o && owner_uid(up) && streq(owner_uid(up), owner->uid))
			return true;
	}
	return false;
}

bool pick_has_pod(struct cluster *c, const struct pick *p, const char *dflt_ns, const struct pod *pod, struct arena *a)
{
	struct object_list l = pick_objects(c, p, dflt_ns, a);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct object *o = l.v[k];

		if (o == &pod->o)
			return true;
		if (o->kind == &service_kind ? is_endpoint(c, (const struct service *)o, pod) : o->kind == &node_kind ? streq(pod->node, o->name) : is_owned(c, o, &pod->o))
			return true;
	}
	return false;
}

/* ---- ranges */

/* Digits, and a point if digits follow: 1..3 is two numbers. */
static bool number(const char **p, double *out)
{
	size_t n = strspn(*p, "0123456789");
	char text[40];

	if (!n)
		return false;
	if ((*p)[n] == '.')
		n += strspn(*p + n + 1, "0123456789") ? 1 + strspn(*p + n + 1, "0123456789") : 0;
	snprintf(text, sizeof(text), "%.*s", (int)MIN(n, sizeof(text) - 1), *p);
	*out = strtod(text, NULL);
	*p += n;
	return true;
}

static bool range_text(const char *s, struct range *r)
{
	static const struct { const char *sign; bool lo, open; } signs[] = { { ">=", true, false }, { "<=", false, false }, { ">", true, true }, { "<", false, true } };
	double v;

	*r = (struct range){ .lo = 0, .hi = INFINITY };
	if (strcmp(s, "all") == 0) {
		r->all = true;
		return true;
	}
	for (size_t k = 0; k < ARRAY_LEN(signs); k++) {
		size_t n = strlen(signs[k].sign);

		if (strncmp(s, signs[k].sign, n) != 0)
			continue;
		s += n + strspn(s + n, " ");
		r->share = strchr(s, '.') || strchr(s, '%');
		if (!number(&s, &v))
			return false;
		v /= *s == '%' ? 100 : 1;
		s += *s == '%';
		*(signs[k].lo ? &r->lo : &r->hi) = v;
		*(signs[k].lo ? &r->above : &r->below) = signs[k].open;
		return !*s;
	}
	if (!number(&s, &r->lo))
		return false;
	if (strncmp(s, "..", 2) == 0) {
		s += 2;
		return number(&s, &r->hi) && !*s && r->hi >= r->lo;
	}
	r->share = *s == '%';
	r->lo /= r->share ? 100 : 1;
	r->hi = r->lo;
	s += r->share;
	return !*s;
}

bool range_parse(struct parse *p, const struct val *v, const char *path, struct range *out)
{
	if (val_is(v, VAL_INT) && v->i >= 0) {
		*out = (struct range){ .lo = (double)v->i, .hi = (double)v->i };
		return true;
	}
	if (val_is(v, VAL_FLOAT) && v->f >= 0 && v->f <= 1) {
		*out = (struct range){ .share = true, .lo = v->f, .hi = v->f };
		return true;
	}
	if (val_is(v, VAL_STRING) && range_text(v->s, out))
		return true;
	return parse_failed(p, v, path, "a number was expected: all, a count (3), a share (0.5), or a range (>=1, <=2, 1..3)");
}

bool range_holds(const struct range *r, double value, double of)
{
	const double hair = 1e-9;               /* shares are sums of fractions */
	double lo = r->all ? of : r->lo, hi = r->all ? of : r->hi;

	return (r->above ? value > lo + hair : value >= lo - hair) && (r->below ? value < hi - hair : value <= hi + hair);
}
