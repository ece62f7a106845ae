/* Streams of documents: Lists, encodings, limits, what is broken. */
#include <stdlib.h>

#include "model/base/val.h"
#include "tests/unit/test.h"

struct seen { struct sb out; uint32_t nr, stop_at; };

static bool note(void *ctx, const struct doc *d, struct err *err)
{
	struct seen *s = ctx;

	(void)err;
	if (s->stop_at && s->nr == s->stop_at)
		return false;
	s->nr++;
	if (s->nr < 50) {
		sb_printf(&s->out, "%u:", d->root->line);
		val_print_json(d->root, &s->out, 0, false);
		sb_addc(&s->out, ' ');
	}
	return true;
}

TEST(streams)
{
	static const struct { const char *text, *seen; uint32_t line; } row[] = {       /* line: of the error */
		{ "", "", 0 }, { "# nothing\n", "", 0 }, { "---\n---\n# x\n---\n", "", 0 }, { "a: 1", "1:{\"a\":1} ", 0 },
		{ "a: 1\n---\nb: 2\n", "1:{\"a\":1} 3:{\"b\":2} ", 0 }, { "--- {a: 1}\n--- # c\nb: 2\n", "1:{\"a\":1} 3:{\"b\":2} ", 0 },
		{ "a: 1\n...\n---\nb: 2\n", "1:{\"a\":1} 4:{\"b\":2} ", 0 }, { "a: 1\n...\nb: 2\n", "1:{\"a\":1} ", 3 }, { "a: |\n  x\n  ---\n  y\n", "1:{\"a\":\"x\\n---\\ny\\n\"} ", 0 },
		{ "{\"a\":1}{\"a\":2}\n{\"a\":3}", "1:{\"a\":1} 1:{\"a\":2} 2:{\"a\":3} ", 0 }, { "{\"a\":1}\n---\n{\"b\":1}\n---\nc: 1\n", "1:{\"a\":1} 3:{\"b\":1} 5:{\"c\":1} ", 0 },
		{ "{\"a\":1,}", "1:{\"a\":1} ", 0 }, { "{a: 1}", "1:{\"a\":1} ", 0 }, { "{a: &x 1, b: *x}", "1:{\"a\":1,\"b\":1} ", 0 },
		{ "{\"kind\":\"List\",\"items\":[{\"a\":1},\n{\"a\":2}]}", "1:{\"a\":1} 2:{\"a\":2} ", 0 },
		{ "{\"apiVersion\":\"v1\",\"items\":[{\"a\":1},{\"kind\":\"X\",\"apiVersion\":\"v2\"}],\"kind\":\"PodList\"}",
		  "1:{\"a\":1,\"apiVersion\":\"v1\",\"kind\":\"Pod\"} 1:{\"kind\":\"X\",\"apiVersion\":\"v2\"} ", 0 },
		{ "apiVersion: v1\nitems:\n- a: 1\n- a: 2\nkind: PodList\n", "3:{\"a\":1,\"apiVersion\":\"v1\",\"kind\":\"Pod\"} 4:{\"a\":2,\"apiVersion\":\"v1\",\"kind\":\"Pod\"} ", 0 },
		{ "kind: List\nitems:\n- &x {a: 1}\n- {b: *x}\n- *x\n", "3:{\"a\":1} 4:{\"b\":{\"a\":1}} 3:{\"a\":1} ", 0 },
		{ "  kind: List\n  items:\n  - a: 1\n", "3:{\"a\":1} ", 0 }, { "{kind: List, items: [{a: 1}]}", "1:{\"a\":1} ", 0 },
		{ "{\"kind\":\"List\",\"items\":[]}", "", 0 }, { "kind: List\nitems: []\n", "", 0 }, { "kind: List\nitems:\n", "1:{\"kind\":\"List\",\"items\":null} ", 0 },
		{ "{\"kind\":\"List\",\"items\":[{\"a\":1},{\"a\":2},]}", "1:{\"a\":1} 1:{\"a\":2} ", 0 },
		{ "{\"kind\":\"List\",\"items\":[{\"kind\":\"List\",\"items\":[{\"a\":1}]},{\"a\":2}]}", "1:{\"a\":1} 1:{\"a\":2} ", 0 },
		{ "\xef\xbb\xbf""a: 1\n", "1:{\"a\":1} ", 0 }, { "\xef\xbb\xbf{\"a\":1}", "1:{\"a\":1} ", 0 }, { "a: 1\r\n---\r\nb: 2\r\n", "1:{\"a\":1} 3:{\"b\":2} ", 0 },
		{ "a: 1\n---\n- b\n", "1:{\"a\":1} ", 3 }, { "text", "", 1 }, { "a: 1\n---\nb: [\n", "1:{\"a\":1} ", 4 }, { "a: 1\n---\nb: \"\x01\"\n", "1:{\"a\":1} ", 3 },
		{ "{\"a\":1}\n{\"b\":\n}", "1:{\"a\":1} ", 3 }, { "{\"kind\":\"List\",\"items\":[{\"a\":1},\n3]}", "1:{\"a\":1} ", 2 },
		{ "[{\"a\":1}]", "", 1 }, { "kind: List\nitems:\n- a: 1\n- b: [\n- c\n", "3:{\"a\":1} ", 5 },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct seen s = { 0 };
		struct err err = { 0 };
		bool ok = docs_read("t", row[k].text, strlen(row[k].text), NULL, note, &s, &err);

		SAME_TEXT(sb_text(&s.out), row[k].seen);
		CU_ASSERT_EQUAL(ok, row[k].line == 0);
		CU_ASSERT_EQUAL(err.nr, row[k].line != 0);
		if (err.nr && row[k].line && err.v[0].line != row[k].line)
			fprintf(stderr, "\n%s\nis refused in line %u, not %u: %s\n", row[k].text, err.v[0].line, row[k].line, err.v[0].text);
		CU_ASSERT(!err.nr || err.v[0].line == row[k].line);
		err_free(&err);
		sb_free(&s.out);
	}
}

