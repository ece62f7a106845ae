/* What the API server writes into a document that leaves it out, so that `get -o yaml` shows what it shows. Documents in, documents changed in place; nothing is
 * stored: objects keep what was applied, and this is laid over it when somebody looks.
 * Source: kubernetes pkg/apis/…/v1/defaults.go and zz_generated.defaults.go. Fixed defaults stand in the tables (struct field, .text); here is what depends on other fields. */
#ifndef PODWIRE_FILL_H
#define PODWIRE_FILL_H

#include "model/api/object.h"

/* Every field of the table that is absent or null gets its .text, at any depth; a null without one goes away. */
void fields_fill(struct arena *, const struct field *, struct val *map);
/* A whole document of that kind, but for status: its table, then what the kind's own fill says. */
void kind_fill(const struct kind *, struct arena *, struct val *doc);
/* Puts the value of a JSON text where the key is absent. */
void fill_absent(struct arena *, struct val *map, const char *key, const char *json);
/* The Pod spec of a Pod or template, behind fields_fill: pull policies, volumes of no source, the account under its old name too. */
void pod_spec_fill(struct arena *, struct val *spec);
/* Of a Pod alone: what has a limit and no request asks for as much. */
void pod_requests_fill(struct arena *, struct val *spec);

typedef void kind_fills(struct arena *, struct val *doc);
kind_fills namespace_fill, pod_fill, template_fill, job_fill, cron_fill, stateful_set_fill, service_fill, secret_fill, claim_fill, hpa_fill, binding_fill, limit_range_fill;

#endif
