/* From compiled policies to sets and uses, and back out again when one changes. What a policy holds on to is a list of pairs: a set of subjects, and what it does to
 * them: a use, or that it isolates them. */
#include "model/dataplane/packet.h"
#include "sim/reachability/inside.h"

#define ISOLATES(d) (NONE - 1 - (uint32_t)(d))          /* instead of a use */

static bool is_isolation(uint32_t what)
{
	return what >= ISOLATES(1);
}

static int dir_of(const struct reach *r, uint32_t what)
{
	return is_isolation(what) ? (int)(NONE - 1 - what) : r->used.v[what].dir;
}

/* ---- ports */

static uint32_t reach_spec(struct reach *r, const struct np_ports *v, uint32_t nr)
{
	uint64_t h = nr;
	struct spec *s;
	uint32_t at, i;

	for (uint32_t k = 0; k < nr; k++)
		h = hash_mix(hash_mix(h, map_ptr(v[k].name)), (uint64_t)v[k].proto << 40 | (uint64_t)v[k].any_port << 32 | (uint64_t)v[k].lo << 16 | v[k].hi);
	for (uint32_t id = lookup_first(&r->spec_ids, h, &at); id != NONE; id = lookup_next(&r->spec_ids, h, &at)) {
		s = &r->specs.v[id];
		for (i = 0; s->nr == nr && i < nr; i++)
			if (s->v[i].proto != v[i].proto || s->v[i].any_port != v[i].any_port || s->v[i].lo != v[i].lo || s->v[i].hi != v[i].hi || s->v[i].name != v[i].name)
				break;
		if (s->nr == nr && i == nr)
			return id;
	}
	s = heap_push(&r->specs);
	*s = (struct spec){ .v = nr ? arena_copy(r->a, v, nr * sizeof(*v)) : NULL, .nr = nr };
	for (uint32_t k = 0; k < nr; k++)
		s->named = s->named || v[k].name;
	lookup_put(&r->spec_ids, h, r->specs.nr - 1);
	reach_ask_spec(r, r->specs.nr - 1);
	return r->specs.nr - 1;
}

/* ---- uses */

static uint64_t use_hash(int dir, uint32_t peer, uint32_t spec)
{
	return hash_mix((uint64_t)peer << 32 | spec, (uint64_t)dir + 5);
}

static uint32_t known_use(const struct reach *r, int dir, uint32_t peer, uint32_t spec)
{
	const struct shape_set *t = &r->sets.v[peer];
	const few *users = &t->users[dir];
	uint64_t h = use_hash(dir, peer, spec);
	uint32_t at;

	for (uint32_t k = 0; !t->many[dir] && k < users->nr; k++)
		if (r->used.v[few_v(users)[k]].spec == spec)
			return few_v(users)[k];
	for (uint32_t id = t->many[dir] ? lookup_first(&r->use_ids, h, &at) : NONE; id != NONE; id = lookup_next(&r->use_ids, h, &at))
		if (r->used.v[id].peer == peer && r->used.v[id].spec == spec && r->used.v[id].dir == dir)
			return id;
	return NONE;
}

static void note_use(struct reach *r, int dir, uint32_t peer, uint32_t id)
{
	struct shape_set *t = &r->sets.v[peer];
	const few *users = &t->users[dir];

	few_push(&t->users[dir], id);
	if (t->many[dir])
		lookup_put(&r->use_ids, use_hash(dir, peer, r->used.v[id].spec), id);
	for (uint32_t k = 0; !t->many[dir] && users->nr > FEW && k < users->nr; k++)
		lookup_put(&r->use_ids, use_hash(dir, peer, r->used.v[few_v(users)[k]].spec), few_v(users)[k]);
	t->many[dir] |= users->nr > FEW;
}

/* Takes over the reference of the peer. */
static uint32_t find_use(struct reach *r, int dir, uint32_t peer, uint32_t spec)
{
	uint32_t id = known_use(r, dir, peer, spec);

	if (id != NONE) {
		reach_unref(r, peer);
		return id;
	}
	id = r->free_uses.nr ? r->free_uses.v[--r->free_uses.nr] : (heap_push(&r->used), r->used.nr - 1);
	r->used.v[id] = (struct use){ .peer = peer, .spec = spec, .dir = (uint8_t)dir };
	note_use(r, dir, peer, id);
	r->roles.v[peer] |= (uint8_t)(ROLE_USERS << dir);
	return id;
}

