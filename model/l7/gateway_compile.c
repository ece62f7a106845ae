/* Routes → the routing table of one Gateway. Every match of every rule becomes a route under each hostname that it serves (gateway_match.c); what a rule does is
 * its action. */
#include "model/l7/gateway_parts.h"
#include "model/l7/mesh_routes.h"

#include <stdlib.h>

#include "model/base/quantity.h"

typedef VEC(struct gw_entry) entries;
struct compiling { struct route_table *t; struct cluster *c; struct arena *a; const struct gw_state *s; /* NULL: for the mesh */ };

/* ---- filters */

static struct l7_path_change change_of(const struct path_modifier *p)
{
	if (!p)
		return (struct l7_path_change){ L7_KEEP, NULL, NULL };
	if (streq(p->type, "ReplaceFullPath"))
		return (struct l7_path_change){ L7_FULL, p->full ? p->full : "/", NULL };
	return (struct l7_path_change){ L7_PREFIX_MATCH, p->prefix ? p->prefix : "", NULL };
}

static struct http_pair *pairs(struct compiling *k, const struct http_header *v, uint32_t nr)
{
	struct http_pair *out = arena_array(k->a, struct http_pair, nr);

	for (uint32_t i = 0; i < nr; i++)
		out[i] = (struct http_pair){ v[i].name ? v[i].name : "", v[i].value ? v[i].value : "" };
	return out;
}

static struct l7_header_mod headers_of(struct compiling *k, const struct header_mod *m)
{
	struct l7_header_mod out = { .set = pairs(k, m->set.v, m->set.nr), .nr_set = m->set.nr, .add = pairs(k, m->add.v, m->add.nr), .nr_add = m->add.nr };
	const char **remove = arena_array(k->a, const char *, m->remove.nr);

	for (uint32_t i = 0; i < m->remove.nr; i++)
		remove[i] = m->remove.v[i];
	out.remove = remove;
	out.nr_remove = m->remove.nr;
	return out;
}

static struct l7_ref ref_of(struct compiling *k, const struct gw_route *r, const struct secret_ref *ref, struct opt_int port)
{
	struct l7_ref out = gateway_ref(k->c, r, !k->s, ref->group, ref->kind, ref->ns, ref->name, port, k->a, NULL);

	gw_backend_tls(k->c, &out, k->a);
	return out;
}

static void filter_of(struct compiling *k, const struct gw_route *r, const struct route_filter *f, struct l7_filter *out)
{
	*out = (struct l7_filter){ 0 };
	if (f->request) {
		out->kind = L7_REQUEST_HEADERS;
		out->headers = headers_of(k, f->request);
	} else if (f->response) {
		out->kind = L7_RESPONSE_HEADERS;
		out->headers = headers_of(k, f->response);
	} else if (f->redirect) {
		out->kind = L7_REDIRECT;
		out->redirect = (struct l7_redirect){ f->redirect->scheme, f->redirect->hostname, f->redirect->port.set ? f->redirect->port.v : 0,
						      f->redirect->status.set ? f->redirect->status.v : 302, change_of(f->redirect->path), false };
	} else if (f->rewrite) {
		out->kind = L7_REWRITE;
		out->rewrite = (struct l7_rewrite){ f->rewrite->hostname, change_of(f->rewrite->path) };
	} else if (f->mirror) {
		out->kind = L7_MIRROR;
		out->num = (uint64_t)MAX(f->mirror->fraction ? f->mirror->fraction->numerator : f->mirror->percent.set ? f->mirror->percent.v : 100, 0);
		out->den = (uint64_t)MAX(f->mirror->fraction && f->mirror->fraction->denominator.set ? f->mirror->fraction->denominator.v : 100, 1);
		out->mirror = ref_of(k, r, &f->mirror->ref, f->mirror->port);
	} else if (f->cors) {
		struct l7_cors *cors = arena_make(k->a, struct l7_cors);

		*cors = (struct l7_cors){ .origins = f->cors->origins, .methods = f->cors->methods, .headers = f->cors->headers, .expose = f->cors->expose,
					  .credentials = f->cors->credentials == TRI_TRUE, .max_age = f->cors->max_age.set ? f->cors->max_age.v : 5 };
		out->kind = L7_CORS;
		out->cors = cors;
	} else {
		out->kind = L7_UNKNOWN;
		out->unknown = arena_printf(k->a, "filters of type %s are not modelled", f->type ? f->type : "(none)");
	}
}

static void add_filters(struct compiling *k, const struct gw_route *r, const struct route_filter *v, uint32_t nr, l7_filters *out)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct l7_filter f;

		filter_of(k, r, &v[i], &f);
		vec_add(k->a, out, f);
	}
}

/* ---- timeouts, retries, sessions */

