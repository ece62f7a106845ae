/* Calico's NetworkPolicy and GlobalNetworkPolicy as libcalico-go hands them to felix (lib/backend/syncersv1/updateprocessors/{rules,networkpolicyprocessor}.go). */
#include <stdlib.h>
#include <strings.h>

#include "model/dataplane/packet.h"
#include "model/api/calico_selector.h"
#include "model/policy/tier_read.h"

static const struct { const char *name; uint8_t number; } protocols[] = {
	{ "TCP", PROTO_TCP }, { "UDP", PROTO_UDP }, { "SCTP", PROTO_SCTP }, { "ICMP", PROTO_ICMP }, { "ICMPv6", PROTO_ICMPV6 }, { "UDPLite", 136 },
};

/* −1: absent, or none that Calico knows. */
static int16_t protocol(const struct val *v)
{
	int64_t n = val_int_or(v, -1);

	for (size_t k = 0; val_str(v) && k < ARRAY_LEN(protocols); k++)
		if (strcasecmp(val_str(v), protocols[k].name) == 0)
			return protocols[k].number;
	if (val_str(v) && *val_str(v) >= '0' && *val_str(v) <= '9')
		n = strtol(val_str(v), NULL, 10);
	return n >= 0 && n < 256 ? (int16_t)n : -1;
}

/* What is no text is no selector either: one that cannot be read. */
static const char *text_of(const struct val *map, const char *key)
{
	const struct val *v = val_get(map, key);
	const char *s = v && v->type != VAL_NULL && !val_str(v) ? "?" : val_str(v);

	return s && *s ? s : NULL;
}

static bool can_be_read(const char *selector)
{
	static const pair_list none;

	return !selector || calico_selects(selector, &none) >= 0;
}

static bool selectors_can_be_read(const struct tier_end *e)
{
	return can_be_read(e->selector) && can_be_read(e->without) && can_be_read(e->spaces) && can_be_read(e->accounts);
}

bool tier_add_net(struct arena *a, cidrs *to, const char *text)
{
	struct cidr c;
	ip_addr ip;

	if (!text)
		return false;
	if (ip_parse_lenient(text, &ip))
		c = (struct cidr){ ip, (uint8_t)ip_bits(ip), true };
	else if (!cidr_parse_lenient(text, &c))
		return false;
	vec_add(a, to, c);
	return true;
}

/* false: there is one that is no address. */
static bool nets(struct arena *a, const struct val *list, cidrs *to, bool *has)
{
	bool good = true;

	*has = val_is(list, VAL_LIST) && list->nr;
	VAL_EACH(n, list)
		good = tier_add_net(a, to, val_str(n)) && good;
	return good;
}

/* From lo to hi, as text. */
static bool port_range(const char *s, int64_t *lo, int64_t *hi)
{
	char *end;

	*lo = *hi = strtoll(s, &end, 10);
	if (*end == ':' && end[1] >= '0' && end[1] <= '9')
		*hi = strtoll(end + 1, &end, 10);
	return !*end;
}

/* 80, "8000:8100", or a name that containers give their ports. false: there is one that is none of these. */
static bool ports(const struct tier_read *t, const struct val *list, int16_t proto, tier_ports *to)
{
	bool good = true;

	VAL_EACH(p, list) {
		struct np_ports out = { .proto = (uint8_t)proto };
		const char *s = val_str(p);
		int64_t lo = val_int_or(p, -1), hi = lo;

		if (s && (*s < '0' || *s > '9'))
			out.name = str_intern(cluster_strings(t->c), s);
		else if ((s && !port_range(s, &lo, &hi)) || lo < 0 || hi > UINT16_MAX || lo > hi)
			good = false;
		out.lo = out.name ? 0 : (uint16_t)lo;
		out.hi = out.name ? 0 : (uint16_t)hi;
		vec_add(t->a, to, out);
	}
	return good;
}

static bool has_name(const tier_ports *v)
{
	for (uint32_t k = 0; k < v->nr; k++)
		if (v->v[k].name)
			return true;
	return false;
}

static const char *account_names(const struct tier_read *t, const struct val *names)
{
	struct sb s = { 0 };
	const char *text, *sep = "";

	if (!val_is(names, VAL_LIST) || !names->nr)
		return NULL;
	sb_add(&s, "projectcalico.org/serviceaccount in {");
	VAL_EACH(n, names) {
		sb_printf(&s, "%s'%s'", sep, val_str(n) ? val_str(n) : "");
		sep = ", ";
	}
	sb_add(&s, "}");
	text = arena_strdup(t->a, sb_text(&s));
	sb_free(&s);
	return text;
}

static void read_end(const struct tier_read *t, const struct val *v, struct tier_rule *r, int which)
{
	static const char *const words[] = { "source", "destination" };
	struct tier_end *e = &r->end[which];
	const struct val *accounts = val_get(v, "serviceAccounts");

	e->path = arena_printf(t->a, "%s.%s", r->path, words[which]);
	e->line = v ? v->line : r->line;
	e->selector = text_of(v, "selector");
	e->without = text_of(v, "notSelector");
	e->spaces = text_of(v, "namespaceSelector");
	e->accounts = text_of(accounts, "selector");
	e->named = account_names(t, val_get(accounts, "names"));
	if (t->space && !e->spaces && (e->selector || e->without || e->accounts || e->named))
		e->space = t->space;
	if (!selectors_can_be_read(e))
		r->unmodelled = "a selector that cannot be read";
	if (!nets(t->a, val_get(v, "nets"), &e->nets, &e->has_nets) || !nets(t->a, val_get(v, "notNets"), &e->without_nets, &e->has_without_nets)) {
		r->unmodelled = "a net that is no address";
		e->nets.nr = e->without_nets.nr = 0;
		e->has_nets = e->has_without_nets = false;
	}
	if (!ports(t, val_get(v, "ports"), r->proto, &e->ports) || !ports(t, val_get(v, "notPorts"), r->proto, &e->without_ports)) {
		r->unmodelled = "a port that is none";
		e->ports.nr = e->without_ports.nr = 0;
	}
	if (which == 0 && (has_name(&e->ports) || has_name(&e->without_ports))) {
		r->unmodelled = "the source's port by name";
		e->ports.nr = e->without_ports.nr = 0;
	}
	if (val_get(v, "services"))
		r->unmodelled = "services";
}

