/* ControllerRevisions: the templates that a DaemonSet or StatefulSet has had, so that one of them can come back. Source: Kubernetes 1.36 pkg/controller/history/
 * controller_history.go, pkg/controller/daemon/update.go (constructHistory, cleanupHistory), pkg/controller/statefulset/stateful_set_control.go (getStatefulSetRevisions,
 * truncateHistory), stateful_set_utils.go getPatch. */
#ifndef PODWIRE_REVISIONS_H
#define PODWIRE_REVISIONS_H

#include "model/api/workload.h"
#include "model/cluster/cluster.h"

struct control;

#define REVISION_LABEL "controller-revision-hash"
#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"      /* apps/v1 DeprecatedTemplateGeneration, an annotation of DaemonSets */

/* Nothing is to be done: it is there, the controller has seen the object as it is, and there are too few to throw any away. */
bool revision_is_kept(struct cluster *, const struct workload *, str name);
/* The revision of the template as it is now exists, under that name, and is the newest; those that no Pod has go, but for the newest revisionHistoryLimit of them. */
void revision_keep(struct control *, struct workload *, str name, struct pod *const *pods, uint32_t nr_pods);
/* The revisions of a DaemonSet or StatefulSet, oldest first; in the arena. */
struct controller_revision **revisions_of(struct cluster *, const struct object *, struct arena *, uint32_t *nr);
/* The template in it, as spec.template has it; NULL: it holds none. In the arena. */
struct val *revision_template(const struct controller_revision *, struct arena *);

#endif
