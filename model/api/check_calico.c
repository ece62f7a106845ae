/* What Calico's API server asks of its policies, tiers, sets and HostEndpoints: the schemas and rules of its CustomResourceDefinitions (api/config/crd/projectcalico.org_*.yaml),
 * and what its own validator says beyond them (libcalico-go lib/validator/v3/validator.go, api/pkg/lib/numorstring). Calico v3.33. */
#include <stdlib.h>

#include "model/api/calico_selector.h"
#include "model/api/checks.h"
#include "model/api/form.h"
#include "model/api/kept.h"
#include "model/api/members.h"
#include "model/base/ip.h"

static bool has_items(const struct val *v, const char *key)
{
	return val_get(v, key) && val_get(v, key)->nr;
}

/* ---- selectors */

static void check_selector(struct check *c, const struct val *of, const char *key, const struct path *p)
{
	const char *s = form_text(of, key, ""), *at, *expected = calico_selector_fault(s, &at);

	if (expected && *at)
		refuse_str(c, SUB(p, key), s, "is no selector that Calico takes: %s was expected at \"%s\"", expected, at);
	else if (expected)
		refuse_str(c, SUB(p, key), s, "is no selector that Calico takes: %s was expected at its end", expected);
}

static void check_no_global(struct check *c, const struct val *of, const char *key, const struct path *p)
{
	if (strstr(form_text(of, key, ""), "global("))
		refuse_str(c, SUB(p, key), form_text(of, key, ""), "global() can only be used in an EntityRule namespaceSelector");
}

/* ---- protocols and ports */

/* The number of a protocol; −1: none, and said so. */
static int64_t check_protocol(struct check *c, const struct val *of, const char *key, const struct path *p)
{
	static const struct { const char *name; int number; } known[] = { { "TCP", 6 }, { "UDP", 17 }, { "ICMP", 1 }, { "ICMPv6", 58 }, { "SCTP", 132 }, { "UDPLite", 136 } };
	const struct val *v = val_get(of, key);
	const char *s = val_str(v);
	char *end;
	int64_t n = s && *s >= '0' && *s <= '9' ? strtoll(s, &end, 10) : val_int_or(v, -1);

	for (size_t k = 0; s && k < ARRAY_LEN(known); k++)
		if (strcmp(s, known[k].name) == 0)
			return known[k].number;
	if (!v || v->type == VAL_NULL || (n >= 1 && n <= 255 && !(s && *end)))
		return n;
	refuse_val(c, SUB(p, key), v, "must be TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite, or a number from 1 to 255");
	return -1;
}

static bool all_digits(const char *s, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (s[k] < '0' || s[k] > '9')
			return false;
	return n > 0;
}

static bool named_port(const char *s)
{
	return strlen(s) <= 128 && form_matches(s, "^[a-zA-Z0-9_.-]+$");
}

/* false: it is a name. */
static bool check_port(struct check *c, const struct val *v, const struct path *p)
{
	const char *s = val_str(v), *colon = s ? strchr(s, ':') : NULL;
	int64_t lo = val_int_or(v, 0), hi;

	if (s && !all_digits(s, colon ? (size_t)(colon - s) : strlen(s)) && named_port(s)) {
		must_be_port_name(c, p, s);
		return false;
	}
	if (s && (!all_digits(s, colon ? (size_t)(colon - s) : strlen(s)) || (colon && !all_digits(colon + 1, strlen(colon + 1)))))
		return refuse_str(c, p, s, "must be a port, a range as 8000:8100, or the name of a port"), true;
	lo = s ? strtoll(s, NULL, 10) : lo;
	hi = colon ? strtoll(colon + 1, NULL, 10) : lo;
	if (lo < 1 || lo > 65535 || hi < 1 || hi > 65535)
		refuse_val(c, p, v, "port range invalid, port number must be between 1 and 65535");
	else if (lo > hi)
		refuse_val(c, p, v, "minimum port number (%d) is greater than maximum port number (%d) in port range", (int)lo, (int)hi);
	return true;
}

