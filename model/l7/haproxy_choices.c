/* Which way of a route that has several: canaries by header, cookie or chance, then the backends by weight, drawn for each request (act.c proceed, spread). */
#include "model/l7/haproxy_parts.h"

static struct sb *text(struct hap *x) { return &x->out->text; }

uint64_t hap_total_weight(const struct l7_action *act)
{
	uint64_t total = 0;

	for (uint32_t k = 0; k < act->backends.nr; k++)
		total += act->backends.v[k].weight;
	return total;
}

/* act.c canary_decides: the header, then the cookie, then chance. */
static void canary(struct hap *x, const struct hap_leaf *l, const struct l7_canary *c)
{
	const char *n = l->name, *set = arena_printf(x->a, "    http-request set-var(txn.route) str(%s.", l->name);

	if (c->header)
		hap_repeated(x, c->header, arena_printf(x->a, " at.%s", n));
	if (c->header && !c->value) {
		sb_printf(text(x), "    acl %s.always req.fhdr(%s,1) -m str always\n    acl %s.never req.fhdr(%s,1) -m str never\n", n, c->header, n, c->header);
		sb_printf(text(x), "%scanary) if at.%s %s.always\n%smain) if at.%s %s.never\n", set, n, n, set, n, n);
	} else if (c->header) {
		sb_printf(text(x), "    acl %s.always req.fhdr(%s,1) -m str -- %s\n%scanary) if at.%s %s.always\n", n, c->header, hap_word(x, c->value), set, n, n);
	}
	if (c->cookie) {
		sb_printf(text(x), "    acl %s.cookie_always req.cook(%s) -m str always\n    acl %s.cookie_never req.cook(%s) -m str never\n", n, c->cookie, n, c->cookie);
		sb_printf(text(x), "%scanary) if at.%s %s.cookie_always\n%smain) if at.%s %s.cookie_never\n", set, n, n, set, n, n);
	}
	if (c->weight >= c->total)
		sb_printf(text(x), "%scanary) if at.%s\n", set, n);
	else if (c->weight)
		sb_printf(text(x), "%scanary) if at.%s { rand(%u) lt %u }\n", set, n, c->total, c->weight);
}

const char *hap_canary_cannot(const struct l7_canary *c)
{
	if (c->pattern)
		return "a canary by a pattern in a header";
	if ((c->header && !hap_name(c->header)) || (c->cookie && !hap_name(c->cookie)) || (c->header && c->value && !hap_fits(c->value)))
		return "HAProxy has no words for the header or cookie of its canary";
	return NULL;
}

void hap_choices(struct hap *x)
{
	for (uint32_t k = 0; k < x->leaves.nr; k++) {
		const struct hap_leaf *l = &x->leaves.v[k];
		uint64_t total = hap_total_weight(l->act), at = 0;
		const char *rest = "at";

		if (!hap_ways(l))
			continue;
		sb_printf(text(x), "\n    # %s: one of several\n    acl at.%s var(txn.route) -m str %s\n", hap_comment(x, hap_object(x, l->route->cause, l->route->cause_path)), l->name,
			  l->name);
		if (l->act->canaries.nr) {
			rest = "rest";
			canary(x, l, &l->act->canaries.v[0]);
			sb_printf(text(x), "    acl rest.%s var(txn.route) -m str %s %s.main\n", l->name, l->name, l->name);
		}
		if (total)
			sb_printf(text(x), "    http-request set-var(txn.pick) rand(%llu) if %s.%s\n", (unsigned long long)total, rest, l->name);
		for (uint32_t i = 0; i < l->act->backends.nr && total; i++) {
			uint64_t weight = l->act->backends.v[i].weight, from = at;

			at += weight;
			if (weight)             /* set once: a route that is r3.0 is not r3 any more */
				sb_printf(text(x), "    http-request set-var(txn.route) str(%s.%u) if %s.%s { var(txn.pick) -m int %llu:%llu }\n", l->name, i, rest, l->name,
					  (unsigned long long)from, (unsigned long long)(at - 1));
		}
	}
}
