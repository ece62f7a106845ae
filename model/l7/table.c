/* A routing table is written: listeners, hosts, routes in the order of their precedence; then its indexes are built, and routes found that can never match. */
#include "model/l7/table_keys.h"

#include <ctype.h>
#include <stdarg.h>
#include <strings.h>

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
	vec_add(t->arena, &t->groups, (struct l7_hosts){ .one_label = one_label, .fall_through = fall_through, .any = NO_ROUTE });
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
	r->next = NO_ROUTE;
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
		if (before->next == NO_ROUTE)
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
