/* What a rule of nft asks of a packet: comparisons, bits under a mask, look-ups. */
#include "model/dataplane/nft_rule.h"

static const struct { const char *words[4]; struct selector is; } selectors[] = {
	{ { "ip", "saddr" }, { PF_SADDR, 4, 0 } }, { { "ip", "daddr" }, { PF_DADDR, 4, 0 } }, { { "ip6", "saddr" }, { PF_SADDR, 6, 0 } }, { { "ip6", "daddr" }, { PF_DADDR, 6, 0 } },
	{ { "ip", "protocol" }, { PF_L4PROTO, 4, 0 } }, { { "ip6", "nexthdr" }, { PF_L4PROTO, 6, 0 } }, { { "meta", "l4proto" }, { PF_L4PROTO, 0, 0 } }, { { "l4proto" }, { PF_L4PROTO, 0, 0 } },
	{ { "tcp", "dport" }, { PF_DPORT, 0, PROTO_TCP } }, { { "tcp", "sport" }, { PF_SPORT, 0, PROTO_TCP } }, { { "udp", "dport" }, { PF_DPORT, 0, PROTO_UDP } },
	{ { "udp", "sport" }, { PF_SPORT, 0, PROTO_UDP } }, { { "sctp", "dport" }, { PF_DPORT, 0, PROTO_SCTP } }, { { "sctp", "sport" }, { PF_SPORT, 0, PROTO_SCTP } },
	{ { "th", "dport" }, { PF_DPORT, 0, 0 } }, { { "th", "sport" }, { PF_SPORT, 0, 0 } }, { { "meta", "iifname" }, { PF_IIFNAME, 0, 0 } }, { { "iifname" }, { PF_IIFNAME, 0, 0 } },
	{ { "iif" }, { PF_IIFNAME, 0, 0 } }, { { "meta", "iif" }, { PF_IIFNAME, 0, 0 } }, { { "meta", "oifname" }, { PF_OIFNAME, 0, 0 } }, { { "oifname" }, { PF_OIFNAME, 0, 0 } },
	{ { "oif" }, { PF_OIFNAME, 0, 0 } }, { { "meta", "oif" }, { PF_OIFNAME, 0, 0 } }, { { "meta", "mark" }, { PF_MARK, 0, 0 } }, { { "mark" }, { PF_MARK, 0, 0 } },
	{ { "meta", "skuid" }, { PF_SKUID, 0, 0 } }, { { "skuid" }, { PF_SKUID, 0, 0 } }, { { "meta", "skgid" }, { PF_SKGID, 0, 0 } }, { { "skgid" }, { PF_SKGID, 0, 0 } },
	{ { "ct", "state" }, { PF_CT_STATE, 0, 0 } }, { { "ct", "status" }, { PF_CT_STATUS, 0, 0 } }, { { "ct", "mark" }, { PF_CT_MARK, 0, 0 } }, { { "ct", "direction" }, { PF_CT_REPLY_DIR, 0, 0 } },
	{ { "ct", "original", "ip", "daddr" }, { PF_CT_DNATED_FROM, 4, 0 } }, { { "ct", "original", "ip6", "daddr" }, { PF_CT_DNATED_FROM, 6, 0 } }, { { "ct", "original", "daddr" }, { PF_CT_DNATED_FROM, 0, 0 } },
	{ { "ct", "original", "proto-dst" }, { PF_CT_ORIG_DPORT, 0, 0 } }, { { "icmp", "type" }, { PF_ICMP_TYPE, 4, PROTO_ICMP } }, { { "icmpv6", "type" }, { PF_ICMP_TYPE, 6, PROTO_ICMPV6 } },
	{ { "tcp", "flags" }, { PF_TCP_FLAGS, 0, PROTO_TCP } },
};

bool nft_selector(struct nft *x, struct selector *out)
{
	for (size_t k = 0; k < ARRAY_LEN(selectors); k++) {
		uint32_t n = 0;

		while (n < 4 && selectors[k].words[n] && x->t.v[x->at + n].type == TOK_WORD && strcmp(x->t.v[x->at + n].s, selectors[k].words[n]) == 0)
			n++;
		if (n && (n == 4 || !selectors[k].words[n])) {
			x->at += n;
			*out = selectors[k].is;
			return true;
		}
	}
	return false;
}

bool nft_ends(const struct nft *x)
{
	return nft_peek(x)->type == TOK_LINE || nft_peek(x)->type == TOK_END || nft_is(x, "}");
}

void nft_guard(struct rule_at *r, const struct selector *s)
{
	struct cidr all4 = { 0 };

	cidr_parse("0.0.0.0/0", &all4);
	if (s->family && r->x->family == NF_INET)
		w_cidr(r->w, PF_SADDR, s->family == 4, all4);
	if (s->proto && r->proto != s->proto)
		w_num(r->w, PF_L4PROTO, REL_EQ, s->proto, 0);
	r->proto = s->proto ? s->proto : r->proto;
}

