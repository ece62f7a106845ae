#include "sim/linux/static/workload.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_LOG (1 << 20)               /* bytes; then the file begins anew */

static void append(const char *path, const char *text, size_t n)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > MAX_LOG && ftruncate(fd, 0) != 0)
		n = 0;
	if (write(fd, text, n) < 0)
		n = 0;
	close(fd);
}

void keep(const struct me *me, const char *text, size_t n)
{
	char path[512];

	append(me->log, text, n);
	for (int k = 0; k < me->nr_write; k++) {
		snprintf(path, sizeof(path), "%s/access.log", me->write_to[k]);
		append(path, text, n);
	}
}

/* A line for the container that keeps the log: it listens in the same namespace, or the line is lost. */
static void tell(struct me *me, const char *line, size_t n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(me->tell), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int again = 0; again < 2; again++) {
		if (me->tell_fd <= 0) {
			me->tell_fd = socket(AF_INET, (me->tell_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
			if (me->tell_fd < 0 || connect(me->tell_fd, (struct sockaddr *)&to, sizeof(to)) != 0)
				again = 1;
		}
		if (send(me->tell_fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n)
			return;
		close(me->tell_fd);
		me->tell_fd = 0;
	}
}

void say(struct me *me, const char *fmt, ...)
{
	char line[1024];
	struct timespec now;
	struct tm tm;
	size_t n;
	int m;
	va_list ap;

	clock_gettime(CLOCK_REALTIME, &now);
	n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	n += (size_t)snprintf(line + n, sizeof(line) - n, ".%03ldZ ", now.tv_nsec / 1000000);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	n = m < 0 ? n : n + (size_t)m < sizeof(line) - 1 ? n + (size_t)m : sizeof(line) - 2;
	line[n++] = '\n';
	keep(me, line, n);
	if (me->tell)
		tell(me, line, n);
}

void follow(struct me *me, int k)
{
	char path[512], buf[4096];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/access.log", me->follow[k]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size < me->followed[k])
		me->followed[k] = 0;
	while ((n = pread(fd, buf, sizeof(buf), me->followed[k])) > 0) {
		append(me->log, buf, (size_t)n);
		if (me->copy_to[k]) {
			snprintf(path, sizeof(path), "%s/access.log", me->copy_to[k]);
			append(path, buf, (size_t)n);
		}
		me->followed[k] += n;
	}
	close(fd);
}
