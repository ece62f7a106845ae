/* The lab's name server. Containers that serve cluster DNS own the sockets in their Pods and hand each query to one process of the lab (static/relay.h), which knows the
 * cluster and answers with the function that the simulation uses (dns_serve). That process is a copy of the lab's first one, as it stands: after a change of the cluster it
 * ends between two queries, and the next query, which waits in the socket, has a new copy made. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/dns/wire.h"
#include "sim/linux/live.h"
#include "sim/linux/static/relay.h"

#define MAX_DEATHS 5            /* of one that cannot live: then it waits for the next change */
#define WAITING 512             /* queries that may stand in the socket's queue; the kernel's default is 10 */

const char *zone_path(const struct live *live, char out[ZONE_PATH])
{
	snprintf(out, ZONE_PATH, "%s/zone", live->dir);
	return out;
}

bool zone_begin(struct live *live, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval patience = { 0, 200000 };        /* with a container that does not take its answers */
	struct err none = { 0 };

	write_setting("unix/max_dgram_qlen", WAITING, "the fabric", &none);     /* an ordinary user may not: then it stays at 10 */
	err_free(&none);
	zone_path(live, a.sun_path);
	unlink(a.sun_path);
	live->zone.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(live->zone.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (live->zone.fd >= 0 && bind(live->zone.fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return true;
	return err_add(err, ERR_MACHINE, NULL, "the name server's socket %s: %s", a.sun_path, strerror(errno));
}

/* false: there is none. */
static bool answer_one(int fd, struct cluster *c, const struct zone *outside, struct arena *scratch)
{
	static uint8_t query[RELAY_HEAD + RELAY_MESSAGE], answer[RELAY_HEAD + DNS_MESSAGE_MAX];
	struct arena_mark mark = arena_mark(scratch);
	struct sockaddr_un from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, query, sizeof(query), MSG_DONTWAIT, (struct sockaddr *)&from, &len), sent;
	uint32_t size;

	if (n < RELAY_HEAD)
		return n >= 0;
	memcpy(answer, query, RELAY_HEAD);
	size = dns_serve(query[4] & RELAY_OUTSIDE ? NULL : c, outside, query + RELAY_HEAD, (uint32_t)n - RELAY_HEAD, query[4] & RELAY_TCP, answer + RELAY_HEAD, scratch);
	sent = sendto(fd, answer, RELAY_HEAD + size, MSG_NOSIGNAL, (struct sockaddr *)&from, len);
	arena_rewind(scratch, mark);
	(void)sent;                     /* a container that is gone goes without */
	return true;
}

_Noreturn static void serve(const struct live *live, struct cluster *c)
{
	struct arena *outside_arena = arena_new(NULL, "zone"), *scratch = arena_new(NULL, "query");
	const char *text = cluster_settings(c)->flags->zone;
	struct err none = { 0 };
	struct zone *outside = text ? zone_parse(outside_arena, text, &none) : NULL;
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	sigset_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "podwire-zone");
	setpgid(0, 0);
	no_files(live);
	p[0].fd = dup2(live->zone.fd, 3);
	fcntl(3, F_SETFD, FD_CLOEXEC);
	close_range(4, ~0u, 0);
	sigfillset(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		if (p[1].revents)
			_exit(0);
		while (p[0].revents && poll(&p[1], 1, 0) == 0 && answer_one(p[0].fd, c, outside, scratch))
			;
	}
}

bool zone_due(const struct live *live)
{
	return live->zone.wanted && live->zone.cluster && live->zone.pid <= 0 && live->zone.deaths <= MAX_DEATHS;
}

bool zone_start(struct live *live, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_add(err, ERR_MACHINE, NULL, "the lab's name server: %s", strerror(errno));
	if (pid == 0)
		serve(live, live->zone.cluster);
	live->zone.pid = pid;
	return true;
}

void zone_ended(struct live *live)
{
	live->zone.pid = 0;
	live->zone.deaths++;
}

bool zone_sync(struct live *live, struct cluster *c, bool wanted, struct err *err)
{
	bool same = live->zone.wanted == wanted && live->zone.cluster == c && live->zone.rev == cluster_rev(c);

	if (!same) {
		if (live->zone.pid > 0) {
			kill(live->zone.pid, SIGTERM);
			waitpid(live->zone.pid, NULL, 0);
		}
		live->zone.pid = 0;
		live->zone.deaths = 0;
		live->zone.wanted = wanted;
		live->zone.cluster = c;
		live->zone.rev = cluster_rev(c);
	}
	return live->zone.on_demand || !zone_due(live) || zone_start(live, err);
}
