/* One set of manifests on several Pod networks: a column each. */
#include "viz/cli/compare_networks.h"

#include <stdlib.h>

#include "sim/ask/question.h"
#include "viz/report/table.h"

enum { FEW_NODES = 6 };                 /* so many are told one by one */

struct fact { const char *name; const char **value; };
struct sizes { bool known; uint32_t routes, rules; };
struct node_size { const char *name; struct sizes *v; };        /* a value each column */
struct facts { struct arena *arena; uint32_t columns, column; VEC(struct fact) rows; VEC(struct node_size) nodes; uint32_t next; /* node that is likely to come */ };

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

/* The first TCP port that it declares. */
static uint16_t port_of(const struct pod *p)
{
	for (uint32_t c = 0; c < p->spec->containers.nr; c++)
		for (uint32_t k = 0; k < p->spec->containers.v[c].ports.nr; k++)
			if (p->spec->containers.v[c].ports.v[k].protocol == L4_TCP)
				return (uint16_t)p->spec->containers.v[c].ports.v[k].port;
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

/* ---- what each node has */

/* Rules, and elements of sets and maps that are listed: in nftables mode a Service is an element. */
static uint32_t size_of(const struct ruleset *rs)
{
	uint32_t nr = ruleset_nr_rules(rs);

	for (uint32_t k = 1; k <= ruleset_nr_sets(rs); k++)
		if (ruleset_set_get(rs, (set_h){ k })->name)
			nr += set_body(rs, (set_h){ k }, NULL)->nr;
	return nr;
}

/* Nodes come in the same order on each network. */
static struct node_size *node_named(struct facts *f, const char *name)
{
	for (uint32_t k = 0; k < f->nodes.nr; k++) {
		struct node_size *n = &f->nodes.v[(f->next + k) % f->nodes.nr];

		if (strcmp(n->name, name) == 0) {
			f->next = (f->next + k + 1) % f->nodes.nr;
			return n;
		}
	}
	vec_add(f->arena, &f->nodes, (struct node_size){ arena_strdup(f->arena, name), arena_array(f->arena, struct sizes, f->columns) });
	return &f->nodes.v[f->nodes.nr - 1];
}

static void count_nodes(struct facts *f, struct world *w)
{
	struct dataplane *dp = world_dataplane(w);

	f->next = 0;
	NETNS_EACH(dp, k) {
		struct netns *ns = netns_get(dp, (netns_h){ k });
		struct node_size *at;

		if (ns->kind != NS_NODE)
			continue;
		dataplane_node_ready(dp, (netns_h){ k });
		at = node_named(f, ns->hostname);
		at->v[f->column] = (struct sizes){ true, routes_nr(dp, (netns_h){ k }), ns->rules ? size_of(ns->rules) : 0 };
	}
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
	count_nodes(f, w);
}

/* ---- told */

static const char *number_text(struct facts *f, const struct sizes *s, bool rules)
{
	return s->known ? arena_printf(f->arena, "%u", rules ? s->rules : s->routes) : "-";
}

static void print_json(struct facts *f, const struct texts *names, struct sb *out)
{
	struct val *root = val_new(f->arena, VAL_MAP);

	for (uint32_t c = 0; c < names->nr; c++) {
		struct val *v = val_put(f->arena, root, names->v[c], val_new(f->arena, VAL_MAP));

		for (uint32_t k = 0; k < f->rows.nr; k++)
			if (f->rows.v[k].value[c])
				val_put(f->arena, v, f->rows.v[k].name + strspn(f->rows.v[k].name, " "), val_string(f->arena, f->rows.v[k].value[c]));
		for (uint32_t k = 0; k < f->nodes.nr; k++)
			for (int rules = 0; rules < 2 && f->nodes.v[k].v[c].known; rules++)
				val_put_new(f->arena, v, arena_printf(f->arena, rules ? "rules on %s" : "routes on %s", f->nodes.v[k].name),
					    val_string(f->arena, number_text(f, &f->nodes.v[k].v[c], rules)));
	}
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}

static void print_row(struct table_text *t, const char *name, const char *const *value, uint32_t nr)
{
	table_cell(t, name);
	for (uint32_t c = 0; c < nr; c++)
		table_cell(t, value[c] ? value[c] : "-");
}

/* Nodes that are alike on every network are one row; nothing is left to see in a thousand equal ones. */
static void print_nodes(struct facts *f, struct table_text *t)
{
	bool *done = arena_array(f->arena, bool, f->nodes.nr);
	const char **value = arena_array(f->arena, const char *, f->columns);

	for (uint32_t k = 0; k < f->nodes.nr; k++) {
		const struct node_size *n = &f->nodes.v[k];
		const char *who = n->name;
		uint32_t more = 0;

		if (done[k])
			continue;
		for (uint32_t i = k + 1; i < f->nodes.nr && f->nodes.nr > FEW_NODES; i++)
			if (!done[i] && memcmp(n->v, f->nodes.v[i].v, f->columns * sizeof(*n->v)) == 0) {
				done[i] = true;
				more++;
			}
		if (more)
			who = arena_printf(f->arena, "%s and %u alike", who, more);
		for (int rules = 0; rules < 2; rules++) {
			for (uint32_t c = 0; c < f->columns; c++)
				value[c] = number_text(f, &n->v[c], rules);
			print_row(t, arena_printf(f->arena, rules ? "rules on %s" : "routes on %s", who), value, f->columns);
		}
	}
}

enum err_kind compare_networks(struct cli *cli, struct err *err)
{
	struct facts f = { .arena = cli->arena };
	struct texts names = { 0 };
	struct sb out = { 0 };
	struct table_text t;

	for (const char *p = cli->cni; *p;) {
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
		print_json(&f, &names, &out);
	} else {
		table_begin(&t, cli->arena, names.nr + 1);
		print_row(&t, "", names.v, names.nr);
		for (uint32_t k = 0; k < f.rows.nr; k++)
			print_row(&t, f.rows.v[k].name, f.rows.v[k].value, names.nr);
		print_nodes(&f, &t);
		table_print(&t, &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return ERR_NONE;
}
