/* Services, endpoints, Ingresses, NetworkPolicies. */
#include "model/api/net.h"
#include "viz/report/describe.h"

static const char *joined(struct describe *d, const str_list *l)
{
	struct sb out = { 0 };
	const char *text;

	for (uint32_t k = 0; k < l->nr; k++)
		sb_printf(&out, "%s%s", k ? "," : "", l->v[k]);
	text = arena_strdup(d->a, out.len ? sb_text(&out) : "<none>");
	sb_free(&out);
	return text;
}

/* formatEndpointSlices: ready ones, three and how many more. */
static const char *endpoints_of(struct describe *d, const struct service *s, const struct svc_port *port)
{
	struct object_list l = service_slices(d->c, s);
	struct sb out = { 0 };
	const char *text;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)l.v[k];

		for (uint32_t q = 0; q < sl->ports.nr; q++) {
			if (port && !streq(sl->ports.v[q].name ? sl->ports.v[q].name : "", port->name ? port->name : ""))
				continue;
			for (uint32_t e = 0; e < sl->endpoints.nr; e++) {
				const struct endpoint *ep = &sl->endpoints.v[e];

				for (uint32_t a = 0; ep->ready != TRI_FALSE && a < ep->addresses.nr; a++) {
					bool v6 = strchr(ep->addresses.v[a], ':') != NULL;

					if (nr++ < 3)
						sb_printf(&out, "%s%s%s%s:%d", nr > 1 ? "," : "", v6 ? "[" : "", ep->addresses.v[a], v6 ? "]" : "", sl->ports.v[q].port.v);
				}
			}
		}
	}
	if (nr > 3)
		sb_printf(&out, " + %u more...", nr - 3);
	text = arena_strdup(d->a, sb_text(&out));
	sb_free(&out);
	return text;
}

void describe_service(struct describe *d)
{
	const struct service *s = (const struct service *)d->o;

	say(d, 0, "Selector:\t%s", pairs_text(d, &s->selector));
	say(d, 0, "Type:\t%s", svc_type_names[s->type]);
	if (s->family_policy)
		say(d, 0, "IP Family Policy:\t%s", s->family_policy);
	say(d, 0, "IP Families:\t%s", joined(d, &s->families));
	say(d, 0, "IP:\t%s", s->cluster_ip ? s->cluster_ip : "");
	say(d, 0, "IPs:\t%s", joined(d, &s->cluster_ips));
	if (s->external_ips.nr)
		say(d, 0, "External IPs:\t%s", joined(d, &s->external_ips));
	if (s->lb_ip)
		say(d, 0, "Desired LoadBalancer IP:\t%s", s->lb_ip);
	if (s->external_name)
		say(d, 0, "External Name:\t%s", s->external_name);
	for (uint32_t k = 0; k < s->lb_ingress.nr; k++) {
		const struct lb_ingress *i = &s->lb_ingress.v[k];

		say(d, 0, "%s\t%s%s%s%s", k ? "" : "LoadBalancer Ingress:", i->ip ? i->ip : i->hostname ? i->hostname : "", i->ip_mode ? " (" : "", i->ip_mode ? i->ip_mode : "",
		    i->ip_mode ? ")" : "");
	}
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		const struct svc_port *p = &s->ports.v[k];
		const char *name = p->name ? p->name : "<unset>";

		say(d, 0, "Port:\t%s\t%d/%s", name, p->port, l4_names[p->protocol]);
		if (p->target.s)
			say(d, 0, "TargetPort:\t%s/%s", p->target.s, l4_names[p->protocol]);
		else
			say(d, 0, "TargetPort:\t%d/%s", p->target.set ? p->target.i : p->port, l4_names[p->protocol]);
		if (p->node_port)
			say(d, 0, "NodePort:\t%s\t%d/%s", name, p->node_port, l4_names[p->protocol]);
		if (s->type != SVC_EXTERNALNAME)
			say(d, 0, "Endpoints:\t%s", endpoints_of(d, s, p));
	}
	say(d, 0, "Session Affinity:\t%s", s->affinity ? s->affinity : "None");
	if (s->type == SVC_NODEPORT || s->type == SVC_LOADBALANCER)
		say(d, 0, "External Traffic Policy:\t%s", traffic_policy_names[s->external_policy]);
	if (s->internal_policy)                 /* an ExternalName has none unless it says one: SetDefaults_Service */
		say(d, 0, "Internal Traffic Policy:\t%s", traffic_policy_names[s->internal_policy]);
	if (s->traffic_distribution)
		say(d, 0, "Traffic Distribution:\t%s", s->traffic_distribution);
	if (s->health_check_node_port)
		say(d, 0, "HealthCheck NodePort:\t%d", s->health_check_node_port);
	if (s->lb_source_ranges.nr)
		say(d, 0, "LoadBalancer Source Ranges:\t%s", joined(d, &s->lb_source_ranges));
}

