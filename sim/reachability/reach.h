/* Who may reach whom by policy, on classes of Pods that no policy can tell apart. No matrix is ever allocated; rows are made on demand.
 * The same compiled policy (model/policy) from which the chains are printed. */
#ifndef PODWIRE_REACH_H
#define PODWIRE_REACH_H

#include "model/policy/policy.h"

struct reach;
struct reach *reach_new(struct cluster *, struct mem *);
void reach_free(struct reach *);
/* An end of a question: a Pod or an address outside the cluster. */
struct reach_end { const struct pod *pod; ip_addr ip; };
bool reach_allowed(struct reach *, struct reach_end from, struct reach_end to, uint8_t proto, uint16_t port);
struct reach_why {                              /* one decision, explained */
	bool allowed;
	struct reach_policy { const struct network_policy *policy; enum np_dir dir; bool allows; uint32_t rule; const char *missed; } *v;    /* the policies that isolate; rule: index of the one that allows; missed: the first field that failed, per rule, as text */
	uint32_t nr;
};
struct reach_why reach_explain(struct reach *, struct reach_end from, struct reach_end to, uint8_t proto, uint16_t port, struct arena *);
/* After a change in the cluster (Pod, labels, namespace, policy): brings the classes up to date; only what changed is worked out again. */
void reach_update(struct reach *, const struct change *);
struct reach_stats { uint32_t pods, shapes, classes, sets; size_t bytes; uint64_t allowed_pairs; };
struct reach_stats reach_stats(struct reach *, uint8_t proto, uint16_t port);

#endif
