/* Any bytes as a file of manifests: read, print as YAML and JSON, read what was printed: it must be the same. */
#include <stdlib.h>

#include "model/base/val.h"

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	struct arena *a = arena_new(NULL, "fuzz");
	struct sb yaml = { 0 }, json = { 0 };
	const struct val *y, *j;

	(void)ctx;
	val_print_yaml(d->root, &yaml, true);
	val_print_json(d->root, &json, 4, true);
	y = yaml_parse(a, "yaml", sb_text(&yaml), yaml.len, &(struct doc_budget){ .depth = 1000, .aliased = 1 }, err);
	j = json_parse(a, "json", sb_text(&json), json.len, &(struct doc_budget){ .depth = 1000 }, err);
	if (!j || !val_equal(j, d->root))
		abort();
	if (!y || !val_equal(y, j))
		abort();
	sb_free(&yaml);
	sb_free(&json);
	arena_free(a);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc_budget budget = { .depth = 50, .nodes = 2000, .aliased = 500 };
	struct err err = { 0 };

	docs_read("fuzz", (const char *)data, size, &budget, take, NULL, &err);
	err_free(&err);
	return 0;
}
