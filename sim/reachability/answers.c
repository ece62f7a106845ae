/* Answers in terms of ends: Pods by name and addresses outside, their nodes, sums and groups. */
#include "sim/reachability/inside.h"

static void *room(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		abort();
	return p;
}

void reach_ends(struct reach *r)
{
	struct object_list l;

	reach_update(r);
	if (r->ends_good)
		return;
	l = cluster_list(r->c, &pod_kind);
	r->ends = room(r->ends, (l.nr + r->nr_external + 1) * sizeof(*r->ends));
	r->end_shape = room(r->end_shape, (l.nr + r->nr_external + 1) * sizeof(*r->end_shape));
	r->nr = r->hosts.nr = 0;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		if (!pod_is_there(p))
			continue;
		if (p->spec->host_network)
			*heap_push(&r->hosts) = r->nr;
		r->ends[r->nr++] = (struct reach_end){ p, p->ip };
	}
	r->nr_pods = r->nr;
	for (uint32_t k = 0; k < r->nr_external; k++) {
		*heap_push(&r->hosts) = r->nr;
		r->ends[r->nr++] = (struct reach_end){ find_pod_by_ip(r->c, r->external[k]), r->external[k] };
	}
	r->row = room(r->row, (r->nr / 64 + 1) * sizeof(*r->row));
	r->line = room(r->line, r->words * sizeof(*r->line));
	if (r->ordered)
		r->row_maybe = room(r->row_maybe, (r->nr / 64 + 1) * sizeof(*r->row_maybe));
	r->ends_good = true;
}

/* An address outside that a Pod has is that Pod. */
static uint32_t shape_of_end(const struct reach *r, uint32_t end)
{
	const struct pod *p = r->ends[end].pod;

	if (end >= r->nr_pods && !p)
		return r->external_shape[end - r->nr_pods];
	return r->slots.v[r->slot_of.v[p->o.id.i] - 1].shape;
}

uint32_t reach_nr(struct reach *r)
{
	reach_ends(r);
	return r->nr;
}

uint32_t reach_nr_external(const struct reach *r) { return r->nr_external; }

const struct reach_end *reach_end(struct reach *r, uint32_t i)
{
	reach_ends(r);
	return &r->ends[i];
}

const char *reach_name(struct reach *r, uint32_t i, struct arena *a)
{
	const struct reach_end *e = reach_end(r, i);

	return i < r->nr_pods ? arena_printf(a, "%s/%s", e->pod->o.ns, e->pod->o.name) : arena_printf(a, "%s", IP(e->ip));
}

static int64_t find_end(const struct reach *r, const struct pod *p)
{
	uint32_t lo = 0, hi = r->nr_pods;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int d = str_order(r->ends[mid].pod->o.ns, p->o.ns);

		d = d ? d : str_order(r->ends[mid].pod->o.name, p->o.name);
		if (d == 0)
			return mid;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}

int64_t reach_find(struct reach *r, const char *name)
{
	const char *slash = strchr(name, '/');
	const struct pod *p = NULL;
	char ns[256];
	ip_addr ip;

	reach_ends(r);
	if (slash && (size_t)(slash - name) < sizeof(ns)) {
		snprintf(ns, sizeof(ns), "%.*s", (int)(slash - name), name);
		p = find_pod(r->c, ns, slash + 1);
	}
	for (uint32_t k = 0; !slash && ip_parse(name, &ip) && k < r->nr_external; k++)
		if (ip_eq(r->external[k], ip))
			return r->nr_pods + k;
	return p && pod_is_there(p) ? find_end(r, p) : -1;
}

const pair_list *reach_space_labels(struct reach *r, const char *ns)
{
	static const pair_list none;
	const struct namespace_ *n = find_namespace(r->c, ns);

	return n ? &n->o.labels : &none;
}

/* ---- nodes */

static bool node_has(struct reach *r, const struct pod *on, ip_addr ip)
{
	if ((ip_set(on->host_ip) && ip_eq(on->host_ip, ip)) || (on->node && node_has_ip(find_node(r->c, on->node), ip)))
		return true;
	for (uint32_t k = 0; k < r->hosts.nr; k++) {
		const struct pod *h = r->ends[r->hosts.v[k]].pod;

		if (h && h->spec->host_network && h->node && h->node == on->node && (ip_eq(h->ip, ip) || (ip_set(h->ip2) && ip_eq(h->ip2, ip))))
			return true;
	}
	return false;
}

