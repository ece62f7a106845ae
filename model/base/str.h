/* Interned strings: equal texts are the same pointer, so == compares and a pointer is a key. A str is a plain
 * NUL-terminated C string that lives as long as its table. Texts from outside never hold NUL (documents refuse it). */
#ifndef PODWIRE_STR_H
#define PODWIRE_STR_H

#include <string.h>

#include "model/base/arena.h"

typedef const char *str;                        /* interned; NULL means "absent", "" is a text */

struct strtab;
struct strtab *strtab_new(struct arena *);      /* lives in the arena */
str str_intern(struct strtab *, const char *s); /* NULL → NULL */
str str_intern_n(struct strtab *, const char *s, size_t n);
str str_printf(struct strtab *, const char *fmt, ...) PRINTF(2, 3);
void str_expect(struct strtab *, uint32_t nr);  /* so many will come: no room is made for them step by step. Less than 2^29 */
str str_alone(struct strtab *, const char *s, size_t n);        /* a text that hardly anything else has: in the table's arena, not in the table. str_find does not find it, == is no comparison */
str str_find(const struct strtab *, const char *s);     /* NULL if it was never interned: then no object has it */
size_t str_len(str);                            /* without counting */
/* Numbers texts from 1 in the order in which they first come, without a map: each text remembers its last number, which counts if the list says the same.
 * *number: the text's; false: it is new. One list at a time is quick; several are right too. */
struct str_numbers { str *v; uint32_t nr, alloc; };
bool str_number(struct str_numbers *, struct arena *, str, uint32_t *number);

/* a before b in byte order; NULL first. For qsort-like ordering of names. */
static inline int str_order(const char *a, const char *b)
{
	return a == b ? 0 : !a ? -1 : !b ? 1 : strcmp(a, b);
}

static inline bool streq(const char *a, const char *b)
{
	return a == b || (a && b && *a == *b && strcmp(a, b) == 0);     /* the first character tells most of them apart */
}

/* What text says behind a word that was printed before it: "dropped", "dropped in x" → "in x". Of other texts, all; NULL → NULL. */
static inline const char *text_behind(const char *word, const char *text)
{
	size_t n = strlen(word);

	return text && strncmp(text, word, n) == 0 && text[n] == ' ' ? text + n + 1 : text;
}

/* A growing text on the heap; the owner calls sb_free. {0} is valid and empty; .s is NULL until something is added. */
struct sb { char *s; size_t len, alloc; };
void sb_add(struct sb *, const char *s);
void sb_addn(struct sb *, const char *s, size_t n);
void sb_addc(struct sb *, char c);
char *sb_room(struct sb *, size_t n);           /* n bytes behind the text that the caller fills; they count as text at once */
void sb_printf(struct sb *, const char *fmt, ...) PRINTF(2, 3);
void sb_add_base64(struct sb *, const void *bytes, size_t n);  /* RFC 4648, with = at the end */
/* The other way, with blanks and line ends ignored and a NUL behind what it says; NULL: it is none. */
uint8_t *base64_decode(struct arena *, const char *text, size_t len, size_t *out_len);
void sb_pad(struct sb *, size_t column);        /* blanks until the last line is that wide (in characters, UTF-8 aware) */
/* Text from outside, safe for a terminal: control characters, marks that turn the direction of writing and bytes that are not UTF-8 appear as
 * \xNN or \uNNNN; line ends and tabs too, if it is to stay on one line. */
void sb_add_shown(struct sb *, const char *s, bool one_line);
const char *sb_text(const struct sb *);         /* never NULL */
void sb_cut(struct sb *, size_t len);           /* to its first len bytes */
void sb_reset(struct sb *);
void sb_free(struct sb *);

#endif
