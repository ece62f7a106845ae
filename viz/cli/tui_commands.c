/* Command lines within a session: where they work (the lab that is shown, the files, or a lab made for the change), what they print, and back again. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "viz/cli/labwork.h"
#include "viz/cli/tui_session.h"

/* ---- a lab for what is changed */

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

/* ---- words */

static void add_word(struct words *a, char *word)
{
	if (a->nr + 1 < (int)ARRAY_LEN(a->v))
		a->v[a->nr++] = word;
}

void words_split(struct arena *arena, const char *line, struct words *out)
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

static bool has_option(const struct words *a, const char *one, const char *other)
{
	for (int k = 0; k < a->nr; k++)
		if (strncmp(a->v[k], one, strlen(one)) == 0 || (other && strncmp(a->v[k], other, strlen(other)) == 0))
			return true;
	return false;
}

/* "advance next": up to the next event, or, where there is none within an hour, to the next moment at which an object changes. It is found by letting time
 * pass here; the lab then does the same. */
static bool next_moment(struct session *s, struct arena *a, struct words *words, struct err *err)
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
		session_show_again(s, err);
		return err_add(err, ERR_FAILED, NULL, "nothing is due within an hour: the cluster rests until something is changed");
	}
	words->v[2] = (changed - now) % MILLIS(1) ? arena_printf(a, "%" PRId64 "ns", changed - now)
						  : arena_printf(a, "%" PRId64 ".%03" PRId64 "s", (changed - now) / SECONDS(1), (changed - now) / MILLIS(1) % 1000);
	return true;
}

/* Where the command works: the lab, or the files. false: it may not. */
static bool add_place(struct session *s, const struct command *c, struct arena *a, struct words *words, struct err *err)
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
	if (!session_lab_of(s) && !s->cli->files.nr) {
		if (!make_lab(s->world, s->temp, err))
			return false;
		s->lab = s->temp;
	}
	if (session_lab_of(s)) {
		add_word(words, arena_strdup(a, "--lab"));
		add_word(words, arena_strdup(a, session_lab_of(s)));
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
static const char *redirected(struct words *words)
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
	struct words words = { .nr = 1 };
	const struct command *c;
	const char *to;
	char *text = NULL;
	size_t len = 0;
	struct cli sub = { .arena = a };
	enum err_kind how = ERR_INPUT;

	words.v[0] = arena_strdup(a, "podwire");
	words_split(a, line, &words);
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
		sub.lab = session_lab_of(s);
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
	*changed = c && c->takes & CHANGES_LAB && !err_any(err) && (how == ERR_NONE || how == ERR_FAILED) && session_show_again(s, err);
	if (*changed && s->model.in_lesson)
		session_changed_lesson(s, line);
	if (*changed && !out->len)
		sb_printf(out, "done: %s   (u takes it back)", line);
	arena_free(a);
	return how == ERR_NONE;
}

bool session_undo(void *ctx, struct sb *out, struct err *err)
{
	struct session *s = ctx;
	struct lab *lab;
	bool ok;

	if (s->at)
		return err_add(err, ERR_INPUT, NULL, "this is the past: A (:at now) goes back to the present");
	if (!session_lab_of(s))
		return err_add(err, ERR_INPUT, NULL, "nothing was changed yet");
	lab = lab_open(session_lab_of(s), LAB_WRITE, NULL, err);
	ok = lab && lab_undo(lab, out, err);
	lab_close(lab);
	ok = ok && session_show_again(s, err);
	if (ok)
		session_changed_lesson(s, NULL);
	return ok;
}
