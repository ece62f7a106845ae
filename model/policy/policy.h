/* NetworkPolicy compiled: from the objects to sets of Pods, sets of addresses and connections. One compiler; the fast engine (sim/reachability) and the
 * writers of rules (model/dataplane/policy_*.c) both read what stands here. Source: Kubernetes 1.36 staging/src/k8s.io/api/networking/v1/types.go,
 * and docs/semantics.md for what the API leaves open. */
#ifndef PODWIRE_POLICY_H
#define PODWIRE_POLICY_H

#include "model/cluster/cluster.h"

enum np_dir { NP_INGRESS, NP_EGRESS };

struct np_ports { uint8_t proto; bool any_port; uint16_t lo, hi; str name; };   /* proto: IP protocol number; name: of a containerPort of the destination (then lo, hi are 0) */
struct np_peers {                               /* one item of from/to, ANDed inside */
	bool all;                               /* every address, inside and outside (from: [] or absent) */
	const struct selector *pods, *namespaces;       /* NULL: absent. pods alone: the policy's namespace */
	struct cidr block; struct cidr *except; uint32_t nr_except;     /* block.set: an ipBlock */
};
struct np_compiled_rule {
	struct np_peers *peers; uint32_t nr_peers;      /* ORed */
	struct np_ports *ports; uint32_t nr_ports;      /* ORed; nr 0: all ports and protocols */
	uint8_t dir; uint32_t index;            /* spec.ingress[index] or spec.egress[index] */
};
struct np_compiled {
	const struct network_policy *policy;
	bool isolates[2];                       /* by enum np_dir */
	struct np_compiled_rule *rules[2]; uint32_t nr_rules[2];
};
/* One policy; lives in the arena, and in the policy itself. */
void policy_compile(const struct network_policy *, struct arena *, struct np_compiled *out);
/* All policies of the cluster, in the order (namespace, name). Lives in the arena. */
struct np_compiled *policies_compile(struct cluster *, struct arena *, uint32_t *nr);
const char *np_rule_path(const struct np_compiled_rule *, struct arena *);      /* spec.ingress[0]: for causes */
bool np_selects(struct cluster *, const struct np_compiled *, const struct pod *);      /* hostNetwork Pods: never */
/* One item of from/to against a Pod (hostNetwork Pods match by address only), or an address. */
bool np_peer_has_pod(struct cluster *, const struct np_compiled *, const struct np_peers *, const struct pod *);
bool np_block_has(const struct np_peers *, ip_addr);
/* The rule's ports; names are looked up on the destination, which is NULL for an address outside. */
bool np_ports_allow(const struct np_compiled_rule *, const struct pod *dst, uint8_t proto, uint16_t port);

#endif
