/* Which of the nodes that fit is best: the default plugins that score, with their weights. Where the sums are equal kube-scheduler draws; here the less loaded is taken, then
 * the first by name. Sources: pkg/scheduler/apis/config/v1/default_plugins.go, framework/plugins/…/{scoring,least_allocated,balanced_allocation,node_affinity,taint_toleration,
 * image_locality}.go, framework/plugins/helper/{normalize_score,spread}.go. */
#include "model/control/scheduler.h"

#include <math.h>

#define MOST 100                /* MaxNodeScore */
#define HOSTNAME "kubernetes.io/hostname"
#define ZONE     "topology.kubernetes.io/zone"

const struct score_plugin score_plugins[NR_SCORES] = {
	[SCORE_TAINTS] = { "TaintToleration", 3 }, [SCORE_NODE_AFFINITY] = { "NodeAffinity", 2 }, [SCORE_FIT] = { "NodeResourcesFit", 1 },
	[SCORE_SPREAD] = { "PodTopologySpread", 2 }, [SCORE_COMPANY] = { "InterPodAffinity", 2 }, [SCORE_BALANCED] = { "NodeResourcesBalancedAllocation", 1 },
	[SCORE_IMAGES] = { "ImageLocality", 1 },
};

/* ---- resources */

static double share(int64_t asked, int64_t can)
{
	return can ? MIN((double)asked / (double)can, 1) : 0;
}

static int64_t room_left(int64_t asked, int64_t can)
{
	return asked > can ? 0 : (int64_t)((__int128)(can - asked) * MOST / can);
}

static int64_t least_allocated(const struct node_info *i, const struct demand *d)
{
	int64_t cpu = node_can_cpu(i), memory = node_can_memory(i);
	int weights = (cpu != 0) + (memory != 0);

	return !weights ? 0 : ((cpu ? room_left(i->nz_cpu + d->nz_cpu, cpu) : 0) + (memory ? room_left(i->nz_memory + d->nz_memory, memory) : 0)) / weights;
}

/* Of two resources the deviation is half their difference; with one there is none. A Pod that asks for nothing is not scored. */
static int64_t balanced(const struct node_info *i, const struct demand *d)
{
	int64_t cpu = node_can_cpu(i), memory = node_can_memory(i);
	double off = cpu && memory ? fabs(share(i->cpu + d->cpu, cpu) - share(i->memory + d->memory, memory)) / 2 : 0;

	return d->cpu || d->memory ? (int64_t)((1 - off) * MOST) : 0;
}

/* ---- images that nodes say they have; what podwire's own nodes pull has no size, and does not count */

#define MIB              ((int64_t)1024 * 1024)
#define LEAST_IMAGES     (23 * MIB)
#define MOST_PER_IMAGE   (1000 * MIB)

/* -1: the node does not list it. */
static int64_t image_size(const struct node *n, const char *image)
{
	VAL_EACH(i, val_path(n->o.doc, "status.images"))
		VAL_EACH(name, val_get(i, "names"))
			if (val_str(name) && strcmp(name->s, image) == 0)
				return val_int_or(val_get(i, "sizeBytes"), 0);
	return -1;
}

/* Its size counts as much as there are nodes that have it, so that not all crowd where it is. */
static void add_image(const struct look *l, struct score_card *v, uint32_t nr, const char *image)
{
	const char *colon = strrchr(image, ':'), *slash = strrchr(image, '/'), *name = !colon || (slash && colon < slash) ? arena_printf(l->scratch, "%s:latest", image) : image;
	int64_t size = -1;
	uint32_t have = 0;

	for (uint32_t k = 0; k < l->x->nr; k++) {
		int64_t here = image_size(l->x->node[k]->node, name);

		have += here >= 0;
		size = size < 0 ? here : size;
	}
	for (uint32_t k = 0; k < nr && have; k++)
		if (image_size(v[k].node->node, name) >= 0)
			v[k].v[SCORE_IMAGES] += (int64_t)((double)size * ((double)have / l->x->nr));
}

