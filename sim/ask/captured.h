/* A question about captured nodes: there are no objects, so ends are addresses and nodes only. */
#ifndef PODWIRE_CAPTURED_H
#define PODWIRE_CAPTURED_H

#include "model/dataplane/capture.h"
#include "sim/ask/question.h"

/* Ends: node[/NAME][:PORT], ip/ADDR[@NODE], client[/ADDR], external, ADDR[:PORT]. iface: by which interface the packet comes in; NULL: where the way back to its source
 * leads. w: an empty world whose dataplane is the capture's. */
bool captured_ask(struct world *, const struct question *, const char *iface, struct arena *, struct answer *out, struct err *);

#endif