static void check_ports(struct check *c, const struct val *end, const char *key, const struct path *p, bool has_protocol, int64_t protocol)
{
	bool takes = protocol == 6 || protocol == 17 || protocol == 132, numbers = false;
	const struct path *at = SUB(p, key);
	uint32_t k = 0;

	VAL_EACH(v, val_get(end, key))
		numbers = check_port(c, v, ITEM(at, k++)) || numbers;
	if (numbers && !has_protocol)
		refuse_val(c, at, val_get(end, key), "rules with numeric port or port range must set protocol to TCP or UDP or SCTP");
	else if (has_protocol && !takes && has_items(end, key))
		refuse_val(c, at, val_get(end, key), "rules that specify ports must set protocol to TCP or UDP or SCTP");
}

/* ---- nets */

struct families { bool v4, v6; };

static void check_nets(struct check *c, const struct val *end, const char *key, const struct path *p, int64_t version, struct families *seen)
{
	struct families now = { false, false };
	const struct path *at = SUB(p, key);
	uint32_t k = 0;

	VAL_EACH(v, val_get(end, key)) {
		struct cidr net;

		if (!val_str(v) || !cidr_parse_lenient(val_str(v), &net)) {
			refuse_val(c, ITEM(at, k), v, "invalid CIDR: an address with the length of its prefix was expected, as 192.0.2.0/24 or 192.0.2.1/32");
		} else {
			now.v4 = now.v4 || ip_is4(net.addr);
			now.v6 = now.v6 || !ip_is4(net.addr);
			if (!net.len && strcmp(key, "notNets") == 0)
				refuse_val(c, ITEM(at, k), v, "catch-all CIDR in negation creates logical contradiction (matches no traffic)");
		}
		k++;
	}
	if ((now.v4 && version == 6) || (now.v6 && version == 4))
		refuse_val(c, at, val_get(end, key), "rule IP version doesn't match CIDR version");
	if ((now.v4 && (now.v6 || seen->v6)) || (now.v6 && seen->v4))
		refuse_val(c, at, val_get(end, key), "rule contains both IPv4 and IPv6 CIDRs");
	seen->v4 = seen->v4 || now.v4;
	seen->v6 = seen->v6 || now.v6;
}

/* ---- one side of a rule */

static void entity_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const selectors[] = { "selector", "notSelector", "namespaceSelector" };
	const struct val *services = val_get(self, "services"), *accounts = val_get(self, "serviceAccounts");
	const char *spaces = form_text(self, "namespaceSelector", "");

	for (size_t k = 0; k < ARRAY_LEN(selectors); k++)
		check_selector(c, self, selectors[k], p);
	check_selector(c, accounts, "selector", SUB(p, "serviceAccounts"));
	check_no_global(c, self, "selector", p);
	if (strstr(spaces, "global(") && !form_matches(spaces, "^[ \t]*global\\([ \t]*\\)[ \t]*$"))
		refuse_str(c, SUB(p, "namespaceSelector"), spaces, "global() cannot be combined with other selectors");
	if (!services)
		return;
	if (!*form_text(services, "name", ""))
		refuse_missing(c, SUB(p, "services.name"), "services must specify a service name");
	if (*spaces)
		refuse_forbidden(c, p, "cannot specify NamespaceSelector and Services on the same rule");
	if (accounts)
		refuse_forbidden(c, p, "cannot specify ServiceAccounts and Services on the same rule");
	if (*form_text(self, "selector", "") || *form_text(self, "notSelector", ""))
		refuse_forbidden(c, p, "cannot specify Selector/NotSelector and Services on the same rule");
	if (has_items(self, "nets") || has_items(self, "notNets"))
		refuse_forbidden(c, p, "cannot specify Nets/NotNets and Services on the same rule");
}

