/* What containers share: directories behind volumes, and the lines that one sends to another at a port of their Pod. */
#ifndef PODWIRE_LINUX_VOLUMES_H
#define PODWIRE_LINUX_VOLUMES_H

#include "sim/linux/live.h"

/* Words for the container's process (static/workload.c): one that serves writes into what it mounts, one that does not follows what stands there. */
void volumes_words(const struct live *, const struct pod *, const struct container *, bool serves, struct arena *, struct sb *conf);
/* A container whose environment names a port of another container of the Pod (127.0.0.1:5140) sends its log there, and that one keeps it. */
void log_words(const struct pod *, const struct container *, struct sb *conf);
/* What `exec` mounts for the container: lines of DIRECTORY, a tab, the path in the container, a tab and "ro" or "rw". */
void volumes_mounts(const struct live *, const struct pod *, const struct container *, struct arena *, struct sb *out);

/* The calling process, alone in its mount namespace, gets a root directory of its own: what the machine has, with the mounts of that list; what is written elsewhere stays in
 * `dir`, as far as overlayfs goes; the rest is the machine's own and can be read only. false: this machine cannot do it (err). */
bool root_enter(const char *dir, const char *mounts, struct err *);

#endif
