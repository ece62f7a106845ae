/* ip addr, ip link, ip route, ip rule, ip neigh, bridge fdb, and their older relatives route -n and arp -n. */
#include <ctype.h>
#include <stdlib.h>

#include "model/dataplane/read.h"

static const char *after(struct words w, const char *word)
{
	for (uint32_t k = 0; k + 1 < w.nr; k++)
		if (strcmp(w.v[k], word) == 0)
			return w.v[k + 1];
	return NULL;
}

static bool has(struct words w, const char *word)
{
	for (uint32_t k = 0; k < w.nr; k++)
		if (strcmp(w.v[k], word) == 0)
			return true;
	return false;
}

/* ---- links and addresses */

static void flags_of(struct link_in *l, const char *flags)
{
	l->known = true;
	l->up = (strstr(flags, ",UP") || strstr(flags, "<UP")) && !strstr(flags, "NO-CARRIER");
}

static void kind_words(struct link_in *l, struct words w)
{
	static const struct { const char *word; uint8_t kind; } kinds[] = { { "vxlan", LINK_VXLAN }, { "ipip", LINK_IPIP }, { "bridge", LINK_BRIDGE }, { "veth", LINK_VETH } };
	const char *v;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		if (strcmp(w.v[0], kinds[k].word) == 0 || (strncmp(w.v[0], "link/", 5) == 0 && strcmp(w.v[0] + 5, kinds[k].word) == 0))
			l->kind = kinds[k].kind;
	if (strcmp(w.v[0], "vrf") == 0 && (v = after(w, "table")))
		number_of(v, UINT32_MAX, &l->vrf);
	if (l->kind != LINK_VXLAN && l->kind != LINK_IPIP)
		return;
	if ((v = after(w, "id")))
		number_of(v, UINT32_MAX, &l->vni);
	if ((v = after(w, "local")))
		ip_parse(v, &l->local);
}

static void address(struct node_in *n, const char *dev, struct words w, uint32_t at, const struct part *p, uint32_t line)
{
	const char *peer = after(w, "peer");
	struct cidr c;
	ip_addr ip;

	if (at + 1 >= w.nr)
		return;
	if (cidr_parse_host(w.v[at + 1], &c))
		ip = c.addr;
	else if (ip_parse(w.v[at + 1], &ip))
		c = (struct cidr){ ip, (uint8_t)ip_bits(ip), true };
	else {
		note(n, NOTE_UNKNOWN, p, line, "\"%s\" is not an address", w.v[at + 1]);
		return;
	}
	for (uint32_t k = 0; k < n->addrs.nr; k++)
		if (ip_eq(n->addrs.v[k].ip, ip) && streq(n->addrs.v[k].dev, dev))
			return;
	(void)peer;
	vec_add(n->arena, &n->addrs, (struct addr_in){ .dev = str_intern(n->strings, dev), .ip = ip, .len = c.len });
}

