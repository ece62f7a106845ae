/* The answer to a trace for people: a line a hop, with the rule that decided, the packet where it changed and the object behind it; and a last line
 * for each outcome that says it in one sentence. */
#include "sim/ask/patience.h"
#include "viz/report/matrix_report.h"
#include "viz/report/trace_report.h"

enum { COL_LINK = 34, COL_STAGE = 51, COL_DECISION = 64 };

static void socket_text(struct sb *out, ip_addr ip, uint16_t port)
{
	if (port)
		sb_printf(out, ip_is4(ip) ? "%s:%u" : "[%s]:%u", IP(ip), port);
	else
		sb_add(out, IP(ip));
}

static void tuple_text(struct sb *out, const struct tuple *t)
{
	socket_text(out, t->src, t->sport);
	sb_add(out, " → ");
	socket_text(out, t->dst, t->dport);
}

static bool readdressed(const struct hop *h)
{
	const struct tuple *x = &h->before, *y = &h->after;

	return !ip_eq(x->src, y->src) || !ip_eq(x->dst, y->dst) || x->sport != y->sport || x->dport != y->dport;
}

/* A line of its own for what is written between both; none if that is nothing. */
struct line { size_t from, text; };

static struct line line_begin(struct sb *out, const char *title)
{
	size_t from = out->len;

	sb_add(out, title);
	return (struct line){ from, out->len };
}

static void line_end(struct sb *out, struct line l)
{
	if (out->len == l.text)
		sb_cut(out, l.from);
	else
		sb_addc(out, '\n');
}

/* The chain, where the rule's own words do not begin with it as iptables' do. */
static void rule_place(const struct hop *h, struct sb *out)
{
	const struct chain *c = h->owner && h->rule != UINT32_MAX ? ruleset_chain_get(h->owner, h->chain) : NULL;

	if (c && !ruleset_table_get(h->owner, c->table)->iptables)
		sb_printf(out, "chain %s: ", c->name);
}

static void hop_lines(struct world *w, const struct hop *h, uint32_t seq, struct sb *out)
{
	struct line line;

	sb_printf(out, "%5u  %s", seq, netns_get(w->dp, h->netns)->name);
	sb_pad(out, COL_LINK);
	sb_addc(out, ' ');
	sb_add(out, h->link.i ? link_get(w->dp, h->link)->name : "-");
	sb_pad(out, COL_STAGE);
	sb_addc(out, ' ');
	sb_add(out, stage_names[h->stage]);
	sb_pad(out, COL_DECISION);
	sb_addc(out, ' ');
	sb_add(out, h->decision);
	sb_addc(out, '\n');
	line = line_begin(out, "         rule     ");
	rule_place(h, out);
	hop_rule_text(w->dp, h, out);
	line_end(out, line);
	if (readdressed(h)) {
		sb_add(out, "         packet   ");
		tuple_text(out, &h->before);
		sb_add(out, "   becomes   ");
		tuple_text(out, &h->after);
		sb_addc(out, '\n');
	}
	if (h->size && h->link.i && (h->stage == ST_ROUTE || h->stage == ST_FORWARD || h->stage == ST_ENCAP))
		sb_printf(out, "         size     %u bytes; %s takes %u\n", h->size, link_get(w->dp, h->link)->name, link_get(w->dp, h->link)->mtu);
	if (h->mark_before != h->mark_after)
		sb_printf(out, "         mark     0x%x becomes 0x%x\n", h->mark_before, h->mark_after);
	line = line_begin(out, "         because  ");
	cause_text(w, h->cause, out);
	line_end(out, line);
}

static bool same_hop(const struct hop *a, const struct hop *b)
{
	return a->netns.i == b->netns.i && a->link.i == b->link.i && a->stage == b->stage && streq(a->decision, b->decision) && !readdressed(a) && !readdressed(b);
}

/* How many hops, from k on, are all that the rest of the way repeats; 0: it does not go round in a circle. */
static uint32_t circle_at(const struct half *half, uint32_t k)
{
	enum { LONGEST = 12, ROUNDS = 4 };

	for (uint32_t n = 1; n <= LONGEST && k + n * ROUNDS <= half->nr_hops; n++) {
		uint32_t i = k;

		while (i + n < half->nr_hops && same_hop(&half->hops[i], &half->hops[i + n]))
			i++;
		if (i + n == half->nr_hops)
			return n;
	}
	return 0;
}

static void half_lines(struct world *w, const char *title, const struct half *half, struct sb *out)
{
	if (half->nr_hops)
		sb_printf(out, "  %s\n", title);
	for (uint32_t k = 0; k < half->nr_hops; k++) {
		uint32_t round = circle_at(half, k);

		for (uint32_t i = 0; i < MAX(round, 1); i++)
			hop_lines(w, &half->hops[k + i], k + i + 1, out);
		if (round) {
			sb_printf(out, "         again    and so on in this circle, to hop %u\n", half->nr_hops);
			return;
		}
	}
}

