#include "sim/linux/live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/policy/tiers.h"
#include "sim/linux/cni.h"
#include "sim/linux/haproxies.h"
#include "sim/linux/features.h"
#include "sim/linux/image.h"

static bool put_file(const char *dir, const char *name, const void *data, size_t n, struct err *err)
{
	char path[256];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ok = fd >= 0 && write(fd, data, n) == (ssize_t)n;
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

bool live_begin(struct live *live, struct err *err)
{
	struct ifinfomsg lo = { .ifi_family = AF_UNSPEC, .ifi_index = 1, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	char path[256];

	live->dir = "/run/podwire";
	mkdir(live->dir, 0755);
	for (const char *const *sub = (const char *const[]){ "bin", "logs", "volumes", "etc", NULL }; *sub; sub++) {
		snprintf(path, sizeof(path), "%s/%s", live->dir, *sub);
		mkdir(path, 0755);
	}
	live->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	live->own_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (live->own_net < 0)
		return err_add(err, ERR_MACHINE, NULL, "/proc/self/ns/net: %s", strerror(errno));
	return put_file(live->dir, "bin/pause", pause_image, (size_t)(pause_image_end - pause_image), err) &&
	       put_file(live->dir, "bin/workload", workload_image, (size_t)(workload_image_end - workload_image), err) &&
	       zone_begin(live, err) && nl_open(&live->fabric, NETLINK_ROUTE, "the fabric", err) && nl_begin(&live->fabric, RTM_NEWLINK, 0, &lo, sizeof(lo), err) && nl_send(&live->fabric, err);
}

/* ---- which space is which namespace */

struct syncing {
	struct live *live;
	struct cluster *cluster;
	const struct dataplane *dp;
	struct arena *arena;
	struct space **of;              /* by netns_h */
	uint32_t *index, *space;        /* by link_h, by netns_h */
	struct live_sum *sum;
	struct err *err;
};

void *list_grow(void *v, uint32_t *alloc, size_t size)
{
	*alloc = MAX(8u, 2 * *alloc);
	v = realloc(v, *alloc * size);
	if (!v)
		abort();
	return v;
}

static uint64_t name_key(const char *name)
{
	size_t n = strlen(name);

	return hash_mix(fnv32a(name, n), fnv32(name, n));
}

/* A sandbox that is made anew has another address; a Pod of the same name another uid. */
static const char *uid_of(const struct syncing *x, const struct netns *ns)
{
	const struct object *o = ns->object ? obj_get(x->cluster, (obj_h){ ns->object }) : NULL;
	const struct pod *p = o && o->kind == &pod_kind ? (const struct pod *)o : NULL;

	return !o || !o->uid ? "" : p ? arena_printf(x->arena, "%s %s %s", o->uid, IP(p->ip), IP(p->ip2)) : o->uid;
}

static struct space *add_space(struct syncing *x, const struct netns *ns)
{
	struct live *live = x->live;
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	*list_push(&live->spaces) = s;
	s->id = live->spaces.nr;
	s->name = strdup(ns->name);
	s->uid = strdup(uid_of(x, ns));
	snprintf(s->hostname, sizeof(s->hostname), "%s", ns->hostname ? ns->hostname : ns->name);
	s->kind = ns->kind;
	s->pidfd = s->netfd = s->nf = -1;
	s->next_index = 1;
	return s;
}

static bool find_spaces(struct syncing *x)
{
	struct map by_name = { 0 };

	for (uint32_t k = 0; k < x->live->spaces.nr; k++)
		if (x->live->spaces.v[k]) {
			x->live->spaces.v[k]->gone = true;
			x->live->spaces.v[k]->ns = (netns_h){ 0 };
			*map_put(&by_name, x->arena, name_key(x->live->spaces.v[k]->name)) = k + 1;
		}
	NETNS_EACH(x->dp, k) {
		const struct netns *ns = netns_get(x->dp, (netns_h){ k });
		uint64_t *at = map_find(&by_name, name_key(ns->name));
		struct space *s = at ? x->live->spaces.v[*at - 1] : NULL;

		if (!s || strcmp(s->uid, uid_of(x, ns)) != 0)           /* another Pod of the same name is another sandbox */
			s = add_space(x, ns);
		s->gone = false;
		s->ns = (netns_h){ k };
		x->of[k] = s;
		x->space[k] = s->id;
	}
	for (uint32_t k = 0; k < x->live->spaces.nr; k++)
		if (x->live->spaces.v[k] && x->live->spaces.v[k]->gone)
			space_end(x->live, x->live->spaces.v[k]);
	NETNS_EACH(x->dp, k)
		if (x->of[k]->pid <= 0 && ++x->sum->spaces && !space_begin(x->live, x->of[k], x->err))
			return false;
	return true;
}

/* A link that is the same as before keeps its index; any other gets one that nobody had. */
static uint32_t index_of(const struct syncing *x, struct space *s, link_h h)
{
	const struct link *l = link_get(x->dp, h);
	link_h peer = l->kind == LINK_VETH ? link_peer(x->dp, h) : (link_h){ 0 };
	uint32_t far = peer.i ? x->space[link_get(x->dp, peer)->netns.i] : 0;

	for (uint32_t k = 0; k < s->now.links.nr; k++) {
		const struct k_link *have = &s->now.links.v[k];

		if (strcmp(have->name, l->name) == 0 && have->kind == l->kind && have->far_space == far && have->segment == (l->kind == LINK_PHYS ? l->segment : 0) &&
		    have->vni == (l->kind == LINK_VXLAN ? l->vni : 0) && (l->kind != LINK_VXLAN || ip_eq(have->local, l->local)))
			return have->index;
	}
	return s->next_index++;
}

static void make_views(struct syncing *x)
{
	NETNS_EACH(x->dp, n) {
		const struct netns *ns = netns_get(x->dp, (netns_h){ n });

		for (uint32_t k = 0; k < ns->links.nr; k++)
			x->index[netns_link(ns, k).i] = index_of(x, x->of[n], netns_link(ns, k));
	}
	NETNS_EACH(x->dp, k) {
		x->of[k]->want_arena = arena_new(NULL, "view");
		view_of(x->dp, (netns_h){ k }, x->index, x->space, x->of[k]->want_arena, &x->of[k]->want);
		if (x->live->cni) {
			view_of(x->dp, (netns_h){ k }, x->index, x->space, x->of[k]->want_arena, &x->of[k]->all_want);
			cni_leave_out(x->of[k], &x->of[k]->want);
		}
	}
}

/* ---- the work */

static bool any_change(void *ctx, enum view_part part, const void *from, const void *to)
{
	(void)part;
	(void)from;
	(void)to;
	*(bool *)ctx = true;
	return true;
}

static bool changed(const struct space *s)
{
	bool any = s->fresh;

	if (!any)
		view_diff(&s->now, &s->want, any_change, &any);
	return any;
}

static bool wire(struct syncing *x)
{
	bool *touch = arena_array(x->arena, bool, x->dp->netns.nr);
	bool ok = true;

	NETNS_EACH(x->dp, k)
		touch[k] = changed(x->of[k]);
	NETNS_EACH(x->dp, k)
		ok = ok && (!touch[k] || wire_links(x->live, x->of[k], true, x->err));
	for (int pods = 0; pods < 2; pods++)
		NETNS_EACH(x->dp, k)
			if (ok && touch[k] && (x->of[k]->kind == NS_POD) == pods) {
				x->sum->links += x->of[k]->want.links.nr;
				ok = wire_links(x->live, x->of[k], false, x->err);
			}
	NETNS_EACH(x->dp, k)
		ok = ok && (!touch[k] || x->of[k]->kind == NS_POD || wire_ready(x->live, x->of[k], x->err));
	return ok;
}

static void settle_views(struct syncing *x, bool ok)
{
	NETNS_EACH(x->dp, k) {
		struct space *s = x->of[k];

		if (ok) {
			arena_free(s->arena);
			s->arena = s->want_arena;
			s->now = s->want;
			s->all = s->all_want;
			s->fresh = false;
		} else {
			arena_free(s->want_arena);
		}
		s->want_arena = NULL;
		s->want = (struct view){ 0 };
	}
}

static double lap(struct timespec *from)
{
	struct timespec now;
	double ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (double)(now.tv_sec - from->tv_sec) * 1e3 + (double)(now.tv_nsec - from->tv_nsec) / 1e6;
	*from = now;
	return ms;
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What nobody can tell cannot be told to Linux. */
static bool can_be_built(struct cluster *c, struct arena *a, struct err *err)
{
	struct tiers t = policy_tiers(c, a);
	uint32_t nr;
	const char *what = tiers_unmodelled(&t, &nr, a);
	struct object_list nodes = cluster_list(c, &node_kind);

	if (what)
		return err_add(err, ERR_UNKNOWN, NULL, "%s: the rules that Calico would write for it are not known, so the cluster cannot be built", what);
	if (t.host_endpoints)
		return err_add(err, ERR_UNKNOWN, NULL, "HostEndpoints are not modelled, so the cluster cannot be built");
	if (cluster_settings(c)->proxy_mode == PROXY_IPVS)
		return err_add(err, ERR_UNKNOWN, NULL, "kube-proxy's IPVS mode is not modelled, so the cluster cannot be built");
	for (uint32_t k = 0; k < nodes.nr; k++) {
		const struct node *n = (const struct node *)nodes.v[k];

		if (!ip_set(node_internal_ip(n, false)) && !ip_set(node_internal_ip(n, true)))
			return err_add(err, ERR_UNKNOWN, NULL, "node %s has no address, and Linux takes no route to other nodes without one, so the cluster cannot be built: give it an InternalIP in status.addresses",
				       n->o.name);
	}
	return true;
}

bool live_sync(struct live *live, struct cluster *c, const struct dataplane *dp, struct live_sum *sum, struct err *err)
{
	struct syncing x = { .live = live, .cluster = c, .dp = dp, .arena = arena_new(NULL, "sync"), .sum = sum, .err = err };
	struct timespec from, part;
	struct err none = { 0 };
	double cpu = cpu_ms();
	const char *missing;
	bool ok;

	clock_gettime(CLOCK_MONOTONIC, &from);
	part = from;
	*sum = (struct live_sum){ 0 };
	live->fabric.sent = 0;
	if (!can_be_built(c, x.arena, err)) {
		arena_free(x.arena);
		return false;
	}
	dataplane_write_all(dp);
	missing = live->spaces.nr ? NULL : features_missing(dp, x.arena);
	missing = missing ? missing : haproxies_missing(c, x.arena);
	if (missing) {
		snprintf(sum->missing, sizeof(sum->missing), "%s", missing);
		err_add(err, ERR_MACHINE, NULL, "this cluster cannot be built here: %s", missing);
		arena_free(x.arena);
		return false;
	}
	x.of = arena_array(x.arena, struct space *, dp->netns.nr);
	x.space = arena_array(x.arena, uint32_t, dp->netns.nr);
	x.index = arena_array(x.arena, uint32_t, dp->nr_links);
	ok = find_spaces(&x);
	sum->spaces_ms = lap(&part);
	birds_write(live, c, dp);
	ok = ok && haproxies_plan(live, c, dp, err);
	if (ok) {
		make_views(&x);
		ok = wire(&x);
		settle_views(&x, ok);
		ok = ok && losses_sync(live, err);
	}
	sum->wire_ms = lap(&part);
	sum->rules_cpu_ms = cpu_ms();
	NETNS_EACH(dp, k) {
		dataplane_node_ready(dp, (netns_h){ k });
		ok = ok && rules_sync(live, c, x.of[k], dp, &sum->rulesets, err);
	}
	sum->rules_ms = lap(&part);
	sum->rules_cpu_ms = cpu_ms() - sum->rules_cpu_ms;
	ok = ok && (!live->cni || cni_add(live, c, dp, err));
	sum->cni_ms = lap(&part);
	ok = ok && workloads_sync(live, c, dp, &sum->processes, err);
	ok = ok && haproxies_sync(live, &sum->haproxies, err);
	sum->processes_ms = lap(&part);
	ok = ok && birds_sync(live, c, dp, &sum->birds, err);
	sum->birds_ms = lap(&part);
	if (!ok && live->zone.cluster == c) {   /* the caller gives up this cluster: whoever asks still is to know what stands, but nobody can be started for it later */
		if (zone_due(live))
			zone_start(live, &none);
		live->zone.cluster = NULL;
	}
	live_enter(live, NULL, &none);
	err_free(&none);
	sum->messages = live->fabric.sent;
	arena_free(x.arena);
	sum->ms = lap(&from);
	sum->cpu_ms = cpu_ms() - cpu;
	return ok;
}
