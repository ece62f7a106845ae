/* Injection: who gets a sidecar, and what is added to the Pod. Source: istio pkg/kube/inject/inject.go injectRequired, the webhook's namespace and object
 * selectors (manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml), files/injection-template.yaml. */
#include "model/l7/mesh_routes.h"

#include <stdlib.h>

#include "model/l7/controllers.h"

static bool is_istio(const char *name) { return name && (streq(name, MESH_CONTROLLER) || streq(name, "istio.io/ingress-controller")); }

bool mesh_present(struct cluster *c)
{
	const struct settings_flags *flags = cluster_settings(c)->flags;
	struct object_list all;

	for (uint32_t k = 0; flags && k < flags->controllers.nr; k++)
		if (is_istio(flags->controllers.v[k]))
			return true;
	all = cluster_list(c, &deployment_kind);
	for (uint32_t k = 0; k < all.nr; k++) {
		const struct workload *w = (const struct workload *)all.v[k];

		for (uint32_t i = 0; w->template.spec && i < w->template.spec->containers.nr; i++)
			if (streq(w->template.spec->containers.v[i].name, "discovery") && strstr(w->template.spec->containers.v[i].image ? w->template.spec->containers.v[i].image : "", "pilot"))
				return true;
	}
	return false;
}

const struct container *mesh_sidecar(const struct pod_spec *s)
{
	const container_list *const lists[] = { &s->containers, &s->init_containers };

	for (size_t l = 0; l < 2; l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++)
			if (streq(lists[l]->v[k].name, "istio-proxy"))
				return &lists[l]->v[k];
	return NULL;
}

static bool has_ztunnel(struct cluster *c)
{
	struct object_list all = cluster_list(c, &daemonset_kind);

	for (uint32_t k = 0; k < all.nr; k++)
		if (streq(all.v[k]->name, "ztunnel"))
			return true;
	return false;
}

const char *mesh_ambient(struct cluster *c, const struct pod *p)
{
	const struct namespace_ *ns = find_namespace(c, p->o.ns);
	str own = label_get(&p->o.labels, "istio.io/dataplane-mode"), all = ns ? label_get(&ns->o.labels, "istio.io/dataplane-mode") : NULL;

	if (!streq(own ? own : all, "ambient") || mesh_sidecar(p->spec) || !(mesh_present(c) || has_ztunnel(c)))
		return NULL;
	return "the Pod is in Istio's ambient mode, which is not modelled: ztunnel would take the connection";
}

const char *mesh_unmodelled(struct cluster *c, const struct pod *p, struct arena *a)
{
	struct object_list all = cluster_list(c, &envoy_filter_kind);

	for (uint32_t n = 0; n < all.nr; n++) {
		const struct val *labels = val_path(all.v[n]->doc, "spec.workloadSelector.labels");
		bool hit = all.v[n]->ns == p->o.ns || streq(all.v[n]->ns, MESH_ROOT_NS);

		VAL_EACH_KEY(v, labels)
			hit = hit && streq(label_get(&p->o.labels, v->key), val_str(v));
		if (hit)
			return arena_printf(a, "EnvoyFilter %s/%s changes what the sidecar does, and is not modelled", all.v[n]->ns, all.v[n]->name);
	}
	return cluster_count(c, &istio_sidecar_kind) ? mesh_scope(c, p, a).unknown : NULL;
}

/* The webhooks: namespaces with istio-injection=enabled or istio.io/rev, and Pods that ask for it themselves. */
bool mesh_asked(struct cluster *c, const struct pod *p)
{
	const struct namespace_ *ns = find_namespace(c, p->o.ns);
	str here = ns ? label_get(&ns->o.labels, "istio-injection") : NULL, rev = ns ? label_get(&ns->o.labels, "istio.io/rev") : NULL;
	str own = label_get(&p->o.labels, "sidecar.istio.io/inject"), note = label_get(&p->o.annotations, "sidecar.istio.io/inject");

	if (p->spec->host_network || streq(p->o.ns, "kube-system") || streq(p->o.ns, "kube-public") || streq(p->o.ns, MESH_ROOT_NS) || streq(p->o.ns, CONTROLLER_NS))
		return false;
	if (streq(own, "false") || streq(here, "disabled"))
		return false;
	if (streq(own, "true") || label_get(&p->o.labels, "istio.io/rev"))
		return true;
	if (!streq(here, "enabled") && !rev)
		return false;
	return !streq(note, "false");
}

/* ---- what is added */

static const char *note_or(const struct pod *p, const char *key, const char *dflt)
{
	str v = label_get(&p->o.annotations, key);

	return v ? v : dflt;
}

static void push_arg(struct cluster *c, str_list *l, const char *text)
{
	str *v = arena_array(cluster_arena(c), str, l->nr + 1);

	if (l->nr)
		memcpy(v, l->v, l->nr * sizeof(*v));
	v[l->nr++] = cluster_str(c, text);
	l->v = v;
	l->set = true;
}

