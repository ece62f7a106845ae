/* Events as kubectl counts them: equal ones (object, reason, message) are one, with the first and the last time and how often. */
#ifndef PODWIRE_EVENTS_REPORT_H
#define PODWIRE_EVENTS_REPORT_H

#include "model/cluster/cluster.h"

struct told { const struct event *last; nsec first; uint32_t count; };
struct told_list { struct told *v; uint32_t nr, alloc; };
/* In order of the last time. of: of that object only; else of the namespace ns (NULL: of all). apart: every one for itself. */
struct told_list events_told(struct cluster *, const struct object *of, const char *ns, bool apart, struct arena *);
/* As an object of v1 Event. */
struct val *event_doc(struct cluster *, const struct told *, struct arena *);
/* 5s, or 5s (x3 over 20s). */
const char *told_ago(const struct cluster *, const struct told *, struct arena *);

#endif
