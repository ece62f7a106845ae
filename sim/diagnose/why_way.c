/* Why a packet or a request does not come there, or not as one thinks: it is asked, and what decided is looked at. */
#include "sim/ask/names.h"
#include "sim/diagnose/diagnose.h"

/* The objects behind the rule that decided, each with the path that says so. */
static void evidence_causes(struct diagnosis *d, struct finding *f, cause_h h)
{
	for (int depth = 0; h.i && depth < 4; depth++) {
		const struct cause *c = cause_get(d->world->dp, h);
		const struct object *o = c->object ? obj_get(d->world->cluster, (obj_h){ c->object }) : NULL;

		if (o) {
			struct sb path = { 0 };

			for (const char *p = c->path ? c->path : ""; *p; p++)
				if (*p == '[')
					sb_addc(&path, '.');
				else if (*p != ']')
					sb_addc(&path, *p);
			evidence(d, f, o, path.len ? arena_strdup(d->arena, sb_text(&path)) : "metadata.name", path.len ? NULL : o->name);
			sb_free(&path);
		}
		h = c->because;
	}
}

/* The Service whose node port was asked, at an address of a node. */
static const struct service *by_node_port(struct diagnosis *d, const struct answer *a)
{
	const struct settings *set = cluster_settings(d->world->cluster);
	struct object_list l = a->port >= set->node_port_lo && a->port <= set->node_port_hi ? cluster_list(d->world->cluster, &service_kind) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		for (uint32_t p = 0; p < s->ports.nr; p++)
			if (s->ports.v[p].node_port == a->port && (a->q->l4 == L4_NONE || s->ports.v[p].protocol == a->q->l4))
				return s;
	}
	return NULL;
}

static const struct service *service_of(struct diagnosis *d, const struct answer *a)
{
	const struct end *t = &a->to;

	if (t->kind == END_SERVICE || t->kind == END_LB)
		return find_service(d->world->cluster, t->ns, t->name);
	return !ip_set(a->target) ? NULL : find_service_by_ip(d->world->cluster, a->target) ? find_service_by_ip(d->world->cluster, a->target) : by_node_port(d, a);
}

/* ---- names */

/* What stands behind NAME.NAMESPACE: svc, or svc.DOMAIN. Anything else is a name outside. */
static bool is_cluster_name(const struct diagnosis *d, const char *rest)
{
	const char *domain = cluster_settings(d->world->cluster)->domain;

	return dns_same_name(rest, "svc") || dns_same_name(rest, arena_printf(d->arena, "svc.%s", domain));
}

/* SERVICE.NAMESPACE[.svc…]: is there a Service of that name elsewhere, and a namespace that is nearly the one that was written? */
static bool other_namespace(struct diagnosis *d, const char *host)
{
	size_t n = strcspn(host, "."), m = host[n] ? strcspn(host + n + 1, ".") : 0;
	const char *ns = arena_strndup(d->arena, host + n + 1, m), *names[512] = { NULL }, *near;
	struct object_list l = cluster_list(d->world->cluster, &service_kind);
	const struct object *there = NULL;
	size_t nr = 0;
	struct finding *f;

	for (uint32_t k = 0; k < l.nr && nr + 1 < ARRAY_LEN(names); k++)
		if (strlen(l.v[k]->name) == n && strncmp(l.v[k]->name, host, n) == 0) {
			there = l.v[k];
			names[nr++] = l.v[k]->ns;
		}
	if (!there || !m || (host[n + 1 + m] && !is_cluster_name(d, host + n + 1 + m + 1)))
		return false;
	near = nearest(ns, names);
	for (uint32_t k = 0; near && k < l.nr; k++)
		if (streq(l.v[k]->ns, near) && streq(l.v[k]->name, there->name))
			there = l.v[k];
	f = finding(d, FINDING_CAUSE, "wrong-namespace", cluster_find(d->world->cluster, &namespace_kind, NULL, ns) ? "namespace %s has no Service %s; there is one in %s" : "there is no namespace %s; a Service %s is in %s",
		    ns, there->name, there->ns);
	evidence(d, f, there, "metadata.namespace", there->ns);
	remedy(d, f, "call it %s.%s", there->name, there->ns);
	return true;
}

