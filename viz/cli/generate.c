#include "viz/cli/making.h"

#include <stdlib.h>

#include "model/api/kept.h"

/* ---- pieces of documents */

void making_put(struct making *m, struct val *map, const char *key, const char *text)
{
	val_put(m->a, map, key, val_string(m->a, text));
}

struct val *making_map(struct making *m, struct val *map, const char *key)
{
	return val_put(m->a, map, key, val_new(m->a, VAL_MAP));
}

struct val *making_list(struct making *m, struct val *map, const char *key)
{
	return val_put(m->a, map, key, val_new(m->a, VAL_LIST));
}

struct val *making_item(struct making *m, struct val *list)
{
	return val_add(m->a, list, val_new(m->a, VAL_MAP));
}

struct val *making_begin(struct making *m, const char *api, const char *kind, bool namespaced, bool with_spec)
{
	struct val *meta;

	m->root = val_new(m->a, VAL_MAP);
	making_put(m, m->root, "apiVersion", api);
	making_put(m, m->root, "kind", kind);
	meta = making_map(m, m->root, "metadata");
	making_put(m, meta, "name", m->name);
	if (namespaced && m->cli->ns)
		making_put(m, meta, "namespace", m->cli->ns);
	return with_spec ? making_map(m, m->root, "spec") : m->root;
}

struct val *making_meta(struct making *m)
{
	return val_get_mut(m->root, "metadata");
}

static bool digits(const char *text) { return *text && strspn(text, "0123456789") == strlen(text); }

bool making_number(struct making *m, const char *option, const char *text, long lo, long hi, long *out)
{
	*out = strtol(text, NULL, 10);
	return (digits(text + (lo < 0 && *text == '-')) && *out >= lo && *out <= hi) || err_add(m->err, ERR_INPUT, NULL, "--%s: \"%s\" is not a number from %ld to %ld", option, text, lo, hi);
}

struct val *making_port(struct making *m, const char *text)
{
	return digits(text) && strlen(text) < 10 ? val_int(m->a, strtol(text, NULL, 10)) : val_string(m->a, text);
}

bool making_pairs(struct making *m, struct val *map, const char *option, const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ","), key = strcspn(p, "=");

		if (!key || key >= n)
			return err_add(m->err, ERR_INPUT, NULL, "--%s: \"%.*s\" is not KEY=VALUE", option, (int)n, p);
		val_put(m->a, map, arena_strndup(m->a, p, key), val_string(m->a, arena_strndup(m->a, p + key + 1, n - key - 1)));
		p += n + (p[n] == ',');
	}
	return true;
}

/* ---- containers */

/* What an image is called without registry, tag and digest; _ and . may stand in no container's name. */
static const char *image_name(struct making *m, const char *image)
{
	const char *slash = strrchr(image, '/'), *base = slash ? slash + 1 : image;
	char *name = arena_strndup(m->a, base, strcspn(base, ":@"));

	for (char *p = name; *p; p++)
		*p = (char)(*p == '_' || *p == '.' ? '-' : *p);
	return name;
}

static void words_in(struct making *m, struct val *container, const char *key)
{
	struct val *list = m->cli->rest.nr ? making_list(m, container, key) : NULL;

	for (uint32_t k = 0; k < m->cli->rest.nr; k++)
		val_add(m->a, list, val_string(m->a, m->cli->rest.v[k]));
}

/* The containers of --image, --port and what stands behind --. name: of a single one; NULL: as its image. */
static bool containers(struct making *m, struct val *spec, const char *name, const char *words)
{
	struct val *list = making_list(m, spec, "containers");
	const struct texts *images = &m->cli->images;
	long port;

	if (!images->nr)
		return err_add(m->err, ERR_INPUT, NULL, "--image is missing: what does the container run?");
	if ((name || m->cli->rest.nr) && images->nr > 1)
		return err_add(m->err, ERR_INPUT, NULL, "--image: one only, where %s", name ? "there is one container" : "a command is given");
	for (uint32_t k = 0; k < images->nr; k++) {
		struct val *c = making_item(m, list);

		making_put(m, c, "image", images->v[k]);
		making_put(m, c, "name", name ? name : image_name(m, images->v[k]));
		words_in(m, c, words);
		if (!k && m->cli->port) {
			if (!making_number(m, "port", m->cli->port, 1, 65535, &port))
				return false;
			val_put(m->a, making_item(m, making_list(m, c, "ports")), "containerPort", val_int(m->a, port));
		}
	}
	return true;
}

