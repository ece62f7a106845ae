/* Inside of model/api: values that are one thing (field_value.c), as the tables' lists and structs (field.c) are made of them. at, out: NULL: only the
 * form is judged. false: err has why. */
#ifndef PODWIRE_FIELD_VALUE_H
#define PODWIRE_FIELD_VALUE_H

#include "model/api/field.h"
#include "model/api/path.h"

/* Says what is wrong with the value (NULL: with the object) at the path; always false. */
bool field_complain(struct decode *, const struct val *, const struct path *, const char *fmt, ...) PRINTF(4, 5);
bool field_wrong_type(struct decode *, const struct val *, const struct path *, const char *wanted);
str field_text(const struct decode *, const struct val *);       /* of a string, interned */

/* A field of any type but lists, maps and structs, into the member of that type. */
bool decode_value(struct decode *, const struct field *, const struct val *, const struct path *, void *at);
bool decode_int(struct decode *, const struct val *, const struct path *, int64_t lo, int64_t hi, int64_t *out);
bool decode_quantity(struct decode *, const struct val *, const struct path *, int64_t *out /* in thousandths */, char text[64]);
bool decode_bytes(struct decode *, const struct val *, const struct path *, str *out /* in base 64 */);

#endif
