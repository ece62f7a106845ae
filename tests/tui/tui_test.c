/* The terminal program without a terminal: screens against tests/tui/golden/, keys, and what must hold for every sequence of them. `make golden-accept` writes the
 * screens anew. */
#include "tests/tui/fake.h"
#include "tests/unit/test.h"

#include <ctype.h>
#include <stdlib.h>

struct run { struct fake fake; struct tui_source source; struct tui *t; struct cells screen; char copied[700]; };

static void edge(void *ctx, const struct tui_cmd *c)
{
	struct run *r = ctx;

	if (c->kind == CMD_COPY)
		snprintf(r->copied, sizeof(r->copied), "%s", c->text);
}

static void begin(struct run *r, int w, int h)
{
	r->source = fake_source(&r->fake);
	r->t = calloc(1, sizeof(*r->t));
	tui_init(r->t, &r->source, w, h);
	tui_step(r->t, &r->source, NULL, edge, r);
}

static void end(struct run *r)
{
	tui_free(r->t);
	free(r->t);
	cells_free(&r->screen);
}

static void key(struct run *r, int k) { tui_step(r->t, &r->source, &(struct tui_event){ .kind = EV_KEY, .key = k }, edge, r); }

static void resize(struct run *r, int w, int h) { tui_step(r->t, &r->source, &(struct tui_event){ .kind = EV_RESIZE, .w = w, .h = h }, edge, r); }

/* Characters are keys; <Enter>, <Right>, <Tab>, <Esc>, <F4> … are named. */
static void keys(struct run *r, const char *s)
{
	static const struct { const char *name; int key; } names[] = { { "<Enter>", TK_ENTER }, { "<Esc>", TK_ESC }, { "<Tab>", TK_TAB }, { "<Left>", TK_LEFT }, { "<Right>", TK_RIGHT }, { "<Up>", TK_UP },
		{ "<Down>", TK_DOWN }, { "<End>", TK_END }, { "<F4>", TK_F(4) }, { "<PgDn>", TK_PAGE_DOWN }, { "<C-d>", TK_CTRL('D') }, { "<BS>", TK_BACKSPACE } };

	while (*s) {
		bool named = false;

		for (size_t k = 0; k < ARRAY_LEN(names) && !named; k++)
			if (strncmp(s, names[k].name, strlen(names[k].name)) == 0) {
				key(r, names[k].key);
				s += strlen(names[k].name);
				named = true;
			}
		if (!named) {
			uint32_t c;
			int width;

			s += text_next(s, &c, &width);
			key(r, (int)c);
		}
	}
}

static const char *screen(struct run *r)
{
	return screen_text(r->t, &r->screen);
}

static bool shows(struct run *r, const char *text) { return strstr(screen(r), text) != NULL; }

/* ---- screens */

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	static char text[200000];
	size_t n;

	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void golden(struct run *r, const char *name)
{
	struct sb text = { 0 };
	char path[200];
	const char *accept = getenv("GOLDEN");

	tui_view(r->t, &r->screen);
	cells_print(&r->screen, false, &text);
	sb_add(&text, "---- roles\n");
	cells_print(&r->screen, true, &text);
	snprintf(path, sizeof(path), "tests/tui/golden/%s.%dx%d.txt", name, r->t->w, r->t->h);
	if (accept && strcmp(accept, "accept") == 0) {
		FILE *f = fopen(path, "w");

		CU_ASSERT_FATAL(f != NULL);
		fputs(sb_text(&text), f);
		fclose(f);
	} else if (!test_same_text(path, 1, sb_text(&text), read_all(path))) {
		CU_FAIL("the screen is not as it was: make golden-accept, and look at the difference");
	}
	sb_free(&text);
}