static void score_images(const struct look *l, struct score_card *v, uint32_t nr)
{
	const container_list *lists[] = { &l->pod->spec->init_containers, &l->pod->spec->containers };
	int64_t most = MOST_PER_IMAGE * (lists[0]->nr + lists[1]->nr);

	for (size_t i = 0; i < ARRAY_LEN(lists) && l->x->images; i++)
		for (uint32_t k = 0; k < lists[i]->nr; k++)
			if (lists[i]->v[k].image)
				add_image(l, v, nr, lists[i]->v[k].image);
	for (uint32_t k = 0; k < l->pod->spec->volumes.nr && l->x->images; k++)         /* they weigh, although the most that images may weigh counts containers alone */
		if (val_str_at(l->pod->spec->volumes.v[k].image, "reference"))
			add_image(l, v, nr, val_str_at(l->pod->spec->volumes.v[k].image, "reference"));
	for (uint32_t k = 0; k < nr; k++)
		v[k].v[SCORE_IMAGES] = MOST * (MIN(MAX(v[k].v[SCORE_IMAGES], LEAST_IMAGES), most) - LEAST_IMAGES) / (most - LEAST_IMAGES);
}

/* ---- affinity of others towards this Pod (interpodaffinity/scoring.go processExistingPod) */

struct pull { str key; struct map by_domain; };         /* weights, which may be negative, as int64_t */

static void pull(struct look *l, str key, str domain, int64_t weight)
{
	uint32_t k = 0;
	uint64_t *at;

	while (k < l->nr_pulls && l->pulls[k].key != key)
		k++;
	if (k == l->nr_pulls) {
		struct pull *more = arena_array(l->scratch, struct pull, k + 1);

		if (k)
			memcpy(more, l->pulls, k * sizeof(*more));
		more[k] = (struct pull){ .key = key };
		l->pulls = more;
		l->nr_pulls++;
	}
	at = map_put(&l->pulls[k].by_domain, l->scratch, map_ptr(domain));
	*at = (uint64_t)((int64_t)*at + weight);
}

static void pulled_by(struct look *l, const struct pod *other, const struct node_info *on)
{
	static const struct { const char *which, *how; int sign; bool weighted; } rows[] = {
		{ "podAffinity", REQUIRED, 1, false }, { "podAffinity", PREFERRED, 1, true }, { "podAntiAffinity", PREFERRED, -1, true },
	};

	for (size_t r = 0; r < ARRAY_LEN(rows); r++)
		VAL_EACH(v, affinity_terms(other, rows[r].which, rows[r].how)) {
			const struct val *term = rows[r].weighted ? val_get(v, "podAffinityTerm") : v;
			str key = val_str_at(term, "topologyKey") ? str_find(cluster_strings(control_cluster(l->t)), val_str_at(term, "topologyKey")) : NULL;
			str where = key ? label_get(&on->node->o.labels, key) : NULL;

			if (where && affinity_term_matches(l->t, term, other, l->pod))
				pull(l, key, where, rows[r].sign * (rows[r].weighted ? val_int_or(val_get(v, "weight"), 0) : 1));
		}
}

static void count_pulls(struct look *l)
{
	l->nr_pulls = 0;
	for (uint32_t k = 0; l->x->liking.nr && k < l->x->nr; k++)
		for (uint32_t p = 0; p < l->x->node[k]->pods.nr; p++)
			if (l->x->node[k]->pods.v[p]->spec->affinity && l->x->node[k]->pods.v[p] != l->pod)
				pulled_by(l, l->x->node[k]->pods.v[p], l->x->node[k]);
}

static int64_t company(const struct look *l, const struct node_info *i)
{
	int64_t sum = 0;

	for (uint32_t k = 0; k < l->nr_terms; k++) {
		const char *key = val_str_at(l->terms[k].term, "topologyKey");
		const uint64_t *n = key && label_get(&i->node->o.labels, key) ? map_find(&l->terms[k].count, map_ptr(label_get(&i->node->o.labels, key))) : NULL;

		if (l->terms[k].preferred && n)
			sum += (int64_t)*n * l->terms[k].weight * (l->terms[k].anti ? -1 : 1);
	}
	for (uint32_t k = 0; k < l->nr_pulls; k++) {
		str where = label_get(&i->node->o.labels, l->pulls[k].key);
		const uint64_t *n = where ? map_find(&l->pulls[k].by_domain, map_ptr(where)) : NULL;

		sum += n ? (int64_t)*n : 0;
	}
	return sum;
}

/* ---- spreading (podtopologyspread/scoring.go) */

struct soft { const struct spread *s; const char *key; int32_t max_skew; struct map count; double weight; };
struct spreading { struct soft *v; uint32_t nr; bool all_keys; };       /* all_keys: nodes without one of them are not scored */

