#include "model/api/check.h"
#include "model/control/alloc.h"

#include "model/control/controllers.h"

struct allocation {
	struct map by_ip;               /* hash of the address → the Service that took it last */
	struct map by_port;             /* node port → likewise */
	rev_t full_at[2];               /* the cluster's revision when no IPv4, IPv6 address was free for a new Service; 0: there was one */
};

struct alloc {                            /* one Service on its way into the cluster */
	struct control *t;
	struct cluster *c;
	struct allocation *a;
	const struct settings *settings;
	struct service *s;
	const struct service *old, *self;       /* self: the one that stays: old, or s if it is new */
	struct check *check;
	bool take_all;                          /* given values are not judged */
};

/* ---- who has what: an entry holds as long as a living Service really has the value */

static bool has_ip(const struct service *s, ip_addr ip)
{
	for (uint32_t k = 0; k < s->cluster_ips.nr; k++) {
		ip_addr have;

		if (ip_parse(s->cluster_ips.v[k], &have) && ip_eq(have, ip))
			return true;
	}
	return false;
}

static bool has_port(const struct service *s, int32_t port)
{
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (s->ports.v[k].node_port == port)
			return true;
	return s->health_check_node_port == port;
}

static bool lives(const struct service *s)
{
	return s && s->o.id.i && !s->o.gone;
}

static bool ip_taken(void *ctx, ip_addr ip)
{
	const struct alloc *j = ctx;
	const struct service *s = map_get_ptr(&j->a->by_ip, hash_mix(ip.hi, ip.lo));

	return lives(s) && s != j->self && has_ip(s, ip);
}

static bool port_taken(const struct alloc *j, int32_t port)
{
	const struct service *s = map_get_ptr(&j->a->by_port, (uint64_t)port);

	return lives(s) && s != j->self && has_port(s, port);
}

static void take_ip(const struct alloc *j, ip_addr ip)
{
	*map_put(&j->a->by_ip, cluster_arena(j->c), hash_mix(ip.hi, ip.lo)) = map_ptr(j->self);
}

static void take_port(const struct alloc *j, int32_t port)
{
	*map_put(&j->a->by_port, cluster_arena(j->c), (uint64_t)port) = map_ptr(j->self);
}

/* ---- small lists of texts */

static void add_text(const struct alloc *j, str_list *l, str text)
{
	str *v = arena_array(cluster_arena(j->c), str, l->nr + 1);

	if (l->nr)
		memcpy(v, l->v, l->nr * sizeof(*v));
	v[l->nr] = text;
	*l = (str_list){ v, l->nr + 1, true };
}

static bool family_served(const struct alloc *j, const char *family)
{
	for (uint32_t k = 0; k < j->settings->service_cidrs.nr; k++)
		if (ip_is4(j->settings->service_cidrs.v[k].addr) == streq(family, "IPv4"))
			return true;
	return false;
}

static bool dual_stack(const struct alloc *j)
{
	return family_served(j, "IPv4") && family_served(j, "IPv6");
}

static str text(const struct alloc *j, const char *s)
{
	return cluster_str(j->c, s);
}

static str default_family(const struct alloc *j)
{
	return text(j, j->settings->service_cidrs.nr && !ip_is4(j->settings->service_cidrs.v[0].addr) ? "IPv6" : "IPv4");
}

static bool headless(const struct service *s)
{
	return s->cluster_ips.nr && streq(s->cluster_ips.v[0], "None");
}

/* ---- what an update does not name stays (strategy.go patchAllocatedValues, alloc.go initIPFamilyFields) */

static bool uses_port(const struct service *s, int32_t port)
{
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (s->ports.v[k].node_port == port)
			return true;
	return false;
}

/* Another entry, of another port, asks for the number now. */
static bool asked_elsewhere(const struct service *s, uint32_t k, int32_t port)
{
	for (uint32_t i = 0; i < s->ports.nr; i++)
		if (i != k && s->ports.v[i].node_port == port && s->ports.v[i].port != s->ports.v[k].port)
			return true;
	return false;
}

