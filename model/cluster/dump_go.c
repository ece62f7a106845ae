/* kubectl before 1.14 printed cluster-info dump as Go structs: members by the names of Go's fields, metadata flattened into the object, no kind. */
#include <ctype.h>
#include <stdio.h>

#include "model/cluster/dump.h"

/* Maps whose keys are the users' own. */
static bool users_keys(const char *key)
{
	static const char *const names[] = { "labels", "annotations", "matchLabels", "nodeSelector", "selector", "capacity", "allocatable", "limits", "requests", "data", "binaryData", "stringData",
					     "hard", "used", "parameters", "options", NULL };

	for (int k = 0; names[k]; k++)
		if (strcmp(names[k], key) == 0)
			return true;
	return false;
}

/* PodIP → podIP, DNSPolicy → dnsPolicy, TCPSocket → tcpSocket, IP → ip */
static const char *member_name(struct arena *a, const char *go)
{
	static const struct { const char *go, *json; } odd[] = { { "ExternalIPs", "externalIPs" }, { "PodCIDR", "podCIDR" }, { "GCEPersistentDisk", "gcePersistentDisk" },
		{ "AWSElasticBlockStore", "awsElasticBlockStore" }, { "HTTPHeaders", "httpHeaders" }, { "ISCSI", "iscsi" }, { "CephFS", "cephfs" }, { "ScaleIO", "scaleIO" }, { "StorageOS", "storageos" } };
	char *s = arena_strdup(a, go);
	size_t caps = 0;

	for (size_t k = 0; k < ARRAY_LEN(odd); k++)
		if (strcmp(odd[k].go, go) == 0)
			return odd[k].json;
	while (isupper((unsigned char)s[caps]))
		caps++;
	if (caps > 1 && s[caps] && !(s[caps] == 's' && !s[caps + 1]))
		caps--;                 /* the last capital begins the next word */
	for (size_t k = 0; k < caps; k++)
		s[k] = (char)tolower((unsigned char)s[k]);
	return s;
}

/* Go prints what is not set as well: null, "", and 0 for ports. */
static bool not_set(const struct val *v, const char *name)
{
	return v->type == VAL_NULL || (v->type == VAL_STRING && !v->nr) || (v->type == VAL_INT && v->i == 0 && (strcmp(name, "nodePort") == 0 || strcmp(name, "hostPort") == 0));
}

static struct val *placed(struct val *to, const struct val *from)
{
	to->line = from->line;
	to->col = from->col;
	return to;
}

static struct val *converted(struct arena *a, const struct val *v, bool keys);

static void put_security(struct arena *a, struct val *spec, const struct val *v)
{
	static const char *const names[] = { "HostNetwork", "HostPID", "HostIPC", "ShareProcessNamespace" };

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (val_get(v, names[k]) && val_get(v, names[k])->type == VAL_BOOL)
			val_put(a, spec, member_name(a, names[k]), val_bool(a, val_get(v, names[k])->b));
}

static struct val *converted(struct arena *a, const struct val *v, bool keys)
{
	struct val *to;

	if (v->type == VAL_LIST) {
		to = placed(val_new(a, VAL_LIST), v);
		VAL_EACH(item, v)
			val_add(a, to, converted(a, item, keys));
		return to;
	}
	if (v->type != VAL_MAP)
		return val_copy(a, v);
	to = placed(val_new(a, VAL_MAP), v);
	VAL_EACH(m, v) {
		const char *name = keys ? member_name(a, m->key) : m->key;

		if (not_set(m, name))
			continue;
		/* of the internal Pod: what the API has in the spec itself */
		if (keys && strcmp(m->key, "SecurityContext") == 0 && m->type == VAL_MAP && val_get(v, "Containers"))
			put_security(a, to, m);
		val_put(a, to, name, converted(a, m, keys && !users_keys(name)));
	}
	return to;
}

/* ---- metadata */

static const char *const metadata[] = { "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
	"deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", NULL };

static bool is_metadata(const char *key)
{
	for (int k = 0; metadata[k]; k++)
		if (strcmp(metadata[k], key) == 0)
			return true;
	return false;
}

/* Members of metadata are inlined in every struct that has it: the object, a Pod template. */
static struct val *object_of(struct arena *a, const struct val *v)
{
	struct val *to = placed(val_new(a, VAL_MAP), v), *meta = placed(val_new(a, VAL_MAP), v);

	VAL_EACH(m, v)
		if (is_metadata(m->key) && !not_set(m, m->key) && strcmp(m->key, "selfLink") != 0)
			val_put(a, meta, m->key, val_copy(a, m));
	if (meta->nr)
		val_put(a, to, "metadata", meta);
	VAL_EACH(m, v) {
		const char *name = member_name(a, m->key);

		if (is_metadata(m->key) || not_set(m, name))
			continue;
		if (strcmp(m->key, "Spec") == 0 && m->type == VAL_MAP && val_get(m, "Template") && val_get(m, "Template")->type == VAL_MAP) {
			struct val *spec = converted(a, m, true);

			val_put(a, spec, "template", object_of(a, val_get(m, "Template")));
			val_put(a, to, "spec", spec);
		} else {
			val_put(a, to, name, converted(a, m, !users_keys(name)));
		}
	}
	return to;
}

/* ---- the kind */

static const struct kind *kind_of_link(const char *link, bool of_list)
{
	const char *end, *last = NULL, *before = NULL;
	char word[64];

	if (!link)
		return NULL;
	for (const char *p = link; (end = strchr(p, '/')); p = end + 1) {
		before = last;
		last = end + 1;
	}
	if (!of_list && before) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(before, "/"), before);
		return kind_by_word(word);
	}
	return last ? kind_by_word(last) : NULL;
}

const struct kind *dump_kind_of_file(const char *file)
{
	const char *base = strrchr(file, '/');
	char word[128];
	const struct kind *found;

	for (int level = 0; level < 2; level++) {
		const char *start = base ? base + 1 : file, *end = start + strcspn(start, "/");

		for (const char *p = start; p + 1 < end; p++)           /* the last word of kubectl_get_-o_json_pods */
			if (*p == '_' || *p == ' ')
				start = p + 1;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(start, "./"), start);
		if (strcmp(word, "replication-controllers") == 0)
			snprintf(word, sizeof(word), "replicationcontrollers");
		found = kind_by_word(word);
		if (found)
			return found;
		if (!base)
			return NULL;
		while (base > file && base[-1] != '/')
			base--;
		base = base > file ? base - 1 : NULL;
		if (!base)
			return NULL;
	}
	return NULL;
}

struct val *dump_from_go(struct arena *a, const struct val *root, const char *list_link, const char *file)
{
	const struct val *meta = val_get(root, "name");
	const struct kind *k;
	struct val *v;

	if (val_get(root, "kind") || val_get(root, "metadata") || !meta || (!val_get(root, "Spec") && !val_get(root, "Status") && !val_str(val_get(root, "selfLink")) && !list_link))
		return NULL;
	k = kind_of_link(val_str(val_get(root, "selfLink")), false);
	k = k ? k : kind_of_link(list_link, true);
	k = k ? k : dump_kind_of_file(file);
	if (!k)
		return NULL;
	v = object_of(a, root);
	val_put(a, v, "apiVersion", val_string(a, k->apis[0]));
	val_put(a, v, "kind", val_string(a, k->name));
	return v;
}
