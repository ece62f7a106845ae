/* What the API server of 1.36 takes and refuses, beyond the corpus: pkg/apis/{core,policy,discovery}/validation, apimachinery pkg/util/validation/ip.go. */
#include "model/control/scheduler.h"
#include "tests/unit/cell.h"

#define SERVICE(spec) "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {" spec ", ports: [{port: 80}]}}"
#define SLICE(ip)     "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4, endpoints: [{addresses: ['" ip "']}]}"

#define LIMITS(item)  "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [" item "]}}"
#define QUOTA_OF(spec)   "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {" spec "}}"
#define HPA(metric)   "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, metrics: [" metric "]}}"

#define RUNS_WITH(more)  "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {" more ", containers: [{name: c, image: i}]}}"
#define ASKS(what)       "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, resources: {" what "}}]}}"
#define ENV(what)        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, env: [{" what "}]}]}}"
#define VOLUME(more)     "{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], " more "}}"
#define CLASS(more)      "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: c}, provisioner: a, " more "}"
#define TEMPLATE(more)   "template: {metadata: {labels: {a: b}}, spec: {" more "containers: [{name: c, image: i}]}}"
#define SET(rolling)     "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {updateStrategy: {rollingUpdate: {" rolling "}}, selector: {matchLabels: {a: b}}, " TEMPLATE("") "}}"
#define REVISION(more)   "{apiVersion: apps/v1, kind: ControllerRevision, metadata: {name: r}, " more "}"
#define DOCKER(k, text)  "{apiVersion: v1, kind: Secret, metadata: {name: s}, type: kubernetes.io/dockerconfig" k ", stringData: {.dockerconfig" k ": " text "}}"
#define NODE(more)       "{apiVersion: v1, kind: Node, metadata: {name: n1}, " more "}"
#define AVOIDS(entry)    "{apiVersion: v1, kind: Node, metadata: {name: n1, annotations: {scheduler.alpha.kubernetes.io/preferAvoidPods: '{\"preferAvoidPods\": [" entry "]}'}}}"
#define CLAIM(more)      "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}, " more "}}"
#define TARGET(ref, more) "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 3, scaleTargetRef: {" ref ", name: d}, " more "}}"
#define INDEXED(more)    "{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {completionMode: Indexed, completions: " more ", " TEMPLATE("restartPolicy: Never, ") "}}"

#define CONTAINER(more)  "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i, " more "}]}}"
#define NOTED(note, context) "{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: {" note "}}, spec: {securityContext: {" context "}, containers: [{name: c, image: i}]}}"
#define TEMPLATE_NOTED(note, context) "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}, annotations: {" note "}}, " \
				      "spec: {securityContext: {" context "}, containers: [{name: c, image: i}]}}}}"
#define APART(label, term) "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {" label ": b}}, spec: {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: t, " term "}]}}, " \
			   "containers: [{name: c, image: i}]}}"
#define SPREAD(label, key) "{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {" label ": b}}, spec: {topologySpreadConstraints: [{maxSkew: 1, topologyKey: t, whenUnsatisfiable: DoNotSchedule, " \
			   "matchLabelKeys: [" key "], labelSelector: {matchExpressions: [{key: " key ", operator: Exists}]}}], containers: [{name: c, image: i}]}}"
#define WHOLE(all, each)   "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {resources: {" all "}, containers: [{name: c, image: i, resources: {" each "}}, {name: d, image: i, resources: {" each "}}]}}"
#define EPHEMERAL(meta)  "{name: e, ephemeral: {volumeClaimTemplate: {metadata: {" meta "}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}}"
#define CLAIMS(list)     "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {resourceClaims: [{name: b, resourceClaimName: b}, {name: a, resourceClaimName: a}], " \
			 "containers: [{name: c, image: i, resources: {claims: [" list "]}}]}}"

