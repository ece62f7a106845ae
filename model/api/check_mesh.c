/* Names, addresses, labels and references as Istio takes them. Source: see check_mesh.h. */
#include "model/api/check_mesh.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/api/gateway_forms.h"
#include "model/base/ip.h"
#include "model/base/quantity.h"

/* ---- values */

const char *mesh_text(const struct val *v, const char *member)
{
	const char *s = val_str_at(v, member);

	return s && *s ? s : NULL;
}

static bool label(const char *s, size_t n)
{
	if (!n || n > 63 || !isalnum((unsigned char)s[0]) || !isalnum((unsigned char)s[n - 1]))
		return false;
	for (size_t k = 0; k < n; k++)
		if (!isalnum((unsigned char)s[k]) && s[k] != '-')
			return false;
	return true;
}

static bool wild_label(const char *s, size_t n)
{
	if (n > 63 || *s != '*')
		return label(s, n);
	return n == 1 || label(s + 1, n - 1) || (s[1] == '-' && label(s + 2, n - 2));
}

bool mesh_is_label(const char *s) { return label(s, strlen(s)); }

bool mesh_is_ip(const char *s)
{
	ip_addr ip;

	return ip_parse(s, &ip);
}

static const struct { const char *name; char kind; } protocols[] = {
	{ "http", 'h' }, { "http2", 'h' }, { "http_proxy", 'h' }, { "grpc", 'h' }, { "grpc-web", 'h' }, { "https", 't' }, { "tls", 't' },
	{ "tcp", 'c' }, { "mongo", 'c' }, { "redis", 'c' }, { "mysql", 'c' }, { "udp", 'u' },
};

static char protocol(const char *s)
{
	for (size_t k = 0; s && k < sizeof(protocols) / sizeof(*protocols); k++)
		if (strcasecmp(s, protocols[k].name) == 0)
			return protocols[k].kind;
	return 0;
}

bool mesh_is_http(const char *s) { return protocol(s) == 'h'; }
bool mesh_is_tls(const char *s) { return protocol(s) == 't'; }
bool mesh_is_protocol(const char *s) { return protocol(s) != 0; }

static bool ends(const char *s, const char *end) { return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0; }

bool mesh_covers(const char *a, const char *b)
{
	if (*a == '*' && *b == '*')
		return strlen(a) < strlen(b) ? ends(b + 1, a + 1) : ends(a + 1, b + 1);
	return *a == '*' ? ends(b, a + 1) : *b == '*' ? ends(a, b + 1) : strcmp(a, b) == 0;
}

bool mesh_within(const char *a, const char *b)
{
	if (*a == '*')
		return *b == '*' && strlen(a) >= strlen(b) && ends(a + 1, b + 1);
	return *b == '*' ? ends(a, b + 1) : strcmp(a, b) == 0;
}

/* ---- domain names */

/* What is wrong with a name, from `from` on by whole labels; NULL: nothing. */
static const char *labels_wrong(const char *domain, const char *from, char out[320])
{
	const char *top = strrchr(from, '.') ? strrchr(from, '.') + 1 : from;

	if (*top && strspn(top, "0123456789") == strlen(top)) {
		snprintf(out, 320, "domain name \"%s\" invalid (top level domain \"%s\" cannot be all-numeric)", domain, top);
		return out;
	}
	for (const char *p = from;; p++) {
		size_t n = strcspn(p, ".");

		if (!n && !p[n] && p != from)           /* an unambiguous name: istio.io. */
			return NULL;
		if (!label(p, n)) {
			snprintf(out, 320, "domain name \"%s\" invalid (label \"%.*s\" invalid)", domain, (int)n, p);
			return out;
		}
		p += n;
		if (!*p)
			return NULL;
	}
}

static const char *length_wrong(const char *domain)
{
	return !*domain ? "empty domain name not allowed" : strlen(domain) > 255 ? "domain name too long (max 255)" : NULL;
}

