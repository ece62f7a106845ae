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
	return o->ns && (strncmp(o->ns, "kube-", 5) == 0 || streq(o->ns, "podwire-system") || streq(o->ns, "calico-system") || streq(o->ns, "tigera-operator") ||
			 streq(o->ns, "metallb-system") || streq(o->ns, "local-path-storage"));
}

bool pod_on(const struct pod *p, const struct node *n)
{
	return p->node == n->o.name;
}

static const char *image_name(struct arena *a, const char *image)
{
	const char *slash = image ? strrchr(image, '/') : NULL, *name = slash ? slash + 1 : image ? image : "";

	return arena_strndup(a, name, strcspn(name, ":@"));
}

box_h part_pod(struct scene *s, box_h parent, const struct pod *p, bool containers)
{
	box_h h = scene_box(s, parent, ROLE_POD, part_id(s, &p->o), arena_printf(s->arena, "Pod %s", p->o.name),
			    ip_set(p->ip) ? arena_strdup(s->arena, IP(p->ip)) : pod_phase_names[p->phase ? p->phase : POD_PENDING]);

	for (uint32_t k = 0; containers && k < p->spec->containers.nr; k++) {
		const struct container *c = &p->spec->containers.v[k];
		const char *name = p->spec->containers.nr > 1 ? c->name : image_name(s->arena, c->image);

		scene_pill(s, h, ROLE_CONTAINER, c->ports.nr ? arena_printf(s->arena, "%s :%d", name, c->ports.v[0].port) : name, false);
	}
	scene_get(s, h)->title = arena_printf(s->arena, "Pod %s/%s", p->o.ns, p->o.name);
	return h;
}

const char *port_text(struct arena *a, const struct service *v, uint32_t k)
{
	const struct svc_port *p = &v->ports.v[k];

	if (p->target.s)
		return arena_printf(a, "%d → %s", p->port, p->target.s);
	return p->target.set && p->target.i != p->port && p->target.i ? arena_printf(a, "%d → %d", p->port, p->target.i) : arena_printf(a, "%d", p->port);
}

box_h part_service(struct scene *s, box_h parent, const struct service *v)
{
	bool lb = v->type == SVC_LOADBALANCER;
	const char *address = lb && v->lb_ingress.nr && v->lb_ingress.v[0].ip ? v->lb_ingress.v[0].ip : lb ? "<pending>" : service_is_headless(v) ? "headless"
																      : v->cluster_ip ? v->cluster_ip : v->external_name ? v->external_name : "";
	const char *text = v->ports.nr && !service_is_headless(v) ? arena_printf(s->arena, "%s:%s", address, port_text(s->arena, v, 0)) : address;
	box_h h = scene_box(s, parent, lb ? ROLE_LB : ROLE_SERVICE, part_id(s, &v->o), arena_printf(s->arena, "Service %s", v->o.name), text);

	scene_get(s, h)->dashed = true;
	scene_get(s, h)->title = arena_printf(s->arena, "Service %s/%s, %s", v->o.ns, v->o.name, svc_type_names[v->type]);
	return h;
}

box_h part_node(struct scene *s, box_h parent, const struct node *n)
{
	ip_addr ip = node_ip(n);

	return scene_group(s, parent, ROLE_NODE, part_id(s, &n->o), n->o.name, ip_set(ip) ? arena_strdup(s->arena, IP(ip)) : NULL);
}

box_h part_client(struct scene *s)
{
	return scene_box(s, (box_h){ 0 }, ROLE_OUTSIDE, "client", "client", "203.0.113.10");
}

struct object_list part_endpoints(struct cluster *c, const struct service *v, struct arena *a)
{
	struct object_list slices = service_slices(c, v), out = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < slices.nr; k++)
		nr += ((const struct endpointslice *)slices.v[k])->endpoints.nr;
	out.v = arena_array(a, struct object *, nr);
	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++) {
			const struct endpoint *e = &s->endpoints.v[i];
			struct pod *p = e->target && streq(e->target->kind, "Pod") ? find_pod(c, s->o.ns, e->target->name) : NULL;
			bool twice = false;

			for (uint32_t j = 0; p && j < out.nr; j++)
				twice = twice || out.v[j] == &p->o;
			if (p && !twice && e->ready != TRI_FALSE)
				out.v[out.nr++] = &p->o;
		}
	}
	return out;
}
