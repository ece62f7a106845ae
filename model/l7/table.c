/* A routing table's hosts and paths, by hash. A path is walked once, character by character; at each slash the beginning so far is looked up, so that
 * the cost grows with the length of the request and not with the number of rules. */
#include "model/l7/table.h"

#include <ctype.h>
#include <stdarg.h>
#include <strings.h>

#include "model/base/quantity.h"

#define NONE UINT32_MAX
#define HASH_START 0xcbf29ce484222325ull

static inline uint64_t hash_step(uint64_t h, char c) { return (h ^ (uint8_t)c) * 0x100000001b3ull; }

static uint64_t hash_text(const char *s, size_t n)
{
	uint64_t h = HASH_START;

	for (size_t k = 0; k < n; k++)
		h = hash_step(h, s[k]);
	return h;
}

static inline uint64_t path_key(uint32_t vhost, enum l7_path kind, uint64_t h) { return hash_mix(h, (uint64_t)vhost << 2 | (uint64_t)kind); }
static inline uint64_t host_key(uint32_t group, enum l7_host_kind kind, uint64_t h) { return hash_mix(h, 1ull << 40 | (uint64_t)group << 2 | (uint64_t)kind); }

/* ---- writing */

static uint32_t vhost_find(const struct route_table *, uint32_t vhost, const struct l7_query *);

struct route_table *table_new(struct cluster *c, struct arena *a, const char *name, const char *controller)
{
	struct route_table *t = arena_make(a, struct route_table);

	t->arena = a;
	t->cluster = c;
	t->name = arena_strdup(a, name);
	t->controller = controller ? arena_strdup(a, controller) : NULL;
	t->server = t->name;
	header_reading(t);
	return t;
}

uint32_t table_group(struct route_table *t, bool one_label, bool fall_through)
{
	vec_add(t->arena, &t->groups, (struct l7_hosts){ .one_label = one_label, .fall_through = fall_through, .any = NONE });
	return t->groups.nr - 1;
}

struct l7_listener *table_listener(struct route_table *t, const char *name, uint16_t port, enum l7_proto proto, uint32_t group)
{
	struct l7_listener *l = vec_push(t->arena, &t->listeners);

	l->name = name ? arena_strdup(t->arena, name) : NULL;
	l->port = port;
	l->proto = (uint8_t)proto;
	l->group = group;
	return l;
}

static enum l7_host_kind host_kind(const char *pattern)
{
	return !pattern || !*pattern || streq(pattern, "*") ? L7_HOST_ANY : strncmp(pattern, "*.", 2) == 0 ? L7_HOST_SUFFIX : L7_HOST_EXACT;
}

struct l7_vhost *table_vhost(struct route_table *t, uint32_t group, const char *pattern)
{
	enum l7_host_kind kind = host_kind(pattern);
	char *lower = arena_strdup(t->arena, kind == L7_HOST_ANY ? "*" : pattern);
	const char *text = lower + (kind == L7_HOST_SUFFIX);
	struct l7_vhost *v;
	uint64_t *at;

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	at = map_put(&t->by_host, t->arena, host_key(group, kind, hash_text(text, strlen(text))));
	if (*at)
		return &t->vhosts.v[*at - 1];
	v = vec_push(t->arena, &t->vhosts);
	*at = t->vhosts.nr;
	v->kind = (uint8_t)kind;
	v->group = group;
	v->pattern = lower;
	vec_add(t->arena, &t->groups.v[group].vhosts, t->vhosts.nr - 1);
	if (kind == L7_HOST_ANY)
		t->groups.v[group].any = t->vhosts.nr - 1;
	return v;
}

struct l7_route *table_route(struct route_table *t, struct l7_vhost *v, enum l7_path kind, const char *path)
{
	struct l7_route *r = vec_push(t->arena, &v->routes);

	r->path_kind = (uint8_t)kind;
	r->path = arena_strdup(t->arena, path);
	r->next = NONE;
	return r;
}

void table_finding(struct route_table *t, bool error, obj_h object, const char *path, const char *fmt, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vec_add(t->arena, &t->findings, (struct l7_finding){ error, arena_strdup(t->arena, text), object, path ? arena_strdup(t->arena, path) : NULL });
}

/* What of a path is looked up: an element prefix without its last slash. */
static size_t key_length(const struct l7_route *r)
{
	size_t n = strlen(r->path);

	while (r->path_kind == L7_PATH_ELEMENTS && n && r->path[n - 1] == '/')
		n--;
	return n;
}

static void add_length(struct route_table *t, struct l7_vhost *v, uint32_t n)
{
	uint32_t at = 0;

	while (at < v->lengths.nr && v->lengths.v[at] < n)
		at++;
	if (at < v->lengths.nr && v->lengths.v[at] == n)
		return;
	vec_push(t->arena, &v->lengths);
	memmove(&v->lengths.v[at + 1], &v->lengths.v[at], (v->lengths.nr - 1 - at) * sizeof(uint32_t));
	v->lengths.v[at] = n;
}

static bool conds_weaker(const l7_conds *a, const l7_conds *b)
{
	for (uint32_t i = 0; i < a->nr; i++) {
		bool there = false;

		for (uint32_t k = 0; k < b->nr && !there; k++)
			there = strcasecmp(a->v[i].name ? a->v[i].name : "", b->v[k].name ? b->v[k].name : "") == 0 && a->v[i].how == b->v[k].how &&
				a->v[i].not == b->v[k].not && streq(a->v[i].value, b->v[k].value);
		if (!there)
			return false;
	}
	return true;
}

