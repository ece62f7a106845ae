/* Calico's selectors over labels: all(), has(k), k == 'v', k != 'v', k in {'a', 'b'}, k not in {…}, k contains 'v', k starts with 'v', k ends with 'v', !, &&, ||, ().
 * A label that is not there satisfies != and not in, and nothing else. Source: calico libcalico-go/lib/selector (parser and tokenizer). */
#ifndef PODWIRE_CALICO_SELECTOR_H
#define PODWIRE_CALICO_SELECTOR_H

#include "model/api/object.h"

/* NULL: Calico takes it; else what was expected, and *at where. */
const char *calico_selector_fault(const char *selector, const char **at);
/* Every label that it names, in its order, with each value that it holds it against (not ended by a NUL); value NULL: has(key). Of one that Calico takes. */
typedef void calico_term(void *ctx, const char *key, const char *value, size_t n);
void calico_selector_terms(const char *selector, calico_term *, void *ctx);

/* 1: these labels are selected; 0: they are not; -1: no selector that Calico would take. The empty one selects all. */
int calico_selects(const char *selector, const pair_list *labels);
/* The same over labels whose keys have a prefix that the selector does not spell (pcns. of a namespace's, pcsa. of a ServiceAccount's); all: what all() says, and global() the contrary. */
int calico_selects_behind(const char *selector, const char *prefix, bool all, const pair_list *labels);


/* A selector read once: its comparisons and what joins them, each behind what it is about. */
enum calico_op { CALICO_EQUAL, CALICO_DIFFERS, CALICO_CONTAINS, CALICO_STARTS, CALICO_ENDS, CALICO_IN, CALICO_NOT_IN, CALICO_HAS, CALICO_ALL, CALICO_GLOBAL, CALICO_NOT, CALICO_AND, CALICO_OR };
struct calico_step { uint8_t op; uint32_t nr; const char *key; const char **values; };       /* key, values: of comparisons (has: no value) */
typedef VEC(struct calico_step) calico_steps;            /* none: everything is selected */
enum { CALICO_DEPTH = 256 };            /* so many of its steps are open at a time at most */
/* false: no selector that Calico would take. */
bool calico_compile(const char *selector, struct arena *, calico_steps *);
/* What a comparison says of the value of its label; NULL: the label is not there. */
bool calico_step_holds(const struct calico_step *, const char *value);

#endif
