/* DNS messages, written: what the server answers, and queries. */
#include "model/dns/wire.h"

#include <stdlib.h>

#include "model/cluster/cluster.h"
#include "model/dns/numbers.h"

#define UDP_MAX     4096u
#define UDP_ASKED   1232u               /* dnsflagday.net/2020 */
#define OPT_BYTES   11u
#define QUESTION_AT 0xc00c              /* a pointer to the name of the question */

/* What does not fit is not written, and full stays true. */
struct writer { uint8_t *p; uint32_t n, max; bool full; };

static void put8(struct writer *w, unsigned v)
{
	if (w->n < w->max)
		w->p[w->n++] = (uint8_t)v;
	else
		w->full = true;
}

static void put16(struct writer *w, unsigned v)
{
	put8(w, v >> 8 & 255);
	put8(w, v & 255);
}

static void put32(struct writer *w, uint32_t v)
{
	put16(w, v >> 16);
	put16(w, v & 0xffff);
}

static void set16(struct writer *w, uint32_t at, unsigned v)
{
	w->p[at] = (uint8_t)(v >> 8);
	w->p[at + 1] = (uint8_t)v;
}

static bool escape(const char *s, uint8_t *out)
{
	unsigned v = 0;

	for (int k = 1; k <= 3; k++) {
		if (s[k] < '0' || s[k] > '9')
			return false;
		v = 10 * v + (unsigned)(s[k] - '0');
	}
	*out = (uint8_t)v;
	return v < 256;
}

/* false: that cannot be a name (a label is empty or longer than 63 bytes, the whole longer than 255). */
static bool put_name(struct writer *w, const char *text)
{
	uint32_t total = 1;

	for (const char *p = text[0] == '.' && !text[1] ? text + 1 : text; *p;) {
		uint8_t label[DNS_LABEL];
		uint32_t len = 0;

		for (; *p && *p != '.'; p++) {
			if (len == DNS_LABEL)
				return false;
			if (*p != '\\')
				label[len++] = (uint8_t)*p;
			else if (escape(p, &label[len++]))
				p += 3;
			else
				return false;
		}
		total += len + 1;
		if (!len || total > DNS_NAME)
			return false;
		put8(w, len);
		for (uint32_t k = 0; k < len; k++)
			put8(w, label[k]);
		p += *p == '.';
	}
	put8(w, 0);
	return true;
}

static void put_ip(struct writer *w, ip_addr ip)
{
	if (ip_is4(ip)) {
		put32(w, ip_to4(ip));
		return;
	}
	put32(w, (uint32_t)(ip.hi >> 32));
	put32(w, (uint32_t)ip.hi);
	put32(w, (uint32_t)(ip.lo >> 32));
	put32(w, (uint32_t)ip.lo);
}

static void put_text(struct writer *w, const char *text)
{
	size_t left = strlen(text);

	do {
		size_t n = MIN(left, 255u);

		put8(w, (unsigned)n);
		for (size_t k = 0; k < n; k++)
			put8(w, (uint8_t)text[k]);
		text += n;
		left -= n;
	} while (left);
}

/* The data of one answer, from its text. */
static bool put_data(struct writer *w, enum dns_type type, const char *text, uint32_t nr)
{
	char *target;
	ip_addr ip;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		if (!ip_parse(text, &ip) || ip_is4(ip) != (type == DNS_A))
			return false;
		put_ip(w, ip);
		return true;
	case DNS_SRV:                   /* priority 0; the records share 100 (CoreDNS, plugin/backend_lookup.go) */
		put16(w, 0);
		put16(w, 100 / nr);
		put16(w, (unsigned)strtoul(text, &target, 10));
		return *target == ' ' && put_name(w, target + 1);
	case DNS_TXT:
		put_text(w, text);
		return true;
	case DNS_PTR:
	case DNS_CNAME:
	case DNS_NS:
		return put_name(w, text);
	case DNS_TYPE_COUNT:
		break;
	}
	return false;
}

struct reply { struct writer w; uint16_t answers, authorities, more; bool cut, failed; };

