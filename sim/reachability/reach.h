/* Who may reach whom by policy: routes and listeners do not count. Pods are bits; what a policy's subject and the peers of a rule are, is worked out once, as bitsets, and a
 * row (the sources that may reach one destination) is a few unions of them, made on demand. The same compiled policies (model/policy) from which chains are printed. */
#ifndef PODWIRE_REACH_H
#define PODWIRE_REACH_H

#include "model/policy/policy.h"

/* An end of a question: a Pod, or an address outside the cluster. */
struct reach_end { const struct pod *pod; ip_addr ip; const char *name; };

struct reach;
/* Of the cluster as it is; the ends are its Pods in the order (namespace, name), then the addresses. Made again after a change. */
struct reach *reach_new(struct cluster *, const ip_addr *external, uint32_t nr_external);
void reach_free(struct reach *);
uint32_t reach_nr(const struct reach *);
const struct reach_end *reach_end(const struct reach *, uint32_t i);
int64_t reach_find(const struct reach *, const char *name);    /* NS/POD or address; −1: no such end */
/* The sources that may open a connection to `to`: a bit for each end, good until the next call. */
const uint64_t *reach_row(struct reach *, uint32_t to, uint8_t proto, uint16_t port);
bool reach_allowed(struct reach *, uint32_t from, uint32_t to, uint8_t proto, uint16_t port);

/* Why: every policy that isolates an end of the connection in that direction, and what each of its rules says. */
struct reach_reason {
	const struct network_policy *policy;
	enum np_dir dir;
	int32_t allows;                         /* index of the rule that allows it; −1: none does */
	const char *missed;                     /* of the rules that do not: the first thing that failed, each with its path */
};
struct reach_why { bool allowed, same_pod, from_node; struct reach_reason *v; uint32_t nr; };
struct reach_why reach_explain(struct reach *, uint32_t from, uint32_t to, uint8_t proto, uint16_t port, struct arena *);

#endif
