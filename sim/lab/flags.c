/* What the command line adds to a cluster, as JSON. */
#include "sim/lab/store.h"

static void put_texts(struct arena *a, struct val *map, const char *key, const str_list *l)
{
	struct val *list;

	if (!l->set)
		return;
	list = val_put(a, map, key, val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < l->nr; k++)
		val_add(a, list, val_string(a, l->v[k]));
}

static void get_texts(struct cluster *c, const struct val *list, str_list *l)
{
	if (!list)
		return;
	l->v = arena_array(cluster_arena(c), str, list->nr);
	l->set = true;
	VAL_EACH(v, list)
		l->v[l->nr++] = cluster_str(c, val_str(v));
}

struct val *flags_pack(const struct settings_flags *f, struct arena *a)
{
	struct val *map = val_new(a, VAL_MAP);

	if (f->cni)
		val_put(a, map, "cni", val_string(a, f->cni));
	if (f->kernel_set) {
		val_put(a, map, "randomFully", val_bool(a, f->kernel.random_fully));
		val_put(a, map, "beLiberal", val_bool(a, f->kernel.be_liberal));
		put_texts(a, map, "nfacct", &f->kernel.nfacct);
		val_put(a, map, "noBridgeNf", val_bool(a, f->kernel.no_bridge_nf));
		val_put(a, map, "forwardDrop", val_bool(a, f->kernel.forward_drop));
		val_put(a, map, "noForward", val_bool(a, f->kernel.no_forward));
		val_put(a, map, "rpStrict", val_bool(a, f->kernel.rp_strict));
		val_put(a, map, "clashDrop", val_bool(a, f->kernel.clash_drop));
	}
	put_texts(a, map, "cloudLb", &f->cloud_lb);
	put_texts(a, map, "controllers", &f->controllers);
	if (f->node_resolv_conf_set)
		val_put(a, map, "nodeResolvConf", f->node_resolv_conf ? val_string(a, f->node_resolv_conf) : val_new(a, VAL_NULL));
	if (f->zone)
		val_put(a, map, "zone", val_string(a, f->zone));
	if (f->enforce_set)
		val_put(a, map, "enforce", val_int(a, f->enforce));
	if (f->no_defaults)
		val_put(a, map, "noDefaults", val_bool(a, true));
	if (f->respect)
		val_put(a, map, "respect", val_bool(a, true));
	return map;
}

void flags_unpack(struct settings_flags *f, const struct val *map, struct cluster *c)
{
	f->cni = cluster_str(c, val_str(val_get(map, "cni")));
	f->kernel_set = val_get(map, "randomFully");
	f->kernel.random_fully = val_bool_or(val_get(map, "randomFully"), true);
	f->kernel.be_liberal = val_bool_or(val_get(map, "beLiberal"), false);
	get_texts(c, val_get(map, "nfacct"), &f->kernel.nfacct);
	f->kernel.no_bridge_nf = val_bool_or(val_get(map, "noBridgeNf"), false);
	f->kernel.forward_drop = val_bool_or(val_get(map, "forwardDrop"), false);
	f->kernel.no_forward = val_bool_or(val_get(map, "noForward"), false);
	f->kernel.rp_strict = val_bool_or(val_get(map, "rpStrict"), false);
	f->kernel.clash_drop = val_bool_or(val_get(map, "clashDrop"), false);
	get_texts(c, val_get(map, "cloudLb"), &f->cloud_lb);
	get_texts(c, val_get(map, "controllers"), &f->controllers);
	f->node_resolv_conf_set = val_get(map, "nodeResolvConf");
	f->node_resolv_conf = cluster_str(c, val_str(val_get(map, "nodeResolvConf")));
	f->zone = cluster_str(c, val_str(val_get(map, "zone")));
	f->enforce_set = val_get(map, "enforce");
	f->enforce = (uint8_t)val_int_or(val_get(map, "enforce"), 0);
	f->no_defaults = val_bool_or(val_get(map, "noDefaults"), false);
	f->respect = val_bool_or(val_get(map, "respect"), false);
}
