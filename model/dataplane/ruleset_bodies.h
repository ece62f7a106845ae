/* What ruleset.c, rule_write.c and set.c share: bodies that may be written to. */
#ifndef PODWIRE_RULESET_BODIES_H
#define PODWIRE_RULESET_BODIES_H

#include "model/dataplane/ruleset.h"

struct chain_body *ruleset_own_body(const struct ruleset *, chain_h);   /* of this ruleset itself; NULL: it has none */
struct set_body *ruleset_own_elements(const struct ruleset *, set_h);
struct chain_body *ruleset_write_chain(struct ruleset *, chain_h);      /* of this ruleset itself; made empty if it has none, and then hides its base's */
struct set_body *ruleset_write_set(struct ruleset *, set_h);
uint32_t ruleset_add_wide(struct ruleset *, ip_addr);                   /* → its place in wide[] */
void set_body_sort(struct ruleset *, struct set_body *);                /* of an interval set of one address: in order, what overlaps is joined */

void set_body_index(struct ruleset *, const struct set *, struct set_body *);           /* its elements lie elsewhere now */
void set_body_remove(struct ruleset *, const struct set *, struct set_body *, uint32_t k);      /* the last one takes its place */
uint64_t ruleset_name_key(table_h, const char *name);                   /* of maps by name; name is interned */

#endif
