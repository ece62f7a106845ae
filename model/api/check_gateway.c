/* What the CRDs of the Gateway API ask of GatewayClasses, Gateways, ListenerSets, ReferenceGrants and BackendTLSPolicies; of routes: check_routes.c.
 * Source: gateway-api apis/v1 (the _types.go files), config/crd/experimental. */
#include "model/api/checks.h"
#include "model/api/gateway_forms.h"

#define CONTROLLER "\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$"

static const struct form annotation = { .max = 4096 };
static const struct form options = { .max = 16, .items = &annotation };

/* ---- GatewayClass */

static const struct form controller = { .min = 1, .max = 253, .pattern = "^" GW_DOTTED CONTROLLER };
static const struct form description = { .max = 64 };
static const struct form class_parameters = {
	.members = FORM_MEMBERS({ "group", &gw_group, true }, { "kind", &gw_kind, true }, { "name", &gw_object, true }, { "namespace", &gw_namespace, false }),
};
static const struct form class_spec = {
	.members = FORM_MEMBERS({ "controllerName", &controller, true }, { "description", &description, false }, { "parametersRef", &class_parameters, false }),
};

void gateway_class_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, &class_spec);
}

void gateway_class_check_update(struct check *c, const struct object *now, const struct object *old)
{
	const char *name = ((const struct gateway_class *)now)->controller;

	if (!streq(name, ((const struct gateway_class *)old)->controller))
		refuse_str(c, SUB(NULL, "spec.controllerName"), name, "field is immutable");
}

/* ---- listeners of Gateways and ListenerSets */

static void tls_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *certificates = val_get(self, "certificateRefs"), *more = val_get(self, "options");

	if (streq(form_text(self, "mode", "Terminate"), "Terminate") && !(certificates && certificates->nr) && !(more && more->nr))
		refuse_omitted(c, p, "certificateRefs or options must be specified when mode is Terminate");
}

static bool same_listener(const struct val *a, const struct val *b)
{
	const struct val *port = val_get(a, "port"), *host = val_get(a, "hostname"), *other = val_get(b, "hostname");

	return port && val_get(b, "port") && val_equal(port, val_get(b, "port")) && streq(form_text(a, "protocol", ""), form_text(b, "protocol", "")) &&
	       (host && other ? val_equal(host, other) : !host && !other);
}

static void listeners_rules(struct check *c, const struct val *self, const struct path *p)
{
	enum { TLS_FORBIDDEN, TLS_NOT_ENDED, TLS_MISSING, HOST_FORBIDDEN, SAME, RULES };
	static const char *const says[RULES] = {
		"tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']", "tls mode must be Terminate for protocol HTTPS", "tls mode must be set for protocol TLS",
		"hostname must not be specified for protocols ['TCP', 'UDP']", "Combination of port, protocol and hostname must be unique for each listener",
	};
	bool broken[RULES] = { false };

	VAL_EACH(l, self) {
		const char *protocol = form_text(l, "protocol", "");
		const struct val *tls = val_get(l, "tls");

		broken[TLS_FORBIDDEN] |= tls && one_of(protocol, FORM_WORDS("HTTP", "TCP", "UDP"));
		broken[TLS_NOT_ENDED] |= tls && streq(protocol, "HTTPS") && !one_of(form_text(tls, "mode", ""), FORM_WORDS("", "Terminate"));
		broken[TLS_MISSING] |= !tls && streq(protocol, "TLS");
		broken[HOST_FORBIDDEN] |= *form_text(l, "hostname", "") && one_of(protocol, FORM_WORDS("TCP", "UDP"));
		for (const struct val *b = l->next; b; b = b->next)
			broken[SAME] |= same_listener(l, b);
	}
	for (int k = 0; k < RULES; k++)
		if (broken[k])
			refuse_omitted(c, p, says[k]);
	gw_must_differ(c, self, "name", p, "Listener name must be unique within the Gateway");
}

