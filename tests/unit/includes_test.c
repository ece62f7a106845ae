/* The layers: model/ ← sim/ ← viz/, and a packet knows rules, not Services. Reads every #include "…" of the tree. */
#include "tests/unit/test.h"

#include <ftw.h>

static unsigned wrong, files;

static bool below(const char *path, const char *dir)
{
	return strncmp(path, dir, strlen(dir)) == 0;
}

static const char *forbidden(const char *file, const char *inc)
{
	if (below(file, "model/") && (below(inc, "sim/") || below(inc, "viz/")))
		return "model/ includes nothing above it";
	if (below(file, "sim/") && below(inc, "viz/"))
		return "sim/ includes nothing of viz/";
	if (below(file, "sim/trace/") && (below(inc, "model/api/") || below(inc, "model/cluster/")))
		return "a packet knows rules, not Services";
	if (below(file, "model/base/") && !below(inc, "model/base/"))
		return "model/base/ stands alone";
	if (below(file, "model/api/") && below(inc, "model/control/"))
		return "kinds know no controllers";
	if (below(file, "viz/tui/") && !below(file, "viz/tui/source") && !below(inc, "viz/tui/") && !below(inc, "model/base/"))
		return "screens know their pages only; source_*.c fills them";
	return NULL;
}

static int one_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t n = strlen(path);
	char line[1024], inc[512];
	FILE *f;

	(void)st;
	(void)ftw;
	if (type != FTW_F || n < 3 || (strcmp(path + n - 2, ".c") != 0 && strcmp(path + n - 2, ".h") != 0) || !(f = fopen(path, "r")))
		return 0;
	files++;
	while (fgets(line, sizeof(line), f)) {
		const char *why;

		if (sscanf(line, "#include \"%511[^\"]\"", inc) != 1 || !(why = forbidden(path, inc)))
			continue;
		fprintf(stderr, "\n%s includes \"%s\": %s\n", path, inc, why);
		wrong++;
	}
	fclose(f);
	return 0;
}

TEST(includes_point_one_way)
{
	wrong = files = 0;
	for (const char *const *dir = (const char *const[]){ "model", "sim", "viz", NULL }; *dir; dir++)
		CU_ASSERT(nftw(*dir, one_file, 16, FTW_PHYS) == 0);
	CU_ASSERT(files > 20);
	CU_ASSERT(wrong == 0);
}
