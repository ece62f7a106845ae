/* Why a node is not ready, a workload not complete, an Ingress not served. */
#include "model/api/kept.h"
#include "model/control/cron.h"
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

static void its_pods(struct diagnosis *d, const struct object *owner)
{
	struct object_list l = pods_of(d->world->cluster, owner->uid);
	struct object **v = arena_array(d->arena, struct object *, l.nr), *ready = NULL;
	uint32_t nr = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		const struct pod *p = (const struct pod *)l.v[k];

		if (pod_is_ready(p))
			ready = ready ? ready : l.v[k];
		else if (p->phase != POD_SUCCEEDED && p->o.deleted == NEVER)
			v[nr++] = l.v[k];
	}
	if (ready)
		v[nr++] = ready;                /* it may lack something all the same */
	why_pods(d, v, nr);
}

/* What the admission plugins said: the words of plugin/pkg/admission and apiserver/pkg/admission/plugin/resourcequota. */
static struct finding *refused(struct diagnosis *d, const struct object *o, const char *message)
{
	static const struct { const char *words, *code, *remedy; } rows[] = {
		{ "exceeded quota", "quota", "raise the quota, or request less" },
		{ "failed quota", "create-refused", "the quota counts what the containers do not say: give them these requests and limits, or let a LimitRange of the namespace give defaults" },
		{ "PriorityClass", "create-refused", "apply the PriorityClass, or name one that there is (podwire get priorityclasses)" },
		{ "per Container", "create-refused", "stay within the LimitRange of the namespace (podwire get limitranges), or change it" },
		{ "per Pod", "create-refused", "stay within the LimitRange of the namespace (podwire get limitranges), or change it" },
		{ "error looking up service account", "create-refused", "apply the ServiceAccount, or name one that there is" },
	};
	size_t k = 0;
	struct finding *f;

	while (k < ARRAY_LEN(rows) && !strstr(message, rows[k].words))
		k++;
	f = finding(d, FINDING_CAUSE, k < ARRAY_LEN(rows) ? rows[k].code : "create-refused", "its Pods are refused: %s", message);
	if (strstr(message, " quota: ")) {
		struct object_list l = cluster_list_ns(d->world->cluster, &quota_kind, o->ns);

		for (uint32_t i = 0; i < l.nr; i++)
			evidence(d, f, l.v[i], "spec.hard", NULL);
	}
	if (k < ARRAY_LEN(rows))
		remedy(d, f, "%s", rows[k].remedy);
	return f;
}

static void failed_create(struct diagnosis *d, const struct object *o)
{
	const struct event *e = event_of(d->world->cluster, o, "FailedCreate");

	if (e)
		evidence_event(d, refused(d, o, e->message), o, e);
}

static void rollout(struct diagnosis *d, const struct workload *w)
{
	const struct condition *failure = condition_get(&w->conditions, "ReplicaFailure");
	struct fence fence = resolve_fenceposts(&w->max_surge, &w->max_unavailable, w->replicas);
	struct finding *f;

	if (w->paused) {
		f = finding(d, FINDING_WARNING, "paused", "it is paused: a changed template is not rolled out");
		evidence(d, f, &w->o, "spec.paused", "true");
		remedy(d, f, "podwire rollout resume deploy/%s", w->o.name);
	}
	if (failure && failure->status == COND_TRUE)
		evidence_text(d, refused(d, &w->o, failure->message ? failure->message : ""), &w->o, "status.conditions[ReplicaFailure]", "True");
	if (streq(w->strategy, "RollingUpdate") && w->st_replicas > w->st_updated) {
		f = finding(d, FINDING_NOTE, "rolling", "a rolling update is on its way: at most %d Pods more and %d fewer than %d", fence.surge, fence.unavailable, w->replicas);
		evidence(d, f, &w->o, "spec.strategy", "RollingUpdate");
	}
	if (streq(w->strategy, "Recreate") && w->replicas && !w->st_available) {
		f = finding(d, FINDING_NOTE, "recreate", "strategy Recreate: all old Pods go before the first new one comes, so there is a gap");
		evidence(d, f, &w->o, "spec.strategy.type", "Recreate");
	}
}

