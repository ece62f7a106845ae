/* create role, clusterrole, rolebinding, clusterrolebinding, quota, priorityclass (staging/src/k8s.io/kubectl/pkg/cmd/create/create_{role,rolebinding,quota,priorityclass}.go). */
#include "viz/cli/making.h"

#include "model/api/kept.h"

#define RBAC "rbac.authorization.k8s.io"

/* Each word of lists that commas part, in the order given, none twice. */
static struct texts words_of(struct making *m, const struct texts *lists)
{
	struct texts all = { 0 };

	for (uint32_t k = 0; k < lists->nr; k++)
		for (const char *p = lists->v[k]; *p;) {
			size_t n = strcspn(p, ",");
			const char *word = arena_strndup(m->a, p, n);
			bool had = !n;

			for (uint32_t i = 0; i < all.nr && !had; i++)
				had = strcmp(all.v[i], word) == 0;
			if (!had)
				vec_add(m->a, &all, word);
			p += n + (p[n] == ',');
		}
	return all;
}

static void put_words(struct making *m, struct val *map, const char *key, const struct texts *words)
{
	struct val *list = words->nr ? making_list(m, map, key) : NULL;

	for (uint32_t k = 0; k < words->nr; k++)
		val_add(m->a, list, val_string(m->a, words->v[k]));
}

/* ---- roles */

struct named_resource { const char *group, *name; };

/* pods, deployments.apps, deployments/scale: in which group, under which name in the plural. */
static bool read_resource(struct making *m, const char *text, struct named_resource *out)
{
	const char *slash = strchr(text, '/');
	char *word = arena_strndup(m->a, text, slash ? (size_t)(slash - text) : strlen(text)), *dot = strchr(word, '.');
	const struct kind *k;

	*out = (struct named_resource){ "", text };
	if (strcmp(word, "*") == 0)
		return true;
	if (dot)
		*dot = '\0';
	k = kind_by_word(word);
	if (!k && !dot)
		return err_add(m->err, ERR_FAILED, NULL, "the server doesn't have a resource type \"%s\"", word);
	out->group = dot ? dot + 1 : strchr(k->apis[0], '/') ? arena_strndup(m->a, k->apis[0], strcspn(k->apis[0], "/")) : "";
	out->name = arena_printf(m->a, "%s%s", k ? k->plural : word, slash ? slash : "");
	return true;
}

/* A rule for each group, in the groups' order. */
static bool resource_rules(struct making *m, struct val *rules, const struct texts *verbs)
{
	struct texts words = words_of(m, &m->cli->resources), names = words_of(m, &m->cli->resource_names);
	struct named_resource *all = arena_array(m->a, struct named_resource, words.nr + 1);
	const char *group = NULL;

	for (uint32_t k = 0; k < words.nr; k++)
		if (!read_resource(m, words.v[k], &all[k]))
			return false;
	for (;;) {
		const char *next = NULL;
		struct texts mine = { 0 };
		struct val *rule;

		for (uint32_t k = 0; k < words.nr; k++)
			if ((!group || strcmp(all[k].group, group) > 0) && (!next || strcmp(all[k].group, next) < 0))
				next = all[k].group;
		if (!next)
			return true;
		group = next;
		for (uint32_t k = 0; k < words.nr; k++) {
			bool had = strcmp(all[k].group, group) != 0;

			for (uint32_t i = 0; i < mine.nr && !had; i++)
				had = strcmp(mine.v[i], all[k].name) == 0;      /* po and pods are one */
			if (!had)
				vec_add(m->a, &mine, all[k].name);
		}
		rule = making_item(m, rules);
		val_add(m->a, making_list(m, rule, "apiGroups"), val_string(m->a, group));
		put_words(m, rule, "resourceNames", &names);
		put_words(m, rule, "resources", &mine);
		put_words(m, rule, "verbs", verbs);
	}
}

