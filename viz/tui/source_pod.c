/* A Pod with its namespaces: who it is, its containers and what they share, and both ends of its veth side by side. A node likewise. */
#include "viz/tui/source.h"

#include "model/base/quantity.h"
#include "model/dns/dns.h"
#include "model/policy/tiers.h"
#include "viz/diagram/figure.h"
#include "viz/report/describe.h"

#include <stdio.h>

static void field(struct arena *a, struct tui_pane *p, const char *name, const char *text)
{
	pane_printf(a, p, TR_TEXT, "%-13s %s", name, text);
}

static const char *labels_text(struct arena *a, const pair_list *l)
{
	const char *s = "";

	for (uint32_t k = 0; k < l->nr && k < 8; k++)
		s = arena_printf(a, "%s%s%s=%s", s, k ? " " : "", l->v[k].key, l->v[k].value ? l->v[k].value : "");
	return *s ? s : "none";
}

/* Services and policies that select it, as one line and as where Enter leads: to the first. */
static const char *selected_by(struct tui_model *m, const struct pod *pod, struct arena *a, const char **first)
{
	struct cluster *c = m->world->cluster;
	const char *s = "";
	const struct kind *const kinds_of[] = { &service_kind, &network_policy_kind };

	*first = NULL;
	for (size_t i = 0; i < ARRAY_LEN(kinds_of); i++) {
		struct object_list l = cluster_list_ns(c, kinds_of[i], pod->o.ns);

		for (uint32_t k = 0; k < l.nr; k++) {
			bool is = i ? selector_matches(&((const struct network_policy *)l.v[k])->pods, &pod->o.labels)
				    : ((const struct service *)l.v[k])->selector.nr && pairs_match(&((const struct service *)l.v[k])->selector, &pod->o.labels);

			if (!is)
				continue;
			s = arena_printf(a, "%s%s%s/%s", s, *s ? "  " : "", i ? "netpol" : "svc", l.v[k]->name);
			if (!*first)
				*first = ref_of(a, l.v[k]);
		}
	}
	return *s ? s : "nobody";
}

static const char *words_of(struct arena *a, const str_list *l)
{
	const char *s = "";

	for (uint32_t k = 0; k < l->nr; k++)
		s = arena_printf(a, "%s%s%s", s, k ? " " : "", l->v[k]);
	return s;
}

/* What its resolv.conf says. */
static void dns_field(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	struct resolv_conf r = dns_resolv_conf(m->world->cluster, pod, a);

	field(a, p, "DNS", r.nameservers.nr ? arena_printf(a, "%s  %s  %s", words_of(a, &r.nameservers), words_of(a, &r.options), words_of(a, &r.searches)) : "no name server");
	p->v[p->nr - 1].copy = "cat /etc/resolv.conf";
}

