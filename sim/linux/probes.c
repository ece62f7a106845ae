#include "sim/linux/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/control/behaviour.h"
#include "model/dataplane/packet.h"
#include "model/l7/mesh.h"
#include "sim/linux/grpc_dial.h"
#include "sim/linux/http_dial.h"
#include "sim/linux/place.h"
#include "sim/linux/static/script.h"

_Static_assert(PROBE_STARTUP == 0 && PROBE_READINESS == 1 && PROBE_LIVENESS == 2, "script_kinds has them in this order");

static const struct probe *probe_of(const struct container *c, enum probe_kind k)
{
	return k == PROBE_STARTUP ? c->startup : k == PROBE_READINESS ? c->readiness : c->liveness;
}

/* 0: none, or a name that no port has. */
static uint16_t port_of(const struct container *c, const struct probe *p)
{
	const struct int_or_str *port = p->http ? &p->http->port : p->tcp ? &p->tcp->port : NULL;
	char *end;
	long n;

	if (!port)
		return p->grpc->port > 0 && p->grpc->port < 65536 ? (uint16_t)p->grpc->port : 0;
	if (!port->s)
		return port->i > 0 && port->i < 65536 ? (uint16_t)port->i : 0;
	for (uint32_t k = 0; k < c->ports.nr; k++)
		if (streq(c->ports.v[k].name, port->s))
			return (uint16_t)c->ports.v[k].port;
	n = strtol(port->s, &end, 10);
	return !*end && n > 0 && n < 65536 ? (uint16_t)n : 0;
}

static const char *path_of(const struct probe *p)       /* of gRPC the service */
{
	if (p->grpc)
		return p->grpc->service ? p->grpc->service : "";
	return p->http->path && *p->http->path ? p->http->path : "/";
}

/* Since when the container runs; NEVER: it does not. */
static nsec running_since(const struct pod *p, const struct container *c)
{
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].name == c->name)
			return p->statuses.v[k].state == CS_RUNNING ? p->statuses.v[k].started_at : NEVER;
	return NEVER;
}

static bool succeeds(struct cluster *cluster, const struct pod *p, const struct container *c, enum probe_kind k, nsec since)
{
	const char *why;
	nsec until;

	return probe_succeeds(p, c, k, cluster_now(cluster) - since, &until, &why);
}

/* Another program takes the connections: the manifest's own, or the Pod's sidecar. */
static bool taken_by_another(const struct live *live, const struct pod *p, const struct container *c)
{
	return command_is_own(live, p, c) || mesh_capture(p->spec).set;
}

/* One that is not there holds nothing. */
static bool file_holds(const char *path, const struct sb *text)
{
	FILE *f = fopen(path, "re");
	char some[4096];
	size_t at = 0, n;
	bool same = true;

	while (f && same && (n = fread(some, 1, sizeof(some), f)) > 0) {
		same = n <= text->len - at && memcmp(some, text->s + at, n) == 0;
		at += n;
	}
	if (f)
		fclose(f);
	return same && at == text->len;
}

bool probes_script(struct cluster *cluster, const struct pod *p, const struct container *c, const char *log)
{
	nsec since = running_since(p, c);
	struct sb now = { 0 };
	char path[512], fresh[520];
	FILE *f;
	bool differs;

	for (enum probe_kind k = PROBE_STARTUP; since != NEVER && k <= PROBE_LIVENESS; k++) {
		const struct probe *probe = probe_of(c, k);

		if (probe && !probe->exec && !succeeds(cluster, p, c, k, since))
			sb_printf(&now, "%s %u %s\n", script_kinds[k], port_of(c, probe), probe->tcp ? SCRIPT_TCP : path_of(probe));
	}
	snprintf(path, sizeof(path), "%s.fails", log);
	differs = !file_holds(path, &now);
	if (differs && !now.len) {
		differs = unlink(path) == 0;
	} else if (differs) {                    /* at once: the process may be reading it */
		snprintf(fresh, sizeof(fresh), "%s.new", path);
		f = fopen(fresh, "we");
		differs = f && fputs(sb_text(&now), f) >= 0;
		differs = (!f || fclose(f) == 0) && differs && rename(fresh, path) == 0;
	}
	sb_free(&now);
	return differs;
}

