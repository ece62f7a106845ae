/* The redirect of a sidecar, rule by rule as istio-iptables writes it into the Pod's nat table. Source: istio tools/istio-iptables/pkg/capture/run.go Run. */
#include <stdlib.h>

#include "model/dataplane/packet.h"
#include "model/dataplane/ruleset.h"
#include "model/l7/mesh.h"

#define TUNNEL_PORT 15008

struct writing {
	struct ruleset *rs;
	const struct mesh_capture *m;
	bool v6;
	cause_h cause;
	chain_h prerouting, output, inbound, redirect, in_redirect, outbound;   /* PREROUTING, OUTPUT, ISTIO_INBOUND, ISTIO_REDIRECT, ISTIO_IN_REDIRECT, ISTIO_OUTPUT */
};

static struct rw rule(struct writing *w, chain_h c)
{
	struct rw r = rule_begin(w->rs, c);

	rule_cause(r, w->cause);
	return r;
}

static void proto(struct rw r, uint8_t p) { w_num(r, PF_L4PROTO, REL_EQ, p, 0); }
static void loopback_out(struct rw r) { w_name(r, PF_OIFNAME, REL_EQ, "lo"); }

static struct cidr host_cidr(const struct writing *w, const char *v4, const char *v6)
{
	ip_addr ip = { 0 };

	ip_parse(w->v6 ? v6 : v4, &ip);
	return (struct cidr){ ip, (uint8_t)ip_bits(ip), true };
}

static void port_returns(struct writing *w, chain_h c, uint8_t p, uint16_t port)
{
	struct rw r = rule(w, c);

	proto(r, p);
	w_num(r, PF_DPORT, REL_EQ, port, 0);
	w_verdict(r, OP_RETURN);
}

