/* The command line: one table of commands, one table of options. Usage, help, completion and docs/cli.md come from them; preconditions are flags, checked
 * once before a command runs. A command gets what was asked and says its exit status through err. */
#ifndef PODWIRE_CLI_H
#define PODWIRE_CLI_H

#include "sim/engine/world.h"
#include "viz/report/version.h"

/* What a command takes. An option belongs to one or more groups; a command names its groups. */
enum {
	G_ALWAYS  = 1 << 0,     /* --lab, -n, -o, --seed, -q, -v, --color … */
	G_FILES   = 1 << 1,     /* -f, --validate, --no-settle, --at */
	G_CLUSTER = 1 << 2,     /* --cni, --kernel, --controller, --cloud-lb, --zone, --enforce … */
	G_SELECT  = 1 << 3,     /* -A, -l */
	G_TRACE   = 1 << 4,
	G_RULES   = 1 << 5,
	G_MATRIX  = 1 << 6,
	G_DNS     = 1 << 7,
	G_DRAW    = 1 << 8,
	G_APPLY   = 1 << 9,
	G_RUN     = 1 << 10,
	G_PATCH   = 1 << 11,
	G_LINUX   = 1 << 12,
	G_INIT    = 1 << 13,
	G_CAPTURE = 1 << 14,    /* --dataplane, --node-ip, --in */
	G_ROLLOUT = 1 << 23,
	G_DRAIN   = 1 << 24,
	G_DELETE  = 1 << 25,
	G_UP      = 1 << 15,
	G_VERIFY  = 1 << 16,
	G_GET     = 1 << 22,    /* how `get` shows it */
	G_EVENTS  = 1 << 17,
	G_TUI     = 1 << 18,
	G_CREATE  = 1 << 26,
	G_EXPOSE  = 1 << 27,
	G_SCALER  = 1 << 28,
	G_WAIT    = 1 << 29,
	G_LOGS    = 1 << 30,
	G_ONLY_TRACE = 1 << 19, /* of G_TRACE, what trace alone does: --batch, --expect, --connection, --pcap, --each */
	CHANGES_LAB = 1 << 20,  /* works on the lab and saves it; a lab is made if there is none */
	READS_LAB = 1 << 21,    /* asks the lab unless -f is given */
};

struct texts { const char **v; uint32_t nr, alloc; };

struct cli {
	struct arena *arena;
	const char *command;
	struct texts args;                      /* what is left beside options, the command's word not among them */
	struct texts rest;                      /* behind -- */
	int argc; char **argv;                  /* as called, for the lab's history */
	/* options, by the table in options.c */
	const char *lab, *ns, *output, *seed, *at, *mode, *color, *selector, *field_selector, *validate;
	struct texts files;
	bool all_ns, no_settle, quiet, verbose, watch, help, recursive;
	const char *sort_by; bool show_labels, no_headers; const char *about, *types; struct texts label_columns;
	const char *cni, *kernel, *zone, *node_resolv_conf, *enforce, *cloud_lb;
	struct texts controllers;
	const char *protocol, *method, *resolve, *backend_answers, *client_cert, *size, *container, *batch, *expect, *dataplane, *pcap;
	struct texts headers;
	const char *as, *connection;
	bool v4, v6, draw, df, each, considered;
	const char *node; bool causes, counters;
	const char *node_ip, *in;
	const char *port, *by, *with_external, *diff, *diff_ref, *explain_from, *expect_file; bool explain;
	const char *type, *resolver;
	const char *glyphs;
	const char *out, *theme, *focus, *depth; bool collapse;
	bool dry_run, force, overwrite, now, all, ignore_not_found, ignore_daemonsets, delete_emptydir_data, disable_eviction;
	const char *cascade, *to_revision;
	const char *current_replicas, *resource_version, *limits, *requests, *chunk_size; bool list;
	const char *replicas, *patch, *patch_type, *patch_file, *timeout, *grace;
	struct texts reports; const char *jobs, *shard; bool allow_commands;
	struct texts images, tcp, rules, annotations, literals, from_files, env;                /* create, run, expose, autoscale */
	const char *cluster_ip, *node_port, *external_name, *ingress_class, *default_backend, *cert, *key, *schedule, *restart, *min_available, *max_unavailable;
	const char *labels, *name, *target_port, *external_ip, *load_balancer_ip, *session_affinity, *min, *max, *cpu_percent; bool command_words;
	struct texts aims, env_files, verbs, resources, resource_names, urls, users, user_groups, accounts;                          /* create */
	const char *from, *hard, *scopes, *value, *description, *preemption, *role, *cluster_role, *docker_server, *docker_user, *docker_password, *docker_email; bool global_default;
	const char *nodes, *config;
	struct watcher { void (*look)(void *ctx, struct world *); void *ctx; } watcher;       /* of the world that -f makes, while its time passes */
	const char *sample, *tries, *cni_bin; bool with_bird, with_stdin, tty, show_all, follow, previous; const char *tail;
	const struct inside *inside;            /* runs within a lab that is up (inside.h); NULL */
	FILE *to;                               /* results */
};

