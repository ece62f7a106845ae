/* What a picture shows, before anybody knows how it is drawn: boxes in boxes, typed edges, ranks. Roles, not colours. A figure (fig_*.c) fills a scene from the
 * live objects; graph.c alone turns a scene into a cgraph, and the TUI's map and the HTML export read the same scene.
 * The visual language: solid box = something that runs or exists, dashed box = rules only; nesting = containment; bold = name, regular = address;
 * a line's kind shows in colour and form; what was changed is bold vermilion, nothing else is. */
#ifndef PODWIRE_SCENE_H
#define PODWIRE_SCENE_H

#include "model/base/str.h"

enum role { ROLE_PLAIN, ROLE_NODE, ROLE_OUTSIDE, ROLE_POD, ROLE_CONTAINER, ROLE_PAUSE, ROLE_SERVICE, ROLE_LB, ROLE_RULES, ROLE_INGRESS, ROLE_ROUTER, ROLE_STORAGE, ROLE_API, ROLE_DENIED,
	ROLE_COUNT };
enum line { LINE_PACKET, LINE_SECOND, LINE_WATCH, LINE_WRITES, LINE_CHOOSES, LINE_BGP, LINE_STORAGE, LINE_FAILED, LINE_INVISIBLE, LINE_COUNT };

typedef struct { uint32_t i; } box_h;           /* 0 is none */

enum row_kind { ROW_TEXT, ROW_PILLS /* each cell a rounded field of its own */, ROW_NOTE /* muted */, ROW_MONO /* rule text */, ROW_CHANGED };
struct scene_row { uint8_t kind; uint8_t role; const char *cell[4]; uint32_t nr; };

struct box {
	const char *id;                         /* unique; becomes the SVG element's id: pod-default-web */
	box_h parent;                           /* a group; 0: the picture itself */
	uint8_t role;
	bool group;                             /* holds other boxes */
	bool dashed, cylinder, nameplate;       /* nameplate: no border; stands in a group in place of its label */
	bool label_below;                       /* group: its name stands at the bottom */
	const char *name, *address;             /* either may be NULL */
	const char *title;                      /* tooltip, for the SVG's <title> */
	const char *column;                     /* boxes of one column stand straight below each other; NULL */
	uint32_t width;                         /* points, of a table; 0: as needed */
	VEC(struct scene_row) rows;
};
struct scene_edge {
	box_h from, to;
	uint8_t line;
	bool back;                              /* drawn from `to` to `from`, ranked the other way round */
	bool loose;                             /* does not count for the ranks */
	bool arc;                               /* drawn below the lower ends, after everything else has its place (BGP sessions) */
	uint8_t badge;                          /* number on the line; 0: none */
	uint16_t weight;
	const char *label;
};
struct scene_rank { VEC(box_h) boxes; };
struct legend_row { uint8_t badge, line; const char *text; };

struct scene {
	struct arena *arena;
	const char *name, *title, *description; /* for screen readers */
	VEC(struct box) boxes;                  /* [0] unused */
	VEC(struct scene_edge) edges;
	VEC(struct scene_rank) ranks;
	VEC(struct legend_row) legend;          /* sentences for lines and badges; lines that do not occur are left out */
	bool ortho;                             /* right-angled lines: few edges, no ports */
	bool left_to_right;
	float node_gap, rank_gap;               /* inches; 0: the default */
};

void scene_init(struct scene *, struct arena *, const char *name, const char *title);
box_h scene_group(struct scene *, box_h parent, enum role, const char *id, const char *name, const char *address);
box_h scene_box(struct scene *, box_h parent, enum role, const char *id, const char *name, const char *address);
struct box *scene_get(struct scene *, box_h);           /* valid until the next box is added */
void scene_row(struct scene *, box_h, enum row_kind, const char *a, const char *b);            /* b may be NULL */
void scene_pill(struct scene *, box_h, enum role, const char *text, bool same_row);            /* a rounded cell; same_row: beside the last one */
struct scene_edge *scene_line(struct scene *, box_h from, box_h to, enum line, const char *label);     /* valid until the next edge */
void scene_same_rank(struct scene *, const box_h *, uint32_t nr);
void scene_below(struct scene *, box_h upper, box_h lower, uint16_t weight);                  /* an invisible edge */
void scene_legend(struct scene *, enum line, uint8_t badge, const char *text);

/* Drawing (graph.c). */
enum theme { THEME_LIGHT, THEME_DARK };
struct err;
/* format: dot, svg, png, pdf, plain. Appends to out. false: ERR_MACHINE (a plugin is missing) or ERR_BUG (a label that Graphviz refuses). */
bool scene_render(const struct scene *, const char *format, enum theme, struct sb *out, struct err *);

struct role_style { const char *line, *fill, *text; };
struct line_style { const char *color, *style, *head, *tail, *sample, *name; float width; };
const struct role_style *role_style(enum theme, enum role);
const struct line_style *line_style(enum theme, enum line);
struct paper { const char *background, *ink, *muted, *inside, *changed; };
const struct paper *paper_style(enum theme);

/* Texts from outside into labels (label.c). Control characters are dropped, invalid UTF-8 becomes U+FFFD. */
void label_html(struct sb *, const char *text);         /* & < > " escaped */
void label_plain(struct sb *, const char *text);        /* for attributes of cgraph: backslashes doubled, & as entity */

#endif
