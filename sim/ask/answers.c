#include "sim/ask/answers.h"

#include <stdlib.h>

#include "model/base/quantity.h"

typedef VEC(struct l7_try) tries;

/* ---- as text */

static const char *trimmed(const char *s, size_t n, struct arena *a)
{
	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	return arena_strndup(a, s, n);
}

static bool parse_one(const char *text, struct arena *a, struct l7_try *out)
{
	size_t n = strcspn(text, " \t");
	const char *word = arena_strndup(a, text, n), *rest = text + n + strspn(text + n, " \t");
	char *end;
	long status = strtol(word, &end, 10);

	*out = (struct l7_try){ 0 };
	if (!streq(word, "reset") && (*end || n != 3 || status < 100 || status > 599))
		return false;
	out->status = streq(word, "reset") ? 0 : (int)status;
	if (!*rest)
		return true;
	return strncmp(rest, "after ", 6) == 0 && duration_parse(rest + 6 + strspn(rest + 6, " "), &out->after) && out->after >= 0;
}

bool answers_parse(const char *text, struct arena *a, struct answers *out, const char **why)
{
	tries v = { 0 };

	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ",");
		const char *one = trimmed(p, n, a);
		struct l7_try t;

		if (!parse_one(one, a, &t)) {
			*why = arena_printf(a, "\"%s\" is not an answer, as in 503, \"200 after 2s\" or \"reset\"", one);
			return false;
		}
		vec_add(a, &v, t);
		p += n;
		if (!*p)
			break;
	}
	*out = (struct answers){ .v = v.v, .nr = v.nr };
	return true;
}

/* ---- what the Pod says */

static bool annotated(const struct pod *p, const char *container, struct arena *a, struct answers *out)
{
	const char *key = arena_printf(a, "podwire.io/%s.answers", container), *text = label_get(&p->o.annotations, key), *why = NULL;

	if (!text)
		return false;
	if (!answers_parse(text, a, out, &why))
		out->wrong = arena_printf(a, "Pod %s/%s, annotation %s: %s", p->o.ns, p->o.name, key, why);
	else if (out->nr > 1)
		out->wrong = arena_printf(a, "Pod %s/%s, annotation %s: \"%s\" is more than one answer, and a Pod gives the same to all", p->o.ns, p->o.name, key, text);
	out->of_pod = true;
	return true;
}

/* ---- an image that does as it is asked: the Gateway API's test server. Source: gateway-api-conformance-images echo-basic (delay; responseCode, succeedAfter and
 * delayRetry below a path with /retry/). */

static const char *parameter(const char *path, const char *name, struct arena *a)
{
	const char *p = strchr(path, '?');
	size_t n = strlen(name);

	for (p = p ? p + 1 : NULL; p && *p; p += strcspn(p, "&"), p += *p == '&')
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return arena_strndup(a, p + n + 1, strcspn(p + n + 1, "&"));
	return NULL;
}

static nsec duration_in(const char *path, const char *name, struct arena *a)
{
	const char *text = parameter(path, name, a);
	nsec out = 0;

	return text && duration_parse(text, &out) && out > 0 ? out : 0;
}

static struct answers echo_basic(const char *path, struct arena *a)
{
	const char *code = parameter(path, "responseCode", a), *after = parameter(path, "succeedAfter", a);
	struct l7_try failing = { code ? atoi(code) : 0, duration_in(path, "delayRetry", a) };
	long failures = after && strstr(path, "/retry/") ? strtol(after, NULL, 10) : 0;
	tries v = { 0 };

	for (long k = 0; k < MIN(failures, 100); k++)
		vec_add(a, &v, failing);
	vec_add(a, &v, (struct l7_try){ 200, duration_in(path, "delay", a) });
	return (struct answers){ .v = v.v, .nr = v.nr };
}

static const struct container *container_named(const struct pod *p, const char *name)
{
	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		if (!name || streq(p->spec->containers.v[k].name, name))
			return &p->spec->containers.v[k];
	return NULL;
}

struct answers answers_of(const char *asked, const struct pod *p, const char *container, const struct http_request *rq, struct arena *a)
{
	const struct container *c = p ? container_named(p, container) : NULL;
	struct answers out = { 0 };
	const char *ignored;

	if (asked)
		(void)answers_parse(asked, a, &out, &ignored);
	else if (c && !annotated(p, c->name, a, &out) && c->image && strstr(c->image, "gateway-api/conformance/echo-basic") && rq->path)
		out = echo_basic(rq->path, a);
	return out;
}

bool answers_same(const struct answers *x, const struct answers *y)
{
	if (x->nr != y->nr)
		return false;
	for (uint32_t k = 0; k < x->nr; k++)
		if (x->v[k].status != y->v[k].status || x->v[k].after != y->v[k].after)
			return false;
	return true;
}
