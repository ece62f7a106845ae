/* Why a Service leads nowhere, or not where one thinks. */
#include <stdlib.h>

#include "sim/diagnose/diagnose.h"

static bool selects(const struct service *s, const struct object *pod)
{
	return pairs_match(&s->selector, &pod->labels);
}

/* How many pairs of the selector the labels lack; *which: the last of those. */
static uint32_t misses(const struct service *s, const struct object *pod, uint32_t *which)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < s->selector.nr; k++)
		if (!streq(label_get(&pod->labels, s->selector.v[k].key), s->selector.v[k].value)) {
			*which = k;
			nr++;
		}
	return nr;
}

/* ---- nobody is selected */

/* A workload whose template would be selected: it makes no Pods, for a reason of its own. */
static bool makes_none(struct diagnosis *d, const struct service *s)
{
	static const struct kind *const makers[] = { &deployment_kind, &statefulset_kind, &daemonset_kind, &replicaset_kind, &replication_controller_kind };
	bool any = false;

	for (size_t m = 0; m < ARRAY_LEN(makers); m++) {
		struct object_list l = cluster_list_ns(d->world->cluster, makers[m], s->o.ns);

		for (uint32_t k = 0; k < l.nr; k++) {
			const struct workload *w = (const struct workload *)l.v[k];
			struct finding *f;

			if (!pairs_match(&s->selector, &w->template.labels) || owner_uid(&w->o))
				continue;
			any = true;
			if (w->o.kind != &daemonset_kind && w->replicas == 0) {
				f = finding(d, FINDING_CAUSE, "scaled-to-zero", "%s %s would be selected, and is scaled to 0", w->o.kind->name, w->o.name);
				evidence(d, f, &w->o, "spec.replicas", "0");
				fix_patch(d, f, &w->o, "{spec: {replicas: 1}}");
				remedy(d, f, "scale it up");
			} else {
				d->depth++;
				why_workload(d, w);
				d->depth--;
			}
		}
	}
	return any;
}

/* A Pod that lacks one pair of the selector. Where the selector is that pair alone, another value counts only if it is nearly the same word. */
static bool nearly(const struct service *s, const struct object *pod, uint32_t *which)
{
	const char *have;

	if (pod_is_terminal((const struct pod *)pod) || misses(s, pod, which) != 1)
		return false;
	have = label_get(&pod->labels, s->selector.v[*which].key);
	return s->selector.nr > 1 || (have && nearest(s->selector.v[*which].value, (const char *const[]){ have, NULL }));
}

static void near_misses(struct diagnosis *d, const struct service *s)
{
	struct object_list l = cluster_list_ns(d->world->cluster, &pod_kind, s->o.ns);
	uint32_t nr = 0, pair = 0, which = 0, shown = 0;
	const char *value = NULL, *near[256] = { NULL };
	size_t values = 0;
	struct finding *f;

	for (uint32_t k = 0; k < l.nr && values + 1 < ARRAY_LEN(near); k++)
		if (nearly(s, l.v[k], &which) && label_get(&l.v[k]->labels, s->selector.v[which].key))
			near[values++] = label_get(&l.v[k]->labels, s->selector.v[which].key);
	for (uint32_t k = 0; k < l.nr; k++) {           /* the first that lacks a pair says which; the nearest value which of them are meant */
		const char *have;

		if (!nearly(s, l.v[k], &which))
			continue;
		have = label_get(&l.v[k]->labels, s->selector.v[which].key);
		if (!nr) {
			pair = which;
			value = values && have && nearest(s->selector.v[which].value, near) ? nearest(s->selector.v[which].value, near) : have;
		}
		nr += which == pair && streq(have, value);
	}
	if (!nr)
		return;
	f = finding(d, FINDING_CAUSE, "selector-misses", "the selector misses by one label: it asks for %s=%s, and %u Pod%s ha%s %s%s%s", s->selector.v[pair].key, s->selector.v[pair].value, nr,
		    nr == 1 ? "" : "s", nr == 1 ? "s" : "ve", value ? s->selector.v[pair].key : "no label ", value ? "=" : s->selector.v[pair].key, value ? value : "");
	evidence(d, f, &s->o, arena_printf(d->arena, "spec.selector.%s", s->selector.v[pair].key), NULL);
	for (uint32_t k = 0; k < l.nr && shown < 3; k++)
		if (nearly(s, l.v[k], &which) && which == pair && streq(label_get(&l.v[k]->labels, s->selector.v[pair].key), value)) {
			evidence(d, f, l.v[k], arena_printf(d->arena, "metadata.labels.%s", s->selector.v[pair].key), value ? value : "(absent)");
			shown++;
		}
	if (value)
		fix_patch(d, f, &s->o, "{spec: {selector: {\"%s\": \"%s\"}}}", s->selector.v[pair].key, value);
	else
		fix_patch(d, f, &s->o, "{spec: {selector: {\"%s\": null}}}", s->selector.v[pair].key);
	remedy(d, f, "make the Service's selector and the Pods' labels agree");
}

