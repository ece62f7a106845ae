/* What holds for every cluster: the same twice is the same; applying again changes nothing; the order of application changes only what order decides. */
#include <stdlib.h>

#include "model/api/object.h"
#include "tests/unit/cell.h"

#define NR ARRAY_LEN(documents)

static const char *const documents[] = {
	"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec: {replicas: 4, selector: {matchLabels: {app: web}},\n"
	" template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80, name: http}], readinessProbe: {httpGet: {port: http}, initialDelaySeconds: 2}}]}}}\n",
	"apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n",
	"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: shop}\nspec: {serviceName: db, replicas: 2, selector: {matchLabels: {app: db}},\n"
	" template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: postgres}]}}}\n",
	"apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\nspec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}\n",
	"apiVersion: batch/v1\nkind: Job\nmetadata: {name: once, namespace: shop}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}\n",
	"apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, namespace: shop}\nspec: {selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}},\n"
	" spec: {containers: [{name: c, image: agent}]}}}\n",
	"apiVersion: v1\nkind: Pod\nmetadata: {name: crash, namespace: shop}\nspec: {containers: [{name: c, image: busybox}]}\n",
	"apiVersion: v1\nkind: Service\nmetadata: {name: lb, namespace: shop}\nspec: {type: LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, ports: [{port: 80}]}\n",
};

static struct cell build(uint64_t seed, const uint8_t *order, bool settle_between)
{
	struct cell x = cell_new(seed);

	for (uint32_t k = 0; k < NR; k++) {
		cell_apply(&x, documents[order ? order[k] : k]);
		if (settle_between)
			cell_settle(&x);
	}
	defaults_add(x.c);
	cell_settle(&x);
	return x;
}

static char *print(struct cell *x)
{
	struct sb out = { 0 };

	for (uint32_t id = 1; id <= cluster_handles(x->c); id++) {
		struct object *o = obj_get(x->c, (obj_h){ id });
		struct val *v = o->gone ? NULL : object_render(x->c, o, x->a);

		if (!v)
			continue;
		val_print_json(v, &out, 0, true);
		sb_addc(&out, '\n');
	}
	return out.s;
}

TEST(the_same_seed_gives_the_same_bytes)
{
	struct cell x = build(5, NULL, false), y = build(5, NULL, false);
	char *a, *b;

	control_advance(x.t, SECONDS(400));
	control_advance(y.t, SECONDS(400));
	a = print(&x);
	b = print(&y);
	SAME_TEXT(a, b);
	free(a);
	free(b);
	cell_free(&x);
	cell_free(&y);
}

TEST(applying_again_changes_nothing)
{
	struct cell x = build(1, NULL, false);
	rev_t before = cluster_rev(x.c);

	for (uint32_t k = 0; k < NR; k++)
		cell_apply(&x, documents[k]);
	cell_settle(&x);
	CU_ASSERT(cluster_rev(x.c) == before);
	cell_free(&x);
}

TEST(settling_again_does_nothing)
{
	struct cell x = build(1, NULL, false);
	rev_t before = cluster_rev(x.c);
	struct settle_result r = control_settle(x.t);

	CU_ASSERT(r.settled && r.runs == 0 && r.from == r.to && cluster_rev(x.c) == before);
	cell_free(&x);
}

/* Names, uids and what the API server hands out, in the order of names. */
static char *identities(struct cell *x)
{
	struct sb out = { 0 };

	for (uint32_t p = 0; kinds[p]; p++) {
		struct object_list l = cluster_list(x->c, kinds[p]);

		for (uint32_t k = 0; k < l.nr; k++) {
			sb_printf(&out, "%s %s/%s %s", l.v[k]->kind->name, l.v[k]->ns ? l.v[k]->ns : "", l.v[k]->name, l.v[k]->uid);
			if (l.v[k]->kind == &service_kind) {
				const struct service *s = (const struct service *)l.v[k];

				sb_printf(&out, " %s %d %d", s->cluster_ip, s->ports.v[0].node_port, s->health_check_node_port);
			}
			if (l.v[k]->kind == &pod_kind)
				sb_printf(&out, " %s %d", pod_phase_names[((const struct pod *)l.v[k])->phase], pod_is_ready((const struct pod *)l.v[k]));
			sb_addc(&out, '\n');
		}
	}
	return out.s;
}

TEST(the_order_of_application_changes_only_what_order_decides)
{
	static const uint8_t orders[][NR] = { { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, { 0, 8, 7, 6, 5, 4, 3, 2, 1 }, { 0, 2, 4, 8, 1, 3, 5, 7, 6 }, { 7, 0, 6, 5, 1, 2, 8, 4, 3 } };
	struct cell x = build(3, orders[0], false);
	char *want = identities(&x);

	for (size_t k = 1; k < ARRAY_LEN(orders); k++) {
		struct cell y = build(3, orders[k], false);
		char *have = identities(&y);

		SAME_TEXT(have, want);
		free(have);
		cell_free(&y);
	}
	free(want);
	cell_free(&x);
}

TEST(another_seed_gives_other_names_and_the_same_cluster)
{
	struct cell x = build(1, NULL, false), y = build(2, NULL, false);
	struct object_list a = cluster_list(x.c, &pod_kind), b = cluster_list(y.c, &pod_kind);
	uint32_t same = 0;

	CU_ASSERT(a.nr == b.nr);
	for (uint32_t k = 0; k < MIN(a.nr, b.nr); k++)
		same += streq(a.v[k]->name, b.v[k]->name);
	CU_ASSERT(same < a.nr);
	for (uint32_t p = 0; kinds[p]; p++)
		CU_ASSERT(cluster_count(x.c, kinds[p]) == cluster_count(y.c, kinds[p]));
	CU_ASSERT(!streq(find_service(x.c, "shop", "web")->cluster_ip, find_service(y.c, "shop", "web")->cluster_ip));
	cell_free(&x);
	cell_free(&y);
}

TEST(a_small_cluster_settles_quickly)
{
	struct cell x = build(1, NULL, true);

	CU_ASSERT(cluster_count(x.c, &pod_kind) >= 15);
	cell_free(&x);
}
