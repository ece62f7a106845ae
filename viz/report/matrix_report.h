/* The table of who may reach whom, in the forms that people and programs read; and why a connection is allowed or denied. */
#ifndef PODWIRE_MATRIX_REPORT_H
#define PODWIRE_MATRIX_REPORT_H

#include "model/base/val.h"
#include "sim/reachability/grid.h"
#include "sim/reachability/nearest.h"

/* was: before a change; NULL: nothing is compared. → cells that differ. */
uint32_t matrix_text(const reach_grids *, const reach_grids *was, bool colour, struct sb *);
uint32_t matrix_json(const reach_grids *, const reach_grids *was, bool by_pod, struct arena *, struct sb *);
uint32_t matrix_csv(const reach_grids *, const reach_grids *was, struct arena *, struct sb *);
uint32_t matrix_markdown(const reach_grids *, const reach_grids *was, struct arena *, struct sb *);
uint32_t matrix_dot(const reach_grids *, const reach_grids *was, struct arena *, struct sb *);

/* The answer of --explain. near: NULL, or the smallest changes that would turn it. */
struct why_report { struct reach_why why; const char *from, *to; struct reach_port port; const struct near_misses *near; const char *enforced_by; };
void matrix_why_text(const struct why_report *, struct arena *, struct sb *);
void matrix_why_json(const struct why_report *, struct arena *, struct sb *);
void matrix_why_sarif(const struct why_report *, struct arena *, struct sb *);
const char *matrix_why_sentence(const struct why_report *, struct arena *);
/* What each policy says of both ends: lines that are indented by two, and the list of them. */
void policies_text(const struct reach_why *, const char *from, const char *to, struct arena *, struct sb *);
struct val *policies_json(const struct reach_why *, struct arena *);

#endif
