/* One struct settings from the configuration kinds, from the ConfigMaps that hold them in a living cluster, and from the command line. */
#include "model/cluster/settings.h"

#include <stdlib.h>
#include <strings.h>

#include "model/api/config.h"
#include "model/base/quantity.h"
#include "model/cluster/cluster.h"
#include "model/cluster/pod_network.h"

const char *const cni_names[CNI_COUNT] = { [CNI_CALICO] = "calico", [CNI_FLANNEL] = "flannel", [CNI_BRIDGE] = "bridge", [CNI_NONE] = "none" };

#define ADD(c, list, ...)                                                                                          \
	do {                                                                                                       \
		void *grown = arena_array(cluster_arena(c), __typeof__(*(list).v), (list).nr + 1);                 \
		if ((list).nr)                                                                                     \
			memcpy(grown, (list).v, sizeof(*(list).v) * (list).nr);                                    \
		(list).v = grown;                                                                                  \
		(list).v[(list).nr++] = (__VA_ARGS__);                                                             \
		(list).set = true;                                                                                 \
	} while (0)

/* "10.244.0.0/16,fd00::/48" */
static void add_cidrs(struct cluster *c, const char *text, void *list)
{
	LIST(struct cidr) *to = list;

	while (text && *text) {
		size_t n = strcspn(text, ",");
		struct cidr one;
		char piece[CIDR_TEXT + 8];

		if (n < sizeof(piece)) {
			bool there = false;

			memcpy(piece, text, n);
			piece[n] = '\0';
			if (!cidr_parse(piece, &one))
				one.set = false;
			for (uint32_t k = 0; one.set && k < to->nr; k++)
				there = there || (ip_eq(to->v[k].addr, one.addr) && to->v[k].len == one.len);
			if (one.set && !there)
				ADD(c, *to, one);
		}
		text += n + (text[n] == ',');
	}
}

/* Fit for a Corefile and a resolv.conf: what no check has seen (an import, a ConfigMap) may hold anything. */
static bool is_domain(const char *s)
{
	return s && *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == strlen(s);
}

/* kubeadm takes one Service range of each family (app/util/dualstack); more of them come as ServiceCIDR objects. */
static void one_per_family(struct settings *s)
{
	uint32_t to = 0;

	for (uint32_t k = 0; k < s->service_cidrs.nr; k++) {
		bool seen = false;

		for (uint32_t i = 0; i < to; i++)
			seen = seen || ip_is4(s->service_cidrs.v[i].addr) == ip_is4(s->service_cidrs.v[k].addr);
		if (!seen)
			s->service_cidrs.v[to++] = s->service_cidrs.v[k];
	}
	s->service_cidrs.nr = to;
}

static void from_kubeadm(struct cluster *c, const struct kubeadm_config *k, struct settings *s)
{
	const char *range = extra_arg(k->api_server_args, "service-node-port-range");
	const char *v;

	if (k->pod_subnet)
		s->pod_cidrs.nr = 0, add_cidrs(c, k->pod_subnet, &s->pod_cidrs);
	if (k->service_subnet)
		s->service_cidrs.nr = 0, add_cidrs(c, k->service_subnet, &s->service_cidrs), one_per_family(s);
	if (is_domain(k->dns_domain))
		s->domain = k->dns_domain;
	if (range)
		port_range_parse(range, &s->node_port_lo, &s->node_port_hi);
	if ((v = extra_arg(k->controller_args, "node-cidr-mask-size")) || (v = extra_arg(k->controller_args, "node-cidr-mask-size-ipv4")))
		s->node_mask4 = (uint8_t)atoi(v);
	if ((v = extra_arg(k->controller_args, "node-cidr-mask-size-ipv6")))
		s->node_mask6 = (uint8_t)atoi(v);
	if ((v = extra_arg(k->controller_args, "node-monitor-grace-period")))
		duration_parse(v, &s->node_monitor_grace);
}

/* A document of that kind, as one that was applied; its errors are not told. */
static const void *decoded(struct cluster *c, const struct kind *kind, const struct val *v, const char *file, const char *name)
{
	struct object *o = arena_alloc(cluster_arena(c), kind->size, 16);
	struct err err = { 0 };
	struct decode d = { .strings = cluster_strings(c), .arena = cluster_arena(c), .unknown = VALIDATE_IGNORE, .file = file, .object = name, .err = &err };

	o->kind = kind;
	fields_decode(&d, kind->fields, v, "", o);
	err_free(&err);
	return o;
}

/* What kubeadmConfigPatches make of a document of that kind; NULL: none speaks of it. */
static const void *patch_of(struct cluster *c, const struct kind_cluster *k, const struct kind *kind)
{
	struct val *v = kind_patched(c, k, kind->name, val_new(cluster_arena(c), VAL_MAP));

	return v->nr ? decoded(c, kind, v, k->o.file, kind->name) : NULL;
}

