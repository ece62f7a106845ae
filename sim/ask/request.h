/* An HTTP request's whole way: name, connection, TLS, the proxy's decision, the second connection, the answer. */
#ifndef PODWIRE_REQUEST_H
#define PODWIRE_REQUEST_H

#include "sim/ask/question.h"

/* out->source is set; `to` is an END_URL. Fills the outcomes. false: it cannot be asked; err says why. */
bool request_ask(struct world *, const struct question *, const struct end *to, struct arena *, struct answer *out, struct err *);
/* The address and port of END_GATEWAY, END_CONTROLLER. */
bool request_target(struct world *, const struct end *, bool v6, struct arena *, struct target *out, struct err *);
/* Names by a source's own resolver (question.c). false: *why says what was asked and what came back; *unknown: that cannot be told, because of what is not modelled. */
bool question_resolve(struct world *, const struct source *from, const char *name, bool v6, struct arena *, ip_addr **ip, uint32_t *nr, const char **why, bool *unknown);

#endif
