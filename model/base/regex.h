/* Regular expressions as proxies write them: the part that PCRE and RE2 share, with their leftmost-first choice and captures. Time is bounded
 * by pattern × text. Look-around, back-references and possessive quantifiers are not understood: the caller then answers `unknown`. */
#ifndef PODWIRE_REGEX_H
#define PODWIRE_REGEX_H

#include "model/base/arena.h"

#define REGEX_GROUPS 10                         /* $0 … $9 */

struct regex;
struct regex_match { struct { int32_t from, to; } group[REGEX_GROUPS]; };      /* bytes; from -1: that group took no part */

/* NULL: not understood; *why (may be NULL) then says what, in the arena or constant. */
const struct regex *regex_compile(struct arena *, const char *pattern, bool nocase, const char **why);
const char *regex_literal(struct arena *, const char *text);     /* the expression that matches this text alone */
/* Anywhere in the text, the leftmost match. m may be NULL. */
bool regex_search(const struct regex *, const char *text, struct regex_match *m, struct arena *scratch);
bool regex_full(const struct regex *, const char *text, struct arena *scratch);         /* the whole text, as RE2's FullMatch */
/* From byte `at` on: for replacing one match after another. */
bool regex_search_at(const struct regex *, const char *text, uint32_t at, struct regex_match *m, struct arena *scratch);

#endif
