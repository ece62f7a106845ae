/* What the ends of rules in tiers mean, as bits over shapes. Each selector is read once, and equal ones are one; each of its comparisons is looked up in the index of labels, and in what
 * Pods inherit: that is the same for all Pods of a namespace and ServiceAccount. */
#include "model/dataplane/packet.h"
#include "sim/reachability/ordered.h"

/* ---- terms */

static uint32_t term_of(struct reach *r, struct ordered *o, const char *text, const char *prefix)
{
	str same = text ? str_intern(cluster_strings(r->c), text) : NULL;
	uint64_t h = hash_mix(map_ptr(same), map_ptr(prefix));
	struct term *t;
	uint32_t at, id;

	if (!text)
		return NONE;
	for (id = lookup_first(&o->term_ids, h, &at); id != NONE; id = lookup_next(&o->term_ids, h, &at))
		if (o->terms.v[id].text == same && o->terms.v[id].prefix == prefix)
			return id;
	t = heap_push(&o->terms);
	*t = (struct term){ .text = same, .prefix = prefix };
	t->faulty = !calico_compile(text, r->a, &t->steps);
	lookup_put(&o->term_ids, h, o->terms.nr - 1);
	return o->terms.nr - 1;
}

struct end_terms reach_end_terms(struct reach *r, struct ordered *o, const struct tier_end *e)
{
	static const char own[] = "", space[] = "pcns.", account[] = "pcsa.";
	const uint32_t ids[] = { term_of(r, o, e->selector, own), term_of(r, o, e->named, own), term_of(r, o, e->spaces, space), term_of(r, o, e->accounts, account) };
	struct end_terms t = { .without = term_of(r, o, e->without, own) };

	for (size_t k = 0; k < ARRAY_LEN(ids); k++)
		if (ids[k] != NONE)
			t.all[t.nr++] = ids[k];
	return t;
}

void reach_terms_free(struct ordered *o)
{
	for (uint32_t k = 0; k < o->terms.nr; k++)
		bits_free(&o->terms.v[k].b);
	heap_free(&o->terms);
	lookup_free(&o->term_ids);
}

static bool selects_anything(const struct tier_end *e, const struct end_terms *t)
{
	return t->nr || e->space;
}

/* ---- profiles: which ends count for a shape's own line, and which for those of the others (as ordered.c asks them) */

static uint64_t token(uint32_t n, int k)
{
	return hash_mix(n + 1, (uint64_t)k + 177);
}

/* What one more end means of a shape that it means. */
struct mark { uint64_t token[2]; bool in[2][2]; /* which profiles it counts for, as in struct profile_key */ };

static struct mark mark_of(const struct o_policy *p, const struct o_rule *rule, int end, uint32_t number, bool maybe)
{
	struct mark m = { .token = { token(number * 2 + maybe, 0), token(number * 2 + maybe, 1) } };
	int line = end ? NP_INGRESS : NP_EGRESS;

	if (rule)
		m.in[line][rule->r->dir == line] = true;
	for (int d = 0; !rule && d < 2; d++)
		m.in[d][1] = p->p->decides[d];
	return m;
}

static void sign(struct reach *r, uint32_t shape, const struct mark *m)
{
	struct profile_key *key = &r->ordered->keys.v[shape];

	for (int k = 0; k < 2; k++)
		r->shapes.v[shape].sig[k] ^= m->token[k];
	for (int d = 0; d < 2; d++)
		for (int own = 0; own < 2; own++)
			key->of[d][own] ^= m->in[d][own] ? m->token[0] : 0;
}

/* What a line also depends on: families, and where rules have names of ports, the destination's. */
static void sign_first(struct reach *r, uint32_t shape)
{
	const struct shape *s = &r->shapes.v[shape];

	for (int d = 0; d < 2; d++)
		for (int own = 0; own < 2; own++)
			r->ordered->keys.v[shape].of[d][own] = hash_mix(d == NP_INGRESS && r->ordered->names[own] ? s->ports + 1u : 0, s->families);
}

