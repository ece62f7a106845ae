#include "model/l7/controllers.h"

#include <stdlib.h>

/* Products by the images of their Pods: the last part of the image's name, and which controller names they answer to when no argument says otherwise. */
struct product {
	const char *name, *image;               /* the image's repository ends with this */
	const char *ingress, *gateway;          /* IngressClass.spec.controller, GatewayClass.spec.controllerName; NULL: does not serve it */
	const char *class_arg;                  /* the argument that changes `ingress` */
	const char *gateway_arg;                /* the argument that changes `gateway` */
	const char *annotation;                 /* value of the old class annotation that it takes by itself */
	const char *annotation_arg;
	const char *classless_arg;              /* with it, Ingresses without a class are taken */
	bool classless, nginx;
	char place;                             /* of a Gateway's data plane, as in l7_controller */
	const char *proxy;                      /* the data plane is another workload of this image, in the same namespace; NULL: the Pods themselves */
};
static const struct product products[] = {
	/* kubernetes/ingress-nginx pkg/flags/flags.go */
	{ "ingress-nginx", "ingress-nginx/controller", "k8s.io/ingress-nginx", NULL, "--controller-class", NULL, "nginx", "--ingress-class",
	  "--watch-ingress-without-class", false, true, 0, NULL },
	/* nginxinc/kubernetes-ingress cmd/nginx-ingress/flags.go */
	{ "NGINX Ingress Controller", "nginx/nginx-ingress", "nginx.org/ingress-controller", NULL, NULL, NULL, NULL, NULL, NULL, false, false, 0, NULL },
	/* traefik pkg/provider/kubernetes/{ingress,gateway}: traefikDefaultIngressClassController, controllerName */
	{ "Traefik", "traefik", "traefik.io/ingress-controller", "traefik.io/gateway-controller", NULL, NULL, "traefik", NULL, NULL, true, false, 's', NULL },
	/* haproxytech/kubernetes-ingress pkg/k8s: CONTROLLER */
	{ "HAProxy", "haproxytech/kubernetes-ingress", "haproxy.org/ingress-controller/haproxy", NULL, NULL, NULL, NULL, NULL, "--empty-ingress-class", false, false, 0, NULL },
	{ "HAProxy Ingress", "haproxy-ingress", "haproxy-ingress.github.io/controller", NULL, "--controller-class", NULL, "haproxy", "--ingress-class",
	  "--watch-ingress-without-class", false, false, 0, NULL },
	/* projectcontour/contour internal/ingressclass, internal/gatewayapi */
	{ "Contour", "projectcontour/contour", "projectcontour.io/ingress-controller", "projectcontour.io/gateway-controller", NULL, NULL, "contour", "--ingress-class-name",
	  NULL, true, false, 's', "envoyproxy/envoy" },
	/* envoyproxy/gateway api/v1alpha1: GatewayControllerName */
	{ "Envoy Gateway", "envoyproxy/gateway", NULL, "gateway.envoyproxy.io/gatewayclass-controller", NULL, NULL, NULL, NULL, NULL, false, false, 'c', NULL },
	/* nginx/nginx-gateway-fabric cmd/gateway */
	{ "NGINX Gateway Fabric", "nginx-gateway-fabric", NULL, "gateway.nginx.org/nginx-gateway-controller", NULL, "--gateway-ctlr-name", NULL, NULL, NULL, false, false, 'g', NULL },
	/* istio pilot/pkg/features: ControllerName */
	{ "Istio", "istio/pilot", "istio.io/ingress-controller", "istio.io/gateway-controller", NULL, NULL, "istio", NULL, NULL, false, false, 'g', "istio/proxyv2" },
	/* Kong/kubernetes-ingress-controller internal/controllers */
	{ "Kong", "kong/kubernetes-ingress-controller", "ingress-controllers.konghq.com/kong", "konghq.com/kic-gateway-controller", NULL, NULL, "kong", "--ingress-class", NULL,
	  false, false, 's', NULL },
};

