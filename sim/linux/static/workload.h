/* The parts of the process that stands in a container: what it listens on (workload.c), how it answers (answer.c), what it writes down (journal.c). */
#ifndef PODWIRE_WORKLOAD_H
#define PODWIRE_WORKLOAD_H

#include "sim/linux/static/health.h"
#include "sim/linux/static/relay.h"

#define MAX_LISTEN 256

enum kind { LISTENER, DATAGRAMS, CONNECTION, ANSWERS };
struct sock { enum kind kind; int fd; uint16_t port; bool echoing; struct health health; size_t len; char buf[4096]; };
struct me {
	const char *name, *container, *node, *log;
	const char *write_to[8], *follow[8], *copy_to[8];
	int nr_write, nr_follow;
	long followed[8];
	int epoll, nr;
	uint16_t dns_port;              /* 0: none */
	uint16_t lines_port;            /* what is said there is kept as it is; 0: none */
	uint16_t tell; bool tell_udp; int tell_fd;      /* the port of who keeps this one's log; 0: nobody */
	struct relay relay;
	struct sock *listener[MAX_LISTEN]; int nr_listener;
};

/* answer.c. false: the connection is over. */
bool answer_connection(struct me *, struct sock *);
void answer_datagram(struct me *, struct sock *);
void answer_dns(struct me *);                   /* what the lab's name server has said */

/* journal.c: into the log, and where else its lines go */
void keep(const struct me *, const char *text, size_t n);
void say(struct me *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));       /* a line, behind the time */
void follow(struct me *, int k);                /* what another container has written since, by the number of its directory */

#endif