/* What a line must look at in a set, in a byte: most sets are only one or two of these things. */
static void roles_again(struct reach *r, uint32_t set)
{
	const struct shape_set *t = &r->sets.v[set];
	unsigned roles = 0;

	for (unsigned d = 0; d < 2; d++)
		roles |= (t->uses[d].nr ? (unsigned)ROLE_USES << d : 0) | (t->users[d].nr ? (unsigned)ROLE_USERS << d : 0) | (t->isolates[d] ? (unsigned)ROLE_ISOLATES << d : 0);
	r->roles.v[set] = (uint8_t)roles;
}

void reach_all_roles(struct reach *r)
{
	for (uint32_t k = 0; k < r->sets.nr; k++)
		roles_again(r, k);
}

static void free_use(struct reach *r, uint32_t id)
{
	struct use *u = &r->used.v[id];

	if (r->sets.v[u->peer].many[u->dir])
		lookup_drop(&r->use_ids, use_hash(u->dir, u->peer, u->spec), id);
	few_drop(&r->sets.v[u->peer].users[u->dir], id);
	roles_again(r, u->peer);
	few_free(&u->subjects);
	bits_free(&u->u);
	reach_unref(r, u->peer);
	*u = (struct use){ .peer = NONE };
	*heap_push(&r->free_uses) = id;
}

const struct bits *reach_subjects(const struct reach *r, const struct use *u)
{
	static const struct bits nobody;

	return !u->subjects.nr ? &nobody : u->subjects.nr == 1 ? &r->sets.v[few_v(&u->subjects)[0]].b : &u->u;
}

/* The union of several sets of subjects. What has left cannot be taken out of it: it is made again. */
static void join_subjects(struct reach *r, struct use *u)
{
	bits_free(&u->u);
	if (u->subjects.nr < 2)
		return;
	acc_clear(&r->out);
	for (uint32_t k = 0; k < u->subjects.nr; k++)
		acc_or(&r->out, &r->sets.v[few_v(&u->subjects)[k]].b);
	bits_from_words(&u->u, r->out.w, r->words, reach_pool(r));
	acc_clear(&r->out);
}

void reach_join_subjects(struct reach *r)
{
	for (uint32_t k = 0; k < r->used.nr; k++)
		join_subjects(r, &r->used.v[k]);
}

/* ---- what a policy holds */

struct writing { struct reach *r; numbers *out; const struct np_compiled *p; uint32_t space, selector, subject; };

static uint32_t subject(const struct writing *w, int families)
{
	if (!families && w->subject != NONE) {
		w->r->sets.v[w->subject].refs++;
		return w->subject;
	}
	return reach_set(w->r, (struct shape_set){ .scope = SCOPE_SPACE, .families = (uint8_t)families, .where = w->space, .selector = w->selector });
}

static void hold(const struct writing *w, uint32_t subjects, uint32_t what)
{
	*heap_push(w->out) = subjects;
	*heap_push(w->out) = what;
}

static void hold_use(const struct writing *w, int families, int dir, struct shape_set peer, uint32_t spec)
{
	uint32_t s = subject(w, families), p = peer.scope == SCOPE_ALL ? 0 : reach_set(w->r, peer);

	if (p == 0)
		w->r->sets.v[0].refs++;
	hold(w, s, find_use(w->r, dir, p, spec));
}

/* Where Pods have two addresses, which of them an ipBlock is held against depends on the families of both ends: a use for each kind of subject. */
static void hold_block(const struct writing *w, int dir, struct shape_set peer, uint32_t spec)
{
	for (int f = 0; f < (w->r->dual ? FAM_COUNT : 1); f++) {
		peer.seen = w->r->dual ? (uint8_t)(1 + FAM_COUNT * (dir == NP_EGRESS) + f) : 0;
		hold_use(w, w->r->dual ? 1 + f : 0, dir, peer, spec);
	}
}

static void hold_peer(const struct writing *w, int dir, const struct np_peers *p, uint32_t spec)
{
	struct shape_set peer = { .scope = SCOPE_ALL };

	if (p->block.set) {
		peer.scope = SCOPE_BLOCK;
		peer.where = reach_block(w->r, p);
		peer.selector = 0;
		hold_block(w, dir, peer, spec);
		return;
	}
	if (!p->all) {
		peer.scope = p->namespaces ? SCOPE_SPACES : SCOPE_SPACE;
		peer.where = p->namespaces ? reach_spaces(w->r, p->namespaces) : w->space;
		peer.selector = reach_selector(w->r, p->pods);
	}
	hold_use(w, 0, dir, peer, spec);
}

