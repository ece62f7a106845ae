/* The simulated packets of an answer as a capture that Wireshark reads: pcapng, one interface for each (namespace, interface) that the packet was seen at, one packet a
 * hop as it leaves that hop, with the decision, the rule and the object behind it as the packet's comment. Packets are raw IP: no Ethernet addresses are invented.
 * Format: IETF draft-ietf-opsawg-pcapng; link type 101 (LINKTYPE_RAW). */
#ifndef PODWIRE_PCAPNG_H
#define PODWIRE_PCAPNG_H

#include "sim/ask/question.h"

/* All outcomes, there and back, in the order of the answer. Appends to out, which holds bytes, not text. */
void trace_pcapng(struct world *, const struct answer *, struct sb *out);

#endif
