/* From outside to one container: client, Ingress controller with its routes, the Service that it asks for endpoints, and the Pod behind it with its pause
 * container, its containers, and what they write to. */
#include <stdio.h>

#include "model/l7/controllers.h"
#include "model/l7/gateway.h"
#include "model/l7/ingress.h"
#include "viz/diagram/figure.h"

enum { MAX_ROUTES = 6 };

/* A row of the controller's routing table. */
struct way { const struct object *from; const struct gateway *gateway; const char *host, *path, *ns, *service, *port_name; int32_t port; };

struct drawing {
	struct world *w;
	struct scene *s;
	struct arena *a;
	const struct l7_controller *who;
	const struct object *routes;            /* the Ingress or HTTPRoute of which one path is drawn */
	const struct way *way;                  /* that path */
	const struct service *service;          /* where it leads */
	const struct pod *pod;                  /* and a Pod behind that */
	VEC(struct way) ways;                   /* all that this controller serves */
	const char *fallback;                   /* where what no row takes goes; NULL: 404 */
	box_h controller_pod, pause;
	const struct pod *proxy;
};

static void add_ingresses(struct drawing *d)
{
	struct served l = ingresses_served(d->w->cluster, d->who->name, d->a);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct svc_backend *dflt = l.v[k]->dflt_backend ? l.v[k]->dflt_backend->service : NULL;

		if (dflt && !d->fallback)
			d->fallback = dflt->port_name ? arena_printf(d->a, "→ %s:%s", dflt->name, dflt->port_name) : arena_printf(d->a, "→ %s:%d", dflt->name, dflt->port);
		for (uint32_t i = 0; i < l.v[k]->rules.nr; i++)
			for (uint32_t j = 0; j < l.v[k]->rules.v[i].paths.nr; j++) {
				const struct ing_path *p = &l.v[k]->rules.v[i].paths.v[j];
				const struct svc_backend *b = p->backend.service;

				vec_add(d->a, &d->ways, (struct way){ &l.v[k]->o, NULL, l.v[k]->rules.v[i].host, p->path, l.v[k]->o.ns, b ? b->name : NULL, b ? b->port_name : NULL, b ? b->port : 0 });
			}
	}
}

/* Did the controller take the route for that parent? Its status says so. */
static bool taken(const struct drawing *d, const struct gw_route *r, const struct parent_ref *parent)
{
	for (uint32_t k = 0; k < r->st_parents.nr; k++) {
		const struct route_parent_status *st = &r->st_parents.v[k];
		const struct condition *c = condition_get(&st->conditions, "Accepted");

		if (streq(st->ref.name, parent->name) && streq(st->controller, d->who->name) && c && c->status == COND_TRUE)
			return true;
	}
	return false;
}

static void add_route(struct drawing *d, const struct gw_route *r)
{
	const struct gateway *gw = NULL;

	for (uint32_t i = 0; i < r->parents.nr && !gw; i++)
		if (taken(d, r, &r->parents.v[i]))
			gw = parent_gateway(d->w->cluster, r, &r->parents.v[i]);
	for (uint32_t i = 0; gw && i < r->rules.nr; i++)
		for (uint32_t j = 0; j < r->rules.v[i].backends.nr; j++) {
			const struct backend_ref *b = &r->rules.v[i].backends.v[j];
			const struct route_rule *rule = &r->rules.v[i];

			vec_add(d->a, &d->ways, (struct way){ &r->o, gw, r->hostnames.nr ? r->hostnames.v[0] : NULL, rule->matches.nr ? rule->matches.v[0].path.value : NULL,
							     b->ns ? b->ns : r->o.ns, !b->kind || streq(b->kind, "Service") ? b->name : NULL, NULL, b->port.set ? (int32_t)b->port.v : 0 });
		}
}

static void add_routes(struct drawing *d)
{
	for (uint32_t n = 0; route_kinds[n]; n++) {
		struct object_list l = cluster_list(d->w->cluster, route_kinds[n]);

		for (uint32_t k = 0; k < l.nr; k++)
			add_route(d, (const struct gw_route *)l.v[k]);
	}
}

