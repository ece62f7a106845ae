/* Cases of upstream's unit tests, in tests/conformance/data/units. */
#ifndef PODWIRE_TEST_UNITS_H
#define PODWIRE_TEST_UNITS_H

#include <stdlib.h>

#include "model/base/val.h"
#include "tests/unit/test.h"

/* The array of one file; NULL if it cannot be read from here (said aloud). */
static inline const struct val *unit_cases(struct arena *a, const char *file)
{
	const char *path = arena_printf(a, "tests/conformance/data/units/%s.json", file);
	FILE *f = fopen(path, "rb");
	struct err err = { 0 };
	struct sb text = { 0 };
	const struct val *v;
	char piece[4096];

	if (!f) {
		test_skip("%s cannot be read from here", path);
		return NULL;
	}
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
		sb_addn(&text, piece, n);
	fclose(f);
	v = json_parse(a, path, sb_text(&text), text.len, NULL, &err);
	CU_ASSERT_PTR_NOT_NULL(v);
	sb_free(&text);
	err_free(&err);
	return v;
}

static inline const struct val *unit_case(const struct val *cases, const char *id)
{
	VAL_EACH(c, cases)
		if (strcmp(val_str_at(c, "id"), id) == 0)
			return c;
	if (cases) {
		CU_FAIL("no such case");
		fprintf(stderr, "\n%s\n", id);
	}
	return NULL;
}

/* Fails with the case's id in sight. */
#define CASE_ASSERT(c, ok)                                                                     \
	do {                                                                                   \
		bool held = (ok);                                                              \
		CU_ASSERT(held);                                                               \
		if (!held)                                                                     \
			fprintf(stderr, "\n%s:%d: %s: %s\n", __FILE__, __LINE__, val_str_at(c, "id"), #ok); \
	} while (0)

#endif
