/* What kube-proxies know: Services and EndpointSlices as they stood when the rules were written last, where they have changed since (facts 57), or where a
 * node's kube-proxy is stopped. Whoever keeps the time (model/control/proxy.c) tells; whoever writes rules asks. */
#ifndef PODWIRE_PROXY_VIEW_H
#define PODWIRE_PROXY_VIEW_H

#include "model/cluster/cluster.h"

struct proxy_view {
	struct object_list services, slices;    /* copies, in the order (namespace, name) */
	struct object_list by_service;          /* the slices again, in the order (namespace, Service, name) */
};
/* NULL: the present. node NULL: of the nodes whose kube-proxy runs. */
const struct proxy_view *cluster_proxy_view(const struct cluster *, const struct node *);
uint64_t cluster_proxy_views(const struct cluster *);           /* changes whenever some view may have changed */
void cluster_set_proxy_views(struct cluster *, const struct proxy_view *(*view)(void *ctx, const struct node *), uint64_t (*version)(void *ctx), void *ctx);

/* Of a view, or of the present where it is NULL. Lists of the present are good as cluster.h says. */
struct object_list view_services(struct cluster *, const struct proxy_view *);
struct object_list view_slices(struct cluster *, const struct proxy_view *);
struct object_list view_slices_of(struct cluster *, const struct proxy_view *, const struct service *);
const struct service *view_service(struct cluster *, const struct proxy_view *, const char *ns, const char *name);

#endif
