/* Random policies of all APIs that have tiers, drawn as plain data and spelled as documents; and an evaluator of them, beside NetworkPolicies, that reads nothing but that data.
 * On the clusters of policy_gen.h. Same seed, same policies. */
#ifndef PODWIRE_TEST_TIERS_GEN_H
#define PODWIRE_TEST_TIERS_GEN_H

#include <stdlib.h>

#include "tests/unit/policy_gen.h"

enum what { ALL, EQ, NE, HAS, HAS_NOT, IN };
struct sel { bool set; enum what what; uint32_t key, value; };          /* of pgen_pod_keys or pgen_ns_keys */
struct side { struct sel pods, spaces, without; const char *net, *left_out; };
struct drawn_rule { int action; int proto, no_proto; struct side end[2]; uint16_t lo, hi; bool not_port; const char *name; };
enum api { CALICO_NP, CALICO_GNP, CNP_ADMIN, CNP_BASELINE };
struct drawn { enum api api; uint32_t space; const char *tier; int order; char name[8]; bool types[2]; struct sel pods, spaces; struct drawn_rule rules[2][3]; uint32_t nr[2]; };
static const struct { const char *name; int order; bool passes; } drawn_tiers[] = { { "early", 50, false }, { "kube-admin", 1000, true }, { "middle", 5000, true }, { "default", 1000000, false }, { "kube-baseline", 10000000, true } };
static const char *const nets[] = { "10.244.0.0/24", "10.244.1.0/25", "10.244.1.2", "203.0.113.0/24", "172.18.0.0/16", "0.0.0.0/0" };
static const char *const actions[] = { "Allow", "Deny", "Pass" };
enum { POLICIES = 7 };

static inline struct sel draw_sel(struct pgen *g, bool ns, uint32_t percent, bool kubernetes)
{
	struct sel s = { .set = pgen_chance(g, percent), .what = (enum what)pgen_below(g, kubernetes ? 2 : 6), .key = pgen_below(g, ns ? 3 : 5), .value = pgen_below(g, 4) };

	return s;
}

static inline struct side draw_side(struct pgen *g, bool kubernetes, bool egress)
{
	struct side s = { .pods = draw_sel(g, false, 50, kubernetes), .spaces = draw_sel(g, true, 35, kubernetes) };

	if (!kubernetes) {
		s.without = draw_sel(g, false, 15, false);
		s.net = pgen_chance(g, 25) ? nets[pgen_below(g, (uint32_t)ARRAY_LEN(nets))] : NULL;
		s.left_out = pgen_chance(g, 15) ? nets[pgen_below(g, 4)] : NULL;
	} else if (egress && pgen_chance(g, 30)) {
		s = (struct side){ .net = nets[pgen_below(g, 2)] };
	}
	return s;
}

static inline void draw_policy(struct pgen *g, uint32_t number, struct drawn *p)
{
	*p = (struct drawn){ .api = (enum api)pgen_below(g, 4), .space = number % g->spaces, .order = (int)pgen_below(g, 3) * 1000 };
	snprintf(p->name, sizeof(p->name), "%c%u", "kxa"[pgen_below(g, 3)], number);
	p->tier = p->api == CNP_ADMIN ? "kube-admin" : p->api == CNP_BASELINE ? "kube-baseline" : drawn_tiers[(size_t[]){ 0, 2, 3, 3 }[pgen_below(g, 4)]].name;
	p->pods = draw_sel(g, false, 80, p->api >= CNP_ADMIN);
	p->spaces = draw_sel(g, true, p->api == CALICO_NP ? 0 : 40, p->api >= CNP_ADMIN);
	for (int d = 0; d < 2; d++) {
		p->nr[d] = pgen_below(g, 4);
		p->types[d] = p->api >= CNP_ADMIN ? p->nr[d] > 0 : pgen_chance(g, 70);
		for (uint32_t k = 0; k < p->nr[d]; k++) {
			struct drawn_rule *r = &p->rules[d][k];
			uint32_t probe = pgen_below(g, (uint32_t)ARRAY_LEN(pgen_probes));

			*r = (struct drawn_rule){ .action = (int)pgen_below(g, 3), .proto = -1, .no_proto = -1 };
			r->end[d] = draw_side(g, p->api >= CNP_ADMIN, d);
			if (p->api < CNP_ADMIN && pgen_chance(g, 15))
				r->end[!d] = draw_side(g, false, d);
			if (pgen_chance(g, 50)) {
				r->proto = pgen_probes[probe].proto;
				r->lo = pgen_chance(g, 70) ? (uint16_t)(pgen_probes[probe].port - pgen_below(g, 2) * 10) : 0;
				r->hi = r->lo ? (uint16_t)(pgen_probes[probe].port + pgen_below(g, 2)) : 0;
				r->not_port = p->api < CNP_ADMIN && r->lo && pgen_chance(g, 20);
				r->name = p->api < CNP_ADMIN && pgen_chance(g, 20) ? pgen_names[pgen_below(g, 5)] : NULL;
			} else if (p->api < CNP_ADMIN && pgen_chance(g, 15)) {
				r->no_proto = pgen_probes[probe].proto;
			}
		}
	}
	if (!p->types[0] && !p->types[1] && p->api < CNP_ADMIN)
		p->types[0] = true;
}

