/* An object from its sides: which tabs there are, and those that every object has: description, events, YAML, what belongs to it. */
#include "viz/tui/source.h"

#include "viz/diagram/figure.h"
#include "viz/report/describe.h"
#include "viz/report/trace_report.h"

#include <ctype.h>

enum { MAX_RULES = 500 };                       /* elements of a set, chains: what one looks at here; all: podwire rules --node */
enum { TAB_NETWORK, TAB_CONTAINERS, TAB_CHAIN, TAB_NODE, TAB_RULES, TAB_DESCRIBE, TAB_EVENTS, TAB_YAML, TAB_RELATED, TAB_PLAN, TAB_COUNT };
static const char *const tab_names[TAB_COUNT] = { "network", "containers", "chain", "network", "rules", "describe", "events", "yaml", "related", "plan" };

static uint32_t tabs_of(const struct object *o, uint8_t tabs[MAX_TABS])
{
	uint32_t nr = 0;

	if (o->kind == &pod_kind) {
		tabs[nr++] = TAB_NETWORK;
		tabs[nr++] = TAB_CONTAINERS;
		tabs[nr++] = TAB_RULES;
	} else if (o->kind == &service_kind) {
		tabs[nr++] = TAB_CHAIN;
	} else if (o->kind == &node_kind) {
		tabs[nr++] = TAB_NODE;
		tabs[nr++] = TAB_RULES;
	}
	if (o->kind != &pod_kind)
		tabs[nr++] = TAB_DESCRIBE;
	tabs[nr++] = TAB_EVENTS;
	tabs[nr++] = TAB_YAML;
	if (o->kind == &pod_kind)
		tabs[nr++] = TAB_DESCRIBE;
	tabs[nr++] = TAB_RELATED;
	if (o->kind == &pod_kind || o->kind == &service_kind || o->kind == &node_kind)
		tabs[nr++] = TAB_PLAN;
	return nr;
}

/* ---- tabs of every object */

static void fill_yaml(struct tui_model *m, const struct object *o, struct arena *a, struct tui_object *out)
{
	struct sb text = { 0 };

	val_print_yaml(object_render(m->world->cluster, o, a), &text, true);
	out->panes[0].title = "YAML";
	pane_text(a, &out->panes[0], TR_TEXT, sb_text(&text));
	for (uint32_t k = 0; k < out->panes[0].nr; k++) {
		struct tui_line *l = &out->panes[0].v[k];

		l->role = l->text[0] && l->text[0] != ' ' && l->text[0] != '-' ? TR_HEAD : TR_TEXT;
	}
	if (o->file)
		out->note = arena_printf(a, "applied from %s:%u", o->file, o->line);
	sb_free(&text);
}

static void fill_describe(struct tui_model *m, const struct object *o, struct arena *a, struct tui_object *out)
{
	struct sb text = { 0 };

	describe(m->world->cluster, o, a, &text);
	out->panes[0].title = "describe";
	pane_text(a, &out->panes[0], TR_TEXT, sb_text(&text));
	sb_free(&text);
}

static void fill_events(struct tui_model *m, const struct object *o, struct arena *a, struct tui_object *out)
{
	struct timeline t = control_timeline(m->world->control, o, a);
	struct tui_pane *p = &out->panes[0];

	p->title = "what happened to it";
	for (uint32_t k = 0; k < t.nr; k++) {
		bool warns = strstr(t.v[k].text, "Failed") || strstr(t.v[k].text, "BackOff") || strstr(t.v[k].text, "Unhealthy");

		pane_printf(a, p, warns ? TR_WARN : TR_TEXT, "%9.3f  %-20s %s", (double)t.v[k].at / 1e9, t.v[k].lane, t.v[k].text);
	}
	if (!t.nr)
		pane_line(a, p, TR_DIM, "nothing has been told of it");
}

static struct tui_line *link_to(struct arena *a, struct tui_pane *p, const char *how, const struct object *o)
{
	struct tui_line *l = pane_printf(a, p, TR_TEXT, "%-14s %s", how, ref_of(a, o));

	l->ref = ref_of(a, o);
	l->mark = o->kind == &pod_kind ? pod_mark((const struct pod *)o) : o->kind == &node_kind ? node_mark((const struct node *)o) : 0;
	return l;
}

