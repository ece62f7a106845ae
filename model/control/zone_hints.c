#include "model/control/zone_hints.h"

#include <math.h>

#define OVERLOAD   0.2                  /* overloadThreshold: so much more than its share may an endpoint get */

static bool excluded(const struct node *n)
{
	return label_get(&n->o.labels, "node-role.kubernetes.io/control-plane") || label_get(&n->o.labels, "node-role.kubernetes.io/master");
}

static struct zone_share *share_of(struct zone_shares *s, struct arena *a, str zone)
{
	uint32_t at = 0;

	while (at < s->nr && strcmp(s->v[at].zone, zone) < 0)
		at++;
	if (at < s->nr && streq(s->v[at].zone, zone))
		return &s->v[at];
	vec_add(a, s, (struct zone_share){ 0 });
	memmove(&s->v[at + 1], &s->v[at], (s->nr - 1 - at) * sizeof(*s->v));
	s->v[at] = (struct zone_share){ .zone = zone };
	return &s->v[at];
}

struct zone_shares zone_shares(const struct control *t, struct arena *a)
{
	struct zone_shares s = { 0 };
	struct node_info *const *v;
	int64_t all = 0;
	uint32_t nr;

	v = nodes_all(t, &nr);
	for (uint32_t k = 0; k < nr; k++) {
		if (!v[k]->node || excluded(v[k]->node) || condition_status(&v[k]->node->conditions, "Ready") != COND_TRUE)
			continue;
		if (!v[k]->zone || !*v[k]->zone || !v[k]->can_cpu || v[k]->can_cpu == INT64_MAX)
			return (struct zone_shares){ 0 };
		share_of(&s, a, v[k]->zone)->cpu += v[k]->can_cpu;
		all += v[k]->can_cpu;
	}
	if (s.nr < 2)
		return (struct zone_shares){ 0 };
	for (uint32_t k = 0; k < s.nr; k++)
		s.v[k].ratio = (double)s.v[k].cpu / (double)all;
	return s;
}

/* What a zone shall have, and has. */
struct allocation {
	str zone;
	uint32_t have, most;
	double desired, gives, takes;           /* how many too many, or too few; as getMost takes them away one by one */
	uint32_t to_give, to_take;
};
struct allocations { struct allocation *v; uint32_t nr, alloc; };

static struct allocation *allocation_of(struct allocations *x, const char *zone)
{
	for (uint32_t k = 0; k < x->nr; k++)
		if (streq(x->v[k].zone, zone))
			return &x->v[k];
	return NULL;
}

/* getAllocations: NULL, or why there can be none. */
static const char *allocate(const struct zone_shares *s, uint32_t ready, struct arena *a, struct allocations *out)
{
	uint32_t total = 0;

	if (!s->nr)
		return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
	if (s->nr > ready)
		return arena_printf(a, "Insufficient number of endpoints (%u endpoints, %u zones)", ready, s->nr);
	for (uint32_t k = 0; k < s->nr; k++) {
		double desired = s->v[k].ratio * ready;
		uint32_t least = (uint32_t)ceil(desired * (1 / (1 + OVERLOAD)));

		total += least;
		if (total > ready)
			return arena_printf(a, "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (%u endpoints, %u zones)", ready, s->nr);
		vec_add(a, out, ((struct allocation){ .zone = s->v[k].zone, .most = least, .desired = fmax(desired, least) }));
	}
	for (uint32_t k = 0; k < out->nr; k++)
		out->v[k].most += ready - total;
	return NULL;
}

/* getHintsByZone: do the hints of a slice that nobody writes fit, beside those counted before? Then they count. */
static bool hints_stay(struct allocations *x, const struct hinted_slice *s, uint32_t *counts)
{
	memset(counts, 0, x->nr * sizeof(*counts));
	for (uint32_t k = 0; k < s->nr; k++) {
		struct allocation *z = s->v[k].hint ? allocation_of(x, s->v[k].hint) : NULL;

		if (!z)
			return false;
		counts[z - x->v]++;
	}
	for (uint32_t k = 0; k < x->nr; k++)
		if (counts[k] && counts[k] + x->v[k].have > x->v[k].most)
			return false;
	for (uint32_t k = 0; k < x->nr; k++)
		x->v[k].have += counts[k];
	return true;
}

