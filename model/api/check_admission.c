/* CustomResourceDefinition and the webhooks of admission, as far as that is possible without judging CEL. Sources: kubernetes
 * staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go, pkg/apis/admissionregistration/validation/validation.go. */
#include "model/api/kept.h"
#include "model/api/pod_rules.h"

/* ---- CustomResourceDefinition */

static void check_names(struct check *c, const struct val *names, const struct path *p)
{
	static const char *const keys[] = { "plural", "singular", "kind", "listKind" };
	uint32_t i = 0;

	need(c, names, p, "plural");
	need(c, names, p, "kind");
	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		char lower[256];
		size_t n = 0;

		for (const char *s = text_of(names, keys[k]); s[n] && n + 1 < sizeof(lower); n++)
			lower[n] = (char)(k >= 2 && s[n] >= 'A' && s[n] <= 'Z' ? s[n] | 0x20 : s[n]);
		lower[n] = '\0';
		if (n)
			must_be_label_1035(c, SUB(p, keys[k]), lower);
	}
	VAL_EACH(v, val_get(names, "shortNames"))
		must_be_label_1035(c, ITEM(SUB(p, "shortNames"), i++), val_str(v) ? val_str(v) : "");
}

static void check_versions(struct check *c, const struct val *list, const struct path *p)
{
	uint32_t i = 0, stored = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);

		must_be_label_1035(c, SUB(at, "name"), text_of(v, "name"));
		VAL_EACH(other, list) {
			if (other == v)
				break;
			if (strcmp(text_of(other, "name"), text_of(v, "name")) == 0)
				refuse_str(c, p, "must contain unique version names", "%s", "");
		}
		stored += true_of(v, "storage");
		if (!val_path(v, "schema.openAPIV3Schema") && true_of(v, "served"))
			refuse_missing(c, SUB(at, "schema.openAPIV3Schema"), "schemas are required");
	}
	if (stored != 1)
		refuse_val(c, p, list, "must have exactly one version marked as storage version");
}

void crd_check(struct check *c, const struct object *o)
{
	static const char *const scopes[] = { "Cluster", "Namespaced", NULL };
	const struct val *spec = val_get(c->root, "spec"), *names = val_get(spec, "names");
	const char *group = text_of(spec, "group"), *plural = text_of(names, "plural");
	const struct path *p = SUB(NULL, "spec");
	char name[512];

	snprintf(name, sizeof(name), "%.250s.%.250s", plural, group);
	if (strcmp(o->name, name) != 0)
		refuse_str(c, SUB(NULL, "metadata.name"), o->name, "must be spec.names.plural+\".\"+spec.group");
	if (need(c, spec, p, "group")) {
		must_be_subdomain(c, SUB(p, "group"), group);
		if (!strchr(group, '.'))
			refuse_str(c, SUB(p, "group"), group, "should be a domain with at least one dot");
	}
	if (!*text_of(spec, "scope"))
		refuse_missing(c, SUB(p, "scope"), "%s", "");
	need_one_of(c, spec, p, "scope", scopes);
	check_names(c, names, SUB(p, "names"));
	if (need(c, spec, p, "versions"))
		check_versions(c, val_get(spec, "versions"), SUB(p, "versions"));
}

/* ---- webhooks */

static void check_client(struct check *c, const struct val *v, const struct path *p)
{
	bool url = has(v, "url"), service = has(v, "service");
	const struct val *s = val_get(v, "service");
	int64_t port = int_of(s, "port", 443);

	if (url == service)
		refuse_missing(c, p, "exactly one of url or service is required");
	if (url && strncmp(text_of(v, "url"), "https://", 8) != 0)
		refuse_str(c, SUB(p, "url"), text_of(v, "url"), "\"https\" is the only allowed URL scheme; should be a URL of the form https://host");
	if (!service)
		return;
	if (!*text_of(s, "name"))
		refuse_missing(c, SUB(p, "service.name"), "service name is required");
	if (!*text_of(s, "namespace"))
		refuse_missing(c, SUB(p, "service.namespace"), "service namespace is required");
	if (*text_of(s, "path") && *text_of(s, "path") != '/')
		refuse_str(c, SUB(p, "service.path"), text_of(s, "path"), "must start with a '/'");
	if (port < 1 || port > 65535)
		refuse_int(c, SUB(p, "service.port"), port, "port is not valid: must be between 1 and 65535, inclusive");
}

static void check_hook_rules(struct check *c, const struct val *list, const struct path *p)
{
	static const char *const operations[] = { "*", "CONNECT", "CREATE", "DELETE", "UPDATE", NULL };
	static const char *const needed[] = { "operations", "apiGroups", "apiVersions", "resources" };
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);
		uint32_t k = 0;

		for (size_t n = 0; n < ARRAY_LEN(needed); n++)
			need(c, v, at, needed[n]);
		VAL_EACH(op, val_get(v, "operations")) {
			if (!one_of(val_str(op), operations))
				refuse_unsupported(c, ITEM(SUB(at, "operations"), k), val_str(op), operations);
			k++;
		}
	}
}

void webhook_check(struct check *c, const struct object *o)
{
	static const char *const effects[] = { "None", "NoneOnDryRun", NULL }, *const policies[] = { "Fail", "Ignore", NULL }, *const matches[] = { "Equivalent", "Exact", NULL };
	const struct val *list = val_get(c->root, "webhooks");
	uint32_t i = 0;

	(void)o;
	VAL_EACH(v, list) {
		const struct path *p = ITEM(SUB(NULL, "webhooks"), i++);
		const char *name = text_of(v, "name"), *dot = strchr(name, '.');
		int64_t timeout = int_of(v, "timeoutSeconds", 10);

		if (need(c, v, p, "name") && (!dot || !strchr(dot + 1, '.')))
			refuse_str(c, SUB(p, "name"), name, "should be a domain with at least three segments separated by dots");
		VAL_EACH(other, list) {
			if (other == v)
				break;
			if (*name && strcmp(text_of(other, "name"), name) == 0)
				refuse_duplicate(c, SUB(p, "name"), name);
		}
		check_hook_rules(c, val_get(v, "rules"), SUB(p, "rules"));
		need_one_of(c, v, p, "failurePolicy", policies);
		need_one_of(c, v, p, "matchPolicy", matches);
		if (!*text_of(v, "sideEffects"))
			refuse_missing(c, SUB(p, "sideEffects"), "must specify one of None, NoneOnDryRun");
		need_one_of(c, v, p, "sideEffects", effects);
		if (timeout < 1 || timeout > 30)
			refuse_int(c, SUB(p, "timeoutSeconds"), timeout, "the timeout value must be between 1 and 30 seconds");
		must_be_selector_val(c, SUB(p, "namespaceSelector"), val_get(v, "namespaceSelector"), false);
		must_be_selector_val(c, SUB(p, "objectSelector"), val_get(v, "objectSelector"), false);
		check_client(c, val_get(v, "clientConfig"), SUB(p, "clientConfig"));
		if (!val_get(v, "admissionReviewVersions") || !val_get(v, "admissionReviewVersions")->nr)
			refuse_missing(c, SUB(p, "admissionReviewVersions"), "must specify one of v1, v1beta1");
	}
}
