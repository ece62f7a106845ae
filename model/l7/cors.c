/* Cross-origin requests: what a proxy with a CORS filter answers and adds. Source: gateway-api apis/v1 HTTPCORSFilter; its conformance/tests/httproute-cors.go. Where that
 * leaves a choice, the answer is the one of Envoy: the origin, method and headers that were asked for instead of `*`, status 200. */
#include "model/l7/table.h"

#include <string.h>
#include <strings.h>

struct origin { const char *scheme, *host, *port; };

/* scheme://host[:port] */
static bool origin_parse(const char *s, struct origin *out, struct arena *a)
{
	const char *host = strstr(s, "://"), *colon;

	if (!host)
		return false;
	out->scheme = arena_strndup(a, s, (size_t)(host - s));
	host += 3;
	colon = strrchr(host, ':');
	if (colon && strchr(colon, ']'))        /* of an IPv6 address */
		colon = NULL;
	out->host = colon ? arena_strndup(a, host, (size_t)(colon - host)) : host;
	out->port = colon ? colon + 1 : strcasecmp(out->scheme, "https") == 0 ? "443" : "80";
	return true;
}

/* A `*` at the beginning stands for any number of labels. */
static bool origin_matches(const char *pattern, const char *origin, struct arena *a)
{
	struct origin p, o;
	size_t n, m;

	if (strcmp(pattern, "*") == 0)
		return true;
	if (!origin_parse(pattern, &p, a) || !origin_parse(origin, &o, a) || strcasecmp(p.scheme, o.scheme) != 0 || strcmp(p.port, o.port) != 0)
		return false;
	if (*p.host != '*')
		return strcasecmp(p.host, o.host) == 0;
	n = strlen(p.host + 1);
	m = strlen(o.host);
	return m > n && strcasecmp(o.host + m - n, p.host + 1) == 0;
}

static bool has(const str_list *l, const char *text)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k], text))
			return true;
	return false;
}

static const char *joined(const str_list *l, struct arena *a)
{
	const char *out = "";

	for (uint32_t k = 0; k < l->nr; k++)
		out = arena_printf(a, "%s%s%s", out, k ? ", " : "", l->v[k]);
	return out;
}

/* The list; or what was asked for, where it holds `*`. */
static void allow(struct headers *h, const char *name, const str_list *l, const char *asked)
{
	const char *value = has(l, "*") ? asked : joined(l, h->arena);

	if (l->nr && value)
		headers_set(h, name, value);
}

bool cors_answers(const struct l7_cors *c, const struct http_request *rq, struct headers *out)
{
	const char *origin = header_of(rq, "Origin"), *method = header_of(rq, "Access-Control-Request-Method");
	bool preflight = origin && method && rq->method && strcmp(rq->method, "OPTIONS") == 0, allowed = false;

	for (uint32_t k = 0; origin && k < c->origins.nr && !allowed; k++)
		allowed = origin_matches(c->origins.v[k], origin, out->arena);
	if (!allowed)
		return preflight && !c->passes;
	headers_set(out, "Access-Control-Allow-Origin", origin);
	if (c->credentials)
		headers_set(out, "Access-Control-Allow-Credentials", "true");
	if (c->expose.nr && !(has(&c->expose, "*") && c->credentials))
		headers_set(out, "Access-Control-Expose-Headers", joined(&c->expose, out->arena));
	if (!preflight)
		return false;
	allow(out, "Access-Control-Allow-Methods", &c->methods, method);
	allow(out, "Access-Control-Allow-Headers", &c->headers, header_of(rq, "Access-Control-Request-Headers"));
	if (c->max_age)
		headers_set(out, "Access-Control-Max-Age", arena_printf(out->arena, "%d", c->max_age));
	return true;
}

bool cors_adds(const struct l7_cors *c, const struct http_request *rq, struct headers *out)
{
	const char *origin = header_of(rq, "Origin");

	if (c->origin && (!origin || !regex_search(c->origin, origin, NULL, out->arena)))
		return false;
	headers_set(out, "Access-Control-Allow-Origin", c->origin ? origin : "*");
	if (c->credentials)
		headers_set(out, "Access-Control-Allow-Credentials", "true");
	headers_set(out, "Access-Control-Allow-Methods", joined(&c->methods, out->arena));
	headers_set(out, "Access-Control-Allow-Headers", joined(&c->headers, out->arena));
	if (c->expose.nr)
		headers_set(out, "Access-Control-Expose-Headers", joined(&c->expose, out->arena));
	headers_set(out, "Access-Control-Max-Age", arena_printf(out->arena, "%d", c->max_age));
	return true;
}
