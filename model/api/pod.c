/* Pod. Source: kubernetes staging/src/k8s.io/api/core/v1/types.go; defaults: pkg/apis/core/v1/defaults.go. */
#include "model/base/quantity.h"
#include "model/api/checks.h"
#include "model/api/fill.h"
#include "model/api/shape.h"

const char *const l4_names[] = { "", "TCP", "UDP", "SCTP", NULL };

uint8_t l4_number(uint8_t l4)
{
	return l4 == L4_UDP ? 17 : l4 == L4_SCTP ? 132 : 6;
}

const char *l4_name(uint8_t number)
{
	return number == 1 || number == 58 ? "ICMP" : l4_names[number == 17 ? L4_UDP : number == 132 ? L4_SCTP : L4_TCP];
}

const char *const cond_status_names[] = { "", "True", "False", "Unknown", NULL };
const char *const pod_phase_names[] = { "", "Pending", "Running", "Succeeded", "Failed", "Unknown", NULL };

const struct field condition_fields[] = {
	ROW(F_STR, "type", struct condition, type), ROW_ENUM("status", struct condition, status, cond_status_names), ROW(F_STR, "reason", struct condition, reason),
	ROW(F_STR, "message", struct condition, message), ROW(F_I64, "observedGeneration", struct condition, observed), KEPT(F_TIME, "lastTransitionTime"),
	KEPT(F_TIME, "lastHeartbeatTime"), KEPT(F_TIME, "lastProbeTime"), KEPT(F_TIME, "lastUpdateTime"),
	FIELD_END
};

const struct condition *condition_get(const condition_list *l, const char *type)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k].type, type))
			return &l->v[k];
	return NULL;
}

static const struct field port_fields[] = {
	ROW(F_STR, "name", struct container_port, name), ROW(F_INT, "containerPort", struct container_port, port), ROW(F_INT, "hostPort", struct container_port, host_port),
	ROW(F_STR, "hostIP", struct container_port, host_ip), ROW_ENUM_DFLT("protocol", struct container_port, protocol, l4_names, L4_TCP),
	FIELD_END
};
static const struct field env_fields[] = { ROW(F_STR, "name", struct env_var, name), ROW(F_STR, "value", struct env_var, value), ROW_RAW("valueFrom", struct env_var, from, EnvVarSource), FIELD_END };
static const struct field env_from_fields[] = {
	ROW(F_STR, "prefix", struct env_from, prefix), ROW_RAW("configMapRef", struct env_from, config_map, ConfigMapEnvSource), ROW_RAW("secretRef", struct env_from, secret, SecretEnvSource), FIELD_END
};
static const struct field mount_fields[] = {
	ROW(F_STR, "name", struct volume_mount, name), ROW(F_STR, "mountPath", struct volume_mount, path), ROW(F_STR, "subPath", struct volume_mount, sub_path),
	ROW(F_BOOL, "readOnly", struct volume_mount, read_only), KEPT(F_STR, "mountPropagation"), KEPT(F_STR, "subPathExpr"), KEPT(F_STR, "recursiveReadOnly"),
	FIELD_END
};
static const struct field header_fields[] = { ROW(F_STR, "name", struct http_header, name), ROW(F_STR, "value", struct http_header, value), FIELD_END };
static const struct field http_fields[] = {
	ROW_TEXT(F_STR, "path", struct http_get, path, "\"/\""), ROW(F_STR, "host", struct http_get, host), ROW_TEXT(F_STR, "scheme", struct http_get, scheme, "\"HTTP\""),
	ROW(F_INT_OR_STR, "port", struct http_get, port), ROW_LIST("httpHeaders", struct http_get, headers, struct http_header, header_fields),
	FIELD_END
};
static const struct field tcp_fields[] = { ROW(F_INT_OR_STR, "port", struct tcp_socket, port), ROW(F_STR, "host", struct tcp_socket, host), FIELD_END };
static const struct field exec_fields[] = { ROW(F_STRS, "command", struct exec_action, command), FIELD_END };
static const struct field grpc_fields[] = { ROW(F_INT, "port", struct grpc_action, port), ROW_TEXT(F_STR, "service", struct grpc_action, service, "\"\""), FIELD_END };
static const struct field sleep_fields[] = { ROW(F_I64, "seconds", struct sleep_action, seconds), FIELD_END };
static const struct field probe_fields[] = {
	ROW_PTR("httpGet", struct probe, http, struct http_get, http_fields), ROW_PTR("tcpSocket", struct probe, tcp, struct tcp_socket, tcp_fields),
	ROW_PTR("exec", struct probe, exec, struct exec_action, exec_fields), ROW_PTR("grpc", struct probe, grpc, struct grpc_action, grpc_fields),
	ROW(F_INT, "initialDelaySeconds", struct probe, initial_delay), ROW_DFLT(F_INT, "periodSeconds", struct probe, period, 10),
	ROW_DFLT(F_INT, "timeoutSeconds", struct probe, timeout, 1), ROW_DFLT(F_INT, "successThreshold", struct probe, success, 1),
	ROW_DFLT(F_INT, "failureThreshold", struct probe, failure, 3), ROW(F_OPT_INT, "terminationGracePeriodSeconds", struct probe, grace),
	FIELD_END
};
static const struct field handler_fields[] = {
	ROW_PTR("exec", struct lifecycle_handler, exec, struct exec_action, exec_fields), ROW_PTR("httpGet", struct lifecycle_handler, http, struct http_get, http_fields),
	ROW_PTR("tcpSocket", struct lifecycle_handler, tcp, struct tcp_socket, tcp_fields), ROW_PTR("sleep", struct lifecycle_handler, sleep, struct sleep_action, sleep_fields),
	FIELD_END
};
static const struct field lifecycle_fields[] = {
	ROW_PTR("postStart", struct lifecycle, post_start, struct lifecycle_handler, handler_fields),
	ROW_PTR("preStop", struct lifecycle, pre_stop, struct lifecycle_handler, handler_fields), KEPT(F_STR, "stopSignal"),
	FIELD_END
};
static const struct field resource_fields[] = { 
	ROW(F_AMOUNTS, "requests", struct resources, requests), ROW(F_AMOUNTS, "limits", struct resources, limits), KEPT_LIST("claims", ResourceClaim_core), FIELD_END
 };
