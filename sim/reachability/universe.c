/* Shapes: what of a Pod a policy can see, interned. Texts of the cluster are interned too, so that equal ones are the same pointer. */
#include "model/dataplane/packet.h"
#include "sim/reachability/inside.h"

bool pod_is_there(const struct pod *p)
{
	return !p->o.gone && ip_set(p->ip) && !pod_is_terminal(p);
}

uint32_t reach_key(struct reach *r, str key)
{
	uint64_t *at = map_put(&r->key_ids, r->a, map_ptr(key));

	if (!*at)
		*at = r->key_ids.nr;            /* 1 + id */
	return (uint32_t)*at - 1;
}

uint32_t reach_pair(struct reach *r, str key, str value)
{
	uint64_t h = hash_mix(map_ptr(key), map_ptr(value));
	uint32_t at, id = r->last_pair;

	if (id < r->pairs.nr && r->pairs.v[id].key == key && r->pairs.v[id].value == value)
		return id;
	for (id = lookup_first(&r->pair_ids, h, &at); id != NONE; id = lookup_next(&r->pair_ids, h, &at))
		if (r->pairs.v[id].key == key && r->pairs.v[id].value == value)
			return r->last_pair = id;
	*heap_push(&r->pairs) = (struct pair){ key, value };
	*heap_push(&r->key_of) = reach_key(r, key);
	lookup_put(&r->pair_ids, h, r->pairs.nr - 1);
	return r->last_pair = r->pairs.nr - 1;
}

/* The name's own label is on every namespace, also on one that no object describes. */
static void space_labels(struct reach *r, struct space *s)
{
	s->pairs.nr = 0;
	if (!s->pairs.alloc || (s->object && s->object->o.labels.nr > s->pairs.alloc)) {
		s->pairs.alloc = s->object ? MAX(s->object->o.labels.nr, 1u) : 1;
		s->pairs.v = arena_array(r->a, uint32_t, s->pairs.alloc);
	}
	for (uint32_t k = 0; s->object && k < s->object->o.labels.nr; k++)
		s->pairs.v[s->pairs.nr++] = reach_pair(r, s->object->o.labels.v[k].key, s->object->o.labels.v[k].value);
	if (!s->object)
		s->pairs.v[s->pairs.nr++] = reach_pair(r, cluster_str(r->c, "kubernetes.io/metadata.name"), s->name);
}

uint32_t reach_known_space(const struct reach *r, str name)
{
	uint64_t h = hash_mix(map_ptr(name), 7);
	uint32_t at, id = lookup_first(&r->space_ids, h, &at);

	while (id != NONE && r->spaces.v[id].name != name)
		id = lookup_next(&r->space_ids, h, &at);
	return id;
}

static uint32_t add_space(struct reach *r, str name, const struct namespace_ *object)
{
	struct space *s = heap_push(&r->spaces);

	lookup_put(&r->space_ids, hash_mix(map_ptr(name), 7), r->spaces.nr - 1);
	*s = (struct space){ .name = name, .object = object, .first = NONE, .last = NONE, .sets = NONE };
	space_labels(r, s);
	return r->spaces.nr - 1;
}

uint32_t reach_space(struct reach *r, str name)
{
	if (r->last_space < r->spaces.nr && r->spaces.v[r->last_space].name == name)
		return r->last_space;
	r->last_space = reach_known_space(r, name);
	if (r->last_space == NONE) {
		r->last_space = add_space(r, name, find_namespace(r->c, name));
		reach_space_changed(r, r->last_space);
	}
	return r->last_space;
}

