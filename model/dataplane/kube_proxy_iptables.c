/* kube-proxy's iptables layout: chains KUBE-SERVICES, KUBE-NODEPORTS …, a chain per Service port (KUBE-SVC, KUBE-SVL, KUBE-EXT, KUBE-FW) and one per endpoint (KUBE-SEP).
 * Source: kubernetes pkg/proxy/iptables/proxier.go. */
#include <stdio.h>

#include "model/dataplane/kube_proxy.h"
#include "model/dataplane/packet.h"

#define LARGE_CLUSTER 1000      /* endpoints above which rules of endpoints have no comments */

/* What is written when somebody looks. */
struct promised { struct kp_endpoints ends; chain_h first_sep /* of theirs, which follow each other */; cause_h why, slice; };
struct promised_chain { uint32_t port; const struct kp_endpoint *end /* NULL: KUBE-SVC */; };

struct ipt {
	struct kp *k;
	struct ruleset *rs;
	table_h nat, filter;
	chain_h services, node_ports, postrouting, mark_masq;                                   /* nat */
	chain_h f_services, f_external, f_forward, f_node_ports, f_firewall;                    /* filter */
	bool large, localhost;
	cause_h why;                    /* of the rules that are being written */
	VEC(struct promised) promised;  /* by port */
	VEC(struct promised_chain) chains;      /* by number */
};
struct both { struct ipt *of[2]; };                     /* by family */

static const uint8_t source_key[] = { PF_SADDR };

static const char *hashed(struct kp *k, const char *prefix, const char *text)
{
	char hash[17];

	sha256_base32(text, hash, 16);
	return arena_printf(k->arena, "%s%s", prefix, hash);
}

static struct rw rule(struct ipt *x, chain_h c, const char *comment)
{
	struct rw w = rule_begin(x->rs, c);

	if (comment)
		rule_comment(w, comment);
	rule_cause(w, x->why);
	return w;
}

static void from_local(struct rw w, const struct kp *k, bool is)
{
	if (k->local_name)
		w_name(w, PF_IIFNAME, k->local_prefix ? (is ? REL_NAME_PREFIX : REL_NOT_NAME_PREFIX) : is ? REL_EQ : REL_NE, k->local_name);
	else
		w_cidr(w, PF_SADDR, is, k->local_cidr);
}

static const char *say(struct ipt *x, const struct kp_port *p, const char *fmt)
{
	return arena_printf(x->k->arena, "%s %s", p->name, fmt);
}

/* ---- what exists without any Service */

static chain_h top(struct ipt *x, table_h t, const char *name, enum nf_hook hook, int priority)
{
	chain_h c = ruleset_chain(x->rs, t, name);

	ruleset_base_chain(x->rs, c, hook, t.i == x->nat.i ? NFT_NAT : NFT_FILTER, priority, OP_ACCEPT);
	return c;
}

static void jump(struct ipt *x, chain_h from, chain_h to, bool only_new, const char *comment)
{
	struct rw w = rule(x, from, comment);

	if (only_new)
		w_num(w, PF_CT_STATE, REL_EQ, CT_NEW, 0);
	w_jump(w, to);
}

/* In the order in which they end up: each new jump goes on top, so the last comes first. */
static void jumps(struct ipt *x)
{
	static const char firewall[] = "kubernetes load balancer firewall", portals[] = "kubernetes service portals", outside[] = "kubernetes externally-visible service portals";
	chain_h in = top(x, x->filter, "INPUT", HOOK_INPUT, 0), fwd = top(x, x->filter, "FORWARD", HOOK_FORWARD, 0), out = top(x, x->filter, "OUTPUT", HOOK_OUTPUT, 0);
	chain_h pre = top(x, x->nat, "PREROUTING", HOOK_PREROUTING, -100), nat_out = top(x, x->nat, "OUTPUT", HOOK_OUTPUT, -100);
	chain_h post = top(x, x->nat, "POSTROUTING", HOOK_POSTROUTING, 100), kubelet = ruleset_chain(x->rs, x->filter, "KUBE-FIREWALL");

	jump(x, in, kubelet, false, NULL);
	jump(x, in, x->f_firewall, true, firewall);
	jump(x, in, x->f_node_ports, false, "kubernetes health check service ports");
	jump(x, in, x->f_external, true, outside);
	jump(x, fwd, x->f_firewall, true, firewall);
	jump(x, fwd, x->f_forward, false, "kubernetes forwarding rules");
	jump(x, fwd, x->f_services, true, portals);
	jump(x, fwd, x->f_external, true, outside);
	jump(x, out, kubelet, false, NULL);
	jump(x, out, x->f_firewall, true, firewall);
	jump(x, out, x->f_services, true, portals);
	jump(x, pre, x->services, false, portals);
	jump(x, nat_out, x->services, false, portals);
	jump(x, post, x->postrouting, false, "kubernetes postrouting rules");
	if (x->localhost) {
		struct cidr lo;
		struct rw w = rule(x, kubelet, "block incoming localnet connections");

		cidr_parse("127.0.0.0/8", &lo);
		w_cidr(w, PF_SADDR, false, lo);
		w_cidr(w, PF_DADDR, true, lo);
		w_num(w, PF_CT_STATE, REL_NOT_IN, CT_RELATED | CT_ESTABLISHED | CT_DNATED, 0);
		w_verdict(w, OP_DROP);
	}
}

