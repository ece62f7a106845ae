/* Random clusters with NetworkPolicies, and a plain evaluator of them that reads nothing but the objects: one pair at a time, rule by rule, as the API's text goes.
 * For tests of the fast engine and of the walk. Same seed, same cluster. */
#ifndef PODWIRE_TEST_POLICY_GEN_H
#define PODWIRE_TEST_POLICY_GEN_H

#include "model/dataplane/packet.h"
#include "tests/unit/cell.h"

struct pgen {
	struct cell *cell;
	uint64_t state;
	uint32_t spaces, nodes, pods, policies, named;  /* pods, policies: names given so far */
	bool host_network, odd, dual, six;              /* odd: what Kubernetes leaves open; six: IPv6 only */
	uint32_t life;
};

static const struct { const char *key, *values[4]; } pgen_pod_keys[] = {
	{ "app", { "web", "db", "api", "Web" } }, { "tier", { "gold", "silver", "", "gold" } }, { "role", { "client", "server", "client", "server" } },
	{ "example.com/team", { "red", "blue", "red", "blue" } }, { "env", { "prod", "dev", "", "prod" } },
};
static const struct { const char *key, *values[4]; } pgen_ns_keys[] = {
	{ "env", { "prod", "dev", "", "prod" } }, { "team", { "red", "blue", "green", "red" } }, { "app", { "web", "web", "web", "web" } },
};
static const struct { uint16_t port; uint8_t proto; const char *word; } pgen_probes[] = {
	{ 80, PROTO_TCP, "TCP" }, { 8080, PROTO_TCP, "TCP" }, { 443, PROTO_TCP, "TCP" }, { 53, PROTO_TCP, "TCP" }, { 53, PROTO_UDP, "UDP" }, { 8080, PROTO_UDP, "UDP" }, { 5000, PROTO_SCTP, "SCTP" },
};
static const char *const pgen_names[] = { "http", "web", "metrics", "dns", "alt-1" };

static inline uint32_t pgen_below(struct pgen *g, uint32_t n)
{
	g->state = g->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(g->state >> 33) % n;
}
static inline bool pgen_chance(struct pgen *g, uint32_t percent) { return pgen_below(g, 100) < percent; }

static inline void pgen_labels(struct pgen *g, struct sb *out, bool ns)
{
	const char *sep = "";

	sb_addc(out, '{');
	for (size_t k = 0; k < (ns ? ARRAY_LEN(pgen_ns_keys) : ARRAY_LEN(pgen_pod_keys)); k++)
		if (pgen_chance(g, 45)) {
			sb_printf(out, "%s\"%s\":\"%s\"", sep, ns ? pgen_ns_keys[k].key : pgen_pod_keys[k].key, (ns ? pgen_ns_keys[k].values : pgen_pod_keys[k].values)[pgen_below(g, 4)]);
			sep = ",";
		}
	sb_addc(out, '}');
}

static inline void pgen_selector(struct pgen *g, struct sb *out, bool ns)
{
	size_t keys = ns ? ARRAY_LEN(pgen_ns_keys) : ARRAY_LEN(pgen_pod_keys);
	const char *sep = "";

	if (pgen_chance(g, 12)) {
		sb_add(out, "{}");
		return;
	}
	sb_add(out, "{\"matchLabels\":{");
	if (ns && pgen_chance(g, 25)) {
		sb_printf(out, "\"kubernetes.io/metadata.name\":\"ns%u\"", pgen_below(g, g->spaces + 1));
	} else {
		for (uint32_t n = pgen_below(g, 3); n > 0; n--) {
			uint32_t k = pgen_below(g, (uint32_t)keys);

			if (n == 2)
				k = k % ((uint32_t)keys - 1);   /* the second key is never the first one again */
			else
				k = (uint32_t)keys - 1 - k % 2;
			sb_printf(out, "%s\"%s\":\"%s\"", sep, ns ? pgen_ns_keys[k].key : pgen_pod_keys[k].key, (ns ? pgen_ns_keys[k].values : pgen_pod_keys[k].values)[pgen_below(g, 4)]);
			sep = ",";
			if (n == 2 && k >= keys - 2)
				break;
		}
	}
	sb_add(out, "},\"matchExpressions\":[");
	sep = "";
	for (uint32_t n = pgen_chance(g, 45) ? 1 + pgen_below(g, 2) : 0; n > 0; n--) {
		static const char *const ops[] = { "In", "NotIn", "Exists", "DoesNotExist" };
		uint32_t k = pgen_below(g, (uint32_t)keys), op = pgen_below(g, 4);

		sb_printf(out, "%s{\"key\":\"%s\",\"operator\":\"%s\"", sep, ns ? pgen_ns_keys[k].key : pgen_pod_keys[k].key, ops[op]);
		if (op < 2) {
			sb_printf(out, ",\"values\":[\"%s\"", (ns ? pgen_ns_keys[k].values : pgen_pod_keys[k].values)[pgen_below(g, 4)]);
			if (pgen_chance(g, 50))
				sb_printf(out, ",\"%s\"", (ns ? pgen_ns_keys[k].values : pgen_pod_keys[k].values)[pgen_below(g, 4)]);
			sb_addc(out, ']');
		}
		sb_addc(out, '}');
		sep = ",";
	}
	sb_add(out, "]}");
}

