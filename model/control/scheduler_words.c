/* Why a Pod fits nowhere, as FitError says it. Source: pkg/scheduler/framework/types.go. */
#include "model/control/scheduler.h"

#include <stdlib.h>

void tally_add(struct tally *v, uint32_t *nr, const char *reason)
{
	for (uint32_t k = 0; k < *nr; k++)
		if (streq(v[k].reason, reason)) {
			v[k].nr++;
			return;
		}
	if (*nr == MAX_TALLY)
		return;
	v[*nr].reason = reason;
	v[(*nr)++].nr = 1;
}

static int by_text(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	char p[200], q[200];

	snprintf(p, sizeof(p), "%u %s", x->nr, x->reason);
	snprintf(q, sizeof(q), "%u %s", y->nr, y->reason);
	return strcmp(p, q);
}

void tally_print(struct sb *out, struct tally *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), by_text);
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(out, "%s%u %s", k ? ", " : "", v[k].nr, v[k].reason);
	sb_addc(out, '.');
}

str look_explain(const struct look *l)
{
	struct tally why[MAX_TALLY];
	uint32_t nr = 0;
	struct sb text = { 0 };
	str out;

	if (!l->x->nr)
		return cluster_str(control_cluster(l->t), "no nodes available to schedule pods");
	sb_printf(&text, "0/%u nodes are available: ", l->x->nr);
	for (uint32_t k = 0; !l->block && k < l->x->nr; k++) {
		const char *reasons[MAX_LACKS];
		bool resolvable;

		for (uint32_t i = look_problems(l, l->x->node[k], reasons, &resolvable); i-- > 0;)
			tally_add(why, &nr, reasons[i]);
	}
	if (l->block)           /* a PreFilter's words, which are not counted node by node */
		sb_printf(&text, "%s.", l->block);
	else
		tally_print(&text, why, nr);
	if (l->unhelpful)
		sb_printf(&text, " no new claims to deallocate, preemption: %s", l->unhelpful);
	out = cluster_str(control_cluster(l->t), sb_text(&text));
	sb_free(&text);
	return out;
}
