/* One rule in iptables' words as ops. What is not modelled becomes an op `unknown`, behind all matches that are, so that only packets for which it matters meet it;
 * words of an unknown match are kept together up to the next -m or -j. Sources: iptables(8), iptables-extensions(8), linux net/netfilter/xt_*.c. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "model/dataplane/read.h"

struct rule_in {
	struct node_in *n;
	const struct part *p;
	uint32_t line;
	table_h t;
	bool v6;
	struct rw w;
	const char *module;                     /* the last -m */
	struct words unknown;                   /* matches that are not modelled */
	/* matches of several words, complete when the next module begins */
	struct { const char *name; bool not, check, set, update; uint32_t seconds, hits; bool by_dst; } recent;
	struct { const char *mode; double probability; uint32_t every; bool not; } statistic;
	struct { bool on, loose, invert; } rpfilter;
	struct { const char *src, *dst; bool src_not, dst_not, limited; } addrtype;
	bool never;                             /* a match that no first packet fulfils */
};

static void unknown(struct rule_in *r, const char *text)
{
	vec_add(r->n->arena, &r->unknown, text);
}

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

static bool masked(const char *s, uint32_t *value, uint32_t *mask)
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

	if (!masked(s, &v, &m))
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
		unknown(r, arena_printf(r->n->arena, "the members of ipset %s are not in the capture", name));
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
		unknown(r, arena_printf(r->n->arena, "ipset %s has members that are not modelled", name));
	else
		w_lookup_fields(r->w, h, !not, 0, fields, nr);
	return true;
}

static const struct match { const char *word; bool (*one)(struct rule_in *, bool not, const char *); bool (*two)(struct rule_in *, bool not, const char *, const char *); uint8_t args; } matches[] = {
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

static bool known_module(const char *m)
{
	for (int k = 0; modules[k]; k++)
		if (strcmp(modules[k], m) == 0)
			return true;
	return false;
}

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
		unknown(r, arena_printf(r->n->arena, "the type %s of an address on one interface (-m addrtype --limit-iface)", type));
	else if (strcmp(type, "LOCAL") == 0)
		w_fib(r->w, src ? FIB_SADDR_LOCAL : FIB_DADDR_LOCAL, !not);
	else if (strcmp(type, "MULTICAST") == 0 && cidr_parse(r->v6 ? "ff00::/8" : "224.0.0.0/4", &multicast))
		w_cidr(r->w, src ? PF_SADDR : PF_DADDR, !not, multicast);
	else
		unknown(r, arena_printf(r->n->arena, "-m addrtype --%s-type %s is not modelled", src ? "src" : "dst", type));
}

static void recent(struct rule_in *r)
{
	const char *name = r->recent.name ? r->recent.name : "DEFAULT";
	uint8_t key = r->recent.by_dst ? PF_DADDR : PF_SADDR;
	set_h set = ruleset_set(r->n->rules, r->t, name, SET_PLAIN, SETF_DYNAMIC | SETF_TIMEOUT, &key, 1);

	if (r->recent.hits > 1)
		unknown(r, "-m recent --hitcount is not modelled");
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
		unknown(r, "-m statistic with ! is not modelled");
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

/* ---- targets */

struct target { const char *name; const char **v; uint32_t nr; };

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
		if (!masked(s, &v, &m))
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
		if (!masked(set ? set : plain, &v, &m))
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

static const char *joined(struct arena *a, const char **v, uint32_t nr)
{
	struct sb b = { 0 };
	const char *s;

	for (uint32_t k = 0; k < nr; k++)
		sb_printf(&b, "%s%s", k ? " " : "", v[k]);
	s = arena_strdup(a, sb_text(&b));
	sb_free(&b);
	return s;
}

static void write_target(struct rule_in *r, const struct target *t, bool go_to)
{
	bool known = false;

	for (uint32_t k = 0; k < r->unknown.nr; k++)
		w_unknown(r->w, r->unknown.v[k], 1);
	for (size_t k = 0; t->name && k < ARRAY_LEN(targets); k++) {
		if (strcmp(targets[k].name, t->name) != 0)
			continue;
		known = true;
		if (!targets[k].fn(r, t)) {
			const char *text = joined(r->n->arena, t->v, t->nr);

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

/* ---- a whole rule */

static const struct match *match_of(const char *word)
{
	for (size_t k = 0; k < ARRAY_LEN(matches); k++)
		if (strcmp(matches[k].word, word) == 0)
			return &matches[k];
	return NULL;
}

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
	text = joined(r->n->arena, v + from, to - from);
	unknown(r, arena_printf(r->n->arena, "match %s is not modelled", text));
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
			unknown(r, "the listing does not show by which interfaces the rule asks");
			return at + 2;
		}
		return known_module(r->module) ? at + 2 : not_modelled(r, v, nr, at, at + 2);
	}
	if (strcmp(v[at], "-c") == 0)
		return at + 3;
	m = match_of(v[at]);
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
	write_target(&r, &target, go_to);
}
