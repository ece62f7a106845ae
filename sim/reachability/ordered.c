/* Policies in tiers over shapes: what each end of each rule means is evaluated once, as bits; a line is asked rule by rule, for all shapes at once. Each shape keeps what it may
 * still come to: undecided, passed on, allowed, denied. As long as everything can be told, that is one of them. */
#include "model/dataplane/packet.h"
#include "sim/reachability/ordered.h"

/* ---- what it is made of */

static void bound_all(struct reach *r, const cidrs *l)
{
	for (uint32_t k = 0; k < l->nr; k++)
		reach_bound(r, l->v[k]);
}

static struct o_rule *new_rules(struct reach *r, struct ordered *o, const struct tier_policy *p, int d)
{
	struct o_rule *v = arena_array(r->a, struct o_rule, p->rules[d].nr + 1);

	for (uint32_t k = 0; k < p->rules[d].nr; k++) {
		const struct tier_rule *rule = &p->rules[d].v[k];

		v[k].r = rule;
		v[k].names = tier_rule_has_names(rule);
		o->names[d == NP_INGRESS] = o->names[d == NP_INGRESS] || v[k].names;
		for (int e = 0; e < 2; e++) {
			v[k].end[e].any = tier_end_is_any(&rule->end[e]) && !(e && rule->family);
			v[k].ids[e] = reach_end_terms(r, o, &rule->end[e]);
			v[k].end[e].nr = r->dual && (tier_end_by_address(&rule->end[e]) || (e && rule->family)) ? FAM_COUNT : 1;
			bound_all(r, &rule->end[e].nets);
			bound_all(r, &rule->end[e].without_nets);
			bound_all(r, &rule->end[e].members);
			bound_all(r, &rule->end[e].without_members);
		}
	}
	return v;
}

struct ordered *reach_ordered_new(struct reach *r)
{
	struct tiers t = policy_tiers(r->c, r->a);
	struct np_compiled *np;
	struct ordered *o;
	uint32_t nr;

	if (!t.nr_policies)
		return NULL;
	if (t.tied) {
		np = policies_compile(r->c, r->a, &nr);
		tiers_of_kubernetes(&t, r->c, np, nr, r->a);
	}
	o = arena_make(r->a, struct ordered);
	o->t = t;
	o->v = arena_array(r->a, struct o_tier, t.v.nr);
	for (uint32_t k = 0; k < t.v.nr; k++) {
		o->v[k].t = &t.v.v[k];
		o->v[k].v = arena_array(r->a, struct o_policy, t.v.v[k].policies.nr + 1);
		for (uint32_t i = 0; i < t.v.v[k].policies.nr; i++) {
			o->v[k].v[i].p = &t.v.v[k].policies.v[i];
			o->v[k].v[i].subject.nr = 1;
			o->v[k].v[i].ids = reach_end_terms(r, o, &o->v[k].v[i].p->subject);
			for (int d = 0; d < 2; d++)
				o->v[k].v[i].rules[d] = new_rules(r, o, o->v[k].v[i].p, d);
		}
	}
	return o;
}

void reach_each_meant(struct ordered *o, void (*take)(void *, struct meant *, const struct o_policy *, const struct o_rule *, int end), void *ctx)
{
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (uint32_t i = 0; i < o->v[k].t->policies.nr; i++) {
			struct o_policy *p = &o->v[k].v[i];

			take(ctx, &p->subject, p, NULL, 0);
			for (int d = 0; d < 2; d++)
				for (uint32_t n = 0; n < p->p->rules[d].nr * 2; n++)
					take(ctx, &p->rules[d][n / 2].end[n % 2], p, &p->rules[d][n / 2], (int)(n % 2));
		}
}

static void free_meant(void *ctx, struct meant *m, const struct o_policy *p, const struct o_rule *rule, int end)
{
	(void)ctx, (void)p, (void)rule, (void)end;
	for (int f = 0; f < m->nr; f++) {
		bits_free(&m->sure[f]);
		bits_free(&m->maybe[f]);
	}
}

void reach_ordered_free(struct ordered *o)
{
	if (!o)
		return;
	reach_each_meant(o, free_meant, NULL);
	reach_terms_free(o);
	reach_profiles_free(o);
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (int d = 0; d < 2; d++) {
			free(o->v[k].in[d]);
			free(o->v[k].may_in[d]);
		}
	for (int f = 0; f < FAM_COUNT; f++)
		free(o->family[f]);
	free(o->selected);
	free(o->own.open);
	heap_free(&o->accounts);
	heap_free(&o->keys);
}