/* ---- spelled */

static inline void key_value(const struct sel *s, bool ns, uint32_t at, const char **key, const char **value)
{
	*key = ns ? pgen_ns_keys[s->key].key : pgen_pod_keys[s->key].key;
	*value = (ns ? pgen_ns_keys[s->key].values : pgen_pod_keys[s->key].values)[at % 4];
}

static inline void spell_calico(struct sb *out, const char *field, const struct sel *s, bool ns)
{
	const char *key, *value, *other;

	if (!s->set)
		return;
	key_value(s, ns, s->value + 1, &key, &other);
	key_value(s, ns, s->value, &key, &value);
	sb_printf(out, ",\"%s\":\"", field);
	switch (s->what) {
	case ALL: sb_add(out, "all()"); break;
	case EQ: sb_printf(out, "%s == '%s'", key, value); break;
	case NE: sb_printf(out, "%s != '%s'", key, value); break;
	case HAS: sb_printf(out, "has(%s) && all()", key); break;
	case HAS_NOT: sb_printf(out, "!has(%s)", key); break;
	case IN: sb_printf(out, "%s in {'%s', '%s'}", key, value, other); break;
	}
	sb_addc(out, '"');
}

static inline void spell_kubernetes(struct sb *out, const struct sel *s, bool ns)
{
	const char *key, *value;

	key_value(s, ns, s->value, &key, &value);
	sb_printf(out, s->set && s->what == EQ ? "{\"matchLabels\":{\"%s\":\"%s\"}}" : "{}", key, value);
}

static inline void spell_side(struct sb *out, const struct drawn_rule *r, int k)
{
	const struct side *s = &r->end[k];

	sb_printf(out, ",\"%s\":{\"nets\":", k ? "destination" : "source");
	sb_printf(out, s->net ? "[\"%s\"]" : "[]", s->net);
	sb_add(out, ",\"notNets\":");
	sb_printf(out, s->left_out ? "[\"%s\"]" : "[]", s->left_out);
	spell_calico(out, "selector", &s->pods, false);
	spell_calico(out, "namespaceSelector", &s->spaces, true);
	spell_calico(out, "notSelector", &s->without, false);
	if (k && (r->lo || r->name)) {
		sb_printf(out, ",\"%s\":[", r->not_port ? "notPorts" : "ports");
		if (r->name)
			sb_printf(out, "\"%s\",", r->name);
		sb_printf(out, r->lo == r->hi ? "%u]" : "\"%u:%u\"]", r->lo, r->hi);
	}
	sb_addc(out, '}');
}

static inline const char *word_of(int proto) { return proto == PROTO_UDP ? "UDP" : proto == PROTO_SCTP ? "SCTP" : "TCP"; }

