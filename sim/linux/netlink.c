#include "sim/linux/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH   (96 * 1024)
#define MESSAGE 4096                    /* room for the one at hand */

bool nl_open(struct nl *nl, int protocol, const char *where, struct err *err)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int on = 1, bytes = 4 << 20;

	*nl = (struct nl){ .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), .where = where };
	if (nl->fd < 0 || bind(nl->fd, (struct sockaddr *)&own, sizeof(own)) != 0) {
		nl_close(nl);
		return err_add(err, ERR_MACHINE, NULL, "netlink: %s", strerror(errno));
	}
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
		setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	nl->buf = malloc(BATCH + MESSAGE);
	if (!nl->buf)
		abort();
	return true;
}

void nl_close(struct nl *nl)
{
	if (nl->fd >= 0)
		close(nl->fd);
	free(nl->buf);
	nl->fd = -1;
	nl->buf = NULL;
}

static void close_message(struct nl *nl)        /* attributes have been put behind the header meanwhile */
{
	if (nl->first)
		nl->len = nl->last + nl_aligned(((struct nlmsghdr *)(void *)(nl->buf + nl->last))->nlmsg_len);
}

struct nlmsghdr *nl_begin(struct nl *nl, uint16_t type, uint16_t flags, const void *head, size_t head_len, struct err *err)
{
	struct nlmsghdr *h;

	close_message(nl);
	if (nl->len >= BATCH && !nl_send(nl, err))
		return NULL;
	h = mnl_nlmsg_put_header(nl->buf + nl->len);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = ++nl->seq;
	nl->last = nl->len;
	if (!nl->first)
		nl->first = nl->seq;
	memcpy(mnl_nlmsg_put_extra_header(h, head_len), head, head_len);
	nl->sent++;
	return h;
}

/* ---- what a message was about, read from the message itself */

static const char *type_name(uint16_t type)
{
	static const struct { uint16_t type; const char *name; } names[] = {
		{ RTM_NEWLINK, "RTM_NEWLINK" }, { RTM_SETLINK, "RTM_SETLINK" }, { RTM_DELLINK, "RTM_DELLINK" }, { RTM_GETLINK, "RTM_GETLINK" }, { RTM_NEWADDR, "RTM_NEWADDR" },
		{ RTM_DELADDR, "RTM_DELADDR" }, { RTM_NEWROUTE, "RTM_NEWROUTE" }, { RTM_DELROUTE, "RTM_DELROUTE" }, { RTM_NEWNEIGH, "RTM_NEWNEIGH" },
		{ RTM_DELNEIGH, "RTM_DELNEIGH" }, { RTM_NEWNSID, "RTM_NEWNSID" }, { RTM_GETROUTE, "RTM_GETROUTE" },
	};

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (names[k].type == type)
			return names[k].name;
	return "netlink";
}

static void describe(const struct nlmsghdr *h, char *out, size_t n)
{
	size_t head = h->nlmsg_type <= RTM_SETLINK ? sizeof(struct ifinfomsg) : h->nlmsg_type <= RTM_GETADDR ? sizeof(struct ifaddrmsg) :
		      h->nlmsg_type <= RTM_GETROUTE ? sizeof(struct rtmsg) : sizeof(struct ndmsg);
	bool link = h->nlmsg_type <= RTM_SETLINK, addr = !link && h->nlmsg_type <= RTM_GETADDR;
	struct nl_iter i = nl_attrs(h, head);
	const struct nlattr *a;

	snprintf(out, n, "%s", type_name(h->nlmsg_type));
	while (nl_next(&i, &a)) {
		uint16_t type = mnl_attr_get_type(a);

		if (link && type == IFLA_IFNAME)
			snprintf(out + strlen(out), n - strlen(out), " %s", mnl_attr_get_str(a));
		else if (addr ? type == IFA_LOCAL : !link && type == 1 /* RTA_DST, NDA_DST */)
			snprintf(out + strlen(out), n - strlen(out), " %s", IP(nl_ip(a)));
	}
	if (h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE)
		snprintf(out + strlen(out), n - strlen(out), "/%u", ((const struct rtmsg *)mnl_nlmsg_get_payload(h))->rtm_dst_len);
}

static const struct nlmsghdr *message(const struct nl *nl, uint32_t seq)
{
	const char *p = nl->buf;

	for (uint32_t k = nl->first; k < seq; k++)
		p += nl_aligned(((const struct nlmsghdr *)(const void *)p)->nlmsg_len);
	return (const struct nlmsghdr *)(const void *)p;
}

