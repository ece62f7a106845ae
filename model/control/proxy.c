/* When kube-proxy programs what changed: the first change after quiet at once, the next not before a second after that sync's end (pkg/proxy/runner; facts 57).
 * All nodes hear of a change alike, so they keep time together; one whose kube-proxy is stopped stays where it was. */
#include <stdio.h>

#include "model/control/nodes.h"

struct syncing { nsec last_end; rev_t synced; bool behind; };

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
	state(t)->behind = true;
	control_wake(t, CTL_PROXY, ch->object, free_at(state(t)));
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct syncing *s = state(t);

	(void)o;
	if (!s->behind || now < free_at(s))
		return;
	s->behind = false;
	s->synced = cluster_rev(control_cluster(t));
	s->last_end = now;
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
	return s;
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	const struct syncing *s = state(t);

	val_put(a, out, "lastEnd", val_int(a, s->last_end));
	val_put(a, out, "synced", val_int(a, s->synced));
	val_put(a, out, "behind", val_bool(a, s->behind));
}

static void load(struct control *t, const struct val *v)
{
	struct syncing *s = state(t);

	s->last_end = val_int_or(val_get(v, "lastEnd"), NEVER);
	s->synced = (rev_t)val_int_or(val_get(v, "synced"), 0);
	s->behind = val_bool_or(val_get(v, "behind"), false);
}

static const struct kind *const kinds_heard[] = { &service_kind, &endpointslice_kind, NULL };
const struct controller proxy_controller = { .name = "kube-proxy", .kinds = kinds_heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
