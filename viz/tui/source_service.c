/* A Service as kube-proxy sees it: addresses, endpoints with their share, and the rules of one node that can match it (source_chain.c). */
#include "viz/tui/source.h"

#include "viz/diagram/figure.h"

#include <stdio.h>

static void service_pane(struct tui_model *m, const struct service *s, struct arena *a, struct tui_pane *p)
{
	struct sb selector = { 0 };
	const char *ports = "", *ip = s->cluster_ip && *s->cluster_ip ? s->cluster_ip : "-";

	(void)m;
	p->dashed = true;
	p->title = arena_printf(a, "Service %s", s->o.name);
	p->right = svc_type_names[s->type];
	pane_printf(a, p, TR_SERVICE, "%-11s %s%s%s", s->type == SVC_EXTERNALNAME ? "name" : "ClusterIP", s->type == SVC_EXTERNALNAME && s->external_name ? s->external_name : ip,
		    s->cluster_ips.nr > 1 ? "  " : "", s->cluster_ips.nr > 1 ? s->cluster_ips.v[1] : "");
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		const char *name = s->ports.v[k].name ? s->ports.v[k].name : "port";

		pane_printf(a, p, TR_SERVICE, "%-11s %s/%s", name, port_text(a, s, k), l4_names[s->ports.v[k].protocol]);
		if (s->ports.v[k].node_port)
			pane_printf(a, p, TR_SERVICE, "%-11s %d", "NodePort", s->ports.v[k].node_port);
		ports = arena_printf(a, "%s%s%d", ports, k ? "," : "", s->ports.v[k].port);
	}
	if (s->type == SVC_LOADBALANCER)
		pane_printf(a, p, s->lb_ingress.nr ? TR_SERVICE : TR_WARN, "%-11s %s", "LB", s->lb_ingress.nr ? s->lb_ingress.v[0].ip ? s->lb_ingress.v[0].ip : s->lb_ingress.v[0].hostname : "<pending>")->note =
			s->lb_ingress.nr ? NULL : "no load balancer controller has given it an address; without one it stays so for ever";
	if (s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER)
		pane_printf(a, p, TR_TEXT, "%-11s %s", "ext. policy", traffic_policy_names[s->external_policy]);
	pane_printf(a, p, TR_TEXT, "%-11s %s", "affinity", s->affinity ? s->affinity : "None");
	for (uint32_t k = 0; k < s->selector.nr; k++)
		sb_printf(&selector, "%s%s=%s", k ? "," : "", s->selector.v[k].key, s->selector.v[k].value);
	pane_printf(a, p, TR_TEXT, "%-11s %s", "selector", selector.len ? sb_text(&selector) : "none: its endpoints are made by hand");
	p->brief = arena_printf(a, "%s:%s  %s  %s", ip, ports, svc_type_names[s->type], sb_text(&selector));
	sb_free(&selector);
}

static void endpoints_pane(struct tui_model *m, const struct service *s, struct arena *a, struct tui_pane *p)
{
	struct object_list l = service_slices(m->world->cluster, s);
	uint32_t ready = 0, not = 0;
	int at_w = 14, node_w = 4, zone_w = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		for (uint32_t i = 0; i < ((const struct endpointslice *)l.v[k])->endpoints.nr; i++) {
			const struct endpoint *e = &((const struct endpointslice *)l.v[k])->endpoints.v[i];

			ready += e->ready != TRI_FALSE;
			at_w = MAX(at_w, e->addresses.nr ? MIN((int)strlen(e->addresses.v[0]) + 6, 46) : 0);
			node_w = MAX(node_w, e->node ? MIN((int)strlen(e->node), 20) : 0);
			zone_w = MAX(zone_w, e->zone ? MIN((int)strlen(e->zone) + 1, 14) : 0);
		}
	pane_printf(a, p, TR_HEAD, "  %-*s %-5s %-7s %-4s %-*s %-*s%s", at_w, "endpoint", "ready", "serving", "term", node_w, "node", zone_w, zone_w ? "zone" : "", "share");
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *x = (const struct endpointslice *)l.v[k];

		for (uint32_t i = 0; i < x->endpoints.nr; i++) {
			const struct endpoint *e = &x->endpoints.v[i];
			bool is = e->ready != TRI_FALSE;
			const char *port = x->ports.nr && x->ports.v[0].port.set ? arena_printf(a, ":%d", x->ports.v[0].port.v) : "";
			struct tui_line *line = pane_printf(a, p, TR_TEXT, "%-*s %-5s %-7s %-4s %-*s %-*s%s", at_w, arena_printf(a, *port && x->address_type && streq(x->address_type, "IPv6") ? "[%s]%s" : "%s%s", e->addresses.nr ? e->addresses.v[0] : "?", port), is ? "yes" : "no",
							    e->serving == TRI_FALSE || (e->serving == TRI_UNSET && !is) ? "no" : "yes", e->terminating == TRI_TRUE ? "yes" : "no", node_w, e->node ? e->node : "-",
							    zone_w, e->zone ? e->zone : "", is ? arena_printf(a, "1/%u", ready) : "–");

			not += !is;
			line->mark = e->terminating == TRI_TRUE ? TM_ENDING : is ? TM_READY : TM_STARTING;
			if (e->target && streq(e->target->kind, "Pod"))
				line->ref = arena_printf(a, "pod/%s/%s", x->o.ns, e->target->name);
		}
	}
	p->title = l.nr == 1 ? arena_printf(a, "EndpointSlice %s", l.v[0]->name) : arena_printf(a, "%u EndpointSlices", l.nr);
	p->right = arena_printf(a, "%u ready, %u not", ready, not);
	if (!ready)
		pane_line(a, p, TR_BAD, s->selector.nr ? "no endpoint is ready: connections are refused" : "no selector, and nobody made endpoints by hand");
}

