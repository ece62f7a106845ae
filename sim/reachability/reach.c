/*
 * Theory of operation. reach_new builds everything once; a watch on the cluster then only notes which objects changed, and the next question works them off:
 * a Pod moves to another shape, a policy's links are exchanged, a namespace joins or leaves namespaceSelectors. What cannot be followed cheaply (a first Pod with
 * two addresses, more new shapes than there is room for, an ipBlock that parts many Pods) makes it all anew.
 */
#include "model/policy/foreign.h"
#include "sim/reachability/inside.h"

static void changed(void *ctx, const struct change *ch)
{
	struct reach *r = ctx;
	const struct kind *k = ch->object->kind;

	if (k != &pod_kind && k != &network_policy_kind && k != &namespace_kind && !foreign_is(k) && (k != &service_account_kind || !r->ordered))
		return;
	if (!r->dirty.nr || r->dirty.v[r->dirty.nr - 1] != ch->object->id.i)
		*heap_push(&r->dirty) = ch->object->id.i;
}

/* ---- Pods */

static uint32_t *slot_of(struct reach *r, obj_h h)
{
	heap_room(&r->slot_of, h.i + 1);
	r->slot_of.nr = MAX(r->slot_of.nr, h.i + 1);
	return &r->slot_of.v[h.i];
}

/* The weight of a shape changes: its row and its column count for as much more or less. */
static void weigh(struct reach *r, uint32_t shape, int32_t by)
{
	if (r->counted) {
		uint64_t both = reach_line_weight(r, NP_INGRESS, shape) + reach_line_weight(r, NP_EGRESS, shape);
		bool itself = reach_point(r, shape, shape);

		/* each line counts the Pod itself once where its shape does not reach itself: by·(R + C) + by²·self + by·(1 − self) */
		both -= itself ? 0 : 2;
		r->count += (uint64_t)((int64_t)by * (int64_t)both) + (itself ? 1 : (uint64_t)(int64_t)by);
	}
	reach_weigh(r, shape, by);
}

void reach_place(struct reach *r, uint32_t slot, uint32_t shape)
{
	struct slot *s = &r->slots.v[slot];
	uint32_t was = s->shape;

	if (was == shape)
		return;
	s->shape = shape;
	if (r->stale)
		return;
	if (was != NONE)
		weigh(r, was, -1);
	if (shape != NONE)
		weigh(r, shape, 1);
}

static void pod_changed(struct reach *r, const struct pod *p)
{
	uint32_t *at = slot_of(r, p->o.id), slot;
	ip_addr ip[2] = { p->ip, p->ip2 };

	if (!pod_is_there(p)) {
		if (!*at)
			return;
		slot = *at - 1;
		*at = 0;
		reach_place(r, slot, NONE);
		*heap_push(&r->free_slots) = slot;
		r->ends_good = false;
		return;
	}
	if (ip_set(ip[1]) && !r->dual && !r->building) {
		r->stale = r->two = true;
		return;
	}
	if (!*at) {
		slot = r->free_slots.nr ? r->free_slots.v[--r->free_slots.nr] : (heap_push(&r->slots), r->slots.nr - 1);
		r->slots.v[slot] = (struct slot){ .pod = p->o.id, .shape = NONE };
		*at = slot + 1;
		r->ends_good = false;
	}
	slot = *at - 1;
	if (r->slots.v[slot].ip != hash_mix(p->ip.hi, p->ip.lo)) {
		r->slots.v[slot].ip = hash_mix(p->ip.hi, p->ip.lo);
		r->ends_good = false;
	}
	reach_place(r, slot, reach_shape_of(r, p, ip));
}

static void space_changed(struct reach *r, const struct namespace_ *n)
{
	uint32_t id = reach_known_space(r, n->o.name);

	if (id != NONE)
		reach_relabel(r, id);
}

/* ---- building */

enum { AHEAD = 16 };

/* As pod_changed, while nothing is counted yet. */
static void build_some(struct reach *r, struct object *const *v, uint32_t nr)
{
	struct shape_like like[AHEAD];
	const struct pod *p[AHEAD];
	uint32_t there = 0;

	for (uint32_t k = 0; k < nr; k++) {
		p[there] = (const struct pod *)v[k];
		if (pod_is_there(p[there])) {
			r->two = r->two || ip_set(p[there]->ip2);
			like[there] = reach_like(r, p[there], (ip_addr[2]){ p[there]->ip, p[there]->ip2 });
			there++;
		}
	}
	for (uint32_t k = 0; k < there; k++) {
		uint32_t shape = reach_shape_like(r, &like[k]);

		r->shapes.v[shape].weight++;
		*heap_push(&r->slots) = (struct slot){ p[k]->o.id, shape, hash_mix(p[k]->ip.hi, p[k]->ip.lo) };
		r->slot_of.v[p[k]->o.id.i] = r->slots.nr;
	}
}

