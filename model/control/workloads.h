/* What the controllers of ReplicaSets, Deployments, StatefulSets, DaemonSets and Jobs share. */
#ifndef PODWIRE_WORKLOADS_H
#define PODWIRE_WORKLOADS_H

#include "model/control/common.h"
#include "model/control/rollout.h"

/* A Pod of the template, not yet in the cluster: Pending, owned by `owner`, its labels, annotations, owner list and spec those of the template, shared. */
struct pod *pod_from(struct control *, const struct object *owner, const struct pod_template *, str name);
/* How many Pods this owner has made, this one included: what its random names are drawn by. Saved. */
uint64_t made_count(struct control *, const struct object *owner);
/* Does admission refuse a Pod of this spec? Then the owner's event FailedCreate tells it (once for each try), the owner is tried again after as long as it has failed already
 * (the work queue's back-off: 5 ms … 1000 s; saved), and the refusal is returned, in scratch. NULL: the Pod may be made.
 * more: how many Pods the owner still wants, this one included (pod_refused).
 * name: the Pod's, or, if it ends in a dash, what it begins with; says: what stands before the refusal in the event. */
const char *admission_refuses(struct control *, enum controller_id, const struct object *owner, const struct pod_spec *, uint32_t more, const char *name, const char *component,
			      const char *says, struct arena *scratch);
str name_base(struct control *, const struct object *owner);    /* generateName of what it makes: NAME- */
bool pod_is_active(const struct pod *);         /* neither ended nor being deleted */
/* Ready for min_ready seconds. If it is ready but not long enough, *again is set to the time when it will be, unless that is earlier already. */
bool pod_is_available(const struct pod *, int32_t min_ready, nsec now, nsec *again);

/* Pods in the order of their handles (in which they were made), in scratch: those that the owner controls. */
struct pod **pods_controlled(const struct control *, const struct object *owner, struct arena *scratch, uint32_t *nr);
typedef bool claim_filter(const struct object *owner, const struct pod *);
/* Takes orphans of the namespace that the selector selects and the filter (NULL: none) lets pass, lets go of own ones that are not such (controller_ref_manager.go
 * ClaimPods), and says which remain. */
struct pod **pods_claimed(struct control *, struct object *owner, const struct selector *, claim_filter *, struct arena *scratch, uint32_t *nr);
/* Wakes the owner of a Pod under `id`, or all of `index` that might want an orphan. */
void wake_owner(struct control *, enum controller_id id, const struct kind *, const struct selector_index *, const struct pod *);

/* The template's hash as Deployments name their ReplicaSets by, in the alphabet of names; out: 11 bytes. collisions: 0 at first. */
void template_hash(const struct pod_template *, int32_t collisions, char out[11]);
bool same_template(const struct pod_template *, const struct pod_template *);   /* but for the label pod-template-hash */
/* A spec that differs from the template's; made once per (spec, purpose). fill gets the copy. */
struct pod_spec *spec_variant(struct control *, const struct pod_spec *, const char *purpose, void (*fill)(struct control *, struct pod_spec *, void *), void *ctx);

/* The memory of the replicaset controller: what is remembered of every owner of Pods, and ReplicaSets by what they select. */
struct owners {
	struct map known;                       /* handle → struct per_owner (workloads.c) */
	struct { obj_h id; struct per_owner *x; } last;         /* that was asked for last */
	struct selector_index index;
};
void owners_save(struct control *, struct arena *, struct val *out);
void owners_load(struct control *, const struct val *);

#endif
