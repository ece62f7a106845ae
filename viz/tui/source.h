/* Pages filled from a world. The screens call these through struct tui_source (source_begin); what only the program knows (how words of the command line are read,
 * labs, other moments) it asks its host. */
#ifndef PODWIRE_TUI_SOURCE_H
#define PODWIRE_TUI_SOURCE_H

#include "sim/ask/probing.h"
#include "sim/ask/question.h"
#include "sim/engine/census.h"
#include "sim/scenario/play.h"
#include "viz/tui/cells.h"
#include "viz/tui/data.h"

struct tui_host {
	void *ctx;
	/* What stands behind the word "trace" or "matrix", as a question; it lives in the arena. */
	bool (*question)(void *ctx, const char *words, struct arena *, struct question *, struct err *);
	bool (*port)(void *ctx, const char *words, uint8_t *proto, uint16_t *port, const char **proto_word, struct err *);
	/* The cluster at another moment of the lab, for comparison; the caller frees it. */
	bool (*moment)(void *ctx, const char *at, struct world *, struct err *);
	/* How the cluster and its clients fared from its beginning up to what is shown, into what was begun; NULL: nobody knows. */
	bool (*census)(void *ctx, struct census *, struct probing *);
	/* How far the learner came in each: "3 of 5", "done", ""; NULL: nobody knows. */
	void (*progress)(void *ctx, const struct scenario_list *, const char **out, struct arena *);
	/* Scenarios that can be learnt from. */
	bool (*lessons)(void *ctx, struct arena *, struct scenario_list *, struct err *);
};

struct tui_model {
	struct world *world;                    /* that is shown */
	struct tui_host host;
	const char *lab;
	nsec at; bool past;
	struct arena *arena;                    /* of what was worked out from this world: head, rows, matrices; made again after a change */
	struct tui_head head;
	struct reached *reached;                /* in arena: who may reach whom in this world (source_matrix.c); NULL: nobody asked */
	struct world *other_mode;               /* in arena: this world with kube-proxies in the other mode; NULL: nobody asked */
	bool services_seen;                     /* a Service was shown: the other mode may be asked for */
	/* a lesson at hand */
	bool in_lesson, solved, at_hand;
	struct world *lesson_world, *outer;     /* outer: what was shown before, and is again afterwards */
	struct arena *lesson_arena; struct play play; const struct scenario *lesson; const char *lesson_file;
	uint32_t lesson_step, record_from; nsec step_from;
	VEC(struct { void (*end)(void *); void *ctx; }) ends;   /* in arena: what is to be freed before it */
};

void model_begin(struct tui_model *, struct world *, const struct tui_host *);
void model_changed(struct tui_model *, struct world *);         /* another world, or a new state of it */
void model_end(struct tui_model *);

void model_head(struct tui_model *, struct tui_head *);
bool model_load(struct tui_model *, const struct tui_want *, struct arena *, struct tui_page *, struct err *);
const char *model_list_word(struct tui_model *, const char *word);
void model_complete(struct tui_model *, const char *before, const char *word, tui_word, void *ctx);

/* ---- one page each */
void fill_map(struct tui_model *, struct arena *, struct tui_map *);
bool fill_list(struct tui_model *, const struct tui_want *, struct arena *, struct tui_list *, struct err *);
bool fill_table(struct tui_model *, const struct tui_want *, struct arena *, struct tui_list *, struct err *);   /* "show routes" … */
bool fill_lessons(struct tui_model *, struct arena *, struct tui_list *, struct err *);
bool fill_object(struct tui_model *, const struct tui_want *, struct arena *, struct tui_object *, struct err *);
void fill_pod(struct tui_model *, const struct pod *, struct arena *, struct tui_object *);
void fill_containers(struct tui_model *, const struct pod *, struct arena *, struct tui_object *);
void fill_node(struct tui_model *, const struct node *, struct arena *, struct tui_object *);
void fill_service(struct tui_model *, const struct service *, const struct tui_want *, struct arena *, struct tui_object *);
void fill_service_plan(struct tui_model *, const struct service *, const struct tui_want *, struct arena *, struct tui_object *);
bool fill_compare(struct tui_model *, const char *moments, struct arena *, struct tui_object *, struct err *);
bool fill_matrix(struct tui_model *, const struct tui_want *, struct arena *, struct tui_matrix *, struct err *);
void fill_timeline(struct tui_model *, struct arena *, struct tui_timeline *);
bool fill_lesson(struct tui_model *, const struct tui_want *, struct arena *, struct tui_lesson *, struct err *);
const struct reached *model_reach(struct tui_model *);         /* worked out once for a world */
struct world *model_other_mode(struct tui_model *);             /* compiled once for a world; good for looking at */
void lesson_leave(struct tui_model *);
void lesson_judge(struct tui_model *);                          /* after the learner changed something */

/* ---- helpers */
void chain_pane(struct world *, const struct service *, const char *node, bool nft, struct arena *, struct tui_pane *);  /* source_chain.c; nft: what the rules are written in */
void plan_pane(struct world *, const struct service *, const char *node, bool nft, struct arena *, struct tui_pane *);
void model_at_end(struct tui_model *, void (*end)(void *), void *ctx);  /* when the world changes, or at the end */
uint8_t pod_mark(const struct pod *);
uint8_t node_mark(const struct node *);
bool object_visible(const struct object *);
const char *ref_of(struct arena *, const struct object *);      /* pod/NS/NAME */
void ref_print(const struct object *, struct sb *);
struct object *ref_find(struct tui_model *, const char *ref, struct err *);     /* also "pod web", "pod/web" of namespace default */
const char *service_address(struct arena *, const struct service *);

#endif
