#include "model/policy/foreign.h"

#include <stdlib.h>

#include "model/api/kept.h"
#include "model/policy/calico_selector.h"

static enum kept_policy known(const struct kind *k)
{
	return k->apis[0] ? kept_policy(k->apis[0], k->name) : KEPT_NO_POLICY;
}

bool foreign_is(const struct kind *k)
{
	return known(k) != KEPT_NO_POLICY;
}

static bool is_policy(const struct kind *k)
{
	return known(k) == KEPT_CALICO_POLICY || known(k) == KEPT_ADMIN_POLICY;
}

static bool is_before_dnat(const struct val *spec)
{
	return val_bool_or(val_get(spec, "preDNAT"), false) || val_bool_or(val_get(spec, "doNotTrack"), false);
}

static bool has_rules(const struct val *spec, const char *key)
{
	return val_is(val_get(spec, key), VAL_LIST) && val_get(spec, key)->nr > 0;
}

/* types, or what the rules say: Ingress, unless there are only rules for egress. */
static void directions(const struct val *spec, struct foreign_policy *p)
{
	const struct val *types = val_get(spec, "types");

	p->decides[NP_EGRESS] = has_rules(spec, "egress");
	p->decides[NP_INGRESS] = has_rules(spec, "ingress") || !p->decides[NP_EGRESS];
	if (!val_is(types, VAL_LIST) || !types->nr)
		return;
	p->decides[NP_INGRESS] = p->decides[NP_EGRESS] = false;
	VAL_EACH(t, types)
		if (val_str(t))
			p->decides[streq(val_str(t), "Egress") ? NP_EGRESS : NP_INGRESS] = true;
}

static const struct selector *selector_of(struct cluster *c, const struct val *v, struct arena *a)
{
	struct err none = { 0 };
	struct decode d = { .strings = cluster_strings(c), .arena = a, .unknown = VALIDATE_IGNORE, .err = &none };
	struct selector *s;

	if (!val_is(v, VAL_MAP))
		return NULL;
	s = arena_make(a, struct selector);
	fields_decode(&d, selector_fields, v, "", s);
	err_free(&none);
	return s;
}

static bool read_policy(struct cluster *c, const struct object *o, bool calico, struct arena *a, struct foreign_policy *p)
{
	const struct val *spec = val_get(o->doc, "spec"), *subject = val_get(spec, "subject"), *pods = val_get(subject, "pods");

	*p = (struct foreign_policy){ .o = o, .calico = calico };
	if (calico) {
		directions(spec, p);
		p->selector = val_str(val_get(spec, "selector"));
		p->namespaces = val_str(val_get(spec, "namespaceSelector"));
		p->accounts = val_str(val_get(spec, "serviceAccountSelector"));
		return !is_before_dnat(spec);
	}
	p->decides[NP_INGRESS] = has_rules(spec, "ingress");
	p->decides[NP_EGRESS] = has_rules(spec, "egress");
	p->baseline = streq(o->kind->name, "BaselineAdminNetworkPolicy") || streq(val_str(val_get(spec, "tier")), "Baseline");
	p->spaces = selector_of(c, pods ? val_get(pods, "namespaceSelector") : val_get(subject, "namespaces"), a);
	p->pods = selector_of(c, val_get(pods, "podSelector"), a);
	return true;
}

struct foreign_policies foreign_policies(struct cluster *c, struct arena *a)
{
	struct foreign_policies out = { 0 };
	const struct kind *k;
	uint32_t room = 0;

	for (uint32_t i = 0; cluster_settings(c)->cni == CNI_CALICO && (k = cluster_pool_kind(c, i)); i++) {
		room += is_policy(k) ? cluster_count(c, k) : 0;
		out.host_endpoints = out.host_endpoints || known(k) == KEPT_HOST_ENDPOINT;
	}
	out.v = arena_array(a, struct foreign_policy, room);
	for (uint32_t i = 0; room && (k = cluster_pool_kind(c, i)); i++) {
		struct object_list l = is_policy(k) ? cluster_list(c, k) : (struct object_list){ 0 };

		for (uint32_t n = 0; n < l.nr; n++)
			out.nr += read_policy(c, l.v[n], known(k) == KEPT_CALICO_POLICY, a, &out.v[out.nr]);
	}
	return out;
}

static int by_key(const void *x, const void *y)
{
	return strcmp(((const struct pair *)x)->key, ((const struct pair *)y)->key);
}

static bool is_inherited(const char *key)
{
	return strncmp(key, "pcns.", 5) == 0 || strncmp(key, "pcsa.", 5) == 0;
}

static void name_pair(struct pair *v, uint32_t *nr, const char *prefix, str name, struct arena *a)
{
	v[(*nr)++] = (struct pair){ arena_printf(a, "%sprojectcalico.org/name", prefix), name };
}

/* Of a namespace or ServiceAccount, as a selector of these sees them (prefix empty) and as Pods inherit them; o NULL: only its name is known. */
static void add_labels(struct pair *v, uint32_t *nr, const char *prefix, const struct object *o, str name, struct arena *a)
{
	for (uint32_t k = 0; o && k < o->labels.nr; k++)
		v[(*nr)++] = (struct pair){ *prefix ? arena_printf(a, "%s%s", prefix, o->labels.v[k].key) : o->labels.v[k].key, o->labels.v[k].value };
	name_pair(v, nr, prefix, name, a);
}

static pair_list sorted(struct pair *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), by_key);
	return (pair_list){ v, nr, true };
}

/* What stands behind a Pod: its namespace and its ServiceAccount. */
struct behind { const struct object *space, *account; str account_name; };

