/* Addresses at work: ranges for nodes as they register, addresses for Pods as their sandboxes are made. */
#include "model/control/ipam.h"

#include <stdlib.h>

#include "model/control/common.h"
#include "model/control/ipam_asked.h"
#include "model/control/ipam_pools.h"

struct local { ip_addr last4, last6; };         /* host-local's last_reserved_ip on one node */

struct ipam {
	struct cidr_set sets[2]; uint32_t nr_sets;      /* of the cluster's Pod ranges, one a family */
	bool ready;                                     /* sets are made */
	struct calico_ipam calico;
	struct table hosts;                             /* Node → struct calico_host */
	struct map local;                               /* node name → struct local */
	bool learned;                                   /* the blocks of Pods that came with addresses are known */
};

static struct ipam *ipam_of(const struct control *t)
{
	return control_state(t, CTL_NODE_IPAM);
}

static bool held_by_a_pod(void *ctx, ip_addr ip)
{
	return find_pod_by_ip(ctx, ip) != NULL;
}

/* A node's blocks are told in its annotation, so that they are saved, shown and routed before a Pod has an address of them. */
static void announce(struct control *t, struct node *n, struct calico_host *h)
{
	struct sb text = { 0 };

	if (h->told == h->nr)
		return;
	h->told = h->nr;
	for (uint32_t k = 0; k < h->nr; k++)
		sb_printf(&text, "%s%s", k ? "," : "", CIDR(h->v[k]->cidr));
	annotate(t, &n->o, BLOCKS_ANNOTATION, sb_text(&text));
	sb_free(&text);
}

/* ---- what is there already: blocks that annotations, BlockAffinities and the addresses of Pods tell of */

static void claim(struct control *t, const char *text, size_t n, str host)
{
	struct calico_pool pools[MAX_POOLS];
	char piece[CIDR_TEXT] = "";
	struct cidr cidr;

	if (n >= sizeof(piece))
		return;
	memcpy(piece, text, n);
	if (!cidr_parse(piece, &cidr))
		return;
	for (uint32_t k = 0, nr = pools_in(control_cluster(t), ip_is4(cidr.addr), pools); k < nr; k++)
		calico_claim(&ipam_of(t)->calico, &pools[k], cidr, host);
}

static void learn_annotations(struct control *t)
{
	struct object_list l = cluster_list(control_cluster(t), &node_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		for (const char *s = label_get(&l.v[k]->annotations, BLOCKS_ANNOTATION); s && *s;) {
			size_t n = strcspn(s, ",");

			claim(t, s, n, l.v[k]->name);
			s += n + (s[n] == ',');
		}
}

static void learn_affinities(struct control *t)
{
	struct cluster *c = control_cluster(t);

	for (uint32_t p = 0; cluster_pool_kind(c, p); p++) {
		const struct kind *k = cluster_pool_kind(c, p);
		struct object_list l = streq(k->name, "BlockAffinity") ? cluster_list(c, k) : (struct object_list){ 0 };

		for (uint32_t i = 0; i < l.nr; i++) {
			const char *cidr = val_str_at(l.v[i]->doc, "spec.cidr"), *node = val_str_at(l.v[i]->doc, "spec.node");

			if (cidr && node && !val_bool_or(val_path(l.v[i]->doc, "spec.deleted"), false))
				claim(t, cidr, strlen(cidr), cluster_str(c, node));
		}
	}
}

struct seen { struct cidr block; str node; };

static int by_block(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int d = ip_order(x->block.addr, y->block.addr);

	return d ? d : str_order(x->node, y->node);
}

/* A block that nobody has claimed is the node's that has most Pods in it. */
static void learn_pods(struct control *t)
{
	struct cluster *c = control_cluster(t);
	struct arena *scratch = arena_new(NULL, "ipam");
	struct object_list l = cluster_list(c, &pod_kind);
	struct seen *v = arena_array(scratch, struct seen, 2 * (size_t)l.nr);
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++)
		for (int family = 0; family < 2; family++) {
			const struct pod *p = (const struct pod *)l.v[k];
			ip_addr ip = family ? p->ip2 : p->ip;
			struct calico_pool pools[MAX_POOLS];
			uint32_t nr_pools = ip_set(ip) && p->node && !p->spec->host_network ? pools_in(control_cluster(t), ip_is4(ip), pools) : 0;

			for (uint32_t i = 0; i < nr_pools; i++)
				if (cidr_contains(pools[i].cidr, ip) && !calico_owned(&ipam_of(t)->calico, ip_mask(ip, pools[i].block_len)))
					v[nr++] = (struct seen){ { ip_mask(ip, pools[i].block_len), pools[i].block_len, true }, p->node };
		}
	if (nr)
		qsort(v, nr, sizeof(*v), by_block);
	for (uint32_t k = 0; k < nr;) {
		uint32_t best = k, most = 0, run = k;

		while (run < nr && ip_eq(v[run].block.addr, v[k].block.addr)) {
			uint32_t from = run;

			while (run < nr && ip_eq(v[run].block.addr, v[k].block.addr) && v[run].node == v[from].node)
				run++;
			if (run - from > most) {
				most = run - from;
				best = from;
			}
		}
		claim(t, CIDR(v[best].block), strlen(CIDR(v[best].block)), v[best].node);
		k = run;
	}
	arena_free(scratch);
}

