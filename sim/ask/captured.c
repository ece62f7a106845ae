#include "sim/ask/captured.h"

#include <stdlib.h>

struct captured_end { netns_h node; ip_addr ip; uint16_t port; bool has_ip, outside; };

static netns_h node_named(const struct dataplane *dp, const char *name, struct err *err)
{
	netns_h found = { 0 };

	for (uint32_t k = 1; k < dp->netns.nr; k++)
		if (!name || streq(netns_get(dp, (netns_h){ k })->hostname, name))
			found = found.i ? found : (netns_h){ k };
	if (!found.i) {
		struct sb all = { 0 };

		for (uint32_t k = 1; k < dp->netns.nr; k++)
			sb_printf(&all, "%s%s", k > 1 ? ", " : "", netns_get(dp, (netns_h){ k })->hostname);
		err_add(err, ERR_FAILED, NULL, "nodes \"%s\" not found in the capture; it has %s", name, sb_text(&all));
		sb_free(&all);
	}
	return found;
}

/* ADDR, ADDR:PORT, [ADDR]:PORT */
static bool address_of(const char *s, struct captured_end *e)
{
	const char *close = *s == '[' ? strchr(s, ']') : NULL, *colon = close ? (close[1] == ':' ? close + 1 : NULL) : strrchr(s, ':');
	size_t n = close ? (size_t)(close - s - 1) : colon ? (size_t)(colon - s) : strlen(s);
	char *end;
	long port;

	e->has_ip = true;
	if (!close && ip_parse(s, &e->ip))
		return true;
	if (!ip_parse_n(s + (close != NULL), n, &e->ip) || !colon)
		return false;
	port = strtol(colon + 1, &end, 10);
	e->port = (uint16_t)port;
	return !*end && colon[1] && port > 0 && port < 65536;
}

static bool node_end(const struct dataplane *dp, const char *s, struct captured_end *e, struct err *err)
{
	const char *colon = strchr(s, ':');
	char name[256], *end;
	long port;

	snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - s) : (int)strlen(s), s);
	if (colon) {
		port = strtol(colon + 1, &end, 10);
		if (*end || !colon[1] || port < 1 || port > 65535)
			return err_add(err, ERR_INPUT, NULL, "\"%s\": \"%s\" is not a port", s, colon + 1);
		e->port = (uint16_t)port;
	}
	e->node = node_named(dp, name[0] == '/' ? name + 1 : NULL, err);
	return e->node.i != 0;
}

static bool parse(const struct dataplane *dp, const char *text, struct captured_end *e, struct err *err)
{
	char copy[256], *at;

	*e = (struct captured_end){ 0 };
	snprintf(copy, sizeof(copy), "%s", text);
	if (strncmp(text, "node", 4) == 0 && (!text[4] || text[4] == '/' || text[4] == ':'))
		return node_end(dp, text + 4, e, err);
	if (strcmp(text, "client") == 0 || strcmp(text, "external") == 0) {
		e->ip = ip_from4(0xcb00710a);           /* 203.0.113.10, as everywhere */
		e->has_ip = e->outside = true;
		return true;
	}
	at = strchr(copy, '@');
	if (at) {
		*at = '\0';
		e->node = node_named(dp, at + 1, err);
		if (!e->node.i)
			return false;
	}
	e->outside = strncmp(copy, "client/", 7) == 0;
	if (address_of(copy + (e->outside ? 7 : strncmp(copy, "ip/", 3) == 0 ? 3 : 0), e))
		return true;
	return err_add(err, ERR_INPUT, NULL, "\"%s\": in a capture there are no objects; ends are node[/NAME][:PORT], ip/ADDR[@NODE], client[/ADDR] and ADDR:PORT", text);
}

/* The first address of a node that is neither loopback nor link-local; of the family, if there is one. */
static ip_addr address_of_node(const struct dataplane *dp, netns_h h, bool v6)
{
	const struct netns *ns = netns_get(dp, h);

	for (int pass = 0; pass < 2; pass++)
		for (uint32_t k = 0; k < ns->links.nr; k++) {
			const struct link *l = link_get(dp, netns_link(ns, k));

			if (pass == 0 && ns->uplink.i && ns->links.at + k != ns->uplink.i)
				continue;
			for (uint32_t i = 0; i < l->nr_addrs; i++) {
				ip_addr a = dp->addrs.v[l->addr + i].ip;

				if (!ip_is_loopback(a) && !ip_is_linklocal(a) && ip_is4(a) != v6)
					return a;
			}
		}
	return (ip_addr){ 0, 0 };
}

