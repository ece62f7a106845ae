#include "model/control/workloads.h"

#include "model/control/limits.h"

#include "model/control/admission.h"
#include "model/l7/mesh.h"

struct per_owner {
	struct owner_ref *owners;               /* the list that all its Pods share */
	str base;                               /* NAME- */
	uint64_t made;
	struct { nsec since, until; } refused;  /* by admission; until: when it is tried again; 0: it is not refused */
	const struct pod_spec *plain, *injected;        /* injected: plain, with a mesh's sidecar */
	struct { const struct pod_spec *spec; const struct pair *from; pair_list annotations; } limited;        /* of Pods with defaults of a LimitRange */
	struct { rev_t ns; const struct pair *labels, *annotations; bool asked; } mesh;         /* what mesh_asked said of Pods with those */
};

static struct per_owner *of_owner(struct control *t, const struct object *owner)
{
	struct owners *all = control_state(t, CTL_REPLICASET);
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at;

	if (all->last.x && all->last.id.i == owner->id.i)
		return all->last.x;
	at = map_put(&all->known, a, owner->id.i);
	if (!*at)
		*at = map_ptr(arena_make(a, struct per_owner));
	all->last.id = owner->id;
	return all->last.x = (struct per_owner *)(uintptr_t)*at;
}

uint64_t made_count(struct control *t, const struct object *owner)
{
	return of_owner(t, owner)->made++;
}

/* What no server would have taken, but a dump may tell: Pods that were never its own would be made for ever. */
static bool misses_its_pods(const struct object *owner)
{
	const struct workload *w = (const struct workload *)owner;

	return (owner->kind == &replicaset_kind || owner->kind == &replication_controller_kind || owner->kind == &statefulset_kind || owner->kind == &daemonset_kind) &&
	       !selector_matches(&w->selector, &w->template.labels);
}

const char *admission_refuses(struct control *t, enum controller_id id, const struct object *owner, const struct pod_spec *s, uint32_t more, const char *name, const char *component,
			      const char *says, struct arena *scratch)
{
	struct cluster *c = control_cluster(t);
	struct per_owner *x = of_owner(t, owner);
	const char *why = misses_its_pods(owner) ? "`selector` does not match template `labels`" : pod_refused(c, owner->ns, limits_apply(t, owner->ns, s), more, scratch);
	nsec now = control_now(t);
	bool told = now < x->refused.until;     /* woken for another reason, or read from a lab */

	if (!why) {
		x->refused.until = 0;
		return NULL;
	}
	if (name[strlen(name) - 1] == '-')
		name = generate_name(c, &pod_kind, owner->ns, name, owner->uid, (uint64_t)now);
	why = arena_printf(scratch, "pods \"%s\" is forbidden: %s", name, why);
	if (!told) {
		x->refused.since = x->refused.until ? x->refused.since : now;
		x->refused.until = now + MIN(MAX(now - x->refused.since, timing(T_WORKQUEUE_FIRST)), timing(T_WORKQUEUE_MAX));
		cluster_event(c, owner, true, component, "FailedCreate", "%s: %s", says, why);
	}
	control_timer(t, id, owner, x->refused.until);
	return why;
}

str name_base(struct control *t, const struct object *owner)
{
	struct per_owner *x = of_owner(t, owner);

	if (!x->base)
		x->base = str_printf(cluster_strings(control_cluster(t)), "%s-", owner->name);
	return x->base;
}

static bool injects(struct control *t, struct per_owner *x, const struct pod *p)
{
	struct cluster *c = control_cluster(t);
	const struct object *ns = cluster_at(c, &namespace_kind, NULL, p->o.ns);
	rev_t rev = ns ? ns->rev : 0;

	if (x->mesh.ns != rev + 1 || x->mesh.labels != p->o.labels.v || x->mesh.annotations != p->o.annotations.v) {
		x->mesh.ns = rev + 1;
		x->mesh.labels = p->o.labels.v;
		x->mesh.annotations = p->o.annotations.v;
		x->mesh.asked = mesh_asked(c, p);
	}
	return x->mesh.asked && mesh_injects(c, p);
}

