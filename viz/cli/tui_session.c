#include "viz/cli/tui_session.h"

#include <errno.h>
#include <limits.h>

#include <stdlib.h>
#include <unistd.h>

#include "model/dataplane/packet.h"
#include "sim/reachability/gate.h"
#include "viz/cli/history.h"
#include "viz/cli/labwork.h"

void session_remove_lab(char *path)
{
	if (*path)
		labwork_remove(path);
	*path = '\0';
}

const char *session_lab_of(const struct session *s) { return s->model.in_lesson ? *s->lesson_temp ? s->lesson_temp : NULL : s->lab; }

/* ---- the cluster that is shown */

static bool read_lab(struct session *s, const char *lab, const char *at, struct world *w, struct err *err)
{
	struct cli c = *s->cli;

	c.lab = lab;
	c.at = at;
	c.files = (struct texts){ 0 };
	return labwork_read(&c, w, err);
}

static struct world *new_world(void)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		abort();
	return w;
}

static void end_world(struct world *w)
{
	if (w)
		world_free(w);
	free(w);
}

bool session_show_again(struct session *s, struct err *err)
{
	struct world *w = new_world(), **at = s->model.in_lesson ? &s->model.lesson_world : &s->world;

	if (!read_lab(s, session_lab_of(s), s->model.in_lesson ? NULL : s->at, w, err)) {
		free(w);
		return false;
	}
	s->model.past = !s->model.in_lesson && s->at;
	model_changed(&s->model, w);
	end_world(*at);
	*at = w;
	if (s->model.in_lesson) {
		s->model.play.world = w;
		lesson_judge(&s->model);
	}
	return true;
}

static bool seek(void *ctx, const char *at, struct err *err)
{
	struct session *s = ctx;
	const char *before = s->at;

	if (!s->lab || s->model.in_lesson) {
		if (!*at)
			return false;
		return err_add(err, ERR_INPUT, NULL, "only a lab remembers earlier moments: podwire apply --lab FILE -f …, then podwire tui --lab FILE");
	}
	if (!*at && !before)
		return false;
	s->at = *at ? arena_strdup(s->cli->arena, at) : NULL;
	if (session_show_again(s, err))
		return true;
	s->at = before;
	return false;
}

/* ---- what the pages ask for */

static bool options_of(struct session *s, const char *words, unsigned takes, struct arena *a, struct cli *out, struct err *err)
{
	struct words v = { .nr = 0 };

	*out = (struct cli){ .arena = a, .ns = s->cli->ns };
	words_split(a, words, &v);
	return options_parse(out, takes, v.nr, v.v, err);
}

static bool question(void *ctx, const char *words, struct arena *a, struct question *q, struct err *err)
{
	struct session *s = ctx;
	struct cli *c = arena_make(a, struct cli);

	c->command = "trace";
	if (!options_of(s, words, G_TRACE, a, c, err))
		return false;
	if (c->args.nr != 2)
		return err_add(err, ERR_INPUT, NULL, "trace needs two ends, as in: trace pod/web-0 svc/db:5432");
	return cli_question(c, c->args.v[0], c->args.v[1], q, err);
}

static bool port(void *ctx, const char *words, uint8_t *proto, uint16_t *number, const char **word, struct err *err)
{
	static const char *const names[] = { [PROTO_TCP] = "tcp", [PROTO_UDP] = "udp", [PROTO_SCTP] = "sctp" };
	struct session *s = ctx;
	struct cli c;
	struct arena *a = arena_new(NULL, "port");
	bool ok = options_of(s, words, G_MATRIX | G_TRACE | G_SELECT, a, &c, err);
	char *end = NULL;
	unsigned long n = ok ? strtoul(c.port ? c.port : "80", &end, 10) : 0;

	*proto = PROTO_TCP;
	if (ok && c.protocol && !reach_proto_parse(c.protocol, proto))
		ok = err_add(err, ERR_INPUT, NULL, "--protocol: \"%s\" is not tcp, udp or sctp", c.protocol);
	if (ok && (*end || n < 1 || n > 65535))
		ok = err_add(err, ERR_INPUT, NULL, "--port: \"%s\" is not one port, which is what fits on this screen", c.port);
	*number = (uint16_t)n;
	*word = *proto < ARRAY_LEN(names) ? names[*proto] : "tcp";
	arena_free(a);
	return ok;
}

static bool moment(void *ctx, const char *at, struct world *w, struct err *err)
{
	struct session *s = ctx;
	size_t n = strlen(at);

	if (n > 3 && strcmp(at + n - 3, ".db") == 0)    /* another lab, as it is now */
		return read_lab(s, at, NULL, w, err);
	if (!session_lab_of(s))
		return err_add(err, ERR_INPUT, NULL, "only a lab remembers earlier moments; this cluster comes from files and was not changed yet");
	return read_lab(s, session_lab_of(s), at, w, err);
}

struct watching { struct census *census; struct probing *probing; };

static void watch(void *ctx, struct world *w)
{
	const struct watching *x = ctx;

	census_look(x->census, w);
	probing_look(x->probing, w);
}