static void from_kind(struct cluster *c, const struct kind_cluster *k, struct settings *s)
{
	const struct kubeadm_config *kubeadm = patch_of(c, k, &kubeadm_config_kind);
	bool six = streq(k->ip_family, "ipv6"), dual = streq(k->ip_family, "dual");

	/* kind's own defaults: pkg/apis/config/v1alpha4/default.go */
	if (k->pod_subnet || six || dual)
		s->pod_cidrs.nr = 0, add_cidrs(c, k->pod_subnet ? k->pod_subnet : six ? "fd00:10:244::/56" : "10.244.0.0/16,fd00:10:244::/56", &s->pod_cidrs);
	if (k->service_subnet || six || dual)
		s->service_cidrs.nr = 0, add_cidrs(c, k->service_subnet ? k->service_subnet : six ? "fd00:10:96::/112" : "10.96.0.0/16,fd00:10:96::/112", &s->service_cidrs);
	if (streq(k->proxy_mode, "iptables"))
		s->proxy_mode = PROXY_IPTABLES;
	else if (streq(k->proxy_mode, "ipvs"))
		s->proxy_mode = PROXY_IPVS;
	else if (streq(k->proxy_mode, "nftables"))
		s->proxy_mode = PROXY_NFTABLES;
	else if (streq(k->proxy_mode, "none"))
		s->proxy_mode = PROXY_NONE;
	if (kubeadm)
		from_kubeadm(c, kubeadm, s);
}

static void from_proxy(struct cluster *c, const struct kube_proxy_config *k, struct settings *s)
{
	static const char *const detect[] = {
		[DETECT_NONE] = "", [DETECT_CLUSTER_CIDR] = "ClusterCIDR", [DETECT_NODE_CIDR] = "NodeCIDR", [DETECT_BRIDGE] = "BridgeInterface",
		[DETECT_PREFIX] = "InterfaceNamePrefix",
	};
	const struct opt_int *bit;

	/* The default mode of Linux is iptables (cmd/kube-proxy/app/server_linux.go). */
	s->proxy_mode = streq(k->mode, "nftables") ? PROXY_NFTABLES : streq(k->mode, "ipvs") ? PROXY_IPVS : PROXY_IPTABLES;
	bit = s->proxy_mode == PROXY_NFTABLES ? &k->nftables.masquerade_bit : &k->iptables.masquerade_bit;
	if (bit->set && bit->v >= 0 && bit->v < 32)
		s->masquerade_bit = (uint8_t)bit->v;
	s->masquerade_all = s->proxy_mode == PROXY_NFTABLES ? k->nftables.masquerade_all : k->iptables.masquerade_all;
	s->localhost_node_ports = k->iptables.localhost_node_ports != TRI_FALSE;
	s->detect_local = DETECT_CLUSTER_CIDR;
	for (size_t m = 1; m < ARRAY_LEN(detect); m++)
		if (streq(k->detect_local_mode, detect[m]))
			s->detect_local = (uint8_t)m;
	s->cluster_cidrs.nr = 0;
	add_cidrs(c, k->cluster_cidr, &s->cluster_cidrs);
	s->bridge_interface = k->bridge_interface;
	s->interface_prefix = k->interface_prefix;
	s->node_port_addresses = k->node_port_addresses;
	s->node_port_addresses_set = k->node_port_addresses.nr > 0;
	s->proxy_hostname = k->hostname_override && *k->hostname_override ? k->hostname_override : NULL;
	s->external_ips_allowed = val_bool_or(val_get(k->feature_gates, "AllowServiceExternalIPs"), true);
	s->same_node_hints = val_bool_or(val_get(k->feature_gates, "PreferSameTrafficDistribution"), true);
}

static void from_kubelet(struct cluster *c, const struct kubelet_config *k, struct settings *s)
{
	ip_addr ip;

	if (is_domain(k->cluster_domain))
		s->domain = k->cluster_domain;
	if (k->cluster_dns.set) {
		s->cluster_dns = (__typeof__(s->cluster_dns)){ 0 };
		for (uint32_t i = 0; i < k->cluster_dns.nr; i++)        /* pkg/kubelet/kubelet.go NewMainKubelet leaves out what is none */
			if (ip_parse_lenient(k->cluster_dns.v[i], &ip))
				ADD(c, s->cluster_dns, k->cluster_dns.v[i]);
		s->cluster_dns_set = true;
	}
	if (k->max_pods.set)
		s->max_pods = (uint32_t)MAX(k->max_pods.v, 0);
}

