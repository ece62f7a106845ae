/* What a run of scenarios found: a list of records, one per step and expectation (docs/cli.md, `run`), and its forms. All forms are made from the
 * records alone, so that the reports of several machines can be joined first. */
#ifndef PODWIRE_RUN_REPORT_H
#define PODWIRE_RUN_REPORT_H

#include "sim/scenario/play.h"
#include "viz/report/out.h"

/* The records of a scenario that was played, added to the list. {scenario, step, ok, expected, actual, time, file, line}, and `todo` where a failure is
 * a known gap. */
void run_records(struct arena *, const struct play *, struct val *list);
/* One that was not played: {scenario, ok: true, skipped}; or could not be: {scenario, ok: false, actual}. */
void run_skipped(struct arena *, const struct scenario *, const char *why, struct val *list);
void run_broken(struct arena *, const struct scenario *, const char *why, struct val *list);

struct run_sum { uint32_t scenarios, passed, failed, skipped, known; };
struct run_sum run_sum(const struct val *records);

struct run_format { const char *name; void (*print)(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *); };
extern const struct run_format run_formats[];          /* text, tap, junit, json; ends with name NULL */
const struct run_format *run_format_find(const char *name);

#endif
