/* What the API server asks of NetworkPolicies, Ingresses and IngressClasses. Source: kubernetes pkg/apis/networking/validation/validation.go. */
#include "model/api/checks.h"

static const char *const policy_types[] = { "Ingress", "Egress", NULL };
static const char *const path_types[] = { "Exact", "ImplementationSpecific", "Prefix", NULL };
static const char *const scopes[] = { "Cluster", "Namespace", NULL };

/* ---- NetworkPolicy */

static void check_policy_port(struct check *c, const struct np_port *port, const struct path *p)
{
	const struct path *end = SUB(p, "endPort");

	if (!port->port.set || port->port.s) {
		if (port->end.set)
			refuse_int(c, end, port->end.v, "may not be specified when `port` is %s", port->port.set ? "non-numeric" : "not specified");
		if (port->port.set)
			must_be_port_name(c, SUB(p, "port"), port->port.s);
		return;
	}
	must_be_port(c, SUB(p, "port"), port->port.i);
	if (!port->end.set)
		return;
	if (port->end.v < port->port.i)
		refuse_int(c, end, port->port.i, "must be greater than or equal to `port`");
	must_be_port(c, end, port->end.v);
}

static void check_block(struct check *c, const struct ip_block *b, const struct path *p)
{
	struct cidr whole, part;

	if (!b->cidr || !*b->cidr) {
		refuse_missing(c, SUB(p, "cidr"), "%s", "");
		return;
	}
	must_be_cidr_any(c, SUB(p, "cidr"), b->cidr);       /* policies with legacy forms exist, and go on to be kept (AllowCIDRsEvenIfInvalid) */
	if (!cidr_parse(b->cidr, &whole))
		return;
	for (uint32_t k = 0; k < b->except.nr; k++) {
		const struct path *at = ITEM(SUB(p, "except"), k);

		must_be_cidr_any(c, at, b->except.v[k]);
		if (cidr_parse(b->except.v[k], &part) && (!cidr_contains(whole, part.addr) || whole.len >= part.len))
			refuse_str(c, at, b->except.v[k], "must be a strict subset of `cidr`");
	}
}

static void check_peer(struct check *c, const struct np_peer *peer, const struct val *doc, const struct path *p)
{
	must_be_selector_val(c, SUB(p, "podSelector"), val_get(doc, "podSelector"), false);
	must_be_selector_val(c, SUB(p, "namespaceSelector"), val_get(doc, "namespaceSelector"), false);
	if (peer->block)
		check_block(c, peer->block, SUB(p, "ipBlock"));
	if (!peer->pods && !peer->namespaces && !peer->block)
		refuse_missing(c, p, "must specify a peer");
	else if (peer->block && (peer->pods || peer->namespaces))
		refuse_forbidden(c, p, "may not specify both ipBlock and another peer");
}

static void check_rule(struct check *c, const struct np_rule *r, const struct val *doc, const char *peers, const struct path *p)
{
	const struct val *v = val_get(doc, peers);

	for (uint32_t k = 0; k < r->ports.nr; k++)
		check_policy_port(c, &r->ports.v[k], ITEM(SUB(p, "ports"), k));
	for (uint32_t k = 0; k < r->peers.nr; k++)
		check_peer(c, &r->peers.v[k], val_at(v, k), ITEM(SUB(p, peers), k));
}

void network_policy_check(struct check *c, const struct object *o)
{
	const struct network_policy *np = (const struct network_policy *)o;
	const struct val *spec = val_get(c->root, "spec");
	const struct path *p = SUB(NULL, "spec");

	must_be_selector_val(c, SUB(p, "podSelector"), val_get(spec, "podSelector"), false);
	for (uint32_t k = 0; k < np->ingress.nr; k++)
		check_rule(c, &np->ingress.v[k], val_at(val_get(spec, "ingress"), k), "from", ITEM(SUB(p, "ingress"), k));
	for (uint32_t k = 0; k < np->egress.nr; k++)
		check_rule(c, &np->egress.v[k], val_at(val_get(spec, "egress"), k), "to", ITEM(SUB(p, "egress"), k));
	if (np->types.nr > 2) {
		refuse_val(c, SUB(p, "policyTypes"), val_get(spec, "policyTypes"), "may not specify more than two policyTypes");
		return;
	}
	for (uint32_t k = 0; k < np->types.nr; k++)
		if (!one_of(np->types.v[k], policy_types))
			refuse_unsupported(c, ITEM(SUB(p, "policyTypes"), k), np->types.v[k], policy_types);
}

/* ---- Ingress */

