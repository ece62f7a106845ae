/* The status of Ingresses: the address of the controller that takes their class. Nobody takes it: nobody writes a status. One run brings all of them up to
 * date; the key is any Ingress. Source: ingress-nginx internal/ingress/status/status.go; other controllers alike. */
#include "model/control/controllers.h"

#include "model/l7/controllers.h"
#include "model/l7/ingress.h"

/* The controllers as the last run found them, to tell changes that bear on them from those that do not. */
struct memory { const struct l7_controller *v; uint32_t nr; struct arena *arena; struct arena_mark empty; };      /* arena: of what the last run found */

static void *init(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct memory *m = arena_make(cluster_arena(c), struct memory);

	m->arena = cluster_side_arena(c, "ingress");
	m->empty = arena_mark(m->arena);
	return m;
}

static bool bears(const struct memory *m, const struct object *o)
{
	if (o->kind == &ingress_kind || o->kind == &ingress_class_kind)
		return true;
	for (uint32_t k = 0; k < m->nr; k++) {
		const struct l7_controller *who = &m->v[k];

		if (o->kind == &service_kind && ((const struct object *)who->service == o || (o->ns == who->workload->ns && pairs_match(&((const struct service *)o)->selector, who->labels))))
			return true;
		if (o->kind == &pod_kind && controller_has(who->workload, (const struct pod *)o))
			return true;
	}
	return controller_workload(o);
}

static bool concerns(const struct control *t, const struct object *pod)
{
	return ((const struct memory *)control_state(t, CTL_INGRESS))->nr || controller_workload(pod);
}

static void watch(struct control *t, const struct change *ch)
{
	const struct memory *m = control_state(t, CTL_INGRESS);
	struct object_list all;

	all = cluster_list(control_cluster(t), &ingress_kind);
	if (all.nr && bears(m, ch->object))
		control_wake(t, CTL_INGRESS, all.v[0], control_now(t));
}

static bool same(const struct ingress *ing, const struct lb_list *at)
{
	if (ing->lb_ingress.nr != at->nr)
		return false;
	for (uint32_t k = 0; k < at->nr; k++)
		if (!streq(ing->lb_ingress.v[k].ip, at->v[k].ip) || !streq(ing->lb_ingress.v[k].hostname, at->v[k].hostname))
			return false;
	return true;
}

static void set_address(struct cluster *c, struct ingress *ing, const struct lb_list *at, const struct l7_controller *who)
{
	if (same(ing, at))
		return;
	if (at->nr && !ing->lb_ingress.nr && who->nginx)
		cluster_event(c, &ing->o, false, "nginx-ingress-controller", "Sync", "Scheduled for sync");
	ing->lb_ingress.v = arena_copy(cluster_arena(c), at->v, at->nr * sizeof(*at->v));
	ing->lb_ingress.nr = at->nr;
	ing->lb_ingress.set = true;
	cluster_touch(c, &ing->o);
}

static void run(struct control *t, struct object *key, nsec now)
{
	struct cluster *c = control_cluster(t);
	struct memory *m = control_state(t, CTL_INGRESS);

	(void)key;
	(void)now;
	arena_rewind(m->arena, m->empty);
	m->v = controllers_list(c, m->arena, &m->nr);
	control_concerns_anew(t);
	for (uint32_t k = 0; k < m->nr; k++) {
		struct served s = ingresses_served(c, m->v[k].name, m->arena);
		struct lb_list at = controller_addresses(c, &m->v[k], m->arena);
		struct route_table none = { .arena = m->arena, .cluster = c };

		if (m->v[k].nginx)
			s = nginx_reads(&none, &s, &m->v[k]);
		for (uint32_t i = 0; i < s.nr; i++)
			set_address(c, (struct ingress *)s.v[i], &at, &m->v[k]);
	}
}

static const struct kind *const hears[] = { &ingress_kind, &ingress_class_kind, &service_kind, &pod_kind, &deployment_kind, &daemonset_kind, &statefulset_kind, &replicaset_kind, NULL };
const struct controller ingress_controller = { .name = "ingress", .kinds = hears, .some = POD_ANY, .concerns = concerns, .init = init, .watch = watch, .run = run };