/* ---- all shapes at once */

struct group { uint32_t space; str account; pair_list labels; };
struct all_shapes {
	struct reach *r;
	struct arena *a;
	uint64_t *live, *inside, *stack, *addresses;     /* all; those with a namespace */
	HEAP(struct group) groups; struct lookup group_ids;
	numbers group_of, from, members;         /* shapes, by group */
	numbers key_from, by_key;                /* pairs, by key */
	struct map values;                       /* a given label's key → its value by group */
	uint64_t *sure, *maybe, *without;
	uint32_t token;
};

static uint32_t find_group(struct all_shapes *x, uint32_t space, str account)
{
	uint64_t h = hash_mix(space, map_ptr(account));
	static const pair_list none;
	uint32_t at, id;

	for (id = lookup_first(&x->group_ids, h, &at); id != NONE; id = lookup_next(&x->group_ids, h, &at))
		if (x->groups.v[id].space == space && x->groups.v[id].account == account)
			return id;
	*heap_push(&x->groups) = (struct group){ space, account, tier_labels(x->r->c, &none, x->r->spaces.v[space].name, account, x->a) };
	lookup_put(&x->group_ids, h, x->groups.nr - 1);
	return x->groups.nr - 1;
}

/* The members of each key are members[from[key]] … members[from[key + 1] - 1]. */
static void count_up(numbers *from, numbers *members, const uint32_t *key_of, uint32_t nr, uint32_t nr_keys)
{
	heap_room(from, nr_keys + 2);
	heap_room(members, nr + 1);
	for (uint32_t k = 0; k < nr; k++)
		if (key_of[k] != NONE)
			from->v[key_of[k] + 2]++;
	for (uint32_t k = 2; k < nr_keys + 2; k++)
		from->v[k] += from->v[k - 1];
	for (uint32_t k = 0; k < nr; k++)
		if (key_of[k] != NONE)
			members->v[from->v[key_of[k] + 1]++] = k;
}

static struct all_shapes all_shapes_new(struct reach *r)
{
	struct all_shapes x = { .r = r, .a = arena_new(NULL, "selectors") };

	x.live = heap_words(r->words * (CALICO_DEPTH + 6));
	x.inside = x.live + r->words;
	x.addresses = x.live + r->words * 2;
	x.sure = x.live + r->words * 3;
	x.maybe = x.live + r->words * 4;
	x.without = x.live + r->words * 5;
	x.stack = x.live + r->words * 6;
	for (uint32_t s = 0; s < r->shapes.nr; s++) {
		uint32_t space = r->shapes.v[s].space;

		BIT_ON(x.live, s);
		if (space != NONE)
			BIT_ON(x.inside, s);
		*heap_push(&x.group_of) = space != NONE ? find_group(&x, space, r->ordered->accounts.v[s]) : NONE;
	}
	count_up(&x.from, &x.members, x.group_of.v, r->shapes.nr, x.groups.nr);
	count_up(&x.key_from, &x.by_key, r->key_of.v, r->pairs.nr, r->key_ids.nr);
	return x;
}

static void all_shapes_free(struct all_shapes *x)
{
	free(x->live);
	heap_free(&x->groups);
	heap_free(&x->group_of);
	heap_free(&x->from);
	heap_free(&x->members);
	heap_free(&x->key_from);
	heap_free(&x->by_key);
	lookup_free(&x->group_ids);
	arena_free(x->a);
}

static void set_all(uint64_t *to, const uint32_t *members, uint32_t nr, bool on)
{
	for (uint32_t k = 0; k < nr; k++)
		if (on)
			BIT_ON(to, members[k]);
		else
			BIT_OFF(to, members[k]);
}

static void set_pair(const struct all_shapes *x, uint64_t *to, uint32_t pair, bool on)
{
	const struct reach *r = x->r;

	if (pair + 1 < r->pair_from.nr)
		set_all(to, r->by_pair.v + r->pair_from.v[pair], r->pair_from.v[pair + 1] - r->pair_from.v[pair], on);
}

