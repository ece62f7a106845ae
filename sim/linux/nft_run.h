/* Commands of nft, by its library. */
#ifndef PODWIRE_LINUX_NFT_RUN_H
#define PODWIRE_LINUX_NFT_RUN_H

#include "model/base/err.h"
#include "model/base/str.h"

/* In one transaction, in the namespace of the calling thread. flags: NFT_CTX_OUTPUT_…; out: what it prints is added, NULL: nothing is wanted. A listing is asked for again
 * while it says an element twice. */
bool nft_run(const char *commands, unsigned flags, struct sb *out, const char *where, struct err *err);
/* Does a listing (text or JSON) say an element of a set twice? While the kernel makes a set's hash table larger or smaller, which it does some time after a change, a walk
 * begins anew, or goes on by a count that no longer fits (net/netfilter/nft_set_hash.c, nft_rhash_walk); where an element is missing then, another one is there twice. */
bool nft_says_twice(const char *listing);

#endif
