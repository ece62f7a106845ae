/* Claims and volumes: what binds them, and what of it the scheduler must know. A cluster that tells of no StorageClass and no PersistentVolume has storage of which
 * nothing is known: its claims are taken as bound, and hold nobody back. A provisioner that a StorageClass names is taken to run.
 * Sources: Kubernetes 1.36 pkg/controller/volume/persistentvolume/{pv_controller.go, index.go}, component-helpers/storage/volume/pv_helpers.go FindMatchingVolume;
 * pkg/scheduler/framework/plugins/volumebinding/{volume_binding.go, binder.go}. */
#ifndef PODWIRE_VOLUMES_H
#define PODWIRE_VOLUMES_H

#include "model/cluster/cluster.h"

struct control;

#define FIT_VOLUME_NODE "node(s) didn't match PersistentVolume's node affinity"
#define FIT_VOLUME_NONE "node(s) didn't find available persistent volumes to bind"

/* A new claim or volume gets the finalizer that keeps it while a Pod uses it, or a claim (StorageObjectInUseProtection). */
void volume_protect(struct cluster *, struct object *);
bool volumes_matter(struct cluster *);                  /* anything is told of storage, by somebody else than a living cluster's dump */
const char *volume_class(const struct object *);        /* of a claim or a volume; "": it names none */
const char *volume_lacks_mode(const struct object *volume, const struct object *claim);         /* an access mode that the claim wants, and it has not; NULL: it has all */
bool has_claims(const struct pod_spec *);
/* Why the Pod can be bound to no node at all, whatever the node (PreFilter); NULL: nothing. In the arena. */
const char *claims_block(struct cluster *, const struct pod *, struct arena *);
const char *claims_problem(struct cluster *, const struct pod *, const struct node *);         /* why not on this node; NULL: its volumes can be there */
void claims_bind(struct control *, const struct pod *, const struct node *);    /* the Pod goes there: claims that waited for it are bound, or their volumes made */

#endif
