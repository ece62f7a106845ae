/* Policies in tiers: whom they select, whom their rules mean, on which ports, and which rules never have their turn because an earlier one takes all that they would. */
#include "model/api/calico_selector.h"
#include "model/api/kept.h"
#include "model/dataplane/packet.h"
#include "sim/reachability/linting.h"
#include "sim/reachability/ordered.h"

struct looking {
	struct linting *l;
	const struct tier *tier;
	const struct tier_policy *p;
	VEC(uint32_t) shapes;                   /* of Pods, each once */
	uint64_t *meant, *subjects;             /* scratch, words over shapes */
};

static void gather(struct looking *k)
{
	struct reach *r = k->l->r;
	struct map seen = { 0 };

	reach_ends(r);
	for (uint32_t e = 0; e < r->nr_pods; e++) {
		const struct pod *p = r->ends[e].pod;
		uint32_t shape = r->slots.v[r->slot_of.v[p->o.id.i] - 1].shape;
		uint64_t *there = p->spec->host_network ? NULL : map_put(&seen, k->l->a, shape);

		if (!there || *there)
			continue;
		*there = 1;
		vec_add(k->l->a, &k->shapes, shape);
	}
	k->meant = arena_array(k->l->a, uint64_t, r->words);
	k->subjects = arena_array(k->l->a, uint64_t, r->words);
}

/* ---- whom an end means, ports and addresses apart */

static bool has_selector(const struct tier_end *e)
{
	return e->selector || e->spaces || e->accounts || e->named || e->space;
}

static struct tier_end selectors_of(const struct tier_end *e)
{
	struct tier_end s = *e;

	s.has_nets = s.has_without_nets = false;
	return s;
}

/* Some Pod, or one of which it cannot be told. */
static bool means_somebody(const struct looking *k, const struct tier_end *e)
{
	if (!has_selector(e) || e->members.nr)
		return true;
	reach_may_select(k->l->r, e, k->meant);
	for (uint32_t i = 0; i < k->shapes.nr; i++)
		if (BIT(k->meant, k->shapes.v[i]))
			return true;
	return false;
}

static bool any_space(const struct looking *k, const struct tier_end *e)
{
	static const pair_list none;
	struct object_list all = cluster_list(k->l->c, &namespace_kind);
	const struct tier_end s = { .spaces = e->spaces, .space = e->space };

	for (uint32_t i = 0; i < all.nr; i++) {
		struct arena_mark m = arena_mark(k->l->a);
		pair_list labels = tier_labels(k->l->c, &none, all.v[i]->name, NULL, k->l->a);
		bool is = tier_end_has(&s, &labels, (ip_addr){ 0 }) != NO;

		arena_rewind(k->l->a, m);
		if (is)
			return true;
	}
	return false;
}

static const struct pod *host_pod(const struct looking *k, const struct tier_end *e)
{
	struct object_list all = cluster_list(k->l->c, &pod_kind);
	const struct tier_end s = selectors_of(e);

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct pod *p = (const struct pod *)all.v[i];
		struct arena_mark m = arena_mark(k->l->a);
		pair_list labels = p->spec->host_network ? tier_labels(k->l->c, &p->o.labels, p->o.ns, pod_account(p), k->l->a) : (pair_list){ 0 };
		bool is = p->spec->host_network && tier_end_has(&s, &labels, (ip_addr){ 0 }) == YES;

		arena_rewind(k->l->a, m);
		if (is)
			return p;
	}
	return NULL;
}

/* What was asked for, in Calico's words; what podwire put before them is left out. */
static const char *end_text(const struct looking *k, const struct tier_end *e)
{
	static const char *const ours = "projectcalico.org/orchestrator == 'k8s'";
	const char *s = e->selector ? e->selector : e->named ? e->named : e->accounts;
	size_t n = s ? strlen(s) : 0, own = strlen(ours);

	if (n > own + 4 && strcmp(s + n - own, ours) == 0)
		return arena_strndup(k->l->a, s, n - own - 4);
	return s && strcmp(s, ours) != 0 ? s : "all()";
}