static void identity(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	struct node *n = pod->node ? find_node(m->world->cluster, pod->node) : NULL;
	const char *ip = ip_set(pod->ip) ? arena_strdup(a, IP(pod->ip)) : "none yet", *by, *first;
	uint32_t ready = 0;
	int32_t restarts = 0;

	for (uint32_t k = 0; k < pod->statuses.nr; k++) {
		ready += pod->statuses.v[k].ready && !pod->statuses.v[k].init;
		restarts += pod->statuses.v[k].restarts;
	}
	p->title = arena_printf(a, "Pod %s/%s", pod->o.ns, pod->o.name);
	p->right = arena_printf(a, "%s %u/%u %s", pod_phase_names[pod->phase ? pod->phase : POD_PENDING], ready, pod->spec->containers.nr,
				pod_mark(pod) == TM_READY ? "●" : pod_mark(pod) == TM_FAILED ? "✕" : pod_mark(pod) == TM_PENDING ? "○" : "◐");
	field(a, p, "IP", ip_set(pod->ip2) ? arena_printf(a, "%s  %s", ip, arena_strdup(a, IP(pod->ip2))) : ip);
	if (n) {
		ip_addr at = node_ip(n);

		field(a, p, "node", arena_printf(a, "%s  %s", n->o.name, ip_set(at) ? arena_strdup(a, IP(at)) : ""));
		p->v[p->nr - 1].ref = ref_of(a, &n->o);
	} else {
		const struct condition *c = condition_get(&pod->conditions, "PodScheduled");

		field(a, p, "node", "none");
		p->v[p->nr - 1].note = c ? c->message : NULL;
	}
	field(a, p, "QoS, restarts", arena_printf(a, "%s, %d%s", pod_qos(pod->spec), restarts, pod->spec->host_network ? "   hostNetwork: no namespace of its own" : ""));
	field(a, p, "labels", labels_text(a, &pod->o.labels));
	by = selected_by(m, pod, a, &first);
	field(a, p, "selected by", by);
	p->v[p->nr - 1].ref = first;
	dns_field(m, pod, a, p);
	p->brief = arena_printf(a, "%s  %s  %s  %s", p->right, ip, pod->node ? pod->node : "on no node", by);
}

static const char *ports_text(struct tui_model *m, const struct container *c, netns_h h, struct arena *a)
{
	const struct netns *ns = h.i ? netns_get(world_dataplane(m->world), h) : NULL;
	const char *s = "";

	for (uint32_t k = 0; ns && k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if (streq(l->container, c->name) && l->kind == LISTEN_PORT)
			s = arena_printf(a, "%s%s%s:%u", s, *s ? "  " : "", ip_set(l->addr) ? arena_strdup(a, IP(l->addr)) : "", l->port);
		else if (streq(l->container, c->name))
			s = arena_printf(a, "%s%sports not known", s, *s ? "  " : "");
	}
	return s;
}

static uint8_t container_mark(const struct pod *pod, const char *name)
{
	for (uint32_t k = 0; k < pod->statuses.nr; k++)
		if (streq(pod->statuses.v[k].name, name))
			return pod->statuses.v[k].state == CS_RUNNING ? pod->statuses.v[k].ready ? TM_READY : TM_STARTING
			       : pod->statuses.v[k].state == CS_TERMINATED ? pod->statuses.v[k].exit_code ? TM_FAILED : TM_ENDING : TM_PENDING;
	return TM_PENDING;
}

static void probe_lines(const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	for (uint32_t k = 0; k < pod->spec->containers.nr; k++) {
		const struct container *c = &pod->spec->containers.v[k];
		const struct { const char *name; const struct probe *probe; } all[] = { { "startup", c->startup }, { "readiness", c->readiness }, { "liveness", c->liveness } };

		for (size_t i = 0; i < ARRAY_LEN(all); i++) {
			struct sb text = { 0 };

			if (!all[i].probe)
				continue;
			probe_print(all[i].probe, &text);
			pane_printf(a, p, TR_CONTROL, "%-10s %s every %ds", all[i].name, sb_text(&text), all[i].probe->period)->note =
				arena_printf(a, "%s of %s: first after %ds, then every %ds; %d failures in a row count", all[i].name, c->name, all[i].probe->initial_delay, all[i].probe->period,
					     all[i].probe->failure);
			sb_free(&text);
		}
	}
}

static void volume_line(const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	const char *s = "";

	for (uint32_t k = 0; k < pod->spec->volumes.nr; k++) {
		const struct volume *v = &pod->spec->volumes.v[k];

		s = arena_printf(a, "%s%s%s%s", s, k ? "  " : "", v->name, v->claim ? arena_printf(a, " (PVC %s)", v->claim) : v->config_map ? " (ConfigMap)" : v->secret ? " (Secret)" : "");
	}
	if (*s)
		pane_printf(a, p, TR_STORAGE, "%-10s %s", "volumes", s);
}

