/* A Service is completed when it is stored: what an update keeps, then families, addresses and ports; and the controller that does it for Services that came another way. */
#include "model/api/check.h"
#include "model/control/alloc_job.h"

#include "model/control/controllers.h"

/* ---- what an update does not name stays (strategy.go patchAllocatedValues, alloc.go initIPFamilyFields) */

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
		alloc_keep_ports(j);
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
		alloc_add_text(j, &s->cluster_ips, s->cluster_ip);
	if (s->cluster_ips.nr)
		s->cluster_ip = s->cluster_ips.v[0];
}

static bool has_but_the_beginning(const struct val *list, const str_list *whole)
{
	return val_is(list, VAL_LIST) && list->nr && list->nr < whole->nr;
}

/* A list of which the document has but the beginning is whole in what the API server keeps; what was applied is remembered as it was. */
static bool complete(struct alloc *j)
{
	struct arena *a = cluster_arena(j->c);
	struct object *o = &j->s->o;
	const struct { const char *key; const str_list *whole; } lists[] = { { "ipFamilies", &j->s->families }, { "clusterIPs", &j->s->cluster_ips } };
	struct val *doc = NULL;

	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		struct val *v;

		if (!has_but_the_beginning(val_get(val_get(o->doc, "spec"), lists[k].key), lists[k].whole))
			continue;
		if (!doc)
			doc = val_copy(a, o->doc);
		v = val_new(a, VAL_LIST);
		for (uint32_t i = 0; i < lists[k].whole->nr; i++)
			val_add(a, v, val_string(a, lists[k].whole->v[i]));
		val_put(a, val_get_mut(doc, "spec"), lists[k].key, v);
	}
	if (!doc)
		return true;
	if (!o->applied)
		o->applied = o->doc;
	o->doc = doc;
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
	if (!headless_fits(&j) || (!stays_as_it_is(&j) && (!alloc_families(&j) || !alloc_ips(&j))))
		return false;
	return alloc_ports(&j) && complete(&j);
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