/* ---- verify */

struct probe_ask { const struct space *node; const struct pod *pod; const struct container *container; enum probe_kind kind; nsec since; };
struct asking { struct live *live; struct world *w; struct arena *arena; struct verified *out; struct err *err; };

/* Does the walk say that the kubelet's connection gets there, and somebody listens? */
static bool arrives(struct asking *x, const struct space *node, ip_addr ip, uint16_t port, bool *unknown)
{
	struct arena *scratch = arena_new(NULL, "walk");
	struct walk_from from = { .from = node->ns, .t = { .dst = ip, .dport = port, .proto = PROTO_TCP } };
	struct trace t = walk(x->w->dp, flows_new(scratch, 0, 1), &from, 0, scratch);
	struct ways ways = ways_of(x->w->dp, node->ns, &t, scratch);
	bool yes = ways.nr == 1 && ways.v[0].end == DIAL_CONNECTED;

	*unknown = ways.unknown || ways.nr > 1;
	arena_free(scratch);
	return yes;
}

/* By the container's own program, where that is what runs. */
static bool ask_command(struct asking *x, const struct probe_ask *q)
{
	const struct pod *p = q->pod;
	const struct container *c = q->container;
	const struct probe *probe = probe_of(c, q->kind);
	const struct space *s = live_find(x->live, pod_sockets_name(p, x->arena));
	bool want = succeeds(x->w->cluster, p, c, q->kind, q->since);
	int status;

	if (!s)
		return verify_not_asked(&x->out->probes, "a probe in a Pod without namespaces"), true;
	status = command_run(x->live, x->w->cluster, s, p, c, &probe->exec->command, SECONDS(MAX(probe->timeout, 1)), x->err);
	if (status < 0)
		return false;
	x->out->probes.asked++;
	x->out->probes.agreed += (status == 0) == want;
	if ((status == 0) != want)
		vec_add(x->arena, &x->out->differences, (struct difference){
			.what = arena_printf(x->arena, "%s probe of pod/%s/%s, container %s (exec)", script_kinds[q->kind], p->o.ns, p->o.name, c->name), .walk = want ? "success" : "failure",
			.kernel = status == 124 ? "the time was over" : arena_printf(x->arena, "exit status %d", status) });
	return true;
}

static bool ask_grpc(struct asking *x, const struct probe_ask *q, uint16_t port, bool want)
{
	const struct probe *probe = probe_of(q->container, q->kind);
	struct grpc_dial d = { .from = q->node, .dst = q->pod->ip, .port = port, .service = path_of(probe), .probe = script_kinds[q->kind], .wait = SECONDS(MAX(probe->timeout, 1)) };
	bool have;

	if (!grpc_dial(x->live, &d, x->err))
		return false;
	have = d.status == GRPC_SERVING;
	x->out->probes.asked++;
	x->out->probes.agreed += have == want;
	if (have != want)
		vec_add(x->arena, &x->out->differences, (struct difference){
			.what = arena_printf(x->arena, "%s probe of pod/%s/%s, container %s (grpc %s:%u, service \"%s\")", script_kinds[q->kind], q->pod->o.ns, q->pod->o.name, q->container->name, IP(d.dst),
					     port, d.service),
			.walk = want ? "success" : "failure",
			.kernel = d.end != DIAL_CONNECTED ? dial_end_names[d.end] : d.status == GRPC_NO_ANSWER ? "no answer" : arena_printf(x->arena, "status %d", d.status) });
	return true;
}

