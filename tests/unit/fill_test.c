/* What get -o yaml shows beyond what was applied: defaults and what admission writes. Rows after pkg/apis/{core,apps,batch,autoscaling,rbac}/v1/defaults_test.go. */
#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/cluster/apply.h"
#include "tests/unit/cell.h"

static const struct val *shown(struct cell *x, const struct kind *k, const char *name)
{
	struct object *o = cluster_find(x->c, k, k->namespaced ? "default" : NULL, name);

	return o ? object_render(x->c, o, x->a) : NULL;
}

static const char *json_at(struct cell *x, const struct val *v, const char *path)
{
	struct sb out = { 0 };
	const char *text = "";

	v = val_path(v, path);
	if (v) {
		val_print_json(v, &out, 0, true);
		text = arena_strdup(x->a, sb_text(&out));
	}
	sb_free(&out);
	return text;
}

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: "
#define SHOWS(x, kind, name, path, json) SAME_TEXT(json_at(x, shown(x, kind, name), path), json)

struct row { const struct kind *kind; const char *name, *path, *json /* "": it is not there */; };

/* What an object is shown as in a new cluster of these documents, and after its controllers have settled. */
static void all_shown(const char *docs, const struct row *rows, size_t nr)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, docs);
	cell_settle(&x);
	for (const struct row *r = rows; r < rows + nr; r++) {
		const struct val *v = shown(&x, r->kind, r->name);

		if (!v || !test_same_text(__FILE__, __LINE__, json_at(&x, v, r->path), r->json)) {
			fprintf(stderr, "  %s %s, %s\n", r->kind->name, r->name, v ? r->path : "which is not there");
			CU_FAIL("shown otherwise");
		}
	}
	cell_free(&x);
}

TEST(pods_are_shown_with_their_defaults)
{
	static const struct row rows[] = {
		{ &pod_kind, "p", "spec.containers.0.imagePullPolicy", "\"Always\"" },
		{ &pod_kind, "p", "spec.containers.1.imagePullPolicy", "\"IfNotPresent\"" },
		{ &pod_kind, "p", "spec.containers.2.imagePullPolicy", "\"IfNotPresent\"" },
		{ &pod_kind, "p", "spec.containers.0.env.0.valueFrom.fieldRef.apiVersion", "\"v1\"" },
		{ &pod_kind, "p", "spec.containers.0.livenessProbe.httpGet", "{\"path\":\"/\",\"port\":80,\"scheme\":\"HTTP\"}" },
		{ &pod_kind, "p", "spec.containers.0.resources.requests", "{\"cpu\":\"1\",\"memory\":\"1Mi\"}" },
		{ &pod_kind, "p", "spec.containers.0.terminationMessagePath", "\"/dev/termination-log\"" },
		{ &pod_kind, "p", "spec.containers.1.resources", "{}" },
		{ &pod_kind, "p", "spec.volumes.0.emptyDir", "{}" },
		{ &pod_kind, "p", "spec.volumes.1.secret.defaultMode", "420" },
		{ &pod_kind, "p", "spec.volumes.2.projected.sources.0.serviceAccountToken.expirationSeconds", "3607" },
		{ &pod_kind, "p", "spec.serviceAccountName", "\"old\"" },
		{ &pod_kind, "p", "spec.tolerations.1.key", "\"node.kubernetes.io/unreachable\"" },
		{ &pod_kind, "p", "spec.enableServiceLinks", "true" },
		{ &pod_kind, "p", "spec.priority", "0" },
		{ &pod_kind, "p", "spec.securityContext", "{}" },
	};

	all_shown(POD "{containers: [{name: c, image: nginx, env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.podIP}}}], livenessProbe: {httpGet: {port: 80}}, "
		  "resources: {limits: {cpu: 1}, requests: {memory: 1Mi}}}, {name: d, image: 'r:5000/x:1@sha256:aa'}, {name: e, image: 'x@sha256:aa'}], "
		  "serviceAccount: old, volumes: [{name: v}, {name: s, secret: {secretName: s}}]}\n",
		  rows, ARRAY_LEN(rows));
}

