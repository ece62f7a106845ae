/* The pieces of one rule in iptables' words. Not for others than read_iptables_{rule,match,target}.c. */
#ifndef PODWIRE_IPTABLES_RULE_H
#define PODWIRE_IPTABLES_RULE_H

#include "model/dataplane/read.h"

struct rule_in {
	struct node_in *n;
	const struct part *p;
	uint32_t line;
	table_h t;
	bool v6;
	struct rw w;
	const char *module;                     /* the last -m */
	struct words unknown;                   /* matches that are not modelled */
	/* matches of several words, complete when the next module begins */
	struct { const char *name; bool not, check, set, update; uint32_t seconds, hits; bool by_dst; } recent;
	struct { const char *mode; double probability; uint32_t every; bool not; } statistic;
	struct { bool on, loose, invert; } rpfilter;
	struct { const char *src, *dst; bool src_not, dst_not, limited; } addrtype;
	bool never;                             /* a match that no first packet fulfils */
};

/* A match that is not modelled: it becomes an op `unknown` behind all matches that are. */
static inline void rule_unknown(struct rule_in *r, const char *text)
{
	vec_add(r->n->arena, &r->unknown, text);
}

/* read_iptables_match.c: one word (-s) with its arguments. one, two: which of both functions takes them; not: behind a `!`; false: not understood. */
struct match {
	const char *word;
	bool (*one)(struct rule_in *, bool not, const char *);
	bool (*two)(struct rule_in *, bool not, const char *, const char *);
	uint8_t args;
};
const struct match *iptables_match(const char *word);                   /* NULL: not modelled */
bool iptables_module_known(const char *module);                         /* its words stand in the table of matches */
bool iptables_masked(const char *s, uint32_t *value, uint32_t *mask);   /* 0x4000/0xffff */

/* read_iptables_target.c: what -j says. */
struct target { const char *name; const char **v; uint32_t nr; };       /* v: the words behind the name */
void iptables_target(struct rule_in *, const struct target *, bool go_to);
const char *iptables_joined(struct arena *, const char **v, uint32_t nr);       /* the words with blanks between */

#endif
