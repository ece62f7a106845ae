#include "viz/cli/cli.h"

#include <stdlib.h>

enum opt_type { O_FLAG, O_TEXT, O_TEXTS };

struct option {
	const char *name;               /* without the dashes */
	char letter;
	uint8_t type;
	uint32_t at;                    /* offset in struct cli */
	unsigned groups;
	const char *arg, *help;
};

#define AT(field) offsetof(struct cli, field)
static const struct option options[] = {
	{ "lab", 0, O_TEXT, AT(lab), G_ALWAYS, "FILE", "the lab file (default $PODWIRE_LAB, else podwire.db)" },
	{ "namespace", 'n', O_TEXT, AT(ns), G_ALWAYS, "NS", "namespace of what has none (default: default)" },
	{ "output", 'o', O_TEXT, AT(output), G_ALWAYS, "FORMAT", "form of the answer" },
	{ "seed", 0, O_TEXT, AT(seed), G_ALWAYS, "N", "seed of all draws (default 1)" },
	{ "mode", 0, O_TEXT, AT(mode), G_ALWAYS, "sim|linux", "walk in memory, or in real namespaces (default sim)" },
	{ "quiet", 'q', O_FLAG, AT(quiet), G_ALWAYS, NULL, "results only" },
	{ "verbose", 'v', O_FLAG, AT(verbose), G_ALWAYS, NULL, "more of everything" },
	{ "color", 0, O_TEXT, AT(color), G_ALWAYS, "auto|always|never", "colours (default auto; NO_COLOR is respected)" },
	{ "help", 'h', O_FLAG, AT(help), G_ALWAYS, NULL, "this text" },
	{ "filename", 'f', O_TEXTS, AT(files), G_FILES | G_APPLY, "FILE|DIR|-", "manifests; repeatable; folders are read recursively" },
	{ "recursive", 'R', O_FLAG, AT(recursive), G_FILES | G_APPLY, NULL, "for kubectl's sake: folders are always read recursively" },
	{ "validate", 0, O_TEXT, AT(validate), G_FILES | G_APPLY, "strict|warn|ignore", "what an unknown field is" },
	{ "no-settle", 0, O_FLAG, AT(no_settle), G_FILES | G_APPLY, NULL, "do not let the controllers work first" },
	{ "at", 0, O_TEXT, AT(at), G_FILES, "12.5s|rev:17", "the lab as it was; with -f: what the cluster is by then (a time only)" },
	{ "cni", 0, O_TEXT, AT(cni), G_CLUSTER | G_INIT, "calico|flannel|bridge|none", "the Pod network" },
	{ "kernel", 0, O_TEXT, AT(kernel), G_CLUSTER | G_INIT, "FACTS", "facts of the nodes' kernel: random-fully=on|off,be-liberal=on|off,bridge-nf=on|off,forward=accept|drop,ip-forward=on|off,rp-filter=off|strict,udp-clash=resolve|drop,nfacct=NAME+NAME" },
	{ "controller", 0, O_TEXTS, AT(controllers), G_CLUSTER | G_INIT, "NAME", "an Ingress or Gateway controller that serves classes of that controller name" },
	{ "cloud-lb", 0, O_TEXT, AT(cloud_lb), G_CLUSTER | G_INIT, "CIDR", "somebody outside hands out load balancer addresses" },
	{ "zone", 0, O_TEXT, AT(zone), G_CLUSTER, "FILE", "what DNS outside the cluster knows: an RFC 1035 master file" },
	{ "node-resolv-conf", 0, O_TEXT, AT(node_resolv_conf), G_CLUSTER, "FILE|none", "the nodes' own resolv.conf" },
	{ "enforce", 0, O_TEXT, AT(enforce), G_CLUSTER, "none|spec|calico", "who enforces NetworkPolicy" },
	{ "all-namespaces", 'A', O_FLAG, AT(all_ns), G_SELECT | G_PATCH | G_ROLLOUT, NULL, "in all namespaces" },
	{ "selector", 'l', O_TEXT, AT(selector), G_SELECT | G_PATCH | G_ROLLOUT | G_DRAIN, "SELECTOR", "only objects with these labels" },
	{ "field-selector", 0, O_TEXT, AT(field_selector), G_GET | G_DELETE, "FIELDS", "only objects with these fields, as the API server can select: spec.nodeName=worker-1,status.phase!=Running" },
	{ "watch", 'w', O_FLAG, AT(watch), G_SELECT, NULL, "all of them, from the beginning" },
	{ "sort-by", 0, O_TEXT, AT(sort_by), G_GET, "JSONPATH", "in the order of this value, as .metadata.creationTimestamp" },
	{ "show-labels", 0, O_FLAG, AT(show_labels), G_GET, NULL, "a last column with all labels" },
	{ "label-columns", 'L', O_TEXTS, AT(label_columns), G_GET, "KEY", "a column with this label; repeatable" },
	{ "no-headers", 0, O_FLAG, AT(no_headers), G_GET | G_EVENTS, NULL, "without the line of heads" },
	{ "for", 0, O_TEXT, AT(about), G_EVENTS, "KIND/NAME", "only what happened to that object" },
	{ "types", 0, O_TEXT, AT(types), G_EVENTS, "Normal,Warning", "only events of these types" },
	{ "protocol", 0, O_TEXT, AT(protocol), G_TRACE | G_MATRIX, "tcp|udp|sctp|icmp", "(default tcp)" },
	{ "ipv4", '4', O_FLAG, AT(v4), G_TRACE | G_DNS, NULL, "IPv4" },
	{ "ipv6", '6', O_FLAG, AT(v6), G_TRACE | G_DNS, NULL, "IPv6" },
	{ "batch", 0, O_TEXT, AT(batch), G_ONLY_TRACE, "FILE|-", "one question a line, as JSON; one answer a line" },
	{ "expect", 0, O_TEXT, AT(expect), G_ONLY_TRACE, "VERDICT", "the verdict that is expected (default delivered and answered)" },
	{ "as", 0, O_TEXT, AT(as), G_TRACE, "NAME", "connect: the connection's name (default: TO)" },
	{ "connection", 0, O_TEXT, AT(connection), G_ONLY_TRACE, "NAME", "another packet on a connection that connect has opened, instead of FROM TO" },
	{ "draw", 0, O_FLAG, AT(draw), G_TRACE, NULL, "one outcome, as the seed draws it, instead of all" },
	{ "each", 0, O_FLAG, AT(each), G_ONLY_TRACE, NULL, "from every Pod of the workload; as JSON a list of the answers" },
	{ "container", 'c', O_TEXT, AT(container), G_TRACE | G_LINUX, "NAME", "whose socket it is" },
	{ "container", 'c', O_TEXT, AT(container), G_LOGS, "NAME", "whose log it is" },
	{ "size", 0, O_TEXT, AT(size), G_TRACE, "BYTES", "size of the payload" },
	{ "df", 0, O_FLAG, AT(df), G_TRACE, NULL, "do not fragment" },
	{ "considered", 0, O_FLAG, AT(considered), G_TRACE, NULL, "show the rules that did not match, too" },
	{ "method", 'X', O_TEXT, AT(method), G_TRACE, "METHOD", "of an HTTP request (default GET)" },
	{ "header", 'H', O_TEXTS, AT(headers), G_TRACE, "'Name: value'", "a header of the request; repeatable" },
	{ "resolve", 0, O_TEXT, AT(resolve), G_TRACE, "ADDR|END", "where the host's name leads" },
	{ "client-cert", 0, O_TEXT, AT(client_cert), G_TRACE, "[NS/]SECRET", "the certificate that the client shows where a listener asks for one" },
	{ "backend-answers", 0, O_TEXT, AT(backend_answers), G_TRACE, "ANSWERS", "what the backend answers, one attempt after the other: 503 | 'reset, 500 after 2s, 200'" },
	{ "dataplane", 0, O_TEXT, AT(dataplane), G_CAPTURE, "FILE|DIR", "what real nodes have (iptables-save, nft, ip route …), instead of objects" },
	{ "node-ip", 0, O_TEXT, AT(node_ip), G_CAPTURE, "ADDR,…", "addresses of the node that the capture does not hold" },
	{ "in", 0, O_TEXT, AT(in), G_CAPTURE, "IFACE", "by which interface the packet comes into the captured node" },
	{ "pcap", 0, O_TEXT, AT(pcap), G_ONLY_TRACE, "FILE", "write the simulated packets for Wireshark" },
	{ "node", 0, O_TEXT, AT(node), G_RULES, "NAME", "of that node only" },
	{ "causes", 0, O_FLAG, AT(causes), G_RULES, NULL, "object and file:line beside each rule" },
	{ "port", 0, O_TEXT, AT(port), G_MATRIX, "80,http,53/udp,8000-8999", "ports by number, range or name (default 80)" },
	{ "by", 0, O_TEXT, AT(by), G_MATRIX, "pod|workload|namespace|class", "what a row stands for (default pod)" },
	{ "with-external", 0, O_TEXT, AT(with_external), G_MATRIX, "ADDR,…", "addresses outside the cluster, too" },
	{ "explain", 0, O_FLAG, AT(explain), G_MATRIX, NULL, "FROM TO: which policies decide, and why" },
	{ "diff", 0, O_TEXT, AT(diff), G_MATRIX, "FILE|DIR", "what changes against these manifests" },
	{ "diff-ref", 0, O_TEXT, AT(diff_ref), G_MATRIX, "GITREF", "what changes against the files at that commit" },
	{ "must", 0, O_TEXT, AT(expect_file), G_MATRIX, "FILE", "what must and must not be allowed; exit status 1 if it is otherwise" },
	{ "type", 0, O_TEXT, AT(type), G_DNS | G_PATCH, "TYPE", "dns: A|AAAA|SRV|PTR|CNAME|TXT|NS (default A); patch: strategic|merge|json (default strategic)" },
	{ "resolver", 0, O_TEXT, AT(resolver), G_DNS, "glibc|musl", "(default glibc)" },
	{ "out", 0, O_TEXT, AT(out), G_DRAW | G_RUN, "FILE|DIR", "where to write" },
	{ "theme", 0, O_TEXT, AT(theme), G_DRAW | G_TUI, "light|dark|mono", "(default light; in the terminal as it is, NO_COLOR is mono)" },
	{ "glyphs", 0, O_TEXT, AT(glyphs), G_TUI, "utf8|ascii", "(default: as the locale)" },
	{ "focus", 0, O_TEXT, AT(focus), G_DRAW, "END", "only what is near it" },
	{ "depth", 0, O_TEXT, AT(depth), G_DRAW, "N", "how near (default 2)" },
	{ "collapse", 0, O_FLAG, AT(collapse), G_DRAW, NULL, "one box for the Pods of a workload" },
	{ "dry-run", 0, O_FLAG, AT(dry_run), G_APPLY | G_PATCH | G_ROLLOUT | G_DRAIN | G_RUN, NULL, "say what would happen to the lab as it is; change nothing" },
	{ "force", 0, O_FLAG, AT(force), G_DELETE | G_DRAIN, NULL, "delete: with --grace-period=0, do not wait for the kubelet; drain: Pods that nobody controls, too" },
	{ "grace-period", 0, O_TEXT, AT(grace), G_DELETE | G_DRAIN, "SECONDS", "instead of the Pod's terminationGracePeriodSeconds" },
	{ "now", 0, O_FLAG, AT(now), G_DELETE, NULL, "--grace-period=1" },
	{ "cascade", 0, O_TEXT, AT(cascade), G_DELETE, "background|foreground|orphan", "what happens to what belongs to it (default background)" },
	{ "all", 0, O_FLAG, AT(all), G_DELETE, NULL, "every object of the kind" },
	{ "ignore-not-found", 0, O_FLAG, AT(ignore_not_found), G_DELETE | G_GET, NULL, "what is not there is no failure" },
	{ "chunk-size", 0, O_TEXT, AT(chunk_size), G_GET, "N", "for kubectl's sake: lists come whole" },
	{ "ignore-daemonsets", 0, O_FLAG, AT(ignore_daemonsets), G_DRAIN, NULL, "leave Pods of DaemonSets where they are" },
	{ "delete-emptydir-data", 0, O_FLAG, AT(delete_emptydir_data), G_DRAIN, NULL, "evict Pods with an emptyDir, too" },
	{ "disable-eviction", 0, O_FLAG, AT(disable_eviction), G_DRAIN, NULL, "delete, whatever PodDisruptionBudgets say" },
	{ "to-revision", 0, O_TEXT, AT(to_revision), G_ROLLOUT, "N", "undo: to that one (default the one before)" },
	{ "revision", 0, O_TEXT, AT(to_revision), G_ROLLOUT, "N", "history: only that one, in full" },
	{ "replicas", 0, O_TEXT, AT(replicas), G_PATCH, "N", "scale: how many" },
	{ "current-replicas", 0, O_TEXT, AT(current_replicas), G_PATCH, "N", "scale: only if it wants as many now" },
	{ "resource-version", 0, O_TEXT, AT(resource_version), G_PATCH, "N", "scale, label, annotate: only if the object is of this version" },
	{ "all", 0, O_FLAG, AT(all), G_PATCH, NULL, "every object of the kind" },
	{ "list", 0, O_FLAG, AT(list), G_PATCH, NULL, "label, annotate, set env: say what there is" },
	{ "containers", 'c', O_TEXT, AT(container), G_PATCH, "NAME", "set env, set resources: of this container only; * and ? stand for any" },
	{ "limits", 0, O_TEXT, AT(limits), G_PATCH, "RESOURCE=AMOUNT,…", "set resources: at most" },
	{ "requests", 0, O_TEXT, AT(requests), G_PATCH, "RESOURCE=AMOUNT,…", "set resources: at least" },
	{ "patch", 'p', O_TEXT, AT(patch), G_PATCH, "YAML|JSON", "patch: the patch" },
	{ "patch-type", 0, O_TEXT, AT(patch_type), G_PATCH, "strategic|merge|json", "patch: the same as --type" },
	{ "patch-file", 0, O_TEXT, AT(patch_file), G_PATCH, "FILE", "patch: the patch, in a file" },
	{ "overwrite", 0, O_FLAG, AT(overwrite), G_PATCH, NULL, "label, annotate, taint: what is there already, too" },
	{ "report", 0, O_TEXTS, AT(reports), G_RUN, "FORMAT=FILE", "write a report beside the answer; repeatable" },
	{ "jobs", 'j', O_TEXT, AT(jobs), G_RUN, "N", "at the same time" },
	{ "shard", 0, O_TEXT, AT(shard), G_RUN, "I/N", "every N-th scenario only" },
	{ "stdin", 'i', O_FLAG, AT(with_stdin), G_LINUX, NULL, "hand standard input on" },
	{ "tty", 't', O_FLAG, AT(tty), G_LINUX, NULL, "use the terminal (which is the caller's own)" },
	{ "follow", 'f', O_FLAG, AT(follow), G_LOGS, NULL, "go on with what is written from now on" },
	{ "previous", 'p', O_FLAG, AT(previous), G_LOGS, NULL, "of the container that ran before this one" },
	{ "tail", 0, O_TEXT, AT(tail), G_LOGS, "N", "the last N lines (default: all; -1: all)" },
	{ "bird", 0, O_FLAG, AT(with_bird), G_UP, NULL, "with Calico: a real BIRD on each node writes the routes to the others' Pods" },
	{ "cni-bin", 0, O_TEXT, AT(cni_bin), G_UP | G_VERIFY, "DIR", "with --cni bridge: the reference CNI plugins in DIR wire the Pods" },
	{ "sample", 0, O_TEXT, AT(sample), G_VERIFY, "N", "that many connections, drawn by the seed, instead of all" },
	{ "tries", 0, O_TEXT, AT(tries), G_VERIFY, "N", "how often each is made at least (default 1; 3 where chance decides)" },
	{ "allow-commands", 0, O_FLAG, AT(allow_commands), G_RUN | G_UP | G_VERIFY, NULL, "in real namespaces: containers run the commands of their manifests, in place of podwire's own server" },
	{ "timeout", 0, O_TEXT, AT(timeout), G_ROLLOUT | G_DRAIN, "60s", "how long to wait, in virtual time" },
	{ "timeout", 0, O_TEXT, AT(timeout), G_PATCH, "60s", "scale: for kubectl's sake: nothing is waited for" },
	{ "image", 0, O_TEXTS, AT(images), G_CREATE | G_RUN, "IMAGE", "what the container runs; of a Deployment with several, repeatable" },
	{ "port", 0, O_TEXT, AT(port), G_CREATE | G_RUN | G_EXPOSE, "N", "of the container; expose: the Service's, or several (default: those of the containers)" },
	{ "replicas", 0, O_TEXT, AT(replicas), G_CREATE, "N", "how many Pods (default 1)" },
	{ "tcp", 0, O_TEXTS, AT(tcp), G_CREATE, "PORT[:TARGET]", "a port of the Service, and the container's; repeatable" },
	{ "clusterip", 0, O_TEXT, AT(cluster_ip), G_CREATE, "ADDR|None", "the Service's address; None: headless" },
	{ "node-port", 0, O_TEXT, AT(node_port), G_CREATE, "N", "the Service's port on every node" },
	{ "external-name", 0, O_TEXT, AT(external_name), G_CREATE, "NAME", "the name that the Service stands for" },
	{ "rule", 0, O_TEXTS, AT(rules), G_CREATE, "HOST/PATH[*]=SERVICE:PORT[,tls[=SECRET]]", "of an Ingress; *: all below; repeatable" },
	{ "class", 0, O_TEXT, AT(ingress_class), G_CREATE, "NAME", "the Ingress' class" },
	{ "default-backend", 0, O_TEXT, AT(default_backend), G_CREATE, "SERVICE:PORT", "of an Ingress, for all else" },
	{ "annotation", 0, O_TEXTS, AT(annotations), G_CREATE, "KEY=VALUE", "of the Ingress; repeatable" },
	{ "from-literal", 0, O_TEXTS, AT(literals), G_CREATE, "KEY=VALUE", "of a ConfigMap or Secret; repeatable" },
	{ "from-file", 0, O_TEXTS, AT(from_files), G_CREATE, "[KEY=]FILE|DIR", "a file as value, or each file of a folder; repeatable" },
	{ "from-env-file", 0, O_TEXTS, AT(env_files), G_CREATE, "FILE", "of a ConfigMap or Secret: its lines KEY=VALUE; repeatable" },
	{ "from", 0, O_TEXT, AT(from), G_CREATE, "cronjob/NAME", "of a Job: the CronJob whose template it takes" },
	{ "hard", 0, O_TEXT, AT(hard), G_CREATE, "RESOURCE=AMOUNT,…", "of a ResourceQuota" },
	{ "scopes", 0, O_TEXT, AT(scopes), G_CREATE, "SCOPE,…", "of a ResourceQuota" },
	{ "value", 0, O_TEXT, AT(value), G_CREATE, "N", "of a PriorityClass" },
	{ "global-default", 0, O_FLAG, AT(global_default), G_CREATE, NULL, "of a PriorityClass: for all Pods that name none" },
	{ "preemption-policy", 0, O_TEXT, AT(preemption), G_CREATE, "PreemptLowerPriority|Never", "of a PriorityClass" },
	{ "description", 0, O_TEXT, AT(description), G_CREATE, "TEXT", "of a PriorityClass" },
	{ "verb", 0, O_TEXTS, AT(verbs), G_CREATE, "VERB,…", "of a Role or ClusterRole; repeatable" },
	{ "resource", 0, O_TEXTS, AT(resources), G_CREATE, "RESOURCE[.GROUP][/SUB],…", "of a Role or ClusterRole; repeatable" },
	{ "resource-name", 0, O_TEXTS, AT(resource_names), G_CREATE, "NAME,…", "of a Role or ClusterRole: only these; repeatable" },
	{ "non-resource-url", 0, O_TEXTS, AT(urls), G_CREATE, "PATH,…", "of a ClusterRole; repeatable" },
	{ "role", 0, O_TEXT, AT(role), G_CREATE, "NAME", "of a RoleBinding" },
	{ "clusterrole", 0, O_TEXT, AT(cluster_role), G_CREATE, "NAME", "of a RoleBinding or ClusterRoleBinding" },
	{ "user", 0, O_TEXTS, AT(users), G_CREATE, "NAME,…", "of a binding; repeatable" },
	{ "group", 0, O_TEXTS, AT(user_groups), G_CREATE, "NAME,…", "of a binding; repeatable" },
	{ "serviceaccount", 0, O_TEXTS, AT(accounts), G_CREATE, "NAMESPACE:NAME,…", "of a binding; repeatable" },
	{ "docker-server", 0, O_TEXT, AT(docker_server), G_CREATE, "URL", "of a docker-registry Secret (default https://index.docker.io/v1/)" },
	{ "docker-username", 0, O_TEXT, AT(docker_user), G_CREATE, "NAME", "of a docker-registry Secret" },
	{ "docker-password", 0, O_TEXT, AT(docker_password), G_CREATE, "TEXT", "of a docker-registry Secret" },
	{ "docker-email", 0, O_TEXT, AT(docker_email), G_CREATE, "ADDRESS", "of a docker-registry Secret" },
	{ "cert", 0, O_TEXT, AT(cert), G_CREATE, "FILE", "of a tls Secret, in PEM" },
	{ "key", 0, O_TEXT, AT(key), G_CREATE, "FILE", "of a tls Secret, in PEM" },
	{ "schedule", 0, O_TEXT, AT(schedule), G_CREATE, "CRON", "of a CronJob, as '*/5 * * * *'" },
	{ "restart", 0, O_TEXT, AT(restart), G_CREATE | G_RUN, "Always|OnFailure|Never", "the Pod's restartPolicy" },
	{ "selector", 0, O_TEXT, AT(selector), G_CREATE | G_EXPOSE, "KEY=VALUE,…", "which Pods (expose: default those of the object)" },
	{ "min-available", 0, O_TEXT, AT(min_available), G_CREATE, "N|PERCENT", "of a PodDisruptionBudget" },
	{ "max-unavailable", 0, O_TEXT, AT(max_unavailable), G_CREATE, "N|PERCENT", "of a PodDisruptionBudget" },
	{ "labels", 'l', O_TEXT, AT(labels), G_RUN | G_EXPOSE, "KEY=VALUE,…", "of what is made (default: run=NAME; expose: those of the object)" },
	{ "env", 0, O_TEXTS, AT(env), G_RUN, "NAME=VALUE", "for the container; repeatable" },
	{ "command", 0, O_FLAG, AT(command_words), G_RUN, NULL, "what stands behind -- is the command, not its arguments" },
	{ "name", 0, O_TEXT, AT(name), G_EXPOSE | G_SCALER, "NAME", "of what is made (default: the object's)" },
	{ "target-port", 0, O_TEXT, AT(target_port), G_EXPOSE, "N|NAME", "the container's port (default: the Service's)" },
	{ "type", 0, O_TEXT, AT(type), G_EXPOSE, "ClusterIP|NodePort|LoadBalancer", "of the Service (default ClusterIP)" },
	{ "protocol", 0, O_TEXT, AT(protocol), G_EXPOSE, "TCP|UDP|SCTP", "(default: the containers', else TCP)" },
	{ "cluster-ip", 0, O_TEXT, AT(cluster_ip), G_EXPOSE, "ADDR|None", "the Service's address; None: headless" },
	{ "external-ip", 0, O_TEXT, AT(external_ip), G_EXPOSE, "ADDR", "another address of the Service" },
	{ "load-balancer-ip", 0, O_TEXT, AT(load_balancer_ip), G_EXPOSE, "ADDR", "the address that is asked of the load balancer" },
	{ "session-affinity", 0, O_TEXT, AT(session_affinity), G_EXPOSE, "None|ClientIP", "of the Service" },
	{ "min", 0, O_TEXT, AT(min), G_SCALER, "N", "how many Pods at least" },
	{ "max", 0, O_TEXT, AT(max), G_SCALER, "N", "how many Pods at most" },
	{ "cpu-percent", 0, O_TEXT, AT(cpu_percent), G_SCALER, "N", "the use that is aimed at" },
	{ "for", 0, O_TEXTS, AT(aims), G_WAIT, "CONDITION", "condition=NAME[=VALUE], jsonpath='{PATH}'[=VALUE], create or delete; repeatable: one after the other, create first" },
	{ "timeout", 0, O_TEXT, AT(timeout), G_WAIT, "30s", "how long, in virtual time (default 30s; 0: not at all; -1: a week)" },
	{ "all", 0, O_FLAG, AT(all), G_WAIT, NULL, "every object of the kind" },
	{ "nodes", 0, O_TEXT, AT(nodes), G_INIT, "N", "how many workers (default 2)" },
	{ "config", 0, O_TEXT, AT(config), G_INIT, "FILE", "a kind Cluster or other configuration" },
	{ NULL, 0, 0, 0, 0, NULL, NULL },
};

