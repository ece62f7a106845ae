/* `nft list ruleset`, tables and chains of it. Two passes: first what is declared (chains, sets with their elements), then the rules, since they refer forwards.
 * Source: nft(8), and what nft 1.0 and 1.1 print. */
#include <ctype.h>
#include <stdlib.h>

#include "model/dataplane/nft_lex.h"

/* ---- words */

static bool word_char(char c)
{
	return c && (isalnum((unsigned char)c) || strchr("_-./*+@%~$?", c) || (unsigned char)c >= 0x80);
}

/* An IPv6 address begins with :: or has a colon between hexadecimal digits; elsewhere a colon stands alone. */
static bool is_ip6(const char *p, const char *end, uint32_t *len)
{
	char text[64];
	uint32_t n = 0, colons = 0;
	ip_addr ip;

	while (p + n < end && n < sizeof(text) - 1 && (isxdigit((unsigned char)p[n]) || p[n] == ':' || p[n] == '.')) {
		colons += p[n] == ':';
		text[n] = p[n];
		n++;
	}
	text[n] = '\0';
	if (colons < 2 || !ip_parse(text, &ip))
		return false;
	if (p + n < end && *(p + n) == '/')
		for (n++; p + n < end && isdigit((unsigned char)p[n]);)
			n++;
	*len = n;
	return true;
}

struct toks nft_tokens(struct arena *a, const char *text, size_t n, uint32_t line, bool *elided)
{
	const char *p = text, *end = text + n;
	struct toks t = { 0 };

	*elided = false;
	while (p < end) {
		uint32_t len;

		if (*p == ' ' || *p == '\t' || *p == '\r') {
			p++;
		} else if (*p == '\n' || *p == ';') {
			vec_add(a, &t, (struct tok){ *p == '\n' ? "\n" : ";", line, TOK_LINE, p });
			line += *p++ == '\n';
		} else if (*p == '\\' && p + 1 < end && p[1] == '\n') {
			p += 2;
			line++;
		} else if (*p == '#') {
			while (p < end && *p != '\n')
				p++;
		} else if (*p == '"') {
			const char *q = ++p;

			while (q < end && *q != '"' && *q != '\n')
				q++;
			vec_add(a, &t, (struct tok){ arena_strndup(a, p, (size_t)(q - p)), line, TOK_STRING, p - 1 });
			p = q < end && *q == '"' ? q + 1 : q;
		} else if (end - p >= 3 && memcmp(p, "...", 3) == 0) {
			*elided = true;
			while (p < end && *p == '.')
				p++;
		} else if (*p == '-' && is_ip6(p + 1, end, &len)) {
			vec_add(a, &t, (struct tok){ "-", line, TOK_SIGN, p });
			p++;
		} else if (is_ip6(p, end, &len)) {
			vec_add(a, &t, (struct tok){ arena_strndup(a, p, len), line, TOK_WORD, p });
			p += len;
		} else if (word_char(*p)) {
			const char *q = p;

			while (q < end && word_char(*q))
				q++;
			len = (uint32_t)(q - p);
			vec_add(a, &t, (struct tok){ arena_strndup(a, p, len), line, TOK_WORD, p });
			p = q;
		} else {
			len = end - p > 1 && (memcmp(p, "==", 2) == 0 || memcmp(p, "!=", 2) == 0 || memcmp(p, "<=", 2) == 0 || memcmp(p, ">=", 2) == 0 || memcmp(p, "<<", 2) == 0 ||
					      memcmp(p, ">>", 2) == 0) ? 2 : 1;
			vec_add(a, &t, (struct tok){ arena_strndup(a, p, len), line, TOK_SIGN, p });
			p += len;
		}
	}
	vec_add(a, &t, (struct tok){ "", line, TOK_END, end });
	return t;
}

/* ---- tables and chains */

static void skip_lines(struct nft *x)
{
	while (nft_peek(x)->type == TOK_LINE)
		x->at++;
}

