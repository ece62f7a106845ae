/* The objects of a controller that --controller gives, and of a Gateway's data plane: a Deployment and a Service of type LoadBalancer, ordinary objects that
 * can be looked at and broken. */
#include "model/cluster/apply.h"
#include "model/l7/controllers.h"
#include "model/l7/gateway_parts.h"

#include <ctype.h>

#define NAME_MAX_LENGTH 63

static const char *slug(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name);
	size_t n = strlen(out);

	for (char *p = out; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
	while (n && out[n - 1] == '-')
		out[--n] = 0;
	return *out ? out : "controller";
}

/* A name that fits into a label, cut with a hash of the whole where it is too long. */
static const char *fitting(struct arena *a, const char *name)
{
	return strlen(name) <= NAME_MAX_LENGTH ? name : arena_printf(a, "%.*s-%08x", NAME_MAX_LENGTH - 9, name, fnv32a(name, strlen(name)));
}

struct ports { uint16_t v[64], target[64]; bool udp[64]; uint32_t nr; };

struct plane {
	const char *ns, *name, *controller;
	const char *gateway;                    /* NS/NAME, or NULL */
	const char *address;                    /* that the Service asks for, or NULL */
	bool istio;                             /* Istio's own: its container's name and, without a Gateway, its label */
	struct ports ports;
	const struct gateway *of;               /* NULL: no Gateway's */
};

static const char *annotations(struct arena *a, const struct plane *p)
{
	const char *out = arena_printf(a, "\"%s\": \"%s\"", CONTROLLER_ANNOTATION, p->controller);

	return p->gateway ? arena_printf(a, "%s, \"%s\": \"%s\"", out, GATEWAY_ANNOTATION, p->gateway) : out;
}

static const char *deployment_json(struct arena *a, const struct plane *p)
{
	const char *ports = "";

	for (uint32_t k = 0; k < p->ports.nr; k++)
		ports = arena_printf(a, "%s%s{\"name\": \"%c-%u\", \"containerPort\": %u, \"protocol\": \"%s\"}", ports, k ? ", " : "", p->ports.udp[k] ? 'u' : 'p', p->ports.v[k],
				     p->ports.target[k], p->ports.udp[k] ? "UDP" : "TCP");
	return arena_printf(a, "{\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\", \"labels\": {\"app\": \"%s\"}, "
			       "\"annotations\": {%s}}, \"spec\": {\"replicas\": 1, \"selector\": {\"matchLabels\": {\"app\": \"%s\"}}, \"template\": {\"metadata\": "
			       "{\"labels\": {\"app\": \"%s\"%s}}, \"spec\": {\"containers\": [{\"name\": \"%s\", \"image\": \"podwire/proxy\", \"ports\": [%s]}]}}}}",
			    p->name, p->ns, p->name, annotations(a, p), p->name, p->name, p->istio && !p->gateway ? ", \"istio\": \"ingressgateway\"" : "", p->istio ? "istio-proxy" : "proxy", ports);
}

static const char *service_json(struct arena *a, const struct plane *p)
{
	const char *ports = "";

	for (uint32_t k = 0; k < p->ports.nr; k++)
		ports = arena_printf(a, "%s%s{\"name\": \"%c-%u\", \"port\": %u, \"targetPort\": %u, \"protocol\": \"%s\"}", ports, k ? ", " : "", p->ports.udp[k] ? 'u' : 'p', p->ports.v[k],
				     p->ports.v[k], p->ports.target[k], p->ports.udp[k] ? "UDP" : "TCP");
	return arena_printf(a, "{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"%s\", \"namespace\": \"%s\", \"labels\": {\"app\": \"%s\"}, "
			       "\"annotations\": {%s}}, \"spec\": {\"type\": \"LoadBalancer\", \"externalTrafficPolicy\": \"Local\", \"selector\": {\"app\": \"%s\"}%s, \"ports\": [%s]}}",
			    p->name, p->ns, p->name, annotations(a, p), p->name, p->address ? arena_printf(a, ", \"loadBalancerIP\": \"%s\"", p->address) : "", ports);
}