void read_ip_link(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s, *dev = NULL;
	bool addrs = false;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);
		struct link_in *link;

		if (!w.nr)
			continue;
		if (isdigit((unsigned char)*s) && w.nr > 2 && w.v[0][strlen(w.v[0]) - 1] == ':') {
			char *name = arena_strndup(n->arena, w.v[1], strcspn(w.v[1], ":@"));
			const char *at = strchr(w.v[1], '@'), *v;

			if (!*name)
				continue;
			dev = name;
			link = link_in(n, name);
			number_of(arena_strndup(n->arena, w.v[0], strlen(w.v[0]) - 1), UINT32_MAX, &link->index);
			if (strcmp(w.v[2], "inet") == 0 || strcmp(w.v[2], "inet6") == 0) {     /* -o */
				address(n, dev, w, 2, p, l.line);
				addrs = true;
				continue;
			}
			if (w.v[2][0] == '<')
				flags_of(link, w.v[2]);
			if (strstr(w.v[2], "LOOPBACK"))
				link->kind = LINK_LO;
			if (at && at[1] == 'i' && at[2] == 'f' && link->kind == LINK_PHYS)
				link->kind = LINK_VETH;
			if ((v = after(w, "mtu")))
				number_of(v, UINT32_MAX, &link->mtu);
			if ((v = after(w, "master")))
				link->master = str_intern(n->strings, v);
			for (uint32_t k = 3; k < w.nr; k++)
				if (strncmp(w.v[k], "xdp", 3) == 0 && !n->programs)
					n->programs = link->name;
		} else if (dev && (strncmp(w.v[0], "link/", 5) == 0)) {
			link = link_in(n, dev);
			if (w.nr > 1)
				mac_of(w.v[1], link->mac);
			if (after(w, "link-netns"))
				link->netns = str_intern(n->strings, after(w, "link-netns"));
			kind_words(link, w);
		} else if (dev && (strcmp(w.v[0], "inet") == 0 || strcmp(w.v[0], "inet6") == 0)) {
			address(n, dev, w, 0, p, l.line);
			addrs = true;
		} else if (dev) {
			kind_words(link_in(n, dev), w);
			if (strncmp(w.v[0], "prog/xdp", 8) == 0 && !n->programs)
				n->programs = str_intern(n->strings, dev);
		}
	}
	if (!p->cut) {
		n->has_link = true;
		n->has_addr = n->has_addr || addrs;
	}
}

/* ---- routes */

static uint32_t table_of(const char *s)
{
	uint32_t v;

	if (strcmp(s, "main") == 0)
		return TABLE_MAIN;
	if (strcmp(s, "local") == 0)
		return TABLE_LOCAL;
	if (strcmp(s, "default") == 0)
		return TABLE_DEFAULT;
	return number_of(s, UINT32_MAX, &v) ? v : fnv32a(s, strlen(s)) | 0x80000000u;          /* a name of /etc/iproute2/rt_tables: its number does not matter */
}

