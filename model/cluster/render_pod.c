/* A Pod's spec as the API server shows it: the template that a controller made it of, and what admission writes into every Pod.
 * Sources: kubernetes plugin/pkg/admission/{serviceaccount,defaulttolerationseconds,priority}/admission.go. Nothing of it is stored: names follow from the uid. */
#include "model/api/fill.h"
#include "model/api/kept.h"
#include "model/cluster/priority.h"
#include "model/cluster/render.h"

#define TOKEN_PATH "/var/run/secrets/kubernetes.io/serviceaccount"

/* ---- what a controller made it of */

static const struct val *template_of_owner(struct cluster *c, const struct pod *p)
{
	const struct owner_ref *r = p->o.owners.nr ? &p->o.owners.v[0] : NULL;
	const struct kind *k = r ? kind_find(r->api ? r->api : "v1", r->kind ? r->kind : "") : NULL;
	const struct object *o = k && r->name ? cluster_find(c, k, p->o.ns, r->name) : NULL;
	const char *revision = label_get(&p->o.labels, "controller-revision-hash");

	if (!o || !streq(o->uid, r->uid))
		return NULL;
	if (k == &job_kind)
		return ((const struct job *)o)->template.doc;
	if (revision) {
		const struct object *kept = cluster_find(c, &controller_revision_kind, p->o.ns, revision);
		char name[300];

		snprintf(name, sizeof(name), "%s-%s", o->name, revision);
		kept = kept ? kept : cluster_find(c, &controller_revision_kind, p->o.ns, name);
		if (kept)
			return val_path(((const struct controller_revision *)kept)->data, "spec.template");
	}
	return k == &replicaset_kind || k == &statefulset_kind || k == &daemonset_kind || k == &replication_controller_kind ? ((const struct workload *)o)->template.doc : NULL;
}

struct val *render_from_template(struct cluster *c, struct arena *a, const struct pod *p)
{
	struct val *v = val_new(a, VAL_MAP);
	const struct val *spec = val_get(template_of_owner(c, p), "spec");

	if (spec)
		val_put(a, v, "spec", val_copy(a, spec));
	return v;
}

/* ---- admission */

static void add_toleration(struct arena *a, struct val *list, const char *key)
{
	struct val *t = val_add(a, list, val_new(a, VAL_MAP));

	val_put(a, t, "effect", val_string(a, "NoExecute"));
	val_put(a, t, "key", val_string(a, key));
	val_put(a, t, "operator", val_string(a, "Exists"));
	val_put(a, t, "tolerationSeconds", val_int(a, 300));
}

static bool tolerated(const struct val *list, const char *key)
{
	VAL_EACH(t, list) {
		const char *k = val_str_at(t, "key"), *effect = val_str_at(t, "effect");

		if ((!k || !*k || strcmp(k, key) == 0) && (!effect || !*effect || strcmp(effect, "NoExecute") == 0))
			return true;
	}
	return false;
}

static void put_tolerations(struct arena *a, struct val *spec)
{
	static const char *const keys[] = { "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable" };
	const struct val *list = val_get(spec, "tolerations");
	bool has[ARRAY_LEN(keys)];

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		has[k] = tolerated(list, keys[k]);
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (!has[k])
			add_toleration(a, val_get_or_put(a, spec, "tolerations", VAL_LIST), keys[k]);
}

static bool mounts_token(const struct val *container)
{
	VAL_EACH(m, val_get(container, "volumeMounts"))
		if (val_str_at(m, "mountPath") && strcmp(val_str_at(m, "mountPath"), TOKEN_PATH) == 0)
			return true;
	return false;
}

/* kube-api-access- and five letters that follow from the uid. */
static char *token_name(struct cluster *c, struct arena *a, const struct pod *p)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	char *name = arena_printf(a, "kube-api-access-xxxxx");

	for (size_t k = 0, n = strlen(name); k < 5; k++)
		name[n - 5 + k] = letters[draw_below(c, "token volume", p->o.uid, k, sizeof(letters) - 1)];
	return name;
}

static const char token_volume[] =
	"{\"name\": \"\", \"projected\": {\"defaultMode\": 420, \"sources\": [{\"serviceAccountToken\": {\"expirationSeconds\": 3607, \"path\": \"token\"}}, "
	"{\"configMap\": {\"items\": [{\"key\": \"ca.crt\", \"path\": \"ca.crt\"}], \"name\": \"kube-root-ca.crt\"}}, "
	"{\"downwardAPI\": {\"items\": [{\"fieldRef\": {\"apiVersion\": \"v1\", \"fieldPath\": \"metadata.namespace\"}, \"path\": \"namespace\"}]}}]}}";

