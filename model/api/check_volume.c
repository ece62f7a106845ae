/* Volumes of Pods: validateVolumeSource and the functions that it calls. */
#include "model/api/form.h"
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

static const char *const host_path_types[] = { "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket", NULL };
static const char *const disk_kinds[] = { "Dedicated", "Managed", "Shared", NULL }, *const disk_caches[] = { "None", "ReadOnly", "ReadWrite", NULL };
static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL };

bool need(struct check *c, const struct val *v, const struct path *p, const char *key)
{
	const struct val *m = val_get(v, key);

	if (!m || m->type == VAL_NULL || ((m->type == VAL_STRING || m->type == VAL_LIST) && !m->nr))
		return refuse_missing(c, SUB(p, key), "%s", "");
	return true;
}

void need_one_of(struct check *c, const struct val *v, const struct path *p, const char *key, const char *const *names)
{
	if (*text_of(v, key) && !one_of(text_of(v, key), names))
		refuse_unsupported(c, SUB(p, key), text_of(v, key), names);
}

void need_one_if_set(struct check *c, const struct val *v, const struct path *p, const char *key, const char *const *names)
{
	if (has(v, key) && !one_of(text_of(v, key), names))
		refuse_unsupported(c, SUB(p, key), text_of(v, key), names);
}

void need_range(struct check *c, const struct val *v, const struct path *p, const char *key, int64_t lo, int64_t hi)
{
	int64_t i = int_of(v, key, lo);

	if (i < lo || i > hi)
		refuse_int(c, SUB(p, key), i, "must be between %" PRId64 " and %" PRId64 ", inclusive", lo, hi);
}

void must_be_file_mode(struct check *c, const struct val *v, const struct path *p, const char *key)
{
	int64_t i = int_of(v, key, 0);

	if (i < 0 || i > 0777)
		refuse_int(c, SUB(p, key), i, "must be a number between 0 and 0777 (octal), both inclusive");
}

bool goes_back(const char *s)
{
	for (const char *at = s; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (!at[2] || at[2] == '/'))
			return true;
	}
	return false;
}

void must_not_go_back(struct check *c, const struct path *p, const char *s)
{
	if (goes_back(s))
		refuse_str(c, p, s, "must not contain '..'");
}

void must_be_descending(struct check *c, const struct path *p, const char *s)
{
	if (*s == '/')
		refuse_str(c, p, s, "must be a relative path");
	must_not_go_back(c, p, s);
}

void must_be_unreserved(struct check *c, const struct path *p, const char *s)
{
	must_be_descending(c, p, s);
	if (strncmp(s, "..", 2) == 0 && s[2] != '/')
		refuse_str(c, p, s, "must not start with '..'");
}

static void check_items(struct check *c, const struct val *list, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);

		need(c, v, at, "key");
		need(c, v, at, "path");
		must_be_unreserved(c, SUB(at, "path"), text_of(v, "path"));
		must_be_file_mode(c, v, at, "mode");
	}
}

static void check_host_path(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "path");
	must_not_go_back(c, SUB(p, "path"), text_of(v, "path"));
	need_one_of(c, v, p, "type", host_path_types);
}

static void check_git(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "repository");
	must_be_descending(c, SUB(p, "directory"), text_of(v, "directory"));
}

static void check_partition(struct check *c, const struct val *v, const struct path *p, const char *key)
{
	int64_t part = int_of(v, "partition", 0);

	need(c, v, p, key);
	if (part < 0 || part > 255)
		refuse_int(c, SUB(p, "partition"), part, "must be between 0 and 255, inclusive");
}

static void check_gce(struct check *c, const struct val *v, const struct path *p) { check_partition(c, v, p, "pdName"); }
static void check_aws(struct check *c, const struct val *v, const struct path *p) { check_partition(c, v, p, "volumeID"); }

static void check_secret(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "secretName");
	must_be_file_mode(c, v, p, "defaultMode");
	check_items(c, val_get(v, "items"), SUB(p, "items"));
}

static void check_config_map(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "name");
	must_be_file_mode(c, v, p, "defaultMode");
	check_items(c, val_get(v, "items"), SUB(p, "items"));
}

static void check_nfs(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "server");
	need(c, v, p, "path");
	if (*text_of(v, "path") != '/')
		refuse_str(c, SUB(p, "path"), text_of(v, "path"), "must be an absolute path");
}

