/* What a Job's policies say of its Pods' ends. Pure. Sources: pkg/controller/job/{pod_failure_policy,success_policy,indexed_job_utils}.go. */
#ifndef PODWIRE_JOB_POLICY_H
#define PODWIRE_JOB_POLICY_H

#include "model/api/core.h"
#include "model/api/workload.h"

enum failure_action { FAILURE_COUNTS, FAILURE_IGNORED, FAILURE_FAILS_INDEX, FAILURE_FAILS_JOB };
/* matchPodFailurePolicy: the first rule that matches. *message is set for FAILURE_FAILS_JOB, in the arena. */
enum failure_action failure_action(const struct val *policy, const struct pod *, struct arena *, const char **message);
/* matchSuccessPolicy: in: which of the first nr indexes have succeeded, of the others none has. NULL: no rule is met; else the condition's message. */
const char *success_met(const struct val *policy, const bool *in, int32_t nr, int32_t completions, struct arena *);
const char *indexes_text(const bool *in, int32_t nr, struct arena *);           /* orderedIntervals.String: 0,2-4,6,7 */

#endif
