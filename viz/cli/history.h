/* The lab's inputs, done again: as steps of a Scenario, or up to a moment within a command. */
#ifndef PODWIRE_HISTORY_H
#define PODWIRE_HISTORY_H

#include "sim/lab/lab.h"
#include "viz/cli/cli.h"

/* What a command did, as a step; NULL for one that changed nothing by itself. */
struct val *history_step(struct arena *, const struct lab_entry *);
/* The world is as it was before that command: does its changes, and lets time pass up to `at`. */
bool history_redo(struct world *, const struct lab_entry *, nsec at, struct err *);
/* All of a command again, with the time that it took: from the very beginning, each of them leads to the lab as it is. first: of the lab. */
bool history_replay(struct world *, const struct lab_entry *, nsec to, bool first, struct err *);

/* The lab from its beginning: every command is done again, in its own time, up to --at, while somebody watches. The caller frees the world. */
bool history_watch(struct cli *, struct watcher, struct world *, struct err *);

#endif