static bool image_is(const char *image, const char *want)
{
	size_t n, w = strlen(want), end;

	if (!image)
		return false;
	end = n = strcspn(image, "@");
	for (const char *p = image + n; p > image && p[-1] != '/'; p--)
		if (p[-1] == ':')
			end = (size_t)(p - 1 - image);
	return end >= w && strncmp(image + end - w, want, w) == 0 && (end == w || image[end - w - 1] == '/');
}

static const struct kind *const running[] = { &deployment_kind, &daemonset_kind, &statefulset_kind, &replicaset_kind, &pod_kind };

/* What runs containers of its own accord: a workload by its template, or a Pod that nothing controls. spec NULL: it does not. */
struct runs { const struct object *o; const pair_list *labels; const struct pod_spec *spec; };

static struct runs runs_of(const struct object *o)
{
	const struct workload *w = (const struct workload *)o;

	if (o->kind == &deployment_kind || o->kind == &daemonset_kind || o->kind == &statefulset_kind || (o->kind == &replicaset_kind && !owner_uid(o)))
		return (struct runs){ o, &w->template.labels, w->template.spec };
	if (o->kind == &pod_kind && !owner_uid(o))
		return (struct runs){ o, &o->labels, ((const struct pod *)o)->spec };
	return (struct runs){ 0 };
}

bool controller_has(const struct object *workload, const struct pod *p)
{
	const struct workload *w = (const struct workload *)workload;

	return workload->kind == &pod_kind ? workload == &p->o : w->o.ns == p->o.ns && selector_matches(&w->selector, &p->o.labels);
}

/* The value of --name=V, --name V; "" for --name alone; NULL: not there. */
static const char *argument(const struct container *c, const char *name)
{
	size_t n = name ? strlen(name) : 0;
	const str_list lists[] = { c->command, c->args };

	for (size_t l = 0; name && l < 2; l++)
		for (uint32_t k = 0; k < lists[l].nr; k++) {
			const char *s = lists[l].v[k];

			if (strncmp(s, name, n) != 0 || (s[n] && s[n] != '='))
				continue;
			if (s[n] == '=')
				return s + n + 1;
			return k + 1 < lists[l].nr && lists[l].v[k + 1][0] != '-' ? lists[l].v[k + 1] : "";
		}
	return NULL;
}

struct listing { struct cluster *c; struct arena *a; VEC(struct l7_controller) v; };

/* $(POD_NAMESPACE) is all that manifests use here. */
static str expanded(struct cluster *c, const char *text, str ns)
{
	const char *var = "$(POD_NAMESPACE)", *at = strstr(text, var);

	return at ? str_printf(cluster_strings(c), "%.*s%s%s", (int)(at - text), text, ns, at + strlen(var)) : cluster_str(c, text);
}

static const struct service *named_service(struct cluster *c, str text)
{
	const char *slash = strchr(text, '/');
	const char *ns = slash ? str_intern_n(cluster_strings(c), text, (size_t)(slash - text)) : NULL;

	return slash ? find_service(c, ns, slash + 1) : NULL;
}

static int service_rank(const struct service *s)
{
	return s->type == SVC_LOADBALANCER ? 3 : s->type == SVC_NODEPORT ? 2 : 1;
}

/* The Service that selects the workload's Pods and looks most like a way in. */
static const struct service *fronting(struct cluster *c, const struct runs *w)
{
	struct object_list all = cluster_list_ns(c, &service_kind, w->o->ns);
	const struct service *best = NULL;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct service *s = (const struct service *)all.v[k];
		bool http = false;

		for (uint32_t i = 0; i < s->ports.nr; i++)
			http = http || s->ports.v[i].port == 80 || s->ports.v[i].port == 443;
		if (s->selector.nr && http && pairs_match(&s->selector, w->labels) && (!best || service_rank(s) > service_rank(best)))
			best = s;
	}
	return best;
}

static struct runs proxy_of(struct cluster *c, const struct runs *w, const char *image)
{
	const struct kind *const where[] = { &deployment_kind, &daemonset_kind };

