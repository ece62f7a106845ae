#include "sim/reachability/lint.h"

#include <stdarg.h>

#include "model/api/path.h"
#include "model/dataplane/packet.h"
#include "sim/reachability/inside.h"

const struct lint_rule lint_rules[] = {
	{ "not-enforced", "The Pod network enforces no NetworkPolicy" },
	{ "selects-nothing", "The policy's podSelector selects no Pod" },
	{ "host-network", "Only Pods on their nodes' network have what a selector asks for; policies do not select them" },
	{ "peer-matches-nothing", "An item of from or to means no Pod" },
	{ "redundant-rule", "Another rule allows all of it already" },
	{ "and-or-slip", "Two items where one was meant, or one where two were: a dash decides between AND and OR" },
	{ "ignored-rules", "Rules of a direction that policyTypes does not name" },
	{ "unknown-port-name", "A port by name that no destination has" },
	{ "dns-over-tcp-only", "Port 53 without protocol UDP: a missing protocol means TCP" },
	{ "block-of-services", "An ipBlock over addresses of Services: policies see the Pod behind them" },
	{ "dns-cut-off", "Pods that policies keep from cluster DNS" },
	{ "probe-cut-off", "A probe that goes to another Pod, which does not let it in" },
	{ "no-policy", "Pods that no policy selects" },
	{ NULL, NULL },
};

struct linting {
	struct reach *r;
	struct cluster *c;
	struct arena *a;
	lint_findings *out;
	const struct np_compiled *p;
	const char *ns;
};

static void say(struct linting *l, const char *rule, enum lint_level level, const struct object *o, const struct path *p, const char *remedy, const char *fmt, ...) PRINTF(7, 8);
static void say(struct linting *l, const char *rule, enum lint_level level, const struct object *o, const struct path *p, const char *remedy, const char *fmt, ...)
{
	struct lint_finding *f = vec_push(l->a, l->out);
	char text[PATH_TEXT], words[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	*f = (struct lint_finding){ .rule = rule, .level = level, .object = o, .text = arena_strdup(l->a, words), .remedy = remedy, .line = o->line };
	if (p) {
		f->path = arena_strdup(l->a, path_text(p, text));
		f->line = reach_line_of(o, p);
	}
}

/* ---- what selectors mean, by the fast engine's own sets */

static uint64_t pods_in(struct linting *l, struct shape_set like)
{
	uint32_t id = reach_set(l->r, like);
	numbers m = { 0 };
	uint64_t sum = 0;

	bits_list(&l->r->sets.v[id].b, l->r->words, &m);
	for (uint32_t k = 0; k < m.nr; k++)
		sum += l->r->shapes.v[m.v[k]].weight;
	heap_free(&m);
	reach_unref(l->r, id);
	return sum;
}

static uint64_t pods_of_space(struct linting *l, const char *ns, const struct selector *pods)
{
	return pods_in(l, (struct shape_set){ .scope = SCOPE_SPACE, .where = reach_space(l->r, cluster_str(l->c, ns)), .selector = reach_selector(l->r, pods) });
}

static uint64_t pods_of_spaces(struct linting *l, const struct selector *namespaces, const struct selector *pods)
{
	return pods_in(l, (struct shape_set){ .scope = SCOPE_SPACES, .where = reach_spaces(l->r, namespaces), .selector = reach_selector(l->r, pods) });
}

static bool any_space(struct linting *l, const struct selector *namespaces)
{
	return l->r->spaces_ids.v[reach_spaces(l->r, namespaces)].list.nr != 0;
}

static const char *selector_text(struct linting *l, const struct selector *s)
{
	struct sb b = { 0 };
	const char *text;

	selector_print(s, &b);
	text = arena_strdup(l->a, s->labels.nr || s->exprs.nr ? sb_text(&b) : "{}");
	sb_free(&b);
	return text;
}

/* A Pod that the selector would mean if it were not on its node's network: it is neither subject nor peer (the NetworkPolicy documentation, "hostNetwork Pods"). */
static const struct pod *host_pod(struct linting *l, const char *ns, const struct selector *namespaces, const struct selector *pods)
{
	struct object_list all = namespaces ? cluster_list(l->c, &pod_kind) : cluster_list_ns(l->c, &pod_kind, ns);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct pod *p = (const struct pod *)all.v[k];
		const struct namespace_ *n = namespaces && p->spec->host_network ? find_namespace(l->c, p->o.ns) : NULL;

		if (p->spec->host_network && selector_matches(pods, &p->o.labels) && (!namespaces || (n && selector_matches(namespaces, &n->o.labels))))
			return p;
	}
	return NULL;
}

