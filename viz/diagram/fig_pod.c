/* One Pod as Linux sees it: the pause container that holds the shared namespaces, the containers with what they have of their own, init containers in their order,
 * volumes, and the veth pair to the node. */
#include "viz/diagram/figure.h"

enum { MAX_CONTAINERS = 12, MAX_VOLUMES = 10 };

struct drawing {
	struct world *w;
	struct scene *s;
	struct arena *a;
	const struct pod *pod;
	box_h group, pause;
	struct { const struct container *c; box_h h; } v[MAX_CONTAINERS]; uint32_t nr;
};

/* [NS/]NAME of a Pod, or of a workload: its first Pod. */
static const struct pod *subject(struct world *w, const struct figure_options *opt, const char *name, struct arena *a, struct err *err)
{
	const char *slash = strchr(name, '/'), *ns = slash ? arena_strndup(a, name, (size_t)(slash - name)) : figure_ns(opt), *bare = slash ? slash + 1 : name;
	struct figure_options all = { .all_ns = true };
	const struct pod *p = find_pod(w->cluster, ns, bare);
	struct pod_groups groups;

	if (p)
		return p;
	groups = pods_grouped(w->cluster, &all, a);
	for (uint32_t k = 0; k < groups.nr; k++)
		if (strcmp(groups.v[k]->name, bare) == 0 && strcmp(groups.v[k]->ns, ns) == 0)
			return groups.v[k]->first;
	err_add(err, ERR_FAILED, NULL, "there is no Pod \"%s\" in namespace %s, and no workload of that name with Pods", bare, ns);
	return NULL;
}

static const char *state_of(const struct drawing *d, const char *name)
{
	for (uint32_t k = 0; k < d->pod->statuses.nr; k++) {
		const struct container_status *s = &d->pod->statuses.v[k];

		if (!streq(s->name, name))
			continue;
		if (s->state == CS_RUNNING)
			return s->ready ? "running, ready" : "running, not ready";
		return s->reason ? s->reason : s->state == CS_TERMINATED ? "ended" : "waiting";
	}
	return "";
}

static void probe_row(struct drawing *d, box_h h, const char *what, const struct probe *p)
{
	const char *how = NULL;

	if (p && p->http)
		how = p->http->port.s ? arena_printf(d->a, "GET %s at %s", p->http->path ? p->http->path : "/", p->http->port.s)
				      : arena_printf(d->a, "GET :%d%s", p->http->port.i, p->http->path ? p->http->path : "/");
	else if (p && p->tcp)
		how = p->tcp->port.s ? arena_printf(d->a, "TCP %s", p->tcp->port.s) : arena_printf(d->a, "TCP :%d", p->tcp->port.i);
	else if (p)
		how = p->exec ? "a command" : "gRPC";
	if (how)
		scene_row(d->s, h, ROW_NOTE, what, arena_printf(d->a, "%s, every %d s", how, p->period));
}

static box_h add_container(struct drawing *d, box_h parent, const struct container *c, const char *role, enum role kind)
{
	box_h h = scene_box(d->s, parent, kind, arena_printf(d->a, "container-%s", c->name), c->name, role);
	const char *state = state_of(d, c->name);

	scene_get(d->s, h)->title = arena_printf(d->a, "%s %s, image %s, %s", role, c->name, c->image ? c->image : "none", state);
	scene_row(d->s, h, ROW_TEXT, "image", c->image ? c->image : "");
	for (uint32_t k = 0; k < c->ports.nr && k < 5; k++)
		scene_row(d->s, h, ROW_TEXT, k ? "" : "listens", arena_printf(d->a, ":%d%s%s%s", c->ports.v[k].port, c->ports.v[k].name ? "  " : "", c->ports.v[k].name ? c->ports.v[k].name : "",
										c->ports.v[k].host_port ? arena_printf(d->a, "  hostPort %d", c->ports.v[k].host_port) : ""));
	scene_row(d->s, h, ROW_NOTE, "own", d->pod->spec->share_pid ? "mnt, cgroup" : "mnt, pid, cgroup");
	if (*state)
		scene_row(d->s, h, ROW_NOTE, "state", state);
	probe_row(d, h, "startup", c->startup);
	probe_row(d, h, "readiness", c->readiness);
	probe_row(d, h, "liveness", c->liveness);
	if (d->nr < MAX_CONTAINERS) {
		d->v[d->nr].c = c;
		d->v[d->nr++].h = h;
	}
	return h;
}

