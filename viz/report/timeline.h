/* A chronicle as people read it: time runs downwards, each lane is a column, a bar says that nothing changed. And as JSON. */
#ifndef PODWIRE_TIMELINE_REPORT_H
#define PODWIRE_TIMELINE_REPORT_H

#include "sim/engine/chronicle.h"

void timeline_text(struct cluster *, const struct chronicle *, struct arena *, struct sb *out);
/* {"object": "Pod default/web", "lanes": [{"name": …, "states": [{"at": "0.255s", "state": "ready"}]}], "events": [{"at": …, "type": …, "reason": …, "message": …}]} */
struct val *timeline_json(struct cluster *, const struct chronicle *, struct arena *);

#endif
