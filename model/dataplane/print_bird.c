/* What calico-node on a node tells BIRD, in the language of BIRD 2: its own blocks as blackholes, the filters, a BGP protocol per peer. Calico runs one BIRD
 * (1.6) for each family; here both families stand in one configuration. Sources: calico confd/etc/calico/confd/templates/bird{,_aggr,_ipam}.cfg.template
 * (names, filters, timers, who is passive), confd/pkg/backends/calico/client.go (which BGPPeer is whose); facts 42, 47. */
#include <inttypes.h>
#include <stdlib.h>

#include "model/cluster/cluster.h"
#include "model/dataplane/dataplane.h"
#include "model/policy/calico_selector.h"

struct speaker {
	struct cluster *cluster;
	const struct settings *settings;
	const struct dataplane *dp;
	netns_h ns;
	const struct node *node;
	struct sb *out;
	struct arena *scratch;
	struct map named;               /* hash of the peers that have a protocol: one each */
	bool four;
	ip_addr own;                    /* the node's address of the family */
	uint32_t peers;
};

static const char *suffix(const struct speaker *x)
{
	return x->four ? "ipv4" : "ipv6";
}

/* The address that the dataplane has on the node's uplink. */
static ip_addr address(const struct node *n, bool four)
{
	ip_addr ip;

	for (uint32_t k = 0; k < n->addresses.nr; k++)
		if (n->addresses.v[k].address && !streq(n->addresses.v[k].type, "Hostname") && ip_parse(n->addresses.v[k].address, &ip) && ip_is4(ip) == four)
			return ip;
	return (ip_addr){ 0 };
}

static int64_t as_of(const struct speaker *x, const struct node *n)
{
	const char *said = label_get(&n->o.annotations, "projectcalico.org/ASNumber");
	char *end;
	long long number = said ? strtoll(said, &end, 10) : 0;

	return said && *said && !*end && number > 0 ? number : x->settings->as_number;
}

static const char *reflector_id(const struct node *n)
{
	const char *id = label_get(&n->o.annotations, "projectcalico.org/RouteReflectorClusterID");
	ip_addr ip;

	return id && ip_parse(id, &ip) && ip_is4(ip) ? id : NULL;
}

/* ---- pools and blocks */

static bool encapsulates(const struct pool_setting *p)
{
	return p->vxlan != ENCAP_NEVER || p->ipip != ENCAP_NEVER;
}

static bool not_exported(const struct speaker *x, const struct pool_setting *p)
{
	const struct ip_pool *pool = (const struct ip_pool *)obj_get(x->cluster, p->cause);

	return pool && pool->disable_bgp_export == TRI_TRUE;
}

/* Does BIRD write the routes of any pool? felix writes those of pools that may be encapsulated. */
static bool has_pool(const struct settings *s, bool four)
{
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (ip_is4(s->pools.v[k].cidr.addr) == four && !encapsulates(&s->pools.v[k]))
			return true;
	return false;
}

static bool is_own(const struct speaker *x, const struct block *b)
{
	return b->owner.i == x->ns.i && !b->borrowed && ip_is4(b->cidr.addr) == x->four;
}

static void own_blocks(const struct speaker *x, const char *form)
{
	for (uint32_t k = 0; k < x->dp->blocks.nr; k++)
		if (is_own(x, &x->dp->blocks.v[k]) && x->dp->blocks.v[k].cidr.len < ip_bits(x->dp->blocks.v[k].cidr.addr))
			sb_printf(x->out, form, CIDR(x->dp->blocks.v[k].cidr));
}

