/* Two texts as `diff -u` shows them. */
#ifndef PODWIRE_UDIFF_H
#define PODWIRE_UDIFF_H

#include "model/base/str.h"

/* false: they are the same, and nothing is printed. */
bool udiff(struct arena *, const char *from_name, const char *from, const char *to_name, const char *to, struct sb *out);

#endif