static void build_pods(struct reach *r)
{
	struct object_list l = cluster_list(r->c, &pod_kind);

	for (uint32_t k = 0; k < l.nr; k += AHEAD) {
		for (uint32_t i = k + AHEAD; i < MIN(k + 2 * AHEAD, l.nr); i++) {       /* what is read of a Pod lies on four or five lines of the cache */
			const struct pod *ahead = (const struct pod *)l.v[i];

			__builtin_prefetch(&ahead->o.ns);
			__builtin_prefetch(&ahead->o.labels.nr);
			__builtin_prefetch(&ahead->o.line);         /* beside gone */
			__builtin_prefetch(&ahead->spec);
			__builtin_prefetch(&ahead->ip2);
		}
		for (uint32_t i = k; i < MIN(k + AHEAD, l.nr); i++) {
			const pair_list *labels = &((const struct pod *)l.v[i])->o.labels;

			__builtin_prefetch(labels->v);
			if (labels->nr > 4)     /* a line holds four */
				__builtin_prefetch(labels->v + 4);
		}
		build_some(r, l.v + k, MIN(l.nr - k, AHEAD));
	}
	for (uint32_t k = 0; k < r->nr_external; k++)
		r->external_shape[k] = reach_shape_of(r, NULL, (ip_addr[2]){ r->external[k] });
}

/* Whether Pods have two addresses. Where some have, hardly any has not: a few are looked at, and if one of the others has two, all is built again. */
static bool any_dual(const struct reach *r)
{
	struct object_list l = cluster_list(r->c, &pod_kind);

	for (uint32_t k = 0; k < l.nr && !r->two; k += l.nr / 64 + 1)
		if (ip_set(((const struct pod *)l.v[k])->ip2))
			return true;
	return r->two;
}

/* What is read of a policy lies here and there; each step of the way to it is called for before it is needed. */
static void call_for_policy(const struct object_list *l, uint32_t k)
{
	const struct network_policy *p;

	if (k + 16 < l->nr) {
		p = (const struct network_policy *)l->v[k + 16];
		__builtin_prefetch(&p->o.ns);
		__builtin_prefetch(&p->pods);
		__builtin_prefetch(&p->types);
	}
	if (k + 10 < l->nr) {
		p = (const struct network_policy *)l->v[k + 10];
		__builtin_prefetch(p->pods.labels.v);
		__builtin_prefetch(p->ingress.v);
		__builtin_prefetch(p->egress.v);
	}
	if (k + 5 < l->nr) {
		p = (const struct network_policy *)l->v[k + 5];
		if (p->ingress.nr)
			__builtin_prefetch(p->ingress.v[0].peers.v);
		if (p->egress.nr)
			__builtin_prefetch(p->egress.v[0].peers.v);
	}
}

/* For what is large in a large cluster, by what its size lets expect; whatever needs more moves. */
static void make_room(struct reach *r, uint32_t policies, uint32_t pods, uint32_t handles)
{
	uint32_t shapes = pods / 8 * 5 + 64, spaces = cluster_count(r->c, &namespace_kind) + 1;

	region_room(&r->region, (size_t)pods * 96 + (size_t)policies * 280 + (size_t)spaces * 128 + (size_t)handles * 8);
	heap_room_in(&r->slots, pods + 1, &r->region);
	heap_room_in(&r->slot_of, handles, &r->region);
	heap_room_in(&r->held_of, handles, &r->region);
	heap_room_in(&r->held, policies + 1, &r->region);
	heap_room_in(&r->sets, policies + policies / 4 + 8, &r->region);
	heap_room_in(&r->used, policies + policies / 2 + 8, &r->region);
	heap_room_in(&r->spaces, spaces, &r->region);
	heap_room_in(&r->shapes, shapes, &r->region);
	heap_room_in(&r->labels, shapes * 4, &r->region);
	heap_room_in(&r->pairs, shapes, &r->region);
	heap_room_in(&r->key_of, shapes, &r->region);
	lookup_room_in(&r->shape_ids, shapes, &r->region);
	lookup_room_in(&r->pair_ids, shapes, &r->region);
	lookup_room_in(&r->space_ids, spaces, &r->region);
	heap_room(&r->words_of, 64);            /* members are addressed by place, also where there is none yet */
	heap_room(&r->named, 16);
	r->slot_of.nr = handles;
}

