/* One rule in iptables' words as ops. What is not modelled becomes an op `unknown`, behind all matches that are, so that only packets for which it matters meet it;
 * words of an unknown match are kept together up to the next -m or -j. Sources: iptables(8), iptables-extensions(8), linux net/netfilter/xt_*.c. */
#include <math.h>

#include "model/dataplane/iptables_rule.h"

/* ---- what is complete when the next module begins */

/* kube-proxy and others ask for 1/n and write it with five or ten digits; the kernel keeps 31 bits. The fraction that was meant is the nearest 1/n. */
static void chance(struct rule_in *r, double p)
{
	double n = p > 0 ? floor(1 / p + 0.5) : 0;
	uint32_t k = (uint32_t)(p * 1073741824.0), den = 1073741824u;

	if (n >= 1 && ((n <= 300 && fabs(p - 1 / n) < 6e-6) || fabs(p - 1 / n) < 1e-9)) {
		w_chance(r->w, 1, (uint32_t)n);
		return;
	}
	while (k && !(k & 1)) {
		k >>= 1;
		den >>= 1;
	}
	w_chance(r->w, k, den);
}

static void addr_type(struct rule_in *r, const char *type, bool not, bool src)
{
	struct cidr multicast = { 0 };

	if (!type)
		return;
	if (r->addrtype.limited)
		rule_unknown(r, arena_printf(r->n->arena, "the type %s of an address on one interface (-m addrtype --limit-iface)", type));
	else if (strcmp(type, "LOCAL") == 0)
		w_fib(r->w, src ? FIB_SADDR_LOCAL : FIB_DADDR_LOCAL, !not);
	else if (strcmp(type, "MULTICAST") == 0 && cidr_parse(r->v6 ? "ff00::/8" : "224.0.0.0/4", &multicast))
		w_cidr(r->w, src ? PF_SADDR : PF_DADDR, !not, multicast);
	else
		rule_unknown(r, arena_printf(r->n->arena, "-m addrtype --%s-type %s is not modelled", src ? "src" : "dst", type));
}

static void recent(struct rule_in *r)
{
	const char *name = r->recent.name ? r->recent.name : "DEFAULT";
	uint8_t key = r->recent.by_dst ? PF_DADDR : PF_SADDR;
	set_h set = ruleset_set(r->n->rules, r->t, name, SET_PLAIN, SETF_DYNAMIC | SETF_TIMEOUT, &key, 1);

	if (r->recent.hits > 1)
		rule_unknown(r, "-m recent --hitcount is not modelled");
	else if (r->recent.check)
		w_lookup_fields(r->w, set, !r->recent.not, r->recent.seconds ? r->recent.seconds : UINT32_MAX, &key, 1);
	if (r->recent.set || r->recent.update)
		w_update(r->w, set, r->recent.seconds ? r->recent.seconds : UINT32_MAX, 1, key);
}

static void module_ends(struct rule_in *r)
{
	if (r->recent.check || r->recent.set)
		recent(r);
	memset(&r->recent, 0, sizeof(r->recent));
	if (r->statistic.mode && r->statistic.not)
		rule_unknown(r, "-m statistic with ! is not modelled");
	else if (r->statistic.mode && r->statistic.every)
		w_chance(r->w, 1, r->statistic.every);
	else if (r->statistic.mode)
		chance(r, r->statistic.probability);
	memset(&r->statistic, 0, sizeof(r->statistic));
	if (r->rpfilter.on)
		w_reverse(r->w, !r->rpfilter.invert, r->rpfilter.loose);
	memset(&r->rpfilter, 0, sizeof(r->rpfilter));
	addr_type(r, r->addrtype.src, r->addrtype.src_not, true);
	addr_type(r, r->addrtype.dst, r->addrtype.dst_not, false);
	memset(&r->addrtype, 0, sizeof(r->addrtype));
}

/* ---- a whole rule */

static bool begins_next(const char *word)
{
	return strcmp(word, "-m") == 0 || strcmp(word, "-j") == 0 || strcmp(word, "-g") == 0 || strcmp(word, "--match") == 0 || strcmp(word, "--jump") == 0;
}

/* Everything up to the next module or target, as one match that is not modelled. */
static uint32_t not_modelled(struct rule_in *r, const char **v, uint32_t nr, uint32_t from, uint32_t at)
{
	uint32_t to = at;
	const char *text;

	while (to < nr && !begins_next(v[to]))
		to++;
	text = iptables_joined(r->n->arena, v + from, to - from);
	rule_unknown(r, arena_printf(r->n->arena, "match %s is not modelled", text));
	note(r->n, NOTE_UNKNOWN, r->p, r->line, "match %s is not modelled", text);
	return to;
}

static uint32_t one_word(struct rule_in *r, const char **v, uint32_t nr, uint32_t at)
{
	uint32_t from = at;
	bool not = strcmp(v[at], "!") == 0;
	const struct match *m;

	at += not;
	if (at >= nr)
		return nr;
	if (strcmp(v[at], "-m") == 0 || strcmp(v[at], "--match") == 0) {
		module_ends(r);
		if (at + 1 >= nr)
			return nr;
		r->module = v[at + 1];
		r->rpfilter.on = strcmp(r->module, "rpfilter") == 0;
		if (strcmp(r->module, "interfaces-not-shown") == 0) {   /* read_iptables_list.c */
			rule_unknown(r, "the listing does not show by which interfaces the rule asks");
			return at + 2;
		}
		return iptables_module_known(r->module) ? at + 2 : not_modelled(r, v, nr, at, at + 2);
	}
	if (strcmp(v[at], "-c") == 0)
		return at + 3;
	m = iptables_match(v[at]);
	if (!m)
		return not_modelled(r, v, nr, from, at + 1);
	if (m->args && at + 1 < nr && strcmp(v[at + 1], "!") == 0) {    /* iptables before 1.4: -s ! 10.0.0.0/8 */
		not = true;
		at++;
	}
	if (at + m->args >= nr)
		return not_modelled(r, v, nr, from, nr);
	if (m->one ? m->one(r, not, m->args ? v[at + 1] : "") : m->two(r, not, v[at + 1], v[at + 2]))
		return at + 1 + m->args;
	return not_modelled(r, v, nr, from, at + 1 + m->args);
}

void read_iptables_rule(struct node_in *n, const struct part *p, uint32_t line, table_h t, bool v6, const char *chain, const char **v, uint32_t nr, const char *raw)
{
	struct rule_in r = { .n = n, .p = p, .line = line, .t = t, .v6 = v6, .w = rule_begin(n->rules, ruleset_chain(n->rules, t, chain)) };
	struct target target = { 0 };
	bool go_to = false;

	for (uint32_t k = 0; k < nr; k++)
		if (v[k][0] == '#') {           /* a reader's note behind the rule */
			nr = k;
			raw = arena_strndup(n->arena, raw, strcspn(raw, "#"));
		}
	rule_raw(r.w, raw);
	for (uint32_t at = 0; at < nr;) {
		go_to = strcmp(v[at], "-g") == 0 || strcmp(v[at], "--goto") == 0;
		if (go_to || strcmp(v[at], "-j") == 0 || strcmp(v[at], "--jump") == 0) {
			if (at + 1 < nr)
				target = (struct target){ v[at + 1], v + at + 2, nr - at - 2 };
			break;
		}
		at = one_word(&r, v, nr, at);
	}
	module_ends(&r);
	if (r.never)
		w_num(r.w, PF_L4PROTO, REL_EQ, 256, 0);
	iptables_target(&r, &target, go_to);
}
