/* Pods whose place depends on other Pods, on domains or on preferences: every node is asked. Sources: pkg/scheduler/framework/plugins/{interpodaffinity,podtopologyspread,
 * nodeports,nodeaffinity,tainttoleration}. */
#include "model/control/scheduler.h"

static bool ports_free(const struct node_info *i, const struct pod *p)
{
	for (uint32_t k = 0; i->nr_ports && k < i->pods.nr; k++)
		if (i->pods.v[k] != p && host_ports_collide(p->spec, i->pods.v[k]->spec))
			return false;
	return true;
}

/* ---- other Pods: affinity, anti-affinity, spread */

static const struct selector *selector_at(struct control *t, const struct val *doc)
{
	struct scheduler *x = scheduler_of(t);
	struct cluster *c = control_cluster(t);
	uint64_t *at = map_put(&x->selectors, cluster_arena(c), map_ptr(doc));

	if (!*at) {
		struct selector *s = arena_make(cluster_arena(c), struct selector);
		struct err none = { 0 };
		struct decode d = { .strings = cluster_strings(c), .arena = cluster_arena(c), .unknown = VALIDATE_IGNORE, .err = &none };

		fields_decode(&d, selector_fields, doc, "", s);
		err_free(&none);
		*at = map_ptr(s);
	}
	return (const struct selector *)(uintptr_t)*at;
}

/* The namespaces of a term: those named, those selected, or the Pod's own where neither is said. */
static bool term_covers(struct control *t, const struct val *term, const char *own, const char *ns)
{
	const struct val *names = val_get(term, "namespaces"), *selector = val_get(term, "namespaceSelector");
	const struct namespace_ *n;

	if (!(names && names->nr) && !val_is(selector, VAL_MAP))
		return streq(own, ns);
	VAL_EACH(v, names)
		if (streq(val_str(v), ns))
			return true;
	n = val_is(selector, VAL_MAP) ? find_namespace(control_cluster(t), ns) : NULL;
	return n && selector_matches(selector_at(t, selector), &n->o.labels);
}

/* matchLabelKeys: those labels of its own that the Pod has must be the same there, or different (registry/core/pod/strategy.go applyMatchLabelKeysAndMismatchLabelKeys). */
static bool keys_match(const struct val *keys, bool same, const pair_list *of, const pair_list *other)
{
	VAL_EACH(v, keys) {
		const char *mine = label_get(of, val_str(v));

		if (mine && streq(mine, label_get(other, val_str(v))) != same)
			return false;
	}
	return true;
}

bool affinity_term_matches(struct control *t, const struct val *term, const struct pod *of, const struct pod *other)
{
	const struct val *selector = val_get(term, "labelSelector");

	return val_is(selector, VAL_MAP) && term_covers(t, term, of->o.ns, other->o.ns) && selector_matches(selector_at(t, selector), &other->o.labels) &&
	       keys_match(val_get(term, "matchLabelKeys"), true, &of->o.labels, &other->o.labels) &&
	       keys_match(val_get(term, "mismatchLabelKeys"), false, &of->o.labels, &other->o.labels);
}

/* podMatchesAllAffinityTerms: company is a Pod that all required terms want. */
static bool is_company(struct control *t, const struct pod *of, const struct pod *other)
{
	VAL_EACH(term, affinity_terms(of, "podAffinity", REQUIRED))
		if (!affinity_term_matches(t, term, of, other))
			return false;
	return true;
}

const struct val *affinity_terms(const struct pod *p, const char *which, const char *how)
{
	return val_get(val_get(p->spec->affinity, which), how);
}

static str domain(const struct node_info *i, const char *key)
{
	return label_get(&i->node->o.labels, key);
}

/* How many bound Pods that the term matches stand in each domain: counts by domain, in scratch. */
static struct map count_domains(struct control *t, const struct val *term, const struct pod *of, bool company, struct arena *scratch, uint32_t *total)
{
	struct scheduler *x = scheduler_of(t);
	const char *key = val_str_at(term, "topologyKey");
	struct map m = { 0 };

