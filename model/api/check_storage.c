/* PersistentVolumeClaim, PersistentVolume, StorageClass. Sources: kubernetes pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec,
 * ValidatePersistentVolumeSpec), pkg/apis/storage/validation/validation.go. */
#include <ctype.h>

#include "model/api/kept.h"
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

static const char *const access_modes[] = { "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod", NULL }, *const volume_modes[] = { "Block", "Filesystem", NULL };
static const char *const reclaims[] = { "Delete", "Recycle", "Retain", NULL }, *const class_reclaims[] = { "Delete", "Retain", NULL };
static const char *const bindings[] = { "Immediate", "WaitForFirstConsumer", NULL };

static void check_access(struct check *c, const struct val *spec, const struct path *p, const char *why)
{
	const struct val *list = val_get(spec, "accessModes");
	bool pod = false, other = false;

	if (!list || !list->nr)
		refuse_missing(c, SUB(p, "accessModes"), "%s", why);
	VAL_EACH(v, list) {
		if (!one_of(val_str(v), access_modes))
			refuse_unsupported(c, SUB(p, "accessModes"), val_str(v), access_modes);
		else if (streq(val_str(v), "ReadWriteOncePod"))
			pod = true;
		else
			other = true;
	}
	if (pod && other)
		refuse_forbidden(c, SUB(p, "accessModes"), "may not use ReadWriteOncePod with other access modes");
}

static void must_be_positive(struct check *c, const struct path *p, const struct val *v)
{
	char text[32];
	int64_t milli;

	snprintf(text, sizeof(text), "%" PRId64, val_int_or(v, 0));
	if (quantity_parse(val_str(v) ? val_str(v) : text, &milli) && milli <= 0)
		refuse_str(c, p, val_str(v) ? val_str(v) : text, "must be greater than zero");
}

static void check_source(struct check *c, const struct val *v, const struct path *p)
{
	const char *group = text_of(v, "apiGroup");

	need(c, v, p, "name");
	need(c, v, p, "kind");
	if (*group)
		must_be_subdomain(c, SUB(p, "apiGroup"), group);
	else if (strcmp(text_of(v, "kind"), "PersistentVolumeClaim") != 0)
		refuse_str(c, p, text_of(v, "kind"), "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
}

static bool same_source(const struct val *a, const struct val *b)
{
	static const char *const keys[] = { "apiGroup", "kind", "name", "namespace" };

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (strcmp(text_of(a, keys[k]), text_of(b, keys[k])) != 0)
			return false;
	return true;
}

void claim_spec_check(struct check *c, const struct val *spec, const struct path *p)
{
	const struct val *storage = val_path(spec, "resources.requests.storage");
	const struct path *at = ENTRY(SUB(p, "resources"), "storage");

	check_access(c, spec, p, "at least 1 access mode is required");
	must_be_selector_val(c, SUB(p, "selector"), val_get(spec, "selector"), false);
	if (!storage)
		refuse_missing(c, at, "%s", "");
	else
		must_be_positive(c, at, storage);
	if (*text_of(spec, "storageClassName"))
		must_be_subdomain(c, SUB(p, "storageClassName"), text_of(spec, "storageClassName"));
	need_one_of(c, spec, p, "volumeMode", volume_modes);
	if (has(spec, "dataSource"))
		check_source(c, val_get(spec, "dataSource"), SUB(p, "dataSource"));
	if (has(spec, "dataSourceRef"))
		check_source(c, val_get(spec, "dataSourceRef"), SUB(p, "dataSourceRef"));
	if (has(spec, "dataSource") && has(spec, "dataSourceRef") && !same_source(val_get(spec, "dataSource"), val_get(spec, "dataSourceRef")))
		refuse_text(c, p, "{}", "must match dataSourceRef");    /* the value is upstream's path, which has no public field */
}

void pvc_check(struct check *c, const struct object *o)
{
	(void)o;
	claim_spec_check(c, val_get(c->root, "spec"), SUB(NULL, "spec"));
}

void pvc_check_update(struct check *c, const struct object *now, const struct object *old)
{
	static const char *const fixed[] = { "spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeMode", "spec.dataSource", "spec.dataSourceRef" };

	for (size_t k = 0; now->doc && old->doc && k < ARRAY_LEN(fixed); k++) {
		const struct val *a = val_path(now->doc, fixed[k]), *b = val_path(old->doc, fixed[k]);

		if (a ? b && !val_equal(a, b) : b != NULL) {
			refuse_forbidden(c, SUB(NULL, "spec"), "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
			return;
		}
	}
}

/* ---- PersistentVolume */

static void check_csi(struct check *c, const struct val *v, const struct path *p)
{
	if (need(c, v, p, "driver"))
		must_be_subdomain_caseless(c, SUB(p, "driver"), text_of(v, "driver"));
	need(c, v, p, "volumeHandle");
}

static void check_local(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "path");
	must_not_go_back(c, SUB(p, "path"), text_of(v, "path"));
	if (!has(val_path(c->root, "spec"), "nodeAffinity"))
		refuse_missing(c, SUB(NULL, "spec.nodeAffinity"), "Local volume requires node affinity");
}

static bool is_root(const char *path)
{
	return *path == '/' && strspn(path, "/.") == strlen(path) && !strstr(path, "...");
}

static void check_host_path(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "path");
	must_not_go_back(c, SUB(p, "path"), text_of(v, "path"));
	if (is_root(text_of(v, "path")) && strcmp(text_of(val_get(c->root, "spec"), "persistentVolumeReclaimPolicy"), "Recycle") == 0)
		refuse_forbidden(c, SUB(NULL, "spec.persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'");
}

static void check_nfs(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "server");
	need(c, v, p, "path");
	if (*text_of(v, "path") != '/')
		refuse_str(c, SUB(p, "path"), text_of(v, "path"), "must be an absolute path");
}

