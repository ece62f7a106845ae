/* Texts for people: padded and coloured; names from outside never command the terminal. */
#include <stdlib.h>

#include "tests/unit/test.h"
#include "viz/report/out.h"
#include "viz/report/table.h"

TEST(values_fill_their_place)
{
	static const struct { const char *fmt, *value, *want; } row[] = {
		{ "from %s\n", "pod/a", "from pod/a\n" }, { "%3s ", "1", "  1 " }, { "%-8s|", "caf\xc3\xa9", "caf\xc3\xa9    |" }, { "%-8s|", "x\x1b[31m", "x\\x1b[31m|" },
		{ "%s 100%%", "accept 100%", "accept 100% 100%" }, { "(%s)", NULL, "" }, { "(last)", "", "(last)" },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct sb to = { 0 };

		out_str(&(struct out){ false, &to }, row[k].fmt, OUT_GOOD, row[k].value);
		SAME_TEXT(sb_text(&to), row[k].want);
		sb_free(&to);
	}
}

TEST(colours_follow_roles)
{
	struct sb to = { 0 };

	out_str(&(struct out){ true, &to }, "[%-4s]", OUT_GOOD, "ok");
	SAME_TEXT(sb_text(&to), "[\033[32mok\033[m  ]");
	CU_ASSERT(out_wants_colour("always", -1));
	CU_ASSERT(!out_wants_colour("never", 1));
	CU_ASSERT(!out_wants_colour(NULL, -1));
	sb_free(&to);
}

TEST(shown_text)
{
	static const struct { const char *in, *out; } row[] = {
		{ "plain caf\xc3\xa9 \xf0\x9f\x98\x80", "plain caf\xc3\xa9 \xf0\x9f\x98\x80" }, { "a\x1b]0;x\x07", "a\\x1b]0;x\\x07" }, { "a\xc2\x9b" "31m", "a\\u009b31m" },
		{ "\xe2\x80\xae" "gpj", "\\u202egpj" }, { "\xff\xfe", "\\xff\\xfe" }, { "\xed\xa0\x80", "\\xed\\xa0\\x80" }, { "\xe2\x80", "\\xe2\\x80" }, { "a\nb\x7f", "a\\x0ab\\x7f" },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct sb b = { 0 };

		sb_add_shown(&b, row[k].in, true);
		SAME_TEXT(sb_text(&b), row[k].out);
		sb_free(&b);
	}
}

TEST(tables_are_padded)
{
	struct arena *a = arena_new(NULL, "test");
	struct table_text t;
	struct sb to = { 0 };

	table_begin(&t, a, 3);
	for (const char *const *c = (const char *const[]){ "NAME", "READY", "AGE", "web", "1/1", "5s", "caf\xc3\xa9-long", "0/1", "", NULL }; *c; c++)
		table_cell(&t, *c);
	table_print(&t, &to);
	SAME_TEXT(sb_text(&to), "NAME        READY   AGE\nweb         1/1     5s\ncaf\xc3\xa9-long   0/1     \n");
	sb_free(&to);
	arena_free(a);
}
