#include "model/dataplane/bgp.h"

#include <stdlib.h>

#include "model/api/calico_selector.h"
#include "model/api/workload.h"
#include "model/dataplane/bgp_filter.h"

/* ---- one node, one peering */

ip_addr bgp_address(const struct node *n, bool four)
{
	ip_addr ip;

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (n->addresses.v[k].address && !streq(n->addresses.v[k].type, "Hostname") && ip_parse(n->addresses.v[k].address, &ip) && ip_is4(ip) == four)
			return ip;
	return (ip_addr){ 0 };
}

int64_t bgp_as(const struct settings *s, const struct node *n)
{
	const char *said = label_get(&n->o.annotations, "projectcalico.org/ASNumber");
	char *end;
	long long number = said ? strtoll(said, &end, 10) : 0;

	return said && *said && !*end && number > 0 ? number : s->as_number;
}

const char *bgp_reflector_id(const struct node *n)
{
	const char *id = label_get(&n->o.annotations, "projectcalico.org/RouteReflectorClusterID");
	ip_addr ip;

	return id && ip_parse(id, &ip) && ip_is4(ip) ? id : NULL;
}

bool bgp_peer_is_global(const struct bgp_peer *p)
{
	return !(p->node && *p->node) && !(p->node_selector && *p->node_selector);
}

/* nodeSelector before node, all where neither is said. */
int bgp_peer_is_for(const struct bgp_peer *p, const struct node *n)
{
	if (p->node_selector && *p->node_selector)
		return calico_selects(p->node_selector, &n->o.labels);
	return !p->node || !*p->node || streq(p->node, n->o.name);
}

bool bgp_peer_address(const char *text, ip_addr *ip, uint32_t *port)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	size_t n;

	*port = 0;
	if (ip_parse(text, ip))
		return true;
	if (!colon || colon == text)
		return false;
	n = (size_t)(colon - text);
	if (*text == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	*port = (uint32_t)strtoul(colon + 1, NULL, 10);
	return ip_parse(host, ip) && *port && *port <= UINT16_MAX;
}

const struct node *bgp_node_at(struct cluster *c, ip_addr ip)
{
	struct object_list l = cluster_list(c, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (ip_eq(bgp_address((const struct node *)l.v[k], ip_is4(ip)), ip))
			return (const struct node *)l.v[k];
	return NULL;
}

bool bgp_may_encapsulate(const struct pool_setting *p)
{
	return p->vxlan != ENCAP_NEVER || p->ipip != ENCAP_NEVER;
}

/* A pool may come from calico-node's environment as well. */
bool bgp_tells_pool(struct cluster *c, const struct pool_setting *p)
{
	const struct object *o = obj_get(c, p->cause);

	return !o || o->kind != &ip_pool_kind || ((const struct ip_pool *)o)->disable_bgp_export != TRI_TRUE;
}

bool bgp_writes_routes(const struct settings *s, bool four)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (ip_is4(s->pools.v[k].cidr.addr) == four && !bgp_may_encapsulate(&s->pools.v[k]))
			return true;
	return false;
}

const char *bgp_backend_without_bird(struct cluster *c)
{
	struct object_list l = cluster_list(c, &daemonset_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod_spec *spec = streq(l.v[k]->name, "calico-node") ? ((const struct workload *)l.v[k])->template.spec : NULL;

		for (uint32_t i = 0; spec && i < spec->containers.nr; i++)
			for (uint32_t j = 0; j < spec->containers.v[i].env.nr; j++) {
				const struct env_var *e = &spec->containers.v[i].env.v[j];

				if (streq(e->name, "CALICO_NETWORKING_BACKEND") && e->value && *e->value)
					return strcmp(e->value, "bird") == 0 ? NULL : e->value;
			}
	}
	return NULL;
}

/* ---- who hears of whom */

/* The filters of one BGPPeer, in its order. */
struct filter { const char *name; struct bgp_rules rules[2][2]; };     /* [import][IPv4] */
struct filters { VEC(struct filter) v; };
struct to_outside { uint32_t node, filters; };

