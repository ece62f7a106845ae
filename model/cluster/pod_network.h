/* The Pod network as real installations bring it: the DaemonSet whose Pod writes the CNI configuration on each node, and what its environment says.
 * Sources: projectcalico/calico manifests/calico.yaml and node/pkg/lifecycle/startup/startup.go (configureIPPools); flannel Documentation/kube-flannel.yml; kind's kindnet. */
#ifndef PODWIRE_POD_NETWORK_H
#define PODWIRE_POD_NETWORK_H

#include "model/api/workload.h"
#include "model/cluster/settings.h"

/* The network that a DaemonSet of this name installs; CNI_NONE: it is none that is known. */
uint8_t pod_network_of(const char *daemonset);
/* The DaemonSet of an installation, NULL if there is none. */
const struct workload *pod_network_daemonset(struct cluster *);
/* A variable of its containers' environment; NULL: there is none of that name. */
const char *pod_network_env(const struct workload *, const char *name);
/* The value of an option in their commands and arguments (--iface=eth1, or the word behind it); NULL. */
const char *pod_network_arg(const struct workload *, const char *option);
/* What the environment of calico-node says of the pool that it makes where there is none, and of felix. A pool given by an IPPool object is not touched. */
void pod_network_configure(struct cluster *, struct settings *);
/* Had the cluster no Pod network when it was made (--cni none, kind's disableDefaultCNI)? Then a node has one only once the agent has run there. */
bool pod_network_comes_later(struct cluster *);
/* Is this a Pod of the network's DaemonSet that has come as far as writing the CNI configuration (its init list is done)? */
bool pod_network_installed_by(const struct pod *);
/* Is the feature (floating_ips, ip_addrs_no_ipam) switched on in the configuration of Calico's plugin? It is in no manifest of Calico's own. */
bool calico_plugin_has(const struct cluster *, const char *feature);

#endif