static void related_to_pod(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	struct cluster *c = m->world->cluster;
	struct object_list l;
	struct node *n = pod->node ? find_node(c, pod->node) : NULL;

	if (n)
		link_to(a, p, "runs on", &n->o);
	l = cluster_list_ns(c, &service_kind, pod->o.ns);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		if (s->selector.nr && pairs_match(&s->selector, &pod->o.labels))
			link_to(a, p, "selected by", &s->o);
	}
	l = cluster_list_ns(c, &network_policy_kind, pod->o.ns);
	for (uint32_t k = 0; k < l.nr; k++)
		if (selector_matches(&((const struct network_policy *)l.v[k])->pods, &pod->o.labels))
			link_to(a, p, "isolated by", l.v[k]);
	for (uint32_t k = 0; k < pod->spec->volumes.nr; k++) {
		const struct volume *v = &pod->spec->volumes.v[k];
		struct object *o = v->claim ? cluster_find(c, &pvc_kind, pod->o.ns, v->claim) : v->config_map ? cluster_find(c, &config_map_kind, pod->o.ns, v->config_map)
				   : v->secret ? cluster_find(c, &secret_kind, pod->o.ns, v->secret) : NULL;

		if (o)
			link_to(a, p, "mounts", o);
	}
}

static void owned_by(struct tui_model *m, const struct object *o, struct arena *a, struct tui_pane *p)
{
	uint32_t shown = 0;

	for (uint32_t i = 0; cluster_pool_kind(m->world->cluster, i) && shown < 500; i++) {
		const struct kind *k = cluster_pool_kind(m->world->cluster, i);
		struct object_list l;

		if (k == &pod_kind)
			l = pods_of(m->world->cluster, o->uid);
		else if (!k->namespaced || !o->ns)
			continue;
		else
			l = cluster_list_ns(m->world->cluster, k, o->ns);
		for (uint32_t j = 0; j < l.nr && shown < 500; j++)
			if (l.v[j]->owners.nr && streq(owner_uid(l.v[j]), o->uid)) {
				link_to(a, p, "owns", l.v[j]);
				shown++;
			}
	}
}

static void fill_related(struct tui_model *m, const struct object *o, struct arena *a, struct tui_object *out)
{
	struct cluster *c = m->world->cluster;
	struct tui_pane *p = &out->panes[0];
	struct object_list l;

	p->title = "what belongs to it";
	for (uint32_t k = 0; k < o->owners.nr; k++) {
		const struct kind *kind = kind_by_word(o->owners.v[k].kind);
		struct object *owner = kind ? cluster_find(c, kind, kind->namespaced ? o->ns : NULL, o->owners.v[k].name) : NULL;

		if (owner)
			link_to(a, p, "made by", owner);
	}
	if (o->kind == &pod_kind)
		related_to_pod(m, (const struct pod *)o, a, p);
	if (o->kind == &service_kind) {
		l = service_slices(c, (const struct service *)o);
		for (uint32_t k = 0; k < l.nr; k++)
			link_to(a, p, "endpoints in", l.v[k]);
		l = part_endpoints(c, (const struct service *)o, a);
		for (uint32_t k = 0; k < l.nr; k++)
			link_to(a, p, "leads to", l.v[k]);
	}
	if (o->kind == &node_kind) {
		l = cluster_list(c, &pod_kind);
		for (uint32_t k = 0; k < l.nr; k++)
			if (((const struct pod *)l.v[k])->node == o->name)
				link_to(a, p, "runs", l.v[k]);
	} else if (o->kind == &network_policy_kind) {
		l = pods_matching(c, o->ns, &((const struct network_policy *)o)->pods, a);
		for (uint32_t k = 0; k < l.nr; k++)
			link_to(a, p, "isolates", l.v[k]);
	} else if (o->kind != &pod_kind && o->kind != &service_kind) {
		owned_by(m, o, a, p);
	}
	if (!p->nr)
		pane_line(a, p, TR_DIM, "nothing belongs to it");
}

