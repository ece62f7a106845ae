/* What the files of Gateways share. */
#ifndef PODWIRE_L7_GATEWAY_PARTS_H
#define PODWIRE_L7_GATEWAY_PARTS_H

#include "model/l7/gateway.h"

static inline struct gw_says gw_fine(const char *reason) { return (struct gw_says){ true, reason, "" }; }
static inline struct gw_says gw_wrong(const char *reason, const char *message) { return (struct gw_says){ false, reason, message }; }
static inline bool gw_word_is(const char *have, const char *dflt, const char *want) { return streq(have ? have : dflt, want); }

void gw_listeners_read(struct cluster *, struct gw_state *, struct arena *);     /* fills listeners and sets; s->gw is set */
void gw_sets_judge(struct gw_state *, struct arena *);                           /* their conditions, once the Gateway's own is known */
/* allowedRoutes.namespaces and allowedListeners.namespaces: may an object of `ns` come to one of `own`? dflt: where from is not said. */
bool gw_namespace_allowed(struct cluster *, const struct route_ns *, const char *dflt, str own, str ns);

/* Certificates that a listener asks of clients: its conditions, and whether it insists (gateway_tls.c). */
void gw_client_certificates(struct cluster *, const struct gateway *, struct gw_listener_state *, struct arena *);
void gw_backend_tls(struct cluster *, struct l7_ref *, struct arena *);

/* One match of one rule, under one hostname. */
struct gw_entry {
	const char *host;
	const struct gw_attachment *at;
	uint32_t rule, match;                   /* match UINT32_MAX: none given, everything matches */
	nsec born;
	const struct l7_action *action;
	enum l7_path kind; const char *path;
	size_t service, method;                 /* gRPC: characters in them, of regular expressions too */
};
struct gw_entry gw_entry_make(const char *host, const struct gw_attachment *, uint32_t rule, uint32_t match, const struct l7_action *, struct arena *);
int gw_entry_order(const void *, const void *);          /* for qsort: by host, then by precedence */
void gw_entry_add(struct route_table *, uint32_t group, const struct gw_entry *);

#endif