/* POD.SERVICE[.NAMESPACE…]: the Pod is there, and its subdomain is another Service. */
static bool pod_of_set(struct diagnosis *d, const char *host, const char *ns)
{
	size_t n = strcspn(host, "."), m = host[n] ? strcspn(host + n + 1, ".") : 0, o = n + 1 + m;
	const char *name = arena_strndup(d->arena, host, n), *service = arena_strndup(d->arena, host + n + 1, m), *in = host[o] == '.' ? arena_strndup(d->arena, host + o + 1, strcspn(host + o + 1, ".")) : ns;
	const struct pod *p = (const struct pod *)cluster_find(d->world->cluster, &pod_kind, in, name);
	const struct service *s = find_service(d->world->cluster, in, service);
	struct finding *f;

	if (!p || !m || (streq(p->spec->subdomain, service) && s && streq(p->hostname ? p->hostname : p->spec->hostname, name)))
		return false;
	f = finding(d, FINDING_CAUSE, "pod-name", !p->spec->subdomain ? "Pod %s has no subdomain, so it has no name below a Service" : !s ? "there is no Service %2$s, so Pod %1$s has no name there" :
		    "Pod %1$s is named below the Service \"%3$s\", not below %2$s", name, service, p->spec->subdomain ? p->spec->subdomain : "");
	evidence(d, f, &p->o, "spec.subdomain", p->spec->subdomain ? p->spec->subdomain : "(absent)");
	if (s)
		evidence(d, f, &s->o, "metadata.name", s->o.name);
	remedy(d, f, "the name is HOSTNAME.SUBDOMAIN.%s: subdomain (of a StatefulSet its serviceName) must be the name of a Service that selects the Pod", in);
	return true;
}

/* A host that an Ingress serves has an address where DNS outside leads it to a controller. */
static bool by_ingress(struct diagnosis *d, const char *host)
{
	struct object_list l = cluster_list(d->world->cluster, &ingress_kind);

	for (uint32_t k = 0; host && k < l.nr; k++) {
		const struct ingress *i = (const struct ingress *)l.v[k];
		uint32_t before = d->findings.nr;

		for (uint32_t r = 0; r < i->rules.nr; r++) {
			if (!streq(i->rules.v[r].host, host))
				continue;
			d->depth++;
			why_ingress(d, i);
			d->depth--;
			findings_of(d, before, arena_printf(d->arena, "Ingress %s, which serves %s", i->o.name, host));
			return d->findings.nr > before;
		}
	}
	return false;
}

/* The routes that a request for that host may take, as far as something is wrong with them; any: those for all hosts, too. */
static bool by_route(struct diagnosis *d, const char *host, bool any)
{
	uint32_t first = d->findings.nr;

	for (const struct kind *const *kind = route_kinds; host && *kind; kind++) {
		struct object_list l = cluster_list(d->world->cluster, *kind);

		for (uint32_t k = 0; k < l.nr; k++) {
			const struct gw_route *r = (const struct gw_route *)l.v[k];
			bool meant = any && !r->hostnames.nr;
			uint32_t before = d->findings.nr;

			for (uint32_t h = 0; h < r->hostnames.nr; h++)
				meant = meant || streq(r->hostnames.v[h], host);
			if (!meant)
				continue;
			d->depth++;
			why_route(d, r);
			d->depth--;
			findings_of(d, before, arena_printf(d->arena, "%s %s", (*kind)->name, r->o.name));
		}
	}
	return first_cause(d, first);
}

