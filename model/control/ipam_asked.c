#include "model/control/ipam_asked.h"

#include <ctype.h>
#include <string.h>

#include "model/cluster/pod_network.h"

#define KEY "cni.projectcalico.org/"

static const char *said(const pair_list *annotations, const char *key)
{
	const char *text = annotations->nr ? label_get(annotations, key) : NULL;

	return text && *text ? text : NULL;
}

/* ---- lists of texts in JSON, as Go reads them into []string: null is the empty list, and in a list the empty text */

static const char *go_type(const struct val *v)
{
	return v->type == VAL_MAP ? "object" : v->type == VAL_LIST ? "array" : v->type == VAL_BOOL ? "bool" : v->type == VAL_STRING ? "string" : "number";
}

/* NULL: it is one; else encoding/json's words where they are known. */
static const char *list_of_texts(const char *text, const struct val **out, struct arena *a)
{
	const char *first = text + strspn(text, " \t\r\n");
	struct err none = { 0 };
	const struct val *v = json_parse(a, "annotation", text, strlen(text), NULL, &none);
	bool bad = !v || err_any(&none);

	err_free(&none);
	*out = NULL;
	if (!*first)
		return "unexpected end of JSON input";
	if (bad && !strchr("{[\"-tfn", *first) && !isdigit((unsigned char)*first))
		return arena_printf(a, "invalid character '%c' looking for beginning of value", *first);
	if (bad)
		return "invalid JSON";
	if (v->type == VAL_NULL)
		return NULL;
	if (v->type != VAL_LIST)
		return arena_printf(a, "json: cannot unmarshal %s into Go value of type []string", go_type(v));
	VAL_EACH(w, v)
		if (w->type != VAL_STRING && w->type != VAL_NULL)
			return arena_printf(a, "json: cannot unmarshal %s into Go value of type string", go_type(w));
	*out = v->nr ? v : NULL;
	return NULL;
}

static const char *text_of(const struct val *v)
{
	return val_str(v) ? val_str(v) : "";
}

/* parseIPAddrs */
static const char *addresses_of(const char *text, const struct val **out, struct arena *a)
{
	const char *problem = list_of_texts(text, out, a);

	return problem ? arena_printf(a, "failed to parse '%s' as JSON: %s", text, problem) : NULL;
}

/* ---- what is asked for */

static const char *read_families(const char *text, struct calico_asked *x, struct arena *a)
{
	const struct val *v;
	const char *problem = list_of_texts(text, &v, a);

	x->by_family = true;
	VAL_EACH(w, v) {
		if (!streq(text_of(w), "IPv4") && !streq(text_of(w), "IPv6"))
			return arena_printf(a, "error parsing ipFamilies: %s", text);
		x->family[streq(text_of(w), "IPv4")] = true;
	}
	return problem;
}

/* validateAndExtractIPs */
static const char *read_addresses(const char *text, const char *key, struct calico_asked *x, struct arena *a)
{
	const struct val *v;
	const char *problem = addresses_of(text, &v, a);

	if (problem)
		return arena_printf(a, "failed to parse IPs %s for annotation \"%s\": %s", text, key, problem);
	if (!v)
		return arena_printf(a, "annotation \"%s\" specified but empty", key);
	x->by_address = true;
	VAL_EACH(w, v) {
		ip_addr ip;
		bool four;

		if (!ip_parse(text_of(w), &ip))
			return arena_printf(a, "invalid IP format: %s", text_of(w));
		four = ip_is4(ip);
		if (ip_set(x->address[four]))
			return arena_printf(a, "cannot have more than one IPv%d address for \"%s\" annotation", four ? 4 : 6, key);
		x->address[four] = ip;
	}
	return NULL;
}

static const char *not_enabled(const struct cluster *c, const char *name, struct arena *a)
{
	return calico_plugin_has(c, name) ? NULL : arena_printf(a, "requested feature is not enabled: %s", name);
}

const char *calico_asked(const struct cluster *c, const struct pod *p, struct calico_asked *x, struct arena *a)
{
	static const struct { const char *key; bool four; } rows[] = { { KEY "ipv4pools", true }, { KEY "ipv6pools", false } };
	static const pair_list none;
	const struct object *ns = p ? cluster_at(c, &namespace_kind, NULL, p->o.ns) : NULL;
	const pair_list *own = p ? &p->o.annotations : &none, *of_ns = ns ? &ns->annotations : &none;
	const char *families, *addresses, *past, *problem = NULL;

	*x = (struct calico_asked){ .ns = (const struct namespace_ *)ns };
	if (!own->nr && !of_ns->nr)
		return NULL;
	for (size_t k = 0; k < ARRAY_LEN(rows) && !problem; k++) {
		const char *text = said(own, rows[k].key);

		text = text ? text : said(of_ns, rows[k].key);
		problem = text ? list_of_texts(text, &x->pools[rows[k].four], a) : NULL;
	}
	families = said(own, KEY "ipFamilies");
	families = families ? families : said(of_ns, KEY "ipFamilies");
	if (families && !problem)
		problem = read_families(families, x, a);
	addresses = said(own, KEY "ipAddrs");
	past = said(own, KEY "ipAddrsNoIpam");
	if (problem || (!addresses && !past))
		return problem;
	if (addresses && past)
		return "can't have both annotations: 'ipAddrs' and 'ipAddrsNoIpam' in use at the same time";
	if (addresses)
		return read_addresses(addresses, KEY "ipAddrs", x, a);
	x->past_ipam = true;
	problem = not_enabled(c, "ip_addrs_no_ipam", a);
	return problem ? problem : read_addresses(past, KEY "ipAddrsNoIpam", x, a);
}

/* net.ParseMAC, of six octets: xx:xx:…, xx-xx-…, xxxx.xxxx.xxxx. */
static bool is_mac(const char *s)
{
	size_t n = strlen(s), group = n == 17 ? 2 : 4;
	char between = n > group ? s[group] : '\0';

	if ((n != 17 && n != 14) || (group == 2 ? between != ':' && between != '-' : between != '.'))
		return false;
	for (size_t k = 0; k < n; k++)
		if (k % (group + 1) == group ? s[k] != between : !isxdigit((unsigned char)s[k]))
			return false;
	return true;
}

const char *calico_asked_late(const struct cluster *c, const struct pod *p, struct arena *a)
{
	const char *mac = said(&p->o.annotations, KEY "hwAddr"), *prefixes = said(&p->o.annotations, KEY "allowedSourcePrefixes"),
		   *floating = said(&p->o.annotations, KEY "floatingIPs"), *problem;
	const struct val *v;

	if (mac && !is_mac(mac))
		return arena_printf(a, "failed to parse MAC address %s provided via " KEY "hwAddr: address %s: invalid MAC address", mac, mac);
	problem = prefixes ? list_of_texts(prefixes, &v, a) : NULL;
	if (problem)
		return arena_printf(a, "failed to parse '%s' as JSON: %s", prefixes, problem);
	VAL_EACH(w, prefixes ? v : NULL) {
		struct cidr cidr;

		if (!strchr(text_of(w), '/') || !cidr_parse(text_of(w), &cidr))
			return arena_printf(a, "failed to parse '%s' as a CIDR: invalid CIDR address: %s", text_of(w), text_of(w));
	}
	problem = floating ? not_enabled(c, "floating_ips", a) : NULL;
	return problem || !floating ? problem : addresses_of(floating, &v, a);
}
