/* A screen as data: w × h cells, each a character with a role and attributes. Views draw into it, tests print it, edge_curses.c copies it to a terminal. Knows
 * nothing of terminals and nothing of podwire.
 *
 * All text passes through one filter: control characters, marks that turn the direction of writing and bytes that are not UTF-8 are shown as one stand-in
 * each, characters take the cells that they take on a terminal (0, 1 or 2), what does not fit is cut at a cell's border with "…". */
#ifndef PODWIRE_TUI_CELLS_H
#define PODWIRE_TUI_CELLS_H

#include "model/base/str.h"

enum tui_role {
#define ROLE(ID, letter, dark, light, base, bold) TR_##ID,
#include "viz/tui/look.def"
#undef ROLE
	TR_COUNT
};
struct role_look { const char *name; char letter; int16_t dark, light, base; bool bold; };
extern const struct role_look role_looks[TR_COUNT];

enum tui_glyph {
#define GLYPH(ID, code, ascii) TG_##ID,
#include "viz/tui/look.def"
#undef GLYPH
	TG_COUNT
};
struct glyph_look { uint32_t code; char ascii; char utf8[4]; };
const char *glyph(enum tui_glyph);              /* as UTF-8; cells made for ASCII turn it into its stand-in */

/* A style is a role and attributes. */
enum { TA_BOLD = 1 << 8, TA_UNDER = 1 << 9, TA_REVERSE = 1 << 10 };

struct cell { uint32_t ch; uint8_t role, attr; };       /* ch 0: the right half of a wide character; attr: TA_… >> 8 */
struct cells { struct cell *v; int w, h; int alloc; bool ascii; };
struct rect { int x, y, w, h; };

void cells_resize(struct cells *, int w, int h);        /* clears; sizes are bounded to 1 … 2000 */
void cells_free(struct cells *);
/* Everything outside of the screen is cut off. */
void cells_put(struct cells *, int x, int y, unsigned style, uint32_t ch);
void cells_glyph(struct cells *, int x, int y, unsigned style, enum tui_glyph);
/* At most w cells; → how many were used. */
int cells_text(struct cells *, int x, int y, int w, unsigned style, const char *text);
int cells_printf(struct cells *, int x, int y, int w, unsigned style, const char *fmt, ...) PRINTF(6, 7);
int cells_middle(struct cells *, int x, int y, int w, unsigned style, const char *text);       /* too long: cut in the middle */
void cells_right(struct cells *, int x, int y, int w, unsigned style, const char *text);       /* ends at x + w */
void cells_style(struct cells *, struct rect, unsigned style);                                 /* new role and attributes for what is there */
void cells_attr(struct cells *, struct rect, unsigned attr);                                   /* adds attributes */
void cells_run(struct cells *, int x, int y, int w, unsigned style, enum tui_glyph);           /* a line of one glyph */
enum box_form { BOX_LIGHT, BOX_HEAVY, BOX_DASHED };
void cells_box(struct cells *, struct rect, enum box_form, unsigned style, const char *title, const char *right);
struct rect rect_inner(struct rect);                    /* within a box's border */

/* The next character of a text: → bytes used, at least 1 unless it ends; what must not be shown is its stand-in. */
size_t text_next(const char *s, uint32_t *ch, int *width);
int text_width(const char *s);
const char *text_break(const char *s, int w);   /* where a line of w cells ends: behind its last blank, or within a word that is longer */
/* The screen as lines of text, trailing blanks cut; roles: one letter a cell instead (TEXT and blanks as blank). */
void cells_print(const struct cells *, bool roles, struct sb *);

#endif
