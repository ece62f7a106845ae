/* The frontend: by which socket a request came, which listener it is for, and its route. The first that fits is taken, as the table's order says: a route is only looked
 * at while none is decided. */
#include "model/l7/haproxy_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

static struct sb *text(struct hap *x) { return &x->out->text; }

/* ---- hosts */

void hap_host_acl(struct hap *x, const char *name, const char *var, const char *pattern, bool one_label)
{
	if (strncmp(pattern, "*.", 2) != 0)
		sb_printf(text(x), "    acl %s var(%s) -m str -- %s\n", name, var, hap_word(x, pattern));
	else
		sb_printf(text(x), "    acl %s var(%s) -m reg -- %s\n", name, var,
			  hap_word(x, arena_printf(x->a, "%s%s$", one_label ? "^[^.]+" : "^[^.].*", hap_literal(x, pattern + 1))));
}

/* ---- sockets and listeners */

static bool serves_port(const struct hap *x, const struct l7_listener *l, uint32_t port)
{
	return !l->dead && l->port == x->plane->ports[port].port && (l->proto == L7_HTTP || l->proto == L7_HTTPS);
}

static bool has_v6(const struct pod *p)
{
	return p && ((ip_set(p->ip) && !ip_is4(p->ip)) || (ip_set(p->ip2) && !ip_is4(p->ip2)));
}

/* What of a port the frontend for requests serves; L7_TCP: nothing. *shared: the port has other listeners beside HTTPS, and who reads the hello hands on. */
static enum l7_proto port_proto(const struct hap *x, uint32_t port, bool *shared)
{
	enum l7_proto out = L7_TCP;

	*shared = false;
	for (uint32_t k = 0; k < x->t->listeners.nr; k++) {
		const struct l7_listener *l = &x->t->listeners.v[k];

		if (out == L7_TCP && serves_port(x, l, port))
			out = (enum l7_proto)l->proto;
		*shared = *shared || (!l->dead && l->port == x->plane->ports[port].port && (l->proto == L7_TLS_PASSTHROUGH || l->proto == L7_TLS_TERMINATE));
	}
	*shared = *shared && out == L7_HTTPS;
	return out;
}

enum { OTHER_FAMILY = 65536 };  /* no two sockets of a frontend have one id */

void hap_bind(struct hap *x, uint32_t port, bool v6, const char *how, const char *how6)
{
	sb_printf(text(x), "    bind :%u%s\n", port, how);
	if (v6)
		sb_printf(text(x), "    bind :::%u v6only%s\n", port, how6);
}

static void binds(struct hap *x, enum l7_proto *proto)
{
	bool v6 = has_v6(x->plane->pod);

	if (x->plane->sidecar)
		sb_add(text(x), "    bind abns@podwire-outbound accept-proxy\n");
	for (uint32_t k = 0; k < x->plane->nr; k++) {
		const struct l7_port *p = &x->plane->ports[k];
		const char *certs;
		bool shared;

		proto[k] = port_proto(x, k, &shared);
		if (x->plane->sidecar || proto[k] == L7_TCP)
			continue;
		certs = proto[k] == L7_HTTPS ? hap_certs(x, p, L7_HTTPS) : NULL;
		if (proto[k] == L7_HTTPS && !certs) {
			sb_printf(text(x), "    # port %u: TLS without a certificate; nobody could finish the handshake\n", p->port);
			proto[k] = L7_TCP;
		} else if (shared) {
			sb_printf(text(x), "    bind abns@podwire-https-%u accept-proxy id %u ssl %s\n", p->port, p->bind, certs);
		} else if (certs) {
			hap_bind(x, p->bind, v6, arena_printf(x->a, " id %u ssl %s", p->bind, certs), arena_printf(x->a, " id %u ssl %s", OTHER_FAMILY + p->bind, certs));
		} else {
			hap_bind(x, p->bind, v6, arena_printf(x->a, " id %u", p->bind), arena_printf(x->a, " id %u", OTHER_FAMILY + p->bind));
		}
	}
}

/* Ports that the frontend for requests has not, or not alone. */
static void stream_ports(struct hap *x)
{
	for (uint32_t k = 0; !x->plane->sidecar && k < x->plane->nr; k++) {
		bool shared;

		if (port_proto(x, k, &shared) == L7_TCP || shared)
			hap_stream_port(x, k, has_v6(x->plane->pod));
	}
}

