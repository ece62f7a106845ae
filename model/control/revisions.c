#include "model/control/revisions.h"

#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/workloads.h"

static int by_revision(const void *x, const void *y)
{
	const struct controller_revision *a = *(struct controller_revision *const *)x, *b = *(struct controller_revision *const *)y;

	return a->revision != b->revision ? (a->revision < b->revision ? -1 : 1) : a->o.created != b->o.created ? (a->o.created < b->o.created ? -1 : 1) : strcmp(a->o.name, b->o.name);
}

struct controller_revision **revisions_of(struct cluster *c, const struct object *o, struct arena *a, uint32_t *nr)
{
	struct object_list l = cluster_list_ns(c, &controller_revision_kind, o->ns);
	struct controller_revision **v = arena_array(a, struct controller_revision *, l.nr + 1);

	*nr = 0;
	for (uint32_t k = 0; k < l.nr; k++)
		if (owner_uid(l.v[k]) == o->uid && l.v[k]->deleted == NEVER)
			v[(*nr)++] = (struct controller_revision *)l.v[k];
	qsort(v, *nr, sizeof(*v), by_revision);
	return v;
}

struct val *revision_template(const struct controller_revision *r, struct arena *a)
{
	const struct val *template = val_path(r->data, "spec.template");
	struct val *copy = template ? val_copy(a, template) : NULL;

	if (copy)
		val_del(copy, "$patch");
	return copy;
}

/* {spec: {template: …, $patch: replace}}: a strategic patch of the object. */
static const struct val *patch_of(struct arena *a, const struct pod_template *template)
{
	struct val *data = val_new(a, VAL_MAP), *spec = val_put(a, data, "spec", val_new(a, VAL_MAP)), *copy = val_put(a, spec, "template", val_copy(a, template->doc));

	val_put(a, copy, "$patch", val_string(a, "replace"));
	return data;
}

static bool used(const struct controller_revision *r, struct pod *const *pods, uint32_t nr)
{
	const char *hash = label_get(&r->o.labels, REVISION_LABEL);

	for (uint32_t k = 0; k < nr; k++) {
		const char *has = pods[k] ? label_get(&pods[k]->o.labels, REVISION_LABEL) : NULL;

		if (has && (streq(has, r->o.name) || streq(has, hash)))
			return true;
	}
	return false;
}

static void truncate(struct cluster *c, const struct workload *w, str name, struct pod *const *pods, uint32_t nr_pods)
{
	struct arena *scratch = arena_new(NULL, "revisions");
	uint32_t nr, idle = 0;
	struct controller_revision **v = revisions_of(c, &w->o, scratch, &nr);

	for (uint32_t k = 0; k < nr; k++)
		if (v[k]->o.name == name || streq(v[k]->o.name, w->st_current_revision) || used(v[k], pods, nr_pods))
			v[k] = NULL;
		else
			idle++;
	for (uint32_t k = 0; k < nr && idle > (uint32_t)MAX(w->history_limit, 0); k++)
		if (v[k]) {
			apply_delete(c, &v[k]->o);
			idle--;
		}
	arena_free(scratch);
}

static int64_t newest(struct cluster *c, const struct object *o)
{
	struct arena *scratch = arena_new(NULL, "revisions");
	uint32_t nr;
	struct controller_revision **v = revisions_of(c, o, scratch, &nr);
	int64_t most = nr ? v[nr - 1]->revision : 0;

	arena_free(scratch);
	return most;
}

bool revision_is_kept(struct cluster *c, const struct workload *w, str name)
{
	if (!w->template.doc)
		return true;
	return w->st_observed == w->o.generation && cluster_find(c, &controller_revision_kind, w->o.ns, name) &&
	       cluster_list_ns(c, &controller_revision_kind, w->o.ns).nr <= (uint32_t)MAX(w->history_limit, 0) + 1;
}

void revision_keep(struct control *t, struct workload *w, str name, struct pod *const *pods, uint32_t nr_pods)
{
	struct cluster *c = control_cluster(t);
	struct controller_revision *r = (struct controller_revision *)cluster_find(c, &controller_revision_kind, w->o.ns, name);
	int64_t most;

	if (revision_is_kept(c, w, name))
		return;
	most = newest(c, &w->o);
	if (!r) {
		r = (struct controller_revision *)object_new(c, &controller_revision_kind, w->o.ns, name);
		own(c, &r->o, &w->o);
		r->o.labels = pairs_with(c, &w->template.labels, REVISION_LABEL, w->o.kind == &daemonset_kind ? strrchr(name, '-') + 1 : name);
		r->o.annotations = w->o.annotations;
		r->revision = most + 1;
		r->data = patch_of(cluster_arena(c), &w->template);
		cluster_add(c, &r->o);
	} else if (r->revision < most) {        /* an old template has come back: it is the newest now */
		r->revision = most + 1;
		cluster_touch(c, &r->o);
	}
	truncate(c, w, name, pods, nr_pods);
}
