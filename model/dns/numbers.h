/* The numbers of DNS on the wire (IANA, dns-parameters), for who reads and who writes messages. */
#ifndef PODWIRE_DNS_NUMBERS_H
#define PODWIRE_DNS_NUMBERS_H

#include "model/dns/dns.h"

#define DNS_HEADER  12u                 /* bytes */
#define DNS_LABEL   63u                 /* bytes of the longest label, of the longest name */
#define DNS_NAME    255u
#define DNS_UDP_MIN 512u                /* RFC 1035, 2.3.4 */
#define CLASS_IN    1
#define CLASS_ANY   255

enum { FLAG_QR = 0x8000, FLAG_AA = 0x0400, FLAG_TC = 0x0200, FLAG_RD = 0x0100, FLAG_RA = 0x0080, FLAG_CD = 0x0010 };
enum { RCODE_FORMERR = 1, RCODE_NOTIMP = 4, RCODE_REFUSED = 5, RCODE_BADVERS = 16 };
enum { TYPE_SOA = 6, TYPE_OPT = 41 };

extern const uint16_t dns_type_numbers[DNS_TYPE_COUNT];
extern const uint8_t dns_rcode_numbers[];
bool dns_type_known(uint16_t number, enum dns_type *out);

#endif