TEST(tui_screens)
{
	static const struct { const char *name, *keys; } views[] = {
		{ "map", "" }, { "map-path", ":trace client svc/web:80<Enter><Esc>" }, { "map-service", "<Tab>" }, { "trace-follow", ":trace client svc/web:80<Enter>ff<Right><Right>" }, { "matrix-ends", "mfapi<Enter>" }, { "events-filter", "v<F4>Killing<Enter>" }, { "list", ":po<Enter>" }, { "list-filter", ":po<Enter><F4>default<Enter><Down><Down>" }, { "pod", "<Down><Enter>" },
		{ "pod-yaml", "<Down><Enter>2<Down><Down>" }, { "service", ":describe svc/default/web<Enter>1" }, { "service-mode", ":describe svc/default/web<Enter>1i" }, { "service-plan", ":describe svc/default/web<Enter>p" }, { "trace-hop1", ":trace client svc/web:80<Enter>" },
		{ "trace-hop3", ":trace client svc/web:80<Enter><Right><Right>" }, { "trace-explain", ":trace client svc/web:80<Enter><Right><Right>e" }, { "trace-reply", ":trace client svc/web:80<Enter>r<Right>" },
		{ "trace-dropped", ":trace client svc/web:80<Enter>O<End>" }, { "matrix", "m<Down><Down><Enter>" }, { "events", "v" }, { "events-marks", "v<Left><Left> <Left><Left><Left> " },
		{ "lesson", ":learn x<Enter><Right><Right><Right>" }, { "lesson-wrong", ":learn x<Enter><Right>3<Enter>e" }, { "help", ":trace client svc/web:80<Enter>?" }, { "break", "x" },
		{ "command", ":trace pod/default/web-<Tab><Tab>" }, { "past", ":at 3s<Enter>" },
	};
	static const int sizes[][2] = { { 100, 30 }, { 80, 24 } };
	static const struct { int w, h; } others[] = { { 132, 43 }, { 60, 20 }, { 40, 10 }, { 38, 9 } };

	for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
		for (size_t k = 0; k < ARRAY_LEN(views); k++) {
			struct run r = { 0 };

			begin(&r, sizes[s][0], sizes[s][1]);
			keys(&r, views[k].keys);
			golden(&r, views[k].name);
			end(&r);
		}
	for (size_t k = 0; k < ARRAY_LEN(others); k++) {
		struct run r = { 0 };

		begin(&r, others[k].w, others[k].h);
		golden(&r, "map");
		keys(&r, ":trace client svc/web:80<Enter><Right><Right>");
		golden(&r, "trace-hop3");
		end(&r);
	}
}

TEST(tui_screens_in_ascii)
{
	struct run r = { 0 };

	begin(&r, 80, 24);
	r.t->ascii = true;
	golden(&r, "map-ascii");
	keys(&r, ":trace client svc/web:80<Enter><Right><Right>");
	for (const char *s = screen(&r); *s; s++)
		if ((unsigned char)*s >= 0x80) {
			CU_FAIL("a character that is not ASCII");
			break;
		}
	end(&r);
}

TEST(tui_screens_of_many)
{
	struct run grid = { .fake = { .pods = 3000, .nodes = 60 } }, zones = { .fake = { .pods = 150000, .nodes = 5000 } };

	begin(&grid, 100, 30);
	golden(&grid, "map-grid");
	end(&grid);
	begin(&zones, 100, 30);
	golden(&zones, "map-zones");
	keys(&zones, "<Down><Enter>");
	CU_ASSERT(shows(&zones, "w-715"));
	keys(&zones, "<Esc>");
	CU_ASSERT(shows(&zones, "zone-b"));
	keys(&zones, ":po<Enter><End>");
	CU_ASSERT(shows(&zones, "web-149999"));
	end(&zones);
}

/* ---- keys */

