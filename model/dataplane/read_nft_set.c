/* Sets, maps and verdict maps of nft: declared ones and those that stand in a rule. */
#include <ctype.h>
#include <stdlib.h>

#include "model/dataplane/nft_lex.h"

/* ---- values */

static bool named_number(uint8_t field, bool v6, const char *s, uint32_t *out)
{
	static const struct { uint8_t field; const char *name; uint32_t v4, v6; } names[] = {
		{ PF_CT_STATE, "new", CT_NEW, CT_NEW }, { PF_CT_STATE, "established", CT_ESTABLISHED, CT_ESTABLISHED }, { PF_CT_STATE, "related", CT_RELATED, CT_RELATED },
		{ PF_CT_STATE, "invalid", CT_INVALID, CT_INVALID }, { PF_CT_STATE, "untracked", CT_UNTRACKED, CT_UNTRACKED }, { PF_CT_STATUS, "snat", CTS_SNAT, CTS_SNAT },
		{ PF_CT_STATUS, "dnat", CTS_DNAT, CTS_DNAT }, { PF_CT_STATUS, "assured", CTS_ASSURED, CTS_ASSURED }, { PF_CT_STATUS, "confirmed", CTS_CONFIRMED, CTS_CONFIRMED },
		{ PF_CT_STATUS, "seen-reply", CTS_SEEN_REPLY, CTS_SEEN_REPLY }, { PF_CT_REPLY_DIR, "original", 0, 0 }, { PF_CT_REPLY_DIR, "reply", 1, 1 },
		{ PF_TCP_FLAGS, "fin", 1, 1 }, { PF_TCP_FLAGS, "syn", 2, 2 }, { PF_TCP_FLAGS, "rst", 4, 4 }, { PF_TCP_FLAGS, "psh", 8, 8 }, { PF_TCP_FLAGS, "ack", 16, 16 },
		{ PF_TCP_FLAGS, "urg", 32, 32 }, { PF_SKUID, "root", 0, 0 }, { PF_SKGID, "root", 0, 0 },
		{ PF_ICMP_TYPE, "echo-reply", 0, 129 }, { PF_ICMP_TYPE, "echo-request", 8, 128 }, { PF_ICMP_TYPE, "destination-unreachable", 3, 1 }, { PF_ICMP_TYPE, "redirect", 5, 137 },
		{ PF_ICMP_TYPE, "time-exceeded", 11, 3 }, { PF_ICMP_TYPE, "parameter-problem", 12, 4 }, { PF_ICMP_TYPE, "packet-too-big", 255, 2 }, { PF_ICMP_TYPE, "router-solicitation", 10, 133 },
		{ PF_ICMP_TYPE, "router-advertisement", 9, 134 }, { PF_ICMP_TYPE, "nd-router-solicit", 255, 133 }, { PF_ICMP_TYPE, "nd-router-advert", 255, 134 },
		{ PF_ICMP_TYPE, "nd-neighbor-solicit", 255, 135 }, { PF_ICMP_TYPE, "nd-neighbor-advert", 255, 136 }, { PF_ICMP_TYPE, "nd-redirect", 255, 137 },
		{ PF_ICMP_TYPE, "mld-listener-query", 255, 130 }, { PF_ICMP_TYPE, "mld-listener-report", 255, 131 }, { PF_ICMP_TYPE, "mld-listener-done", 255, 132 },
		{ PF_ICMP_TYPE, "mld2-listener-report", 255, 143 }, { PF_ICMP_TYPE, "timestamp-request", 13, 255 }, { PF_ICMP_TYPE, "timestamp-reply", 14, 255 },
	};

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (names[k].field == field && strcmp(names[k].name, s) == 0) {
			*out = v6 ? names[k].v6 : names[k].v4;
			return true;
		}
	return false;
}

static bool number_value(uint8_t field, bool v6, const char *s, uint32_t *out)
{
	uint16_t port;

	if (number_of(s, UINT32_MAX, out))
		return true;
	if (field == PF_SPORT || field == PF_DPORT || field == PF_CT_ORIG_DPORT) {
		if (!port_of_word(s, &port))
			return false;
		*out = port;
		return true;
	}
	return field == PF_L4PROTO ? proto_of_word(s, out) : named_number(field, v6, s, out);
}

