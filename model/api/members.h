/* Members of a map by key, as the checks of whole documents ask for them. What is null is not there. */
#ifndef PODWIRE_MEMBERS_H
#define PODWIRE_MEMBERS_H

#include "model/base/val.h"

/* "": there is none. */
static inline const char *text_of(const struct val *v, const char *key)
{
	const char *s = val_str(val_get(v, key));

	return s ? s : "";
}

static inline bool has(const struct val *v, const char *key)
{
	const struct val *m = val_get(v, key);

	return m && m->type != VAL_NULL;
}

static inline int64_t int_of(const struct val *v, const char *key, int64_t dflt) { return val_int_or(val_get(v, key), dflt); }
static inline bool true_of(const struct val *v, const char *key) { return val_bool_or(val_get(v, key), false); }

#endif
