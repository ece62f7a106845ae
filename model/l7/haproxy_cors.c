/* Cross-origin requests, as cors.c answers them: the proxy itself answers a preflight request, and adds to every other answer what an origin that is allowed may see. */
#include "model/l7/haproxy_parts.h"

#include <ctype.h>
#include <strings.h>

static struct sb *text(struct hap *x) { return &x->out->text; }

#define ALLOW "Access-Control-Allow-"

static bool any(const str_list *l)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k], "*"))
			return true;
	return false;
}

/* Names and methods only: nothing in them means anything to HAProxy. */
static const char *joined(struct hap *x, const str_list *l)
{
	const char *out = "";

	for (uint32_t k = 0; k < l->nr; k++) {
		if (!hap_name(l->v[k]))
			return NULL;
		out = arena_printf(x->a, "%s%s%s", out, k ? ", " : "", l->v[k]);
	}
	return out;
}

/* scheme://host[:port], where a * at the host's beginning is any number of labels; the scheme's own port may be said or not. NULL: it is none. */
static const char *origin_regex(struct hap *x, const char *pattern)
{
	const char *host = strstr(pattern, "://"), *colon, *scheme, *port, *own;
	bool usual;

	if (!host || !hap_fits(pattern))
		return NULL;
	scheme = arena_strndup(x->a, pattern, (size_t)(host - pattern));
	host += 3;
	colon = strrchr(host, ':');
	colon = colon && strchr(colon, ']') ? NULL : colon;
	own = strcasecmp(scheme, "https") == 0 ? "443" : "80";
	port = colon ? colon + 1 : own;
	usual = streq(port, own);
	host = colon ? arena_strndup(x->a, host, (size_t)(colon - host)) : host;
	return arena_printf(x->a, "^%s://%s%s%s%s%s$", hap_literal(x, scheme), *host == '*' ? ".+" : "", hap_literal(x, *host == '*' ? host + 1 : host), usual ? "(:" : ":", port, usual ? ")?" : "");
}

static void origins(struct hap *x, const struct l7_cors *c)
{
	sb_add(text(x), "    acl cors.asks req.fhdr(origin,1) -m found\n"
			"    acl cors.preflight req.fhdr(access-control-request-method,1) -m found\n");
	for (uint32_t k = 0; k < c->origins.nr; k++) {
		const char *regex = streq(c->origins.v[k], "*") ? NULL : origin_regex(x, c->origins.v[k]);

		if (streq(c->origins.v[k], "*"))
			sb_add(text(x), "    acl cors.allowed req.fhdr(origin,1) -m found\n");
		else if (regex)
			sb_printf(text(x), "    acl cors.allowed req.fhdr(origin,1) -m reg -i -- %s\n", hap_word(x, regex));
	}
	sb_add(text(x), "    acl cors.allowed always_false\n");
}

static void cannot(struct hap *x, const char *what, const char *why)
{
	hap_cannot(x, what, why);
	hap_refuse(x, why, " { req.fhdr(origin,1) -m found }");
}

/* A header of the answer to a preflight request: the list, or what was asked for. */
static void allow(struct hap *x, struct sb *hdrs, const char *header, const char *list, bool star, const char *asked)
{
	if (star)
		sb_printf(hdrs, " hdr %s '%%[req.fhdr(%s,1)]'", header, asked);
	else if (*list)
		sb_printf(hdrs, " hdr %s %s", header, hap_word(x, list));
}

/* Where nothing is asked for, the header that would repeat it is left out: a line for each case. */
static void preflight(struct hap *x, const struct l7_cors *c, const char *methods, const char *headers, const char *exposed)
{
	for (int asks = 1; asks >= (any(&c->headers) ? 0 : 1); asks--) {
		struct sb hdrs = { 0 };

		allow(x, &hdrs, ALLOW "Methods", methods, any(&c->methods), "access-control-request-method");
		if (asks)
			allow(x, &hdrs, ALLOW "Headers", headers, any(&c->headers), "access-control-request-headers");
		if (c->max_age)
			sb_printf(&hdrs, " hdr Access-Control-Max-Age %d", c->max_age);
		sb_printf(text(x), "    http-request return status 200 hdr " ALLOW "Origin '%%[req.fhdr(origin,1)]'%s%s%s%s if { method OPTIONS } cors.preflight cors.allowed%s\n",
			  c->credentials ? " hdr " ALLOW "Credentials true" : "", *exposed ? " hdr Access-Control-Expose-Headers " : "", *exposed ? hap_word(x, exposed) : "", sb_text(&hdrs),
			  any(&c->headers) && asks ? " { req.fhdr(access-control-request-headers,1) -m found }" : "");
		sb_free(&hdrs);
	}
	if (!c->passes)
		sb_add(text(x), "    http-request return status 200 if { method OPTIONS } cors.preflight cors.asks !cors.allowed\n");
}

void hap_cors(struct hap *x, const char *what, const struct l7_cors *c)
{
	const char *methods = any(&c->methods) ? "" : joined(x, &c->methods), *headers = any(&c->headers) ? "" : joined(x, &c->headers);
	const char *exposed = any(&c->expose) ? (c->credentials ? "" : "*") : joined(x, &c->expose);

	if (c->unknown || !methods || !headers || !exposed) {
		cannot(x, what, c->unknown ? c->unknown : "HAProxy has no words for a method or header of a CORS filter");
		return;
	}
	origins(x, c);
	preflight(x, c, methods, headers, exposed);
	sb_add(text(x), "    http-request set-var(txn.origin) req.fhdr(origin,1) if cors.allowed\n"
			"    acl cors.adds var(txn.origin) -m found\n"
			"    http-response set-header " ALLOW "Origin %[var(txn.origin)] if cors.adds\n");
	if (c->credentials)
		sb_add(text(x), "    http-response set-header " ALLOW "Credentials true if cors.adds\n");
	if (*exposed)
		sb_printf(text(x), "    http-response set-header Access-Control-Expose-Headers %s if cors.adds\n", hap_word(x, exposed));
}