static str *values_of(struct all_shapes *x, str key)
{
	uint64_t *at = map_put(&x->values, x->a, map_ptr(key));

	if (!*at) {
		str *v = arena_array(x->a, str, x->groups.nr + 1);

		for (uint32_t g = 0; g < x->groups.nr; g++)
			v[g] = label_get(&x->groups.v[g].labels, key);
		*at = map_ptr(v);
	}
	return (str *)(uintptr_t)*at;
}

static void compare_given(struct all_shapes *x, const struct calico_step *s, str key, bool absent, uint64_t *to)
{
	const str *v = values_of(x, key);

	for (uint32_t g = 0; g < x->groups.nr; g++)
		if (v[g] && calico_step_holds(s, v[g]) != absent)
			set_all(to, x->members.v + x->from.v[g], x->from.v[g + 1] - x->from.v[g], !absent);
}

static void compare_own(struct all_shapes *x, const struct calico_step *s, str key, bool absent, uint64_t *to)
{
	struct strtab *strings = cluster_strings(x->r->c);
	uint64_t *id = map_find(&x->r->key_ids, map_ptr(key));
	uint32_t at, pair;

	if (!id)
		return;
	if (s->op == CALICO_EQUAL || s->op == CALICO_DIFFERS || s->op == CALICO_IN || s->op == CALICO_NOT_IN) {
		for (uint32_t k = 0; k < s->nr; k++) {
			str value = str_intern(strings, s->values[k]);
			uint64_t h = hash_mix(map_ptr(key), map_ptr(value));

			for (pair = lookup_first(&x->r->pair_ids, h, &at); pair != NONE; pair = lookup_next(&x->r->pair_ids, h, &at))
				if (x->r->pairs.v[pair].key == key && x->r->pairs.v[pair].value == value)
					set_pair(x, to, pair, !absent);
		}
		return;
	}
	for (uint32_t k = x->key_from.v[*id - 1]; k < x->key_from.v[*id]; k++)
		if (calico_step_holds(s, x->r->pairs.v[x->by_key.v[k]].value) != absent)
			set_pair(x, to, x->by_key.v[k], !absent);
}

static void compare(struct all_shapes *x, const struct calico_step *s, const char *prefix, uint64_t *to)
{
	str key = str_intern(cluster_strings(x->r->c), arena_printf(x->a, "%s%s", prefix, s->key));
	bool absent = calico_step_holds(s, NULL);

	if (absent)
		memcpy(to, x->inside, x->r->words * sizeof(*to));
	else
		memset(to, 0, x->r->words * sizeof(*to));
	if (tier_label_is_given(key))
		compare_given(x, s, key, absent, to);
	else
		compare_own(x, s, key, absent, to);
}

static void evaluate(struct all_shapes *x, struct term *t)
{
	uint32_t words = x->r->words;
	uint64_t *top = x->stack;                /* behind the last value */

	if (!t->steps.nr) {
		memcpy(top, x->inside, words * sizeof(*top));
		top += words;
	}
	for (uint32_t k = 0; k < t->steps.nr; k++) {
		const struct calico_step *s = &t->steps.v[k];
		uint64_t *last = top - words, *before = last - words;

		switch (s->op) {
		case CALICO_NOT:
			for (uint32_t w = 0; w < words; w++)
				last[w] = x->inside[w] & ~last[w];
			break;
		case CALICO_AND:
		case CALICO_OR:
			for (uint32_t w = 0; w < words; w++)
				before[w] = s->op == CALICO_AND ? before[w] & last[w] : before[w] | last[w];
			top = last;
			break;
		case CALICO_ALL:                 /* a Pod has a namespace and a ServiceAccount */
		case CALICO_GLOBAL:
			memset(top, 0, words * sizeof(*top));
			if (s->op == CALICO_ALL || !*t->prefix)
				memcpy(top, x->inside, words * sizeof(*top));
			top += words;
			break;
		default:
			compare(x, s, t->prefix, top);
			top += words;
		}
	}
	bits_from_words(&t->b, x->stack, words, reach_pool(x->r));
}

