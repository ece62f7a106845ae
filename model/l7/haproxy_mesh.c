/* Identities in a mesh: mutual TLS between proxies, and at the receiving sidecar PeerAuthentication and AuthorizationPolicy (mesh_auth.c and mesh_peer.c decide the same in memory).
 * Sidecars know one another's TLS by its ALPN, as Istio's do. HAProxy 2.6 has no sample for the names in a certificate, so the peer's is looked for in the certificate's DER: tag,
 * length and text of the SPIFFE URI of each workload that there is. */
#include "model/l7/haproxy_parts.h"

#include <stdlib.h>

#include "model/l7/mesh_routes.h"

static struct sb *text(struct hap *x) { return &x->out->text; }

static const char *own_identity(struct hap *x)
{
	static const char *const files[] = { HAPROXY_IDENTITY, HAPROXY_AUTHORITY };

	if (x->identity)
		return x->identity;
	for (size_t k = 0; k < ARRAY_LEN(files); k++)
		vec_add(x->a, &x->out->certs, (struct haproxy_cert){ files[k], NULL, mesh_principal(x->t->cluster, x->plane->pod, x->a) });
	return x->identity = arena_printf(x->a, " ssl crt %s/" HAPROXY_IDENTITY " ca-file %s/" HAPROXY_AUTHORITY " verify required alpn istio", x->dir, x->dir);
}

/* mesh_client_tls, asked once for all endpoints of a Service. */
static const char *client_tls(struct hap *x, const struct service *s)
{
	uint64_t *at = map_put(&x->client_tls, x->a, s->o.id.i);

	if (!*at) {
		const char **mode = arena_make(x->a, const char *);

		*mode = mesh_client_tls(x->t->cluster, x->plane->pod, s, x->a);
		*at = (uint64_t)(uintptr_t)mode;
	}
	return *(const char **)(uintptr_t)*at;
}

const char *hap_mutual(struct hap *x, const struct service *s, ip_addr endpoint, uint16_t port)
{
	bool speaks = x->plane->pod && (x->plane->sidecar || !mesh_capture(x->plane->pod->spec).set);   /* else the Pod's own sidecar does, behind this proxy */
	const struct pod *to = s && speaks ? find_pod_by_ip(x->t->cluster, endpoint) : NULL;

	return to && mesh_mutual_tls(x->t->cluster, x->plane->pod, to, port, client_tls(x, s)) ? own_identity(x) : "";
}

/* ---- PeerAuthentication */

/* Ports of which something else is said than of the whole workload. */
struct apart { uint16_t port; const char *mode; };
typedef VEC(struct apart) aparts;

static aparts ports_apart(struct hap *x, const char *usual)
{
	struct mesh_policies all = mesh_policies(x->t->cluster, &peer_authentication_kind, x->plane->pod, x->a);
	aparts out = { 0 };
	obj_h cause;

	for (uint32_t k = 0; k < all.nr; k++)
		VAL_EACH_KEY(v, val_get(all.v[k]->spec, "portLevelMtls")) {
			unsigned long port = strtoul(v->key, NULL, 10);
			const char *mode = port && port < 65536 ? mesh_peer_mode(x->t->cluster, x->plane->pod, (uint16_t)port, &cause) : usual;
			bool known = false;

			for (uint32_t i = 0; i < out.nr; i++)
				known = known || out.v[i].port == port;
			if (!known && !streq(mode, usual))
				vec_add(x->a, &out, (struct apart){ (uint16_t)port, mode });
		}
	return out;
}

/* "" for all ports but `apart`, or one port. */
static void mode_rule(struct hap *x, const char *mode, const char *where)
{
	if (streq(mode, "STRICT"))
		sb_printf(text(x), "    tcp-request content reject if !mutual%s\n", where);
	if (streq(mode, "DISABLE"))
		sb_printf(text(x), "    tcp-request content reject if mutual%s\n", where);
}

