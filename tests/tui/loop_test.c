/* The screens in their thread: what is shown while a key waits, what Esc leaves, what is made ready in between. A source that is slow waits for the test, not for a time. */
#include "tests/tui/fake.h"
#include "tests/unit/test.h"
#include "viz/tui/loop.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

struct slow { struct fake fake /* first: the fake's own functions take this for it */; struct tui_source fakes; sem_t began, may_end; int warms, warm_for; sigset_t blocked; };
struct run { struct slow slow; struct tui_source source; struct tui *t; struct tui_loop *loop; struct cells screen; struct sb text; };

static bool load(void *ctx, const struct tui_want *w, struct arena *a, struct tui_page *p, struct err *err)
{
	struct slow *s = ctx;

	pthread_sigmask(SIG_BLOCK, NULL, &s->blocked);
	if (strstr(w->a, "slow")) {
		sem_post(&s->began);
		sem_wait(&s->may_end);
	}
	return s->fakes.load(s->fakes.ctx, w, a, p, err);
}

static bool warm(void *ctx)
{
	struct slow *s = ctx;

	sem_post(&s->began);
	return ++s->warms < s->warm_for;
}

static void begin(struct run *r, int warm_for)
{
	*r = (struct run){ .slow.warm_for = warm_for };
	r->slow.fakes = fake_source(&r->slow.fake);
	sem_init(&r->slow.began, 0, 0);
	sem_init(&r->slow.may_end, 0, 0);
	r->source = r->slow.fakes;
	r->source.load = load;
	r->source.warm = warm_for ? warm : NULL;
	r->t = calloc(1, sizeof(*r->t));
	tui_init(r->t, &r->source, 100, 30);
	r->loop = tui_loop_begin(r->t, &r->source, NULL);
}

static void end(struct run *r)
{
	tui_loop_end(r->loop);
	tui_free(r->t);
	free(r->t);
	cells_free(&r->screen);
	sb_free(&r->text);
	sem_destroy(&r->slow.began);
	sem_destroy(&r->slow.may_end);
}

static void key(struct run *r, int k) { tui_loop_post(r->loop, &(struct tui_event){ .kind = EV_KEY, .key = k }); }

static void type(struct run *r, const char *s)
{
	for (; *s; s++)
		key(r, *s == '\n' ? TK_ENTER : *s);
}

static const char *text(struct run *r)
{
	sb_reset(&r->text);
	cells_print(&r->screen, false, &r->text);
	return sb_text(&r->text);
}

/* Until the screen holds the text; 20 s at most. */
static bool shows(struct run *r, const char *wanted)
{
	for (int k = 0; k < 200; k++) {
		struct pollfd fd = { .fd = tui_loop_wake(r->loop), .events = POLLIN };
		int ms;

		tui_loop_show(r->loop, &r->screen, &ms);
		if (r->screen.w && strstr(text(r), wanted))
			return true;
		poll(&fd, 1, ms < 0 || ms > 100 ? 100 : ms);
	}
	fprintf(stderr, "\nnever shown: %s\n%s\n", wanted, text(r));
	return false;
}

/* All that was typed is answered; → the screen. */
static const char *settled(struct run *r)
{
	for (int k = 0; k < 200 && !tui_loop_answered(r->loop); k++) {
		struct pollfd fd = { .fd = tui_loop_wake(r->loop), .events = POLLIN };
		int ms;

		if (!tui_loop_show(r->loop, &r->screen, &ms) || !tui_loop_answered(r->loop))
			poll(&fd, 1, ms < 0 || ms > 100 ? 100 : ms);
	}
	CU_ASSERT(tui_loop_answered(r->loop));
	return text(r);
}

TEST(tui_loop_shows_what_steps_show)
{
	struct tui direct;
	struct cells screen = { 0 };
	struct run r;

	begin(&r, 0);
	type(&r, ":po\njj>");
	tui_init(&direct, &r.slow.fakes, 100, 30);
	tui_step(&direct, &r.slow.fakes, NULL, NULL, NULL);
	for (const char *s = ":po\njj>"; *s; s++)
		tui_step(&direct, &r.slow.fakes, &(struct tui_event){ .kind = EV_KEY, .key = *s == '\n' ? TK_ENTER : *s }, NULL, NULL);
	SAME_TEXT(settled(&r), screen_text(&direct, &screen));
	tui_free(&direct);
	cells_free(&screen);
	end(&r);
}

