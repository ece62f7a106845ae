/* What Calico and the network policy API refuse of policies in tiers, and take. Calico: the cases of libcalico-go/lib/validator/v3/validator_test.go (v3.33) that are about
 * policies, rules, ports, tiers and sets, and the words of api/config/crd; the API: config/crd/experimental of network-policy-api v0.2.0 and v0.1.7. */
#include "tests/unit/cell.h"
#include "tests/unit/test.h"

struct case_of { const char *spec, *says; };    /* says NULL: it is taken */

static const char *refusal(struct cell *cell, const char *json)
{
	const struct val *v = json_parse(cell->a, "test.yaml", json, strlen(json), NULL, &cell->err);

	err_clear(&cell->err);
	return v && cell_doc(cell, v) == APPLY_ERROR ? cell->err.v[0].text : NULL;
}

static void judge(const char *form, const struct case_of *rows, size_t nr)
{
	for (size_t k = 0; k < nr; k++) {
		struct cell cell = cell_new(1);
		const char *said = refusal(&cell, arena_printf(cell.a, form, rows[k].spec));

		if ((said != NULL) != (rows[k].says != NULL) || (said && !strstr(said, rows[k].says))) {
			fprintf(stderr, "\n%s: %s\n", rows[k].spec, said ? said : "taken");
			CU_ASSERT(false);
		}
		CU_ASSERT(true);
		cell_free(&cell);
	}
}

static const char of_rule[] = "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"p\",\"namespace\":\"default\"},\"spec\":{\"ingress\":[%s]}}";
static const char of_global[] = "{\"apiVersion\":\"projectcalico.org/v3\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"p\"},\"spec\":%s}";

