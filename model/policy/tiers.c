/* Which policies there are, in the order in which they are asked, and what NetworkSets their selectors mean. */
#include "model/policy/tiers.h"

#include <stdlib.h>

#include "model/api/kept.h"
#include "model/policy/tier_read.h"

static enum kept_policy known(const struct kind *k)
{
	return k->apis[0] ? kept_policy(k->apis[0], k->name) : KEPT_NO_POLICY;
}

static bool is_policy(const struct kind *k)
{
	return known(k) == KEPT_CALICO_POLICY || known(k) == KEPT_ADMIN_POLICY;
}

bool tiers_read(const struct kind *k)
{
	return is_policy(k) || known(k) == KEPT_TIER || known(k) == KEPT_NETWORK_SET;
}

/* ---- labels */

static int by_key(const void *x, const void *y)
{
	return strcmp(((const struct pair *)x)->key, ((const struct pair *)y)->key);
}

static bool is_inherited(const char *key)
{
	return strncmp(key, "pcns.", 5) == 0 || strncmp(key, "pcsa.", 5) == 0;
}

bool tier_label_is_given(const char *key)
{
	return is_inherited(key) || strcmp(key, "projectcalico.org/namespace") == 0 || strcmp(key, "projectcalico.org/orchestrator") == 0 || strcmp(key, "projectcalico.org/serviceaccount") == 0;
}

/* Of a namespace or ServiceAccount, as Pods inherit them; o NULL: only its name is known. */
static void inherit(struct pair *v, uint32_t *nr, const char *prefix, const struct object *o, str name, struct arena *a)
{
	for (uint32_t k = 0; o && k < o->labels.nr; k++)
		v[(*nr)++] = (struct pair){ arena_printf(a, "%s%s", prefix, o->labels.v[k].key), o->labels.v[k].value };
	v[(*nr)++] = (struct pair){ arena_printf(a, "%sprojectcalico.org/name", prefix), name };
}

static pair_list sorted(struct pair *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), by_key);
	return (pair_list){ v, nr, true };
}

/* libcalico-go lib/backend/k8s/conversion (podToWorkloadEndpoint, NamespaceToProfile, serviceAccountToProfile), updateprocessors/workloadendpointprocessor.go; of a NetworkSet
 * (account NULL): networksetprocessor.go; of a GlobalNetworkSet (ns NULL) only its own. */
pair_list tier_labels(struct cluster *c, const pair_list *own, str ns, str account, struct arena *a)
{
	const struct namespace_ *space = ns ? find_namespace(c, ns) : NULL;
	const struct object *sa = account ? cluster_find(c, &service_account_kind, ns, account) : NULL;
	uint32_t room = own->nr + (space ? space->o.labels.nr : 0) + (sa ? sa->labels.nr : 0) + 5, nr = 0;
	struct pair *v = arena_array(a, struct pair, room);

	for (uint32_t k = 0; k < own->nr; k++)
		if (account ? !tier_label_is_given(own->v[k].key) : !is_inherited(own->v[k].key))
			v[nr++] = own->v[k];
	if (ns) {
		v[nr++] = (struct pair){ "projectcalico.org/namespace", ns };
		inherit(v, &nr, "pcns.", space ? &space->o : NULL, ns, a);
	}
	if (account) {
		v[nr++] = (struct pair){ "projectcalico.org/orchestrator", "k8s" };
		v[nr++] = (struct pair){ "projectcalico.org/serviceaccount", account };
		inherit(v, &nr, "pcsa.", sa, account, a);
	}
	return sorted(v, nr);
}

str pod_account(const struct pod *p)
{
	return p->spec->service_account ? p->spec->service_account : "default";
}

const pair_list *tier_labels_of(struct cluster *c, const struct pod *pod, struct arena *a)
{
	pair_list l;

	if (!pod || pod->spec->host_network)
		return NULL;
	l = tier_labels(c, &pod->o.labels, pod->o.ns, pod_account(pod), a);
	return arena_copy(a, &l, sizeof(l));
}

/* ---- NetworkSets */

/* The addresses of a set, or of a HostEndpoint that says which it has, go to the ends whose selectors mean it. */
static void meant(struct cluster *c, const struct object *o, const char *list, struct tier_end *e, struct arena *a)
{
	pair_list l = tier_labels(c, &o->labels, o->ns, NULL, a);
	struct tier_end selectors = *e;

	if (tier_end_is_any(e))
		return;
	selectors.has_nets = selectors.has_without_nets = false;
	selectors.without = NULL;
	if (!tier_end_is_any(&selectors) && tier_end_has(&selectors, &l, (ip_addr){ 0 }) != NO)
		VAL_EACH(n, val_path(o->doc, list))
			tier_add_net(a, &e->members, val_str(n));
	selectors = (struct tier_end){ .selector = e->without };
	if (e->without && tier_end_has(&selectors, &l, (ip_addr){ 0 }) == YES)
		VAL_EACH(n, val_path(o->doc, list))
			tier_add_net(a, &e->without_members, val_str(n));
}

