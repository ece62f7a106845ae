/* What stands at the top of every document: apiVersion, kind, metadata. */
#ifndef PODWIRE_META_H
#define PODWIRE_META_H

#include "model/api/object.h"

/* Decodes metadata into *o (o->kind is set already): namespace, name, generateName, uid, labels, annotations, owner references, finalizers,
 * creation and deletion times, resourceVersion. validate: names and labels are checked by the API server's rules of that kind
 * (apimachinery pkg/api/validation/objectmeta.go). Unknown fields at the top and in metadata are reported as d->unknown says. false if there was any error. */
bool meta_decode(struct decode *d, const struct val *doc, struct object *o, bool validate);

/* Names and labels: apimachinery pkg/util/validation. */
bool name_is_label(const char *);               /* RFC 1123 label */
bool name_is_label_1035(const char *);          /* RFC 1035 label */
bool name_is_subdomain(const char *);           /* RFC 1123 subdomain */
bool label_key_valid(const char *);
bool label_value_valid(const char *);

#endif
