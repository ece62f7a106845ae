/* Which certificate is shown for which name, as a crt-list: the first line that has the name, else the file's first certificate (unless strict-sni forbids it). */
#include "model/l7/haproxy_parts.h"

#include <ctype.h>

struct listing { struct hap *x; struct sb text; VEC(const char *) names; const char *asks; /* of clients, as options of a line */ };

static const char *file_of(struct hap *x, const char *secret)
{
	const char *slash = secret ? strchr(secret, '/') : NULL, *file = !secret ? "own.pem" : NULL;

	if (slash)
		file = arena_printf(x->a, "secret.%.*s.%s.pem", (int)(slash - secret), secret, slash + 1);
	if (!hap_name(file))
		file = arena_printf(x->a, "secret.%08x.pem", fnv32a(secret, strlen(secret)));
	for (uint32_t k = 0; k < x->out->certs.nr; k++)
		if (streq(x->out->certs.v[k].file, file))
			return file;
	vec_add(x->a, &x->out->certs, (struct haproxy_cert){ file, secret, NULL });
	return file;
}

static bool host_name(const char *name)
{
	const char *p = strncmp(name, "*.", 2) == 0 ? name + 2 : name;

	return hap_name(p) && p[0] != '.';
}

#define NOBODY "default.invalid"        /* of the first line, which is for names that have none: without a name it would be for all names in the certificate */

/* A name that has its line already keeps it. */
static void show(struct listing *l, const char *file, const char *name)
{
	char *lower = arena_strdup(l->x->a, name);

	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (!host_name(lower))
		return;
	for (uint32_t k = 0; k < l->names.nr; k++)
		if (streq(l->names.v[k], lower))
			return;
	vec_add(l->x->a, &l->names, (const char *)lower);
	sb_printf(&l->text, "%s/%s%s %s\n", l->x->dir, file, l->asks, lower);
}

/* Ingress: the host that the Ingress names, if the certificate is good for it; else the controller's own (table_cert). */
static void ingress_names(struct listing *l, const struct l7_listener *to)
{
	show(l, file_of(l->x, NULL), NOBODY);
	for (uint32_t k = 0; k < to->certs.nr; k++) {
		const struct l7_cert *c = &to->certs.v[k];

		if (c->host)
			show(l, file_of(l->x, !c->bad && cert_covers(&c->names, c->host) ? c->secret : NULL), c->host);
	}
	for (uint32_t k = 0; k < to->certs.nr; k++)
		for (uint32_t i = 0; !to->certs.v[k].host && !to->certs.v[k].bad && i < to->certs.v[k].names.nr; i++)
			show(l, file_of(l->x, to->certs.v[k].secret), to->certs.v[k].names.v[i]);
}

static const struct l7_cert *first_good(const struct l7_listener *to)
{
	for (uint32_t k = 0; k < to->certs.nr; k++)
		if (!to->certs.v[k].bad)
			return &to->certs.v[k];
	return NULL;
}

/* Gateway: of the listener for that name the certificate that covers it, else its first. */
static bool gateway_names(struct listing *l, const struct l7_listener *to)
{
	const struct l7_cert *first = first_good(to);

	if (!first)
		return false;
	for (uint32_t k = 0; k < to->certs.nr; k++)
		for (uint32_t i = 0; !to->certs.v[k].bad && i < to->certs.v[k].names.nr; i++)
			if (host_matches(to->host, to->certs.v[k].names.v[i], false))
				show(l, file_of(l->x, to->certs.v[k].secret), to->certs.v[k].names.v[i]);
	if (to->host)
		show(l, file_of(l->x, first->secret), to->host);
	return true;
}

/* A certificate that clients must have; *l->asks. */
static void asks_of_clients(struct listing *l, const struct l7_listener *to)
{
	struct hap *x = l->x;
	const char *name = arena_printf(x->a, "clients.%u.pem", (uint32_t)(to - x->t->listeners.v));
	bool known = false;

	l->asks = "";
	if (!to->client_certificates)
		return;
	if (!to->client_ca) {
		const struct l7_cert *own = first_good(to);

		if (!own)
			return;
		hap_cannot(x, arena_printf(x->a, "port %u", to->port), "certificates of clients, without a bundle that says who signs them: none is taken");
		l->asks = arena_printf(x->a, " [ca-file %s/%s verify required]", x->dir, file_of(x, own->secret));     /* which has signed nobody's */
		return;
	}
	for (uint32_t k = 0; k < x->out->files.nr; k++)
		known = known || streq(x->out->files.v[k].name, name);
	if (!known)
		vec_add(x->a, &x->out->files, (struct haproxy_file){ name, to->client_ca });
	l->asks = arena_printf(x->a, " [ca-file %s/%s verify required]", x->dir, name);
}

static bool by_tls(const struct l7_listener *to, const struct l7_port *port, enum l7_proto proto)
{
	return !to->dead && to->port == port->port && to->proto == proto;
}

/* Shown for names without a line: of the listener for any host; else of the only one with a wildcard, under which HAProxy finds one label and the listener takes several
 * (names for which there is no listener are cut off behind the handshake). NULL: none. */
static const struct l7_listener *for_others(const struct hap *x, const struct l7_port *port, enum l7_proto proto)
{
	const struct l7_listener *wild = NULL;
	uint32_t wildcards = 0;

	for (uint32_t k = 0; k < x->t->listeners.nr; k++) {
		const struct l7_listener *to = &x->t->listeners.v[k];

		if (!by_tls(to, port, proto) || !first_good(to))
			continue;
		if (!to->host)
			return to;
		if (to->host[0] == '*') {
			wild = to;
			wildcards++;
		}
	}
	return wildcards == 1 ? wild : NULL;
}

const char *hap_certs(struct hap *x, const struct l7_port *port, enum l7_proto proto)
{
	struct listing l = { .x = x, .asks = "" };
	const char *name = arena_printf(x->a, proto == L7_HTTPS ? "%u.list" : "%u.ends.list", port->bind);
	const struct l7_listener *otherwise;
	bool any = false, open = x->t->own_cert;

	if (!open && (otherwise = for_others(x, port, proto))) {
		asks_of_clients(&l, otherwise);
		show(&l, file_of(x, first_good(otherwise)->secret), NOBODY);
		open = true;
	}
	for (int exact = 1; exact >= 0; exact--)
		for (uint32_t k = 0; k < x->t->listeners.nr; k++) {
			const struct l7_listener *to = &x->t->listeners.v[k];

			if (!by_tls(to, port, proto) || (to->host != NULL) != exact)
				continue;
			asks_of_clients(&l, to);
			if (x->t->own_cert)
				ingress_names(&l, to);
			any = x->t->own_cert || gateway_names(&l, to) || any;
		}
	if (any)
		vec_add(x->a, &x->out->files, (struct haproxy_file){ name, arena_strdup(x->a, sb_text(&l.text)) });
	sb_free(&l.text);
	return any ? arena_printf(x->a, "crt-list %s/%s%s", x->dir, name, open ? "" : " strict-sni") : NULL;
}
