/* Rules by netlink against rules by nft: made and changed by messages, they are listed as if nft had read their text. */
#include "model/dataplane/packet.h"
#include "sim/linux/nf_batch.h"
#include "tests/differential/nf_listing.h"
#include "tests/unit/play.h"

/* ---- random clusters */

static int random_clusters(void *ctx)
{
	static const char *const networks[] = { "calico", "bridge" };
	struct err err = { 0 };
	uint32_t changes = 0;
	bool ok = true;

	(void)ctx;
	for (uint32_t seed = 0; ok && seed < 6; seed++) {
		struct play g = { .state = 900 + seed, .mode = "nftables", .cni = networks[seed % 2], .dual = seed % 3 == 1 };
		struct nf_kept *kept = NULL;
		int fd = new_namespace() ? nf_open("here", &err) : -1;

		play_begin(&g);
		for (uint32_t step = 0; ok && step < 40; step++) {
			struct dataplane *dp = dataplane_compile(g.x.c, NULL);
			const char *why = NULL, *what = "";

			NETNS_EACH(dp, h) {
				const struct netns *ns = netns_get(dp, (netns_h){ h });
				struct nf_change change = { .rs = ns->rules, .from = kept, .fd = fd, .where = ns->name };
				struct nf_kept *now = NULL;
				enum nf_done done;

				if (strcmp(ns->name, "node/n1") != 0)
					continue;
				dataplane_node_ready(dp, (netns_h){ h });
				change.rs = netns_get(dp, (netns_h){ h })->rules;
				done = nf_sync(&change, &now, &why, &err);
				ok = done == NF_CHANGED || done == NF_SAME;
				if (ok && step)
					changes += done == NF_CHANGED;
				nf_kept_free(kept);
				kept = now;
				ok = ok && (step % 2 || as_nft_makes_it(change.rs, &err));
			}
			dataplane_free(dp);
			for (int k = 0; ok && k < 4; k++)
				what = play_change(&g);
			if (!ok)
				fprintf(stderr, "\nseed %u step %u, behind %s%s%s\n", seed, step, what, why ? ": cannot be told: " : "", why ? why : "");
		}
		nf_kept_free(kept);
		close(fd);
		cell_free(&g.x);
	}
	err_print(&err, stderr);
	err_free(&err);
	return ok && changes > 60 ? SAME : DIFFERENT;
}

TEST(rules_by_netlink_are_listed_as_nfts)
{
	in_child(random_clusters, NULL);
}

/* ---- by hand */

static ip_addr ip(const char *s)
{
	ip_addr a = { 0, 0 };

	ip_parse(s, &a);
	return a;
}

static struct cidr cidr(const char *s)
{
	struct cidr c = { 0 };

	cidr_parse(s, &c);
	return c;
}

struct own { struct arena *a; struct ruleset *rs; struct strtab *strings; table_h t; chain_h base; };

static struct own own_rules(enum nf_family family)
{
	struct own o = { .a = arena_new(NULL, "rules") };

	o.strings = strtab_new(o.a);
	o.rs = ruleset_new(o.a, o.strings, NULL);
	o.t = ruleset_table(o.rs, family, "own", false);
	o.base = ruleset_chain(o.rs, o.t, "in");
	ruleset_base_chain(o.rs, o.base, HOOK_INPUT, NFT_FILTER, -5, OP_DROP);
	return o;
}

