/* A text of a node, cut into parts: which command printed which lines. Knows prompts, commands, fences and what each tool's lines look like; reads none of them. */
#ifndef PODWIRE_CAPTURE_SPLIT_H
#define PODWIRE_CAPTURE_SPLIT_H

#include "model/dataplane/read.h"

struct split_part { struct part part; str node; };      /* node: as a line "# node/NAME", a prompt or `hostname` said; NULL: nobody said */
struct split { VEC(struct split_part) v; str host; bool elsewhere; };  /* host: of the first prompt, or what hostname printed; elsewhere: output of commands in other namespaces was left out */
/* file may say what it holds by its name; command (may be NULL): what printed the whole text. Results live in the arena and point into text. */
void capture_split(struct arena *, struct strtab *, str file, const char *command, const char *text, size_t n, struct split *out);

#endif