TEST(calico_rules_are_judged)
{
	static const struct case_of rows[] = {
		{ "{\"action\":\"Allow\"}", NULL }, { "{\"action\":\"Deny\"}", NULL }, { "{\"action\":\"Log\"}", NULL }, { "{\"action\":\"Pass\"}", NULL },
		{ "{\"action\":\"unknown\"}", "spec.ingress[0].action: Unsupported value: \"unknown\": supported values: \"Allow\", \"Deny\", \"Log\", \"Pass\"" },
		{ "{\"action\":\"allow\"}", "action: Unsupported value" }, { "{\"source\":{}}", "spec.ingress[0].action: Required value" },
		{ "{\"action\":\"Allow\",\"ipVersion\":4}", NULL }, { "{\"action\":\"Allow\",\"ipVersion\":6}", NULL }, { "{\"action\":\"Allow\",\"ipVersion\":0}", "ipVersion: Unsupported value: 0" },
		/* protocols */
		{ "{\"action\":\"Allow\",\"protocol\":\"UDPLite\"}", NULL }, { "{\"action\":\"Allow\",\"protocol\":255}", NULL }, { "{\"action\":\"Allow\",\"protocol\":\"255\"}", NULL },
		{ "{\"action\":\"Allow\",\"protocol\":0}", "protocol: Invalid value: 0" }, { "{\"action\":\"Allow\",\"protocol\":\"256\"}", "protocol: Invalid value" },
		{ "{\"action\":\"Allow\",\"protocol\":\"tcpfoo\"}", "protocol: Invalid value" }, { "{\"action\":\"Allow\",\"notProtocol\":\"footcp\"}", "notProtocol: Invalid value" },
		{ "{\"action\":\"Allow\",\"protocol\":\"tcp\"}", "protocol: Invalid value: \"tcp\": must be TCP, UDP" },
		/* ports */
		{ "{\"action\":\"Allow\",\"protocol\":6,\"source\":{\"ports\":[1]}}", NULL }, { "{\"action\":\"Allow\",\"protocol\":\"UDP\",\"source\":{\"ports\":[\"foo\"]}}", NULL },
		{ "{\"action\":\"Allow\",\"protocol\":7,\"source\":{\"ports\":[]}}", NULL }, { "{\"action\":\"Allow\",\"protocol\":17,\"source\":{\"notPorts\":[1]}}", NULL },
		{ "{\"action\":\"Allow\",\"destination\":{\"ports\":[1]}}", "rules with numeric port or port range must set protocol to TCP or UDP or SCTP" },
		{ "{\"action\":\"Allow\",\"destination\":{\"ports\":[\"foo\"]}}", NULL }, { "{\"action\":\"Allow\",\"source\":{\"notPorts\":[\"foo\"]}}", NULL },
		{ "{\"action\":\"Allow\",\"protocol\":6,\"source\":{\"ports\":[0]}}", "spec.ingress[0].source.ports[0]: Invalid value: 0: port range invalid, port number must be between 1 and 65535" },
		{ "{\"action\":\"Allow\",\"protocol\":7,\"source\":{\"ports\":[\"foo\"]}}", "rules that specify ports must set protocol to TCP or UDP or SCTP" },
		{ "{\"action\":\"Allow\",\"protocol\":7,\"source\":{\"ports\":[1]}}", "rules that specify ports" },
		{ "{\"action\":\"Allow\",\"protocol\":\"SCTP\",\"destination\":{\"ports\":[\"1:65535\"]}}", NULL },
		{ "{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[\"90:80\"]}}", "minimum port number (90) is greater than maximum port number (80) in port range" },
		{ "{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"notPorts\":[\"0:80\"]}}", "notPorts[0]: Invalid value: \"0:80\": port range invalid" },
		{ "{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[70000]}}", "between 1 and 65535" },
		{ "{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[\"80-90\"]}}", "ports[0]: Invalid value: \"80-90\": must contain at least one letter" },
		{ "{\"action\":\"Allow\",\"protocol\":\"TCP\",\"destination\":{\"ports\":[\"80:\"]}}", "must be a port, a range as 8000:8100, or the name of a port" },
		/* ICMP */
		{ "{\"action\":\"Allow\",\"icmp\":{\"type\":2}}", "ICMP fields require protocol to be ICMP or ICMPv6" }, { "{\"action\":\"Allow\",\"protocol\":\"ICMP\",\"icmp\":{\"type\":2}}", NULL },
		{ "{\"action\":\"Allow\",\"protocol\":\"ICMPv6\",\"icmp\":{\"type\":2}}", NULL }, { "{\"action\":\"Allow\",\"protocol\":\"ICMP\",\"ipVersion\":6}", "protocol ICMP requires ipVersion 4" },
		{ "{\"action\":\"Allow\",\"protocol\":58,\"ipVersion\":4}", "protocol ICMPv6 requires ipVersion 6" }, { "{\"action\":\"Allow\",\"protocol\":\"ICMP\",\"ipVersion\":4}", NULL },
		{ "{\"action\":\"Allow\",\"protocol\":1,\"icmp\":{\"type\":255}}", "should be less than or equal to 254" },
		{ "{\"action\":\"Allow\",\"protocol\":1,\"icmp\":{\"code\":1}}", "ICMP code specified without an ICMP type" },
		/* nets */
		{ "{\"action\":\"Allow\",\"source\":{\"nets\":[\"1.2.3.4/32\"]},\"destination\":{\"nets\":[\"aa:bb::/64\"]}}", "rule contains both IPv4 and IPv6 CIDRs" },
		{ "{\"action\":\"Allow\",\"source\":{\"nets\":[\"1.2.3.4/32\",\"aa:bb::/64\"]}}", "rule contains both IPv4 and IPv6 CIDRs" },
		{ "{\"action\":\"Allow\",\"ipVersion\":6,\"destination\":{\"nets\":[\"1.2.3.4/32\"]}}", "rule IP version doesn't match CIDR version" },
		{ "{\"action\":\"Allow\",\"source\":{\"nets\":[\"10.0.0.0/33\"]}}", "spec.ingress[0].source.nets[0]: Invalid value: \"10.0.0.0/33\": invalid CIDR" },
		{ "{\"action\":\"Allow\",\"source\":{\"notNets\":[\"0.0.0.0/0\"]}}", "catch-all CIDR in negation" },
		/* HTTP, Services */
		{ "{\"action\":\"Allow\",\"http\":{\"methods\":[\"GET\"]}}", NULL }, { "{\"action\":\"Allow\",\"protocol\":\"TCP\",\"http\":{\"methods\":[\"GET\"]}}", NULL },
		{ "{\"action\":\"Deny\",\"http\":{\"methods\":[\"GET\"]}}", "HTTP match is only valid on Allow rules" },
		{ "{\"action\":\"Allow\",\"protocol\":\"UDP\",\"http\":{\"methods\":[\"GET\"]}}", "rules with HTTP match must have protocol TCP or unset" },
		{ "{\"action\":\"Allow\",\"destination\":{\"services\":{\"name\":\"s\"}}}", "not allowed in ingress rule destination" },
		{ "{\"action\":\"Allow\",\"source\":{\"services\":{\"name\":\"s\"},\"selector\":\"all()\"}}", "cannot specify Selector/NotSelector and Services on the same rule" },
		{ "{\"action\":\"Allow\",\"source\":{\"services\":{}}}", "services must specify a service name" },
		/* selectors: libcalico-go/lib/selector/tokenizer */
		{ "{\"action\":\"Allow\",\"source\":{\"selector\":\"foo == \\\"bar\\\"\"}}", NULL }, { "{\"action\":\"Allow\",\"source\":{\"selector\":\"has(calico/k8s_NS-.1/role)\"}}", NULL },
		{ "{\"action\":\"Allow\",\"source\":{\"selector\":\"thing=hello &\"}}", "is no selector that Calico takes" },
		{ "{\"action\":\"Allow\",\"source\":{\"selector\":\"a notin {'b'} && c startswith 'd'\"}}", NULL }, { "{\"action\":\"Allow\",\"source\":{\"selector\":\"has (a)\"}}", "expected at \"(a)\"" },
		{ "{\"action\":\"Allow\",\"source\":{\"selector\":\"a == 'b\"}}", "the end of this text was expected" },
		{ "{\"action\":\"Allow\",\"source\":{\"selector\":\"(a == 'b'\"}}", ") was expected at its end" },
		{ "{\"action\":\"Allow\",\"source\":{\"selector\":\"global()\"}}", "global() can only be used in an EntityRule namespaceSelector" },
		{ "{\"action\":\"Allow\",\"source\":{\"namespaceSelector\":\"global()\"}}", NULL },
		{ "{\"action\":\"Allow\",\"source\":{\"namespaceSelector\":\"global() || has(a)\"}}", "global() cannot be combined with other selectors" },
	};

	judge(of_rule, rows, ARRAY_LEN(rows));
}

