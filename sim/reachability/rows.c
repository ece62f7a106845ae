/* Rows, columns and single pairs for the question at hand: a port and a protocol. */
#include "sim/reachability/inside.h"

/* ---- the question */

static enum asked spec_asked(const struct reach *r, const struct spec *s)
{
	enum asked how = s->nr ? ASKED_NO : ASKED_YES;

	for (uint32_t k = 0; k < s->nr; k++) {
		const struct np_ports *p = &s->v[k];

		if (p->proto != r->proto)
			continue;
		if (p->any_port || (!p->name && r->port >= p->lo && r->port <= p->hi))
			return ASKED_YES;
		if (p->name)
			how = ASKED_NAMED;
	}
	return how;
}

void reach_ask_spec(struct reach *r, uint32_t spec)
{
	struct spec *s = &r->specs.v[spec];

	s->asked = (uint8_t)spec_asked(r, s);
	free(s->mask);
	s->mask = NULL;
}

void reach_ask(struct reach *r, uint8_t proto, uint16_t port)
{
	if (r->asked && r->proto == proto && r->port == port)
		return;
	r->asked = true;
	r->proto = proto;
	r->port = port;
	for (uint32_t k = 0; k < r->specs.nr; k++)
		reach_ask_spec(r, k);
	r->base_good[0] = r->base_good[1] = r->counted = false;
}

bool reach_spec_open(const struct reach *r, uint32_t spec, uint32_t ports)
{
	const struct spec *s = &r->specs.v[spec];

	for (uint32_t k = 0; s->asked == ASKED_NAMED && k < s->nr; k++)
		if (s->v[k].name && s->v[k].proto == r->proto && port_is_named(r, ports, s->v[k].name, r->proto, r->port))
			return true;
	return s->asked == ASKED_YES;
}

/* The destinations on which a list of ports with names is open. */
static const uint64_t *spec_mask(struct reach *r, uint32_t spec)
{
	struct spec *s = &r->specs.v[spec];

	if (!s->mask) {
		s->mask = heap_words(r->words);
		for (uint32_t x = 0; x < r->shapes.nr; x++)
			if (reach_spec_open(r, spec, r->shapes.v[x].ports))
				BIT_ON(s->mask, x);
	}
	return s->mask;
}

/* ---- weights: Pods of the shapes in the words that a union touched (NULL: all words), of  (a & (b | c)) or, without a, of c & ~b */

WIDE static uint64_t weigh(const struct reach *r, const struct acc *touched, const uint64_t *a, const uint64_t *b, const uint64_t *c)
{
	bool all = !touched || touched->dense;
	uint64_t sum = 0;

	for (uint32_t w = 0; all && w < r->words; w++) {
		uint64_t m = a ? a[w] & (b[w] | c[w]) : c[w] & ~b[w];

		if (m)
			sum += reach_weigh_word(r, w, m);
	}
	for (uint32_t k = all ? 0 : touched->from; !all && k < touched->end; k++)
		for (uint64_t left = touched->touched[k]; left; left &= left - 1) {
			uint32_t w = k * 64 + (uint32_t)__builtin_ctzll(left);
			uint64_t m = a ? a[w] & (b[w] | c[w]) : c[w] & ~b[w];

			if (m)
				sum += reach_weigh_word(r, w, m);
		}
	return sum;
}

/* ---- what all lines share: who is not isolated, and who has a rule for everybody */

static void make_base(struct reach *r, int d)
{
	const few *all = &r->sets.v[0].users[d];
	uint64_t *b = r->base[d];

	if (r->base_good[d])
		return;
	memcpy(b, r->open[d], r->words * sizeof(*b));
	acc_clear(&r->out);
	for (uint32_t k = 0; k < all->nr; k++) {
		const struct use *u = &r->used.v[few_v(all)[k]];
		uint8_t asked = r->specs.v[u->spec].asked;

		if (asked == ASKED_YES)
			acc_or(&r->out, reach_subjects(r, u));
		else if (asked == ASKED_NAMED && d == NP_INGRESS)       /* subjects are the destinations: each has its names */
			acc_or_masked(&r->out, reach_subjects(r, u), spec_mask(r, u->spec));
	}
	for (uint32_t w = 0; w < r->words; w++)
		b[w] |= r->out.w[w];
	r->base_weight[d] = weigh(r, NULL, b, b, b);
	acc_clear(&r->out);
	r->base_good[d] = true;
}

/* ---- a line: of the shape's own rules, and of the rules of the others that mean it */

/* Into r->in; true: everybody. dir INGRESS: the shape is the destination. */
static bool own_rules(struct reach *r, int dir, const struct shape *s)
{
	bool isolated = false, all = false;

	for (uint32_t k = 0; k < s->sets.nr; k++) {
		uint8_t roles = r->roles.v[s->sets.v[k]];
		const struct shape_set *t = &r->sets.v[s->sets.v[k]];

		isolated = isolated || roles & ROLE_ISOLATES << dir;
		for (uint32_t i = 0; roles & ROLE_USES << dir && i < t->uses[dir].nr; i++) {
			const struct use *u = &r->used.v[few_v(&t->uses[dir])[i]];
			const struct spec *p = &r->specs.v[u->spec];
			bool masked = p->asked == ASKED_NAMED && dir == NP_EGRESS;

			if (p->asked == ASKED_NO || (!masked && !reach_spec_open(r, u->spec, s->ports)))
				continue;
			if (u->peer == 0 && !masked) {
				all = true;
			} else if (u->peer == 0) {
				struct bits names = bits_lent(spec_mask(r, u->spec), r->words);

				acc_or(&r->in, &names);
			} else if (masked) {
				acc_or_masked(&r->in, &r->sets.v[u->peer].b, spec_mask(r, u->spec));
			} else {
				acc_or(&r->in, &r->sets.v[u->peer].b);
			}
		}
	}
	return !isolated || all;
}

