#include "viz/report/endpoints.h"

#include "model/control/endpoints_pack.h"

#define MOST 1000                       /* addresses: pkg/controller/endpoint/endpoints_controller.go maxCapacity */

static struct val *ports_doc(const struct packed *s, struct arena *a)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < s->ports.nr; k++) {
		struct val *p = val_add(a, list, val_new(a, VAL_MAP));

		if (s->ports.v[k].name && *s->ports.v[k].name)
			val_put(a, p, "name", val_string(a, s->ports.v[k].name));
		val_put(a, p, "port", val_int(a, s->ports.v[k].port.v));
		val_put(a, p, "protocol", val_string(a, l4_names[s->ports.v[k].protocol]));
		if (s->ports.v[k].app_protocol)
			val_put(a, p, "appProtocol", val_string(a, s->ports.v[k].app_protocol));
	}
	return list;
}

static void add_address(struct val *list, const struct ep_address *e, struct arena *a)
{
	struct val *v = val_add(a, list, val_new(a, VAL_MAP)), *ref;

	val_put(a, v, "ip", val_string(a, e->ip));
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

/* What the slice says of one family, as a subset. Terminating Pods are in Endpoints only where those that are not ready are published as ready (ShouldPodBeInEndpoints). */
static struct ep_subset subset_of(const struct service *s, const struct endpointslice *sl, struct arena *a)
{
	struct ep_subset out = { .addresses = { .v = arena_array(a, struct ep_address, sl->endpoints.nr) }, .not_ready = { .v = arena_array(a, struct ep_address, sl->endpoints.nr) } };

	for (uint32_t k = 0; k < sl->endpoints.nr; k++) {
		const struct endpoint *e = &sl->endpoints.v[k];
		struct ep_address *to;

		if (!e->addresses.nr || (e->terminating == TRI_TRUE && !s->publish_not_ready))
			continue;
		to = e->ready == TRI_FALSE ? &out.not_ready.v[out.not_ready.nr++] : &out.addresses.v[out.addresses.nr++];
		*to = (struct ep_address){ e->addresses.v[0], e->hostname, e->node, e->target };
	}
	out.ports.v = sl->ports.v;
	out.ports.nr = sl->ports.nr;
	return out;
}

static uint32_t count(const struct packed *p, bool ready)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < p->offers.nr; k++)
		n += p->offers.v[k].ready == ready;
	return n;
}

/* How many addresses of each kind are left of each subset: all, or shares in proportion, rounded up (endpoints_controller.go truncateEndpoints). */
struct room { uint32_t all[2], left; };

static uint32_t share(struct room *r, uint32_t of_subset, bool ready, uint32_t most)
{
	uint32_t part = MIN((uint32_t)(((uint64_t)of_subset * most + r->all[ready] - 1) / MAX(r->all[ready], 1u)), r->left);

	part = MIN(part, of_subset);
	r->left -= part;
	return part;
}

static void add_offers(const struct packed *p, bool ready, uint32_t nr, struct val *list, struct arena *a)
{
	for (uint32_t k = 0; k < p->offers.nr && nr; k++)
		if (p->offers.v[k].ready == ready) {
			add_address(list, p->offers.v[k].address, a);
			nr--;
		}
}

static void put_list(struct val *subset, const char *key, struct val *list, struct arena *a)
{
	if (list->nr)
		val_put(a, subset, key, list);
}

/* true: some were left out. */
static bool put_subsets(struct val *subsets, const struct packs *packs, struct arena *a)
{
	struct room room = { { 0, 0 }, 0 };
	bool over, too_many_ready;
	uint32_t most;

	for (uint32_t k = 0; k < packs->nr; k++)
		for (int ready = 0; ready < 2; ready++)
			room.all[ready] += count(&packs->v[k], ready);
	over = room.all[0] + room.all[1] > MOST;
	too_many_ready = room.all[1] > MOST;
	room.left = most = too_many_ready ? MOST : MOST - MIN(room.all[1], (uint32_t)MOST);
	for (uint32_t k = 0; k < packs->nr; k++) {
		const struct packed *p = &packs->v[k];
		struct val *subset = val_add(a, subsets, val_new(a, VAL_MAP)), *ready = val_new(a, VAL_LIST), *unready = val_new(a, VAL_LIST);

		add_offers(p, true, too_many_ready ? share(&room, count(p, true), true, most) : count(p, true), ready, a);
		add_offers(p, false, too_many_ready ? 0 : over ? share(&room, count(p, false), false, most) : count(p, false), unready, a);
		put_list(subset, "addresses", ready, a);
		put_list(subset, "notReadyAddresses", unready, a);
		put_list(subset, "ports", ports_doc(p, a), a);
	}
	return over;
}

static void put_labels(struct val *meta, const struct service *s, struct arena *a)
{
	struct val *labels = val_put(a, meta, "labels", val_new(a, VAL_MAP));

	for (uint32_t k = 0; k < s->o.labels.nr; k++)
		if (!streq(s->o.labels.v[k].key, "service.kubernetes.io/headless"))
			val_put(a, labels, s->o.labels.v[k].key, val_string(a, s->o.labels.v[k].value));
	if (!s->selector.nr)
		return;
	if (s->cluster_ips.nr && streq(s->cluster_ips.v[0], "None"))
		val_put(a, labels, "service.kubernetes.io/headless", val_string(a, ""));
	val_put(a, labels, "endpoints.kubernetes.io/managed-by", val_string(a, "endpoint-controller"));
}

struct object *endpoints_of_service(struct cluster *c, const struct service *s, struct arena *a)
{
	static const struct apply_options as_it_is = { .unknown = VALIDATE_IGNORE };
	struct object_list l = service_slices(c, s);
	struct val *root = val_new(a, VAL_MAP), *meta, *subsets;
	struct doc d = { "-", root };
	struct endpoints e = { .subsets = { 0 } };
	struct packs packs;
	struct err none = { 0 };
	struct object *o;

	if (!s->selector.nr && !(streq(s->o.name, "kubernetes") && streq(s->o.ns, "default")))       /* that one is the API server's own */
		return NULL;
	val_put(a, root, "apiVersion", val_string(a, "v1"));
	val_put(a, root, "kind", val_string(a, "Endpoints"));
	meta = val_put(a, root, "metadata", val_new(a, VAL_MAP));
	val_put(a, meta, "name", val_string(a, s->o.name));
	val_put(a, meta, "namespace", val_string(a, s->o.ns));
	put_labels(meta, s, a);
	subsets = val_new(a, VAL_LIST);
	e.subsets.v = arena_array(a, struct ep_subset, l.nr);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)l.v[k];
		struct ep_subset subset = subset_of(s, sl, a);

		if (streq(sl->address_type, s->families.nr ? s->families.v[0] : "IPv4") && subset.addresses.nr + subset.not_ready.nr)    /* Endpoints hold the Service's first family */
			e.subsets.v[e.subsets.nr++] = subset;
	}
	packs = endpoints_repack(a, &e);
	if (put_subsets(subsets, &packs, a))
		val_put(a, val_put(a, meta, "annotations", val_new(a, VAL_MAP)), "endpoints.kubernetes.io/over-capacity", val_string(a, "truncated"));
	put_list(root, "subsets", subsets, a);
	o = object_decode(c, &endpoints_kind, &d, &as_it_is, &none);
	err_free(&none);
	if (o) {
		o->created = s->o.created;
		o->file = NULL;
	}
	return o;
}
