/* Why a route or a Gateway is not served: by the conditions of its status, whoever wrote them. Source: gateway-api apis/v1/{gateway_types,shared_types,httproute_types}.go, the reasons of conditions. */
#include "model/api/net.h"
#include "sim/diagnose/diagnose.h"

static const char *ref_ns(const struct object *o, str ns)
{
	return ns ? ns : o->ns;
}

/* ---- what a reason asks for */

static void no_such_listener(struct diagnosis *d, struct finding *f, const struct gw_route *r, const struct parent_ref *ref)
{
	const struct gateway *g = !ref->kind || streq(ref->kind, "Gateway") ? (const struct gateway *)cluster_find(d->world->cluster, &gateway_kind, ref_ns(&r->o, ref->ns), ref->name) : NULL;
	const char *names[64] = { NULL };
	struct sb all = { 0 };
	size_t nr = 0;

	if (!g) {
		remedy(d, f, "apply the %s \"%s\", or name another", ref->kind ? ref->kind : "Gateway", ref->name);
		return;
	}
	for (uint32_t k = 0; k < g->listeners.nr && nr + 1 < ARRAY_LEN(names); k++) {
		names[nr++] = g->listeners.v[k].name;
		sb_printf(&all, "%s%s (%d)", k ? ", " : "", g->listeners.v[k].name, g->listeners.v[k].port);
	}
	evidence_text(d, f, &g->o, "spec.listeners", "%s", sb_text(&all));
	if (ref->section && nearest(ref->section, names))
		remedy(d, f, "perhaps sectionName \"%s\" was meant", nearest(ref->section, names));
	else
		remedy(d, f, "name one of its listeners, or none for all of them: %s", sb_text(&all));
	if (ref->section && r->parents.nr == 1 && (nr == 1 || nearest(ref->section, names)))
		fix_patch(d, f, &r->o, "{spec: {parentRefs: [{name: %s, %s%s%ssectionName: %s}]}}", ref->name, ref->ns ? "namespace: " : "", ref->ns ? ref->ns : "", ref->ns ? ", " : "",
			  nr == 1 ? names[0] : nearest(ref->section, names));
	sb_free(&all);
}

static void not_allowed(struct diagnosis *d, struct finding *f, const struct gw_route *r, const struct parent_ref *ref)
{
	const struct gateway *g = (const struct gateway *)cluster_find(d->world->cluster, &gateway_kind, ref_ns(&r->o, ref->ns), ref->name);

	for (uint32_t k = 0; g && k < g->listeners.nr; k++)
		evidence(d, f, &g->o, arena_printf(d->arena, "spec.listeners.%u.allowedRoutes", k), val_path(g->o.doc, arena_printf(d->arena, "spec.listeners.%u.allowedRoutes", k)) ? NULL : "(absent: routes of its own namespace only)");
	remedy(d, f, "let the listener allow routes of namespace %s (allowedRoutes.namespaces: {from: All}, or a Selector that matches it), or move the route", r->o.ns);
}

static void no_common_host(struct diagnosis *d, struct finding *f, const struct gw_route *r, const struct parent_ref *ref)
{
	const struct gateway *g = (const struct gateway *)cluster_find(d->world->cluster, &gateway_kind, ref_ns(&r->o, ref->ns), ref->name);

	evidence(d, f, &r->o, "spec.hostnames", NULL);
	for (uint32_t k = 0; g && k < g->listeners.nr; k++)
		if (g->listeners.v[k].hostname)
			evidence(d, f, &g->o, arena_printf(d->arena, "spec.listeners.%u.hostname", k), NULL);
	remedy(d, f, "give the route a hostname that a listener covers, or the listener one that covers the route's");
}

/* The first backend in another namespace that no grant covers. */
static void not_permitted(struct diagnosis *d, struct finding *f, const struct gw_route *r)
{
	for (uint32_t i = 0; i < r->rules.nr; i++)
		for (uint32_t k = 0; k < r->rules.v[i].backends.nr; k++) {
			const struct backend_ref *b = &r->rules.v[i].backends.v[k];

			if (!b->ns || streq(b->ns, r->o.ns))
				continue;
			evidence(d, f, &r->o, arena_printf(d->arena, "spec.rules.%u.backendRefs.%u", i, k), NULL);
			remedy(d, f, "a ReferenceGrant in namespace %s, made by its owner, allows it", b->ns);
			fix_apply(d, f, &reference_grant_kind, b->ns, arena_printf(d->arena, "%s-from-%s", b->name, r->o.ns),
				  "{apiVersion: gateway.networking.k8s.io/v1beta1, kind: ReferenceGrant, metadata: {name: %s-from-%s, namespace: %s}, spec: {from: [{group: gateway.networking.k8s.io, kind: %s, namespace: %s}], "
				  "to: [{group: \"\", kind: Service, name: %s}]}}", b->name, r->o.ns, b->ns, r->o.kind->name, r->o.ns, b->name);
			return;
		}
}