	for (size_t i = 0; i < 2; i++) {
		struct object_list all = cluster_list_ns(c, where[i], w->o->ns);

		for (uint32_t k = 0; k < all.nr; k++) {
			struct runs p = runs_of(all.v[k]);

			for (uint32_t n = 0; p.spec && n < p.spec->containers.nr; n++)
				if (image_is(p.spec->containers.v[n].image, image) && fronting(c, &p))
					return p;
		}
	}
	return (struct runs){ 0 };
}

static void add(struct listing *l, struct l7_controller one)
{
	for (uint32_t k = 0; k < l->v.nr; k++)
		if (l->v.v[k].name == one.name)
			return;
	vec_add(l->a, &l->v, one);
}

static void add_product(struct listing *l, const struct runs *w, const struct container *box, const struct product *p)
{
	const struct runs data = p->proxy ? proxy_of(l->c, w, p->proxy) : *w;
	const char *class = argument(box, p->class_arg), *gateway = argument(box, p->gateway_arg), *word = argument(box, p->annotation_arg);
	const char *publish = argument(box, "--publish-service"), *status = argument(box, "--publish-status-address"), *cert = argument(box, "--default-ssl-certificate"), *config = argument(box, "--configmap");
	const char *fallback = argument(box, "--default-backend-service");
	const char *none = argument(box, p->classless_arg), *validation = argument(box, "--enable-annotation-validation");
	struct l7_controller one = { .product = p->name, .workload = data.o ? data.o : w->o, .labels = data.o ? data.labels : w->labels, .nginx = p->nginx };

	one.annotation = cluster_str(l->c, word && *word ? word : p->annotation);
	one.classless = none ? !streq(none, "false") : p->classless;
	one.publish = status ? cluster_str(l->c, status) : NULL;
	one.default_cert = cert ? expanded(l->c, cert, w->o->ns) : NULL;
	one.config = config ? expanded(l->c, config, w->o->ns) : NULL;
	one.fallback = fallback ? expanded(l->c, fallback, w->o->ns) : NULL;
	one.image = box->image;
	one.validation = validation ? cluster_str(l->c, validation) : NULL;
	one.host_network = data.spec && data.spec->host_network;
	one.service = publish && *publish ? named_service(l->c, expanded(l->c, publish, w->o->ns)) : NULL;
	if (!one.service && data.o)
		one.service = fronting(l->c, &data);
	if (p->ingress) {
		one.name = cluster_str(l->c, class && *class ? class : p->ingress);
		add(l, one);
	}
	if (p->gateway) {
		one.name = cluster_str(l->c, gateway && *gateway ? gateway : p->gateway);
		one.gateways = true;
		one.place = p->place;
		one.annotation = NULL;
		one.classless = false;
		add(l, one);
	}
}

/* A workload that --controller made says so by annotation. */
static void add_marked(struct listing *l, const struct runs *w, str name)
{
	const struct service *front = fronting(l->c, w);

	if (strncmp(name, "istio.io/", 9) == 0)         /* one control plane serves both, and the class annotation "istio" */
		add(l, (struct l7_controller){ .name = cluster_str(l->c, "istio.io/ingress-controller"), .product = "podwire", .workload = w->o, .labels = w->labels, .service = front,
					       .annotation = cluster_str(l->c, "istio") });
	add(l, (struct l7_controller){ .name = name, .product = "podwire", .workload = w->o, .labels = w->labels, .service = front, .gateways = true, .place = 'c',
				       .nginx = streq(name, "k8s.io/ingress-nginx"), .annotation = streq(name, "k8s.io/ingress-nginx") ? cluster_str(l->c, "nginx") : NULL });
}

static void look(struct listing *l, const struct object *o, bool marked)
{
	const struct runs w = runs_of(o);
	str name = w.spec ? label_get(&o->annotations, CONTROLLER_ANNOTATION) : NULL;

	if (name && marked && !label_get(&o->annotations, GATEWAY_ANNOTATION))
		add_marked(l, &w, name);
	for (uint32_t k = 0; w.spec && !name && !marked && k < w.spec->containers.nr; k++)
		for (size_t p = 0; p < ARRAY_LEN(products); p++)
			if (image_is(w.spec->containers.v[k].image, products[p].image))
				add_product(l, &w, &w.spec->containers.v[k], &products[p]);
}