/* What a LimitRange added is written on the Pod; Pods of one template share the list. */
static void note_limits(struct cluster *c, struct per_owner *x, struct pod *p, const struct pod_template *tpl)
{
	struct arena *scratch;

	if (x->limited.spec != p->spec || x->limited.from != tpl->annotations.v) {
		scratch = arena_new(NULL, "limits");
		x->limited.annotations = pairs_with(c, &tpl->annotations, LIMITS_NOTE, limits_note(tpl->spec, p->spec, scratch));
		x->limited.spec = p->spec;
		x->limited.from = tpl->annotations.v;
		arena_free(scratch);
	}
	p->o.annotations = x->limited.annotations;
}

struct pod *pod_from(struct control *t, const struct object *owner, const struct pod_template *tpl, str name)
{
	struct cluster *c = control_cluster(t);
	struct pod *p = (struct pod *)object_make(c, &pod_kind, owner->ns, name);
	struct per_owner *x = of_owner(t, owner);
	const struct pod_spec *plain = limits_apply(t, owner->ns, tpl->spec);

	if (!x->owners) {
		own(c, &p->o, owner);
		x->owners = p->o.owners.v;
	}
	p->o.owners.v = x->owners;
	p->o.owners.nr = 1;
	p->o.owners.set = true;
	p->o.labels = tpl->labels;
	p->o.annotations = tpl->annotations;
	p->spec = plain;
	if (plain != tpl->spec)
		note_limits(c, x, p, tpl);
	if (injects(t, x, p)) {
		if (x->plain != plain)
			mesh_inject(c, p);
		else
			p->spec = x->injected;
		x->plain = plain;
		x->injected = p->spec;
	}
	p->node = tpl->spec->node_name;
	p->phase = POD_PENDING;
	p->start = NEVER;
	return p;
}

bool pod_is_active(const struct pod *p)
{
	return !pod_is_terminal(p) && p->o.deleted == NEVER;
}

bool pod_is_available(const struct pod *p, int32_t min_ready, nsec now, nsec *again)
{
	const struct condition *ready = condition_get(&p->conditions, "Ready");
	nsec at;

	if (!ready || ready->status != COND_TRUE)
		return false;
	at = min_ready ? ready->changed + SECONDS(min_ready) : ready->changed;
	if (!min_ready || at <= now || p->given)
		return true;
	*again = MIN(*again, at);
	return false;
}

struct pod **pods_controlled(const struct control *t, const struct object *owner, struct arena *scratch, uint32_t *nr)
{
	struct object_list l = pods_made_by(control_cluster((struct control *)t), owner->uid);

	*nr = l.nr;
	return l.nr ? arena_copy(scratch, l.v, l.nr * sizeof(*l.v)) : NULL;
}

static bool is_orphan(const struct pod *p)
{
	return !controller_of(&p->o) && p->o.deleted == NEVER;
}

static void adopt(struct control *t, struct object *owner, const struct selector *s, claim_filter *fits, struct arena *scratch)
{
	struct cluster *c = control_cluster(t);
	struct object_list l = pods_matching(c, owner->ns, s, scratch);

	for (uint32_t k = 0; k < l.nr; k++)
		if (is_orphan((struct pod *)l.v[k]) && !pod_is_terminal((struct pod *)l.v[k]) && (!fits || fits(owner, (struct pod *)l.v[k]))) {
			own(c, l.v[k], owner);
			cluster_relabel(c, l.v[k], l.v[k]->labels);     /* indexed anew, by its owner */
		}
}

struct pod **pods_claimed(struct control *t, struct object *owner, const struct selector *s, claim_filter *fits, struct arena *scratch, uint32_t *nr)
{
	struct cluster *c = control_cluster(t);
	const struct pair *same = NULL;         /* labels that match: Pods of one template share them */
	uint32_t to = 0;
	struct pod **v;

	if (owner->deleted == NEVER && control_orphans(t))
		adopt(t, owner, s, fits, scratch);
	v = pods_controlled(t, owner, scratch, nr);
	for (uint32_t k = 0; k < *nr; k++) {
		if (((same && v[k]->o.labels.v == same) || selector_matches(s, &v[k]->o.labels)) && (!fits || fits(owner, v[k]))) {
			same = v[k]->o.labels.v;
			v[to++] = v[k];
			continue;
		}
		disown(c, &v[k]->o, owner->uid);
		cluster_touch(c, &v[k]->o);
	}
	*nr = to;
	return v;
}

struct waking { enum controller_id id; const struct pod *pod; };

static void wake_one(struct control *t, void *ctx, struct object *o)
{
	struct waking *w = ctx;

	if (selector_matches(&((struct workload *)o)->selector, &w->pod->o.labels))
		control_wake(t, w->id, o, 0);
}

