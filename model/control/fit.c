#include "model/control/fit.h"

#include <stdlib.h>

#include "model/api/check.h"
#include "model/base/quantity.h"
#include "model/control/control.h"
#include "model/control/kubelet_actions.h"

/* ---- host ports */

typedef bool (*port_visit)(const struct container_port *, const struct pod_spec *, const void *);

static bool each_host_port(const struct pod_spec *s, port_visit visit, const void *ctx)
{
	for (int list = 0; list < 2; list++) {
		const container_list *l = list ? &s->init_containers : &s->containers;

		for (uint32_t k = 0; k < l->nr; k++) {
			if (list && !is_sidecar(&l->v[k]))
				continue;
			for (uint32_t i = 0; i < l->v[k].ports.nr; i++)
				if ((l->v[k].ports.v[i].host_port > 0 || s->host_network) && visit(&l->v[k].ports.v[i], s, ctx))
					return true;
		}
	}
	return false;
}

/* defaults.go defaultHostNetworkPorts: with hostNetwork the host port is the container's. */
static int32_t host_port(const struct container_port *p, const struct pod_spec *s)
{
	return p->host_port > 0 ? p->host_port : s->host_network ? p->port : 0;
}

static bool any_address(const char *ip)
{
	return !ip || !*ip || streq(ip, "0.0.0.0");
}

struct one_port { const struct container_port *p; const struct pod_spec *s; };

static bool same_port(const struct container_port *p, const struct pod_spec *s, const void *ctx)
{
	const struct one_port *o = ctx;

	return host_port(p, s) == host_port(o->p, o->s) && p->protocol == o->p->protocol &&
	       (any_address(p->host_ip) || any_address(o->p->host_ip) || streq(p->host_ip, o->p->host_ip));
}

static bool collides(const struct container_port *p, const struct pod_spec *s, const void *other)
{
	return each_host_port(other, same_port, &(struct one_port){ p, s });
}

static bool yes(const struct container_port *p, const struct pod_spec *s, const void *ctx)
{
	(void)p;
	(void)s;
	(void)ctx;
	return true;
}

bool host_ports_collide(const struct pod_spec *a, const struct pod_spec *b)
{
	return each_host_port(a, collides, b);
}

bool has_host_ports(const struct pod_spec *s)
{
	return each_host_port(s, yes, NULL);
}

/* ---- taints (staging/src/k8s.io/component-helpers/scheduling/corev1/helpers.go) */

unsigned taint_effect(const struct taint *t)
{
	return streq(t->effect, "NoSchedule") ? EFFECT_NO_SCHEDULE : streq(t->effect, "NoExecute") ? EFFECT_NO_EXECUTE : EFFECT_PREFER;
}

static bool empty(const char *s)
{
	return !s || !*s;
}

static bool same_or_empty(const char *a, const char *b)
{
	return streq(a, b) || (empty(a) && empty(b));
}

bool tolerates(const struct toleration *l, const struct taint *t)
{
	if (!empty(l->effect) && !streq(l->effect, t->effect))
		return false;
	if (!empty(l->key) && !streq(l->key, t->key))
		return false;
	if (streq(l->op, "Exists"))
		return true;
	return !empty(l->key) && same_or_empty(l->value, t->value);
}

static const struct toleration *toleration_for(const struct pod_spec *s, const struct taint *t)
{
	for (uint32_t k = 0; k < s->tolerations.nr; k++)
		if (tolerates(&s->tolerations.v[k], t))
			return &s->tolerations.v[k];
	return NULL;
}

const struct taint *untolerated(const struct pod_spec *s, const struct node *n, unsigned effects)
{
	for (uint32_t k = 0; k < n->taints.nr; k++)
		if (taint_effect(&n->taints.v[k]) & effects && !toleration_for(s, &n->taints.v[k]))
			return &n->taints.v[k];
	return NULL;
}

static bool tolerated_by_default(const struct taint *t)
{
	return streq(t->key, "node.kubernetes.io/not-ready") || streq(t->key, "node.kubernetes.io/unreachable");
}

nsec stays_for(const struct pod_spec *s, const struct node *n)
{
	nsec least = NEVER;

	for (uint32_t k = 0; k < n->taints.nr; k++) {
		const struct taint *t = &n->taints.v[k];
		const struct toleration *l;

		if (taint_effect(t) != EFFECT_NO_EXECUTE)
			continue;
		l = toleration_for(s, t);
		if (!l && !tolerated_by_default(t))
			return 0;
		if (!l)
			least = MIN(least, timing(T_TOLERATION_DEFAULT));
		else if (l->has_seconds)
			least = MIN(least, SECONDS(MAX(l->seconds, 0)));
	}
	return least;
}

/* ---- node selectors (component-helpers/scheduling/corev1/nodeaffinity) */

static bool number(const char *s, long *out)
{
	char *end;

	if (empty(s))
		return false;
	*out = strtol(s, &end, 10);
	return !*end;
}

static bool listed(const struct val *values, const char *have)
{
	VAL_EACH(v, values)
		if (streq(val_str(v), have))
			return true;
	return false;
}

