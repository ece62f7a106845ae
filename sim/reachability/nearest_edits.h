/* The parts of nearest.c: changes that can be made and taken back, and which of them may turn an answer. */
#ifndef PODWIRE_NEAREST_EDITS_H
#define PODWIRE_NEAREST_EDITS_H

#include "sim/reachability/nearest.h"

/* One change that can be made and taken back. label: of a Pod or a namespace; else a JSON patch (RFC 6902) of a policy, of one operation. */
struct near_edit {
	struct object *o;
	const char *key, *value;                /* label; value NULL: without it */
	const char *op, *path;                  /* add or remove */
	const struct val *add;
	const char *what;
};

struct near_search {
	struct cluster *c;
	struct reach *r;
	struct arena *a;
	uint32_t from, to;
	uint8_t proto; uint16_t port;
	uint64_t count;                         /* pairs allowed as it is */
	VEC(struct near_edit) edits;
};

struct near_undo { pair_list labels; const struct val *doc; };
bool near_make(struct near_search *, const struct near_edit *, struct near_undo *);       /* false: its path leads nowhere, or to what the API server would not take: nothing changed */
void near_unmake(struct near_search *, const struct near_edit *, const struct near_undo *);
void near_open_edits(struct near_search *, enum np_dir, const struct reach_why *);    /* into edits: of a direction that denies it */
void near_close_edits(struct near_search *, const struct reach_why *);
void near_label_edit(struct near_search *, struct object *, const char *key, const char *value);       /* not of what names a Pod's owner */
void near_tier_edits(struct near_search *, const struct reach_reason *, bool opens);   /* nearest_tiers.c: of a policy in a tier */
void near_policy_edit(struct near_search *, const struct object *policy, const char *op, const char *path, const struct val *add, const char *what);

#endif