void reach_ordered_account(struct ordered *o, str account)
{
	*heap_push(&o->accounts) = account;
	heap_push(&o->keys);
}

str reach_ordered_account_of(const struct ordered *o, uint32_t shape)
{
	return o->accounts.v[shape];
}

bool reach_ordered_is_tied(const struct ordered *o)
{
	return o->t.kubernetes_within;
}

bool reach_ordered_may_doubt(const struct ordered *o)
{
	return o->doubt;
}

/* ---- what is kept beside what it means */

static void doubts(struct ordered *o)
{
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (uint32_t i = 0; i < o->v[k].t->policies.nr; i++)
			for (int d = 0; d < 2; d++)
				for (uint32_t n = 0; n < o->v[k].v[i].p->rules[d].nr; n++) {
					const struct tier_rule *r = o->v[k].v[i].rules[d][n].r;

					o->doubt = o->doubt || r->unmodelled || r->end[0].ports.nr || r->end[0].without_ports.nr;
				}
}

static void add_words(uint64_t *to, const struct bits *b, uint32_t from, uint32_t end)
{
	if (bits_is_span(b)) {
		uint32_t first = bits_first(b);

		for (uint32_t w = MAX(from, first); w < MIN(end, first + bits_length(b)); w++)
			to[w] |= b->word[w - first];
		return;
	}
	for (uint32_t k = 0; k < b->nr; k++)
		if (bits_places(b)[k] >= from && bits_places(b)[k] < end)
			to[bits_places(b)[k]] |= bits_masks(b)[k];
}

/* Whom it selects, into its tier's, in the words from … end - 1. */
static void note_policy(struct o_tier *t, const struct o_policy *p, uint32_t from, uint32_t end)
{
	for (int d = 0; d < 2; d++)
		if (p->p->decides[d]) {
			add_words(t->in[d], &p->subject.sure[0], from, end);
			add_words(t->may_in[d], &p->subject.maybe[0], from, end);
		}
}

void reach_ordered_evaluate(struct reach *r)
{
	struct ordered *o = r->ordered;
	uint64_t **scratch[] = { &o->selected, &o->may_selected, &o->sure, &o->may, &o->allowed, &o->isolated };
	struct verdicts *v[] = { &o->own, &o->others, &o->of_each[0], &o->of_each[1], &o->of_each[2] };

	doubts(o);
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (int d = 0; d < 2; d++) {
			o->v[k].in[d] = heap_words(r->words);
			o->v[k].may_in[d] = heap_words(r->words);
		}
	for (int f = 0; f < FAM_COUNT; f++)
		o->family[f] = heap_words(r->words);
	o->selected = heap_words(r->words * (uint32_t)ARRAY_LEN(scratch));
	for (size_t k = 1; k < ARRAY_LEN(scratch); k++)
		*scratch[k] = o->selected + k * r->words;
	o->own.open = heap_words(r->words * 4 * (uint32_t)ARRAY_LEN(v));
	for (size_t k = 0; k < ARRAY_LEN(v); k++)
		*v[k] = (struct verdicts){ o->own.open + k * 4 * r->words, o->own.open + (k * 4 + 1) * r->words, o->own.open + (k * 4 + 2) * r->words, o->own.open + (k * 4 + 3) * r->words };
	reach_mean_all(r);
	for (uint32_t s = 0; s < r->shapes.nr; s++)
		BIT_ON(o->family[r->shapes.v[s].families], s);
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (uint32_t i = 0; i < o->v[k].t->policies.nr; i++)
			note_policy(&o->v[k], &o->v[k].v[i], 0, r->words);
}

void reach_ordered_join(struct reach *r, uint32_t shape)
{
	struct ordered *o = r->ordered;

	reach_mean_one(r, shape);
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (uint32_t i = 0; i < o->v[k].t->policies.nr; i++)
			note_policy(&o->v[k], &o->v[k].v[i], shape / 64, shape / 64 + 1);
	BIT_ON(o->family[r->shapes.v[shape].families], shape);
}

/* ---- a line, in the words from … end - 1 */

