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

/* ---- an image that does as it is asked: the Gateway API's test server. Source: gateway-api-conformance-images echo-basic/echo-basic.go (statusHandler, retrySimulationHandler,
 * delayResponse). */

#define MOST_FAILURES 10000

static const char *parameter(const char *path, const char *name, struct arena *a)
{
	const char *p = strchr(path, '?');
	size_t n = strlen(name);

	for (p = p ? p + 1 : NULL; p && *p; p += strcspn(p, "&"), p += *p == '&')
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return arena_strndup(a, p + n + 1, strcspn(p + n + 1, "&"));
	return "";
}

/* As Go's Atoi; what is too large is the largest. */
static bool whole_number(const char *text, long *out)
{
	char *end;

	*out = strtol(text, &end, 10);
	return *text && !*end && !strchr(" \t\n\v\f\r", *text);
}

/* After the delay that the parameter asks for; 500 where that is none. */
static struct l7_try delayed(const char *path, const char *name, int status, struct arena *a)
{
	const char *text = parameter(path, name, a);
	nsec after = 0;

	if (*text && !duration_parse(text, &after))
		return (struct l7_try){ 500, 0 };
	return (struct l7_try){ status, MAX(after, 0) };
}

/* Go's net/http cuts the connection off where a handler gives a status that is none. */
static int status_given(long code) { return code >= 100 && code <= 999 ? (int)code : 0; }

static struct l7_try retry_failing(const char *path, struct arena *a)
{
	long code;

	return delayed(path, "delayRetry", whole_number(parameter(path, "responseCode", a), &code) ? status_given(code) : 0, a);
}

/* /status/503 */
static int status_asked(const char *digits)
{
	return strspn(digits, "0123456789") == 3 && !digits[3] ? status_given(strtol(digits, NULL, 10)) : 400;
}

static void echo_basic(const char *path, struct arena *a, struct answers *out)
{
	bool retry = strncmp(path, "/retry/", 7) == 0;
	long failures = 0;
	tries v = { 0 };

	if (strncmp(path, "/status/", 8) == 0)
		vec_add(a, &v, (struct l7_try){ status_asked(path + 8), 0 });
	else if (retry && (!*parameter(path, "uuid", a) || !whole_number(parameter(path, "succeedAfter", a), &failures)))
		vec_add(a, &v, (struct l7_try){ 400, 0 });
	else if (failures > MOST_FAILURES)
		out->wrong = arena_printf(a, "the request asks for %ld answers that fail (succeedAfter), and more than %d are not counted", failures, MOST_FAILURES);
	else {
		struct l7_try failing = retry_failing(path, a);

		for (long k = 0; k < failures; k++)
			vec_add(a, &v, failing);
		vec_add(a, &v, delayed(path, "delay", 200, a));
	}
	out->v = v.v;
	out->nr = v.nr;
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
		echo_basic(rq->path, a, &out);
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