/* Commands may give one name a meaning of their own: the row that goes with this one, else the first. name: n bytes; letter 0: by name. */
static const struct option *option_of(const char *name, size_t n, char letter, unsigned takes)
{
	const struct option *first = NULL;

	for (const struct option *o = options; o->name; o++) {
		if (letter ? o->letter != letter : strlen(o->name) != n || strncmp(o->name, name, n) != 0)
			continue;
		if (o->groups & (takes | G_ALWAYS))
			return o;
		first = first ? first : o;
	}
	return first;
}

/* Options that kubectl has and podwire cannot have, and what does instead. */
static const struct { const char *option, *instead; } foreign[] = {
	{ "-k", "kustomize build DIR | podwire … -f -" }, { "--kustomize", "kustomize build DIR | podwire … -f -" },
	{ "--kubeconfig", "podwire asks no cluster: kubectl get … -o json | podwire import -" }, { "--context", "podwire asks no cluster: kubectl get … -o json | podwire import -" },
	{ "--server-side", "apply merges as kubectl's client does: leave it out" }, { "--force-conflicts", "apply merges as kubectl's client does: leave it out" },
	{ "--prune", "delete what is no longer wanted by podwire delete" }, { "--raw", "podwire get KIND/NAME -o json" },
};

static bool unknown(const char *arg, unsigned takes, struct err *err)
{
	size_t len = strcspn(arg, "=");
	const char *names[ARRAY_LEN(options)] = { NULL };
	char word[64] = "";
	size_t nr = 0;

	for (size_t k = 0; k < ARRAY_LEN(foreign); k++)
		if (strlen(foreign[k].option) == len && strncmp(arg, foreign[k].option, len) == 0)
			return err_add(err, ERR_INPUT, NULL, "there is no option %s here: %s", foreign[k].option, foreign[k].instead);
	for (const struct option *o = options; o->name; o++)
		if (o->groups & (takes | G_ALWAYS))
			names[nr++] = o->name;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(arg + 2, "="), arg[1] == '-' ? arg + 2 : "");
	if (*word && nearest(word, names))
		return err_add(err, ERR_INPUT, NULL, "unknown option \"%s\"; did you mean \"--%s\"?", arg, nearest(word, names));
	return err_add(err, ERR_INPUT, NULL, "unknown option \"%s\"", arg);
}