/* v: nr of them; those beyond the first are what it comes to if NetworkPolicies isolate and do not allow, or do not isolate, while the first has that they allow. */
struct asked_line { struct reach *r; struct ordered *o; uint32_t shape, from, end; int dir; bool own; uint32_t nr; struct verdicts *v; };

static enum truth has(const struct meant *m, uint32_t shape, int f)
{
	f = m->nr > 1 ? f : 0;
	return m->any || bits_has(&m->sure[f], shape) ? YES : bits_has(&m->maybe[f], shape) ? MAYBE : NO;
}

struct names { const struct reach *r; uint32_t ports; };

static bool shape_names(void *ctx, str name, uint8_t proto, uint16_t port)
{
	const struct names *n = ctx;

	return port_is_named(n->r, n->ports, name, proto, port);
}

static enum truth open_on(const struct reach *r, const struct tier_rule *rule, uint32_t shape)
{
	struct names n = { r, r->shapes.v[shape].ports };

	return tier_rule_open(rule, r->proto, r->port, shape_names, &n);
}

/* Where the ports depend on the shape: each that is left is asked. */
static void keep_open(const struct asked_line *q, const struct tier_rule *rule)
{
	for (uint32_t w = q->from; w < q->end; w++)
		for (uint64_t left = q->o->may[w]; left; left &= left - 1) {
			uint32_t shape = w * 64 + (uint32_t)__builtin_ctzll(left);
			enum truth t = shape < q->r->shapes.nr ? open_on(q->r, rule, shape) : NO;

			if (t != YES)
				BIT_OFF(q->o->sure, shape);
			if (t == NO)
				BIT_OFF(q->o->may, shape);
		}
}

/* Where those that are meant lie. */
static void narrow(struct asked_line *q, const struct meant *m, int f)
{
	const struct bits *b[] = { &m->sure[m->nr > 1 ? f : 0], &m->maybe[m->nr > 1 ? f : 0] };
	uint32_t from = q->end, end = q->from;

	for (size_t k = 0; k < ARRAY_LEN(b); k++)
		if (bits_is_span(b[k])) {
			from = MIN(from, bits_first(b[k]));
			end = MAX(end, bits_first(b[k]) + bits_length(b[k]));
		} else if (b[k]->nr) {
			from = MIN(from, bits_places(b[k])[0]);
			end = MAX(end, bits_places(b[k])[b[k]->nr - 1] + 1);
		}
	if (!m->any) {
		q->from = MAX(q->from, from);
		q->end = MAX(q->from, MIN(q->end, end));
	}
}

/* Shapes that the rule means, into sure and may (with those that are sure), in the words that q is narrowed to; false: none. */
WIDE static bool matching(struct asked_line *q, const struct o_policy *p, const struct o_rule *rule)
{
	int line_end = (q->dir == NP_INGRESS) == q->own, other = !line_end;     /* the line's shape is the destination where its own ingress is asked, or others' egress */
	const struct meant *x = &rule->end[other], *line = &rule->end[line_end];
	int f = q->r->shapes.v[q->shape].families, nr_of = line->nr;
	enum truth open = YES, subject = q->own ? has(&p->subject, q->shape, 0) : YES, any = NO, of[FAM_COUNT];
	uint64_t *sure = q->o->sure, *may = q->o->may;

	for (int k = 0; k < nr_of; k++) {
		of[k] = truth_and(subject, has(line, q->shape, k));
		any = any == YES || of[k] == YES ? YES : any == MAYBE || of[k] == MAYBE ? MAYBE : NO;
	}
	if (any == NO)
		return false;
	if (!rule->names || line_end == 1)
		open = open_on(q->r, rule->r, q->shape);
	if (open == NO)
		return false;
	narrow(q, x, f);
	if (!q->own)
		narrow(q, &p->subject, 0);
	if (q->from == q->end)
		return false;
	memset(sure + q->from, x->any ? 0xff : 0, (q->end - q->from) * sizeof(*sure));
	if (!x->any)
		add_words(sure, &x->sure[x->nr > 1 ? f : 0], q->from, q->end);
	memcpy(may + q->from, sure + q->from, (q->end - q->from) * sizeof(*sure));
	if (!x->any)
		add_words(may, &x->maybe[x->nr > 1 ? f : 0], q->from, q->end);
	if (!q->own) {
		uint64_t *in = q->o->selected;

		memset(in + q->from, 0, (q->end - q->from) * sizeof(*in));
		add_words(in, &p->subject.sure[0], q->from, q->end);
		for (uint32_t w = q->from; w < q->end; w++)
			sure[w] &= in[w];
		add_words(in, &p->subject.maybe[0], q->from, q->end);
		for (uint32_t w = q->from; w < q->end; w++)
			may[w] &= in[w];
	}
	for (uint32_t w = q->from; w < q->end; w++) {
		uint64_t s = nr_of > 1 ? 0 : of[0] == YES ? UINT64_MAX : 0, m = nr_of > 1 ? 0 : UINT64_MAX;

		for (int k = 0; nr_of > 1 && k < nr_of; k++) {
			s |= of[k] == YES ? q->o->family[k][w] : 0;
			m |= of[k] != NO ? q->o->family[k][w] : 0;
		}
		sure[w] &= open == YES ? s : 0;
		may[w] &= m;
	}
	if (rule->names && line_end == 0)
		keep_open(q, rule->r);
	return true;
}