static uint8_t proto_of(const char *s)
{
	static const struct { const char *name; uint8_t proto; } rows[] = { { "kernel", RTP_KERNEL }, { "boot", RTP_BOOT }, { "static", RTP_STATIC }, { "bird", RTP_BIRD }, { "80", RTP_FELIX },
		{ "12", RTP_BIRD } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (strcmp(rows[k].name, s) == 0)
			return rows[k].proto;
	return RTP_BOOT;
}

/* The words behind the destination. */
static void route_words(struct node_in *n, struct route_in *r, struct words w, uint32_t at)
{
	for (; at < w.nr; at++) {
		const char *arg = at + 1 < w.nr ? w.v[at + 1] : "";

		if (strcmp(w.v[at], "via") == 0) {
			if ((strcmp(arg, "inet6") == 0 || strcmp(arg, "inet") == 0) && at + 2 < w.nr)
				arg = w.v[++at + 1];
			ip_parse(arg, &r->r.via);
			at++;
		} else if (strcmp(w.v[at], "dev") == 0) {
			r->dev = str_intern(n->strings, arg);
			at++;
		} else if (strcmp(w.v[at], "proto") == 0) {
			r->r.proto = proto_of(arg);
			at++;
		} else if (strcmp(w.v[at], "scope") == 0) {
			r->r.scope_link = strcmp(arg, "link") == 0;
			at++;
		} else if (strcmp(w.v[at], "src") == 0) {
			ip_parse(arg, &r->r.src);
			at++;
		} else if (strcmp(w.v[at], "metric") == 0) {
			number_of(arg, UINT32_MAX, &r->r.metric);
			at++;
		} else if (strcmp(w.v[at], "table") == 0) {
			r->r.table = table_of(arg);
			at++;
		} else if (strcmp(w.v[at], "onlink") == 0) {
			r->r.onlink = true;
		} else if (w.v[at][0] == '#') {
			break;
		}
	}
}

static void local_address(struct node_in *n, const struct route_in *r)
{
	bool known = !r->dev || ip_is_loopback(r->r.dst.addr) || r->r.dst.len != ip_bits(r->r.dst.addr);

	for (uint32_t k = 0; k < n->addrs.nr && !known; k++)
		known = ip_eq(n->addrs.v[k].ip, r->r.dst.addr);
	if (known)
		return;
	link_in(n, r->dev);
	vec_add(n->arena, &n->addrs, (struct addr_in){ .dev = r->dev, .ip = r->r.dst.addr, .len = r->r.dst.len, .derived = true });
}

static bool route_n_line(struct node_in *n, struct words w)
{
	struct route_in r = { .r = { .proto = RTP_BOOT } };
	ip_addr mask, via;

	if (w.nr != 8 || !ip_parse(w.v[0], &r.r.dst.addr) || !ip_parse(w.v[1], &via) || !ip_parse(w.v[2], &mask))
		return false;
	while (r.r.dst.len < 32 && !ip_eq(ip_mask(ip_from4(0xffffffffu), r.r.dst.len), mask))
		r.r.dst.len++;
	r.r.dst.set = true;
	if (strchr(w.v[3], 'G'))
		r.r.via = via;
	r.r.type = strchr(w.v[3], '!') ? RT_UNREACHABLE : RT_UNICAST;
	number_of(w.v[4], UINT32_MAX, &r.r.metric);
	r.dev = str_intern(n->strings, w.v[7]);
	link_in(n, w.v[7]);
	vec_add(n->arena, &n->routes, r);
	return true;
}

static void one_route(struct node_in *n, const struct part *p, uint32_t line, struct words w, bool *six)
{
	static const struct { const char *word; int type; } types[] = { { "unicast", RT_UNICAST }, { "blackhole", RT_BLACKHOLE }, { "unreachable", RT_UNREACHABLE }, { "prohibit", RT_PROHIBIT },
		{ "throw", RT_THROW }, { "local", -1 }, { "broadcast", -2 }, { "multicast", -2 }, { "anycast", -2 } };
	struct route_in r = { .r = { .proto = RTP_BOOT, .table = p->table && strcmp(p->table, "all") != 0 ? table_of(p->table) : 0 } };
	uint32_t at = 0;
	int type = RT_UNICAST;

	for (size_t k = 0; k < ARRAY_LEN(types); k++)
		if (strcmp(w.v[0], types[k].word) == 0) {
			type = types[k].type;
			at = 1;
		}
	if (at >= w.nr)
		return;
	if (strcmp(w.v[at], "default") == 0) {
		const char *via = after(w, "via");

		*six = p->v6 || (via && strchr(via, ':')) || has(w, "pref");
		cidr_parse(*six ? "::/0" : "0.0.0.0/0", &r.r.dst);
	} else if (cidr_parse(w.v[at], &r.r.dst)) {
		*six = !ip_is4(r.r.dst.addr);
	} else if (ip_parse(w.v[at], &r.r.dst.addr)) {
		*six = !ip_is4(r.r.dst.addr);
		r.r.dst.len = (uint8_t)ip_bits(r.r.dst.addr);
		r.r.dst.set = true;
	} else {
		note(n, NOTE_UNKNOWN, p, line, "not a route: \"%s\"", w.v[at]);
		return;
	}
	route_words(n, &r, w, at + 1);
	if (after(w, "encap"))
		note(n, NOTE_ASSUMED, p, line, "a route that wraps packets (encap %s): only its next hop is followed", after(w, "encap"));
	if (type == -1)
		local_address(n, &r);
	if (type < 0)
		return;
	r.r.type = (uint8_t)type;
	if (r.dev)
		link_in(n, r.dev);
	if (r.r.proto == RTP_KERNEL && ip_set(r.r.src) && r.dev) {     /* the kernel's own route to a network tells the address on it */
		struct route_in own = { .r = { .dst = { r.r.src, (uint8_t)ip_bits(r.r.src), true } }, .dev = r.dev };

		local_address(n, &own);
		if (n->addrs.nr && ip_eq(n->addrs.v[n->addrs.nr - 1].ip, r.r.src) && n->addrs.v[n->addrs.nr - 1].derived)
			n->addrs.v[n->addrs.nr - 1].len = r.r.dst.len;
	}
	for (uint32_t k = 0; k < n->routes.nr; k++) {
		const struct route_in *x = &n->routes.v[k];

		if (memcmp(&x->r.dst.addr, &r.r.dst.addr, sizeof(ip_addr)) == 0 && x->r.dst.len == r.r.dst.len && x->r.table == r.r.table && x->r.metric == r.r.metric && x->dev == r.dev &&
		    x->r.type == r.r.type && ip_eq(x->r.via, r.r.via))
			return;
	}
	vec_add(n->arena, &n->routes, r);
}

/* A line of its own behind its route, which has the first one's link and gateway. */
static void next_hop(struct node_in *n, const struct part *p, uint32_t line, struct words w, bool *told)
{
	struct route_in *r = n->routes.nr ? &n->routes.v[n->routes.nr - 1] : NULL, more;

	if (!r || r->r.hop == UINT8_MAX)
		return;
	if (!r->dev) {
		route_words(n, r, w, 1);
		if (r->dev)
			link_in(n, r->dev);
		return;
	}
	more = *r;
	more.r.via = (ip_addr){ 0 };
	more.r.hop++;
	route_words(n, &more, w, 1);
	link_in(n, more.dev);
	for (struct route_in *first = r; first >= n->routes.v && more.dev != r->dev; first--) {
		first->r.several = more.r.several = true;
		if (!first->r.hop)
			break;
	}
	if (!*told)
		note(n, NOTE_ASSUMED, p, line, more.r.several ? "a route with several next hops: which one a connection takes its hash decides, so all of them are followed"
							      : "a route with several next hops on one link: the first is taken");
	*told = true;
	vec_add(n->arena, &n->routes, more);
}

void read_ip_route(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	bool any[2] = { false, false }, six = p->v6, hops = false, taken = false;
	uint32_t before;
	const char *s;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);

		if (!w.nr || w.v[0][0] == '#' || strcmp(w.v[0], "Destination") == 0 || strcmp(w.v[0], "Kernel") == 0 || strcmp(w.v[0], "cache") == 0)
			continue;
		if (strcmp(w.v[0], "Error:") == 0 || strcmp(w.v[0], "Dump") == 0 || strcmp(w.v[0], "RTNETLINK") == 0)
			continue;       /* the table is not there */
		if (strcmp(w.v[0], "nexthop") == 0) {
			if (taken)              /* else of a route that is left out, or was read before */
				next_hop(n, p, l.line, w, &hops);
			continue;
		}
		if (strcmp(w.v[0], "...") == 0) {
			note(n, NOTE_MISSING, p, l.line, "the routes are cut: \"...\" stands where some were");
			continue;
		}
		before = n->routes.nr;
		if (!route_n_line(n, w))
			one_route(n, p, l.line, w, &six);
		taken = n->routes.nr > before;
		any[six] = true;
	}
	if (!p->cut && (!p->table || strcmp(p->table, "main") == 0 || strcmp(p->table, "all") == 0)) {
		n->has_route[0] = n->has_route[0] || any[0];
		n->has_route[1] = n->has_route[1] || any[1];
	}
}

