/* Policies: whom they select, whom their rules mean, on which ports. */
#include "sim/reachability/linting.h"

#include <stdarg.h>

#include "model/dataplane/packet.h"

const struct lint_rule lint_rules[] = {
	{ "not-enforced", "The Pod network enforces no NetworkPolicy" },
	{ "selects-nothing", "The policy selects no Pod" },
	{ "host-network", "Only Pods on their nodes' network have what a selector asks for; policies do not select them" },
	{ "peer-matches-nothing", "An item of from or to means no Pod" },
	{ "redundant-rule", "Another rule allows all of it already" },
	{ "shadowed-rule", "An earlier rule of the tier takes all that this one would: it never decides" },
	{ "and-or-slip", "Two items where one was meant, or one where two were: a dash decides between AND and OR" },
	{ "ignored-rules", "Rules of a direction that policyTypes does not name" },
	{ "unknown-port-name", "A port by name that no destination has" },
	{ "unknown-tier", "A policy in a tier that there is not" },
	{ "dns-over-tcp-only", "Port 53 without protocol UDP: a missing protocol means TCP" },
	{ "block-of-services", "An ipBlock over addresses of Services: policies see the Pod behind them" },
	{ "dns-cut-off", "Pods that policies keep from cluster DNS" },
	{ "probe-cut-off", "A probe that goes to another Pod, which does not let it in" },
	{ "no-policy", "Pods that no policy selects" },
	{ NULL, NULL },
};

static void say(struct linting *l, struct lint_finding f, const char *fmt, va_list ap)
{
	char words[600];

	vsnprintf(words, sizeof(words), fmt, ap);
	f.text = arena_strdup(l->a, words);
	vec_add(l->a, l->out, f);
}

void lint_say(struct linting *l, const char *rule, enum lint_level level, const struct object *o, const struct path *p, const char *remedy, const char *fmt, ...)
{
	char text[PATH_TEXT];
	va_list ap;

	va_start(ap, fmt);
	say(l, (struct lint_finding){ .rule = rule, .level = level, .object = o, .remedy = remedy, .path = p ? arena_strdup(l->a, path_text(p, text)) : NULL, .line = p ? reach_line_of(o, p) : o->line }, fmt, ap);
	va_end(ap);
}

void lint_say_at(struct linting *l, const char *rule, enum lint_level level, const struct object *o, const char *path, uint32_t line, const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(l, (struct lint_finding){ .rule = rule, .level = level, .object = o, .remedy = remedy, .path = path, .line = line ? line : o->line }, fmt, ap);
	va_end(ap);
}

/* ---- what selectors mean, by the fast engine's own sets */

static uint64_t pods_in(struct linting *l, struct shape_set like)
{
	uint32_t id = reach_set(l->r, like);
	numbers m = { 0 };
	uint64_t sum = 0;

	bits_list(&l->r->sets.v[id].b, &m);
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

		if (p->spec->host_network && (!pods || selector_matches(pods, &p->o.labels)) && (!namespaces || (n && selector_matches(namespaces, &n->o.labels))))
			return p;
	}
	return NULL;
}

/* "; did you mean app=web?", where the selector wants one label and Pods of the namespace have nearly that; else "". */
static const char *meant(struct linting *l, const char *ns, const struct selector *s)
{
	struct object_list all = cluster_list_ns(l->c, &pod_kind, ns);
	HEAP(const char *) values = { 0 };
	const char *near;

	if (s->labels.nr != 1 || s->exprs.nr)
		return "";
	for (uint32_t k = 0; k < all.nr && values.nr < 200; k++) {
		str v = label_get(&((const struct pod *)all.v[k])->o.labels, s->labels.v[0].key);

		if (v && (!values.nr || !streq(values.v[values.nr - 1], v)))
			*heap_push(&values) = v;
	}
	*heap_push(&values) = NULL;
	near = nearest(s->labels.v[0].value, values.v);
	near = near ? arena_printf(l->a, "; did you mean %s=%s?", s->labels.v[0].key, near) : "";
	heap_free(&values);
	return near;
}

static bool is_everybody(const struct selector *s)
{
	return !s || (!s->labels.nr && !s->exprs.nr);
}

static bool say_host_network(struct linting *l, const struct object *o, const struct path *at, const struct selector *namespaces, const struct selector *pods, const char *remedy)
{
	const struct pod *p = host_pod(l, o->ns, namespaces, pods);
	bool all = is_everybody(pods);

	if (p)
		lint_say(l, "host-network", all ? LINT_NOTE : LINT_WARNING, o, at, remedy, "only Pods on their nodes' network, as %s/%s, %s: policies do not select them", p->o.ns, p->o.name,
			 all ? "are there" : arena_printf(l->a, "have %s", selector_text(l, pods)));
	return p != NULL;
}