static void elsewhere(struct diagnosis *d, const struct service *s)
{
	struct object_list l = cluster_list(d->world->cluster, &pod_kind);
	struct finding *f = NULL;
	uint32_t shown = 0;

	for (uint32_t k = 0; k < l.nr && shown < 3; k++) {
		if (streq(l.v[k]->ns, s->o.ns) || !selects(s, l.v[k]))
			continue;
		if (!f) {
			f = finding(d, FINDING_CAUSE, "wrong-namespace", "Pods with those labels are in namespace %s; a Service selects only in its own, which is %s", l.v[k]->ns, s->o.ns);
			evidence(d, f, &s->o, "metadata.namespace", s->o.ns);
			remedy(d, f, "put Service and Pods into one namespace; from others they are called as %s.%s", s->o.name, l.v[k]->ns);
		}
		evidence(d, f, l.v[k], "metadata.namespace", l.v[k]->ns);
		shown++;
	}
}

static void nobody(struct diagnosis *d, const struct service *s)
{
	uint32_t before = d->findings.nr;
	struct finding *f;

	near_misses(d, s);
	if (d->findings.nr == before)
		makes_none(d, s);
	if (d->findings.nr == before)
		elsewhere(d, s);
	if (d->findings.nr > before)
		return;
	f = finding(d, FINDING_CAUSE, "nothing-selected", "no Pod has the labels that the Service selects");
	for (uint32_t k = 0; k < s->selector.nr; k++)
		evidence(d, f, &s->o, arena_printf(d->arena, "spec.selector.%s", s->selector.v[k].key), NULL);
	remedy(d, f, "apply the workload, or change the selector");
}

/* ---- without a selector: whose slices are they? */