/* Calls for each number of a list "80,8080". */
static void each_port(struct writing *w, const char *list, void (*call)(struct writing *, uint16_t))
{
	for (const char *p = list; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
		if (atoi(p) > 0)
			call(w, (uint16_t)atoi(p));
}

static void inbound_returns(struct writing *w, uint16_t port) { port_returns(w, w->inbound, PROTO_TCP, port); }

static void inbound_captured(struct writing *w, uint16_t port)
{
	struct rw r = rule(w, w->inbound);

	proto(r, PROTO_TCP);
	w_num(r, PF_DPORT, REL_EQ, port, 0);
	w_jump(r, w->in_redirect);
}

static void outbound_returns(struct writing *w, uint16_t port)
{
	port_returns(w, w->outbound, PROTO_TCP, port);
	port_returns(w, w->outbound, PROTO_UDP, port);
}

static void outbound_captured(struct writing *w, uint16_t port)
{
	struct rw r = rule(w, w->outbound);

	proto(r, PROTO_TCP);
	w_num(r, PF_DPORT, REL_EQ, port, 0);
	w_jump(r, w->redirect);
}

static void redirect_chain(struct writing *w, chain_h c, uint16_t port)
{
	struct rw r = rule(w, c);

	proto(r, PROTO_TCP);
	w_redirect(r, port);
}

static void write_inbound(struct writing *w)
{
	struct rw r;

	port_returns(w, w->inbound, PROTO_TCP, TUNNEL_PORT);
	redirect_chain(w, w->redirect, w->m->outbound);
	redirect_chain(w, w->in_redirect, w->m->inbound);
	if (!*w->m->include_inbound)
		return;
	r = rule(w, w->prerouting);
	proto(r, PROTO_TCP);
	w_jump(r, w->inbound);
	if (strcmp(w->m->include_inbound, "*") != 0) {
		each_port(w, w->m->include_inbound, inbound_captured);
		return;
	}
	each_port(w, w->m->exclude_inbound, inbound_returns);
	r = rule(w, w->inbound);
	proto(r, PROTO_TCP);
	w_jump(r, w->in_redirect);
}

/* What the proxy itself sends is left alone, but for its calls to its own Pod's address. */
static void write_owner(struct writing *w, enum pkt_field who, uint32_t id)
{
	struct rw r = rule(w, w->outbound);

	loopback_out(r);
	w_cidr(r, PF_DADDR, false, host_cidr(w, "127.0.0.1", "::1"));
	proto(r, PROTO_TCP);
	w_num(r, PF_DPORT, REL_NE, TUNNEL_PORT, 0);
	w_num(r, who, REL_EQ, id, 0);
	w_jump(r, w->in_redirect);
	r = rule(w, w->outbound);
	loopback_out(r);
	w_num(r, who, REL_NE, id, 0);
	w_verdict(r, OP_RETURN);
	r = rule(w, w->outbound);
	w_num(r, who, REL_EQ, id, 0);
	w_verdict(r, OP_RETURN);
}

static void each_range(struct writing *w, const char *list, bool capture)
{
	for (const char *p = list; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
		char text[CIDR_TEXT];
		struct cidr c;
		struct rw r;

		snprintf(text, sizeof(text), "%.*s", (int)strcspn(p, ","), p);
		if (!cidr_parse(text, &c) || ip_is4(c.addr) == w->v6)
			continue;
		r = rule(w, w->outbound);
		w_cidr(r, PF_DADDR, true, c);
		if (capture)
			w_jump(r, w->redirect);
		else
			w_verdict(r, OP_RETURN);
	}
}

static void write_outbound(struct writing *w)
{
	struct rw r = rule(w, w->output);

	w_jump(r, w->outbound);
	each_port(w, w->m->exclude_outbound, outbound_returns);
	r = rule(w, w->outbound);
	loopback_out(r);
	w_cidr(r, PF_SADDR, true, host_cidr(w, "127.0.0.6", "::6"));
	w_verdict(r, OP_RETURN);
	write_owner(w, PF_SKUID, w->m->uid);
	write_owner(w, PF_SKGID, w->m->gid);
	r = rule(w, w->outbound);
	w_cidr(r, PF_DADDR, true, host_cidr(w, "127.0.0.1", "::1"));
	w_verdict(r, OP_RETURN);
	each_range(w, w->m->exclude_ranges, false);
	each_port(w, w->m->include_outbound, outbound_captured);
	if (streq(w->m->include_ranges, "*")) {
		r = rule(w, w->outbound);
		w_jump(r, w->redirect);
	} else {
		each_range(w, w->m->include_ranges, true);
	}
}

static void write_interfaces(struct writing *w)
{
	for (const char *p = w->m->exclude_interfaces; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
		char name[20];
		struct rw r;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, ","), p);
		r = rule(w, w->prerouting);
		w_name(r, PF_IIFNAME, REL_EQ, name);
		w_verdict(r, OP_RETURN);
		r = rule(w, w->output);
		w_name(r, PF_OIFNAME, REL_EQ, name);
		w_verdict(r, OP_RETURN);
	}
}

void mesh_rules(struct ruleset *rs, const struct mesh_capture *m, bool v6, uint32_t cause)
{
	table_h nat = ruleset_table(rs, v6 ? NF_IP6 : NF_IP, "nat", true);
	struct writing w = { .rs = rs, .m = m, .v6 = v6, .cause = { cause } };

	w.prerouting = ruleset_chain(rs, nat, "PREROUTING");
	w.output = ruleset_chain(rs, nat, "OUTPUT");
	ruleset_base_chain(rs, w.prerouting, HOOK_PREROUTING, NFT_NAT, -100, OP_ACCEPT);
	ruleset_base_chain(rs, w.output, HOOK_OUTPUT, NFT_NAT, -100, OP_ACCEPT);
	w.inbound = ruleset_chain(rs, nat, "ISTIO_INBOUND");
	w.redirect = ruleset_chain(rs, nat, "ISTIO_REDIRECT");
	w.in_redirect = ruleset_chain(rs, nat, "ISTIO_IN_REDIRECT");
	w.outbound = ruleset_chain(rs, nat, "ISTIO_OUTPUT");
	if (m->unknown) {
		w_unknown(rule(&w, w.prerouting), m->unknown, 3);
		w_unknown(rule(&w, w.output), m->unknown, 3);
		return;
	}
	write_interfaces(&w);
	write_inbound(&w);
	write_outbound(&w);
}
