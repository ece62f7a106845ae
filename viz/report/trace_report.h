/* An answer for people (one line a hop, a last line that says it in one sentence) and for machines (docs/cli.md, `trace -o json`). */
#ifndef PODWIRE_TRACE_REPORT_H
#define PODWIRE_TRACE_REPORT_H

#include "sim/ask/question.h"

struct val *trace_json(struct world *, const struct answer *, struct arena *);
void trace_text(struct world *, const struct answer *, bool verbose, struct sb *);
/* Object and place behind a cause: "Service default/web (web.yaml:12)". Nothing for no cause. */
void cause_text(struct world *, cause_h, struct sb *);
/* The same as a list of {object, path, file, line}, from the nearest cause to the last. */
struct val *causes_json(struct world *, cause_h, struct arena *);

#endif
