/* Pods and Pod templates. */
#include "model/base/quantity.h"
#include "model/control/scheduler.h"
#include "viz/report/describe.h"

/* A port of a probe, by number or name. */
static void port_print(const struct int_or_str *port, struct sb *out)
{
	if (port->s)
		sb_add(out, port->s);
	else
		sb_printf(out, "%d", port->i);
}

void probe_print(const struct probe *p, struct sb *out)
{
	if (p->exec) {
		sb_add(out, "exec [");
		for (uint32_t k = 0; k < p->exec->command.nr; k++)
			sb_printf(out, "%s%s", k ? " " : "", p->exec->command.v[k]);
		sb_add(out, "]");
	} else if (p->http) {
		sb_add(out, "http-get ");
		for (const char *s = p->http->scheme ? p->http->scheme : "http"; *s; s++)
			sb_addc(out, (char)(*s | 0x20));
		sb_printf(out, "://%s:", p->http->host ? p->http->host : "");
		port_print(&p->http->port, out);
		sb_printf(out, "%s%s", p->http->path && *p->http->path == '/' ? "" : "/", p->http->path ? p->http->path : "");
	} else if (p->tcp) {
		sb_printf(out, "tcp-socket %s:", p->tcp->host ? p->tcp->host : "");
		port_print(&p->tcp->port, out);
	} else if (p->grpc) {
		sb_printf(out, "grpc <pod>:%d %s", p->grpc->port, p->grpc->service ? p->grpc->service : "");
	} else {
		sb_add(out, "unknown");
	}
}

static const char *probe_text(struct describe *d, const struct probe *p)
{
	struct sb out = { 0 };
	const char *text;

	probe_print(p, &out);
	text = arena_printf(d->a, "%s delay=%ds timeout=%ds period=%ds #success=%d #failure=%d", sb_text(&out), p->initial_delay, p->timeout, p->period, p->success, p->failure);
	sb_free(&out);
	return text;
}

static void say_state(struct describe *d, const struct container_status *s, int level)
{
	if (s->state == CS_RUNNING) {
		say(d, level, "State:\tRunning");
		say(d, level + 1, "Started:\t%s", time_1123(d, s->started_at));
	} else if (s->state == CS_TERMINATED) {
		say(d, level, "State:\tTerminated");
		if (s->reason)
			say(d, level + 1, "Reason:\t%s", s->reason);
		say(d, level + 1, "Exit Code:\t%d", s->exit_code);
		say(d, level + 1, "Started:\t%s", time_1123(d, s->started_at));
		say(d, level + 1, "Finished:\t%s", time_1123(d, s->finished_at));
	} else {
		say(d, level, "State:\tWaiting");
		if (s->reason)
			say(d, level + 1, "Reason:\t%s", s->reason);
	}
	if (s->last_reason) {
		say(d, level, "Last State:\tTerminated");
		say(d, level + 1, "Reason:\t%s", s->last_reason);
		say(d, level + 1, "Exit Code:\t%d", s->last_exit);
		say(d, level + 1, "Finished:\t%s", time_1123(d, s->last_finished));
	}
	say(d, level, "Ready:\t%s", s->ready ? "True" : "False");
	say(d, level, "Restart Count:\t%d", s->restarts);
}

static void say_texts(struct describe *d, const char *title, const str_list *l, int level)
{
	if (!l->nr)
		return;
	say(d, level, "%s:", title);
	for (uint32_t k = 0; k < l->nr; k++) {
		struct sb safe = { 0 };

		sb_add_shown(&safe, l->v[k], true);
		say(d, level + 1, "%s", sb_text(&safe));
		sb_free(&safe);
	}
}

static void say_amounts(struct describe *d, const char *title, const pair_list *l, int level)
{
	if (!l->nr)
		return;
	say(d, level, "%s:", title);
	for (uint32_t k = 0; k < l->nr; k++)
		say(d, level + 1, "%s:\t%s", l->v[k].key, l->v[k].value);
}

static void say_ports(struct describe *d, const struct container *c, int level)
{
	struct sb port = { 0 }, host = { 0 };

	for (uint32_t k = 0; k < c->ports.nr; k++) {
		const struct container_port *p = &c->ports.v[k];
		const char *name = p->name ? arena_printf(d->a, " (%s)", p->name) : "";

		sb_printf(&port, "%s%d/%s%s", k ? ", " : "", p->port, l4_names[p->protocol], name);
		sb_printf(&host, "%s%d/%s%s", k ? ", " : "", p->host_port, l4_names[p->protocol], name);
	}
	say(d, level, "%s:\t%s", c->ports.nr > 1 ? "Ports" : "Port", or_none(sb_text(&port)));
	say(d, level, "%s:\t%s", c->ports.nr > 1 ? "Host Ports" : "Host Port", or_none(sb_text(&host)));
	sb_free(&port);
	sb_free(&host);
}