static void learn(struct control *t)
{
	struct ipam *i = ipam_of(t);

	if (i->learned)
		return;
	i->learned = true;
	learn_annotations(t);
	learn_affinities(t);
	if (cluster_has_pod_ips(control_cluster(t)))
		learn_pods(t);
}

/* ---- addresses for a Pod */

/* AssignIP: the address itself, which need not lie in a block of the node. */
static const char *asked_address(struct control *t, const struct node *n, ip_addr ip, struct arena *scratch)
{
	struct cluster *c = control_cluster(t);
	struct calico_ipam *i = &ipam_of(t)->calico;
	const struct pool_setting *found = pool_with_address(c, ip);
	struct calico_pool pool;

	if (!found)
		return "error getting IP from IPAM: The provided IP address is not in a configured pool";
	if (!pool_allows(c, found, "Workload"))
		return arena_printf(scratch, "error getting IP from IPAM: IP address %s is in IP pool \"%s\", which is not allowed for use \"Workload\" (allowedUses: %s)", IP(ip), found->name,
				    pool_uses(c, found, scratch));
	if (held_by_a_pod(c, ip))
		return "error getting IP from IPAM: Address already assigned in block";
	pool = (struct calico_pool){ found->cidr, found->block_size };
	if (!calico_block_of(i, &pool, 1, ip))
		calico_claim(i, &pool, (struct cidr){ ip_mask(ip, pool.block_len), pool.block_len, true }, n->o.name);
	return NULL;
}

static struct calico_host *host_of(struct control *t, const struct node *n)
{
	struct ipam *i = ipam_of(t);
	uint64_t *at = table_at(t, &i->hosts, n->o.id.i);

	learn(t);
	i->calico.max_blocks = cluster_settings(control_cluster(t))->max_blocks;
	i->calico.strict = cluster_settings(control_cluster(t))->strict_affinity;
	if (!*at)
		*at = map_ptr(calico_host_of(&i->calico, n->o.name));
	return (struct calico_host *)(uintptr_t)*at;
}

static const char *from_pools(struct control *t, struct node *n, const struct calico_pool *pools, uint32_t nr, bool four, ip_addr *out, struct arena *scratch)
{
	struct calico_ipam *i = &ipam_of(t)->calico;
	struct calico_host *h = host_of(t, n);
	enum calico_answer answer = calico_assign(i, pools, nr, h, out);

	announce(t, n, h);
	if (answer == CALICO_OK)
		return NULL;
	return arena_printf(scratch, "failed to request IPv%d addresses: Assigned 0 out of 1 requested IPv%d addresses; %s", four ? 4 : 6, four ? 4 : 6, calico_words(i, answer, pools, nr, scratch));
}

static const char *from_calico(struct control *t, struct node *n, const struct calico_asked *asked, bool four, ip_addr *out, struct arena *scratch)
{
	struct calico_pool pools[MAX_POOLS];
	uint32_t nr;
	const char *problem;

	if (asked->by_address) {
		learn(t);
		problem = asked->past_ipam ? NULL : asked_address(t, n, asked->address[four], scratch);
		if (!problem)
			*out = asked->address[four];
		announce(t, n, host_of(t, n));
		return problem;
	}
	problem = pools_asked(control_cluster(t), n, asked, four, "Workload", pools, &nr, scratch);
	return problem ? problem : from_pools(t, n, pools, nr, four, out, scratch);
}

