/* What a rule of nft does with a packet: marks, choices, NAT, rejections; and what changes nothing that a rule or a socket could see. */
#include "model/dataplane/nft_rule.h"

/* ---- marks */

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
	if (nft_selector(x, &s)) {
		if (s.field != PF_MARK && s.field != PF_CT_MARK)
			return false;
		*from = s.field;
		*keep = 0xffffffffu;
	} else if (!nft_number(x, xor)) {
		return false;
	}
	for (;;) {
		while (nft_take(x, ")"))
			;
		if (nft_take(x, "&") || nft_take(x, "and")) {
			if (!nft_number(x, &v))
				return false;
			*keep &= v;
			*xor &= v;
		} else if (nft_take(x, "|") || nft_take(x, "or")) {
			if (!nft_number(x, &v))
				return false;
			*keep &= ~v;
			*xor = (*xor & ~v) | v;
		} else if (nft_take(x, "^") || nft_take(x, "xor")) {
			if (!nft_number(x, &v))
				return false;
			*xor ^= v;
		} else {
			return true;
		}
	}
}

bool nft_set_mark(struct rule_at *r, uint8_t to)
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
		while (!nft_ends(x) && !nft_is(x, "mod"))
			x->at++;
	} else {
		return false;
	}
	if (!nft_take(x, "mod") || !nft_number(x, n) || !*n)
		return false;
	if (nft_take(x, "seed") && !nft_number(x, &v))
		return false;
	return !nft_take(x, "offset") || (nft_number(x, &v) && v == 0);
}

bool nft_chosen(struct rule_at *r)
{
	struct selector reg = { PF_REGISTER, 0, 0 };
	uint32_t n, k;

	if (!one_of_n(r, &n))
		return false;
	if (nft_take(r->x, "<")) {
		if (!nft_number(r->x, &k))
			return false;
		w_chance(r->w, k, n);
		return true;
	}
	w_choose(r->w, n);
	if (nft_take(r->x, "vmap"))
		return nft_look_in(r, SET_VMAP, true, &reg, 1);
	return false;
}

/* meta random & 2147483647 < 715827883: iptables-nft's statistic */
bool nft_random(struct rule_at *r)
{
	uint32_t all, k;
	double p;

	if (!nft_take(r->x, "&") || !nft_number(r->x, &all) || !nft_take(r->x, "<") || !nft_number(r->x, &k) || all != 0x7fffffffu)
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
			if (!nft_selector(x, &s[nr]))
				return false;
			nft_guard(r, &s[nr]);
		}
	}
	if (!nft_take(x, "map") || !nft_look_in(r, SET_MAP, true, s, nr) || !dnat)
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
		while (!nft_ends(r->x) && !nft_is(r->x, "comment")) {
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
	while (!nft_ends(x)) {
		if (!nft_selector(x, &s[nr]) || s[nr].field > 15) {
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

static bool comment(struct rule_at *r)
{
	rule_comment(r->w, nft_next(r->x)->s);
	return true;
}

static bool notrack(struct rule_at *r)
{
	w_verdict(r->w, OP_NOTRACK);
	return true;
}

static bool dnat(struct rule_at *r) { return nat(r, true); }
static bool snat(struct rule_at *r) { return nat(r, false); }

static bool flow(struct rule_at *r)
{
	nft_next(r->x);
	return nft_peek(r->x)->s[0] == '@' && nft_next(r->x);
}

nft_statement_fn *nft_statement(struct nft *x)
{
	static const struct { const char *word; nft_statement_fn *fn; } statements[] = {
		{ "counter", counter }, { "comment", comment }, { "masquerade", masquerade }, { "dnat", dnat }, { "snat", snat }, { "redirect", redirect }, { "reject", reject },
		{ "notrack", notrack }, { "log", log_statement }, { "limit", limit }, { "add", set_statement }, { "update", set_statement }, { "delete", set_statement }, { "flow", flow },
	};

	for (size_t k = 0; k < ARRAY_LEN(statements); k++)
		if (nft_take(x, statements[k].word))
			return statements[k].fn;
	return NULL;
}
