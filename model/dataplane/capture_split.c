#include "model/dataplane/capture_split.h"

#include <ctype.h>
#include <stdio.h>

/* What a command line (or a file's name) says about what follows. */
struct said {
	uint8_t format;                 /* PART_NONE: look at the lines */
	bool known;                     /* a command was seen: its output is the lines up to the next prompt */
	bool ignore, v6, cut, sorted, host;    /* ignore: not of this namespace, or nothing that is read; host: it prints the node's name */
	str table, command;
};

struct cutter {
	struct arena *a;
	struct strtab *strings;
	struct split *out;
	str file, node;
	struct said said;
	uint8_t format;                 /* of the part that is open; PART_NONE: none */
	const char *from, *to;          /* its text */
	uint32_t line;
	int depth;                      /* nft: braces */
};

static bool starts(const char *s, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(s, with, strlen(with)) == 0;
}

static bool one_of(const char *s, const char *const *words)
{
	for (int k = 0; words[k]; k++)
		if (strcmp(words[k], s) == 0)
			return true;
	return false;
}

/* ---- commands */

static const char *const tools[] = { "iptables-save", "ip6tables-save", "iptables", "ip6tables", "iptables-nft", "iptables-legacy", "iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save",
	"ip6tables-legacy-save", "nft", "ipset", "ip", "bridge", "sysctl", "ipvsadm", "ss", "netstat", "route", "arp", "birdc", "birdcl", "calicoctl", "cat", "hostname", "kubectl", "oc", "sudo", "docker",
	"nsenter", "crictl", "podman", "ovs-vsctl", "ovn-nbctl", "conntrack", "tcpdump", "ping", "curl", "brctl", "ifconfig", "ethtool", "uname", "journalctl", "systemctl", "k", "microk8s", "k3s", NULL };

static bool is_object(const char *s, const char *full, size_t least)
{
	return strlen(s) >= least && strncmp(s, full, strlen(s)) == 0;
}

/* ip [-6] OBJECT [show|list] [what] */
static void ip_command(struct cutter *c, struct said *said, struct words w, uint32_t at)
{
	const char *object;

	while (at < w.nr && w.v[at][0] == '-') {
		said->v6 = said->v6 || strcmp(w.v[at], "-6") == 0;
		at++;
	}
	object = at < w.nr ? w.v[at++] : "";
	if (strcmp(object, "netns") == 0) {
		said->ignore = true;
		return;
	}
	said->format = is_object(object, "address", 1) || strcmp(object, "addr") == 0 ? PART_LINK : is_object(object, "link", 1) ? PART_LINK : is_object(object, "rule", 2) ? PART_RULE
		     : is_object(object, "route", 1) ? PART_ROUTE : is_object(object, "neighbour", 1) || strcmp(object, "neighbor") == 0 ? PART_NEIGH : PART_NONE;
	said->ignore = said->format == PART_NONE;
	if (at < w.nr && (is_object(w.v[at], "show", 1) || is_object(w.v[at], "list", 1) || strcmp(w.v[at], "ls") == 0))
		at++;
	else if (at < w.nr && is_object(w.v[at], "get", 1))
		said->ignore = true;
	for (; at < w.nr && w.v[at][0] != '|' && w.v[at][0] != '>'; at++) {
		if (strcmp(w.v[at], "table") == 0 && at + 1 < w.nr)
			said->table = str_intern(c->strings, w.v[++at]);
		else if (said->format != PART_NEIGH)
			said->cut = true;
	}
}