WIDE static void decide(const struct asked_line *q, enum tier_action action)
{
	for (const struct verdicts *v = q->v; v < q->v + q->nr; v++) {
		uint64_t *to = action == TIER_ALLOW ? v->yes : action == TIER_DENY ? v->no : v->passed;

		for (uint32_t w = q->from; w < q->end; w++) {
			uint64_t hit = v->open[w] & q->o->may[w];

			to[w] |= hit;
			v->open[w] &= ~(hit & q->o->sure[w]);
		}
	}
}

static void ask_policy(const struct asked_line *q, const struct o_policy *p)
{
	if (!p->p->decides[q->dir] || (q->own && has(&p->subject, q->shape, 0) == NO))
		return;
	for (uint32_t k = 0; k < p->p->rules[q->dir].nr; k++) {
		struct asked_line part = *q;

		if (matching(&part, p, &p->rules[q->dir][k]))
			decide(&part, (enum tier_action)p->rules[q->dir][k].r->action);
	}
}

/* What NetworkPolicies say together: allowed and isolated have it. */
static void ask_kubernetes(const struct asked_line *q)
{
	for (uint32_t w = q->from; w < q->end; w++) {
		uint64_t hit = q->v->open[w] & q->o->allowed[w];

		q->v->yes[w] |= hit;
		q->v->open[w] &= ~hit;
	}
}

static void copy_verdicts(const struct verdicts *to, const struct verdicts *of, uint32_t from, uint32_t end)
{
	uint64_t *const t[] = { to->open, to->passed, to->yes, to->no }, *const o[] = { of->open, of->passed, of->yes, of->no };

	for (size_t k = 0; k < ARRAY_LEN(t); k++)
		memcpy(t[k] + from, o[k] + from, (end - from) * sizeof(uint64_t));
}

/* Whatever they may say. */
static void ask_kubernetes_each(struct asked_line *q)
{
	q->nr = SAID;
	for (int k = 0; k < SAID; k++)
		if (k != ALLOWED)
			copy_verdicts(&q->v[k], &q->v[ALLOWED], q->from, q->end);
	for (uint32_t w = q->from; w < q->end; w++) {
		q->v[ALLOWED].yes[w] |= q->v[ALLOWED].open[w];
		q->v[ALLOWED].open[w] = 0;
	}
}

/* What no policy of a tier has decided meets its default, where one of them selects the Pod; else it goes on. isolated: by NetworkPolicies (NULL: the tier has none). */
WIDE static void end_tier(const struct asked_line *q, const struct o_tier *t, const struct verdicts *v, const uint64_t *isolated, bool all_isolated)
{
	for (uint32_t w = q->from; w < q->end; w++) {
		uint64_t in, may, left = v->open[w];

		if (q->own) {
			in = BIT(t->in[q->dir], q->shape) ? UINT64_MAX : 0;
			may = BIT(t->may_in[q->dir], q->shape) ? UINT64_MAX : 0;
		} else {
			in = t->in[q->dir][w];
			may = t->may_in[q->dir][w];
		}
		in |= isolated ? isolated[w] : all_isolated ? UINT64_MAX : 0;
		if (t->t->passes) {
			v->passed[w] |= left;
		} else {
			v->no[w] |= left & (in | may);
			v->passed[w] |= left & ~in;
		}
		v->open[w] = v->passed[w];
		v->passed[w] = 0;
	}
}

