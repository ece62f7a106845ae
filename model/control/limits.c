#include "model/control/limits.h"

#include <stdlib.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/control/common.h"
#include "model/control/workloads.h"

static const char *amount_text(const struct val *v, struct arena *a)
{
	char text[64];

	return v ? arena_strdup(a, quantity_written(v, text)) : NULL;
}

/* ---- defaults */

/* The value of a Container range for requests or limits: a limit is the default, or the most; a request its own default, or the limit's, or the least. */
static const struct val *default_of(const struct val *item, const char *resource, bool request)
{
	static const char *const members[] = { "defaultRequest", "default", "max", "min" };

	for (size_t k = request ? 0 : 1; k < (request ? ARRAY_LEN(members) : 3); k++)
		if (val_get(val_get(item, members[k]), resource))
			return val_get(val_get(item, members[k]), resource);
	return NULL;
}

static void put(struct cluster *c, pair_list *l, const char *key, const struct val *v)
{
	if (v && !label_get(l, key))
		*l = pairs_with(c, l, key, amount_text(v, cluster_arena(c)));
}

static void fill_container(struct cluster *c, struct container *to, const struct val *item)
{
	static const char *const members[] = { "defaultRequest", "default", "max", "min" };
	pair_list own = to->resources.limits;

	for (size_t m = 0; m < ARRAY_LEN(members); m++)
		VAL_EACH_KEY(v, val_get(item, members[m])) {
			if (m < 3)
				put(c, &to->resources.limits, v->key, default_of(item, v->key, false));
			if (!label_get(&own, v->key))   /* what says a limit asks for as much */
				put(c, &to->resources.requests, v->key, default_of(item, v->key, true));
		}
}

static void fill(struct control *t, struct pod_spec *s, void *ctx)
{
	struct cluster *c = control_cluster(t);
	container_list *lists[] = { &s->containers, &s->init_containers };

	for (size_t l = 0; l < 2; l++) {
		lists[l]->v = lists[l]->nr ? arena_copy(cluster_arena(c), lists[l]->v, lists[l]->nr * sizeof(*lists[l]->v)) : NULL;
		for (uint32_t k = 0; k < lists[l]->nr; k++) {
			struct object_list ranges = cluster_list_ns(c, &limit_range_kind, ctx);

			for (uint32_t r = 0; r < ranges.nr; r++)
				VAL_EACH(item, val_path(ranges.v[r]->doc, "spec.limits"))
					if (streq(val_str_at(item, "type"), "Container"))
						fill_container(c, &lists[l]->v[k], item);
		}
	}
}

static bool same_resources(const struct pod_spec *a, const struct pod_spec *b)
{
	const container_list *x[] = { &a->containers, &a->init_containers }, *y[] = { &b->containers, &b->init_containers };

	for (size_t l = 0; l < 2; l++)
		for (uint32_t k = 0; k < x[l]->nr; k++)
			if (x[l]->v[k].resources.requests.nr != y[l]->v[k].resources.requests.nr || x[l]->v[k].resources.limits.nr != y[l]->v[k].resources.limits.nr)
				return false;
	return true;
}

const struct pod_spec *limits_apply(struct control *t, const char *ns, const struct pod_spec *s)
{
	struct cluster *c = control_cluster(t);
	struct object_list ranges = cluster_count(c, &limit_range_kind) ? cluster_list_ns(c, &limit_range_kind, ns) : (struct object_list){ 0 };
	const struct pod_spec *with;
	struct sb key = { 0 };

	if (!ranges.nr)
		return s;
	sb_printf(&key, "limits %s", ns);
	for (uint32_t k = 0; k < ranges.nr; k++)
		sb_printf(&key, " %s@%u", ranges.v[k]->name, ranges.v[k]->rev);
	with = spec_variant(t, s, sb_text(&key), fill, (void *)(uintptr_t)ns);
	sb_free(&key);
	return same_resources(s, with) ? s : with;
}

/* ---- what was added, in the plugin's words */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void note(struct sb *out, const pair_list *before, const pair_list *after, const char *what, const char *whose, const char *name, struct arena *a)
{
	const char **keys = arena_array(a, const char *, after->nr);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < after->nr; k++)
		if (!label_get(before, after->v[k].key))
			keys[nr++] = after->v[k].key;
	if (!nr)
		return;
	qsort(keys, nr, sizeof(*keys), by_text);
	sb_add(out, out->len ? "; " : "LimitRanger plugin set: ");
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(out, "%s%s", k ? ", " : "", keys[k]);
	sb_printf(out, " %s for %s %s", what, whose, name);
}

const char *limits_note(const struct pod_spec *before, const struct pod_spec *after, struct arena *a)
{
	const container_list *x[] = { &before->containers, &before->init_containers }, *y[] = { &after->containers, &after->init_containers };
	struct sb out = { 0 };
	const char *text;

	for (size_t l = 0; before != after && l < 2; l++)
		for (uint32_t k = 0; k < x[l]->nr; k++) {
			const char *whose = l ? "init container" : "container";

			note(&out, &x[l]->v[k].resources.requests, &y[l]->v[k].resources.requests, "request", whose, x[l]->v[k].name, a);
			note(&out, &x[l]->v[k].resources.limits, &y[l]->v[k].resources.limits, "limit", whose, x[l]->v[k].name, a);
		}
	text = out.len ? arena_strdup(a, sb_text(&out)) : NULL;
	sb_free(&out);
	return text;
}

/* ---- constraints */

struct amounts { bool has_request, has_limit; int64_t request, limit; const char *request_text, *limit_text; };
struct verdict { struct arena *a; const char *v[32]; uint32_t nr; };

