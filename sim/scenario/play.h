/* Replaying a scenario: step by step, each expectation a record. */
#ifndef PODWIRE_PLAY_H
#define PODWIRE_PLAY_H

#include "model/dns/dns.h"
#include "sim/ask/question.h"
#include "sim/engine/world.h"
#include "sim/scenario/scenario.h"

struct matrix_table { const char **names; uint32_t nr; bool *allowed; };       /* row by row: from × to */

/* Who answers questions: the model, or real namespaces. */
struct play_backend {
	void *ctx;
	bool (*ask)(void *ctx, struct world *, const struct question *, struct arena *, struct answer *, struct err *);
	bool (*passes)(void *ctx, struct world *, const struct outcome_view *, const char *name);      /* a namespace, a node or a rule on its way */
	const char *(*name_of)(void *ctx, struct world *, ip_addr, struct arena *);                     /* an end, or NULL */
	bool (*fault)(void *ctx, struct world *, const char *kind, const char *target, const struct val *args, bool heal, struct err *);
	bool (*matrix)(void *ctx, struct world *, const struct matrix_doc *, const char *ns, struct arena *, struct matrix_table *, struct err *);
	/* The queries that the model made for a lookup, by the Pod (NULL: straight to cluster DNS). false: they end otherwise here (err). NULL: nobody to compare with. */
	bool (*look_up)(void *ctx, struct world *, const struct pod *, const struct dns_lookup *, struct arena *, struct err *);
	bool (*draw)(void *ctx, struct world *, const struct scenario *, const struct draw_doc *, struct err *);        /* NULL: figures are passed over */
	void (*show)(void *ctx, struct world *, const struct scenario *, const struct question *);      /* its answer is not as expected: whoever wants to show its way; NULL */
};
extern const struct play_backend play_sim;

struct asked { const struct question_doc *doc; struct question q; struct answer answer; const char *why; };      /* why: it could not be asked */

struct record {
	const char *step;
	const char *expected, *actual;          /* expected NULL: that the step could be done */
	bool ok;
	nsec at;
	uint32_t line;
};

struct loss { const char *why; uint32_t nr; nsec first, last; };         /* requests that were lost for the same reason */
struct stream { const struct question_doc *q; nsec next, every, until; uint32_t sent, lost; VEC(struct loss) losses; };

struct play {
	const struct scenario *scenario;
	struct world *world;
	struct play_backend backend;
	struct arena *arena;                    /* records and answers live here */
	bool only_changes;                      /* traces, expectations and figures are passed over */
	VEC(struct record) records;
	uint32_t failed;
	/* of the step at hand */
	const struct step *step;
	VEC(struct stream) streams;
	struct asked *asked; uint32_t nr_asked;
	const struct asked *failing, *shown;    /* the question whose answer was not as the last expectation had it; the last that was shown for that */
	struct looked { const struct question_doc *doc; const char *rcode /* UNKNOWN: see unknown */, *why, *unknown; str_list answers; } *looked;
	uint32_t nr_looked;
	struct matrix_table matrix;
	const char *no_matrix;                  /* why there is none */
};

/* An empty world: applies the cluster, the files and the documents beside the scenario, adds what no document brought, and settles. false: err. */
bool play_begin(struct play *, const struct scenario *, struct world *, const struct play_backend *, struct arena *, struct err *);
void play_step(struct play *, uint32_t nr);
void play_all(struct play *);

/* ---- parts */
bool matrix_make(void *, struct world *, const struct matrix_doc *, const char *ns, struct arena *, struct matrix_table *, struct err *);
/* What is expected, for people: its name, or its own text as in the file. */
const char *expect_text(struct arena *, const struct expect *);
/* Changes, faults and time. What could not be done, and each condition that was waited for, is a record. */
void play_changes(struct play *, const struct changes *);
void play_questions(struct play *);
/* Asks one of them now; the answer lives in the play's arena. false: err. */
bool play_ask(struct play *, const struct question_doc *, struct question *, struct answer *, struct err *);
/* Streams of the step: the first request of each comes before the changes. One without a duration, in a step that waits for nothing, lasts 10 s. */
void play_streams_begin(struct play *);
void play_streams_end(struct play *);
/* Lets time pass, requests of streams included, until done() (NULL: never) or the limit. true: done. */
bool play_until(struct play *, nsec limit, bool (*done)(void *), void *ctx);
/* The expectation judged against what the step asked, or the cluster. *actual: what there is, in the arena. */
bool judge(struct play *, const struct expect *, const char **actual);
bool judge_object(struct play *, const struct expect *, const char **actual);
bool judge_event(struct play *, const struct expect *, const char **actual);
bool judge_matrix(struct play *, const struct expect *, const char **actual);

#endif
