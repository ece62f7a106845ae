/* Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job, CronJob. Sources: kubernetes staging/src/k8s.io/api/{apps,batch}/v1/types.go,
 * defaults: pkg/apis/{apps,batch}/v1/defaults.go. */
#include "model/base/quantity.h"
#include "model/api/checks.h"
#include "model/api/fill.h"
#include "model/api/shape.h"

void pod_spec_default(struct pod_spec *, struct strtab *);

static const struct field template_meta_fields[] = {
	ROW(F_PAIRS, "labels", struct pod_template, labels), ROW(F_PAIRS, "annotations", struct pod_template, annotations), KEPT(F_STR, "name"), KEPT(F_STR, "namespace"),
	KEPT(F_TIME, "creationTimestamp"), KEPT(F_TIME, "deletionTimestamp"), KEPT(F_STR, "generateName"), KEPT(F_STRS, "finalizers"), KEPT(F_STR, "uid"), KEPT(F_STR, "selfLink"),
	KEPT(F_STR, "resourceVersion"), KEPT(F_I64, "generation"), KEPT(F_I64, "deletionGracePeriodSeconds"), ROW_KEEP("ownerReferences"), ROW_KEEP("managedFields"),
	FIELD_END
};
const struct field pod_template_fields[] = {
	ROW_HERE("metadata", template_meta_fields), ROW_PTR("spec", struct pod_template, spec, struct pod_spec, pod_spec_fields), FIELD_END
};
static const struct field rolling_fields[] = {
	ROW(F_INT_OR_STR, "maxSurge", struct workload, max_surge), ROW(F_INT_OR_STR, "maxUnavailable", struct workload, max_unavailable),
	ROW(F_INT, "partition", struct workload, partition),
	FIELD_END
};
static const struct field strategy_fields[] = { ROW(F_STR, "type", struct workload, strategy), ROW_HERE("rollingUpdate", rolling_fields), FIELD_END };
static const struct field ordinal_fields[] = { ROW(F_INT, "start", struct workload, ordinal_start), FIELD_END };

#define SPEC                                                                                                                               \
	ROW_DFLT(F_INT, "replicas", struct workload, replicas, 1), ROW_STRUCT("selector", struct workload, selector, selector_fields),     \
	ROW_STRUCT("template", struct workload, template, pod_template_fields), ROW(F_INT, "minReadySeconds", struct workload, min_ready_seconds)