static const struct form protocol = { .min = 1, .max = 255, .pattern = "^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|" GW_DOTTED "\\/[A-Za-z0-9]+$" };
static const struct form certificates = { .max = 64, .items = &gw_secret };
static const struct form mode = { .words = FORM_WORDS("Terminate", "Passthrough") };
static const struct form tls = { .members = FORM_MEMBERS({ "certificateRefs", &certificates, false }, { "mode", &mode, false }, { "options", &options, false }), .rules = tls_rules };
static const struct form route_kind = { .members = FORM_MEMBERS({ "group", &gw_group, false }, { "kind", &gw_kind, true }) };
static const struct form route_kinds_form = { .max = 8, .items = &route_kind };
static const struct form free_text = { .min = 0 };
static const struct form requirement = { .members = FORM_MEMBERS({ "key", &free_text, true }, { "operator", &free_text, true }) };
static const struct form requirements = { .items = &requirement };
static const struct form selector = { .members = FORM_MEMBERS({ "matchExpressions", &requirements, false }) };
static const struct form from = { .words = FORM_WORDS("All", "Selector", "Same") };
static const struct form route_namespaces = { .members = FORM_MEMBERS({ "from", &from, false }, { "selector", &selector, false }) };
static const struct form allowed_routes = { .members = FORM_MEMBERS({ "kinds", &route_kinds_form, false }, { "namespaces", &route_namespaces, false }) };
static const struct form listener = {
	.members = FORM_MEMBERS({ "allowedRoutes", &allowed_routes, false }, { "hostname", &gw_hostname, false }, { "name", &gw_section, true }, { "port", &gw_port, true },
				{ "protocol", &protocol, true }, { "tls", &tls, false }),
};
static const struct form listeners = { .min = 1, .max = 64, .items = &listener, .key = "name", .rules = listeners_rules };

/* ---- Gateway */

static void address_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *value = form_text(self, "value", "");

	if (streq(form_text(self, "type", "IPAddress"), "Hostname") && *value && !form_matches(value, GW_HOSTNAME))
		refuse_omitted(c, p, "Hostname value must be empty or contain only valid characters (matching " GW_HOSTNAME ")");
}

static void addresses_rules(struct check *c, const struct val *self, const struct path *p)
{
	bool twice[2] = { false };

	VAL_EACH(a, self)
		for (const struct val *b = a->next; b; b = b->next) {
			const char *type = form_text(a, "type", "IPAddress");

			if (val_get(a, "value") && val_get(b, "value") && streq(type, form_text(b, "type", "IPAddress")) && streq(form_text(a, "value", ""), form_text(b, "value", "")))
				twice[0] |= streq(type, "IPAddress"), twice[1] |= streq(type, "Hostname");
		}
	if (twice[0])
		refuse_omitted(c, p, "IPAddress values must be unique");
	if (twice[1])
		refuse_omitted(c, p, "Hostname values must be unique");
}

static void keys_rules(struct check *c, const struct val *self, const struct path *p, const char *what, const char *start)
{
	bool bad = false, longer = false;
	char text[192];

	VAL_EACH_KEY(m, self) {
		bad |= !form_matches(m->key, "^(" GW_DOTTED "/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$");
		longer |= strcspn(m->key, "/") >= 253;
	}
	snprintf(text, sizeof(text), "%s keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of up to 63 characters.", start);
	if (bad)
		refuse_omitted(c, p, text);
	snprintf(text, sizeof(text), "If specified, the %s key's prefix must be a DNS subdomain not longer than 253 characters in total.", what);
	if (longer)
		refuse_omitted(c, p, text);
}

static void annotations_rules(struct check *c, const struct val *self, const struct path *p) { keys_rules(c, self, p, "annotation", "Annotation"); }
static void labels_rules(struct check *c, const struct val *self, const struct path *p) { keys_rules(c, self, p, "label", "Label"); }