static void hold_policy(struct reach *r, const struct network_policy *np, numbers *out)
{
	struct arena_mark m = arena_mark(r->scratch_arena);
	struct np_compiled p;
	struct writing w = { .r = r, .out = out, .p = &p };

	policy_compile(np, r->scratch_arena, &p);
	w.space = reach_space(r, np->o.ns);
	w.selector = reach_selector(r, &np->pods);
	w.subject = NONE;
	w.subject = subject(&w, 0);
	for (int d = 0; d < 2; d++) {
		if (p.isolates[d])
			hold(&w, subject(&w, 0), ISOLATES(d));
		for (uint32_t k = 0; k < p.nr_rules[d]; k++) {
			const struct np_compiled_rule *rule = &p.rules[d][k];
			uint32_t spec = reach_spec(r, rule->ports, rule->nr_ports);

			for (uint32_t i = 0; i < rule->nr_peers; i++)
				hold_peer(&w, d, &rule->peers[i], spec);
		}
	}
	reach_unref(r, w.subject);
	arena_rewind(r->scratch_arena, m);
}

/* Gives back the references; uses that nobody links go. */
static void let_go(struct reach *r, const numbers *held)
{
	for (uint32_t k = 0; k < held->nr; k += 2) {
		uint32_t what = held->v[k + 1];

		if (!is_isolation(what) && r->used.v[what].peer != NONE && !r->used.v[what].subjects.nr)
			free_use(r, what);
		reach_unref(r, held->v[k]);
	}
}

/* ---- links */

static void isolate(struct reach *r, uint32_t set, int d, int change)
{
	struct shape_set *t = &r->sets.v[set];
	numbers m = { 0 };
	bool was = t->isolates[d];

	t->isolates[d] = (uint32_t)((int32_t)t->isolates[d] + change);
	if (r->building)
		return;
	roles_again(r, set);
	if (was == !!t->isolates[d])
		return;
	bits_list(&t->b, &m);
	for (uint32_t k = 0; k < m.nr; k++) {
		const numbers *of = &r->shapes.v[m.v[k]].sets;
		uint32_t i = 0;

		while (i < of->nr && !r->sets.v[of->v[i]].isolates[d])
			i++;
		if (i == of->nr)
			BIT_ON(r->open[d], m.v[k]);
		else
			BIT_OFF(r->open[d], m.v[k]);
	}
	r->base_good[d] = false;
	heap_free(&m);
}

static void link_use(struct reach *r, uint32_t set, uint32_t use, int change)
{
	struct use *u = &r->used.v[use];
	struct shape_set *t = &r->sets.v[set];
	bool linked = t->uses[u->dir].nr < u->subjects.nr ? few_has(&t->uses[u->dir], use) : few_has(&u->subjects, set);
	uint64_t key = (uint64_t)set << 32 | use, *more = linked ? map_find(&r->again, key) : NULL;

	if (change > 0 && linked) {
		++*map_put(&r->again, r->a, key);
		return;
	}
	if (change < 0 && more) {
		if (--*more == 0)
			map_remove(&r->again, key);
		return;
	}
	if (change > 0) {
		few_push(&t->uses[u->dir], use);
		few_push(&u->subjects, set);
	} else {
		few_drop(&t->uses[u->dir], use);
		few_drop(&u->subjects, set);
	}
	if (r->building)
		return;
	roles_again(r, set);
	join_subjects(r, u);
	if (u->peer == 0)
		r->base_good[u->dir] = false;
}

static void link_all(struct reach *r, const numbers *held, int dir, int change)
{
	for (uint32_t k = 0; k < held->nr; k += 2)
		if (dir_of(r, held->v[k + 1]) == dir) {
			if (is_isolation(held->v[k + 1]))
				isolate(r, held->v[k], dir, change);
			else
				link_use(r, held->v[k], held->v[k + 1], change);
		}
}

/* ---- a change: only lines of its own subjects can become others, and only those that what is exchanged is about */

static bool holds(const numbers *held, uint32_t subjects, uint32_t what)
{
	for (uint32_t k = 0; k < held->nr; k += 2)
		if (held->v[k] == subjects && held->v[k + 1] == what)
			return true;
	return false;
}

/* Is the shape isolated by something else than one policy of that set? */
static bool isolated_beside(const struct reach *r, uint32_t shape, uint32_t set, int dir)
{
	const numbers *of = &r->shapes.v[shape].sets;

	for (uint32_t k = 0; k < of->nr; k++)
		if (r->sets.v[of->v[k]].isolates[dir] > (of->v[k] == set))
			return true;
	return false;
}

