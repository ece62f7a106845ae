/* Containers of Pods: names, ports, mounts, probes, hooks. */
#include <ctype.h>

#include "model/api/pod_rules.h"

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL }, *const schemes[] = { "HTTP", "HTTPS", NULL };
static const char *const pull_policies[] = { "Always", "IfNotPresent", "Never", NULL }, *const message_policies[] = { "File", "FallbackToLogsOnError", NULL };
static const char *const propagations[] = { "Bidirectional", "HostToContainer", "None", NULL }, *const recursions[] = { "Disabled", "Enabled", "IfPossible", NULL };
static const char *const restart_policies[] = { "Always", "Never", "OnFailure", NULL }, *const rule_actions[] = { "Restart", "RestartAllContainers", NULL };
static const char *const rule_operators[] = { "In", "NotIn", NULL };
static const char *const resize_resources[] = { "cpu", "memory", NULL }, *const resize_policies[] = { "NotRequired", "RestartContainer", NULL };

/* ---- ports */

static void check_port(struct check *c, const struct val *list, const struct val *v, const struct path *p)
{
	const char *name = text_of(v, "name");
	int64_t port = int_of(v, "containerPort", 0), host = int_of(v, "hostPort", 0);
	uint32_t before = c->found;

	if (*name) {
		must_be_port_name(c, SUB(p, "name"), name);
		VAL_EACH(other, list) {
			if (other == v || c->found > before)
				break;
			if (strcmp(text_of(other, "name"), name) == 0)
				refuse_duplicate(c, SUB(p, "name"), name);
		}
	}
	if (port == 0)
		refuse_missing(c, SUB(p, "containerPort"), "%s", "");
	else
		must_be_port(c, SUB(p, "containerPort"), port);
	if (host)
		must_be_port(c, SUB(p, "hostPort"), host);
}

static const char *protocol_of(const struct val *port)
{
	const char *s = text_of(port, "protocol");

	return one_of(s, protocols) ? s : "TCP";
}

static bool same_host_port(const struct val *a, const struct val *b)
{
	return int_of(a, "hostPort", 0) == int_of(b, "hostPort", 0) && strcmp(text_of(a, "hostIP"), text_of(b, "hostIP")) == 0 && strcmp(protocol_of(a), protocol_of(b)) == 0;
}

/* Is there an equal host port before this one, in this container or, with `all`, in an earlier one? (AccumulateUniqueHostPorts) */
static bool host_port_taken(const struct val *containers, const struct val *container, const struct val *port, bool all)
{
	VAL_EACH(other, containers) {
		if (all || other == container)
			VAL_EACH(q, val_get(other, "ports")) {
				if (q == port)
					return false;
				if (same_host_port(q, port))
					return true;
			}
		if (other == container)
			break;
	}
	return false;
}

static void check_ports(struct pod_rules *r, const struct val *containers, const struct val *v, const struct path *p, bool init)
{
	const struct val *list = val_get(v, "ports");
	bool host_network = true_of(r->spec, "hostNetwork");
	uint32_t i = 0;

	VAL_EACH(port, list) {
		const struct path *at = ITEM(SUB(p, "ports"), i++);
		int64_t host = int_of(port, "hostPort", 0);
		struct sb sb = { 0 };

		check_port(r->c, list, port, at);
		if (host && host_port_taken(containers, v, port, !init)) {
			sb_printf(&sb, "%s/%s/%" PRId64, protocol_of(port), text_of(port, "hostIP"), host);
			refuse_duplicate(r->c, SUB(at, "hostPort"), sb_text(&sb));
			sb_free(&sb);
		}
		if (host_network && !init && host && host != int_of(port, "containerPort", 0))
			refuse_int(r->c, SUB(at, "hostPort"), host, "must match `containerPort` when `hostNetwork` is true");
	}
}

/* ---- mounts and devices */

/* The volume of that name, if nothing was wrong with it. */
static const struct val *volume_named(const struct pod_rules *r, const char *name)
{
	uint32_t i = 0;

	VAL_EACH(v, r->claims)
		if (streq(val_str_at(v, "metadata.name"), name))
			return v;
	VAL_EACH(v, val_get(r->spec, "volumes")) {
		if (strcmp(text_of(v, "name"), name) == 0 && (i >= VOLUMES_JUDGED || r->good_volume[i]))
			return v;
		i++;
	}
	return NULL;
}

static const struct val *with(const struct val *list, const char *key, const char *value)
{
	VAL_EACH(v, list)
		if (strcmp(text_of(v, key), value) == 0)
			return v;
	return NULL;
}

