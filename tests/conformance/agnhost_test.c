/* The test image's subcommands, by its own sources (kubernetes test/images/agnhost): the flags' defaults are those of each subcommand's init(). */
#include "model/api/agnhost.h"
#include "model/control/behaviour.h"
#include "tests/unit/cell.h"

static void list(void *out, const struct agnhost_port *p)
{
	sb_printf(out, " %s%s:%d%s%s", p->tls ? "tls/" : "", p->protocol == L4_UDP ? "udp" : p->protocol == L4_SCTP ? "sctp" : "tcp", p->port, p->addr ? "@" : "", p->addr ? p->addr : "");
}

static const struct container *container(struct cell *x, const char *more)
{
	cell_apply(x, arena_printf(x->a, "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, %s}]}}\n", more));
	return &find_pod(x->c, "default", "p")->spec->containers.v[0];
}

TEST(agnhost_listens_and_ends_as_its_sources_say)
{
	static const struct { const char *words, *want; } rows[] = {
		{ "", "" },
		{ "args: [pause]", "" },
		{ "args: [netexec]", " udp:8081 tcp:8080" },
		{ "args: [netexec, '--http-port=80', --udp-port, '-1', --sctp-port=99]", " sctp:99 tcp:80" },
		{ "args: [netexec, --tls-cert-file=/localhost.crt, --udp-listen-addresses, '10.0.0.1,10.0.0.2']", " udp:8081@10.0.0.1 udp:8081@10.0.0.2 tls/tcp:8080" },
		{ "command: [/agnhost, serve-hostname, --http=false, --tcp, --udp, --port, '80']", " tcp:80 udp:80" },
		{ "args: [serve-hostname]", " tcp:9376" },
		{ "args: [serve-hostname, --udp]", " ends 1 after 0" },
		{ "args: [porter], env: [{name: SERVE_PORT_1, value: a}, {name: SERVE_TCP_PORT_2, value: a}, {name: SERVE_UDP_PORT_3, value: a}, {name: SERVE_TLS_PORT_4, value: a}, "
		  "{name: SERVE_SCTP_PORT_5, value: a}, {name: PORT_6, value: a}]", " tcp:1 tcp:2 udp:3 tls/tcp:4 sctp:5" },
		{ "args: [net, --serve, ':8889']", " tcp:8889" },
		{ "args: [net, '--serve=127.0.0.1:80']", " tcp:80@127.0.0.1" },
		{ "args: [net]", " ends 1 after 0" },
		{ "args: [net, --runner, nat-closewait-client]", " ends 0 after 0 or not" },
		{ "args: [liveness]", " tcp:8080" },
		{ "args: [test-webserver]", " tcp:80" },
		{ "args: [fake-gitserver]", " tcp:8000" },
		{ "args: [guestbook, --replicaof, primary, --http-port, '6379']", " tcp:6379" },
		{ "args: [webhook, --port=8443]", " tls/tcp:8443" },
		{ "args: [grpc-health-checking, --port=7]", " tcp:8080 tcp:7" },
		{ "args: [grpc-health-checking, --tls-cert-file=x]", " ends 1 after 0" },
		{ "args: [mtlsserver, '--listen=[::]:443']", " tls/tcp:443@::" },
		{ "args: [port-forward-tester], env: [{name: BIND_PORT, value: '80'}]", " tcp:80@localhost" },
		{ "args: [inclusterclient]", "" },
		{ "args: [logs-generator, -t, '5', -d, 20s]", " ends 0 after 20" },
		{ "args: [logs-generator, --log-lines-total=5, --run-duration=1m0s]", " ends 0 after 60" },
		{ "args: [logs-generator]", " ends 255 after 0" },
		{ "args: [entrypoint-tester, a]", " ends 0 after 0" },
		{ "args: [dns-suffix]", " ends 0 after 0" },
		{ "args: [etc-hosts]", " ends 0 after 0" },
		{ "args: [connect, 'web:80']", " ends 0 after 0 or not" },
		{ "args: [mounttest, --fs_type=/x]", " ends 0 after 0 or not" },
		{ "args: [no-such-thing]", " ends 1 after 0" },
		{ "command: [/agnhost]", " ends 0 after 0" },
		{ "command: [/bin/sh, -c, agnhost netexec]", "another" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const struct container *c = container(&x, arena_printf(x.a, "image: 'registry.k8s.io/e2e-test-images/agnhost:2.53'%s%s", *rows[k].words ? ", " : "", rows[k].words));
		struct agnhost g = agnhost_of(c);
		struct sb have = { 0 };

		agnhost_ports(c, list, &have);
		if (!g.subcommand)
			sb_add(&have, "another");
		else if (g.after != NEVER)
			sb_printf(&have, " ends %d after %d%s", g.code, (int)(g.after / SECONDS(1)), g.depends ? " or not" : "");
		SAME_TEXT(sb_text(&have), rows[k].want);
		sb_free(&have);
		cell_free(&x);
	}
}

TEST(only_the_image_of_that_name_is_agnhost)
{
	static const struct { const char *image; bool is; } rows[] = { { "agnhost", true }, { "r.io/a/agnhost@sha256:0", true }, { "agnhost-tools:1", false }, { "r.io/agnhost/nginx", false } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);

		CU_ASSERT((agnhost_of(container(&x, arena_printf(x.a, "image: '%s'", rows[k].image))).subcommand != NULL) == rows[k].is);
		cell_free(&x);
	}
}

