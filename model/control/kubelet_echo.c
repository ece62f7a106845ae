/*
 * Pods of one template move together: what a visit does to one of them it does to the next that stands where that one stood. So the first visit is written down, and
 * repeated for the others.
 *
 * Theory of operation. What is remembered of a Pod (struct prun) is shared by those that stand alike, and is counted; a visit that is made in full works on a copy of its
 * own. An echo is one visit: what it was made from, which is all that a visit looks at, and what came of it. What depends on the node is asked again (is the Pod network
 * there, when is the image there), the address is drawn for each. A visit that does or says anything else of the Pod alone is no echo (visit.own).
 */
#include "model/control/kubelet_visit.h"

#include "model/control/ipam.h"

#define ECHOES 64               /* a power of two; Pods of one template come one after another */

struct echo {
	/* From: */
	const struct pod_spec *spec;                    /* NULL: an empty place */
	struct prun *before;                            /* NULL: the first visit */
	const struct owner_ref *owners;
	const struct pair *labels, *annotations;
	const struct condition *conditions;
	const struct container_status *statuses;
	nsec now;
	uint32_t nr_conditions;
	uint8_t phase;
	bool has_ip;
	/* To: */
	struct prun *after;                             /* NULL: at rest */
	struct told told;
	nsec next, later;
	struct visit_notes notes;
};

struct prun *prun_hold(struct prun *r)
{
	if (r)
		r->held++;
	return r;
}

void prun_drop(struct control *t, struct prun *r)
{
	struct kubelet *k = kubelet_of(t);

	if (r && !--r->held)
		vec_add(cluster_arena(control_cluster(t)), &k->spare, r);
}

static bool repeatable(const struct visit *v)
{
	const struct pod *p = v->p;

	return p->o.deleted == NEVER && !p->given && !p->reason && !p->spec->host_network && p->o.owners.nr;
}

static struct echo *place_of(const struct visit *v, const struct prun *before)
{
	uint64_t h = hash_mix(map_ptr(v->p->spec), map_ptr(before));

	if (!v->k->echoes)
		v->k->echoes = arena_array(cluster_arena(v->c), struct echo, ECHOES);
	return &v->k->echoes[h & (ECHOES - 1)];
}

static bool from_the_same(const struct echo *e, const struct visit *v, const struct prun *before)
{
	const struct pod *p = v->p;

	return e->spec == p->spec && e->before == before && e->now == v->now && e->conditions == p->conditions.v && e->nr_conditions == p->conditions.nr &&
	       e->statuses == p->statuses.v && e->owners == p->o.owners.v && e->labels == p->o.labels.v && e->annotations == p->o.annotations.v && e->phase == p->phase &&
	       e->has_ip == ip_set(p->ip);
}

bool echo_play(struct visit *v)
{
	struct echo *e;
	struct pod *p = v->p;

	if (!repeatable(v))
		return false;
	e = place_of(v, v->r);
	if (!from_the_same(e, v, v->r) || (e->notes.network && !network_ready(v->t, v->on)))
		return false;
	for (uint32_t k = 0; k < e->notes.nr_images; k++)
		if (image_there(v, e->notes.images[k].image) != e->notes.images[k].at)
			return false;
	if (!v->r)
		visit_greets(v);
	if (e->notes.address) {
		struct scratch scratch = control_scratch(v->t);
		const char *problem = ipam_assign(v->t, v->on->node, p, &v->ip, &v->ip2, scratch.arena);

		scratch_end(scratch);
		if (problem)                    /* a visit in full is told the same, and says it */
			return false;
	}
	if (e->after != v->r) {
		*table_at(v->t, &v->k->runs, p->o.id.i) = map_ptr(prun_hold(e->after));
		if (!v->r)
			vec_add(cluster_arena(v->c), &v->k->moving, p->o.id);
		prun_drop(v->t, v->r);
	}
	for (uint32_t k = 0; k < e->notes.nr; k++)
		cluster_event_form(v->c, &p->o, e->notes.v[k].form, e->notes.v[k].what);
	kubelet_tell(v->c, p, &e->told, v->ip, v->ip2);
	control_wake(v->t, CTL_KUBELET, &p->o, e->next);
	control_timer(v->t, CTL_KUBELET, &p->o, e->later);
	return true;
}

struct echo *echo_begin(struct visit *v)
{
	struct echo *e;

	v->notes = (struct visit_notes){ .own = !repeatable(v) };
	if (v->notes.own)
		return NULL;
	e = place_of(v, v->r);
	prun_drop(v->t, e->before);
	prun_drop(v->t, e->after);
	*e = (struct echo){ .before = prun_hold(v->r), .owners = v->p->o.owners.v, .labels = v->p->o.labels.v, .annotations = v->p->o.annotations.v, .conditions = v->p->conditions.v,
			    .nr_conditions = v->p->conditions.nr, .statuses = v->p->statuses.v, .now = v->now, .phase = v->p->phase, .has_ip = ip_set(v->p->ip) };
	return e;
}

void echo_end(struct visit *v, struct echo *e, const struct told *told)
{
	if (!e || v->notes.own)
		return;
	e->spec = v->p->spec;
	e->after = prun_hold(kubelet_run_of(v->k, v->p));
	e->told = *told;
	e->next = e->after ? v->next : NEVER;
	e->later = e->after ? v->later : NEVER;
	e->notes = v->notes;
}
