/* A Service as kube-proxy sees it: addresses, endpoints with their share, and the rules of one node that can match it, from the base chain down, in the order in which
 * they are tried. */
#include "viz/tui/source.h"

#include "viz/diagram/figure.h"
#include "viz/report/trace_report.h"

#include <stdio.h>

struct chain_tree {
	struct tui_model *m;
	struct arena *a;
	struct tui_pane *p;
	const struct ruleset *rs;
	const char *ns, *key, *path;            /* "default/web", "default/web/": how kube-proxy names it in comments and chains */
	uint8_t *leads;                         /* by chain: 1 it does, 2 it does not, 3 is being found out */
	uint8_t *shown;
};

static bool is_ours(const struct chain_tree *t, chain_h h)
{
	const char *name = ruleset_chain_get(t->rs, h)->name, *at = name ? strstr(name, t->path) : NULL;

	return at && (at == name || at[-1] == '-' || at[-1] == '/');
}

static bool is_about(const struct chain_tree *t, const char *comment)
{
	size_t n = strlen(t->key);

	return comment && strncmp(comment, t->key, n) == 0 && (!comment[n] || comment[n] == ':' || comment[n] == ' ');
}

static bool leads(struct chain_tree *t, chain_h h);

static bool element_leads(struct chain_tree *t, const struct elem *e)
{
	return is_about(t, e->comment) || ((e->verdict.code == OP_GOTO || e->verdict.code == OP_JUMP) && leads(t, e->verdict.chain));
}

static bool op_leads(struct chain_tree *t, const struct op *op)
{
	const struct ruleset *owner;

	if (op->code == OP_JUMP || op->code == OP_GOTO)
		return leads(t, (chain_h){ op->a });
	if (op->code == OP_LOOKUP && ruleset_set_get(t->rs, (set_h){ op->a })->kind == SET_VMAP) {
		const struct set_body *b = set_body(t->rs, (set_h){ op->a }, &owner);

		for (uint32_t k = 0; k < b->nr; k++)
			if (element_leads(t, &b->v[k]))
				return true;
	}
	return false;
}

static bool leads(struct chain_tree *t, chain_h h)
{
	const struct ruleset *owner;
	const struct chain_body *b;
	bool yes;

	if (!h.i || t->leads[h.i])
		return h.i && t->leads[h.i] == 1;
	t->leads[h.i] = 3;
	b = chain_body(t->rs, h, &owner);
	yes = is_ours(t, h);
	for (uint32_t k = 0; !yes && k < b->rules.nr; k++) {
		const struct rule *r = &b->rules.v[k];

		yes = is_about(t, r->comment);
		for (uint32_t i = 0; !yes && i < r->nr_ops; i++)
			yes = op_leads(t, &owner->ops.v[r->op + i]);
	}
	t->leads[h.i] = yes ? 1 : 2;
	return yes;
}

static void note_cause(struct chain_tree *t, struct tui_line *l, cause_h cause, const char *chain)
{
	struct sb why = { 0 };

	cause_text(t->m->world, cause, &why);
	if (why.len)
		l->note = arena_printf(t->a, "because of %s", sb_text(&why));
	if (cause.i && cause_get(t->m->world->dp, cause)->object) {
		const struct object *o = obj_get(t->m->world->cluster, (obj_h){ cause_get(t->m->world->dp, cause)->object });

		if (o && !o->gone)
			l->ref = ref_of(t->a, o);
	}
	l->copy = arena_printf(t->a, "nft list chain ip kube-proxy %s", chain);
	sb_free(&why);
}

static void show_chain(struct chain_tree *t, chain_h h, int depth);

/* The Pod that has that address, now. */
static const struct pod *pod_at(struct chain_tree *t, ip_addr ip)
{
	struct object_list l = cluster_list_ns(t->m->world->cluster, &pod_kind, t->ns);

	for (uint32_t k = 0; k < l.nr; k++)
		if (ip_eq(((const struct pod *)l.v[k])->ip, ip) || ip_eq(((const struct pod *)l.v[k])->ip2, ip))
			return (const struct pod *)l.v[k];
	return NULL;
}