TEST(admission_leaves_alone_what_pods_say)
{
	static const struct row rows[] = {
		{ &pod_kind, "p", "spec.volumes", "" },
		{ &pod_kind, "p", "spec.containers.0.volumeMounts", "" },
		{ &pod_kind, "p", "spec.tolerations", "[{\"operator\":\"Exists\"}]" },
		{ &pod_kind, "p", "spec.preemptionPolicy", "\"Never\"" },
	};

	all_shown("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: polite}\nvalue: 0\npreemptionPolicy: Never\n---\n"
		  POD "{automountServiceAccountToken: false, priorityClassName: polite, preemptionPolicy: Never, tolerations: [{operator: Exists}], containers: [{name: c, image: nginx}]}\n",
		  rows, ARRAY_LEN(rows));
}

TEST(a_controllers_pod_is_shown_as_its_template_says)
{
	static const struct row rows[] = {
		{ &pod_kind, "db-0", "spec.containers.0.workingDir", "\"/w\"" },
		{ &pod_kind, "db-0", "spec.containers.0.envFrom.0.configMapRef.name", "\"m\"" },
		{ &pod_kind, "db-0", "spec.volumes.0.persistentVolumeClaim.claimName", "\"data-db-0\"" },
		{ &pod_kind, "db-0", "spec.volumes.1.nfs.server", "\"s\"" },
		{ &statefulset_kind, "db", "status.replicas", "1" },
		{ &statefulset_kind, "db", "spec.updateStrategy", "{\"rollingUpdate\":{\"partition\":0},\"type\":\"RollingUpdate\"}" },
		{ &statefulset_kind, "db", "spec.persistentVolumeClaimRetentionPolicy", "{\"whenDeleted\":\"Retain\",\"whenScaled\":\"Retain\"}" },
		{ &statefulset_kind, "db", "spec.volumeClaimTemplates.0.spec.volumeMode", "\"Filesystem\"" },
	};

	all_shown("apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: s, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}\nprovisioner: p\n---\n"
		  "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "
		  "{containers: [{name: c, image: 'x:1', workingDir: /w, envFrom: [{configMapRef: {name: m, optional: true}}]}], volumes: [{name: nf, nfs: {server: s, path: /}}]}}, "
		  "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}\n",
		  rows, ARRAY_LEN(rows));
}

TEST(other_kinds_are_shown_with_their_defaults)
{
	static const struct row rows[] = {
		{ &job_kind, "j", "spec.completionMode", "\"NonIndexed\"" },
		{ &job_kind, "j", "spec.manualSelector", "false" },
		{ &job_kind, "j", "metadata.labels", "{\"a\":\"b\"}" },
		{ &job_kind, "j", "spec.template.spec.enableServiceLinks", "" },
		{ &cron_job_kind, "j", "spec.suspend", "false" },
		{ &cron_job_kind, "j", "spec.jobTemplate.spec.backoffLimit", "" },
		{ &namespace_kind, "default", "spec", "{\"finalizers\":[\"kubernetes\"]}" },
		{ &service_kind, "s", "spec.ports.0.targetPort", "80" },
		{ &secret_kind, "s", "data", "{\"a\":\"Yg==\"}" },
		{ &secret_kind, "s", "stringData", "" },
		{ &limit_range_kind, "l", "spec.limits.0.default", "{\"cpu\":\"2\"}" },
		{ &limit_range_kind, "l", "spec.limits.0.defaultRequest", "{\"cpu\":\"2\",\"memory\":\"1Mi\"}" },
		{ &daemonset_kind, "d", "spec.updateStrategy.rollingUpdate", "{\"maxSurge\":0,\"maxUnavailable\":1}" },
		{ &hpa_kind, "h", "spec.behavior.scaleUp.selectPolicy", "\"Max\"" },
		{ &hpa_kind, "h", "spec.behavior.scaleDown.policies.0.type", "\"Percent\"" },
		{ &hpa_kind, "h", "spec.metrics.0.resource.target.averageUtilization", "80" },
		{ &role_binding_kind, "b", "roleRef.apiGroup", "\"rbac.authorization.k8s.io\"" },
		{ &role_binding_kind, "b", "subjects.0.apiGroup", "\"rbac.authorization.k8s.io\"" },
	};

	all_shown("apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}\n---\n"
		  "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec: {schedule: '* * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}}\n---\n"
		  "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n---\n"
		  "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n---\n"
		  "apiVersion: v1\nkind: LimitRange\nmetadata: {name: l}\nspec: {limits: [{type: Container, max: {cpu: 2}, min: {memory: 1Mi}}]}\n---\n"
		  "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}}\n---\n"
		  "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, behavior: {scaleUp: {}}}\n---\n"
		  "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b}\nroleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: u}]\n",
		  rows, ARRAY_LEN(rows));
}

