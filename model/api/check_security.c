/* securityContext of Pods and containers: validatePodSpecSecurityContext, ValidateSecurityContext. */
#include <ctype.h>

#include "model/api/pod_rules.h"

static const char *const profiles[] = { "Localhost", "RuntimeDefault", "Unconfined", NULL }, *const proc_mounts[] = { "Default", "Unmasked", NULL };
static const char *const fs_policies[] = { "Always", "OnRootMismatch", NULL }, *const group_policies[] = { "Merge", "Strict", NULL };
static const char *const label_policies[] = { "Recursive", NULL };       /* MountOption waits for the feature SELinuxMount, which is off, */
static const char *const all_label_policies[] = { "MountOption", "Recursive", NULL };   /* but may be on in a cluster that there is */

static void check_profile(struct check *c, const struct val *v, const struct path *p, const char *what)
{
	const char *type = text_of(v, "type"), *local = text_of(v, "localhostProfile");
	bool seccomp = strcmp(what, "seccomp") == 0;

	if (!val_is(v, VAL_MAP))
		return;
	if (!*type)
		refuse_missing(c, SUB(p, "type"), "type is required when %sProfile is set", seccomp ? "seccomp" : "appArmor");
	else if (!one_of(type, profiles))
		refuse_unsupported(c, SUB(p, "type"), type, profiles);
	if (strcmp(type, "Localhost") != 0) {
		if (has(v, "localhostProfile"))
			refuse_str(c, SUB(p, "localhostProfile"), local, "can only be set when %s type is Localhost", what);
		return;
	}
	if (!has(v, "localhostProfile") || (!seccomp && !*local))
		refuse_missing(c, SUB(p, "localhostProfile"), "must be set when %s type is Localhost", what);
	else if (seccomp)
		must_be_descending(c, SUB(p, "localhostProfile"), local);
	else if (strlen(local) > 4095)          /* PATH_MAX - 1 */
		refuse_long(c, SUB(p, "localhostProfile"), 4095);
	else if (isspace((unsigned char)local[0]) || isspace((unsigned char)local[strlen(local) - 1]))
		refuse_str(c, SUB(p, "localhostProfile"), local, "must not be padded with whitespace");
}

static void check_id(struct check *c, const struct val *v, const struct path *p, const char *key)
{
	need_range(c, v, p, key, 0, INT32_MAX);
}

/* ([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])? */
static bool sysctl_form(const char *s)
{
	bool edge = true;

	if (!*s || strlen(s) > 253)
		return false;
	for (; *s; s++) {
		bool word = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9'), point = *s == '.' || *s == '/';

		if (!word && (edge || (!point && *s != '-' && *s != '_')))
			return false;
		if (point && (s[-1] == '-' || s[-1] == '_'))
			return false;
		edge = point;
	}
	return !edge && s[-1] != '-' && s[-1] != '_';
}

/* component-helpers node/util/sysctl GetNamespace */
static bool of_namespace(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

static void check_sysctls(struct pod_rules *r, const struct val *list, const struct path *p)
{
	static const char *const net[] = { "net.", "net/", NULL };
	static const char *const ipc[] = { "kernel.shm", "kernel.msg", "fs.mqueue.", "kernel/shm", "kernel/msg", "fs/mqueue/", NULL };
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = SUB(ITEM(p, i++), "name");
		const char *name = text_of(v, "name");

		if (!*name)
			refuse_missing(r->c, at, "%s", "");
		else if (!sysctl_form(name))
			refuse_str(r->c, at, name, "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
		VAL_EACH(other, list) {
			if (other == v)
				break;
			if (strcmp(text_of(other, "name"), name) == 0) {
				refuse_duplicate(r->c, at, name);
				break;
			}
		}
		if (true_of(r->spec, "hostNetwork") && of_namespace(name, net))
			refuse_str(r->c, at, name, "may not be specified when 'hostNetwork' is true");
		if (true_of(r->spec, "hostIPC") && (of_namespace(name, ipc) || strcmp(name, "kernel.sem") == 0))
			refuse_str(r->c, at, name, "may not be specified when 'hostIPC' is true");
	}
}

/* validateWindows, validateLinux: what the other system knows may not be set. */
void check_system(struct check *c, const struct val *spec, const struct path *p, const char *os)
{
	static const char *const pod[] = { "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup",
					   "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy", NULL };
	static const char *const container[] = { "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
						 "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup", NULL };
	static const char *const shared[] = { "hostPID", "hostIPC", "shareProcessNamespace" }, *const lists[] = { "initContainers", "containers" };
	static const char *const linux_none[] = { "windowsOptions", NULL };
	static const char other[] = "cannot be set for a windows pod", windows[] = "windows options cannot be set for a linux pod";
	bool on_windows = strcmp(os, "windows") == 0;
	const char *why = on_windows ? other : windows;
	const char *const *mine = on_windows ? pod : linux_none;

	for (; *mine; mine++)
		if (has(val_get(spec, "securityContext"), *mine))
			refuse_forbidden(c, SUB(SUB(p, "securityContext"), *mine), "%s", why);
	for (size_t k = 0; on_windows && k < ARRAY_LEN(shared); k++)
		if (true_of(spec, shared[k]))
			refuse_forbidden(c, SUB(p, shared[k]), "%s", why);
	if (on_windows && has(spec, "hostUsers"))
		refuse_forbidden(c, SUB(p, "hostUsers"), "%s", why);
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		uint32_t i = 0;

		VAL_EACH(v, val_get(spec, lists[k])) {
			const struct path *at = SUB(ITEM(SUB(p, lists[k]), i++), "securityContext");

			for (mine = on_windows ? container : linux_none; *mine; mine++)
				if (has(val_get(v, "securityContext"), *mine))
					refuse_forbidden(c, SUB(at, *mine), "%s", why);
		}
	}
}

