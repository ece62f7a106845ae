/* podwire: reads the command line, runs one command, prints what went wrong, and says how it ended by its exit status (docs/cli.md). */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "viz/cli/cli.h"

static void out_of_memory(struct mem *m, size_t wanted)
{
	(void)m;
	fprintf(stderr, "podwire: out of memory (%zu bytes more were wanted)\n", wanted);
	exit(ERR_BUG);
}

int main(int argc, char **argv)
{
	struct mem mem = { .oom = out_of_memory };
	struct arena *arena = arena_new(&mem, "command line");
	struct cli cli = { .arena = arena, .argc = argc, .argv = argv, .to = stdout, .lab = getenv("PODWIRE_LAB") };
	struct err err = { 0 };
	enum err_kind how = cli_run(&cli, argc, argv, &err);

	errno = 0;
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE)  /* … | head: nobody reads the rest */
		how = how ? how : ERR_MACHINE;
	if (!cli.quiet || err_any(&err))
		err_print(&err, stderr);
	err_free(&err);
	arena_free(arena);
	return (int)how;
}