static bool make_deployment(struct making *m)
{
	struct val *spec = making_begin(m, "apps/v1", "Deployment", true, true), *template;
	long replicas = 1;

	making_put(m, making_map(m, making_meta(m), "labels"), "app", m->name);
	if (m->cli->replicas && !making_number(m, "replicas", m->cli->replicas, 0, INT32_MAX, &replicas))
		return false;
	val_put(m->a, spec, "replicas", val_int(m->a, replicas));
	making_put(m, making_map(m, making_map(m, spec, "selector"), "matchLabels"), "app", m->name);
	template = making_map(m, spec, "template");
	making_put(m, making_map(m, making_map(m, template, "metadata"), "labels"), "app", m->name);
	return containers(m, making_map(m, template, "spec"), NULL, "command");
}

static bool job_template(struct making *m, struct val *spec, const char *restart)
{
	struct val *pod = making_map(m, making_map(m, spec, "template"), "spec");

	making_put(m, pod, "restartPolicy", m->cli->restart ? m->cli->restart : restart);
	return containers(m, pod, m->name, "command");
}

static bool make_job(struct making *m)
{
	return job_template(m, making_begin(m, "batch/v1", "Job", true, true), "Never");
}

static bool make_cron_job(struct making *m)
{
	struct val *spec = making_begin(m, "batch/v1", "CronJob", true, true), *template;

	if (!m->cli->schedule)
		return err_add(m->err, ERR_INPUT, NULL, "--schedule is missing, as '*/5 * * * *'");
	making_put(m, spec, "schedule", m->cli->schedule);
	template = making_map(m, spec, "jobTemplate");
	making_put(m, making_map(m, template, "metadata"), "name", m->name);
	return job_template(m, making_map(m, template, "spec"), "OnFailure");
}

struct val *generate_pod(struct cli *cli, const char *name, struct err *err)
{
	struct making m = { .cli = cli, .a = cli->arena, .name = name, .err = err };
	struct val *spec = making_begin(&m, "v1", "Pod", true, true), *labels = making_map(&m, making_meta(&m), "labels"), *env, *c;

	making_put(&m, spec, "dnsPolicy", "ClusterFirst");
	making_put(&m, spec, "restartPolicy", cli->restart ? cli->restart : "Always");
	if (!containers(&m, spec, name, cli->command_words ? "command" : "args"))
		return NULL;
	if (!cli->labels)
		making_put(&m, labels, "run", name);
	else if (!making_pairs(&m, labels, "labels", cli->labels))
		return NULL;
	c = val_get(spec, "containers")->first;
	env = cli->env.nr ? making_list(&m, c, "env") : NULL;
	for (uint32_t k = 0; k < cli->env.nr; k++) {
		const char *eq = strchr(cli->env.v[k], '=');
		struct val *e = making_item(&m, env);

		if (!eq || eq == cli->env.v[k])
			return err_add(err, ERR_INPUT, NULL, "--env: \"%s\" is not NAME=VALUE", cli->env.v[k]), NULL;
		making_put(&m, e, "name", arena_strndup(m.a, cli->env.v[k], (size_t)(eq - cli->env.v[k])));
		making_put(&m, e, "value", eq + 1);
	}
	return m.root;
}

/* ---- autoscale */

struct val *generate_scaler(struct cli *cli, const struct object *o, const struct val *doc, struct err *err)
{
	struct making m = { .cli = cli, .a = cli->arena, .name = cli->name ? cli->name : o->name, .err = err };
	struct val *spec = making_begin(&m, "autoscaling/v2", "HorizontalPodAutoscaler", true, true), *target = making_map(&m, spec, "scaleTargetRef"), *metric, *cpu;
	long min = 0, max = 0, percent;