static void fixed_rules(struct ipt *x)
{
	struct kp *k = x->k;
	struct rw w = rule(x, x->postrouting, NULL);

	w_num(w, PF_MARK, REL_MASK_NE, k->mark, k->mark);
	w_verdict(w, OP_RETURN);
	w = rule(x, x->postrouting, NULL);
	w_mark(w, ~0u, k->mark);
	w = rule(x, x->postrouting, "kubernetes service traffic requiring SNAT");
	w_masquerade(w, k->s->kernel.random_fully);
	w = rule(x, x->mark_masq, NULL);
	w_mark(w, ~k->mark, k->mark);
	if (!k->s->kernel.be_liberal) {
		bool counted = false;

		for (uint32_t i = 0; i < k->s->kernel.nfacct.nr; i++)
			counted = counted || streq(k->s->kernel.nfacct.v[i], "ct_state_invalid_dropped_pkts");
		w = rule(x, x->f_forward, NULL);
		w_num(w, PF_CT_STATE, REL_EQ, CT_INVALID, 0);
		if (counted)
			w_account(w, "ct_state_invalid_dropped_pkts");
		w_verdict(w, OP_DROP);
	}
	w = rule(x, x->f_forward, "kubernetes forwarding rules");
	w_num(w, PF_MARK, REL_MASK_EQ, k->mark, k->mark);
	w_verdict(w, OP_ACCEPT);
	w = rule(x, x->f_forward, "kubernetes forwarding conntrack rule");
	w_num(w, PF_CT_STATE, REL_EQ, CT_RELATED | CT_ESTABLISHED, 0);
	w_verdict(w, OP_ACCEPT);
}

/* The last rule of KUBE-SERVICES. */
static void to_node_ports(struct ipt *x)
{
	static const char comment[] = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
	struct kp *k = x->k;
	struct rw w;

	for (uint32_t i = 0; !k->node_port_all && i < k->nr_node_port_ips; i++) {
		w = rule(x, x->services, comment);
		w_addr(w, PF_DADDR, REL_EQ, k->node_port_ips[i]);
		w_jump(w, x->node_ports);
	}
	if (!k->node_port_all)
		return;
	w = rule(x, x->services, comment);
	w_fib(w, FIB_DADDR_LOCAL, true);
	if (k->v6) {
		w_addr(w, PF_DADDR, REL_NE, (ip_addr){ 0, 1 });
	} else if (!k->s->localhost_node_ports) {
		struct cidr lo;

		cidr_parse("127.0.0.0/8", &lo);
		w_cidr(w, PF_DADDR, false, lo);
	}
	w_jump(w, x->node_ports);
}

/* ---- per Service port */

static struct rw to(struct ipt *x, chain_h c, const struct kp_port *p, const ip_addr *ip, uint16_t port, const char *comment)
{
	struct rw w = rule(x, c, comment);

	w_num(w, PF_L4PROTO, REL_EQ, p->proto, 0);
	if (ip)
		w_addr(w, PF_DADDR, REL_EQ, *ip);
	w_num(w, PF_DPORT, REL_EQ, port, 0);
	return w;
}

static void refuse(struct ipt *x, const struct kp_port *p, struct rw w, bool any, bool external)
{
	rule_cause(w, kp_cause_refused(x->k, p, any, external));
	if (any)
		w_verdict(w, OP_DROP);
	else
		w_reject(w, REJECT_DEFAULT);
}