/* ---- one rule */

const struct path *lint_rule_path(struct linting *l, const struct np_compiled_rule *r)
{
	struct path *spec = arena_make(l->a, struct path), *section = arena_make(l->a, struct path), *rule = arena_make(l->a, struct path);

	*spec = *SUB(NULL, "spec");
	*section = *SUB(spec, r->dir == NP_EGRESS ? "egress" : "ingress");
	*rule = *ITEM(section, r->index);
	return rule;
}

const char *lint_side(const struct np_compiled_rule *r)
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
	const struct path *at = ITEM(SUB(lint_rule_path(l, r), lint_side(r)), k);
	const struct object *o = &l->p->policy->o;

	if (p->block.set && lint_nothing_left(p))
		lint_say(l, "peer-matches-nothing", LINT_WARNING, o, SUB(at, "ipBlock.except"), NULL, "leaves nothing of %s", CIDR(p->block));
	if (p->all || p->block.set || peer_pods(l, p))
		return;
	if (p->namespaces && !any_space(l, p->namespaces)) {
		lint_say(l, "peer-matches-nothing", LINT_WARNING, o, SUB(at, "namespaceSelector"), NULL, "no namespace has %s", selector_text(l, p->namespaces));
	} else if (p->namespaces && p->pods && pods_of_spaces(l, p->namespaces, NULL) && pods_of_space(l, o->ns, p->pods)) {
		lint_say(l, "and-or-slip", LINT_WARNING, o, at, "with a dash before podSelector they are two items, of which one suffices",
		    "namespaceSelector and podSelector stand in one item, so both must hold: no Pod of these namespaces has %s, but Pods of %s have", selector_text(l, p->pods), o->ns);
	} else if (say_host_network(l, o, SUB(at, p->pods ? "podSelector" : "namespaceSelector"), p->namespaces, p->pods, "name the nodes' addresses with ipBlock")) {
		return;
	} else if (!is_everybody(p->pods)) {
		lint_say(l, "peer-matches-nothing", LINT_WARNING, o, SUB(at, "podSelector"), NULL, "no Pod in %s has %s%s", p->namespaces ? "the selected namespaces" : o->ns, selector_text(l, p->pods),
		    p->namespaces ? "" : meant(l, o->ns, p->pods));
	} else {
		lint_say(l, "peer-matches-nothing", LINT_NOTE, o, SUB(at, "namespaceSelector"), NULL, "the selected namespaces have no Pod");
	}
}

/* namespaceSelector in one item and podSelector in the next: either suffices, where both may have been meant. */
static void lint_dash(struct linting *l, const struct np_compiled_rule *r)
{
	const struct object *o = &l->p->policy->o;

	for (uint32_t k = 0; k + 1 < r->nr_peers; k++) {
		const struct np_peers *x = &r->peers[k], *y = &r->peers[k + 1], *ns = x->namespaces ? x : y, *pods = x->namespaces ? y : x;
		uint64_t here, there;

		if (x->block.set || y->block.set || !ns->namespaces || ns->pods || pods->namespaces || is_everybody(pods->pods))
			continue;
		here = pods_of_space(l, o->ns, pods->pods);
		there = pods_of_spaces(l, ns->namespaces, pods->pods);
		if (there && !here)
			lint_say(l, "and-or-slip", LINT_WARNING, o, ITEM(SUB(lint_rule_path(l, r), lint_side(r)), k + 1), "without this dash, both selectors stand in one item and both must hold",
			    "namespaceSelector and podSelector are two items, of which one suffices: all Pods of these namespaces are meant, and %s means Pods of %s, where none has it",
			    selector_text(l, pods->pods), o->ns);
		else if (there)
			lint_say(l, "and-or-slip", LINT_NOTE, o, ITEM(SUB(lint_rule_path(l, r), lint_side(r)), k + 1), "without this dash, both selectors stand in one item and both must hold",
			    "namespaceSelector and podSelector are two items, of which one suffices: is it meant that all Pods of these namespaces may, whatever their labels?");
	}
}

bool lint_has_name(const struct reach *r, uint32_t shape, const struct np_ports *p)
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
			bits_list(&l->r->sets.v[id].b, &m);
			reach_unref(l->r, id);
		}
		for (uint32_t i = 0; i < m.nr && !found; i++) {
			*asked += l->r->shapes.v[m.v[i]].weight;
			found = l->r->shapes.v[m.v[i]].weight && lint_has_name(l->r, m.v[i], p);
		}
		heap_free(&m);
	}
	return found;
}

/* A port by name may be it. */
static bool allows_udp53(const struct np_compiled_rule *r)
{
	for (uint32_t k = 0; k < r->nr_ports; k++) {
		const struct np_ports *p = &r->ports[k];

		if (p->proto == PROTO_UDP && (p->any_port || p->name || (p->lo <= 53 && p->hi >= 53)))
			return true;
	}
	return !r->nr_ports;
}