/* Every op, in both families. */
static struct own every_op(enum nf_family family)
{
	static const uint8_t ports[] = { PF_DPORT }, addresses[] = { PF_SADDR }, pairs[] = { PF_SADDR, PF_DADDR, PF_L4PROTO, PF_SPORT }, numbers[] = { PF_REGISTER };
	bool six = family == NF_IP6;
	struct own o = own_rules(family);
	ip_addr one = ip(six ? "fd00::1" : "10.0.0.1"), two = ip(six ? "fd00::9" : "10.0.0.9");
	const char *wide = six ? "fd00:0:0:8000::/49" : "10.128.0.0/9", *bytes = six ? "fd00::/64" : "10.1.0.0/16";
	set_h learned = ruleset_set(o.rs, o.t, "learned", SET_PLAIN, SETF_DYNAMIC | SETF_TIMEOUT, addresses, 1), nets = ruleset_set(o.rs, o.t, "nets", SET_PLAIN, SETF_INTERVAL, addresses, 1),
	      known = ruleset_set(o.rs, o.t, "known", SET_PLAIN, 0, pairs, 4), way = ruleset_set(o.rs, o.t, "way", SET_VMAP, 0, ports, 1), choice, few;
	chain_h nat = ruleset_chain(o.rs, o.t, "nat-out"), pre = ruleset_chain(o.rs, o.t, "nat-in"), other = ruleset_chain(o.rs, o.t, "other");
	struct rw w;

	ruleset_base_chain(o.rs, nat, HOOK_POSTROUTING, NFT_NAT, 100, OP_ACCEPT);
	ruleset_base_chain(o.rs, pre, HOOK_PREROUTING, NFT_NAT, -100, OP_ACCEPT);
	o.rs->sets.v[learned.i].timeout = 60;
	o.rs->sets.v[known.i].comment = "pairs that are known";
	o.rs->tables.v[o.t.i].comment = "all of it";
	set_add_cidr(o.rs, nets, cidr(bytes));
	set_add_cidr(o.rs, nets, cidr(wide));
	set_add_cidr(o.rs, nets, cidr(six ? "ff00::/8" : "240.0.0.0/4"));
	set_add(o.rs, known, (ip_addr[]){ one, two, word(PROTO_UDP), word(53) });
	set_add_verdict(o.rs, way, (ip_addr[]){ word(80) }, OP_JUMP, other)->comment = "to the other";
	set_add_verdict(o.rs, way, (ip_addr[]){ word(81) }, OP_DROP, (chain_h){ 0 });
	w = rule_begin(o.rs, o.base), w_addr(w, PF_SADDR, REL_EQ, one), w_addr(w, PF_DADDR, REL_NE, two), w_verdict(w, OP_ACCEPT), rule_comment(w, "from one");
	w = rule_begin(o.rs, o.base), w_cidr(w, PF_SADDR, true, cidr(bytes)), w_cidr(w, PF_DADDR, false, cidr(wide)), w_verdict(w, OP_RETURN);
	w = rule_begin(o.rs, o.base), w_cidr(w, PF_SADDR, true, cidr(six ? "::/0" : "0.0.0.0/0")), w_verdict(w, OP_DROP);
	w = rule_begin(o.rs, o.base), w_addr(w, PF_CT_DNATED_FROM, REL_EQ, one), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_name(w, PF_IIFNAME, REL_EQ, "eth0"), w_name(w, PF_OIFNAME, REL_NOT_NAME_PREFIX, "cali"), w_log(w, "here "), w_jump(w, other);
	w = rule_begin(o.rs, o.base), w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0), w_num(w, PF_DPORT, REL_IN, 80, 90), w_num(w, PF_SPORT, REL_NOT_IN, 1, 1023), w_goto(w, other);
	w = rule_begin(o.rs, o.base), w_num(w, PF_L4PROTO, REL_NE, PROTO_SCTP, 0), w_num(w, PF_DPORT, REL_NE, 22, 0), w_reject(w, REJECT_ADMIN);
	w = rule_begin(o.rs, o.base), w_num(w, PF_CT_STATE, REL_IN, CT_ESTABLISHED | CT_RELATED, 0), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_num(w, PF_CT_STATE, REL_NE, CT_NEW, 0), w_num(w, PF_CT_STATUS, REL_EQ, CTS_DNAT, 0), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_num(w, PF_MARK, REL_EQ, 7, 0), w_num(w, PF_CT_MARK, REL_EQ, 9, 0), w_num(w, PF_SKUID, REL_EQ, 1337, 0), w_verdict(w, OP_DROP);
	w = rule_begin(o.rs, o.base), w_num(w, PF_MARK, REL_MASK_EQ, 0xff00, 0x4200), w_num(w, PF_MARK, REL_MASK_NE, 0xff, 0), w_verdict(w, OP_DROP);
	w = rule_begin(o.rs, o.base), w_num(w, PF_ICMP_TYPE, REL_EQ, six ? 135 : 8, 0), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_mark(w, ~0x10u, 0x10), w_mark(w, 0xffff, 0), w_mark(w, UINT32_MAX, 4), w_mark(w, 0, 5), w_ctmark(w, CTM_SAVE, 0, UINT32_MAX), w_ctmark(w, CTM_RESTORE, 0, UINT32_MAX);
	w = rule_begin(o.rs, o.base), w_fib(w, FIB_DADDR_LOCAL, true), w_fib(w, FIB_SADDR_LOCAL, false), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_lookup(w, nets, true, 1, PF_SADDR), w_lookup(w, nets, false, 1, PF_DADDR), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_lookup(w, known, true, 4, PF_SADDR, PF_DADDR, PF_L4PROTO, PF_SPORT), w_lookup(w, learned, true, 1, PF_SADDR), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_update(w, learned, 0, 1, PF_SADDR);
	w = rule_begin(o.rs, o.base), w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0), w_lookup(w, way, true, 1, PF_DPORT);
	w = rule_begin(o.rs, o.base), w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0), w_reject(w, REJECT_TCP_RESET);
	w = rule_begin(o.rs, o.base), w_chance(w, 1, 3), w_reject(w, REJECT_DEFAULT);
	few = ruleset_set(o.rs, o.t, NULL, SET_PLAIN, SETF_INTERVAL, addresses, 1);
	set_add_cidr(o.rs, few, cidr(bytes));
	set_add_cidr(o.rs, few, cidr(wide));
	w = rule_begin(o.rs, other), w_lookup(w, few, false, 1, PF_SADDR), w_verdict(w, OP_DROP);
	choice = ruleset_set(o.rs, o.t, NULL, SET_MAP, 0, numbers, 1);
	set_add_value(o.rs, choice, (ip_addr[]){ word(0) }, one, 8080);
	set_add_value(o.rs, choice, (ip_addr[]){ word(1) }, two, 8081);
	w = rule_begin(o.rs, pre), w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0), w_choose(w, 2), w_lookup(w, choice, true, 1, PF_REGISTER), w_dnat_register(w);
	w = rule_begin(o.rs, pre), w_num(w, PF_L4PROTO, REL_EQ, PROTO_UDP, 0), w_dnat(w, one, 53);
	w = rule_begin(o.rs, pre), w_dnat(w, one, 0);
	w = rule_begin(o.rs, pre), w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0), w_redirect(w, 15001);
	w = rule_begin(o.rs, nat), w_snat(w, two, 0);
	w = rule_begin(o.rs, nat), w_masquerade(w, true);
	w = rule_begin(o.rs, nat), w_masquerade(w, false);
	ruleset_finish(o.rs);
	return o;
}

