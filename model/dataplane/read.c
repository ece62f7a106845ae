/* What all readers share: notes, lines, words, numbers, names. */
#include "model/dataplane/read.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const note_kinds[NOTE_COUNT] = { [NOTE_MISSING] = "missing", [NOTE_UNKNOWN] = "unknown", [NOTE_ASSUMED] = "assumed", [NOTE_IGNORED] = "ignored" };
const char *const part_names[PART_COUNT] = {
	[PART_NONE] = "", [PART_IPTABLES] = "iptables-save", [PART_IPTABLES_LIST] = "iptables -L", [PART_IPSET] = "ipset", [PART_NFT] = "nft", [PART_LINK] = "ip addr", [PART_ROUTE] = "ip route",
	[PART_RULE] = "ip rule", [PART_NEIGH] = "ip neigh", [PART_FDB] = "bridge fdb", [PART_SYSCTL] = "sysctl", [PART_IPVS] = "ipvsadm", [PART_SS] = "ss", [PART_BIRD_ROUTES] = "birdc",
};

void note(struct node_in *n, enum note_kind kind, const struct part *p, uint32_t line, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	str s;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s = str_intern(n->strings, text);
	for (uint32_t k = 0; k < n->cap->notes.nr; k++)
		if (n->cap->notes.v[k].text == s && n->cap->notes.v[k].node == n->name)
			return;
	if (n->cap->notes.nr < 500)
		vec_add(n->arena, &n->cap->notes, (struct capture_note){ (uint8_t)kind, n->name, p ? p->file : NULL, p ? line : 0, s });
}

struct link_in *link_in(struct node_in *n, const char *name)
{
	str s = str_intern(n->strings, name);

	for (uint32_t k = 0; k < n->links.nr; k++)
		if (n->links.v[k].name == s)
			return &n->links.v[k];
	vec_add(n->arena, &n->links, (struct link_in){ .name = s, .kind = strcmp(name, "lo") == 0 ? LINK_LO : LINK_PHYS });
	return &n->links.v[n->links.nr - 1];
}

struct lines lines_of(const struct part *p)
{
	return (struct lines){ p->text, p->text + p->n, p->line - 1 };
}

bool next_line(struct lines *l, const char **s, size_t *n)
{
	const char *end;

	if (l->p >= l->end)
		return false;
	end = memchr(l->p, '\n', (size_t)(l->end - l->p));
	end = end ? end : l->end;
	*s = l->p;
	*n = (size_t)(end - l->p);
	while (*n && ((*s)[*n - 1] == '\r'))
		(*n)--;
	l->p = end + (end < l->end);
	l->line++;
	return true;
}

static const char *quoted(struct arena *a, const char **p, const char *end)
{
	char *out = arena_array(a, char, (size_t)(end - *p) + 1);
	const char *s = *p + 1;
	size_t n = 0;

	while (s < end && *s != '"') {
		if (*s == '\\' && s + 1 < end)
			s++;
		out[n++] = *s++;
	}
	out[n] = '\0';
	*p = s < end ? s + 1 : s;
	return out;
}

bool word_among(const char *word, const char *const *words)
{
	for (int k = 0; words[k]; k++)
		if (strcmp(words[k], word) == 0)
			return true;
	return false;
}

struct words words_of(struct arena *a, const char *s, size_t n, bool quotes)
{
	const char *end = s + n;
	struct words w = { 0 };

	while (s < end) {
		const char *q = s;

		if (isspace((unsigned char)*s) || *s == '\0') {
			s++;
			continue;
		}
		if (quotes && *s == '"') {
			vec_add(a, &w, quoted(a, &s, end));
			continue;
		}
		while (q < end && *q && !isspace((unsigned char)*q))
			q++;
		vec_add(a, &w, arena_strndup(a, s, (size_t)(q - s)));
		s = q;
	}
	return w;
}

bool number_of(const char *s, uint64_t max, uint32_t *out)
{
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)*s))
		return false;
	v = strtoull(s, &end, s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10);
	if (*end || v > max || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

bool mac_of(const char *s, uint8_t mac[6])
{
	for (int k = 0; k < 6; k++) {
		char two[3] = { s[0], s[0] ? s[1] : '\0', '\0' }, *end;

		mac[k] = (uint8_t)strtoul(two, &end, 16);
		if (end != two + 2)
			return false;
		s += 2;
		if (k < 5 && *s++ != ':')
			return false;
	}
	return *s == '\0';
}

bool proto_of_word(const char *s, uint32_t *proto)
{
	static const struct { const char *name; uint32_t proto; } rows[] = {
		{ "tcp", 6 }, { "udp", 17 }, { "sctp", 132 }, { "icmp", 1 }, { "icmpv6", 58 }, { "ipv6-icmp", 58 }, { "icmp6", 58 }, { "all", 0 }, { "esp", 50 }, { "ah", 51 }, { "gre", 47 },
		{ "udplite", 136 }, { "dccp", 33 }, { "ipencap", 4 }, { "ipip", 4 }, { "ipv4", 4 }, { "ipv6", 41 }, { "ospf", 89 }, { "vrrp", 112 }, { "igmp", 2 }, { "pim", 103 }, { "comp", 108 },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (strcasecmp(rows[k].name, s) == 0) {
			*proto = rows[k].proto;
			return true;
		}
	return number_of(s, 255, proto);
}

bool port_of_word(const char *s, uint16_t *port)
{
	static const struct { const char *name; uint16_t port; } rows[] = {      /* IANA's, as listings without -n show them */
		{ "ftp-data", 20 }, { "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 }, { "domain", 53 }, { "bootps", 67 }, { "bootpc", 68 }, { "tftp", 69 }, { "http", 80 },
		{ "http-alt", 8080 }, { "webcache", 8080 }, { "pop3", 110 }, { "sunrpc", 111 }, { "ntp", 123 }, { "netbios-ns", 137 }, { "netbios-dgm", 138 }, { "netbios-ssn", 139 },
		{ "imap2", 143 }, { "imap", 143 }, { "snmp", 161 }, { "snmp-trap", 162 }, { "bgp", 179 }, { "ldap", 389 }, { "https", 443 }, { "microsoft-ds", 445 }, { "submission", 587 },
		{ "ldaps", 636 }, { "domain-s", 853 }, { "imaps", 993 }, { "pop3s", 995 }, { "ms-sql-s", 1433 }, { "nfs", 2049 }, { "mysql", 3306 }, { "ms-wbt-server", 3389 }, { "mdns", 5353 },
		{ "postgresql", 5432 }, { "amqp", 5672 }, { "sip", 5060 }, { "redis", 6379 }, { "memcached", 11211 }, { "isakmp", 500 }, { "ipsec-nat-t", 4500 }, { "syslog", 514 },
		{ "dhcpv6-client", 546 }, { "dhcpv6-server", 547 }, { "vxlan", 4789 }, { "geneve", 6081 }, { "https-alt", 8443 }, { "zabbix-agent", 10050 }, { "git", 9418 },
	};
	uint32_t v;

	if (number_of(s, 65535, &v)) {
		*port = (uint16_t)v;
		return true;
	}
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (strcmp(rows[k].name, s) == 0) {
			*port = rows[k].port;
			return true;
		}
	return false;
}