static inline void spell_rule(struct sb *out, const struct drawn *p, const struct drawn_rule *r, int d)
{
	static const char *const lower[] = { "tcp", "udp", "sctp" };

	if (p->api < CNP_ADMIN) {
		sb_printf(out, "{\"action\":\"%s\"", actions[r->action]);
		if (r->proto >= 0)
			sb_printf(out, ",\"protocol\":\"%s\"", word_of(r->proto));
		if (r->no_proto >= 0)
			sb_printf(out, ",\"notProtocol\":\"%s\"", word_of(r->no_proto));
		spell_side(out, r, 0);
		spell_side(out, r, 1);
		sb_addc(out, '}');
		return;
	}
	sb_printf(out, "{\"action\":\"%s\",\"%s\":[{", r->action ? actions[r->action] : "Accept", d ? "to" : "from");
	if (r->end[d].net) {
		sb_printf(out, "\"networks\":[\"%s\"]", r->end[d].net);
	} else {
		sb_add(out, "\"pods\":{\"namespaceSelector\":");
		spell_kubernetes(out, &r->end[d].spaces, true);
		sb_add(out, ",\"podSelector\":");
		spell_kubernetes(out, &r->end[d].pods, false);
		sb_addc(out, '}');
	}
	sb_add(out, "}]");
	if (r->proto >= 0 && r->lo)
		sb_printf(out, ",\"protocols\":[{\"%s\":{\"destinationPort\":{\"range\":{\"start\":%u,\"end\":%u}}}}]", lower[r->proto == PROTO_UDP ? 1 : r->proto == PROTO_SCTP ? 2 : 0], r->lo, r->hi);
	else if (r->proto >= 0)
		sb_printf(out, ",\"protocols\":[{\"%s\":{}}]", lower[r->proto == PROTO_UDP ? 1 : r->proto == PROTO_SCTP ? 2 : 0]);
	sb_addc(out, '}');
}

static inline void spell(struct pgen *g, const struct drawn *p)
{
	struct sb s = { 0 };

	sb_printf(&s, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"", p->api < CNP_ADMIN ? "projectcalico.org/v3" : "policy.networking.k8s.io/v1alpha2",
		  p->api == CALICO_NP ? "NetworkPolicy" : p->api == CALICO_GNP ? "GlobalNetworkPolicy" : "ClusterNetworkPolicy", p->name);
	if (p->api == CALICO_NP)
		sb_printf(&s, ",\"namespace\":\"ns%u\"", p->space);
	sb_printf(&s, "},\"spec\":{");
	if (p->api < CNP_ADMIN) {
		sb_printf(&s, "\"tier\":\"%s\",\"order\":%d,\"types\":[%s%s%s]", p->tier, p->order, p->types[0] ? "\"Ingress\"" : "", p->types[0] && p->types[1] ? "," : "", p->types[1] ? "\"Egress\"" : "");
		spell_calico(&s, "selector", &p->pods, false);
		spell_calico(&s, "namespaceSelector", &p->spaces, true);
	} else {
		sb_printf(&s, "\"tier\":\"%s\",\"priority\":%d,\"subject\":{\"pods\":{\"namespaceSelector\":", p->api == CNP_ADMIN ? "Admin" : "Baseline", p->order);
		spell_kubernetes(&s, &p->spaces, true);
		sb_add(&s, ",\"podSelector\":");
		spell_kubernetes(&s, &p->pods, false);
		sb_add(&s, "}}");
	}
	for (int d = 0; d < 2; d++) {
		sb_printf(&s, ",\"%s\":[", d ? "egress" : "ingress");
		for (uint32_t k = 0; k < p->nr[d]; k++) {
			sb_add(&s, k ? "," : "");
			spell_rule(&s, p, &p->rules[d][k], d);
		}
		sb_addc(&s, ']');
	}
	sb_add(&s, "}}");
	pgen_apply(g, sb_text(&s));
	sb_free(&s);
}

/* ---- judged */

static inline bool sel_means(const struct sel *s, bool ns, const pair_list *l)
{
	const char *key, *value, *other, *have;

	if (!s->set)
		return true;
	key_value(s, ns, s->value + 1, &key, &other);
	key_value(s, ns, s->value, &key, &value);
	have = label_get(l, key);
	switch (s->what) {
	case ALL: return true;
	case EQ: return have && strcmp(have, value) == 0;
	case NE: return !have || strcmp(have, value) != 0;
	case HAS: return have;
	case HAS_NOT: return !have;
	case IN: return have && (strcmp(have, value) == 0 || strcmp(have, other) == 0);
	}
	return false;
}

static inline bool in_net(const char *net, ip_addr ip)
{
	ip_addr one;

	return ip_parse(net, &one) ? ip_eq(one, ip) : plain_in(net, ip);
}

