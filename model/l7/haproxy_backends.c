/* Backend sections: what happens to the requests of one route, in the order of act.c: guards, filters, injected faults, canaries, then the backends by weight. */
#include "model/l7/haproxy_parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

static struct sb *text(struct hap *x) { return &x->out->text; }

/* One section at work. */
struct section {
	struct hap *x;
	const struct hap_leaf *leaf;
	const char *what;                       /* the object */
	bool over, dials;                       /* it has answered; it has endpoints */
	const struct l7_path_change *path; const char *host;
};

static void answers(struct section *s, int status, const char *why)
{
	if (why)
		sb_printf(text(s->x), "    # %s\n", hap_comment(s->x, why));
	sb_printf(text(s->x), "    http-request return status %d\n", status);
	s->over = true;
}

static void cannot(struct section *s, const char *why)
{
	hap_cannot(s->x, s->what, why);
	hap_refuse(s->x, why, "");
	s->over = true;
}

/* ---- guards */

static const struct { const char *name, *sample; } variables[] = {
	{ "$request_uri", "%[pathq]" }, { "$scheme", "%[var(txn.scheme)]" }, { "$http_host", "%[req.fhdr(host,1)]" }, { "$host", "%[var(txn.host)]" }, { "$uri", "%[path]" },
};

/* nginx' variables in a URL as HAProxy's samples; NULL: one that it has not. */
static const char *with_variables(struct section *s, const char *url)
{
	struct sb out = { 0 };
	const char *done;

	while (*url) {
		size_t k = 0;

		while (*url == '$' && k < ARRAY_LEN(variables) && strncmp(url, variables[k].name, strlen(variables[k].name)) != 0)
			k++;
		if (*url == '$' && k == ARRAY_LEN(variables)) {
			sb_free(&out);
			return NULL;
		}
		sb_add(&out, *url == '$' ? variables[k].sample : hap_format(s->x, (char[]){ *url, 0 }));
		url += *url == '$' ? strlen(variables[k].name) : 1;
	}
	done = arena_strdup(s->x->a, sb_text(&out));
	sb_free(&out);
	return done;
}

static void ranges(struct section *s, const struct l7_guard *g, uint32_t number)
{
	for (uint32_t k = 0; k < g->nr; k++)
		sb_printf(text(s->x), "    acl source%u src %s\n", number, CIDR(g->cidrs[k]));
	if (g->nr)
		sb_printf(text(s->x), "    http-request deny deny_status 403 if %ssource%u\n", g->deny ? "" : "!", number);
	else if (!g->deny)
		answers(s, 403, "no source address is allowed");
}

static void guard(struct section *s, const struct l7_guard *g, uint32_t number)
{
	struct sb *out = text(s->x);
	const char *url;

	switch ((enum l7_guard_kind)g->kind) {
	case L7_GUARD_SOURCE:
		ranges(s, g, number);
		break;
	case L7_GUARD_TLS:
		sb_printf(out, "    http-request redirect location https://%%[var(txn.host)]%%[pathq%s] code %d if !{ var(txn.scheme) -m str https }\n", g->keep_slash ? "" : ",regsub(/$,)",
			  g->status);
		break;
	case L7_GUARD_REDIRECT:
		url = hap_fits(g->text) ? with_variables(s, g->text) : NULL;
		if (!url) {
			cannot(s, "a redirect whose URL holds a variable that HAProxy has not");
			break;
		}
		if (g->status == 301 || g->status == 302 || g->status == 303 || g->status == 307 || g->status == 308)
			sb_printf(out, "    http-request redirect location %s code %d\n", hap_word(s->x, url), g->status);
		else
			sb_printf(out, "    http-request return status %d hdr Location %s\n", g->status, hap_word(s->x, url));
		s->over = true;
		break;
	case L7_GUARD_PREFLIGHT:
		if (g->cors->origin)
			cannot(s, "cross-origin requests of some origins");
		else
			sb_add(out, "    http-request return status 204 if { method OPTIONS }\n");
		break;
	case L7_GUARD_DENIED:
		answers(s, g->status, g->text);
		break;
	case L7_GUARD_FORWARDED:
		cannot(s, "what a client's X-Forwarded headers change is not modelled");
		break;
	case L7_GUARD_BASIC_AUTH:
		if (g->nr) {
			cannot(s, "satisfy any");
			break;
		}
		sb_add(out, "    http-request return status 401 hdr WWW-Authenticate 'Basic realm=\"Authentication Required\"' if !{ req.fhdr(authorization) -m found }\n");
		cannot(s, "whether credentials are accepted is not modelled");
		break;
	case L7_GUARD_APP_ROOT:
		if (hap_fits(g->text))
			sb_printf(out, "    http-request redirect location %s code 302 if { path -m str / }\n",
				  hap_word(s->x, arena_printf(s->x->a, "%%[var(txn.scheme)]://%%[req.fhdr(host,1)]%s", hap_format(s->x, g->text))));
		else
			cannot(s, "app-root is too long, or holds control characters");
		break;
	case L7_GUARD_UNKNOWN:
		cannot(s, g->text);
		break;
	}
}

