/* One gRPC health check from a socket in a namespace of the lab, as the kubelet's probes make it (grpc.health.v1.Health/Check by HTTP/2 in the clear). */
#ifndef PODWIRE_GRPC_DIAL_H
#define PODWIRE_GRPC_DIAL_H

#include "sim/linux/dial.h"

enum { GRPC_NO_ANSWER = -1, GRPC_SERVING = 1 };
struct grpc_dial {
	const struct space *from;
	ip_addr dst; uint16_t port;
	const char *service, *probe;            /* "": the server as a whole (the lab's own takes GRPC_MOST bytes); which probe it is, for who scripts it */
	nsec wait;
	/* the answer */
	enum dial_end end;
	int status;                             /* of HealthCheckResponse, GRPC_NO_ANSWER: none came */
};
/* What of an answer came so far: the status in its message (HealthCheckResponse, field 1; where that is missing, 0), GRPC_NO_ANSWER: it is not all there, or is none. */
int grpc_status_in(const char *bytes, size_t n);
/* false: it could not be done (err). */
bool grpc_dial(struct live *, struct grpc_dial *, struct err *);

#endif
