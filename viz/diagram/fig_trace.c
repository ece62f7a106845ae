/* The way of one packet: hops as numbered boxes inside the namespaces that they happen in, labels where the packet changes, the hop where it ends marked.
 *
 * Columns. A stay on one machine is a column; the first runs down, the next up from where the last one ended, and so on, so that the wire between two machines is
 * always level and no line crosses a box. An edge between columns carries no label (Graphviz cannot place it): what changed there stands in the hop's own box. */
#include "viz/diagram/figure.h"
#include "viz/report/trace_report.h"

enum { MAX_HOPS = 60, MAX_STAYS = 24, WRAP = 54, MAX_LINES = 5 };

struct stop { const struct hop *hop; uint32_t nr; enum line line; box_h box; uint32_t stay; bool starts /* a new connection begins here */; };      /* nr: hops that are drawn as one */
struct group_of { uint32_t netns; box_h box; };
struct way {
	struct world *w;
	struct scene *s;
	struct arena *a;
	const struct outcome_view *o;
	struct stop stop[MAX_HOPS]; uint32_t nr;
	uint32_t stays;
	bool up[MAX_STAYS];
	struct group_of group[64]; uint32_t nr_groups;
	bool cut;                               /* there were more hops */
};

static const struct netns *ns_of(const struct way *y, netns_h h)
{
	return netns_get(y->w->dp, h);
}

/* The machine that a namespace is on: a Pod's node, or itself. */
static uint32_t machine(const struct way *y, const struct hop *h)
{
	const struct netns *ns = ns_of(y, h->netns);

	return ns->kind == NS_POD && ns->node.i ? ns->node.i : h->netns.i;
}

static bool readdressed(const struct hop *h)
{
	return !ip_eq(h->before.src, h->after.src) || !ip_eq(h->before.dst, h->after.dst) || h->before.sport != h->after.sport || h->before.dport != h->after.dport;
}

/* A process and its routing, or two things that one rule does, are one step to the eye. */
static bool same_step(const struct hop *x, const struct hop *y)
{
	if (x->netns.i != y->netns.i)
		return false;
	if (x->stage == ST_SOCKET)
		return y->stage == ST_ROUTE;
	return x->stage == y->stage && x->rule != UINT32_MAX && x->rule == y->rule && x->chain.i == y->chain.i && x->owner == y->owner;
}

static void add_half(struct way *y, const struct half *half, enum line line)
{
	for (uint32_t k = 0; k < half->nr_hops; k++) {
		const struct hop *h = &half->hops[k];
		struct stop *last = y->nr ? &y->stop[y->nr - 1] : NULL;

		if (k && last && last->hop + last->nr == h && same_step(h - 1, h)) {
			last->nr++;
			continue;
		}
		if (y->nr == MAX_HOPS) {
			y->cut = true;
			return;
		}
		y->stop[y->nr++] = (struct stop){ .hop = h, .nr = 1, .line = line, .starts = k == 0 };
	}
}

static void find_stays(struct way *y)
{
	uint32_t len = 0;

	for (uint32_t k = 0; k < y->nr; k++) {
		if (!k || machine(y, y->stop[k].hop) != machine(y, y->stop[k - 1].hop)) {
			if (y->stays == MAX_STAYS) {
				y->nr = k;
				y->cut = true;
				return;
			}
			y->up[y->stays] = y->stays ? y->up[y->stays - 1] != (len > 1) : false;
			y->stays++;
			len = 0;
		}
		len++;
		y->stop[k].stay = y->stays - 1;
	}
}

/* ---- boxes */

static box_h group_of(struct way *y, uint32_t netns, bool below)
{
	const struct netns *ns = ns_of(y, (netns_h){ netns });
	const struct object *o = ns->object ? obj_get(y->w->cluster, (obj_h){ ns->object }) : NULL;
	box_h parent = { 0 }, h;

	for (uint32_t k = 0; k < y->nr_groups; k++)
		if (y->group[k].netns == netns)
			return y->group[k].box;
	if (ns->kind == NS_POD && ns->node.i)
		parent = group_of(y, ns->node.i, true);
	if (o && o->kind == &node_kind) {
		h = part_node(y->s, parent, y->w->cluster, (const struct node *)o);
	} else if (o && o->kind == &pod_kind) {
		const struct pod *p = (const struct pod *)o;

		h = scene_group(y->s, parent, ROLE_POD, part_id(y->s, o), arena_printf(y->a, "Pod %s", pod_short(y->a, p)), ip_set(p->ip) ? arena_strdup(y->a, IP(p->ip)) : NULL);
		scene_get(y->s, h)->title = arena_printf(y->a, "Pod %s/%s", o->ns, o->name);
		part_details(y->s, h, y->w->cluster, o);
	} else {
		h = scene_group(y->s, parent, ROLE_OUTSIDE, arena_printf(y->a, "ns-%u", netns), ns->name, NULL);
	}
	scene_get(y->s, h)->label_below = below;
	if (y->nr_groups < ARRAY_LEN(y->group))
		y->group[y->nr_groups++] = (struct group_of){ netns, h };
	return h;
}

