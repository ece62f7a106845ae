/* NetworkPolicy as felix writes it: each policy has a chain for each direction (cali-pi-…, cali-po-…) that marks what it allows; each Pod that one isolates has a chain
 * for what comes to it (cali-tw-…) and for what leaves it (cali-fw-…), which asks its policies in turn and drops what none has marked. Dispatch is by the name of the
 * Pod's interface. Answers pass by conntrack; the node itself reaches its own Pods (they are entered in FORWARD, and in INPUT only on their way out).
 * Pods that no policy isolates, which felix lets pass by their profile, have no chains here. Source: calico felix/rules/{dispatch,endpoints,policy,static}.go. */
#include <stdio.h>

#include "model/dataplane/compile.h"
#include "model/dataplane/policy_calico.h"
#include "model/dataplane/policy_writer.h"
#include "model/policy/foreign.h"

#define CHAIN_NAME 28                           /* bytes that iptables leaves for a chain's name (felix/iptables MaxChainNameLength) */

/* prefix and suffix, or where that is too long the suffix' SHA-256 in URL-safe base 64, cut: felix/hashutils GetLengthLimitedID. */
const char *policy_limited_id(struct arena *a, const char *prefix, const char *suffix)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char hash[CHAIN_NAME + 1];
	uint8_t sum[32];
	size_t n;

	if (strlen(prefix) + strlen(suffix) <= CHAIN_NAME)
		return arena_printf(a, "%s%s", prefix, suffix);
	n = CHAIN_NAME - 1 - strlen(prefix);
	sha256(suffix, strlen(suffix), sum);
	for (size_t k = 0; k < n; k++) {
		uint32_t bits = (uint32_t)sum[k * 6 / 8] << 8 | sum[k * 6 / 8 + 1];

		hash[k] = digits[bits >> (10 - k * 6 % 8) & 63];
	}
	hash[n] = '\0';
	return arena_printf(a, "%s_%s", prefix, hash);
}

static bool enforced(const struct compile *x)
{
	const struct settings_flags *f = x->settings->flags;

	return x->cni->enforces_policy && !(f && f->enforce_set && f->enforce == 0);
}

static void begin(struct writer *w, struct compile *x, struct ruleset *rs, bool four)
{
	*w = (struct writer){ .x = x, .rs = rs, .four = four, .ipt = x->settings->proxy_mode == PROXY_IPTABLES };
	w->table = ruleset_table(rs, four ? NF_IP : NF_IP6, w->ipt ? "filter" : "calico", w->ipt);
}

chain_h policy_chain_of(struct writer *w, const char *name)
{
	return ruleset_chain(w->rs, w->table, arena_printf(w->x->arena, "%s%s", w->ipt ? "" : "filter-", name));
}

static bool anything(const struct compile *x)
{
	return (x->nr_policies || x->tiers.nr_policies || x->tiers.host_endpoints) && enforced(x);
}

void policy_calico_hooks(struct compile *x, struct ruleset *rs)
{
	static const struct { const char *name, *ours; enum nf_hook hook; } hooks[] = { { "FORWARD", "cali-FORWARD", HOOK_FORWARD }, { "INPUT", "cali-INPUT", HOOK_INPUT },
							      { "OUTPUT", "cali-OUTPUT", HOOK_OUTPUT } };

	if (!anything(x))
		return;
	for (int four = 1; four >= 0; four--)
		for (size_t k = 0; k < ARRAY_LEN(hooks) - !x->tiers.host_endpoints; k++) {
			struct writer w;
			chain_h base, ours;

			begin(&w, x, rs, four);
			base = policy_chain_of(&w, hooks[k].name);
			ours = policy_chain_of(&w, hooks[k].ours);
			ruleset_base_chain(rs, base, hooks[k].hook, NFT_FILTER, 0, OP_ACCEPT);
			w_jump(rule_begin(rs, base), ours);
		}
}

