/* What a Pod's containers say of themselves: why one does not start, or does not stay. By the statuses, whoever wrote them: the simulated kubelet, or a real one. */
#include "model/api/agnhost.h"
#include "model/base/quantity.h"
#include "sim/diagnose/diagnose.h"

const struct container *container_named(const struct pod *p, const char *name)
{
	const container_list *lists[] = { &p->spec->containers, &p->spec->init_containers };

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++)
			if (streq(lists[l]->v[k].name, name))
				return &lists[l]->v[k];
	return NULL;
}

const char *container_path(struct diagnosis *d, const struct pod *p, const struct container *c, const char *field)
{
	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		if (&p->spec->containers.v[k] == c)
			return arena_printf(d->arena, "spec.containers.%u%s%s", k, *field ? "." : "", field);
	for (uint32_t k = 0; k < p->spec->init_containers.nr; k++)
		if (&p->spec->init_containers.v[k] == c)
			return arena_printf(d->arena, "spec.initContainers.%u%s%s", k, *field ? "." : "", field);
	return "spec";
}

static const char *exit_words(int32_t code)
{
	switch (code) {
	case 0: return "it ended well: a container that is to stay must not return";
	case 1: return "the program says that it failed; its log says why";
	case 126: return "its command cannot be executed";
	case 127: return "its command does not exist in the image";
	case 137: return "it was killed (SIGKILL): out of memory, or it did not stop within its grace period";
	case 139: return "it crashed (SIGSEGV)";
	case 143: return "it was asked to stop (SIGTERM)";
	default: return "the program says that it failed; its log says why";
	}
}

static void crashing(struct diagnosis *d, const struct pod *p, const struct container_status *s, const struct container *c)
{
	nsec wait = timing(T_CRASH_BACKOFF_FIRST);
	const struct event *e = event_of(d->world->cluster, &p->o, "Unhealthy"), *kill = event_of(d->world->cluster, &p->o, "Killing");
	bool killed = e && kill && strstr(e->message, "Liveness");
	struct finding *f;
	char text[16], date[32];
	nsec next;

	for (int32_t k = 1; k < s->restarts && wait < timing(T_CRASH_BACKOFF_MAX); k++)
		wait *= 2;
	wait = s->restarts ? MIN(wait, timing(T_CRASH_BACKOFF_MAX)) : 0;
	next = (s->last_reason ? s->last_finished : s->finished_at) + wait;
	f = killed ? finding(d, FINDING_CAUSE, "liveness", "the liveness probe of container %s fails, so the kubelet kills it again and again", s->name) :
		     finding(d, FINDING_CAUSE, "crash-loop", "container %s ends again and again, last with exit code %d: %s", s->name, s->last_reason ? s->last_exit : s->exit_code,
			     exit_words(s->last_reason ? s->last_exit : s->exit_code));
	evidence_text(d, f, &p->o, "status.containerStatuses", "%s: restarted %d times; the waits are 0, 10, 20, 40, 80, 160, 300 s; the next start at %s (%s after the last end)", s->name,
		      s->restarts, p->given ? time_text(next, date) : arena_printf(d->arena, "%.1fs", (double)next / 1e9), age_text(wait, text));
	if (c && c->command.nr)
		evidence(d, f, &p->o, container_path(d, p, c, "command"), NULL);
	else if (c)
		evidence(d, f, &p->o, container_path(d, p, c, "image"), NULL);
	if (s->message)
		evidence_text(d, f, &p->o, "status.containerStatuses", "%s: %s: %s", s->name, s->reason ? s->reason : "waiting", s->message);
	if (killed)
		evidence_event(d, f, &p->o, e);
	remedy(d, f, killed ? "mend what the probe asks for, or give the container more time: a startupProbe, a longer initialDelaySeconds" :
	       s->last_exit == 0 && s->last_reason ? "give it a command that does not return, or make it a Job" : "podwire timeline pod/%s shows each run; the count is forgotten after a run of 10 minutes", p->o.name);
}

static void image(struct diagnosis *d, const struct pod *p, const struct container_status *s, const struct container *c)
{
	const struct event *e = event_of(d->world->cluster, &p->o, "Failed");
	struct finding *f = finding(d, FINDING_CAUSE, "image", "the image of container %s cannot be pulled: %s", s->name, c && c->image ? c->image : "?");

	if (c)
		evidence(d, f, &p->o, container_path(d, p, c, "image"), NULL);
	if (s->message)
		evidence_text(d, f, &p->o, "status.containerStatuses", "%s: %s: %s", s->name, s->reason, s->message);
	else if (e)
		evidence_event(d, f, &p->o, e);
	remedy(d, f, "look at the name and the tag; a private registry needs imagePullSecrets");
}

