/* The rules of a Service on one node: as a tree of those that can match it, from the base chain down, in the order in which they are tried; and as the commands that
 * would add what is there because of it. */
#include "viz/tui/source.h"

#include "viz/diagram/figure.h"
#include "viz/report/trace_report.h"

#include <stdio.h>

struct chain_tree {
	struct world *w;
	struct arena *a;
	struct tui_pane *p;
	const struct ruleset *rs;
	const char *ns, *key, *path;            /* "default/web", "default/web/": how kube-proxy names it in comments and chains */
	bool nft;
	uint8_t *leads;                         /* by chain: 1 it does, 2 it does not, 3 is being found out */
	uint8_t *shown;
};

/* default/web, default/web:http, "masquerade traffic for default/web external destinations" */
static bool is_about(const struct chain_tree *t, const char *comment)
{
	size_t n = strlen(t->key);

	for (const char *at = comment; at && (at = strstr(at, t->key)) != NULL; at++)
		if ((at == comment || at[-1] == ' ') && (!at[n] || at[n] == ':' || at[n] == ' '))
			return true;
	return false;
}

/* In nftables mode its name says it; in iptables mode what its first rule is about. */
static bool is_ours(const struct chain_tree *t, chain_h h)
{
	static const char *const names[] = { "KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-SEP-", "KUBE-FW-" };
	const struct chain *c = ruleset_chain_get(t->rs, h);
	const char *at = c->name ? strstr(c->name, t->path) : NULL;
	const struct ruleset *owner;

	for (size_t k = 0; k < ARRAY_LEN(names) && c->name; k++)
		if (strncmp(c->name, names[k], strlen(names[k])) == 0) {
			const struct chain_body *b = chain_body(t->rs, h, &owner);

			return b->rules.nr && is_about(t, b->rules.v[0].comment);
		}
	return at && (at == c->name || at[-1] == '-' || at[-1] == '/');
}

static bool leads(struct chain_tree *t, chain_h h);

/* kube-proxy's elements name their Service; only of others has one to look where they lead. */
static bool element_leads(struct chain_tree *t, const struct ruleset *owner, const struct elem *e)
{
	const char *comment = elem_comment(owner, e);

	return comment ? is_about(t, comment) : (e->verdict.code == OP_GOTO || e->verdict.code == OP_JUMP) && leads(t, e->verdict.chain);
}

static bool op_leads(struct chain_tree *t, const struct op *op)
{
	const struct ruleset *owner;

	if (op->code == OP_JUMP || op->code == OP_GOTO)
		return leads(t, (chain_h){ op->a });
	if (op->code == OP_LOOKUP && ruleset_set_get(t->rs, (set_h){ op->a })->kind == SET_VMAP) {
		const struct set_body *b = set_body(t->rs, (set_h){ op->a }, &owner);

		for (uint32_t k = 0; k < b->nr; k++)
			if (element_leads(t, owner, &b->v[k]))
				return true;
	}
	return false;
}

/* kube-proxy's rules in iptables mode name their Service, too: "shop/web:http cluster IP". */
static bool names_another(const struct chain_tree *t, const char *comment)
{
	return comment && comment[strcspn(comment, "/ ")] == '/' && !is_about(t, comment);
}

static bool leads(struct chain_tree *t, chain_h h)
{
	const struct ruleset *owner;
	const struct chain_body *b;
	bool yes;

	if (!h.i || t->leads[h.i])
		return h.i && t->leads[h.i] == 1;
	t->leads[h.i] = 3;
	b = chain_body(t->rs, h, &owner);
	yes = is_ours(t, h);
	for (uint32_t k = 0; !yes && k < b->rules.nr; k++) {
		const struct rule *r = &b->rules.v[k];

		yes = is_about(t, r->comment);
		for (uint32_t i = 0; !yes && !names_another(t, r->comment) && i < r->nr_ops; i++)
			yes = op_leads(t, &owner->ops.v[r->op + i]);
	}
	t->leads[h.i] = yes ? 1 : 2;
	return yes;
}

static const char *tool_of(const struct chain_tree *t, table_h table)
{
	const struct table *x = ruleset_table_get(t->rs, table);

	return x->iptables ? arena_printf(t->a, "%s -t %s", x->family == NF_IP6 ? "ip6tables" : "iptables", x->name) : "nft add";
}

