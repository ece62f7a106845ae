/* The selectors of policies in tiers, as bits over shapes. Each is read once, and equal ones are one; each of its comparisons is looked up in the index of labels, and in what
 * Pods inherit: that is the same for all Pods of a namespace and ServiceAccount. */
#include "sim/reachability/ordered.h"

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

/* ---- of all shapes */

struct group { uint32_t space; str account; pair_list labels; };
struct evaluation {
	struct reach *r;
	struct arena *a;
	uint64_t *inside, *stack;               /* shapes with a namespace */
	HEAP(struct group) groups; struct lookup group_ids;
	numbers group_of, from, members;         /* shapes, by group */
	numbers key_from, by_key;                /* pairs, by key */
	struct map values;                       /* a given label's key → its value by group */
};

static uint32_t find_group(struct evaluation *x, uint32_t space, str account)
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

static struct evaluation evaluation_new(struct reach *r)
{
	struct evaluation x = { .r = r, .a = arena_new(NULL, "selectors") };

	x.inside = heap_words(r->words * (CALICO_DEPTH + 1));
	x.stack = x.inside + r->words;
	for (uint32_t s = 0; s < r->shapes.nr; s++) {
		uint32_t space = r->shapes.v[s].space;

		if (space != NONE)
			BIT_ON(x.inside, s);
		*heap_push(&x.group_of) = space != NONE ? find_group(&x, space, r->ordered->accounts.v[s]) : NONE;
	}
	count_up(&x.from, &x.members, x.group_of.v, r->shapes.nr, x.groups.nr);
	count_up(&x.key_from, &x.by_key, r->key_of.v, r->pairs.nr, r->key_ids.nr);
	return x;
}

static void evaluation_free(struct evaluation *x)
{
	free(x->inside);
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

static void set_pair(const struct evaluation *x, uint64_t *to, uint32_t pair, bool on)
{
	const struct reach *r = x->r;

	if (pair + 1 < r->pair_from.nr)
		set_all(to, r->by_pair.v + r->pair_from.v[pair], r->pair_from.v[pair + 1] - r->pair_from.v[pair], on);
}

static str *values_of(struct evaluation *x, str key)
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

static void compare_given(struct evaluation *x, const struct calico_step *s, str key, bool absent, uint64_t *to)
{
	const str *v = values_of(x, key);

	for (uint32_t g = 0; g < x->groups.nr; g++)
		if (v[g] && calico_step_holds(s, v[g]) != absent)
			set_all(to, x->members.v + x->from.v[g], x->from.v[g + 1] - x->from.v[g], !absent);
}

static void compare_own(struct evaluation *x, const struct calico_step *s, str key, bool absent, uint64_t *to)
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

static void compare(struct evaluation *x, const struct calico_step *s, const char *prefix, uint64_t *to)
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

static void evaluate(struct evaluation *x, struct term *t)
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

void reach_terms_evaluate(struct reach *r)
{
	struct evaluation x = evaluation_new(r);

	for (uint32_t k = 0; k < r->ordered->terms.nr; k++)
		if (!r->ordered->terms.v[k].faulty)
			evaluate(&x, &r->ordered->terms.v[k]);
	evaluation_free(&x);
}

/* ---- of one */

bool reach_term_holds(const struct term *t, const pair_list *labels, struct arena *a)
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
