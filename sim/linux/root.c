/* A root directory for a command in a container: an overlay over the machine's, so that volumes stand where the container mounts them, and nothing is made on the machine. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
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

static bool is_below(const char *at, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(at, dir, n) == 0 && (!at[n] || at[n] == '/');
}

/* Of the kernel, or (as /run) of the lab: no files to be kept under an overlay. */
static bool is_kernels(const char *at)
{
	return is_below(at, "/proc") || is_below(at, "/sys") || is_below(at, "/dev") || is_below(at, "/run");
}

/* part: of the machine's, "" for all of it. */
static bool overlay(const char *dir, const char *part, const char *at)
{
	char upper[4800], work[4800], how[14400];

	if (strpbrk(part, ":,\\"))      /* overlayfs has a meaning of its own for them */
		return false;
	snprintf(upper, sizeof(upper), "%s/over%s/.upper", dir, part);
	snprintf(work, sizeof(work), "%s/over%s/.work", dir, part);
	make_dirs(upper);
	make_dirs(work);
	snprintf(how, sizeof(how), "lowerdir=%s,upperdir=%s,workdir=%s", *part ? part : "/", upper, work);
	if (mount("overlay", at, "overlay", 0, how) == 0)
		return true;
	strcat(how, ",userxattr");      /* as a user namespace needs it */
	return mount("overlay", at, "overlay", 0, how) == 0;
}

/* What is the machine's can be read only; /proc and /run are the lab's. deep: with what is mounted below. */
static bool bind_one(const char *from, const char *to, bool deep)
{
	struct { uint64_t set, clear, propagation, users; } how = { .set = 1 /* MOUNT_ATTR_RDONLY */ };

	if (mount(from, to, NULL, MS_BIND | (deep ? MS_REC : 0), NULL) != 0)
		return true;            /* a file, or hidden below another one */
	if (is_below(from, "/proc") || is_below(from, "/run"))
		return true;
	return syscall(SYS_mount_setattr, AT_FDCWD, to, deep ? 0x8000 /* AT_RECURSIVE */ : 0, &how, sizeof(how)) == 0;
}

/* What is mounted on the machine below /, at the same places. */
static bool bind_the_rest(const char *dir, const char *root)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, at[4096], to[8192];
	size_t alloc = 0;
	bool ok = f;

	while (ok && getline(&line, &alloc, f) > 0) {
		if (sscanf(line, "%*d %*d %*s %*s %4095s", at) != 1 || strcmp(at, "/") == 0 || strchr(at, '\\') || strncmp(at, dir, strlen(dir)) == 0)
			continue;
		snprintf(to, sizeof(to), "%s%s", root, at);
		ok = (!is_kernels(at) && overlay(dir, at, to)) || bind_one(at, to, false);
	}
	free(line);
	if (f)
		fclose(f);
	return ok;
}

/* The machine's shared memory and queues are none of the container's. */
static void own_memory(const char *root)
{
	static const char *const places[] = { "/dev/shm", "/dev/mqueue" };
	char at[700];

	for (size_t k = 0; k < ARRAY_LEN(places); k++) {
		snprintf(at, sizeof(at), "%s%s", root, places[k]);
		if (mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m") != 0)
			errno = 0;      /* no such place here */
	}
}

/* Where / cannot be put under an overlay (in a user namespace: something is mounted below it): a root directory that holds what stands in the machine's, one by one,
 * under an overlay where that can be. */
static bool bind_all(const char *dir, const char *root, struct err *err)
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
		} else if (mkdir(to, 0755) == 0 && (is_kernels(from) || !overlay(dir, from, to))) {
			ok = bind_one(from, to, true);
			rmdir(to);      /* where nothing could be bound: a file */
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

bool root_enter(const char *dir, const char *mounts, struct err *err)
{
	char root[600], *list = strdup(mounts), *save = NULL, to[1200], path[512];
	bool ok, over;

	snprintf(path, sizeof(path), "%s", dir);
	make_dirs(path);
	snprintf(root, sizeof(root), "%s/root", dir);
	mkdir(root, 0755);
	over = overlay(dir, "", root);
	ok = over || bind_all(dir, root, err);
	if (over && !bind_the_rest(dir, root))
		ok = err_add(err, ERR_MACHINE, NULL, "keeping what is mounted on the machine from the container: %s", strerror(errno));
	own_memory(root);
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
