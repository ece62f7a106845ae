/* podwire: reads the command line, runs one command, prints what went wrong, and says how it ended by its exit status (docs/cli.md). */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/lab/lab.h"
#include "viz/cli/cli.h"

static void out_of_memory(struct mem *m, size_t wanted)
{
	(void)m;
	fprintf(stderr, "podwire: out of memory (%zu bytes more were wanted)\n", wanted);
	exit(ERR_BUG);
}

/* … | head: the rest is not wanted. */
static bool nobody_reads(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

int main(int argc, char **argv)
{
	struct mem mem = { .oom = out_of_memory };
	struct arena *arena = arena_new(&mem, "command line");
	struct cli cli = { .arena = arena, .argc = argc, .argv = argv, .to = stdout, .lab = getenv("PODWIRE_LAB") };
	struct err err = { 0 };
	enum err_kind how;

	lab_setup();
	how = cli_run(&cli, argc, argv, &err);
	if ((fflush(stdout) != 0 || ferror(stdout)) && !nobody_reads(STDOUT_FILENO))
		how = how ? how : ERR_MACHINE;
	if (!cli.quiet || err_any(&err))
		err_print(&err, stderr);
	err_free(&err);
	arena_free(arena);
	return (int)how;
}
