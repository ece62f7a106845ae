/* Inside of docs_read: what the readers of JSON and YAML share. Not for others. */
#ifndef PODWIRE_DOCS_H
#define PODWIRE_DOCS_H

#include "model/base/val.h"

/* One run of objects out of one file. */
struct stream {
	const char *file;
	struct doc_budget budget;       /* no member is 0 */
	struct arena *scratch;
	doc_take take;
	void *ctx;
	struct err *err;
	uint32_t line;                  /* lines before the text at hand */
	uint32_t skip;                  /* objects that were handed over by an earlier attempt at the same text */
	uint32_t given;                 /* objects of this text handed over or skipped */
	bool stopped;                   /* take returned false and added no message */
	bool broken;                    /* the last message says that the text is not what it was read as */
	const char *held, *mapped_to;   /* a mapped file: pages from `held` (a page's begin) may be in memory; NULL: not mapped */
};

/* What the items of a PodList inherit where they have neither apiVersion nor kind; empty for a plain List. */
struct list_kind {
	bool is_list;
	char api[128], item[128];
};

struct doc_budget budget_or_default(const struct doc_budget *);
void list_kind_set(struct list_kind *, const char *api, size_t api_len, const char *kind, size_t kind_len);
bool stream_give(struct stream *, struct val *root, const struct list_kind *);  /* false: stop, or an error was added */
void stream_passed(struct stream *, const char *here);  /* the text before is not needed soon */

/* Every value of the text, which has no separators. false: see err, or stopped. */
bool json_stream(struct stream *, const char *text, size_t len);
bool yaml_stream(struct stream *, const char *text, size_t len);
/* One document of plain block style with its ---, read quickly (yaml_plain.c). NULL: it is not that plain, or, with *empty, holds nothing. */
struct val *yaml_plain(struct arena *, const struct doc_budget *, uint32_t lines_before, const char *text, size_t len, bool *empty);

/* Hangs a value behind the members of a list or map that the reader itself builds. */
static inline void docs_append(struct val *holder, struct val *v)
{
	if (holder->first)
		holder->last->next = v;
	else
		holder->first = v;
	holder->last = v;
	holder->nr++;
}

/* Sets VAL_AGAIN and VAL_REPEATS; with `drop`, only the last member of each key stays. */
void map_mark_repeats(struct val *map, struct arena *, bool drop);
bool utf8_valid(const char *s, size_t n);
char *utf8_put(char *to, uint32_t c);                  /* → behind it */

#endif
