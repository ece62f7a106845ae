/* Any bytes as one JSON text: what is accepted must print and read back as the same tree, and YAML must read it alike. */
#include <stdlib.h>

#include "model/base/val.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL, "fuzz");
	struct err err = { 0 };
	struct sb out = { 0 };
	const struct val *v = json_parse(a, "fuzz", (const char *)data, size, &(struct doc_budget){ .depth = 50 }, &err), *back;

	if (!v == !err.nr)
		abort();
	if (v) {
		val_print_json(v, &out, 0, false);
		back = json_parse(a, "back", sb_text(&out), out.len, NULL, &err);
		if (!back || !val_equal(v, back))
			abort();
		if (!val_merge_patch(a, v, back) || !val_equal(val_copy(a, v), v))
			abort();
	}
	sb_free(&out);
	err_free(&err);
	arena_free(a);
	return 0;
}
