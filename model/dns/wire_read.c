/* DNS messages, read. */
#include "model/dns/wire.h"

#include "model/dns/numbers.h"

#define POINTER 0xc0

const uint16_t dns_type_numbers[DNS_TYPE_COUNT] = {
	[DNS_A] = 1, [DNS_NS] = 2, [DNS_CNAME] = 5, [DNS_PTR] = 12, [DNS_TXT] = 16, [DNS_AAAA] = 28, [DNS_SRV] = 33,
};
const uint8_t dns_rcode_numbers[] = { [DNS_NOERROR] = 0, [DNS_NXDOMAIN] = 3, [DNS_SERVFAIL] = 2, [DNS_REFUSED] = 5, [DNS_TIMEOUT] = 2, [DNS_UNREACHABLE] = 2 };

bool dns_type_known(uint16_t number, enum dns_type *out)
{
	for (enum dns_type t = 0; t < DNS_TYPE_COUNT; t++)
		if (dns_type_numbers[t] == number) {
			*out = t;
			return true;
		}
	return false;
}

/* ---- reading: every read is checked; after the first that goes too far, bad stays true and zeros come */

struct reader { const uint8_t *p; uint32_t n, at; bool bad; };

static uint16_t get16(struct reader *r)
{
	uint16_t v;

	if (r->bad || r->n - r->at < 2) {
		r->bad = true;
		return 0;
	}
	v = (uint16_t)(r->p[r->at] << 8 | r->p[r->at + 1]);
	r->at += 2;
	return v;
}

static uint32_t get32(struct reader *r)
{
	uint32_t high = get16(r);

	return high << 16 | get16(r);
}

static void skip(struct reader *r, uint32_t n)
{
	if (r->bad || r->n - r->at < n)
		r->bad = true;
	else
		r->at += n;
}

static bool plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
}

static size_t put_label_text(const uint8_t *label, uint32_t len, char *out)
{
	size_t n = 0;

	for (uint32_t k = 0; k < len; k++) {
		if (plain(label[k]))
			out[n++] = (char)label[k];
		else
			n += (size_t)snprintf(out + n, 5, "\\%03u", label[k]);
	}
	out[n++] = '.';
	return n;
}

/* A name as text. Pointers lead backwards only, so that no chain of them is endless. pointers false: none is allowed. */
static void get_name(struct reader *r, bool pointers, char out[DNS_NAME_TEXT])
{
	uint32_t at = r->at, before = r->at, bytes = 0;
	size_t n = 0;
	bool jumped = false;

	out[0] = '\0';
	while (!r->bad) {
		uint8_t len = at < r->n ? r->p[at] : 0xff;

		if (at >= r->n || (len & POINTER && (len & POINTER) != POINTER)) {
			r->bad = true;
		} else if (len & POINTER) {
			uint32_t to = at + 1 < r->n ? (uint32_t)(len & 0x3f) << 8 | r->p[at + 1] : UINT32_MAX;

			if (!pointers || to >= before || to < DNS_HEADER) {
				r->bad = true;
				break;
			}
			if (!jumped)
				r->at = at + 2;
			jumped = true;
			at = before = to;
		} else if (len == 0) {
			if (!jumped)
				r->at = at + 1;
			break;
		} else if ((bytes += len + 1u) >= DNS_NAME || r->n - at <= len) {
			r->bad = true;
		} else {
			n += put_label_text(r->p + at + 1, len, out + n);
			at += len + 1u;
		}
	}
	if (n == 0)
		out[n++] = '.';
	out[n] = '\0';
}

/* The additional section's pseudo-record, if there is one. */
static void get_record_of_query(struct reader *r, struct dns_asked *q)
{
	char name[DNS_NAME_TEXT];
	uint16_t type, class;
	uint32_t ttl;

	get_name(r, true, name);
	type = get16(r);
	class = get16(r);
	ttl = get32(r);
	skip(r, get16(r));
	if (r->bad || type != TYPE_OPT)
		return;
	r->bad = q->edns;               /* two of them: RFC 6891, 6.1.1 */
	q->edns = true;
	q->edns_version = (uint8_t)(ttl >> 16);
	q->udp_size = MAX(class, DNS_UDP_MIN);
}

enum dns_read dns_read_query(const uint8_t *p, uint32_t n, struct dns_asked *q)
{
	struct reader r = { p, n, 0, false };
	uint16_t flags, questions, answers, authorities, additional;

