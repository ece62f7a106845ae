/* What measurements share: each runs in a process of its own, so that its memory is its own and what was measured before does not warm or crowd it. Time is
 * the CPU's, of user and system, for the machine may have other work; the best of several runs counts. */
#ifndef PODWIRE_BENCH_H
#define PODWIRE_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/base/base.h"

#define BENCH_MARKS 16
struct bench {
	int nr;
	struct { char name[40]; double ms, system; } mark[BENCH_MARKS];        /* CPU since the mark before */
	double mib;                             /* the most that was resident */
	double last, last_system;               /* the child's */
};

static inline void bench_clock(double *user, double *system)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	*user = (double)r.ru_utime.tv_sec * 1e3 + (double)r.ru_utime.tv_usec / 1e3;
	*system = (double)r.ru_stime.tv_sec * 1e3 + (double)r.ru_stime.tv_usec / 1e3;
}

static inline void bench_start(struct bench *b) { bench_clock(&b->last, &b->last_system); }

/* The time since the last mark, or start, is `name`'s. */
static inline void bench_mark(struct bench *b, const char *name)
{
	double user, system;

	bench_clock(&user, &system);
	if (b->nr < BENCH_MARKS) {
		snprintf(b->mark[b->nr].name, sizeof(b->mark[b->nr].name), "%s", name);
		b->mark[b->nr].ms = user - b->last;
		b->mark[b->nr++].system = system - b->last_system;
	}
	bench_clock(&b->last, &b->last_system);
}

/* Runs fn in a child, `times` times, and keeps the least of each mark. false: a child failed. */
static inline bool bench_run(struct bench *out, int times, void (*fn)(struct bench *, void *), void *ctx)
{
	*out = (struct bench){ 0 };
	for (int k = 0; k < times; k++) {
		struct bench b = { 0 };
		int fd[2], status;
		bool whole;
		pid_t pid;

		fflush(stdout);
		if (pipe(fd) || (pid = fork()) < 0)
			return false;
		if (!pid) {
			struct rusage r;

			bench_start(&b);
			fn(&b, ctx);
			getrusage(RUSAGE_SELF, &r);
			b.mib = (double)r.ru_maxrss / 1024;
			_exit(write(fd[1], &b, sizeof(b)) == (ssize_t)sizeof(b) ? 0 : 1);
		}
		close(fd[1]);
		whole = read(fd[0], &b, sizeof(b)) == (ssize_t)sizeof(b);
		close(fd[0]);
		if (waitpid(pid, &status, 0) < 0 || status || !whole)
			return false;
		if (!k)
			*out = b;
		for (int i = 0; i < b.nr && i < out->nr; i++)
			if (b.mark[i].ms + b.mark[i].system < out->mark[i].ms + out->mark[i].system)
				out->mark[i] = b.mark[i];
	}
	return true;
}

static inline double bench_ms(const struct bench *b, const char *name)
{
	for (int k = 0; k < b->nr; k++)
		if (strcmp(b->mark[k].name, name) == 0)
			return b->mark[k].ms;
	return 0;
}

/* One row: the figure, its part of the system's time, and the growth against a smaller size (0: none), which is 1.0 where all grows alike. */
static inline void bench_row(const char *name, double ms, double system, double per_item_before, double items)
{
	double each = items > 0 ? ms / items : 0;

	printf("  %-28s %9.1f ms  + %6.1f system", name, ms, system);
	if (items > 0)
		printf("  %8.3f us each", each * 1e3);
	if (per_item_before > 0)
		printf("  x %.2f", each / per_item_before);
	printf("\n");
}

#endif
