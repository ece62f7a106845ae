#include "viz/cli/captured.h"

#include "model/cluster/proxy_view.h"
#include "viz/report/rules_json.h"

#include <stdlib.h>

static bool node_ips(struct cli *cli, struct capture_options *opt, struct err *err)
{
	VEC(ip_addr) ips = { 0 };

	for (const char *s = cli->node_ip; s && *s; s += strcspn(s, ",") + (s[strcspn(s, ",")] == ',')) {
		ip_addr ip;

		if (!ip_parse_n(s, strcspn(s, ","), &ip))
			return err_add(err, ERR_INPUT, NULL, "--node-ip: \"%.*s\" is not an address", (int)strcspn(s, ","), s);
		vec_add(cli->arena, &ips, ip);
	}
	opt->node_ips = ips.v;
	opt->nr_node_ips = ips.nr;
	return true;
}

bool captured_open(struct cli *cli, struct capture *c, struct world *w, struct err *err)
{
	struct capture_options opt = { 0 };
	struct world_options none = { .seed = 1, .flags = { .no_defaults = true } };
	uint32_t told = 0;

	if (cli->files.nr)
		return cli_usage(cli, err, "--dataplane asks captured nodes, -f asks objects: one of them") == ERR_NONE;
	if (!cli_world_options(cli, &none, err) || !node_ips(cli, &opt, err) || !capture_read(cli->dataplane, &opt, NULL, c, err))
		return false;
	world_init(w, &none);
	w->dp = c->dp;
	w->dp_rev = cluster_rev(w->cluster);
	w->dp_views = cluster_proxy_views(w->cluster);
	for (uint32_t k = 0; k < c->notes.nr; k++) {
		const struct capture_note *n = &c->notes.v[k];

		if (n->kind != NOTE_MISSING && !cli->verbose)
			continue;
		if (!cli->verbose && ++told > 6) {
			err_warn(err, NULL, "and more is missing: podwire show capture --dataplane %s says what", cli->dataplane);
			break;
		}
		err_warn(err, &(struct where){ .file = n->file, .line = n->line }, "%s of %s: %s", note_kinds[n->kind], n->node, n->text);
	}
	return true;
}

void captured_close(struct capture *c, struct world *w)
{
	w->dp = NULL;
	world_free(w);
	capture_free(c);
}

static bool wanted(const struct cli *cli, const struct netns *ns)
{
	return !cli->node || streq(ns->hostname, cli->node);
}

/* ---- rules */

static bool has_table(const struct ruleset *rs, bool iptables)
{
	for (uint32_t k = 1; k <= ruleset_nr_tables(rs); k++)
		if (ruleset_table_get(rs, (table_h){ k })->iptables == iptables && !ruleset_table_get(rs, (table_h){ k })->hidden)
			return true;
	return false;
}

/* With -o nft or iptables: not as they were read, but as podwire understood them. */
static void forget_texts(const struct ruleset *rs)
{
	for (uint32_t k = 1; k <= ruleset_nr_chains(rs); k++) {
		const struct chain_body *b = chain_body(rs, (chain_h){ k }, NULL);

		for (uint32_t i = 0; i < b->rules.nr; i++)
			b->rules.v[i].raw = NULL;
	}
}

static void print_node(struct cli *cli, struct dataplane *dp, netns_h h, struct sb *out)
{
	const struct netns *ns = netns_get(dp, h);
	struct print_rules how = { .comments = true };

	if (cli_output_is(cli, "ip")) {
		print_ip(dp, h, out);
		return;
	}
	if (!cli_output_is(cli, ""))
		forget_texts(ns->rules);
	if (!cli_output_is(cli, "iptables") && has_table(ns->rules, false))
		print_nft(ns->rules, &how, NULL, NULL, out);
	if (!cli_output_is(cli, "nft") && has_table(ns->rules, true)) {
		print_iptables(ns->rules, NF_IP, &how, NULL, NULL, out);
		print_iptables(ns->rules, NF_IP6, &how, NULL, NULL, out);
	}
}

enum err_kind captured_rules(struct cli *cli, struct err *err)
{
	struct capture c;
	struct world w;
	struct sb out = { 0 };
	uint32_t nr = 0;

