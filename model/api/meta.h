/* What stands at the top of every document: apiVersion, kind, metadata. */
#ifndef PODWIRE_META_H
#define PODWIRE_META_H

#include "model/api/object.h"

/* Decodes metadata into *o (o->kind is set already): namespace, name, generateName, uid, labels, annotations, owner references, finalizers,
 * creation and deletion times, resourceVersion. validate: names and labels are checked by the API server's rules of that kind
 * (apimachinery pkg/api/validation/objectmeta.go). Unknown fields at the top and in metadata are reported as d->unknown says. false if there was any error. */
bool meta_decode(struct decode *d, const struct val *doc, struct object *o, bool validate);

#endif