/* each: of NetworkPolicies all that they may say, into three verdicts; else one, with what they do say. */
static void ask_tiers(struct asked_line q, bool each)
{
	size_t bytes = (q.end - q.from) * sizeof(uint64_t);
	const struct tiers *t = &q.o->t;

	q.nr = 1;
	memset(q.v->yes + q.from, 0, bytes);
	memset(q.v->no + q.from, 0, bytes);
	memset(q.v->passed + q.from, 0, bytes);
	memcpy(q.v->open + q.from, q.r->live + q.from, bytes);
	for (uint32_t k = 0; k < t->v.nr; k++) {
		bool kubernetes = !t->kubernetes_within && k == t->before[0];

		for (uint32_t i = 0; i <= q.o->v[k].t->policies.nr; i++) {
			if (kubernetes && i == t->before[1] && each)
				ask_kubernetes_each(&q);
			else if (kubernetes && i == t->before[1])
				ask_kubernetes(&q);
			if (i < q.o->v[k].t->policies.nr)
				ask_policy(&q, &q.o->v[k].v[i]);
		}
		for (uint32_t i = 0; i < q.nr; i++)
			end_tier(&q, &q.o->v[k], &q.v[i], kubernetes && !each ? q.o->isolated : NULL, kubernetes && each && i != FREE);
	}
	for (uint32_t i = 0; i < q.nr; i++)
		for (uint32_t w = q.from; w < q.end; w++)
			q.v[i].yes[w] |= q.v[i].open[w];         /* by the profile of its namespace */
	for (int i = 1; each && q.nr == 1 && i < SAID; i++)
		copy_verdicts(&q.v[i], q.v, q.from, q.end);
}

void reach_verdicts(struct reach *r, int dir, bool own, uint32_t shape, uint32_t from, uint64_t *const sure[SAID])
{
	struct verdicts *v = r->ordered->of_each;

	ask_tiers((struct asked_line){ r, r->ordered, shape, from, r->words, dir, own, 1, v }, true);
	for (int k = 0; k < SAID; k++)
		for (uint32_t w = from; w < r->words; w++)
			sure[k][w] = v[k].yes[w] & ~v[k].no[w];
}

void reach_doubtful_line(struct reach *r, enum np_dir dir, uint32_t shape, uint64_t *out, uint64_t *maybe)
{
	struct ordered *o = r->ordered;
	bool all = reach_rules(r, (int)dir, shape), isolated = !(BIT(r->open[dir], shape));
	const uint64_t *base = r->base[!dir], *open = r->open[!dir];
	struct asked_line q = { r, o, shape, 0, r->words, (int)dir, true, 1, &o->own };

	memset(o->isolated, isolated ? 0xff : 0, r->words * sizeof(*o->isolated));
	for (uint32_t w = 0; w < r->words; w++)
		o->allowed[w] = !isolated ? 0 : all ? UINT64_MAX : r->in.w[w];
	ask_tiers(q, false);
	for (uint32_t w = 0; w < r->words; w++) {
		o->isolated[w] = ~open[w];
		o->allowed[w] = (base[w] | r->out.w[w]) & ~open[w];
	}
	q.dir = !dir;
	q.own = false;
	q.v = &o->others;
	ask_tiers(q, false);
	for (uint32_t w = 0; w < r->words; w++) {
		uint64_t can = o->own.yes[w] & o->others.yes[w];

		out[w] = can & ~o->own.no[w] & ~o->others.no[w];
		maybe[w] = can & ~out[w];
	}
	acc_clear(&r->in);
	acc_clear(&r->out);
}

enum truth reach_ordered_pair(struct reach *r, enum np_dir dir, uint32_t from, uint32_t to, bool isolated, bool allowed)
{
	uint32_t self = dir == NP_INGRESS ? to : from, other = dir == NP_INGRESS ? from : to, w = other / 64;
	struct asked_line q = { r, r->ordered, self, w, w + 1, (int)dir, true, 1, &r->ordered->own };

	r->ordered->isolated[w] = isolated ? UINT64_MAX : 0;
	r->ordered->allowed[w] = isolated && allowed ? UINT64_MAX : 0;
	ask_tiers(q, false);
	return !(BIT(q.v->yes, other)) ? NO : BIT(q.v->no, other) ? MAYBE : YES;
}
