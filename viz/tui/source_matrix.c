/* Who may reach whom: workloads (or Pods) against each other, one port. A workload is shown by its first Pod; whether its Pods differ is for the expanded table. */
#include "viz/tui/source.h"

#include <stdio.h>

struct group { uint32_t end, second /* another of its Pods */, count; const char *ns, *name; };
struct matrix {
	struct tui_model *m;
	struct reach *r, *before;
	struct world other; bool compares;
	uint8_t proto; uint16_t port; const char *proto_word;
	struct group *v; uint32_t nr;
	struct was { bool there; uint32_t end, second; } *was;  /* by group: its ends in `before`; second: the end itself where there was one Pod only */
};

struct reached { struct reach *r; };

static void end_reach(void *ctx) { reach_free(ctx); }

const struct reached *model_reach(struct tui_model *m)
{
	if (!m->reached) {
		m->reached = arena_make(m->arena, struct reached);
		m->reached->r = reach_new(m->world->cluster, NULL, 0);
		reach_nr(m->reached->r);                /* finds ends and classes now */
		model_at_end(m, end_reach, m->reached->r);
	}
	return m->reached;
}

static void end_comparison(void *ctx)
{
	struct matrix *x = ctx;

	reach_free(x->before);
	world_free(&x->other);
}

static void name(void *ctx, uint32_t i, const char **ns, const char **text, uint32_t *count)
{
	const struct matrix *x = ctx;

	*ns = x->v[i].ns;
	*text = x->v[i].name;
	*count = x->v[i].count;
}

/* A workload reaches itself from one of its Pods to another. */
static uint32_t end_to(const struct matrix *x, uint32_t from, uint32_t to) { return from == to ? x->v[to].second : x->v[to].end; }

static char cell(void *ctx, uint32_t from, uint32_t to)
{
	struct matrix *x = ctx;
	uint32_t was_from, was_to;
	bool now, was;

	if (from == to && x->v[from].count == 1)
		return ' ';
	if (reach_unknown(x->r, x->v[from].end, end_to(x, from, to), x->proto, x->port))
		return '?';
	now = reach_allowed(x->r, x->v[from].end, end_to(x, from, to), x->proto, x->port);
	if (!x->compares || !x->was[from].there || !x->was[to].there)
		return now ? '*' : '.';
	was_from = x->was[from].end;
	was_to = from == to ? x->was[to].second : x->was[to].end;
	if ((from == to && was_from == was_to) || reach_unknown(x->before, was_from, was_to, x->proto, x->port))
		return now ? '*' : '.';
	was = reach_allowed(x->before, was_from, was_to, x->proto, x->port);
	return now == was ? now ? '*' : '.' : now ? '+' : '-';
}

