/* The screens on a cluster of 150,000 Pods and 5,000 nodes: from a key to the cells. Goal: ≤ 16 ms a key, of which drawing ≤ 2 ms. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/tui/fake.h"

static double milliseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

struct bench { struct fake fake; struct tui_source source; struct tui *t; struct cells screen; };

static void key(struct bench *b, int k)
{
	tui_step(b->t, &b->source, &(struct tui_event){ .kind = EV_KEY, .key = k }, NULL, NULL);
}

static void type(struct bench *b, const char *s)
{
	for (; *s; s++)
		key(b, *s == '\n' ? TK_ENTER : *s);
}

static void measure(struct bench *b, const char *name, int k, int times)
{
	double most = 0, sum = 0, draw = 0;

	for (int i = 0; i < times; i++) {
		double from = milliseconds(), mid, end;

		key(b, k);
		mid = milliseconds();
		tui_view(b->t, &b->screen);
		end = milliseconds();
		sum += end - from;
		draw += end - mid;
		most = end - from > most ? end - from : most;
	}
	printf("  %-34s %8.3f ms a key (most %.3f), drawing %.3f ms\n", name, sum / times, most, draw / times);
}

static void run(uint32_t pods, uint32_t nodes)
{
	struct bench b = { .fake = { .pods = pods, .nodes = nodes } };

	printf("%u Pods, %u nodes, 132×43\n", pods, nodes);
	b.source = fake_source(&b.fake);
	b.t = calloc(1, sizeof(*b.t));
	tui_init(b.t, &b.source, 132, 43);
	tui_step(b.t, &b.source, NULL, NULL, NULL);
	measure(&b, "map: down", TK_DOWN, 20);
	type(&b, ":po\n");
	measure(&b, "list: down", TK_DOWN, 100);
	measure(&b, "list: page down", TK_PAGE_DOWN, 100);
	measure(&b, "list: end", TK_END, 10);
	measure(&b, "list: sort by the next column", '>', 6);
	measure(&b, "list: the other way round", 'I', 4);
	measure(&b, "list: one namespace", '2', 4);
	measure(&b, "list: all namespaces", '0', 4);
	key(&b, TK_F(4));
	measure(&b, "list: filter, a key", 'w', 1);
	measure(&b, "list: filter, another key", 'e', 1);
	key(&b, TK_ESC);
	type(&b, "m");
	measure(&b, "matrix: right", TK_RIGHT, 50);
	type(&b, "v");
	measure(&b, "events: down", TK_DOWN, 50);
	measure(&b, "events: sooner", TK_LEFT, 50);
	type(&b, ":trace client svc/web\n");
	measure(&b, "trace: next hop", TK_RIGHT, 5);
	tui_free(b.t);
	free(b.t);
	cells_free(&b.screen);
}

int main(void)
{
	run(150000, 5000);
	run(300000, 10000);
	return 0;
}
