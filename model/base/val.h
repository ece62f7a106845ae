/* Documents: one tree for JSON and YAML, with the place of every value. Members keep the order of the text.
 * Trees live in an arena. They are plain data: change them by the functions here, or by hand if they are yours. */
#ifndef PODWIRE_VAL_H
#define PODWIRE_VAL_H

#include "model/base/err.h"
#include "model/base/str.h"

enum val_type { VAL_NULL, VAL_BOOL, VAL_INT, VAL_FLOAT, VAL_STRING, VAL_LIST, VAL_MAP };
extern const char *const val_type_names[];      /* as the API server says them: null, boolean, integer, number, string, array, object */

struct val {
	struct val *next;               /* sibling in the list or map that holds this one */
	const char *key;                /* in a map, else NULL */
	union {
		struct { struct val *first, *last; };   /* LIST, MAP */
		const char *s;          /* STRING: valid UTF-8 without NUL */
		int64_t i;
		double f;
		bool b;
	};
	uint32_t nr;                    /* LIST, MAP: members; STRING: bytes */
	uint32_t line;                  /* from 1; 0: made by podwire. A block of YAML stands where its key does */
	uint16_t col;                   /* from 1; 65535: there or beyond */
	uint8_t type;                   /* enum val_type */
	uint8_t flags;                  /* VAL_AGAIN … */
};
enum {
	VAL_AGAIN = 1,                  /* a member: its key stands before it in the same map; the last one counts, as for kubectl */
	VAL_REPEATS = 2,                /* a map: some member is VAL_AGAIN */
	VAL_INTERNED = 4,               /* a STRING of val_copy_interned: s is a str of its table */
};

/* One document of a stream. */
struct doc {
	const char *file;               /* as given on the command line; "-" is stdin; borrowed */
	struct val *root;               /* NULL for an empty document */
};

struct doc_budget {                     /* 0: the default */
	uint32_t depth;                 /* nesting; default 200 */
	uint32_t nodes;                 /* values of one object, aliases expanded; default 4,000,000 */
	uint32_t aliased;               /* values of one document that come from aliases; default 200,000 */
	uint32_t scalar;                /* bytes of one string or comment; default 16 MiB */
	uint64_t bytes;                 /* of one file; default 2 GiB */
};

/* Reads every document of a text. One that begins with { is read as JSON, and as YAML where that fails, as kubectl does.
 * Each object is handed to `take` in a scratch arena that is rewound after the call; a `kind: List` (or PodList, …) is
 * handed over item by item, empty documents are not handed over. `take` returns false to stop, and so does docs_read.
 * false otherwise: err says why, with the line. Nothing before the broken place is lost. UTF-16 with a byte order mark is read. */
typedef bool (*doc_take)(void *ctx, const struct doc *, struct err *);
bool docs_read(const char *file, const char *text, size_t len, const struct doc_budget *, doc_take take, void *ctx, struct err *);
/* A part of a file that is in memory, whose first line is the file's line `line`. mapped: pages that were read may be given back. */
bool docs_read_part(const char *file, uint32_t line, const char *text, size_t len, bool mapped, const struct doc_budget *, doc_take take, void *ctx, struct err *);
/* UTF-16 with its mark as UTF-8 on the heap; NULL: it is none. *out: bytes. */
char *text_from_utf16(const char *text, size_t len, size_t *out);
/* The same for a path: a file, a directory (recursively, *.yaml *.yml *.json, in name order) or "-" (stdin). */
bool docs_read_path(const char *path, const struct doc_budget *, doc_take take, void *ctx, struct err *);
/* Single texts: exactly one value (an empty YAML text is null). NULL: err says why. */
struct val *yaml_parse(struct arena *, const char *file, const char *text, size_t len, const struct doc_budget *, struct err *);
struct val *json_parse(struct arena *, const char *file, const char *text, size_t len, const struct doc_budget *, struct err *);