/* HAProxy reads one line of a header, and has no words for all of them as one value. */
void hap_repeated(struct hap *x, const char *header, const char *where)
{
	hap_refuse(x, "of a header that is given more than once HAProxy compares single lines", arena_printf(x->a, "%s { req.fhdr_cnt(%s) gt 1 }", where, header));
}

static void what_is_asked(struct hap *x, const enum l7_proto *proto)
{
	sb_add(text(x), "\n    http-request set-var(txn.host) req.fhdr(host,1),host_only,lower,regsub(\\.$,)\n");
	if (x->t->normal_paths)         /* its normalize-uri is not nginx' */
		hap_refuse(x, "HAProxy compares paths as they are spelt, nginx in their normal form", " { path -m sub -- // /. % }");
	for (uint32_t k = 0; k < x->plane->nr; k++)
		if (proto[k] == L7_HTTP || proto[k] == L7_HTTPS) {
			const struct l7_port *p = &x->plane->ports[k];

			if (x->plane->sidecar)
				sb_printf(text(x), "    acl on%u dst_port %u\n", p->port, p->port);
			else
				sb_printf(text(x), has_v6(x->plane->pod) ? "    acl on%u so_id %u %u\n" : "    acl on%u so_id %u\n", p->port, p->bind, OTHER_FAMILY + p->bind);
			sb_printf(text(x), "    http-request set-var(txn.port) int(%u) if on%u\n", p->port, p->port);
			sb_printf(text(x), "    http-request set-var(txn.scheme) str(%s) if on%u\n", proto[k] == L7_HTTPS ? "https" : "http", p->port);
		}
}

static int listener_rank(const struct l7_listener *l) { return l->dst ? INT_MAX : host_rank(l->host); }

/* The listeners of one port, the most precise host first. */
static uint32_t listeners_of(struct hap *x, uint32_t port, enum l7_proto proto, uint32_t *out)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < x->t->listeners.nr; k++) {
		uint32_t at = nr;

		if (!serves_port(x, &x->t->listeners.v[k], port) || x->t->listeners.v[k].proto != proto || (x->t->listeners.v[k].host && !hap_fits(x->t->listeners.v[k].host)))
			continue;
		for (; at && listener_rank(&x->t->listeners.v[out[at - 1]]) < listener_rank(&x->t->listeners.v[k]); at--)
			out[at] = out[at - 1];
		out[at] = k;
		nr++;
	}
	return nr;
}

static void find_listener(struct hap *x, const uint32_t *v, uint32_t nr, uint16_t port, const char *var, const char *by)
{
	for (uint32_t k = 0; k < nr; k++) {
		const struct l7_listener *l = &x->t->listeners.v[v[k]];
		const char *acl = arena_printf(x->a, "l%u.%s", v[k], by + 4 /* txn. */);

		if (l->host)
			hap_host_acl(x, acl, by, l->host, x->t->groups.v[l->group].one_label);
		else if (l->dst)
			sb_printf(text(x), "    acl %s dst %s\n", acl, hap_word(x, l->dst));
		sb_printf(text(x), "    http-request set-var(%s) int(%u) if on%u !{ var(%s) -m found }%s%s\n", var, v[k], port, var, l->host || l->dst ? " " : "",
			  l->host || l->dst ? acl : "");
	}
}

static void listeners(struct hap *x, const enum l7_proto *proto)
{
	uint32_t *v = arena_array(x->a, uint32_t, x->t->listeners.nr);

	for (uint32_t k = 0; k < x->plane->nr; k++) {
		uint16_t port = x->plane->ports[k].port;
		uint32_t nr = listeners_of(x, k, proto[k], v);
		bool tls = proto[k] == L7_HTTPS, any = nr && !x->t->listeners.v[v[nr - 1]].host && !x->t->listeners.v[v[nr - 1]].dst;

		if (!nr || proto[k] == L7_TCP)
			continue;
		sb_printf(text(x), "\n    # port %u\n", port);
		if (tls)
			sb_printf(text(x), "    http-request set-var(txn.sni) ssl_fc_sni,lower if on%u\n", port);
		find_listener(x, v, nr, port, "txn.listener", tls ? "txn.sni" : "txn.host");
		if (!any && !x->plane->sidecar)
			sb_printf(text(x), tls ? "    http-request reject if on%u !{ var(txn.listener) -m found }\n" : "    http-request return status 404 if on%u !{ var(txn.listener) -m found }\n",
				  port);
		if (!tls || !x->t->misdirected || (nr == 1 && any))
			continue;
		find_listener(x, v, nr, port, "txn.own", "txn.host");
		sb_printf(text(x), "    http-request return status 404 if on%u !{ var(txn.own) -m found }\n", port);
		sb_printf(text(x), "    http-request return status 421 if on%u !{ var(txn.own),sub(txn.listener) -m int 0 }\n", port);
	}
}