static inline void pgen_block(struct pgen *g, struct sb *out)
{
	bool six = g->six || (g->dual && pgen_chance(g, 40));
	uint32_t node = pgen_below(g, g->nodes), host = 2 + pgen_below(g, 8);

	switch (pgen_below(g, six ? 3 : 6)) {
	case 0:
		sb_printf(out, six ? "{\"cidr\":\"::/0\",\"except\":[\"fd00:10:244:%x::/64\"]}" : "{\"cidr\":\"0.0.0.0/0\",\"except\":[\"10.244.%u.0/24\"]}", node);
		return;
	case 1:
		sb_printf(out, six ? "{\"cidr\":\"fd00:10:244:%x::/64\",\"except\":[\"fd00:10:244:%x::%x/127\"]}" : "{\"cidr\":\"10.244.%u.0/24\",\"except\":[\"10.244.%u.%u/31\"]}", node, node, host & ~1u);
		return;
	case 2:
		sb_printf(out, six ? "{\"cidr\":\"fd00:10:244:%x::%x/128\"}" : "{\"cidr\":\"10.244.%u.%u/32\"}", node, host);
		return;
	case 3:
		sb_printf(out, "{\"cidr\":\"10.244.0.0/%u\"}", 16 + pgen_below(g, 10));
		return;
	case 4:
		sb_printf(out, "{\"cidr\":\"172.18.0.%u/%u\"}", node + 2, 24 + 8 * pgen_below(g, 2));
		return;
	default:
		sb_printf(out, "{\"cidr\":\"203.0.113.%u/%u\",\"except\":[]}", pgen_below(g, 32), 27 + pgen_below(g, 6));
	}
}

static inline void pgen_rule(struct pgen *g, struct sb *out, const char *side)
{
	uint32_t peers = pgen_below(g, 4), ports = pgen_below(g, 4);
	const char *sep = "";

	if (pgen_chance(g, 6)) {
		sb_add(out, "{}");
		return;
	}
	sb_printf(out, "{\"%s\":[", side);
	for (uint32_t k = 0; k < peers; k++, sep = ",") {
		uint32_t style = pgen_below(g, 100);

		sb_printf(out, "%s{", sep);
		if (style < 30) {
			sb_add(out, "\"ipBlock\":");
			pgen_block(g, out);
		}
		if (style >= 50) {
			sb_add(out, "\"namespaceSelector\":");
			pgen_selector(g, out, true);
		}
		if ((style >= 30 && style < 50) || style >= 70) {
			sb_add(out, style >= 70 ? ",\"podSelector\":" : "\"podSelector\":");
			pgen_selector(g, out, false);
		}
		sb_addc(out, '}');
	}
	sb_add(out, "],\"ports\":[");
	sep = "";
	for (uint32_t k = 0; k < ports; k++, sep = ",") {
		uint32_t probe = pgen_below(g, (uint32_t)ARRAY_LEN(pgen_probes)), style = pgen_below(g, 100), port = pgen_probes[probe].port;

		sb_printf(out, "%s{\"protocol\":\"%s\"", sep, pgen_probes[probe].word);
		if (style >= 15 && style < 45)
			sb_printf(out, ",\"port\":\"%s\"", pgen_names[pgen_below(g, (uint32_t)ARRAY_LEN(pgen_names))]);
		else if (style >= 45 && style < 65)
			sb_printf(out, ",\"port\":%u,\"endPort\":%u", port - pgen_below(g, 30), port + pgen_below(g, 2) * 1000);
		else if (style >= 65)
			sb_printf(out, ",\"port\":%u", port + (pgen_chance(g, 25) ? 1 : 0));
		sb_addc(out, '}');
	}
	sb_add(out, "]}");
}

