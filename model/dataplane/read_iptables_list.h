/* Inside of model/dataplane: a line of iptables -L as it becomes words of iptables-save (read_iptables_list.c, read_iptables_pieces.c). */
#ifndef PODWIRE_READ_IPTABLES_LIST_H
#define PODWIRE_READ_IPTABLES_LIST_H

#include "model/dataplane/read.h"

struct ipt_list {
	struct node_in *n;
	const struct part *p;
	table_h t;
	bool v6;
	struct words in, out;           /* a line's words; the rule's */
	uint32_t at;
	bool num, counters, ifaces;     /* columns */
	bool told_ifaces;
};

void ipt_put(struct ipt_list *, const char *word);             /* one more word of the rule */
void ipt_put_not(struct ipt_list *, bool not);                 /* a `!` */
const char *ipt_here(const struct ipt_list *);                  /* the line's word at hand; "" at the end */
const char *ipt_next(struct ipt_list *);                        /* the same, and on to the one behind */
/* One match, or what stands behind the target's name (its words go to *t). false: it is none that is known. */
bool ipt_match_piece(struct ipt_list *);
bool ipt_target_piece(struct ipt_list *, const char *target, struct words *t);

#endif