static netns_h owner_of(const struct dataplane *dp, ip_addr ip)
{
	for (uint32_t k = 1; k < dp->netns.nr; k++)
		if (addr_link(dp, (netns_h){ k }, ip).i)
			return (netns_h){ k };
	return (netns_h){ 0 };
}

/* By which interface it comes in: as asked, or where the way back to the source leads. 0: cannot tell. */
static bool way_in(const struct dataplane *dp, netns_h node, ip_addr src, const char *iface, link_h *in, struct err *err)
{
	struct flow_key back = { .dst = src };
	const char *why = NULL;
	struct route r;

	*in = (link_h){ 0 };
	if (iface) {
		*in = link_find(dp, node, iface);
		return in->i || err_add(err, ERR_FAILED, NULL, "--in: %s has no interface \"%s\" in the capture", netns_get(dp, node)->name, iface);
	}
	if (route_lookup_flow(dp, node, &back, &r, &why) > 0 && r.type == RT_UNICAST)
		*in = r.dev;
	return true;
}

bool captured_ask(struct world *w, const struct question *q, const char *iface, struct arena *a, struct answer *out, struct err *err)
{
	const struct dataplane *dp = w->dp;
	struct captured_end from, to;
	struct walk_from p = { .df = q->df };
	struct trace t;
	struct flows *flows;

	*out = (struct answer){ .q = q };
	if (!parse(dp, q->from, &from, err) || !parse(dp, q->to, &to, err))
		return false;
	if (!to.has_ip) {
		to.ip = address_of_node(dp, to.node, q->v6 || (from.has_ip && !ip_is4(from.ip)));
		if (!ip_set(to.ip))
			return err_add(err, ERR_UNKNOWN, NULL, "\"%s\": the capture holds no address of it (ip addr); --node-ip can tell one", q->to);
	}
	if (!to.port && q->proto != PROTO_ICMP)
		return err_add(err, ERR_INPUT, NULL, "\"%s\": which port? name it as %s:80, or ask with --protocol icmp", q->to, q->to);
	if (from.has_ip && !ip_is4(from.ip) != !ip_is4(to.ip))
		return err_add(err, ERR_INPUT, NULL, "%s and %s are of different families", q->from, q->to);
	if (!from.node.i)
		from.node = from.has_ip && owner_of(dp, from.ip).i ? owner_of(dp, from.ip) : from.outside && owner_of(dp, to.ip).i ? owner_of(dp, to.ip) : node_named(dp, NULL, err);
	out->source = (struct source){ .netns = from.node, .ip = from.has_ip ? from.ip : (ip_addr){ 0, 0 }, .kind = from.has_ip ? "Address" : "Node" };
	if (from.has_ip && !addr_is_local(dp, from.node, from.ip)) {
		out->source.enters = true;
		if (!way_in(dp, from.node, from.ip, iface, &out->source.in, err))
			return false;
	}
	out->target = to.ip;
	out->port = to.port;
	p.from = from.node;
	p.enters = out->source.enters;
	p.in = out->source.in;
	p.t = (struct tuple){ .src = out->source.ip, .dst = to.ip, .dport = to.port, .proto = q->proto == PROTO_ICMP && !ip_is4(to.ip) ? PROTO_ICMPV6 : q->proto };
	p.size = q->size ? q->size + (ip_is4(to.ip) ? 20u : 40u) + (q->proto == PROTO_TCP ? 20u : 8u) : 0;
	p.icmp_type = q->proto == PROTO_ICMP ? (ip_is4(to.ip) ? 8 : 128) : 0;
	flows = flows_new(a, 0, cluster_seed(w->cluster));
	t = walk(dp, flows, &p, q->flags, a);
	out->v = arena_array(a, struct outcome_view, t.nr);
	out->nr = t.nr;
	for (uint32_t k = 0; k < t.nr; k++)
		out->v[k] = outcome_view_of(w, &t.v[k], (struct frac){ 1, 1 });
	return true;
}
