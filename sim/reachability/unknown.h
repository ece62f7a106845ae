/* Connections that nobody can tell of: an end is subject to a policy that the network enforces and podwire does not model (model/policy/foreign.h). */
#ifndef PODWIRE_REACH_UNKNOWN_H
#define PODWIRE_REACH_UNKNOWN_H

#include "model/policy/foreign.h"
#include "sim/reachability/reach.h"

struct reach_unknown { struct foreign_policies policies; const struct foreign_policy **out, **in; };      /* by end: the policy, or NULL */
/* NULL: every connection can be told. Lives in the arena; good until the cluster changes. */
const struct reach_unknown *reach_unknown_find(struct reach *, struct arena *);
/* The policy that decides it, and is not modelled; NULL: it can be told. */
const struct foreign_policy *reach_unknown_pair(const struct reach_unknown *, uint32_t from, uint32_t to);

#endif
