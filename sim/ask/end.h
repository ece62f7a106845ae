/* The ends of a question: how they are named (docs/cli.md, "How an end is named"), and what they are in this cluster. */
#ifndef PODWIRE_END_H
#define PODWIRE_END_H

#include "model/cluster/cluster.h"
#include "sim/trace/trace.h"

enum end_kind { END_NONE, END_POD, END_WORKLOAD, END_SERVICE, END_LB, END_NODE, END_CLIENT, END_IP_AT, END_ADDR, END_NAME, END_GATEWAY, END_CONTROLLER, END_URL };
struct end {
	enum end_kind kind;
	str ns, name;                           /* pod, workload, service, gateway; node; NAME; URL: name is the host */
	const struct kind *workload;
	str container;                          /* -c */
	ip_addr ip; bool has_ip;                /* client/IP, ip/ADDR@NODE, ADDR */
	str node;                               /* ip/ADDR@NODE */
	uint16_t port; str port_name;           /* 0, NULL: none given */
	str scheme, path;                       /* URL */
	str host;                               /* URL: the Host, where it is written with a port of its own (HOST:PORT:PORT); else NULL */
	str text;                               /* as written */
};
/* dflt_ns: of `-n`. false: err says what an end looks like. */
bool end_parse(struct cluster *, const char *text, const char *dflt_ns, struct end *out, struct err *);

/* A source in the dataplane. */
struct source { netns_h netns; ip_addr ip; bool enters; link_h in; const char *in_name; struct pod *pod; struct node *node; const char *kind; };
/* The address that its socket sends from: a Pod's process has no choice of loopback (zero: the namespace chooses by its routes). */
static inline ip_addr source_address(const struct source *s, ip_addr dst) { return s->pod && ip_is_loopback(dst) ? (ip_addr){ 0, 0 } : s->ip; }
bool end_source(struct cluster *, const struct dataplane *, const struct end *, bool v6, struct source *out, struct err *);
/* Where the Pod's sockets are: its own namespace, or (hostNetwork) its node's. The name as of a struct netns; .i 0: it is not there. */
const char *pod_sockets_name(const struct pod *, struct arena *);
netns_h pod_sockets(const struct dataplane *, const struct pod *);
struct pod *end_pod(struct cluster *, const struct end *, struct err *);         /* of END_POD, END_WORKLOAD (the first by name); NULL: err */
struct object_list end_pods(struct cluster *, const struct end *, struct arena *, struct err *);     /* all of an END_WORKLOAD, by name; none: err */
/* A target: the addresses that it stands for (a headless Service has several), port and protocol. Ends that need DNS or HTTP are ask.h's. */
struct target { ip_addr *ip; uint32_t nr; uint16_t port; };
bool end_target(struct cluster *, const struct end *, enum l4, bool v6, struct arena *, struct target *out, struct err *);
/* The name of what an address is, in the form of an end: pod/default/web, node/worker-1, client; NULL if nothing in the cluster has it. */
const char *end_of_address(struct cluster *, ip_addr, struct arena *);

#endif
