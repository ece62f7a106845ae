/* Writing rules, op by op. */
#include "model/dataplane/ruleset_bodies.h"

#include <stdarg.h>

#define MAX_KEY 8               /* fields: op.c has four bits for each */

static uint32_t add_text(struct ruleset *rs, const char *s)
{
	vec_add(rs->arena, &rs->text, str_intern(rs->strings, s));
	return rs->text.nr - 1;
}

struct rw rule_begin(struct ruleset *rs, chain_h h)
{
	struct chain_body *b = ruleset_write_chain(rs, h);
	uint32_t at = b->rules.nr;

	b->index = NULL;
	b->asked = 0;
	vec_push(rs->arena, &b->rules);
	while (at > 0 && b->rules.v[at - 1].place > rs->place)
		at--;
	if (at + 1 < b->rules.nr)
		memmove(&b->rules.v[at + 1], &b->rules.v[at], (b->rules.nr - 1 - at) * sizeof(*b->rules.v));
	b->rules.v[at] = (struct rule){ .op = rs->ops.nr, .place = rs->place };
	return (struct rw){ rs, h, at };
}

static struct rule *current(struct rw w)
{
	return &ruleset_write_chain(w.rs, w.chain)->rules.v[w.at];
}

void rule_cause(struct rw w, cause_h c) { current(w)->cause = c; }
void rule_comment(struct rw w, const char *s) { current(w)->comment = str_intern(w.rs->strings, s); }
void rule_raw(struct rw w, const char *s) { current(w)->raw = str_intern(w.rs->strings, s); }

static struct op *add_op(struct rw w, enum op_code code)
{
	struct rule *r = current(w);
	struct op *op;

	assert(r->op + r->nr_ops == w.rs->ops.nr);      /* rules are written one after another */
	op = vec_push(w.rs->arena, &w.rs->ops);
	op->code = (uint8_t)code;
	r->nr_ops++;
	return op;
}

void w_num(struct rw w, enum pkt_field f, enum op_rel rel, uint32_t a, uint32_t b)
{
	struct op *op = add_op(w, OP_MATCH);

	op->field = (uint8_t)f;
	op->rel = (uint8_t)rel;
	op->a = a;
	op->b = b;
}

void w_addr(struct rw w, enum pkt_field f, enum op_rel rel, ip_addr ip)
{
	uint32_t at = ruleset_add_wide(w.rs, ip);

	w_num(w, f, rel, at, 0);
}

void w_cidr(struct rw w, enum pkt_field f, bool in, struct cidr c)
{
	uint32_t at = ruleset_add_wide(w.rs, c.addr);

	if (c.len == ip_bits(c.addr)) {
		w_num(w, f, in ? REL_EQ : REL_NE, at, 0);
		return;
	}
	ruleset_add_wide(w.rs, cidr_last(c));
	w_num(w, f, in ? REL_IN : REL_NOT_IN, at, c.len);
}

void w_name(struct rw w, enum pkt_field f, enum op_rel rel, const char *name)
{
	uint32_t at = add_text(w.rs, name);

	w_num(w, f, rel, at, 0);
}

/* An op that asks a set, or writes to it, by fields of the packet. */
static struct op *keyed(struct rw w, enum op_code code, set_h s, uint32_t seconds, const uint8_t *fields, uint8_t nkey)
{
	struct op *op = add_op(w, code);

	for (uint8_t k = 0; k < nkey; k++)
		op->c |= (uint32_t)(fields[k] & 15) << (4 * k);
	op->a = s.i;
	op->b = seconds;
	op->nkey = nkey;
	return op;
}

void w_lookup_fields(struct rw w, set_h s, bool in, uint32_t seconds, const uint8_t *fields, uint8_t nkey)
{
	keyed(w, OP_LOOKUP, s, seconds, fields, nkey)->rel = in ? REL_EQ : REL_NE;
}

static void take_fields(uint8_t *fields, int nkey, va_list ap)
{
	for (int k = 0; k < nkey; k++)
		fields[k] = (uint8_t)va_arg(ap, int);
}

void w_lookup(struct rw w, set_h s, bool in, int nkey, ...)
{
	uint8_t fields[MAX_KEY];
	va_list ap;

	assert(nkey <= MAX_KEY);
	va_start(ap, nkey);
	take_fields(fields, nkey, ap);
	va_end(ap);
	w_lookup_fields(w, s, in, 0, fields, (uint8_t)nkey);
}

void w_update(struct rw w, set_h s, uint32_t seconds, int nkey, ...)
{
	uint8_t fields[MAX_KEY];
	va_list ap;

	assert(nkey <= MAX_KEY);
	va_start(ap, nkey);
	take_fields(fields, nkey, ap);
	va_end(ap);
	keyed(w, OP_UPDATE, s, seconds, fields, (uint8_t)nkey);
}

void w_fib(struct rw w, enum fib_ask ask, bool is)
{
	struct op *op = add_op(w, OP_FIB);

	op->field = (uint8_t)ask;
	op->rel = is ? REL_EQ : REL_NE;
}

void w_reverse(struct rw w, bool is, bool loose)
{
	w_fib(w, FIB_REVERSE, is);
	w.rs->ops.v[w.rs->ops.nr - 1].a = loose;
}

static struct op *two(struct rw w, enum op_code code, uint32_t a, uint32_t b)
{
	struct op *op = add_op(w, code);

	op->a = a;
	op->b = b;
	return op;
}

void w_chance(struct rw w, uint32_t k, uint32_t n) { two(w, OP_CHANCE, k, n); }
void w_choose(struct rw w, uint32_t n) { two(w, OP_CHOOSE, n, 0); }
void w_mark(struct rw w, uint32_t and_mask, uint32_t xor_value) { two(w, OP_MARK, and_mask, xor_value); }
void w_ctmark(struct rw w, enum ctmark_does what, uint32_t a, uint32_t b) { two(w, OP_CTMARK, a, b)->field = (uint8_t)what; }
void w_dnat_register(struct rw w) { two(w, OP_DNAT, 0, 0)->rel = REL_IN; }
void w_masquerade(struct rw w, bool fully_random) { two(w, OP_MASQUERADE, fully_random, 0); }
void w_redirect(struct rw w, uint16_t port) { two(w, OP_REDIRECT, 0, port); }
void w_reject(struct rw w, enum reject_kind k) { two(w, OP_REJECT, (uint32_t)k, 0); }
void w_verdict(struct rw w, enum op_code code) { two(w, code, 0, 0); }
void w_jump(struct rw w, chain_h c) { two(w, OP_JUMP, c.i, 0); }
void w_goto(struct rw w, chain_h c) { two(w, OP_GOTO, c.i, 0); }

void w_dnat(struct rw w, ip_addr ip, uint16_t port)
{
	uint32_t at = ip_set(ip) ? ruleset_add_wide(w.rs, ip) : 0;

	two(w, OP_DNAT, at, port);
}

void w_snat(struct rw w, ip_addr ip, uint16_t port)
{
	uint32_t at = ip_set(ip) ? ruleset_add_wide(w.rs, ip) : 0;

	two(w, OP_SNAT, at, port);
}

void w_unknown(struct rw w, const char *text, unsigned may_be)
{
	uint32_t at = add_text(w.rs, text);

	two(w, OP_UNKNOWN, at, may_be);
}

void w_log(struct rw w, const char *text)
{
	uint32_t at = add_text(w.rs, text);

	two(w, OP_LOG, at, 0);
}

void w_account(struct rw w, const char *nfacct)
{
	uint32_t at = add_text(w.rs, nfacct);

	two(w, OP_ACCOUNT, at, 0);
}
