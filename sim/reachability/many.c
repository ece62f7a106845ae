/* Many rows of one question. What each set contributes to them is written down once, in the order in which it is read: the words that are joined, and under which
 * ports; what the question does not concern is left out. */
#include "sim/reachability/inside.h"

struct joined { struct bits b; uint32_t spec; bool all; };      /* all: everybody */
struct many {
	uint8_t *roles;                         /* by set: ROLE_USES, ROLE_USERS, ROLE_ISOLATES of that question, without direction */
	uint32_t *from[2];                      /* by set: where its own rules' begin, and those of others for it; both end where the next begin */
	HEAP(struct joined) v;
	uint8_t *open;                          /* by ports of the destination × spec */
};

enum { MOST_OPEN = 1 << 24 };

static void write_down(struct reach *r, struct many *m, const few *uses, bool own)
{
	for (uint32_t k = 0; k < uses->nr; k++) {
		const struct use *u = &r->used.v[few_v(uses)[k]];

		if (r->specs.v[u->spec].asked != ASKED_NO)
			*heap_push(&m->v) = (struct joined){ own ? r->sets.v[u->peer].b : *reach_subjects(r, u), u->spec, own && u->peer == 0 };
	}
}

void reach_many_begin(struct reach *r)
{
	struct many *m;

	if (r->nr_members / 8 < r->sets.nr || (uint64_t)r->ports.nr * r->specs.nr > MOST_OPEN)
		return;                         /* it would not be worth it */
	m = r->many = (struct many *)heap_words(sizeof(*m) / 8);
	m->roles = (uint8_t *)heap_words(r->sets.nr / 8 + 1);
	m->open = (uint8_t *)heap_words(r->ports.nr * r->specs.nr / 8 + 1);
	for (uint32_t p = 0; p < r->ports.nr; p++)
		for (uint32_t s = 0; s < r->specs.nr; s++)
			m->open[p * r->specs.nr + s] = reach_spec_open(r, s, p);
	for (int own = 1; own >= 0; own--) {
		m->from[own] = (uint32_t *)heap_words(r->sets.nr / 2 + 1);
		for (uint32_t k = 0; k < r->sets.nr; k++) {
			const struct shape_set *t = &r->sets.v[k];

			m->from[own][k] = m->v.nr;
			write_down(r, m, own ? &t->uses[NP_INGRESS] : &t->users[NP_EGRESS], own);
			if (m->from[own][k] != m->v.nr)
				m->roles[k] |= own ? ROLE_USES : ROLE_USERS;
			if (t->isolates[NP_INGRESS])
				m->roles[k] |= ROLE_ISOLATES;
		}
		m->from[own][r->sets.nr] = m->v.nr;
	}
}

void reach_many_end(struct reach *r)
{
	struct many *m = r->many;

	if (!m)
		return;
	free(m->roles);
	free(m->open);
	free(m->from[0]);
	free(m->from[1]);
	heap_free(&m->v);
	free(m);
	r->many = NULL;
}

bool reach_many_own(struct reach *r, const struct shape *s)
{
	const struct many *m = r->many;
	const uint8_t *open = m->open + s->ports * r->specs.nr;
	bool isolated = false, all = false;

	for (uint32_t k = 0; k < s->sets.nr; k++) {
		uint32_t set = s->sets.v[k];
		uint8_t roles = m->roles[set];

		isolated = isolated || roles & ROLE_ISOLATES;
		for (uint32_t i = m->from[1][set]; roles & ROLE_USES && i < m->from[1][set + 1]; i++) {
			if (!open[m->v.v[i].spec])
				continue;
			all = all || m->v.v[i].all;
			acc_or(&r->in, &m->v.v[i].b);
		}
	}
	return !isolated || all;
}

void reach_many_others(struct reach *r, const struct shape *s)
{
	const struct many *m = r->many;
	const uint8_t *open = m->open + s->ports * r->specs.nr;

	for (uint32_t k = 0; k < s->sets.nr; k++) {
		uint32_t set = s->sets.v[k];

		for (uint32_t i = m->from[0][set]; m->roles[set] & ROLE_USERS && i < m->from[0][set + 1]; i++)
			if (open[m->v.v[i].spec])
				acc_or(&r->out, &m->v.v[i].b);
	}
	for (uint32_t i = m->from[0][0]; i < m->from[0][1]; i++)        /* of rules for everybody, the base has those without names */
		if (r->specs.v[m->v.v[i].spec].asked == ASKED_NAMED && open[m->v.v[i].spec])
			acc_or(&r->out, &m->v.v[i].b);
}