static bool make_rules(struct making *m, const char *kind, bool namespaced)
{
	struct val *rules = making_list(m, making_begin(m, RBAC "/v1", kind, namespaced, false), "rules");
	struct texts verbs = words_of(m, &m->cli->verbs), urls = words_of(m, &m->cli->urls);

	if (!verbs.nr)
		return err_add(m->err, ERR_INPUT, NULL, "at least one verb must be specified: --verb");
	if (!m->cli->resources.nr && !urls.nr)
		return err_add(m->err, ERR_INPUT, NULL, namespaced ? "at least one resource must be specified: --resource"
								   : "one of resource or nonResourceURL must be specified: --resource, --non-resource-url");
	if (m->cli->resource_names.nr && m->cli->resources.nr > 1)
		return err_add(m->err, ERR_INPUT, NULL, "resourceNames can not be applied to multiple resources: --resource-name goes with one --resource");
	if (!resource_rules(m, rules, &verbs))
		return false;
	if (urls.nr) {
		struct val *rule = making_item(m, rules);

		put_words(m, rule, "nonResourceURLs", &urls);
		put_words(m, rule, "verbs", &verbs);
	}
	return true;
}

bool make_role(struct making *m)
{
	return make_rules(m, "Role", true);
}

bool make_cluster_role(struct making *m)
{
	return make_rules(m, "ClusterRole", false);
}

/* ---- bindings */

static void put_subjects(struct making *m, struct val *list, const char *kind, const struct texts *given)
{
	struct texts names = words_of(m, given);

	for (uint32_t k = 0; k < names.nr; k++) {
		struct val *v = making_item(m, list);

		making_put(m, v, "apiGroup", RBAC);
		making_put(m, v, "kind", kind);
		making_put(m, v, "name", names.v[k]);
	}
}

static bool make_bound(struct making *m, const char *kind, bool namespaced)
{
	struct val *root = making_begin(m, RBAC "/v1", kind, namespaced, false), *ref = making_map(m, root, "roleRef"), *list;
	struct texts accounts = words_of(m, &m->cli->accounts);
	const char *role = namespaced ? m->cli->role : NULL, *cluster_role = m->cli->cluster_role;

	if (!role == !cluster_role)
		return err_add(m->err, ERR_INPUT, NULL, namespaced ? "exactly one of clusterrole or role must be specified" : "--clusterrole is missing: which role is bound?");
	making_put(m, ref, "apiGroup", RBAC);
	making_put(m, ref, "kind", role ? "Role" : "ClusterRole");
	making_put(m, ref, "name", role ? role : cluster_role);
	if (!m->cli->users.nr && !m->cli->user_groups.nr && !accounts.nr)
		return true;
	list = making_list(m, root, "subjects");
	put_subjects(m, list, "User", &m->cli->users);
	put_subjects(m, list, "Group", &m->cli->user_groups);
	for (uint32_t k = 0; k < accounts.nr; k++) {
		const char *colon = strchr(accounts.v[k], ':');
		struct val *v = making_item(m, list);

		if (!colon || colon == accounts.v[k] || !colon[1] || strchr(colon + 1, ':'))
			return err_add(m->err, ERR_INPUT, NULL, "serviceaccount must be <namespace>:<name>, and \"%s\" is not", accounts.v[k]);
		making_put(m, v, "kind", "ServiceAccount");
		making_put(m, v, "name", colon + 1);
		making_put(m, v, "namespace", arena_strndup(m->a, accounts.v[k], (size_t)(colon - accounts.v[k])));
	}
	return true;
}

bool make_role_binding(struct making *m)
{
	return make_bound(m, "RoleBinding", true);
}

bool make_cluster_role_binding(struct making *m)
{
	return make_bound(m, "ClusterRoleBinding", false);
}

/* ---- quotas, classes */

bool make_quota(struct making *m)
{
	struct val *spec = making_begin(m, "v1", "ResourceQuota", true, true);
	struct texts given = { 0 }, scopes;

	if (m->cli->hard && !making_pairs(m, making_map(m, spec, "hard"), "hard", m->cli->hard))
		return false;
	if (m->cli->scopes)
		vec_add(m->a, &given, m->cli->scopes);
	scopes = words_of(m, &given);
	put_words(m, spec, "scopes", &scopes);
	return true;
}

bool make_priority_class(struct making *m)
{
	struct val *root = making_begin(m, "scheduling.k8s.io/v1", "PriorityClass", false, false);
	long value;

	if (!making_number(m, "value", m->cli->value ? m->cli->value : "0", INT32_MIN, INT32_MAX, &value))
		return false;
	val_put(m->a, root, "value", val_int(m->a, value));
	making_put(m, root, "preemptionPolicy", m->cli->preemption ? m->cli->preemption : "PreemptLowerPriority");
	if (m->cli->description)
		making_put(m, root, "description", m->cli->description);
	if (m->cli->global_default)
		val_put(m->a, root, "globalDefault", val_bool(m->a, true));
	return true;
}
