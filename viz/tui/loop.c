#include "viz/tui/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_POSTED = 256, REST = 40 /* milliseconds without a key, before later screens are thought of */, AGAIN = 100 /* milliseconds between two looks at work that goes on */, DEAF = 150 /* after a key, until it is answered */, STACK = 16 << 20 };

struct tui_loop {
	struct tui *t; const struct tui_source *source; struct tui_want first;         /* the thread's own */
	pthread_t thread;
	int wake;
	int w, h; bool ascii;                   /* at the beginning */

	pthread_mutex_t lock;                   /* all below */
	pthread_cond_t more;
	struct tui_event posted[MAX_POSTED]; uint32_t nr_posted;
	bool ends, works /* on what was posted */, leaves /* what it works on */, quits;
	bool drawn;                             /* a screen that was not shown yet */
	struct cells screen;
	VEC(struct tui_cmd) commands; uint32_t commands_done; struct arena *commands_arena;
	char doing[sizeof(((struct tui_cmd *)0)->text)];
	int64_t asked;                          /* when the first key that waits was posted; 0: none waits */
};

static int64_t milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wake(const struct tui_loop *l)
{
	ssize_t n = write(l->wake, &(uint64_t){ 1 }, sizeof(uint64_t));

	(void)n;                                /* full: it wakes already */
}

/* ---- in the thread */

static void say_doing(struct tui_loop *l, const char *what)
{
	pthread_mutex_lock(&l->lock);
	snprintf(l->doing, sizeof(l->doing), "%s", what);
	pthread_mutex_unlock(&l->lock);
}

static void command(void *ctx, const struct tui_cmd *c)
{
	struct tui_loop *l = ctx;

	if (c->kind == CMD_DOING) {
		say_doing(l, c->text);
		return;
	}
	pthread_mutex_lock(&l->lock);
	vec_add(l->commands_arena, &l->commands, *c);
	pthread_mutex_unlock(&l->lock);
}

/* The key is answered; those behind it wait from now on. */
static void draw(struct tui_loop *l, struct cells *next)
{
	struct cells before;

	tui_view(l->t, next);
	pthread_mutex_lock(&l->lock);
	before = l->screen;
	l->screen = *next;
	*next = before;
	l->drawn = true;
	l->quits = l->t->quit;
	if (l->leaves) {                        /* Esc while it was drawn: a key like any other */
		l->nr_posted = MIN(l->nr_posted, MAX_POSTED - 1);
		memmove(&l->posted[1], &l->posted[0], sizeof(l->posted[0]) * l->nr_posted++);
		l->posted[0] = (struct tui_event){ .kind = EV_KEY, .key = TK_ESC };
	}
	l->works = l->leaves = false;
	l->asked = l->nr_posted ? milliseconds() : 0;
	pthread_mutex_unlock(&l->lock);
	wake(l);
}

/* A screen that nobody wants any more when it comes is left again. */
static void answer(struct tui_loop *l, const struct tui_event *e)
{
	uint32_t depth = l->t->depth;
	bool leaves;

	tui_step(l->t, l->source, e, command, l);
	pthread_mutex_lock(&l->lock);
	leaves = l->leaves;
	l->leaves = false;
	pthread_mutex_unlock(&l->lock);
	if (leaves && l->t->depth > depth)
		tui_step(l->t, l->source, &(struct tui_event){ .kind = EV_KEY, .key = TK_ESC }, command, l);
}

static void rest(struct tui_loop *l, int ms)
{
	struct timespec until;

	if (ms < 0) {
		pthread_cond_wait(&l->more, &l->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000L;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&l->more, &l->lock, &until);
}

/* The next key, or, where none comes for as long as the screen wants to stand, a tick. warm: is there something to be made ready? false: it is over. */
static bool next_event(struct tui_loop *l, bool *warm, struct tui_event *out)
{
	int64_t since = milliseconds();
	bool over;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		bool plays = tui_plays(l->t);
		int64_t passed = milliseconds() - since, wanted = plays ? l->t->speed : REST;

		if (l->ends || l->nr_posted)
			break;
		l->doing[0] = '\0';
		if (!plays && !*warm) {
			rest(l, -1);
		} else if (passed < wanted) {
			rest(l, (int)(wanted - passed));
		} else if (plays) {
			*out = (struct tui_event){ .kind = EV_TICK, .ms = (uint32_t)passed };
			pthread_mutex_unlock(&l->lock);
			return true;
		} else {
			snprintf(l->doing, sizeof(l->doing), "what later screens need");
			pthread_mutex_unlock(&l->lock);
			*warm = l->source->warm(l->source->ctx);
			pthread_mutex_lock(&l->lock);
		}
	}
	if (!l->ends) {
		*out = l->posted[0];
		memmove(&l->posted[0], &l->posted[1], sizeof(l->posted[0]) * --l->nr_posted);
		l->works = true;
		l->doing[0] = '\0';
	}
	over = l->ends;
	pthread_mutex_unlock(&l->lock);
	return !over;
}

static void *screens(void *ctx)
{
	struct tui_loop *l = ctx;
	struct cells next = { 0 };
	struct tui_event e;
	bool warm = l->source->warm != NULL;

	tui_step(l->t, l->source, NULL, command, l);
	if (l->first.kind) {
		tui_open(l->t, &l->first);
		tui_step(l->t, l->source, NULL, command, l);
	}
	draw(l, &next);
	while (!l->t->quit && next_event(l, &warm, &e)) {
		answer(l, &e);
		draw(l, &next);
		warm = l->source->warm != NULL;
	}
	cells_free(&next);
	return NULL;
}

/* ---- from outside */

