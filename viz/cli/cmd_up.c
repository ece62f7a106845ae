/* up: builds the cluster in real namespaces and leaves their first process to serve the commands that ask. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/ask/end.h"
#include "sim/linux/cni.h"
#include "sim/linux/enter.h"
#include "sim/linux/place.h"
#include "sim/linux/run.h"
#include "sim/linux/supervisor.h"
#include "viz/cli/inside.h"
#include "viz/cli/labwork.h"

struct lab_up {
	struct cli *cli;
	struct world world;
	struct supervisor s;
	const char *lab;                /* absolute */
	bool files;                     /* built from -f: there is no lab file to follow */
	struct live_sum *sum;           /* shared with the caller */
};

/* ---- what the supervisor is asked */

static bool sync_lab(void *ctx, struct live *live, struct sb *said, struct err *err)
{
	struct lab_up *up = ctx;
	struct world w;
	struct live_sum sum;

	if (up->files)
		return live_sync(live, up->world.cluster, world_dataplane(&up->world), &sum, err);
	if (!labwork_read(up->cli, &w, err))
		return false;
	if (!live_sync(live, w.cluster, world_dataplane(&w), &sum, err)) {
		world_free(&w);
		return false;
	}
	world_free(&up->world);
	up->world = w;
	if (sum.messages || sum.rulesets || sum.processes || sum.spaces)
		sb_printf(said, "the kernel follows: %u namespaces made, %u netlink messages, rules of %u namespaces, %u processes started, %.1f ms", sum.spaces, sum.messages, sum.rulesets,
			  sum.processes, sum.ms);
	return true;
}

static enum err_kind run_inside(void *ctx, struct live *live, int argc, char **argv, struct err *err)
{
	struct lab_up *up = ctx;
	struct inside inside = { live, &up->world };
	struct cli cli = { .arena = arena_new(NULL, "command line"), .argc = argc + 1, .to = stdout, .inside = &inside };
	char **all = arena_array(cli.arena, char *, argc + 2);

	all[0] = (char *)(uintptr_t)"podwire";
	for (int k = 0; k < argc; k++)
		all[k + 1] = argv[k];
	cli.argv = all;
	return cli_run(&cli, argc + 1, all, err);
}

/* ---- a container that ends: its kubelet hears of it, as of fault container, and some seconds pass */

#define SOON "5s"               /* of virtual time: enough for a restart, and for readiness where nothing delays it */

static enum err_kind tell_cluster(const char *lab, const char *target, const char *code, struct err *err)
{
	const char *const commands_[2][8] = { { "podwire", "--lab", lab, "fault", "container", target, code, NULL }, { "podwire", "--lab", lab, "advance", SOON, NULL } };
	enum err_kind how = ERR_NONE;

	for (size_t k = 0; k < ARRAY_LEN(commands_) && how == ERR_NONE; k++) {
		struct cli cli = { .arena = arena_new(NULL, "command line"), .quiet = true };
		int argc = 0;

		while (commands_[k][argc])
			argc++;
		cli.to = fopen("/dev/null", "we");
		how = cli.to ? cli_run(&cli, argc, (char **)(uintptr_t)commands_[k], err) : ERR_MACHINE;
		if (cli.to)
			fclose(cli.to);
		arena_free(cli.arena);
	}
	return how;
}

