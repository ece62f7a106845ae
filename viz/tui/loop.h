/* The screens in a thread of their own: update, commands and drawing happen there, in the order of the keys, and nobody else touches the state or its source in the
 * meantime. Whoever has the terminal hands over keys and gets screens. So a key is answered at once whatever it asks for: by its screen if that is there within a
 * few milliseconds, else by the screen as it stands with a line that says what is being worked on, until the answer comes; Esc then leaves what comes, and forgets what was typed behind it.
 *
 * Where no key waits, the thread does a piece of what later screens need (tui_source.warm), after a short rest. It sleeps when there is nothing to do. */
#ifndef PODWIRE_TUI_LOOP_H
#define PODWIRE_TUI_LOOP_H

#include "viz/tui/tui.h"

enum { TUI_PATIENCE = 8 };                     /* milliseconds for which a key may show nothing */

struct tui_loop;
/* Begins with what tui_init left to do, then opens `first` (may be NULL). State and source are the thread's own until tui_loop_end. */
struct tui_loop *tui_loop_begin(struct tui *, const struct tui_source *, const struct tui_want *first);
void tui_loop_end(struct tui_loop *);           /* when the command at hand is done */

void tui_loop_post(struct tui_loop *, const struct tui_event *);
int tui_loop_wake(const struct tui_loop *);     /* a descriptor: readable when there is something to show */
/* What the screen is to show now; screen holds what it showed before. → did it change? *ms: look again then, even if nothing wakes; −1: no need. */
bool tui_loop_show(struct tui_loop *, struct cells *screen, int *ms);
/* May the next key be read? Not just behind one that may end all of this: what is typed then is for whoever has the terminal next. */
bool tui_loop_listens(struct tui_loop *);
bool tui_loop_answered(struct tui_loop *);      /* is all that was posted on the screen that was shown last? */
bool tui_loop_command(struct tui_loop *, struct tui_cmd *);     /* the next COPY, REDRAW, SUSPEND or LOOK; false: there is none */
bool tui_loop_quits(struct tui_loop *);

#endif