TEST(tui_loop_says_what_takes_long)
{
	struct run r;

	begin(&r, 0);
	settled(&r);
	CU_ASSERT(shows(&r, "worker-1"));
	type(&r, ":describe slow/x\n");
	sem_wait(&r.slow.began);
	CU_ASSERT(shows(&r, "working on slow/x"));
	CU_ASSERT(strstr(text(&r), "worker-1") != NULL);        /* what was shown stays */
	CU_ASSERT(strstr(text(&r), "Esc goes back") != NULL);
	CU_ASSERT(!tui_loop_answered(r.loop));
	while (!tui_loop_listens(r.loop))       /* what takes long can be left */
		poll(NULL, 0, 10);
	type(&r, ":po\n");                      /* typed ahead: it comes behind */
	sem_post(&r.slow.may_end);
	CU_ASSERT(shows(&r, "NAMESPACE"));
	CU_ASSERT(strstr(settled(&r), "working on") == NULL);
	CU_ASSERT(tui_top(r.t)->id == VIEW_LIST && r.t->depth == 3);
	end(&r);
}

TEST(tui_loop_leaves_what_nobody_wants)
{
	struct run r;

	begin(&r, 0);
	settled(&r);
	type(&r, ":describe slow/x\n");
	sem_wait(&r.slow.began);
	type(&r, ":po\n");
	tui_loop_post(r.loop, &(struct tui_event){ .kind = EV_RESIZE, .w = 90, .h = 28 });
	key(&r, TK_ESC);                        /* forgets the list, too, but not the size */
	CU_ASSERT(shows(&r, "going back from slow/x"));
	sem_post(&r.slow.may_end);
	CU_ASSERT(strstr(settled(&r), "worker-1") != NULL);
	CU_ASSERT(r.t->depth == 1 && r.screen.w == 90 && r.screen.h == 28);
	type(&r, ":po\n");
	CU_ASSERT(strstr(settled(&r), "NAMESPACE") != NULL);
	end(&r);
}

TEST(tui_loop_makes_ready_while_no_key_waits)
{
	struct run r;

	begin(&r, 5);
	settled(&r);
	for (int k = 0; k < 5; k++)
		sem_wait(&r.slow.began);
	key(&r, 'j');
	settled(&r);
	sem_wait(&r.slow.began);                /* a key may have changed what is needed: it is asked once more, and says no */
	tui_loop_end(r.loop);
	CU_ASSERT(r.slow.warms == 6);
	r.loop = tui_loop_begin(r.t, &r.source, NULL);
	end(&r);
}

TEST(tui_loop_hands_on_what_the_terminal_does)
{
	struct run r;
	struct tui_cmd c = { 0 };

	begin(&r, 0);
	type(&r, ":set theme light\n");
	key(&r, TK_CTRL('L'));
	settled(&r);
	CU_ASSERT(tui_loop_command(r.loop, &c) && c.kind == CMD_LOOK && strcmp(c.text, "theme light") == 0);
	CU_ASSERT(tui_loop_command(r.loop, &c) && c.kind == CMD_REDRAW);
	CU_ASSERT(!tui_loop_command(r.loop, &c));
	CU_ASSERT(!tui_loop_quits(r.loop));
	CU_ASSERT(tui_loop_listens(r.loop));
	key(&r, 'Q');
	settled(&r);
	CU_ASSERT(!tui_loop_listens(r.loop));   /* the rest is the shell's */
	CU_ASSERT(tui_loop_quits(r.loop));
	end(&r);
}

/* What asks the program to end goes to whoever has the terminal; a fault of the screens themselves finds the handler that puts it back. */
TEST(tui_loop_keeps_its_own_faults)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT }, ends[] = { SIGTERM, SIGHUP, SIGINT, SIGWINCH };
	struct run r;

	begin(&r, 0);
	type(&r, ":po\n");
	settled(&r);
	for (size_t k = 0; k < ARRAY_LEN(faults); k++)
		CU_ASSERT(!sigismember(&r.slow.blocked, faults[k]));
	for (size_t k = 0; k < ARRAY_LEN(ends); k++)
		CU_ASSERT(sigismember(&r.slow.blocked, ends[k]));
	end(&r);
}