	*total = 0;
	for (uint32_t k = 0; k < x->nr; k++) {
		str d = key ? domain(x->node[k], key) : NULL;

		for (uint32_t i = 0; d && i < x->node[k]->pods.nr; i++)
			if (x->node[k]->pods.v[i] != of && (company ? is_company(t, of, x->node[k]->pods.v[i]) : affinity_term_matches(t, term, of, x->node[k]->pods.v[i]))) {
				++*map_put(&m, scratch, map_ptr(d));
				++*total;
			}
	}
	return m;
}

static void add_terms(struct look *l, const char *which, const char *how, bool anti, bool preferred)
{
	VAL_EACH(v, affinity_terms(l->pod, which, how)) {
		const struct val *term = preferred ? val_get(v, "podAffinityTerm") : v;

		l->terms[l->nr_terms].term = term;
		l->terms[l->nr_terms].anti = anti;
		l->terms[l->nr_terms].preferred = preferred;
		l->terms[l->nr_terms].weight = preferred ? (int32_t)val_int_or(val_get(v, "weight"), 0) : 0;
		l->terms[l->nr_terms].count = count_domains(l->t, term, l->pod, !anti && !preferred, l->scratch, &l->terms[l->nr_terms].total);
		l->nr_terms++;
	}
}

/* ---- spreading (podtopologyspread/common.go, filtering.go) */

static bool is_hard(const struct spread *s)
{
	return !streq(s->when_unsatisfiable, "ScheduleAnyway");
}

static bool spread_matches(const struct spread *s, const struct pod *of, const struct pod *other)
{
	for (uint32_t k = 0; k < s->match_keys.nr; k++) {
		const char *mine = label_get(&of->o.labels, s->match_keys.v[k]);

		if (mine && !streq(mine, label_get(&other->o.labels, s->match_keys.v[k])))
			return false;
	}
	return s->selector && selector_matches(s->selector, &other->o.labels);
}

/* countPodsMatchSelector counts nobody for a selector that selects everybody. */
static bool selects_all(const struct spread *s, const struct pod *of)
{
	for (uint32_t k = 0; k < s->match_keys.nr; k++)
		if (label_get(&of->o.labels, s->match_keys.v[k]))
			return false;
	return s->selector && !s->selector->labels.nr && !s->selector->exprs.nr;
}

bool spread_counts(const struct spread *s, const struct pod *of, const struct pod *other)
{
	return other != of && other->o.ns == of->o.ns && other->o.deleted == NEVER && spread_matches(s, of, other) && !selects_all(s, of);
}

/* Do the node's Pods count? It has all keys that the hard constraints name, and the policies let it in. */
static bool node_counts(const struct look *l, const struct spread *s, const struct node_info *i)
{
	const struct pod_spec *spec = l->pod->spec;

	for (uint32_t k = 0; is_hard(s) && k < spec->spread.nr; k++)
		if (is_hard(&spec->spread.v[k]) && !domain(i, spec->spread.v[k].topology_key))
			return false;
	if (!domain(i, s->topology_key) || (!streq(s->affinity_policy, "Ignore") && !node_selected(spec, i->node)))
		return false;
	return !streq(s->taints_policy, "Honor") || !untolerated(spec, i->node, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE);
}

static void count_spread(struct look *l, const struct spread *s)
{
	struct map m = { 0 };
	uint64_t least = UINT64_MAX;

	for (uint32_t k = 0; k < l->x->nr; k++) {
		const struct node_info *i = l->x->node[k];
		uint64_t *at;

		if (!node_counts(l, s, i))
			continue;
		at = map_put(&m, l->scratch, map_ptr(domain(i, s->topology_key)));
		for (uint32_t p = 0; p < i->pods.nr; p++)
			*at += spread_counts(s, l->pod, i->pods.v[p]);
	}
	for (uint32_t k = 0; k < l->x->nr; k++) {
		str d = domain(l->x->node[k], s->topology_key);
		const uint64_t *at = d ? map_find(&m, map_ptr(d)) : NULL;

		if (at)
			least = MIN(least, *at);
	}
	l->spreads[l->nr_spreads].s = s;
	l->spreads[l->nr_spreads].count = m;
	l->spreads[l->nr_spreads++].least = least == UINT64_MAX || m.nr < (uint32_t)MAX(s->min_domains, 1) ? 0 : least;
}

