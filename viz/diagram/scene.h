/* What a picture shows, before anybody knows how it is drawn: boxes in boxes, typed edges, ranks. Roles, not colours. A figure (fig_*.c) fills a scene from the
 * live objects; graph.c alone turns a scene into a cgraph, and HTML, Mermaid and the TUI's map read the same scene.
 * The visual language: solid box = something that runs or exists, dashed box = rules only; nesting = containment; bold = name, regular = address;
 * a line's kind shows in colour and form; what was changed is bold vermilion, nothing else is. */
#ifndef PODWIRE_SCENE_H
#define PODWIRE_SCENE_H

#include "viz/diagram/label.h"

enum role { ROLE_PLAIN, ROLE_NODE, ROLE_OUTSIDE, ROLE_POD, ROLE_CONTAINER, ROLE_PAUSE, ROLE_SERVICE, ROLE_LB, ROLE_RULES, ROLE_INGRESS, ROLE_ROUTER, ROLE_STORAGE, ROLE_API, ROLE_DENIED,
	ROLE_COUNT };
enum line { LINE_PACKET, LINE_SECOND, LINE_WATCH, LINE_WRITES, LINE_CHOOSES, LINE_BGP, LINE_STORAGE, LINE_FAILED, LINE_WIRE /* veth, cable */,
	LINE_ADDED, LINE_REMOVED, LINE_SAME, LINE_INVISIBLE, LINE_COUNT };

typedef struct { uint32_t i; } box_h;           /* 0 is none */

enum row_kind { ROW_TEXT, ROW_PILLS /* each cell a rounded field of its own */, ROW_NOTE /* muted */, ROW_MONO /* rule text */, ROW_CHANGED, ROW_MONO_CHANGED,
	ROW_HEAD /* bold, centred on its role's fill */, ROW_GRID /* a cell of a matrix */, ROW_BAR /* a stretch of time */, ROW_GAP /* an empty field */ };
struct scene_cell {
	const char *text, *changed, *rest;      /* changed: a part in bold vermilion, then the rest; NULL: none */
	uint8_t kind, role;
	uint16_t span, down;                    /* columns and rows that it covers; 0: one */
	uint16_t port;                          /* a number by which a line can end at this cell; 0: none does */
};
struct scene_row { VEC(struct scene_cell) cells; };

enum mark { MARK_NONE, MARK_ADDED, MARK_REMOVED };      /* of a comparison: shown by sign, word and border, never by colour alone */

struct box {
	const char *id;                         /* becomes the SVG element's id: pod-default-web */
	box_h parent;                           /* a group; 0: the picture itself */
	uint8_t role, mark;
	bool group;                             /* holds other boxes */
	bool dashed, cylinder, nameplate;       /* nameplate: no border; stands in a group in place of its label */
	bool label_below;                       /* group: its name stands at the bottom */
	bool label_right;                       /* and on the right, where a line would cross it */
	bool name_below;                        /* a box with rows: its name stands under them */
	const char *name, *address;             /* either may be NULL */
	const char *title;                      /* what a screen reader says; NULL: the name */
	const char *details;                    /* a text that the HTML export shows when it is clicked; NULL: the title */
	const char *column;                     /* boxes of one column stand straight below each other; NULL */
	uint32_t width;                         /* points, of a table; 0: as needed */
	uint16_t badge; uint8_t badge_line;     /* a number at its left, in the colour of that line; 0: none */
	VEC(struct scene_row) rows;
};
struct scene_edge {
	box_h from, to;
	uint8_t line;
	bool back;                              /* drawn from `to` to `from`, ranked the other way round */
	bool both;                              /* with a head at each end: one line for two */
	bool loose;                             /* does not count for the ranks */
	bool arc;                               /* drawn below the lower ends, after everything else has its place (BGP sessions) */
	bool mono;                              /* the label is an address or a rule */
	char from_side, to_side;                /* n, e, s, w: where it meets the box; 0: as it comes */
	uint16_t to_port;                       /* the cell of `to` at which it ends; 0: the box. A box without such a cell is met as it comes */
	uint16_t badge;                         /* number on the line; 0: none */
	uint16_t weight;
	const char *label, *changed, *rest;     /* the label's text, a part in bold vermilion, and what follows; each may be NULL */
};
struct scene_rank { VEC(box_h) boxes; };
struct legend_row { uint8_t line; uint16_t badge; const char *text; };
struct scene_note { uint8_t role; const char *bold, *text; };   /* role DENIED: the bold part in its colour */