static const struct form expression = { .max = 1024 };
static const struct form any_text = { .max = 0 };
static const struct form nets = { .max = 256, .items = &any_text, .key = "" };
static const struct form ports = { .max = 50 };
static const struct form name = { .max = 253 };
static const struct form service = { .members = FORM_MEMBERS({ "name", &name, false }, { "namespace", &name, false }) };
static const struct form names = { .items = &any_text, .key = "" };
static const struct form account = { .members = FORM_MEMBERS({ "names", &names, false }) };
static const struct form entity = {
	.members = FORM_MEMBERS({ "selector", &expression, false }, { "notSelector", &expression, false }, { "namespaceSelector", &expression, false }, { "nets", &nets, false },
				{ "notNets", &nets, false }, { "ports", &ports, false }, { "notPorts", &ports, false }, { "services", &service, false }, { "serviceAccounts", &account, false }),
	.rules = entity_rules,
};

/* ---- a rule */

static void icmp_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (val_get(self, "code") && !val_get(self, "type"))
		refuse_omitted(c, p, "ICMP code specified without an ICMP type");
}

static void check_version(struct check *c, const struct path *p, int64_t protocol, int64_t version)
{
	if (protocol == 1 && version == 6)
		refuse_omitted(c, p, "protocol ICMP requires ipVersion 4");
	if (protocol == 58 && version == 4)
		refuse_omitted(c, p, "protocol ICMPv6 requires ipVersion 6");
}

static void rule_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const ends[] = { "source", "destination" };
	const struct val *said = val_get(self, "protocol"), *dst = val_get(self, "destination");
	int64_t protocol = check_protocol(c, self, "protocol", p), without = check_protocol(c, self, "notProtocol", p), version = val_int_or(val_get(self, "ipVersion"), 0);
	struct families seen = { false, false };

	for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
		const struct val *end = val_get(self, ends[k]);
		const struct path *at = SUB(p, ends[k]);

		if (!said || protocol >= 0) {
			check_ports(c, end, "ports", at, said, protocol);
			check_ports(c, end, "notPorts", at, said, protocol);
		}
		check_nets(c, end, "nets", at, version, &seen);
		check_nets(c, end, "notNets", at, version, &seen);
	}
	if (val_get(self, "http") && said && protocol != 6)
		refuse_omitted(c, p, "rules with HTTP match must have protocol TCP or unset");
	if (val_get(self, "http") && !streq(form_text(self, "action", ""), "Allow"))
		refuse_forbidden(c, p, "HTTP match is only valid on Allow rules");
	if (val_get(dst, "services") && (has_items(dst, "ports") || has_items(dst, "notPorts")))
		refuse_forbidden(c, p, "ports and notPorts cannot be specified with services");
	if (val_get(self, "icmp") && protocol != 1 && protocol != 58)
		refuse_omitted(c, p, "ICMP fields require protocol to be ICMP or ICMPv6");
	check_version(c, p, protocol, version);
	check_version(c, p, without, version);
}

static const struct form action = { .words = FORM_WORDS("Allow", "Deny", "Log", "Pass") };
static const struct form version = { .words = FORM_WORDS("4", "6") };
static const struct form icmp_type = { .max = 254 };
static const struct form icmp_code = { .max = 255 };
static const struct form icmp = { .members = FORM_MEMBERS({ "type", &icmp_type, false }, { "code", &icmp_code, false }), .rules = icmp_rules };
static const struct form http_text = { .max = 1024 };
static const struct form http_path = { .members = FORM_MEMBERS({ "exact", &http_text, false }, { "prefix", &http_text, false }) };
static const struct form http_paths = { .max = 20, .items = &http_path };
static const struct form http_methods = { .max = 20 };
static const struct form http = { .members = FORM_MEMBERS({ "methods", &http_methods, false }, { "paths", &http_paths, false }) };
static const struct form rule = {
	.members = FORM_MEMBERS({ "action", &action, true }, { "ipVersion", &version, false }, { "icmp", &icmp, false }, { "notICMP", &icmp, false }, { "http", &http, false },
				{ "source", &entity, false }, { "destination", &entity, false }),
	.rules = rule_rules,
};

