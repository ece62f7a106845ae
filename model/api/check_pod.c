/* Pods and Pod templates: ValidatePodSpec, ValidatePodTemplateSpec, ValidatePodCreate. */
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

static const char *const restart_policies[] = { "Always", "OnFailure", "Never", NULL }, *const preemptions[] = { "PreemptLowerPriority", "Never", NULL };
static const char *const dns_policies[] = { "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None", NULL }, *const systems[] = { "linux", "windows", NULL };

/* ---- resources: ValidateContainerResourceRequirements */

static bool native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

static void check_resource_name(struct check *c, const char *name, const struct path *p)
{
	static const char *const standard[] = { "cpu", "memory", "ephemeral-storage", NULL };
	uint32_t before = c->found;

	must_be_label_key(c, p, name);
	if (!strchr(name, '/')) {
		if (one_of(name, standard) || huge(name))
			return;
		if (c->found == before)
			refuse_str(c, p, name, "must be a standard resource type or fully qualified");
		refuse_str(c, p, name, "must be a standard resource for containers");
	} else if (!native(name) && strncmp(name, "requests.", 9) == 0) {
		refuse_str(c, p, name, "doesn't follow extended resource name standard");
	}
}

/* validateResourceQuantityHugePageValue: pages of 2Mi come whole. */
static void check_pages(struct check *c, const struct val *v, int64_t milli, const struct path *p)
{
	char text[64];
	int64_t page;

	if (huge(v->key) && quantity_parse(v->key + strlen("hugepages-"), &page) && page > 0 && milli % page)
		refuse_str(c, p, quantity_written(v, text), "%s is not positive integer multiple of %s", text, v->key);
}

static void check_amount(struct check *c, const struct val *v, const struct path *p)
{
	char text[64];
	int64_t milli;

	check_resource_name(c, v->key, p);
	if (!quantity_of(v, &milli))
		return;
	if (milli < 0)
		refuse_str(c, p, quantity_written(v, text), "must be greater than or equal to 0");
	if (!native(v->key) && milli % 1000)
		refuse_str(c, p, quantity_written(v, text), "must be an integer");
	check_pages(c, v, milli, p);
}

/* Has the list, before this entry, one that names the same request of the same claim, or all of them? An entry without a request names all. */
static bool claimed(const struct val *list, const struct val *v)
{
	const char *request = text_of(v, "request");

	VAL_EACH(other, list) {
		if (other == v)
			break;
		if (strcmp(text_of(other, "name"), text_of(v, "name")) == 0 && (!*request || !*text_of(other, "request") || strcmp(text_of(other, "request"), request) == 0))
			return true;
	}
	return false;
}

static void refuse_undeclared(struct check *c, const struct val *declared, const struct path *p, const char *name)
{
	struct sb why = { 0 };
	const char *last = "";

	sb_add(&why, "must be one of the names in pod.spec.resourceClaims");
	for (;;) {                              /* in the order of the alphabet */
		const char *next = NULL;

		VAL_EACH(d, declared)
			if (strcmp(text_of(d, "name"), last) > 0 && (!next || strcmp(text_of(d, "name"), next) < 0))
				next = text_of(d, "name");
		if (!next)
			break;
		sb_add(&why, *last ? ", " : ": ");
		sb_add(&why, next);
		last = next;
	}
	if (!*last)
		sb_add(&why, " which is empty");
	refuse_unfound(c, p, name, sb_text(&why));
	sb_free(&why);
}

/* validateResourceClaimNames */
static void check_claims(struct check *c, const struct val *list, const struct val *declared, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);
		const char *name = text_of(v, "name"), *request = text_of(v, "request");
		const struct val *whole = NULL;
		bool found = false;

		if (!*name) {
			refuse_missing(c, at, "%s", "");
			continue;
		}
		VAL_EACH(other, list) {
			if (other == v)
				break;
			if (strcmp(text_of(other, "name"), name) == 0 && !*text_of(other, "request"))
				whole = other;
		}
		if (*request && !whole)
			must_be_label(c, SUB(at, "request"), request);
		if (claimed(list, v)) {
			struct sb key = { 0 };

			sb_add(&key, name);
			if (*request && !whole)
				sb_printf(&key, "/%s", request);
			refuse_duplicate(c, at, sb_text(&key));
			sb_free(&key);
		}
		VAL_EACH(d, declared)
			found = found || strcmp(text_of(d, "name"), name) == 0;
		if (!found)
			refuse_undeclared(c, declared, at, name);
	}
}

