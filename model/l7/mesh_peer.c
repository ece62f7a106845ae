/* Who a peer in a mesh is, which policies are for a Pod, and mutual TLS by PeerAuthentication. Source: istio/api security/v1beta1; istio
 * pilot/pkg/security/authn/policy_applier.go. */
#include "model/l7/mesh_routes.h"

#include <stdlib.h>
#include <strings.h>

const char *mesh_principal(struct cluster *c, const struct pod *p, struct arena *a)
{
	return arena_printf(a, "%s/ns/%s/sa/%s", cluster_settings(c)->domain, p->o.ns, p->spec->service_account ? p->spec->service_account : "default");
}

/* A policy's selector.matchLabels; without one it is for the whole namespace. */
static bool selects(const struct raw_object *r, const struct pod *p, bool *narrow)
{
	const struct val *labels = val_path(r->spec, "selector.matchLabels");

	*narrow = val_first(labels) != NULL;
	VAL_EACH_KEY(v, labels)
		if (!streq(label_get(&p->o.labels, v->key), val_str(v)))
			return false;
	return true;
}

static bool targets(const struct val *ref, const char *gateway)
{
	return gateway && streq(val_str_at(ref, "kind"), "Gateway") && streq(val_str_at(ref, "name"), gateway);
}

/* targetRefs name Gateways (by the label of their Pods), or Services for waypoints; a sidecar is never meant (pilot/pkg/model/policyattachment.go). */
static bool attaches(const struct raw_object *r, const struct pod *p)
{
	const char *gateway = label_get(&p->o.labels, GATEWAY_NAME_LABEL);
	const struct val *one = val_get(r->spec, "targetRef"), *all = val_get(r->spec, "targetRefs");

	VAL_EACH(v, all)
		if (targets(v, gateway))
			return true;
	return one ? targets(one, gateway) : !all || !all->nr;
}

/* A policy that is only tried is not enforced (authz/builder isDryRun). */
static bool only_tried(const struct raw_object *r)
{
	const char *v = label_get(&r->o.annotations, "istio.io/dry-run");

	return v && (streq(v, "1") || streq(v, "t") || strcasecmp(v, "true") == 0);
}

struct mesh_policies mesh_policies(struct cluster *c, const struct kind *kind, const struct pod *to, struct arena *a)
{
	const char *const where[] = { to->o.ns, MESH_ROOT_NS };
	struct mesh_policies out = { 0 };

	for (size_t w = 0; w < (streq(to->o.ns, MESH_ROOT_NS) ? 1 : 2); w++) {
		struct object_list all = cluster_list_ns(c, kind, where[w]);
		const struct raw_object **v = arena_array(a, const struct raw_object *, out.nr + all.nr);
		bool narrow;

		if (out.nr)
			memcpy(v, out.v, out.nr * sizeof(*v));
		out.v = v;
		for (uint32_t k = 0; k < all.nr; k++)
			if (selects((const struct raw_object *)all.v[k], to, &narrow) && attaches((const struct raw_object *)all.v[k], to) &&
			    !only_tried((const struct raw_object *)all.v[k]))
				out.v[out.nr++] = (const struct raw_object *)all.v[k];
	}
	return out;
}

/* ---- mutual TLS */

static const char *set_mode(const char *mode, const char *otherwise) { return mode && !streq(mode, "UNSET") ? mode : otherwise; }

/* The oldest of a namespace: with a selector that takes the Pod, or without one. */
static const struct raw_object *oldest_peer(struct cluster *c, const char *ns, const struct pod *to, bool narrow)
{
	struct object_list all = cluster_list_ns(c, &peer_authentication_kind, ns);
	const struct raw_object *best = NULL;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct raw_object *r = (const struct raw_object *)all.v[k];
		bool has_selector;

		if (selects(r, to, &has_selector) && has_selector == narrow && (!best || object_born(&r->o) < object_born(&best->o)))
			best = r;
	}
	return best;
}

/* The mesh's, then the namespace's, then the workload's, each where it says something; ports only of the workload's (authn/policy_applier.go ComposePeerAuthentication). */
const char *mesh_peer_mode(struct cluster *c, const struct pod *to, uint16_t port, obj_h *cause)
{
	bool root = streq(to->o.ns, MESH_ROOT_NS);
	const struct raw_object *levels[] = { oldest_peer(c, MESH_ROOT_NS, to, false), root ? NULL : oldest_peer(c, to->o.ns, to, false), root ? NULL : oldest_peer(c, to->o.ns, to, true) };
	const char *mode = "PERMISSIVE";

	for (size_t k = 0; k < ARRAY_LEN(levels); k++) {
		const char *own = levels[k] ? set_mode(val_str_at(levels[k]->spec, "mtls.mode"), NULL) : NULL;

		mode = own ? own : mode;
		*cause = own ? levels[k]->o.id : *cause;
	}
	VAL_EACH_KEY(v, val_get(levels[2] ? levels[2]->spec : NULL, "portLevelMtls"))
		if (strtoul(v->key, NULL, 10) == port && port) {
			mode = set_mode(val_str_at(v, "mode"), mode);
			*cause = levels[2]->o.id;
		}
	return mode;
}

struct mesh_verdict mesh_peer_allowed(struct cluster *c, const struct pod *to, uint16_t port, bool mutual, struct arena *a)
{
	obj_h cause = { 0 };
	const char *mode = mesh_peer_mode(c, to, port, &cause);

	if (streq(mode, "STRICT") && !mutual)
		return (struct mesh_verdict){ false, arena_printf(a, "the sidecar of %s/%s asks for mutual TLS (PeerAuthentication, mode STRICT) and the connection is plain: it is reset",
								  to->o.ns, to->o.name), NULL, cause };
	if (streq(mode, "DISABLE") && mutual)
		return (struct mesh_verdict){ false, "the receiving sidecar has mutual TLS disabled, and the connection is mutual TLS: it is reset", NULL, cause };
	return (struct mesh_verdict){ true, arena_printf(a, "mutual TLS: %s, mode %s", mutual ? "yes" : "no", mode), NULL, cause };
}

const char *mesh_client_tls(struct cluster *c, const struct pod *from, const struct service *s, struct arena *a)
{
	const struct raw_object *rule = mesh_destination_rule(c, from->o.ns, arena_printf(a, "%s.%s.svc.%s", s->o.name, s->o.ns, cluster_settings(c)->domain), a);

	return rule ? val_str_at(rule->spec, "trafficPolicy.tls.mode") : NULL;
}

/* Automatic mutual TLS: on between two sidecars, unless a DestinationRule of the client says otherwise or the receiver has it disabled. */
bool mesh_mutual_tls(struct cluster *c, const struct pod *from, const struct pod *to, uint16_t port, const char *mode)
{
	obj_h cause;

	/* it is received by Pods with the label security.istio.io/tlsMode, which the injection of a sidecar gives; a gateway receives as its listeners say */
	if (!from || !to || !mesh_sidecar(from->spec) || !mesh_sidecar(to->spec) || !mesh_capture(to->spec).set)
		return false;
	if (mode)
		return streq(mode, "ISTIO_MUTUAL") || streq(mode, "MUTUAL");
	return !streq(mesh_peer_mode(c, to, port, &cause), "DISABLE");
}
