/* The terminal program as model, update and view, without a terminal: tui_update takes a key or a new size and leaves commands, tui_view draws the state. Both are
 * plain functions of their arguments. tui_step is what a loop does: update, then do the commands by asking the source. */
#ifndef PODWIRE_TUI_H
#define PODWIRE_TUI_H

#include "viz/tui/cells.h"
#include "viz/tui/data.h"

enum {                                          /* keys beyond characters */
	TK_ENTER = 13, TK_TAB = 9, TK_ESC = 27, TK_BACKSPACE = 127,
	TK_UP = 0x110000, TK_DOWN, TK_LEFT, TK_RIGHT, TK_PAGE_UP, TK_PAGE_DOWN, TK_HOME, TK_END, TK_BACKTAB, TK_DELETE, TK_F0,
};
#define TK_F(n)    (TK_F0 + (n))
#define TK_CTRL(c) ((c) & 0x1f)

enum view_id { VIEW_MAP, VIEW_LIST, VIEW_OBJECT, VIEW_TRACE, VIEW_MATRIX, VIEW_EVENTS, VIEW_LESSON, VIEW_HELP, VIEW_COUNT };
enum {
	V_MAP = 1 << VIEW_MAP, V_LIST = 1 << VIEW_LIST, V_OBJECT = 1 << VIEW_OBJECT, V_TRACE = 1 << VIEW_TRACE, V_MATRIX = 1 << VIEW_MATRIX,
	V_EVENTS = 1 << VIEW_EVENTS, V_LESSON = 1 << VIEW_LESSON, V_HELP = 1 << VIEW_HELP, V_ALL = (1 << VIEW_COUNT) - 1,
};
enum action_id {
	ACT_NONE,
#define ACTION(ID, name, keys, views, foot, help) ACT_##ID,
#include "viz/tui/actions.def"
#undef ACTION
	ACT_COUNT
};
struct action { enum action_id id; const char *name; int keys[4]; unsigned views; const char *foot, *help; };
extern const struct action actions[ACT_COUNT];  /* [0] unused */
enum action_id action_of(int key, enum view_id);
enum action_id action_named(const char *name);
void action_keys(const struct action *, bool ascii, char out[48]);     /* all of its keys: "↑ k"; in ASCII "Up k" */
const char *key_text(int key, bool ascii, char out[16]);    /* "Ctrl-L", "→", "F3" */

/* ---- state */
struct view {
	uint8_t id;
	struct arena *arena;
	struct tui_want want, have;             /* have: of the page that is loaded */
	struct tui_page page;                   /* kind PAGE_NONE: not loaded */
	uint32_t cursor, top;                   /* of the list at hand; MAP: the selected thing */
	uint32_t left;                          /* LIST, HELP: columns passed over */
	uint8_t pane;
	uint32_t pane_cursor[MAX_PANES], pane_top[MAX_PANES];
	char seek[256];                         /* LIST: the row to come back to after a reload */
	/* LIST */
	char filter[128], ns[64];
	uint32_t *shown; uint32_t nr_shown;     /* rows, in the order in which they are shown */
	uint8_t sort; bool invert;
	uint8_t *marked;                        /* a bit for each row */
	/* MAP */
	char zoom[64]; bool tracing, moved;     /* zoom: a group of nodes, or ""; tracing: Enter says where to */
	/* TRACE */
	uint32_t outcome, hop; uint8_t way, follow_field /* enum follow_field */; bool explain, playing;
	/* MATRIX */
	uint32_t row, col, top_row, left_col;   /* among those shown */
	uint32_t *across; uint32_t nr_across;   /* columns that are shown; rows stand in `shown` */
	struct tui_pane why; const char *why_say; bool why_open; struct arena *why_arena;
	/* EVENTS */
	nsec at, per_column, mark_a, mark_b; bool follow, only_warnings;
	/* LESSON */
	uint32_t chosen, hints; bool answered;
	/* HELP */
	uint8_t of;                             /* the view whose keys are shown */
};

