/* Time zones by the system's database (TZif files, RFC 9636; the POSIX rule behind the last transition). Reads files; keeps nothing. */
#ifndef PODWIRE_ZONE_H
#define PODWIRE_ZONE_H

#include "model/base/arena.h"

struct zone_rule { int month, week, day; int32_t at; };         /* Mm.w.d: day 0 is Sunday, week 5 the last; seconds of local time */
struct zone {
	int64_t *at; int32_t *offset; uint32_t nr;      /* from at[k] on (seconds since 1970 UTC) the local time is offset[k] seconds ahead */
	int32_t before;                                 /* ahead until at[0] */
	int32_t standard, summer;                       /* behind the last transition; summer without rules: the same */
	bool has_rules; struct zone_rule start, end;    /* of summer time */
};

bool zone_database(void);                               /* is there one on this machine? */
/* By name, as Europe/Berlin; "" and UTC need no database. false: there is none of that name (or no database); *why says so. */
bool zone_load(struct arena *, const char *name, struct zone *out, const char **why);
int32_t zone_offset(const struct zone *, int64_t t);    /* seconds that local time is ahead at t (seconds since 1970 UTC) */
int64_t zone_change(const struct zone *, int64_t t);    /* the first moment behind t at which the offset may change; INT64_MAX: none */

#endif
