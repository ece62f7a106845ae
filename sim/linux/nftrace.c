#include "sim/linux/nftrace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <nftables/libnftables.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/dataplane/packet.h"
#include "sim/linux/nft_run.h"

/* %s: what the packets of a proxy get */
static const char marking[] =
	"table inet pwtrace {\n"
	"\tchain pre { type filter hook prerouting priority -350; ip dscp ef meta nftrace set 1; ip6 dscp ef meta nftrace set 1; }\n"
	"\tchain out { type filter hook output priority -350; %sip dscp ef meta nftrace set 1; ip6 dscp ef meta nftrace set 1; }\n"
	"\tchain post { type filter hook postrouting priority 350; }\n"
	"\tchain in { type filter hook input priority 350; }\n"
	"}\n";
static const char proxies_own[] = "tcp flags & (syn | ack) == syn ip dscp set ef; tcp flags & (syn | ack) == syn ip6 dscp set ef; ";

struct listing { const struct space *space; const char *table, *text; };
struct tracing {
	struct live *live;
	struct arena *arena;
	struct nftrace *out;
	int fd;
	bool wanted;                    /* the packet at hand is the first of its connection */
	struct traced packet;           /* headers, which come once per base chain */
	struct map space_of;            /* the number of a namespace there → index of the space, + 1 */
	VEC(struct listing) listings;
	struct err *err;
};

/* ---- one socket that hears of all namespaces */

static bool number_spaces(struct tracing *t)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	struct nl *nl = &t->live->fabric;
	bool ok = true;

	nl->forgive[0] = EEXIST;
	for (uint32_t k = 0; ok && k < t->live->spaces.nr; k++) {
		const struct space *s = t->live->spaces.v[k];
		struct nlmsghdr *h = s ? nl_begin(nl, RTM_NEWNSID, 0, &head, sizeof(head), t->err) : NULL;

		if (!s)
			continue;
		ok = h != NULL;
		if (ok) {
			mnl_attr_put_u32(h, NETNSA_NSID, s->id);
			mnl_attr_put_u32(h, NETNSA_FD, (uint32_t)s->netfd);
		}
	}
	ok = ok && nl_send(nl, t->err);
	nl->forgive[0] = 0;
	return ok;
}

/* A namespace may have had a number there before: which one it is. */
static bool one_number(void *ctx, const struct nlmsghdr *h)
{
	struct nl_iter i = nl_attrs(h, sizeof(struct rtgenmsg));
	const struct nlattr *a;

	while (h->nlmsg_type == RTM_NEWNSID && nl_next(&i, &a))
		if (mnl_attr_get_type(a) == NETNSA_NSID)
			*(int *)ctx = (int)mnl_attr_get_u32(a);
	return false;
}

static bool ask_numbers(struct tracing *t)
{
	struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	bool ok = true;

	for (uint32_t k = 0; ok && k < t->live->spaces.nr; k++) {
		const struct space *s = t->live->spaces.v[k];
		struct nlmsghdr *h = s ? nl_begin(&t->live->fabric, RTM_GETNSID, 0, &head, sizeof(head), t->err) : NULL;
		int nsid = -1;

		if (!s)
			continue;
		ok = h != NULL;
		if (ok) {
			mnl_attr_put_u32(h, NETNSA_FD, (uint32_t)s->netfd);
			ok = nl_ask(&t->live->fabric, h, one_number, &nsid, t->err);
		}
		if (nsid >= 0)
			*map_put(&t->space_of, t->arena, (uint64_t)nsid) = k + 1;
	}
	return ok;
}