/* ---- ends */

static void to_words(uint64_t *to, uint32_t words, const struct bits *b)
{
	memset(to, 0, words * sizeof(*to));
	if (bits_is_span(b))
		memcpy(to + bits_first(b), b->word, bits_length(b) * sizeof(*to));
	else
		for (uint32_t k = 0; k < b->nr; k++)
			to[bits_places(b)[k]] = bits_masks(b)[k];
}

/* Of a single namespace: its shapes are asked one by one. */
static void selected_in(const struct all_shapes *x, uint32_t space, const struct end_terms *t, uint64_t *to)
{
	for (uint32_t s = space != NONE ? x->r->spaces.v[space].first : NONE; s != NONE; s = x->r->shapes.v[s].next) {
		bool is = true;

		for (uint32_t k = 0; is && k < t->nr; k++)
			is = x->r->ordered->terms.v[t->all[k]].faulty || bits_has(&x->r->ordered->terms.v[t->all[k]].b, s);
		if (is)
			BIT_ON(to, s);
	}
}

/* What all selectors mean; faulty ones mean anything, but not for sure. */
static void selected(struct all_shapes *x, const struct tier_end *e, const struct end_terms *t)
{
	uint32_t words = x->r->words;
	uint64_t *to = x->stack, *of = x->stack + words;
	bool faulty = false;

	memset(to, 0, words * sizeof(*to));
	if (e->space)
		selected_in(x, reach_known_space(x->r, e->space), t, to);
	else
		memcpy(to, x->inside, words * sizeof(*to));
	for (uint32_t k = 0; k < t->nr; k++) {
		const struct term *is = &x->r->ordered->terms.v[t->all[k]];

		faulty = faulty || is->faulty;
		if (is->faulty || e->space)
			continue;
		to_words(of, words, &is->b);
		for (uint32_t w = 0; w < words; w++)
			to[w] &= of[w];
	}
	memset(x->sure, 0, words * sizeof(*to));
	memset(x->maybe, 0, words * sizeof(*to));
	memcpy(faulty ? x->maybe : x->sure, to, words * sizeof(*to));
}

static ip_addr address_of(const struct reach *r, uint32_t shape, int end, int other)
{
	const struct shape *s = &r->shapes.v[shape];

	return r->atoms.v[s->atom[r->dual ? reach_address_used(end, s->families, (uint8_t)other) : 0]].at;
}

static bool family_is(ip_addr ip, int end, uint8_t family)
{
	return !end || !family || ip_is4(ip) == (family == 4);
}

enum about { MEMBERS, WITHOUT_MEMBERS, NETS };
static bool address_has(const struct tier_end *e, enum about what, ip_addr ip, int end, uint8_t family)
{
	switch (what) {
	case MEMBERS:         return tier_members_have(&e->members, ip);
	case WITHOUT_MEMBERS: return tier_members_have(&e->without_members, ip);
	case NETS:            return tier_nets_have(e, ip) && family_is(ip, end, family);
	}
	return false;
}

/* The shapes whose address that part of an end has; each atom is asked once. */
static const uint64_t *addresses(struct all_shapes *x, const struct tier_end *e, enum about what, int end, int other, uint8_t family)
{
	const struct reach *r = x->r;

	memset(x->addresses, 0, r->words * sizeof(*x->addresses));
	for (uint32_t k = 0; !r->dual && k + 1 < r->atom_from.nr; k++)
		if (r->atom_from.v[k] < r->atom_from.v[k + 1] && address_has(e, what, r->atoms.v[k].at, end, family))
			set_all(x->addresses, r->by_atom.v + r->atom_from.v[k], r->atom_from.v[k + 1] - r->atom_from.v[k], true);
	for (uint32_t s = 0; r->dual && s < r->shapes.nr; s++)
		if (address_has(e, what, address_of(r, s, end, other), end, family))
			BIT_ON(x->addresses, s);
	return x->addresses;
}