static void slices_by_hand(struct diagnosis *d, const struct service *s)
{
	struct object_list l = cluster_list_ns(d->world->cluster, &endpointslice_kind, s->o.ns);
	uint32_t own = 0;
	struct finding *f;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)l.v[k];

		own += streq(sl->service, s->o.name);
		if (!sl->service && strncmp(sl->o.name, s->o.name, strlen(s->o.name)) == 0) {
			f = finding(d, FINDING_CAUSE, "slice-unlabelled", "EndpointSlice %s belongs to no Service: its name does not count, only its label", sl->o.name);
			evidence(d, f, &sl->o, "metadata.labels", sl->o.labels.nr ? NULL : "(none)");
			fix_patch(d, f, &sl->o, "{metadata: {labels: {kubernetes.io/service-name: %s}}}", s->o.name);
			remedy(d, f, "label it kubernetes.io/service-name=%s", s->o.name);
		}
		if (!streq(sl->service, s->o.name))
			continue;
		for (uint32_t p = 0; p < s->ports.nr; p++) {
			const char *want = s->ports.v[p].name ? s->ports.v[p].name : "";
			bool found = false;

			for (uint32_t q = 0; q < sl->ports.nr; q++)
				found = found || (streq(sl->ports.v[q].name ? sl->ports.v[q].name : "", want) && sl->ports.v[q].protocol == s->ports.v[p].protocol);
			if (found)
				continue;
			f = finding(d, FINDING_CAUSE, "slice-port-name", "EndpointSlice %s has no port named \"%s\": a Service's port finds its endpoints by name and protocol", sl->o.name, want);
			evidence(d, f, &s->o, arena_printf(d->arena, "spec.ports.%u.name", p), *want ? want : "(unnamed)");
			evidence(d, f, &sl->o, "ports", NULL);
			if (sl->ports.nr == 1 && s->ports.nr == 1 && sl->ports.v[0].protocol == s->ports.v[p].protocol && sl->ports.v[0].name && *sl->ports.v[0].name)
				fix_patch(d, f, &s->o, "{spec: {ports: [{port: %d, name: %s}]}}", s->ports.v[p].port, sl->ports.v[0].name);
			remedy(d, f, "give both the same name");
		}
	}
	if (!own && !diagnosis_ill(d)) {
		f = finding(d, FINDING_CAUSE, "no-selector", "the Service has no selector, and no EndpointSlice is labelled with its name");
		evidence(d, f, &s->o, "spec.selector", "(absent)");
		remedy(d, f, "give it a selector, or make an EndpointSlice labelled kubernetes.io/service-name=%s whose port name is the Service's", s->o.name);
	}
}

/* ---- ports */

static bool declared(const struct pod_spec *s, int32_t port, enum l4 protocol)
{
	for (uint32_t c = 0; c < s->containers.nr; c++)
		for (uint32_t k = 0; k < s->containers.v[c].ports.nr; k++)
			if (s->containers.v[c].ports.v[k].port == port && s->containers.v[c].ports.v[k].protocol == protocol)
				return true;
	return false;
}

/* The name or the number is there, for another protocol: a port is found by both. */
static bool other_protocol(struct diagnosis *d, const struct service *s, uint32_t k, const struct pod *p)
{
	static const enum l4 all[] = { L4_TCP, L4_UDP, L4_SCTP };
	const struct svc_port *port = &s->ports.v[k];

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct finding *f;
		const char *target = port->target.s ? port->target.s : arena_printf(d->arena, "%d", port->target.i ? port->target.i : port->port);

		if (all[i] == port->protocol || !(port->target.s ? pod_port_by_name(p->spec, port->target.s, all[i]) : declared(p->spec, atoi(target), all[i])))
			continue;
		f = finding(d, FINDING_CAUSE, "port-protocol", "targetPort %s%s%s is a %s port in its Pods, and the Service's port is %s: %s", port->target.s ? "\"" : "", target, port->target.s ? "\"" : "",
			    l4_names[all[i]], l4_names[port->protocol], port->target.s ? "a name is found only for its own protocol" : "nobody listens there");
		evidence(d, f, &s->o, arena_printf(d->arena, "spec.ports.%u.protocol", k), l4_names[port->protocol]);
		evidence_text(d, f, &p->o, "spec.containers[*].ports[*]", "%s/%s", port->target.s ? arena_printf(d->arena, "%s: %d", target, pod_port_by_name(p->spec, port->target.s, all[i])) : target, l4_names[all[i]]);
		if (s->ports.nr == 1)
			fix_patch(d, f, &s->o, "{spec: {ports: [{$patch: replace}, {name: %s, port: %d, protocol: %s, targetPort: %s}]}}", port->name ? port->name : "\"\"", port->port, l4_names[all[i]], target);
		remedy(d, f, "give the Service's port the protocol %s", l4_names[all[i]]);
		return true;
	}
	return false;
}

