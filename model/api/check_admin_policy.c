/* What the CRDs of the network policy API ask of ClusterNetworkPolicy (v1alpha2), AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1).
 * Source: network-policy-api config/crd/experimental, v0.2.0 and v0.1.7. */
#include "model/api/checks.h"
#include "model/api/form.h"
#include "model/base/ip.h"

#define DOMAIN "([a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\\.)+[a-zA-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\\.?$"

/* ---- peers: one member says who they are */

static const struct form pods_both = { .members = FORM_MEMBERS({ "namespaceSelector", NULL, true }, { "podSelector", NULL, true }) };
static const struct form pods_only = { .members = FORM_MEMBERS({ "podSelector", NULL, true }) };

static void net_rules(struct check *c, const struct val *self, const struct path *p)
{
	struct cidr net;

	if (val_str(self) && !cidr_parse(val_str(self), &net))
		refuse_str(c, p, val_str(self), "Invalid CIDR format provided");
}

static const struct form net = { .max = 43, .rules = net_rules };
static const struct form nets = { .min = 1, .max = 25, .items = &net, .key = "" };
static const struct form domain = { .pattern = "^(\\*\\.)?" DOMAIN };
static const struct form domains = { .min = 1, .max = 25, .items = &domain, .key = "" };
#define SUBJECT(pods) { .min = 1, .max = 1, .members = FORM_MEMBERS({ "pods", &pods, false }) }
#define PEERS(pods)   { .min = 1, .max = 1, .members = FORM_MEMBERS({ "pods", &pods, false }, { "networks", &nets, false }, { "domainNames", &domains, false }) }
static const struct form cluster_subject = SUBJECT(pods_only), admin_subject = SUBJECT(pods_both);
static const struct form cluster_peer = PEERS(pods_only), admin_peer = PEERS(pods_both);
static const struct form cluster_peers = { .min = 1, .max = 25, .items = &cluster_peer }, admin_peers = { .min = 1, .max = 100, .items = &admin_peer };

/* ---- ports */

static void range_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (val_int_or(val_get(self, "start"), 0) >= val_int_or(val_get(self, "end"), 0))
		refuse_omitted(c, p, "Start port must be less than End port");
}

static const struct form port = { .min = 1, .max = 65535 };
static const struct form admin_range = { .members = FORM_MEMBERS({ "start", &port, true }, { "end", &port, true }) };
static const struct form range = { .members = FORM_MEMBERS({ "start", &port, true }, { "end", &port, true }), .rules = range_rules };
static const struct form cluster_port = { .min = 1, .max = 1, .members = FORM_MEMBERS({ "number", &port, false }, { "range", &range, false }) };
static const struct form l4 = { .min = 1, .members = FORM_MEMBERS({ "destinationPort", &cluster_port, false }) };
static const struct form cluster_protocol = { .min = 1, .max = 1, .members = FORM_MEMBERS({ "tcp", &l4, false }, { "udp", &l4, false }, { "sctp", &l4, false }) };
static const struct form cluster_protocols = { .min = 1, .max = 25, .items = &cluster_protocol };
static const struct form port_number = { .members = FORM_MEMBERS({ "port", &port, true }) };
static const struct form admin_port = { .min = 1, .max = 1, .members = FORM_MEMBERS({ "portNumber", &port_number, false }, { "portRange", &admin_range, false }) };
static const struct form admin_ports = { .min = 1, .max = 100, .items = &admin_port };

/* ---- rules */

static bool names_one(const struct val *list, const char *key)
{
	VAL_EACH(v, list)
		if (val_get(v, key))
			return true;
	return false;
}

/* What has no Pods behind it has no ports by name. */
static void egress_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *to = val_get(self, "to");

	if (!names_one(to, "networks") && !names_one(to, "nodes") && !names_one(to, "domainNames"))
		return;
	if (names_one(val_get(self, "ports"), "namedPort") || names_one(val_get(self, "protocols"), "destinationNamedPort"))
		refuse_omitted(c, p, "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for networks/nodes/domainNames");
}

static const struct form title = { .max = 100 };
static const struct form cluster_action = { .words = FORM_WORDS("Accept", "Deny", "Pass") }, admin_action = { .words = FORM_WORDS("Allow", "Deny", "Pass") }, baseline_action = { .words = FORM_WORDS("Allow", "Deny") };
#define RULE(side, verbs, of, ports_of, key, ...) { .members = FORM_MEMBERS({ "name", &title, false }, { "action", &verbs, true }, { side, &of, true }, { key, &ports_of, false }), __VA_ARGS__ }
static const struct form cluster_in = RULE("from", cluster_action, cluster_peers, cluster_protocols, "protocols", .rules = NULL);
static const struct form cluster_out = RULE("to", cluster_action, cluster_peers, cluster_protocols, "protocols", .rules = egress_rules);
static const struct form admin_in = RULE("from", admin_action, admin_peers, admin_ports, "ports", .rules = NULL);
static const struct form admin_out = RULE("to", admin_action, admin_peers, admin_ports, "ports", .rules = egress_rules);
static const struct form baseline_in = RULE("from", baseline_action, admin_peers, admin_ports, "ports", .rules = NULL);
static const struct form baseline_out = RULE("to", baseline_action, admin_peers, admin_ports, "ports", .rules = egress_rules);
#define RULES(n, of) { .max = n, .items = &of }
static const struct form cluster_ins = RULES(25, cluster_in), cluster_outs = RULES(25, cluster_out), admin_ins = RULES(100, admin_in), admin_outs = RULES(100, admin_out),
	baseline_ins = RULES(100, baseline_in), baseline_outs = RULES(100, baseline_out);

static const struct form priority = { .max = 1000 };
static const struct form tier = { .words = FORM_WORDS("Admin", "Baseline") };
static const struct form cluster_spec = {
	.members = FORM_MEMBERS({ "tier", &tier, true }, { "priority", &priority, true }, { "subject", &cluster_subject, true }, { "ingress", &cluster_ins, false }, { "egress", &cluster_outs, false }),
};
static const struct form admin_spec = {
	.members = FORM_MEMBERS({ "priority", &priority, true }, { "subject", &admin_subject, true }, { "ingress", &admin_ins, false }, { "egress", &admin_outs, false }),
};
static const struct form baseline_spec = { .members = FORM_MEMBERS({ "subject", &admin_subject, true }, { "ingress", &baseline_ins, false }, { "egress", &baseline_outs, false }) };

void cluster_network_policy_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, &cluster_spec);
}

void admin_policy_check(struct check *c, const struct object *o)
{
	bool baseline = streq(o->kind->name, "BaselineAdminNetworkPolicy");

	if (baseline && !streq(o->name, "default"))
		refuse_str(c, SUB(NULL, "metadata.name"), o->name, "Only one baseline admin network policy with metadata.name=\"default\" can be created in the cluster");
	form_check_spec(c, baseline ? &baseline_spec : &admin_spec);
}