static bool is_address(uint8_t field)
{
	return field == PF_SADDR || field == PF_DADDR || field == PF_CT_DNATED_FROM;
}

static bool address_value(struct nft *x, ip_addr *first, ip_addr *last)
{
	const struct tok *t = nft_next(x);
	const char *dash = t->type == TOK_WORD ? strchr(t->s, '-') : NULL;
	struct cidr c;

	if (cidr_parse(t->s, &c)) {
		*first = c.addr;
		*last = cidr_last(c);
		return true;
	}
	if (dash)
		return ip_parse_n(t->s, (size_t)(dash - t->s), first) && ip_parse(dash + 1, last);
	if (!ip_parse(t->s, first))
		return false;
	*last = *first;
	return !nft_take(x, "-") || ip_parse(nft_next(x)->s, last);
}

bool nft_value(struct nft *x, uint8_t field, ip_addr *first, ip_addr *last)
{
	const struct tok *t;
	const char *dash;
	char left[64];
	uint32_t a, b;

	if (is_address(field))
		return address_value(x, first, last);
	t = nft_next(x);
	if (t->type != TOK_WORD && t->type != TOK_STRING)
		return false;
	if (field == PF_IIFNAME || field == PF_OIFNAME) {
		if (strchr(t->s, '*'))
			return false;
		*first = *last = word((uint64_t)(uintptr_t)str_intern(x->n->strings, t->s));
		return true;
	}
	if (number_value(field, x->family == NF_IP6, t->s, &a)) {
		*first = *last = word(a);
		return true;
	}
	dash = strchr(t->s, '-');
	if (!dash)
		return false;
	snprintf(left, sizeof(left), "%.*s", (int)MIN((size_t)(dash - t->s), sizeof(left) - 1), t->s);
	if (!number_value(field, x->family == NF_IP6, left, &a) || !number_value(field, x->family == NF_IP6, dash + 1, &b))
		return false;
	*first = word(a);
	*last = word(b);
	return true;
}

bool nft_verdict(struct nft *x, struct verdict_value *v)
{
	static const struct { const char *word; uint8_t code; bool chain; } words[] = { { "accept", OP_ACCEPT, false }, { "drop", OP_DROP, false }, { "return", OP_RETURN, false },
		{ "continue", OP_LOG, false }, { "jump", OP_JUMP, true }, { "goto", OP_GOTO, true } };

	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (nft_take(x, words[k].word)) {
			*v = (struct verdict_value){ words[k].code, { 0 } };
			if (words[k].chain)
				v->chain = ruleset_chain(x->n->rules, x->table, nft_next(x)->s);
			return true;
		}
	return false;
}

/* ---- elements */

/* timeout 3h expires 2h, counter packets 1 bytes 2, comment "…": up to what closes the key or the element. */
static const char *options(struct nft *x)
{
	const char *comment = NULL;

	while (nft_peek(x)->type != TOK_END && !nft_is(x, ",") && !nft_is(x, "}") && !nft_is(x, ":")) {
		if (nft_take(x, "comment"))
			comment = nft_next(x)->s;
		else
			x->at++;
	}
	return comment;
}

static bool one_key(struct nft *x, const struct set *s, ip_addr *key)
{
	for (uint8_t k = 0; k < s->nkey; k++) {
		ip_addr last;

		if (k && !nft_take(x, "."))
			return false;
		if (!nft_value(x, s->key[k], &key[s->flags & SETF_INTERVAL ? 2 * k : k], &last))
			return false;
		if (s->flags & SETF_INTERVAL)
			key[2 * k + 1] = last;
		else if (!ip_eq(key[k], last))
			return false;
	}
	return true;
}

