/* A session of the terminal program: the cluster that it shows, where that comes from, and command lines run within it. Changes go to the lab; files (-f) and lessons
 * get a lab of their own for that, which ends with the session. */
#ifndef PODWIRE_TUI_SESSION_H
#define PODWIRE_TUI_SESSION_H

#include "viz/cli/cli.h"
#include "sim/lab/progress.h"
#include "viz/tui/source.h"

/* How far a dataplane is ready for screens (tui_warm.c). */
struct warmth { const struct dataplane *dp; uint32_t chains; bool rules, names; };

struct session {
	struct cli *cli;                        /* as podwire was called */
	struct world *world;                    /* of the lab or the files */
	struct tui_model model;
	const char *lab;                        /* NULL: files, and nothing was changed yet */
	char temp[256], lesson_temp[256];       /* labs of this session; "" */
	struct census census; struct probing probing;   /* of files, while they were applied */
	const char *at;                         /* the moment that is shown; NULL: now */
	struct progress progress;               /* in the lesson at hand */
	struct warmth warm, other_warm;         /* what is ready of the cluster, and of it with kube-proxies in the other mode */
	bool replaying;                         /* a lesson that is gone on with: what was typed is typed again */
};

/* lesson: it begins with one; then there need not be a lab. */
bool session_begin(struct session *, struct cli *, bool lesson, struct err *);
void session_end(struct session *);
struct tui_source session_source(struct session *);

/* ---- inside: tui_session.c, tui_commands.c, tui_lessons.c, tui_warm.c */

/* As struct tui_source has them. */
bool session_run(void *session, const char *line, struct sb *out, bool *changed, struct err *);
bool session_undo(void *session, struct sb *out, struct err *);
bool session_warm(void *session);

const char *session_lab_of(const struct session *);                     /* of what is shown: the lab, the lesson's; NULL: there is none yet */
bool session_show_again(struct session *, struct err *);                /* reads the lab again; what is shown stays if that fails */
struct words { char *v[64]; int nr; };
void words_split(struct arena *, const char *line, struct words *);     /* blanks part them; '…' and "…" hold them together */
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
