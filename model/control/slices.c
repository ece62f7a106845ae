#include "model/control/slices.h"

#include <string.h>

#include "model/base/map.h"

#define GONE UINT64_MAX

static int by_size(const struct slice_plans *p, uint32_t a, uint32_t b)
{
	return p->v[a].nr != p->v[b].nr ? (p->v[a].nr > p->v[b].nr ? -1 : 1) : (a > b) - (a < b);
}

/* 1. Endpoints that are not wanted go, those in another state are noted. left: how often each key is still to be placed. */
static void keep_wanted(struct slice_plan *s, const struct map *want, struct map *placed, struct arena *a, const struct item *all)
{
	uint32_t to = 0, was = s->nr;
	bool changed = false;

	for (uint32_t k = 0; k < s->nr; k++) {
		const uint64_t *at = map_find(want, s->v[k].key);
		uint64_t *seen = at ? map_put(placed, a, s->v[k].key) : NULL;

		if (!at || *seen) {
			changed = true;
			continue;
		}
		*seen = 1;
		changed = changed || all[*at].version != s->v[k].version;
		s->v[to++] = all[*at];
	}
	s->nr = to;
	s->action = was && !to ? SLICE_DELETE : changed || s->dirty ? SLICE_UPDATE : SLICE_KEEP;
}

/* The slice that is fullest when n more are in it. */
static int32_t slice_to_fill(const struct slice_plans *p, uint32_t n, uint32_t most)
{
	int32_t best = -1;
	uint32_t least = most;

	for (uint32_t k = 0; k < p->nr; k++) {
		uint32_t left = n + p->v[k].nr <= most ? most - n - p->v[k].nr : UINT32_MAX;

		if (p->v[k].action == SLICE_KEEP && left < least) {
			least = left;
			best = (int32_t)k;
		}
	}
	return best;
}

static void fill(struct arena *a, struct slice_plan *s, const struct item *rest, uint32_t *at, uint32_t nr, uint32_t most)
{
	if (s->alloc < MIN(most, s->nr + nr - *at)) {
		struct item *v = arena_array(a, struct item, MIN(most, s->nr + nr - *at));

		if (s->nr)
			memcpy(v, s->v, s->nr * sizeof(*v));
		s->v = v;
		s->alloc = MIN(most, s->nr + nr - *at);
	}
	while (*at < nr && s->nr < most)
		s->v[s->nr++] = rest[(*at)++];
}

/* 2. What has to be written anyway is filled up, the fullest first. */
static void fill_updated(struct arena *a, struct slice_plans *p, const struct item *rest, uint32_t *at, uint32_t nr, uint32_t most)
{
	uint32_t *order = arena_array(a, uint32_t, p->nr), n = 0;

	for (uint32_t k = 0; k < p->nr; k++)
		if (p->v[k].action == SLICE_UPDATE) {
			uint32_t i = n++;

			for (; i && by_size(p, order[i - 1], k) > 0; i--)
				order[i] = order[i - 1];
			order[i] = k;
		}
	for (uint32_t k = 0; k < n && *at < nr; k++)
		fill(a, &p->v[order[k]], rest, at, nr, most);
}

/* The usual case: all that is wanted stands there already, in the same order, and at most in another state. */
static bool pack_in_place(struct slice_plans *have, const struct item *want, uint32_t nr)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < have->nr; k++) {
		if (!have->v[k].nr || have->v[k].nr > nr - at)
			return false;
		for (uint32_t i = 0; i < have->v[k].nr; i++)
			if (have->v[k].v[i].key != want[at++].key)
				return false;
	}
	if (at != nr)
		return false;
	for (uint32_t k = 0; k < have->nr; k++) {
		struct slice_plan *s = &have->v[k];
		bool changed = s->dirty;

		for (uint32_t i = 0; i < s->nr && !changed; i++)
			changed = s->v[i].version != want[i].version;
		memcpy(s->v, want, s->nr * sizeof(*want));
		want += s->nr;
		s->action = changed ? SLICE_UPDATE : SLICE_KEEP;
	}
	return true;
}

void slices_pack(struct arena *a, struct slice_plans *have, const struct item *want, uint32_t nr, uint32_t most)
{
	struct map index = { 0 }, placed = { 0 };
	struct item *rest;
	uint32_t left = 0, at = 0;

	if (have->nr && pack_in_place(have, want, nr))
		return;
	rest = arena_array(a, struct item, nr);
	if (have->nr) {
		for (uint32_t k = 0; k < nr; k++)
			*map_put(&index, a, want[k].key) = k;
		for (uint32_t k = 0; k < have->nr; k++)
			keep_wanted(&have->v[k], &index, &placed, a, want);
	}
	for (uint32_t k = 0; k < nr; k++)
		if (!have->nr || !map_find(&placed, want[k].key))
			rest[left++] = want[k];
	fill_updated(a, have, rest, &at, left, most);
	while (at < left) {
		int32_t to = left - at < most ? slice_to_fill(have, left - at, most) : -1;

		if (to < 0) {
			struct slice_plan *s = vec_push(a, have);

			s->old = -1;
			s->action = SLICE_CREATE;
			to = (int32_t)have->nr - 1;
		} else {
			have->v[to].action = SLICE_UPDATE;
		}
		fill(a, &have->v[to], rest, &at, left, most);
	}
}

void slices_finalize(struct slice_plans *p, bool (*same)(void *, const struct slice_plan *, const struct slice_plan *), void *ctx)
{
	for (uint32_t d = 0; d < p->nr; d++) {
		if (p->v[d].action != SLICE_DELETE)
			continue;
		for (uint32_t n = p->nr; n-- > 0;)
			if (p->v[n].action == SLICE_CREATE && same(ctx, &p->v[d], &p->v[n])) {
				p->v[n].old = p->v[d].old;
				p->v[n].action = SLICE_UPDATE;
				p->v[d].old = -1;
				p->v[d].action = SLICE_KEEP;
				break;
			}
	}
}
