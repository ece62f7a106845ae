/* Nodes with several networks. What interfaces a node has is told by its NodeNetworkState (nmstate.io), or follows from an address that the Pod network wrote on the
 * Node and that the Node's own addresses do not hold; else a node has one interface with all its addresses. Which of them the Pod network speaks over it chooses by
 * itself, by its own rules.
 * Sources: nmstate api/v1beta1; flannel pkg/ip/iface.go, main.go LookupExtIface (--iface, else the default route's), pkg/subnet/kube (annotations public-ip…);
 * calico node/pkg/lifecycle/startup/autodetection (IP_AUTODETECTION_METHOD, first-found and the names that it passes over), annotation projectcalico.org/IPv4Address. */
#include <regex.h>
#include <stdlib.h>

#include "model/cluster/pod_network.h"
#include "model/dataplane/nics.h"

#define FIRST_FREE_SEGMENT 3u

static struct nic *nic_add(struct compile *x, struct node_build *nb, str name)
{
	struct nic *v = arena_array(x->arena, struct nic, nb->nr_nics + 1);

	if (nb->nr_nics)
		memcpy(v, nb->nics, nb->nr_nics * sizeof(*v));
	nb->nics = v;
	v[nb->nr_nics] = (struct nic){ .name = name, .mtu = UPLINK_MTU };
	return &v[nb->nr_nics++];
}

static bool nic_has(const struct nic *n, ip_addr ip)
{
	for (uint32_t k = 0; k < n->nr; k++)
		if (ip_eq(n->v[k].ip, ip))
			return true;
	return false;
}

static void nic_address(struct nic *n, ip_addr ip, uint8_t len)
{
	if (n->nr < ARRAY_LEN(n->v) && !nic_has(n, ip))
		n->v[n->nr++] = (struct nic_address){ ip, len };
}

static struct nic *nic_of(const struct node_build *nb, ip_addr ip)
{
	for (uint32_t k = 0; k < nb->nr_nics; k++)
		if (nic_has(&nb->nics[k], ip))
			return &nb->nics[k];
	return NULL;
}

/* ---- what objects tell */

static void read_family(struct nic *n, const struct val *family)
{
	VAL_EACH(a, val_get(family, "address"))
	{
		ip_addr ip;
		int64_t len = val_int_or(val_get(a, "prefix-length"), -1);

		if (val_str_at(a, "ip") && ip_parse(val_str_at(a, "ip"), &ip) && len >= 0 && len <= ip_bits(ip) && (ip_is4(ip) || ip.hi >> 54 != 0x3fa))   /* fe80::/10 */
			nic_address(n, ip, (uint8_t)len);
	}
}

static bool is_physical(const struct val *iface)
{
	static const char *const types[] = { "ethernet", "bond", "vlan", "team", "infiniband" };

	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		if (streq(val_str_at(iface, "type"), types[k]))
			return !streq(val_str_at(iface, "state"), "down");
	return false;
}

static void read_state(struct compile *x, struct node_build *nb, const struct val *state)
{
	VAL_EACH(iface, val_get(state, "interfaces"))
	{
		struct nic found = { 0 };
		bool ours = false;
		struct nic *n;

		read_family(&found, val_get(iface, "ipv4"));
		read_family(&found, val_get(iface, "ipv6"));
		for (uint32_t k = 0; k < nb->nr_ips; k++)       /* a bridge that has taken over the node's address is its interface too */
			ours = ours || nic_has(&found, nb->ips[k].ip);
		if (!found.nr || !val_str_at(iface, "name") || !(ours || is_physical(iface)))
			continue;
		n = nic_add(x, nb, str_intern(x->dp->strings, val_str_at(iface, "name")));
		memcpy(n->v, found.v, sizeof(n->v));
		n->nr = found.nr;
		if (val_int_or(val_get(iface, "mtu"), 0) > 0)
			n->mtu = (uint32_t)val_int_or(val_get(iface, "mtu"), 0);
	}
	VAL_EACH(r, val_path(state, "routes.running"))
	{
		struct nic_route route = { .metric = (uint32_t)MAX(val_int_or(val_get(r, "metric"), 0), 0) };
		const char *dev = val_str_at(r, "next-hop-interface"), *via = val_str_at(r, "next-hop-address");
		int64_t table = val_int_or(val_get(r, "table-id"), TABLE_MAIN);

		if (!val_str_at(r, "destination") || !cidr_parse(val_str_at(r, "destination"), &route.dst) || !via || !ip_parse(via, &route.via) || !dev || table != TABLE_MAIN)
			continue;
		for (route.nic = 0; route.nic < nb->nr_nics && !streq(nb->nics[route.nic].name, dev); route.nic++)
			;
		if (route.nic < nb->nr_nics)
			vec_add(x->arena, &nb->nic_routes, route);
	}
}