/* Of a lab: it is replayed. Of files: it was counted when they were applied. */
static bool census(void *ctx, struct census *out, struct probing *lost)
{
	struct session *s = ctx;
	struct cli c = *s->cli;
	struct err err = { 0 };
	struct world w;
	bool ok;

	if (s->model.in_lesson && !*s->lesson_temp)
		return false;
	if (!session_lab_of(s)) {
		for (uint32_t k = 0; k < s->census.points.nr; k++)
			vec_add(out->arena, &out->points, s->census.points.v[k]);
		out->too_many = s->census.too_many;
		for (uint32_t k = 0; k < s->probing.points.nr; k++)
			vec_add(lost->arena, &lost->points, s->probing.points.v[k]);
		lost->too_many = s->probing.too_many;
		return true;
	}
	if (cluster_list(s->model.world->cluster, &pod_kind).nr > CENSUS_PODS)
		return false;
	c.arena = arena_new(NULL, "replay");
	c.lab = session_lab_of(s);
	c.at = s->model.in_lesson ? NULL : s->at;
	c.files = (struct texts){ 0 };
	ok = history_watch(&c, (struct watcher){ watch, &(struct watching){ out, lost } }, &w, &err);
	if (ok)
		world_free(&w);
	arena_free(c.arena);
	err_free(&err);
	return ok;
}

bool lessons_load(struct arena *a, struct scenario_list *out, struct err *err)
{
	static const char *const places[] = { "../scenarios/lessons", "../share/podwire/scenarios/lessons" };
	char self[1024], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[MAX(n, 0)] = '\0';
	slash = strrchr(self, '/');
	for (size_t k = 0; slash && k < ARRAY_LEN(places); k++) {
		const char *path = arena_printf(a, "%.*s/%s", (int)(slash - self), self, places[k]);

		char whole[PATH_MAX], here[PATH_MAX];
		size_t len;

		if (access(path, R_OK) != 0)
			continue;
		if (!realpath(path, whole))
			return scenarios_load(a, path, out, err);
		len = getcwd(here, sizeof(here)) ? strlen(here) : 0;    /* from here where they are below: what is printed is the same on every machine then */
		return scenarios_load(a, arena_strdup(a, len && strncmp(whole, here, len) == 0 && whole[len] == '/' ? whole + len + 1 : whole), out, err);
	}
	if (access("scenarios/lessons", R_OK) == 0)
		return scenarios_load(a, "scenarios/lessons", out, err);
	return err_add(err, ERR_FAILED, NULL, "no lessons are installed; :learn FILE plays any scenario");
}

static bool lessons(void *ctx, struct arena *a, struct scenario_list *out, struct err *err)
{
	(void)ctx;
	return lessons_load(a, out, err);
}

static void head(void *ctx, struct tui_head *out) { model_head(&((struct session *)ctx)->model, out); }

static bool load(void *ctx, const struct tui_want *w, struct arena *a, struct tui_page *p, struct err *e)
{
	struct session *s = ctx;

	return w->kind == PAGE_LESSON ? session_load_lesson(s, w, a, p, e) : model_load(&s->model, w, a, p, e);
}
static const char *list_word(void *ctx, const char *word) { return model_list_word(&((struct session *)ctx)->model, word); }

static void leave(void *ctx)
{
	struct session *s = ctx;

	session_remove_lab(s->lesson_temp);
	lesson_leave(&s->model);
}

static void complete(void *ctx, const char *before, const char *word, tui_word f, void *word_ctx)
{
	struct session *s = ctx;

	for (const struct command *c = commands; !*before && c->name; c++)
		if (strncmp(c->name, word, strlen(word)) == 0)
			f(word_ctx, c->name, c->help);
	model_complete(&s->model, before, word, f, word_ctx);
}

struct tui_source session_source(struct session *s)
{
	return (struct tui_source){ .ctx = s, .head = head, .load = load, .run = session_run, .undo = session_undo, .seek = seek, .leave = leave, .note = session_note, .warm = session_warm, .list_word = list_word, .complete = complete };
}

bool session_begin(struct session *s, struct cli *cli, bool lesson, struct err *err)
{
	struct tui_host host = { .ctx = s, .question = question, .port = port, .moment = moment, .census = census, .progress = session_progress, .lessons = lessons };
	struct watching *watching;

	*s = (struct session){ .cli = cli, .at = cli->files.nr ? NULL : cli->at };
	if (!cli->files.nr)
		s->lab = cli_lab(cli);
	s->world = new_world();
	census_begin(&s->census, cli->arena);
	probing_begin(&s->probing, cli->arena);
	watching = arena_make(cli->arena, struct watching);
	*watching = (struct watching){ &s->census, &s->probing };
	cli->watcher = (struct watcher){ watch, watching };
	if (lesson && s->lab && !cli->lab && access(s->lab, F_OK) != 0) {       /* a lesson brings its own cluster; around it is what podwire init makes */
		struct world_options opt = { .seed = 1 };

		world_init(s->world, &opt);
		world_settle(s->world, &opt);
		s->lab = NULL;
	} else if (!cli_world(cli, s->world, err)) {
		free(s->world);
		return false;
	}
	model_begin(&s->model, s->world, &host);
	s->model.past = s->at != NULL;
	s->model.lab = s->lab ? s->lab : cli->files.nr ? cli->files.v[0] : "no lab";
	if (strrchr(s->model.lab, '/') && strrchr(s->model.lab, '/')[1])
		s->model.lab = strrchr(s->model.lab, '/') + 1;
	return true;
}

void session_end(struct session *s)
{
	session_remove_lab(s->lesson_temp);
	model_end(&s->model);
	end_world(s->world);
	session_remove_lab(s->temp);
}