static void check_mount_modes(struct check *c, const struct val *container, const struct val *v, const struct path *list)
{
	const char *propagation = text_of(v, "mountPropagation"), *recursive = text_of(v, "recursiveReadOnly");
	const struct path *p = SUB(list, "recursiveReadOnly");

	need_one_of(c, v, list, "mountPropagation", propagations);
	if (strcmp(propagation, "Bidirectional") == 0 && !val_bool_or(val_path(container, "securityContext.privileged"), false))
		refuse_forbidden(c, SUB(list, "mountPropagation"), "Bidirectional mount propagation is available only to privileged containers");
	if (!*recursive || strcmp(recursive, "Disabled") == 0)
		return;
	need_one_of(c, v, list, "recursiveReadOnly", recursions);
	if (!true_of(v, "readOnly"))
		refuse_forbidden(c, p, "may only be specified when readOnly is true");
	if (*propagation && strcmp(propagation, "None") != 0)
		refuse_forbidden(c, p, "may only be specified when mountPropagation is None or not specified");
}

static void check_mounts(struct pod_rules *r, const struct val *container, const struct path *list)
{
	const struct val *mounts = val_get(container, "volumeMounts"), *devices = val_get(container, "volumeDevices");
	struct check *c = r->c;
	uint32_t i = 0;

	VAL_EACH(v, mounts) {
		const struct path *p = ITEM(list, i++);
		const char *name = text_of(v, "name"), *path = text_of(v, "mountPath"), *sub = text_of(v, "subPath"), *expr = text_of(v, "subPathExpr");

		need(c, v, p, "name");
		if (!volume_named(r, name))
			refuse_unfound(c, SUB(p, "name"), name, "");
		need(c, v, p, "mountPath");
		if (with(mounts, "mountPath", path) != v)
			refuse_str(c, SUB(p, "mountPath"), path, "must be unique");
		if (with(devices, "name", name))
			refuse_str(c, SUB(p, "name"), name, "must not already exist in volumeDevices");
		if (with(devices, "devicePath", path))
			refuse_str(c, SUB(p, "mountPath"), path, "must not already exist as a path in volumeDevices");
		must_be_descending(c, SUB(list, "subPath"), sub);
		if (*expr && *sub)
			refuse_str(c, SUB(p, "subPathExpr"), expr, "subPathExpr and subPath are mutually exclusive");
		must_be_descending(c, SUB(list, "subPathExpr"), expr);
		check_mount_modes(c, container, v, list);
	}
}

static void check_devices(struct pod_rules *r, const struct val *container, const struct path *list)
{
	const struct val *devices = val_get(container, "volumeDevices");
	struct check *c = r->c;
	uint32_t i = 0;

	VAL_EACH(v, devices) {
		const struct path *p = ITEM(list, i++);
		const char *name = text_of(v, "name"), *path = text_of(v, "devicePath");
		const struct val *volume = volume_named(r, name);

		need(c, v, p, "name");
		if (*name && with(devices, "name", name) != v)
			refuse_str(c, SUB(p, "name"), name, "must be unique");
		if (!volume)
			refuse_unfound(c, SUB(p, "name"), name, "");
		else if (!has(volume, "persistentVolumeClaim") && !has(volume, "ephemeral") && !has(volume, "metadata"))
			refuse_str(c, SUB(p, "name"), name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
		need(c, v, p, "devicePath");
		if (*path && with(devices, "devicePath", path) != v)
			refuse_str(c, SUB(p, "devicePath"), path, "must be unique");
		if (goes_back(path))
			refuse_str(c, SUB(p, "devicePath"), path, "can not contain backsteps ('..')");
	}
}

/* ---- handlers */

static void check_port_ref(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *port = val_get(v, "port");
	struct int_or_str x = { .s = val_str(port), .i = (int32_t)val_int_or(port, 0), .set = true };

	must_be_port_or_name(c, SUB(p, "port"), &x);
}

static void check_http(struct check *c, const struct val *v, const struct path *p)
{
	check_port_ref(c, v, p);
	need_one_of(c, v, p, "scheme", schemes);
	VAL_EACH(h, val_get(v, "httpHeaders"))
		must_be_header_name(c, SUB(p, "httpHeaders"), text_of(h, "name"));
}

static void check_sleep(struct check *c, const struct val *v, const struct path *p, int64_t grace)
{
	int64_t s = int_of(v, "seconds", 0);

	if (s < 0 || s > grace)
		refuse_int(c, p, s, "must be non-negative and less than terminationGracePeriodSeconds (%" PRId64 ")", grace);
}

static void check_handler(struct check *c, const struct val *v, const struct path *p, const char *const *kinds_of, int64_t grace)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; kinds_of[k]; k++) {
		const struct val *h = val_get(v, kinds_of[k]);
		const struct path *at = SUB(p, kinds_of[k]);

		if (!has(v, kinds_of[k]))
			continue;
		if (nr++ > 0)
			refuse_forbidden(c, at, "may not specify more than 1 handler type");
		else if (strcmp(kinds_of[k], "exec") == 0)
			need(c, h, at, "command");
		else if (strcmp(kinds_of[k], "httpGet") == 0)
			check_http(c, h, at);
		else if (strcmp(kinds_of[k], "sleep") == 0)
			check_sleep(c, h, at, grace);
		else
			check_port_ref(c, h, at);
	}
	if (!nr)
		refuse_missing(c, p, "must specify a handler type");
}

