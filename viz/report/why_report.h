/* A diagnosis as people and machines read it. */
#ifndef PODWIRE_WHY_REPORT_H
#define PODWIRE_WHY_REPORT_H

#include "sim/diagnose/diagnose.h"

void diagnosis_text(const struct diagnosis *, bool verbose, struct sb *out);
/* {"subject", "healthy", "summary", "findings": [{"code", "severity", "says", "evidence": [{"object", "field", "value", "file", "line"}], "remedy", "fix": {"command", "patch", "works", "then"}}]} */
struct val *diagnosis_json(const struct diagnosis *, struct arena *);

#endif
