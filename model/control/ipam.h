/* Who gives addresses to nodes and Pods. The pure parts know no cluster: a set of node ranges (kube-controller-manager), host-local's round robin (bridge,
 * flannel), Calico's blocks. The last part puts them to work. */
#ifndef PODWIRE_IPAM_H
#define PODWIRE_IPAM_H

#include "model/control/control.h"

/* ---- Node ranges: pkg/controller/nodeipam/ipam/cidrset/cidr_set.go. The next range is looked for behind the last one given, not from the start (facts 11). */
struct cidr_set {
	struct cidr cluster;
	uint8_t node_len;
	uint32_t max, next, used;               /* ranges in all; where the next search begins; given out */
	uint64_t *bits;
};
#define CIDR_SET_MAX 65536u                     /* ranges that one set may have */
bool cidr_set_init(struct cidr_set *, struct arena *, struct cidr cluster, uint8_t node_len);   /* false: the node mask does not fit the cluster's */
/* First and last range that `c` touches; false: c does not overlap the cluster's. Needs cluster and node_len only. */
bool cidr_set_span(const struct cidr_set *, struct cidr c, uint32_t *first, uint32_t *last);
bool cidr_set_occupy(struct cidr_set *, struct cidr);
bool cidr_set_release(struct cidr_set *, struct cidr);
bool cidr_set_next(struct cidr_set *, struct cidr *out);        /* false: none left */

/* ---- host-local: plugins/ipam/host-local/backend/allocator/allocator.go. A set of ranges, gone through in a circle from behind the last address given (facts 12). */
struct local_range { ip_addr first, last, gateway; };
struct local_range local_range_of(struct cidr subnet);          /* without the network and (IPv4) broadcast address; the gateway is the first */
typedef bool (*ip_taken)(void *ctx, ip_addr);
/* last: the address given last, or none. false: none left. */
bool local_next(const struct local_range *, uint32_t nr, ip_addr last, ip_taken, void *ctx, ip_addr *out);
const char *local_full(const struct local_range *, uint32_t nr, struct arena *);        /* the plugin's words when there is none left */

/* ---- Calico: libcalico-go/lib/ipam (ipam.go, ipam_block.go, ipam_block_reader_writer.go). A pool is cut into blocks; a node owns some; in a block the
 * addresses wait in a queue, and a released one goes to its end (facts 13). */
struct calico_block {
	struct cidr cidr;
	str host;                               /* its affinity */
	uint16_t *queue; uint32_t head, nr;     /* free ordinals, a ring of all places */
	uint32_t places;
	struct calico_map *map; uint64_t index; /* its place in its pool */
};
struct calico_host {
	str name;
	struct calico_block **v; uint32_t nr, alloc;
	uint32_t told;                          /* so many its node's annotation tells of */
	uint64_t blocks, first;                 /* calico_first_block of a pool with so many blocks; 0: not asked yet */
};
struct calico_pool { struct cidr cidr; uint8_t block_len; };
struct calico_map;                              /* which blocks of a pool are owned, which have addresses left (ipam_calico.c) */
struct calico_ipam {
	struct arena *arena;
	struct map blocks;                      /* hash of the block's address → struct calico_block */
	struct map hosts;                       /* name → struct calico_host */
	struct map maps;                        /* hash of a pool's range → struct calico_map */
	uint32_t max_blocks;                    /* per node; 20 */
	bool strict;                            /* strictAffinity */
	ip_taken taken; void *ctx;              /* addresses that somebody has without having asked here; NULL: none */
};
enum calico_answer { CALICO_OK, CALICO_FULL, CALICO_BLOCK_LIMIT };
uint64_t calico_blocks(const struct calico_pool *);             /* how many blocks the pool has */
uint64_t calico_first_block(const struct calico_pool *, const char *host);      /* where the host's walk over them begins */
struct cidr calico_block_at(const struct calico_pool *, uint64_t index);
struct calico_host *calico_host_of(struct calico_ipam *, str name);     /* made if it is not yet known */
enum calico_answer calico_assign(struct calico_ipam *, const struct calico_pool *, uint32_t nr, struct calico_host *, ip_addr *out);
void calico_release(struct calico_ipam *, const struct calico_pool *, uint32_t nr, ip_addr);
/* Gives the block to the host. false: it is smaller than a block, outside the pool, or somebody else's. */
bool calico_claim(struct calico_ipam *, const struct calico_pool *, struct cidr, str host);
bool calico_owned(const struct calico_ipam *, ip_addr block);   /* has somebody the block that begins there? */
const struct calico_block *calico_block_of(const struct calico_ipam *, const struct calico_pool *, uint32_t nr, ip_addr);
const char *calico_words(const struct calico_ipam *, enum calico_answer, const struct calico_pool *asked, uint32_t nr, struct arena *);       /* "" for CALICO_OK */
/* The node's end of a Pod's veth: the prefix and the first 11 hex digits of sha1("NS.POD"). prefix may be a list "eni,veth": its first counts. */
void calico_veth_name(const char *prefix, const char *ns, const char *pod, char out[16]);

/* ---- at work */
/* Addresses for a Pod on this node, by the cluster's Pod network. NULL: done; else the words of the failed CNI ADD, in `scratch`. */
const char *ipam_assign(struct control *, const struct node *, const struct pod *, ip_addr *ip, ip_addr *ip2, struct arena *scratch);
void ipam_release(struct control *, const struct node *, ip_addr ip, ip_addr ip2);
/* The block that holds an address, NULL if there is none (for `show ipam`). Which blocks a node owns stands in its annotation podwire.io/blocks, for the dataplane. */
const struct calico_block *ipam_block(const struct control *, ip_addr);
#define BLOCKS_ANNOTATION "podwire.io/blocks"

#endif
