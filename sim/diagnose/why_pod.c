/* Why a Pod is not there, does not start, does not stay, is not ready, does not go. */
#include "model/base/quantity.h"
#include "model/control/fit.h"
#include "sim/diagnose/diagnose.h"

static uint32_t count_nodes(struct cluster *c)
{
	return cluster_count(c, &node_kind);
}

static bool is_tolerated(const struct pod_spec *s, const struct taint *t)
{
	for (uint32_t k = 0; k < s->tolerations.nr; k++)
		if (tolerates(&s->tolerations.v[k], t))
			return true;
	return false;
}

/* ---- pending: by the scheduler's own words, and what stands behind each of them */

static void behind_taints(struct diagnosis *d, const struct pod *p)
{
	struct object_list l = cluster_list(d->world->cluster, &node_kind);
	bool network = false;
	struct finding *f;

	f = finding(d, FINDING_CAUSE, "taint", "no node is left without a taint that the Pod does not tolerate");
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct node *n = (const struct node *)l.v[k];
		const struct condition *ready = condition_get(&n->conditions, "Ready");

		for (uint32_t i = 0; i < n->taints.nr; i++)
			if (!streq(n->taints.v[i].effect, "PreferNoSchedule") && !is_tolerated(p->spec, &n->taints.v[i]))
				evidence_text(d, f, &n->o, "spec.taints", "%s%s%s:%s", n->taints.v[i].key, n->taints.v[i].value ? "=" : "", n->taints.v[i].value ? n->taints.v[i].value : "",
					      n->taints.v[i].effect);
		if (ready && ready->status != COND_TRUE && ready->message && strstr(ready->message, "NetworkPluginNotReady")) {
			network = true;
			evidence_text(d, f, &n->o, "status.conditions[Ready]", "%s: %s", cond_status_names[ready->status], ready->message);
		}
	}
	if (network) {
		f->code = "cni-missing";
		f->says = "no Pod network is installed: nodes stay NotReady, and their taint keeps every ordinary Pod away";
		remedy(d, f, "install a Pod network (its DaemonSet is hostNetwork and tolerates the taint); here: --cni calico, flannel or bridge");
		return;
	}
	remedy(d, f, "remove the taint (podwire taint nodes NODE KEY-), or add a toleration to the Pod's template");
}

static void behind_resources(struct diagnosis *d, const struct pod *p, const char *what)
{
	struct object_list l = cluster_list(d->world->cluster, &node_kind);
	struct finding *f = finding(d, FINDING_CAUSE, "insufficient", "no node has enough %s left for what the Pod requests", what);

	for (uint32_t k = 0; k < p->spec->containers.nr; k++) {
		const char *request = label_get(&p->spec->containers.v[k].resources.requests, what);

		if (request)
			evidence(d, f, &p->o, arena_printf(d->arena, "spec.containers.%u.resources.requests.%s", k, what), request);
	}
	for (uint32_t k = 0; k < l.nr; k++) {
		const char *have = label_get(&((const struct node *)l.v[k])->allocatable, what);

		if (have)
			evidence_text(d, f, l.v[k], arena_printf(d->arena, "status.allocatable.%s", what), "%s in all", have);
	}
	remedy(d, f, "request less, take away what else runs there, or add nodes; podwire describe node NODE shows what is taken");
}

static bool told_resource(const struct diagnosis *d, uint32_t from, const char *what)
{
	for (uint32_t k = from; k < d->findings.nr; k++)
		if (streq(d->findings.v[k].code, "insufficient") && strstr(d->findings.v[k].says, what))
			return true;
	return false;
}