/* The labels that all Services want which select the Pod, together. */
static pair_list wanted_by_services(struct look *l)
{
	struct object_list all = cluster_list_ns(control_cluster(l->t), &service_kind, l->pod->o.ns);
	struct pair *v = NULL;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];
		struct pair *more;

		if (!s->selector.nr || !pairs_match(&s->selector, &l->pod->o.labels))
			continue;
		more = arena_array(l->scratch, struct pair, nr + s->selector.nr);
		if (nr)
			memcpy(more, v, nr * sizeof(*v));
		memcpy(more + nr, s->selector.v, s->selector.nr * sizeof(*v));
		v = more;
		nr += s->selector.nr;
	}
	return (pair_list){ .v = v, .nr = nr };
}

/* Whom a Pod without constraints of its own is spread from: Pods of the same Services and of the same ReplicaSet, ReplicationController or StatefulSet (plugins/helper/spread.go DefaultSelector). */
static void count_kin(struct look *l)
{
	static const char *const selecting[] = { "ReplicaSet", "ReplicationController", "StatefulSet" };
	struct cluster *c = control_cluster(l->t);
	const struct owner_ref *ref = controller_of(&l->pod->o);
	bool owned = false;
	pair_list services;
	struct object_list pods;

	if (l->pod->spec->spread.nr)
		return;
	for (size_t k = 0; ref && k < ARRAY_LEN(selecting); k++)
		owned = owned || streq(ref->kind, selecting[k]);
	services = wanted_by_services(l);
	l->has_kin = owned || services.nr;
	pods = owned ? pods_made_by(c, ref->uid) : services.nr ? cluster_list_ns(c, &pod_kind, l->pod->o.ns) : (struct object_list){ 0 };
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		const struct node_info *i = p != l->pod && pod_is_active(p) && pairs_match(&services, &p->o.labels) ? node_of_pod(l->t, p) : NULL;

		if (i && i->node)
			++*map_put(&l->kin, l->scratch, map_ptr(i));
	}
}

/* NodeAffinity.PreFilter: where every term names nodes (matchFields), only those are looked at at all. */
static bool is_named(const struct look *l, const struct node_info *i)
{
	VAL_EACH(term, l->named) {
		bool in = true;

		VAL_EACH(r, val_get(term, "matchFields")) {
			bool listed = !streq(val_str_at(r, "operator"), "In");

			VAL_EACH(v, val_get(r, "values"))
				listed = listed || streq(val_str(v), i->name);
			in = in && listed;
		}
		if (in)
			return true;
	}
	return false;
}

static const struct val *naming_terms(const struct pod_spec *s)
{
	const struct val *terms = val_path(s->affinity, "nodeAffinity." REQUIRED ".nodeSelectorTerms");

	VAL_EACH(term, terms) {
		bool names = false;

		VAL_EACH(r, val_get(term, "matchFields"))
			names = names || streq(val_str_at(r, "operator"), "In");
		if (!names)
			return NULL;
	}
	return terms;
}

static uint32_t members(const struct val *v)
{
	return v ? v->nr : 0;
}

void look_round(struct look *l)
{
	static const struct { const char *which; bool anti; } rows[] = { { "podAffinity", false }, { "podAntiAffinity", true } };
	uint32_t nr = 0;

	l->named = naming_terms(l->pod->spec);
	l->nr_terms = l->nr_spreads = 0;
	for (size_t k = 0; k < 2; k++)
		nr += members(affinity_terms(l->pod, rows[k].which, REQUIRED)) + members(affinity_terms(l->pod, rows[k].which, PREFERRED));
	l->terms = arena_alloc(l->scratch, nr * sizeof(*l->terms), 16);
	for (size_t k = 0; k < 2; k++) {
		add_terms(l, rows[k].which, REQUIRED, rows[k].anti, false);
		add_terms(l, rows[k].which, PREFERRED, rows[k].anti, true);
	}
	l->spreads = arena_alloc(l->scratch, l->pod->spec->spread.nr * sizeof(*l->spreads), 16);
	for (uint32_t k = 0; k < l->pod->spec->spread.nr; k++)
		count_spread(l, &l->pod->spec->spread.v[k]);
	count_kin(l);
}

static uint64_t at_domain(const struct map *m, str d)
{
	const uint64_t *at = d ? map_find(m, map_ptr(d)) : NULL;

	return at ? *at : 0;
}

