/* Load balancers: an address for a Service of that type, where somebody gives one: MetalLB with a pool (whether anybody announces it is the speakers' matter,
 * model/dataplane/lb.c), or a cloud (--cloud-lb). Else the Service stays <pending>. Sources: metallb controller/service.go, internal/allocator;
 * cloud-provider/controllers/service/controller.go; facts 16. */
#include <stdlib.h>

#include "model/control/alloc.h"
#include "model/control/common.h"
#include "model/l7/controllers.h"

struct span { ip_addr first, last; str pool; bool automatic, avoid; const struct metallb_pool *of; int64_t rank; };    /* avoid: addresses that end in 0 or 255 */
struct spans { struct span *v; uint32_t nr, alloc; bool cloud; };

static void watch(struct control *t, const struct change *ch)
{
	struct object_list l;

	if (ch->object->kind == &service_kind) {
		if (((struct service *)ch->object)->type == SVC_LOADBALANCER || ((struct service *)ch->object)->lb_ingress.nr || ch->kind == CHANGE_DELETE)
			control_wake(t, CTL_LOADBALANCER, ch->object, 0);
		if (ch->kind != CHANGE_DELETE)
			return;
	}
	/* A pool, an advertisement, or an address that is free again: those that wait may get theirs. */
	l = cluster_list(control_cluster(t), &service_kind);
	for (uint32_t k = 0; k < l.nr; k++)
		if (((struct service *)l.v[k])->type == SVC_LOADBALANCER && !((struct service *)l.v[k])->lb_ingress.nr)
			control_wake(t, CTL_LOADBALANCER, l.v[k], 0);
}

/* ---- who answers: the addresses that may be given */

/* serviceAllocation: MetalLB internal/allocator/allocator.go pinnedPoolsForService, sortPools, isPoolCompatibleWithService. */
static bool pinned(const struct metallb_pool *p)
{
	return val_path(p->o.doc, "spec.serviceAllocation") != NULL;
}

static int64_t rank_of(const struct metallb_pool *p)
{
	return !pinned(p) ? INT64_MAX : p->priority > 0 ? p->priority : INT64_MAX - 1;
}

static bool takes_namespace(struct cluster *c, const struct metallb_pool *p, const char *name)
{
	const struct object *ns = (const struct object *)find_namespace(c, name);

	for (uint32_t k = 0; k < p->namespaces.nr; k++)
		if (streq(p->namespaces.v[k], name))
			return true;
	for (uint32_t k = 0; ns && k < p->namespace_selectors.nr; k++)
		if (selector_matches(&p->namespace_selectors.v[k], &ns->labels))
			return true;
	return !p->namespaces.nr && !p->namespace_selectors.nr;
}

static bool takes(struct cluster *c, const struct metallb_pool *p, const struct service *s)
{
	if (!takes_namespace(c, p, s->o.ns))
		return false;
	for (uint32_t k = 0; k < p->service_selectors.nr; k++)
		if (selector_matches(&p->service_selectors.v[k], &s->o.labels))
			return true;
	return !p->service_selectors.nr;
}

/* Without being asked for: pools that are for somebody in particular, then those that are for all. */
static bool gives_by_itself(const struct metallb_pool *p)
{
	return p->auto_assign != TRI_FALSE && (!pinned(p) || p->namespaces.nr || p->namespace_selectors.nr || p->service_selectors.nr);
}

static struct spans find_spans(struct control *t, struct arena *scratch)
{
	struct cluster *c = control_cluster(t);
	const str_list *cloud = &cluster_flags(c)->cloud_lb;
	struct object_list pools = cluster_list(c, &metallb_pool_kind);
	struct spans s = { .cloud = cloud->nr > 0 };

	for (uint32_t k = 0; k < cloud->nr; k++) {
		struct span one = { .automatic = true };
		struct cidr cidr;
		struct ip_range r;

		if (!cidr_parse(cloud->v[k], &cidr))
			continue;
		r = ip_range_of(cidr);
		one.first = r.size ? r.first : cidr.addr;
		one.last = r.size ? r.last : cidr.addr;
		vec_add(scratch, &s, one);
	}
	for (uint32_t k = 0; !s.cloud && k < pools.nr; k++) {
		const struct metallb_pool *p = (const struct metallb_pool *)pools.v[k];

		for (uint32_t i = 0; i < p->addresses.nr; i++) {
			struct span one = { .pool = p->o.name, .automatic = gives_by_itself(p), .avoid = p->avoid_buggy, .of = p, .rank = rank_of(p) };

			if (!metallb_range(p->addresses.v[i], &one.first, &one.last))
				continue;
			vec_add(scratch, &s, one);
			for (uint32_t at = s.nr - 1; at && s.v[at - 1].rank > one.rank; at--) {
				s.v[at] = s.v[at - 1];
				s.v[at - 1] = one;
			}
		}
	}
	return s;
}

