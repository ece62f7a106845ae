/* Any text as a JSONPath over a small document. */
#include "model/base/val.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char doc[] = "{\"kind\":\"List\",\"items\":[{\"name\":\"a\",\"n\":1,\"l\":{\"app.io/x\":\"y\"}},{\"name\":\"b\",\"n\":2.5},{\"name\":null,\"on\":true}]}";
	struct arena *a = arena_new(NULL, "fuzz");
	struct err err = { 0 };
	struct val_list found = { 0 };
	struct val *v = json_parse(a, "doc", doc, sizeof(doc) - 1, NULL, &err);
	char *path = arena_strndup(a, (const char *)data, MIN(size, 300));

	jsonpath(a, v, path, &found, &err);
	err_free(&err);
	arena_free(a);
	return 0;
}