TEST(tui_actions_are_whole)
{
	for (int k = 1; k < ACT_COUNT; k++) {
		const struct action *a = &actions[k];

		CU_ASSERT(a->name && *a->name && a->help && *a->help && a->views);
		CU_ASSERT(action_named(a->name) == a->id);
		for (const char *s = a->name; *s; s++)
			CU_ASSERT(islower((unsigned char)*s) || *s == '-');
		for (int i = k + 1; i < ACT_COUNT; i++) {
			CU_ASSERT(strcmp(a->name, actions[i].name) != 0);
			for (int x = 0; x < 4; x++)
				for (int y = 0; y < 4; y++)
					if (a->keys[x] && a->keys[x] == actions[i].keys[y] && a->views & actions[i].views) {
						fprintf(stderr, "\n%s and %s have the same key in one view\n", a->name, actions[i].name);
						CU_FAIL("a key means two things");
					}
		}
	}
}

static void key_table(struct sb *out)
{
	static const char *const views[VIEW_COUNT] = { "map", "lists", "objects", "trace", "matrix", "events", "lesson", "help" };

	sb_add(out, "| keys | `:` | does | where |\n| --- | --- | --- | --- |\n");
	for (int k = 1; k < ACT_COUNT; k++) {
		const struct action *a = &actions[k];
		char text[48];
		const char *sep = "";

		action_keys(a, false, text);
		sb_add(out, "| `");
		for (const char *s = text; *s; s++)
			sb_printf(out, *s == '|' ? "\\%c" : "%c", *s);
		sb_printf(out, "` | `:%s` | %s | ", a->name, a->help);
		for (int v = 0; v < VIEW_COUNT; v++)
			if (a->views != (unsigned)V_ALL && a->views & 1u << v) {
				sb_printf(out, "%s%s", sep, views[v]);
				sep = ", ";
			}
		sb_printf(out, "%s |\n", a->views == (unsigned)V_ALL ? "everywhere" : "");
	}
}

/* The table of keys in docs/tui.md is the program's; `make golden-accept` writes it anew. */
TEST(tui_actions_are_documented)
{
	static const char mark[] = "<!-- keys: written by make golden-accept -->\n";
	char *text = read_all("docs/tui.md"), *from, *to;
	struct sb table = { 0 }, now = { 0 };

	CU_ASSERT_FATAL(text != NULL);
	from = strstr(text, mark);
	to = from ? strstr(from + strlen(mark), mark) : NULL;
	CU_ASSERT_FATAL(to != NULL);
	from += strlen(mark);
	key_table(&table);
	if (getenv("GOLDEN") && strcmp(getenv("GOLDEN"), "accept") == 0) {
		FILE *f;

		sb_addn(&now, text, (size_t)(from - text));
		sb_add(&now, sb_text(&table));
		sb_add(&now, to);
		f = fopen("docs/tui.md", "w");
		CU_ASSERT_FATAL(f != NULL);
		fputs(sb_text(&now), f);
		fclose(f);
	} else {
		sb_addn(&now, from, (size_t)(to - from));
		SAME_TEXT(sb_text(&now), sb_text(&table));
	}
	sb_free(&table);
	sb_free(&now);
}