static void own_free(struct own *o)
{
	arena_free(o->a);
}

static bool sync_to(const struct ruleset *rs, int fd, struct nf_kept **kept, struct err *err)
{
	struct nf_change change = { .rs = rs, .from = *kept, .fd = fd, .where = "here" };
	struct nf_kept *now = NULL;
	const char *why = NULL;
	enum nf_done done = nf_sync(&change, &now, &why, err);

	if (why)
		fprintf(stderr, "\ncannot be told: %s\n", why);
	nf_kept_free(*kept);
	*kept = now;
	return done == NF_CHANGED;
}

/* One after the other in a namespace that has nothing yet, and after each all is as nft makes it. They are freed. */
static bool listed_as_nfts(struct own *const steps[], size_t nr)
{
	struct err err = { 0 };
	struct nf_kept *kept = NULL;
	int fd = new_namespace() ? nf_open("here", &err) : -1;
	bool ok = fd >= 0;

	for (size_t k = 0; ok && k < nr; k++)
		ok = sync_to(steps[k]->rs, fd, &kept, &err) && as_nft_makes_it(steps[k]->rs, &err);
	err_print(&err, stderr);
	err_free(&err);
	nf_kept_free(kept);
	close(fd);
	return ok;
}

static int all_ops(void *ctx)
{
	bool ok = true;

	(void)ctx;
	for (int six = 0; six < 2; six++) {
		struct own o = every_op(six ? NF_IP6 : NF_IP);

		ok = listed_as_nfts((struct own *[]){ &o }, 1) && ok;
		own_free(&o);
	}
	return ok ? SAME : DIFFERENT;
}

