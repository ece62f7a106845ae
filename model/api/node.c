/* Namespace, Node, ConfigMap, Secret. Source: kubernetes staging/src/k8s.io/api/core/v1/types.go. */
#include "model/api/core.h"
#include "model/api/rows.h"

#define TOP ROW_KEEP("apiVersion"), ROW_KEEP("kind"), ROW_KEEP("metadata")

static const struct field ns_status_fields[] = { ROW(F_STR, "phase", struct namespace_, phase), ROW_KEEP("conditions"), FIELD_END };
static const struct field ns_spec_fields[] = { ROW_KEEP("finalizers"), FIELD_END };
static const struct field namespace_fields[] = { TOP, ROW_KEEP_SUB("spec", ns_spec_fields), ROW_HERE("status", ns_status_fields), FIELD_END };

/* SetDefaults_Namespace: the name is always there as a label. */
static void namespace_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct namespace_ *n = (struct namespace_ *)o;
	str key = str_intern(t, "kubernetes.io/metadata.name");
	struct pair *v;
	uint32_t k, nr = 0;

	if (!n->phase)
		n->phase = str_intern(t, "Active");
	if (label_get(&o->labels, key) || !o->name)
		return;
	v = arena_array(a, struct pair, o->labels.nr + 1);
	for (k = 0; k < o->labels.nr && str_order(o->labels.v[k].key, key) < 0; k++)
		v[nr++] = o->labels.v[k];
	v[nr++] = (struct pair){ key, o->name };
	for (; k < o->labels.nr; k++)
		v[nr++] = o->labels.v[k];
	o->labels = (pair_list){ v, nr, true };
}

static const struct field taint_fields[] = {
	ROW(F_STR, "key", struct taint, key), ROW(F_STR, "value", struct taint, value), ROW(F_STR, "effect", struct taint, effect), ROW_KEEP("timeAdded"), FIELD_END
};
static const struct field address_fields[] = { ROW(F_STR, "type", struct node_address, type), ROW(F_STR, "address", struct node_address, address), FIELD_END };
static const struct field info_fields[] = {
	ROW(F_STR, "kubeletVersion", struct node, kubelet_version), ROW(F_STR, "kernelVersion", struct node, kernel_version), ROW(F_STR, "osImage", struct node, os_image),
	ROW(F_STR, "containerRuntimeVersion", struct node, runtime), ROW_KEEP("machineID"), ROW_KEEP("systemUUID"), ROW_KEEP("bootID"), ROW_KEEP("kubeProxyVersion"),
	ROW_KEEP("operatingSystem"), ROW_KEEP("architecture"), ROW_KEEP("swap"),
	FIELD_END
};
static const struct field node_status_fields[] = {
	ROW_LIST("addresses", struct node, addresses, struct node_address, address_fields), ROW_LIST("conditions", struct node, conditions, struct condition, condition_fields),
	ROW(F_PAIRS, "capacity", struct node, capacity), ROW(F_PAIRS, "allocatable", struct node, allocatable), ROW_HERE("nodeInfo", info_fields), ROW_KEEP("daemonEndpoints"),
	ROW_KEEP("images"), ROW_KEEP("volumesInUse"), ROW_KEEP("volumesAttached"), ROW_KEEP("config"), ROW_KEEP("phase"), ROW_KEEP("runtimeHandlers"), ROW_KEEP("features"),
	ROW_KEEP("declaredFeatures"),
	FIELD_END
};
static const struct field node_spec_fields[] = {
	ROW(F_STR, "podCIDR", struct node, pod_cidr), ROW(F_STRS, "podCIDRs", struct node, pod_cidrs), ROW(F_STR, "providerID", struct node, provider_id),
	ROW(F_BOOL, "unschedulable", struct node, unschedulable), ROW_LIST("taints", struct node, taints, struct taint, taint_fields), ROW_KEEP("configSource"), ROW_KEEP("externalID"),
	FIELD_END
};
static const struct field node_fields[] = { TOP, ROW_HERE("spec", node_spec_fields), ROW_HERE("status", node_status_fields), FIELD_END };

static const struct field config_map_fields[] = { TOP, ROW(F_PAIRS, "data", struct config_map, data), ROW_KEEP("binaryData"), ROW_KEEP("immutable"), FIELD_END };
static const struct field secret_fields[] = {
	TOP, ROW(F_STR, "type", struct secret, type), ROW(F_PAIRS, "data", struct secret, data), ROW_KEEP("stringData"), ROW_KEEP("immutable"), FIELD_END
};

static const char *const v1[] = { "v1", NULL };
const struct kind namespace_kind = { .name = "Namespace", .apis = v1, .plural = "namespaces", .shorts = "ns", .size = sizeof(struct namespace_), .fields = namespace_fields,
				     .dflt = namespace_default };
const struct kind node_kind = { .name = "Node", .apis = v1, .plural = "nodes", .shorts = "no", .size = sizeof(struct node), .fields = node_fields };
const struct kind config_map_kind = { .name = "ConfigMap", .apis = v1, .plural = "configmaps", .shorts = "cm", .namespaced = true, .size = sizeof(struct config_map),
				      .fields = config_map_fields };
const struct kind secret_kind = { .name = "Secret", .apis = v1, .plural = "secrets", .namespaced = true, .size = sizeof(struct secret), .fields = secret_fields };
