#include "viz/cli/cli.h"

#define ASKS (G_FILES | G_CLUSTER | READS_LAB)

const struct command commands[] = {
	{ "init", cmd_init, G_INIT | CHANGES_LAB, "", "a new lab", NULL },
	{ "apply", cmd_apply, G_APPLY | G_CLUSTER | CHANGES_LAB, "-f FILE…", "create or change objects, then settle", NULL },
	{ "create", cmd_create, G_APPLY | G_CREATE | G_CLUSTER | CHANGES_LAB, "KIND [TYPE] NAME [-- COMMAND…] | -f FILE…", "make an object from a few words: --dry-run=client -o yaml shows it",
	  "  podwire create deployment web --image=nginx --replicas=2 --port=80\n  podwire create service nodeport web --tcp=80:8080 --dry-run=client -o yaml\n"
	  "  podwire create ingress shop --class=nginx --rule='shop.example/*=web:80,tls=shop'\n  podwire create configmap c --from-literal=a=b\n  podwire create job once --image=busybox -- true" },
	{ "expose", cmd_expose, G_APPLY | G_EXPOSE | G_CLUSTER | CHANGES_LAB, "KIND/NAME [--port N]", "make a Service for a workload, Pod or other Service", NULL },
	{ "autoscale", cmd_autoscale, G_APPLY | G_SCALER | G_CLUSTER | CHANGES_LAB, "KIND/NAME --max N", "make a HorizontalPodAutoscaler", NULL },
	{ "wait", cmd_wait, G_SELECT | G_WAIT | CHANGES_LAB, "KIND/NAME… --for condition=NAME", "let virtual time pass until something is so",
	  "  podwire wait deploy/web --for=condition=Available --timeout=90s\n  podwire wait pod -l app=web --for=jsonpath='{.status.phase}'=Running\n  podwire wait pod/old --for=delete" },
	{ "diff", cmd_diff, G_APPLY | G_CLUSTER | READS_LAB, "-f FILE…", "what apply would change in the lab, as a unified diff; exit status 1 if anything", NULL },
	{ "import", cmd_import, G_INIT | CHANGES_LAB, "DUMP…", "take a living cluster as it is: kubectl get -o json|yaml, cluster-info dump, bundles", NULL },
	{ "capture", cmd_capture, 0, "> node.json", "what this machine has (ip -j, nft -j, iptables-save, ipset, settings), for --dataplane", NULL },
	{ "delete", cmd_delete, G_APPLY | G_SELECT | G_DELETE | CHANGES_LAB, "KIND NAME… | KIND/NAME… | -f FILE", "delete objects, then settle", NULL },
	{ "patch", cmd_patch, G_PATCH | CHANGES_LAB, "KIND/NAME -p PATCH", "change a part of an object: --type strategic, merge or json", NULL },
	{ "scale", cmd_scale, G_PATCH | CHANGES_LAB, "KIND/NAME --replicas N", "change how many Pods a workload wants", NULL },
	{ "set", cmd_set, G_PATCH | CHANGES_LAB, "image KIND/NAME CONTAINER=IMAGE… | env KIND/NAME NAME=VALUE… NAME-… | resources KIND/NAME --limits R=N | selector svc/NAME K=V | serviceaccount KIND/NAME NAME", "change images, environment, resources or account of a workload's Pods, or a Service's selector", NULL },
	{ "label", cmd_label, G_PATCH | CHANGES_LAB, "KIND/NAME KEY=VALUE… KEY-…", "set or remove labels", NULL },
	{ "annotate", cmd_annotate, G_PATCH | CHANGES_LAB, "KIND/NAME KEY=VALUE… KEY-…", "set or remove annotations", NULL },
	{ "rollout", cmd_rollout, G_ROLLOUT | CHANGES_LAB, "status|restart|undo|history|pause|resume KIND/NAME", "the way from one template of a workload to the next", NULL },
	{ "cordon", cmd_cordon, G_DRAIN | CHANGES_LAB, "NODE…", "let nothing new be scheduled on a node", NULL },
	{ "uncordon", cmd_uncordon, G_DRAIN | CHANGES_LAB, "NODE…", "let Pods be scheduled there again", NULL },
	{ "drain", cmd_drain, G_DRAIN | CHANGES_LAB, "NODE… [--ignore-daemonsets]", "cordon a node and evict its Pods, as PodDisruptionBudgets allow", NULL },
	{ "taint", cmd_taint, G_PATCH | CHANGES_LAB, "nodes NODE… KEY[=VALUE]:EFFECT KEY[:EFFECT]-", "set or remove taints", NULL },
	{ "get", cmd_get, ASKS | G_SELECT | G_GET, "KIND[,KIND…] [NAME…] | KIND/NAME…", "list objects, or print them (-o wide|yaml|json|name|jsonpath=…|custom-columns=…)", NULL },
	{ "describe", cmd_describe, ASKS | G_SELECT, "KIND [NAME] | KIND/NAME", "an object with what belongs to it, and its events", NULL },
	{ "events", cmd_events, ASKS | G_SELECT | G_EVENTS, "", "what happened, as kubectl prints it", NULL },
	{ "why", cmd_why, ASKS | G_TRACE, "KIND/NAME | FROM TO", "what is wrong, the evidence, and the remedy; what it suggests was tried on a copy", NULL },
	{ "compare", cmd_compare, G_FILES | G_CLUSTER | G_CAPTURE, "A B | --cni X,Y -f FILE… | --dataplane DIR -f FILE…", "which connections change between two sets of manifests (exit status 1 if any); or one set on several Pod networks; or what nodes really have against the objects", NULL },
	{ "timeline", cmd_timeline, ASKS | G_SELECT, "KIND/NAME | KIND NAME", "what happened to it, in lanes over time (-o text|json)", NULL },
	{ "advance", cmd_advance, CHANGES_LAB, "DURATION", "let virtual time pass: 40s, 5m", NULL },
	{ "connect", cmd_connect, G_TRACE | CHANGES_LAB, "FROM TO [--as NAME]", "a connection that stays open: conntrack and affinity remember it", NULL },
	{ "trace", cmd_trace, ASKS | G_TRACE | G_ONLY_TRACE | G_CAPTURE, "FROM TO", "the way of one packet or request, with the reason for every hop", NULL },
	{ "matrix", cmd_matrix, ASKS | G_MATRIX | G_SELECT, "[FROM TO]", "who may reach whom by policy", NULL },
	{ "lint", cmd_lint, ASKS | G_SELECT, "", "what is wrong, or strange, about NetworkPolicies (-o text|json|sarif|github)", NULL },
	{ "dns", cmd_dns, ASKS | G_DNS, "FROM [NAME]", "what a Pod's resolver asks, and what cluster DNS answers", NULL },
	{ "routes", cmd_routes, ASKS, "", "the HTTP routing table of every controller", NULL },
	{ "rules", cmd_rules, ASKS | G_RULES | G_CAPTURE, "", "what Linux is told: -o nft|iptables|ip|sh|bird|haproxy|json", NULL },
	{ "show", cmd_show, ASKS | G_RULES | G_CAPTURE, "routes|links|neigh|listeners|conntrack|affinity|connections|bgp|ipam|scale-down|capture|route [END|ADDR]", "the dataplane's tables, as ip, ss and birdc print them", NULL },
	{ "draw", cmd_draw, ASKS | G_DRAW | G_SELECT | G_TRACE | G_MATRIX, "FIGURE [ENDS]", "a figure (-o svg|png|pdf|dot|html|mermaid)", NULL },
	{ "fault", cmd_fault, CHANGES_LAB, "KIND [TARGET] [KEY=VALUE…]", "break a node, link, container, kubeProxy, cni, dns …", NULL },
	{ "heal", cmd_heal, CHANGES_LAB, "KIND [TARGET]", "mend it", NULL },
	{ "run", cmd_run, G_RUN | G_CLUSTER, "SCENARIO|DIR… | NAME --image IMAGE", "replay scenarios and check their expectations (-o text|tap|junit|json|html|md|sarif)", NULL },
	{ "report", cmd_report, 0, "merge FILE…", "join the JSON reports of several runs (-o text|tap|junit|json|html|md|sarif)", NULL },
	{ "learn", cmd_learn, G_TUI, "[LESSON…|FILE|all|export [LESSON…]|reset [LESSON…]]", "lessons: the list, one in the terminal, or printed (-o text|md|html; -v: the teacher's edition); what was done in the lab (export), or forget it (reset)", NULL },
	{ "tui", cmd_tui, ASKS | G_TUI, "[LESSON]", "look at the cluster in the terminal: map, lists, traces step by step, time; ? there lists the keys", NULL },
	{ "export", cmd_export, READS_LAB, "", "the lab's inputs as a Scenario (-o yaml|json)", NULL },
	{ "up", cmd_up, ASKS | G_UP, "", "build the cluster's network in real Linux namespaces",
	  "The cluster of the lab, or of -f, in the kernel of this machine: a network namespace for each Pod and node, the wires between them, routes, rules, and a\n"
	  "small server in each container. It stays up until podwire down, or until its first process dies; the machine's own network is not touched.\n\n"
	  "  podwire up -f web.yaml\n  podwire exec pod/web -- ip route\n  podwire verify\n  podwire down" },
	{ "down", cmd_down, 0, "", "end what up has built", NULL },
	{ "ps", cmd_ps, G_SELECT, "", "the namespaces of the lab that is up, and what runs in them", NULL },
	{ "exec", cmd_exec, G_LINUX, "pod/NAME|node/NAME|client|router -- CMD…", "run a command in a Pod's, a node's or the client's namespaces", NULL },
	{ "logs", cmd_logs, G_LOGS, "pod/NAME [CONTAINER]", "what a container was asked", NULL },
	{ "verify", cmd_verify, ASKS | G_VERIFY, "", "compare the kernel with the simulation: what it has, and where real connections end", NULL },
	{ "api-resources", cmd_api_resources, 0, "", "the kinds that podwire knows", NULL },
	{ "completion", cmd_completion, 0, "bash|zsh|fish", "a script that completes commands, options and names",
	  "  source <(podwire completion bash)\n  podwire completion fish >~/.config/fish/completions/podwire.fish" },
	{ "version", cmd_version, 0, "", "version; with -v or -o json also what this machine can do in real namespaces, tried now", NULL },
	{ "help", cmd_help, 0, "[COMMAND]", "this text, or a command's", NULL },
	{ NULL, NULL, 0, NULL, NULL, NULL },
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
