/* What one question needs before a socket can ask it: a namespace to ask from, the sender's address there, and that real programs can do what is asked at all. */
#include "sim/linux/verify.h"

#define LARGEST        65507u           /* bytes in a datagram */
#define LARGEST_STREAM 60000u

struct space *verify_sender(const struct live *live, const struct world *w, const struct answer *answer)
{
	return answer->source.enters ? live_find(live, "client") : answer->source.netns.i ? live_find(live, netns_get(w->dp, answer->source.netns)->name) : NULL;
}

/* A client of another address than the usual one has it, too, and the gateway knows where it is. */
bool verify_give_address(struct live *live, const struct space *s, ip_addr ip, struct err *err)
{
	struct space *router = live_find(live, "router");
	struct ifaddrmsg addr = { .ifa_family = ip_is4(ip) ? AF_INET : AF_INET6, .ifa_prefixlen = (uint8_t)ip_bits(ip), .ifa_flags = ip_is4(ip) ? 0 : IFA_F_NODAD, .ifa_index = 2 };
	struct rtmsg route = { .rtm_family = addr.ifa_family, .rtm_dst_len = addr.ifa_prefixlen, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT, .rtm_type = RTN_UNICAST,
			       .rtm_scope = ip_is4(ip) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE };
	struct nlmsghdr *h;
	struct nl nl;
	bool ok;

	for (uint32_t k = 0; k < s->now.addrs.nr; k++)
		if (ip_eq(s->now.addrs.v[k].ip, ip))
			return true;
	if (s->kind != NS_CLIENT || !router)
		return err_add(err, ERR_UNKNOWN, NULL, "%s is not an address of %s, so no socket there can have it", IP(ip), s->name);
	if (!live_enter(live, s, err) || !nl_open(&nl, NETLINK_ROUTE, s->name, err))
		return false;
	ok = (h = nl_begin(&nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &addr, sizeof(addr), err)) != NULL;
	if (ok) {
		nl_put_ip(h, IFA_LOCAL, ip);
		nl_put_ip(h, IFA_ADDRESS, ip);
		ok = nl_send(&nl, err);
	}
	nl_close(&nl);
	if (!ok || !live_enter(live, router, err) || !nl_open(&nl, NETLINK_ROUTE, router->name, err))
		return false;
	ok = (h = nl_begin(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof(route), err)) != NULL;
	if (ok) {
		nl_put_ip(h, RTA_DST, ip);
		for (uint32_t k = 0; k < router->now.links.nr; k++)
			if (router->now.links.v[k].segment == s->now.links.v[1].segment && router->now.links.v[k].segment)
				mnl_attr_put_u32(h, RTA_OIF, router->now.links.v[k].index);
		ok = nl_send(&nl, err);
	}
	nl_close(&nl);
	return ok;
}

/* A segment that is too large for a link whose node says so: TCP hears of it and sends smaller ones. */
static bool hears_of_it(const struct dataplane *dp, const struct answer *answer)
{
	bool lost = false, silent = false;

	for (uint32_t k = 0; k < answer->nr; k++)
		lost = lost || (answer->v[k].walk && answer->v[k].walk->there.verdict == V_LOST);
	for (uint32_t k = 1; k < dp->nr_links; k++)
		silent = silent || link_get(dp, (link_h){ k })->carries || link_get(dp, (link_h){ k })->loss_permille;
	return lost && !silent;
}

static const char *cannot_size(const struct dataplane *dp, const struct answer *answer)
{
	const struct question *q = answer->q;

	if (!q->size)
		return NULL;
	if (q->proto != PROTO_TCP)
		return q->proto == PROTO_SCTP ? "messages of SCTP of a given size are not made in the namespaces" : q->size > LARGEST ? "a datagram of more than 65507 bytes" : NULL;
	if (q->size > LARGEST_STREAM)
		return "more than 60000 bytes by TCP are not sent in the namespaces";
	if (hears_of_it(dp, answer))
		return "TCP hears that its segments are too large, and sends smaller ones";
	for (uint32_t k = 0; k < answer->nr; k++)
		if (answer->v[k].walk && answer->v[k].walk->listener && answer->v[k].walk->listener->kind == LISTEN_ANY)
			return "who is taken to listen everywhere has no program there that would send so many bytes back";
	return NULL;
}

const char *verify_cannot_ask(const struct dataplane *dp, const struct answer *answer)
{
	const char *why;

	if (answer->source.enters && !streq(answer->source.kind, "Client"))
		return "a packet that enters from outside has no socket here";
	if ((why = cannot_size(dp, answer)))
		return why;
	if (answer->q->flags & WALK_KEEP)
		return "connections that stay open are not made in the namespaces yet";
	for (uint32_t k = 0; k < answer->nr; k++) {
		if (answer->v[k].http || answer->v[k].second || answer->v[k].third)
			return "what a proxy does with it is not asked of the kernel";
		if (!answer->v[k].walk)
			return "it was not sent";
	}
	return NULL;
}