struct tui_loop *tui_loop_begin(struct tui *t, const struct tui_source *s, const struct tui_want *first)
{
	static const int own_faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };  /* a blocked one ends the process without its handler, which puts the terminal back */
	struct tui_loop *l = calloc(1, sizeof(*l));
	pthread_condattr_t clock;
	pthread_attr_t attr;
	sigset_t all, before;

	if (!l)
		abort();
	*l = (struct tui_loop){ .t = t, .source = s, .w = t->w, .h = t->h, .ascii = t->ascii, .first = first ? *first : (struct tui_want){ 0 }, .works = true, .asked = milliseconds(), .commands_arena = arena_new(NULL, "commands") };
	l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&l->more, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);                       /* signals are for whoever has the terminal */
	for (size_t k = 0; k < ARRAY_LEN(own_faults); k++)
		sigdelset(&all, own_faults[k]);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (l->wake < 0 || pthread_create(&l->thread, &attr, screens, l) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return l;
}

void tui_loop_end(struct tui_loop *l)
{
	pthread_mutex_lock(&l->lock);
	l->ends = true;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	close(l->wake);
	cells_free(&l->screen);
	arena_free(l->commands_arena);
	free(l);
}

/* What was typed is forgotten; how large the screen is, is not. */
static void forget_keys(struct tui_loop *l)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l->nr_posted; k++)
		if (l->posted[k].kind == EV_RESIZE)
			l->posted[nr++] = l->posted[k];
	l->nr_posted = nr;
}

void tui_loop_post(struct tui_loop *l, const struct tui_event *e)
{
	bool escape = e->kind == EV_KEY && e->key == TK_ESC;

	pthread_mutex_lock(&l->lock);
	if (l->works && (escape || (e->kind == EV_KEY && e->key == TK_CTRL('C')))) {
		forget_keys(l);
		l->leaves = true;
	}
	if (l->nr_posted < MAX_POSTED && !(l->leaves && escape))        /* Esc is done when what is worked on ends */
		l->posted[l->nr_posted++] = *e;
	else if (e->kind == EV_RESIZE)
		l->posted[MAX_POSTED - 1] = *e;
	if (!l->asked)
		l->asked = milliseconds();
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
}

int tui_loop_wake(const struct tui_loop *l) { return l->wake; }

/* Where the message stands. */
static void working_row(const struct tui_loop *l, struct cells *c, int64_t ms)
{
	int y = c->w < 80 || c->h < 24 ? c->h - 1 : c->h - 2, x = 1;

	if (y < 0)
		return;
	cells_printf(c, 0, y, c->w, TR_TEXT, "%*s", c->w, "");
	x += cells_printf(c, x, y, c->w - 2, TR_WARN | TA_BOLD, "%s %s", glyph(TG_STARTING), l->leaves ? "going back from" : l->works ? "working on" : "making ready");
	x += 1 + cells_printf(c, x + 1, y, MAX(c->w - x - 28, 8), TR_TEXT, "%s", *l->doing ? l->doing : "the screen");
	if (ms >= AGAIN)
		x += 2 + cells_printf(c, x + 2, y, MAX(c->w - x - 3, 0), TR_DIM, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
	if (!l->leaves && l->works)
		cells_printf(c, x + 2, y, MAX(c->w - x - 3, 0), TR_DIM, "Esc goes back");
}

bool tui_loop_show(struct tui_loop *l, struct cells *screen, int *ms)
{
	uint64_t woken;
	ssize_t n = read(l->wake, &woken, sizeof(woken));
	bool changed = false;
	int64_t waits;

	(void)n;                                /* nothing: it was not what woke */
	*ms = -1;
	pthread_mutex_lock(&l->lock);
	if (l->drawn) {
		cells_resize(screen, l->screen.w, l->screen.h);
		screen->ascii = l->screen.ascii;
		memcpy(screen->v, l->screen.v, sizeof(*screen->v) * (size_t)(screen->w * screen->h));
		l->drawn = false;
		changed = true;
	}
	waits = l->asked ? milliseconds() - l->asked : 0;
	if (l->asked && waits < TUI_PATIENCE) {
		*ms = (int)(TUI_PATIENCE - waits);
	} else if (l->asked) {
		if (!screen->w) {               /* before the first screen */
			screen->ascii = l->ascii;
			cells_resize(screen, l->w, l->h);
		}
		working_row(l, screen, waits);
		*ms = AGAIN;
		changed = true;
	}
	pthread_mutex_unlock(&l->lock);
	return changed;
}

bool tui_loop_listens(struct tui_loop *l)
{
	bool is;

	pthread_mutex_lock(&l->lock);
	is = !l->quits && (!l->asked || milliseconds() - l->asked >= DEAF);
	pthread_mutex_unlock(&l->lock);
	return is;
}

bool tui_loop_answered(struct tui_loop *l)
{
	bool is;

	pthread_mutex_lock(&l->lock);
	is = !l->asked && !l->works && !l->drawn;
	pthread_mutex_unlock(&l->lock);
	return is;
}

bool tui_loop_command(struct tui_loop *l, struct tui_cmd *out)
{
	bool is;

	pthread_mutex_lock(&l->lock);
	is = l->commands_done < l->commands.nr;
	if (is) {
		*out = l->commands.v[l->commands_done++];
	} else if (l->commands.nr) {
		arena_free(l->commands_arena);
		l->commands_arena = arena_new(NULL, "commands");
		l->commands.v = NULL;
		l->commands.nr = l->commands.alloc = l->commands_done = 0;
	}
	pthread_mutex_unlock(&l->lock);
	return is;
}

bool tui_loop_quits(struct tui_loop *l)
{
	bool is;

	pthread_mutex_lock(&l->lock);
	is = l->quits;
	pthread_mutex_unlock(&l->lock);
	return is;
}
