/* The quick reader of plain YAML against libyaml: whatever it reads, libyaml reads as the same tree, places included. */
#include <stdlib.h>

#include "model/base/docs.h"
#include "tests/unit/test.h"

static bool same(const struct val *a, const struct val *b)
{
	if (a->type != b->type || a->line != b->line || a->col != b->col || a->flags != b->flags || !streq(a->key, b->key))
		return false;
	if (a->type == VAL_LIST || a->type == VAL_MAP) {
		const struct val *x = a->first, *y = b->first;

		for (; x && y && same(x, y); x = x->next, y = y->next)
			;
		return !x && !y && a->nr == b->nr;
	}
	return a->type == VAL_STRING ? a->nr == b->nr && streq(a->s, b->s) : val_equal(a, b);
}

/* 1: both read it alike; 0: the quick one leaves it to libyaml; -1: they differ. */
static int compare(const char *text, size_t n)
{
	struct arena *a = arena_new(NULL, "test");
	const struct doc_budget budget = budget_or_default(NULL);
	struct err err = { 0 };
	const struct val *quick, *slow;
	bool empty;
	int out = 0;

	quick = yaml_plain(a, &budget, 0, text, n, &empty);
	if (quick || empty) {
		slow = yaml_parse(a, "t.yaml", text, n, NULL, &err);
		out = !slow ? -1 : quick ? (same(quick, slow) ? 1 : -1) : slow->type == VAL_NULL ? 1 : -1;
	}
	if (out < 0)
		printf("\n--- read differently:\n%.*s\n---\n", (int)n, text);
	err_free(&err);
	arena_free(a);
	return out;
}

static const char *const texts[] = {
	"a: b\n", "---\na: b\n", "--- # c\na: b", "# c\n\na:\n  b: c # d\n  e: f\ng: h\n", "a:\n- b\n- c: d\n  e: f\n-\n  g: h\nx: y\n", "a:\n  - b\n  - - c\n    - d\n  - {}\n",
	"a: {b: c, d: [e, 'f', \"g\"], \"h\":1}\nb: []\nc: {}\n", "a:\nb:\n  c:\n", "a: 1\nb: 1.5\nc: true\nd: ~\ne: null\nf: 'x y'\ng: \"z\"\nh: 0x10\ni: 010\n",
	"image: nginx:1.25\nurl: http://a/b#c\nx: a #b\ny: a  # b\n", "'a': b\n\"c d\": e\nf g: h\n", "a: -1\nb: --flag\nc: [-1, --x]\n", "a: b: c\n", "a: |\n  text\n",
	"a: b\n c: d\n", "a: b\n  c\n", "- a\n- b\n", "a: &x b\nc: *x\n", "a: !!str 1\n", "a: \"x\\n\"\n", "a: 'it''s'\n", "a: [b\n, c]\n", "a: {b: c,}\n", "a: [,]\n", "{a: b}\n",
	"a: 1\na: 2\n", "true: 1\n", "1: 2\n", "<<: a\n", "? a\n: b\n", "a:b\n", "a : b\n", "a:  b  \n", "a:\n  - b\n - c\n", "a:\n  b: c\n d: e\n", "\n\n", "---\n", "--- a\n", "a: #b\n",
	"a: [b: c]\n", "a: {b}\n", "a: {b: }\n", "a: [a:b, c:, d]\n", "a: 'b' c\n", "a: {b: c} d\n", "a: - b\n", "- - a\n", "a:\n  -\n  - \n", "a:\n-\nb: c\n", "a: @b\n", "a: `b\n", "a: %b\n",
	"a:\n  # c\n  b: c\n# d\n  e: f\n", "a: b#c\n", "a: 'b'#c\n", "a: {b: 'c'#d}\n", "a: ?\n", "a: ? b\n", "a: {?: b}\n", "spec:\n  ports:\n  - port: 80\n    name: http\n  selector: {app: x}\n",
};

TEST(yaml_plain_reads_as_libyaml_does)
{
	uint32_t read = 0;

	for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
		int r = compare(texts[k], strlen(texts[k]));

		CU_ASSERT(r >= 0);
		read += r > 0;
	}
	CU_ASSERT(read >= 20);          /* and it does read what is plain */
}

/* The same texts with a character or two changed, taken out or put in. */
TEST(yaml_plain_gives_up_rather_than_errs)
{
	static const char signs[] = " -:#{}[],'\"\nab1?&*!|>%@`~.\t\\";
	uint64_t seed = 1;
	uint32_t rounds = getenv("ROUNDS") ? (uint32_t)strtoul(getenv("ROUNDS"), NULL, 10) : 20000, read = 0, wrong = 0;

	for (uint32_t round = 0; round < rounds && wrong < 3; round++) {
		char text[400];
		size_t n;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		n = strlen(texts[(seed >> 33) % ARRAY_LEN(texts)]);
		memcpy(text, texts[(seed >> 33) % ARRAY_LEN(texts)], n);
		for (uint32_t k = 0; k < 1 + (seed >> 20) % 3 && n; k++) {
			size_t at;
			char c;

			seed = seed * 6364136223846793005u + 1442695040888963407u;
			at = (seed >> 40) % n;
			c = signs[(seed >> 33) % (sizeof(signs) - 1)];
			if ((seed >> 30) % 3 == 0) {
				text[at] = c;
			} else if ((seed >> 30) % 3 == 1) {
				memmove(text + at, text + at + 1, --n - at);
			} else {
				memmove(text + at + 1, text + at, n++ - at);
				text[at] = c;
			}
		}
		switch (compare(text, n)) {
		case 1: read++; break;
		case 0: break;
		default: wrong++;
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(read > rounds / 10);
}