/* Of a Gateway's labels and annotations: those by which its Pods and it are found stay as they are. */
static bool passes_on(const struct val *m)
{
	return val_str(m) && strcmp(m->key, "app") != 0 && strcmp(m->key, CONTROLLER_ANNOTATION) != 0 && strcmp(m->key, GATEWAY_ANNOTATION) != 0;
}

/* spec.infrastructure: what of a Gateway's is made for it bears its labels and annotations, and its name (GatewayInfrastructure, GatewayNameLabelKey). */
static void put_infrastructure(struct arena *a, struct val *metadata, const struct gateway *gw)
{
	static const char *const members[] = { "labels", "annotations" };

	if (!metadata)
		return;
	for (size_t k = 0; k < ARRAY_LEN(members); k++) {
		struct val *to = (struct val *)val_get(metadata, members[k]);
		const struct val *more = val_get(val_path(gw->o.doc, "spec.infrastructure"), members[k]);

		to = to ? to : val_put(a, metadata, members[k], val_new(a, VAL_MAP));
		if (!k)
			val_put(a, to, GATEWAY_NAME_LABEL, val_string(a, fitting(a, gw->o.name)));
		VAL_EACH_KEY(m, more)
			if (passes_on(m))
				val_put(a, to, m->key, val_copy(a, m));
	}
}

static bool apply_text(struct cluster *c, struct arena *a, const char *json, const struct gateway *gw, struct err *err)
{
	struct apply_options opt = { .unknown = VALIDATE_IGNORE, .create_namespaces = true };
	struct doc d = { .file = "podwire", .root = json_parse(a, "podwire", json, strlen(json), NULL, err) };

	if (d.root && gw) {
		put_infrastructure(a, (struct val *)val_get(d.root, "metadata"), gw);
		put_infrastructure(a, (struct val *)val_path(d.root, "spec.template.metadata"), gw);
	}
	return d.root && apply_doc(c, &d, &opt, NULL, err) != APPLY_ERROR;
}

static bool plane_install(struct cluster *c, const struct plane *p, struct err *err)
{
	struct arena *a = arena_new(NULL, "install");
	bool ok = apply_text(c, a, deployment_json(a, p), p->of, err) && apply_text(c, a, service_json(a, p), p->of, err);

	arena_free(a);
	return ok;
}

static const char istio_class[] = "{\"apiVersion\": \"gateway.networking.k8s.io/v1\", \"kind\": \"GatewayClass\", \"metadata\": {\"name\": \"istio\"}, "
				  "\"spec\": {\"controllerName\": \"istio.io/gateway-controller\"}}";

bool controllers_install(struct cluster *c, struct err *err)
{
	const struct settings_flags *flags = cluster_settings(c)->flags;
	struct arena *a = arena_new(NULL, "install");
	bool ok = true;

	for (uint32_t k = 0; flags && k < flags->controllers.nr; k++) {
		const char *name = flags->controllers.v[k];
		bool istio = strncmp(name, "istio.io/", 9) == 0;
		struct plane p = { CONTROLLER_NS, fitting(a, slug(a, name)), name, NULL, NULL, istio, { .v = { 80, 443 }, .target = { istio ? 8080 : 80, istio ? 8443 : 443 }, .nr = 2 }, NULL };

		if (!controller_find(c, name, a))
			ok = plane_install(c, &p, err) && ok;
		if (streq(name, "istio.io/gateway-controller") && !cluster_find(c, &gateway_class_kind, NULL, "istio"))         /* istiod makes it by itself */
			ok = apply_text(c, a, istio_class, NULL, err) && ok;
	}
	arena_free(a);
	return ok;
}

/* ---- Gateways */

static const char *plane_ns(const struct gateway *gw, const struct l7_controller *who) { return who->place == 'g' ? gw->o.ns : who->workload->ns; }

/* Istio and NGINX name it NAME-CLASS beside the Gateway; others put the Gateway's namespace into the name. */
static const char *plane_name(struct arena *a, const struct gateway *gw, const struct l7_controller *who)
{
	return fitting(a, who->place == 'g' ? arena_printf(a, "%s-%s", gw->o.name, gw->class_name) : arena_printf(a, "gateway-%s-%s", gw->o.ns, gw->o.name));
}

