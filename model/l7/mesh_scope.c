/* What a sidecar knows: the protocols of ports, the Services, ServiceEntries and VirtualServices that a Sidecar lets its workloads see, and whether what it does not know may go
 * out. Source: istio pkg/config/kube/conversion.go (ConvertProtocol), pilot/pkg/model/sidecar.go (convertIstioListenerToWrapper, selectServices), push_context.go
 * (initSidecarScopes, doGetSidecarScope); istio/api networking/v1/{sidecar,service_entry}.proto. */
#include "model/l7/mesh_routes.h"

#include <strings.h>

/* ---- protocols */

static const struct { const char *name; enum mesh_speaks speaks; } protocols[] = {
	{ "http", MESH_HTTP }, { "http2", MESH_HTTP }, { "grpc", MESH_HTTP }, { "http_proxy", MESH_HTTP }, { "https", MESH_TLS }, { "tls", MESH_TLS },
	{ "tcp", MESH_TCP }, { "mongo", MESH_TCP }, { "redis", MESH_TCP }, { "mysql", MESH_TCP }, { "udp", MESH_UDP },
};

static bool known(const char *name, size_t n, enum mesh_speaks *out)
{
	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strlen(protocols[k].name) == n && strncasecmp(protocols[k].name, name, n) == 0) {
			*out = protocols[k].speaks;
			return true;
		}
	return false;
}

enum mesh_speaks mesh_speaks(const struct svc_port *p)
{
	static const struct { const char *name; enum mesh_speaks speaks; } standard[] = {
		{ "kubernetes.io/h2c", MESH_HTTP }, { "kubernetes.io/ws", MESH_HTTP }, { "kubernetes.io/wss", MESH_TLS },
	};
	const char *name = p->app_protocol ? p->app_protocol : p->name ? p->name : "";
	enum mesh_speaks out;

	if (p->protocol && p->protocol != L4_TCP)
		return MESH_UDP;
	for (size_t k = 0; p->app_protocol && k < ARRAY_LEN(standard); k++)
		if (streq(p->app_protocol, standard[k].name))
			return standard[k].speaks;
	if (strncasecmp(name, "grpc-web", 8) == 0)
		return MESH_HTTP;
	if (known(name, strcspn(name, "-"), &out))
		return out;
	/* where servers speak first, nobody listens for what the client says */
	return p->port == 25 || p->port == 53 || p->port == 3306 || p->port == 27017 ? MESH_TCP : MESH_AUTO;
}

const struct svc_port *mesh_port(const struct service *s, int32_t port)
{
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (s->ports.v[k].port == port && mesh_speaks(&s->ports.v[k]) != MESH_UDP)
			return &s->ports.v[k];
	return NULL;
}

bool mesh_reads_http(struct cluster *c, const struct pod *p, uint16_t port)
{
	struct object_list all = cluster_list_ns(c, &service_kind, p->o.ns);

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];

		if (!s->selector.nr || !pairs_match(&s->selector, &p->o.labels))
			continue;
		for (uint32_t i = 0; i < s->ports.nr; i++)
			if (plane_port(s, p, s->ports.v[i].port) == port && mesh_speaks(&s->ports.v[i]) != MESH_UDP)
				return mesh_speaks(&s->ports.v[i]) == MESH_HTTP || mesh_speaks(&s->ports.v[i]) == MESH_AUTO;
	}
	return true;
}

/* ---- the Sidecar of a Pod */

/* Of its namespace the oldest whose labels fit, then the oldest without a selector; else the root namespace's without one. */
static const struct raw_object *sidecar_in(struct cluster *c, str ns, const pair_list *labels)
{
	struct object_list all = cluster_list_ns(c, &istio_sidecar_kind, ns);
	const struct raw_object *best = NULL;
	bool best_selects = false;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct raw_object *s = (const struct raw_object *)all.v[k];
		const struct val *selector = val_get(s->spec, "workloadSelector");
		bool fits = !selector || labels;

		VAL_EACH_KEY(v, val_get(selector, "labels"))
			fits = fits && streq(label_get(labels, v->key), val_str(v));
		if (!fits || (best && (best_selects > !!selector || (best_selects == !!selector && object_born(&s->o) >= object_born(&best->o)))))
			continue;
		best = s;
		best_selects = selector != NULL;
	}
	return best;
}

