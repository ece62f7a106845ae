/* BGP speakers and their sessions: the node-to-node mesh, and the BGPPeers that were configured. A full mesh of many is drawn as a bus and says how many sessions it
 * stands for. */
#include "model/dataplane/bgp.h"
#include "viz/diagram/figure.h"

enum { MAX_NODES = 12, MESH_AS_ARCS = 5, MAX_PEERS = 8 };

struct drawing { struct world *w; struct scene *s; struct arena *a; const struct node *node[MAX_NODES]; box_h box[MAX_NODES]; uint32_t nr; };

static void add_speaker(struct drawing *d, const struct node *n)
{
	const struct dataplane *dp = d->w->dp;
	netns_h ns = netns_find(dp, arena_printf(d->a, "node/%s", n->o.name));
	ip_addr ip = node_ip(n);
	const char *down = bgp_down(n);
	box_h group = scene_group(d->s, (box_h){ 0 }, down ? ROLE_DENIED : ROLE_NODE, part_id(d->s, &n->o), n->o.name, down ? arena_printf(d->a, "✕ %s", down) : NULL);
	box_h h = scene_box(d->s, group, ROLE_ROUTER, arena_printf(d->a, "bird-%s", n->o.name), "BIRD", ip_set(ip) ? arena_strdup(d->a, IP(ip)) : NULL);
	uint32_t nr = 0;

	part_details(d->s, group, d->w->cluster, &n->o);
	for (uint32_t k = 0; k < dp->blocks.nr && nr < 4; k++)
		if (ns.i && dp->blocks.v[k].owner.i == ns.i) {
			scene_row(d->s, h, ROW_MONO, nr ? "" : "tells", arena_strdup(d->a, CIDR(dp->blocks.v[k].cidr)));
			nr++;
		}
	if (!nr)
		scene_row(d->s, h, ROW_NOTE, "has no block to tell of", NULL);
	d->node[d->nr] = n;
	d->box[d->nr++] = h;
}

static bool has_selector(const struct bgp_peer *p)
{
	return p->node_selector && *p->node_selector;
}

static uint32_t add_peers(struct drawing *d)
{
	struct object_list l = cluster_list(d->w->cluster, &bgp_peer_kind);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr && nr < MAX_PEERS; k++) {
		const struct bgp_peer *p = (const struct bgp_peer *)l.v[k];
		uint32_t port;
		ip_addr ip;
		box_h h;

		if (!p->peer_ip || (bgp_peer_address(p->peer_ip, &ip, &port) && bgp_node_at(d->w->cluster, ip)))
			continue;
		nr++;
		h = scene_box(d->s, (box_h){ 0 }, ROLE_OUTSIDE, part_id(d->s, &p->o), arena_printf(d->a, "BGPPeer %s", p->o.name), p->peer_ip);
		scene_row(d->s, h, ROW_TEXT, "AS", arena_printf(d->a, "%" PRId64, p->as_number));
		part_details(d->s, h, d->w->cluster, &p->o);
		if (has_selector(p) && strcmp(p->node_selector, "all()") != 0)
			scene_row(d->s, h, ROW_NOTE, "nodes with", p->node_selector);
		for (uint32_t i = 0; i < d->nr; i++)
			if (bgp_peer_is_for(p, d->node[i]) > 0)
				scene_line(d->s, h, d->box[i], LINE_BGP, NULL);
	}
	return nr;
}