void check_resources(struct check *c, const struct val *v, const struct val *claims, const struct path *p)
{
	const struct val *limits = val_get(v, "limits"), *requests = val_get(v, "requests");
	bool pages = false, computes = false;
	int64_t have, most;

	VAL_EACH(m, limits) {
		check_amount(c, m, ENTRY(SUB(p, "limits"), m->key));
		pages |= huge(m->key);
		computes |= strcmp(m->key, "cpu") == 0 || strcmp(m->key, "memory") == 0;
	}
	VAL_EACH(m, requests) {
		const struct val *limit = val_get(limits, m->key);
		bool whole = !native(m->key) || huge(m->key);
		char asked[64], most_text[64];

		check_amount(c, m, ENTRY(SUB(p, "requests"), m->key));
		if (!limit && whole)
			refuse_missing(c, SUB(p, "limits"), "Limit must be set for non overcommitable resources");
		else if (limit && quantity_of(m, &have) && quantity_of(limit, &most) && (have > most || (whole && have != most)))
			refuse_str(c, SUB(p, "requests"), quantity_written(m, asked), "must be %s %s limit of %s", whole ? "equal to" : "less than or equal to", m->key,
				   quantity_written(limit, most_text));
		pages |= huge(m->key);
		computes |= strcmp(m->key, "cpu") == 0 || strcmp(m->key, "memory") == 0;
	}
	if (pages && !computes)
		refuse_forbidden(c, p, "HugePages require cpu or memory");
	check_claims(c, val_get(v, "claims"), claims, SUB(p, "claims"));
}

/* ---- DNS, names */

static void check_dns(struct check *c, const struct val *spec, const struct path *p)
{
	const struct val *v = val_get(spec, "dnsConfig"), *servers = val_get(v, "nameservers"), *searches = val_get(v, "searches");
	bool none = strcmp(text_of(spec, "dnsPolicy"), "None") == 0;
	const struct path *at = SUB(p, "dnsConfig");
	uint32_t i = 0, size = 0;

	if (none && !has(spec, "dnsConfig")) {
		refuse_missing(c, at, "must provide `dnsConfig` when `dnsPolicy` is None");
		return;
	}
	if (none && (!servers || !servers->nr)) {
		refuse_missing(c, SUB(at, "nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
		return;
	}
	if (servers && servers->nr > 3)
		refuse_val(c, SUB(at, "nameservers"), servers, "must not have more than 3 nameservers");
	VAL_EACH(s, servers)
		must_be_ip(c, ITEM(SUB(at, "nameservers"), i++), val_str(s) ? val_str(s) : "");
	if (searches && searches->nr > 32)
		refuse_val(c, SUB(at, "searches"), searches, "must not have more than 32 search paths");
	VAL_EACH(s, searches)
		size += s->nr + 1;
	if (size > 2049)
		refuse_val(c, SUB(at, "searches"), searches, "must not have more than 2048 characters (including spaces) in the search list");
	i = 0;
	VAL_EACH(s, searches) {
		const char *name = val_str(s) ? val_str(s) : "";
		char text[512];
		size_t n = strlen(name);

		trimmed(name, n && name[n - 1] == '.' ? n - 1 : n, text, sizeof(text));
		if (strcmp(name, ".") != 0)
			must_be_subdomain_underscore(c, ITEM(SUB(at, "searches"), i), text);
		i++;
	}
	i = 0;
	VAL_EACH(o, val_get(v, "options")) {
		if (!*text_of(o, "name"))
			refuse_missing(c, ITEM(SUB(at, "options"), i), "must not be empty");
		i++;
	}
}

static void check_names(struct check *c, const struct val *spec, const struct path *p)
{
	static const struct { const char *key; must_be *rule; } names[] = {
		{ "serviceAccountName", must_be_subdomain }, { "nodeName", must_be_subdomain }, { "hostname", must_be_label }, { "subdomain", must_be_label },
		{ "priorityClassName", must_be_subdomain }, { "runtimeClassName", must_be_subdomain },
	};
	const char *override = text_of(spec, "hostnameOverride");

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (*text_of(spec, names[k].key))
			names[k].rule(c, SUB(p, names[k].key), text_of(spec, names[k].key));
	if (!has(spec, "hostnameOverride"))
		return;
	if (true_of(spec, "setHostnameAsFQDN"))
		refuse_forbidden(c, SUB(p, "hostnameOverride"), "may not be specified when setHostnameAsFQDN is true");
	if (true_of(spec, "hostNetwork"))
		refuse_forbidden(c, SUB(p, "hostnameOverride"), "may not be specified when hostNetwork is true");
	if (strlen(override) > 64)
		refuse_long(c, SUB(p, "hostnameOverride"), 64);
	must_be_subdomain(c, SUB(p, "hostnameOverride"), override);
}

static void check_lists(struct check *c, const struct val *spec, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(v, val_get(spec, "readinessGates"))
		must_be_label_key(c, SUB(ITEM(SUB(p, "readinessGates"), i++), "conditionType"), text_of(v, "conditionType"));
	i = 0;
	VAL_EACH(v, val_get(spec, "schedulingGates")) {
		must_be_label_key(c, ITEM(SUB(p, "schedulingGates"), i), text_of(v, "name"));
		VAL_EACH(other, val_get(spec, "schedulingGates")) {
			if (other == v)
				break;
			if (strcmp(text_of(other, "name"), text_of(v, "name")) == 0)
				refuse_duplicate(c, ITEM(SUB(p, "schedulingGates"), i), text_of(v, "name"));
		}
		i++;
	}
	i = 0;
	VAL_EACH(v, val_get(spec, "hostAliases")) {
		const struct path *at = ITEM(SUB(p, "hostAliases"), i++);
		uint32_t k = 0;

		must_be_ip(c, SUB(at, "ip"), text_of(v, "ip"));
		VAL_EACH(h, val_get(v, "hostnames"))
			must_be_subdomain(c, ITEM(SUB(at, "hostnames"), k++), val_str(h) ? val_str(h) : "");
	}
}

static void check_users(struct pod_rules *r, const struct path *p)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };

	if (r->host_users)
		return;
	if (true_of(r->spec, "hostNetwork"))
		refuse_forbidden(r->c, SUB(p, "hostNetwork"), "when `hostUsers` is false");
	if (true_of(r->spec, "hostPID"))
		refuse_forbidden(r->c, SUB(p, "HostPID"), "when `hostUsers` is false");
	if (true_of(r->spec, "hostIPC"))
		refuse_forbidden(r->c, SUB(p, "HostIPC"), "when `hostUsers` is false");
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		uint32_t i = 0;

		VAL_EACH(v, val_get(r->spec, lists[k])) {
			const struct val *devices = val_get(v, "volumeDevices");

			if (devices && devices->nr)
				refuse_forbidden(r->c, SUB(ITEM(SUB(p, lists[k]), i), "volumeDevices"), "when `hostUsers` is false");
			i++;
		}
	}
}

