#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "model/dataplane/packet.h"
#include "viz/diagram/figure.h"

const char *part_id(struct scene *s, const struct object *o)
{
	char *id = arena_printf(s->arena, "%s%s%s-%s", o->kind->name, o->ns ? "-" : "", o->ns ? o->ns : "", o->name);

	for (char *p = id; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	return id;
}

ip_addr node_ip(const struct node *n)
{
	ip_addr ip;

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (streq(n->addresses.v[k].type, "InternalIP") && n->addresses.v[k].address && ip_parse(n->addresses.v[k].address, &ip))
			return ip;
	return (ip_addr){ 0 };
}

bool is_system(const struct object *o)
{
	static const char *const names[] = { "podwire-system", "calico-system", "calico-apiserver", "tigera-operator", "metallb-system", "local-path-storage" };

	if (!o->ns)
		return false;
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (strcmp(o->ns, names[k]) == 0)
			return true;
	return strncmp(o->ns, "kube-", 5) == 0;
}

const char *figure_ns(const struct figure_options *opt)
{
	return opt->dflt_ns ? opt->dflt_ns : opt->ns ? opt->ns : "default";
}

bool figure_shows(const struct figure_options *opt, const struct object *o)
{
	return opt->ns ? o->ns && strcmp(o->ns, opt->ns) == 0 : opt->all_ns || !is_system(o);
}

bool focus_is(const struct figure_options *opt, const struct object *o)
{
	const char *slash = opt->focus ? strchr(opt->focus, '/') : NULL, *name = slash ? slash + 1 : opt->focus, *inner = name ? strchr(name, '/') : NULL;
	char word[64];

	if (!name)
		return false;
	if (slash) {
		snprintf(word, sizeof(word), "%.*s", (int)(slash - opt->focus), opt->focus);
		if (kind_by_word(word) != o->kind)
			return false;
	}
	if (inner && (strncmp(name, o->ns ? o->ns : "", (size_t)(inner - name)) != 0 || strlen(o->ns ? o->ns : "") != (size_t)(inner - name)))
		return false;
	return strcmp(inner ? inner + 1 : name, o->name) == 0;
}

bool pod_on(const struct pod *p, const struct node *n)
{
	return p->node == n->o.name;
}

const char *socket_of(struct arena *a, const char *ip, int32_t port)
{
	if (!port)
		return arena_strdup(a, ip);
	return arena_printf(a, strchr(ip, ':') ? "[%s]:%d" : "%s:%d", ip, port);
}

void part_details(struct scene *s, box_h h, struct cluster *c, const struct object *o)
{
	struct sb text = { 0 };
	struct val *v, *notes;

	if (!s->details)
		return;
	v = object_render(c, o, s->arena);
	notes = val_path_mut(v, "metadata.annotations");
	if (notes && val_del(notes, "kubectl.kubernetes.io/last-applied-configuration") && !notes->nr)
		val_del(val_get_mut(v, "metadata"), "annotations");
	val_print_yaml(v, &text, false);
	scene_get(s, h)->details = arena_strdup(s->arena, sb_text(&text));
	sb_free(&text);
}

static const char *image_name(struct arena *a, const char *image)
{
	const char *slash = image ? strrchr(image, '/') : NULL, *name = slash ? slash + 1 : image ? image : "";

	return arena_strndup(a, name, strcspn(name, ":@"));
}

/* NAME-HASH of a ReplicaSet without the hash: the Deployment's name. */
static size_t without_hash(const struct pod *p, const char *name)
{
	const char *hash = label_get(&p->o.labels, "pod-template-hash");
	size_t n = strlen(name), m = hash ? strlen(hash) : 0;

	return m && n > m + 1 && name[n - m - 1] == '-' && strcmp(name + n - m, hash) == 0 ? n - m - 1 : n;
}

const char *pod_short(struct arena *a, const struct pod *p)
{
	const struct owner_ref *o = p->o.owners.nr ? &p->o.owners.v[0] : NULL;
	size_t n = o && o->name ? without_hash(p, o->name) : 0;
	const char *suffix = strrchr(p->o.name, '-');

	if (!n || !suffix || n == strlen(o->name) || strncmp(p->o.name, o->name, strlen(o->name)) != 0)
		return p->o.name;
	return arena_printf(a, "%.*s-…%s", (int)n, o->name, suffix);
}

static const char *pod_address(struct arena *a, const struct pod *p)
{
	if (!ip_set(p->ip))
		return pod_phase_names[p->phase ? p->phase : POD_PENDING];
	return ip_set(p->ip2) ? arena_printf(a, "%s, %s", IP(p->ip), IP(p->ip2)) : arena_strdup(a, IP(p->ip));
}

box_h part_pod(struct scene *s, box_h parent, struct cluster *c, const struct pod *p, bool containers)
{
	box_h h = scene_box(s, parent, ROLE_POD, part_id(s, &p->o), arena_printf(s->arena, "Pod %s", pod_short(s->arena, p)), pod_address(s->arena, p));

	for (uint32_t k = 0; containers && k < p->spec->containers.nr && k < 6; k++) {
		const struct container *x = &p->spec->containers.v[k];
		const char *name = p->spec->containers.nr > 1 ? x->name : image_name(s->arena, x->image);

		scene_pill(s, h, ROLE_CONTAINER, x->ports.nr ? arena_printf(s->arena, "%s :%d", name, x->ports.v[0].port) : name, false);
	}
	if (p->phase != 0 && !pod_is_ready(p) && !pod_is_terminal(p)) {        /* without a status nothing is known of it */
		scene_get(s, h)->role = ROLE_DENIED;
		if (ip_set(p->ip))
			scene_get(s, h)->address = arena_printf(s->arena, "%s  ✕ not ready", pod_address(s->arena, p));
	}
	scene_get(s, h)->title = arena_printf(s->arena, "Pod %s/%s, %s", p->o.ns, p->o.name, scene_get(s, h)->address);
	part_details(s, h, c, &p->o);
	return h;
}

const char *port_text(struct arena *a, const struct service *v, uint32_t k)
{
	const struct svc_port *p = &v->ports.v[k];

	if (p->target.s)
		return arena_printf(a, "%d → %s", p->port, p->target.s);
	return p->target.set && p->target.i != p->port && p->target.i ? arena_printf(a, "%d → %d", p->port, p->target.i) : arena_printf(a, "%d", p->port);
}

box_h part_service(struct scene *s, box_h parent, struct cluster *c, const struct service *v)
{
	bool lb = v->type == SVC_LOADBALANCER, plain = v->ports.nr && !service_is_headless(v);
	const char *address = lb && v->lb_ingress.nr && v->lb_ingress.v[0].ip ? v->lb_ingress.v[0].ip : lb ? "<pending>" : service_is_headless(v) ? "headless"
																      : v->cluster_ip ? v->cluster_ip : v->external_name ? v->external_name : "";
	const char *text = plain ? arena_printf(s->arena, strchr(address, ':') ? "[%s]:%s" : "%s:%s", address, port_text(s->arena, v, 0)) : address;
	box_h h = scene_box(s, parent, lb ? ROLE_LB : ROLE_SERVICE, part_id(s, &v->o), arena_printf(s->arena, "Service %s", v->o.name), text);

	scene_get(s, h)->dashed = true;
	scene_get(s, h)->title = arena_printf(s->arena, "Service %s/%s, %s %s", v->o.ns, v->o.name, svc_type_names[v->type], text);
	part_details(s, h, c, &v->o);
	return h;
}

box_h part_services(struct scene *s, box_h *plate)
{
	box_h group = scene_group(s, (box_h){ 0 }, ROLE_SERVICE, "services", NULL, NULL);

	scene_get(s, group)->dashed = true;
	scene_get(s, group)->title = "Services: rules on every node, no process anywhere";
	*plate = scene_box(s, group, ROLE_PLAIN, "plate-services", "Services", "rules on every node, no process");
	scene_get(s, *plate)->nameplate = true;
	return group;
}

box_h part_node(struct scene *s, box_h parent, struct cluster *c, const struct node *n)
{
	ip_addr ip = node_ip(n);
	box_h h = scene_group(s, parent, ROLE_NODE, part_id(s, &n->o), n->o.name, ip_set(ip) ? arena_strdup(s->arena, IP(ip)) : NULL);
	const struct condition *ready = condition_get(&n->conditions, "Ready");

	scene_get(s, h)->title = arena_printf(s->arena, "Node %s%s", n->o.name, ready && ready->status != COND_TRUE ? ", NotReady" : "");
	if (ready && ready->status != COND_TRUE) {
		struct box *b = scene_get(s, h);

		b->address = arena_printf(s->arena, "%s  ✕ NotReady", b->address ? b->address : "");
		b->role = ROLE_DENIED;
	}
	part_details(s, h, c, &n->o);
	return h;
}

/* The address of the outside host; IPv6 where the cluster has no IPv4. */
static const char *client_address(struct scene *s, struct world *w)
{
	const struct dataplane *dp = world_dataplane(w);
	netns_h ns = netns_find(dp, "client");
	const struct settings *set = cluster_settings(w->cluster);
	bool v4 = !set->pod_cidrs.nr || ip_is4(set->pod_cidrs.v[0].addr);

	for (uint32_t k = 0; ns.i && k < netns_get(dp, ns)->links.nr; k++) {
		const struct link *l = link_get(dp, netns_link(netns_get(dp, ns), k));

		for (uint32_t i = 0; i < l->nr_addrs; i++) {
			ip_addr ip = dp->addrs.v[l->addr + i].ip;

			if (ip_is4(ip) == v4 && !ip_is_loopback(ip) && !ip_is_linklocal(ip))
				return arena_strdup(s->arena, IP(ip));
		}
	}
	return NULL;
}

box_h part_client(struct scene *s, struct world *w)
{
	const char *address = client_address(s, w);
	box_h h = scene_box(s, (box_h){ 0 }, ROLE_OUTSIDE, "client", "client", address);

	scene_get(s, h)->title = arena_printf(s->arena, "a client outside the cluster%s%s", address ? ", " : "", address ? address : "");
	return h;
}

const char *bgp_down(const struct node *n)
{
	if (label_get(&n->o.annotations, "podwire.io/down"))
		return "node down";
	if (label_get(&n->o.annotations, "podwire.io/bgp-down"))
		return label_get(&n->o.annotations, "podwire.io/routes-withdrawn") ? "BIRD stopped, routes withdrawn" : "BIRD stopped, routes kept (graceful restart)";
	return NULL;
}

static int by_version(const void *a, const void *b)
{
	return strverscmp((*(struct object *const *)a)->name, (*(struct object *const *)b)->name);
}

struct object_list part_nodes(struct cluster *c, struct arena *a)
{
	struct object_list l = cluster_list(c, &node_kind), out = { arena_copy(a, l.v, l.nr * sizeof(*l.v)), l.nr };

	if (out.nr)
		qsort(out.v, out.nr, sizeof(*out.v), by_version);
	return out;
}

struct object_list part_endpoints(struct cluster *c, const struct service *v, struct arena *a)
{
	struct object_list slices = service_slices(c, v), out = { 0 };
	struct map seen = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < slices.nr; k++)
		nr += ((const struct endpointslice *)slices.v[k])->endpoints.nr;
	out.v = arena_array(a, struct object *, nr);
	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++) {
			const struct endpoint *e = &s->endpoints.v[i];
			struct pod *p = e->target && streq(e->target->kind, "Pod") ? find_pod(c, s->o.ns, e->target->name) : NULL;

			if (!p || e->ready == TRI_FALSE || map_find(&seen, map_ptr(p)))
				continue;
			map_put(&seen, a, map_ptr(p));
			out.v[out.nr++] = &p->o;
		}
	}
	return out;
}

