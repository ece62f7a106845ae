#include "model/control/behaviour.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/api/agnhost.h"
#include "model/base/quantity.h"

/* ---- the script: annotations */

static const char *script(const struct pod *p, const struct container *c, const char *what)
{
	char key[200];

	if (!p->o.annotations.nr)
		return NULL;
	snprintf(key, sizeof(key), "podwire.io/%s.%s", c->name, what);
	return label_get(&p->o.annotations, key);
}

/* "after 20s", "until 1m": the time behind the word; false if it is not so written. */
static bool scripted(const char *s, const char *word, nsec *out)
{
	size_t n = strlen(word);

	return s && strncmp(s, word, n) == 0 && s[n] == ' ' && duration_parse(s + n + 1, out);
}

/* ---- what the command says */

struct words { const char *v[32]; uint32_t nr; };

static struct words argv_of(const struct container *c)
{
	struct words w = { .nr = 0 };

	for (uint32_t k = 0; k < c->command.nr && w.nr < ARRAY_LEN(w.v); k++)
		w.v[w.nr++] = c->command.v[k];
	for (uint32_t k = 0; k < c->args.nr && w.nr < ARRAY_LEN(w.v); k++)
		w.v[w.nr++] = c->args.v[k];
	return w;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

static bool is_shell(const char *word)
{
	static const char *const shells[] = { "sh", "bash", "ash", "dash", NULL };

	return one_of(base_name(word), shells);
}

/* Seconds as sleep(1) reads them: 30, 1.5, 2m, 1h, 1d. false: infinity, or no number. */
static bool sleep_time(const char *s, nsec *out)
{
	char *end;
	double v = strtod(s, &end);
	double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;

	if (end == s || v < 0 || v > 1e8 || strcmp(s, "infinity") == 0)
		return false;
	*out = (nsec)(v * unit * 1e9);
	return true;
}

enum known { UNKNOWN_COMMAND, GOES_ON, ENDS };  /* a command we do not know · it is over, the next one comes · it ends the whole, or runs for ever */

/* One simple command: adds to the time it takes. */
static enum known command(const char *const *v, uint32_t nr, struct ending *e)
{
	static const char *const quick[] = { "echo", "printf", "date", "env", "printenv", "ls", "id", "hostname", "uname", "mkdir", "touch", "chmod", "chown", "cp", "mv", "ln",
					     "cat", "true", ":", "set", "export", "cd", "rm", NULL };
	nsec t;

	if (strcmp(base_name(v[0]), "sleep") == 0) {
		if (nr < 2 || !sleep_time(v[1], &t)) {
			e->after = NEVER;
			return ENDS;
		}
		e->after += t;
		return GOES_ON;
	}
	if (strcmp(v[0], "exit") == 0 && nr > 1 && v[1][strspn(v[1], "0123456789")])
		return UNKNOWN_COMMAND;
	if (strcmp(v[0], "exit") == 0) {
		e->code = nr > 1 ? atoi(v[1]) & 255 : e->code;
		return ENDS;
	}
	if (strcmp(base_name(v[0]), "false") == 0) {
		e->code = 1;
		return GOES_ON;
	}
	if (!one_of(base_name(v[0]), quick) || (strcmp(v[0], "cat") == 0 && nr < 2))
		return UNKNOWN_COMMAND;
	e->code = 0;
	return GOES_ON;
}

/* A script of simple commands in a row; anything more is not understood. */
static bool script_ending(const char *text, struct ending *e)
{
	char copy[2048], *line, *rest = copy;
	bool skipped = false;

	if (strlen(text) >= sizeof(copy) || strpbrk(text, "|<>`$(){}&") != strstr(text, "&&"))
		return false;
	strcpy(copy, text);
	for (char *p; (p = strstr(copy, "&&"));)
		memcpy(p, "; ", 2);
	if (strchr(copy, '&'))
		return false;
	*e = (struct ending){ 0, 0 };
	while ((line = strsep(&rest, ";\n"))) {
		bool and = rest && text[rest - 1 - copy] == '&';        /* what follows runs if this one has succeeded */
		const char *v[16];
		uint32_t nr = 0;
		char *word;

		while ((word = strsep(&line, " \t")))
			if (*word && nr < ARRAY_LEN(v))
				v[nr++] = word;
		if (!nr || skipped) {
			skipped = skipped && and;
			continue;
		}
		switch (command(v, nr, e)) {
		case UNKNOWN_COMMAND:
			return false;
		case ENDS:
			return true;
		case GOES_ON:
			skipped = and && e->code;
			break;
		}
	}
	return true;
}

static bool bare_shell_image(const char *image)
{
	static const char *const images[] = { "busybox", "alpine", "ubuntu", "debian", "centos", "fedora", "bash", NULL };
	const char *name = base_name(image);
	size_t n = strcspn(name, ":@");

	for (size_t k = 0; images[k]; k++)
		if (strlen(images[k]) == n && strncmp(images[k], name, n) == 0)
			return true;
	return false;
}

static bool known_ending(const struct container *c, struct ending *e)
{
	struct words w = argv_of(c);
	struct agnhost agnhost = agnhost_of(c);

	*e = (struct ending){ agnhost.after, agnhost.code };
	if (agnhost.subcommand)
		return true;
	*e = (struct ending){ 0, 0 };
	if (!w.nr)                      /* a shell without a terminal reads the end of its input and ends */
		return c->image && bare_shell_image(c->image);
	if (is_shell(w.v[0])) {
		uint32_t k = 1;

		while (k < w.nr && w.v[k][0] == '-' && !strchr(w.v[k], 'c'))
			k++;
		return k + 1 < w.nr && script_ending(w.v[k + 1], e);
	}
	return command(w.v, w.nr, e) != UNKNOWN_COMMAND;
}

struct ending container_ending(const struct pod *p, const struct container *c, enum container_role role)
{
	const char *s = script(p, c, "exits"), *after = s ? strstr(s, " after ") : NULL;
	struct ending e = { NEVER, 0 };