static const char *from_local(struct control *t, const struct node *n, bool four, ip_addr *out, struct arena *scratch)
{
	struct arena *a = cluster_arena(control_cluster(t));
	uint64_t *at = map_put(&ipam_of(t)->local, a, map_ptr(n->o.name));
	struct local_range range;
	struct local *l;
	bool found = false;

	if (!*at)
		*at = map_ptr(arena_make(a, struct local));
	l = (struct local *)(uintptr_t)*at;
	for (uint32_t k = 0; k < n->pod_cidrs.nr && !found; k++) {
		struct cidr cidr;

		found = cidr_parse(n->pod_cidrs.v[k], &cidr) && ip_is4(cidr.addr) == four;
		if (found)
			range = local_range_of(cidr);
	}
	if (!found)
		return arena_printf(scratch, "node \"%s\" has no podCIDR of IPv%d", n->o.name, four ? 4 : 6);
	if (!local_next(&range, 1, four ? l->last4 : l->last6, held_by_a_pod, control_cluster(t), out))
		return local_full(&range, 1, scratch);
	*(four ? &l->last4 : &l->last6) = *out;
	return NULL;
}

/* The families of the Pod network, the first first. */
static uint32_t families(struct control *t, bool four[2])
{
	const struct settings *s = cluster_settings(control_cluster(t));
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->pod_cidrs.nr && nr < 2; k++)
		if (!nr || ip_is4(s->pod_cidrs.v[k].addr) != four[0])
			four[nr++] = ip_is4(s->pod_cidrs.v[k].addr);
	if (!nr)
		four[nr++] = true;
	return nr;
}

static const char *calico_add(struct control *t, struct node *n, const struct pod *p, ip_addr *ip, ip_addr *ip2, struct arena *scratch)
{
	struct calico_asked asked;
	const char *problem = calico_asked(control_cluster(t), p, &asked, scratch);
	bool four[2], any = false;

	if (problem)
		return problem;
	for (uint32_t k = 0, nr = families(t, four); k < (asked.by_address || asked.by_family ? 2 : nr) && !problem; k++) {
		bool now = k < nr ? four[k] : !four[0];

		if (asked.by_address ? !ip_set(asked.address[now]) : asked.by_family && !asked.family[now])
			continue;
		problem = from_calico(t, n, &asked, now, any ? ip2 : ip, scratch);
		any = true;
	}
	return problem ? problem : p ? calico_asked_late(control_cluster(t), p, scratch) : NULL;
}

const char *ipam_assign(struct control *t, const struct node *n, const struct pod *p, ip_addr *ip, ip_addr *ip2, struct arena *scratch)
{
	const char *problem = NULL;
	bool four[2];

	*ip = *ip2 = (ip_addr){ 0, 0 };
	if (cluster_settings(control_cluster(t))->cni == CNI_CALICO)
		problem = calico_add(t, (struct node *)n, p, ip, ip2, scratch);
	else
		for (uint32_t k = 0, nr = families(t, four); k < nr && !problem; k++)
			problem = from_local(t, n, four[k], k ? ip2 : ip, scratch);
	if (problem) {
		ipam_release(t, n, *ip, *ip2);
		*ip = *ip2 = (ip_addr){ 0, 0 };
	}
	return problem;
}

void ipam_release(struct control *t, const struct node *n, ip_addr ip, ip_addr ip2)
{
	struct calico_pool pools[MAX_POOLS];
	const ip_addr both[] = { ip, ip2 };

	(void)n;
	for (size_t k = 0; k < 2; k++)
		if (ip_set(both[k]) && cluster_settings(control_cluster(t))->cni == CNI_CALICO)
			calico_release(&ipam_of(t)->calico, pools, pools_in(control_cluster(t), ip_is4(both[k]), pools), both[k]);
}

const struct calico_block *ipam_block(const struct control *t, ip_addr ip)
{
	struct calico_pool pools[MAX_POOLS];

	return calico_block_of(&ipam_of(t)->calico, pools, pools_in(control_cluster((struct control *)t), ip_is4(ip), pools), ip);
}

/* ---- the controller: a node registers */

static void *init(struct control *t)
{
	struct arena *a = cluster_arena(control_cluster(t));
	struct ipam *i = arena_make(a, struct ipam);

	i->calico = (struct calico_ipam){ .arena = a, .taken = held_by_a_pod, .ctx = control_cluster(t) };
	return i;
}

static void occupy(struct ipam *i, const struct node *n)
{
	for (uint32_t k = 0; k < n->pod_cidrs.nr; k++)
		for (uint32_t s = 0; s < i->nr_sets; s++) {
			struct cidr cidr;

			if (cidr_parse(n->pod_cidrs.v[k], &cidr))
				cidr_set_occupy(&i->sets[s], cidr);
		}
}

