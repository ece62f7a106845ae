/* Kinds of network add-ons: Calico's, MetalLB's, Istio's; and ServiceCIDR. */
#include <strings.h>

#include "model/api/check_mesh.h"
#include "model/api/checks.h"
#include "model/base/ip.h"
#include "model/api/shape.h"

/* ---- Calico. Source: calico api/pkg/apis/projectcalico/v3 */
static const struct field pool_spec_fields[] = {
	ROW(F_STR, "cidr", struct ip_pool, cidr), ROW(F_STR, "ipipMode", struct ip_pool, ipip_mode), ROW(F_STR, "vxlanMode", struct ip_pool, vxlan_mode),
	ROW(F_STR, "nodeSelector", struct ip_pool, node_selector), ROW(F_STR, "assignmentMode", struct ip_pool, assignment), ROW(F_INT, "blockSize", struct ip_pool, block_size),
	ROW(F_BOOL, "natOutgoing", struct ip_pool, nat_outgoing), ROW(F_BOOL, "disabled", struct ip_pool, disabled), ROW(F_TRI, "disableBGPExport", struct ip_pool, disable_bgp_export),
	ROW(F_STRS, "allowedUses", struct ip_pool, allowed_uses), ROW(F_STR, "namespaceSelector", struct ip_pool, namespace_selector), ROW_KEEP("ipip"), KEPT(F_BOOL, "nat-outgoing"),
	FIELD_END
};
static const struct field pool_fields[] = { ROW_TOP, ROW_HERE("spec", pool_spec_fields), ROW_KEEP("status"), FIELD_END };
SHAPE(community, STR(name) STR(value))
SHAPE(prefix_advertisement, STR(cidr) STRS(communities))
SHAPE(cidr_only, STR(cidr))
SHAPE(secret_key, STR(key) STR(name) BOOL(optional))
SHAPE(password, OBJ(secretKeyRef, secret_key))
static const struct field bgp_spec_fields[] = {
	ROW(F_TRI, "nodeToNodeMeshEnabled", struct bgp_configuration, mesh), ROW(F_I64, "asNumber", struct bgp_configuration, as_number),
	STR(bindMode) OBJS(communities, community) STRS(ignoredInterfaces) INT(ipv4NormalRoutePriority) INT(ipv6NormalRoutePriority) INT(listenPort)
	STR(localWorkloadPeeringIPV4) STR(localWorkloadPeeringIPV6) STR(logSeverityScreen) STR(nodeMeshMaxRestartTime) OBJ(nodeMeshPassword, password)
	OBJS(prefixAdvertisements, prefix_advertisement) STR(programClusterRoutes) OBJS(serviceClusterIPs, cidr_only) OBJS(serviceExternalIPs, cidr_only)
	STR(serviceLoadBalancerAggregation) OBJS(serviceLoadBalancerIPs, cidr_only)
	FIELD_END
};
static const struct field bgp_fields[] = { ROW_TOP, ROW_HERE("spec", bgp_spec_fields), FIELD_END };
static const struct field peer_spec_fields[] = {
	ROW(F_STR, "node", struct bgp_peer, node), ROW(F_STR, "peerIP", struct bgp_peer, peer_ip), ROW(F_STR, "nodeSelector", struct bgp_peer, node_selector),
	ROW(F_STR, "peerSelector", struct bgp_peer, peer_selector), ROW(F_I64, "asNumber", struct bgp_peer, as_number),
	STRS(filters) BOOL(keepOriginalNextHop) STR(keepaliveTime) LONG(localASNumber) STR(localWorkloadSelector) STR(maxRestartTime) STR(nextHopMode)
	INT(numAllowedLocalASNumbers) OBJ(password, password) STR(reachableBy) STR(reversePeering) STR(sourceAddress) INT(ttlSecurity)
	FIELD_END
};
static const struct field peer_fields[] = { ROW_TOP, ROW_HERE("spec", peer_spec_fields), FIELD_END };
static const struct field felix_spec_fields[] = {
	ROW(F_STR, "defaultEndpointToHostAction", struct felix_configuration, endpoint_to_host), ROW_KEEP("*"),         /* some 200 more, none of them modelled */
	FIELD_END
};
static const struct field felix_fields[] = { ROW_TOP, ROW_HERE("spec", felix_spec_fields), FIELD_END };

static const struct field ipam_spec_fields[] = {
	ROW(F_TRI, "strictAffinity", struct ipam_config, strict), ROW(F_INT, "maxBlocksPerHost", struct ipam_config, max_blocks), ROW_KEEP("autoAllocateBlocks"),
	ROW_KEEP("kubeVirtVMAddressPersistence"), FIELD_END
};
static const struct field ipam_fields[] = { ROW_TOP, ROW_HERE("spec", ipam_spec_fields), FIELD_END };

