/* What a proxy does to a request's path and host, to headers, and to the Location of a redirect. Sources: gateway-api apis/v1/httproute_types.go
 * (HTTPPathModifier, HTTPRequestRedirectFilter, HTTPHeaderFilter), ingress-nginx docs rewrite, istio HTTPRewrite. */
#include "model/l7/table.h"

#include <ctype.h>
#include <strings.h>

/* HTTPPathModifier.replacePrefixMatch: slashes at the end of both prefixes do not count; nothing left is "/". */
static const char *prefix_replaced(const char *path, const char *prefix, const char *by, struct arena *a)
{
	size_t n = strlen(prefix), b = strlen(by);
	const char *out;

	while (n && prefix[n - 1] == '/')
		n--;
	while (b && by[b - 1] == '/')
		b--;
	out = arena_printf(a, "%.*s%s", (int)b, by, strlen(path) >= n ? path + n : "");
	return *out ? out : "/";
}

/* Istio's `rewrite.uri`: the text that matched is replaced, as it stands (Envoy prefix_rewrite). */
static const char *string_replaced(const char *path, const struct l7_route *r, const char *by, struct arena *a)
{
	size_t n = r->path_kind == L7_PATH_REGEX ? strlen(path) : strlen(r->path);

	return arena_printf(a, "%s%s", by, strlen(path) >= n ? path + n : "");
}

/* $1 and \1 in `text` become the groups of m. */
static void expand(struct sb *out, const char *text, const char *subject, const struct regex_match *m)
{
	for (const char *p = text; *p; p++) {
		if ((*p == '$' || *p == '\\') && isdigit((unsigned char)p[1])) {
			int g = *++p - '0';

			if (m->group[g].from >= 0)
				sb_addn(out, subject + m->group[g].from, (size_t)(m->group[g].to - m->group[g].from));
		} else {
			sb_addc(out, *p);
		}
	}
}

static const char *kept(struct sb *s, struct arena *a)
{
	const char *out = arena_strdup(a, sb_text(s));

	sb_free(s);
	return out;
}

static const char *captured(const struct regex *re, const char *path, const char *text, struct arena *a)
{
	struct regex_match m;
	struct sb out = { 0 };

	if (!re || !regex_search(re, path, &m, a))
		return text;
	expand(&out, text, path, &m);
	return kept(&out, a);
}

static const char *all_replaced(const struct regex *re, const char *path, const char *text, struct arena *a)
{
	struct regex_match m;
	struct sb out = { 0 };
	uint32_t at = 0;

	while (regex_search_at(re, path, at, &m, a)) {
		sb_addn(&out, path + at, (size_t)m.group[0].from - at);
		expand(&out, text, path, &m);
		if (m.group[0].to == m.group[0].from) {
			if (!path[m.group[0].to])
				return kept(&out, a);
			sb_addc(&out, path[m.group[0].to]);
			at = (uint32_t)m.group[0].to + 1;
		} else {
			at = (uint32_t)m.group[0].to;
		}
	}
	sb_add(&out, path + at);
	return kept(&out, a);
}

const char *path_changed(const struct l7_path_change *c, const struct l7_route *r, const struct l7_query *q)
{
	switch ((enum l7_change)c->how) {
	case L7_KEEP:
		return q->sent;
	case L7_FULL:
		return *c->text ? c->text : "/";
	case L7_PREFIX_MATCH:
		return prefix_replaced(q->path, r->path, c->text, q->scratch);
	case L7_STRING_MATCH:
		return string_replaced(q->path, r, c->text, q->scratch);
	case L7_CAPTURES:
		return captured(r->re, q->path, c->text, q->scratch);
	case L7_REPLACE:
		return all_replaced(c->re, q->path, c->text, q->scratch);
	}
	return q->sent;
}

/* Which port the Location shows, 0 for none: the filter's; else the scheme's own if it has one; else the listener's. Well-known ports are left out
 * (HTTPRequestRedirectFilter.port). */
static int32_t location_port(const struct l7_redirect *d, const struct l7_query *q, const char *scheme)
{
	int32_t usual = streq(scheme, "https") ? 443 : 80;
	int32_t port = d->port ? d->port : d->scheme ? usual : q->rq->port;

	return port == usual ? 0 : port;
}

const char *location_of(const struct l7_redirect *d, const struct l7_route *r, const struct l7_query *q)
{
	const char *scheme = d->scheme ? d->scheme : q->rq->scheme ? q->rq->scheme : "http";
	const char *host = d->host ? d->host : d->keep_port && q->rq->host ? q->rq->host : q->host;
	const char *path = path_changed(&d->path, r, q);
	int32_t port = d->keep_port ? 0 : location_port(d, q, scheme);
	bool query = q->query && !strchr(path, '?');

	if (strstr(path, "://"))
		return path;
	return arena_printf(q->scratch, "%s://%s%s%s%s%s", scheme, host, port ? arena_printf(q->scratch, ":%d", port) : "", path, query ? "?" : "", query ? q->query : "");
}

/* The last of that name: what is added comes after all that is there. */
static struct http_pair *header_find(struct headers *h, const char *name)
{
	for (uint32_t k = h->v.nr; k > 0; k--)
		if (strcasecmp(h->v.v[k - 1].name, name) == 0)
			return &h->v.v[k - 1];
	return NULL;
}

/* From the index `from` on. */
static void header_remove(struct headers *h, const char *name, uint32_t from)
{
	uint32_t n = from;

	for (uint32_t k = from; k < h->v.nr; k++)
		if (strcasecmp(h->v.v[k].name, name) != 0)
			h->v.v[n++] = h->v.v[k];
	h->v.nr = n;
}

/* In the place of the first, and of all others: one line is left (HTTPHeaderFilter.set overwrites). */
void headers_set(struct headers *h, const char *name, const char *value)
{
	uint32_t k = 0;

	while (k < h->v.nr && strcasecmp(h->v.v[k].name, name) != 0)
		k++;
	if (k < h->v.nr) {
		h->v.v[k].value = value;
		header_remove(h, name, k + 1);
	} else {
		vec_add(h->arena, &h->v, (struct http_pair){ name, value });
	}
}

void headers_add(struct headers *h, const char *name, const char *value)
{
	struct http_pair *there = header_find(h, name);

	if (there)
		there->value = arena_printf(h->arena, "%s,%s", there->value, value);
	else
		vec_add(h->arena, &h->v, (struct http_pair){ name, value });
}

void headers_change(struct headers *h, const struct l7_header_mod *m)
{
	for (uint32_t k = 0; k < m->nr_remove; k++)
		header_remove(h, m->remove[k], 0);
	for (uint32_t k = 0; k < m->nr_set; k++)
		headers_set(h, m->set[k].name, m->set[k].value);
	for (uint32_t k = 0; k < m->nr_add; k++)
		headers_add(h, m->add[k].name, m->add[k].value);
}
