/* Gateways: their data planes, and the conditions of GatewayClass, Gateway, ListenerSet and of routes as the conformance suite expects them. One run brings all of them up to
 * date; the key is any GatewayClass, or what there is. Source: kubernetes-sigs/gateway-api apis/v1/{gatewayclass,gateway,shared}_types.go, conformance/tests. */
#include "model/control/gateway_parts.h"

#include "model/l7/mesh.h"

/* A route that a mesh might answer for; NULL: there is none. */
static struct object *mesh_route(struct cluster *c)
{
	for (size_t k = 0; route_kinds[k]; k++)
		if (cluster_count(c, route_kinds[k]))
			return mesh_present(c) ? cluster_list(c, route_kinds[k]).v[0] : NULL;
	return NULL;
}

static bool bears(struct cluster *c, const struct object *o)
{
	static const struct kind *const always[] = { &gateway_class_kind, &gateway_kind, &listener_set_kind, &reference_grant_kind, &backend_tls_policy_kind };

	for (size_t k = 0; k < ARRAY_LEN(always); k++)
		if (o->kind == always[k])
			return true;
	for (size_t k = 0; route_kinds[k]; k++)
		if (o->kind == route_kinds[k])
			return true;
	if (o->kind == &service_kind && mesh_route(c))
		return true;
	if (o->kind == &service_kind || o->kind == &secret_kind || o->kind == &config_map_kind || o->kind == &namespace_kind)
		return cluster_count(c, &gateway_kind) > 0;
	return controller_workload(o);
}

static bool concerns(const struct control *t, const struct object *pod)
{
	(void)t;
	return controller_workload(pod);
}

static void watch(struct control *t, const struct change *ch)
{
	struct cluster *c = control_cluster(t);
	struct object_list all = cluster_list(c, &gateway_class_kind);
	struct object *key = all.nr ? all.v[0] : ch->object->kind == &gateway_kind ? ch->object : mesh_route(c);

	if (key && bears(c, ch->object))
		control_wake(t, CTL_GATEWAY, key, control_now(t));
}

static const struct l7_controller *runs(const struct gw_run *r, const char *name)
{
	for (uint32_t k = 0; name && k < r->nr; k++)
		if (r->v[k].gateways && streq(r->v[k].name, name))
			return &r->v[k];
	return NULL;
}

static void class_status(struct gw_run *r, struct gateway_class *class)
{
	const struct val *parameters = val_path(class->o.doc, "spec.parametersRef");
	const char *ns = val_str_at(parameters, "namespace");
	bool changed, known = false;

	if (runs(r, class->controller) && parameters && !gateway_parameters(r->c, ns ? cluster_str(r->c, ns) : NULL, parameters, &known) && known)
		changed = gw_set_condition(r, &class->conditions, "Accepted", COND_FALSE, "InvalidParameters",
					arena_printf(r->a, "spec.parametersRef: %s %s does not exist", val_str_at(parameters, "kind"), val_str_at(parameters, "name")), class->o.generation);
	else if (runs(r, class->controller))
		changed = gw_set_condition(r, &class->conditions, "Accepted", COND_TRUE, "Accepted", "a controller serves this class", class->o.generation);
	else if (!class->conditions.nr)         /* the default of the CRD */
		changed = gw_set_condition(r, &class->conditions, "Accepted", COND_UNKNOWN, "Pending", "Waiting for controller", 0);
	else
		return;
	if (changed)
		cluster_touch(r->c, &class->o);
}

/* ---- Gateway */

static bool wanted(const struct gateway *gw, const char *ip)
{
	bool any = false;

	for (uint32_t k = 0; k < gw->addresses.nr; k++) {
		if (!gw->addresses.v[k].value || !*gw->addresses.v[k].value)
			continue;
		any = true;
		if (streq(gw->addresses.v[k].value, ip))
			return true;
	}
	return !any;
}

