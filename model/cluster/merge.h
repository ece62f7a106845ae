/* How changes are laid on documents: strategic merge patches, JSON patches, and apply's three-way merge. Documents in, documents out; what is not touched is
 * shared with the input. RFC 7386 merge patches are val_merge_patch.
 * Sources: Kubernetes 1.36 apimachinery pkg/util/strategicpatch/patch.go; the patchStrategy and patchMergeKey tags of staging/src/k8s.io/api; RFC 6902. */
#ifndef PODWIRE_MERGE_H
#define PODWIRE_MERGE_H

#include "model/api/object.h"

/* How a list at that place is merged: by the members' key, as a set of texts, or not at all. */
enum list_strategy { LIST_REPLACED, LIST_BY_KEY, LIST_AS_SET };
/* parent: the key of the map or list that holds the list ("containers" for their ports), or "" at the top. */
enum list_strategy list_strategy(const char *parent, const char *list, const char **key);
/* Does kubectl patch this kind strategically? Custom resources know merge and JSON patches only. */
bool kind_is_strategic(const struct kind *);

/* $patch: delete, replace, merge; $deleteFromPrimitiveList/…; $setElementOrder is read over. NULL: err. */
struct val *strategic_patch(struct arena *, const struct val *to, const struct val *patch, struct err *);
/* RFC 6902: add, remove, replace, move, copy, test. NULL: err names the operation. */
struct val *json_patch(struct arena *, const struct val *to, const struct val *ops, struct err *);
/* What a patch made of an object as it stands (was → now), laid on the document that people wrote: what it left alone stays as they wrote it.
 * A default that was taken from a value that changes (a targetPort from the port) is written out. */
struct val *changes_carry(struct arena *, const struct val *doc, const struct val *was, const struct val *now);
/* What apply makes of the live document: what `now` says holds, what `last` said and `now` does not goes, all else of `live` stays. */
struct val *three_way_merge(struct arena *, const struct val *last, const struct val *now, const struct val *live, bool strategic);

#endif
