/* Namespaces: active, with a ServiceAccount `default`; on deletion emptied before they go. Sources: pkg/controller/namespace/deletion/namespaced_resources_deleter.go,
 * pkg/controller/serviceaccount/serviceaccounts_controller.go. */
#include "model/cluster/apply.h"
#include "model/control/common.h"

static void watch(struct control *t, const struct change *ch)
{
	struct namespace_ *n;

	if (ch->object->kind == &namespace_kind) {
		if (ch->kind != CHANGE_DELETE)
			control_wake(t, CTL_NAMESPACE, ch->object, 0);
		return;
	}
	if (ch->kind != CHANGE_DELETE || !ch->object->ns)
		return;
	n = find_namespace(control_cluster(t), ch->object->ns);
	if (n && (n->o.deleted != NEVER || ch->object->kind == &service_account_kind))
		control_wake(t, CTL_NAMESPACE, &n->o, 0);
}

static void settle_in(struct control *t, struct namespace_ *n)
{
	struct cluster *c = control_cluster(t);

	if (!n->phase) {
		n->phase = cluster_str(c, "Active");
		cluster_touch(c, &n->o);
	}
	if (!cluster_find(c, &service_account_kind, n->o.name, "default"))
		cluster_add(c, object_new(c, &service_account_kind, n->o.name, "default"));
}

/* Everything in it is deleted; it goes itself when the last object has. */
static void empty_out(struct control *t, struct namespace_ *n)
{
	struct cluster *c = control_cluster(t);
	struct arena *scratch = arena_new(NULL, "namespace");
	uint32_t left = 0;

	n->phase = cluster_str(c, "Terminating");
	for (uint32_t p = 0; cluster_pool_kind(c, p); p++) {
		const struct kind *k = cluster_pool_kind(c, p);
		struct object_list l = k->namespaced ? cluster_list_ns(c, k, n->o.name) : (struct object_list){ 0 };
		struct object **v = l.nr ? arena_copy(scratch, l.v, l.nr * sizeof(*v)) : NULL;

		for (uint32_t i = 0; i < l.nr; i++) {
			if (!v[i]->gone && v[i]->deleted == NEVER)
				apply_delete(c, v[i]);
			left += !v[i]->gone;
		}
	}
	arena_free(scratch);
	if (!left)
		cluster_remove(c, &n->o);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct namespace_ *n = (struct namespace_ *)o;

	(void)now;
	if (o->gone)
		return;
	if (o->deleted != NEVER)
		empty_out(t, n);
	else if (!cluster_flags(control_cluster(t))->no_defaults)
		settle_in(t, n);
}

const struct controller namespace_controller = { .name = "namespace", .pods = POD_GONE, .watch = watch, .run = run };
