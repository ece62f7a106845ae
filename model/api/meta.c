/* metadata: its table and its rules. Source: apimachinery pkg/api/validation/objectmeta.go ValidateObjectMetaAccessor. */
#include "model/api/meta.h"

#include "model/api/rows.h"

static const struct field owner_fields[] = {
	ROW(F_STR, "apiVersion", struct owner_ref, api), ROW(F_STR, "kind", struct owner_ref, kind), ROW(F_STR, "name", struct owner_ref, name),
	ROW(F_STR, "uid", struct owner_ref, uid), ROW(F_BOOL, "controller", struct owner_ref, controller), ROW(F_BOOL, "blockOwnerDeletion", struct owner_ref, block),
	FIELD_END
};
static const struct field managed_fields[] = {
	KEPT(F_STR, "apiVersion"), ROW_KEEP("fieldsV1"), KEPT(F_STR, "fieldsType"), KEPT(F_STR, "manager"), KEPT(F_STR, "operation"), KEPT(F_STR, "subresource"),
	KEPT(F_TIME, "time"),
	FIELD_END
};
const struct field meta_fields[] = {
	ROW(F_STR, "name", struct object, name), ROW(F_STR, "namespace", struct object, ns), ROW(F_STR, "uid", struct object, uid),
	ROW(F_STR, "generateName", struct object, generate_name), ROW(F_PAIRS, "labels", struct object, labels),
	ROW(F_PAIRS, "annotations", struct object, annotations), ROW(F_STRS, "finalizers", struct object, finalizers),
	ROW(F_I64, "generation", struct object, generation),
	ROW_LIST("ownerReferences", struct object, owners, struct owner_ref, owner_fields),
	KEPT(F_STR, "resourceVersion"), KEPT(F_TIME, "creationTimestamp"), KEPT(F_TIME, "deletionTimestamp"), KEPT(F_I64, "deletionGracePeriodSeconds"),
	KEPT(F_STR, "selfLink"), KEPT_LIST("managedFields", managed_fields),
	FIELD_END
};

bool meta_decode(struct decode *d, const struct val *doc, struct object *o)
{
	const struct val *meta = val_get(doc, "metadata"), *gone = val_get(meta, "deletionTimestamp");

	if (!fields_decode(d, meta_fields, meta, "metadata", o))
		return false;
	if (gone && !val_is(gone, VAL_NULL))
		o->deleted = 0;
	if (!o->name)
		o->name = str_intern(d->strings, "");
	return true;
}

/* A prefix may end in a dash: something follows. (apimachinery pkg/api/validation/generic.go maskTrailingDash) */
static void check_prefix(struct check *c, const struct path *p, const char *prefix, must_be *rule)
{
	char name[512];
	size_t n = MIN(strlen(prefix), sizeof(name) - 1);

	memcpy(name, prefix, n);
	name[n] = '\0';
	if (n > 1 && name[n - 1] == '-') {
		name[n - 2] = 'a';
		name[n - 1] = '\0';
	}
	rule(c, p, name);
}

static void check_name(struct check *c, const struct object *o)
{
	must_be *rule = o->kind->name_rule ? o->kind->name_rule : must_be_subdomain;

	if (o->generate_name && *o->generate_name)
		check_prefix(c, SUB(NULL, "metadata.generateName"), o->generate_name, rule);
	if (!*o->name)
		refuse_missing(c, SUB(NULL, "metadata.name"), "name or generateName is required");
	else if (val_path(c->root, "metadata.name"))
		rule(c, SUB(NULL, "metadata.name"), o->name);
	if (o->ns)
		must_be_label(c, SUB(NULL, "metadata.namespace"), o->ns);
}

static void check_owners(struct check *c, const struct object *o)
{
	const struct path *p = SUB(NULL, "metadata.ownerReferences");
	const struct owner_ref *first = NULL;

	for (uint32_t k = 0; k < o->owners.nr; k++) {
		const struct owner_ref *r = &o->owners.v[k];

		if (!r->api || !*r->api)
			refuse_str(c, SUB(p, "apiVersion"), "", "version must not be empty");
		if (!r->kind || !*r->kind)
			refuse_str(c, SUB(p, "kind"), "", "must not be empty");
		if (!r->name || !*r->name)
			refuse_str(c, SUB(p, "name"), "", "must not be empty");
		if (!r->uid || !*r->uid)
			refuse_str(c, SUB(p, "uid"), "", "must not be empty");
		if (streq(r->api, "v1") && streq(r->kind, "Event"))
			refuse_val(c, p, val_at(val_path(c->root, "metadata.ownerReferences"), k), "/v1, Kind=Event is disallowed from being an owner");
		if (r->controller && first)
			refuse_val(c, p, val_path(c->root, "metadata.ownerReferences"),
				   "Only one reference can have Controller set to true. Found \"true\" in references for %s/%s and %s/%s", first->kind, first->name, r->kind, r->name);
		else if (r->controller)
			first = r;
	}
}

/* The oldest groups: core, apps, batch, policy, autoscaling (pkg/apis/core/validation ValidateObjectMeta). Custom resources may have any. */
static bool in_core(const char *api)
{
	return !strchr(api, '.');
}

static void check_finalizers(struct check *c, const struct object *o)
{
	static const char *const standard[] = { "foregroundDeletion", "kubernetes", "orphan", NULL };
	const struct path *p = SUB(NULL, "metadata.finalizers");
	bool orphan = false, foreground = false;

	for (uint32_t k = 0; k < o->finalizers.nr; k++) {
		must_be_label_key(c, p, o->finalizers.v[k]);
		if (in_core(o->kind->apis[0]) && !strchr(o->finalizers.v[k], '/') && !one_of(o->finalizers.v[k], standard))
			refuse_str(c, ITEM(p, k), o->finalizers.v[k], "name is neither a standard finalizer name nor is it fully qualified");
		orphan |= streq(o->finalizers.v[k], "orphan");
		foreground |= streq(o->finalizers.v[k], "foregroundDeletion");
	}
	if (orphan && foreground)
		refuse_val(c, p, val_path(c->root, "metadata.finalizers"), "finalizer orphan and foregroundDeletion cannot be both set");
}

static void check_meta(struct check *c, const struct object *o)
{
	check_name(c, o);
	must_not_be_negative(c, SUB(NULL, "metadata.generation"), o->generation);
	must_be_labels(c, SUB(NULL, "metadata.labels"), &o->labels);
	must_be_annotations(c, SUB(NULL, "metadata.annotations"), &o->annotations);
	check_owners(c, o);
	check_finalizers(c, o);
}

bool object_check(struct check *c, const struct object *o)
{
	c->config = o->kind->nameless;
	if (!c->config)
		check_meta(c, o);
	if (o->kind->check)
		o->kind->check(c, o);
	return c->found == 0;
}

bool object_check_update(struct check *c, const struct object *now, const struct object *old)
{
	if (now->kind->check_update)
		now->kind->check_update(c, now, old);
	return c->found == 0;
}
