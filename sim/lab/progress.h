/* How far somebody came in the lessons: kept in a lab beside its cluster, one row a lesson (table fact, lesson:NAME, as JSON). It is no command of the lab: undo and --at
 * know nothing of it. */
#ifndef PODWIRE_LAB_PROGRESS_H
#define PODWIRE_LAB_PROGRESS_H

#include "sim/lab/lab.h"

enum task_state { TASK_OPEN, TASK_SOLVED, TASK_SHOWN /* it was done for them */ };
struct progress_step {
	uint32_t tries, chosen, hints;          /* answers that were given; the last one, from 1; hints that were asked for */
	bool right;                             /* the last one was */
	uint8_t task;                           /* enum task_state */
	VEC(const char *) commands;             /* that changed the cluster, as typed, without those that were undone */
};
struct progress { const char *lesson; uint32_t at, nr_steps; struct progress_step *steps; };    /* at: the step that was last shown, from 0; nr_steps 0: never begun */

void progress_begin(struct progress *, struct arena *, const char *lesson, uint32_t nr_steps);
/* Of one lesson; nr_steps 0 where there is nothing. In the arena. */
bool progress_read(struct lab *, const char *lesson, struct arena *, struct progress *out, struct err *);
/* Of all, by name. */
typedef VEC(struct progress) progress_list;
bool progress_read_all(struct lab *, struct arena *, progress_list *out, struct err *);
/* Both commit; the lab was opened for writing. lesson NULL: all. */
bool progress_write(struct lab *, const struct progress *, struct err *);
bool progress_forget(struct lab *, const char *lesson, struct err *);
uint32_t progress_right(const struct progress *);       /* questions that are answered rightly */

#endif