bool controller_workload(const struct object *o)
{
	const struct runs w = runs_of(o);

	if (!w.spec)
		return false;
	if (label_get(&o->annotations, CONTROLLER_ANNOTATION))
		return true;
	for (uint32_t k = 0; k < w.spec->containers.nr; k++)
		for (size_t p = 0; p < ARRAY_LEN(products); p++) {
			const char *image = w.spec->containers.v[k].image, *proxy = o->kind == &pod_kind ? NULL : products[p].proxy;

			if (image_is(image, products[p].image) || (proxy && image_is(image, proxy)))
				return true;
		}
	return false;
}

const struct l7_controller *controllers_list(struct cluster *c, struct arena *a, uint32_t *nr)
{
	struct listing l = { .c = c, .a = a };

	for (int marked = 1; marked >= 0; marked--)
		for (size_t i = 0; i < ARRAY_LEN(running); i++) {
			struct object_list all = cluster_list(c, running[i]);

			for (uint32_t k = 0; k < all.nr; k++)
				look(&l, all.v[k], marked);
		}
	*nr = l.v.nr;
	return l.v.v;
}

const struct l7_controller *controller_find(struct cluster *c, const char *name, struct arena *a)
{
	uint32_t nr;
	const struct l7_controller *v = controllers_list(c, a, &nr);

	for (uint32_t k = 0; k < nr; k++)
		if (streq(v[k].name, name))
			return &v[k];
	return NULL;
}

/* ---- addresses */

static struct object_list ready_pods(struct cluster *c, const struct object *workload, struct arena *a)
{
	struct object *one = (struct object *)workload;
	struct object_list all = one->kind == &pod_kind ? (struct object_list){ &one, 1 } : pods_matching(c, one->ns, &((const struct workload *)one)->selector, a);
	struct object_list out = { arena_array(a, struct object *, all.nr), 0 };

	for (uint32_t k = 0; k < all.nr; k++)
		if (pod_is_ready((const struct pod *)all.v[k]))
			out.v[out.nr++] = all.v[k];
	return out;
}

static void add_address(struct lb_list *l, struct cluster *c, const char *text)
{
	ip_addr ip;

	l->v[l->nr] = (struct lb_ingress){ 0 };
	if (ip_parse(text, &ip))
		l->v[l->nr++].ip = cluster_str(c, text);
	else
		l->v[l->nr++].hostname = cluster_str(c, text);
}

/* Without a Service to publish, the addresses of the nodes on which it runs (ingress-nginx internal/ingress/status runningAddresses). */
static void node_addresses(struct lb_list *l, struct cluster *c, struct object_list pods)
{
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		char text[IP_TEXT];
		bool there = false;

		if (!ip_set(p->host_ip))
			continue;
		for (uint32_t i = 0; i < l->nr; i++)
			there = there || streq(l->v[i].ip, ip_text(p->host_ip, text));
		if (!there)
			add_address(l, c, ip_text(p->host_ip, text));
	}
}

struct lb_list controller_addresses(struct cluster *c, const struct l7_controller *who, struct arena *a)
{
	struct object_list pods = ready_pods(c, who->workload, a);
	uint32_t most = pods.nr + 1 + (who->service ? who->service->lb_ingress.nr + who->service->external_ips.nr : 0);
	struct lb_list out = { .v = arena_array(a, struct lb_ingress, most) };

	if (!pods.nr)
		return out;
	if (who->publish && *who->publish) {
		add_address(&out, c, who->publish);
		return out;
	}
	for (uint32_t k = 0; who->service && k < who->service->lb_ingress.nr; k++) {
		out.v[out.nr] = (struct lb_ingress){ 0 };
		out.v[out.nr].ip = who->service->lb_ingress.v[k].ip;
		out.v[out.nr++].hostname = who->service->lb_ingress.v[k].hostname;
	}
	for (uint32_t k = 0; who->service && k < who->service->external_ips.nr; k++)
		add_address(&out, c, who->service->external_ips.v[k]);
	if (!out.nr && (!who->service || who->service->type != SVC_LOADBALANCER))
		node_addresses(&out, c, pods);
	return out;
}
