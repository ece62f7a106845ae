/* The rules of a node as a lab keeps them: by messages, as text where a rule has no spelling, beside those of iptables, and anew where somebody has changed them by hand. */
#include "sim/linux/run.h"
#include "tests/differential/nf_listing.h"
#include "tests/unit/play.h"

/* The rules of node/n1 of a cluster, as a lab gives them to this namespace. */
struct lab_node {
	struct play g;
	struct live live;
	struct space s;
	struct err err;
	struct dataplane *dp;
	uint32_t changed;
	char name[8];
};

static void node_compile(struct lab_node *n)
{
	dataplane_free(n->dp);
	n->dp = dataplane_compile(n->g.x.c, NULL);
	NETNS_EACH(n->dp, h)
		if (strcmp(netns_get(n->dp, (netns_h){ h })->name, "node/n1") == 0) {
			n->s.ns = (netns_h){ h };
			dataplane_node_ready(n->dp, n->s.ns);
		}
}

static void node_begin(struct lab_node *n, const char *cni)
{
	*n = (struct lab_node){ .g = { .state = 77, .mode = "nftables", .cni = cni }, .live = { .own_net = own_namespace() },
			    .s = { .kind = NS_NODE, .nf = -1, .netfd = own_namespace() }, .name = "here" };
	n->s.name = n->name;
	play_begin(&n->g);
	node_compile(n);
}

static int node_end(struct lab_node *n, bool ok)
{
	if (!ok)
		err_print(&n->err, stderr);
	dataplane_free(n->dp);
	rules_free(n->s.rules);
	close(n->s.nf);
	close(n->s.netfd);
	close(n->live.own_net);
	cell_free(&n->g.x);
	err_free(&n->err);
	return ok ? SAME : DIFFERENT;
}

static struct ruleset *node_rules(const struct lab_node *n)
{
	return (struct ruleset *)(uintptr_t)netns_get(n->dp, n->s.ns)->rules;
}

static bool node_sync(struct lab_node *n)
{
	return rules_sync(&n->live, n->g.x.c, &n->s, n->dp, &n->changed, &n->err);
}

static bool node_is_as_nft_makes_it(struct lab_node *n)
{
	return as_nft_makes_it(node_rules(n), &n->err);
}

static bool warned(const struct lab_node *n, const char *text)
{
	return n->err.nr == 1 && n->err.v[0].warning && strstr(n->err.v[0].text, text);
}

static bool says(const char *text, struct err *err)
{
	struct sb out = { 0 };
	bool ok = nft_run("list ruleset", 0, &out, "here", err) && strstr(sb_text(&out), text);

	sb_free(&out);
	return ok;
}

/* A rule that was read stands among ours: all is given to nft as text, with a warning, until it has gone. */
static int read_among_ours(void *ctx)
{
	struct lab_node n;
	bool ok;

	(void)ctx;
	node_begin(&n, "calico");
	ok = node_sync(&n) && node_is_as_nft_makes_it(&n) && !n.err.nr && n.changed == 1;
	ok = ok && node_sync(&n) && n.changed == 1;
	for (int k = 0; ok && k < 2; k++) {             /* twice: said once, and nothing done where nothing differs */
		if (!k)
			rule_raw(rule_begin(node_rules(&n), ruleset_chain(node_rules(&n), (table_h){ 1 }, "read")), "meta cpu 1 drop");
		ok = node_sync(&n) && warned(&n, "rules of here are given to nft as text") && n.changed == 2 && says("meta cpu 1 drop", &n.err);
	}
	node_compile(&n);
	ok = ok && node_sync(&n) && n.changed == 3 && !says("meta cpu 1 drop", &n.err) && node_is_as_nft_makes_it(&n);
	err_clear(&n.err);
	ok = ok && nft_run("flush ruleset; add table ip others", 0, NULL, "here", &n.err);      /* somebody did that by hand */
	for (uint32_t before = n.changed; ok && n.changed == before;) {
		play_change(&n.g);
		node_compile(&n);
		ok = node_sync(&n);
	}
	ok = ok && warned(&n, "written anew, as the change did not fit") && says("table ip others", &n.err) && nft_run("delete table ip others", 0, NULL, "here", &n.err) &&
	     node_is_as_nft_makes_it(&n);
	return node_end(&n, ok);
}

TEST(what_netlink_is_not_told_of_is_given_to_nft)
{
	in_child(read_among_ours, NULL);
}

/* flannel's rules are iptables', beside those of kube-proxy that are nft's: all tables go when text gives way to messages, and these have to come back. */
static bool as_loaded_anew(struct lab_node *n, const char *with)
{
	struct sb have = { 0 }, want = { 0 };
	bool ok = rules_listed(&n->live, &n->s, &have, &n->err) && rules_expected(&n->live, &n->s, n->dp, &want, &n->err) && strstr(sb_text(&have), with) &&
		  test_same_text(__FILE__, __LINE__, sb_text(&have), sb_text(&want));

	sb_free(&have);
	sb_free(&want);
	return ok;
}

static int beside_iptables(void *ctx)
{
	struct lab_node n;
	bool ok = true;

	(void)ctx;
	if (geteuid() != 0 || !program_there("iptables-restore"))       /* iptables wants to be root, in a user namespace as well */
		return CANNOT_HERE;
	node_begin(&n, "flannel");
	for (int k = 0; ok && k < 3; k++) {             /* messages, text, messages */
		struct ruleset *rs;
		const table_h *nft;
		uint32_t nr = 0;

		node_compile(&n);
		rs = node_rules(&n);
		nft = nf_tables_in_order(rs, n.g.x.a, &nr);
		ok = nr > 0;
		if (ok && k == 1)
			rule_raw(rule_begin(rs, ruleset_chain(rs, nft[0], "read")), "meta cpu 1 drop");
		ok = ok && node_sync(&n) && n.err.nr == (k > 0) && says("meta cpu 1 drop", &n.err) == (k == 1) && as_loaded_anew(&n, "FLANNEL-POSTRTG");
	}
	return node_end(&n, ok);
}

TEST(rules_of_iptables_come_back_where_text_gives_way)
{
	in_child(beside_iptables, NULL);
}
