/* describe: claims, volumes, storage classes. */
#include "model/api/kept.h"
#include "viz/report/columns.h"
#include "viz/report/describing.h"

/* k=v,k=v as labels.FormatLabels; <none>. */
static const char *pairs_in(struct describe *d, const struct val *map)
{
	struct sb out = { 0 };
	struct texts_found keys = describing_keys(d, map);
	const char *text;

	for (uint32_t k = 0; k < keys.nr; k++)
		sb_printf(&out, "%s%s=%s", k ? "," : "", keys.v[k], val_str(val_get(map, keys.v[k])) ? val_str(val_get(map, keys.v[k])) : "");
	text = arena_strdup(d->a, keys.nr ? sb_text(&out) : "<none>");
	sb_free(&out);
	return text;
}

static const char *modes_text(struct describe *d, const struct val *list)
{
	struct sb out = { 0 };
	const char *text;

	access_modes_print(list, &out);
	text = arena_strdup(d->a, out.len ? sb_text(&out) : "");
	sb_free(&out);
	return text;
}

static const char *finalizers(struct describe *d)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < d->o->finalizers.nr; k++)
		sb_printf(&out, "%s%s", k ? " " : "", d->o->finalizers.v[k]);
	text = arena_printf(d->a, "[%s]", out.len ? sb_text(&out) : "");
	sb_free(&out);
	return text;
}

static void say_users(struct describe *d)
{
	struct object_list l = cluster_list_ns(d->c, &pod_kind, d->o->ns);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		for (uint32_t v = 0; v < p->spec->volumes.nr; v++)
			if (streq(p->spec->volumes.v[v].claim, d->o->name)) {
				say(d, 0, "%s\t%s", nr++ ? "" : "Used By:", p->o.name);
				break;
			}
	}
	if (!nr)
		say(d, 0, "Used By:\t<none>");
}

void describe_claim(struct describe *d)
{
	const struct val *v = describing_doc(d);
	bool bound = *text_at(v, "spec.volumeName");

	describing_names(d);
	say(d, 0, "StorageClass:\t%s", text_at(v, "spec.storageClassName"));
	say(d, 0, "Status:\t%s", d->o->deleted != NEVER ? "Terminating" : text_at(v, "status.phase"));
	say(d, 0, "Volume:\t%s", text_at(v, "spec.volumeName"));
	describing_notes(d);
	say(d, 0, "Finalizers:\t%s", finalizers(d));
	say(d, 0, "Capacity:\t%s", bound ? text_at(v, "status.capacity.storage") : "");
	say(d, 0, "Access Modes:\t%s", bound ? modes_text(d, val_path(v, "status.accessModes")) : "");
	say(d, 0, "VolumeMode:\t%s", text_at(v, "spec.volumeMode"));
	say_users(d);
}

static void say_source(struct describe *d, const struct val *spec)
{
	static const struct { const char *key, *title, *fields[4][2]; } rows[] = {
		{ "hostPath", "HostPath (bare host directory volume)", { { "Path", "path" }, { "HostPathType", "type" } } },
		{ "nfs", "NFS (an NFS mount that lasts the lifetime of a pod)", { { "Server", "server" }, { "Path", "path" }, { "ReadOnly", "readOnly" } } },
		{ "local", "LocalVolume (a persistent volume backed by local storage on a node)", { { "Path", "path" } } },
		{ "csi", "CSI (a Container Storage Interface (CSI) volume source)",
		  { { "Driver", "driver" }, { "FSType", "fsType" }, { "VolumeHandle", "volumeHandle" }, { "ReadOnly", "readOnly" } } },
	};

	say(d, 0, "Source:");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const struct val *s = val_get(spec, rows[k].key);

		if (!s)
			continue;
		say(d, 2, "Type:\t%s", rows[k].title);
		for (size_t f = 0; f < 4 && rows[k].fields[f][0]; f++) {
			const struct val *m = val_get(s, rows[k].fields[f][1]);

			if (strcmp(rows[k].fields[f][1], "readOnly") == 0)
				say(d, 2, "%s:\t%s", rows[k].fields[f][0], val_bool_or(m, false) ? "true" : "false");
			else
				say(d, 2, "%s:\t%s", rows[k].fields[f][0], val_str(m) ? val_str(m) : "");
		}
		return;
	}
	say(d, 1, "<unknown>");
}