/* What follows from the causes that have been found. */
static void progress_deadline(struct diagnosis *d, const struct workload *w)
{
	const struct condition *progress = condition_get(&w->conditions, "Progressing");
	struct finding *f;

	if (!progress || !streq(progress->reason, "ProgressDeadlineExceeded"))
		return;
	f = finding(d, FINDING_CAUSE, "progress-deadline", "the rollout has made no progress for %d s; the old Pods stay, and nothing is rolled back by itself", w->progress_deadline);
	evidence_text(d, f, &w->o, "status.conditions[Progressing]", "False: %s", progress->message ? progress->message : progress->reason);
	remedy(d, f, "mend what keeps the new Pods from becoming ready, or podwire rollout undo deploy/%s", w->o.name);
}

/* The Service that gives a StatefulSet's Pods their names. */
static void governing_service(struct diagnosis *d, const struct workload *w)
{
	struct object_list l = cluster_list_ns(d->world->cluster, &service_kind, w->o.ns);
	const struct service *s = w->service_name ? find_service(d->world->cluster, w->o.ns, w->service_name) : NULL, *near = NULL;
	struct finding *f;

	if (!w->service_name || !*w->service_name)
		return;
	if (s && pairs_match(&s->selector, &w->template.labels))
		return;
	if (s && !s->selector.nr)
		return;
	f = finding(d, FINDING_WARNING, "governing-service", s ? "the Service \"%s\" that is to name its Pods does not select them: they have no DNS names of their own" :
		    "there is no Service \"%s\", which is to name its Pods: they have no DNS names of their own", w->service_name);
	evidence(d, f, &w->o, "spec.serviceName", NULL);
	if (s)
		evidence(d, f, &s->o, "spec.selector", NULL);
	for (uint32_t k = 0; k < l.nr; k++)
		if (((const struct service *)l.v[k])->selector.nr && pairs_match(&((const struct service *)l.v[k])->selector, &w->template.labels) && (!near || service_is_headless((const struct service *)l.v[k])))
			near = (const struct service *)l.v[k];
	if (near) {
		evidence(d, f, &near->o, "metadata.name", near->o.name);
		remedy(d, f, "%s selects them: a serviceName cannot be changed, so name the Service %s, or delete the StatefulSet (--cascade=orphan keeps its Pods) and apply it with serviceName: %s; "
		       "its Pods take the new name when they are made again", near->o.name, w->service_name, near->o.name);
	} else {
		remedy(d, f, "apply a headless Service of that name that selects the Pods");
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
				its_pods(d, sets.v[k]);
			}
		progress_deadline(d, w);
	} else {
		if (w->st_ready < want)
			failed_create(d, &w->o);
		its_pods(d, &w->o);
	}
	if (w->o.kind == &statefulset_kind && !d->depth)
		governing_service(d, w);
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
	const struct condition *failed = condition_get(&j->conditions, "Failed"), *done = condition_get(&j->conditions, "Complete"), *fails = condition_get(&j->conditions, "FailureTarget");
	struct finding *f;

	if (!failed && fails && fails->status == COND_TRUE) {
		f = finding(d, FINDING_CAUSE, "job-fails", "it is about to fail: %s; it has failed when the last of its Pods is gone", fails->message ? fails->message : "");
		evidence_text(d, f, &j->o, "status.conditions[FailureTarget]", "%s", fails->reason ? fails->reason : "True");
		evidence_text(d, f, &j->o, "status.terminating", "%d", j->st_terminating.v);
	}
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
	its_pods(d, &j->o);
	d->summary = done && done->status == COND_TRUE ? "it is complete" : diagnosis_ill(d) ? d->findings.v[0].says : arena_printf(d->arena, "%d active, %d succeeded", j->st_active, j->st_succeeded);
}

static bool is_true(const condition_list *l, const char *type)
{
	const struct condition *c = condition_get(l, type);

	return c && c->status == COND_TRUE;
}