static void filters(const struct speaker *x)
{
	struct sb *out = x->out;
	bool tunnels = false;

	sb_printf(out, "\nfilter calico_export_to_bgp_peers_%s {\n", suffix(x));
	for (uint32_t k = 0; k < x->settings->pools.nr; k++) {
		const struct pool_setting *p = &x->settings->pools.v[k];

		if (ip_is4(p->cidr.addr) != x->four)
			continue;
		tunnels = tunnels || encapsulates(p);
		if (not_exported(x, p))
			sb_printf(out, "  if net ~ %s then reject; # disableBGPExport\n", CIDR(p->cidr));
	}
	if (tunnels)
		sb_add(out, "  if defined(ifname) && (ifname ~ \"*.calico\" || ifname = \"tunl0\") then reject; # felix's routes into tunnels\n");
	for (uint32_t k = 0; k < x->dp->blocks.nr; k++)
		if (is_own(x, &x->dp->blocks.v[k])) {
			sb_printf(out, "  if net = %s then accept; # an own block is told as a whole,\n", CIDR(x->dp->blocks.v[k].cidr));
			sb_printf(out, "  if net ~ %s then reject; # nothing beneath it\n", CIDR(x->dp->blocks.v[k].cidr));
		}
	for (uint32_t k = 0; k < x->settings->pools.nr; k++)
		if (ip_is4(x->settings->pools.v[k].cidr.addr) == x->four && !not_exported(x, &x->settings->pools.v[k]))
			sb_printf(out, "  if net ~ %s then accept;\n", CIDR(x->settings->pools.v[k].cidr));
	sb_printf(out, "  reject;\n}\n\nfilter calico_kernel_programming_%s {\n", suffix(x));
	for (uint32_t k = 0; k < x->settings->pools.nr; k++)
		if (ip_is4(x->settings->pools.v[k].cidr.addr) == x->four && encapsulates(&x->settings->pools.v[k]))
			sb_printf(out, "  if net ~ %s then reject; # felix writes them: this pool may be encapsulated\n", CIDR(x->settings->pools.v[k].cidr));
	sb_add(out, "  accept;\n}\n");
}

/* ---- peers */

struct peering { const char *kind; ip_addr ip; uint32_t port; int64_t as; bool source, passive, client; };

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
	if (p->port)
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
		sb_printf(x->out, "  rr client;\n  rr cluster id %s;\n", reflector_id(x->node));
	sb_add(x->out, "}\n");
}

static void add_node(struct speaker *x, const char *kind, const struct node *n)
{
	ip_addr ip = address(n, x->four);
	char text[64];
	struct peering p = { .kind = kind, .ip = ip, .as = as_of(x, n), .source = true };

	if (!ip_set(ip) || n == x->node)
		return;
	snprintf(text, sizeof(text), "%s", IP(ip));
	p.passive = strcmp(text, IP(x->own)) > 0;
	p.client = reflector_id(x->node) && p.as == as_of(x, x->node) && !streq(reflector_id(n), reflector_id(x->node));
	add_peer(x, &p);
}

static void mesh(struct speaker *x)
{
	struct object_list l = cluster_list(x->cluster, &node_kind);

	if (reflector_id(x->node)) {
		sb_add(x->out, "\n# this node is a route reflector: it is not in the node-to-node mesh\n");
		return;
	}
	if (!x->settings->mesh) {
		sb_add(x->out, "\n# the node-to-node mesh is off\n");
		return;
	}
	for (uint32_t k = 0; k < l.nr; k++)
		if (!reflector_id((const struct node *)l.v[k]))
			add_node(x, "Mesh", (const struct node *)l.v[k]);
}

/* Which nodes the peering is for: nodeSelector before node, all where neither is said. */
static int is_for(const struct bgp_peer *p, const struct node *n)
{
	if (p->node_selector && *p->node_selector)
		return calico_selects(p->node_selector, &n->o.labels);
	return !p->node || !*p->node || streq(p->node, n->o.name);
}

/* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT. */
static bool peer_address(const char *text, ip_addr *ip, uint32_t *port)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	size_t n;

	*port = 0;
	if (ip_parse(text, ip))
		return true;
	if (!colon || colon == text)
		return false;
	n = (size_t)(colon - text);
	if (*text == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	*port = (uint32_t)strtoul(colon + 1, NULL, 10);
	return ip_parse(host, ip) && *port && *port <= UINT16_MAX;
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
			add_node(x, kind, (const struct node *)l.v[k]);
}