static void refuse(struct verdict *x, const char *text)
{
	if (x->nr < ARRAY_LEN(x->v))
		x->v[x->nr++] = text;
}

static struct amounts of_container(const struct container *c, const char *resource)
{
	const char *request = label_get(&c->resources.requests, resource), *limit = label_get(&c->resources.limits, resource);
	struct amounts m = { 0 };

	request = request ? request : limit;
	m.has_request = request && quantity_parse(request, &m.request);
	m.has_limit = limit && quantity_parse(limit, &m.limit);
	m.request_text = request;
	m.limit_text = limit;
	return m;
}

/* Of all its containers together; what none of them says is not said. */
static struct amounts of_pod(const struct pod_spec *s, const char *resource, struct arena *a)
{
	bool bytes = !streq(resource, "cpu");
	struct amounts m = { .request = pod_amount(s, resource, false), .limit = pod_amount(s, resource, true) };
	const container_list *lists[] = { &s->containers, &s->init_containers };
	char text[32];

	for (size_t l = 0; l < 2; l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++) {
			struct amounts one = of_container(&lists[l]->v[k], resource);

			m.has_request = m.has_request || one.has_request;
			m.has_limit = m.has_limit || one.has_limit;
		}
	m.request_text = arena_strdup(a, quantity_text(m.request, bytes, text));
	m.limit_text = arena_strdup(a, quantity_text(m.limit, bytes, text));
	return m;
}

static void bound(struct verdict *x, const char *type, const char *resource, const char *enforced, bool least, const struct amounts *m)
{
	const char *which = least ? "minimum" : "maximum", *need = least ? "request" : "limit";
	bool has = least ? m->has_request : m->has_limit;
	int64_t v;

	if (!enforced || !quantity_parse(enforced, &v))
		return;
	if (!has) {
		refuse(x, arena_printf(x->a, "%s %s usage per %s is %s.  No %s is specified", which, resource, type, enforced, need));
		return;
	}
	for (int k = 0; k < 2; k++) {
		bool request = least == (k == 0);       /* the one that it is about first */
		int64_t have = request ? m->request : m->limit;

		if ((request ? m->has_request : m->has_limit) && (least ? have < v : have > v)) {
			refuse(x, arena_printf(x->a, "%s %s usage per %s is %s, but %s is %s", which, resource, type, enforced, request ? "request" : "limit", request ? m->request_text : m->limit_text));
			return;
		}
	}
}

static void ratio(struct verdict *x, const char *type, const char *resource, const char *enforced, const struct amounts *m)
{
	int64_t v;
	double have;

	if (!enforced || !quantity_parse(enforced, &v))
		return;
	if (!m->has_request || !m->request) {
		refuse(x, arena_printf(x->a, "%s max limit to request ratio per %s is %s, but no request is specified or request is 0", resource, type, enforced));
		return;
	}
	if (!m->has_limit || !m->limit) {
		refuse(x, arena_printf(x->a, "%s max limit to request ratio per %s is %s, but no limit is specified or limit is 0", resource, type, enforced));
		return;
	}
	have = (double)m->limit / (double)m->request;
	if (have * 1000 > (double)v)
		refuse(x, arena_printf(x->a, "%s max limit to request ratio per %s is %s, but provided ratio is %f", resource, type, enforced, have));
}

static void constrain(struct verdict *x, const struct val *item, const char *type, const struct pod_spec *s, const struct container *c)
{
	static const char *const members[] = { "min", "max", "maxLimitRequestRatio" };

	for (size_t k = 0; k < ARRAY_LEN(members); k++) {
		const struct val *map = val_get(item, members[k]);
		const char **keys = arena_array(x->a, const char *, map ? map->nr : 0);
		uint32_t nr = 0;

		VAL_EACH_KEY(v, map)
			keys[nr++] = v->key;
		if (nr > 1)
			qsort(keys, nr, sizeof(*keys), by_text);
		for (uint32_t i = 0; i < nr; i++) {
			struct amounts m = c ? of_container(c, keys[i]) : of_pod(s, keys[i], x->a);
			const char *enforced = amount_text(val_get(map, keys[i]), x->a);

			if (k == 2)
				ratio(x, type, keys[i], enforced, &m);
			else
				bound(x, type, keys[i], enforced, k == 0, &m);
		}
	}
}

const char *limits_refuse(struct cluster *c, const char *ns, const struct pod_spec *s, struct arena *a)
{
	struct object_list ranges = cluster_count(c, &limit_range_kind) ? cluster_list_ns(c, &limit_range_kind, ns) : (struct object_list){ 0 };
	const container_list *lists[] = { &s->containers, &s->init_containers };
	struct sb all = { 0 };
	const char *text = NULL;

	for (uint32_t r = 0; r < ranges.nr && !text; r++) {
		struct verdict x = { .a = a };

		VAL_EACH(item, val_path(ranges.v[r]->doc, "spec.limits")) {
			if (streq(val_str_at(item, "type"), "Pod"))
				constrain(&x, item, "Pod", s, NULL);
			for (size_t l = 0; l < 2 && streq(val_str_at(item, "type"), "Container"); l++)
				for (uint32_t k = 0; k < lists[l]->nr; k++)
					constrain(&x, item, "Container", s, &lists[l]->v[k]);
		}
		if (x.nr == 1)
			text = x.v[0];
		for (uint32_t k = 0; x.nr > 1 && k < x.nr; k++)
			sb_printf(&all, "%s%s%s", k ? ", " : "[", x.v[k], k + 1 == x.nr ? "]" : "");
		if (x.nr > 1)
			text = arena_strdup(a, sb_text(&all));
	}
	sb_free(&all);
	return text;
}
