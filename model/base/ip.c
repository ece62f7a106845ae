#include "model/base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static ip_addr from_bytes(const unsigned char b[16])
{
	ip_addr a = { 0, 0 };

	for (int k = 0; k < 8; k++) {
		a.hi = a.hi << 8 | b[k];
		a.lo = a.lo << 8 | b[k + 8];
	}
	return a;
}

static void to_bytes(ip_addr a, unsigned char b[16])
{
	for (int k = 7; k >= 0; k--) {
		b[k] = (unsigned char)a.hi;
		b[k + 8] = (unsigned char)a.lo;
		a.hi >>= 8;
		a.lo >>= 8;
	}
}

static bool parse4(const char *s, bool lenient, ip_addr *out)
{
	uint32_t v = 0;

	for (int part = 0; part < 4; part++) {
		unsigned n = 0;
		const char *from = s;

		while (*s >= '0' && *s <= '9' && n <= 255)
			n = n * 10 + (unsigned)(*s++ - '0');
		if (s == from || n > 255 || (!lenient && *from == '0' && s - from > 1))
			return false;
		if (*s != (part < 3 ? '.' : '\0'))
			return false;
		s += part < 3;
		v = v << 8 | n;
	}
	*out = ip_from4(v);
	return true;
}

static bool parse(const char *s, bool lenient, ip_addr *out)
{
	struct in6_addr six;

	if (!s)
		return false;
	if (!strchr(s, ':'))
		return parse4(s, lenient, out);
	if (inet_pton(AF_INET6, s, &six) != 1)
		return false;
	*out = from_bytes(six.s6_addr);
	return true;
}

bool ip_parse(const char *s, ip_addr *out)
{
	return parse(s, false, out);
}

bool ip_parse_lenient(const char *s, ip_addr *out)
{
	return parse(s, true, out);
}

bool ip_parse_n(const char *s, size_t n, ip_addr *out)
{
	char text[IP_TEXT + 16];

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return ip_parse(text, out);
}

bool cidr_parse_host(const char *s, struct cidr *out)
{
	const char *slash = strchr(s, '/');
	unsigned len = 0;
	ip_addr a;

	if (!slash || !ip_parse_n(s, (size_t)(slash - s), &a))
		return false;
	s = slash + 1;
	if (!*s || (*s == '0' && s[1]))
		return false;
	for (; *s >= '0' && *s <= '9' && len <= 128; s++)
		len = len * 10 + (unsigned)(*s - '0');
	if (*s || len > (unsigned)ip_bits(a))
		return false;
	*out = (struct cidr){ a, (uint8_t)len, true };
	return true;
}

bool cidr_parse_lenient(const char *s, struct cidr *out)
{
	const char *slash = strchr(s, '/');
	char text[IP_TEXT + 16];
	unsigned long len;
	char *rest;
	ip_addr a;

	if (!slash || (size_t)(slash - s) >= sizeof(text))
		return false;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	len = strtoul(slash + 1, &rest, 10);
	if (*rest || rest == slash + 1 || slash[1] < '0' || slash[1] > '9' || !ip_parse_lenient(text, &a) || len > (unsigned long)ip_bits(a))
		return false;
	*out = (struct cidr){ ip_mask(a, (uint8_t)len), (uint8_t)len, true };
	return true;
}

bool cidr_parse(const char *s, struct cidr *out)
{
	if (!cidr_parse_host(s, out))
		return false;
	out->addr = ip_mask(out->addr, out->len);
	return true;
}

/* RFC 5952: the longest run of two or more zero groups, the first of equal ones, becomes "::". */
static void text6(const unsigned char b[16], char *out)
{
	unsigned group[8];
	int best = -1, best_len = 1;

	for (int k = 0; k < 8; k++)
		group[k] = (unsigned)b[2 * k] << 8 | b[2 * k + 1];
	for (int k = 0; k < 8; k++) {
		int n = 0;

		while (k + n < 8 && group[k + n] == 0)
			n++;
		if (n > best_len) {
			best = k;
			best_len = n;
		}
	}
	for (int k = 0; k < 8; k++) {
		if (k == best) {
			out += sprintf(out, "::");
			k += best_len - 1;
			continue;
		}
		out += sprintf(out, "%s%x", k > 0 && k != best + best_len ? ":" : "", group[k]);
	}
	if (best >= 0 && best + best_len == 8)
		*out = '\0';
}