/* The address that the Pod network itself wrote on the Node; len 0: it said no prefix. */
static bool told_by_network(const struct compile *x, const struct node *n, bool v6, struct nic_address *out)
{
	static const char *const flannel[][2] = { { "flannel.alpha.coreos.com/public-ip-overwrite", "flannel.alpha.coreos.com/public-ipv6-overwrite" },
						  { "flannel.alpha.coreos.com/public-ip", "flannel.alpha.coreos.com/public-ipv6" } };
	const char *text = NULL;
	struct cidr c;

	if (x->settings->cni == CNI_CALICO)
		text = label_get(&n->o.annotations, v6 ? "projectcalico.org/IPv6Address" : "projectcalico.org/IPv4Address");
	for (size_t k = 0; x->settings->cni == CNI_FLANNEL && k < ARRAY_LEN(flannel) && !text; k++)
		text = label_get(&n->o.annotations, flannel[k][v6]);
	*out = (struct nic_address){ 0 };
	if (text && ip_parse(text, &out->ip))
		return ip_is4(out->ip) != v6;
	if (!text || !cidr_parse_host(text, &c) || ip_is4(c.addr) == v6)
		return false;
	*out = (struct nic_address){ c.addr, c.len };
	return true;
}

static void all_on_one(struct compile *x, struct node_build *nb)
{
	struct nic *n = nic_add(x, nb, str_intern(x->dp->strings, "eth0"));

	for (uint32_t k = 0; k < nb->nr_ips; k++)
		nic_address(n, nb->ips[k].ip, 0);
}

static void nic_ips(struct compile *x, struct node_build *nb)
{
	struct node_ip *v = arena_array(x->arena, struct node_ip, nb->nr_ips + nb->nr_nics * ARRAY_LEN(nb->nics[0].v));

	memcpy(v, nb->ips, nb->nr_ips * sizeof(*v));
	nb->ips = v;
	for (uint32_t k = 0; k < nb->nr_nics; k++)
		for (uint32_t i = 0; i < nb->nics[k].nr; i++) {
			ip_addr ip = nb->nics[k].v[i].ip;
			bool known = false;

			for (uint32_t j = 0; j < nb->nr_ips && !known; j++)
				known = ip_eq(v[j].ip, ip);
			if (known)
				continue;
			v[nb->nr_ips++] = (struct node_ip){ ip, false };
			*map_put(&x->node_ips, x->arena, hash_mix(ip.hi, ip.lo)) = 1;
		}
}

void nics_read(struct compile *x, struct node_build *nb)
{
	const struct raw_object *state = (const struct raw_object *)cluster_find(x->cluster, &node_network_state_kind, NULL, nb->node->o.name);

	if (state && state->spec)
		read_state(x, nb, val_get(state->spec, "currentState"));
	for (int v6 = 0; v6 < 2; v6++) {
		struct nic_address a;
		bool known = false;

		if (!told_by_network(x, nb->node, v6, &a))
			continue;
		for (uint32_t k = 0; k < nb->nr_ips; k++)
			known = known || ip_eq(nb->ips[k].ip, a.ip);
		if (known || nic_of(nb, a.ip))
			continue;
		if (!nb->nr_nics)
			all_on_one(x, nb);
		nic_address(nic_add(x, nb, str_printf(x->dp->strings, "eth%u", nb->nr_nics)), a.ip, a.len ? a.len : ip_is4(a.ip) ? 24 : 64);
	}
	if (nb->nr_nics)
		nic_ips(x, nb);
}

/* ---- which are on one L2 */

