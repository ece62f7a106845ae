/* Why a node is not ready, a workload not complete, an Ingress not served. */
#include "model/api/kept.h"
#include "model/control/rollout.h"
#include "sim/diagnose/diagnose.h"

void why_node(struct diagnosis *d, const struct node *n)
{
	const struct condition *ready = condition_get(&n->conditions, "Ready"), *network = condition_get(&n->conditions, "NetworkUnavailable");
	struct proxy_sync proxy = control_proxy(d->world->control, n);
	struct finding *f;
	uint32_t faults;
	const struct fault *v = control_faults(d->world->control, &faults);

	if (ready && ready->status == COND_UNKNOWN) {
		f = finding(d, FINDING_CAUSE, "node-silent", "its kubelet has said nothing for longer than node-monitor-grace-period: the control plane knows nothing of it");
		evidence_text(d, f, &n->o, "status.conditions[Ready]", "Unknown since %.1fs: %s", (double)ready->changed / 1e9, ready->message ? ready->message : "");
		for (uint32_t k = 0; k < n->taints.nr; k++)
			evidence_text(d, f, &n->o, "spec.taints", "%s:%s", n->taints.v[k].key, n->taints.v[k].effect);
		remedy(d, f, "Services left its Pods out at that moment; 300 s after the NoExecute taint the Pods are deleted, and stay Terminating until the node is back or its object deleted");
	} else if (ready && ready->status != COND_TRUE) {
		bool cni = ready->message && strstr(ready->message, "NetworkPluginNotReady");

		f = finding(d, FINDING_CAUSE, cni ? "cni-missing" : "node-not-ready", cni ? "it has no Pod network: no CNI configuration has been written" : "its kubelet says that it is not ready");
		evidence_text(d, f, &n->o, "status.conditions[Ready]", "False: %s", ready->message ? ready->message : "");
		if (cni)
			remedy(d, f, "install a Pod network: its DaemonSet is hostNetwork and tolerates the taint, starts, writes the file, and all else follows");
	}
	if (network && network->status == COND_TRUE) {
		f = finding(d, FINDING_CAUSE, "network-unavailable", "the Pod network has no route to it");
		evidence_text(d, f, &n->o, "status.conditions[NetworkUnavailable]", "True: %s", network->message ? network->message : "");
	}
	if (n->unschedulable) {
		f = finding(d, FINDING_WARNING, "cordoned", "it is cordoned: nothing new is scheduled there");
		evidence(d, f, &n->o, "spec.unschedulable", "true");
		remedy(d, f, "podwire uncordon %s", n->o.name);
	}
	if (proxy.stopped) {
		f = finding(d, FINDING_CAUSE, "kube-proxy-stopped", "its kube-proxy is stopped: the rules are those of %.1fs", (double)proxy.last_end / 1e9);
		evidence_text(d, f, &n->o, "metadata.annotations", "rules of revision %u; the cluster is at %u", proxy.synced, cluster_rev(d->world->cluster));
		remedy(d, f, "podwire heal kubeProxy %s", n->o.name);
	}
	for (uint32_t k = 0; k < faults; k++)
		if (streq(v[k].target, n->o.name) && !streq(v[k].kind, "kubeProxy")) {
			f = finding(d, FINDING_NOTE, "fault", "broken on purpose since %.1fs: %s", (double)v[k].since / 1e9, v[k].kind);
			remedy(d, f, "podwire heal %s %s", v[k].kind, n->o.name);
		}
	if (!n->pod_cidr && cluster_settings(d->world->cluster)->cni != CNI_CALICO) {
		const struct event *e = event_of(d->world->cluster, &n->o, "CIDRNotAvailable");

		f = finding(d, FINDING_CAUSE, "pod-cidr", "it has no Pod range: the cluster's range is used up, or nobody hands ranges out");
		if (e)
			evidence_event(d, f, &n->o, e);
		remedy(d, f, "a /16 in /24s serves 256 nodes; the controller manager needs --allocate-node-cidrs");
	}
	d->summary = diagnosis_ill(d) ? d->findings.v[0].says : "it is ready";
}

/* ---- workloads: their own conditions, then the first Pods that are not as they should be */

static void unready_pods(struct diagnosis *d, const struct object *owner, uint32_t most)
{
	struct object_list l = pods_of(d->world->cluster, owner->uid);
	struct object **v = l.nr ? arena_copy(d->arena, l.v, l.nr * sizeof(*l.v)) : NULL;
	uint32_t nr = l.nr, told = 0;

	for (uint32_t k = 0; k < nr && told < most; k++) {
		const struct pod *p = (const struct pod *)v[k];
		uint32_t before = d->findings.nr;

		if (pod_is_ready(p) || p->phase == POD_SUCCEEDED || p->o.deleted != NEVER)
			continue;
		d->depth++;
		why_pod(d, p);
		d->depth--;
		for (uint32_t i = before; i < d->findings.nr; i++)
			d->findings.v[i].says = arena_printf(d->arena, "Pod %s: %s", p->o.name, d->findings.v[i].says);
		told++;
	}
}