static void behind_ports(struct diagnosis *d, const struct pod *p)
{
	struct finding *f = finding(d, FINDING_CAUSE, "host-port-conflict", "every node that would do has the Pod's hostPort taken already");
	struct object_list l = cluster_list(d->world->cluster, &pod_kind);
	bool terminating = false;

	for (uint32_t c = 0; c < p->spec->containers.nr; c++)
		for (uint32_t i = 0; i < p->spec->containers.v[c].ports.nr; i++) {
			const struct container_port *want = &p->spec->containers.v[c].ports.v[i];

			if (!want->host_port)
				continue;
			evidence(d, f, &p->o, arena_printf(d->arena, "spec.containers.%u.ports.%u.%s", c, i, p->spec->host_network ? "containerPort" : "hostPort"),
				 arena_printf(d->arena, "%d/%s", want->host_port, l4_names[want->protocol]));
			for (uint32_t k = 0; k < l.nr; k++) {
				const struct pod *q = (const struct pod *)l.v[k];

				if (q == p || !q->node || pod_is_terminal(q))
					continue;
				for (uint32_t x = 0; x < q->spec->containers.nr; x++)
					for (uint32_t y = 0; y < q->spec->containers.v[x].ports.nr; y++) {
						const struct container_port *have = &q->spec->containers.v[x].ports.v[y];

						if (have->host_port != want->host_port || have->protocol != want->protocol)
							continue;
						terminating = terminating || q->o.deleted != NEVER;
						evidence_text(d, f, &q->o, "spec.nodeName", "%s: holds %d/%s there%s", q->node, have->host_port, l4_names[have->protocol],
							      q->o.deleted != NEVER ? " until it is gone (Terminating)" : "");
					}
			}
		}
	remedy(d, f, terminating ? "wait until the Pod that holds it is gone; with one replica per node, roll over with maxSurge 0" :
	       "use another hostPort, fewer replicas than nodes, or a Service instead of a hostPort");
}

static void behind_selector(struct diagnosis *d, const struct pod *p)
{
	struct object_list l = cluster_list(d->world->cluster, &node_kind);
	bool some = false;
	struct finding *f;

	for (uint32_t i = 0; i < l.nr; i++)
		some = some || node_selected(p->spec, (const struct node *)l.v[i]);
	f = finding(d, some ? FINDING_NOTE : FINDING_CAUSE, "node-selector", some ? "some nodes do not have the labels that the Pod asks for" : "no node has the labels that the Pod asks for");

	for (uint32_t k = 0; k < p->spec->node_selector.nr; k++) {
		const char *values[64] = { NULL };
		size_t nr = 0;

		evidence(d, f, &p->o, arena_printf(d->arena, "spec.nodeSelector.%s", p->spec->node_selector.v[k].key), p->spec->node_selector.v[k].value);
		for (uint32_t i = 0; i < l.nr && nr + 1 < ARRAY_LEN(values); i++) {
			const char *have = label_get(&l.v[i]->labels, p->spec->node_selector.v[k].key);

			if (have)
				values[nr++] = have;
			evidence_text(d, f, l.v[i], arena_printf(d->arena, "metadata.labels.%s", p->spec->node_selector.v[k].key), "%s", have ? have : "(absent)");
		}
		if (!some && nearest(p->spec->node_selector.v[k].value, values))
			remedy(d, f, "perhaps %s=%s was meant", p->spec->node_selector.v[k].key, nearest(p->spec->node_selector.v[k].value, values));
	}
	if (p->spec->affinity)
		evidence(d, f, &p->o, "spec.affinity", "required node affinity");
	if (!f->remedy && !some)
		remedy(d, f, "label a node (podwire label node NODE KEY=VALUE), or change the selector");
}