static inline void pgen_apply(struct pgen *g, const char *json)
{
	struct arena_mark m = arena_mark(g->cell->a);
	const struct val *v = json_parse(g->cell->a, "generated", json, strlen(json), NULL, &g->cell->err);

	if (!v || cell_doc(g->cell, v) == APPLY_ERROR) {
		err_print(&g->cell->err, stderr);
		fprintf(stderr, "%s\n", json);
		CU_ASSERT(false);
		err_clear(&g->cell->err);
	}
	(void)m;
}

static inline void pgen_policy(struct pgen *g, uint32_t number)
{
	struct sb s = { 0 };
	uint32_t types = 1 + pgen_below(g, 3);          /* 1: in, 2: out, 3: both */
	bool named = pgen_chance(g, 80);

	sb_printf(&s, "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"np%u\",\"namespace\":\"ns%u\"},\"spec\":{\"podSelector\":", number, number % g->spaces);
	pgen_selector(g, &s, false);
	for (int d = 0; d < 2; d++) {
		uint32_t n = pgen_below(g, 4);

		if (!(types >> d & 1) && !pgen_chance(g, 15))
			continue;
		sb_printf(&s, ",\"%s\":[", d ? "egress" : "ingress");
		for (uint32_t k = 0; k < n; k++) {
			sb_add(&s, k ? "," : "");
			pgen_rule(g, &s, d ? "to" : "from");
		}
		sb_addc(&s, ']');
	}
	if (named)
		sb_printf(&s, ",\"policyTypes\":[%s%s%s]", types & 1 ? "\"Ingress\"" : "", types == 3 ? "," : "", types & 2 ? "\"Egress\"" : "");
	sb_add(&s, "}}");
	pgen_apply(g, sb_text(&s));
	sb_free(&s);
}

/* The number decides name, namespace, node and address; labels and ports are drawn anew. */
static inline void pgen_pod(struct pgen *g, uint32_t number)
{
	struct sb s = { 0 };
	uint32_t node = number % g->nodes, at = 2 + number / g->nodes;
	bool host = g->host_network && number % 9 == 8, first6 = g->dual && number % 3 == 1, only = g->dual && number % 5 == 4;
	const char *four = arena_printf(g->cell->a, host ? "172.18.0.%u" : "10.244.%u.%u", host ? node + 2 : node, at), *six = arena_printf(g->cell->a, host ? "fd00:172:18::%x" : "fd00:10:244:%x::%x", host ? node + 2 : node, at);
	const char *a = g->six || first6 ? six : four, *b = first6 ? four : six;

	sb_printf(&s, "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p%u\",\"namespace\":\"ns%u\",\"labels\":", number, number * 7 % g->spaces);
	pgen_labels(g, &s, false);
	sb_printf(&s, "},\"spec\":{\"nodeName\":\"node%u\"%s,\"containers\":[{\"name\":\"c\",\"image\":\"registry.k8s.io/e2e-test-images/agnhost:2.53\",\"ports\":[", node, host ? ",\"hostNetwork\":true" : "");
	for (uint32_t k = 0, name = pgen_below(g, 5); k < ARRAY_LEN(pgen_probes); k++) {
		sb_printf(&s, "%s{\"containerPort\":%u,\"protocol\":\"%s\"", k ? "," : "", pgen_probes[k].port, pgen_probes[k].word);
		if (host)
			sb_printf(&s, ",\"hostPort\":%u", pgen_probes[k].port);
		if (pgen_chance(g, 50))
			sb_printf(&s, ",\"name\":\"%s\"", k < 5 ? pgen_names[(name + k) % 5] : arena_printf(g->cell->a, "other-%u", k));
		sb_addc(&s, '}');
	}
	sb_printf(&s, "]}]},\"status\":{\"phase\":\"%s\",\"podIP\":\"%s\",\"podIPs\":[{\"ip\":\"%s\"}", g->odd && pgen_chance(g, 6) ? "Succeeded" : "Running", a, a);
	if (g->dual && !only)
		sb_printf(&s, ",{\"ip\":\"%s\"}", b);
	sb_printf(&s, "],\"hostIP\":\"172.18.0.%u\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", node + 2);
	pgen_apply(g, sb_text(&s));
	sb_free(&s);
}