static bool failed_create(struct diagnosis *d, const struct object *o)
{
	const struct event *e = event_of(d->world->cluster, o, "FailedCreate");
	struct finding *f;

	if (!e)
		return false;
	f = finding(d, FINDING_CAUSE, strstr(e->message, "exceeded quota") ? "quota" : "create-refused", "its Pods are refused: %s", e->message);
	evidence_event(d, f, o, e);
	if (strstr(e->message, "exceeded quota")) {
		struct object_list l = cluster_list_ns(d->world->cluster, &quota_kind, o->ns);

		for (uint32_t k = 0; k < l.nr; k++)
			evidence(d, f, l.v[k], "spec.hard", NULL);
		remedy(d, f, "raise the quota, or request less");
	}
	return true;
}

static void rollout(struct diagnosis *d, const struct workload *w)
{
	const struct condition *progress = condition_get(&w->conditions, "Progressing"), *refused = condition_get(&w->conditions, "ReplicaFailure");
	struct fence fence = resolve_fenceposts(&w->max_surge, &w->max_unavailable, w->replicas);
	struct finding *f;

	if (w->paused) {
		f = finding(d, FINDING_WARNING, "paused", "it is paused: a changed template is not rolled out");
		evidence(d, f, &w->o, "spec.paused", "true");
		remedy(d, f, "podwire rollout resume deploy/%s", w->o.name);
	}
	if (refused && refused->status == COND_TRUE) {
		f = finding(d, FINDING_CAUSE, refused->message && strstr(refused->message, "exceeded quota") ? "quota" : "create-refused", "its Pods are refused: %s", refused->message ? refused->message : "");
		evidence_text(d, f, &w->o, "status.conditions[ReplicaFailure]", "True");
	}
	if (progress && streq(progress->reason, "ProgressDeadlineExceeded")) {
		f = finding(d, FINDING_CAUSE, "progress-deadline", "the rollout has made no progress for %d s; the old Pods stay, and nothing is rolled back by itself", w->progress_deadline);
		evidence_text(d, f, &w->o, "status.conditions[Progressing]", "False: %s", progress->message ? progress->message : progress->reason);
		remedy(d, f, "mend what keeps the new Pods from becoming ready, or podwire rollout undo deploy/%s", w->o.name);
	}
	if (streq(w->strategy, "RollingUpdate") && (w->st_updated < w->replicas || w->st_replicas > w->st_updated)) {
		f = finding(d, FINDING_NOTE, "rolling", "a rolling update is on its way: at most %d Pods more and %d fewer than %d", fence.surge, fence.unavailable, w->replicas);
		evidence(d, f, &w->o, "spec.strategy", "RollingUpdate");
	}
	if (streq(w->strategy, "Recreate") && w->replicas && !w->st_available) {
		f = finding(d, FINDING_NOTE, "recreate", "strategy Recreate: all old Pods go before the first new one comes, so there is a gap");
		evidence(d, f, &w->o, "spec.strategy.type", "Recreate");
	}
}

void why_workload(struct diagnosis *d, const struct workload *w)
{
	int32_t want = w->o.kind == &daemonset_kind ? w->st_desired : w->replicas;
	struct object_list sets;
	struct finding *f;

	if (w->o.kind == &deployment_kind) {
		rollout(d, w);
		sets = cluster_list_ns(d->world->cluster, &replicaset_kind, w->o.ns);
		for (uint32_t k = 0; k < sets.nr; k++)
			if (owner_uid(sets.v[k]) == w->o.uid && ((const struct workload *)sets.v[k])->replicas) {
				if (w->st_ready < want && !diagnosis_has(d, "quota") && !diagnosis_has(d, "create-refused"))
					failed_create(d, sets.v[k]);
				unready_pods(d, sets.v[k], 2);
			}
	} else {
		if (w->st_ready < want)
			failed_create(d, &w->o);
		unready_pods(d, &w->o, 2);
	}
	if (w->o.kind == &statefulset_kind && diagnosis_ill(d) && streq(w->pod_management, "OrderedReady")) {
		f = finding(d, FINDING_NOTE, "ordered", "Pods come one after another: each waits until the one before it is Running and Ready");
		evidence(d, f, &w->o, "spec.podManagementPolicy", "OrderedReady");
	}
	if (w->o.kind == &daemonset_kind && !w->st_desired) {
		f = finding(d, FINDING_WARNING, "no-node-fits", "no node is meant to have it");
		evidence(d, f, &w->o, "spec.template.spec.nodeSelector", NULL);
	}
	if (w->o.kind != &daemonset_kind && !want && !d->depth) {
		f = finding(d, FINDING_NOTE, "scaled-to-zero", "it is scaled to 0");
		evidence(d, f, &w->o, "spec.replicas", "0");
	}
	if (!d->depth)
		d->summary = arena_printf(d->arena, "%d of %d ready", w->st_ready, want);
}

