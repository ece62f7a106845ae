/* Workloads, Jobs, and what bears on them. */
#include "model/base/quantity.h"
#include "viz/report/columns.h"

#define W ((const struct workload *)r->o)
#define J ((const struct job *)r->o)
#define CJ ((const struct cron_job *)r->o)

static const struct pod_spec *template_of(const struct row *r)
{
	if (r->o->kind == &job_kind)
		return J->template.spec;
	if (r->o->kind == &cron_job_kind)
		return CJ->template ? CJ->template->template.spec : NULL;
	return W->template.spec;
}

static void containers(struct row *r, struct sb *out)
{
	const struct pod_spec *s = template_of(r);

	for (uint32_t k = 0; s && k < s->containers.nr; k++)
		sb_printf(out, "%s%s", k ? "," : "", s->containers.v[k].name);
}

static void images(struct row *r, struct sb *out)
{
	const struct pod_spec *s = template_of(r);

	for (uint32_t k = 0; s && k < s->containers.nr; k++)
		sb_printf(out, "%s%s", k ? "," : "", s->containers.v[k].image ? s->containers.v[k].image : "");
}

static void selector(struct row *r, struct sb *out)
{
	static const struct selector none;

	selector_print(r->o->kind == &job_kind ? &J->selector : r->o->kind == &cron_job_kind ? CJ->template ? &CJ->template->selector : &none : &W->selector, out);
}

static void number(struct sb *out, int64_t n)
{
	sb_printf(out, "%" PRId64, n);
}

static void ready_of(struct row *r, struct sb *out) { sb_printf(out, "%d/%d", W->st_ready, W->replicas); }
static void desired(struct row *r, struct sb *out) { number(out, W->replicas); }
static void current(struct row *r, struct sb *out) { number(out, W->st_replicas); }
static void ready(struct row *r, struct sb *out) { number(out, W->st_ready); }
static void updated(struct row *r, struct sb *out) { number(out, W->st_updated); }
static void available(struct row *r, struct sb *out) { number(out, W->st_available); }
static void daemon_desired(struct row *r, struct sb *out) { number(out, W->st_desired); }
static void daemon_current(struct row *r, struct sb *out) { number(out, W->st_current); }

static void node_selector(struct row *r, struct sb *out)
{
	static const pair_list none;

	pairs_print(W->template.spec ? &W->template.spec->node_selector : &none, out);
}

static bool has(const condition_list *l, const char *type)
{
	const struct condition *c = condition_get(l, type);

	return c && c->status == COND_TRUE;
}

static void job_status(struct row *r, struct sb *out)
{
	const condition_list *l = &J->conditions;

	sb_add(out, has(l, "Complete") ? "Complete" : has(l, "Failed") ? "Failed" : r->o->deleted != NEVER ? "Terminating" : has(l, "Suspended") ? "Suspended" :
	       has(l, "FailureTarget") ? "FailureTarget" : "Running");
}

static void job_completions(struct row *r, struct sb *out)
{
	sb_printf(out, "%d/", J->st_succeeded);
	if (J->completions.set)
		number(out, J->completions.v);
	else if (J->parallelism.set && J->parallelism.v > 1)
		sb_printf(out, "1 of %d", J->parallelism.v);
	else
		sb_add(out, "1");
}

static void job_duration(struct row *r, struct sb *out)
{
	char text[16];

	if (J->st_start != NEVER)
		sb_add(out, age_text((J->st_completion != NEVER ? J->st_completion : cluster_now(r->c)) - J->st_start, text));
}

static void cron_schedule(struct row *r, struct sb *out) { sb_add(out, CJ->schedule ? CJ->schedule : ""); }
static void cron_zone(struct row *r, struct sb *out) { sb_add(out, CJ->time_zone ? CJ->time_zone : "<none>"); }
static void cron_suspend(struct row *r, struct sb *out) { sb_add(out, CJ->suspend ? "True" : "False"); }

static void cron_active(struct row *r, struct sb *out)
{
	struct object_list l = cluster_list_ns(r->c, &job_kind, r->o->ns);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct job *j = (const struct job *)l.v[k];

		nr += owner_uid(l.v[k]) == r->o->uid && !has(&j->conditions, "Complete") && !has(&j->conditions, "Failed");
	}
	number(out, nr);
}

static void cron_last(struct row *r, struct sb *out)
{
	if (CJ->st_last_schedule == NEVER)
		sb_add(out, "<none>");
	else
		ago_print(r, CJ->st_last_schedule, out);
}

#define CONTAINERS COL_W("CONTAINERS", containers), COL_W("IMAGES", images)
#define SELECTOR   COL_W("SELECTOR", selector)

static const struct column deployments[] = {
	COL_NAME, COL("READY", ready_of), COL("UP-TO-DATE", updated), COL("AVAILABLE", available), COL_AGE, CONTAINERS, SELECTOR, COL_END,
};
static const struct column replica_sets[] = { COL_NAME, COL("DESIRED", desired), COL("CURRENT", current), COL("READY", ready), COL_AGE, CONTAINERS, SELECTOR, COL_END };
static const struct column stateful_sets[] = { COL_NAME, COL("READY", ready_of), COL_AGE, CONTAINERS, COL_END };
static const struct column daemon_sets[] = {
	COL_NAME, COL("DESIRED", daemon_desired), COL("CURRENT", daemon_current), COL("READY", ready), COL("UP-TO-DATE", updated), COL("AVAILABLE", available),
	COL("NODE SELECTOR", node_selector), COL_AGE, CONTAINERS, SELECTOR, COL_END,
};
static const struct column jobs[] = {
	COL_NAME, COL("STATUS", job_status), COL("COMPLETIONS", job_completions), COL("DURATION", job_duration), COL_AGE, CONTAINERS, SELECTOR, COL_END,
};
static const struct column cron_jobs[] = {
	COL_NAME, COL("SCHEDULE", cron_schedule), COL("TIMEZONE", cron_zone), COL("SUSPEND", cron_suspend), COL("ACTIVE", cron_active),
	COL("LAST SCHEDULE", cron_last), COL_AGE, CONTAINERS, SELECTOR, COL_END,
};

const struct kind_columns columns_workload[] = {
	{ &deployment_kind, deployments }, { &replicaset_kind, replica_sets }, { &replication_controller_kind, replica_sets }, { &statefulset_kind, stateful_sets },
	{ &daemonset_kind, daemon_sets }, { &job_kind, jobs }, { &cron_job_kind, cron_jobs }, { NULL, NULL },
};