/* Does `a`, of the same path and before `b`, take all that b could? */
static bool covers(const struct l7_route *a, const struct l7_route *b)
{
	return a->path_kind == b->path_kind && key_length(a) == key_length(b) && conds_weaker(&a->headers, &b->headers) &&
	       conds_weaker(&a->query, &b->query) && (a->methods.nr == 0 || (b->methods.nr && conds_weaker(&b->methods, &a->methods)));
}

static void index_route(struct route_table *t, uint32_t vhost, uint32_t at)
{
	struct l7_vhost *v = &t->vhosts.v[vhost];
	struct l7_route *r = &v->routes.v[at], *before;
	size_t n = key_length(r);
	uint64_t *slot;

	if (r->path_kind == L7_PATH_REGEX) {
		vec_add(t->arena, &v->others, at);
		for (uint32_t k = 0; k + 1 < v->others.nr && !r->never; k++)
			r->never = streq(v->routes.v[v->others.v[k]].path, r->path) && covers(&v->routes.v[v->others.v[k]], r);
		return;
	}
	if (r->path_kind == L7_PATH_STRING)
		add_length(t, v, (uint32_t)n);
	v->has_elements = v->has_elements || r->path_kind == L7_PATH_ELEMENTS;
	v->has_exact = v->has_exact || r->path_kind == L7_PATH_EXACT;
	slot = map_put(&t->by_path, t->arena, path_key(vhost, (enum l7_path)r->path_kind, hash_text(r->path, n)));
	if (!*slot) {
		*slot = at + 1;
		return;
	}
	for (before = &v->routes.v[*slot - 1];; before = &v->routes.v[before->next]) {
		r->never = r->never || (strncmp(before->path, r->path, n) == 0 && covers(before, r));
		if (before->next == NONE)
			break;
	}
	before->next = at;
}

static void index_certs(struct route_table *t, uint32_t listener)
{
	const struct l7_listener *l = &t->listeners.v[listener];

	for (uint32_t k = 0; k < l->certs.nr; k++) {
		const char *host = l->certs.v[k].host;
		enum l7_host_kind kind = host_kind(host);
		uint64_t *at;

		if (kind == L7_HOST_ANY)
			continue;
		host += kind == L7_HOST_SUFFIX;
		at = map_put(&t->by_cert, t->arena, host_key(listener, kind, hash_text(host, strlen(host))));
		if (!*at)
			*at = k + 1;
	}
}

static bool unconditional(const struct l7_route *r) { return !r->methods.nr && !r->headers.nr && !r->query.nr; }

/* An Exact path that another route takes before it: Prefix /foo/ is longer than Exact /foo. */
static void find_shadowed(struct route_table *t, uint32_t vhost, struct arena *scratch)
{
	struct l7_vhost *v = &t->vhosts.v[vhost];

	for (uint32_t k = 0; k < v->routes.nr; k++) {
		struct http_request rq = { .method = "GET", .host = "", .path = v->routes.v[k].path };
		struct arena_mark mark = arena_mark(scratch);
		struct l7_query q;
		uint32_t best;

		if (v->routes.v[k].path_kind != L7_PATH_EXACT || v->routes.v[k].never || (!v->has_elements && !v->lengths.nr && !v->others.nr))
			continue;
		q = query_make(&rq, scratch);
		best = vhost_find(t, vhost, &q);
		v->routes.v[k].never = best < k && unconditional(&v->routes.v[best]);
		arena_rewind(scratch, mark);
	}
}

void table_finish(struct route_table *t)
{
	struct arena *scratch = arena_new(NULL, "table");

	for (uint32_t k = 0; k < t->vhosts.nr; k++)
		for (uint32_t i = 0; i < t->vhosts.v[k].routes.nr; i++)
			index_route(t, k, i);
	for (uint32_t k = 0; k < t->vhosts.nr; k++)
		find_shadowed(t, k, scratch);
	for (uint32_t k = 0; k < t->listeners.nr; k++)
		index_certs(t, k);
	arena_free(scratch);
}

/* ---- looking */

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
		bool holds = value_matches(c, cond_value(c, q, query), q->scratch) || (!query && q->repeats == L7_REPEATS_ANY && any_matches(c, q));

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
	uint32_t at = slot ? (uint32_t)*slot - 1 : NONE;

	for (; at < *best; at = v->routes.v[at].next)
		if (route_matches(&v->routes.v[at], q)) {
			*best = at;
			return;
		}
}

static uint32_t vhost_find(const struct route_table *t, uint32_t vhost, const struct l7_query *q)
{
	const struct l7_vhost *v = &t->vhosts.v[vhost];
	uint64_t h = HASH_START;
	uint32_t best = NONE, length = 0;

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

	if (!*host || at != NONE)
		*host = &t->vhosts.v[vhost];
	return at != NONE ? &t->vhosts.v[vhost].routes.v[at] : NULL;
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
	return g->any == NONE ? NULL : try_host(t, g->any, q, host);
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
			if (!l->host && (g->dflt || (g->any != NONE && t->vhosts.v[g->any].routes.nr)))
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