/* A controller that podwire brings has an address in any case (docs/cli.md, --controller): one that no node has, on the nodes' own network as kind has it. */
static void add_own(struct arena *scratch, struct spans *s)
{
	static const char *const texts[] = { "172.18.255.200-172.18.255.250", "fc00:f853:ccd:e793:ffff::200-fc00:f853:ccd:e793:ffff::250" };

	for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
		struct span one = { .automatic = true };

		metallb_range(texts[k], &one.first, &one.last);
		vec_add(scratch, s, one);
	}
}

/* ---- choosing */

static const char *annotation(const struct service *s, const char *what)
{
	char key[100];
	const char *v;

	snprintf(key, sizeof(key), "metallb.io/%s", what);
	v = label_get(&s->o.annotations, key);
	if (v)
		return v;
	snprintf(key, sizeof(key), "metallb.universe.tf/%s", what);
	return label_get(&s->o.annotations, key);
}

static bool same_pairs(const pair_list *x, const pair_list *y)
{
	for (uint32_t k = 0; k < x->nr; k++)
		if (!streq(label_get(y, x->v[k].key), x->v[k].value))
			return false;
	return x->nr == y->nr;
}

/* MetalLB internal/allocator/allocator.go checkSharing, k8salloc BackendKey: one key, the same Pods behind where the policy is Local, and no port of both. */
static bool may_share(const struct service *x, const struct service *y)
{
	const char *key = annotation(x, "allow-shared-ip"), *other = annotation(y, "allow-shared-ip");
	bool local = x->external_policy == TP_LOCAL;

	if (!key || !*key || !streq(key, other) || local != (y->external_policy == TP_LOCAL) || (local && !same_pairs(&x->selector, &y->selector)))
		return false;
	for (uint32_t k = 0; k < x->ports.nr; k++)
		for (uint32_t i = 0; i < y->ports.nr; i++)
			if (x->ports.v[k].port == y->ports.v[i].port && x->ports.v[k].protocol == y->ports.v[i].protocol)
				return false;
	return true;
}

static bool in_use(struct cluster *c, ip_addr ip, const struct service *by, bool cloud)
{
	struct object_list l = cluster_list(c, &service_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];
		ip_addr have;

		for (uint32_t i = 0; s != by && i < s->lb_ingress.nr; i++)
			if (s->lb_ingress.v[i].ip && ip_parse(s->lb_ingress.v[i].ip, &have) && ip_eq(have, ip) && (cloud || !may_share(s, by)))
				return true;
	}
	return false;
}

/* ipConfusesBuggyFirmwares */
static bool ends_in_0_or_255(ip_addr ip)
{
	return ip_is4(ip) && ((ip.lo & 255) == 0 || (ip.lo & 255) == 255);
}

/* The address that the Service asks for, of this family; false: it asks for none. */
static bool asked_for(const struct service *s, bool four, ip_addr *out)
{
	const char *text = s->lb_ip && *s->lb_ip ? s->lb_ip : annotation(s, "loadBalancerIPs");

	while (text && *text) {
		size_t n = strcspn(text, ", ");

		if (ip_parse_n(text, n, out) && ip_is4(*out) == four)
			return true;
		text += n;
		text += strspn(text, ", ");
	}
	return false;
}

static bool find_address(struct cluster *c, const struct spans *spans, const struct service *s, bool four, ip_addr *out)
{
	const char *pool = annotation(s, "address-pool");
	bool asked = asked_for(s, four, out);

	for (uint32_t k = 0; k < spans->nr; k++) {
		const struct span *p = &spans->v[k];

		if (ip_is4(p->first) != four || (p->of && !takes(c, p->of, s)) || (pool ? !streq(pool, p->pool) : !p->automatic && !asked))
			continue;
		if (asked) {
			if (ip_order(*out, p->first) >= 0 && ip_order(*out, p->last) <= 0 && !in_use(c, *out, s, spans->cloud))
				return true;
			continue;
		}
		for (*out = p->first; ip_order(*out, p->last) <= 0; *out = ip_add(*out, 1))
			if (!(p->avoid && ends_in_0_or_255(*out)) && !in_use(c, *out, s, spans->cloud))
				return true;
	}
	return false;
}