static bool ask(struct asking *x, const struct probe_ask *q)
{
	const struct pod *p = q->pod;
	const struct container *c = q->container;
	enum probe_kind k = q->kind;
	const struct probe *probe = probe_of(c, k);
	uint16_t port = probe->exec ? 0 : port_of(c, probe);
	bool scripted = succeeds(x->w->cluster, p, c, k, q->since), unknown, want, have;
	struct http_dial d = { .from = q->node, .dst = p->ip, .port = port, .wait = SECONDS(MAX(probe->timeout, 1)) };
	const char *what;

	if (probe->exec)
		return ask_command(x, q);
	if (probe->http ? probe->http->host != NULL : probe->tcp && probe->tcp->host)
		return verify_not_asked(&x->out->probes, "a probe of another host"), true;
	if (probe->http && probe->http->scheme && strcmp(probe->http->scheme, "HTTPS") == 0)
		return verify_not_asked(&x->out->probes, "a probe by HTTPS: the containers of a lab speak plain HTTP"), true;
	if (!port)
		return verify_not_asked(&x->out->probes, "a probe of a port that has no number"), true;
	if (probe->tcp && !scripted && taken_by_another(x->live, p, c))
		return verify_not_asked(&x->out->probes, "a TCP probe that is scripted to fail, where a sidecar or a command of the manifest listens"), true;
	want = arrives(x, q->node, p->ip, port, &unknown) && scripted;
	if (unknown)
		return verify_not_asked(&x->out->probes, "the walk does not know whether it arrives"), true;
	if (probe->grpc)
		return ask_grpc(x, q, port, want);
	what = probe->http ? path_of(probe) : "";
	d.tos = probe->tcp ? SCRIPT_TOS(k) : 0;
	d.text = arena_printf(x->arena, "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: kube-probe/1.36\r\n" PROBE_HEADER ": %s\r\nConnection: close\r\n\r\n", probe->http ? what : "/", IP(p->ip), port,
			      script_kinds[k]);
	if (!http_dial(x->live, &d, x->arena, x->err))
		return false;
	have = d.end == DIAL_CONNECTED && (probe->tcp || (d.status >= 200 && d.status < 400));
	x->out->probes.asked++;
	x->out->probes.agreed += have == want;
	if (have != want)
		vec_add(x->arena, &x->out->differences, (struct difference){
			.what = arena_printf(x->arena, "%s probe of pod/%s/%s, container %s (%s%s:%u%s)", script_kinds[k], p->o.ns, p->o.name, c->name, probe->http ? "http://" : "tcp ", IP(p->ip), port, what),
			.walk = want ? "success" : "failure",
			.kernel = d.status ? arena_printf(x->arena, "HTTP %d", d.status) : dial_end_names[d.end] });
	return true;
}

typedef VEC(struct probe_ask) probe_asks;

static void add_pod(struct asking *x, const struct space *node, const struct pod *p, probe_asks *all)
{
	for (int init = 0; init < 2; init++) {
		const container_list *l = init ? &p->spec->init_containers : &p->spec->containers;

		for (uint32_t i = 0; i < l->nr; i++)
			for (enum probe_kind k = PROBE_STARTUP; k <= PROBE_LIVENESS; k++) {
				const struct probe *probe = probe_of(&l->v[i], k);
				nsec since = running_since(p, &l->v[i]);

				if (probe && since != NEVER && !probe->http && !probe->tcp && !probe->grpc && !(probe->exec && command_is_own(x->live, p, &l->v[i])))
					verify_not_asked(&x->out->probes, "a probe by exec: commands of manifests are not run");
				else if (probe && since != NEVER)
					vec_add(x->arena, all, (struct probe_ask){ node, p, &l->v[i], k, since });
			}
	}
}

bool verify_probes(struct live *live, struct world *w, const struct verify_options *opt, struct arena *a, struct verified *out, struct err *err)
{
	struct asking x = { live, w, a, out, err };
	struct object_list pods = cluster_list(w->cluster, &pod_kind);
	probe_asks all = { 0 };
	uint32_t take;
	nsec from = dial_clock();

	world_dataplane(w);
	for (uint32_t k = 0; k < pods.nr; k++) {
		const struct pod *p = (const struct pod *)pods.v[k];
		const struct space *node = p->node ? live_find(live, arena_printf(a, "node/%s", p->node)) : NULL;

		if (!node || !node->ns.i || netns_get(w->dp, node->ns)->down || !ip_set(p->ip) || pod_is_terminal(p))
			continue;
		add_pod(&x, node, p, &all);
	}
	take = opt->sample ? MIN(opt->sample, all.nr) : all.nr;
	for (uint32_t k = 0; take && k < all.nr; k++) {
		if (hash_mix(opt->seed, k) % (all.nr - k) >= take)
			continue;
		take--;
		if (!ask(&x, &all.v[k]))
			return false;
	}
	out->probes.ms = (double)(dial_clock() - from) / 1e6;
	return live_enter(live, NULL, err);
}