/* Rule text in lines of a readable length, broken at blanks. */
static void wrapped(struct way *y, box_h box, enum row_kind kind, const char *text)
{
	uint32_t lines = 0;

	while (*text) {
		size_t n = strlen(text), cut = n;

		if (n > WRAP) {
			for (cut = WRAP; cut > WRAP / 2 && text[cut] != ' ' && !(cut < WRAP && strchr("/-,", text[cut - 1])); cut--)
				;
			cut = cut > WRAP / 2 ? cut : WRAP;
			while (cut && ((unsigned char)text[cut] & 0xc0) == 0x80)
				cut--;
		}
		if (++lines == MAX_LINES && cut < n) {
			scene_row(y->s, box, kind, arena_printf(y->a, "%.*s …", (int)cut, text), NULL);
			return;
		}
		scene_row(y->s, box, kind, arena_strndup(y->a, text, cut), NULL);
		text += cut;
		text += strspn(text, " ");
	}
}

static const char *end_text(struct way *y, ip_addr ip, uint16_t port)
{
	return socket_of(y->a, IP(ip), port);
}

/* src → dst, what changed as a part of its own. */
struct packet_words { const char *before, *changed, *rest; };
static struct packet_words packet_words(struct way *y, const struct tuple *was, const struct tuple *is)
{
	bool src = !ip_eq(was->src, is->src) || was->sport != is->sport, dst = !ip_eq(was->dst, is->dst) || was->dport != is->dport;
	const char *from = end_text(y, is->src, is->sport), *to = end_text(y, is->dst, is->dport);

	if (src && dst)
		return (struct packet_words){ "", arena_printf(y->a, "%s → %s", from, to), "" };
	if (src)
		return (struct packet_words){ "", from, arena_printf(y->a, " → %s", to) };
	if (dst)
		return (struct packet_words){ arena_printf(y->a, "%s → ", from), to, "" };
	return (struct packet_words){ arena_printf(y->a, "%s → %s", from, to), NULL, NULL };
}

static bool ends_badly(const struct way *y)
{
	return y->o->verdict != V_DELIVERED || !y->o->answered;
}

static const char *title_of(struct way *y, const struct stop *p)
{
	const struct hop *last = p->hop + p->nr - 1;
	const char *link = last->link.i ? link_get(y->w->dp, last->link)->name : NULL, *stage = stage_names[p->hop->stage];

	if (p->hop->stage == ST_SOCKET)
		stage = "process";
	return link ? arena_printf(y->a, "%s, %s", stage, link) : stage;
}

