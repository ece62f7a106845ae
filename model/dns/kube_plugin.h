/* Inside cluster DNS: a query on its way through the server, and the kubernetes plugin. */
#ifndef PODWIRE_KUBE_PLUGIN_H
#define PODWIRE_KUBE_PLUGIN_H

#include "model/dns/corefile.h"

enum pods_mode { PODS_DISABLED, PODS_INSECURE, PODS_VERIFIED };

/* What its block says. namespaces, namespace_labels, labels: all that it shows (of labels: of Services, slices and Pods); without them it shows everything. */
struct kube_conf {
	const char *domain;
	enum pods_mode pods;
	bool endpoint_pod_names, ignore_empty, no_endpoints;
	uint32_t ttl;
	str_list namespaces;
	const struct selector *namespace_labels, *labels;
	const char *wrong;                      /* a selector that cannot be read: CoreDNS does not start with it; NULL */
};

struct query {
	struct cluster *c;
	const struct zone *outside;
	struct kube_conf conf;
	const struct corefile *file;    /* no servers: as kubeadm writes it */
	const char *name;               /* as asked */
	enum dns_type type;
	struct arena *a;
	struct dns_answer out;
	int depth;                      /* of CNAMEs that were followed */
};

void query_run(struct query *);                                 /* cluster_dns.c: through the server that its name belongs to, into out */
void query_add(struct query *, const char *text);               /* an answer, unless it is there */
void query_add_ip(struct query *, const char *text);            /* the same, if it is an address of the family that is asked for */

/* ---- the plugin */
const char *kube_before_domain(struct query *);                 /* the part of the name before the domain; NULL: it is not in it */
void kube_in_cluster(struct query *, const char *base);         /* base: the name before the domain */
void kube_backwards(struct query *, const char *zone);          /* a name in one of the reverse zones that the plugin serves */
bool kube_reverse_address(const char *name, ip_addr *);         /* d.c.b.a.in-addr.arpa and the nibbles of ip6.arpa */
bool kube_reverse(struct query *, ip_addr);                     /* false: nobody has that address */

#endif