static void behind_claims(struct diagnosis *d, const struct pod *p, const char *says)
{
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		const char *name = p->spec->volumes.v[k].claim;
		const struct object *o = name ? cluster_find(d->world->cluster, &pvc_kind, p->o.ns, name) : NULL, *volume;
		struct finding *f;

		if (!name)
			continue;
		if (!o) {
			f = finding(d, FINDING_CAUSE, "claim-missing", "the claim \"%s\" that it uses is not in namespace %s", name, p->o.ns);
			evidence(d, f, &p->o, arena_printf(d->arena, "spec.volumes.%u.persistentVolumeClaim.claimName", k), name);
			remedy(d, f, "apply the PersistentVolumeClaim");
			continue;
		}
		why_claim(d, o);
		volume = val_str_at(o->doc, "spec.volumeName") ? cluster_find(d->world->cluster, &pv_kind, NULL, val_str_at(o->doc, "spec.volumeName")) : NULL;
		if (!volume || !strstr(says, "node affinity") || !val_path(volume->doc, "spec.nodeAffinity"))
			continue;
		f = finding(d, FINDING_CAUSE, "volume-node", "its volume %s can be reached from certain nodes only, and the Pod may run on none of them", volume->name);
		evidence(d, f, volume, "spec.nodeAffinity.required.nodeSelectorTerms", NULL);
		if (p->spec->node_selector.nr)
			evidence(d, f, &p->o, "spec.nodeSelector", NULL);
		remedy(d, f, "let the Pod run where its volume is, or give it a claim of its own");
	}
}

/* Nodes without the key are in no domain. */
static void unlabelled_nodes(struct diagnosis *d, struct finding *f, const char *key)
{
	struct object_list l = cluster_list(d->world->cluster, &node_kind);

	for (uint32_t k = 0; k < l.nr; k++)
		if (!label_get(&l.v[k]->labels, key))
			evidence_text(d, f, l.v[k], arena_printf(d->arena, "metadata.labels.%s", key), "(absent)");
}

/* The nodes that it asks for have a taint: what were notes is the cause. */
static struct finding *together(struct diagnosis *d, const struct pod *p, uint32_t before)
{
	struct object_list l = cluster_list(d->world->cluster, &node_kind);
	const struct object *source = written_by(d, &p->o);
	struct finding *f = &d->findings.v[before];
	const struct taint *only = NULL;
	bool one = true, selected = false;

	f->severity = FINDING_CAUSE;
	if (!streq(f->code, "taint"))
		return f;
	for (uint32_t k = 0; k < l.nr; k++) {
		const struct node *n = (const struct node *)l.v[k];
		const struct taint *t = node_selected(p->spec, n) ? untolerated(p->spec, n, EFFECT_NO_SCHEDULE | EFFECT_NO_EXECUTE) : NULL;

		selected = selected || node_selected(p->spec, n);
		one = one && (!only || !t || (streq(only->key, t->key) && streq(only->effect, t->effect)));
		only = t ? t : only;
	}
	if (selected && only)
		f->says = "the nodes with the labels that it asks for have a taint that it does not tolerate";
	if (one && only && source != &p->o && !p->spec->tolerations.nr)
		fix_patch(d, f, source, "{spec: {template: {spec: {tolerations: [{key: %s, operator: Exists, effect: %s}]}}}}", only->key, only->effect);
	return f;
}

