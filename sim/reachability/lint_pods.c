/* Pods: DNS, probes, no policy at all. One finding for each workload, told at its first Pod that is so. */
#include "model/dataplane/packet.h"
#include "sim/reachability/explaining.h"
#include "sim/reachability/linting.h"
#include "sim/reachability/ordered.h"

static const struct object *owner_or_pod(struct cluster *c, const struct pod *p)
{
	const struct object *o = &p->o;

	for (int depth = 0; depth < 3; depth++) {
		static const struct kind *const kinds_of[] = { &replicaset_kind, &deployment_kind, &statefulset_kind, &daemonset_kind, &job_kind };
		const struct object *up = NULL;

		for (uint32_t k = 0; k < o->owners.nr && !up; k++)
			for (size_t i = 0; i < ARRAY_LEN(kinds_of) && !up; i++)
				if (o->owners.v[k].controller && streq(o->owners.v[k].kind, kinds_of[i]->name))
					up = cluster_find(c, kinds_of[i], o->ns, o->owners.v[k].name);
		if (!up)
			break;
		o = up;
	}
	return o;
}

static int64_t dns_end(struct linting *l)
{
	for (uint32_t k = 0; k < l->r->nr_pods; k++) {
		const struct pod *p = l->r->ends[k].pod;
		str v = streq(p->o.ns, "kube-system") ? label_get(&p->o.labels, "k8s-app") : NULL;

		if (v && streq(v, "kube-dns"))
			return k;
	}
	return -1;
}

/* Policies that isolate the shape in that direction; may be NULL: has any of them a rule? */
static bool isolated(const struct linting *l, uint32_t shape, int d, bool *has_rules)
{
	const struct shape *s = &l->r->shapes.v[shape];
	bool any = false;

	for (uint32_t k = 0; k < s->sets.nr; k++) {
		any = any || l->r->sets.v[s->sets.v[k]].isolates[d];
		if (has_rules)
			*has_rules = *has_rules || l->r->sets.v[s->sets.v[k]].uses[d].nr;
	}
	return any;
}

static bool denies_all(const struct tier_rule *r)
{
	return r->action == TIER_DENY && r->proto < 0 && r->no_proto < 0 && tier_end_is_any(&r->end[1]) && !r->end[1].ports.nr && !r->end[1].without_ports.nr;
}

/* What policies in tiers say of shapes: selected by one; by one that says more of egress than that all of it is denied. */
struct in_tiers { uint64_t *selected, *told_apart; };

static struct in_tiers in_tiers(const struct linting *l)
{
	uint32_t words = l->r->words;
	struct in_tiers s = { arena_array(l->a, uint64_t, words), arena_array(l->a, uint64_t, words) };
	uint64_t *of = arena_array(l->a, uint64_t, words);

	for (uint32_t k = 0; k < l->tiers.v.nr; k++)
		for (uint32_t i = 0; i < l->tiers.v.v[k].policies.nr; i++) {
			const struct tier_policy *x = &l->tiers.v.v[k].policies.v[i];
			bool apart = false;

			for (uint32_t n = 0; n < x->rules[NP_EGRESS].nr && !apart; n++)
				apart = !denies_all(&x->rules[NP_EGRESS].v[n]);
			reach_may_select(l->r, &x->subject, of);
			for (uint32_t w = 0; w < words; w++) {
				s.selected[w] |= of[w];
				s.told_apart[w] |= apart ? of[w] : 0;
			}
		}
	return s;
}

static const char *why_no_dns(struct linting *l, uint32_t end, uint32_t dns, bool has_rules)
{
	struct reach_why why;
	const char *names;

	if (!l->tiers.nr_policies)
		return has_rules ? "egress is allowed elsewhere, but not there" : "all egress is denied";
	why = reach_explain_by(l->r, &l->r->ordered->t, end, dns, PROTO_UDP, 53, l->a);
	names = reach_why_names(&why, arena_printf(l->a, "%s/%s", l->r->ends[end].pod->o.ns, l->r->ends[end].pod->o.name), "cluster DNS", l->a);
	return *names ? names : "a policy denies it";
}

static void lint_dns(struct linting *l, const struct in_tiers *tiers, uint32_t end, uint32_t shape, uint32_t dns)
{
	const struct pod *p = l->r->ends[end].pod;
	const struct object *o = owner_or_pod(l->c, p);
	uint32_t dns_shape = l->r->slots.v[l->r->slot_of.v[l->r->ends[dns].pod->o.id.i] - 1].shape;
	bool has_rules = false;

	if (streq(p->spec->dns_policy, "None") || streq(p->spec->dns_policy, "Default") || reach_allowed(l->r, end, dns, PROTO_UDP, 53) || reach_unknown(l->r, end, dns, PROTO_UDP, 53))
		return;
	if (reach_dir_open(l->r, NP_EGRESS, shape, dns_shape)) {
		lint_say(l, "dns-cut-off", LINT_WARNING, o, NULL, "allow ingress from all namespaces to the Pods k8s-app=kube-dns of kube-system, port 53, UDP and TCP",
			 "its Pods cannot reach cluster DNS (UDP 53), which does not let them in");
		return;
	}
	isolated(l, shape, NP_EGRESS, &has_rules);
	has_rules = has_rules || BIT(tiers->told_apart, shape);
	lint_say(l, "dns-cut-off", has_rules ? LINT_WARNING : LINT_NOTE, o, NULL,
	    "allow egress to the Pods k8s-app=kube-dns of kube-system, port 53, UDP and TCP", "its Pods cannot reach cluster DNS (UDP 53): %s", why_no_dns(l, end, dns, has_rules));
}

