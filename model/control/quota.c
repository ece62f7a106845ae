#include "model/control/quota.h"

#include <stdlib.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"

enum amount { AMOUNT_NONE, AMOUNT_PODS, AMOUNT_REQUESTS, AMOUNT_LIMITS };

/* What a key of spec.hard counts, and of which resource (podUsageHelper). */
static enum amount amount_of(const char *key, const char **of)
{
	*of = key;
	if (streq(key, "pods") || streq(key, "count/pods"))
		return AMOUNT_PODS;
	if (strncmp(key, "limits.", 7) == 0)
		return *of = key + 7, AMOUNT_LIMITS;
	if (strncmp(key, "requests.", 9) == 0)
		return *of = key + 9, streq(key, "requests.storage") ? AMOUNT_NONE : AMOUNT_REQUESTS;
	return streq(key, "cpu") || streq(key, "memory") || streq(key, "ephemeral-storage") || strncmp(key, "hugepages-", 10) == 0 ? AMOUNT_REQUESTS : AMOUNT_NONE;
}

static int64_t of_pod(const struct pod_spec *s, enum amount what, const char *of)
{
	return what == AMOUNT_PODS ? 1000 : pod_amount(s, of, what == AMOUNT_LIMITS);
}

/* ---- scopes (podMatchesScopeFunc) */

static bool is_best_effort(const struct pod_spec *s)
{
	struct pod_spec bare = *s;

	bare.overhead.nr = 0;
	return !pod_amount(&bare, "cpu", false) && !pod_amount(&bare, "memory", false) && !pod_amount(&bare, "cpu", true) && !pod_amount(&bare, "memory", true);
}

static bool crosses_namespaces(const struct pod_spec *s)
{
	static const char *const paths[] = { "podAffinity.requiredDuringSchedulingIgnoredDuringExecution", "podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
					     "podAffinity.preferredDuringSchedulingIgnoredDuringExecution", "podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution" };

	for (size_t k = 0; k < ARRAY_LEN(paths); k++)
		VAL_EACH(v, val_path(s->affinity, paths[k])) {
			const struct val *term = k < 2 ? v : val_get(v, "podAffinityTerm"), *names = val_get(term, "namespaces");

			if ((names && names->nr) || val_is(val_get(term, "namespaceSelector"), VAL_MAP))
				return true;
		}
	return false;
}

static bool class_matches(const struct val *e, const char *class)
{
	const char *op = val_str_at(e, "operator");
	bool listed = false;

	VAL_EACH(v, val_get(e, "values"))
		listed = listed || (class && streq(val_str(v), class));
	return streq(op, "In") ? listed : streq(op, "NotIn") ? !listed : streq(op, "DoesNotExist") ? !class : class != NULL;
}

/* e: the expression of a scopeSelector; NULL: the scope alone. */
static bool scope_matches(const char *scope, const struct val *e, const struct pod_spec *s)
{
	if (streq(scope, "Terminating"))
		return s->has_active_deadline;
	if (streq(scope, "NotTerminating"))
		return !s->has_active_deadline;
	if (streq(scope, "BestEffort"))
		return is_best_effort(s);
	if (streq(scope, "NotBestEffort"))
		return !is_best_effort(s);
	if (streq(scope, "PriorityClass"))
		return class_matches(e, s->priority_class);
	return streq(scope, "CrossNamespacePodAffinity") && crosses_namespaces(s);
}

static bool covers(const struct object *q, const struct pod_spec *s)
{
	VAL_EACH(v, val_path(q->doc, "spec.scopes"))
		if (!scope_matches(val_str(v), NULL, s))
			return false;
	VAL_EACH(e, val_path(q->doc, "spec.scopeSelector.matchExpressions"))
		if (!scope_matches(val_str_at(e, "scopeName"), e, s))
			return false;
	return true;
}

int64_t quota_used(struct cluster *c, const struct object *q, const char *resource)
{
	struct object_list l = cluster_list_ns(c, &pod_kind, q->ns);
	const char *of;
	enum amount what = amount_of(resource, &of);
	int64_t sum = 0;

	if (what == AMOUNT_NONE)
		return -1;
	for (uint32_t k = 0; k < l.nr; k++)
		if (!pod_is_terminal((const struct pod *)l.v[k]) && covers(q, ((const struct pod *)l.v[k])->spec))
			sum += of_pod(((const struct pod *)l.v[k])->spec, what, of);
	return sum;
}

