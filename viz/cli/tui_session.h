/* A session of the terminal program: the cluster that it shows, where that comes from, and command lines run within it. Changes go to the lab; files (-f) and lessons
 * get a lab of their own for that, which ends with the session. */
#ifndef PODWIRE_TUI_SESSION_H
#define PODWIRE_TUI_SESSION_H

#include "viz/cli/cli.h"
#include "sim/lab/progress.h"
#include "viz/tui/source.h"

struct session {
	struct cli *cli;                        /* as podwire was called */
	struct world *world;                    /* of the lab or the files */
	struct tui_model model;
	const char *lab;                        /* NULL: files, and nothing was changed yet */
	char temp[256], lesson_temp[256];       /* labs of this session; "" */
	struct census census; struct probing probing;   /* of files, while they were applied */
	const char *at;                         /* the moment that is shown; NULL: now */
	struct progress progress;               /* in the lesson at hand */
	uint32_t warmed;                        /* chains of a node whose names are known */
	bool replaying;                         /* a lesson that is gone on with: what was typed is typed again */
};

/* lesson: it begins with one; then there need not be a lab. */
bool session_begin(struct session *, struct cli *, bool lesson, struct err *);
void session_end(struct session *);
struct tui_source session_source(struct session *);

/* Inside (tui_lessons.c and tui_session.c). */
bool session_run(void *session, const char *line, struct sb *out, bool *changed, struct err *);         /* as struct tui_source has it */
void session_remove_lab(char *path);                                    /* "" afterwards, and before if there is none */
bool session_load_lesson(struct session *, const struct tui_want *, struct arena *, struct tui_page *, struct err *);   /* on where it was left, if it was opened anew */
void session_changed_lesson(struct session *, const char *line);        /* a command changed its cluster; NULL: the last was undone */
void session_note(void *session, const char *what);
void session_progress(void *session, const struct scenario_list *, const char **out, struct arena *);    /* as struct tui_host has it */

/* The lessons that came with the program: beside the binary as built, or as installed; else below the working directory. */
bool lessons_load(struct arena *, struct scenario_list *, struct err *);
/* Shows it until it is left. lesson: a scenario's name or file to begin with; NULL. For `podwire learn`, too. */
enum err_kind tui_main(struct cli *, const char *lesson, struct err *);

#endif
