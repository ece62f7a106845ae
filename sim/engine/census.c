#include "sim/engine/census.h"

void census_begin(struct census *c, struct arena *a)
{
	*c = (struct census){ .arena = a };
}

static void count_pods(struct cluster *c, struct census_point *p)
{
	struct object_list l = cluster_list(c, &pod_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		p->pods += !pod_is_terminal((const struct pod *)l.v[k]);
		p->ready += pod_is_ready((const struct pod *)l.v[k]);
	}
}

static void count_endpoints(struct cluster *c, struct census_point *p)
{
	struct object_list l = cluster_list(c, &endpointslice_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];

		if (strncmp(s->o.ns, "kube-", 5) == 0 || streq(s->service, "kubernetes"))
			continue;
		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			p->endpoints += s->endpoints.v[i].ready != TRI_FALSE;
	}
}

static bool is_silent(const struct fault *v, uint32_t nr, const char *node)
{
	for (uint32_t k = 0; k < nr; k++)
		if ((streq(v[k].kind, "bgp") || streq(v[k].kind, "node")) && streq(v[k].target, node))
			return true;
	return false;
}

static void count_nodes(struct world *w, struct census_point *p)
{
	struct object_list l = cluster_list(w->cluster, &node_kind);
	const struct fault *faults = control_faults(w->control, &p->faults);

	p->nodes = l.nr;
	for (uint32_t k = 0; k < l.nr; k++) {
		struct proxy_sync s = control_proxy(w->control, (const struct node *)l.v[k]);

		p->silent += is_silent(faults, p->faults, l.v[k]->name);
		p->behind += s.stopped || s.next != NEVER;
	}
}

static bool same(const struct census_point *a, const struct census_point *b)
{
	return a->pods == b->pods && a->ready == b->ready && a->endpoints == b->endpoints && a->nodes == b->nodes && a->silent == b->silent && a->behind == b->behind &&
	       a->faults == b->faults;
}

void census_look(void *ctx, struct world *w)
{
	struct census *c = ctx;
	struct census_point now = { .at = cluster_now(w->cluster) }, *last = c->points.nr ? &c->points.v[c->points.nr - 1] : NULL;

	c->too_many = c->too_many || cluster_list(w->cluster, &pod_kind).nr > CENSUS_PODS;
	if (c->too_many)
		return;
	count_pods(w->cluster, &now);
	count_endpoints(w->cluster, &now);
	count_nodes(w, &now);
	if (last && last->at == now.at)         /* within one moment the last word counts */
		*last = now;
	else if (!last || !same(last, &now))
		vec_add(c->arena, &c->points, now);
}

const struct census_point *census_at(const struct census *c, nsec at)
{
	uint32_t lo = 0, hi = c->points.nr;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (c->points.v[mid].at <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && !c->too_many ? &c->points.v[lo - 1] : NULL;
}
