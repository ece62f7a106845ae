/* Every rule from a client to the endpoints of one Service, as the node's ruleset has them: the chains through which its packets pass, each with the rules and map
 * elements that are there because of this Service, and the Pods behind. Read from the dataplane, so it holds for nftables and iptables mode alike.
 *
 * A rule or element belongs to the Service if it or what it follows from is the Service or one of its EndpointSlices; a rule that leads to a chain with such rules
 * belongs to it as well. */
#include "viz/diagram/figure.h"

enum { MAX_CHAINS = 40, MAX_ROWS = 10, MAX_PODS = 9, MAX_NEXT = 5 };     /* Pods, chains to which one box leads: of more, the first are drawn and the rest is counted */

struct left_out { box_h from, box; uint32_t nr; };

struct drawing {
	struct world *w;
	struct scene *s;
	struct arena *a;
	const struct service *svc;
	const struct ruleset *rs;
	uint8_t *state;                         /* by chain: 0 not looked at, 1 being looked at, 2 does not belong, 3 belongs */
	box_h *box;                             /* by chain */
	uint32_t nr_boxes;
	struct map pods;                        /* object → box */
	VEC(struct left_out) left_out;
	bool cut, marks, filters;               /* marks: some rule marks packets, for masquerading behind; filters: some chains do not translate but refuse */
	box_h base[16]; uint32_t nr_base;
};

static bool ours(const struct drawing *d, cause_h h)
{
	for (int depth = 0; h.i && depth < 8; depth++, h = cause_get(d->w->dp, h)->because) {
		uint32_t id = cause_get(d->w->dp, h)->object;
		const struct object *o = id ? obj_get(d->w->cluster, (obj_h){ id }) : NULL;

		if (o == &d->svc->o)
			return true;
		if (o && o->kind == &endpointslice_kind && o->ns == d->svc->o.ns && ((const struct endpointslice *)o)->service == d->svc->o.name)
			return true;
	}
	return false;
}

static bool belongs(struct drawing *d, chain_h c);

/* The chain that a rule hands over to; 0: none. */
static chain_h target(const struct ruleset *owner, const struct rule *r)
{
	for (uint32_t k = 0; k < r->nr_ops; k++) {
		const struct op *op = &owner->ops.v[r->op + k];

		if (op->code == OP_JUMP || op->code == OP_GOTO)
			return (chain_h){ op->a };
	}
	return (chain_h){ 0 };
}

/* The n-th set or map that a rule asks; 0: it asks no more. */
static set_h looked_up(const struct ruleset *owner, const struct rule *r, uint32_t n)
{
	for (uint32_t k = 0; k < r->nr_ops; k++)
		if (owner->ops.v[r->op + k].code == OP_LOOKUP && n-- == 0)
			return (set_h){ owner->ops.v[r->op + k].a };
	return (set_h){ 0 };
}

/* Elements of the sets that a rule asks that are the Service's. */
static bool set_belongs(struct drawing *d, const struct ruleset *owner, const struct rule *r)
{
	set_h set;

	for (uint32_t n = 0; (set = looked_up(owner, r, n)).i; n++) {
		const struct ruleset *o;
		const struct set_body *b = set_body(d->rs, set, &o);

		for (uint32_t k = 0; k < b->nr; k++)
			if (ours(d, b->v[k].cause) || (b->v[k].verdict.chain.i && belongs(d, b->v[k].verdict.chain)))
				return true;
	}
	return false;
}

static bool rule_belongs(struct drawing *d, const struct ruleset *owner, const struct rule *r)
{
	chain_h to = target(owner, r);

	return ours(d, r->cause) || (to.i && belongs(d, to)) || set_belongs(d, owner, r);
}

static bool belongs(struct drawing *d, chain_h c)
{
	const struct ruleset *owner;
	const struct chain_body *b;
	bool any = false;

	if (d->state[c.i])
		return d->state[c.i] == 3;
	d->state[c.i] = 1;
	b = chain_body(d->rs, c, &owner);
	for (uint32_t k = 0; k < b->rules.nr && !any; k++)
		any = rule_belongs(d, owner, &b->rules.v[k]);
	d->state[c.i] = any ? 3 : 2;
	return any;
}

/* ---- boxes */

static box_h add_chain(struct drawing *d, chain_h c);