/* ---- policies */

/* Services and HTTP: in which direction, and with which names. */
static void check_rules_of(struct check *c, const struct val *spec, const struct path *p, bool egress, bool global)
{
	const char *key = egress ? "egress" : "ingress", *own = egress ? "source" : "destination", *peer = egress ? "destination" : "source";
	uint32_t k = 0;

	VAL_EACH(r, val_get(spec, key)) {
		const struct path *at = ITEM(SUB(p, key), k++);
		const struct val *services = val_path(r, egress ? "destination.services" : "source.services");

		if (val_get(val_get(r, own), "services"))
			refuse_val(c, SUB(SUB(at, own), "services"), val_get(val_get(r, own), "services"), egress ? "not allowed in egress rule source" : "not allowed in ingress rule destination");
		if (egress && val_get(r, "http"))
			refuse_val(c, SUB(at, "http"), val_get(r, "http"), "not allowed in egress rule");
		if (global && services && !*form_text(services, "namespace", ""))
			refuse_missing(c, SUB(SUB(at, peer), "services.namespace"), "must specify a namespace");
	}
}

static void policy_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const selectors[] = { "selector", "serviceAccountSelector", "namespaceSelector" };
	bool global = strstr(c->object, "GlobalNetworkPolicy") != NULL, before = true_of(self, "preDNAT"), untracked = true_of(self, "doNotTrack");

	for (size_t k = 0; k < ARRAY_LEN(selectors); k++) {
		check_selector(c, self, selectors[k], p);
		check_no_global(c, self, selectors[k], p);
	}
	for (int egress = 0; egress < 2; egress++)
		check_rules_of(c, self, p, egress, global);
	if (before && untracked)
		refuse_forbidden(c, p, "preDNAT and doNotTrack cannot both be true");
	if (before && has_items(self, "egress"))
		refuse_forbidden(c, p, "preDNAT policy cannot have any egress rules");
	VAL_EACH(t, before ? val_get(self, "types") : NULL)
		if (streq(val_str(t), "Egress"))
			refuse_forbidden(c, p, "preDNAT policy cannot have 'Egress' type");
	if ((before || untracked) && !true_of(self, "applyOnForward"))
		refuse_omitted(c, p, "applyOnForward must be true if either preDNAT or doNotTrack is true");
}

