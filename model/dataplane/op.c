#include "model/dataplane/op.h"

const struct op_def *const op_defs[OP_COUNT] = {
#define X(ID, fn) [OP_##ID] = &op_##fn,
	OPS(X)
#undef X
};

ip_addr packet_field(const struct packet *p, enum pkt_field f)
{
	switch (f) {
	case PF_SADDR: return p->src;
	case PF_DADDR: return p->dst;
	case PF_SPORT: return word(p->sport);
	case PF_DPORT: return word(p->dport);
	case PF_L4PROTO: return word(p->proto);
	case PF_IIFNAME: return word((uint64_t)(uintptr_t)p->iif);
	case PF_OIFNAME: return word((uint64_t)(uintptr_t)p->oif);
	case PF_MARK: return word(p->mark);
	case PF_CT_STATE: return word(p->ct_state | (p->ct_status & CTS_DNAT ? CT_DNATED : 0u));
	case PF_CT_STATUS: return word(p->ct_status);
	case PF_CT_DNATED_FROM: return p->orig_dst;
	case PF_CT_MARK: return word(p->ct_mark);
	case PF_CT_ORIG_DPORT: return word(p->orig_dport);
	case PF_CT_REPLY_DIR: return word(p->reply);
	case PF_SKUID: return word(p->skuid);
	case PF_SKGID: return word(p->skgid);
	case PF_ICMP_TYPE: return word(p->icmp_type);
	case PF_TCP_FLAGS: return word(p->tcp_flags);
	case PF_REGISTER:
	case PF_COUNT: break;
	}
	return word(0);
}

const char *nft_field(enum pkt_field f, bool v6)
{
	switch (f) {
	case PF_SADDR: return v6 ? "ip6 saddr" : "ip saddr";
	case PF_DADDR: return v6 ? "ip6 daddr" : "ip daddr";
	case PF_SPORT: return "th sport";
	case PF_DPORT: return "th dport";
	case PF_L4PROTO: return "meta l4proto";
	case PF_IIFNAME: return "iifname";
	case PF_OIFNAME: return "oifname";
	case PF_MARK: return "meta mark";
	case PF_CT_STATE: return "ct state";
	case PF_CT_STATUS: return "ct status";
	case PF_CT_DNATED_FROM: return v6 ? "ct original ip6 daddr" : "ct original ip daddr";
	case PF_SKUID: return "meta skuid";
	case PF_SKGID: return "meta skgid";
	case PF_ICMP_TYPE: return v6 ? "icmpv6 type" : "icmp type";
	case PF_TCP_FLAGS: return "tcp flags";
	case PF_CT_MARK: return "ct mark";
	case PF_CT_ORIG_DPORT: return "ct original proto-dst";
	case PF_CT_REPLY_DIR: return "ct direction";
	case PF_REGISTER: return "numgen";
	case PF_COUNT: break;
	}
	return "";
}

const char *proto_word(uint32_t proto)
{
	static const struct { uint8_t proto; const char *name; } rows[] = {
		{ PROTO_TCP, "tcp" }, { PROTO_UDP, "udp" }, { PROTO_SCTP, "sctp" }, { PROTO_ICMP, "icmp" }, { PROTO_ICMPV6, "ipv6-icmp" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (rows[k].proto == proto)
			return rows[k].name;
	return NULL;
}

enum op_does op_eval(const struct ruleset *rs, const struct ruleset *owner, const struct op *op, struct packet *p, struct op_reg *reg, const struct op_env *env,
		     struct op_result *out)
{
	return op_defs[op->code]->eval(rs, owner, op, p, reg, env, out);
}
