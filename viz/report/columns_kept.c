/* Storage, RBAC, autoscaling, budgets, admission: kinds of which podwire keeps the document. */
#include <stdlib.h>

#include "model/api/kept.h"
#include "model/base/quantity.h"
#include "model/control/disruption.h"
#include "model/control/quota.h"
#include "viz/report/columns.h"

static uint32_t members(struct row *r, const char *path)
{
	const struct val *v = val_path(r->o->doc, path);

	return v ? v->nr : 0;
}

void access_modes_print(const struct val *list, struct sb *out)
{
	static const struct { const char *mode, *brief; } rows[] = {
		{ "ReadWriteOnce", "RWO" }, { "ReadOnlyMany", "ROX" }, { "ReadWriteMany", "RWX" }, { "ReadWriteOncePod", "RWOP" },
	};
	uint32_t nr = 0;

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		VAL_EACH(m, list)
			if (streq(val_str(m), rows[k].mode))
				sb_printf(out, "%s%s", nr++ ? "," : "", rows[k].brief);
}

static void volume_modes(struct row *r, struct sb *out) { access_modes_print(val_path(row_doc(r), "spec.accessModes"), out); }

static void claim_modes(struct row *r, struct sb *out)
{
	if (val_path(row_doc(r), "spec.volumeName"))
		access_modes_print(val_path(row_doc(r), "status.accessModes"), out);
}

static void claim_capacity(struct row *r, struct sb *out)
{
	if (val_path(row_doc(r), "spec.volumeName"))
		path_print(r, ".status.capacity.storage", NULL, out);
}

static void claim_status(struct row *r, struct sb *out)
{
	if (r->o->deleted != NEVER)
		sb_add(out, "Terminating");
	else
		path_print(r, ".status.phase", "Pending", out);
}

static void volume_status(struct row *r, struct sb *out)
{
	if (r->o->deleted != NEVER)
		sb_add(out, "Terminating");
	else
		path_print(r, ".status.phase", "Available", out);
}

static void volume_claim(struct row *r, struct sb *out)
{
	const char *ns = path_text_of(r, ".spec.claimRef.namespace"), *name = path_text_of(r, ".spec.claimRef.name");

	if (name)
		sb_printf(out, "%s/%s", ns ? ns : "", name);
}

static void class_name(struct row *r, struct sb *out)
{
	sb_printf(out, "%s%s", r->o->name, streq(label_get(&r->o->annotations, "storageclass.kubernetes.io/is-default-class"), "true") ? " (default)" : "");
}

/* cpu: 1/2, memory: …: what the status says of each amount; the limits apart from the requests. */
static void quota_amounts(struct row *r, bool limits, struct sb *out)
{
	const struct val *hard = val_path(row_doc(r), "status.hard"), *used = val_path(row_doc(r), "status.used");
	const char *names[64];
	uint32_t nr = 0, shown = 0;

	if (!hard)
		hard = val_path(row_doc(r), "spec.hard");
	VAL_EACH(m, hard) {
		uint32_t at = nr;

		if (nr == ARRAY_LEN(names))
			break;
		for (; at && strcmp(names[at - 1], m->key) > 0; at--)
			names[at] = names[at - 1];
		names[at] = m->key;
		nr++;
	}
	for (uint32_t k = 0; k < nr; k++) {
		const struct val *have = val_get(used, names[k]), *most = val_get(hard, names[k]);
		char text[32];

		if ((strncmp(names[k], "limits.", 7) == 0) != limits)
			continue;
		sb_printf(out, "%s%s: ", shown++ ? ", " : "", names[k]);
		if (val_str(have))
			sb_add(out, val_str(have));
		else
			sb_add(out, quantity_text(MAX(quota_used(r->c, r->o, names[k]), 0), strstr(names[k], "memory") != NULL, text));
		sb_addc(out, '/');
		if (val_str(most))
			sb_add(out, val_str(most));
		else
			val_print_json(most, out, 0, false);
	}
}

