/* A Pod's chain of one direction, as felix writes it: it asks the policies that select the Pod, tier by tier, and drops what none has marked.
 * Source: calico felix/rules/endpoints.go. */
#include "model/dataplane/policy_writer.h"

static void conntrack_first(struct writer *w, chain_h chain)
{
	struct rw r = rule_begin(w->rs, chain);

	w_num(r, PF_CT_STATE, REL_EQ, CT_RELATED | CT_ESTABLISHED, 0);
	w_verdict(r, OP_ACCEPT);
	r = rule_begin(w->rs, chain);
	w_num(r, PF_CT_STATE, REL_EQ, CT_INVALID, 0);
	w_verdict(r, OP_DROP);
	policy_clear_mark(w, chain, MARK_ACCEPT | MARK_PASS, NULL);
}

static void ask_policy(struct writer *w, chain_h chain, chain_h policy, cause_h cause)
{
	struct rw r = rule_begin(w->rs, chain);

	rule_cause(r, cause);
	w_num(r, PF_MARK, REL_MASK_EQ, MARK_PASS, 0);
	w_jump(r, policy);
	r = rule_begin(w->rs, chain);
	rule_comment(r, "Return if policy accepted");
	rule_cause(r, cause);
	w_num(r, PF_MARK, REL_MASK_EQ, MARK_ACCEPT, MARK_ACCEPT);
	w_verdict(r, OP_RETURN);
}

static bool isolates(const struct writer *w, const struct np_compiled *np, const struct pod *p)
{
	return np->isolates[w->dir] && np_selects(w->x->cluster, np, p);
}

/* The first NetworkPolicy that isolates the Pod; NULL: none does. */
static const struct np_compiled *first_of(const struct writer *w, const struct pod *p)
{
	for (uint32_t k = 0; k < w->x->nr_policies; k++)
		if (isolates(w, &w->x->policies[k], p))
			return &w->x->policies[k];
	return NULL;
}

static void ask_all(struct writer *w, chain_h chain, const struct pod *p, const struct np_compiled *first)
{
	for (const struct np_compiled *np = first; first && np < w->x->policies + w->x->nr_policies; np++)
		if (isolates(w, np, p))
			ask_policy(w, chain, policy_network_chain(w, np), cause_of(w->x, &np->policy->o, "spec.podSelector"));
}

/* A comment has room for 128 bytes. */
static void drop_rest(struct writer *w, chain_h chain, const char *comment, const struct object *first, const char *path)
{
	struct rw r = rule_begin(w->rs, chain);

	rule_comment(r, comment);
	rule_cause(r, cause_of(w->x, first, path));
	w_num(r, PF_MARK, REL_MASK_EQ, MARK_PASS, 0);
	w_verdict(r, OP_DROP);
}

typedef VEC(const struct tier_policy *) selected;

/* Of a tier, the policies that may select the Pod and decide in this direction. */
static selected selected_by(struct writer *w, const struct tier *t, const pair_list *labels)
{
	selected s = { 0 };

	for (uint32_t k = 0; k < t->policies.nr; k++)
		if (t->policies.v[k].decides[w->dir] && tier_selects(&t->policies.v[k], labels) != NO)
			vec_add(w->x->arena, &s, &t->policies.v[k]);
	return s;
}

static void ask_tier_policy(struct writer *w, chain_h chain, const struct tier_policy *p, const pair_list *labels)
{
	cause_h cause = cause_of(w->x, p->o, p->subject.path);

	if (tier_selects(p, labels) == MAYBE) {
		struct rw r = rule_begin(w->rs, chain);

		rule_cause(r, cause);
		w_num(r, PF_MARK, REL_MASK_EQ, MARK_PASS, 0);
		w_unknown(r, arena_printf(w->x->arena, "%s: its selector cannot be read", p->name), 3);
		return;
	}
	ask_policy(w, chain, p->kubernetes ? policy_network_chain(w, p->kubernetes) : policy_tier_chain(w, p), cause);
}

static void write_tier(struct writer *w, chain_h chain, const struct tier *t, const selected *s, const pair_list *labels, const struct pod *p, const struct np_compiled *first)
{
	uint32_t k = 0;

	policy_clear_mark(w, chain, MARK_PASS, arena_printf(w->x->arena, "Start of tier %.80s", t->name));
	while (k < s->nr && first && s->v[k]->order < 1000)
		ask_tier_policy(w, chain, s->v[k++], labels);
	ask_all(w, chain, p, first);
	while (k < s->nr)
		ask_tier_policy(w, chain, s->v[k++], labels);
	if (!t->passes)
		drop_rest(w, chain, arena_printf(w->x->arena, "End of tier %.60s. Drop if no policies passed packet", t->name), s->nr ? s->v[0]->o : &first->policy->o,
			  s->nr ? s->v[0]->subject.path : "spec.podSelector");
}

chain_h policy_pod_chain(struct writer *w, const struct pod *p, const char *iface)
{
	const struct tiers *t = &w->x->tiers;
	const struct np_compiled *first = t->kubernetes_within ? NULL : first_of(w, p);
	const pair_list *labels = t->nr_policies ? tier_labels_of(w->x->cluster, p, w->x->arena) : NULL;
	selected *s = arena_array(w->x->arena, selected, t->v.nr + 1);
	bool any = first;
	chain_h chain;

	for (uint32_t k = 0; k < t->v.nr; k++) {
		s[k] = selected_by(w, &t->v.v[k], labels);
		any = any || s[k].nr;
	}
	if (!any)
		return (chain_h){ 0 };
	chain = policy_chain_of(w, arena_printf(w->x->arena, "cali-%s-%s", w->dir == NP_INGRESS ? "tw" : "fw", iface));
	conntrack_first(w, chain);
	if (!t->v.nr) {
		policy_clear_mark(w, chain, MARK_PASS, "Start of tier default");
		ask_all(w, chain, p, first);
		drop_rest(w, chain, arena_printf(w->x->arena, "Drop if no policies passed packet: %.80s", arena_printf(w->x->arena, "%s/%s", first->policy->o.ns, first->policy->o.name)),
			  &first->policy->o, "spec.podSelector");
		return chain;
	}
	for (uint32_t k = 0; k < t->v.nr; k++)
		if (s[k].nr || (k == t->before[0] && first))
			write_tier(w, chain, &t->v.v[k], &s[k], labels, p, k == t->before[0] ? first : NULL);
	return chain;
}