static void build_again(struct reach *r);

static void build(struct reach *r)
{
	struct object_list l = cluster_list(r->c, &network_policy_kind);

	r->a = arena_new(NULL, "reachability");
	r->scratch_arena = arena_new(NULL, "a policy");
	arena_alloc(r->scratch_arena, 1, 1);    /* its first block stays */
	r->building = true;
	r->dual = any_dual(r);
	r->block_sets = NONE;
	for (int f = 0; f < 2; f++) {
		*heap_push(&r->atoms) = (struct atom){ f ? (ip_addr){ 0 } : ip_from4(0), 1, 0 };
		*heap_push(&r->bounds[f]) = (struct bound){ r->atoms.v[f].at, (uint32_t)f };
	}
	make_room(r, l.nr, cluster_count(r->c, &pod_kind), cluster_handles(r->c) + 1);
	*heap_push(&r->sets) = (struct shape_set){ .scope = SCOPE_ALL, .refs = 1, .next = NONE };
	*heap_push(&r->roles) = 0;
	reach_all_spaces(r);
	reach_selector(r, NULL);
	r->ordered = r->idle ? NULL : reach_ordered_new(r);
	for (uint32_t k = 0; k < l.nr && !r->idle && !(r->ordered && reach_ordered_is_tied(r->ordered)); k++) {
		call_for_policy(&l, k);
		reach_policy(r, (const struct network_policy *)l.v[k]);
	}
	build_pods(r);
	if (r->two && !r->dual) {
		build_again(r);
		return;
	}
	reach_find_spaces(r);
	reach_index(r);
	acc_init(&r->in, r->words);
	acc_init(&r->out, r->words);
	r->seen = heap_words(r->words);
	for (uint32_t t = 0; t < r->sets.nr; t++)
		reach_evaluate(r, t);
	reach_members(r);
	reach_all_roles(r);
	for (int d = 0; d < 2; d++) {
		r->base[d] = heap_words(r->words);
		r->open[d] = heap_words(r->words);
		memcpy(r->open[d], r->live, r->words * sizeof(uint64_t));
		for (uint32_t t = 0; t < r->sets.nr; t++)
			if (r->sets.v[t].isolates[d])
				acc_or(&r->in, &r->sets.v[t].b);
		for (uint32_t w = 0; w < r->words; w++)
			r->open[d][w] &= ~r->in.w[w];
		acc_clear(&r->in);
	}
	reach_join_subjects(r);
	if (r->ordered)
		reach_ordered_evaluate(r);
	r->building = r->stale = false;
	r->dirty.nr = 0;
	r->rev = cluster_rev(r->c);
}

static void tear_down(struct reach *r)
{
	for (uint32_t k = 0; k < r->shapes.nr; k++)
		heap_free(&r->shapes.v[k].sets);
	for (uint32_t k = 0; k < r->spaces.nr; k++)
		free(r->spaces.v[k].shapes);
	heap_free(&r->roles);
	heap_free(&r->held_of);
	heap_free(&r->words_now);
	heap_free(&r->words_sel);
	heap_free(&r->words_at);
	for (uint32_t k = 0; k < r->spaces_ids.nr; k++) {
		heap_free(&r->spaces_ids.v[k].list);
		heap_free(&r->spaces_ids.v[k].in);
		free(r->spaces_ids.v[k].shapes);
	}
	for (uint32_t k = 0; k < r->specs.nr; k++)
		free(r->specs.v[k].mask);
	for (uint32_t k = 0; k < r->sets.nr; k++) {
		bits_free(&r->sets.v[k].b);
		for (int d = 0; d < 2; d++) {
			few_free(&r->sets.v[k].uses[d]);
			few_free(&r->sets.v[k].users[d]);
		}
	}
	for (uint32_t k = 0; k < r->used.nr; k++) {
		few_free(&r->used.v[k].subjects);
		bits_free(&r->used.v[k].u);
	}
	for (uint32_t k = 0; k < r->held.nr; k++)
		heap_free(&r->held.v[k].words);
	for (uint32_t k = 0; k < r->nr_pair_bits; k++)
		free(r->pair_bits[k]);
	for (uint32_t k = 0; k < r->nr_key_bits; k++)
		free(r->key_bits[k]);
	for (uint32_t k = 0; k < r->nr_planes; k++)
		free(r->planes[k]);
	for (int d = 0; d < 2; d++) {
		free(r->open[d]);
		free(r->base[d]);
		heap_free(&r->bounds[d]);
	}
	free(r->pair_bits);
	free(r->key_bits);
	free(r->live);
	free(r->seen);
	acc_free(&r->in);
	acc_free(&r->out);
	heap_free(&r->pairs);
	heap_free(&r->key_of);
	heap_free(&r->spaces);
	heap_free(&r->named);
	heap_free(&r->ports);
	heap_free(&r->atoms);
	heap_free(&r->labels);
	heap_free(&r->shapes);
	heap_free(&r->slots);
	heap_free(&r->slot_of);
	heap_free(&r->free_slots);
	heap_free(&r->by_pair);
	heap_free(&r->pair_from);
	heap_free(&r->by_atom);
	heap_free(&r->atom_from);
	heap_free(&r->words_of);
	heap_free(&r->selectors);
	heap_free(&r->selector_of);
	heap_free(&r->spaces_ids);
	heap_free(&r->blocks);
	heap_free(&r->specs);
	heap_free(&r->sets);
	heap_free(&r->free_sets);
	heap_free(&r->used);
	heap_free(&r->free_uses);
	heap_free(&r->held);
	heap_free(&r->scratch);
	lookup_free(&r->pair_ids);
	lookup_free(&r->space_ids);
	lookup_free(&r->shape_ids);
	lookup_free(&r->port_ids);
	lookup_free(&r->selector_ids);
	lookup_free(&r->block_ids);
	lookup_free(&r->spec_ids);
	lookup_free(&r->set_ids);
	lookup_free(&r->use_ids);
	reach_ordered_free(r->ordered);
	free(r->ends);
	free(r->end_shape);
	free(r->row);
	free(r->row_maybe);
	free(r->line);
	heap_free(&r->hosts);
	region_free(&r->region);
	arena_free(r->a);
	arena_free(r->scratch_arena);
}