/* Rules: of a node all; of a Pod those chains of its node that are the Pod's own. */
static void rules_but(struct tui_model *m, const char *node, const char *not_table, struct arena *a, struct tui_object *out)
{
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, arena_printf(a, "node/%s", node ? node : ""));
	struct sb text = { 0 };
	bool nft = cluster_settings(m->world->cluster)->proxy_mode != PROXY_IPTABLES;
	struct print_rules how = { .comments = true, .not_table = not_table, .most = MAX_RULES };

	out->panes[0].title = arena_printf(a, "rules of node/%s", node ? node : "-");
	if (!h.i) {
		pane_line(a, &out->panes[0], TR_DIM, "it is on no node");
		return;
	}
	dataplane_node_ready(dp, h);
	if (nft) {
		print_nft(netns_get(dp, h)->rules, &how, NULL, NULL, &text);
	} else {
		print_iptables(netns_get(dp, h)->rules, NF_IP, &how, NULL, NULL, &text);
		print_iptables(netns_get(dp, h)->rules, NF_IP6, &how, NULL, NULL, &text);
	}
	pane_text(a, &out->panes[0], TR_TEXT, sb_text(&text));
	sb_free(&text);
	for (uint32_t k = 0; k < out->panes[0].nr; k++) {
		struct tui_line *l = &out->panes[0].v[k];
		const char *word = l->text + strspn(l->text, " ");

		if (strncmp(word, "chain ", 6) == 0 || strncmp(word, "table ", 6) == 0 || strncmp(word, "map ", 4) == 0 || strncmp(word, "set ", 4) == 0 || *word == '*' || *word == ':')
			l->role = TR_RULE;
		if (*word == '#' || strncmp(word, "comment", 7) == 0)
			l->role = TR_DIM;
		l->text += (word - l->text) / 2;        /* two blanks a level do */
	}
	out->note = nft ? "as  nft list ruleset  prints it there" : "as  iptables-save  prints it there";
}

/* A Pod's addresses as rules write them; NULL: it has no such. */
struct pod_ips { const char *v[2]; };

static struct pod_ips ips_of(const struct pod *pod, struct arena *a)
{
	return (struct pod_ips){ { ip_set(pod->ip) ? arena_strdup(a, IP(pod->ip)) : NULL, ip_set(pod->ip2) ? arena_strdup(a, IP(pod->ip2)) : NULL } };
}

/* The address, not one that begins or ends like it. */
static bool names_ip(const char *text, const char *ip)
{
	size_t n = strlen(ip);
	bool six = strchr(ip, ':');

	for (const char *at = text; (at = strstr(at, ip)); at += n)
		if (!(at > text && (isxdigit((unsigned char)at[-1]) || at[-1] == '.' || at[-1] == ':')) && !isxdigit((unsigned char)at[n]) && at[n] != '.' && !(six && at[n] == ':'))
			return true;
	return false;
}

static bool names_pod(const char *text, const struct pod_ips *ips) { return (ips->v[0] && names_ip(text, ips->v[0])) || (ips->v[1] && names_ip(text, ips->v[1])); }

/* Lines that name the Pod's interface or its addresses, with the chain around them. */
static void only_about(struct tui_pane *p, const char *iface, const struct pod_ips *ips)
{
	uint32_t nr = 0, head = 0;
	bool said = false;

	for (uint32_t k = 0; k < p->nr; k++) {
		const char *text = p->v[k].text;
		bool starts = p->v[k].role == TR_RULE;

		if (starts) {
			head = k;
			said = false;
		}
		if (!(iface && strstr(text, iface + MIN(strlen(iface), 4u))) && !names_pod(text, ips) && !(said && strstr(p->v[head].text, iface ? iface + MIN(strlen(iface), 4u) : "\n")))
			continue;
		if (!said && !starts && head < k && p->v[head].role == TR_RULE && p->v[head].text[0] != ':')     /* iptables declares all chains first */
			p->v[nr++] = p->v[head];
		said = true;
		p->v[nr++] = p->v[k];
	}
	p->nr = nr;
}

/* What kube-proxy wrote for the Services that lead to the Pod: of all that it wrote on the node, that may be very little. */
static void add_services(struct tui_model *m, const struct pod *pod, const struct pod_ips *ips, struct arena *a, struct tui_pane *p)
{
	struct object_list l = cluster_list_ns(m->world->cluster, &endpointslice_kind, pod->o.ns);
	const struct service *last = NULL;
	static const char *const before[] = { "nft add rule ip kube-proxy ", "nft add rule ip6 kube-proxy " };

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *x = (const struct endpointslice *)l.v[k];
		const struct service *s = NULL;
		struct tui_pane plan = { 0 };

		for (uint32_t i = 0; i < x->endpoints.nr && !s; i++)
			if (x->endpoints.v[i].target && x->endpoints.v[i].target->name == pod->o.name && x->service)
				s = (const struct service *)cluster_find(m->world->cluster, &service_kind, pod->o.ns, x->service);
		if (!s || s == last)
			continue;
		last = s;
		plan_pane(m->world, s, pod->node, true, a, &plan);
		for (uint32_t i = 0; i < plan.nr; i++) {
			const char *text = plan.v[i].text, *chain = strncmp(text, before[0], strlen(before[0])) == 0 ? text + strlen(before[0])
							     : strncmp(text, before[1], strlen(before[1])) == 0 ? text + strlen(before[1]) : NULL;

			if (!chain || !names_pod(chain, ips))
				continue;
			pane_printf(a, p, TR_RULE, "chain %.*s {", (int)strcspn(chain, " "), chain)->ref = ref_of(a, &s->o);
			pane_printf(a, p, TR_TEXT, " %s", chain + strcspn(chain, " "));
		}
	}
}

