/* The map as it stands on the screen: drawing it leaves a list of the things that can be selected, with their places. */
#ifndef PODWIRE_TUI_MAP_H
#define PODWIRE_TUI_MAP_H

#include "viz/tui/tui.h"

enum thing_kind { THING_SERVICE, THING_NODE, THING_POD, THING_HOMELESS, THING_GROUP };
struct thing { struct rect r; uint8_t kind; const char *ref; uint32_t i; };
enum { MAX_THINGS = 1024, GRID_OVER = 200 };    /* above so many nodes there is a line for each zone */

struct map_drawing {
	const struct tui *t;
	const struct view *v;
	const struct tui_map *map;
	struct cells *c;
	struct thing *things; uint32_t nr;      /* at most MAX_THINGS */
	const char *selected;                   /* ref */
	uint32_t first, last;                   /* nodes of the zoomed group, in the grid */
};
void map_draw(struct map_drawing *, struct rect);

#endif