/* Does the rule, or another one of the policy for the same peers? */
static bool asks_by_udp(const struct linting *l, const struct np_compiled_rule *r)
{
	for (uint32_t k = 0; k < l->p->nr_rules[r->dir]; k++)
		if (allows_udp53(&l->p->rules[r->dir][k]) && lint_peers_within(r, &l->p->rules[r->dir][k]))
			return true;
	return false;
}

static void lint_ports(struct linting *l, const struct np_compiled_rule *r)
{
	bool tcp53 = false;
	uint32_t at = 0;

	for (uint32_t k = 0; k < r->nr_ports; k++) {
		const struct np_ports *p = &r->ports[k];
		uint64_t asked = 0;

		if (p->name && !somebody_has_name(l, r, p, &asked) && asked)
			lint_say(l, "unknown-port-name", LINT_WARNING, &l->p->policy->o, SUB(ITEM(SUB(lint_rule_path(l, r), "ports"), k), "port"), NULL,
			    "no container of the %s calls a %s port %s", r->dir == NP_EGRESS ? "destinations" : "selected Pods", l4_name(p->proto), p->name);
		if (p->proto == PROTO_TCP && p->lo == 53 && p->hi == 53) {
			at = k;
			tcp53 = true;
		}
	}
	if (tcp53 && !asks_by_udp(l, r))
		lint_say(l, "dns-over-tcp-only", LINT_WARNING, &l->p->policy->o, ITEM(SUB(lint_rule_path(l, r), "ports"), at), "add {port: 53, protocol: UDP}: resolvers ask by UDP first",
		    "port 53 is allowed by TCP only");
}

static void lint_block(struct linting *l, const struct np_compiled_rule *r, uint32_t k)
{
	const struct settings *s = cluster_settings(l->c);

	for (uint32_t i = 0; r->peers[k].block.set && i < s->service_cidrs.nr; i++) {
		struct cidr services = s->service_cidrs.v[i];

		if (r->peers[k].block.len >= services.len && cidr_contains(services, r->peers[k].block.addr))
			lint_say(l, "block-of-services", LINT_WARNING, &l->p->policy->o, SUB(ITEM(SUB(lint_rule_path(l, r), lint_side(r)), k), "ipBlock.cidr"),
			    "select the Pods behind the Service instead, with the target port", "%s lies in the range of Services (%s), whose addresses no policy ever sees", CIDR(r->peers[k].block),
			    CIDR(services));
	}
}

/* ---- one policy */

static void lint_policy(struct linting *l, const struct np_compiled *p)
{
	const struct network_policy *np = p->policy;
	const struct path *spec = SUB(NULL, "spec");

	l->p = p;
	for (int d = 0; d < 2; d++)
		if (!p->isolates[d] && (d ? np->egress.nr : np->ingress.nr))
			lint_say(l, "ignored-rules", LINT_WARNING, &np->o, SUB(spec, d ? "egress" : "ingress"), d ? "add Egress to policyTypes" : "add Ingress to policyTypes",
				 "policyTypes does not name %s: these rules do nothing", d ? "Egress" : "Ingress");
	if (!pods_of_space(l, np->o.ns, &np->pods)) {
		if (say_host_network(l, &np->o, SUB(spec, "podSelector"), NULL, &np->pods, NULL))
			return;
		if (pods_of_space(l, np->o.ns, NULL))
			lint_say(l, "selects-nothing", LINT_WARNING, &np->o, SUB(spec, "podSelector"), NULL, "no Pod in %s has %s%s", np->o.ns, selector_text(l, &np->pods), meant(l, np->o.ns, &np->pods));
		else
			lint_say(l, "selects-nothing", LINT_NOTE, &np->o, SUB(spec, "podSelector"), NULL, "namespace %s has no Pod", np->o.ns);
		return;
	}
	for (int d = 0; d < 2; d++) {
		for (uint32_t k = 0; k < p->nr_rules[d]; k++) {
			const struct np_compiled_rule *r = &p->rules[d][k];

			for (uint32_t i = 0; i < r->nr_peers; i++) {
				lint_peer(l, r, i);
				lint_block(l, r, i);
			}
			lint_dash(l, r);
			lint_ports(l, r);
			lint_items(l, r);
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
		lint_say(&l, "not-enforced", LINT_WARNING, &v[0].policy->o, NULL, "a network that enforces them (Calico), or none of them", "the Pod network is %s, which enforces no NetworkPolicy: %u %s nothing",
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
	l.tiers = policy_tiers(c, a);
	lint_tiers(&l);
	lint_pods(&l);
}
