/* What kube_proxy.c, kube_proxy_endpoints.c and kube_proxy_again.c share: kube-proxy's list of Services and slices, which follows the cluster. */
#ifndef PODWIRE_KUBE_PROXY_AGAIN_H
#define PODWIRE_KUBE_PROXY_AGAIN_H

#include "model/dataplane/kube_proxy.h"

void kp_find_services(struct kube_proxy *);
void kp_find_slices(struct kube_proxy *);               /* one look at all endpoints: which nodes they are on, and whether any has hints */
bool kp_differs(const struct kube_proxy *);
void kp_read_ports(struct kube_proxy *, uint32_t service, bool v6);     /* behind those that are there */

#endif
