/* The matches and targets of iptables -L, in the words of iptables-save. Source: what the print functions of iptables' extensions write. */
#include "model/dataplane/read_iptables_list.h"

#include <ctype.h>

void ipt_put(struct ipt_list *l, const char *word)
{
	vec_add(l->n->arena, &l->out, word);
}

void ipt_put_not(struct ipt_list *l, bool not)
{
	if (not)
		ipt_put(l, "!");
}

const char *ipt_here(const struct ipt_list *l)
{
	return l->at < l->in.nr ? l->in.v[l->at] : "";
}

static bool take(struct ipt_list *l, const char *word)
{
	if (strcmp(ipt_here(l), word) != 0)
		return false;
	l->at++;
	return true;
}

const char *ipt_next(struct ipt_list *l)
{
	const char *s = ipt_here(l);

	l->at += l->at < l->in.nr;
	return s;
}

/* --OPTION behind an optional `!`, with the word that follows */
static void option(struct ipt_list *l, const char *module, const char *name)
{
	bool not = take(l, "!");

	ipt_put(l, "-m");
	ipt_put(l, module);
	ipt_put_not(l, not);
	ipt_put(l, name);
	ipt_put(l, ipt_next(l));
}

/* dpt:443 dpts:1:9 spt:!53 */
static bool port_word(struct ipt_list *l, const char *module)
{
	const char *s = ipt_here(l);
	bool dst = strncmp(s, "dpt", 3) == 0, many;

	if (!dst && strncmp(s, "spt", 3) != 0)
		return false;
	many = s[3] == 's';
	if (s[3 + many] != ':')
		return false;
	s += 4 + many;
	ipt_put(l, "-m");
	ipt_put(l, module);
	ipt_put_not(l, *s == '!');
	ipt_put(l, dst ? "--dport" : "--sport");
	ipt_put(l, s + (*s == '!'));
	l->at++;
	return true;
}

static void comment(struct ipt_list *l)
{
	struct sb b = { 0 };

	while (l->at < l->in.nr && strcmp(ipt_here(l), "*/") != 0)
		sb_printf(&b, "%s%s", b.len ? " " : "", ipt_next(l));
	take(l, "*/");
	ipt_put(l, "-m");
	ipt_put(l, "comment");
	ipt_put(l, "--comment");
	ipt_put(l, arena_strdup(l->n->arena, sb_text(&b)));
	sb_free(&b);
}

static void recent(struct ipt_list *l)
{
	bool not = false;

	ipt_put(l, "-m");
	ipt_put(l, "recent");
	for (;;) {
		if (take(l, "!")) {
			not = true;
		} else if (take(l, "CHECK")) {
			ipt_put_not(l, not);
			ipt_put(l, "--rcheck");
		} else if (take(l, "UPDATE")) {
			ipt_put_not(l, not);
			ipt_put(l, "--update");
		} else if (take(l, "SET")) {
			ipt_put(l, "--set");
		} else if (take(l, "seconds:")) {
			ipt_put(l, "--seconds");
			ipt_put(l, ipt_next(l));
		} else if (take(l, "hit_count:")) {
			ipt_put(l, "--hitcount");
			ipt_put(l, ipt_next(l));
		} else if (take(l, "name:")) {
			ipt_put(l, "--name");
			ipt_put(l, ipt_next(l));
		} else if (take(l, "side:")) {
			ipt_put(l, strcmp(ipt_next(l), "dest") == 0 ? "--rdest" : "--rsource");
		} else if (take(l, "mask:")) {
			ipt_next(l);
		} else if (!take(l, "reap")) {
			return;
		}
	}
}

static void statistic(struct ipt_list *l)
{
	ipt_put(l, "-m");
	ipt_put(l, "statistic");
	take(l, "mode");
	ipt_put(l, "--mode");
	ipt_put(l, ipt_next(l));
	if (take(l, "probability")) {
		ipt_put(l, "--probability");
		ipt_put(l, ipt_next(l));
	} else if (take(l, "every")) {
		ipt_put(l, "--every");
		ipt_put(l, ipt_next(l));
		if (take(l, "packet"))
			ipt_next(l);
	}
}

static void addrtype(struct ipt_list *l)
{
	take(l, "match");
	ipt_put(l, "-m");
	ipt_put(l, "addrtype");
	for (;;) {
		bool src = take(l, "src-type");

		if (src || take(l, "dst-type")) {
			const char *s = ipt_next(l);

			ipt_put_not(l, *s == '!');
			ipt_put(l, src ? "--src-type" : "--dst-type");
			ipt_put(l, s + (*s == '!'));
		} else if (take(l, "limit-out")) {
			ipt_put(l, "--limit-iface-out");
		} else if (take(l, "limit-in")) {
			ipt_put(l, "--limit-iface-in");
		} else {
			return;
		}
	}
}

