/* What a Pod refers to that is not there: volumes, environment, the keys of both. A kubelet would wait for it (pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, pkg/volume/{configmap,secret}). */
#include "model/api/kept.h"
#include "sim/diagnose/diagnose.h"

static const char *nearest_name(struct diagnosis *d, const struct kind *k, const char *ns, const char *name)
{
	struct object_list l = cluster_list_ns(d->world->cluster, k, ns);
	const char **names = arena_array(d->arena, const char *, l.nr + 1);

	for (uint32_t i = 0; i < l.nr; i++)
		names[i] = l.v[i]->name;
	return nearest(name, names);
}

static void missing(struct diagnosis *d, const struct pod *p, const struct kind *k, const char *name, const char *path)
{
	const char *near;
	struct finding *f;

	if (!name || cluster_find(d->world->cluster, k, p->o.ns, name))
		return;
	near = nearest_name(d, k, p->o.ns, name);
	f = finding(d, FINDING_WARNING, "reference-missing", "it needs the %s \"%s\", which is not in namespace %s: a kubelet would wait for it", k->name, name, p->o.ns);
	evidence(d, f, &p->o, path, name);
	remedy(d, f, near ? "perhaps \"%s\" was meant" : "apply it%.0s", near ? near : "");
}

/* The object is there, and has no such key. Objects whose contents are not known (a dump without Secrets' data) miss nothing. */
static void missing_key(struct diagnosis *d, const struct pod *p, const struct kind *k, const char *name, const char *key, const char *path)
{
	static const char *const members[] = { "data", "binaryData", "stringData" };
	const struct object *o = cluster_find(d->world->cluster, k, p->o.ns, name);
	const char *names[256] = { NULL }, *near;
	struct finding *f;
	size_t nr = 0;

	if (!o || !o->doc || !key)
		return;
	for (size_t m = 0; m < ARRAY_LEN(members); m++)
		VAL_EACH_KEY(v, val_get(o->doc, members[m])) {
			if (streq(v->key, key))
				return;
			if (nr + 1 < ARRAY_LEN(names))
				names[nr++] = v->key;
		}
	if (!nr && p->given)
		return;
	near = nearest(key, names);
	f = finding(d, FINDING_WARNING, "key-missing", "the %s \"%s\" has no key \"%s\": a kubelet would wait for it", k->name, name, key);
	evidence(d, f, &p->o, path, key);
	for (size_t i = 0; i < nr && i < 4; i++)
		evidence_text(d, f, o, "data", "%s", names[i]);
	remedy(d, f, near ? "perhaps \"%s\" was meant" : "add the key, or mark the reference optional%.0s", near ? near : "");
}

static void named(struct diagnosis *d, const struct pod *p, const struct kind *k, const struct val *ref, const char *path)
{
	const char *name = val_str_at(ref, "name");

	if (!ref || !name || val_bool_or(val_get(ref, "optional"), false))
		return;
	missing(d, p, k, name, arena_printf(d->arena, "%s.name", path));
	if (val_get(ref, "key"))
		missing_key(d, p, k, name, val_str_at(ref, "key"), arena_printf(d->arena, "%s.key", path));
}

/* The Pod's spec as it was written: environment from elsewhere is kept there, not decoded. */
static const struct val *written_spec(struct diagnosis *d, const struct pod *p)
{
	const struct object *source = written_by(d, &p->o);

	return !source->doc ? NULL : val_path(source->doc, source->kind == &pod_kind ? "spec" : source->kind == &cron_job_kind ? "spec.jobTemplate.spec.template.spec" : "spec.template.spec");
}