static void give(struct control *t, struct service *s, const struct spans *spans)
{
	struct cluster *c = control_cluster(t);
	struct lb_ingress v[2];
	uint32_t nr = 0;
	ip_addr ip;

	memset(v, 0, sizeof(v));
	for (uint32_t k = 0; k < MAX(s->families.nr, 1u) && nr < ARRAY_LEN(v); k++) {
		if (!find_address(c, spans, s, !s->families.nr || streq(s->families.v[k], "IPv4"), &ip))
			continue;
		v[nr].ip = cluster_str(c, IP(ip));
		v[nr++].ip_mode = cluster_str(c, "VIP");
	}
	if (!nr) {
		cluster_event(c, &s->o, true, spans->cloud ? "service-controller" : "metallb-controller", spans->cloud ? "SyncLoadBalancerFailed" : "AllocationFailed",
			      "Failed to allocate IP for \"%s/%s\": no available IPs", s->o.ns, s->o.name);
		return;
	}
	s->lb_ingress.v = arena_copy(cluster_arena(c), v, nr * sizeof(*v));
	s->lb_ingress.nr = nr;
	s->lb_ingress.set = true;
	if (spans->cloud)
		cluster_event(c, &s->o, false, "service-controller", "EnsuredLoadBalancer", "Ensured load balancer");
	else if (nr == 1)
		cluster_event(c, &s->o, false, "metallb-controller", "IPAllocated", "Assigned IP [\"%s\"]", v[0].ip);
	else
		cluster_event(c, &s->o, false, "metallb-controller", "IPAllocated", "Assigned IP [\"%s\" \"%s\"]", v[0].ip, v[1].ip);
	cluster_touch(c, &s->o);
}

/* A Service that names a class is left to whoever serves that class: the cloud's service controller takes none (cloud-provider controllers/service wantsLoadBalancer),
 * MetalLB its own. */
static bool somebody_serves(struct cluster *c, const struct service *s)
{
	return !s->lb_class || (!cluster_flags(c)->cloud_lb.nr && streq(s->lb_class, "metallb.io/metallb"));
}

/* MetalLB then takes back what it gave (controller/service.go convergeBalancer). */
static bool asks_for_another(struct cluster *c, const struct service *s)
{
	ip_addr want, have;

	for (uint32_t k = 0; k < s->lb_ingress.nr; k++)
		if (!cluster_flags(c)->cloud_lb.nr && !val_path(s->o.doc, "status.loadBalancer") && s->lb_ingress.v[k].ip && ip_parse(s->lb_ingress.v[k].ip, &have) &&
		    asked_for(s, ip_is4(have), &want) && !ip_eq(want, have))
			return true;
	return false;
}

static void run(struct control *t, struct object *o, nsec now)
{
	static const char beginning[] = "EnsuringLoadBalancer";
	struct service *s = (struct service *)o;
	uint64_t *since = map_put(control_state(t, CTL_LOADBALANCER), cluster_arena(control_cluster(t)), o->id.i);
	struct arena *scratch;
	struct spans spans;

	if (o->gone || s->type != SVC_LOADBALANCER || !somebody_serves(control_cluster(t), s)) {
		*since = 0;
		if (!o->gone && s->type != SVC_LOADBALANCER && s->lb_ingress.nr && !val_path(o->doc, "status.loadBalancer")) {
			memset(&s->lb_ingress, 0, sizeof(s->lb_ingress));
			cluster_touch(control_cluster(t), o);
		}
		return;
	}
	if (s->lb_ingress.nr && !asks_for_another(control_cluster(t), s))
		return;
	if (s->lb_ingress.nr) {
		memset(&s->lb_ingress, 0, sizeof(s->lb_ingress));
		cluster_touch(control_cluster(t), o);
	}
	scratch = arena_new(NULL, "load balancer");
	spans = find_spans(t, scratch);
	if (!spans.nr && label_get(&o->annotations, CONTROLLER_ANNOTATION))
		add_own(scratch, &spans);
	if (spans.nr && !*since) {
		*since = (uint64_t)now + 1;
		if (spans.cloud)
			cluster_event(control_cluster(t), o, false, "service-controller", beginning, "Ensuring load balancer");
	}
	if (spans.nr && now < (nsec)*since - 1 + timing(T_STEP_LB))
		control_wake(t, CTL_LOADBALANCER, o, (nsec)*since - 1 + timing(T_STEP_LB));
	else if (spans.nr)
		give(t, s, &spans);
	arena_free(scratch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct map);
}

static void save(struct control *t, struct arena *a, struct val *out)
{
	struct object_list l = cluster_list(control_cluster(t), &service_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const uint64_t *since = map_find(control_state(t, CTL_LOADBALANCER), l.v[k]->id.i);

		if (since && *since)
			val_put_new(a, out, l.v[k]->uid, val_int(a, (int64_t)*since));
	}
}

static void load(struct control *t, const struct val *v)
{
	struct cluster *c = control_cluster(t);

	VAL_EACH(since, v) {
		const struct object *o = control_by_uid(t, cluster_str(c, since->key));

		if (o)
			*map_put(control_state(t, CTL_LOADBALANCER), cluster_arena(c), o->id.i) = (uint64_t)val_int_or(since, 0);
	}
}

static const struct kind *const kinds_heard[] = { &service_kind, &metallb_pool_kind, &l2_advertisement_kind, &bgp_advertisement_kind, NULL };
const struct controller loadbalancer_controller = { .name = "loadbalancer", .kinds = kinds_heard, .init = init, .watch = watch, .run = run, .save = save, .load = load };
