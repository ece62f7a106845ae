/* show: the dataplane's tables as ip, ss and birdc print them. */
#include "model/dataplane/bgp.h"
#include "model/dataplane/bgp_config.h"
#include "sim/ask/end.h"
#include "sim/engine/connections.h"
#include "sim/linux/view.h"
#include "viz/cli/captured.h"
#include "viz/cli/select.h"
#include "viz/report/ipam.h"
#include "viz/report/scale_down.h"

#define BGP_NODES 50
#define BGP_PEERS 20

static const char *address_of(const struct object *o)
{
	const struct node *n = (const struct node *)o;

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (streq(n->addresses.v[k].type, "InternalIP"))
			return n->addresses.v[k].address;
	return "?";
}

/* As birdc's `show protocols` has it; Calico names a session by how it came about and the peer's address. A peer that fell silent stays Established until the hold
 * timer. */
static void session(const char *kind, const struct object *peer, struct sb *out)
{
	const char *ip = address_of(peer), *down = label_get(&peer->annotations, "podwire.io/bgp-down"), *silent = label_get(&peer->annotations, "podwire.io/down"),
		   *withdrawn = label_get(&peer->annotations, "podwire.io/routes-withdrawn"), *state = "Established";
	char name[80];

	snprintf(name, sizeof(name), "%s_%s", kind, ip);
	for (char *p = name; *p; p++)
		if (*p == '.' || *p == ':')
			*p = '_';
	if (down)
		state = withdrawn ? "Active        Socket: Connection refused" : "Active        Socket: Connection refused (graceful restart: its routes are kept)";
	else if (silent && withdrawn)
		state = "Connect       Received: Hold timer expired";
	sb_printf(out, "%-22s BGP        ---        %-6s %s\n", name, down || (silent && withdrawn) ? "start" : "up", state);
}

/* A session with a router that is no node: whether it answers is not known. */
static void sessions_outside(struct world *w, const struct node *n, struct sb *out)
{
	struct object_list peers = cluster_list(w->cluster, &bgp_peer_kind);
	uint32_t port;
	ip_addr ip;

	for (uint32_t k = 0; k < peers.nr; k++) {
		const struct bgp_peer *p = (const struct bgp_peer *)peers.v[k];

		if (!p->peer_ip || (p->peer_selector && *p->peer_selector) || bgp_peer_is_for(p, n) <= 0 || !bgp_peer_address(p->peer_ip, &ip, &port) || bgp_node_at(w->cluster, ip))
			continue;
		sb_printf(out, "%s %s, AS %" PRId64 ": a router outside; whether it answers is not known\n", bgp_peer_is_global(p) ? "Global" : "Node", p->peer_ip,
			  p->as_number ? p->as_number : cluster_settings(w->cluster)->as_number);
	}
}

/* Which nodes a block of the node does not get to, though there is a session. */
static void kept_back(const struct bgp_hearing *h, const struct object_list *nodes, uint32_t of, struct cidr net, struct sb *out)
{
	for (uint32_t k = 0; k < nodes->nr; k++) {
		bool import;
		const char *filter = bgp_kept_back(h, k, of, net, &import);

		if (filter)
			sb_printf(out, "%s does not get to node/%s: %s of BGPFilter %s\n", CIDR(net), nodes->v[k]->name, import ? "import" : "export", filter);
	}
}

/* What each of its peers is told, before BGPFilters: its blocks, and addresses of Services; then, what those keep back. */
static void tells(struct world *w, const struct bgp_hearing *h, const struct object_list *nodes, uint32_t number, struct arena *a, struct sb *out)
{
	const struct node *n = (const struct node *)nodes->v[number];
	struct sb kept = { 0 };
	const struct dataplane *dp = world_dataplane(w);
	netns_h ns = netns_find(dp, arena_printf(a, "node/%s", n->o.name));
	bool any = false;

	for (uint32_t k = 0; k < dp->blocks.nr; k++) {
		const struct block *b = &dp->blocks.v[k];
		const struct ip_pool *pool = NULL;
		const struct settings *s = cluster_settings(w->cluster);

		for (uint32_t i = 0; i < s->pools.nr && !pool; i++)
			if (cidr_contains(s->pools.v[i].cidr, b->cidr.addr))
				pool = (const struct ip_pool *)obj_get(w->cluster, s->pools.v[i].cause);
		if (b->owner.i != ns.i || (pool && pool->o.kind == &ip_pool_kind && pool->disable_bgp_export == TRI_TRUE))
			continue;
		sb_printf(out, "%s %s", any ? "," : "tells", CIDR(b->cidr));
		if (!b->borrowed)
			kept_back(h, nodes, number, b->cidr, &kept);
		any = true;
	}
	for (int four = 1; four >= 0; four--) {
		struct bgp_tells t = bgp_service_routes(w->cluster, n, four, a);

		for (uint32_t k = 0; k < t.v.nr; k++) {
			sb_printf(out, "%s %s (%s)", any ? "," : "tells", CIDR(t.v.v[k].net), t.v.v[k].why);
			any = true;
		}
	}
	sb_add(out, any ? "\n" : "tells nothing\n");
	sb_add(out, sb_text(&kept));
	sb_free(&kept);
}