/* NULL: none. A node's kubelet sets its host name when it registers. */
static str domain_at(const struct node_info *i, const char *key)
{
	str d = label_get(&i->node->o.labels, key);

	return d || !streq(key, HOSTNAME) ? d : i->name;
}

static bool has_keys(const struct spreading *x, const struct node_info *i)
{
	for (uint32_t k = 0; x->all_keys && k < x->nr; k++)
		if (!domain_at(i, x->v[k].key))
			return false;
	return true;
}

/* How many Pods of the node count for the constraint: those that it selects; without constraints of its own, those of the same Services and controller. */
static uint64_t alike(const struct look *l, const struct soft *f, const struct node_info *i)
{
	const uint64_t *kin = f->s ? NULL : map_find(&l->kin, map_ptr(i));
	uint64_t nr = 0;

	if (!f->s)
		return kin ? *kin : 0;
	for (uint32_t p = 0; p < i->pods.nr; p++)
		nr += spread_counts(f->s, l->pod, i->pods.v[p]);
	return nr;
}

static bool policies_let_in(const struct look *l, const struct spread *s, const struct node *n)
{
	if (!s)
		return node_selected(l->pod->spec, n);
	return (streq(s->affinity_policy, "Ignore") || node_selected(l->pod->spec, n)) &&
	       (!streq(s->taints_policy, "Honor") || !untolerated(l->pod->spec, n, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE));
}

static void count_soft(const struct look *l, struct spreading *x, struct soft *f, const struct score_card *fit, uint32_t nr)
{
	static const char nowhere[] = "";       /* the domain of nodes that are in none, where they are scored at all */
	uint32_t scored = 0;

	for (uint32_t k = 0; k < nr; k++) {
		str d = domain_at(fit[k].node, f->key);

		if (!has_keys(x, fit[k].node))
			continue;
		scored++;
		map_put(&f->count, l->scratch, map_ptr(d ? d : nowhere));
	}
	for (uint32_t k = 0; k < l->x->nr && !streq(f->key, HOSTNAME); k++) {
		const struct node_info *i = l->x->node[k];
		str d = domain_at(i, f->key);
		uint64_t *at = has_keys(x, i) && policies_let_in(l, f->s, i->node) ? map_find(&f->count, map_ptr(d ? d : nowhere)) : NULL;

		if (at)
			*at += alike(l, f, i);
	}
	f->weight = log((streq(f->key, HOSTNAME) ? scored : f->count.nr) + 2.0);
}

static struct spreading find_spreading(const struct look *l, const struct score_card *fit, uint32_t nr)
{
	const struct pod_spec *s = l->pod->spec;
	struct spreading x = { .v = arena_array(l->scratch, struct soft, s->spread.nr + 2), .all_keys = s->spread.nr > 0 };

	for (uint32_t k = 0; k < s->spread.nr; k++)
		if (streq(s->spread.v[k].when_unsatisfiable, "ScheduleAnyway"))
			x.v[x.nr++] = (struct soft){ .s = &s->spread.v[k], .key = s->spread.v[k].topology_key, .max_skew = s->spread.v[k].max_skew };
	if (!s->spread.nr && l->has_kin) {      /* podtopologyspread/plugin.go systemDefaultConstraints */
		x.v[x.nr++] = (struct soft){ .key = HOSTNAME, .max_skew = 3 };
		x.v[x.nr++] = (struct soft){ .key = ZONE, .max_skew = 5 };
	}
	for (uint32_t k = 0; k < x.nr; k++)
		count_soft(l, &x, &x.v[k], fit, nr);
	return x;
}

#define IGNORED (-1)

static int64_t spread_score(const struct look *l, const struct spreading *x, const struct node_info *i)
{
	double sum = 0;

	if (!has_keys(x, i))
		return IGNORED;
	for (uint32_t k = 0; k < x->nr; k++) {
		const struct soft *f = &x->v[k];
		str d = domain_at(i, f->key);
		const uint64_t *n = d ? map_find(&f->count, map_ptr(d)) : NULL;

		if (d)
			sum += (double)(streq(f->key, HOSTNAME) ? alike(l, f, i) : n ? *n : 0) * f->weight + f->max_skew - 1;
	}
	return (int64_t)round(sum);
}

/* ---- to one scale */

enum scale { SCALE_AS_IS, SCALE_MOST_IS_BEST, SCALE_LEAST_IS_BEST, SCALE_BETWEEN, SCALE_SPREAD };

