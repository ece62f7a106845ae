/* kube-proxy's nftables layout, v1.36: one table per family, a Service is an element of maps, chains only for what is chosen. Source: kubernetes pkg/proxy/nftables/proxier.go. */
#include <stdio.h>

#include "model/dataplane/kube_proxy.h"
#include "model/dataplane/packet.h"

static const uint8_t service_key[] = { PF_DADDR, PF_L4PROTO, PF_DPORT }, port_key[] = { PF_L4PROTO, PF_DPORT }, ip_key[] = { PF_DADDR }, source_key[] = { PF_SADDR },
		     hairpin_key[] = { PF_SADDR, PF_DADDR, PF_L4PROTO, PF_DPORT }, number_key[] = { PF_REGISTER };

struct promised { chain_h service, external; set_h map; cause_h why; };
struct nft {
	struct kp *k;
	struct ruleset *rs;
	table_h t;
	chain_h reject, services;
	set_h hairpin, cluster_ips, node_port_ips, no_services, no_node_ports, firewall_ips, service_ips, service_node_ports;
	VEC(struct promised) promised;  /* by port: what is written when somebody looks */
};
struct both { struct nft *of[2]; };     /* the writers of a ruleset, IPv4 and IPv6 */

/* base32(sha256(x))[:8]-x, at most 240 characters. */
static const char *hashed(struct kp *k, const char *prefix, const char *x)
{
	char hash[9];
	const char *s;

	sha256_base32(x, hash, 8);
	s = arena_printf(k->arena, "%s-%s", hash, x);
	if (strlen(s) > 240)
		s = arena_printf(k->arena, "%.237s...", s);
	return arena_printf(k->arena, "%s-%s", prefix, s);
}

static const char *endpoint_base(struct kp *k, const struct kp_port *p, const struct kp_endpoint *e)
{
	char *ip = arena_strdup(k->arena, IP(e->ip));

	for (char *c = ip; *c; c++)
		*c = (char)(*c == ':' ? '.' : *c);
	return arena_printf(k->arena, "%s__%s/%u", p->base, ip, e->port);       /* the port has been asked for its base */
}

static chain_h chain(struct nft *x, const char *name)
{
	return ruleset_chain(x->rs, x->t, name);
}

static set_h set(struct nft *x, const char *name, enum set_kind kind, const uint8_t *key, uint8_t n, const char *comment)
{
	set_h h = ruleset_set(x->rs, x->t, name, kind, 0, key, n);
	uint32_t below = x->rs->base ? ruleset_nr_sets(x->rs->base) : 0;

	if (h.i > below)
		x->rs->sets.v[h.i - below].comment = str_intern(x->rs->strings, comment);
	ruleset_own_set(x->rs, h);
	return h;
}

static struct rw rule(struct nft *x, chain_h c)
{
	return rule_begin(x->rs, c);
}

static void mark(struct rw w, const struct kp *k)
{
	w_mark(w, ~k->mark, k->mark);
}

/* ip saddr CIDR, iifname NAME: is it from a local Pod, or (is = false) is it not? */
static void from_local(struct rw w, const struct kp *k, bool is)
{
	if (k->local_name)
		w_name(w, PF_IIFNAME, k->local_prefix ? (is ? REL_NAME_PREFIX : REL_NOT_NAME_PREFIX) : is ? REL_EQ : REL_NE, k->local_name);
	else
		w_cidr(w, PF_SADDR, is, k->local_cidr);
}

/* ---- what exists without any Service */

