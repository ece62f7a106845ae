/* NetworkPolicy as felix writes it: each Pod that a policy isolates has a chain for what comes to it (cali-tw-…) and for what leaves it (cali-fw-…), entered by the
 * name of its interface on the node. Answers pass by conntrack; the node itself reaches its own Pods (they are entered in FORWARD, and in INPUT only on their way out).
 * What several policies allow is joined; what none allows is dropped. Source: calico felix/rules/{dispatch,endpoints,policy,static}.go. */
#include <stdio.h>

#include "model/dataplane/compile.h"
#include "model/dataplane/policy_calico.h"

struct writer {
	struct compile *x;
	struct ruleset *rs;
	table_h table;
	bool four, ipt;
	enum np_dir dir;
};

static bool enforced(const struct compile *x)
{
	const struct settings_flags *f = x->settings->flags;

	return f && f->enforce_set ? f->enforce != 0 : x->cni->enforces_policy;
}

static void begin(struct writer *w, struct compile *x, struct ruleset *rs, bool four)
{
	*w = (struct writer){ .x = x, .rs = rs, .four = four, .ipt = x->settings->proxy_mode == PROXY_IPTABLES };
	w->table = ruleset_table(rs, four ? NF_IP : NF_IP6, w->ipt ? "filter" : "calico", w->ipt);
}

static chain_h chain_of(struct writer *w, const char *name)
{
	return ruleset_chain(w->rs, w->table, arena_printf(w->x->arena, "%s%s", w->ipt ? "" : "filter-", name));
}

void policy_calico_hooks(struct compile *x, struct ruleset *rs)
{
	static const struct { const char *name, *ours; enum nf_hook hook; } hooks[] = { { "FORWARD", "cali-FORWARD", HOOK_FORWARD }, { "INPUT", "cali-INPUT", HOOK_INPUT } };

	if (!x->nr_policies || !enforced(x))
		return;
	for (int four = 1; four >= 0; four--)
		for (size_t k = 0; k < ARRAY_LEN(hooks); k++) {
			struct writer w;
			chain_h base, ours;

			begin(&w, x, rs, four);
			base = chain_of(&w, hooks[k].name);
			ours = chain_of(&w, hooks[k].ours);
			ruleset_base_chain(rs, base, hooks[k].hook, NFT_FILTER, 0, OP_ACCEPT);
			w_jump(rule_begin(rs, base), ours);
		}
}

/* ---- what one item of from/to means, as sets of addresses */

static ip_addr address(const struct writer *w, const struct pod *p)
{
	if (ip_set(p->ip) && ip_is4(p->ip) == w->four)
		return p->ip;
	return ip_set(p->ip2) && ip_is4(p->ip2) == w->four ? p->ip2 : (ip_addr){ 0 };
}

static enum pkt_field far_end(const struct writer *w)
{
	return w->dir == NP_INGRESS ? PF_SADDR : PF_DADDR;
}

/* The addresses of all Pods that an item's selectors mean. One set for each item, by the digest of what it stands for. */
static set_h pods_set(struct writer *w, const struct np_compiled *p, const char *path, uint32_t item, const struct np_peers *peer)
{
	const uint8_t key[] = { PF_SADDR };
	const char *id = arena_printf(w->x->arena, "%s/%s %s[%u]", p->policy->o.ns, p->policy->o.name, path, item);
	char name[64];
	uint8_t sum[20];
	set_h set;

	sha1(id, strlen(id), sum);
	snprintf(name, sizeof(name), "cali%d0s-%02x%02x%02x%02x%02x%02x%02x%02x", w->four ? 4 : 6, sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], sum[6], sum[7]);
	set = ruleset_find_set(w->rs, w->table, name);
	if (set.i)
		return set;
	set = ruleset_set(w->rs, w->table, name, SET_PLAIN, w->ipt ? SETF_IPSET : 0, key, 1);
	for (uint32_t k = 0; k < w->x->nr_nodes; k++) {
		node_pods(&w->x->nodes[k]);
		for (uint32_t i = 0; i < w->x->nodes[k].nr_pods; i++) {
			const struct pod *pod = w->x->nodes[k].pods[i];
			ip_addr ip = address(w, pod);

			if (ip_set(ip) && np_peer_has_pod(w->x->cluster, p, peer, pod))
				set_add(w->rs, set, &ip);
		}
	}
	return set;
}

