/* Lowered rules against plain evaluation, on random rulesets and random packets: the naive evaluator below asks eval() for every op. */
#include "tests/unit/test.h"

#include "model/dataplane/low_run.h"
#include "model/dataplane/op.h"

/* ---- the naive evaluator */

struct plain { const struct ruleset *rs; struct low_state *s; struct op_env env; uint64_t trail; };

enum says { SAYS_NOTHING, SAYS_ACCEPT, SAYS_DROP, SAYS_REJECT, SAYS_NAT, SAYS_ASK };

static enum says plain_chain(struct plain *x, chain_h h, int depth);

static bool never_local(void *ctx, ip_addr a)
{
	(void)ctx;
	return a.lo & 1;
}

static bool no_dyn(void *ctx, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	(void)ctx, (void)s, (void)key, (void)n, (void)seconds;
	return false;
}

static void no_add(void *ctx, set_h s, const ip_addr *key, uint8_t n, uint32_t seconds)
{
	(void)ctx, (void)s, (void)key, (void)n, (void)seconds;
}

static const struct op_env env = { .is_local = never_local, .dyn_has = no_dyn, .dyn_add = no_add };

/* → SAYS_NOTHING with *next: the rule is over and the chain goes on. */
static enum says plain_rule(struct plain *x, const struct ruleset *owner, chain_h h, uint32_t i, const struct rule *r, int depth, bool *next)
{
	struct op_reg reg = { 0 };
	enum says s;

	*next = true;
	for (uint16_t k = 0; k < r->nr_ops; k++) {
		struct op_result res = { 0 };
		uint32_t mark = x->s->p.mark;

		switch (op_eval(x->rs, owner, &owner->ops.v[r->op + k], &x->s->p, &reg, &x->env, &res)) {
		case DOES_NEXT:
			if (x->s->p.mark != mark)
				x->trail = hash_mix(x->trail, hash_mix(OP_MARK, (uint64_t)h.i << 32 | i));
			break;
		case DOES_FAIL:
			return SAYS_NOTHING;
		case DOES_FORK:
			if (res.choose) {
				reg.num = (uint32_t)(low_draw(x->s) * res.n >> 32);
				reg.set = true;
			} else if ((low_draw(x->s) * res.n >> 32) >= res.k) {
				return SAYS_NOTHING;
			}
			break;
		case DOES_NAT:
			x->s->nat = res.nat;
			x->s->ip = ip_set(res.addr) ? ip_to4(res.addr) : 0;
			x->s->port = res.port;
			return SAYS_NAT;
		case DOES_UNKNOWN:
			return SAYS_ASK;
		case DOES_VERDICT:
			switch (res.verdict) {
			case OP_ACCEPT: return SAYS_ACCEPT;
			case OP_DROP: return SAYS_DROP;
			case OP_REJECT: return SAYS_REJECT;
			case OP_RETURN: *next = false; return SAYS_NOTHING;
			case OP_JUMP:
			case OP_GOTO:
				if (depth >= LOW_DEPTH)
					return SAYS_ASK;
				s = plain_chain(x, res.chain, depth + 1);
				*next = res.verdict == OP_JUMP;
				return s;
			default: return SAYS_NOTHING;
			}
		}
	}
	return SAYS_NOTHING;
}

static enum says plain_chain(struct plain *x, chain_h h, int depth)
{
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(x->rs, h, &owner);

	for (uint32_t i = 0; i < b->rules.nr; i++) {
		bool next;
		enum says s = plain_rule(x, owner, h, i, &b->rules.v[i], depth, &next);

		if (s != SAYS_NOTHING)
			return s;
		if (!next)
			break;
	}
	return SAYS_NOTHING;
}

/* ---- random rules: few values, so that many match */

struct gen { uint64_t state; struct ruleset *rs; table_h table; chain_h chain[6]; set_h set[5]; };

static uint32_t below(struct gen *g, uint32_t n)
{
	g->state = hash_mix(g->state, 1);
	return (uint32_t)(g->state >> 33) % n;
}