/* ---- policy rules */

static struct cidr prefix_of(const char *s)
{
	struct cidr c = { 0 };

	if (cidr_parse(s, &c))
		return c;
	if (ip_parse(s, &c.addr)) {
		c.len = (uint8_t)ip_bits(c.addr);
		c.set = true;
	}
	return c;
}

static void rule_words(struct node_in *n, struct ip_rule *r, struct words w)
{
	for (uint32_t k = 1; k < w.nr; k++) {
		const char *arg = k + 1 < w.nr ? w.v[k + 1] : "", *word_ = w.v[k];

		if (strcmp(word_, "not") == 0) {
			r->not = true;
		} else if (strcmp(word_, "from") == 0 || strcmp(word_, "to") == 0) {
			struct cidr c = strcmp(arg, "all") == 0 ? (struct cidr){ 0 } : prefix_of(arg);

			if (!c.set && strcmp(arg, "all") != 0)
				r->unknown = true;
			*(*word_ == 'f' ? &r->from : &r->to) = c;
			r->v6 = r->v6 || (c.set && !ip_is4(c.addr));
			k++;
		} else if (strcmp(word_, "iif") == 0 || strcmp(word_, "oif") == 0) {
			*(*word_ == 'i' ? &r->iif : &r->oif) = str_intern(n->strings, arg);
			k++;
		} else if (strcmp(word_, "fwmark") == 0) {
			const char *slash = strchr(arg, '/');

			r->mask = 0xffffffffu;
			if (!number_of(arena_strndup(n->arena, arg, strcspn(arg, "/")), UINT32_MAX, &r->mark) || (slash && !number_of(slash + 1, UINT32_MAX, &r->mask)))
				r->unknown = true;
			k++;
		} else if (strcmp(word_, "lookup") == 0 || strcmp(word_, "table") == 0) {
			r->does = RULE_LOOKUP;
			r->table = table_of(arg);
			k++;
		} else if (strcmp(word_, "goto") == 0) {
			r->does = RULE_GOTO;
			number_of(arg, UINT32_MAX, &r->target);
			k++;
		} else if (strcmp(word_, "suppress_prefixlength") == 0) {
			uint32_t v = 0;

			number_of(arg, 128, &v);
			r->suppress = (int)v;
			k++;
		} else if (strcmp(word_, "blackhole") == 0 || strcmp(word_, "unreachable") == 0 || strcmp(word_, "prohibit") == 0 || strcmp(word_, "nop") == 0) {
			r->does = *word_ == 'b' ? RULE_BLACKHOLE : *word_ == 'u' ? RULE_UNREACHABLE : *word_ == 'p' ? RULE_PROHIBIT : RULE_NOP;
		} else if (strcmp(word_, "proto") == 0 || strcmp(word_, "protocol") == 0) {
			k++;
		} else if (word_[0] == '#' || word_[0] == '[') {
			if (word_[0] == '#')
				return;
		} else {                /* uidrange, ipproto, sport, dport, tos, l3mdev, tun_id, realms */
			r->unknown = true;
			k++;
		}
	}
}

