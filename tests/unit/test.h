/* A test is a function that registers itself: TEST(name) { CU_ASSERT(…); }. The suite is its file. */
#ifndef PODWIRE_TEST_H
#define PODWIRE_TEST_H

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "model/base/val.h"

struct test_case { const char *name, *file; void (*run)(void); struct test_case *next; };
void test_add(struct test_case *);
void test_skip(const char *why, ...) PRINTF(1, 2);      /* says aloud that this machine cannot; counted and printed at the end */

#define TEST(fn)                                                                \
	static void fn(void);                                                   \
	static struct test_case fn##_case = { #fn, __FILE__, fn, NULL };        \
	__attribute__((constructor)) static void fn##_add(void) { test_add(&fn##_case); } \
	static void fn(void)

/* Compares texts and shows both if they differ. */
bool test_same_text(const char *file, int line, const char *have, const char *want);
#define SAME_TEXT(have, want) CU_ASSERT(test_same_text(__FILE__, __LINE__, (have), (want)))

/* ../shared beside the project, or $PODWIRE_SHARED: the conformance material; NULL if it is not there. Tests over it say "skipped". */
const char *test_shared(void);
/* A file's text, and what a file of JSON holds; NULL if it cannot be read from here (said as skipped). */
const char *test_file(struct arena *, const char *path, size_t *len);
const struct val *test_json(struct arena *, const char *path);

#endif
