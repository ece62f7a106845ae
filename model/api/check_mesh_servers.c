/* Gateway, ServiceEntry, Sidecar: what Istio refuses. Source: istio pkg/config/validation/{validation,agent/validation}.go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/api/check_mesh.h"
#include "model/api/checks.h"

#define UNIX "unix://"

static bool is_unix(const char *s) { return s && strncmp(s, UNIX, strlen(UNIX)) == 0; }

/* ---- tls of servers */

static void needs_certificates(struct check *c, const struct val *self, const struct path *p, bool mutual)
{
	const struct val *list = val_get(self, "tlsCertificates");
	const char *what = mutual ? "MUTUAL TLS" : "SIMPLE TLS";
	uint32_t k = 0;

	if (mutual && !mesh_text(self, "caCertificates"))
		refuse_missing(c, SUB(p, "caCertificates"), "%s requires a client CA bundle", what);
	for (const struct val *one = val_first(list) ? val_first(list) : self; one; one = one == self ? NULL : one->next, k++) {
		const struct path *at = one == self ? p : ITEM(SUB(p, "tlsCertificates"), k);

		if (!mesh_text(one, "serverCertificate"))
			refuse_missing(c, SUB(at, "serverCertificate"), "%s requires a server certificate", what);
		if (!mesh_text(one, "privateKey"))
			refuse_missing(c, SUB(at, "privateKey"), "%s requires a private key", what);
	}
}

static void server_tls_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *member, *what; } never[] = {
		{ "serverCertificate", "server certificate" }, { "privateKey", "private key" }, { "caCertificates", "CA bundle" }, { "tlsCertificates", "tlsCertificates" },
		{ "credentialName", "credentialName" }, { "credentialNames", "credentialNames" },
	};
	const char *mode = form_text(self, "mode", "PASSTHROUGH");
	bool simple_mode = strcmp(mode, "SIMPLE") == 0, mutual = strcmp(mode, "MUTUAL") == 0 || strcmp(mode, "OPTIONAL_MUTUAL") == 0;
	bool one = val_get(self, "credentialName"), many = val_get(self, "credentialNames"), list = val_get(self, "tlsCertificates");
	int sources = (mesh_text(self, "serverCertificate") && mesh_text(self, "privateKey")) + (mesh_text(self, "credentialName") != NULL) + many + list;
	char text[96];

	if (one && many)
		refuse_omitted(c, p, "only one of credentialName or credentialNames can be set");
	if (many && list)
		refuse_omitted(c, p, "only one of credentialNames or tlsCertificates can be set");
	for (size_t k = 0; k < sizeof(never) / sizeof(*never) && strcmp(mode, "ISTIO_MUTUAL") == 0; k++) {
		const struct val *v = val_get(self, never[k].member);

		snprintf(text, sizeof(text), "ISTIO_MUTUAL TLS cannot have associated %s", never[k].what);
		if (v && (v->type == VAL_LIST ? v->nr > 0 : mesh_text(self, never[k].member) != NULL))
			refuse_omitted(c, SUB(p, never[k].member), text);
	}
	if (strcmp(mode, "ISTIO_MUTUAL") == 0)
		return;
	if (!simple_mode && !mutual && (sources || mesh_text(self, "serverCertificate") || mesh_text(self, "privateKey") || mesh_text(self, "caCertificates") || mesh_text(self, "caCrl")))
		warn_of(c, p, "%s mode does not use certificates, they will be ignored", mode);
	if (sources > 1)
		refuse_omitted(c, p, "only one of credential_name, credential_names, server_certificate/private_key, tls_certificates should be specified");
	if ((simple_mode || mutual) && (mesh_text(self, "credentialName") || many))
		return;
	if (simple_mode || mutual)
		needs_certificates(c, self, p, mutual);
	if (mesh_text(self, "caCrl") && simple_mode)
		refuse_omitted(c, SUB(p, "caCrl"), "CRL is not supported with SIMPLE TLS");
}
static const struct form tls_version = { .words = FORM_WORDS("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3") }, two = { .min = 1, .max = 2 };
static const struct form server_mode = { .words = FORM_WORDS("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL") };
const struct form mesh_server_tls = {
	.members = FORM_MEMBERS({ "mode", &server_mode, false }, { "minProtocolVersion", &tls_version, false }, { "maxProtocolVersion", &tls_version, false },
				{ "credentialNames", &two, false }, { "tlsCertificates", &two, false }),
	.rules = server_tls_rules,
};