static void unresolved(struct diagnosis *d, const struct answer *a, const struct outcome_view *o)
{
	const char *host = a->to.name ? a->to.name : a->q->to;
	size_t n = strcspn(host, ".");
	struct object_list l = cluster_list(d->world->cluster, &service_kind);
	const char *ns = a->source.pod ? a->source.pod->o.ns : a->q->ns ? a->q->ns : "default", *names[512] = { NULL }, *near;
	bool dotted = host[n] == '.';
	const char *in = dotted ? arena_strndup(d->arena, host + n + 1, strcspn(host + n + 1, ".")) : ns;
	size_t nr = 0;
	struct finding *f;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];

		if (streq(s->o.ns, ns) && nr + 1 < ARRAY_LEN(names))
			names[nr++] = s->o.name;
		if (strlen(s->o.name) != n || strncmp(s->o.name, host, n) != 0)
			continue;
		if (!streq(s->o.ns, ns) && !dotted) {
			f = finding(d, FINDING_CAUSE, "wrong-namespace", "\"%s\" is looked up in the caller's namespace %s; the Service is in %s", host, ns, s->o.ns);
			evidence(d, f, &s->o, "metadata.namespace", s->o.ns);
			remedy(d, f, "call it %s.%s", s->o.name, s->o.ns);
			return;
		}
		if (streq(s->o.ns, in)) {
			f = finding(d, FINDING_CAUSE, "name-without-address", "the Service %s exists, and its name has no address: %s", s->o.name, o->reason);
			if (service_is_headless(s))
				remedy(d, f, "a headless Service answers with its ready Pods only (all of them with publishNotReadyAddresses)");
			else if (s->type == SVC_EXTERNALNAME)
				remedy(d, f, "its name is a CNAME, and what that leads to must have an address; of names outside the cluster podwire knows what --zone tells");
			evidence(d, f, &s->o, service_is_headless(s) ? "spec.clusterIP" : "spec.type", NULL);
			why_service_behind(d, s);
			return;
		}
	}
	if ((dotted && (pod_of_set(d, host, ns) || other_namespace(d, host))) || by_ingress(d, host) || by_route(d, host, false))
		return;
	near = nearest(arena_strndup(d->arena, host, n), names);
	f = finding(d, FINDING_CAUSE, "unresolved", "the name has no address: %s", o->reason);
	if (near)
		remedy(d, f, "perhaps \"%s\" was meant", near);
	else
		remedy(d, f, "podwire dns %s %s shows what is asked and answered", a->q->from, host);
	if (a->source.pod && strstr(o->reason, "DNS"))
		evidence(d, f, &a->source.pod->o, "spec.dnsPolicy", a->source.pod->spec->dns_policy);
}

/* ---- what became of it */

/* A headless Service translates nothing: who asks its port asks the Pod for that number. */
static bool headless_port(struct diagnosis *d, const struct answer *a, const struct outcome_view *o)
{
	const char *host = a->to.name;
	size_t n = host ? strcspn(host, ".") : 0;
	struct object_list l = o->pod && n ? cluster_list_ns(d->world->cluster, &service_kind, o->pod->o.ns) : (struct object_list){ 0 };

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct service *s = (const struct service *)l.v[k];
		bool named = strlen(s->o.name) == n && strncmp(s->o.name, host, n) == 0;

		for (uint32_t i = 0; named && service_is_headless(s) && i < s->ports.nr; i++) {
			const struct svc_port *p = &s->ports.v[i];
			int32_t to = p->target.s ? pod_port_by_name(o->pod->spec, p->target.s, p->protocol) : p->target.i;
			struct finding *f;

			if (p->port != a->port || !to || to == p->port)
				continue;
			f = finding(d, FINDING_CAUSE, "headless-port", "Service %s is headless: its name leads to the Pods themselves, nobody turns port %d into %d", s->o.name, p->port, to);
			evidence(d, f, &s->o, "spec.clusterIP", "None");
			evidence(d, f, &s->o, arena_printf(d->arena, "spec.ports.%u", i), NULL);
			remedy(d, f, "ask port %d, or give the Service a ClusterIP", to);
			return true;
		}
	}
	return false;
}

/* The Service is there, and the port that was asked is none of its ports. */
static bool no_such_port(struct diagnosis *d, const struct service *s, const struct answer *a)
{
	struct sb all = { 0 };
	struct finding *f;

	for (uint32_t k = 0; k < s->ports.nr; k++) {
		if ((s->ports.v[k].port == a->port || s->ports.v[k].node_port == a->port) && (a->q->l4 == L4_NONE || s->ports.v[k].protocol == a->q->l4)) {
			sb_free(&all);
			return false;
		}
		sb_printf(&all, "%s%d/%s", k ? ", " : "", s->ports.v[k].port, l4_names[s->ports.v[k].protocol]);
	}
	f = finding(d, FINDING_CAUSE, "service-port", "Service %s has no port %u/%s: it has %s", s->o.name, a->port, a->q->l4 == L4_NONE ? "" : l4_names[a->q->l4], sb_text(&all));
	evidence(d, f, &s->o, "spec.ports", NULL);
	if (s->ports.nr == 1 && s->ports.v[0].port == a->port) {
		remedy(d, f, "ask by %s, or give the Service a port of protocol %s too", l4_names[s->ports.v[0].protocol], l4_names[a->q->l4]);
		why_service_behind(d, s);
	} else {
		remedy(d, f, s->ports.nr == 1 ? "ask port %d" : "ask one of its ports, or give it this one%.0d", s->ports.nr ? s->ports.v[0].port : 0);
	}
	sb_free(&all);
	return true;
}

