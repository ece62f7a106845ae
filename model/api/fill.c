#include "model/api/claim_source.h"
#include "model/api/fill.h"

#include "model/base/quantity.h"

void fill_absent(struct arena *a, struct val *map, const char *key, const char *json)
{
	struct err none = { 0 };
	struct val *v = val_is(map, VAL_MAP) && !val_get(map, key) ? json_parse(a, "", json, strlen(json), NULL, &none) : NULL;

	if (v)
		val_put_new(a, map, key, v);
	err_free(&none);
}

static void make_canonical(struct arena *a, struct val *v)
{
	char text[64];

	if (v->type != VAL_INT && v->type != VAL_FLOAT && v->type != VAL_STRING)
		return;
	v->s = arena_strdup(a, quantity_written(v, text));
	v->nr = (uint32_t)strlen(v->s);
	v->type = VAL_STRING;
	v->flags = 0;
}

/* Quantities are written as the API server writes them. */
static void fill_quantities(struct arena *a, const struct field *f, struct val *v)
{
	if (f->type == F_QUANTITY)
		make_canonical(a, v);
	VAL_EACH_MUT(m, f->type == F_AMOUNTS && val_is(v, VAL_MAP) ? v : NULL)
		make_canonical(a, m);
}

static void fill_inside(struct arena *a, const struct field *f, struct val *v)
{
	if (f->type == F_LIST || f->type == F_MAP) {
		VAL_EACH_MUT(m, v)
			fields_fill(a, f->sub, m);
	} else {
		fields_fill(a, f->sub, v);
	}
}

void fields_fill(struct arena *a, const struct field *t, struct val *map)
{
	if (!val_is(map, VAL_MAP))
		return;
	for (const struct field *f = t; f && f->name; f++) {
		struct val *v = val_get_mut(map, f->name);

		if (val_is(v, VAL_NULL)) {
			val_del(map, f->name);
			v = NULL;
		}
		if (!v && f->text)
			fill_absent(a, map, f->name, f->text);
		else if (v && f->sub)
			fill_inside(a, f, v);
		else if (v)
			fill_quantities(a, f, v);
	}
}

void kind_fill(const struct kind *k, struct arena *a, struct val *doc)
{
	for (const struct field *f = k->fields; f && f->name; f++) {
		struct val *v = val_get_mut(doc, f->name);

		if (strcmp(f->name, "status") == 0)
			continue;
		if (!v && f->text)
			fill_absent(a, doc, f->name, f->text);
		else if (v && f->sub)
			fill_inside(a, f, v);
	}
	if (k->fill)
		k->fill(a, doc);
}

/* ---- Pods */

/* Always where the image is :latest or says no tag and no digest (SetDefaults_Container, pkg/util/parsers). */
static const char *pull_policy(const char *image)
{
	const char *slash = strrchr(image, '/'), *at_sign = strchr(image, '@'), *colon = strchr(slash ? slash : image, ':');
	size_t n;

	if (!colon || (at_sign && colon > at_sign))
		return at_sign ? "\"IfNotPresent\"" : "\"Always\"";
	n = at_sign ? (size_t)(at_sign - colon) - 1 : strlen(colon + 1);
	return n == 6 && strncmp(colon + 1, "latest", n) == 0 ? "\"Always\"" : "\"IfNotPresent\"";
}

static void fill_pull_policy(struct arena *a, struct val *v, const char *image_key, const char *key)
{
	const char *image = val_str(val_get(v, image_key));

	if (image && *image)
		fill_absent(a, v, key, pull_policy(image));
}

static const char *const container_lists[] = { "initContainers", "containers", "ephemeralContainers" };

static bool has_source(const struct val *volume)
{
	VAL_EACH(m, volume)
		if (strcmp(m->key, "name") != 0 && m->type != VAL_NULL)
			return true;
	return false;
}

