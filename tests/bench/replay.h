/* What the kernel alone needs for a node's rules: the very messages that podwire would give it are kept, and given to another namespace by nothing but a loop of sendto. */
#ifndef PODWIRE_BENCH_REPLAY_H
#define PODWIRE_BENCH_REPLAY_H

#include <linux/netlink.h>
#include <sys/syscall.h>

#include "sim/engine/world.h"
#include "sim/linux/nf_batch.h"
#include "sim/linux/nf_tables.h"

struct replay_part { char *bytes; size_t len; };
static struct { struct replay_part *v; uint32_t nr; size_t bytes; bool on; } kept_parts;

/* In place of the C library's: while parts are kept nothing is sent. */
ssize_t sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to, socklen_t n)
{
	struct replay_part *p;

	if (!kept_parts.on)
		return syscall(SYS_sendto, fd, bytes, len, flags, to, n);
	kept_parts.v = realloc(kept_parts.v, (kept_parts.nr + 1) * sizeof(*kept_parts.v));
	if (!kept_parts.v)
		abort();
	p = &kept_parts.v[kept_parts.nr++];
	*p = (struct replay_part){ malloc(len), len };
	memcpy(p->bytes, bytes, len);
	kept_parts.bytes += len;
	return (ssize_t)len;
}

/* The rules of node/control-plane of the cluster in that file. */
static bool replay_keep(const char *file)
{
	struct world_options opt = { .seed = 1, .ask = true, .apply = { .create_namespaces = true } };
	struct world *w = calloc(1, sizeof(*w));
	struct nf_kept *kept = NULL;
	struct err err = { 0 };
	const char *why = NULL;
	bool ok;

	world_init(w, &opt);
	ok = world_apply_paths(w, &opt, &file, 1, NULL, NULL, &err);
	if (ok) {
		struct dataplane *dp;
		netns_h node;

		world_settle(w, &opt);
		dp = world_dataplane(w);
		node = netns_find(dp, "node/control-plane");
		dataplane_node_ready(dp, node);

		struct nf_change change = { .rs = netns_get(dp, node)->rules, .where = "the bench", .fd = nf_open("the bench", &err) };

		kept_parts.on = true;
		ok = change.fd >= 0 && nf_sync(&change, &kept, &why, &err) == NF_CHANGED;
		kept_parts.on = false;
		close(change.fd);
		nf_kept_free(kept);
	}
	err_print(&err, stderr);
	world_free(w);
	free(w);
	err_free(&err);
	return ok && kept_parts.nr;
}

struct replayed { double ms, cpu; bool ok; };

static void replay_here(struct replayed *out)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int fd = unshare(CLONE_NEWNET) == 0 ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER) : -1, room = INT32_MAX / 2;
	struct rusage r;
	char answer[4096];

	out->ok = fd >= 0 && bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0 && setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) == 0;
	out->ms = now_ms();
	for (uint32_t k = 0; out->ok && k < kept_parts.nr; k++)
		out->ok = sendto(fd, kept_parts.v[k].bytes, kept_parts.v[k].len, 0, (struct sockaddr *)&own, sizeof(own)) == (ssize_t)kept_parts.v[k].len && recv(fd, answer, sizeof(answer), MSG_DONTWAIT) < 0;
	out->ms = now_ms() - out->ms;
	getrusage(RUSAGE_SELF, &r);
	out->cpu = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

/* In a process of its own, whose namespace ends with it. */
static struct replayed replay_once(void)
{
	struct replayed *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), out = { 0 };
	pid_t pid = shared == MAP_FAILED ? -1 : fork();

	if (pid == 0) {
		replay_here(shared);
		_exit(0);
	}
	if (pid > 0 && waitpid(pid, NULL, 0) == pid)
		out = *shared;
	if (shared != MAP_FAILED)
		munmap(shared, sizeof(*shared));
	return out;
}

static void replay_forget(void)
{
	for (uint32_t k = 0; k < kept_parts.nr; k++)
		free(kept_parts.v[k].bytes);
	free(kept_parts.v);
	kept_parts.v = NULL;
	kept_parts.nr = 0;
	kept_parts.bytes = 0;
}

#endif
