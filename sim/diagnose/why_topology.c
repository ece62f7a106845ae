/* What becomes of topology hints, node by node, and why: asked of the function by which kube-proxy chooses. */
#include "model/dataplane/kube_proxy.h"
#include "sim/diagnose/diagnose.h"

#define ZONE "topology.kubernetes.io/zone"

/* Nodes to which the same happens. */
struct kinship { uint8_t topology; const char *zone; const struct node *first; struct sb names; uint32_t nr, endpoints; const struct kp_endpoint *only, *bare; };
struct topology { VEC(struct kinship) v; uint32_t ready; };

static struct kp_port *port_of(struct kube_proxy *kp, const struct service *s, bool *v6)
{
	for (int six = 0; six < 2; six++) {
		const struct kp_ports *ports = kp_ports_of(kp, six);

		for (uint32_t k = 0; k < ports->nr; k++)
			if (ports->v[k].svc == s) {
				*v6 = six;
				return &ports->v[k];
			}
	}
	return NULL;
}

static void ask_nodes(struct diagnosis *d, const struct service *s, struct topology *t)
{
	struct world *w = d->world;
	const struct settings *settings = cluster_settings(w->cluster);
	struct object_list nodes = cluster_list(w->cluster, &node_kind);
	bool v6 = false;
	struct kube_proxy *kp;
	struct kp_port *port;

	world_dataplane(w);
	kp = kube_proxy_new(w->cluster, NULL, settings, w->dp);
	port = port_of(kp, s, &v6);
	if (!port || !kp_uses_cluster(port))
		return;
	kp_endpoints_of(kp, port, v6);
	for (uint32_t k = 0; k < port->all.nr; k++)
		t->ready += port->all.v[k].ready;
	for (uint32_t n = 0; n < nodes.nr; n++) {
		const char *zone = label_get(&nodes.v[n]->labels, ZONE);
		struct kp_sets sets = kp_categorize(port, nodes.v[n]->name, zone, settings->same_node_hints, d->arena);
		struct kinship *like = NULL;

		for (uint32_t k = 0; k < t->v.nr && !like; k++)
			if (t->v.v[k].topology == sets.topology && sets.topology != KP_SAME_NODE && streq(t->v.v[k].zone, zone))
				like = &t->v.v[k];
		if (!like) {
			like = vec_push(d->arena, &t->v);
			*like = (struct kinship){ .topology = sets.topology, .zone = zone, .first = (const struct node *)nodes.v[n], .endpoints = sets.cluster.nr,
						  .only = sets.cluster.nr == 1 ? &sets.cluster.v[0] : NULL, .bare = sets.bare };
		}
		if (like->nr++ < 5)
			sb_printf(&like->names, "%s%s", like->nr > 1 ? ", " : "", nodes.v[n]->name);
		else if (like->nr == 6)
			sb_add(&like->names, ", …");
	}
}

static void evidence_wish(struct diagnosis *d, struct finding *f, const struct service *s)
{
	if (s->traffic_distribution)
		evidence(d, f, &s->o, "spec.trafficDistribution", NULL);
}

static void bare_endpoint(struct diagnosis *d, const struct service *s, const struct kp_endpoint *e)
{
	const struct node *n = e->node ? find_node(d->world->cluster, e->node) : NULL;
	struct finding *f = finding(d, FINDING_WARNING, "hints-ignored", "topology hints are ignored altogether, by every node: endpoint %s has none", e->text);

	evidence_wish(d, f, s);
	evidence(d, f, obj_get(d->world->cluster, e->slice), "endpoints", arena_printf(d->arena, "%s without hints.forZones", e->text));
	if (n && !label_get(&n->o.labels, ZONE))
		evidence(d, f, &n->o, "metadata.labels", "no " ZONE);
	remedy(d, f, n ? "every ready endpoint needs a hint: label its node %s with " ZONE : "every ready endpoint needs a hint; who made that slice has to give it%.0s", n ? n->o.name : "");
}

