#include "model/cluster/merge.h"

#include <stdlib.h>

static const struct { const char *parent, *list, *key; } rows[] = {     /* parent NULL: anywhere; key NULL: a set of texts */
	{ NULL, "containers", "name" }, { NULL, "initContainers", "name" }, { NULL, "ephemeralContainers", "name" }, { NULL, "env", "name" }, { NULL, "volumes", "name" },
	{ NULL, "volumeMounts", "mountPath" }, { NULL, "volumeDevices", "devicePath" }, { NULL, "imagePullSecrets", "name" }, { NULL, "hostAliases", "ip" },
	{ NULL, "topologySpreadConstraints", "topologyKey" }, { NULL, "schedulingGates", "name" }, { NULL, "resourceClaims", "name" }, { NULL, "ownerReferences", "uid" },
	{ NULL, "conditions", "type" }, { "containers", "ports", "containerPort" }, { "initContainers", "ports", "containerPort" },
	{ "ephemeralContainers", "ports", "containerPort" }, { "spec", "ports", "port" }, { "status", "addresses", "type" }, { "status", "podIPs", "ip" },
	{ "status", "hostIPs", "ip" }, { "", "webhooks", "name" }, { "", "secrets", "name" }, { "spec", "drivers", "name" }, { NULL, "finalizers", NULL },
	{ "spec", "podCIDRs", NULL },
};

enum list_strategy list_strategy(const char *parent, const char *list, const char **key)
{
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (strcmp(rows[k].list, list) == 0 && (!rows[k].parent || strcmp(rows[k].parent, parent) == 0)) {
			*key = rows[k].key;
			return rows[k].key ? LIST_BY_KEY : LIST_AS_SET;
		}
	return LIST_REPLACED;
}

/* patchStrategy retainKeys: of these maps only the keys that the document names stay. */
static bool retains_keys(const char *parent, const char *key)
{
	return (strcmp(key, "strategy") == 0 && strcmp(parent, "spec") == 0) || strcmp(key, "volumes") == 0 || strcmp(key, "resourceClaims") == 0;
}

bool kind_is_strategic(const struct kind *k)
{
	static const char *const groups[] = { "apps/", "batch/", "autoscaling/", "policy/", "extensions/" };

	for (size_t g = 0; g < ARRAY_LEN(groups); g++)
		if (strncmp(k->apis[0], groups[g], strlen(groups[g])) == 0)
			return true;
	if (!strchr(k->apis[0], '/'))
		return true;
	return strstr(k->apis[0], ".k8s.io/") && strncmp(k->apis[0], "gateway.", 8) != 0 && strncmp(k->apis[0], "kustomize.", 10) != 0 && strncmp(k->apis[0], "kubeproxy.", 10) != 0 &&
	       strncmp(k->apis[0], "kubelet.", 8) != 0 && strncmp(k->apis[0], "kubeadm.", 8) != 0 && strncmp(k->apis[0], "kind.", 5) != 0;
}

static const struct val *member(const struct val *list, const char *key, const struct val *of)
{
	const struct val *want = val_get(of, key);

	VAL_EACH(m, list)
		if (want && val_get(m, key) && val_equal(val_get(m, key), want))
			return m;
	return NULL;
}

static bool among(const struct val *list, const struct val *v)
{
	VAL_EACH(m, list)
		if (val_equal(m, v))
			return true;
	return false;
}

/* ---- strategic */

static const char *directive(const struct val *v)
{
	return v && v->type == VAL_MAP ? val_str(val_get(v, "$patch")) : NULL;
}

static struct val *merge_map(struct arena *, const struct val *to, const struct val *patch, const char *name, struct err *);

static struct val *merge_list(struct arena *a, const struct val *to, const struct val *patch, const char *parent, const char *name, struct err *err)
{
	const char *key = NULL;
	enum list_strategy how = list_strategy(parent, name, &key);
	struct val *out;

