/* What calico-node on a node tells BIRD, in the language of BIRD 2: its own blocks as blackholes, the filters, a BGP protocol per peer. Calico runs one BIRD
 * (1.6) for each family; here both families stand in one configuration. Sources: calico confd/etc/calico/confd/templates/bird{,_aggr,_ipam}.cfg.template
 * (names, filters, timers, who is passive), confd/pkg/backends/calico/client.go (which BGPPeer is whose); facts 42, 47. */
#include <inttypes.h>
#include <stdlib.h>

#include "model/cluster/cluster.h"
#include "model/dataplane/bgp.h"
#include "model/dataplane/bgp_config.h"
#include "model/dataplane/bgp_filter.h"
#include "model/dataplane/dataplane.h"
#include "model/api/calico_selector.h"

struct speaker {
	struct cluster *cluster;
	const struct settings *settings;
	const struct dataplane *dp;
	netns_h ns;
	const struct node *node;
	struct sb *out;
	struct arena *scratch;
	struct map named;               /* hash of the peers that have a protocol: one each */
	bool four, lab;                 /* lab: print_bird_lab */
	ip_addr own;                    /* the node's address of the family */
	struct bgp_tells services;      /* routes to Services, of the family */
	uint32_t peers;
};

static const char *suffix(const struct speaker *x)
{
	return x->four ? "ipv4" : "ipv6";
}

/* ---- pools and blocks */

static bool is_own(const struct speaker *x, const struct block *b)
{
	return b->owner.i == x->ns.i && !b->borrowed && ip_is4(b->cidr.addr) == x->four;
}

static void own_blocks(const struct speaker *x)
{
	for (uint32_t k = 0; k < x->dp->blocks.nr; k++)
		if (is_own(x, &x->dp->blocks.v[k]) && x->dp->blocks.v[k].cidr.len < ip_bits(x->dp->blocks.v[k].cidr.addr))
			sb_printf(x->out, "  route %s blackhole;\n", CIDR(x->dp->blocks.v[k].cidr));
}

static void add_community(void *ctx, struct cidr net, const char *value)
{
	const struct speaker *x = ctx;
	bool large = strchr(strchr(value, ':') + 1, ':') != NULL;

	sb_printf(x->out, "  if net ~ %s then bgp_%scommunity.add((", CIDR(net), large ? "large_" : "");
	for (const char *p = value; *p; p++)
		sb_add(x->out, *p == ':' ? ", " : (const char[]){ *p, '\0' });
	sb_add(x->out, "));\n");
}

static void services(const struct speaker *x)
{
	if (!x->services.v.nr)
		return;
	sb_printf(x->out, "\nprotocol static services_%s { # addresses of Services, for those outside\n  %s;\n", suffix(x), suffix(x));
	for (uint32_t k = 0; k < x->services.v.nr; k++)
		sb_printf(x->out, "  route %s blackhole; # %s\n", CIDR(x->services.v.v[k].net), x->services.v.v[k].why);
	sb_add(x->out, "}\n");
}

/* Whoever tells of them: a packet to a Service is kube-proxy's. */
static void ranges_rejected(const struct speaker *x)
{
	static const char *const fields[] = { "serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs" };
	struct cidr net;

	for (size_t f = 0; f < ARRAY_LEN(fields); f++)
		VAL_EACH(v, val_get(bgp_spec(x->cluster), fields[f]))
			if (val_str(val_get(v, "cidr")) && cidr_parse(val_str(val_get(v, "cidr")), &net) && ip_is4(net.addr) == x->four)
				sb_printf(x->out, "  if net ~ %s then reject; # %s\n", CIDR(net), fields[f]);
}

