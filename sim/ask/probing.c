#include "sim/ask/probing.h"

#include "model/cluster/proxy_view.h"
#include "sim/ask/question.h"

void probing_begin(struct probing *p, struct arena *a)
{
	*p = (struct probing){ .arena = a };
}

/* A node that is up; NULL: none. */
static const char *asker(struct cluster *c)
{
	struct object_list l = cluster_list(c, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (!label_get(&l.v[k]->annotations, "podwire.io/down"))
			return l.v[k]->name;
	return NULL;
}

/* Of its first TCP port. unknown: nobody can tell, which is no loss. why: of a loss, in the arena. */
static bool is_lost(struct world *w, const char *node, const struct service *s, struct arena *a, const char **why)
{
	struct question q = { .from = arena_printf(a, "node/%s", node), .to = arena_printf(a, "svc/%s/%s:%d", s->o.ns, s->o.name, s->ports.v[0].port), .l4 = L4_TCP, .proto = PROTO_TCP };
	struct answer answer;
	struct err err = { 0 };
	bool lost = !question_ask(w, &q, a, &answer, &err);

	*why = NULL;
	for (uint32_t k = 0; !lost && k < answer.nr; k++) {
		const struct outcome_view *o = &answer.v[k];

		lost = o->verdict != V_UNKNOWN && (o->verdict != V_DELIVERED || !o->answered);
		if (lost)
			*why = o->reason;
	}
	err_free(&err);
	return lost;
}

static bool is_asked(const struct service *s)
{
	return strncmp(s->o.ns, "kube-", 5) != 0 && service_has_vip(s) && s->cluster_ip && s->ports.nr && s->ports.v[0].protocol == L4_TCP && !(streq(s->o.ns, "default") && streq(s->o.name, "kubernetes"));
}

void probing_look(void *ctx, struct world *w)
{
	struct probing *p = ctx;
	struct object_list l = cluster_list(w->cluster, &service_kind);
	struct probing_point now = { .at = cluster_now(w->cluster) }, *last = p->points.nr ? &p->points.v[p->points.nr - 1] : NULL;
	const char *node = asker(w->cluster), *why;
	struct arena *scratch;
	uint32_t services = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		services += is_asked((const struct service *)l.v[k]);
	p->too_many = p->too_many || cluster_count(w->cluster, &pod_kind) > PROBING_PODS || services > PROBING_SERVICES;
	if (p->too_many || (last && p->rev == cluster_rev(w->cluster) && p->views == cluster_proxy_views(w->cluster)))
		return;
	p->rev = cluster_rev(w->cluster);
	p->views = cluster_proxy_views(w->cluster);
	scratch = arena_new(NULL, "probing");
	for (uint32_t k = 0; node && k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];
		struct arena_mark mark = arena_mark(scratch);
		uint64_t *answered;
		bool lost;

		if (!is_asked(s))
			continue;
		lost = is_lost(w, node, s, scratch, &why);
		answered = map_put(&p->answered, p->arena, hash_mix(map_ptr(s->o.ns), map_ptr(s->o.name)));
		now.asked += *answered != 0;
		if (lost && *answered) {
			now.lost++;
			if (!now.what)
				now.what = arena_printf(p->arena, "node/%s → svc/%s/%s: %s", node, s->o.ns, s->o.name, why ? why : "no answer");
		}
		*answered = *answered || !lost;
		arena_rewind(scratch, mark);
	}
	arena_free(scratch);
	if (last && last->at == now.at)         /* within one moment the last word counts */
		*last = now;
	else if (!last || last->lost != now.lost || last->asked != now.asked)
		vec_add(p->arena, &p->points, now);
}

const struct probing_point *probing_worst(const struct probing *p, nsec from, nsec to)
{
	const struct probing_point *worst = NULL;

	for (uint32_t k = 0; k < p->points.nr && p->points.v[k].at < to; k++) {
		const struct probing_point *x = &p->points.v[k];
		bool over = k + 1 < p->points.nr && p->points.v[k + 1].at <= from;

		if (!over && (!worst || x->lost > worst->lost))
			worst = x;
	}
	return p->too_many ? NULL : worst;
}
