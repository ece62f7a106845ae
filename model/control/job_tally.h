/* What a Job's Pods have come to. The end of each is counted once, when it is seen, so that a look at the Job costs as much as what runs, not as what has ever run.
 * Not saved: it is counted anew from the Pods that are there and the ends that are remembered, as it is when one of them turns out to be another than was counted. */
#ifndef PODWIRE_JOB_TALLY_H
#define PODWIRE_JOB_TALLY_H

#include "model/control/job_ends.h"

struct living { struct pod *pod; const struct pair *labels; int32_t index; };   /* index: what its labels say, as long as they are those */
struct tally {
	bool counted;                           /* false: it is to be counted anew */
	int64_t generation;                     /* of the spec by which it was */
	struct { struct living *v; uint32_t nr, alloc; } living;        /* that have not ended, in the order in which they were made */
	struct past ends;                       /* of Pods that are there */
	uint32_t gone;                          /* so many of job_memory.past are counted */
	const char *fails;                      /* what a rule of the podFailurePolicy says that ends the Job; NULL */
	int32_t succeeded, failed;
	nsec last_failure, last_success;
	struct { nsec *v; uint32_t nr, alloc; } failures;               /* those after the last success */
	int32_t highest;                        /* index that has had a Pod; -1 */
	int32_t most, lost;                     /* indexes that the arrays hold; how many have failed for good */
	int32_t low;                            /* all indexes below are done or lost */
	bool *done_index, *lost_index;
	int32_t *index_failures, *index_counted; nsec *index_last;      /* of each index: failures, those that count, the last end */
};

/* A Pod of the Job, or that was one, has come, changed or gone. owner: the Job whose it is now; NULL: none. */
void tally_hears(struct control *, const struct object *owner, const struct change *);
/* As of now; the arrays hold `most` indexes at least: those that have had a Pod, and `ahead` that may get one now, of completions at most (0: it has no indexes). */
struct tally *tally_of(struct control *, const struct job *, int32_t completions, int32_t ahead, struct arena *scratch);
int32_t tally_indexes(const struct tally *, int32_t completions, int32_t ahead);

#endif