static void base_chains(struct nft *x)
{
	static const struct { const char *name; enum nf_type type; enum nf_hook hook; int priority; } rows[] = {
		{ "filter-prerouting-pre-dnat", NFT_FILTER, HOOK_PREROUTING, -110 }, { "filter-output-pre-dnat", NFT_FILTER, HOOK_OUTPUT, -110 },
		{ "filter-input", NFT_FILTER, HOOK_INPUT, 0 }, { "filter-forward", NFT_FILTER, HOOK_FORWARD, 0 }, { "filter-output", NFT_FILTER, HOOK_OUTPUT, 0 },
		{ "nat-prerouting", NFT_NAT, HOOK_PREROUTING, -100 }, { "nat-output", NFT_NAT, HOOK_OUTPUT, -100 }, { "nat-postrouting", NFT_NAT, HOOK_POSTROUTING, 100 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		ruleset_base_chain(x->rs, chain(x, rows[k].name), rows[k].hook, rows[k].type, rows[k].priority, OP_ACCEPT);
}

static void jumps(struct nft *x)
{
	static const struct { const char *from, *to; bool only_new; } rows[] = {
		{ "filter-input", "nodeport-endpoints-check", true }, { "filter-input", "service-endpoints-check", true }, { "filter-forward", "service-endpoints-check", true },
		{ "filter-output", "service-endpoints-check", true }, { "filter-prerouting-pre-dnat", "firewall-check", true }, { "filter-output-pre-dnat", "firewall-check", true },
		{ "nat-output", "services", false }, { "nat-prerouting", "services", false }, { "nat-postrouting", "masquerading", false },
		{ "filter-forward", "cluster-ips-check", true }, { "filter-output", "cluster-ips-check", true },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		chain_h to = chain(x, rows[k].to);
		struct rw w = rule(x, chain(x, rows[k].from));

		if (rows[k].only_new)
			w_num(w, PF_CT_STATE, REL_EQ, CT_NEW, 0);
		w_jump(w, to);
	}
}

static void masquerading(struct nft *x)
{
	chain_h c = chain(x, "masquerading");
	struct rw w = rule(x, c);

	w_num(w, PF_MARK, REL_MASK_NE, x->k->mark, 0);
	w_mark(w, ~0u, x->k->mark);
	w_masquerade(w, true);
	x->hairpin = set(x, "hairpin-connections", SET_PLAIN, hairpin_key, 4, "service hairpin connections");
	w = rule(x, c);
	w_num(w, PF_CT_STATUS, REL_EQ, CTS_DNAT, 0);
	w_lookup(w, x->hairpin, true, 4, PF_SADDR, PF_DADDR, PF_L4PROTO, PF_DPORT);
	w_masquerade(w, true);
}

static void cluster_ips_check(struct nft *x)
{
	chain_h c = chain(x, "cluster-ips-check");
	set_h cidrs;
	uint32_t nr = 0;
	struct cidr only = { 0 };
	struct rw w;

	x->cluster_ips = set(x, "cluster-ips", SET_PLAIN, ip_key, 1, "Active ClusterIPs");
	w = rule(x, c);
	w_lookup(w, x->cluster_ips, true, 1, PF_DADDR);
	w_reject(w, REJECT_DEFAULT);
	rule_comment(w, "Reject traffic to invalid ports of ClusterIPs");
	for (uint32_t k = 0; k < x->k->s->service_cidrs.nr; k++)
		if (ip_is4(x->k->s->service_cidrs.v[k].addr) != x->k->v6) {
			only = x->k->s->service_cidrs.v[k];
			nr++;
		}
	if (!nr || !x->k->s->service_cidrs_known)
		return;
	if (nr > 1) {
		cidrs = ruleset_set(x->rs, x->t, NULL, SET_PLAIN, SETF_INTERVAL, ip_key, 1);
		for (uint32_t k = 0; k < x->k->s->service_cidrs.nr; k++)
			if (ip_is4(x->k->s->service_cidrs.v[k].addr) != x->k->v6)
				set_add_cidr(x->rs, cidrs, x->k->s->service_cidrs.v[k]);
	}
	w = rule(x, c);
	if (nr > 1)
		w_lookup(w, cidrs, true, 1, PF_DADDR);
	else
		w_cidr(w, PF_DADDR, true, only);
	w_verdict(w, OP_DROP);
	rule_comment(w, "Drop traffic to unallocated ClusterIPs");
}

/* Which addresses take node ports: a set of them, or all local ones but loopback. */
static void to_node_port(struct nft *x, struct rw w, bool fib)
{
	struct cidr loopback;

	if (!x->k->node_port_all) {
		w_lookup(w, x->node_port_ips, true, 1, PF_DADDR);
		return;
	}
	if (fib)
		w_fib(w, FIB_DADDR_LOCAL, true);
	cidr_parse(x->k->v6 ? "::1/128" : "127.0.0.0/8", &loopback);
	w_cidr(w, PF_DADDR, false, loopback);
}

static void checks(struct nft *x)
{
	struct kp *k = x->k;
	struct rw w;

	if (!k->node_port_all) {
		x->node_port_ips = set(x, "nodeport-ips", SET_PLAIN, ip_key, 1, "IPs that accept NodePort traffic");
		for (uint32_t i = 0; i < k->nr_node_port_ips; i++)
			set_add(x->rs, x->node_port_ips, &k->node_port_ips[i]);
	}
	x->no_services = set(x, "no-endpoint-services", SET_VMAP, service_key, 3, "vmap to drop or reject packets to services with no endpoints");
	x->no_node_ports = set(x, "no-endpoint-nodeports", SET_VMAP, port_key, 2, "vmap to drop or reject packets to service nodeports with no endpoints");
	x->reject = chain(x, "reject-chain");
	{
		uint32_t below = x->rs->base ? ruleset_nr_chains(x->rs->base) : 0;

		if (x->reject.i > below)
			x->rs->chains.v[x->reject.i - below].comment = str_intern(x->rs->strings, "helper for @no-endpoint-services / @no-endpoint-nodeports");
	}
	w_reject(rule(x, x->reject), REJECT_DEFAULT);
	w_lookup(rule(x, chain(x, "service-endpoints-check")), x->no_services, true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT);
	w = rule(x, chain(x, "nodeport-endpoints-check"));
	to_node_port(x, w, false);
	w_lookup(w, x->no_node_ports, true, 2, PF_L4PROTO, PF_DPORT);
	x->firewall_ips = set(x, "firewall-ips", SET_VMAP, service_key, 3, "destinations that are subject to LoadBalancerSourceRanges");
	w_lookup(rule(x, chain(x, "firewall-check")), x->firewall_ips, true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT);
}

static void services(struct nft *x)
{
	struct kp *k = x->k;
	struct rw w;

	x->service_ips = set(x, "service-ips", SET_VMAP, service_key, 3, "ClusterIP, ExternalIP and LoadBalancer IP traffic");
	x->service_node_ports = set(x, "service-nodeports", SET_VMAP, port_key, 2, "NodePort traffic");
	x->services = chain(x, "services");
	if (k->s->masquerade_all || k->detector) {
		w = rule(x, x->services);
		w_lookup(w, x->cluster_ips, true, 1, PF_DADDR);
		if (!k->s->masquerade_all)
			from_local(w, k, false);
		mark(w, k);
		rule_comment(w, k->s->masquerade_all ? "masquerade all clusterIP traffic" : "masquerade clusterIP traffic from outside cluster");
	}
	w_lookup(rule(x, x->services), x->service_ips, true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT);
	w = rule(x, x->services);
	to_node_port(x, w, true);
	w_lookup(w, x->service_node_ports, true, 2, PF_L4PROTO, PF_DPORT);
}

/* ---- per Service port */

/* A number for what is written later: port, what of it, family. */
enum of_port { OF_PORT, OF_SERVICE, OF_EXTERNAL };

static uint32_t number_of(const struct nft *x, const struct kp_port *p, enum of_port what)
{
	return ((uint32_t)(p - x->k->ports->v) << 3 | (uint32_t)what << 1 | x->k->v6) + 1;
}

static void element(struct nft *x, set_h s, const struct kp_port *p, ip_addr ip, enum op_code code, chain_h to, cause_h why)
{
	struct elem *e = set_add_verdict(x->rs, s, (ip_addr[]){ ip, word(p->proto), word(p->port) }, code, to);

	e->cause = why;
	e->later = number_of(x, p, OF_PORT);
}

static void node_port_element(struct nft *x, set_h s, const struct kp_port *p, enum op_code code, chain_h to, cause_h why)
{
	struct elem *e = set_add_verdict(x->rs, s, (ip_addr[]){ word(p->proto), word(p->node_port) }, code, to);

	e->cause = why;
	e->later = number_of(x, p, OF_PORT);
}

static chain_h endpoint_chain(struct nft *x, const struct kp_port *p, const struct kp_endpoint *e, set_h *affinity)
{
	const char *base = endpoint_base(x->k, p, e);
	chain_h c = chain(x, hashed(x->k, "endpoint", base));
	const char *name = hashed(x->k, "affinity", base);
	uint32_t below = x->rs->base ? ruleset_nr_sets(x->rs->base) : 0;
	struct rw w;

	*affinity = ruleset_find_set(x->rs, x->t, name);
	if (affinity->i && chain_body(x->rs, c, NULL)->rules.nr)
		return c;
	*affinity = ruleset_set(x->rs, x->t, name, SET_PLAIN, SETF_DYNAMIC | SETF_TIMEOUT, source_key, 1);
	if (affinity->i > below)
		x->rs->sets.v[affinity->i - below].timeout = p->affinity;
	w = rule(x, c);
	w_update(w, *affinity, 0, 1, PF_SADDR);
	w = rule(x, c);
	w_num(w, PF_L4PROTO, REL_EQ, p->proto, 0);
	w_dnat(w, e->ip, e->port);
	return c;
}

/* The chain that chooses: one rule with the endpoints in a map, or with affinity a chain for each. */
static void choose(struct nft *x, const struct kp_port *p, chain_h c, set_h map, const struct kp_endpoints *ends)
{
	cause_h why = kp_cause_slice(x->k, p, ends);
	set_h affinity;
	struct rw w;

	for (uint32_t i = 0; i < ends->nr; i++) {
		const struct kp_endpoint *e = &ends->v[i];

		if (p->affinity) {
			chain_h ec = endpoint_chain(x, p, e, &affinity);

			w = rule(x, c);
			w_lookup(w, affinity, true, 1, PF_SADDR);
			w_goto(w, ec);
			rule_cause(w, why);
			set_add_verdict(x->rs, map, (ip_addr[]){ word(i) }, OP_GOTO, ec)->cause = why;
		} else {
			set_add_value(x->rs, map, (ip_addr[]){ word(i) }, e->ip, e->port)->cause = why;
		}
	}
	w = rule(x, c);
	if (!p->affinity)
		w_num(w, PF_L4PROTO, REL_EQ, p->proto, 0);
	w_choose(w, ends->nr);
	w_lookup(w, map, true, 1, PF_REGISTER);
	if (!p->affinity)
		w_dnat_register(w);
	rule_cause(w, why);
}

static set_h choices(struct nft *x, const struct kp_port *p)
{
	return ruleset_set(x->rs, x->t, NULL, p->affinity ? SET_VMAP : SET_MAP, 0, number_key, 1);
}

static chain_h choosing_chain(struct nft *x, const struct kp_port *p, const char *kind, const struct kp_endpoints *ends)
{
	chain_h c = chain(x, hashed(x->k, kind, p->base));

	choose(x, p, c, choices(x, p), ends);
	return c;
}

static void external_rules(struct nft *x, const struct kp_port *p, chain_h c, chain_h cluster, chain_h policy, bool has_external, cause_h why)
{
	struct rw w;

	if (!p->external_local) {
		w = rule(x, c);
		mark(w, x->k);
		rule_comment(w, "masquerade");
		rule_cause(w, why);
	} else {
		if (x->k->detector) {
			w = rule(x, c);
			from_local(w, x->k, true);
			w_goto(w, cluster);
			rule_comment(w, "short-circuit pod traffic");
			rule_cause(w, why);
		}
		w = rule(x, c);
		w_fib(w, FIB_SADDR_LOCAL, true);
		mark(w, x->k);
		rule_comment(w, "masquerade local traffic");
		rule_cause(w, why);
		w = rule(x, c);
		w_fib(w, FIB_SADDR_LOCAL, true);
		w_goto(w, cluster);
		rule_comment(w, "short-circuit local traffic");
		rule_cause(w, why);
	}
	if (has_external) {
		w = rule(x, c);
		w_goto(w, policy);
		rule_cause(w, why);
	}
}

/* loadBalancerSourceRanges: met with or without endpoints; the load balancer's own address is let in where a range has the node's (it may come back as source). */
static chain_h firewall_chain(struct nft *x, const struct kp_port *p, cause_h why)
{
	chain_h c = chain(x, hashed(x->k, "firewall", p->base));
	set_h allowed = ruleset_set(x->rs, x->t, NULL, SET_PLAIN, SETF_INTERVAL, source_key, 1);
	bool node = false;
	struct rw w;

	for (uint32_t k = 0; k < p->nr_ranges; k++) {
		set_add_cidr(x->rs, allowed, p->ranges[k]);
		node = node || (ip_set(x->k->node_ip) && cidr_contains(p->ranges[k], x->k->node_ip));
	}
	for (uint32_t k = 0; node && k < p->nr_lb_ips; k++)
		set_add_cidr(x->rs, allowed, (struct cidr){ p->lb_ips[k], (uint8_t)ip_bits(p->lb_ips[k]), true });
	w = rule(x, c);
	w_lookup(w, allowed, false, 1, PF_SADDR);
	w_verdict(w, OP_DROP);
	rule_cause(w, why);
	return c;
}

static void external_address(struct nft *x, const struct kp_port *p, ip_addr ip, chain_h ext, bool any, bool has_external, cause_h why)
{
	if (any)
		element(x, x->service_ips, p, ip, OP_GOTO, ext, why);
	if (!has_external)
		element(x, x->no_services, p, ip, any ? OP_DROP : OP_GOTO, any ? (chain_h){ 0 } : x->reject, kp_cause_refused(x->k, p, any, true));
}

/* What leads to a port's chains: elements of the maps. */
struct leads { chain_h cluster, local, ext; bool any, has_internal, has_external; cause_h why; };

static void lead_to(struct nft *x, const struct kp_port *p, const struct leads *l)
{
	struct kp *k = x->k;

	if (l->has_internal)
		element(x, x->service_ips, p, p->cluster_ip, OP_GOTO, p->internal_local ? l->local : l->cluster, l->why);
	else
		element(x, x->no_services, p, p->cluster_ip, l->any ? OP_DROP : OP_GOTO, l->any ? (chain_h){ 0 } : x->reject, kp_cause_refused(k, p, l->any, false));
	for (uint32_t i = 0; i < p->nr_external_ips; i++)
		external_address(x, p, p->external_ips[i], l->ext, l->any, l->has_external, l->why);
	if (p->nr_lb_ips && p->nr_ranges) {
		chain_h fw = firewall_chain(x, p, l->why);

		for (uint32_t i = 0; i < p->nr_lb_ips; i++)
			element(x, x->firewall_ips, p, p->lb_ips[i], OP_GOTO, fw, l->why);
	}
	for (uint32_t i = 0; i < p->nr_lb_ips; i++)
		external_address(x, p, p->lb_ips[i], l->ext, l->any, l->has_external, l->why);
	if (p->node_port && l->any)
		node_port_element(x, x->service_node_ports, p, OP_GOTO, l->ext, l->why);
	if (p->node_port && !l->has_external)
		node_port_element(x, x->no_node_ports, p, l->any ? OP_DROP : OP_GOTO, l->any ? (chain_h){ 0 } : x->reject, kp_cause_refused(k, p, l->any, true));
}

static void one_port(struct nft *x, struct kp_port *p)
{
	struct kp *k = x->k;
	struct leads l = { .why = kp_cause(k, p) };
	bool use_cluster, use_local;
	struct kp_sets sets;

	kp_base(k->all, p);
	kp_endpoints_of(k->all, p, k->v6);
	sets = kp_categorize(p, k->node_name, k->zone, k->s->same_node_hints, k->arena);
	use_cluster = sets.cluster.nr && kp_uses_cluster(p);
	use_local = sets.local.nr && kp_uses_local(p);
	l.any = sets.any;
	l.has_internal = p->internal_local ? use_local : use_cluster;
	l.has_external = p->external_local ? use_local : use_cluster;
	set_add(x->rs, x->cluster_ips, &p->cluster_ip)->cause = l.why;
	for (uint32_t e = 0; e < sets.reachable.nr; e++)
		if (sets.reachable.v[e].node && k->node_name && streq(sets.reachable.v[e].node, k->node_name))
			set_add(x->rs, x->hairpin, (ip_addr[]){ sets.reachable.v[e].ip, sets.reachable.v[e].ip, word(p->proto), word(sets.reachable.v[e].port) })->cause = l.why;
	if (use_cluster)
		l.cluster = choosing_chain(x, p, "service", &sets.cluster);
	if (use_local)
		l.local = choosing_chain(x, p, "local", &sets.local);
	if (sets.any && kp_externally_accessible(p)) {
		l.ext = chain(x, hashed(k, "external", p->base));
		external_rules(x, p, l.ext, l.cluster, p->external_local ? l.local : l.cluster, l.has_external, l.why);
	}
	lead_to(x, p, &l);
}

/* ---- written when somebody looks: the chains of ports that mean the same on every node, which are nearly all */

static void promise_port(struct nft *x, struct kp_port *p)
{
	struct promised *made;
	struct leads l = { .why = kp_cause(x->k, p) };

	while (x->promised.nr < x->k->ports->nr)
		vec_push(x->k->arena, &x->promised);
	made = &x->promised.v[p - x->k->ports->v];
	if (p->nr_ranges)
		kp_base(x->k->all, p);
	l.any = l.has_internal = l.has_external = kp_has_endpoints(x->k->all, p, x->k->v6);
	set_add(x->rs, x->cluster_ips, &p->cluster_ip)->cause = l.why;
	if (l.any) {
		l.cluster = ruleset_chain_later(x->rs, x->t, number_of(x, p, OF_SERVICE));
		made->map = choices(x, p);
	}
	if (l.any && kp_externally_accessible(p))
		l.ext = ruleset_chain_later(x->rs, x->t, number_of(x, p, OF_EXTERNAL));
	*made = (struct promised){ l.cluster, l.ext, made->map, l.why };
	lead_to(x, p, &l);
}

static struct kp_port *port_of(void *ctx, uint32_t number, struct nft **x, enum of_port *what)
{
	*x = ((struct both *)ctx)->of[(number - 1) & 1];
	*what = (enum of_port)((number - 1) >> 1 & 3);
	return &(*x)->k->ports->v[(number - 1) >> 3];
}

static const char *name_later(void *ctx, uint32_t number)
{
	enum of_port what;
	struct nft *x;
	struct kp_port *p = port_of(ctx, number, &x, &what);

	return hashed(x->k, what == OF_SERVICE ? "service" : "external", kp_base(x->k->all, p));
}

static const char *comment_later(void *ctx, uint32_t number)
{
	enum of_port what;
	struct nft *x;
	struct kp_port *p = port_of(ctx, number, &x, &what);

	return kp_name(x->k->all, p);
}

static void body_later(void *ctx, chain_h c, uint32_t number)
{
	enum of_port what;
	struct nft *x;
	struct kp_port *p = port_of(ctx, number, &x, &what);
	const struct promised *made = &x->promised.v[p - x->k->ports->v];

	if (what == OF_EXTERNAL) {
		external_rules(x, p, c, made->service, made->service, true, made->why);
	} else {
		struct arena *scratch = arena_new(NULL, "endpoints");
		struct kp_sets sets;

		kp_endpoints_of(x->k->all, p, x->k->v6);
		sets = kp_categorize(p, NULL, NULL, x->k->s->same_node_hints, scratch);
		choose(x, p, c, made->map, &sets.cluster);
		arena_free(scratch);
	}
}

/* ---- all of them, and one alone */

void kp_nft_service(struct kp *k, uint32_t service)
{
	const struct kp_service *s = &k->all->services.v[service];
	struct nft *x = k->writer;

	kp_service_begin(k, service);
	for (uint32_t n = 0; n < s->nr[k->v6]; n++) {
		struct kp_port *p = &k->ports->v[s->first[k->v6] + n];

		if (kp_same_everywhere(k, p))
			promise_port(x, p);
		else
			one_port(x, p);
	}
	kp_service_end(k, service);
}

void kp_nft_cut(struct kp *k, uint32_t service)
{
	const struct nft *x = k->writer;
	const set_h shared[] = { x->cluster_ips, x->hairpin, x->no_services, x->no_node_ports, x->firewall_ips, x->service_ips, x->service_node_ports };

	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		ruleset_cut_elements(k->rs, shared[i], k->all->services.v[service].place);
	kp_cut(k, service);
}

void kp_write_nft(struct kp *k)
{
	uint32_t below = k->rs->base ? ruleset_nr_tables(k->rs->base) : 0;
	struct nft *x = arena_make(k->arena, struct nft);
	struct both *both = k->rs->later.ctx ? k->rs->later.ctx : arena_make(k->arena, struct both);

	k->rs->place = PLACE_FIRST;
	*x = (struct nft){ .k = k, .rs = k->rs, .t = ruleset_table(k->rs, k->v6 ? NF_IP6 : NF_IP, "kube-proxy", false) };
	k->writer = x;
	both->of[k->v6] = x;
	k->rs->later = (struct later){ both, name_later, body_later, comment_later };
	if (x->t.i > below)
		k->rs->tables.v[x->t.i - below].comment = str_intern(k->rs->strings, "rules for kube-proxy");
	base_chains(x);
	jumps(x);
	masquerading(x);
	cluster_ips_check(x);
	checks(x);
	services(x);
	for (uint32_t i = 0; i < k->all->order.nr; i++)
		kp_nft_service(k, k->all->order.v[i]);
	k->rs->place = PLACE_LAST;
}
