#include "sim/reachability/unknown.h"

#include "sim/reachability/inside.h"

static bool isolated(struct cluster *c, const struct np_compiled *v, uint32_t nr, const struct pod *pod, enum np_dir dir)
{
	for (uint32_t k = 0; k < nr; k++)
		if (v[k].isolates[dir] && np_selects(c, &v[k], pod))
			return true;
	return false;
}

const struct reach_unknown *reach_unknown_find(struct reach *r, struct arena *a)
{
	struct foreign_policies all = r->idle ? (struct foreign_policies){ 0 } : foreign_policies(r->c, a);
	struct arena *scratch = all.nr ? arena_new(NULL, "unknown") : NULL;
	struct reach_unknown *u;
	struct np_compiled *np;
	uint32_t nr_np;
	bool any = false;

	if (!all.nr)
		return NULL;
	np = policies_compile(r->c, scratch, &nr_np);
	u = arena_make(a, struct reach_unknown);
	u->policies = all;
	u->out = arena_array(a, const struct foreign_policy *, reach_nr(r) + 1);
	u->in = arena_array(a, const struct foreign_policy *, reach_nr(r) + 1);
	for (uint32_t k = 0; k < reach_nr(r); k++) {
		const struct pod *pod = reach_end(r, k)->pod;

		if (!pod)
			continue;
		u->out[k] = foreign_decides(&all, r->c, pod, NP_EGRESS, isolated(r->c, np, nr_np, pod, NP_EGRESS), scratch);
		u->in[k] = foreign_decides(&all, r->c, pod, NP_INGRESS, isolated(r->c, np, nr_np, pod, NP_INGRESS), scratch);
		any = any || u->out[k] || u->in[k];
	}
	arena_free(scratch);
	return any ? u : NULL;
}

const struct foreign_policy *reach_unknown_pair(const struct reach_unknown *u, uint32_t from, uint32_t to)
{
	return !u || from == to ? NULL : u->out[from] ? u->out[from] : u->in[to];
}