/* ---- lookups */

static void lookup(struct rule_at *r, set_h h, bool in, const struct selector *s, uint8_t nr)
{
	uint8_t fields[5] = { 0 };

	for (uint8_t k = 0; k < nr; k++) {
		fields[k] = s[k].field;
		if (fields[k] > 15) {
			w_unknown(r->w, "a look-up by that part of the connection is not modelled", ruleset_set_get(r->x->n->rules, h)->kind == SET_PLAIN ? 1 : 3);
			return;
		}
	}
	if (map_find(&r->x->n->set_gaps, h.i))
		w_unknown(r->w, arena_printf(r->x->n->arena, "the elements of %s are not all known", ruleset_set_get(r->x->n->rules, h)->name),
			  ruleset_set_get(r->x->n->rules, h)->kind == SET_PLAIN ? 1 : 3);
	else
		w_lookup_fields(r->w, h, in, 0, fields, nr);
}

/* @NAME or { … }, of the fields; false: not understood. */
bool nft_look_in(struct rule_at *r, enum set_kind kind, bool in, const struct selector *s, uint8_t nr)
{
	struct nft *x = r->x;
	const struct tok *t = nft_peek(x);
	uint8_t key[5] = { 0 };
	set_h h;

	if (t->type == TOK_WORD && t->s[0] == '@') {
		x->at++;
		h = ruleset_find_set(x->n->rules, x->table, t->s + 1);
		if (!h.i || ruleset_set_get(x->n->rules, h)->nkey != nr) {
			note(x->n, NOTE_MISSING, x->p, t->line, "set %s is asked, and its table does not show it", t->s + 1);
			w_unknown(r->w, arena_printf(x->n->arena, "set %s is not in the capture", t->s + 1), kind == SET_PLAIN ? 1 : 3);
			return true;
		}
		lookup(r, h, in, s, nr);
		return true;
	}
	if (!nft_is(x, "{"))
		return false;
	for (uint8_t k = 0; k < nr; k++)
		key[k] = s[k].field;
	h = nft_anonymous(x, kind, key, nr);
	if (h.i)
		lookup(r, h, in, s, nr);
	else
		w_unknown(r->w, "elements that are not modelled", kind == SET_PLAIN ? 1 : 3);
	return true;
}

/* ---- comparisons */

static bool bits(struct nft *x, uint8_t field, uint32_t *out)
{
	bool paren = nft_take(x, "(");
	ip_addr a, b;

	*out = 0;
	do {
		if (!nft_value(x, field, &a, &b) || !ip_eq(a, b))
			return false;
		*out |= (uint32_t)a.lo;
	} while (nft_take(x, ",") || nft_take(x, "|"));
	return !paren || nft_take(x, ")");
}

static bool is_flags(uint8_t field)
{
	return field == PF_CT_STATE || field == PF_CT_STATUS || field == PF_TCP_FLAGS;
}

static bool take_mask(struct nft *x, uint8_t field, uint32_t *mask)
{
	return (nft_take(x, "&") || nft_take(x, "and")) && bits(x, field, mask);
}

static bool compare_name(struct rule_at *r, uint8_t field, bool not)
{
	const struct tok *t = nft_next(r->x);
	size_t n = strlen(t->s);

	if (t->type != TOK_STRING && t->type != TOK_WORD)
		return false;
	if (n && t->s[n - 1] == '*')
		w_name(r->w, (enum pkt_field)field, not ? REL_NOT_NAME_PREFIX : REL_NAME_PREFIX, arena_strndup(r->x->n->arena, t->s, n - 1));
	else
		w_name(r->w, (enum pkt_field)field, not ? REL_NE : REL_EQ, t->s);
	return true;
}

static bool compare_address(struct rule_at *r, uint8_t field, bool not)
{
	struct cidr prefix;
	ip_addr a, b;
	set_h h;

	if (cidr_parse(nft_peek(r->x)->s, &prefix)) {
		nft_next(r->x);
		w_cidr(r->w, (enum pkt_field)field, !not, prefix);
		return true;
	}
	if (!nft_value(r->x, field, &a, &b))
		return false;
	if (ip_eq(a, b)) {
		w_addr(r->w, (enum pkt_field)field, not ? REL_NE : REL_EQ, a);
		return true;
	}
	h = ruleset_set(r->x->n->rules, r->x->table, NULL, SET_PLAIN, SETF_INTERVAL, &field, 1);
	set_add(r->x->n->rules, h, (ip_addr[]){ a, b });
	w_lookup_fields(r->w, h, !not, 0, &field, 1);
	return true;
}