TEST(every_op_by_netlink_is_listed_as_nfts)
{
	in_child(all_ops, NULL);
}

/* An anonymous set of one element: nft makes a plain comparison of it. */
static int lone_elements(void *ctx)
{
	static const uint8_t source[] = { PF_SADDR }, port[] = { PF_DPORT };
	struct own o = own_rules(NF_IP);
	struct rw w;
	bool ok;

	(void)ctx;
	for (uint32_t k = 0; k < 8; k++) {
		set_h s = ruleset_set(o.rs, o.t, NULL, SET_PLAIN, SETF_INTERVAL, source, 1);

		set_add_cidr(o.rs, s, (struct cidr){ ip_mask(ip_from4(0x0af40a01), (uint8_t)(4 * k + 4)), (uint8_t)(4 * k + 4), true });
		w = rule_begin(o.rs, o.base), w_lookup(w, s, k % 2, 1, PF_SADDR), w_verdict(w, OP_DROP);
	}
	for (uint32_t k = 1; k < 3; k++) {
		set_h s = ruleset_set(o.rs, o.t, NULL, SET_PLAIN, 0, port, 1);

		for (uint32_t i = 0; i < k; i++)
			set_add(o.rs, s, (ip_addr[]){ word(80 + i) });
		w = rule_begin(o.rs, o.base), w_num(w, PF_L4PROTO, REL_EQ, PROTO_TCP, 0), w_lookup(w, s, true, 1, PF_DPORT), w_verdict(w, OP_ACCEPT);
	}
	ruleset_finish(o.rs);
	ok = listed_as_nfts((struct own *[]){ &o }, 1);
	own_free(&o);
	return ok ? SAME : DIFFERENT;
}

TEST(a_set_of_one_element_is_a_comparison)
{
	in_child(lone_elements, NULL);
}

/* Many anonymous sets: more than one transaction takes; and a map of more elements than one message takes. Then all but a few go. (Without root nft itself takes no more.) */
static struct own many(uint32_t nr)
{
	static const uint8_t numbers[] = { PF_REGISTER }, addresses[] = { PF_DADDR };
	struct own o = own_rules(NF_IP);
	set_h ways = ruleset_set(o.rs, o.t, "ways", SET_VMAP, 0, addresses, 1);
	struct rw w = rule_begin(o.rs, o.base);

	w_lookup(w, ways, true, 1, PF_DADDR);
	for (uint32_t k = 0; k < nr; k++) {
		chain_h c = ruleset_chain(o.rs, o.t, arena_printf(o.a, "one-of-many-%u", k));
		set_h choice = ruleset_set(o.rs, o.t, NULL, SET_VMAP, 0, numbers, 1);

		set_add_verdict(o.rs, choice, (ip_addr[]){ word(0) }, OP_ACCEPT, (chain_h){ 0 });
		set_add_verdict(o.rs, choice, (ip_addr[]){ word(1) }, OP_DROP, (chain_h){ 0 });
		w = rule_begin(o.rs, c), w_choose(w, 2), w_lookup(w, choice, true, 1, PF_REGISTER);
		set_add_verdict(o.rs, ways, (ip_addr[]){ ip_from4(0x0a000000u + k) }, OP_GOTO, c)->comment = arena_printf(o.a, "the way of %u, of which there are many, so that one message cannot hold them all: it is a long comment", k);
	}
	ruleset_finish(o.rs);
	return o;
}