/* ---- may one more Pod be made? */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of spec.hard that Pods use, sorted. */
static uint32_t hard_keys(const struct object *q, struct arena *a, const char ***out)
{
	const struct val *hard = val_path(q->doc, "spec.hard");
	uint32_t nr = 0;

	*out = arena_array(a, const char *, hard ? hard->nr : 0);
	VAL_EACH(v, hard) {
		const char *of;

		if (amount_of(v->key, &of) != AMOUNT_NONE)
			(*out)[nr++] = v->key;
	}
	if (nr > 1)
		qsort(*out, nr, sizeof(**out), by_text);
	return nr;
}

static bool says(const struct container *c, enum amount what, const char *of)
{
	return label_get(&c->resources.limits, of) || (what == AMOUNT_REQUESTS && label_get(&c->resources.requests, of));
}

/* Constraints: where cpu or memory is counted, every container says how much, unless the Pod does. */
static const char *must_specify(const struct object *q, const struct pod_spec *s, const char *const *keys, uint32_t nr, struct arena *a)
{
	const container_list *lists[] = { &s->containers, &s->init_containers };
	struct sb text = { 0 };
	const char *out = NULL;

	for (uint32_t k = 0; !(s->resources && (s->resources->requests.nr || s->resources->limits.nr)) && k < nr; k++) {
		const char *of, **names = arena_array(a, const char *, s->containers.nr + s->init_containers.nr);
		enum amount what = amount_of(keys[k], &of);
		uint32_t lack = 0;

		if (what == AMOUNT_PODS || !(streq(of, "cpu") || streq(of, "memory")))
			continue;
		for (size_t l = 0; l < 2; l++)
			for (uint32_t i = 0; i < lists[l]->nr; i++)
				if (!says(&lists[l]->v[i], what, of))
					names[lack++] = lists[l]->v[i].name;
		if (!lack)
			continue;
		qsort(names, lack, sizeof(*names), by_text);
		sb_printf(&text, "%s%s for: ", text.len ? "; " : "", keys[k]);
		for (uint32_t i = 0; i < lack; i++)
			sb_printf(&text, "%s%s", i ? "," : "", names[i]);
	}
	if (text.len)
		out = arena_printf(a, "failed quota: %s: must specify %s", q->name, sb_text(&text));
	sb_free(&text);
	return out;
}

static const char *one(struct cluster *c, const struct object *q, const struct pod_spec *s, struct arena *a)
{
	struct sb asks = { 0 }, has = { 0 }, most = { 0 };
	const char **keys, *text;
	uint32_t nr = hard_keys(q, a, &keys);

	text = must_specify(q, s, keys, nr, a);
	for (uint32_t k = 0; !text && k < nr; k++) {
		const char *of;
		enum amount what = amount_of(keys[k], &of);
		bool bytes = what != AMOUNT_PODS && (streq(of, "memory") || streq(of, "ephemeral-storage") || strncmp(of, "hugepages-", 10) == 0);
		int64_t max = 0, ask = of_pod(s, what, of), have;
		char text_of[32];

		if (!quantity_of(val_get(val_path(q->doc, "spec.hard"), keys[k]), &max))
			continue;
		have = quota_used(c, q, keys[k]);
		if (!ask || have + ask <= max)
			continue;
		sb_printf(&asks, "%s%s=%s", asks.len ? "," : "", keys[k], quantity_text(ask, bytes, text_of));
		sb_printf(&has, "%s%s=%s", has.len ? "," : "", keys[k], quantity_text(have, bytes, text_of));
		sb_printf(&most, "%s%s=%s", most.len ? "," : "", keys[k], quantity_text(max, bytes, text_of));
	}
	if (!text && asks.len)
		text = arena_printf(a, "exceeded quota: %s, requested: %s, used: %s, limited: %s", q->name, sb_text(&asks), sb_text(&has), sb_text(&most));
	sb_free(&asks);
	sb_free(&has);
	sb_free(&most);
	return text;
}

const char *quota_refuses(struct cluster *c, const char *ns, const struct pod_spec *s, struct arena *a)
{
	struct object_list l;

	if (!cluster_count(c, &quota_kind))
		return NULL;
	l = cluster_list_ns(c, &quota_kind, ns);
	for (uint32_t k = 0; k < l.nr; k++) {
		const char *why = covers(l.v[k], s) ? one(c, l.v[k], s, a) : NULL;

		if (why)
			return why;
	}
	return NULL;
}