struct made { chain_h cluster, local, ext, fw; bool use_cluster, use_local, has_internal, has_external; struct kp_sets sets; const char *none; };

static void node_port_rules(struct ipt *x, const struct kp_port *p, const struct made *m)
{
	struct rw w;

	if (m->sets.any) {
		for (uint32_t i = 0; x->localhost && i < x->k->s->kernel.nfacct.nr; i++) {
			struct cidr lo;

			if (!streq(x->k->s->kernel.nfacct.v[i], "localhost_nps_accepted_pkts"))
				continue;
			cidr_parse("127.0.0.0/8", &lo);
			w = rule(x, x->node_ports, p->name);
			w_num(w, PF_L4PROTO, REL_EQ, p->proto, 0);
			w_cidr(w, PF_DADDR, true, lo);
			w_num(w, PF_DPORT, REL_EQ, p->node_port, 0);
			w_account(w, "localhost_nps_accepted_pkts");
			w_jump(w, m->ext);
		}
		w_jump(to(x, x->node_ports, p, NULL, p->node_port, p->name), m->ext);
	}
	if (!m->has_external) {
		w = rule(x, x->f_external, say(x, p, m->none));
		w_num(w, PF_L4PROTO, REL_EQ, p->proto, 0);
		w_fib(w, FIB_DADDR_LOCAL, true);
		w_num(w, PF_DPORT, REL_EQ, p->node_port, 0);
		refuse(x, p, w, m->sets.any, true);
	}
	if (p->svc->health_check_node_port && p->external_local) {
		w = rule(x, x->f_node_ports, say(x, p, "health check node port"));
		w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0);
		w_num(w, PF_DPORT, REL_EQ, (uint32_t)p->svc->health_check_node_port, 0);
		w_verdict(w, OP_ACCEPT);
	}
}

static void capture(struct ipt *x, const struct kp_port *p, const struct made *m)
{
	if (m->has_internal)
		w_jump(to(x, x->services, p, &p->cluster_ip, p->port, say(x, p, "cluster IP")), p->internal_local ? m->local : m->cluster);
	else
		refuse(x, p, to(x, x->f_services, p, &p->cluster_ip, p->port, say(x, p, m->none)), m->sets.any, false);
	for (uint32_t i = 0; i < p->nr_external_ips; i++) {
		if (m->sets.any)
			w_jump(to(x, x->services, p, &p->external_ips[i], p->port, say(x, p, "external IP")), m->ext);
		if (!m->has_external)
			refuse(x, p, to(x, x->f_external, p, &p->external_ips[i], p->port, say(x, p, m->none)), m->sets.any, true);
	}
	for (uint32_t i = 0; i < p->nr_lb_ips; i++) {
		if (m->sets.any)
			w_jump(to(x, x->services, p, &p->lb_ips[i], p->port, say(x, p, "loadbalancer IP")), m->fw.i ? m->fw : m->ext);
		if (m->sets.any && m->fw.i) {
			struct rw w = to(x, x->f_firewall, p, &p->lb_ips[i], p->port, say(x, p, arena_printf(x->k->arena, "traffic not accepted by %s", ruleset_chain_get(x->rs, m->fw)->name)));

			w_verdict(w, OP_DROP);
		}
	}
	for (uint32_t i = 0; !m->has_external && i < p->nr_lb_ips; i++)
		refuse(x, p, to(x, x->f_external, p, &p->lb_ips[i], p->port, say(x, p, m->none)), m->sets.any, true);
	if (p->node_port)
		node_port_rules(x, p, m);
	else if (p->svc->health_check_node_port && p->external_local) {
		struct rw w = rule(x, x->f_node_ports, say(x, p, "health check node port"));

		w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0);
		w_num(w, PF_DPORT, REL_EQ, (uint32_t)p->svc->health_check_node_port, 0);
		w_verdict(w, OP_ACCEPT);
	}
}

static void internal_masquerade(struct ipt *x, const struct kp_port *p, chain_h c)
{
	struct rw w;

	if (!x->k->s->masquerade_all && !x->k->detector)
		return;
	w = to(x, c, p, &p->cluster_ip, p->port, say(x, p, "cluster IP"));
	if (!x->k->s->masquerade_all)
		from_local(w, x->k, false);
	w_jump(w, x->mark_masq);
}

