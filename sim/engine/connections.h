/* Connections that stay open between questions: what conntrack and session affinity hold of them (sim/trace/flows.c), and their names. kube-proxy, felix and portmap flush
 * what they flush; the rest lives until it expires in virtual time.
 * Sources: kubernetes pkg/proxy/conntrack/cleanup.go (UDP only; a Service without endpoints is passed over); calico felix/routetable/conntrack_owner_tracker.go (all
 * flows of a workload's address whose local route goes, on its own node); containernetworking/plugins plugins/meta/portmap (UDP of a host port, when a Pod comes). */
#ifndef PODWIRE_CONNECTIONS_H
#define PODWIRE_CONNECTIONS_H

#include "sim/engine/world.h"
#include "sim/trace/trace.h"

struct connection {
	const char *name;
	const char *from, *to;                  /* the ends as they were named */
	const char *netns;                      /* of the client's socket */
	struct tuple t;                         /* as the client's socket has it */
	const char *pod_uid;                    /* of the Pod that took it; NULL: another listener */
	nsec opened;
};
struct connections;

/* The world's flows at this moment, flushed; NULL where nothing has been kept yet. */
struct flows *world_flows(struct world *);
struct flows *world_flows_make(struct world *);                         /* the same, made if need be */
void connection_keep(struct world *, const struct connection *);        /* copied; replaces one of that name */
const struct connection *connection_find(const struct world *, const char *name);       /* NULL: there is none */
const struct connection *connections_all(const struct world *, uint32_t *nr);
/* Does the server's socket still know it? false: the Pod is another one, or its container has started since; *why is a sentence. */
bool connection_is_known(const struct connection *, const struct pod *, const char *container, const char **why);
void connections_free(struct connections *);

/* For the lab: NULL if there is nothing to save. */
struct val *connections_save(const struct world *, struct arena *);
void connections_load(struct world *, const struct val *);

#endif