static const char *fqdn_wrong(const char *domain, char out[320])
{
	const char *why = length_wrong(domain);

	return why ? why : labels_wrong(domain, domain, out);
}

static const char *wildcard_wrong(const char *domain, char out[320])
{
	const char *why = length_wrong(domain);
	size_t n = strcspn(domain, ".");

	if (why)
		return why;
	if (!wild_label(domain, n)) {
		snprintf(out, 320, "domain name \"%s\" invalid (label \"%.*s\" invalid)", domain, (int)n, domain);
		return out;
	}
	return domain[n] ? labels_wrong(domain + n + 1, domain + n + 1, out) : NULL;
}

bool mesh_is_fqdn(const char *s)
{
	char out[320];

	return !fqdn_wrong(s, out);
}

void mesh_must_be_fqdn(struct check *c, const struct path *p, const char *s)
{
	char out[320];
	const char *why = fqdn_wrong(s, out);

	if (why)
		refuse_str(c, p, s, "%s", why);
}

void mesh_must_be_wildcard(struct check *c, const struct path *p, const char *s)
{
	char out[320];
	const char *why = wildcard_wrong(s, out);

	if (why)
		refuse_str(c, p, s, "%s", why);
}

static void host_part(struct check *c, const struct path *p, const char *whole, const char *host, bool gateway)
{
	char out[320];
	const char *why = wildcard_wrong(host, out);

	if (strcmp(host, "*") != 0 && !strchr(host, '.'))
		refuse_str(c, p, whole, "short names (non FQDN) are not allowed");
	if (why && (!gateway || !mesh_is_ip(host)))
		refuse_str(c, p, whole, "%s", why);
	if (strchr(host, '*') && host[1] && strncmp(host, "*.", 2) != 0)
		refuse_str(c, p, whole, "partial wildcard \"%s\" not allowed", host);
}

void mesh_must_be_host_of_namespace(struct check *c, const struct path *p, const char *s, bool gateway)
{
	const char *slash = strchr(s, '/'), *ns = !gateway && *s == '~' ? s + 1 : s;
	size_t n = slash ? (size_t)(slash - ns) : 0;

	if (!slash && gateway) {
		host_part(c, p, s, s, true);
		return;
	}
	if (!slash) {
		refuse_str(c, p, s, "host must be of form namespace/dnsName");
		return;
	}
	if (slash == s || !slash[1])
		refuse_str(c, p, s, "config namespace and dnsName in host entry cannot be empty");
	if (!(n == 1 && (*ns == '*' || *ns == '.')) && !label(ns, n) && (gateway || n))
		refuse_str(c, p, s, "invalid namespace value \"%.*s\" in %s", (int)(slash - s), s, gateway ? "gateway" : "sidecar");
	host_part(c, p, s, slash + 1, gateway);
}

/* ---- ports and addresses */

void mesh_must_be_port(struct check *c, const struct path *p, int64_t port)
{
	if (port < 1 || port > 65535)
		refuse_int(c, p, port, "port number %" PRId64 " must be in the range 1..65535", port);
}

void mesh_must_be_ip(struct check *c, const struct path *p, const char *s)
{
	if (!mesh_is_ip(s))
		refuse_str(c, p, s, "%s is not a valid IP", s);
}

void mesh_must_be_subnet(struct check *c, const struct path *p, const char *s)
{
	const char *slash = strchr(s, '/');
	struct cidr range;

	if (!slash || strchr(slash + 1, '/'))
		mesh_must_be_ip(c, p, s);
	else if (!cidr_parse(s, &range))
		refuse_str(c, p, s, "%s is not a valid CIDR block", s);
}

void mesh_must_be_unix(struct check *c, const struct path *p, const char *s)
{
	if (!*s)
		refuse_str(c, p, s, "unix address must not be empty");
	else if (*s != '@' && (*s != '/' || s[strlen(s) - 1] == '/'))
		refuse_str(c, p, s, "%s is not an absolute path to a file", s);
}

