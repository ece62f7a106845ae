/* Ingress → routing table, as the API's text says: the most precise host first; among its paths the longest, then Exact before Prefix. What the API
 * leaves to controllers follows most of them: 503 for a backend that is missing or empty, 404 where nothing matches, the oldest Ingress on a conflict. */
#include "model/l7/ingress.h"

#include <stdlib.h>

#include "model/l7/controllers.h"

enum { RANK_EXACT, RANK_PREFIX, RANK_SPECIFIC, RANK_DEFAULT };

/* One path of one rule, before it is put in order. */
struct claim {
	const char *host, *path;
	uint32_t length, age, seq;              /* characters of the path; place of the Ingress by age; place in the text */
	uint8_t rank;
	const struct ingress *ing;
	const struct ing_backend *backend;
	const char *at;
};
typedef VEC(struct claim) claims;

static int by_precedence(const void *x, const void *y)
{
	const struct claim *a = x, *b = y;
	int order = strcmp(a->host, b->host);

	if (order)
		return order;
	if ((a->rank == RANK_DEFAULT) != (b->rank == RANK_DEFAULT))
		return a->rank == RANK_DEFAULT ? 1 : -1;
	if (a->length != b->length)
		return a->length > b->length ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	order = strcmp(a->path, b->path);
	if (order)
		return order;
	return a->age != b->age ? (a->age < b->age ? -1 : 1) : a->seq < b->seq ? -1 : a->seq > b->seq;
}

static struct l7_ref bad_ref(struct l7_ref r, const char *why)
{
	r.status = 503;
	r.why = why;
	return r;
}

/* An ExternalName is dialled by its name (ingress-nginx getEndpointsFromSlices; never loopback); the port is the target port, or without ports the number asked for. */
static struct l7_ref external_ref(struct l7_ref r, const struct service *s, const struct svc_port *sp, int32_t number, struct arena *a)
{
	int32_t port = sp && sp->target.set && !sp->target.s ? sp->target.i : sp ? sp->port : number;
	ip_addr ip;

	if (!s->external_name || streq(s->external_name, "localhost") || (ip_parse(s->external_name, &ip) && ip_is_loopback(ip)))
		return bad_ref(r, "an ExternalName that is the proxy itself is refused");
	r.port = sp ? sp->port : number;
	r.upstream = arena_printf(a, "%s:%d", s->external_name, port);
	return r;
}

struct l7_ref ingress_ref(struct cluster *c, str ns, const struct ing_backend *b, struct arena *a)
{
	struct l7_ref r = { .ns = ns };
	const struct svc_port *sp = NULL;

	if (!b->service)
		return bad_ref(r, arena_printf(a, "a resource backend (%s %s) is served by no controller that podwire knows", b->resource && b->resource->kind ? b->resource->kind : "?",
					       b->resource && b->resource->name ? b->resource->name : "?"));
	r.name = b->service->name;
	r.port = b->service->port;
	r.service = find_service(c, ns, r.name);
	if (!r.service)
		return bad_ref(r, arena_printf(a, "Service %s/%s does not exist", ns, r.name));
	for (uint32_t k = 0; k < r.service->ports.nr && !sp; k++)
		if (b->service->port_name ? streq(r.service->ports.v[k].name, b->service->port_name) : r.service->ports.v[k].port == b->service->port)
			sp = &r.service->ports.v[k];
	if (r.service->type == SVC_EXTERNALNAME && (sp || !b->service->port_name))
		return external_ref(r, r.service, sp, b->service->port, a);
	if (!sp)
		return bad_ref(r, b->service->port_name ? arena_printf(a, "Service %s/%s has no port named %s", ns, r.name, b->service->port_name)
							: arena_printf(a, "Service %s/%s has no port %d", ns, r.name, b->service->port));
	r.port = sp->port;
	return r;
}

static const struct l7_action *action_to(struct route_table *t, const struct ingress *ing, const struct ing_backend *b, const char *at)
{
	struct l7_action *act = arena_make(t->arena, struct l7_action);
	struct l7_backend *to = vec_push(t->arena, &act->backends);

	to->weight = 1;
	to->ref = ingress_ref(t->cluster, ing->o.ns, b, t->arena);
	if (to->ref.why)
		table_finding(t, true, ing->o.id, at, "%s: requests are answered %d", to->ref.why, to->ref.status);
	return act;
}

static uint8_t rank_of(const struct ing_path *p)
{
	return streq(p->type, "Exact") ? RANK_EXACT : streq(p->type, "Prefix") ? RANK_PREFIX : RANK_SPECIFIC;
}

static void claim_rule(struct route_table *t, claims *out, const struct ingress *ing, uint32_t age, uint32_t i, uint32_t group)
{
	const struct ing_rule *rule = &ing->rules.v[i];
	const char *host = rule->host && *rule->host ? rule->host : "*";

	table_vhost(t, group, host);            /* even without paths: the host is this Ingress' */
	for (uint32_t k = 0; k < rule->paths.nr; k++) {
		const struct ing_path *p = &rule->paths.v[k];
		const char *path = p->path && *p->path ? p->path : "/";

		vec_add(t->arena, out, (struct claim){ .host = host, .path = path, .length = (uint32_t)strlen(path), .age = age, .seq = i << 16 | k, .rank = rank_of(p),
						       .ing = ing, .backend = &p->backend, .at = arena_printf(t->arena, "spec.rules[%u].http.paths[%u]", i, k) });
	}
	if (ing->dflt_backend)                  /* what no path takes: the Ingress' own default backend */
		vec_add(t->arena, out, (struct claim){ .host = host, .path = "/", .length = 0, .age = age, .seq = i << 16 | 0xffff, .rank = RANK_DEFAULT, .ing = ing,
						       .backend = ing->dflt_backend, .at = "spec.defaultBackend" });
}

