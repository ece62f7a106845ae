/* ClusterIP and NodePort: one Service in the API, the same rules on every node, endpoints anywhere. From the first Service that has a selector and is not the
 * system's, or the one that --focus names. */
#include "viz/diagram/figure.h"

#define MAX_NODES 3
#define MAX_PODS  4     /* on one node */

struct drawing { struct world *w; struct scene *s; const struct service *svc; struct object_list ends; const struct pod *client; box_h api, outside; };

static const struct service *subject(struct world *w, const struct figure_options *opt)
{
	struct object_list l = opt->ns ? cluster_list_ns(w->cluster, &service_kind, opt->ns) : cluster_list(w->cluster, &service_kind);
	const struct service *best = NULL;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *v = (const struct service *)l.v[k];

		if (is_system(&v->o) || !v->selector.nr || !service_has_vip(v))
			continue;
		if (opt->focus && !focus_is(opt, &v->o))
			continue;
		if (!best || (v->type > best->type && best->type == SVC_CLUSTERIP))
			best = v;
	}
	return best;
}

static bool is_endpoint(const struct drawing *d, const struct pod *p)
{
	for (uint32_t k = 0; k < d->ends.nr; k++)
		if (d->ends.v[k] == &p->o)
			return true;
	return false;
}

/* A Pod that could ask: in the Service's namespace, and not behind it. */
static const struct pod *find_client(const struct drawing *d)
{
	struct object_list l = cluster_list_ns(d->w->cluster, &pod_kind, d->svc->o.ns);

	for (uint32_t k = 0; k < l.nr; k++)
		if (!is_endpoint(d, (const struct pod *)l.v[k]) && ip_set(((const struct pod *)l.v[k])->ip))
			return (const struct pod *)l.v[k];
	return NULL;
}

static void add_api(struct drawing *d)
{
	struct scene *s = d->s;
	struct object_list slices = service_slices(d->w->cluster, d->svc);
	box_h svc, eps;
	uint32_t shown = 0;

	d->api = scene_group(s, (box_h){ 0 }, ROLE_API, "kube-apiserver", "kube-apiserver", NULL);
	svc = scene_box(s, d->api, ROLE_SERVICE, part_id(s, &d->svc->o), arena_printf(s->arena, "Service %s", d->svc->o.name), NULL);
	for (uint32_t k = 0; k < d->svc->ports.nr && k < 3; k++) {
		scene_row(s, svc, ROW_TEXT, "ClusterIP", socket_of(s->arena, d->svc->cluster_ip, d->svc->ports.v[k].port));
		if (d->svc->ports.v[k].node_port)
			scene_row(s, svc, ROW_TEXT, "NodePort", arena_printf(s->arena, "%d", d->svc->ports.v[k].node_port));
	}
	for (uint32_t k = 0; k < d->svc->selector.nr; k++)
		scene_row(s, svc, ROW_TEXT, k ? "" : "selector", arena_printf(s->arena, "%s=%s", d->svc->selector.v[k].key, d->svc->selector.v[k].value));
	part_details(s, svc, d->w->cluster, &d->svc->o);
	if (!slices.nr)
		return;
	eps = scene_box(s, d->api, ROLE_SERVICE, part_id(s, slices.v[0]), "EndpointSlice", slices.v[0]->name);
	part_details(s, eps, d->w->cluster, slices.v[0]);
	scene_same_rank(s, (box_h[]){ svc, eps }, 2);
	scene_below(s, svc, eps, 1);            /* of one rank: beside it, to its right */
	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < sl->endpoints.nr && shown < 6; i++, shown++)
			scene_row(s, eps, sl->endpoints.v[i].ready == TRI_FALSE ? ROW_NOTE : ROW_TEXT,
				  arena_printf(s->arena, "%s%s", socket_of(s->arena, sl->endpoints.v[i].addresses.v[0], sl->ports.nr ? (int32_t)sl->ports.v[0].port.v : 0),
					       sl->endpoints.v[i].ready == TRI_FALSE ? "  not ready" : ""), NULL);
	}
	if (d->ends.nr > shown)
		scene_row(s, eps, ROW_NOTE, arena_printf(s->arena, "and %u more", d->ends.nr - shown), NULL);
}