static bool shared(const struct compile *x, const struct node_build *but, ip_addr ip)
{
	for (uint32_t k = 0; k < x->nr_nodes; k++)
		if (&x->nodes[k] != but)
			for (uint32_t i = 0; i < x->nodes[k].nr_ips; i++)
				if (ip_eq(x->nodes[k].ips[i].ip, ip))
					return true;
	return false;
}

/* An address that several nodes have is behind a NAT of each one's own, as VirtualBox makes it: no two of them are on one L2. */
static void split_twins(struct compile *x, struct node_build *nb)
{
	struct nic *lone, *rest = NULL;

	for (uint32_t k = 0; !nb->nr_nics && k < nb->nr_ips; k++) {
		if (!nb->ips[k].internal || !shared(x, nb, nb->ips[k].ip))
			continue;
		lone = nic_add(x, nb, str_intern(x->dp->strings, "eth0"));
		nic_address(lone, nb->ips[k].ip, ip_is4(nb->ips[k].ip) ? 24 : 64);
		for (uint32_t i = 0; i < nb->nr_ips; i++)
			if (i != k) {
				rest = rest ? rest : nic_add(x, nb, str_intern(x->dp->strings, "eth1"));
				nic_address(rest, nb->ips[i].ip, 0);
			}
	}
	for (uint32_t n = 0; n < nb->nr_nics; n++)
		for (uint32_t k = 0; k < nb->nics[n].nr; k++)
			nb->nics[n].lone = nb->nics[n].lone || shared(x, nb, nb->nics[n].v[k].ip);
	for (uint32_t k = 0; k < nb->nr_ips; k++)
		if (nic_of(nb, nb->ips[k].ip) && nic_of(nb, nb->ips[k].ip)->lone)
			nb->ips[k].internal = false;
}

/* The nodes' own L2 is that of their first InternalIPs which are not behind a NAT; others are found by their prefix. */
static void give_segments(struct compile *x)
{
	struct map by_prefix = { 0 };
	uint32_t next = FIRST_FREE_SEGMENT;

	for (uint32_t n = 0; n < x->nr_nodes; n++)
		for (uint32_t k = 0; k < x->nodes[n].nr_nics; k++) {
			struct nic *nic = &x->nodes[n].nics[k];
			bool own = false;
			uint64_t *at;

			for (uint32_t i = 0; i < x->nodes[n].nr_ips; i++)
				own = own || (x->nodes[n].ips[i].internal && nic_has(nic, x->nodes[n].ips[i].ip));
			if (nic->lone) {
				nic->segment = next++;
				continue;
			}
			if (own) {
				nic->segment = NODE_SEGMENT;
				continue;
			}
			at = map_put(&by_prefix, x->arena, hash_mix(hash_mix(ip_mask(nic->v[0].ip, nic->v[0].len).hi, ip_mask(nic->v[0].ip, nic->v[0].len).lo), nic->v[0].len));
			*at = *at ? *at : next++;
			nic->segment = (uint32_t)*at;
		}
}

static bool any_twins(const struct compile *x)
{
	struct map seen = { 0 };
	struct arena *scratch = arena_new(NULL, "twins");
	bool any = false;

	for (uint32_t n = 0; n < x->nr_nodes && !any; n++)
		for (uint32_t k = 0; k < x->nodes[n].nr_ips && !any; k++) {
			uint64_t *at = map_put(&seen, scratch, hash_mix(x->nodes[n].ips[k].ip.hi, x->nodes[n].ips[k].ip.lo));

			any = *at && *at != n + 1;
			*at = n + 1;
		}
	arena_free(scratch);
	return any;
}

/* ---- which one the Pod network takes */

static bool matches(const char *pattern, const char *name)
{
	regex_t re;
	bool yes;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	yes = regexec(&re, name, 0, NULL, 0) == 0;
	regfree(&re);
	return yes;
}

static bool matches_any(const char *patterns, const char *name)
{
	while (*patterns) {
		char one[128];
		size_t n = strcspn(patterns, ",");

		snprintf(one, sizeof(one), "%.*s", (int)MIN(n, sizeof(one) - 1), patterns);
		if (*one && matches(one, name))
			return true;
		patterns += n + (patterns[n] == ',');
	}
	return false;
}

