/* What is typed: the command line, search, filter, and the questions of single keys. */
#include "viz/tui/tui.h"

#include <stdio.h>

const char *const tui_commands[][2] = {
	{ "po", "Pods" }, { "svc", "Services" }, { "nodes", "nodes" }, { "netpol", "NetworkPolicies" }, { "trace", "FROM TO" }, { "matrix", "--port 443" }, { "apply", "-f FILE" },
	{ "fault", "node worker-1" }, { "heal", "node worker-1" }, { "advance", "40s" }, { "at", "12.5s, rev:7, now" }, { "show conntrack", "node/worker-1" },
	{ "show routes", "node/worker-1" }, { "learn", "[LESSON]" }, { "run", "SCENARIO" }, { "draw", "cluster --out F.svg" }, { "why", "svc/web, or FROM TO" }, { "compare", "rev:3 [rev:7], other.db" }, { "replay", "a saved trace" },
	{ "set theme", "dark, light, mono" }, { "set glyphs", "utf8, ascii" }, { "map", "the cluster map" }, { "q", "quit" }, { NULL, NULL },
};

void tui_ask(struct tui *t, enum ask_kind kind, const char *text)
{
	t->ask = (struct tui_ask){ .kind = (uint8_t)kind, .history = t->nr_lines };
	t->nr_words = 0;
	ask_set(t, text);
}

