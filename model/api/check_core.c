/* Namespace, Node, ConfigMap, Secret, LimitRange, ResourceQuota. Source: kubernetes pkg/apis/core/validation/validation.go. */
#include <ctype.h>

#include "model/api/kept.h"
#include "model/api/pod_rules.h"
#include "model/base/quantity.h"

#define MAX_DATA (1024 * 1024)

void namespace_check(struct check *c, const struct object *o)
{
	const struct path *p = SUB(NULL, "spec.finalizers");

	(void)o;
	VAL_EACH(v, val_path(c->root, "spec.finalizers")) {
		const char *s = val_str(v) ? val_str(v) : "";

		must_be_label_key(c, p, s);
		if (!strchr(s, '/') && strcmp(s, "kubernetes") != 0 && strcmp(s, "orphan") != 0 && strcmp(s, "foregroundDeletion") != 0)
			refuse_str(c, p, s, "name is neither a standard finalizer name nor is it fully qualified");
	}
}

/* ---- Node */

/* Upstream puts taints at metadata.taints (ValidateNode). */
static void check_taints(struct check *c, const struct node *n)
{
	static const char *const effects[] = { "NoSchedule", "PreferNoSchedule", "NoExecute", NULL };
	const struct val *list = val_path(c->root, "spec.taints");

	for (uint32_t k = 0; k < n->taints.nr; k++) {
		const struct path *p = ITEM(SUB(NULL, "metadata.taints"), k);
		const struct taint *t = &n->taints.v[k];

		must_be_label_key(c, SUB(p, "key"), t->key ? t->key : "");
		must_be_label_value(c, SUB(p, "value"), t->value ? t->value : "");
		if (!t->effect || !*t->effect)
			refuse_missing(c, SUB(p, "effect"), "%s", "");
		else if (!one_of(t->effect, effects))
			refuse_unsupported(c, SUB(p, "effect"), t->effect, effects);
		for (uint32_t i = 0; i < k; i++)
			if (streq(n->taints.v[i].key, t->key) && streq(n->taints.v[i].effect, t->effect)) {
				refuse_duplicate_val(c, p, val_at(list, k));
				break;
			}
	}
}

