/* What DNS outside the cluster knows: the lines of a master file (RFC 1035, 5.1) that are `NAME [TTL] [IN] TYPE DATA`. */
#include <stdlib.h>

#include "model/dns/dns.h"

const char *const dns_type_names[DNS_TYPE_COUNT] = {
	[DNS_A] = "A", [DNS_AAAA] = "AAAA", [DNS_SRV] = "SRV", [DNS_PTR] = "PTR", [DNS_CNAME] = "CNAME", [DNS_TXT] = "TXT", [DNS_NS] = "NS",
};
const char *const dns_rcode_names[] = {
	[DNS_NOERROR] = "NOERROR", [DNS_NXDOMAIN] = "NXDOMAIN", [DNS_SERVFAIL] = "SERVFAIL", [DNS_REFUSED] = "REFUSED", [DNS_TIMEOUT] = "TIMEOUT", [DNS_UNREACHABLE] = "UNREACHABLE",
};

#define MAX_CHAIN 16

struct record { const char *name, *data; enum dns_type type; };
struct zone { VEC(struct record) records; };

void dns_add(struct arena *a, str_list *l, const char *text)
{
	str *v = arena_array(a, str, l->nr + 1);

	if (l->nr)
		memcpy(v, l->v, l->nr * sizeof(*v));
	v[l->nr++] = text;
	l->v = v;
	l->set = true;
}

bool dns_same_name(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	n -= n && a[n - 1] == '.';
	m -= m && b[m - 1] == '.';
	return n == m && strncasecmp(a, b, n) == 0;
}

static const char *word(const char **p, struct arena *a)
{
	size_t n;
	const char *w;

	*p += strspn(*p, " \t");
	if (**p == '"') {
		n = strcspn(*p + 1, "\"\n");
		w = arena_strndup(a, *p + 1, n);
		*p += 1 + n + ((*p)[1 + n] == '"');
		return w;
	}
	n = strcspn(*p, " \t\r\n;");
	if (!n)
		return NULL;
	w = arena_strndup(a, *p, n);
	*p += n;
	return w;
}

static bool parse_line(struct zone *z, const char *p, uint32_t line, struct arena *a, struct err *err)
{
	struct where w = { .file = "zone", .line = line };
	const char *name = word(&p, a), *next = name ? word(&p, a) : NULL, *data;

	if (!name || *name == '$')
		return true;
	while (next && (strcasecmp(next, "IN") == 0 || strspn(next, "0123456789") == strlen(next)))
		next = word(&p, a);
	data = next ? word(&p, a) : NULL;
	if (!data)
		return err_add(err, ERR_INPUT, &w, "\"%s\": a record is NAME [TTL] [IN] TYPE DATA", name);
	for (enum dns_type t = 0; t < DNS_TYPE_COUNT; t++)
		if (strcasecmp(next, dns_type_names[t]) == 0) {
			if (t == DNS_SRV) {             /* priority weight port target */
				const char *port, *target;

				word(&p, a);
				port = word(&p, a);
				target = port ? word(&p, a) : NULL;
				if (!target)
					return err_add(err, ERR_INPUT, &w, "\"%s\": SRV needs priority, weight, port and target", name);
				data = arena_printf(a, "%s %s", port, target);
			}
			vec_add(a, &z->records, (struct record){ name, data, t });
		}
	return true;
}

struct zone *zone_parse(struct arena *a, const char *text, struct err *err)
{
	struct zone *z = arena_make(a, struct zone);
	uint32_t line = 1;
	bool ok = true;

	for (const char *p = text; *p; line++) {
		size_t n = strcspn(p, "\n");

		ok = parse_line(z, arena_strndup(a, p, n), line, a, err) && ok;
		p += n + (p[n] == '\n');
	}
	return ok ? z : NULL;
}

void zone_names(const struct zone *z, struct arena *a, str_list *out)
{
	for (uint32_t k = 0; z && k < z->records.nr; k++) {
		uint32_t i = 0;

		while (i < out->nr && !dns_same_name(out->v[i], z->records.v[k].name))
			i++;
		if (i == out->nr)
			dns_add(a, out, z->records.v[k].name);
	}
}

struct dns_answer zone_query(const struct zone *z, const char *name, enum dns_type type, struct arena *a)
{
	struct dns_answer out = { .rcode = DNS_NXDOMAIN };

	for (int hop = 0; z && hop < MAX_CHAIN; hop++) {
		const char *cname = NULL;

		for (uint32_t k = 0; k < z->records.nr; k++) {
			const struct record *r = &z->records.v[k];

			if (!dns_same_name(r->name, name))
				continue;
			out.rcode = DNS_NOERROR;
			if (r->type == type)
				dns_add(a, &out.answers, r->data);
			else if (r->type == DNS_CNAME)
				cname = r->data;
		}
		if (out.answers.nr || !cname || type == DNS_CNAME)
			break;
		dns_add(a, &out.cname, cname);
		name = cname;
	}
	return out;
}
