/* Which node has which Pod addresses, and how the others reach them: a table for each node, and the wire between them. */
#include "viz/diagram/figure.h"

enum { MAX_NODES = 6, MAX_ROWS = 12 };

struct drawing { struct world *w; struct scene *s; struct arena *a; const struct node *node[MAX_NODES]; netns_h ns[MAX_NODES]; box_h box[MAX_NODES]; uint32_t nr; };

static const char *first_line(struct arena *a, const struct sb *text)
{
	return arena_strndup(a, sb_text(text), strcspn(sb_text(text), "\n"));
}

static bool is_local_pod(const struct route *r)
{
	return r->type == RT_UNICAST && !ip_set(r->via) && r->dst.len == ip_bits(r->dst.addr) && r->scope_link;
}

/* In words: whose block that is. */
static const char *leads_to(struct drawing *d, const struct route *r)
{
	const struct dataplane *dp = d->w->dp;

	for (uint32_t b = 0; b < dp->blocks.nr; b++)
		if (ip_eq(dp->blocks.v[b].cidr.addr, r->dst.addr) && dp->blocks.v[b].cidr.len == r->dst.len)
			return r->type == RT_BLACKHOLE ? "own block: what no Pod has" : arena_printf(d->a, "Pods of %s", netns_get(dp, dp->blocks.v[b].owner)->hostname);
	return r->dst.len == 0 ? "everything else" : !ip_set(r->via) ? "the other nodes" : "";
}

static void add_table(struct drawing *d, uint32_t k)
{
	struct route *v;
	uint32_t nr, rows = 0, pods = 0, more = 0;
	struct sb text = { 0 };
	ip_addr ip = node_ip(d->node[k]);
	box_h h = d->box[k] = scene_box(d->s, (box_h){ 0 }, ROLE_NODE, part_id(d->s, &d->node[k]->o), d->node[k]->o.name, ip_set(ip) ? arena_strdup(d->a, IP(ip)) : NULL);

	part_details(d->s, h, d->w->cluster, &d->node[k]->o);
	routes_of(d->w->dp, d->ns[k], d->a, &v, &nr);
	for (uint32_t i = 0; i < nr; i++) {
		if (is_local_pod(&v[i])) {
			pods++;
			continue;
		}
		if (rows++ >= MAX_ROWS) {
			more++;
			continue;
		}
		sb_reset(&text);
		print_route(d->w->dp, &v[i], &text);
		scene_cell(d->s, h, true, ROW_MONO, ROLE_PLAIN, first_line(d->a, &text));
		scene_cell(d->s, h, false, ROW_NOTE, ROLE_PLAIN, leads_to(d, &v[i]));
	}
	if (pods)
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "and %u route%s to Pods of its own, one for each veth", pods, pods > 1 ? "s" : ""), NULL);
	if (more)
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "and %u more", more), NULL);
	sb_free(&text);
}

static bool encapsulates(const struct dataplane *dp)
{
	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		if (dp->blocks.v[k].tunnel)
			return true;
	return false;
}

/* The wire between the nodes, half of them above it and half below. */
static void add_wire(struct drawing *d)
{
	uint32_t above = d->nr > 3 ? (d->nr + 1) / 2 : d->nr;
	box_h h = scene_box(d->s, (box_h){ 0 }, ROLE_OUTSIDE, "network", "the nodes' network", encapsulates(d->w->dp) ? "carries Pod packets inside packets between nodes" : "carries Pod packets as they are");

	for (uint32_t k = 0; k < d->nr; k++) {
		scene_line(d->s, d->box[k], h, LINE_WIRE, NULL)->back = k >= above;
		d->s->edges.v[d->s->edges.nr - 1].weight = 2;
	}
	scene_same_rank(d->s, d->box, above);
	if (above < d->nr)
		scene_same_rank(d->s, d->box + above, d->nr - above);
}

bool fig_routes(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct object_list l = part_nodes(w->cluster, s->arena);
	uint32_t more = 0;

	(void)opt;
	(void)rest;
	(void)args;
	(void)nr;
	if (!l.nr)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	*d = (struct drawing){ .w = w, .s = s, .a = s->arena };
	world_dataplane(w);
	scene_init(s, s->arena, "routes", "Which node has which Pod addresses, and how the others reach them");
	s->rank_gap = 0.6f;
	for (uint32_t k = 0; k < l.nr; k++) {
		netns_h ns = netns_find(w->dp, arena_printf(s->arena, "node/%s", l.v[k]->name));

		if (!ns.i || d->nr == MAX_NODES) {
			more++;
			continue;
		}
		d->node[d->nr] = (const struct node *)l.v[k];
		d->ns[d->nr++] = ns;
		dataplane_node_ready(w->dp, ns);
	}
	s->description = arena_printf(s->arena, "%u nodes, each with its routing table, and the wire between them.", l.nr);
	for (uint32_t k = 0; k < d->nr; k++)
		add_table(d, k);
	add_wire(d);
	if (more)
		scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "%u more nodes", more), "have tables of the same kind");
	return true;
}
