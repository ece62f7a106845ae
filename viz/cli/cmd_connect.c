/* connect: a connection that stays open. One endpoint is drawn, as a kernel would draw it; conntrack and session affinity remember it, until they expire in virtual time
 * or are flushed. trace --connection NAME sends another packet on it. */
#include "sim/engine/connections.h"
#include "viz/cli/cli.h"
#include "viz/cli/labwork.h"
#include "viz/report/trace_report.h"

static bool open_one(struct cli *cli, struct world *w, struct err *err)
{
	const char *from = cli->args.v[0], *to = cli->args.v[1];
	struct question q;
	struct answer answer;
	struct sb out = { 0 };

	if (!cli_question(cli, from, to, &q, err))
		return false;
	q.keep = cli->as ? cli->as : to;
	if (!question_ask(w, &q, cli->arena, &answer, err))
		return false;
	trace_text(w, &answer, cli->verbose, &out);
	if (!cli->quiet)
		sb_printf(&out, "kept as connection %s: podwire trace --connection %s\n", q.keep, q.keep);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return true;
}

enum err_kind cmd_connect(struct cli *cli, struct err *err)
{
	struct labwork w;

	if (cli->args.nr != 2)
		return cli_usage(cli, err, "connect needs two ends: connect pod/client svc/web:80 [--as NAME]");
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	cli->no_settle = true;
	labwork_end(cli, &w, open_one(cli, &w.world, err), err);
	return err_kind(err);
}
