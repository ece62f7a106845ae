#include "model/dataplane/hostport.h"

#include <stdio.h>

#define MARK_BIT   0x2000u      /* portmap's DefaultMarkBit, 13 */
#define MULTIPORTS 15           /* what one -m multiport takes */
#define CHAIN_NAME 28           /* MustFormatChainNameWithPrefix: maxChainLength */

static const struct { enum nf_family family; bool v6; } families[] = { { NF_IP, false }, { NF_IP6, true } };

/* The name in the network's CNI configuration, which portmap puts into names and comments. */
const char *const hostport_network_names[CNI_COUNT] = { [CNI_CALICO] = "k8s-pod-network", [CNI_FLANNEL] = "cbr0", [CNI_BRIDGE] = "kindnet", [CNI_NONE] = "none" };

static const char *network_name(const struct compile *x)
{
	return hostport_network_names[x->settings->cni];
}

static bool mapped(const struct container_port *p)
{
	return p->host_port > 0;
}

bool hostport_wanted(const struct pod *p)
{
	for (uint32_t k = 0; !p->spec->host_network && k < p->spec->containers.nr; k++)
		for (uint32_t i = 0; i < p->spec->containers.v[k].ports.nr; i++)
			if (mapped(&p->spec->containers.v[k].ports.v[i]))
				return true;
	return false;
}

bool hostport_needs_route_localnet(const struct pod *p)
{
	return ip_set(p->ip) && ip_is4(p->ip) && hostport_wanted(p);
}

static bool family_used(const struct compile *x, bool v6)
{
	for (uint32_t k = 0; k < x->settings->pod_cidrs.nr; k++)
		if (ip_is4(x->settings->pod_cidrs.v[k].addr) != v6)
			return true;
	return false;
}

void hostport_masquerade(struct compile *x, struct ruleset *rs)
{
	for (size_t f = 0; f < ARRAY_LEN(families) && x->nr_host_ports; f++) {
		table_h t;
		chain_h post, mark, masq;
		struct rw w;

		if (!family_used(x, families[f].v6))
			continue;
		t = ruleset_table(rs, families[f].family, "nat", true);
		post = ruleset_chain(rs, t, "POSTROUTING");
		mark = ruleset_chain(rs, t, "CNI-HOSTPORT-SETMARK");
		masq = ruleset_chain(rs, t, "CNI-HOSTPORT-MASQ");
		ruleset_base_chain(rs, post, HOOK_POSTROUTING, NFT_NAT, 100, OP_ACCEPT);
		w = rule_begin(rs, mark);
		rule_comment(w, "CNI portfwd masquerade mark");
		w_mark(w, ~MARK_BIT, MARK_BIT);
		w = rule_begin(rs, masq);
		w_num(w, PF_MARK, REL_MASK_EQ, MARK_BIT, MARK_BIT);
		w_masquerade(w, false);
		w = rule_begin(rs, post);
		rule_comment(w, "CNI portfwd requiring masquerade");
		w_jump(w, masq);
	}
}

void hostport_dnat(struct compile *x, struct ruleset *rs)
{
	static const struct { const char *name; enum nf_hook hook; } entries[] = { { "PREROUTING", HOOK_PREROUTING }, { "OUTPUT", HOOK_OUTPUT } };

	for (size_t f = 0; f < ARRAY_LEN(families) && x->nr_host_ports; f++) {
		table_h t;
		chain_h dnat;

		if (!family_used(x, families[f].v6))
			continue;
		t = ruleset_table(rs, families[f].family, "nat", true);
		dnat = ruleset_chain(rs, t, "CNI-HOSTPORT-DNAT");
		for (size_t k = 0; k < ARRAY_LEN(entries); k++) {
			chain_h from = ruleset_chain(rs, t, entries[k].name);
			struct rw w;

			ruleset_base_chain(rs, from, entries[k].hook, NFT_NAT, -100, OP_ACCEPT);
			w = rule_begin(rs, from);
			w_fib(w, FIB_DADDR_LOCAL, true);
			w_jump(w, dnat);
		}
	}
}

/* ---- one Pod */

struct pod_chain { struct compile *x; struct ruleset *rs; table_h table; chain_h dnat, own, setmark; const struct pod *pod; ip_addr ip; uint8_t len; const char *comment; cause_h cause; };

const char *hostport_container_id(struct cluster *c, const struct pod *p, struct arena *a)
{
	char hex[65];

	for (int k = 0; k < 4; k++)
		snprintf(hex + 16 * k, 17, "%016llx", (unsigned long long)draw(c, "sandbox", p->o.uid, (uint64_t)k));
	return arena_strdup(a, hex);
}

/* CNI-DN- and the first digits of sha512(network name, container id); utils.MustFormatChainNameWithPrefix. */
static const char *chain_name(struct compile *x, const char *id)
{
	const char *text = arena_printf(x->arena, "%s%s", network_name(x), id);
	char hex[129];

	sha512_hex(text, strlen(text), hex);
	return arena_printf(x->arena, "CNI-DN-%.*s", CHAIN_NAME - 7, hex);
}

