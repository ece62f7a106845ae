#include "viz/tui/edge_curses.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

struct edge {
	SCREEN *screen;
	struct cells last;                      /* what the terminal shows */
	bool whole;                             /* all of it is to be written again */
	enum edge_theme theme;
	short pair_of[TR_COUNT];
	attr_t attr_of[TR_COUNT];
	int clicked_x, clicked_y; int64_t clicked_at;
	sigset_t waiting;                       /* what is blocked while it waits: else a signal could come just before that, and wait for a key */
};

/* For signal handlers, which are given nothing: what puts the terminal back, and whether there is anything to put back. */
static struct { char text[512]; size_t len; struct termios modes; volatile sig_atomic_t open, asked; } rescue;

static int rescue_char(int c)
{
	if (rescue.len < sizeof(rescue.text))
		rescue.text[rescue.len++] = (char)c;
	return c;
}

static void rescue_string(const char *s)
{
	if (s && s != (char *)-1)
		tputs(s, 1, rescue_char);
}

static void restore_terminal(void)
{
	size_t done = 0;

	while (done < rescue.len) {
		ssize_t n = write(STDOUT_FILENO, rescue.text + done, rescue.len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
}

static void on_crash(int sig)
{
	if (rescue.open)
		restore_terminal();
	rescue.open = 0;
	signal(sig, SIG_DFL);
	raise(sig);
}

static void on_end(int sig) { rescue.asked = sig; }

static void catch_signals(sigset_t *before)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGTRAP, SIGSYS }, ends[] = { SIGTERM, SIGHUP, SIGINT };
	struct sigaction crash = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND }, end = { .sa_handler = on_end };
	sigset_t blocked;

	for (size_t k = 0; k < ARRAY_LEN(crashes); k++)
		sigaction(crashes[k], &crash, NULL);
	for (size_t k = 0; k < ARRAY_LEN(ends); k++)
		sigaction(ends[k], &end, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	for (size_t k = 0; k < ARRAY_LEN(ends); k++)
		sigaddset(&blocked, ends[k]);
	sigprocmask(SIG_BLOCK, &blocked, before);
}

bool edge_is_ascii(void)
{
	const char *codeset = nl_langinfo(CODESET);

	return strcmp(codeset, "UTF-8") != 0 && strcmp(codeset, "utf8") != 0;
}

static enum edge_theme guess(void)
{
	const char *no = getenv("NO_COLOR"), *ground = getenv("COLORFGBG"), *semi = ground ? strrchr(ground, ';') : NULL;

	if (no && *no)
		return THEME_MONO;
	return semi && (strcmp(semi, ";7") == 0 || strcmp(semi, ";15") == 0) ? THEME_TUI_LIGHT : THEME_TUI_DARK;
}

static void set_theme(struct edge *e, enum edge_theme theme)
{
	bool many = COLORS >= 256, some = COLORS >= 8;

	e->theme = theme == THEME_AUTO ? guess() : theme;
	for (int r = 0; r < TR_COUNT; r++) {
		const struct role_look *look = &role_looks[r];
		short colour = (short)(many ? e->theme == THEME_TUI_LIGHT ? look->light : look->dark : look->base);
		bool dim = r == TR_DIM || r == TR_BORDER;

		e->pair_of[r] = 0;
		e->attr_of[r] = look->bold && !many ? A_BOLD : dim && !many ? A_DIM : A_NORMAL;
		if (e->theme == THEME_MONO || !some) {
			e->attr_of[r] = look->bold ? A_BOLD : dim ? A_DIM : A_NORMAL;
			continue;
		}
		if (colour < 0)
			continue;
		e->pair_of[r] = (short)(r + 1);
		init_pair((short)(r + 1), colour, -1);
	}
	e->whole = true;
}

