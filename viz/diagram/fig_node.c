/* One node: the network namespaces of its Pods, its own with interfaces, routes, listeners and netfilter tables, and the wire that leaves it. */
#include "viz/diagram/figure.h"

enum { MAX_PODS = 10, MAX_ROUTES = 12, MAX_LISTENERS = 8 };

struct drawing { struct world *w; struct scene *s; struct arena *a; const struct node *n; netns_h ns; box_h group, host, links; };

static const char *peer_name(const struct drawing *d, const struct pod *p)
{
	const struct dataplane *dp = d->w->dp;
	netns_h ns = netns_find(dp, arena_printf(d->a, "pod/%s/%s", p->o.ns, p->o.name));

	for (uint32_t k = 0; ns.i && k < netns_get(dp, ns)->links.nr; k++) {
		link_h h = netns_link(netns_get(dp, ns), k), peer = link_get(dp, h)->kind == LINK_VETH ? link_peer(dp, h) : (link_h){ 0 };

		if (peer.i)
			return link_get(dp, peer)->name;
	}
	return NULL;
}

static void add_pods(struct drawing *d)
{
	struct object_list l = cluster_list(d->w->cluster, &pod_kind);
	box_h row[MAX_PODS + 1];
	uint32_t nr = 0, more = 0, host = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];
		const char *peer;

		if (!pod_on(p, d->n) || pod_is_terminal(p))
			continue;
		if (p->spec->host_network) {
			host++;
			continue;
		}
		if (nr == MAX_PODS) {
			more++;
			continue;
		}
		row[nr] = part_pod(d->s, d->group, d->w->cluster, p, false);
		peer = peer_name(d, p);
		scene_pill(d->s, row[nr], ROLE_PLAIN, "eth0", false);
		scene_line(d->s, row[nr++], d->links, LINE_WIRE, peer);
	}
	if (more) {
		row[nr] = scene_box(d->s, d->group, ROLE_OUTSIDE, "more", NULL, arena_printf(d->a, "%u more Pods", more));
		scene_line(d->s, row[nr++], d->links, LINE_WIRE, NULL);
	}
	scene_same_rank(d->s, row, nr);
	if (host)
		scene_note(d->s, ROLE_PLAIN, arena_printf(d->a, "%u Pod%s with hostNetwork", host, host > 1 ? "s" : ""), "live in the node's own namespace");
}

static void add_links(struct drawing *d)
{
	const struct dataplane *dp = d->w->dp;
	const struct netns *ns = netns_get(dp, d->ns);
	uint32_t veths = 0;

	d->links = scene_box(d->s, d->host, ROLE_PLAIN, "interfaces", "interfaces", NULL);
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));
		const char *addr = l->nr_addrs ? arena_printf(d->a, "%s/%u", IP(dp->addrs.v[l->addr].ip), dp->addrs.v[l->addr].len) : "";

		if (l->kind == LINK_VETH) {
			veths++;
			continue;
		}
		scene_row(d->s, d->links, ROW_TEXT, l->name, l->kind == LINK_LO ? "" : arena_printf(d->a, "%s  mtu %u", addr, l->mtu));
	}
	if (veths)
		scene_row(d->s, d->links, ROW_TEXT, arena_printf(d->a, "%u veth", veths), "one end each, the other in a Pod");
}

static box_h add_routes(struct drawing *d)
{
	struct route *v;
	uint32_t nr;
	struct sb text = { 0 };
	box_h h = scene_box(d->s, d->host, ROLE_ROUTER, "routes", "routes", NULL);

	routes_of(d->w->dp, d->ns, d->a, &v, &nr);
	for (uint32_t k = 0; k < nr && k < MAX_ROUTES; k++) {
		sb_reset(&text);
		print_route(d->w->dp, &v[k], &text);
		scene_row(d->s, h, ROW_MONO, arena_strndup(d->a, sb_text(&text), strcspn(sb_text(&text), "\n")), NULL);
	}
	if (nr > MAX_ROUTES)
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "%u more", nr - MAX_ROUTES), NULL);
	sb_free(&text);
	return h;
}