static void ports_rules(struct check *c, const struct val *self, const struct path *p)
{
	gw_must_differ(c, self, "port", p, "Port for TLS configuration must be unique within the Gateway");
}

static const struct form address_type = { .min = 1, .max = 253, .pattern = "^Hostname|IPAddress|NamedAddress|" GW_DOTTED CONTROLLER };
static const struct form address_value = { .max = 253 };
static const struct form address = { .members = FORM_MEMBERS({ "type", &address_type, false }, { "value", &address_value, false }), .rules = address_rules };
static const struct form addresses = { .max = 16, .items = &address, .rules = addresses_rules };
static const struct form set_from = { .words = FORM_WORDS("All", "Selector", "Same", "None") };
static const struct form set_namespaces = { .members = FORM_MEMBERS({ "from", &set_from, false }, { "selector", &selector, false }) };
static const struct form allowed_sets = { .members = FORM_MEMBERS({ "namespaces", &set_namespaces, false }) };
static const struct form label_value = { .max = 63, .pattern = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$" };
static const struct form own_annotations = { .max = 16, .items = &annotation, .rules = annotations_rules };
static const struct form own_labels = { .max = 8, .items = &label_value, .rules = labels_rules };
static const struct form infrastructure = { .members = FORM_MEMBERS({ "annotations", &own_annotations, false }, { "labels", &own_labels, false }, { "parametersRef", &gw_local, false }) };
static const struct form authority = {
	.members = FORM_MEMBERS({ "group", &gw_group, true }, { "kind", &gw_kind, true }, { "name", &gw_object, true }, { "namespace", &gw_namespace, false }),
};
static const struct form authorities = { .min = 1, .max = 16, .items = &authority };
static const struct form client_mode = { .words = FORM_WORDS("AllowValidOnly", "AllowInsecureFallback") };
static const struct form client_validation = { .members = FORM_MEMBERS({ "caCertificateRefs", &authorities, true }, { "mode", &client_mode, false }) };
static const struct form client_tls = { .members = FORM_MEMBERS({ "validation", &client_validation, false }) };
static const struct form port_tls = { .members = FORM_MEMBERS({ "port", &gw_port, true }, { "tls", &client_tls, true }) };
static const struct form ports_tls = { .max = 64, .items = &port_tls, .key = "port", .rules = ports_rules };
static const struct form frontend = { .members = FORM_MEMBERS({ "default", &client_tls, true }, { "perPort", &ports_tls, false }) };
static const struct form backend = { .members = FORM_MEMBERS({ "clientCertificateRef", &gw_secret, false }) };
static const struct form gateway_tls = { .members = FORM_MEMBERS({ "backend", &backend, false }, { "frontend", &frontend, false }) };
static const struct form gateway_spec = {
	.members = FORM_MEMBERS({ "addresses", &addresses, false }, { "allowedListeners", &allowed_sets, false }, { "defaultScope", &gw_all_or_none, false },
				{ "gatewayClassName", &gw_object, true }, { "infrastructure", &infrastructure, false }, { "listeners", &listeners, true }, { "tls", &gateway_tls, false }),
};

void gateway_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, &gateway_spec);
}

/* ---- ListenerSet, ReferenceGrant */

static const struct form set_spec = { .members = FORM_MEMBERS({ "listeners", &listeners, true }, { "parentRef", &gw_secret, true }) };

void listener_set_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, &set_spec);
}

static const struct form grant_from = { .members = FORM_MEMBERS({ "group", &gw_group, true }, { "kind", &gw_kind, true }, { "namespace", &gw_namespace, true }) };
static const struct form grant_to = { .members = FORM_MEMBERS({ "group", &gw_group, true }, { "kind", &gw_kind, true }, { "name", &gw_object, false }) };
static const struct form grant_froms = { .min = 1, .max = 16, .items = &grant_from };
static const struct form grant_tos = { .min = 1, .max = 16, .items = &grant_to };
static const struct form grant_spec = { .members = FORM_MEMBERS({ "from", &grant_froms, true }, { "to", &grant_tos, true }) };