static bool say_host_network(struct linting *l, const struct object *o, const struct path *at, const struct selector *namespaces, const struct selector *pods, const char *remedy)
{
	const struct pod *p = pods ? host_pod(l, o->ns, namespaces, pods) : NULL;

	if (p)
		say(l, "host-network", LINT_WARNING, o, at, remedy, "only Pods on their nodes' network, as %s/%s, have %s: policies do not select them", p->o.ns, p->o.name, selector_text(l, pods));
	return p != NULL;
}

/* ---- one rule */

static const struct path *rule_path(struct linting *l, const struct np_compiled_rule *r)
{
	struct path *spec = arena_make(l->a, struct path), *section = arena_make(l->a, struct path), *rule = arena_make(l->a, struct path);

	*spec = *SUB(NULL, "spec");
	*section = *SUB(spec, r->dir == NP_EGRESS ? "egress" : "ingress");
	*rule = *ITEM(section, r->index);
	return rule;
}

static const char *side_of(const struct np_compiled_rule *r)
{
	return r->dir == NP_EGRESS ? "to" : "from";
}

static uint64_t peer_pods(struct linting *l, const struct np_peers *p)
{
	return p->namespaces ? pods_of_spaces(l, p->namespaces, p->pods) : pods_of_space(l, l->p->policy->o.ns, p->pods);
}

static void lint_peer(struct linting *l, const struct np_compiled_rule *r, uint32_t k)
{
	const struct np_peers *p = &r->peers[k];
	const struct path *at = ITEM(SUB(rule_path(l, r), side_of(r)), k);
	const struct object *o = &l->p->policy->o;

	if (p->all || p->block.set || peer_pods(l, p))
		return;
	if (p->namespaces && !any_space(l, p->namespaces)) {
		say(l, "peer-matches-nothing", LINT_WARNING, o, SUB(at, "namespaceSelector"), NULL, "no namespace has %s", selector_text(l, p->namespaces));
	} else if (p->namespaces && p->pods && pods_of_spaces(l, p->namespaces, NULL) && pods_of_space(l, o->ns, p->pods)) {
		say(l, "and-or-slip", LINT_WARNING, o, at, "with a dash before podSelector they are two items, of which one suffices",
		    "namespaceSelector and podSelector stand in one item, so both must hold: no Pod of these namespaces has %s, but Pods of %s have", selector_text(l, p->pods), o->ns);
	} else if (say_host_network(l, o, SUB(at, "podSelector"), p->namespaces, p->pods, "name the nodes' addresses with ipBlock")) {
		return;
	} else if (p->pods) {
		say(l, "peer-matches-nothing", LINT_WARNING, o, SUB(at, "podSelector"), NULL, "no Pod in %s has %s", p->namespaces ? "the selected namespaces" : o->ns, selector_text(l, p->pods));
	} else {
		say(l, "peer-matches-nothing", LINT_NOTE, o, SUB(at, "namespaceSelector"), NULL, "the selected namespaces have no Pod");
	}
}

/* namespaceSelector in one item and podSelector in the next: either suffices, where both may have been meant. */
static void lint_dash(struct linting *l, const struct np_compiled_rule *r)
{
	const struct object *o = &l->p->policy->o;

	for (uint32_t k = 0; k + 1 < r->nr_peers; k++) {
		const struct np_peers *x = &r->peers[k], *y = &r->peers[k + 1], *ns = x->namespaces ? x : y, *pods = x->namespaces ? y : x;
		uint64_t here, there;

		if (x->block.set || y->block.set || !ns->namespaces || ns->pods || pods->namespaces || !pods->pods || (!pods->pods->labels.nr && !pods->pods->exprs.nr))
			continue;
		here = pods_of_space(l, o->ns, pods->pods);
		there = pods_of_spaces(l, ns->namespaces, pods->pods);
		if (there && !here)
			say(l, "and-or-slip", LINT_WARNING, o, ITEM(SUB(rule_path(l, r), side_of(r)), k + 1), "without this dash, both selectors stand in one item and both must hold",
			    "namespaceSelector and podSelector are two items, of which one suffices: all Pods of these namespaces are meant, and %s means Pods of %s, where none has it",
			    selector_text(l, pods->pods), o->ns);
		else if (there)
			say(l, "and-or-slip", LINT_NOTE, o, ITEM(SUB(rule_path(l, r), side_of(r)), k + 1), "without this dash, both selectors stand in one item and both must hold",
			    "namespaceSelector and podSelector are two items, of which one suffices: is it meant that all Pods of these namespaces may, whatever their labels?");
	}
}

