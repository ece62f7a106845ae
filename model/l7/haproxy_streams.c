/* Connections that are not read: TCP, TLS that is passed through (by the name in its hello), and TLS that ends here while what it held is passed on. A port of TLS may have all of
 * these and HTTPS as well: one frontend looks at the hello and hands the connection on (PROXY protocol) to who ends it. What has no backend is cut off. */
#include "model/l7/haproxy_parts.h"

static struct sb *text(struct hap *x) { return &x->out->text; }

static uint64_t total_of(const struct l7_action *act)
{
	return act->unknown || act->direct ? 0 : hap_total_weight(act);
}

/* Each of several draws among what is left. */
void hap_stream_use(struct hap *x, const char *name, const struct l7_action *act, const char *cond)
{
	uint64_t left = total_of(act);
	const char *when = *cond ? " if " : "";

	x->cuts = x->cuts || !left;
	if (!left)
		sb_printf(text(x), "    use_backend cut.off%s%s\n", when, cond);
	for (uint32_t k = 0; left && k < act->backends.nr; k++) {
		uint64_t own = act->backends.v[k].weight;

		if (own && own < left)
			sb_printf(text(x), "    use_backend %s.%u if %s%s{ rand(%llu) lt %llu }\n", name, k, cond, *cond ? " " : "", (unsigned long long)left, (unsigned long long)own);
		else if (own)
			sb_printf(text(x), "    use_backend %s.%u%s%s\n", name, k, when, cond);
		left -= own;
	}
}

static void servers(struct hap *x, const struct l7_ref *r)
{
	const char *colon = r->upstream ? strrchr(r->upstream, ':') : NULL;
	struct http_endpoint *e;
	uint32_t nr = 0;
	ip_addr ip;

	if (r->why) {
		sb_printf(text(x), "    # %s\n", hap_comment(x, r->why));
		return;
	}
	if (r->as_sent) {
		sb_add(text(x), "    server sent 0.0.0.0\n");
		return;
	}
	if (colon) {
		if (ip_parse(arena_strndup(x->a, r->upstream, (size_t)(colon - r->upstream)), &ip))
			sb_printf(text(x), ip_is4(ip) ? "    server outside %s%s\n" : "    server outside [%s]%s\n", IP(ip), colon);
		else
			hap_cannot(x, r->upstream, "lies outside the cluster: connections to it are cut off");
		return;
	}
	e = r->service ? service_endpoints(x->t->cluster, r->service, r->port, r->subset, x->a, &nr) : NULL;
	if (!nr)
		sb_add(text(x), "    # no ready endpoint\n");
	else
		sb_add(text(x), "    balance roundrobin\n");
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(text(x), ip_is4(e[k].ip) ? "    server e%u %s:%u%s\n" : "    server e%u [%s]:%u%s\n", k, IP(e[k].ip), e[k].port, hap_mutual(x, r->service, e[k].ip, e[k].port));
}

void hap_stream_backends(struct hap *x, const char *name, const struct l7_action *act, const char *what)
{
	if (act->unknown)
		hap_cannot(x, what, act->unknown);
	for (uint32_t k = 0; total_of(act) && k < act->backends.nr; k++) {
		const struct l7_ref *r = &act->backends.v[k].ref;

		if (!act->backends.v[k].weight)
			continue;
		sb_printf(text(x), "\nbackend %s.%u from proxy\n    # %s", name, k, hap_comment(x, what));
		if (r->service)
			sb_printf(text(x), ": Service %s/%s, port %d", hap_comment(x, r->ns), hap_comment(x, r->name), r->port);
		sb_add(text(x), "\n    mode tcp\n");
		servers(x, r);
	}
}

/* ---- a Gateway's ports */

static bool on_port(const struct hap *x, const struct l7_listener *l, uint32_t port)
{
	return !l->dead && l->port == x->plane->ports[port].port && l->proto != L7_UDP && l->proto != L7_NO_PROTO;
}

/* The routes of a listener: the most precise name first. sample: the name; NULL: none is known. */
static void use_routes(struct hap *x, uint32_t listener, const char *when, const char *sample)
{
	const struct l7_hosts *g = &x->t->groups.v[x->t->listeners.v[listener].group];
	uint32_t *order = arena_array(x->a, uint32_t, g->vhosts.nr), nr = 0;

	for (uint32_t k = 0; k < g->vhosts.nr; k++) {
		uint32_t at = nr++;

		for (; at && host_rank(x->t->vhosts.v[order[at - 1]].pattern) < host_rank(x->t->vhosts.v[g->vhosts.v[k]].pattern); at--)
			order[at] = order[at - 1];
		order[at] = g->vhosts.v[k];
	}
	for (uint32_t k = 0; k < nr; k++) {
		const struct l7_vhost *h = &x->t->vhosts.v[order[k]];
		const char *acl = arena_printf(x->a, "l%u.name%u", listener, order[k]), *cond = when;

		if (!h->routes.nr || !hap_fits(h->pattern) || (h->kind != L7_HOST_ANY && !sample))
			continue;
		if (h->kind != L7_HOST_ANY) {
			hap_host_acl(x, acl, sample, h->pattern, false);
			cond = arena_printf(x->a, "%s%s%s", when, *when ? " " : "", acl);
		}
		sb_printf(text(x), "    # %s: %s\n", hap_comment(x, hap_object(x, h->routes.v[0].cause, h->routes.v[0].cause_path)), hap_comment(x, h->routes.v[0].text ? h->routes.v[0].text : ""));
		hap_stream_use(x, arena_printf(x->a, "stream%u.%u", listener, order[k]), h->routes.v[0].action, cond);
	}
}