void policy_calico_accept(struct compile *x, struct ruleset *rs)
{
	struct writer w;
	struct rw r;

	if (x->settings->cni != CNI_CALICO || x->settings->proxy_mode != PROXY_IPTABLES || !x->settings->kernel.forward_drop)
		return;
	begin(&w, x, rs, true);
	for (int in = 1; in >= 0; in--) {
		r = rule_begin(rs, policy_chain_of(&w, "FORWARD"));
		rule_comment(r, "Policy explicitly accepted packet.");
		w_name(r, in ? PF_IIFNAME : PF_OIFNAME, REL_NAME_PREFIX, "cali");
		w_verdict(r, OP_ACCEPT);
	}
}

/* ---- what one item of from/to means, as sets of addresses */

ip_addr policy_address(const struct writer *w, const struct pod *p)
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
			ip_addr ip = policy_address(w, pod);

			if (ip_set(ip) && np_peer_has_pod(w->x->cluster, p, peer, pod))
				set_add(w->rs, set, &ip);
		}
	}
	return set;
}

static void match_peer(struct writer *w, struct rw r, const struct np_compiled *p, const char *path, uint32_t item, const struct np_peers *peer)
{
	if (peer->all)
		return;
	if (!peer->block.set) {
		w_lookup(r, pods_set(w, p, path, item, peer), true, 1, far_end(w));
		return;
	}
	w_cidr(r, far_end(w), true, peer->block);
	if (peer->nr_except)
		w_num(r, PF_MARK, REL_MASK_EQ, MARK_BLOCKS, MARK_BLOCKS);
}

static bool of_family(const struct writer *w, const struct np_peers *peer)
{
	return !peer->block.set || ip_is4(peer->block.addr) == w->four;
}

/* ---- rules */

struct allow { chain_h chain; const struct np_compiled *p; const char *path; cause_h cause; };

void policy_clear_mark(struct writer *w, chain_h chain, uint32_t bits, const char *comment)
{
	struct rw r = rule_begin(w->rs, chain);

	w_mark(r, ~bits, 0);
	if (comment)
		rule_comment(r, comment);
}

void policy_mark_and_return(struct writer *w, struct rw r, uint32_t mark, chain_h chain, cause_h cause)
{
	w_mark(r, ~mark, mark);
	r = rule_begin(w->rs, chain);
	rule_cause(r, cause);
	w_num(r, PF_MARK, REL_MASK_EQ, mark, mark);
	w_verdict(r, OP_RETURN);
}

/* A rule has room for one match of an address: what a block leaves out is asked before, and clears a mark that the rule wants. */
static void exceptions(struct writer *w, const struct allow *a, const struct np_peers *peer)
{
	for (uint32_t k = 0; k <= peer->nr_except && peer->nr_except; k++) {
		struct rw r = rule_begin(w->rs, a->chain);

		rule_cause(r, a->cause);
		if (k)
			w_cidr(r, far_end(w), true, peer->except[k - 1]);
		w_mark(r, k ? ~(uint32_t)MARK_BLOCKS : ~(uint32_t)(MARK_BLOCKS | MARK_BLOCK), k ? 0 : MARK_BLOCKS);
	}
}

/* One rule for one item and one port (NULL: any); to: only to that Pod (ports by name, in iptables). */
static void allow(struct writer *w, const struct allow *a, const struct np_peers *peer, uint32_t item, const struct np_ports *port, uint16_t lo, uint16_t hi,
		  const struct pod *to)
{
	struct rw r;

	exceptions(w, a, peer);
	r = rule_begin(w->rs, a->chain);
	rule_cause(r, a->cause);
	match_peer(w, r, a->p, a->path, item, peer);
	if (to)
		w_addr(r, PF_DADDR, REL_EQ, policy_address(w, to));
	if (port) {
		w_num(r, PF_L4PROTO, REL_EQ, port->proto, 0);
		if (!port->any_port)
			w_num(r, PF_DPORT, lo == hi ? REL_EQ : REL_IN, lo, hi);
	}
	policy_mark_and_return(w, r, MARK_ACCEPT, a->chain, a->cause);
}

