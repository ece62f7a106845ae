/* CoreDNS' configuration: server blocks, each with its zones and plugins, in the order in which CoreDNS asks them (plugin.cfg), whatever order the text has. */
#ifndef PODWIRE_COREFILE_H
#define PODWIRE_COREFILE_H

#include "model/dns/dns.h"

struct core_plugin {
	str_list args;                          /* behind its name */
	struct core_line *lines; uint32_t nr;   /* of its block */
	str name;
};
struct core_line { str_list words; };
struct core_server { str_list zones; VEC(struct core_plugin) plugins; };        /* zones: as "." or "cluster.local"; of DNS on port 53 alone */
struct corefile { VEC(struct core_server) servers; };

/* Of ConfigMap kube-system/coredns. Clusters that let people add to it mount their ConfigMap coredns-custom as custom/: what `import` names there is put in its place.
 * NULL: there is none. */
const char *corefile_text(struct cluster *, struct arena *);
/* What the cluster's says: read when it is first asked for, and again after a change. */
const struct corefile *corefile_of(struct cluster *);
/* Reads what it can; a text that is no Corefile has no servers. Snippets are expanded where they are imported. */
struct corefile corefile_read(const char *text, struct arena *);
/* The server with the longest zone that the name is in; NULL: none. */
const struct core_server *corefile_server(const struct corefile *, const char *name);
const struct core_plugin *core_plugin(const struct core_server *, const char *name);    /* the first of that name; NULL */
bool zone_is_reverse(const char *zone);         /* is it in-addr.arpa or ip6.arpa, or in them? */
/* The longest of the zones that the name is in; NULL: none. Case and the last dot do not matter. */
const char *zone_of(const str_list *zones, const char *name);
/* `fallthrough [ZONES…]` of a block: does it hold for the name? */
bool core_falls_through(const struct core_plugin *, const char *name);

/* What plugins before `kubernetes` make of a query. */
enum core_way { CORE_ON /* it goes on, perhaps by another name */, CORE_ANSWERED, CORE_FAILED /* SERVFAIL */, CORE_UNKNOWN };
struct core_step {
	enum core_way way;
	const char *name;                       /* as it is asked for now, absolute */
	str_list addresses, names;              /* CORE_ANSWERED: of plugin hosts; both empty: NODATA */
	const char *why;                        /* CORE_UNKNOWN */
};
struct core_step core_before(const struct core_server *, const char *name, enum dns_type, struct arena *);
/* A plugin between `kubernetes` and `forward` that would answer for the name, and is not modelled; NULL: none. */
const char *core_between(const struct core_server *, const char *name, enum dns_type, struct arena *);

#endif