static void quota_requests(struct row *r, struct sb *out) { quota_amounts(r, false, out); }
static void quota_limits(struct row *r, struct sb *out) { quota_amounts(r, true, out); }

static void hpa_reference(struct row *r, struct sb *out)
{
	path_print(r, ".spec.scaleTargetRef.kind", "", out);
	sb_addc(out, '/');
	path_print(r, ".spec.scaleTargetRef.name", "", out);
}

static bool is_type(const char *type, const char *want)
{
	return type && strcmp(type, want) == 0;
}

/* What its controller last saw of a metric: the list of the status runs parallel to that of the spec. */
static void hpa_current(const struct val *doc, uint32_t nr, const char *source, bool percent, bool average, struct sb *out)
{
	const struct val *seen = val_get(val_get(val_at(val_path(doc, "status.currentMetrics"), nr), source), "current");
	const struct val *share = val_get(seen, "averageUtilization"), *value = val_get(seen, average ? "averageValue" : "value");
	char text[64];

	if (percent && share)
		sb_printf(out, "%" PRId64 "%%/", val_int_or(share, 0));
	else if (!percent && value && quantity_written(value, text))
		sb_printf(out, "%s/", text);
	else
		sb_add(out, "<unknown>/");
}

static void hpa_targets(struct row *r, struct sb *out)
{
	uint32_t nr = 0;

	VAL_EACH(m, val_path(row_doc(r), "spec.metrics")) {
		const char *type = val_str_at(m, "type");
		const char *key = is_type(type, "ContainerResource") ? "containerResource" : is_type(type, "Pods") ? "pods" : is_type(type, "Object") ? "object" : is_type(type, "External") ? "external" : "resource";
		const struct val *source = val_get(m, key);
		const struct val *target = val_get(source, "target"), *percent = val_get(target, "averageUtilization");
		const char *name = val_str_at(source, "name"), *average = val_str_at(target, "averageValue"), *value = val_str_at(target, "value");

		if (nr++ >= 2)                  /* two, and how many more there are */
			continue;
		sb_printf(out, "%s%s%s", nr > 1 ? ", " : "", name ? name : "", name ? ": " : "");
		hpa_current(row_doc(r), nr - 1, key, percent != NULL, average != NULL, out);
		if (percent)
			sb_printf(out, "%" PRId64 "%%", val_int_or(percent, 0));
		else
			sb_printf(out, "%s%s", average ? average : value ? value : "<auto>", average && (is_type(type, "External") || is_type(type, "Object")) ? " (avg)" : "");
	}
	if (nr > 2)
		sb_printf(out, " + %u more...", nr - 2);
	if (!nr)
		sb_add(out, "<none>");
}

static void budget_allowed(struct row *r, struct sb *out)
{
	sb_printf(out, "%d", budget_of(r->c, r->o, r->scratch).allowed);
}

static void binding_role(struct row *r, struct sb *out)
{
	path_print(r, ".roleRef.kind", "", out);
	sb_addc(out, '/');
	path_print(r, ".roleRef.name", "", out);
}

static void subjects(struct row *r, const char *kind, struct sb *out)
{
	uint32_t nr = 0;

	VAL_EACH(s, val_get(r->o->doc, "subjects")) {
		const char *name = val_str(val_get(s, "name")), *ns = val_str(val_get(s, "namespace"));

		if (streq(val_str(val_get(s, "kind")), kind))
			sb_printf(out, "%s%s%s%s", nr++ ? ", " : "", ns ? ns : "", ns ? "/" : "", name ? name : "");
	}
}

static void users(struct row *r, struct sb *out) { subjects(r, "User", out); }
static void groups(struct row *r, struct sb *out) { subjects(r, "Group", out); }
static void accounts(struct row *r, struct sb *out) { subjects(r, "ServiceAccount", out); }

static void webhooks(struct row *r, struct sb *out) { sb_printf(out, "%u", members(r, "webhooks")); }
static void validations(struct row *r, struct sb *out) { sb_printf(out, "%u", members(r, "spec.validations")); }
static void mutations(struct row *r, struct sb *out) { sb_printf(out, "%u", members(r, "spec.mutations")); }
static void drivers(struct row *r, struct sb *out) { sb_printf(out, "%u", members(r, "spec.drivers")); }

