#include "viz/cli/inside.h"

#include <unistd.h>

#include "sim/linux/cni.h"
#include "sim/linux/enter.h"
#include "sim/linux/supervisor.h"
#include "viz/cli/labwork.h"

static enum err_kind forward(struct cli *cli, int fd, bool hold, struct err *err)
{
	const char **words = arena_array(cli->arena, const char *, cli->argc + 1);
	enum err_kind how;
	int nr = 0;

	if (hold)
		words[nr++] = SUPERVISOR_HOLD;
	for (int k = 1; k < cli->argc; k++)
		words[nr++] = cli->argv[k];
	how = supervisor_ask(fd, nr, words, NULL, NULL, NULL, err);

	close(fd);
	return how;
}

enum err_kind inside_ask(struct cli *cli, struct err *err)
{
	int fd = supervisor_connect(cli_lab(cli), err);

	if (fd < 0 && !err_any(err))
		err_add(err, ERR_FAILED, NULL, "%s is not up: podwire up builds it", cli_lab(cli));
	return fd < 0 ? err_kind(err) : forward(cli, fd, false, err);
}

struct passing { struct cli *cli; inside_work work; struct world world; };

static enum err_kind made_for_it(void *ctx, int said, struct err *err)
{
	struct passing *p = ctx;
	struct live live = { .commands = p->cli->allow_commands };
	struct live_sum sum;
	struct inside inside = { &live, &p->world };

	(void)said;
	if (!live_begin(&live, err) || (p->cli->cni_bin && !cni_begin(&live, p->world.cluster, p->cli->cni_bin, err)) || !live_sync(&live, p->world.cluster, world_dataplane(&p->world), &sum, err))
		return err_kind(err);
	p->cli->inside = &inside;
	return p->work(p->cli, &live, &p->world, err);
}

enum err_kind inside_do(struct cli *cli, inside_work work, struct err *err)
{
	struct passing p = { .cli = cli, .work = work };
	struct entered lab;
	enum err_kind how;
	int fd;

	if (cli->inside)
		return work(cli, cli->inside->live, cli->inside->world, err);
	fd = cli->files.nr ? -1 : supervisor_connect(cli_lab(cli), err);
	if (fd >= 0)
		return forward(cli, fd, true, err);
	if (!cli_world(cli, &p.world, err))
		return err_kind(err);
	if (enter(made_for_it, &p, &lab, err)) {
		how = entered_result(&lab, err);
		entered_wait(&lab);
	} else {
		how = err_kind(err);
	}
	world_free(&p.world);
	return how;
}

/* ---- which container (kubectl, pkg/cmd/util/podcmd) */

static const char *all_names(const struct pod *p, struct arena *a)
{
	const char *names = "";

	for (int init = 0; init < 2; init++) {
		const container_list *l = init ? &p->spec->init_containers : &p->spec->containers;

		for (uint32_t k = 0; k < l->nr; k++)
			names = arena_printf(a, "%s%s%s%s", names, *names ? ", " : "", l->v[k].name, init ? " (init)" : "");
	}
	return names;
}

const struct container *inside_container(const struct pod *p, const char *name, const char **note, struct arena *a, struct err *err)
{
	const char *annotated = label_get(&p->o.annotations, "kubectl.kubernetes.io/default-container");
	const struct container *c = name ? pod_container(p, name) : annotated ? pod_container(p, annotated) : NULL;

	if (!c && name) {
		err_add(err, ERR_FAILED, NULL, "container %s is not valid for pod %s out of: %s", name, p->o.name, all_names(p, a));
	} else if (!c) {
		c = &p->spec->containers.v[0];
		if (p->spec->containers.nr + p->spec->init_containers.nr > 1)
			*note = arena_printf(a, "Defaulted container \"%s\" out of: %s", c->name, all_names(p, a));
	}
	return c;
}

void inside_follow(struct cli *cli, struct err *err)
{
	static const char *const sync[] = { "sync" };
	struct err none = { 0 };
	int fd = supervisor_connect(cli_lab(cli), &none);
	struct sb said = { 0 };

	err_free(&none);
	if (fd < 0)
		return;
	if (supervisor_ask(fd, 1, sync, &said, NULL, NULL, err) == ERR_NONE && said.len && !cli->quiet)
		fprintf(stderr, "%s\n", sb_text(&said));
	sb_free(&said);
	close(fd);
}
