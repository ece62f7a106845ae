/* What a kubelet remembers of Pods that move, as lists of numbers, and which node has which image. */
#include "model/control/kubelet.h"

struct number { uint16_t at; uint8_t size; };
#define N(T, member) { offsetof(T, member), sizeof(((T *)0)->member) }

static const struct number crun_numbers[] = {
	N(struct crun, run.state), N(struct crun, run.exit), N(struct crun, ready), N(struct crun, started), N(struct crun, step), N(struct crun, stopping),
	N(struct crun, backing_off), N(struct crun, complained), N(struct crun, no_image), N(struct crun, from), N(struct crun, to), N(struct crun, ends),
	N(struct crun, ends_with), N(struct crun, restarts), N(struct crun, last_exit), N(struct crun, last_to), N(struct crun, has_last), N(struct crun, backoff),
	N(struct crun, backoff_at),
};
static const struct number prun_numbers[] = {
	N(struct prun, sandbox), N(struct prun, making), N(struct prun, stopping), N(struct prun, announced), N(struct prun, attempt), N(struct prun, due),
	N(struct prun, busy), N(struct prun, free_at), N(struct prun, retry), N(struct prun, told), N(struct prun, made_before),
};

static int64_t get(const void *p, struct number n)
{
	const void *at = (const char *)p + n.at;

	return n.size == 1 ? *(const uint8_t *)at : n.size == 4 ? *(const int32_t *)at : *(const int64_t *)at;
}

static void set(void *p, struct number n, int64_t v)
{
	void *at = (char *)p + n.at;

	if (n.size == 1)
		*(uint8_t *)at = (uint8_t)v;
	else if (n.size == 4)
		*(int32_t *)at = (int32_t)v;
	else
		*(int64_t *)at = v;
}

static struct val *pack(struct arena *a, const void *p, const struct number *n, size_t nr)
{
	struct val *l = val_new(a, VAL_LIST);

	for (size_t k = 0; k < nr; k++)
		val_add(a, l, val_int(a, get(p, n[k])));
	return l;
}

static const struct val *unpack(void *p, const struct number *n, size_t nr, const struct val *v)
{
	for (size_t k = 0; k < nr && v; k++, v = v->next)
		set(p, n[k], val_int_or(v, 0));
	return v;
}

void kubelet_save(struct control *t, struct arena *a, struct val *out)
{
	const struct kubelet *k = control_state(t, CTL_KUBELET);
	struct val *pods = val_put(a, out, "pods", val_new(a, VAL_MAP)), *images = val_put(a, out, "images", val_new(a, VAL_LIST));
	struct map done = { 0 };

	for (uint32_t i = 0; i < k->moving.nr; i++) {
		const struct object *o = obj_get(control_cluster(t), k->moving.v[i]);
		const struct prun *r = o->gone ? NULL : kubelet_run_of(k, (const struct pod *)o);
		struct val *l;

		if (!r || map_find(&done, o->id.i))
			continue;
		map_put(&done, a, o->id.i);
		l = val_put_new(a, pods, o->uid, val_new(a, VAL_LIST));
		val_add(a, l, pack(a, r, prun_numbers, ARRAY_LEN(prun_numbers)));
		for (uint32_t c = 0; c < r->nr; c++)
			val_add(a, l, pack(a, &r->c[c], crun_numbers, ARRAY_LEN(crun_numbers)));
	}
	for (uint32_t i = 0; i < k->all_images.nr; i++) {
		struct val *l = val_add(a, images, val_new(a, VAL_LIST));

		val_add(a, l, val_string(a, k->all_images.v[i].node));
		val_add(a, l, val_string(a, k->all_images.v[i].image));
		val_add(a, l, val_int(a, k->all_images.v[i].at));
	}
}

static void load_pod(struct control *t, const struct pod *p, const struct val *l)
{
	struct prun *r = kubelet_remember(t, p);
	const struct val *c = val_at(l, 1);

	unpack(r, prun_numbers, ARRAY_LEN(prun_numbers), val_at(l, 0) ? val_at(l, 0)->first : NULL);
	for (uint32_t k = 0; k < r->nr && c; k++, c = c->next) {
		unpack(&r->c[k], crun_numbers, ARRAY_LEN(crun_numbers), c->first);
		r->c[k].probes = kubelet_probing(t, container_probing(p, container_at(p->spec, k), r->c[k].from));
	}
}

void kubelet_load(struct control *t, const struct val *v)
{
	struct kubelet *k = control_state(t, CTL_KUBELET);
	struct cluster *c = control_cluster(t);
	struct object_list l = cluster_list(c, &pod_kind);
	struct map by_uid = { 0 };
	struct arena *scratch = arena_new(NULL, "kubelet load");

	for (uint32_t i = 0; i < l.nr && val_get(v, "pods") && val_get(v, "pods")->nr; i++)
		*map_put(&by_uid, scratch, map_ptr(cluster_str(c, l.v[i]->uid))) = map_ptr(l.v[i]);
	VAL_EACH(p, val_get(v, "pods")) {
		const struct pod *pod = map_get_ptr(&by_uid, map_ptr(cluster_str(c, p->key)));

		if (pod)
			load_pod(t, pod, p);
	}
	VAL_EACH(i, val_get(v, "images")) {
		struct image image = { cluster_str(c, val_str(val_at(i, 0))), cluster_str(c, val_str(val_at(i, 1))), val_int_or(val_at(i, 2), 0) };

		vec_add(cluster_arena(c), &k->all_images, image);
		*map_put(&k->images, cluster_arena(c), hash_mix(map_ptr(image.node), map_ptr(image.image))) = k->all_images.nr;
	}
	arena_free(scratch);
}
