#include "sim/reachability/reach.h"

#include <stdlib.h>

struct rule_sets { const struct np_compiled *policy; const struct np_compiled_rule *rule; uint64_t *peers; };

struct reach {
	struct cluster *c;
	struct arena *a;
	struct reach_end *ends;
	uint32_t nr, nr_pods, words;
	struct map index;                       /* name → end */
	struct strtab *names;
	struct np_compiled *policies;
	uint32_t nr_policies;
	uint64_t **subjects;                    /* per policy */
	uint64_t *isolated[2];
	struct rule_sets *rules[2];
	uint32_t nr_rules[2];
	uint64_t *row;
};

#define BIT(w, i)  ((w)[(i) / 64] >> ((i) % 64) & 1)
#define SET(w, i)  ((w)[(i) / 64] |= (uint64_t)1 << ((i) % 64))

static uint64_t *new_set(struct reach *r)
{
	return arena_array(r->a, uint64_t, r->words);
}

static bool exists(const struct pod *p)
{
	return !pod_is_terminal(p);
}

static void add_end(struct reach *r, const struct pod *p, ip_addr ip)
{
	struct reach_end *e = &r->ends[r->nr];

	e->pod = p;
	e->ip = ip;
	e->name = p ? str_printf(r->names, "%s/%s", p->o.ns, p->o.name) : str_printf(r->names, "%s", IP(ip));
	*map_put(&r->index, r->a, map_ptr(e->name)) = r->nr++;
}

/* Subjects: by label index of the policy's namespace. */
static void find_subjects(struct reach *r, uint32_t k)
{
	const struct np_compiled *p = &r->policies[k];
	struct object_list l = pods_matching(r->c, p->policy->o.ns, &p->policy->pods, r->a);

	r->subjects[k] = new_set(r);
	for (uint32_t i = 0; i < l.nr; i++) {
		const struct pod *pod = (const struct pod *)l.v[i];
		int64_t at = exists(pod) && !pod->spec->host_network ? reach_find(r, arena_printf(r->a, "%s/%s", pod->o.ns, pod->o.name)) : -1;

		if (at >= 0)
			SET(r->subjects[k], (uint32_t)at);
	}
	for (int d = 0; d < 2; d++)
		for (uint32_t w = 0; p->isolates[d] && w < r->words; w++)
			r->isolated[d][w] |= r->subjects[k][w];
}

static void find_peers(struct reach *r, struct rule_sets *s)
{
	s->peers = new_set(r);
	for (uint32_t i = 0; i < s->rule->nr_peers; i++) {
		const struct np_peers *peer = &s->rule->peers[i];

		for (uint32_t e = 0; e < r->nr; e++)
			if (r->ends[e].pod ? np_peer_has_pod(r->c, s->policy, peer, r->ends[e].pod) : peer->all || (peer->block.set && np_block_has(peer, r->ends[e].ip)))
				SET(s->peers, e);
	}
}

struct reach *reach_new(struct cluster *c, const ip_addr *external, uint32_t nr_external)
{
	struct arena *a = arena_new(NULL, "reachability");
	struct reach *r = arena_make(a, struct reach);
	struct object_list pods = cluster_list(c, &pod_kind);

	r->c = c;
	r->a = a;
	r->names = strtab_new(a);
	r->ends = arena_array(a, struct reach_end, pods.nr + nr_external);
	for (uint32_t k = 0; k < pods.nr; k++)
		if (exists((const struct pod *)pods.v[k]))
			add_end(r, (const struct pod *)pods.v[k], ((const struct pod *)pods.v[k])->ip);
	r->nr_pods = r->nr;
	for (uint32_t k = 0; k < nr_external; k++)
		add_end(r, NULL, external[k]);
	r->words = r->nr / 64 + 1;
	r->row = new_set(r);
	r->policies = policies_compile(c, a, &r->nr_policies);
	r->subjects = arena_array(a, uint64_t *, r->nr_policies);
	for (int d = 0; d < 2; d++) {
		r->isolated[d] = new_set(r);
		for (uint32_t k = 0; k < r->nr_policies; k++)
			r->nr_rules[d] += r->policies[k].nr_rules[d];
		r->rules[d] = arena_array(a, struct rule_sets, r->nr_rules[d]);
		r->nr_rules[d] = 0;
	}
	for (uint32_t k = 0; k < r->nr_policies; k++) {
		find_subjects(r, k);
		for (int d = 0; d < 2; d++)
			for (uint32_t i = 0; i < r->policies[k].nr_rules[d]; i++) {
				struct rule_sets *s = &r->rules[d][r->nr_rules[d]++];

				*s = (struct rule_sets){ &r->policies[k], &r->policies[k].rules[d][i], NULL };
				find_peers(r, s);
			}
	}
	return r;
}

void reach_free(struct reach *r)
{
	if (r)
		arena_free(r->a);
}

uint32_t reach_nr(const struct reach *r) { return r->nr; }
const struct reach_end *reach_end(const struct reach *r, uint32_t i) { return &r->ends[i]; }

int64_t reach_find(const struct reach *r, const char *name)
{
	str s = str_find(r->names, name);
	uint64_t *at = s ? map_find(&r->index, map_ptr(s)) : NULL;

	return at ? (int64_t)*at : -1;
}