/* ---- when a route is taken */

struct when { struct sb conds; const char *cannot; bool never; };

static void cannot(struct when *w, const char *why) { w->cannot = w->cannot ? w->cannot : why; }

static void path_acl(struct hap *x, const struct l7_route *r, const char *name, struct when *w)
{
	const char *path = r->path, *why;
	size_t n = strlen(path);

	if (!hap_fits(path)) {
		w->never = strlen(path) <= HAP_LONGEST;         /* a control character: no request has one in its path */
		cannot(w, "its path is too long");
		return;
	}
	while (r->path_kind == L7_PATH_ELEMENTS && n && path[n - 1] == '/')
		n--;
	path = arena_strndup(x->a, path, n);
	switch ((enum l7_path)r->path_kind) {
	case L7_PATH_EXACT:
		sb_printf(text(x), "    acl %s.path path -m str -- %s\n", name, hap_word(x, path));
		break;
	case L7_PATH_ELEMENTS:
		if (!n)
			return;
		sb_printf(text(x), "    acl %s.path path -m str -- %s\n", name, hap_word(x, path));
		sb_printf(text(x), "    acl %s.path path -m beg -- %s\n", name, hap_word(x, arena_printf(x->a, "%s/", path)));
		break;
	case L7_PATH_STRING:
		if (!n || streq(path, "/"))
			return;
		sb_printf(text(x), "    acl %s.path path -m beg -- %s\n", name, hap_word(x, path));
		break;
	case L7_PATH_REGEX:
		if (!regex_compile(x->a, path, r->nocase, &why)) {
			cannot(w, "its regular expression is not understood");
			return;
		}
		sb_printf(text(x), "    acl %s.path path -m reg%s -- %s\n", name, r->nocase ? " -i" : "", hap_word(x, arena_printf(x->a, r->search ? "^%s" : "^(?:%s)$", path)));
		break;
	}
	sb_printf(&w->conds, " %s.path", name);
}

static void value_acl(struct hap *x, const struct l7_cond *c, const char *acl, const char *sample, struct when *w)
{
	static const char *const how[] = { [L7_EXACT] = "str", [L7_PREFIX] = "beg", [L7_REGEX] = "reg" };
	const char *value = c->value ? c->value : "";

	if (c->how == L7_PRESENT) {
		sb_printf(text(x), "    acl %s %s -m found\n", acl, sample);
		return;
	}
	if (!hap_fits(value)) {
		cannot(w, "a value that it asks for is too long, or holds control characters");
		return;
	}
	if (c->how == L7_REGEX)
		value = arena_printf(x->a, "^(?:%s)$", value);
	sb_printf(text(x), "    acl %s %s -m %s%s -- %s\n", acl, sample, how[c->how], c->nocase ? " -i" : "", hap_word(x, value));
}

static void cond_acls(struct hap *x, const l7_conds *conds, const char *name, bool query, struct when *w)
{
	for (uint32_t k = 0; k < conds->nr; k++) {
		const struct l7_cond *c = &conds->v[k];
		const char *header = streq(c->name, ":authority") ? "host" : c->name, *acl = arena_printf(x->a, "%s.%s%u", name, query ? "query" : "header", k);

		if (!hap_name(header)) {
			cannot(w, "HAProxy has no words for the name of a header or parameter that it asks for");
			continue;
		}
		value_acl(x, c, acl, arena_printf(x->a, query ? "urlp(%s),url_dec(1)" : "req.fhdr(%s,1)", header), w);
		sb_printf(&w->conds, " %s%s", c->not ? "!" : "", acl);
	}
}

