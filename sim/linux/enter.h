/* Namespaces of a lab's own: a child process that is init of a new PID namespace, with network, IPC, UTS and mount namespaces of its own (and a user namespace where
 * the caller is not root). Whatever it makes in there goes when it dies, by whatever cause: the kernel does it. */
#ifndef PODWIRE_ENTER_H
#define PODWIRE_ENTER_H

#include <sys/types.h>

#include "model/base/err.h"

struct entered { pid_t pid; int pidfd; int said; /* what the child reports: read by entered_result */ };

/* Runs inside(ctx, said, err) there. Memory is the caller's as it stands (a copy, as after fork). It is killed when the caller ends, unless it has called entered_detach.
 * What it adds to err, and its result, come to the caller by entered_result. false: the namespaces could not be made. */
typedef enum err_kind (*enter_fn)(void *ctx, int said, struct err *);
bool enter(enter_fn inside, void *ctx, struct entered *, struct err *);
/* Inside: from now on it lives without the caller, its terminal and its standard files. */
void entered_detach(void);
/* Inside: says how it went so far, before it ends (a lab that goes on serving). */
void entered_say(int said, enum err_kind, const struct err *);
/* Waits for what the child says, or for its end. Errors are added to err. */
enum err_kind entered_result(struct entered *, struct err *);
void entered_wait(struct entered *);                    /* until it is gone, with all its processes */

#endif