static const struct field restart_rule_fields[] = { ROW(F_STR, "action", struct restart_rule, action), ROW_RAW("exitCodes", struct restart_rule, codes, ContainerRestartRuleOnExitCodes), FIELD_END };
static const struct field container_fields[] = {
	ROW(F_STR, "name", struct container, name), ROW(F_STR, "image", struct container, image), ROW(F_STRS, "command", struct container, command),
	ROW(F_STRS, "args", struct container, args), ROW_LIST("ports", struct container, ports, struct container_port, port_fields),
	ROW_LIST("env", struct container, env, struct env_var, env_fields), ROW_LIST("volumeMounts", struct container, mounts, struct volume_mount, mount_fields),
	ROW_STRUCT_TEXT("resources", struct container, resources, resource_fields, "{}"), ROW_PTR("livenessProbe", struct container, liveness, struct probe, probe_fields),
	ROW_PTR("readinessProbe", struct container, readiness, struct probe, probe_fields), ROW_PTR("startupProbe", struct container, startup, struct probe, probe_fields),
	ROW_PTR("lifecycle", struct container, lifecycle, struct lifecycle, lifecycle_fields), ROW(F_STR, "restartPolicy", struct container, restart_policy),
	ROW_RAW("securityContext", struct container, security, SecurityContext), ROW(F_STR, "workingDir", struct container, working_dir), ROW_LIST("envFrom", struct container, env_from, struct env_from, env_from_fields),
	KEPT_LIST("resizePolicy", ContainerResizePolicy), KEPT_LIST("volumeDevices", VolumeDevice), ROW_LIST("restartPolicyRules", struct container, restart_rules, struct restart_rule, restart_rule_fields),
	KEPT_DFLT(F_STR, "terminationMessagePath", "\"/dev/termination-log\""), KEPT_DFLT(F_STR, "terminationMessagePolicy", "\"File\""), KEPT(F_STR, "imagePullPolicy"),
	KEPT(F_BOOL, "stdin"), KEPT(F_BOOL, "stdinOnce"), KEPT(F_BOOL, "tty"), KEPT(F_STR, "targetContainerName"),
	FIELD_END
};
static const struct field claim_fields[] = { ROW(F_STR, "claimName", struct volume, claim), KEPT(F_BOOL, "readOnly"), FIELD_END };
static const struct field cm_volume_fields[] = { 
	ROW(F_STR, "name", struct volume, config_map), KEPT_LIST("items", KeyToPath), KEPT_DFLT(F_INT, "defaultMode", "420"), ROW(F_BOOL, "optional", struct volume, config_map_optional), FIELD_END
};
static const struct field secret_volume_fields[] = { 
	ROW(F_STR, "secretName", struct volume, secret), KEPT_LIST("items", KeyToPath), KEPT_DFLT(F_INT, "defaultMode", "420"), ROW(F_BOOL, "optional", struct volume, secret_optional), FIELD_END
};
static const struct field host_path_fields[] = { ROW(F_STR, "path", struct volume, host_path), KEPT_DFLT(F_STR, "type", "\"\""), FIELD_END };
static const struct field volume_fields[] = {
	ROW(F_STR, "name", struct volume, name), ROW_HERE("persistentVolumeClaim", claim_fields), ROW_HERE("configMap", cm_volume_fields), ROW_HERE("secret", secret_volume_fields),
	ROW_HERE("hostPath", host_path_fields),
	KEPT_SUB("gcePersistentDisk", GCEPersistentDiskVolumeSource), KEPT_SUB("awsElasticBlockStore", AWSElasticBlockStoreVolumeSource),
	KEPT_SUB("gitRepo", GitRepoVolumeSource), KEPT_SUB("nfs", NFSVolumeSource), KEPT_SUB("iscsi", ISCSIVolumeSource),
	KEPT_SUB("glusterfs", GlusterfsVolumeSource), KEPT_SUB("rbd", RBDVolumeSource), KEPT_SUB("flexVolume", FlexVolumeSource),
	KEPT_SUB("cinder", CinderVolumeSource), KEPT_SUB("cephfs", CephFSVolumeSource), KEPT_SUB("flocker", FlockerVolumeSource),
	KEPT_SUB("downwardAPI", DownwardAPIVolumeSource), KEPT_SUB("fc", FCVolumeSource), KEPT_SUB("azureFile", AzureFileVolumeSource),
	KEPT_SUB("vsphereVolume", VsphereVirtualDiskVolumeSource), KEPT_SUB("quobyte", QuobyteVolumeSource), KEPT_SUB("azureDisk", AzureDiskVolumeSource),
	KEPT_SUB("photonPersistentDisk", PhotonPersistentDiskVolumeSource), KEPT_SUB("projected", ProjectedVolumeSource),
	KEPT_SUB("portworxVolume", PortworxVolumeSource), KEPT_SUB("scaleIO", ScaleIOVolumeSource), KEPT_SUB("storageos", StorageOSVolumeSource),
	KEPT_SUB("csi", CSIVolumeSource), KEPT_SUB("ephemeral", EphemeralVolumeSource),
	ROW_RAW("image", struct volume, image, ImageVolumeSource), ROW_RAW("emptyDir", struct volume, empty_dir, EmptyDirVolumeSource),
	FIELD_END
};
static const struct field toleration_fields[] = {
	ROW(F_STR, "key", struct toleration, key), ROW(F_STR, "operator", struct toleration, op), ROW(F_STR, "value", struct toleration, value),
	ROW(F_STR, "effect", struct toleration, effect), ROW_DFLT(F_I64, "tolerationSeconds", struct toleration, seconds, -1),
	FIELD_END
};
static const struct field alias_fields[] = { ROW(F_STR, "ip", struct host_alias, ip), ROW(F_STRS, "hostnames", struct host_alias, hostnames), FIELD_END };
struct gate { str type; };
static const struct field gate_fields[] = { ROW(F_STR, "conditionType", struct gate, type), FIELD_END };
static const struct field scheduling_gate_fields[] = { ROW(F_STR, "name", struct gate, type), FIELD_END };
static const struct field dns_option_fields[] = { ROW(F_STR, "name", struct dns_option, name), ROW(F_STR, "value", struct dns_option, value), FIELD_END };
static const struct field dns_fields[] = {
	ROW(F_STRS, "nameservers", struct dns_config, nameservers), ROW(F_STRS, "searches", struct dns_config, searches),
	ROW_LIST("options", struct dns_config, options, struct dns_option, dns_option_fields),
	FIELD_END
};
static const struct field spread_fields[] = {
	ROW(F_INT, "maxSkew", struct spread, max_skew), ROW(F_STR, "topologyKey", struct spread, topology_key), ROW(F_STR, "whenUnsatisfiable", struct spread, when_unsatisfiable),
	ROW_PTR("labelSelector", struct spread, selector, struct selector, selector_fields), ROW(F_INT, "minDomains", struct spread, min_domains),
	ROW(F_STR, "nodeAffinityPolicy", struct spread, affinity_policy), ROW(F_STR, "nodeTaintsPolicy", struct spread, taints_policy),
	ROW(F_STRS, "matchLabelKeys", struct spread, match_keys),
	FIELD_END
};
const struct field pod_spec_fields[] = {
	ROW_LIST("containers", struct pod_spec, containers, struct container, container_fields),
	ROW_LIST("initContainers", struct pod_spec, init_containers, struct container, container_fields),
	ROW_LIST("ephemeralContainers", struct pod_spec, ephemeral, struct container, container_fields),
	ROW_LIST("volumes", struct pod_spec, volumes, struct volume, volume_fields), ROW(F_STR, "restartPolicy", struct pod_spec, restart_policy),
	ROW_DFLT(F_I64, "terminationGracePeriodSeconds", struct pod_spec, grace, 30), ROW_DFLT(F_I64, "activeDeadlineSeconds", struct pod_spec, active_deadline, -1),
	ROW(F_STR, "dnsPolicy", struct pod_spec, dns_policy), ROW(F_PAIRS, "nodeSelector", struct pod_spec, node_selector),
	ROW(F_STR, "serviceAccountName", struct pod_spec, service_account), KEPT(F_STR, "serviceAccount"), ROW(F_STR, "nodeName", struct pod_spec, node_name),
	ROW(F_STR, "hostname", struct pod_spec, hostname), ROW(F_STR, "subdomain", struct pod_spec, subdomain), ROW(F_STR, "schedulerName", struct pod_spec, scheduler),
	ROW(F_STR, "priorityClassName", struct pod_spec, priority_class), ROW(F_STR, "runtimeClassName", struct pod_spec, runtime_class),
	ROW(F_BOOL, "hostNetwork", struct pod_spec, host_network), ROW(F_BOOL, "hostPID", struct pod_spec, host_pid), ROW(F_BOOL, "hostIPC", struct pod_spec, host_ipc),
	ROW(F_BOOL, "shareProcessNamespace", struct pod_spec, share_pid), ROW(F_BOOL, "setHostnameAsFQDN", struct pod_spec, fqdn_hostname),
	ROW(F_TRI, "enableServiceLinks", struct pod_spec, enable_service_links), ROW_RAW("affinity", struct pod_spec, affinity, Affinity),
	ROW_LIST("tolerations", struct pod_spec, tolerations, struct toleration, toleration_fields), ROW_LIST("hostAliases", struct pod_spec, host_aliases, struct host_alias, alias_fields),
	ROW_LIST("readinessGates", struct pod_spec, readiness_gates, struct gate, gate_fields), ROW_PTR("dnsConfig", struct pod_spec, dns_config, struct dns_config, dns_fields),
	ROW_LIST("topologySpreadConstraints", struct pod_spec, spread, struct spread, spread_fields), ROW_RAW_TEXT("securityContext", struct pod_spec, security, PodSecurityContext, "{}"),
	KEPT(F_BOOL, "automountServiceAccountToken"), KEPT_LIST("imagePullSecrets", LocalObjectReference), ROW(F_OPT_INT, "priority", struct pod_spec, priority),
	ROW(F_STR, "preemptionPolicy", struct pod_spec, preemption), ROW(F_AMOUNTS, "overhead", struct pod_spec, overhead), KEPT_SUB("os", PodOS), KEPT(F_BOOL, "hostUsers"),
	ROW_LIST("schedulingGates", struct pod_spec, scheduling_gates, struct gate, scheduling_gate_fields),
	KEPT_LIST("resourceClaims", PodResourceClaim), ROW_PTR("resources", struct pod_spec, resources, struct resources, resource_fields), KEPT(F_STR, "hostnameOverride"),
	KEPT_SUB("schedulingGroup", PodSchedulingGroup),
	FIELD_END
};

