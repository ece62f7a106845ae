/* What the screens show, as plain data: pages, filled by a source. The screens know nothing else; a test fills the same pages by hand. Texts are as they come
 * (cells.h filters them); they live in the page's arena or as long as the source does not change.
 *
 * A ref names an object or an end as the command line does: pod/NS/NAME, svc/NS/NAME, node/NAME, KIND/NS/NAME, KIND/NAME. */
#ifndef PODWIRE_TUI_DATA_H
#define PODWIRE_TUI_DATA_H

#include "model/base/err.h"
#include "model/base/str.h"
#include "model/base/val.h"

enum tui_mark { TM_NONE, TM_READY, TM_STARTING, TM_PENDING, TM_FAILED, TM_ENDING, TM_COUNT };

/* The first row, and where in time one stands. */
struct tui_head {
	const char *lab, *mode;                 /* file name; sim */
	uint64_t seed;
	nsec now;
	nsec at; bool past;                     /* the lab as it was then: nothing can be changed */
	uint32_t nodes, nodes_ready, pods, pods_ready, warnings;
	const char *const *faults; uint32_t nr_faults;  /* that last: "node worker-1" */
};

/* ---- the cluster map */
struct tui_pod { const char *ref, *name, *address; uint8_t mark; };            /* address NULL: none yet */
struct tui_node {
	const char *ref, *name, *address, *zone;
	uint8_t mark;
	const char *agent[3]; uint32_t nr_agent;        /* "calico-node", "BIRD 2 of 2 up", "10.244.1.0/26"; the first is its title */
	const char *link;                       /* "0 ms 0 %", "down" */
	struct tui_pod *pods; uint32_t nr_pods; /* none where the map is only counted */
	uint32_t count[TM_COUNT], all, room;  /* Pods by state; room: how many it may have, 0: not said */
};
struct tui_service { const char *ref, *name, *type, *address; uint32_t endpoints; };   /* name: NS/NAME; type LB, NodePort … */
struct tui_map {
	struct tui_node *nodes; uint32_t nr_nodes;
	struct tui_service *services; uint32_t nr_services, all_services;       /* all: where not every one is here */
	struct tui_pod *homeless; uint32_t nr_homeless; /* on no node */
	const char *outside[3]; uint32_t nr_outside;    /* "client 203.0.113.10" */
	const char *mesh;                       /* "BGP": what joins the nodes; NULL: nothing */
	const char *worst, *worst_ref;          /* the worst that is the case now, and of what */
};
enum { MAP_DETAIL = 8 };                        /* up to so many nodes a source fills their Pods */

/* ---- lists: only what is seen is put into words */
enum { KEEP_NOTHING, KEEP_NAME, KEEP_ADDRESS };
/* wide: 1: only where all fits, 2: on a wide screen; right: numbers; keep: what is cut last where there is little room. */
struct tui_column { const char *head; uint8_t wide; bool right; uint8_t keep; };
struct tui_list {
	const char *title, *kind;               /* "Pods"; the word of refs */
	const struct tui_column *columns; uint32_t nr_columns;          /* at most 12; namespace and name are the first where there are any */
	uint32_t nr;
	bool namespaced;
	void *ctx;
	void (*cell)(void *ctx, uint32_t row, uint32_t column, struct sb *);
	void (*ref)(void *ctx, uint32_t row, struct sb *);
	uint8_t (*mark)(void *ctx, uint32_t row);
	/* For search and filter: at most four texts that need no work (namespace, name, node, state); NULL ends. */
	void (*words)(void *ctx, uint32_t row, const char *words[4]);
	bool (*selected)(void *ctx, uint32_t row, const char *selector, struct sb *why);       /* -l; NULL: the kind has no labels */
	void (*say)(void *ctx, uint32_t row, struct sb *);      /* what it means, for the message line; NULL */
	/* What to sort by: a number below 2^56, or list_text_key of what the cell says; 0: the cell's text. NULL: always that. */
	uint64_t (*order)(void *ctx, uint32_t row, uint32_t column);
};

uint64_t list_text_key(const char *);           /* its first eight bytes */