/* Rows after apimachinery pkg/api/resource/quantity_test.go TestQuantityString, TestQuantityParseEmit. */
TEST(quantities_are_written_as_the_api_server_writes_them)
{
	static const struct { const char *said, *want; } rows[] = {
		{ "0.5", "500m" }, { "1000m", "1" }, { "1024Mi", "1Gi" }, { "1.5Gi", "1536Mi" }, { "0.5Gi", "512Mi" }, { "1Ki", "1Ki" }, { "1000", "1k" }, { "1024", "1024" },
		{ "1e3", "1e3" }, { "1E3", "1e3" }, { "100e2", "10e3" }, { "0", "0" }, { "0Gi", "0" }, { "1Mi", "1Mi" }, { "1048576", "1048576" }, { "1.1", "1100m" }, { "1e-9", "1e-9" },
		{ "512Ki", "512Ki" }, { "0.001Ki", "1024m" }, { "-1000m", "-1" }, { "1000000", "1M" }, { "1000k", "1M" }, { "no", "no" }, { "1.2345678901", "1234567891n" },
	};
	char out[64];

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		SAME_TEXT(quantity_canonical(rows[k].said, out), rows[k].want);
}

#define DEPLOYMENT "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {"

TEST(templates_have_no_host_ports_of_their_own)
{
	struct cell x = cell_new(1);
	struct object_list l;

	defaults_add(x.c);
	cell_apply(&x, DEPLOYMENT "hostNetwork: true, containers: [{name: c, image: x, ports: [{containerPort: 9100}]}]}}}\n");
	cell_settle(&x);
	SHOWS(&x, &deployment_kind, "d", "spec.template.spec.containers.0.ports.0.hostPort", "");
	l = cluster_list_ns(x.c, &pod_kind, "default");
	CU_ASSERT_FATAL(l.nr == 1);
	SHOWS(&x, &pod_kind, l.v[0]->name, "spec.containers.0.ports.0.hostPort", "9100");
	CU_ASSERT(strncmp(json_at(&x, object_render(x.c, l.v[0], x.a), "metadata.generateName"), "\"d-", 3) == 0);
	SHOWS(&x, &replicaset_kind, cluster_list_ns(x.c, &replicaset_kind, "default").v[0]->name, "status.fullyLabeledReplicas", "1");
	cell_free(&x);
}

/* apiserver/pkg/storage/names/generate.go */
TEST(a_generated_name_is_drawn_each_time)
{
	static const char doc[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: c-}\n";
	struct cell x = cell_new(1);
	struct object_list l;

	cell_apply(&x, doc);
	cell_apply(&x, doc);
	l = cluster_list_ns(x.c, &config_map_kind, "default");
	CU_ASSERT_FATAL(l.nr == 2);
	CU_ASSERT(strlen(l.v[0]->name) == 7 && strncmp(l.v[0]->name, "c-", 2) == 0 && strcmp(l.v[0]->name, l.v[1]->name) != 0);
	SHOWS(&x, &config_map_kind, l.v[0]->name, "metadata.generateName", "\"c-\"");
	cell_free(&x);
}

/* Who writes out a default says nothing new: no new generation, and no rollout. */
TEST(a_default_that_is_written_out_rolls_nothing_over)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, DEPLOYMENT "containers: [{name: c, image: x}]}}}\n");
	cell_settle(&x);
	cell_apply(&x, DEPLOYMENT "dnsPolicy: ClusterFirst, containers: [{name: c, image: x, imagePullPolicy: Always, terminationMessagePolicy: File}]}}}\n");
	cell_settle(&x);
	CU_ASSERT_EQUAL(cluster_list_ns(x.c, &replicaset_kind, "default").nr, 1);
	CU_ASSERT_EQUAL(cluster_find(x.c, &deployment_kind, "default", "d")->generation, 1);
	cell_free(&x);
}
