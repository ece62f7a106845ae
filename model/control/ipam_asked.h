/* What a Pod's annotations ask of Calico's CNI plugin, and what they may not. Source: calico cni-plugin/pkg/k8s/k8s.go CmdAddK8s. */
#ifndef PODWIRE_IPAM_ASKED_H
#define PODWIRE_IPAM_ASKED_H

#include "model/api/core.h"
#include "model/cluster/cluster.h"

/* By family: [0] IPv6, [1] IPv4. Zero: nothing is asked for. */
struct calico_asked {
	const struct namespace_ *ns;            /* the Pod's; NULL: no Pod asks */
	const struct val *pools[2];             /* names or ranges, of the Pod or else of its namespace; NULL: none are asked for */
	bool by_address;                        /* ipAddrs, ipAddrsNoIpam: these addresses and no others */
	bool past_ipam;                         /* ipAddrsNoIpam: from no pool */
	ip_addr address[2];
	bool by_family, family[2];              /* ipFamilies */
};

/* NULL: it can be read; else the plugin's words. The lists stand in the arena. */
const char *calico_asked(const struct cluster *, const struct pod *, struct calico_asked *, struct arena *);
/* What the plugin looks at when the Pod has its addresses: hwAddr, allowedSourcePrefixes, floatingIPs. NULL: no objection. */
const char *calico_asked_late(const struct cluster *, const struct pod *, struct arena *);

#endif