static struct container init_container(struct cluster *c, const struct pod *p)
{
	static const struct { const char *flag, *note, *dflt; bool always; } args[] = {
		{ "-i", "traffic.sidecar.istio.io/includeOutboundIPRanges", "*", true }, { "-x", "traffic.sidecar.istio.io/excludeOutboundIPRanges", "", true },
		{ "-b", "traffic.sidecar.istio.io/includeInboundPorts", "*", true }, { "-d", "traffic.sidecar.istio.io/excludeInboundPorts", "", true },
		{ "-q", "traffic.sidecar.istio.io/includeOutboundPorts", NULL, false }, { "-o", "traffic.sidecar.istio.io/excludeOutboundPorts", NULL, false },
		{ "-c", "traffic.sidecar.istio.io/excludeInterfaces", NULL, false },
	};
	struct container box = { .name = cluster_str(c, "istio-init"), .image = cluster_str(c, "docker.io/istio/proxyv2") };

	push_arg(c, &box.args, "istio-iptables");
	push_arg(c, &box.args, "-p");
	push_arg(c, &box.args, "15001");
	push_arg(c, &box.args, "-z");
	push_arg(c, &box.args, "15006");
	push_arg(c, &box.args, "-u");
	push_arg(c, &box.args, "1337");
	push_arg(c, &box.args, "-m");
	push_arg(c, &box.args, note_or(p, "sidecar.istio.io/interceptionMode", "REDIRECT"));
	for (size_t k = 0; k < ARRAY_LEN(args); k++) {
		const char *value = note_or(p, args[k].note, args[k].dflt);

		if (!value)
			continue;
		push_arg(c, &box.args, args[k].flag);
		if (streq(args[k].flag, "-d"))          /* the sidecar's own ports are never redirected */
			push_arg(c, &box.args, *value ? arena_printf(cluster_arena(c), "15090,15021,15020,%s", value) : "15090,15021,15020");
		else
			push_arg(c, &box.args, value);
	}
	return box;
}

static struct container sidecar_container(struct cluster *c)
{
	struct container box = { .name = cluster_str(c, "istio-proxy"), .image = cluster_str(c, "docker.io/istio/proxyv2") };

	push_arg(c, &box.args, "proxy");
	push_arg(c, &box.args, "sidecar");
	box.ports.v = arena_array(cluster_arena(c), struct container_port, 1);
	box.ports.v[0] = (struct container_port){ .name = cluster_str(c, "http-envoy-prom"), .port = 15090, .protocol = L4_TCP };
	box.ports.nr = 1;
	box.ports.set = true;
	return box;
}

static void prepend(struct cluster *c, container_list *l, struct container box)
{
	struct container *v = arena_array(cluster_arena(c), struct container, l->nr + 1);

	v[0] = box;
	if (l->nr)
		memcpy(v + 1, l->v, l->nr * sizeof(*v));
	l->v = v;
	l->nr++;
	l->set = true;
}

static void append(struct cluster *c, container_list *l, struct container box)
{
	struct container *v = arena_array(cluster_arena(c), struct container, l->nr + 1);

	if (l->nr)
		memcpy(v, l->v, l->nr * sizeof(*v));
	v[l->nr++] = box;
	l->v = v;
	l->set = true;
}

bool mesh_injects(struct cluster *c, const struct pod *p)
{
	return p->spec && mesh_asked(c, p) && !mesh_sidecar(p->spec) && mesh_present(c);
}

void mesh_inject(struct cluster *c, struct pod *p)
{
	struct pod_spec *s = arena_copy(cluster_arena(c), p->spec, sizeof(*s));

	prepend(c, &s->init_containers, init_container(c, p));
	append(c, &s->containers, sidecar_container(c));
	p->spec = s;
}

/* ---- what is captured */

static const struct container *init_of(const struct pod_spec *s)
{
	for (uint32_t k = 0; k < s->init_containers.nr; k++)
		if (streq(s->init_containers.v[k].name, "istio-init") || streq(s->init_containers.v[k].name, "istio-validation"))
			return &s->init_containers.v[k];
	return NULL;
}

static const char *value_of(const struct container *c, const char *flag, const char *dflt)
{
	const str_list lists[] = { c->command, c->args };

	for (size_t l = 0; l < 2; l++)
		for (uint32_t k = 0; k + 1 < lists[l].nr; k++)
			if (streq(lists[l].v[k], flag))
				return lists[l].v[k + 1];
	return dflt;
}

struct mesh_capture mesh_capture(const struct pod_spec *s)
{
	const struct container *box = init_of(s);
	struct mesh_capture m = { .set = box != NULL, .uid = MESH_UID, .gid = MESH_UID };

	if (!box)
		return m;
	m.outbound = (uint16_t)atoi(value_of(box, "-p", "15001"));
	m.inbound = (uint16_t)atoi(value_of(box, "-z", "15006"));
	m.uid = (uint32_t)atoi(value_of(box, "-u", "1337"));
	m.gid = (uint32_t)atoi(value_of(box, "-g", value_of(box, "-u", "1337")));
	m.include_ranges = value_of(box, "-i", "");
	m.exclude_ranges = value_of(box, "-x", "");
	m.include_inbound = value_of(box, "-b", "");
	m.exclude_inbound = value_of(box, "-d", "");
	m.include_outbound = value_of(box, "-q", "");
	m.exclude_outbound = value_of(box, "-o", "");
	m.exclude_interfaces = value_of(box, "-c", "");
	if (streq(value_of(box, "-m", "REDIRECT"), "TPROXY"))
		m.unknown = "the sidecar's interception mode TPROXY is not modelled";
	return m;
}