static void filters(struct speaker *x)
{
	struct sb *out = x->out;
	bool tunnels = false;

	sb_printf(out, "\nfunction apply_communities_%s() {\n", suffix(x));
	bgp_communities(x->cluster, x->four, add_community, x);
	sb_printf(out, "}\n\nfunction calico_export_%s() {\n", suffix(x));
	for (uint32_t k = 0; k < x->settings->pools.nr; k++) {
		const struct pool_setting *p = &x->settings->pools.v[k];

		if (ip_is4(p->cidr.addr) != x->four)
			continue;
		tunnels = tunnels || bgp_may_encapsulate(p);
		if (!bgp_tells_pool(x->cluster, p))
			sb_printf(out, "  if net ~ %s then reject; # disableBGPExport\n", CIDR(p->cidr));
	}
	sb_printf(out, "  apply_communities_%s();\n", suffix(x));
	if (tunnels)
		sb_add(out, "  if defined(ifname) && (ifname ~ \"*.calico\" || ifname = \"tunl0\") then reject; # felix's routes into tunnels\n");
	for (uint32_t k = 0; k < x->dp->blocks.nr; k++)
		if (is_own(x, &x->dp->blocks.v[k])) {
			sb_printf(out, "  if net = %s then accept; # an own block is told as a whole,\n", CIDR(x->dp->blocks.v[k].cidr));
			sb_printf(out, "  if net ~ %s then reject; # nothing beneath it\n", CIDR(x->dp->blocks.v[k].cidr));
		}
	for (uint32_t k = 0; k < x->services.v.nr; k++)
		sb_printf(out, "  if net ~ %s then accept; # %s\n", CIDR(x->services.v.v[k].net), x->services.v.v[k].why);
	for (uint32_t k = 0; k < x->settings->pools.nr; k++)
		if (ip_is4(x->settings->pools.v[k].cidr.addr) == x->four && bgp_tells_pool(x->cluster, &x->settings->pools.v[k]))
			sb_printf(out, "  if net ~ %s then accept;\n", CIDR(x->settings->pools.v[k].cidr));
	sb_printf(out, "  reject;\n}\n\nfilter calico_export_to_bgp_peers_%s {\n  calico_export_%s();\n  reject;\n}\n", suffix(x), suffix(x));
	sb_printf(out, "\nfilter calico_kernel_programming_%s {\n", suffix(x));
	ranges_rejected(x);
	for (uint32_t k = 0; k < x->settings->pools.nr; k++)
		if (ip_is4(x->settings->pools.v[k].cidr.addr) == x->four && bgp_may_encapsulate(&x->settings->pools.v[k]))
			sb_printf(out, "  if net ~ %s then reject; # felix writes them: this pool may be encapsulated\n", CIDR(x->settings->pools.v[k].cidr));
	sb_add(out, "  accept;\n}\n");
}

/* ---- peers */

/* from: the BGPPeer's spec, NULL for the mesh. */
struct peering { const char *kind; ip_addr ip; uint32_t port; int64_t as; bool source, passive, client; const struct val *from; };

/* A password in what people read would be everybody's. */
static void password(struct speaker *x, const struct peering *p)
{
	const struct val *said = p->from ? val_get(p->from, "password") : strcmp(p->kind, "Mesh") == 0 ? val_get(bgp_spec(x->cluster), "nodeMeshPassword") : NULL;
	const char *missing, *text = bgp_password(x->cluster, said, x->scratch, &missing);

	if (missing)
		sb_printf(x->out, "  # no password: %s\n", missing);
	else if (text && !x->lab)
		sb_add(x->out, "  password \"***\"; # of the Secret, not shown\n");
	else if (text)
		sb_printf(x->out, "  password \"%.*s\";\n", (int)strcspn(text, "\"\\\n"), text);
}

/* ---- BGPFilters */

static void filter_rule(const struct speaker *x, const struct bgp_rule *r)
{
	sb_add(x->out, "  if (true");
	if (r->ranged)
		sb_printf(x->out, " && (net %s [ %s{%u,%u} ])", bgp_match_ops[r->match], CIDR(r->net), r->min, r->max);
	else if (r->match)
		sb_printf(x->out, " && (net %s %s)", bgp_match_ops[r->match], CIDR(r->net));
	if (r->remote)
		sb_add(x->out, " && (source ~ [ RTS_BGP ])");
	if (r->interface)
		sb_printf(x->out, " && defined(ifname) && (ifname ~ \"%s\")", r->interface);
	sb_printf(x->out, ") then %s;\n", r->accept ? "accept" : "reject");
}

static const char *filter_name(const struct speaker *x, const char *name, bool import)
{
	return arena_printf(x->scratch, "'bgp_%.45s_%sFilterV%d'", name, import ? "import" : "export", x->four ? 4 : 6);        /* BIRD's symbols have 64 characters */
}

