/* logs pod/NAME: what the process in a container has written down. */
#include "sim/ask/end.h"
#include "viz/cli/inside.h"

static enum err_kind copy(struct cli *cli, const char *path)
{
	FILE *f = fopen(path, "r");
	char buf[4096];
	size_t n;

	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		fwrite(buf, 1, n, cli->to);
	if (f)
		fclose(f);
	return ERR_NONE;
}

enum err_kind cmd_logs(struct cli *cli, struct err *err)
{
	const char *container = cli->container ? cli->container : cli->args.nr > 1 ? cli->args.v[1] : NULL, *target, *note = NULL;
	const struct container *c;
	const struct pod *p;
	struct end end;

	if (cli->args.nr < 1 || cli->args.nr > 2)
		return cli_usage(cli, err, "logs of which Pod?");
	if (!cli->inside)
		return inside_ask(cli, err);
	target = strchr(cli->args.v[0], '/') ? cli->args.v[0] : arena_printf(cli->arena, "pod/%s", cli->args.v[0]);
	if (!end_parse(cli->inside->world->cluster, target, cli_ns(cli), &end, err))
		return err_kind(err);
	if (end.kind == END_NODE)
		return copy(cli, arena_printf(cli->arena, "%s/logs/%s.log", cli->inside->live->dir, end.name));
	p = end.kind == END_POD || end.kind == END_WORKLOAD ? end_pod(cli->inside->world->cluster, &end, err) : NULL;
	if (!p)
		return err_any(err) ? err_kind(err) : cli_usage(cli, err, "\"%s\" is not a Pod", target);
	c = inside_container(p, container, &note, cli->arena, err);
	if (!c)
		return err_kind(err);
	if (note && !cli->quiet)
		fprintf(stderr, "%s\n", note);
	return copy(cli, arena_printf(cli->arena, "%s/logs/%s.%s.log", cli->inside->live->dir, p->o.uid, c->name));
}
