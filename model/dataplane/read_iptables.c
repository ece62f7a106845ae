/* iptables-save, ip6tables-save and iptables -S: tables, chains, rules. What a rule's words mean stands in read_iptables_rule.c. */
#include "model/dataplane/read.h"

#include <stdlib.h>

const char *const ipt_tables[IPT_TABLES] = { "raw", "mangle", "nat", "filter", "security" };

/* Where the built-in chains of a table stand (linux include/uapi/linux/netfilter_ipv4.h). */
static const struct { const char *table, *chain; uint8_t hook, type; int16_t priority; } built_in[] = {
	{ "raw", "PREROUTING", HOOK_PREROUTING, NFT_FILTER, -300 }, { "raw", "OUTPUT", HOOK_OUTPUT, NFT_FILTER, -300 },
	{ "mangle", "PREROUTING", HOOK_PREROUTING, NFT_FILTER, -150 }, { "mangle", "INPUT", HOOK_INPUT, NFT_FILTER, -150 },
	{ "mangle", "FORWARD", HOOK_FORWARD, NFT_FILTER, -150 }, { "mangle", "OUTPUT", HOOK_OUTPUT, NFT_ROUTE, -150 },
	{ "mangle", "POSTROUTING", HOOK_POSTROUTING, NFT_FILTER, -150 }, { "nat", "PREROUTING", HOOK_PREROUTING, NFT_NAT, -100 },
	{ "nat", "INPUT", HOOK_INPUT, NFT_NAT, 100 }, { "nat", "OUTPUT", HOOK_OUTPUT, NFT_NAT, -100 }, { "nat", "POSTROUTING", HOOK_POSTROUTING, NFT_NAT, 100 },
	{ "filter", "INPUT", HOOK_INPUT, NFT_FILTER, 0 }, { "filter", "FORWARD", HOOK_FORWARD, NFT_FILTER, 0 }, { "filter", "OUTPUT", HOOK_OUTPUT, NFT_FILTER, 0 },
	{ "security", "INPUT", HOOK_INPUT, NFT_FILTER, 50 }, { "security", "FORWARD", HOOK_FORWARD, NFT_FILTER, 50 }, { "security", "OUTPUT", HOOK_OUTPUT, NFT_FILTER, 50 },
};

table_h iptables_table(struct node_in *n, bool v6, const char *name)
{
	for (uint32_t k = 0; k < IPT_TABLES; k++)
		if (strcmp(ipt_tables[k], name) == 0)
			n->ipt[v6][k].seen = true;
	return ruleset_table(n->rules, v6 ? NF_IP6 : NF_IP, name, true);
}

chain_h iptables_chain(struct node_in *n, table_h t, const char *name, const char *policy)
{
	chain_h c = ruleset_chain(n->rules, t, name);

	for (size_t k = 0; k < ARRAY_LEN(built_in); k++)
		if (streq(built_in[k].table, ruleset_table_get(n->rules, t)->name) && streq(built_in[k].chain, name)) {
			ruleset_base_chain(n->rules, c, (enum nf_hook)built_in[k].hook, (enum nf_type)built_in[k].type, built_in[k].priority, OP_ACCEPT);
			if (policy && strcmp(policy, "DROP") == 0)
				n->rules->chains.v[c.i].policy = OP_DROP;
		}
	*map_put(&n->declared, n->arena, c.i) = 1;
	return c;
}

/* A piece without its `*table`: what it does tells where it stands. */
static const char *guess_table(const struct part *p)
{
	static const char *const nat[] = { "-j DNAT", "-j SNAT", "-j MASQUERADE", "-j REDIRECT", NULL };
	struct lines l = lines_of(p);
	const char *s;
	bool filter = false, others = false;
	size_t n;

	while (next_line(&l, &s, &n)) {
		for (int k = 0; nat[k]; k++)
			if (memmem(s, n, nat[k], strlen(nat[k])))
				return "nat";
		filter = filter || memmem(s, n, "-A FORWARD", 10) || memmem(s, n, "-P FORWARD", 10) || memmem(s, n, "-A INPUT", 8) || memmem(s, n, "-j DROP", 7) || memmem(s, n, "-j REJECT", 9);
		others = others || memmem(s, n, "-A PREROUTING", 13) || memmem(s, n, "-P PREROUTING", 13) || memmem(s, n, "-A POSTROUTING", 14);
	}
	return filter && !others ? "filter" : NULL;
}

struct save {
	struct node_in *n;
	const struct part *p;
	table_h t;
	const char *table;
	bool v6, open, cut, any;        /* open: between *table and COMMIT; cut: something of the table at hand is missing */
};

static void close_table(struct save *s)
{
	for (uint32_t k = 0; s->table && k < IPT_TABLES; k++)
		if (strcmp(ipt_tables[k], s->table) == 0)
			s->n->ipt[s->v6][k].cut = s->n->ipt[s->v6][k].cut || s->cut;
}