static void pending(struct diagnosis *d, const struct pod *p)
{
	const struct condition *s = condition_get(&p->conditions, "PodScheduled");
	const struct event *e = event_of(d->world->cluster, &p->o, "FailedScheduling");
	const char *says = e ? e->message : s && s->message ? s->message : "";
	uint32_t before = d->findings.nr;
	struct finding *f;

	if (s && streq(s->reason, "SchedulingGated")) {
		f = finding(d, FINDING_CAUSE, "scheduling-gate", "its scheduling gates are still there; the scheduler does not look at it");
		evidence(d, f, &p->o, "spec.schedulingGates", NULL);
		return;
	}
	if (p->spec->scheduler && !streq(p->spec->scheduler, "default-scheduler")) {
		f = finding(d, FINDING_CAUSE, "scheduler-unknown", "it waits for the scheduler \"%s\", which does not run here", p->spec->scheduler);
		evidence(d, f, &p->o, "spec.schedulerName", p->spec->scheduler);
		return;
	}
	if (!count_nodes(d->world->cluster)) {
		finding(d, FINDING_CAUSE, "no-nodes", "the cluster has no nodes");
		return;
	}
	if (strstr(says, "untolerated taint"))
		behind_taints(d, p);
	for (const char *at = strstr(says, "Insufficient "); at; at = strstr(at + 1, "Insufficient ")) {
		const char *what = arena_strndup(d->arena, at + 13, strcspn(at + 13, " ,"));
		size_t n = strlen(what);

		if (n && what[n - 1] == '.')
			what = arena_strndup(d->arena, what, n - 1);
		if (*what && !told_resource(d, before, what))
			behind_resources(d, p, what);
	}
	if (strstr(says, "free ports"))
		behind_ports(d, p);
	if (strstr(says, "node affinity/selector"))
		behind_selector(d, p);
	if (strstr(says, "ersistent") || strstr(says, "volume node affinity"))
		behind_claims(d, p, says);
	if (strstr(says, "Too many pods")) {
		f = finding(d, FINDING_CAUSE, "too-many-pods", "the nodes are full: each takes as many Pods as its kubelet's maxPods");
		remedy(d, f, "add nodes, or raise maxPods (and see that the Pod ranges are large enough)");
	}
	if (strstr(says, "unschedulable")) {
		f = finding(d, FINDING_CAUSE, "cordoned", "nodes that would do are cordoned");
		for (uint32_t k = 0; k < cluster_list(d->world->cluster, &node_kind).nr; k++) {
			const struct node *n = (const struct node *)cluster_list(d->world->cluster, &node_kind).v[k];

			if (n->unschedulable)
				evidence(d, f, &n->o, "spec.unschedulable", "true");
		}
		remedy(d, f, "podwire uncordon NODE");
	}
	if (strstr(says, "topology spread")) {
		f = finding(d, FINDING_CAUSE, "topology-spread", "a topology spread constraint with whenUnsatisfiable: DoNotSchedule would be broken on every node");
		evidence(d, f, &p->o, "spec.topologySpreadConstraints", NULL);
		for (uint32_t k = 0; k < p->spec->spread.nr; k++)
			unlabelled_nodes(d, f, p->spec->spread.v[k].topology_key);
		remedy(d, f, strstr(says, "missing required label") ? "label the nodes with the constraint's topologyKey (clouds do; elsewhere podwire label node NODE KEY=VALUE), or use whenUnsatisfiable: ScheduleAnyway" :
		       "use whenUnsatisfiable: ScheduleAnyway, a larger maxSkew, or nodes in the domains that have fewest");
	}
	if (strstr(says, "pod affinity") || strstr(says, "anti-affinity")) {
		f = finding(d, FINDING_CAUSE, "pod-affinity", "its Pod (anti-)affinity can be met on no node");
		evidence(d, f, &p->o, "spec.affinity", "required");
		remedy(d, f, strstr(says, "match pod affinity rules") ? "the Pods that it wants to be near must run: look at its labelSelector, namespaces and topologyKey; \"preferred\" does without them" :
		       "with required anti-affinity by host there can be no more replicas than nodes; \"preferred\" lets them share");
	}
	if (d->findings.nr == before)
		finding(d, FINDING_CAUSE, "unscheduled", *says ? "the scheduler has found no node for it: %s" : "the scheduler has found no node for it", says);
	f = &d->findings.v[before];
	for (uint32_t k = before; k < d->findings.nr; k++)
		if (d->findings.v[k].severity == FINDING_CAUSE) {
			f = &d->findings.v[k];
			break;
		}
	if (!e && s && s->message)
		evidence_text(d, f, &p->o, "status.conditions[PodScheduled]", "%s: %s", s->reason ? s->reason : "False", s->message);
	if (streq(f->code, "taint") && d->findings.nr > before + 1 && f->evidence.nr < count_nodes(d->world->cluster)) {
		f->severity = FINDING_NOTE;             /* some nodes are out of the question anyway; the others have another reason */
		f->says = "some nodes have a taint that the Pod does not tolerate";
		f = &d->findings.v[before + 1];
	}
	if (!first_cause(d, before))            /* each reason leaves some nodes, and together they leave none */
		f = together(d, p, before);
	if (e)
		evidence_event(d, f, &p->o, e);
}

