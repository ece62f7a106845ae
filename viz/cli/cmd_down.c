/* down: the first process of the lab ends, and the kernel takes back all that was its. */
#include "sim/linux/supervisor.h"
#include "viz/cli/cli.h"
#include "viz/cli/labwork.h"

enum err_kind cmd_down(struct cli *cli, struct err *err)
{
	if (cli->args.nr)
		return cli_usage(cli, err, "\"%s\": down takes options only", cli->args.v[0]);
	if (supervisor_end(cli_lab(cli), err) && !cli->quiet)
		fprintf(cli->to, "down\n");
	return err_kind(err);
}
