/* What happens to workloads, Pods and nodes over time. */
#include "tests/conformance/units.h"
#include "tests/unit/cell.h"

static const char web[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	"spec:\n  replicas: %d\n  strategy: {rollingUpdate: {maxSurge: %s, maxUnavailable: %s}}\n  selector: {matchLabels: {app: web}}\n"
	"  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: 'nginx:%d', ports: [{containerPort: 80}]}]}}\n";

static void deploy(struct cell *x, int replicas, const char *surge, const char *unavailable, int version)
{
	cell_apply(x, arena_printf(x->a, web, replicas, surge, unavailable, version));
}

static struct cell begin(void)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_settle(&x);
	return x;
}

static const struct workload *deployment(struct cell *x, const char *name)
{
	return (const struct workload *)cluster_find(x->c, &deployment_kind, "default", name);
}

/* ---- Deployments */

TEST(a_deployment_brings_up_its_pods_and_says_so)
{
	struct cell x = begin();
	const struct workload *d;
	const struct pod *p;

	deploy(&x, 3, "25%", "25%", 1);
	cell_settle(&x);
	d = deployment(&x, "web");
	CU_ASSERT(d->st_replicas == 3 && d->st_ready == 3 && d->st_available == 3 && d->st_updated == 3 && d->st_unavailable == 0);
	SAME_TEXT(condition_get(&d->conditions, "Progressing")->reason, "NewReplicaSetAvailable");
	SAME_TEXT(condition_get(&d->conditions, "Available")->message, "Deployment has minimum availability.");
	p = cell_pod(&x, "web-");
	CU_ASSERT(p->phase == POD_RUNNING && pod_is_ready(p) && ip_set(p->ip) && ip_set(p->host_ip) && p->start != NEVER);
	CU_ASSERT(strlen(p->o.name) == strlen(p->o.generate_name) + 5);
	CU_ASSERT(strspn(p->o.name + strlen(p->o.generate_name), "bcdfghjklmnpqrstvwxz2456789") == 5);
	SAME_TEXT(label_get(&p->o.labels, "pod-template-hash"), label_get(&((const struct workload *)cluster_list(x.c, &replicaset_kind).v[0])->o.labels, "pod-template-hash"));
	cell_free(&x);
}

struct sizes { struct cell *x; int32_t old, new; };

static bool has_sizes(void *ctx)
{
	const struct sizes *s = ctx;
	struct object_list l = cluster_list_ns(s->x->c, &replicaset_kind, "default");
	const struct workload *a, *b;

	if (l.nr != 2)
		return false;
	a = (const struct workload *)l.v[0];
	b = (const struct workload *)l.v[1];
	return (a->replicas == s->old && b->replicas == s->new) || (a->replicas == s->new && b->replicas == s->old);
}

TEST(a_rollout_goes_the_way_of_upstreams_comment)        /* units/12 wl-04 */
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *c = unit_case(unit_cases(a, "12-workloads"), "wl-04-first-step");
	struct cell x = begin();
	int32_t first = (int32_t)val_int_or(val_path(c, "expect.afterFirstSync.newRS"), 0), then = (int32_t)val_int_or(val_path(c, "expect.then.oldRS"), 0),
		last = (int32_t)val_int_or(val_path(c, "expect.then2.newRS"), 0);

	deploy(&x, 10, "3", "2", 1);
	cell_settle(&x);
	deploy(&x, 10, "3", "2", 2);
	CU_ASSERT(control_advance_until(x.t, cluster_now(x.c), has_sizes, &(struct sizes){ &x, then, last }));   /* 10+3, then 8+3, then 8+5: at once */
	CU_ASSERT(first == 3 && cell_has_event(&x, "ScalingReplicaSet", "from 0 to 3"));
	cell_settle(&x);
	CU_ASSERT(deployment(&x, "web")->st_updated == 10 && deployment(&x, "web")->st_replicas == 10);
	CU_ASSERT(cell_count(&x, &pod_kind, "web-") == 10);
	CU_ASSERT(cell_count(&x, &replicaset_kind, "web-") == 2);
	cell_free(&x);
	arena_free(a);
}

struct watch { struct cell *x; int32_t least, most; };

static bool look_at_availability(void *ctx)
{
	struct watch *w = ctx;
	struct object_list l = cluster_list_ns(w->x->c, &pod_kind, "default");
	int32_t ready = 0, all = 0;

	for (uint32_t k = 0; k < l.nr; k++) {
		ready += pod_is_ready((struct pod *)l.v[k]) && l.v[k]->deleted == NEVER;
		all += l.v[k]->deleted == NEVER;
	}
	w->least = MIN(w->least, ready);
	w->most = MAX(w->most, all);
	return false;
}