static void open_table(struct save *s, const char *name)
{
	close_table(s);
	s->table = name;
	s->cut = s->p->cut || s->p->sorted;
	s->t = iptables_table(s->n, s->v6, name);
}

static bool need_table(struct save *s, uint32_t line)
{
	const char *name;

	if (s->table)
		return true;
	name = s->p->table ? s->p->table : guess_table(s->p);
	if (!name) {
		if (!s->any)
			note(s->n, NOTE_MISSING, s->p, line, "rules of a table that nobody told (no \"*nat\" above them, no -t in the command): left out");
		s->any = true;
		return false;
	}
	open_table(s, name);
	return true;
}

static bool is_declared(const struct save *s, const char *chain)
{
	chain_h c = ruleset_find_chain(s->n->rules, s->t, chain);

	return c.i && map_find(&s->n->declared, c.i);
}

static void declare(struct save *s, struct words w, uint32_t line)
{
	const char *policy = w.nr > 1 ? w.v[1] : "-";

	if (!need_table(s, line))
		return;
	iptables_chain(s->n, s->t, w.v[0], strcmp(policy, "-") == 0 ? NULL : policy);
}

static void add_rule(struct save *s, const char *text, size_t len, uint32_t line)
{
	struct words w = words_of(s->n->arena, text, len, true);
	const char *raw = text;

	if (w.nr < 2 || !need_table(s, line))
		return;
	if (!is_declared(s, w.v[1])) {
		s->cut = true;
		iptables_chain(s->n, s->t, w.v[1], NULL);
	}
	raw += 2 + strspn(text + 2, " \t");
	raw += strcspn(raw, " \t\n");
	while (raw < text + len && (*raw == ' ' || *raw == '\t'))
		raw++;
	read_iptables_rule(s->n, s->p, line, s->t, s->v6, w.v[1], w.v + 2, w.nr - 2, raw < text + len ? arena_strndup(s->n->arena, raw, (size_t)(text + len - raw)) : "");
}

static void one_line(struct save *s, const char *p, size_t len, uint32_t line)
{
	struct words w;

	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (*p == '[') {                                /* counters before the rule */
		const char *end = memchr(p, ']', len);
		size_t skip = end ? (size_t)(end - p) + 1 : len;

		while (skip < len && p[skip] == ' ')
			skip++;
		p += skip;
		len -= skip;
	}
	if (!len)
		return;
	if (*p == '*') {
		open_table(s, arena_strndup(s->n->arena, p + 1, len - 1));
		s->open = true;
	} else if (len >= 6 && memcmp(p, "COMMIT", 6) == 0) {
		close_table(s);
		s->table = NULL;
		s->open = false;
	} else if (*p == ':') {
		declare(s, words_of(s->n->arena, p + 1, len - 1, false), line);
	} else if (len > 3 && (memcmp(p, "-N ", 3) == 0 || memcmp(p, "-P ", 3) == 0)) {
		w = words_of(s->n->arena, p + 3, len - 3, false);
		if (w.nr)
			declare(s, w, line);
	} else if (len > 3 && memcmp(p, "-A ", 3) == 0) {
		add_rule(s, p, len, line);
	} else if (*p == '#') {
		if (memmem(p, len, "legacy tables present", 21)) {
			note(s->n, NOTE_MISSING, s->p, line, "iptables-legacy tables exist beside these: %s-legacy-save shows them, this listing does not", s->v6 ? "ip6tables" : "iptables");
			s->n->legacy_hidden = true;
		}
	} else if (len >= 3 && memcmp(p, "...", 3) == 0) {
		s->cut = true;
		if (s->table)
			note(s->n, NOTE_MISSING, s->p, line, "table %s is cut: \"...\" stands where rules were", s->table);
	} else {
		s->cut = true;
		note(s->n, NOTE_UNKNOWN, s->p, line, "not a line of iptables-save: \"%.*s\"", (int)MIN(len, 80u), p);
	}
}

void read_iptables(struct node_in *n, const struct part *p)
{
	struct save s = { .n = n, .p = p, .v6 = p->v6 };
	struct lines l = lines_of(p);
	bool save = p->n && memmem(p->text, p->n, "COMMIT", 6) && !p->table && !p->cut, tables = false;
	const char *text;
	size_t len;

	if (p->cut)
		note(n, NOTE_MISSING, p, p->line, "only a part of the rules (\"%s\")", p->command ? p->command : "a filtered listing");
	if (p->sorted)
		note(n, NOTE_MISSING, p, p->line, "the lines are sorted: the order in which rules are tried is lost");
	while (next_line(&l, &text, &len)) {
		tables = tables || *text == '*';
		one_line(&s, text, len, l.line);
	}
	if (s.open) {
		s.cut = true;
		note(n, NOTE_MISSING, p, l.line, "the listing ends before COMMIT: table %s is cut", s.table);
	}
	close_table(&s);
	if (save && tables)
		n->whole_save[p->v6] = true;
}
