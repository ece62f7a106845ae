#include "model/api/agnhost.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/base/quantity.h"

/* ---- its words: the command and behind it the arguments */

static const char *word(const struct container *c, uint32_t k)
{
	return k < c->command.nr ? c->command.v[k] : k - c->command.nr < c->args.nr ? c->args.v[k - c->command.nr] : NULL;
}

static bool is_program(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return strcmp(name, "agnhost") == 0 || strcmp(name, "agnhost-2") == 0;
}

static bool is_image(const char *image)
{
	const char *slash = image ? strrchr(image, '/') : NULL, *name = slash ? slash + 1 : image;

	return name && strcspn(name, ":@") == 7 && strncmp(name, "agnhost", 7) == 0;
}

/* --port=80, --port 80; NULL: it is not given. */
static const char *flag(const struct container *c, const char *name)
{
	size_t n = strlen(name);
	const char *w, *last = NULL;

	for (uint32_t k = 0; (w = word(c, k)); k++)
		if (strncmp(w, name, n) == 0 && (w[n] == '=' || !w[n]))
			last = w[n] ? w + n + 1 : word(c, k + 1);
	return last;
}

static int32_t flag_number(const struct container *c, const char *name, int32_t by_default)
{
	const char *s = flag(c, name);

	return s ? atoi(s) : by_default;
}

static bool flag_set(const struct container *c, const char *name, bool by_default)
{
	size_t n = strlen(name);
	const char *w;

	for (uint32_t k = 0; (w = word(c, k)); k++)
		if (strncmp(w, name, n) == 0 && (w[n] == '=' || !w[n]))
			by_default = !w[n] || w[n + 1] == '1' || w[n + 1] == 't' || w[n + 1] == 'T';
	return by_default;
}

static const char *env(const struct container *c, const char *name)
{
	for (uint32_t k = 0; k < c->env.nr; k++)
		if (streq(c->env.v[k].name, name))
			return c->env.v[k].value;
	return NULL;
}

/* ---- the subcommands */

enum tls_use { TLS_NEVER, TLS_ALWAYS, TLS_BY_FILE };    /* BY_FILE: with --tls-cert-file */
struct place { uint8_t protocol; const char *flag; int32_t port; uint8_t tls; };        /* flag NULL: the port is always that one; port 0 and below: none */

