/* DestinationRule, and the pools of connections that Sidecars have too: what Istio refuses. Source: istio pkg/config/validation/{validation,agent/validation}.go. */
#include <inttypes.h>
#include <string.h>

#include "model/api/check_mesh.h"
#include "model/api/checks.h"
#include "model/base/quantity.h"

static void not_negative(struct check *c, const struct val *self, const struct path *p, const char *const *members)
{
	for (; *members; members++)
		if (int_of(self, *members, 0) < 0)
			refuse_int(c, SUB(p, *members), int_of(self, *members, 0), "%s must be non-negative", *members);
}

/* ---- connectionPool */

static void pool_http_rules(struct check *c, const struct val *self, const struct path *p)
{
	not_negative(c, self, p, FORM_WORDS("http1MaxPendingRequests", "http2MaxRequests", "maxRequestsPerConnection", "maxRetries", "maxConcurrentStreams"));
	if (strcmp(form_text(self, "h2UpgradePolicy", ""), "UPGRADE") == 0 && true_of(self, "useClientProtocol"))
		refuse_omitted(c, p, "use client protocol must not be true when H2UpgradePolicy is UPGRADE");
}

static void pool_tcp_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *idle = mesh_text(self, "idleTimeout");
	nsec t = 0;

	not_negative(c, self, p, FORM_WORDS("maxConnections"));
	if (idle && (!duration_parse(idle, &t) || t < 0 || t % 1000000))         /* 0s: never */
		refuse_str(c, SUB(p, "idleTimeout"), idle, "must be a valid duration in whole milliseconds");
}

static void pool_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!has(self, "http") && !has(self, "tcp"))
		refuse_omitted(c, p, "connection pool must have at least one field");
}
static const struct form upgrade = { .words = FORM_WORDS("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE") };
static const struct form keep_alive = { .members = FORM_MEMBERS({ "interval", &mesh_duration, true }, { "timeout", &mesh_duration, true }) };
static const struct form pool_http = {
	.members = FORM_MEMBERS({ "h2UpgradePolicy", &upgrade, false }, { "idleTimeout", &mesh_duration, false }, { "http2KeepAlive", &keep_alive, false }), .rules = pool_http_rules,
};
static const struct form tcp_keep_alive = { .members = FORM_MEMBERS({ "interval", &mesh_duration, false }, { "time", &mesh_duration, false }) };
static const struct form pool_tcp = {
	.members = FORM_MEMBERS({ "connectTimeout", &mesh_duration, false }, { "maxConnectionDuration", &mesh_duration, false }, { "tcpKeepalive", &tcp_keep_alive, false }),
	.rules = pool_tcp_rules,
};
const struct form mesh_pool = { .members = FORM_MEMBERS({ "http", &pool_http, false }, { "tcp", &pool_tcp, false }), .rules = pool_rules };

/* ---- loadBalancer, outlierDetection, tls of a client */

static bool is_prime(int64_t x)
{
	if (x < 4)
		return x > 0;
	for (int64_t f = 3; f * f <= x; f += 2)
		if (x % f == 0)
			return false;
	return x % 2 != 0;
}

static void hash_rules(struct check *c, const struct val *self, const struct path *p)
{
	int64_t size = int_of(val_get(self, "maglev"), "tableSize", 0);

	mesh_one_of(c, self, p, FORM_WORDS("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"));
	mesh_one_of(c, self, p, FORM_WORDS("ringHash", "maglev"));
	if (int_of(self, "minimumRingSize", 0) && (has(self, "ringHash") || has(self, "maglev")))
		refuse_omitted(c, p, "only one of MinimumRingSize or Maglev/Ringhash can be specified");
	if (has(self, "maglev") && (!size || size >= 5000011 || !is_prime(size)))
		refuse_int(c, SUB(p, "maglev.tableSize"), size, !size ? "tableSize must be set for maglev" : size >= 5000011 ? "tableSize must be less than 5000011 for maglev"
														: "tableSize must be a prime number for maglev");
}

