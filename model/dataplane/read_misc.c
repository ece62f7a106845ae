/* Settings (sysctl), listening sockets (ss, netstat), virtual servers (ipvsadm), BIRD's routes. */
#include <ctype.h>
#include <stdlib.h>

#include "model/dataplane/read.h"

/* net.ipv4.conf.eth0.rp_filter = 1; dots and slashes may change places, where a name of an interface has a dot. */
void read_sysctl(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s;
	size_t len;

	while (next_line(&l, &s, &len)) {
		char *key = arena_strndup(n->arena, s, len), *eq = strchr(key, '='), *colon = strchr(key, ':'), *value, *end;
		bool slashes = strncmp(key, "net/", 4) == 0 || strncmp(key, "/proc/sys/", 10) == 0;
		struct conf_in c = { 0 };
		char *conf;

		if (!eq)
			eq = slashes ? colon : NULL;
		if (!eq)
			continue;
		value = eq + 1 + strspn(eq + 1, " \t");
		for (end = eq; end > key && isspace((unsigned char)end[-1]);)
			end--;
		*end = '\0';
		if (strncmp(key, "/proc/sys/", 10) == 0)
			key += 10;
		for (char *q = key; *q; q++)
			*q = slashes ? (*q == '/' ? '.' : *q == '.' ? '/' : *q) : *q;
		c.value = strtoll(value, &end, 10);
		if (end == value)
			continue;
		conf = strstr(key, ".conf.");
		if (conf) {             /* net.ipv4.conf.DEV.KEY */
			char *dot = strrchr(key, '.');
			char *dev = arena_strndup(n->arena, conf + 6, dot > conf + 6 ? (size_t)(dot - conf - 6) : 0);

			for (char *q = dev; *q; q++)
				*q = *q == '/' ? '.' : *q;
			c.dev = str_intern(n->strings, dev);
			c.key = str_printf(n->strings, "%.*s.%s", (int)(conf - key), key, dot + 1);
		} else {
			c.key = str_intern(n->strings, key);
		}
		vec_add(n->arena, &n->confs, c);
	}
}

/* 0.0.0.0:22, *:80, [::]:443, 127.0.0.1%lo:53; also :::22 of netstat */
static bool socket_of(const char *s, ip_addr *ip, uint16_t *port)
{
	const char *colon = strrchr(s, ':');
	char left[64];
	size_t n;

	*ip = (ip_addr){ 0, 0 };
	if (!colon || !port_of_word(colon + 1, port))
		return false;
	snprintf(left, sizeof(left), "%.*s", (int)MIN((size_t)(colon - s), sizeof(left) - 1), s);
	left[strcspn(left, "%")] = '\0';
	n = strlen(left);
	if (n > 1 && left[0] == '[') {
		memmove(left, left + 1, n);
		left[strcspn(left, "]")] = '\0';
	}
	if (!*left || strcmp(left, "*") == 0 || strcmp(left, "0.0.0.0") == 0 || strcmp(left, "::") == 0)
		return true;
	return ip_parse(left, ip);
}

void read_ss(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s;
	size_t len;

	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);
		struct listener x = { .kind = LISTEN_PORT };
		uint32_t proto;
		char name[8];

		if (w.nr < 3)
			continue;
		snprintf(name, sizeof(name), "%s", w.v[0]);
		name[strcspn(name, "46")] = '\0';
		if (!proto_of_word(name, &proto) || (strcmp(w.v[1], "LISTEN") != 0 && strcmp(w.v[1], "UNCONN") != 0 && !isdigit((unsigned char)*w.v[1])))
			continue;
		x.proto = (uint8_t)proto;
		for (uint32_t k = 2; k < w.nr; k++)
			if (socket_of(w.v[k], &x.addr, &x.port)) {
				vec_add(n->arena, &n->listeners, x);
				break;
			}
	}
	n->has_listeners = n->has_listeners || !p->cut;
}

/* ---- ipvsadm -ln: IPVS takes packets for its addresses on the way in, behind the filters, and from the node's own processes on the way out, and sends them on to a
 * real server: chains of NAT (net/netfilter/ipvs/ip_vs_core.c, ip_vs_ops4). */

struct server { ip_addr ip; uint16_t port; uint32_t weight; };

struct ipvs {
	struct node_in *n;
	chain_h chain[2];               /* in, out */
	bool on;
	uint8_t proto; ip_addr ip; uint16_t port; uint32_t mark; bool by_mark;
	const char *scheduler;
	bool sticky, unknown;
	VEC(struct server) servers;
};

static void virtual_match(const struct ipvs *v, struct rw w)
{
	if (v->by_mark) {
		w_num(w, PF_MARK, REL_EQ, v->mark, 0);
		return;
	}
	w_addr(w, PF_DADDR, REL_EQ, v->ip);
	w_num(w, PF_L4PROTO, REL_EQ, v->proto, 0);
	if (v->port)
		w_num(w, PF_DPORT, REL_EQ, v->port, 0);
}

static void write_server(const struct ipvs *v, chain_h chain)
{
	uint32_t left = 0;
	struct rw w;

	for (uint32_t k = 0; k < v->servers.nr; k++)
		left += v->servers.v[k].weight;
	if (v->unknown) {
		virtual_match(v, w = rule_begin(v->n->rules, chain));
		w_unknown(w, "IPVS forwards by direct routing or a tunnel, which is not modelled", 2);
		return;
	}
	if (!left) {                            /* no destination: an ICMP error (ip_vs_core.c ip_vs_leave) */
		virtual_match(v, w = rule_begin(v->n->rules, chain));
		w_reject(w, REJECT_DEFAULT);
	}
	for (uint32_t k = 0; k < v->servers.nr; k++) {
		const struct server *s = &v->servers.v[k];

		if (!s->weight)
			continue;
		virtual_match(v, w = rule_begin(v->n->rules, chain));
		if (s->weight < left)
			w_chance(w, s->weight, left);
		w_dnat(w, s->ip, s->port);
		left -= s->weight;
	}
}

