/* iptables -L, in all its forms: each line is turned into the words of iptables-save and read as such. What the form does not show (interfaces without -v, numbers
 * without -n) is said. Source: what the print functions of iptables' extensions write. */
#include <ctype.h>
#include <stdlib.h>

#include "model/dataplane/read.h"

struct list {
	struct node_in *n;
	const struct part *p;
	table_h t;
	bool v6;
	struct words in, out;           /* a line's words; the rule's */
	uint32_t at;
	bool num, counters, ifaces;     /* columns */
	bool told_ifaces;
};

static void put(struct list *l, const char *word)
{
	vec_add(l->n->arena, &l->out, word);
}

static void put_not(struct list *l, bool not)
{
	if (not)
		put(l, "!");
}

static const char *here(const struct list *l)
{
	return l->at < l->in.nr ? l->in.v[l->at] : "";
}

static bool take(struct list *l, const char *word)
{
	if (strcmp(here(l), word) != 0)
		return false;
	l->at++;
	return true;
}

static const char *next(struct list *l)
{
	const char *s = here(l);

	l->at += l->at < l->in.nr;
	return s;
}

/* --OPTION behind an optional `!`, with the word that follows */
static void option(struct list *l, const char *module, const char *name)
{
	bool not = take(l, "!");

	put(l, "-m");
	put(l, module);
	put_not(l, not);
	put(l, name);
	put(l, next(l));
}

/* dpt:443 dpts:1:9 spt:!53 */
static bool port_word(struct list *l, const char *module)
{
	const char *s = here(l);
	bool dst = strncmp(s, "dpt", 3) == 0, many;

	if (!dst && strncmp(s, "spt", 3) != 0)
		return false;
	many = s[3] == 's';
	if (s[3 + many] != ':')
		return false;
	s += 4 + many;
	put(l, "-m");
	put(l, module);
	put_not(l, *s == '!');
	put(l, dst ? "--dport" : "--sport");
	put(l, s + (*s == '!'));
	l->at++;
	return true;
}

static void comment(struct list *l)
{
	struct sb b = { 0 };

	while (l->at < l->in.nr && strcmp(here(l), "*/") != 0)
		sb_printf(&b, "%s%s", b.len ? " " : "", next(l));
	take(l, "*/");
	put(l, "-m");
	put(l, "comment");
	put(l, "--comment");
	put(l, arena_strdup(l->n->arena, sb_text(&b)));
	sb_free(&b);
}

static void recent(struct list *l)
{
	bool not = false;

	put(l, "-m");
	put(l, "recent");
	for (;;) {
		if (take(l, "!")) {
			not = true;
		} else if (take(l, "CHECK")) {
			put_not(l, not);
			put(l, "--rcheck");
		} else if (take(l, "UPDATE")) {
			put_not(l, not);
			put(l, "--update");
		} else if (take(l, "SET")) {
			put(l, "--set");
		} else if (take(l, "seconds:")) {
			put(l, "--seconds");
			put(l, next(l));
		} else if (take(l, "hit_count:")) {
			put(l, "--hitcount");
			put(l, next(l));
		} else if (take(l, "name:")) {
			put(l, "--name");
			put(l, next(l));
		} else if (take(l, "side:")) {
			put(l, strcmp(next(l), "dest") == 0 ? "--rdest" : "--rsource");
		} else if (take(l, "mask:")) {
			next(l);
		} else if (!take(l, "reap")) {
			return;
		}
	}
}

static void statistic(struct list *l)
{
	put(l, "-m");
	put(l, "statistic");
	take(l, "mode");
	put(l, "--mode");
	put(l, next(l));
	if (take(l, "probability")) {
		put(l, "--probability");
		put(l, next(l));
	} else if (take(l, "every")) {
		put(l, "--every");
		put(l, next(l));
		if (take(l, "packet"))
			next(l);
	}
}

static void addrtype(struct list *l)
{
	take(l, "match");
	put(l, "-m");
	put(l, "addrtype");
	for (;;) {
		bool src = take(l, "src-type");

		if (src || take(l, "dst-type")) {
			const char *s = next(l);

			put_not(l, *s == '!');
			put(l, src ? "--src-type" : "--dst-type");
			put(l, s + (*s == '!'));
		} else if (take(l, "limit-out")) {
			put(l, "--limit-iface-out");
		} else if (take(l, "limit-in")) {
			put(l, "--limit-iface-in");
		} else {
			return;
		}
	}
}

