/* Conditions to wait for: "svc/web has endpoints", "pod -l app=web ready", and kubectl wait's own condition=… and jsonpath=…. */
#include "sim/scenario/scenario.h"

#include <stdlib.h>

#include "model/cluster/apply.h"

static const struct { const char *text; enum wait_word word; } words[] = {
	{ "exists", WAIT_EXISTS }, { "deleted", WAIT_DELETED }, { "gone", WAIT_DELETED }, { "ready", WAIT_READY }, { "available", WAIT_AVAILABLE },
	{ "complete", WAIT_COMPLETE }, { "completed", WAIT_COMPLETE }, { "failed", WAIT_FAILED }, { "running", WAIT_RUNNING }, { "pending", WAIT_PENDING },
	{ "succeeded", WAIT_SUCCEEDED }, { "scheduled", WAIT_SCHEDULED }, { "rolled out", WAIT_ROLLED_OUT },
};
static const struct { const char *text; enum wait_word word; } things[] = {
	{ "endpoints", WAIT_ENDPOINTS }, { "endpoint", WAIT_ENDPOINTS }, { "address", WAIT_ADDRESS }, { "an address", WAIT_ADDRESS },
	{ "replicas", WAIT_REPLICAS }, { "replica", WAIT_REPLICAS }, { "ready replicas", WAIT_REPLICAS }, { "Pods", WAIT_REPLICAS }, { "pods", WAIT_REPLICAS },
};

/* [no | N | >=N | at least N] THING */
static bool parse_has(struct parse *p, const char *s, struct wait_for *out)
{
	struct val n = { .type = VAL_STRING };
	size_t len = strcspn(s, " ");

	out->count = (struct range){ .lo = 1, .hi = 1e18 };
	if (strncmp(s, "no ", 3) == 0) {
		out->count = (struct range){ 0 };
		s += 3;
	} else if (strncmp(s, "at least ", 9) == 0 && s[9] >= '0' && s[9] <= '9') {
		out->count.lo = strtod(s + 9, NULL);
		s += 9 + strcspn(s + 9, " ");
		s += strspn(s, " ");
	} else if (strchr("0123456789<>", *s)) {
		n.s = arena_strndup(p->arena, s, len);
		if (!range_parse(p, &n, NULL, &out->count))
			return false;
		s += len + strspn(s + len, " ");
	}
	for (size_t k = 0; k < ARRAY_LEN(things); k++)
		if (strcmp(s, things[k].text) == 0) {
			out->word = things[k].word;
			return true;
		}
	return false;
}

/* condition=Ready, condition=Ready=False; jsonpath={.status.phase}=Running */
static bool parse_equation(struct parse *p, const char *s, struct wait_for *out)
{
	bool path = strncmp(s, "jsonpath=", 9) == 0;
	const char *from = strchr(s, '=') + 1, *to = path ? strrchr(from, '=') : strchr(from, '=');

	if (path && to && strchr(to, '}'))      /* the = of a filter */
		to = NULL;
	out->word = path ? WAIT_JSONPATH : WAIT_CONDITION;
	out->name = to ? arena_strndup(p->arena, from, (size_t)(to - from)) : from;
	out->value = to ? to + 1 : path ? NULL : "True";
	return *out->name;
}

static const char *behind_pick(const char *text)
{
	const char *p = text + strspn(text, " ");

	p += strcspn(p, " ");
	for (p += strspn(p, " "); *p == '-'; p += strspn(p, " ")) {
		bool all = p[1] == 'A';

		p += strcspn(p, " ");
		p += strspn(p, " ");
		p += all ? 0 : strcspn(p, " ");
	}
	return p;
}

bool wait_parse(struct parse *p, const char *text, const struct val *at, struct wait_for *out)
{
	const char *s = behind_pick(text), *names[ARRAY_LEN(words) + 4] = { "has endpoints", "has an address", "has replicas" }, *near;

	*out = (struct wait_for){ .text = text };
	if (!pick_parse(p, arena_strndup(p->arena, text, (size_t)(s - text)), at, &out->pick))
		return false;
	if (strncmp(s, "not ", 4) == 0 || strncmp(s, "is not ", 7) == 0) {
		out->negated = true;
		s += *s == 'n' ? 4 : 7;
	} else if (strncmp(s, "is ", 3) == 0) {
		s += 3;
	}
	if (strncmp(s, "has ", 4) == 0 && parse_has(p, s + 4, out))
		return true;
	if ((strncmp(s, "condition=", 10) == 0 || strncmp(s, "jsonpath=", 9) == 0) && parse_equation(p, s, out))
		return true;
	for (size_t k = 0; k < ARRAY_LEN(words); k++) {
		names[k + 3] = words[k].text;
		if (strcmp(s, words[k].text) == 0) {
			out->word = words[k].word;
			return true;
		}
	}
	near = nearest(s, names);
	return parse_failed(p, at, NULL, "\"%s\" is no condition%s%s%s (exists, deleted, ready, available, complete, failed, running, succeeded, scheduled, rolled out, "
			    "has [N|no] endpoints, has an address, has N replicas, condition=TYPE, jsonpath={…}=VALUE)", s, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* ---- does it hold? */

static bool is_workload(const struct kind *k)
{
	return k == &deployment_kind || k == &replicaset_kind || k == &statefulset_kind || k == &daemonset_kind || k == &replication_controller_kind;
}

static bool has_condition(struct cluster *c, const struct object *o, const char *type, const char *status, struct arena *a)
{
	const struct val *rendered = object_render(c, o, a);

	VAL_EACH(v, val_path(rendered, "status.conditions"))
		if (streq(val_str(val_get(v, "type")), type))
			return streq(val_str(val_get(v, "status")), status);
	return false;
}

static int32_t wanted(const struct workload *w)
{
	return w->o.kind == &daemonset_kind ? w->st_desired : w->replicas;
}

/* kubectl rollout status: the spec has been seen, all replicas are of it, and available. */
static bool rolled_out(const struct workload *w)
{
	return w->st_observed >= w->o.generation && w->st_updated >= wanted(w) && w->st_available >= wanted(w) && (w->o.kind == &daemonset_kind || w->st_replicas <= wanted(w));
}

static bool ready(struct cluster *c, const struct object *o, struct arena *a)
{
	const struct workload *w = (const struct workload *)o;

	if (o->kind == &pod_kind)
		return pod_is_ready((const struct pod *)o);
	if (is_workload(o->kind))
		return w->st_observed >= w->o.generation && w->st_ready >= wanted(w);
	return has_condition(c, o, "Ready", "True", a) || has_condition(c, o, "Programmed", "True", a);
}

static double endpoints_of(const struct cluster *c, const struct service *s)
{
	struct object_list slices = service_slices(c, s);
	double nr = 0;

	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *e = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < e->endpoints.nr; i++)
			nr += e->endpoints.v[i].ready != TRI_FALSE;
	}
	return nr;
}

