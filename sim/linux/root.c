/* A root directory for a command in a container: an overlay over the machine's, so that volumes stand where the container mounts them, and nothing is made on the machine. */
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sim/linux/volumes.h"

static void make_dirs(char *path)
{
	for (char *slash = path + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(path, 0755);
	}
	mkdir(path, 0755);
}

/* What is mounted on the machine below /, at the same places. */
static void bind_the_rest(const char *dir, const char *root)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, at[4096], to[8192];
	size_t alloc = 0;

	while (f && getline(&line, &alloc, f) > 0) {
		if (sscanf(line, "%*d %*d %*s %*s %4095s", at) != 1 || strcmp(at, "/") == 0 || strchr(at, '\\') || strncmp(at, dir, strlen(dir)) == 0)
			continue;
		snprintf(to, sizeof(to), "%s%s", root, at);
		if (mount(at, to, NULL, MS_BIND, NULL) != 0)
			errno = 0;      /* hidden below another one */
	}
	free(line);
	if (f)
		fclose(f);
}

/* part: of the machine's, "" for all of it. */
static bool overlay(const char *dir, const char *part, const char *at)
{
	char upper[600], work[600], how[1800];

	snprintf(upper, sizeof(upper), "%s/upper%s", dir, part);
	snprintf(work, sizeof(work), "%s/work%s%s", dir, *part ? "-" : "", *part ? part + 1 : "");
	mkdir(upper, 0755);
	mkdir(work, 0755);
	snprintf(how, sizeof(how), "lowerdir=/%s,upperdir=%s,workdir=%s", *part ? part + 1 : "", upper, work);
	if (mount("overlay", at, "overlay", 0, how) == 0)
		return true;
	strcat(how, ",userxattr");      /* as a user namespace needs it */
	return mount("overlay", at, "overlay", 0, how) == 0;
}

/* own: what is the machine's can be read only, but for its kernel's. */
static bool bind_one(const char *from, const char *to, bool own)
{
	static const char *const kernels[] = { "/proc", "/sys", "/dev", "/run" /* the lab's */ };
	struct statvfs was;
	bool kernel = false;

	for (size_t k = 0; k < ARRAY_LEN(kernels); k++)
		kernel = kernel || strcmp(from, kernels[k]) == 0;
	if (mount(from, to, NULL, MS_BIND | (own && !kernel ? 0 : MS_REC), NULL) != 0)
		return rmdir(to) == 0;  /* a file, or hidden */
	if (!own || kernel)
		return true;
	return statvfs(to, &was) == 0 && mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | (was.f_flag & (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)), NULL) == 0;
}

/* Where / cannot be put under an overlay (in a user namespace: something is mounted below it): a root directory that holds what stands in the machine's, one by one,
 * under an overlay where that can be. */
static bool bind_all(const char *dir, const char *root, bool own, struct err *err)
{
	DIR *top = opendir("/");
	bool ok = top && mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") == 0;
	char from[300], to[900], link[256];

	for (struct dirent *e; ok && (e = readdir(top));) {
		ssize_t n;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(from, sizeof(from), "/%s", e->d_name);
		snprintf(to, sizeof(to), "%s%s", root, from);
		n = readlink(from, link, sizeof(link) - 1);
		if (n >= 0) {
			link[n] = '\0';
			ok = symlink(link, to) == 0;
		} else if (mkdir(to, 0755) == 0 && !overlay(dir, from, to)) {
			ok = bind_one(from, to, own);
		}
	}
	if (!ok)
		err_add(err, ERR_MACHINE, NULL, "a root directory for the container: %s", strerror(errno));
	if (top)
		closedir(top);
	return ok;
}

/* The place is there, or can be made without making anything on the machine. */
static bool may_make(const char *root, const char *at)
{
	char first[300], there[1000];
	struct statfs fs;
	struct stat st;

	snprintf(first, sizeof(first), "/%.*s", (int)strcspn(at + 1, "/"), at + 1);
	snprintf(there, sizeof(there), "%s%s", root, first);
	return stat(at, &st) == 0 || stat(first, &st) != 0 || (statfs(there, &fs) == 0 && fs.f_type == OVERLAYFS_SUPER_MAGIC);
}

bool root_enter(const char *dir, const char *mounts, bool own, struct err *err)
{
	char root[600], *list = strdup(mounts), *save = NULL, to[1200], path[512];
	bool ok, over;

	snprintf(path, sizeof(path), "%s", dir);
	make_dirs(path);
	snprintf(root, sizeof(root), "%s/root", dir);
	mkdir(root, 0755);
	over = overlay(dir, "", root);
	ok = over || bind_all(dir, root, own, err);
	if (over)
		bind_the_rest(dir, root);
	for (char *line = strtok_r(list, "\n", &save); ok && line; line = strtok_r(NULL, "\n", &save)) {
		char *at = strchr(line, '\t'), *how = at ? strchr(at + 1, '\t') : NULL;

		if (!how)
			continue;
		*at++ = '\0';
		*how++ = '\0';
		if (!over && !may_make(root, at)) {
			ok = err_add(err, ERR_MACHINE, NULL, "the volume at %s: there is no such folder on this machine, and none can be put over it without overlayfs", at);
			break;
		}
		snprintf(to, sizeof(to), "%s%s", root, at);
		make_dirs(to);
		if (mount(line, to, NULL, MS_BIND, NULL) != 0 || (strcmp(how, "ro") == 0 && mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0))
			ok = err_add(err, ERR_MACHINE, NULL, "mounting the volume at %s: %s", at, strerror(errno));
	}
	free(list);
	if (ok && (chroot(root) != 0 || chdir("/") != 0))
		ok = err_add(err, ERR_MACHINE, NULL, "entering %s: %s", root, strerror(errno));
	return ok;
}