static void filter_functions(const struct speaker *x)
{
	struct object_list l = cluster_list(x->cluster, &bgp_filter_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		for (int import = 1; import >= 0; import--) {
			const struct val *list = val_get(((const struct raw_object *)l.v[k])->spec, arena_printf(x->scratch, "%sV%d", import ? "import" : "export", x->four ? 4 : 6));
			struct bgp_rules rules = bgp_rules_read(list, x->scratch);

			sb_printf(x->out, "\nfunction %s() { # BGPFilter %s\n", filter_name(x, l.v[k]->name, import), l.v[k]->name);
			for (uint32_t i = 0; i < rules.v.nr; i++)
				filter_rule(x, &rules.v.v[i]);
			sb_add(x->out, "}\n");
		}
}

/* The peer's filters in their order; what none of them decides goes on as without. */
static void peer_filters(const struct speaker *x, const struct val *names)
{
	if (!names || !names->nr)
		return;
	sb_printf(x->out, "  %s {\n", suffix(x));
	for (int import = 1; import >= 0; import--) {
		sb_printf(x->out, "    %s filter {", import ? "import" : "export");
		VAL_EACH(v, names)
			if (val_str(v) && cluster_find(x->cluster, &bgp_filter_kind, NULL, val_str(v)))
				sb_printf(x->out, " %s();", filter_name(x, val_str(v), import));
		if (import)
			sb_add(x->out, " accept; };\n");
		else
			sb_printf(x->out, " calico_export_%s(); reject; };\n", suffix(x));
	}
	sb_add(x->out, "  };\n");
	VAL_EACH(v, names)
		if (!val_str(v) || !cluster_find(x->cluster, &bgp_filter_kind, NULL, val_str(v)))
			sb_add(x->out, "  # a BGPFilter that is named here does not exist\n");
}

static void add_peer(struct speaker *x, const struct peering *p)
{
	char name[64] = { 0 };
	uint64_t *seen;

	snprintf(name, sizeof(name), "%s", IP(p->ip));
	for (char *c = name; *c; c++)
		if (*c == '.' || *c == ':')
			*c = '_';
	seen = map_put(&x->named, x->scratch, hash_mix(hash_mix(p->ip.hi, p->ip.lo), p->port));
	if (*seen || ip_eq(p->ip, x->own))
		return;
	*seen = 1;
	x->peers++;
	sb_printf(x->out, "\nprotocol bgp %s_%s", p->kind, name);
	if (p->port && p->from)
		sb_printf(x->out, "_port_%u", p->port);
	sb_printf(x->out, " from bgp_template_%s {\n  neighbor %s", suffix(x), IP(p->ip));
	if (p->port)
		sb_printf(x->out, " port %u", p->port);
	sb_printf(x->out, " as %" PRId64 ";\n", p->as);
	if (p->source)
		sb_printf(x->out, "  source address %s;\n", IP(x->own));
	if (p->passive)
		sb_add(x->out, "  passive on; # of two nodes the one with the greater address connects\n");
	if (p->client)
		sb_printf(x->out, "  rr client;\n  rr cluster id %s;\n", bgp_reflector_id(x->node));
	password(x, p);
	peer_filters(x, val_get(p->from, "filters"));
	sb_add(x->out, "}\n");
}

static void add_node(struct speaker *x, const char *kind, const struct node *n, const struct bgp_peer *by)
{
	ip_addr ip = bgp_address(n, x->four);
	char text[64];
	struct peering p = { .kind = kind, .ip = ip, .as = bgp_as(x->settings, n), .source = true, .port = bgp_listen_port(x->cluster), .from = by ? val_get(by->o.doc, "spec") : NULL };

	if (!ip_set(ip) || n == x->node)
		return;
	if (x->lab && label_get(&n->o.annotations, "podwire.io/routes-withdrawn")) {
		sb_printf(x->out, "\n# node/%s: its sessions are gone, by the simulation's clock\n", n->o.name);
		return;
	}
	snprintf(text, sizeof(text), "%s", IP(ip));
	p.passive = strcmp(text, IP(x->own)) > 0;
	p.client = bgp_reflector_id(x->node) && p.as == bgp_as(x->settings, x->node) && !streq(bgp_reflector_id(n), bgp_reflector_id(x->node));
	add_peer(x, &p);
}

static void mesh(struct speaker *x)
{
	struct object_list l = cluster_list(x->cluster, &node_kind);

	if (bgp_reflector_id(x->node)) {
		sb_add(x->out, "\n# this node is a route reflector: it is not in the node-to-node mesh\n");
		return;
	}
	if (!x->settings->mesh) {
		sb_add(x->out, "\n# the node-to-node mesh is off\n");
		return;
	}
	for (uint32_t k = 0; k < l.nr; k++)
		if (!bgp_reflector_id((const struct node *)l.v[k]))
			add_node(x, "Mesh", (const struct node *)l.v[k], NULL);
}

static void unread(const struct speaker *x, const struct bgp_peer *p, const char *field, const char *value)
{
	sb_printf(x->out, "\n# BGPPeer %s: left out, its %s is none that Calico would take: ", p->o.name, field);
	sb_add_shown(x->out, value, true);
	sb_addc(x->out, '\n');
}

static void selected_peers(struct speaker *x, const struct bgp_peer *p, const char *kind)
{
	struct object_list l = cluster_list(x->cluster, &node_kind);

	if (calico_selects(p->peer_selector, &x->node->o.labels) < 0)
		unread(x, p, "peerSelector", p->peer_selector);
	for (uint32_t k = 0; k < l.nr; k++)
		if (calico_selects(p->peer_selector, &l.v[k]->labels) > 0)
			add_node(x, kind, (const struct node *)l.v[k], p);
}

/* Whom a peerSelector selects has a session back to each node that the peering is for. */
static void reverse_peers(struct speaker *x, const struct bgp_peer *p)
{
	struct object_list l = cluster_list(x->cluster, &node_kind);

	if (calico_selects(p->peer_selector, &x->node->o.labels) > 0)
		for (uint32_t k = 0; k < l.nr; k++)
			if (bgp_peer_is_for(p, (const struct node *)l.v[k]) > 0)
				add_node(x, "Node", (const struct node *)l.v[k], p);
}

static void configured_peer(struct speaker *x, const struct bgp_peer *p, bool global)
{
	const char *kind = global ? "Global" : "Node";
	int mine = bgp_peer_is_for(p, x->node);
	struct peering peer = { .kind = kind, .as = p->as_number ? p->as_number : x->settings->as_number, .source = true, .from = val_get(p->o.doc, "spec") };

	if (mine < 0)
		unread(x, p, "nodeSelector", p->node_selector);
	if (mine <= 0)
		return;
	if (p->peer_selector && *p->peer_selector) {
		selected_peers(x, p, kind);
		return;
	}
	if (!p->peer_ip || !bgp_peer_address(p->peer_ip, &peer.ip, &peer.port)) {
		unread(x, p, "peerIP", p->peer_ip ? p->peer_ip : "");
		return;
	}
	peer.client = bgp_reflector_id(x->node) && peer.as == bgp_as(x->settings, x->node);
	if (ip_is4(peer.ip) == x->four)
		add_peer(x, &peer);
}

static void configured_peers(struct speaker *x)
{
	struct object_list l = cluster_list(x->cluster, &bgp_peer_kind);

	for (int global = 1; global >= 0; global--)
		for (uint32_t k = 0; k < l.nr; k++)
			if (bgp_peer_is_global((const struct bgp_peer *)l.v[k]) == (bool)global)
				configured_peer(x, (const struct bgp_peer *)l.v[k], global);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct bgp_peer *p = (const struct bgp_peer *)l.v[k];

		if (p->peer_selector && *p->peer_selector)
			reverse_peers(x, p);
	}
}