/* That a day is not there is so in every zone. */
static bool never_comes(const struct cron_job *j)
{
	static const struct zone utc;
	struct cron s;
	char why[256];

	return j->schedule && cron_parse(j->schedule, &s, why) && schedule_next(&s, &utc, 0) == NEVER;
}

void why_cron_job(struct diagnosis *d, const struct cron_job *j)
{
	struct object_list jobs = cluster_list_ns(d->world->cluster, &job_kind, j->o.ns);
	const struct job *last = NULL, *runs = NULL;
	struct finding *f;

	for (uint32_t k = 0; k < jobs.nr; k++) {
		const struct job *x = (const struct job *)jobs.v[k];

		if (owner_uid(&x->o) != j->o.uid)
			continue;
		if (!last || x->o.created >= last->o.created)
			last = x;
		if (!is_true(&x->conditions, "Complete") && !is_true(&x->conditions, "Failed"))
			runs = x;
	}
	if (j->suspend) {
		f = finding(d, FINDING_CAUSE, "suspended", "it is suspended: it makes no Jobs");
		evidence(d, f, &j->o, "spec.suspend", "true");
		fix_patch(d, f, &j->o, "{spec: {suspend: false}}");
		remedy(d, f, "resume it; times that were missed meanwhile are not made up for, but the last");
	}
	if (runs && streq(j->concurrency, "Forbid") && event_of(d->world->cluster, &j->o, "JobAlreadyActive")) {
		f = finding(d, FINDING_CAUSE, "still-running", "its Job %s still runs, and concurrencyPolicy Forbid lets no second one begin", runs->o.name);
		evidence(d, f, &j->o, "spec.concurrencyPolicy", "Forbid");
		evidence_event(d, f, &j->o, event_of(d->world->cluster, &j->o, "JobAlreadyActive"));
		remedy(d, f, "let the Job end sooner (activeDeadlineSeconds), come less often, or replace it (concurrencyPolicy: Replace)");
	}
	if (last) {
		uint32_t before = d->findings.nr;

		d->depth++;
		why_job(d, last);
		d->depth--;
		findings_of(d, before, arena_printf(d->arena, "Job %s", last->o.name));
	}
	if (!last && never_comes(j)) {
		f = finding(d, FINDING_CAUSE, "never-scheduled", "its schedule names no day that there is within five years: it never makes a Job");
		evidence(d, f, &j->o, "spec.schedule", j->schedule);
		remedy(d, f, "the fields are minute, hour, day of the month, month, day of the week");
	}
	d->summary = diagnosis_ill(d) ? d->findings.v[0].says : last ? arena_printf(d->arena, "nothing is wrong with it; its last Job is %s", last->o.name) : "nothing is wrong with it; no time of its schedule has come yet";
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
	for (uint32_t t = 0; t < i->tls.nr; t++)
		if (i->tls.v[t].secret && !cluster_find(d->world->cluster, &secret_kind, i->o.ns, i->tls.v[t].secret)) {
			f = finding(d, FINDING_WARNING, "tls-secret", "its TLS Secret \"%s\" is not in namespace %s: the controller shows a certificate of its own, which no client trusts", i->tls.v[t].secret, i->o.ns);
			evidence(d, f, &i->o, arena_printf(d->arena, "spec.tls.%u.secretName", t), NULL);
			remedy(d, f, "apply a Secret of type kubernetes.io/tls in the Ingress' namespace (cert-manager makes one where it runs)");
		}
	backend(d, i, i->dflt_backend, "spec.defaultBackend");
	for (uint32_t r = 0; r < i->rules.nr; r++)
		for (uint32_t p = 0; p < i->rules.v[r].paths.nr; p++)
			backend(d, i, &i->rules.v[r].paths.v[p].backend, arena_printf(d->arena, "spec.rules.%u.http.paths.%u.backend", r, p));
	d->summary = diagnosis_ill(d) ? d->findings.v[0].says : "it is served";
}