static void lint_probe(struct linting *l, const struct pod *p, const struct probe *probe, const char *what)
{
	const char *host = probe && probe->http ? probe->http->host : probe && probe->tcp ? probe->tcp->host : NULL;
	const struct int_or_str *port = probe && probe->http ? &probe->http->port : probe && probe->tcp ? &probe->tcp->port : NULL;
	const struct node *n = p->node ? find_node(l->c, p->node) : NULL;
	const struct pod *to;
	ip_addr ip, from;
	int64_t end;

	if (!host || !port || !n || !ip_parse(host, &ip) || !(to = find_pod_by_ip(l->c, ip)) || to == p || to->node == p->node)
		return;
	for (uint32_t k = 0; k < n->addresses.nr; k++) {
		char name[600];
		uint16_t number = port->s ? pod_port_by_name(to->spec, port->s, L4_TCP) : (uint16_t)port->i;

		if (!n->addresses.v[k].address || !ip_parse(n->addresses.v[k].address, &from) || ip_is4(from) != ip_is4(ip) || !number)
			continue;
		snprintf(name, sizeof(name), "%s/%s", to->o.ns, to->o.name);
		end = reach_find(l->r, name);
		reach_ask(l->r, PROTO_TCP, number);
		if (end >= 0 && reach_dir_truth(l->r, NP_INGRESS, reach_shape_of(l->r, NULL, (ip_addr[2]){ from }), l->r->slots.v[l->r->slot_of.v[to->o.id.i] - 1].shape) == NO)
			lint_say(l, "probe-cut-off", LINT_WARNING, owner_or_pod(l->c, p), NULL, NULL, "its %s probe goes to %s/%s, which does not let node %s in on port %u", what, to->o.ns, to->o.name, n->o.name,
			    number);
		return;
	}
}

void lint_pods(struct linting *l)
{
	struct map told = { 0 }, closed = { 0 };
	struct in_tiers tiers = in_tiers(l);
	int64_t dns;

	reach_ends(l->r);
	dns = dns_end(l);
	for (uint32_t e = 0; e < l->r->nr_pods; e++) {
		const struct pod *p = l->r->ends[e].pod;
		const struct object *o;
		uint32_t shape = l->r->slots.v[l->r->slot_of.v[p->o.id.i] - 1].shape;
		uint64_t *seen;
		bool has_policies;

		if (p->spec->host_network || (l->ns && !streq(l->ns, p->o.ns)))
			continue;
		o = owner_or_pod(l->c, p);
		seen = map_put(&told, l->a, o->id.i);
		if (*seen)
			continue;
		*seen = 1;
		if (dns >= 0)
			lint_dns(l, &tiers, e, shape, (uint32_t)dns);
		for (uint32_t k = 0; k < p->spec->containers.nr; k++) {
			lint_probe(l, p, p->spec->containers.v[k].liveness, "liveness");
			lint_probe(l, p, p->spec->containers.v[k].readiness, "readiness");
			lint_probe(l, p, p->spec->containers.v[k].startup, "startup");
		}
		if (isolated(l, shape, NP_INGRESS, NULL) || isolated(l, shape, NP_EGRESS, NULL) || (streq(p->o.ns, "kube-system") && !o->file) || BIT(tiers.selected, shape))
			continue;
		has_policies = cluster_list_ns(l->c, &network_policy_kind, p->o.ns).nr != 0;
		if (has_policies) {
			lint_say(l, "no-policy", LINT_NOTE, o, NULL, NULL, "no policy selects its Pods, though %s has policies: everybody may reach them", p->o.ns);
		} else if (l->tiers.nr_policies) {
			lint_say(l, "no-policy", LINT_NOTE, o, NULL, NULL, "no policy selects its Pods: everybody may reach them");
		} else if (!*map_put(&closed, l->a, map_ptr(p->o.ns))) {
			const struct namespace_ *n = find_namespace(l->c, p->o.ns);

			*map_put(&closed, l->a, map_ptr(p->o.ns)) = 1;
			lint_say(l, "no-policy", LINT_NOTE, n ? &n->o : o, NULL, NULL, "namespace %s has no policy: everybody may reach its Pods", p->o.ns);
		}
	}
}