void wake_owner(struct control *t, enum controller_id id, const struct kind *kind, const struct selector_index *index, const struct pod *p)
{
	struct object *owner = control_owner(t, &p->o);

	if (owner && owner->kind == kind && !owner->gone)
		control_wake(t, id, owner, 0);
	else if (!owner && !p->o.gone && !controller_of(&p->o))
		selector_index_find(t, index, p->o.ns, &p->o.labels, wake_one, &(struct waking){ id, p });
}

/* ---- templates */

void template_hash(const struct pod_template *tpl, int32_t collisions, char out[11])
{
	struct sb text = { 0 };
	char number[12];
	uint32_t h;

	val_print_json(tpl->doc, &text, 0, true);
	if (collisions)
		sb_printf(&text, "%d", collisions);
	h = fnv32a(sb_text(&text), text.len);
	sb_free(&text);
	snprintf(number, sizeof(number), "%" PRIu32, h);
	safe_encode(number, out);
}

static bool labels_but_hash(const struct val *a, const struct val *b)
{
	static const char hash[] = "pod-template-hash";
	uint32_t na = 0, nb = 0;

	VAL_EACH(v, b)
		nb += !streq(v->key, hash);
	VAL_EACH(v, a) {
		if (streq(v->key, hash))
			continue;
		na++;
		if (!val_equal(v, val_get(b, v->key)))
			return false;
	}
	return na == nb;
}

static bool metadata_equal(const struct val *a, const struct val *b)
{
	static const char *const keys[] = { "annotations", "finalizers" };

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (!val_equal(val_get(a, keys[k]), val_get(b, keys[k])) && (val_get(a, keys[k]) || val_get(b, keys[k])))
			return false;
	return labels_but_hash(val_get(a, "labels"), val_get(b, "labels"));
}

bool same_template(const struct pod_template *a, const struct pod_template *b)
{
	if (a->doc == b->doc)
		return true;
	return a->doc && b->doc && metadata_equal(val_get(a->doc, "metadata"), val_get(b->doc, "metadata")) && val_equal(val_get(a->doc, "spec"), val_get(b->doc, "spec"));
}

struct pod_spec *spec_variant(struct control *t, const struct pod_spec *s, const char *purpose, void (*fill)(struct control *, struct pod_spec *, void *), void *ctx)
{
	struct cluster *c = control_cluster(t);
	uint64_t *at = map_put(control_shared(t), cluster_arena(c), hash_mix(map_ptr(s), map_ptr(cluster_str(c, purpose))));

	if (!*at) {
		struct pod_spec *copy = arena_copy(cluster_arena(c), s, sizeof(*s));

		*at = map_ptr(copy);
		fill(t, copy, ctx);
	}
	return (struct pod_spec *)(uintptr_t)*at;
}

/* ---- saving how many Pods each owner has made */

void owners_save(struct control *t, struct arena *a, struct val *out)
{
	const struct owners *owners = control_state(t, CTL_REPLICASET);
	struct cluster *c = control_cluster(t);

	for (uint32_t p = 0; cluster_pool_kind(c, p); p++) {
		struct object_list l = cluster_pool_kind(c, p) == &pod_kind ? (struct object_list){ 0 } : cluster_list(c, cluster_pool_kind(c, p));

		for (uint32_t k = 0; k < l.nr; k++) {
			const struct per_owner *x = map_get_ptr(&owners->known, l.v[k]->id.i);

			if (x && x->refused.until) {
				struct val *all = val_put_new(a, out, l.v[k]->uid, val_new(a, VAL_MAP));

				val_put(a, all, "made", val_int(a, (int64_t)x->made));
				val_put(a, all, "since", val_int(a, x->refused.since));
				val_put(a, all, "until", val_int(a, x->refused.until));
			} else if (x && x->made) {
				val_put_new(a, out, l.v[k]->uid, val_int(a, (int64_t)x->made));
			}
		}
	}
}

void owners_load(struct control *t, const struct val *v)
{
	VAL_EACH(one, v) {
		const struct object *o = control_by_uid(t, cluster_str(control_cluster(t), one->key));

		if (!o)
			continue;
		of_owner(t, o)->made = (uint64_t)val_int_or(val_is(one, VAL_MAP) ? val_get(one, "made") : one, 0);
		of_owner(t, o)->refused.since = val_int_or(val_get(one, "since"), 0);
		of_owner(t, o)->refused.until = val_int_or(val_get(one, "until"), 0);
	}
}