static void mean_end(struct all_shapes *x, const struct tier_end *e, const struct end_terms *t, int end, int other, uint8_t family)
{
	uint32_t words = x->r->words;
	const uint64_t *at;
	bool faulty = t->without != NONE && x->r->ordered->terms.v[t->without].faulty;

	if (selects_anything(e, t)) {
		selected(x, e, t);
		at = e->members.nr ? addresses(x, e, MEMBERS, end, other, family) : NULL;
		for (uint32_t w = 0; at && w < words; w++) {
			x->sure[w] |= at[w];
			x->maybe[w] &= ~at[w];
		}
	} else {
		memcpy(x->sure, x->live, words * sizeof(*x->sure));
		memset(x->maybe, 0, words * sizeof(*x->maybe));
	}
	if (t->without != NONE) {
		if (faulty)
			memset(x->without, 0, words * sizeof(*x->without));
		else
			to_words(x->without, words, &x->r->ordered->terms.v[t->without].b);
		at = e->without_members.nr ? addresses(x, e, WITHOUT_MEMBERS, end, other, family) : NULL;
		for (uint32_t w = 0; w < words; w++) {
			uint64_t out = x->without[w] | (at ? at[w] : 0), doubtful = faulty ? x->inside[w] : 0;

			x->maybe[w] = (x->maybe[w] | (x->sure[w] & doubtful)) & ~out;
			x->sure[w] &= ~out & ~doubtful;
		}
	}
	if (e->has_nets || e->has_without_nets || (end && family)) {
		at = addresses(x, e, NETS, end, other, family);
		for (uint32_t w = 0; w < words; w++) {
			x->sure[w] &= at[w];
			x->maybe[w] &= at[w];
		}
	}
}

static void sign_all(struct all_shapes *x, const struct bits *b, const struct o_policy *p, const struct o_rule *rule, int end, bool maybe)
{
	struct mark mark = mark_of(p, rule, end, x->token, maybe);
	numbers *m = &x->r->scratch;

	m->nr = 0;
	bits_list(b, m);
	for (uint32_t k = 0; k < m->nr; k++)
		sign(x->r, m->v[k], &mark);
}

static void mean(void *ctx, struct meant *m, const struct o_policy *p, const struct o_rule *rule, int end)
{
	struct all_shapes *x = ctx;

	for (int f = 0; f < m->nr && !m->any; f++) {
		if (rule)
			mean_end(x, &rule->r->end[end], &rule->ids[end], end, f, rule->r->family);
		else
			selected(x, &p->p->subject, &p->ids);
		x->token++;
		bits_from_words(&m->sure[f], x->sure, x->r->words, reach_pool(x->r));
		bits_from_words(&m->maybe[f], x->maybe, x->r->words, reach_pool(x->r));
		x->r->ordered->doubt = x->r->ordered->doubt || m->maybe[f].nr;
		sign_all(x, &m->sure[f], p, rule, end, false);
		sign_all(x, &m->maybe[f], p, rule, end, true);
	}
}

void reach_mean_all(struct reach *r)
{
	struct all_shapes x = all_shapes_new(r);

	for (uint32_t s = 0; s < r->shapes.nr; s++)
		sign_first(r, s);
	for (uint32_t k = 0; k < r->ordered->terms.nr; k++)
		if (!r->ordered->terms.v[k].faulty)
			evaluate(&x, &r->ordered->terms.v[k]);
	reach_each_meant(r->ordered, mean, &x);
	all_shapes_free(&x);
}

/* ---- one shape */

struct one_shape { struct reach *r; uint32_t shape, token; const pair_list *labels; uint8_t *truth; /* of terms: 1 + enum truth */ };