static void param_kind(struct row *r, struct sb *out)
{
	const char *api = path_text_of(r, ".spec.paramKind.apiVersion"), *kind = path_text_of(r, ".spec.paramKind.kind");

	if (kind)
		sb_printf(out, "%s/%s", api ? api : "", kind);
	else
		sb_add(out, "<unset>");
}

static void revision_owner(struct row *r, struct sb *out)
{
	for (uint32_t k = 0; k < r->o->owners.nr; k++)
		if (r->o->owners.v[k].controller) {
			const char *api = r->o->owners.v[k].api, *slash = api ? strchr(api, '/') : NULL;

			for (const char *p = r->o->owners.v[k].kind; p && *p; p++)
				sb_addc(out, (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p));
			sb_printf(out, "%s%.*s/%s", slash ? "." : "", slash ? (int)(slash - api) : 0, slash ? api : "", r->o->owners.v[k].name);
			return;
		}
	sb_add(out, "<none>");
}

static void template_names(struct row *r, const char *what, struct sb *out)
{
	uint32_t nr = 0;

	VAL_EACH(c, val_path(r->o->doc, "template.spec.containers")) {
		const char *text = val_str(val_get(c, what));

		sb_printf(out, "%s%s", nr++ ? "," : "", text ? text : "");
	}
}

static void template_containers(struct row *r, struct sb *out) { template_names(r, "name", out); }
static void template_images(struct row *r, struct sb *out) { template_names(r, "image", out); }

static void template_labels(struct row *r, struct sb *out)
{
	uint32_t nr = 0;

	VAL_EACH(l, val_path(r->o->doc, "template.metadata.labels"))
		sb_printf(out, "%s%s=%s", nr++ ? "," : "", l->key, val_str(l) ? val_str(l) : "");
	if (!nr)
		sb_add(out, "<none>");
}

static void service_of_api(struct row *r, struct sb *out)
{
	const char *ns = path_text_of(r, ".spec.service.namespace"), *name = path_text_of(r, ".spec.service.name");

	if (name)
		sb_printf(out, "%s/%s", ns ? ns : "", name);
	else
		sb_add(out, "Local");
}

static void parent_of_ip(struct row *r, struct sb *out)
{
	const char *group = path_text_of(r, ".spec.parentRef.group"), *resource = path_text_of(r, ".spec.parentRef.resource");

	sb_printf(out, "%s%s%s/", resource ? resource : "", group && *group ? "." : "", group ? group : "");
	path_print(r, ".spec.parentRef.namespace", "", out);
	sb_addc(out, '/');
	path_print(r, ".spec.parentRef.name", "", out);
}

#define CREATED(...) { COL_NAME, __VA_ARGS__ COL("CREATED AT", col_created), COL_END }