static const char *spread_problem(const struct look *l, const struct node_info *i, bool *resolvable)
{
	for (uint32_t k = 0; k < l->nr_spreads; k++) {
		const struct spread *s = l->spreads[k].s;
		str d = domain(i, s->topology_key);
		bool self = spread_matches(s, l->pod, l->pod);

		if (!is_hard(s))
			continue;
		if (!d) {
			*resolvable = false;
			return FIT_SPREAD_LABEL;
		}
		if ((int64_t)at_domain(&l->spreads[k].count, d) + self - (int64_t)l->spreads[k].least > s->max_skew)
			return FIT_SPREAD;
	}
	return NULL;
}

/* Pods that are there already may not want this one near. */
static bool repelled(const struct look *l, const struct node_info *i)
{
	for (uint32_t k = 0; k < l->x->repelling.nr; k++) {
		const struct pod *other = l->x->repelling.v[k];
		const struct node_info *on = !other->o.gone && !pod_is_terminal(other) && other != l->pod ? node_of_pod(l->t, other) : NULL;

		if (!on || !on->node || (l->without && map_find(l->without, other->o.id.i)))
			continue;
		VAL_EACH(term, affinity_terms(other, "podAntiAffinity", REQUIRED)) {
			const char *key = val_str_at(term, "topologyKey");

			if (key && domain(i, key) && domain(i, key) == domain(on, key) && affinity_term_matches(l->t, term, other, l->pod))
				return true;
		}
	}
	return false;
}

/* satisfyPodAffinity: company in every domain; the first of its kind may go anywhere where all domains are. */
static bool has_company(const struct look *l, const struct node_info *i)
{
	bool all = true, any = false;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l->nr_terms; k++) {
		const char *key = val_str_at(l->terms[k].term, "topologyKey");
		str d = key ? domain(i, key) : NULL;

		if (l->terms[k].preferred || l->terms[k].anti)
			continue;
		if (!d)
			return false;
		nr++;
		all = all && at_domain(&l->terms[k].count, d);
		any = any || l->terms[k].total;
	}
	return !nr || all || (!any && is_company(l->t, l->pod, l->pod));
}

static const char *affinity_problem(const struct look *l, const struct node_info *i, bool *resolvable)
{
	if (!has_company(l, i)) {
		*resolvable = false;
		return FIT_POD_AFFINITY;
	}
	for (uint32_t k = 0; k < l->nr_terms; k++) {
		const char *key = val_str_at(l->terms[k].term, "topologyKey");

		if (!l->terms[k].preferred && l->terms[k].anti && at_domain(&l->terms[k].count, key ? domain(i, key) : NULL))
			return FIT_POD_ANTI;
	}
	return repelled(l, i) ? FIT_EXISTING_ANTI : NULL;
}

uint32_t look_problems(const struct look *l, const struct node_info *i, const char **why, bool *resolvable)
{
	struct taint unschedulable = { .key = "node.kubernetes.io/unschedulable", .effect = "NoSchedule" };
	const struct pod_spec *s = l->pod->spec;
	uint32_t nr = 0;
	const char *one = NULL;
	bool never = false;

	*resolvable = false;
	if (l->named && !is_named(l, i)) {
		why[0] = FIT_NAMED;
		return 1;
	}
	if (i->node->unschedulable) {
		one = FIT_UNSCHEDULABLE;
		for (uint32_t k = 0; k < s->tolerations.nr; k++)
			if (tolerates(&s->tolerations.v[k], &unschedulable))
				one = NULL;
	}
	if (!one && untolerated(s, i->node, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE))
		one = FIT_TAINT;
	if (!one && !node_selected(s, i->node))
		one = FIT_AFFINITY;
	if (one) {
		why[0] = one;
		return 1;
	}
	*resolvable = true;
	if (!ports_free(i, l->pod)) {
		one = FIT_PORTS;
	} else if (!node_room(i, l->demand, why, &nr, &never)) {
		*resolvable = !never;
		return nr;
	} else if (l->volumes && (one = claims_problem(control_cluster(l->t), l->pod, i->node))) {
		*resolvable = false;
	} else if (!(one = spread_problem(l, i, resolvable))) {
		one = affinity_problem(l, i, resolvable);
	}
	why[0] = one;
	return one != NULL;
}