/* ---- the configuration */

static void router_id(const struct speaker *x)
{
	ip_addr ip = bgp_address(x->node, true);
	uint8_t sum[32];

	if (ip_set(ip)) {
		sb_printf(x->out, "router id %s;\n", IP(ip));
		return;
	}
	sha256(x->node->o.name, strlen(x->node->o.name), sum);         /* CALICO_ROUTER_ID=hash: confd template_funcs.go, hashToIPv4 */
	sb_printf(x->out, "router id %u.%u.%u.%u; # the node has no IPv4 address: from its name\n", sum[0] > 223 ? sum[0] - 32u : sum[0], sum[1], sum[2], sum[3]);
}

static void family(struct speaker *x)
{
	struct sb *out = x->out;
	const char *f = suffix(x);
	uint32_t port = bgp_listen_port(x->cluster);

	sb_printf(out, "\n# ---- %s\n\nprotocol static blocks_%s { # the node's own blocks\n  %s;\n", x->four ? "IPv4" : "IPv6", f, f);
	own_blocks(x);
	sb_add(out, "}\n");
	x->services = bgp_service_routes(x->cluster, x->node, x->four, x->scratch);
	services(x);
	filter_functions(x);
	filters(x);
	sb_printf(out, "\nprotocol kernel kernel_%s {\n  learn;\n  persist;\n  scan time 2;\n  metric 0;\n  merge paths on;\n  graceful restart on;\n"
		       "  %s {\n    import all;\n    export filter calico_kernel_programming_%s;\n  };\n}\n", f, f, f);
	sb_printf(out, "\ntemplate bgp bgp_template_%s {\n  debug { states };\n  local %sas %" PRId64 ";\n  multihop;\n  graceful restart on;\n  connect delay time 2;\n"
		       "  connect retry time 5;\n  error wait time 5,30;\n%s"
		       "  %s {\n    import all;\n    export filter calico_export_to_bgp_peers_%s;\n    gateway recursive;\n    add paths on;\n  };\n}\n",
		  f, port ? arena_printf(x->scratch, "port %u ", port) : "", bgp_as(x->settings, x->node), x->lab ? "  hold time 0; # the simulation's clock decides\n  graceful restart time 4095;\n" : "", f, f);
	mesh(x);
	configured_peers(x);
}