/* What the node before did not have: with externalTrafficPolicy Local, nodes differ. */
static void mark_differences(struct tui_pane *p, const struct tui_pane *before)
{
	for (uint32_t k = 0; k < p->nr; k++) {
		bool same = false;

		for (uint32_t i = 0; i < before->nr && !same; i++)
			same = strcmp(p->v[k].text, before->v[i].text) == 0;
		if (!same)
			p->v[k].role = TR_CHANGED;
	}
}

static const char *nth_node(struct object_list nodes, int turn)
{
	uint32_t first = 0;
	int nr = (int)nodes.nr;

	while (first < nodes.nr && strstr(nodes.v[first]->name, "control"))     /* a worker says more than the control plane */
		first++;
	return nr ? nodes.v[((((int)first + turn) % nr) + nr) % nr]->name : "";
}

static void end_dataplane(void *ctx) { dataplane_free(ctx); }

struct world *model_other_mode(struct tui_model *m)
{
	bool iptables = cluster_settings(m->world->cluster)->proxy_mode == PROXY_IPTABLES;

	if (!m->other_mode) {
		m->other_mode = arena_make(m->arena, struct world);
		*m->other_mode = *m->world;
		m->other_mode->dp = dataplane_compile_mode(m->world->cluster, NULL, iptables ? PROXY_NFTABLES : PROXY_IPTABLES);
		model_at_end(m, end_dataplane, m->other_mode->dp);
	}
	return m->other_mode;
}

static struct world *own_mode(struct tui_model *m)
{
	world_dataplane(m->world);
	return m->world;
}

struct seen_on { struct world *world; const char *node, *before; bool nft; };

static struct seen_on look(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_object *out)
{
	static const char *const modes[] = { [PROXY_NFTABLES] = "nftables", [PROXY_IPTABLES] = "iptables", [PROXY_IPVS] = "ipvs", [PROXY_NONE] = "no kube-proxy" };
	struct object_list nodes = cluster_list(m->world->cluster, &node_kind);
	enum proxy_mode own = (enum proxy_mode)cluster_settings(m->world->cluster)->proxy_mode, mode = want->other ? own == PROXY_IPTABLES ? PROXY_NFTABLES : PROXY_IPTABLES : own;
	struct seen_on s = { want->other ? model_other_mode(m) : own_mode(m), nth_node(nodes, want->n), want->n ? nth_node(nodes, want->n > 0 ? want->n - 1 : want->n + 1) : NULL, mode != PROXY_IPTABLES };

	m->services_seen = true;
	out->turns = nodes.nr > 1;
	out->modes = true;
	out->right = arena_printf(a, "node: %s   mode: %s%s", s.node, modes[mode], want->other ? arena_printf(a, ", not %s", modes[own]) : "");
	return s;
}

void fill_service(struct tui_model *m, const struct service *s, const struct tui_want *want, struct arena *a, struct tui_object *out)
{
	struct seen_on on = look(m, want, a, out);

	out->layout = LAYOUT_SERVICE;
	out->nr_panes = 3;
	service_pane(m, s, a, &out->panes[0]);
	endpoints_pane(m, s, a, &out->panes[1]);
	chain_pane(on.world, s, on.node, on.nft, a, &out->panes[2]);
	if (on.before) {
		struct tui_pane before = { 0 };

		chain_pane(on.world, s, on.before, on.nft, a, &before);
		mark_differences(&out->panes[2], &before);
	}
	if (service_has_vip(s) && s->cluster_ip)
		out->note = arena_printf(a, "%s is on no interface, only in these rules; %s", s->cluster_ip, out->turns ? "←→ another node" : "it answers no ping");
}

void fill_service_plan(struct tui_model *m, const struct service *s, const struct tui_want *want, struct arena *a, struct tui_object *out)
{
	struct seen_on on = look(m, want, a, out);

	plan_pane(on.world, s, on.node, on.nft, a, &out->panes[0]);
	out->note = "what adds the rules of this Service to those of all others; c copies a line";
}