/* A living cluster keeps its configuration in ConfigMaps, as text: kubeadm's ClusterConfiguration, kube-proxy's config.conf, kubelet's kubelet. */
static void from_config_map(struct cluster *c, const char *name, const char *key, const struct kind *kind, struct settings *s)
{
	const struct config_map *m = (const struct config_map *)cluster_find(c, &config_map_kind, "kube-system", name);
	const char *text = m ? label_get(&m->data, key) : NULL;
	struct err err = { 0 };
	struct val *v;

	if (!text)
		return;
	v = yaml_parse(cluster_arena(c), m->o.file, text, strlen(text), NULL, &err);
	if (val_is(v, VAL_MAP) && kind == &kubeadm_config_kind)
		from_kubeadm(c, decoded(c, kind, v, m->o.file, name), s);
	else if (val_is(v, VAL_MAP) && kind == &kube_proxy_config_kind)
		from_proxy(c, decoded(c, kind, v, m->o.file, name), s);
	else if (val_is(v, VAL_MAP))
		from_kubelet(c, decoded(c, kind, v, m->o.file, name), s);
	err_free(&err);
}

static uint8_t encap_of(const char *mode)
{
	return streq(mode, "Always") ? ENCAP_ALWAYS : streq(mode, "CrossSubnet") ? ENCAP_CROSS_SUBNET : ENCAP_NEVER;
}

static void pools_of(struct cluster *c, struct settings *s)
{
	struct object_list l = cluster_list(c, &ip_pool_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct ip_pool *p = (const struct ip_pool *)l.v[k];
		struct cidr cidr;

		if (p->cidr && cidr_parse(p->cidr, &cidr))
			ADD(c, s->pools, (struct pool_setting){ cidr, (uint8_t)p->block_size, encap_of(p->ipip_mode), encap_of(p->vxlan_mode), p->nat_outgoing,
								p->disabled, p->o.name, p->o.id });
	}
	for (uint32_t k = 0; !l.nr && k < s->pod_cidrs.nr; k++) {
		bool four = ip_is4(s->pod_cidrs.v[k].addr);

		ADD(c, s->pools, (struct pool_setting){ s->pod_cidrs.v[k], four ? 26 : 122, ENCAP_NEVER, ENCAP_NEVER, four, false,
							cluster_str(c, four ? "default-ipv4-ippool" : "default-ipv6-ippool"), { 0 } });
	}
}

/* Which Pod network is installed: what --cni says, else (or after --cni none) what the DaemonSets of real installations say, else Calico. */
static uint8_t cni_of(struct cluster *c, const struct settings *s)
{
	const struct workload *installed;

	for (int k = 0; k < CNI_COUNT; k++)
		if (k != CNI_NONE && streq(s->flags->cni, cni_names[k]))
			return (uint8_t)k;
	installed = pod_network_daemonset(c);
	if (installed)
		return pod_network_of(installed->o.name);
	return pod_network_comes_later(c) ? CNI_NONE : CNI_CALICO;
}

static const struct object *first_of(struct cluster *c, const struct kind *k)
{
	struct object_list l = cluster_list(c, k);

	return l.nr ? l.v[0] : NULL;
}

static void defaults(struct cluster *c, struct settings *s)
{
	const struct settings_flags *flags = cluster_flags(c);

	*s = (struct settings){
		.node_mask4 = 24, .node_mask6 = 64, .node_port_lo = 30000, .node_port_hi = 32767,
		.domain = cluster_str(c, "cluster.local"), .max_pods = 110, .max_blocks = 20, .as_number = 64512, .mesh = true, .endpoint_to_host_accept = true,
		.proxy_mode = PROXY_NFTABLES, .localhost_node_ports = true, .masquerade_bit = 14, .detect_local = DETECT_CLUSTER_CIDR,
		.external_ips_allowed = true, .same_node_hints = true, .kernel = { .random_fully = true }, .flags = flags,
	};
	if (flags->kernel_set)
		s->kernel = flags->kernel;
	add_cidrs(c, "10.244.0.0/16", &s->pod_cidrs);
	add_cidrs(c, "10.96.0.0/16", &s->service_cidrs);
}

static bool serves(const struct settings *s, const char *text)
{
	struct cidr one;

	for (uint32_t k = 0; cidr_parse(text, &one) && k < s->service_cidrs.nr; k++)
		if (ip_is4(s->service_cidrs.v[k].addr) == ip_is4(one.addr))
			return true;
	return false;
}

/* The range that the API server was started with is in the object named kubernetes (pkg/controlplane/controller/defaultservicecidr). The others add to it, in the
 * families that it has: allocators are made for those alone (pkg/registry/core/rest/storage_core.go). */
static void from_service_cidrs(struct cluster *c, struct settings *s)
{
	struct object_list l = cluster_list(c, &service_cidr_kind);

	if (cluster_find(c, &service_cidr_kind, NULL, "kubernetes"))
		s->service_cidrs.nr = 0;
	for (int own = 1; own >= 0; own--)
		for (uint32_t k = 0; k < l.nr; k++) {
			const str_list *cidrs = &((const struct service_cidr *)l.v[k])->cidrs;

			for (uint32_t i = 0; streq(l.v[k]->name, "kubernetes") == own && i < cidrs->nr; i++)
				if (own || serves(s, cidrs->v[i]))
					add_cidrs(c, cidrs->v[i], &s->service_cidrs);
		}
}

