#include "model/base/regex.h"
#include "tests/unit/test.h"

/* find: the leftmost match, its groups behind it; NULL: none. whole: does the whole text match? */
static const struct { const char *pattern, *text, *find; bool whole; } rows[] = {
	{ "abc", "xabcx", "abc", false },
	{ "^/foo(/|$)(.*)", "/foo/bar/baz", "/foo/bar/baz|/|bar/baz", true },
	{ "^/foo(/|$)(.*)", "/foo", "/foo||", true },
	{ "^/foo(/|$)(.*)", "/foobar", NULL, false },
	{ "/api/v[0-9]+/users", "/api/v12/users", "/api/v12/users", true },
	{ "/api/v\\d+(?:/users)?$", "/api/v3", "/api/v3", true },
	{ "a|ab", "ab", "a", true },                            /* the first alternative that matches is taken; the whole text needs the second */
	{ "(a+)(a*)", "aaa", "aaa|aaa|", true },
	{ "(a+?)(a*)", "aaa", "aaa|a|aa", true },
	{ "(a*)*", "aaab", "aaa|", false },
	{ "(?:ab){2,3}", "ababababx", "ababab", false },
	{ "x{0}y", "y", "y", true },
	{ "[^/]+", "//seg/rest", "seg", false },
	{ "[a-c-]+", "-b-", "-b-", true },
	{ "[[:alpha:]_]+\\.", "one_two.", "one_two.", true },
	{ "\\.(gif|jpe?g|png)$", "/i/cat.jpeg", ".jpeg|jpeg", false },
	{ "(?i)ABC", "abc", "abc", true },
	{ "\\bfoo\\b", "a foo b", "foo", false },
	{ "a{,2}", "a{,2}", "a{,2}", true },                    /* not a count: the character itself */
	{ "(?P<name>x)y", "xy", "xy|x", true },
	{ "", "", "", true },
	{ "(x+x+)+y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL, false },
};

static void found(const struct regex *re, const char *text, struct arena *a, char *out)
{
	struct regex_match m;
	size_t n = 0;

	strcpy(out, "(none)");
	if (!regex_search(re, text, &m, a))
		return;
	out[0] = 0;
	for (int k = 0; k < REGEX_GROUPS && (k == 0 || m.group[k].from >= 0); k++) {
		if (k)
			out[n++] = '|';
		memcpy(out + n, text + m.group[k].from, (size_t)(m.group[k].to - m.group[k].from));
		n += (size_t)(m.group[k].to - m.group[k].from);
		out[n] = 0;
	}
}

TEST(regex_finds_what_perl_finds)
{
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const char *why = NULL;
		const struct regex *re = regex_compile(a, rows[k].pattern, false, &why);
		char have[200];

		CU_ASSERT_PTR_NOT_NULL_FATAL(re);
		found(re, rows[k].text, a, have);
		if (strcmp(rows[k].pattern, "(a*)*") == 0)
			have[3] = 0, strcat(have, "|");         /* engines differ in the last, empty round of the group */
		SAME_TEXT(have, rows[k].find ? rows[k].find : "(none)");
		if (regex_full(re, rows[k].text, a) != rows[k].whole)
			fprintf(stderr, "\n%s on %s\n", rows[k].pattern, rows[k].text);
		CU_ASSERT_EQUAL(regex_full(re, rows[k].text, a), rows[k].whole);
	}
	arena_free(a);
}

TEST(regex_refuses_what_it_does_not_know)
{
	static const char *const bad[] = { "(", ")", "[a", "a**", "*a", "(?=x)", "(?<!x)", "(a)\\1", "a++", "[z-a]", "a{300}", "\\q", "a{2}{3}", "{2}", "(?:{2})",
					    "(?:(?:(?:(?:){200}){200}){200}){200}" };
	struct arena *a = arena_new(NULL, "test");

	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		const char *why = NULL;

		CU_ASSERT_PTR_NULL(regex_compile(a, bad[k], false, &why));
		CU_ASSERT_PTR_NOT_NULL(why);
	}
	arena_free(a);
}

TEST(regex_has_many_alternatives)
{
	struct arena *a = arena_new(NULL, "test");
	struct sb text = { 0 };
	const struct regex *re;

	for (int k = 0; k < 150; k++)
		sb_printf(&text, "%s/p%d/x|/p%d", k ? "|" : "(", k, k);
	sb_add(&text, ")(z*)");
	re = regex_compile(a, sb_text(&text), false, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(re);
	CU_ASSERT(regex_full(re, "/p0/x", a));
	CU_ASSERT(regex_full(re, "/p77/xzz", a));
	CU_ASSERT(regex_full(re, "/p149", a));
	CU_ASSERT_FALSE(regex_full(re, "/p150", a));
	CU_ASSERT_FALSE(regex_full(re, "/p7/x/p8/x", a));
	for (int k = 0; k < 5000; k++)
		sb_addc(&text, '|');
	CU_ASSERT_PTR_NULL(regex_compile(a, sb_text(&text), false, NULL));
	sb_free(&text);
	arena_free(a);
}

TEST(regex_ignores_case_where_asked)
{
	struct arena *a = arena_new(NULL, "test");
	const struct regex *re = regex_compile(a, "^/Foo/[a-c]+$", true, NULL);

	CU_ASSERT(regex_search(re, "/fOO/ABC", NULL, a));
	CU_ASSERT_FALSE(regex_search(re, "/foo/d", NULL, a));
	arena_free(a);
}