/* ---- Gateway */

static void server_bind(struct check *c, const struct val *self, const struct path *p)
{
	const char *bind = mesh_text(self, "bind");
	int64_t number = int_of(val_get(self, "port"), "number", 0);

	if (is_unix(bind)) {
		mesh_must_be_unix(c, SUB(p, "bind"), bind + strlen(UNIX));
		if (number)
			refuse_int(c, SUB(p, "port.number"), number, "port number must be 0 for unix domain socket");
	} else if (bind) {
		mesh_must_be_ip(c, SUB(p, "bind"), bind);
	}
	if (number > 0 || !is_unix(bind))
		mesh_must_be_port(c, SUB(p, "port.number"), number);
}

/* A server of plain HTTP has a tls section for its redirect only. */
static void server_protocol(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *tls = val_get(self, "tls"), *port = val_get(self, "port");
	const char *protocol = form_text(port, "protocol", ""), *mode = form_text(tls, "mode", "PASSTHROUGH");
	bool passes = strcmp(mode, "PASSTHROUGH") == 0 || strcmp(mode, "AUTO_PASSTHROUGH") == 0, there = has(self, "tls");

	if (!mesh_is_protocol(protocol))
		refuse_str(c, SUB(p, "port.protocol"), protocol, "invalid protocol \"%s\", supported protocols are HTTP, HTTP2, GRPC, GRPC-WEB, MONGO, REDIS, MYSQL, TCP", protocol);
	else if (mesh_is_tls(protocol) && !there)
		refuse_missing(c, SUB(p, "tls"), "server must have TLS settings for HTTPS/TLS protocols");
	else if (!mesh_is_tls(protocol) && there && !mesh_is_http(protocol))
		refuse_omitted(c, SUB(p, "tls"), "server cannot have TLS settings for non HTTPS/TLS ports");
	else if (!mesh_is_tls(protocol) && there && (!passes || mesh_text(tls, "caCertificates") || mesh_text(tls, "privateKey") || mesh_text(tls, "serverCertificate")))
		refuse_omitted(c, SUB(p, "tls"), "server cannot have TLS settings for plain text HTTP ports");
	if (!mesh_is_http(protocol) && true_of(tls, "httpsRedirect"))
		warn_of(c, SUB(p, "tls.httpsRedirect"), "tls.httpsRedirect should only be used with http servers");
}

static void server_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *hosts = val_get(self, "hosts"), *port = val_get(self, "port");
	uint32_t k = 0;

	if (!val_first(hosts))
		refuse_missing(c, SUB(p, "hosts"), "server config must contain at least one host");
	VAL_EACH(h, hosts)
		mesh_must_be_host_of_namespace(c, ITEM(SUB(p, "hosts"), k++), val_str(h) ? val_str(h) : "", true);
	server_bind(c, self, p);
	server_protocol(c, self, p);
	if (int_of(port, "targetPort", 0))
		refuse_int(c, SUB(p, "port.targetPort"), int_of(port, "targetPort", 0), "targetPort has no impact on Gateways");
	if (!mesh_text(port, "name"))
		refuse_missing(c, SUB(p, "port.name"), "port name must be set");
}

static void gateway_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *name = val_str(val_path(c->root, "metadata.name"));
	const struct val *servers = val_get(self, "servers");
	uint32_t k = 0;

	if (name && !mesh_is_label(name))
		refuse_str(c, SUB(NULL, "metadata.name"), name, "invalid gateway name: \"%s\"", name);
	if (!val_first(servers))
		refuse_missing(c, SUB(p, "servers"), "gateway must have at least one server");
	VAL_EACH(s, servers) {
		const char *port = mesh_text(val_get(s, "port"), "name");

		for (const struct val *o = servers->first; o != s && port; o = o->next)
			if (mesh_text(val_get(o, "port"), "name") && strcmp(mesh_text(val_get(o, "port"), "name"), port) == 0) {
				refuse_duplicate(c, SUB(ITEM(SUB(p, "servers"), k), "port.name"), port);
				break;
			}
		k++;
	}
}
static const struct form server_port = { .members = FORM_MEMBERS({ "number", NULL, true }, { "protocol", NULL, true }, { "name", NULL, true }) };
static const struct form server = { .members = FORM_MEMBERS({ "hosts", NULL, true }, { "port", &server_port, true }, { "tls", &mesh_server_tls, false }), .rules = server_rules };
static const struct form servers = { .items = &server }, gateway_spec = { .members = FORM_MEMBERS({ "servers", &servers, false }), .rules = gateway_rules };