/* The first path that leads to a Pod; one with several containers is preferred. */
static bool find_subject(struct drawing *d, const struct figure_options *opt)
{
	d->ways.nr = 0;
	d->fallback = NULL;
	add_ingresses(d);
	add_routes(d);
	for (uint32_t k = 0; k < d->ways.nr; k++) {
		const struct way *y = &d->ways.v[k];
		const struct service *v = y->service ? find_service(d->w->cluster, y->ns, y->service) : NULL;
		struct object_list ends = v ? part_endpoints(d->w->cluster, v, d->a) : (struct object_list){ 0 };
		const struct pod *pod = ends.nr ? (const struct pod *)ends.v[0] : NULL;

		if (!pod || (opt->ns && strcmp(opt->ns, y->from->ns) != 0))
			continue;
		if (opt->focus && !focus_is(opt, y->from) && !focus_is(opt, &v->o))
			continue;
		if (d->pod && d->pod->spec->containers.nr + d->pod->spec->init_containers.nr >= pod->spec->containers.nr + pod->spec->init_containers.nr)
			continue;
		d->routes = y->from;
		d->way = y;
		d->service = v;
		d->pod = pod;
	}
	return d->pod;
}

/* The proxy that the path's packets pass: of the Gateway, or of the controller itself. */
static const struct pod *find_proxy(struct drawing *d)
{
	const struct service *v = d->way->gateway ? gateway_service(d->w->cluster, d->way->gateway, d->who) : NULL;
	struct object_list pods = v ? part_endpoints(d->w->cluster, v, d->a) : cluster_list(d->w->cluster, &pod_kind);

	if (v)
		return pods.nr ? (const struct pod *)pods.v[0] : NULL;
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];

		if (p->o.ns == d->who->workload->ns && strncmp(p->o.name, d->who->workload->name, strlen(d->who->workload->name)) == 0 && pod_is_ready(p))
			return p;
	}
	return NULL;
}

static void add_controller(struct drawing *d)
{
	struct scene *s = d->s;
	const struct node *n = d->proxy->node ? find_node(d->w->cluster, d->proxy->node) : NULL;
	box_h parent = n ? part_node(s, (box_h){ 0 }, d->w->cluster, n) : (box_h){ 0 };
	uint32_t nr = 0;

	d->controller_pod = scene_box(s, parent, ROLE_INGRESS, part_id(s, &d->proxy->o), arena_printf(d->a, "Pod %s", pod_short(d->a, d->proxy)),
				      ip_set(d->proxy->ip) ? arena_strdup(d->a, IP(d->proxy->ip)) : NULL);
	scene_get(s, d->controller_pod)->title = arena_printf(d->a, "Pod %s/%s, the Ingress controller %s", d->proxy->o.ns, d->proxy->o.name, d->who->name);
	part_details(s, d->controller_pod, d->w->cluster, &d->proxy->o);
	if (parent.i)
		scene_get(s, parent)->label_below = false;
	for (uint32_t k = 0; k < d->ways.nr; k++) {
		const struct way *y = &d->ways.v[k];
		const char *to = !y->service ? "→ another kind" : y->port_name ? arena_printf(d->a, "→ %s:%s", y->service, y->port_name) : arena_printf(d->a, "→ %s:%d", y->service, y->port);

		if (y->gateway == d->way->gateway && nr++ < MAX_ROUTES)
			scene_row(s, d->controller_pod, ROW_TEXT, arena_printf(d->a, "%s %s", y->host ? y->host : "any host", y->path ? y->path : "/"), to);
	}
	if (nr > MAX_ROUTES)
		scene_row(s, d->controller_pod, ROW_NOTE, arena_printf(d->a, "%u more", nr - MAX_ROUTES), NULL);
	else
		scene_row(s, d->controller_pod, ROW_TEXT, "anything else", d->fallback && !d->way->gateway ? d->fallback : "→ 404");
}

