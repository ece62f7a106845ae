/* Random clusters that change: Services of all types and their endpoints, Pods, policies, nodes, time in which kube-proxies lag behind; each Pod network, both modes. */
#ifndef PODWIRE_TEST_PLAY_H
#define PODWIRE_TEST_PLAY_H

#include "model/dataplane/dataplane.h"
#include "tests/unit/cell.h"

struct play { struct cell x; uint64_t state; uint32_t life; const char *mode, *cni; bool dual, alike /* what is shared by all nodes: no Service differs from node to node */; };

static uint32_t below(struct play *g, uint32_t n)
{
	g->state = g->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(g->state >> 33) % n;
}

static const char *pick(struct play *g, const char *const *v, uint32_t n) { return v[below(g, n)]; }
#define PICK(g, ...) pick((g), (const char *const[]){ __VA_ARGS__ }, (uint32_t)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))

/* ---- changes */

static void apply(struct play *g, const char *yaml)
{
	docs_read("test.yaml", yaml, strlen(yaml), NULL, cell_take, &g->x, &g->x.err);         /* what is refused changes nothing */
}

static struct object *some(struct play *g, const struct kind *kind)
{
	struct object_list l = cluster_list_ns(g->x.c, kind, "default");

	return l.nr ? l.v[below(g, l.nr)] : NULL;
}

static void service(struct play *g)
{
	static const char *const types[] = {
		"", "type: NodePort, ", "type: LoadBalancer, ", "externalIPs: [192.0.2.7], ", "clusterIP: None, ", "sessionAffinity: ClientIP, ",
		"type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8, 172.18.0.0/24], ", "internalTrafficPolicy: Local, ", "type: NodePort, externalTrafficPolicy: Local, ", "type: LoadBalancer, externalTrafficPolicy: Local, ",
		"type: NodePort, sessionAffinity: ClientIP, ", "publishNotReadyAddresses: true, ",
	};
	const char *selector = below(g, 6) ? arena_printf(g->x.a, "selector: {app: %s}, ", PICK(g, "a", "b", "c")) : "";
	const char *more = below(g, 3) ? "" : ", {name: q, port: 53, protocol: UDP, targetPort: 5353}";

	apply(g, arena_printf(g->x.a, "apiVersion: v1\nkind: Service\nmetadata: {name: s%u}\nspec: {%s%s%sports: [{name: p, port: %u, targetPort: %s}%s]}\n"
				      "status: {loadBalancer: {ingress: [{ip: 198.51.100.%u}]}}\n",
			      below(g, 6), pick(g, types, g->alike ? 6 : ARRAY_LEN(types)), selector, g->dual && below(g, 2) ? "ipFamilyPolicy: PreferDualStack, " : "", 80 + below(g, 2),
			      PICK(g, "80", "web"), more, below(g, 9)));
}

static void slice(struct play *g)
{
	const char *hints = g->alike || below(g, 8) ? "" : ", hints: {forZones: [{name: z1}]}", *node = below(g, 3) ? "" : ", nodeName: n1";

	apply(g, arena_printf(g->x.a, "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: hand%u, labels: {kubernetes.io/service-name: s%u}}\naddressType: IPv4\n"
				      "ports: [{name: p, port: 80, protocol: TCP}]\nendpoints: [{addresses: [10.244.1.%u]%s%s, conditions: {ready: %s}}, {addresses: [203.0.113.7]}]\n",
			      below(g, 3), below(g, 6), 200 + below(g, 3), node, hints, PICK(g, "true", "false")));
}

static void pod(struct play *g)
{
	uint32_t node = below(g, 4), at = 10 + below(g, 60);
	const char *also = g->dual ? arena_printf(g->x.a, ", {ip: 'fd00:10:244:%u::%x'}", node, at) : "";
	const char *host = below(g, 7) ? "" : "hostNetwork: true, ", *port = below(g, 6) ? "" : ", hostPort: 8080";

	if (below(g, 5) == 0)           /* an address of another node's block: borrowed */
		node = below(g, 3);
	apply(g, arena_printf(g->x.a, "apiVersion: v1\nkind: Pod\nmetadata: {name: p%u, labels: {app: %s}}\nspec: {nodeName: n%u, %scontainers: [{name: c, image: nginx, ports: [{name: web, containerPort: 80%s}]}]}\n"
				      "status: {phase: Running, podIP: 10.244.%u.%u, podIPs: [{ip: 10.244.%u.%u}%s], conditions: [{type: Ready, status: 'True'}]}\n",
			      ++g->life % 40, PICK(g, "a", "b", "c"), below(g, 3), host, port, node, at, node, at, also));
}

static void policy(struct play *g)
{
	apply(g, arena_printf(g->x.a, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np%u}\nspec: {podSelector: {matchLabels: {app: %s}}, policyTypes: [Ingress, Egress],"
				      " ingress: [{from: [{podSelector: {matchLabels: {app: %s}}}, {namespaceSelector: {matchLabels: {team: red}}}], ports: [{port: %s}]}], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}\n",
			      below(g, 2), PICK(g, "a", "b"), PICK(g, "b", "c"), PICK(g, "80", "web")));
}

