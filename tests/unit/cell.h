/* A cluster with its controllers, for tests: documents in, time passed, questions. */
#ifndef PODWIRE_TEST_CELL_H
#define PODWIRE_TEST_CELL_H

#include "model/cluster/apply.h"
#include "model/control/control.h"
#include "model/control/defaults.h"
#include "tests/unit/test.h"

struct cell { struct cluster *c; struct control *t; struct arena *a; struct err err; bool lax /* no validation: upstream names nodes as no API server would take them */; };

static inline struct cell cell_new(uint64_t seed)
{
	struct cell x = { .c = cluster_new(NULL, seed), .a = arena_new(NULL, "cell") };

	x.t = control_new(x.c);
	return x;
}

static inline void cell_free(struct cell *x)
{
	cluster_free(x->c);
	arena_free(x->a);
	err_free(&x->err);
}

static inline enum apply_result cell_doc(struct cell *x, const struct val *v)
{
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = !x->lax, .respect_status = true, .create_namespaces = true };
	struct doc d = { "test.yaml", (struct val *)(uintptr_t)v };

	return apply_doc(x->c, &d, &opt, NULL, &x->err);
}

static inline bool cell_take(void *ctx, const struct doc *d, struct err *err)
{
	struct cell *x = ctx;
	struct apply_options opt = { .unknown = VALIDATE_STRICT, .validate = !x->lax, .respect_status = true, .create_namespaces = true };

	return apply_doc(x->c, d, &opt, NULL, err) != APPLY_ERROR;
}

/* YAML documents; fails the test if one is refused. */
static inline void cell_apply(struct cell *x, const char *text)
{
	uint32_t before = x->err.nr;

	docs_read("test.yaml", text, strlen(text), NULL, cell_take, x, &x->err);
	if (err_any(&x->err) && x->err.nr > before) {
		CU_FAIL("refused");
		err_print(&x->err, stderr);
	}
}

/* YAML documents of which the last is taken (why NULL), or is refused with a message that has these words. */
static inline void cell_judges(struct cell *x, const char *text, const char *why)
{
	struct sb said = { 0 };
	bool fits;

	docs_read("test.yaml", text, strlen(text), NULL, cell_take, x, &x->err);
	for (uint32_t i = 0; i < x->err.nr; i++)
		if (!x->err.v[i].warning)
			sb_printf(&said, "%s\n", x->err.v[i].text);
	fits = why ? said.len && strstr(sb_text(&said), why) : !said.len;
	CU_ASSERT(fits);
	if (!fits)
		fprintf(stderr, "\n%s\n  %sinstead of: %s\n", text, sb_text(&said), why ? why : "taken");
	sb_free(&said);
}

struct judged { const char *doc, *why; };

/* Each in a cluster of its own. */
static inline void cells_judge(const struct judged *v, size_t nr)
{
	for (size_t k = 0; k < nr; k++) {
		struct cell x = cell_new(1);

		cell_judges(&x, v[k].doc, v[k].why);
		cell_free(&x);
	}
}

static inline void cell_settle(struct cell *x)
{
	struct settle_result r = control_settle(x->t);

	CU_ASSERT(r.settled);
	if (!r.settled)
		fprintf(stderr, "\nstill moving: %s\n", r.moving);
}

/* The standard cluster with these documents, at rest. */
static inline struct cell cell_settled(const char *yaml)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, yaml);
	cell_settle(&x);
	return x;
}

static inline uint32_t cell_events(struct cell *x, const char *reason)
{
	uint32_t nr, n = 0;
	const struct event *e = cluster_events(x->c, &nr);

	for (uint32_t k = 0; k < nr; k++)
		n += streq(e[k].reason, reason);
	return n;
}

static inline const char *cell_event(struct cell *x, const char *reason)
{
	uint32_t nr;
	const struct event *e = cluster_events(x->c, &nr);

	while (nr-- > 0)
		if (streq(e[nr].reason, reason))
			return e[nr].message;
	return "(none)";
}

static inline bool cell_has_event(struct cell *x, const char *reason, const char *words)
{
	uint32_t nr;
	const struct event *e = cluster_events(x->c, &nr);

	for (uint32_t k = 0; k < nr; k++)
		if (streq(e[k].reason, reason) && strstr(e[k].message, words))
			return true;
	return false;
}

static inline uint32_t cell_count(struct cell *x, const struct kind *k, const char *prefix)
{
	struct object_list l = cluster_list(x->c, k);
	uint32_t n = 0;

	for (uint32_t i = 0; i < l.nr; i++)
		n += strncmp(l.v[i]->name, prefix, strlen(prefix)) == 0;
	return n;
}

/* The first Pod by name that begins with the prefix. */
static inline struct pod *cell_pod(struct cell *x, const char *prefix)
{
	struct object_list l = cluster_list(x->c, &pod_kind);

	for (uint32_t i = 0; i < l.nr; i++)
		if (strncmp(l.v[i]->name, prefix, strlen(prefix)) == 0)
			return (struct pod *)l.v[i];
	return NULL;
}

#endif