static bool writes_to(const struct container *c, const char *volume, bool *reads)
{
	for (uint32_t k = 0; k < c->mounts.nr; k++)
		if (strcmp(c->mounts.v[k].name, volume) == 0) {
			*reads = c->mounts.v[k].read_only;
			return true;
		}
	return false;
}

struct boxes { struct { const struct container *c; box_h h; } v[12]; uint32_t nr; };

/* A port of a container, as its own Pod's other containers or the world outside see it. */
static void add_container(struct drawing *d, box_h group, struct boxes *b, const struct container *c, const char *role)
{
	bool main = *role == 'm';
	box_h h;

	if (b->nr == ARRAY_LEN(b->v))
		return;
	h = scene_box(d->s, group, main ? ROLE_CONTAINER : ROLE_STORAGE, arena_printf(d->a, "container-%s-%s", d->pod->o.name, c->name), c->name, role);
	scene_get(d->s, h)->title = arena_printf(d->a, "container %s, %s, image %s", c->name, role, c->image ? c->image : "");
	scene_get(d->s, h)->name_below = true;
	for (uint32_t k = 0; k < c->ports.nr && k < 4; k++)
		scene_cell(d->s, h, !k, ROW_PILLS, ROLE_PLAIN, arena_printf(d->a, ":%d", c->ports.v[k].port))->port = (uint16_t)c->ports.v[k].port;
	scene_below(d->s, d->pause, h, 2);
	b->v[b->nr].c = c;
	b->v[b->nr++].h = h;
}

/* 127.0.0.1:PORT or localhost:PORT in an environment variable: the key, if the container is told of that port. */
static const char *told_of(const struct container *c, int32_t port)
{
	char loop[40], local[40];

	snprintf(loop, sizeof(loop), "127.0.0.1:%d", port);
	snprintf(local, sizeof(local), "localhost:%d", port);
	for (uint32_t k = 0; k < c->env.nr; k++)
		if (c->env.v[k].value && (strstr(c->env.v[k].value, loop) || strstr(c->env.v[k].value, local)))
			return c->env.v[k].name;
	for (uint32_t k = 0; k < c->args.nr; k++)
		if (strstr(c->args.v[k], loop) || strstr(c->args.v[k], local))
			return "";
	return NULL;
}

/* Containers of one Pod talk over its loopback interface. */
static void add_loopback(struct drawing *d, const struct boxes *b)
{
	for (uint32_t i = 0; i < b->nr; i++)
		for (uint32_t j = 0; j < b->nr; j++)
			for (uint32_t k = 0; i != j && k < b->v[j].c->ports.nr; k++) {
				const char *key = told_of(b->v[i].c, b->v[j].c->ports.v[k].port);

				if (!key)
					continue;
				scene_same_rank(d->s, (box_h[]){ b->v[i].h, b->v[j].h }, 2);
				scene_line(d->s, b->v[i].h, b->v[j].h, LINE_STORAGE, strcasestr(key, "LOG") ? "log lines over lo" : "over lo");
			}
}

static void add_storage(struct drawing *d, const struct boxes *b, box_h group)
{
	const struct pod_spec *spec = d->pod->spec;

	for (uint32_t k = 0; k < spec->volumes.nr; k++) {
		const struct volume *v = &spec->volumes.v[k];
		const char *what = v->claim ? arena_printf(d->a, "PersistentVolumeClaim %s", v->claim) : v->host_path ? arena_printf(d->a, "hostPath %s", v->host_path)
					  : v->empty_dir ? "emptyDir" : NULL;
		box_h h = { 0 };

		for (uint32_t i = 0; what && i < b->nr; i++) {
			bool reads;

			if (!writes_to(b->v[i].c, v->name, &reads))
				continue;
			if (!h.i) {
				h = scene_box(d->s, v->empty_dir ? group : (box_h){ 0 }, ROLE_STORAGE, arena_printf(d->a, "volume-%s-%s", d->pod->o.name, v->name),
					      arena_printf(d->a, "volume %s", v->name), what);
				scene_get(d->s, h)->cylinder = true;
			}
			scene_line(d->s, b->v[i].h, h, LINE_STORAGE, reads ? "reads" : "writes");
		}
	}
}

