#include "model/dataplane/capture_command.h"

#include <ctype.h>
#include <stdio.h>

static const char *const tools[] = { "iptables-save", "ip6tables-save", "iptables", "ip6tables", "iptables-nft", "iptables-legacy", "iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save",
	"ip6tables-legacy-save", "nft", "ipset", "ip", "bridge", "sysctl", "ipvsadm", "ss", "netstat", "route", "arp", "birdc", "birdcl", "calicoctl", "cat", "hostname", "kubectl", "oc", "sudo", "docker",
	"nsenter", "crictl", "podman", "ovs-vsctl", "ovn-nbctl", "conntrack", "tcpdump", "ping", "curl", "brctl", "ifconfig", "ethtool", "uname", "journalctl", "systemctl", "k", "microk8s", "k3s", NULL };

bool command_tool(const char *word)
{
	return word_among(word, tools);
}

static bool is_object(const char *s, const char *full, size_t least)
{
	return strlen(s) >= least && strncmp(s, full, strlen(s)) == 0;
}

/* ip [-6] OBJECT [show|list] [what] */
static void ip_command(struct strtab *strings, struct said *said, struct words w, uint32_t at)
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
			said->table = str_intern(strings, w.v[++at]);
		else if (said->format != PART_NEIGH)
			said->cut = true;
	}
}

static void iptables_command(struct strtab *strings, struct said *said, struct words w, uint32_t at, const char *tool)
{
	bool save = strstr(tool, "save") != NULL;

	said->v6 = tool[2] == '6';
	said->format = PART_IPTABLES;
	for (; at < w.nr && w.v[at][0] != '|' && w.v[at][0] != '>'; at++) {
		const char *s = w.v[at];

		if ((strcmp(s, "-t") == 0 || strcmp(s, "--table") == 0) && at + 1 < w.nr) {
			said->table = str_intern(strings, w.v[++at]);
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
		said->table = str_intern(strings, "filter");
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
			for (at++; at < w.nr && !word_among(w.v[at], tools); at++)
				if (strcmp(w.v[at], "1") == 0 || strcmp(w.v[at], "-t1") == 0 || strcmp(w.v[at], "--target=1") == 0)
					*elsewhere = false;
		} else if (at + 3 < w.nr && strcmp(w.v[at], "ip") == 0 && strcmp(w.v[at + 1], "netns") == 0 && strcmp(w.v[at + 2], "exec") == 0) {
			*elsewhere = true;
			at += 4;
		} else if (at + 1 < w.nr && word_among(w.v[at], (const char *const[]){ "docker", "podman", "crictl", "kubectl", "k", "oc", NULL })) {
			bool exec = false, node = false;
			uint32_t from = at++;

			for (; at < w.nr && !(exec && word_among(w.v[at], tools)); at++) {
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

/* -r, -rn, --route: of netstat; ss means something else by it. */
static bool asks_routes(struct words w, uint32_t at)
{
	for (; at < w.nr && w.v[at][0] != '|'; at++)
		if (w.v[at][0] == '-' && (w.v[at][1] == '-' ? strcmp(w.v[at], "--route") == 0 : strchr(w.v[at], 'r') != NULL))
			return true;
	return false;
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
		else if (!word_among(next, whole))
			said->cut = true;
	}
}

struct said command_said(struct arena *a, struct strtab *strings, const char *s, size_t n)
{
	struct said said = { .known = true, .command = str_intern_n(strings, s, n) };
	struct words w = words_of(a, s, n, false);
	bool elsewhere = false;
	uint32_t at = unwrapped(w, &elsewhere);
	const char *tool = at < w.nr ? strrchr(w.v[at], '/') ? strrchr(w.v[at], '/') + 1 : w.v[at] : "";

	pipe_of(&said, w);
	if (strstr(tool, "tables")) {
		iptables_command(strings, &said, w, at + 1, tool);
	} else if (strcmp(tool, "ip") == 0) {
		ip_command(strings, &said, w, at + 1);
	} else if (strcmp(tool, "nft") == 0) {
		said.format = PART_NFT;
		for (uint32_t k = at + 1; k + 1 < w.nr; k++)
			if (strcmp(w.v[k], "list") == 0 && (strcmp(w.v[k + 1], "chain") == 0 || strcmp(w.v[k + 1], "set") == 0 || strcmp(w.v[k + 1], "map") == 0))
				said.cut = true;
	} else if (strcmp(tool, "ipset") == 0) {
		said.format = PART_IPSET;
	} else if (strcmp(tool, "bridge") == 0) {
		said.format = at + 1 < w.nr && strstr(said.command, "fdb") ? PART_FDB : PART_NONE;
		said.ignore = said.format == PART_NONE;
	} else if (strcmp(tool, "sysctl") == 0) {
		said.format = PART_SYSCTL;
	} else if (strcmp(tool, "ipvsadm") == 0) {
		said.format = PART_IPVS;
	} else if (strcmp(tool, "ss") == 0 || strcmp(tool, "netstat") == 0) {
		said.format = *tool == 'n' && asks_routes(w, at + 1) ? PART_ROUTE : PART_SS;
	} else if (strcmp(tool, "route") == 0) {
		said.format = PART_ROUTE;
	} else if (strcmp(tool, "arp") == 0) {
		said.format = PART_NEIGH;
	} else if (strncmp(tool, "birdc", 5) == 0) {
		said.format = strstr(said.command, "show route") ? PART_BIRD_ROUTES : PART_NONE;
		said.ignore = said.format == PART_NONE;
	} else if (strcmp(tool, "hostname") == 0) {
		said.host = said.ignore = true;
	} else if (strcmp(tool, "cat") == 0) {
		said.format = PART_NONE;
	} else {
		said.ignore = true;
	}
	said.ignore = said.ignore || elsewhere;
	said.elsewhere = elsewhere && said.format;
	return said;
}

/* As in iptables_-t_nat_-nvL, iptables-S-nat.txt, ip-route-table-101.txt, pod-netns-ip-a.txt */
struct said file_said(struct arena *a, struct strtab *strings, const char *file)
{
	struct said said = { .command = str_intern(strings, file) };
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
				said.table = str_intern(strings, word);
		if (strcmp(prev, "table") == 0 && !strstr(base, "tables"))
			said.table = str_intern(strings, word);
		if (strcmp(word, "pod") == 0 || strcmp(word, "podns") == 0 || (strcmp(word, "netns") == 0 && strcmp(prev, "ip") != 0 && p != base))
			said.ignore = true;
		prev = arena_strdup(a, word);
		p += n;
	}
	said.elsewhere = said.ignore;
	return said;
}