static box_h add_rules(struct drawing *d, box_h group, const struct node *n, ip_addr ip)
{
	struct scene *s = d->s;
	box_h rules = scene_box(s, group, ROLE_RULES, arena_printf(s->arena, "netfilter-%s", n->o.name), "netfilter", "same on every node");
	const struct svc_port *p = &d->svc->ports.v[0];

	if (p->node_port)
		scene_row(s, rules, ROW_TEXT, socket_of(s->arena, IP(ip), p->node_port), arena_printf(s->arena, "→ %s", d->svc->o.name));
	scene_row(s, rules, ROW_TEXT, socket_of(s->arena, d->svc->cluster_ip, p->port), arena_printf(s->arena, "→ %s", d->svc->o.name));
	scene_row(s, rules, ROW_TEXT, d->svc->o.name, d->ends.nr ? arena_printf(s->arena, "DNAT, 1 of %u", d->ends.nr) : "reject: no endpoint");
	return rules;
}

static void add_workers(struct drawing *d, const struct node **nodes, uint32_t nr)
{
	struct scene *s = d->s;
	box_h rules[MAX_NODES], proxy[MAX_NODES], pods[MAX_NODES * MAX_PODS + 1], upper[2 * MAX_NODES];
	uint32_t nr_pods = 0, nr_upper = 0;
	box_h first_rules = { 0 };
	box_h near[MAX_PODS];                   /* endpoints where the packet arrives: their lines are short, come last, are drawn above the others, and bear the number */
	uint32_t nr_near = 0, last = 0;

	for (uint32_t k = 0; k < nr; k++) {
		box_h group = part_node(s, (box_h){ 0 }, d->w->cluster, nodes[k]);
		bool mirror = k > 0;

		scene_get(s, group)->label_below = true;
		if (mirror)
			proxy[k] = scene_box(s, group, ROLE_RULES, arena_printf(s->arena, "kube-proxy-%s", nodes[k]->o.name), NULL, "kube-proxy");
		rules[k] = add_rules(d, group, nodes[k], node_ip(nodes[k]));
		if (!mirror)
			proxy[k] = scene_box(s, group, ROLE_RULES, arena_printf(s->arena, "kube-proxy-%s", nodes[k]->o.name), NULL, "kube-proxy");
		upper[nr_upper++] = mirror ? proxy[k] : rules[k];
		upper[nr_upper++] = mirror ? rules[k] : proxy[k];
		if (!k)
			first_rules = rules[0];
		if (d->client && pod_on(d->client, nodes[k])) {
			pods[nr_pods] = part_pod(s, group, d->w->cluster, d->client, true);
			scene_line(s, pods[nr_pods], rules[k], LINE_PACKET, NULL)->back = true;
			s->edges.v[s->edges.nr - 1].badge = 2;
			s->edges.v[s->edges.nr - 1].weight = 8;
			nr_pods++;
			first_rules = rules[k];
		}
	}
	for (uint32_t turn = 0; turn < nr; turn++) {    /* where the packet arrives comes last, so that its lines are drawn above the others */
		uint32_t here = 0, k = nr - 1 - turn;

		for (uint32_t i = 0; i < d->ends.nr && here < MAX_PODS; i++) {
			const struct pod *p = (const struct pod *)d->ends.v[i];

			if (!pod_on(p, nodes[k]))
				continue;
			pods[nr_pods] = part_pod(s, s->boxes.v[rules[k].i].parent, d->w->cluster, p, true);
			if (rules[k].i == first_rules.i)
				near[nr_near++] = pods[nr_pods];
			else
				scene_line(s, first_rules, pods[nr_pods], LINE_PACKET, NULL)->weight = 1;
			last = s->edges.nr;
			if (rules[k].i != first_rules.i)
				scene_below(s, here ? rules[k] : proxy[k], pods[nr_pods], 10);
			nr_pods++;
			here++;
		}
		for (uint32_t i = 0, all = 0; i < d->ends.nr; i++) {
			all += pod_on((const struct pod *)d->ends.v[i], nodes[k]);
			if (i + 1 == d->ends.nr && all > here)
				scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "%u more on %s", all - here, nodes[k]->o.name), "are not drawn");
		}
		scene_line(s, d->api, proxy[k], LINE_WATCH, NULL);
		scene_line(s, proxy[k], rules[k], LINE_WRITES, NULL)->back = k == 0;
	}
	for (uint32_t k = 0; k < nr_near; k++)
		scene_line(s, first_rules, near[k], LINE_PACKET, NULL)->weight = 4;
	last = nr_near ? s->edges.nr : last;
	if (last)
		s->edges.v[last - 1].badge = 3;
	for (uint32_t i = 0, drawn = 0; i < d->ends.nr; i++) {
		const struct pod *p = (const struct pod *)d->ends.v[i];
		bool there = false;

		for (uint32_t k = 0; k < nr; k++)
			there = there || pod_on(p, nodes[k]);
		drawn += there;
		if (i + 1 == d->ends.nr && drawn < d->ends.nr)
			scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "%u more endpoints", d->ends.nr - drawn), "are on nodes that are not drawn; the rules choose them as well");
	}
	if (d->outside.i) {
		scene_line(s, d->outside, first_rules, LINE_PACKET, NULL)->badge = 1;
		scene_same_rank(s, (box_h[]){ d->outside, d->api }, 2);
	}
	scene_same_rank(s, upper, nr_upper);
	scene_same_rank(s, pods, nr_pods);
}