static bool has_name(const struct reach *r, uint32_t shape, const struct np_ports *p)
{
	const struct port_set *set = &r->ports.v[r->shapes.v[shape].ports];

	for (uint32_t k = 0; k < set->nr; k++)
		if (r->named.v[set->from + k].name == p->name && r->named.v[set->from + k].proto == p->proto)
			return true;
	return false;
}

/* Of the Pods that the rule lets connections go to: its subjects, or its peers. */
static bool somebody_has_name(struct linting *l, const struct np_compiled_rule *r, const struct np_ports *p, uint64_t *asked)
{
	struct shape_set like = { .scope = SCOPE_SPACE, .where = reach_space(l->r, l->p->policy->o.ns), .selector = reach_selector(l->r, &l->p->policy->pods) };
	bool found = false;

	for (uint32_t k = 0; k < (r->dir == NP_EGRESS ? r->nr_peers : 1) && !found; k++) {
		const struct np_peers *peer = &r->peers[k];
		numbers m = { 0 };
		uint32_t id;

		if (r->dir == NP_EGRESS && peer->block.set)
			continue;
		if (r->dir == NP_EGRESS && !peer->all) {
			like.scope = peer->namespaces ? SCOPE_SPACES : SCOPE_SPACE;
			like.where = peer->namespaces ? reach_spaces(l->r, peer->namespaces) : reach_space(l->r, l->p->policy->o.ns);
			like.selector = reach_selector(l->r, peer->pods);
		}
		if (r->dir == NP_EGRESS && peer->all) {
			for (uint32_t x = 0; x < l->r->shapes.nr; x++)
				*heap_push(&m) = x;
		} else {
			id = reach_set(l->r, like);
			bits_list(&l->r->sets.v[id].b, l->r->words, &m);
			reach_unref(l->r, id);
		}
		for (uint32_t i = 0; i < m.nr && !found; i++) {
			*asked += l->r->shapes.v[m.v[i]].weight;
			found = l->r->shapes.v[m.v[i]].weight && has_name(l->r, m.v[i], p);
		}
		heap_free(&m);
	}
	return found;
}

static const char *proto_word(uint8_t p)
{
	return p == PROTO_UDP ? "UDP" : p == PROTO_SCTP ? "SCTP" : "TCP";
}

static void lint_ports(struct linting *l, const struct np_compiled_rule *r)
{
	bool tcp53 = false, udp53 = false;
	uint32_t at = 0;

	for (uint32_t k = 0; k < r->nr_ports; k++) {
		const struct np_ports *p = &r->ports[k];
		uint64_t asked = 0;

		if (p->name && !somebody_has_name(l, r, p, &asked) && asked)
			say(l, "unknown-port-name", LINT_WARNING, &l->p->policy->o, SUB(ITEM(SUB(rule_path(l, r), "ports"), k), "port"), NULL,
			    "no container of the %s calls a %s port %s", r->dir == NP_EGRESS ? "destinations" : "selected Pods", proto_word(p->proto), p->name);
		if (!p->name && !p->any_port && p->lo == 53 && p->hi == 53) {
			at = k;
			tcp53 = tcp53 || p->proto == PROTO_TCP;
			udp53 = udp53 || p->proto == PROTO_UDP;
		}
		udp53 = udp53 || (p->proto == PROTO_UDP && (p->any_port || (p->lo <= 53 && p->hi >= 53) || p->name));
	}
	if (tcp53 && !udp53)
		say(l, "dns-over-tcp-only", LINT_WARNING, &l->p->policy->o, ITEM(SUB(rule_path(l, r), "ports"), at), "add {port: 53, protocol: UDP}: resolvers ask by UDP first",
		    "port 53 is allowed by TCP only");
}

