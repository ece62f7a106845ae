/* Any bytes as a dump of a living cluster: every object that comes out is one that can be printed and read again. */
#include <stdlib.h>
#include <string.h>

#include "model/cluster/dump.h"

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	struct arena *a = arena_new(NULL, "fuzz");
	struct sb json = { 0 };
	const struct val *again;

	(void)ctx;
	if (!val_str(val_get(d->root, "kind")) || !val_str(val_get(d->root, "apiVersion")))
		abort();
	val_print_json(d->root, &json, 0, true);
	again = json_parse(a, "json", sb_text(&json), json.len, &(struct doc_budget){ .depth = 1000 }, err);
	if (!again || !val_equal(again, d->root))
		abort();
	sb_free(&json);
	arena_free(a);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "dump", "ns/pods.json", "cluster-resources/services/default.json", "kubectl_get_-o_json_nodes" };
	struct dump_report report = { 0 };
	struct err err = { 0 };
	char *copy;

	if (size < 1)
		return 0;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	dump_read_text(names[data[0] & 3], copy, size - 1, take, NULL, &report, &err);
	free(copy);
	err_free(&err);
	return 0;
}
