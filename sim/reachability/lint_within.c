/* Rules and items that others cover: x says no more than y, whatever Pods there are. */
#include "sim/reachability/linting.h"

/* Each value of x is one of y's. */
static bool values_within(const struct requirement *x, const struct requirement *y)
{
	for (uint32_t i = 0; i < x->values.nr; i++) {
		bool found = false;

		for (uint32_t j = 0; j < y->values.nr && !found; j++)
			found = x->values.v[i] == y->values.v[j];
		if (!found)
			return false;
	}
	return true;
}

static bool requirement_implied(const struct requirement *q, const struct selector *x)
{
	const struct selector only = { .exprs = { (struct requirement *)(uintptr_t)q, 1, true } };

	for (uint32_t k = 0; k < x->labels.nr; k++)
		if (x->labels.v[k].key == q->key) {
			const pair_list one = { &x->labels.v[k], 1, true };

			return selector_matches(&only, &one);
		}
	for (uint32_t k = 0; k < x->exprs.nr; k++) {
		const struct requirement *h = &x->exprs.v[k];

		if (h->key != q->key)
			continue;
		if ((h->op == q->op && q->op - 1 >= SEL_EXISTS) || (q->op - 1 == SEL_EXISTS && h->op - 1 == SEL_IN) || (q->op - 1 == SEL_NOT_IN && h->op - 1 == SEL_DOES_NOT_EXIST) ||
		    (q->op - 1 == SEL_IN && h->op - 1 == SEL_IN && values_within(h, q)) || (q->op - 1 == SEL_NOT_IN && h->op - 1 == SEL_NOT_IN && values_within(q, h)))
			return true;
	}
	return false;
}

/* Whatever x selects, y selects too. */
static bool selector_within(const struct selector *x, const struct selector *y)
{
	for (uint32_t k = 0; y && k < y->labels.nr; k++) {
		const struct requirement q = { y->labels.v[k].key, 1 + SEL_IN, { &y->labels.v[k].value, 1, true } };

		if (!x || !requirement_implied(&q, x))
			return false;
	}
	for (uint32_t k = 0; y && k < y->exprs.nr; k++)
		if (!x || !requirement_implied(&y->exprs.v[k], x))
			return false;
	return true;
}

static bool peer_within(const struct np_peers *x, const struct np_peers *y)
{
	if (y->all || x->all)
		return y->all;
	if (x->block.set || y->block.set) {
		if (!x->block.set || !y->block.set || x->block.len < y->block.len || !cidr_contains(y->block, x->block.addr))
			return false;
		for (uint32_t k = 0; k < y->nr_except; k++) {           /* what y leaves out, x must leave out too, or not have at all */
			bool out = !cidr_overlaps(y->except[k], x->block);

			for (uint32_t i = 0; i < x->nr_except && !out; i++)
				out = x->except[i].len <= y->except[k].len && cidr_contains(x->except[i], y->except[k].addr);
			if (!out)
				return false;
		}
		return true;
	}
	if (!x->namespaces != !y->namespaces)
		return false;
	return selector_within(x->namespaces, y->namespaces) && selector_within(x->pods, y->pods);
}

static bool port_within(const struct np_ports *x, const struct np_ports *y)
{
	if (x->proto != y->proto)
		return false;
	return y->any_port || (!x->any_port && (x->name || y->name ? x->name == y->name : x->lo >= y->lo && x->hi <= y->hi));
}

