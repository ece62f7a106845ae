/* The form of what is kept without effect: types and names of fields, one row a type, as the API documents them (Kubernetes 1.36,
 * api/openapi-spec/swagger.json). The tables find misspelt fields and wrong types at any depth; nothing is decoded by them. */
#ifndef PODWIRE_SHAPE_H
#define PODWIRE_SHAPE_H

#include "model/api/meta.h"
#include "model/api/rows.h"

#define STR(name)       KEPT(F_STR, #name),
#define BOOL(name)      KEPT(F_BOOL, #name),
#define INT(name)       KEPT(F_INT, #name),
#define LONG(name)      KEPT(F_I64, #name),
#define NUM(name)       KEPT(F_NUMBER, #name),
#define INTSTR(name)    KEPT(F_INT_OR_STR, #name),
#define AMOUNT(name)    KEPT(F_QUANTITY, #name),
#define TIME(name)      KEPT(F_TIME, #name),
#define BYTES(name)     KEPT(F_BYTES, #name),
#define STRS(name)      KEPT(F_STRS, #name),
#define INTS(name)      KEPT(F_INTS, #name),
#define PAIRS(name)     KEPT(F_PAIRS, #name),
#define AMOUNTS(name)   KEPT(F_AMOUNTS, #name),
#define BLOBS(name)     KEPT(F_BLOBS, #name),
#define STRLISTS(name)  KEPT(F_STRS_MAP, #name),
#define ANY(name)       KEPT(F_KEEP, #name),
#define OBJ(name, T)    KEPT_SUB(#name, T),
#define OBJS(name, T)   KEPT_LIST(#name, T),
#define MAP(name, T)    KEPT_MAP(#name, T),
#define DFLT(kind, key, json) KEPT_DFLT(kind, #key, json),
#define OBJ_DFLT(key, T, json) { .name = #key, .type = F_STRUCT, .flags = FIELD_KEPT, .sub = T, .text = json },
#define TOP             ROW_TOP,
#define SHAPE(T, rows)  static const struct field T[] = { rows FIELD_END };
#define SHARED(T, rows) const struct field T[] = { rows FIELD_END };

extern const struct field condition_fields[], selector_fields[], pod_spec_fields[];
extern const struct field APIService[], AWSElasticBlockStoreVolumeSource[], Affinity[], AttachedVolume[], AzureDiskVolumeSource[], AzureFileVolumeSource[], Binding[],
	CSIDriver[], CSINode[], CSIStorageCapacity[], CSIVolumeSource[], CephFSVolumeSource[], CertificateSigningRequest[], CinderVolumeSource[],
	ClusterRole[], ClusterRoleBinding[], ComponentStatus[], ContainerImage[], ContainerResizePolicy[], ContainerRestartRuleOnExitCodes[], ContainerState[],
	ContainerStatus[], ContainerUser[], CustomResourceDefinition[], DeviceClass[], DownwardAPIVolumeSource[],
	EmptyDirVolumeSource[], ConfigMapEnvSource[], SecretEnvSource[], EnvVarSource[], EphemeralVolumeSource[], Event[], FCVolumeSource[], FlexVolumeSource[],
	FlockerVolumeSource[], FlowSchema[], GCEPersistentDiskVolumeSource[], GitRepoVolumeSource[], GlusterfsVolumeSource[],
	HorizontalPodAutoscaler[], HostIP[], IPAddress[], ISCSIVolumeSource[], ImageVolumeSource[], IngressClassParametersReference[], KeyToPath[],
	Lease[], LimitRange[], LocalObjectReference[], MutatingAdmissionPolicy[], MutatingAdmissionPolicyBinding[], MutatingWebhookConfiguration[],
	NFSVolumeSource[], NamespaceCondition[], NodeConfigSource[], NodeConfigStatus[], NodeDaemonEndpoints[], NodeFeatures[],
	NodeRuntimeHandler[], NodeSelector[], NodeSwapStatus[], ObjectFieldSelector[], ObjectReference[], PersistentVolume[],
	PersistentVolumeClaim[], PersistentVolumeClaimSpec[], PersistentVolumeClaimStatus[], PhotonPersistentDiskVolumeSource[],
	PodDisruptionBudget[], PodMetrics[], PodExtendedResourceClaimStatus[], PodFailurePolicy[], PodOS[], PodResourceClaim[], PodResourceClaimStatus[],
	PodSchedulingGate[], PodSchedulingGroup[], PodSecurityContext[], PodTemplate[], PortworxVolumeSource[], PriorityClass[],
	PriorityLevelConfiguration[], ProjectedVolumeSource[], QuobyteVolumeSource[], RBDVolumeSource[], ResourceClaimTemplate[],
	ResourceClaim_core[], ResourceClaim_resource[], ResourceFieldSelector[], ResourceQuota[], ResourceRequirements[], ResourceSlice[],
	ResourceStatus[], Role[], RoleBinding[], RuntimeClass[], ScaleIOVolumeSource[], SecurityContext[], ServiceAccount[], ServiceCIDR[],
	StatefulSetPersistentVolumeClaimRetentionPolicy[], StorageClass[], StorageOSVolumeSource[], SuccessPolicy[], UncountedTerminatedPods[],
	ValidatingAdmissionPolicy[], ValidatingAdmissionPolicyBinding[], ValidatingWebhookConfiguration[], VolumeAttachment[],
	VolumeAttributesClass[], VolumeDevice[], VolumeMountStatus[], VsphereVirtualDiskVolumeSource[];

#endif
