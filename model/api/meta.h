/* What stands at the top of every document: apiVersion, kind, metadata; and the rules for the whole object. */
#ifndef PODWIRE_META_H
#define PODWIRE_META_H

#include "model/api/check.h"

extern const struct field meta_fields[];

/* Decodes metadata into *o (o->kind is set already): namespace, name, generateName, uid, labels, annotations, owner references, finalizers,
 * deletionTimestamp. false: its form is wrong. */
bool meta_decode(struct decode *d, const struct val *doc, struct object *o);

/* Create-time validation of a decoded and defaulted object: metadata, then the kind's own check. false: c->err says why. */
bool object_check(struct check *, const struct object *);
/* What an update may not change. */
bool object_check_update(struct check *, const struct object *now, const struct object *old);

#endif
