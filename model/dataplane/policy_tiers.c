/* A policy of a tier as felix writes it: a chain for each direction with a rule for each of its rules, in their order. Where a rule asks for one of several things of a kind, or
 * leaves several out, blocks of rules stand before it and leave a mark that it wants. Source: calico felix/rules/policy.go (ProtoRuleToIptablesRules, matchBlockBuilder). */
#include <stdio.h>

#include "model/dataplane/policy_writer.h"

static const enum pkt_field address_of[2] = { PF_SADDR, PF_DADDR }, port_of[2] = { PF_SPORT, PF_DPORT };

struct rule_writer { struct writer *w; chain_h chain; const struct tier_policy *p; const struct tier_rule *r; cause_h cause; uint32_t blocks, positive; };

static struct rw begin(const struct rule_writer *b)
{
	struct rw r = rule_begin(b->w->rs, b->chain);

	rule_cause(r, b->cause);
	return r;
}

static bool of_family(const struct rule_writer *b, struct cidr c)
{
	return ip_is4(c.addr) == b->w->four;
}

static uint32_t nets_of_family(const struct rule_writer *b, const cidrs *l)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l->nr; k++)
		nr += of_family(b, l->v[k]);
	return nr;
}

/* A rule that says addresses and none of this family is not written, nor one that leaves all of them out. */
static bool is_written(const struct rule_writer *b)
{
	if (b->r->family && (b->r->family == 4) != b->w->four)
		return false;
	for (int k = 0; k < 2; k++) {
		const struct tier_end *e = &b->r->end[k];

		if ((e->has_nets && !nets_of_family(b, &e->nets)) || (e->has_without_nets && !nets_of_family(b, &e->without_nets)))
			return false;
		for (uint32_t i = 0; i < e->without_nets.nr; i++)
			if (of_family(b, e->without_nets.v[i]) && !e->without_nets.v[i].len)
				return false;
	}
	return true;
}

/* ---- sets */

/* The addresses of the Pods that the end's selectors mean, or (without) that notSelector does, and of the NetworkSets. */
static set_h end_set(const struct rule_writer *b, const struct tier_end *e, bool without)
{
	struct compile *x = b->w->x;
	const uint8_t key[] = { PF_SADDR };
	const cidrs *nets = without ? &e->without_members : &e->members;
	struct tier_end selects = *e;
	const char *id = arena_printf(x->arena, "%s %s %s%u", b->p->id, e->path, without ? "!" : "", (unsigned)(e - b->r->end));
	bool interval = nets_of_family(b, nets);
	char name[64];
	uint8_t sum[20];
	set_h set;

	sha1(id, strlen(id), sum);
	snprintf(name, sizeof(name), "cali%d0s-%02x%02x%02x%02x%02x%02x%02x%02x", b->w->four ? 4 : 6, sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], sum[6], sum[7]);
	set = ruleset_find_set(b->w->rs, b->w->table, name);
	if (set.i)
		return set;
	set = ruleset_set(b->w->rs, b->w->table, name, SET_PLAIN, (b->w->ipt ? SETF_IPSET : 0u) | (interval ? SETF_INTERVAL : 0u), key, 1);
	selects.has_nets = selects.has_without_nets = false;
	if (without)
		selects = (struct tier_end){ .selector = e->without };
	else
		selects.without = NULL;
	for (uint32_t k = 0; k < x->nr_nodes; k++) {
		node_pods(&x->nodes[k]);
		for (uint32_t i = 0; i < x->nodes[k].nr_pods; i++) {
			const struct pod *pod = x->nodes[k].pods[i];
			struct arena_mark mark = arena_mark(x->arena);
			const pair_list *labels = tier_labels_of(x->cluster, pod, x->arena);
			ip_addr ip = policy_address(b->w, pod);
			enum truth has = labels && ip_set(ip) ? tier_end_has(&selects, labels, (ip_addr){ 0 }) : NO;
			bool in = without ? has == YES : has != NO;     /* a rule whose selectors cannot be read is about all that it may mean */

			arena_rewind(x->arena, mark);
			if (in && interval)
				set_add_cidr(b->w->rs, set, (struct cidr){ ip, (uint8_t)ip_bits(ip), true });
			else if (in)
				set_add(b->w->rs, set, &ip);
		}
	}
	for (uint32_t k = 0; k < nets->nr; k++)
		if (of_family(b, nets->v[k]))
			set_add_cidr(b->w->rs, set, nets->v[k]);
	return set;
}

