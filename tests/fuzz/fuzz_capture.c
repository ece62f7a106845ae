/* Any bytes as a captured node: read, print what was understood, send a packet through it. */
#include <stdlib.h>

#include "model/dataplane/capture.h"
#include "sim/trace/trace.h"

static void send_one(const struct dataplane *dp, uint32_t node, const char *src, const char *dst, struct arena *a)
{
	struct walk_from p = { .from = { node }, .t = { .dport = 80, .proto = PROTO_TCP } };

	if (src && ip_parse(src, &p.t.src))
		p.enters = true;
	if (ip_parse(dst, &p.t.dst))
		walk(dp, flows_new(a, 0, 1), &p, WALK_RECORD, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "node.txt", "iptables-S-nat.txt", "ip6tables_-t_filter_-nvL", "ip-route-table-101.txt" };
	struct err err = { 0 };
	struct sb out = { 0 };
	struct capture c;

	if (size < 1)
		return 0;
	if (capture_read_text(names[data[0] & 3], (const char *)data + 1, size - 1, NULL, NULL, &c, &err)) {
		struct arena *a = arena_new(NULL, "fuzz");
		struct print_rules how = { .comments = true };

		for (uint32_t k = 1; k < c.dp->netns.nr && k < 4; k++) {
			const struct netns *ns = netns_get(c.dp, (netns_h){ k });

			for (uint32_t i = 1; i <= ruleset_nr_chains(ns->rules); i++) {
				const struct chain_body *b = chain_body(ns->rules, (chain_h){ i }, NULL);

				for (uint32_t j = 0; j < b->rules.nr; j += 2)
					b->rules.v[j].raw = NULL;
			}
			print_nft(ns->rules, &how, NULL, NULL, &out);
			print_iptables(ns->rules, NF_IP, &how, NULL, NULL, &out);
			print_iptables(ns->rules, NF_IP6, &how, NULL, NULL, &out);
			print_ip(c.dp, (netns_h){ k }, &out);
			send_one(c.dp, k, NULL, "10.96.0.1", a);
			send_one(c.dp, k, "203.0.113.9", "10.96.0.10", a);
			send_one(c.dp, k, "fd00::9", "fd00::10", a);
		}
		arena_free(a);
		capture_free(&c);
	}
	sb_free(&out);
	err_free(&err);
	return 0;
}
