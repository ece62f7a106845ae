#include "viz/cli/replay.h"

#include "sim/scenario/play.h"

bool replay_take(void *ctx, const struct doc *d, struct err *err)
{
	struct replay *r = ctx;
	struct scenario *s = scenario_parse(r->arena, d->file, d->root, err);

	if (s)
		vec_add(r->arena, &r->all, s);
	return true;
}

bool replay_all(struct replay *r, struct world *w, struct err *err)
{
	for (uint32_t k = 0; k < r->all.nr; k++) {
		const struct scenario *s = r->all.v[k];
		struct play p;

		if (!play_begin(&p, s, w, &play_sim, r->arena, err))
			return false;
		p.only_changes = true;
		play_all(&p);
		for (uint32_t i = 0; i < p.records.nr; i++) {
			const struct record *bad = &p.records.v[i];

			if (!bad->ok)
				err_warn(err, &(struct where){ .file = s->file, .line = bad->line }, "scenario \"%s\", step \"%s\": %s%s%s", s->name, bad->step,
					 bad->expected ? bad->expected : "", bad->expected ? ": " : "", bad->actual);
		}
	}
	return true;
}