static void method_acl(struct hap *x, const l7_conds *methods, const char *name, struct when *w)
{
	bool not = methods->nr == 1 && methods->v[0].not;

	for (uint32_t k = 0; k < methods->nr; k++) {
		if (methods->v[k].not && methods->nr > 1)
			cannot(w, "several methods of which some are excluded");
		value_acl(x, &methods->v[k], arena_printf(x->a, "%s.method", name), "method", w);
	}
	if (methods->nr)
		sb_printf(&w->conds, " %s%s.method", not ? "!" : "", name);
}

/* ---- routes */

static bool needs_route(const struct l7_action *act)
{
	for (uint32_t k = 0; k < act->filters.nr; k++)
		if (act->filters.v[k].kind == L7_REDIRECT || act->filters.v[k].kind == L7_REWRITE)
			return true;
	for (uint32_t i = 0; i < act->backends.nr; i++)
		if (act->backends.v[i].filters.nr)
			return true;
	return false;
}

/* Routes that do the same share a backend. */
static const char *leaf_of(struct hap *x, const char *name, const struct l7_action *act, const struct l7_route *r, const char *why)
{
	uint64_t key = hash_mix(map_ptr(act), needs_route(act) || why ? map_ptr(r) : 0), *at = map_put(&x->by_action, x->a, key);

	if (!*at) {
		vec_add(x->a, &x->leaves, (struct hap_leaf){ name, act, r, why });
		*at = x->leaves.nr;
	}
	return x->leaves.v[*at - 1].name;
}

static void add_route(struct hap *x, const struct l7_route *r, uint32_t group, const char *host, uint32_t *number)
{
	const char *name = arena_printf(x->a, "r%u", ++*number), *what = hap_object(x, r->cause, r->cause_path);
	const char *where;
	struct when w = { 0 };

	sb_printf(text(x), "    # %s: %s%s\n", hap_comment(x, what), hap_comment(x, r->text ? r->text : r->path), r->never ? " (never: another takes it all)" : "");
	if (r->never)
		return;
	path_acl(x, r, name, &w);
	method_acl(x, &r->methods, name, &w);
	where = arena_printf(x->a, " !decided group%u%s%s%s", group, *host ? " " : "", host, sb_text(&w.conds));
	cond_acls(x, &r->headers, name, false, &w);
	cond_acls(x, &r->query, name, true, &w);
	for (uint32_t k = 0; k < r->headers.nr && !w.never; k++)
		if (hap_name(r->headers.v[k].name))
			hap_repeated(x, r->headers.v[k].name, where);
	if (r->action->canaries.nr && hap_canary_cannot(&r->action->canaries.v[0]))
		cannot(&w, hap_canary_cannot(&r->action->canaries.v[0]));
	if (w.cannot)
		hap_cannot(x, what, w.cannot);
	if (!w.never)
		sb_printf(text(x), "    http-request set-var(txn.route) str(%s) if !decided group%u%s%s%s\n", leaf_of(x, name, r->action, r, w.cannot), group, *host ? " " : "", host,
			  sb_text(&w.conds));
	sb_free(&w.conds);
}

struct ranked { int rank; uint32_t vhost; };

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank != y->rank ? (x->rank > y->rank ? -1 : 1) : x->vhost < y->vhost ? -1 : x->vhost > y->vhost;
}