void hap_mesh_peers(struct hap *x)
{
	obj_h cause;
	const char *usual = mesh_peer_mode(x->t->cluster, x->plane->pod, 0, &cause);
	aparts apart = ports_apart(x, usual);

	sb_printf(text(x), "    # PeerAuthentication: %s\n    acl mutual req.ssl_alpn -m sub istio\n", hap_comment(x, usual));
	for (uint32_t k = 0; k < apart.nr; k++) {
		sb_printf(text(x), "    acl apart dst_port %u\n", apart.v[k].port);
		mode_rule(x, apart.v[k].mode, arena_printf(x->a, " { dst_port %u }", apart.v[k].port));
	}
	mode_rule(x, usual, apart.nr ? " !apart" : "");
	sb_add(text(x), "    tcp-request content accept if mutual\n");
}

/* ---- AuthorizationPolicy */

struct writing {
	struct hap *x;
	const char *rule, *stop;                /* "tcp-request content", "http-request"; what a denied one gets */
	const char *go, *but;                   /* what an allowed one gets; where any is allowed, when the others are stopped */
	const struct pod *pod;                  /* that receives */
	bool http, deny;
	const struct l7_port *at;               /* of a gateway: the port that policies know and the one that is bound may differ; NULL: txn.port has it */
	const char *acls;                       /* their names are this and a number */
	uint32_t nr_acls;
	str ns;                                 /* of the policy */
	const char *cannot;
};

enum values { TEXTS, TEXTS_NOCASE, GLOBS /* stars anywhere */, PLAIN /* numbers, addresses and blocks */, ADDRESSES /* in a variable */, ACCOUNTS };
static const struct asked { const char *name, *not, *key, *sample; bool http; enum values values; } asks[] = {
	{ "principals", "notPrincipals", "source.principal", "var(sess.principal)", false, TEXTS },
	{ "namespaces", "notNamespaces", "source.namespace", "var(sess.namespace)", false, GLOBS },
	{ "trustDomains", "notTrustDomains", "source.trustDomain", "var(sess.principal),field(1,/)", false, GLOBS },
	{ "serviceAccounts", "notServiceAccounts", "source.serviceAccount", "var(sess.account)", false, ACCOUNTS },
	{ "ipBlocks", "notIpBlocks", "source.ip", "src", false, PLAIN },
	{ "remoteIpBlocks", "notRemoteIpBlocks", "remote.ip", "src", false, ADDRESSES },
	{ "hosts", "notHosts", NULL, "req.fhdr(host,1)", true, TEXTS_NOCASE },
	{ "methods", "notMethods", NULL, "method", true, TEXTS },
	{ "paths", "notPaths", NULL, "path", true, TEXTS },
	{ "ports", "notPorts", "destination.port", "dst_port", false, PLAIN },
	{ NULL, NULL, "destination.ip", "dst", false, PLAIN },
};

/* None, or one at an end. */
static bool one_star(const char *value)
{
	const char *star = strchr(value, '*');

	return !star || !star[1] || (star == value && !strchr(star + 1, '*'));
}

