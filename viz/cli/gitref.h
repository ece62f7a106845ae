/* Files as they were at a commit: `git show`, without a work tree and without a change to the repository. */
#ifndef PODWIRE_GITREF_H
#define PODWIRE_GITREF_H

#include "viz/cli/cli.h"

/* Writes the files of each path, as they were at ref, below a folder of its own; paths (in the cli's arena) then names them there. The caller removes the folder.
 * false: err (no git: ERR_MACHINE; no such commit or path there: ERR_INPUT). */
struct gitref { const char *folder; struct texts paths; };
bool gitref_take(struct cli *, const char *ref, const struct texts *paths, struct gitref *, struct err *);
void gitref_remove(struct gitref *);

#endif