static void say_container(struct describe *d, const struct container *c, const struct container_status *s, const struct pod *of, int level)
{
	say(d, level, "%s:", c->name);
	level++;
	if (of)
		say(d, level, "Container ID:\t%s", s && s->state == CS_RUNNING ? arena_printf(d->a, "containerd://%s-%d", of->o.uid, s->restarts) : "");
	say(d, level, "Image:\t%s", c->image ? c->image : "");
	if (of)
		say(d, level, "Image ID:\t");
	say_ports(d, c, level);
	say_texts(d, "Command", &c->command, level);
	say_texts(d, "Args", &c->args, level);
	if (s)
		say_state(d, s, level);
	say_amounts(d, "Limits", &c->resources.limits, level);
	say_amounts(d, "Requests", &c->resources.requests, level);
	if (c->liveness)
		say(d, level, "Liveness:\t%s", probe_text(d, c->liveness));
	if (c->readiness)
		say(d, level, "Readiness:\t%s", probe_text(d, c->readiness));
	if (c->startup)
		say(d, level, "Startup:\t%s", probe_text(d, c->startup));
	say(d, level, "Environment:%s", c->env.nr ? "" : "\t<none>");
	for (uint32_t k = 0; k < c->env.nr; k++) {
		struct sb safe = { 0 };

		sb_add_shown(&safe, c->env.v[k].value ? c->env.v[k].value : "", true);
		say(d, level + 1, "%s:\t%s", c->env.v[k].name, sb_text(&safe));
		sb_free(&safe);
	}
	say(d, level, "Mounts:%s", c->mounts.nr ? "" : "\t<none>");
	for (uint32_t k = 0; k < c->mounts.nr; k++) {
		const struct volume_mount *m = &c->mounts.v[k];

		say(d, level + 1, "%s from %s (%s%s%s%s)", m->path ? m->path : "", m->name, m->read_only ? "ro" : "rw", m->sub_path ? ",path=\"" : "", m->sub_path ? m->sub_path : "",
		    m->sub_path ? "\"" : "");
	}
}

static void say_containers(struct describe *d, const char *title, const container_list *l, const struct pod *of, int level)
{
	if (!l->nr)
		return;
	say(d, level, "%s:", title);
	for (uint32_t k = 0; k < l->nr; k++) {
		const struct container_status *s = NULL;

		for (uint32_t i = 0; of && i < of->statuses.nr; i++)
			if (of->statuses.v[i].name == l->v[k].name)
				s = &of->statuses.v[i];
		say_container(d, &l->v[k], s, of, level + 1);
	}
}

static void say_volumes(struct describe *d, const struct pod_spec *s, int level)
{
	if (!s->volumes.nr) {
		say(d, level, "Volumes:\t<none>");
		return;
	}
	say(d, level, "Volumes:");
	for (uint32_t k = 0; k < s->volumes.nr; k++) {
		const struct volume *v = &s->volumes.v[k];

		say(d, level + 1, "%s:", v->name);
		if (v->claim) {
			say(d, level + 2, "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)");
			say(d, level + 2, "ClaimName:\t%s", v->claim);
		} else if (v->config_map) {
			say(d, level + 2, "Type:\tConfigMap (a volume populated by a ConfigMap)");
			say(d, level + 2, "Name:\t%s", v->config_map);
		} else if (v->secret) {
			say(d, level + 2, "Type:\tSecret (a volume populated by a Secret)");
			say(d, level + 2, "SecretName:\t%s", v->secret);
		} else if (v->host_path) {
			say(d, level + 2, "Type:\tHostPath (bare host directory volume)");
			say(d, level + 2, "Path:\t%s", v->host_path);
		} else if (v->empty_dir) {
			say(d, level + 2, "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)");
		} else {
			say(d, level + 2, "Type:\t<unknown>");
		}
	}
}

static void say_tolerations(struct describe *d, const struct pod_spec *s, int level)
{
	for (uint32_t k = 0; k < s->tolerations.nr; k++) {
		const struct toleration *t = &s->tolerations.v[k];
		struct sb out = { 0 };

		sb_add(&out, t->key ? t->key : "");
		if (t->value && *t->value)
			sb_printf(&out, "=%s", t->value);
		if (t->effect && *t->effect)
			sb_printf(&out, ":%s", t->effect);
		if (streq(t->op, "Exists") && !(t->value && *t->value))
			sb_printf(&out, "%sop=Exists", out.len ? " " : "");
		if (t->has_seconds)
			sb_printf(&out, " for %" PRId64 "s", t->seconds);
		say(d, level, "%s\t%s", k ? "" : "Tolerations:", sb_text(&out));
		sb_free(&out);
	}
	if (!s->tolerations.nr)
		say(d, level, "Tolerations:\t<none>");
}