/* What each draw of a numgen leads to: one line an endpoint, as far as they fit a page. */
static void show_draws(struct chain_tree *t, set_h set, int depth)
{
	const struct ruleset *owner;
	const struct set_body *b = set_body(t->rs, set, &owner);
	const struct set *s = ruleset_set_get(t->rs, set);

	for (uint32_t k = 0; k < b->nr && k < 40; k++) {
		ip_addr ip = owner->wide.v[b->v[k].value];
		const struct pod *pod = s->value_addr ? NULL : pod_at(t, ip);
		struct tui_line *l;

		if (s->value_addr)
			return;
		l = pane_printf(t->a, t->p, TR_PACKET, "%*s%" PRIu64 "  %s:%" PRIu64 "%s%s%s%s", 4 * depth + 5, "", owner->wide.v[b->v[k].key].lo, IP(ip), owner->wide.v[b->v[k].value + 1].lo,
				pod ? "  " : "", pod ? pod->o.name : "", pod && pod->node ? " on " : "", pod && pod->node ? pod->node : "");
		if (pod)
			l->ref = ref_of(t->a, &pod->o);
		l->note = arena_printf(t->a, "drawn with probability 1/%u", b->nr);
	}
	if (b->nr > 40)
		pane_printf(t->a, t->p, TR_DIM, "%*s… %u more", 4 * depth + 5, "", b->nr - 40);
}

static void show_targets(struct chain_tree *t, const struct ruleset *owner, const struct rule *r, const char *chain, int depth)
{
	struct sb text = { 0 };

	for (uint32_t i = 0; i < r->nr_ops; i++) {
		const struct op *op = &owner->ops.v[r->op + i];
		const struct ruleset *set_owner;
		const struct set_body *b;

		if ((op->code == OP_JUMP || op->code == OP_GOTO) && leads(t, (chain_h){ op->a }))
			show_chain(t, (chain_h){ op->a }, depth + 1);
		if (op->code == OP_LOOKUP && ruleset_set_get(t->rs, (set_h){ op->a })->kind == SET_MAP)
			show_draws(t, (set_h){ op->a }, depth);
		if (op->code != OP_LOOKUP || ruleset_set_get(t->rs, (set_h){ op->a })->kind != SET_VMAP)
			continue;
		b = set_body(t->rs, (set_h){ op->a }, &set_owner);
		for (uint32_t k = 0; k < b->nr; k++) {
			struct tui_line *l;

			if (!element_leads(t, &b->v[k]))
				continue;
			sb_reset(&text);
			elem_text(set_owner, ruleset_set_get(t->rs, (set_h){ op->a }), &b->v[k], &text);
			l = pane_printf(t->a, t->p, TR_SERVICE, "%*s%s", 4 * depth + 5, "", sb_text(&text));
			note_cause(t, l, b->v[k].cause, chain);
			if (b->v[k].verdict.code == OP_GOTO || b->v[k].verdict.code == OP_JUMP)
				show_chain(t, b->v[k].verdict.chain, depth + 1);
		}
	}
	sb_free(&text);
}

static void show_chain(struct chain_tree *t, chain_h h, int depth)
{
	const struct chain *chain = ruleset_chain_get(t->rs, h);
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(t->rs, h, &owner);
	bool ours = is_ours(t, h);
	uint32_t seen = 0, last = 0;

	if (t->shown[h.i]++ || depth > 8)
		return;
	pane_printf(t->a, t->p, TR_HEAD, "%*s%s", 4 * depth, "", chain->name);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t k = 0; k < b->rules.nr; k++) {
			const struct rule *r = &b->rules.v[k];
			bool counts = ours || is_about(t, r->comment);
			struct sb text = { 0 };
			struct tui_line *l;

			for (uint32_t i = 0; !counts && i < r->nr_ops; i++)
				counts = op_leads(t, &owner->ops.v[r->op + i]);
			if (!counts)
				continue;
			if (!pass) {
				last = k;
				seen++;
				continue;
			}
			rule_text(owner, chain, r, &text);
			l = pane_printf(t->a, t->p, TR_RULE, "%*s%s %s", 4 * depth, "", k == last ? "└─" : "├─", sb_text(&text));
			note_cause(t, l, r->cause, chain->name);
			sb_free(&text);
			show_targets(t, owner, r, chain->name, depth);
		}
	if (!seen)
		pane_printf(t->a, t->p, TR_DIM, "%*s└─ (no rule)", 4 * depth, "");
}

