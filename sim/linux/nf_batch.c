#include "sim/linux/nf_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/base/map.h"
#include "sim/linux/netlink.h"

int nf_open(const char *where, struct err *err)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int low = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER), on = 1, bytes = 1 << 20, fd;

	fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, FD_SETSIZE);    /* out of the way of the lab's children (spaces.c) */
	if (low >= 0)
		close(low);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) != 0) {
		err_add(err, ERR_MACHINE, NULL, "netfilter's netlink in %s: %s", where, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));   /* a batch that fails has an answer for each message that did */
	return fd;
}

void nf_free(struct nf_batch *b)
{
	free(b->buf);
	free(b->places);
	*b = (struct nf_batch){ 0 };
}

/* ---- writing */

static void room(struct nf_batch *b, size_t n)
{
	if (b->len + n <= b->alloc)
		return;
	b->alloc = MAX(2 * b->alloc, b->len + n);
	b->buf = realloc(b->buf, b->alloc);
	if (!b->buf)
		abort();
}

void nf_end(struct nf_batch *b)
{
	assert(b->h->nlmsg_len <= NF_MESSAGE);
	b->len += nl_aligned(b->h->nlmsg_len);
}

static void header(struct nf_batch *b, int type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nfgenmsg gen = { .nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(res_id) };

	room(b, NF_MESSAGE);
	b->h = mnl_nlmsg_put_header(b->buf + b->len);
	b->h->nlmsg_type = (uint16_t)type;
	b->h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	b->h->nlmsg_seq = ++b->nr;
	memcpy(mnl_nlmsg_put_extra_header(b->h, sizeof(gen)), &gen, sizeof(gen));
}

struct nf_mark nf_mark(struct nf_batch *b)
{
	if (!b->len) {
		header(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
		nf_end(b);
	}
	return (struct nf_mark){ b->len, b->nr, b->nr_places };
}

struct nlmsghdr *nf_begin(struct nf_batch *b, int nft_msg, uint16_t flags, uint8_t family)
{
	nf_mark(b);
	header(b, NFNL_SUBSYS_NFTABLES << 8 | nft_msg, flags, family, 0);
	return b->h;
}

void nf_put(struct nlmsghdr *h, uint16_t attr, size_t len, const void *bytes)
{
	char *tail = mnl_nlmsg_get_payload_tail(h);

	memset(tail + nl_aligned(sizeof(struct nlattr) + len) - 4, 0, 4);
	mnl_attr_put(h, attr, len, bytes);
}

void nf_put_str(struct nlmsghdr *h, uint16_t attr, const char *text)
{
	nf_put(h, attr, strlen(text) + 1, text);
}

/* __map%d and zeros, or __map0000012: as long as it has to be, since the kernel takes zeros at the end of what it looks for off at each set that it passes. */
#define NAME_LEN   13
#define MAX_NAMES  10000000u

static void place(struct nf_batch *b, size_t before_tail, uint32_t id, bool name)
{
	if (b->nr_places == b->alloc_places) {
		b->alloc_places = MAX(64u, 2 * b->alloc_places);
		b->places = realloc(b->places, b->alloc_places * sizeof(*b->places));
		if (!b->places)
			abort();
	}
	b->places[b->nr_places++] = (struct nf_set_place){ (size_t)((char *)mnl_nlmsg_get_payload_tail(b->h) - b->buf) - before_tail, id, name };
}

void nf_put_set_id(struct nf_batch *b, uint16_t attr, uint32_t id)
{
	mnl_attr_put_u32(b->h, attr, htonl(id));
	place(b, sizeof(id), id, false);
}

void nf_put_set_name(struct nf_batch *b, uint16_t attr, bool map, uint32_t id)
{
	char name[NAME_LEN] = "__set%d";

	if (map)
		memcpy(name, "__map", 5);
	nf_put(b->h, attr, sizeof(name), name);
	place(b, nl_aligned(NAME_LEN), id, true);
}

/* ---- and then */

const struct nlmsghdr *nf_next(const struct nf_batch *b, const struct nlmsghdr *h)
{
	const char *p = h ? (const char *)h + nl_aligned(h->nlmsg_len) : b->buf;

	return b->len && p < b->buf + b->len ? (const struct nlmsghdr *)(const void *)p : NULL;
}

uint64_t nf_digest(const struct nf_batch *b, struct nf_mark from)
{
	uint64_t digest = 0, word;

	for (size_t at = from.len, end; at < b->len; at = end) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)(b->buf + at);

