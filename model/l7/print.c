/* A routing table for people and as JSON: listeners, hosts, routes in their order, what becomes of a request, and what is wrong with it. */
#include "model/l7/table.h"

struct printing { const struct route_table *t; struct sb *out; struct arena *a; };

/* ---- places: file:line of a path in an object */

/* spec.rules[0].http → spec.rules.0.http */
static const char *dotted(struct arena *a, const char *path)
{
	char *out = arena_strdup(a, path), *w = out;

	for (const char *p = path; *p; p++)
		if (*p == '[')
			*w++ = '.';
		else if (*p != ']')
			*w++ = *p;
	*w = 0;
	return out;
}

static uint32_t line_of(const struct printing *p, const struct object *o, const char *path)
{
	const struct val *v = path && o->doc ? val_path(o->doc, dotted(p->a, path)) : NULL;

	return v && v->line ? v->line : o->line;
}

static const char *object_text(const struct printing *p, obj_h h)
{
	const struct object *o = obj_get(p->t->cluster, h);

	return !o ? NULL : o->ns ? arena_printf(p->a, "%s %s/%s", o->kind->name, o->ns, o->name) : arena_printf(p->a, "%s %s", o->kind->name, o->name);
}

static const char *place_text(const struct printing *p, obj_h h, const char *path)
{
	const struct object *o = obj_get(p->t->cluster, h);

	return o && o->file ? arena_printf(p->a, "%s:%u", o->file, line_of(p, o, path)) : NULL;
}

/* ---- what a route does, in words */

static const char *ref_text(const struct printing *p, const struct l7_ref *r)
{
	if (r->upstream)
		return arena_printf(p->a, "%s/%s:%d (%s)", r->ns, r->name, r->port, r->upstream);
	return arena_printf(p->a, "%s/%s:%d", r->ns ? r->ns : "?", r->name ? r->name : "?", r->port);
}

static const char *change_text(const struct printing *p, const struct l7_path_change *c)
{
	static const char *const how[] = { [L7_FULL] = "path becomes", [L7_PREFIX_MATCH] = "prefix becomes", [L7_STRING_MATCH] = "prefix becomes",
					   [L7_CAPTURES] = "path becomes", [L7_REPLACE] = "matches become" };

	return c->how == L7_KEEP ? NULL : arena_printf(p->a, "%s %s", how[c->how], *c->text ? c->text : "\"\"");
}

static const char *filter_text(const struct printing *p, const struct l7_filter *f)
{
	const char *path;

	switch ((enum l7_filter_kind)f->kind) {
	case L7_REQUEST_HEADERS:
		return "request headers change";
	case L7_RESPONSE_HEADERS:
		return "response headers change";
	case L7_REDIRECT:
		path = change_text(p, &f->redirect.path);
		return arena_printf(p->a, "redirect %d%s%s%s%s%s%s", f->redirect.status, f->redirect.scheme ? " " : "", f->redirect.scheme ? f->redirect.scheme : "",
				    f->redirect.host ? " " : "", f->redirect.host ? f->redirect.host : "", path ? " " : "", path ? path : "");
	case L7_REWRITE:
		path = change_text(p, &f->rewrite.path);
		return arena_printf(p->a, "rewrite%s%s%s%s", f->rewrite.host ? " host " : "", f->rewrite.host ? f->rewrite.host : "", path ? " " : "", path ? path : "");
	case L7_MIRROR:
		return f->num < f->den ? arena_printf(p->a, "mirror %" PRIu64 " of %" PRIu64 " to %s", f->num, f->den, ref_text(p, &f->mirror)) : arena_printf(p->a, "mirror to %s", ref_text(p, &f->mirror));
	case L7_CORS:
		return "cross-origin requests (CORS)";
	case L7_UNKNOWN:
		return f->unknown;
	}
	return "";
}

static const char *guard_text(const struct printing *p, const struct l7_guard *g)
{
	switch ((enum l7_guard_kind)g->kind) {
	case L7_GUARD_SOURCE:
		return g->deny ? "denies source ranges" : "allows source ranges only";
	case L7_GUARD_TLS:
		return arena_printf(p->a, "http is redirected to https (%d)", g->status);
	case L7_GUARD_BASIC_AUTH:
		return "asks for a password";
	case L7_GUARD_APP_ROOT:
		return arena_printf(p->a, "/ is redirected to %s", g->text);
	case L7_GUARD_REDIRECT:
		return arena_printf(p->a, "redirect %d %s", g->status, g->text);
	case L7_GUARD_PREFLIGHT:
		return "answers OPTIONS by itself";
	case L7_GUARD_DENIED:
		return arena_printf(p->a, "%d: %s", g->status, g->text);
	case L7_GUARD_FORWARDED:
		return "believes X-Forwarded headers";
	case L7_GUARD_UNKNOWN:
		return g->text;
	}
	return "";
}

