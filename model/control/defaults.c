#include "model/control/defaults.h"

#include "model/api/config.h"
#include "model/cluster/apply.h"
#include "model/l7/controllers.h"

/* The addresses that kind gives to its nodes: Docker's network 172.18.0.0/16, fc00:f853:ccd:e793::/64; .1 is the gateway. */
#define FIRST_NODE4 ip_from4(0xac120002)
#define FIRST_NODE6 ((ip_addr){ 0xfc00f8530ccde793u, 2 })

static const char node_yaml[] =
	"apiVersion: v1\n"
	"kind: Node\n"
	"metadata: {labels: {kubernetes.io/arch: amd64, kubernetes.io/os: linux}}\n"
	"spec: {}\n"
	"status:\n"
	"  addresses: [%s]\n"
	"  capacity: {cpu: '8', memory: 16Gi, pods: '%u'}\n"
	"  allocatable: {cpu: '8', memory: 16Gi, pods: '%u'}\n"
	"  nodeInfo: {architecture: amd64, operatingSystem: linux, kubeletVersion: v1.36.2, osImage: Debian GNU/Linux 12 (bookworm), kernelVersion: 6.18.0, containerRuntimeVersion: containerd://2.2.0}\n";

static const char kubernetes_yaml[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: kubernetes, namespace: default, labels: {component: apiserver, provider: kubernetes}}\n"
	"spec:\n"
	"  clusterIP: %s\n"
	"  ports: [{name: https, port: 443, protocol: TCP, targetPort: 6443}]\n";

static const char kubernetes_slice_yaml[] =
	"apiVersion: discovery.k8s.io/v1\n"
	"kind: EndpointSlice\n"
	"metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}\n"
	"addressType: %s\n"
	"endpoints: [%s]\n"
	"ports: [{name: https, port: 6443, protocol: TCP}]\n";

/* kubeadm's addons: cmd/kubeadm/app/phases/addons/dns/manifests.go, …/proxy/manifests.go. */
static const char corefile_yaml[] =
	"apiVersion: v1\n"
	"kind: ConfigMap\n"
	"metadata: {name: coredns, namespace: kube-system}\n"
	"data:\n"
	"  Corefile: |\n"
	"    .:53 {\n"
	"        errors\n"
	"        health {\n"
	"           lameduck 5s\n"
	"        }\n"
	"        ready\n"
	"        kubernetes %s in-addr.arpa ip6.arpa {\n"
	"           pods insecure\n"
	"           fallthrough in-addr.arpa ip6.arpa\n"
	"           ttl 30\n"
	"        }\n"
	"        prometheus :9153\n"
	"        forward . /etc/resolv.conf {\n"
	"           max_concurrent 1000\n"
	"        }\n"
	"        cache 30 {\n"
	"           disable success %s\n"
	"           disable denial %s\n"
	"        }\n"
	"        loop\n"
	"        reload\n"
	"        loadbalance\n"
	"    }\n";

static const char dns_service_yaml[] =
	"apiVersion: v1\n"
	"kind: Service\n"
	"metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns, kubernetes.io/cluster-service: 'true', kubernetes.io/name: CoreDNS}}\n"
	"spec:\n"
	"  clusterIPs: [%s]\n"
	"%s"
	"  selector: {k8s-app: kube-dns}\n"
	"  ports:\n"
	"  - {name: dns, port: 53, protocol: UDP, targetPort: 53}\n"
	"  - {name: dns-tcp, port: 53, protocol: TCP, targetPort: 53}\n"
	"  - {name: metrics, port: 9153, protocol: TCP, targetPort: 9153}\n";

