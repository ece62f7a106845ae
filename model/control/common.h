/* What several controllers do to objects: labels, conditions, ownership, names. */
#ifndef PODWIRE_CONTROL_COMMON_H
#define PODWIRE_CONTROL_COMMON_H

#include "model/control/controllers.h"

/* A new list with the pair put in or replaced (value NULL: taken out), sorted; the old one is left alone, for others may share it. */
pair_list pairs_with(struct cluster *, const pair_list *, const char *key, const char *value);
void annotate(struct control *, struct object *, const char *key, const char *value);          /* touches the object if that changes something */

/* A new list with the condition set; the time of change is kept where the status stays. false: nothing changed and the list is the old one. */
bool condition_put(struct cluster *, condition_list *, const char *type, enum cond_status, const char *reason, const char *message);
enum cond_status condition_status(const condition_list *, const char *type);    /* COND_NONE if it is not there */

/* Owner references. */
void own(struct cluster *, struct object *child, const struct object *owner);   /* one controlling reference */
void disown(struct cluster *, struct object *child, const char *uid);
const struct owner_ref *controller_of(const struct object *);   /* NULL: none */

void safe_encode(const char *text, char *out);                  /* rand.SafeEncodeString; out holds strlen(text) + 1 */
/* Of an object whose document says what it is: a copy to be changed, which takes its place. What was applied is kept for the next apply. Touch the object afterwards. */
struct val *object_edit(struct cluster *, struct object *);

/* The same bytes once: equal lists of Pods of one template made in one moment are one list. p is copied on first sight; its padding must be zeroed. */
const void *share_bytes(struct control *, const void *p, size_t size);

/* One word for each handle, 0 at first; grows by pages. Cheaper than a map where most handles of a kind have one. */
#define TABLE_PAGE 256u
struct table { uint64_t **page; uint32_t pages; };
uint64_t *table_make(struct control *, struct table *, uint32_t handle);
static inline uint64_t *table_at(struct control *t, struct table *x, uint32_t handle)  /* stays where it is */
{
	uint64_t *page = handle / TABLE_PAGE < x->pages ? x->page[handle / TABLE_PAGE] : NULL;

	return page ? &page[handle % TABLE_PAGE] : table_make(t, x, handle);
}
static inline uint64_t table_get(const struct table *x, uint32_t handle)
{
	const uint64_t *page = handle / TABLE_PAGE < x->pages ? x->page[handle / TABLE_PAGE] : NULL;

	return page ? page[handle % TABLE_PAGE] : 0;
}

/* Objects with a selector, found by the labels that they might select: one pair of each selector is its key. Entries are checked when they are met, so
 * nothing needs to be taken out. */
struct selector_index { struct map by_pair; struct map all_of_ns; struct map known; };
void selector_index_add(struct control *, struct selector_index *, const struct object *, const pair_list *pairs);
typedef void (*selector_visit)(struct control *, void *ctx, struct object *);
/* Calls visit for each living object of the namespace whose key pair is among the labels, or that has no pair. The visitor checks the selector itself. */
void selector_index_find(struct control *, const struct selector_index *, str ns, const pair_list *labels, selector_visit, void *ctx);

#endif