static const struct field deployment_spec_fields[] = {
	SPEC, ROW_HERE("strategy", strategy_fields), ROW(F_BOOL, "paused", struct workload, paused), ROW_DFLT(F_INT, "revisionHistoryLimit", struct workload, history_limit, 10),
	ROW_DFLT(F_INT, "progressDeadlineSeconds", struct workload, progress_deadline, 600),
	FIELD_END
};
static const struct field replicaset_spec_fields[] = { SPEC, FIELD_END };
static const struct field claim_template[] = {
	ROW_KEEP("apiVersion"), ROW_KEEP("kind"), KEPT_SUB("metadata", meta_fields), KEPT_SUB("spec", PersistentVolumeClaimSpec), KEPT_SUB("status", PersistentVolumeClaimStatus),
	FIELD_END
};
static const struct field statefulset_spec_fields[] = {
	SPEC, ROW_HERE("updateStrategy", strategy_fields), ROW(F_STR, "serviceName", struct workload, service_name), ROW(F_STR, "podManagementPolicy", struct workload, pod_management),
	ROW_DFLT(F_INT, "revisionHistoryLimit", struct workload, history_limit, 10), ROW_HERE("ordinals", ordinal_fields), KEPT_LIST("volumeClaimTemplates", claim_template),
	{ .name = "persistentVolumeClaimRetentionPolicy", .type = F_STRUCT, .flags = FIELD_KEPT, .sub = StatefulSetPersistentVolumeClaimRetentionPolicy,
	  .text = "{\"whenDeleted\": \"Retain\", \"whenScaled\": \"Retain\"}" },
	FIELD_END
};
static const struct field daemonset_spec_fields[] = {
	ROW_STRUCT("selector", struct workload, selector, selector_fields), ROW_STRUCT("template", struct workload, template, pod_template_fields),
	ROW(F_INT, "minReadySeconds", struct workload, min_ready_seconds), ROW_HERE("updateStrategy", strategy_fields),
	ROW_DFLT(F_INT, "revisionHistoryLimit", struct workload, history_limit, 10), KEPT(F_I64, "templateGeneration"),
	FIELD_END
};
static const struct field revision_fields[] = {
	ROW_TOP, ROW(F_I64, "revision", struct controller_revision, revision), ROW(F_RAW, "data", struct controller_revision, data), FIELD_END
};
static const struct field rc_spec_fields[] = {
	ROW_DFLT(F_INT, "replicas", struct workload, replicas, 1), ROW(F_PAIRS, "selector", struct workload, selector.labels),
	ROW_STRUCT("template", struct workload, template, pod_template_fields), ROW(F_INT, "minReadySeconds", struct workload, min_ready_seconds),
	FIELD_END
};
static const struct field status_fields[] = {
	ROW(F_INT, "replicas", struct workload, st_replicas), ROW(F_INT, "readyReplicas", struct workload, st_ready), ROW(F_INT, "updatedReplicas", struct workload, st_updated),
	ROW(F_INT, "availableReplicas", struct workload, st_available), ROW(F_INT, "unavailableReplicas", struct workload, st_unavailable),
	ROW(F_INT, "currentReplicas", struct workload, st_current), ROW(F_I64, "observedGeneration", struct workload, st_observed),
	ROW(F_STR, "currentRevision", struct workload, st_current_revision), ROW(F_STR, "updateRevision", struct workload, st_update_revision),
	ROW(F_INT, "collisionCount", struct workload, st_collisions), ROW_LIST("conditions", struct workload, conditions, struct condition, condition_fields),
	KEPT(F_INT, "fullyLabeledReplicas"), KEPT(F_INT, "terminatingReplicas"),
	FIELD_END
};
static const struct field daemonset_status_fields[] = {
	{ .name = "currentNumberScheduled", .type = F_INT, .at = (uint32_t)offsetof(struct workload, st_current), .has_dflt = true },
	{ .name = "desiredNumberScheduled", .type = F_INT, .at = (uint32_t)offsetof(struct workload, st_desired), .has_dflt = true },
	{ .name = "numberMisscheduled", .type = F_INT, .at = (uint32_t)offsetof(struct workload, st_misscheduled), .has_dflt = true },
	{ .name = "numberReady", .type = F_INT, .at = (uint32_t)offsetof(struct workload, st_ready), .has_dflt = true },
	ROW(F_INT, "numberAvailable", struct workload, st_available), ROW(F_INT, "numberUnavailable", struct workload, st_unavailable),
	ROW(F_INT, "updatedNumberScheduled", struct workload, st_updated), ROW(F_I64, "observedGeneration", struct workload, st_observed), KEPT(F_INT, "collisionCount"),
	ROW_LIST("conditions", struct workload, conditions, struct condition, condition_fields),
	FIELD_END
};
static const struct field deployment_fields[] = { ROW_TOP, ROW_HERE("spec", deployment_spec_fields), ROW_HERE("status", status_fields), FIELD_END };
static const struct field replicaset_fields[] = { ROW_TOP, ROW_HERE("spec", replicaset_spec_fields), ROW_HERE("status", status_fields), FIELD_END };
static const struct field statefulset_fields[] = { ROW_TOP, ROW_HERE("spec", statefulset_spec_fields), ROW_HERE("status", status_fields), FIELD_END };
static const struct field daemonset_fields[] = { ROW_TOP, ROW_HERE("spec", daemonset_spec_fields), ROW_HERE("status", daemonset_status_fields), FIELD_END };
static const struct field rc_fields[] = { ROW_TOP, ROW_HERE("spec", rc_spec_fields), ROW_HERE("status", status_fields), FIELD_END };

static void template_default(struct pod_template *t, const struct val *doc, struct arena *a, struct strtab *strings)
{
	if (!t->spec)
		t->spec = arena_make(a, struct pod_spec);
	pod_spec_default(t->spec, strings);
	t->doc = val_path(doc, "spec.template");
}

static void default_amount(struct int_or_str *p, struct strtab *t, const char *s)
{
	if (!p->set)
		*p = (struct int_or_str){ str_intern(t, s), 0, true };
}

static void workload_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct workload *w = (struct workload *)o;

	template_default(&w->template, o->doc, a, t);
	if (!w->strategy || !*w->strategy)
		w->strategy = str_intern(t, "RollingUpdate");
	if (o->kind == &deployment_kind && streq(w->strategy, "RollingUpdate")) {
		default_amount(&w->max_surge, t, "25%");
		default_amount(&w->max_unavailable, t, "25%");
	}
	if (o->kind == &daemonset_kind && !w->max_unavailable.set)
		w->max_unavailable = (struct int_or_str){ NULL, 1, true };
	if (o->kind == &statefulset_kind)       /* MaxUnavailableStatefulSet is off: dropStatefulSetDisabledFields */
		w->max_unavailable = (struct int_or_str){ 0 };
	if (o->kind == &statefulset_kind && (!w->pod_management || !*w->pod_management))
		w->pod_management = str_intern(t, "OrderedReady");
	if (o->kind == &daemonset_kind && !w->max_surge.set)
		w->max_surge = (struct int_or_str){ NULL, 0, true };
	if (o->kind != &replication_controller_kind)
		return;
	if (!w->selector.labels.nr)
		w->selector.labels = w->template.labels;
	if (!o->labels.nr)
		o->labels = w->template.labels;
}

