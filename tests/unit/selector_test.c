/* Label selectors as people write them after -l: what is cut short is refused, and the message stays within the text. */
#include <stdlib.h>

#include "model/api/object.h"
#include "tests/unit/test.h"

/* true: it was taken. */
static bool parse(const char *text, size_t n)
{
	static const char wrong[] = "it goes wrong at ";
	struct arena *a = arena_new(NULL, "test");
	struct strtab *strings = strtab_new(a);
	char *copy = malloc(n + 1), *end = copy + n;           /* what lies behind it is not ours */
	struct err err = { 0 };
	struct selector s;
	bool ok;

	memcpy(copy, text, n);
	*end = '\0';
	ok = selector_parse(strings, a, copy, &s, &err);
	CU_ASSERT_EQUAL(err.nr, ok ? 0 : 1);
	if (!ok && err.nr) {
		const char *at = strstr(err.v[0].text, wrong);
		size_t len;

		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		at += strlen(wrong);
		len = strlen(at);
		CU_ASSERT(strcmp(at, "its end") == 0 || (len > 2 && len - 2 <= n && strncmp(at + 1, end - (len - 2), len - 2) == 0));
	}
	free(copy);
	err_free(&err);
	arena_free(a);
	return ok;
}

TEST(selectors_cut_short_are_refused)
{
	static const char whole[] = "a=b, c!=d,e in (f,g), h notin ( i ,j),k,!l";

	CU_ASSERT(parse(whole, strlen(whole)));
	for (size_t n = 0; n < strlen(whole); n++)
		parse(whole, n);
	CU_ASSERT(!parse("a in (", 6));
	CU_ASSERT(!parse("a in (b", 7));
	CU_ASSERT(!parse("a in ", 5));
	CU_ASSERT(!parse("a notin (b,", 11));
	CU_ASSERT(!parse("a=b,", 4));
	CU_ASSERT(!parse("!", 1));
	CU_ASSERT(!parse("a b", 3));
}

TEST(a_key_that_is_none_has_no_value)
{
	struct pair pairs[] = { { "a", "1" }, { "b", "2" } };
	const pair_list labels = { pairs, 2, true };

	SAME_TEXT(label_get(&labels, "b"), "2");
	CU_ASSERT_PTR_NULL(label_get(&labels, "c"));
	CU_ASSERT_PTR_NULL(label_get(&labels, NULL));
}
