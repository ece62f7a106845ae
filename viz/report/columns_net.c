/* Ingress, NetworkPolicy, Gateway API; Calico's, MetalLB's and Istio's kinds. */
#include "viz/report/columns.h"

#define ING ((const struct ingress *)r->o)

static void ingress_class(struct row *r, struct sb *out) { sb_add(out, ING->class_name ? ING->class_name : "<none>"); }

static void ingress_hosts(struct row *r, struct sb *out)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < ING->rules.nr; k++) {
		if (!ING->rules.v[k].host || !*ING->rules.v[k].host)
			continue;
		if (nr < 3)
			sb_printf(out, "%s%s", nr ? "," : "", ING->rules.v[k].host);
		nr++;
	}
	if (!nr)
		sb_add(out, "*");
	else if (nr > 3)
		sb_printf(out, " + %u more...", nr - 3);
}

static void ingress_address(struct row *r, struct sb *out)
{
	size_t from = out->len;

	for (uint32_t k = 0; k < ING->lb_ingress.nr; k++) {
		const char *one = ING->lb_ingress.v[k].ip ? ING->lb_ingress.v[k].ip : ING->lb_ingress.v[k].hostname;

		if (one)
			sb_printf(out, "%s%s", out->len > from ? "," : "", one);
	}
	if (!r->wide && out->len > 16) {
		char *cut = arena_strndup(r->scratch, sb_text(out), 13);

		sb_reset(out);
		sb_printf(out, "%s...", cut);
	}
}

static void ingress_ports(struct row *r, struct sb *out) { sb_add(out, ING->tls.nr ? "80, 443" : "80"); }

static void class_parameters(struct row *r, struct sb *out)
{
	const struct val *p = ((const struct ingress_class *)r->o)->parameters;
	const char *group = val_str(val_get(p, "apiGroup")), *kind = val_str(val_get(p, "kind")), *name = val_str(val_get(p, "name"));

	if (!p)
		sb_add(out, "<none>");
	else
		sb_printf(out, "%s%s%s/%s", kind ? kind : "", group ? "." : "", group ? group : "", name ? name : "");
}

static void policy_pods(struct row *r, struct sb *out) { selector_print(&((const struct network_policy *)r->o)->pods, out); }

static void cidrs(struct row *r, struct sb *out)
{
	const struct service_cidr *s = (const struct service_cidr *)r->o;

	for (uint32_t k = 0; k < s->cidrs.nr; k++)
		sb_printf(out, "%s%s", k ? "," : "", s->cidrs.v[k]);
}

static void gateway_address(struct row *r, struct sb *out)
{
	const struct gateway *g = (const struct gateway *)r->o;

	sb_add(out, g->st_addresses.nr && g->st_addresses.v[0].value ? g->st_addresses.v[0].value : "");
}

static void status_of(const condition_list *l, const char *type, struct sb *out)
{
	const struct condition *c = condition_get(l, type);

	sb_add(out, c ? cond_status_names[c->status] : "Unknown");
}

static void gateway_programmed(struct row *r, struct sb *out) { status_of(&((const struct gateway *)r->o)->conditions, "Programmed", out); }
static void set_accepted(struct row *r, struct sb *out) { status_of(&((const struct listener_set *)r->o)->conditions, "Accepted", out); }
static void set_programmed(struct row *r, struct sb *out) { status_of(&((const struct listener_set *)r->o)->conditions, "Programmed", out); }
static void class_accepted(struct row *r, struct sb *out) { status_of(&((const struct gateway_class *)r->o)->conditions, "Accepted", out); }

