/* What CoreDNS's kubernetes plugin answers, by the DNS specification 1.1.0 and as plugin/kubernetes/{parse,kubernetes,reverse}.go do where the specification is silent. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/dns/kube_plugin.h"

/* The parsed name, in lower case as objects' names are: [_port._protocol.|endpoint.]service.namespace.{svc,pod}.DOMAIN */
struct asked { const char *kind, *ns, *service, *endpoint, *port, *protocol; };

static bool same(const char *a, const char *b)
{
	return strcasecmp(a ? a : "", b ? b : "") == 0;
}

/* ---- answers */

void query_add(struct query *q, const char *text)
{
	for (uint32_t k = 0; k < q->out.answers.nr; k++)
		if (same(q->out.answers.v[k], text))
			return;
	dns_add(q->a, &q->out.answers, text);
}

void query_add_ip(struct query *q, const char *text)
{
	ip_addr ip, *v;

	if (!ip_parse(text, &ip) || ip_is4(ip) != (q->type == DNS_A) || (q->type != DNS_A && q->type != DNS_AAAA))
		return;
	for (uint32_t k = 0; k < q->out.nr_ips; k++)
		if (ip_eq(q->out.ips[k], ip))
			return;
	v = arena_array(q->a, ip_addr, q->out.nr_ips + 1);
	if (q->out.nr_ips)
		memcpy(v, q->out.ips, q->out.nr_ips * sizeof(*v));
	v[q->out.nr_ips++] = ip;
	q->out.ips = v;
	query_add(q, arena_strdup(q->a, IP(ip)));
}

static void add_srv(struct query *q, int32_t port, const char *target)
{
	if (q->type == DNS_SRV)
		query_add(q, arena_printf(q->a, "%d %s", port, target));
}

/* endpointHostname: a Pod's name only where it may be a label, and no label ends with a dash. */
static const char *endpoint_name(const struct query *q, const struct endpoint *e, const char *address)
{
	char *dashed;
	size_t n;

	if (e->hostname && *e->hostname)
		return e->hostname;
	if (q->conf.endpoint_pod_names && e->target && e->target->name && *e->target->name && strlen(e->target->name) <= 63)
		return e->target->name;
	dashed = arena_strdup(q->a, address);
	for (char *p = dashed; *p; p++)
		if (*p == '.' || *p == ':')
			*p = '-';
	n = strlen(dashed);
	return n && dashed[n - 1] == '-' ? arena_printf(q->a, "%s0", dashed) : dashed;
}

/* ---- what the plugin's block lets be seen */

static bool shown(const struct query *q, const struct object *o)
{
	return !q->conf.labels || selector_matches(q->conf.labels, &o->labels);
}

static bool namespace_exposed(const struct query *q, const char *ns)
{
	const struct namespace_ *have = find_namespace(q->c, ns);
	bool configured = !q->conf.namespaces.nr;

	for (uint32_t k = 0; k < q->conf.namespaces.nr; k++)
		configured = configured || streq(q->conf.namespaces.v[k], ns);
	return configured && have && (!q->conf.namespace_labels || selector_matches(q->conf.namespace_labels, &have->o.labels));
}

/* serviceRecordForIP asks only where `namespaces` says some. */
static bool namespace_hidden(const struct query *q, const char *ns)
{
	return q->conf.namespaces.nr && !namespace_exposed(q, ns);
}

static bool listed(const struct endpoint *e)
{
	return e->addresses.nr && e->ready != TRI_FALSE;        /* plugin/kubernetes/object/endpoint.go: Conditions.Ready nil or true */
}

static bool port_asked(const struct asked *r, const char *port, uint8_t protocol)
{
	return (!r->port || same(r->port, port)) && (!r->protocol || same(r->protocol, l4_names[protocol]));
}

static bool endpoint(struct query *q, const struct asked *r, const struct service *s, const struct endpointslice *sl, const struct endpoint *e, const char *address)
{
	const char *host = endpoint_name(q, e, address);
	bool any = false;

	if (r->endpoint && !same(r->endpoint, host))
		return false;
	for (uint32_t p = 0; p < MAX(sl->ports.nr, 1u); p++) {
		const struct ep_port *port = sl->ports.nr ? &sl->ports.v[p] : NULL;

		if (port ? !port_asked(r, port->name, port->protocol) : r->port || r->protocol)
			continue;
		any = true;
		query_add_ip(q, address);
		if (port && port->port.set)
			add_srv(q, port->port.v, arena_printf(q->a, "%s.%s.%s.svc.%s.", host, s->o.name, s->o.ns, q->conf.domain));
	}
	return any;
}