static void hop_box(struct way *y, uint32_t k, bool next_is_level)
{
	struct stop *p = &y->stop[k];
	const struct hop *last = p->hop + p->nr - 1;
	bool failed = k + 1 == y->nr && ends_badly(y) && !y->cut, rules = false;
	struct sb text = { 0 };
	box_h h;

	for (uint32_t i = 0; i < p->nr; i++)
		rules = rules || p->hop[i].rule != UINT32_MAX || readdressed(&p->hop[i]);
	h = p->box = scene_box(y->s, group_of(y, p->hop->netns.i, ns_of(y, p->hop->netns)->kind == NS_NODE || (ns_of(y, p->hop->netns)->kind == NS_POD && !y->up[p->stay] && k > 0)), failed ? ROLE_DENIED : rules ? ROLE_RULES : ROLE_PLAIN, arena_printf(y->a, "hop-%u", k + 1),
			       title_of(y, p), NULL);
	scene_get(y->s, h)->badge = (uint16_t)(k + 1);
	scene_get(y->s, h)->badge_line = (uint8_t)(failed ? LINE_FAILED : p->line);
	scene_get(y->s, h)->width = ns_of(y, p->hop->netns)->kind == NS_NODE || ns_of(y, p->hop->netns)->kind == NS_POD ? 252 : 0;
	scene_get(y->s, h)->column = arena_printf(y->a, "stay%u", p->stay);
	scene_get(y->s, h)->title = arena_printf(y->a, "step %u, %s, %s: %s", k + 1, ns_of(y, p->hop->netns)->name, title_of(y, p), last->decision ? last->decision : "");
	for (uint32_t i = 0; i < p->nr; i++)
		if (p->hop[i].stage == ST_SOCKET)
			scene_row(y->s, h, ROW_TEXT, strstr(p->hop[i].decision ? p->hop[i].decision : "", "answers") ? "it answers" : "it sends", NULL);
		else if (p->hop[i].decision && !(failed && streq(p->hop[i].decision, verdict_names[y->o->verdict])))
			wrapped(y, h, p->hop[i].stage == ST_ROUTE || p->hop[i].stage == ST_FORWARD ? ROW_MONO : ROW_TEXT, p->hop[i].decision);
	hop_rule_text(y->w->dp, last, &text);
	if (text.len)
		wrapped(y, h, readdressed(last) ? ROW_MONO_CHANGED : ROW_MONO, arena_strdup(y->a, sb_text(&text)));
	if (readdressed(last) && next_is_level) {
		struct packet_words p2 = packet_words(y, &last->before, &last->after);

		struct scene_cell *c = scene_cell(y->s, h, true, ROW_MONO, ROLE_PLAIN, p2.before);

		c->changed = p2.changed;
		c->rest = p2.rest;
	}
	sb_reset(&text);
	cause_text(y->w, last->cause, &text);
	if (text.len && rules)
		wrapped(y, h, ROW_NOTE, arena_printf(y->a, "because of %s", sb_text(&text)));
	if (failed)
		wrapped(y, h, ROW_CHANGED, arena_printf(y->a, "✕ %s", y->o->verdict == V_DELIVERED ? "the answer does not come back" : verdict_names[y->o->verdict]));
	sb_free(&text);
}

/* ---- lines */

static void add_line(struct way *y, uint32_t k)
{
	struct stop *from = &y->stop[k], *to = &y->stop[k + 1];
	const struct hop *last = from->hop + from->nr - 1;
	bool level = from->stay != to->stay, fails = k + 2 == y->nr && ends_badly(y) && !y->cut;
	struct scene_edge *e = scene_line(y->s, from->box, to->box, fails ? LINE_FAILED : to->line, NULL);

	if (level) {
		scene_same_rank(y->s, (box_h[]){ from->box, to->box }, 2);
		return;
	}
	e->weight = 1000;
	e->back = y->up[from->stay];
	if (readdressed(last) || from->starts) {
		struct packet_words p = packet_words(y, &last->before, &last->after);

		e->label = p.before;
		e->changed = p.changed;
		e->rest = p.rest;
		e->mono = true;
	}
}

/* ---- what it comes to */

static const char *share(struct way *y, struct frac p)
{
	return p.num == p.den ? "" : arena_printf(y->a, ", %" PRIu64 " of %" PRIu64, p.num, p.den);
}

static const char *who(struct way *y, const struct outcome_view *o)
{
	if (o->pod)
		return arena_printf(y->a, "to Pod %s/%s on %s", o->pod->o.ns, o->pod->o.name, o->node ? o->node : "no node");
	return o->node ? arena_printf(y->a, "to node %s", o->node) : ip_set(o->end_ip) ? arena_printf(y->a, "to %s", end_text(y, o->end_ip, o->end_port)) : "";
}

/* A reason of several parts: a line each, none of them cut. */
static void reason_notes(struct way *y, const char *bold, const char *reason)
{
	enum { MOST = 5 };
	uint32_t nr = 0;

	for (const char *at = reason, *end; at; at = end ? end + 2 : NULL, bold = NULL) {
		end = strstr(at, "; ");
		if (nr++ == MOST) {
			scene_note(y->s, ROLE_PLAIN, NULL, "… podwire trace prints the rest");
			return;
		}
		scene_note(y->s, ROLE_DENIED, bold, arena_strndup(y->a, at, end ? (size_t)(end - at) : strlen(at)));
	}
}