static void external_chain(struct ipt *x, const struct kp_port *p, const struct made *m)
{
	struct rw w;

	if (!p->external_local) {
		w_jump(rule(x, m->ext, arena_printf(x->k->arena, "masquerade traffic for %s external destinations", p->name)), x->mark_masq);
	} else {
		if (x->k->detector) {
			w = rule(x, m->ext, arena_printf(x->k->arena, "pod traffic for %s external destinations", p->name));
			from_local(w, x->k, true);
			w_jump(w, m->cluster);
		}
		w = rule(x, m->ext, arena_printf(x->k->arena, "masquerade LOCAL traffic for %s external destinations", p->name));
		w_fib(w, FIB_SADDR_LOCAL, true);
		w_jump(w, x->mark_masq);
		w = rule(x, m->ext, arena_printf(x->k->arena, "route LOCAL traffic for %s external destinations", p->name));
		w_fib(w, FIB_SADDR_LOCAL, true);
		w_jump(w, m->cluster);
	}
	if (m->has_external)
		w_jump(rule(x, m->ext, NULL), p->external_local ? m->local : m->cluster);
}

static void firewall_chain(struct ipt *x, const struct kp_port *p, const struct made *m)
{
	const char *comment = say(x, p, "loadbalancer IP");
	bool node = false;
	struct rw w;

	for (uint32_t k = 0; k < p->nr_ranges; k++) {
		w = rule(x, m->fw, comment);
		w_cidr(w, PF_SADDR, true, p->ranges[k]);
		w_jump(w, m->ext);
		node = node || (ip_set(x->k->node_ip) && cidr_contains(p->ranges[k], x->k->node_ip));
	}
	for (uint32_t k = 0; node && k < p->nr_lb_ips; k++) {
		w = rule(x, m->fw, comment);
		w_addr(w, PF_SADDR, REL_EQ, p->lb_ips[k]);
		w_jump(w, m->ext);
	}
	rule(x, m->fw, arena_printf(x->k->arena, "other traffic to %s will be dropped by KUBE-PROXY-FIREWALL", p->name));
}

static const char *port_id(struct ipt *x, struct kp_port *p)
{
	return arena_printf(x->k->arena, "%s%s", kp_name(x->k->all, p), p->proto_word);
}

static const char *sep_name(struct ipt *x, const struct kp_port *p, const struct kp_endpoint *e)
{
	return hashed(x->k, "KUBE-SEP-", arena_printf(x->k->arena, "%s%s%s", p->name, p->proto_word, e->text));
}

static set_h recent(struct ipt *x, const struct kp_port *p, const char *name)
{
	set_h h = ruleset_set(x->rs, x->nat, name, SET_PLAIN, SETF_DYNAMIC | SETF_TIMEOUT, source_key, 1);
	uint32_t below = x->rs->base ? ruleset_nr_sets(x->rs->base) : 0;

	if (h.i > below)
		x->rs->sets.v[h.i - below].timeout = p->affinity;
	return h;
}

/* first: of the promised ones; .i 0: it is found by its name. */
static chain_h sep_chain(struct ipt *x, const struct kp_port *p, const struct kp_endpoints *ends, uint32_t i, chain_h first)
{
	return first.i ? (chain_h){ first.i + i } : ruleset_chain(x->rs, x->nat, sep_name(x, p, &ends->v[i]));
}

static void choose(struct ipt *x, const struct kp_port *p, chain_h c, const struct kp_endpoints *ends, chain_h first)
{
	struct rw w;

	for (uint32_t i = 0; p->affinity && i < ends->nr; i++) {
		w = rule(x, c, x->large ? NULL : arena_printf(x->k->arena, "%s -> %s", p->name, ends->v[i].text));
		w_lookup(w, recent(x, p, sep_name(x, p, &ends->v[i])), true, 1, PF_SADDR);
		w_jump(w, sep_chain(x, p, ends, i, first));
	}
	for (uint32_t i = 0; i < ends->nr; i++) {
		w = rule(x, c, x->large ? NULL : arena_printf(x->k->arena, "%s -> %s", p->name, ends->v[i].text));
		if (i + 1 < ends->nr)
			w_chance(w, 1, ends->nr - i);
		w_jump(w, sep_chain(x, p, ends, i, first));
	}
}