/* When its sandbox was there, and each container. */
static void started_line(const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	const struct condition *sandbox = condition_get(&pod->conditions, "PodReadyToStartContainers");
	const char *s = sandbox && sandbox->status == COND_TRUE ? arena_printf(a, "sandbox %.2fs", (double)sandbox->changed / 1e9) : "";

	for (uint32_t k = 0; k < pod->statuses.nr; k++)
		if (pod->statuses.v[k].state == CS_RUNNING)
			s = arena_printf(a, "%s%s%s %.2fs", s, *s ? "  " : "", pod->statuses.v[k].name, (double)pod->statuses.v[k].started_at / 1e9);
	if (*s)
		pane_printf(a, p, TR_CONTROL, "%-10s %s", "started", s);
}

static void containers(struct tui_model *m, const struct pod *pod, netns_h h, struct arena *a, struct tui_pane *p)
{
	p->title = "containers share net ipc uts";
	p->right = "own mnt";
	p->brief = "■ pause";
	pane_line(a, p, TR_TEXT, "■ pause      holds the namespaces")->note = "the pause container keeps the network namespace alive while the others come and go";
	for (int init = 1; init >= 0; init--) {
		const container_list *l = init ? &pod->spec->init_containers : &pod->spec->containers;

		for (uint32_t k = 0; k < l->nr; k++) {
			const struct container *c = &l->v[k];
			const char *ports = ports_text(m, c, h, a);
			struct tui_line *line = pane_printf(a, p, TR_TEXT, "%-10s %s%s%s", c->name, init ? "init  " : "", ports, *ports || init ? "" : "listens nowhere that is known");

			line->mark = container_mark(pod, c->name);
			line->note = arena_printf(a, "%s: image %s", c->name, c->image ? c->image : "?");
			p->brief = arena_printf(a, "%s   %s %s %s", p->brief, line->mark == TM_READY ? "●" : "○", c->name, ports);
		}
	}
	probe_lines(pod, a, p);
	volume_line(pod, a, p);
	started_line(pod, a, p);
}

static void heading(struct arena *a, struct tui_pane *p, const char *text) { pane_line(a, p, TR_HEAD, text); }

