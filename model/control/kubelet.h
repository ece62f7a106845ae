/* Inside the kubelet: what it remembers of a Pod that moves. A Pod at rest (all run and are ready, nothing falls due) is forgotten and read back from its
 * status when something happens to it. */
#ifndef PODWIRE_KUBELET_H
#define PODWIRE_KUBELET_H

#include "model/control/behaviour.h"
#include "model/control/nodes.h"

enum step { STEP_NONE, STEP_IMAGE, STEP_STARTING };

struct crun {                                   /* one container */
	struct run run;                         /* as pod_actions sees it */
	bool ready, started;
	uint8_t step;                           /* enum step: on its way to a start */
	bool stopping;                          /* has been told to end */
	bool backing_off;                       /* waits before its restart */
	bool complained;                        /* its failing probe has been reported since the last start */
	bool no_image;                          /* the image cannot be pulled */
	bool has_last;                          /* it has run before: last_to, last_exit */
	nsec from, to;                          /* started, finished; NEVER */
	nsec ends, last_to;                     /* when it will end by itself or because it is stopped; NEVER */
	int32_t ends_with, last_exit, restarts;
	nsec backoff, backoff_at;               /* how long the next restart waits, and when that was set; 0: no entry */
	const struct probing *probes;           /* equal ones are one */
};

struct prun {                                   /* one Pod */
	uint8_t nr, nr_init, alloc;             /* containers; init containers among them; room for so many */
	uint8_t sandbox;                        /* enum sandbox_state */
	bool making, stopping, announced;       /* a sandbox is being made; the Pod is being stopped; NetworkNotReady has been said */
	bool made_before;                       /* there was a sandbox already */
	uint32_t held;                          /* by so many Pods, and echoes of visits, that stand alike */
	uint32_t attempt;
	int32_t busy;                           /* the container whose start is at work; -1 */
	nsec due;                               /* of the sandbox, or of the step at hand */
	nsec free_at;                           /* the worker is held up by a postStart hook until then */
	nsec retry;                             /* not before: a failed sandbox is tried again */
	nsec told;                              /* stopping: when it was told */
	struct crun c[];
};

/* Words of conditions, in the order in which the conditions stand; then reasons. */
enum kubelet_word { W_START, W_INIT, W_READY, W_CONTAINERS, W_SCHEDULED, W_OWN, W_NOT_READY = W_OWN, W_NOT_INITIALIZED, W_COMPLETED, W_FAILED, W_GATES, KUBELET_WORDS };
extern const char *const kubelet_words[KUBELET_WORDS];

/* What the API last said of Pods of one spec in one state: the Pods of a template move together, so it is worked out once for all of them. */
#define STATED_WORDS (5 + 5 * 4)                /* of four containers at most */
#define STATED       256
struct stated {
	uint64_t key[STATED_WORDS]; uint32_t words;     /* 0: empty */
	uint8_t phase;
	bool was_ready, ready;
	const struct container_status *statuses;
	condition_list conditions;
};

struct image { str node, image; nsec at; };     /* the node has the image from then on */
struct kubelet {
	struct table runs;                      /* Pod's handle → struct prun, of those that are not at rest */
	struct { obj_h *v; uint32_t nr, alloc; } moving;        /* whoever is in runs, and some that were */
	struct { struct prun **v; uint32_t nr, alloc; } spare;  /* held by nobody */
	struct echo *echoes;                    /* kubelet_echo.c */
	struct map images;                      /* hash(node, image) → place in all_images, + 1 */
	struct { struct image *v; uint32_t nr, alloc; } all_images;
	struct stated *stated;                  /* [STATED], by the hash of the key */
	struct { const struct container *c; enum container_role role; struct ending ending; } last_ending;      /* of a container whose Pod has no annotations */
	const struct probing *last_probing;
	str words[KUBELET_WORDS];               /* interned once: every Pod has them */
};
struct prun *kubelet_remember(struct control *, const struct pod *);     /* what is remembered of the Pod, to be changed: begun if it is not yet, its own if others shared it */
/* NULL: nothing. Pods that stand alike share it: to look at. */
static inline struct prun *kubelet_run_of(const struct kubelet *k, const struct pod *p)
{
	return (struct prun *)(uintptr_t)table_get(&k->runs, p->o.id.i);
}

const struct container *container_at(const struct pod_spec *, uint32_t k);       /* init containers first */
uint32_t container_count(const struct pod_spec *);
enum container_role role_of(const struct pod *, uint32_t k);

/* Status, conditions and phase from what runs; written into the Pod, which is touched if anything changed, with its new addresses in the same change. */
struct told { uint8_t phase; bool same; unsigned what; const struct container_status *statuses; uint32_t nr; condition_list conditions; };       /* what: enum pod_change */
struct told kubelet_status(struct control *, const struct pod *, const struct prun *, bool has_ip);
void kubelet_tell(struct cluster *, struct pod *, const struct told *, ip_addr ip, ip_addr ip2);
/* What runs, read from the status. */
void kubelet_recall(struct control *, const struct pod *, struct prun *);
const struct probing *kubelet_probing(struct control *, struct probing);         /* the one that is kept of equal ones */

/* By accident or on purpose: the sandbox dies (with all that runs in it), a container exits (NULL: each main one). false: it does not run. */
void kubelet_sandbox_dies(struct control *, struct pod *);
bool kubelet_container_exits(struct control *, struct pod *, const char *container, int32_t code);

/* Saving and loading what it remembers (kubelet_save.c). */
void kubelet_save(struct control *, struct arena *, struct val *out);
void kubelet_load(struct control *, const struct val *);

#endif
