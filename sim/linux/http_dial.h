/* One real HTTP request from a socket in a namespace of the lab, in the clear or by TLS (then the program openssl makes the connection). */
#ifndef PODWIRE_HTTP_DIAL_H
#define PODWIRE_HTTP_DIAL_H

#include "sim/linux/dial.h"

struct http_dial {
	const struct space *from;
	ip_addr src, dst; uint16_t port;        /* src unset: the kernel picks it */
	bool tls; const char *sni;              /* "": the hello names nobody */
	const char *text;                       /* the whole request; it should ask to close the connection */
	nsec wait;                              /* for the connection, and for the answer */
	uint8_t tos;                            /* as in struct dial; by TLS only of a connection that is made first, to see whether one can be */
	/* the answer; texts live in the arena */
	enum dial_end end; int error;
	nsec took;                              /* from the first packet to the end */
	int status;                             /* 0: no answer in HTTP; the connection was cut off, or the handshake failed */
	const char *head, *body;
	const char *certificate;                /* that was shown, as PEM without its frame and line ends; NULL */
};
/* false: it could not be done (err). */
bool http_dial(struct live *, struct http_dial *, struct arena *, struct err *);
/* For who speaks something else: a connected socket that does not block, in the namespace where the thread is (-1: q says how it ended); and whether something (POLLIN …) is there
 * in time. */
int http_dial_connect(struct http_dial *);
bool http_dial_ready(int fd, short events, nsec until);
/* All values of that name, joined by commas, blanks around them left out; NULL: it is not there. */
const char *http_dial_header(const struct http_dial *, const char *name, struct arena *);

#endif
