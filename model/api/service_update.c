/* What an update that changes a Service's type leaves behind: pkg/registry/core/service/strategy.go dropTypeDependentFields. Only what was not changed at the same time goes;
 * the rest is for validation to refuse. Works on the document, where only what people wrote stands. */
#include "model/api/core.h"

static bool accessible(enum svc_type type, bool external_ips)
{
	return type == SVC_NODEPORT || type == SVC_LOADBALANCER || (type == SVC_CLUSTERIP && external_ips);
}

static bool same_list(const struct val *v, const str_list *l)
{
	const struct val *m = val_is(v, VAL_LIST) ? v->first : NULL;

	if (!val_is(v, VAL_LIST) || v->nr != l->nr)
		return false;
	for (uint32_t k = 0; k < l->nr; k++, m = m->next)
		if (!streq(val_str(m), l->v[k]))
			return false;
	return true;
}

static bool had_port(const struct service *old, int64_t port)
{
	for (uint32_t k = 0; k < old->ports.nr; k++)
		if (old->ports.v[k].node_port == port)
			return true;
	return false;
}

static void drop_node_ports(const struct service *old, struct val *spec)
{
	struct val *ports = val_get_mut(spec, "ports");

	VAL_EACH(p, ports)
		if (val_get(p, "nodePort") && !had_port(old, val_int_or(val_get(p, "nodePort"), 0)))
			return;         /* a number that is new */
	VAL_EACH_MUT(p, ports)
		if (val_is(p, VAL_MAP))
			val_del(p, "nodePort");
}

static void drop_if(struct val *spec, const char *key, bool same)
{
	if (same && val_get(spec, key))
		val_del(spec, key);
}

void service_drop_fields(const struct service *old, struct val *doc)
{
	struct val *spec = val_get_mut(doc, "spec");
	const char *type = val_str(val_get(spec, "type"));
	enum svc_type now = SVC_CLUSTERIP;
	bool local = streq(val_str(val_get(spec, "externalTrafficPolicy")), "Local");

	if (!val_is(spec, VAL_MAP))
		return;
	for (int k = SVC_CLUSTERIP; svc_type_names[k]; k++)
		if (streq(type, svc_type_names[k]))
			now = (enum svc_type)k;
	if (old->type != SVC_EXTERNALNAME && now == SVC_EXTERNALNAME) {
		const struct val *one = val_get(spec, "clusterIP"), *all = val_get(spec, "clusterIPs");

		if ((!one || streq(val_str(one), old->cluster_ip)) && (!all || same_list(all, &old->cluster_ips))) {
			drop_if(spec, "clusterIP", true);
			drop_if(spec, "clusterIPs", true);
		}
		drop_if(spec, "ipFamilies", same_list(val_get(spec, "ipFamilies"), &old->families));
		drop_if(spec, "ipFamilyPolicy", streq(val_str(val_get(spec, "ipFamilyPolicy")), old->family_policy));
	}
	if ((old->type == SVC_NODEPORT || old->type == SVC_LOADBALANCER) && now != SVC_NODEPORT && now != SVC_LOADBALANCER)
		drop_node_ports(old, spec);
	if (old->type == SVC_LOADBALANCER && old->external_policy == TP_LOCAL && !(now == SVC_LOADBALANCER && local))
		drop_if(spec, "healthCheckNodePort", val_int_or(val_get(spec, "healthCheckNodePort"), 0) == old->health_check_node_port);
	if (old->type == SVC_LOADBALANCER && now != SVC_LOADBALANCER) {
		const struct val *v = val_get(spec, "allocateLoadBalancerNodePorts");

		drop_if(spec, "allocateLoadBalancerNodePorts", val_is(v, VAL_BOOL) && v->b == (old->allocate_node_ports != TRI_FALSE));
		drop_if(spec, "loadBalancerClass", val_equal(val_get(spec, "loadBalancerClass"), val_path(old->o.doc, "spec.loadBalancerClass")));
	}
	if (accessible(old->type, old->external_ips.nr) && !accessible(now, val_is(val_get(spec, "externalIPs"), VAL_LIST) && val_get(spec, "externalIPs")->nr))
		drop_if(spec, "externalTrafficPolicy", local == (old->external_policy == TP_LOCAL));
}