static bool mesh_wide_any(struct cluster *c, struct arena *a)
{
	const struct object *map = cluster_find(c, &config_map_kind, cluster_str(c, MESH_ROOT_NS), cluster_str(c, "istio"));
	const char *text = map ? val_str(val_get(val_get(map->doc, "data"), "mesh")) : NULL;
	struct err err = { 0 };
	const struct val *mesh = text ? yaml_parse(a, "ConfigMap " MESH_ROOT_NS "/istio", text, strlen(text), NULL, &err) : NULL;
	const char *mode = val_str_at(mesh, "outboundTrafficPolicy.mode");

	err_free(&err);
	return !streq(mode, "REGISTRY_ONLY");
}

static bool egress_is_plain(const struct raw_object *s)
{
	VAL_EACH(e, val_get(s->spec, "egress"))
		if (val_get(e, "port") || val_str_at(e, "bind") || val_str_at(e, "captureMode"))
			return false;
	return true;
}

struct mesh_scope mesh_scope(struct cluster *c, const struct pod *p, struct arena *a)
{
	const struct raw_object *s = cluster_count(c, &istio_sidecar_kind) ? sidecar_in(c, p->o.ns, &p->o.labels) : NULL;
	struct mesh_scope out = { .c = c, .ns = p->o.ns };
	const struct val *policy;
	const char *what;

	out.sidecar = s ? s : cluster_count(c, &istio_sidecar_kind) ? sidecar_in(c, cluster_str(c, MESH_ROOT_NS), NULL) : NULL;
	policy = out.sidecar ? val_get(out.sidecar->spec, "outboundTrafficPolicy") : NULL;
	out.any = policy ? streq(val_str_at(policy, "mode"), "ALLOW_ANY") : mesh_wide_any(c, a);        /* REGISTRY_ONLY is what a policy without a mode says */
	if (!out.sidecar)
		return out;
	what = val_first(val_get(out.sidecar->spec, "ingress")) ? "ingress listeners" : !egress_is_plain(out.sidecar) ? "egress listeners with a port, bind or captureMode"
	       : val_get(policy, "egressProxy") ? "an egressProxy" : NULL;
	if (what)
		out.unknown = arena_printf(a, "Sidecar %s/%s has %s, which are not modelled", out.sidecar->o.ns, out.sidecar->o.name, what);
	return out;
}

/* egress.hosts are NAMESPACE/HOST, of which the namespace may be * or . (its own); ~NAMESPACE/HOST takes out again. */
static bool listed(const struct mesh_scope *m, const char *entry, str ns, const char *host, bool both_ways)
{
	const char *slash = strchr(entry, '/');
	size_t n = slash ? (size_t)(slash - entry) : 0;
	bool here;

	if (!slash)
		return false;
	here = (n == 1 && *entry == '*') || n == 0 || (n == 1 && *entry == '.' ? ns == m->ns : strlen(ns) == n && strncmp(entry, ns, n) == 0);
	return here && (streq(slash + 1, host) || host_matches(slash + 1, host, false) || (both_ways && host_matches(host, slash + 1, false)));
}

static bool imported(const struct mesh_scope *m, str ns, const char *host, bool both_ways)
{
	const struct val *egress = m->sidecar ? val_get(m->sidecar->spec, "egress") : NULL;
	bool in = false;

	if (!val_first(egress))
		return true;
	VAL_EACH(e, egress)
		VAL_EACH(h, val_get(e, "hosts")) {
			const char *text = val_str(h) ? val_str(h) : "";

			if (*text == '~' && listed(m, text + 1, ns, host, false))
				return false;
			in = in || (*text != '~' && listed(m, text, ns, host, both_ways));
		}
	return in;
}

static bool list_exports(const char *list, str own, str to)
{
	for (const char *p = list; *p; p += p[0] == ',') {
		size_t n;

		p += strspn(p, " ");
		n = strcspn(p, ", ");
		if ((n == 1 && (*p == '*' || (*p == '.' && own == to))) || (strlen(to) == n && strncmp(p, to, n) == 0))
			return true;
		p += n + strspn(p + n, " ");
	}
	return false;
}

bool mesh_sees(const struct mesh_scope *m, const struct service *s, const char *fqdn)
{
	const char *to = label_get(&s->o.annotations, "networking.istio.io/exportTo");

	return s->type != SVC_EXTERNALNAME && (!to || !*to || list_exports(to, s->o.ns, m->ns)) && imported(m, s->o.ns, fqdn, false);
}