static const struct { const char *name; void (*check)(struct check *, const struct val *, const struct path *); const char *needs[3]; } sources[] = {
	{ "hostPath", check_host_path, { NULL } }, { "gcePersistentDisk", NULL, { "pdName", NULL } }, { "awsElasticBlockStore", NULL, { "volumeID", NULL } },
	{ "glusterfs", NULL, { "endpoints", "path", NULL } }, { "flocker", NULL, { NULL } }, { "nfs", check_nfs, { NULL } }, { "rbd", NULL, { "monitors", "image", NULL } },
	{ "quobyte", NULL, { "registry", "volume", NULL } }, { "cephfs", NULL, { "monitors", NULL } }, { "iscsi", NULL, { "targetPortal", "iqn", NULL } },
	{ "cinder", NULL, { "volumeID", NULL } }, { "fc", NULL, { NULL } }, { "flexVolume", NULL, { "driver", NULL } }, { "azureFile", NULL, { "secretName", "shareName", NULL } },
	{ "vsphereVolume", NULL, { "volumePath", NULL } }, { "photonPersistentDisk", NULL, { "pdID", NULL } }, { "portworxVolume", NULL, { "volumeID", NULL } },
	{ "azureDisk", NULL, { "diskName", "diskURI", NULL } }, { "scaleIO", NULL, { "gateway", "system", "volumeName" } }, { "local", check_local, { NULL } },
	{ "storageos", NULL, { "volumeName", NULL } }, { "csi", check_csi, { NULL } },
};

static void check_pv_source(struct check *c, const struct val *spec, const struct path *p)
{
	uint32_t nr = 0;

	for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
		const struct val *v = val_get(spec, sources[k].name);
		const struct path *at = SUB(p, sources[k].name);

		if (!has(spec, sources[k].name))
			continue;
		if (nr++ > 0) {
			refuse_forbidden(c, at, "may not specify more than 1 volume type");
			continue;
		}
		if (sources[k].check)
			sources[k].check(c, v, at);
		for (size_t n = 0; n < ARRAY_LEN(sources[k].needs) && sources[k].needs[n]; n++)
			need(c, v, at, sources[k].needs[n]);
	}
	if (!nr)
		refuse_missing(c, p, "must specify a volume type");
}

