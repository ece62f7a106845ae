/* Workloads and nodes. */
#include "model/api/workload.h"
#include "model/base/quantity.h"
#include "viz/report/describe.h"
#include "sim/engine/import.h"

#include <stdlib.h>

static void say_head(struct describe *d)
{
	say(d, 0, "Name:\t%s", d->o->name);
	say(d, 0, "Namespace:\t%s", d->o->ns);
}

static void say_owner(struct describe *d)
{
	for (uint32_t k = 0; k < d->o->owners.nr; k++)
		if (d->o->owners.v[k].controller)
			say(d, 0, "Controlled By:\t%s/%s", d->o->owners.v[k].kind, d->o->owners.v[k].name);
}

static const char *amount(struct describe *d, const struct int_or_str *v)
{
	return v->s ? v->s : arena_printf(d->a, "%d", v->i);
}

static void say_pods(struct describe *d)
{
	struct object_list l = pods_of(d->c, d->o->uid);
	uint32_t running = 0, waiting = 0, succeeded = 0, failed = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		running += p->phase == POD_RUNNING;
		succeeded += p->phase == POD_SUCCEEDED;
		failed += p->phase == POD_FAILED;
		waiting += p->phase == POD_PENDING || !p->phase;
	}
	say(d, 0, "Pods Status:\t%u Running / %u Waiting / %u Succeeded / %u Failed", running, waiting, succeeded, failed);
}

/* The ReplicaSets of a Deployment: the newest revision is the new one. */
static int64_t revision_of(const struct object *o)
{
	const char *text = label_get(&o->annotations, "deployment.kubernetes.io/revision");

	return text ? strtoll(text, NULL, 10) : 0;
}

static void say_sets(struct describe *d)
{
	struct object_list l = cluster_list_ns(d->c, &replicaset_kind, d->o->ns);
	const struct workload *newest = NULL;
	struct sb old = { 0 };

	for (uint32_t k = 0; k < l.nr; k++)
		if (owner_uid(l.v[k]) == d->o->uid && (!newest || revision_of(l.v[k]) > revision_of(&newest->o)))
			newest = (const struct workload *)l.v[k];
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct workload *w = (const struct workload *)l.v[k];

		if (owner_uid(l.v[k]) == d->o->uid && w != newest)
			sb_printf(&old, "%s%s (%d/%d replicas created)", old.len ? ", " : "", w->o.name, w->st_replicas, w->replicas);
	}
	say(d, 0, "OldReplicaSets:\t%s", or_none(sb_text(&old)));
	say(d, 0, "NewReplicaSet:\t%s", newest ? arena_printf(d->a, "%s (%d/%d replicas created)", newest->o.name, newest->st_replicas, newest->replicas) : "<none>");
	sb_free(&old);
}

void describe_deployment(struct describe *d)
{
	const struct workload *w = (const struct workload *)d->o;

	say_head(d);
	say(d, 0, "CreationTimestamp:\t%s", time_1123(d, w->o.created));
	say_pairs(d, "Labels", &w->o.labels);
	say_pairs(d, "Annotations", &w->o.annotations);
	say_selector(d, "Selector", &w->selector);
	say(d, 0, "Replicas:\t%d desired | %d updated | %d total | %d available | %d unavailable", w->replicas, w->st_updated, w->st_replicas, w->st_available, w->st_unavailable);
	say(d, 0, "StrategyType:\t%s", w->strategy);
	say(d, 0, "MinReadySeconds:\t%d", w->min_ready_seconds);
	if (streq(w->strategy, "RollingUpdate"))
		say(d, 0, "RollingUpdateStrategy:\t%s max unavailable, %s max surge", amount(d, &w->max_unavailable), amount(d, &w->max_surge));
	say_template(d, &w->template);
	say_conditions(d, &w->conditions);
	say_sets(d);
}

void describe_replicas(struct describe *d)
{
	const struct workload *w = (const struct workload *)d->o;

	say_head(d);
	say_selector(d, "Selector", &w->selector);
	say_pairs(d, "Labels", &w->o.labels);
	say_pairs(d, "Annotations", &w->o.annotations);
	say_owner(d);
	say(d, 0, "Replicas:\t%d current / %d desired", w->st_replicas, w->replicas);
	say_pods(d);
	say_template(d, &w->template);
	say_conditions(d, &w->conditions);
}