void describe_slice(struct describe *d)
{
	const struct endpointslice *s = (const struct endpointslice *)d->o;

	say(d, 0, "AddressType:\t%s", or_none(s->address_type));
	say(d, 0, "Ports:%s", s->ports.nr ? "" : " <unset>");
	if (s->ports.nr) {
		say(d, 1, "Name\tPort\tProtocol");
		say(d, 1, "----\t----\t--------");
	}
	for (uint32_t k = 0; k < s->ports.nr; k++)
		say(d, 1, "%s\t%s\t%s", s->ports.v[k].name && *s->ports.v[k].name ? s->ports.v[k].name : "<unset>",
		    s->ports.v[k].port.set ? arena_printf(d->a, "%d", s->ports.v[k].port.v) : "<unset>", l4_names[s->ports.v[k].protocol]);
	say(d, 0, "Endpoints:%s", s->endpoints.nr ? "" : " <none>");
	for (uint32_t k = 0; k < s->endpoints.nr; k++) {
		const struct endpoint *e = &s->endpoints.v[k];

		say(d, 1, "- Addresses:\t%s", joined(d, &e->addresses));
		say(d, 2, "Conditions:");
		say(d, 3, "Ready:\t%s", e->ready == TRI_FALSE ? "false" : e->ready == TRI_TRUE ? "true" : "<unset>");
		say(d, 3, "Serving:\t%s", e->serving == TRI_FALSE ? "false" : e->serving == TRI_TRUE ? "true" : "<unset>");
		say(d, 3, "Terminating:\t%s", e->terminating == TRI_TRUE ? "true" : "false");
		say(d, 2, "Hostname:\t%s", e->hostname ? e->hostname : "<unset>");
		if (e->target)
			say(d, 2, "TargetRef:\t%s/%s", e->target->kind ? e->target->kind : "", e->target->name ? e->target->name : "");
		say(d, 2, "NodeName:\t%s", e->node ? e->node : "<unset>");
		say(d, 2, "Zone:\t%s", e->zone ? e->zone : "<unset>");
	}
}

void describe_endpoints(struct describe *d)
{
	const struct endpoints *e = (const struct endpoints *)d->o;

	say(d, 0, "Subsets:");
	for (uint32_t s = 0; s < e->subsets.nr; s++) {
		const struct ep_subset *set = &e->subsets.v[s];
		struct sb ready = { 0 }, unready = { 0 };

		for (uint32_t k = 0; k < set->addresses.nr; k++)
			sb_printf(&ready, "%s%s", k ? "," : "", set->addresses.v[k].ip);
		for (uint32_t k = 0; k < set->not_ready.nr; k++)
			sb_printf(&unready, "%s%s", k ? "," : "", set->not_ready.v[k].ip);
		say(d, 1, "Addresses:\t%s", or_none(sb_text(&ready)));
		say(d, 1, "NotReadyAddresses:\t%s", or_none(sb_text(&unready)));
		if (set->ports.nr) {
			say(d, 1, "Ports:");
			say(d, 2, "Name\tPort\tProtocol");
			say(d, 2, "----\t----\t--------");
		}
		for (uint32_t k = 0; k < set->ports.nr; k++)
			say(d, 2, "%s\t%d\t%s", set->ports.v[k].name && *set->ports.v[k].name ? set->ports.v[k].name : "<unset>", set->ports.v[k].port.v, l4_names[set->ports.v[k].protocol]);
		sb_free(&ready);
		sb_free(&unready);
	}
}