static const char *table_of(const struct chain_tree *t, table_h table)
{
	const struct table *x = ruleset_table_get(t->rs, table);

	return arena_printf(t->a, "%s %s", nf_family_names[x->family], x->name);
}

/* c: the chain that c copies the listing of; NULL: the line itself */
static void note_cause(struct chain_tree *t, struct tui_line *l, cause_h cause, const struct chain *c)
{
	struct sb why = { 0 };

	cause_text(t->w, cause, &why);
	if (why.len)
		l->note = arena_printf(t->a, "because of %s", sb_text(&why));
	if (cause.i && cause_get(t->w->dp, cause)->object) {
		const struct object *o = obj_get(t->w->cluster, (obj_h){ cause_get(t->w->dp, cause)->object });

		if (o && !o->gone)
			l->ref = ref_of(t->a, o);
	}
	l->copy = !c ? l->text : t->nft ? arena_printf(t->a, "nft list chain %s %s", table_of(t, c->table), c->name) : arena_printf(t->a, "%s -S %s", tool_of(t, c->table), c->name);
	sb_free(&why);
}

static void show_chain(struct chain_tree *t, chain_h h, int depth);

/* The Pod that has that address, now. */
static const struct pod *pod_at(struct chain_tree *t, ip_addr ip)
{
	struct object_list l = cluster_list_ns(t->w->cluster, &pod_kind, t->ns);

	for (uint32_t k = 0; k < l.nr; k++)
		if (ip_eq(((const struct pod *)l.v[k])->ip, ip) || ip_eq(((const struct pod *)l.v[k])->ip2, ip))
			return (const struct pod *)l.v[k];
	return NULL;
}

/* What each draw of a numgen leads to: one line an endpoint, as far as they fit a page. */
static void show_draws(struct chain_tree *t, set_h set, int depth)
{
	const struct ruleset *owner;
	const struct set_body *b = set_body(t->rs, set, &owner);
	const struct set *s = ruleset_set_get(t->rs, set);

	for (uint32_t k = 0; k < b->nr && k < 40; k++) {
		ip_addr ip = owner->wide.v[b->v[k].value];
		const struct pod *pod = s->value_addr ? NULL : pod_at(t, ip);
		struct tui_line *l;

		if (s->value_addr)
			return;
		l = pane_printf(t->a, t->p, TR_PACKET, "%*s%" PRIu64 "  %s%s%s%s%s", 4 * depth + 5, "", owner->wide.v[b->v[k].key].lo, socket_of(t->a, IP(ip), (int32_t)owner->wide.v[b->v[k].value + 1].lo),
				pod ? "  " : "", pod ? pod->o.name : "", pod && pod->node ? " on " : "", pod && pod->node ? pod->node : "");
		if (pod)
			l->ref = ref_of(t->a, &pod->o);
		l->note = arena_printf(t->a, "drawn with probability 1/%u", b->nr);
	}
	if (b->nr > 40)
		pane_printf(t->a, t->p, TR_DIM, "%*s… %u more", 4 * depth + 5, "", b->nr - 40);
}

static void show_targets(struct chain_tree *t, const struct ruleset *owner, const struct rule *r, const struct chain *chain, int depth)
{
	struct sb text = { 0 };

	for (uint32_t i = 0; i < r->nr_ops; i++) {
		const struct op *op = &owner->ops.v[r->op + i];
		const struct ruleset *set_owner;
		const struct set_body *b;

		if ((op->code == OP_JUMP || op->code == OP_GOTO) && leads(t, (chain_h){ op->a }))
			show_chain(t, (chain_h){ op->a }, depth + 1);
		if (op->code == OP_LOOKUP && ruleset_set_get(t->rs, (set_h){ op->a })->kind == SET_MAP)
			show_draws(t, (set_h){ op->a }, depth);
		if (op->code != OP_LOOKUP || ruleset_set_get(t->rs, (set_h){ op->a })->kind != SET_VMAP)
			continue;
		b = set_body(t->rs, (set_h){ op->a }, &set_owner);
		for (uint32_t k = 0; k < b->nr; k++) {
			struct tui_line *l;

			if (!element_leads(t, set_owner, &b->v[k]))
				continue;
			sb_reset(&text);
			elem_text(set_owner, ruleset_set_get(t->rs, (set_h){ op->a }), &b->v[k], &text);
			l = pane_printf(t->a, t->p, TR_SERVICE, "%*s%s", 4 * depth + 5, "", sb_text(&text));
			note_cause(t, l, b->v[k].cause, chain);
			if (b->v[k].verdict.code == OP_GOTO || b->v[k].verdict.code == OP_JUMP)
				show_chain(t, b->v[k].verdict.chain, depth + 1);
		}
	}
	sb_free(&text);
}