static void mark_bit(struct rw r, uint32_t bit, bool clears)
{
	w_mark(r, ~bit, clears ? 0 : bit);
}

struct naming { const struct rule_writer *b; const struct np_ports *port; uint32_t bit; bool clears; };

static void add_rule(void *ctx, const struct pod *dst, uint16_t number)
{
	struct naming *n = ctx;
	struct rw r = begin(n->b);

	w_addr(r, PF_DADDR, REL_EQ, policy_address(n->b->w, dst));
	w_num(r, PF_L4PROTO, REL_EQ, n->port->proto, 0);
	w_num(r, PF_DPORT, REL_EQ, number, number);
	mark_bit(r, n->bit, n->clears);
}

/* ---- blocks */

/* The first clears both marks; where nothing has to be found, the one that the rule wants is there until something clears it. */
static void first_block(struct rule_writer *b, bool positive)
{
	if (b->blocks++)
		return;
	w_mark(begin(b), ~(uint32_t)(MARK_BLOCKS | MARK_BLOCK), positive ? 0 : MARK_BLOCKS);
}

/* → the bit that what is found sets: of the first block the rule's own. */
static uint32_t begin_positive(struct rule_writer *b)
{
	first_block(b, true);
	if (b->positive++ > 1)
		mark_bit(begin(b), MARK_BLOCK, true);
	return b->positive == 1 ? MARK_BLOCKS : MARK_BLOCK;
}

static void end_positive(struct rule_writer *b)
{
	struct rw r;

	if (b->positive == 1)
		return;
	r = begin(b);
	w_num(r, PF_MARK, REL_MASK_EQ, MARK_BLOCK, 0);
	mark_bit(r, MARK_BLOCKS, true);
}

static void port_rule(const struct rule_writer *b, int k, const struct np_ports *port, uint32_t bit, bool clears)
{
	struct naming n = { .b = b, .port = port, .bit = bit, .clears = clears };
	struct rw r;

	if (port->name && b->w->ipt) {
		policy_each_named(b->w, port, NULL, add_rule, &n);
		return;
	}
	r = begin(b);
	if (port->name) {
		w_lookup(r, policy_named_set(b->w, port), true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT);
	} else {
		if (port->proto)
			w_num(r, PF_L4PROTO, REL_EQ, port->proto, 0);
		w_num(r, port_of[k], port->lo == port->hi ? REL_EQ : REL_IN, port->lo, port->hi);
	}
	mark_bit(r, bit, clears);
}

static bool ports_need_block(const struct rule_writer *b, const tier_ports *l)
{
	return l->nr > 1 || (l->nr == 1 && l->v[0].name && b->w->ipt);
}

static void port_block(struct rule_writer *b, int k)
{
	const tier_ports *l = &b->r->end[k].ports;
	uint32_t bit;

	if (!ports_need_block(b, l))
		return;
	bit = begin_positive(b);
	for (uint32_t i = 0; i < l->nr; i++)
		if (!l->v[i].name || k == 1)
			port_rule(b, k, &l->v[i], bit, false);
	end_positive(b);
}

static void net_block(struct rule_writer *b, int k)
{
	const cidrs *l = &b->r->end[k].nets;
	uint32_t bit;

	if (nets_of_family(b, l) < 2)
		return;
	bit = begin_positive(b);
	for (uint32_t i = 0; i < l->nr; i++)
		if (of_family(b, l->v[i])) {
			struct rw r = begin(b);

			w_cidr(r, address_of[k], true, l->v[i]);
			mark_bit(r, bit, false);
		}
	end_positive(b);
}

/* An address has room for one match in the rule itself. */
static bool nets_left_out_need_block(const struct rule_writer *b, int k)
{
	uint32_t nets = nets_of_family(b, &b->r->end[k].nets);

	return nets_of_family(b, &b->r->end[k].without_nets) + (nets == 1) > 1;
}