static void failed(struct diagnosis *, const struct answer *, const struct outcome_view *);

/* No nameserver answers, or one that does not know the cluster: whatever the name is. What stops a query is found as for any packet. */
static bool by_nameserver(struct diagnosis *d, const struct answer *a)
{
	struct question *q = arena_make(d->arena, struct question);
	struct answer *query = arena_make(d->arena, struct answer);
	struct resolv_conf conf;
	struct names n;
	struct finding *f;
	struct err err = { 0 };

	if (!a->source.pod)
		return false;
	conf = dns_resolv_conf(d->world->cluster, a->source.pod, d->arena);
	n = names_resolve(d->world, &a->source, &conf, RESOLVER_GLIBC, ".", DNS_A, d->arena);
	if (n.by == DNS_BY_OUTSIDE && n.why) {
		f = finding(d, FINDING_CAUSE, "dns-policy", "%s", n.why);
		evidence(d, f, &a->source.pod->o, "spec.dnsPolicy", a->source.pod->spec->dns_policy);
		evidence(d, f, &a->source.pod->o, "spec.hostNetwork", a->source.pod->spec->host_network ? "true" : "false");
		if (a->source.pod->spec->host_network && streq(a->source.pod->spec->dns_policy, "ClusterFirst")) {
			const struct object *source = written_by(d, &a->source.pod->o);

			if (source != &a->source.pod->o)        /* a Pod's cannot be changed; its template's can */
				fix_patch(d, f, source, "{spec: {template: {spec: {dnsPolicy: ClusterFirstWithHostNet}}}}");
			remedy(d, f, "dnsPolicy: ClusterFirstWithHostNet");
		} else {
			remedy(d, f, "dnsPolicy: ClusterFirst asks cluster DNS first");
		}
		return true;
	}
	if (n.server || !conf.nameservers.nr)
		return false;
	f = finding(d, FINDING_CAUSE, "dns-unreachable", "no name at all is resolved: %s", n.why);
	evidence(d, f, &a->source.pod->o, "spec.dnsPolicy", a->source.pod->spec->dns_policy);
	remedy(d, f, "podwire trace %s %s:53 --protocol udp shows the query's way", a->q->from, conf.nameservers.v[0]);
	*q = (struct question){ .from = a->q->from, .ns = a->q->ns, .to = arena_printf(d->arena, strchr(conf.nameservers.v[0], ':') ? "[%s]:53" : "%s:53", conf.nameservers.v[0]),
				.l4 = L4_UDP, .proto = PROTO_UDP, .flags = WALK_RECORD };
	if (question_ask(d->world, q, d->arena, query, &err) && query->nr)
		failed(d, query, &query->v[0]);
	err_free(&err);
	return true;
}

/* Outside nobody knows the way to the cluster's own ranges; inside nobody has an address that no Pod has. */
static bool inside_only(struct diagnosis *d, const struct answer *a, enum verdict how)
{
	const struct settings *set = cluster_settings(d->world->cluster);
	const struct service *s = service_of(d, a);
	const struct pod *p = find_pod_by_ip(d->world->cluster, a->target);
	bool outside = how == V_UNROUTABLE && !a->source.pod && !a->source.node, nowhere = how == V_UNROUTABLE || how == V_DROPPED || how == V_LOST, service = false, pod = false;
	struct finding *f;

	for (uint32_t k = 0; k < set->service_cidrs.nr; k++)
		service = service || cidr_contains(set->service_cidrs.v[k], a->target);
	for (uint32_t k = 0; k < set->pod_cidrs.nr; k++)
		pod = pod || cidr_contains(set->pod_cidrs.v[k], a->target);
	if (outside && service) {
		f = finding(d, FINDING_CAUSE, "cluster-ip-outside", "%s is a ClusterIP: only nodes and Pods know what it means, and nobody outside has a route to it", IP(a->target));
		if (s)
			evidence(d, f, &s->o, "spec.type", svc_type_names[s->type]);
		remedy(d, f, s && s->type == SVC_LOADBALANCER ? "ask its load balancer's address (lb/%s)" : s && s->type == SVC_NODEPORT ? "ask its node port, at any node (%s)" :
		       "let %s be of type NodePort or LoadBalancer, or lead to it by an Ingress or a Gateway", s ? s->o.name : "the Service");
		return true;
	}
	if (outside && pod) {
		f = finding(d, FINDING_CAUSE, "pod-ip-outside", "%s is an address of the Pod network: outside the nodes nobody has a route to it", IP(a->target));
		if (p)
			evidence_text(d, f, &p->o, "status.podIP", "%s", IP(p->ip));
		remedy(d, f, "come in by a Service of type NodePort or LoadBalancer, an Ingress or a Gateway; or let the router outside learn the Pod ranges (BGP)");
		return true;
	}
	if (nowhere && pod && !p) {
		f = finding(d, FINDING_CAUSE, "no-such-pod", "no Pod has the address %s", IP(a->target));
		remedy(d, f, "a Pod's address goes with the Pod: ask a Service or a name instead of a remembered address");
		return true;
	}
	if (nowhere && service && !s) {
		f = finding(d, FINDING_CAUSE, "no-such-service", "no Service has the address %s", IP(a->target));
		remedy(d, f, "a Service that is made again has another ClusterIP: ask its name");
		return true;
	}
	return false;
}