static const char *why_none(const struct settings *s, const char *backend, char *room, size_t size)
{
	if (s->cni == CNI_CALICO && backend)
		snprintf(room, size, "no BGP here: calico-node runs without BIRD (its backend is \"%s\")", backend);
	else if (s->cni != CNI_CALICO)
		snprintf(room, size, "no BGP here: the Pod network is %s", cni_names[s->cni]);
	else if (!bgp_writes_routes(s, true) && !bgp_writes_routes(s, false))
		snprintf(room, size, "nothing for BIRD to write: %s", s->pools.nr ? "each IPPool may be encapsulated, and felix writes the routes of such pools" : "there is no IPPool");
	else
		return NULL;
	return room;
}

static bool print(struct cluster *c, const struct dataplane *dp, netns_h h, bool lab, struct sb *out)
{
	const struct settings *s = cluster_settings(c);
	const struct netns *ns = netns_get(dp, h);
	char room[160];
	const char *none = why_none(s, bgp_backend_without_bird(c), room, sizeof(room));
	struct speaker x = { .cluster = c, .settings = s, .dp = dp, .ns = h, .node = (const struct node *)obj_get(c, (obj_h){ ns->object }), .out = out, .lab = lab };

	if (none || !x.node) {
		sb_printf(out, "# %s: %s\n", ns->name, none ? none : "no node");
		return false;
	}
	x.scratch = arena_new(NULL, "bird");
	sb_printf(out, "# %s: BIRD 2\nlog stderr all;\n", ns->name);
	router_id(&x);
	sb_add(out, "\nprotocol device {\n  scan time 2;\n}\n\nprotocol direct {\n  ipv4;\n  ipv6;\n  interface -\"cali*\", -\"kube-ipvs*\", \"*\";\n}\n");
	for (int four = 1; four >= 0; four--) {
		x.four = four;
		x.own = bgp_address(x.node, x.four);
		if (ip_set(x.own) && bgp_writes_routes(s, x.four))
			family(&x);
	}
	if (!x.peers)
		sb_add(out, "\n# no session at all: this node learns no route to the Pods of others, and tells of none\n");
	arena_free(x.scratch);
	return true;
}

bool print_bird(struct cluster *c, const struct dataplane *dp, netns_h h, struct sb *out) { return print(c, dp, h, false, out); }
bool print_bird_lab(struct cluster *c, const struct dataplane *dp, netns_h h, struct sb *out) { return print(c, dp, h, true, out); }
