/* VirtualServices' tls and tcp routes: connections that are passed on as they are, by the name in the hello or by the port alone. Source: istio pilot/pkg/networking/core/tls.go
 * (buildSidecarOutboundTLSFilterChainOpts, buildSidecarOutboundTCPFilterChainOpts), gateway.go (buildGatewayNetworkFiltersFromTCPRoutes, …FromTLSRoutes). */
#include "model/l7/mesh_routes.h"

const struct l7_action *mesh_stream_action(struct mesh_compile *k, const struct raw_object *vs, const struct val *routes, const char *at)
{
	struct l7_action *act = arena_make(k->a, struct l7_action);

	act->stream = true;
	VAL_EACH(r, routes) {
		struct l7_backend b = { .ref = mesh_ref(k, val_get(r, "destination"), vs->o.ns, &act->unknown), .weight = (uint64_t)MAX(val_int_or(val_get(r, "weight"), 0), 0) };

		if (routes->nr == 1)
			b.weight = 1;
		if (b.ref.why)
			table_finding(k->t, true, vs->o.id, at, "%s: its share of connections is cut off", b.ref.why);
		vec_add(k->a, &act->backends, b);
	}
	return act;
}

static bool in_subnets(const struct val *subnets, const ip_addr *dst)
{
	struct cidr range;
	ip_addr one;

	if (!dst || !val_first(subnets))
		return true;
	VAL_EACH(s, subnets)
		if (val_str(s) && ((cidr_parse(val_str(s), &range) && cidr_contains(range, *dst)) || (ip_parse(val_str(s), &one) && ip_eq(one, *dst))))
			return true;
	return false;
}

/* How precisely a list of names has this one; -1: not at all. */
static int rank_in(const struct val *names, const char *sni)
{
	int best = -1;

	VAL_EACH(n, names)
		if (val_str(n) && host_matches(val_str(n), sni, false))
			best = MAX(best, host_rank(val_str(n)));
	return best;
}

static int rule_rank(struct mesh_compile *k, const struct raw_object *vs, const struct val *rule, const char *sni, const ip_addr *dst)
{
	const struct val *matches = val_get(rule, "match");
	int best = sni || val_first(matches) ? -1 : 0;

	VAL_EACH(m, matches)
		if (mesh_applies(k, vs, m) && in_subnets(val_get(m, "destinationSubnets"), dst))
			best = MAX(best, sni ? rank_in(val_get(m, "sniHosts"), sni) : 0);
	return val_first(val_get(rule, "route")) ? best : -1;
}

/* Of names the proxy takes the most precise one, else the first rule. */
bool mesh_add_stream(struct mesh_compile *k, const struct raw_object *vs, const char *sni, const ip_addr *dst)
{
	const char *list = sni ? "tls" : "tcp";
	const struct val *best = NULL;
	struct l7_route *r;
	int rank = -1;
	uint32_t i = 0, at = 0;

	VAL_EACH(rule, val_get(vs->spec, list)) {
		int own = rule_rank(k, vs, rule, sni, dst);

		if (own > rank) {
			best = rule;
			rank = own;
			at = i;
		}
		i++;
	}
	if (!best)
		return false;
	r = table_route(k->t, table_vhost(k->t, k->group, "*"), L7_PATH_STRING, "");
	r->cause = vs->o.id;
	r->cause_path = arena_printf(k->a, "spec.%s[%u]", list, at);
	r->text = sni ? arena_printf(k->a, "TLS to %s", sni) : "any connection";
	r->action = mesh_stream_action(k, vs, val_get(best, "route"), r->cause_path);
	return true;
}