/* Nothing in it is the cluster's: it outlives a change of objects. */
struct bgp_graph {
	uint32_t nr;
	uint64_t *with, *bits;                  /* as in struct bgp_hearing */
	int64_t *as;
	const char **reflector;                 /* its cluster's id; NULL: no route reflector */
	bool *outside;
	VEC(struct filters) filters;            /* [0]: none at all */
	uint32_t *side;                         /* nr × nr: by which filters a node speaks with the other, + 1; 0: not said yet. NULL: no filters anywhere */
	VEC(struct to_outside) to_outside;
	struct map rows;                        /* hash of origin and block → uint64_t *: who hears of it */
	struct arena *arena;
};

struct build {
	struct bgp_graph *g;
	struct cluster *cluster;
	const struct node **node;
	uint64_t *configured;
	uint32_t *of_peer;                      /* its place among filters */
	bool *picked;                           /* nodes, by the peerSelector that is looked at */
	struct object_list peers;
	bool mesh;
};

static void set_bit(uint64_t *v, uint64_t k) { v[k >> 6] |= UINT64_C(1) << (k & 63); }
static bool has_bit(const uint64_t *v, uint64_t k) { return v[k >> 6] >> (k & 63) & 1; }
static uint64_t at(const struct bgp_graph *g, uint32_t a, uint32_t b) { return (uint64_t)a * g->nr + b; }
static bool by_selector(const struct bgp_peer *p) { return p->peer_selector && *p->peer_selector; }

/* ---- sessions */

static void peer_with(struct build *x, uint32_t peer, uint32_t a, uint32_t b, bool reverse)
{
	uint64_t k = at(x->g, a, b);

	set_bit(x->configured, k);
	if (x->g->side && !x->g->side[k])       /* one protocol for each neighbour: the first that is written */
		x->g->side[k] = x->of_peer[peer] + 1;
	if (reverse)
		set_bit(x->configured, at(x->g, b, a));         /* whom it selects has a session back */
}

/* back: as those see it that the peerSelector selects. */
static void selected(struct build *x, uint32_t peer, bool back)
{
	const struct bgp_peer *p = (const struct bgp_peer *)x->peers.v[peer];

	for (uint32_t b = 0; b < x->g->nr; b++)
		x->picked[b] = calico_selects(p->peer_selector, &x->node[b]->o.labels) > 0;
	for (uint32_t a = 0; a < x->g->nr; a++) {
		if (bgp_peer_is_for(p, x->node[a]) <= 0)
			continue;
		for (uint32_t b = 0; b < x->g->nr; b++)
			if (a != b && x->picked[b])
				peer_with(x, peer, back ? b : a, back ? a : b, !back);
	}
}

static void addressed(struct build *x, uint32_t peer)
{
	const struct bgp_peer *p = (const struct bgp_peer *)x->peers.v[peer];
	uint32_t port, to = UINT32_MAX;
	ip_addr ip;

	if (!p->peer_ip || !bgp_peer_address(p->peer_ip, &ip, &port))
		return;
	for (uint32_t b = 0; b < x->g->nr; b++)
		if (ip_eq(bgp_address(x->node[b], ip_is4(ip)), ip))
			to = b;
	for (uint32_t a = 0; a < x->g->nr; a++)
		if (bgp_peer_is_for(p, x->node[a]) > 0) {
			if (to == UINT32_MAX) {
				x->g->outside[a] = true;
				vec_add(x->g->arena, &x->g->to_outside, (struct to_outside){ a, x->of_peer[peer] });
			} else if (a != to) {
				peer_with(x, peer, a, to, false);
			}
		}
}

static bool meshed(const struct build *x, uint32_t a, uint32_t b)
{
	return x->mesh && !x->g->reflector[a] && !x->g->reflector[b];
}

/* In the order in which calico-node writes protocols: the mesh, global peers, those of some nodes, and what others' peerSelectors ask for (client.go, updatePeersV1). */
static void sessions(struct build *x)
{
	struct bgp_graph *g = x->g;

	for (uint64_t k = 0; g->side && k < (uint64_t)g->nr * g->nr; k++)
		g->side[k] = meshed(x, (uint32_t)(k / g->nr), (uint32_t)(k % g->nr));
	for (int global = 1; global >= 0; global--)
		for (uint32_t k = 0; k < x->peers.nr; k++)
			if (bgp_peer_is_global((const struct bgp_peer *)x->peers.v[k]) == (bool)global) {
				if (by_selector((const struct bgp_peer *)x->peers.v[k]))
					selected(x, k, false);
				else
					addressed(x, k);
			}
	for (uint32_t k = 0; g->side && k < x->peers.nr; k++)
		if (by_selector((const struct bgp_peer *)x->peers.v[k]))
			selected(x, k, true);
}