/* ---- bound, but nothing runs */

static struct finding *block_limit(struct diagnosis *d, const struct node *n)
{
	const struct settings *s = cluster_settings(d->world->cluster);
	struct finding *f = finding(d, FINDING_CAUSE, "block-limit", "node %s owns as many blocks of the IPPools as a node may (%u), all are full, and at the limit nothing is borrowed either", n->o.name,
				    s->max_blocks);

	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (s->pools.v[k].cause.i)
			evidence(d, f, obj_get(d->world->cluster, s->pools.v[k].cause), "spec.blockSize", arena_printf(d->arena, "%u", s->pools.v[k].block_size));
	remedy(d, f, "bigger blocks (a pool's blockSize cannot be changed: make a new pool), or maxBlocksPerHost in IPAMConfiguration/default; podwire show ipam tells how full they are. "
	       "Addresses that no Pod has any more fill blocks too: calicoctl ipam check");
	return f;
}

static struct finding *pools_exhausted(struct diagnosis *d)
{
	const struct settings *s = cluster_settings(d->world->cluster);
	struct finding *f = finding(d, FINDING_CAUSE, "addresses-exhausted", "no IPPool that this node may use has a free address left%s", s->strict_affinity ? ": with strictAffinity nothing is borrowed" : "");

	for (uint32_t k = 0; k < s->pools.nr; k++)
		if (s->pools.v[k].cause.i)
			evidence(d, f, obj_get(d->world->cluster, s->pools.v[k].cause), "spec.cidr", NULL);
	remedy(d, f, "make another IPPool; podwire show ipam tells who has what");
	return f;
}

static void without_sandbox(struct diagnosis *d, const struct pod *p)
{
	static const char *const reasons[] = { "FailedCreatePodSandBox", "NetworkNotReady", "FailedMount" };
	const struct node *n = find_node(d->world->cluster, p->node);
	struct finding *f;

	if (!n) {
		f = finding(d, FINDING_CAUSE, "node-missing", "it is bound to node %s, which does not exist", p->node);
		evidence(d, f, &p->o, "spec.nodeName", p->node);
		remedy(d, f, "nothing but the Pod garbage collector will touch it; give it a node that exists");
		return;
	}
	for (size_t k = 0; k < ARRAY_LEN(reasons); k++) {
		const struct event *e = event_of(d->world->cluster, &p->o, reasons[k]);

		if (!e)
			continue;
		if (k == 1)
			f = finding(d, FINDING_CAUSE, "cni-missing", "the node has no Pod network: the kubelet does not even try to make the Pod's sandbox");
		else if (strstr(e->message, "no IP addresses available"))
			f = finding(d, FINDING_CAUSE, "addresses-exhausted", "the node's Pod range has no free address left; other nodes' ranges do not help");
		else if (strstr(e->message, "blocks reached for this node"))
			f = block_limit(d, n);
		else if (strstr(e->message, "Assigned 0 out of 1"))
			f = pools_exhausted(d);
		else if (k == 2)
			f = finding(d, FINDING_CAUSE, "mount-failed", "a volume cannot be mounted, so no container is made: %s", e->message);
		else
			f = finding(d, FINDING_CAUSE, "sandbox-failed", "the sandbox cannot be made: %s", e->message);
		evidence_event(d, f, &p->o, e);
		return;
	}
	if (p->given) {
		f = finding(d, FINDING_CAUSE, "container-creating", "its sandbox or its volumes are not ready, and no event is here that says why");
		for (uint32_t k = 0; k < p->statuses.nr; k++)
			evidence_text(d, f, &p->o, "status.containerStatuses", "%s: %s%s%s", p->statuses.v[k].name, p->statuses.v[k].reason ? p->statuses.v[k].reason : "waiting",
				      p->statuses.v[k].message ? ": " : "", p->statuses.v[k].message ? p->statuses.v[k].message : "");
		for (uint32_t k = 0; k < p->spec->volumes.nr; k++)
			if (p->spec->volumes.v[k].config_map || p->spec->volumes.v[k].secret || p->spec->volumes.v[k].claim)
				evidence(d, f, &p->o, arena_printf(d->arena, "spec.volumes.%u", k), NULL);
		remedy(d, f, "the events of the Pod tell it (FailedMount, FailedCreatePodSandBox): take them into the dump, kubectl get events -A -o json");
	}
}

