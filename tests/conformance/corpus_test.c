/* Every file that the API server accepts is accepted, and what was applied is what get -o yaml gives back: nothing is lost. ../shared/corpus, MANIFEST.tsv. */
#include <stdlib.h>

#include "model/base/quantity.h"
#include "tests/conformance/corpus.h"

static bool as_quantity(const struct val *v, int64_t *out)
{
	char text[64];

	if (v->type == VAL_STRING)
		return quantity_parse(v->s, out);
	snprintf(text, sizeof(text), v->type == VAL_INT ? "%" PRId64 : "?", v->i);
	if (v->type == VAL_FLOAT)
		snprintf(text, sizeof(text), "%g", v->f);
	return (v->type == VAL_INT || v->type == VAL_FLOAT) && quantity_parse(text, out);
}

/* The API server writes quantities in their canonical form: 0.3 becomes 300m. */
static bool same_quantity(const struct val *x, const struct val *y)
{
	int64_t a, b;

	return as_quantity(x, &a) && as_quantity(y, &b) && a == b;
}

/* Is everything of `want` in `have`? Defaults and assigned fields may be more. *path: where not. */
static bool holds(const struct val *have, const struct val *want, struct sb *path)
{
	size_t at = path->len;

	if (want->type == VAL_NULL)
		return true;                    /* null is "not set" */
	if (!have)                      /* so is what is empty; autoscaling/v1 is shown as v2, which has its percentage among the metrics */
		return ((want->type == VAL_MAP || want->type == VAL_LIST) && !want->nr) || strcmp(sb_text(path), "spec.targetCPUUtilizationPercentage") == 0;
	if (want->type == VAL_MAP && have->type == VAL_MAP) {
		VAL_EACH(m, want) {
			sb_printf(path, ".%s", m->key);
			if (!(m->flags & VAL_AGAIN) && !holds(val_get(have, m->key), m, path) && !(want->flags & VAL_REPEATS))
				return false;
			path->len = at;
			path->s[at] = '\0';
		}
		return true;
	}
	if (want->type == VAL_LIST && have->type == VAL_LIST) {
		if (have->nr < want->nr)
			return false;
		for (uint32_t k = 0; k < want->nr; k++) {
			sb_printf(path, "[%u]", k);
			if (!holds(val_at(have, k), val_at(want, k), path))
				return false;
			path->len = at;
			path->s[at] = '\0';
		}
		return true;
	}
	return val_equal(have, want) || same_quantity(have, want) || strstr(sb_text(path), "metadata.resourceVersion") ||      /* the server's to assign */
	       strstr(sb_text(path), "spec.serviceAccount");        /* the old name says what serviceAccountName says */
}

struct giving { struct cluster *c; const char *file; uint32_t lost; };

static bool apply_and_get(void *ctx, const struct doc *d, struct err *err)
{
	struct apply_options opt = { .unknown = VALIDATE_WARN, .validate = true, .create_namespaces = true };
	struct giving *g = ctx;
	struct object *o = NULL;
	struct arena *a;
	struct sb path = { 0 };

	if (apply_doc(g->c, d, &opt, &o, err) == APPLY_ERROR || !o)
		return true;
	a = arena_new(NULL, "corpus");
	sb_add(&path, "");
	VAL_EACH(m, d->root) {
		if (strcmp(m->key, "status") == 0 || strcmp(m->key, "apiVersion") == 0 || strcmp(m->key, "stringData") == 0)    /* written, never read: it is in data */
			continue;
		sb_reset(&path);
		sb_printf(&path, "%s", m->key);
		if (!holds(val_get(object_render(g->c, o, a), m->key), m, &path)) {
			fprintf(stderr, "\n%s: %s \"%s\": %s is not in get -o yaml as it was applied\n", g->file, o->kind->name, o->name, sb_text(&path));
			g->lost++;
		}
	}
	sb_free(&path);
	arena_free(a);
	return true;
}

/* What a program took that never asks the API server: peers and subjects by pods name both selectors (network-policy-api v0.1.7 config/crd/experimental, required);
 * and what was written for drafts of that API, with fields that it does not have. */
static bool server_refuses(const char *file)
{
	static const char *const names[] = { "anp_test_3_pass_traffic/policies.yaml", "exposure_test_with_anp_16/policies.yaml", "udn_and_vms_test_3/policies.yaml",
		"Getting_Started_with_ANP.md@2.yaml", "npep-122.md@1.yaml" };

	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		if (strstr(file, names[k]))
			return true;
	return false;
}

TEST(corpus_is_accepted_and_kept)
{
	const char *shared = test_shared();
	uint32_t files = 0, refused = 0, lost = 0;
	char line[8192], path[9216];
	FILE *f = NULL;

	if (shared) {
		snprintf(path, sizeof(path), "%s/corpus/MANIFEST.tsv", shared);
		f = fopen(path, "r");
	}
	if (!f) {
		test_skip("../shared/corpus is not there");
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		char *p = line, *file = column(&p), *class = file;
		struct giving g = { .file = file };
		struct err err = { 0 };

		for (int k = 0; k < 8; k++)
			class = column(&p);
		if (strcmp(class, "ok") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/corpus/%s", shared, file);
		g.c = cluster_new(NULL, 1);
		docs_read_path(path, NULL, apply_and_get, &g, &err);
		if (err_any(&err) != server_refuses(file)) {
			fprintf(stderr, "\n%s is %s\n", file, err_any(&err) ? err.v[0].text : "taken");
			refused++;
		}
		files++;
		lost += g.lost;
		cluster_free(g.c);
		err_free(&err);
	}
	fclose(f);
	CU_ASSERT(files > 0);
	CU_ASSERT_EQUAL(refused, 0);
	CU_ASSERT_EQUAL(lost, 0);
}

/* The Gateway API project's own invalid examples (hack/invalid-examples). */
TEST(invalid_gateways_are_refused)
{
	const char *shared = test_shared();
	char line[1024], path[1200];
	uint32_t files = 0;
	FILE *f = NULL;

	if (shared) {
		snprintf(path, sizeof(path), "%s/corpus/invalid-gateway/EXPECT.tsv", shared);
		f = fopen(path, "r");
	}
	if (!f) {
		test_skip("../shared/corpus/invalid-gateway is not there");
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		char *p = line, *file = column(&p);
		struct giving g = { .file = file };
		struct err err = { 0 };

		if (strcmp(file, "file") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/corpus/invalid-gateway/%s", shared, file);
		g.c = cluster_new(NULL, 1);
		docs_read_path(path, NULL, apply_and_get, &g, &err);
		if (!err_any(&err))
			fprintf(stderr, "\n%s is taken\n", file);
		CU_ASSERT(err_any(&err));
		files++;
		cluster_free(g.c);
		err_free(&err);
	}
	fclose(f);
	CU_ASSERT(files > 0);
}