struct scene {
	struct arena *arena;
	const char *name, *title, *description; /* for screen readers */
	VEC(struct box) boxes;                  /* [0] unused */
	VEC(struct scene_edge) edges;
	VEC(struct scene_rank) ranks;
	VEC(struct legend_row) legend;          /* sentences for lines and badges; lines that do not occur are left out */
	VEC(struct scene_note) notes;           /* sentences below the picture */
	bool ortho;                             /* right-angled lines: few edges, no ports */
	bool left_to_right;
	bool details;                           /* asked for by the caller before the figure is filled: boxes carry details */
	float node_gap, rank_gap;               /* inches; 0: the default */
};

void scene_init(struct scene *, struct arena *, const char *name, const char *title);
box_h scene_group(struct scene *, box_h parent, enum role, const char *id, const char *name, const char *address);
box_h scene_box(struct scene *, box_h parent, enum role, const char *id, const char *name, const char *address);
struct box *scene_get(struct scene *, box_h);           /* valid until the next box is added */
void scene_row(struct scene *, box_h, enum row_kind, const char *a, const char *b);            /* b may be NULL */
void scene_pill(struct scene *, box_h, enum role, const char *text, bool same_row);            /* a rounded cell; same_row: beside the last one */
/* A cell in the last row, or in a new one; for tables of more than two columns. Valid until the next cell. */
struct scene_cell *scene_cell(struct scene *, box_h, bool new_row, enum row_kind, enum role, const char *text);
struct scene_edge *scene_line(struct scene *, box_h from, box_h to, enum line, const char *label);     /* valid until the next edge */
void scene_same_rank(struct scene *, const box_h *, uint32_t nr);
void scene_below(struct scene *, box_h upper, box_h lower, uint16_t weight);                  /* an invisible edge */
void scene_legend(struct scene *, enum line, uint16_t badge, const char *text);
void scene_note(struct scene *, enum role, const char *bold, const char *text);
bool scene_has_line(const struct scene *, enum line, uint16_t badge);  /* badge 0: any edge of that line */

/* Drawing (graph.c, html.c, mermaid.c). */
enum theme { THEME_LIGHT, THEME_DARK };
struct err;
extern const char *const scene_formats[];       /* svg, png, pdf, dot, html, mermaid; NULL at the end */
/* Appends to out. false: ERR_MACHINE (a plugin is missing) or ERR_BUG (Graphviz has an error or a warning for it). */
bool scene_render(const struct scene *, const char *format, enum theme, struct sb *out, struct err *);
/* Inside: what scene_render calls. */
bool graph_render(const struct scene *, const char *format, enum theme, struct sb *out, struct err *);  /* graph.c: dot, svg, png, pdf */
void svg_finish(const struct scene *, struct sb *svg, size_t from);    /* svg.c: titles and descriptions for screen readers */
bool html_render(const struct scene *, enum theme, struct sb *out, struct err *);
void mermaid_render(const struct scene *, enum theme, struct sb *out);

struct role_style { const char *line, *fill, *text; };
struct line_style { const char *color, *style, *head, *tail, *sample, *name; float width; };
const struct role_style *role_style(enum theme, enum role);
const struct line_style *line_style(enum theme, enum line);
struct paper { const char *background, *ink, *muted, *inside, *changed, *grid; };
const struct paper *paper_style(enum theme);
extern const char *const role_names[ROLE_COUNT], *const line_names[LINE_COUNT];         /* pod, container, … */

/* Labels in Graphviz' HTML (box_label.c). */
void box_label(const struct box *, enum theme, struct sb *);            /* of a box that is no group */
bool box_is_table(const struct box *);
void group_label(const struct box *, enum theme, struct sb *);
void edge_label(const struct scene_edge *, enum theme, struct sb *);    /* nothing if it has none */
void legend_label(const struct scene *, enum theme, struct sb *);       /* legend and notes; nothing if there are none */

#endif
