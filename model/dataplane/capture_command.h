/* What a command line, or the name of a file, says about the text that follows: which tool printed it, of which table and family. */
#ifndef PODWIRE_CAPTURE_COMMAND_H
#define PODWIRE_CAPTURE_COMMAND_H

#include "model/dataplane/read.h"

struct said {
	uint8_t format;                 /* PART_NONE: look at the lines */
	bool known;                     /* a command was seen: its output is the lines up to the next prompt */
	bool elsewhere;                 /* what it prints is of another namespace, and left out */
	bool ignore, v6, cut, sorted, host;    /* ignore: not of this namespace, or nothing that is read; host: it prints the node's name */
	str table, command;
};

struct said command_said(struct arena *, struct strtab *, const char *s, size_t n);     /* through sudo, nsenter, docker exec, kubectl exec, pipes … */
struct said file_said(struct arena *, struct strtab *, const char *file);               /* iptables_-t_nat_-nvL, ip-route-table-101.txt, pod-netns-ip-a.txt */
bool command_tool(const char *word);            /* one that may begin a command line */

#endif
