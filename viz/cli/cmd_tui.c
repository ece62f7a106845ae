/* tui: the cluster in the terminal (docs/tui.md). Between the terminal and the screens' thread. */
#include <locale.h>

#include "viz/cli/tui_session.h"
#include "viz/tui/edge_curses.h"
#include "viz/tui/loop.h"

static bool read_look(struct cli *cli, enum edge_theme *theme, bool *ascii, struct err *err)
{
	static const struct { const char *word; enum edge_theme theme; } themes[] = { { "dark", THEME_TUI_DARK }, { "light", THEME_TUI_LIGHT }, { "mono", THEME_MONO } };

	*theme = THEME_AUTO;
	*ascii = edge_is_ascii();
	for (size_t k = 0; cli->theme && k < ARRAY_LEN(themes); k++)
		if (strcmp(cli->theme, themes[k].word) == 0)
			*theme = themes[k].theme;
	if (cli->theme && *theme == THEME_AUTO)
		return err_add(err, ERR_INPUT, NULL, "--theme: \"%s\" is not dark, light or mono", cli->theme);
	if (cli->color && strcmp(cli->color, "never") == 0)
		*theme = THEME_MONO;
	if (cli->glyphs && strcmp(cli->glyphs, "ascii") != 0 && strcmp(cli->glyphs, "utf8") != 0)
		return err_add(err, ERR_INPUT, NULL, "--glyphs: \"%s\" is not utf8 or ascii", cli->glyphs);
	if (cli->glyphs)
		*ascii = cli->glyphs[0] == 'a';
	return true;
}

static void loop(struct tui_loop *l, struct edge *e)
{
	struct cells screen = { 0 };
	struct tui_event event;
	struct tui_cmd c;
	int ms;

	for (;;) {
		bool changed = tui_loop_show(l, &screen, &ms);

		while (tui_loop_command(l, &c)) {
			edge_command(e, &c);
			changed = true;
		}
		if (changed && screen.w)
			edge_paint(e, &screen);
		if (tui_loop_quits(l) || !edge_wait(e, tui_loop_listens(l), tui_loop_wake(l), ms, &event))
			break;
		if (event.kind)
			tui_loop_post(l, &event);
	}
	cells_free(&screen);
}

enum err_kind tui_main(struct cli *cli, const char *lesson, struct err *err)
{
	struct session session;
	struct tui_source source;
	struct tui *t;
	struct tui_loop *l;
	struct tui_want first = tui_want(PAGE_LESSON, lesson, NULL, 0);
	struct edge *e = NULL;
	enum edge_theme theme;
	bool ascii;
	int w, h;

	setlocale(LC_CTYPE, "");
	if (!read_look(cli, &theme, &ascii, err) || !session_begin(&session, cli, lesson != NULL, err))
		return err_kind(err);
	e = edge_open(theme, err);
	if (e) {
		source = session_source(&session);
		t = arena_make(cli->arena, struct tui);
		edge_size(e, &w, &h);
		tui_init(t, &source, w, h);
		t->ascii = ascii;
		l = tui_loop_begin(t, &source, lesson ? &first : NULL);
		loop(l, e);
		edge_restore(e);                /* at once, whatever is still worked on */
		tui_loop_end(l);
		tui_free(t);
	}
	session_end(&session);
	edge_close(e);
	return err_kind(err);
}

enum err_kind cmd_tui(struct cli *cli, struct err *err)
{
	if (cli->args.nr > 1)
		return cli_usage(cli, err, "one lesson at a time");
	return tui_main(cli, cli->args.nr ? cli->args.v[0] : NULL, err);
}