static void no_backend(struct diagnosis *d, struct finding *f, const struct gw_route *r)
{
	for (uint32_t i = 0; i < r->rules.nr; i++)
		for (uint32_t k = 0; k < r->rules.v[i].backends.nr; k++) {
			const struct backend_ref *b = &r->rules.v[i].backends.v[k];
			const char *ns = ref_ns(&r->o, b->ns), *names[256] = { NULL };
			struct object_list l = cluster_list_ns(d->world->cluster, &service_kind, ns);

			if (find_service(d->world->cluster, ns, b->name))
				continue;
			evidence(d, f, &r->o, arena_printf(d->arena, "spec.rules.%u.backendRefs.%u.name", i, k), b->name);
			for (uint32_t s = 0; s < l.nr && s + 1 < ARRAY_LEN(names); s++)
				names[s] = l.v[s]->name;
			remedy(d, f, nearest(b->name, names) ? "perhaps \"%s\" was meant" : "apply the Service, or name one that there is%.0s", nearest(b->name, names) ? nearest(b->name, names) : "");
			return;
		}
	remedy(d, f, "give the backendRef the number of a port that the Service has");
}

static void bad_condition(struct diagnosis *d, const struct gw_route *r, const struct route_parent_status *at, const struct condition *c)
{
	static const struct { const char *reason, *code; } codes[] = {
		{ "NoMatchingParent", "route-listener" }, { "NotAllowedByListeners", "route-not-allowed" }, { "NoMatchingListenerHostname", "route-hostname" },
		{ "RefNotPermitted", "reference-not-granted" }, { "BackendNotFound", "backend-missing" },
	};
	size_t k = 0;
	struct finding *f;

	while (k < ARRAY_LEN(codes) && !streq(codes[k].reason, c->reason))
		k++;
	f = finding(d, FINDING_CAUSE, k < ARRAY_LEN(codes) ? codes[k].code : "route-condition", "%s %s does not take it: %s", at->ref.kind ? at->ref.kind : "Gateway", at->ref.name,
		    c->message && *c->message ? c->message : c->reason ? c->reason : c->type);
	if (streq(c->type, "ResolvedRefs"))
		f->says = c->message && *c->message ? c->message : arena_printf(d->arena, "its references are not resolved: %s", c->reason ? c->reason : "");
	evidence_text(d, f, &r->o, arena_printf(d->arena, "status.parents[%s].conditions[%s]", at->ref.name, c->type), "%s: %s", cond_status_names[c->status], c->reason ? c->reason : "");
	switch (k) {
	case 0: evidence(d, f, &r->o, "spec.parentRefs", NULL); no_such_listener(d, f, r, &at->ref); break;
	case 1: not_allowed(d, f, r, &at->ref); break;
	case 2: no_common_host(d, f, r, &at->ref); break;
	case 3: not_permitted(d, f, r); break;
	case 4: no_backend(d, f, r); break;
	default: break;
	}
}

/* ---- Gateways */

static void class_of(struct diagnosis *d, const struct gateway *g)
{
	const struct gateway_class *class = g->class_name ? (const struct gateway_class *)cluster_find(d->world->cluster, &gateway_class_kind, NULL, g->class_name) : NULL;
	struct object_list classes = cluster_list(d->world->cluster, &gateway_class_kind);
	const char *names[64] = { NULL }, *near;
	struct finding *f;

	for (uint32_t k = 0; k < classes.nr && k + 1 < ARRAY_LEN(names); k++)
		names[k] = classes.v[k]->name;
	near = class ? NULL : nearest(g->class_name, names);
	f = finding(d, FINDING_CAUSE, class ? "gateway-no-controller" : "gateway-class", class ? "its class exists, and no controller serves it" : "its class \"%s\" does not exist", g->class_name ? g->class_name : "");
	evidence(d, f, &g->o, "spec.gatewayClassName", NULL);
	if (class)
		evidence(d, f, &class->o, "spec.controllerName", NULL);
	if (near)
		fix_patch(d, f, &g->o, "{spec: {gatewayClassName: %s}}", near);
	remedy(d, f, class ? "install the controller of that name (here: --controller NAME)" : near ? "perhaps \"%s\" was meant" : "apply the GatewayClass; its controller usually brings it%.0s", near ? near : "");
}