bool fig_clusterip(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing d = { .w = w, .s = s, .svc = subject(w, opt) };
	struct object_list all = part_nodes(w->cluster, s->arena);
	const struct node *nodes[MAX_NODES];
	uint32_t nr_nodes = 0;

	(void)rest;
	(void)args;
	(void)nr;
	if (!d.svc)
		return err_add(err, ERR_FAILED, NULL, "there is no Service with a selector and a ClusterIP to draw%s%s", opt->focus ? ": " : "", opt->focus ? opt->focus : "");
	d.ends = part_endpoints(w->cluster, d.svc, s->arena);
	d.client = find_client(&d);
	for (uint32_t k = 0; k < all.nr && d.client; k++)
		if (pod_on(d.client, (const struct node *)all.v[k]))
			nodes[nr_nodes++] = (const struct node *)all.v[k];
	for (int pass = 0; pass < 2; pass++)            /* the client's, then nodes with a part in it, in name order */
		for (uint32_t k = 0; k < all.nr && nr_nodes < MAX_NODES - 1; k++) {
			const struct node *n = (const struct node *)all.v[k];
			bool part = false, seen = false;

			for (uint32_t i = 0; i < d.ends.nr; i++)
				part = part || pod_on((const struct pod *)d.ends.v[i], n);
			for (uint32_t i = 0; i < nr_nodes; i++)
				seen = seen || nodes[i] == n;
			if (!seen && part == !pass && (pass == 0 || nr_nodes < 2) && !label_get(&n->o.labels, "node-role.kubernetes.io/control-plane"))
				nodes[nr_nodes++] = n;
		}
	scene_init(s, s->arena, "clusterip", arena_printf(s->arena, "Service %s/%s: one Service, rules on every node, endpoints anywhere", d.svc->o.ns, d.svc->o.name));
	s->description = arena_printf(s->arena, "The API server holds Service %s with ClusterIP %s and its EndpointSlice. kube-proxy on each node watches both and writes the same "
				      "netfilter rules. A packet to the ClusterIP or NodePort is rewritten on the node where it arrives to one of %u endpoints.", d.svc->o.name, d.svc->cluster_ip, d.ends.nr);
	s->ortho = true;
	s->rank_gap = 0.6f;
	if (d.svc->ports.nr && d.svc->ports.v[0].node_port)
		d.outside = part_client(s, w);
	add_api(&d);
	add_workers(&d, nodes, nr_nodes);
	scene_legend(s, LINE_PACKET, 0, "packets");
	scene_legend(s, LINE_WATCH, 0, "watch");
	scene_legend(s, LINE_WRITES, 0, "writes rules");
	scene_legend(s, LINE_PACKET, 1, "from outside to the NodePort of any node");
	scene_legend(s, LINE_PACKET, 2, "from a Pod to the ClusterIP, an address that no interface has");
	scene_legend(s, LINE_PACKET, 3, "the node where the packet arrives picks one ready endpoint, on any node");
	return true;
}
