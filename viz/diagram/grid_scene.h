/* A table of who may reach whom as a picture: the data of `podwire matrix`, drawn as a heat map. */
#ifndef PODWIRE_GRID_SCENE_H
#define PODWIRE_GRID_SCENE_H

#include "sim/reachability/grid.h"
#include "viz/diagram/scene.h"

/* The scene's arena is set. was: NULL, or the table before a change. */
void grid_scene(const struct reach_grid *, const struct reach_grid *was, struct scene *);

#endif