static void balancer_rules(struct check *c, const struct val *self, const struct path *p)
{
	mesh_one_of(c, self, p, FORM_WORDS("simple", "consistentHash", "backendUtilization"));
	if (has(self, "localityLbSetting") && has(self, "zoneAwareLbSetting"))
		refuse_omitted(c, p, "only one of localityLbSetting and zoneAwareLbSetting can be set");
}

static void outlier_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const percents[] = { "maxEjectionPercent", "minHealthPercent" };

	if (int_of(self, "consecutiveErrors", 0))
		warn_of(c, SUB(p, "consecutiveErrors"), "outlier detection consecutive errors is deprecated, use consecutiveGatewayErrors or consecutive5xxErrors instead");
	if (!true_of(self, "splitExternalLocalOriginErrors") && int_of(self, "consecutiveLocalOriginFailures", 0) > 0)
		refuse_omitted(c, p, "outlier detection consecutive local origin failures is specified, but split external local origin errors is set to false");
	for (size_t k = 0; k < 2; k++) {
		int64_t v = int_of(self, percents[k], 0);

		if (v < 0 || v > 100)
			refuse_int(c, SUB(p, percents[k]), v, "percentage %" PRId64 " is not in range 0..100", v);
	}
}

static void client_tls_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const files[] = { "clientCertificate", "caCertificates", "privateKey", "caCrl" };
	const char *mode = form_text(self, "mode", "DISABLE");
	bool mutual = strcmp(mode, "MUTUAL") == 0, simple = strcmp(mode, "SIMPLE") == 0, credential = mesh_text(self, "credentialName") != NULL, any = false;

	if (true_of(self, "insecureSkipVerify") && (simple || mutual) &&
	    (mesh_text(self, "caCertificates") || val_get(self, "subjectAltNames") || (simple && credential)))
		refuse_omitted(c, p, simple ? "cannot specify CaCertificates or CredentialName or SubjectAltNames when InsecureSkipVerify is set true"
					    : "cannot specify CaCertificates or SubjectAltNames when InsecureSkipVerify is set true");
	for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++)
		any = any || mesh_text(self, files[k]);
	if (credential && (simple || mutual)) {
		if (any)
			refuse_omitted(c, p, "cannot specify client certificates or CA certificate or CA CRL If credentialName is set");
		return;
	}
	if (mutual && !mesh_text(self, "clientCertificate"))
		refuse_missing(c, SUB(p, "clientCertificate"), "client certificate required for mutual tls");
	if (mutual && !mesh_text(self, "privateKey"))
		refuse_missing(c, SUB(p, "privateKey"), "private key required for mutual tls");
}

/* A number, or null: the default. */
static void aggression_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (val_number_or(self, 1) <= 0)
		refuse_val(c, p, self, "aggression should be greater than 0");
}

static const struct form named = { .members = FORM_MEMBERS({ "name", NULL, true }) }, cookie_attributes = { .items = &named, .key = "name" };
static const struct form cookie = { .members = FORM_MEMBERS({ "name", NULL, true }, { "attributes", &cookie_attributes, false }) };
static const struct form hash = { .members = FORM_MEMBERS({ "httpCookie", &cookie, false }), .rules = hash_rules };
static const struct form simple = { .words = FORM_WORDS("UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST") };
static const struct form hundred = { .max = 100 }, aggression = { .rules = aggression_rules };
static const struct form warmup = { .members = FORM_MEMBERS({ "duration", &mesh_duration, true }, { "minimumPercent", &hundred, false }, { "aggression", &aggression, false }) };
static const struct form balancer = {
	.members = FORM_MEMBERS({ "simple", &simple, false }, { "consistentHash", &hash, false }, { "warmup", &warmup, false }, { "warmupDurationSecs", &mesh_duration, false }),
	.rules = balancer_rules,
};
static const struct form outlier = { .members = FORM_MEMBERS({ "baseEjectionTime", &mesh_duration, false }, { "interval", &mesh_duration, false }), .rules = outlier_rules };
static const struct form client_mode = { .words = FORM_WORDS("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL") };
static const struct form client_tls = { .members = FORM_MEMBERS({ "mode", &client_mode, false }), .rules = client_tls_rules };