TEST(a_rollout_never_goes_below_or_above_its_fences)
{
	struct cell x = begin();
	struct watch w = { &x, 100, 0 };

	deploy(&x, 10, "3", "2", 1);
	cell_settle(&x);
	deploy(&x, 10, "3", "2", 2);
	control_advance_until(x.t, cluster_now(x.c) + SECONDS(120), look_at_availability, &w);
	CU_ASSERT(w.least >= 8);
	CU_ASSERT(w.most <= 13);
	CU_ASSERT(deployment(&x, "web")->st_available == 10);
	cell_free(&x);
}

TEST(a_rollback_takes_the_old_set_again)
{
	struct cell x = begin();

	deploy(&x, 2, "1", "0", 1);
	cell_settle(&x);
	deploy(&x, 2, "1", "0", 2);
	cell_settle(&x);
	deploy(&x, 2, "1", "0", 1);
	cell_settle(&x);
	CU_ASSERT(cell_count(&x, &replicaset_kind, "web-") == 2);
	SAME_TEXT(label_get(&deployment(&x, "web")->o.annotations, "deployment.kubernetes.io/revision"), "3");
	cell_free(&x);
}

TEST(recreate_waits_for_the_old_pods_to_go)
{
	struct cell x = begin();
	struct watch w = { &x, 100, 0 };
	static const char text[] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2, strategy: {type: Recreate}, selector: {matchLabels: {app: web}},\n"
				   " template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: 'nginx:%d'}]}}}\n";

	cell_apply(&x, arena_printf(x.a, text, 1));
	cell_settle(&x);
	cell_apply(&x, arena_printf(x.a, text, 2));
	control_advance_until(x.t, cluster_now(x.c) + SECONDS(60), look_at_availability, &w);
	CU_ASSERT(w.most == 2 && w.least == 0);
	CU_ASSERT(deployment(&x, "web")->st_available == 2);
	cell_free(&x);
}

TEST(the_owner_takes_all_with_it)
{
	struct cell x = begin();

	deploy(&x, 3, "1", "0", 1);
	cell_settle(&x);
	apply_delete(x.c, cluster_find(x.c, &deployment_kind, "default", "web"));
	cell_settle(&x);
	CU_ASSERT(cell_count(&x, &replicaset_kind, "web-") == 0);
	CU_ASSERT(cell_count(&x, &pod_kind, "web-") == 0);
	cell_free(&x);
}

TEST(a_pod_that_is_relabelled_is_let_go_and_replaced)
{
	struct cell x = begin();
	struct pod *p;

	deploy(&x, 2, "1", "0", 1);
	cell_settle(&x);
	p = cell_pod(&x, "web-");
	cluster_relabel(x.c, &p->o, (pair_list){ arena_copy(cluster_arena(x.c), &(struct pair){ cluster_str(x.c, "app"), cluster_str(x.c, "odd") }, sizeof(struct pair)), 1, true });
	cell_settle(&x);
	CU_ASSERT(!p->o.owners.nr && !p->o.gone);
	CU_ASSERT(cell_count(&x, &pod_kind, "web-") == 3);
	cell_free(&x);
}

/* ---- StatefulSets, DaemonSets */

TEST(a_statefulset_waits_until_a_name_is_free)
{
	struct cell x = begin();
	struct pod *p;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: db-0}\nspec: {containers: [{name: c, image: nginx}]}\n---\n"
		       "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db, replicas: 2, selector: {matchLabels: {app: db}},\n"
		       " template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres}]}}}\n");
	cell_settle(&x);
	p = find_pod(x.c, "default", "db-0");
	CU_ASSERT(p && !p->o.owners.nr && !find_pod(x.c, "default", "db-1"));
	apply_delete(x.c, &p->o);
	cell_settle(&x);
	p = find_pod(x.c, "default", "db-0");
	CU_ASSERT(p && p->o.owners.nr == 1 && find_pod(x.c, "default", "db-1"));
	cell_free(&x);
}

static bool second_is_made(void *ctx)
{
	return find_pod(((struct cell *)ctx)->c, "default", "db-1") != NULL;
}

