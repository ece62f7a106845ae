/* compare --cni X,Y -f …: one set of manifests on several Pod networks, side by side. */
#ifndef PODWIRE_COMPARE_NETWORKS_H
#define PODWIRE_COMPARE_NETWORKS_H

#include "viz/cli/cli.h"

/* --cni names the networks. */
enum err_kind compare_networks(struct cli *, struct err *);

#endif