static void set(struct cli *cli, const struct option *o, const char *value)
{
	char *base = (char *)cli + o->at;

	switch ((enum opt_type)o->type) {
	case O_FLAG:
		*(bool *)base = !value || (strcmp(value, "false") != 0 && strcmp(value, "none") != 0);
		break;
	case O_TEXT:
		*(const char **)(void *)base = value;
		break;
	case O_TEXTS:
		vec_add(cli->arena, (struct texts *)(void *)base, value);
		break;
	}
}

/* One word that begins with a dash. next: what follows, for options with a value. → how many words were used, 0 on error. */
static int one(struct cli *cli, unsigned takes, const char *arg, const char *next, struct err *err)
{
	bool is_long = arg[1] == '-';
	const char *eq = is_long ? strchr(arg, '=') : NULL;
	const struct option *o = option_of(arg + 2, eq ? (size_t)(eq - arg - 2) : strlen(arg + 2), is_long ? 0 : arg[1], takes);
	const char *value = eq ? eq + 1 : !is_long && arg[2] ? arg + 2 + (arg[2] == '=') : NULL;

	if (!o)
		return unknown(arg, takes, err);
	if (!(o->groups & (takes | G_ALWAYS)))
		return err_add(err, ERR_INPUT, NULL, "--%s does not go with %s", o->name, cli->command);
	if (o->type == O_FLAG) {
		if (!is_long && arg[2]) {               /* -qv */
			char rest[64];

			set(cli, o, NULL);
			snprintf(rest, sizeof(rest), "-%s", arg + 2);
			return one(cli, takes, rest, NULL, err);
		}
		set(cli, o, value);
		return 1;
	}
	if (!value && !next)
		return err_add(err, ERR_INPUT, NULL, "--%s needs a value: %s", o->name, o->arg);
	set(cli, o, value ? value : next);
	return value ? 1 : 2;
}