/* "-A KUBE-SERVICES -d …" below the line KUBE-SERVICES. */
static const char *behind_chain(const struct chain *c, const char *text)
{
	size_t n = strlen(c->name);

	return strncmp(text, "-A ", 3) == 0 && strncmp(text + 3, c->name, n) == 0 && text[3 + n] == ' ' ? text + 4 + n : text;
}

static void show_chain(struct chain_tree *t, chain_h h, int depth)
{
	const struct chain *chain = ruleset_chain_get(t->rs, h);
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(t->rs, h, &owner);
	bool ours = is_ours(t, h);
	uint32_t seen = 0, last = 0;

	if (t->shown[h.i]++ || depth > 8)
		return;
	pane_printf(t->a, t->p, TR_HEAD, "%*s%s", 4 * depth, "", chain->name);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t k = 0; k < b->rules.nr; k++) {
			const struct rule *r = &b->rules.v[k];
			bool counts = ours || is_about(t, r->comment);
			struct sb text = { 0 };
			struct tui_line *l;

			for (uint32_t i = 0; !counts && !names_another(t, r->comment) && i < r->nr_ops; i++)
				counts = op_leads(t, &owner->ops.v[r->op + i]);
			if (!counts)
				continue;
			if (!pass) {
				last = k;
				seen++;
				continue;
			}
			rule_text(owner, chain, r, &text);
			l = pane_printf(t->a, t->p, TR_RULE, "%*s%s %s", 4 * depth, "", k == last ? "└─" : "├─", behind_chain(chain, sb_text(&text)));
			note_cause(t, l, r->cause, chain);
			sb_free(&text);
			show_targets(t, owner, r, chain, depth);
		}
	if (!seen)
		pane_printf(t->a, t->p, TR_DIM, "%*s└─ (no rule)", 4 * depth, "");
}

static bool tree_of(struct world *w, const struct service *s, const char *node, bool nft, struct arena *a, struct tui_pane *p, struct chain_tree *t)
{
	netns_h h = netns_find(w->dp, arena_printf(a, "node/%s", node));
	uint32_t nr;

	*t = (struct chain_tree){ .w = w, .a = a, .p = p, .nft = nft, .ns = s->o.ns, .key = arena_printf(a, "%s/%s", s->o.ns, s->o.name), .path = arena_printf(a, "%s/%s/", s->o.ns, s->o.name) };
	if (!h.i) {
		pane_line(a, p, TR_DIM, "there is no node");
		return false;
	}
	dataplane_node_ready(w->dp, h);
	t->rs = netns_get(w->dp, h)->rules;
	nr = t->rs ? ruleset_nr_chains(t->rs) : 0;
	t->leads = arena_array(a, uint8_t, nr + 1);
	t->shown = arena_array(a, uint8_t, nr + 1);
	return true;
}

static void none_leads(const struct service *s, struct arena *a, struct tui_pane *p)
{
	if (!p->nr)
		pane_line(a, p, TR_DIM, service_is_headless(s) ? "headless: no rule at all; DNS answers with the Pods' addresses"
					: s->type == SVC_EXTERNALNAME ? "ExternalName: a name in DNS, no rule" : "no rule leads to it on this node");
}

static const char *families_of(const struct service *s, bool nft)
{
	bool v4 = !s->families.nr, v6 = false;

	for (uint32_t k = 0; k < s->families.nr; k++) {
		v4 = v4 || streq(s->families.v[k], "IPv4");
		v6 = v6 || streq(s->families.v[k], "IPv6");
	}
	return nft ? v4 && v6 ? "tables ip and ip6" : v6 ? "table ip6" : "table ip" : v4 && v6 ? "iptables and ip6tables" : v6 ? "ip6tables" : "iptables";
}