/* An entry that stays is known by its port (the merge key of patches); one whose port is new has the node port of its name, unless that is still somebody's. */
static void keep_ports(struct alloc *j)
{
	struct service *s = j->s;
	const struct service *old = j->old;

	for (uint32_t k = 0; k < s->ports.nr; k++)
		for (uint32_t i = 0; !s->ports.v[k].node_port && i < old->ports.nr; i++)
			if (old->ports.v[i].port == s->ports.v[k].port && old->ports.v[i].protocol == s->ports.v[k].protocol &&
			    !asked_elsewhere(s, k, old->ports.v[i].node_port))
				s->ports.v[k].node_port = old->ports.v[i].node_port;
	for (uint32_t k = 0; k < s->ports.nr; k++)
		for (uint32_t i = 0; !s->ports.v[k].node_port && i < old->ports.nr; i++)
			if (streq(old->ports.v[i].name, s->ports.v[k].name) && !uses_port(s, old->ports.v[i].node_port))
				s->ports.v[k].node_port = old->ports.v[i].node_port;
	if (!s->health_check_node_port && s->external_policy == TP_LOCAL && s->type == SVC_LOADBALANCER)
		s->health_check_node_port = old->health_check_node_port;
}

static bool wants_ip(const struct service *s)
{
	return s->type != SVC_EXTERNALNAME;
}

static bool wants_ports(const struct service *s)
{
	return s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER;
}

static bool same_texts(const str_list *x, const str_list *y)
{
	for (uint32_t k = 0; k < x->nr && x->nr == y->nr; k++)
		if (!streq(x->v[k], y->v[k]))
			return false;
	return x->nr == y->nr;
}

static void keep(struct alloc *j)
{
	struct service *s = j->s;
	const struct service *old = j->old;

	if (wants_ip(s) && wants_ip(old)) {
		if (!s->family_policy)
			s->family_policy = old->family_policy;
		if (!s->families.nr)
			s->families = old->families;
		if (!s->cluster_ips.nr)
			s->cluster_ips = old->cluster_ips;
		if (streq(s->family_policy, "SingleStack")) {           /* what was not changed gives way to it */
			if (same_texts(&s->families, &old->families))
				s->families.nr = MIN(s->families.nr, 1u);
			if (same_texts(&s->cluster_ips, &old->cluster_ips))
				s->cluster_ips.nr = MIN(s->cluster_ips.nr, 1u);
		}
	}
	if (s->cluster_ips.nr)
		s->cluster_ip = s->cluster_ips.v[0];
	if (wants_ports(s) && wants_ports(old))
		keep_ports(j);
}

/* A headless Service keeps its None, and with it can have no other type. */
static bool headless_fits(struct alloc *j)
{
	if (j->take_all || !headless(j->s) || !wants_ports(j->s))
		return true;
	return refuse_text(j->check, SUB(NULL, "spec.clusterIPs[0]"), "\"None\"", "may not be set to 'None' for %s services", svc_type_names[j->s->type]);
}

/* A Service that prefers two families is not given the second, nor loses it, because the cluster has changed (alloc.go isMatchingPreferDualStackClusterIPFields). */
static bool stays_as_it_is(const struct alloc *j)
{
	const struct service *s = j->s, *old = j->old;

	return old && s->type == old->type && wants_ip(s) && streq(s->family_policy, "PreferDualStack") && streq(old->family_policy, "PreferDualStack") &&
	       same_texts(&s->cluster_ips, &old->cluster_ips) && same_texts(&s->families, &old->families);
}

static void normalise(struct alloc *j)
{
	struct service *s = j->s;

	if (!s->cluster_ips.nr && s->cluster_ip && *s->cluster_ip)
		add_text(j, &s->cluster_ips, s->cluster_ip);
	if (s->cluster_ips.nr)
		s->cluster_ip = s->cluster_ips.v[0];
}

/* ---- families (alloc.go initIPFamilyFields) */

static bool infer_families(struct alloc *j)
{
	struct service *s = j->s;
	bool ok = true;

	for (uint32_t k = 0; k < s->cluster_ips.nr && !headless(s); k++) {
		ip_addr ip;
		const char *family;

		if (k < s->families.nr || !ip_parse_lenient(s->cluster_ips.v[k], &ip))
			continue;
		family = ip_is4(ip) ? "IPv4" : "IPv6";
		if (!j->take_all && !family_served(j, family)) {
			const char *path = arena_printf(cluster_arena(j->c), "spec.clusterIPs[%u]", k);

			ok = refuse_text(j->check, SUB(NULL, path), arena_printf(cluster_arena(j->c), "\"%s\"", s->cluster_ips.v[k]), "%s is not configured on this cluster", family);
			continue;
		}
		add_text(j, &s->families, text(j, family));
	}
	return ok;
}