static void normalize(struct score_card *v, uint32_t nr, enum score which, enum scale scale)
{
	int64_t least = INT64_MAX, most = scale == SCALE_BETWEEN ? INT64_MIN : 0;

	for (uint32_t k = 0; k < nr; k++)
		if (v[k].v[which] != IGNORED || scale != SCALE_SPREAD) {
			least = MIN(least, v[k].v[which]);
			most = MAX(most, v[k].v[which]);
		}
	for (uint32_t k = 0; k < nr && scale != SCALE_AS_IS; k++) {
		int64_t *at = &v[k].v[which];

		switch (scale) {
		case SCALE_MOST_IS_BEST:
			*at = most ? MOST * *at / most : *at;
			break;
		case SCALE_LEAST_IS_BEST:
			*at = most ? MOST - MOST * *at / most : MOST;
			break;
		case SCALE_BETWEEN:
			*at = most > least ? (int64_t)((double)MOST * ((double)(*at - least) / (double)(most - least))) : 0;
			break;
		default:
			*at = *at == IGNORED ? 0 : !most ? MOST : MOST * (most + least - *at) / most;
		}
	}
}

static int64_t soft_taints(const struct pod_spec *s, const struct node *n)
{
	int64_t nr = 0;

	for (uint32_t k = 0; k < n->taints.nr; k++) {
		struct node one = { .taints = { .v = &n->taints.v[k], .nr = 1 } };

		nr += untolerated(s, &one, EFFECT_PREFER) != NULL;
	}
	return nr;
}

static void look_scores(struct look *l, struct score_card *v, uint32_t nr)
{
	static const enum scale scales[NR_SCORES] = {
		[SCORE_TAINTS] = SCALE_LEAST_IS_BEST, [SCORE_NODE_AFFINITY] = SCALE_MOST_IS_BEST, [SCORE_FIT] = SCALE_AS_IS,
		[SCORE_SPREAD] = SCALE_SPREAD, [SCORE_COMPANY] = SCALE_BETWEEN, [SCORE_BALANCED] = SCALE_AS_IS,
		[SCORE_IMAGES] = SCALE_AS_IS,
	};
	struct spreading spreading = find_spreading(l, v, nr);

	count_pulls(l);
	score_images(l, v, nr);
	for (uint32_t k = 0; k < nr; k++) {
		const struct node_info *i = v[k].node;

		v[k].v[SCORE_TAINTS] = soft_taints(l->pod->spec, i->node);
		v[k].v[SCORE_NODE_AFFINITY] = node_preference(l->pod->spec, i->node);
		v[k].v[SCORE_FIT] = least_allocated(i, l->demand);
		v[k].v[SCORE_SPREAD] = spreading.nr ? spread_score(l, &spreading, i) : 0;
		v[k].v[SCORE_COMPANY] = company(l, i);
		v[k].v[SCORE_BALANCED] = balanced(i, l->demand);
	}
	for (uint32_t s = 0; s < NR_SCORES; s++)
		if (s != SCORE_SPREAD || spreading.nr)
			normalize(v, nr, s, scales[s]);
	for (uint32_t k = 0; k < nr; k++)
		for (uint32_t s = 0; s < NR_SCORES; s++)
			v[k].total += v[k].v[s] * score_plugins[s].weight;
}

/* Those that fit, with their scores; one alone is not scored. */
static uint32_t cards(struct look *l, struct score_card **out)
{
	struct score_card *v = arena_array(l->scratch, struct score_card, l->x->nr);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l->x->nr; k++) {
		const char *why[MAX_LACKS];
		bool resolvable;

		if (!look_problems(l, l->x->node[k], why, &resolvable))
			v[nr++] = (struct score_card){ .node = l->x->node[k] };
	}
	if (nr > 1)
		look_scores(l, v, nr);
	*out = v;
	return nr;
}

struct node_info *look_choice(struct look *l)
{
	struct score_card *v, *best;
	uint32_t nr = cards(l, &v);

	best = nr ? &v[0] : NULL;
	for (uint32_t k = 1; k < nr; k++)
		if (v[k].total > best->total || (v[k].total == best->total && node_load(v[k].node) < node_load(best->node)))
			best = &v[k];
	return best ? best->node : NULL;
}

uint32_t scheduler_scores(struct control *t, const struct pod *p, struct arena *a, struct score_card **out)
{
	struct look l = { .t = t, .x = scheduler_of(t), .pod = p, .scratch = a };

	scheduler_list_nodes(t);
	l.demand = demand_for(t, p->spec);
	look_round(&l);
	return cards(&l, out);
}
