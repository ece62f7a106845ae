/* The cluster map from the objects. Pods of few nodes are all there; of many only their numbers. */
#include "viz/tui/source.h"

#include "model/dataplane/bgp.h"
#include "viz/diagram/figure.h"

#include <stdlib.h>

struct filling { struct tui_model *m; struct arena *a; struct tui_map *map; struct map nodes; };

/* kube-proxy, calico-node and their like are the node's own; the map shows them as such. */
static bool is_agent(const struct pod *p) { return p->spec->host_network && is_system(&p->o); }

static struct tui_pod pod_of(struct filling *f, const struct pod *p, bool with_ns)
{
	return (struct tui_pod){ .ref = ref_of(f->a, &p->o), .name = with_ns ? arena_printf(f->a, "%s/%s", p->o.ns, p->o.name) : p->o.name,
				 .address = ip_set(p->ip) ? arena_strdup(f->a, IP(p->ip)) : NULL, .mark = pod_mark(p) };
}

static void agent_of(struct filling *f, const struct bgp_hearing *h, const struct node *n, uint32_t number, struct tui_node *out)
{
	struct cluster *c = f->m->world->cluster;
	const struct settings *s = cluster_settings(c);
	uint32_t all = 0, up;
	struct dataplane *dp;

	if (s->cni == CNI_NONE)
		return;
	if (s->cni != CNI_CALICO) {
		out->agent[out->nr_agent++] = s->cni == CNI_FLANNEL ? "flanneld" : "bridge cni0";
		out->agent[out->nr_agent++] = s->cni == CNI_FLANNEL ? "VXLAN flannel.1" : "routes to the others";
		if (n->pod_cidr)
			out->agent[out->nr_agent++] = n->pod_cidr;
		return;
	}
	out->agent[out->nr_agent++] = "calico-node";
	up = bgp_sessions_up(c, h, number, &all);
	out->agent[out->nr_agent++] = bgp_backend_without_bird(c) ? "without BIRD" : all ? arena_printf(f->a, "BIRD %u of %u up", up, all) : "no BGP session";
	if (h->everybody && all)
		f->map->mesh = "BGP";
	dp = world_dataplane(f->m->world);
	for (uint32_t k = 0; k < dp->blocks.nr; k++)
		if (streq(netns_get(dp, dp->blocks.v[k].owner)->hostname, n->o.name) && !dp->blocks.v[k].borrowed) {
			out->agent[out->nr_agent++] = arena_strdup(f->a, CIDR(dp->blocks.v[k].cidr));
			break;
		}
}

static int by_zone(const void *x, const void *y)
{
	const struct tui_node *a = x, *b = y;
	int z = str_order(a->zone, b->zone);

	return z ? z : strverscmp(a->name, b->name);
}

static void add_nodes(struct filling *f)
{
	struct object_list l = cluster_list(f->m->world->cluster, &node_kind);
	bool zones = l.nr > MAP_DETAIL;
	struct bgp_hearing h = { 0 };

	f->map->nodes = arena_array(f->a, struct tui_node, l.nr);
	f->map->nr_nodes = l.nr;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct node *n = (const struct node *)l.v[k];
		struct tui_node *out = &f->map->nodes[k];
		ip_addr ip = node_ip(n);
		const char *link = label_get(&n->o.annotations, "podwire.io/link"), *room = label_get(&n->allocatable, "pods");

		*out = (struct tui_node){ .ref = ref_of(f->a, &n->o), .name = n->o.name, .address = ip_set(ip) ? arena_strdup(f->a, IP(ip)) : NULL, .mark = node_mark(n),
					  .zone = label_get(&n->o.labels, "topology.kubernetes.io/zone"), .room = room ? (uint32_t)strtoul(room, NULL, 10) : 0 };
		if (link)
			out->link = strchr(link, ' ') ? strchr(link, ' ') + 1 : link;
	}
	if (zones)
		qsort(f->map->nodes, l.nr, sizeof(*f->map->nodes), by_zone);
	for (uint32_t k = 0; k < l.nr; k++) {
		const char *name = f->map->nodes[k].name;       /* interned */

		*map_put(&f->nodes, f->a, map_ptr(name)) = k + 1;
	}
	if (!zones && cluster_settings(f->m->world->cluster)->cni == CNI_CALICO)
		h = bgp_hear(f->m->world->cluster, f->a);
	for (uint32_t k = 0; !zones && k < l.nr; k++)
		agent_of(f, &h, (const struct node *)l.v[k], k, &f->map->nodes[k]);
}

