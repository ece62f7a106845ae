/* What a compiled rule of a tier says of an endpoint, a protocol and a port. */
#include "model/dataplane/packet.h"
#include "model/api/calico_selector.h"
#include "model/policy/tiers.h"

static enum truth read_as(int said)
{
	return said < 0 ? MAYBE : said ? YES : NO;
}

/* What costs least is asked first; the first NO ends it. */
static enum truth selects(const struct tier_end *e, const pair_list *l)
{
	str space = e->space || e->spaces ? label_get(l, "projectcalico.org/namespace") : NULL;
	enum truth t = !e->space || streq(e->space, space) ? YES : NO;

	if (e->selector && t != NO)
		t = truth_and(t, read_as(calico_selects(e->selector, l)));
	if (e->named && t != NO)
		t = truth_and(t, read_as(calico_selects(e->named, l)));
	if (e->spaces && t != NO)
		t = truth_and(t, read_as(calico_selects_behind(e->spaces, "pcns.", space, l)));
	if (e->accounts && t != NO)
		t = truth_and(t, read_as(calico_selects_behind(e->accounts, "pcsa.", label_get(l, "projectcalico.org/serviceaccount"), l)));
	return t;
}

enum truth tier_selects(const struct tier_policy *p, const pair_list *labels)
{
	return labels ? selects(&p->subject, labels) : NO;
}

bool tier_members_have(const cidrs *nets, ip_addr ip)
{
	for (uint32_t k = 0; k < nets->nr; k++)
		if (cidr_contains(nets->v[k], ip))
			return true;
	return false;
}

/* A rule whose notNets have none of the packet's family is not written for it, nor is one that leaves all of it out (felix FilterRuleToIPVersion). */
static bool left_in(const cidrs *nets, ip_addr ip)
{
	bool family = false;

	for (uint32_t k = 0; k < nets->nr; k++)
		family = family || ip_is4(nets->v[k].addr) == ip_is4(ip);
	return family && !tier_members_have(nets, ip);
}

bool tier_nets_have(const struct tier_end *e, ip_addr ip)
{
	return (!e->has_nets || tier_members_have(&e->nets, ip)) && (!e->has_without_nets || left_in(&e->without_nets, ip));
}

enum truth tier_end_has(const struct tier_end *e, const pair_list *labels, ip_addr ip)
{
	enum truth t = YES;

	if (e->selector || e->spaces || e->accounts || e->named || e->space)
		t = truth_or(labels ? selects(e, labels) : NO, tier_members_have(&e->members, ip) ? YES : NO);
	if (e->without)
		t = truth_and(t, truth_not(truth_or(labels ? read_as(calico_selects(e->without, labels)) : NO, tier_members_have(&e->without_members, ip) ? YES : NO)));
	return tier_nets_have(e, ip) ? t : NO;
}

static bool any_port(const tier_ports *v, uint8_t proto, uint16_t port, bool (*named)(void *, str, uint8_t, uint16_t), void *ctx)
{
	for (uint32_t k = 0; k < v->nr; k++) {
		const struct np_ports *p = &v->v[k];

		if (p->name ? named && named(ctx, p->name, proto, port) : port >= p->lo && port <= p->hi)
			return true;
	}
	return false;
}

/* Linux takes a source port from 32768 to 60999 where nobody says which (net.ipv4.ip_local_port_range). */
static enum truth source_port(const tier_ports *v)
{
	enum truth t = NO;

	for (uint32_t k = 0; k < v->nr; k++) {
		if (!v->v[k].name && v->v[k].lo <= 32768 && v->v[k].hi >= 60999)
			return YES;
		if (v->v[k].name || (v->v[k].lo <= 60999 && v->v[k].hi >= 32768))
			t = MAYBE;
	}
	return t;
}

static bool has_ports(uint8_t proto)
{
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_SCTP;
}

enum truth tier_rule_open(const struct tier_rule *r, uint8_t proto, uint16_t port, bool (*named)(void *, str, uint8_t, uint16_t), void *ctx)
{
	const struct tier_end *src = &r->end[0], *dst = &r->end[1];
	enum truth t = r->unmodelled ? MAYBE : YES;

	if ((r->proto >= 0 && r->proto != proto) || r->no_proto == proto || (r->has_icmp_type && has_ports(proto)))
		return NO;
	if ((src->ports.nr || dst->ports.nr) && !has_ports(proto))
		return NO;
	if ((dst->ports.nr && !any_port(&dst->ports, proto, port, named, ctx)) || any_port(&dst->without_ports, proto, port, named, ctx))
		return NO;
	if (src->ports.nr)
		t = truth_and(t, source_port(&src->ports));
	if (src->without_ports.nr)
		t = truth_and(t, truth_not(source_port(&src->without_ports)));
	return t;
}

static bool has_names(const tier_ports *v)
{
	for (uint32_t k = 0; k < v->nr; k++)
		if (v->v[k].name)
			return true;
	return false;
}

bool tier_rule_has_names(const struct tier_rule *r)
{
	return has_names(&r->end[1].ports) || has_names(&r->end[1].without_ports);
}

bool pod_names_port(const struct pod *pod, str name, uint8_t proto, uint16_t port)
{
	const struct np_ports named = { .proto = proto, .name = name };
	const struct np_compiled_rule only = { .ports = (struct np_ports *)(uintptr_t)&named, .nr_ports = 1 };

	return pod && np_ports_allow(&only, pod, proto, port);
}
