/* The model answers: questions go to the packet walk. */
#include "sim/scenario/play.h"

static bool ask(void *ctx, struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	(void)ctx;
	return question_ask(w, q, a, out, err);
}

static const char *name_of(void *ctx, struct world *w, ip_addr ip, struct arena *a)
{
	(void)ctx;
	return end_of_address(w->cluster, ip, a);
}

/* Its namespace (pod/default/web, node/worker-1, or worker-1 alone), its interface, or a part of the rule that decided. */
static bool hop_is(struct world *w, const struct hop *h, const char *name)
{
	const char *netns = netns_get(w->dp, h->netns)->name;
	struct sb rule = { 0 };
	bool is;

	if (strcmp(netns, name) == 0 || (strncmp(netns, "node/", 5) == 0 && strcmp(netns + 5, name) == 0))
		return true;
	if (h->link.i && strcmp(link_get(w->dp, h->link)->name, name) == 0)
		return true;
	hop_rule_text(w->dp, h, &rule);
	if (h->owner && h->rule != UINT32_MAX)
		sb_printf(&rule, "\n%s", ruleset_chain_get(h->owner, h->chain)->name);
	is = strstr(sb_text(&rule), name);
	sb_free(&rule);
	return is;
}

static bool passes(void *ctx, struct world *w, const struct outcome_view *o, const char *name)
{
	const struct outcome *ways[] = { o->walk, o->second };

	(void)ctx;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++)
		for (uint32_t k = 0; ways[i] && k < ways[i]->there.nr_hops; k++)
			if (hop_is(w, &ways[i]->there.hops[k], name))
				return true;
	return false;
}

static bool fault(void *ctx, struct world *w, const char *kind, const char *target, const struct val *args, bool heal, struct err *err)
{
	(void)ctx;
	return heal ? control_heal(w->control, kind, target, err) : control_fault(w->control, kind, target, args, err);
}

const struct play_backend play_sim = { .ask = ask, .passes = passes, .name_of = name_of, .fault = fault, .matrix = matrix_make };