/* One record; owner NULL: the name of the question. Once one did not fit, none is added. */
static void put_record(struct reply *r, const char *owner, enum dns_type type, uint32_t ttl, const char *text, uint32_t nr)
{
	uint32_t from = r->w.n, data;

	if (r->cut || r->failed)
		return;
	if (!owner)
		put16(&r->w, QUESTION_AT);
	else
		r->failed = !put_name(&r->w, owner);
	put16(&r->w, dns_type_numbers[type]);
	put16(&r->w, CLASS_IN);
	put32(&r->w, ttl);
	data = r->w.n + 2;
	put16(&r->w, 0);
	r->failed = r->failed || !put_data(&r->w, type, text, nr);
	if (r->w.full || r->failed) {
		r->cut = r->w.full;
		r->w.full = false;
		r->w.n = from;
		return;
	}
	set16(&r->w, data - 2, r->w.n - data);
	r->answers++;
}

static bool below(const char *name, const char *zone)
{
	size_t n = strlen(name) - 1, m = strlen(zone);

	return n >= m && strncasecmp(name + n - m, zone, m) == 0 && (n == m || name[n - m - 1] == '.');
}

/* "There is nothing" comes with the zone's SOA (RFC 2308), as CoreDNS makes it (plugin/backend_lookup.go). */
static void put_soa(struct reply *r, struct cluster *c, const char *name, uint32_t ttl)
{
	const char *const zones[] = { cluster_settings(c)->domain, "in-addr.arpa", "ip6.arpa", NULL };
	uint32_t from = r->w.n, data;
	char text[DNS_NAME_TEXT];

	for (const char *const *zone = zones; *zone; zone++) {
		if (!**zone || !below(name, *zone) || strlen(*zone) > DNS_NAME)
			continue;
		r->failed = !put_name(&r->w, *zone);
		put16(&r->w, TYPE_SOA);
		put16(&r->w, CLASS_IN);
		put32(&r->w, ttl);
		data = r->w.n + 2;
		put16(&r->w, 0);
		snprintf(text, sizeof(text), "ns.dns.%s", *zone);
		r->failed = r->failed || !put_name(&r->w, text);
		snprintf(text, sizeof(text), "hostmaster.%s", *zone);
		r->failed = r->failed || !put_name(&r->w, text);
		put32(&r->w, cluster_rev(c));
		put32(&r->w, 7200);
		put32(&r->w, 1800);
		put32(&r->w, 86400);
		put32(&r->w, ttl);
		if (r->w.full || r->failed) {
			r->w.n = from;
			r->w.full = r->failed = false;
		} else {
			set16(&r->w, data - 2, r->w.n - data);
			r->authorities = 1;
		}
		return;
	}
}

static uint32_t finish(struct reply *r, const struct dns_asked *q, unsigned flags, unsigned rcode)
{
	uint32_t questions = q->end > DNS_HEADER;

	if (q->edns) {
		r->w.max += OPT_BYTES;
		put8(&r->w, 0);
		put16(&r->w, TYPE_OPT);
		put16(&r->w, UDP_MAX);
		put32(&r->w, (uint32_t)(rcode >> 4) << 24);
		put16(&r->w, 0);
	}
	flags |= FLAG_QR | (q->recursion ? FLAG_RD : 0) | (q->checking_off ? FLAG_CD : 0) | (r->cut ? FLAG_TC : 0) | (unsigned)q->opcode << 11;
	set16(&r->w, 0, q->id);
	set16(&r->w, 2, flags | (rcode & 15));
	set16(&r->w, 4, questions);
	set16(&r->w, 6, r->answers);
	set16(&r->w, 8, r->authorities);
	set16(&r->w, 10, r->more + q->edns);
	return r->w.n;
}

