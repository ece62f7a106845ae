/* exec TARGET -- CMD: in the namespaces of a Pod or node, with kubectl exec's manners. The command is a child in the lab's PID namespace, so it ends with the lab; it keeps
 * the caller's terminal. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/linux/place.h"
#include "sim/linux/supervisor.h"
#include "viz/cli/cli.h"
#include "viz/cli/labwork.h"

static bool join(int pidfd, struct err *err)
{
	int all = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWPID;

	if (setns(pidfd, geteuid() ? all | CLONE_NEWUSER : all) == 0)
		return true;
	return err_add(err, ERR_MACHINE, NULL, "entering the namespaces: %s", strerror(errno));
}

static enum err_kind wait_for(pid_t pid)
{
	int status = 0;

	signal(SIGINT, SIG_IGN);                /* the terminal gives it to the command as well */
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return (enum err_kind)(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/* A container's process has the container's environment, and with a terminal its runtime's TERM; one on a node keeps the caller's. */
static bool settle_in(struct cli *cli, char **env, const char *dir, struct err *err)
{
	if (!env)
		return chdir("/root") == 0 || chdir("/") == 0;
	environ = env;
	if (cli->tty && !getenv("TERM"))
		setenv("TERM", "xterm", 0);
	return place_stand(dir, err);
}

_Noreturn static void become(struct cli *cli, const char *etc)
{
	char **argv = arena_array(cli->arena, char *, cli->rest.nr + 1);
	int null = cli->with_stdin ? -1 : open("/dev/null", O_RDONLY);
	char **env = place_environment(etc, cli->arena);
	const char *dir = env ? place_directory(etc, cli->arena) : NULL;
	struct err err = { 0 };

	for (uint32_t k = 0; k < cli->rest.nr; k++)
		argv[k] = (char *)(uintptr_t)cli->rest.v[k];
	if (null >= 0)
		dup2(null, 0);
	if (!place_enter(etc, false, &err) || !settle_in(cli, env, dir, &err)) {
		err_print(&err, stderr);
		_exit(126);
	}
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	fprintf(stderr, "podwire: exec: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Who has joined a PID namespace stays outside and has its children inside; whatever that process does afterwards with threads of its own fails (a sanitizer's search for
 * leaks, at its end, waits for one for ever). So it is a child that joins, and that one ends without ceremony. */
static enum err_kind run_there(struct cli *cli, int pidfd, const char *etc, struct err *err)
{
	pid_t outer, inner;

	fflush(NULL);
	outer = fork();
	if (outer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!join(pidfd, err)) {
			err_print(err, stderr);
			_exit((int)err_kind(err));
		}
		inner = fork();
		if (inner == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			become(cli, etc);
		}
		_exit(inner < 0 ? ERR_MACHINE : (int)wait_for(inner));
	}
	if (outer > 0)
		return wait_for(outer);
	err_add(err, ERR_MACHINE, NULL, "a process for it: %s", strerror(errno));
	return ERR_MACHINE;
}

/* said: a folder, "pod" or nothing, a line for the user (supervisor.c). */
static enum err_kind as_kubectl(struct cli *cli, int pidfd, char *said, struct err *err)
{
	char *pod = strchr(said, '\n'), *note = pod ? strchr(pod + 1, '\n') : NULL;
	enum err_kind how;

	if (!note)
		return run_there(cli, pidfd, said, err);
	*pod++ = *note++ = '\0';
	if (*note && !cli->quiet)
		fprintf(stderr, "%s\n", note);
	if (cli->tty && cli->with_stdin && !isatty(STDIN_FILENO))
		fputs("Unable to use a TTY - input is not a terminal or the right kind of file\n", stderr);
	how = run_there(cli, pidfd, said, err);
	if (*pod && (int)how && !err_any(err) && !cli->quiet)
		fprintf(stderr, "command terminated with exit code %d\n", (int)how);
	return how;
}

enum err_kind cmd_exec(struct cli *cli, struct err *err)
{
	const char *ask[4] = { "enter", NULL, cli_ns(cli), cli->container ? cli->container : "" };
	int fds[SUPERVISOR_FDS], fd;
	uint32_t nr = 0;
	struct sb said = { 0 };
	enum err_kind how;

	if (cli->args.nr != 1 || !cli->rest.nr)
		return cli_usage(cli, err, cli->args.nr != 1 ? "where? name a Pod, a node, client or router" : "which command? it stands behind --");
	fd = supervisor_connect(cli_lab(cli), err);
	if (fd < 0) {
		if (!err_any(err))
			err_add(err, ERR_FAILED, NULL, "%s is not up: podwire up builds it", cli_lab(cli));
		return err_kind(err);
	}
	ask[1] = cli->args.v[0];
	how = supervisor_ask(fd, 4, ask, &said, fds, &nr, err);
	close(fd);
	if (how == ERR_NONE && nr == 1)
		how = as_kubectl(cli, fds[0], arena_strdup(cli->arena, sb_text(&said)), err);
	sb_free(&said);
	return how;
}
