#include "model/control/finalizers.h"

bool finalizer_has(const struct object *o, const char *name)
{
	for (uint32_t k = 0; k < o->finalizers.nr; k++)
		if (streq(o->finalizers.v[k], name))
			return true;
	return false;
}

void finalizer_add(struct cluster *c, struct object *o, const char *name)
{
	str *v;

	if (finalizer_has(o, name))
		return;
	v = arena_array(cluster_arena(c), str, o->finalizers.nr + 1);
	for (uint32_t k = 0; k < o->finalizers.nr; k++)
		v[k] = o->finalizers.v[k];
	v[o->finalizers.nr] = cluster_str(c, name);
	o->finalizers.v = v;
	o->finalizers.nr++;
	o->finalizers.set = true;
}

void finalizer_drop(struct cluster *c, struct object *o, const char *name)
{
	str *v = arena_array(cluster_arena(c), str, o->finalizers.nr);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < o->finalizers.nr; k++)
		if (!streq(o->finalizers.v[k], name))
			v[nr++] = o->finalizers.v[k];
	o->finalizers.v = v;
	o->finalizers.nr = nr;
	if (nr)
		cluster_touch(c, o);
	else
		cluster_remove(c, o);
}