static void note_worst(struct filling *f, const struct pod *p, uint8_t mark)
{
	const struct condition *c = condition_get(&p->conditions, "PodScheduled");
	const char *why = NULL;

	if (f->map->worst || (mark != TM_PENDING && mark != TM_FAILED))
		return;
	if (mark == TM_PENDING && c && c->message)
		why = c->message;
	for (uint32_t k = 0; !why && k < p->statuses.nr; k++)
		why = p->statuses.v[k].message ? p->statuses.v[k].message : p->statuses.v[k].reason;
	if (!why)
		why = p->message ? p->message : p->reason;
	if (!why)
		return;
	f->map->worst = arena_printf(f->a, "%s/%s: %s", p->o.ns, p->o.name, why);
	f->map->worst_ref = ref_of(f->a, &p->o);
}

static void add_pods(struct filling *f)
{
	struct object_list l = cluster_list(f->m->world->cluster, &pod_kind);
	bool all = f->map->nr_nodes <= MAP_DETAIL;
	uint32_t homeless = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];
		uint8_t mark = pod_mark(p);
		uint64_t *at = p->node ? map_find(&f->nodes, map_ptr(p->node)) : NULL;

		note_worst(f, p, mark);
		homeless += !at && !pod_is_terminal(p);
		if (!at || pod_is_terminal(p))
			continue;
		f->map->nodes[*at - 1].count[mark]++;
		f->map->nodes[*at - 1].all++;
		f->map->nodes[*at - 1].nr_pods += all && !is_agent(p);
	}
	for (uint32_t k = 0; all && k < f->map->nr_nodes; k++) {
		f->map->nodes[k].pods = arena_array(f->a, struct tui_pod, f->map->nodes[k].nr_pods);
		f->map->nodes[k].nr_pods = 0;
	}
	homeless = MIN(homeless, 500u);
	f->map->homeless = arena_array(f->a, struct tui_pod, homeless);
	for (int system = 0; system < 2; system++)      /* people's own first */
		for (uint32_t k = 0; (all || (f->map->nr_homeless < homeless && !system)) && k < l.nr; k++) {
			const struct pod *p = (const struct pod *)l.v[k];
			uint64_t *at = p->node ? map_find(&f->nodes, map_ptr(p->node)) : NULL;

			if (!at && !pod_is_terminal(p) && !system && f->map->nr_homeless < homeless)
				f->map->homeless[f->map->nr_homeless++] = pod_of(f, p, true);
			else if (at && all && !pod_is_terminal(p) && !is_agent(p) && is_system(&p->o) == (bool)system)
				f->map->nodes[*at - 1].pods[f->map->nodes[*at - 1].nr_pods++] = pod_of(f, p, false);
		}
}

static uint32_t nr_endpoints(struct cluster *c, const struct service *s)
{
	struct object_list l = service_slices(c, s);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *x = (const struct endpointslice *)l.v[k];

		for (uint32_t i = 0; i < x->endpoints.nr; i++)
			nr += x->endpoints.v[i].ready != TRI_FALSE;
	}
	return nr;
}

static void add_services(struct filling *f)
{
	struct cluster *c = f->m->world->cluster;
	struct object_list l = cluster_list(c, &service_kind);
	bool outside = false;

	f->map->nr_services = 0;
	f->map->services = arena_array(f->a, struct tui_service, MIN(l.nr, 200u));
	for (int system = 0; system < 2; system++)
		for (uint32_t k = 0; k < l.nr; k++) {
			const struct service *s = (const struct service *)l.v[k];

			if (is_system(&s->o) != (bool)system || (streq(s->o.ns, "default") && streq(s->o.name, "kubernetes")))
				continue;
			f->map->all_services++;
			outside = outside || s->type == SVC_LOADBALANCER || s->type == SVC_NODEPORT;
			if (f->map->nr_services < 200)
				f->map->services[f->map->nr_services++] = (struct tui_service){ .ref = ref_of(f->a, &s->o), .name = arena_printf(f->a, "%s/%s", s->o.ns, s->o.name),
					.type = s->type == SVC_LOADBALANCER ? "LB" : svc_type_names[s->type], .address = service_address(f->a, s), .endpoints = nr_endpoints(c, s) };
		}
	if (outside)
		f->map->outside[f->map->nr_outside++] = "client 203.0.113.10";
}

void fill_map(struct tui_model *m, struct arena *a, struct tui_map *out)
{
	struct filling f = { m, a, out, { 0 } };
	struct tui_head head;

	model_head(m, &head);
	add_nodes(&f);
	add_pods(&f);
	add_services(&f);
}
