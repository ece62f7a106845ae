#include "model/policy/foreign.h"

#include "model/api/kept.h"
#include "model/api/calico_selector.h"

static enum kept_policy known(const struct kind *k)
{
	return k->apis[0] ? kept_policy(k->apis[0], k->name) : KEPT_NO_POLICY;
}

bool foreign_is(const struct kind *k)
{
	return known(k) != KEPT_NO_POLICY;
}

static bool is_before_dnat(const struct val *spec)
{
	return val_bool_or(val_get(spec, "preDNAT"), false) || val_bool_or(val_get(spec, "doNotTrack"), false);
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