void mesh_must_be_protocol(struct check *c, const struct path *p, const char *s)
{
	if (s && *s && !protocol(s))
		refuse_str(c, p, s, "unsupported protocol: %s", s);
}

/* ---- references and labels */

void mesh_must_be_gateways(struct check *c, const struct path *p, const struct val *list)
{
	uint32_t k = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, k++);
		const char *s = val_str(v) ? val_str(v) : "", *slash = strchr(s, '/');
		size_t n = slash ? (size_t)(slash - s) : 0;

		if (!slash) {                           /* and what follows is not looked at */
			if (strchr(s, '.'))
				warn_of(c, at, "using legacy gatewayName format \"%s\"; prefer the <namespace>/<name> format", s);
			mesh_must_be_fqdn(c, at, s);
			return;
		}
		if (!n || !slash[1])
			refuse_str(c, at, s, "config namespace and gateway name cannot be empty");
		if (!label(s, n))
			refuse_str(c, at, s, "invalid value for namespace: \"%.*s\"", (int)n, s);
		if (!mesh_is_label(slash + 1))
			refuse_str(c, at, s, "invalid value for gateway name: \"%s\"", slash + 1);
	}
}

static bool qualified(const char *s, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (!isalnum((unsigned char)s[k]) && !strchr("-_.", s[k]))
			return false;
	return n && isalnum((unsigned char)s[0]) && isalnum((unsigned char)s[n - 1]);
}

static bool good_key(const char *key)
{
	const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;

	for (const char *s = key; slash && s < slash; s++) {
		size_t n = strcspn(s, "./");

		if (slash - key > 253 || !label(s, n) || (s[n] == '.' && s + n + 1 == slash))
			return false;
		s += n;
	}
	return slash != key && strlen(name) <= 63 && qualified(name, strlen(name));
}

void mesh_must_be_labels(struct check *c, const struct path *p, const struct val *map)
{
	VAL_EACH_KEY(v, map) {
		const char *s = val_str(v) ? val_str(v) : "";

		if (!good_key(v->key))
			refuse_str(c, p, v->key, "invalid tag key: \"%s\"", v->key);
		if (*s && !qualified(s, strlen(s)))
			refuse_str(c, ENTRY(p, v->key), s, "invalid tag value: \"%s\"", s);
	}
}

void mesh_must_be_export(struct check *c, const struct path *p, const struct val *list, char kind)
{
	const char *ns = val_str(val_path(c->root, "metadata.namespace"));
	bool all = false, none = false, here = false;
	uint32_t k = 0;

	ns = ns && *ns ? ns : "default";
	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, k++);
		const char *s = val_str(v) ? val_str(v) : "";
		bool again = false;

		for (const struct val *before = list->first; before != v; before = before->next) {
			const char *other = val_str(before) ? val_str(before) : "";

			again = again || strcmp(strcmp(other, ".") == 0 ? ns : other, strcmp(s, ".") == 0 ? ns : s) == 0;
		}
		if (again)
			refuse_str(c, at, s, "duplicate entries in exportTo%s", strcmp(s, ".") == 0 ? ": . and the current namespace" : "");
		else if (strcmp(s, "~") == 0 && kind != 's')
			refuse_str(c, at, s, "exportTo ~ (none) is not allowed for Istio configuration objects");
		else if (strcmp(s, "*") != 0 && strcmp(s, ".") != 0 && strcmp(s, "~") != 0 && !mesh_is_label(s))
			refuse_str(c, at, s, "only .,*, or a valid DNS 1123 label is allowed as exportTo entry");
		all = all || strcmp(s, "*") == 0;
		none = none || strcmp(s, "~") == 0;
		here = here || strcmp(s, ".") == 0 || strcmp(s, ns) == 0;
	}
	if (kind == 'w' && k && !here)
		refuse_omitted(c, p, "destination rule with workload selector cannot have exportTo beyond current namespace");
	if (kind == 'w' && here && k > 1)
		refuse_omitted(c, p, "destination rule with workload selector cannot have multiple entries in exportTo");
	if (all && k > 1)
		refuse_omitted(c, p, "cannot have both public (*) and non-public exportTo values for a resource");
	if (none && k > 1 && kind == 's')
		refuse_omitted(c, p, "cannot export service entry to no one (~) and someone");
}