/* ---- who is told of whom */

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Behind the name: a port, a path, another namespace's or the cluster's domain. */
static bool ends_as_host(const char *rest, const struct service *v, bool url)
{
	size_t n = strlen(v->o.ns);

	if (*rest == ':' && isdigit((unsigned char)rest[1]))
		return true;
	if (*rest == '.')
		return strncmp(rest + 1, v->o.ns, n) == 0 && !is_name(rest[1 + n]);
	return url && (!*rest || *rest == '/' || *rest == ',' || *rest == ' ');
}

static bool text_names(const char *text, const struct service *v, bool same_ns)
{
	size_t n = strlen(v->o.name);

	for (const char *p = text; (p = strstr(p, v->o.name)); p += n) {
		bool begins = p == text || (!is_name(p[-1]) && p[-1] != '.'), url = p > text && (p[-1] == '/' || p[-1] == '@');

		if (begins && ends_as_host(p + n, v, url) && (same_ns || p[n] == '.'))
			return true;
	}
	return false;
}

static bool key_is_address(const char *key)
{
	static const char *const words[] = { "HOST", "ADDR", "URL", "SERVICE", "SERVER", "ENDPOINT", "UPSTREAM", "BACKEND" };

	for (size_t k = 0; key && k < ARRAY_LEN(words); k++)
		if (strcasestr(key, words[k]))
			return true;
	return false;
}

