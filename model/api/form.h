/* What the schema of a custom resource asks of values beyond their types: bounds, patterns, words, members, and the rules (CEL, x-kubernetes-validations) that
 * no single value can tell. A form is one schema; it is judged in the words of the API server. Source of the words: apiextensions-apiserver
 * pkg/apiserver/{validation,schema/listtype,schema/cel}, kube-openapi pkg/validation/errors. */
#ifndef PODWIRE_FORM_H
#define PODWIRE_FORM_H

#include "model/api/check.h"

struct form;
struct form_member { const char *name; const struct form *form; bool needed; };
#define FORM_WORDS(...)   ((const char *const[]){ __VA_ARGS__, NULL })
#define FORM_MEMBERS(...) ((const struct form_member[]){ __VA_ARGS__, { NULL, NULL, false } })
/* Called for a value whose form and whose members' forms are good (as far as types, words and sizes go); says what the rules at this place refuse. */
typedef void form_rules(struct check *, const struct val *self, const struct path *);

struct form {
	int64_t min, max;                       /* of an integer; of a text's characters, a list's items, an object's members. max 0: no bound */
	const char *pattern;                    /* of a text */
	const char *const *words;               /* NULL-terminated: what a text (or an integer, as text) may be */
	const struct form_member *members;      /* of an object; ends with a NULL name. What it does not name is free */
	const struct form *items;               /* of each item of a list, of each member's value of an object */
	const char *key;                        /* of a list: the items differ in this member; "": they differ */
	form_rules *rules;
};

/* v NULL: nothing is there, and nothing is said. */
void form_check(struct check *, const struct form *, const struct val *v, const struct path *);
/* form_check of the document's member `spec`, which must be there. What stood in the cluster as it stands now is left alone (CRDValidationRatcheting). */
void form_check_spec(struct check *, const struct form *);

/* For rules: the text of a member, or what the schema gives it when it is absent; never NULL if dflt is not. */
const char *form_text(const struct val *, const char *member, const char *dflt);
bool form_matches(const char *text, const char *pattern);       /* the pattern is found somewhere in the text; its own ^ and $ bind it */

#endif