/* MARK or 0x4000; CONNMARK save mask 0x…: the target's own words */
static void mark_target(struct list *l, bool conn)
{
	static const struct { const char *word, *option; } words[] = { { "or", "--or-mark" }, { "xor", "--xor-mark" }, { "and", "--and-mark" }, { "set", "--set-mark" }, { "xset", "--set-xmark" } };

	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (take(l, words[k].word)) {
			const char *v = next(l);
			uint32_t bits;

			if (!conn || k > 2 || !number_of(v, UINT32_MAX, &bits)) {
				put(l, words[k].option);
				put(l, v);
			} else {        /* CONNMARK --or-mark is printed as such, and kept as set-xmark */
				put(l, "--set-xmark");
				put(l, arena_printf(l->n->arena, "0x%x/0x%x", k == 2 ? 0 : bits, k == 0 ? bits : k == 1 ? 0 : ~bits));
			}
			return;
		}
	if (take(l, "save"))
		put(l, "--save-mark");
	else if (take(l, "restore"))
		put(l, "--restore-mark");
	if (take(l, "mask")) {
		put(l, "--mask");
		put(l, next(l));
	}
	while (take(l, "nfmask") || take(l, "ctmask")) {
		put(l, l->in.v[l->at - 1][0] == 'n' ? "--nfmask" : "--ctmask");
		put(l, next(l));
		take(l, "~");
	}
}

/* One piece behind the addresses; false: not known. `target`: words go behind -j. */
static bool match_piece(struct list *l)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp", "dccp" };
	bool not = false;

	if (take(l, "/*")) {
		comment(l);
		return true;
	}
	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcmp(here(l), protocols[k]) == 0) {
			uint32_t from = l->at++;

			while (port_word(l, protocols[k]))
				from = l->at;
			if (strncmp(here(l), "flags:", 6) == 0) {
				const char *s = here(l) + 6, *slash = strchr(s, '/');

				if (!slash)
					return false;
				l->at++;
				put_not(l, *s == '!');
				put(l, "--tcp-flags");
				put(l, arena_strndup(l->n->arena, s + (*s == '!'), (size_t)(slash - s) - (*s == '!')));
				put(l, slash + 1);
			}
			(void)from;
			return true;
		}
	if (take(l, "!"))
		not = true;
	if (take(l, "ctstate")) {
		l->at -= not;
		if (not)
			l->at++;
		put(l, "-m");
		put(l, "conntrack");
		put_not(l, not);
		put(l, "--ctstate");
		put(l, next(l));
	} else if (take(l, "state")) {
		put(l, "-m");
		put(l, "state");
		put_not(l, not);
		put(l, "--state");
		put(l, next(l));
	} else if (take(l, "match-set")) {
		put(l, "-m");
		put(l, "set");
		put_not(l, not);
		put(l, "--match-set");
		put(l, next(l));
		put(l, next(l));
	} else if (not) {
		l->at--;
		return false;
	} else if (take(l, "mark")) {
		take(l, "match");
		option(l, "mark", "--mark");
	} else if (take(l, "connmark")) {
		take(l, "match");
		option(l, "connmark", "--mark");
	} else if (take(l, "ADDRTYPE")) {
		addrtype(l);
	} else if (take(l, "statistic")) {
		statistic(l);
	} else if (take(l, "recent:")) {
		recent(l);
	} else if (take(l, "multiport")) {
		bool src = take(l, "sports");

		if (!src && !take(l, "dports"))
			return false;
		option(l, "multiport", src ? "--sports" : "--dports");
	} else if (take(l, "limit:")) {
		take(l, "avg");
		next(l);
		if (take(l, "burst"))
			next(l);
	} else if (take(l, "owner")) {
		bool uid = take(l, "UID");

		if (!uid && !take(l, "GID"))
			return false;
		take(l, "match");
		option(l, "owner", uid ? "--uid-owner" : "--gid-owner");
	} else if (take(l, "icmptype") || take(l, "ipv6-icmptype")) {
		option(l, l->v6 ? "icmp6" : "icmp", l->v6 ? "--icmpv6-type" : "--icmp-type");
		if (take(l, "code"))
			next(l);
	} else if (take(l, "source") || take(l, "destination")) {
		bool src = l->in.v[l->at - 1][0] == 's';

		if (!take(l, "IP") || !take(l, "range"))
			return false;
		option(l, "iprange", src ? "--src-range" : "--dst-range");
	} else if (take(l, "rpfilter")) {
		put(l, "-m");
		put(l, "rpfilter");
		for (;;) {
			if (take(l, "loose"))
				put(l, "--loose");
			else if (take(l, "validmark"))
				put(l, "--validmark");
			else if (take(l, "accept-local"))
				put(l, "--accept-local");
			else if (take(l, "invert"))
				put(l, "--invert");
			else
				break;
		}
	} else if (take(l, "ctdir")) {
		put(l, "-m");
		put(l, "conntrack");
		put(l, "--ctdir");
		put(l, next(l));
	} else {
		return false;
	}
	return true;
}