	if (!kind_scales(o->kind))
		return err_add(err, ERR_INPUT, NULL, "cannot autoscale a %s: only a Deployment, ReplicaSet, StatefulSet or ReplicationController", o->kind->name), NULL;
	if (!cli->max)
		return err_add(err, ERR_INPUT, NULL, "--max is missing: how many Pods at most?"), NULL;
	if (!making_number(&m, "max", cli->max, 1, INT32_MAX, &max) || (cli->min && !making_number(&m, "min", cli->min, 1, max, &min)))
		return NULL;
	making_put(&m, target, "apiVersion", val_str_at(doc, "apiVersion"));
	making_put(&m, target, "kind", o->kind->name);
	making_put(&m, target, "name", o->name);
	if (min)
		val_put(m.a, spec, "minReplicas", val_int(m.a, min));
	val_put(m.a, spec, "maxReplicas", val_int(m.a, max));
	if (!cli->cpu_percent)
		return m.root;
	if (!making_number(&m, "cpu-percent", cli->cpu_percent, 1, 1000, &percent))
		return NULL;
	metric = making_item(&m, making_list(&m, spec, "metrics"));
	making_put(&m, metric, "type", "Resource");
	cpu = making_map(&m, metric, "resource");
	making_put(&m, cpu, "name", "cpu");
	target = making_map(&m, cpu, "target");
	making_put(&m, target, "type", "Utilization");
	val_put(m.a, target, "averageUtilization", val_int(m.a, percent));
	return m.root;
}

/* ---- create job --from */

struct val *generate_job(struct cli *cli, const struct object *o, const struct val *doc, struct err *err)
{
	struct making m = { .cli = cli, .a = cli->arena, .name = cli->name, .err = err };
	const struct val *template = val_path(doc, "spec.jobTemplate"), *labels = val_path(template, "metadata.labels"), *notes = val_path(template, "metadata.annotations");
	struct val *root, *meta, *map, *owner;

	if (o->kind != &cron_job_kind)
		return err_add(err, ERR_INPUT, NULL, "from must be an existing cronjob, and %s \"%s\" is none", o->kind->name, o->name), NULL;
	root = making_begin(&m, "batch/v1", "Job", true, false);
	meta = making_meta(&m);
	making_put(&m, meta, "namespace", o->ns);
	if (val_first(labels))
		val_put(m.a, meta, "labels", val_copy(m.a, labels));
	map = making_map(&m, meta, "annotations");
	making_put(&m, map, "cronjob.kubernetes.io/instantiate", "manual");
	VAL_EACH_KEY(v, notes)
		val_put(m.a, map, v->key, val_copy(m.a, v));
	owner = making_item(&m, making_list(&m, meta, "ownerReferences"));
	making_put(&m, owner, "apiVersion", "batch/v1");
	val_put(m.a, owner, "controller", val_bool(m.a, true));
	making_put(&m, owner, "kind", "CronJob");
	making_put(&m, owner, "name", o->name);
	making_put(&m, owner, "uid", o->uid);
	val_put(m.a, root, "spec", val_copy(m.a, val_get(template, "spec")));
	return root;
}

/* ---- what kubectl's encoder writes of members without values */

static void empty(struct arena *a, struct val *map, const char *key)
{
	if (map && !val_get(map, key))
		val_put(a, map, key, val_new(a, VAL_MAP));
}

struct val *generate_empties(struct cli *cli, const struct val *made)
{
	static const struct { const char *kind, *pod /* path of the Pod's spec */, *status /* JSON */; } rows[] = {
		{ "Deployment", "spec.template.spec", "{}" }, { "Pod", "spec", "{}" }, { "Job", "spec.template.spec", "{}" },
		{ "CronJob", "spec.jobTemplate.spec.template.spec", "{}" }, { "Service", NULL, "{loadBalancer: {}}" }, { "Ingress", NULL, "{loadBalancer: {}}" },
		{ "Namespace", NULL, "{}" }, { "ResourceQuota", NULL, "{}" }, { "HorizontalPodAutoscaler", NULL, "{currentMetrics: null, desiredReplicas: 0}" },
		{ "PodDisruptionBudget", NULL, "{currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0}" },
	};
	struct arena *a = cli->arena;
	struct val *root = val_copy(a, made);
	const char *kind = val_str_at(root, "kind");
	struct err none = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct val *pod = rows[k].pod && streq(kind, rows[k].kind) ? val_path_mut(root, rows[k].pod) : NULL;

