/* Names as a Pod or a node sees them: which of its nameservers answers, by the way of the packets, and what that one says. */
#ifndef PODWIRE_NAMES_H
#define PODWIRE_NAMES_H

#include "model/dns/dns.h"
#include "sim/ask/end.h"
#include "sim/engine/world.h"

struct names {
	struct dns_lookup l;
	enum dns_server by;
	const char *server;                     /* the nameserver that answered, or HOSTS_FILE, and nobody was asked; NULL: none did */
	const char *why;                        /* a sentence: why no nameserver answers, or why one that answers knows nothing of the cluster, or of what is outside; NULL: nothing to say */
	bool unknown;                           /* `why` says what the walk cannot tell; the nameserver is taken to answer */
};
/* source: who asks; its netns .i 0: it has no address yet, and only the zone is asked. Cluster DNS is whatever has the kubelet's clusterDNS or a Service's address: a query
 * by UDP to port 53 walks there and back. A nameserver outside is taken to answer unless a rule stops the query. The first that answers counts. */
struct names names_resolve(struct world *, const struct source *, const struct resolv_conf *, enum resolver, const char *name, enum dns_type, struct arena *);
/* Without --zone: a sentence, where a name was looked for outside in vain; NULL: none was. One label alone is no name there. */
const char *names_untold(struct world *, const struct dns_lookup *);
/* What /etc/hosts says, which is asked before DNS: of a Pod (its own names, hostAliases), of a node or a client (p NULL). false: nothing. */
bool hosts_lookup(struct world *, const struct pod *, const char *name, enum dns_type, struct arena *, struct dns_answer *out);
#define HOSTS_FILE "/etc/hosts"
/* A Pod as a source, for looking up names. */
struct source names_source(struct world *, struct pod *);

#endif
