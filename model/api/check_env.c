/* Environment of containers, and what a value is taken from: fields of the Pod and resources, which files of volumes have too (validateEnv, validateObjectFieldSelector,
 * validateContainerResourceFieldSelector). */
#include <ctype.h>

#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

/* ---- fields and resources */

static const char *const env_paths[] = {
	"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", NULL
};
static const char *const volume_paths[] = { "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", NULL };
static const char *const resource_paths[] = {
	"limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory", NULL
};
static const char *const converted_paths[] = {          /* podshelper.ConvertDownwardAPIFieldLabel */
	"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName",
	"spec.schedulerName", "status.phase", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs", "spec.host", NULL
};

void check_field_ref(struct check *c, const struct val *v, const struct path *p, bool volume)
{
	const char *path = text_of(v, "fieldPath"), *open = strchr(path, '[');
	bool subscripted = open && open[1] == '\'' && strlen(open) > 4 && strcmp(open + strlen(open) - 2, "']") == 0;
	char base[256], key[512];
	size_t n = open ? (size_t)(open - path) : strlen(path);

	if (!need(c, v, p, "fieldPath"))
		return;
	trimmed(path, n, base, sizeof(base));
	if (*text_of(v, "apiVersion") && strcmp(text_of(v, "apiVersion"), "v1") != 0) {
		refuse_str(c, SUB(p, "fieldPath"), path, "error converting fieldPath: unsupported pod version: %s", text_of(v, "apiVersion"));
	} else if (subscripted && strcmp(base, "metadata.annotations") != 0 && strcmp(base, "metadata.labels") != 0) {
		refuse_str(c, SUB(p, "fieldPath"), path, "error converting fieldPath: field label does not support subscript: %s", path);
	} else if (!one_of(base, converted_paths)) {
		refuse_str(c, SUB(p, "fieldPath"), path, "error converting fieldPath: field label not supported: %s", path);
	} else if (subscripted) {
		trimmed(open + 2, strlen(open) - 4, key, sizeof(key));
		for (char *k = key; strcmp(base, "metadata.annotations") == 0 && *k; k++)
			*k = (char)tolower((unsigned char)*k);
		must_be_label_key(c, p, key);
	} else if (!one_of(path, volume ? volume_paths : env_paths)) {
		refuse_unsupported(c, SUB(p, "fieldPath"), path, volume ? volume_paths : env_paths);
	}
}

/* validateContainerResourceDivisor; none, or 0, is 1. */
static void check_divisor(struct check *c, const struct val *v, const char *resource, const struct path *p)
{
	static const char bytes[] = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
	static const struct { const char *resource, *units, *called; } rules[] = {
		{ "cpu", "1m and 1", "cpu" }, { "memory", bytes, "memory" }, { "ephemeral-storage", bytes, "local ephemeral storage" }, { "hugepages-", bytes, "hugepages" },
	};
	const char *what = strchr(resource, '.'), *at;
	char text[64];
	int64_t milli;
	size_t n;

	if (!what || !quantity_of(v, &milli) || milli == 0)
		return;
	quantity_written(v, text);
	n = strlen(text);
	for (size_t k = 0; k < ARRAY_LEN(rules); k++) {
		if (strncmp(what + 1, rules[k].resource, strlen(rules[k].resource)) != 0)
			continue;
		for (at = strstr(rules[k].units, text); at; at = strstr(at + 1, text))
			if ((at == rules[k].units || at[-1] == ' ') && strchr(", ", at[n]))     /* strchr finds the end, too */
				return;
		refuse_str(c, p, resource, "only divisor's values %s are supported with the %s resource", rules[k].units, rules[k].called);
		return;
	}
}

void check_resource_ref(struct check *c, const struct val *v, const struct path *p, bool volume)
{
	const char *resource = text_of(v, "resource");

	if (volume && !*text_of(v, "containerName"))
		refuse_missing(c, SUB(p, "containerName"), "%s", "");
	else if (need(c, v, p, "resource") && !one_of(resource, resource_paths) && strncmp(resource, "limits.hugepages-", 17) != 0 && strncmp(resource, "requests.hugepages-", 19) != 0)
		refuse_unsupported(c, SUB(p, "resource"), resource, resource_paths);
	else
		check_divisor(c, val_get(v, "divisor"), resource, SUB(p, "divisor"));
}