/* ---- status */

struct pod_status_ip { ip_addr ip; };
static const struct field running_fields[] = { ROW(F_TIME, "startedAt", struct container_status, started_at), FIELD_END };
static const struct field waiting_fields[] = { ROW(F_STR, "reason", struct container_status, reason), ROW(F_STR, "message", struct container_status, message), FIELD_END };
static const struct field terminated_fields[] = {
	ROW(F_INT, "exitCode", struct container_status, exit_code), ROW(F_STR, "reason", struct container_status, reason), ROW(F_STR, "message", struct container_status, message),
	ROW(F_TIME, "finishedAt", struct container_status, finished_at), ROW(F_TIME, "startedAt", struct container_status, started_at), KEPT(F_STR, "containerID"), KEPT(F_INT, "signal"),
	FIELD_END
};
static const struct field state_fields[] = { ROW_HERE("running", running_fields), ROW_HERE("waiting", waiting_fields), ROW_HERE("terminated", terminated_fields), FIELD_END };
static const struct field last_terminated_fields[] = {
	ROW(F_INT, "exitCode", struct container_status, last_exit), ROW(F_STR, "reason", struct container_status, last_reason),
	ROW(F_TIME, "finishedAt", struct container_status, last_finished), KEPT(F_TIME, "startedAt"), KEPT(F_STR, "containerID"), KEPT(F_STR, "message"), KEPT(F_INT, "signal"),
	FIELD_END
};
static const struct field last_state_fields[] = { ROW_HERE("terminated", last_terminated_fields), KEPT_SUB("running", running_fields), KEPT_SUB("waiting", waiting_fields), FIELD_END };
static const struct field container_status_fields[] = {
	ROW(F_STR, "name", struct container_status, name), ROW(F_STR, "image", struct container_status, image), ROW(F_BOOL, "ready", struct container_status, ready),
	ROW(F_TRI, "started", struct container_status, started), ROW(F_INT, "restartCount", struct container_status, restarts), ROW_HERE("state", state_fields),
	ROW_HERE("lastState", last_state_fields), KEPT(F_STR, "imageID"), KEPT(F_STR, "containerID"), KEPT(F_AMOUNTS, "allocatedResources"),
	KEPT_SUB("resources", ResourceRequirements), KEPT_LIST("volumeMounts", VolumeMountStatus), KEPT_SUB("user", ContainerUser),
	KEPT_LIST("allocatedResourcesStatus", ResourceStatus), KEPT(F_STR, "stopSignal"),
	FIELD_END
};
struct pod_status_text { str ip, host_ip; };
static const struct field pod_status_fields[] = {
	ROW_ENUM("phase", struct pod, phase, pod_phase_names), ROW_LIST("conditions", struct pod, conditions, struct condition, condition_fields),
	ROW(F_STR, "reason", struct pod, reason), ROW(F_STR, "message", struct pod, message),
	ROW_LIST("containerStatuses", struct pod, statuses, struct container_status, container_status_fields), KEPT_LIST("initContainerStatuses", container_status_fields),
	KEPT_LIST("ephemeralContainerStatuses", container_status_fields), KEPT(F_STR, "podIP"), KEPT_LIST("podIPs", HostIP), KEPT(F_STR, "hostIP"), KEPT_LIST("hostIPs", HostIP),
	KEPT(F_TIME, "startTime"), KEPT(F_STR, "qosClass"), KEPT(F_STR, "nominatedNodeName"), KEPT(F_STR, "resize"), KEPT(F_I64, "observedGeneration"),
	KEPT_LIST("resourceClaimStatuses", PodResourceClaimStatus), KEPT_SUB("extendedResourceClaimStatus", PodExtendedResourceClaimStatus),
	ROW_KEEP("nodeAllocatableResourceClaimStatuses"), KEPT(F_AMOUNTS, "allocatedResources"), KEPT_SUB("resources", ResourceRequirements),
	FIELD_END
};
static const struct field pod_fields[] = {
	ROW_TOP, ROW_PTR("spec", struct pod, spec, struct pod_spec, pod_spec_fields), ROW_HERE("status", pod_status_fields),
	FIELD_END
};