TEST(a_statefulset_goes_one_by_one)
{
	struct cell x = begin();

	cell_apply(&x, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db, replicas: 3, selector: {matchLabels: {app: db}},\n"
		       " template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: postgres}]}}}\n---\n"
		       "apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}\n");
	CU_ASSERT(control_advance_until(x.t, SECONDS(60), second_is_made, &x));
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "db-0")) && !find_pod(x.c, "default", "db-2"));
	cell_settle(&x);
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "db-2")));
	SAME_TEXT(find_pod(x.c, "default", "db-2")->hostname, "db-2");
	SAME_TEXT(label_get(&find_pod(x.c, "default", "db-2")->o.labels, "apps.kubernetes.io/pod-index"), "2");
	SAME_TEXT(((struct endpointslice *)service_slices(x.c, find_service(x.c, "default", "db")).v[0])->endpoints.v[0].hostname, "db-0");
	cell_free(&x);
}

TEST(a_daemonset_is_on_every_node_that_it_tolerates)
{
	struct cell x = begin();
	static const char text[] = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec: {selector: {matchLabels: {app: agent}},\n"
				   " template: {metadata: {labels: {app: agent}}, spec: {%s containers: [{name: agent, image: agent}]}}}\n";

	cell_apply(&x, arena_printf(x.a, text, ""));
	cell_settle(&x);
	CU_ASSERT(cell_count(&x, &pod_kind, "agent-") == 2);
	cell_apply(&x, arena_printf(x.a, text, "tolerations: [{operator: Exists}],"));
	cell_settle(&x);
	CU_ASSERT(cell_count(&x, &pod_kind, "agent-") == 3);
	CU_ASSERT(((const struct workload *)cluster_find(x.c, &daemonset_kind, "default", "agent"))->st_ready == 3);
	cell_free(&x);
}

/* ---- one Pod */

TEST(crash_loops_wait_as_long_as_upstreams)     /* units/13 pl-34 */
{
	struct arena *a = arena_new(NULL, "test");
	const struct val *c = unit_case(unit_cases(a, "13-pod-lifecycle"), "pl-34-crashloop");
	struct cell x = begin();
	const struct container_status *s;
	nsec ended = 0;
	int32_t seen = 0;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: crash}\nspec: {containers: [{name: c, image: img, command: [sleep, '1']}]}\n");
	cell_settle(&x);
	VAL_EACH(want, val_path(c, "expect.delaysSeconds")) {
		/* Wait for the next restart; the exit before it is lastState. */
		for (s = &cell_pod(&x, "crash")->statuses.v[0]; s->restarts == seen; s = &cell_pod(&x, "crash")->statuses.v[0])
			control_advance(x.t, MILLIS(100));
		ended = s->last_finished;
		seen = s->restarts;
		if (s->state == CS_RUNNING) {
			nsec waited = s->started_at - ended - timing(T_STEP_START);

			CASE_ASSERT(c, waited >= SECONDS(want->i) && waited < SECONDS(want->i) + MILLIS(300));
		}
	}
	control_advance(x.t, SECONDS(5));
	SAME_TEXT(cell_pod(&x, "crash")->statuses.v[0].reason, "CrashLoopBackOff");
	CU_ASSERT(strncmp(cell_pod(&x, "crash")->statuses.v[0].message, "back-off 5m0s restarting failed container=c pod=crash_default(", 62) == 0);
	cell_free(&x);
	arena_free(a);
}

TEST(init_containers_go_in_order_and_sidecars_stay)
{
	struct cell x = begin();
	const struct pod *p;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  initContainers: [{name: a, image: i, command: [sleep, '2']}, {name: side, image: envoy, restartPolicy: Always,\n"
		       "    startupProbe: {tcpSocket: {port: 1}, initialDelaySeconds: 4}}, {name: b, image: i, command: ['true']}]\n  containers: [{name: c, image: i}, {name: d, image: i}]\n");
	cell_settle(&x);
	p = cell_pod(&x, "p");
	CU_ASSERT(p->phase == POD_RUNNING && pod_is_ready(p));
	CU_ASSERT(p->statuses.v[0].state == CS_TERMINATED && p->statuses.v[1].state == CS_RUNNING && p->statuses.v[2].state == CS_TERMINATED);
	CU_ASSERT(p->statuses.v[2].started_at >= p->statuses.v[1].started_at + SECONDS(4));     /* b waits for the sidecar's startup probe */
	CU_ASSERT(p->statuses.v[3].started_at > p->statuses.v[2].finished_at);
	CU_ASSERT(p->statuses.v[4].started_at > p->statuses.v[3].started_at);                   /* one after another */
	cell_free(&x);
}

TEST(probes_decide_about_ready_and_restarts)
{
	struct cell x = begin();
	const struct pod *p;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {podwire.io/c.live: until 60s, podwire.io/c.ready: after 7s}}\n"
		       "spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}], readinessProbe: {tcpSocket: {port: 80}}, livenessProbe: {httpGet: {port: 80}, periodSeconds: 5}}]}\n");
	cell_settle(&x);
	p = cell_pod(&x, "p");
	CU_ASSERT(pod_is_ready(p));
	CU_ASSERT(condition_get(&p->conditions, "Ready")->changed >= p->statuses.v[0].started_at + SECONDS(7));
	CU_ASSERT(p->statuses.v[0].restarts == 0);
	control_advance(x.t, SECONDS(80));
	CU_ASSERT(p->statuses.v[0].restarts == 1);
	SAME_TEXT(cell_event(&x, "Killing"), "Container c failed liveness probe, will be restarted");
	cell_free(&x);
}

