/* Why a Pod fits nowhere, as FitError says it. Source: pkg/scheduler/framework/types.go. */
#include "model/control/scheduler.h"

#include <stdlib.h>

struct tally { const char *reason; uint32_t nr; };

static void tally_add(struct tally *v, uint32_t *nr, const char *reason)
{
	for (uint32_t k = 0; k < *nr; k++)
		if (streq(v[k].reason, reason)) {
			v[k].nr++;
			return;
		}
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

static void print_tally(struct sb *out, struct tally *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), by_text);
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(out, "%s%u %s", k ? ", " : "", v[k].nr, v[k].reason);
	sb_addc(out, '.');
}

str look_explain(const struct look *l)
{
	struct tally why[40], help[2];
	uint32_t nr = 0, nr_help = 0;
	struct sb text = { 0 };
	str out;

	if (!l->x->nr)
		return cluster_str(control_cluster(l->t), "no nodes available to schedule pods");
	if (l->block)           /* a PreFilter's words, which are not counted node by node */
		return str_printf(cluster_strings(control_cluster(l->t)), "0/%u nodes are available: %s. no new claims to deallocate, preemption: 0/%u nodes are available: %u Preemption is not helpful for scheduling.",
				  l->x->nr, l->block, l->x->nr, l->x->nr);
	for (uint32_t k = 0; k < l->x->nr; k++) {
		const char *reasons[MAX_LACKS];
		bool resolvable;

		for (uint32_t i = look_problems(l, l->x->node[k], reasons, &resolvable); i-- > 0 && nr < ARRAY_LEN(why);)
			tally_add(why, &nr, reasons[i]);
		tally_add(help, &nr_help, resolvable ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling");
	}
	sb_printf(&text, "0/%u nodes are available: ", l->x->nr);
	print_tally(&text, why, nr);
	sb_printf(&text, " no new claims to deallocate, preemption: 0/%u nodes are available: ", l->x->nr);
	print_tally(&text, help, nr_help);
	out = cluster_str(control_cluster(l->t), sb_text(&text));
	sb_free(&text);
	return out;
}