static bool container_names(const struct container *c, const struct service *v, bool same_ns)
{
	for (uint32_t k = 0; k < c->env.nr; k++) {
		const struct env_var *e = &c->env.v[k];

		if (e->value && (text_names(e->value, v, same_ns) || (same_ns && streq(e->value, v->o.name) && key_is_address(e->name))))
			return true;
	}
	for (uint32_t k = 0; k < c->args.nr; k++)
		if (text_names(c->args.v[k], v, same_ns))
			return true;
	for (uint32_t k = 0; k < c->command.nr; k++)
		if (text_names(c->command.v[k], v, same_ns))
			return true;
	return false;
}

bool pod_names_service(const struct pod *p, const struct service *v)
{
	bool same = streq(p->o.ns, v->o.ns);

	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		if (container_names(&p->spec->containers.v[k], v, same))
			return true;
	for (uint32_t k = 0; k < p->spec->init_containers.nr; k++)
		if (container_names(&p->spec->init_containers.v[k], v, same))
			return true;
	return false;
}

/* ---- Pods of one owner */

static uint64_t group_key(const struct pod *p, const char **kind, const char **name, struct arena *a)
{
	const struct owner_ref *o = p->o.owners.nr ? &p->o.owners.v[0] : NULL;
	size_t n = o && o->name ? without_hash(p, o->name) : 0;

	*kind = !n ? "Pod" : n < strlen(o->name) && streq(o->kind, "ReplicaSet") ? "Deployment" : o->kind;
	*name = !n ? p->o.name : n < strlen(o->name) ? arena_strndup(a, o->name, n) : o->name;
	return hash_mix(hash_mix(fnv32a(*name, strlen(*name)), fnv32(*name, strlen(*name))), hash_mix(map_ptr(p->o.ns), fnv32a(*kind, strlen(*kind))));
}

