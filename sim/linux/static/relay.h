/* The DNS side of a container: queries that come in are handed to the lab's one name server (sim/linux/zone.c), which knows the zone, and its answers are handed back to who
 * asked. Nothing is understood here; a query is as many bytes as it is. */
#ifndef PODWIRE_RELAY_H
#define PODWIRE_RELAY_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_PENDING 1024
#define RELAY_MESSAGE 65535
#define RELAY_HEAD    8         /* before each message: a number of the relay's, and RELAY_… */
#define RELAY_TCP     1         /* it came by TCP */
#define RELAY_OUTSIDE 2         /* to a server outside */

struct relay {
	int fd;                 /* readable: an answer is there */
	uint32_t serial;
	bool outside;           /* the server stands for one outside the cluster */
	struct pending { uint32_t serial; int fd; bool tcp; struct sockaddr_in6 peer; struct in6_pktinfo at; } pending[RELAY_PENDING];
};

/* zone: the path of the name server's socket; own: the path of the one that this end gets. false: errno. */
bool relay_open(struct relay *, const char *zone, const char *own);
/* A query from a socket; at: the address that was asked (UDP). It is lost if the name server has too much to do: who asked asks again. */
void relay_ask(struct relay *, const void *query, size_t n, int fd, bool tcp, const struct sockaddr_in6 *peer, const struct in6_pktinfo *at);
/* One answer, on its way to who asked. line: what is worth a line in the log ("" if nothing is). false: there is none. */
bool relay_answer(struct relay *, char *line, size_t max);
void relay_forget(struct relay *, int fd);      /* a connection that is closed */

#endif