/* Records of a Service's endpoints: for headless Services, and for names of single endpoints. true: there is one at least. */
static bool endpoints(struct query *q, const struct asked *r, const struct service *s)
{
	struct object_list l = service_slices(q->c, s);
	struct object **v = arena_copy(q->a, l.v, l.nr * sizeof(*v));
	bool any = false;

	for (uint32_t k = 0; k < l.nr && !q->conf.no_endpoints; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)v[k];

		for (uint32_t i = 0; i < sl->endpoints.nr; i++) {
			const struct endpoint *e = &sl->endpoints.v[i];

			for (uint32_t n = 0; listed(e) && shown(q, &sl->o) && n < e->addresses.nr; n++)
				any = endpoint(q, r, s, sl, e, e->addresses.v[n]) || any;
		}
	}
	return any;
}

/* ExternalName: a CNAME, and what its target resolves to, wherever that is. A target in the plugin's own zone is named only where it leads to addresses (backend_lookup.go A). */
static bool external(struct query *q, const struct asked *r, const struct service *s)
{
	struct query next = *q;
	str domain = q->conf.domain;
	const char *target;
	ip_addr ip;

	if (r->endpoint || r->port || r->protocol || !s->external_name || !*s->external_name || ip_parse_lenient(s->external_name, &ip))
		return false;
	target = s->external_name[strlen(s->external_name) - 1] == '.' ? s->external_name : arena_printf(q->a, "%s.", s->external_name);
	if (q->type == DNS_CNAME) {
		query_add(q, target);
		return true;
	}
	if ((q->type != DNS_A && q->type != DNS_AAAA) || dns_same_name(target, q->name))
		return true;
	next.name = target;
	next.out = (struct dns_answer){ 0 };
	if (++next.depth > 8)
		return true;
	query_run(&next);
	q->out = next.out;
	q->out.rcode = DNS_NOERROR;
	if (next.out.answers.nr || !zone_of(&(str_list){ .v = &domain, .nr = 1 }, target)) {
		str_list chain = { 0 };

		dns_add(q->a, &chain, target);
		for (uint32_t k = 0; k < next.out.cname.nr; k++)
			dns_add(q->a, &chain, next.out.cname.v[k]);
		q->out.cname = chain;
	}
	return true;
}

static bool has_endpoint(struct query *q, const struct service *s)
{
	struct object_list l = service_slices(q->c, s);

	for (uint32_t k = 0; k < l.nr && !q->conf.no_endpoints; k++)
		for (uint32_t i = 0; i < ((const struct endpointslice *)l.v[k])->endpoints.nr; i++)
			if (listed(&((const struct endpointslice *)l.v[k])->endpoints.v[i]))
				return true;
	return false;
}

static const struct service *service_named(struct query *q, const struct asked *r)
{
	const struct service *s = find_service(q->c, r->ns, r->service);

	return s && shown(q, &s->o) ? s : NULL;
}

static bool services(struct query *q, const struct asked *r)
{
	const struct service *s = service_named(q, r);
	bool any = false;

	if (!s)
		return false;
	if (s->type == SVC_EXTERNALNAME)
		return external(q, r, s);
	if (service_is_headless(s) || r->endpoint)
		return endpoints(q, r, s);
	if (q->conf.ignore_empty && !has_endpoint(q, s))
		return false;
	for (uint32_t k = 0; k < s->ports.nr; k++) {
		if (!port_asked(r, s->ports.v[k].name, s->ports.v[k].protocol))
			continue;
		any = true;
		for (uint32_t i = 0; i < s->cluster_ips.nr; i++)
			query_add_ip(q, s->cluster_ips.v[i]);
		if (!s->cluster_ips.nr && s->cluster_ip)
			query_add_ip(q, s->cluster_ip);
		add_srv(q, s->ports.v[k].port, arena_printf(q->a, "%s.%s.svc.%s.", s->o.name, s->o.ns, q->conf.domain));
	}
	return any;
}

/* status.podIP only, and not of Pods that end or have ended (plugin/kubernetes/object/pod.go ToPod, controller.go podListFunc). */
static bool is_verified(const struct pod *p, ip_addr ip)
{
	return ip_eq(p->ip, ip) && p->o.deleted == NEVER && p->phase != POD_SUCCEEDED && p->phase != POD_FAILED;
}

/* 10-244-1-5.default.pod.DOMAIN: three dashes make an IPv4 address, anything else is tried as IPv6. */
static bool pods(struct query *q, const struct asked *r)
{
	char *text = arena_strdup(q->a, r->service);
	unsigned dashes = 0;
	bool four;
	ip_addr ip;

	for (const char *p = text; *p; p++)
		dashes += *p == '-';
	four = dashes == 3 && !strstr(text, "--");
	for (char *p = text; *p; p++)
		if (*p == '-')
			*p = four ? '.' : ':';
	if (q->conf.pods == PODS_DISABLED || !ip_parse(text, &ip))         /* findPods: labels before the address are not looked at */
		return false;
	if (q->conf.pods == PODS_VERIFIED) {
		struct object_list l = cluster_list(q->c, &pod_kind);
		bool found = false;

		for (uint32_t k = 0; k < l.nr && !found; k++)
			found = same(l.v[k]->ns, r->ns) && shown(q, l.v[k]) && is_verified((const struct pod *)l.v[k], ip);
		if (!found)
			return false;
	}
	query_add_ip(q, text);
	return true;
}

