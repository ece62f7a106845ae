/* The lab's inputs, done again: as steps of a Scenario, or up to a moment within a command. */
#ifndef PODWIRE_HISTORY_H
#define PODWIRE_HISTORY_H

#include "sim/lab/lab.h"
#include "viz/cli/cli.h"

/* The world is as it was before that command: does its changes, and lets time pass up to `at`. */
bool history_redo(struct world *, const struct lab_entry *, nsec at, struct err *);

/* The lab from its beginning: every command is done again, in its own time, up to --at, while somebody watches. The caller frees the world. */
bool history_watch(struct cli *, struct watcher, struct world *, struct err *);

#endif