/* Does that box lead to so many already that this one is only counted? One box says how many there are. */
static bool only_counted(struct drawing *d, box_h from, uint32_t most, const char *what)
{
	uint32_t ways = 0, k = 0;
	box_h box;

	for (uint32_t i = 0; i < d->s->edges.nr; i++)
		ways += d->s->edges.v[i].from.i == from.i;
	if (ways < most)
		return false;
	while (k < d->left_out.nr && d->left_out.v[k].from.i != from.i)
		k++;
	if (k == d->left_out.nr) {
		box = scene_box(d->s, (box_h){ 0 }, ROLE_PLAIN, arena_printf(d->a, "more-%u", from.i), "more", NULL);
		vec_push(d->a, &d->left_out);
		d->left_out.v[k].from = from;
		d->left_out.v[k].box = box;
		d->left_out.v[k].nr = 0;
		scene_line(d->s, from, box, LINE_PACKET, NULL);
	}
	d->left_out.v[k].nr++;
	scene_get(d->s, d->left_out.v[k].box)->name = arena_printf(d->a, "%u more %s", d->left_out.v[k].nr, what);
	return true;
}

static void lead_to_pod(struct drawing *d, box_h from, ip_addr ip)
{
	struct pod *p = find_pod_by_ip(d->w->cluster, ip);
	uint64_t *at;
	box_h h;

	if (!p)
		return;
	at = map_put(&d->pods, d->a, map_ptr(p));
	if (!*at && only_counted(d, from, MAX_PODS, "Pods"))
		return;
	if (!*at)
		*at = part_pod(d->s, (box_h){ 0 }, d->w->cluster, p, false).i;
	h.i = (uint32_t)*at;
	for (uint32_t k = 0; k < d->s->edges.nr; k++)
		if (d->s->edges.v[k].from.i == from.i && d->s->edges.v[k].to.i == h.i)
			return;
	scene_line(d->s, from, h, LINE_PACKET, NULL);
}

static void lead_to_chain(struct drawing *d, box_h from, chain_h to)
{
	box_h h = { 0 };

	if (!to.i || !belongs(d, to) || (!d->box[to.i].i && only_counted(d, from, MAX_NEXT, "chains")))
		return;
	h = add_chain(d, to);
	if (!h.i)
		return;
	for (uint32_t k = 0; k < d->s->edges.nr; k++)
		if (d->s->edges.v[k].from.i == from.i && d->s->edges.v[k].to.i == h.i)
			return;
	scene_line(d->s, from, h, LINE_PACKET, NULL);
}

static void mono(struct drawing *d, box_h h, const char *text, bool indent, bool changes)
{
	enum { WRAP = 86 };

	for (int line = 0; *text && line < 4; line++) {
		size_t n = strlen(text), cut = n;

		if (n > WRAP) {
			for (cut = WRAP; cut > WRAP / 2 && text[cut] != ' '; cut--)
				;
			cut = cut > WRAP / 2 ? cut : WRAP;
		}
		scene_row(d->s, h, changes ? ROW_MONO_CHANGED : ROW_MONO, arena_printf(d->a, "%s%.*s%s", indent || line ? "    " : "", (int)cut, text, line == 3 && text[cut] ? " …" : ""), NULL);
		text += cut;
		text += strspn(text, " ");
	}
}

static void rows_of_set(struct drawing *d, box_h h, set_h set)
{
	const struct ruleset *o;
	const struct set_body *b = set_body(d->rs, set, &o);
	uint32_t others = 0, shown = 0;
	struct sb text = { 0 };

	for (uint32_t k = 0; k < b->nr; k++) {
		const struct elem *e = &b->v[k];

		if (!ours(d, e->cause) && !(e->verdict.chain.i && belongs(d, e->verdict.chain))) {
			others++;
			continue;
		}
		sb_reset(&text);
		elem_text(o, ruleset_set_get(d->rs, set), e, &text);
		mono(d, h, arena_strdup(d->a, sb_text(&text)), true, false);
		shown++;
	}
	if (others && shown && !(ruleset_set_get(d->rs, set)->flags & SETF_ANONYMOUS))
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "    and %u for other Services", others), NULL);
	sb_free(&text);
}

/* Where a DNAT leads: its own address, or those of the map that it chooses from. */
static void lead_on(struct drawing *d, box_h h, const struct ruleset *owner, const struct rule *r)
{
	bool dnat = false;
	set_h set;

	for (uint32_t k = 0; k < r->nr_ops; k++) {
		const struct op *op = &owner->ops.v[r->op + k];

		dnat = dnat || op->code == OP_DNAT;
		if (op->code == OP_DNAT && op->rel == REL_EQ && op->a)
			lead_to_pod(d, h, owner->wide.v[op->a]);
	}
	lead_to_chain(d, h, target(owner, r));
	for (uint32_t n = 0; (set = looked_up(owner, r, n)).i; n++) {
		const struct ruleset *o;
		const struct set_body *b = set_body(d->rs, set, &o);

		for (uint32_t k = 0; k < b->nr; k++)
			if (dnat && b->v[k].value)
				lead_to_pod(d, h, o->wide.v[b->v[k].value]);
			else if (b->v[k].verdict.chain.i)
				lead_to_chain(d, h, b->v[k].verdict.chain);
	}
}