TEST(utf16)
{
	static const unsigned char le[] = { 0xff, 0xfe, 'a', 0, ':', 0, ' ', 0, 0xe9, 0, '\n', 0 };
	static const unsigned char be[] = { 0xfe, 0xff, 0, 'a', 0, ':', 0, ' ', 0xd8, 0x3d, 0xde, 0x00 };
	static const unsigned char half[] = { 0xfe, 0xff, 0xd8, 0x3d };
	struct seen s = { 0 };
	struct err err = { 0 };

	CU_ASSERT(docs_read("t", (const char *)le, sizeof(le), NULL, note, &s, &err));
	CU_ASSERT(docs_read("t", (const char *)be, sizeof(be), NULL, note, &s, &err));
	SAME_TEXT(sb_text(&s.out), "1:{\"a\":\"\xc3\xa9\"} 1:{\"a\":\"\xf0\x9f\x98\x80\"} ");
	CU_ASSERT(!docs_read("t", (const char *)half, sizeof(half), NULL, note, &s, &err));
	CU_ASSERT(!docs_read("t", (const char *)le, sizeof(le) - 1, NULL, note, &s, &err));
	CU_ASSERT_EQUAL(err.nr, 2);
	err_free(&err);
	sb_free(&s.out);
}

TEST(taking_may_stop)
{
	static const char *const text[] = { "a: 1\n---\na: 2\n---\na: 3\n", "{\"kind\":\"List\",\"items\":[{\"a\":1},{\"a\":2},{\"a\":3}]}", "kind: List\nitems: [{a: 1}, {a: 2}, {a: 3}]" };

	for (size_t k = 0; k < ARRAY_LEN(text); k++) {
		struct seen s = { .stop_at = 2 };
		struct err err = { 0 };

		CU_ASSERT(!docs_read("t", text[k], strlen(text[k]), NULL, note, &s, &err));
		CU_ASSERT_EQUAL(s.nr, 2);
		CU_ASSERT_EQUAL(err.nr, 0);
		sb_free(&s.out);
	}
}