static bool told_by(struct diagnosis *d, const struct gateway *g, const condition_list *l, const char *path, const char *who)
{
	bool any = false;

	for (uint32_t k = 0; k < l->nr; k++) {
		const struct condition *c = &l->v[k];
		struct finding *f;

		if (c->status != (streq(c->type, "Conflicted") ? COND_TRUE : COND_FALSE) || streq(c->reason, "Pending"))
			continue;
		f = finding(d, FINDING_CAUSE, "gateway-condition", "%s is not as it should be: %s", who, c->message && *c->message ? c->message : c->reason ? c->reason : c->type);
		evidence_text(d, f, &g->o, arena_printf(d->arena, "%s[%s]", path, c->type), "%s: %s", cond_status_names[c->status], c->reason ? c->reason : "");
		any = true;
	}
	return any;
}

void why_gateway(struct diagnosis *d, const struct gateway *g)
{
	const struct condition *accepted = condition_get(&g->conditions, "Accepted");
	uint32_t before = d->findings.nr;

	for (uint32_t k = 0; k < g->st_listeners.nr; k++)
		told_by(d, g, &g->st_listeners.v[k].conditions, arena_printf(d->arena, "status.listeners[%s].conditions", g->st_listeners.v[k].name),
			arena_printf(d->arena, "listener %s", g->st_listeners.v[k].name));
	if (d->findings.nr == before && !told_by(d, g, &g->conditions, "status.conditions", "it") && (!accepted || accepted->status != COND_TRUE))
		class_of(d, g);
	for (uint32_t k = 0; k < g->st_listeners.nr && d->findings.nr == before; k++)
		if (!g->st_listeners.v[k].attached) {
			struct finding *f = finding(d, FINDING_NOTE, "no-routes", "no route is attached to listener %s", g->st_listeners.v[k].name);

			evidence_text(d, f, &g->o, arena_printf(d->arena, "status.listeners[%s].attachedRoutes", g->st_listeners.v[k].name), "0");
			before++;
		}
	if (!d->depth)
		d->summary = diagnosis_ill(d) ? first_cause(d, 0) : "it is programmed";
}

void why_route(struct diagnosis *d, const struct gw_route *r)
{
	uint32_t before = d->findings.nr;
	struct finding *f;

	for (uint32_t k = 0; k < r->st_parents.nr; k++)
		for (uint32_t c = 0; c < r->st_parents.v[k].conditions.nr; c++)
			if (r->st_parents.v[k].conditions.v[c].status == COND_FALSE)
				bad_condition(d, r, &r->st_parents.v[k], &r->st_parents.v[k].conditions.v[c]);
	for (uint32_t k = 0; !r->st_parents.nr && k < r->parents.nr; k++) {
		const struct parent_ref *ref = &r->parents.v[k];
		const struct gateway *g = !ref->kind || streq(ref->kind, "Gateway") ? (const struct gateway *)cluster_find(d->world->cluster, &gateway_kind, ref_ns(&r->o, ref->ns), ref->name) : NULL;

		if (g) {
			uint32_t from = d->findings.nr;

			d->depth++;
			why_gateway(d, g);
			d->depth--;
			findings_of(d, from, arena_printf(d->arena, "Gateway %s", g->o.name));
		} else if (!ref->kind || streq(ref->kind, "Gateway")) {
			f = finding(d, FINDING_CAUSE, "route-parent", "its parent Gateway \"%s\" is not in namespace %s", ref->name, ref_ns(&r->o, ref->ns));
			evidence(d, f, &r->o, arena_printf(d->arena, "spec.parentRefs.%u", k), NULL);
			remedy(d, f, "apply the Gateway, or correct name and namespace of the parentRef");
		}
	}
	for (uint32_t i = 0; !first_cause(d, before) && i < r->rules.nr; i++)
		for (uint32_t k = 0; k < r->rules.v[i].backends.nr; k++) {
			const struct service *s = find_service(d->world->cluster, ref_ns(&r->o, r->rules.v[i].backends.v[k].ns), r->rules.v[i].backends.v[k].name);

			if (s)
				why_service_behind(d, s);
		}
	if (!d->depth)
		d->summary = diagnosis_ill(d) ? first_cause(d, 0) : r->st_parents.nr ? "it is accepted" : "no controller has said anything of it";
}
