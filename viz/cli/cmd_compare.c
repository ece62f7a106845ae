/* compare A B: which connections change between two sets of manifests. compare --cni X,Y -f …: one set of manifests on several Pod networks, side by side. */
#include <stdlib.h>

#include "sim/compare/connections.h"
#include "viz/cli/captured.h"
#include "viz/report/table.h"

/* ---- two sets of manifests */

static struct val *side_json(struct arena *a, const struct connection *c)
{
	struct val *v;

	if (!c)
		return val_new(a, VAL_NULL);
	v = val_new(a, VAL_MAP);
	val_put(a, v, "works", val_bool(a, c->works));
	val_put(a, v, "what", val_string(a, c->what));
	if (c->place)
		val_put(a, v, "because", val_string(a, c->place));
	return v;
}

static void changes_json(struct cli *cli, const struct connections *b, const struct changes_list *l, struct sb *out)
{
	struct arena *a = cli->arena;
	struct val *root = val_new(a, VAL_MAP), *list;

	val_put(a, root, "connections", val_int(a, b->nr));
	list = val_put(a, root, "changed", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct connection *c = l->v[k].before ? l->v[k].before : l->v[k].after;
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, v, "change", val_string(a, change_names[l->v[k].change]));
		val_put(a, v, "from", val_string(a, c->from));
		val_put(a, v, "to", val_string(a, c->to));
		val_put(a, v, "before", side_json(a, l->v[k].before));
		val_put(a, v, "after", side_json(a, l->v[k].after));
	}
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}

static const char *side_text(struct arena *a, const struct connection *c)
{
	return !c ? "-" : c->place && !c->works ? arena_printf(a, "%s (%s)", c->what, c->place) : c->what;
}

static void changes_text(struct cli *cli, const struct connections *b, const struct changes_list *l, struct sb *out)
{
	struct table_text t;

	if (!l->nr) {
		sb_printf(out, "none of %u connections changes\n", b->nr);
		return;
	}
	sb_printf(out, "%u connection%s change%s; afterwards there are %u\n\n", l->nr, &"s"[l->nr == 1], l->nr == 1 ? "s" : "", b->nr);
	table_begin(&t, cli->arena, 5);
	for (const char *const *h = (const char *const[]){ "CHANGE", "FROM", "TO", "BEFORE", "AFTER", NULL }; *h; h++)
		table_cell(&t, *h);
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct connection *c = l->v[k].before ? l->v[k].before : l->v[k].after;

		table_cell(&t, change_names[l->v[k].change]);
		table_cell(&t, c->from);
		table_cell(&t, c->to);
		table_cell(&t, side_text(cli->arena, l->v[k].before));
		table_cell(&t, side_text(cli->arena, l->v[k].after));
	}
	table_print(&t, out);
}

static enum err_kind two_sets(struct cli *cli, struct err *err)
{
	struct connections side[2];
	struct changes_list l;
	struct sb out = { 0 };