struct command {
	const char *name;
	enum err_kind (*run)(struct cli *, struct err *);       /* ERR_NONE: as expected. What err holds is printed by main; its kind wins over ERR_NONE */
	unsigned takes;
	const char *args, *help;
	const char *about;                      /* a paragraph and examples, for `help COMMAND`; may be NULL */
};
extern const struct command commands[];         /* ends with name NULL */
const struct command *command_find(const char *name);

/* One command line, argv[0] not looked at; cli->arena and cli->to are set. */
enum err_kind cli_run(struct cli *, int argc, char **argv, struct err *);
bool options_parse(struct cli *, unsigned takes, int argc, char **argv, struct err *);
/* Of the group's options only those of these names (NULL-terminated) may be given; with: the word that they go with. */
bool options_only(const struct cli *, unsigned group, const char *const *names, const char *with, struct err *);
void options_help(unsigned takes, FILE *);
/* Calls with each option that goes with one of the groups, in the order of the table; letter 0, arg NULL: it has none. */
void options_each(unsigned takes, void (*fn)(void *ctx, const char *name, char letter, const char *arg, const char *help), void *ctx);
void options_markdown(unsigned takes, unsigned except, FILE *);        /* a line each, for docs/cli.md; those that `except` has as well are left out */

/* The cluster that the question is about: from -f, else from the lab. The caller frees it. */
bool cli_world(struct cli *, struct world *, struct err *);
/* How questions build a cluster (flags of the command line, lenient validation); for commands that need several worlds. */
bool cli_world_options(struct cli *, struct world_options *, struct err *);
bool cli_world_from(struct cli *, const char *const *paths, uint32_t nr, struct world *, struct err *);
struct question;
bool cli_question(struct cli *, const char *from, const char *to, struct question *, struct err *);        /* with the options of G_TRACE */
const char *cli_ns(const struct cli *);         /* -n, else default */
bool cli_output_is(const struct cli *, const char *format);     /* -o; "" where none was given */
/* A whole file, in cli's arena, with a NUL behind it; NULL: err. A file out of these bytes; false: errno says why. */
const char *file_read(struct cli *, const char *path, struct err *);
const char *file_bytes(struct cli *, const char *path, size_t *len, struct err *);     /* of what may hold a NUL */
bool file_write(const char *path, const struct sb *bytes);
enum err_kind cli_usage(struct cli *, struct err *, const char *fmt, ...) PRINTF(3, 4);        /* adds the message and the command's usage; ERR_INPUT */

#define COMMANDS(X)                                                                                                     \
	X(init) X(apply) X(import) X(capture) X(delete) X(get) X(describe) X(events) \
	X(advance) X(patch) X(scale) X(label) X(annotate) X(rollout) \
	X(set) X(cordon) X(uncordon) X(drain) X(taint) X(diff) \
	X(timeline) X(why) X(trace) X(connect) X(dns) X(matrix) X(lint) \
	X(routes) X(rules) X(show) X(draw) X(fault) X(heal) \
	X(run) X(report) X(export) X(up) X(down) X(ps) \
	X(exec) X(logs) X(verify) X(api_resources) X(version) X(help) \
	X(create) X(expose) X(autoscale) X(wait) X(compare) X(tui) X(learn) X(completion)
#define X(fn) enum err_kind cmd_##fn(struct cli *, struct err *);
COMMANDS(X)
#undef X

#endif
