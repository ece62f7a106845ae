/* Inside of describe_kept.c and its neighbours: kinds of which podwire keeps the document. Not for others. */
#ifndef PODWIRE_DESCRIBING_H
#define PODWIRE_DESCRIBING_H

#include "viz/report/describe.h"

const struct val *describing_doc(struct describe *);                    /* as `get -o yaml` shows it */
void describing_names(struct describe *);                               /* Name and Namespace */
void describing_notes(struct describe *);                               /* Labels and Annotations */
struct texts_found { const char **v; uint32_t nr; };
struct texts_found describing_keys(struct describe *, const struct val *map);  /* in the order of strcmp */
static inline const char *text_at(const struct val *v, const char *path) { const char *s = val_str_at(v, path); return s ? s : ""; }     /* "" if absent */

#endif
