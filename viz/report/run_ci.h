/* Inside of run_report: the forms that CI reads and that people look at. */
#ifndef PODWIRE_RUN_CI_H
#define PODWIRE_RUN_CI_H

#include "viz/report/run_report.h"

const char *record_text(const struct val *, const char *key);   /* "" if absent */
bool record_is(const struct val *, const char *key);            /* there, and not false or null */
bool same_scenario(const struct val *, const struct val *);
void run_sum_text(const struct run_sum *, struct sb *);          /* "3 scenarios: 12 passed, …" */

void print_tap(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *);
void print_html(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *);
void print_md(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *);
void print_sarif(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *);
void print_junit(struct arena *, const struct val *records, bool verbose, bool colour, struct sb *);

#endif
