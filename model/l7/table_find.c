/* A request is looked up in a routing table, its hosts and paths by hash. A path is walked once, character by character; at each slash the beginning so far is looked up,
 * so that the cost grows with the length of the request and not with the number of rules. */
#include "model/l7/table_keys.h"

#include <ctype.h>
#include <strings.h>

#include "model/base/quantity.h"

const char *query_host(const char *host, struct arena *a)
{
	const char *end = host + strlen(host), *colon = strrchr(host, ':');
	char *out;

	if (*host == '[')
		end = strchr(host, ']') ? strchr(host, ']') + 1 : end;
	else if (colon && strchr(host, ':') == colon)
		end = colon;
	if (end > host && end[-1] == '.')
		end--;
	out = arena_strndup(a, host, (size_t)(end - host));
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

struct l7_query query_make(const struct http_request *rq, struct arena *scratch)
{
	const char *path = rq->path && *rq->path ? rq->path : "/";
	size_t n = strcspn(path, "?#");
	struct l7_query q = { .rq = rq, .scratch = scratch };

	q.host = query_host(rq->host ? rq->host : "", scratch);
	q.path = arena_strndup(scratch, path, n);
	q.path_len = (uint32_t)n;
	q.sent = q.path;
	if (path[n] == '?')
		q.query = arena_strndup(scratch, path + n + 1, strcspn(path + n + 1, "#"));
	return q;
}

static bool value_matches(const struct l7_cond *c, const char *value, struct arena *scratch)
{
	size_t n = c->value ? strlen(c->value) : 0;

	switch ((enum l7_how)c->how) {
	case L7_EXACT:
		return value && (c->nocase ? strcasecmp(value, c->value) : strcmp(value, c->value)) == 0;
	case L7_PREFIX:
		return value && (c->nocase ? strncasecmp(value, c->value, n) : strncmp(value, c->value, n)) == 0;
	case L7_REGEX:
		return value && c->re && regex_full(c->re, value, scratch);
	case L7_PRESENT:
		return value != NULL;
	}
	return false;
}

static int hex_digit(char c) { return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1; }

static const char *decoded(const char *s, size_t n, struct arena *a)
{
	char *out = arena_strndup(a, s, n), *w = out;

	for (size_t k = 0; k < n; k++) {
		if (out[k] == '%' && k + 2 < n + 1 && hex_digit(out[k + 1]) >= 0 && hex_digit(out[k + 2]) >= 0) {
			*w++ = (char)(hex_digit(out[k + 1]) * 16 + hex_digit(out[k + 2]));
			k += 2;
		} else {
			*w++ = out[k] == '+' ? ' ' : out[k];
		}
	}
	*w = 0;
	return out;
}

/* The first parameter of that name counts (HTTPQueryParamMatch.name: a repeated one is not defined, the first is recommended). */
static const char *query_value(const struct l7_query *q, const char *name)
{
	const char *p = q->query;

	while (p && *p) {
		size_t n = strcspn(p, "&"), eq = strcspn(p, "=&");

		if (streq(decoded(p, eq, q->scratch), name))
			return eq < n ? decoded(p + eq + 1, n - eq - 1, q->scratch) : "";
		p += n + (p[n] == '&');
	}
	return NULL;
}

static bool path_matches(const struct l7_route *r, const struct l7_query *q)
{
	size_t n = key_length(r);

	switch ((enum l7_path)r->path_kind) {
	case L7_PATH_EXACT:
		return q->path_len == n && memcmp(q->path, r->path, n) == 0;
	case L7_PATH_ELEMENTS:
		return q->path_len >= n && memcmp(q->path, r->path, n) == 0 && (q->path[n] == 0 || q->path[n] == '/');
	case L7_PATH_STRING:
		return q->path_len >= n && memcmp(q->path, r->path, n) == 0;
	case L7_PATH_REGEX:
		return r->re && (r->search ? regex_search(r->re, q->path, NULL, q->scratch) : regex_full(r->re, q->path, q->scratch));
	}
	return false;
}

static const char *cond_value(const struct l7_cond *c, const struct l7_query *q, bool query)
{
	if (query)
		return query_value(q, c->name);
	if (strcasecmp(c->name, "host") == 0 || streq(c->name, ":authority"))
		return q->rq->host;
	return streq(c->name, ":scheme") ? q->rq->scheme : header_read(q->rq, c->name, q->repeats, q->scratch);
}

static bool any_matches(const struct l7_cond *c, const struct l7_query *q)
{
	for (uint32_t k = 0; k < q->rq->nr_headers; k++)
		if (strcasecmp(q->rq->headers[k].name, c->name) == 0 && value_matches(c, q->rq->headers[k].value, q->scratch))
			return true;
	return false;
}

static const struct l7_cond *cond_failing(const l7_conds *conds, const struct l7_query *q, bool query)
{
	for (uint32_t k = 0; k < conds->nr; k++) {
		const struct l7_cond *c = &conds->v[k];
		const char *value = cond_value(c, q, query);
		bool holds = value_matches(c, !value && c->absent_is_empty ? "" : value, q->scratch) || (!query && q->repeats == L7_REPEATS_ANY && any_matches(c, q));

		if (holds == c->not)
			return c;
	}
	return NULL;
}

static bool method_matches(const struct l7_route *r, const struct l7_query *q)
{
	for (uint32_t k = 0; k < r->methods.nr; k++)
		if (value_matches(&r->methods.v[k], q->rq->method ? q->rq->method : "GET", q->scratch) != r->methods.v[k].not)
			return true;
	return r->methods.nr == 0;
}

static bool route_matches(const struct l7_route *r, const struct l7_query *q)
{
	return path_matches(r, q) && method_matches(r, q) && !cond_failing(&r->headers, q, false) && !cond_failing(&r->query, q, true);
}

const char *route_misses(const struct l7_route *r, const struct l7_query *q)
{
	static const char *const path_words[] = { "is not", "does not begin with", "does not begin with", "does not match" };
	const struct l7_cond *c;

	if (!path_matches(r, q))
		return arena_printf(q->scratch, "path %s %s %s", q->path, path_words[r->path_kind], r->path);
	if (!method_matches(r, q))
		return arena_printf(q->scratch, "method is %s", q->rq->method ? q->rq->method : "GET");
	c = cond_failing(&r->headers, q, false);
	if (c)
		return arena_printf(q->scratch, "header %s is %s", c->name, cond_value(c, q, false) ? cond_value(c, q, false) : "not there");
	c = cond_failing(&r->query, q, true);
	if (c)
		return arena_printf(q->scratch, "query parameter %s is %s", c->name, query_value(q, c->name) ? query_value(q, c->name) : "not there");
	return NULL;
}

/* The best route of one key's chain, if it is better than what there is. */
static void probe(const struct route_table *t, uint32_t vhost, enum l7_path kind, uint64_t hash, const struct l7_query *q, uint32_t *best)
{
	const struct l7_vhost *v = &t->vhosts.v[vhost];
	const uint64_t *slot = map_find(&t->by_path, path_key(vhost, kind, hash));
	uint32_t at = slot ? (uint32_t)*slot - 1 : NO_ROUTE;

	for (; at < *best; at = v->routes.v[at].next)
		if (route_matches(&v->routes.v[at], q)) {
			*best = at;
			return;
		}
}

uint32_t vhost_find(const struct route_table *t, uint32_t vhost, const struct l7_query *q)
{
	const struct l7_vhost *v = &t->vhosts.v[vhost];
	uint64_t h = HASH_START;
	uint32_t best = NO_ROUTE, length = 0;

	for (uint32_t i = 0;; i++) {
		char c = q->path[i];

		if (v->has_elements && (c == '/' || c == 0))
			probe(t, vhost, L7_PATH_ELEMENTS, h, q, &best);
		if (length < v->lengths.nr && v->lengths.v[length] == i) {
			probe(t, vhost, L7_PATH_STRING, h, q, &best);
			length++;
		}
		if (!c)
			break;
		h = hash_step(h, c);
	}
	if (v->has_exact)
		probe(t, vhost, L7_PATH_EXACT, h, q, &best);
	for (uint32_t k = 0; k < v->others.nr && v->others.v[k] < best; k++)
		if (route_matches(&v->routes.v[v->others.v[k]], q))
			best = v->others.v[k];
	return best;
}

/* Is this host's best route there? *host becomes the first host that fitted. */
static const struct l7_route *try_host(const struct route_table *t, uint32_t vhost, const struct l7_query *q, const struct l7_vhost **host)
{
	uint32_t at = vhost_find(t, vhost, q);

	if (!*host || at != NO_ROUTE)
		*host = &t->vhosts.v[vhost];
	return at != NO_ROUTE ? &t->vhosts.v[vhost].routes.v[at] : NULL;
}

const struct l7_route *table_find(const struct route_table *t, uint32_t group, const struct l7_query *q, const struct l7_vhost **host)
{
	const struct l7_hosts *g = &t->groups.v[group];
	const struct l7_route *r;
	const uint64_t *at = map_find(&t->by_host, host_key(group, L7_HOST_EXACT, hash_text(q->host, strlen(q->host))));
	const char *dot;

	*host = NULL;
	if (at && streq(t->vhosts.v[*at - 1].pattern, q->host)) {
		r = try_host(t, (uint32_t)*at - 1, q, host);
		if (r || !g->fall_through)
			return r;
	}
	for (dot = strchr(q->host, '.'); dot && dot > q->host; dot = g->one_label ? NULL : strchr(dot + 1, '.')) {
		at = map_find(&t->by_host, host_key(group, L7_HOST_SUFFIX, hash_text(dot, strlen(dot))));
		if (!at || !streq(t->vhosts.v[*at - 1].pattern + 1, dot))
			continue;
		r = try_host(t, (uint32_t)*at - 1, q, host);
		if (r || !g->fall_through)
			return r;
	}
	return g->any == NO_ROUTE ? NULL : try_host(t, g->any, q, host);
}

bool host_matches(const char *pattern, const char *host, bool one_label)
{
	const char *dot;

	switch (host_kind(pattern)) {
	case L7_HOST_ANY:
		return true;
	case L7_HOST_EXACT:
		return strcasecmp(pattern, host) == 0;
	case L7_HOST_SUFFIX:
		break;
	}
	dot = strchr(host, '.');
	if (!dot || dot == host)
		return false;
	if (one_label)
		return strcasecmp(dot, pattern + 1) == 0;
	return strlen(host) > strlen(pattern + 1) && strcasecmp(host + strlen(host) - strlen(pattern + 1), pattern + 1) == 0;
}

int host_rank(const char *pattern)
{
	switch (host_kind(pattern)) {
	case L7_HOST_ANY:
		return 0;
	case L7_HOST_SUFFIX:
		return (int)strlen(pattern);
	case L7_HOST_EXACT:
		break;
	}
	return 1000 + (int)strlen(pattern);
}

static const struct l7_cert *cert_at(const struct route_table *t, uint32_t listener, enum l7_host_kind kind, const char *host)
{
	const uint64_t *at = map_find(&t->by_cert, host_key(listener, kind, hash_text(host, strlen(host))));

	return at ? &t->listeners.v[listener].certs.v[*at - 1] : NULL;
}

const struct l7_cert *table_cert(const struct route_table *t, uint32_t listener, const char *sni, const char **why)
{
	const struct l7_listener *l = &t->listeners.v[listener];
	const struct l7_cert *c = cert_at(t, listener, L7_HOST_EXACT, sni), *first = NULL;
	const char *dot = strchr(sni, '.');

	*why = NULL;
	if (!c && dot)
		c = cert_at(t, listener, L7_HOST_SUFFIX, dot);
	if (c && !c->bad && cert_covers(&c->names, sni))
		return c;
	if (c)
		*why = c->bad ? c->bad : arena_printf(t->arena, "the certificate in Secret %s was not made for %s", c->secret, sni);
	for (uint32_t k = 0; k < l->certs.nr; k++) {
		c = &l->certs.v[k];
		if (c->host || c->bad)
			continue;
		if (cert_covers(&c->names, sni))
			return c;
		first = first ? first : c;
	}
	return t->own_cert ? NULL : first;
}

nsec object_born(const struct object *o)
{
	nsec at;
	const char *given = o->doc ? val_str_at(o->doc, "metadata.creationTimestamp") : NULL;

	return given && time_parse(given, &at) ? at : o->created + ((nsec)1 << 61);
}

bool routes_listen(const struct route_table *t, uint16_t port)
{
	for (uint32_t k = 0; k < t->listeners.nr; k++)
		if (!t->listeners.v[k].dead && t->listeners.v[k].port == port)
			return true;
	return false;
}

const char *routes_name(const struct route_table *t) { return t->name; }

bool routes_serve(const struct route_table *t, const char *host)
{
	for (uint32_t k = 0; k < t->listeners.nr; k++) {
		const struct l7_listener *l = &t->listeners.v[k];
		const struct l7_hosts *g = &t->groups.v[l->group];

		if (l->dead || l->proto == L7_UDP || l->proto == L7_TCP)
			continue;
		if (!host) {
			if (!l->host && (g->dflt || (g->any != NO_ROUTE && t->vhosts.v[g->any].routes.nr)))
				return true;
			continue;
		}
		if (l->host && host_matches(l->host, host, g->one_label))
			return true;
		for (uint32_t i = 0; i < g->vhosts.nr; i++) {
			const struct l7_vhost *v = &t->vhosts.v[g->vhosts.v[i]];

			if (v->kind != L7_HOST_ANY && host_matches(v->pattern, host, g->one_label))
				return true;
		}
	}
	return false;
}