TEST(a_probe_of_a_port_that_has_no_name_never_succeeds)
{
	struct cell x = begin();

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: web}], readinessProbe: {httpGet: {port: http}}}]}\n");
	cell_settle(&x);
	CU_ASSERT(cell_pod(&x, "p")->phase == POD_RUNNING && !pod_is_ready(cell_pod(&x, "p")));
	SAME_TEXT(condition_get(&cell_pod(&x, "p")->conditions, "Ready")->message, "containers with unready status: [c]");
	cell_free(&x);
}

TEST(deletion_takes_the_grace_that_the_process_needs)
{
	struct cell x = begin();
	struct pod *quick, *deaf;
	nsec from;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: quick}\nspec: {containers: [{name: c, image: nginx, lifecycle: {preStop: {sleep: {seconds: 5}}}}]}\n---\n"
		       "apiVersion: v1\nkind: Pod\nmetadata: {name: deaf}\nspec: {terminationGracePeriodSeconds: 20, containers: [{name: c, image: busybox, command: [sleep, '9999']}]}\n");
	cell_settle(&x);
	quick = cell_pod(&x, "quick");
	deaf = cell_pod(&x, "deaf");
	from = cluster_now(x.c);
	apply_delete(x.c, &quick->o);
	apply_delete(x.c, &deaf->o);
	control_advance(x.t, SECONDS(5));
	CU_ASSERT(!quick->o.gone && pod_is_ready(quick));
	control_advance(x.t, SECONDS(1));
	CU_ASSERT(quick->o.gone && !deaf->o.gone);
	cell_settle(&x);
	CU_ASSERT(deaf->o.gone && cluster_now(x.c) == from + SECONDS(20));
	cell_free(&x);
}

TEST(a_dead_sandbox_means_a_new_address_and_all_containers_again)
{
	struct cell x = begin();
	struct pod *p;
	ip_addr before;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {initContainers: [{name: i, image: i}], containers: [{name: a, image: i}, {name: b, image: i}]}\n");
	cell_settle(&x);
	p = cell_pod(&x, "p");
	before = p->ip;
	CU_ASSERT(control_fault(x.t, "pause", "pod/p", NULL, &x.err));
	cell_settle(&x);
	CU_ASSERT(pod_is_ready(p) && !ip_eq(p->ip, before) && ip_set(p->ip));
	CU_ASSERT(p->statuses.v[1].restarts == 1 && p->statuses.v[2].restarts == 1);
	SAME_TEXT(cell_event(&x, "SandboxChanged"), "Pod sandbox changed, it will be killed and re-created.");
	CU_ASSERT(find_pod_by_ip(x.c, p->ip) == p && !find_pod_by_ip(x.c, before));
	cell_free(&x);
}

TEST(a_container_that_exits_keeps_the_address)
{
	struct cell x = begin();
	struct pod *p;
	ip_addr before;

	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: i}, {name: b, image: i}]}\n");
	cell_settle(&x);
	p = cell_pod(&x, "p");
	before = p->ip;
	CU_ASSERT(control_fault(x.t, "container", "pod/p/b", json_parse(x.a, "t", "{\"exit\": 3}", 11, NULL, &x.err), &x.err));
	control_advance(x.t, 0);
	CU_ASSERT(!pod_is_ready(p));
	cell_settle(&x);
	CU_ASSERT(pod_is_ready(p) && ip_eq(p->ip, before) && p->statuses.v[0].restarts == 0 && p->statuses.v[1].restarts == 1 && p->statuses.v[1].last_exit == 3);
	CU_ASSERT(!control_fault(x.t, "container", "pod/p/z", NULL, &x.err));
	CU_ASSERT(!control_fault(x.t, "contaner", "pod/p/z", NULL, &x.err));
	CU_ASSERT(strstr(x.err.v[x.err.nr - 1].text, "did you mean \"container\"?") != NULL);
	cell_free(&x);
}

