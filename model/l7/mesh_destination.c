/* What a destination in a mesh's routes leads to: a Service by its name, an endpoint's subset by a DestinationRule, a ServiceEntry's host. Source: istio/api networking/v1/
 * destination_rule.proto; istio pilot/pkg/model/push_context.go. */
#include "model/l7/mesh_routes.h"

/* ResolveShortnameToFQDN: a name without dots is a Service of that namespace. */
const char *mesh_fqdn(struct cluster *c, const char *host, str ns, struct arena *a)
{
	return strchr(host, '.') || strchr(host, '*') ? host : arena_printf(a, "%s.%s.svc.%s", host, ns, cluster_settings(c)->domain);
}

const struct service *mesh_service(struct cluster *c, const char *fqdn)
{
	const char *dot = strchr(fqdn, '.'), *svc = dot ? strstr(dot + 1, ".svc.") : NULL;
	str name, ns;

	if (!svc || !streq(svc + 5, cluster_settings(c)->domain))
		return NULL;
	name = str_intern_n(cluster_strings(c), fqdn, (size_t)(dot - fqdn));
	ns = str_intern_n(cluster_strings(c), dot + 1, (size_t)(svc - dot - 1));
	return find_service(c, ns, name);
}

bool mesh_exported(const struct object *o, const struct val *spec, str to)
{
	const struct val *list = val_get(spec, "exportTo");

	if (!list || !list->nr)
		return true;
	VAL_EACH(v, list)
		if (streq(val_str(v), "*") || (streq(val_str(v), ".") && o->ns == to) || streq(val_str(v), to))
			return true;
	return false;
}

/* ---- DestinationRule: of the client's namespace, then of the Service's, then of the root namespace; there the most precise host, and of those the oldest
 * (pilot/pkg/model/push_context.go destinationRule, destination_rule.go mergeDestinationRule) */

static const char *rule_host(struct cluster *c, const struct raw_object *r, struct arena *a)
{
	const char *host = val_str_at(r->spec, "host");

	return host ? mesh_fqdn(c, host, r->o.ns, a) : NULL;
}

static const struct raw_object *rule_in(struct cluster *c, str ns, str client_ns, const char *fqdn, struct arena *a)
{
	struct object_list all = cluster_list_ns(c, &destination_rule_kind, ns);
	const struct raw_object *best = NULL;
	int rank = -1;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct raw_object *r = (const struct raw_object *)all.v[k];
		const char *host = rule_host(c, r, a);
		int own = host ? host_rank(host) : -1;

		if (!host || !host_matches(host, fqdn, false) || !mesh_exported(&r->o, r->spec, client_ns ? client_ns : ns) || own < rank ||
		    (own == rank && object_born(&r->o) >= object_born(&best->o)))
			continue;
		best = r;
		rank = own;
	}
	return best;
}

const struct raw_object *mesh_destination_rule(struct cluster *c, str client_ns, const char *fqdn, struct arena *a)
{
	const struct service *s = mesh_service(c, fqdn);
	const struct raw_object *r = client_ns ? rule_in(c, client_ns, client_ns, fqdn, a) : NULL;

	if (!r && s && s->o.ns != client_ns)
		r = rule_in(c, s->o.ns, client_ns, fqdn, a);
	return r ? r : rule_in(c, cluster_str(c, MESH_ROOT_NS), client_ns, fqdn, a);
}

const pair_list *mesh_labels(struct mesh_compile *k, const struct val *map)
{
	pair_list *out = arena_make(k->a, pair_list);

	out->v = arena_array(k->a, struct pair, map ? map->nr : 0);
	out->set = true;
	VAL_EACH_KEY(v, map)
		out->v[out->nr++] = (struct pair){ cluster_str(k->c, v->key), cluster_str(k->c, val_str(v)) };
	return out;
}

/* Subsets of all rules for the same host in that namespace count, the oldest first. */
static const pair_list *subset_of(struct mesh_compile *k, const char *fqdn, const char *name)
{
	const struct raw_object *r = mesh_destination_rule(k->c, k->who.ns, fqdn, k->a), *best = NULL;
	struct object_list all = r ? cluster_list_ns(k->c, &destination_rule_kind, r->o.ns) : (struct object_list){ 0 };
	const pair_list *out = NULL;

	for (uint32_t i = 0; i < all.nr; i++) {
		const struct raw_object *one = (const struct raw_object *)all.v[i];

		if (!streq(rule_host(k->c, one, k->a), rule_host(k->c, r, k->a)) || (best && object_born(&one->o) >= object_born(&best->o)))
			continue;
		VAL_EACH(s, val_get(one->spec, "subsets"))
			if (streq(val_str_at(s, "name"), name)) {
				out = mesh_labels(k, val_get(s, "labels"));
				best = one;
			}
	}
	return out;
}

static bool outside(struct mesh_compile *k, const char *fqdn, int32_t port, struct l7_ref *r, const char **unknown)
{
	struct mesh_scope all = { .c = k->c };
	struct mesh_entry e;
	uint32_t at = 0;

	while (mesh_entry_next(k->scope ? k->scope : &all, port, &at, &e))
		VAL_EACH(h, val_get(e.o->spec, "hosts"))
			if (val_str(h) && host_matches(val_str(h), fqdn, false)) {
				mesh_entry_ref(&e, fqdn, k->a, r, unknown);
				return true;
			}
	return false;
}

/* destination: { host, subset, port.number } */
struct l7_ref mesh_ref(struct mesh_compile *k, const struct val *dest, str ns, const char **unknown)
{
	const char *host = val_str_at(dest, "host"), *subset = val_str_at(dest, "subset"), *fqdn = mesh_fqdn(k->c, host ? host : "", ns, k->a);
	int32_t port = (int32_t)val_int_or(val_path(dest, "port.number"), 0);
	struct l7_ref r = { .status = 503, .service = mesh_service(k->c, fqdn) };

	if (!r.service && outside(k, fqdn, port ? port : k->port ? k->port : 80, &r, unknown))
		return r;
	r.why = arena_printf(k->a, "the mesh knows no service %s", fqdn);
	if (!r.service)
		return r;
	r.ns = r.service->o.ns;
	r.name = r.service->o.name;
	r.port = port ? port : r.service->ports.nr == 1 ? r.service->ports.v[0].port : k->port;        /* GetDestinationCluster */
	r.why = mesh_port(r.service, r.port) ? NULL : arena_printf(k->a, "Service %s/%s has no port %d", r.ns, r.name, r.port);
	if (subset && !r.why) {
		r.subset = subset_of(k, fqdn, subset);
		r.why = r.subset ? NULL : arena_printf(k->a, "no DestinationRule defines subset %s of %s", subset, fqdn);
	}
	return r;
}
