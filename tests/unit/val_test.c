/* The document tree: scalars, positions, printing, patches, JSONPath. */
#include "model/base/val.h"
#include "tests/unit/test.h"

static struct val *yaml(struct arena *a, const char *text, struct err *err)
{
	return yaml_parse(a, "t.yaml", text, strlen(text), NULL, err);
}

static struct val *json(struct arena *a, const char *text, struct err *err)
{
	return json_parse(a, "t.json", text, strlen(text), NULL, err);
}

TEST(json_values)
{
	static const struct { const char *in, *out; } row[] = {         /* out NULL: refused */
		{ "1", "1" }, { "-0", "0" }, { "9223372036854775807", "9223372036854775807" }, { "9223372036854775808", "9223372036854776000" },
		{ "-9223372036854775808", "-9223372036854775808" }, { "9007199254740993", "9007199254740993" }, { "1.50", "1.5" }, { "1e3", "1000" },
		{ "1e21", "1e+21" }, { "1e-7", "1e-7" }, { "0.000001", "0.000001" }, { "123456.789", "123456.789" }, { "-1.25e-10", "-1.25e-10" },
		{ "01", NULL }, { "1.", NULL }, { ".5", NULL }, { "+1", NULL }, { "1e", NULL }, { "-", NULL }, { "1e999", NULL }, { "NaN", NULL },
		{ "\"a\\u00e9\\ud83d\\ude00\\n\"", "\"a\xc3\xa9\xf0\x9f\x98\x80\\n\"" }, { "\"\\ud800\"", "\"\xef\xbf\xbd\"" },
		{ "\"\\u0000\"", NULL }, { "\"a\nb\"", NULL }, { "\"\\x\"", NULL }, { "\"abc", NULL }, { "\"\xff\"", NULL }, { "\"\x83 and more than ten bytes behind it\"", NULL }, { "\"\xed\xa0\x80\"", NULL },
		{ "\"\x7f<&>\"", "\"\x7f\\u003c\\u0026\\u003e\"" }, { "\"\\", NULL }, { "\"\\u12\"", NULL },
		{ " [ 1 , 2 ] ", "[1,2]" }, { "[]", "[]" }, { "[1,]", NULL }, { "[1", NULL }, { "[,1]", NULL }, { "1 2", NULL }, { "", NULL },
		{ "{\"a\":{\"b\":null}}", "{\"a\":{\"b\":null}}" }, { "{}", "{}" }, { "{\"a\":1,}", NULL }, { "{a:1}", NULL }, { "{\"a\" 1}", NULL },
		{ "{\"a\":1,\"a\":2}", "{\"a\":2}" }, { "tru", NULL }, { "true", "true" }, { "nul", NULL }, { "// c\n1", NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct arena *a = arena_new(NULL, "test");
		struct err err = { 0 };
		struct sb out = { 0 };
		struct val *v = json(a, row[k].in, &err);

		CU_ASSERT(!v == !row[k].out);
		CU_ASSERT((err.nr == 0) == (v != NULL));
		if (v)
			val_print_json(v, &out, 0, false);
		if (v && row[k].out)
			SAME_TEXT(sb_text(&out), row[k].out);
		sb_free(&out);
		err_free(&err);
		arena_free(a);
	}
}

TEST(positions)
{
	static const struct { const char *path; uint32_t line, col; } row[] = {
		{ "a", 2, 4 }, { "b", 3, 1 }, { "b.0", 4, 5 }, { "b.1.c", 5, 8 }, { "d", 6, 4 },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct val *y = yaml(a, "# c\na: 1\nb:\n  - x\n  - c: 2\nd: [e, f]\n", &err);
	struct val *j = json(a, "{\n \"a\": [1,\n  {\"b\":\r\n\ttrue}]}", &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(y);
	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		const struct val *v = val_path(y, row[k].path);

		CU_ASSERT_PTR_NOT_NULL_FATAL(v);
		CU_ASSERT_EQUAL(v->line, row[k].line);
		CU_ASSERT_EQUAL(v->col, row[k].col);
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(j);
	CU_ASSERT_EQUAL(val_path(j, "a.1")->line, 3);
	CU_ASSERT_EQUAL(val_path(j, "a.1")->col, 3);
	CU_ASSERT_EQUAL(val_path(j, "a.1.b")->line, 4);
	CU_ASSERT_EQUAL(val_path(j, "a.1.b")->col, 2);
	arena_free(a);
}

TEST(repeated_keys_stay_and_the_last_counts)
{
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct val *both[] = { yaml(a, "a: 1\nb: 2\na: 3\n", &err), json(a, "{\"a\":1,\"b\":2,\n\"a\":3}", &err) };

	for (size_t k = 0; k < ARRAY_LEN(both); k++) {
		const struct val *v = both[k];

		CU_ASSERT_PTR_NOT_NULL_FATAL(v);
		CU_ASSERT_EQUAL(v->nr, 3);
		CU_ASSERT(v->flags & VAL_REPEATS);
		CU_ASSERT_EQUAL(val_int_or(val_get(v, "a"), 0), 3);
		CU_ASSERT(!(val_get(v, "b")->flags & VAL_AGAIN));
		CU_ASSERT(val_get(v, "a")->flags & VAL_AGAIN);
	}
	CU_ASSERT(val_equal(both[0], both[1]));
	CU_ASSERT(val_equal(both[0], yaml(a, "{a: 3, b: 2}", &err)));
	arena_free(a);
}

TEST(aliases_and_merges)
{
	static const struct { const char *in, *out; } row[] = {
		{ "a: &x {p: 1, q: 2}\nb: *x\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":2}}" },
		{ "a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\n", "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":3}}" },
		{ "- &x {p: 1}\n- &y {p: 2, q: 2}\n- <<: [*x, *y]\n  r: 3\n", "[{\"p\":1},{\"p\":2,\"q\":2},{\"p\":1,\"q\":2,\"r\":3}]" },
		{ "\"<<\": 1\n", "{\"\\u003c\\u003c\":1}" },
		{ "a: *x\n", NULL }, { "a: &x [*x]\n", NULL }, { "<<: 1\n", NULL }, { "&x a: 1\n*x : 2\n", "{\"a\":2}" },
		{ "1: a\ntrue: b\n1.5: c\n", "{\"1\":\"a\",\"true\":\"b\",\"1.5\":\"c\"}" }, { "~: a\n", NULL }, { "[a]: b\n", NULL },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct arena *a = arena_new(NULL, "test");
		struct err err = { 0 };
		struct sb out = { 0 };
		struct val *v = yaml(a, row[k].in, &err);

		CU_ASSERT(!v == !row[k].out);
		if (!v && row[k].out)
			err_print(&err, stderr);
		if (v)
			val_print_json(v, &out, 0, false);
		if (v && row[k].out)
			SAME_TEXT(sb_text(&out), row[k].out);
		sb_free(&out);
		err_free(&err);
		arena_free(a);
	}
}

TEST(yaml_printing)
{
	static const struct { const char *json, *yaml; } row[] = {
		{ "{\"a\":\"on\"}", "a: \"on\"\n" }, { "{\"a\":\"1\"}", "a: \"1\"\n" }, { "{\"a\":\"\"}", "a: \"\"\n" }, { "{\"a\":null}", "a: null\n" },
		{ "{\"a\":\"*\"}", "a: '*'\n" }, { "{\"a\":\"x: y\"}", "a: 'x: y'\n" }, { "{\"a\":\"10.0.0.0/8\"}", "a: 10.0.0.0/8\n" },
		{ "{\"a\":\"12:30\"}", "a: \"12:30\"\n" }, { "{\"a\":\"2024-01-01T00:00:00Z\"}", "a: \"2024-01-01T00:00:00Z\"\n" },
		{ "{\"a\":\"l1\\nl2\\n\"}", "a: |\n  l1\n  l2\n" }, { "{\"a\":\"l1\\nl2\"}", "a: |-\n  l1\n  l2\n" },
		{ "{\"a\":\"l1\\n\\n\",\"b\":1}", "a: |+\n  l1\n\nb: 1\n" }, { "{\"a\":\"l1\\n\\n\"}", "a: |+\n  l1\n\n" },
		{ "{\"b\":[{\"x\":1,\"y\":[]},2],\"a\":{}}", "a: {}\nb:\n- x: 1\n  \"y\": []\n- 2\n" },
		{ "{\"a10\":1,\"a2\":2,\"a\":3}", "a: 3\na2: 2\na10: 1\n" }, { "{\"a\":\"tab\\there\"}", "a: \"tab\\there\"\n" },
		{ "{\"a\":\"0x1F\"}", "a: \"0x1F\"\n" }, { "{\"a\":\"1.20.3\"}", "a: 1.20.3\n" }, { "{\"a\":1.5}", "a: 1.5\n" }, { "{\"a\":1e21}", "a: 1e+21\n" },
		{ "{\"a\":\"it's\"}", "a: it's\n" }, { "{\"a\":\"- x\"}", "a: '- x'\n" }, { "{\"a\":\"#x\"}", "a: '#x'\n" }, { "{\"a\":\"x #y\"}", "a: 'x #y'\n" },
		{ "{\"a\":\" x\"}", "a: ' x'\n" }, { "{\"a\":\"<none>\"}", "a: <none>\n" }, { "{\"a\":\"caf\xc3\xa9\"}", "a: caf\xc3\xa9\n" },
		{ "[1,[2,3]]", "- 1\n- - 2\n  - 3\n" },
		{ "{\"m\":\"0/1 nodes are available: 1 node had taint {node.kubernetes.io/not-ready: }, that the pod didn't tolerate.\"}",
		  "m: '0/1 nodes are available: 1 node had taint {node.kubernetes.io/not-ready: }, that\n  the pod didn''t tolerate.'\n" },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct arena *a = arena_new(NULL, "test");
		struct err err = { 0 };
		struct sb out = { 0 };
		struct val *v = json(a, row[k].json, &err), *back;

		CU_ASSERT_PTR_NOT_NULL_FATAL(v);
		val_print_yaml(v, &out, true);
		SAME_TEXT(sb_text(&out), row[k].yaml);
		back = yaml(a, sb_text(&out), &err);
		CU_ASSERT(back && val_equal(back, v));
		sb_free(&out);
		err_free(&err);
		arena_free(a);
	}
}

TEST(json_printing)
{
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct sb out = { 0 };

	val_print_json(json(a, "{\"b\":[],\"a\":{\"x\":[1,{}]}}", &err), &out, 4, true);
	SAME_TEXT(sb_text(&out), "{\n    \"a\": {\n        \"x\": [\n            1,\n            {}\n        ]\n    },\n    \"b\": []\n}");
	sb_free(&out);
	arena_free(a);
}

/* RFC 7386, appendix A. */
TEST(merge_patch)
{
	static const struct { const char *to, *patch, *out; } row[] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" }, { "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" }, { "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" }, { "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}" }, { "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}" },
		{ "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]" }, { "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" }, { "{\"a\":\"foo\"}", "null", "null" },
		{ "{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}" }, { "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct sb out = { 0 };

		val_print_json(val_merge_patch(a, json(a, row[k].to, &err), json(a, row[k].patch, &err)), &out, 0, false);
		SAME_TEXT(sb_text(&out), row[k].out);
		sb_free(&out);
	}
	arena_free(a);
}