/* ---- nodes */

static enum cond_status ready_of(struct cell *x, const char *node)
{
	return (enum cond_status)condition_get(&find_node(x->c, node)->conditions, "Ready")->status;
}

static bool is_unknown(void *ctx)
{
	return ready_of(ctx, "worker-2") == COND_UNKNOWN;
}

static struct pod *pod_on(struct cell *x, const char *node)
{
	struct object_list l = cluster_list_ns(x->c, &pod_kind, "default");

	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(((struct pod *)l.v[k])->node, node))
			return (struct pod *)l.v[k];
	return NULL;
}

TEST(a_silent_node_is_noticed_then_emptied)
{
	struct cell x = begin();
	struct pod *p;
	nsec died;

	deploy(&x, 4, "1", "0", 1);
	cell_apply(&x, "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n");
	cell_settle(&x);
	p = pod_on(&x, "worker-2");
	died = cluster_now(x.c);
	CU_ASSERT(p && control_fault(x.t, "node", "worker-2", NULL, &x.err));
	CU_ASSERT(control_advance_until(x.t, died + SECONDS(120), is_unknown, &x));
	CU_ASSERT(cluster_now(x.c) >= died + SECONDS(40) && cluster_now(x.c) <= died + SECONDS(55));
	CU_ASSERT(!pod_is_ready(p) && p->o.deleted == NEVER);
	control_advance(x.t, 0);
	for (uint32_t k = 0, ready = 0; k <= 4; k++) {  /* its endpoints count no more */
		const struct endpointslice *s = (const struct endpointslice *)service_slices(x.c, find_service(x.c, "default", "web")).v[0];

		if (k == s->endpoints.nr) {
			CU_ASSERT(ready == 2);
			break;
		}
		ready += s->endpoints.v[k].ready == TRI_TRUE;
		CU_ASSERT(!streq(s->endpoints.v[k].node, "worker-2") || (s->endpoints.v[k].ready == TRI_FALSE && s->endpoints.v[k].serving == TRI_FALSE));
	}
	control_advance(x.t, SECONDS(310));
	CU_ASSERT(p->o.deleted != NEVER && !p->o.gone);         /* no kubelet confirms it */
	CU_ASSERT(deployment(&x, "web")->st_available == 4);    /* replaced elsewhere */
	CU_ASSERT(cell_has_event(&x, "TaintManagerEviction", "Marking for deletion Pod default/web-"));
	CU_ASSERT(cell_count(&x, &pod_kind, "calico-node-") == 3);      /* DaemonSets stay */
	CU_ASSERT(control_heal(x.t, "node", "worker-2", &x.err));
	control_advance(x.t, SECONDS(60));
	CU_ASSERT(p->o.gone && ready_of(&x, "worker-2") == COND_TRUE && !find_node(x.c, "worker-2")->taints.nr);
	cell_free(&x);
}

TEST(nobody_is_evicted_when_all_nodes_are_silent)
{
	struct cell x = begin();
	struct pod *p;

	deploy(&x, 1, "1", "0", 1);
	cell_settle(&x);
	p = cell_pod(&x, "web-");
	control_fault(x.t, "node", "worker-1", NULL, &x.err);
	control_fault(x.t, "node", "worker-2", NULL, &x.err);
	control_fault(x.t, "node", "control-plane", NULL, &x.err);
	control_advance(x.t, SECONDS(600));
	CU_ASSERT(p->o.deleted == NEVER && ready_of(&x, "worker-1") == COND_UNKNOWN);
	cell_free(&x);
}

TEST(pods_of_a_node_that_is_gone_are_collected)
{
	struct cell x = begin();
	struct pod *p;

	deploy(&x, 2, "1", "0", 1);
	cell_settle(&x);
	p = pod_on(&x, "worker-2");
	apply_delete(x.c, &find_node(x.c, "worker-2")->o);
	control_advance(x.t, SECONDS(90));
	CU_ASSERT(p->o.gone);
	CU_ASSERT(deployment(&x, "web")->st_available == 2);
	cell_free(&x);
}

