/* Which Services does a change concern? Sources: pkg/controller/endpointslice/endpointslice_controller.go, staging/src/k8s.io/endpointslice/util/controller_utils.go. */
#include "model/control/endpointslices.h"
#include "model/control/zone_hints.h"

struct memory *slices_memory(const struct control *t)
{
	return control_state(t, CTL_ENDPOINTSLICE);
}

bool wants_slices(const struct service *s)
{
	return s->selector.nr && s->type != SVC_EXTERNALNAME;
}

static bool same_port(const struct ep_port *a, const struct ep_port *b)
{
	return streq(a->name ? a->name : "", b->name ? b->name : "") && a->protocol == b->protocol && a->port.v == b->port.v && a->port.set == b->port.set &&
	       streq(a->app_protocol ? a->app_protocol : "", b->app_protocol ? b->app_protocol : "");
}

bool ports_equal(const struct ep_port *a, uint32_t na, const struct ep_port *b, uint32_t nb)
{
	if (na != nb)
		return false;
	for (uint32_t k = 0; k < na; k++) {
		uint32_t at = same_port(&a[k], &b[k]) ? k : 0;

		while (at < nb && !same_port(&a[k], &b[at]))
			at++;
		if (at == nb)
			return false;
	}
	return true;
}

struct asking { const pair_list *labels; struct selecting *out; };

static void add_if(struct control *t, void *ctx, struct object *o)
{
	const struct service *s = (const struct service *)o;
	struct asking *q = ctx;

	if (wants_slices(s) && pairs_match(&s->selector, q->labels))
		vec_add(cluster_arena(control_cluster(t)), q->out, o->id);
}

/* Pods of one template share their list of labels: who selects them is looked up once. */
static struct selecting *selecting(struct control *t, const struct object *o)
{
	struct memory *m = slices_memory(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at;

	if (m->last && m->last->ns == o->ns && m->last->labels.v == o->labels.v)
		return m->last;
	at = map_put(&m->selecting, a, hash_mix(map_ptr(o->labels.v), map_ptr(o->ns)));
	if (!*at) {
		struct selecting *x = arena_make(a, struct selecting);

		*x = (struct selecting){ .ns = o->ns, .labels = o->labels };
		*at = map_ptr(x);
	}
	return m->last = (struct selecting *)(uintptr_t)*at;
}

static void wake_selecting(struct control *t, struct selecting *x)
{
	const struct memory *m = slices_memory(t);

	if (x->selectors != m->selectors + 1) {
		x->selectors = m->selectors + 1;
		x->nr = 0;
		selector_index_find(t, &m->index, x->ns, &x->labels, add_if, &(struct asking){ &x->labels, x });
	}
	for (uint32_t k = 0; k < x->nr; k++)
		control_wake(t, CTL_ENDPOINTSLICE, obj_get(control_cluster(t), x->v[k]), 0);
}

/* A Pod that has no address, and had none, stands nowhere. */
static void watch_pod(struct control *t, const struct object *o)
{
	uint64_t *was = table_at(t, &slices_memory(t)->selecting_pod, o->id.i);
	struct selecting *now;

	if (!*was && !ip_set(((const struct pod *)o)->ip) && !ip_set(((const struct pod *)o)->ip2))
		return;
	now = selecting(t, o);
	if (*was && *was != map_ptr(now))
		wake_selecting(t, (struct selecting *)(uintptr_t)*was);
	wake_selecting(t, now);
	*was = map_ptr(now);
}

/* checkNodeTopologyDistribution: a node that comes, goes, moves to another zone or changes its readiness makes those Services look again whose zones have now too few
 * endpoints for their share. Nobody else: endpoints say their new zone when their Service is looked at the next time. */
static bool is_overloaded(struct control *t, const struct service *s, const struct zone_shares *shares, struct arena *a)
{
	struct object_list l = service_slices(control_cluster(t), s);

	for (int v6 = 0; v6 < 2; v6++) {
		uint32_t *counts = arena_array(a, uint32_t, shares->nr + 1), other = 0;
		bool any = false;

		for (uint32_t k = 0; k < l.nr; k++) {
			const struct endpointslice *slice = (const struct endpointslice *)l.v[k];

			for (uint32_t i = 0; streq(slice->address_type, v6 ? "IPv6" : "IPv4") && i < slice->endpoints.nr; i++) {
				const struct ep_hints *h = slice->endpoints.v[i].hints;
				uint32_t at = 0;

				if (!h || !h->for_zones.nr)
					continue;
				any = true;
				while (at < shares->nr && !streq(shares->v[at].zone, h->for_zones.v[0].name))
					at++;
				++*(at < shares->nr ? &counts[at] : &other);
			}
		}
		if (any && zones_overloaded(shares, counts, other))
			return true;
	}
	return false;
}

static void watch_node(struct control *t, const struct change *ch)
{
	struct cluster *c = control_cluster(t);
	const struct node *n = (const struct node *)ch->object;
	uint64_t says = ch->kind == CHANGE_DELETE ? 1 : 2 + (uint64_t)(condition_status(&n->conditions, "Ready") == COND_TRUE) + map_ptr(label_get(&n->o.labels, "topology.kubernetes.io/zone"));
	uint64_t *was = map_put(&slices_memory(t)->nodes, cluster_arena(c), map_ptr(n->o.name));
	struct zone_shares shares;
	struct object_list l;
	struct arena *a;

	if (*was == says)
		return;
	*was = says;
	if (!slices_memory(t)->nr_hinted)
		return;
	a = arena_new(NULL, "zones");
	shares = zone_shares(t, a);
	l = cluster_list(c, &service_kind);
	for (uint32_t k = 0; k < l.nr; k++)
		if (table_get(&slices_memory(t)->hinted, l.v[k]->id.i) && is_overloaded(t, (const struct service *)l.v[k], &shares, a))
			control_wake(t, CTL_ENDPOINTSLICE, l.v[k], 0);
	arena_free(a);
}

void slices_watch(struct control *t, const struct change *ch)
{
	struct object *o = ch->object;

	if (o->kind == &pod_kind) {
		watch_pod(t, o);
	} else if (o->kind == &node_kind) {
		watch_node(t, ch);
	} else if (o->kind == &service_kind) {
		slices_memory(t)->selectors++;
		if (wants_slices((struct service *)o))
			selector_index_add(t, &slices_memory(t)->index, o, &((struct service *)o)->selector);
		control_wake(t, CTL_ENDPOINTSLICE, o, 0);
	} else if (!slices_memory(t)->writing) {       /* somebody wrote into a slice of ours, or took it away */
		const char *name = label_get(&o->labels, LABEL_SERVICE);
		struct service *s = name && streq(label_get(&o->labels, LABEL_MANAGER), MANAGER) ? find_service(control_cluster(t), o->ns, name) : NULL;

		if (s)
			control_wake(t, CTL_ENDPOINTSLICE, &s->o, 0);
	}
}
