/* What the files of the Gateway controller share. */
#ifndef PODWIRE_CONTROL_GATEWAY_PARTS_H
#define PODWIRE_CONTROL_GATEWAY_PARTS_H

#include "model/control/controllers.h"
#include "model/l7/controllers.h"
#include "model/l7/gateway.h"

struct gw_run { struct control *t; struct cluster *c; struct arena *a; nsec now; const struct l7_controller *v; uint32_t nr; };

/* ---- conditions (gateway_conditions.c): true where the list has changed; the time changes with the status only */
bool gw_set_condition(struct gw_run *, condition_list *, const char *type, enum cond_status, const char *reason, const char *message, int64_t generation);
bool gw_drop_condition(struct gw_run *, condition_list *, const char *type);     /* one of negative polarity that does not hold is not there */
bool gw_set_says(struct gw_run *, condition_list *, const char *type, struct gw_says, int64_t generation);

/* ---- routes and policies (gateway_routes.c) */
struct gw_states {
	struct gw_state *v; uint32_t nr;
	struct map by_parent;                   /* (route, parentRef) → state and attachment */
	struct map by_backend;                  /* (k, namespace, name): does the k-th Gateway have a route to that Service? */
};
void gw_index_state(struct gw_run *, struct gw_states *, uint32_t k);            /* the k-th was added */
void gw_route_status(struct gw_run *, struct gw_route *, const struct gw_states *);
void gw_policy_status(struct gw_run *, struct backend_tls_policy *, const struct gw_states *);

#endif
