/* The families and ClusterIPs of a Service. Sources: storage/alloc.go initIPFamilyFields, allocClusterIPs; ipallocator. */
#include "model/api/check.h"
#include "model/control/alloc_job.h"

bool alloc_has_ip(const struct service *s, ip_addr ip)
{
	for (uint32_t k = 0; k < s->cluster_ips.nr; k++) {
		ip_addr have;

		if (ip_parse(s->cluster_ips.v[k], &have) && ip_eq(have, ip))
			return true;
	}
	return false;
}

static bool ip_taken(void *ctx, ip_addr ip)
{
	const struct alloc *j = ctx;
	const struct service *s = map_get_ptr(&j->a->by_ip, hash_mix(ip.hi, ip.lo));

	return lives(s) && s != j->self && alloc_has_ip(s, ip);
}

static void take_ip(const struct alloc *j, ip_addr ip)
{
	*map_put(&j->a->by_ip, cluster_arena(j->c), hash_mix(ip.hi, ip.lo)) = map_ptr(j->self);
}

void alloc_add_text(const struct alloc *j, str_list *l, str text)
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
		alloc_add_text(j, &s->families, text(j, family));
	}
	return ok;
}

static void add_other_family(struct alloc *j)
{
	alloc_add_text(j, &j->s->families, text(j, streq(j->s->families.v[0], "IPv4") ? "IPv6" : "IPv4"));
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

bool alloc_families(struct alloc *j)
{
	struct service *s = j->s;
	bool free_choice = headless(s) && !s->selector.nr;

	if (!s->family_policy)
		s->family_policy = text(j, free_choice ? "RequireDualStack" : s->cluster_ips.nr > 1 && j->take_all ? "PreferDualStack" : "SingleStack");
	if (!none_is_released(j) || !single_stack_fits(j) || !infer_families(j))
		return false;
	if (free_choice) {
		if (!s->families.nr)
			alloc_add_text(j, &s->families, default_family(j));
		if (s->families.nr < 2 && !streq(s->family_policy, "SingleStack"))
			add_other_family(j);
		return true;
	}
	if (!families_are_served(j))
		return false;
	if (!s->families.nr)
		alloc_add_text(j, &s->families, default_family(j));
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
	if (answer != RANGE_OK && !j->take_all && !(j->old && alloc_has_ip(j->old, ip)))
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
		alloc_add_text(j, &j->s->cluster_ips, text(j, IP(ip)));
		return true;
	}
	*full_at = j->old ? 0 : now;
	return err_add(j->check->err, ERR_INPUT, &(struct where){ .file = j->check->file, .object = j->check->object },
		       "Internal error occurred: failed to allocate a serviceIP: %s", range_words[RANGE_FULL]);
}

bool alloc_ips(struct alloc *j)
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