static const struct l7_patience *patience_of(struct compiling *k, const struct route_rule *rule)
{
	struct l7_patience *p = rule->timeouts || rule->retry ? arena_make(k->a, struct l7_patience) : NULL;
	const struct val *codes = val_get(rule->retry, "codes");
	int *list = p && codes ? arena_array(k->a, int, codes->nr) : NULL;
	uint32_t nr = 0;

	if (!p)
		return NULL;
	VAL_EACH(code, codes)
		list[nr++] = val_is(code, VAL_INT) ? (int)code->i : 0;
	*p = (struct l7_patience){ .request = duration_or_none(val_str_at(rule->timeouts, "request")), .attempt = duration_or_none(val_str_at(rule->timeouts, "backendRequest")),
				   .retries = rule->retry != NULL, .attempts = (int32_t)MIN(MAX(val_int_or(val_get(rule->retry, "attempts"), 0), 0), INT32_MAX),
				   .attempts_said = val_get(rule->retry, "attempts") != NULL, .backoff = duration_or_none(val_str_at(rule->retry, "backoff")), .codes = list, .nr_codes = nr };
	return p;
}

static const struct l7_session *session_of(struct compiling *k, const struct route_rule *rule)
{
	struct l7_session *s = rule->session ? arena_make(k->a, struct l7_session) : NULL;

	if (!s)
		return NULL;
	s->header = streq(val_str_at(rule->session, "type"), "Header");
	s->name = val_str_at(rule->session, s->header ? "header.name" : "cookie.name");
	s->name = s->name ? s->name : val_str_at(rule->session, "sessionName");
	return s;
}

static const struct l7_action *action_of(struct compiling *k, const struct gw_route *r, uint32_t rule)
{
	struct l7_action *act = arena_make(k->a, struct l7_action);
	const struct route_rule *spec = &r->rules.v[rule];
	const char *without = r->o.kind == &grpc_route_kind ? "UNAVAILABLE" : "500";

	act->stream = r->o.kind != &http_route_kind && r->o.kind != &grpc_route_kind;
	act->without = r->o.kind == &grpc_route_kind ? 503 : 500;
	act->patience = patience_of(k, spec);
	if (!act->stream && (!k->s || streq(k->s->controller, MESH_CONTROLLER)))
		act->patience = mesh_patience_of_route(act->patience, k->a);
	act->session = session_of(k, spec);
	if (!k->s && r->o.kind == &tls_route_kind)
		act->unknown = arena_printf(k->a, "TLSRoute %s/%s is for a Service, which is not modelled", r->o.ns, r->o.name);
	add_filters(k, r, spec->filters.v, spec->filters.nr, &act->filters);
	for (uint32_t i = 0; i < spec->backends.nr; i++) {
		const struct backend_ref *b = &spec->backends.v[i];
		struct secret_ref ref = { b->group, b->kind, b->ns, b->name };
		struct l7_backend to = { .ref = ref_of(k, r, &ref, b->port), .weight = b->weight.set ? (uint64_t)MAX(b->weight.v, 0) : 1 };

		add_filters(k, r, b->filters.v, b->filters.nr, &to.filters);
		if (to.ref.why)
			table_finding(k->t, true, r->o.id, arena_printf(k->a, "spec.rules[%u].backendRefs[%u]", rule, i), "%s: %s",
				      to.ref.why, act->stream ? "its share of connections is rejected" : arena_printf(k->a, "its share of requests is answered %s", without));
		vec_add(k->a, &act->backends, to);
	}
	return act;
}

static void add_rules(struct compiling *k, const struct gw_attachment *at, const char *const *hosts, uint32_t nr_hosts, entries *out)
{
	for (uint32_t rule = 0; rule < at->route->rules.nr; rule++) {
		const struct l7_action *act = action_of(k, at->route, rule);
		uint32_t matches = at->route->rules.v[rule].matches.nr;

		for (uint32_t h = 0; h < nr_hosts; h++)
			for (uint32_t m = 0; m < MAX(matches, 1u); m++)
				vec_add(k->a, out, gw_entry_make(hosts[h], at, rule, matches ? m : UINT32_MAX, act, k->a));
	}
}

static void gather_for_service(struct compiling *k, const struct gw_route *r, const struct service *s, int32_t port, str ns, entries *out)
{
	static const char *const any[] = { "*" };

	for (uint32_t i = 0; r->o.ns == ns && i < r->parents.nr; i++) {
		const struct parent_ref *p = &r->parents.v[i];
		struct gw_attachment *at;

		if (!gateway_service_parent(p) || !streq(p->name, s->o.name) || (p->ns ? p->ns : r->o.ns) != s->o.ns || (p->port.set && p->port.v != port))
			continue;
		at = arena_make(k->a, struct gw_attachment);
		*at = (struct gw_attachment){ .route = r, .parent = p, .parent_index = i };
		add_rules(k, at, any, 1, out);
	}
}

