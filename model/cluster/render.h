/* Between the files that render an object (render.c, render_status.c): what is laid over its document. */
#ifndef PODWIRE_RENDER_H
#define PODWIRE_RENDER_H

#include "model/api/workload.h"
#include "model/cluster/cluster.h"

/* Into the status map. A Pod that came with a status keeps its conditions and containers as they were given. */
void render_pod_status(struct arena *, struct val *status, const struct pod *);
condition_list *object_conditions(const struct object *);               /* of its status, where the kind's table decodes them; NULL */
void render_condition_times(struct arena *, struct val *status, const struct object *); /* where the document has none */
void render_job_status(struct arena *, struct val *status, const struct job *);
void render_cron_job_status(struct cluster *, struct arena *, struct val *status, const struct cron_job *);
void render_node_status(struct arena *, struct val *status, const struct node *);

#endif
