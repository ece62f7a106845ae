/* What of a trace is on the screen, and how it is drawn. */
#ifndef PODWIRE_TUI_TRACE_H
#define PODWIRE_TUI_TRACE_H

#include "viz/tui/tui.h"

const struct tui_outcome *trace_outcome(const struct view *);
const struct tui_way *trace_way(const struct view *);          /* one without hops if no packet was sent */
const struct tui_hop *trace_hop(const struct view *);          /* NULL: there is none */
bool hop_in_pod(const struct tui_hop *);
const char *netns_short(const char *netns);             /* without what stands before its last slash */
void trace_where(const struct view *, struct cells *, struct rect);                     /* the map of its places (trace_where.c) */
void trace_where_line(const struct view *, struct cells *, int x, int y, int w);        /* the same in one line, where there is little room */
void trace_draw(const struct tui *, const struct view *, struct cells *, struct rect);

#endif
