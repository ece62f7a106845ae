/* The program that a pattern becomes: what regex_compile.c writes and regex_run.c runs. */
#ifndef PODWIRE_REGEX_PROGRAM_H
#define PODWIRE_REGEX_PROGRAM_H

#include "model/base/regex.h"

enum re_op { RE_CHAR, RE_ANY, RE_CLASS, RE_SPLIT, RE_JUMP, RE_SAVE, RE_BEGIN, RE_END, RE_WORD, RE_NOT_WORD, RE_MATCH };
struct re_inst { uint8_t op, c; uint32_t x, y; };      /* SPLIT: x is tried first; CLASS: x → classes; SAVE: x */
struct re_class { uint32_t bit[8]; };                   /* of bytes; bytes ≥ 0x80 belong to characters beyond ASCII */
static inline bool class_has(const struct re_class *c, uint8_t b) { return c->bit[b >> 5] >> (b & 31) & 1; }

struct regex {
	struct re_inst *inst;
	uint32_t nr;
	struct re_class *classes;
	bool nocase;
};

#endif
