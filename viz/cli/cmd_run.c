/* run SCENARIO…: replays scenarios and checks their expectations. Each is played in a process of its own where --jobs asks for several. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/linux/enter.h"
#include "sim/linux/play_linux.h"
#include "viz/cli/generate.h"
#include "viz/diagram/figure.h"
#include "viz/report/run_report.h"

struct kept_figure { const char *title, *description, *svg; };
struct run {
	struct cli *cli;
	struct world_options opt;
	struct scenario_list all;
	struct playing *playing;                  /* of the namespaces that this process is init of; NULL: in memory */
	bool linux_mode, show_figures;          /* show_figures: some report holds them */
	VEC(struct kept_figure) figures;        /* of the scenario that is being played */
};

static bool read_number(const char *option, const char *text, unsigned long lo, unsigned long hi, unsigned long *out, struct err *err)
{
	char *end;

	*out = strtoul(text, &end, 10);
	if (!*text || *end || *out < lo || *out > hi)
		return err_add(err, ERR_INPUT, NULL, "--%s: \"%s\" is not a number from %lu to %lu", option, text, lo, hi);
	return true;
}

/* I/N: every N-th, beginning with the I-th. */
static bool take_shard(struct run *r, struct err *err)
{
	const char *slash = r->cli->shard ? strchr(r->cli->shard, '/') : NULL;
	unsigned long i, n;
	uint32_t nr = 0;

	if (!r->cli->shard)
		return true;
	if (!slash)
		return err_add(err, ERR_INPUT, NULL, "--shard: \"%s\" is not I/N, as in 1/4", r->cli->shard);
	if (!read_number("shard", slash + 1, 1, 100000, &n, err) ||
	    !read_number("shard", arena_strndup(r->cli->arena, r->cli->shard, (size_t)(slash - r->cli->shard)), 1, n, &i, err))
		return false;
	for (uint32_t k = 0; k < r->all.nr; k++)
		if (k % n == i - 1)
			r->all.v[nr++] = r->all.v[k];
	r->all.nr = nr;
	return true;
}

/* ---- one scenario */

static bool write_figure(struct run *r, const struct scenario *s, const struct draw_doc *doc, const struct scene *scene, struct err *err)
{
	const char *name = doc->out ? doc->out : arena_printf(scene->arena, "%s-%s.svg", s->name, arena_strndup(scene->arena, doc->figure, strcspn(doc->figure, "/"))), *dot = strrchr(name, '.'), *path;
	struct sb out = { 0 };
	FILE *f = NULL;
	bool ok;

	if (strchr(name, '/') || *name == '.')
		return err_add(err, ERR_INPUT, NULL, "draw.out: \"%s\" is not a plain file name", name);
	path = arena_printf(scene->arena, "%s/%s", r->cli->out, name);
	ok = scene_render(scene, dot ? dot + 1 : "svg", doc->theme && strcmp(doc->theme, "dark") == 0 ? THEME_DARK : THEME_LIGHT, &out, err);
	if (ok && (!(f = fopen(path, "wb")) || fwrite(sb_text(&out), 1, out.len, f) != out.len))
		ok = err_add(err, ERR_INPUT, NULL, "%s cannot be written", path);
	if (f)
		fclose(f);
	sb_free(&out);
	return ok;
}

/* For the report: kept until the scenario's records are there. */
static bool keep_figure(struct run *r, const struct scene *scene, struct err *err)
{
	struct sb svg = { 0 };
	bool ok = scene_render(scene, "svg", THEME_LIGHT, &svg, err);
	struct arena *a = r->cli->arena;

	if (ok)
		vec_add(a, &r->figures, (struct kept_figure){ arena_strdup(a, scene->title), arena_strdup(a, scene->description ? scene->description : scene->title), arena_strdup(a, sb_text(&svg)) });
	sb_free(&svg);
	return ok;
}