static void group(struct diagnosis *d, const struct service *s, const struct topology *t, const struct kinship *g)
{
	const char *names = sb_text(&g->names), *zone = g->zone ? g->zone : "";
	struct finding *f;

	switch ((enum kp_topology)g->topology) {
	case KP_NO_ZONE:
		f = finding(d, FINDING_WARNING, "hints-no-zone", "%s use%s all %u endpoints in spite of the hints: no label says in which zone %s", names, g->nr == 1 ? "s" : "", t->ready, g->nr == 1 ? "it is" : "they are");
		evidence(d, f, &g->first->o, "metadata.labels", "no " ZONE);
		remedy(d, f, "podwire label node/%s " ZONE "=ZONE", g->first->o.name);
		break;
	case KP_NONE_FOR_ZONE:
		f = finding(d, FINDING_NOTE, "hints-none-here", "%s use%s all %u endpoints: none is meant for zone %s", names, g->nr == 1 ? "s" : "", t->ready, zone);
		evidence(d, f, &g->first->o, "metadata.labels." ZONE, zone);
		break;
	case KP_SAME_ZONE:
	case KP_SAME_NODE:
		f = finding(d, FINDING_NOTE, g->topology == KP_SAME_ZONE ? "hints-zone" : "hints-node", "%s use%s %u of %u endpoints, by the hints for %s%s", names, g->nr == 1 ? "s" : "", g->endpoints, t->ready,
			    g->topology == KP_SAME_ZONE ? "zone " : "that node", g->topology == KP_SAME_ZONE ? zone : "");
		evidence_wish(d, f, s);
		if (g->only && t->ready > 1) {
			evidence(d, f, obj_get(d->world->cluster, g->only->slice), "endpoints", arena_printf(d->arena, "%s alone takes all that comes from there", g->only->text));
			remedy(d, f, "hints look at no load: have as many Pods in each zone as its clients need (topologySpreadConstraints), or take trafficDistribution away");
		}
		break;
	case KP_NO_HINTS:
	case KP_BARE_ENDPOINT:
		break;
	}
}

void why_topology(struct diagnosis *d, const struct service *s)
{
	const char *automatic = label_get(&s->o.annotations, "service.kubernetes.io/topology-mode");
	struct topology t = { 0 };
	bool none = true;
	struct finding *f;

	if (automatic && strcmp(automatic, "Disabled") != 0 && strcmp(automatic, "disabled") != 0) {
		f = finding(d, FINDING_NOTE, "hints-automatic", "hints by topology-mode: %s give each zone endpoints by its share of the nodes' CPUs, or nobody any: the Service's events say which", automatic);
		evidence(d, f, &s->o, "metadata.annotations.service.kubernetes.io/topology-mode", automatic);
	}
	ask_nodes(d, s, &t);
	for (uint32_t k = 0; k < t.v.nr; k++)
		none = none && t.v.v[k].topology == KP_NO_HINTS;
	if (t.v.nr && none && s->traffic_distribution && t.ready) {
		f = finding(d, FINDING_WARNING, "hints-missing", "trafficDistribution has no effect: no endpoint has a hint, for none of their nodes has a zone");
		evidence_wish(d, f, s);
		evidence(d, f, &t.v.v[0].first->o, "metadata.labels", "no " ZONE);
		remedy(d, f, "label the nodes with " ZONE "; endpoints tell of a new zone when their Service or its Pods change the next time");
	}
	for (uint32_t k = 0; k < t.v.nr; k++)
		if (t.v.v[k].topology == KP_BARE_ENDPOINT) {
			bare_endpoint(d, s, t.v.v[k].bare);
			break;
		}
	for (uint32_t k = 0; k < t.v.nr; k++) {
		group(d, s, &t, &t.v.v[k]);
		sb_free(&t.v.v[k].names);
	}
}