static void say_nobody(const struct looking *k, const char *rule, const struct tier_end *e)
{
	const struct object *o = k->p->o;
	const struct pod *host;

	if (!any_space(k, e)) {
		lint_say_at(k->l, rule, e->space ? LINT_NOTE : LINT_WARNING, o, e->path, e->line, NULL, "no namespace is %s", e->space ? e->space : e->spaces);
	} else if ((host = host_pod(k, e))) {
		lint_say_at(k->l, "host-network", LINT_WARNING, o, e->path, e->line, "name the nodes' addresses", "only Pods on their nodes' network, as %s/%s, are %s: policies do not select them",
			    host->o.ns, host->o.name, end_text(k, e));
	} else if (e->accounts || e->named) {
		lint_say_at(k->l, rule, LINT_WARNING, o, e->path, e->line, NULL, "no Pod runs as such a ServiceAccount (%s)", e->accounts ? e->accounts : e->named);
	} else {
		lint_say_at(k->l, rule, LINT_WARNING, o, e->path, e->line, NULL, "no Pod%s%s is %s", e->space ? " in " : e->spaces ? " in the selected namespaces" : "", e->space ? e->space : "", end_text(k, e));
	}
}

static void lint_nets(const struct looking *k, const struct tier_end *e, bool destination)
{
	const struct settings *s = cluster_settings(k->l->c);

	for (uint32_t n = 0; n < e->nets.nr; n++) {
		const struct np_peers block = { .block = e->nets.v[n], .except = e->without_nets.v, .nr_except = e->without_nets.nr };

		if (lint_nothing_left(&block))
			lint_say_at(k->l, "peer-matches-nothing", LINT_WARNING, k->p->o, e->path, e->line, NULL, "notNets leaves nothing of %s", CIDR(e->nets.v[n]));
		for (uint32_t i = 0; destination && i < s->service_cidrs.nr; i++)
			if (e->nets.v[n].len >= s->service_cidrs.v[i].len && cidr_contains(s->service_cidrs.v[i], e->nets.v[n].addr))
				lint_say_at(k->l, "block-of-services", LINT_WARNING, k->p->o, e->path, e->line, "select the Pods behind the Service instead, with the target port",
					    "%s lies in the range of Services (%s), whose addresses no policy of Pods ever sees", CIDR(e->nets.v[n]), CIDR(s->service_cidrs.v[i]));
	}
}

/* ---- ports */

/* Of the Pods that the rule is about as destinations. */
static void lint_names(const struct looking *k, const struct tier_rule *r)
{
	if (!tier_rule_has_names(r))
		return;
	reach_may_select(k->l->r, &r->end[1], k->meant);
	reach_may_select(k->l->r, &k->p->subject, k->subjects);
	for (uint32_t n = 0; n < r->end[1].ports.nr; n++) {
		const struct np_ports *port = &r->end[1].ports.v[n];
		bool asked = false, found = !port->name;

		for (uint32_t i = 0; i < k->shapes.nr && !found; i++) {
			uint32_t shape = k->shapes.v[i];

			if (!BIT(k->meant, shape) || (r->dir == NP_INGRESS && !BIT(k->subjects, shape)))
				continue;
			asked = true;
			for (int p = 0; p < 3 && !found; p++) {
				static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP };

				found = (r->proto < 0 || r->proto == protos[p]) && lint_has_name(k->l->r, shape, &(struct np_ports){ .proto = protos[p], .name = port->name });
			}
		}
		if (asked && !found)
			lint_say_at(k->l, "unknown-port-name", LINT_WARNING, k->p->o, r->end[1].path, r->end[1].line ? r->end[1].line : r->line, NULL,
				    "no container of the %s calls a%s port %s", r->dir == NP_EGRESS ? "destinations" : "selected Pods", r->proto < 0 ? "" : arena_printf(k->l->a, " %s", l4_name((uint8_t)r->proto)),
				    port->name);
	}
}

static bool takes_53(const struct tier_rule *r)
{
	for (uint32_t n = 0; n < r->end[1].ports.nr; n++)
		if (r->end[1].ports.v[n].name || (r->end[1].ports.v[n].lo <= 53 && r->end[1].ports.v[n].hi >= 53))
			return true;
	return !r->end[1].ports.nr;
}

static bool same_text(const char *x, const char *y)
{
	return x == y || streq(x, y);
}

static bool same_peer(const struct tier_end *x, const struct tier_end *y)
{
	return tier_end_is_any(y) || (same_text(x->selector, y->selector) && same_text(x->spaces, y->spaces) && x->nets.nr == y->nets.nr);
}