static void named_by(const struct pod *dst, const struct np_ports *port, policy_named_fn take, void *ctx)
{
	const struct np_compiled_rule only = { .ports = (struct np_ports *)(uintptr_t)port, .nr_ports = 1 };

	for (int l = 0; l < 2; l++) {
		const container_list *list = l ? &dst->spec->init_containers : &dst->spec->containers;

		for (uint32_t k = 0; k < list->nr; k++)
			for (uint32_t i = 0; i < list->v[k].ports.nr; i++) {
				const struct container_port *c = &list->v[k].ports.v[i];

				if (streq(c->name, port->name) && np_ports_allow(&only, dst, port->proto, (uint16_t)c->port))
					take(ctx, dst, (uint16_t)c->port);
			}
	}
}

void policy_each_named(struct writer *w, const struct np_ports *port, const struct node_build *only, policy_named_fn take, void *ctx)
{
	for (uint32_t k = 0; k < w->x->nr_nodes; k++) {
		struct node_build *nb = &w->x->nodes[k];

		if (only && nb != only)
			continue;
		node_pods(nb);
		for (uint32_t i = 0; i < nb->nr_pods; i++)
			if (ip_set(policy_address(w, nb->pods[i])))
				named_by(nb->pods[i], port, take, ctx);
	}
}

struct naming { struct writer *w; const struct np_ports *port; set_h set; };

static void add_member(void *ctx, const struct pod *dst, uint16_t number)
{
	struct naming *n = ctx;
	const ip_addr key[3] = { policy_address(n->w, dst), { 0, n->port->proto }, { 0, number } };

	set_add(n->w->rs, n->set, key);
}

set_h policy_named_set(struct writer *w, const struct np_ports *port)
{
	static const uint8_t key[] = { PF_DADDR, PF_L4PROTO, PF_DPORT };
	const char *name = arena_printf(w->x->arena, "cali%d0n-%u-%s", w->four ? 4 : 6, port->proto, port->name);
	struct naming n = { .w = w, .port = port, .set = ruleset_find_set(w->rs, w->table, name) };

	if (!n.set.i) {
		n.set = ruleset_set(w->rs, w->table, name, SET_PLAIN, 0, key, 3);
		policy_each_named(w, port, NULL, add_member, &n);
	}
	return n.set;
}

struct allowing { struct writer *w; const struct allow *a; const struct np_peers *peer; uint32_t item; const struct np_ports *port; };

/* An iptables rule has room for one destination: whether the Pod is in the block is settled here. */
static void add_rule(void *ctx, const struct pod *dst, uint16_t number)
{
	static const struct np_peers any = { .all = true };
	struct allowing *n = ctx;

	if (n->w->dir == NP_EGRESS && n->peer->block.set) {
		if (np_block_has(n->peer, policy_address(n->w, dst)))
			allow(n->w, n->a, &any, n->item, n->port, number, number, dst);
		return;
	}
	allow(n->w, n->a, n->peer, n->item, n->port, number, number, dst);
}

/* A port by name: in nftables one set of address . protocol . port for each name, of all Pods that have it; in iptables a rule for each. */
static void allow_named(struct writer *w, const struct allow *a, const struct np_peers *peer, uint32_t item, const struct np_ports *port)
{
	struct allowing n = { w, a, peer, item, port };
	struct rw r;

	if (w->ipt) {                           /* what comes in is judged where the Pod is */
		policy_each_named(w, port, w->dir == NP_INGRESS ? w->nb : NULL, add_rule, &n);
		return;
	}
	exceptions(w, a, peer);
	r = rule_begin(w->rs, a->chain);
	rule_cause(r, a->cause);
	match_peer(w, r, a->p, a->path, item, peer);
	w_lookup(r, policy_named_set(w, port), true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT);
	policy_mark_and_return(w, r, MARK_ACCEPT, a->chain, a->cause);
}

