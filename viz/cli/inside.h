/* Commands and real namespaces. Work on a lab that is up is done by a process of the lab itself, which has the cluster and the namespaces at hand; work on files, or on
 * a lab that is not up, is done in namespaces that are made for it and go with it. */
#ifndef PODWIRE_INSIDE_H
#define PODWIRE_INSIDE_H

#include "sim/linux/live.h"
#include "viz/cli/cli.h"

struct inside { struct live *live; struct world *world; };

typedef enum err_kind (*inside_work)(struct cli *, struct live *, struct world *, struct err *);
/* Does the work where it belongs; its output goes to the caller's. */
enum err_kind inside_do(struct cli *, inside_work, struct err *);
/* In the lab that is up only. */
enum err_kind inside_ask(struct cli *, struct err *);
/* The container of that name, or (name NULL) the one that kubectl takes, with its line about that where there are others; note stays NULL where none is to be said.
 * NULL: err. */
const struct container *inside_container(const struct pod *, const char *name, const char **note, struct arena *, struct err *);
/* After a command has changed the lab: the kernel follows, if it is up. */
void inside_follow(struct cli *, struct err *);

#endif
