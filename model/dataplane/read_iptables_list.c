/* iptables -L, in all its forms: each line is turned into the words of iptables-save and read as such. What the form does not show (interfaces without -v, numbers
 * without -n) is said. Source: what the print functions of iptables' extensions write. */
#include <ctype.h>

#include "model/dataplane/read_iptables_list.h"

static bool is_proto(const char *s)
{
	static const char *const words[] = { "all", "tcp", "udp", "icmp", "sctp", "esp", "ah", "gre", "ipip", "udplite", "icmpv6", "ipv6-icmp", "dccp", "ipencap", "ipv6", NULL };

	return word_among(s + (*s == '!'), words) || (isdigit((unsigned char)s[*s == '!']) && strlen(s) < 5 && !strchr(s, '.') && !strchr(s, '/'));
}

static void negatable(struct ipt_list *l, const char *name, const char *v)
{
	ipt_put_not(l, *v == '!');
	ipt_put(l, name);
	ipt_put(l, v + (*v == '!'));
}

/* The words of the fixed columns; false: not a rule's line. */
static bool columns(struct ipt_list *l, const char **target)
{
	const char *s, *proto;

	if (l->num)
		ipt_next(l);
	if (l->counters) {
		ipt_next(l);
		ipt_next(l);
	}
	s = ipt_here(l);
	*target = NULL;
	if (!(is_proto(s) && (l->at + 1 >= l->in.nr || !is_proto(l->in.v[l->at + 1]))))
		*target = ipt_next(l);
	proto = ipt_next(l);
	if (!is_proto(proto))
		return false;
	if (strcmp(proto, "all") != 0 && strcmp(proto, "0") != 0)
		negatable(l, "-p", proto);
	if (strcmp(ipt_here(l), "--") == 0 || strcmp(ipt_here(l), "-f") == 0 || strcmp(ipt_here(l), "!f") == 0) {
		if (ipt_next(l)[1] == 'f')
			ipt_put(l, "-f");
	}
	if (l->ifaces) {
		const char *in = ipt_next(l), *out = ipt_next(l);

		if (strcmp(in, "*") != 0 && strcmp(in, "any") != 0)
			negatable(l, "-i", in);
		if (strcmp(out, "*") != 0 && strcmp(out, "any") != 0)
			negatable(l, "-o", out);
	}
	s = ipt_next(l);
	if (strcmp(s, "0.0.0.0/0") != 0 && strcmp(s, "::/0") != 0 && strcmp(s, "anywhere") != 0)
		negatable(l, "-s", s);
	s = ipt_next(l);
	if (!*s)
		return false;
	if (strcmp(s, "0.0.0.0/0") != 0 && strcmp(s, "::/0") != 0 && strcmp(s, "anywhere") != 0)
		negatable(l, "-d", s);
	return true;
}

static void one_rule(struct ipt_list *l, const char *chain, uint32_t line)
{
	struct words t = { 0 };
	struct sb raw = { 0 };
	const char *target;
	bool go_to = false;

	l->at = 0;
	l->out = (struct words){ 0 };
	if (!columns(l, &target)) {
		note(l->n, NOTE_UNKNOWN, l->p, line, "a line of chain %s is not a rule, or cut", chain);
		w_unknown(rule_begin(l->n->rules, ruleset_chain(l->n->rules, l->t, chain)), "a line of the listing that is not understood", 3);
		return;
	}
	if (!l->ifaces) {
		ipt_put(l, "-m");
		ipt_put(l, "interfaces-not-shown");
	}
	while (l->at < l->in.nr) {
		uint32_t from = l->at;

		go_to = go_to || strcmp(ipt_here(l), "[goto]") == 0;
		if (ipt_match_piece(l) || (target && ipt_target_piece(l, target, &t)))
			continue;
		l->at = from + 1;
		ipt_put(l, "-m");
		ipt_put(l, l->in.v[from]);
	}
	if (target) {
		ipt_put(l, go_to ? "-g" : "-j");
		ipt_put(l, strcmp(target, "NOTRACK") == 0 ? "CT" : target);
		if (strcmp(target, "NOTRACK") == 0)
			ipt_put(l, "--notrack");
	}
	for (uint32_t k = 0; k < t.nr; k++)
		ipt_put(l, t.v[k]);
	for (uint32_t k = 0; k < l->out.nr; k++) {
		bool quote = strpbrk(l->out.v[k], " \"'\\;") != NULL || !*l->out.v[k];

		sb_add(&raw, k ? " " : "");
		sb_add(&raw, quote ? "\"" : "");
		for (const char *c = l->out.v[k]; *c; c++)
			sb_printf(&raw, "%s%c", quote && strchr("\"\\'", *c) ? "\\" : "", *c);
		sb_add(&raw, quote ? "\"" : "");
	}
	read_iptables_rule(l->n, l->p, line, l->t, l->v6, chain, l->out.v, l->out.nr, sb_text(&raw));
	sb_free(&raw);
}

