/* When a route of a Gateway takes a request: its matches as routes of the table, and the precedence among them. An HTTPRoute's are paths, methods, headers, queries;
 * a GRPCRoute's are service and method, which are the path of a gRPC request (gRPC over HTTP/2: /SERVICE/METHOD); TLSRoute, TCPRoute, UDPRoute take whole connections. */
#include "model/l7/gateway_parts.h"

#include <stdlib.h>
#include <strings.h>

static const struct route_match *match_of(const struct gw_entry *e)
{
	static const struct route_match any = { .path = { .type = "PathPrefix", .value = "/" } };

	return e->match == UINT32_MAX ? &any : &e->at->route->rules.v[e->rule].matches.v[e->match];
}

/* ---- paths */

static bool is_regex(const char *type) { return streq(type, "RegularExpression"); }

/* Without a method any of the service's, without a service that method of any (implementation-specific; Istio and Envoy Gateway take it so). */
static void grpc_path(struct gw_entry *e, const struct grpc_match *m, struct arena *a)
{
	const char *service = m->service && *m->service ? m->service : NULL, *method = m->method && *m->method ? m->method : NULL;

	e->service = service ? strlen(service) : 0;
	e->method = method ? strlen(method) : 0;
	if (is_regex(m->type) || !service) {
		e->kind = L7_PATH_REGEX;
		e->path = is_regex(m->type) ? arena_printf(a, "/(%s)/(%s)", service ? service : "[^/]+", method ? method : "[^/]+")
					    : arena_printf(a, "/[^/]+/%s", method ? regex_literal(a, method) : "[^/]+");
	} else {
		e->kind = method ? L7_PATH_EXACT : L7_PATH_STRING;
		e->path = arena_printf(a, "/%s/%s", service, method ? method : "");
	}
}

static void entry_path(struct gw_entry *e, struct arena *a)
{
	const struct kind *kind = e->at->route->o.kind;
	const struct route_match *m = match_of(e);

	e->kind = L7_PATH_STRING;
	e->path = "";
	if (kind == &grpc_route_kind && m->grpc) {
		grpc_path(e, m->grpc, a);
	} else if (kind == &http_route_kind) {
		e->kind = streq(m->path.type, "Exact") ? L7_PATH_EXACT : is_regex(m->path.type) ? L7_PATH_REGEX : L7_PATH_ELEMENTS;
		e->path = m->path.value ? m->path.value : "/";
	}
}

struct gw_entry gw_entry_make(const char *host, const struct gw_attachment *at, uint32_t rule, uint32_t match, const struct l7_action *act, struct arena *a)
{
	struct gw_entry e = { .host = host, .at = at, .rule = rule, .match = match, .born = object_born(&at->route->o), .action = act };

	entry_path(&e, a);
	return e;
}

/* ---- precedence */

static int larger_first(size_t a, size_t b) { return a > b ? -1 : a < b; }

/* HTTPRouteRule.matches: path, method, headers, query. */
static int http_order(const struct gw_entry *x, const struct gw_entry *y)
{
	static const int rank[] = { [L7_PATH_EXACT] = 0, [L7_PATH_REGEX] = 1, [L7_PATH_ELEMENTS] = 2, [L7_PATH_STRING] = 3 };
	const struct route_match *a = match_of(x), *b = match_of(y);
	int order = rank[x->kind] - rank[y->kind];

	order = order ? order : larger_first(strlen(x->path), strlen(y->path));
	order = order ? order : larger_first(a->method != NULL, b->method != NULL);
	order = order ? order : larger_first(a->headers.nr, b->headers.nr);
	return order ? order : larger_first(a->query.nr, b->query.nr);
}

/* GRPCRouteRule.matches: characters in the service, in the method, headers. */
static int grpc_order(const struct gw_entry *x, const struct gw_entry *y)
{
	int order = larger_first(x->service, y->service);

	order = order ? order : larger_first(x->method, y->method);
	return order ? order : larger_first(match_of(x)->headers.nr, match_of(y)->headers.nr);
}

int gw_entry_order(const void *px, const void *py)
{
	const struct gw_entry *x = px, *y = py;
	const struct object *p = &x->at->route->o, *q = &y->at->route->o;
	int order = strcmp(x->host, y->host);

	if (!order && p->kind != q->kind)       /* the routes of a Service as parent: they are not merged */
		order = p->kind == &grpc_route_kind ? -1 : 1;
	if (!order && p->kind == &http_route_kind)
		order = http_order(x, y);
	else if (!order && p->kind == &grpc_route_kind)
		order = grpc_order(x, y);
	order = order ? order : (x->born > y->born) - (x->born < y->born);
	order = order ? order : str_order(p->ns, q->ns);
	order = order ? order : str_order(p->name, q->name);
	order = order ? order : (x->rule > y->rule) - (x->rule < y->rule);
	return order ? order : (x->match > y->match) - (x->match < y->match);
}