/* ---- running, not ready */

static bool declares(const struct pod *p, int32_t port)
{
	for (uint32_t k = 0; k < p->spec->containers.nr; k++)
		for (uint32_t i = 0; i < p->spec->containers.v[k].ports.nr; i++)
			if (p->spec->containers.v[k].ports.v[i].port == port)
				return true;
	return false;
}

static void probe_fails(struct diagnosis *d, const struct pod *p, const struct container *c, const struct container_status *s)
{
	const struct probe *probe = s->started == TRI_FALSE && c->startup ? c->startup : c->readiness;
	const char *which = probe == c->readiness ? "readiness" : "startup";
	const struct event *e = event_of(d->world->cluster, &p->o, "Unhealthy");
	const struct int_or_str *port = !probe ? NULL : probe->http ? &probe->http->port : probe->tcp ? &probe->tcp->port : NULL;
	int32_t number = port && port->s ? pod_port_by_name(p->spec, port->s, L4_TCP) : port ? port->i : 0;
	struct finding *f;

	if (!probe)
		return;
	f = finding(d, FINDING_CAUSE, "probe", "the %s probe of container %s does not succeed%s", which, c->name,
		    port && port->s && !number ? arena_printf(d->arena, ": no container port is named \"%s\"", port->s) :
		    port && number && c->ports.nr && !declares(p, number) ? arena_printf(d->arena, ": it asks port %d, and the containers declare others", number) : "");
	evidence(d, f, &p->o, container_path(d, p, c, probe == c->readiness ? "readinessProbe" : "startupProbe"), NULL);
	for (uint32_t k = 0; k < c->ports.nr; k++)
		evidence(d, f, &p->o, container_path(d, p, c, arena_printf(d->arena, "ports.%u.containerPort", k)), NULL);
	if (e)
		evidence_event(d, f, &p->o, e);
	if (port && c->ports.nr && ((port->s && !number) || (number && !declares(p, number)))) {
		const struct object *source = written_by(d, &p->o);
		const char *kind = probe->http ? "httpGet" : "tcpSocket", *key = probe == c->readiness ? "readinessProbe" : "startupProbe";
		const char *spec = arena_printf(d->arena, "{containers: [{name: %s, %s: {%s: {port: %d}}}]}", c->name, key, kind, c->ports.v[0].port);

		if (source != &p->o)            /* a Pod's probe cannot be changed; its template's can */
			fix_patch(d, f, source, "{spec: {template: {spec: %s}}}", spec);
		remedy(d, f, "let the probe ask the port that the container serves: %d", c->ports.v[0].port);
	} else {
		remedy(d, f, "mend what the probe asks for; until it succeeds, no Service sends anything here");
	}
}

