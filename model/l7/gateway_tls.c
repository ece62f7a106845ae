/* TLS on both sides of a Gateway: certificates that it asks of clients (spec.tls.frontend), and BackendTLSPolicy. Source: gateway-api apis/v1/{gateway,backendtlspolicy}_types.go. */
#include "model/l7/gateway_parts.h"

#include <stdlib.h>

/* A bundle of certificates: a ConfigMap with the key ca.crt. */
static struct gw_says bundle(struct cluster *c, str ns, const char *group, const char *kind, str name, const char *bad_kind, struct arena *a, const char **text)
{
	const struct object *o;
	const char *pem;

	if (!gw_word_is(group, "", "") || !gw_word_is(kind, "ConfigMap", "ConfigMap"))
		return gw_wrong(bad_kind, arena_printf(a, "a bundle of CA certificates is a ConfigMap, not %s %s", group && *group ? group : "core", kind ? kind : "(none)"));
	o = name ? cluster_find(c, &config_map_kind, ns, name) : NULL;
	if (!o)
		return gw_wrong("InvalidCACertificateRef", arena_printf(a, "ConfigMap %s/%s does not exist", ns, name ? name : "(none)"));
	pem = o->doc ? val_str(val_get(val_get(o->doc, "data"), "ca.crt")) : NULL;
	if (!pem || !strstr(pem, "-----BEGIN"))
		return gw_wrong("InvalidCACertificateRef", arena_printf(a, "ConfigMap %s/%s has no certificate under ca.crt", ns, name));
	*text = pem;
	return gw_fine("ResolvedRefs");
}

/* ---- clients */

static const struct val *validation_for(const struct gateway *gw, int32_t port)
{
	const struct val *frontend = val_path(gw->o.doc, "spec.tls.frontend");

	VAL_EACH(p, val_get(frontend, "perPort"))
		if (val_int_or(val_get(p, "port"), 0) == port)
			return val_path(p, "tls.validation");
	return val_path(frontend, "default.validation");
}

static struct gw_says client_bundle(struct cluster *c, const struct gateway *gw, const struct val *ref, struct arena *a, const char **pem)
{
	const char *ns = val_str_at(ref, "namespace"), *name = val_str_at(ref, "name");
	str where = ns ? cluster_str(c, ns) : gw->o.ns;

	if (where != gw->o.ns && !grant_allows(c, GATEWAY_GROUP, "Gateway", gw->o.ns, where, "", "ConfigMap", name ? name : ""))
		return gw_wrong("RefNotPermitted", arena_printf(a, "no ReferenceGrant in namespace %s lets Gateways of %s use ConfigMap %s", where, gw->o.ns, name ? name : "(none)"));
	return bundle(c, where, val_str_at(ref, "group"), val_str_at(ref, "kind"), name ? cluster_str(c, name) : NULL, "InvalidCACertificateKind", a, pem);
}

void gw_client_certificates(struct cluster *c, const struct gateway *gw, struct gw_listener_state *l, struct arena *a)
{
	const struct val *validation = l->proto == L7_HTTPS ? validation_for(gw, l->spec->port) : NULL, *refs = val_get(validation, "caCertificateRefs");
	uint32_t good = 0;

	if (!validation)
		return;
	VAL_EACH(ref, refs) {
		const char *pem = "";
		struct gw_says says = client_bundle(c, gw, ref, a, &pem);

		good += says.yes;
		l->client_ca = says.yes ? arena_printf(a, "%s%s\n", l->client_ca ? l->client_ca : "", pem) : l->client_ca;
		if (!says.yes && l->resolved.yes)
			l->resolved = says;
	}
	if (!good)
		l->accepted = gw_wrong("NoValidCACertificate", l->resolved.yes ? "no CA certificate is named for clients" : l->resolved.message);
	l->client_certificates = !streq(val_str_at(validation, "mode"), "AllowInsecureFallback");
}

