/* capture: what this machine has, as its own tools print it, in one JSON document that --dataplane reads anywhere. Only reads; runs nothing but the tools of the table. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "viz/cli/cli.h"

extern char **environ;

static const struct { const char *argv[8]; bool json; } tools[] = {
	{ { "ip", "-j", "addr" }, true }, { { "ip", "-j", "-d", "link" }, true }, { { "ip", "-j", "rule" }, true }, { { "ip", "-6", "-j", "rule" }, true },
	{ { "ip", "-j", "route", "show", "table", "all" }, true }, { { "ip", "-6", "-j", "route", "show", "table", "all" }, true }, { { "ip", "-j", "neigh" }, true },
	{ { "bridge", "-j", "fdb" }, true }, { { "nft", "-j", "list", "ruleset" }, true }, { { "iptables-save" }, false }, { { "ip6tables-save" }, false }, { { "ipset", "save" }, false },
	{ { "ipvsadm", "-ln" }, false }, { { "ss", "-lntu" }, false },
};

/* Runs a tool and takes what it prints. NULL: it did not run or failed, and *why says so. */
static char *output_of(const char *const *argv, size_t *len, const char **why)
{
	posix_spawn_file_actions_t files;
	struct sb out = { 0 };
	int pipefd[2], status = 0, null, rc;
	char buf[65536];
	ssize_t got;
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) != 0) {
		*why = strerror(errno);
		return NULL;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, null, 0);
	posix_spawn_file_actions_adddup2(&files, pipefd[1], 1);
	posix_spawn_file_actions_adddup2(&files, null, 2);
	rc = posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	close(pipefd[1]);
	close(null);
	while (rc == 0 && ((got = read(pipefd[0], buf, sizeof(buf))) > 0 || (got < 0 && errno == EINTR)))
		if (got > 0)
			sb_addn(&out, buf, (size_t)got);
	close(pipefd[0]);
	while (rc == 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*why = rc == ENOENT ? "not installed" : rc ? strerror(rc) : status ? "it failed (are you root?)" : NULL;
	if (*why) {
		sb_free(&out);
		return NULL;
	}
	*len = out.len;
	return out.s ? out.s : strdup("");
}

/* ---- settings, from /proc */

static void setting(struct sb *out, const char *path, const char *name)
{
	char value[64];
	FILE *f = fopen(path, "r");

	if (f && fgets(value, sizeof(value), f))
		sb_printf(out, "%s = %.*s\n", name, (int)strcspn(value, "\n"), value);
	if (f)
		fclose(f);
}

static void settings(struct sb *out)
{
	static const char *const keys[] = { "rp_filter", "route_localnet", "proxy_arp", "forwarding" };
	static const char *const single[][2] = { { "/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward" }, { "/proc/sys/net/ipv6/conf/all/forwarding", "net.ipv6.conf.all.forwarding" },
		{ "/proc/sys/net/bridge/bridge-nf-call-iptables", "net.bridge.bridge-nf-call-iptables" }, { "/proc/sys/net/ipv4/vs/conntrack", "net.ipv4.vs.conntrack" } };
	DIR *d = opendir("/proc/sys/net/ipv4/conf");
	struct dirent *e;

	for (size_t k = 0; k < ARRAY_LEN(single); k++)
		setting(out, single[k][0], single[k][1]);
	while (d && (e = readdir(d))) {
		for (size_t k = 0; e->d_name[0] != '.' && k < ARRAY_LEN(keys); k++) {
			struct sb path = { 0 }, name = { 0 };

			sb_printf(&path, "/proc/sys/net/ipv4/conf/%s/%s", e->d_name, keys[k]);
			sb_printf(&name, "net/ipv4/conf/%s/%s", e->d_name, keys[k]);
			setting(out, path.s, name.s);
			sb_free(&path);
			sb_free(&name);
		}
	}
	if (d)
		closedir(d);
}

/* ---- the document */

static void put_command(struct sb *out, const char *const *argv)
{
	struct sb words = { 0 };

	for (int k = 0; argv[k]; k++)
		sb_printf(&words, "%s%s", k ? " " : "", argv[k]);
	sb_add(out, "{\"command\": ");
	json_quote(out, sb_text(&words));
	sb_free(&words);
}

static bool put_output(struct cli *cli, struct sb *out, size_t tool)
{
	const char *why = NULL;
	size_t len = 0;
	char *text = output_of(tools[tool].argv, &len, &why);
	struct err bad = { 0 };

	put_command(out, tools[tool].argv);
	if (text && tools[tool].json && len && !json_parse(cli->arena, tools[tool].argv[0], text, len, NULL, &bad))
		why = "it does not print JSON (too old?)";
	if (why) {
		sb_add(out, ", \"error\": ");
		json_quote(out, why);
	} else if (tools[tool].json) {
		sb_printf(out, ", \"json\": %s", len ? text : "[]");
		while (out->len && (out->s[out->len - 1] == '\n' || out->s[out->len - 1] == ' '))
			out->s[--out->len] = '\0';
	} else {
		sb_add(out, ", \"text\": ");
		json_quote(out, text);
	}
	sb_addc(out, '}');
	free(text);
	err_free(&bad);
	return !why;
}

enum err_kind cmd_capture(struct cli *cli, struct err *err)
{
	struct sb out = { 0 }, conf = { 0 };
	char host[256] = "node";
	bool routes = false, rules = false;

	if (cli->args.nr)
		return cli_usage(cli, err, "capture takes this machine, nothing else");
	gethostname(host, sizeof(host) - 1);
	sb_add(&out, "{\"apiVersion\": \"podwire.io/v1\", \"kind\": \"NodeCapture\", \"metadata\": {\"name\": ");
	json_quote(&out, host);
	sb_add(&out, "}, \"outputs\": [\n");
	for (size_t k = 0; k < ARRAY_LEN(tools); k++) {
		bool ok = put_output(cli, &out, k);

		routes = routes || (ok && strcmp(tools[k].argv[0], "ip") == 0);
		rules = rules || (ok && (strcmp(tools[k].argv[0], "nft") == 0 || strcmp(tools[k].argv[0], "iptables-save") == 0));
		sb_add(&out, ",\n");
	}
	settings(&conf);
	sb_add(&out, "{\"command\": \"sysctl\", \"text\": ");
	json_quote(&out, sb_text(&conf));
	sb_add(&out, "}\n]}\n");
	if (!routes)
		err_add(err, ERR_MACHINE, NULL, "ip -j does not work here: install iproute2");
	else if (!rules)
		err_add(err, ERR_MACHINE, NULL, "neither nft nor iptables-save can be read here: run as root, or install nftables or iptables");
	else
		fputs(sb_text(&out), cli->to);
	sb_free(&out);
	sb_free(&conf);
	return err_kind(err);
}