static const struct column created[] = CREATED();
static const struct column claims[] = {
	COL_NAME, COL("STATUS", claim_status), PATH("VOLUME", ".spec.volumeName", NULL), COL("CAPACITY", claim_capacity), COL("ACCESS MODES", claim_modes),
	PATH("STORAGECLASS", ".spec.storageClassName", NULL), PATH("VOLUMEATTRIBUTESCLASS", ".spec.volumeAttributesClassName", "<unset>"), COL_AGE,
	PATH_W("VOLUMEMODE", ".spec.volumeMode", "Filesystem"), COL_END,
};
static const struct column volumes[] = {
	COL_NAME, PATH("CAPACITY", ".spec.capacity.storage", NULL), COL("ACCESS MODES", volume_modes), PATH("RECLAIM POLICY", ".spec.persistentVolumeReclaimPolicy", "Retain"),
	COL("STATUS", volume_status), COL("CLAIM", volume_claim), PATH("STORAGECLASS", ".spec.storageClassName", NULL),
	PATH("VOLUMEATTRIBUTESCLASS", ".spec.volumeAttributesClassName", "<unset>"), PATH("REASON", ".status.reason", NULL), COL_AGE,
	PATH_W("VOLUMEMODE", ".spec.volumeMode", "Filesystem"), COL_END,
};
static const struct column storage_classes[] = {
	COL("NAME", class_name), PATH("PROVISIONER", ".provisioner", NULL), PATH("RECLAIMPOLICY", ".reclaimPolicy", "Delete"),
	PATH("VOLUMEBINDINGMODE", ".volumeBindingMode", "Immediate"), PATH("ALLOWVOLUMEEXPANSION", ".allowVolumeExpansion", "false"), COL_AGE, COL_END,
};
static const struct column quotas[] = NAME_AGE(COL("REQUEST", quota_requests), COL("LIMIT", quota_limits), );
static const struct column autoscalers[] = NAME_AGE(COL("REFERENCE", hpa_reference), COL("TARGETS", hpa_targets), PATH("MINPODS", ".spec.minReplicas", "1"),
						     PATH("MAXPODS", ".spec.maxReplicas", NULL), PATH("REPLICAS", ".status.currentReplicas", "0"), );
static const struct column budgets[] = NAME_AGE(PATH("MIN AVAILABLE", ".spec.minAvailable", "N/A"), PATH("MAX UNAVAILABLE", ".spec.maxUnavailable", "N/A"),
						 COL("ALLOWED DISRUPTIONS", budget_allowed), );
static const struct column bindings[] = {
	COL_NAME, COL("ROLE", binding_role), COL_AGE, COL_W("USERS", users), COL_W("GROUPS", groups), COL_W("SERVICEACCOUNTS", accounts), COL_END,
};
static const struct column priority_classes[] = {
	COL_NAME, PATH("VALUE", ".value", NULL), PATH("GLOBAL-DEFAULT", ".globalDefault", "false"), COL_AGE, PATH("PREEMPTIONPOLICY", ".preemptionPolicy", "PreemptLowerPriority"), COL_END,
};
static const struct column runtime_classes[] = NAME_AGE(PATH("HANDLER", ".handler", NULL), );
static const struct column leases[] = NAME_AGE(PATH("HOLDER", ".spec.holderIdentity", NULL), );
static const struct column hooks[] = NAME_AGE(COL("WEBHOOKS", webhooks), );
static const struct column admission_policies[] = NAME_AGE(COL("VALIDATIONS", validations), COL("PARAMKIND", param_kind), );
static const struct column mutation_policies[] = NAME_AGE(COL("MUTATIONS", mutations), COL("PARAMKIND", param_kind), );
static const struct column policy_bindings[] = NAME_AGE(PATH("POLICYNAME", ".spec.policyName", NULL), PATH("PARAMREF", ".spec.paramRef.name", "<unset>"), );
static const struct column revisions[] = NAME_AGE(COL("CONTROLLER", revision_owner), PATH("REVISION", ".revision", NULL), );
static const struct column csi_drivers[] = NAME_AGE(PATH("ATTACHREQUIRED", ".spec.attachRequired", "true"), PATH("PODINFOONMOUNT", ".spec.podInfoOnMount", "false"),
						     PATH("STORAGECAPACITY", ".spec.storageCapacity", "false"), PATH("TOKENREQUESTS", ".spec.tokenRequests[*].audience", "<unset>"),
						     PATH("REQUIRESREPUBLISH", ".spec.requiresRepublish", "false"), PATH("MODES", ".spec.volumeLifecycleModes[*]", "Persistent"), );
static const struct column csi_nodes[] = NAME_AGE(COL("DRIVERS", drivers), );
static const struct column capacities[] = { COL_NAME, PATH("STORAGECLASSNAME", ".storageClassName", NULL), PATH("CAPACITY", ".capacity", NULL), COL_END };
static const struct column attachments[] = NAME_AGE(PATH("ATTACHER", ".spec.attacher", NULL), PATH("PV", ".spec.source.persistentVolumeName", NULL),
						     PATH("NODE", ".spec.nodeName", NULL), PATH("ATTACHED", ".status.attached", "false"), );