/* An item that another one of its list covers; of two equal ones, the later. */
void lint_items(struct linting *l, const struct np_compiled_rule *r)
{
	for (uint32_t x = 0; x < r->nr_peers; x++)
		for (uint32_t y = 0; y < r->nr_peers; y++)
			if (x != y && peer_within(&r->peers[x], &r->peers[y]) && (y < x || !peer_within(&r->peers[y], &r->peers[x]))) {
				lint_say(l, "redundant-rule", LINT_NOTE, &l->p->policy->o, ITEM(SUB(lint_rule_path(l, r), lint_side(r)), x), NULL, "%s[%u] of the same rule means all of it already",
					 lint_side(r), y);
				break;
			}
	for (uint32_t x = 0; x < r->nr_ports; x++)
		for (uint32_t y = 0; y < r->nr_ports; y++)
			if (x != y && port_within(&r->ports[x], &r->ports[y]) && (y < x || !port_within(&r->ports[y], &r->ports[x]))) {
				lint_say(l, "redundant-rule", LINT_NOTE, &l->p->policy->o, ITEM(SUB(lint_rule_path(l, r), "ports"), x), NULL, "ports[%u] of the same rule allows all of it already", y);
				break;
			}
}

/* All of c is in some except: one holds it whole, or both halves are so. */
static bool is_excepted(const struct np_peers *p, struct cidr c)
{
	bool some = false;
	struct cidr half;

	for (uint32_t k = 0; k < p->nr_except; k++) {
		if (p->except[k].len <= c.len && cidr_contains(p->except[k], c.addr))
			return true;
		some = some || cidr_overlaps(c, p->except[k]);
	}
	if (!some)
		return false;
	half = (struct cidr){ c.addr, (uint8_t)(c.len + 1), true };
	if (!is_excepted(p, half))
		return false;
	half.addr = ip_add(cidr_last(half), 1);
	return is_excepted(p, half);
}

bool lint_nothing_left(const struct np_peers *p)
{
	return p->nr_except && is_excepted(p, p->block);
}

bool lint_peers_within(const struct np_compiled_rule *x, const struct np_compiled_rule *y)
{
	for (uint32_t k = 0; k < x->nr_peers; k++) {
		bool some = false;

		for (uint32_t i = 0; i < y->nr_peers && !some; i++)
			some = peer_within(&x->peers[k], &y->peers[i]);
		if (!some)
			return false;
	}
	return true;
}

static bool rule_within(const struct np_compiled_rule *x, const struct np_compiled_rule *y)
{
	if (!lint_peers_within(x, y))
		return false;
	for (uint32_t k = 0; k < x->nr_ports && y->nr_ports; k++) {
		bool some = false;

		for (uint32_t i = 0; i < y->nr_ports && !some; i++)
			some = port_within(&x->ports[k], &y->ports[i]);
		if (!some)
			return false;
	}
	return x->nr_ports || !y->nr_ports;
}

struct one_rule { const struct np_compiled *p; const struct np_compiled_rule *r; };
#define MOST_COMPARED 1500              /* rules of a namespace and direction that are all held against each other; beyond, only within a policy */

void lint_redundant(struct linting *l, const struct np_compiled *v, uint32_t nr)
{
	for (int d = 0; d < 2; d++) {
		VEC(struct one_rule) all = { 0 };

		for (uint32_t k = 0; k < nr; k++)
			for (uint32_t i = 0; i < v[k].nr_rules[d]; i++)
				vec_add(l->a, &all, (struct one_rule){ &v[k], &v[k].rules[d][i] });
		for (uint32_t x = 0; x < all.nr; x++)
			for (uint32_t y = 0; y < all.nr; y++) {
				const struct one_rule *a = &all.v[x], *b = &all.v[y];

				if (x == y || (all.nr > MOST_COMPARED && a->p != b->p) || !selector_within(&a->p->policy->pods, &b->p->policy->pods) || !rule_within(a->r, b->r))
					continue;
				if (x < y && selector_within(&b->p->policy->pods, &a->p->policy->pods) && rule_within(b->r, a->r))
					continue;       /* they say the same: the later one is told */
				l->p = a->p;
				lint_say(l, "redundant-rule", LINT_NOTE, &a->p->policy->o, lint_rule_path(l, a->r), NULL, "%s of NetworkPolicy %s/%s allows all of it already", np_rule_path(b->r, l->a),
				    b->p->policy->o.ns, b->p->policy->o.name);
				break;
			}
	}
}