/* ---- ServiceEntry */

static const char *resolution(const struct val *self) { return form_text(self, "resolution", "NONE"); }
static bool is_dns(const struct val *self) { return strcmp(resolution(self), "DNS") == 0 || strcmp(resolution(self), "DNS_ROUND_ROBIN") == 0; }

static void entry_hosts(struct check *c, const struct val *self, const struct path *p)
{
	bool dynamic = strcmp(resolution(self), "DYNAMIC_DNS") == 0, plain = is_dns(self) && !val_first(val_get(self, "endpoints"));
	uint32_t k = 0;

	VAL_EACH(h, val_get(self, "hosts")) {
		const struct path *at = ITEM(SUB(p, "hosts"), k++);
		const char *s = val_str(h) ? val_str(h) : "";

		if (strcmp(s, "*") == 0)
			refuse_str(c, at, s, "hostname cannot be wildcard");
		else
			mesh_must_be_wildcard(c, at, s);
		if (!dynamic && strchr(s, '*') && s[1] && strncmp(s, "*.", 2) != 0)
			warn_of(c, at, "partial wildcard \"%s\" not allowed", s);
		if (dynamic && *s != '*')
			refuse_str(c, at, s, "host must be wildcarded for resolution mode DYNAMIC_DNS");
		if (plain && !mesh_is_fqdn(s)) {
			refuse_str(c, at, s, "hosts must be FQDN if no endpoints are provided for resolution mode %s", resolution(self));
			plain = false;
		}
	}
}

static void entry_ports(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *ports = val_get(self, "ports"), *hosts = val_get(self, "hosts");
	bool told = strcmp(resolution(self), "NONE") == 0 || !hosts || hosts->nr < 2, dynamic = strcmp(resolution(self), "DYNAMIC_DNS") == 0;
	uint32_t k = 0;

	VAL_EACH(one, ports) {
		const struct path *at = ITEM(SUB(p, "ports"), k++);
		const char *name = form_text(one, "name", ""), *protocol = mesh_text(one, "protocol");

		for (const struct val *o = ports->first; o != one; o = o->next)
			if (int_of(o, "number", 0) == int_of(one, "number", 0)) {
				refuse_int(c, SUB(at, "number"), int_of(one, "number", 0), "port number cannot be duplicated");
				break;
			}
		if (!mesh_is_label(name))
			refuse_str(c, SUB(at, "name"), name, "invalid port name: %s", name);
		mesh_must_be_protocol(c, SUB(at, "protocol"), protocol);
		mesh_must_be_port(c, SUB(at, "number"), int_of(one, "number", 0));
		if (val_get(one, "targetPort"))
			mesh_must_be_port(c, SUB(at, "targetPort"), int_of(one, "targetPort", 0));
		if (dynamic && !(protocol && (strcasecmp(protocol, "http") == 0 || strcasecmp(protocol, "tls") == 0 || strcasecmp(protocol, "grpc") == 0 || strcasecmp(protocol, "http2") == 0)))
			refuse_str(c, SUB(at, "protocol"), protocol ? protocol : "", "only HTTP, TLS, GRPC, and HTTP2 protocols are supported for resolution type DYNAMIC_DNS");
		if (!told && !mesh_is_http(protocol) && !mesh_is_tls(protocol)) {
			refuse_omitted(c, at, "multiple hosts provided with non-HTTP, non-TLS ports");
			told = true;
		}
	}
}

static bool has_port(const struct val *self, const char *name)
{
	VAL_EACH(p, val_get(self, "ports"))
		if (strcmp(form_text(p, "name", ""), name) == 0)
			return true;
	return false;
}