static const char *mac_text(struct arena *a, const uint8_t mac[6])
{
	return arena_printf(a, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static void link_lines(struct tui_model *m, netns_h h, uint32_t only, struct arena *a, struct tui_pane *p)
{
	struct dataplane *dp = world_dataplane(m->world);
	const struct netns *ns = netns_get(dp, h);
	int wide = 4;

	for (uint32_t k = 0; k < ns->links.nr; k++)
		if (!only || ns->links.at + k == only)
			wide = MAX(wide, (int)strlen(link_get(dp, netns_link(ns, k))->name));
	for (uint32_t k = 0; k < ns->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(ns, k));
		link_h peer = link_peer(dp, netns_link(ns, k));
		const char *addr = "";
		struct tui_line *line;

		if (only && ns->links.at + k != only && l->kind == LINK_VETH)
			continue;
		if (only && l->kind == LINK_LO)
			continue;
		for (uint32_t i = 0; i < l->nr_addrs; i++)
			addr = arena_printf(a, "%s%s%s/%u", addr, i ? " " : "", arena_strdup(a, IP(dp->addrs.v[l->addr + i].ip)), dp->addrs.v[l->addr + i].len);
		line = pane_printf(a, p, l->up ? TR_PACKET : TR_BAD, "  %-*s  %s%s%s  mtu %u", wide, l->name, addr, *addr ? "  " : "", l->up ? "up" : "DOWN", l->mtu);
		if (peer.i) {
			const char *there = netns_get(dp, link_get(dp, peer)->netns)->name;

			line->ref = arena_strdup(a, there);
			line->note = arena_printf(a, "%s is one end of a veth; the other is %s in %s", l->name, link_get(dp, peer)->name, there);
		} else if (l->kind != LINK_LO) {
			line->note = arena_printf(a, "%s  %s", l->name, mac_text(a, l->mac));
		}
		line->copy = arena_printf(a, "ip addr show dev %s", l->name);
		if (peer.i && !only) {
			struct tui_line *other = pane_printf(a, p, TR_DIM, "  %*s  peer %s in %s", wide, "", link_get(dp, peer)->name, netns_get(dp, link_get(dp, peer)->netns)->name);

			other->ref = p->v[p->nr - 2].ref;
			other->note = p->v[p->nr - 2].note;
		}
	}
}

static void route_lines(struct tui_model *m, netns_h h, const char *dev, uint32_t most, struct arena *a, struct tui_pane *p)
{
	struct dataplane *dp = world_dataplane(m->world);
	struct route *v;
	uint32_t nr, shown = 0, pods = 0;
	struct sb text = { 0 };

	routes_of(dp, h, a, &v, &nr);
	for (uint32_t k = 0; k < nr; k++) {
		bool veth = v[k].dev.i && link_get(dp, v[k].dev)->kind == LINK_VETH;
		struct tui_line *l;

		if (dev && veth && strcmp(link_get(dp, v[k].dev)->name, dev) != 0) {
			pods++;
			continue;
		}
		if (shown++ >= most)
			continue;
		sb_reset(&text);
		print_route(dp, &v[k], &text);
		l = pane_printf(a, p, TR_ROUTING, "  %.*s", (int)strcspn(sb_text(&text), "\n"), sb_text(&text));
		l->copy = "ip route";
		if (v[k].type == RT_BLACKHOLE)
			l->note = "what no Pod of this block has is dropped here, instead of going round in circles";
		else if (!v[k].dst.len)
			l->note = "everything else goes this way";
	}
	if (shown > most)
		pane_printf(a, p, TR_DIM, "  … %u more", shown - most);
	if (pods)
		pane_printf(a, p, TR_DIM, pods == 1 ? "  … and one for the other Pod here" : "  … and one for each of %u other Pods here", pods);
	sb_free(&text);
}

static void listener_lines(struct tui_model *m, netns_h h, struct arena *a, struct tui_pane *p)
{
	const struct netns *ns = netns_get(world_dataplane(m->world), h);

	for (uint32_t k = 0; k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		if (l->kind == LISTEN_PORT)
			pane_printf(a, p, TR_TEXT, "  %s %s:%u  %s", l->proto == 17 ? "udp" : l->proto == 132 ? "sctp" : "tcp", ip_set(l->addr) ? arena_strdup(a, IP(l->addr)) : "0.0.0.0", l->port,
				    l->container ? l->container : "")->copy = "ss -lntu";
		else
			pane_printf(a, p, TR_DIM, "  nothing is known of what %s listens on", l->container ? l->container : "it");
	}
	if (!ns->listeners.nr)
		pane_line(a, p, TR_DIM, "  nothing listens");
}

/* What the node's chains for this Pod come from: the policies that select it, and what each of their rules allows. */
static void policy_lines(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_pane *p)
{
	uint32_t nr;
	struct np_compiled *v = policies_compile(m->world->cluster, a, &nr);
	struct tiers t = policy_tiers(m->world->cluster, a);
	const pair_list *labels = tier_labels_of(m->world->cluster, pod, a);

	for (int dir = NP_INGRESS; dir <= NP_EGRESS; dir++) {
		bool any = false;

		heading(a, p, dir == NP_INGRESS ? "policy in" : "policy out");
		for (uint32_t k = 0; k < nr; k++) {
			struct tui_line *l;

			if (!v[k].isolates[dir] || !np_selects(m->world->cluster, &v[k], pod))
				continue;
			any = true;
			l = pane_printf(a, p, TR_RULE, "  netpol/%s: %u rule%s allow%s", v[k].policy->o.name, v[k].nr_rules[dir], v[k].nr_rules[dir] == 1 ? "" : "s", v[k].nr_rules[dir] == 1 ? "s" : "");
			l->ref = ref_of(a, &v[k].policy->o);
			if (v[k].policy->o.file)
				l->note = arena_printf(a, "NetworkPolicy %s/%s (%s:%u)", v[k].policy->o.ns, v[k].policy->o.name, v[k].policy->o.file, v[k].policy->o.line);
		}
		for (uint32_t k = 0; k < t.v.nr; k++)
			for (uint32_t i = 0; i < t.v.v[k].policies.nr; i++) {
				const struct tier_policy *x = &t.v.v[k].policies.v[i];
				struct tui_line *l;

				if (!x->decides[dir] || tier_selects(x, labels) == NO)
					continue;
				any = true;
				l = pane_printf(a, p, TR_RULE, "  tier %s: %s", t.v.v[k].name, x->name);
				l->ref = ref_of(a, x->o);
				if (x->o->file)
					l->note = arena_printf(a, "%s (%s:%u)", x->name, x->o->file, x->o->line);
			}
		pane_line(a, p, any ? TR_BAD : TR_DIM, any ? "  then drop" : "  none selects it: all allowed");
	}
}

void fill_pod(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_object *out)
{
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, arena_printf(a, "pod/%s/%s", pod->o.ns, pod->o.name)), node = netns_find(dp, arena_printf(a, "node/%s", pod->node ? pod->node : ""));
	struct tui_pane *own = &out->panes[2], *there = &out->panes[3];
	link_h eth = h.i ? link_find(dp, h, "eth0") : (link_h){ 0 };
	uint32_t peer = eth.i ? link_peer(dp, eth).i : 0;

	out->layout = LAYOUT_POD;
	out->nr_panes = 4;
	identity(m, pod, a, &out->panes[0]);
	containers(m, pod, h, a, &out->panes[1]);
	own->title = arena_printf(a, "netns pod/%s/%s", pod->o.ns, pod->o.name);
	there->title = arena_printf(a, "netns node/%s (for this Pod)", pod->node ? pod->node : "-");
	if (h.i) {
		heading(a, own, "link");
		link_lines(m, h, 0, a, own);
		heading(a, own, "route");
		route_lines(m, h, NULL, 50, a, own);
		if (cluster_settings(m->world->cluster)->cni == CNI_CALICO) {
			heading(a, own, "neigh");
			pane_line(a, own, TR_TEXT, "  169.254.1.1 ee:ee:ee:ee:ee:ee  (proxy_arp)")->note = "the node answers for every address on its end of the veth; so one route fits all Pods";
		}
		heading(a, own, "listen");
		listener_lines(m, h, a, own);
	} else {
		pane_line(a, own, TR_DIM, pod->spec->host_network ? "hostNetwork: it uses the namespaces of its node" : "no sandbox yet: there is no namespace");
	}
	if (node.i) {
		dataplane_node_ready(dp, node);
		heading(a, there, "link");
		link_lines(m, node, peer ? peer : UINT32_MAX, a, there);
		heading(a, there, "route");
		route_lines(m, node, peer ? link_get(dp, (link_h){ peer })->name : "", 12, a, there);
		policy_lines(m, pod, a, there);
	} else {
		pane_line(a, there, TR_DIM, "it is on no node");
	}
}