void ask_set(struct tui *t, const char *text)
{
	size_t n = MIN(strlen(text), sizeof(t->ask.text) - 1);

	while (n && n < strlen(text) && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	memmove(t->ask.text, text, n);
	t->ask.text[n] = '\0';
	t->ask.at = (uint32_t)n;
}

static void insert(struct tui_ask *a, int key)
{
	char u[5] = "";
	size_t n = strlen(a->text), k;

	if (key < 0x80)
		u[0] = (char)key;
	else if (key < 0x800)
		u[0] = (char)(0xc0 | key >> 6), u[1] = (char)(0x80 | (key & 0x3f));
	else if (key < 0x10000)
		u[0] = (char)(0xe0 | key >> 12), u[1] = (char)(0x80 | (key >> 6 & 0x3f)), u[2] = (char)(0x80 | (key & 0x3f));
	else
		u[0] = (char)(0xf0 | key >> 18), u[1] = (char)(0x80 | (key >> 12 & 0x3f)), u[2] = (char)(0x80 | (key >> 6 & 0x3f)), u[3] = (char)(0x80 | (key & 0x3f));
	k = strlen(u);
	if (n + k + 1 > sizeof(a->text))
		return;
	memmove(a->text + a->at + k, a->text + a->at, n - a->at + 1);
	memcpy(a->text + a->at, u, k);
	a->at += (uint32_t)k;
}

static uint32_t before(const struct tui_ask *a)
{
	uint32_t at = a->at;

	do
		at -= at > 0;
	while (at > 0 && ((unsigned char)a->text[at] & 0xc0) == 0x80);
	return at;
}

static uint32_t behind(const struct tui_ask *a)
{
	uint32_t at = a->at;

	do
		at += a->text[at] != '\0';
	while (((unsigned char)a->text[at] & 0xc0) == 0x80);
	return at;
}

static void cut(struct tui_ask *a, uint32_t from, uint32_t to)
{
	memmove(a->text + from, a->text + to, strlen(a->text + to) + 1);
	a->at = from;
}

static void older(struct tui *t, int by)
{
	uint32_t to = t->ask.history + (uint32_t)by;

	if (t->ask.kind != ASK_COMMAND || to > t->nr_lines)
		return;
	t->ask.history = to;
	ask_set(t, to < t->nr_lines ? t->lines[to] : "");
}

static void remember(struct tui *t, const char *line)
{
	if (!*line || (t->nr_lines && strcmp(t->lines[t->nr_lines - 1], line) == 0))
		return;
	if (t->nr_lines == TUI_LINES)
		memmove(t->lines[0], t->lines[1], sizeof(t->lines[0]) * --t->nr_lines);
	snprintf(t->lines[t->nr_lines++], sizeof(t->lines[0]), "%s", line);
}

/* ---- entered */

static void set_filter(struct tui *t, const char *text)
{
	struct view *v = tui_top(t);
	size_t n = strlen(v->filter);
	bool longer = n && strncmp(text, v->filter, n) == 0 && *text != '!' && *text != '-';

	if (strcmp(text, v->filter) == 0)
		return;
	snprintf(v->filter, sizeof(v->filter), "%.127s", text);
	if (v->id == VIEW_LIST && longer)
		list_narrow(t, v);
	else if (v->id == VIEW_LIST)
		list_refilter(t, v);
	else if (v->id == VIEW_EVENTS)
		events_refilter(t, v);
}

static void open_with(struct tui *t, enum page_kind kind, const char *a, const char *b)
{
	struct tui_want w = tui_want(kind, a, b, 0);

	tui_open(t, &w);
}

static void matrix_port(struct tui *t, const char *text)
{
	char proto[8] = "tcp", port[8] = "", args[64];

	if (sscanf(text, " %7[a-zA-Z] %7[0-9]", proto, port) != 2 && sscanf(text, " %7[0-9]", port) != 1) {
		tui_say(t, TR_BAD, "\"%s\" is not a port, as in 443 or udp 53", text);
		return;
	}
	snprintf(args, sizeof(args), "--protocol %s --port %s", proto, port);
	tui_top(t)->want = tui_want(PAGE_MATRIX, args, tui_top(t)->want.b, tui_top(t)->want.n);
	tui_do(t, CMD_LOAD, "%s", "");
}

static void compare_with(struct tui *t, const char *text)
{
	struct view *v = tui_top(t);

	if (v->id == VIEW_MATRIX) {
		snprintf(v->want.b, sizeof(v->want.b), "%.300s", text);
		tui_do(t, CMD_LOAD, "%s", "");
	} else if (*text) {
		open_with(t, PAGE_OBJECT, "compare", text);
	}
}

/* What is on the screen has a figure of its own where it is a trace, a matrix, a Service, a Pod or a node; else the cluster is drawn. */
static void draw_figure(struct tui *t, const char *file)
{
	static const char *const ends[] = { "svc/", "pod/", "node/" };
	const struct view *v = tui_top(t);
	const char *what = "cluster", *behind = "";

	if (!*file)
		return;
	if (v->id == VIEW_TRACE || v->id == VIEW_MATRIX) {
		what = v->id == VIEW_TRACE ? "trace" : "matrix";
		behind = v->want.a;
	}
	for (size_t k = 0; v->id == VIEW_OBJECT && k < ARRAY_LEN(ends); k++)
		if (strncmp(v->want.a, ends[k], strlen(ends[k])) == 0)
			what = v->want.a;
	tui_do(t, CMD_RUN, "draw %s %s --out '%s'", what, behind, file);
}

/* The answer on the screen, asked for again in the form that the file's ending says. */
static void save_answer(struct tui *t, const char *file)
{
	static const struct { const char *ending; bool trace, matrix; const char *how; } forms[] = {
		{ ".json", true, true, "-o json > " }, { ".yaml", true, true, "-o yaml > " }, { ".txt", true, true, "> " }, { ".pcapng", true, false, "--pcap " }, { ".csv", false, true, "-o csv > " },
	};
	const struct view *v = tui_top(t);
	size_t n = strlen(file);

	if (!n)
		return;
	if (strncmp(v->want.a, "file:", 5) == 0) {
		tui_say(t, TR_WARN, "this trace comes from a file already: %s", v->want.a + 5);
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
		size_t e = strlen(forms[k].ending);

		if (n > e && strcmp(file + n - e, forms[k].ending) == 0 && (v->id == VIEW_TRACE ? forms[k].trace : forms[k].matrix)) {
			tui_do(t, CMD_RUN, "%s %s %s'%s'", v->id == VIEW_TRACE ? "trace" : "matrix", v->want.a, forms[k].how, file);
			return;
		}
	}
	tui_say(t, TR_BAD, "\"%s\" should end in %s", file, v->id == VIEW_TRACE ? ".json, .yaml, .txt or .pcapng" : ".json, .yaml, .txt or .csv");
}

static void tui_command_line(struct tui *, const char *line);

static void entered(struct tui *t)
{
	struct tui_ask a = t->ask;

	t->ask.kind = ASK_NONE;
	t->message[0] = '\0';
	switch ((enum ask_kind)a.kind) {
	case ASK_NONE: break;
	case ASK_COMMAND:
		remember(t, a.text);
		tui_command_line(t, a.text);
		break;
	case ASK_SEARCH:
		snprintf(t->search, sizeof(t->search), "%.127s", a.text);
		tui_search(t);
		break;
	case ASK_FILTER: set_filter(t, a.text); break;
	case ASK_TRACE:
		if (*a.text) {
			char both[660];

			snprintf(t->to, sizeof(t->to), "%.319s", a.text);
			snprintf(both, sizeof(both), "%s %s", t->from, t->to);
			open_with(t, PAGE_TRACE, both, NULL);
		}
		break;
	case ASK_ADVANCE:
		if (*a.text)
			tui_do(t, CMD_RUN, "advance %s", a.text);
		break;
	case ASK_PORT: matrix_port(t, a.text); break;
	case ASK_COMPARE: compare_with(t, a.text); break;
	case ASK_DRAW: draw_figure(t, a.text); break;
	case ASK_SAVE: save_answer(t, a.text); break;
	case ASK_ENDS:
		snprintf(tui_top(t)->filter, sizeof(tui_top(t)->filter), "%.127s", a.text);
		matrix_refilter(t, tui_top(t));
		break;
	case ASK_DELETE: break;
	}
}

static void answer_delete(struct tui *t, int key)
{
	const char *slash = strchr(t->ask.text, '/'), *name = slash ? strchr(slash + 1, '/') : NULL;

	t->ask.kind = ASK_NONE;
	if (key != 'y' && key != 'Y')
		tui_say(t, TR_DIM, "nothing was deleted");
	else if (name)
		tui_do(t, CMD_RUN, "delete %.*s%s -n %.*s", (int)(slash - t->ask.text), t->ask.text, name, (int)(name - slash - 1), slash + 1);
	else
		tui_do(t, CMD_RUN, "delete %s", t->ask.text);
}

void ask_key(struct tui *t, int key)
{
	struct tui_ask *a = &t->ask;

	if (a->kind == ASK_DELETE) {
		answer_delete(t, key);
		return;
	}
	t->nr_words = key == TK_TAB ? t->nr_words : 0;
	switch (key) {
	case TK_ESC:
		if (a->kind == ASK_FILTER)
			set_filter(t, "");
		a->kind = ASK_NONE;
		return;
	case TK_ENTER: entered(t); return;
	case TK_TAB: tui_do(t, CMD_COMPLETE, "%s", ""); return;
	case TK_UP: case TK_CTRL('P'): older(t, -1); return;
	case TK_DOWN: case TK_CTRL('N'): older(t, 1); return;
	case TK_LEFT: a->at = before(a); return;
	case TK_RIGHT: a->at = behind(a); return;
	case TK_HOME: case TK_CTRL('A'): a->at = 0; return;
	case TK_END: case TK_CTRL('E'): a->at = (uint32_t)strlen(a->text); return;
	case TK_BACKSPACE: case TK_CTRL('H'):
		if (!*a->text && a->kind == ASK_COMMAND)
			a->kind = ASK_NONE;
		cut(a, before(a), a->at);
		break;
	case TK_DELETE: cut(a, a->at, behind(a)); break;
	case TK_CTRL('U'): cut(a, 0, a->at); break;
	case TK_CTRL('W'): {
		uint32_t from = a->at;

		while (from && a->text[from - 1] == ' ')
			from--;
		while (from && a->text[from - 1] != ' ')
			from--;
		cut(a, from, a->at);
		break;
	}
	default:
		if (key < 32 || key >= 0x110000 || key == 127)
			return;
		insert(a, key);
	}
	if (a->kind == ASK_FILTER)
		set_filter(t, a->text);
}

/* ---- the command line */

static const char *word_end(const char *s) { return s + strcspn(s, " "); }
static const char *skip(const char *s) { return s + strspn(s, " "); }

static bool is_word(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && (line[n] == '\0' || line[n] == ' ');
}

static void to_map(struct tui *t)
{
	while (t->depth > 1)
		tui_action(t, ACT_BACK, TK_ESC);
}

static bool set_look(struct tui *t, const char *rest)
{
	if (is_word(rest, "glyphs")) {
		const char *which = skip(rest + 6);

		if (strcmp(which, "ascii") != 0 && strcmp(which, "utf8") != 0)
			return false;
		t->ascii = *which == 'a';
		return true;
	}
	if (!is_word(rest, "theme") || (strcmp(skip(rest + 5), "dark") != 0 && strcmp(skip(rest + 5), "light") != 0 && strcmp(skip(rest + 5), "mono") != 0))
		return false;
	tui_do(t, CMD_LOOK, "theme %s", skip(rest + 5));
	return true;
}

/* A kind's word opens its list, with what follows as filter. */
static bool open_list(struct tui *t, const char *word, size_t n, const char *rest)
{
	char text[64];
	const char *kind;

	snprintf(text, sizeof(text), "%.*s", (int)MIN(n, sizeof(text) - 1), word);
	kind = t->list_word ? t->list_word(t->list_ctx, text) : NULL;
	if (!kind)
		return false;
	open_with(t, PAGE_LIST, kind, NULL);
	snprintf(tui_top(t)->filter, sizeof(tui_top(t)->filter), "%.127s", rest);
	return true;
}

/* What `show` prints line by line is a list here. */
static bool shows_table(const char *rest)
{
	static const char *const tables[] = { "routes", "links", "listeners", "conntrack", "affinity", "ipam" };

	for (size_t k = 0; k < ARRAY_LEN(tables); k++)
		if (is_word(rest, tables[k]))
			return true;
	return false;
}

/* A moment, or another lab: 12.5s, rev:7, other.db. Files and folders are for the command. */
static bool names_moment(const char *rest)
{
	size_t n = strcspn(rest, " ");

	return strncmp(rest, "rev:", 4) == 0 || (*rest >= '0' && *rest <= '9') || (n > 3 && strncmp(rest + n - 3, ".db", 3) == 0);
}

/* Words of the command line that have a screen of their own. */
static bool own_screen(struct tui *t, const char *line)
{
	const char *rest = skip(word_end(line));

	if (is_word(line, "trace") && *rest && !strstr(rest, "-o ") && !strstr(rest, "--batch"))
		open_with(t, PAGE_TRACE, rest, NULL);
	else if (is_word(line, "matrix") && !strstr(rest, "--explain") && !strstr(rest, "-o ") && !strstr(rest, "--lint") && !strstr(rest, "--must"))
		open_with(t, PAGE_MATRIX, rest, NULL);
	else if (is_word(line, "replay") && *rest) {
		char file[320];

		snprintf(file, sizeof(file), "file:%.300s", rest);
		open_with(t, PAGE_TRACE, file, NULL);
	} else if (is_word(line, "describe") && *rest)
		open_with(t, PAGE_OBJECT, rest, "describe");
	else if ((is_word(line, "events") || is_word(line, "timeline")) && !*rest)
		open_with(t, PAGE_TIMELINE, NULL, NULL);
	else if (is_word(line, "compare") && names_moment(rest))
		open_with(t, PAGE_OBJECT, "compare", rest);
	else if (is_word(line, "learn") && *rest)
		open_with(t, PAGE_LESSON, rest, NULL);
	else if (is_word(line, "learn") || is_word(line, "lessons"))
		open_with(t, PAGE_LIST, "lessons", NULL);
	else if (is_word(line, "at"))
		tui_do(t, CMD_SEEK, "%s", strcmp(rest, "now") == 0 ? "" : rest);
	else if (is_word(line, "show") && shows_table(rest))
		open_with(t, PAGE_LIST, line, NULL);
	else if (is_word(line, "get") && *rest && !strchr(rest, ' ') && !strchr(rest, '/') && !strchr(rest, ','))
		return open_list(t, rest, strlen(rest), "");
	else if (is_word(line, "get") && strchr(rest, '/') && !strchr(rest, ' '))
		open_with(t, PAGE_OBJECT, rest, "yaml");
	else
		return false;
	return true;
}

/* As typed behind ":". */
static void tui_command_line(struct tui *t, const char *line)
{
	size_t n;
	char word[64];

	line = skip(line + strspn(line, ": "));
	if (is_word(line, "podwire"))
		line = skip(line + 7);
	n = strcspn(line, " ");
	snprintf(word, sizeof(word), "%.*s", (int)MIN(n, sizeof(word) - 1), line);
	if (!*line)
		return;
	if (strcmp(line, "q") == 0 || strcmp(line, "q!") == 0 || strcmp(line, "exit") == 0)
		tui_do(t, CMD_QUIT, "%s", "");
	else if (is_word(line, "map") || strcmp(line, "cluster") == 0)
		to_map(t);
	else if (is_word(line, "set")) {
		if (!set_look(t, skip(line + 3)))
			tui_say(t, TR_BAD, "set theme dark|light|mono, set glyphs utf8|ascii");
	} else if (!own_screen(t, line) && !open_list(t, line, n, skip(line + n))) {
		enum action_id act = line[n] ? ACT_NONE : action_named(word);

		if (act && !(actions[act].views & 1u << tui_top(t)->id))
			tui_say(t, TR_WARN, "\"%s\" means nothing in this view", word);
		else if (act)
			tui_action(t, act, actions[act].keys[0]);
		else
			tui_do(t, CMD_RUN, "%s", line);
	}
}

void ask_draw(const struct tui *t, struct cells *c)
{
	static const char *const words[] = { [ASK_COMMAND] = ":", [ASK_SEARCH] = "/", [ASK_FILTER] = "filter: ", [ASK_TRACE] = "trace to: ", [ASK_ADVANCE] = "advance by: ", [ASK_PORT] = "port: ",
		[ASK_COMPARE] = "compare with (rev:7, 12.5s, other.db): ", [ASK_DRAW] = "write figure to (.svg .png .dot .pdf): ", [ASK_SAVE] = "save to (.json .yaml .txt, a trace .pcapng, a matrix .csv): ", [ASK_ENDS] = "only (shop, or web > db; empty: all): ", [ASK_DELETE] = "delete " };
	const struct tui_ask *a = &t->ask;
	int y = tui_small(t) ? c->h - 1 : c->h - 2, x = 1, room, at;
	char upto[512];

	cells_printf(c, 0, y, c->w, TR_TEXT, "%*s", c->w, "");
	if (a->kind == ASK_TRACE)
		x += cells_printf(c, x, y, c->w / 2, TR_KEY, "trace %s → ", t->from);
	else
		x += cells_text(c, x, y, c->w - 2, TR_KEY, words[a->kind]);
	if (a->kind == ASK_DELETE) {
		cells_printf(c, x, y, c->w - x, TR_BAD, "%s? y deletes it, any other key does not", a->text);
		return;
	}
	snprintf(upto, sizeof(upto), "%.*s", (int)a->at, a->text);
	room = c->w - x - 2;
	at = text_width(upto);
	if (at > room) {                                /* the end is what matters while one types */
		const char *p = upto;
		uint32_t ch;
		int width, over = at - room + 1;

		cells_glyph(c, x, y, TR_DIM, TG_MORE);
		while (over > 0 && *p) {
			p += text_next(p, &ch, &width);
			over -= width;
		}
		at = 1 + cells_text(c, x + 1, y, room, TR_TEXT, p);
	} else {
		cells_text(c, x, y, room, TR_TEXT, a->text);
	}
	cells_attr(c, (struct rect){ x + at, y, 1, 1 }, TA_REVERSE);
	if (t->nr_words > 1 && !tui_small(t)) {
		cells_printf(c, 0, c->h - 1, c->w, TR_TEXT, "%*s", c->w, "");
		x = 1;
		for (uint32_t k = 0; k < MIN(t->nr_words, (uint32_t)ARRAY_LEN(t->words)) && x < c->w - 4; k++)
			x += cells_text(c, x, c->h - 1, c->w - x, TR_DIM, t->words[k]) + 2;
		if (t->nr_words > ARRAY_LEN(t->words))
			cells_printf(c, x, c->h - 1, c->w - x, TR_DIM, "… %u in all", t->nr_words);
	}
}