static void iptables_command(struct cutter *c, struct said *said, struct words w, uint32_t at, const char *tool)
{
	bool save = strstr(tool, "save") != NULL;

	said->v6 = tool[2] == '6';
	said->format = PART_IPTABLES;
	for (; at < w.nr && w.v[at][0] != '|' && w.v[at][0] != '>'; at++) {
		const char *s = w.v[at];

		if ((strcmp(s, "-t") == 0 || strcmp(s, "--table") == 0) && at + 1 < w.nr) {
			said->table = str_intern(c->strings, w.v[++at]);
		} else if (s[0] == '-') {
			if (s[1] != '-' && strchr(s, 'L'))
				said->format = PART_IPTABLES_LIST;
			if (strcmp(s, "--list") == 0)
				said->format = PART_IPTABLES_LIST;
			if (!save && (strcmp(s, "-A") == 0 || strcmp(s, "-I") == 0 || strcmp(s, "-D") == 0 || strcmp(s, "-F") == 0 || strcmp(s, "-X") == 0 || strcmp(s, "-C") == 0))
				said->ignore = true;
		} else if (!isdigit((unsigned char)*s)) {
			said->cut = true;       /* one chain only */
		}
	}
	if (!save && !said->table)
		said->table = str_intern(c->strings, "filter");
}

static bool on_node(const char *name)
{
	static const char *const parts[] = { "control-plane", "worker", "kind", "minikube", "k3d", "node", "kube-proxy", "aws-node", "flannel", "weave", "cilium", "master", NULL };

	for (int k = 0; parts[k]; k++)
		if (strstr(name, parts[k]))
			return true;
	return false;
}

/* Behind sudo, nsenter, docker exec and the like: at the tool; elsewhere: it runs in another namespace. */
static uint32_t unwrapped(struct words w, bool *elsewhere)
{
	uint32_t at = 0;

	for (uint32_t guard = 0; at < w.nr && guard < 6; guard++) {
		if (strcmp(w.v[at], "sudo") == 0 || strchr(w.v[at], '=') || w.v[at][0] == '-') {
			at++;
		} else if (strcmp(w.v[at], "nsenter") == 0) {
			*elsewhere = true;
			for (at++; at < w.nr && !one_of(w.v[at], tools); at++)
				if (strcmp(w.v[at], "1") == 0 || strcmp(w.v[at], "-t1") == 0 || strcmp(w.v[at], "--target=1") == 0)
					*elsewhere = false;
		} else if (at + 3 < w.nr && strcmp(w.v[at], "ip") == 0 && strcmp(w.v[at + 1], "netns") == 0 && strcmp(w.v[at + 2], "exec") == 0) {
			*elsewhere = true;
			at += 4;
		} else if (at + 1 < w.nr && one_of(w.v[at], (const char *const[]){ "docker", "podman", "crictl", "kubectl", "k", "oc", NULL })) {
			bool exec = false, node = false;
			uint32_t from = at++;

			for (; at < w.nr && !(exec && one_of(w.v[at], tools)); at++) {
				exec = exec || strcmp(w.v[at], "exec") == 0;
				node = node || (exec && on_node(w.v[at]));
			}
			if (!exec)
				return from;
			*elsewhere = *elsewhere || !node;
		} else {
			break;
		}
	}
	return at;
}

static void pipe_of(struct said *said, struct words w)
{
	static const char *const whole[] = { "tee", "less", "more", "cat", "column", NULL };

	for (uint32_t k = 0; k < w.nr; k++) {
		const char *next = w.v[k][0] == '|' && w.v[k][1] ? w.v[k] + 1 : w.v[k][0] == '|' && k + 1 < w.nr ? w.v[k + 1] : NULL;

		if (!next || w.v[k][0] != '|' || w.v[k][1] == '|')
			continue;
		if (strcmp(next, "sort") == 0)
			said->sorted = true;
		else if (!one_of(next, whole))
			said->cut = true;
	}
}

static struct said command_of(struct cutter *c, const char *s, size_t n)
{
	struct said said = { .known = true, .command = str_intern_n(c->strings, s, n) };
	struct words w = words_of(c->a, s, n, false);
	bool elsewhere = false;
	uint32_t at = unwrapped(w, &elsewhere);
	const char *tool = at < w.nr ? strrchr(w.v[at], '/') ? strrchr(w.v[at], '/') + 1 : w.v[at] : "";

