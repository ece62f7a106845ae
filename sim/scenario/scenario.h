/* A scenario: a document of podwire.io/v1 that sets up a cluster, changes and breaks it step by step, asks questions, and says what must hold
 * (docs/scenarios.md). It is data: it can run nothing, and read nothing outside its folder. */
#ifndef PODWIRE_SCENARIO_H
#define PODWIRE_SCENARIO_H

#include "model/api/field.h"
#include "model/cluster/cluster.h"

#define SCENARIO_API "podwire.io/v1"

typedef LIST(const struct val *) val_vec;

/* ---- small languages */

/* Which objects: svc/web, svc/NS/web, pod -l app=web -n shop, node. */
struct pick { const char *text, *word; str ns, name; struct selector by; bool by_label, all_ns; };
/* How many, or how much: all, 3, 0.5, >=1, <=2, 1..3. */
struct range { bool all, share; double lo, hi; bool above, below; };    /* above, below: lo, hi themselves are outside */
/* svc/web has endpoints; pod -l app=web ready; pod/web condition=Ready. */
enum wait_word {
	WAIT_EXISTS, WAIT_DELETED, WAIT_READY, WAIT_AVAILABLE, WAIT_COMPLETE, WAIT_FAILED, WAIT_RUNNING, WAIT_PENDING, WAIT_SUCCEEDED, WAIT_SCHEDULED, WAIT_ROLLED_OUT,
	WAIT_ENDPOINTS, WAIT_ADDRESS, WAIT_REPLICAS, WAIT_CONDITION, WAIT_JSONPATH, WAIT_WORDS,
};
struct wait_for { const char *text; struct pick pick; enum wait_word word; bool negated; struct range count; const char *name, *value; };

/* ---- what must hold */

enum expect_about { ABOUT_TRACE = 1, ABOUT_OBJECT = 2, ABOUT_EVENT = 4, ABOUT_MATRIX = 8, ABOUT_STREAM = 16, ABOUT_DNS = 32 };
struct event_expect { str reason, object, message, type; const struct val *count; };
struct expect {
	const struct val *doc;                  /* as written: its text and place */
	unsigned about;                         /* one of expect_about */
	/* of the outcomes of a trace, each of them */
	uint8_t verdict;                        /* 1 + enum verdict; 0: not said */
	uint8_t answered, assumed, masqueraded; /* tri */
	str reason, source_seen, endpoint, endpoint_node;
	const struct val *status;
	val_vec via;
	/* of all of them together */
	const struct val *outcomes;             /* end or selector → all, count, share */
	const struct val *lost;                 /* of a stream */
	/* of objects and events */
	str object, path;
	struct event_expect *event;
	const struct val *equals, *count, *contains;
	str matches;
	uint8_t exists;                         /* tri */
	/* of DNS */
	str rcode;
	const struct val *answers;
	struct expect *when, *not_;             /* only the outcomes that match; the contrary */
	str question;                           /* of several questions of the step, the one of that name */
};
typedef LIST(struct expect) expect_list;

/* ---- steps */

struct changes {                                /* in the order in which they are done */
	str_list apply_files;
	val_vec apply, delete, patch, scale, label, annotate, fault, heal;     /* each a document, a map of its own kind, or an object's name */
	LIST(struct wait_for) wait;
	nsec timeout;
	nsec advance; bool advances;
};
struct question_doc {                           /* a trace, an HTTP request, a stream of them, or a look-up */
	const struct val *doc;
	str name, from, to, protocol, method, resolve, container, ns, type, resolver, backend_answers, cert;
	str keep, connection;                   /* a connection stays open under that name; another packet on one that does */
	pair_list headers, backend_headers;
	int32_t size;
	bool df, v4, v6, draw;
	int32_t rate; nsec duration;            /* a stream: a second; how long at least */
};
typedef LIST(struct question_doc) question_list;
struct matrix_doc { str protocol, ns; struct int_or_str port; str_list with_external; pair_list labels; };
struct draw_doc { str figure, out, theme; str_list args; };
struct ask_doc { str question, why; str_list choices; int32_t answer; };