static void state_of(struct container_status *cs, const struct val *v, bool init)
{
	const struct val *state = val_get(v, "state");

	cs->init = init;
	cs->state = val_get(state, "running") ? CS_RUNNING : val_get(state, "terminated") ? CS_TERMINATED : CS_WAITING;
}

static void read_address(const struct val *v, ip_addr *out)
{
	if (val_str(v))
		ip_parse(val_str(v), out);
}

/* Those of init containers stand before the others in the Pod's one list. */
static void read_init_statuses(struct pod *p, const struct val *list, struct arena *a, struct strtab *t)
{
	struct err err = { 0 };
	struct decode d = { .strings = t, .arena = a, .unknown = VALIDATE_IGNORE, .object = "Pod", .err = &err };
	struct container_status *v;
	uint32_t nr = 0;

	if (!val_is(list, VAL_LIST) || !list->nr)
		return;
	v = arena_array(a, struct container_status, list->nr + p->statuses.nr);
	VAL_EACH(one, list) {
		fields_decode(&d, container_status_fields, one, "status.initContainerStatuses", &v[nr]);
		state_of(&v[nr++], one, true);
	}
	if (p->statuses.nr)
		memcpy(v + nr, p->statuses.v, p->statuses.nr * sizeof(*v));
	p->statuses.v = v;
	p->statuses.nr += nr;
	p->statuses.set = true;
	err_free(&err);
}