void chain_pane(struct world *w, const struct service *s, const char *node, bool nft, struct arena *a, struct tui_pane *p)
{
	struct chain_tree t;

	p->title = arena_printf(a, "chain on %s  (%s%s)", node, families_of(s, nft), nft ? " kube-proxy" : ", table nat");
	if (!tree_of(w, s, node, nft, a, p, &t))
		return;
	for (int hook = HOOK_PREROUTING; hook <= HOOK_POSTROUTING; hook++)
		for (uint32_t k = 1; t.rs && k <= ruleset_nr_chains(t.rs); k++)
			if (ruleset_chain_get(t.rs, (chain_h){ k })->hook == hook && leads(&t, (chain_h){ k }))
				show_chain(&t, (chain_h){ k }, 0);
	none_leads(s, a, p);
}

/* ---- the plan */

static void plan_rules(struct chain_tree *t, chain_h h, struct sb *text)
{
	const struct chain *c = ruleset_chain_get(t->rs, h);
	const struct ruleset *owner;
	const struct chain_body *b;
	bool iptables = c->table.i && ruleset_table_get(t->rs, c->table)->iptables, ours = is_ours(t, h);

	if (!iptables && !ours)
		return;
	b = chain_body(t->rs, h, &owner);
	for (uint32_t k = 0; k < b->rules.nr; k++) {
		const struct rule *r = &b->rules.v[k];
		struct tui_line *l;

		if (!ours && !is_about(t, r->comment))
			continue;
		sb_reset(text);
		rule_text(owner, c, r, text);
		l = iptables ? pane_printf(t->a, t->p, TR_RULE, "%s %s%s", tool_of(t, c->table), strncmp(sb_text(text), "-A ", 3) ? arena_printf(t->a, "-A %s ", c->name) : "", sb_text(text))
			     : pane_printf(t->a, t->p, TR_RULE, "nft add rule %s %s %s", table_of(t, c->table), c->name, sb_text(text));
		note_cause(t, l, r->cause, NULL);
	}
}

static void plan_elements(struct chain_tree *t, set_h h, struct sb *text)
{
	const struct set *set = ruleset_set_get(t->rs, h);
	const struct ruleset *owner;
	const struct set_body *b = set->table.i && set->name ? set_body(t->rs, h, &owner) : NULL;

	for (uint32_t k = 0; b && k < b->nr; k++) {
		struct tui_line *l;

		if (!element_leads(t, owner, &b->v[k]))
			continue;
		sb_reset(text);
		elem_text(owner, set, &b->v[k], text);
		l = pane_printf(t->a, t->p, TR_SERVICE, "nft add element %s %s { %s }", table_of(t, set->table), set->name, sb_text(text));
		note_cause(t, l, b->v[k].cause, NULL);
	}
}

void plan_pane(struct world *w, const struct service *s, const char *node, bool nft, struct arena *a, struct tui_pane *p)
{
	struct chain_tree t;
	struct sb text = { 0 };

	p->title = arena_printf(a, "what kube-proxy tells %s because of this Service", node);
	if (!tree_of(w, s, node, nft, a, p, &t))
		return;
	for (uint32_t k = 1; t.rs && k <= ruleset_nr_chains(t.rs); k++) {
		const struct chain *c = ruleset_chain_get(t.rs, (chain_h){ k });

		if (!c->table.i || !is_ours(&t, (chain_h){ k }))
			continue;
		if (ruleset_table_get(t.rs, c->table)->iptables)
			pane_printf(a, p, TR_HEAD, "%s -N %s", tool_of(&t, c->table), c->name);
		else
			pane_printf(a, p, TR_HEAD, "nft add chain %s %s", table_of(&t, c->table), c->name);
	}
	for (uint32_t k = 1; t.rs && k <= ruleset_nr_chains(t.rs); k++)
		if (ruleset_chain_get(t.rs, (chain_h){ k })->table.i)
			plan_rules(&t, (chain_h){ k }, &text);
	for (uint32_t k = 1; t.rs && k <= ruleset_nr_sets(t.rs); k++)
		plan_elements(&t, (set_h){ k }, &text);
	none_leads(s, a, p);
	sb_free(&text);
}
