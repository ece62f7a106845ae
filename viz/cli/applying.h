/* Documents that a command brings into a lab, one after another, and what is said of each. */
#ifndef PODWIRE_APPLYING_H
#define PODWIRE_APPLYING_H

#include "viz/cli/labwork.h"

struct applying {
	struct cli *cli;
	struct labwork *w;
	const char *done;               /* what is said in place of created, configured, unchanged; NULL: those */
	uint32_t nr;                    /* documents so far */
	VEC(const struct object *) objects;     /* what has become of them */
	struct docs_later later;
};

/* One of docs_read's documents; ctx: a struct applying. Its outcome is said on cli->to. */
bool applying_take(void *ctx, const struct doc *, struct err *);
/* Behind the last one: what could not be applied before another was. */
void applying_rest(struct applying *, struct err *);

#endif
