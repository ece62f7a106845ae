/* Where a value stands, as the API server names it (spec.ports[0].port): links on the stack that become text only for a message. */
#ifndef PODWIRE_PATH_H
#define PODWIRE_PATH_H

#include "model/base/base.h"

enum path_part { PATH_MEMBER, PATH_ITEM, PATH_ENTRY };
struct path {
	const struct path *up;                  /* NULL: the document */
	const char *name;                       /* MEMBER: may hold several, "spec.template"; ENTRY: the key; "" at the top */
	uint32_t index;                         /* ITEM */
	uint8_t part;
};

/* Good until the enclosing block ends. */
#define SUB(up, name)   (&(const struct path){ (up), (name), 0, PATH_MEMBER })
#define ITEM(up, index) (&(const struct path){ (up), NULL, (uint32_t)(index), PATH_ITEM })
#define ENTRY(up, key)  (&(const struct path){ (up), (key), 0, PATH_ENTRY })         /* field.Path.Key: annotations[a/b] */

#define PATH_TEXT 512
const char *path_text(const struct path *, char out[PATH_TEXT]);        /* what does not fit is cut */

#endif