static void each_end(struct tiers *t, struct cluster *c, const struct object *o, const char *list, struct arena *a)
{
	for (uint32_t i = 0; i < t->v.nr; i++)
		for (uint32_t p = 0; p < t->v.v[i].policies.nr; p++)
			for (int d = 0; d < 2; d++) {
				struct tier_policy *policy = &t->v.v[i].policies.v[p];

				for (uint32_t k = 0; k < policy->rules[d].nr * 2; k++)
					meant(c, o, list, &policy->rules[d].v[k / 2].end[k % 2], a);
			}
}

static void network_sets(struct tiers *t, struct cluster *c, struct arena *a)
{
	const struct kind *k;

	for (uint32_t i = 0; (k = cluster_pool_kind(c, i)); i++) {
		enum kept_policy is = known(k);
		struct object_list l = is == KEPT_NETWORK_SET || is == KEPT_HOST_ENDPOINT ? cluster_list(c, k) : (struct object_list){ 0 };

		for (uint32_t n = 0; n < l.nr; n++)
			each_end(t, c, l.v[n], is == KEPT_HOST_ENDPOINT ? "spec.expectedIPs" : "spec.nets", a);
	}
}

/* ---- tiers: api/pkg/apis/projectcalico/v3/tier.go; those of AdminNetworkPolicies had other names and the same orders (v3.29 to v3.31) */

static const struct { const char *name; double order; bool passes; } own_tiers[] = {
	{ "kube-admin", 1e3, true }, { "adminnetworkpolicy", 1e3, true }, { "default", 1e6, false }, { "kube-baseline", 1e7, true }, { "baselineadminnetworkpolicy", 1e7, true },
};

static struct tier *tier_named(struct tiers *t, const char *name, struct arena *a)
{
	struct tier *x;

	for (uint32_t k = 0; k < t->v.nr; k++)
		if (streq(t->v.v[k].name, name))
			return &t->v.v[k];
	x = vec_push(a, &t->v);
	*x = (struct tier){ .name = name, .order = __builtin_inf() };
	for (size_t k = 0; k < ARRAY_LEN(own_tiers); k++)
		if (streq(own_tiers[k].name, name)) {
			x->order = own_tiers[k].order;
			x->passes = own_tiers[k].passes;
			x->said = true;
		}
	return x;
}

static void read_tier(struct tiers *t, const struct object *o, struct arena *a)
{
	const struct val *spec = val_get(o->doc, "spec"), *order = val_get(spec, "order");
	struct tier *x = tier_named(t, o->name, a);

	x->said = true;
	if (val_is(order, VAL_INT) || val_is(order, VAL_FLOAT))
		x->order = order->type == VAL_INT ? (double)order->i : order->f;
	if (val_str(val_get(spec, "defaultAction")))
		x->passes = streq(val_str(val_get(spec, "defaultAction")), "Pass");
}

static const char *tier_of(const struct object *o, const struct val *spec)
{
	const char *said = val_str(val_get(spec, "tier"));

	if (streq(o->kind->name, "AdminNetworkPolicy"))
		return "adminnetworkpolicy";
	if (streq(o->kind->name, "BaselineAdminNetworkPolicy"))
		return "baselineadminnetworkpolicy";
	if (streq(o->kind->name, "ClusterNetworkPolicy"))
		return streq(said, "Baseline") ? "kube-baseline" : "kube-admin";
	return said && *said ? said : "default";
}

static const char *short_kind(const struct object *o)
{
	static const struct { const char *kind, *word; } words[] = {
		{ "NetworkPolicy", "np" }, { "GlobalNetworkPolicy", "gnp" }, { "ClusterNetworkPolicy", "kcnp" }, { "AdminNetworkPolicy", "kanp" }, { "BaselineAdminNetworkPolicy", "kbanp" },
	};

	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (streq(words[k].kind, o->kind->name))
			return words[k].word;
	return o->kind->name;
}

static void new_policy(struct tier_policy *p, const struct object *o, struct arena *a)
{
	*p = (struct tier_policy){ .o = o };
	p->name = o->ns ? arena_printf(a, "%s %s/%s", o->kind->name, o->ns, o->name) : arena_printf(a, "%s %s", o->kind->name, o->name);
	p->id = o->ns ? arena_printf(a, "%s/%s/%s", short_kind(o), o->ns, o->name) : arena_printf(a, "%s/%s", short_kind(o), o->name);
}

/* preDNAT and doNotTrack are about host endpoints alone. */
static bool is_of_pods(const struct val *spec)
{
	return !val_bool_or(val_get(spec, "preDNAT"), false) && !val_bool_or(val_get(spec, "doNotTrack"), false);
}