/* false: nothing of this family can be meant. */
static bool match_peer(struct writer *w, struct rw r, const struct np_compiled *p, const char *path, uint32_t item, const struct np_peers *peer)
{
	if (peer->all)
		return true;
	if (!peer->block.set) {
		w_lookup(r, pods_set(w, p, path, item, peer), true, 1, far_end(w));
		return true;
	}
	w_cidr(r, far_end(w), true, peer->block);
	for (uint32_t k = 0; k < peer->nr_except; k++)
		w_cidr(r, far_end(w), false, peer->except[k]);
	return true;
}

static bool of_family(const struct writer *w, const struct np_peers *peer)
{
	return !peer->block.set || ip_is4(peer->block.addr) == w->four;
}

/* ---- rules */

struct allow { chain_h chain; const struct np_compiled *p; const struct np_compiled_rule *rule; const char *path; cause_h cause; };

/* One rule for one item and one port (NULL: any); to: only to that Pod (named ports of an egress rule). */
static void allow(struct writer *w, const struct allow *a, const struct np_peers *peer, uint32_t item, const struct np_ports *port, uint16_t lo, uint16_t hi,
		  const struct pod *to)
{
	struct rw r = rule_begin(w->rs, a->chain);

	rule_cause(r, a->cause);
	if (peer)
		match_peer(w, r, a->p, a->path, item, peer);
	if (to)
		w_addr(r, PF_DADDR, REL_EQ, address(w, to));
	if (port) {
		w_num(r, PF_L4PROTO, REL_EQ, port->proto, 0);
		if (!port->any_port)
			w_num(r, PF_DPORT, lo == hi ? REL_EQ : REL_IN, lo, hi);
	}
	w_verdict(r, OP_RETURN);
}

/* The ports by which a Pod's containers call a name; each as a rule of its own. */
static void allow_named(struct writer *w, const struct allow *a, const struct np_peers *peer, uint32_t item, const struct np_ports *port, const struct pod *dst, bool to)
{
	for (int l = 0; l < 2; l++) {
		const container_list *list = l ? &dst->spec->init_containers : &dst->spec->containers;

		for (uint32_t k = 0; k < list->nr; k++)
			for (uint32_t i = 0; i < list->v[k].ports.nr; i++) {
				const struct container_port *c = &list->v[k].ports.v[i];
				const struct np_compiled_rule only = { .ports = (struct np_ports *)(uintptr_t)port, .nr_ports = 1 };

				if (streq(c->name, port->name) && np_ports_allow(&only, dst, port->proto, (uint16_t)c->port))
					allow(w, a, peer, item, port, (uint16_t)c->port, (uint16_t)c->port, to ? dst : NULL);
			}
	}
}

static void allow_port(struct writer *w, const struct allow *a, const struct np_peers *peer, uint32_t item, const struct np_ports *port, const struct pod *self)
{
	if (!port || !port->name) {
		allow(w, a, peer, item, port, port ? port->lo : 0, port ? port->hi : 0, NULL);
		return;
	}
	if (w->dir == NP_INGRESS) {
		allow_named(w, a, peer, item, port, self, false);
		return;
	}
	for (uint32_t k = 0; k < w->x->nr_nodes; k++) {
		node_pods(&w->x->nodes[k]);
		for (uint32_t i = 0; i < w->x->nodes[k].nr_pods; i++)
			if (ip_set(address(w, w->x->nodes[k].pods[i])))
				allow_named(w, a, peer, item, port, w->x->nodes[k].pods[i], true);
	}
}

static void write_policy(struct writer *w, chain_h chain, const struct np_compiled *p, const struct pod *self)
{
	for (uint32_t k = 0; k < p->nr_rules[w->dir]; k++) {
		const struct np_compiled_rule *r = &p->rules[w->dir][k];
		const char *path = np_rule_path(r, w->x->arena);
		struct allow a = { chain, p, r, path, cause_of(w->x, &p->policy->o, path) };

		for (uint32_t i = 0; i < r->nr_peers; i++) {
			if (!of_family(w, &r->peers[i]))
				continue;
			for (uint32_t j = 0; j < r->nr_ports; j++)
				allow_port(w, &a, &r->peers[i], i, &r->ports[j], self);
			if (!r->nr_ports)
				allow_port(w, &a, &r->peers[i], i, NULL, self);
		}
	}
}

