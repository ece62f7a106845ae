/* ps: the namespaces of the lab that is up, and the processes in them. */
#include <sys/wait.h>

#include "viz/cli/inside.h"
#include "viz/report/table.h"

static const char *const kind_words[] = { [NS_NODE] = "node", [NS_POD] = "pod", [NS_ROUTER] = "router", [NS_CLIENT] = "client", [NS_FABRIC] = "fabric" };

static const char *first_address(const struct space *s, struct arena *a)
{
	for (uint32_t k = 0; k < s->now.addrs.nr; k++)
		if (!ip_is_linklocal(s->now.addrs.v[k].ip))
			return arena_printf(a, "%s", IP(s->now.addrs.v[k].ip));
	return "";
}

static const char *processes(const struct live *live, const struct space *s, struct arena *a)
{
	struct sb text = { 0 };
	const char *out;

	for (uint32_t k = 0; k < s->run.nr; k++) {
		const struct process *p = &s->run.v[k];

		if (p->pid > 0)
			sb_printf(&text, "%s%s(%d)", k ? " " : "", p->key, (int)p->pid);
		else
			sb_printf(&text, "%s%s(ended: %s %d)", k ? " " : "", p->key, WIFSIGNALED(p->status) ? "signal" : "status",
				  WIFSIGNALED(p->status) ? WTERMSIG(p->status) : WEXITSTATUS(p->status));
	}
	if (s->bird.pid > 0)
		sb_printf(&text, "%sbird(%d)", text.len ? " " : "", (int)s->bird.pid);
	for (uint32_t k = 0; k < live->haproxies.nr; k++)
		if (live->haproxies.v[k].space == s->id && live->haproxies.v[k].pid > 0)
			sb_printf(&text, "%shaproxy(%d)", text.len ? " " : "", (int)live->haproxies.v[k].pid);
	out = arena_strdup(a, sb_text(&text));
	sb_free(&text);
	return out;
}

enum err_kind cmd_ps(struct cli *cli, struct err *err)
{
	struct val *list = val_new(cli->arena, VAL_LIST);
	const struct live *live;

	if (!cli->inside)
		return inside_ask(cli, err);
	live = cli->inside->live;
	if (!cli_output_is(cli, "json"))
		fprintf(cli->to, "%-36s %-7s %-8s %-6s %-16s %s\n", "NAMESPACES", "KIND", "PAUSE", "LINKS", "ADDRESS", "PROCESSES");
	for (uint32_t k = 0; k < live->spaces.nr; k++) {
		const struct space *s = live->spaces.v[k];
		struct val *v;

		if (!s)
			continue;
		if (!cli_output_is(cli, "json")) {
			fprintf(cli->to, "%-36s %-7s %-8d %-6u %-16s %s\n", s->name, kind_words[s->kind], (int)s->pid, s->now.links.nr, first_address(s, cli->arena), processes(live, s, cli->arena));
			continue;
		}
		v = val_add(cli->arena, list, val_new(cli->arena, VAL_MAP));
		val_put(cli->arena, v, "name", val_string(cli->arena, s->name));
		val_put(cli->arena, v, "kind", val_string(cli->arena, kind_words[s->kind]));
		val_put(cli->arena, v, "pause", val_int(cli->arena, s->pid));
		val_put(cli->arena, v, "links", val_int(cli->arena, s->now.links.nr));
		val_put(cli->arena, v, "address", val_string(cli->arena, first_address(s, cli->arena)));
		val_put(cli->arena, v, "processes", val_string(cli->arena, processes(live, s, cli->arena)));
	}
	if (cli_output_is(cli, "json")) {
		struct sb out = { 0 };

		val_print_json(list, &out, 2, false);
		fprintf(cli->to, "%s\n", sb_text(&out));
		sb_free(&out);
	}
	return ERR_NONE;
}