static void entry_endpoint(struct check *c, const struct val *self, const struct val *e, const struct path *p)
{
	const char *address = form_text(e, "address", "");
	const struct val *ports = val_get(e, "ports"), *own = val_get(self, "ports");
	bool fixed = strcmp(resolution(self), "STATIC") == 0, socket = fixed && is_unix(address);

	if (fixed && !*address && mesh_text(e, "network"))
		warn_of(c, SUB(p, "address"), "address is unset with network \"%s\"", mesh_text(e, "network"));
	else if (socket)
		mesh_must_be_unix(c, SUB(p, "address"), address + strlen(UNIX));
	else if (!*address)
		refuse_missing(c, SUB(p, "address"), "Address is required");
	else if (!mesh_is_ip(address) && (fixed || !mesh_is_fqdn(address)))
		refuse_str(c, SUB(p, "address"), address, "endpoint address \"%s\" is not a valid %s", address, fixed ? "IP address" : "FQDN or an IP address");
	if (socket && val_first(ports))
		refuse_omitted(c, SUB(p, "ports"), "UDS may not include ports");
	if (socket && own && own->nr != 1)
		refuse_omitted(c, p, "exactly 1 service port required for unix endpoints");
	mesh_must_be_labels(c, SUB(p, "labels"), val_get(e, "labels"));
	VAL_EACH_KEY(v, ports) {
		const struct path *at = ENTRY(SUB(p, "ports"), v->key);

		if (!has_port(self, v->key))
			refuse_val(c, at, v, "endpoint port %s is not defined by the service entry", v->key);
		if (!mesh_is_label(v->key))
			refuse_str(c, at, v->key, "port name must be valid");
		mesh_must_be_port(c, at, val_int_or(v, 0));
	}
}

static void entry_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *endpoints = val_get(self, "endpoints"), *addresses = val_get(self, "addresses");
	const char *how = resolution(self);
	bool none = strcmp(how, "NONE") == 0, dynamic = strcmp(how, "DYNAMIC_DNS") == 0;
	uint32_t k = 0;

	if (val_get(self, "workloadSelector") && endpoints)
		refuse_omitted(c, p, "only one of WorkloadSelector or Endpoints can be set");
	if (none && val_get(self, "workloadSelector"))
		warn_of(c, SUB(p, "workloadSelector"), "workloadSelector should not be set when resolution mode is NONE");
	entry_hosts(c, self, p);
	entry_ports(c, self, p);
	VAL_EACH(v, addresses) {
		const struct path *at = ITEM(SUB(p, "addresses"), k++);
		const char *s = val_str(v) ? val_str(v) : "";

		mesh_must_be_subnet(c, at, s);
		if (strchr(s, '/') && !none && strcmp(how, "STATIC") != 0)
			refuse_str(c, at, s, "CIDR addresses are allowed only for NONE/STATIC resolution types");
	}
	if (none && endpoints)
		refuse_omitted(c, SUB(p, "endpoints"), "NONE mode cannot set endpoints");
	if (strcmp(how, "DNS_ROUND_ROBIN") == 0 && endpoints && endpoints->nr > 1)
		refuse_omitted(c, SUB(p, "endpoints"), "DNS_ROUND_ROBIN mode cannot have multiple endpoints");
	if (dynamic && val_first(addresses))
		refuse_omitted(c, SUB(p, "addresses"), "addresses cannot be set for resolution type DYNAMIC_DNS");
	if (dynamic && val_first(endpoints))
		refuse_omitted(c, SUB(p, "endpoints"), "endpoints cannot be set for resolution type DYNAMIC_DNS");
	k = 0;
	VAL_EACH(e, none || dynamic ? NULL : endpoints)
		entry_endpoint(c, self, e, ITEM(SUB(p, "endpoints"), k++));
	mesh_must_be_export(c, SUB(p, "exportTo"), val_get(self, "exportTo"), 's');
}
static const struct form host_list = { .min = 1, .max = 256 }, address_text = { .max = 64 }, address_list = { .max = 256, .items = &address_text };
static const struct form entry_port = { .members = FORM_MEMBERS({ "number", NULL, true }, { "name", NULL, true }) };
static const struct form entry_port_list = { .max = 256, .items = &entry_port, .key = "name" };
static const struct form location = { .words = FORM_WORDS("MESH_EXTERNAL", "MESH_INTERNAL") };
static const struct form resolutions = { .words = FORM_WORDS("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS") }, endpoint_list = { .max = 4096 };
static const struct form entry_spec = {
	.members = FORM_MEMBERS({ "hosts", &host_list, true }, { "addresses", &address_list, false }, { "ports", &entry_port_list, false }, { "location", &location, false },
				{ "resolution", &resolutions, false }, { "endpoints", &endpoint_list, false }, { "workloadSelector", &mesh_workloads, false }),
	.rules = entry_rules,
};

