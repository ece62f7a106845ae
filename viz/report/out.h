/* Values in a text for people: padded, coloured by what they mean, and safe for the terminal, wherever they come from. */
#ifndef PODWIRE_OUT_H
#define PODWIRE_OUT_H

#include "model/base/str.h"

enum out_role { OUT_PLAIN, OUT_HEAD, OUT_GOOD, OUT_BAD, OUT_WARN, OUT_DIM, OUT_ROLES };

struct out { bool colour; struct sb *to; };

/* fmt has at most one place for the value: %s, %-28s, %5s (%% is a percent sign). A NULL string leaves out all of it. */
void out_str(const struct out *, const char *fmt, enum out_role, const char *);

/* auto, always, never (NULL: auto), NO_COLOR and TERM=dumb; fd: where it will be shown. */
bool out_wants_colour(const char *when, int fd);

#endif