	if (how == LIST_REPLACED || !to || to->type != VAL_LIST)
		how = to && how == LIST_AS_SET ? how : LIST_REPLACED;
	out = val_new(a, VAL_LIST);
	VAL_EACH(p, patch)
		if (streq(directive(p), "replace"))
			how = LIST_REPLACED;
	if (how == LIST_REPLACED) {
		VAL_EACH(p, patch)
			if (!directive(p))
				val_add(a, out, val_copy(a, p));
		return out;
	}
	if (how == LIST_AS_SET) {
		VAL_EACH(m, to)
			val_add(a, out, val_copy(a, m));
		VAL_EACH(p, patch)
			if (!among(out, p))
				val_add(a, out, val_copy(a, p));
		return out;
	}
	VAL_EACH(p, patch)
		if (p->type != VAL_MAP || !val_get(p, key))
			return err_add(err, ERR_INPUT, NULL, "the patch's list \"%s\" is merged by \"%s\": every entry needs one", name, key), NULL;
	VAL_EACH(m, to) {
		const struct val *p = member(patch, key, m);

		if (streq(directive(p), "delete"))
			continue;
		val_add(a, out, p ? merge_map(a, m, p, name, err) : val_copy(a, m));
	}
	VAL_EACH(p, patch)
		if (!member(to, key, p) && !streq(directive(p), "delete"))
			val_add(a, out, val_copy(a, p));
	return out;
}

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static struct val *merge_map(struct arena *a, const struct val *to, const struct val *patch, const char *name, struct err *err)
{
	struct val *out;

	if (streq(directive(patch), "delete"))
		return val_new(a, VAL_MAP);
	out = streq(directive(patch), "replace") || !to || to->type != VAL_MAP ? val_new(a, VAL_MAP) : val_copy(a, to);
	VAL_EACH(p, patch) {
		const struct val *have = val_get(out, p->key);
		struct val *v;

		if (strcmp(p->key, "$patch") == 0 || starts(p->key, "$setElementOrder/"))
			continue;
		if (starts(p->key, "$deleteFromPrimitiveList/")) {
			const struct val *list = val_get(out, strchr(p->key, '/') + 1);
			struct val *rest = val_new(a, VAL_LIST);

			VAL_EACH(m, list)
				if (!among(p, m))
					val_add(a, rest, val_copy(a, m));
			if (list)
				val_put(a, out, strchr(p->key, '/') + 1, rest);
			continue;
		}
		if (strcmp(p->key, "$retainKeys") == 0) {
			for (const struct val *m = out->first, *next; m; m = next) {
				next = m->next;
				if (!among(p, val_string(a, m->key)))
					val_del(out, m->key);
			}
			continue;
		}
		if (p->type == VAL_NULL || streq(directive(p), "delete")) {
			val_del(out, p->key);
			continue;
		}
		v = p->type == VAL_LIST ? merge_list(a, have, p, name, p->key, err) : p->type == VAL_MAP ? merge_map(a, have, p, p->key, err) : val_copy(a, p);
		if (!v)
			return NULL;
		val_put(a, out, p->key, v);
	}
	return out;
}

struct val *strategic_patch(struct arena *a, const struct val *to, const struct val *patch, struct err *err)
{
	uint32_t before = err->nr;
	struct val *out = merge_map(a, to, patch, "", err);

	return err->nr == before ? out : NULL;
}

/* ---- apply */

static struct val *merge3(struct arena *, const struct val *last, const struct val *now, const struct val *live, const char *parent, const char *name, bool strategic);

static struct val *merge3_list(struct arena *a, const struct val *last, const struct val *now, const struct val *live, const char *parent, const char *name, bool strategic)
{
	const char *key = NULL;
	enum list_strategy how = strategic ? list_strategy(parent, name, &key) : LIST_REPLACED;
	struct val *out;

	if (how == LIST_REPLACED || !live || live->type != VAL_LIST)
		return val_copy(a, now);
	out = val_new(a, VAL_LIST);
	VAL_EACH(n, now)
		val_add(a, out, how == LIST_AS_SET ? val_copy(a, n) : merge3(a, member(last, key, n), n, member(live, key, n), name, name, strategic));
	VAL_EACH(l, live) {
		bool asked = how == LIST_AS_SET ? among(now, l) : member(now, key, l) != NULL, was = how == LIST_AS_SET ? among(last, l) : member(last, key, l) != NULL;

		if (!asked && !was)
			val_add(a, out, val_copy(a, l));
	}
	return out;
}

static struct val *merge3(struct arena *a, const struct val *last, const struct val *now, const struct val *live, const char *parent, const char *name, bool strategic)
{
	struct val *out;

