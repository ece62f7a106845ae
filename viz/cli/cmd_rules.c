/* rules and show: what Linux is told and what it then has, as the tools of a real node print it. */
#include "model/l7/haproxy.h"
#include "viz/cli/captured.h"
#include "viz/report/rules_json.h"
#include "viz/report/trace_report.h"

struct causes { struct world *world; };

static void print_cause(void *ctx, cause_h h, struct sb *out)
{
	cause_text(((struct causes *)ctx)->world, h, out);
}

static bool wanted(const struct cli *cli, const struct netns *ns)
{
	return ns->kind == NS_NODE && (!cli->node || strcmp(cli->node, ns->hostname) == 0);
}

static void one_node(struct cli *cli, struct world *w, struct netns *ns, bool nft, struct sb *out)
{
	struct causes causes = { w };
	struct print_rules how = { .causes = cli->causes, .comments = true };

	if (nft) {
		print_nft(ns->rules, &how, print_cause, &causes, out);
		return;
	}
	print_iptables(ns->rules, NF_IP, &how, print_cause, &causes, out);
	print_iptables(ns->rules, NF_IP6, &how, print_cause, &causes, out);
}

static bool default_is_nft(struct world *w)
{
	return cluster_settings(w->cluster)->proxy_mode != PROXY_IPTABLES;
}

static enum err_kind print_rules(struct cli *cli, struct world *w, struct err *err)
{
	struct dataplane *dp = world_dataplane(w);
	bool ip = cli_output_is(cli, "ip"), bird = cli_output_is(cli, "bird"), iptables = cli_output_is(cli, "iptables"), nft = cli_output_is(cli, "nft");
	struct sb out = { 0 };
	uint32_t nr = 0;
	bool any = false;

	if (!ip && !bird && !iptables && !nft) {
		nft = default_is_nft(w);
		iptables = !nft;
	}
	NETNS_EACH(dp, k) {
		struct netns *ns = netns_get(dp, (netns_h){ k });
		size_t before;

		if (ip ? cli->node && !wanted(cli, ns) && !(ns->node.i && wanted(cli, netns_get(dp, ns->node))) : !wanted(cli, ns))
			continue;
		if (!cli->node && cluster_count(w->cluster, &node_kind) > 1)
			sb_printf(&out, bird ? "%s" : "%s# %s\n", nr ? "\n" : "", ns->name);
		nr++;
		if (ip) {
			print_ip(dp, (netns_h){ k }, &out);
		} else if (bird) {
			print_bird(w->cluster, dp, (netns_h){ k }, &out);
		} else {
			dataplane_node_ready(dp, (netns_h){ k });
			before = out.len;
			one_node(cli, w, ns, nft, &out);
			any = any || out.len > before;
		}
		fputs(sb_text(&out), cli->to);
		sb_reset(&out);
	}
	sb_free(&out);
	if (!nr && cli->node)
		err_add(err, ERR_FAILED, NULL, "nodes \"%s\" not found", cli->node);
	else if (!nr)
		err_add(err, ERR_FAILED, NULL, "the cluster has no node");
	else if (!ip && !bird && !any)
		err_warn(err, NULL, "there is no rule for %s: kube-proxy and the Pod network of this cluster write %s; -o %s shows that", nft ? "nft" : "iptables",
			 default_is_nft(w) ? "nftables" : "iptables", default_is_nft(w) ? "nft" : "iptables");
	return err_kind(err);
}

/* What runs in the Pods of controllers and Gateways when the lab is up. */
static enum err_kind print_haproxies(struct cli *cli, struct world *w, struct err *err)
{
	uint32_t nr[2], shown = 0;
	const char *why;
	const struct l7_plane *const all[] = { planes_list(w->cluster, cli->arena, &nr[0]), planes_sidecars(w->cluster, cli->arena, &nr[1], &why) };
	struct sb out = { 0 };

	for (int sidecars = 0; sidecars < 2; sidecars++)
		for (uint32_t k = 0; k < nr[sidecars]; k++)
			if (!cli->node || streq(cli->node, all[sidecars][k].pod->node)) {
				sb_add(&out, shown++ ? "\n" : "");
				haproxy_print(&all[sidecars][k], &out, cli->arena);
			}
	if (why)
		sb_printf(&out, "%s# No sidecar: %s\n", shown++ ? "\n" : "", why);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return shown ? ERR_NONE : (err_add(err, ERR_FAILED, NULL, "no running Pod%s serves Ingresses or Gateways%s", cli->node ? " of that node" : "",
					   nr[0] ? "" : ": --controller gives the cluster a controller"), err_kind(err));
}

enum err_kind cmd_rules(struct cli *cli, struct err *err)
{
	static const char *const forms[] = { "", "nft", "iptables", "ip", "sh", "bird", "haproxy", "json", NULL };
	struct world w;
	bool known = false;
	enum err_kind how = ERR_NONE;

	for (int k = 0; forms[k]; k++)
		known = known || cli_output_is(cli, forms[k]);
	if (!known)
		return cli_usage(cli, err, "-o: \"%s\" is not nft, iptables, ip, sh, bird, haproxy or json", cli->output);
	if (cli->dataplane && cli_output_is(cli, "bird"))
		return cli_usage(cli, err, "-o bird: a capture holds no BGPPeer and no IPPool; the configuration follows from objects (-f)");
	if (cli->dataplane && cli_output_is(cli, "haproxy"))
		return cli_usage(cli, err, "-o haproxy: a capture holds no Ingress and no Gateway; the configuration follows from objects (-f)");
	if (cli->dataplane)
		return captured_rules(cli, err);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	if (cli_output_is(cli, "sh")) {
		struct sb out = { 0 };

		print_sh(world_dataplane(&w), &out);
		fputs(sb_text(&out), cli->to);
		sb_free(&out);
	} else if (cli_output_is(cli, "haproxy")) {
		how = print_haproxies(cli, &w, err);
	} else if (cli_output_is(cli, "json")) {
		world_dataplane(&w);
		if (!rules_json_print(&w, cli->node, cli->causes, cli->to) && cli->node)
			err_add(err, ERR_FAILED, NULL, "nodes \"%s\" not found", cli->node);
		how = err_kind(err);
	} else {
		how = print_rules(cli, &w, err);
	}
	world_free(&w);
	return how;
}