static void notes(struct way *y, const struct answer *answer)
{
	const struct outcome_view *o = y->o;
	const struct outcome *last = outcome_last(o);
	bool bad = ends_badly(y);

	if (o->verdict == V_DELIVERED)
		scene_note(y->s, bad ? ROLE_DENIED : ROLE_PLAIN, arena_printf(y->a, "delivered%s", share(y, o->p)),
			   arena_printf(y->a, "%s, which sees %s", who(y, o), last ? IP(last->there.as_seen.src) : "?"));
	else
		reason_notes(y, arena_printf(y->a, "%s%s", o->verdict == V_UNKNOWN ? "cannot tell" : verdict_names[o->verdict], share(y, o->p)), o->reason ? text_behind(verdict_names[o->verdict], o->reason) : "");
	if (o->http)
		scene_note(y->s, ROLE_PLAIN, arena_printf(y->a, "HTTP %d", o->http->status), o->http->backend ? arena_printf(y->a, "from %s", o->http->backend) : "from the proxy itself");
	if (o->walk && o->answered && o->walk->back.nr_hops) {
		const struct tuple *out = &o->walk->back.as_sent, *in = &o->walk->back.as_seen;

		scene_note(y->s, ROLE_PLAIN, "answered",
			   ip_eq(out->src, in->src) && out->sport == in->sport && ip_eq(out->dst, in->dst)
				   ? arena_printf(y->a, "%s → %s, the same way back", end_text(y, out->src, out->sport), end_text(y, out->dst, out->dport))
				   : arena_printf(y->a, "it leaves as %s → %s; conntrack undoes the rewriting: the client sees %s", end_text(y, out->src, out->sport),
						  end_text(y, out->dst, out->dport), end_text(y, in->src, in->sport)));
	} else if (o->walk && o->verdict == V_DELIVERED) {
		scene_note(y->s, ROLE_DENIED, "not answered", o->walk->back.reason ? o->walk->back.reason : o->reason);
	}
	for (uint32_t k = 1; k < answer->nr && k < 5; k++)
		scene_note(y->s, ROLE_PLAIN, arena_printf(y->a, "or%s", share(y, answer->v[k].p)),
			   arena_printf(y->a, "%s%s %s", verdict_names[answer->v[k].verdict], answer->v[k].verdict == V_DELIVERED ? "" : ":",
					answer->v[k].verdict == V_DELIVERED ? who(y, &answer->v[k]) : answer->v[k].reason ? text_behind(verdict_names[answer->v[k].verdict], answer->v[k].reason) : ""));
	if (answer->nr > 5)
		scene_note(y->s, ROLE_PLAIN, NULL, arena_printf(y->a, "and %u more ways: chance decides which", answer->nr - 5));
	if (y->cut)
		scene_note(y->s, ROLE_DENIED, "not all hops are drawn", arena_printf(y->a, "the way has more than %u", y->nr));
}

bool fig_trace(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct question q = opt->ask ? *opt->ask : (struct question){ .l4 = L4_TCP, .proto = PROTO_TCP, .flags = WALK_RECORD };
	struct answer *answer = arena_make(s->arena, struct answer);
	struct way *y = arena_make(s->arena, struct way);

	(void)rest;
	(void)nr;
	q.from = args[0];
	q.to = args[1];
	q.ns = q.ns ? q.ns : figure_ns(opt);
	q.flags |= WALK_RECORD;
	if (!question_ask(w, &q, s->arena, answer, err))
		return false;
	*y = (struct way){ .w = w, .s = s, .a = s->arena, .o = &answer->v[0] };
	scene_init(s, s->arena, "trace", arena_printf(s->arena, "The way of a packet from %s to %s", args[0], args[1]));
	s->node_gap = 0.9f;
	s->rank_gap = 0.34f;
	if (!y->o->walk)
		return err_add(err, ERR_FAILED, NULL, "no packet is sent, so there is nothing to draw: %s", y->o->reason ? y->o->reason : "no answer");
	add_half(y, &y->o->walk->there, LINE_PACKET);
	for (uint32_t k = 0; k < y->o->nr_between; k++)
		add_half(y, &y->o->between[k]->there, LINE_PACKET);
	if (y->o->second)
		add_half(y, &y->o->second->there, LINE_PACKET);
	if (y->o->third)
		add_half(y, &y->o->third->there, LINE_PACKET);
	if (y->o->verdict == V_DELIVERED && !y->o->answered)
		add_half(y, &y->o->walk->back, LINE_SECOND);
	find_stays(y);
	for (uint32_t k = 0; k < y->nr; k++)
		hop_box(y, k, k + 1 < y->nr && y->stop[k + 1].stay != y->stop[k].stay);
	for (uint32_t k = 0; k + 1 < y->nr; k++)
		add_line(y, k);
	notes(y, answer);
	s->description = arena_printf(s->arena, "%u step%s in %u stay%s; it is %s%s %s", y->nr, &"s"[y->nr == 1], y->stays, y->stays == 1 ? " on a machine" : "s on machines", verdict_names[y->o->verdict], y->o->reason ? ":" : ".",
					y->o->reason ? text_behind(verdict_names[y->o->verdict], y->o->reason) : "");
	scene_legend(s, LINE_SECOND, 0, "the answer");
	return true;
}