	pipe_of(&said, w);
	if (strstr(tool, "tables")) {
		iptables_command(c, &said, w, at + 1, tool);
	} else if (strcmp(tool, "ip") == 0) {
		ip_command(c, &said, w, at + 1);
	} else if (strcmp(tool, "nft") == 0) {
		said.format = PART_NFT;
		for (uint32_t k = at + 1; k + 1 < w.nr; k++)
			if (strcmp(w.v[k], "list") == 0 && (strcmp(w.v[k + 1], "chain") == 0 || strcmp(w.v[k + 1], "set") == 0 || strcmp(w.v[k + 1], "map") == 0))
				said.cut = true;
	} else if (strcmp(tool, "ipset") == 0) {
		said.format = PART_IPSET;
	} else if (strcmp(tool, "bridge") == 0) {
		said.format = at + 1 < w.nr && strstr(s, "fdb") ? PART_FDB : PART_NONE;
		said.ignore = said.format == PART_NONE;
	} else if (strcmp(tool, "sysctl") == 0) {
		said.format = PART_SYSCTL;
	} else if (strcmp(tool, "ipvsadm") == 0) {
		said.format = PART_IPVS;
	} else if (strcmp(tool, "ss") == 0 || strcmp(tool, "netstat") == 0) {
		said.format = strstr(s, "-r") ? PART_ROUTE : PART_SS;
	} else if (strcmp(tool, "route") == 0) {
		said.format = PART_ROUTE;
	} else if (strcmp(tool, "arp") == 0) {
		said.format = PART_NEIGH;
	} else if (strncmp(tool, "birdc", 5) == 0) {
		said.format = strstr(s, "show route") ? PART_BIRD_ROUTES : PART_NONE;
		said.ignore = said.format == PART_NONE;
	} else if (strcmp(tool, "hostname") == 0) {
		said.host = said.ignore = true;
	} else if (strcmp(tool, "cat") == 0) {
		said.format = PART_NONE;
	} else {
		said.ignore = true;
	}
	said.ignore = said.ignore || elsewhere;
	c->out->elsewhere = c->out->elsewhere || (elsewhere && said.format);
	return said;
}

/* A file's name: iptables_-t_nat_-nvL, iptables-S-nat.txt, ip-route-table-101.txt, pod-netns-ip-a.txt */
static struct said file_of(struct cutter *c, const char *file)
{
	struct said said = { .command = str_intern(c->strings, file) };
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	const char *prev = "";
	char word[64];

	for (const char *p = base; *p;) {
		size_t n = 0;

		while (isalnum((unsigned char)p[n]) && n < sizeof(word) - 1)
			n++;
		if (!n) {
			p++;
			continue;
		}
		snprintf(word, sizeof(word), "%.*s", (int)n, p);
		if (strncmp(word, "ip6tables", 9) == 0 || strcmp(word, "6") == 0)
			said.v6 = true;
		for (int k = 0; k < IPT_TABLES && strstr(base, "tables"); k++)
			if (strcmp(word, ipt_tables[k]) == 0)
				said.table = str_intern(c->strings, word);
		if (strcmp(prev, "table") == 0 && !strstr(base, "tables"))
			said.table = str_intern(c->strings, word);
		if (strcmp(word, "pod") == 0 || strcmp(word, "podns") == 0 || (strcmp(word, "netns") == 0 && strcmp(prev, "ip") != 0 && p != base))
			said.ignore = true;
		prev = arena_strdup(c->a, word);
		p += n;
	}
	if (said.ignore)
		c->out->elsewhere = true;
	return said;
}

/* ---- prompts */