/* ---- into the table */

static const char *add_cond(struct arena *a, l7_conds *out, const struct header_match *m, bool header)
{
	struct l7_cond c = { .name = m->name ? m->name : "", .value = m->value ? m->value : "", .how = L7_EXACT };
	const char *why = NULL;

	for (uint32_t i = 0; i < out->nr; i++)  /* of equivalent names only the first entry counts */
		if ((header ? strcasecmp : strcmp)(out->v[i].name, c.name) == 0)
			return NULL;
	if (is_regex(m->type)) {
		c.re = regex_compile(a, m->value ? m->value : "", false, &why);
		c.how = c.re ? L7_REGEX : L7_PRESENT;
	}
	vec_add(a, out, c);
	return why;
}

static const char *path_words(const struct gw_entry *e, struct arena *a)
{
	static const char *const types[] = { [L7_PATH_EXACT] = "Exact", [L7_PATH_ELEMENTS] = "PathPrefix", [L7_PATH_REGEX] = "RegularExpression", [L7_PATH_STRING] = "" };
	const struct kind *kind = e->at->route->o.kind;
	const struct grpc_match *m = match_of(e)->grpc;

	if (kind == &http_route_kind)
		return arena_printf(a, "%s %s", types[e->kind], e->path);
	if (kind == &udp_route_kind)
		return "any datagram";
	if (kind != &grpc_route_kind)
		return "any connection";
	if (!m)
		return "gRPC, any method";
	return arena_printf(a, "gRPC %s%s, method %s", is_regex(m->type) ? "RegularExpression " : "", e->service ? m->service : "any service", e->method ? m->method : "any");
}

static const char *words(const struct gw_entry *e, struct arena *a)
{
	const struct route_match *m = match_of(e);
	const char *out = path_words(e, a);

	if (m->method)
		out = arena_printf(a, "%s, method %s", out, m->method);
	for (uint32_t i = 0; i < m->headers.nr; i++)
		out = arena_printf(a, "%s, header %s=%s", out, m->headers.v[i].name, m->headers.v[i].value);
	for (uint32_t i = 0; i < m->query.nr; i++)
		out = arena_printf(a, "%s, query %s=%s", out, m->query.v[i].name, m->query.v[i].value);
	return out;
}

/* A route whose expression is not understood takes all that it might: the answer is then unknown, not that of a lesser route. */
static void cannot_tell(struct route_table *t, struct l7_route *r, const char *why)
{
	struct l7_action *act = arena_make(t->arena, struct l7_action);

	act->unknown = arena_printf(t->arena, "a regular expression of %s is not understood: %s", r->text, why);
	r->action = act;
	if (r->path_kind == L7_PATH_REGEX && !r->re) {
		r->re = regex_compile(t->arena, "", false, NULL);
		r->search = true;
	}
	table_finding(t, true, r->cause, r->cause_path, "%s", act->unknown);
}

void gw_entry_add(struct route_table *t, uint32_t group, const struct gw_entry *e)
{
	const struct route_match *m = match_of(e);
	struct l7_route *r = table_route(t, table_vhost(t, group, e->host), e->kind, e->path);
	const char *why = NULL, *bad;

	r->action = e->action;
	r->cause = e->at->route->o.id;
	r->cause_path = e->match == UINT32_MAX ? arena_printf(t->arena, "spec.rules[%u]", e->rule) : arena_printf(t->arena, "spec.rules[%u].matches[%u]", e->rule, e->match);
	r->text = words(e, t->arena);
	if (r->path_kind == L7_PATH_REGEX)
		r->re = regex_compile(t->arena, r->path, false, &why);
	if (m->method)
		vec_add(t->arena, &r->methods, (struct l7_cond){ .name = "method", .value = m->method });
	for (uint32_t i = 0; i < m->headers.nr; i++)
		why = (bad = add_cond(t->arena, &r->headers, &m->headers.v[i], true)) ? bad : why;
	for (uint32_t i = 0; i < m->query.nr; i++)
		why = (bad = add_cond(t->arena, &r->query, &m->query.v[i], false)) ? bad : why;
	if (why)
		cannot_tell(t, r, why);
}
