/* Tables as kubectl prints them: columns as wide as their widest cell, three blanks between them, names from outside made safe for the terminal. */
#ifndef PODWIRE_TABLE_H
#define PODWIRE_TABLE_H

#include "model/base/str.h"

struct table_text { struct arena *arena; VEC(const char *) cells; uint32_t columns; };

void table_begin(struct table_text *, struct arena *, uint32_t columns);
void table_cell(struct table_text *, const char *text);         /* copied; control characters are shown as \xNN */
void table_print(const struct table_text *, struct sb *);       /* the last column is not padded */

#endif