static inline void pgen_space(struct pgen *g, uint32_t number)
{
	struct sb s = { 0 };

	sb_printf(&s, "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"ns%u\",\"labels\":", number);
	pgen_labels(g, &s, true);
	sb_add(&s, "}}");
	pgen_apply(g, sb_text(&s));
	sb_free(&s);
}

static inline void pgen_cluster(struct pgen *g, struct cell *cell, uint64_t seed, uint32_t spaces, uint32_t nodes, uint32_t pods, uint32_t policies)
{
	g->cell = cell;
	g->state = seed * 0x9e3779b97f4a7c15u + 1;
	g->spaces = spaces;
	g->nodes = nodes;
	g->pods = pods;
	g->policies = policies;
	for (uint32_t k = 0; k < spaces; k++)
		pgen_space(g, k);
	for (uint32_t k = 0; k < nodes; k++)
		pgen_apply(g, arena_printf(cell->a, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"node%u\"},\"spec\":{\"podCIDR\":\"%s\",\"podCIDRs\":[\"%s\"]},"
			"\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"%s\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", k,
			arena_printf(cell->a, g->six ? "fd00:10:244:%x::/64" : "10.244.%u.0/24", k), arena_printf(cell->a, g->six ? "fd00:10:244:%x::/64" : "10.244.%u.0/24", k),
			arena_printf(cell->a, g->six ? "fd00:172:18::%x" : "172.18.0.%u", k + 2)));
	for (uint32_t k = 0; k < pods; k++)
		pgen_pod(g, k);
	for (uint32_t k = 0; k < policies; k++)
		pgen_policy(g, k);
}

/* ---- the plain evaluator */

struct plain_end { const struct pod *pod; ip_addr ip; };

static inline bool plain_selects(const struct selector *s, const pair_list *labels)
{
	for (uint32_t k = 0; k < s->labels.nr; k++)
		if (!streq(label_get(labels, s->labels.v[k].key), s->labels.v[k].value))
			return false;
	for (uint32_t k = 0; k < s->exprs.nr; k++) {
		const struct requirement *q = &s->exprs.v[k];
		str have = label_get(labels, q->key);
		bool in = false;

		for (uint32_t i = 0; i < q->values.nr; i++)
			in = in || streq(have, q->values.v[i]);
		if (!(q->op == 1 + SEL_IN ? in : q->op == 1 + SEL_NOT_IN ? !in : q->op == 1 + SEL_EXISTS ? have != NULL : have == NULL))
			return false;
	}
	return true;
}

static inline bool plain_in(const char *cidr, ip_addr ip)
{
	struct cidr c;

	return cidr_parse_lenient(cidr, &c) && cidr_contains(c, ip);
}

static inline bool plain_peer(struct cluster *c, const struct network_policy *p, const struct np_peer *peer, const struct plain_end *other, ip_addr ip)
{
	if (peer->block) {
		for (uint32_t k = 0; k < peer->block->except.nr; k++)
			if (plain_in(peer->block->except.v[k], ip))
				return false;
		return plain_in(peer->block->cidr, ip);
	}
	if (!other->pod || other->pod->spec->host_network)
		return false;
	if (peer->namespaces ? !plain_selects(peer->namespaces, &find_namespace(c, other->pod->o.ns)->o.labels) : !streq(p->o.ns, other->pod->o.ns))
		return false;
	return !peer->pods || plain_selects(peer->pods, &other->pod->o.labels);
}