TEST(changing_a_map)
{
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct sb out = { 0 };
	struct val *v = json(a, "{\"a\":1,\"b\":2,\"a\":3,\"c\":4}", &err);

	val_put(a, v, "b", val_int(a, 5));
	val_put(a, v, "a", val_int(a, 6));
	CU_ASSERT(val_del(v, "c"));
	CU_ASSERT(!val_del(v, "c"));
	val_put(a, v, "d", val_string(a, "x"));
	val_print_json(v, &out, 0, false);
	SAME_TEXT(sb_text(&out), "{\"b\":5,\"a\":6,\"d\":\"x\"}");
	sb_free(&out);
	arena_free(a);
}

TEST(jsonpaths)
{
	static const char doc[] =
		"{\"kind\":\"List\",\"items\":[{\"name\":\"a\",\"n\":1,\"l\":{\"app.io/x\":\"y\"}},{\"name\":\"b\",\"n\":2},{\"name\":\"c\",\"n\":3,\"on\":true}]}";
	static const struct { const char *path, *out; } row[] = {       /* out NULL: refused */
		{ "{.kind}", "[\"List\"]" }, { ".kind", "[\"List\"]" }, { "kind", "[\"List\"]" }, { "$.kind", "[\"List\"]" }, { "{.missing.more}", "[]" },
		{ "{.items[0].name}", "[\"a\"]" }, { "{.items[-1].name}", "[\"c\"]" }, { "{.items[7].name}", "[]" }, { "{.items[*].name}", "[\"a\",\"b\",\"c\"]" },
		{ "{.items[0:2].n}", "[1,2]" }, { "{.items[1:].n}", "[2,3]" }, { "{.items[:-1].n}", "[1,2]" }, { "{.items[::2].n}", "[1,3]" },
		{ "{.items[0,2].n}", "[1,3]" }, { "{..n}", "[1,2,3]" }, { "{.items[?(@.n>1)].name}", "[\"b\",\"c\"]" },
		{ "{.items[?(@.name==\"b\")].n}", "[2]" }, { "{.items[?(@.name != 'b')].n}", "[1,3]" }, { "{.items[?(@.on)].name}", "[\"c\"]" },
		{ "{.items[?(@.on==true)].n}", "[3]" }, { "{.items[0].l['app.io/x']}", "[\"y\"]" }, { "{.items[0].l.app\\.io/x}", "[\"y\"]" },
		{ "{['kind']}", "[\"List\"]" }, { "{.items[0]['name','n']}", "[\"a\",1]" }, { "{.kind}{.items[0].n}", "[\"List\",1]" },
		{ "{.items[0].*}", "[\"a\",1,{\"app.io/x\":\"y\"}]" }, { "{.items[?(@.n<=2)].n}", "[1,2]" },
		{ "", NULL }, { "{", NULL }, { "{.kind", NULL }, { "{.items[}", NULL }, { "{.items[0}", NULL }, { "{.a b}", NULL }, { "{.items[?(@.n==)]}", NULL },
		{ "{.items['a]}", NULL }, { "{.items[?(@.n>1]}", NULL }, { "{.items[::0]}", NULL },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct val *root = json(a, doc, &err);

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct val_list found = { 0 };
		struct val *list = val_new(a, VAL_LIST);
		struct sb out = { 0 };
		bool ok = jsonpath(a, root, row[k].path, &found, &err);

		CU_ASSERT_EQUAL(ok, row[k].out != NULL);
		if (ok != (row[k].out != NULL))
			fprintf(stderr, "\n%s: %s\n", row[k].path, ok ? "accepted" : err.v[err.nr - 1].text);
		for (uint32_t i = 0; i < found.nr; i++)
			val_add(a, list, val_copy(a, found.v[i]));
		val_print_json(list, &out, 0, false);
		if (ok && row[k].out)
			SAME_TEXT(sb_text(&out), row[k].out);
		sb_free(&out);
	}
	err_free(&err);
	arena_free(a);
}