/* Is that end the node on which the Pod runs? hostNetwork Pods have its address. */
static bool is_own_node(struct reach *r, uint32_t end, const struct pod *pod)
{
	const struct reach_end *e = &r->ends[end];

	if (!pod || pod->spec->host_network || (e->pod && !e->pod->spec->host_network))
		return false;
	return (e->pod && e->pod->node && e->pod->node == pod->node) || node_has(r, pod, e->ip);
}

/* Traffic from the Pod's own node is always let in: kubelet's probes, hostNetwork Pods. Whether the Pod may go there is told in both ways. */
bool reach_from_own_node(struct reach *r, uint32_t from, uint32_t to)
{
	return r->nodes != REACH_NODE_NONE && is_own_node(r, from, r->ends[to].pod);
}

bool reach_to_own_node(struct reach *r, uint32_t from, uint32_t to)
{
	return r->nodes == REACH_NODE_BOTH && is_own_node(r, to, r->ends[from].pod);
}

static bool is_itself(const struct reach *r, uint32_t from, uint32_t to)
{
	return from == to || (r->ends[from].pod && r->ends[from].pod == r->ends[to].pod);
}

bool reach_allowed(struct reach *r, uint32_t from, uint32_t to, uint8_t proto, uint16_t port)
{
	uint32_t s, d;

	reach_ends(r);
	reach_ask(r, proto, port);
	s = shape_of_end(r, from);
	d = shape_of_end(r, to);
	return is_itself(r, from, to) || ((reach_from_own_node(r, from, to) || reach_dir_open(r, NP_INGRESS, s, d)) &&
					  (reach_to_own_node(r, from, to) || reach_dir_open(r, NP_EGRESS, s, d)));
}

bool reach_unknown(struct reach *r, uint32_t from, uint32_t to, uint8_t proto, uint16_t port)
{
	uint32_t s, d;

	reach_ends(r);
	reach_ask(r, proto, port);
	if (!r->ordered || !reach_ordered_may_doubt(r->ordered) || is_itself(r, from, to))
		return false;
	s = shape_of_end(r, from);
	d = shape_of_end(r, to);
	return truth_and(reach_from_own_node(r, from, to) ? YES : reach_dir_truth(r, NP_INGRESS, s, d), reach_to_own_node(r, from, to) ? YES : reach_dir_truth(r, NP_EGRESS, s, d)) == MAYBE;
}

bool reach_may_be_unknown(struct reach *r)
{
	reach_update(r);
	return r->ordered && reach_ordered_may_doubt(r->ordered);
}

const uint64_t *reach_row_unknown(struct reach *r)
{
	return reach_may_be_unknown(r) ? r->row_maybe : NULL;
}

/* The line of shapes, and which ends of the row cannot be told. */
static void row_in_order(struct reach *r, uint32_t to)
{
	uint64_t *maybe = reach_ordered_may_doubt(r->ordered) ? heap_words(r->words) : NULL;

	reach_ordered_line(r, NP_INGRESS, shape_of_end(r, to), r->line, maybe);
	memset(r->row_maybe, 0, (r->nr / 64 + 1) * sizeof(*r->row_maybe));
	for (uint32_t e = 0; maybe && e < r->nr; e++)
		if (BIT(maybe, shape_of_end(r, e)) && reach_unknown(r, e, to, r->proto, r->port))      /* nodes are asked there */
			BIT_ON(r->row_maybe, e);
	free(maybe);
}

const uint64_t *reach_row(struct reach *r, uint32_t to, uint8_t proto, uint16_t port)
{
	const struct pod *dst;

	reach_ends(r);
	reach_ask(r, proto, port);
	dst = r->ends[to].pod;
	memset(r->row, 0, (r->nr / 64 + 1) * sizeof(*r->row));
	if (r->ordered)
		row_in_order(r, to);
	else
		reach_line(r, NP_INGRESS, shape_of_end(r, to), r->line);
	for (uint32_t e = 0; e < r->nr; e++)
		if (BIT(r->line, shape_of_end(r, e)))
			BIT_ON(r->row, e);
	if (dst && !dst->spec->host_network)
		for (uint32_t k = 0; k < r->hosts.nr; k++)
			if (!BIT(r->row, r->hosts.v[k]) && reach_allowed(r, r->hosts.v[k], to, proto, port))
				BIT_ON(r->row, r->hosts.v[k]);
	for (uint32_t e = 0; r->nodes == REACH_NODE_BOTH && (!dst || dst->spec->host_network) && e < r->nr; e++)
		if (!BIT(r->row, e) && reach_allowed(r, e, to, proto, port))
			BIT_ON(r->row, e);
	BIT_ON(r->row, to);             /* a Pod always reaches itself */
	for (uint32_t e = r->nr_pods; e < r->nr; e++)
		if (is_itself(r, e, to))
			BIT_ON(r->row, e);
	if (to >= r->nr_pods && dst && find_end(r, dst) >= 0)
		BIT_ON(r->row, (uint32_t)find_end(r, dst));
	return r->row;
}