void say_template(struct describe *d, const struct pod_template *t)
{
	say(d, 0, "Pod Template:");
	say(d, 1, "Labels:\t%s", pairs_text(d, &t->labels));
	if (t->annotations.nr)
		say(d, 1, "Annotations:\t%s", pairs_text(d, &t->annotations));
	if (!t->spec)
		return;
	if (t->spec->service_account)
		say(d, 1, "Service Account:\t%s", t->spec->service_account);
	say_containers(d, "Init Containers", &t->spec->init_containers, NULL, 1);
	say_containers(d, "Containers", &t->spec->containers, NULL, 1);
	say_volumes(d, t->spec, 1);
	say(d, 1, "Node-Selectors:\t%s", pairs_text(d, &t->spec->node_selector));
	say_tolerations(d, t->spec, 1);
}

/* ComputePodQOS: cpu and memory only; Guaranteed where every container limits both and requests no other amount. */
const char *pod_qos(const struct pod_spec *s)
{
	static const char *const amounts[] = { "cpu", "memory" };
	const container_list *lists[] = { &s->init_containers, &s->containers };
	bool any = false, all = true;

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++)
			for (size_t m = 0; m < ARRAY_LEN(amounts); m++) {
				const struct resources *r = &lists[l]->v[k].resources;
				const char *limit = label_get(&r->limits, amounts[m]), *request = label_get(&r->requests, amounts[m]);
				int64_t most = 0, least = 0;

				any = any || limit || request;
				all = all && limit && quantity_parse(limit, &most) && (!request || (quantity_parse(request, &least) && most == least));
			}
	return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

void describe_pod(struct describe *d)
{
	const struct pod *p = (const struct pod *)d->o;

	say(d, 0, "Name:\t%s", p->o.name);
	say(d, 0, "Namespace:\t%s", p->o.ns);
	say(d, 0, "Priority:\t%" PRId32, pod_priority(d->c, p->spec));
	if (p->spec->priority_class)
		say(d, 0, "Priority Class Name:\t%s", p->spec->priority_class);
	if (p->spec->runtime_class)
		say(d, 0, "Runtime Class Name:\t%s", p->spec->runtime_class);
	say(d, 0, "Service Account:\t%s", p->spec->service_account ? p->spec->service_account : "default");
	say(d, 0, "Node:\t%s%s%s", or_none(p->node), p->node && ip_set(p->host_ip) ? "/" : "", p->node && ip_set(p->host_ip) ? IP(p->host_ip) : "");
	if (p->start != NEVER)
		say(d, 0, "Start Time:\t%s", time_1123(d, p->start));
	say_pairs(d, "Labels", &p->o.labels);
	say_pairs(d, "Annotations", &p->o.annotations);
	if (p->o.deleted != NEVER && !pod_is_terminal(p)) {
		char age[16];

		say(d, 0, "Status:\tTerminating (lasts %s)", age_text(cluster_now(d->c) - p->o.deleted, age));
		say(d, 0, "Termination Grace Period:\t%" PRId64 "s", p->o.grace ? p->o.grace - 1 : p->spec->grace);
	} else {
		say(d, 0, "Status:\t%s", pod_phase_names[p->phase ? p->phase : POD_PENDING]);
	}
	if (p->reason)
		say(d, 0, "Reason:\t%s", p->reason);
	if (p->message)
		say(d, 0, "Message:\t%s", p->message);
	say(d, 0, "IP:\t%s", ip_set(p->ip) ? IP(p->ip) : "");
	say(d, 0, "IPs:%s", ip_set(p->ip) ? "" : "\t<none>");
	if (ip_set(p->ip))
		say(d, 1, "IP:\t%s", IP(p->ip));
	if (ip_set(p->ip2))
		say(d, 1, "IP:\t%s", IP(p->ip2));
	for (uint32_t k = 0; k < p->o.owners.nr; k++)
		if (p->o.owners.v[k].controller)
			say(d, 0, "Controlled By:\t%s/%s", p->o.owners.v[k].kind, p->o.owners.v[k].name);
	say_containers(d, "Init Containers", &p->spec->init_containers, p, 0);
	say_containers(d, "Containers", &p->spec->containers, p, 0);
	say_containers(d, "Ephemeral Containers", &p->spec->ephemeral, p, 0);
	if (p->spec->readiness_gates.nr) {
		say(d, 0, "Readiness Gates:");
		say(d, 1, "Type\tStatus");
		for (uint32_t k = 0; k < p->spec->readiness_gates.nr; k++) {
			const struct condition *c = condition_get(&p->conditions, p->spec->readiness_gates.v[k]);

			say(d, 1, "%s \t%s ", p->spec->readiness_gates.v[k], c ? cond_status_names[c->status] : "<none>");
		}
	}
	if (p->conditions.nr) {
		say(d, 0, "Conditions:");
		say(d, 1, "Type\tStatus");
		for (uint32_t k = 0; k < p->conditions.nr; k++)
			say(d, 1, "%s \t%s ", p->conditions.v[k].type, cond_status_names[p->conditions.v[k].status]);
	}
	say_volumes(d, p->spec, 0);
	say(d, 0, "QoS Class:\t%s", pod_qos(p->spec));
	say_pairs(d, "Node-Selectors", &p->spec->node_selector);
	say_tolerations(d, p->spec, 0);
}
