/* Which endpoints a node may use: units/08 (kubernetes pkg/proxy/topology_test.go TestCategorizeEndpoints). */
#include "model/dataplane/compile.h"
#include "model/dataplane/kube_proxy.h"
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static bool has(const struct kp_endpoints *e, const char *ip)
{
	ip_addr want;

	if (!ip_parse(ip, &want))
		return false;
	for (uint32_t k = 0; k < e->nr; k++)
		if (ip_eq(e->v[k].ip, want))
			return true;
	return false;
}

/* null: this Service has no such set, so that nobody looks into it. */
static bool same_set(const struct kp_endpoints *have, const struct val *want)
{
	if (!want || want->type == VAL_NULL)
		return true;
	VAL_EACH(ip, want)
		if (!has(have, val_str(ip)))
			return false;
	return have->nr == want->nr;
}

static void one_case(const struct val *c)
{
	struct cell x = cell_new(1);
	struct dataplane *dp;
	struct kube_proxy *proxy;
	const struct kp_ports *ports;
	const char *name = val_str_at(c, "given.thisNode");
	const struct node *n;

	x.lax = true;
	cell_apply(&x, "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns}\n");
	VAL_EACH(o, val_path(c, "given.objects"))
		CASE_ASSERT(c, cell_doc(&x, o) != APPLY_ERROR);
	n = find_node(x.c, name);
	dp = dataplane_compile(x.c, NULL);
	proxy = kube_proxy_new(x.c, NULL, cluster_settings(x.c), dp);
	ports = kp_ports_of(proxy, false);
	CASE_ASSERT(c, ports->nr >= 1);
	for (uint32_t k = 0; k < ports->nr; k++) {
		struct kp_port *p = &ports->v[k];
		struct kp_sets s;

		if (!streq(p->svc->o.ns, "ns"))
			continue;
		kp_endpoints_of(proxy, p, false);
		s = kp_categorize(p, name, n ? label_get(&n->o.labels, "topology.kubernetes.io/zone") : NULL, cluster_settings(x.c)->same_node_hints, x.a);
		CASE_ASSERT(c, same_set(&s.cluster, val_path(c, "expect.clusterEndpoints")));
		CASE_ASSERT(c, same_set(&s.local, val_path(c, "expect.localEndpoints")));
		CASE_ASSERT(c, same_set(&s.reachable, val_path(c, "expect.allReachableEndpoints")));
		CASE_ASSERT(c, s.any == val_bool_or(val_path(c, "expect.hasAnyEndpoints"), s.any));
	}
	dataplane_free(dp);
	cell_free(&x);
}

TEST(a_node_uses_the_endpoints_that_upstream_says)
{
	unit_each("08-kube-proxy-categorize", 14, one_case);
}