/* The addresses of the name servers that the answer names (plugin/backend_lookup.go NS); without those that do not fit the answer is whole. */
static void put_glue(struct reply *r, struct cluster *c, const struct dns_answer *servers, struct arena *a)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA };
	uint16_t answers = r->answers;

	for (uint32_t k = 0; k < servers->answers.nr; k++)
		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			struct dns_answer ips = dns_query(c, NULL, servers->answers.v[k], types[t], a);

			for (uint32_t i = 0; i < ips.answers.nr; i++)
				put_record(r, servers->answers.v[k], types[t], ips.ttl, ips.answers.v[i], 1);
		}
	r->more = (uint16_t)(r->answers - answers);
	r->answers = answers;
	r->cut = r->failed = false;
}

static uint32_t answer(struct cluster *c, const struct zone *outside, const struct dns_asked *q, struct reply *r, struct arena *a)
{
	enum dns_type type = DNS_NS;    /* of a type that is not modelled only whether the name exists is told */
	bool known = dns_type_known(q->type, &type);
	struct dns_answer ans = c ? dns_query(c, outside, q->name, type, a) : zone_query(outside, q->name, type, a);
	const char *owner = NULL;
	uint32_t nr = known ? ans.answers.nr : 0, first = nr ? q->id % nr : 0;

	for (uint32_t k = 0; k < ans.cname.nr; k++) {
		put_record(r, owner, DNS_CNAME, ans.ttl, ans.cname.v[k], 1);
		owner = ans.cname.v[k];
	}
	for (uint32_t k = 0; k < nr; k++)               /* each asker begins with another one: plugin loadbalance */
		put_record(r, owner, type, ans.ttl, ans.answers.v[(first + k) % nr], nr);
	if (r->failed) {                                /* an object that says what cannot be told: a label of more than 63 bytes */
		r->w.n = q->end;
		r->answers = 0;
		return finish(r, q, 0, dns_rcode_numbers[DNS_SERVFAIL]);
	}
	if (nr && type == DNS_NS && ans.own && !r->cut)
		put_glue(r, c, &ans, a);
	if (!nr && !ans.cname.nr && ans.own)
		put_soa(r, c, q->name, ans.ttl);
	return finish(r, q, ans.own ? FLAG_AA : FLAG_RA, dns_rcode_numbers[ans.rcode]);
}

uint32_t dns_serve(struct cluster *c, const struct zone *outside, const uint8_t *query, uint32_t n, bool tcp, uint8_t *out, struct arena *a)
{
	struct reply r = { .w = { .p = out, .n = DNS_HEADER, .max = DNS_MESSAGE_MAX } };
	struct dns_asked q;

	switch (dns_read_query(query, n, &q)) {
	case DNS_READ_NOTHING:
		return 0;
	case DNS_READ_BROKEN:
		q.end = DNS_HEADER;
		q.edns = false;
		return finish(&r, &q, 0, q.opcode ? RCODE_NOTIMP : RCODE_FORMERR);
	case DNS_READ_QUERY:
		break;
	}
	memcpy(out + DNS_HEADER, query + DNS_HEADER, q.end - DNS_HEADER);
	r.w.n = q.end;
	r.w.max = (tcp ? DNS_MESSAGE_MAX : MIN(q.udp_size, UDP_MAX)) - (q.edns ? OPT_BYTES : 0);
	if (q.edns && q.edns_version)
		return finish(&r, &q, 0, RCODE_BADVERS);
	if (q.class != CLASS_IN && q.class != CLASS_ANY)
		return finish(&r, &q, 0, RCODE_REFUSED);
	return answer(c, outside, &q, &r, a);
}

/* ---- the asker's side */

uint32_t dns_write_query(uint16_t id, const char *name, enum dns_type type, uint8_t *out)
{
	struct writer w = { .p = out, .max = DNS_UDP_MIN };

	put16(&w, id);
	put16(&w, FLAG_RD);
	put16(&w, 1);
	put32(&w, 0);
	put16(&w, 1);
	if (!put_name(&w, name))
		return 0;
	put16(&w, dns_type_numbers[type]);
	put16(&w, CLASS_IN);
	put8(&w, 0);
	put16(&w, TYPE_OPT);
	put16(&w, UDP_ASKED);
	put32(&w, 0);
	put16(&w, 0);
	return w.full ? 0 : w.n;
}