static struct allocation *most(struct allocations *x, bool gives)
{
	struct allocation *best = NULL;
	double n = 0;

	for (uint32_t k = 0; k < x->nr; k++) {
		double here = gives ? x->v[k].gives : x->v[k].takes;

		if (here > n) {
			n = here;
			best = &x->v[k];
		}
	}
	return best;
}

/* getGivingAndReceivingZones */
static void settle_zones(struct allocations *x)
{
	for (uint32_t k = 0; k < x->nr; k++) {
		struct allocation *z = &x->v[k];

		z->gives = fmax(z->have - z->desired, 0);
		z->takes = fmax(z->desired - z->have, 0);
	}
	for (;;) {
		struct allocation *from = most(x, true), *to = most(x, false);

		if (!from || !to || (from->gives < 1 && to->takes < 1) || from->gives < 0.5 || to->takes < 0.5)
			return;
		from->to_give++;
		from->gives--;
		to->to_take++;
		to->takes--;
	}
}

/* redistributeHints */
static void redistribute(struct allocations *x, struct hinted_slice *s)
{
	for (uint32_t k = 0; k < s->nr; k++) {
		struct allocation *from = allocation_of(x, s->v[k].zone), *to = x->v, *end = x->v + x->nr;

		while (to < end && !to->to_take)
			to++;
		if (!from || !from->to_give || to == end)
			continue;
		s->v[k].hint = to->zone;
		from->to_give--;
		to->to_take--;
	}
}

static const char *no_hints(struct hinted_slice *v, uint32_t nr, const char *why)
{
	for (uint32_t k = 0; k < nr; k++)
		for (uint32_t i = 0; i < v[k].nr; i++) {
			v[k].write = v[k].write || v[k].v[i].hint;
			v[k].v[i].hint = NULL;
		}
	return why;
}

const char *zone_hints(const struct zone_shares *s, struct hinted_slice *v, uint32_t nr, struct arena *a)
{
	struct allocations x = { 0 };
	uint32_t ready = 0, *counts;
	const char *why;

	for (uint32_t k = 0; k < nr; k++)
		ready += v[k].nr;
	why = allocate(s, ready, a, &x);
	if (why)
		return no_hints(v, nr, why);
	counts = arena_array(a, uint32_t, x.nr);
	for (uint32_t k = 0; k < nr; k++)
		v[k].write = v[k].write || !hints_stay(&x, &v[k], counts);
	for (uint32_t k = 0; k < nr; k++)
		for (uint32_t i = 0; v[k].write && i < v[k].nr; i++) {
			struct allocation *z;

			if (!v[k].v[i].zone || !*v[k].v[i].zone)
				return no_hints(v, nr, "One or more endpoints do not have a zone specified");
			v[k].v[i].hint = v[k].v[i].zone;
			z = allocation_of(&x, v[k].v[i].zone);
			if (z)
				z->have++;
		}
	settle_zones(&x);
	for (uint32_t k = 0; k < nr; k++)
		if (v[k].write)
			redistribute(&x, &v[k]);
	return NULL;
}

bool zones_overloaded(const struct zone_shares *s, const uint32_t *counts, uint32_t other)
{
	uint32_t all = other;

	for (uint32_t k = 0; k < s->nr; k++)
		all += counts[k];
	for (uint32_t k = 0; k < s->nr; k++)
		if (!counts[k] || counts[k] < (uint32_t)ceil(all * s->v[k].ratio * (1 / (1 + OVERLOAD))))
			return true;
	return all && !s->nr;
}
