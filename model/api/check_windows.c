/* windowsOptions of Pods and containers: validateWindowsSecurityContextOptions, validateWindowsHostProcessPod. */
#include "model/api/form.h"
#include "model/api/pod_rules.h"

#define CREDENTIAL_KIB 64
#define DNS_LABEL      "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return true;
	return false;
}

/* [DOMAIN\]USER */
static void check_user_name(struct check *c, const struct val *v, const struct path *p)
{
	static const char netbios[] = "^[^\\\\/:*?\"<>|.][^\\\\/:*?\"<>|]{0,14}$", dns[] = "^" DNS_LABEL "(\\." DNS_LABEL ")*$";
	const char *name = val_str(v) ? val_str(v) : "", *slash = strchr(name, '\\'), *user = slash ? slash + 1 : name;
	size_t n = slash ? (size_t)(slash - name) : 0;
	char domain[256];

	if (!*name) {
		refuse_val(c, p, v, "runAsUserName cannot be an empty string");
		return;
	}
	if (has_control(name)) {
		refuse_val(c, p, v, "runAsUserName cannot contain control characters");
		return;
	}
	if (strchr(user, '\\')) {
		refuse_val(c, p, v, "runAsUserName cannot contain more than one backslash");
		return;
	}
	if (n >= sizeof(domain))
		refuse_val(c, p, v, "runAsUserName's Domain length must be under %zu characters", sizeof(domain));
	trimmed(name, MIN(n, sizeof(domain) - 1), domain, sizeof(domain));
	if (slash && !form_matches(domain, netbios) && !form_matches(domain, dns))
		refuse_val(c, p, v, "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
	if (!*user)
		refuse_val(c, p, v, "runAsUserName's User cannot be empty");
	else if (strlen(user) > 104)
		refuse_val(c, p, v, "runAsUserName's User length must not be longer than 104 characters");
	if (*user && !user[strspn(user, ". ")])
		refuse_val(c, p, v, "runAsUserName's User cannot contain only periods or spaces");
	if (strpbrk(user, "\"/\\:;|=,+*?<>@[]"))
		refuse_val(c, p, v, "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
}

void check_windows_options(struct check *c, const struct val *v, const struct path *p)
{
	const struct val *credential = val_get(v, "gmsaCredentialSpec");

	if (has(v, "gmsaCredentialSpecName"))
		must_be_subdomain(c, SUB(p, "gmsaCredentialSpecName"), text_of(v, "gmsaCredentialSpecName"));
	if (has(v, "gmsaCredentialSpec") && !*text_of(v, "gmsaCredentialSpec"))
		refuse_val(c, SUB(p, "gmsaCredentialSpec"), credential, "gmsaCredentialSpec cannot be an empty string");
	else if (strlen(text_of(v, "gmsaCredentialSpec")) > CREDENTIAL_KIB * 1024)
		refuse_val(c, SUB(p, "gmsaCredentialSpec"), credential, "gmsaCredentialSpec size must be under %d KiB", CREDENTIAL_KIB);
	if (has(v, "runAsUserName"))
		check_user_name(c, val_get(v, "runAsUserName"), SUB(p, "runAsUserName"));
}

/* hostProcess: of the container, or else of the Pod; NULL: neither says. */
static const struct val *host_process(const struct val *context)
{
	const struct val *v = val_path(context, "windowsOptions.hostProcess");

	return val_is(v, VAL_BOOL) ? v : NULL;
}

void check_host_process(struct pod_rules *r, const struct path *p)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	const struct val *of_pod = host_process(val_get(r->spec, "securityContext"));
	uint32_t nr = 0, on_host = 0;

	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		uint32_t i = 0;

		VAL_EACH(v, val_get(r->spec, lists[k])) {
			const struct val *own = host_process(val_get(v, "securityContext"));
			const struct path *at = ITEM(SUB(p, lists[k]), i++);

			if (of_pod && own && val_bool_or(of_pod, false) != val_bool_or(own, false))
				refuse_text(r->c, SUB(at, "securityContext.windowsOptions.hostProcess"), val_bool_or(own, false) ? "true" : "false",
					    "pod hostProcess value must be identical if both are specified, was %s", val_bool_or(of_pod, false) ? "true" : "false");
			nr++;
			on_host += val_bool_or(own ? own : of_pod, false);
		}
	}
	if (on_host && on_host != nr)
		refuse_str(r->c, p, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers");
	if (on_host && !true_of(r->spec, "hostNetwork"))
		refuse_text(r->c, SUB(p, "hostNetwork"), "false", "hostNetwork must be true if pod contains any hostProcess containers");
}
