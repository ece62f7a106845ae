/* When kube-proxy programs what changed: the first change after quiet at once, the next not before a second after that sync's end (pkg/proxy/runner; facts 57).
 * All nodes hear of a change alike, so they keep time together; one whose kube-proxy is stopped stays where it was. What they know is kept as copies of the
 * Services and EndpointSlices as they were at the last sync; a copy is never changed, so that many views share it. */
#include <stdio.h>
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/cluster/proxy_view.h"
#include "model/control/common.h"
#include "model/control/nodes.h"

struct stopped { obj_h node; struct proxy_view *view; };
struct syncing {
	nsec last_end;
	rev_t synced;
	bool behind;
	struct table copy;                      /* handle → the copy; 0: not known */
	VEC(obj_h) known;                       /* handles that have or had one */
	VEC(obj_h) changed;                     /* since the last sync; may repeat */
	struct proxy_view *view;                /* of now, if it was asked for since the last sync */
	VEC(struct stopped) stopped;
	uint64_t version;
	struct control *control;
};

static struct syncing *state(const struct control *t)
{
	return control_state(t, CTL_PROXY);
}

static nsec free_at(const struct syncing *s)
{
	return s->last_end == NEVER ? 0 : s->last_end + timing(T_PROXY_MIN_SYNC);
}

static void watch(struct control *t, const struct change *ch)
{
	struct syncing *s = state(t);
	obj_h last = s->changed.nr ? s->changed.v[s->changed.nr - 1] : (obj_h){ 0 };

	s->behind = true;
	if (last.i != ch->object->id.i)
		vec_add(cluster_arena(control_cluster(t)), &s->changed, ch->object->id);
	control_wake(t, CTL_PROXY, ch->object, free_at(s));
}

/* ---- what is known */

/* The endpoints of a slice are shared with it until somebody changes them. An older copy that no view of a stopped kube-proxy holds is written over. */
static struct object *copy_of(struct arena *a, struct object *o, struct object *over)
{
	if (o->kind == &endpointslice_kind)
		((struct endpointslice *)o)->shared = true;
	return over ? memcpy(over, o, o->kind->size) : arena_copy(a, o, o->kind->size);
}

static void learn(struct control *t, obj_h h)
{
	struct syncing *s = state(t);
	struct arena *a = cluster_arena(control_cluster(t));
	struct object *o = obj_get(control_cluster(t), h);
	uint64_t *at = table_at(t, &s->copy, h.i);
	const struct object *was = (const struct object *)(uintptr_t)*at;

	if (!was && !o->gone)
		vec_add(a, &s->known, h);
	if (o->gone)
		*at = 0;
	else if (!was || was->rev != o->rev)
		*at = map_ptr(copy_of(a, o, s->stopped.nr ? NULL : (struct object *)(uintptr_t)was));
}

static void sync_now(struct control *t, nsec now)
{
	struct syncing *s = state(t);

	for (uint32_t k = 0; k < s->changed.nr; k++)
		learn(t, s->changed.v[k]);
	s->changed.nr = 0;
	s->behind = false;
	s->view = NULL;
	s->version++;
	s->synced = cluster_rev(control_cluster(t));
	s->last_end = now;
}

static int by_name(const void *x, const void *y)
{
	const struct object *a = *(struct object *const *)x, *b = *(struct object *const *)y;
	int order = str_order(a->ns, b->ns);

	return order ? order : str_order(a->name, b->name);
}

static int by_service(const void *x, const void *y)
{
	const struct object *a = *(struct object *const *)x, *b = *(struct object *const *)y;
	int order = str_order(a->ns, b->ns);

	order = order ? order : str_order(((const struct endpointslice *)a)->service, ((const struct endpointslice *)b)->service);
	return order ? order : str_order(a->name, b->name);
}

static void order(struct object_list *l, int (*by)(const void *, const void *))
{
	if (l->nr)
		qsort(l->v, l->nr, sizeof(*l->v), by);
}

