/* Inside the scheduler: what its files share. scheduler.c takes Pod after Pod; scheduler_profile.c finds the least loaded node in log n for Pods whose
 * demands are fixed; scheduler_look.c looks at every node for the others, and
 * scheduler_score.c weighs those that fit; scheduler_words.c says why none fits. */
#ifndef PODWIRE_SCHEDULER_H
#define PODWIRE_SCHEDULER_H

#include "model/cluster/priority.h"
#include "model/control/nodes.h"
#include "model/control/volumes.h"
#include "model/control/workloads.h"

#define MAX_LACKS 8                     /* reasons that one node can have */
#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

struct profile {
	str key;
	bool *may; uint32_t nr_may;     /* by place in the order of names */
	uint64_t *tree; uint32_t leaves;        /* tree[1] is the root; leaf k at leaves + k */
	uint32_t version;               /* of the nodes */
};

struct failure { const struct pod_spec *spec; uint32_t seen; str message; };

struct scheduler {
	struct node_info **node; uint32_t nr; uint32_t version;         /* in the order of names, as of that version of the nodes */
	bool images;                                                    /* some Node lists images that it has */
	struct map by_spec;                                             /* spec → struct profile */
	VEC(struct profile *) profiles;
	struct { const struct pod_spec *spec; struct profile *profile; } last_profile;
	str owner; struct profile *owner_profile; VEC(uint32_t) aside;  /* places set aside for the owner that is being placed */
	struct map waiting;                                             /* handle of an unschedulable Pod → attempts */
	VEC(obj_h) waiters;
	uint32_t changes;                                               /* grows when room may have come */
	bool all_woken;                                                 /* since then every waiter is to be looked at, and none has been */
	uint32_t offered;                                               /* `changes` when the waiting Pods were last asked by their priority */
	struct failure last;
	struct map selectors;                                           /* labelSelector document → struct selector */
	VEC(struct pod *) repelling;                                    /* Pods with required anti-affinity */
	struct map liking_specs; VEC(const struct pod *) liking;        /* one bound Pod of each spec whose affinity scores nodes for others */
	int32_t least_priority;                                         /* of all Pods that have ever been bound */
	bool writing;                                                   /* the change at hand is its own */
	str pod_scheduled;
	struct { nsec at; const struct condition *list; } scheduled;    /* the conditions of a Pod that has been bound at that time, and had none */
};

/* One look at all nodes for one Pod. */
struct look {
	struct control *t;
	struct scheduler *x;
	const struct pod *pod;
	const struct demand *demand;
	struct arena *scratch;
	struct { const struct val *term; struct map count; uint32_t total; int32_t weight; bool anti, preferred; } *terms; uint32_t nr_terms;
	struct { const struct spread *s; struct map count; uint64_t least; } *spreads; uint32_t nr_spreads;
	const struct val *named;                /* nodeSelectorTerms that leave only nodes that they name; NULL */
	const struct map *without;              /* handles of Pods that are thought away; NULL: none */
	const char *unhelpful;                  /* what FailedScheduling says of preemption; NULL: it has been done */
	const char *block;                      /* why no node will do, whichever it is; NULL */
	bool volumes;                           /* its claims must be looked at, node by node */
	struct map kin; bool has_kin;           /* Pods that it is spread from by default, by node */
	struct pull *pulls; uint32_t nr_pulls;  /* what the affinities of Pods that are there say of it (scheduler_score.c) */
};

struct scheduler *scheduler_of(const struct control *);
void scheduler_list_nodes(struct control *);                    /* brings node[] up to date with the nodes that there are */

/* ---- profiles (scheduler_profile.c) */
int64_t node_can_cpu(const struct node_info *);                 /* for scoring: a usual machine, where the node does not say */
int64_t node_can_memory(const struct node_info *);
uint64_t node_load(const struct node_info *);                   /* LeastAllocated: the mean of the shares of cpu and memory that are asked for, in millionths */
/* Is there room for one more Pod? What lacks is added to lacks[*nr]; *never: the node is too small even when it is empty. */
bool node_room(const struct node_info *, const struct demand *, const char **lacks, uint32_t *nr, bool *never);
struct profile *profile_of(struct control *, const struct pod_spec *);  /* NULL: too many profiles, look at every node */
struct node_info *profile_choice(struct control *, struct profile *, const struct pod *, const struct demand *);        /* NULL: none fits */
void profile_reload(struct scheduler *, uint32_t place);        /* a node's load has changed: in every tree that has it and does not set it aside */

/* ---- a look at every node (scheduler_look.c) */
const struct val *affinity_terms(const struct pod *, const char *which, const char *how);       /* of podAffinity or podAntiAffinity; NULL: none */
void look_round(struct look *);                                 /* counts what the Pod's terms and constraints need */
/* Why not here? At most MAX_LACKS reasons; resolvable: other Pods stand in the way. 0: it fits. */
uint32_t look_problems(const struct look *, const struct node_info *, const char **why, bool *resolvable);
bool affinity_term_matches(struct control *, const struct val *term, const struct pod *of, const struct pod *other);
bool spread_counts(const struct spread *, const struct pod *of, const struct pod *other);      /* countPodsMatchSelector: does the other one count? */
str look_explain(const struct look *);                          /* the message of FailedScheduling (scheduler_words.c) */
struct tally { const char *reason; uint32_t nr; };
#define MAX_TALLY 40
void tally_add(struct tally *, uint32_t *nr, const char *reason);
void tally_print(struct sb *, struct tally *, uint32_t nr);     /* 1 this, 2 that. */

/* ---- the best of those that fit (scheduler_score.c) */
enum score { SCORE_TAINTS, SCORE_NODE_AFFINITY, SCORE_FIT, SCORE_SPREAD, SCORE_COMPANY, SCORE_BALANCED, SCORE_IMAGES, NR_SCORES };
extern const struct score_plugin { const char *name; int weight; } score_plugins[NR_SCORES];
struct score_card { struct node_info *node; int64_t v[NR_SCORES], total; };     /* v: as NormalizeScore leaves it, 0 to 100; total: with weights */
struct node_info *look_choice(struct look *);                   /* NULL: none fits */
/* Of the nodes that fit, for a Pod that is not bound, in the order of their names. Sets *out; returns how many. */
uint32_t scheduler_scores(struct control *, const struct pod *, struct arena *, struct score_card **out);

/* ---- preemption (scheduler_preempt.c) */
/* Lower Pods that stand in the way are deleted, on the node where that costs least. Sets l->unhelpful if that would not help, or may not be. */
void preempt(struct look *);

#endif
