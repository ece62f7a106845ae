/* The subcommands: their words, how they end, where they listen. What probes find: agnhost_probes.c. */
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

const char *agnhost_flag(const struct container *c, const char *name)
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
	const char *s = agnhost_flag(c, name);

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

/* ends: it does its work and ends. depends: see struct agnhost */
static const struct subcommand { const char *name; struct place at[3]; bool ends; const char *depends; } subcommands[] = {
	{ .name = "audit-proxy", .at = { { L4_TCP, NULL, 8080, TLS_NEVER } } },
	{ .name = "connect", .ends = true, .depends = "its connection" },
	{ .name = "crd-conversion-webhook", .at = { { L4_TCP, "--port", 443, TLS_ALWAYS } } },
	{ .name = "dns-server-list", .ends = true },
	{ .name = "dns-suffix", .ends = true },
	{ .name = "entrypoint-tester", .ends = true },
	{ .name = "etc-hosts", .ends = true },
	{ .name = "external-metrics", .at = { { L4_TCP, "--port", 6443, TLS_ALWAYS } } },
	{ .name = "fake-gitserver", .at = { { L4_TCP, NULL, 8000, TLS_NEVER } } },
	{ .name = "fake-registry-server", .at = { { L4_TCP, "--port", 5000, TLS_NEVER } } },
	{ .name = "grpc-health-checking", .at = { { L4_TCP, "--http-port", 8080, TLS_NEVER }, { L4_TCP, "--port", 5000, TLS_BY_FILE } } },
	{ .name = "guestbook", .at = { { L4_TCP, "--http-port", 80, TLS_NEVER } } },
	{ .name = "inclusterclient" },
	{ .name = "liveness", .at = { { L4_TCP, NULL, 8080, TLS_NEVER } } },
	{ .name = "logs-generator" },
	{ .name = "mounttest", .ends = true, .depends = "files of its volumes" },
	{ .name = "mtlsclient" },
	{ .name = "mtlsserver" },
	{ .name = "net" },
	{ .name = "netexec", .at = { { L4_UDP, "--udp-port", 8081, TLS_NEVER }, { L4_SCTP, "--sctp-port", -1, TLS_NEVER }, { L4_TCP, "--http-port", 8080, TLS_BY_FILE } } },
	{ .name = "nettest", .at = { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ .name = "no-snat-test", .at = { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ .name = "no-snat-test-proxy", .at = { { L4_TCP, "--port", 31235, TLS_NEVER } } },
	{ .name = "nonewprivs", .ends = true },
	{ .name = "pause" },
	{ .name = "podcertificatesigner" },
	{ .name = "port-forward-tester" },
	{ .name = "porter" },
	{ .name = "resource-consumer-controller", .at = { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ .name = "serve-hostname" },
	{ .name = "stress" },
	{ .name = "tcp-reset", .at = { { L4_TCP, "--port", 8080, TLS_NEVER } } },
	{ .name = "test-service-account-issuer-discovery", .ends = true, .depends = "answers of the API server" },
	{ .name = "test-webserver", .at = { { L4_TCP, "--port", 80, TLS_NEVER } } },
	{ .name = "webhook", .at = { { L4_TCP, "--port", 443, TLS_ALWAYS } } },
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
	const char *s = agnhost_flag(c, name), *w;

	for (uint32_t k = 0; !s && (w = word(c, k)); k++)
		if (w[0] == '-' && w[1] == letter)
			s = w[2] ? w + 2 + (w[2] == '=') : word(c, k + 1);
	return s;
}

/* What ends only with these flags, or without. */
static void end_by_flags(const struct container *c, struct agnhost *g)
{
	const char *s = g->subcommand, *lines, *lasts;

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
	} else if (strcmp(s, "net") == 0 && !agnhost_flag(c, "--serve")) {
		g->after = 0;
		g->code = agnhost_flag(c, "--runner") ? 0 : 1;
		g->depends = g->code ? NULL : "its connection";
	} else if (strcmp(s, "grpc-health-checking") == 0 && !agnhost_flag(c, "--tls-cert-file") != !agnhost_flag(c, "--tls-private-key-file")) {
		g->after = 0;
		g->code = 1;
	}
}

struct agnhost agnhost_of(const struct container *c)
{
	struct agnhost g = { .after = NEVER };
	uint32_t at = c->command.nr ? 1 : 0;
	const struct subcommand *s;

	if (!is_image(c->image) || (c->command.nr && !is_program(c->command.v[0])))
		return g;
	g.named = c->command.nr + c->args.nr > 0;
	g.subcommand = g.named ? word(c, at) : "pause";
	if (!g.subcommand || g.subcommand[0] == '-' || strcmp(g.subcommand, "help") == 0) {     /* it says how it is used */
		g.subcommand = "help";
		g.after = 0;
	} else if (!(s = subcommand_named(g.subcommand))) {
		g.after = 0;
		g.code = 1;
	} else if (s->ends) {
		g.after = 0;
		g.depends = s->depends;
	} else {
		end_by_flags(c, &g);
	}
	return g;
}

nsec agnhost_lingers(const struct container *c, nsec awaits)
{
	struct agnhost g = agnhost_of(c);

	if (!g.subcommand)
		return 0;
	return strcmp(g.subcommand, "serve-hostname") == 0 ? awaits : SECONDS(MAX(flag_number(c, "--delay-shutdown", 0), 0));
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
		struct agnhost_port p = { at->protocol, at->flag ? flag_number(c, at->flag, at->port) : at->port, at->tls == TLS_ALWAYS || (at->tls == TLS_BY_FILE && agnhost_flag(c, "--tls-cert-file")), NULL,
					  "spec.containers.args" };

		list = at->protocol == L4_UDP ? agnhost_flag(c, "--udp-listen-addresses") : NULL;
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
		opens_at(&o, agnhost_flag(c, "--serve"), false);
	} else if (strcmp(s->name, "mtlsserver") == 0) {
		opens_at(&o, agnhost_flag(c, "--listen"), true);
	} else if (strcmp(s->name, "port-forward-tester") == 0 && env(c, "BIND_PORT")) {
		addr = env(c, "BIND_ADDRESS");
		opens(&o, (struct agnhost_port){ L4_TCP, atoi(env(c, "BIND_PORT")), false, addr && *addr ? addr : "localhost", "spec.containers.env" });
	}
}