static ip_addr first_of_family(const struct nic *n, bool v6)
{
	for (uint32_t k = 0; k < n->nr; k++)
		if (ip_is4(n->v[k].ip) != v6)
			return n->v[k].ip;
	return (ip_addr){ 0 };
}

/* The interface by which the node would reach it; the first that is on its prefix, else that of the default route. */
static const struct nic *toward(const struct node_build *nb, ip_addr ip)
{
	const struct nic_route *best = NULL;

	for (uint32_t k = 0; k < nb->nr_nics; k++)
		for (uint32_t i = 0; i < nb->nics[k].nr; i++)
			if (nb->nics[k].v[i].len && ip_is4(nb->nics[k].v[i].ip) == ip_is4(ip) && ip_eq(ip_mask(nb->nics[k].v[i].ip, nb->nics[k].v[i].len), ip_mask(ip, nb->nics[k].v[i].len)))
				return &nb->nics[k];
	for (uint32_t k = 0; k < nb->nic_routes.nr; k++) {
		const struct nic_route *r = &nb->nic_routes.v[k];

		if (cidr_contains(r->dst, ip) && (!best || r->dst.len > best->dst.len || (r->dst.len == best->dst.len && r->metric < best->metric)))
			best = r;
	}
	return best ? &nb->nics[best->nic] : nb->nr_nics ? &nb->nics[0] : NULL;
}

static ip_addr calico_choice(const struct workload *w, const struct node_build *nb, bool v6)
{
	static const char passed_over[] = "docker.*,cbr.*,dummy.*,virbr.*,lxcbr.*,veth.*,lo,cali.*,tunl.*,flannel.*,kube-ipvs.*,cni.*,vxlan.calico.*,vxlan-v6.calico.*,wireguard.cali.*,wg-v6.cali.*";
	const char *how = w ? pod_network_env(w, v6 ? "IP6_AUTODETECTION_METHOD" : "IP_AUTODETECTION_METHOD") : NULL;
	ip_addr ip, none = { 0 };
	struct cidr c;

	if (how && strncmp(how, "can-reach=", 10) == 0)
		return ip_parse(how + 10, &ip) && toward(nb, ip) ? first_of_family(toward(nb, ip), v6) : none;
	if (how && streq(how, "kubernetes-internal-ip"))
		return v6 ? nb->ip6 : nb->ip4;
	for (uint32_t k = 0; k < nb->nr_nics; k++) {
		const struct nic *n = &nb->nics[k];

		ip = first_of_family(n, v6);
		if (!ip_set(ip))
			continue;
		if (how && strncmp(how, "interface=", 10) == 0 ? matches_any(how + 10, n->name) : how && strncmp(how, "skip-interface=", 15) == 0 ? !matches_any(how + 15, n->name) :
		    how && strncmp(how, "cidr=", 5) == 0 ? cidr_parse(how + 5, &c) && cidr_contains(c, ip) : !matches_any(passed_over, n->name))
			return ip;
	}
	return none;
}

static ip_addr flannel_choice(const struct workload *w, const struct node_build *nb, bool v6)
{
	const char *iface = w ? pod_network_arg(w, "--iface") : NULL, *pattern = w ? pod_network_arg(w, "--iface-regex") : NULL, *reach = w ? pod_network_arg(w, "--iface-can-reach") : NULL;
	ip_addr ip;

	for (uint32_t k = 0; (iface || pattern) && k < nb->nr_nics; k++) {
		const struct nic *n = &nb->nics[k];
		bool is = iface && (streq(n->name, iface) || (ip_parse(iface, &ip) && nic_has(n, ip)));

		for (uint32_t i = 0; pattern && !is && i < n->nr; i++)
			is = matches(pattern, n->name) || matches(pattern, IP(n->v[i].ip));
		if (is && ip_set(first_of_family(n, v6)))
			return first_of_family(n, v6);
	}
	if (reach && ip_parse(reach, &ip) && toward(nb, ip))
		return first_of_family(toward(nb, ip), v6);
	ip = v6 ? (ip_addr){ 0x2000000000000000u, 1 } : ip_from4(0x01010101);   /* by the default route */
	return toward(nb, ip) ? first_of_family(toward(nb, ip), v6) : (ip_addr){ 0 };
}