/* ---- changes */

static bool is_path(const char *p) { return *p == '/' && hap_fits(p) && !strpbrk(p, "?# ") && !strstr(p, "://"); }

/* What stands for $1 and \1 in HAProxy's replacements. */
static const char *replacement(struct section *s, const char *p)
{
	struct sb out = { 0 };
	const char *done;

	for (; *p; p++) {
		if ((*p == '$' || *p == '\\') && isdigit((unsigned char)p[1]))
			sb_printf(&out, "\\%c", *++p);
		else
			sb_add(&out, *p == '\\' ? "\\\\" : *p == '%' ? "%%" : (char[]){ *p, 0 });
	}
	done = arena_strdup(s->x->a, sb_text(&out));
	sb_free(&out);
	return done;
}

static void replace(struct section *s, const char *match, const char *by)
{
	sb_printf(text(s->x), "    http-request replace-path %s %s\n", hap_word(s->x, match), hap_word(s->x, by));
}

/* The beginning of the path by another one; what follows stays. */
static void new_beginning(struct section *s, const char *from, const char *by, bool slashes)
{
	const char *whole = arena_printf(s->x->a, "^%s(.*)$", hap_literal(s->x, from)), *literal = hap_format(s->x, by);

	if (!hap_fits(from) || (*by && !is_path(by)) || (!*by && !slashes)) {
		cannot(s, "the path that it writes is no path");
		return;
	}
	if (!*by && *from)                      /* nothing left is "/" */
		sb_printf(text(s->x), "    http-request set-path / if { path -m str -- %s }\n", hap_word(s->x, from));
	replace(s, whole, arena_printf(s->x->a, "%s\\1", literal));
}

static const char *trimmed(struct section *s, const char *p)
{
	size_t n = strlen(p);

	while (n && p[n - 1] == '/')
		n--;
	return arena_strndup(s->x->a, p, n);
}

static void change_path(struct section *s, const struct l7_path_change *c)
{
	const struct l7_route *r = s->leaf->route;
	const char *by = c->text ? c->text : "";

	switch ((enum l7_change)c->how) {
	case L7_KEEP:
		return;
	case L7_PREFIX_MATCH:
		new_beginning(s, trimmed(s, r->path), trimmed(s, by), true);
		return;
	case L7_STRING_MATCH:
		if (r->path_kind != L7_PATH_REGEX) {
			new_beginning(s, r->path, by, false);
			return;
		}
		break;
	case L7_CAPTURES:
		if (r->re && is_path(by) && hap_fits(r->path)) {
			replace(s, arena_printf(s->x->a, "%s%s%s", r->nocase ? "(?i)" : "", r->search ? "^" : "", r->path), replacement(s, by));
			return;
		}
		break;
	case L7_REPLACE:
		cannot(s, "replacing every match of a regular expression in the path");
		return;
	case L7_FULL:
		break;
	}
	if (c->how == L7_FULL && !*by)
		by = "/";
	if (is_path(by))
		sb_printf(text(s->x), "    http-request set-path %s\n", hap_word(s->x, hap_format(s->x, by)));
	else
		cannot(s, "the path that it writes is no path, or holds a query");
}

