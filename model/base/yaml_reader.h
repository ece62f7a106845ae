/* Inside of the YAML reader: what the side that runs libyaml (yaml.c) and the side that makes values of its events (yaml_tree.c) share. Not for others. */
#ifndef PODWIRE_YAML_READER_H
#define PODWIRE_YAML_READER_H

#include "model/base/docs.h"

#include <yaml.h>

struct anchor {
	const char *name;
	const struct val *v;            /* NULL: its value is not complete */
	uint32_t nodes;                 /* values in it */
	uint32_t line;
};

struct yaml {
	yaml_parser_t parser;
	yaml_event_t event;             /* the one at hand */
	const char *text, *end, *fed;   /* fed: up to where libyaml has the text */
	size_t taken;                   /* bytes that libyaml had when the event at hand came */
	bool too_long;
	uint32_t line;                  /* lines before the text */
	uint32_t depth, nodes, aliased;
	const struct doc_budget *budget;
	struct arena *arena;
	const char *file;
	struct err *err;
	struct stream *stream;          /* NULL: a single text */
	struct list_kind list;          /* of the document at hand */
	bool streamed;                  /* its items have been handed over */
	VEC(struct anchor) anchors;
};

void *yaml_fail(struct yaml *, const char *fmt, ...) PRINTF(2, 3);      /* an error at the event at hand; → NULL */
bool yaml_next(struct yaml *);                  /* to the next event; false: an error was added */
/* The value that begins with the event at hand; its last event is at hand afterwards. NULL: an error was added, or the stream stopped. */
struct val *yaml_build(struct yaml *);

#endif