static struct proxy_view *view_of(struct control *t, const struct object *const *v, uint32_t nr)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct proxy_view *view = arena_make(a, struct proxy_view);

	view->services.v = arena_array(a, struct object *, nr);
	view->slices.v = arena_array(a, struct object *, nr);
	for (uint32_t k = 0; k < nr; k++) {
		struct object_list *l = v[k]->kind == &service_kind ? &view->services : &view->slices;

		l->v[l->nr++] = (struct object *)(uintptr_t)v[k];
	}
	order(&view->services, by_name);
	order(&view->slices, by_name);
	view->by_service = (struct object_list){ view->slices.nr ? arena_copy(a, view->slices.v, view->slices.nr * sizeof(*view->slices.v)) : NULL, view->slices.nr };
	order(&view->by_service, by_service);
	return view;
}

static struct proxy_view *view_now(struct control *t)
{
	struct syncing *s = state(t);
	struct arena *scratch = arena_new(NULL, "view");
	const struct object **v = arena_array(scratch, const struct object *, s->known.nr);
	struct proxy_view *view;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->known.nr; k++) {
		const struct object *o = (const struct object *)(uintptr_t)table_get(&s->copy, s->known.v[k].i);

		if (o)
			v[nr++] = o;
	}
	view = view_of(t, v, nr);
	arena_free(scratch);
	return view;
}

static const struct proxy_view *view(void *ctx, const struct node *n)
{
	struct control *t = ctx;
	struct syncing *s = state(t);

	if (n && label_get(&n->o.annotations, NO_PROXY_ANNOTATION))
		for (uint32_t k = 0; k < s->stopped.nr; k++)
			if (s->stopped.v[k].node.i == n->o.id.i)
				return s->stopped.v[k].view;
	if (!s->behind || s->last_end == NEVER)         /* before the first sync no time has passed at all */
		return NULL;
	if (!s->view)
		s->view = view_now(t);
	return s->view;
}

static uint64_t version(void *ctx)
{
	return state(ctx)->version;
}

void proxy_stop(struct control *t, const struct node *n, bool stop)
{
	struct syncing *s = state(t);

	for (uint32_t k = s->stopped.nr; k-- > 0;)
		if (s->stopped.v[k].node.i == n->o.id.i)
			s->stopped.v[k] = s->stopped.v[--s->stopped.nr];
	if (stop)
		vec_add(cluster_arena(control_cluster(t)), &s->stopped, (struct stopped){ n->o.id, view_now(t) });
	s->version++;
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct syncing *s = state(t);

	(void)o;
	if (s->behind && now >= free_at(s))
		sync_now(t, now);
}

struct proxy_sync control_proxy(const struct control *t, const struct node *n)
{
	const struct syncing *s = state(t);
	const char *stopped = label_get(&n->o.annotations, NO_PROXY_ANNOTATION);
	struct proxy_sync p = { s->synced, s->last_end, s->behind ? MAX(free_at(s), control_now(t)) : NEVER, false };
	long long since;
	unsigned rev;

	if (stopped && sscanf(stopped, "%lld rev %u", &since, &rev) == 2)
		p = (struct proxy_sync){ rev, since, NEVER, true };
	return p;
}

static void *init(struct control *t)
{
	struct syncing *s = arena_make(cluster_arena(control_cluster(t)), struct syncing);

	s->last_end = NEVER;
	s->control = t;
	cluster_set_proxy_views(control_cluster(t), view, version, t);
	return s;
}

/* ---- what a lab must remember: copies that are no longer what the objects are */

static void save_view(struct control *t, struct arena *a, const struct object *const *v, uint32_t nr, struct val *out)
{
	struct cluster *c = control_cluster(t);
	struct val *docs = val_put(a, out, "docs", val_new(a, VAL_LIST)), *same = val_put(a, out, "same", val_new(a, VAL_LIST));

	for (uint32_t k = 0; k < nr; k++) {
		const struct object *now = obj_get(c, v[k]->id);

		if (!now->gone && now->rev == v[k]->rev) {
			val_add(a, same, val_int(a, v[k]->id.i));
		} else {
			struct val *d = val_add(a, docs, val_new(a, VAL_MAP));

			val_put(a, d, "id", val_int(a, v[k]->id.i));
			val_put(a, d, "rev", val_int(a, v[k]->rev));
			val_put(a, d, "object", object_render(c, v[k], a));
		}
	}
}