	memset(q, 0, offsetof(struct dns_asked, name) + 1);
	q->udp_size = DNS_UDP_MIN;
	q->id = get16(&r);
	flags = get16(&r);
	questions = get16(&r);
	answers = get16(&r);
	authorities = get16(&r);
	additional = get16(&r);
	if (r.bad || flags & FLAG_QR)
		return DNS_READ_NOTHING;
	q->opcode = flags >> 11 & 15;
	q->recursion = flags & FLAG_RD;
	q->checking_off = flags & FLAG_CD;
	q->end = DNS_HEADER;
	if (q->opcode || questions != 1 || answers > 1 || authorities > 1 || additional > 2)    /* what miekg/dns accepts, the library of CoreDNS */
		return DNS_READ_BROKEN;
	get_name(&r, false, q->name);
	q->type = get16(&r);
	q->class = get16(&r);
	if (r.bad)
		return DNS_READ_BROKEN;
	q->end = r.at;
	for (unsigned k = 0; k < (unsigned)(answers + authorities + additional); k++)
		get_record_of_query(&r, q);
	return r.bad ? DNS_READ_BROKEN : DNS_READ_QUERY;
}

/* ---- answers */

static ip_addr get_ip(struct reader *r, bool four)
{
	ip_addr ip = ip_from4(get32(r));

	if (!four) {
		ip.hi = (uint64_t)ip_to4(ip) << 32;
		ip.hi |= get32(r);
		ip.lo = (uint64_t)get32(r) << 32;
		ip.lo |= get32(r);
	}
	return ip;
}

static void add_ip(struct arena *a, struct dns_answer *out, ip_addr ip)
{
	ip_addr *v = arena_array(a, ip_addr, out->nr_ips + 1);

	if (out->nr_ips)
		memcpy(v, out->ips, out->nr_ips * sizeof(*v));
	v[out->nr_ips++] = ip;
	out->ips = v;
	dns_add(a, &out->answers, arena_printf(a, "%s", IP(ip)));
}

static void get_text(struct reader *r, uint32_t end, struct dns_answer *out, struct arena *a)
{
	struct sb text = { 0 };

	while (!r->bad && r->at < end) {
		uint32_t n = r->p[r->at++];

		if (end - r->at < n) {
			r->bad = true;
			break;
		}
		for (uint32_t k = 0; k < n; k++)
			sb_addc(&text, (char)(r->p[r->at + k] ? r->p[r->at + k] : '?'));
		r->at += n;
	}
	dns_add(a, &out->answers, arena_strdup(a, sb_text(&text)));
	sb_free(&text);
}

static void get_data(struct reader *r, enum dns_type type, uint32_t end, struct dns_answer *out, struct arena *a)
{
	char target[DNS_NAME_TEXT];
	unsigned port;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		add_ip(a, out, get_ip(r, type == DNS_A));
		return;
	case DNS_SRV:
		skip(r, 4);
		port = get16(r);
		get_name(r, true, target);
		dns_add(a, &out->answers, arena_printf(a, "%u %s", port, target));
		return;
	case DNS_TXT:
		get_text(r, end, out, a);
		return;
	case DNS_PTR:
	case DNS_CNAME:
	case DNS_NS:
		get_name(r, true, target);
		dns_add(a, &out->answers, arena_strdup(a, target));
		return;
	case DNS_TYPE_COUNT:
		return;
	}
}

static void get_answer(struct reader *r, enum dns_type asked, struct dns_answer *out, struct arena *a)
{
	char name[DNS_NAME_TEXT];
	enum dns_type type;
	uint32_t end, size;
	uint16_t number;

	get_name(r, true, name);
	number = get16(r);
	get16(r);
	out->ttl = get32(r);
	size = get16(r);
	end = r->at + size;
	if (r->bad || r->n - r->at < size) {
		r->bad = true;
		return;
	}
	if (dns_type_known(number, &type) && type == asked) {
		get_data(r, type, end, out, a);
	} else if (number == dns_type_numbers[DNS_CNAME]) {
		get_name(r, true, name);
		dns_add(a, &out->cname, arena_strdup(a, name));
	} else {
		r->at = end;
	}
	r->bad = r->bad || r->at != end;
}

bool dns_read_answer(const uint8_t *p, uint32_t n, uint16_t id, const char *name, enum dns_type type, struct dns_answer *out, bool *truncated, struct arena *a)
{
	struct reader r = { p, n, 0, false };
	char asked[DNS_NAME_TEXT];
	uint16_t flags, questions, answers;
	unsigned rcode;

	*out = (struct dns_answer){ .rcode = DNS_SERVFAIL };
	if (get16(&r) != id || !((flags = get16(&r)) & FLAG_QR))
		return false;
	questions = get16(&r);
	answers = get16(&r);
	get32(&r);
	if (questions != 1)
		return false;
	get_name(&r, false, asked);
	if (r.bad || !dns_same_name(asked, name) || get16(&r) != dns_type_numbers[type] || get16(&r) != CLASS_IN)
		return false;
	for (unsigned k = 0; k < answers && !r.bad; k++)
		get_answer(&r, type, out, a);
	rcode = flags & 15;
	for (enum dns_rcode k = DNS_NOERROR; k < DNS_TIMEOUT; k++)
		if (dns_rcode_numbers[k] == rcode)
			out->rcode = k;
	out->own = flags & FLAG_AA;
	*truncated = flags & FLAG_TC;
	return !r.bad;
}