/* What the tables cannot say: addresses as values, both families, which list a container status stands in. */
static void read_status(struct pod *p, const struct val *status, struct arena *a, struct strtab *t)
{
	const struct val *ips = val_get(status, "podIPs");
	uint32_t i = 0;

	if (!status || !status->nr)
		return;
	p->given = p->phase || val_get(status, "podIP") || val_get(status, "containerStatuses");
	read_address(val_get(status, "podIP"), &p->ip);
	read_address(val_get(status, "hostIP"), &p->host_ip);
	if (ips) {
		read_address(val_get(val_at(ips, 0), "ip"), &p->ip);
		read_address(val_get(val_at(ips, 1), "ip"), &p->ip2);
	}
	VAL_EACH(v, val_get(status, "containerStatuses"))
		if (i < p->statuses.nr)
			state_of(&p->statuses.v[i++], v, false);
	read_init_statuses(p, val_get(status, "initContainerStatuses"), a, t);
}

/* pkg/apis/core/v1/defaults.go SetDefaults_PodSpec, SetDefaults_Container, defaultHostNetworkPorts. */
void pod_spec_default(struct pod_spec *s, struct strtab *t)
{
	container_list *lists[] = { &s->containers, &s->init_containers };

	if (!s->dns_policy)
		s->dns_policy = str_intern(t, "ClusterFirst");
	if (!s->restart_policy)
		s->restart_policy = str_intern(t, "Always");
	if (!s->scheduler)
		s->scheduler = str_intern(t, "default-scheduler");
	s->has_active_deadline = s->active_deadline >= 0;
	for (uint32_t k = 0; k < s->tolerations.nr; k++)
		s->tolerations.v[k].has_seconds = s->tolerations.v[k].seconds >= 0;
	for (int l = 0; s->host_network && l < 2; l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++)
			for (uint32_t i = 0; i < lists[l]->v[k].ports.nr; i++)
				if (!lists[l]->v[k].ports.v[i].host_port)
					lists[l]->v[k].ports.v[i].host_port = lists[l]->v[k].ports.v[i].port;
}