TEST(without_a_pod_network_nodes_say_why_and_pods_wait)
{
	struct cell x = cell_new(1);
	const struct pod *p;

	cluster_flags(x.c)->cni = cluster_str(x.c, "none");
	defaults_add(x.c);
	deploy(&x, 1, "1", "0", 1);
	cell_settle(&x);
	CU_ASSERT(ready_of(&x, "worker-1") == COND_FALSE);
	SAME_TEXT(condition_get(&find_node(x.c, "worker-1")->conditions, "Ready")->message,
		  "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized");
	p = cell_pod(&x, "web-");
	CU_ASSERT(p->phase == POD_PENDING && !p->node);
	SAME_TEXT(condition_get(&p->conditions, "PodScheduled")->reason, "Unschedulable");
	CU_ASSERT(strncmp(condition_get(&p->conditions, "PodScheduled")->message, "0/3 nodes are available: 3 node(s) had untolerated taint(s).", 60) == 0);
	CU_ASSERT(cell_pod(&x, "kube-proxy-")->phase == POD_RUNNING);   /* hostNetwork, and tolerates */
	CU_ASSERT(find_node(x.c, "worker-1")->taints.nr == 1);  /* NoSchedule only: all nodes are so */
	cell_free(&x);
}

TEST(one_node_that_loses_its_network_gets_both_taints_and_its_new_pods_wait)
{
	struct cell x = begin();
	const struct node *n;

	CU_ASSERT(control_fault(x.t, "cni", "worker-1", NULL, &x.err));
	control_advance(x.t, SECONDS(20));
	n = find_node(x.c, "worker-1");
	CU_ASSERT(n->taints.nr == 2);
	cell_apply(&x, "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: worker-1, tolerations: [{operator: Exists}], containers: [{name: c, image: i}]}\n");
	cell_settle(&x);
	CU_ASSERT(cell_pod(&x, "p")->phase == POD_PENDING && !ip_set(cell_pod(&x, "p")->ip));
	CU_ASSERT(cell_events(&x, "NetworkNotReady") == 1);
	CU_ASSERT(control_heal(x.t, "cni", "worker-1", &x.err));
	cell_settle(&x);
	CU_ASSERT(pod_is_ready(cell_pod(&x, "p")) && n->taints.nr == 0);
	cell_free(&x);
}

/* ---- names and namespaces */

TEST(a_namespace_is_emptied_before_it_goes)
{
	struct cell x = begin();

	cell_apply(&x, "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec: {containers: [{name: c, image: nginx}]}\n");
	cell_settle(&x);
	CU_ASSERT(cluster_find(x.c, &service_account_kind, "shop", "default") != NULL);
	apply_delete(x.c, &find_namespace(x.c, "shop")->o);
	control_advance(x.t, 0);
	SAME_TEXT(find_namespace(x.c, "shop")->phase, "Terminating");
	cell_settle(&x);
	CU_ASSERT(!find_namespace(x.c, "shop") && !find_pod(x.c, "shop", "p"));
	cell_free(&x);
}

/* ---- Jobs */

TEST(a_job_completes_and_a_failing_one_gives_up)
{
	struct cell x = begin();
	const struct job *good, *bad;

	cell_apply(&x, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: good}\nspec: {completions: 3, parallelism: 2, completionMode: Indexed,\n"
		       " template: {spec: {restartPolicy: Never, containers: [{name: c, image: perl}]}}}\n---\n"
		       "apiVersion: batch/v1\nkind: Job\nmetadata: {name: bad}\nspec: {backoffLimit: 1, template: {spec: {restartPolicy: Never, containers: [{name: c, image: x, command: ['false']}]}}}\n");
	cell_settle(&x);
	control_advance(x.t, SECONDS(60));
	good = (const struct job *)cluster_find(x.c, &job_kind, "default", "good");
	bad = (const struct job *)cluster_find(x.c, &job_kind, "default", "bad");
	CU_ASSERT(good->st_succeeded == 3 && condition_get(&good->conditions, "Complete")->status == COND_TRUE);
	CU_ASSERT(cell_pod(&x, "good-2-") != NULL);
	CU_ASSERT(bad->st_failed == 2 && streq(condition_get(&bad->conditions, "Failed")->reason, "BackoffLimitExceeded"));
	cell_free(&x);
}