static void lint_dns_ports(const struct looking *k, const struct tier_rule *r)
{
	const struct tier_end *peer = &r->end[r->dir == NP_EGRESS];
	bool exactly = r->action == TIER_ALLOW && r->proto == PROTO_TCP && r->end[1].ports.nr && takes_53(r);

	for (uint32_t n = 0; exactly && n < r->end[1].ports.nr; n++)
		exactly = !r->end[1].ports.v[n].name;
	for (uint32_t n = 0; exactly && n < k->p->rules[r->dir].nr; n++) {
		const struct tier_rule *y = &k->p->rules[r->dir].v[n];

		exactly = !(y->action != TIER_DENY && (y->proto < 0 || y->proto == PROTO_UDP) && takes_53(y) && same_peer(peer, &y->end[r->dir == NP_EGRESS]));
	}
	if (exactly && r->end[1].ports.v[0].lo == 53 && r->end[1].ports.v[0].hi == 53)
		lint_say_at(k->l, "dns-over-tcp-only", LINT_WARNING, k->p->o, r->path, r->line, "allow port 53 by UDP too: resolvers ask by UDP first", "port 53 is allowed by TCP only");
}

/* ---- one policy */

static void ignored(const struct looking *k)
{
	const struct val *spec = val_get(k->p->o->doc, "spec"), *rules;

	for (int d = 0; d < 2 && val_get(spec, "types"); d++) {
		rules = val_get(spec, d ? "egress" : "ingress");
		if (rules && rules->nr && !k->p->decides[d])
			lint_say_at(k->l, "ignored-rules", LINT_WARNING, k->p->o, d ? "spec.egress" : "spec.ingress", rules->line, d ? "add Egress to types" : "add Ingress to types",
				    "types does not name %s: these rules do nothing", d ? "Egress" : "Ingress");
	}
}

static void lint_one(struct looking *k)
{
	const char *told = NULL;

	ignored(k);
	if (!k->tier->said && k->p->o->kind->fields != admin_network_policy_kind.fields && k->p->o->kind != &cluster_network_policy_kind)
		lint_say_at(k->l, "unknown-tier", LINT_WARNING, k->p->o, "spec.tier", val_path(k->p->o->doc, "spec.tier") ? val_path(k->p->o->doc, "spec.tier")->line : 0, "apply a Tier of that name first",
			    "there is no Tier %s", k->tier->name);
	if (!means_somebody(k, &k->p->subject) && !(k->l->tiers.host_endpoints && !k->p->o->ns)) {
		say_nobody(k, "selects-nothing", &k->p->subject);
		return;
	}
	for (int d = 0; d < 2; d++)
		for (uint32_t n = 0; n < k->p->rules[d].nr; n++) {
			const struct tier_rule *r = &k->p->rules[d].v[n];

			for (int e = 0; e < 2; e++) {
				if (streq(told, r->end[e].path) && r->end[e].path != r->path)
					continue;       /* of the same item, by another protocol */
				if (!means_somebody(k, &r->end[e]))
					say_nobody(k, "peer-matches-nothing", &r->end[e]);
				lint_nets(k, &r->end[e], e == 1);
			}
			told = r->end[d == NP_EGRESS].path;
			lint_names(k, r);
			lint_dns_ports(k, r);
		}
}

/* ---- rules that others cover, whatever Pods there are */

/* What must hold, one and all: a comparison as it is, or denied; of a selector that is more than these joined by &&, the selector (step NULL). */
struct literal { const struct term *term; const struct calico_step *step; bool denied; };
typedef VEC(struct literal) literals;

static bool is_denied(const struct calico_step *s, bool first)
{
	return s->op == CALICO_NOT && !first && s[-1].op <= CALICO_NOT;
}

static void term_literals(struct arena *a, const struct term *t, literals *out)
{
	uint32_t before = out->nr;

	if (t->faulty)
		vec_add(a, out, (struct literal){ .term = t });
	for (uint32_t k = 0; k < t->steps.nr && !t->faulty; k++) {
		const struct calico_step *s = &t->steps.v[k];

		if (is_denied(s, k == 0)) {
			out->v[out->nr - 1].denied = !out->v[out->nr - 1].denied;
		} else if (s->op == CALICO_NOT || s->op == CALICO_OR) {
			out->nr = before;
			vec_add(a, out, (struct literal){ .term = t });
			return;
		} else if (s->op != CALICO_AND) {
			vec_add(a, out, (struct literal){ t, s, false });
		}
	}
}