/* A lab is changed by a process of its own, as by a command: the supervisor follows when that asks it to. */
static bool container_ended(void *ctx, struct live *live, const struct space *s, const char *key, int status)
{
	struct lab_up *up = ctx;
	char target[700], code[32];
	struct err err = { 0 };
	pid_t pid;

	(void)live;
	if (up->files)
		return false;           /* there is no lab to change */
	if (s->kind == NS_POD)
		snprintf(target, sizeof(target), "%s/%s", s->name, key);
	else if (s->kind == NS_NODE && strchr(key, '/'))
		snprintf(target, sizeof(target), "pod/%s", key);
	else
		return false;           /* a node's daemons are simply started again */
	snprintf(code, sizeof(code), "exit=%d", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	pid = fork();
	if (pid != 0)
		return pid > 0;
	setsid();
	_exit((int)tell_cluster(up->lab, target, code, &err));
}

static bool find_place(void *ctx, struct live *live, const char *target, const char *ns, const char *container, struct place *out, struct arena *a, struct err *err)
{
	struct lab_up *up = ctx;
	struct cluster *cluster = up->world.cluster;
	bool bare = !strchr(target, '/') && strcmp(target, "client") != 0 && strcmp(target, "router") != 0;
	const char *text = bare ? arena_printf(a, "pod/%s", target) : target;
	const struct container *c;
	const struct pod *p;
	struct end end;

	if (strcmp(target, "router") == 0) {
		out->space = "router";
		return true;
	}
	if (!end_parse(cluster, text, ns, &end, err))
		return false;
	if (end.kind == END_CLIENT) {
		out->space = "client";
		return true;
	}
	if (end.kind == END_NODE) {
		out->space = arena_printf(a, "node/%s", end.name);
		out->etc = place_files(live, cluster, NULL, NULL, end.name, a);
		return true;
	}
	p = end.kind == END_POD || end.kind == END_WORKLOAD ? end_pod(cluster, &end, err) : NULL;
	if (!p)
		return err_any(err) ? false : err_add(err, ERR_INPUT, NULL, "\"%s\" is not a Pod, a node, client or router", target);
	c = inside_container(p, container, &out->note, a, err);
	if (!c)
		return false;
	out->pod = true;
	out->space = pod_sockets_name(p, a);
	out->etc = place_files(live, cluster, p, c, arena_printf(a, "%s.%s", p->o.uid, c->name), a);
	return true;
}

/* ---- building */

static enum err_kind build(void *ctx, int said, struct err *err)
{
	struct lab_up *up = ctx;

	listen(up->s.listening, 64);            /* from now on it is this process that answers there */
	up->s.live.zone.on_demand = true;
	if (!live_begin(&up->s.live, err) || (up->cli->cni_bin && !cni_begin(&up->s.live, up->world.cluster, up->cli->cni_bin, err)) || !live_sync(&up->s.live, up->world.cluster, world_dataplane(&up->world), up->sum, err))
		return err_kind(err);
	entered_detach();
	entered_say(said, ERR_NONE, err);
	close(said);
	up->s.ctx = up;
	up->s.sync = sync_lab;
	up->s.run = run_inside;
	up->s.find = find_place;
	up->s.ended = container_ended;
	supervisor_serve(&up->s);
	return ERR_NONE;
}

static uint32_t count(const struct dataplane *dp, enum netns_kind kind)
{
	uint32_t nr = 0;

	NETNS_EACH(dp, k)
		nr += netns_get(dp, (netns_h){ k })->kind == kind;
	return nr;
}

enum err_kind cmd_up(struct cli *cli, struct err *err)
{
	struct lab_up up = { .cli = cli, .files = cli->files.nr > 0 };
	struct entered lab;
	enum err_kind how;
	char *full = realpath(".", NULL);

	if (cli->args.nr)
		return cli_usage(cli, err, "\"%s\": up takes options only", cli->args.v[0]);
	if (cli->with_bird && !program_there("bird"))
		return err_add(err, ERR_MACHINE, NULL, "--bird: bird is not installed (BIRD 2; Debian's package bird2)"), err_kind(err);
	up.s.live.with_bird = cli->with_bird;
	up.s.live.commands = cli->allow_commands;
	if (cli_lab(cli)[0] != '/' && full)
		cli->lab = arena_printf(cli->arena, "%s/%s", full, cli_lab(cli));
	free(full);
	up.lab = cli_lab(cli);
	if (!cli_world(cli, &up.world, err))
		return err_kind(err);
	up.sum = mmap(NULL, sizeof(*up.sum), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	world_dataplane(&up.world);
	up.s.listening = supervisor_bind(cli_lab(cli), err);
	if (up.sum == MAP_FAILED || up.s.listening < 0)
		return err_kind(err);
	if (enter(build, &up, &lab, err)) {
		how = entered_result(&lab, err);
		if (how != ERR_NONE)
			entered_wait(&lab);
	} else {
		how = err_kind(err);
	}
	if (how != ERR_NONE)
		supervisor_unbind(cli_lab(cli));
	else if (!cli->quiet)
		fprintf(cli->to, "up: %u nodes, %u Pods, %u links, rules of %u namespaces, %u processes, %.0f ms\n", count(up.world.dp, NS_NODE), count(up.world.dp, NS_POD), up.sum->links,
			up.sum->rulesets, up.sum->processes, up.sum->ms);
	if (how == ERR_NONE && !cli->quiet && up.sum->haproxies)
		fprintf(cli->to, "    %u HAProxies as controllers and Gateways\n", up.sum->haproxies);
	if (how == ERR_NONE && !cli->quiet && up.sum->birds)
		fprintf(cli->to, "    %u BIRDs, converged after %.0f ms\n", up.sum->birds, up.sum->birds_ms);
	else if (how == ERR_NONE && !cli->quiet && cli->with_bird)
		fprintf(cli->to, "    no BIRD: no pool's routes are BIRD's, or nodes peer with routers outside, which are not here; the routes are written by podwire\n");
	if (how == ERR_NONE && cli->verbose)
		fprintf(cli->to, "    namespaces %.0f ms, links and routes %.0f ms (%u messages), rules %.0f ms (%.0f of processor time), CNI plugins %.0f ms, processes %.0f ms; %.0f ms of processor time\n", up.sum->spaces_ms, up.sum->wire_ms, up.sum->messages,
			up.sum->rules_ms, up.sum->rules_cpu_ms, up.sum->cni_ms, up.sum->processes_ms, up.sum->cpu_ms);
	world_free(&up.world);
	return how;
}