static void pod_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct pod *p = (struct pod *)o;
	struct pod_spec *s = (struct pod_spec *)p->spec;

	if (!s)
		p->spec = s = arena_make(a, struct pod_spec);
	pod_spec_default(s, t);
	p->start = NEVER;
	p->node = s->node_name;
	read_status(p, val_get(o->doc, "status"), a, t);
}

static const struct restart_rule *rule_for(const struct container *c, int32_t exit)
{
	for (uint32_t k = 0; k < c->restart_rules.nr; k++) {
		const struct val *codes = c->restart_rules.v[k].codes;
		bool listed = false;

		VAL_EACH(v, val_get(codes, "values"))
			listed = listed || val_int_or(v, 0) == exit;
		if (codes && listed == streq(val_str_at(codes, "operator"), "In"))
			return &c->restart_rules.v[k];
	}
	return NULL;
}

bool restarts_all(const struct container *c, int32_t exit)
{
	const struct restart_rule *r = rule_for(c, exit);

	return r && streq(r->action, "RestartAllContainers");
}

bool container_restarts(const struct pod_spec *s, const struct container *c, int32_t exit)
{
	const char *policy = c->restart_policy ? c->restart_policy : s->restart_policy;

	if (c->restart_policy && rule_for(c, exit))
		return true;
	return streq(policy, "OnFailure") ? exit != 0 : !streq(policy, "Never");
}