/* Into the folder that --out names, and into reports that show figures; without either it is not drawn. */
static bool draw_figure(void *ctx, struct world *w, const struct scenario *s, const struct draw_doc *doc, struct err *err)
{
	struct run *r = ctx;
	struct figure_options opt = { .dflt_ns = s->ns, .depth = 2 };
	struct scene scene = { .arena = arena_new(NULL, "figure") };
	bool ok = figure_fill(w, &opt, doc->figure, doc->args.v, doc->args.nr, &scene, err);

	ok = ok && (!r->cli->out || write_figure(r, s, doc, &scene, err));
	ok = ok && (!r->show_figures || keep_figure(r, &scene, err));
	arena_free(scene.arena);
	return ok;
}

/* The way of a packet that did not fare as expected. That nothing can be drawn is no failure of its own. */
static void show_question(void *ctx, struct world *w, const struct scenario *s, const struct question *q)
{
	struct run *r = ctx;
	struct figure_options opt = { .dflt_ns = s->ns, .ask = q };
	struct scene scene = { .arena = arena_new(NULL, "figure") };
	struct err err = { 0 };

	if (q->from && q->to && figure_fill(w, &opt, "trace", (const char *const[]){ q->from, q->to }, 2, &scene, &err))
		keep_figure(r, &scene, &err);
	arena_free(scene.arena);
	err_free(&err);
}

static void play_one(struct run *r, const struct scenario *s, struct arena *a, struct val *records)
{
	struct world_options opt = r->opt;
	struct err err = { 0 };
	struct play_backend backend = play_sim;
	struct play play;
	struct world w;
	bool begun;

	backend.ctx = r;
	backend.draw = r->cli->out || r->show_figures ? draw_figure : NULL;
	backend.show = r->show_figures ? show_question : NULL;
	r->figures.nr = 0;
	if (r->linux_mode ? !s->in_linux : !s->in_sim) {
		run_skipped(a, s, arena_printf(a, "does not run in mode %s", r->linux_mode ? "linux" : "sim"), records);
		return;
	}
	if (r->linux_mode && play_linux_cannot(s)) {
		run_skipped(a, s, arena_printf(a, "mode linux: %s", play_linux_cannot(s)), records);
		return;
	}
	if (!r->cli->seed && s->seed)
		opt.seed = s->seed;
	if (r->playing) {
		backend = play_linux;
		backend.ctx = r->playing;
	}
	world_init(&w, &opt);
	begun = play_begin(&play, s, &w, &backend, a, &err);
	if (begun)
		play_all(&play);
	if (r->playing && r->playing->cannot && !r->playing->differs) {
		run_skipped(a, s, arena_printf(a, "mode linux: %s", r->playing->cannot), records);
	} else if (begun) {
		run_records(a, &play, records);
		for (uint32_t k = 0; k < r->figures.nr; k++)
			run_figure(a, records, r->figures.v[k].title, r->figures.v[k].description, r->figures.v[k].svg);
	} else {
		for (uint32_t k = 0; k < err.nr; k++)
			if (!err.v[k].warning)
				run_broken(a, s, err.v[k].text, records);
	}
	err_free(&err);
	world_free(&w);
}

/* ---- in namespaces of its own: their first process plays it */

struct in_namespaces { struct run *run; uint32_t which; FILE *to; };

static enum err_kind play_there(void *ctx, int said, struct err *err)
{
	struct in_namespaces *n = ctx;
	struct arena *a = arena_new(NULL, "scenario");
	struct val *records = val_new(a, VAL_LIST);
	struct playing playing = { .live.commands = n->run->cli->allow_commands };
	struct sb text = { 0 };

	(void)said;
	if (!live_begin(&playing.live, err))
		return err_kind(err);
	n->run->playing = &playing;
	play_one(n->run, n->run->all.v[n->which], a, records);
	val_print_json(records, &text, 0, false);
	fprintf(n->to, "%s\n", sb_text(&text));
	fflush(n->to);
	sb_free(&text);
	arena_free(a);
	return ERR_NONE;
}