	for (int k = 0; k < 2; k++) {
		struct world w;

		if (!cli_world_from(cli, &cli->args.v[k], 1, &w, err))
			return err_kind(err);
		connections_of(&w, cli->arena, &side[k]);
		world_free(&w);
	}
	connections_compare(&side[0], &side[1], cli->arena, &l);
	if (cli_output_is(cli, "json"))
		changes_json(cli, &side[1], &l, &out);
	else
		changes_text(cli, &side[1], &l, &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return l.nr ? ERR_FAILED : ERR_NONE;
}

/* ---- several Pod networks: a column each */

struct fact { const char *name; const char **value; };
struct facts { struct arena *arena; uint32_t columns, column; VEC(struct fact) rows; };

static void put(struct facts *f, const char *name, const char *value)
{
	for (uint32_t k = 0; k < f->rows.nr; k++)
		if (strcmp(f->rows.v[k].name, name) == 0) {
			f->rows.v[k].value[f->column] = value;
			return;
		}
	vec_add(f->arena, &f->rows, (struct fact){ name, arena_array(f->arena, const char *, f->columns) });
	f->rows.v[f->rows.nr - 1].value[f->column] = value;
}

/* Two Pods that are not of one: of one node, and of two. */
static void two_pods(struct world *w, bool same_node, const struct pod **a, const struct pod **b)
{
	struct object_list l = cluster_list(w->cluster, &pod_kind);

	*a = *b = NULL;
	for (uint32_t i = 0; i < l.nr; i++)
		for (uint32_t k = 0; k < l.nr; k++) {
			const struct pod *x = (const struct pod *)l.v[i], *y = (const struct pod *)l.v[k];

			if (x != y && x->node && y->node && !x->spec->host_network && !y->spec->host_network && pod_is_ready(x) && pod_is_ready(y) && !streq(x->o.ns, "kube-system") &&
			    streq(x->node, y->node) == same_node) {
				*a = x;
				*b = y;
				return;
			}
		}
}

static uint16_t port_of(const struct pod *p)
{
	for (uint32_t c = 0; c < p->spec->containers.nr; c++)
		if (p->spec->containers.v[c].ports.nr && p->spec->containers.v[c].ports.v[0].protocol == L4_TCP)
			return (uint16_t)p->spec->containers.v[c].ports.v[0].port;
	return 80;
}

/* Of all that chance can decide: the first way that leads elsewhere than back to the Pod itself, or does. NULL: none. */
static const struct outcome_view *outcome_of(struct world *w, const struct answer *answer, const struct pod *from, bool itself)
{
	for (uint32_t k = 0; k < answer->nr; k++)
		if (answer->v[k].walk && (find_pod_by_ip(w->cluster, answer->v[k].walk->there.as_seen.dst) == from) == itself)
			return &answer->v[k];
	return NULL;
}

static const char *pod_end(struct arena *a, const struct pod *p)
{
	return arena_printf(a, "pod/%s/%s", p->o.ns, p->o.name);
}

/* itself: the way on which a Service leads the Pod back to itself. */
static const char *way(struct world *w, struct arena *a, const struct pod *from, const char *to, bool itself, const char **seen, const char **tunnel)
{
	struct question q = { .from = pod_end(a, from), .to = to, .ns = "default", .l4 = L4_TCP, .proto = PROTO_TCP, .flags = WALK_RECORD };
	const struct outcome_view *o = NULL;
	struct answer answer;
	struct err none = { 0 };
	const struct half *h;
	uint32_t nodes = 0;
	netns_h last = { 0 };

	if (seen)
		*seen = "-";
	if (tunnel)
		*tunnel = "none";
	if (question_ask(w, &q, a, &answer, &none) && !(o = outcome_of(w, &answer, from, itself)) && !itself)
		o = outcome_of(w, &answer, from, true);
	err_free(&none);
	if (!o)
		return "-";
	h = &o->walk->there;
	for (uint32_t k = 0; k < h->nr_hops; k++) {
		nodes += h->hops[k].netns.i != last.i;
		last = h->hops[k].netns;
		if (h->hops[k].stage == ST_ENCAP && tunnel)
			*tunnel = link_get(w->dp, h->hops[k].link)->kind == LINK_VXLAN ? "VXLAN, UDP: 50 bytes" : "IPIP, protocol 4: 20 bytes";
	}
	if (seen && o->verdict == V_DELIVERED)
		*seen = arena_strdup(a, IP(h->as_seen.src));
	return arena_printf(a, "%s, %u hops in %u namespaces", o->verdict == V_DELIVERED && !o->answered ? "unanswered" : verdict_names[o->verdict], h->nr_hops, nodes);
}

static uint32_t lines(const char *text, const char *not)
{
	uint32_t nr = 0;

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strspn(p, " \t");

		nr += p[n] && !strchr(not, p[n]) && strncmp(p + n, "table", 5) != 0 && strncmp(p + n, "chain", 5) != 0 && strncmp(p + n, "set ", 4) != 0 && strncmp(p + n, "map ", 4) != 0 &&
		      strncmp(p + n, "type ", 5) != 0 && strncmp(p + n, "elements", 8) != 0 && strncmp(p + n, "flags", 5) != 0 && strncmp(p + n, "comment", 7) != 0;
	}
	return nr;
}

static void per_node(struct facts *f, struct world *w)
{
	struct dataplane *dp = world_dataplane(w);
	struct sb text = { 0 };

	NETNS_EACH(dp, k) {
		struct netns *ns = netns_get(dp, (netns_h){ k });
		struct print_rules how = { .comments = false };
		struct route *routes;
		uint32_t nr;

		if (ns->kind != NS_NODE)
			continue;
		routes_of(dp, (netns_h){ k }, f->arena, &routes, &nr);
		put(f, arena_printf(f->arena, "routes on %s", ns->hostname), arena_printf(f->arena, "%u", nr));
		dataplane_node_ready(dp, (netns_h){ k });
		sb_reset(&text);
		if (ns->rules)
			print_nft(ns->rules, &how, NULL, NULL, &text);
		put(f, arena_printf(f->arena, "rules on %s", ns->hostname), arena_printf(f->arena, "%u", lines(sb_text(&text), "#{}")));
	}
	sb_free(&text);
}

