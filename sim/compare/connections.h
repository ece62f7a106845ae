/* Which connections a cluster has, in words that can be compared with another cluster's: workloads and Services instead of Pods and addresses. */
#ifndef PODWIRE_CONNECTIONS_H
#define PODWIRE_CONNECTIONS_H

#include "sim/ask/question.h"

/* from, to: ends as text (deploy/shop/web, client; svc/shop/cart:80). what: what becomes of it. works: in every case delivered and answered. */
struct connection { const char *from, *to, *what; bool works; const char *place; /* file:line of what refuses it; NULL */ };
struct connections { struct connection *v; uint32_t nr, alloc; };

/* From every workload and from outside to every Service's port, node port and load balancer address, and to every port that containers declare. Sorted by from and to;
 * in the arena. */
void connections_of(struct world *, struct arena *, struct connections *out);

enum conn_change { CONN_SAME, CONN_GAINED, CONN_LOST, CONN_DIFFERENT, CONN_NEW, CONN_GONE };  /* NEW, GONE: an end exists in one of them only */
extern const char *const change_names[];
struct changed { enum conn_change change; const struct connection *before, *after; };
struct changes_list { struct changed *v; uint32_t nr, alloc; };
/* What differs; both sorted as above. */
void connections_compare(const struct connections *a, const struct connections *b, struct arena *, struct changes_list *out);

#endif
