/* kind's kubeadmConfigPatches: merge patches of the documents that it gives to kubeadm, chosen by their kind. Source: kind pkg/cluster/internal/create/actions/config. */
#include "model/api/config.h"
#include "model/cluster/cluster.h"
#include "model/cluster/settings.h"

static struct val *patched(struct cluster *c, const str_list *patches, const char *kind, struct val *to)
{
	struct arena *a = cluster_arena(c);

	for (uint32_t k = 0; k < patches->nr; k++) {
		struct err err = { 0 };
		const struct val *v = yaml_parse(a, "kubeadmConfigPatches", patches->v[k], strlen(patches->v[k]), NULL, &err);

		if (v && streq(val_str(val_get(v, "kind")), kind))
			to = val_merge_patch(a, to, v);
		err_free(&err);
	}
	return to;
}

static bool is_control_plane(const struct kind_node *n)
{
	return !streq(n->role, "worker");
}

struct val *kind_patched(struct cluster *c, const struct kind_cluster *k, const char *kind, struct val *base)
{
	const struct kind_node *first = NULL;

	base = patched(c, &k->patches, kind, base);
	for (uint32_t i = 0; i < k->nodes.nr && !first; i++)
		if (is_control_plane(&k->nodes.v[i]))
			first = &k->nodes.v[i];
	return first ? patched(c, &first->patches, kind, base) : base;
}

struct val *kind_registration(struct cluster *c, const struct kind_cluster *k, uint32_t node)
{
	struct val *none = val_new(cluster_arena(c), VAL_MAP), *all;
	const char *kind = "InitConfiguration";

	for (uint32_t i = 0; i < node; i++)
		if (is_control_plane(&k->nodes.v[i]) || !is_control_plane(&k->nodes.v[node]))
			kind = "JoinConfiguration";
	if (!is_control_plane(&k->nodes.v[node]))
		kind = "JoinConfiguration";
	all = patched(c, &k->nodes.v[node].patches, kind, patched(c, &k->patches, kind, none));
	return val_get_mut(all, "nodeRegistration");
}