/* With one hostIP the mapping is only for that family and address; an unspecified one is any address of its family. */
static bool concerns(const struct pod_chain *c, const struct container_port *p, ip_addr *host)
{
	*host = (ip_addr){ 0 };
	if (!mapped(p))
		return false;
	if (!p->host_ip || !*p->host_ip)
		return true;
	if (!ip_parse(p->host_ip, host) || ip_is4(*host) != ip_is4(c->ip))
		return false;
	if (streq(p->host_ip, "0.0.0.0") || streq(p->host_ip, "::"))
		*host = (ip_addr){ 0 };
	return true;
}

static struct rw mapping(const struct pod_chain *c, const struct container_port *p, ip_addr host)
{
	struct rw w = rule_begin(c->rs, c->own);

	rule_cause(w, c->cause);
	if (ip_set(host))
		w_addr(w, PF_DADDR, REL_EQ, host);
	w_num(w, PF_L4PROTO, REL_EQ, l4_number(p->protocol), 0);
	w_num(w, PF_DPORT, REL_EQ, (uint32_t)p->host_port, 0);
	return w;
}

static void dnat_rules(const struct pod_chain *c, const struct container_port *p)
{
	struct rw w;
	ip_addr host;

	if (!concerns(c, p, &host))
		return;
	w = mapping(c, p, host);
	w_cidr(w, PF_SADDR, true, (struct cidr){ ip_mask(c->ip, c->len), c->len, true });       /* a Pod that reaches itself, and its neighbours on a bridge */
	w_jump(w, c->setmark);
	if (ip_is4(c->ip)) {
		w = mapping(c, p, host);
		w_addr(w, PF_SADDR, REL_EQ, ip_from4(0x7f000001));
		w_jump(w, c->setmark);
	}
	w = mapping(c, p, host);
	w_dnat(w, c->ip, (uint16_t)p->port);
}

/* Which ports of a protocol lead to the Pod's chain; several in one rule, as multiport takes them. */
static void entries(const struct pod_chain *c, uint8_t protocol)
{
	static const uint8_t key[] = { PF_DPORT };
	const struct pod_spec *spec = c->pod->spec;
	uint32_t nr = 0;
	set_h ports = { 0 };

	for (uint32_t k = 0; k < spec->containers.nr; k++)
		for (uint32_t i = 0; i < spec->containers.v[k].ports.nr; i++) {
			const struct container_port *p = &spec->containers.v[k].ports.v[i];
			ip_addr port = word((uint64_t)p->host_port);

			if (!mapped(p) || p->protocol != protocol)
				continue;
			if (nr++ % MULTIPORTS == 0) {
				struct rw w = rule_begin(c->rs, c->dnat);

				ports = ruleset_set(c->rs, c->table, NULL, SET_PLAIN, 0, key, 1);
				rule_cause(w, c->cause);
				rule_comment(w, c->comment);
				w_num(w, PF_L4PROTO, REL_EQ, l4_number(protocol), 0);
				w_lookup(w, ports, true, 1, PF_DPORT);
				w_jump(w, c->own);
			}
			set_add(c->rs, ports, &port);
		}
}

static void one_pod(struct compile *x, struct node_build *nb, struct ruleset *rs, const struct pod *p, ip_addr ip)
{
	static const uint8_t by_name[] = { L4_SCTP, L4_TCP, L4_UDP };
	const char *id = hostport_container_id(x->cluster, p, x->arena);
	struct pod_chain c = { .x = x, .rs = rs, .pod = p, .ip = ip, .len = x->cni->pod_prefix(x, nb, ip), .cause = cause_of(x, &p->o, "spec.containers") };

	c.table = ruleset_table(rs, ip_is4(ip) ? NF_IP : NF_IP6, "nat", true);
	c.comment = arena_printf(x->arena, "dnat name: \"%s\" id: \"%s\"", network_name(x), id);
	c.dnat = ruleset_chain(rs, c.table, "CNI-HOSTPORT-DNAT");
	c.setmark = ruleset_chain(rs, c.table, "CNI-HOSTPORT-SETMARK");
	c.own = ruleset_chain(rs, c.table, chain_name(x, id));
	ruleset_own_chain(rs, c.dnat);
	for (size_t k = 0; k < ARRAY_LEN(by_name); k++)
		entries(&c, by_name[k]);
	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		for (uint32_t i = 0; i < p->spec->containers.v[k].ports.nr; i++)
			dnat_rules(&c, &p->spec->containers.v[k].ports.v[i]);
}

void hostport_node(struct compile *x, struct node_build *nb, struct ruleset *rs)
{
	for (uint32_t k = 0; k < nb->nr_pods; k++) {
		const struct pod *p = nb->pods[k];

		if (!hostport_wanted(p))
			continue;
		one_pod(x, nb, rs, p, p->ip);
		if (ip_set(p->ip2))
			one_pod(x, nb, rs, p, p->ip2);
	}
}