/* Why it was not started, in the words that the kubelet and the runtime have for it (pkg/kubelet/kuberuntime/kuberuntime_container.go, pkg/kubelet/images/types.go). */
static const struct { const char *reason, *code, *says, *remedy; } waits[] = {
	{ "CreateContainerConfigError", "container-config", "container %s cannot be made: something that it refers to is not there", "make the ConfigMap, Secret or key that the message names, or correct the reference" },
	{ "CreateContainerError", "container-create", "the runtime cannot make container %s", "the message is the runtime's: a name that is taken, a mount that does not work" },
	{ "RunContainerError", "container-run", "the runtime cannot start container %s", "a command that is not in the image, or that may not be executed: see command and args" },
	{ "PreCreateHookError", "container-create", "the runtime cannot make container %s", "the message is the runtime's" },
	{ "PostStartHookError", "post-start", "the postStart hook of container %s fails, so the container is killed", "mend the hook" },
	{ "ErrImageNeverPull", "image", "container %s has imagePullPolicy Never, and its image is not on the node", "load the image on the node, or let it be pulled" },
	{ "ErrImageInspect", "image", "the image of container %s cannot be looked at", "the message is the runtime's" },
	{ "RegistryUnavailable", "image", "the registry of the image of container %s cannot be reached", "can the node reach it?" },
};

static bool waiting(struct diagnosis *d, const struct pod *p, const struct container_status *s, const struct container *c)
{
	for (size_t k = 0; k < ARRAY_LEN(waits); k++) {
		struct finding *f;

		if (!streq(s->reason, waits[k].reason))
			continue;
		f = finding(d, FINDING_CAUSE, waits[k].code, waits[k].says, s->name);
		if (s->message)
			evidence_text(d, f, &p->o, "status.containerStatuses", "%s: %s", s->reason, s->message);
		if (c && c->command.nr)
			evidence(d, f, &p->o, container_path(d, p, c, "command"), NULL);
		if (s->restarts)
			evidence_text(d, f, &p->o, "status.containerStatuses", "%s: restarted %d times%s", s->name, s->restarts,
				      s->last_reason ? arena_printf(d->arena, ", last %s with exit code %d: %s", s->last_reason, s->last_exit, exit_words(s->last_exit)) : "");
		remedy(d, f, "%s", waits[k].remedy);
		return true;
	}
	return false;
}

/* It has ended, and is not started again. */
static void ended(struct diagnosis *d, const struct pod *p, const struct container_status *s, const struct container *c)
{
	bool memory = streq(s->reason, "OOMKilled");
	struct finding *f = finding(d, FINDING_CAUSE, memory ? "oom-killed" : "exited", memory ? "container %s used more memory than its limit, and the kernel killed it" : "container %s has ended with exit code %d: %s",
				    s->name, s->exit_code, exit_words(s->exit_code));

	evidence_text(d, f, &p->o, "status.containerStatuses", "%s: %s, exit code %d%s%s", s->name, s->reason ? s->reason : "terminated", s->exit_code, s->message ? ": " : "", s->message ? s->message : "");
	if (c && memory)
		evidence(d, f, &p->o, container_path(d, p, c, "resources.limits.memory"), NULL);
	else if (c && c->command.nr)
		evidence(d, f, &p->o, container_path(d, p, c, "command"), NULL);
	remedy(d, f, memory ? "raise resources.limits.memory, or make the program need less" : "podwire timeline pod/%s shows its runs", p->o.name);
}

/* It runs now, and has not always: what it ended with before. */
static void restarted(struct diagnosis *d, const struct pod *p, const struct container_status *s, const struct container *c)
{
	bool memory = streq(s->last_reason, "OOMKilled");
	nsec since = cluster_now(d->world->cluster) - s->started_at;
	bool lately = since >= 0 && since <= 2 * timing(T_CRASH_BACKOFF_MAX);   /* the kubelet forgets then, too */
	struct finding *f = finding(d, lately ? FINDING_WARNING : FINDING_NOTE, memory ? "oom-killed" : "restarts", "container %s has been started again %d time%s, the last after exit code %d: %s", s->name, s->restarts,
				    s->restarts == 1 ? "" : "s", s->last_exit, memory ? "it used more memory than its limit, and the kernel killed it" : exit_words(s->last_exit));

	evidence_text(d, f, &p->o, "status.containerStatuses", "%s: last state %s, exit code %d", s->name, s->last_reason, s->last_exit);
	if (c && (memory || s->last_exit == 137) && label_get(&c->resources.limits, "memory"))
		evidence(d, f, &p->o, container_path(d, p, c, "resources.limits.memory"), NULL);
	remedy(d, f, memory ? "raise resources.limits.memory, or make the program need less" : "the log of the run before says more (kubectl logs %s -c %s --previous); podwire timeline pod/%s shows its runs", p->o.name, s->name, p->o.name);
}

