/* /etc/hosts, which C libraries ask before DNS (nsswitch.conf: files dns; musl src/network/lookup_name.c name_from_hosts): names as they are asked, whatever their case.
 * The kubelet writes a Pod's: pkg/kubelet/kubelet_pods.go managedHostsFileContent, nodeHostsFileContent. Of a node's own, localhost alone is known. */
#include <strings.h>

#include "sim/ask/names.h"

static void entry(struct dns_answer *out, enum dns_type type, ip_addr ip, const char *has, const char *asked, struct arena *a)
{
	ip_addr *v;

	if (!has || strcasecmp(has, asked) != 0 || !ip_set(ip) || ip_is4(ip) != (type == DNS_A))
		return;
	for (uint32_t k = 0; k < out->nr_ips; k++)
		if (ip_eq(out->ips[k], ip))
			return;
	v = arena_array(a, ip_addr, out->nr_ips + 1);
	if (out->nr_ips)
		memcpy(v, out->ips, out->nr_ips * sizeof(*v));
	v[out->nr_ips++] = ip;
	out->ips = v;
	dns_add(a, &out->answers, arena_strdup(a, IP(ip)));
}

/* The Pod's own names, by each of its addresses. */
static void own_names(struct dns_answer *out, enum dns_type type, const struct pod *p, const char *domain, const char *asked, struct arena *a)
{
	const char *host = pod_host_name(p);
	const char *subdomain = p->spec->subdomain, *full = subdomain && *subdomain ? arena_printf(a, "%s.%s.%s.svc.%s", host, subdomain, p->o.ns, domain) : NULL;
	const ip_addr ips[] = { p->ip, p->ip2 };

	for (size_t k = 0; k < ARRAY_LEN(ips); k++) {
		entry(out, type, ips[k], host, asked, a);
		entry(out, type, ips[k], full, asked, a);
	}
}

bool hosts_lookup(struct world *w, const struct pod *p, const char *name, enum dns_type type, struct arena *a, struct dns_answer *out)
{
	static const char *const loopback6[] = { "localhost", "ip6-localhost", "ip6-loopback" };
	ip_addr one = ip_from4(0x7f000001), one6 = { 0, 1 }, ip;

	*out = (struct dns_answer){ .rcode = DNS_NOERROR };
	if (type != DNS_A && type != DNS_AAAA)
		return false;
	entry(out, type, one, "localhost", name, a);
	for (size_t k = 0; k < ARRAY_LEN(loopback6); k++)
		entry(out, type, one6, loopback6[k], name, a);
	if (p && !p->spec->host_network)
		own_names(out, type, p, cluster_settings(w->cluster)->domain, name, a);
	for (uint32_t k = 0; p && k < p->spec->host_aliases.nr; k++) {
		const struct host_alias *h = &p->spec->host_aliases.v[k];

		for (uint32_t i = 0; ip_parse_lenient(h->ip, &ip) && i < h->hostnames.nr; i++)
			entry(out, type, ip, h->hostnames.v[i], name, a);
	}
	return out->nr_ips > 0;
}