static bool listen_to_all(struct tracing *t)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int on = 1, group = NFNLGRP_NFTRACE, bytes = 8 << 20;

	if (!live_enter(t->live, NULL, t->err) || !number_spaces(t) || !ask_numbers(t))
		return false;
	t->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (t->fd < 0 || bind(t->fd, (struct sockaddr *)&own, sizeof(own)) != 0 || setsockopt(t->fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)) != 0 ||
	    setsockopt(t->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
		return err_add(t->err, ERR_MACHINE, NULL, "the kernel's packet trace: %s", strerror(errno));
	if (setsockopt(t->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(t->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return true;
}

static bool proxy_runs(const struct live *live, const struct space *s)
{
	for (uint32_t k = 0; k < live->haproxies.nr; k++)
		if (live->haproxies.v[k].space == s->id)
			return true;
	return false;
}

static bool mark_packets(struct tracing *t, bool on)
{
	bool ok = true;

	for (uint32_t k = 0; ok && k < t->live->spaces.nr; k++) {
		const struct space *s = t->live->spaces.v[k];

		if (s)
			ok = live_enter(t->live, s, t->err) &&
			     nft_run(on ? arena_printf(t->arena, marking, proxy_runs(t->live, s) ? proxies_own : "") : "delete table inet pwtrace\n", 0, NULL, s->name, t->err);
	}
	return live_enter(t->live, NULL, t->err) && ok;
}

/* ---- what an event says */

/* The rule of that handle, as nft lists it. */
static const char *rule_of(struct tracing *t, const struct space *s, const char *table, uint64_t handle)
{
	static const char *const iptables[] = { " nat", " filter", " mangle", " raw", " security" };
	const char *text = NULL, *at;
	char wanted[48];

	for (size_t k = 0; k < ARRAY_LEN(iptables); k++)        /* nft cannot spell what iptables wrote */
		if (strcmp(table + strcspn(table, " "), iptables[k]) == 0)
			return arena_printf(t->arena, "iptables' rule with handle %llu", (unsigned long long)handle);
	for (uint32_t k = 0; k < t->listings.nr && !text; k++)
		if (t->listings.v[k].space == s && strcmp(t->listings.v[k].table, table) == 0)
			text = t->listings.v[k].text;
	if (!text) {
		struct sb out = { 0 };
		struct err none = { 0 };
		char command[160];

		snprintf(command, sizeof(command), "list table %s\n", table);
		if (live_enter(t->live, s, &none))
			nft_run(command, NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS, &out, s->name, &none);
		live_enter(t->live, NULL, &none);
		err_free(&none);
		text = arena_strdup(t->arena, sb_text(&out));
		vec_add(t->arena, &t->listings, (struct listing){ s, arena_strdup(t->arena, table), text });
		sb_free(&out);
	}
	snprintf(wanted, sizeof(wanted), " # handle %llu\n", (unsigned long long)handle);
	for (at = text; (at = strstr(at, wanted)); at++) {
		const char *from = at;

		while (from > text && from[-1] != '\n')
			from--;
		if (strncmp(from, "\t\t", 2) == 0 && strncmp(from + 2, "type ", 5) != 0)
			return arena_strndup(t->arena, from + 2, (size_t)(at - from - 2));
	}
	return arena_printf(t->arena, "rule with handle %llu", (unsigned long long)handle);
}

static void read_network(struct traced *p, const struct nlattr *a)
{
	const uint8_t *b = mnl_attr_get_payload(a);
	size_t n = mnl_attr_get_payload_len(a);

	if (n >= 20 && b[0] >> 4 == 4) {
		p->src = ip_from4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
		p->dst = ip_from4((uint32_t)b[16] << 24 | (uint32_t)b[17] << 16 | (uint32_t)b[18] << 8 | b[19]);
		p->proto = b[9];
	} else if (n >= 40 && b[0] >> 4 == 6) {
		p->src = p->dst = (ip_addr){ 0, 0 };
		for (int k = 0; k < 8; k++) {
			p->src.hi = p->src.hi << 8 | b[8 + k];
			p->src.lo = p->src.lo << 8 | b[16 + k];
			p->dst.hi = p->dst.hi << 8 | b[24 + k];
			p->dst.lo = p->dst.lo << 8 | b[32 + k];
		}
		p->proto = b[6];
	}
}

/* Ports; and whether it is the first packet of its connection: a SYN alone. */
static bool read_transport(struct traced *p, const struct nlattr *a)
{
	const uint8_t *b = mnl_attr_get_payload(a);
	size_t n = mnl_attr_get_payload_len(a);

	if (n >= 4 && (p->proto == PROTO_TCP || p->proto == PROTO_UDP || p->proto == PROTO_SCTP)) {
		p->sport = (uint16_t)(b[0] << 8 | b[1]);
		p->dport = (uint16_t)(b[2] << 8 | b[3]);
	}
	return p->proto != PROTO_TCP || n < 14 || (b[13] & 0x12) == 2;
}

static const char *verdict_of(struct tracing *t, const struct nlattr *a)
{
	struct nl_iter i = nl_nested(a);
	const struct nlattr *b;
	const char *chain = "";
	int32_t code = NFT_CONTINUE;

	while (nl_next(&i, &b))
		if (mnl_attr_get_type(b) == NFTA_VERDICT_CODE)
			code = (int32_t)ntohl(mnl_attr_get_u32(b));
		else if (mnl_attr_get_type(b) == NFTA_VERDICT_CHAIN)
			chain = mnl_attr_get_str(b);
	if (code == NFT_JUMP || code == NFT_GOTO)
		return arena_printf(t->arena, "%s %s", code == NFT_JUMP ? "jump" : "goto", chain);
	return code == NF_ACCEPT ? "accept" : code == NF_DROP ? "drop" : code == NFT_RETURN ? "return" : code == NFT_CONTINUE ? "continue" : "stolen";
}

static const char *link_name(struct tracing *t, const struct space *s, const struct nlattr *a)
{
	uint32_t index = ntohl(mnl_attr_get_u32(a));

	for (uint32_t k = 0; k < s->now.links.nr; k++)
		if (s->now.links.v[k].index == index)
			return s->now.links.v[k].name;
	return arena_printf(t->arena, "if%u", index);
}

static void event(struct tracing *t, const struct space *s, const struct nlmsghdr *h)
{
	static const char *const families[] = { [NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_IPV6] = "ip6", [NFPROTO_BRIDGE] = "bridge", [NFPROTO_NETDEV] = "netdev" };
	const struct nfgenmsg *head = mnl_nlmsg_get_payload(h);
	struct nl_iter i = nl_attrs(h, sizeof(*head));
	const struct nlattr *a, *verdict = NULL, *transport = NULL;
	struct traced e = { .space = s };
	const char *table = "";
	uint64_t handle = 0;
	uint32_t type = 0, policy = NF_ACCEPT;
	bool network = false;

	while (nl_next(&i, &a))
		switch (mnl_attr_get_type(a)) {
		case NFTA_TRACE_TABLE: table = mnl_attr_get_str(a); break;
		case NFTA_TRACE_CHAIN: e.chain = arena_strdup(t->arena, mnl_attr_get_str(a)); break;
		case NFTA_TRACE_TYPE: type = ntohl(mnl_attr_get_u32(a)); break;
		case NFTA_TRACE_ID: e.id = ntohl(mnl_attr_get_u32(a)); break;
		case NFTA_TRACE_RULE_HANDLE: handle = be64toh(mnl_attr_get_u64(a)); break;
		case NFTA_TRACE_VERDICT: verdict = a; break;
		case NFTA_TRACE_POLICY: policy = ntohl(mnl_attr_get_u32(a)); break;
		case NFTA_TRACE_MARK: e.mark = ntohl(mnl_attr_get_u32(a)); break;
		case NFTA_TRACE_IIF: e.iif = link_name(t, s, a); break;
		case NFTA_TRACE_OIF: e.oif = link_name(t, s, a); break;
		case NFTA_TRACE_NETWORK_HEADER:
			read_network(&t->packet, a);
			network = true;
			break;
		case NFTA_TRACE_TRANSPORT_HEADER: transport = a; break;
		}
	if (network) {
		t->wanted = !transport || read_transport(&t->packet, transport);
		t->packet.iif = e.iif;
		t->packet.oif = e.oif;
	}
	if (!t->wanted || (strcmp(table, "pwtrace") == 0 && type != NFT_TRACETYPE_POLICY))
		return;
	if (type == NFT_TRACETYPE_RETURN || (type == NFT_TRACETYPE_RULE && !handle))
		return;                 /* the end of a chain that did not decide */
	e.iif = t->packet.iif;
	e.oif = t->packet.oif;
	e.src = t->packet.src;
	e.dst = t->packet.dst;
	e.sport = t->packet.sport;
	e.dport = t->packet.dport;
	e.proto = t->packet.proto;
	e.table = arena_printf(t->arena, "%s %s", head->nfgen_family < ARRAY_LEN(families) && families[head->nfgen_family] ? families[head->nfgen_family] : "?", table);
	e.verdict = type == NFT_TRACETYPE_POLICY ? (policy == NF_DROP ? "drop" : "accept") : verdict ? verdict_of(t, verdict) : "continue";
	e.rule = type == NFT_TRACETYPE_RULE ? rule_of(t, s, e.table, handle) : NULL;
	vec_add(t->arena, t->out, e);
}

static void read_events(struct tracing *t)
{
	static char buf[64 * 1024];
	char control[256];
	struct iovec io = { buf, sizeof(buf) };
	struct pollfd wait = { t->fd, POLLIN, 0 };

	while (poll(&wait, 1, 60) > 0) {
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(t->fd, &m, MSG_DONTWAIT);
		int left = (int)n, nsid = -1;
		uint64_t *at;

		if (n < 0) {
			t->out->lost = t->out->lost || errno == ENOBUFS;
			continue;
		}
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
				memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
		for (const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
			if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) && (at = map_find(&t->space_of, (uint64_t)nsid)))
				event(t, t->live->spaces.v[*at - 1], h);
	}
}

bool nftrace_during(struct live *live, nftrace_fn what, void *ctx, struct arena *a, struct nftrace *out, struct err *err)
{
	struct tracing t = { .live = live, .arena = a, .out = out, .fd = -1, .err = err };
	bool ok = listen_to_all(&t) && mark_packets(&t, true);

	ok = ok && what(ctx, err) && live_enter(live, NULL, err);
	if (ok)
		read_events(&t);
	if (t.fd >= 0)
		close(t.fd);
	return (t.fd < 0 || mark_packets(&t, false)) && ok;
}

struct one_dial { struct dialer *dialer; struct dial *q; };

static bool dial_one(void *ctx, struct err *err)
{
	struct one_dial *one = ctx;

	one->q->tos = NFTRACE_TOS;
	return dialer_ask(one->dialer, &one->q, 1, 1, err);
}

bool nftrace_dial(struct live *live, struct dialer *d, struct dial *q, struct arena *a, struct nftrace *out, struct err *err)
{
	return nftrace_during(live, dial_one, &(struct one_dial){ d, q }, a, out, err);
}
