/* What a kubelet does next with one Pod, given what runs: sandbox, init containers, containers. Pure: knows no cluster and no time.
 * Source: Kubernetes 1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions, kuberuntime_container.go computeInitContainerActions,
 * util/util.go PodSandboxChanged; facts 1, 3. */
#ifndef PODWIRE_KUBELET_ACTIONS_H
#define PODWIRE_KUBELET_ACTIONS_H

#include "model/api/core.h"

enum run_state { RUN_NONE, RUN_RUNNING, RUN_EXITED };   /* never created · runs · exited */
enum probe_result { PROBED_NONE, PROBED_UNKNOWN, PROBED_SUCCESS, PROBED_FAILURE };     /* NONE: no probe has run, or there is none */
struct run {
	uint8_t state;                          /* enum run_state */
	uint8_t liveness, startup;              /* enum probe_result */
	int32_t exit;
};
enum sandbox_state { SANDBOX_NONE, SANDBOX_READY, SANDBOX_DEAD };

/* What is there. runs: init containers first, then containers, in spec order. */
struct pod_runs {
	uint8_t sandbox;                        /* enum sandbox_state */
	bool no_ip;                             /* a ready sandbox of a Pod of the Pod network without an address */
	bool deleted;                           /* the Pod: nothing is started any more */
	uint32_t attempt;                       /* of the sandbox that is there */
	const struct run *runs;
};

/* What to do. Bits of start and kill are places in runs. */
#define MAX_CONTAINERS 64                       /* of one Pod, init containers included; the rest is left alone */
struct pod_actions {
	bool kill_pod, create_sandbox;
	bool restart_all;                       /* all that runs ends, then all begins anew in the same sandbox */
	uint32_t attempt;
	uint64_t start, kill;                   /* start: first the init containers among them, in order */
};
struct pod_actions pod_actions(const struct pod_spec *, const struct pod_runs *);

#endif