static void check_probe(struct pod_rules *r, const struct val *container, const struct path *container_path, const char *which)
{
	static const char *const handlers[] = { "exec", "httpGet", "tcpSocket", "grpc", NULL };
	static const char *const numbers[] = { "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold", NULL };
	const struct val *v = val_get(container, which);
	const struct path *p = SUB(container_path, which);
	bool readiness = strcmp(which, "readinessProbe") == 0;

	if (!has(container, which))
		return;
	check_handler(r->c, v, p, handlers, r->grace);
	for (uint32_t k = 0; numbers[k]; k++)
		must_not_be_negative(r->c, SUB(p, numbers[k]), int_of(v, numbers[k], 0));
	if (has(v, "terminationGracePeriodSeconds") && int_of(v, "terminationGracePeriodSeconds", 0) <= 0)
		refuse_int(r->c, SUB(p, "terminationGracePeriodSeconds"), int_of(v, "terminationGracePeriodSeconds", 0), "must be greater than 0");
	if (readiness && has(v, "terminationGracePeriodSeconds"))
		refuse_int(r->c, SUB(p, "terminationGracePeriodSeconds"), int_of(v, "terminationGracePeriodSeconds", 0), "must not be set for readinessProbes");
	if (!readiness && int_of(v, "successThreshold", 0) && int_of(v, "successThreshold", 0) != 1)
		refuse_int(r->c, SUB(p, "successThreshold"), int_of(v, "successThreshold", 1), "must be 1");
}

static void check_life(struct pod_rules *r, const struct val *v, const struct path *p)
{
	static const char *const handlers[] = { "exec", "httpGet", "tcpSocket", "sleep", NULL }, *const hooks[] = { "postStart", "preStop", NULL };

	for (uint32_t k = 0; hooks[k]; k++)
		if (has(val_get(v, "lifecycle"), hooks[k]))
			check_handler(r->c, val_path(val_get(v, "lifecycle"), hooks[k]), SUB(SUB(p, "lifecycle"), hooks[k]), handlers, r->grace);
	check_probe(r, v, p, "livenessProbe");
	check_probe(r, v, p, "readinessProbe");
	check_probe(r, v, p, "startupProbe");
}

static void check_restart(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *rules = val_get(v, "restartPolicyRules");
	uint32_t i = 0;

	need_one_if_set(c, v, p, "restartPolicy", restart_policies);
	if (rules && rules->nr && !has(v, "restartPolicy"))
		refuse_missing(c, SUB(p, "restartPolicy"), "must specify restartPolicy when restart rules are used");
	if (rules && rules->nr > 20)
		refuse_many(c, SUB(p, "restartPolicyRules"), rules->nr, 20);
	VAL_EACH(rule, rules) {
		const struct path *at = ITEM(SUB(p, "restartPolicyRules"), i++);
		const struct val *codes = val_path(rule, "exitCodes.values");

		if (!one_of(text_of(rule, "action"), rule_actions))
			refuse_unsupported(c, SUB(at, "action"), text_of(rule, "action"), rule_actions);
		if (!has(rule, "exitCodes"))
			refuse_missing(c, SUB(at, "exitCodes"), "must be specified");
		else if (!one_of(text_of(val_get(rule, "exitCodes"), "operator"), rule_operators))
			refuse_unsupported(c, SUB(at, "exitCodes.operator"), text_of(val_get(rule, "exitCodes"), "operator"), rule_operators);
		if (codes && codes->nr > 255)
			refuse_many(c, SUB(at, "exitCodes.values"), codes->nr, 255);
	}
}