static bool refused(const char *text, size_t len, const struct doc_budget *b, const char *because)
{
	struct seen s = { 0 };
	struct err err = { 0 };
	bool ok = docs_read("t", text, len, b, note, &s, &err);
	bool as_wanted = !ok && err.nr == 1 && strstr(err.v[0].text, because);

	if (!as_wanted)
		fprintf(stderr, "\nwanted \"%s\", have \"%s\"\n", because, err.nr ? err.v[0].text : "no error");
	err_free(&err);
	sb_free(&s.out);
	return as_wanted;
}

TEST(limits)
{
	struct doc_budget small = { .depth = 5, .nodes = 100, .aliased = 20, .scalar = 1000, .bytes = 400000 };
	struct sb text = { 0 };

	CU_ASSERT(refused("a: [[[[[[]]]]]]", 15, &small, "nested deeper than 5"));
	CU_ASSERT(refused("{\"a\": [[[[[[]]]]]]}", 19, &small, "nested deeper than 5"));
	sb_add(&text, "a: [");
	for (int k = 0; k < 100; k++)
		sb_add(&text, "1,");
	sb_add(&text, "]");
	CU_ASSERT(refused(text.s, text.len, &small, "more than 100 values"));
	sb_reset(&text);
	sb_add(&text, "a: &a [1,1,1,1,1]\nb: &b [*a,*a]\nc: [*b,*b]\n");
	CU_ASSERT(refused(text.s, text.len, &small, "expand to more than 20 values"));
	sb_reset(&text);
	sb_add(&text, "{\"a\": \"");
	for (int k = 0; k < 1001; k++)
		sb_addc(&text, 'x');
	sb_add(&text, "\"}");
	CU_ASSERT(refused(text.s, text.len, &small, "more than the limit of 1000"));
	sb_reset(&text);
	sb_add(&text, "k: v\na: \"");
	for (int k = 0; k < 200000; k++)
		sb_addc(&text, k % 80 ? 'x' : ' ');
	CU_ASSERT(refused(text.s, text.len, &small, "goes on for more than 1000 bytes"));
	for (int k = 0; k < 300000; k++)
		sb_addc(&text, 'x');
	CU_ASSERT(refused(text.s, text.len, &small, "more than the limit of 400000"));
	sb_free(&text);
}

TEST(many_keys_and_items_stay_quick)
{
	struct sb text = { 0 };
	struct seen s = { 0 };
	struct err err = { 0 };

	sb_add(&text, "{");
	for (int k = 0; k < 100000; k++)
		sb_printf(&text, "%s\"k%d\":{}", k ? "," : "", k);
	sb_add(&text, ",\"k7\":1}{\"kind\":\"List\",\"items\":[{}");
	for (int k = 0; k < 100000; k++)
		sb_add(&text, ",{\"a\":[1,2,3]}");
	sb_add(&text, "]}");
	CU_ASSERT(docs_read("t", text.s, text.len, NULL, note, &s, &err));
	CU_ASSERT_EQUAL(s.nr, 100002);
	sb_free(&text);
	sb_free(&s.out);
}

/* A file with many good documents, broken at its end, at every place: an error or not, but never a crash. */
TEST(truncated_anywhere)
{
	static const char *const text[] = {
		"apiVersion: v1\nkind: List\nitems:\n- {a: \"x\\u00e9\", b: [1, 2.5, ~]}\n- &x\n  c: |\n    text\n  d: 'it''s'\n- *x\n",
		"{\"apiVersion\":\"v1\",\"items\":[{\"a\":\"x\\u00e9\\ud83d\\ude00\",\"b\":[1,2.5e3,null,true]}],\"kind\":\"PodList\"}\n{\"a\":false}",
	};

	for (size_t k = 0; k < ARRAY_LEN(text); k++)
		for (size_t n = 0; n <= strlen(text[k]); n++) {
			struct seen s = { 0 };
			struct err err = { 0 };
			char *copy = malloc(n + !n);

			memcpy(copy, text[k], n);               /* of exactly that size, so that a sanitizer sees the end */
			CU_ASSERT_EQUAL(docs_read("t", copy, n, NULL, note, &s, &err), err.nr == 0);
			free(copy);
			err_free(&err);
			sb_free(&s.out);
		}
}