/* ---- filters */

static const char *const parts[2][2] = { { "exportV6", "exportV4" }, { "importV6", "importV4" } };

/* What a peer names and is not there is left out, as in BIRD's configuration. */
static void read_filters(struct build *x)
{
	struct bgp_graph *g = x->g;
	bool any = false;

	vec_push(g->arena, &g->filters);
	for (uint32_t k = 0; k < x->peers.nr; k++) {
		struct filters f = { 0 };

		VAL_EACH(name, val_path(x->peers.v[k]->doc, "spec.filters")) {
			const struct object *o = val_str(name) ? cluster_find(x->cluster, &bgp_filter_kind, NULL, val_str(name)) : NULL;
			struct filter *one = o ? vec_push(g->arena, &f.v) : NULL;
			const struct val *spec = one && ((const struct raw_object *)o)->spec ? val_copy(g->arena, ((const struct raw_object *)o)->spec) : NULL;

			if (one)
				one->name = arena_strdup(g->arena, o->name);
			for (int k4 = 0; one && k4 < 4; k4++)
				one->rules[k4 >> 1][k4 & 1] = bgp_rules_read(val_get(spec, parts[k4 >> 1][k4 & 1]), g->arena);
		}
		if (f.v.nr) {
			x->of_peer[k] = g->filters.nr;
			vec_add(g->arena, &g->filters, f);
			any = true;
		}
	}
	if (any)
		g->side = arena_array(g->arena, uint32_t, (size_t)g->nr * g->nr + 1);
}

/* → the filter that rejects it; NULL: it passes. What none decides passes as without: who tells of a block was asked before. */
static const struct filter *rejects(const struct filters *f, const struct bgp_route *r, bool import)
{
	for (uint32_t k = 0; k < f->v.nr; k++) {
		enum bgp_verdict v = bgp_rules_say(&f->v.v[k].rules[import][ip_is4(r->net.addr)], r);

		if (v != BGP_UNDECIDED)
			return v == BGP_REJECT ? &f->v.v[k] : NULL;
	}
	return NULL;
}

static const struct filter *stops(const struct bgp_graph *g, uint32_t a, uint32_t b, const struct bgp_route *r, bool *import)
{
	uint32_t out = g->side[at(g, a, b)], in = g->side[at(g, b, a)];
	struct bgp_route there = { r->net, true, "eth0" };      /* the next hop is a node's, by its uplink */
	const struct filter *f = out ? rejects(&g->filters.v[out - 1], r, false) : NULL;

	*import = !f;
	return f ? f : in ? rejects(&g->filters.v[in - 1], &there, true) : NULL;
}

/* Some router outside is told by a, and some tells b. */
static bool passes_outside(const struct bgp_graph *g, uint32_t a, uint32_t b, const struct bgp_route *r)
{
	struct bgp_route there = { r->net, true, "eth0" };
	bool out = false, in = false;

	for (uint32_t k = 0; k < g->to_outside.nr; k++) {
		const struct filters *f = &g->filters.v[g->to_outside.v[k].filters];

		out = out || (g->to_outside.v[k].node == a && !rejects(f, r, false));
		in = in || (g->to_outside.v[k].node == b && !rejects(f, &there, true));
	}
	return out && in;
}

/* ---- what goes from speaker to speaker */

/* Learned of somebody: by oneself or from another AS; from a client of a reflector; from any other of one's own AS. */
enum { UNHEARD, FREELY, FROM_CLIENT, WITHIN };

static bool is_client(const struct bgp_graph *g, uint32_t reflector, uint32_t of)
{
	const char *id = g->reflector[reflector];

	return id && !streq(id, g->reflector[of]);
}

