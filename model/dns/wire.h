/* DNS messages as they stand in packets (RFC 1035, RFC 6891): read and written, for the server in the namespaces and for who asks it. Bytes from outside may be anything.
 * Knows no sockets. */
#ifndef PODWIRE_DNS_WIRE_H
#define PODWIRE_DNS_WIRE_H

#include "model/dns/dns.h"

#define DNS_MESSAGE_MAX 65535           /* bytes; with TCP, two bytes of length stand before it */
#define DNS_NAME_TEXT   1024            /* bytes that any name needs as text, with NUL: each of 255 bytes may become \DDD */

struct dns_asked {
	uint16_t id, type, class;       /* as numbered on the wire */
	uint8_t opcode;
	bool recursion, checking_off, edns;
	uint8_t edns_version;
	uint16_t udp_size;              /* the largest datagram that the asker takes; 512 at least */
	uint32_t end;                   /* bytes of header and question */
	char name[DNS_NAME_TEXT];       /* absolute, with the last dot; bytes that are no letter, digit, '-', '_', '*' as \DDD */
};

/* What the server answers to these bytes, by dns_query and nothing else (cluster NULL: a server outside, by zone_query). Returns its length, 0: nothing is answered (no query). out: DNS_MESSAGE_MAX bytes.
 * What does not fit into the asker's datagram is left out, and the answer says so (TC): the asker comes again by TCP. */
uint32_t dns_serve(struct cluster *, const struct zone *outside, const uint8_t *query, uint32_t n, bool tcp, uint8_t *out, struct arena *);

/* ---- parts, and the asker's side */
enum dns_read { DNS_READ_QUERY, DNS_READ_NOTHING, DNS_READ_BROKEN };    /* NOTHING: shorter than a header, or itself an answer; BROKEN: id and opcode are known, the rest is not */
enum dns_read dns_read_query(const uint8_t *p, uint32_t n, struct dns_asked *out);
/* A query with EDNS (1232 bytes). Returns its length; 0: that cannot be a name. out: 512 bytes. */
uint32_t dns_write_query(uint16_t id, const char *name, enum dns_type, uint8_t *out);
/* An answer to (id, name, type): what it holds, as dns_query gives it. false: it is none, or it is broken. */
bool dns_read_answer(const uint8_t *p, uint32_t n, uint16_t id, const char *name, enum dns_type, struct dns_answer *out, bool *truncated, struct arena *);

#endif