static void rules_of_pod(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_object *out)
{
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, arena_printf(a, "pod/%s/%s", pod->o.ns, pod->o.name));
	link_h eth = h.i ? link_find(dp, h, "eth0") : (link_h){ 0 };
	const char *iface = eth.i && link_peer(dp, eth).i ? link_get(dp, link_peer(dp, eth))->name : NULL;
	struct pod_ips ips = ips_of(pod, a);
	bool nft = cluster_settings(m->world->cluster)->proxy_mode == PROXY_NFTABLES;

	rules_but(m, pod->node, nft ? "kube-proxy" : NULL, a, out);
	out->panes[0].title = arena_printf(a, "rules of node/%s that name this Pod", pod->node ? pod->node : "-");
	if (pod->node)
		only_about(&out->panes[0], iface, &ips);
	if (nft && pod->node && ips.v[0])
		add_services(m, pod, &ips, a, &out->panes[0]);
	if (!out->panes[0].nr)
		pane_line(a, &out->panes[0], TR_DIM, "no rule names it: no policy selects it, and no Service leads to it");
}

/* The links, addresses, routes and settings of a namespace, as ip and sysctl are told them. */
static void fill_plan(struct tui_model *m, const char *ref, struct arena *a, struct tui_object *out)
{
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, ref);
	struct tui_pane *p = &out->panes[0];
	struct sb text = { 0 };

	p->title = arena_printf(a, "what Linux has in netns %s", ref);
	if (!h.i) {
		pane_line(a, p, TR_DIM, "it has no namespace of its own: it is on no node, or on its node's network");
		return;
	}
	print_ip(dp, h, &text);
	pane_text(a, p, TR_TEXT, sb_text(&text));
	for (uint32_t k = 0; k < p->nr; k++)
		if (p->v[k].text[0] == '#')
			p->v[k].role = TR_HEAD;
	out->note = arena_printf(a, "as ip and sysctl print it; podwire rules -o sh is a script that builds it%s", strncmp(ref, "node/", 5) ? "" : "; the part \"rules\" has the rest");
	sb_free(&text);
}

/* ---- which */

bool fill_object(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_object *out, struct err *err)
{
	struct object *o;
	uint8_t tabs[MAX_TABS];

	*out = (struct tui_object){ .nr_panes = 1 };
	if (strcmp(want->a, "compare") == 0)
		return fill_compare(m, want->b, a, out, err);
	o = ref_find(m, want->a, err);
	if (!o)
		return false;
	out->ref = ref_of(a, o);
	out->title = o->kind == &pod_kind && ((struct pod *)o)->node ? arena_printf(a, "%s › %s/%s", ((struct pod *)o)->node, o->ns, o->name) : o->ns ? arena_printf(a, "%s/%s", o->ns, o->name) : o->name;
	out->nr_tabs = tabs_of(o, tabs);
	for (uint32_t k = 0; k < out->nr_tabs; k++) {
		out->tabs[k] = tab_names[tabs[k]];
		if (strcmp(out->tabs[k], want->b) == 0)
			out->tab = k;
	}
	switch (tabs[out->tab]) {
	case TAB_NETWORK: fill_pod(m, (const struct pod *)o, a, out); break;
	case TAB_CONTAINERS: fill_containers(m, (const struct pod *)o, a, out); break;
	case TAB_CHAIN: fill_service(m, (const struct service *)o, want, a, out); break;
	case TAB_NODE: fill_node(m, (const struct node *)o, a, out); break;
	case TAB_RULES:
		if (o->kind == &pod_kind)
			rules_of_pod(m, (const struct pod *)o, a, out);
		else
			rules_but(m, o->name, NULL, a, out);
		break;
	case TAB_DESCRIBE: fill_describe(m, o, a, out); break;
	case TAB_EVENTS: fill_events(m, o, a, out); break;
	case TAB_YAML: fill_yaml(m, o, a, out); break;
	case TAB_PLAN:
		if (o->kind == &service_kind)
			fill_service_plan(m, (const struct service *)o, want, a, out);
		else
			fill_plan(m, ref_of(a, o), a, out);
		break;
	default: fill_related(m, o, a, out); break;
	}
	return true;
}