static void node(struct play *g, uint32_t k, const char *more, const char *condition)
{
	apply(g, arena_printf(g->x.a, "apiVersion: v1\nkind: Node\nmetadata: {name: n%u, labels: {topology.kubernetes.io/zone: z%u}%s}\nspec: {podCIDRs: [10.244.%u.0/24%s]}\n"
				      "status: {addresses: [{type: InternalIP, address: 172.18.0.%u}%s], allocatable: {cpu: '8', memory: 16Gi, pods: '110'}, conditions: [{type: Ready, status: 'True'}%s]}\n",
			      k, k % 2, more, k, g->dual ? arena_printf(g->x.a, ", 'fd00:10:244:%u::/64'", k) : "", k + 2,
			      g->dual ? arena_printf(g->x.a, ", {type: InternalIP, address: 'fc00:f853:ccd:e793::%x'}", k + 2) : "", condition));
}

/* A Pod becomes ready or not: the condition, and what follows from it with time. */
static void flip(struct play *g)
{
	struct pod *p = (struct pod *)some(g, &pod_kind);

	for (uint32_t k = 0; p && k < p->conditions.nr; k++)
		if (streq(p->conditions.v[k].type, "Ready"))
			p->conditions.v[k].status = p->conditions.v[k].status == COND_TRUE ? COND_FALSE : COND_TRUE;
	if (p)
		cluster_touch(g->x.c, &p->o);
}

static void relabel(struct play *g)
{
	struct pod *p = (struct pod *)some(g, &pod_kind);
	pair_list l = { arena_array(g->x.a, struct pair, 1), 1, true };

	l.v[0] = (struct pair){ cluster_str(g->x.c, "app"), cluster_str(g->x.c, PICK(g, "a", "b", "c")) };
	if (p)
		cluster_relabel(g->x.c, &p->o, l);
}

static void finish(struct play *g)
{
	struct pod *p = (struct pod *)some(g, &pod_kind);

	if (!p)
		return;
	p->phase = POD_SUCCEEDED;
	cluster_touch(g->x.c, &p->o);
}

static void drop(struct play *g, const struct kind *kind)
{
	struct object *o = some(g, kind);

	if (o && below(g, 2))
		apply_delete(g->x.c, o);
	else if (o)
		cluster_remove(g->x.c, o);
}

static inline const char *play_change(struct play *g)         /* something happens; → what */
{
	switch (below(g, 34)) {
	case 0: case 1: case 2: case 3: service(g); return "service";
	case 4: case 5: slice(g); return "slice";
	case 6: case 7: case 8: case 9: case 10: pod(g); return "pod";
	case 11: case 12: drop(g, &pod_kind); return "pod gone";
	case 13: drop(g, &service_kind); return "service gone";
	case 14: drop(g, &endpointslice_kind); return "slice gone";
	case 15: case 16: case 17: case 18: flip(g); return "readiness";
	case 19: relabel(g); return "relabel";
	case 20: finish(g); return "finished";
	case 21: policy(g); return "policy";
	case 22: drop(g, &network_policy_kind); return "policy gone";
	case 23: apply(g, arena_printf(g->x.a, "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {team: %s}}\n", PICK(g, "red", "blue"))); return "namespace";
	case 24: apply(g, arena_printf(g->x.a, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: %u, selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}},"
					       " spec: {containers: [{name: c, image: nginx, ports: [{name: web, containerPort: 80}]}]}}}\n", below(g, 4))); return "deployment";
	case 25: if (!below(g, 3)) node(g, 3, "", ""); return "node";
	case 26: if (!below(g, 3)) node(g, below(g, 3), PICK(g, ", annotations: {podwire.io/down: 'true'}", ""), ""); return "node annotated";
	case 31: case 32: node(g, below(g, 3), "", PICK(g, ", {type: NetworkUnavailable, status: 'True'}", "")); return "node's network";
	case 27: if (!below(g, 4)) apply(g, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n"); return "config";
	case 28: case 29: control_advance(g->x.t, SECONDS(1) / 4); return "a moment";
	case 30: cell_settle(&g->x); return "settled";
	default: control_advance(g->x.t, SECONDS(3)); return "time";
	}
}

static inline void play_begin(struct play *g)
{
	g->x = cell_new(g->state);
	g->x.lax = true;
	cluster_flags(g->x.c)->cni = cluster_str(g->x.c, g->cni);
	apply(g, arena_printf(g->x.a, "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n", g->mode));
	if (g->dual)
		apply(g, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nnetworking: {podSubnet: '10.244.0.0/16,fd00:10:244::/56', serviceSubnet: '10.96.0.0/16,fd00:10:96::/112'}\n");
	apply(g, "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n");
	for (uint32_t k = 0; k < 3; k++)
		node(g, k, "", "");
	for (int k = 0; k < 4; k++)
		service(g);
	cell_settle(&g->x);
}

#endif