static void left_out(struct rule_writer *b, int k)
{
	const struct tier_end *e = &b->r->end[k];

	for (uint32_t i = 0; nets_left_out_need_block(b, k) && i < e->without_nets.nr; i++)
		if (of_family(b, e->without_nets.v[i])) {
			struct rw r;

			first_block(b, false);
			r = begin(b);
			w_cidr(r, address_of[k], true, e->without_nets.v[i]);
			mark_bit(r, MARK_BLOCKS, true);
		}
	for (uint32_t i = 0; i < e->without_ports.nr; i++) {
		first_block(b, false);
		port_rule(b, k, &e->without_ports.v[i], MARK_BLOCKS, true);
	}
}

/* ---- the rule itself */

static void match_end(const struct rule_writer *b, struct rw r, int k)
{
	const struct tier_end *e = &b->r->end[k];
	bool has_port = e->ports.nr == 1 && !ports_need_block(b, &e->ports);

	for (uint32_t i = 0; nets_of_family(b, &e->nets) == 1 && i < e->nets.nr; i++)
		if (of_family(b, e->nets.v[i]))
			w_cidr(r, address_of[k], true, e->nets.v[i]);
	for (uint32_t i = 0; !nets_left_out_need_block(b, k) && i < e->without_nets.nr; i++)
		if (of_family(b, e->without_nets.v[i]))
			w_cidr(r, address_of[k], false, e->without_nets.v[i]);
	if (e->selector || e->spaces || e->accounts || e->named || e->space)
		w_lookup(r, end_set(b, e, false), true, 1, address_of[k]);
	if (e->without)
		w_lookup(r, end_set(b, e, true), false, 1, address_of[k]);
	if (has_port && !e->ports.v[0].name)
		w_num(r, port_of[k], e->ports.v[0].lo == e->ports.v[0].hi ? REL_EQ : REL_IN, e->ports.v[0].lo, e->ports.v[0].hi);
	else if (has_port)
		w_lookup(r, policy_named_set(b->w, &e->ports.v[0]), true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT);
}

static void write_rule(struct rule_writer *b)
{
	const struct tier_rule *rule = b->r;
	struct rw r;

	if (!is_written(b))
		return;
	for (int k = 0; k < 2; k++)
		port_block(b, k);
	for (int k = 0; k < 2; k++)
		net_block(b, k);
	for (int k = 0; k < 2; k++)
		left_out(b, k);
	r = begin(b);
	if (rule->proto >= 0)
		w_num(r, PF_L4PROTO, REL_EQ, (uint32_t)rule->proto, 0);
	else if (rule->no_proto >= 0)
		w_num(r, PF_L4PROTO, REL_NE, (uint32_t)rule->no_proto, 0);
	match_end(b, r, 0);
	match_end(b, r, 1);
	if (rule->has_icmp_type)
		w_num(r, PF_ICMP_TYPE, REL_EQ, rule->icmp_type, 0);
	if (rule->has_no_icmp_type)
		w_num(r, PF_ICMP_TYPE, REL_NE, rule->no_icmp_type, 0);
	if (b->blocks)
		w_num(r, PF_MARK, REL_MASK_EQ, MARK_BLOCKS, MARK_BLOCKS);
	if (rule->unmodelled)
		w_unknown(r, arena_printf(b->w->x->arena, "%s: %s (%s) is not modelled", b->p->name, rule->unmodelled, rule->path), 3);
	else if (rule->action == TIER_DENY)
		w_verdict(r, OP_DROP);
	else
		policy_mark_and_return(b->w, r, rule->action == TIER_ALLOW ? MARK_ACCEPT : MARK_PASS, b->chain, b->cause);
}

chain_h policy_tier_chain(struct writer *w, const struct tier_policy *p)
{
	const char *name = policy_limited_id(w->x->arena, w->dir == NP_INGRESS ? "cali-pi-" : "cali-po-", p->id);
	chain_h chain = ruleset_find_chain(w->rs, w->table, w->ipt ? name : arena_printf(w->x->arena, "filter-%s", name));

	if (chain.i)
		return chain;
	chain = policy_chain_of(w, name);
	for (uint32_t k = 0; k < p->rules[w->dir].nr; k++) {
		const struct tier_rule *rule = &p->rules[w->dir].v[k];
		struct rule_writer b = { .w = w, .chain = chain, .p = p, .r = rule, .cause = cause_of(w->x, p->o, rule->path) };

		write_rule(&b);
	}
	return chain;
}