static const struct { const char *doc, *why; } table[] = {
	/* ip_test.go TestIsValidIPForLegacyField, TestIsValidCIDRForLegacyField, strict: StrictIPCIDRValidation is on since 1.36 */
	{ SERVICE("externalIPs: [10.0.0.1, 'fd00:0:0::1']"), NULL },
	{ SERVICE("externalIPs: [010.0.0.1]"), "must not have leading 0s" },
	{ SERVICE("externalIPs: ['::ffff:1.2.3.4']"), "must not be an IPv4-mapped IPv6 address" },
	{ SERVICE("type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]"), NULL },
	{ SERVICE("type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.1/8]"), "must not have bits set beyond the prefix length" },
	{ SERVICE("type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/08]"), "must not have leading 0s in IP or prefix length" },
	{ SERVICE("type: LoadBalancer, loadBalancerSourceRanges: ['::ffff:10.0.0.0/104']"), "must not have an IPv4-mapped IPv6 address" },
	{ SLICE("10.0.0.1"), NULL },
	{ SLICE("10.0.0.01"), "must not have leading 0s" },
	/* ValidatePodDisruptionBudget looks at the spec alone: any path segment is a name */
	{ "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: Upper}, spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}}", NULL },
	{ "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: a%b}, spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}}", "may not contain '%'" },
	/* TestValidateLimitRange: duplicate limit type */
	{ "{apiVersion: v1, kind: LimitRange, metadata: {name: l}, spec: {limits: [{type: Pod, max: {cpu: 1}}, {type: Pod, max: {cpu: 2}}]}}", "Duplicate value: \"Pod\"" },
	/* TestValidateLimitRange */
	{ LIMITS("{type: Container, max: {cpu: 100m, memory: 10Gi}, min: {cpu: 5m, memory: 1Mi}, default: {cpu: 50m, memory: 500Mi}, defaultRequest: {cpu: 10m, memory: 100Mi}, "
		 "maxLimitRequestRatio: {cpu: 10}}"), NULL },
	{ LIMITS("{type: PersistentVolumeClaim, max: {storage: 10Gi}, min: {storage: 5Gi}}"), NULL },
	{ LIMITS("{type: foo.com/thing, max: {storage: 1Gi}, min: {storage: 1Mi}}"), NULL },
	{ LIMITS("{type: Pod, max: {cpu: 100m}, default: {cpu: 10m}}"), "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'" },
	{ LIMITS("{type: Pod, max: {cpu: 100m}, min: {cpu: 200m}}"), "spec.limits[0].min[cpu]: Invalid value: \"200m\": min value 200m is greater than max value 100m" },
	{ LIMITS("{type: Container, max: {cpu: 2}, min: {cpu: 1}, default: {cpu: 1}, defaultRequest: {cpu: 500m}}"), "min value 1 is greater than default request value 500m" },
	{ LIMITS("{type: Container, max: {cpu: 2}, default: {cpu: 2}, defaultRequest: {cpu: 3}}"), "default request value 3 is greater than default limit value 2" },
	{ LIMITS("{type: Container, max: {cpu: 1}, default: {cpu: 2}, defaultRequest: {cpu: 1}}"), "spec.limits[0].default[cpu]: Invalid value: \"1\": default value 2 is greater than max value 1" },
	{ LIMITS("{type: Container, maxLimitRequestRatio: {cpu: 800m}}"), "ratio 800m is less than 1" },
	{ LIMITS("{type: Pod, max: {cpu: 400m}, min: {cpu: 200m}, maxLimitRequestRatio: {cpu: 10}}"), "ratio 10 is greater than max/min = 2.000000" },
	{ LIMITS("{type: foo, max: {storage: 1Gi}}"), "must be a standard limit type or fully qualified" },
	{ LIMITS("{type: PersistentVolumeClaim}"), "either minimum or maximum storage value is required, but neither was provided" },
	{ LIMITS("{type: Container, max: {hugepages-2Mi: 4Mi}, default: {hugepages-2Mi: 4Mi}, defaultRequest: {hugepages-2Mi: 2Mi}}"), "must equal to defaultRequest value" },
	{ LIMITS("{type: Container, max: {storage: 1Gi}}"), "must be a standard resource for containers" },
	/* TestValidateResourceQuota */
	{ QUOTA_OF("hard: {cpu: 100, memory: 10000, requests.cpu: 100, limits.memory: 1, pods: 10, services: 0, example.com/gpu: 2, count/deployments.apps: 3}"), NULL },
	{ QUOTA_OF("hard: {pods: 100}, scopes: [BestEffort]"), NULL },
	{ QUOTA_OF("hard: {cpu: 100}, scopes: [BestEffort]"), "spec.scopes: Invalid value: [\"BestEffort\"]: unsupported scope applied to resource" },
	{ QUOTA_OF("hard: {pods: 1}, scopes: [Terminating, NotTerminating]"), "conflicting scopes" },
	{ QUOTA_OF("hard: {pods: 1}, scopes: [foo]"), "unsupported scope" },
	{ QUOTA_OF("hard: {cpu: -100}"), "must be greater than or equal to 0" },
	{ QUOTA_OF("hard: {pods: 1.5}"), "spec.hard[pods]: Invalid value: \"1500m\": must be an integer" },
	{ QUOTA_OF("hard: {storage: 1}"), "spec.hard[storage]: Invalid value: \"storage\": must be a standard resource for quota" },
	{ QUOTA_OF("hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [a]}]}"), NULL },
	{ QUOTA_OF("hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: NotIn}]}"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector" },
	{ QUOTA_OF("hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: BestEffort, operator: In, values: [a]}]}"), "must be 'Exist' when scope is any of" },
	{ QUOTA_OF("hard: {pods: 1}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: Exists, values: [a]}]}"), "must be no value when `operator` is 'Exist' or 'DoesNotExist'" },
	/* autoscaling validation_test.go TestValidateHorizontalPodAutoscaler */
	{ HPA("{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}"), NULL },
	{ HPA("{type: Resource, resource: {name: cpu, target: {type: Value}}}"), "must set either a target raw value or a target utilization" },
	{ HPA("{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70, averageValue: 1}}}"), "may not set both a target raw value and a target utilization" },
	{ HPA("{type: Pods, pods: {metric: {name: m}, target: {type: Value}}}"), "must specify a positive target averageValue" },
	{ HPA("{type: External, external: {metric: {name: m}, target: {type: Value}}}"), "must set either a target value for metric or a per-pod target" },
	/* core TestValidateFinalizersUpdate, validateKubeFinalizerName */
	{ "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, finalizers: [example.com/x, orphan]}}", NULL },
	{ "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, finalizers: [x]}}", "metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard finalizer name nor is it fully qualified" },
	/* core/v1 SetDefaults_Service: 0 and "" are the port's own number, and no affinity */
	{ "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {sessionAffinity: '', ports: [{port: 80, targetPort: 0}, {name: b, port: 81, targetPort: ''}]}}", "spec.ports[0].name: Required value" },
	{ "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {sessionAffinity: '', ports: [{port: 80, targetPort: 0}]}}", NULL },
	/* core TestValidateResourceRequirements, TestHugePagesIsolation, TestValidateContainers, TestValidateEnv (fieldRef, resourceFieldRef) */
	{ ASKS("limits: {cpu: -1}"), "spec.containers[0].resources.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0" },
	{ ASKS("limits: {memory: 1Gi, hugepages-2Mi: 4Mi}"), NULL },
	{ ASKS("limits: {memory: 1Gi, hugepages-2Mi: 3Mi}"), "resources.limits[hugepages-2Mi]: Invalid value: \"3Mi\": 3Mi is not positive integer multiple of hugepages-2Mi" },
	{ ENV("name: a=b"), "env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='" },
	{ ENV("name: a, valueFrom: {fieldRef: {apiVersion: v2, fieldPath: metadata.name}}"), "fieldRef.fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: unsupported pod version: v2" },
	{ ENV("name: a, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}"), NULL },
	{ ENV("name: a, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}"), NULL },
	{ ENV("name: a, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1Mi}}"),
	  "resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource" },
	{ ENV("name: a, valueFrom: {resourceFieldRef: {resource: requests.memory, divisor: 1m}}"), "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource" },
	/* core TestValidateVolumes, TestValidateOverhead, TestValidateOSFields, TestValidateWindowsPodSecurityContext, TestValidateLinuxPodSecurityContext */
	{ RUNS_WITH("volumes: [{name: v, emptyDir: {sizeLimit: -1}}]"), "spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity" },
	{ RUNS_WITH("volumes: [{name: v, projected: {sources: [{secret: {name: a, items: [{key: k, path: p}]}}, {configMap: {name: b, items: [{key: k, path: p}]}}]}}]"),
	  "spec.volumes[0].projected: Invalid value: \"b\": conflicting duplicate paths" },
	{ RUNS_WITH("volumes: [{name: v, projected: {sources: [{downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}}, {path: p, fieldRef: {fieldPath: metadata.uid}}]}}]}}]"),
	  "spec.volumes[0].projected: Invalid value: \"p\": conflicting duplicate paths" },
	{ RUNS_WITH("volumes: [{name: v, azureDisk: {diskName: d, diskURI: u}}]"), "azureDisk.diskURI: Unsupported value: \"u\": supported values: \"https://{account-name}.blob.core.windows.net" },
	{ RUNS_WITH("volumes: [{name: v, azureDisk: {diskName: d, diskURI: u, kind: Managed}}]"), "diskURI: Unsupported value: \"u\": supported values: \"/subscriptions/{sub-id}/" },
	{ RUNS_WITH("overhead: {cpu: -1}"), "spec.overhead.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0" },
	{ RUNS_WITH("os: {}"), "spec.os.name: Required value" },
	{ RUNS_WITH("os: {name: windows}, hostPID: true"), "spec.hostPID: Forbidden: cannot be set for a windows pod" },
	{ RUNS_WITH("os: {name: windows}, hostUsers: true"), "spec.hostUsers: Forbidden: cannot be set for a windows pod" },
	{ RUNS_WITH("os: {name: windows}, securityContext: {fsGroup: 1}"), "spec.securityContext.fsGroup: Forbidden: cannot be set for a windows pod" },
	{ RUNS_WITH("os: {name: windows}, securityContext: {runAsNonRoot: true, windowsOptions: {runAsUserName: a}}"), NULL },
	{ RUNS_WITH("os: {name: linux}, securityContext: {windowsOptions: {runAsUserName: a}}"), "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod" },
	{ "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {os: {name: windows}, containers: [{name: c, image: i, securityContext: {privileged: true}}]}}",
	  "spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod" },
	/* core TestValidatePodSpec: a pointer to an empty word is no default; TestValidateSELinuxChangePolicy: the feature SELinuxMount is off */
	{ RUNS_WITH("securityContext: {fsGroupChangePolicy: ''}"), "spec.securityContext.fsGroupChangePolicy: Unsupported value: \"\": supported values: \"Always\", \"OnRootMismatch\"" },
	{ RUNS_WITH("securityContext: {supplementalGroupsPolicy: ''}"), "spec.securityContext.supplementalGroupsPolicy: Unsupported value: \"\": supported values: \"Merge\", \"Strict\"" },
	{ RUNS_WITH("securityContext: {seLinuxChangePolicy: MountOption}"), "spec.securityContext.seLinuxChangePolicy: Unsupported value: \"MountOption\": supported values: \"Recursive\"" },
	{ RUNS_WITH("securityContext: {seLinuxChangePolicy: Recursive}"), NULL },
	{ CONTAINER("restartPolicy: ''"), "spec.containers[0].restartPolicy: Unsupported value: \"\": supported values: \"Always\", \"Never\", \"OnFailure\"" },
	{ RUNS_WITH("os: {name: windows}, resources: {limits: {cpu: 1}}"), "spec.resources: Forbidden: may not be set for a windows pod" },
	/* TestValidatePod, TestValidatePodTemplateSpecSeccomp: annotations of old */
	{ NOTED("seccomp.security.alpha.kubernetes.io/pod: localhost/foo", ""), NULL },
	{ NOTED("seccomp.security.alpha.kubernetes.io/pod: foo", ""), "metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: \"foo\": must be a valid seccomp profile" },
	{ NOTED("seccomp.security.alpha.kubernetes.io/pod: localhost/../foo", ""), "Invalid value: \"../foo\": must not contain '..'" },
	{ NOTED("container.seccomp.security.alpha.kubernetes.io/c: ''", ""), "metadata.annotations.container.seccomp.security.alpha.kubernetes.io/c: Invalid value: \"\": must be a valid seccomp" },
	{ NOTED("seccomp.security.alpha.kubernetes.io/pod: unconfined", "seccompProfile: {type: RuntimeDefault}"),
	  "spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match" },
	{ NOTED("seccomp.security.alpha.kubernetes.io/pod: docker/default", "seccompProfile: {type: RuntimeDefault}"), NULL },
	{ NOTED("seccomp.security.alpha.kubernetes.io/pod: localhost/a", "seccompProfile: {type: Localhost, localhostProfile: b}"),
	  "spec.securityContext.seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match" },
	{ NOTED("container.apparmor.security.beta.kubernetes.io/d: unconfined", ""), "Invalid value: \"d\": container not found" },
	{ NOTED("container.apparmor.security.beta.kubernetes.io/c: runtime/default", "appArmorProfile: {type: Unconfined}"), NULL },
	{ TEMPLATE_NOTED("container.apparmor.security.beta.kubernetes.io/c: runtime/default", "appArmorProfile: {type: Unconfined}"),
	  "spec.template.spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match" },
	/* TestValidatePod: matchLabelKeys */
	{ APART("a", "matchLabelKeys: [x], labelSelector: {matchLabels: {a: b}}"), NULL },
	{ APART("x", "matchLabelKeys: [x], labelSelector: {matchExpressions: [{key: x, operator: Exists}]}"),
	  "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0][0]: Invalid value: \"x\": exists in both matchLabelKeys and labelSelector" },
	{ APART("x", "mismatchLabelKeys: [x], labelSelector: {matchLabels: {x: b}}"), NULL },
	/* TestValidateVolumes, TestValidatePod: formats, and the claims of ephemeral volumes */
	{ RUNS_WITH("volumes: [{name: v, iscsi: {targetPortal: t, iqn: 'iqn.2015-02.example.com:test', lun: 1}}]"), NULL },
	{ RUNS_WITH("volumes: [{name: v, iscsi: {targetPortal: t, iqn: 'iqn.2015-02.example.com:test;ls;', lun: 1}}]"), "spec.volumes[0].iscsi.iqn: Invalid value: \"iqn.2015-02.example.com:test;ls;\": must be valid format" },
	{ RUNS_WITH("volumes: [{name: v, iscsi: {targetPortal: t, iqn: eui.0123456789ABCDEFGHIJ, lun: 1}}]"), "must be valid format" },
	{ RUNS_WITH("volumes: [{name: v, iscsi: {targetPortal: t, iqn: eui.0123456789ABCDEF, lun: 1, initiatorName: '2015-02.example.com:init'}}]"),
	  "spec.volumes[0].iscsi.initiatorname: Invalid value: \"2015-02.example.com:init\": must be valid format starting with iqn, eui, or naa" },
	{ RUNS_WITH("volumes: [{name: v, quobyte: {registry: 'a:1,[::1]:2', volume: v}}]"), NULL },
	{ RUNS_WITH("volumes: [{name: v, quobyte: {registry: 'registry:7861,reg2', volume: v}}]"), "quobyte.registry: Invalid value: \"registry:7861,reg2\": must be a host:port pair or multiple pairs" },
	{ RUNS_WITH("volumes: [" EPHEMERAL("") "]"), NULL },
	{ RUNS_WITH("volumes: [" EPHEMERAL("uid: x") "]"), "spec.volumes[0].ephemeral.volumeClaimTemplate.metadata.uID: Forbidden: cannot be set" },
	{ RUNS_WITH("volumes: [" EPHEMERAL("labels: {a: 'b c'}") "]"), "ephemeral.volumeClaimTemplate.metadata.labels: Invalid value: \"b c\"" },
	{ RUNS_WITH("volumes: [{name: a, persistentVolumeClaim: {claimName: p-e}}, " EPHEMERAL("") "]"),
	  "spec.volumes[0].persistentVolumeClaim.claimName: Invalid value: \"p-e\": must not reference a PVC that gets created for an ephemeral volume" },
	/* TestValidateDynamicResourceAllocation */
	{ CLAIMS("{name: a, request: x}, {name: a, request: z}"), NULL },
	{ CLAIMS("{name: a}, {name: a}"), "spec.containers[0].resources.claims[1]: Duplicate value: \"a\"" },
	{ CLAIMS("{name: a, request: x}, {name: a, request: x}"), "resources.claims[1]: Duplicate value: \"a/x\"" },
	{ CLAIMS("{name: a, request: x}, {name: a}"), "resources.claims[1]: Duplicate value: \"a\"" },
	{ CLAIMS("{name: c}"), "resources.claims[0]: Not found: \"c\": must be one of the names in pod.spec.resourceClaims: a, b" },
	{ RUNS_WITH("resourceClaims: [{name: a, resourceClaimName: .foo_bar}]"), "spec.resourceClaims[0].resourceClaimName: Invalid value: \".foo_bar\": a lowercase RFC 1123 subdomain" },
	/* TestNumericTolerationsWithFeatureGate, TestValidateWindowsHostProcessPod, TestRelaxedValidateEnv */
	{ RUNS_WITH("tolerations: [{key: a, operator: Gt, value: '1'}]"), "spec.tolerations[0].operator: Unsupported value: \"Gt\": supported values: \"Equal\", \"Exists\", \"Lt\", \"Gt\"" },
	{ RUNS_WITH("hostNetwork: true, securityContext: {windowsOptions: {hostProcess: true}}"), NULL },
	{ RUNS_WITH("securityContext: {windowsOptions: {hostProcess: true}}"), "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers" },
	{ ENV("name: a, valueFrom: {fieldRef: {fieldPath: \"metadata.name['key']\"}}"), "field label does not support subscript: metadata.name['key']" },
	/* TestValidateWindowsSecurityContextOptions, TestAlphaValidateVolumeDevices; field.Error quotes texts as Go does */
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: 'my.domain\\my user', gmsaCredentialSpecName: a.b}}"), NULL },
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: ''}}"), "spec.securityContext.windowsOptions.runAsUserName: Invalid value: \"\": runAsUserName cannot be an empty string" },
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: 'a\\b\\c'}}"), "runAsUserName cannot contain more than one backslash" },
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: '.a\\b'}}"), "runAsUserName's Domain doesn't match the NetBios nor the DNS format" },
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: 'a\\'}}"), "runAsUserName's User cannot be empty" },
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: ' . '}}"), "runAsUserName's User cannot contain only periods or spaces" },
	{ RUNS_WITH("securityContext: {windowsOptions: {runAsUserName: 'a@b'}}"), "runAsUserName's User cannot contain the following characters" },
	{ RUNS_WITH("securityContext: {windowsOptions: {gmsaCredentialSpec: ''}}"), "gmsaCredentialSpec cannot be an empty string" },
	{ CONTAINER("volumeDevices: [{name: v, devicePath: /a/../b}]"), "spec.containers[0].volumeDevices[0].devicePath: Invalid value: \"/a/../b\": can not contain backsteps ('..')" },
	{ RUNS_WITH("serviceAccountName: '$%&'"), "spec.serviceAccountName: Invalid value: \"$%&\": a lowercase RFC 1123 subdomain" },
	/* TestValidateTopologySpreadConstraints, TestValidateHostUsers, TestValidateProbe, TestValidatePodResourceConsistency */
	{ SPREAD("a", "x"), NULL },
	{ SPREAD("x", "x"), "spec.topologySpreadConstraints[0][0]: Invalid value: \"x\": exists in both matchLabelKeys and labelSelector" },
	{ CONTAINER("volumeDevices: [{name: v, devicePath: /a}]}], volumes: [{name: v, persistentVolumeClaim: {claimName: a}}], hostUsers: false, initContainers: [{name: j, image: i"),
	  "spec.containers[0].volumeDevices: Forbidden: when `hostUsers` is false" },
	{ CONTAINER("livenessProbe: {tcpSocket: {port: 1}, successThreshold: -1}"), "spec.containers[0].livenessProbe.successThreshold: Invalid value: -1: must be 1" },
	{ WHOLE("requests: {cpu: 10}", "requests: {cpu: 6}"), "spec.resources.requests[cpu]: Invalid value: \"10\": must be greater than or equal to aggregate container requests of 12" },
	{ WHOLE("requests: {memory: 10Mi}", "limits: {memory: 6Mi}"), "\"10Mi\": must be greater than or equal to aggregate container requests of 12Mi" },
	{ WHOLE("limits: {cpu: 10}", "limits: {cpu: 11}"), "spec.resources.containers[1][cpu].limits: Invalid value: \"11\": must be less than or equal to pod limits of 10" },
	{ WHOLE("requests: {cpu: 12}, limits: {cpu: 11}", "requests: {cpu: 6}"), "spec.resources.requests: Invalid value: \"12\": must be less than or equal to cpu limit of 11" },
	{ WHOLE("limits: {cpu: 11}", "requests: {cpu: 6}"), "spec.resources.requests: Invalid value: \"12\": must be less than or equal to cpu limit of 11" },
	{ RUNS_WITH("resourceClaims: [{name: a}]"), "spec.resourceClaims[0]: Invalid value: {\"Name\":\"a\",\"ResourceClaimName\":null,\"ResourceClaimTemplateName\":null}: must specify one of" },
	{ WHOLE("requests: {cpu: 12}, limits: {cpu: 12}", "requests: {cpu: 6}"), NULL },
	/* plugin/pkg/admission/priority TestPodAdmission */
	{ RUNS_WITH("priorityClassName: system-node-critical, priority: 2000001000"), NULL },
	{ RUNS_WITH("priorityClassName: system-node-critical, priority: 5"),
	  "is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 2000001000 from the given PriorityClass name" },
	{ RUNS_WITH("priority: 0, preemptionPolicy: PreemptLowerPriority"), NULL },
	{ RUNS_WITH("priority: 5"), "the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name" },
	{ RUNS_WITH("preemptionPolicy: Never"), "the string value of PreemptionPolicy (Never) must not be provided in pod spec" },
	{ RUNS_WITH("priorityClassName: system-node-critical, preemptionPolicy: Never"), "the string value of PreemptionPolicy (Never) must not be provided in pod spec" },
	/* apps TestValidateStatefulSet: maxUnavailable is dropped while MaxUnavailableStatefulSet is off; the controller writes hostname and subdomain itself */
	{ SET("maxUnavailable: 0"), NULL },
	{ SET("maxUnavailable: 101%"), NULL },
	{ SET("partition: -1"), "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0" },
	{ "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: s}, spec: {selector: {matchLabels: {a: b}}, " TEMPLATE("hostname: No=Host, subdomain: No=Domain, ") "}}", NULL },
	/* apps TestValidateControllerRevision */
	{ REVISION("revision: 0, data: {a: b}"), NULL },
	{ REVISION("revision: 0, data: null"), "data: Required value: data is mandatory" },
	{ REVISION("revision: 0, data: []"), "data: Required value: data must be a valid JSON object" },
	{ REVISION("revision: -1, data: {}"), "revision: Invalid value: -1: must be greater than or equal to 0" },
	/* core TestValidateDockerConfigSecret */
	{ DOCKER("json", "'{\"auths\": {}}'"), NULL },
	{ DOCKER("json", "''"), "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": unexpected end of JSON input" },
	{ DOCKER("json", "bad"), "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'b' looking for beginning of value" },
	{ DOCKER("json", "'[]'"), "json: cannot unmarshal array into Go value of type map[string]interface {}" },
	/* core TestValidateNode, TestValidateNodeSwapStatus, TestValidateNodeDeclaredFeatures */
	{ NODE("status: {declaredFeatures: [FeatureA, FeatureA/sub, FeatureB]}"), NULL },
	{ NODE("status: {declaredFeatures: [FeatureA, FeatureA]}"), "status.declaredFeatures[1]: Duplicate value: \"FeatureA\"" },
	{ NODE("status: {declaredFeatures: [FeatureB, FeatureA]}"), "status.declaredFeatures[1]: Invalid value: \"FeatureA\": list must be sorted alphabetically" },
	{ NODE("status: {declaredFeatures: [FeatureA/]}"), "status.declaredFeatures[0]: Invalid value: \"FeatureA/\": invalid feature name \"FeatureA/\": must start with an UpperCamelCase segment" },
	{ NODE("status: {nodeInfo: {swap: {capacity: 0}}}"), "metadata.nodeSwapStatus.capacity: Invalid value: 0: must be greater than zero" },
	{ AVOIDS("{}"), "preferAvoidPods[0].PodSignature: Required value" },
	{ AVOIDS("{\"podSignature\": {\"podController\": {\"controller\": false}}}"), "preferAvoidPods[0].PodSignature.PodController.Controller: Invalid value: false: must point to a controller" },
	{ AVOIDS("{\"podSignature\": {\"podController\": {\"controller\": true}}}"), NULL },
	/* core TestAlphaVolumePVCDataSource, TestCrossNamespaceSource: dropped, not refused; TestPVCVolumeMode, TestVolumeAttributesClass */
	{ CLAIM("dataSource: {kind: Pod, name: p}"), NULL },
	{ CLAIM("dataSource: {apiGroup: ^bad, kind: Foo, name: p}"), NULL },
	{ CLAIM("dataSourceRef: {kind: Foo, name: p, namespace: other}"), NULL },
	{ CLAIM("dataSourceRef: {kind: Foo, name: p}"), "spec.dataSourceRef: Invalid value: \"Foo\": must be 'PersistentVolumeClaim' when referencing the default apiGroup" },
	{ CLAIM("volumeMode: ''"), "spec.volumeMode: Unsupported value: \"\": supported values: \"Block\", \"Filesystem\"" },
	{ CLAIM("volumeAttributesClassName: ''"), NULL },
	{ CLAIM("volumeAttributesClassName: -no-"), "spec.volumeAttributesClassName: Invalid value: \"-no-\": a lowercase RFC 1123 subdomain" },
	/* core TestValidatePersistentVolumes, storage TestValidateAllowedTopologies */
	{ VOLUME("csi: {driver: d, volumeHandle: h}, volumeAttributesClassName: gold"), NULL },
	{ VOLUME("csi: {driver: d, volumeHandle: h}, volumeAttributesClassName: ''"), "spec.volumeAttributesClassName: Required value: an empty string is disallowed" },
	{ VOLUME("hostPath: {path: /a}, volumeAttributesClassName: gold"), "spec.csi: Required value: has to be specified when using volumeAttributesClassName" },
	{ CLASS("allowedTopologies: [{matchLabelExpressions: [{key: k, values: [a, b]}]}, {matchLabelExpressions: [{key: k, values: [b]}]}]"), NULL },
	{ CLASS("allowedTopologies: [{matchLabelExpressions: [{key: k, values: [a, b]}]}, {matchLabelExpressions: [{key: k, values: [b, a]}]}]"),
	  "allowedTopologies[1].matchLabelExpressions: Duplicate value: \"\"" },
	{ CLASS("allowedTopologies: [{matchLabelExpressions: []}]"), "allowedTopologies[0].matchLabelExpressions: Duplicate value: \"\"" },
	/* autoscaling TestValidateHorizontalPodAutoscaler, …ConfigurableToleranceEnabled */
	{ TARGET("kind: Deployment", ""), "spec.scaleTargetRef.apiVersion: Invalid value: \"\": apiVersion must specify API group" },
	{ TARGET("kind: ReplicationController", ""), NULL },
	{ TARGET("kind: Deployment, apiVersion: apps/v1/v3", ""), "spec.scaleTargetRef.apiVersion: Invalid value: \"apps/v1/v3\": unexpected GroupVersion string: apps/v1/v3" },
	{ TARGET("kind: Deployment, apiVersion: apps/v1", "behavior: {scaleUp: {tolerance: -10m}}"), "spec.behavior.scaleUp.tolerance: Invalid value: \"-10m\": must be greater than or equal to 0" },
	{ HPA("{type: External, external: {metric: {name: foo/../}, target: {type: Value, value: 1}}}"), "spec.metrics[0].external.metric.name: Invalid value: \"foo/../\": may not contain '/'" },
	{ HPA("{type: ContainerResource, containerResource: {name: Odd, container: c, target: {type: Utilization, averageUtilization: 5}}}"), "containerResource.name: Invalid value: \"Odd\": must be a standard resource for containers" },
	/* batch TestValidateJob: indexes of the success policy, very many completions */
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: '0,2-4', succeededCount: 4}]}"), NULL },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: '3-1'}]}"), "succeededIndexes: Invalid value: \"3-1\": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1" },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: '1,1'}]}"), "error parsing succeededIndexes: non-increasing order, previous: 1, current: 1" },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: a}]}"), "error parsing succeededIndexes: cannot convert string to integer for index: \"a\"" },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: '1,'}]}"), "error parsing succeededIndexes: cannot convert string to integer for index: \"\"" },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: 1-2-3}]}"),
	  "the fragment \"1-2-3\" violates the requirement that an index interval can have at most two parts separated by '-'" },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: 0-5}]}"), "error parsing succeededIndexes: too large index: \"5\"" },
	{ INDEXED("5, successPolicy: {rules: [{succeededIndexes: 0-2, succeededCount: 4}]}"), "succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of indexes in the specified" },
	{ INDEXED("100001, backoffLimitPerIndex: 1"), "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000" },
	{ INDEXED("100001, backoffLimitPerIndex: 1, maxFailedIndexes: 10001"),
	  "spec.maxFailedIndexes: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index" },
	/* core TestValidatePersistentVolumes, TestValidatePersistentVolumeClaim, TestValidateNode; storage TestValidateStorageClass, TestValidateAllowedTopologies */
	{ VOLUME("hostPath: {path: /}, persistentVolumeReclaimPolicy: Recycle"), "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'" },
	{ VOLUME("hostPath: {path: /a}, nodeAffinity: {}"), "spec.nodeAffinity.required: Required value: must specify required node constraints" },
	{ VOLUME("hostPath: {path: /a}, persistentVolumeReclaimPolicy: Recycle"), NULL },
	{ "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, "
	  "dataSource: {kind: PersistentVolumeClaim, name: a}, dataSourceRef: {kind: PersistentVolumeClaim, name: b}}}", "must match dataSourceRef" },
	{ "{apiVersion: v1, kind: Node, metadata: {name: c}, spec: {podCIDR: foo}}", "spec.podCIDRs[0]: Invalid value: \"foo\": must be a valid CIDR value" },
	{ CLASS("parameters: {'': b}"), "parameters: Invalid value: \"\": field can not be empty." },
	{ CLASS("parameters: {a: ''}, allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a, b]}]}]"), NULL },
	{ CLASS("allowedTopologies: [{matchLabelExpressions: [{key: zone, values: []}]}]"), "allowedTopologies[0].matchLabelExpressions[0].values: Required value" },
	{ CLASS("allowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a, a]}]}]"), "allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: \"a\"" },
	/* autoscaling: what a metric is of, and the policies of a behaviour */
	{ HPA("{type: Object, object: {metric: {name: m}, target: {type: Value, value: 1}}}"), "spec.metrics[0].object.describedObject.name: Required value" },
	{ HPA("{type: ContainerResource, containerResource: {name: cpu, target: {type: Utilization, averageUtilization: 5}}}"), "containerResource.container: Required value: must specify a container" },
	{ HPA("{type: Pods, pods: {metric: {name: m}, target: {type: AverageValue, averageValue: 0}}}"), "target.averageValue: Invalid value: \"0\": must be positive" },
	{ "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}, spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}, behavior: {scaleUp: {policies: []}}}}",
	  "spec.behavior.scaleUp.policies: Required value: must specify at least one Policy" },
	/* coordination TestValidateLeaseSpec, node TestValidateRuntimeClass */
	{ "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l}, spec: {leaseDurationSeconds: 0}}", "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0" },
	{ "{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: l}, spec: {leaseTransitions: -1}}", "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0" },
	{ "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: r}, handler: A_b}", "handler: Invalid value: \"A_b\": a lowercase RFC 1123 label" },
};

