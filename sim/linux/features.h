/* What this machine can do in real namespaces: kinds of links, kernel parts, programs. Each is tried once, in namespaces of its own that go at once; nothing is guessed
 * from versions. */
#ifndef PODWIRE_FEATURES_H
#define PODWIRE_FEATURES_H

#include "model/dataplane/dataplane.h"

enum feature {
	FEATURE_NAMESPACES, FEATURE_USER_NAMESPACES, FEATURE_OVERLAY,
	FEATURE_VETH, FEATURE_BRIDGE, FEATURE_VXLAN, FEATURE_IPIP, FEATURE_WIREGUARD, FEATURE_DUMMY, FEATURE_GRE, FEATURE_MACVLAN, FEATURE_IPVLAN, FEATURE_VRF, FEATURE_IFB, FEATURE_TUN,
	FEATURE_TBF, FEATURE_NETEM,
	FEATURE_NFTABLES, FEATURE_NFT_NAT, FEATURE_NFT_NUMGEN, FEATURE_NFT_FIB, FEATURE_NFT_FLOWTABLE, FEATURE_IPTABLES, FEATURE_IPSET, FEATURE_BR_NETFILTER, FEATURE_IPVS,
	FEATURE_IPV6, FEATURE_SCTP,
	FEATURE_BIRD, FEATURE_HAPROXY, FEATURE_DNSMASQ, FEATURE_CNI_PLUGINS, FEATURE_OPENSSL,
	FEATURE_COUNT
};
struct feature_row { const char *name, *use; };                 /* use: what podwire would do with it */
extern const struct feature_row feature_rows[FEATURE_COUNT];

struct features { struct { bool there; char why[200]; } v[FEATURE_COUNT]; };    /* why: what was said where it is not there */
/* false: not even namespaces can be made (err); then nothing is known. */
bool features_probe(struct features *, struct err *);
/* The first thing that this dataplane needs and that is not there: "it needs ipip, which this kernel does not have (…)". NULL: nothing is missing. Tries only what is
 * needed beside what every cluster has. */
const char *features_missing(const struct dataplane *, struct arena *);
bool feature_there(enum feature);               /* of those that need no namespaces of their own: programs, IPv6, SCTP, tun */

#endif