/* One origin's blocks; what may be told on only grows. own: one of them, to be filtered; NULL: whatever filters say. how, queue: room for nr and 4 × nr + 4. */
static void spread(const struct bgp_graph *g, uint32_t origin, const struct bgp_route *own, uint8_t *how, uint32_t *queue)
{
	uint32_t nr = 0;

	memset(how, UNHEARD, g->nr);
	how[origin] = FREELY;
	queue[nr++] = origin;
	while (nr) {
		uint32_t a = queue[--nr];
		struct bgp_route r = own && a != origin ? (struct bgp_route){ own->net, true, "eth0" } : own ? *own : (struct bgp_route){ 0 };

		for (uint32_t b = 0; b < g->nr; b++) {
			bool within = g->as[a] == g->as[b], outside = g->outside[a] && g->outside[b], session = has_bit(g->with, at(g, a, b)), import;
			uint8_t now;

			if (a == b || !(outside || session))
				continue;
			if (!outside && within && how[a] != FREELY && !(g->reflector[a] && (how[a] == FROM_CLIENT || is_client(g, a, b))))
				continue;
			now = outside || !within ? FREELY : is_client(g, b, a) ? FROM_CLIENT : WITHIN;
			if (how[b] != UNHEARD && how[b] <= now)
				continue;
			if (own && !(session && !stops(g, a, b, &r, &import)) && !(outside && passes_outside(g, a, b, &r)))
				continue;
			how[b] = now;
			queue[nr++] = b;        /* each gets in again only when it may tell on more: three times at most */
		}
	}
}

static bool any_reflector(const struct object_list *nodes)
{
	for (uint32_t k = 0; k < nodes->nr; k++)
		if (bgp_reflector_id((const struct node *)nodes->v[k]))
			return true;
	return false;
}

static struct bgp_graph *graph_new(struct cluster *c, const struct object_list *nodes, struct arena *a)
{
	struct bgp_graph *g = arena_make(a, struct bgp_graph);
	size_t words = (size_t)nodes->nr * nodes->nr / 64 + 1;

	g->nr = nodes->nr;
	g->arena = a;
	g->with = arena_array(a, uint64_t, words);
	g->bits = arena_array(a, uint64_t, words);
	g->outside = arena_array(a, bool, g->nr + 1);
	g->as = arena_array(a, int64_t, g->nr + 1);
	g->reflector = arena_array(a, const char *, g->nr + 1);
	for (uint32_t k = 0; k < g->nr; k++) {
		const struct node *n = (const struct node *)nodes->v[k];

		g->as[k] = bgp_as(cluster_settings(c), n);
		g->reflector[k] = bgp_reflector_id(n) ? arena_strdup(a, bgp_reflector_id(n)) : NULL;
	}
	return g;
}

struct bgp_hearing bgp_hear(struct cluster *c, struct arena *a)
{
	struct object_list nodes = cluster_list(c, &node_kind), peers = cluster_list(c, &bgp_peer_kind);
	struct bgp_hearing out = { .nr = nodes.nr };
	bool silent = bgp_backend_without_bird(c) != NULL, mesh = cluster_settings(c)->mesh && !silent;
	struct arena *scratch;
	struct bgp_graph *g;
	struct build x;
	uint32_t *queue;
	uint8_t *how;