static const char *joined(const struct printing *p, const char *a, const char *b) { return a ? arena_printf(p->a, "%s; %s", a, b) : b; }

/* Filters, guards and faults; NULL: none. */
static const char *extras(const struct printing *p, const struct l7_action *act)
{
	const char *out = NULL;

	for (uint32_t k = 0; k < act->guards.nr; k++)
		out = joined(p, out, guard_text(p, &act->guards.v[k]));
	for (uint32_t k = 0; k < act->filters.nr; k++)
		out = joined(p, out, filter_text(p, &act->filters.v[k]));
	if (act->canaries.nr)
		out = joined(p, out, arena_printf(p->a, "canary %s, weight %u of %u", ref_text(p, &act->canaries.v[0].ref), act->canaries.v[0].weight, act->canaries.v[0].total));
	if (act->fault)
		out = joined(p, out, "injects faults");
	return act->unknown ? joined(p, out, act->unknown) : out;
}

static const char *backends_text(const struct printing *p, const struct l7_action *act)
{
	const char *out = NULL;

	if (act->direct)
		return arena_printf(p->a, "%d", act->direct);
	for (uint32_t k = 0; k < act->backends.nr; k++) {
		const struct l7_backend *b = &act->backends.v[k];
		const char *one = ref_text(p, &b->ref);

		if (act->backends.nr > 1)
			one = arena_printf(p->a, "%s ×%" PRIu64, one, b->weight);
		if (b->ref.why)
			one = arena_printf(p->a, "%s [%d]", one, b->ref.status);
		out = out ? arena_printf(p->a, "%s, %s", out, one) : one;
	}
	return out ? out : "-";
}

/* ---- text and JSON of one route: each value once */

static void route_row(struct printing *p, const struct l7_route *r, struct val *list)
{
	const char *to = backends_text(p, r->action), *more = extras(p, r->action), *by = object_text(p, r->cause), *at = place_text(p, r->cause, r->cause_path);
	struct val *v = val_add(p->a, list, val_new(p->a, VAL_MAP));

	sb_printf(p->out, "    %s", r->text ? r->text : r->path);
	sb_pad(p->out, 44);
	sb_printf(p->out, " → %s", to);
	sb_pad(p->out, 76);
	sb_printf(p->out, " %s%s%s%s\n", by ? by : "", at ? " (" : "", at ? at : "", at ? ")" : "");
	if (more)
		sb_printf(p->out, "      %s\n", more);
	if (r->never)
		sb_add(p->out, "      ! never matches: a rule before it takes all that it could\n");
	val_put(p->a, v, "match", val_string(p->a, r->text ? r->text : r->path));
	val_put(p->a, v, "to", val_string(p->a, to));
	if (more)
		val_put(p->a, v, "does", val_string(p->a, more));
	if (by)
		val_put(p->a, v, "object", val_string(p->a, by));
	if (r->cause_path)
		val_put(p->a, v, "path", val_string(p->a, r->cause_path));
	if (at)
		val_put(p->a, v, "place", val_string(p->a, at));
	val_put(p->a, v, "never", val_bool(p->a, r->never));
}

static void host_rows(struct printing *p, const struct l7_vhost *h, struct val *list)
{
	struct val *v = val_add(p->a, list, val_new(p->a, VAL_MAP)), *routes;

	sb_printf(p->out, "  %s\n", streq(h->pattern, "*") ? "any host" : h->pattern);
	val_put(p->a, v, "host", val_string(p->a, h->pattern));
	routes = val_put(p->a, v, "routes", val_new(p->a, VAL_LIST));
	if (!h->routes.nr)
		sb_add(p->out, "    no rules\n");
	for (uint32_t k = 0; k < h->routes.nr; k++)
		route_row(p, &h->routes.v[k], routes);
}