static const char *hook_text(struct arena *a, const struct chain *c)
{
	static const char *const hooks[] = { "", "prerouting", "input", "forward", "output", "postrouting" };

	return c->hook ? arena_printf(a, "hook %s, priority %d", hooks[c->hook], c->priority) : NULL;
}

static bool has_dnat(const struct ruleset *owner, const struct rule *r)
{
	for (uint32_t k = 0; k < r->nr_ops; k++)
		if (owner->ops.v[r->op + k].code == OP_DNAT)
			return true;
	return false;
}

/* Does the rule mark packets, itself or by a chain of its own as KUBE-MARK-MASQ? */
static bool marks(const struct drawing *d, const struct ruleset *owner, const struct rule *r)
{
	chain_h to = target(owner, r);
	const struct ruleset *o;
	const struct chain_body *b = to.i ? chain_body(d->rs, to, &o) : NULL;

	for (uint32_t i = 0; i < r->nr_ops; i++)
		if (owner->ops.v[r->op + i].code == OP_MARK)
			return true;
	return b && b->rules.nr == 1 && b->rules.v[0].nr_ops && o->ops.v[b->rules.v[0].op].code == OP_MARK;
}

static box_h add_chain(struct drawing *d, chain_h c)
{
	const struct chain *chain = ruleset_chain_get(d->rs, c);
	const struct ruleset *owner;
	const struct chain_body *b = chain_body(d->rs, c, &owner);
	struct sb text = { 0 };
	uint32_t others = 0, rows = 0;
	box_h h;

	if (d->box[c.i].i)
		return d->box[c.i];
	if (d->nr_boxes++ >= MAX_CHAINS) {
		d->cut = true;
		return (box_h){ 0 };
	}
	h = d->box[c.i] = scene_box(d->s, (box_h){ 0 }, chain->hook ? ROLE_NODE : ROLE_RULES, arena_printf(d->a, "chain-%u", c.i), chain->name,
				    chain->hook ? hook_text(d->a, chain) : chain->comment ? chain->comment : NULL);
	scene_get(d->s, h)->title = arena_printf(d->a, "chain %s of table %s", chain->name, ruleset_table_get(d->rs, chain->table)->name);
	for (uint32_t k = 0; k < b->rules.nr; k++) {
		const struct rule *r = &b->rules.v[k];

		if (!rule_belongs(d, owner, r)) {
			others++;
			continue;
		}
		if (rows++ == MAX_ROWS) {
			scene_row(d->s, h, ROW_NOTE, "…", NULL);
			break;
		}
		d->marks = d->marks || marks(d, owner, r);
		sb_reset(&text);
		rule_text(owner, chain, r, &text);
		mono(d, h, arena_strdup(d->a, sb_text(&text)), false, has_dnat(owner, r));
		for (uint32_t n = 0; !has_dnat(owner, r) && looked_up(owner, r, n).i; n++)
			rows_of_set(d, h, looked_up(owner, r, n));
	}
	if (others)
		scene_row(d->s, h, ROW_NOTE, arena_printf(d->a, "and %u rule%s that %s nothing to do with it", others, others > 1 ? "s" : "", others > 1 ? "have" : "has"), NULL);
	for (uint32_t k = 0; k < b->rules.nr; k++)
		if (rule_belongs(d, owner, &b->rules.v[k]))
			lead_on(d, h, owner, &b->rules.v[k]);
	sb_free(&text);
	return h;
}

/* A node that has an endpoint of it, so that local rules show; else the first. */
static const struct node *choose_node(struct world *w, const struct service *v, struct arena *a)
{
	struct object_list ends = part_endpoints(w->cluster, v, a), nodes = cluster_list(w->cluster, &node_kind);

	for (uint32_t k = 0; k < ends.nr; k++)
		if (((const struct pod *)ends.v[k])->node && find_node(w->cluster, ((const struct pod *)ends.v[k])->node))
			return find_node(w->cluster, ((const struct pod *)ends.v[k])->node);
	return nodes.nr ? (const struct node *)nodes.v[0] : NULL;
}

