/* learn [LESSON…]: which lessons there are; in the terminal, one of them step by step (viz/tui); as a handout, any of them. */
#include <unistd.h>

#include "viz/cli/tui_session.h"
#include "viz/cli/labwork.h"
#include "viz/report/progress_report.h"
#include "viz/report/table.h"

static const char *label_of(const struct scenario *s, const char *key)
{
	const char *v = label_get(&s->labels, key);

	return v ? v : "";
}

/* What the lab keeps of the lessons; nothing where there is no lab. */
static bool kept(struct cli *cli, bool must, progress_list *out, struct err *err)
{
	struct lab *lab;
	bool ok;

	if (!must && access(cli_lab(cli), F_OK) != 0)
		return true;
	lab = lab_open(cli_lab(cli), LAB_READ, NULL, err);
	ok = lab && progress_read_all(lab, cli->arena, out, err);
	lab_close(lab);
	return ok;
}

static void list(struct cli *cli, const struct scenario_list *all, const progress_list *progress)
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
			if (progress->nr)
				val_put(a, v, "progress", val_string(a, progress_text_in(progress, s, a)));
		}
		val_print_json(out, &text, 2, false);
		sb_addc(&text, '\n');
	} else {
		int w = progress->nr ? 9 : 0;

		sb_printf(&text, "%-24s %-11s %-13s %-5s %-*s%s\n", "LESSON", "TOPIC", "LEVEL", "TASK", w, w ? "DONE" : "", "TITLE");
		for (uint32_t k = 0; k < all->nr; k++)
			sb_printf(&text, "%-24s %-11s %-13s %-5s %-*s%s\n", all->v[k]->name, label_of(all->v[k], "topic"), label_of(all->v[k], "level"), scenario_has_task(all->v[k]) ? "yes" : "", w,
				  w ? progress_text_in(progress, all->v[k], a) : "", all->v[k]->title ? all->v[k]->title : "");
		sb_add(&text, "\npodwire learn LESSON plays one in the terminal; podwire learn LESSON -o md|html prints it, with -v the teacher's edition.\n"
			      "In a lab (--lab FILE, podwire.db) progress is kept: podwire learn export prints what was done, podwire learn reset forgets it.\n");
	}
	fputs(sb_text(&text), cli->to);
	sb_free(&text);
}

static bool is_file(const char *name) { return strchr(name, '/') || strstr(name, ".y") || access(name, R_OK) == 0; }

/* The first scenario of a file of the learner's own. */
static const struct scenario *in_file(struct arena *a, const char *file, struct err *err)
{
	struct scenario_list own = { 0 };

	if (!scenarios_load(a, file, &own, err))
		return NULL;
	if (!own.nr)
		err_add(err, ERR_INPUT, NULL, "%s: there is no scenario in it", file);
	return own.nr ? own.v[0] : NULL;
}

