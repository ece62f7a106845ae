/* How many slices are written, and how full they get: units/07. */
#include "model/control/slices.h"
#include "tests/conformance/units.h"

static bool any(void *ctx, const struct slice_plan *a, const struct slice_plan *b)
{
	(void)ctx;
	(void)a;
	(void)b;
	return true;
}

/* Slices of the given sizes hold the first of the Pods; every tenth of them turned unready, if so said; or all ports changed. */
static struct slice_plans existing(struct arena *a, const struct val *sizes, bool tenth, uint32_t *nr)
{
	struct slice_plans p = { 0 };

	*nr = 0;
	VAL_EACH(n, sizes) {
		struct slice_plan *s = vec_push(a, &p);

		s->old = (int32_t)p.nr - 1;
		s->alloc = (uint32_t)n->i;
		s->v = arena_array(a, struct item, n->i);
		for (; s->nr < (uint32_t)n->i; s->nr++, ++*nr)
			s->v[s->nr] = (struct item){ *nr + 1, tenth && *nr % 10 == 0 };
	}
	return p;
}

static void compare(const struct val *c, const struct slice_plans *p, const struct val *sizes)
{
	uint32_t counts[4] = { 0 }, have[16], nr = 0;
	const struct val *want = sizes->first;

	for (uint32_t k = 0; k < p->nr; k++) {
		counts[p->v[k].action]++;
		if (p->v[k].nr)
			have[nr++] = p->v[k].nr;
	}
	CASE_ASSERT(c, nr == sizes->nr);
	for (uint32_t k = 0; k < nr && want; k++, want = want->next)
		CASE_ASSERT(c, have[k] == want->i);
	CASE_ASSERT(c, counts[SLICE_CREATE] == (uint32_t)val_int_or(val_path(c, "expect.creates"), counts[SLICE_CREATE]));
	CASE_ASSERT(c, counts[SLICE_UPDATE] == (uint32_t)val_int_or(val_path(c, "expect.updates"), counts[SLICE_UPDATE]));
	CASE_ASSERT(c, counts[SLICE_DELETE] == (uint32_t)val_int_or(val_path(c, "expect.deletes"), counts[SLICE_DELETE]));
}

static void pack(struct arena *a, const struct val *c, uint32_t most, const struct val *sizes)
{
	uint32_t stood, nr = (uint32_t)val_int_or(val_path(c, "given.pods"), 0);
	struct slice_plans p = existing(a, val_path(c, "given.existingSlices"), val_path(c, "given.podsAdded") != NULL, &stood);
	struct slice_plans gone = { 0 };
	struct item *want;

	if (!nr)
		nr = stood + (uint32_t)val_int_or(val_path(c, "given.podsAdded"), 0);
	want = arena_array(a, struct item, nr);
	for (uint32_t k = 0; k < nr; k++)
		want[k] = (struct item){ k + 1, 0 };
	if (val_str_at(c, "given.change") && strstr(val_str_at(c, "given.change"), "targetPort")) {     /* another list of ports: other slices */
		gone = p;
		p = (struct slice_plans){ 0 };
	}
	slices_pack(a, &p, want, nr, most);
	for (uint32_t k = 0; k < gone.nr; k++) {
		vec_add(a, &p, gone.v[k]);
		p.v[p.nr - 1].nr = 0;
		p.v[p.nr - 1].action = SLICE_DELETE;
	}
	slices_finalize(&p, any, NULL);
	compare(c, &p, sizes);
}

TEST(endpoints_are_packed_so_that_few_slices_are_written)
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *all = unit_cases(a, "07-endpointslice-packing");
	uint32_t nr = 0;

	VAL_EACH(c, all) {
		const struct val *sizes = val_path(c, "expect.sliceSizes");

		if (!sizes)
			continue;
		nr++;
		if (!val_path(c, "given.rows"))
			pack(a, c, (uint32_t)val_int_or(val_path(c, "given.maxEndpointsPerSlice"), MAX_ENDPOINTS), sizes);
		sizes = sizes->first;
		VAL_EACH(most, val_path(c, "given.rows")) {
			pack(a, c, (uint32_t)most->i, sizes);
			sizes = sizes->next;
		}
	}
	CU_ASSERT(!all || nr >= 5);
	arena_free(a);
}