static void backends_of(struct hap *x, uint32_t listener)
{
	const struct l7_hosts *g = &x->t->groups.v[x->t->listeners.v[listener].group];

	for (uint32_t k = 0; k < g->vhosts.nr; k++) {
		const struct l7_vhost *h = &x->t->vhosts.v[g->vhosts.v[k]];

		if (h->routes.nr && hap_fits(h->pattern))
			hap_stream_backends(x, arena_printf(x->a, "stream%u.%u", listener, g->vhosts.v[k]), h->routes.v[0].action,
					    hap_object(x, h->routes.v[0].cause, h->routes.v[0].cause_path));
	}
}

/* The listeners of a port, the most precise name first. */
static uint32_t listeners_of(struct hap *x, uint32_t port, uint32_t *out)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < x->t->listeners.nr; k++) {
		uint32_t at = nr;

		if (!on_port(x, &x->t->listeners.v[k], port))
			continue;
		for (; at && host_rank(x->t->listeners.v[out[at - 1]].host) < host_rank(x->t->listeners.v[k].host); at--)
			out[at] = out[at - 1];
		out[at] = k;
		nr++;
	}
	return nr;
}

static void ends_here(struct hap *x, uint32_t port, uint32_t listener)
{
	const struct l7_port *p = &x->plane->ports[port];
	const char *certs = hap_certs(x, p, L7_TLS_TERMINATE);

	if (!certs)
		return;
	sb_printf(text(x), "\nfrontend ends%u from proxy\n    mode tcp\n    bind abns@podwire-ends-%u accept-proxy ssl %s\n    tcp-request inspect-delay 2s\n"
			   "    tcp-request content set-var(sess.name) ssl_fc_sni,lower\n", listener, listener, certs);
	use_routes(x, listener, "", "sess.name");
	sb_add(text(x), "    default_backend cut.off\n");
	sb_printf(text(x), "\nbackend to.ends%u from proxy\n    mode tcp\n    server here abns@podwire-ends-%u send-proxy-v2\n", listener, listener);
}

static void tls_port(struct hap *x, uint32_t port, const uint32_t *v, uint32_t nr)
{
	bool https = false;

	sb_add(text(x), "    tcp-request inspect-delay 2s\n    tcp-request content reject if !{ req.ssl_hello_type 1 }\n    tcp-request content set-var(sess.name) req.ssl_sni,lower\n");
	for (uint32_t k = 0; k < nr; k++) {
		const struct l7_listener *l = &x->t->listeners.v[v[k]];
		const char *acl = arena_printf(x->a, "l%u.host", v[k]);

		if (l->host && !hap_fits(l->host))
			continue;
		if (l->host)
			hap_host_acl(x, acl, "sess.name", l->host, false);
		sb_printf(text(x), "    tcp-request content set-var(sess.listener) int(%u) if !{ var(sess.listener) -m found }%s%s\n", v[k], l->host ? " " : "", l->host ? acl : "");
		https = https || l->proto == L7_HTTPS;
	}
	for (uint32_t k = 0; k < nr; k++) {
		const struct l7_listener *l = &x->t->listeners.v[v[k]];
		const char *here = arena_printf(x->a, "{ var(sess.listener) -m int %u }", v[k]);

		if (l->unknown)
			hap_cannot(x, arena_printf(x->a, "port %u", l->port), l->unknown);
		if (l->proto == L7_HTTPS)
			sb_printf(text(x), "    use_backend to.https%u if %s\n", x->plane->ports[port].port, here);
		else if (l->proto == L7_TLS_TERMINATE)
			sb_printf(text(x), "    use_backend to.ends%u if %s\n", v[k], here);
		else
			use_routes(x, v[k], here, "sess.name");
	}
	sb_add(text(x), "    default_backend cut.off\n");
	if (https)
		sb_printf(text(x), "\nbackend to.https%u from proxy\n    mode tcp\n    server here abns@podwire-https-%u send-proxy-v2\n", x->plane->ports[port].port, x->plane->ports[port].port);
}

void hap_stream_port(struct hap *x, uint32_t port, bool v6)
{
	const struct l7_port *p = &x->plane->ports[port];
	uint32_t *v = arena_array(x->a, uint32_t, x->t->listeners.nr), nr = listeners_of(x, port, v);

	if (!nr) {
		sb_printf(text(x), "\n# port %u: UDP, or nothing that HAProxy can be\n", p->port);
		hap_cannot(x, arena_printf(x->a, "port %u", p->port), "UDP: HAProxy passes no datagrams on");
		return;
	}
	x->cuts = true;
	sb_printf(text(x), "\nfrontend stream%u from proxy\n    mode tcp\n", p->port);
	hap_bind(x, p->bind, v6, "", "");
	if (x->t->listeners.v[v[0]].proto != L7_HTTPS)
		hap_gate_connections(x, p);
	if (x->t->listeners.v[v[0]].proto == L7_TCP) {
		use_routes(x, v[0], "", NULL);
		sb_add(text(x), "    default_backend cut.off\n");
	} else {
		tls_port(x, port, v, nr);
	}
	for (uint32_t k = 0; k < nr; k++) {
		if (x->t->listeners.v[v[k]].proto == L7_HTTPS)
			continue;
		if (x->t->listeners.v[v[k]].proto == L7_TLS_TERMINATE)
			ends_here(x, port, v[k]);
		backends_of(x, v[k]);
	}
}

void hap_stream_end(struct hap *x)
{
	if (x->cuts)
		sb_add(text(x), "\n# a backend without a server ends connections\nbackend cut.off from proxy\n    mode tcp\n");
}