void describe_volume(struct describe *d)
{
	const struct val *v = describing_doc(d), *claim = val_path(v, "spec.claimRef");

	describing_names(d);
	describing_notes(d);
	say(d, 0, "Finalizers:\t%s", finalizers(d));
	say(d, 0, "StorageClass:\t%s", text_at(v, "spec.storageClassName"));
	say(d, 0, "Status:\t%s", d->o->deleted != NEVER ? "Terminating" : *text_at(v, "status.phase") ? text_at(v, "status.phase") : "Available");
	say(d, 0, "Claim:\t%s%s%s", text_at(claim, "namespace"), claim ? "/" : "", text_at(claim, "name"));
	say(d, 0, "Reclaim Policy:\t%s", text_at(v, "spec.persistentVolumeReclaimPolicy"));
	say(d, 0, "Access Modes:\t%s", modes_text(d, val_path(v, "spec.accessModes")));
	say(d, 0, "VolumeMode:\t%s", text_at(v, "spec.volumeMode"));
	say(d, 0, "Capacity:\t%s", text_at(v, "spec.capacity.storage"));
	if (!val_path(v, "spec.nodeAffinity.required"))
		say(d, 0, "Node Affinity:\t<none>");
	else
		say(d, 0, "Node Affinity:\t");
	if (val_path(v, "spec.nodeAffinity.required")) {
		uint32_t nr = 0;

		say(d, 1, "Required Terms:\t");
		VAL_EACH(term, val_path(v, "spec.nodeAffinity.required.nodeSelectorTerms")) {
			uint32_t i = 0;

			VAL_EACH(e, val_get(term, "matchExpressions")) {
				const char *op = text_at(e, "operator"), *words = strcmp(op, "In") == 0 ? "in" : strcmp(op, "NotIn") == 0 ? "not in" : op;
				const struct val *values = val_get(e, "values");
				struct sb all = { 0 };

				VAL_EACH(x, values)
					sb_printf(&all, "%s%s", all.len ? ", " : "", val_str(x) ? val_str(x) : "");
				say(d, 2, "%s\t%s %s%s%s%s", i++ ? "" : arena_printf(d->a, "Term %u:", nr), text_at(e, "key"), words, values ? " [" : "", sb_text(&all), values ? "]" : "");
				sb_free(&all);
			}
			nr++;
		}
	}
	say(d, 0, "Message:\t%s", text_at(v, "status.message"));
	say_source(d, val_get(v, "spec"));
}

void describe_storage_class(struct describe *d)
{
	const struct val *v = describing_doc(d), *expands = val_get(v, "allowVolumeExpansion");
	const char *is_default = label_get(&d->o->annotations, "storageclass.kubernetes.io/is-default-class");

	describing_names(d);
	say(d, 0, "IsDefaultClass:\t%s", is_default && strcmp(is_default, "true") == 0 ? "Yes" : "No");
	say(d, 0, "Annotations:\t%s", pairs_text(d, &d->o->annotations));
	say(d, 0, "Provisioner:\t%s", text_at(v, "provisioner"));
	say(d, 0, "Parameters:\t%s", pairs_in(d, val_get(v, "parameters")));
	say(d, 0, "AllowVolumeExpansion:\t%s", !expands ? "<unset>" : val_bool_or(expands, false) ? "True" : "False");
	if (!val_first(val_get(v, "mountOptions")))
		say(d, 0, "MountOptions:\t<none>");
	else
		say(d, 0, "MountOptions:");
	VAL_EACH(m, val_get(v, "mountOptions"))
		say(d, 1, "%s", val_str(m) ? val_str(m) : "");
	say(d, 0, "ReclaimPolicy:\t%s", text_at(v, "reclaimPolicy"));
	say(d, 0, "VolumeBindingMode:\t%s", text_at(v, "volumeBindingMode"));
}
