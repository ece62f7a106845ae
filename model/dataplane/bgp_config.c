#include "model/dataplane/bgp_config.h"

#include "model/api/net.h"
#include "model/l7/cert.h"

const struct val *bgp_spec(struct cluster *c)
{
	struct object_list l = cluster_list(c, &bgp_configuration_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(l.v[k]->name, "default"))
			return val_get(l.v[k]->doc, "spec");
	return NULL;
}

uint32_t bgp_listen_port(struct cluster *c)
{
	int64_t port = val_int_or(val_get(bgp_spec(c), "listenPort"), 0);

	return port > 0 && port <= UINT16_MAX ? (uint32_t)port : 0;
}

/* ---- Services */

static void tell(struct bgp_tells *t, struct arena *a, struct cidr net, const char *why)
{
	for (uint32_t k = 0; k < t->v.nr; k++)
		if (ip_eq(t->v.v[k].net.addr, net.addr) && t->v.v[k].net.len == net.len)
			return;
	vec_add(a, &t->v, (struct bgp_told){ net, why });
}

/* single: only ranges that are one address count. */
static bool within(const struct val *spec, const char *field, ip_addr ip, bool single)
{
	struct cidr net;

	VAL_EACH(v, val_get(spec, field))
		if (val_str(val_get(v, "cidr")) && cidr_parse(val_str(val_get(v, "cidr")), &net) && cidr_contains(net, ip) && (!single || net.len == ip_bits(ip)))
			return true;
	return false;
}

static bool any_within(const struct val *spec, const char *field, const struct service *s, bool single)
{
	bool lb = strcmp(field, "serviceLoadBalancerIPs") == 0;
	ip_addr ip;

	for (uint32_t k = 0; k < (lb ? s->lb_ingress.nr : s->external_ips.nr); k++) {
		const char *text = lb ? s->lb_ingress.v[k].ip : s->external_ips.v[k];

		if (text && ip_parse(text, &ip) && within(spec, field, ip, single))
			return true;
	}
	return lb && s->lb_ip && ip_parse(s->lb_ip, &ip) && within(spec, field, ip, single);
}

static bool ready_on(struct cluster *c, const struct service *s, const struct node *n, bool four)
{
	struct object_list l = service_slices(c, s);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *slice = (const struct endpointslice *)l.v[k];
		ip_addr ip;

		for (uint32_t i = 0; i < slice->endpoints.nr; i++) {
			const struct endpoint *e = &slice->endpoints.v[i];

			if (e->ready != TRI_FALSE && streq(e->node, n->o.name) && e->addresses.nr && ip_parse(e->addresses.v[0], &ip) && ip_is4(ip) == four)
				return true;
		}
	}
	return false;
}

static bool told_singly(struct cluster *c, const struct val *spec, const struct service *s, const struct node *n)
{
	ip_addr own;

	if (s->type == SVC_EXTERNALNAME || !s->cluster_ip || !ip_parse(s->cluster_ip, &own))
		return false;
	if (s->external_policy == TP_LOCAL)
		return ready_on(c, s, n, ip_is4(own));
	if (s->external_policy != TP_CLUSTER)
		return false;
	return (s->type == SVC_LOADBALANCER && any_within(spec, "serviceLoadBalancerIPs", s, true)) || any_within(spec, "serviceExternalIPs", s, true);
}

static void single(struct bgp_tells *t, struct arena *a, const char *text, bool four, const struct service *s)
{
	ip_addr ip;

	if (text && ip_parse(text, &ip) && ip_is4(ip) == four)
		tell(t, a, (struct cidr){ ip, (uint8_t)ip_bits(ip), true }, arena_printf(a, "Service %s/%s", s->o.ns, s->o.name));
}

struct bgp_tells bgp_service_routes(struct cluster *c, const struct node *n, bool four, struct arena *a)
{
	static const char *const fields[] = { "serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs" };
	struct object_list l = cluster_list(c, &service_kind);
	const struct val *spec = bgp_spec(c);
	struct bgp_tells t = { 0 };
	struct cidr net;
	ip_addr ip;

	if (!spec || streq(label_get(&n->o.labels, "node.kubernetes.io/exclude-from-external-load-balancers"), "true"))
		return t;
	for (size_t f = 0; f < ARRAY_LEN(fields); f++)
		VAL_EACH(v, val_get(spec, fields[f]))
			if (val_str(val_get(v, "cidr")) && cidr_parse(val_str(val_get(v, "cidr")), &net) && ip_is4(net.addr) == four && (f == 0 || net.len < ip_bits(net.addr)))
				tell(&t, a, net, fields[f]);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		if (!told_singly(c, spec, s, n))
			continue;
		if (val_get(spec, "serviceClusterIPs"))
			single(&t, a, s->cluster_ip, four, s);
		for (uint32_t i = 0; i < s->external_ips.nr; i++)
			if (ip_parse(s->external_ips.v[i], &ip) && within(spec, "serviceExternalIPs", ip, false))
				single(&t, a, s->external_ips.v[i], four, s);
		for (uint32_t i = 0; i < s->lb_ingress.nr; i++)
			if (s->lb_ingress.v[i].ip && ip_parse(s->lb_ingress.v[i].ip, &ip) && within(spec, "serviceLoadBalancerIPs", ip, false))
				single(&t, a, s->lb_ingress.v[i].ip, four, s);
	}
	return t;
}

/* ---- communities, passwords */

static bool is_community(const char *text)      /* AS:VALUE or three numbers */
{
	int colons = 0;

	for (const char *p = text; *p; p++) {
		if (*p == ':' && p != text && p[-1] != ':' && p[1])
			colons++;
		else if (*p < '0' || *p > '9')
			return false;
	}
	return colons == 1 || colons == 2;
}

void bgp_communities(struct cluster *c, bool four, void (*each)(void *, struct cidr, const char *), void *ctx)
{
	const struct val *spec = bgp_spec(c);
	struct cidr net;

	VAL_EACH(p, val_get(spec, "prefixAdvertisements")) {
		if (!val_str(val_get(p, "cidr")) || !cidr_parse(val_str(val_get(p, "cidr")), &net) || ip_is4(net.addr) != four)
			continue;
		VAL_EACH(said, val_get(p, "communities")) {
			const char *value = val_str(said);

			VAL_EACH(known, val_get(spec, "communities"))
				if (value && streq(val_str(val_get(known, "name")), value))
					value = val_str(val_get(known, "value"));
			if (value && is_community(value))
				each(ctx, net, value);
		}
	}
}

const char *bgp_password(struct cluster *c, const struct val *password, struct arena *a, const char **missing)
{
	static const char *const namespaces[] = { "kube-system", "calico-system" };
	const char *name = val_str_at(password, "secretKeyRef.name"), *key = val_str_at(password, "secretKeyRef.key");

	*missing = NULL;
	if (!name || !key)
		return NULL;
	for (size_t k = 0; k < ARRAY_LEN(namespaces); k++) {
		const struct secret *s = (const struct secret *)cluster_find(c, &secret_kind, namespaces[k], name);
		const char *plain = s ? val_str(val_get(val_get(s->o.doc, "stringData"), key)) : NULL, *data = s ? label_get(&s->data, key) : NULL;
		size_t n = 0;
		const uint8_t *text = !plain && data ? base64_decode(a, data, strlen(data), &n) : NULL;

		if (plain || text)
			return plain ? plain : arena_strndup(a, (const char *)text, n);
	}
	*missing = arena_printf(a, "key %s of Secret %s is not there (in kube-system or calico-system)", key, name);
	return NULL;
}
