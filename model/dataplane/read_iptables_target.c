/* The targets of an iptables rule, a row each. Sources: iptables-extensions(8), linux net/netfilter/xt_*.c. */
#include "model/dataplane/iptables_rule.h"

static const char *arg_of(const struct target *t, const char *word)
{
	for (uint32_t k = 0; k + 1 < t->nr; k++)
		if (strcmp(t->v[k], word) == 0)
			return t->v[k + 1];
	return NULL;
}

static bool has_word(const struct target *t, const char *word)
{
	for (uint32_t k = 0; k < t->nr; k++)
		if (strcmp(t->v[k], word) == 0)
			return true;
	return false;
}

/* IP, IP:PORT, [IPv6]:PORT, :PORT; false: a range */
static bool nat_to(const char *s, ip_addr *ip, uint16_t *port)
{
	const char *end = *s == '[' ? strchr(s, ']') : NULL, *colon = end ? (end[1] == ':' ? end + 1 : NULL) : strchr(s, ':');

	*ip = (ip_addr){ 0, 0 };
	*port = 0;
	if (!end && colon && strchr(colon + 1, ':'))            /* an IPv6 address alone */
		return ip_parse(s, ip);
	if (colon && colon[1] && !port_of_word(colon + 1, port))
		return false;
	if (colon == s)
		return true;
	return end ? ip_parse_n(s + 1, (size_t)(end - s - 1), ip) : ip_parse_n(s, colon ? (size_t)(colon - s) : strlen(s), ip);
}

static bool t_dnat(struct rule_in *r, const struct target *t)
{
	const char *to = arg_of(t, "--to-destination");
	ip_addr ip;
	uint16_t port;

	if (!to || !nat_to(to, &ip, &port))
		return false;
	w_dnat(r->w, ip, port);
	return true;
}

static bool t_snat(struct rule_in *r, const struct target *t)
{
	const char *to = arg_of(t, "--to-source");
	char left[64];
	ip_addr ip;
	uint16_t port;

	if (!to)
		return false;
	if (nat_to(to, &ip, &port)) {
		w_snat(r->w, ip, port);
		return true;
	}
	snprintf(left, sizeof(left), "%.*s", (int)(*to == '[' ? strcspn(to + 1, "]") : strcspn(to, ":")), to + (*to == '['));    /* a range of ports only: which one does not matter */
	if (!ip_parse(left, &ip))
		return false;
	w_snat(r->w, ip, 0);
	return true;
}

static bool t_masquerade(struct rule_in *r, const struct target *t)
{
	w_masquerade(r->w, has_word(t, "--random-fully"));
	return true;
}

static bool t_redirect(struct rule_in *r, const struct target *t)
{
	const char *to = arg_of(t, "--to-ports") ? arg_of(t, "--to-ports") : arg_of(t, "--to-port");
	uint16_t port = 0;

	if (to && !port_of_word(to, &port))
		return false;
	w_redirect(r->w, port);
	return true;
}

static bool t_mark(struct rule_in *r, const struct target *t)
{
	static const char *const words[] = { "--set-xmark", "--set-mark", "--or-mark", "--and-mark", "--xor-mark" };
	uint32_t v, m;

	for (size_t k = 0; k < ARRAY_LEN(words); k++) {
		const char *s = arg_of(t, words[k]);

		if (!s)
			continue;
		if (!iptables_masked(s, &v, &m))
			return false;
		switch (k) {
		case 0: w_mark(r->w, ~m, v); break;
		case 1: w_mark(r->w, ~(m | v), v); break;       /* bits of the value outside of the mask are set too */
		case 2: w_mark(r->w, ~v, v); break;
		case 3: w_mark(r->w, v, 0); break;
		default: w_mark(r->w, 0xffffffffu, v); break;
		}
		return true;
	}
	return false;
}

static bool t_connmark(struct rule_in *r, const struct target *t)
{
	const char *set = arg_of(t, "--set-xmark"), *plain = arg_of(t, "--set-mark"), *mask = arg_of(t, "--mask"), *nf = arg_of(t, "--nfmask"), *ct = arg_of(t, "--ctmask");
	uint32_t v, m, nfmask = 0xffffffffu, ctmask = 0xffffffffu;

	if (set || plain) {
		if (!iptables_masked(set ? set : plain, &v, &m))
			return false;
		w_ctmark(r->w, CTM_SET, set ? ~m : ~(m | v), v);
		return true;
	}
	if (mask && (!number_of(mask, UINT32_MAX, &nfmask) || !number_of(mask, UINT32_MAX, &ctmask)))
		return false;
	if ((nf && !number_of(nf, UINT32_MAX, &nfmask)) || (ct && !number_of(ct, UINT32_MAX, &ctmask)))
		return false;
	if (has_word(t, "--save-mark"))
		w_ctmark(r->w, CTM_SAVE, ~ctmask, nfmask);
	else if (has_word(t, "--restore-mark"))
		w_ctmark(r->w, CTM_RESTORE, ~nfmask, ctmask);
	else
		return false;
	return true;
}