static void failed(struct diagnosis *d, const struct answer *a, const struct outcome_view *o)
{
	const struct service *s = service_of(d, a);
	uint32_t before = d->findings.nr;
	struct finding *f;

	if (o->verdict == V_UNRESOLVED) {
		if (!by_nameserver(d, a))
			unresolved(d, a, o);
		return;
	}
	if ((o->verdict == V_DROPPED || o->verdict == V_REJECTED) && why_policy(d, o))
		return;
	if (inside_only(d, a, o->verdict) || why_network(d, o) || (o->verdict == V_REFUSED && headless_port(d, a, o)))
		return;
	if (o->verdict == V_LOST && find_pod_by_ip(d->world->cluster, o->end_ip)) {
		why_address(d, find_pod_by_ip(d->world->cluster, o->end_ip));
		if (d->findings.nr > before)
			return;
	}
	if (s && a->q->l4 != L4_NONE && (o->verdict == V_REJECTED || o->verdict == V_DROPPED || o->verdict == V_LOST || o->verdict == V_UNROUTABLE) && no_such_port(d, s, a))
		return;
	if (s && (o->verdict == V_REJECTED || o->verdict == V_REFUSED || (o->verdict == V_DROPPED && s->external_policy == TP_LOCAL)))
		why_service_behind(d, s);
	for (uint32_t k = before; k < d->findings.nr; k++) {
		f = &d->findings.v[k];
		if (o->verdict == V_DROPPED && streq(f->code, "local-policy")) {        /* what is worth knowing elsewhere is the cause here */
			f->severity = FINDING_CAUSE;
			fix_patch(d, f, &s->o, "{spec: {externalTrafficPolicy: Cluster}}");
		}
		if (f->severity == FINDING_CAUSE)
			return;
	}
	f = finding(d, FINDING_CAUSE, o->verdict == V_DELIVERED ? "answer-lost" : verdict_names[o->verdict], "%s", o->reason ? o->reason : verdict_names[o->verdict]);
	evidence_causes(d, f, o->cause);
	if (o->walk) {
		const struct half *h = o->verdict == V_DELIVERED ? &o->walk->back : &o->walk->there;

		if (h->nr_hops) {
			const struct hop *last = &h->hops[h->nr_hops - 1];

			vec_add(d->arena, &f->evidence, (struct evidence){ arena_printf(d->arena, "in %s", netns_get(d->world->dp, last->netns)->name), stage_names[last->stage], last->decision, NULL, 0 });
		}
	}
	if (o->pod && !pod_is_ready(o->pod)) {
		d->depth++;
		why_pod(d, o->pod);
		d->depth--;
	}
	if (o->node && find_node(d->world->cluster, o->node)) {
		const struct condition *ready = condition_get(&find_node(d->world->cluster, o->node)->conditions, "Ready");

		if (ready && ready->status != COND_TRUE) {
			f = finding(d, FINDING_NOTE, "node-silent", "node %s is not ready", o->node);
			evidence_text(d, f, &find_node(d->world->cluster, o->node)->o, "status.conditions[Ready]", "%s: %s", cond_status_names[ready->status], ready->message ? ready->message : "");
		}
	}
}