/* Of the subjects, those that are isolated with it and not without it. */
static void isolated_by(struct reach *r, uint32_t set, int dir, bool is_new, numbers *out)
{
	uint32_t from = out->nr, to = from;

	bits_list(&r->sets.v[set].b, out);
	for (uint32_t k = from; k < out->nr; k++)
		if (is_new ? BIT(r->open[dir], out->v[k]) : !isolated_beside(r, out->v[k], set, dir))
			out->v[to++] = out->v[k];
	out->nr = to;
}

static void lines_of(struct reach *r, const numbers *held, const numbers *other, int dir, bool is_new, numbers *out)
{
	for (uint32_t k = 0; k < held->nr; k += 2) {
		uint32_t set = held->v[k], what = held->v[k + 1];

		if (dir_of(r, what) != dir || holds(other, set, what))
			continue;
		if (is_isolation(what))
			isolated_by(r, set, dir, is_new, out);
		else if (r->specs.v[r->used.v[what].spec].asked != ASKED_NO)
			bits_list(&r->sets.v[set].b, out);
	}
}

static uint64_t weigh_lines(struct reach *r, int dir, const numbers *shapes)
{
	uint64_t sum = 0;

	if (dir == NP_INGRESS && shapes->nr > r->sets.nr / 16 + 16)
		reach_many_begin(r);
	if (r->ordered)
		reach_ordered_counting(r->ordered, shapes->nr > 64);
	for (uint32_t k = 0; k < shapes->nr; k++) {
		const struct shape *s = &r->shapes.v[shapes->v[k]];

		if (s->weight)
			sum += s->weight * reach_line_weight(r, (enum np_dir)dir, shapes->v[k]);
	}
	if (r->ordered)
		reach_ordered_counting(r->ordered, false);
	reach_many_end(r);
	return sum;
}

static void once_each(numbers *l, uint64_t *seen)
{
	uint32_t to = 0;

	for (uint32_t k = 0; k < l->nr; k++)
		if (!BIT(seen, l->v[k])) {
			BIT_ON(seen, l->v[k]);
			l->v[to++] = l->v[k];
		}
	l->nr = to;
	for (uint32_t k = 0; k < l->nr; k++)
		BIT_OFF(seen, l->v[k]);
}

static void change(struct reach *r, const numbers *was, const numbers *now)
{
	numbers lines = { 0 };

	for (int d = 0; d < 2; d++) {
		uint64_t before = 0;

		lines.nr = 0;
		if (r->counted) {
			lines_of(r, now, was, d, true, &lines);
			lines_of(r, was, now, d, false, &lines);
			once_each(&lines, r->seen);
			r->counted = lines.nr <= r->shapes.nr / 4 + 64;         /* else all of them are counted when they are asked for */
		}
		before = r->counted ? weigh_lines(r, d, &lines) : 0;
		link_all(r, now, d, 1);
		link_all(r, was, d, -1);
		if (r->counted)
			r->count += weigh_lines(r, d, &lines) - before;
	}
	heap_free(&lines);
}

void reach_policy(struct reach *r, const struct network_policy *p)
{
	numbers *now = &r->words_now, *was, kept = { 0 }, before;
	uint32_t *at;

	heap_room(&r->held_of, p->o.id.i + 1);
	at = &r->held_of.v[p->o.id.i];
	if (!*at) {
		*heap_push(&r->held) = (struct held){ .policy = p->o.id };
		*at = r->held.nr;
	}
	now->nr = 0;
	if (!p->o.gone)
		hold_policy(r, p, now);
	if (r->stale)                           /* it is all built again */
		return;
	was = &r->held.v[*at - 1].words;
	if (was->nr == now->nr && (!now->nr || memcmp(was->v, now->v, now->nr * sizeof(*now->v)) == 0)) {
		let_go(r, now);
		return;
	}
	if (now->nr) {
		if (r->building)
			heap_room_in(&kept, now->nr, &r->region);
		else
			heap_room(&kept, now->nr);
		kept.nr = now->nr;
		memcpy(kept.v, now->v, now->nr * sizeof(*now->v));
	}
	before = *was;
	*was = kept;
	if (r->building)
		for (int d = 0; d < 2; d++)
			link_all(r, &kept, d, 1);
	else
		change(r, &before, &kept);
	let_go(r, &before);
	heap_free(&before);
}
