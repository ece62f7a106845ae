/* What the API server asks of Services, Endpoints and EndpointSlices. Sources: kubernetes pkg/apis/core/validation/validation.go (validateService,
 * validateServicePort, ValidateServiceClusterIPsRelatedFields, ValidateServiceUpdate, ValidateEndpoints), pkg/apis/discovery/validation/validation.go. */
#include "model/api/checks.h"

static const char *const affinities[] = { "ClientIP", "None", NULL };
static const char *const families[] = { "IPv4", "IPv6", NULL };
static const char *const family_policies[] = { "PreferDualStack", "RequireDualStack", "SingleStack", NULL };
static const char *const distributions[] = { "PreferClose", "PreferSameZone", "PreferSameNode", NULL };
static const char *const address_types[] = { "FQDN", "IPv4", "IPv6", NULL };

static bool is6(const char *s)
{
	ip_addr ip;

	return ip_parse_lenient(s, &ip) && !ip_is4(ip);
}

static const char *json_strs(const str_list *l, struct sb *sb)
{
	sb_add(sb, "[");
	for (uint32_t k = 0; k < l->nr; k++) {
		sb_add(sb, k ? "," : "");
		json_quote(sb, l->v[k]);
	}
	sb_add(sb, "]");
	return sb_text(sb);
}

static void refuse_list(struct check *c, const struct path *p, const str_list *l, const char *why)
{
	struct sb sb = { 0 };

	refuse_text(c, p, json_strs(l, &sb), "%s", why);
	sb_free(&sb);
}

/* ---- Service */

static void check_port(struct check *c, const struct service *s, uint32_t k, const struct path *p)
{
	const struct svc_port *port = &s->ports.v[k];

	if (port->name && *port->name) {
		must_be_label(c, SUB(p, "name"), port->name);
		for (uint32_t i = 0; i < k; i++)
			if (streq(s->ports.v[i].name, port->name)) {
				refuse_duplicate(c, SUB(p, "name"), port->name);
				break;
			}
	} else if (s->ports.nr > 1) {
		refuse_missing(c, SUB(p, "name"), "%s", "");
	}
	must_be_port(c, SUB(p, "port"), port->port);
	if (port->target.set)
		must_be_port_or_name(c, SUB(p, "targetPort"), &port->target);
	if (port->app_protocol)
		must_be_label_key(c, SUB(p, "appProtocol"), port->app_protocol);
}

static void check_port_numbers(struct check *c, const struct service *s, uint32_t k, const struct path *p)
{
	const struct svc_port *port = &s->ports.v[k];
	struct sb sb = { 0 };

	if (s->type == SVC_CLUSTERIP && port->node_port)
		refuse_forbidden(c, SUB(p, "nodePort"), "may not be used when `type` is 'ClusterIP'");
	for (uint32_t i = 0; i < k; i++)
		if (port->node_port && s->ports.v[i].node_port == port->node_port && s->ports.v[i].protocol == port->protocol) {
			sb_printf(&sb, "%d", port->node_port);
			refuse_duplicate_text(c, SUB(p, "nodePort"), sb_text(&sb));
			break;
		}
	for (uint32_t i = 0; i < k; i++)
		if (s->ports.v[i].port == port->port && s->ports.v[i].protocol == port->protocol) {
			sb_reset(&sb);
			sb_printf(&sb, "{\"Name\":\"\",\"Protocol\":\"%s\",\"AppProtocol\":null,\"Port\":%d,\"TargetPort\":0,\"NodePort\":0}", l4_names[port->protocol], port->port);
			refuse_duplicate_text(c, p, sb_text(&sb));
			break;
		}
	sb_free(&sb);
}

static void check_external_name(struct check *c, const struct service *s)
{
	size_t n = s->external_name ? strlen(s->external_name) : 0;
	char name[512];

	if (s->cluster_ips.nr)
		refuse_forbidden(c, SUB(NULL, "spec.clusterIPs"), "may not be set for ExternalName services");
	if (s->families.nr)
		refuse_forbidden(c, SUB(NULL, "spec.ipFamilies"), "may not be set for ExternalName services");
	if (s->family_policy)
		refuse_forbidden(c, SUB(NULL, "spec.ipFamilyPolicy"), "may not be set for ExternalName services");
	if (n && n < sizeof(name)) {
		memcpy(name, s->external_name, n + 1);
		if (name[n - 1] == '.')
			name[--n] = '\0';
	}
	if (!n)
		refuse_missing(c, SUB(NULL, "spec.externalName"), "%s", "");
	else
		must_be_subdomain(c, SUB(NULL, "spec.externalName"), n < sizeof(name) ? name : s->external_name);
}