static void add_other_family(struct alloc *j)
{
	add_text(j, &j->s->families, text(j, streq(j->s->families.v[0], "IPv4") ? "IPv6" : "IPv4"));
}

static bool single_stack_fits(struct alloc *j)
{
	static const char path[] = "spec.ipFamilyPolicy", value[] = "\"SingleStack\"";

	if (!streq(j->s->family_policy, "SingleStack") || j->take_all)
		return true;
	if (j->s->cluster_ips.nr == 2)
		return refuse_text(j->check, SUB(NULL, path), value, "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified");
	if (j->s->families.nr == 2)
		return refuse_text(j->check, SUB(NULL, path), value, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
	return true;
}

/* Fewer families than before want a policy that says so. */
static bool none_is_released(struct alloc *j)
{
	const struct service *s = j->s, *old = j->old;
	struct sb b = { 0 };

	if (j->take_all || !old || !wants_ip(old) || !s->families.nr || s->families.nr >= old->families.nr || streq(s->family_policy, "SingleStack") ||
	    !streq(s->families.v[0], old->families.v[0]))
		return true;
	json_quote(&b, s->family_policy);
	refuse_text(j->check, SUB(NULL, "spec.ipFamilyPolicy"), sb_text(&b), "must be 'SingleStack' to release the secondary IP family");
	sb_free(&b);
	return false;
}

static bool families_are_served(struct alloc *j)
{
	uint32_t given = j->take_all ? headless(j->s) ? 2 : j->s->cluster_ips.nr : 0;           /* addresses that are taken as they are */
	bool ok = true;

	if (given < 2 && streq(j->s->family_policy, "RequireDualStack") && !dual_stack(j))
		ok = refuse_text(j->check, SUB(NULL, "spec.ipFamilyPolicy"), "\"RequireDualStack\"", "this cluster is not configured for dual-stack services");
	for (uint32_t k = given; k < j->s->families.nr; k++)
		if (!family_served(j, j->s->families.v[k]))
			ok = refuse_text(j->check, SUB(NULL, arena_printf(cluster_arena(j->c), "spec.ipFamilies[%u]", k)),
					   arena_printf(cluster_arena(j->c), "\"%s\"", j->s->families.v[k]), "not configured on this cluster");
	return ok;
}

static bool set_families(struct alloc *j)
{
	struct service *s = j->s;
	bool free_choice = headless(s) && !s->selector.nr;

	if (!s->family_policy)
		s->family_policy = text(j, free_choice ? "RequireDualStack" : s->cluster_ips.nr > 1 && j->take_all ? "PreferDualStack" : "SingleStack");
	if (!none_is_released(j) || !single_stack_fits(j) || !infer_families(j))
		return false;
	if (free_choice) {
		if (!s->families.nr)
			add_text(j, &s->families, default_family(j));
		if (s->families.nr < 2 && !streq(s->family_policy, "SingleStack"))
			add_other_family(j);
		return true;
	}
	if (!families_are_served(j))
		return false;
	if (!s->families.nr)
		add_text(j, &s->families, default_family(j));
	if (!streq(s->family_policy, "SingleStack") && s->families.nr == 1 && dual_stack(j))
		add_other_family(j);
	return true;
}

/* ---- ClusterIPs */

static const char *ips_as_json(struct alloc *j)
{
	struct sb b = { 0 };
	const char *out;

	for (uint32_t k = 0; k < j->s->cluster_ips.nr; k++)
		sb_printf(&b, "%s\"%s\"", k ? "," : "", j->s->cluster_ips.v[k]);
	out = arena_printf(cluster_arena(j->c), "[%s]", sb_text(&b));
	sb_free(&b);
	return out;
}

static bool take_given(struct alloc *j, const char *given)
{
	enum range_answer answer = RANGE_OUTSIDE;
	ip_addr ip;

	if (!ip_parse_lenient(given, &ip))
		return true;                    /* validation has said so */
	for (uint32_t k = 0; k < j->settings->service_cidrs.nr && answer == RANGE_OUTSIDE; k++) {
		struct ip_range r = ip_range_of(j->settings->service_cidrs.v[k]);

		if (cidr_contains(r.cidr, ip))
			answer = ip_range_check(&r, ip, ip_taken, j);
	}
	if (answer != RANGE_OK && !j->take_all && !(j->old && has_ip(j->old, ip)))
		return refuse_text(j->check, SUB(NULL, "spec.clusterIPs"), ips_as_json(j), "failed to allocate IP %s: %s", given, range_words[answer]);
	take_ip(j, ip);
	return true;
}

static bool take_free(struct alloc *j, uint32_t place)
{
	bool four = streq(j->s->families.v[place], "IPv4");
	const char *key = arena_printf(cluster_arena(j->c), "%s/%s", j->s->o.ns, j->s->o.name);
	rev_t now = cluster_rev(j->c), *full_at = &j->a->full_at[!four];
	bool known_full = !j->old && *full_at && *full_at == now;       /* asking each address again would not find one */
	ip_addr ip;

	for (uint32_t k = 0; k < j->settings->service_cidrs.nr && !known_full; k++) {
		struct ip_range r = ip_range_of(j->settings->service_cidrs.v[k]);

		if (ip_is4(r.cidr.addr) != four || ip_range_next(&r, draw(j->c, "clusterIP", key, place), ip_taken, j, &ip) != RANGE_OK)
			continue;
		take_ip(j, ip);
		add_text(j, &j->s->cluster_ips, text(j, IP(ip)));
		return true;
	}
	*full_at = j->old ? 0 : now;
	return err_add(j->check->err, ERR_INPUT, &(struct where){ .file = j->check->file, .object = j->check->object },
		       "Internal error occurred: failed to allocate a serviceIP: %s", range_words[RANGE_FULL]);
}

static bool allocate_ips(struct alloc *j)
{
	struct service *s = j->s;
	bool ok = true;

	if (headless(s))
		return true;
	for (uint32_t k = 0; k < s->cluster_ips.nr && ok; k++)
		ok = take_given(j, s->cluster_ips.v[k]);
	for (uint32_t k = s->cluster_ips.nr; k < s->families.nr && ok; k++)
		ok = take_free(j, k);
	if (s->cluster_ips.nr)
		s->cluster_ip = s->cluster_ips.v[0];
	return ok;
}

/* ---- node ports */

static bool port_outside(const struct alloc *j, int32_t port)
{
	return port < j->settings->node_port_lo || port > j->settings->node_port_hi;
}

static bool among(const int32_t *mine, uint32_t nr_mine, int32_t port)
{
	for (uint32_t k = 0; k < nr_mine; k++)
		if (mine[k] == port)
			return true;
	return false;
}

/* What the update lets go is free only when it has succeeded. */
static bool own_before(const struct alloc *j, int32_t port)
{
	return j->old && has_port(j->old, port);
}

static const char *port_problem(struct alloc *j, int32_t port, const int32_t *mine, uint32_t nr_mine)
{
	if (j->take_all)
		return NULL;
	if (port_outside(j, port))
		return arena_printf(cluster_arena(j->c), "provided port is not in the valid range. The range of valid ports is %u-%u", j->settings->node_port_lo,
				    j->settings->node_port_hi);
	if (among(mine, nr_mine, port))
		return "provided port is already allocated";
	if (own_before(j, port))
		return "provided port is already allocated";
	return port_taken(j, port) ? "provided port is already allocated" : NULL;
}

static bool free_port(const struct alloc *j, uint64_t n, const int32_t *mine, uint32_t nr_mine, int32_t *out)
{
	uint32_t size = (uint32_t)(j->settings->node_port_hi - j->settings->node_port_lo + 1), lower = node_port_band(size);
	const char *key = arena_printf(cluster_arena(j->c), "%s/%s", j->s->o.ns, j->s->o.name);

	for (int half = 0; half < 2; half++) {
		uint32_t from = half ? 0 : lower, nr = half ? lower : size - lower, start = nr ? draw_below(j->c, "nodePort", key, n, nr) : 0;

		for (uint32_t k = 0; k < nr; k++) {
			int32_t port = (int32_t)(j->settings->node_port_lo + from + (start + k) % nr);

			if (!port_taken(j, port) && !own_before(j, port) && !among(mine, nr_mine, port)) {
				*out = port;
				return true;
			}
		}
	}
	return false;
}

static bool range_full(const struct alloc *j, const char *what)
{
	return err_add(j->check->err, ERR_INPUT, &(struct where){ .file = j->check->file, .object = j->check->object },
		       "Internal error occurred: failed to allocate a %s: %s", what, range_words[RANGE_FULL]);
}

/* Entries of one new Service with the same `port` share a node port (alloc.go initNodePorts); in an update each draws its own (updateNodePorts), and may ask for another's. */
static const struct svc_port *share(const struct service *s, uint32_t i, uint32_t before)
{
	for (uint32_t k = 0; k < before; k++)
		if (k != i && s->ports.v[k].port == s->ports.v[i].port && s->ports.v[k].node_port)
			return &s->ports.v[k];
	return NULL;
}

static bool old_has(const struct alloc *j, int32_t port)
{
	for (uint32_t k = 0; j->old && k < j->old->ports.nr; k++)
		if (j->old->ports.v[k].node_port == port)
			return true;
	return false;
}

static bool one_port(struct alloc *j, uint32_t i, int32_t *mine, uint32_t *nr_mine)
{
	struct svc_port *p = &j->s->ports.v[i];
	const struct svc_port *same = j->old ? NULL : share(j->s, i, i), *asked = j->old || p->node_port ? NULL : share(j->s, i, j->s->ports.nr);
	const char *problem;

	if (!p->node_port && same)
		p->node_port = same->node_port;
	else if (!p->node_port && asked)
		p->node_port = asked->node_port;
	if (!p->node_port) {
		if (!free_port(j, i, mine, *nr_mine, &p->node_port))
			return range_full(j, "nodePort");
	} else if (!(same && same->node_port == p->node_port) && !old_has(j, p->node_port) && !(j->old && among(mine, *nr_mine, p->node_port))) {
		problem = port_problem(j, p->node_port, mine, *nr_mine);
		if (problem)
			return refuse_text(j->check, SUB(NULL, arena_printf(cluster_arena(j->c), "spec.ports[%u].nodePort", i)),
					     arena_printf(cluster_arena(j->c), "%d", p->node_port), "%s", problem);
	}
	mine[(*nr_mine)++] = p->node_port;
	take_port(j, p->node_port);
	return true;
}

static bool health_port(struct alloc *j, const int32_t *mine, uint32_t nr_mine)
{
	struct service *s = j->s;
	const char *problem;

	if (s->type != SVC_LOADBALANCER || s->external_policy != TP_LOCAL)
		return true;
	if (!s->health_check_node_port) {
		if (!free_port(j, 1u << 20, mine, nr_mine, &s->health_check_node_port))
			return range_full(j, "HealthCheck NodePort 0");
	} else if (!(j->old && j->old->health_check_node_port == s->health_check_node_port) && (problem = port_problem(j, s->health_check_node_port, mine, nr_mine))) {
		return err_add(j->check->err, ERR_INPUT, &(struct where){ .file = j->check->file, .object = j->check->object },
			       "Internal error occurred: failed to allocate requested HealthCheck NodePort %d: %s", s->health_check_node_port, problem);
	}
	take_port(j, s->health_check_node_port);
	return true;
}

/* A document of a living cluster names the families and addresses that its API server gave: a node port that it lacks was not given either. */
static bool stored_before(const struct alloc *j)
{
	const struct val *doc = j->s->o.doc;

	return j->take_all && !j->old && val_path(doc, "spec.clusterIPs") && val_path(doc, "spec.ipFamilies");
}

static bool allocate_ports(struct alloc *j)
{
	struct service *s = j->s;
	int32_t *mine = arena_array(cluster_arena(j->c), int32_t, s->ports.nr + 1);
	uint32_t nr_mine = 0;

	if (!wants_ports(s) || stored_before(j))
		return true;
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		if (!s->ports.v[k].node_port && s->type == SVC_LOADBALANCER && s->allocate_node_ports == TRI_FALSE)
			continue;
		if (!one_port(j, k, mine, &nr_mine))
			return false;
	}
	return health_port(j, mine, nr_mine);
}