static void flush(struct ipvs *v)
{
	for (int out = 0; v->on && out < 2; out++)
		write_server(v, v->chain[out]);
	v->on = false;
	v->servers.nr = 0;
	v->unknown = false;
}

void read_ipvs(struct node_in *n, const struct part *p)
{
	struct ipvs v = { .n = n };
	struct lines l = lines_of(p);
	const char *s;
	size_t len;

	for (int out = 0; out < 2; out++) {
		v.chain[out] = ruleset_chain(n->rules, ruleset_table(n->rules, NF_INET, "ipvs", true), out ? "ip_vs_out" : "ip_vs_in");
		ruleset_base_chain(n->rules, v.chain[out], out ? HOOK_OUTPUT : HOOK_INPUT, NFT_FILTER, out ? -98 : 98, OP_ACCEPT);      /* NF_IP_PRI_NAT_DST + 2, NF_IP_PRI_NAT_SRC - 2 */
		*map_put(&n->declared, n->arena, v.chain[out].i) = 1;
	}
	while (next_line(&l, &s, &len)) {
		struct words w = words_of(n->arena, s, len, false);
		uint32_t proto;

		if (w.nr >= 2 && (strcmp(w.v[0], "TCP") == 0 || strcmp(w.v[0], "UDP") == 0 || strcmp(w.v[0], "SCTP") == 0 || strcmp(w.v[0], "FWM") == 0)) {
			flush(&v);
			v.by_mark = w.v[0][0] == 'F';
			v.on = v.by_mark ? number_of(w.v[1], UINT32_MAX, &v.mark) : proto_of_word(w.v[0], &proto) && socket_of(w.v[1], &v.ip, &v.port);
			v.proto = v.by_mark ? 0 : (uint8_t)proto;
			if (!v.on)
				note(n, NOTE_UNKNOWN, p, l.line, "not a virtual server: \"%s\"", w.v[1]);
		} else if (w.nr >= 4 && strcmp(w.v[0], "->") == 0 && strchr(w.v[1], ':') && strncmp(w.v[1], "RemoteAddress", 13) != 0) {
			struct server r = { 0 };

			if (!socket_of(w.v[1], &r.ip, &r.port) || !number_of(w.v[3], 65535, &r.weight)) {
				note(n, NOTE_UNKNOWN, p, l.line, "not a real server: \"%s\"", w.v[1]);
				continue;
			}
			v.unknown = v.unknown || strcmp(w.v[2], "Masq") != 0;
			vec_add(n->arena, &v.servers, r);
		}
	}
	flush(&v);
}

/* ---- birdc show route: what BIRD knows. The kernel's own table says what is used; this one is noted, and taken only where nobody listed that. */

void read_bird_routes(struct node_in *n, const struct part *p)
{
	struct lines l = lines_of(p);
	struct route_in r = { 0 };
	bool taken = false, best = false;
	const char *s;
	size_t len;

	note(n, NOTE_ASSUMED, p, p->line, "routes as BIRD knows them: taken where the kernel's own (ip route) were not captured");
	while (next_line(&l, &s, &len)) {
		struct words w;
		uint32_t at = 0;
		struct cidr c;

		if (len > 5 && isdigit((unsigned char)s[0]) && isdigit((unsigned char)s[3]) && (s[4] == '-' || s[4] == ' ')) {  /* the control socket's reply codes */
			if (s[0] == '9') {
				note(n, NOTE_UNKNOWN, p, l.line, "BIRD answered with an error: \"%.*s\"", (int)MIN(len, 80u), s);
				continue;
			}
			s += 5;
			len -= 5;
		}
		w = words_of(n->arena, s, len, false);
		if (!w.nr || strcmp(w.v[0], "BIRD") == 0 || strcmp(w.v[0], "Table") == 0 || strcmp(w.v[0], "bird>") == 0)
			continue;
		if (cidr_parse(w.v[0], &c)) {
			r = (struct route_in){ .r = { .dst = c, .proto = RTP_BIRD } };
			taken = false;
			at = 1;
		} else if (!r.r.dst.set) {
			continue;
		}
		best = at ? memchr(s, '*', len) != NULL : best;
		for (; at < w.nr && !taken; at++) {
			if (strcmp(w.v[at], "blackhole") == 0 || strcmp(w.v[at], "unreachable") == 0) {
				r.r.type = w.v[at][0] == 'b' ? RT_BLACKHOLE : RT_UNREACHABLE;
				taken = best;
			} else if (strcmp(w.v[at], "via") == 0 && at + 1 < w.nr) {
				ip_parse(w.v[at + 1], &r.r.via);
			} else if ((strcmp(w.v[at], "on") == 0 || strcmp(w.v[at], "dev") == 0) && at + 1 < w.nr) {
				r.dev = str_intern(n->strings, w.v[at + 1]);
				link_in(n, r.dev);
				taken = best;
			}
		}
		if (taken && r.r.dst.set) {
			bool there = false;

			for (uint32_t k = 0; k < n->routes.nr; k++)
				there = there || (ip_eq(n->routes.v[k].r.dst.addr, r.r.dst.addr) && n->routes.v[k].r.dst.len == r.r.dst.len);
			if (!there)
				vec_add(n->arena, &n->routes, r);
			r.r.dst.set = false;
		}
	}
}