/* web:80 (10.244.1.2:8080,…), or what is wrong with it. */
static const char *backend_text(struct describe *d, const struct ing_backend *b)
{
	const struct service *s;
	const char *port;

	if (!b->service)
		return b->resource ? arena_printf(d->a, "%s%s%s%s%s", b->resource->api_group ? "APIGroup: " : "", b->resource->api_group ? b->resource->api_group : "",
						  b->resource->api_group ? ", " : "", arena_printf(d->a, "Kind: %s, ", b->resource->kind), arena_printf(d->a, "Name: %s", b->resource->name)) :
				     "<default>";
	port = b->service->port_name ? b->service->port_name : arena_printf(d->a, "%d", b->service->port);
	s = find_service(d->c, d->o->ns, b->service->name);
	if (!s)
		return arena_printf(d->a, "%s:%s (<error: services \"%s\" not found>)", b->service->name, port, b->service->name);
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (b->service->port_name ? streq(s->ports.v[k].name, b->service->port_name) : s->ports.v[k].port == b->service->port)
			return arena_printf(d->a, "%s:%s (%s)", s->o.name, port, endpoints_of(d, s, &s->ports.v[k]));
	return arena_printf(d->a, "%s:%s ()", s->o.name, port);
}

void describe_ingress(struct describe *d)
{
	const struct ingress *i = (const struct ingress *)d->o;
	struct sb address = { 0 };

	say(d, 0, "Name:\t%s", i->o.name);
	say_pairs(d, "Labels", &i->o.labels);
	say(d, 0, "Namespace:\t%s", i->o.ns);
	for (uint32_t k = 0; k < i->lb_ingress.nr; k++)
		sb_printf(&address, "%s%s", k ? "," : "", i->lb_ingress.v[k].ip ? i->lb_ingress.v[k].ip : i->lb_ingress.v[k].hostname ? i->lb_ingress.v[k].hostname : "");
	say(d, 0, "Address:\t%s", sb_text(&address));
	sb_free(&address);
	say(d, 0, "Ingress Class:\t%s", or_none(i->class_name));
	say(d, 0, "Default backend:\t%s", i->dflt_backend ? backend_text(d, i->dflt_backend) : "<default>");
	if (i->tls.nr)
		say(d, 0, "TLS:");
	for (uint32_t k = 0; k < i->tls.nr; k++)
		say(d, 1, "%s terminates %s", i->tls.v[k].secret && *i->tls.v[k].secret ? i->tls.v[k].secret : "SNI routes", joined(d, &i->tls.v[k].hosts));
	say(d, 0, "Rules:");
	say(d, 1, "Host\tPath\tBackends");
	say(d, 1, "----\t----\t--------");
	for (uint32_t k = 0; k < i->rules.nr; k++) {
		say(d, 1, "%s\t", i->rules.v[k].host && *i->rules.v[k].host ? i->rules.v[k].host : "*");
		for (uint32_t p = 0; p < i->rules.v[k].paths.nr; p++)
			say(d, 1, "\t%s \t%s", i->rules.v[k].paths.v[p].path ? i->rules.v[k].paths.v[p].path : "", backend_text(d, &i->rules.v[k].paths.v[p].backend));
	}
	if (!i->rules.nr)
		say(d, 1, "*\t*\t%s", i->dflt_backend ? backend_text(d, i->dflt_backend) : "<default>");
	say_pairs(d, "Annotations", &i->o.annotations);
}