static void save_list(struct control *t, struct arena *a, const struct proxy_view *view, struct val *out)
{
	uint32_t nr = view->services.nr + view->slices.nr;
	const struct object **v = arena_array(a, const struct object *, nr);

	for (uint32_t k = 0; k < nr; k++)
		v[k] = k < view->services.nr ? view->services.v[k] : view->slices.v[k - view->services.nr];
	save_view(t, a, v, nr, out);
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	const struct syncing *s = state(t);
	struct val *list;

	val_put(a, out, "lastEnd", val_int(a, s->last_end));
	val_put(a, out, "synced", val_int(a, s->synced));
	val_put(a, out, "behind", val_bool(a, s->behind));
	if (s->behind && s->last_end != NEVER)
		save_list(t, a, view(t, NULL), val_put(a, out, "known", val_new(a, VAL_MAP)));
	if (!s->stopped.nr)
		return;
	list = val_put(a, out, "stopped", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < s->stopped.nr; k++) {
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, v, "node", val_int(a, s->stopped.v[k].node.i));
		save_list(t, a, s->stopped.v[k].view, v);
	}
}

static const struct object *decoded(struct control *t, const struct val *d)
{
	static const struct apply_options as_it_was = { .unknown = VALIDATE_IGNORE, .respect_status = true };
	struct cluster *c = control_cluster(t);
	const struct val *doc = val_get(d, "object");
	const char *kind = val_str(val_get(doc, "kind"));
	struct doc one = { NULL, (struct val *)(uintptr_t)doc };
	struct err none = { 0 };
	struct object *o = object_decode(c, streq(kind, "Service") ? &service_kind : &endpointslice_kind, &one, &as_it_was, &none);

	err_free(&none);
	if (o) {
		o->id = (obj_h){ (uint32_t)val_int_or(val_get(d, "id"), 0) };
		o->rev = (rev_t)val_int_or(val_get(d, "rev"), 0);
	}
	return o;
}

static struct proxy_view *load_view(struct control *t, const struct val *v, bool learn_them)
{
	struct cluster *c = control_cluster(t);
	struct arena *a = cluster_arena(c);
	VEC(const struct object *) all = { 0 };

	VAL_EACH(id, val_get(v, "same"))
		vec_add(a, &all, obj_get(c, (obj_h){ (uint32_t)id->i }));
	VAL_EACH(d, val_get(v, "docs")) {
		const struct object *o = decoded(t, d);

		if (o)
			vec_add(a, &all, o);
	}
	for (uint32_t k = 0; k < all.nr; k++)
		all.v[k] = copy_of(a, (struct object *)(uintptr_t)all.v[k], NULL);
	for (uint32_t k = 0; learn_them && k < all.nr; k++) {
		struct syncing *s = state(t);

		*table_at(t, &s->copy, all.v[k]->id.i) = map_ptr(all.v[k]);
		vec_add(a, &s->known, all.v[k]->id);
	}
	return view_of(t, all.v, all.nr);
}

static void load(struct control *t, const struct val *v)
{
	static const struct kind *const both[] = { &service_kind, &endpointslice_kind };
	struct syncing *s = state(t);
	struct cluster *c = control_cluster(t);

	s->last_end = val_int_or(val_get(v, "lastEnd"), NEVER);
	s->synced = (rev_t)val_int_or(val_get(v, "synced"), 0);
	s->behind = val_bool_or(val_get(v, "behind"), false);
	s->changed.nr = 0;
	if (val_get(v, "known"))
		load_view(t, val_get(v, "known"), true);
	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		struct object_list l = cluster_list(c, both[k]);

		for (uint32_t i = 0; i < l.nr; i++) {
			const struct object *was = (const struct object *)(uintptr_t)table_get(&s->copy, l.v[i]->id.i);

			if (!val_get(v, "known"))
				learn(t, l.v[i]->id);
			else if (!was || was->rev != l.v[i]->rev)
				vec_add(cluster_arena(c), &s->changed, l.v[i]->id);
		}
	}
	for (uint32_t k = 0; k < s->known.nr; k++)
		if (obj_get(c, s->known.v[k])->gone)
			vec_add(cluster_arena(c), &s->changed, s->known.v[k]);
	VAL_EACH(st, val_get(v, "stopped"))
		vec_add(cluster_arena(c), &s->stopped, (struct stopped){ { (uint32_t)val_int_or(val_get(st, "node"), 0) }, load_view(t, st, false) });
	s->version++;
}

static const struct kind *const kinds_heard[] = { &service_kind, &endpointslice_kind, NULL };
const struct controller proxy_controller = { .name = "kube-proxy", .kinds = kinds_heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