static ip_addr some_ip(struct gen *g) { return ip_from4(0x0a000000u + below(g, 4)); }
static uint16_t some_port(struct gen *g) { return (uint16_t)(80 + below(g, 3)); }
static uint8_t some_proto(struct gen *g) { return below(g, 2) ? PROTO_TCP : PROTO_UDP; }

static void match(struct gen *g, struct rw w)
{
	static const char *const names[] = { "eth0", "cali1", "cali2" };
	enum op_rel eq = below(g, 3) ? REL_EQ : REL_NE;
	uint32_t bits = 4 * below(g, 2);

	switch (below(g, 11)) {
	case 0: w_addr(w, below(g, 2) ? PF_SADDR : PF_DADDR, eq, some_ip(g)); break;
	case 1: w_cidr(w, below(g, 2) ? PF_SADDR : PF_DADDR, eq == REL_EQ, (struct cidr){ ip_mask(some_ip(g), 31), 31, true }); break;
	case 2: w_num(w, below(g, 2) ? PF_DPORT : PF_SPORT, eq, some_port(g), 0); break;
	case 3: w_num(w, PF_DPORT, eq == REL_EQ ? REL_IN : REL_NOT_IN, 80, 81); break;
	case 4: w_num(w, PF_L4PROTO, eq, some_proto(g), 0); break;
	case 5: w_num(w, PF_MARK, below(g, 2) ? REL_MASK_EQ : REL_MASK_NE, 4, bits); break;
	case 6: w_num(w, PF_CT_STATE, eq, below(g, 2) ? CT_NEW : CT_ESTABLISHED | CT_RELATED | (bits ? (uint32_t)CT_DNATED : 0u), 0); break;
	case 7: w_num(w, PF_CT_STATUS, eq, CTS_DNAT, 0); break;
	case 8: w_name(w, below(g, 2) ? PF_IIFNAME : PF_OIFNAME, eq, names[below(g, 3)]); break;
	case 9: w_name(w, PF_IIFNAME, eq == REL_EQ ? REL_NAME_PREFIX : REL_NOT_NAME_PREFIX, "cali"); break;
	default: w_fib(w, below(g, 2) ? FIB_DADDR_LOCAL : FIB_SADDR_LOCAL, eq == REL_EQ); break;
	}
}

static void lookup(struct gen *g, struct rw w)
{
	switch (below(g, 4)) {
	case 0: w_lookup(w, g->set[0], below(g, 2), 1, below(g, 2) ? PF_SADDR : PF_DADDR); break;
	case 1: w_lookup(w, g->set[1], below(g, 2), 4, PF_SADDR, PF_DADDR, PF_L4PROTO, PF_DPORT); break;
	case 2: w_lookup(w, g->set[2], below(g, 2), 1, PF_SADDR); break;
	default: w_lookup(w, g->set[3], true, 3, PF_DADDR, PF_L4PROTO, PF_DPORT); break;
	}
}

static void action(struct gen *g, struct rw w, uint32_t chain)
{
	uint32_t to = chain + 1 + below(g, 3);

	switch (below(g, 12)) {
	case 0: w_verdict(w, OP_ACCEPT); break;
	case 1: w_verdict(w, OP_DROP); break;
	case 2: w_reject(w, REJECT_DEFAULT); break;
	case 3: w_verdict(w, OP_RETURN); break;
	case 4: w_dnat(w, some_ip(g), 8080); break;
	case 5: w_masquerade(w, true); break;
	case 6:
		w_choose(w, 3);
		w_lookup(w, g->set[4], true, 1, PF_REGISTER);
		w_dnat_register(w);
		break;
	case 7: w_mark(w, below(g, 2) ? ~4u : ~0u, 4); break;
	default:
		if (to >= ARRAY_LEN(g->chain))
			w_mark(w, ~4u, 4);
		else if (below(g, 2))
			w_jump(w, g->chain[to]);
		else
			w_goto(w, g->chain[to]);
	}
}

