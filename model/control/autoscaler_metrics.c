#include "model/control/autoscaler.h"

#include <math.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"

enum group { NOT_COUNTED, UNREADY, MISSING, COUNTED };

struct sample { const struct pod *pod; enum group group; int64_t value, request; };
struct measure { struct sample *v; uint32_t nr, ready, unready, missing; };

/* Measured of no single Pod, but of each with its labels. sharers: how many Pods share a total; 0: not counted yet. */
struct of_many { const struct object *metrics; int32_t sharers; };
struct measuring { struct cluster *c; const char *resource, *container; VEC(struct of_many) of_many; struct arena *a; };

bool pods_are_measured(struct cluster *c, const char *ns)
{
	return cluster_list_ns(c, &pod_metrics_kind, ns).nr != 0;
}

/* ---- what is measured of one Pod */

static bool is_total(const struct object *o)
{
	return streq(label_get(&o->annotations, "podwire.io/total"), "true");
}

static void find_of_many(struct measuring *x, const char *ns)
{
	struct object_list l = cluster_list_ns(x->c, &pod_metrics_kind, ns);

	for (uint32_t k = 0; k < l.nr; k++)
		if (l.v[k]->labels.nr && !find_pod(x->c, ns, l.v[k]->name))
			vec_add(x->a, &x->of_many, (struct of_many){ .metrics = l.v[k] });
}

/* *many: it speaks of others too; NULL: of this Pod alone. */
static const struct object *metrics_of(struct measuring *x, const struct pod *p, struct of_many **many)
{
	const struct object *own = cluster_find(x->c, &pod_metrics_kind, p->o.ns, p->o.name);

	*many = NULL;
	for (uint32_t k = 0; !own && k < x->of_many.nr; k++)
		if (pairs_match(&x->of_many.v[k].metrics->labels, &p->o.labels)) {
			*many = &x->of_many.v[k];
			own = x->of_many.v[k].metrics;
		}
	return own;
}

static int32_t sharers(const struct measuring *x, const struct object *metrics, struct of_many *many)
{
	struct object_list l;
	int32_t n = 0;

	if (many && many->sharers)
		return many->sharers;
	l = pods_selected(x->c, metrics->ns, &metrics->labels, x->a);
	for (uint32_t k = 0; k < l.nr; k++)
		n += pod_is_ready((const struct pod *)l.v[k]) && l.v[k]->deleted == NEVER;
	n = MAX(n, 1);
	if (many)
		many->sharers = n;
	return n;
}

/* Quantities saturate, and so do their sums. */
static int64_t plus(int64_t x, int64_t y)
{
	int64_t sum;

	return __builtin_add_overflow(x, y, &sum) ? y < 0 ? INT64_MIN : INT64_MAX : sum;
}