static void http_lines(const struct http_view *h, struct sb *out)
{
	sb_printf(out, "  http %d", h->status);
	if (h->grpc)
		sb_printf(out, " (gRPC %s)", h->grpc);
	if (h->backend)
		sb_printf(out, " from %s", h->backend);
	if (h->location)
		sb_printf(out, ", location %s", h->location);
	if (h->tls_secret)
		sb_printf(out, ", certificate %s", h->tls_secret);
	if (h->delay)
		sb_printf(out, ", delayed by %" PRId64 " ms", h->delay / MILLIS(1));
	sb_printf(out, "\n%s%s%s", h->why ? "         " : "", h->why ? h->why : "", h->why ? "\n" : "");
	if (h->tls_why)
		sb_printf(out, "         tls      %s\n", h->tls_why);
	for (uint32_t k = 0; k < h->nr_considered; k++)
		sb_printf(out, "         not      %s: %s\n", h->considered[k].rule, h->considered[k].why);
}

static void delivered_text(const struct outcome_view *o, struct sb *out)
{
	if (o->pod)
		sb_printf(out, " to pod/%s/%s on %s", o->pod->o.ns, o->pod->o.name, o->node ? o->node : "?");
	else if (o->node)
		sb_printf(out, " to node/%s", o->node);
	sb_add(out, " (");
	socket_text(out, o->end_ip, o->end_port);
	sb_printf(out, "), which sees %s; ", IP(outcome_last(o)->there.as_seen.src));
	sb_add(out, o->answered ? "answered" : "the answer does not come back");
	if (o->assumed)
		sb_add(out, " (assumed: nothing is known of what listens there)");
}

/* whole: what the policies say stands below, a line for each rule; the sentence only names them. */
static void outcome_line(struct world *w, const struct outcome_view *o, bool whole, struct sb *out)
{
	struct arena *a = arena_new(NULL, "outcome");
	const char *reason = o->reason;
	struct sb cause = { 0 };
	struct denial denial;
	bool by_policy = outcome_policies(w, o, a, &denial);

	if (by_policy)
		reason = arena_printf(a, "%s; %s", o->walk->there.reason, reach_why_names(&denial.why, denial.from, denial.to, a));

	if (o->p.num == o->p.den)
		sb_add(out, "→ always: ");
	else
		sb_printf(out, "→ %" PRIu64 " of %" PRIu64 ": ", o->p.num, o->p.den);
	sb_add(out, o->verdict == V_UNKNOWN ? "cannot tell" : verdict_names[o->verdict]);
	if (o->verdict == V_DELIVERED)
		delivered_text(o, out);
	if (reason && (o->verdict != V_DELIVERED || !o->answered))
		sb_printf(out, "%s%s", o->verdict == V_UNKNOWN ? ", because " : ": ", text_behind(verdict_names[o->verdict], reason));
	cause_text(w, o->cause, &cause);
	if (cause.len)
		sb_printf(out, " [%s]", sb_text(&cause));
	sb_addc(out, '\n');
	if (by_policy && whole)
		policies_text(&denial.why, denial.from, denial.to, a, out);
	sb_free(&cause);
	arena_free(a);
}

/* A packet on an open connection that nobody answers: what its sender does then. */
static void patience_lines(const struct answer *a, struct sb *out)
{
	const struct patience p = tcp_patience();
	bool silent = false;

	for (uint32_t k = 0; k < a->nr; k++)
		silent = silent || a->v[k].verdict == V_LOST || a->v[k].verdict == V_DROPPED || (a->v[k].verdict == V_DELIVERED && !a->v[k].answered);
	if (!a->q->connection || !silent || !a->nr || !a->v[0].walk || a->v[0].walk->there.as_sent.proto != PROTO_TCP)
		return;
	sb_add(out, "  the socket stays open, and TCP sends again after");
	for (size_t k = 0; k < TCP_RETRIES2; k++)
		sb_printf(out, "%s %g", k ? "," : "", (double)p.at[k] / 1e9);
	sb_printf(out, " s;\n  after %g s (%.1f min) it gives up: Connection timed out. One who sends nothing notices nothing: with SO_KEEPALIVE after %.1f h, else never.\n  New connections are not concerned.\n",
		  (double)p.give_up / 1e9, (double)p.give_up / 6e10, (double)p.keepalive / 3.6e12);
}

void trace_text(struct world *w, const struct answer *answer, bool verbose, struct sb *out)
{
	uint32_t shown = verbose ? answer->nr : MIN(answer->nr, 1u);

	sb_printf(out, "%s → %s", answer->q->from, answer->q->to);
	if (ip_set(answer->target)) {
		sb_add(out, " (");
		socket_text(out, answer->target, answer->port);
		sb_addc(out, ')');
	}
	sb_addc(out, '\n');
	for (uint32_t k = 0; k < shown; k++) {
		const struct outcome_view *o = &answer->v[k];

		if (!o->walk)
			continue;
		if (answer->nr > 1)
			sb_printf(out, "\nway %u of %u\n", k + 1, answer->nr);
		half_lines(w, "there", &o->walk->there, out);
		for (uint32_t i = 0; i < o->nr_between; i++)
			half_lines(w, "from the proxy to the next one", &o->between[i]->there, out);
		if (o->second)
			half_lines(w, "from the proxy to the backend", &o->second->there, out);
		if (o->third)
			half_lines(w, "from the sidecar to the application", &o->third->there, out);
		half_lines(w, "and back", &o->walk->back, out);
		if (o->http)
			http_lines(o->http, out);
	}
	if (answer->nr > shown)
		sb_printf(out, "\n  %u more: chance decides which; -v shows them all\n", answer->nr - shown);
	sb_addc(out, '\n');
	for (uint32_t k = 0; k < answer->nr; k++)
		outcome_line(w, &answer->v[k], k < shown, out);
	patience_lines(answer, out);
}