void reach_all_spaces(struct reach *r)
{
	struct object_list l = cluster_list(r->c, &namespace_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		add_space(r, l.v[k]->name, (const struct namespace_ *)l.v[k]);
}

void reach_relabel(struct reach *r, uint32_t space)
{
	struct space *s = &r->spaces.v[space];

	s->object = find_namespace(r->c, s->name);
	space_labels(r, s);
	reach_space_changed(r, space);
}

/* ---- named ports: containers' and sidecars' (the source for Calico's and for the API's words is in docs/policy.md) */

static uint8_t ip_proto(uint8_t l4)
{
	return l4 == L4_UDP ? PROTO_UDP : l4 == L4_SCTP ? PROTO_SCTP : PROTO_TCP;
}

bool port_is_named(const struct reach *r, uint32_t ports, str name, uint8_t proto, uint16_t port)
{
	const struct port_set *p = &r->ports.v[ports];

	for (uint32_t k = 0; k < p->nr; k++) {
		const struct named_port *n = &r->named.v[p->from + k];

		if (n->name == name && n->proto == proto && n->port == port)
			return true;
	}
	return false;
}

static uint64_t ports_hash(const struct named_port *v, uint32_t nr)
{
	uint64_t h = nr;

	for (uint32_t k = 0; k < nr; k++)
		h = hash_mix(hash_mix(h, map_ptr(v[k].name)), (uint64_t)v[k].proto << 16 | v[k].port);
	return h;
}

static bool same_ports(const struct named_port *x, const struct named_port *y, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		if (x[k].name != y[k].name || x[k].proto != y[k].proto || x[k].port != y[k].port)
			return false;
	return true;
}

/* The number of the list that begins at named[from] and ends it; the list goes if it is there already. */
static uint32_t intern_ports(struct reach *r, uint32_t from)
{
	const struct named_port *v = r->named.v + from;
	uint32_t nr = r->named.nr - from, at;
	uint64_t h = ports_hash(v, nr);

	for (uint32_t id = lookup_first(&r->port_ids, h, &at); id != NONE; id = lookup_next(&r->port_ids, h, &at))
		if (r->ports.v[id].nr == nr && (!nr || same_ports(r->named.v + r->ports.v[id].from, v, nr))) {
			r->named.nr = from;
			return id;
		}
	*heap_push(&r->ports) = (struct port_set){ from, nr };
	lookup_put(&r->port_ids, h, r->ports.nr - 1);
	return r->ports.nr - 1;
}

static uint32_t ports_of(struct reach *r, const struct pod_spec *s)
{
	uint32_t from = r->named.nr, id;
	uint64_t *at;

	if (s == r->last_spec)
		return r->last_ports;
	r->last_spec = s;
	at = map_put(&r->ports_of_spec, r->a, map_ptr(s));
	if (*at)
		return r->last_ports = (uint32_t)*at - 1;
	for (int l = 0; l < 2; l++) {
		const container_list *list = l ? &s->init_containers : &s->containers;

		for (uint32_t k = 0; k < list->nr; k++)
			for (uint32_t i = 0; i < list->v[k].ports.nr && (!l || streq(list->v[k].restart_policy, "Always")); i++) {
				const struct container_port *p = &list->v[k].ports.v[i];

				if (p->name && *p->name)
					*heap_push(&r->named) = (struct named_port){ p->name, (uint16_t)p->port, ip_proto(p->protocol) };
			}
	}
	id = intern_ports(r, from);
	*at = id + 1;
	return r->last_ports = id;
}

/* ---- addresses: the bounds of all ipBlocks cut them into atoms */

static uint32_t bound_of(const struct reach *r, ip_addr ip)
{
	int f = !ip_is4(ip);
	uint32_t lo = 0, hi = r->bounds[f].nr;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (ip_order(r->bounds[f].v[mid].at, ip) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t reach_atom(const struct reach *r, ip_addr ip)
{
	return r->bounds[!ip_is4(ip)].v[bound_of(r, ip)].atom;
}

/* A bound more; on both sides of it is what was there. */
static void cut(struct reach *r, ip_addr at)
{
	int f = !ip_is4(at);
	uint32_t k = bound_of(r, at), atom = r->bounds[f].v[k].atom;

	if (ip_eq(r->bounds[f].v[k].at, at))
		return;
	heap_push(&r->bounds[f]);
	memmove(&r->bounds[f].v[k + 2], &r->bounds[f].v[k + 1], (r->bounds[f].nr - k - 2) * sizeof(struct bound));
	r->bounds[f].v[k + 1] = (struct bound){ at, atom };
	r->atoms.v[atom].places++;
}

static const struct pod *pod_in(const struct reach *r, const struct slot *s)
{
	return (const struct pod *)obj_get(r->c, s->pod);
}

static bool has_pod(const struct reach *r, struct cidr c, const struct slot *s)
{
	return cidr_contains(c, pod_in(r, s)->ip) || cidr_contains(c, pod_in(r, s)->ip2);
}

/* Pods of the atom `was` that lie in the block belong to the atom `now`. If these are the most of them, the two atoms change their names instead. */
static void move_pods(struct reach *r, struct cidr c, uint32_t was, uint32_t now)
{
	uint32_t inside = 0, all = 0;
	numbers moved = { 0 };
	bool swap;

	for (uint32_t k = 0; k < r->shapes.nr; k++)
		all += r->shapes.v[k].atom[0] == was || r->shapes.v[k].atom[1] == was ? r->shapes.v[k].weight : 0;
	for (uint32_t k = 0; k < r->slots.nr && all; k++)
		inside += r->slots.v[k].shape != NONE && has_pod(r, c, &r->slots.v[k]);
	swap = inside > all / 2;
	if (swap) {
		for (int f = 0; f < 2; f++)
			for (uint32_t k = 0; k < r->bounds[f].nr; k++) {
				uint32_t *atom = &r->bounds[f].v[k].atom;

				*atom = *atom == was ? now : *atom == now ? was : *atom;
			}
		struct atom t = r->atoms.v[was];

		r->atoms.v[was] = r->atoms.v[now];
		r->atoms.v[now] = t;
	}
	for (uint32_t k = 0; k < r->slots.nr && all; k++) {
		const struct slot *s = &r->slots.v[k];

		if (s->shape != NONE && (r->shapes.v[s->shape].atom[0] == was || (r->dual && r->shapes.v[s->shape].atom[1] == was)) && (r->dual || has_pod(r, c, s) != swap))
			*heap_push(&moved) = k;
	}
	if (moved.nr > r->slots.nr / 8 + 64)
		r->stale = true;                /* as much work as to build it all again */
	for (uint32_t k = 0; k < moved.nr && !r->stale; k++) {
		const struct pod *p = pod_in(r, &r->slots.v[moved.v[k]]);

		reach_place(r, moved.v[k], reach_shape_of(r, p, (ip_addr[2]){ p->ip, p->ip2 }));
	}
	for (uint32_t k = 0; k < r->nr_external && !r->stale; k++)
		r->external_shape[k] = reach_shape_of(r, NULL, (ip_addr[2]){ r->external[k] });
	heap_free(&moved);
}

/* An atom that lies on both sides of the block's border is two from now on: what lies inside gets a new name. */
static uint32_t part(struct reach *r, struct cidr c, struct bound *in, uint32_t nr, uint32_t was)
{
	uint32_t now = r->atoms.nr;
	int f = !ip_is4(c.addr);

	*heap_push(&r->atoms) = (struct atom){ .places = r->atoms.v[was].inside };
	for (uint32_t k = nr; k > 0; k--)
		if (in[k - 1].atom == was) {
			in[k - 1].atom = now;
			r->atoms.v[now].at = in[k - 1].at;
		}
	r->atoms.v[was].places -= r->atoms.v[was].inside;
	for (uint32_t k = 0; cidr_contains(c, r->atoms.v[was].at) && k < r->bounds[f].nr; k++)
		if (r->bounds[f].v[k].atom == was)
			r->atoms.v[was].at = r->bounds[f].v[k].at;
	return now;
}

void reach_bound(struct reach *r, struct cidr c)
{
	ip_addr last = cidr_last(c), after = ip_add(last, 1);
	struct bound *in;
	uint32_t nr;

	cut(r, c.addr);
	if (ip_is4(c.addr) ? ip_is4(after) : ip_order(after, last) > 0)
		cut(r, after);
	nr = reach_bounds_in(r, c, (const struct bound **)&in);
	for (uint32_t k = 0; k < nr; k++)
		r->atoms.v[in[k].atom].inside++;
	for (uint32_t k = 0; k < nr && !r->stale; k++) {
		uint32_t atom = in[k].atom, now;

		if (!r->atoms.v[atom].inside || r->atoms.v[atom].inside == r->atoms.v[atom].places)
			continue;
		now = part(r, c, in, nr, atom);
		r->atoms.v[atom].inside = 0;
		if (!r->building)
			move_pods(r, c, atom, now);
	}
	nr = reach_bounds_in(r, c, (const struct bound **)&in);
	for (uint32_t k = 0; k < nr; k++)
		r->atoms.v[in[k].atom].inside = 0;
}

uint32_t reach_bounds_in(const struct reach *r, struct cidr c, const struct bound **first)
{
	int f = !ip_is4(c.addr);
	uint32_t from = bound_of(r, c.addr);

	*first = r->bounds[f].v + from;
	return bound_of(r, cidr_last(c)) - from + 1;
}

/* ---- shapes */

static bool has_labels(const struct reach *r, const struct shape *s, const pair_list *l)
{
	if (s->nr_labels != l->nr)
		return false;
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct pair *p = &r->pairs.v[r->labels.v[s->labels + k]];

		if (p->key != l->v[k].key || p->value != l->v[k].value)
			return false;
	}
	return true;
}

static bool is_shape(const struct reach *r, const struct shape *s, const struct shape_like *w)
{
	if (r->ordered && reach_ordered_account_of(r->ordered, (uint32_t)(s - r->shapes.v)) != w->account)
		return false;
	return s->space == w->space && s->ports == w->ports && s->families == w->families && s->atom[0] == w->atom[0] && s->atom[1] == w->atom[1] && has_labels(r, s, w->labels);
}

static void hash_like(const struct reach *r, struct shape_like *w)
{
	uint64_t h = hash_mix((uint64_t)w->space << 32 | w->ports, (uint64_t)w->atom[0] << 32 | w->atom[1]) ^ w->families ^ map_ptr(w->account), all = 0;

	for (uint32_t k = 0; k < w->labels->nr; k++) {
		uint64_t pair = hash_mix(map_ptr(w->labels->v[k].key), map_ptr(w->labels->v[k].value));

		lookup_call_for(&r->pair_ids, pair);
		all += pair;
	}
	w->hash = hash_mix(h, all);
}

static uint64_t bloom_of(uint32_t pair)
{
	return (uint64_t)1 << (hash_mix(pair, 1) >> 58);
}

static void reach_note(struct reach *, uint32_t shape);

static uint32_t make_shape(struct reach *r, const struct shape_like *w)
{
	uint32_t id = r->shapes.nr;
	struct shape *s = heap_push(&r->shapes);

	*s = (struct shape){ .space = w->space, .labels = r->labels.nr, .nr_labels = (uint16_t)w->labels->nr, .families = w->families, .ports = w->ports,
			     .atom = { w->atom[0], w->atom[1] }, .next = NONE };
	s->sig[0] = hash_mix(w->ports, w->families);            /* what a class shares beside its sets */
	s->sig[1] = hash_mix(s->sig[0], w->space == NONE);
	for (uint32_t k = 0; k < w->labels->nr; k++) {
		uint32_t pair = reach_pair(r, w->labels->v[k].key, w->labels->v[k].value);

		*heap_push(&r->labels) = pair;
		s->bloom |= bloom_of(pair);
	}
	if (w->space != NONE) {
		struct space *sp = &r->spaces.v[w->space];

		if (sp->last == NONE)
			sp->first = id;
		else
			r->shapes.v[sp->last].next = id;
		sp->last = id;
		sp->nr_shapes++;
	}
	lookup_put(&r->shape_ids, w->hash, id);
	if (r->ordered)
		reach_ordered_account(r->ordered, w->account);
	if (!r->building)
		reach_note(r, id);
	return id;
}

struct shape_like reach_like(struct reach *r, const struct pod *p, const ip_addr ip[2])
{
	static const pair_list no_labels;
	bool ordinary = p && !p->spec->host_network, two = ip_set(ip[1]) && ip_is4(ip[1]) != ip_is4(ip[0]);
	struct shape_like w = { .space = NONE, .labels = &no_labels, .atom = { reach_atom(r, ip[0]), 0 } };

	w.families = two ? (ip_is4(ip[0]) ? FAM_46 : FAM_64) : ip_is4(ip[0]) ? FAM_4 : FAM_6;
	if (two)
		w.atom[1] = reach_atom(r, ip[1]);
	if (ordinary) {
		w.space = reach_space(r, p->o.ns);
		w.labels = &p->o.labels;
		if (r->ordered)
			w.account = str_intern(cluster_strings(r->c), pod_account(p));
	}
	w.ports = ordinary ? ports_of(r, p->spec) : intern_ports(r, r->named.nr);
	hash_like(r, &w);
	lookup_call_for(&r->shape_ids, w.hash);
	return w;
}

uint32_t reach_shape_like(struct reach *r, const struct shape_like *w)
{
	uint32_t at;

	for (uint32_t id = lookup_first(&r->shape_ids, w->hash, &at); id != NONE; id = lookup_next(&r->shape_ids, w->hash, &at))
		if (is_shape(r, &r->shapes.v[id], w))
			return id;
	return make_shape(r, w);
}

uint32_t reach_shape_of(struct reach *r, const struct pod *p, const ip_addr ip[2])
{
	struct shape_like like = reach_like(r, p, ip);

	return reach_shape_like(r, &like);
}

/* ---- weights, as planes of bits: a popcount of each adds up 64 shapes at once */

static void set_planes(struct reach *r, uint32_t shape, uint32_t weight)
{
	while (r->nr_planes < ARRAY_LEN(r->planes) && weight >> r->nr_planes)
		r->planes[r->nr_planes++] = heap_words(r->words);
	for (uint32_t p = 0; p < r->nr_planes; p++)
		if (weight >> p & 1)
			BIT_ON(r->planes[p], shape);
		else
			BIT_OFF(r->planes[p], shape);
}

void reach_weigh(struct reach *r, uint32_t shape, int32_t change)
{
	struct shape *s = &r->shapes.v[shape];

	s->weight = (uint32_t)((int32_t)s->weight + change);
	if (r->building)
		return;
	set_planes(r, shape, s->weight);
	for (int d = 0; d < 2; d++)
		if (r->base_good[d] && BIT(r->base[d], shape))
			r->base_weight[d] += (uint64_t)(int64_t)change;
}

/* ---- indexes */

/* Members of each key in one array: from[key] … from[key + 1]. */
static void index_by(numbers *from, numbers *members, uint32_t nr_keys, uint32_t nr, uint32_t (*keys)(const struct reach *, uint32_t, const uint32_t **), const struct reach *r)
{
	const uint32_t *v;
	uint32_t sum = 0;

	from->nr = members->nr = 0;
	heap_room(from, nr_keys + 2);
	memset(from->v, 0, (nr_keys + 2) * sizeof(*from->v));
	from->nr = nr_keys + 1;
	for (uint32_t s = 0; s < nr; s++)
		for (uint32_t k = keys(r, s, &v); k > 0; k--)
			from->v[v[k - 1] + 2]++;
	for (uint32_t k = 2; k < nr_keys + 2; k++)
		sum = from->v[k] += sum;
	heap_room(members, sum + 1);
	members->nr = sum;
	for (uint32_t s = 0; s < nr; s++)
		for (uint32_t k = keys(r, s, &v); k > 0; k--)
			members->v[from->v[v[k - 1] + 1]++] = s;
}

static uint32_t pairs_of_shape(const struct reach *r, uint32_t shape, const uint32_t **v)
{
	*v = r->labels.v + r->shapes.v[shape].labels;
	return r->shapes.v[shape].nr_labels;
}

static uint32_t atom_of_shape(const struct reach *r, uint32_t shape, const uint32_t **v)
{
	*v = &r->shapes.v[shape].atom[0];
	return 1;
}

void reach_index(struct reach *r)
{
	r->built = r->shapes.nr;
	r->words = (r->built + MAX(r->built / 8, 1024u)) / 64 + 1;
	r->capacity = r->words * 64;
	heap_room(&r->shapes, r->capacity);             /* no shape moves until it is built again */
	r->live = heap_words(r->words);
	for (uint32_t s = 0; s < r->built; s++) {
		BIT_ON(r->live, s);
		set_planes(r, s, r->shapes.v[s].weight);
	}
	index_by(&r->pair_from, &r->by_pair, r->pairs.nr, r->built, pairs_of_shape, r);
	index_by(&r->atom_from, &r->by_atom, r->atoms.nr, r->built, atom_of_shape, r);
}

/* A shape made later: what is indexed lazily learns of it. */
static void reach_note(struct reach *r, uint32_t shape)
{
	struct shape *s = &r->shapes.v[shape];

	if (shape >= r->capacity) {             /* built again before anything is asked */
		r->stale = true;
		return;
	}
	BIT_ON(r->live, shape);
	BIT_ON(r->open[0], shape);
	BIT_ON(r->open[1], shape);
	r->base_good[0] = r->base_good[1] = false;
	for (uint32_t k = 0; k < s->nr_labels; k++) {
		uint32_t pair = r->labels.v[s->labels + k], key = r->key_of.v[pair];

		if (pair < r->nr_pair_bits && r->pair_bits[pair])
			BIT_ON(r->pair_bits[pair], shape);
		if (key < r->nr_key_bits && r->key_bits[key])
			BIT_ON(r->key_bits[key], shape);
	}
	if (s->space != NONE && r->spaces.v[s->space].shapes)
		BIT_ON(r->spaces.v[s->space].shapes, shape);
	for (uint32_t k = 0; k < r->spaces_ids.nr; k++)
		if (s->space != NONE && r->spaces_ids.v[k].shapes && reach_spaces_have(r, k, s->space))
			BIT_ON(r->spaces_ids.v[k].shapes, shape);
	for (uint32_t k = 0; k < r->specs.nr; k++)
		if (r->specs.v[k].mask && reach_spec_open(r, k, s->ports))
			BIT_ON(r->specs.v[k].mask, shape);
	reach_join(r, shape);
	if (r->ordered)
		reach_ordered_join(r, shape);
}
