/* Streams of a scenario: requests at a fixed rate while other things happen; each takes the outcome that the seed draws for it. */
#include "sim/scenario/play.h"

static const struct outcome_view *drawn(struct play *p, const struct stream *s, const struct answer *a)
{
	double at = (double)(draw(p->world->cluster, "traffic", s->q->to, s->sent) >> 11) * 0x1p-53, sum = 0;

	for (uint32_t k = 0; k + 1 < a->nr; k++) {
		sum += frac_value(a->v[k].p);
		if (at < sum)
			return &a->v[k];
	}
	return &a->v[a->nr - 1];
}

static void lose(struct play *p, struct stream *s, const char *why)
{
	nsec now = cluster_now(p->world->cluster);
	struct loss *l = NULL;

	for (uint32_t k = 0; k < s->losses.nr && !l; k++)
		if (strcmp(s->losses.v[k].why, why) == 0)
			l = &s->losses.v[k];
	if (!l) {                               /* outlives the question's memory */
		l = vec_push(cluster_arena(p->world->cluster), &s->losses);
		*l = (struct loss){ str_intern(cluster_strings(p->world->cluster), why), 0, now, now };
	}
	l->nr++;
	l->last = now;
}

static void send_one(struct play *p, struct stream *s)
{
	struct arena_mark mark = arena_mark(p->arena);
	struct err err = { 0 };
	struct question q;
	struct answer answer;
	const struct outcome_view *o = play_ask(p, s->q, &q, &answer, &err) ? drawn(p, s, &answer) : NULL;
	bool lost = !o || o->verdict != V_DELIVERED || !o->answered || (o->http && o->http->status >= 500);

	if (lost)
		lose(p, s, o && o->reason ? o->reason : o && o->http && o->http->why ? o->http->why : err.nr ? err.v[0].text : "not answered");
	s->sent++;
	s->lost += lost;
	s->next += s->every;
	err_free(&err);
	arena_rewind(p->arena, mark);
}

static struct stream *next_stream(struct play *p)
{
	struct stream *first = NULL;

	for (uint32_t k = 0; k < p->streams.nr; k++)
		if (!first || p->streams.v[k].next < first->next)
			first = &p->streams.v[k];
	return first;
}

bool play_until(struct play *p, nsec limit, bool (*done)(void *), void *ctx)
{
	struct stream *s;

	while ((s = next_stream(p)) && s->next <= limit) {
		if (control_advance_until(p->world->control, s->next, done, ctx) && done)
			return true;
		send_one(p, s);
	}
	return control_advance_until(p->world->control, limit, done, ctx);
}

void play_streams_begin(struct play *p)
{
	nsec now = cluster_now(p->world->cluster);

	p->streams.nr = 0;
	for (uint32_t k = 0; k < p->step->traffic.nr; k++) {
		const struct question_doc *q = &p->step->traffic.v[k];

		vec_add(p->arena, &p->streams, (struct stream){ .q = q, .next = now, .every = SECONDS(1) / MAX(q->rate, 1), .until = now + q->duration });
	}
	for (uint32_t k = 0; k < p->streams.nr; k++)            /* the first comes before the changes */
		send_one(p, &p->streams.v[k]);
}

void play_streams_end(struct play *p)
{
	bool waits = p->step->changes.wait.nr || p->step->changes.advances;

	for (uint32_t k = 0; k < p->streams.nr; k++) {
		nsec until = p->streams.v[k].q->duration || waits ? p->streams.v[k].until : p->streams.v[k].until + timing(T_STREAM);

		if (until > cluster_now(p->world->cluster))
			play_until(p, until, NULL, NULL);
	}
}