/* Rules alike, long enough to be indexed. */
static void run_of_rules(struct gen *g, uint32_t chain)
{
	bool with_address = below(g, 2);

	for (uint32_t k = 8 + below(g, 8); k > 0; k--) {
		struct rw w = rule_begin(g->rs, g->chain[chain]);

		w_num(w, PF_L4PROTO, REL_EQ, some_proto(g), 0);
		if (with_address)
			w_addr(w, PF_DADDR, REL_EQ, some_ip(g));
		w_num(w, PF_DPORT, REL_EQ, some_port(g), 0);
		if (!below(g, 3))
			w_chance(w, 1, 2);
		action(g, w, chain);
	}
}

/* Jumps by chance one after the other; some are too few to be drawn for together, and not all end in one that always jumps. */
static void lottery(struct gen *g, uint32_t chain)
{
	uint32_t nr = 2 + below(g, 6), to = chain + 1 + below(g, 2);

	for (uint32_t k = nr; k > below(g, 2) && to < ARRAY_LEN(g->chain); k--) {
		struct rw w = rule_begin(g->rs, g->chain[chain]);

		if (k > 1)
			w_chance(w, 1, k);
		w_jump(w, g->chain[to]);
	}
}

static struct ruleset *random_rules(struct gen *g, struct arena *a, struct strtab *t)
{
	static const uint8_t ip_key[] = { PF_SADDR }, four[] = { PF_SADDR, PF_DADDR, PF_L4PROTO, PF_DPORT }, service[] = { PF_DADDR, PF_L4PROTO, PF_DPORT }, number[] = { PF_REGISTER };

	g->rs = ruleset_new(a, t, NULL);
	g->table = ruleset_table(g->rs, NF_IP, "test", false);
	for (uint32_t k = 0; k < ARRAY_LEN(g->chain); k++) {
		char name[] = { (char)('a' + k), 0 };

		g->chain[k] = ruleset_chain(g->rs, g->table, name);
	}
	g->set[0] = ruleset_set(g->rs, g->table, "ips", SET_PLAIN, 0, ip_key, 1);
	g->set[1] = ruleset_set(g->rs, g->table, "pairs", SET_PLAIN, 0, four, 4);
	g->set[2] = ruleset_set(g->rs, g->table, "ranges", SET_PLAIN, SETF_INTERVAL, ip_key, 1);
	g->set[3] = ruleset_set(g->rs, g->table, "services", SET_VMAP, 0, service, 3);
	g->set[4] = ruleset_set(g->rs, g->table, NULL, SET_MAP, 0, number, 1);
	for (uint32_t k = below(g, 3); k > 0; k--)
		set_add(g->rs, g->set[0], (ip_addr[]){ some_ip(g) });
	for (uint32_t k = below(g, 6); k > 0; k--)
		set_add(g->rs, g->set[1], (ip_addr[]){ some_ip(g), some_ip(g), word(some_proto(g)), word(some_port(g)) });
	for (uint32_t k = below(g, 3); k > 0; k--)
		set_add_cidr(g->rs, g->set[2], (struct cidr){ ip_mask(some_ip(g), 31), 31, true });
	for (uint32_t k = below(g, 5); k > 0; k--)
		set_add_verdict(g->rs, g->set[3], (ip_addr[]){ some_ip(g), word(some_proto(g)), word(some_port(g)) }, below(g, 2) ? OP_GOTO : below(g, 2) ? OP_JUMP : OP_DROP, g->chain[5]);
	for (uint32_t k = 0; k < 3; k++)
		set_add_value(g->rs, g->set[4], (ip_addr[]){ word(k) }, some_ip(g), 8080 + k);
	for (uint32_t c = 0; c < ARRAY_LEN(g->chain); c++)
		for (uint32_t k = (c > 0) + below(g, 5); k > 0; k--) {      /* the base chain may be empty */
			struct rw w;

			if (!below(g, 5)) {
				run_of_rules(g, c);
				continue;
			}
			if (!below(g, 8))
				lottery(g, c);
			w = rule_begin(g->rs, g->chain[c]);
			for (uint32_t i = below(g, 3); i > 0; i--)
				match(g, w);
			if (!below(g, 3))
				lookup(g, w);
			if (!below(g, 5))
				w_chance(w, 1, 3);
			action(g, w, c);
		}
	ruleset_base_chain(g->rs, g->chain[0], HOOK_PREROUTING, NFT_FILTER, 0, OP_ACCEPT);
	ruleset_finish(g->rs);
	return g->rs;
}