/* A header's value inside a log format, where blanks run together. */
static bool is_value(const char *v) { return v && hap_fits(v) && !strstr(v, "  ") && *v != ' '; }

static void change_header(struct section *s, const char *side, const char *verb, const char *name, const char *value)
{
	if (!hap_name(name) || strcasecmp(name, "host") == 0 || (value && !is_value(value)))
		cannot(s, "HAProxy has no words for a header that it changes");
	else if (value)
		sb_printf(text(s->x), "    http-%s %s-header %s %s\n", side, verb, name, hap_word(s->x, hap_format(s->x, value)));
	else
		sb_printf(text(s->x), "    http-%s del-header %s\n", side, name);
}

static void change_headers(struct section *s, const char *side, const struct l7_header_mod *m)
{
	for (uint32_t k = 0; k < m->nr_remove && !s->over; k++)
		change_header(s, side, "del", m->remove[k], NULL);
	for (uint32_t k = 0; k < m->nr_set && !s->over; k++)
		change_header(s, side, "set", m->set[k].name, m->set[k].value ? m->set[k].value : "");
	for (uint32_t k = 0; k < m->nr_add && !s->over; k++)
		change_header(s, side, "add", m->add[k].name, m->add[k].value ? m->add[k].value : "");
}

static int usual_port(const char *scheme) { return streq(scheme, "https") ? 443 : 80; }

/* The Location as requests of one port get it (rewrite.c location_of). */
static const char *location(struct section *s, const struct l7_redirect *d, uint16_t own)
{
	const struct route_table *t = s->x->t;
	const char *host = d->host ? hap_format(s->x, d->host) : d->keep_port ? "%[req.fhdr(host,1)]" : "%[var(txn.host)]", *scheme = d->scheme, *port;
	int32_t number;

	for (uint32_t i = 0; i < t->listeners.nr && !scheme; i++)
		if (!t->listeners.v[i].dead && t->listeners.v[i].port == own)
			scheme = t->listeners.v[i].proto == L7_HTTPS ? "https" : "http";
	number = d->port ? d->port : d->scheme ? usual_port(scheme) : own;
	port = d->keep_port || number == usual_port(scheme) ? "" : arena_printf(s->x->a, ":%d", number);
	return hap_word(s->x, arena_printf(s->x->a, "%s://%s%s%%[pathq]", scheme ? scheme : "http", host, port));
}

static void redirect(struct section *s, const struct l7_redirect *d)
{
	const struct l7_plane *p = s->x->plane;
	bool same = true;

	change_path(s, &d->path);
	if (s->over)
		return;
	s->over = true;
	if ((d->host && !hap_fits(d->host)) || (d->scheme && !hap_name(d->scheme)) ||
	    (d->status != 301 && d->status != 302 && d->status != 303 && d->status != 307 && d->status != 308)) {
		cannot(s, "HAProxy has no words for this redirect");
		return;
	}
	for (uint32_t k = 1; k < p->nr; k++)
		same = same && streq(location(s, d, p->ports[k].port), location(s, d, p->ports[0].port));
	for (uint32_t k = 0; k < (same ? MIN(p->nr, 1u) : p->nr); k++) {
		sb_printf(text(s->x), "    http-request redirect location %s code %d", location(s, d, p->ports[k].port), d->status);
		sb_printf(text(s->x), same ? "\n" : " if { var(txn.port) -m int %u }\n", p->ports[k].port);
	}
}

static void filters(struct section *s, const l7_filters *f)
{
	for (uint32_t k = 0; k < f->nr && !s->over; k++) {
		const struct l7_filter *one = &f->v[k];

		switch ((enum l7_filter_kind)one->kind) {
		case L7_REQUEST_HEADERS:
			change_headers(s, "request", &one->headers);
			break;
		case L7_RESPONSE_HEADERS:
			change_headers(s, "response", &one->headers);
			break;
		case L7_REWRITE:
			s->host = one->rewrite.host ? one->rewrite.host : s->host;
			s->path = one->rewrite.path.how != L7_KEEP ? &one->rewrite.path : s->path;
			break;
		case L7_MIRROR:
			hap_cannot(s->x, s->what, "copies of requests (mirror) are not sent");
			break;
		case L7_CORS:
			hap_cors(s->x, s->what, one->cors);
			break;
		case L7_REDIRECT:
			redirect(s, &one->redirect);
			break;
		case L7_UNKNOWN:
			cannot(s, one->unknown);
			break;
		}
	}
}

