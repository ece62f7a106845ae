/* Forms that several kinds of the Gateway API share. Source: gateway-api apis/v1/{shared,httproute,object_reference}_types.go and the CRDs made from them
 * (config/crd/experimental: of the two channels the one that knows all fields). */
#ifndef PODWIRE_GATEWAY_FORMS_H
#define PODWIRE_GATEWAY_FORMS_H

#include "model/api/form.h"

#define GW_LABEL       "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define GW_DOTTED      GW_LABEL "(\\." GW_LABEL ")*"
#define GW_SUBDOMAIN   "^" GW_DOTTED "$"
#define GW_HOSTNAME    "^(\\*\\.)?" GW_DOTTED "$"

extern const struct form gw_group, gw_kind, gw_object, gw_namespace;            /* parts of references */
extern const struct form gw_subdomain, gw_hostname, gw_port, gw_section, gw_all_or_none;
extern const struct form gw_secret;                                             /* SecretObjectReference */
extern const struct form gw_local;                                              /* LocalObjectReference */
extern const struct form gw_parents, gw_header_name;

#define GW_BACKEND_ROWS { "group", &gw_group, false }, { "kind", &gw_kind, false }, { "name", &gw_object, true }, { "namespace", &gw_namespace, false }, { "port", &gw_port, false }

form_rules gw_backend_rules;            /* a Service has a port */
/* Every member of the list that has this one has its own: `says` otherwise, once for the list. */
void gw_must_differ(struct check *, const struct val *list, const char *member, const struct path *, const char *says);

#endif