/* Where the command begins; NULL: not a prompt. */
static const char *prompt(struct cutter *c, const char *s, size_t n)
{
	size_t k = 0;
	char first[32];
	bool bracket = n && (*s == '[' || *s == '(');

	if (n > 2 && *s == '$' && s[1] == ' ')
		return s + 2;
	if (n > 2 && *s == '#' && s[1] == ' ') {
		snprintf(first, sizeof(first), "%.*s", (int)MIN(n - 2, sizeof(first) - 1), s + 2);
		first[strcspn(first, " ")] = '\0';
		return one_of(first, tools) ? s + 2 : NULL;
	}
	for (; k < n && k < 80; k++) {
		if ((s[k] == '#' || s[k] == '$') && k && (k + 1 == n || s[k + 1] == ' '))
			break;
		if (s[k] == ' ' && !bracket && !(k + 2 < n && (s[k + 1] == '#' || s[k + 1] == '$' || s[k + 1] == '~')))
			return NULL;
		if (!isalnum((unsigned char)s[k]) && !strchr("@:~[]()/._- ", s[k]))
			return NULL;
	}
	if (k >= n || k >= 80 || *s == '-' || *s == ':' || isspace((unsigned char)*s))
		return NULL;
	if (memchr(s, '@', k)) {
		const char *at = memchr(s, '@', k), *end = at + 1;

		while (end < s + k && (isalnum((unsigned char)*end) || *end == '-' || *end == '.' || *end == '_'))
			end++;
		if (!c->out->host && end > at + 1)
			c->out->host = str_intern_n(c->strings, at + 1, (size_t)(end - at - 1));
	}
	return k + 1 < n ? s + k + 2 : s + n;
}

/* ---- lines */

static bool is_address(const char *s)
{
	struct cidr net;
	ip_addr ip;

	return cidr_parse(s, &net) || ip_parse(s, &ip);
}

static bool route_or_neigh(struct words w, uint8_t *format)
{
	static const char *const types[] = { "default", "blackhole", "unreachable", "prohibit", "throw", "local", "broadcast", "multicast", "unicast", NULL };
	static const char *const states[] = { "lladdr", "PERMANENT", "REACHABLE", "STALE", "NOARP", "FAILED", "INCOMPLETE", "DELAY", "PROBE", NULL };
	static const char *const words[] = { "via", "dev", "proto", "scope", "metric", NULL };
	bool route = w.nr > 1 && one_of(w.v[0], types) && is_address(w.v[1]), neigh = false;

	if (w.nr < 2 || !(one_of(w.v[0], types) || is_address(w.v[0])))
		return false;
	for (uint32_t k = 1; k < w.nr; k++) {
		neigh = neigh || one_of(w.v[k], states);
		route = route || one_of(w.v[k], words);
	}
	if (!neigh && w.nr == 8 && is_address(w.v[0]) && is_address(w.v[1]) && is_address(w.v[2]))      /* route -n */
		route = true;
	if (!neigh && w.nr >= 5 && strcmp(w.v[1], "ether") == 0)
		neigh = true;
	*format = neigh ? PART_NEIGH : PART_ROUTE;
	return route || neigh;
}