static void put_token(struct cluster *c, struct arena *a, const struct pod *p, struct val *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	const char *name = token_name(c, a, p);
	struct val *volume;
	struct err none = { 0 };
	bool used = false;

	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		VAL_EACH_MUT(box, val_get_mut(spec, lists[k])) {
			struct val *m;

			if (mounts_token(box))
				continue;
			m = val_add(a, val_get_or_put(a, box, "volumeMounts", VAL_LIST), val_new(a, VAL_MAP));
			val_put(a, m, "mountPath", val_string(a, TOKEN_PATH));
			val_put(a, m, "name", val_string(a, name));
			val_put(a, m, "readOnly", val_bool(a, true));
			used = true;
		}
	if (!used)
		return;
	volume = json_parse(a, "", token_volume, strlen(token_volume), NULL, &none);
	err_free(&none);
	val_put(a, volume, "name", val_string(a, name));
	val_add(a, val_get_or_put(a, spec, "volumes", VAL_LIST), volume);
}

static void put_account(struct cluster *c, struct arena *a, const struct pod *p, struct val *spec)
{
	const char *name = val_str_at(spec, "serviceAccountName");
	const struct object *account;

	if (!name || !*name) {
		val_put(a, spec, "serviceAccountName", val_string(a, name = "default"));
		val_put(a, spec, "serviceAccount", val_string(a, name));
	}
	account = cluster_find(c, &service_account_kind, p->o.ns, name);
	if (!val_get(spec, "imagePullSecrets") && account && val_get(account->doc, "imagePullSecrets"))
		val_put(a, spec, "imagePullSecrets", val_copy(a, val_get(account->doc, "imagePullSecrets")));
	if (val_bool_or(val_get(spec, "automountServiceAccountToken"), account ? val_bool_or(val_get(account->doc, "automountServiceAccountToken"), true) : true))
		put_token(c, a, p, spec);
}

static const struct val *box_of(const struct val *spec, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers" };

	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		VAL_EACH(c, val_get(spec, lists[k]))
			if (val_str_at(c, "name") && strcmp(val_str_at(c, "name"), name) == 0)
				return c;
	return NULL;
}

void render_running(struct arena *a, struct val *statuses, const struct val *spec)
{
	VAL_EACH_MUT(s, statuses) {
		const struct val *box = val_path(s, "state.running") ? box_of(spec, val_str_at(s, "name") ? val_str_at(s, "name") : "") : NULL, *resources = val_get(box, "resources");
		struct val *mounts;

		if (!box)
			continue;
		if (val_first(val_get(resources, "requests")))
			val_put(a, s, "allocatedResources", val_copy(a, val_get(resources, "requests")));
		if (resources)
			val_put(a, s, "resources", val_copy(a, resources));
		if (!val_first(val_get(box, "volumeMounts")))
			continue;
		mounts = val_put(a, s, "volumeMounts", val_new(a, VAL_LIST));
		VAL_EACH(m, val_get(box, "volumeMounts")) {
			struct val *to = val_add(a, mounts, val_new(a, VAL_MAP));

			val_put(a, to, "mountPath", val_string(a, val_str_at(m, "mountPath") ? val_str_at(m, "mountPath") : ""));
			val_put(a, to, "name", val_string(a, val_str_at(m, "name") ? val_str_at(m, "name") : ""));
			if (!val_bool_or(val_get(m, "readOnly"), false))
				continue;
			val_put(a, to, "readOnly", val_bool(a, true));
			val_put(a, to, "recursiveReadOnly", val_string(a, val_str_at(m, "recursiveReadOnly") ? val_str_at(m, "recursiveReadOnly") : "Disabled"));
		}
	}
}

void render_admitted(struct cluster *c, struct arena *a, struct val *spec, const struct pod *p)
{
	pod_requests_fill(a, spec);
	if (label_get(&p->o.annotations, "kubernetes.io/config.mirror") || val_path(p->o.doc, "metadata.uid"))
		return;                         /* the kubelet's own, or a living cluster's: it has all that it has */
	if (!val_get(spec, "priority"))
		val_put(a, spec, "priority", val_int(a, pod_priority(c, p->spec)));
	if (!val_get(spec, "preemptionPolicy"))
		val_put(a, spec, "preemptionPolicy", val_string(a, pod_never_preempts(c, p->spec) ? "Never" : "PreemptLowerPriority"));
	put_tolerations(a, spec);
	put_account(c, a, p, spec);
}