/* The node's box, if it is drawn already, else a new one. */
static box_h node_of(struct drawing *d, const struct pod *p)
{
	const struct node *n = p->node ? find_node(d->w->cluster, p->node) : NULL;
	const char *id = n ? part_id(d->s, &n->o) : NULL;

	for (uint32_t k = 1; id && k < d->s->boxes.nr; k++)
		if (streq(d->s->boxes.v[k].id, id))
			return (box_h){ k };
	return n ? part_node(d->s, (box_h){ 0 }, d->w->cluster, n) : (box_h){ 0 };
}

static int32_t port_of_target(const struct drawing *d, const struct svc_port *p)
{
	return p->target.s ? pod_port_by_name(d->pod->spec, p->target.s, (enum l4)p->protocol) : p->target.i ? p->target.i : p->port;
}

/* The container port that the Ingress' Service leads to; 0: not known. */
static int32_t target_port(const struct drawing *d)
{
	for (uint32_t k = 0; k < d->service->ports.nr; k++) {
		const struct svc_port *p = &d->service->ports.v[k];

		if (d->way->port ? p->port == d->way->port : streq(p->name, d->way->port_name))
			return port_of_target(d, p);
	}
	return 0;
}

/* From the namespace that all share to the container that has the port; the first one, where none says that it has. */
static void add_inner(struct drawing *d, const struct boxes *b, enum line line, int32_t port)
{
	uint32_t has = 0;
	struct scene_edge *e;

	for (uint32_t i = b->nr; i-- > 0;)
		for (uint32_t k = 0; k < b->v[i].c->ports.nr; k++)
			if (b->v[i].c->ports.v[k].port == port)
				has = i;
	e = scene_line(d->s, d->pause, b->v[has].h, line, NULL);
	e->to_port = (uint16_t)port;
	e->to_side = 'n';
}

/* A Service that is no Ingress' business leads to the same Pod: traffic inside the cluster only. With a Pod that is told of it, if there is one. */
static void add_internal(struct drawing *d, const struct boxes *b)
{
	struct object_list l = cluster_list_ns(d->w->cluster, &service_kind, d->service->o.ns), pods = cluster_list_ns(d->w->cluster, &pod_kind, d->service->o.ns);
	struct scene *s = d->s;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *v = (const struct service *)l.v[k];
		struct object_list ends = v == d->service || v->type == SVC_EXTERNALNAME ? (struct object_list){ 0 } : part_endpoints(d->w->cluster, v, d->a);
		bool leads = false;
		box_h h, from = { 0 };

		for (uint32_t i = 0; i < ends.nr; i++)
			leads = leads || ends.v[i] == &d->pod->o;
		if (!leads)
			continue;
		h = part_service(s, (box_h){ 0 }, d->w->cluster, v);
		for (uint32_t i = 0; i < pods.nr && !from.i; i++) {
			const struct pod *p = (const struct pod *)pods.v[i];

			if (p == d->pod || pod_is_terminal(p) || !pod_names_service(p, v))
				continue;
			from = part_pod(s, node_of(d, p), d->w->cluster, p, true);
			scene_same_rank(s, (box_h[]){ d->controller_pod, from }, 2);
			scene_line(s, from, h, LINE_SECOND, NULL);
		}
		scene_line(s, h, d->pause, LINE_SECOND, "DNAT");
		add_inner(d, b, LINE_SECOND, v->ports.nr ? port_of_target(d, &v->ports.v[0]) : 0);
		return;                         /* one shows it */
	}
}

