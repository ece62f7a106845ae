/* Inside of sim/reachability: reasons in the making. */
#ifndef PODWIRE_REACH_EXPLAINING_H
#define PODWIRE_REACH_EXPLAINING_H

#include "model/policy/tiers.h"
#include "sim/reachability/reach.h"

struct asked_why { struct cluster *c; const struct reach_end *from, *to; uint8_t proto; uint16_t port; struct reach_why *out; uint32_t alloc; struct arena *a; struct tiers tiers; };
struct reach_reason *reach_new_reason(struct asked_why *, const struct object *, enum np_dir);  /* good until the next one */
/* One NetworkPolicy; NULL: it does not isolate the end. */
struct reach_reason *reach_explain_one(struct asked_why *, const struct np_compiled *, enum np_dir);
bool reach_explain_kubernetes(struct asked_why *, enum np_dir, bool *isolated);         /* all of them; → does one allow it? */
enum truth reach_explain_ordered(struct asked_why *, enum np_dir);                      /* tier by tier */
/* As reach_explain, for many questions; tiers: what its cluster has now, and not changed, with its NetworkPolicies where they are tied (NULL: they
 * are read). The answer points into them. */
struct reach_why reach_explain_by(struct reach *, const struct tiers *, uint32_t from, uint32_t to, uint8_t proto, uint16_t port, struct arena *);
ip_addr reach_address_towards(const struct reach_end *src, const struct reach_end *dst, const struct reach_end *);  /* that this one of them uses */

#endif
