/* Kubernetes' own test image, agnhost: where its subcommands listen, what their probes find, how they end. Source: kubernetes test/images/agnhost (2.5x). */
#ifndef PODWIRE_AGNHOST_H
#define PODWIRE_AGNHOST_H

#include "model/api/core.h"

struct agnhost_port {
	uint8_t protocol;               /* L4_TCP … */
	int32_t port;
	bool tls;
	const char *addr;               /* an IP address as its arguments have it; lives as long as the call; NULL: any */
	const char *path;               /* the field that says so: spec.containers.args */
};

struct agnhost {
	const char *subcommand;         /* NULL: another image, or another program of it */
	bool named;                     /* its command or arguments name it, so that it listens there and nowhere else; else it is the image's default, pause */
	nsec after; int32_t code;       /* it ends by itself, so long after its start; NEVER: it runs on */
	const char *depends;            /* on what the exit status depends that is not looked at, and taken to be well; NULL: code is what it is */
};
struct agnhost agnhost_of(const struct container *);
const char *agnhost_flag(const struct container *, const char *name);   /* of --port=80 or --port 80 the last; NULL: it is not given */

typedef void agnhost_listens(void *, const struct agnhost_port *);
void agnhost_ports(const struct container *, agnhost_listens *, void *);        /* each once, in the order in which it opens them */

/* Does it answer this probe well `since` its start? alive: how long `liveness` is (T_AGNHOST_ALIVE). *until as in probe_succeeds; *why: the words if it does not. true as well for what is not known. */
bool agnhost_answers(const struct container *, const struct probe *, nsec since, nsec alive, nsec *until, const char **why);
nsec agnhost_lingers(const struct container *, nsec awaits);    /* how long it goes on after SIGTERM, serve-hostname so long as it awaits its deletion (T_AGNHOST_AWAITS); 0: it ends at once */

#endif
