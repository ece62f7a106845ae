/* What kubectl 1.33 reads: 195 scalars, and 33 files that are not, or only just, YAML or JSON. */
#include <stdlib.h>

#include "model/base/val.h"
#include "tests/unit/test.h"

#define DATA "tests/conformance/data/"

static FILE *open_rows(const char *path)
{
	FILE *f = fopen(path, "r");
	char heading[1000];

	if (!f || !fgets(heading, sizeof(heading), f))
		test_skip("%s cannot be read from here", path);
	return f;
}

TEST(scalars_as_kubectl_reads_them)
{
	FILE *f = open_rows(DATA "scalars.tsv");
	char line[4000];

	while (f && fgets(line, sizeof(line), f)) {
		char *in = strtok(line, "\t\n"), *status = strtok(NULL, "\t\n"), *want = strtok(NULL, "\t\n");
		struct arena *a = arena_new(NULL, "test");
		struct err err = { 0 };
		struct sb text = { 0 }, have = { 0 }, wanted = { 0 };
		struct val *scalar = json_parse(a, "scalars.tsv", in, strlen(in), NULL, &err), *v;

		CU_ASSERT_PTR_NOT_NULL_FATAL(scalar);
		sb_printf(&text, "apiVersion: v1\nspec:\n  k: %s\n", scalar->s);
		v = yaml_parse(a, "t", text.s, text.len, NULL, &err);
		CU_ASSERT_EQUAL(v != NULL, strcmp(status, "ok") == 0);
		if ((v != NULL) != (strcmp(status, "ok") == 0))
			fprintf(stderr, "\n%s: wanted %s %s, have %s\n", in, status, want, v ? "a value" : err.v[0].text);
		if (v && strcmp(status, "ok") == 0) {
			val_print_json(val_path(v, "spec.k"), &have, 0, false);
			val_print_json(json_parse(a, "scalars.tsv", want, strlen(want), NULL, &err), &wanted, 0, false);
			if (!test_same_text(__FILE__, __LINE__, sb_text(&have), sb_text(&wanted)))
				CU_FAIL(scalar);
		}
		sb_free(&text);
		sb_free(&have);
		sb_free(&wanted);
		err_free(&err);
		arena_free(a);
	}
	if (f)
		fclose(f);
}

static bool count(void *ctx, const struct doc *d, struct err *err)
{
	(void)d;
	(void)err;
	++*(unsigned *)ctx;
	return true;
}

/* What only the decoder of a kind can refuse: its tests have these files too. */
static bool decoders_matter(const char *file)
{
	return strcmp(file, "kind-missing.yaml") == 0 || strcmp(file, "name-y-is-a-boolean.yaml") == 0 || strcmp(file, "duplicate-key.yaml") == 0;
}

TEST(broken_files)
{
	FILE *f = open_rows(DATA "broken/EXPECT.tsv");
	char line[4000];

	while (f && fgets(line, sizeof(line), f)) {
		char *rest = line, path[200];
		const char *file = strsep(&rest, "\t"), *verdict = strsep(&rest, "\t");
		unsigned at = (unsigned)atoi(strsep(&rest, "\t")), noticed = (unsigned)atoi(strsep(&rest, "\t")), docs = (unsigned)atoi(strsep(&rest, "\t")), nr = 0;
		struct err err = { 0 };
		bool ok;

		snprintf(path, sizeof(path), DATA "broken/%s", file);
		ok = docs_read_path(path, NULL, count, &nr, &err);
		if (decoders_matter(file)) {
			CU_ASSERT(ok && nr == 1);
		} else if (strcmp(verdict, "accept") == 0) {
			CU_ASSERT(ok && nr == docs);
		} else if (strcmp(verdict, "reject") == 0) {
			CU_ASSERT(!ok && err.nr == 1);
			CU_ASSERT(err.nr && (err.v[0].line == at || err.v[0].line == noticed));
			if (err.nr && err.v[0].line != at && err.v[0].line != noticed)
				fprintf(stderr, "\n%s: line %u, wanted %u or %u: %s\n", file, err.v[0].line, at, noticed, err.v[0].text);
		}
		if (!ok && strcmp(verdict, "accept") == 0)
			err_print(&err, stderr);
		err_free(&err);
	}
	if (f)
		fclose(f);
}
