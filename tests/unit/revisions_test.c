/* ControllerRevisions of DaemonSets and StatefulSets: pkg/controller/history, pkg/controller/daemon/update.go, pkg/controller/statefulset/stateful_set_control.go. */
#include "model/control/revisions.h"
#include "tests/unit/cell.h"

static void apply_image(struct cell *x, const char *kind, const char *more, int version)
{
	cell_apply(x, arena_printf(x->a, "{apiVersion: apps/v1, kind: %s, metadata: {name: w}, spec: {%s revisionHistoryLimit: 2, selector: {matchLabels: {a: b}}, "
					 "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: 'x:%d'}]}}}}\n", kind, more, version));
	cell_settle(x);
}

static const char *image_of(struct cell *x, const struct controller_revision *r)
{
	const struct val *t = revision_template(r, x->a);

	return t && !val_get(t, "$patch") ? val_str(val_path(t, "spec.containers.0.image")) : "";
}

static void history(const struct kind *k, const char *more)
{
	struct cell x = cell_new(1);
	struct controller_revision **v;
	const struct object *o;
	uint32_t nr;

	defaults_add(x.c);
	for (int version = 1; version <= 5; version++)
		apply_image(&x, k->name, more, version);
	o = cluster_find(x.c, k, "default", "w");
	v = revisions_of(x.c, o, x.a, &nr);
	CU_ASSERT_EQUAL_FATAL(nr, 3);           /* two old ones, and the one that is in use */
	CU_ASSERT_STRING_EQUAL(image_of(&x, v[0]), "x:3");
	CU_ASSERT_STRING_EQUAL(image_of(&x, v[2]), "x:5");
	CU_ASSERT_EQUAL(v[2]->revision, 5);
	apply_image(&x, k->name, more, 3);      /* an old template comes back: its revision is the newest, none is made */
	v = revisions_of(x.c, o, x.a, &nr);
	CU_ASSERT_EQUAL_FATAL(nr, 3);
	CU_ASSERT_STRING_EQUAL(image_of(&x, v[2]), "x:3");
	CU_ASSERT_EQUAL(v[2]->revision, 6);
	CU_ASSERT(owner_uid(&v[2]->o) == o->uid);
	cell_free(&x);
}

TEST(revisions_of_a_daemonset_are_kept)
{
	history(&daemonset_kind, "");
}

TEST(revisions_of_a_statefulset_are_kept)
{
	history(&statefulset_kind, "replicas: 2, serviceName: w,");
}