static void others_of(struct reach *r, int other, const struct shape *s, const few *users, bool named_only)
{
	for (uint32_t i = 0; i < users->nr; i++) {
		const struct use *u = &r->used.v[few_v(users)[i]];
		uint8_t asked = r->specs.v[u->spec].asked;

		if (asked == ASKED_NO || (named_only && asked != ASKED_NAMED))
			continue;
		if (asked == ASKED_NAMED && other == NP_INGRESS)
			acc_or_masked(&r->out, reach_subjects(r, u), spec_mask(r, u->spec));
		else if (reach_spec_open(r, u->spec, s->ports))
			acc_or(&r->out, reach_subjects(r, u));
	}
}

/* Into r->out, beside the base. */
static void others_rules(struct reach *r, int other, const struct shape *s)
{
	for (uint32_t k = 0; k < s->sets.nr; k++)
		if (r->roles.v[s->sets.v[k]] & ROLE_USERS << other)
			others_of(r, other, s, &r->sets.v[s->sets.v[k]].users[other], false);
	if (other == NP_EGRESS)                 /* the base has them where the names are the line's */
		others_of(r, other, s, &r->sets.v[0].users[other], true);
}

bool reach_rules(struct reach *r, int dir, uint32_t shape)
{
	bool all, many = r->many && dir == NP_INGRESS;

	make_base(r, !dir);
	all = many ? reach_many_own(r, &r->shapes.v[shape]) : own_rules(r, dir, &r->shapes.v[shape]);
	if (many)
		reach_many_others(r, &r->shapes.v[shape]);
	else
		others_rules(r, !dir, &r->shapes.v[shape]);
	return all;
}

static bool prepare(struct reach *r, int dir, uint32_t shape)
{
	const struct shape *s = &r->shapes.v[shape];
	bool all, many = r->many && dir == NP_INGRESS;

	make_base(r, !dir);
	all = many ? reach_many_own(r, s) : own_rules(r, dir, s);
	if ((all || r->in.any) && many)
		reach_many_others(r, s);
	else if (all || r->in.any)
		others_rules(r, !dir, s);
	return all;
}

void reach_line(struct reach *r, enum np_dir dir, uint32_t shape, uint64_t *out)
{
	const uint64_t *base = r->base[!dir];
	bool all;

	if (r->ordered) {
		reach_ordered_line(r, dir, shape, out, NULL);
		return;
	}
	all = prepare(r, (int)dir, shape);
	for (uint32_t w = 0; w < r->words; w++)
		out[w] = (base[w] | r->out.w[w]) & (all ? r->live[w] : r->in.w[w]);
	acc_clear(&r->in);
	acc_clear(&r->out);
}

uint64_t reach_line_weight(struct reach *r, enum np_dir dir, uint32_t shape)
{
	const uint64_t *base = r->base[!dir];
	bool all, itself;
	uint64_t sum = 0;

	if (r->ordered)
		return reach_ordered_weight(r, dir, shape);
	all = prepare(r, (int)dir, shape);
	itself = BIT(base, shape) || BIT(r->out.w, shape);
	itself = itself && (all || BIT(r->in.w, shape));
	if (all)
		sum = r->base_weight[!dir] + weigh(r, &r->out, NULL, base, r->out.w);
	else
		sum = weigh(r, &r->in, r->in.w, base, r->out.w);
	acc_clear(&r->in);
	acc_clear(&r->out);
	return sum + !itself;           /* a Pod always reaches itself */
}

/* ---- one pair */

/* By NetworkPolicies; isolated or not. */
static bool is_allowed(struct reach *r, enum np_dir dir, uint32_t from, uint32_t to, bool *isolates)
{
	const struct shape *s = &r->shapes.v[dir == NP_INGRESS ? to : from];
	uint32_t other = dir == NP_INGRESS ? from : to, ports = r->shapes.v[to].ports;

	*isolates = false;
	for (uint32_t k = 0; k < s->sets.nr; k++) {
		uint8_t roles = r->roles.v[s->sets.v[k]];
		const struct shape_set *t = &r->sets.v[s->sets.v[k]];

		*isolates = *isolates || roles & ROLE_ISOLATES << dir;
		for (uint32_t i = 0; roles & ROLE_USES << dir && i < t->uses[dir].nr; i++) {
			const struct use *u = &r->used.v[few_v(&t->uses[dir])[i]];

			if (r->specs.v[u->spec].asked != ASKED_NO && (u->peer == 0 || bits_has(&r->sets.v[u->peer].b, other)) && reach_spec_open(r, u->spec, ports))
				return true;
		}
	}
	return false;
}

enum truth reach_dir_truth(struct reach *r, enum np_dir dir, uint32_t from, uint32_t to)
{
	bool isolated, allowed = is_allowed(r, dir, from, to, &isolated);

	if (r->ordered)
		return reach_ordered_pair(r, dir, from, to, isolated || allowed, allowed);
	return allowed || !isolated ? YES : NO;
}

bool reach_dir_open(struct reach *r, enum np_dir dir, uint32_t from, uint32_t to)
{
	return reach_dir_truth(r, dir, from, to) == YES;
}

bool reach_point(struct reach *r, uint32_t from, uint32_t to)
{
	return reach_dir_open(r, NP_INGRESS, from, to) && reach_dir_open(r, NP_EGRESS, from, to);
}