/* ---- Sidecar */

static void unique_port(struct check *c, const struct val *list, const struct val *one, const struct path *p)
{
	int64_t number = int_of(val_get(one, "port"), "number", 0);

	for (const struct val *o = list->first; o != one && number; o = o->next)
		if (int_of(val_get(o, "port"), "number", 0) == number) {
			refuse_int(c, SUB(p, "port.number"), number, "sidecar: ports on IP bound listeners must be unique");
			return;
		}
}

static void sidecar_port(struct check *c, const struct val *self, const struct path *p, bool socket_allowed)
{
	const struct val *port = val_get(self, "port");
	const char *name = mesh_text(port, "name"), *bind = mesh_text(self, "bind"), *mode = form_text(self, "captureMode", "DEFAULT");
	int64_t number = int_of(port, "number", 0);

	if (name && !mesh_is_label(name))
		refuse_str(c, SUB(p, "port.name"), name, "invalid port name: %s", name);
	mesh_must_be_protocol(c, SUB(p, "port.protocol"), mesh_text(port, "protocol"));
	if (int_of(port, "targetPort", 0))
		refuse_int(c, SUB(p, "port.targetPort"), int_of(port, "targetPort", 0), "targetPort has no impact on Sidecars");
	if (number || !socket_allowed) {
		mesh_must_be_port(c, SUB(p, "port.number"), number);
		if (bind)
			mesh_must_be_ip(c, SUB(p, "bind"), bind);
		return;
	}
	if (!is_unix(bind))
		refuse_str(c, SUB(p, "bind"), bind ? bind : "", "sidecar: ports with 0 value must have a unix domain socket bind address");
	else
		mesh_must_be_unix(c, SUB(p, "bind"), bind + strlen(UNIX));
	if (strcmp(mode, "IPTABLES") == 0)
		refuse_str(c, SUB(p, "captureMode"), mode, "sidecar: captureMode must be DEFAULT/NONE for unix domain socket listeners");
}

/* 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT, :PORT or a socket. */
static void default_endpoint(struct check *c, const struct path *p, const char *s)
{
	const char *colon = s ? strrchr(s, ':') : NULL;
	char host[32];

	if (!s)
		return;
	if (is_unix(s)) {
		mesh_must_be_unix(c, p, s + strlen(UNIX));
		return;
	}
	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - s) : 0, s);
	if (!colon || !one_of(host, FORM_WORDS("", "127.0.0.1", "0.0.0.0", "[::1]", "[::]")))
		refuse_str(c, p, s, "sidecar: defaultEndpoint must be of form 127.0.0.1:<port>,0.0.0.0:<port>,[::1]:port,[::]:port,unix://filepath or unset");
	else if (!colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		refuse_str(c, p, s, "sidecar: defaultEndpoint port (%s) is not a number", colon + 1);
	else
		mesh_must_be_port(c, p, atol(colon + 1));
}

static void ingress_tls(struct check *c, const struct val *self, const struct path *p)
{
	static const char *const never[] = { "subjectAltNames", "credentialName", "credentialNames", "tlsCertificates" };
	const struct val *tls = val_get(self, "tls");
	const char *mode = form_text(tls, "mode", "PASSTHROUGH");

	if (!has(self, "tls"))
		return;
	for (size_t k = 0; k < sizeof(never) / sizeof(*never); k++)
		if (val_get(tls, never[k]))
			refuse_forbidden(c, SUB(SUB(p, "tls"), never[k]), "sidecar: not supported in ingress tls");
	if (true_of(tls, "httpsRedirect"))
		refuse_forbidden(c, SUB(p, "tls.httpsRedirect"), "sidecar: httpsRedirect is not supported");
	if (one_of(mode, FORM_WORDS("ISTIO_MUTUAL", "AUTO_PASSTHROUGH")))
		refuse_str(c, SUB(p, "tls.mode"), mode, "configuration is invalid: cannot set mode to %s in sidecar ingress tls", mode);
	if (!mesh_is_tls(mesh_text(val_get(self, "port"), "protocol")))
		refuse_omitted(c, SUB(p, "tls"), "server cannot have TLS settings for non HTTPS/TLS ports");
}

