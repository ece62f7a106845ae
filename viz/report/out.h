/* Each value is printed once, for people and machines alike: the same calls make text, JSON or YAML. In text a value appears
 * where it has a format; in JSON and YAML where it has a key. Texts from outside are made safe for the terminal here. */
#ifndef PODWIRE_OUT_H
#define PODWIRE_OUT_H

#include "model/base/val.h"

enum out_format { OUT_TEXT, OUT_JSON, OUT_YAML, OUT_FORMATS };
extern const char *const out_format_names[OUT_FORMATS];         /* text, json, yaml */

enum out_role { OUT_PLAIN, OUT_HEAD, OUT_NAME, OUT_GOOD, OUT_BAD, OUT_WARN, OUT_DIM, OUT_ROLES };

struct out {
	enum out_format format;
	bool colour;
	struct arena *arena;
	struct sb *to;
	VEC(struct val *) open;                 /* the maps and lists that are not closed */
};

/* The values lie in the arena until out_end prints them; text goes to `to` at once. */
void out_begin(struct out *, struct arena *, enum out_format, bool colour, struct sb *to);
void out_end(struct out *);                     /* closes what is open; JSON and YAML appear here */

/* A map or list: key NULL within a list. The outermost is a map, or a list if the first call is out_list(o, NULL). */
void out_map(struct out *, const char *key);
void out_list(struct out *, const char *key);
void out_close(struct out *);

/* key NULL: a member of a list; key "": in text only. fmt NULL: not in text; else text with at most one place for the value: %s, %-28s, %5s
 * (for every type; %% is a percent sign). A NULL string is null, and nothing in text. */
void out_str(struct out *, const char *key, const char *fmt, enum out_role, const char *);
void out_int(struct out *, const char *key, const char *fmt, enum out_role, int64_t);
void out_bool(struct out *, const char *key, const char *fmt, bool);    /* in text only where it is true */
void out_text(struct out *, enum out_role, const char *fmt, ...) PRINTF(3, 4);  /* in text only */

/* auto, always, never (NULL: auto), NO_COLOR and TERM=dumb; fd: where it will be shown. */
bool out_wants_colour(const char *when, int fd);

#endif