static void port_names(struct diagnosis *d, const struct service *s, const struct object_list *pods)
{
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		const struct svc_port *port = &s->ports.v[k];
		const char *names[32] = { NULL }, *near;
		size_t nr = 0;
		uint32_t without = 0;
		int32_t only = 0;
		struct finding *f;

		if (!port->target.s)
			continue;
		for (uint32_t i = 0; i < pods->nr; i++) {
			const struct pod_spec *spec = ((const struct pod *)pods->v[i])->spec;

			without += !pod_port_by_name(spec, port->target.s, port->protocol);
			for (uint32_t c = 0; i == 0 && c < spec->containers.nr; c++)
				for (uint32_t q = 0; q < spec->containers.v[c].ports.nr; q++) {
					only = only ? -1 : spec->containers.v[c].ports.v[q].port;
					if (spec->containers.v[c].ports.v[q].name && nr + 1 < ARRAY_LEN(names))
						names[nr++] = spec->containers.v[c].ports.v[q].name;
				}
		}
		if (!without)
			continue;
		if (without == pods->nr && other_protocol(d, s, k, (const struct pod *)pods->v[0]))
			continue;
		near = nearest(port->target.s, names);
		f = finding(d, without == pods->nr ? FINDING_CAUSE : FINDING_WARNING, "port-name-unknown", "targetPort \"%s\" is the name of no container port in %s: such a Pod makes an endpoint without that port",
			    port->target.s, without == pods->nr ? "any of its Pods" : arena_printf(d->arena, "%u of its %u Pods", without, pods->nr));
		evidence(d, f, &s->o, arena_printf(d->arena, "spec.ports.%u.targetPort", k), NULL);
		if (nr)
			evidence_text(d, f, pods->v[0], "spec.containers[*].ports[*].name", "%s%s%s", names[0], nr > 1 ? ", " : "", nr > 1 ? names[1] : "");
		else
			evidence_text(d, f, pods->v[0], "spec.containers[*].ports", "no port has a name");
		if (near)
			fix_patch(d, f, &s->o, "{spec: {ports: [{port: %d, targetPort: %s}]}}", port->port, near);
		else if (nr == 1)
			fix_patch(d, f, &s->o, "{spec: {ports: [{port: %d, targetPort: %s}]}}", port->port, names[0]);
		else if (only > 0)
			fix_patch(d, f, &s->o, "{spec: {ports: [{port: %d, targetPort: %d}]}}", port->port, only);
		remedy(d, f, "use a name that the containers declare, or the number itself");
	}
}

