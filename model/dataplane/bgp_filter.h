/* What a BGPFilter says of a route: its rules in order, the first that holds decides. Sources: calico api/pkg/apis/projectcalico/v3/bgpfilter.go, confd
 * pkg/resource/template/template_funcs.go (how a rule becomes BIRD's), BIRD's filter language (prefix sets, patterns). */
#ifndef PODWIRE_BGP_FILTER_H
#define PODWIRE_BGP_FILTER_H

#include "model/base/arena.h"
#include "model/base/ip.h"
#include "model/base/val.h"

enum bgp_match { BGP_ANY, BGP_EQUAL, BGP_NOT_EQUAL, BGP_IN, BGP_NOT_IN };
extern const char *const bgp_match_ops[];               /* BIRD's operators, by bgp_match */

struct bgp_rule {
	uint8_t match;                  /* enum bgp_match: of net; BGP_ANY: whatever it is */
	bool ranged, remote, accept;    /* ranged: of a length from min to max; remote: learned by BGP only */
	uint8_t min, max;
	struct cidr net;
	const char *interface;          /* a pattern of BIRD's; NULL: whatever it is */
};
struct bgp_rules { VEC(struct bgp_rule) v; };

struct bgp_route {
	struct cidr net;
	bool learned;                   /* by BGP, not the speaker's own */
	const char *interface;          /* the link that it leads to; NULL: none, as of a blackhole */
};
enum bgp_verdict { BGP_UNDECIDED, BGP_ACCEPT, BGP_REJECT };

/* list: importV4, exportV4, importV6 or exportV6 of a spec; NULL is allowed. Texts are borrowed from it. */
struct bgp_rules bgp_rules_read(const struct val *list, struct arena *);
enum bgp_verdict bgp_rules_say(const struct bgp_rules *, const struct bgp_route *);

#endif
