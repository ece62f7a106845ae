/* Patches and apply's three-way merge. The strategic ones follow apimachinery pkg/util/strategicpatch/patch_test.go, JSON patches RFC 6902 appendix A. */
#include "model/cluster/merge.h"
#include "tests/unit/cell.h"

static struct val *parse(struct arena *a, const char *text)
{
	struct err err = { 0 };
	struct val *v = yaml_parse(a, "-", text, strlen(text), NULL, &err);

	CU_ASSERT_FATAL(v != NULL);
	err_free(&err);
	return v;
}

static void same(const struct val *have, const struct val *want)
{
	struct sb x = { 0 }, y = { 0 };

	if (have)
		val_print_json(have, &x, 0, true);
	val_print_json(want, &y, 0, true);
	SAME_TEXT(sb_text(&x), sb_text(&y));
	sb_free(&x);
	sb_free(&y);
}

TEST(strategic_patches_merge_lists_by_their_keys)
{
	static const struct { const char *to, *patch, *want; } rows[] = {
		{ "{spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}", "{spec: {containers: [{name: b, image: z}, {name: c, image: w}]}}",
		  "{spec: {containers: [{name: a, image: x}, {name: b, image: z}, {name: c, image: w}]}}" },
		{ "{spec: {containers: [{name: a, image: x}, {name: b}]}}", "{spec: {containers: [{name: a, $patch: delete}]}}", "{spec: {containers: [{name: b}]}}" },
		{ "{spec: {containers: [{name: a}]}}", "{spec: {containers: [{$patch: replace}, {name: z}]}}", "{spec: {containers: [{name: z}]}}" },
		{ "{spec: {ports: [{port: 80, name: x}]}}", "{spec: {ports: [{port: 81}]}}", "{spec: {ports: [{port: 80, name: x}, {port: 81}]}}" },
		{ "{spec: {tolerations: [{key: a}]}}", "{spec: {tolerations: [{key: b}]}}", "{spec: {tolerations: [{key: b}]}}" },     /* atomic */
		{ "{spec: {taints: [{key: a, effect: x}]}}", "{spec: {taints: [{key: a, effect: y}]}}", "{spec: {taints: [{key: a, effect: y}]}}" },
		{ "{metadata: {finalizers: [a, b]}}", "{metadata: {finalizers: [c]}}", "{metadata: {finalizers: [a, b, c]}}" },
		{ "{metadata: {finalizers: [a, b]}}", "{metadata: {$deleteFromPrimitiveList/finalizers: [a]}}", "{metadata: {finalizers: [b]}}" },
		{ "{spec: {a: 1, b: 2}}", "{spec: {b: null, c: 3}}", "{spec: {a: 1, c: 3}}" },
		{ "{spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}}", "{spec: {strategy: {type: Recreate, $retainKeys: [type]}}}", "{spec: {strategy: {type: Recreate}}}" },
		{ "{spec: {m: {a: 1}}}", "{spec: {m: {$patch: replace, b: 2}}}", "{spec: {m: {b: 2}}}" },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		same(strategic_patch(a, parse(a, rows[k].to), parse(a, rows[k].patch), &err), parse(a, rows[k].want));
	CU_ASSERT(!err_any(&err));
	CU_ASSERT(!strategic_patch(a, parse(a, "{spec: {containers: [{name: a}]}}"), parse(a, "{spec: {containers: [{image: x}]}}"), &err));
	err_free(&err);
	arena_free(a);
}

TEST(json_patches)
{
	static const struct { const char *to, *patch, *want; } rows[] = {
		{ "{foo: bar}", "[{op: add, path: /baz, value: qux}]", "{foo: bar, baz: qux}" },
		{ "{foo: [bar, baz]}", "[{op: add, path: /foo/1, value: qux}]", "{foo: [bar, qux, baz]}" },
		{ "{foo: [bar, qux, baz]}", "[{op: remove, path: /foo/1}]", "{foo: [bar, baz]}" },
		{ "{foo: [bar]}", "[{op: add, path: /foo/-, value: [abc, def]}]", "{foo: [bar, [abc, def]]}" },
		{ "{foo: {bar: baz, waldo: fred}, qux: {corge: grault}}", "[{op: move, from: /foo/waldo, path: /qux/thud}]", "{foo: {bar: baz}, qux: {corge: grault, thud: fred}}" },
		{ "{foo: [all, grass, cows, eat]}", "[{op: move, from: /foo/1, path: /foo/3}]", "{foo: [all, cows, eat, grass]}" },
		{ "{a/b: 1, m~n: 8}", "[{op: test, path: /a~1b, value: 1}, {op: replace, path: /m~0n, value: 9}]", "{a/b: 1, m~n: 9}" },
		{ "{a: {b: 1}}", "[{op: copy, from: /a, path: /c}]", "{a: {b: 1}, c: {b: 1}}" },
	};
	static const struct { const char *to, *patch; } bad[] = {
		{ "{foo: bar}", "[{op: add, path: /baz/bat, value: qux}]" }, { "{foo: [a]}", "[{op: remove, path: /foo/1}]" }, { "{foo: [a]}", "[{op: add, path: /foo/3, value: b}]" },
		{ "{baz: qux}", "[{op: test, path: /baz, value: bar}]" }, { "{a: 1}", "[{op: replace, path: /b, value: 1}]" }, { "{a: 1}", "[{op: invent, path: /a}]" },
		{ "{a: 1}", "{op: add}" }, { "{foo: [a, b]}", "[{op: remove, path: /foo/01}]" },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		same(json_patch(a, parse(a, rows[k].to), parse(a, rows[k].patch), &err), parse(a, rows[k].want));
	CU_ASSERT(!err_any(&err));
	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		uint32_t before = err.nr;

		CU_ASSERT(!json_patch(a, parse(a, bad[k].to), parse(a, bad[k].patch), &err));
		CU_ASSERT(err.nr > before);
	}
	err_free(&err);
	arena_free(a);
}

TEST(apply_is_a_three_way_merge)
{
	static const struct { const char *last, *now, *live, *want; bool plain; } rows[] = {
		/* what apply said and says no more goes; what others added stays */
		{ "{spec: {replicas: 1, a: x}}", "{spec: {a: y}}", "{spec: {replicas: 1, a: x, other: z}}", "{spec: {a: y, other: z}}", false },
		{ "{spec: {a: x}}", "{spec: {a: x}}", "{spec: {a: x, replicas: 5}}", "{spec: {a: x, replicas: 5}}", false },
		/* lists with a key: another's sidecar stays, our removed one goes */
		{ "{spec: {containers: [{name: a}, {name: b}]}}", "{spec: {containers: [{name: a, image: n}]}}", "{spec: {containers: [{name: a, tty: true}, {name: b}, {name: injected}]}}",
		  "{spec: {containers: [{name: a, image: n, tty: true}, {name: injected}]}}", false },
		/* the same of a custom resource: lists are replaced */
		{ "{spec: {containers: [{name: a}]}}", "{spec: {containers: [{name: a}]}}", "{spec: {containers: [{name: a}, {name: injected}]}}", "{spec: {containers: [{name: a}]}}", true },
		{ "{spec: {strategy: {type: RollingUpdate}}}", "{spec: {strategy: {type: Recreate}}}", "{spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}}",
		  "{spec: {strategy: {type: Recreate}}}", false },
		{ "{metadata: {labels: {a: x, b: y}}}", "{metadata: {labels: {a: x}}}", "{metadata: {labels: {a: x, b: y, c: z}}}", "{metadata: {labels: {a: x, c: z}}}", false },
		{ "{spec: {a: x}}", "{spec: {a: null}}", "{spec: {a: x, b: y}}", "{spec: {b: y}}", false },
	};
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		same(three_way_merge(a, parse(a, rows[k].last), parse(a, rows[k].now), parse(a, rows[k].live), !rows[k].plain), parse(a, rows[k].want));
	arena_free(a);
}

TEST(finalizers_and_cascades)
{
	struct cell x = cell_new(1);
	struct object *d, *rs;
	struct pod *p;

	defaults_add(x.c);
	cell_apply(&x, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n"
		       "  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: w, image: nginx}]}}\n---\n"
		       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.io/hold]}\n");
	cell_settle(&x);
	d = cluster_find(x.c, &deployment_kind, "default", "web");
	apply_delete_as(x.c, d, -1, false, CASCADE_ORPHAN);
	cell_settle(&x);
	CU_ASSERT(d->gone && cell_count(&x, &replicaset_kind, "web") == 1 && cell_count(&x, &pod_kind, "web") == 2);
	rs = cluster_list_ns(x.c, &replicaset_kind, "default").v[0];
	CU_ASSERT(rs->owners.nr == 0);
	apply_delete_as(x.c, rs, -1, false, CASCADE_FOREGROUND);
	CU_ASSERT(!rs->gone && rs->deleted != NEVER);
	control_advance(x.t, MILLIS(10));
	CU_ASSERT(!rs->gone);                   /* it waits for its Pods */
	cell_settle(&x);
	CU_ASSERT(rs->gone && cell_count(&x, &pod_kind, "web") == 0);

	d = cluster_find(x.c, &config_map_kind, "default", "held");
	apply_delete(x.c, d);
	cell_settle(&x);
	CU_ASSERT(!d->gone && d->deleted != NEVER);
	cell_apply(&x, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: []}\n");
	CU_ASSERT(d->gone);

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: deaf}\nspec: {containers: [{name: c, image: busybox, command: [sleep, infinity]}]}\n");
	cell_settle(&x);
	p = cell_pod(&x, "deaf");
	apply_delete_as(x.c, &p->o, 3, false, CASCADE_BACKGROUND);
	control_advance(x.t, SECONDS(2));
	CU_ASSERT(!p->o.gone);
	control_advance(x.t, SECONDS(4));
	CU_ASSERT(p->o.gone);
	cell_free(&x);
}