/* Looking. All accept NULL and say NULL / the given default then. Keys are case-sensitive. */
const struct val *val_get(const struct val *map, const char *key);
const struct val *val_at(const struct val *list, uint32_t i);
const struct val *val_path(const struct val *, const char *dotted);     /* "spec.template.metadata"; "ports.0.name" */
const char *val_str(const struct val *);                                /* NULL unless STRING */
const char *val_str_at(const struct val *, const char *dotted);
int64_t val_int_or(const struct val *, int64_t dflt);                   /* INT, or FLOAT without a fraction */
double val_number_or(const struct val *, double dflt);                   /* INT or FLOAT */
bool val_bool_or(const struct val *, bool dflt);
bool val_is(const struct val *, enum val_type);
bool val_equal(const struct val *, const struct val *);                 /* order of map members does not matter; 1 equals 1.0 */
/* The first member of a LIST or MAP; NULL: it has none, or is neither. */
static inline const struct val *val_first(const struct val *v) { return v && (v->type == VAL_LIST || v->type == VAL_MAP) ? v->first : NULL; }
#define VAL_EACH(v, holder) for (const struct val *v = val_first(holder); v; v = v->next)
#define VAL_EACH_KEY(v, map) for (const struct val *v = val_is(map, VAL_MAP) ? val_first(map) : NULL; v; v = v->next)       /* of a MAP alone: v->key is there */

/* The same in a tree that is yours to change. */
static inline struct val *val_get_mut(struct val *map, const char *key) { return (struct val *)(uintptr_t)val_get(map, key); }
static inline struct val *val_path_mut(struct val *v, const char *dotted) { return (struct val *)(uintptr_t)val_path(v, dotted); }
static inline struct val *val_at_mut(struct val *list, uint32_t i) { return (struct val *)(uintptr_t)val_at(list, i); }
static inline struct val *val_first_mut(struct val *v) { return (struct val *)(uintptr_t)val_first(v); }
#define VAL_EACH_MUT(v, holder) for (struct val *v = val_first_mut(holder); v; v = v->next)

/* Making. All copy their text into the arena. */
struct val *val_new(struct arena *, enum val_type);
struct val *val_string(struct arena *, const char *s);
struct val *val_int(struct arena *, int64_t);
struct val *val_bool(struct arena *, bool);
struct val *val_copy(struct arena *, const struct val *);               /* deep; without next and key */
struct val *val_copy_interned(struct arena *, struct strtab *, const struct val *);       /* keys and texts, but for long ones, are the table's: equal ones are one */
struct val *val_add(struct arena *, struct val *list, struct val *item);            /* appends; → item */
struct val *val_put(struct arena *, struct val *map, const char *key, struct val *);    /* replaces or appends; → the value */
struct val *val_put_new(struct arena *, struct val *map, const char *key, struct val *);       /* appends; the caller knows that the map has no such key */
struct val *val_get_or_put(struct arena *, struct val *map, const char *key, enum val_type);   /* the member; where there is none, a new one of that type */
bool val_del(struct val *map, const char *key);
/* RFC 7386. → the merged tree (new where changed). */
struct val *val_merge_patch(struct arena *, const struct val *to, const struct val *patch);

/* Printing: YAML and JSON as kubectl prints them (JSON with 4 blanks, map members in order of their names if `sorted`). */
void val_print_yaml(const struct val *, struct sb *, bool sorted);
void val_print_json(const struct val *, struct sb *, int indent, bool sorted);      /* indent 0: one line; no line end behind it */
void json_quote(struct sb *, const char *s);                            /* with the quotes */

/* kubectl's JSONPath, the part that selects: {.a.b}, [0], [-1], [*], ..name, [?(@.a=="b")], ['a.b']. Adds the values found to out. */
struct val_list { const struct val **v; uint32_t nr, alloc; };
bool jsonpath(struct arena *, const struct val *root, const char *path, struct val_list *out, struct err *);

#endif
