/* Which certificate a server shows, as far as its Pod tells: those of the Secrets that its container mounts are the only ones that can be known. */
#ifndef PODWIRE_SERVED_CERT_H
#define PODWIRE_SERVED_CERT_H

#include "model/l7/routes.h"

/* Would the proxy before it refuse all certificates that this server could show? Why; NULL: it would not, or nothing is known of any. container NULL: the first. */
const char *served_cert_refused(struct cluster *, const struct backend_tls_policy *, const struct pod *, const char *container, struct arena *);

#endif
