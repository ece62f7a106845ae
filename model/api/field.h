/* A kind is a table of fields. From one row follow decoding, type errors with their place, unknown-field suggestions,
 * defaults, encoding and documentation. What no field alone can know stands in the kind's check function. */
#ifndef PODWIRE_FIELD_H
#define PODWIRE_FIELD_H

#include "model/base/ip.h"
#include "model/base/str.h"
#include "model/base/val.h"

/* A list in a decoded object. `set` tells [] (set, nr 0) from absent. Members lie in the cluster's arena. */
#define LIST(T) struct { T *v; uint32_t nr; bool set; }
typedef LIST(str) str_list;

struct pair { str key, value; };
typedef LIST(struct pair) pair_list;            /* labels, annotations, selectors: sorted by key */

struct opt_int { int32_t v; bool set; };
enum tri { TRI_UNSET, TRI_FALSE, TRI_TRUE };

/* int-or-string: targetPort, maxSurge, probe ports. */
struct int_or_str { str s; int32_t i; bool set; };      /* s NULL: it is the number */

enum field_type {
	F_NONE,         /* kept only: somebody else judges it */
	F_STR,          /* str */
	F_BOOL,         /* bool */
	F_TRI,          /* uint8_t, enum tri: a bool of which "absent" matters */
	F_INT,          /* int32_t */
	F_OPT_INT,      /* struct opt_int */
	F_I64,          /* int64_t */
	F_PORT,         /* uint16_t; a number outside 0…65535 is an error of the kind's check, so it is kept in err only */
	F_INT_OR_STR,   /* struct int_or_str */
	F_QUANTITY,     /* int64_t, in thousandths ("100m" is 100, "1" is 1000); saturates */
	F_TIME,         /* nsec since 1970-01-01 UTC (RFC 3339); NEVER if absent */
	F_ENUM,         /* uint8_t: index into .names, 0 is "absent"; an unknown text is Unsupported value */
	F_STRS,         /* str_list */
	F_PAIRS,        /* pair_list */
	F_STRUCT,       /* a struct in place, .sub */
	F_PTR,          /* pointer to a struct, .sub and .size; NULL if absent */
	F_LIST,         /* LIST(struct), .sub and .size of one member */
	F_RAW,          /* const struct val *: the value itself, or a copy (decode.keeps); .sub, if any, judges its form */
	F_KEEP,         /* known, kept in the document, anything goes */
	F_NUMBER,       /* kept only: a number with a fraction */
	F_BYTES,        /* str, in base 64 */
	F_INTS,         /* kept only: a list of integers */
	F_AMOUNTS,      /* pair_list: quantities by name, as texts */
	F_BLOBS,        /* pair_list: bytes by name, in base 64 */
	F_MAP,          /* kept only: objects by name, .sub */
	F_STRS_MAP,     /* kept only: lists of texts by name */
};

/* KEPT: only its form matters; the value stays in the document, the row has no `at`. A kept row may have a table of decoded rows as .sub. */
enum field_flag { FIELD_REQUIRED = 1, FIELD_KEPT = 2, FIELD_LATER = 4 /* F_ENUM: the check says what an unknown text is */,
		  FIELD_POINTER = 8 /* F_ENUM: a pointer in the API's types, so that an empty text is not absent */ };

struct field {
	const char *name;
	uint8_t type, flags;
	uint32_t at;                            /* offsetof */
	uint32_t size;                          /* of the struct behind F_PTR, or of one member of F_LIST */
	const struct field *sub;                /* ends with a row whose name is NULL */
	const char *const *names;               /* F_ENUM: NULL-terminated; names[0] is "" (absent) */
	int32_t dflt;                           /* F_BOOL, F_INT, F_ENUM, F_PORT: value when absent */
	bool has_dflt;
	const char *text;                       /* the value when absent, as the API server shows it, in JSON (fill.h); NULL: absent stays absent */
};
#define FIELD_END { .name = NULL }
/* A row named "*" says that other fields are possible and without effect. */

enum validate { VALIDATE_STRICT, VALIDATE_WARN, VALIDATE_IGNORE };    /* what an unknown or repeated field is */

struct decode {
	struct strtab *strings;
	struct arena *arena;                    /* of the decoded object */
	enum validate unknown;
	const char *file;
	const char *object;                     /* Service "web", for messages */
	struct err *err;
	bool status;                            /* inside of status: a server leaves it out when the object is created, so that only the types must fit */
	bool keeps;                             /* what is decoded is the object's own, of val_copy_interned by the same table: an F_RAW is a part of it, and no copy */
};

/* Fills *out from v by the table, absent fields with their defaults. Goes on after an error; false if there was any. path: where v stands ("spec"; "" at
 * the top). A text that no F_ENUM knows is an error of validation: it is in err, but the answer stays true. out may be NULL: only the form is judged.
 * The table may be NULL: anything goes, but for repeated keys. */
bool fields_decode(struct decode *, const struct field *, const struct val *v, const char *path, void *out);
/* The same, but what v lacks stays as it is in *out. */
bool fields_lay(struct decode *, const struct field *, const struct val *v, const char *path, void *out);
/* Writes what the struct holds into map (only F_ types with a value; replaces what is there). Used for status and assigned fields. */
void fields_encode(struct arena *, const struct field *, const void *in, struct val *map);

/* What a kind's check function is given; see check.h for what it may say. */
struct check {
	const char *file;
	const char *object;
	const struct val *root;                 /* the whole document: values are looked up in it by path, for line and column */
	struct err *err;
	uint32_t found;                         /* messages so far */
	const struct val *was;                  /* the document that stands in the cluster; NULL: it is new. What a stricter version refuses may stay as it is */
	bool config;                            /* no object of the API server, but a tool's configuration: not said in the server's form */
	bool stands;                            /* it is told of a cluster that there is (questions, imports), in whatever version it was taken there */
};

#endif
