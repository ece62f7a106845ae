#include "sim/linux/run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

bool program_path(const char *name, char *out, size_t n)
{
	const char *path = getenv("PATH");
	char all[4096];

	if (strchr(name, '/'))
		return snprintf(out, n, "%s", name) < (int)n && access(out, X_OK) == 0;
	snprintf(all, sizeof(all), "%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "");
	for (char *save = NULL, *dir = strtok_r(all, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(out, n, "%s/%s", dir, name);
		if (access(out, X_OK) == 0)
			return true;
	}
	return false;
}

bool program_there(const char *name)
{
	char path[4352];

	return program_path(name, path, sizeof(path));
}

static void read_all(int fd, struct sb *out)
{
	char buf[4096];
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sb_addn(out, buf, (size_t)n);
}

static int file_of(const char *text, size_t n)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool run_program(const char *const *argv, const char *input, size_t n, struct sb *out, struct err *err)
{
	return run_program_in(argv, NULL, input, n, out, err);
}

bool run_program_in(const char *const *argv, char *const *env, const char *input, size_t n, struct sb *out, struct err *err)
{
	int in = file_of(input, n), said = memfd_create("out", MFD_CLOEXEC), wrong = memfd_create("err", MFD_CLOEXEC), status = 0, e;
	posix_spawn_file_actions_t files;
	struct sb words = { 0 };
	char path[4352];
	pid_t pid = 0;
	bool ok;

	if (!program_path(argv[0], path, sizeof(path)))
		e = ENOENT;
	else if (in < 0 || said < 0 || wrong < 0)
		e = errno;
	else {
		posix_spawn_file_actions_init(&files);
		posix_spawn_file_actions_adddup2(&files, in, 0);
		posix_spawn_file_actions_adddup2(&files, said, 1);
		posix_spawn_file_actions_adddup2(&files, wrong, 2);
		e = posix_spawn(&pid, path, &files, NULL, (char *const *)(uintptr_t)argv, env ? env : environ);
		posix_spawn_file_actions_destroy(&files);
	}
	while (!e && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!e && out)
		read_all(said, out);
	if (!e)
		read_all(wrong, &words);
	while (words.len && words.s[words.len - 1] == '\n')
		words.s[--words.len] = '\0';
	if (words.len > 600)
		words.s[600] = '\0';
	ok = e ? err_add(err, ERR_MACHINE, NULL, "%s: %s", argv[0], e == ENOENT ? "not installed" : strerror(e)) :
	     status ? err_add(err, ERR_MACHINE, NULL, "%s: %s", argv[0], words.len ? sb_text(&words) : "failed") : true;
	sb_free(&words);
	for (const int *fd = (const int[]){ in, said, wrong, -2 }; *fd != -2; fd++)
		if (*fd >= 0)
			close(*fd);
	return ok;
}