/* An ACL that holds where any of the values does: "*" is anything, x* a beginning, *x an end. */
static const char *values_acl(struct writing *w, const struct asked *f, const struct val *values)
{
	bool listed = f->values == ADDRESSES && w->http && mesh_capture(w->pod->spec).set;     /* a sidecar believes X-Forwarded-For (mesh_auth.c remote_ip) */
	bool port = w->pod == w->x->t->gate && streq(f->name, "ports");
	const char *sample = listed ? "var(txn.remote)" : f->sample;
	const char *name = arena_printf(w->x->a, "%s%u", w->acls, w->nr_acls++);

	if (listed)
		sb_add(text(w->x), "    http-request set-var(txn.remote) src\n    http-request set-var(txn.remote) req.hdr_ip(x-forwarded-for,-1) if { req.hdr_ip(x-forwarded-for,-1) -m found }\n");

	VAL_EACH(v, values) {
		const char *value = val_str(v) ? val_str(v) : val_is(v, VAL_INT) ? arena_printf(w->x->a, "%" PRId64, v->i) : "", *how = "str";
		size_t n = strlen(value);

		if (!hap_fits(value) || !n || strstr(value, "{*") || (f->values == GLOBS && !one_star(value))) {
			w->cannot = "a value that an AuthorizationPolicy asks for is a template, has stars that HAProxy does not know, is too long, or holds control characters";
			continue;
		}
		if (f->values == ACCOUNTS) {               /* NS/NAME, or NAME in the policy's own namespace */
			value = strchr(value, '/') ? value : arena_printf(w->x->a, "%s/%s", w->ns, value);
			sb_printf(text(w->x), "    acl %s %s -m str -- %s\n", name, sample, hap_word(w->x, value));
			continue;
		}
		if (f->values == PLAIN || f->values == ADDRESSES) {
			sb_printf(text(w->x), "    acl %s %s %s%s\n", name, port && !w->at ? "var(txn.port)" : sample, listed ? "-m ip " : port && !w->at ? "-m int " : "",
				  hap_word(w->x, port && w->at ? arena_printf(w->x->a, "%u", strtoul(value, NULL, 10) == w->at->port ? w->at->bind : 0u) : value));
			continue;
		}
		if (streq(value, "*")) {
			sb_printf(text(w->x), "    acl %s %s -m %s\n", name, sample, f->name ? "len gt 0" : "found");    /* of a header: it is there */
			continue;
		}
		if (*value == '*') {                      /* asked first, as in mesh_auth.c text_matches */
			how = "end";
			value++;
		} else if (value[n - 1] == '*') {
			how = "beg";
			value = arena_strndup(w->x->a, value, n - 1);
		}
		sb_printf(text(w->x), "    acl %s %s -m %s%s -- %s\n", name, sample, how, f->values == TEXTS_NOCASE ? " -i" : "", hap_word(w->x, value));
	}
	return name;
}

/* Conditions of one field; false: it can never hold (an HTTP field, asked of a connection that is none: mesh_auth.c fields_match). */
static bool field_conds(struct writing *w, const struct asked *f, const struct val *yes, const struct val *no, struct sb *conds)
{
	if (!yes && !no)
		return true;
	if (f->http && !w->http)
		return w->deny;
	if (val_first(yes))
		sb_printf(conds, " %s", values_acl(w, f, yes));
	if (val_first(no))
		sb_printf(conds, " !%s", values_acl(w, f, no));
	return true;
}

static bool all_fields(struct writing *w, const struct val *v, struct sb *conds)
{
	VAL_EACH_KEY(f, v) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(asks); k++)
			known = known || (asks[k].name && (streq(f->key, asks[k].name) || streq(f->key, asks[k].not)));
		if (!known && f->nr)
			w->cannot = arena_printf(w->x->a, "an AuthorizationPolicy asks for %s", hap_comment(w->x, f->key));
	}
	for (size_t k = 0; k < ARRAY_LEN(asks); k++)
		if (asks[k].name && !field_conds(w, &asks[k], val_get(v, asks[k].name), val_get(v, asks[k].not), conds))
			return false;
	return true;
}

static bool when_conds(struct writing *w, const struct val *when, struct sb *conds)
{
	VAL_EACH(c, when) {
		const char *key = val_str_at(c, "key") ? val_str_at(c, "key") : "", *name = NULL;
		const struct val *yes = val_get(c, "values"), *no = val_get(c, "notValues");
		struct asked header = { .http = true };
		const struct asked *f = NULL;

		for (size_t k = 0; k < ARRAY_LEN(asks) && !f; k++)
			f = asks[k].key && streq(asks[k].key, key) ? &asks[k] : NULL;
		if (!f && strncmp(key, "request.headers[", 16) == 0) {
			name = arena_strndup(w->x->a, key + 16, strcspn(key + 16, "]"));
			header.sample = arena_printf(w->x->a, "req.fhdr(%s,1)", name);
			f = &header;
		}
		if (!f || (name && !hap_name(name)))
			w->cannot = arena_printf(w->x->a, "an AuthorizationPolicy asks for %s", hap_comment(w->x, key));
		else if (!field_conds(w, f, yes, no, conds))
			return false;
	}
	return true;
}

