/* The program runs as a backtracking search that remembers each (instruction, position) it has tried, so that no text can make it slow. */
#include "model/base/regex_program.h"

#include <ctype.h>
#include <string.h>

struct re_job { uint32_t pc, at; int32_t old; };        /* pc UINT32_MAX: put `old` back into slot `at` */

struct re_run {
	const struct regex *re;
	const char *text;
	uint32_t len;
	uint64_t *seen;
	VEC(struct re_job) stack;
	struct arena *arena;
	int32_t slot[REGEX_GROUPS * 2];
	bool whole;
};

static bool word_at(const struct re_run *r, uint32_t at)
{
	return at < r->len && (isalnum((unsigned char)r->text[at]) || r->text[at] == '_');
}

static bool consumes(const struct re_run *r, const struct re_inst *i, uint32_t at)
{
	uint8_t c = (uint8_t)r->text[at];

	if (at >= r->len)
		return false;
	switch ((enum re_op)i->op) {
	case RE_CHAR:
		return (r->re->nocase ? tolower(c) : c) == i->c;
	case RE_ANY:
		return c != '\n';
	case RE_CLASS:
		return class_has(&r->re->classes[i->x], c);
	case RE_SPLIT: case RE_JUMP: case RE_SAVE: case RE_BEGIN: case RE_END: case RE_WORD: case RE_NOT_WORD: case RE_MATCH:
		break;
	}
	return false;
}

static bool asserts(const struct re_run *r, enum re_op op, uint32_t at)
{
	bool edge = (at > 0 && word_at(r, at - 1)) != word_at(r, at);

	return op == RE_BEGIN ? at == 0 : op == RE_END ? at == r->len : op == RE_WORD ? edge : !edge;
}

/* One thread until it fails or matches; what it leaves behind to try later goes on the stack. */
static bool follow(struct re_run *r, uint32_t pc, uint32_t at)
{
	for (;;) {
		const struct re_inst *i = &r->re->inst[pc];
		uint64_t bit = (uint64_t)pc * (r->len + 1) + at;

		if (r->seen[bit >> 6] >> (bit & 63) & 1)
			return false;
		r->seen[bit >> 6] |= 1ull << (bit & 63);
		switch ((enum re_op)i->op) {
		case RE_CHAR: case RE_ANY: case RE_CLASS:
			if (!consumes(r, i, at))
				return false;
			at++, pc++;
			break;
		case RE_SPLIT:
			vec_add(r->arena, &r->stack, (struct re_job){ i->y, at, 0 });
			pc = i->x;
			break;
		case RE_JUMP:
			pc = i->x;
			break;
		case RE_SAVE:
			if (i->x < REGEX_GROUPS * 2) {
				vec_add(r->arena, &r->stack, (struct re_job){ UINT32_MAX, i->x, r->slot[i->x] });
				r->slot[i->x] = (int32_t)at;
			}
			pc++;
			break;
		case RE_BEGIN: case RE_END: case RE_WORD: case RE_NOT_WORD:
			if (!asserts(r, (enum re_op)i->op, at))
				return false;
			pc++;
			break;
		case RE_MATCH:
			return !r->whole || at == r->len;
		}
	}
}

static bool run_from(struct re_run *r, uint32_t at)
{
	r->stack.nr = 0;
	memset(r->slot, -1, sizeof(r->slot));
	vec_add(r->arena, &r->stack, (struct re_job){ 0, at, 0 });
	while (r->stack.nr) {
		struct re_job j = r->stack.v[--r->stack.nr];

		if (j.pc == UINT32_MAX)
			r->slot[j.at] = j.old;
		else if (follow(r, j.pc, j.at))
			return true;
	}
	return false;
}

static bool run(const struct regex *re, const char *text, uint32_t from, bool whole, struct regex_match *m, struct arena *scratch)
{
	struct arena_mark mark = arena_mark(scratch);
	struct re_run r = { .re = re, .text = text, .len = (uint32_t)strlen(text), .arena = scratch, .whole = whole };
	bool found = false;

	r.seen = arena_array(scratch, uint64_t, ((uint64_t)re->nr * (r.len + 1)) / 64 + 1);
	for (uint32_t at = from; !found && at <= (whole ? from : r.len); at++)
		found = run_from(&r, at);
	for (int k = 0; found && m && k < REGEX_GROUPS; k++) {
		m->group[k].from = r.slot[k * 2 + 1] < 0 ? -1 : r.slot[k * 2];
		m->group[k].to = r.slot[k * 2 + 1];
	}
	arena_rewind(scratch, mark);
	return found;
}

bool regex_search(const struct regex *re, const char *text, struct regex_match *m, struct arena *scratch)
{
	return run(re, text, 0, false, m, scratch);
}

bool regex_search_at(const struct regex *re, const char *text, uint32_t at, struct regex_match *m, struct arena *scratch)
{
	return run(re, text, at, false, m, scratch);
}

bool regex_full(const struct regex *re, const char *text, struct arena *scratch)
{
	return run(re, text, 0, true, NULL, scratch);
}