struct pod_group *pod_group_of(const struct pod_groups *g, const struct pod *p, struct arena *a)
{
	const char *kind, *name;

	return map_get_ptr(&g->by_name, group_key(p, &kind, &name, a));
}

struct pod_groups pods_grouped(struct cluster *c, const struct figure_options *opt, struct arena *a)
{
	struct object_list l = cluster_list(c, &pod_kind);
	struct pod_groups out = { 0 };
	struct pod_group *last = NULL;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];
		const char *kind, *name;
		uint64_t *at;

		if (pod_is_terminal(p) || !figure_shows(opt, &p->o))
			continue;
		if (last && last->first->o.owners.nr && p->o.owners.nr && last->first->o.ns == p->o.ns && last->first->o.owners.v[0].uid == p->o.owners.v[0].uid) {
			at = NULL;
		} else {
			at = map_put(&out.by_name, a, group_key(p, &kind, &name, a));
			last = (struct pod_group *)(uintptr_t)*at;
		}
		if (at && !last) {
			last = arena_make(a, struct pod_group);
			*last = (struct pod_group){ .kind = kind, .name = name, .ns = p->o.ns, .first = p };
			*at = map_ptr(last);
			vec_add(a, &out, last);
		}
		last->nr++;
		last->ready += pod_is_ready(p);
		vec_add(a, &last->pods, p);
	}
	return out;
}

struct pod_ports pod_ports(const struct pod *p)
{
	struct pod_ports out = { .nr = 0 };

	for (uint32_t c = 0; c < p->spec->containers.nr; c++)
		for (uint32_t k = 0; k < p->spec->containers.v[c].ports.nr && out.nr < ARRAY_LEN(out.v); k++) {
			const struct container_port *x = &p->spec->containers.v[c].ports.v[k];

			out.proto[out.nr] = x->protocol == L4_UDP ? PROTO_UDP : x->protocol == L4_SCTP ? PROTO_SCTP : PROTO_TCP;
			out.v[out.nr++] = (uint16_t)x->port;
		}
	if (!out.nr) {
		out.v[0] = 80;
		out.proto[0] = PROTO_TCP;
		out.nr = 1;
	}
	return out;
}
