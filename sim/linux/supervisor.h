/* The lab's first process, at work: it owns all namespaces and processes, listens on a socket beside the lab file, and does what commands ask. Its death, in any way, is
 * the only teardown. And the other side: how a command finds it and asks. */
#ifndef PODWIRE_SUPERVISOR_H
#define PODWIRE_SUPERVISOR_H

#include "sim/linux/live.h"

/* Where somebody wants to go: what `exec` needs beside the namespaces. */
struct place {
	const char *space;
	const char *etc;                /* a folder with resolv.conf, hosts, hostname, or NULL */
	bool pod; const char *note;     /* a line to be said before, or NULL */
};

struct supervisor {
	struct live live;
	int listening;
	void *ctx;                      /* of the functions below */
	/* Reads the lab again and makes the kernel follow; says what was done. */
	bool (*sync)(void *ctx, struct live *, struct sb *said, struct err *);
	/* A command, in a process of its own, with the caller's standard files. */
	enum err_kind (*run)(void *ctx, struct live *, int argc, char **argv, struct err *);
	/* A container's process has ended by itself (key: as in space.run); status as wait() has it. true: somebody sees to it; else (and if NULL) it is
	 * started again at once. */
	bool (*ended)(void *ctx, struct live *, const struct space *, const char *key, int status);
	/* TARGET NAMESPACE CONTAINER → a space. */
	bool (*find)(void *ctx, struct live *, const char *target, const char *ns, const char *container, struct place *, struct arena *, struct err *);
};
/* Serves until it is told to end. Called by the first process. */
void supervisor_serve(struct supervisor *);

/* ---- the socket: LAB.sock, 0600 */
/* Binds and listens; what a dead lab has left is removed. -1: err (the lab is up already, …). */
int supervisor_bind(const char *lab, struct err *);
void supervisor_unbind(const char *lab);
/* -1: nobody is there; err only if something is wrong beyond that. What a dead lab has left is removed. */
int supervisor_connect(const char *lab, struct err *);
/* Sends a request with the caller's standard files and waits for the end. said: what came as text (may be NULL); fds: descriptors that came (may be NULL). */
enum err_kind supervisor_ask(int fd, int argc, const char *const *argv, struct sb *said, int *fds, uint32_t *nr_fds, struct err *);
/* As first word before a command's: while it works the lab stays as it is; changes that others ask for wait for its end. */
#define SUPERVISOR_HOLD "hold"
/* Ends the lab and waits until the kernel has taken its namespaces back. */
bool supervisor_end(const char *lab, struct err *);

#define SUPERVISOR_FDS 4

#endif
