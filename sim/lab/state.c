/* The part of an object that its documents say only roughly, or not at all: metadata, status, times. Tables of fields, as for documents, but
 * times are nanoseconds and nothing is left out. A test saves and restores clusters at every step and compares what they do next. */
#include "model/api/rows.h"
#include "sim/lab/store.h"

/* A number that is written even where it is 0, so that reading it back replaces what a document said. Members of lists begin as 0. */
#define EXACT(key, T, member) ROW_DFLT(F_I64, key, T, member, 0)
#define MEMBER(key, T, member) ROW(F_I64, key, T, member)

static const struct field owner_fields[] = {
	ROW(F_STR, "api", struct owner_ref, api), ROW(F_STR, "kind", struct owner_ref, kind), ROW(F_STR, "name", struct owner_ref, name),
	ROW(F_STR, "uid", struct owner_ref, uid), ROW(F_BOOL, "controller", struct owner_ref, controller), ROW(F_BOOL, "block", struct owner_ref, block),
	FIELD_END
};
const struct field state_meta_fields[] = {
	ROW(F_PAIRS, "labels", struct object, labels), ROW(F_PAIRS, "annotations", struct object, annotations),
	ROW_LIST("owners", struct object, owners, struct owner_ref, owner_fields), ROW(F_STRS, "finalizers", struct object, finalizers),
	ROW(F_STR, "generateName", struct object, generate_name), ROW(F_RAW, "applied", struct object, applied), EXACT("grace", struct object, grace),
	FIELD_END
};

static const struct field exact_condition[] = {
	ROW(F_STR, "type", struct condition, type), ROW_ENUM("status", struct condition, status, cond_status_names), ROW(F_STR, "reason", struct condition, reason),
	ROW(F_STR, "message", struct condition, message), MEMBER("changed", struct condition, changed), MEMBER("heartbeat", struct condition, heartbeat),
	MEMBER("observed", struct condition, observed),
	FIELD_END
};
#define CONDITIONS(T) ROW_LIST("conditions", T, conditions, struct condition, exact_condition)

static const struct field taint_fields[] = {
	ROW(F_STR, "key", struct taint, key), ROW(F_STR, "value", struct taint, value), ROW(F_STR, "effect", struct taint, effect), MEMBER("added", struct taint, added),
	FIELD_END
};
static const struct field node_state[] = { ROW_LIST("taints", struct node, taints, struct taint, taint_fields), CONDITIONS(struct node), FIELD_END };

static const char *const container_states[] = { "", "waiting", "running", "terminated", NULL };
static const struct field container_fields[] = {
	ROW(F_STR, "name", struct container_status, name), ROW(F_STR, "image", struct container_status, image),
	ROW_ENUM("state", struct container_status, state, container_states), ROW(F_BOOL, "ready", struct container_status, ready),
	ROW(F_BOOL, "init", struct container_status, init), ROW(F_TRI, "started", struct container_status, started),
	ROW(F_INT, "restarts", struct container_status, restarts), ROW(F_INT, "exit", struct container_status, exit_code),
	ROW(F_STR, "reason", struct container_status, reason), ROW(F_STR, "message", struct container_status, message),
	MEMBER("startedAt", struct container_status, started_at), MEMBER("finishedAt", struct container_status, finished_at),
	ROW(F_INT, "lastExit", struct container_status, last_exit), ROW(F_STR, "lastReason", struct container_status, last_reason),
	MEMBER("lastFinished", struct container_status, last_finished),
	FIELD_END
};
static const struct field address_fields[] = { EXACT("hi", ip_addr, hi), EXACT("lo", ip_addr, lo), FIELD_END };
static const struct field pod_state[] = {
	ROW(F_STR, "node", struct pod, node), ROW_ENUM("phase", struct pod, phase, pod_phase_names), ROW_STRUCT("ip", struct pod, ip, address_fields),
	ROW_STRUCT("ip2", struct pod, ip2, address_fields), ROW_STRUCT("hostIP", struct pod, host_ip, address_fields), ROW(F_STR, "hostname", struct pod, hostname),
	ROW(F_STR, "reason", struct pod, reason), ROW(F_STR, "message", struct pod, message), EXACT("start", struct pod, start), CONDITIONS(struct pod),
	ROW_LIST("statuses", struct pod, statuses, struct container_status, container_fields), ROW_DFLT(F_BOOL, "given", struct pod, given, false),
	FIELD_END
};

