/* Parts of `verify` for HTTP: see verify.h. */
#ifndef PODWIRE_VERIFY_HTTP_H
#define PODWIRE_VERIFY_HTTP_H

#include "sim/linux/http_dial.h"
#include "sim/linux/verify.h"

/* The requests that tell whether a proxy has the routing table: for each rule one that matches, and others that just miss. In the order of Pods, listeners, hosts, rules. */
struct question *http_cases(struct world *, struct arena *, uint32_t *nr);

#endif
