/* Which endpoints: Services and EndpointSlices joined by port name and protocol, and what a node may use of them. */
#include <stdlib.h>

#include "model/dataplane/kube_proxy.h"
#include "model/dataplane/packet.h"

bool kp_externally_accessible(const struct kp_port *p)
{
	return p->node_port || p->nr_external_ips || p->nr_lb_ips;
}

/* Even with external policy Local, Cluster endpoints are needed for short-circuiting. */
bool kp_uses_cluster(const struct kp_port *p)
{
	return !p->internal_local || kp_externally_accessible(p);
}

bool kp_uses_local(const struct kp_port *p)
{
	return p->internal_local || (p->external_local && kp_externally_accessible(p));
}

/* ---- topology.go */

enum mode { ANY, SAME_NODE, SAME_ZONE };

static bool hinted(const struct kp_endpoint *e, const char *name, bool zone, bool *has)
{
	uint32_t nr = e->hints ? (zone ? e->hints->for_zones.nr : e->hints->for_nodes.nr) : 0;
	bool found = false;

	*has = nr > 0;
	for (uint32_t k = 0; k < nr; k++)
		found = found || streq(zone ? e->hints->for_zones.v[k].name : e->hints->for_nodes.v[k].name, name);
	return found;
}

static enum mode mode_from_hints(const struct kp_endpoints *all, const char *node, const char *zone, bool same_node)
{
	bool all_node = true, all_zone = true, for_node = false, for_zone = false, has;

	for (uint32_t k = 0; k < all->nr; k++) {
		if (!all->v[k].ready)
			continue;
		for_node = hinted(&all->v[k], node, false, &has) || for_node;
		all_node = all_node && has;
		for_zone = hinted(&all->v[k], zone, true, &has) || for_zone;
		all_zone = all_zone && has;
	}
	if (same_node && all_node && for_node)
		return SAME_NODE;
	return all_zone && zone && *zone && for_zone ? SAME_ZONE : ANY;
}

static bool available(const struct kp_endpoint *e, enum mode mode, const char *node, const char *zone)
{
	bool has;

	return mode == ANY || hinted(e, mode == SAME_NODE ? node : zone, mode == SAME_ZONE, &has);
}

static void add(struct kp_endpoints *to, const struct kp_endpoints *all, uint32_t k, struct arena *a)
{
	if (!to->v)
		to->v = arena_array(a, struct kp_endpoint, all->nr);
	to->v[to->nr++] = all->v[k];
}

static struct kp_endpoints merged(const struct kp_endpoints *all, const struct kp_endpoints *x, const struct kp_endpoints *y, struct arena *a)
{
	struct kp_endpoints out = { 0 };

	for (uint32_t k = 0; k < all->nr; k++) {
		bool in = false;

		for (uint32_t i = 0; i < x->nr && !in; i++)
			in = x->v[i].text == all->v[k].text;
		for (uint32_t i = 0; i < y->nr && !in; i++)
			in = y->v[i].text == all->v[k].text;
		if (in)
			add(&out, all, k, a);
	}
	return out;
}

static bool is_local(const struct kp_endpoint *e, const char *node)
{
	return e->node && node && streq(e->node, node);
}

struct kp_sets kp_categorize(const struct kp_port *p, const char *node, const char *zone, bool same_node, struct arena *a)
{
	const struct kp_endpoints *all = &p->all;
	struct kp_sets out = { 0 };
	bool local_ready = false, local_terminating = false;
	enum mode mode = ANY;

	if (kp_uses_cluster(p)) {
		mode = mode_from_hints(all, node, zone, same_node);
		for (uint32_t k = 0; k < all->nr; k++)
			if (all->v[k].ready && available(&all->v[k], mode, node, zone))
				add(&out.cluster, all, k, a);
		if (!out.cluster.nr)            /* no ready one anywhere: those that terminate but still serve */
			for (uint32_t k = 0; k < all->nr; k++)
				if (all->v[k].serving && all->v[k].terminating)
					add(&out.cluster, all, k, a);
		out.any = out.cluster.nr > 0;
	}
	if (!kp_uses_local(p)) {
		out.reachable = out.cluster;
		return out;
	}
	for (uint32_t k = 0; k < all->nr; k++) {
		bool terminating = !all->v[k].ready && all->v[k].serving && all->v[k].terminating;

		out.any = out.any || all->v[k].ready || terminating;
		local_ready = local_ready || (all->v[k].ready && is_local(&all->v[k], node));
		local_terminating = local_terminating || (terminating && is_local(&all->v[k], node));
	}
	for (uint32_t k = 0; k < all->nr; k++) {
		bool good = local_ready ? all->v[k].ready : local_terminating && all->v[k].serving && all->v[k].terminating;

		if (good && is_local(&all->v[k], node))
			add(&out.local, all, k, a);
	}
	if (!kp_uses_cluster(p))
		out.reachable = out.local;
	else if (mode == ANY && (local_ready || !local_terminating))
		out.reachable = out.cluster;
	else
		out.reachable = merged(all, &out.cluster, &out.local, a);
	return out;
}

/* ---- joining */

static int by_text(const void *x, const void *y)
{
	return strcmp(((const struct kp_endpoint *)x)->text, ((const struct kp_endpoint *)y)->text);
}

