/* learn [LESSON…]: which lessons there are; in the terminal, one of them step by step (viz/tui); as a handout, any of them. */
#include <unistd.h>

#include "viz/cli/tui_session.h"
#include "viz/report/handout.h"
#include "viz/report/table.h"

static const char *label_of(const struct scenario *s, const char *key)
{
	const char *v = label_get(&s->labels, key);

	return v ? v : "";
}

static void list(struct cli *cli, const struct scenario_list *all)
{
	struct arena *a = cli->arena;
	struct val *out = val_new(a, VAL_LIST);
	struct sb text = { 0 };

	if (cli_output_is(cli, "json")) {
		for (uint32_t k = 0; k < all->nr; k++) {
			const struct scenario *s = all->v[k];
			struct val *v = val_add(a, out, val_new(a, VAL_MAP));

			val_put(a, v, "name", val_string(a, s->name));
			val_put(a, v, "title", val_string(a, s->title ? s->title : ""));
			val_put(a, v, "topic", val_string(a, label_of(s, "topic")));
			val_put(a, v, "level", val_string(a, label_of(s, "level")));
			val_put(a, v, "steps", val_int(a, s->steps.nr));
			val_put(a, v, "task", val_bool(a, scenario_has_task(s)));
		}
		val_print_json(out, &text, 2, false);
		sb_addc(&text, '\n');
	} else {
		sb_printf(&text, "%-24s %-11s %-13s %-5s %s\n", "LESSON", "TOPIC", "LEVEL", "TASK", "TITLE");
		for (uint32_t k = 0; k < all->nr; k++)
			sb_printf(&text, "%-24s %-11s %-13s %-5s %s\n", all->v[k]->name, label_of(all->v[k], "topic"), label_of(all->v[k], "level"), scenario_has_task(all->v[k]) ? "yes" : "",
				  all->v[k]->title ? all->v[k]->title : "");
		sb_add(&text, "\npodwire learn LESSON plays one in the terminal; podwire learn LESSON -o md|html prints it, with -v the teacher's edition.\n");
	}
	fputs(sb_text(&text), cli->to);
	sb_free(&text);
}

static const struct scenario *find(struct arena *a, const struct scenario_list *all, const char *name, struct err *err)
{
	const char **names = arena_array(a, const char *, all->nr + 1), *near;

	for (uint32_t k = 0; k < all->nr; k++) {
		if (streq(all->v[k]->name, name))
			return all->v[k];
		names[k] = all->v[k]->name;
	}
	near = nearest(name, names);
	err_add(err, ERR_FAILED, NULL, "no lesson is called \"%s\"%s%s%s; podwire learn lists them", name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return NULL;
}

static bool print(struct cli *cli, const struct scenario_list *all, const struct handout *h, struct err *err)
{
	struct sb out = { 0 };
	bool ok = true, every = cli->args.nr == 1 && streq(cli->args.v[0], "all");
	uint32_t nr = every ? all->nr : cli->args.nr;

	handout_begin(h, nr == 1 ? "A lesson" : "Lessons", &out);
	for (uint32_t k = 0; k < nr && ok; k++) {
		const struct scenario *s = every ? all->v[k] : find(cli->arena, all, cli->args.v[k], err);

		ok = s && handout_lesson(h, s, cli->arena, &out, err);
	}
	handout_end(h, &out);
	if (ok)
		fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return ok;
}

enum err_kind cmd_learn(struct cli *cli, struct err *err)
{
	static const struct { const char *word; enum handout_form form; } forms[] = { { "text", HANDOUT_TEXT }, { "md", HANDOUT_MARKDOWN }, { "html", HANDOUT_HTML } };
	struct handout h = { HANDOUT_TEXT, cli->verbose };
	struct scenario_list all = { 0 };
	bool known = !cli->output || (!cli->args.nr && cli_output_is(cli, "json"));

	for (size_t k = 0; k < ARRAY_LEN(forms); k++)
		if (cli_output_is(cli, forms[k].word)) {
			h.form = forms[k].form;
			known = true;
		}
	if (!known)
		return cli_usage(cli, err, "-o: \"%s\" is not text, md or html (json for the list)", cli->output);
	if (!lessons_load(cli->arena, &all, err))
		return err_kind(err);
	if (!cli->args.nr) {
		list(cli, &all);
	} else if (!cli->output && cli->args.nr == 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !streq(cli->args.v[0], "all")) {
		if (find(cli->arena, &all, cli->args.v[0], err))
			return tui_main(cli, cli->args.v[0], err);
	} else {
		print(cli, &all, &h, err);
	}
	return err_kind(err);
}