static void read_policy(struct tiers *t, struct cluster *c, const struct object *o, bool calico, struct arena *a)
{
	const struct val *spec = val_get(o->doc, "spec");
	struct tier_read in = { c, a, calico && streq(o->kind->name, "NetworkPolicy") ? o->ns : NULL };
	struct tier_policy *p;

	if (calico && !is_of_pods(spec))
		return;
	p = vec_push(a, &tier_named(t, tier_of(o, spec), a)->policies);
	new_policy(p, o, a);
	if (calico)
		tier_read_calico(&in, spec, p);
	else
		tier_read_admin(&in, spec, p);
	t->nr_policies++;
}

/* ---- order */

static int tier_order(const void *x, const void *y)
{
	const struct tier *a = x, *b = y;

	return a->order < b->order ? -1 : a->order > b->order ? 1 : strcmp(a->name, b->name);
}

/* Of one order: name, namespace, kind. */
static int policy_order(const void *x, const void *y)
{
	const struct tier_policy *a = x, *b = y;
	int d = a->order < b->order ? -1 : a->order > b->order ? 1 : strcmp(a->o->name, b->o->name);

	d = d ? d : str_order(a->o->ns, b->o->ns);
	return d ? d : strcmp(a->kubernetes ? "KubernetesNetworkPolicy" : a->o->kind->name, b->kubernetes ? "KubernetesNetworkPolicy" : b->o->kind->name);
}

static void put_in_order(struct tiers *t)
{
	if (t->v.nr)
		qsort(t->v.v, t->v.nr, sizeof(*t->v.v), tier_order);
	for (uint32_t k = 0; k < t->v.nr; k++) {
		struct tier *x = &t->v.v[k];

		if (x->policies.nr)
			qsort(x->policies.v, x->policies.nr, sizeof(*x->policies.v), policy_order);
		if (!streq(x->name, "default"))
			continue;
		t->before[0] = k;
		for (t->before[1] = 0; t->before[1] < x->policies.nr && x->policies.v[t->before[1]].order < 1000;)
			t->before[1]++;
		t->tied = t->before[1] < x->policies.nr && x->policies.v[t->before[1]].order <= 1000;
	}
}

struct tiers policy_tiers(struct cluster *c, struct arena *a)
{
	struct tiers t = { 0 };
	const struct kind *k;

	if (cluster_settings(c)->cni != CNI_CALICO)
		return t;
	for (uint32_t i = 0; (k = cluster_pool_kind(c, i)); i++) {
		enum kept_policy is = known(k);
		struct object_list l = is != KEPT_NO_POLICY ? cluster_list(c, k) : (struct object_list){ 0 };

		t.host_endpoints = t.host_endpoints || (is == KEPT_HOST_ENDPOINT && l.nr);
		for (uint32_t n = 0; n < l.nr; n++)
			if (is == KEPT_TIER)
				read_tier(&t, l.v[n], a);
			else if (is_policy(k))
				read_policy(&t, c, l.v[n], is == KEPT_CALICO_POLICY, a);
	}
	if (!t.nr_policies)
		return (struct tiers){ .host_endpoints = t.host_endpoints };
	tier_named(&t, "default", a);
	put_in_order(&t);
	network_sets(&t, c, a);
	return t;
}

void tiers_of_kubernetes(struct tiers *t, struct cluster *c, const struct np_compiled *v, uint32_t nr, struct arena *a)
{
	for (uint32_t k = 0; k < nr; k++) {
		struct tier_policy *p = vec_push(a, &tier_named(t, "default", a)->policies);
		struct tier_read in = { c, a, v[k].policy->o.ns };

		new_policy(p, &v[k].policy->o, a);
		p->kubernetes = &v[k];
		tier_read_kubernetes(&in, &v[k], p);
	}
	t->nr_policies += nr;
	put_in_order(t);
	t->tied = false;
	t->kubernetes_within = true;
}

static void note_unmodelled(const struct tier_policy *p, const char *what, const char *path, const char **first, uint32_t *nr, struct arena *a)
{
	if (what && !(*nr)++)
		*first = arena_printf(a, "%s: %s (%s)", p->name, what, path);
}

const char *tiers_unmodelled(const struct tiers *t, uint32_t *nr, struct arena *a)
{
	const char *first = NULL;

	*nr = 0;
	for (uint32_t k = 0; k < t->v.nr; k++)
		for (uint32_t i = 0; i < t->v.v[k].policies.nr; i++) {
			const struct tier_policy *p = &t->v.v[k].policies.v[i];

			note_unmodelled(p, p->unmodelled, p->subject.path, &first, nr, a);
			for (int d = 0; d < 2; d++)
				for (uint32_t n = 0; n < p->rules[d].nr; n++)
					note_unmodelled(p, p->rules[d].v[n].unmodelled, p->rules[d].v[n].path, &first, nr, a);
		}
	return first;
}
