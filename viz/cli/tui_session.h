/* A session of the terminal program: the cluster that it shows, where that comes from, and command lines run within it. Changes go to the lab; files (-f) and lessons
 * get a lab of their own for that, which ends with the session. */
#ifndef PODWIRE_TUI_SESSION_H
#define PODWIRE_TUI_SESSION_H

#include "viz/cli/cli.h"
#include "viz/tui/source.h"

struct session {
	struct cli *cli;                        /* as podwire was called */
	struct world *world;                    /* of the lab or the files */
	struct tui_model model;
	const char *lab;                        /* NULL: files, and nothing was changed yet */
	char temp[256], lesson_temp[256];       /* labs of this session; "" */
	struct census census;                   /* of files, while they were applied */
	const char *at;                         /* the moment that is shown; NULL: now */
};

/* lesson: it begins with one; then there need not be a lab. */
bool session_begin(struct session *, struct cli *, bool lesson, struct err *);
void session_end(struct session *);
struct tui_source session_source(struct session *);

/* The lessons that came with the program: beside the binary as built, or as installed; else below the working directory. */
bool lessons_load(struct arena *, struct scenario_list *, struct err *);
/* Shows it until it is left. lesson: a scenario's name or file to begin with; NULL. For `podwire learn`, too. */
enum err_kind tui_main(struct cli *, const char *lesson, struct err *);

#endif