/* The two NetworkSets of these clusters: one of all, {app: web, role: client}: 203.0.113.0/28; one of ns1, {tier: gold}: 10.244.0.0/27. */
static inline void network_sets(struct pgen *g)
{
	pgen_apply(g, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalNetworkSet\",\"metadata\":{\"name\":\"outside\",\"labels\":{\"app\":\"web\",\"role\":\"client\"}},\"spec\":{\"nets\":[\"203.0.113.0/28\"]}}");
	pgen_apply(g, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"NetworkSet\",\"metadata\":{\"name\":\"near\",\"namespace\":\"ns1\",\"labels\":{\"tier\":\"gold\"}},\"spec\":{\"nets\":[\"10.244.0.0/27\"]}}");
}

static const struct pair outside_pairs[] = { { "app", "web" }, { "role", "client" } }, near_pairs[] = { { "tier", "gold" } };

/* Some endpoint that these selectors mean has the address: a Pod, or a NetworkSet. */
static inline bool side_selects(struct cluster *c, const struct drawn *p, const struct sel *pods, const struct sel *spaces, const struct plain_end *e, ip_addr ip)
{
	const struct { const struct pair *v; uint32_t nr; const char *ns, *net; } sets[] = { { outside_pairs, 2, NULL, "203.0.113.0/28" }, { near_pairs, 1, "ns1", "10.244.0.0/27" } };
	const pair_list none = { 0 };
	bool scoped = p->api == CALICO_NP && spaces && !spaces->set;
	char own[8];

	snprintf(own, sizeof(own), "ns%u", p->space);
	if (e->pod && !e->pod->spec->host_network && (!scoped || strcmp(e->pod->o.ns, own) == 0) && (!spaces || sel_means(spaces, true, &find_namespace(c, e->pod->o.ns)->o.labels)) &&
	    sel_means(pods, false, &e->pod->o.labels))
		return true;
	for (size_t k = 0; k < ARRAY_LEN(sets) && (p->api < CNP_ADMIN); k++) {
		const pair_list l = { (struct pair *)(uintptr_t)sets[k].v, sets[k].nr, true };

		if (!in_net(sets[k].net, ip) || (scoped && !streq(sets[k].ns, own)))
			continue;
		if (spaces && spaces->set && (!sel_means(spaces, true, sets[k].ns ? &find_namespace(c, sets[k].ns)->o.labels : &none) || ((spaces->what == ALL || spaces->what == HAS) && !sets[k].ns)))
			continue;
		if (sel_means(pods, false, &l))
			return true;
	}
	return false;
}

static inline bool side_is(struct cluster *c, const struct drawn *p, const struct side *s, const struct plain_end *e, ip_addr ip)
{
	bool kubernetes_peer = p->api >= CNP_ADMIN && !s->net;

	if ((s->pods.set || s->spaces.set || kubernetes_peer) && !side_selects(c, p, &s->pods, &s->spaces, e, ip))
		return false;
	if (s->without.set && !s->pods.set && !s->spaces.set && p->api == CALICO_NP) {          /* notSelector alone means the namespace too */
		const struct sel all = { .set = true };
		const struct sel no = { 0 };

		if (!side_selects(c, p, &all, &no, e, ip))
			return false;
	}
	if (s->without.set && side_selects(c, p, &s->without, NULL, e, ip))
		return false;
	return (!s->net || in_net(s->net, ip)) && (!s->left_out || (ip_is4(ip) && !in_net(s->left_out, ip)));
}

static inline bool names_it(const char *name, const struct plain_end *dst, uint8_t proto, uint16_t port)
{
	struct np_port p = { .protocol = proto == PROTO_UDP ? L4_UDP : proto == PROTO_SCTP ? L4_SCTP : L4_TCP, .port = { .set = true, .s = name } };

	return plain_port(&p, dst, proto, port);
}