static void endpoint_rules(struct ipt *x, const struct kp_port *p, const struct kp_endpoint *e, chain_h c)
{
	const char *comment = x->large ? NULL : p->name;
	struct rw w = rule(x, c, comment);

	w_addr(w, PF_SADDR, REL_EQ, e->ip);
	w_jump(w, x->mark_masq);
	w = rule(x, c, comment);
	if (p->affinity)
		w_update(w, recent(x, p, sep_name(x, p, e)), 0, 1, PF_SADDR);
	w_num(w, PF_L4PROTO, REL_EQ, p->proto, 0);
	w_dnat(w, e->ip, e->port);
}

/* ---- written when somebody looks: KUBE-SVC and KUBE-SEP chains, with the hashes in their names */

static chain_h promise(struct ipt *x, const struct kp_port *p, const struct kp_endpoint *end)
{
	vec_add(x->k->arena, &x->chains, (struct promised_chain){ (uint32_t)(p - x->k->ports->v), end });
	return ruleset_chain_later(x->rs, x->nat, ((x->chains.nr - 1) << 1 | x->k->v6) + 1);
}

static void promise_endpoints(struct ipt *x, const struct kp_port *p, struct kp_endpoints ends, cause_h why)
{
	struct promised *made;

	while (x->promised.nr < x->k->ports->nr)
		vec_push(x->k->arena, &x->promised);
	made = &x->promised.v[p - x->k->ports->v];
	*made = (struct promised){ .ends = ends, .why = why, .slice = kp_cause_slice(x->k, p, &ends) };
	for (uint32_t i = 0; i < ends.nr; i++) {
		chain_h c = promise(x, p, &ends.v[i]);

		made->first_sep = i ? made->first_sep : c;
	}
}

static struct ipt *who_promised(void *ctx, uint32_t number, struct kp_port **p, const struct kp_endpoint **end)
{
	struct ipt *x = ((struct both *)ctx)->of[(number - 1) & 1];
	const struct promised_chain *c = &x->chains.v[(number - 1) >> 1];

	*p = &x->k->ports->v[c->port];
	*end = c->end;
	return x;
}

static const char *name_later(void *ctx, uint32_t number)
{
	const struct kp_endpoint *end;
	struct kp_port *p;
	struct ipt *x = who_promised(ctx, number, &p, &end);

	return end ? sep_name(x, p, end) : hashed(x->k, "KUBE-SVC-", port_id(x, p));
}

static void body_later(void *ctx, chain_h c, uint32_t number)
{
	const struct kp_endpoint *end;
	struct kp_port *p;
	struct ipt *x = who_promised(ctx, number, &p, &end);
	const struct promised *made = &x->promised.v[p - x->k->ports->v];

	x->why = made->why;
	if (!end)
		internal_masquerade(x, p, c);
	x->why = made->slice;
	if (end)
		endpoint_rules(x, p, end, c);
	else
		choose(x, p, c, &made->ends, made->first_sep);
}

/* ---- all of a port */

static void one_port(struct ipt *x, struct kp_port *p)
{
	struct kp *k = x->k;
	const bool later = kp_same_everywhere(k, p);
	const char *id = later && !kp_externally_accessible(p) ? NULL : port_id(x, p);
	struct made m = { .use_cluster = false };

	kp_name(k->all, p);
	kp_endpoints_of(k->all, p, k->v6);
	m.sets = kp_categorize(p, k->node_name, k->zone, k->s->same_node_hints, k->arena);
	x->why = kp_cause(k, p);
	m.use_cluster = m.sets.cluster.nr && kp_uses_cluster(p);
	m.use_local = m.sets.local.nr && kp_uses_local(p);
	m.has_internal = p->internal_local ? m.use_local : m.use_cluster;
	m.has_external = p->external_local ? m.use_local : m.use_cluster;
	m.none = m.sets.any ? "has no local endpoints" : "has no endpoints";
	if (m.use_cluster)
		m.cluster = later ? promise(x, p, NULL) : ruleset_chain(x->rs, x->nat, hashed(k, "KUBE-SVC-", id));
	if (m.use_local)
		m.local = ruleset_chain(x->rs, x->nat, hashed(k, "KUBE-SVL-", id));
	if (m.sets.any && kp_externally_accessible(p))
		m.ext = ruleset_chain(x->rs, x->nat, hashed(k, "KUBE-EXT-", id));
	if (m.sets.any && p->nr_lb_ips && p->nr_ranges)
		m.fw = ruleset_chain(x->rs, x->nat, hashed(k, "KUBE-FW-", id));
	capture(x, p, &m);
	if (m.has_internal && !later)
		internal_masquerade(x, p, p->internal_local ? m.local : m.cluster);
	if (m.ext.i)
		external_chain(x, p, &m);
	if (m.fw.i)
		firewall_chain(x, p, &m);
	if (later) {                    /* no local ones: those that it chooses among are all that can be reached */
		promise_endpoints(x, p, m.sets.cluster, x->why);
		return;
	}
	x->why = kp_cause_slice(k, p, &m.sets.reachable);
	if (m.use_cluster)
		choose(x, p, m.cluster, &m.sets.cluster, (chain_h){ 0 });
	if (m.use_local)
		choose(x, p, m.local, &m.sets.local, (chain_h){ 0 });
	for (uint32_t i = 0; i < m.sets.reachable.nr; i++)
		endpoint_rules(x, p, &m.sets.reachable.v[i], sep_chain(x, p, &m.sets.reachable, i, (chain_h){ 0 }));
}

