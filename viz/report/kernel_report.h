/* A real connection and the kernel's trace of it, for people and as JSON (docs/cli.md, `trace -o json`). */
#ifndef PODWIRE_KERNEL_REPORT_H
#define PODWIRE_KERNEL_REPORT_H

#include "sim/linux/http_dial.h"
#include "sim/linux/nftrace.h"
#include "sim/ask/question.h"

struct val *kernel_json(struct world *, const struct answer *, const struct dial *, const struct nftrace *, struct arena *);
void kernel_text(const struct dial *, const struct nftrace *, struct sb *);      /* one line an event, then how it ended */

/* A request: one line an event, then the answer. */
struct val *kernel_http_json(struct world *, const struct answer *, const struct http_dial *, const struct nftrace *, struct arena *);
void kernel_http_text(const struct http_dial *, const struct nftrace *, struct sb *);

#endif
