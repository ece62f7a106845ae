#include "sim/linux/play_linux.h"

#include "model/api/link_fault.h"
#include "model/cluster/proxy_view.h"
#include "sim/linux/features.h"
#include "sim/linux/names.h"
#include "sim/linux/run.h"
#include "sim/linux/verify.h"

static bool delayed(const struct cluster *c)
{
	struct object_list nodes = cluster_list(c, &node_kind);

	for (uint32_t k = 0; k < nodes.nr; k++)
		if (link_fault_of((const struct node *)nodes.v[k]).delay)
			return true;
	return false;
}

/* What the cluster of this moment needs and this machine has not: it would pass without having been tried. */
static bool cannot(struct playing *p, const char *why, struct err *err)
{
	p->cannot = why;
	return err_add(err, ERR_UNKNOWN, NULL, "%s", why);
}

static bool follow(struct playing *p, struct world *w, struct arena *a, struct err *err)
{
	struct live_sum sum;

	if (!p->cannot && delayed(w->cluster))
		return cannot(p, "delay of a link is not made in the namespaces", err);
	if (p->cannot)
		return cannot(p, p->cannot, err);
	if (p->built && p->rev == cluster_rev(w->cluster) && p->views == cluster_proxy_views(w->cluster))
		return true;
	if (!live_sync(&p->live, w->cluster, world_dataplane(w), &sum, err)) {
		if (!*sum.missing)
			return false;
		err_msg_free(err_pop(err));             /* it is no failure */
		return cannot(p, arena_strdup(a, sum.missing), err);
	}
	p->built = true;
	p->rev = cluster_rev(w->cluster);
	p->views = cluster_proxy_views(w->cluster);
	return true;
}

static bool ask(void *ctx, struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	struct verify_options opt = { .seed = cluster_seed(w->cluster), .tries = 3 };
	struct verified r = { 0 };
	struct playing *p = ctx;

	if (q->keep || q->connection)
		return cannot(p, "connections that stay open are not made in the namespaces", err);
	if (q->proto == PROTO_SCTP && !feature_there(FEATURE_SCTP))
		return cannot(p, "it needs SCTP, which this kernel does not have", err);
	if (!play_sim.ask(NULL, w, q, a, out, err) || !follow(p, w, a, err))
		return false;
	if (!(out->to.kind == END_URL ? verify_request : verify_answer)(&p->live, w, out, &opt, a, &r, err))
		return false;
	p->differs = p->differs || r.differences.nr;
	if (r.differences.nr)
		return err_add(err, ERR_FAILED, NULL, "the kernel differs: walk: %s; kernel: %s", r.differences.v[0].walk, r.differences.v[0].kernel);
	if (r.connections.not_asked || r.requests.not_asked)
		return err_add(err, ERR_UNKNOWN, NULL, "not asked of the kernel: %s", r.connections.not_asked ? r.connections.why_not : r.requests.why_not);
	p->confirmed++;
	return true;
}

static bool look_up(void *ctx, struct world *w, const struct pod *pod, const struct dns_lookup *l, struct arena *a, struct err *err)
{
	struct playing *p = ctx;
	struct verified r = { 0 };

	if (!follow(p, w, a, err) || !verify_lookup(&p->live, w, pod, l, a, &r, err))
		return false;
	p->differs = p->differs || r.differences.nr;
	if (r.differences.nr)
		return err_add(err, ERR_FAILED, NULL, "the kernel differs: %s: model: %s; kernel: %s", r.differences.v[0].what, r.differences.v[0].walk, r.differences.v[0].kernel);
	p->confirmed++;
	return true;
}

static bool passes(void *ctx, struct world *w, const struct outcome_view *o, const char *name)
{
	(void)ctx;
	return play_sim.passes(NULL, w, o, name);
}

static const char *name_of(void *ctx, struct world *w, ip_addr ip, struct arena *a)
{
	(void)ctx;
	return play_sim.name_of(NULL, w, ip, a);
}

static bool fault(void *ctx, struct world *w, const char *kind, const char *target, const struct val *args, bool heal, struct err *err)
{
	(void)ctx;
	return play_sim.fault(NULL, w, kind, target, args, heal, err);
}

const struct play_backend play_linux = { .ask = ask, .look_up = look_up, .passes = passes, .name_of = name_of, .fault = fault };

/* What does not run in the namespaces: such a scenario would pass without having been tried. */
const char *play_linux_cannot(const struct scenario *s)
{
	for (uint32_t k = 0; k < s->steps.nr; k++) {
		const struct step *step = &s->steps.v[k];

		if (step->matrix)
			return "a policy matrix is no connection";
		for (uint32_t i = 0; i < step->trace.nr; i++)
			if (step->trace.v[i].to && strstr(step->trace.v[i].to, "://") && !program_there("haproxy"))
				return "it makes HTTP requests, and haproxy is not installed";
	}
	return NULL;
}