void pod_spec_fill(struct arena *a, struct val *spec)
{
	const struct val *account = val_get(spec, "serviceAccountName"), *old = val_get(spec, "serviceAccount");

	for (size_t k = 0; k < ARRAY_LEN(container_lists); k++)
		VAL_EACH_MUT(c, val_get_mut(spec, container_lists[k]))
			fill_pull_policy(a, c, "image", "imagePullPolicy");
	VAL_EACH_MUT(v, val_get_mut(spec, "volumes")) {
		if (!has_source(v))
			fill_absent(a, v, "emptyDir", "{}");
		fill_pull_policy(a, val_get_mut(v, "image"), "reference", "pullPolicy");
	}
	if (account || old) {
		val_put(a, spec, "serviceAccountName", val_copy(a, account ? account : old));
		val_put(a, spec, "serviceAccount", val_copy(a, account ? account : old));
	}
}

/* What has a limit asks for as much where it does not say (SetDefaults_Pod; not in templates). */
static void fill_requests(struct arena *a, struct val *resources)
{
	const struct val *limits = val_get(resources, "limits");
	struct val *requests;

	if (!limits || !limits->nr)
		return;
	requests = val_get_or_put(a, resources, "requests", VAL_MAP);
	VAL_EACH_KEY(m, limits)
		if (!val_get(requests, m->key))
			val_put(a, requests, m->key, val_copy(a, m));
}

void pod_requests_fill(struct arena *a, struct val *spec)
{
	for (size_t k = 0; k < 2; k++)
		VAL_EACH_MUT(c, val_get_mut(spec, container_lists[k]))
			fill_requests(a, val_get_mut(c, "resources"));
}

void pod_fill(struct arena *a, struct val *doc)
{
	struct val *spec = val_get_mut(doc, "spec");

	pod_spec_fill(a, spec);
	fill_absent(a, spec, "enableServiceLinks", "true");
}

/* ---- workloads */

void template_fill(struct arena *a, struct val *doc)
{
	struct val *spec = val_path_mut(doc, "spec.template.spec");

	pod_spec_fill(a, spec ? spec : val_path_mut(doc, "template.spec"));
}

void job_fill(struct arena *a, struct val *doc)
{
	struct val *spec = val_get_mut(doc, "spec");

	template_fill(a, doc);
	fill_absent(a, spec, "completionMode", "\"NonIndexed\"");
	fill_absent(a, spec, "suspend", "false");
	fill_absent(a, spec, "manualSelector", "false");
}

void cron_fill(struct arena *a, struct val *doc)
{
	pod_spec_fill(a, val_path_mut(doc, "spec.jobTemplate.spec.template.spec"));
	fill_absent(a, val_get_mut(doc, "spec"), "suspend", "false");
}

void stateful_set_fill(struct arena *a, struct val *doc)
{
	template_fill(a, doc);
	fill_absent(a, val_get_mut(doc, "spec"), "updateStrategy", "{}");
	if (!val_path(doc, "spec.updateStrategy.type"))         /* who says the type alone gets no more */
		fill_absent(a, val_path_mut(doc, "spec.updateStrategy"), "rollingUpdate", "{}");
	fill_absent(a, val_path_mut(doc, "spec.updateStrategy.rollingUpdate"), "partition", "0");
	if (val_path(doc, "spec.updateStrategy.rollingUpdate.maxUnavailable"))         /* MaxUnavailableStatefulSet is off: dropStatefulSetDisabledFields */
		val_del(val_path_mut(doc, "spec.updateStrategy.rollingUpdate"), "maxUnavailable");
	VAL_EACH_MUT(v, val_path_mut(doc, "spec.volumeClaimTemplates")) {
		fill_absent(a, v, "apiVersion", "\"v1\"");
		fill_absent(a, v, "kind", "\"PersistentVolumeClaim\"");
		fill_absent(a, v, "status", "{\"phase\": \"Pending\"}");
	}
}

/* ---- other kinds */

void service_fill(struct arena *a, struct val *doc)
{
	VAL_EACH_MUT(p, val_path_mut(doc, "spec.ports"))
		if (val_get(p, "port") && !val_get(p, "targetPort"))
			val_put(a, p, "targetPort", val_copy(a, val_get(p, "port")));
}

/* The namespace controller's, until all in it is gone (pkg/registry/core/namespace/strategy.go). */
void namespace_fill(struct arena *a, struct val *doc)
{
	fill_absent(a, doc, "spec", "{}");
	fill_absent(a, val_get_mut(doc, "spec"), "finalizers", "[\"kubernetes\"]");
}

