/* Documents from a few words, as kubectl's create, run, expose and autoscale make them (staging/src/k8s.io/kubectl/pkg/cmd/{create,run,expose,autoscale},
 * pkg/generate/versioned/service.go). They live in cli's arena. NULL: err says what is missing or wrong. */
#ifndef PODWIRE_GENERATE_H
#define PODWIRE_GENERATE_H

#include "viz/cli/cli.h"

/* create KIND [TYPE] NAME: the words are cli's arguments. */
struct val *generate_object(struct cli *, struct err *);
struct val *generate_pod(struct cli *, const char *name, struct err *);                         /* run NAME --image */
/* For an object as `get -o yaml` shows it. */
struct val *generate_service(struct cli *, const struct object *, const struct val *doc, struct err *);
struct val *generate_scaler(struct cli *, const struct object *, const struct val *doc, struct err *);
struct val *generate_job(struct cli *, const struct object *cron_job, const struct val *doc, struct err *);      /* create job --from; its name is cli->name */
/* A copy with the empty members that kubectl's encoder writes: status: {}, strategy: {}, resources: {}. */
struct val *generate_empties(struct cli *, const struct val *);
/* run NAME --image, whole (cmd_create.c). */
enum err_kind create_pod(struct cli *, struct err *);

#endif