/* → behind it */
static char *byte_text(uint32_t b, char *out)
{
	if (b >= 100)
		*out++ = (char)('0' + b / 100);
	if (b >= 10)
		*out++ = (char)('0' + b / 10 % 10);
	*out++ = (char)('0' + b % 10);
	return out;
}

static void text4(uint32_t v, char *out)
{
	for (int shift = 24; shift >= 0; shift -= 8) {
		out = byte_text(v >> shift & 255, out);
		*out++ = shift ? '.' : '\0';
	}
}

const char *ip_text(ip_addr a, char out[IP_TEXT])
{
	unsigned char b[16];
	uint32_t v = ip_to4(a);

	if (!ip_set(a)) {
		out[0] = '\0';
	} else if (ip_is4(a)) {
		text4(v, out);
	} else {
		to_bytes(a, b);
		text6(b, out);
	}
	return out;
}

const char *cidr_text(struct cidr c, char out[CIDR_TEXT])
{
	char *end;

	if (ip_set(c.addr))
		ip_text(c.addr, out);
	else
		strcpy(out, "::");
	end = out + strlen(out);
	*end++ = '/';
	*byte_text(c.len, end) = '\0';
	return out;
}

/* A mask over the 128-bit form: the first `len` bits of the family. */
static ip_addr mask_of(ip_addr a, uint8_t len)
{
	unsigned bits = len + (ip_is4(a) ? 96u : 0u);
	ip_addr m;

	m.hi = bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
	m.lo = bits <= 64 ? 0 : bits >= 128 ? UINT64_MAX : UINT64_MAX << (128 - bits);
	return m;
}

ip_addr ip_mask(ip_addr a, uint8_t len)
{
	ip_addr m = mask_of(a, len);

	return (ip_addr){ a.hi & m.hi, a.lo & m.lo };
}

bool cidr_contains(struct cidr c, ip_addr a)
{
	return ip_is4(c.addr) == ip_is4(a) && ip_eq(ip_mask(a, c.len), ip_mask(c.addr, c.len));
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
	return a.len <= b.len ? cidr_contains(a, b.addr) : cidr_contains(b, a.addr);
}

ip_addr ip_add(ip_addr a, uint64_t n)
{
	ip_addr to = { a.hi, a.lo + n };

	to.hi += to.lo < a.lo;
	return to;
}

ip_addr ip_sub(ip_addr a, uint64_t n)
{
	ip_addr to = { a.hi, a.lo - n };

	to.hi -= to.lo > a.lo;
	return to;
}

uint64_t ip_diff(ip_addr a, ip_addr b)
{
	uint64_t hi = a.hi - b.hi - (a.lo < b.lo);

	return hi ? UINT64_MAX : a.lo - b.lo;
}

ip_addr cidr_last(struct cidr c)
{
	ip_addr m = mask_of(c.addr, c.len);

	return (ip_addr){ c.addr.hi | ~m.hi, c.addr.lo | ~m.lo };
}

bool cidr_of_range(ip_addr first, ip_addr last, struct cidr *out)
{
	for (int len = ip_bits(first); len >= 0; len--) {
		*out = (struct cidr){ ip_mask(first, (uint8_t)len), (uint8_t)len, true };
		if (ip_eq(out->addr, first) && ip_eq(cidr_last(*out), last))
			return true;
	}
	return false;
}

uint64_t cidr_size(struct cidr c)
{
	int bits = ip_bits(c.addr) - c.len;

	return bits >= 64 ? UINT64_MAX : (uint64_t)1 << bits;
}

bool ip_is_loopback(ip_addr a)
{
	return ip_is4(a) ? ip_to4(a) >> 24 == 127 : a.hi == 0 && a.lo == 1;
}

bool ip_is_multicast(ip_addr a)
{
	return ip_is4(a) ? ip_to4(a) >> 28 == 14 : a.hi >> 56 == 0xff;
}

bool ip_is_linklocal(ip_addr a)
{
	return ip_is4(a) ? ip_to4(a) >> 16 == 0xa9fe : a.hi >> 54 == 0xfe80 >> 6;
}