void why_job(struct diagnosis *d, const struct job *j)
{
	const struct condition *failed = condition_get(&j->conditions, "Failed"), *done = condition_get(&j->conditions, "Complete");
	struct finding *f;

	if (failed && failed->status == COND_TRUE) {
		f = finding(d, FINDING_CAUSE, "job-failed", "it has failed: %s", failed->message ? failed->message : failed->reason ? failed->reason : "");
		evidence_text(d, f, &j->o, "status.conditions[Failed]", "%s", failed->reason ? failed->reason : "True");
		evidence(d, f, &j->o, "spec.backoffLimit", arena_printf(d->arena, "%d", j->backoff_limit));
		remedy(d, f, "a Job's template cannot be changed: delete it and apply it again when its Pods' failure is mended");
	} else if (j->suspend) {
		f = finding(d, FINDING_CAUSE, "suspended", "it is suspended: it makes no Pods");
		evidence(d, f, &j->o, "spec.suspend", "true");
		fix_patch(d, f, &j->o, "{spec: {suspend: false}}");
		remedy(d, f, "resume it");
	}
	unready_pods(d, &j->o, 2);
	d->summary = done && done->status == COND_TRUE ? "it is complete" : diagnosis_ill(d) ? d->findings.v[0].says : arena_printf(d->arena, "%d active, %d succeeded", j->st_active, j->st_succeeded);
}

/* ---- Ingress */

static void backend(struct diagnosis *d, const struct ingress *i, const struct ing_backend *b, const char *path)
{
	const struct service *s;
	struct finding *f;

	if (!b || !b->service || !b->service->name)
		return;
	s = find_service(d->world->cluster, i->o.ns, b->service->name);
	if (!s) {
		f = finding(d, FINDING_CAUSE, "backend-missing", "its backend Service \"%s\" is not in namespace %s: the controller answers 503", b->service->name, i->o.ns);
		evidence(d, f, &i->o, arena_printf(d->arena, "%s.service.name", path), NULL);
		return;
	}
	for (uint32_t k = 0; k < s->ports.nr; k++)
		if (b->service->port_name ? streq(s->ports.v[k].name, b->service->port_name) : s->ports.v[k].port == b->service->port) {
			why_service_behind(d, s);
			return;
		}
	f = finding(d, FINDING_CAUSE, "backend-port", "its backend Service %s has no port %s", s->o.name, b->service->port_name ? b->service->port_name : arena_printf(d->arena, "%d", b->service->port));
	evidence(d, f, &i->o, arena_printf(d->arena, "%s.service.port", path), NULL);
	evidence(d, f, &s->o, "spec.ports", NULL);
	if (s->ports.nr == 1)
		remedy(d, f, "its only port is %d", s->ports.v[0].port);
}

void why_ingress(struct diagnosis *d, const struct ingress *i)
{
	const char *old = label_get(&i->o.annotations, "kubernetes.io/ingress.class");
	struct object_list classes = cluster_list(d->world->cluster, &ingress_class_kind);
	const struct object *class = i->class_name ? cluster_find(d->world->cluster, &ingress_class_kind, NULL, i->class_name) : NULL;
	struct finding *f;

	if (!i->class_name && !old) {
		f = finding(d, FINDING_CAUSE, "ingress-class", "no controller feels responsible: it names no class, and there was no default IngressClass when it was made");
		evidence(d, f, &i->o, "spec.ingressClassName", "(absent)");
		for (uint32_t k = 0; k < classes.nr; k++)
			evidence(d, f, classes.v[k], "spec.controller", NULL);
		if (classes.nr == 1)
			fix_patch(d, f, &i->o, "{spec: {ingressClassName: %s}}", classes.v[0]->name);
		remedy(d, f, classes.nr ? "name the class" : "install an Ingress controller with its IngressClass (here: --controller NAME), and name the class");
	} else if (i->class_name && !class) {
		const char *names[64] = { NULL };

		for (uint32_t k = 0; k < classes.nr && k + 1 < ARRAY_LEN(names); k++)
			names[k] = classes.v[k]->name;
		f = finding(d, FINDING_CAUSE, "ingress-class", "its class \"%s\" does not exist", i->class_name);
		evidence(d, f, &i->o, "spec.ingressClassName", NULL);
		if (nearest(i->class_name, names)) {
			fix_patch(d, f, &i->o, "{spec: {ingressClassName: %s}}", nearest(i->class_name, names));
			remedy(d, f, "perhaps \"%s\" was meant", nearest(i->class_name, names));
		}
	} else if (!i->lb_ingress.nr) {
		f = finding(d, FINDING_CAUSE, "ingress-no-address", "its class exists, and no controller serves it: ADDRESS stays empty");
		if (class)
			evidence(d, f, class, "spec.controller", NULL);
		remedy(d, f, "the controller's Pods must run, watch that class, and have a Service with an address");
	}
	backend(d, i, i->dflt_backend, "spec.defaultBackend");
	for (uint32_t r = 0; r < i->rules.nr; r++)
		for (uint32_t p = 0; p < i->rules.v[r].paths.nr; p++)
			backend(d, i, &i->rules.v[r].paths.v[p].backend, arena_printf(d->arena, "spec.rules.%u.http.paths.%u.backend", r, p));
	d->summary = diagnosis_ill(d) ? d->findings.v[0].says : "it is served";
}