struct reach *reach_new(struct cluster *c, const ip_addr *external, uint32_t nr_external)
{
	struct reach *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->c = c;
	r->external = malloc((nr_external + 1) * sizeof(*external));
	r->external_shape = malloc((nr_external + 1) * sizeof(*r->external_shape));
	if (!r->external || !r->external_shape)
		abort();
	if (nr_external)
		memcpy(r->external, external, nr_external * sizeof(*external));
	r->nr_external = nr_external;
	build(r);
	r->watched = cluster_add_watch(c, changed, r);
	return r;
}

void reach_free(struct reach *r)
{
	if (!r)
		return;
	if (r->watched)
		cluster_drop_watch(r->c, changed, r);
	tear_down(r);
	heap_free(&r->dirty);
	free(r->external);
	free(r->external_shape);
	free(r);
}

void reach_set_nodes(struct reach *r, enum reach_nodes n)
{
	r->nodes = n;
}

void reach_without_policies(struct reach *r)
{
	r->idle = r->stale = true;
}

static void build_again(struct reach *r)
{
	struct reach was = *r;

	tear_down(r);
	memset(r, 0, sizeof(*r));
	r->c = was.c;
	r->nodes = was.nodes;
	r->idle = was.idle;
	r->two = was.two;
	r->watched = was.watched;
	r->dirty = was.dirty;
	r->external = was.external;
	r->nr_external = was.nr_external;
	r->external_shape = was.external_shape;
	build(r);
	if (was.asked)
		reach_ask(r, was.proto, was.port);
}

/* Shapes without a Pod stay where they are; when they are the most, all is made anew. */
static bool much_is_dead(const struct reach *r)
{
	return r->shapes.nr > r->built + r->built / 16 + 900 && r->shapes.nr + 64 > r->capacity;
}

void reach_update(struct reach *r)
{
	if (!r->watched && r->rev != cluster_rev(r->c))
		r->stale = true;
	for (uint32_t k = 0; k < r->dirty.nr && !r->stale; k++) {
		const struct object *o = obj_get(r->c, (obj_h){ r->dirty.v[k] });

		if (o->kind == &pod_kind)
			pod_changed(r, (const struct pod *)o);
		else if (o->kind == &network_policy_kind && r->idle)
			continue;
		else if (o->kind == &network_policy_kind && !(r->ordered && reach_ordered_is_tied(r->ordered)))
			reach_policy(r, (const struct network_policy *)o);
		else if (o->kind == &namespace_kind && !r->ordered)
			space_changed(r, (const struct namespace_ *)o);
		else
			r->stale = true;        /* what selectors of tiers read, or a policy in them */
	}
	r->dirty.nr = 0;
	if (r->stale || much_is_dead(r))
		build_again(r);
}