/* ---- Job, CronJob */

static const struct field job_spec_fields[] = {
	ROW(F_OPT_INT, "parallelism", struct job, parallelism), ROW(F_OPT_INT, "completions", struct job, completions), ROW_DFLT(F_INT, "backoffLimit", struct job, backoff_limit, -1),
	ROW_DFLT(F_I64, "activeDeadlineSeconds", struct job, active_deadline, -1), ROW(F_BOOL, "suspend", struct job, suspend), ROW(F_BOOL, "manualSelector", struct job, manual_selector),
	ROW(F_STR, "completionMode", struct job, completion_mode), ROW_STRUCT("selector", struct job, selector, selector_fields),
	ROW_STRUCT("template", struct job, template, pod_template_fields), ROW_DFLT(F_INT, "ttlSecondsAfterFinished", struct job, ttl, -1), 
	ROW_RAW("podFailurePolicy", struct job, failure_policy, PodFailurePolicy), ROW_RAW("successPolicy", struct job, success_policy, SuccessPolicy),
	ROW(F_OPT_INT, "backoffLimitPerIndex", struct job, backoff_per_index), ROW(F_OPT_INT, "maxFailedIndexes", struct job, max_failed_indexes),
	ROW(F_STR, "podReplacementPolicy", struct job, replacement), ROW(F_STR, "managedBy", struct job, managed_by),
	FIELD_END
};
static const struct field job_status_fields[] = {
	ROW(F_INT, "active", struct job, st_active), ROW(F_INT, "succeeded", struct job, st_succeeded), ROW(F_INT, "failed", struct job, st_failed), ROW(F_INT, "ready", struct job, st_ready),
	ROW_LIST("conditions", struct job, conditions, struct condition, condition_fields), 
	KEPT(F_TIME, "startTime"), KEPT(F_TIME, "completionTime"), KEPT_SUB("uncountedTerminatedPods", UncountedTerminatedPods), ROW(F_STR, "completedIndexes", struct job, st_completed),
	ROW(F_STR, "failedIndexes", struct job, st_failed_indexes), ROW(F_OPT_INT, "terminating", struct job, st_terminating),
	FIELD_END
};
static const struct field job_fields[] = { ROW_TOP, ROW_HERE("spec", job_spec_fields), ROW_HERE("status", job_status_fields), FIELD_END };

/* Of a status that came with the object; NEVER: it did not. */
static nsec given_time(const struct val *doc, const char *path)
{
	const char *text = val_str_at(doc, path);
	nsec t;

	return text && time_parse(text, &t) ? t : NEVER;
}

static void job_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct job *j = (struct job *)o;

	template_default(&j->template, o->doc, a, t);
	j->has_active_deadline = j->active_deadline >= 0;
	j->has_ttl = j->ttl >= 0;
	if (j->backoff_limit < 0)               /* SetDefaults_Job */
		j->backoff_limit = j->backoff_per_index.set ? INT32_MAX : 6;
	if (!j->replacement)
		j->replacement = str_intern(t, j->failure_policy ? "Failed" : "TerminatingOrFailed");
	if (!j->completions.set && !j->parallelism.set)
		j->completions = (struct opt_int){ 1, true };
	if (!j->parallelism.set)
		j->parallelism = (struct opt_int){ 1, true };
	if (!o->labels.nr)
		o->labels = j->template.labels;
	j->st_start = given_time(o->doc, "status.startTime");
	j->st_completion = given_time(o->doc, "status.completionTime");
}

static const struct field job_template_fields[] = { KEPT_SUB("metadata", meta_fields), ROW_HERE("spec", job_spec_fields), FIELD_END };
static const struct field cron_spec_fields[] = {
	ROW(F_STR, "schedule", struct cron_job, schedule), ROW(F_STR, "timeZone", struct cron_job, time_zone), ROW(F_STR, "concurrencyPolicy", struct cron_job, concurrency),
	ROW(F_BOOL, "suspend", struct cron_job, suspend), ROW_DFLT(F_I64, "startingDeadlineSeconds", struct cron_job, starting_deadline, -1),
	ROW_DFLT(F_INT, "successfulJobsHistoryLimit", struct cron_job, success_limit, 3), ROW_DFLT(F_INT, "failedJobsHistoryLimit", struct cron_job, failed_limit, 1),
	ROW_PTR("jobTemplate", struct cron_job, template, struct job, job_template_fields),
	FIELD_END
};
static const struct field cron_status_fields[] = { KEPT_LIST("active", ObjectReference), KEPT(F_TIME, "lastScheduleTime"), KEPT(F_TIME, "lastSuccessfulTime"), FIELD_END };
static const struct field cron_fields[] = { ROW_TOP, ROW_HERE("spec", cron_spec_fields), KEPT_SUB("status", cron_status_fields), FIELD_END };