	if (s && after && duration_parse(after + 7, &e.after)) {
		e.code = atoi(s);
		return e;
	}
	if (s || (c->command.nr + c->args.nr == 0 && role == ROLE_SIDECAR))
		return e;
	if (known_ending(c, &e))
		return e;
	e = (struct ending){ NEVER, 0 };
	if (role == ROLE_INIT)
		e.after = timing(T_STEP_INIT);
	else if (role == ROLE_JOB)
		e.after = timing(T_STEP_JOB);
	return e;
}

bool ignores_sigterm(const struct container *c)
{
	static const char *const deaf[] = { "sleep", "tail", "cat", "top", "nc", "true", "false", NULL };
	struct words w = argv_of(c);

	if (!w.nr)
		return c->image && bare_shell_image(c->image);
	return is_shell(w.v[0]) ? !(w.nr > 2 && strstr(w.v[w.nr - 1], "exec ")) : one_of(base_name(w.v[0]), deaf);
}

bool image_missing(const struct pod *p, const struct container *c)
{
	return streq(script(p, c, "image"), "missing");
}

nsec hook_lasts(const struct lifecycle_handler *h)
{
	struct ending e = { 0, 0 };

	if (!h)
		return 0;
	if (h->sleep)
		return SECONDS(MAX(h->sleep->seconds, 0));
	if (h->exec && h->exec->command.nr) {
		struct container c = { .command = h->exec->command };

		if (known_ending(&c, &e) && e.after != NEVER)
			return e.after;
	}
	return timing(T_STEP_HOOK);
}

/* ---- probes */

static const struct probe *probe_of(const struct container *c, enum probe_kind k)
{
	return k == PROBE_STARTUP ? c->startup : k == PROBE_READINESS ? c->readiness : c->liveness;
}

static const struct int_or_str *probe_port(const struct probe *p)
{
	return p->http ? &p->http->port : p->tcp ? &p->tcp->port : NULL;
}

static bool port_exists(const struct container *c, const struct int_or_str *port)
{
	if (!port || !port->s)
		return true;
	for (uint32_t k = 0; k < c->ports.nr; k++)
		if (streq(c->ports.v[k].name, port->s))
			return true;
	return strspn(port->s, "0123456789") == strlen(port->s);
}

/* An exec probe whose command says itself how it ends; what else a command finds is not known, and taken as success. */
static bool command_succeeds(const struct probe *p, const char **why)
{
	struct container c = { .command = p->exec->command };
	struct ending e = { 0, 0 };

	if (!c.command.nr || !known_ending(&c, &e))
		return true;
	if (e.after > SECONDS(MAX(p->timeout, 1))) {
		*why = "command timed out";
		return false;
	}
	return e.code == 0;
}

bool probe_succeeds(const struct pod *p, const struct container *c, enum probe_kind k, nsec since, nsec *until, const char **why)
{
	static const char *const words[] = { [PROBE_STARTUP] = "started", [PROBE_READINESS] = "ready", [PROBE_LIVENESS] = "live" };
	const struct probe *probe = probe_of(c, k);
	const char *s = script(p, c, words[k]);
	nsec at;

	*until = NEVER;
	*why = probe && probe->http ? "HTTP probe failed with statuscode: 503" : probe && probe->tcp ? "connect: connection refused" : "command failed";
	if (streq(s, "never"))
		return false;
	if (scripted(s, "after", &at)) {
		*until = since < at ? at : NEVER;
		return since >= at;
	}
	if (scripted(s, "until", &at)) {
		*until = since < at ? at : NEVER;
		return since < at;
	}
	if (probe && !port_exists(c, probe_port(probe))) {
		*why = "couldn't find the named port";
		return false;
	}
	if (!probe)
		return true;
	return probe->exec ? command_succeeds(probe, why) : agnhost_answers(c, probe, since, timing(T_AGNHOST_ALIVE), until, why);
}

/* The first moment from `at` on, in steps of the probe's period from `first`, at which the probe succeeds (or fails) `times` times in a row; NEVER. */
static nsec first_row(const struct pod *p, const struct container *c, enum probe_kind k, nsec from, nsec first, bool success, int32_t times, const char **why)
{
	nsec period = SECONDS(MAX(probe_of(c, k)->period, 1)), until, at = first;

	/* An answer changes once at most: two looks are enough. */
	for (int look = 0; look < 2; look++) {
		if (probe_succeeds(p, c, k, at - from, &until, why) == success && (until == NEVER || until > at - from + (times - 1) * period))
			return at + (times - 1) * period;
		if (until == NEVER)
			return NEVER;
		at += (until - (at - from) + period - 1) / period * period;
	}
	return NEVER;
}

static nsec delay_of(const struct probe *p)
{
	return SECONDS(MAX(p->initial_delay, 0));
}

struct probing container_probing(const struct pod *p, const struct container *c, nsec from)
{
	struct probing r = { .started = from, .ready = NEVER, .unready = NEVER, .killed = NEVER, .complains = NEVER };
	const char *why;

