/* kubectl's -o jsonpath=TEMPLATE and -o custom-columns=HEAD:PATH,…; the paths themselves are model/base/val.h's. */
#ifndef PODWIRE_JSONPATH_PRINT_H
#define PODWIRE_JSONPATH_PRINT_H

#include "model/base/val.h"

/* Text outside braces is itself; {PATH} its values, separated by blanks; {"text"}; {range PATH}…{end}. false: err says where it is wrong. */
bool jsonpath_print(struct arena *, const struct val *root, const char *template, struct sb *out, struct err *);
/* The values of one path, joined by commas, maps and lists as Go prints them: map[app:web], [80 443]; <none>. */
bool path_cell(struct arena *, const struct val *root, const char *path, struct sb *out, struct err *);
/* NAME:PATH,… → heads and paths. */
struct custom_columns { const char **heads, **paths; uint32_t nr; };
bool custom_columns_parse(struct arena *, const char *text, struct custom_columns *, struct err *);
/* By the first value of the path: numbers and quantities by size, texts by their bytes and the numbers in them (pod-2 before pod-10), what lacks it first. Stable. order: indexes. */
bool order_by_path(struct arena *, const struct val *const *docs, uint32_t nr, const char *path, uint32_t *order, struct err *);

#endif
