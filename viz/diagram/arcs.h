/* Sessions between boxes that stand in one row: arcs that hang below them, once everything else has its place. */
#ifndef PODWIRE_ARCS_H
#define PODWIRE_ARCS_H

#include "viz/diagram/scene.h"

struct place { double x, bottom, half /* of its width */; };            /* points, upwards */
struct arc { uint32_t left, right /* boxes */; double depth; char spline[256]; };       /* spline: as Graphviz' attribute pos has it */

/* place: by box; x is 0 for what has none. */
struct arc arc_between(const struct scene *, const struct place *, const struct scene_edge *);

#endif