static void add_clients(struct drawing *d)
{
	static const struct { uint8_t hook; const char *id, *name; } from[] = {
		{ HOOK_PREROUTING, "from-wire", "a Pod of this node, or the wire" }, { HOOK_OUTPUT, "from-node", "a process of the node itself" },
	};

	for (size_t f = 0; f < ARRAY_LEN(from); f++) {
		box_h client = { 0 };

		for (uint32_t c = 1; c <= ruleset_nr_chains(d->rs); c++) {
			const struct chain *chain = ruleset_chain_get(d->rs, (chain_h){ c });
			box_h h;

			if (chain->hook != from[f].hook || chain->type != NFT_NAT || !belongs(d, (chain_h){ c }))
				continue;
			h = add_chain(d, (chain_h){ c });
			if (!client.i)
				client = scene_box(d->s, (box_h){ 0 }, ROLE_OUTSIDE, from[f].id, from[f].name, NULL);
			if (!h.i)
				continue;
			scene_line(d->s, client, h, LINE_PACKET, NULL);
			if (d->nr_base < ARRAY_LEN(d->base))
				d->base[d->nr_base++] = h;
		}
	}
	for (uint32_t c = 1; c <= ruleset_nr_chains(d->rs); c++) {             /* firewalls and rejects of it: base chains that are no NAT */
		const struct chain *chain = ruleset_chain_get(d->rs, (chain_h){ c });

		if (chain->hook && chain->type != NFT_NAT && belongs(d, (chain_h){ c })) {
			box_h h = add_chain(d, (chain_h){ c });

			d->filters = true;
			if (h.i && d->nr_base < ARRAY_LEN(d->base))
				d->base[d->nr_base++] = h;
		}
	}
	scene_same_rank(d->s, d->base, d->nr_base);
}

bool fig_svc(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	const char *slash = strchr(rest, '/'), *ns = slash ? arena_strndup(s->arena, rest, (size_t)(slash - rest)) : figure_ns(opt), *name = slash ? slash + 1 : rest;
	struct drawing d = { .w = w, .s = s, .a = s->arena, .svc = find_service(w->cluster, ns, name) };
	const struct node *n;
	netns_h node;

	(void)args;
	(void)nr;
	if (!d.svc)
		return err_add(err, ERR_FAILED, NULL, "there is no Service \"%s\" in namespace %s", name, ns);
	n = choose_node(w, d.svc, s->arena);
	node = n ? netns_find(world_dataplane(w), arena_printf(s->arena, "node/%s", n->o.name)) : (netns_h){ 0 };
	if (!node.i)
		return err_add(err, ERR_FAILED, NULL, "the cluster has no node with rules");
	dataplane_node_ready(w->dp, node);
	d.rs = netns_get(w->dp, node)->rules;
	if (!d.rs)
		return err_add(err, ERR_FAILED, NULL, "node %s has no rules: nothing makes Services work in this cluster", n->o.name);
	d.state = arena_array(s->arena, uint8_t, ruleset_nr_chains(d.rs) + 1);
	d.box = arena_array(s->arena, box_h, ruleset_nr_chains(d.rs) + 1);
	scene_init(s, s->arena, "svc", arena_printf(s->arena, "The rules of Service %s/%s on node %s", ns, name, n->o.name));
	s->description = "Each box is a chain with the rules that are there because of this Service; lines lead to the chains and Pods that they hand packets to.";
	add_clients(&d);
	if (!d.nr_boxes)
		return err_add(err, ERR_FAILED, NULL, service_is_headless(d.svc) ? "Service %s/%s is headless: DNS answers with its Pods' addresses, and no rule is written" :
								 "no rule of node %s follows from Service %s/%s", service_is_headless(d.svc) ? ns : n->o.name, service_is_headless(d.svc) ? name : ns, name);
	scene_legend(s, LINE_PACKET, 0, "jump, goto, or the new destination");
	scene_note(s, ROLE_PLAIN, arena_printf(s->arena, "Service %s", name), arena_printf(s->arena, "%s %s, as node %s has it; other nodes have the same but for local endpoints",
										  svc_type_names[d.svc->type], d.svc->cluster_ip ? d.svc->cluster_ip : "", n->o.name));
	if (d.marks)
		scene_note(s, ROLE_PLAIN, "marked packets", "get the node's own address as source behind, in postrouting (masquerade), so that the answer comes back here");
	if (d.filters)
		scene_note(s, ROLE_PLAIN, "filter chains", "choose no endpoint: they refuse ports that an address has not, Services without endpoints, and sources that are not let in");
	if (d.cut)
		scene_note(s, ROLE_DENIED, "not all chains are drawn", "there are more than 40");
	return true;
}
