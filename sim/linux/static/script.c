#include "sim/linux/static/script.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static FILE *script_open(const char *log)
{
	char name[512];

	snprintf(name, sizeof(name), "%s.fails", log);
	return fopen(name, "re");
}

/* → what stands behind KIND PORT; NULL: that is no such line. */
static const char *line_of(char *line, char kind[16], unsigned *port)
{
	int at;

	line[strcspn(line, "\n")] = '\0';
	return sscanf(line, "%15s %u%n", kind, port, &at) == 2 ? line + at + (line[at] == ' ') : NULL;
}

bool script_fails(const char *log, uint16_t port, const char *asked, const char *what, size_t what_len)
{
	FILE *f = asked ? script_open(log) : NULL;
	char line[SCRIPT_LINE + 64], kind[16];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned at;
		const char *said = line_of(line, kind, &at);

		found = said && at == port && strncmp(asked, kind, strlen(kind)) == 0 && strlen(said) == what_len && memcmp(said, what, what_len) == 0;
	}
	if (f)
		fclose(f);
	return found;
}

void script_refuse(const char *log, int fd, uint16_t port)
{
	/* The first half word of the network header has the traffic class in either family. */
	enum { LOAD, KEEP, VERSION, IS_SIX, FOUR, TO_CLASS, SIX, SHIFT, CLASS, FIRST };
	struct sock_filter code[FIRST + 5] = {
		[LOAD] = BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)SKF_NET_OFF),
		[KEEP] = BPF_STMT(BPF_MISC | BPF_TAX, 0),
		[VERSION] = BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 12),
		[IS_SIX] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 6, SIX - IS_SIX - 1, 0),
		[FOUR] = BPF_STMT(BPF_MISC | BPF_TXA, 0),
		[TO_CLASS] = BPF_STMT(BPF_JMP | BPF_JA, CLASS - TO_CLASS - 1),
		[SIX] = BPF_STMT(BPF_MISC | BPF_TXA, 0),
		[SHIFT] = BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
		[CLASS] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfc),
	};
	struct sock_fprog program = { FIRST, code };
	unsigned failing[3], nr = 0;
	int none = 0;

	for (unsigned k = 0; k < 3; k++)
		if (script_fails(log, port, script_kinds[k], SCRIPT_TCP, sizeof(SCRIPT_TCP) - 1))
			failing[nr++] = k;
	if (!nr) {
		if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) != 0)
			errno = 0;      /* there was none */
		return;
	}
	for (unsigned k = 0; k < nr; k++)
		code[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SCRIPT_TOS(failing[k]), (uint8_t)(nr - k), 0);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
		errno = 0;              /* then it succeeds, and verify says so */
}
