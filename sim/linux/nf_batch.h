/* One transaction of nf_tables: messages that the kernel takes all or not at all, given to it in one system call. What is collected can be looked at and taken back
 * before it is sent, so that a writer writes first and sees then whether that is new.
 *
 * The socket stays open as long as its namespace: the kernel waits for an RCU grace period when a socket closes behind which something was deleted
 * (net/netfilter/nf_tables_api.c, nft_rcv_nl_event), 5 … 20 ms each time. */
#ifndef PODWIRE_LINUX_NF_BATCH_H
#define PODWIRE_LINUX_NF_BATCH_H

#include <libmnl/libmnl.h>

#include "model/base/err.h"

#define NF_MESSAGE (48u * 1024)         /* a message, its attributes and all: begin leaves that much room */
#define NF_NEST    (30u * 1024)         /* where a list goes on in the next message: a nest has 16 bits for its length */

struct nf_batch {
	char *buf;                      /* owned; {0} is empty and valid */
	size_t len, alloc;              /* bytes, with the message that is being written */
	uint32_t nr;                    /* messages; also their sequence numbers, from 1 */
	struct nlmsghdr *h;             /* the message at hand; moves with the next begin */
	/* Anonymous sets have numbers within a transaction, and names that the kernel counts, as nft leaves it to it; the kernel looks at all sets of a table for that,
	 * so that where there are none before (`fresh`) names are counted here. Both are written as if there were no others, and get their place when they stay. */
	bool fresh;
	uint32_t sets, names;           /* that have a number in this transaction, a name in all */
	struct nf_set_place { size_t at; uint32_t id; bool name; } *places;
	uint32_t nr_places, alloc_places;
};
struct nf_mark { size_t len; uint32_t nr, places; };

int nf_open(const char *where, struct err *);                           /* a socket in the namespace of the calling thread; -1: err */
void nf_free(struct nf_batch *);
struct nlmsghdr *nf_begin(struct nf_batch *, int nft_msg, uint16_t flags, uint8_t family);     /* NFT_MSG_…, NLM_F_…, NFPROTO_…: attributes by nf_put…, mnl_attr_put_u32 and nests */
void nf_end(struct nf_batch *);                                         /* the message is complete */
void nf_put(struct nlmsghdr *, uint16_t attr, size_t len, const void *);        /* with zeros behind it, which libmnl's has since 1.0.5 only: digests read them */
void nf_put_str(struct nlmsghdr *, uint16_t attr, const char *);                /* with its NUL */
/* Of an anonymous set, its id counted from 0 behind the last mark. */
void nf_put_set_id(struct nf_batch *, uint16_t attr, uint32_t id);
void nf_put_set_name(struct nf_batch *, uint16_t attr, bool map, uint32_t id);

struct nf_mark nf_mark(struct nf_batch *);
uint64_t nf_digest(const struct nf_batch *, struct nf_mark);            /* of what was written since: the same in every batch, wherever it stands */
void nf_rewind(struct nf_batch *, struct nf_mark);                      /* takes it back */
void nf_keep(struct nf_batch *, struct nf_mark, uint32_t sets);         /* it stays; sets: how many anonymous sets it has */

/* Sends it (nothing where it is empty), and it is empty again. At an error of the kernel `say` tells what the message was about, NULL: nobody can; the rest is the
 * errno and what the kernel adds. */
bool nf_send(struct nf_batch *, int fd, const char *where, void (*say)(void *ctx, const struct nf_batch *, const struct nlmsghdr *, char *out, size_t n), void *ctx, struct err *);
/* The messages in order: NULL begins, NULL ends. */
const struct nlmsghdr *nf_next(const struct nf_batch *, const struct nlmsghdr *);

#endif