static void unready(struct diagnosis *d, const struct pod *p)
{
	const struct node *n = p->node ? find_node(d->world->cluster, p->node) : NULL;
	const struct condition *node_ready = n ? condition_get(&n->conditions, "Ready") : NULL;
	uint32_t before = d->findings.nr;
	struct finding *f;

	if (node_ready && node_ready->status == COND_UNKNOWN) {
		f = finding(d, FINDING_CAUSE, "node-silent", "its node %s has fallen silent: the control plane took its Pods' readiness away", n->o.name);
		evidence_text(d, f, &n->o, "status.conditions[Ready]", "Unknown since %.1fs: %s", (double)node_ready->changed / 1e9, node_ready->message ? node_ready->message : "");
		remedy(d, f, "bring the node back (podwire heal node %s); otherwise the Pod is deleted 300 s after the taint", n->o.name);
		return;
	}
	for (uint32_t k = 0; k < p->statuses.nr; k++) {
		const struct container_status *s = &p->statuses.v[k];
		const struct container *c = container_named(p, s->name);

		if (c && !s->ready && s->state == CS_RUNNING && (!s->init || streq(c->restart_policy, "Always")))
			probe_fails(d, p, c, s);
	}
	for (uint32_t k = 0; k < p->spec->readiness_gates.nr; k++) {
		const struct condition *c = condition_get(&p->conditions, p->spec->readiness_gates.v[k]);

		if (c && c->status == COND_TRUE)
			continue;
		f = finding(d, FINDING_CAUSE, "readiness-gate", "its readiness gate \"%s\" is not True: somebody outside has to set that condition", p->spec->readiness_gates.v[k]);
		evidence(d, f, &p->o, "spec.readinessGates", p->spec->readiness_gates.v[k]);
	}
	if (d->findings.nr == before && p->phase == POD_RUNNING)
		finding(d, FINDING_CAUSE, "not-ready", "its containers run, and it is not ready yet");
}

static void terminating(struct diagnosis *d, const struct pod *p)
{
	const struct node *n = p->node ? find_node(d->world->cluster, p->node) : NULL;
	const struct condition *ready = n ? condition_get(&n->conditions, "Ready") : NULL;
	struct finding *f;

	if (p->o.finalizers.nr) {
		f = finding(d, FINDING_CAUSE, "finalizer", "it is being deleted and waits for the finalizer %s", p->o.finalizers.v[0]);
		evidence_text(d, f, &p->o, "metadata.finalizers", "%s", p->o.finalizers.v[0]);
		return;
	}
	if (n && ready && ready->status == COND_UNKNOWN) {
		f = finding(d, FINDING_CAUSE, "terminating-on-dead-node", "it is Terminating for ever: only the kubelet of %s can say that it is gone, and that node is silent", n->o.name);
		evidence_text(d, f, &n->o, "status.conditions[Ready]", "Unknown since %.1fs", (double)ready->changed / 1e9);
		remedy(d, f, "bring the node back, delete the Node object, or podwire delete pod %s --force --grace-period=0 if the node is surely off; a StatefulSet makes no replacement before", p->o.name);
		return;
	}
	f = finding(d, FINDING_NOTE, "terminating", "it is being deleted: its containers may take up to %" PRId64 " s", p->o.grace ? p->o.grace - 1 : p->spec->grace);
	evidence(d, f, &p->o, "spec.terminationGracePeriodSeconds", NULL);
}

/* Is its sandbox made? By the condition; in what older kubelets wrote, by the address, or by a container that has come further than being created. */
static bool has_started(const struct pod *p, const struct condition *sandbox)
{
	if (sandbox || !p->given)
		return sandbox && sandbox->status == COND_TRUE;
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (p->statuses.v[k].state != CS_WAITING || (p->statuses.v[k].reason && !streq(p->statuses.v[k].reason, "ContainerCreating") && !streq(p->statuses.v[k].reason, "PodInitializing")))
			return true;
	return ip_set(p->ip) && !p->spec->host_network;
}

static void failed(struct diagnosis *d, const struct pod *p)
{
	struct finding *f = finding(d, FINDING_CAUSE, streq(p->reason, "Evicted") ? "evicted" : "failed", "it has failed%s%s", p->message ? ": " : "", p->message ? p->message : "");

	evidence_text(d, f, &p->o, "status.phase", "Failed%s%s", p->reason ? ", " : "", p->reason ? p->reason : "");
}