TEST(calico_policies_are_judged)
{
	static const struct case_of rows[] = {
		{ "{\"order\":1.5,\"selector\":\"all()\",\"types\":[\"Ingress\",\"Egress\"]}", NULL }, { "{}", NULL },
		{ "{\"order\":\"ten\"}", "spec.order: Invalid value: \"string\": must be of type number" },
		{ "{\"types\":[]}", "should have at least 1 items" }, { "{\"types\":[\"Ingress\",\"Ingress\"]}", "spec.types[1]: Duplicate value" },
		{ "{\"types\":[\"ingress\"]}", "supported values: \"Ingress\", \"Egress\"" }, { "{\"selector\":5}", "spec.selector: Invalid value" },
		{ "{\"ingress\":[1]}", "spec.ingress[0]: Invalid value" }, { "{\"selektor\":\"all()\"}", "did you mean \"selector\"" },
		{ "{\"preDNAT\":true}", "applyOnForward must be true if either preDNAT or doNotTrack is true" },
		{ "{\"preDNAT\":true,\"applyOnForward\":true,\"egress\":[{\"action\":\"Allow\"}]}", "preDNAT policy cannot have any egress rules" },
		{ "{\"preDNAT\":true,\"applyOnForward\":true,\"doNotTrack\":true}", "preDNAT and doNotTrack cannot both be true" },
		{ "{\"preDNAT\":true,\"applyOnForward\":true,\"types\":[\"Egress\"]}", "preDNAT policy cannot have 'Egress' type" },
		{ "{\"preDNAT\":true,\"applyOnForward\":true}", NULL }, { "{\"selector\":\"global()\"}", "global() can only be used" },
		{ "{\"egress\":[{\"action\":\"Allow\",\"destination\":{\"services\":{\"name\":\"s\"}}}]}", "must specify a namespace" },
		{ "{\"egress\":[{\"action\":\"Allow\",\"http\":{\"methods\":[\"GET\"]}}]}", "not allowed in egress rule" },
	};

	judge(of_global, rows, ARRAY_LEN(rows));
}