static const char coredns_yaml[] =
	"apiVersion: apps/v1\n"
	"kind: Deployment\n"
	"metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}\n"
	"spec:\n"
	"  replicas: 2\n"
	"  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}\n"
	"  selector: {matchLabels: {k8s-app: kube-dns}}\n"
	"  template:\n"
	"    metadata: {labels: {k8s-app: kube-dns}}\n"
	"    spec:\n"
	"      priorityClassName: system-cluster-critical\n"
	"      serviceAccountName: coredns\n"
	"      affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {labelSelector: {matchExpressions: "
	"[{key: k8s-app, operator: In, values: [kube-dns]}]}, topologyKey: kubernetes.io/hostname}}]}}\n"
	"      tolerations: [{key: CriticalAddonsOnly, operator: Exists}, {key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]\n"
	"      nodeSelector: {kubernetes.io/os: linux}\n"
	"      dnsPolicy: Default\n"
	"      containers:\n"
	"      - name: coredns\n"
	"        image: registry.k8s.io/coredns/coredns:v1.14.2\n"
	"        args: [-conf, /etc/coredns/Corefile]\n"
	"        ports: [{containerPort: 53, name: dns, protocol: UDP}, {containerPort: 53, name: dns-tcp, protocol: TCP}, {containerPort: 9153, name: metrics, protocol: TCP}]\n"
	"        livenessProbe: {httpGet: {path: /health, port: 8080}, initialDelaySeconds: 60, timeoutSeconds: 5, failureThreshold: 5}\n"
	"        readinessProbe: {httpGet: {path: /ready, port: 8181}}\n"
	"        resources: {limits: {memory: 170Mi}, requests: {cpu: 100m, memory: 70Mi}}\n"
	"        volumeMounts: [{name: config-volume, mountPath: /etc/coredns, readOnly: true}]\n"
	"      volumes: [{name: config-volume, configMap: {name: coredns, items: [{key: Corefile, path: Corefile}]}}]\n";

static const char kube_proxy_yaml[] =
	"apiVersion: apps/v1\n"
	"kind: DaemonSet\n"
	"metadata: {name: kube-proxy, namespace: kube-system, labels: {k8s-app: kube-proxy}}\n"
	"spec:\n"
	"  selector: {matchLabels: {k8s-app: kube-proxy}}\n"
	"  template:\n"
	"    metadata: {labels: {k8s-app: kube-proxy}}\n"
	"    spec:\n"
	"      priorityClassName: system-node-critical\n"
	"      serviceAccountName: kube-proxy\n"
	"      hostNetwork: true\n"
	"      tolerations: [{operator: Exists}]\n"
	"      nodeSelector: {kubernetes.io/os: linux}\n"
	"      containers:\n"
	"      - name: kube-proxy\n"
	"        image: registry.k8s.io/kube-proxy:v1.36.2\n"
	"        command: [/usr/local/bin/kube-proxy, --config=/var/lib/kube-proxy/config.conf, --hostname-override=$(NODE_NAME)]\n"
	"        securityContext: {privileged: true}\n";

static const char calico_yaml[] =
	"apiVersion: apps/v1\n"
	"kind: DaemonSet\n"
	"metadata: {name: calico-node, namespace: kube-system, labels: {k8s-app: calico-node}}\n"
	"spec:\n"
	"  selector: {matchLabels: {k8s-app: calico-node}}\n"
	"  template:\n"
	"    metadata: {labels: {k8s-app: calico-node}}\n"
	"    spec:\n"
	"      priorityClassName: system-node-critical\n"
	"      serviceAccountName: calico-node\n"
	"      hostNetwork: true\n"
	"      terminationGracePeriodSeconds: 0\n"
	"      tolerations: [{effect: NoSchedule, operator: Exists}, {key: CriticalAddonsOnly, operator: Exists}, {effect: NoExecute, operator: Exists}]\n"
	"      nodeSelector: {kubernetes.io/os: linux}\n"
	"      initContainers:\n"
	"      - {name: install-cni, image: 'quay.io/calico/cni:v3.33.0', command: [/opt/cni/bin/install], securityContext: {privileged: true}}\n"
	"      containers:\n"
	"      - name: calico-node\n"
	"        image: quay.io/calico/node:v3.33.0\n"
	"        env: [{name: CALICO_NETWORKING_BACKEND, value: bird}, {name: CLUSTER_TYPE, value: 'k8s,bgp'}]\n"
	"        livenessProbe: {exec: {command: [/bin/calico-node, -felix-live, -bird-live]}, periodSeconds: 10, initialDelaySeconds: 10, failureThreshold: 6, timeoutSeconds: 10}\n"
	"        readinessProbe: {exec: {command: [/bin/calico-node, -felix-ready, -bird-ready]}, periodSeconds: 10, timeoutSeconds: 10}\n"
	"        resources: {requests: {cpu: 250m}}\n"
	"        securityContext: {privileged: true}\n";