static void show_bgp_of(struct world *w, const struct object_list *l, const struct bgp_hearing *h, uint32_t k, struct arena *a, struct sb *out)
{
	const struct object *o = l->v[k];
	bool own = bgp_reflector_id((const struct node *)o) != NULL, mesh = cluster_settings(w->cluster)->mesh && !own;
	uint32_t shown = 0, more = 0;

	sb_printf(out, "\n# node/%s, %s%s\n", o->name, address_of(o), own ? ", route reflector" : "");
	if (label_get(&o->annotations, "podwire.io/bgp-down") || label_get(&o->annotations, "podwire.io/down")) {
		sb_printf(out, "%s\n", label_get(&o->annotations, "podwire.io/down") ? "the node is down" : "BIRD is not running; the routes that it learned stay in the kernel");
		return;
	}
	sb_add(out, "Name                   Proto      Table      State  Info\n");
	for (uint32_t i = 0; i < l->nr; i++) {
		if (!bgp_session(h, k, i))
			continue;
		if (shown < BGP_PEERS && ++shown)
			session(mesh && !bgp_reflector_id((const struct node *)l->v[i]) ? "Mesh" : "Node", l->v[i], out);
		else
			more++;
	}
	if (more)
		sb_printf(out, "and %u more\n", more);
	sessions_outside(w, (const struct node *)o, out);
	tells(w, h, l, k, a, out);
}

static void show_bgp(struct cli *cli, struct world *w, struct sb *out)
{
	struct object_list l = cluster_list(w->cluster, &node_kind);
	const struct settings *s = cluster_settings(w->cluster);
	const char *backend = bgp_backend_without_bird(w->cluster);
	struct bgp_hearing h;
	bool any;

	if (s->cni != CNI_CALICO || backend) {
		sb_printf(out, s->cni != CNI_CALICO ? "no BGP sessions: the Pod network is %s\n" : "no BGP sessions: calico-node runs without BIRD (its backend is \"%s\")\n",
			  s->cni != CNI_CALICO ? cni_names[s->cni] : backend);
		return;
	}
	h = bgp_hear(w->cluster, cli->arena);
	any = h.everybody || h.sessions || h.outside;
	if (h.everybody)
		sb_printf(out, "full mesh of %u nodes, AS %" PRId64 ": each speaks with every other\n", l.nr, s->as_number);
	else if (!any)
		sb_printf(out, "no BGP sessions: the node-to-node mesh is off, and no BGPPeer makes one; no node learns where the others' Pods are\n");
	else
		sb_printf(out, "%u sessions between %u nodes, AS %" PRId64 "%s\n", h.sessions, l.nr, s->as_number, s->mesh ? "" : "; the node-to-node mesh is off");
	if (!bgp_writes_routes(s, true) && !bgp_writes_routes(s, false))
		sb_add(out, "no route comes of them: each IPPool may be encapsulated, and felix writes the routes of such pools\n");
	for (uint32_t k = 0; k < l.nr && k < BGP_NODES && any; k++)
		show_bgp_of(w, &l, &h, k, cli->arena, out);
	if (any && l.nr > BGP_NODES)
		sb_printf(out, "\nand %u more nodes\n", l.nr - BGP_NODES);
}

static void show_flows(struct world *w, netns_h h, bool affinity, struct sb *out)
{
	const struct flows *f = world_flows(w);

	if (f && affinity)
		flows_print_sets(f, netns_get(w->dp, h)->name, out);
	else if (f)
		flows_print(f, netns_get(w->dp, h)->name, out);
}

static void show_connections(struct world *w, struct sb *out)
{
	uint32_t nr;
	const struct connection *c = connections_all(w, &nr);

	for (uint32_t k = 0; k < nr; k++)
		sb_printf(out, "%s  %s → %s  %s:%u → %s:%u  opened at %.3fs\n", c[k].name, c[k].from, c[k].to, IP(c[k].t.src), c[k].t.sport, IP(c[k].t.dst), c[k].t.dport,
			  (double)c[k].opened / 1e9);
}

