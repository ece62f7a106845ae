/* Any text as a file of scenarios: read it, and play what is accepted with answers that are made up. */
#include "sim/scenario/play.h"

static bool nothing(void *ctx, struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	(void)ctx;
	(void)w;
	(void)a;
	(void)out;
	return err_add(err, ERR_FAILED, NULL, "%s is not asked", q->to);
}

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	static const struct play_backend backend = { .ask = nothing };
	struct arena *a = arena_new(NULL, "fuzz");
	struct scenario *s = is_scenario(d->root) ? scenario_parse(a, d->file, d->root, err) : NULL;

	(void)ctx;
	if (s && s->steps.nr < 5) {
		struct world w = { .cluster = cluster_new(NULL, 1) };
		struct play p;

		w.control = control_new(w.cluster);
		if (play_begin(&p, s, &w, &backend, a, err))
			for (uint32_t k = 0; k < s->steps.nr; k++)
				if (s->steps.v[k].changes.advance < MINUTES(10) && s->steps.v[k].changes.timeout < MINUTES(10) && !s->steps.v[k].traffic.nr)
					play_step(&p, k);
		cluster_free(w.cluster);
	}
	arena_free(a);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc_budget budget = { .depth = 30, .nodes = 2000, .aliased = 500 };
	struct err err = { 0 };

	docs_read("fuzz/s.yaml", (const char *)data, size, &budget, take, NULL, &err);
	err_free(&err);
	return 0;
}
