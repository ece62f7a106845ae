/* PersistentVolumeClaim, PersistentVolume, StorageClass. Sources: kubernetes pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec,
 * ValidatePersistentVolumeSpec), pkg/apis/storage/validation/validation.go. */
#include <ctype.h>

#include "model/api/claim_source.h"
#include "model/api/kept.h"
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

#define BETA_CLASS "volume.beta.kubernetes.io/storage-class"

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

/* There is a default for what is absent, none for "". */
static void check_mode(struct check *c, const struct val *spec, const struct path *p)
{
	if (has(spec, "volumeMode") && !one_of(text_of(spec, "volumeMode"), volume_modes))
		refuse_unsupported(c, SUB(p, "volumeMode"), text_of(spec, "volumeMode"), volume_modes);
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
	check_mode(c, spec, p);
	if (has(spec, "dataSource"))
		check_source(c, val_get(spec, "dataSource"), SUB(p, "dataSource"));
	if (has(spec, "dataSourceRef"))
		check_source(c, val_get(spec, "dataSourceRef"), SUB(p, "dataSourceRef"));
	if (has(spec, "dataSource") && has(spec, "dataSourceRef") && !same_source(val_get(spec, "dataSource"), val_get(spec, "dataSourceRef")))
		refuse_text(c, p, "{}", "must match dataSourceRef");    /* the value is upstream's path, which has no public field */
	if (*text_of(spec, "volumeAttributesClassName"))
		must_be_subdomain(c, SUB(p, "volumeAttributesClassName"), text_of(spec, "volumeAttributesClassName"));
}

/* What the server drops before it looks at the claim is not judged. */
void pvc_check(struct check *c, const struct object *o)
{
	struct arena *scratch = arena_new(NULL, "claim");
	struct val *spec = val_get(c->root, "spec") ? val_copy(scratch, val_get(c->root, "spec")) : NULL;
	struct val *was = val_get(c->was, "spec") ? val_copy(scratch, val_get(c->was, "spec")) : NULL;

	(void)o;
	claim_drop_source(was, NULL);
	claim_drop_source(spec, was);
	claim_spec_check(c, spec, SUB(NULL, "spec"));
	arena_free(scratch);
}

static int64_t storage_of(const struct val *list)
{
	int64_t milli = 0;

	quantity_of(val_get(list, "storage"), &milli);
	return milli;
}

/* The class may move from its annotation to its field (validateStorageClassUpgradeFromAnnotation, validateStorageClassUpgradeFromNil). */
static void check_class_move(struct check *c, const struct object *now, const struct object *old, struct val *spec)
{
	const char *was = label_get(&old->annotations, BETA_CLASS), *is = label_get(&now->annotations, BETA_CLASS);
	bool set = has(spec, "storageClassName") && !has(val_get(old->doc, "spec"), "storageClassName");
	bool moves = set && was && strcmp(text_of(spec, "storageClassName"), was) == 0;

	if (!(moves && (!is || streq(is, was))) && strcmp(is ? is : "", was ? was : "") != 0)
		refuse_str(c, SUB(NULL, "metadata.annotations." BETA_CLASS), is ? is : "", "field is immutable");
	if (moves || (set && !was))
		val_del(spec, "storageClassName");
}

static void keep_as_it_was(struct arena *a, struct val *spec, const struct val *was, const char *key)
{
	val_del(spec, key);
	if (val_get(was, key))
		val_put(a, spec, key, val_copy(a, val_get(was, key)));
}

/* ValidatePersistentVolumeClaimUpdate. Documents are whole: apply.c writes defaults into both. */
void pvc_check_update(struct check *c, const struct object *now, const struct object *old)
{
	struct arena *a = arena_new(NULL, "claim");
	const struct val *was = val_get(old->doc, "spec"), *status = val_get(old->doc, "status"), *asked = val_path(was, "resources.requests");
	struct val *spec = val_get(now->doc, "spec") ? val_copy(a, val_get(now->doc, "spec")) : val_new(a, VAL_MAP), *asks;
	bool bound = strcmp(text_of(status, "phase"), "Bound") == 0;
	const struct path *p = SUB(NULL, "spec");
	int64_t want = storage_of(val_path(spec, "resources.requests"));
	const char *mode = text_of(spec, "volumeMode"), *class = text_of(spec, "volumeAttributesClassName");
	bool named = has(spec, "volumeAttributesClassName"), differs, shrinks = want < storage_of(asked) && want <= storage_of(val_get(status, "capacity"));

	check_class_move(c, now, old, spec);
	if (!*text_of(was, "volumeName"))
		keep_as_it_was(a, spec, was, "volumeName");
	asks = val_path_mut(spec, "resources.requests");
	if (asks && val_get(asked, "storage") && (bound || want == storage_of(asked)))
		val_put(a, asks, "storage", val_copy(a, val_get(asked, "storage")));
	differs = strcmp(mode, text_of(was, "volumeMode")) != 0;
	if (bound)
		keep_as_it_was(a, spec, was, "volumeAttributesClassName");
	if (!val_equal(spec, was))
		refuse_forbidden(c, p, "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims");
	if (shrinks)
		refuse_forbidden(c, SUB(NULL, "spec.resources.requests.storage"), "field can not be less than status.capacity");
	if (differs)
		refuse_str(c, SUB(NULL, "volumeMode"), mode, "field is immutable");
	if (has(status, "currentVolumeAttributesClassName") && !*class)
		refuse_forbidden(c, SUB(p, "volumeAttributesClassName"), "update to %s is forbidden when status.currentVolumeAttributesClassName is not nil", named ? "empty string" : "nil");
	arena_free(a);
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
	check_mode(c, spec, p);
	if (!has(spec, "volumeAttributesClassName"))
		return;
	if (!*text_of(spec, "volumeAttributesClassName"))
		refuse_missing(c, SUB(p, "volumeAttributesClassName"), "an empty string is disallowed");
	else
		must_be_subdomain(c, SUB(p, "volumeAttributesClassName"), text_of(spec, "volumeAttributesClassName"));
	if (!has(spec, "csi"))
		refuse_missing(c, SUB(p, "csi"), "has to be specified when using volumeAttributesClassName");
}

