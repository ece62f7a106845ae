/* kubectl's describe: an object with what belongs to it. Source: Kubernetes 1.36 staging/src/k8s.io/kubectl/pkg/describe/describe.go. */
#ifndef PODWIRE_DESCRIBE_H
#define PODWIRE_DESCRIBE_H

#include "model/cluster/apply.h"

void describe(struct cluster *, const struct object *, struct arena *, struct sb *out);

const char *pod_qos(const struct pod_spec *);   /* Guaranteed, Burstable, BestEffort */
void probe_print(const struct probe *, struct sb *);    /* what it asks: http-get http://:8080/ok; without its times */

/* ---- among its files: lines go to d->raw with tabs between their cells */
struct describe { struct cluster *c; const struct object *o; struct arena *a; struct sb *raw; };
void say(struct describe *, int level, const char *fmt, ...) PRINTF(3, 4);     /* two blanks a level; texts are made safe when all is laid out */
void say_pairs(struct describe *, const char *title, const pair_list *);
void say_selector(struct describe *, const char *title, const struct selector *);
void say_template(struct describe *, const struct pod_template *);
void say_conditions(struct describe *, const condition_list *);                 /* Type, Status, Reason */
const char *time_1123(struct describe *, nsec);
const char *pairs_text(struct describe *, const pair_list *);
const char *or_none(const char *);

typedef void describe_fn(struct describe *);
describe_fn describe_pod, describe_service, describe_node, describe_deployment, describe_replicas, describe_stateful, describe_daemon, describe_job, describe_cron,
	describe_ingress, describe_policy, describe_slice, describe_endpoints, describe_claim, describe_volume, describe_storage_class, describe_account, describe_role,
	describe_binding, describe_limits, describe_quota, describe_namespace, describe_autoscaler, describe_budget, describe_priority_class, describe_ingress_class,
	describe_service_cidr, describe_ip_address;

#endif