static bool forgiven(const struct nl *nl, int error)
{
	for (size_t k = 0; k < ARRAY_LEN(nl->forgive); k++)
		if (nl->forgive[k] && nl->forgive[k] == error)
			return true;
	return false;
}

static bool failed(const struct nl *nl, uint32_t seq, int error, struct err *err)
{
	char what[160] = "netlink";

	if (forgiven(nl, error))
		return true;
	if (seq >= nl->first && seq <= nl->seq)
		describe(message(nl, seq), what, sizeof(what));
	return err_add(err, ERR_MACHINE, NULL, "%s in %s: %s", what, nl->where, strerror(error));
}

static int receive(const struct nl *nl, char *answer, size_t size, struct err *err)
{
	ssize_t n;

	do
		n = recv(nl->fd, answer, size, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		err_add(err, ERR_MACHINE, NULL, "netlink in %s: %s", nl->where, n ? strerror(errno) : "the socket was closed");
	return (int)n;
}

static bool finish(struct nl *nl, bool ok)
{
	nl->len = 0;
	nl->first = 0;
	return ok;
}

bool nl_send(struct nl *nl, struct err *err)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	char answer[32 * 1024];
	bool ok = true, more = true;

	close_message(nl);
	if (!nl->len)
		return true;
	((struct nlmsghdr *)(uintptr_t)message(nl, nl->seq))->nlmsg_flags |= NLM_F_ACK;
	if (sendto(nl->fd, nl->buf, nl->len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		ok = more = err_add(err, ERR_MACHINE, NULL, "netlink in %s: %s", nl->where, strerror(errno));
	while (more) {
		int left = receive(nl, answer, sizeof(answer), err);

		if (left <= 0)
			return finish(nl, false);
		for (const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)answer; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq < nl->first)
				continue;
			if (e->error && !failed(nl, h->nlmsg_seq, -e->error, err))
				ok = false;
			if (h->nlmsg_seq == nl->seq)
				more = false;
		}
	}
	return finish(nl, ok);
}

bool nl_ask(struct nl *nl, struct nlmsghdr *h, bool (*each)(void *, const struct nlmsghdr *), void *ctx, struct err *err)
{
	uint32_t seq = h->nlmsg_seq;
	bool dump = (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP, more = true, ok = true;
	static _Thread_local char answer[64 * 1024];

	close_message(nl);
	if (send(nl->fd, nl->buf, nl->len, 0) < 0)
		ok = more = err_add(err, ERR_MACHINE, NULL, "netlink in %s: %s", nl->where, strerror(errno));
	while (more) {
		int left = receive(nl, answer, sizeof(answer), err);

		if (left <= 0)
			return finish(nl, false);
		for (const struct nlmsghdr *a = (const struct nlmsghdr *)(const void *)answer; more && mnl_nlmsg_ok(a, left); a = mnl_nlmsg_next(a, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(a);

			if (a->nlmsg_seq != seq)
				continue;
			if (a->nlmsg_type == NLMSG_ERROR) {
				if (e->error && !failed(nl, seq, -e->error, err))
					ok = false;
				more = false;
			} else if (a->nlmsg_type == NLMSG_DONE) {
				more = false;
			} else if (!each(ctx, a) || !dump) {
				more = false;
			}
		}
	}
	return finish(nl, ok);
}

size_t nl_ip_bytes(ip_addr ip, uint8_t out[16])
{
	size_t first = ip_is4(ip) ? 12 : 0;

	for (size_t k = first; k < 16; k++)
		out[k - first] = (uint8_t)((k < 8 ? ip.hi : ip.lo) >> (56 - 8 * (k % 8)));
	return 16 - first;
}

void nl_put_ip(struct nlmsghdr *h, uint16_t attr, ip_addr ip)
{
	uint8_t b[16];

	mnl_attr_put(h, attr, nl_ip_bytes(ip, b), b);
}

ip_addr nl_ip(const struct nlattr *a)
{
	const uint8_t *b = mnl_attr_get_payload(a);
	ip_addr ip = { 0, 0 };

	if (mnl_attr_get_payload_len(a) == 4)
		return ip_from4((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
	for (int k = 0; k < 8 && mnl_attr_get_payload_len(a) >= 16; k++) {
		ip.hi = ip.hi << 8 | b[k];
		ip.lo = ip.lo << 8 | b[8 + k];
	}
	return ip;
}
