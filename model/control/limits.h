/* LimitRanges: what the LimitRanger plugin adds to a new Pod, and why it refuses one. Source: kubernetes plugin/pkg/admission/limitranger/admission.go; defaults of the ranges: pkg/apis/core/v1/defaults.go
 * SetDefaults_LimitRangeItem. */
#ifndef PODWIRE_LIMITS_H
#define PODWIRE_LIMITS_H

#include "model/control/controllers.h"

/* The spec with the namespace's defaults; s itself where they add nothing. Specs of one template stay one. */
const struct pod_spec *limits_apply(struct control *, const char *ns, const struct pod_spec *s);
/* The annotation kubernetes.io/limit-ranger of what was added; NULL: nothing was. */
const char *limits_note(const struct pod_spec *before, const struct pod_spec *after, struct arena *);
#define LIMITS_NOTE "kubernetes.io/limit-ranger"
/* Why a Pod with that spec (defaults in it) may not be; NULL. */
const char *limits_refuse(struct cluster *, const char *ns, const struct pod_spec *, struct arena *);

#endif