/* Traffic from the Pod's own node is always let in: kubelet's probes, and hostNetwork Pods, which have the node's address (networking/v1 types.go). */
static bool own_node(const struct reach *r, const struct reach_end *from, const struct pod *to)
{
	const struct node *n = to->node ? find_node(r->c, to->node) : NULL;
	ip_addr have;

	if (from->pod)
		return from->pod->spec->host_network && from->pod->node && from->pod->node == to->node;
	for (uint32_t k = 0; n && k < n->addresses.nr; k++)
		if (n->addresses.v[k].address && ip_parse(n->addresses.v[k].address, &have) && ip_eq(have, from->ip))
			return true;
	return false;
}

const uint64_t *reach_row(struct reach *r, uint32_t to, uint8_t proto, uint16_t port)
{
	const struct pod *dst = r->ends[to].pod;
	uint64_t *row = r->row;
	bool isolated = BIT(r->isolated[NP_INGRESS], to);

	memset(row, isolated ? 0 : 0xff, r->words * sizeof(*row));
	for (uint32_t k = 0; isolated && k < r->nr_rules[NP_INGRESS]; k++) {
		const struct rule_sets *s = &r->rules[NP_INGRESS][k];

		if (!BIT(r->subjects[s->policy - r->policies], to) || !np_ports_allow(s->rule, dst, proto, port))
			continue;
		for (uint32_t w = 0; w < r->words; w++)
			row[w] |= s->peers[w];
	}
	for (uint32_t e = 0; isolated && e < r->nr; e++)
		if ((!r->ends[e].pod || r->ends[e].pod->spec->host_network) && own_node(r, &r->ends[e], dst))
			SET(row, e);
	{
		struct arena_mark m = arena_mark(r->a);
		uint64_t *may = new_set(r);             /* sources whose egress lets them go there */

		for (uint32_t w = 0; w < r->words; w++)
			may[w] = ~r->isolated[NP_EGRESS][w];
		for (uint32_t k = 0; k < r->nr_rules[NP_EGRESS]; k++) {
			const struct rule_sets *s = &r->rules[NP_EGRESS][k];

			if (!BIT(s->peers, to) || !np_ports_allow(s->rule, dst, proto, port))
				continue;
			for (uint32_t w = 0; w < r->words; w++)
				may[w] |= r->subjects[s->policy - r->policies][w];
		}
		for (uint32_t w = 0; w < r->words; w++)
			row[w] &= may[w];
		arena_rewind(r->a, m);
	}
	SET(row, to);           /* a Pod always reaches itself */
	return row;
}

bool reach_allowed(struct reach *r, uint32_t from, uint32_t to, uint8_t proto, uint16_t port)
{
	return BIT(reach_row(r, to, proto, port), from);
}

/* ---- why */

static const char *first_miss(struct reach *r, const struct rule_sets *s, uint32_t peer, const struct pod *dst, uint8_t proto, uint16_t port, struct arena *a)
{
	bool who = BIT(s->peers, peer), what = np_ports_allow(s->rule, dst, proto, port);
	const char *side = s->rule->path[5] == 'i' ? "from" : "to";

	if (!who)
		return arena_printf(a, "%s.%s: no item matches %s", s->rule->path, side, r->ends[peer].name);
	if (!what)
		return arena_printf(a, "%s.ports: no item allows port %u", s->rule->path, port);
	return NULL;
}

static void explain_dir(struct reach *r, enum np_dir d, uint32_t subject, uint32_t peer, const struct pod *dst, uint8_t proto, uint16_t port, struct arena *a, struct reach_why *out)
{
	for (uint32_t p = 0; p < r->nr_policies; p++) {
		struct reach_reason *reason;
		struct sb missed = { 0 };

		if (!r->policies[p].isolates[d] || !BIT(r->subjects[p], subject))
			continue;
		reason = &out->v[out->nr++];
		*reason = (struct reach_reason){ r->policies[p].policy, d, -1, NULL };
		for (uint32_t k = 0; k < r->nr_rules[d] && reason->allows < 0; k++) {
			const struct rule_sets *s = &r->rules[d][k];
			const char *miss;

			if (s->policy != &r->policies[p])
				continue;
			miss = first_miss(r, s, peer, dst, proto, port, a);
			if (!miss)
				reason->allows = (int32_t)(s->rule - r->policies[p].rules[d]);
			else
				sb_printf(&missed, "%s%s", missed.len ? "; " : "", miss);
		}
		if (reason->allows < 0)
			reason->missed = missed.len ? arena_strdup(a, sb_text(&missed)) : arena_printf(a, "spec.%s has no rule: nothing is allowed", d ? "egress" : "ingress");
		sb_free(&missed);
	}
}

struct reach_why reach_explain(struct reach *r, uint32_t from, uint32_t to, uint8_t proto, uint16_t port, struct arena *a)
{
	struct reach_why out = { .allowed = reach_allowed(r, from, to, proto, port), .same_pod = from == to, .v = arena_array(a, struct reach_reason, 2 * r->nr_policies) };

	if (from < r->nr_pods)
		explain_dir(r, NP_EGRESS, from, to, r->ends[to].pod, proto, port, a, &out);
	if (to < r->nr_pods) {
		out.from_node = own_node(r, &r->ends[from], r->ends[to].pod);
		explain_dir(r, NP_INGRESS, to, from, r->ends[to].pod, proto, port, a, &out);
	}
	return out;
}