static const struct form rules = { .max = 1024, .items = &rule };
static const struct form type = { .words = FORM_WORDS("Ingress", "Egress") };
static const struct form types = { .min = 1, .max = 2, .items = &type, .key = "" };
static const struct form hint = { .words = FORM_WORDS("AssumeNeededOnEveryNode") };
static const struct form hints = { .items = &hint, .key = "" };
static const struct form tier_name = { .pattern = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$" };
static const struct form staged_action = { .words = FORM_WORDS("Set", "Delete", "Learn", "Ignore") };
static const struct form policy = {
	.members = FORM_MEMBERS({ "tier", &tier_name, false }, { "selector", &expression, false }, { "serviceAccountSelector", &expression, false }, { "namespaceSelector", &expression, false },
				{ "types", &types, false }, { "ingress", &rules, false }, { "egress", &rules, false }, { "performanceHints", &hints, false }, { "stagedAction", &staged_action, false }),
	.rules = policy_rules,
};

void calico_policy_check(struct check *c, const struct object *o)
{
	const char *label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
	char pattern[200];

	snprintf(pattern, sizeof(pattern), o->ns ? "^((%s)(\\.%s)?|(knp|ossg)\\.default\\..+)$" : "^(%s\\.)?%s$", label, label);
	if (!form_matches(o->name, pattern))
		refuse_str(c, SUB(NULL, "metadata.name"), o->name, "name must consist of lower case alphanumeric characters or '-' (regex: %s)", label);
	form_check_spec(c, &policy);
}

/* ---- tiers */

static const struct form tier_action = { .words = FORM_WORDS("Pass", "Deny") };
static const struct form tier = { .members = FORM_MEMBERS({ "defaultAction", &tier_action, false }) };

void calico_tier_check(struct check *c, const struct object *o)
{
	static const struct { const char *name, *action, *says; int order; } own[] = {
		{ "kube-admin", "Pass", "1000", 1000 }, { "kube-baseline", "Pass", "10000000", 10000000 }, { "default", "Deny", "1000000", 1000000 },
	};
	const struct val *spec = val_get(c->root, "spec");
	const char *said = form_text(spec, "defaultAction", "Deny");

	must_be_label(c, SUB(NULL, "metadata.name"), o->name);
	form_check_spec(c, &tier);
	for (size_t k = 0; k < ARRAY_LEN(own); k++) {
		if (!streq(o->name, own[k].name))
			continue;
		if (!streq(said, own[k].action))
			refuse_str(c, SUB(NULL, "spec.defaultAction"), said, "The '%s' tier must have default action '%s'", own[k].name, own[k].action);
		if (val_number_or(val_get(spec, "order"), -1) != own[k].order)
			refuse_val(c, SUB(NULL, "spec.order"), val_get(spec, "order"), "%s tier order must be %s", own[k].name, own[k].says);
	}
}

/* ---- sets, HostEndpoints */

static void check_addresses(struct check *c, const struct val *list, const struct path *p, bool prefixes)
{
	struct cidr net;
	ip_addr ip;
	uint32_t k = 0;

	VAL_EACH(v, list) {
		bool good = val_str(v) && (ip_parse_lenient(val_str(v), &ip) || (prefixes && cidr_parse_lenient(val_str(v), &net)));

		if (!good)
			refuse_val(c, ITEM(p, k), v, prefixes ? "must be an address or a CIDR, as 192.0.2.0/24" : "must be an address");
		k++;
	}
}

static const struct form set = { .members = FORM_MEMBERS({ "nets", &names, false }) };

void network_set_check(struct check *c, const struct object *o)
{
	form_check_spec(c, &set);
	check_addresses(c, val_path(c->root, "spec.nets"), SUB(NULL, "spec.nets"), true);
	if (label_get(&o->labels, "projectcalico.org/namespace"))
		refuse_str(c, SUB(NULL, "metadata.labels"), "projectcalico.org/namespace", "projectcalico.org/namespace is not a valid label name");
}

static const struct form interface = { .max = 15 };
static const struct form endpoint_port_number = { .min = 1, .max = 65535 };
static const struct form endpoint_port = { .members = FORM_MEMBERS({ "name", &any_text, true }, { "port", &endpoint_port_number, true }, { "protocol", &any_text, true }) };
static const struct form endpoint_ports = { .items = &endpoint_port };
static const struct form host_endpoint = {
	.members = FORM_MEMBERS({ "node", &name, false }, { "interfaceName", &interface, false }, { "expectedIPs", &names, false }, { "profiles", &names, false }, { "ports", &endpoint_ports, false }),
};

void host_endpoint_check(struct check *c, const struct object *o)
{
	const struct val *spec = val_get(c->root, "spec");

	(void)o;
	form_check_spec(c, &host_endpoint);
	if (!*form_text(spec, "interfaceName", "") && !has_items(spec, "expectedIPs"))
		refuse_omitted(c, SUB(NULL, "spec"), "at least one of interfaceName or expectedIPs must be specified");
	if (!*form_text(spec, "node", ""))
		refuse_omitted(c, SUB(NULL, "spec"), "node must be specified");
	check_addresses(c, val_get(spec, "expectedIPs"), SUB(NULL, "spec.expectedIPs"), false);
}