	if (!captured_open(cli, &c, &w, err))
		return err_kind(err);
	if (cli_output_is(cli, "json"))
		nr = rules_json_print(&w, cli->node, cli->causes, cli->to);
	for (uint32_t k = 1; k < c.dp->netns.nr && !cli_output_is(cli, "json"); k++) {
		if (!wanted(cli, netns_get(c.dp, (netns_h){ k })))
			continue;
		if (c.dp->netns.nr > 2 && !cli->node)
			sb_printf(&out, "# %s\n", netns_get(c.dp, (netns_h){ k })->name);
		print_node(cli, c.dp, (netns_h){ k }, &out);
		nr++;
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	if (!nr)
		err_add(err, ERR_FAILED, NULL, "nodes \"%s\" not found in the capture", cli->node);
	captured_close(&c, &w);
	return err_kind(err);
}

/* ---- show */

static struct val *text_val(struct arena *a, const char *s)
{
	return s ? val_string(a, s) : val_new(a, VAL_NULL);
}

static void capture_json_out(struct cli *cli, const struct capture *c, struct sb *out)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP), *nodes = val_put(a, v, "nodes", val_new(a, VAL_LIST)), *sources = val_put(a, v, "sources", val_new(a, VAL_LIST)),
		   *notes = val_put(a, v, "notes", val_new(a, VAL_LIST)), *sets = val_put(a, v, "missingSets", val_new(a, VAL_LIST));

	for (uint32_t k = 1; k < c->dp->netns.nr; k++)
		val_add(a, nodes, val_string(a, netns_get(c->dp, (netns_h){ k })->hostname));
	for (uint32_t k = 0; k < c->sources.nr; k++) {
		struct val *s = val_add(a, sources, val_new(a, VAL_MAP));

		val_put(a, s, "node", val_string(a, c->sources.v[k].node));
		val_put(a, s, "file", val_string(a, c->sources.v[k].file));
		val_put(a, s, "line", val_int(a, c->sources.v[k].line));
		val_put(a, s, "what", val_string(a, c->sources.v[k].what));
	}
	for (uint32_t k = 0; k < c->notes.nr; k++) {
		struct val *n = val_add(a, notes, val_new(a, VAL_MAP));

		val_put(a, n, "kind", val_string(a, note_kinds[c->notes.v[k].kind]));
		val_put(a, n, "node", val_string(a, c->notes.v[k].node));
		val_put(a, n, "file", text_val(a, c->notes.v[k].file));
		val_put(a, n, "line", val_int(a, c->notes.v[k].line));
		val_put(a, n, "text", val_string(a, c->notes.v[k].text));
	}
	for (uint32_t k = 0; k < c->missing_sets.nr; k++)
		val_add(a, sets, val_string(a, c->missing_sets.v[k]));
	val_print_json(v, out, 2, false);
	sb_addc(out, '\n');
}

static void show_capture(struct cli *cli, const struct capture *c, struct sb *out)
{
	if (cli_output_is(cli, "json")) {
		capture_json_out(cli, c, out);
		return;
	}
	for (uint32_t k = 1; k < c->dp->netns.nr; k++) {
		const struct netns *ns = netns_get(c->dp, (netns_h){ k });

		sb_printf(out, "%s: %u links, %u routes, %u ip rules, %u chains with %u rules, %u sets\n", ns->name, ns->links.nr, ns->routes.nr, ns->ip_rules.nr, ruleset_nr_chains(ns->rules),
			  ruleset_nr_rules(ns->rules), ruleset_nr_sets(ns->rules));
		for (uint32_t i = 0; i < c->sources.nr; i++)
			if (c->sources.v[i].node == ns->hostname)
				sb_printf(out, "  read     %s:%u: %s\n", c->sources.v[i].file, c->sources.v[i].line, c->sources.v[i].what);
		for (uint32_t i = 0; i < c->notes.nr; i++) {
			const struct capture_note *n = &c->notes.v[i];

			if (n->node != ns->hostname)
				continue;
			sb_printf(out, "  %-8s ", note_kinds[n->kind]);
			if (n->file)
				sb_printf(out, "%s:%u: ", n->file, n->line);
			sb_add_shown(out, n->text, true);
			sb_addc(out, '\n');
		}
	}
	if (c->missing_sets.nr)
		sb_printf(out, "%u ipset%s that rules ask, without members in the capture\n", c->missing_sets.nr, c->missing_sets.nr == 1 ? "" : "s");
}

