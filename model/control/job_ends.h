/* What the job controller remembers of Pods: how those that are gone have ended, and which ones their Job has given up. Saved.
 * Source: pkg/controller/job/job_controller.go trackJobStatusAndRemoveFinalizers, isPodFailed, deleteJobPods. */
#ifndef PODWIRE_JOB_ENDS_H
#define PODWIRE_JOB_ENDS_H

#include "model/control/job_policy.h"
#include "model/control/workloads.h"

/* How a Pod ended, for as long as its Job goes on: the counts of the status do not fall when the Pod is deleted (upstream: status.uncountedTerminatedPods). */
struct ended { int32_t index; bool succeeded; uint8_t action; nsec at; };      /* index: -1: none; action: enum failure_action */
struct past { struct ended *v; uint32_t nr, alloc; };
struct job_memory {
	struct selector_index index;
	struct map past;                        /* Job → struct past: of its Pods that are gone */
	struct table batch;                     /* Job → when it looks at its Pods next: their changes wait for each other (enqueueSyncJobBatched) */
	struct table seen;                      /* Job → the generation that was told of, + 1: only one of another spec is looked at at once */
	struct map tallies;                     /* Job → struct tally; not saved */
	struct table counted;                   /* Pod → whose tally knows it, and its end there (job_tally.c); not saved */
	struct table given_up;                  /* Pod → 1: its Job has deleted it: however it ends, it does not count (upstream takes its finalizer) */
};

struct job_memory *job_memory(const struct control *);
bool job_finished(const struct job *);                  /* Complete or Failed */
bool only_failed_are_replaced(const struct job *);      /* podReplacementPolicy: Failed */
int32_t index_of_pod(const struct pod *);               /* job-completion-index; -1: none */

/* How a Pod that is there has ended. *why is set to what a rule of the podFailurePolicy says, in the arena, if that ends the Job. */
struct ended job_end_of(const struct job *, const struct pod *, struct arena *, const char **why);
nsec job_batch(struct control *, const struct object *);      /* when a change of one of its Pods is looked at: with those of a second */
bool job_is_new(struct control *, const struct object *);     /* it, or its spec, since this was asked last */
void job_pod_gone(struct control *, const struct pod *);
void job_gives_up(struct control *, struct pod *);      /* deletes it */
void job_ends_save(struct control *, struct arena *, struct val *out);
void job_ends_load(struct control *, const struct val *);

#endif
