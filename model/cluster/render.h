/* Between the files that render an object (render.c, render_status.c): what is laid over its document. */
#ifndef PODWIRE_RENDER_H
#define PODWIRE_RENDER_H

#include "model/api/workload.h"
#include "model/cluster/cluster.h"

/* {spec: …} as the template has it of which a controller made the Pod; {}: it is not known. */
struct val *render_from_template(struct cluster *, struct arena *, const struct pod *);
/* Into the spec map: what admission writes into a Pod. */
void render_admitted(struct cluster *, struct arena *, struct val *spec, const struct pod *);
/* Into the statuses of containers: what runs has, of what the spec gives it. */
void render_running(struct arena *, struct val *statuses, const struct val *spec);
/* Into the status map. A Pod that came with a status keeps its conditions and containers as they were given. */
void render_pod_status(struct arena *, struct val *status, const struct pod *);
/* Into the metadata map (NULL: nowhere): they come and go behind the document's back. */
void render_finalizers(struct arena *, struct val *meta, const struct object *);
condition_list *object_conditions(const struct object *);               /* of its status, where the kind's table decodes them; NULL */
void render_condition_times(struct arena *, struct val *status, const struct object *); /* where the document has none */
void render_job_status(struct arena *, struct val *status, const struct job *);
void render_cron_job_status(struct cluster *, struct arena *, struct val *status, const struct cron_job *);
void render_node_status(struct arena *, struct val *status, const struct node *);

#endif