const struct service *gateway_service(struct cluster *c, const struct gateway *gw, const struct l7_controller *who)
{
	struct arena *a;
	const struct service *s;

	if (who->place == 's')
		return who->service;
	a = arena_new(NULL, "install");
	s = find_service(c, plane_ns(gw, who), plane_name(a, gw, who));
	arena_free(a);
	return s;
}

/* The ports of its listeners and of those of the ListenerSets that it lets in. */
static void gather_ports(struct cluster *c, const struct gateway *gw, struct ports *out, struct arena *a)
{
	struct gw_state s = { .gw = gw };

	gw_listeners_read(c, &s, a);
	for (uint32_t k = 0; k < s.nr; k++) {
		uint16_t port = (uint16_t)s.listeners[k].spec->port;
		bool udp = s.listeners[k].proto == L7_UDP;
		uint32_t i = 0;

		while (i < out->nr && (out->v[i] != port || out->udp[i] != udp))
			i++;
		if (i < out->nr || out->nr == ARRAY_LEN(out->v))
			continue;
		out->v[i] = out->target[i] = port;
		out->udp[i] = udp;
		out->nr++;
	}
}

static bool same_ports(const struct service *s, const struct ports *want)
{
	if (s->ports.nr != want->nr)
		return false;
	for (uint32_t k = 0; k < want->nr; k++)
		if (s->ports.v[k].port != want->v[k] || (s->ports.v[k].protocol == L4_UDP) != want->udp[k])
			return false;
	return true;
}

/* Has the Service what spec.infrastructure says? */
static bool bears(const struct service *s, const struct gateway *gw)
{
	const struct val *more = val_path(gw->o.doc, "spec.infrastructure");

	VAL_EACH_KEY(m, val_get(more, "labels"))
		if (passes_on(m) && !streq(label_get(&s->o.labels, m->key), val_str(m)))
			return false;
	VAL_EACH_KEY(m, val_get(more, "annotations"))
		if (passes_on(m) && !streq(label_get(&s->o.annotations, m->key), val_str(m)))
			return false;
	return true;
}

/* The first address that the Gateway asks for, as spec.loadBalancerIP of its Service. */
static const char *asked_address(const struct gateway *gw)
{
	for (uint32_t k = 0; k < gw->addresses.nr; k++) {
		const struct gw_address *want = &gw->addresses.v[k];
		ip_addr ip;

		if ((!want->type || streq(want->type, "IPAddress")) && want->value && ip_parse(want->value, &ip))
			return want->value;
	}
	return NULL;
}

bool gateway_install(struct cluster *c, const struct gateway *gw, const struct l7_controller *who, struct err *err)
{
	const struct service *s = gateway_service(c, gw, who);
	struct arena *a;
	struct plane p;
	bool ok;

	if (who->place == 's')
		return true;
	a = arena_new(NULL, "install");
	p = (struct plane){ plane_ns(gw, who), plane_name(a, gw, who), who->name, arena_printf(a, "%s/%s", gw->o.ns, gw->o.name), asked_address(gw), strncmp(who->name, "istio.io/", 9) == 0,
			    { .nr = 0 }, gw };
	gather_ports(c, gw, &p.ports, a);
	ok = !p.ports.nr || (s && same_ports(s, &p.ports) && streq(s->lb_ip ? s->lb_ip : "", p.address ? p.address : "") && bears(s, gw)) || plane_install(c, &p, err);
	arena_free(a);
	return ok;
}

static void remove_of(struct cluster *c, const struct kind *k, const char *gateway)
{
	struct object_list all = cluster_list(c, k);
	struct object *gone = NULL;

	for (uint32_t i = 0; i < all.nr && !gone; i++)
		if (streq(label_get(&all.v[i]->annotations, GATEWAY_ANNOTATION), gateway) && all.v[i]->deleted == NEVER)
			gone = all.v[i];
	if (gone)
		apply_delete(c, gone);
}

void gateway_uninstall(struct cluster *c, const char *ns, const char *name)
{
	struct arena *a = arena_new(NULL, "install");
	const char *gateway = arena_printf(a, "%s/%s", ns, name);

	remove_of(c, &deployment_kind, gateway);
	remove_of(c, &service_kind, gateway);
	arena_free(a);
}