/* x × y / by */
static int64_t scaled_by(int64_t x, int64_t y, int64_t by)
{
	__int128 v = (__int128)x * y / by;

	return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

/* The sum over its containers, or that of one. false: it is not all there. */
static bool usage(const struct object *metrics, const char *resource, const char *container, int64_t *sum)
{
	bool any = false;
	int64_t milli;

	*sum = 0;
	VAL_EACH(one, val_get(metrics->doc, "containers")) {
		if (container && !streq(val_str_at(one, "name"), container))
			continue;
		if (!quantity_of(val_get(val_get(one, "usage"), resource), &milli))
			return false;
		*sum = plus(*sum, milli);
		any = true;
	}
	return any;
}

static bool time_at(const struct val *v, const char *key, nsec *out)
{
	const char *text = val_str_at(v, key);

	return text && time_parse(text, out);
}

/* A Pod that came with its status has run for long; if it is not ready, was it ever? Not if it has not been so for as long as it may take to be ready first. */
static bool was_never_ready(const struct pod *p)
{
	const struct val *status = val_get(p->o.doc, "status");
	nsec start, changed;

	VAL_EACH(c, val_get(status, "conditions"))
		if (streq(val_str_at(c, "type"), "Ready") && time_at(c, "lastTransitionTime", &changed) && time_at(status, "startTime", &start))
			return start + timing(T_HPA_READY_DELAY) > changed;
	return true;
}

/* Of CPU what was measured while a Pod starts does not count (groupPods). */
static bool starts_up(const struct pod *p, const struct object *metrics, nsec now)
{
	const struct condition *ready = condition_get(&p->conditions, "Ready");
	nsec at = now, window = 0;
	const char *text = val_str_at(metrics->doc, "timestamp");

	if (p->given && ready)
		return ready->status == COND_FALSE && was_never_ready(p);
	if (!ready || p->start == NEVER)
		return true;
	if (text && !time_parse(text, &at))
		at = now;
	text = val_str_at(metrics->doc, "window");
	if (text && !duration_parse(text, &window))
		window = 0;
	if (p->start + timing(T_HPA_CPU_INITIAL) > now)
		return ready->status == COND_FALSE || at < ready->changed + window;
	return ready->status == COND_FALSE && p->start + timing(T_HPA_READY_DELAY) > ready->changed;
}

static void measure_one(struct measuring *x, struct sample *s)
{
	const struct object *metrics;
	struct of_many *many;

	s->group = NOT_COUNTED;
	if (s->pod->o.deleted != NEVER || s->pod->phase == POD_FAILED)
		return;
	s->group = UNREADY;
	if (s->pod->phase == POD_PENDING || !s->pod->phase)
		return;
	metrics = metrics_of(x, s->pod, &many);
	s->group = MISSING;
	if (!metrics || !usage(metrics, x->resource, x->container, &s->value))
		return;
	if (is_total(metrics))
		s->value /= sharers(x, metrics, many);
	s->group = streq(x->resource, "cpu") && starts_up(s->pod, metrics, cluster_now(x->c)) ? UNREADY : COUNTED;
}

static struct measure measure(struct cluster *c, const struct workload *w, const char *resource, const char *container, struct arena *a)
{
	struct object_list l = pods_matching(c, w->o.ns, &w->selector, a);
	struct measure m = { .v = arena_array(a, struct sample, l.nr + 1), .nr = l.nr };
	struct measuring x = { .c = c, .resource = resource, .container = container, .a = a };

	find_of_many(&x, w->o.ns);
	for (uint32_t k = 0; k < l.nr; k++) {
		m.v[k].pod = (const struct pod *)l.v[k];
		measure_one(&x, &m.v[k]);
		m.ready += m.v[k].group == COUNTED;
		m.unready += m.v[k].group == UNREADY;
		m.missing += m.v[k].group == MISSING;
	}
	return m;
}

/* calculatePodRequests: sidecars run as long as containers do. */
static const char *request(struct sample *s, const char *resource, const char *container, struct arena *a)
{
	const struct pod_spec *spec = s->pod->spec;
	const container_list *lists[] = { &spec->containers, &spec->init_containers };
	const char *whole = spec->resources && !container ? label_get(&spec->resources->requests, resource) : NULL;
	int64_t milli;

	s->request = 0;
	if (whole && quantity_parse(whole, &s->request))
		return NULL;
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++) {
			const struct container *one = &lists[l]->v[k];
			const char *text = label_get(&one->resources.requests, resource);

			if ((l && !is_sidecar(one)) || (container && !streq(one->name, container)))
				continue;
			text = text ? text : label_get(&one->resources.limits, resource);       /* the API server's default */
			if (!text || !quantity_parse(text, &milli))
				return arena_printf(a, "missing request for %s in container %s of Pod %s", resource, one->name, s->pod->o.name);
			s->request = plus(s->request, milli);
		}
	return NULL;
}

/* ---- how many Pods that asks for */

/* percent: the target is one of the requests; else a value for each Pod. */
struct target { bool percent; int64_t value; };

