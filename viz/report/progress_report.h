/* What a learner did in the lessons of a lab: as a text, Markdown, one HTML page, or JSON. */
#ifndef PODWIRE_PROGRESS_REPORT_H
#define PODWIRE_PROGRESS_REPORT_H

#include "sim/lab/progress.h"
#include "viz/report/handout.h"

/* "3 of 5", "done"; "" where it was never begun. Of all that a lab keeps that lesson's, as it is now. In the arena. */
const char *progress_text_in(const progress_list *, const struct scenario *, struct arena *);
void progress_report(const struct progress *, const struct scenario *, const struct handout *, struct arena *, struct sb *);
struct val *progress_json(const struct progress *, const struct scenario *, struct arena *);

#endif
