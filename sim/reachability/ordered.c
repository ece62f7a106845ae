/* Policies in tiers over shapes: what each end of each rule means is evaluated once, as bits; a line is asked rule by rule, for all shapes at once. Each shape keeps what it may
 * still come to: undecided, passed on, allowed, denied. As long as everything can be told, that is one of them. */
#include "model/dataplane/packet.h"
#include "sim/reachability/inside.h"

/* sure: that are meant; maybe: of which it cannot be told. By the families of the other end where the address counts and Pods have two (nr FAM_COUNT), else one of each. */
struct meant { struct bits sure[FAM_COUNT], maybe[FAM_COUNT]; uint8_t nr; bool any; };
struct o_rule { const struct tier_rule *r; struct meant end[2]; bool names; };
struct o_policy { const struct tier_policy *p; struct meant subject; struct o_rule *rules[2]; };
struct o_tier { const struct tier *t; struct o_policy *v; uint64_t *in[2], *may_in[2]; };       /* in: selected by one of its policies, by direction */
struct verdicts { uint64_t *open, *passed, *yes, *no; };
struct ordered {
	struct tiers t;
	struct o_tier *v;
	HEAP(str) accounts;                     /* of shapes */
	bool doubt;
	uint64_t *family[FAM_COUNT];            /* shapes of these families */
	uint64_t *selected, *may_selected, *sure, *may, *allowed, *isolated;    /* scratch, words of all shapes */
	struct verdicts own, others;
};

/* ---- what it is made of */

static void bound_all(struct reach *r, const cidrs *l)
{
	for (uint32_t k = 0; k < l->nr; k++)
		reach_bound(r, l->v[k]);
}

static struct o_rule *new_rules(struct reach *r, const struct tier_policy *p, int d)
{
	struct o_rule *v = arena_array(r->a, struct o_rule, p->rules[d].nr + 1);

	for (uint32_t k = 0; k < p->rules[d].nr; k++) {
		const struct tier_rule *rule = &p->rules[d].v[k];

		v[k].r = rule;
		v[k].names = tier_rule_has_names(rule);
		for (int e = 0; e < 2; e++) {
			v[k].end[e].any = tier_end_is_any(&rule->end[e]) && !(e && rule->family);
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
			for (int d = 0; d < 2; d++)
				o->v[k].v[i].rules[d] = new_rules(r, o->v[k].v[i].p, d);
		}
	}
	return o;
}

static void each_meant(struct ordered *o, void (*take)(void *, struct meant *, const struct o_policy *, const struct o_rule *, int end), void *ctx)
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
	each_meant(o, free_meant, NULL);
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
}