static void group_routes(struct hap *x, uint32_t group, uint32_t *number)
{
	const struct l7_hosts *g = &x->t->groups.v[group];
	struct ranked *v = arena_array(x->a, struct ranked, g->vhosts.nr);
	const char *otherwise = "none";

	if (g->dflt) {
		struct l7_route *r = arena_make(x->a, struct l7_route);

		*r = (struct l7_route){ .path_kind = L7_PATH_ELEMENTS, .path = "/", .action = g->dflt, .cause = g->dflt_cause, .cause_path = g->dflt_path, .text = "default backend" };
		otherwise = leaf_of(x, arena_printf(x->a, "default%u", group), g->dflt, r, NULL);
	}
	for (uint32_t k = 0; k < g->vhosts.nr; k++)
		v[k] = (struct ranked){ host_rank(x->t->vhosts.v[g->vhosts.v[k]].pattern), g->vhosts.v[k] };
	if (g->vhosts.nr)
		qsort(v, g->vhosts.nr, sizeof(*v), by_rank);
	for (uint32_t k = 0; k < g->vhosts.nr; k++) {
		const struct l7_vhost *h = &x->t->vhosts.v[v[k].vhost];
		const char *acl = h->kind == L7_HOST_ANY ? "" : arena_printf(x->a, "host%u", v[k].vhost);

		sb_printf(text(x), "\n    # host %s\n", hap_comment(x, h->pattern));
		if (!hap_fits(h->pattern)) {            /* no request has such a host */
			hap_cannot(x, arena_printf(x->a, "host %s", hap_comment(x, h->pattern)), "it is too long, or holds control characters");
			continue;
		}
		if (*acl)
			hap_host_acl(x, acl, "txn.host", h->pattern, g->one_label);
		for (uint32_t i = 0; i < h->routes.nr; i++)
			add_route(x, &h->routes.v[i], group, acl, number);
		if (!g->fall_through && *acl)
			sb_printf(text(x), "    http-request set-var(txn.route) str(%s) if !decided group%u %s\n", otherwise, group, acl);
	}
	if (g->dflt)
		sb_printf(text(x), "    http-request set-var(txn.route) str(%s) if !decided group%u\n", otherwise, group);
}

static void routes(struct hap *x)
{
	uint32_t number = 0;

	sb_add(text(x), "\n    acl decided var(txn.route) -m found\n");
	for (uint32_t g = 0; g < x->t->groups.nr; g++) {
		bool used = false;

		for (uint32_t k = 0; k < x->t->listeners.nr; k++)
			if (x->t->listeners.v[k].group == g && !x->t->listeners.v[k].dead && (x->t->listeners.v[k].proto == L7_HTTP || x->t->listeners.v[k].proto == L7_HTTPS)) {
				sb_printf(text(x), "    acl group%u var(txn.listener) -m int %u\n", g, k);
				used = true;
			}
		if (used)
			group_routes(x, g, &number);
	}
	sb_printf(text(x), "\n    http-request set-var(txn.route) str(none) if !decided%s\n", x->plane->sidecar ? " { var(txn.listener) -m found }" : "");
}

/* What the proxy tells the backend of the client (act.c forwarded). */
static void forwarded(struct hap *x)
{
	sb_add(text(x), "\n    # of the client, for the backend\n");
	if (x->t->keeps_forwarded) {
		sb_add(text(x), "    http-request set-header X-Forwarded-Proto %[var(txn.scheme)]\n");
		return;
	}
	if (!x->t->replace_forwarded) {
		hap_repeated(x, "x-forwarded-for", "");
		sb_add(text(x), "    acl forwarded req.fhdr(x-forwarded-for,1) -m found\n"
				"    http-request set-header X-Forwarded-For '%[req.fhdr(x-forwarded-for,1)], %[src]' if forwarded\n"
				"    http-request set-header X-Forwarded-For %[src] if !forwarded\n"
				"    http-request set-header X-Forwarded-Proto %[var(txn.scheme)]\n");
		return;
	}
	sb_add(text(x), "    http-request set-header X-Forwarded-For %[src]\n"
			"    http-request set-header X-Forwarded-Proto %[var(txn.scheme)]\n"
			"    http-request set-header X-Forwarded-Host %[req.fhdr(host,1)]\n"
			"    http-request set-header X-Forwarded-Port %[var(txn.port)]\n"
			"    http-request set-header X-Forwarded-Scheme %[var(txn.scheme)]\n"
			"    http-request set-header X-Scheme %[var(txn.scheme)]\n"
			"    http-request set-header X-Real-IP %[src]\n");
}

/* ---- all of it */