static bool explain(void *ctx, uint32_t from, uint32_t to, struct arena *a, struct tui_pane *p, const char **say)
{
	struct matrix *x = ctx;
	struct reach_why why = reach_explain(x->r, x->v[from].end, end_to(x, from, to), x->proto, x->port, a);

	p->title = arena_printf(a, "why  %s → %s", x->v[from].name, x->v[to].name);
	if (why.unknown) {
		pane_line(a, p, TR_WARN, "verdict   unknown")->mark = TM_PENDING;
		pane_line(a, p, TR_TEXT, "");
		pane_printf(a, p, TR_RULE, "%s", why.unknown);
		*say = arena_printf(a, "%s → %s: unknown: %s", x->v[from].name, x->v[to].name, why.unknown);
		return true;
	}
	pane_printf(a, p, why.allowed ? TR_GOOD : TR_BAD, "verdict   %s", why.allowed ? "allowed" : "denied")->mark = why.allowed ? TM_READY : TM_FAILED;
	if (why.itself)
		pane_line(a, p, TR_TEXT, "a Pod always reaches itself");
	if (why.from_node)
		pane_line(a, p, TR_TEXT, "a Pod's own node is always let in");
	for (int dir = NP_EGRESS; dir >= NP_INGRESS; dir--) {
		uint32_t nr = 0;

		pane_line(a, p, TR_TEXT, "");
		pane_printf(a, p, TR_HEAD, "%s of %s", dir == NP_EGRESS ? "egress" : "ingress", x->v[dir == NP_EGRESS ? from : to].name);
		for (uint32_t k = 0; k < why.nr; k++) {
			const struct reach_reason *r = &why.v[k];

			if (r->dir != (enum np_dir)dir)
				continue;
			nr++;
			if (r->policy->kind == &network_policy_kind)
				pane_printf(a, p, TR_RULE, "  netpol %s", r->policy->name);
			else
				pane_printf(a, p, TR_RULE, "  %s", r->name);
			if (r->policy->file)
				pane_printf(a, p, TR_STORAGE, "  %s:%u", r->policy->file, r->policy->line);
			if (r->allows >= 0)
				pane_printf(a, p, TR_GOOD, "    rule %d allows it", r->allows);
			if (r->passes >= 0)
				pane_printf(a, p, TR_DIM, "    rule %d passes it on", r->passes);
			for (uint32_t i = 0; r->allows < 0 && i < r->nr; i++) {         /* what failed, and where that stands */
				struct tui_line *l = pane_printf(a, p, TR_BAD, "    %s", r->v[i].text ? r->v[i].text : "");

				l->note = r->v[i].path;
				if (r->v[i].path)
					pane_printf(a, p, TR_DIM, "      %s%s", r->v[i].path, r->v[i].line ? arena_printf(a, " (line %u)", r->v[i].line) : "");
			}
			if (r->allows < 0 && !r->nr)
				pane_line(a, p, TR_BAD, "    has no rule: nothing is allowed");
			if (r->denies >= 0 && !*say)
				*say = arena_printf(a, "%s → %s: denied: %s denies %s by rule %d", x->v[from].name, x->v[to].name, r->name, dir == NP_EGRESS ? "egress" : "ingress", r->denies);
			else if (r->decides && r->allows < 0 && !*say && !why.allowed)
				*say = arena_printf(a, "%s → %s: denied: %s policy %s does not allow it%s%s", x->v[from].name, x->v[to].name, dir == NP_EGRESS ? "egress" : "ingress",
						    strchr(r->name, ' ') + 1, r->nr && r->v[0].text ? ": " : "", r->nr && r->v[0].text ? r->v[0].text : "");
		}
		if (!nr)
			pane_line(a, p, TR_DIM, "  no policy selects it: allowed");
	}
	if (!*say)
		*say = arena_printf(a, "%s → %s: %s%s", x->v[from].name, x->v[to].name, why.allowed ? "allowed" : "denied", why.nr ? "" : ": no policy selects either end");
	return true;
}

static void ref_of_end(void *ctx, uint32_t i, struct sb *out)
{
	const struct matrix *x = ctx;
	const struct pod *p = reach_end(x->r, x->v[i].end)->pod;

	if (p)
		ref_print(&p->o, out);
}

/* The workload behind a Pod: its owner, and behind a ReplicaSet the Deployment. */
static const struct object *workload(struct cluster *c, const struct pod *p)
{
	const struct object *o = &p->o;

	for (int depth = 0; depth < 3 && o->owners.nr; depth++) {
		const struct kind *k = kind_by_word(o->owners.v[0].kind);
		const struct object *up = k ? cluster_find(c, k, o->ns, o->owners.v[0].name) : NULL;

		if (!up)
			break;
		o = up;
	}
	return o;
}

static bool same_owner(const struct object *x, const struct object *y)
{
	return x->owners.nr && y->owners.nr && streq(x->ns, y->ns) && streq(x->owners.v[0].name, y->owners.v[0].name) && streq(x->owners.v[0].kind, y->owners.v[0].kind);
}