static void check_affinity(struct check *c, const struct service *s)
{
	int64_t seconds = val_int_or(val_path(c->root, "spec.sessionAffinityConfig.clientIP.timeoutSeconds"), s->affinity_seconds);

	if (!*s->affinity)
		refuse_missing(c, SUB(NULL, "spec.sessionAffinity"), "%s", "");
	else if (!one_of(s->affinity, affinities))
		refuse_unsupported(c, SUB(NULL, "spec.sessionAffinity"), s->affinity, affinities);
	if (streq(s->affinity, "ClientIP") && (seconds <= 0 || seconds > 86400))
		refuse_int(c, SUB(NULL, "spec.sessionAffinityConfig.clientIP.timeoutSeconds"), seconds, "must be greater than 0 and less than 86400");
}

/* true: all are addresses. */
static bool check_cluster_ips(struct check *c, const struct service *s, const struct path *p)
{
	uint32_t before = c->found;

	for (uint32_t k = 0; k < s->cluster_ips.nr; k++) {
		const char *ip = s->cluster_ips.v[k];

		if (k > 0 || strcmp(ip, "None") != 0)
			must_be_ip(c, ITEM(p, k), ip);
		else if (s->cluster_ips.nr > 1)
			refuse_list(c, p, &s->cluster_ips, "'None' must be the first and only value");
	}
	if (c->found > before)
		return false;
	if (s->cluster_ips.nr > 2)
		refuse_list(c, p, &s->cluster_ips, "may only hold up to 2 values");
	return true;
}

static void check_families(struct check *c, const struct service *s)
{
	const struct path *p = SUB(NULL, "spec.ipFamilies");

	for (uint32_t k = 0; k < s->families.nr; k++) {
		if (!one_of(s->families.v[k], families))
			refuse_unsupported(c, ITEM(p, k), s->families.v[k], families);
		for (uint32_t i = 0; i < k; i++)
			if (streq(s->families.v[i], s->families.v[k])) {
				refuse_duplicate(c, ITEM(p, k), s->families.v[k]);
				break;
			}
	}
	if (s->family_policy && !one_of(s->family_policy, family_policies))
		refuse_unsupported(c, SUB(NULL, "spec.ipFamilyPolicy"), s->family_policy, family_policies);
}

static void check_ips(struct check *c, const struct service *s)
{
	const struct path *p = SUB(NULL, "spec.clusterIPs");
	const char *given = val_str(val_path(c->root, "spec.clusterIP"));
	bool dual = s->cluster_ips.nr > 1 && is6(s->cluster_ips.v[0]) != is6(s->cluster_ips.v[1]);

	if (s->type == SVC_EXTERNALNAME)
		return;
	if (given && *given && s->cluster_ips.nr && strcmp(s->cluster_ips.v[0], given) != 0)
		refuse_list(c, p, &s->cluster_ips, "first value must match `clusterIP`");
	if ((!given || !*given) && val_path(c->root, "spec.clusterIPs.0"))
		refuse_list(c, p, &s->cluster_ips, "must be empty when `clusterIP` is not specified");
	check_families(c, s);
	if (!check_cluster_ips(c, s, p))
		return;
	if (s->cluster_ips.nr > 1 && !dual)
		refuse_list(c, p, &s->cluster_ips, "may specify no more than one IP for each IP family");
	for (uint32_t k = 0; !service_is_headless(s) && k < s->cluster_ips.nr && k < s->families.nr; k++)
		if (one_of(s->families.v[k], families) && streq(s->families.v[k], "IPv6") != is6(s->cluster_ips.v[k]))
			refuse_str(c, ITEM(p, k), s->cluster_ips.v[k], "expected an %s value as indicated by `ipFamilies[%u]`", s->families.v[k], k);
}