static const struct subcommand { const char *name; struct place at[3]; } subcommands[] = {
	{ "audit-proxy", { { L4_TCP, NULL, 8080, TLS_NEVER } } },
	{ "connect", { { 0 } } },
	{ "crd-conversion-webhook", { { L4_TCP, "--port", 443, TLS_ALWAYS } } },
	{ "dns-server-list", { { 0 } } },
	{ "dns-suffix", { { 0 } } },
	{ "entrypoint-tester", { { 0 } } },
	{ "etc-hosts", { { 0 } } },
	{ "external-metrics", { { L4_TCP, "--port", 6443, TLS_ALWAYS } } },
	{ "fake-gitserver", { { L4_TCP, NULL, 8000, TLS_NEVER } } },
	{ "fake-registry-server", { { L4_TCP, "--port", 5000, TLS_NEVER } } },
	{ "grpc-health-checking", { { L4_TCP, "--http-port", 8080, TLS_NEVER }, { L4_TCP, "--port", 5000, TLS_BY_FILE } } },
	{ "guestbook", { { L4_TCP, "--http-port", 80, TLS_NEVER } } },
	{ "inclusterclient", { { 0 } } },
	{ "liveness", { { L4_TCP, NULL, 8080, TLS_NEVER } } },
	{ "logs-generator", { { 0 } } },
	{ "mounttest", { { 0 } } },
	{ "mtlsclient", { { 0 } } },
	{ "mtlsserver", { { 0 } } },
	{ "net", { { 0 } } },
	{ "netexec", { { L4_UDP, "--udp-port", 8081, TLS_NEVER }, { L4_SCTP, "--sctp-port", -1, TLS_NEVER }, { L4_TCP, "--http-port", 8080, TLS_BY_FILE } } },
	{ "nettest", { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ "no-snat-test", { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ "no-snat-test-proxy", { { L4_TCP, "--port", 31235, TLS_NEVER } } },
	{ "nonewprivs", { { 0 } } },
	{ "pause", { { 0 } } },
	{ "podcertificatesigner", { { 0 } } },
	{ "port-forward-tester", { { 0 } } },
	{ "porter", { { 0 } } },
	{ "resource-consumer-controller", { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ "serve-hostname", { { 0 } } },
	{ "stress", { { 0 } } },
	{ "tcp-reset", { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ "test-service-account-issuer-discovery", { { 0 } } },
	{ "test-webserver", { { L4_TCP, "--port", 80, TLS_NEVER } } },
	{ "webhook", { { L4_TCP, "--port", 443, TLS_ALWAYS } } },
};

static const struct subcommand *subcommand_named(const char *name)
{
	for (size_t k = 0; k < ARRAY_LEN(subcommands); k++)
		if (strcmp(subcommands[k].name, name) == 0)
			return &subcommands[k];
	return NULL;
}

/* -t 5, -t5, --log-lines-total=5 */
static const char *either(const struct container *c, const char *name, char letter)
{
	const char *s = flag(c, name), *w;

	for (uint32_t k = 0; !s && (w = word(c, k)); k++)
		if (w[0] == '-' && w[1] == letter)
			s = w[2] ? w + 2 + (w[2] == '=') : word(c, k + 1);
	return s;
}

static void ending(const struct container *c, struct agnhost *g)
{
	static const char *const print_and_end[] = { "dns-suffix", "dns-server-list", "etc-hosts", "entrypoint-tester", "nonewprivs" };
	const char *s = g->subcommand, *lines, *lasts;

	for (size_t k = 0; k < ARRAY_LEN(print_and_end); k++)
		if (strcmp(s, print_and_end[k]) == 0)
			g->after = 0;
	if (strcmp(s, "logs-generator") == 0) {
		lines = either(c, "--log-lines-total", 't');
		lasts = either(c, "--run-duration", 'd');
		if (!lines || atoi(lines) <= 0 || !lasts || !duration_parse(lasts, &g->after) || g->after <= 0) {
			g->after = 0;
			g->code = 255;
		}
	} else if (strcmp(s, "serve-hostname") == 0 && flag_set(c, "--http", true) && (flag_set(c, "--tcp", false) || flag_set(c, "--udp", false))) {
		g->after = 0;           /* not both at a time */
		g->code = 1;
	} else if (strcmp(s, "net") == 0 && !flag(c, "--serve")) {
		g->after = 0;
		g->code = flag(c, "--runner") ? 0 : 1;
		g->depends = g->code ? NULL : "its connection";
	} else if (strcmp(s, "connect") == 0) {
		g->after = 0;
		g->depends = "its connection";
	} else if (strcmp(s, "mounttest") == 0) {
		g->after = 0;
		g->depends = "files of its volumes";
	} else if (strcmp(s, "test-service-account-issuer-discovery") == 0) {
		g->after = 0;
		g->depends = "answers of the API server";
	} else if (strcmp(s, "grpc-health-checking") == 0 && !flag(c, "--tls-cert-file") != !flag(c, "--tls-private-key-file")) {
		g->after = 0;
		g->code = 1;
	}
}

struct agnhost agnhost_of(const struct container *c)
{
	struct agnhost g = { .after = NEVER };
	uint32_t at = c->command.nr ? 1 : 0;

	if (!is_image(c->image) || (c->command.nr && !is_program(c->command.v[0])))
		return g;
	g.named = c->command.nr + c->args.nr > 0;
	g.subcommand = g.named ? word(c, at) : "pause";
	if (!g.subcommand || g.subcommand[0] == '-' || strcmp(g.subcommand, "help") == 0) {     /* it says how it is used */
		g.subcommand = "help";
		g.after = 0;
	} else if (!subcommand_named(g.subcommand)) {
		g.after = 0;
		g.code = 1;
	} else {
		ending(c, &g);
	}
	return g;
}

/* ---- where it listens */

struct opening { const struct container *c; agnhost_listens *each; void *arg; };

static void opens(const struct opening *o, struct agnhost_port p)
{
	if (p.port > 0 && p.port < 65536)
		o->each(o->arg, &p);
}

/* Of "10.0.0.1:80", ":80", "[::1]:80" */
static void opens_at(const struct opening *o, const char *at, bool tls)
{
	const char *colon = at ? strrchr(at, ':') : NULL;
	char addr[64];
	size_t n, from;

	if (!colon)
		return;
	from = *at == '[';
	n = (size_t)(colon - at) - 2 * from;
	snprintf(addr, sizeof(addr), "%.*s", (int)n, at + from);
	opens(o, (struct agnhost_port){ L4_TCP, atoi(colon + 1), tls, *addr ? addr : NULL, "spec.containers.args" });
}

static void opens_by_name(const struct opening *o)
{
	static const struct { const char *prefix; uint8_t protocol; bool tls; } prefixes[] = {
		{ "SERVE_PORT_", L4_TCP, false }, { "SERVE_TCP_PORT_", L4_TCP, false }, { "SERVE_UDP_PORT_", L4_UDP, false }, { "SERVE_TLS_PORT_", L4_TCP, true },
		{ "SERVE_SCTP_PORT_", L4_SCTP, false } };

	for (uint32_t i = 0; i < o->c->env.nr; i++)
		for (size_t k = 0; o->c->env.v[i].name && k < ARRAY_LEN(prefixes); k++)
			if (strncmp(o->c->env.v[i].name, prefixes[k].prefix, strlen(prefixes[k].prefix)) == 0)
				opens(o, (struct agnhost_port){ prefixes[k].protocol, atoi(o->c->env.v[i].name + strlen(prefixes[k].prefix)), prefixes[k].tls, NULL, "spec.containers.env" });
}

/* netexec's UDP: one socket for each of the addresses */
static void opens_addresses(const struct opening *o, struct agnhost_port p, const char *list)
{
	char addr[64];

	for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ',')) {
		snprintf(addr, sizeof(addr), "%.*s", (int)strcspn(list, ","), list);
		p.addr = addr;
		opens(o, p);
	}
}

void agnhost_ports(const struct container *c, agnhost_listens *each, void *arg)
{
	struct opening o = { c, each, arg };
	struct agnhost g = agnhost_of(c);
	const struct subcommand *s = g.subcommand && g.after == NEVER ? subcommand_named(g.subcommand) : NULL;
	const char *list, *addr;

	for (size_t k = 0; s && k < ARRAY_LEN(s->at) && s->at[k].protocol; k++) {
		const struct place *at = &s->at[k];
		struct agnhost_port p = { at->protocol, at->flag ? flag_number(c, at->flag, at->port) : at->port, at->tls == TLS_ALWAYS || (at->tls == TLS_BY_FILE && flag(c, "--tls-cert-file")), NULL,
					  "spec.containers.args" };

		list = at->protocol == L4_UDP ? flag(c, "--udp-listen-addresses") : NULL;
		if (list && *list)
			opens_addresses(&o, p, list);
		else
			opens(&o, p);
	}
	if (!s)
		return;
	if (strcmp(s->name, "serve-hostname") == 0) {
		if (flag_set(c, "--tcp", false) || flag_set(c, "--http", true))
			opens(&o, (struct agnhost_port){ L4_TCP, flag_number(c, "--port", 9376), false, NULL, "spec.containers.args" });
		if (flag_set(c, "--udp", false))
			opens(&o, (struct agnhost_port){ L4_UDP, flag_number(c, "--port", 9376), false, NULL, "spec.containers.args" });
	} else if (strcmp(s->name, "porter") == 0) {
		opens_by_name(&o);
	} else if (strcmp(s->name, "net") == 0) {
		opens_at(&o, flag(c, "--serve"), false);
	} else if (strcmp(s->name, "mtlsserver") == 0) {
		opens_at(&o, flag(c, "--listen"), true);
	} else if (strcmp(s->name, "port-forward-tester") == 0 && env(c, "BIND_PORT")) {
		addr = env(c, "BIND_ADDRESS");
		opens(&o, (struct agnhost_port){ L4_TCP, atoi(env(c, "BIND_PORT")), false, addr && *addr ? addr : "localhost", "spec.containers.env" });
	}
}

/* ---- what probes find */

struct looking { int32_t port; bool found, tls, well; };

static bool is_loopback(const char *addr)
{
	return addr && (strcmp(addr, "localhost") == 0 || strncmp(addr, "127.", 4) == 0 || strcmp(addr, "::1") == 0);
}

static void look(void *arg, const struct agnhost_port *p)
{
	struct looking *l = arg;

	l->well = l->well || p->protocol != L4_TCP;     /* netexec is ready when its server of datagrams (or SCTP) is */
	if (p->protocol != L4_TCP || p->port != l->port || is_loopback(p->addr))
		return;
	l->found = true;
	l->tls = p->tls;
}

/* 0: a port's name that is not known. */
static int32_t port_number(const struct container *c, const struct int_or_str *port)
{
	for (uint32_t k = 0; port->s && k < c->ports.nr; k++)
		if (streq(c->ports.v[k].name, port->s))
			return c->ports.v[k].port;
	return port->s ? atoi(port->s) : port->i;
}

static bool path_is(const char *path, const char *is)
{
	return strncmp(path, is, strlen(is)) == 0 && (!path[strlen(is)] || path[strlen(is)] == '?');
}

static bool path_among(const char *path, const char *const *known)
{
	for (; *known; known++)
		if (path_is(path, *known))
			return true;
	return false;
}

/* → the HTTP status; what is not known is 200. */
static int status_of(const struct container *c, const char *subcommand, const char *path, const struct looking *l, nsec since, nsec alive, nsec *until)
{
	static const char *const liveness[] = { "/started", "/healthz", "/redirect", NULL }, *const guestbook[] = { "/register", "/get", "/set", "/guestbook", NULL };

	if (strcmp(subcommand, "liveness") == 0) {
		if (!path_is(path, "/healthz"))
			return path_among(path, liveness) ? 200 : 404;
		*until = since < alive ? alive : NEVER;
		return since < alive ? 200 : 500;
	}
	if (strcmp(subcommand, "guestbook") == 0)
		return path_among(path, guestbook) ? 200 : 404;
	if (strcmp(subcommand, "netexec") == 0 && !flag(c, "--http-override") && (path_is(path, "/healthz") || path_is(path, "/readyz")))
		return l->well ? 200 : 412;
	return 200;
}

static bool grpc_answers(const struct container *c, const struct grpc_action *p, nsec since, nsec *until, const char **why)
{
	const char *service = flag(c, "--service");
	int32_t ends = flag_number(c, "--delay-unhealthy-sec", -1);

	if (!streq(service ? service : "", p->service ? p->service : "")) {
		*why = "error: health rpc failed: rpc error: code = NotFound desc = unknown service";
		return false;
	}
	if (ends < 0 || since < SECONDS(ends)) {
		*until = ends < 0 ? NEVER : SECONDS(ends);
		return true;
	}
	*why = "service unhealthy (responded with \"NOT_SERVING\")";
	return false;
}

bool agnhost_answers(const struct container *c, const struct probe *p, nsec since, nsec alive, nsec *until, const char **why)
{
	static const struct { int status; const char *why; } words[] = {
		{ 400, "HTTP probe failed with statuscode: 400" }, { 404, "HTTP probe failed with statuscode: 404" }, { 412, "HTTP probe failed with statuscode: 412" },
		{ 500, "HTTP probe failed with statuscode: 500" } };
	struct agnhost g = agnhost_of(c);
	const struct int_or_str *port = p->http ? &p->http->port : p->tcp ? &p->tcp->port : NULL;
	struct looking l = { .port = port ? port_number(c, port) : p->grpc ? p->grpc->port : 0 };
	bool tls = p->http && streq(p->http->scheme, "HTTPS");
	int status = 200;

	*until = NEVER;
	if (!g.named || !g.subcommand || (p->http && p->http->host) || (p->tcp && p->tcp->host) || !l.port)
		return true;
	agnhost_ports(c, look, &l);
	if (!l.found) {
		*why = "connect: connection refused";
		return false;
	}
	if (p->grpc && strcmp(g.subcommand, "grpc-health-checking") == 0)
		return grpc_answers(c, p->grpc, since, until, why);
	if (!p->http)
		return true;
	if (tls && !l.tls) {
		*why = "http: server gave HTTP response to HTTPS client";
		return false;
	}
	status = l.tls && !tls ? 400 : status_of(c, g.subcommand, p->http->path && *p->http->path ? p->http->path : "/", &l, since, alive, until);
	for (size_t k = 0; k < ARRAY_LEN(words); k++)
		if (words[k].status == status) {
			*why = words[k].why;
			return false;
		}
	return true;
}

nsec agnhost_lingers(const struct container *c, nsec awaits)
{
	struct agnhost g = agnhost_of(c);

	if (!g.subcommand)
		return 0;
	return strcmp(g.subcommand, "serve-hostname") == 0 ? awaits : SECONDS(MAX(flag_number(c, "--delay-shutdown", 0), 0));
}