static inline bool plain_port(const struct np_port *port, const struct plain_end *dst, uint8_t proto, uint16_t number)
{
	uint8_t want = port->protocol == L4_UDP ? PROTO_UDP : port->protocol == L4_SCTP ? PROTO_SCTP : PROTO_TCP;

	if (want != proto)
		return false;
	if (!port->port.set)
		return true;
	if (!port->port.s)
		return number >= port->port.i && number <= (port->end.set ? port->end.v : port->port.i);
	for (uint32_t k = 0; dst->pod && !dst->pod->spec->host_network && k < dst->pod->spec->containers.nr; k++)
		for (uint32_t i = 0; i < dst->pod->spec->containers.v[k].ports.nr; i++) {
			const struct container_port *cp = &dst->pod->spec->containers.v[k].ports.v[i];
			uint8_t has = cp->protocol == L4_UDP ? PROTO_UDP : cp->protocol == L4_SCTP ? PROTO_SCTP : PROTO_TCP;

			if (streq(cp->name, port->port.s) && has == proto && cp->port == number)
				return true;
		}
	return false;
}

/* Does a NetworkPolicy allow it in that direction? isolated: one selects the Pod. */
static inline bool plain_said(struct cluster *c, bool egress, const struct plain_end *self, const struct plain_end *other, ip_addr ip, const struct plain_end *dst, uint8_t proto, uint16_t port, bool *isolated)
{
	struct object_list l = cluster_list(c, &network_policy_kind);

	*isolated = false;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct network_policy *p = (const struct network_policy *)l.v[k];
		uint32_t nr = egress ? p->egress.nr : p->ingress.nr;
		bool has = false;

		for (uint32_t i = 0; i < p->types.nr; i++)
			has = has || streq(p->types.v[i], egress ? "Egress" : "Ingress");
		if (!has || !streq(p->o.ns, self->pod->o.ns) || !plain_selects(&p->pods, &self->pod->o.labels))
			continue;
		*isolated = true;
		for (uint32_t i = 0; i < nr; i++) {
			const struct np_rule *rule = egress ? &p->egress.v[i] : &p->ingress.v[i];
			bool who = !rule->peers.nr, what = !rule->ports.nr;

			for (uint32_t x = 0; x < rule->peers.nr; x++)
				who = who || plain_peer(c, p, &rule->peers.v[x], other, ip);
			for (uint32_t x = 0; x < rule->ports.nr; x++)
				what = what || plain_port(&rule->ports.v[x], dst, proto, port);
			if (who && what)
				return true;
		}
	}
	return false;
}

static inline bool plain_dir(struct cluster *c, bool egress, const struct plain_end *self, const struct plain_end *other, ip_addr ip, const struct plain_end *dst, uint8_t proto, uint16_t port)
{
	bool isolated;

	return plain_said(c, egress, self, other, ip, dst, proto, port, &isolated) || !isolated;
}

static inline bool plain_allowed(struct cluster *c, const struct plain_end *from, const struct plain_end *to, uint8_t proto, uint16_t port)
{
	ip_addr s[2] = { from->ip, from->pod ? from->pod->ip2 : (ip_addr){ 0 } }, d[2] = { to->ip, to->pod ? to->pod->ip2 : (ip_addr){ 0 } }, src, dst = d[0];
	bool four = ip_is4(s[0]) || (ip_set(s[1]) && ip_is4(s[1])), six = !ip_is4(s[0]) || (ip_set(s[1]) && !ip_is4(s[1]));

	if (from->pod ? from->pod == to->pod : !to->pod && ip_eq(from->ip, to->ip))
		return true;
	if (!(ip_is4(d[0]) ? four : six) && ip_set(d[1]) && (ip_is4(d[1]) ? four : six))
		dst = d[1];
	src = ip_set(s[1]) && ip_is4(s[0]) != ip_is4(dst) && ip_is4(s[1]) == ip_is4(dst) ? s[1] : s[0];
	if (from->pod && !from->pod->spec->host_network && !plain_dir(c, true, from, to, dst, to, proto, port))
		return false;
	if (!to->pod || to->pod->spec->host_network)
		return true;
	if (!from->pod || from->pod->spec->host_network) {      /* the Pod's own node */
		const struct node *n = find_node(c, to->pod->node);
		ip_addr have;

		if ((from->pod && from->pod->node == to->pod->node) || ip_eq(to->pod->host_ip, src))
			return true;
		for (uint32_t k = 0; n && k < n->addresses.nr; k++)
			if (ip_parse(n->addresses.v[k].address, &have) && ip_eq(have, src))
				return true;
	}
	return plain_dir(c, false, to, from, src, to, proto, port);
}

#endif
