/* Documents into a cluster or a world, for tests: one that is refused fails the test and says why. */
#ifndef PODWIRE_TEST_FEED_H
#define PODWIRE_TEST_FEED_H

#include "sim/engine/world.h"
#include "tests/unit/test.h"

struct feed { struct world *w; const struct world_options *opt; struct cluster *c; };

static inline bool feed_take(void *ctx, const struct doc *d, struct err *err)
{
	struct feed *f = ctx;

	return f->w ? world_apply_doc(f->w, f->opt, d, err) : apply_doc(f->c, d, &f->opt->apply, NULL, err) != APPLY_ERROR;
}

static inline void feed_text(struct feed *f, const char *yaml)
{
	struct err err = { 0 };

	docs_read("test.yaml", yaml, strlen(yaml), NULL, feed_take, f, &err);
	if (err_any(&err))
		err_print(&err, stderr);
	CU_ASSERT_FALSE(err_any(&err));
	err_free(&err);
}

static inline void feed_world(struct world *w, const struct world_options *opt, const char *yaml)
{
	feed_text(&(struct feed){ .w = w, .opt = opt }, yaml);
}

/* No controller answers; unknown: what becomes of fields that are not in the table. */
static inline void feed_cluster(struct cluster *c, enum validate unknown, const char *yaml)
{
	struct world_options opt = { .apply = { .unknown = unknown, .validate = true, .create_namespaces = true } };

	feed_text(&(struct feed){ .c = c, .opt = &opt }, yaml);
}

/* A cluster in which Istio runs (--controller), with these namespaces. */
static inline struct cluster *feed_mesh(const char *namespaces)
{
	struct cluster *c = cluster_new(NULL, 1);
	str *names = arena_array(cluster_arena(c), str, 1);

	names[0] = cluster_str(c, "istio.io/gateway-controller");
	cluster_flags(c)->controllers = (str_list){ names, 1, true };
	control_new(c);
	feed_cluster(c, VALIDATE_IGNORE, namespaces);
	return c;
}

#endif
