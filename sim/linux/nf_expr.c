#include "sim/linux/nf_expr.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <string.h>

#include "model/dataplane/packet.h"
#include "sim/linux/netlink.h"

enum { DIRECTION = 1 };

const struct nf_field nf_fields[PF_COUNT] = {
	[PF_SADDR] = { NF_PAYLOAD, { 12, 8 }, NFT_PAYLOAD_NETWORK_HEADER, { 4, 16 }, NF_NETWORK, { 7, 8 }, { 0, 0 } },
	[PF_DADDR] = { NF_PAYLOAD, { 16, 24 }, NFT_PAYLOAD_NETWORK_HEADER, { 4, 16 }, NF_NETWORK, { 7, 8 }, { 0, 0 } },
	[PF_SPORT] = { NF_PAYLOAD, { 0, 0 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 2, 2 }, NF_NETWORK, { 13, 13 }, { 0, 0 } },
	[PF_DPORT] = { NF_PAYLOAD, { 2, 2 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 2, 2 }, NF_NETWORK, { 13, 13 }, { 0, 0 } },
	[PF_ICMP_TYPE] = { NF_PAYLOAD, { 0, 0 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 1, 1 }, NF_NETWORK, { 0, 0 }, { PROTO_ICMP, PROTO_ICMPV6 } },
	[PF_TCP_FLAGS] = { NF_PAYLOAD, { 13, 13 }, NFT_PAYLOAD_TRANSPORT_HEADER, { 1, 1 }, NF_NETWORK, { 0, 0 }, { PROTO_TCP, PROTO_TCP } },
	[PF_L4PROTO] = { NF_META, { NFT_META_L4PROTO, NFT_META_L4PROTO }, 0, { 1, 1 }, NF_NETWORK, { 12, 12 }, { 0, 0 } },
	[PF_IIFNAME] = { NF_META, { NFT_META_IIFNAME, NFT_META_IIFNAME }, 0, { 16, 16 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_OIFNAME] = { NF_META, { NFT_META_OIFNAME, NFT_META_OIFNAME }, 0, { 16, 16 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_MARK] = { NF_META, { NFT_META_MARK, NFT_META_MARK }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_SKUID] = { NF_META, { NFT_META_SKUID, NFT_META_SKUID }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_SKGID] = { NF_META, { NFT_META_SKGID, NFT_META_SKGID }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_STATE] = { NF_CT, { NFT_CT_STATE, NFT_CT_STATE }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_STATUS] = { NF_CT, { NFT_CT_STATUS, NFT_CT_STATUS }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_MARK] = { NF_CT, { NFT_CT_MARK, NFT_CT_MARK }, 0, { 4, 4 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_REPLY_DIR] = { NF_CT, { NFT_CT_DIRECTION, NFT_CT_DIRECTION }, 0, { 1, 1 }, NF_HOST, { 0, 0 }, { 0, 0 } },
	[PF_CT_DNATED_FROM] = { NF_CT, { NFT_CT_DST_IP, NFT_CT_DST_IP6 }, DIRECTION + IP_CT_DIR_ORIGINAL, { 4, 16 }, NF_NETWORK, { 7, 8 }, { 0, 0 } },
	[PF_CT_ORIG_DPORT] = { NF_CT, { NFT_CT_PROTO_DST, NFT_CT_PROTO_DST }, DIRECTION + IP_CT_DIR_ORIGINAL, { 2, 2 }, NF_NETWORK, { 13, 13 }, { 0, 0 } },
	[PF_REGISTER] = { NF_NOWHERE, { 0, 0 }, 0, { 4, 4 }, NF_HOST, { 4, 4 }, { 0, 0 } },
};

size_t nf_value(uint8_t field, bool v6, ip_addr word_, uint8_t out[16])
{
	const struct nf_field *f = &nf_fields[field];
	uint32_t host = (uint32_t)word_.lo;
	uint16_t net = htons((uint16_t)word_.lo);

	memset(out, 0, 16);
	if (f->len[v6] == 16 && f->order == NF_HOST)
		snprintf((char *)out, 16, "%s", (const char *)(uintptr_t)word_.lo);
	else if (f->type[v6] == 7 || f->type[v6] == 8)
		return nl_ip_bytes(word_, out) == f->len[v6] ? f->len[v6] : 0;
	else if (f->len[v6] == 1)
		out[0] = (uint8_t)host;
	else if (f->len[v6] == 2)
		memcpy(out, &net, sizeof(net));
	else
		memcpy(out, &host, sizeof(host));
	return f->len[v6];
}

bool nf_cannot(struct nf_writer *w, const char *what)
{
	if (!w->cannot)
		w->cannot = what;
	return false;
}

struct nlmsghdr *nf_message(struct nf_writer *w, int nft_msg, uint16_t flags, uint16_t table_attr)
{
	struct nlmsghdr *h = nf_begin(w->b, nft_msg, flags, w->v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);

	if (table_attr)
		nf_put_str(h, table_attr, w->table);
	return h;
}

void nf_put_comment(struct nf_writer *w, uint16_t attr, uint8_t type, const char *comment)
{
	uint8_t data[2 + 256];
	size_t n = comment ? strlen(comment) + 1 : 0;

	if (n > 129)
		nf_cannot(w, "a comment of more than 128 characters");
	else if (n) {
		data[0] = type;
		data[1] = (uint8_t)n;
		memcpy(data + 2, comment, n);
		nf_put(w->b->h, attr, n + 2, data);
	}
}

void nf_put_verdict(struct nf_writer *w, uint16_t attr, struct verdict_value v)
{
	static const int codes[OP_COUNT] = { [OP_ACCEPT] = NF_ACCEPT, [OP_DROP] = NF_DROP, [OP_RETURN] = NFT_RETURN, [OP_JUMP] = NFT_JUMP, [OP_GOTO] = NFT_GOTO };
	struct nlattr *data = mnl_attr_nest_start(w->b->h, attr), *verdict = mnl_attr_nest_start(w->b->h, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(w->b->h, NFTA_VERDICT_CODE, htonl((uint32_t)codes[v.code]));
	if (v.code == OP_JUMP || v.code == OP_GOTO)
		nf_put_str(w->b->h, NFTA_VERDICT_CHAIN, ruleset_chain_get(w->rs, v.chain)->name);
	mnl_attr_nest_end(w->b->h, verdict);
	mnl_attr_nest_end(w->b->h, data);
}

/* ---- expressions */

struct expr expr_begin(const struct in_rule *r, const char *name)
{
	struct expr e = { .elem = mnl_attr_nest_start(r->h, NFTA_LIST_ELEM) };

	nf_put_str(r->h, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(r->h, NFTA_EXPR_DATA);
	return e;
}

void expr_end(const struct in_rule *r, struct expr e)
{
	mnl_attr_nest_end(r->h, e.data);
	mnl_attr_nest_end(r->h, e.elem);
}

void expr_number(const struct in_rule *r, uint16_t attr, uint32_t n) { mnl_attr_put_u32(r->h, attr, htonl(n)); }

void expr_register(const struct in_rule *r, uint16_t attr, uint32_t word_)
{
	expr_number(r, attr, word_ % 4 == 0 ? NFT_REG_1 + word_ / 4 : NFT_REG32_00 + word_);
}

static void expr_data(const struct in_rule *r, uint16_t attr, const void *bytes, size_t n)
{
	struct nlattr *nest = mnl_attr_nest_start(r->h, attr);

	nf_put(r->h, NFTA_DATA_VALUE, n, bytes);
	mnl_attr_nest_end(r->h, nest);
}

static void payload(const struct in_rule *r, uint32_t to, uint32_t base, uint32_t offset, uint32_t len)
{
	struct expr e = expr_begin(r, "payload");

	expr_register(r, NFTA_PAYLOAD_DREG, to);
	expr_number(r, NFTA_PAYLOAD_BASE, base);
	expr_number(r, NFTA_PAYLOAD_OFFSET, offset);
	expr_number(r, NFTA_PAYLOAD_LEN, len);
	expr_end(r, e);
}

static void load_from(const struct in_rule *r, const char *name, uint32_t to, uint32_t key, int direction)
{
	bool ct = name[0] == 'c';
	struct expr e = expr_begin(r, name);

	if (!ct)
		expr_number(r, NFTA_META_KEY, key);
	expr_register(r, ct ? NFTA_CT_DREG : NFTA_META_DREG, to);
	if (ct)
		expr_number(r, NFTA_CT_KEY, key);
	if (ct && direction >= 0)
		nf_put(r->h, NFTA_CT_DIRECTION, 1, &(uint8_t){ (uint8_t)direction });
	expr_end(r, e);
}

void expr_cmp(const struct in_rule *r, enum nft_cmp_ops how, const void *bytes, size_t n)
{
	struct expr e = expr_begin(r, "cmp");

	expr_register(r, NFTA_CMP_SREG, 0);
	expr_number(r, NFTA_CMP_OP, how);
	expr_data(r, NFTA_CMP_DATA, bytes, n);
	expr_end(r, e);
}

void expr_bitwise(const struct in_rule *r, const void *mask, const void *xor, size_t n)
{
	struct expr e = expr_begin(r, "bitwise");

	expr_register(r, NFTA_BITWISE_SREG, 0);
	expr_register(r, NFTA_BITWISE_DREG, 0);
	expr_number(r, NFTA_BITWISE_LEN, (uint32_t)n);
	expr_number(r, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	expr_data(r, NFTA_BITWISE_MASK, mask, n);
	expr_data(r, NFTA_BITWISE_XOR, xor, n);
	expr_end(r, e);
}

void expr_immediate(const struct in_rule *r, uint32_t to, const void *bytes, size_t n)
{
	struct expr e = expr_begin(r, "immediate");

	expr_register(r, NFTA_IMMEDIATE_DREG, to);
	expr_data(r, NFTA_IMMEDIATE_DATA, bytes, n);
	expr_end(r, e);
}

void expr_within(const struct in_rule *r, const void *first, const void *last, size_t n, bool in)
{
	struct expr e;

	if (in) {
		expr_cmp(r, NFT_CMP_GTE, first, n);
		expr_cmp(r, NFT_CMP_LTE, last, n);
		return;
	}
	e = expr_begin(r, "range");
	expr_register(r, NFTA_RANGE_SREG, 0);
	expr_number(r, NFTA_RANGE_OP, NFT_RANGE_NEQ);
	expr_data(r, NFTA_RANGE_FROM_DATA, first, n);
	expr_data(r, NFTA_RANGE_TO_DATA, last, n);
	expr_end(r, e);
}

void expr_proto(struct in_rule *r, uint8_t proto)
{
	if (!proto || r->proto == proto)
		return;
	load_from(r, "meta", 0, NFT_META_L4PROTO, -1);
	expr_cmp(r, NFT_CMP_EQ, &proto, 1);
	r->proto = proto;
}

/* len: of a part, from its beginning; 0: all of it */
bool expr_load(struct in_rule *r, uint8_t field, uint32_t to, uint32_t len)
{
	const struct nf_field *f = &nf_fields[field];
	bool v6 = r->w->v6;

	if (f->from == NF_NOWHERE)
		return nf_cannot(r->w, "a field of the packet that nft has not");
	expr_proto(r, f->proto[v6]);
	if (f->from == NF_PAYLOAD)
		payload(r, to, f->base, f->what[v6], len ? len : f->len[v6]);
	else
		load_from(r, f->from == NF_CT ? "ct" : "meta", to, f->what[v6], f->base ? f->base - DIRECTION : -1);
	return true;
}
