/* What is wrong, or at least strange, about policies: found without a question asked. docs/policy.md lists the rules. */
#ifndef PODWIRE_REACH_LINT_H
#define PODWIRE_REACH_LINT_H

#include "sim/reachability/reach.h"

enum lint_level { LINT_NOTE, LINT_WARNING };
struct lint_finding {
	const char *rule;                       /* of lint_rules */
	enum lint_level level;
	const struct object *object;            /* whose file and line it is; never NULL */
	const char *path; uint32_t line;        /* path: NULL: the object itself */
	const char *text, *remedy;
};
struct lint_rule { const char *id, *help; };
extern const struct lint_rule lint_rules[];     /* ends with id NULL */
typedef VEC(struct lint_finding) lint_findings;
/* NetworkPolicies in the order (namespace, name), policies in tiers in theirs, then Pods. ns: only what belongs to that namespace; NULL: all. */
void reach_lint(struct reach *, struct cluster *, const char *ns, struct arena *, lint_findings *out);

#endif