static int many_sets(void *ctx)
{
	struct own most = many(250), few = many(3);
	bool ok = listed_as_nfts((struct own *[]){ &most, &few, &most }, 3);

	(void)ctx;
	own_free(&most);
	own_free(&few);
	return ok ? SAME : DIFFERENT;
}

TEST(many_anonymous_sets_go_in_several_transactions)
{
	in_child(many_sets, NULL);
}

TEST(a_listing_that_says_an_element_twice_is_known)
{
	static const char one[] = "table ip a {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.0 comment \"a, } b\",\n\t\t\t     10.0.0.1 }\n\t}\n\tset t {\n\t\telements = { 10.0.0.0%s }\n\t}\n}\n",
			  json[] = "{\"nftables\": [{\"map\": {\"elem\": [[{\"elem\": {\"val\": \"10.0.0.0\"}}, {\"accept\": null}], [\"10.0.0.1\", {\"accept\": null}]%s]}}]}";
	char text[512];

	CU_ASSERT_FALSE(nft_says_twice(""));
	snprintf(text, sizeof(text), one, "");
	CU_ASSERT_FALSE(nft_says_twice(text));
	snprintf(text, sizeof(text), one, ", 10.0.0.3,\n\t\t\t     10.0.0.0");
	CU_ASSERT_TRUE(nft_says_twice(text));
	snprintf(text, sizeof(text), json, "");
	CU_ASSERT_FALSE(nft_says_twice(text));
	snprintf(text, sizeof(text), json, ", [\"10.0.0.1\", {\"accept\": null}]");
	CU_ASSERT_TRUE(nft_says_twice(text));
}

/* ---- what goes wrong */

static int refused(void *ctx)
{
	struct own o = own_rules(NF_IP), good = own_rules(NF_IP);
	struct err err = { 0 };
	struct nf_kept *kept = NULL;
	struct sb text = { 0 }, json = { 0 };
	int fd = nf_open("here", &err);
	bool ok = true;
	struct rw w;

	(void)ctx;
	w = rule_begin(o.rs, o.base), w_verdict(w, OP_ACCEPT);
	w = rule_begin(o.rs, o.base), w_addr(w, PF_DADDR, REL_EQ, ip("10.9.8.7")), w_masquerade(w, true);       /* in a filter chain */
	ruleset_finish(o.rs);
	ruleset_finish(good.rs);
	ok = !sync_to(o.rs, fd, &kept, &err) && err.nr == 1 && strstr(err.v[0].text, "rule of chain in in table ip own \"ip daddr 10.9.8.7 masquerade fully-random\": ");
	if (!ok)
		err_print(&err, stderr);
	ok = ok && listed(&text, &json, &err) && !text.len;
	ok = ok && sync_to(good.rs, fd, &kept, &err) && as_nft_makes_it(good.rs, &err);
	sb_free(&text);
	sb_free(&json);
	err_free(&err);
	nf_kept_free(kept);
	close(fd);
	own_free(&o);
	own_free(&good);
	return ok ? SAME : DIFFERENT;
}

TEST(an_error_of_the_kernel_names_the_rule)
{
	in_child(refused, NULL);
}

static int untold(void *ctx)
{
	struct own o = many(200);
	struct nf_change change = { .rs = o.rs, .where = "here" };
	struct nf_kept *kept = NULL;
	struct sb text = { 0 }, json = { 0 };
	struct err err = { 0 };
	const char *why = NULL;
	struct rw w = rule_begin(o.rs, o.base);
	bool ok;

	(void)ctx;
	rule_raw(w, "meta cpu 1 drop");
	ruleset_finish(o.rs);
	change.fd = nf_open("here", &err);
	ok = nf_sync(&change, &kept, &why, &err) == NF_CANNOT && why && strstr(why, "read from a node") && !kept && listed(&text, &json, &err) && !text.len;
	sb_free(&text);
	sb_free(&json);
	err_free(&err);
	close(change.fd);
	own_free(&o);
	return ok ? SAME : DIFFERENT;
}

TEST(what_has_no_spelling_is_left_undone)
{
	in_child(untold, NULL);
}