/* kube-proxy's configuration as kind writes it, with the patches of it. NULL: there is none. */
static const struct kube_proxy_config *kind_proxy(struct cluster *c, const struct kind_cluster *k, const struct settings *s)
{
	static const char *const modes[] = { [PROXY_NFTABLES] = "nftables", [PROXY_IPTABLES] = "iptables", [PROXY_IPVS] = "ipvs" };
	struct arena *a = cluster_arena(c);
	struct val *base = val_new(a, VAL_MAP), *v;
	const char *cidrs = "";

	for (uint32_t i = 0; i < s->pod_cidrs.nr; i++)
		cidrs = arena_printf(a, "%s%s%s", cidrs, i ? "," : "", CIDR(s->pod_cidrs.v[i]));
	val_put(a, base, "mode", val_string(a, modes[s->proxy_mode]));
	val_put(a, base, "clusterCIDR", val_string(a, cidrs));
	v = kind_patched(c, k, kube_proxy_config_kind.name, base);
	return v->nr > 2 ? decoded(c, &kube_proxy_config_kind, v, k->o.file, kube_proxy_config_kind.name) : NULL;
}

void settings_build(struct cluster *c, struct settings *s)
{
	const struct kind_cluster *kind = (const struct kind_cluster *)first_of(c, &kind_cluster_kind);
	const struct kube_proxy_config *proxy = NULL;
	const struct kubelet_config *kubelet;
	const struct object *o;
	bool proxy_given;

	defaults(c, s);
	if (kind)
		from_kind(c, kind, s);
	from_config_map(c, "kubeadm-config", "ClusterConfiguration", &kubeadm_config_kind, s);
	if ((o = first_of(c, &kubeadm_config_kind)))
		from_kubeadm(c, (const struct kubeadm_config *)o, s);
	from_service_cidrs(c, s);
	s->service_cidrs_known = s->service_cidrs.nr > 0;
	if (kind && s->proxy_mode != PROXY_NONE && (proxy = kind_proxy(c, kind, s)))
		from_proxy(c, proxy, s);
	from_config_map(c, "kube-proxy", "config.conf", &kube_proxy_config_kind, s);
	proxy_given = proxy || cluster_find(c, &config_map_kind, "kube-system", "kube-proxy") != NULL;
	if ((o = first_of(c, &kube_proxy_config_kind))) {
		from_proxy(c, (const struct kube_proxy_config *)o, s);
		proxy_given = true;
	}
	/* kubeadm and kind write clusterCIDR = podSubnet into kube-proxy's configuration; so it is where nothing else is said. */
	for (uint32_t k = 0; !proxy_given && k < s->pod_cidrs.nr; k++)
		ADD(c, s->cluster_cidrs, s->pod_cidrs.v[k]);
	if (kind && (kubelet = patch_of(c, kind, &kubelet_config_kind)))
		from_kubelet(c, kubelet, s);
	from_config_map(c, "kubelet-config", "kubelet", &kubelet_config_kind, s);
	if ((o = first_of(c, &kubelet_config_kind)))
		from_kubelet(c, (const struct kubelet_config *)o, s);
	for (uint32_t k = 0; !s->cluster_dns_set && k < s->service_cidrs.nr; k++)       /* the 10th address: kubeadm GetDNSIP */
		ADD(c, s->cluster_dns, cluster_str(c, IP(ip_add(s->service_cidrs.v[k].addr, 10))));
	if ((o = first_of(c, &bgp_configuration_kind))) {
		s->mesh = ((const struct bgp_configuration *)o)->mesh != TRI_FALSE;
		s->as_number = ((const struct bgp_configuration *)o)->as_number ? ((const struct bgp_configuration *)o)->as_number : s->as_number;
	}
	if ((o = first_of(c, &felix_configuration_kind)) && ((const struct felix_configuration *)o)->endpoint_to_host)
		s->endpoint_to_host_accept = strcasecmp(((const struct felix_configuration *)o)->endpoint_to_host, "Drop") != 0;
	if ((o = first_of(c, &ipam_config_kind)) || (o = first_of(c, &ipam_configuration_kind))) {
		const struct ipam_config *i = (const struct ipam_config *)o;

		s->strict_affinity = i->strict == TRI_TRUE;
		s->max_blocks = i->max_blocks > 0 ? (uint32_t)i->max_blocks : s->max_blocks;
	}
	s->cni = cni_of(c, s);
	pools_of(c, s);
	pod_network_configure(c, s);
}
