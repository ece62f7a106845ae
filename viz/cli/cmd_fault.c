/* fault, heal: break something and mend it. What breaks stays broken, and stands on the object itself. */
#include <stdlib.h>
#include <string.h>

#include "viz/cli/cli.h"
#include "viz/cli/labwork.h"

/* fault KIND TARGET [KEY=VALUE…], heal KIND TARGET */
static enum err_kind break_or_mend(struct cli *cli, bool mend, struct err *err)
{
	struct labwork w;
	struct val *args = val_new(cli->arena, VAL_MAP);
	const char *target = cli->args.nr > 1 ? cli->args.v[1] : "";

	if (!cli->args.nr)
		return cli_usage(cli, err, "which kind of fault: node, link, bgp, kubeProxy, container, pause, cni, dns, loadBalancer");
	for (uint32_t k = 2; k < cli->args.nr; k++) {
		const char *eq = strchr(cli->args.v[k], '=');

		if (!eq)
			return cli_usage(cli, err, "\"%s\" is not KEY=VALUE", cli->args.v[k]);
		val_put(cli->arena, args, arena_strndup(cli->arena, cli->args.v[k], (size_t)(eq - cli->args.v[k])),
			eq[1] && strlen(eq + 1) < 10 && strspn(eq + 1, "0123456789") == strlen(eq + 1) ? val_int(cli->arena, strtol(eq + 1, NULL, 10)) : val_string(cli->arena, eq + 1));
	}
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	if (mend)
		control_heal(w.world.control, cli->args.v[0], target, err);
	else
		control_fault(w.world.control, cli->args.v[0], target, args, err);
	cli->no_settle = true;
	if (labwork_end(cli, &w, true, err) && !cli->quiet)
		fprintf(cli->to, mend ? "mended: %s%s%s\n" : "broken: %s%s%s; podwire advance lets time pass, podwire heal mends it\n", cli->args.v[0], *target ? " " : "", target);
	return err_kind(err);
}

enum err_kind cmd_fault(struct cli *cli, struct err *err) { return break_or_mend(cli, false, err); }
enum err_kind cmd_heal(struct cli *cli, struct err *err) { return break_or_mend(cli, true, err); }