	if (now->type == VAL_LIST)
		return merge3_list(a, val_is(last, VAL_LIST) ? last : NULL, now, live, parent, name, strategic);
	if (now->type != VAL_MAP || !val_is(live, VAL_MAP))
		return val_copy(a, now);
	out = val_copy(a, now);
	VAL_EACH(n, now)
		if (n->type == VAL_NULL)
			val_del(out, n->key);           /* null asks for the field's absence */
		else
			val_put(a, out, n->key, merge3(a, val_get(last, n->key), n, val_get(live, n->key), name, n->key, strategic));
	VAL_EACH(l, live)
		if (!val_get(now, l->key) && !val_get(last, l->key) && !(strategic && retains_keys(parent, name)))
			val_put(a, out, l->key, val_copy(a, l));
	return out;
}

struct val *three_way_merge(struct arena *a, const struct val *last, const struct val *now, const struct val *live, bool strategic)
{
	struct val *out = merge3(a, last, now, live, "", "", strategic);

	out->line = now->line;
	out->col = now->col;
	return out;
}

/* ---- RFC 6902 */

static const char *token(struct arena *a, const char **p)
{
	size_t n = strcspn(*p, "/"), to = 0;
	char *out = arena_array(a, char, n + 1);

	for (size_t k = 0; k < n; k++) {
		if ((*p)[k] == '~' && k + 1 < n && ((*p)[k + 1] == '0' || (*p)[k + 1] == '1'))
			out[to++] = (*p)[++k] == '0' ? '~' : '/';
		else
			out[to++] = (*p)[k];
	}
	*p += n + ((*p)[n] == '/');
	return out;
}

static bool index_of(const char *t, uint32_t nr, bool may_end, uint32_t *out)
{
	char *end;
	unsigned long v = strtoul(t, &end, 10);

	if (may_end && strcmp(t, "-") == 0) {
		*out = nr;
		return true;
	}
	*out = (uint32_t)v;
	return *t && !*end && v < nr + may_end && (t[0] != '0' || !t[1]);
}

/* The holder of what the pointer names, and its last token. NULL: nothing there. */
static struct val *holder(struct arena *a, struct val *root, const char *pointer, const char **last)
{
	struct val *at = root;
	const char *p = pointer + (*pointer == '/');

	*last = token(a, &p);
	while (*p) {
		uint32_t k;

		if (at->type == VAL_MAP)
			at = val_get_mut(at, *last);
		else if (at->type == VAL_LIST && index_of(*last, at->nr, false, &k))
			at = val_at_mut(at, k);
		else
			at = NULL;
		if (!at)
			return NULL;
		*last = token(a, &p);
	}
	return at;
}

static const struct val *looked_up(struct arena *a, struct val *root, const char *pointer)
{
	const char *last;
	struct val *h;
	uint32_t k;

	if (!*pointer)
		return root;
	h = holder(a, root, pointer, &last);
	return !h ? NULL : h->type == VAL_MAP ? val_get(h, last) : h->type == VAL_LIST && index_of(last, h->nr, false, &k) ? val_at(h, k) : NULL;
}

/* Puts the value before the index-th member, or takes that member out (v NULL). */
static void splice(struct arena *a, struct val *list, uint32_t index, struct val *v)
{
	struct val *out = val_new(a, VAL_LIST);
	uint32_t k = 0;

	for (struct val *m = list->first, *next; m; m = next, k++) {
		next = m->next;
		if (k == index && v)
			val_add(a, out, v);
		if (k != index || v)
			val_add(a, out, m);
	}
	if (v && index >= k)
		val_add(a, out, v);
	list->first = out->first;
	list->last = out->last;
	list->nr = out->nr;
}

static bool put(struct arena *a, struct val **root, const char *pointer, struct val *v, bool replace)
{
	const char *last;
	struct val *h;
	uint32_t k;

	if (!*pointer) {
		*root = v;
		return true;
	}
	h = holder(a, *root, pointer, &last);
	if (!h || (replace && !looked_up(a, *root, pointer)))
		return false;
	if (h->type == VAL_MAP)
		return val_put(a, h, last, v) != NULL;
	if (h->type != VAL_LIST || !index_of(last, h->nr, !replace, &k))
		return false;
	if (replace)
		splice(a, h, k, NULL);
	splice(a, h, k, v);
	return true;
}

