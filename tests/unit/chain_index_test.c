/* Rules of a long chain found by destination: in order, none is left out that could hold, also after rules were taken out and written again. */
#include "model/dataplane/packet.h"
#include "tests/unit/test.h"

static ip_addr address(uint32_t n) { return ip_from4(0x0a600000 + n % 40); }

static void write(struct ruleset *rs, chain_h c, uint32_t from, uint32_t to)
{
	for (uint32_t k = from; k < to; k++) {
		struct rw w = rule_begin(rs, c);

		if (k % 7 == 3)
			w_name(w, PF_IIFNAME, REL_EQ, "eth0");  /* may be unknown: asked before the address counts */
		if (k % 3)
			w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0);
		if (k % 5)
			w_addr(w, PF_DADDR, k % 11 == 1 ? REL_NE : REL_EQ, address(k * 7919));
		w_mark(w, ~0u, k);
	}
}

static bool left_out(const struct ruleset *rs, const struct rule *r, ip_addr dst)
{
	const struct op *op = &rs->ops.v[r->op];

	op += op->field == PF_L4PROTO;
	return op->code == OP_MATCH && op->field == PF_DADDR && op->rel == REL_EQ && !ip_eq(rs->wide.v[op->a], dst);
}

static uint32_t wrong(const struct ruleset *rs, chain_h c)
{
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(rs, c, &owner);
	uint32_t nr = 0;

	for (uint32_t n = 0; n < 45; n++) {     /* some that no rule names */
		struct chain_at at = chain_rules(owner, b, n < 40 ? address(n) : ip_from4(n));

		for (uint32_t k = 0, next = chain_next(&at); k < b->rules.nr; k++) {
			if (next == k)
				next = chain_next(&at);
			else
				nr += !left_out(rs, &b->rules.v[k], n < 40 ? address(n) : ip_from4(n)) || next < k;
		}
		nr += chain_next(&at) != UINT32_MAX;
	}
	return nr;
}

TEST(rules_of_a_long_chain_are_found_by_destination)
{
	struct arena *a = arena_new(NULL, "test");
	struct ruleset *rs = ruleset_new(a, strtab_new(a), NULL);
	table_h t = ruleset_table(rs, NF_IP, "nat", true);
	chain_h c = ruleset_chain(rs, t, "KUBE-SERVICES"), few = ruleset_chain(rs, t, "few");
	const struct ruleset *owner;
	struct chain_at all;

	write(rs, c, 0, 300);
	CU_ASSERT(wrong(rs, c) == 0);
	rs->place = 5;
	write(rs, c, 300, 400);
	CU_ASSERT(wrong(rs, c) == 0);
	ruleset_cut_rules(rs, c, 0);
	CU_ASSERT(chain_body(rs, c, NULL)->rules.nr == 100);
	CU_ASSERT(wrong(rs, c) == 0);
	rs->place = 2;
	write(rs, c, 400, 450);
	CU_ASSERT(wrong(rs, c) == 0);
	write(rs, few, 0, 9);
	all = chain_rules(rs, chain_body(rs, few, &owner), ip_from4(1));
	for (uint32_t k = 0; k < 9; k++)
		CU_ASSERT(chain_next(&all) == k);       /* a short one is gone through */
	CU_ASSERT(chain_next(&all) == UINT32_MAX);
	arena_free(a);
}
