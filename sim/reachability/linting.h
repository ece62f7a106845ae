/* What the parts of lint share: lint.c (policies), lint_within.c (rules that others cover), lint_tiers.c (policies in tiers), lint_pods.c (Pods). */
#ifndef PODWIRE_LINTING_H
#define PODWIRE_LINTING_H

#include "model/api/path.h"
#include "model/policy/tiers.h"
#include "sim/reachability/inside.h"
#include "sim/reachability/lint.h"

struct linting {
	struct reach *r;
	struct cluster *c;
	struct arena *a;
	lint_findings *out;
	const struct np_compiled *p;
	const char *ns;
	struct tiers tiers;                     /* of the other APIs */
};

/* p: of what; NULL: the object itself. remedy: NULL, or what to do. */
void lint_say(struct linting *, const char *rule, enum lint_level, const struct object *, const struct path *p, const char *remedy, const char *fmt, ...) PRINTF(7, 8);
/* The same where the place is known already: path NULL: the object; line 0: the object's. */
void lint_say_at(struct linting *, const char *rule, enum lint_level, const struct object *, const char *path, uint32_t line, const char *remedy, const char *fmt, ...) PRINTF(8, 9);
bool lint_has_name(const struct reach *, uint32_t shape, const struct np_ports *);              /* does a container call a port of that protocol so? */
const struct path *lint_rule_path(struct linting *, const struct np_compiled_rule *);
const char *lint_side(const struct np_compiled_rule *);         /* from, to */

void lint_items(struct linting *, const struct np_compiled_rule *);                             /* of one rule */
void lint_redundant(struct linting *, const struct np_compiled *, uint32_t nr);                 /* of all policies of a namespace */
bool lint_peers_within(const struct np_compiled_rule *x, const struct np_compiled_rule *y);     /* does y mean all whom x means, whatever Pods there are? */
bool lint_nothing_left(const struct np_peers *);                                                /* does except leave nothing of the block? */
void lint_tiers(struct linting *);
void lint_pods(struct linting *);

#endif