static const char flannel_yaml[] =
	"apiVersion: apps/v1\n"
	"kind: DaemonSet\n"
	"metadata: {name: kube-flannel-ds, namespace: kube-flannel, labels: {app: flannel, k8s-app: flannel}}\n"
	"spec:\n"
	"  selector: {matchLabels: {app: flannel}}\n"
	"  template:\n"
	"    metadata: {labels: {app: flannel}}\n"
	"    spec:\n"
	"      priorityClassName: system-node-critical\n"
	"      serviceAccountName: flannel\n"
	"      hostNetwork: true\n"
	"      tolerations: [{effect: NoSchedule, operator: Exists}]\n"
	"      initContainers:\n"
	"      - {name: install-cni-plugin, image: 'ghcr.io/flannel-io/flannel-cni-plugin:v1.9.0-flannel1', command: [cp], args: [-f, /flannel, /opt/cni/bin/flannel]}\n"
	"      - {name: install-cni, image: 'ghcr.io/flannel-io/flannel:v0.28.0', command: [cp], args: [-f, /etc/kube-flannel/cni-conf.json, /etc/cni/net.d/10-flannel.conflist]}\n"
	"      containers:\n"
	"      - name: kube-flannel\n"
	"        image: ghcr.io/flannel-io/flannel:v0.28.0\n"
	"        command: [/opt/bin/flanneld]\n"
	"        args: [--ip-masq, --kube-subnet-mgr]\n"
	"        resources: {requests: {cpu: 100m, memory: 50Mi}}\n";

/* ---- applying them */

static void add_doc(struct cluster *c, struct val *root)
{
	static const struct apply_options opt = { .unknown = VALIDATE_IGNORE, .respect_status = true, .create_namespaces = true };
	struct err err = { 0 };
	struct doc d = { NULL, root };
	enum apply_result done = d.root ? apply_doc(c, &d, &opt, NULL, &err) : APPLY_ERROR;

	assert(done != APPLY_ERROR);    /* the texts are ours */
	(void)done;
	err_free(&err);
}

static struct val *parsed(struct arena *a, const char *text)
{
	struct err err = { 0 };
	struct val *v = yaml_parse(a, "default objects", text, strlen(text), NULL, &err);

	err_free(&err);
	return v;
}

static void add(struct cluster *c, const char *text)
{
	struct arena *scratch = arena_new(NULL, "default objects");

	add_doc(c, parsed(scratch, text));
	arena_free(scratch);
}

static bool absent(struct cluster *c, const struct kind *k, const char *ns, const char *name)
{
	return !cluster_find(c, k, ns, name);
}

static void add_namespace(struct cluster *c, const char *name)
{
	if (absent(c, &namespace_kind, NULL, name))
		add(c, arena_printf(cluster_arena(c), "{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: {kubernetes.io/metadata.name: %s}}}", name, name));
}

/* ---- nodes */

static const char *addresses(struct cluster *c, uint32_t nth)
{
	const struct settings *s = cluster_settings(c);
	const char *out = "";
	bool four = false, six = false;

	for (uint32_t k = 0; k < s->pod_cidrs.nr; k++) {
		bool is4 = ip_is4(s->pod_cidrs.v[k].addr);

		if (is4 ? four : six)
			continue;
		*(is4 ? &four : &six) = true;
		out = arena_printf(cluster_arena(c), "%s{type: InternalIP, address: '%s'}, ", out, IP(ip_add(is4 ? FIRST_NODE4 : FIRST_NODE6, nth)));
	}
	return out;
}

/* "a=b,c": kubelet's --node-labels. */
static void labels_of(struct arena *a, struct val *labels, const char *text)
{
	for (size_t n; text && *text; text += n + (text[n] == ',')) {
		const char *eq = memchr(text, '=', n = strcspn(text, ","));
		size_t key = eq ? (size_t)(eq - text) : n;

		if (key)
			val_put(a, labels, arena_strndup(a, text, key), val_string(a, eq ? arena_strndup(a, eq + 1, n - key - 1) : ""));
	}
}

struct new_node { const char *name, *group; uint32_t nth; bool control_plane, tainted; const pair_list *labels; const struct val *registration; };