/* A node's: some chains and sets of its own. */
static struct ruleset *random_node(struct gen *g, const struct ruleset *base, struct arena *a, struct strtab *t)
{
	struct ruleset *rs = ruleset_new(a, t, base);

	for (uint32_t c = 0; c < ARRAY_LEN(g->chain); c++) {
		struct rw w;

		if (below(g, 4))
			continue;
		ruleset_own_chain(rs, g->chain[c]);
		w = rule_begin(rs, g->chain[c]);
		if (below(g, 2))
			match(g, w);
		action(g, w, c);
	}
	if (!below(g, 3))
		set_add(rs, g->set[0], (ip_addr[]){ some_ip(g) });
	if (!below(g, 3))
		set_add_verdict(rs, g->set[3], (ip_addr[]){ some_ip(g), word(some_proto(g)), word(some_port(g)) }, OP_JUMP, g->chain[5]);
	ruleset_finish(rs);
	return rs;
}

static struct packet random_packet(struct gen *g, struct strtab *t)
{
	static const char *const names[] = { "eth0", "cali1", "cali2" };

	return (struct packet){ .src = some_ip(g), .dst = some_ip(g), .sport = some_port(g), .dport = some_port(g), .proto = some_proto(g), .mark = 4 * below(g, 2),
				.ct_state = below(g, 2) ? CT_NEW : CT_ESTABLISHED, .ct_status = below(g, 2) ? CTS_DNAT : 0, .iif = str_intern(t, names[below(g, 3)]),
				.oif = below(g, 2) ? str_intern(t, names[below(g, 3)]) : NULL };
}

static void hear(void *ctx, const struct low_event *e)
{
	uint64_t *trail = ctx;

	if (e->what == OP_MARK)
		*trail = hash_mix(*trail, hash_mix(OP_MARK, (uint64_t)e->chain.i << 32 | e->rule));
}

