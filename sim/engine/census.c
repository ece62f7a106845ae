#include "sim/engine/census.h"

#include "model/dataplane/bgp.h"

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

static void count_sessions(struct cluster *c, struct arena *a, struct census_point *p)
{
	const struct settings *s = cluster_settings(c);
	struct arena_mark before = arena_mark(a);
	struct bgp_hearing h;

	if (s->cni != CNI_CALICO)
		return;
	h = bgp_hear(c, a);
	p->sessions_up = bgp_sessions_up(c, &h, UINT32_MAX, &p->sessions);
	arena_rewind(a, before);
}

static void count_nodes(struct world *w, struct census_point *p)
{
	struct object_list l = cluster_list(w->cluster, &node_kind);

	control_faults(w->control, &p->faults);
	p->nodes = l.nr;
	for (uint32_t k = 0; k < l.nr; k++) {
		struct proxy_sync s = control_proxy(w->control, (const struct node *)l.v[k]);

		p->behind += s.stopped || s.next != NEVER;
	}
}

static bool same(const struct census_point *a, const struct census_point *b)
{
	return a->pods == b->pods && a->ready == b->ready && a->endpoints == b->endpoints && a->nodes == b->nodes && a->sessions == b->sessions && a->sessions_up == b->sessions_up && a->behind == b->behind &&
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
	count_sessions(w->cluster, c->arena, &now);
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