void mesh_one_of(struct check *c, const struct val *self, const struct path *p, const char *const *members)
{
	char text[320], path[PATH_TEXT];
	uint32_t nr = 0;

	for (uint32_t k = 0; members[k]; k++)
		nr += val_get(self, members[k]) != NULL;
	if (nr < 2)
		return;
	nr = (uint32_t)snprintf(text, sizeof(text), "%s must validate one and only one schema (oneOf): at most one of ", path_text(p, path));
	for (uint32_t k = 0; members[k] && nr < sizeof(text); k++)
		nr += (uint32_t)snprintf(text + nr, sizeof(text) - nr, "%s%s", k ? ", " : "", members[k]);
	refuse_omitted(c, p, text);
}

/* ---- forms that several kinds share */

static void duration_rules(struct check *c, const struct val *self, const struct path *p)
{
	nsec t = 0;

	if (!val_is(self, VAL_STRING))
		return;
	if (!duration_parse(self->s, &t) || t < 1000000)
		refuse_str(c, p, self->s, "must be a valid duration greater than 1ms");
	else if (t % 1000000)
		refuse_str(c, p, self->s, "only durations to ms precision are supported");
}
const struct form mesh_duration = { .rules = duration_rules };

static void destination_rules(struct check *c, const struct val *self, const struct path *p)
{
	const char *host = val_str_at(self, "host"), *subset = mesh_text(self, "subset");

	if (host && strcmp(host, "*") == 0)
		refuse_str(c, SUB(p, "host"), host, "invalid destination host *");
	else if (host)
		mesh_must_be_wildcard(c, SUB(p, "host"), host);
	if (subset && !mesh_is_label(subset))
		refuse_str(c, SUB(p, "subset"), subset, "subset name is invalid: %s", subset);
	if (has(self, "port"))
		mesh_must_be_port(c, SUB(p, "port.number"), int_of(val_get(self, "port"), "number", 0));
}
const struct form mesh_destination = { .members = FORM_MEMBERS({ "host", NULL, true }), .rules = destination_rules };

static void selector_labels(struct check *c, const struct val *labels, const struct path *p)
{
	VAL_EACH_KEY(v, labels) {
		const char *s = val_str(v) ? val_str(v) : "";

		if (!*v->key)
			refuse_omitted(c, p, "key must not be empty");
		if (strchr(v->key, '*'))
			refuse_str(c, p, v->key, "wildcard not allowed in label key match");
		if (strchr(s, '*'))
			refuse_str(c, ENTRY(p, v->key), s, "wildcard not allowed in label value match");
	}
}

static void selector_rules(struct check *c, const struct val *self, const struct path *p)
{
	selector_labels(c, val_get(self, "matchLabels"), SUB(p, "matchLabels"));
	if (!val_first(val_get(self, "matchLabels")))
		warn_of(c, p, "workload selector specified without labels");
}

static void workloads_rules(struct check *c, const struct val *self, const struct path *p)
{
	selector_labels(c, val_get(self, "labels"), SUB(p, "labels"));
	if (!val_first(val_get(self, "labels")))
		warn_of(c, p, "workload selector specified without labels, will be applied to all services in namespace");
}

static const struct form label_value = { .max = 63 }, match_labels = { .max = 4096, .items = &label_value }, some_labels = { .max = 256, .items = &label_value };
const struct form mesh_selector = { .members = FORM_MEMBERS({ "matchLabels", &match_labels, false }), .rules = selector_rules };
const struct form mesh_workloads = { .members = FORM_MEMBERS({ "labels", &some_labels, false }), .rules = workloads_rules };