static void group_ends(struct matrix *x, bool each, struct arena *a)
{
	const struct object *last = NULL, *last_owner = NULL;  /* Pods of one owner mostly stand together */
	struct map seen = { 0 };

	x->v = arena_array(a, struct group, reach_nr(x->r));
	for (uint32_t k = 0; k < reach_nr(x->r); k++) {
		const struct reach_end *e = reach_end(x->r, k);
		bool same = last && e->pod && last_owner != last && same_owner(last, &e->pod->o);         /* whose owner is not there stands for itself */
		const struct object *o = !e->pod ? NULL : each ? &e->pod->o : same ? last_owner : workload(x->m->world->cluster, e->pod);
		uint64_t *at = o ? map_put(&seen, a, map_ptr(o)) : NULL;

		last = e->pod ? &e->pod->o : NULL;
		last_owner = o;
		if (at && *at) {
			if (x->v[*at - 1].count++ == 1)
				x->v[*at - 1].second = k;
			continue;
		}
		x->v[x->nr] = (struct group){ k, k, 1, o ? o->ns : NULL, o ? o->name : reach_name(x->r, k, a) };
		x->nr++;
		if (at)
			*at = x->nr;
	}
}

static void find_before(struct matrix *x, bool each, struct arena *a)
{
	struct map by_name = { 0 };
	struct cluster *c = x->other.cluster;

	x->was = arena_array(a, struct was, x->nr);
	for (uint32_t k = 0; k < reach_nr(x->before); k++) {
		const struct reach_end *e = reach_end(x->before, k);
		const struct object *o = !e->pod ? NULL : each ? &e->pod->o : workload(c, e->pod);
		const char *ns = o && o->ns ? cluster_str(x->m->world->cluster, o->ns) : NULL, *n = o ? cluster_str(x->m->world->cluster, o->name) : NULL;
		uint64_t *at = n ? map_put(&by_name, a, hash_mix(map_ptr(ns), map_ptr(n))) : NULL;

		if (at && *at < UINT32_MAX)
			*at |= *at ? (k + 1ull) << 32 : k + 1ull;       /* the first and the second */
	}
	for (uint32_t k = 0; k < x->nr; k++) {
		uint64_t *at = map_find(&by_name, hash_mix(map_ptr(x->v[k].ns), map_ptr(x->v[k].name)));

		if (at)
			x->was[k] = (struct was){ true, (uint32_t)*at - 1, *at >> 32 ? (uint32_t)(*at >> 32) - 1 : (uint32_t)*at - 1 };
	}
}

bool fill_matrix(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_matrix *out, struct err *err)
{
	struct matrix *x = arena_make(m->arena, struct matrix);

	x->m = m;
	if (!m->host.port(m->host.ctx, want->a, &x->proto, &x->port, &x->proto_word, err))
		return false;
	if (*want->b && !(x->compares = m->host.moment(m->host.ctx, want->b, &x->other, err)))
		return false;
	x->r = model_reach(m)->r;
	group_ends(x, want->n != 0, a);
	if (x->compares) {
		x->before = reach_new(x->other.cluster, NULL, 0);
		model_at_end(m, end_comparison, x);
		find_before(x, want->n != 0, a);
	}
	*out = (struct tui_matrix){ .what = arena_printf(a, "%s %u", x->proto_word, x->port), .compared = *want->b ? arena_strdup(a, want->b) : NULL, .nr = x->nr, .pods = reach_nr(x->r), .ctx = x, .name = name,
				    .cell = cell, .explain = explain, .ref = ref_of_end };
	for (uint32_t from = 0; x->nr <= 100 && from < x->nr; from++)
		for (uint32_t to = 0; to < x->nr; to++) {
			char is = cell(x, from, to);

			out->allowed += is == '*' || is == '+';
			out->asked += is != ' ' && is != '?';
			out->unknown += is == '?';
		}
	return true;
}