static bool play_in_namespaces(struct run *r, uint32_t which, struct val *records, struct err *err)
{
	struct in_namespaces n = { r, which, tmpfile() };
	struct entered lab;
	struct val *played = NULL;
	char *line = NULL;
	size_t alloc = 0;
	ssize_t len;

	if (!n.to)
		return err_add(err, ERR_MACHINE, NULL, "a temporary file: %s", strerror(errno));
	if (!enter(play_there, &n, &lab, err)) {
		fclose(n.to);
		return false;
	}
	entered_result(&lab, err);
	entered_wait(&lab);
	rewind(n.to);
	if ((len = getline(&line, &alloc, n.to)) > 0)
		played = json_parse(r->cli->arena, "records", line, (size_t)len, NULL, err);
	free(line);
	fclose(n.to);
	for (struct val *v = played ? played->first : NULL, *after; v; v = after) {
		after = v->next;
		val_add(r->cli->arena, records, v);
	}
	return played != NULL && !err_any(err);
}

/* ---- several at the same time: child i plays every n-th and writes its records, one scenario a line */

static void play_share(struct run *r, unsigned long i, unsigned long n, FILE *to)
{
	for (uint32_t k = (uint32_t)i; k < r->all.nr; k += (uint32_t)n) {
		struct arena *a = arena_new(NULL, "scenario");
		struct val *records = val_new(a, VAL_LIST);
		struct sb text = { 0 };

		play_one(r, r->all.v[k], a, records);
		val_print_json(records, &text, 0, false);
		fprintf(to, "%s\n", sb_text(&text));
		fflush(to);
		sb_free(&text);
		arena_free(a);
	}
}

static void collect(struct run *r, unsigned long i, unsigned long n, FILE *from, int status, struct val **parts)
{
	struct arena *a = r->cli->arena;
	uint32_t k = (uint32_t)i;
	char *line = NULL;
	size_t alloc = 0;
	ssize_t len;

	rewind(from);
	for (; (len = getline(&line, &alloc, from)) > 0 && k < r->all.nr; k += (uint32_t)n) {
		struct err none = { 0 };

		parts[k] = json_parse(a, "records", line, (size_t)len, NULL, &none);
		err_free(&none);
	}
	free(line);
	if (k < r->all.nr) {
		parts[k] = val_new(a, VAL_LIST);
		run_broken(a, r->all.v[k], WIFSIGNALED(status) ? arena_printf(a, "the process that played it was ended by signal %d", WTERMSIG(status)) : "the process that played it ended",
			   parts[k]);
	}
}

static bool play_in_jobs(struct run *r, unsigned long n, struct val *records, struct err *err)
{
	struct val **parts = arena_array(r->cli->arena, struct val *, r->all.nr + 1);
	FILE **files = arena_array(r->cli->arena, FILE *, n);
	pid_t *pids = arena_array(r->cli->arena, pid_t, n);
	unsigned long started = 0;
	int status;

	fflush(NULL);
	for (; started < n; started++) {
		files[started] = tmpfile();
		pids[started] = files[started] ? fork() : -1;
		if (pids[started] < 0)
			break;
		if (pids[started] == 0) {
			play_share(r, started, n, files[started]);
			_exit(0);
		}
	}
	for (unsigned long i = 0; i < started; i++) {
		waitpid(pids[i], &status, 0);
		collect(r, i, n, files[i], status, parts);
		fclose(files[i]);
	}
	if (started < n)
		return err_add(err, ERR_MACHINE, NULL, "--jobs: %s", strerror(errno));
	for (uint32_t k = 0; k < r->all.nr; k++)
		for (struct val *v = parts[k] ? parts[k]->first : NULL, *after; v; v = after) {
			after = v->next;
			val_add(r->cli->arena, records, v);
		}
	return true;
}

/* ---- reports */