static bool t_reject(struct rule_in *r, const struct target *t)
{
	const char *with = arg_of(t, "--reject-with");

	w_reject(r->w, with && (strcmp(with, "tcp-reset") == 0 || strcmp(with, "tcp-rst") == 0) ? REJECT_TCP_RESET : with && strstr(with, "proh") ? REJECT_ADMIN : REJECT_DEFAULT);
	return true;
}

static bool t_accept(struct rule_in *r, const struct target *t) { (void)t; w_verdict(r->w, OP_ACCEPT); return true; }
static bool t_drop(struct rule_in *r, const struct target *t) { (void)t; w_verdict(r->w, OP_DROP); return true; }
static bool t_return(struct rule_in *r, const struct target *t) { (void)t; w_verdict(r->w, OP_RETURN); return true; }
static bool t_notrack(struct rule_in *r, const struct target *t) { (void)t; w_verdict(r->w, OP_NOTRACK); return true; }
static bool t_harmless(struct rule_in *r, const struct target *t) { w_log(r->w, t->name); return true; }
static bool t_unknown(struct rule_in *r, const struct target *t) { (void)r; (void)t; return false; }

static bool t_ct(struct rule_in *r, const struct target *t)
{
	if (has_word(t, "--notrack"))
		w_verdict(r->w, OP_NOTRACK);
	else if (arg_of(t, "--zone") || arg_of(t, "--zone-orig") || arg_of(t, "--zone-reply"))
		return false;
	else
		w_log(r->w, "CT");
	return true;
}

/* harmless: goes on with the next rule, and changes nothing that a rule or a socket could see */
static const struct { const char *name; bool (*fn)(struct rule_in *, const struct target *); } targets[] = {
	{ "ACCEPT", t_accept }, { "DROP", t_drop }, { "RETURN", t_return }, { "REJECT", t_reject }, { "MARK", t_mark }, { "CONNMARK", t_connmark }, { "DNAT", t_dnat }, { "SNAT", t_snat },
	{ "MASQUERADE", t_masquerade }, { "REDIRECT", t_redirect }, { "NOTRACK", t_notrack }, { "CT", t_ct }, { "LOG", t_harmless }, { "NFLOG", t_harmless }, { "ULOG", t_harmless },
	{ "TRACE", t_harmless }, { "TCPMSS", t_harmless }, { "CHECKSUM", t_harmless }, { "TTL", t_harmless }, { "HL", t_harmless }, { "DSCP", t_harmless }, { "TOS", t_harmless },
	{ "CLASSIFY", t_harmless }, { "AUDIT", t_harmless }, { "SET", t_harmless }, { "ECN", t_harmless }, { "RATEEST", t_harmless }, { "SECMARK", t_harmless }, { "CONNSECMARK", t_harmless },
	{ "TEE", t_harmless }, { "LED", t_harmless }, { "IDLETIMER", t_harmless }, { "NFQUEUE", t_unknown }, { "QUEUE", t_unknown }, { "TPROXY", t_unknown }, { "NETMAP", t_unknown },
	{ "CLUSTERIP", t_unknown }, { "SYNPROXY", t_unknown }, { "HMARK", t_unknown }, { "DNPT", t_unknown }, { "SNPT", t_unknown },
};

const char *iptables_joined(struct arena *a, const char **v, uint32_t nr)
{
	struct sb b = { 0 };
	const char *s;

	for (uint32_t k = 0; k < nr; k++)
		sb_printf(&b, "%s%s", k ? " " : "", v[k]);
	s = arena_strdup(a, sb_text(&b));
	sb_free(&b);
	return s;
}

void iptables_target(struct rule_in *r, const struct target *t, bool go_to)
{
	bool known = false;

	for (uint32_t k = 0; k < r->unknown.nr; k++)
		w_unknown(r->w, r->unknown.v[k], 1);
	for (size_t k = 0; t->name && k < ARRAY_LEN(targets); k++) {
		if (strcmp(targets[k].name, t->name) != 0)
			continue;
		known = true;
		if (!targets[k].fn(r, t)) {
			const char *text = iptables_joined(r->n->arena, t->v, t->nr);

			w_unknown(r->w, arena_printf(r->n->arena, "target %s%s%s is not modelled", t->name, *text ? " " : "", text), 2);
			note(r->n, NOTE_UNKNOWN, r->p, r->line, "target %s%s%s is not modelled", t->name, *text ? " " : "", text);
		}
	}
	if (t->name && !known) {
		chain_h c = ruleset_chain(r->n->rules, r->t, t->name);

		if (go_to)
			w_goto(r->w, c);
		else
			w_jump(r->w, c);
	}
}