		if (!streq(kind, rows[k].kind))
			continue;
		VAL_EACH_MUT(c, val_get_mut(pod, "containers"))
			empty(a, c, "resources");
		val_put(a, root, "status", yaml_parse(a, "status", rows[k].status, strlen(rows[k].status), NULL, &none));
	}
	if (streq(kind, "Deployment"))
		empty(a, val_get_mut(root, "spec"), "strategy");
	if (streq(kind, "Namespace"))
		empty(a, root, "spec");
	err_free(&none);
	return root;
}

/* ---- kinds with few words */

static bool make_namespace(struct making *m)
{
	return making_begin(m, "v1", "Namespace", false, false) != NULL;
}

static bool make_account(struct making *m)
{
	return making_begin(m, "v1", "ServiceAccount", true, false) != NULL;
}

static bool make_budget(struct making *m)
{
	struct val *spec = making_begin(m, "policy/v1", "PodDisruptionBudget", true, true);

	if (!m->cli->selector || !m->cli->min_available == !m->cli->max_unavailable)
		return err_add(m->err, ERR_INPUT, NULL, "create poddisruptionbudget needs --selector, and one of --min-available and --max-unavailable");
	if (m->cli->min_available)
		val_put(m->a, spec, "minAvailable", making_port(m, m->cli->min_available));
	else
		val_put(m->a, spec, "maxUnavailable", making_port(m, m->cli->max_unavailable));
	return making_pairs(m, making_map(m, making_map(m, spec, "selector"), "matchLabels"), "selector", m->cli->selector);
}

/* ---- create */

#define TAKES(...) (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL }
static const struct { const struct kind *kind; const char *const *takes; bool typed; bool (*make)(struct making *); } made[] = {
	{ &deployment_kind, TAKES("image", "port", "replicas"), false, make_deployment },
	{ &service_kind, TAKES("tcp", "clusterip", "node-port", "external-name"), true, make_service },
	{ &ingress_kind, TAKES("rule", "class", "default-backend", "annotation"), false, make_ingress },
	{ &namespace_kind, TAKES(), false, make_namespace },
	{ &config_map_kind, TAKES("from-literal", "from-file", "from-env-file"), false, make_config_map },
	{ &secret_kind, TAKES("from-literal", "from-file", "from-env-file", "cert", "key", "docker-server", "docker-username", "docker-password", "docker-email"), true, make_secret },
	{ &service_account_kind, TAKES(), false, make_account },
	{ &job_kind, TAKES("image"), false, make_job },
	{ &cron_job_kind, TAKES("image", "schedule", "restart"), false, make_cron_job },
	{ &pdb_kind, TAKES("selector", "min-available", "max-unavailable"), false, make_budget },
	{ &quota_kind, TAKES("hard", "scopes"), false, make_quota },
	{ &priority_class_kind, TAKES("value", "global-default", "preemption-policy", "description"), false, make_priority_class },
	{ &role_kind, TAKES("verb", "resource", "resource-name"), false, make_role },
	{ &cluster_role_kind, TAKES("verb", "resource", "resource-name", "non-resource-url"), false, make_cluster_role },
	{ &role_binding_kind, TAKES("role", "clusterrole", "user", "group", "serviceaccount"), false, make_role_binding },
	{ &cluster_role_binding_kind, TAKES("clusterrole", "user", "group", "serviceaccount"), false, make_cluster_role_binding },
};

struct val *generate_object(struct cli *cli, struct err *err)
{
	struct making m = { .cli = cli, .a = cli->arena, .err = err };
	const char *word = cli->args.nr ? cli->args.v[0] : "";
	const struct kind *kind = kind_by_word(strcmp(word, "quota") == 0 ? "resourcequota" : word);

	for (size_t k = 0; k < ARRAY_LEN(made); k++) {
		if (made[k].kind != kind)
			continue;
		if (cli->args.nr != 2u + made[k].typed)
			return cli_usage(cli, err, made[k].typed ? "create %s needs a type and a name" : "create %s needs one name", word), NULL;
		m.type = made[k].typed ? cli->args.v[1] : NULL;
		m.name = cli->args.v[1 + made[k].typed];
		return options_only(cli, G_CREATE, made[k].takes, word, err) && made[k].make(&m) ? m.root : NULL;
	}
	return cli_usage(cli, err, "create makes no \"%s\"; apply -f FILE takes any kind", word), NULL;
}