static void write_policy(struct writer *w, chain_h chain, const struct np_compiled *p)
{
	for (uint32_t k = 0; k < p->nr_rules[w->dir]; k++) {
		const struct np_compiled_rule *r = &p->rules[w->dir][k];
		const char *path = np_rule_path(r, w->x->arena);
		struct allow a = { chain, p, path, cause_of(w->x, &p->policy->o, path) };

		for (uint32_t i = 0; i < r->nr_peers; i++) {
			if (!of_family(w, &r->peers[i]))
				continue;
			for (uint32_t j = 0; j < r->nr_ports; j++)
				if (r->ports[j].name)
					allow_named(w, &a, &r->peers[i], i, &r->ports[j]);
				else
					allow(w, &a, &r->peers[i], i, &r->ports[j], r->ports[j].lo, r->ports[j].hi, NULL);
			if (!r->nr_ports)
				allow(w, &a, &r->peers[i], i, NULL, 0, 0, NULL);
		}
	}
}

/* Its name is that of Calico's copy of the policy. */
chain_h policy_network_chain(struct writer *w, const struct np_compiled *p)
{
	const char *id = arena_printf(w->x->arena, "%s/knp.default.%s", p->policy->o.ns, p->policy->o.name);
	const char *name = policy_limited_id(w->x->arena, w->dir == NP_INGRESS ? "cali-pi-" : "cali-po-", id);
	chain_h chain = ruleset_find_chain(w->rs, w->table, w->ipt ? name : arena_printf(w->x->arena, "filter-%s", name));

	if (!chain.i) {
		chain = policy_chain_of(w, name);
		write_policy(w, chain, p);
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

/* What a HostEndpoint decides about new connections by the node's own interfaces. */
static void host_unknown(struct writer *w, const char *chain, enum pkt_field iface, const struct object *end)
{
	struct rw r = rule_begin(w->rs, policy_chain_of(w, chain));

	rule_cause(r, cause_of(w->x, end, "spec"));
	w_name(r, iface, REL_NOT_NAME_PREFIX, "cali");
	w_name(r, iface, REL_NE, "lo");
	w_num(r, PF_CT_STATE, REL_EQ, CT_NEW, 0);
	w_unknown(r, foreign_text(end, w->x->arena), 3);
}

static void host_endpoint(struct writer *w)
{
	bool forwards;
	const struct object *end = w->x->tiers.host_endpoints ? host_endpoint_decides(w->x->cluster, w->nb->node, &forwards) : NULL;

	if (!end)
		return;
	host_unknown(w, "cali-INPUT", PF_IIFNAME, end);
	host_unknown(w, "cali-OUTPUT", PF_OIFNAME, end);
	if (forwards) {
		host_unknown(w, "cali-FORWARD", PF_IIFNAME, end);
		host_unknown(w, "cali-FORWARD", PF_OIFNAME, end);
	}
}

void policy_calico_node(struct compile *x, struct node_build *nb, struct ruleset *rs)
{
	if (!anything(x))
		return;
	for (int four = 1; four >= 0; four--) {
		struct writer w;
		chain_h forward, input;

		begin(&w, x, rs, four);
		w.nb = nb;
		forward = policy_chain_of(&w, "cali-FORWARD");
		input = policy_chain_of(&w, "cali-INPUT");
		if (!four)
			let_neighbours_be_found(&w, input);
		for (w.dir = NP_EGRESS;; w.dir = NP_INGRESS) {          /* what leaves a Pod is judged before it reaches another */
			for (uint32_t k = 0; k < nb->nr_pods; k++) {
				const char *iface = nb->host_end[k].i ? link_get(x->dp, nb->host_end[k])->name : NULL;
				chain_h chain = iface ? policy_pod_chain(&w, nb->pods[k], iface) : (chain_h){ 0 };

				if (!chain.i)
					continue;
				enter(&w, forward, iface, chain);
				if (w.dir == NP_EGRESS)
					enter(&w, input, iface, chain);
			}
			if (w.dir == NP_INGRESS)
				break;
		}
		host_endpoint(&w);
	}
}
