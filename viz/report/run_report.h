/* What a run of scenarios found: a list of records, one per step and expectation (docs/cli.md, `run`), and its forms. All forms are made from the
 * records alone, so that the reports of several machines can be joined first. */
#ifndef PODWIRE_RUN_REPORT_H
#define PODWIRE_RUN_REPORT_H

#include "sim/scenario/play.h"
#include "viz/report/out.h"

/* The records of a scenario that was played, added to the list. {scenario, title, step, ok, expected, actual, time, file, line}, and `todo` where a
 * failure is a known gap. */
void run_records(struct arena *, const struct play *, struct val *list);
/* One that was not played: {scenario, ok: true, skipped}; or could not be: {scenario, ok: false, actual}. */
void run_skipped(struct arena *, const struct scenario *, const char *why, struct val *list);
void run_broken(struct arena *, const struct scenario *, const char *why, struct val *list);

/* What another check found, for the same forms: noun says what a group is (gate), group and what stand where a scenario and its step do; file, line: where it is written. Texts are borrowed. */
struct run_check { const char *noun, *group, *what, *expected, *actual, *file; uint32_t line; bool ok; };
void run_check(struct arena *, const struct run_check *, struct val *list);

/* A figure that was drawn in a step, for the forms that show it: added to the scenario's last record as {title, description, svg} in `figures`. */
void run_figure(struct arena *, struct val *list, const char *title, const char *description, const char *svg);

struct run_sum { uint32_t scenarios, passed, failed, skipped, known; const char *noun; };       /* noun: scenario, gate */
struct run_sum run_sum(const struct val *records);

struct run_format { const char *name; void (*print)(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *); };
extern const struct run_format run_formats[];          /* text, tap, junit, json, html, md, sarif; ends with name NULL */
void run_format_names(struct sb *);                     /* "text, tap, …" */
const struct run_format *run_format_find(const char *name);

#endif
