/* Real DNS queries from real sockets in the namespaces of a lab: many at a time by UDP, and by TCP where the answer is cut short or that is wanted. */
#ifndef PODWIRE_LINUX_NAMES_H
#define PODWIRE_LINUX_NAMES_H

#include "model/dns/dns.h"
#include "sim/linux/verify.h"

struct name_ask {
	const struct space *from;
	ip_addr server;
	const char *name; enum dns_type type;
	bool tcp;
	nsec wait;
	/* the answer */
	enum dial_end end;              /* CONNECTED: somebody answered */
	int error;
	bool by_tcp;                    /* in the end */
	struct dns_answer answer;       /* lives in the arena */
	/* inside */
	int fd; uint16_t id; nsec deadline;
};
bool names_ask(struct live *, struct name_ask *, uint32_t nr, struct arena *, struct err *);

/* The zone, name by name, each from a Pod that the seed draws, against dns_query; where the walk says that queries do not arrive, no answer may come. */
bool verify_names(struct live *, struct world *, const struct verify_options *, struct arena *, struct verified *out, struct err *);
/* The queries of one lookup, from the Pod (NULL: from a node), as the model made them. Differences are added to out. */
bool verify_lookup(struct live *, struct world *, const struct pod *, const struct dns_lookup *, struct arena *, struct verified *out, struct err *);

#endif
