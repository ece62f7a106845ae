/* Workload kinds. Source: Kubernetes 1.36 staging/src/k8s.io/api/{apps,batch}/v1/types.go. */
#ifndef PODWIRE_WORKLOAD_H
#define PODWIRE_WORKLOAD_H

#include "model/api/core.h"

struct pod_template { pair_list labels, annotations; struct pod_spec *spec; const struct val *doc; };   /* doc: the template as given */

/* Where the object keeps the document of its Pod template; NULL: its kind has none. */
const struct val **template_place(struct object *);

/* Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet: one struct, each kind uses its part. */
struct workload {
	struct object o;
	int32_t replicas;                       /* defaulted to 1 */
	struct selector selector;               /* ReplicationController: labels only */
	struct pod_template template;
	int32_t min_ready_seconds;
	/* Deployment */
	str strategy;                           /* RollingUpdate, Recreate; StatefulSet, DaemonSet: RollingUpdate, OnDelete */
	struct int_or_str max_surge, max_unavailable;
	int32_t partition;
	bool paused;
	int32_t history_limit;
	int32_t progress_deadline;              /* seconds */
	/* StatefulSet */
	str service_name, pod_management;
	int32_t ordinal_start;
	LIST(str) claim_templates;              /* names of volumeClaimTemplates */
	/* status */
	int32_t st_replicas, st_ready, st_updated, st_available, st_unavailable, st_current, st_desired, st_misscheduled;
	int64_t st_observed;
	str st_current_revision, st_update_revision;
	int32_t st_collisions;
	condition_list conditions;
};

struct job {
	struct object o;
	struct opt_int parallelism, completions;
	int32_t backoff_limit;
	int64_t active_deadline; bool has_active_deadline;
	bool suspend, manual_selector;
	str completion_mode;
	struct selector selector;
	struct pod_template template;
	int32_t ttl; bool has_ttl;
	struct opt_int backoff_per_index, max_failed_indexes;
	const struct val *failure_policy, *success_policy;
	str replacement, managed_by;            /* podReplacementPolicy, defaulted */
	int32_t st_active, st_succeeded, st_failed, st_ready;
	struct opt_int st_terminating;
	str st_completed, st_failed_indexes;    /* 0,2-4; NULL: not indexed, no limit per index */
	nsec st_start, st_completion;
	condition_list conditions;
};

struct cron_job {
	struct object o;
	str schedule, time_zone, concurrency;
	bool suspend;
	int64_t starting_deadline; bool has_starting_deadline;
	int32_t success_limit, failed_limit;
	struct job *template;                   /* jobTemplate.spec decoded into a job; labels in its o.labels */
	const struct val *template_doc;
	nsec st_last_schedule, st_last_success; /* NEVER: not yet */
	nsec st_seen;                           /* its Jobs' ends until then have been told of */
};

extern const struct field pod_template_fields[];        /* of spec.template, into a struct pod_template */

struct controller_revision { struct object o; int64_t revision; const struct val *data; };       /* data: a strategic patch that brings the template back */

bool kind_scales(const struct kind *);         /* has the subresource scale */
extern const struct kind deployment_kind, replicaset_kind, statefulset_kind, daemonset_kind, replication_controller_kind, controller_revision_kind, job_kind, cron_job_kind;

#endif