void describe_stateful(struct describe *d)
{
	const struct workload *w = (const struct workload *)d->o;

	say_head(d);
	say(d, 0, "CreationTimestamp:\t%s", time_1123(d, w->o.created));
	say_selector(d, "Selector", &w->selector);
	say_pairs(d, "Labels", &w->o.labels);
	say_pairs(d, "Annotations", &w->o.annotations);
	say(d, 0, "Replicas:\t%d desired | %d total", w->replicas, w->st_replicas);
	say(d, 0, "Update Strategy:\t%s", w->strategy);
	if (streq(w->strategy, "RollingUpdate"))
		say(d, 1, "Partition:\t%d", w->partition);
	say_pods(d);
	say_template(d, &w->template);
	say(d, 0, "Volume Claims:%s", w->claim_templates.nr ? "" : "\t<none>");
	for (uint32_t k = 0; k < w->claim_templates.nr; k++)
		say(d, 1, "Name:\t%s", w->claim_templates.v[k]);
}

void describe_daemon(struct describe *d)
{
	const struct workload *w = (const struct workload *)d->o;

	say_head(d);
	say_selector(d, "Selector", &w->selector);
	say(d, 0, "Node-Selector:\t%s", w->template.spec ? pairs_text(d, &w->template.spec->node_selector) : "<none>");
	say_pairs(d, "Labels", &w->o.labels);
	say_pairs(d, "Annotations", &w->o.annotations);
	say(d, 0, "Desired Number of Nodes Scheduled: %d", w->st_desired);
	say(d, 0, "Current Number of Nodes Scheduled: %d", w->st_current);
	say(d, 0, "Number of Nodes Scheduled with Up-to-date Pods: %d", w->st_updated);
	say(d, 0, "Number of Nodes Scheduled with Available Pods: %d", w->st_available);
	say(d, 0, "Number of Nodes Misscheduled: %d", w->st_misscheduled);
	say_pods(d);
	say_template(d, &w->template);
}

static void say_job_spec(struct describe *d, const struct job *j)
{
	say_selector(d, "Selector", &j->selector);
}

static void say_job_numbers(struct describe *d, const struct job *j)
{
	say(d, 0, "Parallelism:\t%s", j->parallelism.set ? arena_printf(d->a, "%d", j->parallelism.v) : "<unset>");
	say(d, 0, "Completions:\t%s", j->completions.set ? arena_printf(d->a, "%d", j->completions.v) : "<unset>");
	say(d, 0, "Completion Mode:\t%s", j->completion_mode ? j->completion_mode : "NonIndexed");
	say(d, 0, "Suspend:\t%s", j->suspend ? "true" : "false");
	say(d, 0, "Backoff Limit:\t%d", j->backoff_limit);
}

void describe_job(struct describe *d)
{
	const struct job *j = (const struct job *)d->o;
	char text[16];

	say_head(d);
	say_job_spec(d, j);
	say_pairs(d, "Labels", &j->o.labels);
	say_pairs(d, "Annotations", &j->o.annotations);
	say_owner(d);
	say_job_numbers(d, j);
	if (j->st_start != NEVER)
		say(d, 0, "Start Time:\t%s", time_1123(d, j->st_start));
	if (j->st_completion != NEVER) {
		say(d, 0, "Completed At:\t%s", time_1123(d, j->st_completion));
		say(d, 0, "Duration:\t%s", age_text(j->st_completion - j->st_start, text));
	}
	if (j->has_active_deadline)
		say(d, 0, "Active Deadline Seconds:\t%" PRId64 "s", j->active_deadline);
	say(d, 0, "Pods Statuses:\t%d Active (%d Ready) / %d Succeeded / %d Failed", j->st_active, j->st_ready, j->st_succeeded, j->st_failed);
	say_template(d, &j->template);
}

