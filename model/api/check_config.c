/* What kind, kubeadm, kube-proxy and the kubelet ask of their configuration, and the API server of ServiceCIDRs. Sources: kind pkg/internal/apis/config/validate.go;
 * cmd/kubeadm/app/apis/kubeadm/validation; pkg/proxy/apis/config/validation; pkg/kubelet/apis/config/validation; pkg/apis/networking/validation. */
#include "model/api/checks.h"
#include "model/api/config.h"

static const char *const families[] = { "dual", "ipv4", "ipv6", NULL };
static const char *const kind_modes[] = { "iptables", "ipvs", "nftables", "none", NULL };
static const char *const kind_roles[] = { "control-plane", "worker", NULL };
static const char *const proxy_modes[] = { "iptables", "ipvs", "nftables", NULL };
static const char *const local_modes[] = { "BridgeInterface", "ClusterCIDR", "InterfaceNamePrefix", "NodeCIDR", NULL };

static bool given(const char *s)
{
	return s && *s;
}

static void known(struct check *c, const struct path *p, const char *s, const char *const *words)
{
	if (given(s) && !one_of(s, words))
		refuse_unsupported(c, p, s, words);
}

/* "10.244.0.0/16,fd00:10:244::/56". four, six: which families it has. */
static void subnets(struct check *c, const struct path *p, const char *s, bool *four, bool *six)
{
	for (size_t n; given(s); s += n + (s[n] == ',')) {
		char piece[CIDR_TEXT + 16];
		struct cidr one;

		n = strcspn(s, ",");
		snprintf(piece, sizeof(piece), "%.*s", (int)MIN(n, sizeof(piece) - 1), s);
		if (cidr_parse(piece, &one))
			*(ip_is4(one.addr) ? four : six) = true;
		else
			refuse_str(c, p, piece, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
	}
}

static void any_subnets(struct check *c, const struct path *p, const char *s)
{
	bool four = false, six = false;

	subnets(c, p, s, &four, &six);
}

static void subnets_of(struct check *c, const struct path *p, const char *s, const char *family)
{
	uint32_t before = c->found;
	bool four = false, six = false;

	subnets(c, p, s, &four, &six);
	if (c->found > before || !given(s) || !one_of(family, families))
		return;
	if (streq(family, "dual") ? !four || !six : streq(family, "ipv4") ? six : four)
		refuse_str(c, p, s, "must be of the ipFamily, which is %s", family);
}

static void domain_check(struct check *c, const struct path *p, const char *s)
{
	if (given(s))
		must_be_subdomain(c, p, s);
}

/* ---- kind */

static void patches_check(struct check *c, const struct path *p, const str_list *patches)
{
	static const char *const read[] = { "ClusterConfiguration", "InitConfiguration", "JoinConfiguration", "KubeProxyConfiguration", "KubeletConfiguration", NULL };
	struct arena *a = arena_new(NULL, "kubeadmConfigPatches");

	for (uint32_t k = 0; k < patches->nr; k++) {
		struct err err = { 0 };
		const struct val *v = yaml_parse(a, "patch", patches->v[k], strlen(patches->v[k]), NULL, &err);
		const char *kind = val_str(val_get(v, "kind"));

		if (!v)
			refuse_omitted(c, ITEM(p, k), err.nr ? err.v[0].text : "bad YAML");
		else if (!given(kind))
			refuse_missing(c, ITEM(p, k), "a patch names its kind: ClusterConfiguration, InitConfiguration, …");
		else if (!one_of(kind, read))
			refuse_unsupported(c, ITEM(p, k), kind, read);
		err_free(&err);
	}
	arena_free(a);
}

void kind_cluster_check(struct check *c, const struct object *o)
{
	const struct kind_cluster *k = (const struct kind_cluster *)o;
	const struct path *net = SUB(NULL, "networking"), *nodes = SUB(NULL, "nodes");

	domain_check(c, SUB(NULL, "name"), k->name);
	domain_check(c, SUB(NULL, "metadata.name"), o->name);
	known(c, SUB(net, "ipFamily"), k->ip_family, families);
	known(c, SUB(net, "kubeProxyMode"), k->proxy_mode, kind_modes);
	subnets_of(c, SUB(net, "podSubnet"), k->pod_subnet, k->ip_family);
	subnets_of(c, SUB(net, "serviceSubnet"), k->service_subnet, k->ip_family);
	patches_check(c, SUB(NULL, "kubeadmConfigPatches"), &k->patches);
	for (uint32_t i = 0; i < k->nodes.nr; i++) {
		known(c, SUB(ITEM(nodes, i), "role"), k->nodes.v[i].role, kind_roles);
		must_be_labels(c, SUB(ITEM(nodes, i), "labels"), &k->nodes.v[i].labels);
		patches_check(c, SUB(ITEM(nodes, i), "kubeadmConfigPatches"), &k->nodes.v[i].patches);
	}
}

/* ---- kubeadm */

void kubeadm_config_check(struct check *c, const struct object *o)
{
	const struct kubeadm_config *k = (const struct kubeadm_config *)o;
	const struct path *net = SUB(NULL, "networking");
	const char *range = extra_arg(k->api_server_args, "service-node-port-range");
	uint16_t lo, hi;

	any_subnets(c, SUB(net, "podSubnet"), k->pod_subnet);
	any_subnets(c, SUB(net, "serviceSubnet"), k->service_subnet);
	domain_check(c, SUB(net, "dnsDomain"), k->dns_domain);
	if (range && !port_range_parse(range, &lo, &hi))
		refuse_str(c, SUB(NULL, "apiServer.extraArgs[service-node-port-range]"), range, "must be a range of ports, as 30000-32767 or 30000+2768");
}

const char *extra_arg(const struct val *args, const char *name)
{
	if (val_is(args, VAL_MAP))
		return val_str(val_get(args, name));
	VAL_EACH(a, args)
		if (streq(val_str(val_get(a, "name")), name))
			return val_str(val_get(a, "value"));
	return NULL;
}

bool port_range_parse(const char *s, uint16_t *lo, uint16_t *hi)
{
	unsigned from, to;
	char sign, more;
	int got = sscanf(s, "%u%c%u%c", &from, &sign, &to, &more);

	if (got == 1)
		to = from;
	else if (got != 3 || (sign != '-' && sign != '+'))
		return false;
	else if (sign == '+')
		to = from + MIN(to, 65536u);
	if (from > to || to > 65535)
		return false;
	*lo = (uint16_t)from;
	*hi = (uint16_t)to;
	return true;
}

/* ---- kube-proxy, kubelet */

static void bit_check(struct check *c, const struct path *p, const struct opt_int *bit)
{
	if (bit->set && (bit->v < 0 || bit->v > 31))
		refuse_int(c, p, bit->v, "must be within the range [0, 31]");
}

void kube_proxy_config_check(struct check *c, const struct object *o)
{
	const struct kube_proxy_config *k = (const struct kube_proxy_config *)o;
	const struct path *ports = SUB(NULL, "nodePortAddresses");

	known(c, SUB(NULL, "mode"), k->mode, proxy_modes);
	any_subnets(c, SUB(NULL, "clusterCIDR"), k->cluster_cidr);
	known(c, SUB(NULL, "detectLocalMode"), k->detect_local_mode, local_modes);
	if (streq(k->detect_local_mode, "BridgeInterface") && !given(k->bridge_interface))
		refuse_missing(c, SUB(NULL, "detectLocal.bridgeInterface"), "it goes with detectLocalMode BridgeInterface");
	if (streq(k->detect_local_mode, "InterfaceNamePrefix") && !given(k->interface_prefix))
		refuse_missing(c, SUB(NULL, "detectLocal.interfaceNamePrefix"), "it goes with detectLocalMode InterfaceNamePrefix");
	if (given(k->bind_address))
		must_be_ip(c, SUB(NULL, "bindAddress"), k->bind_address);
	bit_check(c, SUB(NULL, "iptables.masqueradeBit"), &k->iptables.masquerade_bit);
	bit_check(c, SUB(NULL, "nftables.masqueradeBit"), &k->nftables.masquerade_bit);
	for (uint32_t i = 0; i < k->node_port_addresses.nr; i++) {
		const char *s = k->node_port_addresses.v[i];

		if (!streq(s, "primary"))
			any_subnets(c, ITEM(ports, i), s);
		else if (k->node_port_addresses.nr > 1)
			refuse_str(c, ITEM(ports, i), s, "can't use both 'primary' and CIDRs");
	}
}

void kubelet_config_check(struct check *c, const struct object *o)
{
	const struct kubelet_config *k = (const struct kubelet_config *)o;

	domain_check(c, SUB(NULL, "clusterDomain"), k->cluster_domain);
	for (uint32_t i = 0; i < k->cluster_dns.nr; i++)
		must_be_ip(c, ITEM(SUB(NULL, "clusterDNS"), i), k->cluster_dns.v[i]);
	if (k->max_pods.set && k->max_pods.v < 0)
		refuse_int(c, SUB(NULL, "maxPods"), k->max_pods.v, "must not be a negative number");
}

/* ---- ServiceCIDR */

void service_cidr_check(struct check *c, const struct object *o)
{
	const struct service_cidr *s = (const struct service_cidr *)o;
	const struct path *p = SUB(NULL, "spec.cidrs");
	uint32_t nr[2] = { 0 };

	if (!s->cidrs.nr)
		refuse_missing(c, p, "at least one CIDR required");
	if (s->cidrs.nr > 2)
		refuse_many(c, p, s->cidrs.nr, 2);
	for (uint32_t k = 0; k < s->cidrs.nr; k++) {
		struct cidr one;

		if (cidr_parse(s->cidrs.v[k], &one))
			nr[ip_is4(one.addr)]++;
		else    /* upstream's own example of every field has such a text */
			warn_of(c, ITEM(p, k), "\"%s\" is not a CIDR value, as 10.9.8.0/24: it adds no addresses", s->cidrs.v[k]);
	}
	if (s->cidrs.nr == 2 && (nr[0] == 2 || nr[1] == 2))
		refuse_val(c, p, val_path(c->root, "spec.cidrs"), "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96");
}