TEST(probes_of_agnhost_find_what_it_answers)
{
	static const struct { const char *words, *probe; int at, until; const char *why; } rows[] = {
		{ "liveness", "httpGet: {path: /healthz, port: 8080}", 0, 10, NULL },
		{ "liveness", "httpGet: {path: /healthz, port: 8080}", 12, -1, "statuscode: 500" },
		{ "liveness", "httpGet: {path: /, port: 8080}", 0, -1, "statuscode: 404" },
		{ "liveness", "httpGet: {path: /healthz, port: 80}", 0, -1, "connection refused" },
		{ "liveness", "httpGet: {path: /started, port: 8080, scheme: HTTPS}", 0, -1, "HTTP response to HTTPS client" },
		{ "netexec, --tls-cert-file=x", "httpGet: {path: /, port: 8080, scheme: HTTPS}", 0, -1, NULL },
		{ "netexec, --tls-cert-file=x", "httpGet: {path: /, port: 8080}", 0, -1, "statuscode: 400" },
		{ "netexec", "httpGet: {path: /readyz, port: 8080}", 0, -1, NULL },
		{ "netexec, --udp-port=-1", "httpGet: {path: /readyz, port: 8080}", 0, -1, "statuscode: 412" },
		{ "netexec", "tcpSocket: {port: 8081}", 0, -1, "connection refused" },
		{ "grpc-health-checking, --delay-unhealthy-sec=5", "grpc: {port: 5000}", 1, 5, NULL },
		{ "grpc-health-checking, --delay-unhealthy-sec=5", "grpc: {port: 5000}", 5, -1, "NOT_SERVING" },
		{ "grpc-health-checking, --service=a", "grpc: {port: 5000, service: b}", 0, -1, "unknown service" },
		{ "pause", "tcpSocket: {port: 80}", 0, -1, "connection refused" },
	};

	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		struct cell x = cell_new(1);
		const struct container *c = container(&x, arena_printf(x.a, "image: agnhost, args: [%s], livenessProbe: {%s}", rows[k].words, rows[k].probe));
		const char *why = NULL;
		nsec until;
		bool well = probe_succeeds(find_pod(x.c, "default", "p"), c, PROBE_LIVENESS, SECONDS(rows[k].at), &until, &why);

		CU_ASSERT(well == !rows[k].why);
		CU_ASSERT(until == (rows[k].until < 0 ? NEVER : SECONDS(rows[k].until)));
		CU_ASSERT(well || (why && strstr(why, rows[k].why)));
		cell_free(&x);
	}
}