/* The API server's internal form of it. */
static void refuse_claim(struct check *c, const struct val *v, const struct path *p, const char *why)
{
	static const struct { const char *key, *said; } members[] = { { "name", "{\"Name\":" }, { "resourceClaimName", ",\"ResourceClaimName\":" }, { "resourceClaimTemplateName", ",\"ResourceClaimTemplateName\":" } };
	struct sb sb = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(members); k++) {
		sb_add(&sb, members[k].said);
		if (k && !has(v, members[k].key))
			sb_add(&sb, "null");
		else
			json_quote(&sb, text_of(v, members[k].key));
	}
	sb_add(&sb, "}");
	refuse_text(c, p, sb_text(&sb), "%s", why);
	sb_free(&sb);
}

static void check_resource_claims(struct check *c, const struct val *list, const struct path *p)
{
	uint32_t i = 0;

	VAL_EACH(v, list) {
		const struct path *at = ITEM(p, i++);
		bool named = has(v, "resourceClaimName"), made = has(v, "resourceClaimTemplateName");

		if (need(c, v, at, "name"))
			must_be_label(c, SUB(at, "name"), text_of(v, "name"));
		VAL_EACH(other, list) {
			if (other == v)
				break;
			if (*text_of(v, "name") && strcmp(text_of(other, "name"), text_of(v, "name")) == 0)
				refuse_duplicate(c, SUB(at, "name"), text_of(v, "name"));
		}
		if (named && made)
			refuse_claim(c, v, at, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
		if (!named && !made)
			refuse_claim(c, v, at, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
		if (named)
			must_be_subdomain(c, SUB(at, "resourceClaimName"), text_of(v, "resourceClaimName"));
		if (made)
			must_be_subdomain(c, SUB(at, "resourceClaimTemplateName"), text_of(v, "resourceClaimTemplateName"));
	}
}

static void spec_check(struct pod_rules *r, const struct path *p)
{
	struct check *c = r->c;
	const struct val *spec = r->spec;
	const char *os = text_of(val_get(spec, "os"), "name");
	int64_t deadline = int_of(spec, "activeDeadlineSeconds", 1);

	check_volumes(r, SUB(p, "volumes"));
	check_resource_claims(c, val_get(spec, "resourceClaims"), SUB(p, "resourceClaims"));
	check_containers(r, p);
	check_pod_resources(r, SUB(p, "resources"));
	need_one_of(c, spec, p, "restartPolicy", restart_policies);
	need_one_of(c, spec, p, "dnsPolicy", dns_policies);
	must_be_labels_val(c, SUB(p, "nodeSelector"), val_get(spec, "nodeSelector"));
	check_pod_security(r, SUB(p, "securityContext"));
	check_host_process(r, p);
	check_affinity(r, SUB(p, "affinity"));
	check_dns(c, spec, p);
	check_lists(c, spec, p);
	check_spread(r, SUB(p, "topologySpreadConstraints"));
	check_users(r, p);
	check_names(c, spec, p);
	if (deadline < 1 || deadline > INT32_MAX)
		refuse_int(c, SUB(p, "activeDeadlineSeconds"), deadline, "must be between 1 and %d, inclusive", INT32_MAX);
	check_tolerations(c, val_get(spec, "tolerations"), SUB(p, "tolerations"));
	need_one_of(c, spec, p, "preemptionPolicy", preemptions);
	VAL_EACH(m, val_get(spec, "overhead"))
		check_amount(c, m, ENTRY(SUB(p, "overhead.limits"), m->key));   /* judged as limits: validateOverhead */
	if (has(spec, "os") && !*os)
		refuse_missing(c, SUB(p, "os.name"), "%s", "");
	else if (*os && !one_of(os, systems))
		refuse_unsupported(c, SUB(p, "os"), os, systems);
	else if (*os)
		check_system(c, spec, p, os);
}

static struct pod_rules rules_for(struct check *c, const struct val *spec)
{
	return (struct pod_rules){ .c = c, .spec = spec, .grace = int_of(spec, "terminationGracePeriodSeconds", 30), .host_users = val_bool_or(val_get(spec, "hostUsers"), true) };
}

void template_meta_check(struct check *c, const struct val *template, const struct path *p)
{
	const struct val *meta = val_get(template, "metadata");

	must_be_labels_val(c, SUB(p, "labels"), val_get(meta, "labels"));
	must_be_annotations_val(c, SUB(p, "annotations"), val_get(meta, "annotations"));
	check_annotations(c, val_get(meta, "annotations"), val_get(template, "spec"), SUB(p, "annotations"));
}

void template_check(struct check *c, const struct val *template, const struct path *p, const struct val *claims)
{
	const struct val *spec = val_get(template, "spec");
	struct pod_rules r = rules_for(c, spec);

	r.claims = claims;
	template_meta_check(c, template, p);
	spec_check(&r, SUB(p, "spec"));
	check_profiles_agree(c, val_path(template, "metadata.annotations"), spec, SUB(p, "spec"), false);
	if (val_get(spec, "ephemeralContainers") && val_get(spec, "ephemeralContainers")->nr)
		refuse_forbidden(c, SUB(p, "spec.ephemeralContainers"), "ephemeral containers not allowed in pod template");
}

void pod_check(struct check *c, const struct object *o)
{
	const struct val *spec = val_get(c->root, "spec"), *ephemeral = val_get(spec, "ephemeralContainers"), *gates = val_get(spec, "schedulingGates");
	const struct path *p = SUB(NULL, "spec");
	struct pod_rules r = rules_for(c, spec);
	bool runs = ((const struct pod *)o)->given, made = !runs && !c->was;
	uint32_t i = 0;

	r.is_pod = true;
	r.meta = runs || c->stands ? NULL : val_get(c->root, "metadata");
	check_annotations(c, val_path(c->root, "metadata.annotations"), spec, SUB(NULL, "metadata.annotations"));
	spec_check(&r, p);
	VAL_EACH(v, val_get(spec, "volumes")) {
		uint32_t k = 0;

		VAL_EACH(s, val_path(v, "projected.sources")) {
			if (has(s, "serviceAccountToken") && !*text_of(spec, "serviceAccountName") && !*text_of(spec, "serviceAccount") && !runs)
				refuse_forbidden(c, SUB(ITEM(SUB(ITEM(SUB(p, "volumes"), i), "projected.sources"), k), "serviceAccountToken"), "must not be specified when serviceAccountName is not set");
			k++;
		}
		i++;
	}
	if (ephemeral && ephemeral->nr && made)
		refuse_forbidden(c, SUB(p, "ephemeralContainers"), "cannot be set on create");
	if (*text_of(spec, "nodeName") && gates && gates->nr && !c->was)
		refuse_forbidden(c, SUB(p, "nodeName"), "cannot be set until all schedulingGates have been cleared");
	if (made)
		check_profiles_agree(c, val_path(c->root, "metadata.annotations"), spec, p, true);
}