static void lint_block(struct linting *l, const struct np_compiled_rule *r, uint32_t k)
{
	const struct settings *s = cluster_settings(l->c);

	for (uint32_t i = 0; r->peers[k].block.set && i < s->service_cidrs.nr; i++) {
		struct cidr services = s->service_cidrs.v[i];

		if (r->peers[k].block.len >= services.len && cidr_contains(services, r->peers[k].block.addr))
			say(l, "block-of-services", LINT_WARNING, &l->p->policy->o, SUB(ITEM(SUB(rule_path(l, r), side_of(r)), k), "ipBlock.cidr"),
			    "select the Pods behind the Service instead, with the target port", "%s lies in the range of Services (%s), whose addresses no policy ever sees", CIDR(r->peers[k].block),
			    CIDR(services));
	}
}

/* ---- rules that others cover: x says no more than y, whatever Pods there are */

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
		uint32_t within = 0;

		if (h->key != q->key)
			continue;
		for (uint32_t i = 0; i < h->values.nr; i++)
			for (uint32_t j = 0; j < q->values.nr; j++)
				within += h->values.v[i] == q->values.v[j];
		if ((h->op == q->op && q->op - 1 >= SEL_EXISTS) || (q->op - 1 == SEL_EXISTS && h->op - 1 == SEL_IN) || (q->op - 1 == SEL_NOT_IN && h->op - 1 == SEL_DOES_NOT_EXIST) ||
		    (q->op - 1 == SEL_IN && h->op - 1 == SEL_IN && within == h->values.nr) || (q->op - 1 == SEL_NOT_IN && h->op - 1 == SEL_NOT_IN && within == q->values.nr))
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

static bool rule_within(const struct np_compiled_rule *x, const struct np_compiled_rule *y)
{
	for (uint32_t k = 0; k < x->nr_peers; k++) {
		bool some = false;

		for (uint32_t i = 0; i < y->nr_peers && !some; i++)
			some = peer_within(&x->peers[k], &y->peers[i]);
		if (!some)
			return false;
	}
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

static void lint_redundant(struct linting *l, const struct np_compiled *v, uint32_t nr)
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
				say(l, "redundant-rule", LINT_NOTE, &a->p->policy->o, rule_path(l, a->r), NULL, "%s of NetworkPolicy %s/%s allows all of it already", np_rule_path(b->r, l->a),
				    b->p->policy->o.ns, b->p->policy->o.name);
				break;
			}
	}
}

/* ---- one policy */

static void lint_policy(struct linting *l, const struct np_compiled *p)
{
	const struct network_policy *np = p->policy;
	const struct path *spec = SUB(NULL, "spec");

	l->p = p;
	if (!pods_of_space(l, np->o.ns, &np->pods)) {
		if ((np->pods.labels.nr || np->pods.exprs.nr) && say_host_network(l, &np->o, SUB(spec, "podSelector"), NULL, &np->pods, NULL))
			return;
		if (pods_of_space(l, np->o.ns, NULL))
			say(l, "selects-nothing", LINT_WARNING, &np->o, SUB(spec, "podSelector"), NULL, "no Pod in %s has %s", np->o.ns, selector_text(l, &np->pods));
		else
			say(l, "selects-nothing", LINT_NOTE, &np->o, SUB(spec, "podSelector"), NULL, "namespace %s has no Pod", np->o.ns);
		return;
	}
	for (int d = 0; d < 2; d++) {
		if (!p->isolates[d] && (d ? np->egress.nr : np->ingress.nr))
			say(l, "ignored-rules", LINT_WARNING, &np->o, SUB(spec, d ? "egress" : "ingress"), d ? "add Egress to policyTypes" : "add Ingress to policyTypes",
			    "policyTypes does not name %s: these rules do nothing", d ? "Egress" : "Ingress");
		for (uint32_t k = 0; k < p->nr_rules[d]; k++) {
			const struct np_compiled_rule *r = &p->rules[d][k];

			for (uint32_t i = 0; i < r->nr_peers; i++) {
				lint_peer(l, r, i);
				lint_block(l, r, i);
			}
			lint_dash(l, r);
			lint_ports(l, r);
		}
	}
}