TEST(tui_keys_do_what_they_say)
{
	struct run r = { 0 };

	begin(&r, 100, 30);
	keys(&r, ":po<Enter>");
	CU_ASSERT(shows(&r, "Pods") && shows(&r, "web-11"));
	keys(&r, "/web-7<Enter>");
	keys(&r, "q");
	CU_ASSERT(r.t->depth == 1);
	keys(&r, ".");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "advance next");
	keys(&r, "+40s<Enter>");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "advance 40s");
	keys(&r, "u");
	CU_ASSERT(r.fake.undone == 1 && shows(&r, "undone: advance 40s"));
	keys(&r, "<Right>x1");
	CU_ASSERT(strncmp(r.fake.ran, "fault node ", 11) == 0);
	keys(&r, "X<Enter>");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "heal bgp worker-1");
	keys(&r, ":rules --node worker-1<Enter>");
	CU_ASSERT(shows(&r, "chain services"));
	keys(&r, "q:next-match<Enter>:no-such-word<Enter>");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "no-such-word");
	keys(&r, ":po<Enter><C-d>n");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "no-such-word");
	keys(&r, "<C-d>y");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "delete pod/web-0 -n kube-system");
	keys(&r, "c");
	CU_ASSERT_STRING_EQUAL(r.copied, "kubectl get pod -n kube-system web-0 -o yaml");
	keys(&r, ":describe pod/missing<Enter>");
	CU_ASSERT(shows(&r, "is not there"));
	keys(&r, ":learn x<Enter>q");
	CU_ASSERT(r.fake.left == 1);
	keys(&r, "z");
	CU_ASSERT(shows(&r, "z does nothing on this screen"));
	keys(&r, ":trace client svc/web:80<Enter>sway.json<Enter>");
	CU_ASSERT_STRING_EQUAL(r.fake.ran, "trace client svc/web:80 -o json > 'way.json'");
	keys(&r, ":matrix<Enter>e");
	CU_ASSERT(strncmp(r.fake.ran, "matrix --explain pod/", 21) == 0 && strstr(r.fake.ran, " --port 80 --protocol tcp"));
	keys(&r, "t");
	CU_ASSERT(tui_top(r.t)->id == VIEW_TRACE && strstr(tui_top(r.t)->want.a, ":80"));
	keys(&r, "sway.doc<Enter>");
	CU_ASSERT(shows(&r, "should end in"));
	keys(&r, ":q<Enter>");
	CU_ASSERT(r.t->quit);
	end(&r);
}

TEST(tui_takes_the_mouse)
{
	struct run r = { 0 };

	begin(&r, 100, 30);
	tui_step(r.t, &r.source, &(struct tui_event){ .kind = EV_MOUSE, .x = 60, .y = 9, .button = MOUSE_CLICK }, edge, &r);
	CU_ASSERT_STRING_EQUAL(tui_top(r.t)->seek, "pod/default/db-0");
	tui_step(r.t, &r.source, &(struct tui_event){ .kind = EV_MOUSE, .x = 60, .y = 9, .button = MOUSE_DOUBLE }, edge, &r);
	CU_ASSERT(tui_top(r.t)->id == VIEW_OBJECT);
	tui_step(r.t, &r.source, &(struct tui_event){ .kind = EV_MOUSE, .x = 14, .y = 3, .button = MOUSE_CLICK }, edge, &r);
	CU_ASSERT(shows(&r, "view: yaml"));
	tui_step(r.t, &r.source, &(struct tui_event){ .kind = EV_MOUSE, .x = 14, .y = 9, .button = MOUSE_WHEEL_DOWN }, edge, &r);
	CU_ASSERT(tui_top(r.t)->pane_cursor[0] == 3);
	end(&r);
}

TEST(tui_lists_filter_and_sort)
{
	struct run r = { 0 };

	begin(&r, 100, 30);
	keys(&r, ":po<Enter><F4>!default<Enter>");
	CU_ASSERT(shows(&r, "4 of 12") && !shows(&r, "default      web"));
	keys(&r, "<F4><Esc>");
	CU_ASSERT(shows(&r, "filter: -"));
	keys(&r, "<F4>-l app=web<Enter>");
	CU_ASSERT(shows(&r, "6 of 12"));
	keys(&r, "<F4><Esc>2");
	CU_ASSERT(shows(&r, "namespace: default"));
	keys(&r, "0<");
	CU_ASSERT(shows(&r, "AGE"));
	keys(&r, "I");
	CU_ASSERT(tui_top(r.t)->shown[0] == 11);
	keys(&r, "g");
	CU_ASSERT(tui_top(r.t)->cursor == 0);
	end(&r);
}

