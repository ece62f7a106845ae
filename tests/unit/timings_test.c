/* Kubernetes' times stand in one table (model/control/timings.def), each with its source; a duration spelled anywhere else in the model fails here. */
#include <ctype.h>
#include <ftw.h>
#include <stdlib.h>

#include "model/control/control.h"
#include "model/base/str.h"
#include "tests/unit/test.h"

static unsigned wrong, files;

/* Of real time: how long to wait for Linux and for people, which no model decides. */
static bool real_time(const char *path)
{
	return strncmp(path, "sim/linux/", 10) == 0;
}

static void one_line(const char *path, unsigned nr, const char *line)
{
	static const char *const words[] = { "SECONDS(", "MINUTES(", "MILLIS(" };

	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		for (const char *p = line; (p = strstr(p, words[k])); p++) {
			char *end;
			unsigned long n = strtoul(p + strlen(words[k]), &end, 10);

			if (!isdigit((unsigned char)p[strlen(words[k])]) || *end != ')' || n == 1)
				continue;       /* one is a unit, and a variable is somebody else's duration */
			fprintf(stderr, "\n%s:%u: %.*s belongs into model/control/timings.def, with its source\n", path, nr, (int)(end + 1 - p), p);
			wrong++;
		}
}

static int one_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(path);
	char line[1024];
	FILE *f;

	(void)st;
	(void)ftw;
	if (type != FTW_F || n < 3 || (strcmp(path + n - 2, ".c") != 0 && strcmp(path + n - 2, ".h") != 0) || real_time(path) || strcmp(path, "model/base/base.h") == 0 ||
	    strcmp(path, "model/base/quantity.c") == 0 || !(f = fopen(path, "r")))
		return 0;
	files++;
	for (unsigned nr = 1; fgets(line, sizeof(line), f); nr++)
		one_line(path, nr, line);
	fclose(f);
	return 0;
}

TEST(durations_stand_in_the_table)
{
	wrong = files = 0;
	for (const char *const *dir = (const char *const[]){ "model", "sim", NULL }; *dir; dir++)
		CU_ASSERT(nftw(*dir, one_file, 16, FTW_PHYS) == 0);
	CU_ASSERT(files > 100);
	CU_ASSERT(wrong == 0);
	one_line("here", 1, "wait(SECONDS(7));");
	CU_ASSERT(wrong == 1);                  /* it would be seen */
}

TEST(each_time_has_a_name_and_a_source)
{
	for (int k = 0; k < T_COUNT; k++) {
		CU_ASSERT(timings[k].name && *timings[k].name && timings[k].source && strlen(timings[k].source) > 8);
		CU_ASSERT(timings[k].value > 0);
		for (int i = 0; i < k; i++)
			CU_ASSERT(!streq(timings[i].name, timings[k].name));
	}
}