static bool one_element(struct nft *x, set_h h)
{
	const struct set *s = ruleset_set_get(x->n->rules, h);
	ip_addr key[10] = { { 0, 0 } }, value = { 0, 0 }, last, port = { 0, 0 };
	bool ok = one_key(x, s, key);
	const char *comment = options(x), *behind;
	struct verdict_value v = { 0 };
	struct elem *e = NULL;

	if (s->kind != SET_PLAIN && nft_take(x, ":")) {
		if (s->kind == SET_VMAP) {
			ok = nft_verdict(x, &v) && ok;
			e = ok ? set_add_verdict(x->n->rules, h, key, (enum op_code)v.code, v.chain) : NULL;
		} else {
			ok = address_value(x, &value, &last) && ip_eq(value, last) && ok;
			if (ok && nft_take(x, "."))
				ok = nft_value(x, PF_DPORT, &port, &last);
			e = ok ? set_add_value(x->n->rules, h, key, value, (uint32_t)port.lo) : NULL;
		}
	} else if (ok && s->kind == SET_PLAIN) {
		e = set_add(x->n->rules, h, key);
	} else {
		ok = false;
	}
	behind = options(x);
	comment = comment ? comment : behind;
	if (e && comment)
		e->comment = str_intern(x->n->strings, comment);
	return ok;
}

bool nft_elements(struct nft *x, set_h h)
{
	bool ok = nft_take(x, "{");

	while (ok || nft_peek(x)->type != TOK_END) {
		while (nft_peek(x)->type == TOK_LINE || nft_is(x, ","))
			x->at++;
		if (nft_take(x, "}") || nft_peek(x)->type == TOK_END)
			break;
		{
			uint32_t from = x->at;

			ok = one_element(x, h) && ok;
			while (nft_peek(x)->type != TOK_END && !nft_is(x, ",") && !nft_is(x, "}") && nft_peek(x)->type != TOK_LINE)
				x->at++;
			if (x->at == from)
				x->at++;
		}
	}
	return ok;
}

/* Do the elements hold values of two parts (10.0.0.1 . 80)? */
static bool values_have_ports(const struct nft *x)
{
	bool value = false;

	for (uint32_t k = x->at; x->t.v[k].type != TOK_END && strcmp(x->t.v[k].s, "}") != 0; k++) {
		value = strcmp(x->t.v[k].s, ":") == 0 || (value && strcmp(x->t.v[k].s, ",") != 0);
		if (value && strcmp(x->t.v[k].s, ".") == 0)
			return true;
	}
	return false;
}

set_h nft_anonymous(struct nft *x, enum set_kind kind, const uint8_t *key, uint8_t nkey)
{
	set_h h = ruleset_set(x->n->rules, x->table, NULL, kind, SETF_INTERVAL, key, nkey);

	x->n->rules->sets.v[h.i].value_addr = kind == SET_MAP && !values_have_ports(x);
	return nft_elements(x, h) ? h : (set_h){ 0 };
}

/* ---- declared sets */

struct declared { uint8_t key[5], nkey; bool known, verdict, value_addr, value; unsigned flags; uint32_t timeout; const char *comment; };

