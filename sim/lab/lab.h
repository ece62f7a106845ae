/* A lab: one SQLite file that holds a cluster. Inputs are stored, the rest is recomputed: what was typed, the documents that people applied, the
 * objects as each command left them, and events; never the dataplane, timers or caches. One transaction per command; a process that is killed
 * at any moment loses at most the command in flight; where the power fails the last commands may be lost, never the file. Tables and their columns: schema.c. */
#ifndef PODWIRE_LAB_H
#define PODWIRE_LAB_H

#include "sim/engine/world.h"

struct lab;

enum lab_mode {
	LAB_READ,                       /* must exist; others may write meanwhile: what is read is of one moment */
	LAB_WRITE,                      /* must exist */
	LAB_CREATE,                     /* is made if it does not exist */
	LAB_NEW,                        /* must not exist, or hold nothing */
};

/* For a program that has no other use for SQLite: without locks that nobody needs. Before the first lab and before there are threads, or not at all. */
void lab_setup(void);
/* Opens the file and begins the transaction of one command. NULL: err says why (no such file, another program's file, a newer podwire's, another
 * command at work, …). fresh (may be NULL): nothing has been saved in it. */
struct lab *lab_open(const char *path, enum lab_mode, bool *fresh, struct err *);
/* What was not saved is forgotten. NULL is allowed. */
void lab_close(struct lab *);

/* A moment of the lab's life: the end of a command, or a time within one. */
struct lab_point {
	int64_t input;                  /* the command that led there; 0: before the first */
	nsec at;                        /* NEVER: at its end. Else within the command behind `input`, which has to be done again up to there */
};
/* "12.5s", "rev:17"; NULL: now. */
bool lab_find(struct lab *, const char *text, struct lab_point *, struct err *);

/* The cluster as it was at the end of that command: objects, handles, revisions, events, time, seed, flags; *control is what control_load wants (in the
 * cluster's arena). Nothing has run in it. NULL: err. */
struct cluster *lab_load(struct lab *, struct lab_point, struct val **control, struct err *);
/* The same with its controllers. */
bool lab_load_world(struct lab *, struct lab_point, struct world *, struct err *);

/* What a command was given. */
struct lab_input {
	const char *const *argv; uint32_t argc;
	const struct doc *docs; uint32_t nr_docs;       /* the documents that it applied, in order */
	nsec from;                                      /* virtual time at which it began */
	enum err_kind status;                           /* how it ended */
	const char *result;                             /* what it said, or NULL */
};
/* Writes what has changed since lab_load (all, in a fresh lab), with the command, and commits; the lab is then closed for further writing.
 * control: from control_save. */
bool lab_save(struct lab *, struct cluster *, const struct val *control, const struct lab_input *, struct err *);
bool lab_save_world(struct lab *, struct world *, const struct lab_input *, struct err *);

/* The commands so far, oldest first, with their documents; in the arena. */
struct lab_entry { int64_t nr; struct lab_input input; nsec to; rev_t rev; };
struct lab_history { struct lab_entry *v; uint32_t nr; };
bool lab_history(struct lab *, struct arena *, struct lab_history *, struct err *);
/* Takes the last command out of the lab, and commits. what: says which it was. false: there is none but the one that made the lab, or it cannot be written. */
bool lab_undo(struct lab *, struct sb *what, struct err *);
/* Makes the file whole without its -wal beside it, so that it can be copied. */
bool lab_pack(struct lab *, struct err *);

#define LAB_APPLICATION_ID 0x50645772           /* PdWr */
#define LAB_VERSION 5

#endif
