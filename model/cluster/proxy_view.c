#include "model/cluster/proxy_view.h"

#include "model/cluster/store.h"

void cluster_set_proxy_views(struct cluster *c, const struct proxy_view *(*view)(void *, const struct node *), uint64_t (*version)(void *), void *ctx)
{
	c->views.view = view;
	c->views.version = version;
	c->views.ctx = ctx;
}

const struct proxy_view *cluster_proxy_view(const struct cluster *c, const struct node *n)
{
	return c->views.view ? c->views.view(c->views.ctx, n) : NULL;
}

uint64_t cluster_proxy_views(const struct cluster *c)
{
	return c->views.version ? c->views.version(c->views.ctx) : 0;
}

struct object_list view_services(struct cluster *c, const struct proxy_view *v)
{
	return v ? v->services : cluster_list(c, &service_kind);
}

struct object_list view_slices(struct cluster *c, const struct proxy_view *v)
{
	return v ? v->slices : cluster_list(c, &endpointslice_kind);
}

static int service_order(const struct object *o, const char *ns, const char *service)
{
	int order = str_order(o->ns, ns);

	return order ? order : str_order(((const struct endpointslice *)o)->service, service);
}

struct object_list view_slices_of(struct cluster *c, const struct proxy_view *v, const struct service *s)
{
	uint32_t lo = 0, hi, nr = 0;

	if (!v)
		return service_slices(c, s);
	hi = v->by_service.nr;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (service_order(v->by_service.v[mid], s->o.ns, s->o.name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + nr < v->by_service.nr && service_order(v->by_service.v[lo + nr], s->o.ns, s->o.name) == 0)
		nr++;
	return (struct object_list){ v->by_service.v + lo, nr };
}

const struct service *view_service(struct cluster *c, const struct proxy_view *v, const char *ns, const char *name)
{
	uint32_t lo = 0, hi;

	if (!v)
		return find_service(c, ns, name);
	hi = v->services.nr;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct object *o = v->services.v[mid];
		int order = str_order(o->ns, ns);

		order = order ? order : str_order(o->name, name);
		if (!order)
			return (const struct service *)o;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