static const struct run_format *format_named(const char *option, const char *name, struct err *err)
{
	const struct run_format *f = run_format_find(name);

	if (!f) {
		struct sb names = { 0 };

		run_format_names(&names);
		err_add(err, ERR_INPUT, NULL, "%s: \"%s\" is not %s", option, name, sb_text(&names));
		sb_free(&names);
	}
	return f;
}

static bool write_report(struct run *r, const char *spec, const struct val *records, struct err *err)
{
	const char *eq = strchr(spec, '=');
	const struct run_format *f = eq && eq[1] ? format_named("--report", arena_strndup(r->cli->arena, spec, (size_t)(eq - spec)), err) : NULL;
	struct sb text = { 0 };
	FILE *to;
	bool ok;

	if (!eq || !eq[1])
		return err_add(err, ERR_INPUT, NULL, "--report: \"%s\" is not FORMAT=FILE", spec);
	if (!f)
		return false;
	r->show_figures = r->show_figures || strcmp(f->name, "html") == 0;
	if (!records)
		return true;
	f->print(r->cli->arena, records, true, false, &text);
	to = fopen(eq + 1, "w");
	ok = to && fputs(sb_text(&text), to) >= 0;
	ok = to && fclose(to) == 0 && ok;
	sb_free(&text);
	return ok || err_add(err, ERR_MACHINE, NULL, "%s: %s", eq + 1, strerror(errno));
}

static bool check_options(struct run *r, const struct run_format **format, unsigned long *jobs, struct err *err)
{
	*format = format_named("-o", r->cli->output ? r->cli->output : "text", err);
	r->show_figures = *format && strcmp((*format)->name, "html") == 0;
	*jobs = 1;
	if (r->cli->jobs && !read_number("jobs", r->cli->jobs, 1, 256, jobs, err))
		return false;
	for (uint32_t k = 0; k < r->cli->reports.nr; k++)
		write_report(r, r->cli->reports.v[k], NULL, err);
	return !err_any(err);
}

enum err_kind cmd_run(struct cli *cli, struct err *err)
{
	struct run r = { .cli = cli, .linux_mode = cli->mode && strcmp(cli->mode, "linux") == 0 };
	struct val *records = val_new(cli->arena, VAL_LIST);
	const struct run_format *format;
	struct sb out = { 0 };
	unsigned long jobs;
	bool ok = true;

	if (cli->images.nr)                             /* as kubectl's run */
		return create_pod(cli, err);
	if (!cli->args.nr)
		return cli_usage(cli, err, "which scenarios?");
	if (cli->dry_run)
		return cli_usage(cli, err, "--dry-run is for a Pod: --image is missing");
	if (cli->port || cli->restart || cli->labels || cli->env.nr || cli->command_words || cli->rest.nr)
		return cli_usage(cli, err, "--port, --restart, --labels, --env and a command are for a Pod: --image is missing");
	if (!cli_world_options(cli, &r.opt, err) || !check_options(&r, &format, &jobs, err))
		return ERR_INPUT;
	for (uint32_t k = 0; k < cli->args.nr; k++)
		ok = scenarios_load(cli->arena, cli->args.v[k], &r.all, err) && ok;
	if (!ok || !take_shard(&r, err))
		return ERR_INPUT;
	r.opt.ask = r.opt.flags.respect = false;
	if (jobs > 1 && r.all.nr > 1 && !r.linux_mode)
		ok = play_in_jobs(&r, MIN(jobs, r.all.nr), records, err);
	else
		for (uint32_t k = 0; ok && k < r.all.nr; k++)
			ok = r.linux_mode && r.all.v[k]->in_linux ? play_in_namespaces(&r, k, records, err) : (play_one(&r, r.all.v[k], cli->arena, records), true);
	format->print(cli->arena, records, cli->verbose, out_wants_colour(cli->color, fileno(cli->to)), &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	for (uint32_t k = 0; k < cli->reports.nr; k++)
		write_report(&r, cli->reports.v[k], records, err);
	return !ok ? err_kind(err) : run_sum(records).failed ? ERR_FAILED : ERR_NONE;
}