bool gateway_lets_anyone_in(const struct gateway *gw)
{
	const struct val *frontend = val_path(gw->o.doc, "spec.tls.frontend");

	VAL_EACH(p, val_get(frontend, "perPort"))
		if (streq(val_str_at(p, "tls.validation.mode"), "AllowInsecureFallback"))
			return true;
	return streq(val_str_at(frontend, "default.validation.mode"), "AllowInsecureFallback");
}

/* ---- backends */

/* The Gateway's own certificate towards them: spec.tls.backend.clientCertificateRef. */
bool gateway_client_certificate(struct cluster *c, const struct gateway *gw, struct arena *a, struct gw_says *out)
{
	const struct val *ref = val_path(gw->o.doc, "spec.tls.backend.clientCertificateRef");
	const char *name = val_str_at(ref, "name"), *other = val_str_at(ref, "namespace"), *why = NULL;
	str ns = other ? cluster_str(c, other) : gw->o.ns;
	const struct secret *s = name ? (const struct secret *)cluster_find(c, &secret_kind, ns, name) : NULL;
	struct cert_names names;

	if (!ref)
		return false;
	if (!gw_word_is(val_str_at(ref, "group"), "", "") || !gw_word_is(val_str_at(ref, "kind"), "Secret", "Secret"))
		*out = gw_wrong("InvalidClientCertificateRef", "spec.tls.backend.clientCertificateRef: a certificate is a Secret");
	else if (ns != gw->o.ns && !grant_allows(c, GATEWAY_GROUP, "Gateway", gw->o.ns, ns, "", "Secret", name ? name : ""))
		*out = gw_wrong("RefNotPermitted", arena_printf(a, "no ReferenceGrant in namespace %s lets Gateways of %s use Secret %s", ns, gw->o.ns, name ? name : "(none)"));
	else if (!s)
		*out = gw_wrong("InvalidClientCertificateRef", arena_printf(a, "Secret %s/%s does not exist", ns, name ? name : "(none)"));
	else if (!cert_of_secret(s, a, &names, &why))
		*out = gw_wrong("InvalidClientCertificateRef", arena_printf(a, "Secret %s/%s %s", ns, name, why));
	else
		*out = gw_fine("ResolvedRefs");
	return true;
}

static bool older_policy(const struct object *a, const struct object *b)
{
	nsec x = object_born(a), y = object_born(b);
	int order = (x > y) - (x < y);

	return (order ? order : str_order(a->name, b->name)) < 0;
}

static bool is_target(const struct policy_target *t, const struct service *s, const char *section)
{
	return gw_word_is(t->group, "", "") && gw_word_is(t->kind, "Service", "Service") && t->name == s->o.name && streq(t->section ? t->section : "", section ? section : "");
}

/* The oldest that names the Service with that section (NULL: without). */
static const struct backend_tls_policy *oldest_policy(struct cluster *c, const struct service *s, const char *section)
{
	struct object_list all = cluster_list_ns(c, &backend_tls_policy_kind, s->o.ns);
	const struct backend_tls_policy *best = NULL;

	for (uint32_t k = 0; k < all.nr; k++) {
		const struct backend_tls_policy *p = (const struct backend_tls_policy *)all.v[k];

		for (uint32_t i = 0; i < p->targets.nr; i++)
			if (is_target(&p->targets.v[i], s, section) && (!best || older_policy(&p->o, &best->o)))
				best = p;
	}
	return best;
}

/* Of a port the policy that names it, else that of the whole Service. */
const struct backend_tls_policy *backend_tls_policy(struct cluster *c, const struct service *s, int32_t port)
{
	const struct backend_tls_policy *p = NULL;

	if (!cluster_count(c, &backend_tls_policy_kind))
		return NULL;
	for (uint32_t k = 0; k < s->ports.nr && !p; k++)
		if (s->ports.v[k].port == port && s->ports.v[k].name)
			p = oldest_policy(c, s, s->ports.v[k].name);
	return p ? p : oldest_policy(c, s, NULL);
}