static void pool_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct ip_pool *p = (struct ip_pool *)o;
	struct cidr c;

	(void)a;
	if (!p->block_size)
		p->block_size = p->cidr && cidr_parse(p->cidr, &c) && !ip_is4(c.addr) ? 122 : 26;
	if (!p->ipip_mode)
		p->ipip_mode = str_intern(t, "Never");
	if (!p->vxlan_mode)
		p->vxlan_mode = str_intern(t, "Never");
}

/* Source: calico libcalico-go/lib/validator/v3/validator.go validateIPPool. */
static void pool_check(struct check *c, const struct object *o)
{
	static const char *const modes[] = { "Always", "CrossSubnet", "Never", NULL };
	const struct ip_pool *p = (const struct ip_pool *)o;
	const struct path *at = SUB(NULL, "spec");
	bool encapsulated = !streq(p->ipip_mode, "Never") && *p->ipip_mode;
	struct cidr cidr;
	int least;

	if (!p->cidr) {
		refuse_missing(c, SUB(at, "cidr"), "%s", "");
		return;
	}
	must_be_cidr_any(c, SUB(at, "cidr"), p->cidr);
	if (*p->ipip_mode && !one_of(p->ipip_mode, modes))
		refuse_unsupported(c, SUB(at, "ipipMode"), p->ipip_mode, modes);
	if (*p->vxlan_mode && !one_of(p->vxlan_mode, modes))
		refuse_unsupported(c, SUB(at, "vxlanMode"), p->vxlan_mode, modes);
	if (encapsulated && *p->vxlan_mode && !streq(p->vxlan_mode, "Never"))
		refuse_str(c, SUB(at, "vxlanMode"), p->vxlan_mode, "IPIPMode and VXLANMode cannot both be enabled on the same IP pool");
	if (!cidr_parse(p->cidr, &cidr))
		return;
	least = ip_is4(cidr.addr) ? 20 : 116;
	if (encapsulated && !ip_is4(cidr.addr))
		refuse_str(c, SUB(at, "ipipMode"), p->ipip_mode, "IPIPMode other than 'Never' is not supported on an IPv6 IP pool");
	if (p->block_size < least || p->block_size > ip_bits(cidr.addr))
		refuse_int(c, SUB(at, "blockSize"), p->block_size, "block size must be between %d and %d", least, ip_bits(cidr.addr));
	else if (cidr.len > p->block_size)
		refuse_str(c, SUB(at, "cidr"), p->cidr, "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size.");
}

/* ---- MetalLB. Source: metallb api/v1beta1 */
static const struct field lb_allocation_fields[] = {
	ROW(F_I64, "priority", struct metallb_pool, priority), ROW(F_STRS, "namespaces", struct metallb_pool, namespaces),
	ROW_LIST("namespaceSelectors", struct metallb_pool, namespace_selectors, struct selector, selector_fields),
	ROW_LIST("serviceSelectors", struct metallb_pool, service_selectors, struct selector, selector_fields), FIELD_END
};
static const struct field lb_pool_spec_fields[] = {
	ROW(F_STRS, "addresses", struct metallb_pool, addresses), ROW(F_TRI, "autoAssign", struct metallb_pool, auto_assign), ROW(F_BOOL, "avoidBuggyIPs", struct metallb_pool, avoid_buggy), ROW_HERE("serviceAllocation", lb_allocation_fields), FIELD_END
};
static const struct field lb_pool_fields[] = { ROW_TOP, ROW_HERE("spec", lb_pool_spec_fields), ROW_KEEP("status"), FIELD_END };
static const struct field preference_fields[] = {
	ROW(F_INT, "weight", struct metallb_preference, weight), ROW_STRUCT("preference", struct metallb_preference, nodes, selector_fields), FIELD_END
};
static const struct field ad_spec_fields[] = {
	ROW(F_STRS, "ipAddressPools", struct metallb_advertisement, pools), ROW(F_STRS, "interfaces", struct metallb_advertisement, interfaces),
	ROW_LIST("ipAddressPoolSelectors", struct metallb_advertisement, pool_selectors, struct selector, selector_fields),
	ROW_LIST("nodeSelectors", struct metallb_advertisement, node_selectors, struct selector, selector_fields),
	ROW_LIST("serviceSelectors", struct metallb_advertisement, service_selectors, struct selector, selector_fields),
	ROW_LIST("preferredNodeSelectors", struct metallb_advertisement, preferred, struct metallb_preference, preference_fields), ROW_KEEP("aggregationLength"), ROW_KEEP("aggregationLengthV6"), ROW_KEEP("localPref"), ROW_KEEP("communities"), ROW_KEEP("peers"),
	FIELD_END
};
static const struct field ad_fields[] = { ROW_TOP, ROW_HERE("spec", ad_spec_fields), ROW_KEEP("status"), FIELD_END };