/* The name of an initiator or a target. */
static void check_iscsi_name(struct check *c, const struct path *p, const char *name)
{
	static const struct { const char *start, *pattern; } forms[] = {
		{ "iqn", "iqn\\.[0-9]{4}-[0-9]{2}\\.[A-Za-z0-9.-]+:[^,;*&$|\\s]+$" }, { "eui", "^eui.[A-Za-z0-9]{16}$" }, { "naa", "^naa.[A-Za-z0-9]{32}$" },
	};

	for (size_t k = 0; k < ARRAY_LEN(forms); k++)
		if (strncmp(name, forms[k].start, 3) == 0) {
			if (!form_matches(name, forms[k].pattern))
				refuse_str(c, p, name, "must be valid format");
			return;
		}
	refuse_str(c, p, name, "must be valid format starting with iqn, eui, or naa");
}

static void check_iscsi(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "targetPortal");
	if (need(c, v, p, "iqn"))
		check_iscsi_name(c, SUB(p, "iqn"), text_of(v, "iqn"));
	need_range(c, v, p, "lun", 0, 255);
	if ((true_of(v, "chapAuthDiscovery") || true_of(v, "chapAuthSession")) && !has(v, "secretRef"))
		refuse_missing(c, SUB(p, "secretRef"), "%s", "");
	if (has(v, "initiatorName"))
		check_iscsi_name(c, SUB(p, "initiatorname"), text_of(v, "initiatorName"));      /* the path is spelt as upstream spells it */
}

/* net.SplitHostPort */
static bool is_host_port(const char *s, size_t n)
{
	const char *end = s + n, *colon = NULL, *host = s, *host_end;

	for (const char *at = s; at < end; at++)
		colon = *at == ':' ? at : colon;
	if (!colon)
		return false;
	host_end = colon;
	if (*s == '[') {
		host = s + 1;
		host_end = memchr(s, ']', n);
		if (!host_end || host_end + 1 != colon)
			return false;
	} else if (memchr(s, ':', (size_t)(colon - s))) {
		return false;
	}
	for (const char *at = host; at < end; at++)
		if (at != host_end && (*at == '[' || *at == ']'))
			return false;
	return true;
}

