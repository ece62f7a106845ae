/* What match.c and act.c share: one matching at work. */
#ifndef PODWIRE_L7_DECIDING_H
#define PODWIRE_L7_DECIDING_H

#include "model/l7/table.h"

struct deciding {
	const struct route_table *t;
	struct l7_query q;
	struct arena *a;
	const struct l7_route *route;
	const char *host;               /* the virtual host's pattern */
	const char *why;
	bool stream;                    /* a connection that is passed on as it is */
	struct http_decision *out;
	VEC(struct http_backend) v;
};
struct share { uint64_t num, den; nsec delay; };        /* of all requests */

struct http_backend *l7_answer(struct deciding *, struct share, int status, const char *why);   /* one way more; the caller adds where it goes. match.c */
void l7_act(struct deciding *, const struct l7_action *);        /* all ways that the action has. act.c */

#endif