bool container_may_restart(const struct pod_spec *s, const struct container *c)
{
	return c->restart_rules.nr || !streq(c->restart_policy ? c->restart_policy : s->restart_policy, "Never");
}

bool is_sidecar(const struct container *c)
{
	return streq(c->restart_policy, "Always");
}

/* ---- amounts (staging/src/k8s.io/component-helpers/resource/helpers.go) */

static bool said(const struct resources *r, const char *name, bool limits, int64_t *out)
{
	const char *text = label_get(limits ? &r->limits : &r->requests, name);

	if (!text && !limits)           /* a limit without a request is the request (defaults.go SetDefaults_Pod, defaultPodRequests) */
		text = label_get(&r->limits, name);
	*out = 0;
	return text && quantity_parse(text, out);
}

/* AggregateContainerRequests, AggregateContainerLimits */
static bool of_containers(const struct pod_spec *s, const char *name, bool limits, int64_t *out)
{
	int64_t sum = 0, beside = 0, most = 0, v;
	bool any = false;

	for (uint32_t k = 0; k < s->containers.nr; k++) {
		any |= said(&s->containers.v[k].resources, name, limits, &v);
		sum += v;
	}
	for (uint32_t k = 0; k < s->init_containers.nr; k++) {
		any |= said(&s->init_containers.v[k].resources, name, limits, &v);
		if (is_sidecar(&s->init_containers.v[k])) {
			sum += v;
			beside += v;
			v = 0;
		}
		most = MAX(most, v + beside);
	}
	*out = MAX(sum, most);
	return any;
}

static bool of_whole_pod(const struct resources *r, const char *name, bool limits, bool containers_say, int64_t *out)
{
	if (!r || !(streq(name, "cpu") || streq(name, "memory") || strncmp(name, "hugepages-", 10) == 0))
		return false;
	if (!limits && containers_say && strncmp(name, "hugepages-", 10) != 0 && !label_get(&r->requests, name))
		return false;
	return said(r, name, limits, out);
}

int64_t pod_amount(const struct pod_spec *s, const char *name, bool limits)
{
	const char *overhead = label_get(&s->overhead, name);
	int64_t v, more;
	bool any = of_containers(s, name, limits, &v);

	if (of_whole_pod(s->resources, name, limits, any, &more)) {
		v = more;
		any = true;
	}
	if (overhead && (any || !limits) && quantity_parse(overhead, &more))
		v += more;
	return v;
}

str pod_host_name(const struct pod *p)
{
	return p->spec->hostname && *p->spec->hostname ? p->spec->hostname : p->hostname && *p->hostname ? p->hostname : p->o.name;
}

const struct container *pod_container(const struct pod *p, const char *name)
{
	for (int init = 0; init < 2; init++) {
		const container_list *l = init ? &p->spec->init_containers : &p->spec->containers;

		for (uint32_t k = 0; k < l->nr; k++)
			if (streq(l->v[k].name, name))
				return &l->v[k];
	}
	return NULL;
}

bool pod_is_ready(const struct pod *p)
{
	const struct condition *c = condition_get(&p->conditions, "Ready");

	return c && c->status == COND_TRUE;
}

bool pod_is_terminal(const struct pod *p)
{
	return p->phase == POD_SUCCEEDED || p->phase == POD_FAILED;
}

/* kubernetes pkg/api/v1/pod/util.go FindPort: app containers, then sidecars. */
uint16_t pod_port_by_name(const struct pod_spec *s, const char *name, enum l4 l4)
{
	for (int l = 0; l < 2; l++) {
		const container_list *list = l ? &s->init_containers : &s->containers;

		for (uint32_t k = 0; k < list->nr; k++) {
			if (l && !streq(list->v[k].restart_policy, "Always"))
				continue;
			for (uint32_t i = 0; i < list->v[k].ports.nr; i++)
				if (streq(list->v[k].ports.v[i].name, name) && list->v[k].ports.v[i].protocol == l4)
					return (uint16_t)list->v[k].ports.v[i].port;
		}
	}
	return 0;
}

static const char *const v1[] = { "v1", NULL };
const struct kind pod_kind = { .name = "Pod", .apis = v1, .plural = "pods", .shorts = "po", .namespaced = true, .size = sizeof(struct pod), .fields = pod_fields, .dflt = pod_default,
			       .check = pod_check, .check_update = pod_check_update, .fill = pod_fill };
