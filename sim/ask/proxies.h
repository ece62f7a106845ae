/* The proxies of a cluster: their routing tables, compiled at first use, their addresses, which of them serve a host, and which one a Pod is. */
#ifndef PODWIRE_PROXIES_H
#define PODWIRE_PROXIES_H

#include "sim/ask/question.h"

/* What a look-up works on. */
struct looking { struct world *w; struct cluster *c; struct arena *a; };

void proxies_find(struct world *);              /* who runs which controller, now: it is remembered until the cluster changes */
const struct route_table *proxies_ingress(struct world *, const char *controller, struct arena *);
const struct route_table *proxies_gateway(struct world *, const struct gateway *, struct arena *);

/* The address of END_GATEWAY, END_CONTROLLER. false with *why set: it exists, and has none; without: err. */
bool proxies_address(struct cluster *, const struct end *, bool v6, struct arena *, struct target *out, const char **why, struct err *);

/* Who serves a host, as external DNS would know: the last one found, how many there are, all their names. host NULL: who takes any host. */
struct serving { struct end end; uint32_t nr; const char *names; };
struct serving proxies_serving(const struct looking *, const char *host, uint16_t port);

/* Who a Pod is for a connection to it: its table, and the port as that table calls it. table NULL: no proxy. meant: the table that --resolve named, where one
 * Pod serves several; NULL. */
struct proxy { const struct route_table *table; uint16_t port; bool envoy; };
struct proxy proxies_of(const struct looking *, const struct pod *, uint16_t dialled, uint16_t taken /* port of the Pod */, const struct route_table *meant);

#endif