/* ---- Pods: DNS, probes, no policy at all. One finding for each workload, told at its first Pod that is so. */

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

static void lint_dns(struct linting *l, uint32_t end, uint32_t shape, uint32_t dns)
{
	const struct pod *p = l->r->ends[end].pod;
	const struct object *o = owner_or_pod(l->c, p);
	bool has_rules = false, udp;

	if (!isolated(l, shape, NP_EGRESS, &has_rules) || streq(p->spec->dns_policy, "None") || streq(p->spec->dns_policy, "Default"))
		return;
	udp = reach_allowed(l->r, end, dns, PROTO_UDP, 53);
	if (udp)
		return;
	say(l, "dns-cut-off", has_rules ? LINT_WARNING : LINT_NOTE, o, NULL,
	    "allow egress to the Pods k8s-app=kube-dns of kube-system, port 53, UDP and TCP", "its Pods cannot reach cluster DNS (UDP 53): %s", has_rules ? "egress is allowed elsewhere, but not there"
															  : "all egress is denied");
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
		if (end >= 0 && !reach_dir_open(l->r, NP_INGRESS, reach_shape_of(l->r, NULL, (ip_addr[2]){ from }), l->r->slots.v[l->r->slot_of.v[to->o.id.i] - 1].shape))
			say(l, "probe-cut-off", LINT_WARNING, owner_or_pod(l->c, p), NULL, NULL, "its %s probe goes to %s/%s, which does not let node %s in on port %u", what, to->o.ns, to->o.name, n->o.name,
			    number);
		return;
	}
}

static void lint_pods(struct linting *l)
{
	struct map told = { 0 }, closed = { 0 };
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
			lint_dns(l, e, shape, (uint32_t)dns);
		for (uint32_t k = 0; k < p->spec->containers.nr; k++) {
			lint_probe(l, p, p->spec->containers.v[k].liveness, "liveness");
			lint_probe(l, p, p->spec->containers.v[k].readiness, "readiness");
			lint_probe(l, p, p->spec->containers.v[k].startup, "startup");
		}
		if (isolated(l, shape, NP_INGRESS, NULL) || isolated(l, shape, NP_EGRESS, NULL) || (streq(p->o.ns, "kube-system") && !o->file))
			continue;
		has_policies = cluster_list_ns(l->c, &network_policy_kind, p->o.ns).nr != 0;
		if (has_policies) {
			say(l, "no-policy", LINT_NOTE, o, NULL, NULL, "no policy selects its Pods, though %s has policies: everybody may reach them", p->o.ns);
		} else if (!*map_put(&closed, l->a, map_ptr(p->o.ns))) {
			const struct namespace_ *n = find_namespace(l->c, p->o.ns);

			*map_put(&closed, l->a, map_ptr(p->o.ns)) = 1;
			say(l, "no-policy", LINT_NOTE, n ? &n->o : o, NULL, NULL, "namespace %s has no policy: everybody may reach its Pods", p->o.ns);
		}
	}
}

void reach_lint(struct reach *r, struct cluster *c, const char *ns, struct arena *a, lint_findings *out)
{
	struct linting l = { .r = r, .c = c, .a = a, .out = out, .ns = ns };
	struct np_compiled *v;
	uint32_t nr;

	reach_update(r);
	reach_ask(r, PROTO_TCP, 80);
	v = policies_compile(c, a, &nr);
	if (nr && cluster_settings(c)->cni != CNI_CALICO)
		say(&l, "not-enforced", LINT_WARNING, &v[0].policy->o, NULL, "a network that enforces them (Calico), or none of them", "the Pod network is %s, which enforces no NetworkPolicy: %u %s nothing",
		    cni_names[cluster_settings(c)->cni], nr, nr == 1 ? "policy does" : "policies do");
	for (uint32_t k = 0, n; k < nr; k += n) {
		for (n = 1; k + n < nr && v[k + n].policy->o.ns == v[k].policy->o.ns; n++)
			;
		if (ns && !streq(ns, v[k].policy->o.ns))
			continue;
		for (uint32_t i = 0; i < n; i++)
			lint_policy(&l, &v[k + i]);
		lint_redundant(&l, v + k, n);
	}
	lint_pods(&l);
}