enum follow_field { FOLLOW_NONE, FOLLOW_SOURCE, FOLLOW_DESTINATION, FOLLOW_MARK, FOLLOW_CT, FOLLOW_COUNT };
enum ask_kind { ASK_NONE, ASK_COMMAND, ASK_SEARCH, ASK_FILTER, ASK_TRACE, ASK_ADVANCE, ASK_PORT, ASK_COMPARE, ASK_DRAW, ASK_SAVE, ASK_ENDS, ASK_DELETE };
struct tui_ask { uint8_t kind; char text[512]; uint32_t at; uint32_t history; };
struct menu_row { char text[160], run[400]; bool asks; };      /* asks: run begins a command line instead */
struct tui_menu { const char *title; struct menu_row rows[24]; uint32_t nr, cursor; };

enum tui_cmd_kind { CMD_LOAD, CMD_RUN, CMD_UNDO, CMD_SEEK, CMD_COPY, CMD_REDRAW, CMD_SUSPEND, CMD_QUIT, CMD_COMPLETE, CMD_EXPLAIN, CMD_LOOK /* "theme dark" */, CMD_LEAVE, CMD_NOTE, CMD_DOING /* what takes long now, in words */ };
struct tui_cmd { uint8_t kind; char text[600]; };

enum { TUI_DEPTH = 24, TUI_LINES = 50, TUI_PAST = 32, TUI_MIN_W = 40, TUI_MIN_H = 10 };
struct tui {
	int w, h;
	bool ascii;
	struct view stack[TUI_DEPTH]; uint32_t depth;           /* the last one is shown; [0] is the map */
	struct tui_head head; bool head_known;
	struct tui_ask ask;
	struct tui_menu menu; bool menu_open;
	char lines[TUI_LINES][512]; uint32_t nr_lines;          /* command lines that were entered, newest last */
	char words[16][64]; uint32_t nr_words; char common[128]; /* completions of the word at hand */
	char message[1024]; uint8_t message_role;               /* "" : what the view says */
	char search[128];
	char from[320], to[320];                                /* ends of the last trace */
	char path[12][320]; uint32_t nr_path;                   /* where its packet came by: shown on the map */
	struct { uint8_t id; struct tui_want want; } past[TUI_PAST]; uint32_t nr_past, past_at;
	uint32_t speed;                                         /* milliseconds a step, while something plays */
	uint32_t waited;
	struct tui_cmd todo[16]; uint32_t nr_todo;
	bool quit, resized;
	const char *(*list_word)(void *ctx, const char *word); void *list_ctx;          /* the source's */
};

