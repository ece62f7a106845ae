/* ClusterNetworkPolicy (v1alpha2), AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1) as Calico converts them: a rule for each peer and protocol. A rule that it cannot
 * convert denies everything, or where it would allow, is left out (libcalico-go lib/backend/k8s/conversion/clusternetworkpolicy.go; v3.29 to v3.31: adminnetworkpolicy.go).
 * And NetworkPolicies in the same form. */
#include "model/dataplane/packet.h"
#include "model/policy/tier_read.h"

/* ---- Kubernetes' selectors in Calico's language: values stand as they are, for Calico escapes none either (a CRD does not check them; a ' in one spoils the selector) */

static void requirement_text(struct sb *s, const char *key, uint8_t op, const str *values, uint32_t nr)
{
	sb_add(s, s->len ? " && " : "");
	if (op == SEL_EXISTS || op == SEL_DOES_NOT_EXIST) {
		sb_printf(s, "%shas(%s)", op == SEL_EXISTS ? "" : "!", key);
		return;
	}
	sb_printf(s, "%s %s {", key, op == SEL_IN ? "in" : "not in");
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(s, "%s'%s'", k ? ", " : "", values[k]);
	sb_add(s, "}");
}

/* NULL: absent. pods: only Pods, no NetworkSets. */
static const char *selector_text(const struct tier_read *t, const struct selector *sel, bool pods)
{
	struct sb s = { 0 };
	const char *text;

	if (!sel)
		return pods ? "projectcalico.org/orchestrator == 'k8s'" : NULL;
	for (uint32_t k = 0; k < sel->labels.nr; k++)
		sb_printf(&s, "%s%s == '%s'", s.len ? " && " : "", sel->labels.v[k].key, sel->labels.v[k].value);
	for (uint32_t k = 0; k < sel->exprs.nr; k++)
		requirement_text(&s, sel->exprs.v[k].key, (uint8_t)(sel->exprs.v[k].op - 1), sel->exprs.v[k].values.v, sel->exprs.v[k].values.nr);
	if (pods)
		sb_printf(&s, "%sprojectcalico.org/orchestrator == 'k8s'", s.len ? " && " : "");
	text = arena_strdup(t->a, s.len ? sb_text(&s) : "all()");
	sb_free(&s);
	return text;
}

static const char *text_of(const struct tier_read *t, const struct val *v, bool pods)
{
	struct err none = { 0 };
	struct decode d = { .strings = cluster_strings(t->c), .arena = t->a, .unknown = VALIDATE_IGNORE, .err = &none };
	struct selector s = { 0 };

	if (val_is(v, VAL_MAP))
		fields_decode(&d, selector_fields, v, "", &s);
	err_free(&none);
	return selector_text(t, &s, pods);
}

/* ---- ports: protocol and numbers */

struct proto_ports { int16_t proto; tier_ports ports; };        /* proto −1: all of all */
typedef VEC(struct proto_ports) proto_list;
enum ports_are { PORTS_READ, PORTS_UNREADABLE, PORTS_NOT_CONVERTED };    /* unreadable: what no API server takes */

static void add_port(const struct tier_read *t, proto_list *l, struct np_ports port)
{
	struct proto_ports *p = NULL;

	for (uint32_t k = 0; k < l->nr; k++)
		p = l->v[k].proto == port.proto ? &l->v[k] : p;
	if (!p) {
		p = vec_push(t->a, l);
		*p = (struct proto_ports){ .proto = port.proto };
	}
	vec_add(t->a, &p->ports, port);
}

static enum ports_are add_range(const struct tier_read *t, proto_list *l, uint8_t proto, const struct val *from, const struct val *to)
{
	int64_t lo = val_int_or(from, 0), hi = val_int_or(to, 0);

	if (lo < 1 || hi > UINT16_MAX || lo > hi)
		return PORTS_UNREADABLE;
	add_port(t, l, (struct np_ports){ .proto = proto, .lo = (uint16_t)lo, .hi = (uint16_t)hi });
	return PORTS_READ;
}

/* A name is of a port of any protocol (felix/calc/rule_scanner.go: ProtocolAny). */
static void add_name(const struct tier_read *t, proto_list *l, const char *name)
{
	static const uint8_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP };

	for (size_t k = 0; k < ARRAY_LEN(protos); k++)
		add_port(t, l, (struct np_ports){ .proto = protos[k], .name = str_intern(cluster_strings(t->c), name) });
}