static void check_quobyte(struct check *c, const struct val *v, const struct path *p)
{
	static const char pairs[] = "must be a host:port pair or multiple pairs separated by commas";
	const char *registry = text_of(v, "registry");

	if (!*registry) {
		refuse_missing(c, SUB(p, "registry"), "%s", pairs);
	} else if (strlen(text_of(v, "tenant")) > 64) {
		refuse_missing(c, SUB(p, "tenant"), "must be a UUID and may not exceed a length of 64 characters");
	} else {
		for (const char *at = registry; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
			if (!is_host_port(at, strcspn(at, ",")))
				refuse_str(c, SUB(p, "registry"), registry, "%s", pairs);
	}
	need(c, v, p, "volume");
}

static void check_flocker(struct check *c, const struct val *v, const struct path *p)
{
	const char *name = text_of(v, "datasetName"), *uuid = text_of(v, "datasetUUID");

	if (!*name && !*uuid)
		refuse_missing(c, p, "one of datasetName and datasetUUID is required");
	if (*name && *uuid)
		refuse_str(c, p, "resource", "datasetName and datasetUUID can not be specified simultaneously");
	if (strchr(name, '/'))
		refuse_str(c, SUB(p, "datasetName"), name, "must not contain '/'");
}

static void check_fc(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *names = val_get(v, "targetWWNs"), *ids = val_get(v, "wwids");
	bool named = names && names->nr, identified = ids && ids->nr;

	if (!named && !identified)
		refuse_missing(c, SUB(p, "targetWWNs"), "must specify either targetWWNs or wwids, but not both");
	if (named && identified)
		refuse_val(c, SUB(p, "targetWWNs"), names, "targetWWNs and wwids can not be specified simultaneously");
	if (named && !has(v, "lun"))
		refuse_missing(c, SUB(p, "lun"), "lun is required if targetWWNs is specified");
	if (named)
		need_range(c, v, p, "lun", 0, 255);
}

static void check_downward_item(struct check *c, const struct val *v, const struct path *p)
{
	need(c, v, p, "path");
	must_be_unreserved(c, SUB(p, "path"), text_of(v, "path"));
	if (has(v, "fieldRef")) {
		check_field_ref(c, val_get(v, "fieldRef"), SUB(p, "fieldRef"), true);
		if (has(v, "resourceFieldRef"))
			refuse_str(c, p, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
	} else if (has(v, "resourceFieldRef")) {
		check_resource_ref(c, val_get(v, "resourceFieldRef"), SUB(p, "resourceFieldRef"), true);
	} else {
		refuse_missing(c, p, "one of fieldRef and resourceFieldRef is required");
	}
	must_be_file_mode(c, v, p, "mode");
}

/* The items' messages stand at the volume: upstream gives them no index. */
static void check_downward(struct check *c, const struct val *v, const struct path *p)
{
	must_be_file_mode(c, v, p, "defaultMode");
	VAL_EACH(file, val_get(v, "items"))
		check_downward_item(c, file, p);
}

/* The paths of one source among those of all before it; the message stands at the volume. */
struct projected_paths { const struct val *sources, *source; };

static bool path_taken(const struct projected_paths *x, const struct val *item)
{
	static const char *const lists[] = { "secret.items", "configMap.items", "downwardAPI.items" };

	VAL_EACH(source, x->sources) {
		for (size_t k = 0; k < ARRAY_LEN(lists); k++)
			VAL_EACH(other, val_path(source, lists[k])) {
				if (other == item)
					return false;
				if (strcmp(text_of(other, "path"), text_of(item, "path")) == 0)
					return true;
			}
		if (source == x->source)
			break;
	}
	return false;
}

static void check_conflicts(struct check *c, const struct projected_paths *x, const struct path *p)
{
	static const char *const keys[] = { "secret", "configMap", "downwardAPI" };

	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		const struct val *v = val_get(x->source, keys[k]);

		VAL_EACH(item, val_get(v, "items"))
			if (*text_of(item, "path") && path_taken(x, item))
				refuse_str(c, p, k < 2 ? text_of(v, "name") : text_of(item, "path"), "conflicting duplicate paths");
	}
}

static void check_projected_source(struct check *c, const struct val *v, const struct path *all, const struct path *p)
{
	static const char *const keys[] = { "secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate", NULL };
	const struct val *token = val_get(v, "serviceAccountToken");
	uint32_t nr = 0;

	for (uint32_t k = 0; keys[k]; k++)
		nr += has(v, keys[k]);
	for (uint32_t k = 0; k < 2; k++)
		if (has(v, keys[k])) {
			need(c, val_get(v, keys[k]), SUB(p, keys[k]), "name");
			check_items(c, val_get(val_get(v, keys[k]), "items"), SUB(SUB(p, keys[k]), "items"));
		}
	VAL_EACH(file, val_path(v, "downwardAPI.items"))
		check_downward_item(c, file, SUB(p, "downwardAPI"));
	if (val_is(token, VAL_MAP)) {
		int64_t seconds = int_of(token, "expirationSeconds", 3600);

		if (seconds < 600)
			refuse_int(c, SUB(p, "serviceAccountToken.expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
		if (seconds > (int64_t)1 << 32)
			refuse_int(c, SUB(p, "serviceAccountToken.expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds");
		if (need(c, token, all, "path"))
			must_be_unreserved(c, SUB(all, "path"), text_of(token, "path"));
	}
	if (nr > 1)
		refuse_forbidden(c, p, "may not specify more than 1 volume type per source");
}

static void check_projected(struct check *c, const struct val *v, const struct path *p)
{
	uint32_t i = 0;

	must_be_file_mode(c, v, p, "defaultMode");
	VAL_EACH(source, val_get(v, "sources")) {
		check_projected_source(c, source, p, ITEM(SUB(p, "sources"), i++));
		check_conflicts(c, &(struct projected_paths){ val_get(v, "sources"), source }, p);
	}
}

static void check_empty_dir(struct check *c, const struct val *v, const struct path *p)
{
	int64_t size;

	if (quantity_of(val_get(v, "sizeLimit"), &size) && size < 0)
		refuse_forbidden(c, SUB(p, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

static void check_disk(struct check *c, const struct val *v, const struct path *p)
{
	bool managed = strcmp(text_of(v, "kind"), "Managed") == 0;
	const char *uri = text_of(v, "diskURI");

	need(c, v, p, "diskName");
	need(c, v, p, "diskURI");
	need_one_of(c, v, p, "cachingMode", disk_caches);
	need_one_of(c, v, p, "kind", disk_kinds);
	if (managed && strncmp(uri, "/subscriptions/", 15) != 0)
		refuse_unsupported(c, SUB(p, "diskURI"), uri,
				   (const char *const[]){ "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}", NULL });
	if (!managed && strncmp(uri, "https://", 8) != 0)
		refuse_unsupported(c, SUB(p, "diskURI"), uri, (const char *const[]){ "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd", NULL });
}

static void check_csi(struct check *c, const struct val *v, const struct path *p)
{
	if (strlen(text_of(v, "driver")) > 63)
		refuse_long(c, SUB(p, "driver"), 63);
	if (need(c, v, p, "driver"))
		must_be_subdomain_caseless(c, SUB(p, "driver"), text_of(v, "driver"));
	if (has(v, "nodePublishSecretRef"))
		need(c, val_get(v, "nodePublishSecretRef"), SUB(p, "nodePublishSecretRef"), "name");
}

/* ValidateTemplateObjectMeta */
static void check_template_meta(struct check *c, const struct val *meta, const struct path *p)
{
	static const struct { const char *key, *said; } others[] = {
		{ "name", "name" }, { "generateName", "generateName" }, { "namespace", "namespace" }, { "selfLink", "selfLink" }, { "uid", "uID" }, { "resourceVersion", "resourceVersion" },
		{ "generation", "generation" }, { "creationTimestamp", "creationTimestamp" }, { "deletionTimestamp", "deletionTimestamp" },
		{ "deletionGracePeriodSeconds", "deletionGracePeriodSeconds" }, { "ownerReferences", "ownerReferences" }, { "finalizers", "finalizers" }, { "managedFields", "managedFields" },
	};

	must_be_annotations_val(c, SUB(p, "annotations"), val_get(meta, "annotations"));
	must_be_labels_val(c, SUB(p, "labels"), val_get(meta, "labels"));
	for (size_t k = 0; k < ARRAY_LEN(others); k++) {
		const struct val *m = val_get(meta, others[k].key);

		if (m && m->type != VAL_NULL && !(val_is(m, VAL_STRING) && !m->nr) && !(strcmp(others[k].key, "generation") == 0 && val_int_or(m, 0) == 0))
			refuse_forbidden(c, SUB(p, others[k].said), "cannot be set");
	}
}

static void check_ephemeral(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *t = val_get(v, "volumeClaimTemplate");

	if (!need(c, v, p, "volumeClaimTemplate"))
		return;
	check_template_meta(c, val_get(t, "metadata"), SUB(p, "volumeClaimTemplate.metadata"));
	claim_spec_check(c, val_get(t, "spec"), SUB(p, "volumeClaimTemplate.spec"));
}

static void check_image(struct check *c, const struct val *v, const struct path *p)
{
	need_one_of(c, v, p, "pullPolicy", pull_policies);
}

/* In upstream's order: the second of two sources is the one that is too much. */
static const struct source { const char *name; void (*check)(struct check *, const struct val *, const struct path *); const char *needs[3]; } sources[] = {
	{ "emptyDir", check_empty_dir, { NULL } }, { "hostPath", check_host_path, { NULL } }, { "gitRepo", check_git, { NULL } }, { "gcePersistentDisk", check_gce, { NULL } },
	{ "awsElasticBlockStore", check_aws, { NULL } }, { "secret", check_secret, { NULL } }, { "nfs", check_nfs, { NULL } }, { "iscsi", check_iscsi, { NULL } },
	{ "glusterfs", NULL, { "endpoints", "path", NULL } }, { "flocker", check_flocker, { NULL } }, { "persistentVolumeClaim", NULL, { "claimName", NULL } },
	{ "rbd", NULL, { "monitors", "image", NULL } }, { "cinder", NULL, { "volumeID", NULL } }, { "cephfs", NULL, { "monitors", NULL } },
	{ "quobyte", check_quobyte, { NULL } }, { "downwardAPI", check_downward, { NULL } }, { "fc", check_fc, { NULL } }, { "flexVolume", NULL, { "driver", NULL } },
	{ "configMap", check_config_map, { NULL } }, { "azureFile", NULL, { "secretName", "shareName", NULL } }, { "vsphereVolume", NULL, { "volumePath", NULL } },
	{ "photonPersistentDisk", NULL, { "pdID", NULL } }, { "portworxVolume", NULL, { "volumeID", NULL } }, { "azureDisk", check_disk, { NULL } },
	{ "storageos", NULL, { "volumeName", NULL } }, { "projected", check_projected, { NULL } }, { "scaleIO", NULL, { "gateway", "system", "volumeName" } }, { "csi", check_csi, { NULL } },
	{ "ephemeral", check_ephemeral, { NULL } }, { "image", check_image, { NULL } },
};

static void check_source(struct check *c, const struct val *v, const struct path *p)
{
	uint32_t nr = 0;

	for (size_t k = 0; k < ARRAY_LEN(sources); k++) {
		const struct source *s = &sources[k];
		const struct path *at = SUB(p, s->name);

		if (!has(v, s->name))
			continue;
		if (nr++ > 0) {
			refuse_forbidden(c, at, "may not specify more than 1 volume type");
			continue;
		}
		if (s->check)
			s->check(c, val_get(v, s->name), at);
		for (size_t n = 0; n < ARRAY_LEN(s->needs) && s->needs[n]; n++)
			need(c, val_get(v, s->name), at, s->needs[n]);
	}
}

/* The claim that a Pod's ephemeral volume makes is named after both: what it is called must be a name. */
static void check_claim_name(struct pod_rules *r, const char *volume, const struct path *p)
{
	const char *pod = text_of(r->meta, "name");
	struct sb name = { 0 }, prefix = { 0 };

	if (!*pod || !*volume)
		return;
	sb_printf(&name, "%s-%s", pod, volume);
	sb_printf(&prefix, "PVC name \"%s\": ", sb_text(&name));
	must_be_subdomain_part(r->c, p, volume, sb_text(&name), sb_text(&prefix));
	sb_free(&name);
	sb_free(&prefix);
}

/* Does an ephemeral volume of this Pod make a claim of that name? */
static bool makes_claim(const struct pod_rules *r, const char *claim)
{
	const char *pod = text_of(r->meta, "name");
	size_t n = strlen(pod);

	if (!n || strncmp(claim, pod, n) != 0 || claim[n] != '-')
		return false;
	VAL_EACH(v, val_get(r->spec, "volumes"))
		if (has(v, "ephemeral") && strcmp(text_of(v, "name"), claim + n + 1) == 0)
			return true;
	return false;
}

void check_volumes(struct pod_rules *r, const struct path *p)
{
	const struct val *list = val_get(r->spec, "volumes");
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i);
		const char *name = text_of(v, "name");
		uint32_t before = r->c->found, k = 0;

		check_source(r->c, v, at);
		if (has(val_get(v, "iscsi"), "initiatorName") && strlen(name) + 1 + strlen(text_of(val_get(v, "iscsi"), "targetPortal")) > 64)
			refuse_str(r->c, SUB(at, "name"), name, "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.");
		if (has(v, "ephemeral"))
			check_claim_name(r, name, SUB(at, "name"));
		if (need(r->c, v, at, "name"))
			must_be_label(r->c, SUB(at, "name"), name);
		VAL_EACH(other, list) {
			if (other == v)
				break;
			if (strcmp(text_of(other, "name"), name) == 0 && (k >= VOLUMES_JUDGED || r->good_volume[k])) {
				refuse_duplicate(r->c, SUB(at, "name"), name);
				break;
			}
			k++;
		}
		if (i < VOLUMES_JUDGED)
			r->good_volume[i] = r->c->found == before;
		if (makes_claim(r, text_of(val_get(v, "persistentVolumeClaim"), "claimName")))
			refuse_str(r->c, SUB(at, "persistentVolumeClaim.claimName"), text_of(val_get(v, "persistentVolumeClaim"), "claimName"),
				   "must not reference a PVC that gets created for an ephemeral volume");
		if (r->is_pod && has(v, "image"))
			need(r->c, val_get(v, "image"), SUB(at, "image"), "reference");
		i++;
	}
}
