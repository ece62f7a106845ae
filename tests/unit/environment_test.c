/* A container's environment, as a process in the lab is given it. */
#include "sim/linux/environment.h"
#include "tests/unit/feed.h"

/* runc refuses a variable with a NUL byte; a Secret may have one, and a later variable of the same name counts instead. */
TEST(a_nul_byte_in_a_variable_is_not_cut_without_a_word)
{
	struct cluster *c = cluster_new(NULL, 1);
	struct arena *a = arena_new(NULL, "test");
	static const char *const names[] = { "one", "all", "mended", "plain" }, *const broken[] = { "PW", "K", NULL, NULL };

	feed_cluster(c, VALIDATE_IGNORE, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {K: YQBi, good: YWI=}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
					 "  - {name: one, image: x, env: [{name: PW, valueFrom: {secretKeyRef: {name: s, key: K}}}]}\n"
					 "  - {name: all, image: x, envFrom: [{secretRef: {name: s}}]}\n"
					 "  - {name: mended, image: x, envFrom: [{secretRef: {name: s}}], env: [{name: K, value: v}]}\n"
					 "  - {name: plain, image: x, env: [{name: PW, valueFrom: {secretKeyRef: {name: s, key: good}}}]}\n");
	for (size_t k = 0; k < ARRAY_LEN(names); k++) {
		const struct pod *p = (const struct pod *)cluster_find(c, &pod_kind, "default", "p");
		struct variables v;
		const char *name;

		CU_ASSERT_FATAL(p != NULL);
		v = environment_of(c, p, pod_container(p, names[k]), a);
		name = environment_broken(&v);
		CU_ASSERT(broken[k] ? name && strcmp(name, broken[k]) == 0 : !name);
	}
	arena_free(a);
	cluster_free(c);
}