struct step {
	const char *name, *say, *notes;         /* name: "step 3" where it has none */
	uint32_t line;
	struct changes changes;
	question_list traffic, trace, dns;
	struct matrix_doc *matrix;
	expect_list expect;
	LIST(struct draw_doc) draw;
	struct ask_doc *ask;
	expect_list goal;
	str_list hints;
	struct changes *solution; const struct val *solution_doc;       /* and as it is written */
};

struct scenario {
	const char *file, *dir;                 /* dir: what it names lies below */
	uint32_t line;
	str name, title, ns;
	pair_list labels;
	bool in_sim, in_linux;                  /* modes */
	uint64_t seed;                          /* 0: not said */
	const struct val *cluster; str cluster_file;
	str_list files;
	bool expect_failure; str failure_reason;
	LIST(struct step) steps;
	val_vec documents;                      /* the other documents of its file, to be applied first */
};

struct scenario_list { struct scenario **v; uint32_t nr, alloc; };

/* All scenarios of a path: a file, a folder, "-". Unknown keys, what could never fail, wrong types, paths that lead outside: errors with their place; it goes on
 * behind them. false if there was any. Everything lives in the arena. A folder may hold manifests too: they are passed over. */
bool scenarios_load(struct arena *, const char *path, struct scenario_list *out, struct err *);
/* One that was read already (-f). file: its path. */
struct scenario *scenario_parse(struct arena *, const char *file, const struct val *root, struct err *);
bool is_scenario(const struct val *root);
bool scenario_has_task(const struct scenario *);        /* a step of it leaves something to the learner: it has a goal */
/* The path of a file that the scenario names; NULL: it leads outside the scenario's folder. */
const char *scenario_path(struct arena *, const struct scenario *, const char *name, const struct val *at, struct err *);

/* ---- for those who parse and judge */

struct strtab;
struct parse { struct arena *arena; struct strtab *strings; const char *file, *object; struct err *err; };
/* Each adds an error at `at` and returns false. */
bool parse_failed(struct parse *, const struct val *at, const char *path, const char *fmt, ...) PRINTF(4, 5);
struct decode parse_strictly(const struct parse *);      /* by a table of fields; an unknown one is an error */
bool pick_parse(struct parse *, const char *text, const struct val *at, struct pick *out);
bool range_parse(struct parse *, const struct val *, const char *path, struct range *out);
bool wait_parse(struct parse *, const char *text, const struct val *at, struct wait_for *out);
bool changes_parse(struct parse *, const struct val *, const char *path, struct changes *out);
bool expects_parse(struct parse *, const struct val *list, const char *path, expect_list *out);
bool questions_parse(struct parse *, const struct val *, const char *path, question_list *out);
bool lookups_parse(struct parse *, const struct val *, const char *path, question_list *out);
const char *fault_kind(const struct val *);     /* which of the things that can break the map names; NULL: none */
/* A value that may stand alone or in a list, as a list. */
val_vec as_list(struct arena *, const struct val *);

bool range_holds(const struct range *, double value, double of);       /* of: what `all` is */
const struct kind *pick_kind(const struct cluster *, const struct pick *);     /* NULL: no kind of that word, in podwire or this cluster */
/* The objects, in the order of their names; in the arena. */
struct object_list pick_objects(const struct cluster *, const struct pick *, const char *dflt_ns, struct arena *);
bool wait_holds(struct cluster *, const struct wait_for *, const char *dflt_ns, struct arena *);
/* The Pods that a name stands for: pod/…, deploy/…, svc/… (its endpoints), pod -l …; does p belong to them? */
bool pick_has_pod(struct cluster *, const struct pick *, const char *dflt_ns, const struct pod *, struct arena *);

#endif