TEST(lowered_rules_say_what_plain_ones_say)
{
	uint32_t said[6] = { 0 }, wrong = 0;

	static_assert((int)LOW_SAYS_ASK == (int)SAYS_ASK, "one order");
	for (uint64_t seed = 1; seed <= 400 && !wrong; seed++) {
		struct arena *a = arena_new(NULL, "test");
		struct strtab *t = strtab_new(a);
		struct gen g = { .state = seed };
		struct ruleset *rs = random_rules(&g, a, t);
		struct lowered *l = lower(rs, NULL, a);

		for (uint32_t k = 0; k < 200; k++) {
			struct low_state fast = { .p = random_packet(&g, t), .seed = g.state, .env = env }, slow = fast;
			struct plain x = { rs, &slow, env, 0 };
			uint64_t trail = 0;
			enum low_says have = low_run(l, low_chain_of(l, g.chain[0]), &fast, true, hear, &trail);
			enum says want = plain_chain(&x, g.chain[0], 0);

			said[want]++;
			wrong += (int)have != (int)want || fast.p.mark != slow.p.mark || fast.draws != slow.draws || trail != x.trail ||
				 (want == SAYS_NAT && (fast.nat != slow.nat || fast.ip != slow.ip || fast.port != slow.port));
			if (wrong) {
				printf("seed %u packet %u: lowered says %d, plain %d\n", (unsigned)seed, k, (int)have, (int)want);
				break;
			}
		}
		arena_free(a);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	for (int k = 0; k < SAYS_ASK; k++)
		CU_ASSERT(said[k] > 1000);      /* the generator reaches everything */
}

static void hear_all(void *ctx, const struct low_event *e)
{
	uint64_t *trail = ctx;

	*trail = hash_mix(*trail, hash_mix(e->what, (uint64_t)e->chain.i << 32 | e->rule));
}

/* A chain that is not run does nothing. */
static enum low_says flat_run(struct lowered *l, struct low_state *s, uint64_t *trail)
{
	const struct low_bases *at = &l->at[s->p.ct_state == CT_NEW ? LOW_NEW : LOW_ESTABLISHED][HOOK_PREROUTING];
	struct low_state before = *s;
	enum low_says says = at->nr ? low_run(l, at->v[0].run, s, true, hear_all, trail) : LOW_SAYS_NOTHING;

	if (at->quiet)
		CU_ASSERT((says == LOW_SAYS_NOTHING || says == LOW_SAYS_ACCEPT) && before.p.mark == s->p.mark && before.draws == s->draws);
	return says;
}

TEST(flat_base_chains_say_what_the_chains_say)
{
	uint32_t wrong = 0, shared_flat = 0, own_flat = 0, idle = 0;

	for (uint64_t seed = 1; seed <= 600 && !wrong; seed++) {
		struct arena *a = arena_new(NULL, "test");
		struct strtab *t = strtab_new(a);
		struct gen g = { .state = seed };
		struct lowered *base = lower(random_rules(&g, a, t), NULL, a), *node = lower(random_node(&g, g.rs, a, t), base, a);

		shared_flat += node->at == base->at;
		own_flat += node->at != base->at;
		for (uint32_t k = 0; k < 200 && !wrong; k++) {
			struct lowered *l = k % 2 ? node : base;
			struct low_state whole = { .p = random_packet(&g, t), .seed = g.state, .env = env }, flat = whole;
			uint64_t heard[2] = { 0, 0 };
			enum low_says want = low_run(l, low_chain_of(l, g.chain[0]), &whole, true, hear_all, &heard[0]), have = flat_run(l, &flat, &heard[1]);

			idle += !l->at[LOW_ESTABLISHED][HOOK_PREROUTING].nr;
			wrong += have != want || heard[0] != heard[1] || flat.p.mark != whole.p.mark || flat.draws != whole.draws ||
				 (want == LOW_SAYS_NAT && (flat.nat != whole.nat || flat.ip != whole.ip || flat.port != whole.port));
			if (wrong)
				printf("seed %u packet %u: flat says %d, whole %d\n", (unsigned)seed, k, (int)have, (int)want);
		}
		arena_free(a);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(shared_flat > 20 && own_flat > 100 && idle > 100);       /* the base's first form does; it does not */
}

TEST(a_body_of_a_nodes_own_hides_the_shared_one_when_lowered)
{
	static const uint8_t key[] = { PF_DADDR };
	struct arena *a = arena_new(NULL, "test");
	struct strtab *t = strtab_new(a);
	struct ruleset *base = ruleset_new(a, t, NULL), *own;
	table_h table = ruleset_table(base, NF_IP, "test", false);
	chain_h c = ruleset_chain(base, table, "c"), d = ruleset_chain(base, table, "d");
	set_h s = ruleset_set(base, table, "s", SET_PLAIN, 0, key, 1);
	struct rw w = rule_begin(base, c);
	struct lowered *shared, *node;
	struct low_state st = { .p = { .dst = ip_from4(0x0a000001), .proto = PROTO_TCP }, .env = env };

	w_lookup(w, s, true, 1, PF_DADDR);
	w_jump(w, d);
	w_verdict(rule_begin(base, d), OP_DROP);
	ruleset_finish(base);
	own = ruleset_new(a, t, base);
	set_add(own, s, &st.p.dst);
	w_verdict(rule_begin(own, d), OP_ACCEPT);
	ruleset_finish(own);
	shared = lower(base, NULL, a);
	node = lower(own, shared, a);
	CU_ASSERT(low_run(shared, low_chain_of(shared, c), &st, false, NULL, NULL) == LOW_SAYS_NOTHING);
	CU_ASSERT(low_run(node, low_chain_of(node, c), &st, false, NULL, NULL) == LOW_SAYS_ACCEPT);
	arena_free(a);
}