static void check_resource(struct check *c, const struct res_backend *r, const struct path *p)
{
	if (r->api_group)
		must_be_subdomain(c, SUB(p, "apiGroup"), r->api_group);
	if (!r->kind || !*r->kind)
		refuse_missing(c, SUB(p, "kind"), "%s", "");
	else
		must_be_path_segment(c, SUB(p, "kind"), r->kind);
	if (!r->name || !*r->name)
		refuse_missing(c, SUB(p, "name"), "%s", "");
	else
		must_be_path_segment(c, SUB(p, "name"), r->name);
}

static void check_backend(struct check *c, const struct ing_backend *b, const struct path *p)
{
	const struct svc_backend *s = b->service;
	bool named = s && s->port_name && *s->port_name;

	if (b->resource && s) {
		refuse_str(c, p, "", "cannot set both resource and service backends");
		return;
	}
	if (b->resource) {
		check_resource(c, b->resource, SUB(p, "resource"));
		return;
	}
	if (!s) {
		refuse_str(c, p, "", "resource or service backend is required");
		return;
	}
	if (!s->name || !*s->name)
		refuse_missing(c, SUB(p, "service.name"), "%s", "");
	else
		must_be_label(c, SUB(p, "service.name"), s->name);
	if (named && s->port)
		refuse_str(c, p, "", "cannot set both port name & port number");
	else if (named)
		must_be_port_name(c, SUB(p, "service.port.name"), s->port_name);
	else if (s->port)
		must_be_port(c, SUB(p, "service.port.number"), s->port);
	else
		refuse_missing(c, p, "port name or number is required");
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void check_path(struct check *c, const struct ing_path *v, const struct path *p)
{
	static const char *const never[] = { "//", "/./", "/../", "%2f", "%2F", NULL }, *const at_end[] = { "/..", "/.", NULL };
	const char *path = v->path ? v->path : "";
	bool any = streq(v->type, "ImplementationSpecific");

	if (!v->type) {
		refuse_missing(c, SUB(p, "pathType"), "pathType must be specified");
		return;
	}
	if (!one_of(v->type, path_types)) {
		refuse_unsupported(c, SUB(p, "pathType"), v->type, path_types);
	} else {
		if (*path != '/' && !(any && !*path))
			refuse_str(c, SUB(p, "path"), path, "must be an absolute path");
		for (uint32_t k = 0; !any && never[k]; k++)
			if (strstr(path, never[k]))
				refuse_str(c, SUB(p, "path"), path, "must not contain '%s'", never[k]);
		for (uint32_t k = 0; !any && at_end[k]; k++)
			if (ends_with(path, at_end[k]))
				refuse_str(c, SUB(p, "path"), path, "cannot end with '%s'", at_end[k]);
	}
	check_backend(c, &v->backend, SUB(p, "backend"));
}

static void check_host(struct check *c, const struct path *p, const char *host)
{
	if (strchr(host, '*'))
		must_be_wildcard(c, p, host);
	else
		must_be_subdomain(c, p, host);
}

/* ---- what an update may leave as bad as it was (allowInvalidSecretName, allowInvalidWildcardHostRule) */

static bool bad_secret(struct check *quiet, const struct val *tls)
{
	const char *secret = val_str_at(tls, "secretName");

	if (secret && *secret)
		must_be_subdomain(quiet, SUB(NULL, "secretName"), secret);
	return quiet->found;
}

/* The rule of a host with a star. */
static bool bad_wildcard(struct check *quiet, const struct val *rule)
{
	const char *host = val_str_at(rule, "host");
	const struct val *paths = val_path(rule, "http.paths");

	if (!host || !strchr(host, '*'))
		return false;
	VAL_EACH(v, paths) {
		const struct val *service = val_path(v, "backend.service"), *resource = val_path(v, "backend.resource");
		struct svc_backend s = { val_str_at(service, "name"), val_str_at(service, "port.name"), (int32_t)val_int_or(val_path(service, "port.number"), 0) };
		struct res_backend r = { val_str_at(resource, "apiGroup"), val_str_at(resource, "kind"), val_str_at(resource, "name") };
		struct ing_path one = { val_str_at(v, "path"), val_str_at(v, "pathType"), { service ? &s : NULL, resource ? &r : NULL } };

		check_path(quiet, &one, SUB(NULL, "paths"));
	}
	return quiet->found || (val_get(rule, "http") && !val_first(paths));
}

static bool was_bad(const struct check *c, const char *list, bool (*bad)(struct check *, const struct val *))
{
	struct err ignored = { 0 };
	struct check quiet = { .file = c->file, .object = c->object, .err = &ignored };
	bool out = false;

	VAL_EACH(v, val_path(c->was, list))
		out = out || bad(&quiet, v);
	err_free(&ignored);
	return out;
}

static void check_ingress_rule(struct check *c, const struct ing_rule *r, const struct val *doc, const struct path *p)
{
	const struct path *paths = SUB(p, "http.paths");
	ip_addr ip;

	if (r->host && *r->host) {
		if (ip_parse_lenient(r->host, &ip))
			refuse_str(c, SUB(p, "host"), r->host, "must be a DNS name, not an IP address");
		check_host(c, SUB(p, "host"), r->host);
		if (strchr(r->host, '*') && c->was && was_bad(c, "spec.rules", bad_wildcard))
			return;
	}
	if (val_is(val_get(doc, "http"), VAL_MAP) && !r->paths.nr)
		refuse_missing(c, paths, "%s", "");
	for (uint32_t k = 0; k < r->paths.nr; k++)
		check_path(c, &r->paths.v[k], ITEM(paths, k));
}

void ingress_check(struct check *c, const struct object *o)
{
	const struct ingress *i = (const struct ingress *)o;
	const char *class = label_get(&o->annotations, "kubernetes.io/ingress.class");
	const struct val *rules = val_path(c->root, "spec.rules");
	const struct path *p = SUB(NULL, "spec");
	bool any_secret = c->was && was_bad(c, "spec.tls", bad_secret);

	if (!i->rules.nr && !i->dflt_backend)
		refuse_val(c, p, rules, "either `defaultBackend` or `rules` must be specified");
	if (i->dflt_backend)
		check_backend(c, i->dflt_backend, SUB(p, "defaultBackend"));
	for (uint32_t k = 0; k < i->rules.nr; k++)
		check_ingress_rule(c, &i->rules.v[k], val_at(rules, k), ITEM(SUB(p, "rules"), k));
	for (uint32_t k = 0; k < i->tls.nr; k++) {
		const struct ing_tls *t = &i->tls.v[k];
		const struct path *at = ITEM(SUB(p, "tls"), k);

		for (uint32_t h = 0; h < t->hosts.nr; h++)
			check_host(c, ITEM(SUB(at, "hosts"), h), t->hosts.v[h]);
		if (t->secret && *t->secret && !any_secret)
			must_be_subdomain(c, SUB(at, "secretName"), t->secret);
	}
	if (i->class_name)
		must_be_subdomain(c, SUB(p, "ingressClassName"), i->class_name);
	if (!c->was && class && i->class_name && strcmp(class, i->class_name) != 0)     /* ValidateIngressCreate: an update may */
		refuse_str(c, SUB(NULL, "annotations.kubernetes.io/ingress.class"), class, "must match `ingressClassName` when both are specified");
}

/* ---- IngressClass */

static void check_parameters(struct check *c, const struct val *v, const struct path *p)
{
	struct res_backend r = { val_str_at(v, "apiGroup"), val_str_at(v, "kind"), val_str_at(v, "name") };
	const char *scope = val_str_at(v, "scope") ? val_str_at(v, "scope") : "Cluster", *ns = val_str_at(v, "namespace");

	check_resource(c, &r, p);
	if (!one_of(scope, scopes))
		refuse_unsupported(c, SUB(p, "scope"), scope, scopes);
	else if (strcmp(scope, "Namespace") == 0 && !ns)
		refuse_missing(c, SUB(p, "namespace"), "`parameters.scope` is set to 'Namespace'");
	else if (strcmp(scope, "Namespace") == 0)
		must_be_label(c, SUB(p, "namespace"), ns);
	else if (ns)
		refuse_forbidden(c, SUB(p, "namespace"), "`parameters.scope` is set to 'Cluster'");
}

void ingress_class_check(struct check *c, const struct object *o)
{
	const struct ingress_class *i = (const struct ingress_class *)o;
	const struct path *p = SUB(NULL, "spec.controller");

	if (i->controller && strlen(i->controller) > 250)
		refuse_long(c, p, 250);
	must_be_domain_path(c, p, i->controller ? i->controller : "");
	if (i->parameters)
		check_parameters(c, i->parameters, SUB(NULL, "spec.parameters"));
}

void ingress_class_check_update(struct check *c, const struct object *o, const struct object *was)
{
	const struct ingress_class *i = (const struct ingress_class *)o, *old = (const struct ingress_class *)was;

	if (!streq(i->controller, old->controller))
		refuse_str(c, SUB(NULL, "spec.controller"), i->controller, "field is immutable");
}
