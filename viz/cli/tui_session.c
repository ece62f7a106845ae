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

/* The cluster as it is, as a new lab that ends with the session. */
static bool make_lab(struct world *w, char path[256], struct err *err)
{
	static const char *const argv[] = { "podwire", "tui" };
	const char *dir = getenv("TMPDIR");
	struct lab_input in = { .argv = argv, .argc = 2 };
	struct lab *lab;
	int fd;
	bool ok;

	snprintf(path, 256, "%.200s/podwire-tui-XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0) {
		err_add(err, ERR_MACHINE, NULL, "no lab can be made in %s", path);
		*path = '\0';
		return false;
	}
	close(fd);
	lab = lab_open(path, LAB_NEW, NULL, err);
	ok = lab && lab_save_world(lab, w, &in, err);
	lab_close(lab);
	if (!ok)
		session_remove_lab(path);
	return ok;
}

static const char *lab_of(const struct session *s) { return s->model.in_lesson ? *s->lesson_temp ? s->lesson_temp : NULL : s->lab; }

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

/* Reads the lab again. What is shown stays if that fails. */
static bool show_again(struct session *s, struct err *err)
{
	struct world *w = new_world(), **at = s->model.in_lesson ? &s->model.lesson_world : &s->world;

	if (!read_lab(s, lab_of(s), s->model.in_lesson ? NULL : s->at, w, err)) {
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
	if (show_again(s, err))
		return true;
	s->at = before;
	return false;
}

/* ---- command lines */

struct argv { char *v[64]; int nr; };

static void add_word(struct argv *a, char *word)
{
	if (a->nr + 1 < (int)ARRAY_LEN(a->v))
		a->v[a->nr++] = word;
}

/* Blanks part words; '…' and "…" hold them together. */
static void split(struct arena *arena, const char *line, struct argv *out)
{
	while (*line) {
		char *word = arena_strdup(arena, line), *to = word, quote = 0;

		for (; *line && (quote || *line != ' '); line++) {
			if (quote ? *line == quote : *line == '\'' || *line == '"')
				quote = quote ? 0 : *line;
			else
				*to++ = *line;
		}
		*to = '\0';
		if (to > word)
			add_word(out, word);
		line += strspn(line, " ");
	}
}

static bool has_option(const struct argv *a, const char *one, const char *other)
{
	for (int k = 0; k < a->nr; k++)
		if (strncmp(a->v[k], one, strlen(one)) == 0 || (other && strncmp(a->v[k], other, strlen(other)) == 0))
			return true;
	return false;
}

/* "advance next": up to the next event, or, where there is none within an hour, to the next moment at which an object changes. It is found by letting time
 * pass here; the lab then does the same. */
static bool next_moment(struct session *s, struct arena *a, struct argv *words, struct err *err)
{
	struct world *w = s->model.world;
	nsec now = cluster_now(w->cluster), next, changed = NEVER;
	uint32_t events;
	rev_t rev;

	if (words->nr < 3 || strcmp(words->v[1], "advance") != 0 || strcmp(words->v[2], "next") != 0)
		return true;
	control_advance(w->control, 0);         /* what was read back from a lab looks at everything once */
	rev = cluster_rev(w->cluster);
	events = cluster_event_count(w->cluster);
	while ((next = control_next(w->control)) != NEVER && next - now <= SECONDS(3600) && cluster_event_count(w->cluster) == events) {
		control_advance(w->control, MAX(next - cluster_now(w->cluster), 1));
		if (changed == NEVER && cluster_rev(w->cluster) != rev)
			changed = cluster_now(w->cluster);
	}
	if (cluster_event_count(w->cluster) != events)
		changed = cluster_now(w->cluster);
	if (changed == NEVER) {
		show_again(s, err);
		return err_add(err, ERR_FAILED, NULL, "nothing is due within an hour: the cluster rests until something is changed");
	}
	words->v[2] = (changed - now) % MILLIS(1) ? arena_printf(a, "%" PRId64 "ns", changed - now)
						  : arena_printf(a, "%" PRId64 ".%03" PRId64 "s", (changed - now) / SECONDS(1), (changed - now) / MILLIS(1) % 1000);
	return true;
}

/* Where the command works: the lab, or the files. false: it may not. */
static bool add_place(struct session *s, const struct command *c, struct arena *a, struct argv *words, struct err *err)
{
	if (!(c->takes & (CHANGES_LAB | READS_LAB)) || has_option(words, "--lab", NULL) || ((c->takes & READS_LAB) && has_option(words, "-f", "--filename")))
		return true;
	if (c->takes & CHANGES_LAB) {
		if (s->at && !s->model.in_lesson)
			return err_add(err, ERR_INPUT, NULL, "this is the past: A (:at now) goes back to the present, where it can be changed");
		if (s->model.in_lesson && !*s->lesson_temp && !make_lab(s->model.lesson_world, s->lesson_temp, err))
			return false;
		if (!s->model.in_lesson && !s->lab) {
			if (!make_lab(s->world, s->temp, err))
				return false;
			s->lab = s->temp;
		}
	}
	if (s->model.in_lesson && !*s->lesson_temp && !make_lab(s->model.lesson_world, s->lesson_temp, err))
		return false;
	if (!lab_of(s) && !s->cli->files.nr) {
		if (!make_lab(s->world, s->temp, err))
			return false;
		s->lab = s->temp;
	}
	if (lab_of(s)) {
		add_word(words, arena_strdup(a, "--lab"));
		add_word(words, arena_strdup(a, lab_of(s)));
		if (s->at && c->takes & G_FILES && !s->model.in_lesson) {
			add_word(words, arena_strdup(a, "--at"));
			add_word(words, arena_strdup(a, s->at));
		}
		return true;
	}
	for (uint32_t k = 0; k < s->cli->files.nr; k++) {
		add_word(words, arena_strdup(a, "-f"));
		add_word(words, arena_strdup(a, s->cli->files.v[k]));
	}
	return true;
}

/* "… > FILE": the output goes there. → FILE; NULL: to the screen. */
static const char *redirected(struct argv *words)
{
	const char *file;

	if (words->nr < 4 || strcmp(words->v[words->nr - 2], ">") != 0)
		return NULL;
	file = words->v[words->nr - 1];
	words->nr -= 2;
	return file;
}

static void write_to(const char *file, struct sb *out, struct err *err)
{
	size_t n = out->len;

	if (!file_write(file, out)) {
		err_add(err, ERR_FAILED, NULL, "%s: %s", file, strerror(errno));
		return;
	}
	sb_reset(out);
	sb_printf(out, "%s: %zu bytes written", file, n);
}

bool session_run(void *ctx, const char *line, struct sb *out, bool *changed, struct err *err)
{
	struct session *s = ctx;
	struct arena *a = arena_new(NULL, "command line");
	struct argv words = { .nr = 1 };
	const struct command *c;
	const char *to;
	char *text = NULL;
	size_t len = 0;
	struct cli sub = { .arena = a };
	enum err_kind how = ERR_INPUT;

	words.v[0] = arena_strdup(a, "podwire");
	split(a, line, &words);
	to = redirected(&words);
	c = words.nr > 1 ? command_find(words.v[1]) : NULL;
	if (c && c->run == cmd_tui) {
		err_add(err, ERR_INPUT, NULL, "this is podwire tui already");
	} else if (!c || (add_place(s, c, a, &words, err) && next_moment(s, a, &words, err))) {
		if (s->cli->ns && c && !has_option(&words, "-n", "--namespace")) {
			add_word(&words, arena_strdup(a, "-n"));
			add_word(&words, arena_strdup(a, s->cli->ns));
		}
		words.v[words.nr] = NULL;
		sub.argc = words.nr;
		sub.argv = words.v;
		sub.lab = lab_of(s);
		sub.to = open_memstream(&text, &len);
		if (!sub.to)
			abort();
		how = cli_run(&sub, words.nr, words.v, err);
		fclose(sub.to);
		sb_addn(out, text, len);
		free(text);
	}
	if (to && out->len) {
		err_free(err);                  /* "not delivered" is an answer, and stands in the file */
		write_to(to, out, err);
	}
	*changed = c && c->takes & CHANGES_LAB && !err_any(err) && (how == ERR_NONE || how == ERR_FAILED) && show_again(s, err);
	if (*changed && s->model.in_lesson)
		session_changed_lesson(s, line);
	if (*changed && !out->len)
		sb_printf(out, "done: %s   (u takes it back)", line);
	arena_free(a);
	return how == ERR_NONE;
}

static bool undo(void *ctx, struct sb *out, struct err *err)
{
	struct session *s = ctx;
	struct lab *lab;
	bool ok;

	if (s->at)
		return err_add(err, ERR_INPUT, NULL, "this is the past: A (:at now) goes back to the present");
	if (!lab_of(s))
		return err_add(err, ERR_INPUT, NULL, "nothing was changed yet");
	lab = lab_open(lab_of(s), LAB_WRITE, NULL, err);
	ok = lab && lab_undo(lab, out, err);
	lab_close(lab);
	ok = ok && show_again(s, err);
	if (ok)
		session_changed_lesson(s, NULL);
	return ok;
}

/* ---- what the pages ask for */

static bool options_of(struct session *s, const char *words, unsigned takes, struct arena *a, struct cli *out, struct err *err)
{
	struct argv v = { .nr = 0 };

	*out = (struct cli){ .arena = a, .ns = s->cli->ns };
	split(a, words, &v);
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
	if (!lab_of(s))
		return err_add(err, ERR_INPUT, NULL, "only a lab remembers earlier moments; this cluster comes from files and was not changed yet");
	return read_lab(s, lab_of(s), at, w, err);
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
	if (!lab_of(s)) {
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
	c.lab = lab_of(s);
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

/* The dataplane, then the rules of a node, then the names of its chains, then who may reach whom: a large cluster takes a second for all of it. */
static bool warm(void *ctx)
{
	enum { AT_ONCE = 4000 };
	struct session *s = ctx;
	struct world *w = s->model.world;
	struct object_list nodes = cluster_list(w->cluster, &node_kind);
	bool compiled = w->dp != NULL;
	struct dataplane *dp = world_dataplane(w);
	netns_h h = compiled && nodes.nr ? netns_find(dp, arena_printf(s->model.arena, "node/%s", nodes.v[nodes.nr - 1]->name)) : (netns_h){ 0 };
	const struct ruleset *rs;
	uint32_t last;

	if (!compiled || !h.i)
		return !compiled && nodes.nr;
	if (!s->warmed)
		dataplane_node_ready(dp, h);
	rs = netns_get(dp, h)->rules;
	last = rs ? ruleset_nr_chains(rs) : 0;
	for (uint32_t k = s->warmed; k < MIN(s->warmed + AT_ONCE, last); k++)
		ruleset_chain_get(rs, (chain_h){ k + 1 });
	s->warmed += AT_ONCE;
	if (s->warmed < last)
		return true;
	model_reach(&s->model);
	return false;
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
	return (struct tui_source){ .ctx = s, .head = head, .load = load, .run = session_run, .undo = undo, .seek = seek, .leave = leave, .note = session_note, .warm = warm, .list_word = list_word, .complete = complete };
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