static struct behind behind_pod(struct cluster *c, const struct pod *pod)
{
	const struct namespace_ *ns = find_namespace(c, pod->o.ns);
	struct behind b = { .space = ns ? &ns->o : NULL, .account_name = pod->spec->service_account ? pod->spec->service_account : "default" };

	b.account = cluster_find(c, &service_account_kind, pod->o.ns, b.account_name);
	return b;
}

/* The labels that Calico gives a Pod beside its own, and those that it inherits: libcalico-go lib/backend/k8s/conversion (podToWorkloadEndpoint, NamespaceToProfile,
 * serviceAccountToProfile), lib/backend/syncersv1/updateprocessors/workloadendpointprocessor.go. */
static pair_list with_calicos(const struct pod *pod, const struct behind *b, struct arena *a)
{
	const pair_list *own = &pod->o.labels;
	uint32_t room = own->nr + (b->space ? b->space->labels.nr : 0) + (b->account ? b->account->labels.nr : 0) + 5, nr = 0;
	struct pair *v = arena_array(a, struct pair, room);

	for (uint32_t k = 0; k < own->nr; k++)
		if (!is_inherited(own->v[k].key))
			v[nr++] = own->v[k];
	v[nr++] = (struct pair){ "projectcalico.org/namespace", pod->o.ns };
	v[nr++] = (struct pair){ "projectcalico.org/orchestrator", "k8s" };
	v[nr++] = (struct pair){ "projectcalico.org/serviceaccount", b->account_name };
	add_labels(v, &nr, "pcns.", b->space, pod->o.ns, a);
	add_labels(v, &nr, "pcsa.", b->account, b->account_name, a);
	return sorted(v, nr);
}

/* What cannot be read may select. */
static bool may_select(const char *selector, const struct object *o, str name, struct arena *a)
{
	struct pair *v = arena_array(a, struct pair, (o ? o->labels.nr : 0) + 1);
	uint32_t nr = 0;
	pair_list labels;

	add_labels(v, &nr, "", o, name, a);
	labels = sorted(v, nr);
	return calico_selects(selector, &labels) != 0;
}

static bool calicos_selects(const struct foreign_policy *p, struct cluster *c, const struct pod *pod, struct arena *a)
{
	struct behind b = behind_pod(c, pod);
	pair_list labels;

	if (p->o->ns && p->o->ns != pod->o.ns && streq(p->o->kind->name, "NetworkPolicy"))
		return false;
	if (p->namespaces && (strstr(p->namespaces, "global()") || !may_select(p->namespaces, b.space, pod->o.ns, a)))
		return false;
	if (p->accounts && !may_select(p->accounts, b.account, b.account_name, a))
		return false;
	labels = with_calicos(pod, &b, a);
	return !p->selector || calico_selects(p->selector, &labels) != 0;
}

static bool selects(const struct foreign_policy *p, struct cluster *c, const struct pod *pod, struct arena *a)
{
	const struct namespace_ *ns;

	if (pod->spec->host_network)
		return false;
	if (p->calico)
		return calicos_selects(p, c, pod, a);
	ns = find_namespace(c, pod->o.ns);
	return (!p->spaces || (ns && selector_matches(p->spaces, &ns->o.labels))) && (!p->pods || selector_matches(p->pods, &pod->o.labels));
}

const struct foreign_policy *foreign_decides(const struct foreign_policies *all, struct cluster *c, const struct pod *pod, enum np_dir dir, bool isolated, struct arena *scratch)
{
	for (uint32_t k = 0; k < all->nr; k++)
		if (all->v[k].decides[dir] && !(all->v[k].baseline && isolated) && selects(&all->v[k], c, pod, scratch))
			return &all->v[k];
	return NULL;
}

static bool profile_allows_all(const struct val *spec)
{
	VAL_EACH(p, val_get(spec, "profiles"))
		if (streq(val_str(p), "projectcalico-default-allow"))
			return true;
	return false;
}

const struct object *host_endpoint_decides(struct cluster *c, const struct node *node, bool *forwards)
{
	struct object_list ends = { 0 }, policies = { 0 };
	const struct object *found = NULL;
	const struct kind *k;

	*forwards = false;
	for (uint32_t i = 0; cluster_settings(c)->cni == CNI_CALICO && (k = cluster_pool_kind(c, i)); i++) {
		if (known(k) == KEPT_HOST_ENDPOINT)
			ends = cluster_list(c, k);
		if (known(k) == KEPT_CALICO_POLICY && streq(k->name, "GlobalNetworkPolicy"))
			policies = cluster_list(c, k);
	}
	for (uint32_t n = 0; n < ends.nr; n++) {
		const struct val *spec = val_get(ends.v[n]->doc, "spec");

		if (!streq(val_str(val_get(spec, "node")), node->o.name))
			continue;
		if (!profile_allows_all(spec))
			found = found ? found : ends.v[n];
		for (uint32_t m = 0; m < policies.nr; m++) {
			const struct val *policy = val_get(policies.v[m]->doc, "spec");
			const char *selector = val_str(val_get(policy, "selector"));

			if (selector && calico_selects(selector, &ends.v[n]->labels) == 0)
				continue;
			found = found ? found : ends.v[n];
			*forwards = *forwards || val_bool_or(val_get(policy, "applyOnForward"), false) || is_before_dnat(policy);
		}
	}
	return found;
}

const char *foreign_text(const struct object *o, struct arena *a)
{
	return arena_printf(a, "%s \"%s\" is not modelled", o->kind->name, o->name);
}