static bool take_out(struct arena *a, struct val *root, const char *pointer)
{
	const char *last;
	struct val *h = *pointer ? holder(a, root, pointer, &last) : NULL;
	uint32_t k;

	if (h && h->type == VAL_MAP)
		return val_del(h, last);
	if (!h || h->type != VAL_LIST || !index_of(last, h->nr, false, &k))
		return false;
	splice(a, h, k, NULL);
	return true;
}

struct val *json_patch(struct arena *a, const struct val *to, const struct val *ops, struct err *err)
{
	struct val *root = val_copy(a, to);
	uint32_t nr = 0;

	if (!val_is(ops, VAL_LIST))
		return err_add(err, ERR_INPUT, NULL, "a JSON patch is a list of operations, as [{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 3}]"), NULL;
	VAL_EACH(op, ops) {
		const char *what = val_str(val_get(op, "op")), *path = val_str(val_get(op, "path")), *from = val_str(val_get(op, "from"));
		const struct val *value = val_get(op, "value"), *source = from ? looked_up(a, root, from) : NULL;
		struct val *v = value ? val_copy(a, value) : source ? val_copy(a, source) : NULL;
		bool ok = false;

		nr++;
		if (!what || !path || (*path && *path != '/'))
			return err_add(err, ERR_INPUT, NULL, "operation %u of the JSON patch needs \"op\" and \"path\", which begins with /", nr), NULL;
		if (strcmp(what, "add") == 0)
			ok = v && put(a, &root, path, v, false);
		else if (strcmp(what, "replace") == 0)
			ok = v && put(a, &root, path, v, true);
		else if (strcmp(what, "remove") == 0)
			ok = take_out(a, root, path);
		else if (strcmp(what, "copy") == 0)
			ok = source && put(a, &root, path, v, false);
		else if (strcmp(what, "move") == 0)
			ok = source && take_out(a, root, from) && put(a, &root, path, v, false);
		else if (strcmp(what, "test") == 0)
			ok = value && looked_up(a, root, path) && val_equal(looked_up(a, root, path), value);
		else
			return err_add(err, ERR_INPUT, NULL, "operation %u of the JSON patch: \"%s\" is not add, remove, replace, move, copy or test", nr, what), NULL;
		if (!ok && strcmp(what, "test") == 0)
			return err_add(err, ERR_INPUT, NULL, "operation %u of the JSON patch: testing value %s failed: test failed", nr, path), NULL;
		if (!ok)
			return err_add(err, ERR_INPUT, NULL, "operation %u of the JSON patch: %s operation does not apply: doc is missing path or value: \"%s\"", nr, what, path), NULL;
	}
	return root;
}

/* ---- from the object as it stands to the document */

static struct val *carry_list(struct arena *a, const struct val *doc, const struct val *was, const struct val *now)
{
	struct val *out = val_new(a, VAL_LIST);
	uint32_t at = 0;

	VAL_EACH(m, now) {
		uint32_t k = 0;

		while (k < was->nr && !val_equal(val_at(was, k), m))
			k++;
		if (k == was->nr && now->nr == was->nr)
			k = at;
		val_add(a, out, k < was->nr ? changes_carry(a, val_at(doc, k), val_at(was, k), m) : val_copy(a, m));
		at++;
	}
	return out;
}

static bool took(const struct val *was, const struct val *now, const struct val *from)
{
	VAL_EACH(m, now)
		if (!val_equal(val_get(was, m->key), m) && val_equal(val_get(was, m->key), from))
			return true;
	return false;
}

struct val *changes_carry(struct arena *a, const struct val *doc, const struct val *was, const struct val *now)
{
	struct val *out;

	if (val_equal(was, now))
		return val_copy(a, doc);
	if (val_is(doc, VAL_LIST) && val_is(was, VAL_LIST) && val_is(now, VAL_LIST) && doc->nr == was->nr)
		return carry_list(a, doc, was, now);
	if (!val_is(doc, VAL_MAP) || !val_is(was, VAL_MAP) || !val_is(now, VAL_MAP))
		return val_copy(a, now);
	out = val_copy(a, doc);
	VAL_EACH(m, was)
		if (!val_get(now, m->key))
			val_del(out, m->key);
	VAL_EACH(m, now) {
		const struct val *before = val_get(was, m->key);

		if (!val_equal(before, m))
			val_put(a, out, m->key, changes_carry(a, val_get(doc, m->key), before, m));
		else if (!val_get(doc, m->key) && took(was, now, m))
			val_put(a, out, m->key, val_copy(a, m));
	}
	return out;
}