static void type_word(struct declared *d, bool value, const char *word_)
{
	static const struct { const char *name; uint8_t field; } types[] = {
		{ "ipv4_addr", PF_SADDR }, { "ipv6_addr", PF_SADDR }, { "inet_service", PF_DPORT }, { "inet_proto", PF_L4PROTO }, { "ifname", PF_IIFNAME }, { "iface_index", PF_IIFNAME },
		{ "mark", PF_MARK }, { "ct_state", PF_CT_STATE }, { "uid", PF_SKUID }, { "gid", PF_SKGID }, { "icmp_type", PF_ICMP_TYPE }, { "icmpv6_type", PF_ICMP_TYPE }, { "integer", PF_REGISTER },
		/* of typeof, the last word of each part */
		{ "saddr", PF_SADDR }, { "daddr", PF_SADDR }, { "dport", PF_DPORT }, { "sport", PF_DPORT }, { "l4proto", PF_L4PROTO }, { "protocol", PF_L4PROTO }, { "iifname", PF_IIFNAME },
		{ "oifname", PF_IIFNAME }, { "skuid", PF_SKUID }, { "skgid", PF_SKGID },
	};

	if (value) {
		d->verdict = d->verdict || strcmp(word_, "verdict") == 0;
		d->value_addr = strstr(word_, "_addr") || strcmp(word_, "saddr") == 0 || strcmp(word_, "daddr") == 0;
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		if (strcmp(types[k].name, word_) == 0 && d->nkey < ARRAY_LEN(d->key)) {
			d->key[d->nkey++] = types[k].field;
			return;
		}
	d->known = false;
}

/* type ipv4_addr . inet_proto : verdict; typeof ip saddr . tcp dport */
static void type_line(struct nft *x, struct declared *d)
{
	const char *last = NULL;
	bool value = false;

	d->known = true;
	while (nft_peek(x)->type != TOK_LINE && nft_peek(x)->type != TOK_END && !nft_is(x, "}")) {
		if (nft_is(x, ".") || nft_is(x, ":")) {
			if (last)
				type_word(d, value, last);
			value = value || nft_is(x, ":");
			last = NULL;
		} else {
			last = nft_peek(x)->s;
		}
		x->at++;
	}
	if (last)
		type_word(d, value, last);
	d->value = value;
}

static uint32_t seconds_of(const char *s)
{
	static const struct { char unit; uint32_t seconds; } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	uint64_t total = 0;

	while (isdigit((unsigned char)*s)) {
		char *end;
		unsigned long v = strtoul(s, &end, 10);

		for (size_t k = 0; k < ARRAY_LEN(units); k++)
			if (*end == units[k].unit && end[1] != 's')
				total += (uint64_t)v * units[k].seconds;
		s = end + (*end != '\0');
	}
	return total > UINT32_MAX ? UINT32_MAX : (uint32_t)total;
}

static set_h declare(struct nft *x, const char *name, bool map, struct declared *d)
{
	enum set_kind kind = !map ? SET_PLAIN : d->verdict ? SET_VMAP : SET_MAP;
	set_h h;

	if (!d->nkey) {
		d->key[d->nkey++] = PF_SADDR;
		d->known = false;
	}
	h = ruleset_set(x->n->rules, x->table, name, kind, d->flags, d->key, d->nkey);
	x->n->rules->sets.v[h.i].value_addr = d->value_addr;
	x->n->rules->sets.v[h.i].timeout = d->timeout;
	x->n->rules->sets.v[h.i].comment = str_intern(x->n->strings, d->comment);
	return h;
}

void nft_set(struct nft *x, bool map, bool fill)
{
	const struct tok *name = nft_next(x);
	struct declared d = { 0 };
	set_h h = { 0 };
	bool known = true;

	if (!nft_take(x, "{"))
		return;
	while (nft_peek(x)->type != TOK_END && !nft_take(x, "}")) {
		if (nft_is(x, "{")) {           /* of a second pass, or of something unknown */
			struct nft skip = *x;

			for (int depth = 0; nft_peek(&skip)->type != TOK_END;) {
				depth += nft_is(&skip, "{") - nft_is(&skip, "}");
				skip.at++;
				if (!depth)
					break;
			}
			x->at = skip.at;
		} else if (fill && (nft_take(x, "type") || nft_take(x, "typeof"))) {
			type_line(x, &d);
		} else if (fill && nft_take(x, "flags")) {
			while (nft_peek(x)->type == TOK_WORD || nft_is(x, ",")) {
				const char *f = nft_next(x)->s;

				d.flags |= strcmp(f, "interval") == 0 ? SETF_INTERVAL : strcmp(f, "dynamic") == 0 ? SETF_DYNAMIC : strcmp(f, "timeout") == 0 ? SETF_TIMEOUT : 0u;
			}
		} else if (fill && nft_take(x, "timeout")) {
			d.timeout = seconds_of(nft_next(x)->s);
			d.flags |= SETF_TIMEOUT;
		} else if (fill && nft_take(x, "comment")) {
			d.comment = nft_next(x)->s;
		} else if (fill && nft_take(x, "elements")) {
			nft_take(x, "=");
			h = declare(x, name->s, map, &d);
			known = nft_elements(x, h) && d.known;
		} else {
			x->at++;
		}
	}
	if (!fill)
		return;
	if (!h.i) {
		h = declare(x, name->s, map, &d);
		known = d.known;
	}
	if (!known || x->p->cut) {
		*map_put(&x->n->set_gaps, x->n->arena, h.i) = 1;
		if (!known)
			note(x->n, NOTE_UNKNOWN, x->p, name->line, "set %s has a type or elements that are not modelled", name->s);
	}
	*map_put(&x->named, x->n->arena, h.i) = 1;
}