static void facts_of(struct facts *f, struct world *w)
{
	struct dataplane *dp = world_dataplane(w);
	const struct pod *a, *b;
	const char *seen, *tunnel;
	struct object_list services = cluster_list(w->cluster, &service_kind);

	two_pods(w, true, &a, &b);
	put(f, "Pod to Pod, one node", a ? way(w, f->arena, a, arena_printf(f->arena, "%s:%u", pod_end(f->arena, b), port_of(b)), false, NULL, NULL) : "-");
	two_pods(w, false, &a, &b);
	if (a) {
		link_h eth = link_find(dp, netns_find(dp, pod_end(f->arena, a)), "eth0");

		put(f, "Pod to Pod, two nodes", way(w, f->arena, a, arena_printf(f->arena, "%s:%u", pod_end(f->arena, b), port_of(b)), false, &seen, &tunnel));
		put(f, "  the receiver sees", seen);
		put(f, "  wrapped in", tunnel);
		put(f, "address of that Pod", eth.i && link_get(dp, eth)->nr_addrs ? arena_printf(f->arena, "%s/%u", IP(dp->addrs.v[link_get(dp, eth)->addr].ip), dp->addrs.v[link_get(dp, eth)->addr].len) : IP(a->ip));
		put(f, "its MTU", eth.i ? arena_printf(f->arena, "%u", link_get(dp, eth)->mtu) : "-");
		for (uint32_t k = 0; k < services.nr; k++) {
			const struct service *s = (const struct service *)services.v[k];
			const char *to;

			if (!service_has_vip(s) || !s->ports.nr || streq(s->o.ns, "kube-system") || streq(s->o.name, "kubernetes"))
				continue;
			to = arena_printf(f->arena, "svc/%s/%s", s->o.ns, s->o.name);
			put(f, arena_printf(f->arena, "Pod to %s", to), way(w, f->arena, a, arena_printf(f->arena, "%s:%d", to, s->ports.v[0].port), false, &seen, NULL));
			put(f, "  the endpoint sees", seen);
			put(f, "  back to itself", way(w, f->arena, a, arena_printf(f->arena, "%s:%d", to, s->ports.v[0].port), true, NULL, NULL));
			break;
		}
		put(f, "Pod to the outside", way(w, f->arena, a, "203.0.113.10:80", false, &seen, NULL));
		put(f, "  the outside sees", seen);
	} else {
		put(f, "Pod to Pod, two nodes", "no two ready Pods");
	}
	put(f, "NetworkPolicy", cluster_settings(w->cluster)->cni == CNI_CALICO ? "enforced" : "kept, enforced by nobody");
	per_node(f, w);
}

static enum err_kind networks(struct cli *cli, struct err *err)
{
	struct facts f = { .arena = cli->arena };
	const char *all = cli->cni;
	struct texts names = { 0 };
	struct sb out = { 0 };
	struct table_text t;

	for (const char *p = all; *p;) {
		size_t n = strcspn(p, ",");

		if (n)
			vec_add(cli->arena, &names, arena_strndup(cli->arena, p, n));
		p += n + (p[n] == ',');
	}
	f.columns = names.nr;
	for (; f.column < names.nr; f.column++) {
		struct world w;

		cli->cni = names.v[f.column];
		if (!cli_world(cli, &w, err))
			return err_kind(err);
		facts_of(&f, &w);
		world_free(&w);
	}
	if (cli_output_is(cli, "json")) {
		struct val *root = val_new(cli->arena, VAL_MAP);

		for (uint32_t c = 0; c < names.nr; c++) {
			struct val *v = val_put(cli->arena, root, names.v[c], val_new(cli->arena, VAL_MAP));

			for (uint32_t k = 0; k < f.rows.nr; k++)
				if (f.rows.v[k].value[c])
					val_put(cli->arena, v, f.rows.v[k].name + strspn(f.rows.v[k].name, " "), val_string(cli->arena, f.rows.v[k].value[c]));
		}
		val_print_json(root, &out, 2, false);
		sb_addc(&out, '\n');
	} else {
		table_begin(&t, cli->arena, names.nr + 1);
		table_cell(&t, "");
		for (uint32_t c = 0; c < names.nr; c++)
			table_cell(&t, names.v[c]);
		for (uint32_t k = 0; k < f.rows.nr; k++) {
			table_cell(&t, f.rows.v[k].name);
			for (uint32_t c = 0; c < names.nr; c++)
				table_cell(&t, f.rows.v[k].value[c] ? f.rows.v[k].value[c] : "-");
		}
		table_print(&t, &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return ERR_NONE;
}

enum err_kind cmd_compare(struct cli *cli, struct err *err)
{
	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (cli->dataplane)
		return captured_compare(cli, err);
	if (cli->cni && strchr(cli->cni, ',') && !cli->args.nr && cli->files.nr)
		return networks(cli, err);
	if (cli->args.nr == 2 && !cli->files.nr && (!cli->cni || !strchr(cli->cni, ',')))
		return two_sets(cli, err);
	return cli_usage(cli, err, "two sets of manifests, or several Pod networks and -f");
}