/* As `ip route get`, with the table. */
static void route_get(struct cli *cli, const struct capture *c, netns_h h, ip_addr dst, struct sb *out, struct err *err)
{
	struct flow_key f = { .dst = dst, .iif = cli->in ? str_find(c->dp->strings, cli->in) : NULL };
	const char *why = NULL;
	struct route r;
	int found;

	if (cli->in && !f.iif) {
		err_add(err, ERR_FAILED, NULL, "--in: the capture knows no interface \"%s\"", cli->in);
		return;
	}
	if (route_is_local(c->dp, h, &f)) {
		sb_printf(out, "local %s dev lo table local\n", IP(dst));
		return;
	}
	found = route_lookup_flow(c->dp, h, &f, &r, &why);
	if (found < 0 || (found == 0 && netns_get(c->dp, h)->routes_unknown & (ip_is4(dst) ? 1 : 2))) {
		err_add(err, ERR_UNKNOWN, NULL, "cannot tell: %s", found < 0 ? why : "the routes are not in the capture");
	} else if (found == 0) {
		err_add(err, ERR_FAILED, NULL, "%s has no route to %s", netns_get(c->dp, h)->name, IP(dst));
	} else {
		ip_addr hop = ip_set(r.via) ? r.via : dst;

		if (!r.table)
			r.table = TABLE_MAIN;
		print_route(c->dp, &r, out);
		if (out->len)
			out->s[--out->len] = '\0';
		if (r.table == TABLE_MAIN)
			sb_add(out, " table main");
		if (!ip_set(r.src) && r.dev.i)
			sb_printf(out, " from %s", IP(source_for(c->dp, h, &r, dst)));
		for (uint32_t k = 0; k < c->dp->neighs.nr; k++)
			if (c->dp->neighs.v[k].dev.i == r.dev.i && ip_eq(c->dp->neighs.v[k].ip, hop)) {
				const uint8_t *m = c->dp->neighs.v[k].mac;

				sb_printf(out, " lladdr %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
				break;
			}
		if (ip_set(r.encap))
			sb_printf(out, " vtep %s", IP(r.encap));
		sb_addc(out, '\n');
	}
}

static void neighbours(const struct capture *c, netns_h h, struct sb *out)
{
	for (uint32_t k = 0; k < c->dp->neighs.nr; k++) {
		const struct neigh *n = &c->dp->neighs.v[k];

		if (link_get(c->dp, n->dev)->netns.i == h.i)
			print_neigh(n->ip, link_get(c->dp, n->dev)->name, n->failed ? NULL : n->mac, n->failed ? "FAILED" : "", out);
	}
}

static bool one(struct cli *cli, const struct capture *c, netns_h h, const char *what, struct sb *out, struct err *err)
{
	ip_addr dst;

	if (strcmp(what, "routes") == 0) {
		print_routes(c->dp, h, out);
	} else if (strcmp(what, "links") == 0) {
		print_links(c->dp, h, out);
	} else if (strcmp(what, "listeners") == 0) {
		print_listeners(c->dp, h, out);
	} else if (strcmp(what, "neigh") == 0) {
		neighbours(c, h, out);
	} else if (strcmp(what, "route") == 0) {
		if (cli->args.nr != 2 || !ip_parse(cli->args.v[1], &dst))
			return cli_usage(cli, err, "show route needs an address") == ERR_NONE;
		route_get(cli, c, h, dst, out, err);
	} else {
		return cli_usage(cli, err, "\"%s\" is not capture, routes, route ADDR, links, neigh or listeners", what) == ERR_NONE;
	}
	return true;
}

enum err_kind captured_show(struct cli *cli, struct err *err)
{
	const char *what = cli->args.v[0];
	struct capture c;
	struct world w;
	struct sb out = { 0 };

	if (!captured_open(cli, &c, &w, err))
		return err_kind(err);
	if (strcmp(what, "capture") == 0)
		show_capture(cli, &c, &out);
	else
		for (uint32_t k = 1; k < c.dp->netns.nr; k++) {
			if (!wanted(cli, netns_get(c.dp, (netns_h){ k })))
				continue;
			if (c.dp->netns.nr > 2 && !cli->node)
				sb_printf(&out, "# %s\n", netns_get(c.dp, (netns_h){ k })->name);
			if (!one(cli, &c, (netns_h){ k }, what, &out, err))
				break;
		}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	captured_close(&c, &w);
	return err_kind(err);
}