static literals literals_of(const struct looking *k, const struct tier_end *e)
{
	struct ordered *o = k->l->r->ordered;
	struct end_terms t = reach_end_terms(k->l->r, o, e);
	literals out = { 0 };

	for (uint32_t i = 0; i < t.nr; i++)
		term_literals(k->l->a, &o->terms.v[t.all[i]], &out);
	return out;
}

static bool same_literal(const struct literal *x, const struct literal *y)
{
	if (x->term == y->term && x->step == y->step)
		return x->denied == y->denied;
	if (!x->step || !y->step || x->denied != y->denied || x->term->prefix != y->term->prefix || x->step->op != y->step->op || !same_text(x->step->key, y->step->key) ||
	    x->step->nr != y->step->nr)
		return false;
	for (uint32_t k = 0; k < x->step->nr; k++)
		if (strcmp(x->step->values[k], y->step->values[k]) != 0)
			return false;
	return true;
}

/* Does y ask for nothing that x does not ask for? */
static bool literals_within(const literals *x, const literals *y)
{
	for (uint32_t k = 0; k < y->nr; k++) {
		bool some = y->v[k].step && y->v[k].step->op == CALICO_ALL && !y->v[k].denied;          /* a Pod has a namespace and a ServiceAccount */

		for (uint32_t i = 0; i < x->nr && !some; i++)
			some = same_literal(&x->v[i], &y->v[k]);
		if (!some)
			return false;
	}
	return true;
}

static bool nets_within(const cidrs *x, const cidrs *y)
{
	for (uint32_t k = 0; k < x->nr; k++) {
		bool some = false;

		for (uint32_t i = 0; i < y->nr && !some; i++)
			some = y->v[i].len <= x->v[k].len && cidr_contains(y->v[i], x->v[k].addr);
		if (!some)
			return false;
	}
	return true;
}

static bool ports_within(const tier_ports *x, const tier_ports *y)
{
	for (uint32_t k = 0; k < x->nr && y->nr; k++) {
		bool some = false;

		for (uint32_t i = 0; i < y->nr && !some; i++) {
			const struct np_ports *a = &x->v[k], *b = &y->v[i];

			some = a->name || b->name ? a->name == b->name : a->lo >= b->lo && a->hi <= b->hi;
		}
		if (!some)
			return false;
	}
	return x->nr || !y->nr;
}

struct side { const struct tier_end *e; literals l; };

static bool end_within(const struct side *x, const struct side *y)
{
	const struct tier_end *a = x->e, *b = y->e;

	if (b->without_ports.nr || !ports_within(&a->ports, &b->ports))
		return false;
	if (tier_end_is_any(b))
		return true;
	if (b->without || b->has_without_nets || (has_selector(b) && !has_selector(a)))          /* no selector means addresses outside */
		return false;
	if ((b->has_nets && (!a->has_nets || !nets_within(&a->nets, &b->nets))) || (b->space && !streq(a->space, b->space)))
		return false;
	return literals_within(&x->l, &y->l);
}

struct chooser { const struct tier_policy *p; literals l; };             /* a policy, and what its subject asks for */
struct turn { const struct chooser *by; const struct tier_rule *r; struct side end[2]; };
typedef VEC(struct turn) turns;
#define MOST_COMPARED 1500              /* rules of a tier and direction that are all held against each other; beyond, only within a policy */

static bool policy_within(const struct chooser *x, const struct chooser *y)
{
	return x == y || (!y->p->unmodelled && (!y->p->subject.space || streq(x->p->subject.space, y->p->subject.space)) && literals_within(&x->l, &y->l));
}

static bool rule_within(const struct turn *a, const struct turn *b)
{
	const struct tier_rule *x = a->r, *y = b->r;

	if (y->unmodelled || y->has_icmp_type || y->has_no_icmp_type || (y->no_proto >= 0 && y->no_proto != x->no_proto) || (y->family && y->family != x->family) || (y->proto >= 0 && y->proto != x->proto))
		return false;
	return end_within(&a->end[0], &b->end[0]) && end_within(&a->end[1], &b->end[1]);
}

/* Of an item that stands for several (a rule for each protocol), all must be covered. → what covers the first; NULL: not all are. */
static const struct turn *covering(const turns *all, uint32_t from, uint32_t nr)
{
	const struct turn *first = NULL;

	for (uint32_t x = from; x < from + nr; x++) {
		const struct turn *a = &all->v[x], *some = NULL;

		for (uint32_t y = 0; y < from && !some; y++) {
			const struct turn *b = &all->v[y];

			if ((a->by == b->by || all->nr <= MOST_COMPARED) && policy_within(a->by, b->by) && rule_within(a, b))
				some = b;
		}
		if (!some)
			return NULL;
		first = first ? first : some;
	}
	return first;
}

