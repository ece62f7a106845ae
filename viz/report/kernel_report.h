/* A real connection and the kernel's trace of it, for people and as JSON (docs/cli.md, `trace -o json`). */
#ifndef PODWIRE_KERNEL_REPORT_H
#define PODWIRE_KERNEL_REPORT_H

#include "sim/linux/nftrace.h"
#include "sim/ask/question.h"

struct val *kernel_json(struct world *, const struct answer *, const struct dial *, const struct nftrace *, struct arena *);
void kernel_text(const struct dial *, const struct nftrace *, struct sb *);      /* one line an event, then how it ended */

#endif
