/* What the API server says of an object that it does not take: its words, with the place in the document. Each refuse_ adds one message,
 * counts it and returns false. Each must_be_ refuses a text that is not of its form; more than one message for one text is usual.
 * Source of the words: apimachinery pkg/util/validation/field/errors.go, pkg/util/validation/{validation,ip}.go, pkg/api/validate/content. */
#ifndef PODWIRE_CHECK_H
#define PODWIRE_CHECK_H

#include "model/api/object.h"
#include "model/api/path.h"

bool refuse_str(struct check *, const struct path *, const char *value, const char *fmt, ...) PRINTF(4, 5);    /* Invalid value: "x": … */
bool refuse_int(struct check *, const struct path *, int64_t value, const char *fmt, ...) PRINTF(4, 5);
bool refuse_val(struct check *, const struct path *, const struct val *value, const char *fmt, ...) PRINTF(4, 5);      /* the value as JSON; NULL: null */
bool refuse_text(struct check *, const struct path *, const char *json, const char *fmt, ...) PRINTF(4, 5);    /* the value is JSON already */
bool refuse_missing(struct check *, const struct path *, const char *fmt, ...) PRINTF(3, 4);                    /* Required value[: …]; fmt may be "" */
bool refuse_duplicate(struct check *, const struct path *, const char *value);
bool refuse_duplicate_val(struct check *, const struct path *, const struct val *value);
bool refuse_duplicate_text(struct check *, const struct path *, const char *json);
bool refuse_forbidden(struct check *, const struct path *, const char *fmt, ...) PRINTF(3, 4);
bool refuse_unsupported(struct check *, const struct path *, const char *value, const char *const *supported);   /* supported: NULL-terminated */
bool refuse_unsupported_text(struct check *, const struct path *, const char *json, const char *const *supported);
bool refuse_omitted(struct check *, const struct path *, const char *why);                                      /* Invalid value: … without the value */
bool refuse_long(struct check *, const struct path *, uint32_t max);                                            /* Too long: may not be more than … bytes */
bool refuse_many(struct check *, const struct path *, uint32_t have, uint32_t max);
bool refuse_unfound(struct check *, const struct path *, const char *value, const char *why);                   /* Not found: "x"[: …]; why may be "" */

void warn_of(struct check *, const struct path *, const char *fmt, ...) PRINTF(3, 4);     /* as the server warns: taken all the same */
const char *json_of(const struct val *, struct sb *);   /* one line; lives in the sb */
bool one_of(const char *, const char *const *names);    /* NULL is none */
const char *trimmed(const char *s, size_t n, char *out, size_t size);   /* without blanks around; cut to size */

bool is_label_value(const char *);
typedef void must_be(struct check *, const struct path *, const char *);
must_be must_be_label;                  /* RFC 1123 label */
must_be must_be_subdomain;              /* RFC 1123 subdomain */
/* A name that the value is only a part of, or the other way round: the value is told, the prefix stands before each message. */
void must_be_subdomain_part(struct check *, const struct path *, const char *value, const char *name, const char *prefix);
must_be must_be_subdomain_caseless;
must_be must_be_subdomain_underscore;   /* as before, with _ */
must_be must_be_label_1035;
must_be must_be_wildcard;               /* *.example.com */
must_be must_be_label_key;              /* a qualified name */
must_be must_be_label_value;
must_be must_be_port_name;              /* IANA_SVC_NAME */
must_be must_be_env_name;               /* relaxed: printable ASCII without = */
must_be must_be_config_key;
must_be must_be_percent;
must_be must_be_header_name;
must_be must_be_path_segment;           /* names of RBAC objects, IPAddress: pkg/api/validation/path */
must_be must_be_ip;                     /* IsValidIPForLegacyField, strict (StrictIPCIDRValidation is on since 1.36): legacy forms only where they stood before */
must_be must_be_canonical_ip;           /* IsValidIP */
must_be must_be_cidr;                   /* IsValidCIDRForLegacyField: likewise */
must_be must_be_cidr_any;               /* the same, but legacy forms are taken with the warning that older servers give */
must_be must_be_fqdn;                   /* IsFullyQualifiedDomainName */
must_be must_be_domain_path;            /* example.com/path: IsDomainPrefixedPath; "" is Required */

void must_be_port(struct check *, const struct path *, int64_t);
void must_be_port_or_name(struct check *, const struct path *, const struct int_or_str *);      /* ValidatePortNumOrName */
void must_not_be_negative(struct check *, const struct path *, int64_t);                       /* ValidateNonnegativeField */
void must_be_labels(struct check *, const struct path *, const pair_list *);                    /* metav1 ValidateLabels */
void must_be_labels_val(struct check *, const struct path *, const struct val *map);
void must_be_annotations(struct check *, const struct path *, const pair_list *);
void must_be_annotations_val(struct check *, const struct path *, const struct val *map);
void must_be_selector_val(struct check *, const struct path *, const struct val *, bool loose);          /* metav1 ValidateLabelSelector; loose: values are not judged */

#endif