void why_containers(struct diagnosis *d, const struct pod *p)
{
	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		const struct container_status *s = &p->statuses.v[k];
		const struct container *c = container_named(p, s->name);

		if (s->state == CS_WAITING && waiting(d, p, s, c))
			continue;
		if (s->state == CS_WAITING && (streq(s->reason, "CrashLoopBackOff") || (s->reason && strstr(s->reason, "Error") && s->last_reason)))
			crashing(d, p, s, c);
		else if (s->state == CS_WAITING && (streq(s->reason, "ImagePullBackOff") || streq(s->reason, "ErrImagePull") || streq(s->reason, "InvalidImageName")))
			image(d, p, s, c);
		else if (s->init && s->state == CS_RUNNING && c && !streq(c->restart_policy, "Always")) {
			struct finding *f = finding(d, FINDING_CAUSE, "init-runs", "the init container %s still runs; nothing behind it starts before it ends", s->name);

			evidence(d, f, &p->o, container_path(d, p, c, "command"), NULL);
			remedy(d, f, "its log says what it waits for (kubectl logs %s -c %s): a name that does not resolve, a Service without endpoints, a policy in the way", p->o.name, s->name);
		} else if (s->state == CS_RUNNING && s->restarts && s->last_reason && s->last_exit) {
			restarted(d, p, s, c);
		} else if (s->state == CS_TERMINATED && (s->exit_code != 0 || streq(s->reason, "OOMKilled")) && (pod_is_terminal(p) || streq(s->reason, "OOMKilled"))) {
			ended(d, p, s, c);
		} else if (s->state == CS_TERMINATED && s->exit_code != 0 && s->restarts == 0) {
			crashing(d, p, s, c);
		}
	}
}

/* ---- probes that are taken to succeed */

static bool has_port(const struct pod_spec *s, int32_t number)
{
	const container_list *const lists[] = { &s->containers, &s->init_containers };

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (uint32_t k = 0; k < lists[l]->nr; k++)
			for (uint32_t i = 0; i < lists[l]->v[k].ports.nr; i++)
				if (lists[l]->v[k].ports.v[i].port == number)
					return true;
	return false;
}

/* Ports need not be declared, so a probe of another one is no fault; but who declares some and probes another has often mistyped it. */
void why_probes(struct diagnosis *d, const struct pod *p)
{
	static const char *const names[] = { "startupProbe", "readinessProbe", "livenessProbe" };

	for (uint32_t k = 0; k < p->spec->containers.nr; k++) {
		const struct container *c = &p->spec->containers.v[k];
		const struct probe *probes[] = { c->startup, c->readiness, c->liveness };

		for (size_t i = 0; c->ports.nr && i < ARRAY_LEN(probes); i++) {
			const struct int_or_str *port = !probes[i] ? NULL : probes[i]->http ? &probes[i]->http->port : probes[i]->tcp ? &probes[i]->tcp->port : NULL;
			struct finding *f;

			if (!port || port->s || has_port(p->spec, port->i))
				continue;
			f = finding(d, FINDING_NOTE, "probe-port", "the %s of container %s asks port %d, which it does not declare: the program is taken to listen there; if it does not, %s", names[i], c->name, port->i,
				    i == 1 ? "the Pod never becomes ready" : "the kubelet starts it again and again");
			evidence(d, f, &p->o, arena_printf(d->arena, "spec.containers.%u.%s", k, names[i]), NULL);
			evidence(d, f, &p->o, arena_printf(d->arena, "spec.containers.%u.ports", k), NULL);
			remedy(d, f, "probe the port that the program listens on, best by its name");
		}
	}
}

/* What is taken for granted of Kubernetes' test image. */
void why_agnhost(struct diagnosis *d, const struct pod *p)
{
	for (uint32_t k = 0; k < p->spec->containers.nr; k++) {
		const struct container *c = &p->spec->containers.v[k];
		struct agnhost g = agnhost_of(c);
		struct finding *f;

		if (g.depends) {
			f = finding(d, FINDING_NOTE, "agnhost-status", "container %s ends, and how depends on %s, which is not looked at: its exit status is taken to be 0", c->name, g.depends);
			evidence(d, f, &p->o, container_path(d, p, c, c->command.nr > 1 ? "command" : "args"), NULL);
			remedy(d, f, "say it by an annotation, podwire.io/%s.exits: \"1 after 3s\"", c->name);
		} else if (g.subcommand && !g.named && c->ports.nr) {
			f = finding(d, FINDING_NOTE, "agnhost-pause", "container %s has no arguments, so that agnhost only pauses: that it answers at the ports that it declares is assumed", c->name);
			evidence(d, f, &p->o, container_path(d, p, c, "ports"), NULL);
			remedy(d, f, "give it arguments, such as netexec --http-port=%d", c->ports.v[0].port);
		}
	}
}