void describe_cron(struct describe *d)
{
	const struct cron_job *c = (const struct cron_job *)d->o;
	struct object_list l = cluster_list_ns(d->c, &job_kind, c->o.ns);
	struct sb active = { 0 };

	say(d, 0, "Schedule:\t%s", c->schedule ? c->schedule : "");
	say(d, 0, "Concurrency Policy:\t%s", c->concurrency);
	say(d, 0, "Suspend:\t%s", c->suspend ? "True" : "False");
	say(d, 0, "Successful Job History Limit:\t%d", c->success_limit);
	say(d, 0, "Failed Job History Limit:\t%d", c->failed_limit);
	say(d, 0, "Starting Deadline Seconds:\t%s", c->has_starting_deadline ? arena_printf(d->a, "%" PRId64 "s", c->starting_deadline) : "<unset>");
	if (c->template) {
		say_job_spec(d, c->template);
		say(d, 0, "Parallelism:\t%s", c->template->parallelism.set ? arena_printf(d->a, "%d", c->template->parallelism.v) : "<unset>");
		say(d, 0, "Completions:\t%s", c->template->completions.set ? arena_printf(d->a, "%d", c->template->completions.v) : "<unset>");
		say_template(d, &c->template->template);
	}
	say(d, 0, "Last Schedule Time:\t%s", time_1123(d, c->st_last_schedule));
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct job *j = (const struct job *)l.v[k];

		if (owner_uid(l.v[k]) == c->o.uid && j->st_completion == NEVER && !condition_get(&j->conditions, "Failed"))
			sb_printf(&active, "%s%s", active.len ? ", " : "", j->o.name);
	}
	say(d, 0, "Active Jobs:\t%s", or_none(sb_text(&active)));
	sb_free(&active);
}

/* ---- nodes */

static void say_node_pods(struct describe *d, const struct node *n)
{
	static const char *const amounts[] = { "cpu", "memory" };
	struct object_list l = cluster_list(d->c, &pod_kind);
	int64_t requests[2] = { 0 }, limits[2] = { 0 };
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		nr += streq(p->node, n->o.name) && !pod_is_terminal(p);
	}
	say(d, 0, "Non-terminated Pods:\t(%u in total)", nr);
	say(d, 1, "Namespace\tName\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
	say(d, 1, "---------\t----\t------------\t----------\t---------------\t-------------\t---");
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];
		const char *cell[4];
		char age[16], text[32];

		if (!streq(p->node, n->o.name) || pod_is_terminal(p))
			continue;
		for (int m = 0; m < 4; m++) {
			int64_t v = pod_amount(p->spec, amounts[m / 2], m % 2), have = 0;
			const char *total = label_get(&n->allocatable, amounts[m / 2]);

			*(m % 2 ? &limits[m / 2] : &requests[m / 2]) += v;
			cell[m] = arena_printf(d->a, "%s (%" PRId64 "%%)", quantity_text(v, m > 1, text), total && quantity_parse(total, &have) && have ? v * 100 / have : 0);
		}
		say(d, 1, "%s\t%s\t%s\t%s\t%s\t%s\t%s", p->o.ns, p->o.name, cell[0], cell[1], cell[2], cell[3], age_text(import_age(d->c, &p->o), age));
	}
	say(d, 0, "Allocated resources:");
	say(d, 1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
	say(d, 1, "Resource\tRequests\tLimits");
	say(d, 1, "--------\t--------\t------");
	for (int m = 0; m < 2; m++) {
		const char *total = label_get(&n->allocatable, amounts[m]);
		char asked[32], most[32];
		int64_t have = 0;

		if (!total || !quantity_parse(total, &have) || !have)
			have = INT64_MAX;
		say(d, 1, "%s\t%s (%" PRId64 "%%)\t%s (%" PRId64 "%%)", amounts[m], quantity_text(requests[m], m > 0, asked), requests[m] * 100 / have, quantity_text(limits[m], m > 0, most),
		    limits[m] * 100 / have);
	}
}

static void say_node_info(struct describe *d)
{
	static const char *const rows[][2] = {
		{ "Machine ID", "machineID" }, { "System UUID", "systemUUID" }, { "Boot ID", "bootID" }, { "Kernel Version", "kernelVersion" }, { "OS Image", "osImage" },
		{ "Operating System", "operatingSystem" }, { "Architecture", "architecture" }, { "Container Runtime Version", "containerRuntimeVersion" }, { "Kubelet Version", "kubeletVersion" },
	};
	const struct val *info = val_path(object_render(d->c, d->o, d->a), "status.nodeInfo");

	say(d, 0, "System Info:");
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		say(d, 1, "%s:\t%s", rows[k][0], val_str_at(info, rows[k][1]) ? val_str_at(info, rows[k][1]) : "");
}