struct gw_policy_says backend_tls_judge(struct cluster *c, const struct backend_tls_policy *p, struct arena *a)
{
	struct gw_policy_says out = { gw_fine("Accepted"), gw_fine("ResolvedRefs") };
	uint32_t good = 0;

	for (uint32_t k = 0; k < p->cas.nr; k++) {
		const char *pem;
		struct gw_says says = bundle(c, p->o.ns, p->cas.v[k].group, p->cas.v[k].kind, p->cas.v[k].name, "InvalidKind", a, &pem);

		good += says.yes;
		if (!says.yes && out.resolved.yes)
			out.resolved = says;
	}
	if (p->cas.nr && !good)
		out.accepted = gw_wrong("NoValidCACertificate", out.resolved.message);
	else if (!p->cas.nr && !streq(p->well_known, "System"))
		out.accepted = gw_wrong("Invalid", "neither caCertificateRefs nor wellKnownCACertificates System is given");
	for (uint32_t k = 0; k < p->targets.nr && out.accepted.yes; k++) {
		const struct policy_target *t = &p->targets.v[k];
		const struct service *s = gw_word_is(t->kind, "Service", "Service") ? find_service(c, p->o.ns, t->name) : NULL;

		if (s && oldest_policy(c, s, t->section) != p)
			out.accepted = gw_wrong("Conflicted", arena_printf(a, "an older BackendTLSPolicy is for Service %s", t->name));
	}
	return out;
}

/* The connection to a backend: by TLS where a policy says so; a policy that does not hold makes the backend an invalid one. */
void gw_backend_tls(struct cluster *c, struct l7_ref *r, struct arena *a)
{
	const struct backend_tls_policy *p = r->service && !r->why ? backend_tls_policy(c, r->service, r->port) : NULL;
	struct gw_policy_says says;

	if (!p)
		return;
	says = backend_tls_judge(c, p, a);
	r->protocol = "HTTPS";
	r->tls = p;
	if (!says.accepted.yes)
		r->why = arena_printf(a, "BackendTLSPolicy %s/%s does not hold: %s", p->o.ns, p->o.name, says.accepted.message);
}

/* ---- a backend's certificate */

static const char *policy_bundle(struct cluster *c, const struct backend_tls_policy *p, struct arena *a)
{
	const char *all = NULL, *pem;

	for (uint32_t k = 0; k < p->cas.nr; k++)
		if (bundle(c, p->o.ns, p->cas.v[k].group, p->cas.v[k].kind, p->cas.v[k].name, "InvalidKind", a, &pem).yes)
			all = all ? arena_printf(a, "%s\n%s", all, pem) : pem;
	return all;
}

/* validation.subjectAltNames, one of which must be there; without them the hostname. */
static bool names_fit(const struct backend_tls_policy *p, const struct cert *cert)
{
	const struct val *wanted = val_path(p->o.doc, "spec.validation.subjectAltNames");

	if (!wanted || !wanted->nr)
		return p->hostname && cert_covers(&cert->names, p->hostname);
	VAL_EACH(w, wanted) {
		const char *uri = val_str_at(w, "uri"), *host = val_str_at(w, "hostname");

		if (host && cert_covers(&cert->names, host))
			return true;
		for (uint32_t k = 0; uri && k < cert->uris.nr; k++)
			if (streq(cert->uris.v[k], uri))
				return true;
	}
	return false;
}

const char *backend_tls_refuses(struct cluster *c, const struct backend_tls_policy *p, const struct cert *cert, struct arena *a)
{
	const char *cas = policy_bundle(c, p, a);

	if (!names_fit(p, cert))
		return arena_printf(a, "BackendTLSPolicy %s/%s wants a certificate for %s", p->o.ns, p->o.name,
				    val_path(p->o.doc, "spec.validation.subjectAltNames") ? "one of its subjectAltNames" : p->hostname);
	if (cas && !cert_trusted(cert, cas, a))
		return arena_printf(a, "BackendTLSPolicy %s/%s wants a certificate that one of its CA certificates has signed", p->o.ns, p->o.name);
	return NULL;
}