void nics_settle(struct compile *x)
{
	const struct workload *w = pod_network_daemonset(x->cluster);
	bool any = any_twins(x);

	for (uint32_t n = 0; any && n < x->nr_nodes; n++)
		split_twins(x, &x->nodes[n]);
	give_segments(x);
	for (uint32_t n = 0; n < x->nr_nodes; n++) {
		struct node_build *nb = &x->nodes[n];

		for (int v6 = 0; v6 < 2; v6++) {
			ip_addr *to = v6 ? &nb->net6 : &nb->net4;
			struct nic_address told;

			*to = v6 ? nb->ip6 : nb->ip4;
			if (told_by_network(x, nb->node, v6, &told))
				*to = told.ip;
			else if (nb->nr_nics && x->settings->cni == CNI_CALICO)
				*to = calico_choice(w, nb, v6);
			else if (nb->nr_nics && x->settings->cni == CNI_FLANNEL)
				*to = flannel_choice(w, nb, v6);
		}
		for (uint32_t k = 0; k < nb->nr_nics; k++)
			x->uplink_mtu = MIN(x->uplink_mtu, nb->nics[k].mtu);
	}
}

/* ---- written into the node's namespace */

static void connected(struct compile *x, const struct node_build *nb, link_h dev, struct nic_address a)
{
	struct route *r;
	uint8_t len = a.len ? a.len : (ip_is4(a.ip) ? x->net4 : x->net6).len;

	addr_add(x->dp, dev, a.ip, len);
	r = route_add(x->dp, nb->ns, (struct cidr){ ip_mask(a.ip, len), len, true });
	r->dev = dev;
	r->proto = RTP_KERNEL;
	r->scope_link = true;
	r->src = a.ip;
}

static void leads_out(struct compile *x, const struct node_build *nb, struct cidr dst, link_h dev, ip_addr via, uint32_t metric)
{
	struct route *r = route_add(x->dp, nb->ns, dst);

	r->dev = dev;
	r->via = via;
	r->proto = RTP_BOOT;
	r->metric = metric;
}

void nics_write(struct compile *x, struct node_build *nb)
{
	link_h *dev = arena_array(x->arena, link_h, nb->nr_nics);
	bool routed[2] = { false, false };

	for (uint32_t k = 0; k < nb->nr_nics; k++) {
		const struct nic *n = &nb->nics[k];
		struct link *l;

		dev[k] = add_phys(x, nb->ns, n->name, n->segment);
		l = link_get(x->dp, dev[k]);
		l->mtu = n->mtu;
		l->lone = n->lone;
		make_mac(l->mac, n->v[0].ip);
		for (uint32_t i = 0; i < n->nr; i++)
			connected(x, nb, dev[k], n->v[i]);
		if (!nb->uplink.i || nic_has(n, nb->net4) || (!ip_set(nb->net4) && nic_has(n, nb->net6)))
			nb->uplink = dev[k];
	}
	for (uint32_t k = 0; k < nb->nic_routes.nr; k++) {
		const struct nic_route *r = &nb->nic_routes.v[k];

		leads_out(x, nb, r->dst, dev[r->nic], r->via, r->metric);
		routed[!ip_is4(r->dst.addr)] = routed[!ip_is4(r->dst.addr)] || !r->dst.len;
	}
	for (int v6 = 0; v6 < 2; v6++) {        /* nobody told a default route: by the first interface */
		struct cidr all = { v6 ? (ip_addr){ 0 } : ip_from4(0), 0, true };
		const struct nic *first = &nb->nics[0];
		ip_addr gateway = v6 ? x->gateway6 : x->gateway4;

		if (routed[v6] || !ip_set(first_of_family(first, v6)))
			continue;
		if (first->segment == NODE_SEGMENT && ip_set(gateway))
			leads_out(x, nb, all, dev[0], gateway, 0);
		else
			leads_out(x, nb, all, dev[0], ip_add(ip_mask(first_of_family(first, v6), v6 ? 64 : 24), 2), 0);
	}
}