static void target_rules(struct check *c, const struct val *self, const struct path *p)
{
	static const struct { const char *group, *kind; } allowed[] = {
		{ "", "Service" }, { "core", "Service" }, { "networking.istio.io", "ServiceEntry" }, { "gateway.networking.k8s.io", "Gateway" }, { "gateway.networking.k8s.io", "GatewayClass" },
	};
	const char *group = form_text(self, "group", ""), *kind = form_text(self, "kind", ""), *ns = mesh_text(self, "namespace");
	bool ok = false;

	for (size_t k = 0; k < sizeof(allowed) / sizeof(*allowed); k++)
		ok = ok || (strcmp(group, allowed[k].group) == 0 && strcmp(kind, allowed[k].kind) == 0);
	if (!ok)
		refuse_str(c, SUB(p, "kind"), kind, "targetRef must be to one of Service, networking.istio.io/ServiceEntry, gateway.networking.k8s.io/Gateway, gateway.networking.k8s.io/GatewayClass but was %s/%s", group, kind);
	if (ns)
		refuse_str(c, SUB(p, "namespace"), ns, "cross namespace referencing is not currently supported");
}
const struct form mesh_target = {
	.members = FORM_MEMBERS({ "group", &gw_group, false }, { "kind", &gw_kind, true }, { "name", &gw_object, true }), .rules = target_rules,
};
const struct form mesh_targets = { .max = 16, .items = &mesh_target };

void mesh_one_selector(struct check *c, const struct val *self, const struct path *p)
{
	if (val_get(self, "selector") ? val_get(self, "targetRef") || val_get(self, "targetRefs") : val_get(self, "targetRef") && val_get(self, "targetRefs"))
		refuse_omitted(c, p, "only one of targetRefs or selector can be set");
}

/* ---- whole objects */

static void check_notes(struct check *c, const struct object *o)
{
	static const char *const banned[] = { "internal.istio.io/parents", "internal.istio.io/parent-namespace" };
	const char *tried = label_get(&o->annotations, "istio.io/dry-run"), *action = form_text(val_get(c->root, "spec"), "action", "ALLOW");
	const struct path *at = SUB(NULL, "metadata.annotations");

	for (size_t k = 0; k < sizeof(banned) / sizeof(*banned); k++)
		if (label_get(&o->annotations, banned[k]))
			refuse_forbidden(c, ENTRY(at, banned[k]), "this may not be set by users");
	if (label_get(&o->annotations, "internal.istio.io/webhook-always-reject"))
		refuse_forbidden(c, ENTRY(at, "internal.istio.io/webhook-always-reject"), "annotation found, rejecting");
	if (!tried)
		return;
	if (strcmp(o->kind->name, "AuthorizationPolicy") != 0)
		refuse_forbidden(c, ENTRY(at, "istio.io/dry-run"), "unsupported annotation, please remove it");
	else if (strcmp(action, "ALLOW") != 0 && strcmp(action, "DENY") != 0)
		refuse_str(c, ENTRY(at, "istio.io/dry-run"), tried, "currently only supports action ALLOW/DENY, found action %s", action);
	else if (!one_of(tried, FORM_WORDS("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False")))
		refuse_str(c, ENTRY(at, "istio.io/dry-run"), tried, "must be true or false");
}

void mesh_check(struct check *c, const struct object *o, const struct form *f)
{
	static const struct val empty = { .type = VAL_MAP };
	const struct val *spec = val_get(c->root, "spec"), *was = val_get(c->was, "spec");

	check_notes(c, o);
	if (!spec || spec->type == VAL_NULL)
		spec = &empty;
	if (!was || !val_equal(spec, was))
		form_check(c, f, spec, SUB(NULL, "spec"));
}
