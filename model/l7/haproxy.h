/* A routing table as the configuration of HAProxy 2.6: what the matcher (match.c, act.c) decides in memory, a real proxy decides in a Pod. One frontend finds listener, host and
 * route in the table's order; each route is a backend that asks the guards, changes the request and holds the endpoints. What HAProxy cannot do of a route is not
 * done in another way: such a request is answered 501, with the reason in the header X-Podwire-Cannot. Texts from manifests are quoted; control characters never pass. */
#ifndef PODWIRE_HAPROXY_H
#define PODWIRE_HAPROXY_H

#include "model/l7/planes.h"

#define HAPROXY_CANNOT "X-Podwire-Cannot"
#define HAPROXY_DIR "/run/podwire/proxies"      /* of a lab */

struct haproxy_file { const char *name, *text; };               /* 443.list: which certificate is shown for which name */
#define HAPROXY_IDENTITY  "identity.pem"        /* a certificate by the lab's authority, whose only name is the Pod's SPIFFE identity, and its key */
#define HAPROXY_AUTHORITY "authority.pem"
/* PEM that the configuration or the list names; NS/NAME of the Secret, or NULL: the controller's own; or, with a principal (TRUST-DOMAIN/ns/NS/sa/NAME), of the mesh. */
struct haproxy_cert { const char *file, *secret, *principal; };
struct haproxy_conf {
	struct sb text;
	VEC(struct haproxy_file) files;
	VEC(struct haproxy_cert) certs;
	VEC(const char *) cannot;               /* what of the table it does not do, one sentence each */
};
/* dir: the folder of its files. The texts live in the arena, text on the heap: haproxy_free. */
void haproxy_write(const struct l7_plane *, const char *dir, struct arena *, struct haproxy_conf *out);
void haproxy_free(struct haproxy_conf *);
/* Where a lab keeps the files of a Pod's proxy. */
const char *haproxy_dir(const struct l7_plane *, struct arena *);
/* All of it for reading: the configuration, and its other files as comments behind it. */
void haproxy_print(const struct l7_plane *, struct sb *out, struct arena *);

#endif