static inline bool rule_matches(struct cluster *c, const struct drawn *p, const struct drawn_rule *r, int d, const struct plain_end end[2], const ip_addr ip[2], uint8_t proto, uint16_t port)
{
	bool port_in = (r->lo && port >= r->lo && port <= r->hi) || (r->name && names_it(r->name, &end[1], proto, port));

	if ((r->proto >= 0 && r->proto != proto) || r->no_proto == proto)
		return false;
	if ((r->lo || r->name) && port_in == r->not_port)
		return false;
	if (p->api >= CNP_ADMIN)
		return side_is(c, p, &r->end[d], &end[d], ip[d]);
	return side_is(c, p, &r->end[0], &end[0], ip[0]) && side_is(c, p, &r->end[1], &end[1], ip[1]);
}

static inline int before(const struct drawn *a, const struct drawn *b)
{
	return a->order != b->order ? a->order - b->order : strcmp(a->name, b->name);
}

/* One direction: tier by tier. NetworkPolicies are named np…, which stands behind k… and a… and before x…; all of them have order 1000. */
static inline bool judged(struct cluster *c, const struct drawn *v, int d, const struct plain_end end[2], const ip_addr ip[2], uint8_t proto, uint16_t port)
{
	const struct plain_end *self = &end[!d];

	for (size_t t = 0; t < ARRAY_LEN(drawn_tiers); t++) {
		bool in = false, passed = false, asked_k8s = strcmp(drawn_tiers[t].name, "default") != 0, done[POLICIES] = { false };

		for (;;) {
			const struct drawn *p = NULL;
			bool isolated, allowed;

			for (uint32_t k = 0; k < POLICIES; k++)
				if (!done[k] && strcmp(v[k].tier, drawn_tiers[t].name) == 0 && (!p || before(&v[k], p) < 0))
					p = &v[k];
			if (!asked_k8s && (!p || p->order > 1000 || (p->order == 1000 && strcmp(p->name, "np") > 0))) {
				asked_k8s = true;
				allowed = plain_said(c, d, self, &end[d], ip[d], &end[1], proto, port, &isolated);
				in = in || isolated;
				if (allowed)
					return true;
				continue;
			}
			if (!p)
				break;
			done[p - v] = true;
			if (!p->types[d] || (p->api == CALICO_NP && strtoul(self->pod->o.ns + 2, NULL, 10) != p->space) || !sel_means(&p->pods, false, &self->pod->o.labels) ||
			    !sel_means(&p->spaces, true, &find_namespace(c, self->pod->o.ns)->o.labels))
				continue;
			in = true;
			for (uint32_t k = 0; k < p->nr[d] && !passed; k++)
				if (rule_matches(c, p, &p->rules[d][k], d, end, ip, proto, port)) {
					if (p->rules[d][k].action < 2)
						return p->rules[d][k].action == 0;
					passed = true;
				}
			if (passed)
				break;
		}
		if (in && !passed && !drawn_tiers[t].passes)
			return false;
	}
	return true;
}

static inline bool from_own_node(const struct plain_end *from, const struct pod *to)
{
	return (!from->pod || from->pod->spec->host_network) && (ip_eq(from->ip, to->host_ip) || (from->pod && from->pod->node == to->node));
}

static inline bool judged_pair(struct cluster *c, const struct drawn *v, const struct plain_end *from, const struct plain_end *to, uint8_t proto, uint16_t port)
{
	const struct plain_end end[2] = { *from, *to };
	const ip_addr ip[2] = { from->ip, to->ip };

	if (from->pod ? from->pod == to->pod : !to->pod && ip_eq(from->ip, to->ip))
		return true;
	if (from->pod && !from->pod->spec->host_network && !judged(c, v, 1, end, ip, proto, port))
		return false;
	return !to->pod || to->pod->spec->host_network || from_own_node(from, to->pod) || judged(c, v, 0, end, ip, proto, port);
}

static inline void draw_all(struct pgen *g, struct drawn v[POLICIES])
{
	for (size_t k = 0; k < ARRAY_LEN(drawn_tiers); k++)
		pgen_apply(g, arena_printf(g->cell->a, "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"Tier\",\"metadata\":{\"name\":\"%s\"},\"spec\":{\"order\":%d,\"defaultAction\":\"%s\"}}",
					   drawn_tiers[k].name, drawn_tiers[k].order, drawn_tiers[k].passes ? "Pass" : "Deny"));
	network_sets(g);
	for (uint32_t k = 0; k < POLICIES; k++) {
		draw_policy(g, k, &v[k]);
		spell(g, &v[k]);
	}
}

#endif
