/* Which address of its own a namespace puts into a packet: IPv4 as inet_select_addr (net/ipv4/devinet.c), IPv6 by the rules of RFC 6724 as ipv6_dev_get_saddr
 * (net/ipv6/addrconf.c) orders them. A masquerade asks the same (nf_nat_masquerade.c). */
#include "model/dataplane/dataplane.h"

/* ---- IPv4: the interface's first address in whose prefix the destination lies, else its first; else the first of the namespace, in interface order */

static bool usable(const struct link *l, ip_addr have)
{
	return l->up && ip_is4(have) && !ip_is_loopback(have) && !ip_is_linklocal(have);
}

static ip_addr select4(const struct dataplane *dp, const struct netns *ns, const struct link *out, ip_addr dst)
{
	ip_addr first = { 0, 0 };

	for (uint32_t k = 0; out && k < out->nr_addrs; k++) {
		const struct if_addr *a = &dp->addrs.v[out->addr + k];

		if (!usable(out, a->ip))
			continue;
		if (ip_eq(ip_mask(a->ip, a->len), ip_mask(dst, a->len)))
			return a->ip;
		first = ip_set(first) ? first : a->ip;
	}
	for (uint32_t i = 0; !ip_set(first) && i < ns->links.nr; i++) {
		const struct link *l = link_get(dp, netns_link(ns, i));

		for (uint32_t k = 0; k < l->nr_addrs && !ip_set(first); k++)
			if (usable(l, dp->addrs.v[l->addr + k].ip))
				first = dp->addrs.v[l->addr + k].ip;
	}
	return first;
}

/* ---- IPv6 */

/* The default label table (net/ipv6/addrlabel.c), as far as such addresses are met. */
static int label_of(ip_addr a)
{
	static const struct { const char *prefix; int label; } labels[] = { { "2001::/32", 6 }, { "2001:10::/28", 7 }, { "2002::/16", 2 }, { "fc00::/7", 5 } };
	struct cidr c;

	for (size_t k = 0; k < ARRAY_LEN(labels); k++)
		if (cidr_parse(labels[k].prefix, &c) && cidr_contains(c, a))
			return labels[k].label;
	return 1;
}

static int common_bits(ip_addr a, ip_addr b)
{
	int n = 0;

	while (n < 128 && ip_eq(ip_mask(a, (uint8_t)(n + 1)), ip_mask(b, (uint8_t)(n + 1))))
		n++;
	return n;
}

struct score { bool itself, scope, out, label; int prefix; };

static struct score score_of(const struct if_addr *a, bool on_out, ip_addr dst)
{
	return (struct score){ .itself = ip_eq(a->ip, dst), .scope = ip_is_linklocal(a->ip) == ip_is_linklocal(dst), .out = on_out, .label = label_of(a->ip) == label_of(dst),
			       .prefix = MIN(common_bits(a->ip, dst), (int)a->len) };
}

static bool better(const struct score *a, const struct score *b)
{
	if (a->itself != b->itself)
		return a->itself;
	if (a->scope != b->scope)
		return a->scope;
	if (a->out != b->out)
		return a->out;
	return a->label != b->label ? a->label : a->prefix > b->prefix;
}

static ip_addr select6(const struct dataplane *dp, const struct netns *ns, link_h out, ip_addr dst)
{
	const struct if_addr *best = NULL;
	struct score top = { 0 };

	for (uint32_t i = 0; i < ns->links.nr; i++) {
		link_h h = netns_link(ns, i);
		const struct link *l = link_get(dp, h);

		for (uint32_t k = 0; l->up && k < l->nr_addrs; k++) {
			const struct if_addr *a = &dp->addrs.v[l->addr + k];
			struct score s;

			if (ip_is4(a->ip) || ip_is_loopback(a->ip) || (ip_is_linklocal(dst) && h.i != out.i))
				continue;
			s = score_of(a, h.i == out.i, dst);
			if (!best || better(&s, &top)) {
				best = a;
				top = s;
			}
		}
	}
	return best ? best->ip : (ip_addr){ 0, 0 };
}

ip_addr masquerade_addr(const struct dataplane *dp, netns_h h, link_h out, ip_addr dst)
{
	return ip_is4(dst) ? select4(dp, netns_get(dp, h), out.i ? link_get(dp, out) : NULL, dst) : select6(dp, netns_get(dp, h), out, dst);
}

ip_addr source_for(const struct dataplane *dp, netns_h h, const struct route *r, ip_addr dst)
{
	if (addr_is_local(dp, h, dst))
		return dst;
	if (ip_set(r->src) && ip_is4(r->src) == ip_is4(dst))
		return r->src;
	return masquerade_addr(dp, h, r->dev, dst);
}