/* A list of which the document has but the beginning is whole in what the API server keeps; what was applied is remembered as it was. */
static void complete_list(struct alloc *j, const char *key, const str_list *whole)
{
	struct arena *a = cluster_arena(j->c);
	struct object *o = &j->s->o;
	const struct val *list = val_get(val_get(o->doc, "spec"), key);
	struct val *v;

	if (!val_is(list, VAL_LIST) || !list->nr || list->nr >= whole->nr)
		return;
	if (!o->applied)
		o->applied = val_copy(a, o->doc);
	v = val_new(a, VAL_LIST);
	for (uint32_t k = 0; k < whole->nr; k++)
		val_add(a, v, val_string(a, whole->v[k]));
	val_put(a, (struct val *)(uintptr_t)val_get(o->doc, "spec"), key, v);
}

static bool complete(struct alloc *j)
{
	complete_list(j, "ipFamilies", &j->s->families);
	complete_list(j, "clusterIPs", &j->s->cluster_ips);
	return true;
}

bool service_allocate(struct control *t, struct service *s, const struct service *old, struct check *check)
{
	struct cluster *c = control_cluster(t);
	struct alloc j = { t, c, control_state(t, CTL_ALLOCATION), cluster_settings(c), s, old, old ? old : s, check, cluster_flags(c)->respect };

	normalise(&j);
	if (old)
		keep(&j);
	if (!wants_ip(s)) {
		s->cluster_ip = NULL;
		s->cluster_ips = (str_list){ 0 };
		return true;
	}
	if (!headless_fits(&j) || (!stays_as_it_is(&j) && (!set_families(&j) || !allocate_ips(&j))))
		return false;
	return allocate_ports(&j) && complete(&j);
}