TEST(the_api_takes_what_1_36_takes)
{
	for (size_t k = 0; k < ARRAY_LEN(table); k++) {
		struct cell x = cell_new(1);

		cell_judges(&x, table[k].doc, table[k].why);
		cell_free(&x);
	}
}

/* What is said of the update from one document to another; why NULL: nothing. */
static void update_says(const char *old, const char *now, const char *why)
{
	struct cell x = cell_new(1);

	cell_apply(&x, old);
	cell_judges(&x, now, why);
	cell_free(&x);
}

/* core TestValidatePodUpdate */
TEST(pods_change_only_where_they_may)
{
	static const char gated[] = "schedulingGates: [{name: g}]", terms[] = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}%s]}]}}}";
	static const char one[] = "tolerations: [{key: k, operator: Equal, value: v, effect: NoExecute, tolerationSeconds: %d}]", deadline[] = "activeDeadlineSeconds: %d", more[] = ", {key: c, operator: Exists}";
	struct arena *a = arena_new(NULL, "rows");
	const struct { const char *old_notes, *old, *notes, *now, *why; } rows[] = {
		{ "", arena_printf(a, one, 20), "", arena_printf(a, one, 10), NULL },
		{ "", arena_printf(a, one, 20), "", "tolerations: []", "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds" },
		{ "", gated, "", "schedulingGates: [{name: g}, {name: h}]", "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'h'" },
		{ "", gated, "", "schedulingGates: []", NULL },
		{ "", gated, "", "schedulingGates: [{name: g}], nodeSelector: {a: b}", NULL },
		{ "", "", "", "nodeSelector: {a: b}", "spec: Forbidden: pod updates may not change fields other than" },
		{ "", "schedulingGates: [{name: g}], nodeSelector: {a: b}", "", "nodeSelector: {a: c}", "only additions to spec.nodeSelector are allowed (no mutations or deletions)" },
		{ "", arena_printf(a, "%s, %s", gated, arena_printf(a, terms, "")), "", arena_printf(a, "%s, %s", gated, arena_printf(a, terms, more)), NULL },
		{ "", arena_printf(a, "%s, %s", gated, arena_printf(a, terms, more)), "", arena_printf(a, "%s, %s", gated, arena_printf(a, terms, "")),
		  "nodeSelectorTerms[0]: Invalid value: {\"MatchExpressions\":[{\"Key\":\"a\",\"Operator\":\"In\",\"Values\":[\"b\"]}],\"MatchFields\":null}: only additions are allowed" },
		{ "", arena_printf(a, deadline, 30), "", arena_printf(a, deadline, 20), NULL },
		{ "", arena_printf(a, deadline, 20), "", arena_printf(a, deadline, 30), "spec.activeDeadlineSeconds: Invalid value: 30: must be less than or equal to previous value" },
		{ "", "nodeName: node1", "kubernetes.io/config.mirror: a", "nodeName: node1", "metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation" },
		{ "kubernetes.io/config.mirror: a", "nodeName: node1", "kubernetes.io/config.mirror: b", "nodeName: node1", "may not remove or update mirror pod annotation" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		static const char form[] = "{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: {%s}}, spec: {%s%s containers: [{name: c, image: i}]}}";

		update_says(arena_printf(a, form, rows[k].old_notes, rows[k].old, *rows[k].old ? "," : ""), arena_printf(a, form, rows[k].notes, rows[k].now, *rows[k].now ? "," : ""),
			    rows[k].why);
	}
	arena_free(a);
}