/* betaToGALabel: a requirement's key may change so, and nothing else of it (getMaskNodeSelectorLabelChangeEqualities). */
static const char *grown_label(const char *key, const char *now)
{
	static const char *const labels[][2] = {
		{ "failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone" }, { "failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region" },
		{ "beta.kubernetes.io/os", "kubernetes.io/os" }, { "beta.kubernetes.io/arch", "kubernetes.io/arch" }, { "beta.kubernetes.io/instance-type", "node.kubernetes.io/instance-type" },
	};

	for (size_t k = 0; k < ARRAY_LEN(labels); k++)
		if (strcmp(labels[k][0], key) == 0 && strcmp(labels[k][1], now) == 0)
			return now;
	return key;
}

static void grow_labels(struct arena *a, struct val *affinity, const struct val *now)
{
	uint32_t i = 0;

	VAL_EACH_MUT(term, val_path_mut(affinity, "required.nodeSelectorTerms")) {
		const struct val *other = val_at(val_path(now, "required.nodeSelectorTerms"), i++);
		uint32_t k = 0;

		VAL_EACH_MUT(e, val_get_mut(term, "matchExpressions"))
			val_put(a, e, "key", val_string(a, grown_label(text_of(e, "key"), text_of(val_at(val_get(other, "matchExpressions"), k++), "key"))));
	}
}

/* ValidatePersistentVolumeUpdate. Documents are whole: apply.c writes defaults into both. */
void pv_check_update(struct check *c, const struct object *now, const struct object *old)
{
	const struct val *spec = val_get(now->doc, "spec"), *was = val_get(old->doc, "spec");
	struct arena *a = arena_new(NULL, "volume");
	bool same = true;

	for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
		const struct val *x = has(spec, sources[k].name) ? val_get(spec, sources[k].name) : NULL, *y = has(was, sources[k].name) ? val_get(was, sources[k].name) : NULL;

		if (x && y && streq(sources[k].name, "csi") && !has(y, "controllerExpandSecretRef")) {  /* it may be set later */
			struct val *without = val_copy(a, x);

			val_del(without, "controllerExpandSecretRef");
			x = without;
		}
		same = same && (x ? y && val_equal(x, y) : !y);
	}
	if (!same)
		refuse_forbidden(c, SUB(NULL, "spec.persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
	if (strcmp(text_of(spec, "volumeMode"), text_of(was, "volumeMode")) != 0)
		refuse_str(c, SUB(NULL, "volumeMode"), text_of(spec, "volumeMode"), "field is immutable");
	if (has(was, "nodeAffinity")) {
		struct val *grown = val_copy(a, val_get(was, "nodeAffinity"));

		grow_labels(a, grown, val_get(spec, "nodeAffinity"));
		if (!has(spec, "nodeAffinity") || !val_equal(val_get(spec, "nodeAffinity"), grown))
			refuse_val(c, SUB(NULL, "nodeAffinity"), val_get(spec, "nodeAffinity"), "field is immutable, except for updating from beta label to GA");
	}
	if (has(was, "volumeAttributesClassName") && !has(spec, "volumeAttributesClassName"))
		refuse_forbidden(c, SUB(NULL, "spec.volumeAttributesClassName"), "update from non-nil value to nil is forbidden");
	arena_free(a);
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

static const struct val *of_key(const struct val *terms, const char *key)
{
	VAL_EACH(e, terms)
		if (strcmp(text_of(e, "key"), key) == 0)
			return e;
	return NULL;
}

static bool holds_value(const struct val *values, const char *s)
{
	VAL_EACH(v, values)
		if (streq(val_str(v), s))
			return true;
	return false;
}

/* Has b each key of a, with each of its values? */
static bool within(const struct val *a, const struct val *b)
{
	VAL_EACH(e, a) {
		const struct val *other = of_key(b, text_of(e, "key"));

		if (!other)
			return false;
		VAL_EACH(v, val_get(e, "values"))
			if (!holds_value(val_get(other, "values"), val_str(v)))
				return false;
	}
	return true;
}

/* validateAllowedTopologies: sets of values by key are compared; an empty term is never the first of its kind there. */
static void check_term_repeats(struct check *c, const struct val *list, const struct val *term, const struct path *p)
{
	const struct val *mine = val_get(term, "matchLabelExpressions");
	bool again = !val_first(mine);

	for (const struct val *t = val_first(list); t && t != term && !again; t = t->next)
		again = within(mine, val_get(t, "matchLabelExpressions")) && within(val_get(t, "matchLabelExpressions"), mine);
	if (again)
		refuse_duplicate(c, p, "");
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
		check_term_repeats(c, list, term, p);
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
