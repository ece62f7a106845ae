/* Runs every registered test: build/unit [SUBSTRING…] runs those whose file or name holds one of the words. */
#include "tests/unit/test.h"

#include <CUnit/Automated.h>
#include <CUnit/Basic.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static struct test_case *all;
static char skipped[64][300];
static unsigned nr_skipped;

void test_add(struct test_case *t)
{
	struct test_case **at = &all;

	while (*at && (strcmp((*at)->file, t->file) < 0 || (strcmp((*at)->file, t->file) == 0)))
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void test_skip(const char *why, ...)
{
	va_list ap;

	if (nr_skipped >= ARRAY_LEN(skipped))
		return;
	va_start(ap, why);
	vsnprintf(skipped[nr_skipped++], sizeof(skipped[0]), why, ap);
	va_end(ap);
}

bool test_same_text(const char *file, int line, const char *have, const char *want)
{
	size_t k = 0, from;

	if (have && want && strcmp(have, want) == 0)
		return true;
	have = have ? have : "(null)";
	want = want ? want : "(null)";
	while (have[k] && have[k] == want[k])
		k++;
	for (from = k; from > 0 && have[from - 1] != '\n';)
		from--;
	fprintf(stderr, "\n%s:%d: differs at byte %zu\n  have: %.200s\n  want: %.200s\n", file, line, k, have + from, want + from);
	return false;
}

const char *test_shared(void)
{
	const char *dir = getenv("PODWIRE_SHARED");

	if (!dir)
		dir = "../shared";
	return access(dir, R_OK) == 0 ? dir : NULL;
}

const char *test_file(struct arena *a, const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	struct sb text = { 0 };
	const char *kept;
	char piece[4096];

	if (!f) {
		test_skip("%s cannot be read from here", path);
		return NULL;
	}
	for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
		sb_addn(&text, piece, n);
	fclose(f);
	kept = arena_strndup(a, sb_text(&text), text.len);
	*len = text.len;
	sb_free(&text);
	return kept;
}

const struct val *test_json(struct arena *a, const char *path)
{
	struct err err = { 0 };
	size_t len = 0;
	const char *text = test_file(a, path, &len);
	const struct val *v;

	if (!text)
		return NULL;
	v = json_parse(a, path, text, len, NULL, &err);
	CU_ASSERT_PTR_NOT_NULL(v);
	err_free(&err);
	return v;
}

static bool wanted(const struct test_case *t, int argc, char **argv)
{
	for (int k = 1; k < argc; k++)
		if (strstr(t->file, argv[k]) || strstr(t->name, argv[k]))
			return true;
	return argc < 2;
}

int main(int argc, char **argv)
{
	CU_pSuite suite = NULL;
	const char *file = NULL;
	unsigned failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 4;
	for (struct test_case *t = all; t; t = t->next) {
		if (!wanted(t, argc, argv))
			continue;
		if (!file || strcmp(file, t->file) != 0)
			suite = CU_add_suite(t->file, NULL, NULL);
		file = t->file;
		CU_add_test(suite, t->name, t->run);
	}
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures();
	for (unsigned k = 0; k < nr_skipped; k++)
		printf("skipped: %s\n", skipped[k]);
	printf("%u passed, %u failed, %u skipped\n", CU_get_number_of_tests_run() - CU_get_number_of_tests_failed(), CU_get_number_of_tests_failed(), nr_skipped);
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
