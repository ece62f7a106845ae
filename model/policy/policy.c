#include "model/policy/policy.h"

#include "model/dataplane/packet.h"

static void compile_peer(const struct np_peer *in, struct np_peers *out, struct arena *a)
{
	if (!in->block) {
		out->pods = in->pods;
		out->namespaces = in->namespaces;
		return;
	}
	if (in->block->cidr)
		cidr_parse_lenient(in->block->cidr, &out->block);
	out->block.set = true;
	out->except = arena_array(a, struct cidr, in->block->except.nr);
	for (uint32_t k = 0; k < in->block->except.nr; k++)
		if (cidr_parse_lenient(in->block->except.v[k], &out->except[out->nr_except]))
			out->nr_except++;
}

static void compile_port(const struct np_port *in, struct np_ports *out)
{
	out->proto = l4_number(in->protocol);
	if (!in->port.set) {
		out->any_port = true;
	} else if (in->port.s) {
		out->name = in->port.s;
	} else {
		out->lo = (uint16_t)in->port.i;
		out->hi = in->end.set ? (uint16_t)in->end.v : out->lo;
	}
}

/* What all rules of a policy need stands in one piece for each kind; a rule takes its part of it. */
struct room { struct np_compiled_rule *rules; struct np_peers *peers; struct np_ports *ports; };

static void compile_rule(const struct np_rule *in, struct room *room, int dir, uint32_t index, struct arena *a)
{
	struct np_compiled_rule *out = room->rules++;

	*out = (struct np_compiled_rule){ .peers = room->peers, .nr_peers = MAX(in->peers.nr, 1u), .ports = room->ports, .nr_ports = in->ports.nr,
					   .dir = (uint8_t)dir, .index = index };
	out->peers[0].all = in->peers.nr == 0;
	for (uint32_t k = 0; k < in->peers.nr; k++)
		compile_peer(&in->peers.v[k], &out->peers[k], a);
	for (uint32_t k = 0; k < in->ports.nr; k++)
		compile_port(&in->ports.v[k], &out->ports[k]);
	room->peers += out->nr_peers;
	room->ports += out->nr_ports;
}

static bool has_type(const struct network_policy *p, const char *type)
{
	for (uint32_t k = 0; k < p->types.nr; k++)
		if (streq(p->types.v[k], type))
			return true;
	return false;
}

void policy_compile(const struct network_policy *p, struct arena *a, struct np_compiled *out)
{
	static const char *const types[] = { "Ingress", "Egress" };
	const typeof(p->ingress) *const said[] = { &p->ingress, &p->egress };
	uint32_t rules = 0, peers = 0, ports = 0;
	struct room room;

	*out = (struct np_compiled){ .policy = p };
	for (int d = 0; d < 2; d++) {
		out->isolates[d] = has_type(p, types[d]);
		out->nr_rules[d] = out->isolates[d] ? said[d]->nr : 0;  /* a section whose type is not named is ignored */
		rules += out->nr_rules[d];
		for (uint32_t i = 0; i < out->nr_rules[d]; i++) {
			peers += MAX(said[d]->v[i].peers.nr, 1u);
			ports += said[d]->v[i].ports.nr;
		}
	}
	room = (struct room){ arena_array(a, struct np_compiled_rule, rules), arena_array(a, struct np_peers, peers), arena_array(a, struct np_ports, ports) };
	for (int d = 0; d < 2; d++) {
		out->rules[d] = room.rules;
		for (uint32_t i = 0; i < out->nr_rules[d]; i++)
			compile_rule(&said[d]->v[i], &room, d, i, a);
	}
}

struct np_compiled *policies_compile(struct cluster *c, struct arena *a, uint32_t *nr)
{
	struct object_list l = cluster_list(c, &network_policy_kind);
	struct np_compiled *v = arena_array(a, struct np_compiled, l.nr);

	*nr = l.nr;
	for (uint32_t k = 0; k < l.nr; k++)
		policy_compile((const struct network_policy *)l.v[k], a, &v[k]);
	return v;
}

const char *np_rule_path(const struct np_compiled_rule *r, struct arena *a)
{
	return arena_printf(a, "spec.%s[%u]", r->dir == NP_EGRESS ? "egress" : "ingress", r->index);
}

bool np_selects(struct cluster *c, const struct np_compiled *p, const struct pod *pod)
{
	(void)c;
	return pod->o.ns == p->policy->o.ns && !pod->spec->host_network && selector_matches(&p->policy->pods, &pod->o.labels);
}

bool np_peer_has_pod(struct cluster *c, const struct np_compiled *p, const struct np_peers *peer, const struct pod *pod)
{
	const struct namespace_ *ns;

	if (peer->all)
		return true;
	if (peer->block.set)
		return np_block_has(peer, pod->ip) || (ip_set(pod->ip2) && np_block_has(peer, pod->ip2));
	if (pod->spec->host_network)            /* it has its node's address: no selector of Pods means it */
		return false;
	if (peer->namespaces) {
		ns = find_namespace(c, pod->o.ns);
		if (!ns || !selector_matches(peer->namespaces, &ns->o.labels))
			return false;
	} else if (pod->o.ns != p->policy->o.ns) {
		return false;
	}
	return !peer->pods || selector_matches(peer->pods, &pod->o.labels);
}

bool np_block_has(const struct np_peers *peer, ip_addr ip)
{
	if (!ip_set(ip) || !cidr_contains(peer->block, ip))
		return false;
	for (uint32_t k = 0; k < peer->nr_except; k++)
		if (cidr_contains(peer->except[k], ip))
			return false;
	return true;
}

static bool named_port(const struct pod_spec *s, const char *name, uint8_t proto, uint16_t port)
{
	for (int l = 0; l < 2; l++) {
		const container_list *list = l ? &s->init_containers : &s->containers;

		for (uint32_t k = 0; k < list->nr; k++) {
			if (l && !streq(list->v[k].restart_policy, "Always"))
				continue;
			for (uint32_t i = 0; i < list->v[k].ports.nr; i++) {
				const struct container_port *p = &list->v[k].ports.v[i];

				if (streq(p->name, name) && l4_number(p->protocol) == proto && p->port == port)
					return true;
			}
		}
	}
	return false;
}

bool np_ports_allow(const struct np_compiled_rule *r, const struct pod *dst, uint8_t proto, uint16_t port)
{
	for (uint32_t k = 0; k < r->nr_ports; k++) {
		const struct np_ports *p = &r->ports[k];

		if (p->proto != proto)
			continue;
		if (p->any_port || (!p->name && port >= p->lo && port <= p->hi))
			return true;
		if (p->name && dst && !dst->spec->host_network && named_port(dst->spec, p->name, proto, port))
			return true;
	}
	return r->nr_ports == 0;
}