struct edge *edge_open(enum edge_theme theme, struct err *err)
{
	const char *term = getenv("TERM");
	struct edge *e;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		err_add(err, ERR_MACHINE, NULL, "tui needs a terminal for its input and output; other commands print: podwire help");
		return NULL;
	}
	rescue.len = 0;
	rescue.asked = 0;
	tcgetattr(STDIN_FILENO, &rescue.modes);
	e = calloc(1, sizeof(*e));
	if (!e)
		abort();
	e->screen = newterm(NULL, stdout, stdin);
	if (!e->screen) {
		free(e);
		err_add(err, ERR_MACHINE, NULL, "the terminal \"%s\" ($TERM) is not known here", term ? term : "");
		return NULL;
	}
	rescue_string(tigetstr("sgr0"));
	rescue_string(tigetstr("op"));
	rescue_string("\033[?1006l\033[?1002l\033[?1000l");
	rescue_string(tigetstr("rmkx"));
	rescue_string(tigetstr("cnorm"));
	rescue_string(tigetstr("rmcup"));
	rescue.open = 1;
	catch_signals(&e->waiting);
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	meta(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	if (has_colors()) {
		start_color();
		use_default_colors();
	}
	set_theme(e, theme);
	return e;
}

void edge_restore(struct edge *e)
{
	if (e && rescue.open)
		endwin();
	rescue.open = 0;
}

void edge_close(struct edge *e)
{
	if (!e)
		return;
	edge_restore(e);
	sigprocmask(SIG_SETMASK, &e->waiting, NULL);
	delscreen(e->screen);
	cells_free(&e->last);
	free(e);
	if (rescue.asked) {                     /* ended by a signal: the parent is to see that */
		signal(rescue.asked, SIG_DFL);
		raise(rescue.asked);
	}
}

void edge_size(const struct edge *e, int *w, int *h)
{
	(void)e;
	getmaxyx(stdscr, *h, *w);
}

/* ---- out */

static void write_cell(struct edge *e, int x, int y, const struct cell *c)
{
	attr_t attr = e->attr_of[c->role] | (c->attr & TA_BOLD >> 8 ? A_BOLD : 0) | (c->attr & TA_UNDER >> 8 ? A_UNDERLINE : 0) | (c->attr & TA_REVERSE >> 8 ? A_REVERSE : 0);
	wchar_t text[2] = { (wchar_t)c->ch, 0 };
	cchar_t ch;

	if (c->ch >= 0x80) {
		int wide = x + 1 < e->last.w && c[1].ch == 0 ? 2 : 1;

		if (wcwidth((wchar_t)c->ch) != wide)    /* this system's tables know better: nothing may shift */
			text[0] = '?';
		if (text[0] == '?' && wide == 2)
			mvaddch(y, x + 1, ' ');
	}
	setcchar(&ch, text, attr, e->pair_of[c->role], NULL);
	mvadd_wch(y, x, &ch);
}

void edge_paint(struct edge *e, const struct cells *c)
{
	bool sized = e->last.w == c->w && e->last.h == c->h;
	int w, h;

	getmaxyx(stdscr, h, w);
	if (!sized || e->whole) {
		cells_resize(&e->last, c->w, c->h);
		if (e->whole)
			clearok(stdscr, TRUE);
		erase();
	}
	for (int y = 0; y < MIN(c->h, h); y++)
		for (int x = 0; x < MIN(c->w, w); x++) {
			const struct cell *now = &c->v[y * c->w + x], *was = &e->last.v[y * c->w + x];

			if (now->ch && (!sized || e->whole || memcmp(now, was, sizeof(*now)) != 0 || (x + 1 < c->w && (now[1].ch == 0) != (was[1].ch == 0))))
				write_cell(e, x, y, now);
		}
	memcpy(e->last.v, c->v, sizeof(*c->v) * (size_t)(c->w * c->h));
	e->whole = false;
	refresh();
}

/* OSC 52: the terminal's own clipboard, over ssh as well. */
static void copy(const char *text)
{
	struct sb code = { 0 };

	sb_add_base64(&code, text, strlen(text));
	printf("\033]52;c;%s\a", sb_text(&code));
	fflush(stdout);
	sb_free(&code);
}

static void suspend(struct edge *e)
{
	struct sigaction dflt = { .sa_handler = SIG_DFL }, was;

	def_prog_mode();
	endwin();
	sigaction(SIGTSTP, &dflt, &was);
	kill(0, SIGTSTP);                       /* as the terminal would: whoever waits for us stops as well */
	sigaction(SIGTSTP, &was, NULL);
	reset_prog_mode();
	e->whole = true;
	refresh();
}