static struct ipt begin(struct kp *k)
{
	enum nf_family family = k->v6 ? NF_IP6 : NF_IP;
	struct ipt x = { .k = k, .rs = k->rs, .filter = ruleset_table(k->rs, family, "filter", true), .nat = ruleset_table(k->rs, family, "nat", true) };

	x.localhost = !k->v6 && kube_proxy_sysctls(k->s).route_localnet;
	x.f_services = ruleset_chain(x.rs, x.filter, "KUBE-SERVICES");
	x.f_external = ruleset_chain(x.rs, x.filter, "KUBE-EXTERNAL-SERVICES");
	x.f_forward = ruleset_chain(x.rs, x.filter, "KUBE-FORWARD");
	x.f_node_ports = ruleset_chain(x.rs, x.filter, "KUBE-NODEPORTS");
	x.f_firewall = ruleset_chain(x.rs, x.filter, "KUBE-PROXY-FIREWALL");
	x.services = ruleset_chain(x.rs, x.nat, "KUBE-SERVICES");
	x.node_ports = ruleset_chain(x.rs, x.nat, "KUBE-NODEPORTS");
	x.postrouting = ruleset_chain(x.rs, x.nat, "KUBE-POSTROUTING");
	x.mark_masq = ruleset_chain(x.rs, x.nat, "KUBE-MARK-MASQ");
	return x;
}

void kp_iptables_jumps(struct kp *k)
{
	struct ipt x = begin(k);

	jumps(&x);
}

/* ---- all of them, and one alone */

bool kp_iptables_large(struct kube_proxy *k, bool v6)
{
	return kp_nr_endpoints(k, v6) > LARGE_CLUSTER;
}

void kp_iptables_service(struct kp *k, uint32_t service)
{
	const struct kp_service *s = &k->all->services.v[service];

	kp_service_begin(k, service);
	for (uint32_t n = 0; n < s->nr[k->v6]; n++)
		one_port(k->writer, &k->ports->v[s->first[k->v6] + n]);
	kp_service_end(k, service);
}

void kp_iptables_cut(struct kp *k, uint32_t service)
{
	const struct ipt *x = k->writer;
	const chain_h shared[] = { x->services, x->node_ports, x->f_services, x->f_external, x->f_node_ports, x->f_firewall };

	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		ruleset_cut_rules(k->rs, shared[i], k->all->services.v[service].place);
	kp_cut(k, service);
}

void kp_write_iptables(struct kp *k)
{
	struct ipt *x = arena_make(k->arena, struct ipt);
	struct both *both = k->rs->later.ctx ? k->rs->later.ctx : arena_make(k->arena, struct both);

	k->rs->place = PLACE_FIRST;
	*x = begin(k);
	k->writer = x;
	both->of[k->v6] = x;
	k->rs->later = (struct later){ both, name_later, body_later, NULL };
	x->large = k->large = kp_iptables_large(k->all, k->v6);
	fixed_rules(x);
	for (uint32_t i = 0; i < k->all->order.nr; i++)
		kp_iptables_service(k, k->all->order.v[i]);
	x->why = (cause_h){ 0 };
	k->rs->place = PLACE_LAST;
	to_node_ports(x);
}
