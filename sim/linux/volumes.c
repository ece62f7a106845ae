#include "sim/linux/volumes.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "model/api/core.h"

/* The directory behind a volume: a Pod's own (emptyDir), or a claim's, which several Pods may share. It is made. NULL: none that podwire makes. */
static const char *volume_dir(const struct live *live, const struct pod *p, const char *name, struct arena *a)
{
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		const struct volume *v = &p->spec->volumes.v[k];
		const char *dir = !streq(v->name, name) ? NULL : v->empty_dir ? arena_printf(a, "%s/volumes/%s.%s", live->dir, p->o.uid, name) :
				  v->claim ? arena_printf(a, "%s/volumes/%s.%s", live->dir, p->o.ns, v->claim) : NULL;

		if (dir) {
			mkdir(dir, 0777);
			return dir;
		}
	}
	return NULL;
}

/* The same for a mount, with its subPath. */
static const char *mounted_dir(const struct live *live, const struct pod *p, const struct volume_mount *m, struct arena *a)
{
	const char *dir = volume_dir(live, p, m->name, a), *sub;

	if (!dir || !m->sub_path || !*m->sub_path)
		return dir;
	if (*m->sub_path == '/' || strstr(m->sub_path, ".."))
		return NULL;
	sub = arena_printf(a, "%s/%s", dir, m->sub_path);
	for (char *slash = (char *)(uintptr_t)sub + strlen(dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(sub, 0777);
	}
	mkdir(sub, 0777);
	return sub;
}

void volumes_words(const struct live *live, const struct pod *p, const struct container *c, bool serves, struct arena *a, struct sb *conf)
{
	const char *first = NULL;

	for (uint32_t k = 0; k < c->mounts.nr; k++) {
		const char *dir = mounted_dir(live, p, &c->mounts.v[k], a);

		if (!dir || (serves && c->mounts.v[k].read_only))
			continue;
		if (serves)
			sb_printf(conf, " write:%s", dir);
		else if (!first)
			first = dir;
		else
			sb_printf(conf, " follow:%s:%s", first, dir);
	}
	if (first && !strstr(sb_text(conf), " follow:"))
		sb_printf(conf, " follow:%s:", first);
}

/* ---- one sends its log to another */

/* The port in "127.0.0.1:5140" or "localhost:5140"; 0: it is nothing of the kind. */
static int32_t port_beside(const char *value)
{
	static const char *const here[] = { "127.0.0.1:", "localhost:", "[::1]:" };

	for (size_t k = 0; value && k < ARRAY_LEN(here); k++) {
		const char *port = value + strlen(here[k]);
		long n;
		char *end;

		if (strncmp(value, here[k], strlen(here[k])) != 0)
			continue;
		n = strtol(port, &end, 10);
		return end != port && !*end && n > 0 && n < 65536 ? (int32_t)n : 0;
	}
	return 0;
}

static const struct container_port *declares(const struct container *c, int32_t port)
{
	for (uint32_t k = 0; k < c->ports.nr; k++)
		if (c->ports.v[k].port == port && c->ports.v[k].protocol != L4_SCTP)
			return &c->ports.v[k];
	return NULL;
}

/* The n-th container of the Pod, init containers first; NULL behind the last. */
static const struct container *nth(const struct pod *p, uint32_t n)
{
	uint32_t first = p->spec->init_containers.nr;

	return n < first ? &p->spec->init_containers.v[n] : n - first < p->spec->containers.nr ? &p->spec->containers.v[n - first] : NULL;
}

static void sends_to(const struct pod *p, const struct container *c, struct sb *conf)
{
	const struct container_port *port;
	const struct container *other;

	for (uint32_t k = 0; k < c->env.nr; k++) {
		int32_t n = port_beside(c->env.v[k].value);

		for (uint32_t i = 0; n && !declares(c, n) && (other = nth(p, i)); i++)
			if (other != c && (port = declares(other, n))) {
				sb_printf(conf, " tell:%s:%d", port->protocol == L4_UDP ? "udp" : "tcp", n);
				return;
			}
	}
}

static void receives(const struct pod *p, const struct container *c, struct sb *conf)
{
	const struct container *other;

	for (uint32_t i = 0; (other = nth(p, i)); i++)
		for (uint32_t k = 0; other != c && k < other->env.nr; k++) {
			int32_t n = port_beside(other->env.v[k].value);

			if (n && declares(c, n) && !declares(other, n)) {
				sb_printf(conf, " lines:%d", n);
				return;
			}
		}
}

void log_words(const struct pod *p, const struct container *c, struct sb *conf)
{
	receives(p, c, conf);
	sends_to(p, c, conf);
}

void volumes_mounts(const struct live *live, const struct pod *p, const struct container *c, struct arena *a, struct sb *out)
{
	for (uint32_t k = 0; k < c->mounts.nr; k++) {
		const char *dir = mounted_dir(live, p, &c->mounts.v[k], a), *path = c->mounts.v[k].path;

		if (dir && path && *path == '/' && !strpbrk(path, "\t\n") && !strstr(path, ".."))
			sb_printf(out, "%s\t%s\t%s\n", dir, path, c->mounts.v[k].read_only ? "ro" : "rw");
	}
}
