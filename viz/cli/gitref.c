#include "viz/cli/gitref.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* git's standard output into out; its complaint into err. No shell is between. */
static bool git(char *const *argv, struct sb *out, struct err *err)
{
	posix_spawn_file_actions_t fa;
	FILE *said = tmpfile();
	int fd[2], status = 0, rc;
	char buf[4096], line[300] = "";
	ssize_t n;
	pid_t pid;

	if (!said || pipe2(fd, O_CLOEXEC) != 0)
		return err_add(err, ERR_MACHINE, NULL, "git cannot be asked: %s", strerror(errno));
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fd[1], 1);
	posix_spawn_file_actions_adddup2(&fa, fileno(said), 2);
	rc = posix_spawnp(&pid, "git", &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	close(fd[1]);
	while (rc == 0 && ((n = read(fd[0], buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			sb_addn(out, buf, (size_t)n);
	close(fd[0]);
	while (rc == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	rewind(said);
	if (fgets(line, sizeof(line), said))
		line[strcspn(line, "\n")] = '\0';
	fclose(said);
	if (rc != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
		return err_add(err, ERR_MACHINE, NULL, "--diff-ref needs git, which cannot be started: %s", strerror(rc ? rc : ENOENT));
	return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || err_add(err, ERR_INPUT, NULL, "--diff-ref: %s", *line ? line : "git failed");
}

static bool write_file(const char *folder, const char *name, const struct sb *text, struct err *err)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	return file_write(path, text) || err_add(err, ERR_MACHINE, NULL, "%s: %s", path, strerror(errno));
}

static bool take_path(struct cli *cli, const char *ref, const char *path, const char *to, struct gitref *g, struct err *err)
{
	struct sb list = { 0 }, text = { 0 };
	const char *slash = strrchr(path, '/');
	struct stat st;
	bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode), ok;
	const char *dir = folder ? path : slash ? arena_strndup(cli->arena, path, MAX((size_t)(slash - path), 1u)) : ".", *name = folder ? "." : slash ? slash + 1 : path;
	char *const ls[] = { "git", "-C", (char *)(uintptr_t)dir, "ls-tree", "-r", "-z", "--name-only", (char *)(uintptr_t)ref, "--", (char *)(uintptr_t)name, NULL };

	ok = git(ls, &list, err);
	if (ok && !list.len)
		ok = err_add(err, ERR_INPUT, NULL, "--diff-ref: %s has no %s", ref, path);
	mkdir(to, 0700);
	for (const char *p = sb_text(&list); ok && p < sb_text(&list) + list.len; p += strlen(p) + 1) {
		char *const show[] = { "git", "-C", (char *)(uintptr_t)dir, "show", arena_printf(cli->arena, "%s:./%s", ref, p), NULL };

		sb_reset(&text);
		ok = git(show, &text, err) && write_file(to, p, &text, err);
	}
	vec_add(cli->arena, &g->paths, folder ? to : arena_printf(cli->arena, "%s/%s", to, name));
	sb_free(&list);
	sb_free(&text);
	return ok;
}

bool gitref_take(struct cli *cli, const char *ref, const struct texts *paths, struct gitref *g, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *folder = arena_printf(cli->arena, "%s/podwire-ref-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	bool ok = true;

	*g = (struct gitref){ 0 };
	if (*ref == '-')
		return err_add(err, ERR_INPUT, NULL, "--diff-ref: \"%s\" is not a commit", ref);
	if (!paths->nr)
		return err_add(err, ERR_INPUT, NULL, "--diff-ref compares files: it needs -f");
	if (!mkdtemp(folder))
		return err_add(err, ERR_MACHINE, NULL, "%s: %s", folder, strerror(errno));
	g->folder = folder;
	for (uint32_t k = 0; k < paths->nr && ok; k++)
		ok = strcmp(paths->v[k], "-") != 0 ? take_path(cli, ref, paths->v[k], arena_printf(cli->arena, "%s/%u", folder, k), g, err)
						   : err_add(err, ERR_INPUT, NULL, "--diff-ref: the standard input is in no commit");
	return ok;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void gitref_remove(struct gitref *g)
{
	if (g->folder)
		nftw(g->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	g->folder = NULL;
}
