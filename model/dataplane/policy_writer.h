/* Inside of model/dataplane: what the writers of policies' chains share (policy_calico.c, policy_calico_pod.c, policy_tiers.c). */
#ifndef PODWIRE_POLICY_WRITER_H
#define PODWIRE_POLICY_WRITER_H

#include "model/dataplane/compile.h"

struct writer {
	struct compile *x;
	struct ruleset *rs;
	table_h table;
	bool four, ipt;
	enum np_dir dir;
	struct node_build *nb;
};
enum { MARK_ACCEPT = 0x10000, MARK_PASS = 0x20000, MARK_BLOCKS = 0x40000, MARK_BLOCK = 0x80000 };        /* felix' first bits of IptablesMarkMask 0xffff0000 */

chain_h policy_chain_of(struct writer *, const char *name);
const char *policy_limited_id(struct arena *, const char *prefix, const char *suffix);
ip_addr policy_address(const struct writer *, const struct pod *);      /* of the writer's family; unset: it has none */
void policy_clear_mark(struct writer *, chain_h, uint32_t bits, const char *comment);
/* What the rule matches is marked, and what is marked goes back to the Pod's chain. */
void policy_mark_and_return(struct writer *, struct rw, uint32_t mark, chain_h, cause_h);
/* Calls take for each number that a Pod of the cluster (only: of that node) with an address of the family gives the name of the port. */
typedef void (*policy_named_fn)(void *ctx, const struct pod *, uint16_t number);
void policy_each_named(struct writer *, const struct np_ports *, const struct node_build *only, policy_named_fn take, void *ctx);
set_h policy_named_set(struct writer *, const struct np_ports *);       /* the same as a set of address . protocol . port (nftables) */
chain_h policy_network_chain(struct writer *, const struct np_compiled *);      /* a NetworkPolicy's, of this direction: once on each node, whatever Pods it selects there */
chain_h policy_pod_chain(struct writer *, const struct pod *, const char *iface);       /* policy_calico_pod.c: .i 0: no policy isolates it in this direction */
chain_h policy_tier_chain(struct writer *, const struct tier_policy *);         /* policy_tiers.c: the policy's own, of this direction */

#endif
