/* One rule of nft: matches and statements from left to right. Where the words are not understood the rest of the rule is one op `unknown`. */
#include <stdlib.h>

#include "model/dataplane/nft_lex.h"

struct rule_at {
	struct nft *x;
	struct rw w;
	uint32_t proto;                 /* l4proto that was asked already; 0: none */
};

struct selector { uint8_t field; uint8_t family; /* 4, 6: of an inet table only these; 0 */ uint8_t proto; };

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

static bool selector(struct nft *x, struct selector *out)
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

static bool ends(const struct nft *x)
{
	return nft_peek(x)->type == TOK_LINE || nft_peek(x)->type == TOK_END || nft_is(x, "}");
}

/* What a field silently asks as well: the family in a table of both, the protocol of a port. */
static void guard(struct rule_at *r, const struct selector *s)
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
static bool look_in(struct rule_at *r, enum set_kind kind, bool in, const struct selector *s, uint8_t nr)
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

static bool compare(struct rule_at *r, const struct selector *s)
{
	struct nft *x = r->x;
	uint32_t mask, value;
	bool not;
	ip_addr a, b;

	guard(r, s);
	if (nft_take(x, "vmap"))
		return look_in(r, SET_VMAP, true, s, 1);
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
		return look_in(r, SET_PLAIN, !not, s, 1);
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

static bool concatenated(struct rule_at *r, struct selector first)
{
	struct nft *x = r->x;
	struct selector s[5] = { first };
	uint8_t nr = 1;
	bool not;

	while (nft_take(x, ".")) {
		if (nr == ARRAY_LEN(s) || !selector(x, &s[nr]))
			return false;
		nr++;
	}
	for (uint8_t k = 0; k < nr; k++)
		guard(r, &s[k]);
	if (nft_take(x, "vmap"))
		return look_in(r, SET_VMAP, true, s, nr);
	not = nft_take(x, "!=");
	if (!not)
		nft_take(x, "==");
	return look_in(r, SET_PLAIN, !not, s, nr);
}

/* ---- marks */

static bool number(struct nft *x, uint32_t *v)
{
	return number_of(nft_next(x)->s, UINT32_MAX, v);
}

/* meta mark | 0x4000 and the like: value := (from & keep) ^ xor. from: PF_MARK, PF_CT_MARK, or PF_COUNT for a number alone. */
static bool mark_value(struct nft *x, uint8_t *from, uint32_t *keep, uint32_t *xor)
{
	struct selector s;
	uint32_t v;

	while (nft_take(x, "("))
		;
	*keep = 0;
	*xor = 0;
	*from = PF_COUNT;
	if (selector(x, &s)) {
		if (s.field != PF_MARK && s.field != PF_CT_MARK)
			return false;
		*from = s.field;
		*keep = 0xffffffffu;
	} else if (!number(x, xor)) {
		return false;
	}
	for (;;) {
		while (nft_take(x, ")"))
			;
		if (nft_take(x, "&") || nft_take(x, "and")) {
			if (!number(x, &v))
				return false;
			*keep &= v;
			*xor &= v;
		} else if (nft_take(x, "|") || nft_take(x, "or")) {
			if (!number(x, &v))
				return false;
			*keep &= ~v;
			*xor = (*xor & ~v) | v;
		} else if (nft_take(x, "^") || nft_take(x, "xor")) {
			if (!number(x, &v))
				return false;
			*xor ^= v;
		} else {
			return true;
		}
	}
}

static bool set_mark(struct rule_at *r, uint8_t to)
{
	uint32_t keep, xor;
	uint8_t from;

	if (!mark_value(r->x, &from, &keep, &xor))
		return false;
	if (to == PF_MARK && from != PF_CT_MARK)
		w_mark(r->w, from == PF_MARK ? keep : 0, xor);
	else if (to == PF_CT_MARK && from != PF_MARK)
		w_ctmark(r->w, CTM_SET, from == PF_CT_MARK ? keep : 0, xor);
	else if (!xor)
		w_ctmark(r->w, to == PF_MARK ? CTM_RESTORE : CTM_SAVE, 0, keep);
	else
		return false;
	return true;
}

/* ---- statements */

/* numgen random mod 3, jhash ip saddr mod 3: one of n. */
static bool one_of_n(struct rule_at *r, uint32_t *n)
{
	struct nft *x = r->x;
	uint32_t v;

	if (nft_take(x, "numgen")) {
		if (!nft_take(x, "random") && !nft_take(x, "inc"))
			return false;
	} else if (nft_take(x, "jhash") || nft_take(x, "symhash")) {
		while (!ends(x) && !nft_is(x, "mod"))
			x->at++;
	} else {
		return false;
	}
	if (!nft_take(x, "mod") || !number(x, n) || !*n)
		return false;
	if (nft_take(x, "seed") && !number(x, &v))
		return false;
	return !nft_take(x, "offset") || (number(x, &v) && v == 0);
}

static bool chosen(struct rule_at *r)
{
	struct selector reg = { PF_REGISTER, 0, 0 };
	uint32_t n, k;

	if (!one_of_n(r, &n))
		return false;
	if (nft_take(r->x, "<")) {
		if (!number(r->x, &k))
			return false;
		w_chance(r->w, k, n);
		return true;
	}
	w_choose(r->w, n);
	if (nft_take(r->x, "vmap"))
		return look_in(r, SET_VMAP, true, &reg, 1);
	return false;
}

/* meta random & 2147483647 < 715827883: iptables-nft's statistic */
static bool random_match(struct rule_at *r)
{
	uint32_t all, k;
	double p;

	if (!nft_take(r->x, "&") || !number(r->x, &all) || !nft_take(r->x, "<") || !number(r->x, &k) || all != 0x7fffffffu)
		return false;
	p = (double)k / 2147483648.0;
	for (uint32_t n = 1; n <= 300; n++)
		if (p - 1.0 / n < 6e-6 && 1.0 / n - p < 6e-6) {
			w_chance(r->w, 1, n);
			return true;
		}
	w_chance(r->w, k >> 1, 1u << 30);
	return true;
}

static void nat_flags(struct nft *x, bool *fully)
{
	for (;;) {
		if (nft_is(x, "fully-random"))
			*fully = true;
		if (!nft_take(x, "random") && !nft_take(x, "fully-random") && !nft_take(x, "persistent") && !nft_take(x, ","))
			return;
	}
}

/* 10.0.0.1:80, [fd00::1]:80, :80, 10.0.0.1; a range is not modelled */
static bool nat_address(struct nft *x, ip_addr *ip, uint16_t *port)
{
	bool bracket = nft_take(x, "[");
	uint16_t p = 0;

	*ip = (ip_addr){ 0, 0 };
	*port = 0;
	if (!nft_is(x, ":") && !ip_parse(nft_next(x)->s, ip))
		return false;
	if (bracket && !nft_take(x, "]"))
		return false;
	if (nft_take(x, ":") && !port_of_word(nft_next(x)->s, &p))
		return false;
	*port = p;
	return true;
}

static bool nat_map(struct rule_at *r, bool dnat)
{
	struct nft *x = r->x;
	struct selector s[5] = { { PF_REGISTER, 0, 0 } };
	uint8_t nr = 1;
	uint32_t n;

	if (nft_is(x, "numgen") || nft_is(x, "jhash") || nft_is(x, "symhash")) {
		if (!one_of_n(r, &n))
			return false;
		w_choose(r->w, n);
	} else {
		for (nr = 0; nr < 5; nr++) {
			if (nr && !nft_take(x, "."))
				break;
			if (!selector(x, &s[nr]))
				return false;
			guard(r, &s[nr]);
		}
	}
	if (!nft_take(x, "map") || !look_in(r, SET_MAP, true, s, nr) || !dnat)
		return false;
	w_dnat_register(r->w);
	return true;
}

static bool nat(struct rule_at *r, bool dnat)
{
	struct nft *x = r->x;
	bool fully = false;
	ip_addr ip;
	uint16_t port;

	if (nft_take(x, "ip") || nft_take(x, "ip6")) {
		if (nft_take(x, "addr") && nft_take(x, "."))
			nft_take(x, "port");
	}
	nft_take(x, "prefix");
	nft_take(x, "to");
	if (nft_peek(x)->type == TOK_WORD && (strcmp(nft_peek(x)->s, "ip") == 0 || strcmp(nft_peek(x)->s, "ip6") == 0 || strcmp(nft_peek(x)->s, "numgen") == 0 ||
					      strcmp(nft_peek(x)->s, "jhash") == 0 || strcmp(nft_peek(x)->s, "symhash") == 0 || strcmp(nft_peek(x)->s, "meta") == 0 ||
					      strcmp(nft_peek(x)->s, "tcp") == 0 || strcmp(nft_peek(x)->s, "udp") == 0 || strcmp(nft_peek(x)->s, "th") == 0 || strcmp(nft_peek(x)->s, "ct") == 0)) {
		if (!nat_map(r, dnat))
			return false;
	} else {
		if (!nat_address(x, &ip, &port))
			return false;
		if (dnat)
			w_dnat(r->w, ip, port);
		else
			w_snat(r->w, ip, port);
	}
	nat_flags(x, &fully);
	return true;
}

static bool masquerade(struct rule_at *r)
{
	bool fully = false;

	if (nft_take(r->x, "to") && nft_take(r->x, ":"))
		nft_next(r->x);
	nat_flags(r->x, &fully);
	w_masquerade(r->w, fully);
	return true;
}

static bool redirect(struct rule_at *r)
{
	bool fully = false;
	uint16_t port = 0;

	if (nft_take(r->x, "to") && (!nft_take(r->x, ":") || !port_of_word(nft_next(r->x)->s, &port)))
		return false;
	nat_flags(r->x, &fully);
	w_redirect(r->w, port);
	return true;
}

static bool reject(struct rule_at *r)
{
	enum reject_kind kind = REJECT_DEFAULT;

	if (nft_take(r->x, "with")) {
		while (!ends(r->x) && !nft_is(r->x, "comment")) {
			const char *s = nft_next(r->x)->s;

			kind = strcmp(s, "reset") == 0 ? REJECT_TCP_RESET : strstr(s, "prohibited") ? REJECT_ADMIN : kind;
		}
	}
	w_reject(r->w, kind);
	return true;
}

static bool counter(struct rule_at *r)
{
	struct nft *x = r->x;

	if (nft_take(x, "name") || nft_peek(x)->type == TOK_STRING) {
		w_account(r->w, nft_next(x)->s);
		return true;
	}
	if (nft_take(x, "packets"))
		nft_next(x);
	if (nft_take(x, "bytes"))
		nft_next(x);
	return true;
}

/* A single packet is within every rate, and over none. */
static bool limit(struct rule_at *r)
{
	struct nft *x = r->x;
	bool over = false;

	if (!nft_take(x, "rate"))
		return false;
	over = nft_take(x, "over");
	nft_next(x);                    /* 10/second, or 10 bytes/second */
	if (nft_is(x, "bytes/second") || nft_is(x, "kbytes/second") || nft_is(x, "mbytes/second"))
		nft_next(x);
	if (nft_take(x, "burst")) {
		nft_next(x);
		if (!nft_take(x, "packets") && !nft_take(x, "bytes") && !nft_take(x, "kbytes"))
			nft_take(x, "mbytes");
	}
	if (over)
		w_num(r->w, PF_L4PROTO, REL_EQ, 256, 0);
	return true;
}

static bool log_statement(struct rule_at *r)
{
	static const char *const words[] = { "prefix", "level", "group", "snaplen", "queue-threshold", "flags" };
	struct nft *x = r->x;
	bool more = true;

	while (more) {
		more = false;
		for (size_t k = 0; k < ARRAY_LEN(words); k++)
			if (nft_take(x, words[k])) {
				nft_next(x);
				more = true;
				while (nft_take(x, ","))
					nft_next(x);
				nft_take(x, "sequence");
				nft_take(x, "options");
			}
	}
	w_log(r->w, "");
	return true;
}

/* fib daddr type local; fib saddr . mark . iif oif 0 */
static bool fib(struct rule_at *r)
{
	struct nft *x = r->x;
	bool daddr = nft_take(x, "daddr"), iif = false, not;
	uint32_t v;

	if (!daddr && !nft_take(x, "saddr"))
		return false;
	while (nft_take(x, ".")) {
		iif = iif || nft_is(x, "iif");
		nft_next(x);
	}
	if (nft_take(x, "type")) {
		not = nft_take(x, "!=");
		if (!not)
			nft_take(x, "==");
		if (iif || !nft_take(x, "local"))
			return false;
		w_fib(r->w, daddr ? FIB_DADDR_LOCAL : FIB_SADDR_LOCAL, !not);
		return true;
	}
	if (daddr || (!nft_take(x, "oif") && !nft_take(x, "oifname")))
		return false;
	not = nft_take(x, "!=");
	if (!not && !nft_take(x, "=="))
		nft_take(x, "eq");
	if (nft_take(x, "missing"))
		v = 0;
	else if (nft_take(x, "exists"))
		v = 1;
	else if (nft_take(x, "0"))
		v = 0;
	else
		return false;
	w_reverse(r->w, (v == 0) == not, !iif);
	return true;
}

static bool meta(struct rule_at *r)
{
	struct nft *x = r->x;
	uint32_t from = x->at;
	struct selector s;
	struct cidr all4 = { 0 };
	bool not;

	if (selector(x, &s)) {
		if (nft_take(x, "set"))
			return s.field == PF_MARK && set_mark(r, PF_MARK);
		return nft_is(x, ".") ? concatenated(r, s) : compare(r, &s);
	}
	x->at = from + 1;
	if (nft_take(x, "random"))
		return random_match(r);
	if (nft_take(x, "nfproto")) {
		not = nft_take(x, "!=");
		cidr_parse("0.0.0.0/0", &all4);
		if (!nft_is(x, "ipv4") && !nft_is(x, "ipv6"))
			return false;
		w_cidr(r->w, PF_SADDR, (nft_next(x)->s[3] == '4') != not, all4);
		return true;
	}
	if (nft_take(x, "pkttype")) {
		not = nft_take(x, "!=");
		if (nft_take(x, "host") || nft_take(x, "unicast"))
			not = !not;
		else if (!nft_take(x, "broadcast") && !nft_take(x, "multicast"))
			return false;
		if (!not)               /* nothing but unicast is walked */
			w_num(r->w, PF_L4PROTO, REL_EQ, 256, 0);
		return true;
	}
	if ((nft_take(x, "nftrace") || nft_take(x, "priority")) && nft_take(x, "set")) {
		nft_next(x);
		return true;
	}
	return false;
}

/* update @affinity { ip saddr }, add @set { … : … }, flow add @table: nothing of it changes this packet */
static bool set_statement(struct rule_at *r)
{
	struct nft *x = r->x;
	const struct tok *t = nft_next(x);
	struct selector s[5];
	uint8_t nr = 0;
	bool plain = true;
	set_h h;

	if (t->s[0] != '@')
		return false;
	h = ruleset_find_set(x->n->rules, x->table, t->s + 1);
	if (!nft_take(x, "{"))
		return !h.i;
	while (!ends(x)) {
		if (!selector(x, &s[nr]) || s[nr].field > 15) {
			plain = nft_is(x, "timeout");
			break;
		}
		nr++;
		if (nr == ARRAY_LEN(s) || !nft_take(x, "."))
			break;
	}
	if (nft_is(x, ":"))
		plain = false;
	for (int depth = 1; depth && nft_peek(x)->type != TOK_END && nft_peek(x)->type != TOK_LINE; x->at++)
		depth += nft_is(x, "{") - nft_is(x, "}");
	if (h.i)                /* nft -j leaves the flag out */
		x->n->rules->sets.v[h.i].flags |= SETF_DYNAMIC;
	if (plain && h.i && nr == 1 && ruleset_set_get(x->n->rules, h)->nkey == 1)
		w_update(r->w, h, 0, 1, s[0].field);
	else
		w_log(r->w, "set");
	return true;
}

static bool verdict(struct rule_at *r)
{
	struct verdict_value v;

	if (!nft_verdict(r->x, &v))
		return false;
	if (v.code == OP_JUMP)
		w_jump(r->w, v.chain);
	else if (v.code == OP_GOTO)
		w_goto(r->w, v.chain);
	else if (v.code != OP_LOG)
		w_verdict(r->w, (enum op_code)v.code);
	return true;
}

static bool statement(struct rule_at *r)
{
	struct nft *x = r->x;
	struct selector s;

	if (nft_take(x, "counter"))
		return counter(r);
	if (nft_take(x, "comment")) {
		rule_comment(r->w, nft_next(x)->s);
		return true;
	}
	if (nft_take(x, "masquerade"))
		return masquerade(r);
	if (nft_take(x, "dnat"))
		return nat(r, true);
	if (nft_take(x, "snat"))
		return nat(r, false);
	if (nft_take(x, "redirect"))
		return redirect(r);
	if (nft_take(x, "reject"))
		return reject(r);
	if (nft_take(x, "notrack")) {
		w_verdict(r->w, OP_NOTRACK);
		return true;
	}
	if (nft_take(x, "log"))
		return log_statement(r);
	if (nft_take(x, "limit"))
		return limit(r);
	if (nft_take(x, "fib"))
		return fib(r);
	if (nft_is(x, "numgen") || nft_is(x, "jhash") || nft_is(x, "symhash"))
		return chosen(r);
	if (nft_is(x, "meta"))
		return meta(r);
	if (nft_take(x, "add") || nft_take(x, "update") || nft_take(x, "delete"))
		return set_statement(r);
	if (nft_is(x, "xt") && strcmp(x->t.v[x->at + 1].s, "match") == 0 && strcmp(x->t.v[x->at + 2].s, "comment") == 0) {
		x->at += 3;
		return true;
	}
	if (nft_take(x, "flow")) {
		nft_next(x);
		return nft_peek(x)->s[0] == '@' && nft_next(x);
	}
	if (nft_is(x, "tcp") && strcmp(x->t.v[x->at + 1].s, "option") == 0) {   /* tcp option maxseg size set … */
		while (!ends(x) && !nft_is(x, "set"))
			x->at++;
		if (!nft_take(x, "set"))
			return false;
		nft_next(x);
		nft_take(x, "mtu");
		return true;
	}
	if (verdict(r))
		return true;
	if (!selector(x, &s))
		return false;
	if (nft_take(x, "set"))
		return s.field == PF_CT_MARK || s.field == PF_MARK ? set_mark(r, s.field) : false;
	if (nft_is(x, "."))
		return concatenated(r, s);
	return compare(r, &s);
}

/* The rule's text, without its comment and without `# handle`. */
static const char *text_of(struct nft *x, uint32_t from, uint32_t to)
{
	const struct tok *last;
	const char *end;

	while (to > from && x->t.v[to - 1].type == TOK_LINE)
		to--;
	if (to >= from + 2 && strcmp(x->t.v[to - 2].s, "comment") == 0 && x->t.v[to - 1].type == TOK_STRING)
		to -= 2;
	if (to <= from)
		return "";
	last = &x->t.v[to - 1];
	end = last->at + strlen(last->s) + (last->type == TOK_STRING ? 2 : 0);
	return arena_strndup(x->n->arena, x->t.v[from].at, (size_t)(end - x->t.v[from].at));
}

static uint32_t rule_end(const struct nft *x)
{
	uint32_t at = x->at;

	for (int depth = 0; x->t.v[at].type != TOK_END; at++) {
		if (x->t.v[at].type == TOK_LINE && depth == 0)
			break;
		if (x->t.v[at].type == TOK_SIGN)
			depth += (x->t.v[at].s[0] == '{') - (x->t.v[at].s[0] == '}');
		if (depth < 0)
			break;
	}
	return at;
}

void nft_rule(struct nft *x, chain_h c)
{
	uint32_t from = x->at, to = rule_end(x), comment;
	struct rule_at r = { .x = x, .w = rule_begin(x->n->rules, c) };

	rule_raw(r.w, text_of(x, from, to));
	while (x->at < to) {
		uint32_t at = x->at;

		if (statement(&r) && x->at <= to && x->at > at)
			continue;
		for (comment = to; comment > at && strcmp(x->t.v[comment - 1].s, "comment") != 0; comment--)
			;
		if (comment > at && comment < to && x->t.v[comment].type == TOK_STRING)
			rule_comment(r.w, x->t.v[comment].s);
		w_unknown(r.w, arena_printf(x->n->arena, "\"%s\" is not modelled", text_of(x, at, to)), 3);
		if (strcmp(x->t.v[at].s, "xt") == 0)
			note(x->n, NOTE_MISSING, x->p, x->t.v[at].line, "nft does not show what iptables' own extensions (xt) are told: iptables-save does");
		else
			note(x->n, NOTE_UNKNOWN, x->p, x->t.v[at].line, "\"%s\" is not modelled", text_of(x, at, to));
		break;
	}
	x->at = to;
}