static box_h add_rules(struct drawing *d)
{
	static const char *const family[] = { "ip", "ip6", "inet", "bridge" };
	box_h h = scene_box(d->s, d->host, ROLE_RULES, "netfilter", "netfilter", "tables");
	const struct ruleset *rs = netns_get(d->w->dp, d->ns)->rules;

	for (uint32_t t = 1; rs && t <= ruleset_nr_tables(rs); t++) {
		const struct table *table = ruleset_table_get(rs, (table_h){ t });
		uint32_t chains = 0, rules = 0;

		for (uint32_t c = 1; c <= ruleset_nr_chains(rs); c++) {
			const struct ruleset *owner;

			if (ruleset_chain_get(rs, (chain_h){ c })->table.i != t)
				continue;
			chains++;
			rules += chain_body(rs, (chain_h){ c }, &owner)->rules.nr;
		}
		scene_row(d->s, h, ROW_TEXT, arena_printf(d->a, "%s %s", table->iptables ? table->family == NF_IP6 ? "ip6tables" : "iptables" : family[table->family & 3], table->name),
			  arena_printf(d->a, "%u chains, %u rules", chains, rules));
	}
	return h;
}

static box_h add_listeners(struct drawing *d)
{
	const struct netns *ns = netns_get(d->w->dp, d->ns);
	box_h h = { 0 };

	for (uint32_t k = 0; k < ns->listeners.nr && k < MAX_LISTENERS; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if (l->kind != LISTEN_PORT)
			continue;
		if (!h.i)
			h = scene_box(d->s, d->host, ROLE_CONTAINER, "listeners", "listens", "processes of the node itself");
		scene_row(d->s, h, ROW_TEXT, arena_printf(d->a, "%s :%u", l->proto == PROTO_UDP ? "udp" : "tcp", l->port), l->container ? l->container : "");
	}
	return h;
}

static void add_outside(struct drawing *d)
{
	struct object_list l = cluster_list(d->w->cluster, &node_kind);
	box_h h = scene_box(d->s, (box_h){ 0 }, ROLE_OUTSIDE, "network", "the nodes' network", NULL);
	uint32_t shown = 0;

	for (uint32_t k = 0; k < l.nr && shown < 6; k++) {
		const struct node *n = (const struct node *)l.v[k];

		if (n == d->n)
			continue;
		shown++;
		scene_row(d->s, h, ROW_TEXT, n->o.name, IP(node_ip(n)));
		scene_get(d->s, h)->rows.v[shown - 1].cells.v[1].text = arena_strdup(d->a, IP(node_ip(n)));
	}
	if (l.nr > shown + 1)
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "%u more nodes", l.nr - shown - 1), NULL);
	if (!shown)
		scene_row(d->s, h, ROW_NOTE, "no other node", NULL);
	scene_line(d->s, d->links, h, LINE_WIRE, "uplink");
}

bool fig_node(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing d = { .w = w, .s = s, .a = s->arena };
	box_h row[4];
	uint32_t n = 0;

	(void)opt;
	(void)args;
	(void)nr;
	d.n = find_node(w->cluster, rest);
	if (!d.n)
		return err_add(err, ERR_FAILED, NULL, "there is no node \"%s\"", rest);
	world_dataplane(w);
	d.ns = netns_find(w->dp, arena_printf(s->arena, "node/%s", d.n->o.name));
	if (!d.ns.i)
		return err_add(err, ERR_FAILED, NULL, "node \"%s\" has no network: it has no InternalIP", rest);
	dataplane_node_ready(w->dp, d.ns);
	scene_init(s, s->arena, "node", arena_printf(s->arena, "Node %s: namespaces, interfaces, routes, rules", d.n->o.name));
	s->description = arena_printf(s->arena, "Node %s: a veth pair leads from each Pod's namespace into the node's own, which has the routes and the netfilter tables.", d.n->o.name);
	s->rank_gap = 0.6f;
	d.group = part_node(s, (box_h){ 0 }, w->cluster, d.n);
	d.host = scene_group(s, d.group, ROLE_OUTSIDE, "host", "network namespace of the node", NULL);
	scene_get(s, d.host)->label_below = scene_get(s, d.host)->label_right = true;  /* the cables come from above, the uplink leaves on one side */
	add_links(&d);
	row[n++] = add_routes(&d);
	row[n++] = add_rules(&d);
	row[n] = add_listeners(&d);
	n += row[n].i != 0;
	for (uint32_t k = 0; k < n; k++)
		scene_below(s, d.links, row[k], 2);
	scene_same_rank(s, row, n);
	add_pods(&d);
	add_outside(&d);
	scene_legend(s, LINE_WIRE, 0, "a cable: a veth pair with one end in each namespace, or the uplink");
	return true;
}
