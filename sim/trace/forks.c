/* What nobody can tell: a rule that is not modelled, a set that was not captured, an interface that is not known. Theory of operation: the walk follows both ways, like
 * a choice of chance, but without shares. Where all ways come to the same end, that end is certain, and the gap did not matter; where they do not, the outcome is
 * `unknown`, and names the gap at which the ways part. What all ways that go on agree on (NAT, masquerade) still stands in the outcome.
 *
 * Two runs that come to the same gap in the same state go on alike, so only the first goes on: the number of runs grows with the gaps, not with 2 to their power. */
#include "sim/trace/walker.h"

#define MAX_RUNS 1000

static uint64_t mix_ip(uint64_t h, ip_addr a)
{
	return hash_mix(hash_mix(h, a.hi), a.lo);
}

static uint64_t mix_tuple(uint64_t h, const struct tuple *t)
{
	return hash_mix(mix_ip(mix_ip(h, t->src), t->dst), (uint64_t)t->sport << 32 | (uint64_t)t->dport << 8 | t->proto);
}

/* All that a run carries along: the packet, its connections, the choices of chance. */
static uint64_t state_of(const struct walker *w)
{
	struct tuple t = tuple_of(&w->p);
	uint64_t h = hash_mix(w->ns.i, (uint64_t)w->back << 33 | (uint64_t)w->is_reply << 32 | w->p.mark);

	h = mix_tuple(hash_mix(h, (uint64_t)w->p.ct_mark << 16 | (uint64_t)w->p.ct_state << 8 | w->p.ct_status), &t);
	h = hash_mix(hash_mix(h, map_ptr(w->p.iif)), map_ptr(w->p.oif));
	for (uint32_t k = 0; k < w->nr_cts; k++) {
		const struct ct *c = ct_at(w, k);

		h = mix_tuple(mix_tuple(h, &c->orig), &c->reply);
		h = hash_mix(h, (uint64_t)c->mark << 8 | (uint64_t)c->invalid << 4 | (uint64_t)c->dst_done << 3 | (uint64_t)c->src_done << 2 | (uint64_t)c->dnat << 1 | c->snat);
	}
	for (uint32_t k = 0; k < w->at_choice; k++)
		if (!w->choices.v[k].unknown)
			h = hash_mix(h, (uint64_t)k << 32 | w->choices.v[k].taken);
	return hash_mix(h, (uint64_t)w->out.dnat << 2 | (uint64_t)w->out.snat << 1 | w->out.masqueraded);
}

uint32_t unknown_way(struct walker *w, const char *why, uint64_t state)
{
	uint64_t *seen;

	if (w->flags & (WALK_DRAW | WALK_KEEP) || (w->at_choice == w->choices.nr && w->runs > MAX_RUNS)) {
		end(w, V_UNKNOWN, "%s", why);
		return WAY_ENDS;
	}
	if (w->at_choice == w->choices.nr) {
		seen = map_put(w->met, w->a, hash_mix(state_of(w), state));
		if (*seen) {
			w->same = true;
			end(w, V_UNKNOWN, "%s", why);
			return WAY_ENDS;
		}
		*seen = 1;
		vec_add(w->a, &w->choices, (struct choice){ .ways = 2, .num = 1, .den = 1, .unknown = why });
	}
	return w->choices.v[w->at_choice++].taken;
}

struct ran ran_of(const struct walker *w, struct arena *a)
{
	return (struct ran){ w->out, arena_copy(a, w->choices.v, w->at_choice * sizeof(*w->choices.v)), w->at_choice };
}

/* ---- merging */

/* Did chance choose alike, as far as the shorter of both goes? *shorter: x stopped before y did. */
static bool same_chance(const struct ran *x, const struct ran *y, bool *shorter)
{
	uint32_t i = 0, j = 0;

	for (;;) {
		while (i < x->nr && x->script[i].unknown)
			i++;
		while (j < y->nr && y->script[j].unknown)
			j++;
		if (i == x->nr || j == y->nr) {
			*shorter = i == x->nr && j < y->nr;
			return i == x->nr;
		}
		if (x->script[i].taken != y->script[j].taken || x->script[i].ways != y->script[j].ways)
			return false;
		i++;
		j++;
	}
}

/* How often chance chose, and what: equal runs have equal hashes. */
static uint64_t chances(const struct ran *x, uint32_t *nr)
{
	uint64_t h = 0;

	*nr = 0;
	for (uint32_t k = 0; k < x->nr; k++)
		if (!x->script[k].unknown) {
			h = hash_mix(h, (uint64_t)x->script[k].ways << 32 | x->script[k].taken);
			++*nr;
		}
	return h;
}