void pv_check(struct check *c, const struct object *o)
{
	const struct val *spec = val_get(c->root, "spec"), *capacity = val_get(spec, "capacity");
	const struct path *p = SUB(NULL, "spec");
	struct sb sb = { 0 };

	(void)o;
	check_access(c, spec, p, "");
	if (!capacity || !capacity->nr)
		refuse_missing(c, SUB(p, "capacity"), "%s", "");
	if (!val_get(capacity, "storage") || capacity->nr > 1)
		refuse_unsupported_text(c, SUB(p, "capacity"), json_of(capacity, &sb), (const char *const[]){ "storage", NULL });
	sb_free(&sb);
	VAL_EACH(v, capacity)
		must_be_positive(c, ENTRY(SUB(p, "capacity"), v->key), v);
	need_one_of(c, spec, p, "persistentVolumeReclaimPolicy", reclaims);
	if (has(val_get(spec, "nodeAffinity"), "required"))
		check_node_selector(c, val_path(spec, "nodeAffinity.required"), SUB(p, "nodeAffinity.required"));
	else if (has(spec, "nodeAffinity"))
		refuse_missing(c, SUB(p, "nodeAffinity.required"), "must specify required node constraints");
	check_pv_source(c, spec, p);
	if (*text_of(spec, "storageClassName"))
		must_be_subdomain(c, SUB(p, "storageClassName"), text_of(spec, "storageClassName"));
	need_one_of(c, spec, p, "volumeMode", volume_modes);
}

/* ---- StorageClass */

static void check_parameters(struct check *c, const struct val *map)
{
	const struct path *p = SUB(NULL, "parameters");
	size_t size = 0;

	if (map && map->nr > 512)
		refuse_long(c, p, 512);
	VAL_EACH(v, map) {
		if (!*v->key)
			refuse_str(c, p, "", "field can not be empty.");
		size += strlen(v->key) + (val_str(v) ? strlen(val_str(v)) : 0);
	}
	if (size > 256 * 1024)
		refuse_long(c, p, 256 * 1024);
}

/* ValidateTopologySelectorTerm */
static void check_topologies(struct check *c, const struct val *list)
{
	uint32_t i = 0;

	VAL_EACH(term, list) {
		const struct path *p = SUB(ITEM(SUB(NULL, "allowedTopologies"), i++), "matchLabelExpressions");
		uint32_t k = 0;

		VAL_EACH(e, val_get(term, "matchLabelExpressions")) {
			const struct path *at = ITEM(p, k++);
			const struct val *values = val_get(e, "values");
			uint32_t n = 0;

			if (!values || !values->nr)
				refuse_missing(c, SUB(at, "values"), "%s", "");
			VAL_EACH(x, values) {
				const struct path *place = ITEM(SUB(at, "values"), n++);

				must_be_label_value(c, place, val_str(x) ? val_str(x) : "");
				VAL_EACH(other, values) {
					if (other == x)
						break;
					if (streq(val_str(other), val_str(x))) {
						refuse_duplicate(c, place, val_str(x));
						break;
					}
				}
			}
			must_be_label_key(c, SUB(at, "key"), text_of(e, "key"));
			VAL_EACH(other, val_get(term, "matchLabelExpressions")) {
				if (other == e)
					break;
				if (strcmp(text_of(other, "key"), text_of(e, "key")) == 0) {
					refuse_duplicate(c, SUB(at, "key"), text_of(e, "key"));
					break;
				}
			}
		}
	}
}

void storage_class_check(struct check *c, const struct object *o)
{
	const char *provisioner = text_of(c->root, "provisioner");
	char lower[512];
	size_t n = 0;

	(void)o;
	for (; provisioner[n] && n + 1 < sizeof(lower); n++)
		lower[n] = (char)tolower((unsigned char)provisioner[n]);
	lower[n] = '\0';
	if (!*provisioner)
		refuse_missing(c, SUB(NULL, "provisioner"), "%s", "");
	else
		must_be_label_key(c, SUB(NULL, "provisioner"), lower);
	need_one_of(c, c->root, NULL, "reclaimPolicy", class_reclaims);
	check_parameters(c, val_get(c->root, "parameters"));
	need_one_of(c, c->root, NULL, "volumeBindingMode", bindings);
	check_topologies(c, val_get(c->root, "allowedTopologies"));
}

void storage_class_check_update(struct check *c, const struct object *now, const struct object *old)
{
	static const char *const fixed[] = { "parameters", "provisioner", "reclaimPolicy", "volumeBindingMode" };

	for (size_t k = 0; now->doc && old->doc && k < ARRAY_LEN(fixed); k++) {
		const struct val *a = val_get(now->doc, fixed[k]), *b = val_get(old->doc, fixed[k]);

		if (a ? !b || !val_equal(a, b) : b != NULL)
			refuse_val(c, SUB(NULL, fixed[k]), a, "field is immutable");
	}
}
