#include "model/control/standing.h"

#include "model/api/kept.h"
#include "model/cluster/apply.h"

struct making { struct cluster *c; struct arena *a; const struct kind *kind; };

/* Its document as far as all kinds have it; NULL: it is there. */
static struct val *begin(const struct making *m, const char *ns, const char *name)
{
	struct val *v, *meta;

	if (cluster_find(m->c, m->kind, ns, name))
		return NULL;
	v = val_new(m->a, VAL_MAP);
	val_put(m->a, v, "apiVersion", val_string(m->a, m->kind->apis[0]));
	val_put(m->a, v, "kind", val_string(m->a, m->kind->name));
	meta = val_put(m->a, v, "metadata", val_new(m->a, VAL_MAP));
	val_put(m->a, meta, "name", val_string(m->a, name));
	if (ns)
		val_put(m->a, meta, "namespace", val_string(m->a, ns));
	return v;
}

static void end(const struct making *m, struct val *v)
{
	static const struct apply_options as_it_is = { .unknown = VALIDATE_IGNORE };
	struct doc d = { NULL, v };
	struct err none = { 0 };
	struct object *o = object_decode(m->c, m->kind, &d, &as_it_is, &none);

	if (o) {
		o->created = 0;
		cluster_add(m->c, o);
	}
	err_free(&none);
}

static struct val *map_in(const struct making *m, struct val *v, const char *key) { return val_get_or_put(m->a, v, key, VAL_MAP); }

static void put(const struct making *m, struct val *map, const char *key, const char *text)
{
	val_put(m->a, map, key, val_string(m->a, text));
}

static void add_accounts(const struct making *m, const char *ns)
{
	struct val *v = begin(m, ns, "default");

	if (v)
		end(m, v);
}

static void add_root_ca(const struct making *m, const char *ns)
{
	struct val *v = begin(m, ns, "kube-root-ca.crt");

	if (!v)
		return;
	put(m, map_in(m, map_in(m, v, "metadata"), "annotations"), "kubernetes.io/description",
	    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. "
	    "No other usage is guaranteed across distributions of Kubernetes clusters.");
	put(m, map_in(m, v, "data"), "ca.crt", "# this cluster is podwire's: nobody signs for it\n");
	end(m, v);
}

static void of_namespaces(const struct making *m, const char *ns, void (*add)(const struct making *, const char *))
{
	struct object_list l = cluster_list(m->c, &namespace_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if ((!ns || streq(l.v[k]->name, ns)) && l.v[k]->deleted == NEVER)
			add(m, l.v[k]->name);
}

static void add_classes(const struct making *m)
{
	static const struct { const char *name, *description; int64_t value; } all[] = {
		{ "system-cluster-critical", "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.", 2000000000 },
		{ "system-node-critical", "Used for system critical pods that must not be moved from their current node.", 2000001000 },
	};

	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		struct val *v = begin(m, NULL, all[k].name);

		if (!v)
			continue;
		put(m, v, "description", all[k].description);
		put(m, v, "preemptionPolicy", "PreemptLowerPriority");
		val_put(m->a, v, "value", val_int(m->a, all[k].value));
		end(m, v);
	}
}

static void add_service_cidr(const struct making *m)
{
	const struct settings *s = cluster_settings(m->c);
	struct val *v = s->service_cidrs.nr ? begin(m, NULL, "kubernetes") : NULL, *list, *ready;

	if (!v)
		return;
	list = val_put(m->a, map_in(m, v, "spec"), "cidrs", val_new(m->a, VAL_LIST));
	for (uint32_t k = 0; k < s->service_cidrs.nr && k < 2; k++)
		val_add(m->a, list, val_string(m->a, CIDR(s->service_cidrs.v[k])));
	ready = val_add(m->a, val_put(m->a, map_in(m, v, "status"), "conditions", val_new(m->a, VAL_LIST)), val_new(m->a, VAL_MAP));
	put(m, ready, "lastTransitionTime", "1970-01-01T00:00:00Z");
	put(m, ready, "message", "Kubernetes Service CIDR is ready");
	put(m, ready, "reason", "");
	put(m, ready, "status", "True");
	put(m, ready, "type", "Ready");
	end(m, v);
}

static void add_address(const struct making *m, const struct service *s, const char *ip)
{
	struct val *v = ip && !streq(ip, "None") && *ip ? begin(m, NULL, ip) : NULL, *labels, *parent;

	if (!v)
		return;
	labels = map_in(m, map_in(m, v, "metadata"), "labels");
	put(m, labels, "ipaddress.kubernetes.io/ip-family", strchr(ip, ':') ? "IPv6" : "IPv4");
	put(m, labels, "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io");
	parent = map_in(m, map_in(m, v, "spec"), "parentRef");
	put(m, parent, "group", "");
	put(m, parent, "name", s->o.name);
	put(m, parent, "namespace", s->o.ns);
	put(m, parent, "resource", "services");
	end(m, v);
}

static void add_addresses(const struct making *m)
{
	struct object_list l = cluster_list(m->c, &service_kind);

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		for (uint32_t i = 0; i < s->cluster_ips.nr; i++)
			add_address(m, s, s->cluster_ips.v[i]);
	}
}

/* Was the cluster made here? Then its API server's Service comes from no file. */
static bool made_here(struct cluster *c)
{
	const struct service *s = find_service(c, "default", "kubernetes");

	return !cluster_flags(c)->no_defaults && s && !s->o.file;
}

void standing_add(struct cluster *c, const struct kind *k, const char *ns)
{
	struct making m = { .c = c, .kind = k };

	if (!made_here(c))
		return;
	m.a = arena_new(NULL, "standing objects");
	if (k == &service_account_kind)
		of_namespaces(&m, ns, add_accounts);
	else if (k == &config_map_kind)
		of_namespaces(&m, ns, add_root_ca);
	else if (k == &priority_class_kind)
		add_classes(&m);
	else if (k == &service_cidr_kind)
		add_service_cidr(&m);
	else if (k == &ip_address_kind)
		add_addresses(&m);
	arena_free(m.a);
}