/* One line for each pair of a source and an operation. */
static void policy(struct writing *w, const struct raw_object *r)
{
	static const struct val any[1];

	sb_printf(text(w->x), "    # AuthorizationPolicy %s/%s\n", hap_comment(w->x, r->o.ns), hap_comment(w->x, r->o.name));
	w->ns = r->o.ns;
	VAL_EACH(rule, val_get(r->spec, "rules")) {
		const struct val *from = val_get(rule, "from"), *to = val_get(rule, "to");

		if (!w->http && !w->deny && mesh_rule_asks_http(rule))
			continue;
		for (const struct val *f = val_first(from) ? val_first(from) : any; f; f = f == any ? NULL : f->next)
			for (const struct val *t = val_first(to) ? val_first(to) : any; t; t = t == any ? NULL : t->next) {
				struct sb conds = { 0 };

				if (all_fields(w, val_get(f, "source"), &conds) && all_fields(w, val_get(t, "operation"), &conds) && when_conds(w, val_get(rule, "when"), &conds))
					sb_printf(text(w->x), "    %s %s%s%s\n", w->rule, w->deny ? w->stop : w->go, conds.len ? " if" : "", sb_text(&conds));
				sb_free(&conds);
			}
	}
}

static void policies(struct writing *w)
{
	struct mesh_policies all = mesh_policies(w->x->t->cluster, &authorization_policy_kind, w->pod, w->x->a);
	bool allows = false;

	for (int deny = 1; deny >= 0; deny--)
		for (uint32_t k = 0; k < all.nr; k++) {
			const char *action = val_str_at(all.v[k]->spec, "action");

			if (streq(action, "CUSTOM"))
				w->cannot = "an AuthorizationPolicy asks an external authorizer";
			if (streq(action, "AUDIT") || streq(action, "CUSTOM") || streq(action, "DENY") != deny)
				continue;
			allows = allows || !deny;
			w->deny = deny;
			policy(w, all.v[k]);
		}
	if (allows)
		sb_printf(text(w->x), "    %s %s%s\n", w->rule, w->stop, w->but);
}

static void nothing_passes(struct writing *w)
{
	if (w->http)
		hap_refuse(w->x, w->cannot, "");
	else
		sb_printf(text(w->x), "    # no connection passes\n    %s %s\n", w->rule, w->stop);
}

/* Written aside first: what cannot be done takes the place of all of it. */
static void policies_or_cannot(struct writing *w)
{
	struct sb before = w->x->out->text;

	w->x->out->text = (struct sb){ 0 };
	policies(w);
	if (w->cannot) {
		sb_reset(text(w->x));
		hap_cannot(w->x, "what the Pod receives", w->cannot);
		nothing_passes(w);
	}
	sb_add(&before, sb_text(text(w->x)));
	sb_free(text(w->x));
	w->x->out->text = before;
}

void hap_mesh_connections(struct hap *x)
{
	struct writing w = { .x = x, .pod = x->plane->pod, .rule = "tcp-request content", .stop = "reject", .go = "accept", .but = "", .acls = "t" };

	policies_or_cannot(&w);
}

void hap_mesh_requests(struct hap *x)
{
	struct writing w = { .x = x, .pod = x->plane->pod, .rule = "http-request", .stop = "deny deny_status 403", .go = "allow", .but = "", .http = true, .acls = "h" };

	policies_or_cannot(&w);
}

/* ---- a gateway's own policies, before its routes: what is allowed is noted, for the rules behind these count as well */

static bool gated(struct hap *x, const struct kind *kind) { return x->t->gate && mesh_policies(x->t->cluster, kind, x->t->gate, x->a).nr; }

static void token(struct hap *x, const char *where)
{
	static const char why[] = "a RequestAuthentication reads the request's token, which is not modelled";

	hap_cannot(x, "requests with a token", why);
	hap_refuse(x, why, arena_printf(x->a, " { %s }", where));
}