TEST(tiers_and_sets_are_judged)
{
	static const struct case_of rows[] = {
		{ "\"kind\":\"Tier\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"order\":5}", NULL }, { "\"kind\":\"Tier\",\"metadata\":{\"name\":\"a.b\"},\"spec\":{}", "metadata.name" },
		{ "\"kind\":\"Tier\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"defaultAction\":\"Allow\"}", "supported values: \"Pass\", \"Deny\"" },
		{ "\"kind\":\"Tier\",\"metadata\":{\"name\":\"default\"},\"spec\":{\"order\":5}", "default tier order must be 1000000" },
		{ "\"kind\":\"Tier\",\"metadata\":{\"name\":\"default\"},\"spec\":{\"order\":1000000}", NULL },
		{ "\"kind\":\"Tier\",\"metadata\":{\"name\":\"kube-admin\"},\"spec\":{\"order\":1000,\"defaultAction\":\"Deny\"}", "The 'kube-admin' tier must have default action 'Pass'" },
		{ "\"kind\":\"GlobalNetworkSet\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"nets\":[\"10.0.0.1\",\"11.0.0.0/8\",\"dead:beef::\",\"feed::/64\"]}", NULL },
		{ "\"kind\":\"GlobalNetworkSet\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"nets\":[\"garbage\"]}", "spec.nets[0]: Invalid value" },
		{ "\"kind\":\"GlobalNetworkSet\",\"metadata\":{\"name\":\"s\",\"labels\":{\"projectcalico.org/namespace\":\"x\"}},\"spec\":{}", "is not a valid label name" },
		{ "\"kind\":\"HostEndpoint\",\"metadata\":{\"name\":\"h\"},\"spec\":{\"node\":\"n\"}", "at least one of interfaceName or expectedIPs must be specified" },
		{ "\"kind\":\"HostEndpoint\",\"metadata\":{\"name\":\"h\"},\"spec\":{\"interfaceName\":\"eth0\"}", "node must be specified" },
		{ "\"kind\":\"HostEndpoint\",\"metadata\":{\"name\":\"h\"},\"spec\":{\"node\":\"n\",\"interfaceName\":\"eth0\",\"ports\":[{\"port\":5,\"protocol\":\"TCP\"}]}", "ports[0].name: Required value" },
	};

	judge("{\"apiVersion\":\"projectcalico.org/v3\",%s}", rows, ARRAY_LEN(rows));
}

#define CLUSTER "\"apiVersion\":\"policy.networking.k8s.io/v1alpha2\",\"kind\":\"ClusterNetworkPolicy\",\"metadata\":{\"name\":\"p\"},\"spec\":{"
#define IN(rule) CLUSTER "\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}},\"ingress\":[{" rule "}]}"
#define OUT(rule) CLUSTER "\"tier\":\"Admin\",\"priority\":1,\"subject\":{\"namespaces\":{}},\"egress\":[{" rule "}]}"

TEST(policies_of_the_network_policy_api_are_judged)
{
	static const struct case_of rows[] = {
		{ IN("\"action\":\"Accept\",\"from\":[{\"namespaces\":{}}]"), NULL }, { IN("\"action\":\"Allow\",\"from\":[{\"namespaces\":{}}]"), "supported values: \"Accept\", \"Deny\", \"Pass\"" },
		{ CLUSTER "\"tier\":\"Admin\",\"priority\":1001,\"subject\":{\"namespaces\":{}}}", "should be less than or equal to 1000" },
		{ CLUSTER "\"tier\":\"admin\",\"priority\":1,\"subject\":{\"namespaces\":{}}}", "supported values: \"Admin\", \"Baseline\"" },
		{ CLUSTER "\"priority\":1}", "Required value" }, { IN("\"action\":\"Deny\""), "spec.ingress[0].from: Required value" },
		{ IN("\"action\":\"Deny\",\"from\":[{\"namespaces\":{},\"pods\":{\"podSelector\":{}}}]"), "from[0]: Too many: 2" },
		{ IN("\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}],\"protocols\":[{\"tcp\":{\"destinationPort\":{\"range\":{\"start\":90,\"end\":80}}}}]"), "Start port must be less than End port" },
		{ IN("\"action\":\"Deny\",\"from\":[{\"namespaces\":{}}],\"protocols\":[{\"tcp\":{}}]"), "should have at least 1 properties" },
		{ OUT("\"action\":\"Deny\",\"to\":[{\"networks\":[\"10.0.0.0/33\"]}]"), "Invalid CIDR format provided" },
		{ OUT("\"action\":\"Deny\",\"to\":[{\"networks\":[\"10.0.0.0/8\"]}],\"protocols\":[{\"destinationNamedPort\":\"http\"}]"), "peer cannot be set with namedPorts" },
		{ OUT("\"action\":\"Deny\",\"to\":[{\"networks\":[\"10.0.0.0/8\"]}]"), NULL },
		{ "\"apiVersion\":\"policy.networking.k8s.io/v1alpha1\",\"kind\":\"BaselineAdminNetworkPolicy\",\"metadata\":{\"name\":\"mine\"},\"spec\":{\"subject\":{\"namespaces\":{}}}", "metadata.name=" },
		{ "\"apiVersion\":\"policy.networking.k8s.io/v1alpha1\",\"kind\":\"AdminNetworkPolicy\",\"metadata\":{\"name\":\"p\"},\"spec\":{\"priority\":5,\"subject\":{\"pods\":{\"podSelector\":{}}}}",
		  "spec.subject.pods.namespaceSelector: Required value" },
	};
	static const char all[] = "{%s}";

	judge(all, rows, ARRAY_LEN(rows));
}