/* Behind the `}` that closes the block whose `{` was taken. */
static void skip_block(struct nft *x)
{
	int depth = 1;

	while (depth && nft_peek(x)->type != TOK_END) {
		depth += nft_is(x, "{") - nft_is(x, "}");
		x->at++;
	}
	x->cut = x->cut || depth;
}

static bool priority(struct nft *x, int *out)
{
	static const struct { const char *name; int value; } names[] = { { "raw", -300 }, { "mangle", -150 }, { "dstnat", -100 }, { "filter", 0 }, { "security", 50 }, { "srcnat", 100 } };
	const struct tok *t = nft_next(x);
	char *end;

	*out = (int)strtol(t->s, &end, 10);
	if (*end || !*t->s) {
		size_t k = 0;

		while (k < ARRAY_LEN(names) && strcmp(names[k].name, t->s) != 0)
			k++;
		if (k == ARRAY_LEN(names))
			return false;
		*out = names[k].value;
	}
	if (nft_is(x, "+") || nft_is(x, "-")) {
		int sign = *nft_next(x)->s == '-' ? -1 : 1;

		*out += sign * (int)strtol(nft_next(x)->s, &end, 10);
	}
	return *out >= INT16_MIN && *out <= INT16_MAX;
}

/* type filter hook forward priority -110; policy accept; */
static void base_line(struct nft *x, chain_h c)
{
	const struct tok *type = nft_next(x), *hook;
	int t = -1, h = 0, prio = 0;

	for (int k = 0; k < NF_TYPES; k++)
		t = strcmp(nf_type_names[k], type->s) == 0 ? k : t;
	nft_take(x, "hook");
	hook = nft_next(x);
	for (int k = 1; k < NF_HOOKS; k++)
		h = strcmp(nf_hook_names[k], hook->s) == 0 ? k : h;
	if (nft_take(x, "device"))
		nft_next(x);
	if (!nft_take(x, "priority") || !priority(x, &prio) || t < 0 || !h) {
		note(x->n, NOTE_UNKNOWN, x->p, hook->line, "chain %s: type %s hook %s is not modelled; its rules are not asked", ruleset_chain_get(x->n->rules, c)->name, type->s, hook->s);
		return;
	}
	ruleset_base_chain(x->n->rules, c, (enum nf_hook)h, (enum nf_type)t, prio, OP_ACCEPT);
}

static void one_chain(struct nft *x, bool rules)
{
	const struct tok *name = nft_next(x);
	chain_h c = ruleset_chain(x->n->rules, x->table, name->s);

	*map_put(&x->n->declared, x->n->arena, c.i) = 1;
	if (!nft_take(x, "{"))
		return;
	for (;;) {
		skip_lines(x);
		if (nft_peek(x)->type == TOK_END) {
			x->cut = true;
			return;
		}
		if (nft_take(x, "}"))
			return;
		if (nft_is(x, "comment") && x->t.v[x->at + 1].type == TOK_STRING && x->t.v[x->at + 2].type == TOK_LINE) {
			x->at++;
			x->n->rules->chains.v[c.i].comment = str_intern(x->n->strings, nft_next(x)->s);
		} else if (nft_take(x, "type")) {
			base_line(x, c);
		} else if (nft_take(x, "policy")) {
			if (strcmp(nft_next(x)->s, "drop") == 0)
				x->n->rules->chains.v[c.i].policy = OP_DROP;
		} else if (rules) {
			nft_rule(x, c);
			continue;
		}
		while (nft_peek(x)->type != TOK_LINE && nft_peek(x)->type != TOK_END && !nft_is(x, "}")) {
			if (nft_take(x, "{"))
				skip_block(x);
			else
				x->at++;
		}
	}
}