static uint8_t looks_like(struct cutter *c, const char *s, size_t n)
{
	struct words w;
	uint8_t mac[6], format;

	if (!n)
		return PART_NONE;
	if (*s == '*')
		for (int k = 0; k < IPT_TABLES; k++)
			if (n == strlen(ipt_tables[k]) + 1 && starts(s + 1, n - 1, ipt_tables[k]))
				return PART_IPTABLES;
	if (starts(s, n, "-A ") || starts(s, n, "-N ") || starts(s, n, "-P ") || starts(s, n, "# Generated by ip") || starts(s, n, "# Warning: ip") || starts(s, n, "COMMIT"))
		return PART_IPTABLES;
	w = words_of(c->a, s, MIN(n, (size_t)4096), false);
	if (!w.nr)
		return PART_NONE;
	if (*s == ':' && w.nr >= 3 && w.v[2][0] == '[')
		return PART_IPTABLES;
	if (*s == '[' && w.nr > 2 && strcmp(w.v[1], "-A") == 0)
		return PART_IPTABLES;
	if (starts(s, n, "Chain ") && w.nr > 2 && w.v[2][0] == '(')
		return PART_IPTABLES_LIST;
	if (strcmp(w.v[0], "table") == 0 && w.nr >= 3 && strcmp(w.v[w.nr - 1], "{") == 0)
		return PART_NFT;
	if (strcmp(w.v[0], "table") == 0 && w.nr >= 4 && strcmp(w.v[3], "{") == 0)
		return PART_NFT;
	if ((strcmp(w.v[0], "Name:") == 0 && w.nr == 2 && *s == 'N') || (strcmp(w.v[0], "create") == 0 && w.nr > 2 && strchr(w.v[2], ':')))
		return PART_IPSET;
	if (isdigit((unsigned char)*s) && w.v[0][strlen(w.v[0]) - 1] == ':' && w.nr > 2) {
		if (strcmp(w.v[1], "from") == 0 || strcmp(w.v[1], "not") == 0)
			return PART_RULE;
		if (w.v[2][0] == '<' || strcmp(w.v[2], "inet") == 0 || strcmp(w.v[2], "inet6") == 0)
			return PART_LINK;
	}
	if (starts(s, n, "IP Virtual Server"))
		return PART_IPVS;
	if ((starts(s, n, "net.") || starts(s, n, "net/") || starts(s, n, "/proc/sys/net/")) && (memchr(s, '=', n) || memchr(s, ':', n)))
		return PART_SYSCTL;
	if (starts(s, n, "Netid") || starts(s, n, "Proto Recv-Q"))
		return PART_SS;
	if (starts(s, n, "Kernel IP routing table") || (starts(s, n, "Destination ") && w.nr == 8))
		return PART_ROUTE;
	if (starts(s, n, "Address ") && w.nr >= 3 && strcmp(w.v[1], "HWtype") == 0)
		return PART_NEIGH;
	if (starts(s, n, "BIRD ") || starts(s, n, "Table master") || starts(s, n, "0001 BIRD"))
		return PART_BIRD_ROUTES;
	if (mac_of(w.v[0], mac) && w.nr > 2 && strcmp(w.v[1], "dev") == 0)
		return PART_FDB;
	return route_or_neigh(w, &format) ? format : PART_NONE;
}

/* Does the line go on with the open part, though it looks like nothing? */
static bool goes_on(const struct cutter *c, const char *s, size_t n)
{
	switch ((enum part_format)c->format) {
	case PART_NFT:
		return c->depth > 0;
	case PART_IPTABLES:
		return !n || *s == '#' || starts(s, n, "...") || starts(s, n, "-");
	case PART_IPTABLES_LIST:
	case PART_IPSET:
		return true;
	case PART_LINK:
		return !n || *s == ' ' || *s == '\t';
	case PART_ROUTE:
		return n && (*s == ' ' || *s == '\t');
	case PART_IPVS:
		return starts(s, n, "TCP") || starts(s, n, "UDP") || starts(s, n, "SCTP") || starts(s, n, "FWM") || starts(s, n, "Prot") || starts(s, n, "  ->");
	case PART_SS:
	case PART_BIRD_ROUTES:
		return n != 0;
	case PART_NONE:
	case PART_RULE:
	case PART_NEIGH:
	case PART_FDB:
	case PART_SYSCTL:
	case PART_COUNT:
		break;
	}
	return false;
}

/* Lines in the order of bytes, though rules of one chain end with one that has fewer conditions: somebody sorted them. */
static bool lines_sorted(const struct part *p)
{
	struct lines l = lines_of(p);
	const char *s, *last = NULL;
	size_t n, last_n = 0;
	uint32_t rules = 0;

	while (next_line(&l, &s, &n)) {
		if (!starts(s, n, "-A "))
			continue;
		if (last) {
			int d = memcmp(last, s, MIN(n, last_n));

			if (d > 0 || (d == 0 && last_n > n))
				return false;
		}
		last = s;
		last_n = n;
		rules++;
	}
	return rules >= 20;
}

