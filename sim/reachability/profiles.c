/* Lines in tiers. What tiers say of a line depends on the line's shape only by its profile: which policies select it, and which ends of their rules mean it. So a side of a line is
 * asked once for each profile, in the three ways in which NetworkPolicies may speak (they allow, they isolate and do not allow, they do not isolate), and a line is put together of these
 * by what they say of each shape. When lines are counted, that is done only where NetworkPolicies say something other than to everybody. */
#include "sim/reachability/ordered.h"

enum { SLOTS = 512, WEIGHTS = 4096 };
struct profile { uint64_t key; uint32_t shapes /* that are in it; 0: none yet */; uint8_t dir; uint64_t *line[SAID]; /* one block */ };
struct pair_weight { uint64_t own, others; uint8_t said, there; uint64_t weight; };
struct profiles {
	uint8_t proto; uint16_t port;            /* the question that they answer */
	struct profile slot[2][SLOTS];           /* others, own */
	struct pair_weight *weights;             /* while lines are counted; NULL: none yet */
};

void reach_profiles_free(struct ordered *o)
{
	for (int own = 0; o->profiles && own < 2; own++)
		for (int k = 0; k < SLOTS; k++)
			free(o->profiles->slot[own][k].line[0]);
	if (o->profiles)
		free(o->profiles->weights);
	free(o->profiles);
	o->profiles = NULL;
}

void reach_ordered_counting(struct ordered *o, bool begins)
{
	if (!o->profiles)
		o->profiles = (struct profiles *)heap_words(sizeof(struct profiles) / 8 + 1);
	free(o->profiles->weights);
	o->profiles->weights = begins ? (struct pair_weight *)heap_words(WEIGHTS * sizeof(struct pair_weight) / 8) : NULL;
}

/* They answer one question. */
static struct profiles *profiles_now(struct reach *r)
{
	struct profiles *p;

	if (!r->ordered->profiles)
		reach_ordered_counting(r->ordered, false);
	p = r->ordered->profiles;
	for (int k = 0; (p->proto != r->proto || p->port != r->port) && k < 2 * SLOTS; k++)
		p->slot[k / SLOTS][k % SLOTS].shapes = 0;
	p->proto = r->proto;
	p->port = r->port;
	return p;
}

/* dir: of the line. Shapes made since it was asked are the last ones. */
static const struct profile *profile_of(struct reach *r, int dir, bool own, uint32_t shape)
{
	uint64_t key = r->ordered->keys.v[shape].of[dir][own];
	struct profile *p = &profiles_now(r)->slot[own][hash_mix(key, (uint64_t)dir) >> 32 & (SLOTS - 1)];

	if (p->key != key || p->dir != dir)
		p->shapes = 0;
	if (p->shapes == r->shapes.nr)
		return p;
	if (!p->line[0]) {
		p->line[0] = heap_words(r->words * SAID);
		for (int k = 1; k < SAID; k++)
			p->line[k] = p->line[0] + (size_t)k * r->words;
	}
	reach_verdicts(r, own ? dir : !dir, own, shape, p->shapes / 64, p->line);
	p->key = key;
	p->dir = (uint8_t)dir;
	p->shapes = r->shapes.nr;
	return p;
}

struct line { const struct profile *own, *others; const uint64_t *in, *out, *base, *open; enum said said; };

static inline uint64_t line_word(const struct line *l, uint32_t w, uint64_t in, uint64_t out)
{
	uint64_t allowed = (l->base[w] | out) & ~l->open[w], free_ones = l->open[w];
	uint64_t own = (in & l->own->line[ALLOWED][w]) | (~in & l->own->line[l->said][w]);
	uint64_t others = (allowed & l->others->line[ALLOWED][w]) | (free_ones & l->others->line[FREE][w]) | (~(allowed | free_ones) & l->others->line[ISOLATED][w]);

	return own & others;
}

/* in: counts where the shape is isolated and not all may come; else NULL. */
static struct line new_line(struct reach *r, enum np_dir dir, uint32_t shape)
{
	bool all = reach_rules(r, (int)dir, shape), isolated = !(BIT(r->open[dir], shape));
	struct line l = { .out = r->out.w, .base = r->base[!dir], .open = r->open[!dir] };

	l.said = !isolated ? FREE : all ? ALLOWED : ISOLATED;
	l.in = l.said == ISOLATED ? r->in.w : NULL;
	l.own = profile_of(r, (int)dir, true, shape);
	l.others = profile_of(r, (int)dir, false, shape);
	return l;
}

WIDE static void write_line(const struct line *l, uint32_t words, uint64_t *out)
{
	for (uint32_t w = 0; w < words; w++)
		out[w] = line_word(l, w, l->in ? l->in[w] : 0, l->out[w]);
}

void reach_ordered_line(struct reach *r, enum np_dir dir, uint32_t shape, uint64_t *out, uint64_t *maybe)
{
	struct line l;

	if (maybe) {
		reach_doubtful_line(r, dir, shape, out, maybe);
		return;
	}
	l = new_line(r, dir, shape);
	write_line(&l, r->words, out);
	acc_clear(&r->in);
	acc_clear(&r->out);
}

/* As NetworkPolicies speak to everybody. */
WIDE static uint64_t weigh_all(const struct reach *r, const struct line *l, bool with_rules)
{
	uint64_t sum = 0;

	for (uint32_t w = 0; w < r->words; w++) {
		uint64_t m = line_word(l, w, with_rules && l->in ? l->in[w] : 0, with_rules ? l->out[w] : 0);

		if (m)
			sum += reach_weigh_word(r, w, m);
	}
	return sum;
}

static uint64_t pair_weight(struct reach *r, const struct line *l)
{
	uint64_t h = hash_mix(hash_mix(l->own->key, l->others->key), l->said);
	struct pair_weight *p = &r->ordered->profiles->weights[h >> 32 & (WEIGHTS - 1)];

	if (!p->there || p->own != l->own->key || p->others != l->others->key || p->said != l->said)
		*p = (struct pair_weight){ l->own->key, l->others->key, (uint8_t)l->said, true, weigh_all(r, l, false) };
	return p->weight;
}

/* What differs from that where a rule means the shape. */
WIDE static uint64_t weigh_rules(const struct reach *r, const struct line *l)
{
	uint32_t from = l->in ? MIN(r->in.from, r->out.from) : r->out.from, end = l->in ? MAX(r->in.end, r->out.end) : r->out.end;
	uint64_t sum = 0;

	for (uint32_t k = from; k < end; k++)
		for (uint64_t left = r->out.touched[k] | (l->in ? r->in.touched[k] : 0); left; left &= left - 1) {
			uint32_t w = k * 64 + (uint32_t)__builtin_ctzll(left);

			sum += reach_weigh_word(r, w, line_word(l, w, l->in ? l->in[w] : 0, l->out[w])) - reach_weigh_word(r, w, line_word(l, w, 0, 0));
		}
	return sum;
}

uint64_t reach_ordered_weight(struct reach *r, enum np_dir dir, uint32_t shape)
{
	struct line l = new_line(r, dir, shape);
	bool itself = line_word(&l, shape / 64, l.in ? l.in[shape / 64] : 0, l.out[shape / 64]) >> (shape % 64) & 1;
	uint64_t sum;

	if (!r->ordered->profiles->weights || r->out.dense || (l.in && r->in.dense))
		sum = weigh_all(r, &l, true);
	else
		sum = pair_weight(r, &l) + weigh_rules(r, &l);
	acc_clear(&r->in);
	acc_clear(&r->out);
	return sum + !itself;           /* a Pod always reaches itself */
}