static void show_scale_down(struct cli *cli, struct world *w, struct sb *out, struct err *err)
{
	struct selection s;
	struct texts all = cli->args;

	if (cli->args.nr < 2) {
		cli_usage(cli, err, "show scale-down needs a workload, as deploy/web");
		return;
	}
	cli->args.v++;
	cli->args.nr--;
	if (select_objects(cli, w->cluster, &s, err))
		for (uint32_t k = 0; k < s.objects.nr && !err_any(err); k++)
			scale_down_text(w, s.objects.v[k], out, err);
	cli->args = all;
}

/* The neighbour table as it is when each neighbour was spoken to, as `ip neigh` has it, and a tunnel's table of outer addresses as `bridge fdb`. */
static void show_neigh(const struct dataplane *dp, netns_h h, struct sb *out)
{
	struct arena *a = arena_new(NULL, "neighbours");
	struct view v = { 0 };
	uint32_t *index, *space;

	NETNS_EACH(dp, k)
		netns_get(dp, (netns_h){ k });          /* a link's other end is known when it is written */
	index = arena_array(a, uint32_t, dp->nr_links + 1);
	space = arena_array(a, uint32_t, dp->netns.nr);
	for (uint32_t k = 0; k < dp->nr_links; k++)
		index[k] = k;
	for (uint32_t k = 0; k < dp->netns.nr; k++)
		space[k] = k;
	view_of(dp, h, index, space, a, &v);
	for (uint32_t k = 0; k < v.neighs.nr; k++) {
		const struct k_neigh *n = &v.neighs.v[k];
		const struct link *dev = link_get(dp, (link_h){ n->index });
		link_h far = dev->kind == LINK_PHYS ? segment_owner(dp, dev->segment, n->ip) : (link_h){ 0 };
		bool dead = far.i && netns_get(dp, link_get(dp, far)->netns)->down;

		if (!n->fdb)
			print_neigh(n->ip, dev->name, dead ? NULL : n->mac, dead ? "FAILED" : dev->kind == LINK_VXLAN ? "PERMANENT" : "REACHABLE", out);
		else
			sb_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x dev %s dst %s self permanent\n", n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5], dev->name, IP(n->ip));
	}
	arena_free(a);
}

static bool one(struct cli *cli, struct world *w, netns_h h, struct sb *out, struct err *err)
{
	const char *what = cli->args.v[0];

	if (strcmp(what, "routes") == 0)
		print_routes(w->dp, h, out);
	else if (strcmp(what, "links") == 0)
		print_links(w->dp, h, out);
	else if (strcmp(what, "neigh") == 0)
		show_neigh(w->dp, h, out);
	else if (strcmp(what, "listeners") == 0)
		print_listeners(w->dp, h, out);
	else if (strcmp(what, "conntrack") == 0 || strcmp(what, "affinity") == 0)
		show_flows(w, h, strcmp(what, "affinity") == 0, out);
	else
		return cli_usage(cli, err, "\"%s\" is not routes, links, neigh, listeners, conntrack, affinity, connections, bgp, ipam or scale-down", what) == ERR_NONE;
	return true;
}

static bool each(struct cli *cli, struct world *w, struct sb *out, struct err *err)
{
	NETNS_EACH(w->dp, k) {
		struct sb table = { 0 };
		bool ok = one(cli, w, (netns_h){ k }, &table, err);

		if (table.len)
			sb_printf(out, "%s# %s\n%s", out->len ? "\n" : "", netns_get(w->dp, (netns_h){ k })->name, sb_text(&table));
		sb_free(&table);
		if (!ok)
			return false;
	}
	return true;
}

enum err_kind cmd_show(struct cli *cli, struct err *err)
{
	struct world w;
	struct sb out = { 0 };
	struct end e;
	struct source s;

	if (!cli->args.nr)
		return cli_usage(cli, err, "show what?");
	if (cli->dataplane)
		return captured_show(cli, err);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	world_dataplane(&w);
	if (strcmp(cli->args.v[0], "bgp") == 0)
		show_bgp(cli, &w, &out);
	else if (strcmp(cli->args.v[0], "ipam") == 0)
		ipam_text(&w, &out);
	else if (strcmp(cli->args.v[0], "scale-down") == 0)
		show_scale_down(cli, &w, &out, err);
	else if (strcmp(cli->args.v[0], "connections") == 0)
		show_connections(&w, &out);
	else if (cli->args.nr == 1)
		each(cli, &w, &out, err);
	else if (end_parse(w.cluster, cli->args.v[1], cli_ns(cli), &e, err) && end_source(w.cluster, w.dp, &e, false, &s, err))
		one(cli, &w, s.netns, &out, err);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}