static const char *selector_text(struct describe *d, const struct selector *s)
{
	struct sb out = { 0 };
	const char *text;

	selector_print(s, &out);
	text = arena_strdup(d->a, sb_text(&out));
	sb_free(&out);
	return text;
}

static void say_rules(struct describe *d, const char *dir, const char *peer, const struct np_rule *v, uint32_t nr)
{
	bool in = dir[0] == 'i';

	if (!nr)
		say(d, 2, "<none> (Selected pods are isolated for %s connectivity)", dir);
	for (uint32_t k = 0; k < nr; k++) {
		if (!v[k].ports.nr)
			say(d, 2, "To Port: <any> (traffic allowed to all ports)");
		for (uint32_t p = 0; p < v[k].ports.nr; p++) {
			const struct np_port *port = &v[k].ports.v[p];
			const char *number = !port->port.set ? "<any>" : port->port.s ? port->port.s : arena_printf(d->a, "%d", port->port.i);

			say(d, 2, "To Port: %s%s/%s", number, port->end.set ? arena_printf(d->a, "-%d", port->end.v) : "", l4_names[port->protocol]);
		}
		if (!v[k].peers.nr)
			say(d, 2, "%s: <any> (traffic not restricted by %s)", peer, in ? "source" : "destination");
		for (uint32_t p = 0; p < v[k].peers.nr; p++) {
			const struct np_peer *q = &v[k].peers.v[p];

			say(d, 2, "%s:", peer);
			if (q->pods && q->namespaces) {
				say(d, 3, "NamespaceSelector: %s", selector_text(d, q->namespaces));
				say(d, 3, "PodSelector: %s", selector_text(d, q->pods));
			} else if (q->pods) {
				say(d, 3, "PodSelector: %s", selector_text(d, q->pods));
			} else if (q->namespaces) {
				say(d, 3, "NamespaceSelector: %s", selector_text(d, q->namespaces));
			} else if (q->block) {
				say(d, 3, "IPBlock:");
				say(d, 4, "CIDR: %s", q->block->cidr);
				say(d, 4, "Except: %s", q->block->except.nr ? joined(d, &q->block->except) : "");
			}
		}
		if (k + 1 < nr)
			say(d, 2, "----------");
	}
}

void describe_policy(struct describe *d)
{
	const struct network_policy *n = (const struct network_policy *)d->o;
	bool in = false, out = false;
	struct sb types = { 0 };

	for (uint32_t k = 0; k < n->types.nr; k++) {
		in = in || streq(n->types.v[k], "Ingress");
		out = out || streq(n->types.v[k], "Egress");
		sb_printf(&types, "%s%s", k ? ", " : "", n->types.v[k]);
	}
	say(d, 0, "Name:\t%s", n->o.name);
	say(d, 0, "Namespace:\t%s", n->o.ns);
	say(d, 0, "Created on:\t%s", time_1123(d, n->o.created));
	say_pairs(d, "Labels", &n->o.labels);
	say_pairs(d, "Annotations", &n->o.annotations);
	say(d, 0, "Spec:");
	if (!n->pods.labels.nr && !n->pods.exprs.nr)
		say(d, 1, "PodSelector: <none> (Allowing the specific traffic to all pods in this namespace)");
	else
		say(d, 1, "PodSelector: %s", selector_text(d, &n->pods));
	if (in) {
		say(d, 1, "Allowing ingress traffic:");
		say_rules(d, "ingress", "From", n->ingress.v, n->ingress.nr);
	} else {
		say(d, 1, "Not affecting ingress traffic");
	}
	if (out) {
		say(d, 1, "Allowing egress traffic:");
		say_rules(d, "egress", "To", n->egress.v, n->egress.nr);
	} else {
		say(d, 1, "Not affecting egress traffic");
	}
	say(d, 1, "Policy Types: %s", sb_text(&types));
	sb_free(&types);
}
