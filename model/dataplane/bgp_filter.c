#include "model/dataplane/bgp_filter.h"

#include <strings.h>

const char *const bgp_match_ops[] = { [BGP_EQUAL] = "=", [BGP_NOT_EQUAL] = "!=", [BGP_IN] = "~", [BGP_NOT_IN] = "!~" };

static bool word_is(const struct val *v, const char *word) { return val_str(v) && strcasecmp(val_str(v), word) == 0; }

static struct bgp_rule rule_read(const struct val *v)
{
	static const char *const words[] = { [BGP_EQUAL] = "Equal", [BGP_NOT_EQUAL] = "NotEqual", [BGP_IN] = "In", [BGP_NOT_IN] = "NotIn" };
	struct bgp_rule r = { .remote = word_is(val_get(v, "source"), "RemotePeers"), .accept = word_is(val_get(v, "action"), "Accept") };
	const char *cidr = val_str(val_get(v, "cidr")), *interface = val_str(val_get(v, "interface"));
	const struct val *len = val_get(v, "prefixLength");

	if (cidr && cidr_parse(cidr, &r.net))
		for (uint8_t k = BGP_EQUAL; k <= BGP_NOT_IN; k++)
			if (word_is(val_get(v, "matchOperator"), words[k]))
				r.match = k;
	r.ranged = len && r.match >= BGP_IN;
	if (r.ranged) {
		r.min = (uint8_t)MIN(MAX(val_int_or(val_get(len, "min"), r.net.len), 0), 128);
		r.max = (uint8_t)MIN(MAX(val_int_or(val_get(len, "max"), ip_bits(r.net.addr)), 0), 128);
	}
	if (interface && *interface && !strpbrk(interface, "\"\\\n"))
		r.interface = interface;
	return r;
}

struct bgp_rules bgp_rules_read(const struct val *list, struct arena *a)
{
	struct bgp_rules out = { 0 };

	VAL_EACH(v, list)
		vec_add(a, &out.v, rule_read(v));
	return out;
}

/* `net ~ 10.0.0.0/8` is what lies within; `net ~ [ 10.0.0.0/8{16,24} ]` what has one of those lengths and agrees as far as both reach. */
static bool within(const struct bgp_rule *r, struct cidr net)
{
	uint8_t common = MIN(r->net.len, net.len);

	if (ip_is4(r->net.addr) != ip_is4(net.addr) || !ip_eq(ip_mask(r->net.addr, common), ip_mask(net.addr, common)))
		return false;
	return r->ranged ? net.len >= r->min && net.len <= r->max : net.len >= r->net.len;
}

static bool net_matches(const struct bgp_rule *r, struct cidr net)
{
	bool equal = r->net.len == net.len && ip_eq(ip_mask(r->net.addr, r->net.len), net.addr);

	switch ((enum bgp_match)r->match) {
	case BGP_ANY:       return true;
	case BGP_EQUAL:     return equal;
	case BGP_NOT_EQUAL: return !equal;
	case BGP_IN:        return within(r, net);
	case BGP_NOT_IN:    return !within(r, net);
	}
	return false;
}

/* BIRD's patterns: * and ?, nothing else. */
static bool pattern_matches(const char *p, const char *s)
{
	const char *star = NULL, *from = s;

	while (*s) {
		if (*p == '*') {
			star = ++p;
			from = s;
		} else if (*p == '?' || *p == *s) {
			p++;
			s++;
		} else if (star) {
			p = star;
			s = ++from;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

enum bgp_verdict bgp_rules_say(const struct bgp_rules *rules, const struct bgp_route *route)
{
	for (uint32_t k = 0; k < rules->v.nr; k++) {
		const struct bgp_rule *r = &rules->v.v[k];

		if ((r->remote && !route->learned) || (r->interface && !(route->interface && pattern_matches(r->interface, route->interface))) || !net_matches(r, route->net))
			continue;
		return r->accept ? BGP_ACCEPT : BGP_REJECT;
	}
	return BGP_UNDECIDED;
}