static bool target_piece(struct list *l, const char *target, struct words *t)
{
	struct words kept = l->out;
	const char *s = here(l);
	bool known = true;

	l->out = *t;
	if (strncmp(s, "to:", 3) == 0) {
		put(l, strcmp(target, "SNAT") == 0 ? "--to-source" : "--to-destination");
		put(l, s + 3);
		l->at++;
	} else if (take(l, "random-fully")) {
		put(l, "--random-fully");
	} else if (take(l, "random") || take(l, "persistent") || take(l, "[goto]")) {
		;
	} else if (take(l, "redir")) {
		take(l, "ports");
		put(l, "--to-ports");
		put(l, next(l));
	} else if (strcmp(s, "masq") == 0) {
		l->at++;
		take(l, "ports:");
		next(l);
	} else if (take(l, "reject-with")) {
		put(l, "--reject-with");
		put(l, next(l));
	} else if (strcmp(s, "MARK") == 0 || strcmp(s, "CONNMARK") == 0) {
		l->at++;
		mark_target(l, *s == 'C');
	} else if (take(l, "NOTRACK") || take(l, "notrack")) {
		put(l, "--notrack");
	} else if (take(l, "CT")) {
		;
	} else if (strcmp(target, "LOG") == 0 || strcmp(target, "NFLOG") == 0 || strcmp(target, "TCPMSS") == 0 || strcmp(target, "CHECKSUM") == 0 || strcmp(target, "TRACE") == 0) {
		l->at = l->in.nr;       /* words of a target that changes nothing */
	} else {
		known = false;
	}
	*t = l->out;
	l->out = kept;
	return known;
}

static bool is_proto(const char *s, bool v6)
{
	static const char *const words[] = { "all", "tcp", "udp", "icmp", "sctp", "esp", "ah", "gre", "ipip", "udplite", "icmpv6", "ipv6-icmp", "dccp", "ipencap", "ipv6", NULL };

	for (int k = 0; words[k]; k++)
		if (strcmp(words[k], s + (*s == '!')) == 0)
			return true;
	(void)v6;
	return isdigit((unsigned char)s[*s == '!']) && strlen(s) < 5 && !strchr(s, '.') && !strchr(s, '/');
}

static void negatable(struct list *l, const char *name, const char *v)
{
	put_not(l, *v == '!');
	put(l, name);
	put(l, v + (*v == '!'));
}

/* The words of the fixed columns; false: not a rule's line. */
static bool columns(struct list *l, const char **target)
{
	const char *s, *proto;

	if (l->num)
		next(l);
	if (l->counters) {
		next(l);
		next(l);
	}
	s = here(l);
	*target = NULL;
	if (!(is_proto(s, l->v6) && (l->at + 1 >= l->in.nr || !is_proto(l->in.v[l->at + 1], l->v6))))
		*target = next(l);
	proto = next(l);
	if (!is_proto(proto, l->v6))
		return false;
	if (strcmp(proto, "all") != 0 && strcmp(proto, "0") != 0)
		negatable(l, "-p", proto);
	if (strcmp(here(l), "--") == 0 || strcmp(here(l), "-f") == 0 || strcmp(here(l), "!f") == 0) {
		if (next(l)[1] == 'f')
			put(l, "-f");
	}
	if (l->ifaces) {
		const char *in = next(l), *out = next(l);

		if (strcmp(in, "*") != 0 && strcmp(in, "any") != 0)
			negatable(l, "-i", in);
		if (strcmp(out, "*") != 0 && strcmp(out, "any") != 0)
			negatable(l, "-o", out);
	}
	s = next(l);
	if (strcmp(s, "0.0.0.0/0") != 0 && strcmp(s, "::/0") != 0 && strcmp(s, "anywhere") != 0)
		negatable(l, "-s", s);
	s = next(l);
	if (!*s)
		return false;
	if (strcmp(s, "0.0.0.0/0") != 0 && strcmp(s, "::/0") != 0 && strcmp(s, "anywhere") != 0)
		negatable(l, "-d", s);
	return true;
}

static void one_rule(struct list *l, const char *chain, uint32_t line)
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
		put(l, "-m");
		put(l, "interfaces-not-shown");
	}
	while (l->at < l->in.nr) {
		uint32_t from = l->at;

		go_to = go_to || strcmp(here(l), "[goto]") == 0;
		if (match_piece(l) || (target && target_piece(l, target, &t)))
			continue;
		l->at = from + 1;
		put(l, "-m");
		put(l, l->in.v[from]);
	}
	if (target) {
		put(l, go_to ? "-g" : "-j");
		put(l, strcmp(target, "NOTRACK") == 0 ? "CT" : target);
		if (strcmp(target, "NOTRACK") == 0)
			put(l, "--notrack");
	}
	for (uint32_t k = 0; k < t.nr; k++)
		put(l, t.v[k]);
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

static void header(struct list *l, uint32_t line)
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

static void mark_cut(struct list *l, const char *table)
{
	for (uint32_t k = 0; k < IPT_TABLES; k++)
		if (strcmp(ipt_tables[k], table) == 0)
			l->n->ipt[l->v6][k].cut = true;
}

void read_iptables_list(struct node_in *n, const struct part *p)
{
	const char *table = p->table ? p->table : "filter", *chain = NULL, *s;
	struct list l = { .n = n, .p = p, .v6 = p->v6 };
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