/* Where two runs part: the gap that nobody can fill. */
static const char *gap(const struct ran *x, const struct ran *y)
{
	for (uint32_t k = 0; k < x->nr && k < y->nr; k++)
		if (x->script[k].taken != y->script[k].taken)
			return x->script[k].unknown;
	return NULL;
}

static bool same_end(const struct outcome *x, const struct outcome *y)
{
	return same_outcome(x, y) && x->there.verdict != V_UNKNOWN && x->snat == y->snat && (!x->snat || ip_eq(x->snat_to, y->snat_to)) &&
	       ip_eq(x->there.as_seen.src, y->there.as_seen.src);
}

static int progress(const struct outcome *o)
{
	return o->there.verdict == V_DELIVERED ? 3 + o->answered : o->there.verdict == V_UNKNOWN ? 1 : 2;
}

/* One group: all runs that are possible together. first: the one that came furthest; it keeps what all that came as far agree on. */
static struct outcome merged(const struct ran *v, const uint32_t *in, uint32_t nr, struct arena *a)
{
	struct outcome out = v[in[0]].out;
	const struct ran *best = &v[in[0]], *other = NULL;
	const char *why = NULL;

	for (uint32_t k = 1; k < nr; k++)
		if (progress(&v[in[k]].out) > progress(&best->out))
			best = &v[in[k]];
	for (uint32_t k = 0; k < nr; k++)
		if (&v[in[k]] != best && !same_end(&best->out, &v[in[k]].out) && !other)
			other = &v[in[k]];
	for (uint32_t k = 0; other && k < nr; k++)      /* the two that part last tell the gap best */
		for (uint32_t i = k + 1; i < nr && !why; i++)
			if (!same_end(&v[in[k]].out, &v[in[i]].out))
				why = gap(&v[in[k]], &v[in[i]]);
	if (!other && best->out.there.verdict != V_UNKNOWN)
		return best->out;
	out = best->out;
	for (uint32_t k = 0; k < nr; k++) {
		const struct outcome *o = &v[in[k]].out;

		if (progress(o) != progress(&best->out))
			continue;
		if (o->dnat != out.dnat || !same_tuple(&o->first_nat, &out.first_nat)) {
			out.dnat = o->dnat && out.dnat && ip_eq(o->first_nat.dst, out.first_nat.dst) && o->first_nat.dport == out.first_nat.dport;
		}
		out.snat = out.snat && o->snat && ip_eq(o->snat_to, out.snat_to);
		out.masqueraded = out.masqueraded && o->masqueraded;
	}
	if (other && why)
		out.there.reason = arena_printf(a, "%s: one way it is %s, the other way %s", why, verdict_names[best->out.there.verdict],
						other->out.there.verdict == best->out.there.verdict ? "otherwise" : verdict_names[other->out.there.verdict]);
	out.there.verdict = V_UNKNOWN;
	out.back.verdict = V_UNKNOWN;
	out.answered = false;
	return out;
}

struct trace merge_runs(const struct ran *v, uint32_t nr, struct frac certain, struct arena *a)
{
	VEC(struct outcome) all = { 0 };
	uint32_t *in = arena_array(a, uint32_t, nr), *len = arena_array(a, uint32_t, nr);
	uint64_t *hash = arena_array(a, uint64_t, nr);
	bool *done = arena_array(a, bool, nr), shorter;
	struct frac total = certain;

	for (uint32_t k = 0; k < nr; k++)
		hash[k] = chances(&v[k], &len[k]);
	for (uint32_t k = 0; k < nr; k++) {             /* one that chance took further stands for those that stopped before */
		bool stub = false;

		for (uint32_t i = 0; i < nr && !stub; i++)
			stub = len[i] > len[k] && same_chance(&v[k], &v[i], &shorter) && shorter;
		done[k] = stub;
	}
	for (uint32_t k = 0; k < nr; k++) {
		struct outcome o;
		uint32_t n = 0;

		if (done[k])
			continue;
		for (uint32_t i = 0; i < nr; i++)
			if (len[i] == len[k] ? hash[i] == hash[k] : len[i] < len[k] && same_chance(&v[i], &v[k], &shorter)) {
				in[n++] = i;
				done[i] = done[i] || len[i] == len[k];
			}
		o = merged(v, in, n, a);
		o.p = frac_of_choices(v[k].script, v[k].nr);
		total = frac_add(total, o.p);
		vec_add(a, &all, o);
	}
	if (total.num != total.den && !certain.num) {   /* chance itself depends on the gap: then nothing is left to tell */
		for (uint32_t k = 0; k < nr; k++)
			in[k] = k;
		all.nr = 0;
		vec_add(a, &all, merged(v, in, nr, a));
		all.v[0].p = (struct frac){ 1, 1 };
	}
	return (struct trace){ all.v, all.nr };
}
