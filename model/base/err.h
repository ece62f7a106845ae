/* What went wrong, for whom, where. Messages are collected; printing happens once, at the edge (main, the TUI).
 * Wording: lower case, no full stop, what came from outside in quotes, what was expected, the nearest allowed. */
#ifndef PODWIRE_ERR_H
#define PODWIRE_ERR_H

#include <stdio.h>

#include "model/base/base.h"

/* Kinds are the exit status of the command line (docs/cli.md). */
enum err_kind {
	ERR_NONE,
	ERR_FAILED,        /* 1: asked, and the answer is no */
	ERR_INPUT,         /* 2: bad usage or bad input; nothing was changed */
	ERR_MACHINE,       /* 3: this machine cannot do it */
	ERR_BUG,           /* 4: a fault of podwire itself */
	ERR_UNKNOWN,       /* 5: cannot tell; the message says what is missing */
};

/* A place in a document. Any part may be absent (NULL, 0). Strings are borrowed until the call returns. */
struct where {
	const char *file;
	uint32_t line, col;         /* from 1 */
	const char *object;         /* Service "web" */
	const char *path;           /* spec.ports[0].port */
};

struct err_msg {
	enum err_kind kind;
	bool warning;               /* shown, but changes no exit status */
	char *file;                 /* NULL if unknown */
	uint32_t line, col;
	char *text;                 /* object, path and message: everything behind the place */
};

/* Zero or more messages; the owner calls err_free. {0} is valid and empty. */
struct err {
	struct err_msg *v;
	uint32_t nr, alloc;
	uint32_t dropped;           /* messages beyond ERR_MAX, counted but not kept */
};
#define ERR_MAX 1000

/* Add one message and return false, so that a failing line is one statement. Arguments are copied; w may be NULL. */
bool err_add(struct err *, enum err_kind, const struct where *w, const char *fmt, ...) PRINTF(4, 5);
void err_warn(struct err *, const struct where *w, const char *fmt, ...) PRINTF(3, 4);
/* Puts "doing what: " before the messages added since mark (an earlier err->nr); returns false. */
bool err_wrap(struct err *, uint32_t mark, const char *fmt, ...) PRINTF(3, 4);

/* The last message as a value, and back again: for a reader that has a second way to try. */
struct err_msg err_pop(struct err *);
void err_push(struct err *, struct err_msg);
void err_msg_free(struct err_msg);
void err_cut(struct err *, uint32_t from, uint32_t to); /* forgets the messages from `from` to before `to` */

bool err_any(const struct err *);                       /* is there a message that is not a warning? */
enum err_kind err_kind(const struct err *);             /* of the first such message; ERR_NONE if there is none */
void err_print(const struct err *, FILE *);             /* "podwire: …" or "file:line:col: …", one line a message; control characters escaped */
void err_clear(struct err *);
void err_free(struct err *);

/* The word of the NULL-terminated list `known` that is nearest to `word`, or NULL if none is near: "did you mean". */
const char *nearest(const char *word, const char *const *known);

#endif
