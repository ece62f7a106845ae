/* Namespace, Node, ConfigMap, Secret, LimitRange, ResourceQuota. Source: kubernetes pkg/apis/core/validation/validation.go. */
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

void node_check(struct check *c, const struct object *o)
{
	const struct node *n = (const struct node *)o;
	const struct path *p = SUB(NULL, "spec.podCIDRs");
	struct cidr a, b;

	check_taints(c, n);
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

void secret_check(struct check *c, const struct object *o)
{
	/* What a type asks for; with `any`, one of them is enough. */
	static const struct { const char *type; const char *keys[2]; bool any; } types[] = {
		{ "kubernetes.io/dockercfg", { ".dockercfg" }, false }, { "kubernetes.io/dockerconfigjson", { ".dockerconfigjson" }, false },
		{ "kubernetes.io/basic-auth", { "username", "password" }, true }, { "kubernetes.io/ssh-auth", { "ssh-privatekey" }, false },
		{ "kubernetes.io/tls", { "tls.crt", "tls.key" }, false },
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