/* What works, and is worth knowing. */
static void notes(struct diagnosis *d, const struct answer *a)
{
	uint32_t ends = 0;
	bool told = false;
	struct finding *f;

	for (uint32_t k = 0; k < a->nr; k++) {
		const struct outcome_view *o = &a->v[k];
		bool again = false;

		for (uint32_t i = 0; i < k; i++)
			again = again || (a->v[i].verdict == V_DELIVERED && ip_eq(a->v[i].end_ip, o->end_ip));
		ends += o->verdict == V_DELIVERED && !again;
		if (o->masqueraded && o->walk && !told) {
			const struct service *s = service_of(d, a);

			told = true;
			f = finding(d, FINDING_NOTE, "source-rewritten", "the receiver sees %s, not the sender's address: it was masqueraded on the way", IP(outcome_last(o)->there.as_seen.src));
			for (uint32_t h = 0; h < o->walk->there.nr_hops; h++) {
				const struct hop *hop = &o->walk->there.hops[h];

				if (!ip_eq(hop->before.src, hop->after.src)) {
					struct sb rule = { 0 };

					hop_rule_text(d->world->dp, hop, &rule);
					vec_add(d->arena, &f->evidence, (struct evidence){ arena_printf(d->arena, "in %s", netns_get(d->world->dp, hop->netns)->name), stage_names[hop->stage],
						rule.len ? arena_strdup(d->arena, sb_text(&rule)) : hop->decision, NULL, 0 });
					sb_free(&rule);
				}
			}
			if (s && s->external_policy == TP_CLUSTER && (s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER)) {
				evidence(d, f, &s->o, "spec.externalTrafficPolicy", "Cluster");
				remedy(d, f, "externalTrafficPolicy: Local keeps the source, and drops what comes to nodes without an endpoint");
			}
		}
	}
	if (ends > 1) {
		f = finding(d, FINDING_NOTE, "balanced-once", "one of %u endpoints is chosen by chance, once for a connection: its packets, and with keep-alive or HTTP/2 all its requests, stay there", ends);
		remedy(d, f, "for long connections balance in the client or in a proxy that knows requests; new Pods get nothing until clients connect again");
	}
}

/* A server's error, or a proxy that knows no backend for the request. */
static bool refused_by_proxy(const struct http_view *h)
{
	return h && (h->status >= 500 || (h->status >= 400 && !h->backend));
}

bool diagnose_way(struct diagnosis *d, struct world *w, struct arena *arena, const struct question *q, struct err *err)
{
	struct question asked = *q;
	struct answer a;
	uint32_t bad = 0;

	*d = (struct diagnosis){ .arena = arena, .world = w };
	asked.flags |= WALK_RECORD;
	d->subject = arena_printf(arena, "%s → %s", q->from, q->to);
	if (!question_ask(w, &asked, arena, &a, err))
		return false;
	for (uint32_t k = 0; k < a.nr; k++) {
		const struct outcome_view *o = &a.v[k];
		bool again = false;

		if (o->verdict == V_DELIVERED && o->answered && !refused_by_proxy(o->http))
			continue;
		for (uint32_t i = 0; i < k && !again; i++)
			again = a.v[i].verdict == o->verdict && streq(a.v[i].reason, o->reason);
		bad++;
		if (again)
			continue;
		if (o->verdict == V_UNKNOWN) {
			d->unknown = true;
			d->summary = arena_printf(arena, "cannot tell: %s", o->reason);
			return true;
		}
		if (refused_by_proxy(o->http)) {
			struct finding *f = finding(d, FINDING_CAUSE, "http-status", "the proxy answers %d%s%s", o->http->status, o->http->why ? ": " : "", o->http->why ? o->http->why : "");

			if (o->http->backend)
				remedy(d, f, "podwire why svc/%s", o->http->backend);
			by_route(d, a.to.name, true);
			by_ingress(d, a.to.name);
			continue;
		}
		failed(d, &a, o);
	}
	notes(d, &a);
	if (a.source.pod && !pod_is_ready(a.source.pod) && bad && (!ip_set(a.source.pod->ip))) {
		d->depth++;
		why_pod(d, a.source.pod);
		d->depth--;
	}
	d->summary = !bad ? "it arrives and is answered" : bad == a.nr ? arena_printf(arena, "it never works: %s", d->findings.nr ? d->findings.v[0].says : verdict_names[a.v[0].verdict]) :
		     arena_printf(arena, "%u of %u ways fail", bad, a.nr);
	return true;
}
