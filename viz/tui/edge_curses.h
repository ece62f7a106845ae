/* The terminal: cells out, keys in. The only part that knows ncurses; everything else is data. Puts the terminal back on every way out: edge_close, a signal that
 * ends the process, a crash, the shell's Ctrl-Z. One may be open at a time. */
#ifndef PODWIRE_TUI_EDGE_H
#define PODWIRE_TUI_EDGE_H

#include "viz/tui/tui.h"

struct edge;
enum edge_theme { THEME_AUTO, THEME_TUI_DARK, THEME_TUI_LIGHT, THEME_MONO };
bool edge_is_ascii(void);                       /* the locale or the terminal shows no UTF-8 */
/* NULL: no terminal, or one that curses does not know; err says so. */
struct edge *edge_open(enum edge_theme, struct err *);
void edge_close(struct edge *);
void edge_paint(struct edge *, const struct cells *);
/* Waits for a key, a click or a new size (where it listens); for the descriptor `wake` to be readable; or for ms (−1: for ever). The last two give EV_NONE. false: the
 * process was asked to end, or the terminal is gone. */
bool edge_wait(struct edge *, bool listens, int wake, int ms, struct tui_event *);
void edge_restore(struct edge *);               /* the terminal as it was; nothing is painted any more */
void edge_size(const struct edge *, int *w, int *h);
void edge_command(void *edge, const struct tui_cmd *);  /* COPY, REDRAW, SUSPEND, LOOK */

#endif