static void head(struct hap *x, struct sb *out)
{
	sb_printf(out, "# HAProxy 2.6 as %s", hap_comment(x, x->t->name));
	if (x->plane->pod)
		sb_printf(out, ", in Pod %s/%s", x->plane->pod->o.ns, x->plane->pod->o.name);
	sb_addc(out, '\n');
	if (x->plane->left_out)
		hap_cannot(x, hap_comment(x, x->plane->left_out), "another table has the same ports of the same Pods");
	for (uint32_t k = 0; k < x->out->cannot.nr; k++)
		sb_printf(out, "%s#   %s\n", k ? "" : "# Not done as the table says (such a request is answered 501, or the part is left out):\n", hap_comment(x, x->out->cannot.v[k]));
	sb_add(out, "global\n"
		    "    nbthread 1\n"
		    "    maxconn 1000\n"
		    "    hard-stop-after 5s\n");
	if (x->delays)
		sb_printf(out, "    lua-load %s/delay.lua\n", x->dir);
	if (x->plane->sidecar)
		sb_printf(out, "    uid %u\n    gid %u\n", x->plane->sidecar->uid, x->plane->sidecar->gid);
	sb_add(out, "\n"
		    "defaults proxy\n"
		    "    mode http\n"
		    "    timeout connect 2s\n"
		    "    timeout client 60s\n"
		    "    timeout server 60s\n"
		    "    retries 0\n");
	sb_add(out, "\n"
		    "defaults endpoints from proxy\n");
	if (x->plane->envoy)
		sb_add(out, "    # whatever goes wrong on the way to an endpoint is 503\n"
			    "    http-response set-var(txn.answered) int(1)\n"
			    "    http-after-response set-status 503 if { status 502 504 } !{ var(txn.answered) -m found }\n");
	else
		sb_add(out, "    # a connection to an endpoint that was refused is 502, one that nobody answered 504\n"
			    "    http-request set-var(txn.began) date(0,ms)\n"
			    "    http-response set-var(txn.answered) int(1)\n"
			    "    http-after-response set-status 502 if { status 503 } !{ var(txn.answered) -m found } { date(0,ms),sub(txn.began) lt 1900 }\n"
			    "    http-after-response set-status 504 if { status 503 } !{ var(txn.answered) -m found } { date(0,ms),sub(txn.began) ge 1900 }\n");
}

void haproxy_write(const struct l7_plane *p, const char *dir, struct arena *a, struct haproxy_conf *out)
{
	struct hap x = { .plane = p, .t = p->table, .a = a, .dir = dir, .out = out };
	enum l7_proto *proto = arena_array(a, enum l7_proto, p->nr);
	struct sb all = { 0 };

	*out = (struct haproxy_conf){ 0 };
	if (p->sidecar)
		hap_sidecar(&x, has_v6(p->pod));
	sb_add(text(&x), "\nfrontend requests from proxy\n");
	binds(&x, proto);
	what_is_asked(&x, proto);
	listeners(&x, proto);
	routes(&x);
	hap_gate_requests(&x);
	forwarded(&x);
	hap_choices(&x);
	sb_printf(text(&x), "\n    use_backend %%[var(txn.route)]%s\n", p->sidecar ? " if decided" : "");
	if (p->sidecar)
		hap_sidecar_unknown(&x);
	hap_backends(&x);
	if (p->sidecar)
		hap_sidecar_backends(&x);
	stream_ports(&x);
	hap_stream_end(&x);
	if (x.delays)
		vec_add(a, &out->files, (struct haproxy_file){ "delay.lua", "core.register_action(\"podwire_delay\", { \"http-req\" }, function(txn, milliseconds)\n"
								     "\tcore.msleep(tonumber(milliseconds))\nend, 1)\n" });
	head(&x, &all);
	sb_add(&all, sb_text(text(&x)));
	sb_free(text(&x));
	out->text = all;
}

void haproxy_free(struct haproxy_conf *c) { sb_free(&c->text); }

const char *haproxy_dir(const struct l7_plane *p, struct arena *a)
{
	const char *both = arena_printf(a, "%s.%s%s", p->pod->o.ns, p->pod->o.name, p->beside ? "..sidecar" : "");

	return hap_name(both) && both[0] != '.' ? arena_printf(a, HAPROXY_DIR "/%s", both) : arena_printf(a, HAPROXY_DIR "/pod-%08x", fnv32a(both, strlen(both)));
}

void haproxy_print(const struct l7_plane *p, struct sb *out, struct arena *a)
{
	struct haproxy_conf c;

	haproxy_write(p, haproxy_dir(p, a), a, &c);
	sb_add(out, sb_text(&c.text));
	for (uint32_t k = 0; k < c.files.nr; k++) {
		sb_printf(out, "\n# %s\n", c.files.v[k].name);
		for (const char *line = c.files.v[k].text; *line; line += strcspn(line, "\n") + 1)
			sb_printf(out, "#   %.*s\n", (int)strcspn(line, "\n"), line);
	}
	haproxy_free(&c);
}
