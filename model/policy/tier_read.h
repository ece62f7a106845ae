/* Inside of model/policy: rules of the APIs that have tiers, read from their documents. */
#ifndef PODWIRE_TIER_READ_H
#define PODWIRE_TIER_READ_H

#include "model/policy/tiers.h"

struct tier_read { struct cluster *c; struct arena *a; const char *space; /* the policy's namespace; NULL: none */ };
/* Calico's: types, selectors and rules. */
void tier_read_calico(const struct tier_read *, const struct val *spec, struct tier_policy *);
/* ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy. */
void tier_read_admin(const struct tier_read *, const struct val *spec, struct tier_policy *);
/* A NetworkPolicy that is compiled. */
void tier_read_kubernetes(const struct tier_read *, const struct np_compiled *, struct tier_policy *);
struct tier_rule *tier_new_rule(const struct tier_read *, struct tier_policy *, enum np_dir, uint32_t index, enum tier_action);
bool tier_add_net(struct arena *, cidrs *, const char *text);    /* an address or a prefix; false: neither */

#endif