static void chain_pane(struct tui_model *m, const struct service *s, const char *node, struct arena *a, struct tui_pane *p)
{
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, arena_printf(a, "node/%s", node));
	bool nft = cluster_settings(m->world->cluster)->proxy_mode != PROXY_IPTABLES;
	struct chain_tree t = { .m = m, .a = a, .p = p, .ns = s->o.ns, .key = arena_printf(a, "%s/%s", s->o.ns, s->o.name), .path = arena_printf(a, "%s/%s/", s->o.ns, s->o.name) };
	uint32_t nr;

	p->title = arena_printf(a, "chain on %s  (%s)", node, nft ? "table ip kube-proxy" : "iptables, table nat");
	if (!h.i) {
		pane_line(a, p, TR_DIM, "there is no node");
		return;
	}
	dataplane_node_ready(dp, h);
	t.rs = netns_get(dp, h)->rules;
	nr = t.rs ? ruleset_nr_chains(t.rs) : 0;
	t.leads = arena_array(a, uint8_t, nr + 1);
	t.shown = arena_array(a, uint8_t, nr + 1);
	for (int hook = HOOK_PREROUTING; hook <= HOOK_POSTROUTING; hook++)
		for (uint32_t k = 1; k <= nr; k++)
			if (ruleset_chain_get(t.rs, (chain_h){ k })->hook == hook && leads(&t, (chain_h){ k }))
				show_chain(&t, (chain_h){ k }, 0);
	if (!p->nr)
		pane_line(a, p, TR_DIM, service_is_headless(s) ? "headless: no rule at all; DNS answers with the Pods' addresses"
					: s->type == SVC_EXTERNALNAME ? "ExternalName: a name in DNS, no rule" : "no rule leads to it on this node");
}

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
			struct tui_line *line = pane_printf(a, p, TR_TEXT, "%-*s %-5s %-7s %-4s %-*s %-*s%s", at_w, arena_printf(a, "%s%s", e->addresses.nr ? e->addresses.v[0] : "?", port), is ? "yes" : "no",
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

void fill_service(struct tui_model *m, const struct service *s, int turn, struct arena *a, struct tui_object *out)
{
	struct object_list nodes = cluster_list(m->world->cluster, &node_kind);
	static const char *const modes[] = { [PROXY_NFTABLES] = "nftables", [PROXY_IPTABLES] = "iptables", [PROXY_IPVS] = "ipvs", [PROXY_NONE] = "no kube-proxy" };
	const char *node = nth_node(nodes, turn);

	out->layout = LAYOUT_SERVICE;
	out->nr_panes = 3;
	out->turns = nodes.nr > 1;
	out->right = arena_printf(a, "node: %s   mode: %s", node, modes[cluster_settings(m->world->cluster)->proxy_mode]);
	service_pane(m, s, a, &out->panes[0]);
	endpoints_pane(m, s, a, &out->panes[1]);
	chain_pane(m, s, node, a, &out->panes[2]);
	if (turn) {
		struct tui_pane before = { 0 };

		chain_pane(m, s, nth_node(nodes, turn > 0 ? turn - 1 : turn + 1), a, &before);
		mark_differences(&out->panes[2], &before);
	}
	if (service_has_vip(s) && s->cluster_ip)
		out->note = arena_printf(a, "%s is on no interface: it exists only in these rules%s", s->cluster_ip, nodes.nr > 1 ? "; ←→ another node" : "; it answers no ping");
}
