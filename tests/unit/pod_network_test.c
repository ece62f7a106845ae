/* A Pod network as something that is installed: the cluster has none, its DaemonSet comes, the nodes become Ready; its environment says how packets go. */
#include "tests/unit/cell.h"

#include "model/cluster/pod_network.h"

static const char agent[] =
	"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\n"
	"spec:\n  selector: {matchLabels: {k8s-app: calico-node}}\n"
	"  template:\n    metadata: {labels: {k8s-app: calico-node}}\n"
	"    spec:\n      hostNetwork: true\n      tolerations: [{effect: NoSchedule, operator: Exists}]\n"
	"      initContainers: [{name: install-cni, image: 'calico/cni'}]\n"
	"      containers:\n      - name: calico-node\n        image: calico/node\n"
	"        env: [{name: CALICO_IPV4POOL_CIDR, value: 10.99.0.0/16}, {name: CALICO_IPV4POOL_IPIP, value: Never}, {name: CALICO_IPV4POOL_VXLAN, value: CrossSubnet},\n"
	"              {name: CALICO_IPV4POOL_BLOCK_SIZE, value: '28'}, {name: CALICO_IPV4POOL_NAT_OUTGOING, value: 'false'}, {name: FELIX_DEFAULTENDPOINTTOHOSTACTION, value: DROP}]\n";

static struct cell bare(void)
{
	struct cell x = cell_new(1);

	cluster_flags(x.c)->cni = cluster_str(x.c, "none");
	defaults_add(x.c);
	cell_settle(&x);
	return x;
}

static enum cond_status ready(struct cell *x, const char *node)
{
	const struct condition *c = condition_get(&find_node(x->c, node)->conditions, "Ready");

	return c ? (enum cond_status)c->status : COND_NONE;
}

TEST(a_daemonset_is_the_installation_of_a_network)
{
	struct cell x = bare();
	struct object_list pods;

	CU_ASSERT(cluster_settings(x.c)->cni == CNI_NONE && ready(&x, "worker-1") == COND_FALSE);
	cell_apply(&x, agent);
	cell_settle(&x);
	CU_ASSERT(cluster_settings(x.c)->cni == CNI_CALICO);
	CU_ASSERT(ready(&x, "control-plane") == COND_TRUE && ready(&x, "worker-1") == COND_TRUE && ready(&x, "worker-2") == COND_TRUE);
	pods = cluster_list(x.c, &pod_kind);
	for (uint32_t k = 0; k < pods.nr; k++)
		CU_ASSERT(((const struct pod *)pods.v[k])->phase == POD_RUNNING);
	cell_free(&x);
}

TEST(a_node_without_the_agent_stays_without_a_network)
{
	struct cell x = bare();

	cell_apply(&x, arena_printf(x.a, "%s      nodeSelector: {kubernetes.io/hostname: worker-1}\n", agent));
	cell_settle(&x);
	CU_ASSERT(ready(&x, "worker-1") == COND_TRUE);
	CU_ASSERT(ready(&x, "worker-2") == COND_FALSE);
	cell_free(&x);
}

/* projectcalico/calico node/pkg/lifecycle/startup: the pool is made from these where no IPPool is there. */
TEST(the_agents_environment_makes_the_pool)
{
	struct cell x = bare();
	const struct settings *s;

	cell_apply(&x, agent);
	s = cluster_settings(x.c);
	CU_ASSERT(s->pools.nr == 1 && s->pools.v[0].vxlan == ENCAP_CROSS_SUBNET && s->pools.v[0].ipip == ENCAP_NEVER && s->pools.v[0].block_size == 28);
	SAME_TEXT(CIDR(s->pools.v[0].cidr), "10.99.0.0/16");
	CU_ASSERT(!s->pools.v[0].nat_outgoing && !s->endpoint_to_host_accept);
	cell_apply(&x, "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: own}\nspec: {cidr: 10.98.0.0/16, ipipMode: Always}\n");
	s = cluster_settings(x.c);
	CU_ASSERT(s->pools.nr == 1 && s->pools.v[0].ipip == ENCAP_ALWAYS);
	SAME_TEXT(CIDR(s->pools.v[0].cidr), "10.98.0.0/16");
	cell_free(&x);
}