bool options_parse(struct cli *cli, unsigned takes, int argc, char **argv, struct err *err)
{
	for (int k = 0; k < argc;) {
		int used = 1;

		if (strcmp(argv[k], "--") == 0) {
			for (k++; k < argc; k++)
				vec_add(cli->arena, takes & (G_LINUX | G_CREATE | G_RUN) ? &cli->rest : &cli->args, argv[k]);       /* a command to run, or names that begin with a dash */
			break;
		}
		if (argv[k][0] == '-' && argv[k][1])
			used = one(cli, takes, argv[k], k + 1 < argc ? argv[k + 1] : NULL, err);
		else
			vec_add(cli->arena, &cli->args, argv[k]);
		k += MAX(used, 1);
	}
	return !err_any(err);
}

bool options_only(const struct cli *cli, unsigned group, const char *const *names, const char *with, struct err *err)
{
	for (const struct option *o = options; o->name; o++) {
		const char *base = (const char *)cli + o->at;
		bool given = o->type == O_FLAG ? *(const bool *)base : o->type == O_TEXT ? *(const char *const *)(const void *)base != NULL : ((const struct texts *)(const void *)base)->nr != 0;
		bool goes = false;

		for (const char *const *name = names; *name && !goes; name++)
			goes = strcmp(*name, o->name) == 0;
		if ((o->groups & group) && given && !goes)
			return err_add(err, ERR_INPUT, NULL, "--%s does not go with %s%s%s", o->name, cli->command, *with ? " " : "", with);
	}
	return true;
}

void options_help(unsigned takes, FILE *f)
{
	for (const struct option *o = options; o->name; o++) {
		char left[80];

		if (!(o->groups & (takes | G_ALWAYS)))
			continue;
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : "", o->letter ? o->letter : ' ', o->letter ? ", " : "   ", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		fprintf(f, "  %-42s %s\n", left, o->help);
	}
}

void options_each(unsigned takes, void (*fn)(void *ctx, const char *name, char letter, const char *arg, const char *help), void *ctx)
{
	for (const struct option *o = options; o->name; o++)
		if (o->groups & (takes | G_ALWAYS))
			fn(ctx, o->name, o->letter, o->arg, o->help);
}

void options_markdown(unsigned takes, unsigned except, FILE *f)
{
	for (const struct option *o = options; o->name; o++)
		if ((o->groups & takes) && !(o->groups & except)) {
			fprintf(f, "- ");
			if (o->letter)
				fprintf(f, "`-%c`, ", o->letter);
			fprintf(f, "`--%s%s%s`: %s\n", o->name, o->arg ? " " : "", o->arg ? o->arg : "", o->help);
		}
}