static void listener_row(struct printing *p, const struct l7_listener *l, struct val *list)
{
	static const char *const protocols[] = { [L7_HTTP] = "http", [L7_HTTPS] = "https", [L7_TLS_PASSTHROUGH] = "tls", [L7_TCP] = "tcp",
						[L7_TLS_TERMINATE] = "tls (ends here)", [L7_UDP] = "udp", [L7_NO_PROTO] = "?" };
	struct val *v = val_add(p->a, list, val_new(p->a, VAL_MAP)), *certs;

	sb_printf(p->out, "  listens on %u %s%s%s%s%s", l->port, protocols[l->proto], l->name ? ", " : "", l->name ? l->name : "", l->host ? ", host " : "", l->host ? l->host : "");
	if (l->dead)
		sb_printf(p->out, "  ! not programmed: %s", l->dead);
	sb_addc(p->out, '\n');
	val_put(p->a, v, "port", val_int(p->a, l->port));
	val_put(p->a, v, "protocol", val_string(p->a, protocols[l->proto]));
	val_put(p->a, v, "name", l->name ? val_string(p->a, l->name) : val_new(p->a, VAL_NULL));
	val_put(p->a, v, "host", l->host ? val_string(p->a, l->host) : val_new(p->a, VAL_NULL));
	val_put(p->a, v, "programmed", val_bool(p->a, !l->dead));
	certs = val_put(p->a, v, "certificates", val_new(p->a, VAL_LIST));
	for (uint32_t k = 0; k < l->certs.nr; k++) {
		const struct l7_cert *c = &l->certs.v[k];
		struct val *one = val_add(p->a, certs, val_new(p->a, VAL_MAP));

		sb_printf(p->out, "    certificate %s for %s%s%s\n", c->secret ? c->secret : "(none)", c->host ? c->host : "its own names", c->bad ? "  ! " : "", c->bad ? c->bad : "");
		val_put(p->a, one, "secret", c->secret ? val_string(p->a, c->secret) : val_new(p->a, VAL_NULL));
		val_put(p->a, one, "host", c->host ? val_string(p->a, c->host) : val_new(p->a, VAL_NULL));
	}
}

static bool told_before(const struct route_table *t, uint32_t at)
{
	for (uint32_t k = 0; k < at; k++)
		if (t->findings.v[k].object.i == t->findings.v[at].object.i && streq(t->findings.v[k].path, t->findings.v[at].path) &&
		    streq(t->findings.v[k].text, t->findings.v[at].text))
			return true;
	return false;
}

static void findings(struct printing *p, struct val *list)
{
	for (uint32_t k = 0; k < p->t->findings.nr; k++) {
		const struct l7_finding *f = &p->t->findings.v[k];
		const char *by = object_text(p, f->object), *at = place_text(p, f->object, f->path);
		struct val *v;

		if (p->t->findings.nr < 1000 && told_before(p->t, k))
			continue;
		sb_printf(p->out, "  %s %s%s%s%s%s: %s\n", f->error ? "!" : "-", at ? at : "", at ? ": " : "", by ? by : "", f->path ? ", " : "", f->path ? f->path : "", f->text);
		v = val_add(p->a, list, val_new(p->a, VAL_MAP));
		val_put(p->a, v, "error", val_bool(p->a, f->error));
		val_put(p->a, v, "object", by ? val_string(p->a, by) : val_new(p->a, VAL_NULL));
		val_put(p->a, v, "path", f->path ? val_string(p->a, f->path) : val_new(p->a, VAL_NULL));
		val_put(p->a, v, "place", at ? val_string(p->a, at) : val_new(p->a, VAL_NULL));
		val_put(p->a, v, "text", val_string(p->a, f->text));
	}
}

static void group_rows(struct printing *p, uint32_t group, struct val *hosts)
{
	const struct l7_hosts *g = &p->t->groups.v[group];

	for (uint32_t k = 0; k < g->vhosts.nr; k++)
		host_rows(p, &p->t->vhosts.v[g->vhosts.v[k]], hosts);
	if (g->dflt)
		sb_printf(p->out, "  what nothing matches → %s  %s\n", backends_text(p, g->dflt), object_text(p, g->dflt_cause));
}

void routes_print(const struct route_table *t, struct sb *out, struct val *json, struct arena *a)
{
	struct printing p = { t, out, a };
	struct val *listeners = val_put(a, json, "listeners", val_new(a, VAL_LIST)), *hosts = val_put(a, json, "hosts", val_new(a, VAL_LIST));

	val_put(a, json, "name", val_string(a, t->name));
	val_put(a, json, "controller", t->controller ? val_string(a, t->controller) : val_new(a, VAL_NULL));
	sb_printf(out, "%s\n", t->name);
	for (uint32_t g = 0; g < t->groups.nr; g++) {
		for (uint32_t k = 0; k < t->listeners.nr; k++)
			if (t->listeners.v[k].group == g)
				listener_row(&p, &t->listeners.v[k], listeners);
		group_rows(&p, g, hosts);
	}
	findings(&p, val_put(a, json, "findings", val_new(a, VAL_LIST)));
}