/* ValidateEndpointIP */
static void must_be_outside(struct check *c, const struct path *p, const char *s)
{
	ip_addr ip;

	if (!ip_parse_lenient(s, &ip)) {
		refuse_str(c, p, s, "must be a valid IP address");
		return;
	}
	if (ip_eq(ip, ip_from4(0)) || !ip_set(ip))
		refuse_str(c, p, s, "may not be unspecified (%s)", s);
	if (ip_is_loopback(ip))
		refuse_str(c, p, s, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
	if (ip_is_linklocal(ip))
		refuse_str(c, p, s, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
	if (ip_is4(ip) ? ip_to4(ip) >> 8 == 0xe00000 : ip.hi >> 48 == 0xff02)
		refuse_str(c, p, s, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

static void check_address(struct check *c, const struct path *p, const char *s)
{
	uint32_t before = c->found;

	must_be_ip(c, p, s);
	if (c->found == before)
		must_be_outside(c, p, s);
}

static void check_source_ranges(struct check *c, const struct service *s)
{
	static const char key[] = "service.beta.kubernetes.io/load-balancer-source-ranges";
	const struct path *p = SUB(NULL, "spec.LoadBalancerSourceRanges"), *note = ENTRY(SUB(NULL, "metadata.annotations"), key);
	const char *text = label_get(&s->o.annotations, key);
	char range[128];

	if ((s->lb_source_ranges.nr || text) && s->type != SVC_LOADBALANCER)
		refuse_forbidden(c, s->lb_source_ranges.nr ? p : note, "may only be used when `type` is 'LoadBalancer'");
	for (uint32_t k = 0; k < s->lb_source_ranges.nr; k++)
		must_be_cidr(c, ITEM(p, k), trimmed(s->lb_source_ranges.v[k], strlen(s->lb_source_ranges.v[k]), range, sizeof(range)));
	for (size_t n; !s->lb_source_ranges.nr && text && *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		must_be_cidr(c, note, trimmed(text, n, range, sizeof(range)));
	}
}

static void check_load_balancer(struct check *c, const struct service *s)
{
	bool lb = s->type == SVC_LOADBALANCER;

	check_source_ranges(c, s);
	if (!lb && s->allocate_node_ports)
		refuse_forbidden(c, SUB(NULL, "spec.allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'");
	if (s->lb_class && lb)
		must_be_label_key(c, SUB(NULL, "spec.loadBalancerClass"), s->lb_class);
	else if (s->lb_class)
		refuse_forbidden(c, SUB(NULL, "spec.loadBalancerClass"), "may only be used when `type` is 'LoadBalancer'");
}

static void check_traffic(struct check *c, const struct service *s)
{
	bool outside = s->type == SVC_LOADBALANCER || s->type == SVC_NODEPORT || (s->type == SVC_CLUSTERIP && s->external_ips.nr);
	bool health = s->type == SVC_LOADBALANCER && s->external_policy == TP_LOCAL;

	if (!outside && s->external_policy)
		refuse_str(c, SUB(NULL, "spec.externalTrafficPolicy"), traffic_policy_names[s->external_policy], "may only be set for externally-accessible services");
	if (!health && s->health_check_node_port)
		refuse_int(c, SUB(NULL, "spec.healthCheckNodePort"), s->health_check_node_port,
			   "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
	else if (s->health_check_node_port)
		must_be_port(c, SUB(NULL, "spec.healthCheckNodePort"), s->health_check_node_port);
	if (s->traffic_distribution && !one_of(s->traffic_distribution, distributions))
		refuse_unsupported(c, SUB(NULL, "spec.trafficDistribution"), s->traffic_distribution, distributions);
}

void service_check(struct check *c, const struct object *o)
{
	const struct service *s = (const struct service *)o;
	const struct path *ports = SUB(NULL, "spec.ports"), *ips = SUB(NULL, "spec.externalIPs");
	const char *hints = label_get(&o->annotations, "service.kubernetes.io/topology-aware-hints"), *mode = label_get(&o->annotations, "service.kubernetes.io/topology-mode");

	if (hints && mode && strcmp(hints, mode) != 0)
		refuse_str(c, ENTRY(SUB(NULL, "metadata.annotations"), "service.kubernetes.io/topology-mode"), mode,
			   "must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified");
	if (!s->ports.nr && !service_is_headless(s) && s->type != SVC_EXTERNALNAME)
		refuse_missing(c, ports, "%s", "");
	if (service_is_headless(s) && (s->type == SVC_LOADBALANCER || s->type == SVC_NODEPORT))
		refuse_str(c, SUB(NULL, "spec.clusterIPs[0]"), "None", "may not be set to 'None' for %s services", svc_type_names[s->type]);
	if (s->type == SVC_EXTERNALNAME)
		check_external_name(c, s);
	for (uint32_t k = 0; k < s->ports.nr; k++)
		check_port(c, s, k, ITEM(ports, k));
	must_be_labels(c, SUB(NULL, "spec.selector"), &s->selector);
	check_affinity(c, s);
	check_ips(c, s);
	for (uint32_t k = 0; k < s->external_ips.nr; k++)
		check_address(c, ITEM(ips, k), s->external_ips.v[k]);
	for (uint32_t k = 0; k < s->ports.nr; k++)
		check_port_numbers(c, s, k, ITEM(ports, k));
	check_load_balancer(c, s);
	check_traffic(c, s);
}

/* ---- update: validateUpgradeDowngradeClusterIPs, validateUpgradeDowngradeIPFamilies, validateLoadBalancerClassField */

/* A list that the document lacks stays as it was assigned (registry/core/service/storage patchAllocatedValues; a merge by kubectl). */
static void check_list_kept(struct check *c, const struct path *p, const char *what, const str_list *now, const str_list *old, const struct service *s)
{
	const struct val *given = val_path(c->root, strcmp(what, "clusterIP") == 0 ? "spec.clusterIPs" : "spec.ipFamilies");

	if (!given && (!now->nr || (old->nr && streq(now->v[0], old->v[0]))))
		return;
	if (now->nr == old->nr) {
		for (uint32_t k = 0; k < old->nr; k++)
			if (!streq(now->v[k], old->v[k]))
				refuse_list(c, ITEM(p, k), now, "may not change once set");
		return;
	}
	if (!now->nr)
		refuse_text(c, ITEM(p, 0), "[]", "primary %s can not be unset", what);
	else if (old->nr && !streq(now->v[0], old->v[0]))
		refuse_list(c, ITEM(p, 0), now, "may not change once set");
	if (old->nr > now->nr && now->nr == 1 && !streq(s->family_policy, "SingleStack"))
		refuse_str(c, SUB(NULL, "spec.ipFamilyPolicy"), s->family_policy, "must be set to 'SingleStack' when releasing the secondary %s", what);
}

void service_check_update(struct check *c, const struct object *o, const struct object *was)
{
	const struct service *s = (const struct service *)o, *old = (const struct service *)was;
	bool health = s->type == SVC_LOADBALANCER && s->external_policy == TP_LOCAL && old->type == SVC_LOADBALANCER && old->external_policy == TP_LOCAL;

	if (s->type != SVC_EXTERNALNAME && old->type != SVC_EXTERNALNAME && !(service_is_headless(s) && service_is_headless(old))) {
		check_list_kept(c, SUB(NULL, "spec.clusterIPs"), "clusterIP", &s->cluster_ips, &old->cluster_ips, s);
		if (service_is_headless(s) == service_is_headless(old))
			check_list_kept(c, SUB(NULL, "spec.ipFamilies"), "ipFamily", &s->families, &old->families, s);
	}
	if (s->type == SVC_LOADBALANCER && old->type == SVC_LOADBALANCER && !streq(s->lb_class, old->lb_class))
		refuse_str(c, SUB(NULL, "spec.loadBalancerClass"), s->lb_class, "may not change once set");
	if (health && s->health_check_node_port && s->health_check_node_port != old->health_check_node_port)          /* what is not named stays (patchAllocatedValues) */
		refuse_forbidden(c, SUB(NULL, "spec.healthCheckNodePort"), "field is immutable");
}

/* ---- Endpoints */

static void check_addresses(struct check *c, const struct path *p, const struct ep_address *v, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++) {
		const struct path *at = ITEM(p, k);

		must_be_ip(c, SUB(at, "ip"), v[k].ip ? v[k].ip : "");
		if (v[k].hostname && *v[k].hostname)
			must_be_label(c, SUB(at, "hostname"), v[k].hostname);
		if (v[k].node)
			must_be_subdomain(c, SUB(at, "nodeName"), v[k].node);
		must_be_outside(c, SUB(at, "ip"), v[k].ip ? v[k].ip : "");
	}
}

void endpoints_check(struct check *c, const struct object *o)
{
	const struct endpoints *e = (const struct endpoints *)o;

	for (uint32_t k = 0; k < e->subsets.nr; k++) {
		const struct ep_subset *s = &e->subsets.v[k];
		const struct path *p = ITEM(SUB(NULL, "subsets"), k), *ports = SUB(p, "ports");

		if (!s->addresses.nr && !s->not_ready.nr)
			refuse_missing(c, p, "must specify `addresses` or `notReadyAddresses`");
		check_addresses(c, SUB(p, "addresses"), s->addresses.v, s->addresses.nr);
		check_addresses(c, SUB(p, "notReadyAddresses"), s->not_ready.v, s->not_ready.nr);
		for (uint32_t i = 0; i < s->ports.nr; i++) {
			const struct ep_port *port = &s->ports.v[i];

			if (port->name && *port->name)
				must_be_label(c, SUB(ITEM(ports, i), "name"), port->name);
			else if (s->ports.nr > 1)
				refuse_missing(c, SUB(ITEM(ports, i), "name"), "%s", "");
			must_be_port(c, SUB(ITEM(ports, i), "port"), port->port.v);
			if (port->app_protocol)
				must_be_label_key(c, SUB(ITEM(ports, i), "appProtocol"), port->app_protocol);
		}
	}
}

/* ---- EndpointSlice */

static void check_slice_address(struct check *c, const struct path *list, uint32_t k, const char *s, const char *type)
{
	uint32_t before = c->found;

	if (streq(type, "FQDN")) {
		must_be_fqdn(c, ITEM(list, k), s);
		return;
	}
	if (streq(type, "IPv4"))
		must_be_ip(c, ITEM(list, k), s);
	else if (streq(type, "IPv6"))
		must_be_canonical_ip(c, ITEM(list, k), s);
	else
		return;
	if (c->found > before)
		return;
	if (is6(s) != streq(type, "IPv6"))
		refuse_str(c, list, s, "must be an %s address", type);
	must_be_outside(c, ITEM(list, k), s);
}

static void check_hints(struct check *c, const struct path *p, const struct zone_hint *v, uint32_t nr, must_be *rule)
{
	if (nr > 8) {
		refuse_many(c, p, nr, 8);
		return;
	}
	for (uint32_t k = 0; k < nr; k++) {
		const char *name = v[k].name ? v[k].name : "";

		for (uint32_t i = 0; i < k; i++)
			if (streq(v[i].name, v[k].name)) {
				refuse_duplicate(c, SUB(ITEM(p, k), "name"), name);
				break;
			}
		rule(c, SUB(ITEM(p, k), "name"), name);
	}
}

static void check_endpoint(struct check *c, const struct endpointslice *s, const struct endpoint *e, const struct path *p)
{
	const struct path *list = SUB(p, "addresses");

	if (!e->addresses.nr)
		refuse_missing(c, list, "must contain at least 1 address");
	else if (e->addresses.nr > 100)
		refuse_many(c, list, e->addresses.nr, 100);
	for (uint32_t k = 0; k < e->addresses.nr; k++)
		check_slice_address(c, list, k, e->addresses.v[k], s->address_type);
	if (e->node)
		must_be_subdomain(c, SUB(p, "nodeName"), e->node);
	if (e->hostname)
		must_be_label(c, SUB(p, "hostname"), e->hostname);
	if (e->hints) {
		check_hints(c, SUB(p, "hints.forZones"), e->hints->for_zones.v, e->hints->for_zones.nr, must_be_label_value);
		check_hints(c, SUB(p, "hints.forNodes"), e->hints->for_nodes.v, e->hints->for_nodes.nr, must_be_subdomain);
	}
}

void endpointslice_check(struct check *c, const struct object *o)
{
	const struct endpointslice *s = (const struct endpointslice *)o;
	const struct path *ports = SUB(NULL, "ports"), *endpoints = SUB(NULL, "endpoints");

	if (!s->address_type || !*s->address_type)
		refuse_missing(c, SUB(NULL, "addressType"), "%s", "");
	else if (!one_of(s->address_type, address_types))
		refuse_unsupported(c, SUB(NULL, "addressType"), s->address_type, address_types);
	if (s->ports.nr > 20000)
		refuse_many(c, ports, s->ports.nr, 20000);
	for (uint32_t k = 0; k < s->ports.nr && s->ports.nr <= 20000; k++) {
		const struct ep_port *port = &s->ports.v[k];
		const struct path *p = ITEM(ports, k);

		if (*port->name)
			must_be_label(c, SUB(p, "name"), port->name);
		for (uint32_t i = 0; i < k; i++)
			if (streq(s->ports.v[i].name, port->name)) {
				refuse_duplicate(c, SUB(p, "name"), port->name);
				break;
			}
		if (port->app_protocol)
			must_be_label_key(c, SUB(p, "appProtocol"), port->app_protocol);
	}
	if (s->endpoints.nr > 1000)
		refuse_many(c, endpoints, s->endpoints.nr, 1000);
	for (uint32_t k = 0; k < s->endpoints.nr && s->endpoints.nr <= 1000; k++)
		check_endpoint(c, s, &s->endpoints.v[k], ITEM(endpoints, k));
}

void endpointslice_check_update(struct check *c, const struct object *o, const struct object *was)
{
	const struct endpointslice *s = (const struct endpointslice *)o, *old = (const struct endpointslice *)was;

	if (!streq(s->address_type, old->address_type))
		refuse_str(c, SUB(NULL, "addressType"), s->address_type, "field is immutable");
}