	if (c->startup) {
		nsec first = from + delay_of(c->startup), fails = first_row(p, c, PROBE_STARTUP, from, first, false, c->startup->failure, &why);

		r.started = first_row(p, c, PROBE_STARTUP, from, first, true, 1, &why);
		if (fails < r.started) {
			r.killed = fails;
			r.by_startup = true;
			r.started = NEVER;
		}
		if (r.started != first) {
			probe_succeeds(p, c, PROBE_STARTUP, first - from, &(nsec){ 0 }, &why);
			r.complaint = why;
			r.complainer = PROBE_STARTUP;
			r.complains = first;
		}
		if (r.started == NEVER)
			return r;
	}
	r.ready = r.started;
	if (c->readiness) {
		nsec first = MAX(r.started, from + delay_of(c->readiness)), until;

		r.ready = first_row(p, c, PROBE_READINESS, from, first, true, MAX(c->readiness->success, 1), &why);
		/* While it is not ready, each look at the Pod probes it at once: it need not wait for the next period. */
		if (r.ready > first && !probe_succeeds(p, c, PROBE_READINESS, first - from, &until, &why)) {
			r.complaint = r.complaint ? r.complaint : why;
			r.complainer = PROBE_READINESS;
			r.complains = MIN(r.complains, first);
			if (r.ready != NEVER && until != NEVER)
				r.ready = MIN(r.ready, from + until + (MAX(c->readiness->success, 1) - 1) * SECONDS(MAX(c->readiness->period, 1)));
		}
		if (r.ready != NEVER)
			r.unready = first_row(p, c, PROBE_READINESS, from, r.ready, false, MAX(c->readiness->failure, 1), &why);
	}
	if (c->liveness) {
		nsec first = MAX(r.started, from + delay_of(c->liveness));

		r.killed = first_row(p, c, PROBE_LIVENESS, from, first, false, MAX(c->liveness->failure, 1), &why);
		if (r.killed != NEVER && !r.complaint) {
			r.complaint = why;
			r.complainer = PROBE_LIVENESS;
			r.complains = r.killed - (MAX(c->liveness->failure, 1) - 1) * SECONDS(MAX(c->liveness->period, 1));
		}
	}
	return r;
}
