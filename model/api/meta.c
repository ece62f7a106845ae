#include "model/api/meta.h"

#include "model/api/rows.h"

static const struct field owner_fields[] = {
	ROW(F_STR, "apiVersion", struct owner_ref, api), ROW(F_STR, "kind", struct owner_ref, kind), ROW(F_STR, "name", struct owner_ref, name),
	ROW(F_STR, "uid", struct owner_ref, uid), ROW(F_BOOL, "controller", struct owner_ref, controller), ROW(F_BOOL, "blockOwnerDeletion", struct owner_ref, block),
	FIELD_END
};
static const struct field meta_fields[] = {
	ROW(F_STR, "name", struct object, name), ROW(F_STR, "namespace", struct object, ns), ROW(F_STR, "uid", struct object, uid),
	ROW(F_STR, "generateName", struct object, generate_name), ROW(F_PAIRS, "labels", struct object, labels),
	ROW(F_PAIRS, "annotations", struct object, annotations), ROW(F_STRS, "finalizers", struct object, finalizers),
	ROW(F_I64, "generation", struct object, generation),
	ROW_LIST("ownerReferences", struct object, owners, struct owner_ref, owner_fields),
	ROW_KEEP("resourceVersion"), ROW_KEEP("creationTimestamp"), ROW_KEEP("deletionTimestamp"), ROW_KEEP("deletionGracePeriodSeconds"), ROW_KEEP("selfLink"),
	ROW_KEEP("managedFields"), ROW_KEEP("clusterName"),
	FIELD_END
};

static bool alnum_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool dns_label(const char *s, size_t n, size_t max)
{
	if (!n || n > max || !alnum_lower(s[0]) || !alnum_lower(s[n - 1]))
		return false;
	for (size_t k = 0; k < n; k++)
		if (!alnum_lower(s[k]) && s[k] != '-')
			return false;
	return true;
}

bool name_is_label(const char *s)
{
	return dns_label(s, strlen(s), 63);
}

bool name_is_label_1035(const char *s)
{
	return dns_label(s, strlen(s), 63) && s[0] >= 'a' && s[0] <= 'z';
}

bool name_is_subdomain(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > 253)
		return false;
	for (;;) {
		size_t part = strcspn(s, ".");

		if (!dns_label(s, part, 253))
			return false;
		if (!s[part])
			return true;
		s += part + 1;
	}
}

static bool qualified_char(char c)
{
	return alnum_lower(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
}

static bool qualified_part(const char *s, size_t n)
{
	if (!n || n > 63 || s[0] == '-' || s[0] == '_' || s[0] == '.' || s[n - 1] == '-' || s[n - 1] == '_' || s[n - 1] == '.')
		return false;
	for (size_t k = 0; k < n; k++)
		if (!qualified_char(s[k]))
			return false;
	return true;
}

bool label_key_valid(const char *s)
{
	const char *slash = strchr(s, '/');
	char prefix[254];

	if (!slash)
		return qualified_part(s, strlen(s));
	if ((size_t)(slash - s) >= sizeof(prefix))
		return false;
	memcpy(prefix, s, (size_t)(slash - s));
	prefix[slash - s] = '\0';
	return name_is_subdomain(prefix) && qualified_part(slash + 1, strlen(slash + 1));
}

bool label_value_valid(const char *s)
{
	return !*s || qualified_part(s, strlen(s));
}

bool meta_decode(struct decode *d, const struct val *doc, struct object *o, bool validate)
{
	const struct val *meta = val_get(doc, "metadata");
	struct check c = { d->file, d->object, doc, d->err };
	bool ok = fields_decode(d, meta_fields, meta, "metadata", o);

	if (!ok)
		return false;
	if (val_get(meta, "deletionTimestamp"))
		o->deleted = 0;
	if (!o->name && o->generate_name)
		o->name = str_printf(d->strings, "%sxxxxx", o->generate_name);
	if (!o->name) {
		o->name = str_intern(d->strings, "");
		if (validate && !o->kind->nameless)
			return check_required(&c, "metadata.name", "name or generateName is required");
	}
	for (uint32_t k = 0; validate && k < o->labels.nr; k++) {
		if (!label_key_valid(o->labels.v[k].key))
			ok = check_invalid(&c, "metadata.labels", arena_printf(d->arena, "\"%s\"", o->labels.v[k].key), "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character");
		if (!label_value_valid(o->labels.v[k].value))
			ok = check_invalid(&c, "metadata.labels", arena_printf(d->arena, "\"%s\"", o->labels.v[k].value), "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, and must be no more than 63 characters");
	}
	return ok;
}