/* nodeDeclaredFeatureRegexp */
static bool feature_name(const char *s)
{
	for (bool first = true;; first = false) {
		size_t n = strcspn(s, "/");

		if (!isalpha((unsigned char)*s) || (first && !isupper((unsigned char)*s)))
			return false;
		for (size_t k = 0; k < n; k++)
			if (!isalnum((unsigned char)s[k]))
				return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

/* validateNodeDeclaredFeatures */
static void check_features(struct check *c)
{
	const struct path *p = SUB(NULL, "status.declaredFeatures");
	uint32_t i = 0;

	VAL_EACH(v, val_path(c->root, "status.declaredFeatures")) {
		const char *s = val_str(v) ? val_str(v) : "", *next = v->next && val_str(v->next) ? val_str(v->next) : NULL;

		if (strlen(s) > 253)
			refuse_str(c, ITEM(p, i), s, "invalid feature name \"%s\": must be no more than 253 characters", s);
		else if (!feature_name(s))
			refuse_str(c, ITEM(p, i), s, "invalid feature name \"%s\": must start with an UpperCamelCase segment, with subsequent segments separated by '/' "
						     "(e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes", s);
		i++;
		if (next && strcmp(s, next) == 0)
			refuse_duplicate(c, ITEM(p, i), next);
		else if (next && strcmp(s, next) > 0)
			refuse_str(c, ITEM(p, i), next, "list must be sorted alphabetically");
	}
}

/* ValidateAvoidPodsInNodeAnnotations */
static void check_avoided(struct check *c, const struct object *o)
{
	static const char key[] = "scheduler.alpha.kubernetes.io/preferAvoidPods";
	const char *text = label_get(&o->annotations, key);
	struct arena *a = arena_new(NULL, key);
	struct err err = { 0 };
	uint32_t i = 0;

	VAL_EACH(e, val_get(text && *text ? json_parse(a, key, text, strlen(text), NULL, &err) : NULL, "preferAvoidPods")) {
		const struct path *p = SUB(ITEM(SUB(NULL, "metadata.annotations.scheduler.alpha.kubernetes.io/preferAvoidPods"), i++), "PodSignature");
		const struct val *owner = val_path(e, "podSignature.podController");

		if (!owner || val_is(owner, VAL_NULL))
			refuse_missing(c, p, "%s", "");
		else if (!true_of(owner, "controller"))
			refuse_text(c, SUB(p, "PodController.Controller"), "false", "must point to a controller");
	}
	if (err.nr)
		refuse_str(c, SUB(NULL, "metadata.annotations.AvoidPods"), key, "%s", err.v[0].text);
	err_free(&err);
	arena_free(a);
}

void node_check(struct check *c, const struct object *o)
{
	const struct node *n = (const struct node *)o;
	const struct val *swap = val_path(c->root, "status.nodeInfo.swap.capacity");
	const struct path *p = SUB(NULL, "spec.podCIDRs");
	struct cidr a, b;

	check_avoided(c, o);
	check_taints(c, n);
	if (!c->was)                            /* an update of the spec leaves status as it is */
		check_features(c);
	if (!c->was && swap && !val_is(swap, VAL_NULL) && val_int_or(swap, 1) <= 0)
		refuse_int(c, SUB(NULL, "metadata.nodeSwapStatus.capacity"), val_int_or(swap, 1), "must be greater than zero");
	if (n->pod_cidr && *n->pod_cidr && !n->pod_cidrs.nr)
		must_be_cidr(c, ITEM(p, 0), n->pod_cidr);
	for (uint32_t k = 0; k < n->pod_cidrs.nr; k++)
		must_be_cidr(c, ITEM(p, k), n->pod_cidrs.v[k]);
	if (n->pod_cidrs.nr > 2 || (n->pod_cidrs.nr == 2 && cidr_parse(n->pod_cidrs.v[0], &a) && cidr_parse(n->pod_cidrs.v[1], &b) && ip_is4(a.addr) == ip_is4(b.addr)))
		refuse_val(c, p, val_path(c->root, "spec.podCIDRs"), "may specify no more than one CIDR for each IP family");
	VAL_EACH(v, val_path(c->root, "status.capacity")) {
		int64_t milli;

		if (val_str(v) && quantity_parse(val_str(v), &milli) && milli < 0)
			refuse_val(c, SUB(SUB(NULL, "status.capacity"), v->key), v, "must be greater than or equal to 0");
	}
}

void node_check_update(struct check *c, const struct object *o, const struct object *was)
{
	const struct node *n = (const struct node *)o, *old = (const struct node *)was;
	bool changed = n->pod_cidrs.nr != old->pod_cidrs.nr;

	for (uint32_t k = 0; !changed && k < n->pod_cidrs.nr; k++)
		changed = n->pod_cidrs.v[k] != old->pod_cidrs.v[k];
	if (changed && old->pod_cidrs.nr && n->pod_cidrs.nr)
		refuse_forbidden(c, SUB(NULL, "spec.podCIDRs"), "node updates may not change podCIDR except from \"\" to valid");
	if (old->provider_id && *old->provider_id && n->provider_id && n->provider_id != old->provider_id)
		refuse_forbidden(c, SUB(NULL, "spec.providerID"), "node updates may not change providerID except from \"\" to valid");
}

/* ---- ConfigMap, Secret */

static size_t check_keys(struct check *c, const char *list)
{
	size_t size = 0;

	VAL_EACH(m, val_get(c->root, list)) {
		must_be_config_key(c, ENTRY(SUB(NULL, list), m->key), m->key);
		size += val_is(m, VAL_STRING) ? m->nr : 0;
	}
	return size;
}

void config_map_check(struct check *c, const struct object *o)
{
	size_t size = check_keys(c, "data");

	(void)o;
	VAL_EACH(m, val_get(c->root, "data"))
		if (val_get(val_get(c->root, "binaryData"), m->key))
			refuse_str(c, ENTRY(SUB(NULL, "data"), m->key), m->key, "duplicate of key present in binaryData");
	size += check_keys(c, "binaryData") / 4 * 3;
	if (size > MAX_DATA)
		refuse_long(c, SUB(NULL, ""), MAX_DATA);
}

static bool there(const struct check *c, const char *key)
{
	return val_get(val_get(c->root, "data"), key) || val_get(val_get(c->root, "stringData"), key);
}

/* Must be a JSON object, or null. What is wrong with it is said in Go's words where it has no beginning or is something else, and in our reader's elsewhere; the content is not shown. */
static void check_json(struct check *c, const struct secret *s, const char *key)
{
	static const char hidden[] = "\"<secret contents redacted>\"", *const names[] = { [VAL_BOOL] = "bool", [VAL_INT] = "number", [VAL_FLOAT] = "number", [VAL_STRING] = "string", [VAL_LIST] = "array" };
	const struct path *p = ENTRY(SUB(NULL, "data"), key);
	const char *coded = label_get(&s->data, key);
	struct arena *a = arena_new(NULL, "docker");
	size_t n = 0;
	const uint8_t *bytes = coded ? base64_decode(a, coded, strlen(coded), &n) : NULL;
	const char *text = bytes ? (const char *)bytes : "", *from = text + strspn(text, " \t\r\n");
	struct err err = { 0 };
	const struct val *v = *from ? json_parse(a, key, text, strlen(text), NULL, &err) : NULL;

	if (!coded)
		;
	else if (!*from)
		refuse_text(c, p, hidden, "unexpected end of JSON input");
	else if (!strchr("{[\"-0123456789tfn", *from))
		refuse_text(c, p, hidden, "invalid character '%c' looking for beginning of value", *from);
	else if (err.nr || !v)
		refuse_text(c, p, hidden, "%s", err.nr ? err.v[0].text : "unexpected end of JSON input");
	else if (!val_is(v, VAL_MAP) && !val_is(v, VAL_NULL))
		refuse_text(c, p, hidden, "json: cannot unmarshal %s into Go value of type map[string]interface {}", names[v->type]);
	err_free(&err);
	arena_free(a);
}

void secret_check(struct check *c, const struct object *o)
{
	/* What a type asks for; with `any`, one of them is enough. */
	static const struct { const char *type; const char *keys[2]; bool any, json; } types[] = {
		{ "kubernetes.io/dockercfg", { ".dockercfg" }, false, true }, { "kubernetes.io/dockerconfigjson", { ".dockerconfigjson" }, false, true },
		{ "kubernetes.io/basic-auth", { "username", "password" }, true, false }, { "kubernetes.io/ssh-auth", { "ssh-privatekey" }, false, false },
		{ "kubernetes.io/tls", { "tls.crt", "tls.key" }, false, false },
	};
	static const char account[] = "kubernetes.io/service-account.name";
	const struct secret *s = (const struct secret *)o;
	const char *name = label_get(&o->annotations, account);
	const struct path *p = SUB(NULL, "data");

	if (check_keys(c, "data") / 4 * 3 + check_keys(c, "stringData") > MAX_DATA)
		refuse_long(c, p, MAX_DATA);
	if (streq(s->type, "kubernetes.io/service-account-token") && (!name || !*name))
		refuse_missing(c, ENTRY(SUB(NULL, "metadata.annotations"), account), "%s", "");
	for (size_t k = 0; k < ARRAY_LEN(types); k++) {
		if (!streq(s->type, types[k].type) || (types[k].any && (there(c, types[k].keys[0]) || there(c, types[k].keys[1]))))
			continue;
		for (int i = 0; i < 2 && types[k].keys[i]; i++)
			if (!there(c, types[k].keys[i]))
				refuse_missing(c, ENTRY(p, types[k].keys[i]), "%s", "");
		if (types[k].json)
			check_json(c, s, types[k].keys[0]);
	}
}

static void check_frozen(struct check *c, const struct object *now, const struct object *old, const char *const *keys)
{
	if (!now->doc || !val_bool_or(val_get(old->doc, "immutable"), false))
		return;
	if (!val_bool_or(val_get(now->doc, "immutable"), false))
		refuse_forbidden(c, SUB(NULL, "immutable"), "field is immutable when `immutable` is set");
	for (; *keys; keys++) {
		const struct val *a = val_get(now->doc, *keys), *b = val_get(old->doc, *keys);

		if (a ? !b || !val_equal(a, b) : b != NULL)
			refuse_forbidden(c, SUB(NULL, *keys), "field is immutable when `immutable` is set");
	}
}

void config_map_check_update(struct check *c, const struct object *now, const struct object *old)
{
	check_frozen(c, now, old, (const char *const[]){ "data", "binaryData", NULL });
}

void secret_check_update(struct check *c, const struct object *now, const struct object *old)
{
	const struct secret *a = (const struct secret *)now, *b = (const struct secret *)old;

	if (!streq(a->type, b->type))
		refuse_str(c, SUB(NULL, "type"), a->type, "field is immutable");
	check_frozen(c, now, old, (const char *const[]){ "data", NULL });
}