static void in_table(struct nft *x, bool rules)
{
	for (;;) {
		skip_lines(x);
		if (nft_peek(x)->type == TOK_END) {
			x->cut = true;
			return;
		}
		if (nft_take(x, "}"))
			return;
		if (nft_take(x, "chain")) {
			one_chain(x, rules);
		} else if (nft_is(x, "set") || nft_is(x, "map")) {
			bool map = nft_take(x, "map");

			if (!map)
				nft_take(x, "set");
			nft_set(x, map, !rules);
			continue;
		} else if (nft_is(x, "comment") && x->t.v[x->at + 1].type == TOK_STRING) {
			x->at++;
			x->n->rules->tables.v[x->table.i].comment = str_intern(x->n->strings, nft_next(x)->s);
		} else {                /* flowtable, counter, quota, limit, ct helper, comment, flags: nothing that decides */
			while (nft_peek(x)->type != TOK_LINE && nft_peek(x)->type != TOK_END && !nft_is(x, "}")) {
				if (nft_take(x, "{"))
					skip_block(x);
				else
					x->at++;
			}
		}
	}
}

/* A cut table: something that nobody told may decide at each of its hooks. */
static void put_gap(struct nft *x)
{
	for (uint32_t k = 1; k <= ruleset_nr_chains(x->n->rules); k++) {
		const struct chain *c = ruleset_chain_get(x->n->rules, (chain_h){ k });

		if (c->table.i == x->table.i && c->hook)
			w_unknown(rule_begin(x->n->rules, (chain_h){ k }), arena_printf(x->n->arena, "table %s is not complete in the capture", ruleset_table_get(x->n->rules, x->table)->name), 3);
	}
}

/* Tables of iptables-nft show in both listings, in nft's without the arguments of extensions. */
static bool same_as_iptables(const struct nft *x, int family, const char *name)
{
	for (int k = 0; k < IPT_TABLES; k++)
		if (strcmp(ipt_tables[k], name) == 0 && (family == NF_IP || family == NF_IP6) && x->n->ipt[family == NF_IP6][k].seen)
			return true;
	return false;
}

static void one_table(struct nft *x, bool rules)
{
	static const struct { const char *name; int family; } families[] = { { "ip", NF_IP }, { "ip6", NF_IP6 }, { "inet", NF_INET }, { "arp", -1 }, { "bridge", -1 }, { "netdev", -1 } };
	const struct tok *family = nft_next(x), *name;
	int f = -2;

	for (size_t k = 0; k < ARRAY_LEN(families); k++)
		f = strcmp(families[k].name, family->s) == 0 ? families[k].family : f;
	if (f == -2) {                  /* table NAME: family ip */
		name = family;
		f = NF_IP;
	} else {
		name = nft_next(x);
	}
	if (!nft_take(x, "{"))
		return;
	if (f == -1) {
		if (!rules)
			note(x->n, NOTE_IGNORED, x->p, family->line, "table %s %s: this family does not see what is routed", family->s, name->s);
		skip_block(x);
		return;
	}
	if (same_as_iptables(x, f, name->s)) {
		if (!rules)
			note(x->n, NOTE_IGNORED, x->p, family->line, "table %s %s is iptables' own: it is read from iptables-save", family->s, name->s);
		skip_block(x);
		return;
	}
	x->family = (uint8_t)f;
	x->table = ruleset_table(x->n->rules, (enum nf_family)f, name->s, false);
	x->cut = x->p->cut;
	in_table(x, rules);
	if (rules && x->cut) {
		note(x->n, NOTE_MISSING, x->p, family->line, "table %s %s is not complete", family->s, name->s);
		put_gap(x);
	}
}

void read_nft(struct node_in *n, const struct part *p)
{
	struct nft x = { .n = n, .p = p };
	bool elided;

	x.t = nft_tokens(n->arena, p->text, p->n, p->line, &elided);
	n->nft_seen = true;
	for (int rules = 0; rules <= 1; rules++) {
		struct part cut = *p;

		cut.cut = p->cut || elided;
		x.p = &cut;
		x.at = 0;
		while (nft_peek(&x)->type != TOK_END) {
			if (nft_take(&x, "table"))
				one_table(&x, rules);
			else
				x.at++;
		}
		x.p = p;
	}
	if (elided)
		note(n, NOTE_MISSING, p, p->line, "the listing is cut: \"...\" stands where rules were");
}