/* ---- objects: panes of lines */
struct tui_line { const char *text; uint8_t role, mark; const char *ref, *note, *copy; };      /* ref: where Enter leads; note: for the message line; copy: the command on a real node */
struct tui_pane { const char *title, *right, *brief; bool dashed; struct tui_line *v; uint32_t nr, alloc; };   /* brief: all of it in one line, where there is little room */
enum tui_layout { LAYOUT_ONE, LAYOUT_POD /* two above, two below */, LAYOUT_SERVICE /* a narrow and a wide one above, one below */, LAYOUT_TWO /* side by side */ };
enum { MAX_PANES = 4, MAX_TABS = 9 };
struct tui_object {
	const char *ref, *title, *right;        /* title: for the breadcrumb; right: "node: worker-1" */
	const char *tabs[MAX_TABS]; uint32_t nr_tabs, tab;
	uint8_t layout;
	struct tui_pane panes[MAX_PANES]; uint32_t nr_panes;
	const char *note;                       /* the message line where no line has one */
	bool turns, modes;                      /* ←→ asks for the next or last node, i for the other mode: a Service */
};

/* ---- a trace: exactly the answer of `trace -o json` (page_trace.c reads it) */
struct tui_packet { const char *src, *dst; uint32_t mark; };
struct tui_why { const char *object, *path, *file; uint32_t line; };
struct tui_hop {
	const char *netns, *interface, *stage, *decision, *rule, *chain, *ct, *command;
	struct tui_packet before, after;
	bool changed;
	const char **considered; uint32_t nr_considered;        /* rules that did not match */
	struct tui_why *why; uint32_t nr_why;
};
struct tui_way { const char *name; struct tui_hop *hops; uint32_t nr; };        /* "there", "to the backend", "back" */
struct tui_outcome {
	const char *verdict, *reason, *end, *share;     /* end: pod/NS/NAME or an address; share: "1/3" */
	bool good;
	struct tui_way ways[4]; uint32_t nr_ways;
	const char **http; uint32_t nr_http;            /* lines about the request */
};
struct tui_trace { const char *from, *to, *protocol; struct tui_outcome *outcomes; uint32_t nr; };
/* false: it is not the answer of a trace. */
bool tui_trace_read(struct arena *, const struct val *json, struct tui_trace *out);

/* ---- the matrix */
struct tui_matrix {
	const char *what, *compared;            /* "tcp 80"; "rev:17" or NULL */
	uint32_t nr, pods;
	void *ctx;
	void (*name)(void *ctx, uint32_t i, const char **ns, const char **name, uint32_t *count);
	char (*cell)(void *ctx, uint32_t from, uint32_t to);   /* '.' denied, '*' allowed, '+' newly allowed, '-' newly denied, '?' nobody can tell, ' ' itself */
	bool (*explain)(void *ctx, uint32_t from, uint32_t to, struct arena *, struct tui_pane *, const char **say);
	void (*ref)(void *ctx, uint32_t i, struct sb *);        /* one of its Pods, pod/NS/NAME; NULL: the source does not know */
	uint32_t allowed, asked, unknown;       /* of how many; asked 0: not counted; unknown: cells that nobody can tell */
};

/* ---- events over time */
struct tui_event_row { nsec at; bool warning; const char *reason, *object, *ref, *message; };
struct tui_lane { const char *name; enum { LANE_BARS, LANE_MARKS, LANE_WARNS /* marks of what is bad */, LANE_NUMBERS, LANE_LINE } form; };
struct tui_timeline {
	uint32_t nr;
	nsec begin, end;
	void *ctx;
	void (*event)(void *ctx, uint32_t i, struct tui_event_row *);   /* its texts last until the next few are asked for */
	bool (*warns)(void *ctx, uint32_t i);   /* the same as event says, for less work; NULL: it is asked */
	struct tui_lane lanes[7]; uint32_t nr_lanes;
	/* One column of a lane: bars: 0 … 1000 of its highest; marks, warns: how many; numbers: one more than the number at its end, line: 2 whole, 1 broken; 0 nothing is known. */
	uint32_t (*lane)(void *ctx, uint32_t lane, nsec from, nsec to);
	const char *(*say)(void *ctx, nsec from, nsec to);      /* what is bad in that column, in words; NULL: nothing, or the source cannot tell */
	uint32_t (*first)(void *ctx, nsec at);  /* the first event at or after that moment */
};