/* It is written, never read: secret_default put it into data. */
void secret_fill(struct arena *a, struct val *doc)
{
	(void)a;
	val_del(doc, "stringData");
}

void claim_fill(struct arena *a, struct val *doc)
{
	struct val *spec = val_get_mut(doc, "spec");

	claim_drop_source(spec, NULL);
	claim_twin_source(a, spec);
	fill_absent(a, doc, "status", "{}");
	fill_absent(a, val_get_mut(doc, "status"), "phase", "\"Pending\"");
}

static void fill_scaling(struct arena *a, struct val *rules, bool up)
{
	static const char down[] = "[{\"type\": \"Percent\", \"value\": 100, \"periodSeconds\": 15}]";
	static const char both[] = "[{\"type\": \"Pods\", \"value\": 4, \"periodSeconds\": 15}, {\"type\": \"Percent\", \"value\": 100, \"periodSeconds\": 15}]";

	fill_absent(a, rules, "selectPolicy", "\"Max\"");
	fill_absent(a, rules, "policies", up ? both : down);
	if (up)
		fill_absent(a, rules, "stabilizationWindowSeconds", "0");
}

/* SetDefaults_HorizontalPodAutoscaler, GenerateHPAScaleUpRules, GenerateHPAScaleDownRules. */
void hpa_fill(struct arena *a, struct val *doc)
{
	struct val *spec = val_get_mut(doc, "spec"), *behavior = val_get_mut(spec, "behavior");

	const struct val *percent = val_get(spec, "targetCPUUtilizationPercentage");

	if (percent) {                          /* of autoscaling/v1, which is shown as v2: the API's preferred version */
		fill_absent(a, spec, "metrics", "[{\"type\": \"Resource\", \"resource\": {\"name\": \"cpu\", \"target\": {\"type\": \"Utilization\"}}}]");
		val_put(a, val_path_mut(spec, "metrics.0.resource.target"), "averageUtilization", val_copy(a, percent));
		val_del(spec, "targetCPUUtilizationPercentage");
	}
	val_put(a, doc, "apiVersion", val_string(a, "autoscaling/v2"));
	if (!val_get(spec, "metrics") || !val_get(spec, "metrics")->nr)
		val_del(spec, "metrics");
	fill_absent(a, spec, "metrics", "[{\"type\": \"Resource\", \"resource\": {\"name\": \"cpu\", \"target\": {\"type\": \"Utilization\", \"averageUtilization\": 80}}}]");
	if (!behavior)
		return;
	fill_absent(a, behavior, "scaleUp", "{}");
	fill_absent(a, behavior, "scaleDown", "{}");
	fill_scaling(a, val_get_mut(behavior, "scaleUp"), true);
	fill_scaling(a, val_get_mut(behavior, "scaleDown"), false);
}

/* SetDefaults_RoleBinding, SetDefaults_Subject */
void binding_fill(struct arena *a, struct val *doc)
{
	static const char group[] = "\"rbac.authorization.k8s.io\"";

	fill_absent(a, val_get_mut(doc, "roleRef"), "apiGroup", group);
	VAL_EACH_MUT(s, val_get_mut(doc, "subjects")) {
		const char *kind = val_str_at(s, "kind");

		if (kind && (strcmp(kind, "User") == 0 || strcmp(kind, "Group") == 0))
			fill_absent(a, s, "apiGroup", group);
	}
}

/* SetDefaults_LimitRangeItem: of containers a default is the most, a request the default, or else the least. */
void limit_range_fill(struct arena *a, struct val *doc)
{
	static const struct { const char *to, *from; } flows[] = { { "default", "max" }, { "defaultRequest", "default" }, { "defaultRequest", "min" } };

	VAL_EACH_MUT(item, val_path_mut(doc, "spec.limits")) {
		if (!val_str_at(item, "type") || strcmp(val_str_at(item, "type"), "Container") != 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(flows); k++)
			VAL_EACH_KEY(m, val_get(item, flows[k].from)) {
				fill_absent(a, item, flows[k].to, "{}");
				if (!val_get(val_get(item, flows[k].to), m->key))
					val_put(a, val_get_mut(item, flows[k].to), m->key, val_copy(a, m));
			}
	}
}