bool mesh_sees_routes(const struct mesh_scope *m, const struct raw_object *vs, struct arena *a)
{
	if (!mesh_exported(&vs->o, vs->spec, m->ns))
		return false;
	VAL_EACH(h, val_get(vs->spec, "hosts"))
		if (val_str(h) && imported(m, vs->o.ns, mesh_fqdn(m->c, val_str(h), vs->o.ns, a), true))
			return true;
	return false;
}

/* ---- ServiceEntry */

static enum mesh_speaks entry_speaks(const struct val *port)
{
	const char *text = val_str_at(port, "protocol");
	enum mesh_speaks out = MESH_AUTO;

	return text && (strcasecmp(text, "grpc-web") == 0 || known(text, strlen(text), &out)) ? (strcasecmp(text, "grpc-web") == 0 ? MESH_HTTP : out) : MESH_AUTO;
}

bool mesh_entry_next(const struct mesh_scope *m, int32_t port, uint32_t *at, struct mesh_entry *out)
{
	struct object_list all = cluster_list(m->c, &service_entry_kind);

	while (*at < all.nr) {
		const struct raw_object *o = (const struct raw_object *)all.v[(*at)++];

		if (m->ns && !mesh_exported(&o->o, o->spec, m->ns))
			continue;
		VAL_EACH(p, val_get(o->spec, "ports"))
			if (val_int_or(val_get(p, "number"), 0) == port && entry_speaks(p) != MESH_UDP) {
				*out = (struct mesh_entry){ o, p, entry_speaks(p) };
				return true;
			}
	}
	return false;
}

/* The host of the entry that this name stands under, and that the Sidecar lets be seen; NULL: none. */
const char *mesh_entry_host(const struct mesh_scope *m, const struct mesh_entry *e, const char *name)
{
	VAL_EACH(h, val_get(e->o->spec, "hosts"))
		if (val_str(h) && host_matches(val_str(h), name, false) && imported(m, e->o->o.ns, val_str(h), false))
			return val_str(h);
	return NULL;
}

bool mesh_entry_visible(const struct mesh_scope *m, const struct mesh_entry *e)
{
	VAL_EACH(h, val_get(e->o->spec, "hosts"))
		if (val_str(h) && imported(m, e->o->o.ns, val_str(h), false))
			return true;
	return false;
}

bool mesh_entry_has(const struct mesh_entry *e, ip_addr dst)
{
	VAL_EACH(v, val_get(e->o->spec, "addresses")) {
		struct cidr range;
		ip_addr one;

		if (val_str(v) && ((ip_parse(val_str(v), &one) && ip_eq(one, dst)) || (cidr_parse(val_str(v), &range) && cidr_contains(range, dst))))
			return true;
	}
	return false;
}

/* One endpoint, or the name itself; with resolution NONE to where it was sent. */
void mesh_entry_ref(const struct mesh_entry *e, const char *name, struct arena *a, struct l7_ref *r, const char **unknown)
{
	const char *how = val_str_at(e->o->spec, "resolution"), *port_name = val_str_at(e->port, "name"), *address = NULL;
	const struct val *endpoints = val_get(e->o->spec, "endpoints");
	int64_t number = val_int_or(val_get(e->port, "number"), 0), port = val_int_or(val_get(e->port, "targetPort"), number);

	r->name = e->o->o.name;
	r->ns = e->o->o.ns;
	r->port = (int32_t)number;
	if (!how || streq(how, "NONE")) {
		r->as_sent = true;
		return;
	}
	if (val_get(e->o->spec, "workloadSelector") || (endpoints && endpoints->nr > 1))
		*unknown = arena_printf(a, "ServiceEntry %s/%s has several endpoints, or chooses workloads by labels, which is not modelled", e->o->o.ns, e->o->o.name);
	if (endpoints && endpoints->nr) {
		const struct val *first = val_at(endpoints, 0);

		address = val_str_at(first, "address");
		port = val_int_or(port_name ? val_get(val_get(first, "ports"), port_name) : NULL, port);
	}
	r->upstream = arena_printf(a, address && strchr(address, ':') ? "[%s]:%d" : "%s:%d", address ? address : name, (int)port);
}