/* What mesh_auth.c brings_token takes for one. */
static void tokens(struct hap *x)
{
	struct mesh_policies all = mesh_policies(x->t->cluster, &request_authentication_kind, x->t->gate, x->a);

	token(x, "req.fhdr(authorization) -m beg 'Bearer '");
	token(x, "query -m sub access_token=");
	for (uint32_t k = 0; k < all.nr; k++)
		VAL_EACH(rule, val_get(all.v[k]->spec, "jwtRules")) {
			VAL_EACH(h, val_get(rule, "fromHeaders"))
				if (hap_name(val_str_at(h, "name")))
					token(x, arena_printf(x->a, "req.fhdr(%s) -m found", val_str_at(h, "name")));
			VAL_EACH(p, val_get(rule, "fromParams"))
				if (val_str(p) && hap_fits(val_str(p)))
					token(x, arena_printf(x->a, "query -m sub -- %s", hap_word(x, val_str(p))));
			if (val_first(val_get(rule, "fromCookies")))
				token(x, "req.fhdr(cookie) -m found");
		}
}

void hap_gate_requests(struct hap *x)
{
	struct writing w = { .x = x, .pod = x->t->gate, .rule = "http-request", .stop = "deny deny_status 403", .go = "set-var(txn.allowed) int(1)",
			     .but = " if !{ var(txn.allowed) -m found }", .http = true, .acls = "gate" };

	if (gated(x, &request_authentication_kind))
		tokens(x);
	if (gated(x, &authorization_policy_kind))
		policies_or_cannot(&w);
}

void hap_gate_connections(struct hap *x, const struct l7_port *at)
{
	struct writing w = { .x = x, .pod = x->t->gate, .at = at, .rule = "tcp-request connection", .stop = "reject", .go = "accept", .but = "", .acls = "gate" };

	if (gated(x, &authorization_policy_kind))
		policies_or_cannot(&w);
}

/* ---- mutual TLS comes in */

static const char *der_of(struct hap *x, const char *principal)
{
	const char *uri = arena_printf(x->a, "spiffe://%s", principal), *hex;
	size_t n = strlen(uri);
	struct sb out = { 0 };

	sb_printf(&out, n < 128 ? "86%02zX" : n < 256 ? "8681%02zX" : "8682%04zX", n);          /* [6] uniformResourceIdentifier (RFC 5280, 4.2.1.6) */
	for (const char *p = uri; *p; p++)
		sb_printf(&out, "%02X", (unsigned char)*p);
	hex = arena_strdup(x->a, sb_text(&out));
	sb_free(&out);
	return hex;
}

static void who_is_it(struct hap *x)
{
	const struct mesh_peers *peers = x->plane->peers;

	for (uint32_t k = 0; k < peers->nr; k++) {
		const struct pod *p = peers->v[k];
		const char *principal = mesh_principal(x->t->cluster, p, x->a);

		if (!hap_fits(principal))
			continue;
		sb_printf(text(x), "    acl peer%u ssl_c_der,hex -m sub %s\n", k, der_of(x, principal));
		sb_printf(text(x), "    tcp-request session set-var(sess.principal) str(%s) if peer%u\n", principal, k);
		sb_printf(text(x), "    tcp-request session set-var(sess.namespace) str(%s) if peer%u\n", p->o.ns, k);
		sb_printf(text(x), "    tcp-request session set-var(sess.account) str(%s/%s) if peer%u\n", p->o.ns, strstr(principal, "/sa/") + 4, k);
	}
}

void hap_mesh_mutual(struct hap *x)
{
	sb_printf(text(x), "\nbackend inbound.mutual from proxy\n    mode tcp\n    server mutual abns@podwire-mutual send-proxy-v2\n"
			   "\nfrontend inbound.tls from proxy\n    mode tcp\n    bind abns@podwire-mutual accept-proxy%s\n", own_identity(x));
	who_is_it(x);
	sb_add(text(x), "    tcp-request inspect-delay 2s\n    tcp-request content switch-mode http if HTTP\n");
	hap_mesh_connections(x);
	sb_add(text(x), "    use_backend inbound.http.application if HTTP\n    default_backend inbound.application\n");
}
