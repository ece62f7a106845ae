/* The dual printer: the same calls in three formats; names from outside never command the terminal. */
#include <stdlib.h>

#include "tests/unit/test.h"
#include "viz/report/out.h"
#include "viz/report/table.h"

static void print_all(struct out *o)
{
	out_str(o, "from", "from %s\n", OUT_NAME, "pod/a");
	out_list(o, "hops");
	for (int k = 1; k <= 2; k++) {
		out_map(o, NULL);
		out_int(o, "seq", "%3s ", OUT_DIM, k);
		out_str(o, "stage", "%-8s|", OUT_PLAIN, k == 1 ? "caf\xc3\xa9" : "x\x1b[31m");
		out_str(o, "rule", "%s", OUT_PLAIN, k == 1 ? NULL : "accept 100%");
		out_bool(o, "last", " (last)", k == 2);
		out_text(o, OUT_PLAIN, "\n");
		out_close(o);
	}
	out_close(o);
	out_str(o, "note", NULL, OUT_PLAIN, "machines only");
	out_str(o, "", "%s 100%%\n", OUT_GOOD, "people only");
}

TEST(one_call_three_formats)
{
	static const char *const want[OUT_FORMATS] = {
		"from pod/a\n  1 caf\xc3\xa9    |\n  2 x\\x1b[31m|accept 100% (last)\npeople only 100%\n",
		"{\n  \"from\": \"pod/a\",\n  \"hops\": [\n    {\n      \"seq\": 1,\n      \"stage\": \"caf\xc3\xa9\",\n      \"rule\": null,\n      \"last\": false\n    },\n"
		"    {\n      \"seq\": 2,\n      \"stage\": \"x\\u001b[31m\",\n      \"rule\": \"accept 100%\",\n      \"last\": true\n    }\n  ],\n  \"note\": \"machines only\"\n}\n",
		"from: pod/a\nhops:\n- seq: 1\n  stage: caf\xc3\xa9\n  rule: null\n  last: false\n- seq: 2\n  stage: \"x\\e[31m\"\n  rule: accept 100%\n  last: true\n"
		"note: machines only\n",
	};

	for (int f = 0; f < OUT_FORMATS; f++) {
		struct arena *a = arena_new(NULL, "test");
		struct sb to = { 0 };
		struct out o;

		out_begin(&o, a, (enum out_format)f, false, &to);
		print_all(&o);
		out_end(&o);
		SAME_TEXT(sb_text(&to), want[f]);
		sb_free(&to);
		arena_free(a);
	}
}

TEST(outermost_list)
{
	struct arena *a = arena_new(NULL, "test");
	struct sb to = { 0 };
	struct out o;

	out_begin(&o, a, OUT_JSON, false, &to);
	out_list(&o, NULL);
	out_int(&o, NULL, NULL, OUT_PLAIN, 1);
	out_map(&o, NULL);
	out_bool(&o, "a", NULL, true);
	out_close(&o);
	out_str(&o, NULL, NULL, OUT_PLAIN, "x");
	out_end(&o);
	SAME_TEXT(sb_text(&to), "[\n  1,\n  {\n    \"a\": true\n  },\n  \"x\"\n]\n");
	sb_free(&to);
	arena_free(a);
}

TEST(colours_follow_roles)
{
	struct arena *a = arena_new(NULL, "test");
	struct sb to = { 0 };
	struct out o;

	out_begin(&o, a, OUT_TEXT, true, &to);
	out_str(&o, "v", "[%-4s]", OUT_GOOD, "ok");
	SAME_TEXT(sb_text(&to), "[\033[32mok\033[m  ]");
	CU_ASSERT(out_wants_colour("always", -1));
	CU_ASSERT(!out_wants_colour("never", 1));
	CU_ASSERT(!out_wants_colour(NULL, -1));
	sb_free(&to);
	arena_free(a);
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