static double addresses_of(struct cluster *c, const struct object *o, struct arena *a)
{
	const struct val *v = object_render(c, o, a);

	if (o->kind == &pod_kind)
		return ip_set(((const struct pod *)o)->ip);
	if (o->kind == &service_kind)
		return ((const struct service *)o)->lb_ingress.nr;
	if (o->kind == &ingress_kind)
		return ((const struct ingress *)o)->lb_ingress.nr;
	return val_is(val_path(v, "status.addresses"), VAL_LIST) ? val_path(v, "status.addresses")->nr : 0;
}

static bool path_is(struct cluster *c, const struct object *o, const struct wait_for *f, struct arena *a)
{
	struct val_list found = { 0 };
	struct err none = { 0 };
	struct sb text = { 0 };
	bool holds;

	jsonpath(a, object_render(c, o, a), f->name, &found, &none);
	err_free(&none);
	if (!f->value || !found.nr)
		return f->value ? false : found.nr > 0;
	if (val_is(found.v[0], VAL_STRING))
		sb_add(&text, found.v[0]->s);
	else
		val_print_json(found.v[0], &text, 0, true);
	holds = strcmp(sb_text(&text), f->value) == 0;
	sb_free(&text);
	return holds;
}

static bool holds_for(struct cluster *c, const struct wait_for *f, const struct object *o, struct arena *a)
{
	const struct pod *p = o->kind == &pod_kind ? (const struct pod *)o : NULL;
	const struct workload *w = (const struct workload *)o;

	switch (f->word) {
	case WAIT_EXISTS:
		return true;
	case WAIT_DELETED:
		return false;
	case WAIT_READY:
		return ready(c, o, a);
	case WAIT_AVAILABLE:
		return is_workload(o->kind) && o->kind != &deployment_kind ? w->st_available >= wanted(w) : has_condition(c, o, "Available", "True", a);
	case WAIT_COMPLETE:
		return p ? p->phase == POD_SUCCEEDED : has_condition(c, o, "Complete", "True", a);
	case WAIT_FAILED:
		return p ? p->phase == POD_FAILED : has_condition(c, o, "Failed", "True", a);
	case WAIT_RUNNING:
		return p && p->phase == POD_RUNNING;
	case WAIT_PENDING:
		return p && (p->phase == POD_PENDING || !p->phase);
	case WAIT_SUCCEEDED:
		return p && p->phase == POD_SUCCEEDED;
	case WAIT_SCHEDULED:
		return p && p->node;
	case WAIT_ROLLED_OUT:
		return is_workload(o->kind) && rolled_out(w);
	case WAIT_ENDPOINTS:
		return o->kind == &service_kind && range_holds(&f->count, endpoints_of(c, (const struct service *)o), 0);
	case WAIT_ADDRESS:
		return range_holds(&f->count, addresses_of(c, o, a), 0);
	case WAIT_REPLICAS:
		return is_workload(o->kind) && range_holds(&f->count, w->st_ready, wanted(w));
	case WAIT_CONDITION:
		return has_condition(c, o, f->name, f->value, a);
	case WAIT_JSONPATH:
		return path_is(c, o, f, a);
	case WAIT_WORDS:
		break;
	}
	return false;
}

bool wait_holds(struct cluster *c, const struct wait_for *f, const char *dflt_ns, struct arena *a)
{
	struct object_list l = pick_objects(c, &f->pick, dflt_ns, a);

	if (f->word == WAIT_DELETED)
		return f->negated ? l.nr > 0 : l.nr == 0;
	for (uint32_t k = 0; k < l.nr; k++)
		if (holds_for(c, f, l.v[k], a) == f->negated)
			return false;
	return l.nr > 0;
}
