#include "viz/report/endpoints.h"

#include <stdlib.h>

static struct val *ports_doc(const struct endpointslice *s, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < s->ports.nr; k++) {
		struct val *p = val_add(a, list, val_new(a, VAL_MAP));

		if (s->ports.v[k].name && *s->ports.v[k].name)
			val_put(a, p, "name", val_string(a, s->ports.v[k].name));
		val_put(a, p, "port", val_int(a, s->ports.v[k].port.v));
		val_put(a, p, "protocol", val_string(a, l4_names[s->ports.v[k].protocol]));
	}
	return list;
}

static void add_address(struct val *list, const struct endpoint *e, struct arena *a)
{
	struct val *v = val_add(a, list, val_new(a, VAL_MAP)), *ref;

	val_put(a, v, "ip", val_string(a, e->addresses.v[0]));
	if (e->hostname)
		val_put(a, v, "hostname", val_string(a, e->hostname));
	if (e->node)
		val_put(a, v, "nodeName", val_string(a, e->node));
	if (!e->target)
		return;
	ref = val_put(a, v, "targetRef", val_new(a, VAL_MAP));
	val_put(a, ref, "kind", val_string(a, e->target->kind ? e->target->kind : "Pod"));
	if (e->target->name)
		val_put(a, ref, "name", val_string(a, e->target->name));
	if (e->target->ns)
		val_put(a, ref, "namespace", val_string(a, e->target->ns));
	if (e->target->uid)
		val_put(a, ref, "uid", val_string(a, e->target->uid));
}

/* RepackSubsets sorts addresses by their text (LessEndpointAddress). */
static int by_text(const void *a, const void *b)
{
	return strcmp((*(const struct endpoint *const *)a)->addresses.v[0], (*(const struct endpoint *const *)b)->addresses.v[0]);
}

static void add_addresses(const struct endpointslice *s, struct val *ready, struct val *unready, struct arena *a)
{
	const struct endpoint **v = arena_array(a, const struct endpoint *, s->endpoints.nr);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->endpoints.nr; k++)
		if (s->endpoints.v[k].addresses.nr && s->endpoints.v[k].terminating != TRI_TRUE)
			v[nr++] = &s->endpoints.v[k];
	if (nr)
		qsort(v, nr, sizeof(const struct endpoint *), by_text);
	for (uint32_t k = 0; k < nr; k++)
		add_address(v[k]->ready == TRI_FALSE ? unready : ready, v[k], a);
}

static void put_list(struct val *subset, const char *key, struct val *list, struct arena *a)
{
	if (list->nr)
		val_put(a, subset, key, list);
}

struct object *endpoints_of_service(struct cluster *c, const struct service *s, struct arena *a)
{
	static const struct apply_options as_it_is = { .unknown = VALIDATE_IGNORE };
	struct object_list l = service_slices(c, s);
	struct val *root = val_new(a, VAL_MAP), *meta, *subsets;
	struct doc d = { "-", root };
	struct err none = { 0 };
	struct object *o;

	if (!s->selector.nr && !(streq(s->o.name, "kubernetes") && streq(s->o.ns, "default")))       /* that one is the API server's own */
		return NULL;
	val_put(a, root, "apiVersion", val_string(a, "v1"));
	val_put(a, root, "kind", val_string(a, "Endpoints"));
	meta = val_put(a, root, "metadata", val_new(a, VAL_MAP));
	val_put(a, meta, "name", val_string(a, s->o.name));
	val_put(a, meta, "namespace", val_string(a, s->o.ns));
	subsets = val_new(a, VAL_LIST);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)l.v[k];
		struct val *subset, *ready = val_new(a, VAL_LIST), *unready = val_new(a, VAL_LIST);

		if (!streq(sl->address_type, s->families.nr ? s->families.v[0] : "IPv4"))       /* Endpoints hold the Service's first family */
			continue;
		add_addresses(sl, ready, unready, a);
		if (!ready->nr && !unready->nr)
			continue;
		subset = val_add(a, subsets, val_new(a, VAL_MAP));
		put_list(subset, "addresses", ready, a);
		put_list(subset, "notReadyAddresses", unready, a);
		put_list(subset, "ports", ports_doc(sl, a), a);
	}
	put_list(root, "subsets", subsets, a);
	o = object_decode(c, &endpoints_kind, &d, &as_it_is, &none);
	err_free(&none);
	if (o) {
		o->created = s->o.created;
		o->file = NULL;
		o->labels = s->o.labels;
	}
	return o;
}
