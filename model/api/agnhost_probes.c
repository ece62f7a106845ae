/* What probes find of agnhost's subcommands. */
#include "model/api/agnhost.h"

#include <stdlib.h>

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
	if (strcmp(subcommand, "netexec") == 0 && !agnhost_flag(c, "--http-override") && (path_is(path, "/healthz") || path_is(path, "/readyz")))
		return l->well ? 200 : 412;
	return 200;
}

static bool grpc_answers(const struct container *c, const struct grpc_action *p, nsec since, nsec *until, const char **why)
{
	const char *service = agnhost_flag(c, "--service"), *delay = agnhost_flag(c, "--delay-unhealthy-sec");
	int32_t ends = delay ? atoi(delay) : -1;

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