static uint8_t number_of(const char *protocol)
{
	return streq(protocol, "UDP") ? PROTO_UDP : streq(protocol, "SCTP") ? PROTO_SCTP : PROTO_TCP;
}

/* v1alpha1 */
static enum ports_are port_of(const struct tier_read *t, const struct val *p, proto_list *l)
{
	const struct val *number = val_get(p, "portNumber"), *range = val_get(p, "portRange");

	if (number)
		return add_range(t, l, number_of(val_str(val_get(number, "protocol"))), val_get(number, "port"), val_get(number, "port"));
	if (range)
		return add_range(t, l, number_of(val_str(val_get(range, "protocol"))), val_get(range, "start"), val_get(range, "end"));
	if (!val_str(val_get(p, "namedPort")))
		return PORTS_NOT_CONVERTED;
	add_name(t, l, val_str(val_get(p, "namedPort")));
	return PORTS_READ;
}

/* v1alpha2. *all: an empty one, which is everything. */
static enum ports_are protocol_of(const struct tier_read *t, const struct val *p, proto_list *l, bool *all)
{
	static const struct { const char *key; uint8_t proto; } words[] = { { "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "sctp", PROTO_SCTP } };

	for (size_t k = 0; k < ARRAY_LEN(words); k++) {
		const struct val *of = val_get(p, words[k].key), *port = val_get(of, "destinationPort"), *range = val_get(port, "range");

		if (of && !port)
			return add_port(t, l, (struct np_ports){ .proto = words[k].proto, .hi = UINT16_MAX }), PORTS_READ;
		if (of)
			return add_range(t, l, words[k].proto, range ? val_get(range, "start") : val_get(port, "number"), range ? val_get(range, "end") : val_get(port, "number"));
	}
	*all = !val_str(val_get(p, "destinationNamedPort"));
	if (!*all)
		add_name(t, l, val_str(val_get(p, "destinationNamedPort")));
	return PORTS_READ;
}

static enum ports_are ports_of(const struct tier_read *t, const struct val *rule, proto_list *l)
{
	enum ports_are are = PORTS_READ;
	bool all = false;

	VAL_EACH(p, val_get(rule, "ports"))
		are = MAX(are, port_of(t, p, l));
	VAL_EACH(p, val_get(rule, "protocols")) {
		are = MAX(are, protocol_of(t, p, l, &all));
		if (all)
			break;
	}
	if (all || are != PORTS_READ)
		l->nr = 0;
	if (!l->nr)
		vec_add(t->a, l, (struct proto_ports){ .proto = -1 });
	return are;
}

/* ---- peers */

static bool read_peer(const struct tier_read *t, const struct val *peer, struct tier_end *e)
{
	const struct val *spaces = val_get(peer, "namespaces"), *pods = val_get(peer, "pods"), *nets = val_get(peer, "networks");

	e->line = peer->line;
	if (spaces)
		e->spaces = text_of(t, spaces, false);
	if (pods) {
		e->spaces = text_of(t, val_get(pods, "namespaceSelector"), false);
		e->selector = text_of(t, val_get(pods, "podSelector"), true);
	}
	e->has_nets = nets && nets->nr;
	VAL_EACH(n, nets)
		if (!tier_add_net(t->a, &e->nets, val_str(n)))
			return false;
	return spaces || pods || e->has_nets;           /* nodes and domainNames are not converted */
}

static bool add_rules(const struct tier_read *t, const struct val *v, enum np_dir dir, uint32_t index, enum tier_action action, struct tier_policy *p)
{
	const char *side = dir == NP_EGRESS ? "to" : "from";
	proto_list protos = { 0 };
	enum ports_are are = ports_of(t, v, &protos);
	uint32_t at = 0;

	if (are == PORTS_NOT_CONVERTED)
		return false;
	VAL_EACH(peer, val_get(v, side)) {
		struct tier_end e = { 0 };

		if (!read_peer(t, peer, &e))
			return false;
		for (uint32_t k = 0; k < protos.nr; k++) {
			struct tier_rule *r = tier_new_rule(t, p, dir, index, action);

			r->proto = protos.v[k].proto;
			r->line = v->line;
			r->end[dir == NP_EGRESS] = e;
			r->end[dir == NP_EGRESS].path = arena_printf(t->a, "%s.%s[%u]", r->path, side, at);
			r->end[1].ports = protos.v[k].ports;
			r->unmodelled = are == PORTS_UNREADABLE ? "a port that is none" : NULL;
		}
		at++;
	}
	return true;
}

static void read_rule(const struct tier_read *t, const struct val *v, enum np_dir dir, uint32_t index, struct tier_policy *p)
{
	const char *said = val_str(val_get(v, "action"));
	enum tier_action action = streq(said, "Deny") ? TIER_DENY : streq(said, "Pass") ? TIER_PASS : TIER_ALLOW;
	bool known = action != TIER_ALLOW || streq(said, "Allow") || streq(said, "Accept");
	uint32_t before = p->rules[dir].nr;

	if (!add_rules(t, v, dir, index, action, p)) {
		p->rules[dir].nr = before;
		if (action != TIER_ALLOW)
			tier_new_rule(t, p, dir, index, TIER_DENY)->line = v->line;
	}
	for (uint32_t k = before; !known && k < p->rules[dir].nr; k++)
		p->rules[dir].v[k].unmodelled = "its action";
}

void tier_read_admin(const struct tier_read *t, const struct val *spec, struct tier_policy *p)
{
	const struct val *subject = val_get(spec, "subject"), *pods = val_get(subject, "pods");

	p->order = (double)val_int_or(val_get(spec, "priority"), 0);
	p->subject = (struct tier_end){ .path = "spec.subject", .line = subject ? subject->line : p->o->line };
	p->subject.spaces = text_of(t, pods ? val_get(pods, "namespaceSelector") : val_get(subject, "namespaces"), false);
	p->subject.selector = text_of(t, pods ? val_get(pods, "podSelector") : NULL, true);
	for (int d = 0; d < 2; d++) {
		uint32_t at = 0;

		VAL_EACH(v, val_get(spec, d == NP_EGRESS ? "egress" : "ingress"))
			read_rule(t, v, (enum np_dir)d, at++, p);
		p->decides[d] = p->rules[d].nr > 0;
	}
}

/* ---- NetworkPolicies */

static void kubernetes_rule(const struct tier_read *t, const struct np_compiled_rule *in, const struct np_peers *peer, int16_t proto, struct tier_policy *p)
{
	struct tier_rule *r = tier_new_rule(t, p, (enum np_dir)in->dir, in->index, TIER_ALLOW);
	struct tier_end *e = &r->end[in->dir == NP_EGRESS];
	bool all_ports = false;

	r->proto = proto;
	for (uint32_t k = 0; k < in->nr_ports; k++)
		if (in->ports[k].proto == proto) {
			vec_add(t->a, &r->end[1].ports, in->ports[k]);
			all_ports = all_ports || in->ports[k].any_port;
		}
	if (all_ports)
		r->end[1].ports.nr = 0;
	if (peer->all)
		return;
	if (peer->block.set) {
		e->has_nets = true;
		vec_add(t->a, &e->nets, peer->block);
		e->has_without_nets = peer->nr_except > 0;
		for (uint32_t k = 0; k < peer->nr_except; k++)
			vec_add(t->a, &e->without_nets, peer->except[k]);
		return;
	}
	e->selector = selector_text(t, peer->pods, true);
	e->spaces = selector_text(t, peer->namespaces, false);
	e->space = peer->namespaces ? NULL : t->space;
}

void tier_read_kubernetes(const struct tier_read *t, const struct np_compiled *np, struct tier_policy *p)
{
	p->order = 1000;
	p->subject = (struct tier_end){ .selector = selector_text(t, &np->policy->pods, true), .space = np->policy->o.ns, .path = "spec.podSelector", .line = p->o->line };
	for (int d = 0; d < 2; d++) {
		p->decides[d] = np->isolates[d];
		for (uint32_t k = 0; k < np->nr_rules[d]; k++) {
			const struct np_compiled_rule *in = &np->rules[d][k];
			static const int16_t protos[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP };

			for (uint32_t i = 0; i < in->nr_peers; i++) {
				if (!in->nr_ports)
					kubernetes_rule(t, in, &in->peers[i], -1, p);
				for (size_t j = 0; in->nr_ports && j < ARRAY_LEN(protos); j++) {
					bool has = false;

					for (uint32_t n = 0; n < in->nr_ports; n++)
						has = has || in->ports[n].proto == protos[j];
					if (has)
						kubernetes_rule(t, in, &in->peers[i], protos[j], p);
				}
			}
		}
	}
}