TEST(tui_trace_steps_both_ways)
{
	struct run r = { 0 };
	char *before;

	begin(&r, 100, 30);
	keys(&r, ":trace client svc/web:80<Enter><Right><Right>");
	CU_ASSERT(shows(&r, "3 of 6") && shows(&r, "10.244.2.7:8080") && shows(&r, "web.yaml:31"));
	before = strdup(screen(&r));
	keys(&r, "<Right><Right><Left><Left>");
	SAME_TEXT(screen(&r), before);
	free(before);
	keys(&r, "o");
	CU_ASSERT(shows(&r, "outcome 2 of 3") && shows(&r, "3 of 6"));
	keys(&r, " ");
	CU_ASSERT(tui_plays(r.t));
	for (int k = 0; k < 10; k++)
		tui_step(r.t, &r.source, &(struct tui_event){ .kind = EV_TICK, .ms = 1000 }, edge, &r);
	CU_ASSERT(!tui_plays(r.t) && shows(&r, "6 of 6"));
	keys(&r, "c");
	CU_ASSERT_STRING_EQUAL(r.copied, "ss -tunap");
	end(&r);
}

/* ---- hostile texts */

TEST(tui_shows_hostile_names_safely)
{
	static const char *const names[] = { "\x1b[31m\x07\n\t</TD><script>alert(1)</script>", "\xff\xfe\xc3(\xe2\x28\xa1\xf0\x90", "\xe2\x80\xae" "evil\xe2\x80\xac\xc2\x9b" "2J", "名前が広い名前が広い名前が広い名前が広い",
		"e\xcc\x81\xcc\x81\xcc\x81", "👩‍👩‍👧‍👦🏳️‍🌈", "%s%n%d", "\"'\\`$(reboot)", "" };
	char longest[254];
	static const char *const ways[] = { "", ":po<Enter>", "<Down><Enter>", "<Down><Enter>2", "m", "v", ":learn x<Enter>", "x", "?" };

	memset(longest, 'x', 253);
	longest[253] = '\0';
	for (size_t n = 0; n <= ARRAY_LEN(names); n++)
		for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
			struct run r = { .fake = { .hostile = n < ARRAY_LEN(names) ? names[n] : longest } };

			begin(&r, k % 2 ? 100 : 80, k % 2 ? 30 : 24);
			keys(&r, ways[k]);
			tui_view(r.t, &r.screen);
			for (int i = 0; i < r.screen.w * r.screen.h; i++) {
				const struct cell *c = &r.screen.v[i];

				CU_ASSERT(c->role < TR_COUNT);
				CU_ASSERT(c->ch != 0 || (i % r.screen.w && r.screen.v[i - 1].ch > 0x1100));     /* a right half has a left one */
				if ((c->ch && c->ch < 0x20) || (c->ch >= 0x7f && c->ch < 0xa0) || (c->ch >= 0x202a && c->ch <= 0x202e) || c->ch == 0x200d || c->ch > 0x10ffff) {
					CU_FAIL("a character that commands the terminal");
					break;
				}
			}
			end(&r);
		}
}