/* MARK or 0x4000; CONNMARK save mask 0x…: the target's own words */
static void mark_target(struct ipt_list *l, bool conn)
{
	static const struct { const char *word, *option; } words[] = { { "or", "--or-mark" }, { "xor", "--xor-mark" }, { "and", "--and-mark" }, { "set", "--set-mark" }, { "xset", "--set-xmark" } };

	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (take(l, words[k].word)) {
			const char *v = ipt_next(l);
			uint32_t bits;

			if (!conn || k > 2 || !number_of(v, UINT32_MAX, &bits)) {
				ipt_put(l, words[k].option);
				ipt_put(l, v);
			} else {        /* CONNMARK --or-mark is printed as such, and kept as set-xmark */
				ipt_put(l, "--set-xmark");
				ipt_put(l, arena_printf(l->n->arena, "0x%x/0x%x", k == 2 ? 0 : bits, k == 0 ? bits : k == 1 ? 0 : ~bits));
			}
			return;
		}
	if (take(l, "save"))
		ipt_put(l, "--save-mark");
	else if (take(l, "restore"))
		ipt_put(l, "--restore-mark");
	if (take(l, "mask")) {
		ipt_put(l, "--mask");
		ipt_put(l, ipt_next(l));
	}
	while (take(l, "nfmask") || take(l, "ctmask")) {
		ipt_put(l, l->in.v[l->at - 1][0] == 'n' ? "--nfmask" : "--ctmask");
		ipt_put(l, ipt_next(l));
		take(l, "~");
	}
}

/* One piece behind the addresses; false: not known. `target`: words go behind -j. */
bool ipt_match_piece(struct ipt_list *l)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp", "dccp" };
	bool not = false;

	if (take(l, "/*")) {
		comment(l);
		return true;
	}
	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcmp(ipt_here(l), protocols[k]) == 0) {
			l->at++;
			while (port_word(l, protocols[k]))
				;
			if (strncmp(ipt_here(l), "flags:", 6) == 0) {
				const char *s = ipt_here(l) + 6, *slash = strchr(s, '/');

				if (!slash)
					return false;
				l->at++;
				ipt_put_not(l, *s == '!');
				ipt_put(l, "--tcp-flags");
				ipt_put(l, arena_strndup(l->n->arena, s + (*s == '!'), (size_t)(slash - s) - (*s == '!')));
				ipt_put(l, slash + 1);
			}
			return true;
		}
	if (take(l, "!"))
		not = true;
	if (take(l, "ctstate")) {
		ipt_put(l, "-m");
		ipt_put(l, "conntrack");
		ipt_put_not(l, not);
		ipt_put(l, "--ctstate");
		ipt_put(l, ipt_next(l));
	} else if (take(l, "state")) {
		ipt_put(l, "-m");
		ipt_put(l, "state");
		ipt_put_not(l, not);
		ipt_put(l, "--state");
		ipt_put(l, ipt_next(l));
	} else if (take(l, "match-set")) {
		ipt_put(l, "-m");
		ipt_put(l, "set");
		ipt_put_not(l, not);
		ipt_put(l, "--match-set");
		ipt_put(l, ipt_next(l));
		ipt_put(l, ipt_next(l));
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
		if (!take(l, "avg"))            /* hashlimit's words: not read */
			return false;
		option(l, "limit", "--limit");
		if (take(l, "burst")) {
			ipt_put(l, "--limit-burst");
			ipt_put(l, ipt_next(l));
		}
	} else if (take(l, "owner")) {
		bool uid = take(l, "UID");

		if (!uid && !take(l, "GID"))
			return false;
		take(l, "match");
		option(l, "owner", uid ? "--uid-owner" : "--gid-owner");
	} else if (take(l, "icmptype") || take(l, "ipv6-icmptype")) {
		option(l, l->v6 ? "icmp6" : "icmp", l->v6 ? "--icmpv6-type" : "--icmp-type");
		if (take(l, "code"))
			ipt_next(l);
	} else if (take(l, "source") || take(l, "destination")) {
		bool src = l->in.v[l->at - 1][0] == 's';

		if (!take(l, "IP") || !take(l, "range"))
			return false;
		option(l, "iprange", src ? "--src-range" : "--dst-range");
	} else if (take(l, "rpfilter")) {
		ipt_put(l, "-m");
		ipt_put(l, "rpfilter");
		for (;;) {
			if (take(l, "loose"))
				ipt_put(l, "--loose");
			else if (take(l, "validmark"))
				ipt_put(l, "--validmark");
			else if (take(l, "accept-local"))
				ipt_put(l, "--accept-local");
			else if (take(l, "invert"))
				ipt_put(l, "--invert");
			else
				break;
		}
	} else if (take(l, "ctdir")) {
		ipt_put(l, "-m");
		ipt_put(l, "conntrack");
		ipt_put(l, "--ctdir");
		ipt_put(l, ipt_next(l));
	} else {
		return false;
	}
	return true;
}

bool ipt_target_piece(struct ipt_list *l, const char *target, struct words *t)
{
	struct words kept = l->out;
	const char *s = ipt_here(l);
	bool known = true;

	l->out = *t;
	if (strncmp(s, "to:", 3) == 0) {
		ipt_put(l, strcmp(target, "SNAT") == 0 ? "--to-source" : "--to-destination");
		ipt_put(l, s + 3);
		l->at++;
	} else if (take(l, "random-fully")) {
		ipt_put(l, "--random-fully");
	} else if (take(l, "random") || take(l, "persistent") || take(l, "[goto]")) {
		;
	} else if (take(l, "redir")) {
		take(l, "ports");
		ipt_put(l, "--to-ports");
		ipt_put(l, ipt_next(l));
	} else if (strcmp(s, "masq") == 0) {
		l->at++;
		take(l, "ports:");
		ipt_next(l);
	} else if (take(l, "reject-with")) {
		ipt_put(l, "--reject-with");
		ipt_put(l, ipt_next(l));
	} else if (strcmp(s, "MARK") == 0 || strcmp(s, "CONNMARK") == 0) {
		l->at++;
		mark_target(l, *s == 'C');
	} else if (take(l, "NOTRACK") || take(l, "notrack")) {
		ipt_put(l, "--notrack");
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