/* A label that one Pod has and the other has not, or with another value; those that controllers write do not count. */
static const struct pair *telling_label(const struct pod *has, const struct pod *not)
{
	static const char *const written[] = { "pod-template-hash", "controller-revision-hash", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", NULL };

	for (uint32_t k = 0; k < has->o.labels.nr; k++) {
		const struct pair *l = &has->o.labels.v[k];
		bool ours = true;

		for (const char *const *w = written; *w; w++)
			ours = ours && !streq(l->key, *w);
		if (ours && !streq(label_get(&not->o.labels, l->key), l->value))
			return l;
	}
	return NULL;
}

/* The one that refuses is of another workload than those that answer: the selector takes in too many. */
static bool selects_others(struct diagnosis *d, const struct service *s, const struct svc_port *port, const struct answer *a, const struct outcome_view *refuses)
{
	const struct object *wrong = written_by(d, &refuses->pod->o), *right = NULL;
	const struct pod *good = NULL;
	const struct pair *l;
	struct finding *f;

	for (uint32_t k = 0; k < a->nr && !good; k++)
		if (a->v[k].verdict == V_DELIVERED && a->v[k].pod && written_by(d, &a->v[k].pod->o) != wrong)
			good = a->v[k].pod;
	if (!good)
		return false;
	right = written_by(d, &good->o);
	f = finding(d, FINDING_CAUSE, "selects-others", "it selects the Pods of %s %s too, and nobody listens on %d there: connections that are balanced to them are refused", wrong->kind->name, wrong->name, refuses->end_port);
	evidence(d, f, &s->o, "spec.selector", NULL);
	evidence_text(d, f, &good->o, "metadata.labels", "of %s %s, which answers on %d", right->kind->name, right->name, port->port);
	evidence_text(d, f, &refuses->pod->o, "metadata.labels", "of %s %s, which does not", wrong->kind->name, wrong->name);
	l = telling_label(good, refuses->pod);
	if (l)
		fix_patch(d, f, &s->o, "{spec: {selector: {\"%s\": \"%s\"}}}", l->key, l->value);
	remedy(d, f, l ? "select by a label that only the right Pods have" : "give the right Pods a label of their own, and select by it");
	return true;
}

/* Does somebody listen where the Service sends? A number needs no declaration, so only a packet can tell. */
static void probe_ports(struct diagnosis *d, const struct service *s, const struct object_list *pods)
{
	struct object_list nodes = cluster_list(d->world->cluster, &node_kind);

	for (uint32_t k = 0; k < s->ports.nr && nodes.nr && service_has_vip(s); k++) {
		const struct svc_port *port = &s->ports.v[k];
		struct question q = { .from = arena_printf(d->arena, "node/%s", nodes.v[nodes.nr - 1]->name), .to = arena_printf(d->arena, "svc/%s/%s:%d", s->o.ns, s->o.name, port->port),
				      .ns = s->o.ns, .l4 = port->protocol, .proto = port->protocol == L4_UDP ? PROTO_UDP : port->protocol == L4_SCTP ? PROTO_SCTP : PROTO_TCP };
		struct answer answer;
		struct err none = { 0 };
		struct finding *f;

		if (question_ask(d->world, &q, d->arena, &answer, &none))
			for (uint32_t i = 0; i < answer.nr; i++) {
				const struct outcome_view *o = &answer.v[i];
				int32_t only = 0;

				if (o->verdict != V_REFUSED || !o->pod)
					continue;
				if ((!port->target.s && other_protocol(d, s, k, o->pod)) || selects_others(d, s, port, &answer, o))
					break;
				f = finding(d, FINDING_CAUSE, "target-port", "port %d leads to %d in Pod %s, where nobody listens: refused", port->port, o->end_port, o->pod->o.name);
				evidence(d, f, &s->o, arena_printf(d->arena, "spec.ports.%u.%s", k, port->target.set ? "targetPort" : "port"), NULL);
				for (uint32_t c = 0; c < o->pod->spec->containers.nr; c++)
					for (uint32_t x = 0; x < o->pod->spec->containers.v[c].ports.nr; x++) {
						only = only ? -1 : o->pod->spec->containers.v[c].ports.v[x].port;
						evidence(d, f, &o->pod->o, arena_printf(d->arena, "spec.containers.%u.ports.%u.containerPort", c, x), NULL);
					}
				if (only > 0)
					fix_patch(d, f, &s->o, "{spec: {ports: [{port: %d, targetPort: %d}]}}", port->port, only);
				remedy(d, f, "set targetPort to the port that the container listens on; kube-proxy cannot know it");
				break;
			}
		err_free(&none);
	}
	(void)pods;
}

/* ---- what works, and not as one thinks */

/* MetalLB's pool that has the address and that no advertisement speaks of (from whichever nodes, for whichever Services); NULL: none. */
static const struct metallb_pool *unannounced(const struct cluster *c, const char *address)
{
	static const struct kind *const rows[] = { &l2_advertisement_kind, &bgp_advertisement_kind };
	struct object_list pools = cluster_list(c, &metallb_pool_kind);
	const struct metallb_pool *found = NULL;
	ip_addr ip;

	if (!ip_parse(address, &ip))
		return NULL;
	for (uint32_t k = 0; k < pools.nr && !found; k++)
		if (metallb_has((const struct metallb_pool *)pools.v[k], ip))
			found = (const struct metallb_pool *)pools.v[k];
	for (size_t k = 0; found && k < ARRAY_LEN(rows); k++) {
		struct object_list l = cluster_list(c, rows[k]);

		for (uint32_t i = 0; i < l.nr; i++)
			if (metallb_advertises((const struct metallb_advertisement *)l.v[i], found))
				return NULL;
	}
	return found;
}

static void nobody_answers(struct diagnosis *d, const struct service *s)
{
	for (uint32_t k = 0; k < s->lb_ingress.nr && !cluster_flags(d->world->cluster)->cloud_lb.nr; k++) {
		const char *ip = s->lb_ingress.v[k].ip;
		const struct metallb_pool *p = ip ? unannounced(d->world->cluster, ip) : NULL;
		struct finding *f;

		if (!p)
			continue;
		f = finding(d, FINDING_WARNING, "load-balancer-unannounced", "nobody answers for %s: no advertisement speaks of the pool %s", ip, p->o.name);
		evidence(d, f, &s->o, "status.loadBalancer.ingress", ip);
		evidence_text(d, f, &p->o, "spec.addresses", "MetalLB's controller gives the address all the same; its speakers announce nothing");
		remedy(d, f, "an L2Advertisement or a BGPAdvertisement in namespace %s with ipAddressPools: [%s]", p->o.ns, p->o.name);
	}
}

static void outside_ways(struct diagnosis *d, const struct service *s)
{
	struct finding *f;

	nobody_answers(d, s);
	if (s->type == SVC_LOADBALANCER && !s->lb_ingress.nr) {
		f = finding(d, FINDING_WARNING, "load-balancer-pending", "EXTERNAL-IP stays <pending>: nobody in this cluster gives addresses to Services of %s",
			    s->lb_class ? arena_printf(d->arena, "the class \"%s\"", s->lb_class) : "type LoadBalancer");
		evidence(d, f, &s->o, "spec.type", "LoadBalancer");
		if (s->lb_class)
			evidence(d, f, &s->o, "spec.loadBalancerClass", s->lb_class);
		for (uint32_t k = 0; k < s->ports.nr; k++)
			if (s->ports.v[k].node_port)
				evidence_text(d, f, &s->o, arena_printf(d->arena, "spec.ports.%u.nodePort", k), "%d: that way in works already, on every node", s->ports.v[k].node_port);
		remedy(d, f, s->lb_class ? "only a controller of that class serves it: run one, or make the Service anew without spec.loadBalancerClass, which nobody may change" :
					   "MetalLB needs an IPAddressPool (and an advertisement of it, to be heard); a cloud has its own controller (here: --cloud-lb CIDR)");
	}
	if (s->external_policy == TP_LOCAL && (s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER)) {
		struct object_list nodes = cluster_list(d->world->cluster, &node_kind), slices = service_slices(d->world->cluster, s);
		struct sb empty = { 0 };
		uint32_t nr = 0;

		for (uint32_t k = 0; k < nodes.nr; k++) {
			bool local = false;

			for (uint32_t i = 0; i < slices.nr; i++)
				for (uint32_t e = 0; e < ((const struct endpointslice *)slices.v[i])->endpoints.nr; e++) {
					const struct endpoint *ep = &((const struct endpointslice *)slices.v[i])->endpoints.v[e];

					local = local || (ep->ready != TRI_FALSE && streq(ep->node, nodes.v[k]->name));
				}
			if (!local)
				sb_printf(&empty, "%s%s", nr++ ? ", " : "", nodes.v[k]->name);
		}
		if (nr) {
			f = finding(d, FINDING_NOTE, "local-policy", "externalTrafficPolicy: Local: what comes from outside to %s is dropped, for no ready endpoint is there", sb_text(&empty));
			evidence(d, f, &s->o, "spec.externalTrafficPolicy", "Local");
			if (s->health_check_node_port)
				evidence_text(d, f, &s->o, "spec.healthCheckNodePort", "%d: answers 503 there; a load balancer that asks it passes those nodes by", s->health_check_node_port);
			remedy(d, f, "let the balancer ask the health check, run a Pod on every node, or use Cluster (and lose the client's address)");
		}
		sb_free(&empty);
	}
	if (s->lb_source_ranges.nr && s->type == SVC_LOADBALANCER) {
		f = finding(d, FINDING_NOTE, "source-ranges", "loadBalancerSourceRanges guard the load balancer's address only: node ports and the ClusterIP stay open to all");
		evidence(d, f, &s->o, "spec.loadBalancerSourceRanges", NULL);
	}
	if (streq(s->affinity, "ClientIP")) {
		f = finding(d, FINDING_NOTE, "affinity", "sessionAffinity: ClientIP goes by the address that the node sees, node by node, for %d s: behind a SNAT all clients are one", s->affinity_seconds);
		evidence(d, f, &s->o, "spec.sessionAffinity", "ClientIP");
	}
}

/* Its Pods that are not ready (where others are, that is no reason why nobody answers), and one that is, for what it may lack all the same. */
static void pods_behind(struct diagnosis *d, const struct object_list *pods, bool others)
{
	struct object **v = arena_array(d->arena, struct object *, pods->nr), *ready = NULL;
	uint32_t nr = 0, before = d->findings.nr;

	for (uint32_t k = 0; k < pods->nr; k++)
		if (pod_is_ready((const struct pod *)pods->v[k]))
			ready = ready ? ready : pods->v[k];
		else if (((const struct pod *)pods->v[k])->phase != POD_SUCCEEDED)
			v[nr++] = pods->v[k];
	if (ready)
		v[nr++] = ready;
	why_pods(d, v, nr);
	for (uint32_t k = before; others && k < d->findings.nr; k++)
		if (d->findings.v[k].severity == FINDING_CAUSE)
			d->findings.v[k].severity = FINDING_WARNING;
}

void why_service(struct diagnosis *d, const struct service *s)
{
	struct object_list pods, slices;
	uint32_t ready = 0, portless = 0, all = 0, before = d->findings.nr;
	struct finding *f;

	if (s->type == SVC_EXTERNALNAME) {
		f = finding(d, FINDING_NOTE, "external-name", "it is a name only: DNS answers with a CNAME to %s; no kube-proxy rule, port or Host header is involved", s->external_name ? s->external_name : "");
		evidence(d, f, &s->o, "spec.externalName", NULL);
		d->summary = "it has no endpoints by design";
		return;
	}
	if (!s->selector.nr) {
		slices_by_hand(d, s);
		outside_ways(d, s);
		return;
	}
	pods = pods_selected(d->world->cluster, s->o.ns, &s->selector, d->arena);
	slices = service_slices(d->world->cluster, s);
	for (uint32_t k = 0; k < slices.nr; k++)
		for (uint32_t e = 0; e < ((const struct endpointslice *)slices.v[k])->endpoints.nr; e++) {
			bool well = ((const struct endpointslice *)slices.v[k])->endpoints.v[e].ready != TRI_FALSE, ported = ((const struct endpointslice *)slices.v[k])->ports.nr;

			all++;
			ready += well && ported;
			portless += well && !ported;
		}
	if (!pods.nr) {
		nobody(d, s);
	} else {
		port_names(d, s, &pods);
		pods_behind(d, &pods, ready > 0);
		if (ready && !first_cause(d, before))
			probe_ports(d, s, &pods);
	}
	why_topology(d, s);
	outside_ways(d, s);
	d->summary = d->summary ? d->summary : !all ? "it has no endpoints" : !ready ? arena_printf(d->arena, portless ? "it has %u endpoint%s, and none with a port" : "it has %u endpoint%s, and none is ready", all, all == 1 ? "" : "s") :
		     arena_printf(d->arena, "%u of %u endpoints ready", ready, all);
}

void why_service_behind(struct diagnosis *d, const struct service *s)
{
	uint32_t before = d->findings.nr;
	const char *summary = d->summary;

	d->depth++;
	why_service(d, s);
	d->depth--;
	d->summary = summary;
	findings_of(d, before, arena_printf(d->arena, "Service %s", s->o.name));
}