static void add_node(struct cluster *c, const struct new_node *n)
{
	struct arena *a = arena_new(NULL, "a node");
	uint32_t max_pods = cluster_settings(c)->max_pods;
	struct val *v = parsed(a, arena_printf(a, node_yaml, addresses(c, n->nth), max_pods, max_pods)), *meta = val_get_mut(v, "metadata"), *labels = val_get_mut(meta, "labels");
	struct val *spec = val_get_mut(v, "spec"), *host = val_new(a, VAL_MAP);
	const struct val *taints = val_get(n->registration, "taints");

	val_put(a, meta, "name", val_string(a, n->name));
	val_put(a, labels, "kubernetes.io/hostname", val_string(a, n->name));
	if (n->control_plane)
		val_put(a, labels, "node-role.kubernetes.io/control-plane", val_string(a, ""));
	if (n->tainted)         /* kind takes both off a node that is alone (kubeadminit/init.go) */
		val_put(a, labels, "node.kubernetes.io/exclude-from-external-load-balancers", val_string(a, ""));
	for (uint32_t k = 0; n->labels && k < n->labels->nr; k++)
		val_put(a, labels, n->labels->v[k].key, val_string(a, n->labels->v[k].value));
	labels_of(a, labels, extra_arg(val_get(n->registration, "kubeletExtraArgs"), "node-labels"));
	val_put(a, spec, "providerID", val_string(a, arena_printf(a, "kind://docker/%s/%s", n->group, n->name)));
	if (val_is(taints, VAL_LIST) && taints->nr)
		val_put(a, spec, "taints", val_copy(a, taints));
	else if (n->tainted && !val_is(taints, VAL_LIST))
		val_put(a, spec, "taints", parsed(a, "[{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]"));
	val_put(a, host, "type", val_string(a, "Hostname"));
	val_put(a, host, "address", val_string(a, n->name));
	val_add(a, val_get_mut(val_get_mut(v, "status"), "addresses"), host);
	add_doc(c, v);
	arena_free(a);
}

/* kind's own place for it is a field of its own; metadata.name is taken as well. NULL: none. */
static const char *cluster_name(const struct kind_cluster *k)
{
	const char *name = k->name && *k->name ? k->name : k->o.name;

	return name && *name ? name : NULL;
}

/* kind names its nodes CLUSTER-control-plane, CLUSTER-control-plane2, CLUSTER-worker … (pkg/cluster/internal/providers/common/namer.go). */
static const char *node_name(struct cluster *c, const char *cluster, bool control_plane, uint32_t nth)
{
	const char *role = control_plane ? "control-plane" : "worker";
	struct arena *a = cluster_arena(c);

	if (cluster && *cluster)
		return nth == 1 ? arena_printf(a, "%s-%s", cluster, role) : arena_printf(a, "%s-%s%u", cluster, role, nth);
	return control_plane && nth == 1 ? role : arena_printf(a, "%s-%u", role, nth);
}

static void add_kind_nodes(struct cluster *c, const struct kind_cluster *k)
{
	const char *group = cluster_name(k) ? cluster_name(k) : "podwire";
	uint32_t nth[2] = { 0 };

	if (!k->nodes.nr)
		add_node(c, &(struct new_node){ .name = node_name(c, cluster_name(k), true, 1), .group = group, .control_plane = true });
	for (uint32_t i = 0; i < k->nodes.nr; i++) {
		bool control_plane = !streq(k->nodes.v[i].role, "worker");

		add_node(c, &(struct new_node){ node_name(c, cluster_name(k), control_plane, ++nth[control_plane]), group, i, control_plane, control_plane && k->nodes.nr > 1,
						&k->nodes.v[i].labels, kind_registration(c, k, i) });
	}
}

static void add_nodes(struct cluster *c)
{
	struct object_list l = cluster_list(c, &kind_cluster_kind);

	if (l.nr) {
		add_kind_nodes(c, (const struct kind_cluster *)l.v[0]);
		return;
	}
	add_node(c, &(struct new_node){ .name = "control-plane", .group = "podwire", .control_plane = true, .tainted = true });
	add_node(c, &(struct new_node){ .name = "worker-1", .group = "podwire", .nth = 1 });
	add_node(c, &(struct new_node){ .name = "worker-2", .group = "podwire", .nth = 2 });
}

