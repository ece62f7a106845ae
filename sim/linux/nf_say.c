/* What a message of a transaction was about, for an error of the kernel. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "sim/linux/netlink.h"
#include "sim/linux/nf_batch.h"
#include "sim/linux/nf_tables.h"

static const char *attribute(const struct nlmsghdr *h, uint16_t type)
{
	struct nl_iter i = nl_attrs(h, sizeof(struct nfgenmsg));
	const struct nlattr *a;

	while (nl_next(&i, &a))
		if (mnl_attr_get_type(a) == type)
			return mnl_attr_get_str(a);
	return "";
}

static bool is_rule_of(const struct nlmsghdr *h, const struct nlmsghdr *other)
{
	return h->nlmsg_type == other->nlmsg_type && strcmp(attribute(h, NFTA_RULE_TABLE), attribute(other, NFTA_RULE_TABLE)) == 0 &&
	       strcmp(attribute(h, NFTA_RULE_CHAIN), attribute(other, NFTA_RULE_CHAIN)) == 0;
}

/* The rule that a message is, found by its place in its chain. */
static void say_rule(const struct nf_change *x, const struct nf_batch *b, const struct nlmsghdr *h, struct sb *out)
{
	const struct ruleset *rs = x->rs, *owner;
	uint8_t family = ((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family;
	uint32_t place = 0;

	for (const struct nlmsghdr *m = NULL; (m = nf_next(b, m)) && m != h;)
		place += is_rule_of(m, h);
	for (uint32_t t = 1; t <= ruleset_nr_tables(rs); t++) {
		const struct table *table = ruleset_table_get(rs, (table_h){ t });
		chain_h c = table->iptables || strcmp(table->name, attribute(h, NFTA_RULE_TABLE)) != 0 || (table->family == NF_IP6) != (family == NFPROTO_IPV6)
			? (chain_h){ 0 } : ruleset_find_chain(rs, (table_h){ t }, attribute(h, NFTA_RULE_CHAIN));
		const struct chain_body *body = c.i ? chain_body(rs, c, &owner) : NULL;

		for (uint32_t k = 0; body && k < body->rules.nr; k++) {
			const struct rule *r = &body->rules.v[k];

			if (rule_is_no_text(owner, r) || place-- > 0)
				continue;
			sb_add(out, " \"");
			rule_text(owner, ruleset_chain_get(rs, c), r, out);
			sb_addc(out, '"');
			if (r->cause.i && x->cause) {
				sb_add(out, " (");
				x->cause(x->ctx, r->cause, out);
				sb_addc(out, ')');
			}
			return;
		}
	}
}

void nf_say(void *ctx, const struct nf_batch *b, const struct nlmsghdr *h, char *out, size_t n)
{
	static const struct { int msg; const char *what; } rows[] = {
		{ NFT_MSG_NEWTABLE, "table" }, { NFT_MSG_DELTABLE, "to delete the table" }, { NFT_MSG_NEWCHAIN, "chain" }, { NFT_MSG_DELCHAIN, "to delete the chain" },
		{ NFT_MSG_NEWRULE, "rule of chain" }, { NFT_MSG_DELRULE, "to empty the chain" }, { NFT_MSG_NEWSET, "set" }, { NFT_MSG_DELSET, "to delete the set" },
		{ NFT_MSG_NEWSETELEM, "elements of set" }, { NFT_MSG_DELSETELEM, "to delete elements of set" },
	};
	uint8_t family = ((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family;
	int msg = h->nlmsg_type & 0xff;
	struct sb text = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (h->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES && rows[k].msg == msg)
			sb_printf(&text, "%s", rows[k].what);
	if (msg != NFT_MSG_NEWTABLE && msg != NFT_MSG_DELTABLE)
		sb_printf(&text, " %s in table", attribute(h, msg == NFT_MSG_NEWCHAIN || msg == NFT_MSG_DELCHAIN ? NFTA_CHAIN_NAME : 2 /* of all others */));
	sb_printf(&text, " %s %s", family == NFPROTO_IPV6 ? "ip6" : "ip", attribute(h, 1));
	if (msg == NFT_MSG_NEWRULE)
		say_rule(ctx, b, h, &text);
	snprintf(out, n, "%s", sb_text(&text));
	sb_free(&text);
}
