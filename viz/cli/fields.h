/* --field-selector: what the API server selects objects by beside their labels. Which fields there are depends on the kind.
 * Sources: apimachinery pkg/fields/selector.go; the AddFieldLabelConversionFunc of Kubernetes 1.36's pkg/apis/{core,batch}/v1 and of apiextensions. */
#ifndef PODWIRE_FIELDS_H
#define PODWIRE_FIELDS_H

#include "model/api/object.h"

struct field_term { const char *path, *dflt, *value; bool differs; };   /* path NULL: nothing is ever there */
struct field_terms { VEC(struct field_term) list; };

/* spec.nodeName=worker-1,status.phase!=Running, of objects of that kind. labels: what -l says beside it, for the message. false: err has the API server's words. */
bool fields_parse(struct arena *, const struct kind *, const char *text, const char *labels, struct field_terms *, struct err *);
bool fields_match(const struct field_terms *, const struct val *doc);

#endif