/* A lesson by its name, or any scenario by its file. */
static const struct scenario *find(struct arena *a, const struct scenario_list *all, const char *name, struct err *err)
{
	const char **names = arena_array(a, const char *, all->nr + 1), *near;

	for (uint32_t k = 0; k < all->nr; k++) {
		if (streq(all->v[k]->name, name))
			return all->v[k];
		names[k] = all->v[k]->name;
	}
	if (is_file(name))
		return in_file(a, name, err);
	near = nearest(name, names);
	err_add(err, ERR_FAILED, NULL, "no lesson is called \"%s\"%s%s%s", name, near ? "; did you mean \"" : "; podwire learn lists them, and plays a scenario's file", near ? near : "", near ? "\"?" : "");
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

static const struct scenario *lesson_named(const struct scenario_list *all, const char *name)
{
	for (uint32_t k = 0; k < all->nr; k++)
		if (streq(all->v[k]->name, name))
			return all->v[k];
	return NULL;
}

static bool wanted(const struct cli *cli, const char *lesson)
{
	for (uint32_t k = 1; k < cli->args.nr; k++)
		if (streq(cli->args.v[k], lesson))
			return true;
	return cli->args.nr < 2;
}

/* learn export [LESSON…] */
static void export(struct cli *cli, const struct scenario_list *all, const struct handout *h, struct err *err)
{
	struct val *json = val_new(cli->arena, VAL_LIST);
	progress_list progress = { 0 };
	struct sb out = { 0 };
	uint32_t nr = 0;

	if (!kept(cli, true, &progress, err))
		return;
	if (!cli_output_is(cli, "json"))
		handout_begin(h, "What was done in the lessons", &out);
	for (uint32_t k = 0; k < progress.nr; k++) {
		const struct scenario *s = lesson_named(all, progress.v[k].lesson);

		if (!wanted(cli, progress.v[k].lesson))
			continue;
		nr++;
		if (cli_output_is(cli, "json"))
			val_add(cli->arena, json, progress_json(&progress.v[k], s, cli->arena));
		else
			progress_report(&progress.v[k], s, h, cli->arena, &out);
	}
	if (!nr)
		err_add(err, ERR_FAILED, NULL, "%s keeps nothing of %s: podwire learn LESSON --lab %s begins", cli_lab(cli), cli->args.nr > 1 ? "these lessons" : "any lesson", cli_lab(cli));
	if (cli_output_is(cli, "json"))
		val_print_json(json, &out, 2, false);
	else
		handout_end(h, &out);
	if (nr)
		fprintf(cli->to, "%s%s", sb_text(&out), cli_output_is(cli, "json") ? "\n" : "");
	sb_free(&out);
}

static bool keeps(const progress_list *p, const char *lesson)
{
	for (uint32_t k = 0; k < p->nr; k++)
		if (streq(p->v[k].lesson, lesson))
			return true;
	return false;
}

/* learn reset [LESSON…] */
static void reset(struct cli *cli, const struct scenario_list *all, struct err *err)
{
	progress_list progress = { 0 };
	struct lab *lab;
	bool ok = kept(cli, true, &progress, err);

	for (uint32_t k = 1; ok && k < cli->args.nr; k++)       /* before anything is forgotten; a file's progress stands under its own name */
		ok = keeps(&progress, cli->args.v[k]) || find(cli->arena, all, cli->args.v[k], err);
	for (uint32_t k = cli->args.nr > 1 ? 1 : 0; ok && k < cli->args.nr; k++) {
		lab = lab_open(cli_lab(cli), LAB_WRITE, NULL, err);
		ok = lab && progress_forget(lab, k ? cli->args.v[k] : NULL, err);
		lab_close(lab);
	}
	if (ok && !cli->quiet)
		fprintf(cli->to, "%s: %s forgotten\n", cli_lab(cli), cli->args.nr > 1 ? "progress in these lessons is" : "progress in all lessons is");
}

enum err_kind cmd_learn(struct cli *cli, struct err *err)
{
	static const struct { const char *word; enum handout_form form; } forms[] = { { "text", HANDOUT_TEXT }, { "md", HANDOUT_MARKDOWN }, { "html", HANDOUT_HTML } };
	struct handout h = { HANDOUT_TEXT, cli->verbose };
	struct scenario_list all = { 0 };
	progress_list progress = { 0 };
	bool exports = cli->args.nr && streq(cli->args.v[0], "export"), known = !cli->output || ((!cli->args.nr || exports) && cli_output_is(cli, "json"));

	for (size_t k = 0; k < ARRAY_LEN(forms); k++)
		if (cli_output_is(cli, forms[k].word)) {
			h.form = forms[k].form;
			known = true;
		}
	if (!known)
		return cli_usage(cli, err, "-o: \"%s\" is not text, md or html (json for the list and for export)", cli->output);
	if (!lessons_load(cli->arena, &all, err))
		return err_kind(err);
	if (!cli->args.nr) {
		if (kept(cli, false, &progress, err))
			list(cli, &all, &progress);
	} else if (exports) {
		export(cli, &all, &h, err);
	} else if (streq(cli->args.v[0], "reset")) {
		reset(cli, &all, err);
	} else if (!cli->output && cli->args.nr == 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !streq(cli->args.v[0], "all")) {
		if (find(cli->arena, &all, cli->args.v[0], err))
			return tui_main(cli, cli->args.v[0], err);
	} else {
		print(cli, &all, &h, err);
	}
	return err_kind(err);
}
