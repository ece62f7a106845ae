/* Which objects a command means: KIND NAME…, KIND/NAME…, KIND,KIND, with -n, -A, -l and --field-selector. */
#ifndef PODWIRE_SELECT_H
#define PODWIRE_SELECT_H

#include "viz/cli/cli.h"
#include "viz/cli/fields.h"

struct selection {
	VEC(struct object *) objects; VEC(const struct kind *) kinds; bool by_name;
	const struct selector *by;              /* -l; NULL: by none */
	struct field_terms fields;              /* --field-selector, of the last kind */
};

/* false: an unknown kind, or a name that does not exist; err says so (ERR_FAILED for a name). Objects are in order of kinds as asked, then namespace and name. */
bool select_objects(struct cli *, struct cluster *, struct selection *, struct err *);

/* The kind that a word means, of the API or of this cluster alone; NULL: err says what was perhaps meant. */
const struct kind *kind_named(struct cluster *, const char *word, struct err *);

/* As kubectl names what it did and what it did not find: deployment.apps, deployments.apps. */
const char *resource_word(struct arena *, const struct kind *);
const char *resource_plural(struct arena *, const struct kind *);

#endif