/* ---- the controller: Services that did not come by way of the API server, and ranges that were named after them */

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct allocation);
}

static void watch(struct control *t, const struct change *ch)
{
	struct object_list l;

	if (ch->object->kind == &config_map_kind && !streq(ch->object->name, "kubeadm-config"))
		return;
	if (ch->object->kind == &service_kind) {
		if (ch->kind == CHANGE_ADD)
			control_wake(t, CTL_ALLOCATION, ch->object, 0);
		return;
	}
	if (control_now(t) != 0)        /* a configuration that is read after the Services: only before anything has happened */
		return;
	l = cluster_list(control_cluster(t), &service_kind);
	for (uint32_t k = 0; k < l.nr; k++)
		control_wake(t, CTL_ALLOCATION, l.v[k], 0);
}

/* Addresses that were drawn from a range that is none any more are drawn anew. */
static void drop_strays(struct control *t, struct service *s)
{
	const struct settings *set = cluster_settings(control_cluster(t));
	bool stray = false;

	if (headless(s) || !s->o.doc || val_path(s->o.doc, "spec.clusterIP") || val_path(s->o.doc, "spec.clusterIPs") || control_now(t) != 0)
		return;
	for (uint32_t k = 0; k < s->cluster_ips.nr; k++) {
		bool inside = false;
		ip_addr ip;

		for (uint32_t i = 0; i < set->service_cidrs.nr && ip_parse(s->cluster_ips.v[k], &ip); i++)
			inside = inside || cidr_contains(set->service_cidrs.v[i], ip);
		stray = stray || !inside;
	}
	if (!stray)
		return;
	s->cluster_ip = NULL;
	s->cluster_ips = (str_list){ 0 };
	if (!val_path(s->o.doc, "spec.ipFamilies"))
		s->families = (str_list){ 0 };
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct service *s = (struct service *)o;
	struct err err = { 0 };
	char who[300];
	struct check check = { o->file, who, o->doc, &err, 0, NULL, false, false };
	uint32_t before;

	(void)now;
	if (o->gone)
		return;
	snprintf(who, sizeof(who), "Service \"%s\"", o->name);
	drop_strays(t, s);
	before = s->cluster_ips.nr;
	if (!service_allocate(t, s, NULL, &check))
		cluster_event(control_cluster(t), o, true, "ipallocator-repair-controller", "ClusterIPNotAllocated", "%s", err.nr ? err.v[0].text : "");
	else if (s->cluster_ips.nr != before)
		cluster_touch(control_cluster(t), o);
	err_free(&err);
}

static const struct kind *const kinds_heard[] = { &service_kind, &kind_cluster_kind, &kubeadm_config_kind, &service_cidr_kind, &config_map_kind, NULL };
const struct controller allocation_controller = { .name = "allocation", .kinds = kinds_heard, .init = init, .watch = watch, .run = run };
