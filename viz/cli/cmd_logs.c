/* logs pod/NAME: what the process in a container has written down. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/ask/end.h"
#include "viz/cli/inside.h"

#define LOOK_AGAIN_MS 100

/* Where the last `lines` lines begin; below 0: all of them. */
static long last_lines(FILE *f, long lines)
{
	VEC(long) begins = { 0 };
	struct arena *a = arena_new(NULL, "lines");
	long at = 0, from = 0;
	bool begin = true;

	for (int c; lines >= 0 && (c = getc(f)) != EOF; at++) {
		if (begin)
			vec_add(a, &begins, at);
		begin = c == '\n';
	}
	if (lines >= 0)
		from = lines == 0 ? at : begins.nr > (unsigned long)lines ? begins.v[begins.nr - (uint32_t)lines] : 0;
	arena_free(a);
	return from;
}

static long copy_from(struct cli *cli, FILE *f, long at)
{
	char buf[4096];
	size_t n;

	fseek(f, at, SEEK_SET);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0) {
		fwrite(buf, 1, n, cli->to);
		at += (long)n;
	}
	clearerr(f);
	fflush(cli->to);
	return at;
}

/* Following ends with the caller, whom the lab's first process hears go, with the lab, or with the log: who is restarted begins another. */
static enum err_kind copy(struct cli *cli, const char *path, long lines)
{
	const struct timespec pause = { 0, LOOK_AGAIN_MS * 1000000L };
	FILE *f = fopen(path, "re");
	struct stat st, own;
	long at;

	if (!f)
		return ERR_NONE;
	at = copy_from(cli, f, last_lines(f, lines));
	while (cli->follow && !ferror(cli->to) && stat(path, &st) == 0 && fstat(fileno(f), &own) == 0 && st.st_ino == own.st_ino) {
		nanosleep(&pause, NULL);
		at = copy_from(cli, f, own.st_size < at ? 0 : at);
	}
	fclose(f);
	return ERR_NONE;
}

enum err_kind cmd_logs(struct cli *cli, struct err *err)
{
	const char *container = cli->container ? cli->container : cli->args.nr > 1 ? cli->args.v[1] : NULL, *target, *note = NULL, *path;
	const struct container *c;
	const struct pod *p;
	long lines = -1;
	struct end end;
	char *rest;

	if (cli->tail) {
		lines = strtol(cli->tail, &rest, 10);
		if (!*cli->tail || *rest || lines < -1)
			return err_add(err, ERR_INPUT, NULL, "--tail %s: a number of lines, or -1 for all", cli->tail), ERR_INPUT;
	}
	if (cli->args.nr < 1 || cli->args.nr > 2)
		return cli_usage(cli, err, "logs of which Pod?");
	if (!cli->inside)
		return inside_ask(cli, err);
	target = strchr(cli->args.v[0], '/') ? cli->args.v[0] : arena_printf(cli->arena, "pod/%s", cli->args.v[0]);
	if (!end_parse(cli->inside->world->cluster, target, cli_ns(cli), &end, err))
		return err_kind(err);
	if (end.kind == END_NODE)
		return copy(cli, arena_printf(cli->arena, "%s/logs/%s.log", cli->inside->live->dir, end.name), lines);
	p = end.kind == END_POD || end.kind == END_WORKLOAD ? end_pod(cli->inside->world->cluster, &end, err) : NULL;
	if (!p)
		return err_any(err) ? err_kind(err) : cli_usage(cli, err, "\"%s\" is not a Pod", target);
	c = inside_container(p, container, &note, cli->arena, err);
	if (!c)
		return err_kind(err);
	if (note && !cli->quiet)
		fprintf(stderr, "%s\n", note);
	path = log_path(cli->inside->live, p, c->name, cli->previous, cli->arena);
	if (cli->previous && access(path, R_OK) != 0)
		return err_add(err, ERR_FAILED, NULL, "previous terminated container \"%s\" in pod \"%s\" not found", c->name, p->o.name), ERR_FAILED;
	return copy(cli, path, lines);
}
