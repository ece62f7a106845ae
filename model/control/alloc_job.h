/* A Service on its way into the cluster: what alloc.c (the whole, and what an update keeps), alloc_ips.c (families and ClusterIPs) and
 * alloc_ports.c (node ports) share. The public face is alloc.h. */
#ifndef PODWIRE_ALLOC_JOB_H
#define PODWIRE_ALLOC_JOB_H

#include "model/control/alloc.h"

/* Who has what: an entry holds as long as a living Service really has the value. */
struct allocation {
	struct map by_ip;               /* hash of the address → the Service that took it last */
	struct map by_port;             /* node port → likewise */
	rev_t full_at[2];               /* the cluster's revision when no IPv4, IPv6 address was free for a new Service; 0: there was one */
};

struct alloc {                            /* one Service on its way into the cluster */
	struct control *t;
	struct cluster *c;
	struct allocation *a;
	const struct settings *settings;
	struct service *s;
	const struct service *old, *self;       /* self: the one that stays: old, or s if it is new */
	struct check *check;
	bool take_all;                          /* given values are not judged */
};

static inline bool lives(const struct service *s)
{
	return s && s->o.id.i && !s->o.gone;
}

static inline bool wants_ip(const struct service *s)
{
	return s->type != SVC_EXTERNALNAME;
}

static inline bool wants_ports(const struct service *s)
{
	return s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER;
}

static inline bool headless(const struct service *s)
{
	return s->cluster_ips.nr && streq(s->cluster_ips.v[0], "None");
}

/* alloc_ips.c. Each that returns bool: false with the API server's words in `check`. */
bool alloc_has_ip(const struct service *, ip_addr);
void alloc_add_text(const struct alloc *, str_list *, str);
bool alloc_families(struct alloc *);            /* ipFamilyPolicy and ipFamilies (alloc.go initIPFamilyFields) */
bool alloc_ips(struct alloc *);                 /* takes the addresses that are given, draws those that are not */

/* alloc_ports.c */
void alloc_keep_ports(struct alloc *);          /* the node ports that an update does not name stay (strategy.go patchAllocatedValues) */
bool alloc_ports(struct alloc *);               /* takes the node ports that are given, draws those that are not */

#endif