/* ---- Services */

static const char *control_plane_endpoints(struct cluster *c, bool four)
{
	struct object_list l = cluster_list(c, &node_kind);
	const char *out = "";

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct node *n = (const struct node *)l.v[k];

		if (!label_get(&n->o.labels, "node-role.kubernetes.io/control-plane"))
			continue;
		for (uint32_t i = 0; i < n->addresses.nr; i++) {
			ip_addr ip;

			if (streq(n->addresses.v[i].type, "InternalIP") && ip_parse(n->addresses.v[i].address, &ip) && ip_is4(ip) == four)
				out = arena_printf(cluster_arena(c), "%s%s{addresses: ['%s'], conditions: {ready: true}}", out, *out ? ", " : "", IP(ip));
		}
	}
	return out;
}

static void add_kubernetes(struct cluster *c)
{
	const struct settings *s = cluster_settings(c);
	bool four;

	if (!s->service_cidrs.nr)
		return;
	four = ip_is4(s->service_cidrs.v[0].addr);
	if (absent(c, &service_kind, "default", "kubernetes"))
		add(c, arena_printf(cluster_arena(c), kubernetes_yaml, IP(ip_add(s->service_cidrs.v[0].addr, 1))));
	if (!service_slices(c, find_service(c, "default", "kubernetes")).nr)
		add(c, arena_printf(cluster_arena(c), kubernetes_slice_yaml, four ? "IPv4" : "IPv6", control_plane_endpoints(c, four)));
}

static void add_dns(struct cluster *c)
{
	const struct settings *s = cluster_settings(c);
	const char *ips = "";

	if (absent(c, &config_map_kind, "kube-system", "coredns"))
		add(c, arena_printf(cluster_arena(c), corefile_yaml, s->domain, s->domain, s->domain));
	for (uint32_t k = 0; k < s->cluster_dns.nr && k < 2; k++)
		ips = arena_printf(cluster_arena(c), "%s%s'%s'", ips, k ? ", " : "", s->cluster_dns.v[k]);
	if (*ips && absent(c, &service_kind, "kube-system", "kube-dns"))
		add(c, arena_printf(cluster_arena(c), dns_service_yaml, ips, s->cluster_dns.nr > 1 ? "  ipFamilyPolicy: PreferDualStack\n" : ""));
	if (absent(c, &deployment_kind, "kube-system", "coredns"))
		add(c, coredns_yaml);
}

static bool living_cluster(struct cluster *c)
{
	struct object_list l = cluster_list(c, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (((const struct node *)l.v[k])->addresses.nr)
			return true;
	return false;
}

/* What --controller asks for stands in a living cluster too. */
static void add_controllers(struct cluster *c)
{
	struct err err = { 0 };

	controllers_install(c, &err);
	assert(!err_any(&err));
	err_free(&err);
}

void defaults_add_namespaces(struct cluster *c)
{
	add_namespace(c, "default");
	add_namespace(c, "kube-node-lease");
	add_namespace(c, "kube-public");
	add_namespace(c, "kube-system");
}

void defaults_add(struct cluster *c)
{
	struct settings_flags *flags = cluster_flags(c);
	bool respect = flags->respect, living = living_cluster(c);

	defaults_add_namespaces(c);
	add_controllers(c);
	if (living)
		return;
	flags->respect = true;          /* kubelets may be told of a DNS address outside the Service range */
	if (!cluster_count(c, &node_kind))
		add_nodes(c);
	add_kubernetes(c);
	add_dns(c);
	if (cluster_settings(c)->proxy_mode != PROXY_NONE && absent(c, &daemonset_kind, "kube-system", "kube-proxy"))
		add(c, kube_proxy_yaml);
	if (cluster_settings(c)->cni == CNI_CALICO && absent(c, &daemonset_kind, "kube-system", "calico-node"))
		add(c, calico_yaml);
	if (cluster_settings(c)->cni == CNI_FLANNEL && absent(c, &daemonset_kind, "kube-flannel", "kube-flannel-ds"))
		add(c, flannel_yaml);
	flags->respect = respect;
}