/* ---- environment */

static void check_key_ref(struct check *c, const struct val *v, const struct path *p)
{
	must_be_subdomain(c, SUB(p, "name"), text_of(v, "name"));
	if (need(c, v, p, "key"))
		must_be_config_key(c, SUB(p, "key"), text_of(v, "key"));
}

static void check_file_ref(struct pod_rules *r, const struct val *v, const struct path *p)
{
	const char *name = text_of(v, "volumeName");
	bool found = false;

	if (need(r->c, v, p, "key"))
		must_be_env_name(r->c, SUB(p, "key"), text_of(v, "key"));
	if (need(r->c, v, p, "volumeName"))
		must_be_label(r->c, SUB(p, "volumeName"), name);
	if (need(r->c, v, p, "path"))
		must_not_go_back(r->c, SUB(p, "path"), text_of(v, "path"));
	VAL_EACH(volume, val_get(r->spec, "volumes"))
		if (strcmp(text_of(volume, "name"), name) == 0) {
			found = true;
			if (!has(volume, "emptyDir"))
				refuse_str(r->c, SUB(p, "volumeName"), name, "referenced volume must be of type emptyDir");
		}
	if (!found)
		refuse_unfound(r->c, SUB(p, "volumeName"), name, "");
}

static void check_value_from(struct pod_rules *r, const struct val *env, const struct val *v, const struct path *p)
{
	static const char *const keys[] = { "fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef", NULL };
	uint32_t nr = 0;

	for (uint32_t k = 0; keys[k]; k++)
		nr += has(v, keys[k]);
	if (has(v, "fieldRef"))
		check_field_ref(r->c, val_get(v, "fieldRef"), SUB(p, "fieldRef"), false);
	if (has(v, "resourceFieldRef"))
		check_resource_ref(r->c, val_get(v, "resourceFieldRef"), SUB(p, "resourceFieldRef"), false);
	for (uint32_t k = 2; k < 4; k++)
		if (has(v, keys[k]))
			check_key_ref(r->c, val_get(v, keys[k]), SUB(p, keys[k]));
	if (has(v, "fileKeyRef"))
		check_file_ref(r, val_get(v, "fileKeyRef"), SUB(p, "fileKeyRef"));
	if (nr == 0)
		refuse_str(r->c, p, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
	else if (*text_of(env, "value"))
		refuse_str(r->c, p, "", "may not be specified when `value` is not empty");
	else if (nr > 1)
		refuse_str(r->c, p, "", "may not have more than one field specified at a time");
}

void check_env(struct pod_rules *r, const struct val *container, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(v, val_get(container, "env")) {
		const struct path *at = ITEM(SUB(p, "env"), i++);

		if (need(r->c, v, at, "name"))
			must_be_env_name(r->c, SUB(at, "name"), text_of(v, "name"));
		if (has(v, "valueFrom"))
			check_value_from(r, v, val_get(v, "valueFrom"), SUB(at, "valueFrom"));
	}
	i = 0;
	VAL_EACH(v, val_get(container, "envFrom")) {
		static const char *const keys[] = { "configMapRef", "secretRef" };
		const struct path *list = SUB(p, "envFrom"), *at = ITEM(list, i++);
		uint32_t nr = 0;

		if (*text_of(v, "prefix"))
			must_be_env_name(r->c, SUB(at, "prefix"), text_of(v, "prefix"));
		for (uint32_t k = 0; k < 2; k++) {
			if (!has(v, keys[k]))
				continue;
			nr++;
			if (need(r->c, val_get(v, keys[k]), SUB(at, keys[k]), "name"))
				must_be_subdomain(r->c, SUB(SUB(at, keys[k]), "name"), text_of(val_get(v, keys[k]), "name"));
		}
		if (nr == 0)
			refuse_str(r->c, list, "", "must specify one of: `configMapRef` or `secretRef`");
		else if (nr > 1)
			refuse_str(r->c, list, "", "may not have more than one field specified at a time");
	}
}
