/* Names: what cluster DNS (CoreDNS, by the DNS specification 1.1.0) answers, what a Pod's resolv.conf says, and which names a resolver asks in turn. */
#ifndef PODWIRE_DNS_H
#define PODWIRE_DNS_H

#include "model/cluster/cluster.h"

enum dns_type { DNS_A, DNS_AAAA, DNS_SRV, DNS_PTR, DNS_CNAME, DNS_TXT, DNS_NS, DNS_TYPE_COUNT };
extern const char *const dns_type_names[DNS_TYPE_COUNT];
enum dns_rcode { DNS_NOERROR, DNS_NXDOMAIN, DNS_SERVFAIL, DNS_REFUSED, DNS_TIMEOUT, DNS_UNREACHABLE /* port unreachable, or a reset, instead of an answer */ };
extern const char *const dns_rcode_names[];
struct dns_answer {
	enum dns_rcode rcode;
	str_list answers, cname;        /* as text: addresses, "PORT TARGET" of SRV, names with their last dot; the CNAMEs that led there */
	ip_addr *ips; uint32_t nr_ips;  /* of A and AAAA */
	bool own; uint32_t ttl;         /* own: from the cluster's own zone; ttl in seconds */
	const char *unknown;            /* why the answer cannot be told: a plugin that is not modelled; NULL: it is as it says */
};

struct zone;                                    /* what DNS outside the cluster knows: an RFC 1035 master file, the part with IN records of these types */
struct zone *zone_parse(struct arena *, const char *text, struct err *);
/* A query to it; CNAMEs are followed inside the zone. zone NULL: nothing is known, NXDOMAIN. */
struct dns_answer zone_query(const struct zone *, const char *name, enum dns_type, struct arena *);
void zone_names(const struct zone *, struct arena *, str_list *out);    /* of its records, each once; zone may be NULL */
void dns_add(struct arena *, str_list *, const char *text);            /* appends */
bool dns_same_name(const char *a, const char *b);                       /* case and the last dot do not matter */

/* One query straight to cluster DNS. name: absolute, with or without the last dot. */
struct dns_answer dns_query(struct cluster *, const struct zone *outside, const char *name, enum dns_type, struct arena *);

/* The names that cluster DNS knows something of (Services, their ports and endpoints, Pods, namespaces, addresses, the names of the zone outside), each with the types that
 * matter, and some that do not exist. */
struct dns_name { const char *name; enum dns_type type; };
struct dns_names { struct dns_name *v; uint32_t nr, alloc; };
struct dns_names dns_names(struct cluster *, const struct zone *outside, struct arena *);
const char *dns_reverse_name(ip_addr, struct arena *);                  /* 4.3.2.10.in-addr.arpa. */
/* Both say the same: as sets, names whatever their case and last dot. */
bool dns_same_answer(const struct dns_answer *, const struct dns_answer *, enum dns_type);
const char *dns_answer_text(const struct dns_answer *, struct arena *);  /* "NOERROR 10.96.0.10 10.96.0.11", one line */

struct resolv_conf { str_list nameservers, searches, options; };
struct resolv_conf dns_resolv_conf(struct cluster *, const struct pod *, struct arena *);
struct resolv_conf dns_node_resolv_conf(struct cluster *, struct arena *);
void dns_resolv_conf_text(const struct resolv_conf *, struct sb *);     /* as the container runtime writes the file */

enum resolver { RESOLVER_GLIBC, RESOLVER_MUSL };
struct dns_query_done { const char *name; enum dns_type type; struct dns_answer answer; };
struct dns_lookup { struct dns_query_done *v; uint32_t nr; struct dns_answer result; };
/* Who answers the queries: CoreDNS; a server outside, which knows only the zone outside; nobody, in silence or by port unreachable. */
enum dns_server { DNS_BY_CLUSTER, DNS_BY_OUTSIDE, DNS_BY_SILENCE, DNS_BY_REFUSAL };
/* The names that a resolver with this resolv.conf asks, one after another, until it is content. Which of the nameservers answers is for the packets to say (sim/ask/names.h). */
struct dns_lookup dns_resolve(struct cluster *, const struct zone *outside, enum dns_server, const struct resolv_conf *, enum resolver, const char *name, enum dns_type,
			      struct arena *);

#endif
