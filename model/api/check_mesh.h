/* What Istio's API server and webhook refuse: forms and words that its kinds share. Source: istio manifests/charts/base/files/crd-all.gen.yaml, pkg/config/validation
 * (validation.go, virtualservice.go, agent/validation.go), pkg/config/{labels,security,host,visibility,protocol}. */
#ifndef PODWIRE_CHECK_MESH_H
#define PODWIRE_CHECK_MESH_H

#include "model/api/form.h"
#include "model/api/members.h"

/* The names and types of fields (shape_mesh.c). */
extern const struct field authorization_policy_spec[], destination_rule_spec[], istio_gateway_spec[], peer_authentication_spec[], request_authentication_spec[],
	service_entry_spec[], istio_sidecar_spec[], virtual_service_spec[];

/* The spec by its form; a spec that is not there is an empty one. Then what holds for the metadata of all kinds. */
void mesh_check(struct check *, const struct object *, const struct form *);

/* ---- values. The empty text is as good as none (protobuf) */
const char *mesh_text(const struct val *, const char *member);           /* NULL: none */
bool mesh_is_label(const char *);               /* a DNS label as Istio takes it: capitals count as letters */
bool mesh_is_fqdn(const char *);
bool mesh_is_ip(const char *);
bool mesh_is_http(const char *protocol);
bool mesh_is_tls(const char *protocol);
bool mesh_is_protocol(const char *);            /* any that it knows */
bool mesh_covers(const char *host, const char *other);  /* of two hosts, each of which may be a wildcard, one takes what the other does (host.Name.Matches) */
bool mesh_within(const char *host, const char *other);  /* what it takes other takes too (host.Name.SubsetOf) */
bool mesh_is_header(const char *);              /* the name of a header */
const char *mesh_regex_wrong(const char *re, char out[128]);     /* what RE2 would say of it (in out), or that it is too long; NULL: nothing is known against it */
const char *mesh_header_wrong(const char *value);        /* of a header that is set or added; NULL: nothing */

/* ---- each refuses what is not of its form */
void mesh_must_be_fqdn(struct check *, const struct path *, const char *);
void mesh_must_be_wildcard(struct check *, const struct path *, const char *);          /* a domain name whose first label may be *, *x or *-x */
void mesh_must_be_port(struct check *, const struct path *, int64_t);
void mesh_must_be_subnet(struct check *, const struct path *, const char *);            /* an address, or a range */
void mesh_must_be_ip(struct check *, const struct path *, const char *);
void mesh_must_be_unix(struct check *, const struct path *, const char *);              /* what follows unix:// */
void mesh_must_be_host_of_namespace(struct check *, const struct path *, const char *, bool gateway);       /* NAMESPACE/HOST */
void mesh_must_be_gateways(struct check *, const struct path *, const struct val *list);
void mesh_must_be_labels(struct check *, const struct path *, const struct val *map);
void mesh_must_be_protocol(struct check *, const struct path *, const char *);          /* none is good */
/* A list of namespaces that see an object. kind: 's' a ServiceEntry, 'w' a DestinationRule for some workloads, 0 others. */
void mesh_must_be_export(struct check *, const struct path *, const struct val *list, char kind);
/* At most one of these members (CRD oneOf). */
void mesh_one_of(struct check *, const struct val *self, const struct path *, const char *const *members);

/* ---- forms */
extern const struct form mesh_duration;         /* 1ms at least, in whole milliseconds */
extern const struct form mesh_destination;      /* host, subset, port */
extern const struct form mesh_selector;         /* matchLabels */
extern const struct form mesh_workloads;        /* labels: of Sidecar and ServiceEntry */
extern const struct form mesh_target, mesh_targets;     /* targetRef, targetRefs */
extern const struct form mesh_server_tls;       /* of a Gateway's servers, and of a Sidecar's ingress */
extern const struct form mesh_pool;             /* connectionPool */
form_rules mesh_match;                          /* exact, prefix or regex; an empty prefix is one */
/* What a route does with its requests (check_mesh_actions.c). mirrored: a percentage that may be as small as it likes */
extern const struct form mesh_cors, mesh_fault, mesh_mirrored, mesh_mirrors, mesh_redirect, mesh_direct, mesh_rewrite, mesh_retries;
form_rules mesh_one_selector;                   /* selector, targetRef or targetRefs */

#endif
