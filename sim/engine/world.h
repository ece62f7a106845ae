/* One cluster at work: its objects, its controllers, and the dataplane that they imply, compiled when it is asked for and again after a change. */
#ifndef PODWIRE_WORLD_H
#define PODWIRE_WORLD_H

#include "model/cluster/apply.h"
#include "model/control/control.h"
#include "model/dataplane/dataplane.h"
#include "model/l7/routes.h"

struct world;
struct world_options {
	uint64_t seed;                          /* 0: 1 */
	struct settings_flags flags;            /* texts need not be interned */
	struct apply_options apply;
	bool no_settle;
	bool timed; nsec until;                 /* timed: instead of settling, until this moment */
	void (*watch)(void *ctx, struct world *); void *watch_ctx;      /* after each moment, from the first on; NULL: nobody watches */
	bool ask;                               /* -f of a question: validation warns, namespaces are made, what carries status keeps it */
};

struct world {
	struct mem mem;
	struct cluster *cluster;
	struct control *control;
	struct settle_result settled;
	void (*watch)(void *ctx, struct world *); void *watch_ctx;
	struct dataplane *dp;                   /* NULL: not compiled yet */
	rev_t dp_rev; uint64_t dp_views;        /* of the cluster's objects, of what kube-proxies know */
	struct arena *routes_arena;             /* routing tables compiled so far (sim/ask/request.c); NULL: none */
	rev_t routes_rev;
	VEC(struct route_table *) routes;
	const struct l7_controller *controllers; uint32_t nr_controllers; bool controllers_known;       /* in routes_arena, of that revision, too */
	struct connections *connections;        /* that are kept open (connections.h); NULL: none */
};

/* An empty cluster with its controllers; default objects come with world_settle. */
void world_init(struct world *, const struct world_options *);
void world_free(struct world *);
/* Somebody watches from now on. The world must not move in memory. */
void world_watch(struct world *, void (*watch)(void *ctx, struct world *), void *ctx);
/* Applies all documents of the paths (files, folders, "-"), in order. Goes on after an error; false if there was any. Scenarios among them are left to `scenario`
 * (NULL: they are an error). */
typedef bool (*world_scenario)(void *ctx, const struct doc *, struct err *);
bool world_apply_paths(struct world *, const struct world_options *, const char *const *paths, uint32_t nr, world_scenario scenario, void *ctx, struct err *);
bool world_apply_doc(struct world *, const struct world_options *, const struct doc *, struct err *);
/* Adds what no document brought (nodes, system namespaces, CoreDNS … unless flags.no_defaults) and lets the controllers work. */
void world_settle(struct world *, const struct world_options *);
struct dataplane *world_dataplane(struct world *);

#endif
