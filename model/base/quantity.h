/* Numbers with units as Kubernetes writes them. Each returns false, and leaves *out alone, if the text is not one. */
#ifndef PODWIRE_QUANTITY_H
#define PODWIRE_QUANTITY_H

#include "model/base/val.h"

bool quantity_parse(const char *, int64_t *milli);      /* "100m" → 100, "1" → 1000, "1Gi" → 1073741824000; saturates; apimachinery pkg/api/resource */
bool quantity_of(const struct val *, int64_t *milli);   /* the same of a document, where it may be a number without quotes; NULL: false */
/* As the API server writes it: 0.5 is 500m, 1000m is 1, 1024Mi is 1Gi, 1.5Gi is 1536Mi (Quantity.CanonicalizeBytes). What is no quantity, or too large, stays as it is. */
const char *quantity_canonical(const char *, char out[64]);
/* The same of a document, where it may be a number without quotes; "": it is neither. */
const char *quantity_written(const struct val *, char out[64]);
/* The shortest way to write it, as Kubernetes does: 250m, 2; of bytes 1536Ki, 2Gi where they are whole. */
const char *quantity_text(int64_t milli, bool bytes, char out[32]);
bool duration_parse(const char *, nsec *);              /* Go's: "40s", "1m30s", "1.5h", "100ms"; a bare "0" */
nsec duration_or_none(const char *);                    /* the same; NULL and what is no duration: 0 */
/* "2026-01-02T03:04:05Z" → nanoseconds since 1970-01-01 UTC. Go's zero time, 0001-01-01T00:00:00Z, is none: NEVER. Years before 1850 and after 2139 are
 * these. */
bool time_parse(const char *rfc3339, nsec *);
const char *time_text(nsec since_1970, char out[32]);   /* RFC 3339 in UTC, whole seconds */
const char *age_text(nsec, char out[16]);               /* as kubectl's AGE: 5s, 3m2s, 4h, 12d (apimachinery pkg/util/duration HumanDuration) */

#endif