void read_ip_rule(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);
		struct ip_rule r = { .v6 = p->v6, .suppress = -1, .does = RULE_NOP };

		if (w.nr < 3 || !isdigit((unsigned char)*w.v[0]))
			continue;
		if (!number_of(arena_strndup(n->arena, w.v[0], strcspn(w.v[0], ":")), UINT32_MAX, &r.priority))
			continue;
		while (len && isspace((unsigned char)s[len - 1]))
			len--;
		r.text = str_intern_n(n->strings, s, len);
		rule_words(n, &r, w);
		vec_add(n->arena, &n->ip_rules, r);
		n->has_rule[r.v6] = n->has_rule[r.v6] || !p->cut;
	}
}

/* ---- neighbours, forwarding databases */

void read_ip_neigh(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);
		struct neigh_in x = { 0 };
		const char *dev = after(w, "dev"), *mac = after(w, "lladdr");

		if (w.nr < 3 || !ip_parse(w.v[0], &x.ip))
			continue;
		if (!dev && w.nr >= 5 && strcmp(w.v[1], "ether") == 0) {       /* arp -n */
			mac = w.v[2];
			dev = w.v[w.nr - 1];
		}
		if (!dev)
			continue;
		x.dev = str_intern(n->strings, dev);
		x.failed = has(w, "FAILED") || has(w, "INCOMPLETE") || has(w, "(incomplete)");
		if (mac ? !mac_of(mac, x.mac) : !x.failed)
			continue;
		vec_add(n->arena, &n->neighs, x);
	}
}

void read_fdb(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);
		struct fdb_in x = { 0 };

		if (w.nr < 3 || !mac_of(w.v[0], x.mac) || !after(w, "dev") || !after(w, "dst") || !ip_parse(after(w, "dst"), &x.dst))
			continue;
		x.dev = str_intern(n->strings, after(w, "dev"));
		vec_add(n->arena, &n->fdbs, x);
	}
}