void why_pod(struct diagnosis *d, const struct pod *p)
{
	const struct condition *sandbox = condition_get(&p->conditions, "PodReadyToStartContainers");
	uint32_t before = d->findings.nr;

	if (p->o.deleted != NEVER)
		terminating(d, p);
	else if (!p->node)
		pending(d, p);
	else if (p->phase == POD_FAILED) {
		if (p->reason || p->message)
			failed(d, p);
		why_containers(d, p);
		if (!first_cause(d, before))
			failed(d, p);
	} else if (p->phase == POD_SUCCEEDED) {
		finding(d, FINDING_NOTE, "succeeded", "all its containers have ended well; it is no endpoint any more");
	} else if (!has_started(p, sandbox)) {
		without_sandbox(d, p);
	} else {
		why_containers(d, p);
		if (pod_is_ready(p) && !d->depth)
			why_probes(d, p);
	}
	if (!d->depth)
		why_agnhost(d, p);
	why_references(d, p);
	if (p->o.deleted == NEVER)
		why_address(d, p);
	if (p->node && p->o.deleted == NEVER && !pod_is_terminal(p) && !pod_is_ready(p) && !first_cause(d, before))
		unready(d, p);
	if (d->depth)
		return;
	d->summary = diagnosis_ill(d) ? arena_printf(d->arena, "%s: %s", pod_is_ready(p) ? "it runs, and is not where it seems" : "it is not ready", first_cause(d, before)) : pod_is_ready(p) ? "it runs and is ready" : "nothing is known to be wrong with it";
}

/* ---- many Pods */

struct group { uint32_t from, nr; const struct pod *first, *second; uint32_t pods; };

static bool say_the_same(const struct diagnosis *d, const struct group *g, uint32_t from)
{
	if (d->findings.nr - from != g->nr)
		return false;
	for (uint32_t k = 0; k < g->nr; k++)
		if (!streq(d->findings.v[g->from + k].code, d->findings.v[from + k].code) || !streq(d->findings.v[g->from + k].says, d->findings.v[from + k].says))
			return false;
	return true;
}

#define MOST_PODS   200         /* that are looked at */
#define MOST_GROUPS 3           /* that are told */

void why_pods(struct diagnosis *d, struct object *const *pods, uint32_t nr)
{
	struct group groups[MOST_GROUPS];
	uint32_t nr_groups = 0;

	d->depth++;
	for (uint32_t k = 0; k < nr && k < MOST_PODS; k++) {
		const struct pod *p = (const struct pod *)pods[k];
		uint32_t from = d->findings.nr, g = 0;

		why_pod(d, p);
		while (g < nr_groups && !say_the_same(d, &groups[g], from))
			g++;
		if (g < nr_groups || g == MOST_GROUPS)
			d->findings.nr = from;
		if (g < nr_groups) {
			if (!groups[g].second)
				groups[g].second = p;
			groups[g].pods++;
		} else if (g < MOST_GROUPS && d->findings.nr > from) {
			groups[nr_groups++] = (struct group){ .from = from, .nr = d->findings.nr - from, .first = p, .pods = 1 };
		}
	}
	d->depth--;
	for (uint32_t g = 0; g < nr_groups; g++) {
		const struct group *x = &groups[g];
		const char *who = x->pods == 1 ? arena_printf(d->arena, "Pod %s", x->first->o.name) :
				  x->pods == 2 ? arena_printf(d->arena, "Pods %s and %s", x->first->o.name, x->second->o.name) :
				  arena_printf(d->arena, "Pods %s and %u more", x->first->o.name, x->pods - 1);

		for (uint32_t k = x->from; k < x->from + x->nr; k++)
			d->findings.v[k].says = arena_printf(d->arena, "%s: %s", who, d->findings.v[k].says);
	}
}