void fill_containers(struct tui_model *m, const struct pod *pod, struct arena *a, struct tui_object *out)
{
	struct tui_pane *p = &out->panes[0];
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, arena_printf(a, "pod/%s/%s", pod->o.ns, pod->o.name));

	p->title = "containers";
	pane_line(a, p, TR_HEAD, "pause")->mark = ip_set(pod->ip) ? TM_READY : TM_PENDING;
	pane_line(a, p, TR_DIM, "    holds the network, IPC and UTS namespaces that the others share");
	for (int init = 1; init >= 0; init--) {
		const container_list *l = init ? &pod->spec->init_containers : &pod->spec->containers;

		for (uint32_t k = 0; k < l->nr; k++) {
			const struct container *c = &l->v[k];
			const struct container_status *s = NULL;

			for (uint32_t i = 0; i < pod->statuses.nr; i++)
				if (streq(pod->statuses.v[i].name, c->name))
					s = &pod->statuses.v[i];
			pane_printf(a, p, TR_HEAD, "%s%s", c->name, init ? streq(c->restart_policy, "Always") ? "  (sidecar)" : "  (init)" : "")->mark = container_mark(pod, c->name);
			pane_printf(a, p, TR_TEXT, "    image      %s", c->image ? c->image : "");
			pane_printf(a, p, TR_TEXT, "    listens    %s", ports_text(m, c, h, a));
			if (s && (s->reason || s->message))
				pane_printf(a, p, s->state == CS_RUNNING ? TR_TEXT : TR_WARN, "    state      %s %s", s->reason ? s->reason : "", s->message ? s->message : "");
			if (s && s->restarts)
				pane_printf(a, p, TR_WARN, "    restarts   %d, the last ended with exit code %d", s->restarts, s->last_exit);
			if (s && s->state == CS_RUNNING)
				pane_printf(a, p, TR_TEXT, "    started    %.3fs", (double)s->started_at / 1e9);
			for (uint32_t i = 0; i < c->mounts.nr; i++)
				pane_printf(a, p, TR_STORAGE, "    mounts     %s at %s%s", c->mounts.v[i].name, c->mounts.v[i].path, c->mounts.v[i].read_only ? " (read only)" : "");
		}
	}
}