static void gather(struct compiling *k, uint32_t listener, entries *out)
{
	for (uint32_t i = 0; i < k->s->nr_routes; i++) {
		const struct gw_attachment *at = &k->s->routes[i];
		struct host_set hosts;

		if (!gw_attaches(k->s, i, listener))
			continue;
		hosts = hosts_intersect(k->s->listeners[listener].spec->hostname, &at->route->hostnames, k->a);
		add_rules(k, at, hosts.v, hosts.nr, out);
	}
}

static void add_listener(struct compiling *k, const struct gw_listener_state *l)
{
	uint32_t group = table_group(k->t, false, true);
	struct l7_listener *to = table_listener(k->t, l->spec->name, (uint16_t)l->spec->port, l->proto, group);
	entries all = { 0 };

	to->host = l->spec->hostname && *l->spec->hostname ? l->spec->hostname : NULL;
	to->cause = l->owner->id;
	to->cause_path = arena_printf(k->a, "spec.listeners[%u]", l->index);
	if (!l->programmed.yes || !k->s->accepted.yes) {
		to->dead = l->programmed.yes ? k->s->accepted.message : l->programmed.message;
		table_finding(k->t, true, to->cause, to->cause_path, "listener %s is not programmed: %s", l->spec->name, to->dead);
	}
	to->client_certificates = l->client_certificates;
	to->client_ca = l->client_ca;
	for (uint32_t i = 0; i < l->nr_certs; i++)
		vec_add(k->a, &to->certs, l->certs[i]);
	gather(k, (uint32_t)(l - k->s->listeners), &all);
	if (all.nr)
		qsort(all.v, all.nr, sizeof(*all.v), gw_entry_order);
	for (uint32_t i = 0; i < all.nr; i++)
		gw_entry_add(k->t, group, &all.v[i]);
}

/* A Service as parent (the mesh's routes): those of the client's namespace, else those of the Service's own. */
bool gateway_add_service_routes(struct route_table *t, uint32_t group, const struct service *s, int32_t port, str client_ns, const struct kind *const *of)
{
	struct compiling k = { t, t->cluster, t->arena, NULL };
	const str where[] = { client_ns, s->o.ns };
	entries found = { 0 };

	for (int step = 0; step < 2 && !found.nr; step++)
		for (size_t n = 0; of[n]; n++) {
			struct object_list all = cluster_list(t->cluster, of[n]);

			for (uint32_t i = 0; i < all.nr; i++)
				gather_for_service(&k, (const struct gw_route *)all.v[i], s, port, where[step], &found);
		}
	if (found.nr)
		qsort(found.v, found.nr, sizeof(*found.v), gw_entry_order);
	for (uint32_t i = 0; i < found.nr; i++)
		gw_entry_add(k.t, group, &found.v[i]);
	return found.nr > 0;
}

static const struct pod *pod_in(struct cluster *c, const struct gateway *gw, str ns, struct arena *a)
{
	struct object_list all = cluster_list_ns(c, &deployment_kind, ns), pods = cluster_list_ns(c, &pod_kind, ns);
	const char *name = arena_printf(a, "%s/%s", gw->o.ns, gw->o.name);

	for (uint32_t i = 0; i < all.nr; i++)
		for (uint32_t k = 0; k < pods.nr && streq(label_get(&all.v[i]->annotations, GATEWAY_ANNOTATION), name); k++)
			if (controller_has(all.v[i], (const struct pod *)pods.v[k]))
				return (const struct pod *)pods.v[k];
	return NULL;
}

/* One of its own Pods, as Istio makes them: beside the Gateway. A stand-in that --controller gave lives elsewhere, and has what policies are there. */
static const struct pod *pod_of(struct cluster *c, const struct gateway *gw, struct arena *a)
{
	const struct pod *own = pod_in(c, gw, gw->o.ns, a), *other = own ? NULL : pod_in(c, gw, cluster_str(c, CONTROLLER_NS), a);
	struct pod *moved;

	if (!other)
		return own;
	moved = arena_make(a, struct pod);
	*moved = *other;
	moved->o.ns = gw->o.ns;
	return moved;
}

struct route_table *routes_compile_gateway(struct cluster *c, const struct gateway *gw, struct arena *a)
{
	struct gw_state s = gateway_state(c, gw, a);
	struct route_table *t = table_new(c, a, arena_printf(a, "gateway %s/%s", gw->o.ns, gw->o.name), s.controller);
	struct compiling k = { t, c, a, &s };

	t->misdirected = true;
	t->gate = streq(s.controller, MESH_CONTROLLER) ? pod_of(c, gw, a) : NULL;
	for (uint32_t i = 0; i < s.nr; i++)
		add_listener(&k, &s.listeners[i]);
	for (uint32_t i = 0; i < s.nr_routes; i++)
		if (!s.routes[i].accepted.yes)
			table_finding(t, true, s.routes[i].route->o.id, arena_printf(a, "spec.parentRefs[%u]", s.routes[i].parent_index), "not attached to %s: %s", t->name,
				      s.routes[i].accepted.message);
	table_finish(t);
	return t;
}