static bool holds(const struct term *t, const pair_list *labels, struct arena *a)
{
	bool stack[CALICO_DEPTH], *top = stack;

	for (uint32_t k = 0; k < t->steps.nr; k++) {
		const struct calico_step *s = &t->steps.v[k];

		switch (s->op) {
		case CALICO_NOT:    top[-1] = !top[-1]; break;
		case CALICO_AND:    top[-2] = top[-2] && top[-1]; top--; break;
		case CALICO_OR:     top[-2] = top[-2] || top[-1]; top--; break;
		case CALICO_ALL:    *top++ = true; break;
		case CALICO_GLOBAL: *top++ = !*t->prefix; break;
		default:            *top++ = calico_step_holds(s, label_get(labels, *t->prefix ? arena_printf(a, "%s%s", t->prefix, s->key) : s->key));
		}
	}
	return !t->steps.nr || stack[0];
}

static enum truth term_truth(const struct one_shape *x, uint32_t id)
{
	const struct term *t = &x->r->ordered->terms.v[id];

	if (!x->labels)
		return NO;
	if (!x->truth[id])
		x->truth[id] = (uint8_t)(1 + (t->faulty ? MAYBE : holds(t, x->labels, x->r->scratch_arena) ? YES : NO));
	return (enum truth)(x->truth[id] - 1);
}

static enum truth selects(const struct one_shape *x, const struct tier_end *e, const struct end_terms *t)
{
	const struct shape *s = &x->r->shapes.v[x->shape];
	enum truth is = x->labels && (!e->space || streq(e->space, x->r->spaces.v[s->space].name)) ? YES : NO;

	for (uint32_t k = 0; is != NO && k < t->nr; k++)
		is = truth_and(is, term_truth(x, t->all[k]));
	return is;
}

/* As tier_end_has. */
static enum truth end_truth(const struct one_shape *x, const struct o_rule *rule, int end, int other)
{
	const struct tier_end *e = &rule->r->end[end];
	const struct end_terms *t = &rule->ids[end];
	ip_addr ip = address_of(x->r, x->shape, end, other);
	enum truth is = YES;

	if (!address_has(e, NETS, ip, end, rule->r->family))
		return NO;
	if (selects_anything(e, t))
		is = truth_or(tier_members_have(&e->members, ip) ? YES : NO, selects(x, e, t));
	if (t->without != NONE)
		is = truth_and(is, truth_not(truth_or(tier_members_have(&e->without_members, ip) ? YES : NO, term_truth(x, t->without))));
	return is;
}

static void look(void *ctx, struct meant *m, const struct o_policy *p, const struct o_rule *rule, int end)
{
	struct one_shape *x = ctx;

	for (int f = 0; f < m->nr && !m->any; f++) {
		enum truth t = rule ? end_truth(x, rule, end, f) : selects(x, &p->p->subject, &p->ids);
		struct mark mark;

		x->token++;
		if (t == NO)
			continue;
		bits_add(t == YES ? &m->sure[f] : &m->maybe[f], x->shape, x->r->words);
		x->r->ordered->doubt = x->r->ordered->doubt || t == MAYBE;
		mark = mark_of(p, rule, end, x->token, t == MAYBE);
		sign(x->r, x->shape, &mark);
	}
}

void reach_mean_one(struct reach *r, uint32_t shape)
{
	struct arena_mark mark = arena_mark(r->scratch_arena);
	const struct shape *s = &r->shapes.v[shape];
	struct one_shape x = { .r = r, .shape = shape, .truth = arena_array(r->scratch_arena, uint8_t, r->ordered->terms.nr + 1) };
	pair_list own = { 0 }, all;

	if (s->space != NONE) {
		own.nr = s->nr_labels;
		own.v = arena_array(r->scratch_arena, struct pair, s->nr_labels + 1u);
		for (uint32_t k = 0; k < s->nr_labels; k++)
			own.v[k] = r->pairs.v[r->labels.v[s->labels + k]];
		all = tier_labels(r->c, &own, r->spaces.v[s->space].name, r->ordered->accounts.v[shape], r->scratch_arena);
		x.labels = &all;
	}
	sign_first(r, shape);
	reach_each_meant(r->ordered, look, &x);
	arena_rewind(r->scratch_arena, mark);
}
