#include "model/dataplane/bgp.h"

#include <stdlib.h>

#include "model/api/workload.h"
#include "model/policy/calico_selector.h"

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

struct graph {
	const struct settings *settings;
	const struct node **node;
	uint32_t nr;
	uint64_t *configured, *with, *bits;     /* nr × nr */
	bool *outside;
	struct arena *scratch;
};

static void set_bit(uint64_t *v, uint64_t k) { v[k >> 6] |= UINT64_C(1) << (k & 63); }
static bool has_bit(const uint64_t *v, uint64_t k) { return v[k >> 6] >> (k & 63) & 1; }
static uint64_t at(const struct graph *g, uint32_t a, uint32_t b) { return (uint64_t)a * g->nr + b; }

static void by_selector(struct graph *g, const struct bgp_peer *p)
{
	for (uint32_t a = 0; a < g->nr; a++)
		for (uint32_t b = 0; b < g->nr && bgp_peer_is_for(p, g->node[a]) > 0; b++)
			if (a != b && calico_selects(p->peer_selector, &g->node[b]->o.labels) > 0) {
				set_bit(g->configured, at(g, a, b));
				set_bit(g->configured, at(g, b, a));    /* whom it selects has a session back */
			}
}

static void by_address(struct graph *g, const struct bgp_peer *p)
{
	uint32_t port, to = UINT32_MAX;
	ip_addr ip;

	if (!p->peer_ip || !bgp_peer_address(p->peer_ip, &ip, &port))
		return;
	for (uint32_t b = 0; b < g->nr; b++)
		if (ip_eq(bgp_address(g->node[b], ip_is4(ip)), ip))
			to = b;
	for (uint32_t a = 0; a < g->nr; a++)
		if (bgp_peer_is_for(p, g->node[a]) > 0) {
			if (to == UINT32_MAX)
				g->outside[a] = true;
			else if (a != to)
				set_bit(g->configured, at(g, a, to));
		}
}

/* Learned of somebody: by oneself or from another AS; from a client of a reflector; from any other of one's own AS. */
enum { UNHEARD, FREELY, FROM_CLIENT, WITHIN };

static bool is_client(const struct graph *g, uint32_t reflector, uint32_t of)
{
	const char *id = bgp_reflector_id(g->node[reflector]);

	return id && !streq(id, bgp_reflector_id(g->node[of]));
}

/* One origin's blocks, from speaker to speaker; what may be told on only grows. */
static void spread(struct graph *g, uint32_t origin, uint8_t *how, uint32_t *queue, const int64_t *as)
{
	uint32_t nr = 0;

	memset(how, UNHEARD, g->nr);
	how[origin] = FREELY;
	queue[nr++] = origin;
	while (nr) {
		uint32_t a = queue[--nr];

		for (uint32_t b = 0; b < g->nr; b++) {
			bool within = as[a] == as[b], outside = g->outside[a] && g->outside[b];
			uint8_t now;

			if (a == b || !(outside || has_bit(g->with, at(g, a, b))))
				continue;
			if (!outside && within && how[a] != FREELY && !(bgp_reflector_id(g->node[a]) && (how[a] == FROM_CLIENT || is_client(g, a, b))))
				continue;
			now = outside || !within ? FREELY : is_client(g, b, a) ? FROM_CLIENT : WITHIN;
			if (how[b] != UNHEARD && how[b] <= now)
				continue;
			how[b] = now;
			queue[nr++] = b;
		}
	}
	for (uint32_t b = 0; b < g->nr; b++)
		if (how[b] != UNHEARD)
			set_bit(g->bits, at(g, b, origin));
}

static bool any_reflector(const struct graph *g)
{
	for (uint32_t k = 0; k < g->nr; k++)
		if (bgp_reflector_id(g->node[k]))
			return true;
	return false;
}

struct bgp_hearing bgp_hear(struct cluster *c, struct arena *a)
{
	struct object_list nodes = cluster_list(c, &node_kind), peers = cluster_list(c, &bgp_peer_kind);
	struct graph g = { .settings = cluster_settings(c), .node = (const struct node **)nodes.v, .nr = nodes.nr, .scratch = arena_new(NULL, "bgp") };
	struct bgp_hearing out = { .nr = nodes.nr };
	size_t words = (size_t)g.nr * g.nr / 64 + 1;
	bool silent = bgp_backend_without_bird(c) != NULL, mesh = g.settings->mesh && !silent;
	uint32_t *queue;
	uint8_t *how;
	int64_t *as;

	g.outside = arena_array(g.scratch, bool, g.nr + 1);
	if (silent)
		peers.nr = 0;
	else if (mesh && !any_reflector(&g)) {      /* whatever BGPPeers add, all hear of all */
		out.everybody = true;
		out.sessions = g.nr ? g.nr * (g.nr - 1) / 2 : 0;
	}
	if (out.everybody) {
		arena_free(g.scratch);
		return out;
	}
	g.configured = arena_array(g.scratch, uint64_t, words);
	g.with = arena_array(a, uint64_t, words);
	g.bits = arena_array(a, uint64_t, words);
	for (uint32_t k = 0; k < peers.nr; k++) {
		const struct bgp_peer *p = (const struct bgp_peer *)peers.v[k];

		if (p->peer_selector && *p->peer_selector)
			by_selector(&g, p);
		else
			by_address(&g, p);
	}
	as = arena_array(g.scratch, int64_t, g.nr + 1);
	for (uint32_t x = 0; x < g.nr; x++) {
		as[x] = bgp_as(g.settings, g.node[x]);
		out.outside = out.outside || g.outside[x];
		for (uint32_t y = 0; y < g.nr; y++) {
			bool meshed = mesh && !bgp_reflector_id(g.node[x]) && !bgp_reflector_id(g.node[y]);

			if (x == y || !(meshed || (has_bit(g.configured, at(&g, x, y)) && has_bit(g.configured, at(&g, y, x)))))
				continue;
			set_bit(g.with, at(&g, x, y));
			out.sessions += x < y;
		}
	}
	how = arena_array(g.scratch, uint8_t, g.nr + 1);
	queue = arena_array(g.scratch, uint32_t, 4 * (size_t)g.nr + 4);      /* each gets in again only when it may tell on more: three times at most */
	for (uint32_t k = 0; k < g.nr; k++)
		spread(&g, k, how, queue, as);
	out.bits = g.bits;
	out.with = g.with;
	arena_free(g.scratch);
	return out;
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