TEST(tui_lines_break_at_blanks)
{
	static const struct { const char *text; int w; const char *rest; } rows[] = {
		{ "one two", 7, "" }, { "one two", 6, "two" }, { "one two", 3, "two" }, { "onetwo", 3, "two" }, { "\xe4\xb8\xad\xe6\x96\x87", 3, "\xe6\x96\x87" }, { "", 5, "" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		CU_ASSERT_STRING_EQUAL(text_break(rows[k].text, rows[k].w), rows[k].rest);
}

TEST(tui_text_is_cut_at_cells)
{
	struct cells c = { 0 };
	struct sb text = { 0 };

	cells_resize(&c, 8, 2);
	CU_ASSERT(cells_text(&c, 0, 0, 5, TR_TEXT, "名前名前") == 5);
	CU_ASSERT(cells_text(&c, 7, 1, 4, TR_TEXT, "名") == 2);
	cells_print(&c, false, &text);
	SAME_TEXT(sb_text(&text), "名前…\n\n");
	CU_ASSERT(cells_middle(&c, 0, 0, 8, TR_TEXT, "abcdefghijklmnop") == 8);
	sb_reset(&text);
	cells_print(&c, false, &text);
	SAME_TEXT(sb_text(&text), "abcde…op\n\n");
	CU_ASSERT(text_width("e\xcc\x81") == 1 && text_width("👍") == 2 && text_width("\x1b") == 1);
	sb_free(&text);
	cells_free(&c);
}

/* ---- what holds for every sequence of keys and sizes */

static uint64_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void random_event(struct run *r, uint64_t *x)
{
	static const int special[] = { TK_UP, TK_DOWN, TK_LEFT, TK_RIGHT, TK_PAGE_UP, TK_PAGE_DOWN, TK_HOME, TK_END, TK_TAB, TK_BACKTAB, TK_ENTER, TK_ESC, TK_F(1), TK_F(4), TK_BACKSPACE, TK_DELETE, 0x540d, 0x1f600 };
	static const char *const lines[] = { ":po<Enter>", ":trace client svc/web<Enter>", ":learn x<Enter>", ":rules<Enter>", "v", "m", "?", "x", "<F4>web<Enter>", ":describe svc/default/web<Enter>", ":at 3s<Enter>" };
	uint64_t what = next(x) % 100;

	if (what < 55)
		key(r, special[next(x) % ARRAY_LEN(special)]);
	else if (what < 85)
		key(r, (int)(' ' + next(x) % 95));
	else if (what < 90)
		keys(r, lines[next(x) % ARRAY_LEN(lines)]);
	else if (what < 94)
		resize(r, (int)(next(x) % 150) + 1, (int)(next(x) % 50) + 1);
	else if (what < 97)
		tui_step(r->t, &r->source, &(struct tui_event){ .kind = EV_MOUSE, .x = (int)(next(x) % 150), .y = (int)(next(x) % 50), .button = (int)(next(x) % 4) + 1 }, edge, r);
	else
		tui_step(r->t, &r->source, &(struct tui_event){ .kind = what == 97 ? EV_STALE : EV_TICK, .ms = 700 }, edge, r);
}

TEST(tui_survives_random_keys)
{
	uint64_t x = 88172645463325252u;
	int steps = getenv("TUI_STEPS") ? atoi(getenv("TUI_STEPS")) : 20000;

	for (int big = 0; big < 3; big++) {
		struct run r = { .fake = { .pods = big ? 700 : 0, .nodes = big == 2 ? 300 : 0 } };

		begin(&r, 100, 30);
		for (int k = 0; k < steps; k++) {
			const struct view *v;

			random_event(&r, &x);
			r.t->quit = false;
			tui_view(r.t, &r.screen);
			v = tui_top(r.t);
			CU_ASSERT_FATAL(r.t->depth >= 1 && r.t->depth <= TUI_DEPTH);
			CU_ASSERT(r.screen.w == r.t->w && r.screen.h == r.t->h);
			if (v->id == VIEW_LIST && v->page.kind)
				CU_ASSERT(v->nr_shown == 0 || v->cursor < v->nr_shown);
			if (v->id == VIEW_OBJECT && v->page.kind)
				CU_ASSERT(v->page.object.panes[v->pane].nr == 0 || v->pane_cursor[v->pane] < v->page.object.panes[v->pane].nr);
			if (k % 500 == 0) {             /* Esc leads back to the map */
				char *before;

				for (uint32_t i = r.t->depth * 2 + 4; i > 0; i--)
					key(&r, TK_ESC);
				CU_ASSERT(r.t->depth == 1 && !r.t->menu_open && !r.t->ask.kind);
				resize(&r, 100, 30);
				r.t->message[0] = '\0';
				before = strdup(screen(&r));
				keys(&r, ":po<Enter><Esc>");
				r.t->message[0] = '\0';
				CU_ASSERT(strcmp(before, screen(&r)) == 0);     /* there and back again */
				free(before);
			}
		}
		end(&r);
	}
}