static const struct field workload_state[] = {
	EXACT("observed", struct workload, st_observed), ROW(F_INT, "replicas", struct workload, st_replicas), ROW(F_INT, "ready", struct workload, st_ready),
	ROW(F_INT, "updated", struct workload, st_updated), ROW(F_INT, "available", struct workload, st_available),
	ROW(F_INT, "unavailable", struct workload, st_unavailable), ROW(F_INT, "current", struct workload, st_current), ROW(F_INT, "desired", struct workload, st_desired),
	ROW(F_INT, "misscheduled", struct workload, st_misscheduled), ROW(F_STR, "currentRevision", struct workload, st_current_revision),
	ROW(F_STR, "updateRevision", struct workload, st_update_revision), ROW(F_INT, "collisions", struct workload, st_collisions), CONDITIONS(struct workload),
	FIELD_END
};
static const struct field job_state[] = {
	ROW(F_INT, "active", struct job, st_active), ROW(F_INT, "succeeded", struct job, st_succeeded), ROW(F_INT, "failed", struct job, st_failed),
	ROW(F_INT, "ready", struct job, st_ready), EXACT("start", struct job, st_start), EXACT("completion", struct job, st_completion), CONDITIONS(struct job),
	ROW(F_STR, "completedIndexes", struct job, st_completed), ROW(F_STR, "failedIndexes", struct job, st_failed_indexes), ROW(F_OPT_INT, "terminating", struct job, st_terminating),
	FIELD_END
};
static const struct field cron_state[] = {
	EXACT("lastSchedule", struct cron_job, st_last_schedule), EXACT("lastSuccess", struct cron_job, st_last_success), EXACT("seen", struct cron_job, st_seen), FIELD_END
};
static const struct field service_state[] = { CONDITIONS(struct service), FIELD_END };
static const struct field gateway_state[] = { CONDITIONS(struct gateway), FIELD_END };
static const struct field listener_set_state[] = { CONDITIONS(struct listener_set), FIELD_END };
static const struct field gateway_class_state[] = { CONDITIONS(struct gateway_class), FIELD_END };

static const struct { const struct kind *kind; const struct field *fields; } states[] = {
	{ &pod_kind, pod_state }, { &node_kind, node_state }, { &service_kind, service_state }, { &deployment_kind, workload_state }, { &replicaset_kind, workload_state },
	{ &statefulset_kind, workload_state }, { &daemonset_kind, workload_state }, { &replication_controller_kind, workload_state }, { &job_kind, job_state },
	{ &cron_job_kind, cron_state }, { &gateway_kind, gateway_state }, { &gateway_class_kind, gateway_class_state }, { &listener_set_kind, listener_set_state },
};

const struct field *state_fields(const struct kind *k)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (states[i].kind == k)
			return states[i].fields;
	return NULL;
}

const struct val *state_template(const struct object *o)
{
	const struct val **at = template_place((struct object *)(uintptr_t)o);

	return at && *at != val_path(o->doc, "spec.template") ? *at : NULL;
}

/* What is absent now may have stood in a document. */
static void clear(const struct field *f, struct object *o)
{
	for (; f->name; f++) {
		void *at = (char *)o + f->at;

		switch ((enum field_type)f->type) {
		case F_STR:
			*(str *)at = NULL;
			break;
		case F_INT:
			*(int32_t *)at = 0;
			break;
		case F_ENUM:
			*(uint8_t *)at = 0;
			break;
		case F_STRS:
		case F_PAIRS:
		case F_AMOUNTS:
		case F_BLOBS:
		case F_LIST:
			*(str_list *)at = (str_list){ 0 };
			break;
		case F_BOOL: case F_I64: case F_STRUCT:         /* written always */
			break;
		case F_RAW:
			*(const struct val **)at = NULL;
			break;
		case F_TRI: case F_OPT_INT: case F_PORT: case F_INT_OR_STR: case F_QUANTITY: case F_TIME: case F_PTR: case F_KEEP:
		case F_NONE: case F_NUMBER: case F_BYTES: case F_INTS: case F_MAP: case F_STRS_MAP:
			break;
		}
	}
}

void state_unpack(struct object *o, const struct val *v, struct cluster *c)
{
	struct err none = { 0 };
	struct decode d = { .strings = cluster_strings(c), .arena = cluster_arena(c), .unknown = VALIDATE_IGNORE, .object = o->kind->name, .err = &none };
	const struct field *f = state_fields(o->kind);

	clear(state_meta_fields, o);
	fields_decode(&d, state_meta_fields, v, "", o);
	if (f) {
		clear(f, o);
		fields_decode(&d, f, val_get(v, "status"), "status", o);
	}
	if (template_place(o) && val_get(v, "template"))
		*template_place(o) = val_copy_interned(cluster_arena(c), cluster_strings(c), val_get(v, "template"));
	err_free(&none);
}