static void lint_turns(const struct looking *k, const turns *all, enum np_dir d)
{
	static const char *const verbs[] = { [TIER_ALLOW] = "allows", [TIER_DENY] = "denies", [TIER_PASS] = "passes on" };

	for (uint32_t x = 0, nr; x < all->nr; x += nr) {
		const struct turn *t = &all->v[x], *by;
		const struct tier_policy *p = t->by->p;
		const char *path = t->r->end[d == NP_EGRESS].path;
		bool same;

		for (nr = 1; x + nr < all->nr && all->v[x + nr].by == t->by && streq(all->v[x + nr].r->end[d == NP_EGRESS].path, path); nr++)
			;
		if ((k->l->ns && !streq(k->l->ns, p->o->ns)) || p->kubernetes || !(by = covering(all, x, nr)))
			continue;
		same = by->r->action == t->r->action;
		lint_say_at(k->l, same ? "redundant-rule" : "shadowed-rule", same ? LINT_NOTE : LINT_WARNING, p->o, streq(path, arena_printf(k->l->a, "%s.source", t->r->path)) ||
			    streq(path, arena_printf(k->l->a, "%s.destination", t->r->path)) ? t->r->path : path, t->r->line, same ? NULL : "put it before that rule, or take one of them away",
			    "%s of %s %s all of it already: it never decides", by->r->path, by->by->p->name, verbs[by->r->action]);
	}
}

static struct side side_of(const struct looking *k, const struct tier_end *e)
{
	return (struct side){ e, literals_of(k, e) };
}

static void lint_tier(const struct looking *k)
{
	uint32_t nr = k->tier->policies.nr;
	struct chooser *v = arena_array(k->l->a, struct chooser, nr + 1);

	for (uint32_t i = 0; i < nr; i++)
		v[i] = (struct chooser){ &k->tier->policies.v[i], literals_of(k, &k->tier->policies.v[i].subject) };
	for (int d = 0; d < 2; d++) {
		turns all = { 0 };

		for (uint32_t i = 0; i < nr; i++)
			for (uint32_t n = 0; n < v[i].p->rules[d].nr; n++) {
				const struct tier_rule *r = &v[i].p->rules[d].v[n];

				vec_add(k->l->a, &all, (struct turn){ &v[i], r, { side_of(k, &r->end[0]), side_of(k, &r->end[1]) } });
			}
		lint_turns(k, &all, (enum np_dir)d);
	}
}

/* ---- all of them */

static void not_enforced(struct linting *l)
{
	const struct object *first = NULL;
	const struct kind *k;
	uint32_t nr = 0;

	for (uint32_t i = 0; (k = cluster_pool_kind(l->c, i)); i++) {
		enum kept_policy is = k->apis[0] ? kept_policy(k->apis[0], k->name) : KEPT_NO_POLICY;
		struct object_list all = is == KEPT_CALICO_POLICY || is == KEPT_ADMIN_POLICY ? cluster_list(l->c, k) : (struct object_list){ 0 };

		first = first || !all.nr ? first : all.v[0];
		nr += all.nr;
	}
	if (first)
		lint_say_at(l, "not-enforced", LINT_WARNING, first, NULL, 0, "a network that enforces them (Calico), or none of them", "the Pod network is %s, which enforces no policy in a tier: %u %s nothing",
			    cni_names[cluster_settings(l->c)->cni], nr, nr == 1 ? "policy does" : "policies do");
}

void lint_tiers(struct linting *l)
{
	struct looking k = { .l = l };

	if (cluster_settings(l->c)->cni != CNI_CALICO)
		not_enforced(l);
	if (!l->tiers.nr_policies)
		return;
	gather(&k);
	for (uint32_t i = 0; i < l->tiers.v.nr; i++) {
		k.tier = &l->tiers.v.v[i];
		for (uint32_t n = 0; n < k.tier->policies.nr; n++) {
			k.p = &k.tier->policies.v[n];
			if (!k.p->unmodelled && (!l->ns || streq(l->ns, k.p->o->ns)))
				lint_one(&k);
		}
		lint_tier(&k);
	}
}