static void add_containers(struct drawing *d)
{
	const struct pod_spec *spec = d->pod->spec;
	box_h row[MAX_CONTAINERS], before = { 0 }, inits = { 0 };
	uint32_t nr = 0, order = 0;

	for (uint32_t k = 0; k < spec->init_containers.nr && k < 5; k++) {
		const struct container *c = &spec->init_containers.v[k];
		bool sidecar = streq(c->restart_policy, "Always");
		box_h h;

		if (sidecar) {
			h = add_container(d, d->group, c, "sidecar", ROLE_STORAGE);
			row[nr++] = h;
			scene_below(d->s, d->pause, h, 2);
			continue;
		}
		if (!inits.i)
			inits = scene_group(d->s, d->group, ROLE_PAUSE, "init", "init containers", "one after the other, before the rest");
		h = add_container(d, inits, c, "init container", ROLE_CONTAINER);
		scene_get(d->s, h)->badge = (uint16_t)++order;
		scene_get(d->s, h)->badge_line = LINE_WATCH;
		if (before.i)
			scene_line(d->s, before, h, LINE_WATCH, "then");
		else
			scene_below(d->s, d->pause, h, 1);
		before = h;
	}
	for (uint32_t k = 0; k < spec->containers.nr && nr < MAX_CONTAINERS; k++) {
		box_h h = row[nr++] = add_container(d, d->group, &spec->containers.v[k], "container", ROLE_CONTAINER);

		scene_below(d->s, d->pause, h, 3);
		if (before.i && !k)
			scene_line(d->s, before, h, LINE_WATCH, "then");
	}
	scene_same_rank(d->s, row, nr);
}

static const char *volume_kind(struct arena *a, const struct volume *v)
{
	if (v->claim)
		return arena_printf(a, "PersistentVolumeClaim %s", v->claim);
	if (v->config_map)
		return arena_printf(a, "ConfigMap %s", v->config_map);
	if (v->secret)
		return arena_printf(a, "Secret %s", v->secret);
	if (v->host_path)
		return arena_printf(a, "hostPath %s", v->host_path);
	return v->empty_dir ? "emptyDir, lives as long as the Pod" : "volume";
}

static void add_volumes(struct drawing *d)
{
	const struct pod_spec *spec = d->pod->spec;

	for (uint32_t k = 0; k < spec->volumes.nr && k < MAX_VOLUMES; k++) {
		const struct volume *v = &spec->volumes.v[k];
		box_h h = { 0 };

		for (uint32_t i = 0; i < d->nr; i++)
			for (uint32_t j = 0; j < d->v[i].c->mounts.nr; j++) {
				const struct volume_mount *m = &d->v[i].c->mounts.v[j];

				if (!streq(m->name, v->name))
					continue;
				if (!h.i) {
					h = scene_box(d->s, v->empty_dir ? d->group : (box_h){ 0 }, ROLE_STORAGE, arena_printf(d->a, "volume-%s", v->name), v->name, volume_kind(d->a, v));
					scene_get(d->s, h)->cylinder = true;
					scene_get(d->s, h)->title = arena_printf(d->a, "volume %s: %s", v->name, volume_kind(d->a, v));
				}
				scene_line(d->s, d->v[i].h, h, LINE_STORAGE, arena_printf(d->a, "%s%s", m->path ? m->path : "", m->read_only ? " (read only)" : ""));
			}
	}
}