static void fault(struct section *s, const struct l7_fault *f)
{
	if (f->delay_millionths && f->delay > 0) {
		s->x->delays = true;
		sb_printf(text(s->x), "    # an injected delay\n    http-request lua.podwire_delay %" PRId64 "%s\n", f->delay / MILLIS(1),
			  f->delay_millionths >= 1000000 ? "" : arena_printf(s->x->a, " if { rand(1000000) lt %" PRIu64 " }", f->delay_millionths));
	}
	if (f->abort_millionths >= 1000000)
		answers(s, f->status, "an injected fault");
	else if (f->abort_millionths)
		sb_printf(text(s->x), "    http-request return status %d if { rand(1000000) lt %llu }\n", f->status, (unsigned long long)f->abort_millionths);
}

/* ---- endpoints */

static void server(struct section *s, const char *name, ip_addr ip, uint16_t port, const char *tls)
{
	s->dials = true;
	sb_printf(text(s->x), ip_is4(ip) ? "    server %s %s:%u%s\n" : "    server %s [%s]:%u%s\n", name, IP(ip), port, tls);
}

static void servers(struct section *s, const struct service *of, const struct http_endpoint *e, uint32_t nr)
{
	struct map names = { 0 };

	for (uint32_t k = 0; k < nr; k++) {
		const char *pod = e[k].ep && e[k].ep->target ? e[k].ep->target->name : NULL;
		uint64_t *taken = hap_name(pod) ? map_put(&names, s->x->a, hash_mix(fnv32a(pod, strlen(pod)), fnv32(pod, strlen(pod)))) : NULL;

		server(s, taken && !*taken ? pod : arena_printf(s->x->a, "e%u", k), e[k].ip, e[k].port, hap_mutual(s->x, of, e[k].ip, e[k].port));
		if (taken)
			*taken = 1;
	}
}

static void reach(struct section *s, const struct l7_ref *r)
{
	struct http_endpoint *e = NULL;
	ip_addr ip;
	uint32_t nr = 0;

	if (r->why) {
		answers(s, r->status, r->why);
		return;
	}
	if (r->upstream) {
		const char *colon = strrchr(r->upstream, ':'), *name = arena_strndup(s->x->a, r->upstream, (size_t)(colon - r->upstream));
		long port = strtol(colon + 1, NULL, 10);

		if (!ip_parse(name, &ip) || port < 1 || port > 65535) {
			cannot(s, arena_printf(s->x->a, "%s lies outside the cluster", r->upstream));
			return;
		}
		server(s, "outside", ip, (uint16_t)port, "");
		return;
	}
	if (r->service)
		e = service_endpoints(s->x->t->cluster, r->service, r->port, r->subset, s->x->a, &nr);
	if (r->as_sent) {                       /* of a headless Service: the endpoint that was dialled */
		sb_printf(text(s->x), "    server sent 0.0.0.0%s\n", nr ? hap_mutual(s->x, r->service, e[0].ip, e[0].port) : "");
		s->dials = true;
		return;
	}
	if (!nr && r->fallback) {
		reach(s, r->fallback);
		return;
	}
	if (!nr) {
		answers(s, 503, arena_printf(s->x->a, "Service %s/%s has no ready endpoint for port %d", r->ns, r->name, r->port));
		return;
	}
	sb_printf(text(s->x), "    # Service %s/%s, port %d\n", hap_comment(s->x, r->ns), hap_comment(s->x, r->name), r->port);
	if (r->protocol && !streq(r->protocol, "HTTP") && !streq(r->protocol, "AUTO_HTTP"))
		sb_printf(text(s->x), "    # %s: the containers of a lab speak plain HTTP\n", hap_comment(s->x, r->protocol));
	sb_add(text(s->x), "    balance roundrobin\n");
	if (r->via_service && r->service->cluster_ip && ip_parse(r->service->cluster_ip, &ip))
		server(s, "service", ip, (uint16_t)r->port, hap_mutual(s->x, r->service, e[0].ip, e[0].port));
	else
		servers(s, r->service, e, nr);
}