	if (silent)
		peers.nr = 0;
	else if (mesh && !any_reflector(&nodes)) {      /* whatever BGPPeers add, all hear of all, and the mesh knows no filters */
		out.everybody = true;
		out.sessions = nodes.nr ? nodes.nr * (nodes.nr - 1) / 2 : 0;
		return out;
	}
	scratch = arena_new(NULL, "bgp");
	g = graph_new(c, &nodes, a);
	x = (struct build){ .g = g, .cluster = c, .node = (const struct node **)nodes.v, .configured = arena_array(scratch, uint64_t, (size_t)g->nr * g->nr / 64 + 1),
			    .of_peer = arena_array(scratch, uint32_t, peers.nr + 1), .picked = arena_array(scratch, bool, g->nr + 1), .peers = peers, .mesh = mesh };
	read_filters(&x);
	sessions(&x);
	for (uint32_t k = 0; k < g->nr; k++) {
		out.outside = out.outside || g->outside[k];
		for (uint32_t y = 0; y < g->nr; y++) {
			if (k == y || !(meshed(&x, k, y) || (has_bit(x.configured, at(g, k, y)) && has_bit(x.configured, at(g, y, k)))))
				continue;
			set_bit(g->with, at(g, k, y));
			out.sessions += k < y;
		}
	}
	how = arena_array(scratch, uint8_t, g->nr + 1);
	queue = arena_array(scratch, uint32_t, 4 * (size_t)g->nr + 4);
	for (uint32_t k = 0; k < g->nr; k++) {
		spread(g, k, NULL, how, queue);
		for (uint32_t b = 0; b < g->nr; b++)
			if (how[b] != UNHEARD)
				set_bit(g->bits, at(g, b, k));
	}
	out.bits = g->bits;
	out.with = g->with;
	out.filtered = g->side ? g : NULL;
	arena_free(scratch);
	return out;
}

/* A borrowed address is told from the kernel's route to the Pod's link; a block is a blackhole of BIRD's own. */
static struct bgp_route own_route(struct cidr net, bool borrowed) { return (struct bgp_route){ net, false, borrowed ? "cali0" : NULL }; }

bool bgp_hears_net(const struct bgp_hearing *h, uint32_t hearer, uint32_t of, struct cidr net, bool borrowed)
{
	struct bgp_graph *g = h->filtered;
	struct bgp_route r = own_route(net, borrowed);
	uint64_t *row, *found;

	if (!g || !bgp_hears(h, hearer, of))
		return bgp_hears(h, hearer, of);
	found = map_put(&g->rows, g->arena, hash_mix(hash_mix(net.addr.hi, net.addr.lo), (uint64_t)of << 16 | (uint64_t)net.len << 1 | borrowed));
	if (!*found) {
		struct arena *scratch = arena_new(NULL, "bgp");
		uint8_t *how = arena_array(scratch, uint8_t, g->nr + 1);

		row = arena_array(g->arena, uint64_t, g->nr / 64 + 1);
		spread(g, of, &r, how, arena_array(scratch, uint32_t, 4 * (size_t)g->nr + 4));
		for (uint32_t b = 0; b < g->nr; b++)
			if (how[b] != UNHEARD)
				set_bit(row, b);
		arena_free(scratch);
		*found = map_ptr(row);
	}
	return has_bit((const uint64_t *)(uintptr_t)*found, hearer);
}

const char *bgp_kept_back(const struct bgp_hearing *h, uint32_t hearer, uint32_t of, struct cidr net, bool *import)
{
	struct bgp_route r = own_route(net, false);
	const struct filter *f = h->filtered && bgp_session(h, hearer, of) ? stops(h->filtered, of, hearer, &r, import) : NULL;

	return f ? f->name : NULL;
}

bool bgp_end_holds(const struct node *n)
{
	return !label_get(&n->o.annotations, "podwire.io/bgp-down") && !(label_get(&n->o.annotations, "podwire.io/down") && label_get(&n->o.annotations, "podwire.io/routes-withdrawn"));
}

uint32_t bgp_sessions_up(struct cluster *c, const struct bgp_hearing *h, uint32_t node, uint32_t *all)
{
	struct object_list l = cluster_list(c, &node_kind);
	uint32_t up = 0, hold = 0;

	*all = 0;
	for (uint32_t k = 0; h->everybody && k < l.nr; k++)
		hold += bgp_end_holds((const struct node *)l.v[k]);
	if (h->everybody && node == UINT32_MAX) {
		*all = h->sessions;
		return hold * (hold ? hold - 1 : 0) / 2;
	}
	for (uint32_t x = node == UINT32_MAX ? 0 : node; x < (node == UINT32_MAX ? l.nr : node + 1); x++)
		for (uint32_t y = node == UINT32_MAX ? x + 1 : 0; (h->everybody || h->with) && y < l.nr; y++)
			if (bgp_session(h, x, y)) {
				++*all;
				up += bgp_end_holds((const struct node *)l.v[x]) && bgp_end_holds((const struct node *)l.v[y]);
			}
	return up;
}