static bool asks_for_addresses(const struct gateway *gw)
{
	for (uint32_t k = 0; k < gw->addresses.nr; k++)
		if (gw->addresses.v[k].value && *gw->addresses.v[k].value)
			return true;
	return false;
}

static struct gw_says programmed(const struct gw_state *s, const struct service *svc)
{
	uint32_t good = 0;
	bool usable = true;

	for (uint32_t k = 0; k < s->nr; k++)
		good += s->listeners[k].programmed.yes;
	if (!s->accepted.yes)
		return (struct gw_says){ false, "Invalid", s->accepted.message };
	if (svc && !svc->lb_ingress.nr && asks_for_addresses(s->gw))
		return (struct gw_says){ false, "AddressNotUsable", "none of the addresses that it asks for can be had" };
	if (!svc || !svc->lb_ingress.nr)
		return (struct gw_says){ false, "AddressNotAssigned", "its Service has no address of a load balancer" };
	for (uint32_t k = 0; k < s->gw->addresses.nr; k++) {
		const char *value = s->gw->addresses.v[k].value;
		bool there = !value || !*value;

		for (uint32_t i = 0; i < svc->lb_ingress.nr && !there; i++)
			there = streq(svc->lb_ingress.v[i].ip, value) || streq(svc->lb_ingress.v[i].hostname, value);
		usable = usable && there;
	}
	if (!usable)
		return (struct gw_says){ false, "AddressNotUsable", "an address that it asks for cannot be had" };
	if (!good)
		return (struct gw_says){ false, "Invalid", "no listener is programmed" };
	return (struct gw_says){ true, "Programmed", "" };
}

static bool set_addresses(struct gw_run *r, struct gateway *gw, const struct service *svc)
{
	uint32_t nr = 0, most = svc ? svc->lb_ingress.nr : 0;
	struct gw_address *v = arena_array(r->a, struct gw_address, most);
	bool same = true;

	for (uint32_t k = 0; k < most; k++) {
		str ip = svc->lb_ingress.v[k].ip, name = svc->lb_ingress.v[k].hostname;

		if (wanted(gw, ip ? ip : name))
			v[nr++] = (struct gw_address){ cluster_str(r->c, ip ? "IPAddress" : "Hostname"), ip ? ip : name };
	}
	for (uint32_t k = 0; k < nr && same; k++)
		same = k < gw->st_addresses.nr && streq(gw->st_addresses.v[k].value, v[k].value);
	if (same && gw->st_addresses.nr == nr)
		return false;
	gw->st_addresses.v = arena_copy(cluster_arena(r->c), v, nr * sizeof(*v));
	gw->st_addresses.nr = nr;
	gw->st_addresses.set = true;
	return true;
}

static const struct listener_status *listener_of(const struct listener_status *v, uint32_t nr, str name)
{
	for (uint32_t k = 0; k < nr; k++)
		if (v[k].name == name)
			return &v[k];
	return NULL;
}

static bool same_kinds(const struct listener_status *to, const struct gw_listener_state *l)
{
	if (to->kinds.nr != l->nr_kinds)
		return false;
	for (uint32_t k = 0; k < l->nr_kinds; k++)
		if (to->kinds.v[k].kind != l->kinds[k].kind)
			return false;
	return true;
}

static bool listener_status(struct gw_run *r, const struct gw_listener_state *l, struct listener_status *to)
{
	int64_t g = l->owner->generation;
	bool changed = to->attached != (int32_t)l->attached || to->name != l->spec->name || !same_kinds(to, l);

	if (!same_kinds(to, l) || !to->kinds.set) {
		to->kinds.v = arena_copy(cluster_arena(r->c), l->kinds, l->nr_kinds * sizeof(*l->kinds));
		to->kinds.nr = l->nr_kinds;
		to->kinds.set = true;
	}
	to->name = l->spec->name;
	to->attached = (int32_t)l->attached;
	changed = gw_set_says(r, &to->conditions, "Accepted", l->accepted, g) || changed;
	changed = gw_set_says(r, &to->conditions, "Programmed", l->programmed, g) || changed;
	changed = gw_set_says(r, &to->conditions, "ResolvedRefs", l->resolved, g) || changed;
	changed = gw_set_says(r, &to->conditions, "Conflicted", l->conflicted, g) || changed;
	if (l->overlapping.yes)
		return gw_set_says(r, &to->conditions, "OverlappingTLSConfig", l->overlapping, g) || changed;
	return gw_drop_condition(r, &to->conditions, "OverlappingTLSConfig") || changed;
}