static double ratio(const struct measure *m, const struct target *t, int64_t *used, int64_t *average)
{
	int64_t sum = 0, requests = 0, nr = 0;

	for (uint32_t k = 0; k < m->nr; k++) {
		if (m->v[k].group != COUNTED)
			continue;
		sum = plus(sum, m->v[k].value);
		requests = plus(requests, m->v[k].request);
		nr++;
	}
	*average = nr ? sum / nr : 0;
	*used = t->percent ? (requests ? scaled_by(sum, 100, requests) : -1) : *average;
	return (double)*used / (double)t->value;
}

static bool is_within(double r, struct tolerances t)
{
	return 1.0 - t.down <= r && r <= 1.0 + t.up;
}

/* Who is not measured uses all on the way down, and nothing on the way up; who is not ready uses nothing on the way up. */
static uint32_t fill_in(struct measure *m, const struct target *t, double was)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < m->nr; k++) {
		struct sample *s = &m->v[k];

		if (s->group == MISSING && (was != 1.0 || !t->percent)) {
			s->value = was >= 1.0 ? 0 : t->percent ? scaled_by(s->request, MAX(100, t->value), 100) : t->value;
			s->group = COUNTED;
		} else if (s->group == UNREADY && was > 1.0) {
			s->value = 0;
			s->group = COUNTED;
		}
		nr += s->group == COUNTED;
	}
	return nr;
}

static int32_t pods_for(double used, uint32_t nr)
{
	return (int32_t)MAX(MIN(ceil(used * nr), (double)INT32_MAX), 0);
}

static int32_t replicas_for(struct measure *m, const struct target *t, int32_t current, struct tolerances tol, struct proposal *out)
{
	double was = ratio(m, t, &out->utilization, &out->average), now;
	int64_t used, average;
	uint32_t counted;
	int32_t want;

	if (!(m->unready && was > 1.0) && !m->missing)
		return is_within(was, tol) ? current : pods_for(was, m->ready);
	counted = fill_in(m, t, was);
	now = ratio(m, t, &used, &average);
	if (is_within(now, tol) || (was < 1.0 && now > 1.0) || (was > 1.0 && now < 1.0))
		return current;
	want = pods_for(now, counted);
	return (now < 1.0 && want > current) || (now > 1.0 && want < current) ? current : want;
}

static const char *first_error(struct measure *m, const struct target *t, const char *resource, const char *container, struct arena *a)
{
	const char *why = NULL;

	if (!m->ready && !m->unready)
		return arena_printf(a, "unable to get metrics for resource %s: no metrics returned from resource metrics API", resource);
	for (uint32_t k = 0; t->percent && k < m->nr && !why; k++)
		why = request(&m->v[k], resource, container, a);
	return why ? why : m->ready ? NULL : "did not receive metrics for targeted pods (pods might be unready)";
}

struct proposal resource_proposal(struct cluster *c, const struct val *metric, const struct workload *w, struct tolerances tol, struct arena *a)
{
	bool whole = streq(val_str_at(metric, "type"), "Resource");
	const struct val *of = val_get(metric, whole ? "resource" : "containerResource"), *percent = val_path(of, "target.averageUtilization");
	const char *resource = val_str_at(of, "name"), *container = whole ? NULL : val_str_at(of, "container");
	struct target t = { .percent = percent != NULL, .value = val_int_or(percent, 0) };
	struct measure m = measure(c, w, resource, container, a);
	struct proposal out = { .utilization = -1 };
	const char *why;

	if (!t.percent && (!quantity_of(val_path(of, "target.averageValue"), &t.value) || t.value <= 0))
		why = "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set";
	else
		why = first_error(&m, &t, resource, container, a);
	out.name = arena_printf(a, "%s %sresource%s", resource, whole ? "" : "container ", t.percent ? " utilization (percentage of request)" : "");
	if (why) {
		out.error = arena_printf(a, "failed to get %s %s: %s", resource, t.percent ? "utilization" : "usage", why);
		return out;
	}
	out.replicas = replicas_for(&m, &t, w->replicas, tol, &out);
	if (!t.percent)
		out.utilization = -1;
	return out;
}