void fill_node(struct tui_model *m, const struct node *n, struct arena *a, struct tui_object *out)
{
	struct dataplane *dp = world_dataplane(m->world);
	netns_h h = netns_find(dp, arena_printf(a, "node/%s", n->o.name));
	struct tui_pane *p = &out->panes[0], *pods = &out->panes[1];
	struct object_list l = cluster_list(m->world->cluster, &pod_kind);

	out->layout = LAYOUT_TWO;
	out->nr_panes = 2;
	p->title = arena_printf(a, "netns node/%s", n->o.name);
	for (uint32_t k = 0; k < n->conditions.nr; k++)
		if (n->conditions.v[k].status == (streq(n->conditions.v[k].type, "Ready") ? COND_FALSE : COND_TRUE) || (streq(n->conditions.v[k].type, "Ready") && n->conditions.v[k].status != COND_TRUE))
			pane_printf(a, p, TR_BAD, "%s: %s", n->conditions.v[k].type, n->conditions.v[k].message ? n->conditions.v[k].message : "");
	for (uint32_t k = 0; k < n->taints.nr; k++)
		pane_printf(a, p, TR_WARN, "taint %s%s%s:%s", n->taints.v[k].key, n->taints.v[k].value ? "=" : "", n->taints.v[k].value ? n->taints.v[k].value : "", n->taints.v[k].effect);
	if (h.i) {
		dataplane_node_ready(dp, h);
		heading(a, p, "link");
		link_lines(m, h, 0, a, p);
		heading(a, p, "route");
		route_lines(m, h, NULL, 2000, a, p);
		heading(a, p, "listen");
		listener_lines(m, h, a, p);
	}
	pods->title = "Pods";
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *pod = (const struct pod *)l.v[k];
		struct tui_line *line;

		if (pod->node != n->o.name)
			continue;
		line = pane_printf(a, pods, TR_TEXT, "%s/%s  %s", pod->o.ns, pod->o.name, ip_set(pod->ip) ? arena_strdup(a, IP(pod->ip)) : "");
		line->mark = pod_mark(pod);
		line->ref = ref_of(a, &pod->o);
	}
	if (!pods->nr)
		pane_line(a, pods, TR_DIM, "no Pod runs here");
}
