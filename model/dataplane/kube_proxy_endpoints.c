/* Which endpoints: Services and EndpointSlices joined by port name and protocol. What is asked of few ports only (names, the join itself) is made when it is asked for. */
#include <stdlib.h>

#include "model/dataplane/kube_proxy_again.h"
#include "model/dataplane/packet.h"

static int by_text(const void *x, const void *y)
{
	return strcmp(((const struct kp_endpoint *)x)->text, ((const struct kp_endpoint *)y)->text);
}

static bool is_port(const struct ep_port *ep, const struct svc_port *sp)
{
	return streq(ep->name ? ep->name : "", sp->name ? sp->name : "") && ep->protocol == sp->protocol && ep->port.set;
}

bool kp_watches_service(const struct service *s)
{
	return service_has_vip(s) && !label_get(&s->o.labels, "service.kubernetes.io/service-proxy-name");
}

bool kp_watches_slice(const struct endpointslice *s)
{
	return !label_get(&s->o.labels, "service.kubernetes.io/headless");
}

static bool is_family(const struct endpointslice *s, bool v6)
{
	return streq(s->address_type, v6 ? "IPv6" : "IPv4") && kp_watches_slice(s);
}

static void gather(const struct kube_proxy *proxy, struct kp_port *p, bool v6, struct arena *a)
{
	struct object_list slices = view_slices_of(proxy->cluster, proxy->view, p->svc);
	const struct svc_port *sp = &p->svc->ports.v[p->index];
	VEC(struct kp_endpoint) all = { 0 };
	uint32_t to = 0;

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		if (!is_family(s, v6))
			continue;
		for (uint32_t q = 0; q < s->ports.nr; q++) {
			const struct ep_port *ep = &s->ports.v[q];

			if (!is_port(ep, sp))
				continue;
			for (uint32_t i = 0; i < s->endpoints.nr; i++) {
				const struct endpoint *e = &s->endpoints.v[i];
				struct kp_endpoint out = { .port = (uint16_t)ep->port.v, .node = e->node, .hints = e->hints, .slice = s->o.id };

				if (!e->addresses.nr || !ip_parse_lenient(e->addresses.v[0], &out.ip))
					continue;
				out.ready = e->ready != TRI_FALSE;
				out.serving = e->serving != TRI_FALSE;
				out.terminating = e->terminating == TRI_TRUE;
				out.text = arena_printf(a, v6 ? "[%s]:%u" : "%s:%u", IP(out.ip), out.port);
				vec_add(a, &all, out);
			}
		}
	}
	if (all.nr)
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

void kp_read_ports(struct kube_proxy *k, uint32_t service, bool v6)
{
	static const struct { uint8_t proto; const char *word; } protocols[] = { [L4_TCP] = { PROTO_TCP, "tcp" }, [L4_UDP] = { PROTO_UDP, "udp" }, [L4_SCTP] = { PROTO_SCTP, "sctp" } };
	struct kp_service *ks = &k->services.v[service];
	const struct service *s = ks->svc;
	struct kp_ports *out = &k->ports[v6];

	ks->first[v6] = out->nr;
	ks->nr[v6] = 0;
	for (uint32_t n = 0; s && kp_watches_service(s) && n < s->ports.nr; n++) {
		const struct svc_port *sp = &s->ports.v[n];
		struct kp_port *p = vec_push(k->arena, out);

		*p = (struct kp_port){ .svc = s, .service = service, .index = n, .proto = protocols[sp->protocol].proto, .proto_word = protocols[sp->protocol].word, .port = (uint16_t)sp->port,
				       .node_port = (uint16_t)sp->node_port, .internal_local = s->internal_policy == TP_LOCAL, .external_local = s->external_policy == TP_LOCAL };
		read_addresses(p, s, k->s, v6, k->arena);
		if (!ip_set(p->cluster_ip)) {
			out->nr--;
			continue;
		}
		if (streq(s->affinity, "ClientIP"))
			p->affinity = s->affinity_seconds > 0 ? (uint32_t)s->affinity_seconds : 10800;
		ks->nr[v6]++;
	}
}

static void read_ports(struct kube_proxy *k, bool v6)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < k->order.nr; i++)
		nr += k->services.v[k->order.v[i]].svc->ports.nr;
	k->ports[v6].v = arena_array(k->arena, struct kp_port, nr);
	k->ports[v6].alloc = nr;
	for (uint32_t i = 0; i < k->order.nr; i++)
		kp_read_ports(k, k->order.v[i], v6);
}

const struct kp_ports *kp_ports_of(struct kube_proxy *k, bool v6)
{
	if (!k->known[v6])
		read_ports(k, v6);
	k->known[v6] = true;
	return &k->ports[v6];
}

