/* Policies in tiers: Calico's NetworkPolicy and GlobalNetworkPolicy, and Kubernetes' ClusterNetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy, compiled to ordered
 * rules with actions, in the order in which felix asks them. The fast engine, the writers of chains and the reasons all read what stands here. NetworkPolicies are one case
 * of it: they stand in tier "default" with order 1000 and only allow (policy.h has their own, shorter form; tiers_of_kubernetes makes this one of it).
 *
 *     of each tier: the policies that select the Pod in that direction, one rule after the other; the first that matches says Allow, Deny, or Pass (on to the next tier)
 *     none does: what the tier does by default with Pods that one of its policies selects; behind the last tier: allowed, by the profile of the Pod's namespace
 *
 * What cannot be told (a selector that cannot be read, a match of HTTP, Services, the source's port) is MAYBE, and counts only where it decides.
 * Source: calico v3.33 felix/calc/policy_sorter.go, felix/rules/{endpoints,policy}.go, libcalico-go lib/backend/syncersv1/updateprocessors, lib/backend/k8s/conversion. */
#ifndef PODWIRE_TIERS_H
#define PODWIRE_TIERS_H

#include "model/policy/policy.h"

enum truth { NO, YES, MAYBE };
static inline enum truth truth_and(enum truth a, enum truth b) { return a == NO || b == NO ? NO : a == YES && b == YES ? YES : MAYBE; }
static inline enum truth truth_or(enum truth a, enum truth b) { return a == YES || b == YES ? YES : a == NO && b == NO ? NO : MAYBE; }
static inline enum truth truth_not(enum truth a) { return a == MAYBE ? MAYBE : a == NO ? YES : NO; }

enum tier_action { TIER_ALLOW, TIER_DENY, TIER_PASS };          /* a rule that only logs is left out */

typedef VEC(struct cidr) cidrs;
typedef VEC(struct np_ports) tier_ports;
/* One side of a rule, or what a policy selects: all that is said must hold. */
struct tier_end {
	const char *selector, *spaces, *accounts, *named, *without;     /* Calico's selectors: of the endpoint, its namespace, its ServiceAccount (by labels, by name), and notSelector; NULL: absent */
	str space;                              /* only that namespace; NULL: any */
	cidrs nets, without_nets; bool has_nets, has_without_nets;      /* has: said, though perhaps nothing of it is an address */
	cidrs members, without_members;         /* of the NetworkSets (and HostEndpoints with expectedIPs) that the selectors mean */
	tier_ports ports, without_ports;
	const char *path; uint32_t line;        /* spec.ingress[0].source, and where it stands (0: not known) */
};
struct tier_rule {
	uint8_t action, dir;                    /* enum tier_action, np_dir */
	uint8_t family;                         /* 4, 6; 0: both */
	bool has_icmp_type, has_no_icmp_type;
	int16_t proto, no_proto;                /* IP protocol number; −1: absent */
	uint8_t icmp_type, no_icmp_type;
	uint32_t index;                         /* of the API's rule, from which several may be made: one for each peer and protocol */
	const char *unmodelled;                 /* what of it cannot be told; NULL: nothing */
	const char *path; uint32_t line;        /* spec.egress[0], or deeper: the peer that it is made of */
	struct tier_end end[2];                 /* source, destination */
};
struct tier_policy {
	const struct object *o;
	const struct np_compiled *kubernetes;   /* a NetworkPolicy; else NULL */
	const char *name, *id;                  /* as reports name it: NetworkPolicy shop/db; as felix' chains do */
	double order;
	const char *unmodelled;                 /* why it cannot be told whom it selects; NULL: it can */
	bool decides[2];                        /* by enum np_dir */
	struct tier_end subject;                /* of Pods with an address of their own */
	VEC(struct tier_rule) rules[2];         /* likewise */
};
struct tier { const char *name; double order; bool passes, said; VEC(struct tier_policy) policies; };   /* passes: by default; else it denies; said: there is such a Tier, or Calico has it by itself */
struct tiers {
	VEC(struct tier) v;                     /* those with policies of other APIs, and "default" (its NetworkPolicies are not among them but after tiers_of_kubernetes) */
	uint32_t nr_policies;                   /* 0: there are only NetworkPolicies */
	uint32_t before[2];                     /* where NetworkPolicies have their turn: tier, and policy before which they stand */
	bool tied;                              /* a policy has their order too: they can only be asked one by one */
	bool kubernetes_within;                 /* after tiers_of_kubernetes */
	bool host_endpoints;                    /* there are HostEndpoints (foreign.h) */
};

/* Of the whole cluster; empty where the network enforces none of them (all but Calico). Lives in the arena. */
struct tiers policy_tiers(struct cluster *, struct arena *);
/* With each NetworkPolicy as a policy of tier default, at its place. The compiled ones stay the caller's. */
void tiers_of_kubernetes(struct tiers *, struct cluster *, const struct np_compiled *, uint32_t nr, struct arena *);
bool tiers_read(const struct kind *);           /* a kind that they are read from */
/* The first of what is said in them and not modelled, GlobalNetworkPolicy x: HTTP (spec.ingress[0]); NULL: nothing. *nr: how many policies and rules say such. */
const char *tiers_unmodelled(const struct tiers *, uint32_t *nr, struct arena *);

/* The labels of a Pod as Calico's selectors see them: its own, Calico's, and those that it inherits from its namespace and ServiceAccount. */
pair_list tier_labels(struct cluster *, const pair_list *own, str ns, str account, struct arena *);
bool tier_label_is_given(const char *key);      /* one that a Pod never has of its own: Calico sets it by namespace and ServiceAccount */
/* NULL for Pods in their node's network, which no selector means. */
const pair_list *tier_labels_of(struct cluster *, const struct pod *, struct arena *);
str pod_account(const struct pod *);

enum truth tier_selects(const struct tier_policy *, const pair_list *labels);
/* Is that side an endpoint with these labels (NULL: none has them) and this address? Ports apart. */
enum truth tier_end_has(const struct tier_end *, const pair_list *labels, ip_addr);
/* The parts of it that are about addresses: nets and notNets; is the address among those of NetworkSets? */
bool tier_nets_have(const struct tier_end *, ip_addr);
bool tier_members_have(const cidrs *, ip_addr);
static inline bool tier_end_is_any(const struct tier_end *e) { return !e->selector && !e->spaces && !e->accounts && !e->named && !e->without && !e->space && !e->has_nets && !e->has_without_nets; }
static inline bool tier_end_by_address(const struct tier_end *e) { return e->has_nets || e->has_without_nets || e->members.nr || e->without_members.nr; }
/* Protocol and ports; named: does the destination call that port so? */
enum truth tier_rule_open(const struct tier_rule *, uint8_t proto, uint16_t port, bool (*named)(void *ctx, str name, uint8_t proto, uint16_t port), void *ctx);
bool tier_rule_has_names(const struct tier_rule *);
bool pod_names_port(const struct pod *, str name, uint8_t proto, uint16_t port);

#endif