/* ---- a lesson */
struct tui_check { const char *expected, *actual; bool ok; };
struct tui_lesson {
	const char *title, *path;               /* path: "services › nodeport-source-ip" */
	struct { const char *name; uint8_t state; } *steps; uint32_t nr_steps, step;   /* state: 0 to come, 1 done, 2 failed */
	const char *say;
	struct tui_check *checks; uint32_t nr_checks;
	const char *question, *why; const char **choices; uint32_t nr_choices, answer;  /* answer: from 1; 0: no choice is the right one alone */
	const char **hints; uint32_t nr_hints;
	const char **task; bool *reached; uint32_t nr_task; bool solved, shows;  /* what must be reached; reached: which of them are; shows: it can be done for the learner */
	struct tui_pane place;                  /* where it happened */
	nsec took;
	uint32_t answered;                      /* questions of this lesson, rightly */
	uint32_t given, hints_seen;             /* of this step, earlier: the answer, 0 for none; hints that were asked for */
};

/* ---- pages */
enum page_kind { PAGE_NONE, PAGE_MAP, PAGE_LIST, PAGE_OBJECT, PAGE_TRACE, PAGE_MATRIX, PAGE_TIMELINE, PAGE_LESSON, PAGE_KINDS };
struct tui_want { uint8_t kind; bool other; char a[320], b[320]; int n; };  /* LIST: a kind or table, b where; OBJECT: a ref, b tab; TRACE, MATRIX: a what stands behind the command's word, b a moment to compare with; other: a Service's rules in the other mode of kube-proxy; LESSON: a file, n step */
struct tui_page {
	uint8_t kind;
	union {
		struct tui_map map;
		struct tui_list list;
		struct tui_object object;
		struct tui_trace trace;
		struct tui_matrix matrix;
		struct tui_timeline timeline;
		struct tui_lesson lesson;
	};
};

/* Words for completion: kinds, commands, ends. */
typedef void (*tui_word)(void *ctx, const char *word, const char *help);

struct tui_source {
	void *ctx;
	void (*head)(void *ctx, struct tui_head *);
	/* false: err says why, and nothing opens. The page lives in the arena. */
	bool (*load)(void *ctx, const struct tui_want *, struct arena *, struct tui_page *, struct err *);
	/* A command line as behind "podwire". *changed: what was loaded is out of date. What it prints goes to out. */
	bool (*run)(void *ctx, const char *line, struct sb *out, bool *changed, struct err *);
	bool (*undo)(void *ctx, struct sb *out, struct err *);          /* the last change of the lab; NULL: cannot */
	bool (*seek)(void *ctx, const char *at, struct err *);          /* "12.5s", "rev:7", "" for now; NULL: cannot */
	void (*leave)(void *ctx);               /* a lesson that was open is not any more; NULL */
	/* What the learner did at the step that is shown: "answer 2 right", "answer 1 wrong", "hint 1", "restart"; NULL: nobody keeps it. */
	void (*note)(void *ctx, const char *what);
	/* Once the first screen stands and no key is waiting: a part of what later screens need. → is there more? NULL: nothing. */
	bool (*warm)(void *ctx);
	/* Does it know a list of that word (po, pods, conntrack …)? → its own word for it, or NULL. */
	const char *(*list_word)(void *ctx, const char *word);
	void (*complete)(void *ctx, const char *before, const char *word, tui_word, void *word_ctx);
};

/* Lines for panes. */
struct tui_line *pane_line(struct arena *, struct tui_pane *, int role, const char *text);
struct tui_line *pane_printf(struct arena *, struct tui_pane *, int role, const char *fmt, ...) PRINTF(4, 5);
void pane_text(struct arena *, struct tui_pane *, int role, const char *text);   /* a text of several lines */

#endif