/* Ranges that Nodes wear already are marked before any is given out; so is a Service range inside the Pods' (range_allocator.go). */
static void make_sets(struct control *t, struct ipam *i)
{
	struct cluster *c = control_cluster(t);
	const struct settings *s = cluster_settings(c);
	struct object_list nodes = cluster_list(c, &node_kind);

	i->ready = true;
	for (uint32_t k = 0; k < s->pod_cidrs.nr && i->nr_sets < 2; k++) {
		bool four = ip_is4(s->pod_cidrs.v[k].addr);

		if (i->nr_sets && ip_is4(i->sets[0].cluster.addr) == four)
			continue;
		if (cidr_set_init(&i->sets[i->nr_sets], cluster_arena(c), s->pod_cidrs.v[k], four ? s->node_mask4 : s->node_mask6))
			i->nr_sets++;
	}
	for (uint32_t k = 0; k < i->nr_sets; k++)
		for (uint32_t r = 0; r < s->service_cidrs.nr; r++)
			cidr_set_occupy(&i->sets[k], s->service_cidrs.v[r]);
	for (uint32_t k = 0; k < nodes.nr; k++)
		occupy(i, (const struct node *)nodes.v[k]);
}

static void watch(struct control *t, const struct change *ch)
{
	struct ipam *i = ipam_of(t);
	const struct node *n = (const struct node *)ch->object;

	if (ch->kind == CHANGE_ADD && i->ready)
		occupy(i, n);
	for (uint32_t k = 0; ch->kind == CHANGE_DELETE && k < n->pod_cidrs.nr; k++)
		for (uint32_t s = 0; s < i->nr_sets; s++) {
			struct cidr cidr;

			if (cidr_parse(n->pod_cidrs.v[k], &cidr))
				cidr_set_release(&i->sets[s], cidr);
		}
	if (ch->kind == CHANGE_ADD)
		control_wake(t, CTL_NODE_IPAM, ch->object, 0);
}

static void give_range(struct control *t, struct ipam *i, struct node *n)
{
	struct cluster *c = control_cluster(t);
	str *v = arena_array(cluster_arena(c), str, i->nr_sets);
	uint32_t nr = 0;

	for (; nr < i->nr_sets; nr++) {
		struct cidr cidr;

		if (!cidr_set_next(&i->sets[nr], &cidr)) {
			cluster_event(c, &n->o, false, "cidrAllocator", "CIDRNotAvailable", "Node %s status is now: CIDRNotAvailable", n->o.name);
			return;
		}
		v[nr] = cluster_str(c, CIDR(cidr));
	}
	if (!nr)
		return;
	n->pod_cidr = v[0];
	n->pod_cidrs = (str_list){ v, nr, true };
	cluster_touch(c, &n->o);
}

/* The annotation that tells the tunnel's address; NULL: the pool has no tunnel, or none for this node. */
static const char *tunnel_key(const struct cluster *c, const struct pool_setting *p, const struct node *n)
{
	if (!ip_is4(p->cidr.addr) || pool_selects(c, p, n, NULL) != 1 || !pool_allows(c, p, "Tunnel"))
		return NULL;
	return p->vxlan ? "projectcalico.org/IPv4VXLANTunnelAddr" : p->ipip ? "projectcalico.org/IPv4IPIPTunnelAddr" : NULL;
}

/* A pool that encapsulates needs an address on each node for the tunnel: calico/node asks for one of those pools when it starts (node/pkg/allocateip
 * determineEnabledPoolCIDRs). A pool whose selector cannot be read is passed over. */
static void tunnel_address(struct control *t, struct node *n)
{
	struct cluster *c = control_cluster(t);
	const struct settings *s = cluster_settings(c);
	struct calico_asked asked = { 0 };
	struct calico_pool pools[MAX_POOLS];
	const char *key = NULL, *problem;
	struct arena *scratch;
	struct val *list;
	uint32_t nr;
	ip_addr ip;

	for (uint32_t k = 0; s->cni == CNI_CALICO && !key && k < s->pools.nr; k++)
		key = tunnel_key(c, &s->pools.v[k], n);
	if (!key || label_get(&n->o.annotations, key))
		return;
	scratch = arena_new(NULL, "tunnel address");
	asked.pools[true] = list = val_new(scratch, VAL_LIST);
	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (streq(tunnel_key(c, &s->pools.v[k], n), key))
			val_add(scratch, list, val_string(scratch, CIDR(s->pools.v[k].cidr)));
	problem = pools_asked(c, n, &asked, true, "Tunnel", pools, &nr, scratch);
	if (!problem)
		problem = from_pools(t, n, pools, nr, true, &ip, scratch);
	if (!problem)
		annotate(t, &n->o, key, IP(ip));
	arena_free(scratch);
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct ipam *i = ipam_of(t);
	struct node *n = (struct node *)o;

	(void)now;
	if (o->gone)
		return;
	if (!i->ready)
		make_sets(t, i);
	if (!n->pod_cidrs.nr && !n->pod_cidr && !cluster_flags(control_cluster(t))->no_defaults)
		give_range(t, i, n);
	if (!n->pod_cidrs.nr && n->pod_cidr) {
		n->pod_cidrs = (str_list){ arena_copy(cluster_arena(control_cluster(t)), &n->pod_cidr, sizeof(str)), 1, true };
		occupy(i, n);
	}
	tunnel_address(t, n);
}