static void check_resize(struct check *c, const struct val *v, const struct path *p, bool never, bool plain_init)
{
	uint32_t i = 0;

	VAL_EACH(policy, val_get(v, "resizePolicy")) {
		const struct path *at = SUB(p, "resizePolicy");
		const char *how = text_of(policy, "restartPolicy");

		if (with(val_get(v, "resizePolicy"), "resourceName", text_of(policy, "resourceName")) != policy)
			refuse_duplicate(c, ITEM(at, i), text_of(policy, "resourceName"));
		if (!*text_of(policy, "resourceName") || !*how)
			refuse_missing(c, at, "%s", "");
		else if (!one_of(text_of(policy, "resourceName"), resize_resources))
			refuse_unsupported(c, at, text_of(policy, "resourceName"), resize_resources);
		else if (!one_of(how, resize_policies))
			refuse_unsupported(c, at, how, resize_policies);
		if (never && strcmp(how, "NotRequired") != 0)
			refuse_str(c, at, how, "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
		if (plain_init && strcmp(how, "RestartContainer") == 0)
			refuse_str(c, SUB(ITEM(at, i), "restartPolicy"), how, "must not be set to 'RestartContainer' for non-sidecar initContainers");
		i++;
	}
}

/* ---- containers */

static void check_common(struct pod_rules *r, const struct val *containers, const struct val *v, const struct path *p, bool init)
{
	bool never = strcmp(text_of(r->spec, "restartPolicy"), "Never") == 0, sidecar = strcmp(text_of(v, "restartPolicy"), "Always") == 0;
	const char *image = text_of(v, "image");
	size_t n = strlen(image);

	if (need(r->c, v, p, "name"))
		must_be_label(r->c, SUB(p, "name"), text_of(v, "name"));
	need(r->c, v, p, "image");
	if (r->is_pod && n && (isspace((unsigned char)image[0]) || isspace((unsigned char)image[n - 1])))
		refuse_str(r->c, SUB(p, "image"), image, "must not have leading or trailing whitespace");
	need_one_of(r->c, v, p, "terminationMessagePolicy", message_policies);
	check_ports(r, containers, v, p, init);
	check_env(r, v, p);
	check_mounts(r, v, SUB(p, "volumeMounts"));
	check_devices(r, v, SUB(p, "volumeDevices"));
	need_one_of(r->c, v, p, "imagePullPolicy", pull_policies);
	if (has(v, "resources"))
		check_resources(r->c, val_get(v, "resources"), val_get(r->spec, "resourceClaims"), SUB(p, "resources"));
	check_resize(r->c, v, p, never, init && !sidecar);
	check_container_security(r, val_get(v, "securityContext"), SUB(p, "securityContext"));
	check_restart(r->c, v, p);
}

static void check_init(struct pod_rules *r, const struct val *list, const struct val *v, const struct path *p)
{
	static const char *const never[] = { "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", NULL };

	check_common(r, list, v, p, true);
	if (*text_of(v, "name") && (with(val_get(r->spec, "containers"), "name", text_of(v, "name")) || with(list, "name", text_of(v, "name")) != v))
		refuse_duplicate(r->c, SUB(p, "name"), text_of(v, "name"));
	if (strcmp(text_of(v, "restartPolicy"), "Always") == 0) {
		check_life(r, v, p);
		return;
	}
	for (uint32_t k = 0; never[k]; k++)
		if (has(v, never[k]))
			refuse_forbidden(r->c, SUB(p, never[k]), "may not be set for init containers without restartPolicy=Always");
}

void check_containers(struct pod_rules *r, const struct path *spec)
{
	const struct val *list = val_get(r->spec, "containers"), *inits = val_get(r->spec, "initContainers");
	uint32_t i = 0;

	if (!list || !list->nr)
		refuse_missing(r->c, SUB(spec, "containers"), "%s", "");
	VAL_EACH(v, list) {
		const struct path *p = ITEM(SUB(spec, "containers"), i++);

		check_common(r, list, v, p, false);
		if (with(list, "name", text_of(v, "name")) != v)
			refuse_duplicate(r->c, SUB(p, "name"), text_of(v, "name"));
		check_life(r, v, p);
	}
	i = 0;
	VAL_EACH(v, inits)
		check_init(r, inits, v, ITEM(SUB(spec, "initContainers"), i++));
}
