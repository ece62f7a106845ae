/* The matches of an iptables rule, a row a word. Sources: iptables(8), iptables-extensions(8), linux net/netfilter/xt_*.c. */
#include <ctype.h>
#include <stdlib.h>

#include "model/dataplane/iptables_rule.h"

/* ---- words into values */

static bool range_of(const char *s, uint32_t *a, uint32_t *b)
{
	const char *colon = strchr(s, ':');
	char left[32];
	uint16_t x, y;

	if (!colon)
		colon = strchr(s, '-') && isdigit((unsigned char)*s) ? strchr(s, '-') : NULL;
	snprintf(left, sizeof(left), "%.*s", colon ? (int)(colon - s) : (int)strlen(s), s);
	if (!port_of_word(*left ? left : "0", &x) || (colon && colon[1] && !port_of_word(colon + 1, &y)))
		return false;
	*a = x;
	*b = !colon ? x : colon[1] ? y : 65535;
	return true;
}

/* 10.0.0.0/8, 10.0.0.1, 10.0.0.0/255.0.0.0, anywhere; false: a host name, or nothing */
static bool net_of(const char *s, bool v6, struct cidr *c)
{
	const char *slash = strchr(s, '/');
	ip_addr mask;
	char left[64];

	if (strcmp(s, "anywhere") == 0)
		return cidr_parse(v6 ? "::/0" : "0.0.0.0/0", c);
	if (!slash) {
		c->set = true;
		if (!ip_parse(s, &c->addr))
			return false;
		c->len = (uint8_t)ip_bits(c->addr);
		return true;
	}
	if (cidr_parse(s, c))
		return true;
	snprintf(left, sizeof(left), "%.*s", (int)(slash - s), s);
	if (!ip_parse(left, &c->addr) || !ip_parse(slash + 1, &mask) || !ip_is4(mask) || !ip_is4(c->addr))
		return false;
	for (uint8_t len = 0; len <= 32; len++)
		if (ip_eq(ip_mask(ip_from4(0xffffffffu), len), mask)) {
			*c = (struct cidr){ ip_mask(c->addr, len), len, true };
			return true;
		}
	return false;
}

bool iptables_masked(const char *s, uint32_t *value, uint32_t *mask)
{
	const char *slash = strchr(s, '/');
	char left[32];

	snprintf(left, sizeof(left), "%.*s", slash ? (int)(slash - s) : (int)strlen(s), s);
	*mask = 0xffffffffu;
	return number_of(left, UINT32_MAX, value) && (!slash || number_of(slash + 1, UINT32_MAX, mask));
}

/* ---- matches of one word. not: behind a `!`. false: the word is not understood */

static bool m_addr(struct rule_in *r, bool not, const char *s, enum pkt_field f)
{
	struct cidr c;

	if (!net_of(s, r->v6, &c)) {
		ip_addr mapped;

		if (!r->v6 || strncmp(s, "::ffff:", 7) != 0 || !ip_parse_n(s, strcspn(s, "/"), &mapped))
			return false;
		r->never = r->never || !not;    /* no IPv6 packet has an address of IPv4 */
		return true;
	}
	if (c.len || not)
		w_cidr(r->w, f, !not, c);
	return true;
}

static bool m_src(struct rule_in *r, bool not, const char *s) { return m_addr(r, not, s, PF_SADDR); }
static bool m_dst(struct rule_in *r, bool not, const char *s) { return m_addr(r, not, s, PF_DADDR); }

static bool m_iface(struct rule_in *r, bool not, const char *s, enum pkt_field f)
{
	size_t n = strlen(s);

	if (strcmp(s, "+") == 0 || !n)
		return !not;
	if (s[n - 1] == '+')
		w_name(r->w, f, not ? REL_NOT_NAME_PREFIX : REL_NAME_PREFIX, arena_strndup(r->n->arena, s, n - 1));
	else
		w_name(r->w, f, not ? REL_NE : REL_EQ, s);
	return true;
}