static bool ordered(struct rule_at *r, uint8_t field)
{
	static const char *const signs[] = { "<=", ">=", "<", ">" };
	ip_addr a, b;

	for (size_t k = 0; k < ARRAY_LEN(signs); k++)
		if (nft_take(r->x, signs[k])) {
			if (!nft_value(r->x, field, &a, &b))
				return false;
			w_num(r->w, (enum pkt_field)field, REL_IN, k == 1 ? (uint32_t)a.lo : k == 3 ? (uint32_t)a.lo + 1 : 0,
			      k == 0 ? (uint32_t)a.lo : k == 2 ? (uint32_t)a.lo - 1 : UINT32_MAX);
			return true;
		}
	return false;
}

/* tcp flags syn / fin,syn,rst,ack */
static bool flags_under_mask(struct rule_at *r, uint8_t field, bool not, uint32_t value)
{
	uint32_t mask;

	if (!nft_take(r->x, "/"))
		return false;
	if (!bits(r->x, field, &mask))
		return false;
	w_num(r->w, (enum pkt_field)field, not ? REL_MASK_NE : REL_MASK_EQ, mask, value);
	return true;
}

bool nft_compare(struct rule_at *r, const struct selector *s)
{
	struct nft *x = r->x;
	uint32_t mask, value;
	bool not;
	ip_addr a, b;

	nft_guard(r, s);
	if (nft_take(x, "vmap"))
		return nft_look_in(r, SET_VMAP, true, s, 1);
	if (take_mask(x, s->field, &mask)) {
		not = nft_take(x, "!=");
		if (!not)
			nft_take(x, "==");
		if (!bits(x, s->field, &value))
			return false;
		w_num(r->w, (enum pkt_field)s->field, not ? REL_MASK_NE : REL_MASK_EQ, mask, value);
		return true;
	}
	if (ordered(r, s->field))
		return true;
	not = nft_take(x, "!=");
	if (!not)
		nft_take(x, "==");
	if (nft_is(x, "{") && (s->field == PF_CT_STATE || s->field == PF_CT_STATUS)) {
		nft_next(x);
		if (!bits(x, s->field, &value) || !nft_take(x, "}"))
			return false;
		w_num(r->w, (enum pkt_field)s->field, not ? REL_NOT_IN : REL_IN, value, 0);
		return true;
	}
	if (nft_is(x, "{") || (nft_peek(x)->type == TOK_WORD && nft_peek(x)->s[0] == '@'))
		return nft_look_in(r, SET_PLAIN, !not, s, 1);
	if (s->field == PF_IIFNAME || s->field == PF_OIFNAME)
		return compare_name(r, s->field, not);
	if (s->field == PF_SADDR || s->field == PF_DADDR || s->field == PF_CT_DNATED_FROM)
		return compare_address(r, s->field, not);
	if (is_flags(s->field)) {
		if (!bits(x, s->field, &value))
			return false;
		if (s->field == PF_TCP_FLAGS)
			return flags_under_mask(r, s->field, not, value) || (w_num(r->w, PF_TCP_FLAGS, not ? REL_MASK_EQ : REL_MASK_NE, value, 0), true);
		w_num(r->w, (enum pkt_field)s->field, not ? REL_NOT_IN : REL_IN, value, 0);
		return true;
	}
	if (!nft_value(x, s->field, &a, &b))
		return false;
	if (ip_eq(a, b))
		w_num(r->w, (enum pkt_field)s->field, not ? REL_NE : REL_EQ, (uint32_t)a.lo, 0);
	else
		w_num(r->w, (enum pkt_field)s->field, not ? REL_NOT_IN : REL_IN, (uint32_t)a.lo, (uint32_t)b.lo);
	if (s->field == PF_L4PROTO && !not)
		r->proto = (uint32_t)a.lo;
	return true;
}

bool nft_concatenated(struct rule_at *r, struct selector first)
{
	struct nft *x = r->x;
	struct selector s[5] = { first };
	uint8_t nr = 1;
	bool not;

	while (nft_take(x, ".")) {
		if (nr == ARRAY_LEN(s) || !nft_selector(x, &s[nr]))
			return false;
		nr++;
	}
	for (uint8_t k = 0; k < nr; k++)
		nft_guard(r, &s[k]);
	if (nft_take(x, "vmap"))
		return nft_look_in(r, SET_VMAP, true, s, nr);
	not = nft_take(x, "!=");
	if (!not)
		nft_take(x, "==");
	return nft_look_in(r, SET_PLAIN, !not, s, nr);
}

bool nft_number(struct nft *x, uint32_t *v)
{
	return number_of(nft_next(x)->s, UINT32_MAX, v);
}
