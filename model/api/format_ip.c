/* Addresses and prefixes as API fields must have them. Source: apimachinery pkg/util/validation/ip.go. Fields older than Kubernetes 1.33 took legacy forms (leading zeros,
 * mapped addresses, host bits); since 1.36 only values that the object had before may have them (StrictIPCIDRValidation). */
#include "model/api/check.h"
#include "model/base/ip.h"

#define ADDRESS_WORDS "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
#define CIDR_WORDS    "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

/* ::ffff:1.2.3.4: written with a colon, yet an IPv4 address. */
static bool mapped(const char *s, ip_addr ip)
{
	return strchr(s, ':') && ip_is4(ip);
}

static bool holds(const struct val *v, const char *s)
{
	if (val_is(v, VAL_STRING))
		return strcmp(val_str(v), s) == 0;
	if (!val_is(v, VAL_LIST) && !val_is(v, VAL_MAP))
		return false;
	VAL_EACH(m, v)
		if (holds(m, s))
			return true;
	return false;
}

/* A value that the object had before, or has in a cluster that there is, is taken whatever its form. */
static bool stood_before(const struct check *c, const char *s)
{
	return c->stands || holds(val_get(c->was, "spec"), s) || holds(val_get(c->was, "subsets"), s) || holds(val_get(c->was, "status"), s);
}

void must_be_ip(struct check *c, const struct path *p, const char *s)
{
	ip_addr ip, strict;

	if (!ip_parse_lenient(s, &ip))
		refuse_str(c, p, s, ADDRESS_WORDS);
	else if (ip_parse(s, &strict) && !mapped(s, ip))
		return;
	else if (stood_before(c, s))
		warn_of(c, p, "non-standard IP address \"%s\" is invalid: use \"%s\"", s, IP(ip));
	else
		refuse_str(c, p, s, "%s", mapped(s, ip) ? "must not be an IPv4-mapped IPv6 address" : "must not have leading 0s");
}

void must_be_canonical_ip(struct check *c, const struct path *p, const char *s)
{
	ip_addr ip, strict;

	if (!ip_parse_lenient(s, &ip))
		refuse_str(c, p, s, ADDRESS_WORDS);
	else if (mapped(s, ip))
		refuse_str(c, p, s, "must not be an IPv4-mapped IPv6 address");
	else if (!ip_parse(s, &strict))
		refuse_str(c, p, s, "must not have leading 0s");
	else if (strcmp(s, IP(ip)) != 0)
		refuse_str(c, p, s, "must be in canonical form (\"%s\")", IP(ip));
}

/* Takes leading zeros; host: the bits behind the prefix, as written. */
static bool parse_prefix(const char *s, struct cidr *host)
{
	const char *slash = strchr(s, '/');
	char head[64];
	unsigned len = 0;

	if (!slash || (size_t)(slash - s) >= sizeof(head) || !slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1) || strlen(slash + 1) > 6)
		return false;
	memcpy(head, s, (size_t)(slash - s));
	head[slash - s] = '\0';
	for (const char *d = slash + 1; *d; d++)
		len = len * 10 + (unsigned)(*d - '0');
	if (!ip_parse_lenient(head, &host->addr))
		return false;
	if (mapped(head, host->addr)) {
		if (len < 96 || len > 128)
			return false;
		len -= 96;
	}
	host->len = (uint8_t)len;
	return len <= (unsigned)ip_bits(host->addr);
}

static struct cidr network(struct cidr host)
{
	return (struct cidr){ ip_mask(host.addr, host.len), host.len, true };
}

static bool is_mapped_prefix(const char *s, struct cidr host)
{
	return strchr(s, ':') && ip_is4(host.addr);
}

void must_be_cidr_any(struct check *c, const struct path *p, const char *s)
{
	struct cidr host, strict;

	if (!parse_prefix(s, &host)) {
		refuse_str(c, p, s, CIDR_WORDS);
		return;
	}
	if (!ip_eq(host.addr, network(host).addr))
		warn_of(c, p, "CIDR value \"%s\" is ambiguous in this context (should be \"%s\" or \"%s/%d\"?)", s, CIDR(network(host)), IP(host.addr), ip_bits(host.addr));
	if (!cidr_parse_host(s, &strict))
		warn_of(c, p, "non-standard CIDR value \"%s\" is invalid: use \"%s\"", s, CIDR(network(host)));
}

void must_be_cidr(struct check *c, const struct path *p, const char *s)
{
	struct cidr host, strict;

	if (!parse_prefix(s, &host))
		refuse_str(c, p, s, CIDR_WORDS);
	else if (stood_before(c, s))
		must_be_cidr_any(c, p, s);
	else if (is_mapped_prefix(s, host))
		refuse_str(c, p, s, "must not have an IPv4-mapped IPv6 address");
	else if (!cidr_parse_host(s, &strict))
		refuse_str(c, p, s, "must not have leading 0s in IP or prefix length");
	else if (!ip_eq(host.addr, network(host).addr))
		refuse_str(c, p, s, "must not have bits set beyond the prefix length");
}