/* ---- names */

static const char *strip(const char *label)
{
	return *label == '_' ? label + 1 : label;
}

/* Splits what stands before the domain into labels. false: no name can look like that. */
static bool parse(struct query *q, const char *base, struct asked *r)
{
	char *text = arena_strdup(q->a, base);
	char *label[8];
	int nr = 0;

	*r = (struct asked){ 0 };
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	for (char *p = text; *p && nr < 8; nr++) {
		label[nr] = p;
		p += strcspn(p, ".");
		if (*p)
			*p++ = '\0';
	}
	if (nr == 0)
		return true;
	r->kind = label[--nr];
	if (!same(r->kind, "svc") && !same(r->kind, "pod"))
		return false;
	if (nr > 0)
		r->ns = label[--nr];
	if (nr > 0)
		r->service = label[--nr];
	if (nr == 1) {
		r->endpoint = label[0];
	} else if (nr == 2) {
		r->port = strip(label[0]);
		r->protocol = strip(label[1]);
	}
	return nr <= 2;
}

static bool service_has(const struct service *s, ip_addr ip)
{
	ip_addr have;

	for (uint32_t k = 0; k < s->cluster_ips.nr; k++)
		if (ip_parse(s->cluster_ips.v[k], &have) && ip_eq(have, ip))
			return true;
	return s->cluster_ip && ip_parse(s->cluster_ip, &have) && ip_eq(have, ip);
}

static bool slice_has(const struct endpointslice *s, ip_addr ip)
{
	ip_addr have;

	for (uint32_t k = 0; k < s->endpoints.nr; k++)
		for (uint32_t n = 0; listed(&s->endpoints.v[k]) && n < s->endpoints.v[k].addresses.nr; n++)
			if (ip_parse(s->endpoints.v[k].addresses.v[n], &have) && ip_eq(have, ip))
				return true;
	return false;
}

/* The address of a Pod that answers: the first behind the Service of cluster DNS. */
static bool local_address(struct query *q, ip_addr *out)
{
	const struct settings *set = cluster_settings(q->c);
	struct object_list l = cluster_list(q->c, &service_kind), slices = { 0 };
	ip_addr ip;

	for (uint32_t k = 0; k < l.nr && set->cluster_dns.nr && ip_parse(set->cluster_dns.v[0], &ip); k++)
		if (service_has((const struct service *)l.v[k], ip)) {
			slices = service_slices(q->c, (const struct service *)l.v[k]);
			break;
		}
	for (uint32_t k = 0; k < slices.nr; k++) {
		const struct endpointslice *s = (const struct endpointslice *)slices.v[k];

		for (uint32_t i = 0; i < s->endpoints.nr; i++)
			if (listed(&s->endpoints.v[i]))
				return ip_parse(s->endpoints.v[i].addresses.v[0], out);
	}
	return false;
}

/* plugin/kubernetes/ns.go nsAddrs: the zone's servers are the Services with the Pod that answers. They are told by name (of NS), or by address (ns.dns). */
static void name_servers(struct query *q)
{
	struct object_list l = cluster_list(q->c, &endpointslice_kind);
	struct object **v = arena_copy(q->a, l.v, l.nr * sizeof(*v));
	ip_addr local;

	if (!local_address(q, &local)) {
		if (q->type == DNS_NS)
			query_add(q, arena_printf(q->a, "ns.dns.%s.", q->conf.domain));
		return;
	}
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *sl = (const struct endpointslice *)v[k];
		const struct service *s = sl->service && slice_has(sl, local) ? service_named(q, &(struct asked){ .ns = sl->o.ns, .service = sl->service }) : NULL;

		if (s && q->type != DNS_NS)
			services(q, &(struct asked){ .ns = s->o.ns, .service = s->o.name });
		else if (s && !service_is_headless(s))
			query_add(q, arena_printf(q->a, "%s.%s.svc.%s.", s->o.name, s->o.ns, q->conf.domain));
		for (uint32_t i = 0; s && q->type == DNS_NS && service_is_headless(s) && i < sl->endpoints.nr; i++)
			if (listed(&sl->endpoints.v[i]))
				query_add(q, arena_printf(q->a, "%s.%s.%s.svc.%s.", endpoint_name(q, &sl->endpoints.v[i], sl->endpoints.v[i].addresses.v[0]), s->o.name, s->o.ns, q->conf.domain));
	}
}

