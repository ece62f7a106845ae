#include "model/control/quota.h"

#include "model/api/kept.h"
#include "model/base/quantity.h"

enum amount { AMOUNT_PODS, AMOUNT_REQUESTS, AMOUNT_LIMITS };
static const struct { const char *name; enum amount what; const char *of; } resources[] = {
	{ "count/pods", AMOUNT_PODS, NULL }, { "cpu", AMOUNT_REQUESTS, "cpu" }, { "limits.cpu", AMOUNT_LIMITS, "cpu" }, { "limits.memory", AMOUNT_LIMITS, "memory" },
	{ "memory", AMOUNT_REQUESTS, "memory" }, { "pods", AMOUNT_PODS, NULL }, { "requests.cpu", AMOUNT_REQUESTS, "cpu" }, { "requests.memory", AMOUNT_REQUESTS, "memory" },
};

static int64_t of_pod(const struct pod_spec *s, enum amount what, const char *of)
{
	return what == AMOUNT_PODS ? 1000 : pod_amount(s, of, what == AMOUNT_LIMITS);
}

static int64_t used(struct cluster *c, const char *ns, enum amount what, const char *of)
{
	struct object_list l = cluster_list_ns(c, &pod_kind, ns);
	int64_t sum = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		if (!pod_is_terminal((const struct pod *)l.v[k]))
			sum += of_pod(((const struct pod *)l.v[k])->spec, what, of);
	return sum;
}

int64_t quota_used(struct cluster *c, const char *ns, const char *resource)
{
	for (size_t k = 0; k < ARRAY_LEN(resources); k++)
		if (streq(resources[k].name, resource))
			return used(c, ns, resources[k].what, resources[k].of);
	return -1;
}

static const char *must_specify(const struct object *q, const struct pod_spec *s, struct arena *a)
{
	const struct val *hard = val_path(q->doc, "spec.hard");

	for (size_t k = 0; k < ARRAY_LEN(resources); k++) {
		if (resources[k].what == AMOUNT_PODS || !val_get(hard, resources[k].name))
			continue;
		for (uint32_t i = 0; i < s->containers.nr; i++) {
			const struct container *c = &s->containers.v[i];
			const pair_list *l = resources[k].what == AMOUNT_LIMITS ? &c->resources.limits : &c->resources.requests;

			if (!label_get(l, resources[k].of) && (resources[k].what == AMOUNT_LIMITS || !label_get(&c->resources.limits, resources[k].of)))
				return arena_printf(a, "failed quota: %s: must specify %s for: %s", q->name, resources[k].name, c->name);
		}
	}
	return NULL;
}

static const char *one(struct cluster *c, const struct object *q, const char *ns, const struct pod_spec *s, struct arena *a)
{
	const struct val *hard = val_path(q->doc, "spec.hard");
	struct sb asks = { 0 }, has = { 0 }, most = { 0 };
	const char *text = must_specify(q, s, a);

	for (size_t k = 0; !text && k < ARRAY_LEN(resources); k++) {
		const struct val *limit = val_get(hard, resources[k].name);
		bool bytes = streq(resources[k].of, "memory");
		char text_of[32];
		int64_t max = 0, ask = of_pod(s, resources[k].what, resources[k].of), have;

		if (!limit)
			continue;
		if (!quantity_of(limit, &max))
			continue;
		have = used(c, ns, resources[k].what, resources[k].of);
		if (!ask || have + ask <= max)
			continue;
		sb_printf(&asks, "%s%s=%s", asks.len ? "," : "", resources[k].name, quantity_text(ask, bytes, text_of));
		sb_printf(&has, "%s%s=%s", has.len ? "," : "", resources[k].name, quantity_text(have, bytes, text_of));
		sb_printf(&most, "%s%s=%s", most.len ? "," : "", resources[k].name, quantity_text(max, bytes, text_of));
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
		const char *why = val_path(l.v[k]->doc, "spec.scopes") || val_path(l.v[k]->doc, "spec.scopeSelector") ? NULL : one(c, l.v[k], ns, s, a);

		if (why)
			return why;
	}
	return NULL;
}