void reach_ordered_account(struct ordered *o, str account)
{
	*heap_push(&o->accounts) = account;
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

/* ---- what it means */

struct meaning { struct reach *r; uint32_t shape, token; const pair_list *labels; };

static uint64_t token(uint32_t n, int k)
{
	return hash_mix(n + 1, (uint64_t)k + 177);
}

static enum truth end_truth(const struct meaning *x, const struct tier_end *e, uint8_t family, int end, int other)
{
	const struct shape *s = &x->r->shapes.v[x->shape];
	ip_addr ip = x->r->atoms.v[s->atom[x->r->dual ? reach_address_used(end, s->families, (uint8_t)other) : 0]].at;

	if (end && family && ip_is4(ip) != (family == 4))
		return NO;
	return tier_end_has(e, x->labels, ip);
}

/* One shape for one end; a class has them all alike. */
static void look(void *ctx, struct meant *m, const struct o_policy *p, const struct o_rule *rule, int end)
{
	struct meaning *x = ctx;
	struct shape *s = &x->r->shapes.v[x->shape];

	for (int f = 0; f < m->nr && !m->any; f++) {
		enum truth t = rule ? end_truth(x, &rule->r->end[end], rule->r->family, end, f) : tier_selects(p->p, x->labels);

		x->token++;
		if (t == NO)
			continue;
		bits_add(t == YES ? &m->sure[f] : &m->maybe[f], x->shape, x->r->words);
		x->r->ordered->doubt = x->r->ordered->doubt || t == MAYBE;
		for (int k = 0; k < 2; k++)
			s->sig[k] ^= token(x->token * 2 + (t == MAYBE), k);
	}
}

static void note_tiers(struct ordered *o, uint32_t shape)
{
	for (uint32_t k = 0; k < o->t.v.nr; k++)
		for (uint32_t i = 0; i < o->v[k].t->policies.nr; i++)
			for (int d = 0; d < 2; d++) {
				const struct o_policy *p = &o->v[k].v[i];

				if (!p->p->decides[d])
					continue;
				if (bits_has(&p->subject.sure[0], shape))
					BIT_ON(o->v[k].in[d], shape);
				else if (bits_has(&p->subject.maybe[0], shape))
					BIT_ON(o->v[k].may_in[d], shape);
			}
}

void reach_ordered_join(struct reach *r, uint32_t shape)
{
	struct arena_mark mark = arena_mark(r->scratch_arena);
	const struct shape *s = &r->shapes.v[shape];
	struct meaning x = { .r = r, .shape = shape };
	pair_list own = { 0 }, all;

	if (s->space != NONE) {
		own.nr = s->nr_labels;
		own.v = arena_array(r->scratch_arena, struct pair, s->nr_labels + 1u);
		for (uint32_t k = 0; k < s->nr_labels; k++)
			own.v[k] = r->pairs.v[r->labels.v[s->labels + k]];
		all = tier_labels(r->c, &own, r->spaces.v[s->space].name, r->ordered->accounts.v[shape], r->scratch_arena);
		x.labels = &all;
	}
	each_meant(r->ordered, look, &x);
	note_tiers(r->ordered, shape);
	BIT_ON(r->ordered->family[s->families], shape);
	arena_rewind(r->scratch_arena, mark);
}

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

void reach_ordered_evaluate(struct reach *r)
{
	struct ordered *o = r->ordered;
	uint64_t **scratch[] = { &o->selected, &o->may_selected, &o->sure, &o->may, &o->allowed, &o->isolated };
	struct verdicts *v[] = { &o->own, &o->others };

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
	o->own.open = heap_words(r->words * 8);
	for (size_t k = 0; k < ARRAY_LEN(v); k++)
		*v[k] = (struct verdicts){ o->own.open + k * 4 * r->words, o->own.open + (k * 4 + 1) * r->words, o->own.open + (k * 4 + 2) * r->words, o->own.open + (k * 4 + 3) * r->words };
	for (uint32_t s = 0; s < r->shapes.nr; s++)
		reach_ordered_join(r, s);
}

/* ---- a line, in the words from … end - 1 */

struct asked_line { struct reach *r; struct ordered *o; uint32_t shape, from, end; int dir; bool own; struct verdicts *v; };

static enum truth has(const struct meant *m, uint32_t shape, int f)
{
	f = m->nr > 1 ? f : 0;
	return m->any || bits_has(&m->sure[f], shape) ? YES : bits_has(&m->maybe[f], shape) ? MAYBE : NO;
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

/* Shapes that the rule means, into sure and may (with those that are sure); false: none. */
static bool matching(const struct asked_line *q, const struct o_policy *p, const struct o_rule *rule)
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

static void decide(const struct asked_line *q, enum tier_action action)
{
	uint64_t *to = action == TIER_ALLOW ? q->v->yes : action == TIER_DENY ? q->v->no : q->v->passed;

	for (uint32_t w = q->from; w < q->end; w++) {
		uint64_t hit = q->v->open[w] & q->o->may[w];

		to[w] |= hit;
		q->v->open[w] &= ~(hit & q->o->sure[w]);
	}
}

static void ask_policy(const struct asked_line *q, const struct o_policy *p)
{
	if (!p->p->decides[q->dir] || (q->own && has(&p->subject, q->shape, 0) == NO))
		return;
	for (uint32_t k = 0; k < p->p->rules[q->dir].nr; k++)
		if (matching(q, p, &p->rules[q->dir][k]))
			decide(q, (enum tier_action)p->rules[q->dir][k].r->action);
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

/* What no policy of a tier has decided meets its default, where one of them selects the Pod; else it goes on. */
static void end_tier(const struct asked_line *q, const struct o_tier *t, bool kubernetes)
{
	for (uint32_t w = q->from; w < q->end; w++) {
		uint64_t in, may, left = q->v->open[w];

		if (q->own) {
			in = BIT(t->in[q->dir], q->shape) ? UINT64_MAX : 0;
			may = BIT(t->may_in[q->dir], q->shape) ? UINT64_MAX : 0;
		} else {
			in = t->in[q->dir][w];
			may = t->may_in[q->dir][w];
		}
		in |= kubernetes ? q->o->isolated[w] : 0;
		if (t->t->passes) {
			q->v->passed[w] |= left;
		} else {
			q->v->no[w] |= left & (in | may);
			q->v->passed[w] |= left & ~in;
		}
		q->v->open[w] = q->v->passed[w];
		q->v->passed[w] = 0;
	}
}

static void ask_tiers(const struct asked_line *q)
{
	size_t bytes = (q->end - q->from) * sizeof(uint64_t);
	const struct tiers *t = &q->o->t;

	memset(q->v->yes + q->from, 0, bytes);
	memset(q->v->no + q->from, 0, bytes);
	memset(q->v->passed + q->from, 0, bytes);
	memcpy(q->v->open + q->from, q->r->live + q->from, bytes);
	for (uint32_t k = 0; k < t->v.nr; k++) {
		bool kubernetes = !t->kubernetes_within && k == t->before[0];

		for (uint32_t i = 0; i <= q->o->v[k].t->policies.nr; i++) {
			if (kubernetes && i == t->before[1])
				ask_kubernetes(q);
			if (i < q->o->v[k].t->policies.nr)
				ask_policy(q, &q->o->v[k].v[i]);
		}
		end_tier(q, &q->o->v[k], kubernetes);
	}
	for (uint32_t w = q->from; w < q->end; w++)
		q->v->yes[w] |= q->v->open[w];          /* by the profile of its namespace */
}

void reach_ordered_line(struct reach *r, enum np_dir dir, uint32_t shape, uint64_t *out, uint64_t *maybe)
{
	struct ordered *o = r->ordered;
	bool all = reach_rules(r, (int)dir, shape), isolated = !(BIT(r->open[dir], shape));
	const uint64_t *base = r->base[!dir], *open = r->open[!dir];
	struct asked_line q = { r, o, shape, 0, r->words, (int)dir, true, &o->own };

	memset(o->isolated, isolated ? 0xff : 0, r->words * sizeof(*o->isolated));
	for (uint32_t w = 0; w < r->words; w++)
		o->allowed[w] = !isolated ? 0 : all ? UINT64_MAX : r->in.w[w];
	ask_tiers(&q);
	for (uint32_t w = 0; w < r->words; w++) {
		o->isolated[w] = ~open[w];
		o->allowed[w] = (base[w] | r->out.w[w]) & ~open[w];
	}
	q.dir = !dir;
	q.own = false;
	q.v = &o->others;
	ask_tiers(&q);
	for (uint32_t w = 0; w < r->words; w++) {
		uint64_t can = o->own.yes[w] & o->others.yes[w];

		out[w] = can & ~o->own.no[w] & ~o->others.no[w];
		if (maybe)
			maybe[w] = can & ~out[w];
	}
	acc_clear(&r->in);
	acc_clear(&r->out);
}

enum truth reach_ordered_pair(struct reach *r, enum np_dir dir, uint32_t from, uint32_t to, bool isolated, bool allowed)
{
	uint32_t self = dir == NP_INGRESS ? to : from, other = dir == NP_INGRESS ? from : to, w = other / 64;
	struct asked_line q = { r, r->ordered, self, w, w + 1, (int)dir, true, &r->ordered->own };

	r->ordered->isolated[w] = isolated ? UINT64_MAX : 0;
	r->ordered->allowed[w] = isolated && allowed ? UINT64_MAX : 0;
	ask_tiers(&q);
	return !(BIT(q.v->yes, other)) ? NO : BIT(q.v->no, other) ? MAYBE : YES;
}