/* Services, of TXT: besides the version only names with records are there (NODATA); of others, even of namespaces, it says that they are not. */
static void text(struct query *q, const char *base)
{
	struct asked r;

	if (same(base, "dns-version")) {
		query_add(q, "1.1.0");
		return;
	}
	if (!parse(q, base, &r) || !r.ns || !r.service || !namespace_exposed(q, r.ns) || !(same(r.kind, "pod") ? pods(q, &r) : services(q, &r)))
		q->out.rcode = DNS_NXDOMAIN;
}

void kube_in_cluster(struct query *q, const char *base)
{
	struct asked r;
	bool found;

	q->out.rcode = DNS_NOERROR;
	if (q->type == DNS_TXT) {
		text(q, base);
		return;
	}
	if ((same(base, "ns.dns") && q->type != DNS_PTR) || (!*base && q->type == DNS_NS)) {
		if (q->type == DNS_NS ? !*base : q->type == DNS_A || q->type == DNS_AAAA)
			name_servers(q);
		return;
	}
	if (!parse(q, base, &r)) {
		q->out.rcode = DNS_NXDOMAIN;
		return;
	}
	if (!r.ns)                      /* the domain, svc and pod themselves: NODATA */
		return;
	if (!namespace_exposed(q, r.ns)) {
		q->out.rcode = DNS_NXDOMAIN;
		return;
	}
	if (!r.service)
		return;
	found = same(r.kind, "pod") ? pods(q, &r) : services(q, &r);
	if (!found)
		q->out.rcode = DNS_NXDOMAIN;
}

bool kube_reverse_address(const char *name, ip_addr *out)
{
	unsigned b[4];
	char rest[32], hex[33] = "", text[64] = "";
	size_t n = strlen(name), k;

	n -= n && name[n - 1] == '.';
	if (sscanf(name, "%u.%u.%u.%u.%31s", &b[0], &b[1], &b[2], &b[3], rest) == 5 && dns_same_name(rest, "in-addr.arpa")) {
		snprintf(text, sizeof(text), "%u.%u.%u.%u", b[3], b[2], b[1], b[0]);
		return ip_parse(text, out);
	}
	if (n != 72 || strncasecmp(name + 63, ".ip6.arpa", 9) != 0)
		return false;
	for (k = 0; k < 32; k++)
		hex[k] = name[2 * (31 - k)];
	for (k = 0; k < 8; k++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.4s", k ? ":" : "", hex + 4 * k);
	return ip_parse(text, out);
}

bool kube_reverse(struct query *q, ip_addr ip)
{
	struct object_list l = cluster_list(q->c, &service_kind);
	bool any = false;
	ip_addr have;

	for (uint32_t k = 0; k < l.nr; k++)
		if (service_has((const struct service *)l.v[k], ip) && shown(q, l.v[k]) && !namespace_hidden(q, l.v[k]->ns)) {
			query_add(q, arena_printf(q->a, "%s.%s.svc.%s.", l.v[k]->name, l.v[k]->ns, q->conf.domain));
			return true;
		}
	l = cluster_list(q->c, &endpointslice_kind);
	for (uint32_t k = 0; k < l.nr && !q->conf.no_endpoints; k++) {
		const struct endpointslice *s = (const struct endpointslice *)l.v[k];

		if (!s->service || !shown(q, &s->o) || namespace_hidden(q, s->o.ns))
			continue;
		for (uint32_t i = 0; i < s->endpoints.nr; i++) {
			const struct endpoint *e = &s->endpoints.v[i];

			for (uint32_t n = 0; listed(e) && n < e->addresses.nr; n++) {
				if (!ip_parse(e->addresses.v[n], &have) || !ip_eq(have, ip))
					continue;
				any = true;
				query_add(q, arena_printf(q->a, "%s.%s.%s.svc.%s.", endpoint_name(q, e, e->addresses.v[n]), s->service, s->o.ns, q->conf.domain));
			}
		}
	}
	return any;
}

/* Reverse and Records: only PTR looks for addresses; the zone itself has no records of other types, and names in it are none. */
void kube_backwards(struct query *q, const char *zone)
{
	ip_addr ip;

	q->out.rcode = DNS_NOERROR;
	if (q->type == DNS_PTR && kube_reverse_address(q->name, &ip) && kube_reverse(q, ip))
		return;
	if (!dns_same_name(q->name, zone) || q->type == DNS_TXT)
		q->out.rcode = DNS_NXDOMAIN;
}

const char *kube_before_domain(struct query *q)
{
	size_t n = strlen(q->name), d = strlen(q->conf.domain);

	n -= n && q->name[n - 1] == '.';
	if (n < d || strncasecmp(q->name + n - d, q->conf.domain, d) != 0 || (n > d && q->name[n - d - 1] != '.'))
		return NULL;
	return n == d ? "" : arena_strndup(q->a, q->name, n - d - 1);
}