bool metallb_range(const char *s, ip_addr *first, ip_addr *last)
{
	const char *dash = strchr(s, '-');
	char from[64], to[64];
	struct cidr cidr;

	if (!dash) {
		if (!cidr_parse(s, &cidr))
			return false;
		*first = cidr.addr;
		*last = cidr_last(cidr);
		return true;
	}
	trimmed(s, (size_t)(dash - s), from, sizeof(from));
	trimmed(dash + 1, strlen(dash + 1), to, sizeof(to));
	return ip_parse(from, first) && ip_parse(to, last) && ip_is4(*first) == ip_is4(*last) && ip_order(*first, *last) <= 0;
}

bool metallb_has(const struct metallb_pool *p, ip_addr ip)
{
	ip_addr first, last;

	for (uint32_t k = 0; k < p->addresses.nr; k++)
		if (metallb_range(p->addresses.v[k], &first, &last) && ip_is4(first) == ip_is4(ip) && ip_order(first, ip) <= 0 && ip_order(ip, last) <= 0)
			return true;
	return false;
}

bool metallb_advertises(const struct metallb_advertisement *a, const struct metallb_pool *p)
{
	for (uint32_t k = 0; k < a->pools.nr; k++)
		if (streq(a->pools.v[k], p->o.name))
			return true;
	for (uint32_t k = 0; k < a->pool_selectors.nr; k++)
		if (selector_matches(&a->pool_selectors.v[k], &p->o.labels))
			return true;
	return !a->pools.nr && !a->pool_selectors.nr;
}

static void lb_pool_check(struct check *c, const struct object *o)
{
	const struct metallb_pool *p = (const struct metallb_pool *)o;
	const struct path *at = SUB(NULL, "spec.addresses");
	ip_addr first, last;

	if (!p->addresses.nr)
		refuse_missing(c, at, "pool has no prefixes defined");
	for (uint32_t k = 0; k < p->addresses.nr; k++)
		if (!metallb_range(p->addresses.v[k], &first, &last))
			refuse_str(c, ITEM(at, k), p->addresses.v[k], "invalid CIDR or range of addresses: 192.0.2.0/24 or 192.0.2.10-192.0.2.20 was expected");
}

/* Source: calico libcalico-go/lib/validator/v3, the CustomResourceDefinitions' patterns. */
static void bgp_peer_check(struct check *c, const struct object *o)
{
	const struct bgp_peer *p = (const struct bgp_peer *)o;
	const char *s = p->peer_ip, *port = s && *s == '[' ? strstr(s, "]:") : s && !strchr(s, ':') ? NULL : s && strchr(s, ':') == strrchr(s, ':') ? strchr(s, ':') : NULL;
	size_t n = s ? (port ? (size_t)(port - s) : strlen(s)) : 0, skip = s && *s == '[';
	ip_addr ip;

	if (s && *s && (n <= skip || !ip_parse_n(s + skip, n - skip, &ip)))
		refuse_str(c, SUB(NULL, "spec.peerIP"), s, "must be an address, or an address and a port, as 192.0.2.1:179 or [2001:db8::1]:179");
	if (s && *s && p->peer_selector && *p->peer_selector)
		refuse_str(c, SUB(NULL, "spec.peerIP"), s, "cannot be set beside peerSelector");
	if (p->as_number < 0 || p->as_number > UINT32_MAX)
		refuse_int(c, SUB(NULL, "spec.asNumber"), p->as_number, "must be between 0 and 4294967295");
}

static void bgp_configuration_check(struct check *c, const struct object *o)
{
	const struct bgp_configuration *b = (const struct bgp_configuration *)o;

	if (b->as_number < 0 || b->as_number > UINT32_MAX)
		refuse_int(c, SUB(NULL, "spec.asNumber"), b->as_number, "must be between 0 and 4294967295");
}

static void felix_check(struct check *c, const struct object *o)
{
	static const char *const actions[] = { "Accept", "Drop", "Return", NULL };
	const char *s = ((const struct felix_configuration *)o)->endpoint_to_host;

	for (size_t k = 0; s && *s && actions[k]; k++)
		if (strcasecmp(s, actions[k]) == 0)
			return;
	if (s && *s)
		refuse_unsupported(c, SUB(NULL, "spec.defaultEndpointToHostAction"), s, actions);
}

static const struct field cidr_spec_fields[] = { ROW(F_STRS, "cidrs", struct service_cidr, cidrs), FIELD_END };
static const struct field cidr_fields[] = { ROW_TOP, ROW_HERE("spec", cidr_spec_fields), ROW_KEEP("status"), FIELD_END };
static const struct field raw_fields[] = { ROW_TOP, ROW(F_RAW, "spec", struct raw_object, spec), ROW_KEEP("status"), FIELD_END };

