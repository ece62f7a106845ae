/* Texts with tabs laid out as Go's text/tabwriter does (kubectl's describe): in a run of lines that have a cell in a column, that column is as wide as its
 * widest cell and two blanks. What follows the last tab of a line belongs to no column. */
#ifndef PODWIRE_TABS_H
#define PODWIRE_TABS_H

#include "model/base/str.h"

void tabs_print(struct arena *, const char *text, struct sb *out);

#endif