static bool m_in(struct rule_in *r, bool not, const char *s) { return m_iface(r, not, s, PF_IIFNAME); }
static bool m_out(struct rule_in *r, bool not, const char *s) { return m_iface(r, not, s, PF_OIFNAME); }

static bool m_proto(struct rule_in *r, bool not, const char *s)
{
	uint32_t p;

	if (!proto_of_word(s, &p))
		return false;
	if (p)
		w_num(r->w, PF_L4PROTO, not ? REL_NE : REL_EQ, p, 0);
	return p || !not;
}

static bool m_ports(struct rule_in *r, bool not, const char *s, enum pkt_field f)
{
	uint32_t a, b;

	if (!range_of(s, &a, &b))
		return false;
	if (a == b)
		w_num(r->w, f, not ? REL_NE : REL_EQ, a, 0);
	else
		w_num(r->w, f, not ? REL_NOT_IN : REL_IN, a, b);
	return true;
}

static bool m_sport(struct rule_in *r, bool not, const char *s) { return m_ports(r, not, s, PF_SPORT); }
static bool m_dport(struct rule_in *r, bool not, const char *s) { return m_ports(r, not, s, PF_DPORT); }

static bool m_multi(struct rule_in *r, bool not, const char *s, enum pkt_field f)
{
	static const uint8_t keys[] = { PF_DPORT, PF_SPORT };
	uint8_t key = keys[f == PF_SPORT];
	set_h set = ruleset_set(r->n->rules, r->t, NULL, SET_PLAIN, SETF_INTERVAL, &key, 1);
	char one[32];

	while (*s) {
		size_t n = strcspn(s, ",");
		uint32_t a, b;

		snprintf(one, sizeof(one), "%.*s", (int)MIN(n, sizeof(one) - 1), s);
		if (!range_of(one, &a, &b))
			return false;
		set_add(r->n->rules, set, (ip_addr[]){ word(a), word(b) });
		s += n + (s[n] == ',');
	}
	w_lookup_fields(r->w, set, !not, 0, &key, 1);
	return true;
}

static bool m_sports(struct rule_in *r, bool not, const char *s) { return m_multi(r, not, s, PF_SPORT); }
static bool m_dports(struct rule_in *r, bool not, const char *s) { return m_multi(r, not, s, PF_DPORT); }

static bool bits_of(const char *s, const char *const *names, const uint32_t *bits, uint32_t nr, uint32_t *out)
{
	*out = 0;
	while (*s) {
		size_t n = strcspn(s, ",");
		uint32_t k = 0;

		while (k < nr && !(strlen(names[k]) == n && strncasecmp(names[k], s, n) == 0))
			k++;
		if (k == nr)
			return false;
		*out |= bits[k];
		s += n + (s[n] == ',');
	}
	return *out != 0;
}