static void ingress_rules(struct check *c, const struct val *self, const struct path *p)
{
	sidecar_port(c, self, p, false);
	default_endpoint(c, SUB(p, "defaultEndpoint"), mesh_text(self, "defaultEndpoint"));
	ingress_tls(c, self, p);
}

static void egress_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *hosts = val_get(self, "hosts");
	uint32_t k = 0;

	if (has(self, "port"))
		sidecar_port(c, self, p, true);
	if (!val_first(hosts))
		refuse_missing(c, SUB(p, "hosts"), "sidecar: egress listener must contain at least one host");
	VAL_EACH(h, hosts)
		mesh_must_be_host_of_namespace(c, ITEM(SUB(p, "hosts"), k++), val_str(h) ? val_str(h) : "", false);
}

static void outbound_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *proxy = val_get(self, "egressProxy");

	if (!has(self, "egressProxy"))
		return;
	if (strcmp(form_text(self, "mode", "REGISTRY_ONLY"), "ALLOW_ANY") != 0) {
		refuse_omitted(c, SUB(p, "egressProxy"), "sidecar: egress_proxy must be set only with ALLOW_ANY outbound_traffic_policy mode");
		return;
	}
	mesh_must_be_fqdn(c, SUB(p, "egressProxy.host"), form_text(proxy, "host", ""));
	if (!has(proxy, "port"))
		refuse_missing(c, SUB(p, "egressProxy.port"), "sidecar: egress_proxy port must be non-nil");
}

static void sidecar_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *ingress = val_get(self, "ingress"), *egress = val_get(self, "egress");
	uint32_t k = 0;

	if (!val_first(ingress) && !val_first(egress) && !has(self, "outboundTrafficPolicy") && !has(self, "inboundConnectionPool"))
		refuse_omitted(c, p, "sidecar: empty configuration provided");
	VAL_EACH(i, ingress)
		unique_port(c, ingress, i, ITEM(SUB(p, "ingress"), k++));
	k = 0;
	VAL_EACH(e, egress) {
		const struct path *at = ITEM(SUB(p, "egress"), k++);

		unique_port(c, egress, e, at);
		if (!has(e, "port") && k < egress->nr)
			refuse_omitted(c, at, "sidecar: the egress listener with empty port should be the last listener in the list");
	}
}
static const struct form capture = { .words = FORM_WORDS("DEFAULT", "IPTABLES", "NONE") };
static const struct form ingress_one = {
	.members = FORM_MEMBERS({ "port", NULL, true }, { "captureMode", &capture, false }, { "tls", &mesh_server_tls, false }, { "connectionPool", &mesh_pool, false }), .rules = ingress_rules,
};
static const struct form ingress_list = { .items = &ingress_one };
static const struct form egress_one = { .members = FORM_MEMBERS({ "hosts", NULL, true }, { "captureMode", &capture, false }), .rules = egress_rules }, egress_list = { .items = &egress_one };
static const struct form outbound_mode = { .words = FORM_WORDS("REGISTRY_ONLY", "ALLOW_ANY") };
static const struct form outbound = { .members = FORM_MEMBERS({ "mode", &outbound_mode, false }, { "egressProxy", &mesh_destination, false }), .rules = outbound_rules };
static const struct form sidecar_spec = {
	.members = FORM_MEMBERS({ "workloadSelector", &mesh_workloads, false }, { "ingress", &ingress_list, false }, { "egress", &egress_list, false },
				{ "outboundTrafficPolicy", &outbound, false }, { "inboundConnectionPool", &mesh_pool, false }),
	.rules = sidecar_rules,
};

void istio_gateway_check(struct check *c, const struct object *o) { mesh_check(c, o, &gateway_spec); }
void service_entry_check(struct check *c, const struct object *o) { mesh_check(c, o, &entry_spec); }
void istio_sidecar_check(struct check *c, const struct object *o) { mesh_check(c, o, &sidecar_spec); }