/* What the kubelet keeps in kube-node-lease: renewed until the node fell silent. */
static void say_lease(struct describe *d, const struct node *n)
{
	const struct condition *ready = condition_get(&n->conditions, "Ready");

	if (cluster_flags(d->c)->no_defaults)
		return;
	say(d, 0, "Lease:");
	say(d, 1, "HolderIdentity:\t%s", n->o.name);
	say(d, 1, "AcquireTime:\t<unset>");
	say(d, 1, "RenewTime:\t%s", ready && ready->status != COND_UNKNOWN ? time_1123(d, cluster_now(d->c)) : "<unset>");
}

void describe_node(struct describe *d)
{
	static const char prefix[] = "node-role.kubernetes.io/";
	const struct node *n = (const struct node *)d->o;
	struct sb roles = { 0 };

	for (uint32_t k = 0; k < n->o.labels.nr; k++)
		if (strncmp(n->o.labels.v[k].key, prefix, sizeof(prefix) - 1) == 0)
			sb_printf(&roles, "%s%s", roles.len ? "," : "", n->o.labels.v[k].key + sizeof(prefix) - 1);
	say(d, 0, "Name:\t%s", n->o.name);
	say(d, 0, "Roles:\t%s", or_none(sb_text(&roles)));
	sb_free(&roles);
	say_pairs(d, "Labels", &n->o.labels);
	say_pairs(d, "Annotations", &n->o.annotations);
	say(d, 0, "CreationTimestamp:\t%s", time_1123(d, n->o.created));
	for (uint32_t k = 0; k < n->taints.nr; k++)
		say(d, 0, "%s\t%s%s%s:%s", k ? "" : "Taints:", n->taints.v[k].key, n->taints.v[k].value && *n->taints.v[k].value ? "=" : "", n->taints.v[k].value ? n->taints.v[k].value : "",
		    n->taints.v[k].effect);
	if (!n->taints.nr)
		say(d, 0, "Taints:\t<none>");
	say(d, 0, "Unschedulable:\t%s", n->unschedulable ? "true" : "false");
	say_lease(d, n);
	if (n->conditions.nr) {
		say(d, 0, "Conditions:");
		say(d, 1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
		say(d, 1, "----\t------\t-----------------\t------------------\t------\t-------");
	}
	for (uint32_t k = 0; k < n->conditions.nr; k++) {
		const struct condition *c = &n->conditions.v[k];

		say(d, 1, "%s \t%s \t%s \t%s \t%s \t%s", c->type, cond_status_names[c->status], time_1123(d, c->heartbeat == NEVER || !c->heartbeat ? c->changed : c->heartbeat), time_1123(d, c->changed), c->reason ? c->reason : "",
		    c->message ? c->message : "");
	}
	say(d, 0, "Addresses:");
	for (uint32_t k = 0; k < n->addresses.nr; k++)
		say(d, 1, "%s:\t%s", n->addresses.v[k].type, n->addresses.v[k].address);
	for (const pair_list *const *l = (const pair_list *const[]){ &n->capacity, &n->allocatable, NULL }; *l; l++) {
		say(d, 0, "%s:", *l == &n->capacity ? "Capacity" : "Allocatable");
		for (uint32_t k = 0; k < (*l)->nr; k++)
			say(d, 1, "%s:\t%s", (*l)->v[k].key, (*l)->v[k].value);
	}
	say_node_info(d);
	if (n->pod_cidr)
		say(d, 0, "PodCIDR:\t%s", n->pod_cidr);
	if (n->pod_cidrs.nr) {
		struct sb all = { 0 };

		for (uint32_t k = 0; k < n->pod_cidrs.nr; k++)
			sb_printf(&all, "%s%s", k ? "," : "", n->pod_cidrs.v[k]);
		say(d, 0, "PodCIDRs:\t%s", sb_text(&all));
		sb_free(&all);
	}
	if (n->provider_id && *n->provider_id)
		say(d, 0, "ProviderID:\t%s", n->provider_id);
	say_node_pods(d, n);
}