static void close_part(struct cutter *c)
{
	struct split_part *sp;

	if (c->format == PART_NONE || c->from == c->to) {
		c->format = PART_NONE;
		return;
	}
	sp = vec_push(c->a, &c->out->v);
	sp->part = (struct part){ .format = c->format, .file = c->file, .line = c->line, .text = c->from, .n = (size_t)(c->to - c->from), .command = c->said.command, .v6 = c->said.v6,
				  .cut = c->said.cut, .sorted = c->said.sorted, .table = c->said.table };
	if (c->format == PART_IPTABLES && !sp->part.sorted)
		sp->part.sorted = lines_sorted(&sp->part);
	if (c->format == PART_IPTABLES && c->said.known && strstr(c->said.command, "save") == NULL && !sp->part.table)
		sp->part.table = str_intern(c->strings, "filter");
	sp->node = c->node;
	c->format = PART_NONE;
	c->depth = 0;
}

static void braces(struct cutter *c, const char *s, size_t n)
{
	bool string = false;

	for (size_t k = 0; k < n; k++) {
		string = s[k] == '"' ? !string : string;
		if (string)
			continue;
		c->depth += (s[k] == '{') - (s[k] == '}');
		if (s[k] == '#')
			return;
	}
}

static void open_part(struct cutter *c, uint8_t format, const char *s, uint32_t line)
{
	if (c->format == format)
		return;
	close_part(c);
	c->format = format;
	c->from = s;
	c->line = line;
}

static void one_line(struct cutter *c, const char *s, size_t n, const char *end, uint32_t line)
{
	uint8_t format;
	bool was_nft = c->format == PART_NFT && c->depth > 0;

	if (c->said.known && c->said.format && !was_nft) {
		open_part(c, c->said.format, s, line);
	} else if (!was_nft) {
		format = looks_like(c, s, n);
		if (format)
			open_part(c, format, s, line);
		else if (!goes_on(c, s, n))
			close_part(c);
	}
	if (c->format) {
		c->to = end;
		if (c->format == PART_NFT)
			braces(c, s, n);
	}
}

void capture_split(struct arena *a, struct strtab *strings, str file, const char *command, const char *text, size_t n, struct split *out)
{
	struct cutter c = { .a = a, .strings = strings, .out = out, .file = file };
	struct part whole = { .text = text, .n = n, .line = 1 };
	struct lines l = lines_of(&whole);
	struct said of_file = command ? command_of(&c, command, strlen(command)) : file_of(&c, file);
	const char *s, *cmd;
	size_t len;

	*out = (struct split){ .elsewhere = out->elsewhere };
	c.said = of_file;
	while (next_line(&l, &s, &len)) {
		if (starts(s, len, "# node/")) {        /* podwire's own: a listing of several nodes */
			close_part(&c);
			c.node = str_intern_n(strings, s + 7, strcspn(s + 7, ":\r\n"));
			c.said = of_file;
			continue;
		}
		if (starts(s, len, "# pod/") || starts(s, len, "# router") || starts(s, len, "# client")) {   /* likewise, of other namespaces */
			close_part(&c);
			c.said = (struct said){ .known = true, .ignore = true };
			out->elsewhere = true;
			continue;
		}
		if (starts(s, len, "```") || starts(s, len, "~~~")) {
			close_part(&c);
			c.said = of_file;
			continue;
		}
		cmd = c.format == PART_NFT && c.depth > 0 ? NULL : prompt(&c, s, len);
		if (cmd) {
			close_part(&c);
			c.said = cmd < s + len ? command_of(&c, cmd, (size_t)(s + len - cmd)) : (struct said){ .known = true, .ignore = true };
			continue;
		}
		if (c.said.host && len && !out->host)
			out->host = str_intern_n(strings, s, len);
		if (!c.said.ignore)
			one_line(&c, s, len, l.p, l.line);
	}
	close_part(&c);
}
