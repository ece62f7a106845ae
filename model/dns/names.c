/* All names of the zone, and whether two answers are the same. */
#include "model/dns/dns.h"

struct naming { struct cluster *c; const char *domain; struct arena *a; struct dns_names out; };

static void add(struct naming *x, const char *name, enum dns_type type)
{
	vec_add(x->a, &x->out, (struct dns_name){ name, type });
}

static void add_both(struct naming *x, const char *name)
{
	add(x, name, DNS_A);
	add(x, name, DNS_AAAA);
}

const char *dns_reverse_name(ip_addr ip, struct arena *a)
{
	char text[80];
	size_t n = 0;
	uint32_t four = ip_to4(ip);

	if (ip_is4(ip))
		return arena_printf(a, "%u.%u.%u.%u.in-addr.arpa.", four & 255, four >> 8 & 255, four >> 16 & 255, four >> 24);
	for (int k = 0; k < 32; k++) {
		uint64_t half = k < 16 ? ip.lo : ip.hi;

		text[n++] = "0123456789abcdef"[half >> (4 * (k & 15)) & 15];
		text[n++] = '.';
	}
	text[n] = '\0';
	return arena_printf(a, "%sip6.arpa.", text);
}

/* An address: its name backwards, and the names that this leads to. */
static void address(struct naming *x, const char *text, bool forwards)
{
	struct dns_answer names;
	const char *reverse;
	ip_addr ip;

	if (!text || !ip_parse_lenient(text, &ip))
		return;
	reverse = dns_reverse_name(ip, x->a);
	add(x, reverse, DNS_PTR);
	if (!forwards)
		return;
	names = dns_query(x->c, NULL, reverse, DNS_PTR, x->a);
	for (uint32_t k = 0; k < names.answers.nr; k++)
		add(x, names.answers.v[k], ip_is4(ip) ? DNS_A : DNS_AAAA);
}

static void service(struct naming *x, const struct service *s)
{
	const char *base = arena_printf(x->a, "%s.%s.svc.%s.", s->o.name, s->o.ns, x->domain);
	struct object_list l = service_slices(x->c, s);
	struct object **slices = arena_copy(x->a, l.v, l.nr * sizeof(*l.v));

	add_both(x, base);
	add(x, base, DNS_SRV);
	add(x, base, DNS_CNAME);
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (s->ports.v[k].name)
			add(x, arena_printf(x->a, "_%s._%s.%s", s->ports.v[k].name, l4_names[s->ports.v[k].protocol], base), DNS_SRV);
	for (uint32_t k = 0; k < s->cluster_ips.nr; k++)
		address(x, s->cluster_ips.v[k], false);
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct endpointslice *slice = (const struct endpointslice *)slices[k];

		for (uint32_t i = 0; i < slice->endpoints.nr; i++)
			if (slice->endpoints.v[i].addresses.nr)
				address(x, slice->endpoints.v[i].addresses.v[0], true);
	}
}

static void pod(struct naming *x, const struct pod *p)
{
	char text[IP_TEXT];

	if (!ip_set(p->ip))
		return;
	ip_text(p->ip, text);
	for (char *c = text; *c; c++)
		*c = *c == '.' || *c == ':' ? '-' : *c;
	add(x, arena_printf(x->a, "%s.%s.pod.%s.", text, p->o.ns, x->domain), ip_is4(p->ip) ? DNS_A : DNS_AAAA);
}

struct dns_names dns_names(struct cluster *c, const struct zone *outside, struct arena *a)
{
	struct naming x = { .c = c, .domain = cluster_settings(c)->domain, .a = a };
	struct object_list services = cluster_list(c, &service_kind), pods = cluster_list(c, &pod_kind), namespaces = cluster_list(c, &namespace_kind);
	str_list others = { 0 };

	for (uint32_t k = 0; k < services.nr; k++)
		service(&x, (const struct service *)services.v[k]);
	for (uint32_t k = 0; k < pods.nr; k++)
		pod(&x, (const struct pod *)pods.v[k]);
	for (uint32_t k = 0; k < namespaces.nr; k++) {
		add(&x, arena_printf(a, "%s.svc.%s.", namespaces.v[k]->name, x.domain), DNS_A);
		add(&x, arena_printf(a, "no-such-service.%s.svc.%s.", namespaces.v[k]->name, x.domain), DNS_A);
	}
	add(&x, arena_printf(a, "dns-version.%s.", x.domain), DNS_TXT);
	add(&x, arena_printf(a, "%s.", x.domain), DNS_A);
	add(&x, arena_printf(a, "%s.", x.domain), DNS_NS);
	add_both(&x, arena_printf(a, "ns.dns.%s.", x.domain));
	add(&x, arena_printf(a, "web.no-such-namespace.svc.%s.", x.domain), DNS_A);
	add(&x, arena_printf(a, "no-such-name.%s.", x.domain), DNS_A);
	add(&x, "outside.invalid.", DNS_A);
	zone_names(outside, a, &others);
	for (uint32_t k = 0; k < others.nr; k++)
		for (enum dns_type t = 0; t < DNS_TYPE_COUNT; t++)
			add(&x, others.v[k], t);
	return x.out;
}

static bool among(const str_list *l, const char *text, enum dns_type type)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (type == DNS_TXT ? streq(l->v[k], text) : dns_same_name(l->v[k], text))
			return true;
	return false;
}

/* Texts that are there several times count once: a packet may hold them twice, but nobody sees a difference. */
static bool all_among(const str_list *l, const str_list *m, enum dns_type type)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (!among(m, l->v[k], type))
			return false;
	return true;
}

bool dns_same_answer(const struct dns_answer *x, const struct dns_answer *y, enum dns_type type)
{
	return x->rcode == y->rcode && all_among(&x->answers, &y->answers, type) && all_among(&y->answers, &x->answers, type) &&
	       all_among(&x->cname, &y->cname, DNS_CNAME) && all_among(&y->cname, &x->cname, DNS_CNAME);
}

const char *dns_answer_text(const struct dns_answer *x, struct arena *a)
{
	struct sb text = { 0 };
	const char *out;

	sb_add(&text, dns_rcode_names[x->rcode]);
	for (uint32_t k = 0; k < x->cname.nr; k++)
		sb_printf(&text, " CNAME %s", x->cname.v[k]);
	for (uint32_t k = 0; k < x->answers.nr; k++)
		sb_printf(&text, " %s", x->answers.v[k]);
	if (x->rcode == DNS_NOERROR && !x->answers.nr)
		sb_add(&text, " without an answer");
	out = arena_strdup(a, sb_text(&text));
	sb_free(&text);
	return out;
}