/* ---- classes and sums */

/* class_of[shape]; NONE for shapes without Pods. → how many there are; weight and one shape of each. */
static uint32_t find_classes(struct reach *r, uint32_t *class_of, uint32_t *weight, uint32_t *first)
{
	struct lookup t = { 0 };
	uint32_t nr = 0, at, id;

	lookup_room_in(&t, r->shapes.nr / 2, NULL);
	for (uint32_t s = 0; s < r->shapes.nr; s++) {
		const struct shape *x = &r->shapes.v[s];

		class_of[s] = NONE;
		if (!x->weight)
			continue;
		for (id = lookup_first(&t, x->sig[0], &at); id != NONE; id = lookup_next(&t, x->sig[0], &at))
			if (r->shapes.v[first[id]].sig[0] == x->sig[0] && r->shapes.v[first[id]].sig[1] == x->sig[1])
				break;
		if (id == NONE) {
			id = nr++;
			first[id] = s;
			weight[id] = 0;
			lookup_put(&t, x->sig[0], id);
		}
		class_of[s] = id;
		weight[id] += x->weight;
	}
	lookup_free(&t);
	return nr;
}

struct classes { uint32_t *of, *weight, *first, nr; };

static struct classes classes_new(struct reach *r)
{
	struct classes c = { .of = (uint32_t *)heap_words(r->shapes.nr / 2 * 3 + 6) };

	c.weight = c.of + r->shapes.nr + 1;
	c.first = c.weight + r->shapes.nr + 1;
	c.nr = find_classes(r, c.of, c.weight, c.first);
	return c;
}

uint64_t reach_count(struct reach *r, uint8_t proto, uint16_t port)
{
	struct classes c;

	reach_update(r);
	reach_ask(r, proto, port);
	if (r->counted)
		return r->count;
	c = classes_new(r);
	r->count = 0;
	reach_many_begin(r);
	if (r->ordered)
		reach_ordered_counting(r->ordered, true);
	for (uint32_t k = 0; k < c.nr; k++)
		r->count += c.weight[k] * reach_line_weight(r, NP_INGRESS, c.first[k]);
	if (r->ordered)
		reach_ordered_counting(r->ordered, false);
	reach_many_end(r);
	r->nr_classes = c.nr;
	free(c.of);
	r->counted = true;
	return r->count;
}

/* What only nodes may do: calls back for each such pair. Nobody is asked where there is no Pod in a node's network. */
static void each_node_pair(struct reach *r, void (*take)(void *, uint32_t from, uint32_t to), void *ctx)
{
	struct map of_node = { 0 };
	numbers next = { 0 };
	struct arena *a = arena_new(NULL, "nodes");

	heap_room(&next, r->nr_pods + 1);
	for (uint32_t e = 0; e < r->nr_pods && r->hosts.nr > r->nr_external; e++) {      /* Pods of a node, as a chain */
		const struct pod *p = r->ends[e].pod;
		uint64_t *head;

		if (p->spec->host_network || !p->node)
			continue;
		head = map_put(&of_node, a, map_ptr(p->node));
		next.v[e] = (uint32_t)*head;
		*head = e + 1;
	}
	for (uint32_t k = 0; k < r->hosts.nr && r->hosts.v[k] < r->nr_pods; k++) {
		uint32_t h = r->hosts.v[k];
		uint64_t *head = r->ends[h].pod->node ? map_find(&of_node, map_ptr(r->ends[h].pod->node)) : NULL;

		for (uint32_t e = head ? (uint32_t)*head : 0; e; e = next.v[e - 1]) {
			uint32_t host = shape_of_end(r, h), pod = shape_of_end(r, e - 1);

			if (!reach_point(r, host, pod) && reach_allowed(r, h, e - 1, r->proto, r->port))
				take(ctx, h, e - 1);
			if (r->nodes == REACH_NODE_BOTH && !reach_point(r, pod, host) && reach_allowed(r, e - 1, h, r->proto, r->port))
				take(ctx, e - 1, h);
		}
	}
	heap_free(&next);
	arena_free(a);
}

