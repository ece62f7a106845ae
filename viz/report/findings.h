/* Findings with their place, in the forms that people and CI read: text, JSON, SARIF 2.1.0 and GitHub's annotations. */
#ifndef PODWIRE_FINDINGS_H
#define PODWIRE_FINDINGS_H

#include "model/base/val.h"

enum finding_level { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR };
struct finding_step { const char *file; uint32_t line; const char *text; };     /* of a thread flow: where one looks, in order */
struct finding {
	const char *rule;                       /* dns-cut-off: stable, for filters */
	enum finding_level level;
	const char *object, *path;              /* NetworkPolicy shop/db, spec.ingress[0]; path may be NULL */
	const char *file; uint32_t line;        /* NULL: made by a controller, or from stdin */
	const char *text, *remedy;              /* remedy may be NULL */
	const struct finding_step *steps; uint32_t nr_steps;
};
struct finding_rule { const char *id, *help; };         /* ends with id NULL */

void findings_sarif(const struct finding *, uint32_t nr, const struct finding_rule *, struct arena *, struct sb *);
/* By -o: text (or NULL), json, sarif, github. false: none of them. */
bool findings_print(const char *format, const struct finding *, uint32_t nr, const struct finding_rule *, bool colour, struct arena *, struct sb *);

#endif