		end = at + nl_aligned(h->nlmsg_len);
		digest = hash_mix(digest, h->nlmsg_type);
		for (at += sizeof(*h); at < end; at += sizeof(word)) {
			word = 0;
			memcpy(&word, b->buf + at, MIN(sizeof(word), end - at));
			digest = hash_mix(digest, word);
		}
	}
	return digest;
}

void nf_rewind(struct nf_batch *b, struct nf_mark to)
{
	b->len = to.len;
	b->nr = to.nr;
	b->nr_places = to.places;
}

void nf_keep(struct nf_batch *b, struct nf_mark from, uint32_t sets)
{
	for (uint32_t k = from.places; k < b->nr_places; k++) {
		const struct nf_set_place *p = &b->places[k];
		uint32_t id = htonl(b->sets + p->id);

		if (!p->name)
			memcpy(b->buf + p->at, &id, sizeof(id));
		else if (b->fresh && b->names + p->id < MAX_NAMES)
			snprintf(b->buf + p->at + 5, NAME_LEN - 5, "%07u", b->names + p->id);
	}
	b->nr_places = from.places;
	b->sets += sets;
	b->names += sets;
}

/* ---- to the kernel */

static const char *kernel_adds(const struct nlmsghdr *h)        /* NETLINK_EXT_ACK: its own words, where it has some */
{
	struct nl_iter i = nl_attrs(h, sizeof(struct nlmsgerr));
	const struct nlattr *a;

	while (h->nlmsg_flags & NLM_F_ACK_TLVS && nl_next(&i, &a))
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			return mnl_attr_get_str(a);
	return NULL;
}

static const struct nlmsghdr *numbered(const struct nf_batch *b, uint32_t seq)
{
	for (const struct nlmsghdr *h = NULL; (h = nf_next(b, h));)
		if (h->nlmsg_seq == seq)
			return h;
	return NULL;
}

struct answers { const struct nf_batch *b; const char *where; void (*say)(void *, const struct nf_batch *, const struct nlmsghdr *, char *, size_t); void *ctx; uint32_t failed; struct err *err; };

static void failed(struct answers *x, const struct nlmsghdr *h, int error)
{
	const struct nlmsghdr *about = numbered(x->b, h->nlmsg_seq);
	const char *adds = kernel_adds(h);
	char what[1024] = "its nf_tables transaction";

	if (x->failed++)
		return;                 /* the first one is the cause; what fails behind it is counted */
	if (about && x->say)
		x->say(x->ctx, x->b, about, what, sizeof(what));
	err_add(x->err, ERR_MACHINE, NULL, "%s: %s: %s%s%s", x->where, what, strerror(error), adds ? ": " : "", adds ? adds : "");
}

/* The kernel has answered before sendmsg returns; only errors are told. */
static bool answers(struct answers *x, int fd)
{
	static _Thread_local char text[64 * 1024];
	uint32_t mark = x->err->nr;
	ssize_t n;

	while ((n = recv(fd, text, sizeof(text), MSG_DONTWAIT)) > 0 || (n < 0 && errno == EINTR)) {
		int left = (int)n;

		for (const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)text; n > 0 && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_type == NLMSG_ERROR && e->error)
				failed(x, h, -e->error);
		}
	}
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && !x->failed)
		return err_add(x->err, ERR_MACHINE, NULL, "%s: netfilter's netlink: %s", x->where, strerror(errno));
	return !x->failed || (x->failed > 1 && err_wrap(x->err, mark, "%u errors, the first one", x->failed)) || false;
}

static void make_sendable(int fd, size_t len)
{
	int have = 0, want = (int)MIN(len + 4096, (size_t)INT32_MAX / 2);
	socklen_t n = sizeof(have);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &n) == 0 && (size_t)have < len + 4096 && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
}

bool nf_send(struct nf_batch *b, int fd, const char *where, void (*say)(void *, const struct nf_batch *, const struct nlmsghdr *, char *, size_t), void *ctx, struct err *err)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct answers x = { b, where, say, ctx, 0, err };
	ssize_t sent;
	bool ok = true;

	if (b->nr > 1) {                /* more than its beginning */
		header(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
		nf_end(b);
		make_sendable(fd, b->len);
		do
			sent = sendto(fd, b->buf, b->len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
		while (sent < 0 && errno == EINTR);
		ok = sent < 0 ? err_add(err, ERR_MACHINE, NULL, "%s: %u changes of rules in %zu bytes: %s%s", where, b->nr - 2, b->len, strerror(errno),
					errno == EMSGSIZE ? " (net.core.wmem_max bounds a transaction without root)" : "") : answers(&x, fd);
	}
	b->len = 0;
	b->nr = b->sets = b->nr_places = 0;
	return ok;
}