static void environment(struct diagnosis *d, const struct pod *p, const struct val *spec, const char *list)
{
	uint32_t c = 0;

	VAL_EACH(container, val_get(spec, list)) {
		uint32_t k = 0;

		VAL_EACH(v, val_get(container, "env")) {
			const char *path = arena_printf(d->arena, "spec.%s.%u.env.%u.valueFrom", list, c, k++);

			named(d, p, &config_map_kind, val_path(v, "valueFrom.configMapKeyRef"), arena_printf(d->arena, "%s.configMapKeyRef", path));
			named(d, p, &secret_kind, val_path(v, "valueFrom.secretKeyRef"), arena_printf(d->arena, "%s.secretKeyRef", path));
		}
		k = 0;
		VAL_EACH(v, val_get(container, "envFrom")) {
			const char *path = arena_printf(d->arena, "spec.%s.%u.envFrom.%u", list, c, k++);

			named(d, p, &config_map_kind, val_get(v, "configMapRef"), arena_printf(d->arena, "%s.configMapRef", path));
			named(d, p, &secret_kind, val_get(v, "secretRef"), arena_printf(d->arena, "%s.secretRef", path));
		}
		c++;
	}
}

/* items: keys that are made into files. */
static void items(struct diagnosis *d, const struct pod *p, const struct val *spec)
{
	static const struct { const char *member, *name; const struct kind *kind; } sources[] = { { "configMap", "name", &config_map_kind }, { "secret", "secretName", &secret_kind } };
	uint32_t k = 0;

	VAL_EACH(v, val_get(spec, "volumes")) {
		for (size_t s = 0; s < ARRAY_LEN(sources); s++) {
			const struct val *from = val_get(v, sources[s].member);
			uint32_t i = 0;

			if (!val_str_at(from, sources[s].name) || val_bool_or(val_get(from, "optional"), false))
				continue;
			VAL_EACH(item, val_get(from, "items"))
				missing_key(d, p, sources[s].kind, val_str_at(from, sources[s].name), val_str_at(item, "key"), arena_printf(d->arena, "spec.volumes.%u.%s.items.%u.key", k, sources[s].member, i++));
		}
		k++;
	}
}

/* plugin/pkg/admission/serviceaccount would refuse the Pod. Where nothing is told of the namespace's accounts, none is missed. */
static void account(struct diagnosis *d, const struct pod *p)
{
	const struct kind *k = kind_find("v1", "ServiceAccount");
	const char *name = p->spec->service_account;
	struct finding *f;

	if (!name || streq(name, "default") || p->given || !cluster_list_ns(d->world->cluster, k, p->o.ns).nr || cluster_find(d->world->cluster, k, p->o.ns, name))
		return;
	f = finding(d, FINDING_WARNING, "reference-missing", "its ServiceAccount \"%s\" is not in namespace %s: an API server would refuse it (error looking up service account)", name, p->o.ns);
	evidence(d, f, &p->o, "spec.serviceAccountName", name);
	remedy(d, f, nearest_name(d, k, p->o.ns, name) ? "perhaps \"%s\" was meant" : "apply it%.0s", nearest_name(d, k, p->o.ns, name) ? nearest_name(d, k, p->o.ns, name) : "");
}

void why_references(struct diagnosis *d, const struct pod *p)
{
	const struct val *spec = written_spec(d, p);

	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		const struct volume *v = &p->spec->volumes.v[k];

		if (v->config_map && !v->config_map_optional && !streq(v->config_map, "kube-root-ca.crt"))
			missing(d, p, &config_map_kind, v->config_map, arena_printf(d->arena, "spec.volumes.%u.configMap.name", k));
		if (v->secret && !v->secret_optional)
			missing(d, p, &secret_kind, v->secret, arena_printf(d->arena, "spec.volumes.%u.secret.secretName", k));
		if (v->claim && !diagnosis_has(d, "claim-missing"))     /* the scheduler said it already */
			missing(d, p, &pvc_kind, v->claim, arena_printf(d->arena, "spec.volumes.%u.persistentVolumeClaim.claimName", k));
	}
	account(d, p);
	items(d, p, spec);
	environment(d, p, spec, "initContainers");
	environment(d, p, spec, "containers");
}