static const struct column attributes_classes[] = NAME_AGE(PATH("DRIVERNAME", ".driverName", NULL), );
static const struct column signing_requests[] = {
	COL_NAME, COL_AGE, PATH("SIGNERNAME", ".spec.signerName", NULL), PATH("REQUESTOR", ".spec.username", NULL), PATH("REQUESTEDDURATION", ".spec.expirationSeconds", "<none>"),
	PATH("CONDITION", ".status.conditions[0].type", "Pending"), COL_END,
};
static const struct column templates[] = {
	COL_NAME, COL("CONTAINERS", template_containers), COL("IMAGES", template_images), COL("POD LABELS", template_labels), COL_END,
};
static const struct column api_services[] = NAME_AGE(COL("SERVICE", service_of_api), PATH("AVAILABLE", ".status.conditions[?(@.type==\"Available\")].status", "Unknown"), );
static const struct column addresses[] = { COL_NAME, COL("PARENTREF", parent_of_ip), COL_END };
static const struct column flow_schemas[] = {
	COL_NAME, PATH("PRIORITYLEVEL", ".spec.priorityLevelConfiguration.name", NULL), PATH("MATCHINGPRECEDENCE", ".spec.matchingPrecedence", "1000"),
	PATH("DISTINGUISHERMETHOD", ".spec.distinguisherMethod.type", "<none>"), COL_AGE, PATH("MISSINGPL", ".status.conditions[0].status", "?"), COL_END,
};
static const struct column priority_levels[] = NAME_AGE(PATH("TYPE", ".spec.type", NULL), PATH("NOMINALCONCURRENCYSHARES", ".spec.limited.nominalConcurrencyShares", "<none>"),
							 PATH("QUEUES", ".spec.limited.limitResponse.queuing.queues", "<none>"),
							 PATH("HANDSIZE", ".spec.limited.limitResponse.queuing.handSize", "<none>"),
							 PATH("QUEUELENGTHLIMIT", ".spec.limited.limitResponse.queuing.queueLengthLimit", "<none>"), );
static const struct column resource_claims[] = NAME_AGE(PATH("STATE", ".status.state", "pending"), );
static const struct column resource_slices[] = NAME_AGE(PATH("NODE", ".spec.nodeName", "<unset>"), PATH("DRIVER", ".spec.driver", NULL), PATH("POOL", ".spec.pool.name", NULL), );

const struct kind_columns columns_kept[] = {
	{ &pvc_kind, claims }, { &pv_kind, volumes }, { &storage_class_kind, storage_classes }, { &quota_kind, quotas }, { &limit_range_kind, created },
	{ &role_kind, created }, { &cluster_role_kind, created }, { &crd_kind, created }, { &role_binding_kind, bindings }, { &cluster_role_binding_kind, bindings },
	{ &hpa_kind, autoscalers }, { &pdb_kind, budgets }, { &priority_class_kind, priority_classes }, { &runtime_class_kind, runtime_classes }, { &lease_kind, leases },
	{ &validating_kind, hooks }, { &mutating_kind, hooks }, { &vap_kind, admission_policies }, { &map_kind, mutation_policies }, { &vap_binding_kind, policy_bindings },
	{ &map_binding_kind, policy_bindings }, { &controller_revision_kind, revisions }, { &csi_driver_kind, csi_drivers }, { &csi_node_kind, csi_nodes },
	{ &csi_capacity_kind, capacities }, { &volume_attachment_kind, attachments }, { &attributes_class_kind, attributes_classes }, { &csr_kind, signing_requests },
	{ &pod_template_kind, templates }, { &api_service_kind, api_services }, { &ip_address_kind, addresses }, { &flow_schema_kind, flow_schemas },
	{ &priority_level_kind, priority_levels }, { &resource_claim_kind, resource_claims }, { &resource_slice_kind, resource_slices }, { NULL, NULL },
};