/* ---- saving: where the next range is looked for, who got what last, and the queues of blocks that are not in their first order */

static void save_block(struct arena *a, struct val *blocks, const struct calico_block *b)
{
	struct val *q = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < b->nr; k++)
		val_add(a, q, val_int(a, b->queue[(b->head + k) % b->places]));
	val_put_new(a, blocks, CIDR(b->cidr), q);
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	const struct ipam *i = ipam_of(t);
	struct object_list nodes = cluster_list(control_cluster(t), &node_kind);
	struct val *next = val_put(a, out, "next", val_new(a, VAL_LIST)), *last = val_put(a, out, "last", val_new(a, VAL_MAP)),
		   *blocks = val_put(a, out, "blocks", val_new(a, VAL_MAP));

	for (uint32_t k = 0; k < i->nr_sets; k++)
		val_add(a, next, val_int(a, i->sets[k].next));
	for (uint32_t k = 0; k < nodes.nr; k++) {
		const struct local *l = map_get_ptr(&i->local, map_ptr(nodes.v[k]->name));
		const struct calico_host *h = map_get_ptr(&i->calico.hosts, map_ptr(nodes.v[k]->name));

		if (l) {
			struct val *both = val_put_new(a, last, nodes.v[k]->name, val_new(a, VAL_LIST));

			val_add(a, both, val_string(a, IP(l->last4)));
			val_add(a, both, val_string(a, IP(l->last6)));
		}
		for (uint32_t b = 0; h && b < h->nr; b++)
			save_block(a, blocks, h->v[b]);
	}
}

static void load_queue(struct control *t, const struct val *q)
{
	struct cidr cidr;
	struct calico_pool pools[MAX_POOLS];
	struct calico_block *b;

	if (!cidr_parse(q->key, &cidr))
		return;
	b = (struct calico_block *)calico_block_of(&ipam_of(t)->calico, pools, pools_in(control_cluster(t), ip_is4(cidr.addr), pools), cidr.addr);
	if (!b)
		return;
	b->head = b->nr = 0;
	VAL_EACH(o, q)
		if (b->nr < b->places && o->i >= 0 && o->i < (int64_t)b->places)
			b->queue[b->nr++] = (uint16_t)o->i;
}

static void load(struct control *t, const struct val *v)
{
	struct ipam *i = ipam_of(t);
	struct arena *a = cluster_arena(control_cluster(t));
	uint32_t k = 0;

	make_sets(t, i);
	VAL_EACH(n, val_get(v, "next"))
		if (k < i->nr_sets && n->i >= 0 && n->i < (int64_t)i->sets[k].max)
			i->sets[k++].next = (uint32_t)n->i;
	VAL_EACH(l, val_get(v, "last")) {
		struct local *own = arena_make(a, struct local);

		ip_parse(val_str(val_at(l, 0)) ? val_str(val_at(l, 0)) : "", &own->last4);
		ip_parse(val_str(val_at(l, 1)) ? val_str(val_at(l, 1)) : "", &own->last6);
		*map_put(&i->local, a, map_ptr(cluster_str(control_cluster(t), l->key))) = map_ptr(own);
	}
	if (val_is(val_get(v, "blocks"), VAL_MAP) && val_get(v, "blocks")->nr)        /* else it is learnt when it is first needed, as it would have been */
		learn(t);
	VAL_EACH(q, val_get(v, "blocks"))
		load_queue(t, q);
}

static const struct kind *const kinds_heard[] = { &node_kind, NULL };
const struct controller node_ipam_controller = { .name = "node-ipam", .kinds = kinds_heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