/* ---- DestinationRule */

static bool any_of(const struct val *self, const char *const *members)
{
	for (; *members; members++)
		if (has(self, *members))
			return true;
	return false;
}

static void port_policy_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!has(self, "port"))
		refuse_missing(c, SUB(p, "port"), "portTrafficPolicy must have valid port");
	if (!any_of(self, FORM_WORDS("outlierDetection", "connectionPool", "loadBalancer", "tls")))
		refuse_omitted(c, p, "port traffic policy must have at least one field");
}

static void traffic_rules(struct check *c, const struct val *self, const struct path *p)
{
	if (!any_of(self, FORM_WORDS("outlierDetection", "connectionPool", "loadBalancer", "tls", "portLevelSettings", "tunnel", "proxyProtocol", "retryBudget")))
		refuse_omitted(c, p, "traffic policy must have at least one field");
	if (has(self, "tunnel") && has(self, "proxyProtocol"))
		refuse_omitted(c, p, "tunnel and proxyProtocol must not be set together");
}

static void tunnel_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *protocol = mesh_text(self, "protocol"), *host = form_text(self, "targetHost", "");

	if (protocol && !one_of(protocol, FORM_WORDS("CONNECT", "POST")))
		refuse_str(c, SUB(p, "protocol"), protocol, "tunnel protocol must be \"CONNECT\" or \"POST\"");
	if (!mesh_is_fqdn(host) && !mesh_is_ip(host))
		refuse_str(c, SUB(p, "targetHost"), host, "tunnel target host must be valid FQDN or IP address");
	mesh_must_be_port(c, SUB(p, "targetPort"), int_of(self, "targetPort", 0));
}

static void subset_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *name = form_text(self, "name", "");

	if (!mesh_is_label(name))
		refuse_str(c, SUB(p, "name"), name, *name ? "subset name is invalid: %s" : "subset name cannot be empty%s", name);
	mesh_must_be_labels(c, SUB(p, "labels"), val_get(self, "labels"));
}

static void rule_rules(struct check *c, const struct val *self, const struct path *p)
{
	mesh_must_be_wildcard(c, SUB(p, "host"), form_text(self, "host", ""));
	mesh_must_be_export(c, SUB(p, "exportTo"), val_get(self, "exportTo"), has(self, "workloadSelector") ? 'w' : 0);
}

static const struct form version = { .words = FORM_WORDS("V1", "V2") }, proxy_protocol = { .members = FORM_MEMBERS({ "version", &version, false }) };
static const struct form port_policy = {
	.members = FORM_MEMBERS({ "connectionPool", &mesh_pool, false }, { "loadBalancer", &balancer, false }, { "outlierDetection", &outlier, false }, { "tls", &client_tls, false }),
	.rules = port_policy_rules,
};
static const struct form port_policies = { .max = 4096, .items = &port_policy };
static const struct form tunnel = { .members = FORM_MEMBERS({ "targetHost", NULL, true }, { "targetPort", NULL, true }), .rules = tunnel_rules };
static const struct form traffic = {
	.members = FORM_MEMBERS({ "connectionPool", &mesh_pool, false }, { "loadBalancer", &balancer, false }, { "outlierDetection", &outlier, false }, { "tls", &client_tls, false },
				{ "portLevelSettings", &port_policies, false }, { "tunnel", &tunnel, false }, { "proxyProtocol", &proxy_protocol, false }),
	.rules = traffic_rules,
};
static const struct form subset = { .members = FORM_MEMBERS({ "name", NULL, true }, { "trafficPolicy", &traffic, false }), .rules = subset_rules };
static const struct form subsets = { .items = &subset, .key = "name" };
static const struct form rule_spec = {
	.members = FORM_MEMBERS({ "host", NULL, true }, { "trafficPolicy", &traffic, false }, { "subsets", &subsets, false }, { "workloadSelector", &mesh_selector, false }),
	.rules = rule_rules,
};

void destination_rule_check(struct check *c, const struct object *o) { mesh_check(c, o, &rule_spec); }
