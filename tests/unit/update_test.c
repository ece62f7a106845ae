/* A dataplane that was kept up to date against one compiled anew, byte for byte, over random sequences of changes (play.h). */
#include "tests/unit/play.h"

/* ---- all of it as text */

struct causes { const struct dataplane *dp; struct cluster *c; };

static void cause_text(void *ctx, cause_h h, struct sb *out)
{
	const struct causes *x = ctx;

	for (const struct cause *c = cause_get(x->dp, h); c->object; c = cause_get(x->dp, c->because)) {
		const struct object *o = obj_get(x->c, (obj_h){ c->object });

		sb_printf(out, "%s %s/%s %s; ", o->kind->name, o->ns ? o->ns : "", o->name, c->path ? c->path : "");
	}
}

static void say_all(struct play *g, struct dataplane *dp, uint32_t only, struct sb *out)
{
	struct causes x = { dp, g->x.c };
	struct print_rules how = { .causes = true, .comments = true };
	static const char *const nowhere[] = { "203.0.113.7", "10.244.1.200", "10.244.2.201" };

	sb_reset(out);
	NETNS_EACH(dp, h) {
		const struct netns *ns;

		if (only && h_at % 3 != only - 1)
			continue;
		ns = netns_get(dp, (netns_h){ h });
		sb_printf(out, "== %s object %u\n", ns->name, ns->object);
		print_ip(dp, (netns_h){ h }, out);
		print_listeners(dp, (netns_h){ h }, out);
		dataplane_node_ready(dp, (netns_h){ h });
		if (netns_get(dp, (netns_h){ h })->rules) {
			print_nft(netns_get(dp, (netns_h){ h })->rules, &how, cause_text, &x, out);
			print_iptables(netns_get(dp, (netns_h){ h })->rules, NF_IP, &how, cause_text, &x, out);
			print_iptables(netns_get(dp, (netns_h){ h })->rules, NF_IP6, &how, cause_text, &x, out);
		}
	}
	for (size_t k = 0; k < ARRAY_LEN(nowhere); k++) {
		const struct assumed *v;
		uint32_t nr;
		ip_addr ip;

		ip_parse(nowhere[k], &ip);
		v = assumed_find(dp, ip, &nr);
		for (uint32_t i = 0; i < nr; i++)
			sb_printf(out, "assumed %s:%u at %s\n", IP(ip), v[i].port, v[i].node.i ? netns_get(dp, v[i].node)->name : "-");
	}
}

/* ---- */

static uint32_t played(struct play *g, uint32_t steps)
{
	struct dataplane *dp;
	struct sb have = { 0 }, want = { 0 }, log = { 0 };
	uint32_t taken = 0;

	play_begin(g);
	dp = dataplane_compile(g->x.c, NULL);
	for (uint32_t k = 0; k < steps; k++) {
		struct dataplane *anew;

		say_all(g, dp, below(g, 4), &have);     /* something is written, or all */
		for (uint32_t n = 1 + below(g, 3); n > 0; n--)
			sb_printf(&log, "%s, ", play_change(g));
		if (dataplane_update(dp)) {
			taken++;
		} else {
			dataplane_free(dp);
			dp = dataplane_compile(g->x.c, NULL);
		}
		if (below(g, 3))
			continue;
		anew = dataplane_compile(g->x.c, NULL);
		say_all(g, dp, 0, &have);
		say_all(g, anew, 0, &want);
		dataplane_free(anew);
		if (!test_same_text(__FILE__, __LINE__, sb_text(&have), sb_text(&want))) {
			CU_FAIL("updated and compiled anew differ");
			fprintf(stderr, "\n%s %s step %u: %s\n", g->mode, g->cni, k, sb_text(&log));
			break;
		}
		sb_reset(&log);
	}
	dataplane_free(dp);
	cell_free(&g->x);
	sb_free(&have);
	sb_free(&want);
	sb_free(&log);
	return taken;
}

TEST(updated_is_as_compiled_anew)
{
	static const char *const modes[] = { "nftables", "iptables" }, *const networks[] = { "calico", "bridge", "flannel", "none" };
	uint32_t taken = 0, steps = 40;

	for (uint32_t seed = 0; seed < 4; seed++)
		for (size_t m = 0; m < ARRAY_LEN(modes); m++)
			for (size_t n = 0; n < ARRAY_LEN(networks); n++) {
				struct play g = { .state = 1 + seed + 10 * n, .mode = modes[m], .cni = networks[n], .dual = seed % 2, .alike = seed < 2 };

				taken += played(&g, steps);
			}
	CU_ASSERT(taken > 32 * steps / 2);         /* the others were compiled anew */
}
