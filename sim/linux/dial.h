/* Real connections from real sockets in the namespaces of a lab, many at a time: who answered, at which address, and whose address the answerer saw. */
#ifndef PODWIRE_DIAL_H
#define PODWIRE_DIAL_H

#include <sys/socket.h>

#include "sim/linux/live.h"

#define DIAL_SIZE 65535u                 /* more bytes than a datagram has */

enum dial_end { DIAL_WAITS, DIAL_CONNECTED, DIAL_REFUSED, DIAL_UNREACHABLE, DIAL_TIMEOUT, DIAL_ERROR };
extern const char *const dial_end_names[];     /* as the walk would call them: delivered, refused, … */

struct dial {
	const struct space *from;
	ip_addr src, dst; uint16_t port; uint8_t proto;         /* src unset: the kernel picks it */
	uint8_t tos;                    /* marks its packets for a trace; 0: none */
	uint32_t size; bool df;         /* bytes that it sends, and wants to see again; 0: few. df: in one piece, whatever is known of the way (of TCP always) */
	nsec wait;                      /* below one second TCP sends one SYN only: one packet, one choice */
	/* the answer */
	enum dial_end end;
	int error;                      /* errno behind REFUSED, UNREACHABLE, ERROR */
	char who[128], container[64];   /* of the answerer: default/web, node/worker-1 */
	ip_addr end_ip, seen; uint16_t end_port, seen_port;
	ip_addr own; uint16_t own_port; /* the socket's own end */
	/* inside */
	int fd; bool sent; nsec deadline; char line[512]; size_t out /* bytes sent */, len, echoed;
};

/* Sockets of the caller's that answer as workloads do, for ends that listen wherever they are asked. */
struct answering { const struct space *space; uint8_t proto; uint16_t port; int fd; };
struct dialer { struct live *live; int epoll; struct answering *v; uint32_t nr, alloc; };
bool dialer_begin(struct dialer *, struct live *, struct err *);
void dialer_end(struct dialer *);
bool dialer_answer_at(struct dialer *, const struct space *, uint8_t proto, uint16_t port, struct err *);       /* nothing is done where somebody listens already */
socklen_t dial_sockaddr(ip_addr, uint16_t port, struct sockaddr_storage *out);
void dial_mark(int fd, ip_addr to, uint8_t tos);         /* a socket's packets */
/* Asks all of them, at most `parallel` at a time. false: it could not be done (err). */
bool dialer_ask(struct dialer *, struct dial **, uint32_t nr, uint32_t parallel, struct err *);
nsec dial_clock(void);                  /* real time, from some start */
enum dial_end dial_end_of(int error);    /* what an errno of connect, send or receive says */

#endif