/* The host's end of the veth pair, the route to the Pod, and the uplink. */
static void add_host(struct drawing *d, box_h node)
{
	struct dataplane *dp = d->w->dp;
	netns_h ns = netns_find(dp, arena_printf(d->a, "pod/%s/%s", d->pod->o.ns, d->pod->o.name)), host = netns_find(dp, arena_printf(d->a, "node/%s", d->pod->node));
	struct sb text = { 0 };
	box_h h;

	if (!host.i)
		return;
	h = scene_box(d->s, node, ROLE_NODE, "host", "network namespace of the node", NULL);
	for (uint32_t k = 0; ns.i && k < netns_get(dp, ns)->links.nr; k++) {
		link_h l = netns_link(netns_get(dp, ns), k), peer = link_get(dp, l)->kind == LINK_VETH ? link_peer(dp, l) : (link_h){ 0 };
		struct route r;

		if (!peer.i)
			continue;
		scene_row(d->s, h, ROW_TEXT, link_get(dp, peer)->name, "the other end of eth0");
		scene_line(d->s, h, d->pause, LINE_WIRE, "veth pair");
		if (ip_set(d->pod->ip) && route_lookup(dp, host, d->pod->ip, &r)) {
			print_route(dp, &r, &text);
			scene_row(d->s, h, ROW_MONO, arena_strndup(d->a, sb_text(&text), strcspn(sb_text(&text), "\n")), NULL);
		}
	}
	if (!ns.i || d->pod->spec->host_network)
		scene_line(d->s, h, d->pause, LINE_WIRE, "hostNetwork: the same namespace");
	sb_free(&text);
}

static void add_notes(struct drawing *d)
{
	const struct pod *p = d->pod;

	scene_note(d->s, ROLE_PLAIN, pod_phase_names[p->phase ? p->phase : POD_PENDING], pod_is_ready(p) ? "ready: Services may send to it" : "not ready: Services do not send to it");
	if (p->reason || p->message)
		scene_note(d->s, ROLE_DENIED, p->reason ? p->reason : "", p->message ? p->message : "");
	for (uint32_t k = 0; k < p->conditions.nr; k++)
		if (p->conditions.v[k].status == COND_FALSE && p->conditions.v[k].message)
			scene_note(d->s, ROLE_DENIED, p->conditions.v[k].type, p->conditions.v[k].message);
}

bool fig_pod(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	const struct node *n;
	const struct pod *p = subject(w, opt, rest, s->arena, err);
	box_h node;

	(void)args;
	(void)nr;
	if (!p)
		return false;
	world_dataplane(w);
	*d = (struct drawing){ .w = w, .s = s, .a = s->arena, .pod = p };
	n = p->node ? find_node(w->cluster, p->node) : NULL;
	scene_init(s, s->arena, "pod", arena_printf(s->arena, "Pod %s/%s and its parts", p->o.ns, p->o.name));
	s->description = arena_printf(s->arena, "Pod %s with address %s: its pause container holds the namespaces that %u containers share; each has a file system of its own.", p->o.name,
				      ip_set(p->ip) ? IP(p->ip) : "none", p->spec->containers.nr);
	s->rank_gap = 0.55f;
	node = n ? part_node(s, (box_h){ 0 }, w->cluster, n) : (box_h){ 0 };
	d->group = scene_group(s, node, ROLE_POD, part_id(s, &p->o), arena_printf(s->arena, "Pod %s", pod_short(s->arena, p)), NULL);
	scene_get(s, d->group)->title = arena_printf(s->arena, "Pod %s/%s", p->o.ns, p->o.name);
	part_details(s, d->group, w->cluster, &p->o);
	d->pause = scene_box(s, d->group, ROLE_PAUSE, "pause", "pause", "holds what all containers share");
	scene_row(s, d->pause, ROW_TEXT, "net", p->spec->host_network ? "the node's own" : arena_printf(s->arena, "eth0 %s%s%s, lo 127.0.0.1", ip_set(p->ip) ? IP(p->ip) : "without address",
													  ip_set(p->ip2) ? ", " : "", IP(p->ip2)));
	scene_row(s, d->pause, ROW_TEXT, "ipc, uts", arena_printf(s->arena, "one host name: %s", p->hostname ? p->hostname : p->o.name));
	if (p->spec->share_pid)
		scene_row(s, d->pause, ROW_TEXT, "pid", "shared: processes see each other");
	add_containers(d);
	add_volumes(d);
	if (n)
		add_host(d, node);
	add_notes(d);
	scene_legend(s, LINE_WIRE, 0, "a cable of two ends (veth)");
	scene_legend(s, LINE_STORAGE, 0, "mounted there");
	scene_legend(s, LINE_WATCH, 0, "order of starting");
	return true;
}