static const struct field state_fields[] = { ROW_TOP, ROW(F_RAW, "status", struct raw_object, spec), FIELD_END };

#define APIS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define CALICO    APIS("crd.projectcalico.org/v1", "projectcalico.org/v3")
const struct kind ip_pool_kind = { .name = "IPPool", .apis = CALICO, .plural = "ippools", .size = sizeof(struct ip_pool), .fields = pool_fields, .dflt = pool_default,
				   .check = pool_check };
const struct kind bgp_configuration_kind = { .name = "BGPConfiguration", .apis = CALICO, .plural = "bgpconfigurations", .size = sizeof(struct bgp_configuration), .fields = bgp_fields, .check = bgp_configuration_check };
const struct kind bgp_peer_kind = { .name = "BGPPeer", .apis = CALICO, .plural = "bgppeers", .size = sizeof(struct bgp_peer), .fields = peer_fields, .check = bgp_peer_check };
const struct kind felix_configuration_kind = { .name = "FelixConfiguration", .apis = CALICO, .plural = "felixconfigurations", .size = sizeof(struct felix_configuration),
					       .fields = felix_fields, .check = felix_check };
const struct kind ipam_config_kind = { .name = "IPAMConfig", .apis = APIS("crd.projectcalico.org/v1"), .plural = "ipamconfigs", .size = sizeof(struct ipam_config), .fields = ipam_fields };
const struct kind ipam_configuration_kind = { .name = "IPAMConfiguration", .apis = APIS("projectcalico.org/v3"), .plural = "ipamconfigurations", .size = sizeof(struct ipam_config),
					      .fields = ipam_fields };
const struct kind metallb_pool_kind = { .name = "IPAddressPool", .apis = APIS("metallb.io/v1beta1"), .plural = "ipaddresspools", .namespaced = true,
					.size = sizeof(struct metallb_pool), .fields = lb_pool_fields, .check = lb_pool_check };
const struct kind l2_advertisement_kind = { .name = "L2Advertisement", .apis = APIS("metallb.io/v1beta1"), .plural = "l2advertisements", .namespaced = true,
					    .size = sizeof(struct metallb_advertisement), .fields = ad_fields };
const struct kind bgp_filter_kind = { .name = "BGPFilter", .apis = CALICO, .plural = "bgpfilters", .size = sizeof(struct raw_object), .fields = raw_fields };
const struct kind bgp_advertisement_kind = { .name = "BGPAdvertisement", .apis = APIS("metallb.io/v1beta1"), .plural = "bgpadvertisements", .namespaced = true,
					     .size = sizeof(struct metallb_advertisement), .fields = ad_fields };
const struct kind service_cidr_kind = { .name = "ServiceCIDR", .apis = APIS("networking.k8s.io/v1", "networking.k8s.io/v1beta1"), .plural = "servicecidrs",
					.size = sizeof(struct service_cidr), .fields = cidr_fields, .check = service_cidr_check, .name_rule = must_be_path_segment };
/* nmstate's report of a node's interfaces and routes; its spec member is the status. */
const struct kind node_network_state_kind = { .name = "NodeNetworkState", .apis = APIS("nmstate.io/v1beta1", "nmstate.io/v1alpha1"), .plural = "nodenetworkstates", .size = sizeof(struct raw_object),
					      .fields = state_fields };
#define ISTIO_NET APIS("networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3")
#define ISTIO_SEC APIS("security.istio.io/v1", "security.istio.io/v1beta1")
#define MESH(id, n, a, pl, sh)                                                                                                                               \
	static const struct field id##_fields[] = { ROW_TOP, ROW_RAW("spec", struct raw_object, spec, id##_spec), ROW_KEEP("status"), FIELD_END };    \
	const struct kind id##_kind = { .name = n, .apis = a, .plural = pl, .shorts = sh, .namespaced = true, .size = sizeof(struct raw_object), .fields = id##_fields,  \
					.check = id##_check, .name_rule = must_be_path_segment }
MESH(virtual_service, "VirtualService", ISTIO_NET, "virtualservices", NULL);
MESH(istio_sidecar, "Sidecar", ISTIO_NET, "sidecars", NULL);
MESH(service_entry, "ServiceEntry", ISTIO_NET, "serviceentries", "se");
MESH(destination_rule, "DestinationRule", ISTIO_NET, "destinationrules", NULL);
MESH(istio_gateway, "Gateway", ISTIO_NET, "istiogateways", NULL);
MESH(peer_authentication, "PeerAuthentication", ISTIO_SEC, "peerauthentications", NULL);
MESH(authorization_policy, "AuthorizationPolicy", ISTIO_SEC, "authorizationpolicies", NULL);
MESH(request_authentication, "RequestAuthentication", ISTIO_SEC, "requestauthentications", "ra");
