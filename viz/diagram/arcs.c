#include "viz/diagram/arcs.h"

#include <stdio.h>

/* Where an arc that leads to `other` leaves the box: those to the left stand left, and the shortest of each side outermost, so that no two of them cross. */
static double foot(const struct scene *s, const struct place *place, uint32_t box, uint32_t other)
{
	double x = place[box].x, to = place[other].x;
	uint32_t nr = 0, before = 0;

	for (uint32_t k = 0; k < s->edges.nr; k++) {
		const struct scene_edge *l = &s->edges.v[k];
		uint32_t end = l->from.i == box ? l->to.i : l->to.i == box ? l->from.i : 0;
		double at = end ? place[end].x : 0;

		if (!l->arc || !end)
			continue;
		nr++;
		if (end != other)
			before += to < x ? at < x && at > to : at < x || at > to;
	}
	return nr < 2 ? x : x + place[box].half * 1.2 * (((double)before + 0.5) / nr - 0.5);
}

/* How many boxes with arcs stand from one end to the other: an arc hangs as deep as that. */
static uint32_t reach(const struct scene *s, const struct place *place, double ax, double bx)
{
	uint32_t n = 1;

	for (uint32_t i = 1; i < s->boxes.nr; i++) {
		bool has = false;

		if (place[i].x <= ax + 1 || place[i].x >= bx - 1)
			continue;
		for (uint32_t k = 0; k < s->edges.nr && !has; k++)
			has = s->edges.v[k].arc && (s->edges.v[k].from.i == i || s->edges.v[k].to.i == i);
		n += has;
	}
	return n;
}

struct arc arc_between(const struct scene *s, const struct place *place, const struct scene_edge *l)
{
	bool swap = place[l->from.i].x > place[l->to.i].x;
	struct arc out = { .left = swap ? l->to.i : l->from.i, .right = swap ? l->from.i : l->to.i };
	const struct place *a = &place[out.left], *b = &place[out.right];
	double ax = foot(s, place, out.left, out.right), bx = foot(s, place, out.right, out.left);

	out.depth = 14 + 26.0 * reach(s, place, a->x, b->x);
	snprintf(out.spline, sizeof(out.spline), "s,%.1f,%.1f e,%.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f", ax, a->bottom, bx, b->bottom, ax, a->bottom - 5, ax, a->bottom - out.depth, bx,
		 b->bottom - out.depth, bx, b->bottom - 5);
	return out;
}