static void count_one(void *ctx, uint32_t from, uint32_t to)
{
	(void)from;
	(void)to;
	++*(uint64_t *)ctx;
}

struct reach_sum reach_sum(struct reach *r, uint8_t proto, uint16_t port)
{
	struct reach_sum s = { .allowed = reach_count(r, proto, port) };
	struct classes c;

	reach_ends(r);
	c = classes_new(r);
	each_node_pair(r, count_one, &s.allowed);
	s.pods = r->nr_pods;
	s.classes = c.nr;
	for (uint32_t k = 0; k < r->shapes.nr; k++)
		s.shapes += r->shapes.v[k].weight != 0;
	s.sets = r->sets.nr - r->free_sets.nr;
	s.policies = cluster_count(r->c, &network_policy_kind);
	s.pairs = (uint64_t)s.pods * s.pods;
	free(c.of);
	return s;
}

/* ---- groups */

static const char *workload_of(struct cluster *c, const struct pod *p, struct arena *a)
{
	const char *kind = "Pod", *name = p->o.name;

	for (uint32_t k = 0; k < p->o.owners.nr; k++) {
		const struct owner_ref *o = &p->o.owners.v[k];
		const struct object *rs = o->controller && streq(o->kind, "ReplicaSet") ? cluster_find(c, &replicaset_kind, p->o.ns, o->name) : NULL;
		const str hash = label_get(&p->o.labels, "pod-template-hash");

		if (!o->controller || !o->kind || !o->name)
			continue;
		kind = o->kind;
		name = o->name;
		for (uint32_t i = 0; rs && i < rs->owners.nr; i++)
			if (rs->owners.v[i].controller) {
				kind = rs->owners.v[i].kind;
				name = rs->owners.v[i].name;
			}
		if (!rs && streq(kind, "ReplicaSet") && hash && strlen(name) > strlen(hash) + 1 && streq(name + strlen(name) - strlen(hash), hash)) {
			kind = "Deployment";    /* a dump without its ReplicaSets */
			name = arena_strndup(a, name, strlen(name) - strlen(hash) - 1);
		}
	}
	return arena_printf(a, "%s/%s/%s", p->o.ns, kind, name);
}

struct grouping { struct reach *r; uint32_t *of_end; struct reach_table *t; };

static void count_pair(void *ctx, uint32_t from, uint32_t to)
{
	struct grouping *g = ctx;

	g->t->cells[(size_t)g->of_end[from] * g->t->nr + g->of_end[to]]++;
}

static void name_groups(struct reach *r, enum reach_by by, struct grouping *g, const struct classes *c, struct arena *a)
{
	struct strtab *names = strtab_new(a);
	struct map ids = { 0 };
	HEAP(struct reach_group) all = { 0 };

	for (uint32_t e = 0; e < r->nr_pods; e++) {
		const struct pod *p = r->ends[e].pod;
		str name = by == REACH_BY_NAMESPACE ? p->o.ns : by == REACH_BY_WORKLOAD ? str_intern(names, workload_of(r->c, p, a)) : NULL;
		uint64_t *at = map_put(&ids, a, name ? map_ptr(name) : c->of[shape_of_end(r, e)] + 1);

		if (!*at) {
			*heap_push(&all) = (struct reach_group){ .name = name ? name : arena_printf(a, "%s/%s", p->o.ns, p->o.name), .first = p };
			*at = all.nr;
		}
		g->of_end[e] = (uint32_t)*at - 1;
		all.v[*at - 1].pods++;
	}
	g->t->nr = all.nr;
	g->t->groups = arena_copy(a, all.nr ? all.v : &(struct reach_group){ 0 }, MAX(all.nr, 1u) * sizeof(*all.v));
	heap_free(&all);
}

/* Pods of each shape by group, as chains through the ends. */
struct part { uint32_t shape, group, pods, next; };