void check_pod_security(struct pod_rules *r, const struct path *p)
{
	const struct val *v = val_get(r->spec, "securityContext");
	uint32_t i = 0;

	if (true_of(r->spec, "shareProcessNamespace") && true_of(r->spec, "hostPID"))
		refuse_text(r->c, SUB(p, "shareProcessNamespace"), "true", "ShareProcessNamespace and HostPID cannot both be enabled");
	check_id(r->c, v, p, "fsGroup");
	check_id(r->c, v, p, "runAsUser");
	check_id(r->c, v, p, "runAsGroup");
	VAL_EACH(id, val_get(v, "supplementalGroups")) {
		int64_t n = val_int_or(id, 0);

		if (n < 0 || n > INT32_MAX)
			refuse_int(r->c, ITEM(SUB(p, "supplementalGroups"), i), n, "must be between 0 and %d, inclusive", INT32_MAX);
		i++;
	}
	check_sysctls(r, val_get(v, "sysctls"), SUB(p, "sysctls"));
	need_one_if_set(r->c, v, p, "fsGroupChangePolicy", fs_policies);
	need_one_if_set(r->c, v, p, "supplementalGroupsPolicy", group_policies);
	need_one_if_set(r->c, v, p, "seLinuxChangePolicy", r->c->stands ? all_label_policies : label_policies);
	check_profile(r->c, val_get(v, "seccompProfile"), SUB(p, "seccompProfile"), "seccomp");
	check_profile(r->c, val_get(v, "appArmorProfile"), SUB(p, "appArmorProfile"), "AppArmor");
	check_windows_options(r->c, val_get(v, "windowsOptions"), SUB(p, "windowsOptions"));
}

void check_container_security(struct pod_rules *r, const struct val *v, const struct path *p)
{
	if (!val_is(v, VAL_MAP))
		return;
	check_id(r->c, v, p, "runAsUser");
	check_id(r->c, v, p, "runAsGroup");
	need_one_of(r->c, v, p, "procMount", proc_mounts);
	if (r->host_users && strcmp(text_of(v, "procMount"), "Unmasked") == 0)
		refuse_str(r->c, SUB(p, "procMount"), "Unmasked", "`hostUsers` must be false to use `Unmasked`");
	check_profile(r->c, val_get(v, "seccompProfile"), SUB(p, "seccompProfile"), "seccomp");
	check_profile(r->c, val_get(v, "appArmorProfile"), SUB(p, "appArmorProfile"), "AppArmor");
	check_windows_options(r->c, val_get(v, "windowsOptions"), SUB(p, "windowsOptions"));
	if (val_bool_or(val_get(v, "allowPrivilegeEscalation"), true))
		return;
	if (true_of(v, "privileged"))
		refuse_val(r->c, p, v, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
	VAL_EACH(cap, val_path(v, "capabilities.add"))
		if (streq(val_str(cap), "CAP_SYS_ADMIN"))
			refuse_val(r->c, p, v, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
}