static void header(struct ipt_list *l, uint32_t line)
{
	l->num = l->counters = l->ifaces = false;
	for (uint32_t k = 0; k < l->in.nr; k++) {
		l->num = l->num || strcmp(l->in.v[k], "num") == 0;
		l->counters = l->counters || strcmp(l->in.v[k], "pkts") == 0;
		l->ifaces = l->ifaces || strcmp(l->in.v[k], "in") == 0;
	}
	if (!l->ifaces && !l->told_ifaces) {
		note(l->n, NOTE_MISSING, l->p, line, "a listing without -v does not show by which interfaces rules ask: iptables-save does");
		l->told_ifaces = true;
	}
}

static void mark_cut(struct ipt_list *l, const char *table)
{
	for (uint32_t k = 0; k < IPT_TABLES; k++)
		if (strcmp(ipt_tables[k], table) == 0)
			l->n->ipt[l->v6][k].cut = true;
}

void read_iptables_list(struct node_in *n, const struct part *p)
{
	const char *table = p->table ? p->table : "filter", *chain = NULL, *s;
	struct ipt_list l = { .n = n, .p = p, .v6 = p->v6 };
	struct lines lines = lines_of(p);
	size_t len;

	if (!p->table && (memmem(p->text, p->n, "Chain PREROUTING", 16) || memmem(p->text, p->n, "Chain POSTROUTING", 17))) {
		table = memmem(p->text, p->n, "Chain FORWARD", 13) ? "mangle" : memmem(p->text, p->n, "DNAT", 4) || memmem(p->text, p->n, "MASQUERADE", 10) || memmem(p->text, p->n, "Chain POSTROUTING", 17)
			? "nat" : "raw";
		note(n, NOTE_ASSUMED, p, p->line, "a listing of a table that nobody told, by its chains %s", table);
	}
	l.t = iptables_table(n, p->v6, table);
	if (p->cut || p->sorted)
		mark_cut(&l, table);
	if (p->cut)
		note(n, NOTE_MISSING, p, p->line, "only a part of the rules (\"%s\")", p->command ? p->command : "a filtered listing");
	while (next_line(&lines, &s, &len)) {
		l.in = words_of(n->arena, s, len, false);
		if (!l.in.nr || (l.in.v[0][0] == '#' && l.in.nr < 8))
			continue;
		if (strcmp(l.in.v[0], "Chain") == 0 && l.in.nr > 2) {
			chain = l.in.v[1];
			iptables_chain(n, l.t, chain, strcmp(l.in.v[2], "(policy") == 0 && l.in.nr > 3 ? arena_strndup(n->arena, l.in.v[3], strcspn(l.in.v[3], ")")) : NULL);
		} else if (strcmp(l.in.v[0], "target") == 0 || strcmp(l.in.v[0], "pkts") == 0 || strcmp(l.in.v[0], "num") == 0) {
			header(&l, lines.line);
		} else if (strncmp(l.in.v[0], "...", 3) == 0) {
			mark_cut(&l, table);
		} else if (chain) {
			one_rule(&l, chain, lines.line);
		} else {
			mark_cut(&l, table);
		}
	}
}