/* ---- sections */

static bool has_answered(const struct hap_leaf *l)
{
	const struct l7_action *act = l->act;

	if (l->cannot || act->unknown || act->direct)
		return true;
	for (uint32_t k = 0; k < act->filters.nr; k++)
		if (act->filters.v[k].kind == L7_REDIRECT || act->filters.v[k].kind == L7_UNKNOWN)
			return true;
	return false;
}

bool hap_ways(const struct hap_leaf *l) { return !has_answered(l) && (l->act->backends.nr > 1 || l->act->canaries.nr); }

static void body(struct section *s, const struct l7_ref *to, const l7_filters *own)
{
	const struct hap_leaf *l = s->leaf;
	const struct l7_action *act = l->act;

	if (l->cannot || act->unknown) {
		cannot(s, l->cannot ? l->cannot : act->unknown);
		return;
	}
	for (uint32_t k = 0; k < act->guards.nr && !s->over; k++)
		guard(s, &act->guards.v[k], k);
	if (!s->over && act->direct)
		answers(s, act->direct, NULL);
	if (!s->over)
		filters(s, &act->filters);
	if (!s->over && act->fault)
		fault(s, act->fault);
	if (!s->over && own)
		filters(s, own);
	if (!s->over && s->path)
		change_path(s, s->path);
	if (!s->over && s->host) {
		if (hap_fits(s->host))
			sb_printf(text(s->x), "    http-request set-header Host %s\n", hap_word(s->x, hap_format(s->x, s->host)));
		else
			cannot(s, "the host that it writes is too long, or holds control characters");
	}
	if (!s->over && to)
		reach(s, to);
	else if (!s->over)
		answers(s, 500, act->backends.nr ? "all its backends have the weight 0" : "it has no backends");
}

/* to NULL: where it does not come to that; own NULL: no filters of its own. */
static void section(struct hap *x, const struct hap_leaf *l, const char *name, const struct l7_ref *to, const l7_filters *own)
{
	struct section s = { .x = x, .leaf = l, .what = hap_object(x, l->route->cause, l->route->cause_path) };
	struct sb before = x->out->text;

	x->out->text = (struct sb){ 0 };
	body(&s, to, own);
	sb_printf(&before, "\nbackend %s from %s\n    # %s: %s\n%s", name, s.dials ? "endpoints" : "proxy", hap_comment(x, s.what),
		  hap_comment(x, l->route->text ? l->route->text : l->route->path), sb_text(&x->out->text));
	sb_free(&x->out->text);
	x->out->text = before;
}

void hap_backends(struct hap *x)
{
	sb_add(text(x), "\nbackend none from proxy\n    http-request return status 404\n");
	for (uint32_t k = 0; k < x->leaves.nr; k++) {
		const struct hap_leaf *l = &x->leaves.v[k];
		const struct l7_action *act = l->act;
		bool any = hap_total_weight(act) > 0;

		if (!hap_ways(l)) {
			section(x, l, l->name, any && !has_answered(l) ? &act->backends.v[0].ref : NULL, any && !has_answered(l) ? &act->backends.v[0].filters : NULL);
			continue;
		}
		if (act->canaries.nr)
			section(x, l, arena_printf(x->a, "%s.canary", l->name), &act->canaries.v[0].ref, NULL);
		if (!any)
			section(x, l, l->name, NULL, NULL);
		for (uint32_t i = 0; i < act->backends.nr && any; i++)
			if (act->backends.v[i].weight)
				section(x, l, arena_printf(x->a, "%s.%u", l->name, i), &act->backends.v[i].ref, &act->backends.v[i].filters);
	}
}