/* A list in the order of the spec; what a listener's status held before is kept by name. *have: status.listeners of the object. */
static bool listeners_status(struct gw_run *r, const struct gw_listener_state *l, uint32_t nr, struct listener_status **have, uint32_t *nr_have)
{
	struct listener_status *v = arena_array(r->a, struct listener_status, nr);
	bool changed = *nr_have != nr;

	for (uint32_t k = 0; k < nr; k++) {
		const struct listener_status *had = listener_of(*have, *nr_have, l[k].spec->name);

		if (had)
			v[k] = *had;
		changed = listener_status(r, &l[k], &v[k]) || changed;
	}
	if (!changed)
		return false;
	*have = arena_copy(cluster_arena(r->c), v, nr * sizeof(*v));
	*nr_have = nr;
	return true;
}

static void gateway_status(struct gw_run *r, struct gateway *gw, const struct gw_state *s, const struct service *svc)
{
	bool changed = gw_set_says(r, &gw->conditions, "Accepted", s->accepted, gw->o.generation);
	struct gw_says own;

	changed = gw_set_says(r, &gw->conditions, "Programmed", programmed(s, svc), gw->o.generation) || changed;
	changed = set_addresses(r, gw, svc) || changed;
	if (gateway_client_certificate(r->c, gw, r->a, &own))
		changed = gw_set_says(r, &gw->conditions, "ResolvedRefs", own, gw->o.generation) || changed;
	else
		changed = gw_drop_condition(r, &gw->conditions, "ResolvedRefs") || changed;
	if (!gateway_lets_anyone_in(gw))
		changed = gw_drop_condition(r, &gw->conditions, "InsecureFrontendValidationMode") || changed;
	else
		changed = gw_set_condition(r, &gw->conditions, "InsecureFrontendValidationMode", COND_TRUE, "ConfigurationChanged", "clients without a valid certificate are let in",
					gw->o.generation) || changed;
	if (gw->st_sets.set != (s->nr_sets > 0) || gw->st_sets.v != (int32_t)s->attached_sets) {
		gw->st_sets = (struct opt_int){ .v = (int32_t)s->attached_sets, .set = s->nr_sets > 0 };
		changed = true;
	}
	gw->st_listeners.set = gw->st_listeners.set || s->nr_own;
	if (listeners_status(r, s->listeners, s->nr_own, &gw->st_listeners.v, &gw->st_listeners.nr) || changed)
		cluster_touch(r->c, &gw->o);
}

static void set_status(struct gw_run *r, struct listener_set *set, const struct gw_state *s, const struct gw_set_state *is)
{
	bool changed = gw_set_says(r, &set->conditions, "Accepted", is->accepted, set->o.generation);

	changed = gw_set_says(r, &set->conditions, "Programmed", is->programmed, set->o.generation) || changed;
	set->st_listeners.set = set->st_listeners.set || is->nr;
	if (listeners_status(r, s->listeners + is->first, is->nr, &set->st_listeners.v, &set->st_listeners.nr) || changed)
		cluster_touch(r->c, &set->o);
}

/* Nobody serves it: the CRD's defaults stand. */
static void gateway_waits(struct gw_run *r, struct gateway *gw)
{
	if (gw->conditions.nr)
		return;
	gw_set_condition(r, &gw->conditions, "Accepted", COND_UNKNOWN, "Pending", "Waiting for controller", 0);
	gw_set_condition(r, &gw->conditions, "Programmed", COND_UNKNOWN, "Pending", "Waiting for controller", 0);
	cluster_touch(r->c, &gw->o);
}