/* core TestValidatePersistentVolumeSourceUpdate, TestAlphaPVVolumeModeUpdate, TestValidateVolumeNodeAffinityUpdate, TestValidatePeristentVolumeAttributesClassUpdate,
 * TestValidatePersistentVolumeClaimUpdate */
TEST(updates_of_volumes_and_claims_change_what_they_may)
{
#define DISK(more)      VOLUME("csi: {driver: d, volumeHandle: h" more "}")
#define PLACED(key)     VOLUME("hostPath: {path: /a}, nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: " key ", operator: In, values: [a]}]}]}}")
#define BOUND(size, more) "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: p}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: " size "}}" more "}, " \
	"status: {phase: Bound, capacity: {storage: 10Gi}, currentVolumeAttributesClassName: gold}}"
	static const struct { const char *old, *now, *why; } rows[] = {
		{ DISK(""), DISK(", controllerExpandSecretRef: {name: s, namespace: ns}"), NULL },
		{ DISK(""), DISK(", nodeStageSecretRef: {name: s, namespace: ns}"), "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation" },
		{ VOLUME("hostPath: {path: /a}"), VOLUME("hostPath: {path: /b}"), "spec.persistentvolumesource: Forbidden" },
		{ VOLUME("hostPath: {path: /a}"), VOLUME("hostPath: {path: /a}, volumeMode: Filesystem"), NULL },
		{ VOLUME("hostPath: {path: /a}"), VOLUME("hostPath: {path: /a}, volumeMode: Block"), "volumeMode: Invalid value: \"Block\": field is immutable" },
		{ VOLUME("hostPath: {path: /a}"), PLACED("zone"), NULL },
		{ PLACED("zone"), VOLUME("hostPath: {path: /a}"), "nodeAffinity: Invalid value: null: field is immutable, except for updating from beta label to GA" },
		{ PLACED("failure-domain.beta.kubernetes.io/zone"), PLACED("topology.kubernetes.io/zone"), NULL },
		{ PLACED("failure-domain.beta.kubernetes.io/zone"), PLACED("topology.kubernetes.io/region"), "except for updating from beta label to GA" },
		{ PLACED("topology.kubernetes.io/zone"), PLACED("failure-domain.beta.kubernetes.io/zone"), "except for updating from beta label to GA" },
		{ VOLUME("csi: {driver: d, volumeHandle: h}, volumeAttributesClassName: gold"), DISK(""), "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden" },
		{ CLAIM("volumeName: ''"), CLAIM("volumeName: v"), NULL },
		{ CLAIM("volumeName: v"), CLAIM("volumeName: w"), "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims" },
		{ CLAIM("volumeName: v"), CLAIM("volumeName: v, volumeAttributesClassName: gold"), "spec: Forbidden: spec is immutable after creation" },
		{ CLAIM("volumeName: ''"), CLAIM("storageClassName: fast"), NULL },
		{ BOUND("10Gi", ", volumeAttributesClassName: gold"), BOUND("20Gi", ", volumeAttributesClassName: lead"), NULL },
		{ BOUND("20Gi", ", volumeAttributesClassName: gold"), BOUND("15Gi", ", volumeAttributesClassName: gold"), NULL },
		{ BOUND("20Gi", ", volumeAttributesClassName: gold"), BOUND("10Gi", ", volumeAttributesClassName: gold"), "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity" },
		{ BOUND("10Gi", ", volumeAttributesClassName: gold"), BOUND("10Gi", ""), "update to nil is forbidden when status.currentVolumeAttributesClassName is not nil" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		update_says(rows[k].old, rows[k].now, rows[k].why);
}

/* apps TestValidateControllerRevisionUpdate; what is null in it is what older servers wrote. */
TEST(updates_of_revisions_keep_the_data)
{
	static const struct { const char *old, *now, *why; } rows[] = {
		{ REVISION("revision: 1, data: {a: [{b: c}]}"), REVISION("revision: 2, data: {a: [{b: c}]}"), NULL },
		{ REVISION("revision: 1, data: {a: {$patch: replace, t: null, l: [{t: null, b: 1}]}}"), REVISION("revision: 2, data: {a: {$patch: replace, t: null, l: [{t: null, b: 1}]}}"), NULL },
		{ REVISION("revision: 1, data: {a: [{b: c}]}"), REVISION("revision: 1, data: {a: [{b: d}]}"), "data: Invalid value: {\"a\":[{\"b\":\"d\"}]}: field is immutable" },
		{ REVISION("revision: 1, data: {a: b}"), REVISION("revision: 1, data: {a: b, c: d}"), "data: Invalid value: {\"a\":\"b\",\"c\":\"d\"}: field is immutable" },
		{ REVISION("revision: 1, data: {a: b, c: d}"), REVISION("revision: 1, data: {a: b}"), "data: Invalid value: {\"a\":\"b\"}: field is immutable" },
		{ REVISION("revision: 1, data: {a: [b, c]}"), REVISION("revision: 1, data: {a: [b]}"), "field is immutable" },
		{ REVISION("revision: 1, data: {a: b}"), REVISION("revision: -1, data: {a: b}"), "revision: Invalid value: -1: must be greater than or equal to 0" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		update_says(rows[k].old, rows[k].now, rows[k].why);
}

/* An update may keep what the object had (validOldIPs); what is told of a cluster that there is, likewise. */
TEST(legacy_addresses_may_stay)
{
	struct apply_options opt = { .unknown = VALIDATE_WARN, .validate = true, .create_namespaces = true };
	struct cell x = cell_new(1);
	struct arena *a = x.a;
	const char *old = SERVICE("externalIPs: [010.0.0.1]"), *now = SERVICE("sessionAffinity: ClientIP, externalIPs: [010.0.0.1]");
	struct doc d = { "test.yaml", yaml_parse(a, "test.yaml", old, strlen(old), NULL, &x.err) };

	CU_ASSERT(apply_doc(x.c, &d, &opt, NULL, &x.err) == APPLY_CREATED);
	cell_apply(&x, now);
	SAME_TEXT(find_service(x.c, "default", "s")->affinity, "ClientIP");
	cell_free(&x);
}

/* A Pod of a cluster that there is has what the API server added to it, and what its features let in. */
TEST(pods_that_stand_keep_what_was_added_to_them)
{
	static const char *const docs[] = { APART("x", "matchLabelKeys: [x], labelSelector: {matchExpressions: [{key: x, operator: In, values: [b]}]}"), SPREAD("x", "x"),
					    RUNS_WITH("securityContext: {seLinuxChangePolicy: MountOption}") };
	struct apply_options opt = { .unknown = VALIDATE_WARN, .validate = true, .create_namespaces = true };

	for (size_t k = 0; k < ARRAY_LEN(docs); k++) {
		struct cell x = cell_new(1);
		struct doc d = { "test.yaml", yaml_parse(x.a, "test.yaml", docs[k], strlen(docs[k]), NULL, &x.err) };

		CU_ASSERT(apply_doc(x.c, &d, &opt, NULL, &x.err) == APPLY_CREATED);
		cell_free(&x);
	}
}

TEST(pods_of_statefulsets_are_named_as_hosts_whatever_the_template_says)
{
	struct cell x = cell_settled("{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}}\n---\n"
				     "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, "
				     "spec: {hostname: other, subdomain: foo, containers: [{name: c, image: nginx}]}}}}");
	struct object_list l = service_slices(x.c, find_service(x.c, "default", "db"));

	SAME_TEXT(((const struct endpointslice *)l.v[0])->endpoints.v[0].hostname, "db-0");
	SAME_TEXT(val_str(val_path(object_render(x.c, &cell_pod(&x, "db-0")->o, x.a), "spec.hostname")), "db-0");
	cell_free(&x);
}

/* pkg/quota/v1/evaluator/core/pods_test.go TestPodEvaluatorMatchingScopes, TestPodConstraintsFunc */
TEST(quotas_choose_pods_by_their_scopes)
{
#define QUOTA(more) "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {pods: '0'}, " more "}}\n---\n"
#define BARE(more)  "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {" more "}}"
#define RUNS(more)  "containers: [{name: c, image: i" more "}]"
#define HIGH        "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 5}\n---\n"
	static const struct { const char *yaml; bool refused; } rows[] = {
		{ QUOTA("scopes: [BestEffort]") BARE(RUNS("")), true },
		{ QUOTA("scopes: [BestEffort]") BARE(RUNS(", resources: {requests: {cpu: 1}}")), false },
		{ QUOTA("scopes: [NotBestEffort]") BARE(RUNS(", resources: {limits: {memory: 1Mi}}")), true },
		{ QUOTA("scopes: [Terminating]") BARE("activeDeadlineSeconds: 5, " RUNS("")), true },
		{ QUOTA("scopes: [Terminating]") BARE(RUNS("")), false },
		{ QUOTA("scopes: [NotTerminating, BestEffort]") BARE(RUNS("")), true },
		{ QUOTA("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}") HIGH BARE("priorityClassName: high, " RUNS("")), true },
		{ QUOTA("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: In, values: [high]}]}") BARE(RUNS("")), false },
		{ QUOTA("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: NotIn, values: [high]}]}") BARE(RUNS("")), true },
		{ QUOTA("scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: Exists}]}") HIGH BARE("priorityClassName: high, " RUNS("")), true },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const struct object *p;

		docs_read("test.yaml", rows[k].yaml, strlen(rows[k].yaml), NULL, cell_take, &x, &x.err);
		p = cluster_find(x.c, &pod_kind, "default", "p");
		CU_ASSERT((p == NULL) == rows[k].refused);
		CU_ASSERT(p || strstr(x.err.v[x.err.nr - 1].text, "exceeded quota: q"));
		cell_free(&x);
	}
}

/* PrepareForCreate of pkg/registry's strategies and of apiextensions' customResourceStrategy: status is left out before anything is validated; what is no
 * value of its type is refused by the decoder. metav1.Time takes the zero time. */
TEST(a_status_that_is_brought_along_is_not_validated)
{
	static const char yaml[] =
		"{apiVersion: v1, kind: Namespace, metadata: {name: team}, status: {phase: Odd, conditions: [{type: T, status: perhaps}]}}\n---\n"
		"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}},\n"
		" status: {conditions: [{type: Failed, status: 'True', lastTransitionTime: '0001-01-01T00:00:00Z'}]}}\n---\n"
		"{apiVersion: gateway.networking.k8s.io/v1, kind: GRPCRoute, metadata: {name: g}, spec: {}, status: {parents: [{parentRef: {}, controllerName: a/b}]}}\n";
	static const char wrong[] = "{apiVersion: v1, kind: Namespace, metadata: {name: m}, status: {conditions: [{type: T, status: 7}]}}";
	struct cell x = cell_new(1);

	CU_ASSERT(docs_read("test.yaml", yaml, strlen(yaml), NULL, cell_take, &x, &x.err));
	CU_ASSERT_EQUAL(x.err.nr, 0);
	CU_ASSERT_FALSE(docs_read("test.yaml", wrong, strlen(wrong), NULL, cell_take, &x, &x.err));
	cell_free(&x);
}

/* plugin/pkg/admission/priority computePriority */
TEST(pods_of_unknown_priority_classes_are_refused)
{
	struct cell x = cell_settled("{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: r}, spec: {selector: {matchLabels: {app: r}}, template: {metadata: {labels: {app: r}}, spec: {priorityClassName: high, " RUNS("") "}}}}\n---\n"
				     "{apiVersion: v1, kind: Pod, metadata: {name: own}, spec: {priorityClassName: system-node-critical, " RUNS("") "}}");
	static const char bare[] = BARE("priorityClassName: high, " RUNS(""));

	CU_ASSERT_PTR_NOT_NULL(cluster_find(x.c, &pod_kind, "default", "own"));
	CU_ASSERT_FALSE(docs_read("test.yaml", bare, strlen(bare), NULL, cell_take, &x, &x.err));
	CU_ASSERT_FATAL(x.err.nr == 1);
	CU_ASSERT(strstr(x.err.v[0].text, "pods \"p\" is forbidden: no PriorityClass with name high was found") != NULL);
	CU_ASSERT(cell_has_event(&x, "FailedCreate", "is forbidden: no PriorityClass with name high was found"));
	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 0);
	cell_apply(&x, HIGH);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 1);
	cell_free(&x);
}

/* pkg/controller/controller_utils.go createPods, stateful_pod_control.go recordPodEvent: all controllers are refused alike, say so and try again. */
TEST(every_controller_is_refused_alike)
{
	static const struct { const char *kind, *spec, *pods; const char *says; } rows[] = {
		{ "apps/v1, kind: ReplicaSet", "selector: {matchLabels: {app: r}}, replicas: 2, ", "r-", "Error creating: pods \"r-" },
		{ "apps/v1, kind: DaemonSet", "selector: {matchLabels: {app: r}}, ", "r-", "Error creating: pods \"r-" },
		{ "apps/v1, kind: StatefulSet", "selector: {matchLabels: {app: r}}, serviceName: r, ", "r-0", "create Pod r-0 in StatefulSet r failed error: pods \"r-0\" is forbidden: no PriorityClass" },
		{ "batch/v1, kind: Job", "", "r-", "Error creating: pods \"r-" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const struct object *o;
		uint32_t told;

		defaults_add(x.c);
		cell_apply(&x, arena_printf(x.a, "{apiVersion: %s, metadata: {name: r}, spec: {%stemplate: {metadata: {labels: {app: r}}, spec: {%spriorityClassName: high, " RUNS("") "}}}}", rows[k].kind,
					    rows[k].spec, k == 3 ? "restartPolicy: Never, " : ""));
		cell_settle(&x);
		CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 0);
		CU_ASSERT(cell_has_event(&x, "FailedCreate", rows[k].says) && cell_has_event(&x, "FailedCreate", "is forbidden: no PriorityClass with name high was found"));
		control_advance(x.t, SECONDS(80));
		told = cell_events(&x, "FailedCreate");
		CU_ASSERT(told >= 14 && told <= 16);             /* at once, after 5, 10, 20 … ms, 41, 82 s */
		cell_apply(&x, HIGH);
		control_advance(x.t, SECONDS(170));
		CU_ASSERT(cell_count(&x, &pod_kind, rows[k].pods) >= 1);
		o = k ? NULL : cluster_find(x.c, &replicaset_kind, "default", "r");
		CU_ASSERT(!o || !condition_get(&((const struct workload *)o)->conditions, "ReplicaFailure"));
		cell_free(&x);
	}
}

/* getDefaultPriorityClass */
TEST(of_several_global_defaults_the_lowest_counts)
{
	struct cell x = cell_settled("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: a}, value: 7, globalDefault: true}\n---\n"
				     "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: b}, value: 5, globalDefault: true}\n---\n" HIGH);
	static const struct { const char *class; int32_t value; } rows[] = { { NULL, 5 }, { "", 5 }, { "a", 7 }, { "system-node-critical", 2000001000 }, { "none", 0 } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct pod_spec s = { .priority_class = rows[k].class ? cluster_str(x.c, rows[k].class) : NULL };

		CU_ASSERT_EQUAL(pod_priority(x.c, &s), rows[k].value);
	}
	cell_free(&x);
}

TEST(an_import_without_priority_classes_is_not_refused)
{
	struct cell x = cell_new(1);

	cluster_flags(x.c)->no_defaults = true;
	cell_apply(&x, "{apiVersion: batch/v1, kind: Job, metadata: {name: r}, spec: {template: {spec: {restartPolicy: Never, priorityClassName: high, " RUNS("") "}}}}");
	cell_settle(&x);
	CU_ASSERT_EQUAL(cell_count(&x, &pod_kind, "r-"), 1);
	cell_free(&x);
}

/* replica_set_utils.go calculateStatus: the condition goes, too, when there is nothing left to make. */
TEST(a_refused_replicaset_that_wants_no_more_is_well)
{
	struct cell x = cell_settled("{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: r}, spec: {selector: {matchLabels: {app: r}}, template: {metadata: {labels: {app: r}}, spec: {priorityClassName: high, " RUNS("") "}}}}");
	const struct workload *w = (const struct workload *)cluster_find(x.c, &replicaset_kind, "default", "r");

	CU_ASSERT_PTR_NOT_NULL(condition_get(&w->conditions, "ReplicaFailure"));
	cell_apply(&x, "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: r}, spec: {replicas: 0, selector: {matchLabels: {app: r}}, template: {metadata: {labels: {app: r}}, spec: {priorityClassName: high, " RUNS("") "}}}}");
	cell_settle(&x);
	CU_ASSERT_PTR_NULL(condition_get(&w->conditions, "ReplicaFailure"));
	cell_free(&x);
}

TEST(quotas_count_what_their_keys_say)
{
	static const struct { const char *hard, *why; } rows[] = {
		{ "requests.nvidia.com/gpu: '1'", "exceeded quota: q, requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=0, limited: requests.nvidia.com/gpu=1" },
		{ "limits.cpu: '1', requests.memory: 1Gi", "failed quota: q: must specify limits.cpu for: c,j; requests.memory for: c,j" },
		{ "requests.storage: '0', services: '0'", NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const char *yaml = arena_printf(x.a, "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {hard: {%s}}}\n---\n"
						     "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {initContainers: [{name: j, image: i}], containers: [{name: c, image: i, resources: {limits: {nvidia.com/gpu: 2}}}]}}", rows[k].hard);

		docs_read("test.yaml", yaml, strlen(yaml), NULL, cell_take, &x, &x.err);
		CU_ASSERT(!rows[k].why == (cluster_find(x.c, &pod_kind, "default", "p") != NULL));
		CU_ASSERT(!rows[k].why || (x.err.nr && strstr(x.err.v[x.err.nr - 1].text, rows[k].why)));
		if (rows[k].why && x.err.nr && !strstr(x.err.v[x.err.nr - 1].text, rows[k].why))
			SAME_TEXT(x.err.v[x.err.nr - 1].text, rows[k].why);
		cell_free(&x);
	}
}
