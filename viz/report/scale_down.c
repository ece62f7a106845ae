#include "viz/report/scale_down.h"

#include <stdlib.h>

#include "model/base/quantity.h"
#include "model/control/rollout.h"
#include "viz/report/table.h"

static int64_t revision_of(const struct object *o)
{
	const char *s = label_get(&o->annotations, "deployment.kubernetes.io/revision");

	return s ? strtoll(s, NULL, 10) : 0;
}

/* The ReplicaSet that a Deployment scales: the one of its newest revision. */
static const struct workload *replica_set_of(struct cluster *c, const struct object *o)
{
	struct object_list l = cluster_list_ns(c, &replicaset_kind, o->ns);
	const struct object *best = NULL;

	for (uint32_t k = 0; k < l.nr; k++)
		if (owner_uid(l.v[k]) == o->uid && (!best || revision_of(l.v[k]) > revision_of(best)))
			best = l.v[k];
	return (const struct workload *)best;
}

static const char *ready_for(struct arena *a, const struct pod *p, nsec now)
{
	const struct condition *c = condition_get(&p->conditions, "Ready");
	char text[16];

	return c && c->status == COND_TRUE ? arena_strdup(a, age_text(now - c->changed, text)) : "not ready";
}

static void ranked(struct world *w, const struct workload *set, struct sb *out)
{
	static const char *const heads[] = { "POD", "NODE", "PHASE", "READY FOR", "COST", "SIBLINGS", "RESTARTS", "AGE", "GOES BEFORE THE NEXT, FOR" };
	struct arena *a = arena_new(NULL, "scale down");
	nsec now = cluster_now(w->cluster);
	uint32_t nr;
	const struct candidate *v = deletion_candidates(w->control, set, a, &nr);
	struct table_text t;

	table_begin(&t, a, ARRAY_LEN(heads));
	for (size_t k = 0; k < ARRAY_LEN(heads); k++)
		table_cell(&t, heads[k]);
	for (uint32_t k = 0; k < nr; k++) {
		const struct pod *p = v[k].pod;
		char age[16];

		table_cell(&t, p->o.name);
		table_cell(&t, p->node ? p->node : "<none>");
		table_cell(&t, pod_phase_names[p->phase]);
		table_cell(&t, ready_for(a, p, now));
		table_cell(&t, arena_printf(a, "%d", v[k].cost));
		table_cell(&t, arena_printf(a, "%u", v[k].rank));
		table_cell(&t, v[k].sidecar_restarts ? arena_printf(a, "%d, sidecars %d", v[k].restarts, v[k].sidecar_restarts) : arena_printf(a, "%d", v[k].restarts));
		table_cell(&t, age_text(now - p->o.created, age));
		table_cell(&t, k + 1 < nr ? deletion_reason(&v[k], &v[k + 1], now) : "");
	}
	table_print(&t, out);
	arena_free(a);
}

/* StatefulSets know one rule: the highest ordinal first (pkg/controller/statefulset/stateful_set_utils.go). */
static void by_ordinal(struct world *w, const struct object *o, struct sb *out)
{
	struct object_list l = pods_of(w->cluster, o->uid);
	struct arena *a = arena_new(NULL, "scale down");
	struct object **v = l.nr ? arena_copy(a, l.v, l.nr * sizeof(*l.v)) : NULL;
	size_t n = strlen(o->name) + 1;

	for (uint32_t k = 1; k < l.nr; k++)
		for (uint32_t i = k; i && strtol(v[i]->name + n, NULL, 10) > strtol(v[i - 1]->name + n, NULL, 10); i--) {
			struct object *swap = v[i];

			v[i] = v[i - 1];
			v[i - 1] = swap;
		}
	for (uint32_t k = 0; k < l.nr; k++)
		sb_printf(out, "%s%s\n", v[k]->name, k ? "" : "   the highest ordinal goes first, one after another");
	arena_free(a);
}

bool scale_down_text(struct world *w, const struct object *o, struct sb *out, struct err *err)
{
	const struct workload *set = o->kind == &deployment_kind ? replica_set_of(w->cluster, o) : (const struct workload *)o;

	if (o->kind == &statefulset_kind)
		by_ordinal(w, o, out);
	else if (o->kind != &deployment_kind && o->kind != &replicaset_kind && o->kind != &replication_controller_kind)
		return err_add(err, ERR_INPUT, NULL, "%s \"%s\" cannot be scaled: it has no replicas", o->kind->name, o->name);
	else if (set)
		ranked(w, set, out);
	return true;
}
