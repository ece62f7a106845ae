/* rtnetlink in batches: messages are collected, sent in one system call, and answered together; an error names the message and what it was about. Works in the
 * network namespace of the thread that opened it. */
#ifndef PODWIRE_NETLINK_H
#define PODWIRE_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "model/base/err.h"
#include "model/base/ip.h"

struct nl {
	int fd;                         /* -1: not open */
	uint32_t seq, first;            /* of the last message; of the first that is not sent yet */
	char *buf;                      /* owned */
	size_t len, last;               /* bytes; where the last message begins */
	const char *where;              /* for errors: the namespace's name; borrowed */
	int forgive[4];                 /* errno values that are no error, for the messages of this batch; 0: none */
	uint32_t sent;                  /* messages in all */
};

bool nl_open(struct nl *, int protocol, const char *where, struct err *);       /* NETLINK_ROUTE, NETLINK_NETFILTER */
void nl_close(struct nl *);
/* Begins a message in the batch (which is sent first where it is full): put attributes to it by mnl_attr_put…, at most 2 KiB, before the next call. NULL: err. */
struct nlmsghdr *nl_begin(struct nl *, uint16_t type, uint16_t flags, const void *head, size_t head_len, struct err *);
bool nl_send(struct nl *, struct err *);                                        /* what is collected; false if any of it failed */
/* One question, all answers (or the one). The callback returns false to stop reading. */
bool nl_ask(struct nl *, struct nlmsghdr *, bool (*each)(void *ctx, const struct nlmsghdr *), void *ctx, struct err *);
size_t nl_ip_bytes(ip_addr, uint8_t out[16]);                                   /* 4 or 16 bytes, as its family is, in network order */
void nl_put_ip(struct nlmsghdr *, uint16_t attr, ip_addr);
ip_addr nl_ip(const struct nlattr *);                                           /* 4 or 16 bytes */

/* Attributes, one after another: struct nl_iter i = nl_attrs(h, sizeof(struct rtmsg)); while (nl_next(&i, &a)) … */
struct nl_iter { const char *p, *end; };
static inline size_t nl_aligned(size_t n) { return (n + 3) & ~(size_t)3; }
static inline struct nl_iter nl_attrs(const struct nlmsghdr *h, size_t head)
{
	return (struct nl_iter){ (const char *)h + sizeof(*h) + nl_aligned(head), (const char *)h + h->nlmsg_len };
}
static inline struct nl_iter nl_nested(const struct nlattr *a)
{
	return (struct nl_iter){ (const char *)a + sizeof(*a), (const char *)a + a->nla_len };
}
static inline bool nl_next(struct nl_iter *i, const struct nlattr **a)
{
	const struct nlattr *at = (const struct nlattr *)(const void *)i->p;

	if (i->p + sizeof(*at) > i->end || at->nla_len < sizeof(*at) || i->p + at->nla_len > i->end)
		return false;
	*a = at;
	i->p += nl_aligned(at->nla_len);
	return true;
}

#endif