static bool icmp(const struct val *v, struct tier_rule *r, uint8_t *type)
{
	int64_t n = val_int_or(val_get(v, "type"), -1);

	if (n < 0 || n > 254)
		return false;
	if (val_int_or(val_get(v, "code"), 0))
		r->unmodelled = "an ICMP code";
	*type = (uint8_t)n;
	return true;
}

struct tier_rule *tier_new_rule(const struct tier_read *t, struct tier_policy *p, enum np_dir dir, uint32_t index, enum tier_action action)
{
	struct tier_rule *r = vec_push(t->a, &p->rules[dir]);

	*r = (struct tier_rule){ .action = (uint8_t)action, .dir = (uint8_t)dir, .index = index, .proto = -1, .no_proto = -1 };
	r->path = arena_printf(t->a, "spec.%s[%u]", dir == NP_EGRESS ? "egress" : "ingress", index);
	for (int k = 0; k < 2; k++)
		r->end[k].path = r->path;
	return r;
}

static void read_rule(const struct tier_read *t, const struct val *v, enum np_dir dir, uint32_t index, struct tier_policy *p)
{
	static const struct { const char *word; enum tier_action action; } actions[] = { { "Allow", TIER_ALLOW }, { "Deny", TIER_DENY }, { "Pass", TIER_PASS } };
	const char *action = text_of(v, "action");
	struct tier_rule *r;
	size_t k = 0;

	if (action && strcasecmp(action, "Log") == 0)
		return;
	while (action && k < ARRAY_LEN(actions) && strcasecmp(action, actions[k].word) != 0)
		k++;
	r = tier_new_rule(t, p, dir, index, k < ARRAY_LEN(actions) ? actions[k].action : TIER_ALLOW);
	r->line = v->line;
	if (k == ARRAY_LEN(actions))
		r->unmodelled = "its action";
	if (!val_is(v, VAL_MAP))
		r->unmodelled = "its form";
	r->family = (uint8_t)val_int_or(val_get(v, "ipVersion"), 0);
	r->proto = protocol(val_get(v, "protocol"));
	r->no_proto = protocol(val_get(v, "notProtocol"));
	if ((val_get(v, "protocol") && r->proto < 0) || (val_get(v, "notProtocol") && r->no_proto < 0))
		r->unmodelled = "its protocol";
	r->has_icmp_type = icmp(val_get(v, "icmp"), r, &r->icmp_type);
	r->has_no_icmp_type = icmp(val_get(v, "notICMP"), r, &r->no_icmp_type);
	if (val_get(v, "http"))
		r->unmodelled = "HTTP";
	read_end(t, val_get(v, "source"), r, 0);
	read_end(t, val_get(v, "destination"), r, 1);
}

static bool has_rules(const struct val *spec, const char *key)
{
	return val_is(val_get(spec, key), VAL_LIST) && val_get(spec, key)->nr > 0;
}

/* types, or what the rules say: Ingress, unless there are only rules for egress. */
static void directions(const struct val *spec, struct tier_policy *p)
{
	const struct val *types = val_get(spec, "types");

	p->decides[NP_EGRESS] = has_rules(spec, "egress");
	p->decides[NP_INGRESS] = has_rules(spec, "ingress") || !p->decides[NP_EGRESS];
	if (!val_is(types, VAL_LIST) || !types->nr)
		return;
	p->decides[NP_INGRESS] = p->decides[NP_EGRESS] = false;
	VAL_EACH(v, types)
		if (val_str(v))
			p->decides[strcasecmp(val_str(v), "Egress") == 0 ? NP_EGRESS : NP_INGRESS] = true;
}

void tier_read_calico(const struct tier_read *t, const struct val *spec, struct tier_policy *p)
{
	const struct val *order = val_get(spec, "order");

	directions(spec, p);
	p->order = val_is(order, VAL_INT) ? (double)order->i : val_is(order, VAL_FLOAT) ? order->f : __builtin_inf();
	p->subject = (struct tier_end){ .selector = text_of(spec, "selector"), .spaces = text_of(spec, "namespaceSelector"), .accounts = text_of(spec, "serviceAccountSelector"),
					 .space = t->space, .path = "spec.selector", .line = val_get(spec, "selector") ? val_get(spec, "selector")->line : p->o->line };
	p->unmodelled = selectors_can_be_read(&p->subject) ? NULL : "a selector that cannot be read";
	for (int d = 0; d < 2; d++) {
		uint32_t at = 0;

		VAL_EACH(v, p->decides[d] ? val_get(spec, d == NP_EGRESS ? "egress" : "ingress") : NULL)
			read_rule(t, v, (enum np_dir)d, at++, p);
	}
}
