/* Addresses and prefixes as API fields must have them. Source: apimachinery pkg/util/validation/ip.go; StrictIPCIDRValidation is on since 1.36. */
#include "model/api/check.h"
#include "model/base/ip.h"

#define ADDRESS_WORDS "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
#define CIDR_WORDS    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

/* ::ffff:1.2.3.4: written with a colon, yet an IPv4 address. */
static bool mapped(const char *s, ip_addr ip)
{
	return strchr(s, ':') && ip_is4(ip);
}

static bool address(struct check *c, const struct path *p, const char *s, ip_addr *ip)
{
	if (!ip_parse_lenient(s, ip))
		return refuse_str(c, p, s, ADDRESS_WORDS);
	if (mapped(s, *ip))
		return refuse_str(c, p, s, "must not be an IPv4-mapped IPv6 address");
	if (!ip_parse(s, ip))
		return refuse_str(c, p, s, "must not have leading 0s");
	return true;
}

void must_be_ip(struct check *c, const struct path *p, const char *s)
{
	ip_addr ip;

	address(c, p, s, &ip);
}

void must_be_canonical_ip(struct check *c, const struct path *p, const char *s)
{
	ip_addr ip;

	if (address(c, p, s, &ip) && strcmp(s, IP(ip)) != 0)
		refuse_str(c, p, s, "must be in canonical form (\"%s\")", IP(ip));
}

/* Is it a prefix but for leading zeros? */
static bool lenient(const char *s, ip_addr *ip)
{
	const char *slash = strchr(s, '/');
	char head[64];
	unsigned len = 0;
	size_t n;

	if (!slash || (size_t)(slash - s) >= sizeof(head) || !slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash + 1) > 6)
		return false;
	n = (size_t)(slash - s);
	memcpy(head, s, n);
	head[n] = '\0';
	for (const char *d = slash + 1; *d; d++)
		len = len * 10 + (unsigned)(*d - '0');
	return ip_parse_lenient(head, ip) && len <= (strchr(head, ':') ? 128u : 32u);
}

static bool prefix(struct check *c, const struct path *p, const char *s, struct cidr *out)
{
	struct cidr host;
	ip_addr ip;

	if (!lenient(s, &ip))
		return refuse_str(c, p, s, CIDR_WORDS);
	if (mapped(s, ip))
		return refuse_str(c, p, s, "must not have an IPv4-mapped IPv6 address");
	if (!cidr_parse_host(s, &host) || !cidr_parse(s, out))
		return refuse_str(c, p, s, "must not have leading 0s in IP or prefix length");
	if (!ip_eq(host.addr, out->addr))
		return refuse_str(c, p, s, "must not have bits set beyond the prefix length");
	return true;
}

void must_be_cidr(struct check *c, const struct path *p, const char *s)
{
	struct cidr cidr;

	prefix(c, p, s, &cidr);
}

void must_be_canonical_cidr(struct check *c, const struct path *p, const char *s)
{
	struct cidr cidr;

	if (prefix(c, p, s, &cidr) && strcmp(s, CIDR(cidr)) != 0)
		refuse_str(c, p, s, "must be in canonical form (\"%s\")", CIDR(cidr));
}