enum tui_event_kind { EV_NONE, EV_KEY, EV_RESIZE, EV_TICK, EV_MOUSE, EV_STALE };
enum { MOUSE_CLICK = 1, MOUSE_DOUBLE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
struct tui_event { uint8_t kind; int key; int w, h; int x, y, button; uint32_t ms; };

void tui_init(struct tui *, const struct tui_source *, int w, int h);
void tui_free(struct tui *);
void tui_update(struct tui *, const struct tui_event *);
void tui_view(const struct tui *, struct cells *);              /* the cells are made as large as the state says */
bool tui_plays(const struct tui *);                             /* does it want EV_TICK? */
/* Update, and all commands but COPY, REDRAW, SUSPEND and LOOK, which are given to edge (may be NULL); before what may take long it gets a DOING. */
typedef void (*tui_edge)(void *ctx, const struct tui_cmd *);
void tui_step(struct tui *, const struct tui_source *, const struct tui_event *, tui_edge edge, void *ctx);
/* Opens a page on top; the first one after tui_init comes by itself (the map). */
void tui_open(struct tui *, const struct tui_want *);

/* ---- between the files of the state */
struct view_ops {
	const char *name;
	void (*draw)(const struct tui *, const struct view *, struct cells *, struct rect);
	bool (*act)(struct tui *, struct view *, enum action_id, int key, struct rect);         /* false: not for it */
	void (*mouse)(struct tui *, struct view *, int x, int y, struct rect);                  /* selects what is there; may be NULL */
	void (*where)(const struct tui *, const struct view *, struct sb *left, struct sb *right);      /* the second row */
	void (*say)(const struct tui *, const struct view *, struct sb *);                      /* the message row */
	void (*selected)(const struct tui *, const struct view *, struct sb *);                 /* the ref under the cursor; may be NULL */
	void (*command)(const struct tui *, const struct view *, struct sb *);                  /* for a real node; may be NULL */
	bool (*matches)(const struct tui *, const struct view *, uint32_t i, const char *word); /* search */
	uint32_t (*count)(const struct tui *, const struct view *);
	void (*go)(struct tui *, struct view *, uint32_t i);
	void (*loaded)(struct tui *, struct view *);                                            /* after its page came; may be NULL */
};
extern const struct view_ops view_map, view_list, view_object, view_trace, view_matrix, view_events, view_lesson, view_help;
const struct view_ops *view_ops_of(enum view_id);

struct view *tui_top(const struct tui *);
struct rect tui_body(const struct tui *);               /* the rows of the view */
bool tui_small(const struct tui *);                     /* below 80×24: one pane only */
void tui_say(struct tui *, int role, const char *fmt, ...) PRINTF(3, 4);
void tui_do(struct tui *, enum tui_cmd_kind, const char *fmt, ...) PRINTF(3, 4);
bool tui_on_path(const struct tui *, const char *ref);
void tui_pop(struct tui *);
void view_end(struct view *);
void view_forget_page(struct view *);
void tui_push(struct tui *, enum view_id, const struct tui_want *);
void tui_open_ref(struct tui *, const char *ref, const char *tab);
void tui_search(struct tui *);                           /* for t->search, from where the cursor is */
void tui_action(struct tui *, enum action_id, int key);
void tui_ask(struct tui *, enum ask_kind, const char *text);
struct tui_want tui_want(enum page_kind, const char *a, const char *b, int n);
bool tui_move(enum action_id, uint32_t *cursor, uint32_t nr, uint32_t page);    /* up, down, pages, ends */
void tui_keep_seen(uint32_t *top, uint32_t cursor, uint32_t nr, uint32_t rows);
bool text_has(const char *text, const char *word);      /* without regard to case */
void time_short(nsec t, char out[32]);                  /* 12.5s, 3m20s */
enum tui_glyph mark_glyph(uint8_t mark);
unsigned mark_role(uint8_t mark);
void ask_key(struct tui *, int key);
void ask_set(struct tui *, const char *text);           /* what is typed so far */
void ask_draw(const struct tui *, struct cells *);
void menu_key(struct tui *, int key);
void menu_open_faults(struct tui *, bool heal);
void menu_draw(const struct tui *, struct cells *);
void draw_lines(struct cells *, struct rect, const struct tui_pane *, uint32_t top, int64_t cursor, const char *search);
void list_refilter(struct tui *, struct view *);         /* after its filter, namespace or order changed */
void matrix_refilter(struct tui *, struct view *);
void matrix_selected(const struct view *, uint32_t *from, uint32_t *to);        /* of all, whatever is shown */
void events_refilter(struct tui *, struct view *);
void list_turn_round(struct view *);                     /* the rows that are shown */
const char *list_row_ns(const struct tui_list *, uint32_t row);                         /* its namespace, or "" */
bool list_row_matches(const struct tui_list *, uint32_t row, const char *word);         /* a word as behind / or F4 */
void list_narrow(struct tui *, struct view *);           /* after its filter became longer */
extern const char *const tui_commands[][2];             /* what ":" takes beyond actions: words, help; ends with NULL */

#endif
