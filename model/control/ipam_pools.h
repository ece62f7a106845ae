/* Which of Calico's pools serve whom. Source: calico libcalico-go/lib/ipam (ipam.go determinePools, filterPoolsByUse; pools.go), cni-plugin utils.ResolvePools. */
#ifndef PODWIRE_IPAM_POOLS_H
#define PODWIRE_IPAM_POOLS_H

#include "model/cluster/settings.h"
#include "model/control/ipam.h"
#include "model/control/ipam_asked.h"

#define MAX_POOLS 32

uint32_t pools_in(struct cluster *, bool four, struct calico_pool out[MAX_POOLS]);      /* all of one family that are enabled; → how many */
/* Does it give addresses to that node and namespace (NULL: of none) by itself? 1: yes; 0: no; -1: Calico cannot read its selector. */
int pool_selects(const struct cluster *, const struct pool_setting *, const struct node *, const struct namespace_ *);
bool pool_allows(const struct cluster *, const struct pool_setting *, const char *use);         /* Workload, Tunnel */
const char *pool_uses(const struct cluster *, const struct pool_setting *, struct arena *);     /* as Go prints them: [Workload Tunnel] */
const struct pool_setting *pool_with_address(struct cluster *, ip_addr);        /* an enabled one; NULL: none */
/* From which an address is taken for one use: those that are asked for, whatever they select, else those that select. NULL: *nr of them, at least one; else Calico's words. */
const char *pools_asked(struct cluster *, const struct node *, const struct calico_asked *, bool four, const char *use, struct calico_pool out[MAX_POOLS], uint32_t *nr, struct arena *);

#endif