static void gather(struct cluster *c, struct kp_port *p, bool v6, struct arena *a)
{
	struct object_list slices = service_slices(c, p->svc);
	const struct svc_port *sp = &p->svc->ports.v[p->index];
	VEC(struct kp_endpoint) all = { 0 };
	uint32_t to = 0;

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		if (!streq(s->address_type, v6 ? "IPv6" : "IPv4"))
			continue;
		for (uint32_t q = 0; q < s->ports.nr; q++) {
			const struct ep_port *ep = &s->ports.v[q];

			if (!streq(ep->name ? ep->name : "", sp->name ? sp->name : "") || ep->protocol != sp->protocol || !ep->port.set)
				continue;
			for (uint32_t i = 0; i < s->endpoints.nr; i++) {
				const struct endpoint *e = &s->endpoints.v[i];
				struct kp_endpoint out = { .port = (uint16_t)ep->port.v, .node = e->node, .hints = e->hints, .slice = s->o.id };

				if (!e->addresses.nr || !ip_parse_lenient(e->addresses.v[0], &out.ip))
					continue;
				out.ready = e->ready != TRI_FALSE;
				out.serving = e->serving == TRI_UNSET ? out.ready : e->serving == TRI_TRUE;
				out.terminating = e->terminating == TRI_TRUE;
				out.text = arena_printf(a, v6 ? "[%s]:%u" : "%s:%u", IP(out.ip), out.port);
				vec_add(a, &all, out);
			}
		}
	}
	qsort(all.v, all.nr, sizeof(*all.v), by_text);
	for (uint32_t k = 0; k < all.nr; k++) {         /* of two alike the one that is not terminating wins */
		if (to && strcmp(all.v[to - 1].text, all.v[k].text) == 0) {
			if (all.v[to - 1].terminating && !all.v[k].terminating)
				all.v[to - 1] = all.v[k];
			continue;
		}
		all.v[to++] = all.v[k];
	}
	p->all = (struct kp_endpoints){ all.v, to };
}

static void add_ip(struct arena *a, ip_addr **v, uint32_t *nr, const char *text, bool v6)
{
	ip_addr ip, *to;

	if (!text || !ip_parse_lenient(text, &ip) || ip_is4(ip) == v6)
		return;
	to = arena_array(a, ip_addr, *nr + 1);
	if (*nr)
		memcpy(to, *v, *nr * sizeof(*to));
	to[(*nr)++] = ip;
	*v = to;
}

static void read_ranges(struct kp_port *p, const struct service *s, bool v6, struct arena *a)
{
	p->ranges = arena_array(a, struct cidr, s->lb_source_ranges.nr);
	for (uint32_t k = 0; k < s->lb_source_ranges.nr; k++) {
		const char *text = s->lb_source_ranges.v[k] + strspn(s->lb_source_ranges.v[k], " ");
		struct cidr c;

		if (!cidr_parse_lenient(arena_strndup(a, text, strcspn(text, " ")), &c) || ip_is4(c.addr) == v6)
			continue;
		if (c.len == 0) {               /* a /0 is no filter (pkg/proxy/serviceport.go) */
			p->nr_ranges = 0;
			return;
		}
		p->ranges[p->nr_ranges++] = c;
	}
}

static void read_addresses(struct kp_port *p, const struct service *s, const struct settings *set, bool v6, struct arena *a)
{
	ip_addr *vip = NULL;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->cluster_ips.nr; k++)
		add_ip(a, &vip, &nr, s->cluster_ips.v[k], v6);
	if (!s->cluster_ips.nr)
		add_ip(a, &vip, &nr, s->cluster_ip, v6);
	if (nr)
		p->cluster_ip = vip[0];
	for (uint32_t k = 0; set->external_ips_allowed && k < s->external_ips.nr; k++)
		add_ip(a, &p->external_ips, &p->nr_external_ips, s->external_ips.v[k], v6);
	for (uint32_t k = 0; k < s->lb_ingress.nr; k++)
		if (!streq(s->lb_ingress.v[k].ip_mode, "Proxy"))
			add_ip(a, &p->lb_ips, &p->nr_lb_ips, s->lb_ingress.v[k].ip, v6);
	read_ranges(p, s, v6, a);
}

struct kp_ports kp_ports_of(struct cluster *c, const struct settings *set, bool v6, struct arena *a)
{
	static const struct { uint8_t proto; const char *word; } protocols[] = { [L4_TCP] = { PROTO_TCP, "tcp" }, [L4_UDP] = { PROTO_UDP, "udp" }, [L4_SCTP] = { PROTO_SCTP, "sctp" } };
	struct object_list l = cluster_list(c, &service_kind);
	struct kp_ports out = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		nr += ((const struct service *)l.v[k])->ports.nr;
	out.v = arena_array(a, struct kp_port, nr);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		for (uint32_t i = 0; service_has_vip(s) && i < s->ports.nr; i++) {
			const struct svc_port *sp = &s->ports.v[i];
			struct kp_port *p = &out.v[out.nr];

			*p = (struct kp_port){ .svc = s, .index = i, .proto = protocols[sp->protocol].proto, .proto_word = protocols[sp->protocol].word, .port = (uint16_t)sp->port,
					       .node_port = (uint16_t)sp->node_port, .internal_local = s->internal_policy == TP_LOCAL, .external_local = s->external_policy == TP_LOCAL };
			read_addresses(p, s, set, v6, a);
			if (!ip_set(p->cluster_ip))
				continue;
			p->name = sp->name && *sp->name ? arena_printf(a, "%s/%s:%s", s->o.ns, s->o.name, sp->name) : arena_printf(a, "%s/%s", s->o.ns, s->o.name);
			p->base = arena_printf(a, "%s/%s/%s/%s", s->o.ns, s->o.name, p->proto_word, sp->name ? sp->name : "");
			if (streq(s->affinity, "ClientIP"))
				p->affinity = s->affinity_seconds > 0 ? (uint32_t)s->affinity_seconds : 10800;
			gather(c, p, v6, a);
			out.endpoints += p->all.nr;
			out.nr++;
		}
	}
	return out;
}