void edge_command(void *ctx, const struct tui_cmd *c)
{
	struct edge *e = ctx;

	if (c->kind == CMD_COPY)
		copy(c->text);
	else if (c->kind == CMD_REDRAW)
		e->whole = true;
	else if (c->kind == CMD_SUSPEND)
		suspend(e);
	else if (c->kind == CMD_LOOK)
		set_theme(e, strcmp(c->text, "theme light") == 0 ? THEME_TUI_LIGHT : strcmp(c->text, "theme mono") == 0 ? THEME_MONO : THEME_TUI_DARK);
}

/* ---- in */

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int key_of(wint_t ch)
{
	static const struct { wint_t curses; int key; } keys[] = {
		{ KEY_UP, TK_UP }, { KEY_DOWN, TK_DOWN }, { KEY_LEFT, TK_LEFT }, { KEY_RIGHT, TK_RIGHT }, { KEY_PPAGE, TK_PAGE_UP }, { KEY_NPAGE, TK_PAGE_DOWN }, { KEY_HOME, TK_HOME },
		{ KEY_END, TK_END }, { KEY_BTAB, TK_BACKTAB }, { KEY_DC, TK_DELETE }, { KEY_ENTER, TK_ENTER }, { KEY_BACKSPACE, TK_BACKSPACE },
	};

	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		if (keys[k].curses == ch)
			return keys[k].key;
	return ch > KEY_F0 && ch <= KEY_F(12) ? TK_F((int)ch - KEY_F0) : 0;
}

static bool read_mouse(struct edge *e, struct tui_event *out)
{
	MEVENT m;
	int64_t now = milliseconds();

	if (getmouse(&m) != OK)
		return false;
	*out = (struct tui_event){ .kind = EV_MOUSE, .x = m.x, .y = m.y };
	if (m.bstate & BUTTON4_PRESSED)
		out->button = MOUSE_WHEEL_UP;
	else if (m.bstate & BUTTON5_PRESSED)
		out->button = MOUSE_WHEEL_DOWN;
	else {
		out->button = m.x == e->clicked_x && m.y == e->clicked_y && now - e->clicked_at < 400 ? MOUSE_DOUBLE : MOUSE_CLICK;
		e->clicked_x = m.x;
		e->clicked_y = m.y;
		e->clicked_at = out->button == MOUSE_DOUBLE ? 0 : now;
	}
	return true;
}

/* A window that is dragged sends many sizes: the last one counts. */
static void settle_size(struct tui_event *out)
{
	wint_t ch;
	int got;

	timeout(15);
	while ((got = get_wch(&ch)) == KEY_CODE_YES && ch == KEY_RESIZE)
		;
	if (got == KEY_CODE_YES)
		ungetch((int)ch);
	else if (got == OK)
		unget_wch((wchar_t)ch);
	*out = (struct tui_event){ .kind = EV_RESIZE };
	getmaxyx(stdscr, out->h, out->w);
}

/* A key that has come, at once. */
static bool read_key(struct edge *e, bool has_come, struct tui_event *out)
{
	wint_t ch;
	int got;

	timeout(has_come ? 25 : 0);             /* the rest of a character, or of a key's sequence; without: what curses kept */
	got = get_wch(&ch);
	if (got == ERR)
		return false;
	if (got == KEY_CODE_YES && ch == KEY_RESIZE) {
		settle_size(out);
		return true;
	}
	if (got == KEY_CODE_YES && ch == KEY_MOUSE)
		return read_mouse(e, out);
	*out = (struct tui_event){ .kind = EV_KEY, .key = got == KEY_CODE_YES ? key_of(ch) : ch == '\n' ? TK_ENTER : (int)ch };
	return out->key != 0;
}

bool edge_wait(struct edge *e, bool listens, int wake, int ms, struct tui_event *out)
{
	struct pollfd fds[] = { { .fd = listens ? STDIN_FILENO : -1, .events = POLLIN }, { .fd = wake, .events = POLLIN } };
	struct timespec most = { ms / 1000, ms % 1000 * 1000000L };

	*out = (struct tui_event){ .kind = EV_NONE };
	if (listens && read_key(e, poll(fds, 1, 0) > 0, out))
		return !rescue.asked;
	ppoll(fds, ARRAY_LEN(fds), ms < 0 ? NULL : &most, &e->waiting);
	return !rescue.asked && !(fds[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}