/* → the Pod's chain of this direction; .i 0: no policy isolates it. */
static chain_h pod_chain(struct writer *w, const struct pod *p, const char *iface)
{
	chain_h chain = { 0 };
	const char *isolated_by = "";           /* the first policy; a comment has room for 128 bytes */
	cause_h first = { 0 };
	struct rw r;

	for (uint32_t k = 0; k < w->x->nr_policies; k++) {
		const struct np_compiled *np = &w->x->policies[k];

		if (!np->isolates[w->dir] || !np_selects(w->x->cluster, np, p))
			continue;
		if (!chain.i) {
			chain = chain_of(w, arena_printf(w->x->arena, "cali-%s-%s", w->dir == NP_INGRESS ? "tw" : "fw", iface));
			first = cause_of(w->x, &np->policy->o, "spec.podSelector");
			isolated_by = arena_printf(w->x->arena, "%s/%s", np->policy->o.ns, np->policy->o.name);
			r = rule_begin(w->rs, chain);
			w_num(r, PF_CT_STATE, REL_EQ, CT_RELATED | CT_ESTABLISHED, 0);
			w_verdict(r, OP_RETURN);
		}
		write_policy(w, chain, np, p);
	}
	if (chain.i) {
		r = rule_begin(w->rs, chain);
		rule_comment(r, arena_printf(w->x->arena, "Drop if no policies passed packet: %.80s", isolated_by));
		rule_cause(r, first);
		w_verdict(r, OP_DROP);
	}
	return chain;
}

static void enter(struct writer *w, chain_h from, const char *iface, chain_h pod)
{
	struct rw r = rule_begin(w->rs, from);

	w_name(r, w->dir == NP_INGRESS ? PF_OIFNAME : PF_IIFNAME, REL_EQ, iface);
	w_jump(r, pod);
}

/* A Pod whose packets to the node are judged must still be found by it: multicast listeners, router solicitations and neighbour discovery pass
 * (felix/rules/static.go filterWorkloadToHostChain). */
static void let_neighbours_be_found(struct writer *w, chain_h input)
{
	static const uint8_t types[] = { 130, 131, 132, 133, 135, 136 };

	for (size_t k = 0; k < ARRAY_LEN(types); k++) {
		struct rw r = rule_begin(w->rs, input);

		w_name(r, PF_IIFNAME, REL_NAME_PREFIX, "cali");
		w_num(r, PF_L4PROTO, REL_EQ, PROTO_ICMPV6, 0);
		w_num(r, PF_ICMP_TYPE, REL_EQ, types[k], 0);
		w_verdict(r, OP_ACCEPT);
	}
}

void policy_calico_node(struct compile *x, struct node_build *nb, struct ruleset *rs)
{
	if (!x->nr_policies || !enforced(x))
		return;
	for (int four = 1; four >= 0; four--) {
		struct writer w;
		chain_h forward, input;

		begin(&w, x, rs, four);
		forward = chain_of(&w, "cali-FORWARD");
		input = chain_of(&w, "cali-INPUT");
		if (!four)
			let_neighbours_be_found(&w, input);
		for (w.dir = NP_EGRESS;; w.dir = NP_INGRESS) {          /* what leaves a Pod is judged before it reaches another */
			for (uint32_t k = 0; k < nb->nr_pods; k++) {
				const char *iface = nb->host_end[k].i ? link_get(x->dp, nb->host_end[k])->name : NULL;
				chain_h chain = iface ? pod_chain(&w, nb->pods[k], iface) : (chain_h){ 0 };

				if (!chain.i)
					continue;
				enter(&w, forward, iface, chain);
				if (w.dir == NP_EGRESS)
					enter(&w, input, iface, chain);
			}
			if (w.dir == NP_INGRESS)
				break;
		}
	}
}