/* Whom a peerSelector selects has a session back to each node that the peering is for. */
static void reverse_peers(struct speaker *x, const struct bgp_peer *p)
{
	struct object_list l = cluster_list(x->cluster, &node_kind);

	if (calico_selects(p->peer_selector, &x->node->o.labels) > 0)
		for (uint32_t k = 0; k < l.nr; k++)
			if (is_for(p, (const struct node *)l.v[k]) > 0)
				add_node(x, "Node", (const struct node *)l.v[k]);
}

static void configured_peer(struct speaker *x, const struct bgp_peer *p, bool global)
{
	const char *kind = global ? "Global" : "Node";
	int mine = is_for(p, x->node);
	struct peering peer = { .kind = kind, .as = p->as_number ? p->as_number : x->settings->as_number, .source = true };

	if (mine < 0)
		unread(x, p, "nodeSelector", p->node_selector);
	if (mine <= 0)
		return;
	if (p->peer_selector && *p->peer_selector) {
		selected_peers(x, p, kind);
		return;
	}
	if (!p->peer_ip || !peer_address(p->peer_ip, &peer.ip, &peer.port)) {
		unread(x, p, "peerIP", p->peer_ip ? p->peer_ip : "");
		return;
	}
	peer.client = reflector_id(x->node) && peer.as == as_of(x, x->node);
	if (ip_is4(peer.ip) == x->four)
		add_peer(x, &peer);
}

static bool is_global(const struct bgp_peer *p)
{
	return !(p->node && *p->node) && !(p->node_selector && *p->node_selector);
}

static void configured_peers(struct speaker *x)
{
	struct object_list l = cluster_list(x->cluster, &bgp_peer_kind);

	for (int global = 1; global >= 0; global--)
		for (uint32_t k = 0; k < l.nr; k++)
			if (is_global((const struct bgp_peer *)l.v[k]) == (bool)global)
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
	ip_addr ip = address(x->node, true);
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

	sb_printf(out, "\n# ---- %s\n\nprotocol static blocks_%s { # the node's own blocks\n  %s;\n", x->four ? "IPv4" : "IPv6", f, f);
	own_blocks(x, "  route %s blackhole;\n");
	sb_add(out, "}\n");
	filters(x);
	sb_printf(out, "\nprotocol kernel kernel_%s {\n  learn;\n  persist;\n  scan time 2;\n  metric 0;\n  merge paths on;\n  graceful restart on;\n"
		       "  %s {\n    import all;\n    export filter calico_kernel_programming_%s;\n  };\n}\n", f, f, f);
	sb_printf(out, "\ntemplate bgp bgp_template_%s {\n  debug { states };\n  local as %" PRId64 ";\n  multihop;\n  graceful restart on;\n  connect delay time 2;\n"
		       "  connect retry time 5;\n  error wait time 5,30;\n"
		       "  %s {\n    import all;\n    export filter calico_export_to_bgp_peers_%s;\n    gateway recursive;\n    add paths on;\n  };\n}\n",
		  f, as_of(x, x->node), f, f);
	mesh(x);
	configured_peers(x);
}

static const char *why_none(const struct settings *s, char *room, size_t size)
{
	if (s->cni != CNI_CALICO)
		snprintf(room, size, "no BGP here: the Pod network is %s", cni_names[s->cni]);
	else if (!has_pool(s, true) && !has_pool(s, false))
		snprintf(room, size, "nothing for BIRD to write: %s", s->pools.nr ? "each IPPool may be encapsulated, and felix writes the routes of such pools" : "there is no IPPool");
	else
		return NULL;
	return room;
}

bool print_bird(struct cluster *c, const struct dataplane *dp, netns_h h, struct sb *out)
{
	const struct settings *s = cluster_settings(c);
	const struct netns *ns = netns_get(dp, h);
	char room[160];
	const char *none = why_none(s, room, sizeof(room));
	struct speaker x = { .cluster = c, .settings = s, .dp = dp, .ns = h, .node = (const struct node *)obj_get(c, (obj_h){ ns->object }), .out = out };

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
		x.own = address(x.node, x.four);
		if (ip_set(x.own) && has_pool(s, x.four))
			family(&x);
	}
	if (!x.peers)
		sb_add(out, "\n# no session at all: this node learns no route to the Pods of others, and tells of none\n");
	arena_free(x.scratch);
	return true;
}