const char *kp_name(struct kube_proxy *k, struct kp_port *p)
{
	const struct object *o = &p->svc->o;
	str port = p->svc->ports.v[p->index].name;

	if (!p->name)
		p->name = port && *port ? arena_printf(k->arena, "%s/%s:%s", o->ns, o->name, port) : arena_printf(k->arena, "%s/%s", o->ns, o->name);
	return p->name;
}

const char *kp_base(struct kube_proxy *k, struct kp_port *p)
{
	const struct object *o = &p->svc->o;
	str port = p->svc->ports.v[p->index].name;

	if (!p->base)
		p->base = arena_printf(k->arena, "%s/%s/%s/%s", o->ns, o->name, p->proto_word, port ? port : "");
	return p->base;
}

const struct kp_endpoints *kp_endpoints_of(struct kube_proxy *k, struct kp_port *p, bool v6)
{
	if (!p->joined)
		gather(k, p, v6, k->arena);
	p->joined = true;
	return &p->all;
}

uint32_t kp_nr_endpoints(struct kube_proxy *k, bool v6)
{
	const struct kp_ports *ports = kp_ports_of(k, v6);

	for (uint32_t i = 0; !k->counted[v6] && i < ports->nr; i++)
		if (ports->v[i].svc)
			k->nr_endpoints[v6] += kp_endpoints_of(k, &ports->v[i], v6)->nr;
	k->counted[v6] = true;
	return k->nr_endpoints[v6];
}

/* How often the Service's slices name an address: of two alike only one counts, and which is for the join to say. */
static uint32_t times_named(struct object_list slices, str address)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			nr += s->endpoints.v[i].addresses.nr && streq(s->endpoints.v[i].addresses.v[0], address);
	}
	return nr;
}

static bool has_a_ready_one(struct kube_proxy *k, const struct kp_port *p, bool v6)
{
	struct object_list slices = view_slices_of(k->cluster, k->view, p->svc);
	const struct svc_port *sp = &p->svc->ports.v[p->index];

	for (uint32_t n = 0; n < slices.nr; n++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[n];
		bool port = false;
		ip_addr ip;

		for (uint32_t q = 0; q < s->ports.nr && !port; q++)
			port = is_port(&s->ports.v[q], sp);
		for (uint32_t i = 0; port && is_family(s, v6) && i < s->endpoints.nr; i++) {
			const struct endpoint *e = &s->endpoints.v[i];

			if (e->ready != TRI_FALSE && e->addresses.nr && ip_parse_lenient(e->addresses.v[0], &ip))
				return times_named(slices, e->addresses.v[0]) == 1;
		}
	}
	return false;
}

bool kp_has_endpoints(struct kube_proxy *k, struct kp_port *p, bool v6)
{
	const struct kp_endpoints *all;

	if (has_a_ready_one(k, p, v6))
		return true;
	all = kp_endpoints_of(k, p, v6);
	for (uint32_t i = 0; i < all->nr; i++)
		if (all->v[i].ready || (all->v[i].serving && all->v[i].terminating))
			return true;
	return false;
}

/* ---- by node */

static bool has_endpoint_at(const struct endpointslice *s, str node)
{
	for (uint32_t i = 0; !s->o.gone && i < s->endpoints.nr; i++)
		if (s->endpoints.v[i].node == node)
			return kp_watches_slice(s);
	return false;
}

struct at { uint32_t place, port; };

static int by_place(const void *x, const void *y)
{
	const struct at *p = x, *q = y;

	if (p->place != q->place)
		return p->place < q->place ? -1 : 1;
	return p->port < q->port ? -1 : p->port > q->port;
}

struct kp_port **kp_ports_at(struct kube_proxy *k, str node, bool v6, struct arena *a, uint32_t *nr)
{
	const struct kp_ports *ports = kp_ports_of(k, v6);
	uint64_t *head = node ? map_find(&k->slices_at, map_ptr(node)) : NULL;
	VEC(struct at) at = { 0 };
	struct kp_port **out;

	for (uint32_t i = head ? (uint32_t)*head : 0; i; i = k->at_node.v[i - 1].older) {
		const struct endpointslice *s = k->at_node.v[i - 1].slice;
		const struct service *svc = s->service && has_endpoint_at(s, node) ? view_service(k->cluster, k->view, s->o.ns, s->service) : NULL;
		uint64_t *known = svc ? map_find(&k->service_at, map_ptr(svc)) : NULL;
		const struct kp_service *ks = known ? &k->services.v[*known - 1] : NULL;

		for (uint32_t n = 0; ks && n < ks->nr[v6]; n++)
			vec_add(a, &at, (struct at){ ks->place, ks->first[v6] + n });
	}
	if (at.nr)
		qsort(at.v, at.nr, sizeof(*at.v), by_place);
	out = arena_array(a, struct kp_port *, at.nr);
	*nr = 0;
	for (uint32_t i = 0; i < at.nr; i++)
		if (!i || at.v[i].port != at.v[i - 1].port)
			out[(*nr)++] = &ports->v[at.v[i].port];
	return out;
}