/* ---- all */

static void install(struct gw_run *r, const struct gateway *gw, const struct l7_controller *who)
{
	struct err err = { 0 };

	if (!gateway_install(r->c, gw, who, &err) && err.nr)
		cluster_event(r->c, &gw->o, true, who->name, "DataPlane", "%s", err.v[0].text);
	err_free(&err);
}

/* Data planes of Gateways that are gone. */
static void sweep(struct gw_run *r)
{
	struct object_list all = cluster_list(r->c, &service_kind);

	for (uint32_t k = 0; k < all.nr; k++) {
		const char *of = label_get(&all.v[k]->annotations, GATEWAY_ANNOTATION), *slash = of ? strchr(of, '/') : NULL;
		str ns = slash ? str_intern_n(cluster_strings(r->c), of, (size_t)(slash - of)) : NULL;

		if (slash && !cluster_find(r->c, &gateway_kind, ns, slash + 1)) {
			gateway_uninstall(r->c, ns, slash + 1);
			return sweep(r);
		}
	}
}

static struct object_list kept(struct gw_run *r, const struct kind *k)
{
	struct object_list l = cluster_list(r->c, k);

	l.v = arena_copy(r->a, l.v, l.nr * sizeof(*l.v));
	return l;
}

static void run(struct control *t, struct object *key, nsec now)
{
	struct gw_run r = { .t = t, .c = control_cluster(t), .a = arena_new(NULL, "gateway"), .now = now };
	struct object_list classes = kept(&r, &gateway_class_kind), gateways = kept(&r, &gateway_kind), policies;
	struct gw_states all = { .v = arena_array(r.a, struct gw_state, gateways.nr) };

	(void)key;
	r.v = controllers_list(r.c, r.a, &r.nr);
	for (uint32_t k = 0; k < classes.nr; k++)
		class_status(&r, (struct gateway_class *)classes.v[k]);
	sweep(&r);
	for (uint32_t k = 0; k < gateways.nr; k++) {
		struct gateway *gw = (struct gateway *)gateways.v[k];
		const struct l7_controller *who = runs(&r, gateway_controller_name(r.c, gw));

		if (!who) {
			gateway_waits(&r, gw);
			continue;
		}
		install(&r, gw, who);
		all.v[all.nr] = gateway_state(r.c, gw, r.a);
		gateway_status(&r, gw, &all.v[all.nr], gateway_service(r.c, gw, who));
		for (uint32_t i = 0; i < all.v[all.nr].nr_sets; i++)
			set_status(&r, (struct listener_set *)all.v[all.nr].sets[i].set, &all.v[all.nr], &all.v[all.nr].sets[i]);
		gw_index_state(&r, &all, all.nr++);
	}
	policies = kept(&r, &backend_tls_policy_kind);
	for (uint32_t k = 0; k < policies.nr; k++)
		gw_policy_status(&r, (struct backend_tls_policy *)policies.v[k], &all);
	for (uint32_t n = 0; route_kinds[n]; n++) {
		struct object_list routes = kept(&r, route_kinds[n]);

		for (uint32_t k = 0; k < routes.nr; k++)
			gw_route_status(&r, (struct gw_route *)routes.v[k], &all);
	}
	arena_free(r.a);
}

static const struct kind *const hears[] = { &gateway_class_kind, &gateway_kind, &listener_set_kind, &reference_grant_kind, &http_route_kind, &grpc_route_kind, &tls_route_kind,
					    &tcp_route_kind, &udp_route_kind, &backend_tls_policy_kind, &service_kind, &secret_kind, &config_map_kind, &namespace_kind, &deployment_kind, &daemonset_kind, &statefulset_kind, &replicaset_kind, &pod_kind, NULL };
const struct controller gateway_controller = { .name = "gateway", .kinds = hears, .some = POD_ANY, .concerns = concerns, .watch = watch, .run = run };