static void add_pod(struct drawing *d)
{
	const struct pod *p = d->pod;
	const struct node *n = p->node ? find_node(d->w->cluster, p->node) : NULL;
	struct scene *s = d->s;
	bool together = n && d->proxy->node == p->node;
	box_h outer = together ? scene_get(s, d->controller_pod)->parent : n ? part_node(s, (box_h){ 0 }, d->w->cluster, n) : (box_h){ 0 }, group;
	struct boxes b = { 0 };

	if (outer.i && !together)
		scene_get(s, outer)->label_below = true;
	group = scene_group(s, outer, ROLE_POD, part_id(s, &p->o), arena_printf(d->a, "Pod %s", pod_short(d->a, p)), NULL);
	scene_get(s, group)->label_below = true;
	scene_get(s, group)->title = arena_printf(d->a, "Pod %s/%s", p->o.ns, p->o.name);
	part_details(s, group, d->w->cluster, &p->o);
	d->pause = scene_box(s, group, ROLE_PAUSE, arena_printf(d->a, "pause-%s", p->o.name), "pause", "holds the net, ipc and uts namespaces of all");
	scene_get(s, d->pause)->name_below = true;
	scene_pill(s, d->pause, ROLE_PLAIN, arena_printf(d->a, "eth0 %s · lo 127.0.0.1", ip_set(p->ip) ? IP(p->ip) : "-"), false);
	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		add_container(d, group, &b, &p->spec->containers.v[k], k ? "beside it" : "main container");
	for (uint32_t k = 0; k < p->spec->init_containers.nr; k++)
		if (streq(p->spec->init_containers.v[k].restart_policy, "Always"))
			add_container(d, group, &b, &p->spec->init_containers.v[k], "sidecar");
	add_storage(d, &b, group);
	add_loopback(d, &b);
	if (!b.nr)
		return;
	add_inner(d, &b, LINE_PACKET, target_port(d));
	add_internal(d, &b);
}

bool fig_ingress(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	uint32_t nr_who;
	const struct l7_controller *who = controllers_list(w->cluster, s->arena, &nr_who);
	box_h client, service;

	(void)rest;
	(void)args;
	(void)nr;
	*d = (struct drawing){ .w = w, .s = s, .a = s->arena };
	if (!nr_who)
		return err_add(err, ERR_FAILED, NULL, "no Ingress controller and no Gateway controller runs in this cluster: --controller NAME makes one");
	for (uint32_t k = 0; k < nr_who && !d->pod; k++) {
		d->who = &who[k];
		find_subject(d, opt);
	}
	if (!d->pod)
		return err_add(err, ERR_FAILED, NULL, "no Ingress or HTTPRoute that a controller serves leads to a ready Pod%s%s", opt->focus ? ": " : "", opt->focus ? opt->focus : "");
	d->proxy = find_proxy(d);
	if (!d->proxy)
		return err_add(err, ERR_FAILED, NULL, "controller %s has no ready Pod", d->who->name);
	scene_init(s, s->arena, "ingress", arena_printf(s->arena, "From a client by %s %s to the containers of one Pod", d->routes->kind->name, d->routes->name));
	s->description = arena_printf(s->arena, "The controller's Pod is a reverse proxy: it chooses by host and path, asks Service %s only for its endpoints, and sends to the Pod's address itself.",
				      d->service->o.name);
	client = part_client(s, w);
	add_controller(d);
	service = part_service(s, (box_h){ 0 }, d->w->cluster, d->service);
	add_pod(d);
	scene_line(s, client, d->controller_pod, LINE_PACKET, arena_printf(s->arena, "http://%s%s", d->way->host ? d->way->host : "…", d->way->path ? d->way->path : "/"));
	scene_line(s, d->controller_pod, d->pause, LINE_PACKET, arena_printf(s->arena, "http to %s", ip_set(d->pod->ip) ? socket_of(s->arena, IP(d->pod->ip), target_port(d)) : "-"))->weight = 4;
	scene_line(s, d->controller_pod, service, LINE_CHOOSES, "asks for endpoints");
	scene_line(s, service, d->pause, LINE_CHOOSES, "selects");
	scene_legend(s, LINE_PACKET, 0, "traffic from outside");
	scene_legend(s, LINE_CHOOSES, 0, "chooses, carries nothing");
	scene_legend(s, LINE_SECOND, 0, "internal traffic only");
	scene_legend(s, LINE_STORAGE, 0, "log lines, storage");
	return true;
}