static const char *claim_text(struct route_table *t, const struct claim *c)
{
	static const char *const words[] = { "Exact", "Prefix", "ImplementationSpecific", "default backend for" };

	return arena_printf(t->arena, "%s %s", words[c->rank], c->path);
}

static void add_claim(struct route_table *t, uint32_t group, const struct claim *c)
{
	const struct l7_action *act = action_to(t, c->ing, c->backend, c->at);
	struct l7_route *r = table_route(t, table_vhost(t, group, c->host), c->rank == RANK_EXACT ? L7_PATH_EXACT : L7_PATH_ELEMENTS, c->path);

	r->action = act;
	r->cause = c->ing->o.id;
	r->cause_path = c->at;
	r->text = claim_text(t, c);
}

static void set_default(struct route_table *t, uint32_t group, const struct ingress *ing)
{
	struct l7_hosts *g = &t->groups.v[group];

	if (!ing->dflt_backend)
		return;
	if (g->dflt) {
		if (!ing->rules.nr)
			table_finding(t, false, ing->o.id, "spec.defaultBackend", "an older Ingress is the default backend already: this one takes nothing");
		return;
	}
	g->dflt = action_to(t, ing, ing->dflt_backend, "spec.defaultBackend");
	g->dflt_cause = ing->o.id;
	g->dflt_path = "spec.defaultBackend";
}

static void compile(struct route_table *t, uint32_t group, const struct served *s)
{
	claims all = { 0 };

	for (uint32_t k = 0; k < s->nr; k++) {
		for (uint32_t i = 0; i < s->v[k]->rules.nr; i++)
			claim_rule(t, &all, s->v[k], k, i, group);
		set_default(t, group, s->v[k]);
	}
	if (all.nr)
		qsort(all.v, all.nr, sizeof(*all.v), by_precedence);
	for (uint32_t k = 0; k < all.nr; k++)
		add_claim(t, group, &all.v[k]);
}

/* ---- TLS */

static bool rule_for(const struct ingress *ing, const char *host)
{
	for (uint32_t k = 0; k < ing->rules.nr; k++)
		if (!ing->rules.v[k].host || !*ing->rules.v[k].host || host_matches(ing->rules.v[k].host, host, true) || streq(ing->rules.v[k].host, host))
			return true;
	return false;
}

static void add_cert(struct route_table *t, struct l7_listener *l, const struct ingress *ing, uint32_t i)
{
	const struct ing_tls *tls = &ing->tls.v[i];
	const struct secret *s = tls->secret ? (const struct secret *)cluster_find(t->cluster, &secret_kind, ing->o.ns, tls->secret) : NULL;
	const char *at = arena_printf(t->arena, "spec.tls[%u]", i), *why = NULL;
	struct l7_cert cert = { .secret = tls->secret ? arena_printf(t->arena, "%s/%s", ing->o.ns, tls->secret) : NULL };

	if (!tls->secret)
		cert.bad = "no Secret is named";
	else if (!s)
		cert.bad = arena_printf(t->arena, "Secret %s does not exist", cert.secret);
	else if (!cert_of_secret(s, t->arena, &cert.names, &why))
		cert.bad = arena_printf(t->arena, "Secret %s %s", cert.secret, why);
	if (cert.bad && tls->secret)
		table_finding(t, true, ing->o.id, at, "%s: the controller shows its own certificate", cert.bad);
	for (uint32_t k = 0; k < tls->hosts.nr; k++) {
		cert.host = tls->hosts.v[k];
		vec_add(t->arena, &l->certs, cert);
		if (!cert.bad && !cert_covers(&cert.names, cert.host))
			table_finding(t, true, ing->o.id, at, "the certificate in Secret %s was not made for %s", cert.secret, cert.host);
		if (!rule_for(ing, cert.host))
			table_finding(t, false, ing->o.id, at, "host %s has a certificate, but no rule of this Ingress is for it", cert.host);
	}
	cert.host = NULL;
	if (!tls->hosts.nr)
		vec_add(t->arena, &l->certs, cert);
}

void ingress_certs(struct route_table *t, uint32_t listener, const struct served *s)
{
	for (uint32_t k = 0; k < s->nr; k++)
		for (uint32_t i = 0; i < s->v[k]->tls.nr; i++)
			add_cert(t, &t->listeners.v[listener], s->v[k], i);
}

struct route_table *routes_compile_ingress(struct cluster *c, const char *controller, struct arena *a)
{
	const struct l7_controller *who = controller_find(c, controller, a);
	struct route_table *t = table_new(c, a, arena_printf(a, "controller %s", controller), controller);
	bool nginx = who ? who->nginx : streq(controller, INGRESS_NGINX);
	uint32_t group = table_group(t, true, false);
	struct served s = ingresses_served(c, controller, a);

	t->own_cert = true;
	t->replace_forwarded = nginx;
	t->normal_paths = nginx;
	if (nginx) {
		t->repeats = L7_REPEATS_COMMA_SPACE;
		t->second_host = L7_HOST_REFUSED;
	}
	table_listener(t, NULL, 80, L7_HTTP, group);
	table_listener(t, NULL, 443, L7_HTTPS, group);
	if (nginx)
		s = nginx_reads(t, &s, who);
	ingress_certs(t, 1, &s);
	if (nginx)
		nginx_compile(t, group, &s, who);
	else
		compile(t, group, &s);
	table_finish(t);
	return t;
}