void reference_grant_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, &grant_spec);
}

/* ---- BackendTLSPolicy */

static bool same_target(const struct val *a, const struct val *b)
{
	return streq(form_text(a, "group", ""), form_text(b, "group", "")) && streq(form_text(a, "kind", ""), form_text(b, "kind", "")) &&
	       streq(form_text(a, "name", ""), form_text(b, "name", ""));
}

static void targets_rules(struct check *c, const struct val *self, const struct path *p)
{
	bool half = false, again = false;

	VAL_EACH(a, self)
		for (const struct val *b = a->next; b; b = b->next) {
			const char *x = form_text(a, "sectionName", ""), *y = form_text(b, "sectionName", "");

			half |= same_target(a, b) && !*x != !*y;
			again |= same_target(a, b) && streq(x, y);
		}
	if (half)
		refuse_omitted(c, p, "sectionName must be specified when targetRefs includes 2 or more references to the same target");
	if (again)
		refuse_omitted(c, p, "sectionName must be unique when targetRefs includes 2 or more references to the same target");
}

static void validation_rules(struct check *c, const struct val *self, const struct path *p)
{
	const struct val *given = val_get(self, "caCertificateRefs");
	bool own = given && given->nr, known = *form_text(self, "wellKnownCACertificates", "");

	if (own && known)
		refuse_omitted(c, p, "must not contain both CACertificateRefs and WellKnownCACertificates");
	if (!own && !known)
		warn_of(c, p, "must specify either CACertificateRefs or WellKnownCACertificates");      /* the CRDs refuse it since v1.0; manifests in use leave it to their controller */
}

static void alt_name_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *member, *type; } rows[] = { { "hostname", "Hostname" }, { "uri", "URI" } };
	const char *type = form_text(self, "type", "");
	char text[128];

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		bool is = streq(type, rows[k].type), has = *form_text(self, rows[k].member, "");

		snprintf(text, sizeof(text), is ? "SubjectAltName element must contain %s, if Type is set to %s" : "SubjectAltName element must not contain %s, if Type is not set to %s", rows[k].type, rows[k].type);
		if (is != has)
			refuse_omitted(c, p, text);
	}
}

static const struct form target = {
	.members = FORM_MEMBERS({ "group", &gw_group, true }, { "kind", &gw_kind, true }, { "name", &gw_object, true }, { "sectionName", &gw_section, false }),
};
static const struct form targets = { .min = 1, .max = 16, .items = &target, .rules = targets_rules };
static const struct form local_authorities = { .max = 8, .items = &gw_local };
static const struct form alt_type = { .words = FORM_WORDS("Hostname", "URI") };
static const struct form uri = { .min = 1, .max = 253, .pattern = "^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?" };
static const struct form alt_name = { .members = FORM_MEMBERS({ "hostname", &gw_hostname, false }, { "type", &alt_type, true }, { "uri", &uri, false }), .rules = alt_name_rules };
static const struct form alt_names = { .max = 5, .items = &alt_name };
static const struct form well_known = { .min = 1, .max = 253, .pattern = "^(System|(" GW_DOTTED "/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$" };
static const struct form validation = {
	.members = FORM_MEMBERS({ "caCertificateRefs", &local_authorities, false }, { "hostname", &gw_subdomain, true }, { "subjectAltNames", &alt_names, false },
				{ "wellKnownCACertificates", &well_known, false }),
	.rules = validation_rules,
};
static const struct form policy_spec = { .members = FORM_MEMBERS({ "options", &options, false }, { "targetRefs", &targets, true }, { "validation", &validation, true }) };

void backend_tls_policy_check(struct check *c, const struct object *o)
{
	(void)o;
	form_check_spec(c, &policy_spec);
}
