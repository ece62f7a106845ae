/* NetworkPolicy, Ingress, IngressClass. Source: kubernetes staging/src/k8s.io/api/networking/v1/types.go; defaults: pkg/apis/networking/v1/defaults.go. */
#include "model/api/checks.h"
#include "model/api/shape.h"

extern const struct field lb_ingress_fields[];

static const struct field block_fields[] = { ROW(F_STR, "cidr", struct ip_block, cidr), ROW(F_STRS, "except", struct ip_block, except), FIELD_END };
static const struct field peer_fields[] = {
	ROW_PTR("podSelector", struct np_peer, pods, struct selector, selector_fields), ROW_PTR("namespaceSelector", struct np_peer, namespaces, struct selector, selector_fields),
	ROW_PTR("ipBlock", struct np_peer, block, struct ip_block, block_fields),
	FIELD_END
};
static const struct field port_fields[] = {
	ROW_ENUM_PTR_DFLT("protocol", struct np_port, protocol, l4_names, L4_TCP), ROW(F_INT_OR_STR, "port", struct np_port, port), ROW(F_OPT_INT, "endPort", struct np_port, end), FIELD_END
};
static const struct field ingress_rule_fields[] = {
	ROW_LIST("ports", struct np_rule, ports, struct np_port, port_fields), ROW_LIST("from", struct np_rule, peers, struct np_peer, peer_fields), FIELD_END
};
static const struct field egress_rule_fields[] = {
	ROW_LIST("ports", struct np_rule, ports, struct np_port, port_fields), ROW_LIST("to", struct np_rule, peers, struct np_peer, peer_fields), FIELD_END
};
static const struct field policy_spec_fields[] = {
	ROW_STRUCT("podSelector", struct network_policy, pods, selector_fields), ROW_LIST("ingress", struct network_policy, ingress, struct np_rule, ingress_rule_fields),
	ROW_LIST("egress", struct network_policy, egress, struct np_rule, egress_rule_fields), ROW(F_STRS, "policyTypes", struct network_policy, types),
	FIELD_END
};
static const struct field policy_fields[] = { ROW_TOP, ROW_HERE("spec", policy_spec_fields), FIELD_END };

/* policyTypes: Ingress always; Egress iff there is an egress rule (SetDefaults_NetworkPolicy). */
static void policy_default(struct object *o, struct arena *a, struct strtab *t)
{
	struct network_policy *p = (struct network_policy *)o;

	if (p->types.nr)
		return;
	p->types.v = arena_array(a, str, 2);
	p->types.v[0] = str_intern(t, "Ingress");
	p->types.v[1] = str_intern(t, "Egress");
	p->types.nr = p->egress.nr ? 2 : 1;
	p->types.set = true;
}

/* ---- Ingress */

static const struct field backend_port_fields[] = { ROW(F_STR, "name", struct svc_backend, port_name), ROW(F_INT, "number", struct svc_backend, port), FIELD_END };
static const struct field svc_backend_fields[] = { ROW(F_STR, "name", struct svc_backend, name), ROW_HERE("port", backend_port_fields), FIELD_END };
static const struct field res_backend_fields[] = {
	ROW(F_STR, "apiGroup", struct res_backend, api_group), ROW(F_STR, "kind", struct res_backend, kind), ROW(F_STR, "name", struct res_backend, name), FIELD_END
};
static const struct field backend_fields[] = {
	ROW_PTR("service", struct ing_backend, service, struct svc_backend, svc_backend_fields), ROW_PTR("resource", struct ing_backend, resource, struct res_backend, res_backend_fields),
	FIELD_END
};
static const struct field path_fields[] = {
	ROW(F_STR, "path", struct ing_path, path), ROW(F_STR, "pathType", struct ing_path, type), ROW_STRUCT("backend", struct ing_path, backend, backend_fields), FIELD_END
};
static const struct field http_fields[] = { ROW_LIST("paths", struct ing_rule, paths, struct ing_path, path_fields), FIELD_END };
static const struct field rule_fields[] = { ROW(F_STR, "host", struct ing_rule, host), ROW_HERE("http", http_fields), FIELD_END };
static const struct field tls_fields[] = { ROW(F_STRS, "hosts", struct ing_tls, hosts), ROW(F_STR, "secretName", struct ing_tls, secret), FIELD_END };
static const struct field ingress_spec_fields[] = {
	ROW(F_STR, "ingressClassName", struct ingress, class_name), ROW_PTR("defaultBackend", struct ingress, dflt_backend, struct ing_backend, backend_fields),
	ROW_LIST("rules", struct ingress, rules, struct ing_rule, rule_fields), ROW_LIST("tls", struct ingress, tls, struct ing_tls, tls_fields),
	FIELD_END
};
static const struct field ingress_lb_fields[] = { ROW_LIST("ingress", struct ingress, lb_ingress, struct lb_ingress, lb_ingress_fields), FIELD_END };
static const struct field ingress_status_fields[] = { ROW_HERE("loadBalancer", ingress_lb_fields), FIELD_END };
static const struct field ingress_fields[] = { ROW_TOP, ROW_HERE("spec", ingress_spec_fields), ROW_HERE("status", ingress_status_fields), FIELD_END };
static const struct field class_spec_fields[] = { ROW(F_STR, "controller", struct ingress_class, controller), ROW_RAW("parameters", struct ingress_class, parameters, IngressClassParametersReference), FIELD_END };
static const struct field class_fields[] = { ROW_TOP, ROW_HERE("spec", class_spec_fields), FIELD_END };

static const char *const v1[] = { "networking.k8s.io/v1", NULL };
static const char *const policy_old[] = { "extensions/v1beta1", NULL };
static const char *const ingress_old[] = { "extensions/v1beta1", "networking.k8s.io/v1beta1", NULL };
const struct kind network_policy_kind = { .name = "NetworkPolicy", .apis = v1, .removed = policy_old, .plural = "networkpolicies", .shorts = "netpol", .namespaced = true,
					  .size = sizeof(struct network_policy), .fields = policy_fields, .dflt = policy_default, .check = network_policy_check };
const struct kind ingress_kind = { .name = "Ingress", .apis = v1, .removed = ingress_old, .plural = "ingresses", .shorts = "ing", .namespaced = true, .size = sizeof(struct ingress),
				   .fields = ingress_fields, .check = ingress_check };
const struct kind ingress_class_kind = { .name = "IngressClass", .apis = v1, .removed = ingress_old, .plural = "ingressclasses", .size = sizeof(struct ingress_class),
					 .fields = class_fields, .check = ingress_class_check, .check_update = ingress_class_check_update };
