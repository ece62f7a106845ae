/* Cases of upstream's unit tests, in tests/conformance/data/units. */
#ifndef PODWIRE_TEST_UNITS_H
#define PODWIRE_TEST_UNITS_H

#include <stdlib.h>

#include "model/base/val.h"
#include "tests/unit/test.h"

/* The array of one file; NULL if it cannot be read from here (said aloud). */
static inline const struct val *unit_cases(struct arena *a, const char *file)
{
	return test_json(a, arena_printf(a, "tests/conformance/data/units/%s.json", file));
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

/* Each row of the file, of which there are `least` at least. */
static inline void unit_each(const char *file, uint32_t least, void (*check)(const struct val *row))
{
	struct arena *a = arena_new(NULL, "test");
	uint32_t nr = 0;

	VAL_EACH(row, unit_cases(a, file)) {
		check(row);
		nr++;
	}
	CU_ASSERT(nr >= least);
	arena_free(a);
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