static void fill_cells(struct reach *r, struct grouping *g)
{
	uint32_t *head = (uint32_t *)heap_words(r->shapes.nr / 2 + 1);
	HEAP(struct part) parts = { 0 };
	struct map seen = { 0 };
	struct arena *a = arena_new(NULL, "groups");

	for (uint32_t e = 0; e < r->nr_pods; e++) {
		uint32_t s = shape_of_end(r, e);
		uint64_t *at = map_put(&seen, a, (uint64_t)s << 32 | g->of_end[e]);

		if (!*at) {
			*heap_push(&parts) = (struct part){ s, g->of_end[e], 0, head[s] };
			*at = head[s] = parts.nr;
		}
		parts.v[*at - 1].pods++;
	}
	reach_many_begin(r);
	for (uint32_t s = 0; s < r->shapes.nr; s++) {
		if (!head[s])
			continue;
		reach_line(r, NP_INGRESS, s, r->line);
		for (uint32_t w = 0; w < r->words; w++)
			for (uint64_t m = r->line[w]; m; m &= m - 1) {
				uint32_t from = w * 64 + (uint32_t)__builtin_ctzll(m);

				for (uint32_t f = from < r->shapes.nr ? head[from] : 0; f; f = parts.v[f - 1].next)
					for (uint32_t t = head[s]; t; t = parts.v[t - 1].next)
						g->t->cells[(size_t)parts.v[f - 1].group * g->t->nr + parts.v[t - 1].group] += (uint64_t)parts.v[f - 1].pods * parts.v[t - 1].pods;
			}
		for (uint32_t t = BIT(r->line, s) ? 0 : head[s]; t; t = parts.v[t - 1].next)     /* a Pod always reaches itself */
			g->t->cells[(size_t)parts.v[t - 1].group * g->t->nr + parts.v[t - 1].group] += parts.v[t - 1].pods;
	}
	reach_many_end(r);
	each_node_pair(r, count_pair, g);
	heap_free(&parts);
	free(head);
	arena_free(a);
}

#define MAX_GROUPS 4000

struct reach_table reach_groups(struct reach *r, enum reach_by by, uint8_t proto, uint16_t port, struct arena *a)
{
	struct reach_table t = { 0 };
	struct grouping g = { .r = r, .t = &t };
	struct classes c;

	reach_ends(r);
	reach_ask(r, proto, port);
	c = classes_new(r);
	g.of_end = (uint32_t *)heap_words(r->nr_pods / 2 + 1);
	name_groups(r, by, &g, &c, a);
	if (t.nr <= MAX_GROUPS) {
		t.cells = arena_array(a, uint64_t, (size_t)t.nr * t.nr + 1);
		fill_cells(r, &g);
	}
	free(g.of_end);
	free(c.of);
	return t;
}

uint32_t *reach_group_of(struct reach *r, enum reach_by by, struct arena *a)
{
	struct reach_table t = { 0 };
	struct grouping g = { .r = r, .t = &t };
	struct classes c;

	reach_ends(r);
	c = classes_new(r);
	g.of_end = arena_array(a, uint32_t, r->nr + 1);
	name_groups(r, by, &g, &c, a);
	free(c.of);
	return g.of_end;
}

/* ---- ports */

static int port_order(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

uint32_t reach_port_atoms(struct reach *r, uint8_t proto, uint16_t lo, uint16_t hi, struct arena *a, uint16_t **out)
{
	HEAP(uint16_t) v = { 0 };
	uint32_t nr = 0;

	reach_update(r);
	*heap_push(&v) = lo;
	for (uint32_t k = 0; k < r->specs.nr; k++)
		for (uint32_t i = 0; i < r->specs.v[k].nr; i++) {
			const struct np_ports *p = &r->specs.v[k].v[i];

			if (p->proto != proto || p->any_port || p->name)
				continue;
			*heap_push(&v) = p->lo;
			*heap_push(&v) = (uint16_t)MIN(p->hi + 1, 65535);
		}
	for (uint32_t k = 0; k < r->named.nr; k++)
		if (r->named.v[k].proto == proto) {
			*heap_push(&v) = r->named.v[k].port;
			*heap_push(&v) = (uint16_t)MIN(r->named.v[k].port + 1, 65535);
		}
	if (v.nr)
		qsort(v.v, v.nr, sizeof(*v.v), port_order);
	*out = arena_array(a, uint16_t, v.nr);
	for (uint32_t k = 0; k < v.nr; k++)
		if (v.v[k] >= lo && v.v[k] <= hi && (!nr || (*out)[nr - 1] != v.v[k]))
			(*out)[nr++] = v.v[k];
	heap_free(&v);
	return nr;
}