static void cron_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct cron_job *c = (struct cron_job *)o;

	c->has_starting_deadline = c->starting_deadline >= 0;
	c->template_doc = val_path(o->doc, "spec.jobTemplate");
	c->st_last_schedule = given_time(o->doc, "status.lastScheduleTime");
	c->st_last_success = given_time(o->doc, "status.lastSuccessfulTime");
	c->st_seen = MAX(c->st_last_success == NEVER ? 0 : c->st_last_success, c->st_last_schedule == NEVER ? 0 : c->st_last_schedule);
	if (!c->concurrency)
		c->concurrency = str_intern(t, "Allow");
	if (!c->template)
		c->template = arena_make(a, struct job);
	c->template->o.doc = c->template_doc;
	job_default(&c->template->o, a, t);
}

const struct val **template_place(struct object *o)
{
	const struct kind *k = o->kind;

	if (k == &deployment_kind || k == &replicaset_kind || k == &statefulset_kind || k == &daemonset_kind || k == &replication_controller_kind)
		return &((struct workload *)o)->template.doc;
	return k == &job_kind ? &((struct job *)o)->template.doc : NULL;
}

static const char *const v1[] = { "v1", NULL };
static const char *const apps[] = { "apps/v1", NULL };
static const char *const batch[] = { "batch/v1", NULL };
static const char *const apps_old[] = { "extensions/v1beta1", "apps/v1beta1", "apps/v1beta2", NULL };
static const char *const batch_old[] = { "batch/v1beta1", "batch/v2alpha1", NULL };
#define WORKLOAD(k, a, old, pl, sh, f, ...) \
	{ .name = k, .apis = a, .removed = old, .plural = pl, .shorts = sh, .namespaced = true, .size = sizeof(struct workload), .fields = f, .dflt = workload_default, __VA_ARGS__ }
const struct kind deployment_kind = WORKLOAD("Deployment", apps, apps_old, "deployments", "deploy", deployment_fields, .fill = template_fill, .check = deployment_check, .check_update = selector_check_update);
const struct kind replicaset_kind = WORKLOAD("ReplicaSet", apps, apps_old, "replicasets", "rs", replicaset_fields, .fill = template_fill, .check = replicaset_check, .check_update = selector_check_update);
const struct kind statefulset_kind = WORKLOAD("StatefulSet", apps, apps_old, "statefulsets", "sts", statefulset_fields, .fill = stateful_set_fill, .check = statefulset_check, .check_update = statefulset_check_update, .name_rule = must_be_label);
const struct kind daemonset_kind = WORKLOAD("DaemonSet", apps, apps_old, "daemonsets", "ds", daemonset_fields, .fill = template_fill, .check = daemonset_check, .check_update = selector_check_update);
const struct kind replication_controller_kind = WORKLOAD("ReplicationController", v1, NULL, "replicationcontrollers", "rc", rc_fields, .fill = template_fill, .check = replication_controller_check);
const struct kind controller_revision_kind = { .name = "ControllerRevision", .apis = apps, .removed = apps_old, .plural = "controllerrevisions", .namespaced = true,
					       .size = sizeof(struct controller_revision), .fields = revision_fields, .check = controller_revision_check,
					       .check_update = controller_revision_check_update };
const struct kind job_kind = { .name = "Job", .apis = batch, .plural = "jobs", .namespaced = true, .size = sizeof(struct job), .fields = job_fields, .dflt = job_default,
			       .fill = job_fill, .check = job_check, .check_update = job_check_update };
const struct kind cron_job_kind = { .name = "CronJob", .apis = batch, .removed = batch_old, .plural = "cronjobs", .shorts = "cj", .namespaced = true, .size = sizeof(struct cron_job),
				    .fields = cron_fields, .dflt = cron_default, .fill = cron_fill, .check = cron_job_check };

bool kind_scales(const struct kind *k)
{
	return k == &deployment_kind || k == &replicaset_kind || k == &statefulset_kind || k == &replication_controller_kind;
}
