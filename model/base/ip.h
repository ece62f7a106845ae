/* Addresses and prefixes, IPv4 and IPv6 alike. An IPv4 address is held as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2); compare
 * with ip_eq, never with ==. Prefix lengths are the family's own: /24 of an IPv4 prefix is len 24. */
#ifndef PODWIRE_IP_H
#define PODWIRE_IP_H

#include <string.h>

#include "model/base/base.h"

typedef struct { uint64_t hi, lo; } ip_addr;    /* the address as a big number, hi first; all zero is "no address" (and ::) */
struct cidr { ip_addr addr; uint8_t len; bool set; };   /* addr has no bits behind len unless it came from cidr_parse_host */

#define IP_TEXT 46                              /* bytes that the longest address needs, with NUL */
#define CIDR_TEXT 50

static inline bool ip_eq(ip_addr a, ip_addr b) { return a.hi == b.hi && a.lo == b.lo; }
static inline bool ip_set(ip_addr a) { return a.hi || a.lo; }
static inline bool ip_is4(ip_addr a) { return a.hi == 0 && a.lo >> 32 == 0xffff; }
static inline ip_addr ip_from4(uint32_t v) { return (ip_addr){ 0, 0xffff00000000u | v }; }     /* host order */
static inline uint32_t ip_to4(ip_addr a) { return (uint32_t)a.lo; }
static inline int ip_order(ip_addr a, ip_addr b)
{
	return a.hi != b.hi ? (a.hi < b.hi ? -1 : 1) : a.lo != b.lo ? (a.lo < b.lo ? -1 : 1) : 0;
}
static inline int ip_bits(ip_addr a) { return ip_is4(a) ? 32 : 128; }

bool ip_parse(const char *s, ip_addr *out);         /* strict: no leading zeros, no zone; false (also for NULL) leaves *out alone */
bool ip_parse_n(const char *s, size_t n, ip_addr *out);
bool ip_parse_lenient(const char *s, ip_addr *out); /* leading zeros are decimal, as netutils.ParseIPSloppy */
bool cidr_parse(const char *s, struct cidr *out);   /* a.b.c.d/n; bits behind n are cut */
bool cidr_parse_lenient(const char *s, struct cidr *out); /* leading zeros are decimal, as netutils.ParseCIDRSloppy */
bool cidr_parse_host(const char *s, struct cidr *out);  /* the same, host bits kept: an interface address */
const char *ip_text(ip_addr, char out[IP_TEXT]);    /* RFC 5952, as Go prints; "" for no address */
const char *cidr_text(struct cidr, char out[CIDR_TEXT]);
bool cidr_contains(struct cidr, ip_addr);           /* false for the other family */
bool cidr_overlaps(struct cidr, struct cidr);
ip_addr ip_add(ip_addr, uint64_t n);
ip_addr ip_sub(ip_addr, uint64_t n);
uint64_t ip_diff(ip_addr a, ip_addr b);             /* a − b, at most UINT64_MAX */
ip_addr ip_mask(ip_addr, uint8_t len);              /* len of the family */
ip_addr cidr_last(struct cidr);
bool cidr_of_range(ip_addr first, ip_addr last, struct cidr *out);        /* false: the range is no prefix */
uint64_t cidr_size(struct cidr);                    /* number of addresses; UINT64_MAX if more */
bool ip_is_loopback(ip_addr);
bool ip_is_multicast(ip_addr);
bool ip_is_linklocal(ip_addr);

#define IP(a)   ip_text((a), (char[IP_TEXT]){0})    /* for printf arguments; lives until the enclosing block ends */
#define CIDR(c) cidr_text((c), (char[CIDR_TEXT]){0})

#endif