static bool m_state(struct rule_in *r, bool not, const char *s)
{
	static const char *const names[] = { "NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "DNAT" };
	static const uint32_t bits[] = { CT_NEW, CT_ESTABLISHED, CT_RELATED, CT_INVALID, CT_UNTRACKED, CT_DNATED };
	uint32_t b;

	if (!bits_of(s, names, bits, ARRAY_LEN(names), &b))
		return false;
	w_num(r->w, PF_CT_STATE, not ? REL_NOT_IN : REL_IN, b, 0);
	return true;
}

static bool m_status(struct rule_in *r, bool not, const char *s)
{
	static const char *const names[] = { "ASSURED", "CONFIRMED", "SEEN_REPLY" };
	static const uint32_t bits[] = { CTS_ASSURED, CTS_CONFIRMED, CTS_SEEN_REPLY };
	uint32_t b;

	if (!bits_of(s, names, bits, ARRAY_LEN(names), &b))
		return false;
	w_num(r->w, PF_CT_STATUS, not ? REL_NOT_IN : REL_IN, b, 0);
	return true;
}

static bool m_mark(struct rule_in *r, bool not, const char *s)
{
	enum pkt_field f = streq(r->module, "connmark") ? PF_CT_MARK : PF_MARK;
	uint32_t v, m;

	if (!iptables_masked(s, &v, &m))
		return false;
	if (m == 0xffffffffu)
		w_num(r->w, f, not ? REL_NE : REL_EQ, v, 0);
	else
		w_num(r->w, f, not ? REL_MASK_NE : REL_MASK_EQ, m, v);
	return true;
}

static bool m_orig_dst(struct rule_in *r, bool not, const char *s) { return m_addr(r, not, s, PF_CT_DNATED_FROM); }
static bool m_orig_dport(struct rule_in *r, bool not, const char *s) { return m_ports(r, not, s, PF_CT_ORIG_DPORT); }

static bool m_dir(struct rule_in *r, bool not, const char *s)
{
	w_num(r->w, PF_CT_REPLY_DIR, not ? REL_NE : REL_EQ, strcasecmp(s, "REPLY") == 0, 0);
	return strcasecmp(s, "REPLY") == 0 || strcasecmp(s, "ORIGINAL") == 0;
}

static bool m_src_type(struct rule_in *r, bool not, const char *s) { r->addrtype.src = s; r->addrtype.src_not = not; return true; }
static bool m_dst_type(struct rule_in *r, bool not, const char *s) { r->addrtype.dst = s; r->addrtype.dst_not = not; return true; }
static bool m_limit_iface(struct rule_in *r, bool not, const char *s) { (void)not; (void)s; r->addrtype.limited = true; return true; }

static bool m_owner(struct rule_in *r, bool not, const char *s, enum pkt_field f)
{
	const char *dash = strchr(s, '-');
	char left[32];
	uint32_t a, b;

	snprintf(left, sizeof(left), "%.*s", dash ? (int)(dash - s) : (int)strlen(s), s);
	if (!number_of(left, UINT32_MAX, &a) || (dash && !number_of(dash + 1, UINT32_MAX, &b)))
		return false;
	if (dash)
		w_num(r->w, f, not ? REL_NOT_IN : REL_IN, a, b);
	else
		w_num(r->w, f, not ? REL_NE : REL_EQ, a, 0);
	return true;
}

static bool m_uid(struct rule_in *r, bool not, const char *s) { return m_owner(r, not, s, PF_SKUID); }
static bool m_gid(struct rule_in *r, bool not, const char *s) { return m_owner(r, not, s, PF_SKGID); }

static bool m_icmp(struct rule_in *r, bool not, const char *s)
{
	static const struct { const char *name; uint8_t v4, v6; } types[] = {
		{ "echo-reply", 0, 129 }, { "pong", 0, 129 }, { "destination-unreachable", 3, 1 }, { "source-quench", 4, 255 }, { "redirect", 5, 137 }, { "echo-request", 8, 128 }, { "ping", 8, 128 },
		{ "time-exceeded", 11, 3 }, { "parameter-problem", 12, 4 }, { "packet-too-big", 255, 2 }, { "router-solicitation", 10, 133 }, { "router-advertisement", 9, 134 },
		{ "neighbour-solicitation", 255, 135 }, { "neighbor-solicitation", 255, 135 }, { "neighbour-advertisement", 255, 136 }, { "neighbor-advertisement", 255, 136 },
		{ "timestamp-request", 13, 255 }, { "timestamp-reply", 14, 255 }, { "address-mask-request", 17, 255 }, { "address-mask-reply", 18, 255 },
	};
	uint32_t v;
	char left[32];

	if (strcmp(s, "any") == 0 || strcmp(s, "255") == 0)
		return !not;
	snprintf(left, sizeof(left), "%.*s", (int)strcspn(s, "/"), s);
	if (number_of(left, 255, &v)) {
		w_num(r->w, PF_ICMP_TYPE, not ? REL_NE : REL_EQ, v, 0);
		return true;            /* codes of an echo are 0 */
	}
	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		if (strcmp(types[k].name, s) == 0) {
			w_num(r->w, PF_ICMP_TYPE, not ? REL_NE : REL_EQ, r->v6 ? types[k].v6 : types[k].v4, 0);
			return true;
		}
	return false;
}

static bool m_syn(struct rule_in *r, bool not, const char *s)
{
	(void)s;
	w_num(r->w, PF_TCP_FLAGS, not ? REL_MASK_NE : REL_MASK_EQ, 0x17, 2);
	return true;
}

static bool m_iprange(struct rule_in *r, bool not, const char *s, enum pkt_field f)
{
	const char *dash = strchr(s, '-');
	uint8_t key = (uint8_t)f;
	ip_addr a, b;
	set_h set;

	if (!dash || !ip_parse_n(s, (size_t)(dash - s), &a) || !ip_parse(dash + 1, &b))
		return false;
	set = ruleset_set(r->n->rules, r->t, NULL, SET_PLAIN, SETF_INTERVAL, &key, 1);
	set_add(r->n->rules, set, (ip_addr[]){ a, b });
	w_lookup_fields(r->w, set, !not, 0, &key, 1);
	return true;
}

static bool m_src_range(struct rule_in *r, bool not, const char *s) { return m_iprange(r, not, s, PF_SADDR); }
static bool m_dst_range(struct rule_in *r, bool not, const char *s) { return m_iprange(r, not, s, PF_DADDR); }

static bool m_mode(struct rule_in *r, bool not, const char *s) { (void)not; r->statistic.mode = s; return strcmp(s, "random") == 0 || strcmp(s, "nth") == 0; }
static bool m_every(struct rule_in *r, bool not, const char *s) { r->statistic.not = not; return number_of(s, UINT32_MAX, &r->statistic.every); }
static bool m_nothing(struct rule_in *r, bool not, const char *s) { (void)r; (void)s; return !not; }

static bool m_probability(struct rule_in *r, bool not, const char *s)
{
	char *end;

	r->statistic.not = not;
	r->statistic.probability = strtod(s, &end);
	return !*end && r->statistic.probability >= 0 && r->statistic.probability <= 1;
}

static bool m_comment(struct rule_in *r, bool not, const char *s)
{
	(void)not;
	rule_comment(r->w, s);
	return true;
}

static bool m_r_name(struct rule_in *r, bool not, const char *s) { (void)not; r->recent.name = s; return true; }
static bool m_r_check(struct rule_in *r, bool not, const char *s) { (void)s; r->recent.check = true; r->recent.not = not; return true; }
static bool m_r_set(struct rule_in *r, bool not, const char *s) { (void)s; (void)not; r->recent.set = true; return true; }
static bool m_r_update(struct rule_in *r, bool not, const char *s) { r->recent.update = true; return m_r_check(r, not, s); }
static bool m_r_seconds(struct rule_in *r, bool not, const char *s) { (void)not; return number_of(s, UINT32_MAX, &r->recent.seconds); }
static bool m_r_hits(struct rule_in *r, bool not, const char *s) { (void)not; return number_of(s, UINT32_MAX, &r->recent.hits); }
static bool m_r_dest(struct rule_in *r, bool not, const char *s) { (void)not; (void)s; r->recent.by_dst = true; return true; }
static bool m_rp_loose(struct rule_in *r, bool not, const char *s) { (void)not; (void)s; r->rpfilter.loose = true; return true; }
static bool m_rp_invert(struct rule_in *r, bool not, const char *s) { (void)not; (void)s; r->rpfilter.invert = true; return true; }
static bool m_account(struct rule_in *r, bool not, const char *s) { w_account(r->w, s); return !not; }
static bool m_above(struct rule_in *r, bool not, const char *s) { (void)s; r->never = r->never || !not; return true; }

static bool tcp_bits(const char *s, uint32_t *out)
{
	static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ALL", "NONE" };
	static const uint32_t bits[] = { 1, 2, 4, 8, 16, 32, 63, 0 };

	if (number_of(s, 255, out))
		return true;
	return bits_of(s, names, bits, ARRAY_LEN(names), out) || strcmp(s, "NONE") == 0;
}

/* Two words: --tcp-flags MASK SET, --match-set NAME DIRECTIONS */
static bool m_tcp_flags(struct rule_in *r, bool not, const char *mask, const char *set)
{
	uint32_t m, v;

	if (!tcp_bits(mask, &m) || !tcp_bits(set, &v))
		return false;
	w_num(r->w, PF_TCP_FLAGS, not ? REL_MASK_NE : REL_MASK_EQ, m, v);
	return true;
}

static void missing_set(struct rule_in *r, const char *name)
{
	str s = str_intern(r->n->strings, name);

	for (uint32_t k = 0; k < r->n->cap->missing_sets.nr; k++)
		if (r->n->cap->missing_sets.v[k] == s)
			return;
	vec_add(r->n->arena, &r->n->cap->missing_sets, s);
}

static bool m_match_set(struct rule_in *r, bool not, const char *name, const char *dirs)
{
	set_h h = ipset_find(r->n, name);
	const struct set *s = h.i ? ruleset_set_get(r->n->rules, h) : NULL;
	uint8_t fields[5];
	uint8_t nr = 0;

	if (!s) {
		missing_set(r, name);
		rule_unknown(r, arena_printf(r->n->arena, "the members of ipset %s are not in the capture", name));
		return true;
	}
	for (const char *d = dirs; nr < s->nkey; nr++) {
		bool src = strncmp(d, "src", 3) == 0;
		enum pkt_field want = (enum pkt_field)s->key[nr];

		if (!src && strncmp(d, "dst", 3) != 0)
			return false;
		fields[nr] = want == PF_SADDR || want == PF_DADDR ? (src ? PF_SADDR : PF_DADDR) : want == PF_DPORT || want == PF_SPORT ? (src ? PF_SPORT : PF_DPORT)
			   : want == PF_IIFNAME ? (src ? PF_IIFNAME : PF_OIFNAME) : (uint8_t)want;
		if (want != PF_L4PROTO)         /* the protocol goes with the port */
			d += strcspn(d, ",") + (d[strcspn(d, ",")] == ',');
	}
	if (map_find(&r->n->set_gaps, h.i))
		rule_unknown(r, arena_printf(r->n->arena, "ipset %s has members that are not modelled", name));
	else
		w_lookup_fields(r->w, h, !not, 0, fields, nr);
	return true;
}

static const struct match matches[] = {
	{ "-s", m_src, NULL, 1 }, { "--source", m_src, NULL, 1 }, { "-d", m_dst, NULL, 1 }, { "--destination", m_dst, NULL, 1 }, { "-i", m_in, NULL, 1 }, { "-o", m_out, NULL, 1 },
	{ "--in-interface", m_in, NULL, 1 }, { "--out-interface", m_out, NULL, 1 }, { "-p", m_proto, NULL, 1 }, { "--protocol", m_proto, NULL, 1 }, { "--sport", m_sport, NULL, 1 },
	{ "--source-port", m_sport, NULL, 1 }, { "--dport", m_dport, NULL, 1 }, { "--destination-port", m_dport, NULL, 1 }, { "--sports", m_sports, NULL, 1 }, { "--dports", m_dports, NULL, 1 },
	{ "--ctstate", m_state, NULL, 1 }, { "--state", m_state, NULL, 1 }, { "--ctstatus", m_status, NULL, 1 }, { "--mark", m_mark, NULL, 1 }, { "--ctorigdst", m_orig_dst, NULL, 1 },
	{ "--ctorigdstport", m_orig_dport, NULL, 1 }, { "--ctproto", m_proto, NULL, 1 }, { "--ctdir", m_dir, NULL, 1 }, { "--src-type", m_src_type, NULL, 1 }, { "--dst-type", m_dst_type, NULL, 1 },
	{ "--limit-iface-out", m_limit_iface, NULL, 0 }, { "--limit-iface-in", m_limit_iface, NULL, 0 }, { "--uid-owner", m_uid, NULL, 1 }, { "--gid-owner", m_gid, NULL, 1 },
	{ "--icmp-type", m_icmp, NULL, 1 }, { "--icmpv6-type", m_icmp, NULL, 1 }, { "--syn", m_syn, NULL, 0 }, { "--tcp-flags", NULL, m_tcp_flags, 2 }, { "--match-set", NULL, m_match_set, 2 },
	{ "--src-range", m_src_range, NULL, 1 }, { "--dst-range", m_dst_range, NULL, 1 }, { "--mode", m_mode, NULL, 1 }, { "--probability", m_probability, NULL, 1 }, { "--every", m_every, NULL, 1 },
	{ "--packet", m_nothing, NULL, 1 }, { "--comment", m_comment, NULL, 1 }, { "--name", m_r_name, NULL, 1 }, { "--rcheck", m_r_check, NULL, 0 }, { "--set", m_r_set, NULL, 0 },
	{ "--update", m_r_update, NULL, 0 }, { "--seconds", m_r_seconds, NULL, 1 }, { "--hitcount", m_r_hits, NULL, 1 }, { "--reap", m_nothing, NULL, 0 }, { "--rsource", m_nothing, NULL, 0 },
	{ "--rdest", m_r_dest, NULL, 0 }, { "--mask", m_nothing, NULL, 1 }, { "--loose", m_rp_loose, NULL, 0 }, { "--validmark", m_nothing, NULL, 0 }, { "--accept-local", m_nothing, NULL, 0 },
	{ "--invert", m_rp_invert, NULL, 0 }, { "--return-nomatch", m_nothing, NULL, 0 },
	/* a single packet is within every rate (the bucket begins full) and above none */
	{ "--limit", m_nothing, NULL, 1 }, { "--limit-burst", m_nothing, NULL, 1 }, { "--hashlimit-upto", m_nothing, NULL, 1 }, { "--hashlimit", m_nothing, NULL, 1 },
	{ "--hashlimit-above", m_above, NULL, 1 }, { "--hashlimit-burst", m_nothing, NULL, 1 }, { "--hashlimit-mode", m_nothing, NULL, 1 }, { "--hashlimit-name", m_nothing, NULL, 1 },
	{ "--hashlimit-htable-expire", m_nothing, NULL, 1 }, { "--hashlimit-htable-max", m_nothing, NULL, 1 }, { "--hashlimit-htable-size", m_nothing, NULL, 1 },
	{ "--hashlimit-htable-gcinterval", m_nothing, NULL, 1 }, { "--hashlimit-srcmask", m_nothing, NULL, 1 }, { "--hashlimit-dstmask", m_nothing, NULL, 1 },
	{ "--nfacct-name", m_account, NULL, 1 },
};

/* Modules whose words stand in the table; --set and --name are theirs only in some. */
static const char *const modules[] = { "tcp", "udp", "sctp", "udplite", "dccp", "multiport", "conntrack", "state", "mark", "connmark", "addrtype", "owner", "icmp", "icmp6", "icmpv6", "set",
				       "iprange", "statistic", "comment", "recent", "rpfilter", "limit", "hashlimit", "nfacct", NULL };

bool iptables_module_known(const char *m)
{
	for (int k = 0; modules[k]; k++)
		if (strcmp(modules[k], m) == 0)
			return true;
	return false;
}

const struct match *iptables_match(const char *word)
{
	for (size_t k = 0; k < ARRAY_LEN(matches); k++)
		if (strcmp(matches[k].word, word) == 0)
			return &matches[k];
	return NULL;
}