static const struct column ingresses[] = {
	COL_NAME, COL("CLASS", ingress_class), COL("HOSTS", ingress_hosts), COL("ADDRESS", ingress_address), COL("PORTS", ingress_ports), COL_AGE, COL_END,
};
static const struct column classes[] = NAME_AGE(PATH("CONTROLLER", ".spec.controller", NULL), COL("PARAMETERS", class_parameters), );
static const struct column policies[] = NAME_AGE(COL("POD-SELECTOR", policy_pods), );
static const struct column service_cidrs[] = NAME_AGE(COL("CIDRS", cidrs), );
static const struct column gateway_classes[] = {
	COL_NAME, PATH("CONTROLLER", ".spec.controllerName", NULL), COL("ACCEPTED", class_accepted), COL_AGE, PATH_W("DESCRIPTION", ".spec.description", NULL), COL_END,
};
static const struct column gateways[] = NAME_AGE(PATH("CLASS", ".spec.gatewayClassName", NULL), COL("ADDRESS", gateway_address), COL("PROGRAMMED", gateway_programmed), );
static const struct column routes[] = NAME_AGE(PATH("HOSTNAMES", ".spec.hostnames", NULL), );
static const struct column listener_sets[] = { COL_NAME, COL("ACCEPTED", set_accepted), COL("PROGRAMMED", set_programmed), COL_AGE, COL_END };
static const struct column pools[] = {
	COL_NAME, PATH("AUTO ASSIGN", ".spec.autoAssign", "true"), PATH("AVOID BUGGY IPS", ".spec.avoidBuggyIPs", "false"), PATH("ADDRESSES", ".spec.addresses", NULL), COL_END,
};
static const struct column l2[] = {
	COL_NAME, PATH("IPADDRESSPOOLS", ".spec.ipAddressPools", NULL), PATH("IPADDRESSPOOL SELECTORS", ".spec.ipAddressPoolSelectors", NULL),
	PATH("INTERFACES", ".spec.interfaces", NULL), PATH_W("NODE SELECTORS", ".spec.nodeSelectors", NULL), COL_END,
};
static const struct column bgp[] = {
	COL_NAME, PATH("IPADDRESSPOOLS", ".spec.ipAddressPools", NULL), PATH("IPADDRESSPOOL SELECTORS", ".spec.ipAddressPoolSelectors", NULL), PATH("PEERS", ".spec.peers", NULL),
	PATH_W("NODE SELECTORS", ".spec.nodeSelectors", NULL), COL_END,
};
static const struct column virtual_services[] = NAME_AGE(PATH("GATEWAYS", ".spec.gateways", NULL), PATH("HOSTS", ".spec.hosts", NULL), );
static const struct column destination_rules[] = NAME_AGE(PATH("HOST", ".spec.host", NULL), );
static const struct column service_entries[] = NAME_AGE(PATH("HOSTS", ".spec.hosts", NULL), PATH("LOCATION", ".spec.location", NULL), PATH("RESOLUTION", ".spec.resolution", NULL), );
static const struct column peer_authentications[] = NAME_AGE(PATH("MODE", ".spec.mtls.mode", NULL), );
static const struct column authorization_policies[] = NAME_AGE(PATH("ACTION", ".spec.action", NULL), );
static const struct column workload_entries[] = { COL_NAME, COL_AGE, PATH("ADDRESS", ".spec.address", NULL), COL_END };

const struct kind_columns columns_net[] = {
	{ &ingress_kind, ingresses }, { &ingress_class_kind, classes }, { &network_policy_kind, policies }, { &service_cidr_kind, service_cidrs },
	{ &gateway_class_kind, gateway_classes }, { &gateway_kind, gateways }, { &http_route_kind, routes }, { &grpc_route_kind, routes },
	{ &listener_set_kind, listener_sets },
	{ &metallb_pool_kind, pools }, { &l2_advertisement_kind, l2 }, { &bgp_advertisement_kind, bgp }, { &virtual_service_kind, virtual_services },
	{ &destination_rule_kind, destination_rules }, { &service_entry_kind, service_entries }, { &peer_authentication_kind, peer_authentications },
	{ &authorization_policy_kind, authorization_policies }, { &workload_entry_kind, workload_entries }, { NULL, NULL },
};
