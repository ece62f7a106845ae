/* Scenarios among the files of a question: each is replayed to its end; its traces, expectations and figures are passed over. */
#ifndef PODWIRE_REPLAY_H
#define PODWIRE_REPLAY_H

#include "sim/scenario/scenario.h"
#include "viz/cli/cli.h"

struct replay { struct arena *arena; struct scenario_list all; };

/* For world_apply_paths; ctx is a struct replay. */
bool replay_take(void *ctx, const struct doc *, struct err *);
/* After the other files were applied. false: a scenario's cluster or files are wrong; what a step could not do is a warning. */
bool replay_all(struct replay *, struct world *, struct err *);

#endif