static bool requirement_holds(const struct val *r, const char *have)
{
	const char *op = val_str_at(r, "operator");
	long a, b;

	if (streq(op, "In"))
		return have && listed(val_get(r, "values"), have);
	if (streq(op, "NotIn"))
		return !have || !listed(val_get(r, "values"), have);
	if (streq(op, "Exists"))
		return have != NULL;
	if (streq(op, "DoesNotExist"))
		return !have;
	if (!number(have, &a) || !number(val_str(val_at(val_get(r, "values"), 0)), &b))
		return false;
	return streq(op, "Gt") ? a > b : streq(op, "Lt") && a < b;
}

/* newNodeSelectorTerm: a requirement without a key, or whose values are no labels', is in error, and holds nowhere (an old object may have one). */
static bool is_of_labels(const struct val *r)
{
	if (!val_str_at(r, "key"))
		return false;
	VAL_EACH(v, val_get(r, "values"))
		if (val_str(v) && !is_label_value(val_str(v)))
			return false;
	return true;
}

/* A term with nothing in it matches nothing. */
static bool term_matches(const struct val *term, const struct node *n)
{
	const struct val *exprs = val_get(term, "matchExpressions"), *fields = val_get(term, "matchFields");

	if (!(exprs && exprs->nr) && !(fields && fields->nr))
		return false;
	VAL_EACH(r, exprs)
		if (!is_of_labels(r) || !requirement_holds(r, label_get(&n->o.labels, val_str_at(r, "key"))))
			return false;
	VAL_EACH(r, fields)
		if (!requirement_holds(r, n->o.name))           /* metadata.name is the only field there is */
			return false;
	return true;
}

bool node_terms_match(const struct val *terms, const struct node *n)
{
	VAL_EACH(term, terms)
		if (term_matches(term, n))
			return true;
	return false;
}

bool node_selected(const struct pod_spec *s, const struct node *n)
{
	const struct val *required = val_path(s->affinity, "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");

	if (!pairs_match(&s->node_selector, &n->o.labels))
		return false;
	if (!val_is(required, VAL_MAP))
		return true;
	return node_terms_match(val_get(required, "nodeSelectorTerms"), n);
}

int32_t node_preference(const struct pod_spec *s, const struct node *n)
{
	int32_t sum = 0;

	VAL_EACH(p, val_path(s->affinity, "nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"))
		if (term_matches(val_get(p, "preference"), n))
			sum += (int32_t)val_int_or(val_get(p, "weight"), 0);
	return sum;
}

/* ---- requests (scheduler/util/pod_resources.go for the defaults of scoring) */

#define DEFAULT_CPU    100
#define DEFAULT_MEMORY (200 * 1024 * 1024 * (int64_t)1000)

static void add_other(struct demand *d, str name, int64_t milli, struct arena *a)
{
	struct amount *v;

	for (uint32_t k = 0; k < d->other.nr; k++)
		if (streq(d->other.v[k].name, name))
			return;
	v = arena_array(a, struct amount, d->other.nr + 1);
	if (d->other.nr)
		memcpy(v, d->other.v, d->other.nr * sizeof(*v));
	v[d->other.nr++] = (struct amount){ name, milli, arena_printf(a, "Insufficient %s", name) };
	d->other.v = v;
}

/* What is neither cpu nor memory. */
static void add_names(struct demand *d, const struct pod_spec *s, const pair_list *names, struct arena *a)
{
	for (uint32_t k = 0; k < names->nr; k++) {
		str name = names->v[k].key;
		int64_t milli;

		if (streq(name, "cpu") || streq(name, "memory") || streq(name, "pods"))
			continue;
		milli = pod_amount(s, name, false);
		if (milli)
			add_other(d, name, milli, a);
	}
}

static int64_t usual(const struct container *c, const char *name, int64_t else_)
{
	const char *text = label_get(&c->resources.requests, name);
	int64_t v = 0;

	if (!text)
		text = label_get(&c->resources.limits, name);
	return text && quantity_parse(text, &v) ? v : else_;    /* 0 is 0, if it is said */
}

void demand_of(const struct pod_spec *s, struct arena *a, struct demand *d)
{
	const container_list *lists[] = { &s->containers, &s->init_containers };

	*d = (struct demand){ .cpu = pod_amount(s, "cpu", false), .memory = pod_amount(s, "memory", false), .host_ports = has_host_ports(s) };
	for (uint32_t k = 0; k < s->containers.nr; k++) {
		d->nz_cpu += usual(&s->containers.v[k], "cpu", DEFAULT_CPU);
		d->nz_memory += usual(&s->containers.v[k], "memory", DEFAULT_MEMORY);
	}
	for (size_t l = 0; l < 2; l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++) {
			add_names(d, s, &lists[l]->v[k].resources.requests, a);
			add_names(d, s, &lists[l]->v[k].resources.limits, a);
		}
	add_names(d, s, &s->overhead, a);
	if (s->resources) {
		add_names(d, s, &s->resources->requests, a);
		add_names(d, s, &s->resources->limits, a);
	}
	d->nz_cpu = MAX(d->nz_cpu, d->cpu);
	d->nz_memory = MAX(d->nz_memory, d->memory);
}
