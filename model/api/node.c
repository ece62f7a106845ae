/* Namespace, Node, ConfigMap, Secret. Source: kubernetes staging/src/k8s.io/api/core/v1/types.go. */
#include "model/api/checks.h"
#include "model/api/fill.h"
#include "model/api/shape.h"

static const struct field ns_status_fields[] = { ROW(F_STR, "phase", struct namespace_, phase), KEPT_LIST("conditions", condition_fields), FIELD_END };
static const struct field ns_spec_fields[] = { KEPT(F_STRS, "finalizers"), FIELD_END };
static const struct field namespace_fields[] = { ROW_TOP, KEPT_SUB("spec", ns_spec_fields), ROW_HERE("status", ns_status_fields), FIELD_END };

/* SetDefaults_Namespace: the name is always there as a label. */
static void namespace_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct namespace_ *n = (struct namespace_ *)o;
	str key = str_intern(t, "kubernetes.io/metadata.name");
	struct pair *v;
	uint32_t k, nr = 0;

	if (!n->phase)
		n->phase = str_intern(t, "Active");
	if (!o->name)
		return;
	for (k = 0; k < o->labels.nr; k++)      /* whatever the manifest says */
		if (streq(o->labels.v[k].key, key)) {
			o->labels.v[k].value = o->name;
			return;
		}
	v = arena_array(a, struct pair, o->labels.nr + 1);
	for (k = 0; k < o->labels.nr && str_order(o->labels.v[k].key, key) < 0; k++)
		v[nr++] = o->labels.v[k];
	v[nr++] = (struct pair){ key, o->name };
	for (; k < o->labels.nr; k++)
		v[nr++] = o->labels.v[k];
	o->labels = (pair_list){ v, nr, true };
}

static const struct field taint_fields[] = {
	ROW(F_STR, "key", struct taint, key), ROW(F_STR, "value", struct taint, value), ROW(F_STR, "effect", struct taint, effect), KEPT(F_TIME, "timeAdded"), FIELD_END
};
static const struct field address_fields[] = { ROW(F_STR, "type", struct node_address, type), ROW(F_STR, "address", struct node_address, address), FIELD_END };
static const struct field info_fields[] = {
	ROW(F_STR, "kubeletVersion", struct node, kubelet_version), ROW(F_STR, "kernelVersion", struct node, kernel_version), ROW(F_STR, "osImage", struct node, os_image),
	ROW(F_STR, "containerRuntimeVersion", struct node, runtime), KEPT(F_STR, "machineID"), KEPT(F_STR, "systemUUID"), KEPT(F_STR, "bootID"),
	KEPT(F_STR, "kubeProxyVersion"), KEPT(F_STR, "operatingSystem"), KEPT(F_STR, "architecture"), KEPT_SUB("swap", NodeSwapStatus),
	FIELD_END
};
static const struct field node_status_fields[] = {
	ROW_LIST("addresses", struct node, addresses, struct node_address, address_fields), ROW_LIST("conditions", struct node, conditions, struct condition, condition_fields),
	ROW(F_AMOUNTS, "capacity", struct node, capacity), ROW(F_AMOUNTS, "allocatable", struct node, allocatable), ROW_HERE("nodeInfo", info_fields), 
	KEPT_SUB("daemonEndpoints", NodeDaemonEndpoints), KEPT_LIST("images", ContainerImage), KEPT(F_STRS, "volumesInUse"), KEPT_LIST("volumesAttached", AttachedVolume),
	KEPT_SUB("config", NodeConfigStatus), KEPT(F_STR, "phase"), KEPT_LIST("runtimeHandlers", NodeRuntimeHandler), KEPT_SUB("features", NodeFeatures),
	KEPT(F_STRS, "declaredFeatures"),
	FIELD_END
};
static const struct field node_spec_fields[] = {
	ROW(F_STR, "podCIDR", struct node, pod_cidr), ROW(F_STRS, "podCIDRs", struct node, pod_cidrs), ROW(F_STR, "providerID", struct node, provider_id),
	ROW(F_BOOL, "unschedulable", struct node, unschedulable), ROW_LIST("taints", struct node, taints, struct taint, taint_fields), KEPT_SUB("configSource", NodeConfigSource),
	KEPT(F_STR, "externalID"),
	FIELD_END
};
static const struct field node_fields[] = { ROW_TOP, ROW_HERE("spec", node_spec_fields), ROW_HERE("status", node_status_fields), FIELD_END };

static const struct field config_map_fields[] = { ROW_TOP, ROW(F_PAIRS, "data", struct config_map, data), KEPT(F_BLOBS, "binaryData"), KEPT(F_BOOL, "immutable"), FIELD_END };
static const struct field secret_fields[] = {
	ROW_TOP, ROW(F_STR, "type", struct secret, type), ROW(F_BLOBS, "data", struct secret, data), KEPT(F_PAIRS, "stringData"), KEPT(F_BOOL, "immutable"), FIELD_END
};

static str base64(struct strtab *t, const char *s, size_t n)
{
	struct sb sb = { 0 };
	str out;

	sb_add_base64(&sb, s, n);
	out = str_intern(t, sb_text(&sb));
	sb_free(&sb);
	return out;
}

/* stringData goes into data (pkg/apis/core/v1/conversion.go Convert_v1_Secret_To_core_Secret). */
static void secret_default(struct object *o, struct arena *a, struct strtab *t)
{
	const struct val *more = val_get(o->doc, "stringData");
	struct secret *s = (struct secret *)o;
	pair_list l = { .set = true };

	if (!s->type || !*s->type)
		s->type = str_intern(t, "Opaque");
	if (!val_is(more, VAL_MAP))
		return;
	l.v = arena_array(a, struct pair, s->data.nr + more->nr);
	for (uint32_t k = 0; k < s->data.nr; k++)
		if (!val_get(more, s->data.v[k].key))
			l.v[l.nr++] = s->data.v[k];
	VAL_EACH(m, more) {
		struct pair x = { str_intern(t, m->key), base64(t, m->type == VAL_STRING ? m->s : "", m->type == VAL_STRING ? m->nr : 0) };
		uint32_t k;

		for (k = l.nr++; k > 0 && str_order(l.v[k - 1].key, x.key) > 0; k--)
			l.v[k] = l.v[k - 1];
		l.v[k] = x;
	}
	s->data = l;
}

static const char *const v1[] = { "v1", NULL };
const struct kind namespace_kind = { .name = "Namespace", .apis = v1, .plural = "namespaces", .shorts = "ns", .size = sizeof(struct namespace_), .fields = namespace_fields,
				     .dflt = namespace_default, .fill = namespace_fill, .check = namespace_check, .name_rule = must_be_label };
const struct kind node_kind = { .name = "Node", .apis = v1, .plural = "nodes", .shorts = "no", .size = sizeof(struct node), .fields = node_fields,
				.check = node_check, .check_update = node_check_update };
const struct kind config_map_kind = { .name = "ConfigMap", .apis = v1, .plural = "configmaps", .shorts = "cm", .namespaced = true, .size = sizeof(struct config_map),
				      .fields = config_map_fields, .check = config_map_check, .check_update = config_map_check_update };
const struct kind secret_kind = { .name = "Secret", .apis = v1, .plural = "secrets", .namespaced = true, .size = sizeof(struct secret),
				  .fields = secret_fields, .dflt = secret_default, .fill = secret_fill, .check = secret_check, .check_update = secret_check_update };