/* of: by the number of a drawn node, its number among all. A whole mesh of many is a bus. */
static void add_sessions(struct drawing *d, const struct bgp_hearing *hearing, const uint32_t *of)
{
	if (d->nr <= MESH_AS_ARCS || !hearing->everybody) {
		for (uint32_t i = 0; i < d->nr; i++)
			for (uint32_t j = i + 1; j < d->nr; j++)
				if (bgp_session(hearing, of[i], of[j]))
					scene_line(d->s, d->box[i], d->box[j], bgp_down(d->node[i]) || bgp_down(d->node[j]) ? LINE_REMOVED : LINE_BGP, NULL)->arc = true;
		return;
	}
	for (uint32_t i = 0; i < d->nr; i++) {          /* a bus: everybody speaks with everybody on it */
		static const char bus[] = "bus";
		box_h h = { 0 };

		for (uint32_t k = 1; k < d->s->boxes.nr; k++)
			if (d->s->boxes.v[k].id == bus)
				h.i = k;
		if (!h.i) {
			h = scene_box(d->s, (box_h){ 0 }, ROLE_ROUTER, bus, "full mesh", "each with every other");
			scene_get(d->s, h)->dashed = true;
		}
		scene_line(d->s, d->box[i], h, bgp_down(d->node[i]) ? LINE_REMOVED : LINE_BGP, NULL);
	}
}

bool fig_bgp(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct object_list l = part_nodes(w->cluster, s->arena);
	const struct settings *set = cluster_settings(w->cluster);
	const char *backend = bgp_backend_without_bird(w->cluster);
	struct bgp_hearing h = bgp_hear(w->cluster, s->arena);
	struct object_list all = cluster_list(w->cluster, &node_kind);
	uint32_t up = 0, of[MAX_NODES] = { 0 };

	(void)opt;
	(void)rest;
	(void)args;
	(void)nr;
	if (set->cni != CNI_CALICO)
		return err_add(err, ERR_FAILED, NULL, "nobody speaks BGP in this cluster: the Pod network is %s", cni_names[set->cni]);
	if (backend)
		return err_add(err, ERR_FAILED, NULL, "nobody speaks BGP in this cluster: calico-node runs without BIRD (its backend is \"%s\")", backend);
	if (!l.nr)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	*d = (struct drawing){ .w = w, .s = s, .a = s->arena };
	world_dataplane(w);
	scene_init(s, s->arena, "bgp", "BGP speakers and their sessions");
	for (uint32_t k = 0; k < l.nr; k++) {
		up += !bgp_down((const struct node *)l.v[k]);
		for (uint32_t i = 0; d->nr < MAX_NODES && i < all.nr; i++)
			if (all.v[i] == l.v[k])
				of[d->nr] = i;
		if (d->nr < MAX_NODES)
			add_speaker(d, (const struct node *)l.v[k]);
	}
	scene_same_rank(s, d->box, d->nr);
	add_sessions(d, &h, of);
	if (!add_peers(d) && !h.everybody && !h.sessions)
		scene_note(s, ROLE_DENIED, "no session at all", "the node-to-node mesh is off and there is no BGPPeer: no node learns where the others' Pods are");
	s->description = arena_printf(s->arena, "%u nodes speak BGP, AS %" PRId64 "; each tells the others which blocks of Pod addresses it has.", l.nr, set->as_number);
	if (!bgp_writes_routes(set, true) && !bgp_writes_routes(set, false))
		scene_note(s, ROLE_PLAIN, "no route comes of them", "each IPPool may be encapsulated: felix writes the routes of such pools");
	if (!h.everybody && h.sessions)
		scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "AS %" PRId64, set->as_number), arena_printf(s->arena, "%u session%s between nodes%s", h.sessions, h.sessions == 1 ? "" : "s",
			   set->mesh ? "" : "; the node-to-node mesh is off"));
	if (h.everybody)
		scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "AS %" PRId64, set->as_number),
			   arena_printf(s->arena, "node-to-node mesh: %u session%s established between %u nodes%s", up * (up ? up - 1 : 0) / 2, up == 2 ? "" : "s", up, d->nr < l.nr ? ", not all of them drawn" : ""));
	scene_legend(s, LINE_BGP, 0, "BGP session, established");
	scene_legend(s, LINE_REMOVED, 0, "session down: one of its ends does not answer");
	return true;
}
