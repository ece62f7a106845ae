/* Claims and volumes: pkg/controller/volume/persistentvolume (syncUnboundClaim), FindMatchingVolume, scheduler plugin volumebinding. */
#include "model/control/volumes.h"
#include "tests/unit/cell.h"

static const char classes[] =
	"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: rancher.io/local-path, volumeBindingMode: WaitForFirstConsumer}\n---\n"
	"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, provisioner: ebs.csi.aws.com}\n---\n"
	"{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: local}, provisioner: kubernetes.io/no-provisioner, volumeBindingMode: WaitForFirstConsumer}\n---\n"
	"{apiVersion: v1, kind: PersistentVolume, metadata: {name: big}, spec: {capacity: {storage: 100Gi}, accessModes: [ReadWriteOnce], storageClassName: manual, hostPath: {path: /b}}}\n---\n"
	"{apiVersion: v1, kind: PersistentVolume, metadata: {name: small}, spec: {capacity: {storage: 10Gi}, accessModes: [ReadWriteOnce, ReadOnlyMany], storageClassName: manual, hostPath: {path: /a}}}\n---\n"
	"{apiVersion: v1, kind: PersistentVolume, metadata: {name: tiny}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: manual, hostPath: {path: /c}}}\n---\n"
	"{apiVersion: v1, kind: PersistentVolume, metadata: {name: on-2}, spec: {capacity: {storage: 10Gi}, accessModes: [ReadWriteOnce], storageClassName: local, local: {path: /a}, nodeAffinity: {required: "
	"{nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [worker-2]}]}]}}}}\n";

static struct cell with(const char *yaml)
{
	struct cell x = cell_new(1);

	defaults_add(x.c);
	cell_apply(&x, yaml);
	return x;
}

static void claim(struct cell *x, const char *name, const char *class, const char *mode, const char *size)
{
	cell_apply(x, arena_printf(x->a, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: %s}, spec: {%s%s accessModes: [%s], resources: {requests: {storage: %s}}}}\n", name,
				   class ? "storageClassName: " : "", class ? arena_printf(x->a, "'%s',", class) : "", mode, size));
}

static void user(struct cell *x, const char *name, const char *uses, const char *more)
{
	cell_apply(x, arena_printf(x->a, "{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {%s containers: [{name: c, image: nginx}], volumes: [{name: v, persistentVolumeClaim: {claimName: %s}}]}}\n", name,
				   more, uses));
}

static const char *volume_of(struct cell *x, const char *name)
{
	const struct object *o = cluster_find(x->c, &pvc_kind, "default", name);
	const char *v = o ? val_str_at(o->doc, "spec.volumeName") : NULL;

	return v ? v : "";
}

static bool says(struct cell *x, const char *pod, const char *words)
{
	const struct pod *p = find_pod(x->c, "default", pod);
	const struct condition *s = p ? condition_get(&p->conditions, "PodScheduled") : NULL;

	return s && s->status == COND_FALSE && s->message && strstr(s->message, words);
}

TEST(claims_take_the_smallest_volume_that_will_do)
{
	struct cell x = with(classes);

	claim(&x, "a", "manual", "ReadWriteOnce", "5Gi");
	claim(&x, "b", "manual", "ReadWriteOnce", "5Gi");
	claim(&x, "c", "manual", "ReadWriteMany", "1Gi");
	claim(&x, "d", "manual", "ReadWriteOnce", "500Gi");
	cell_settle(&x);
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "a"), "small");
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "b"), "big");
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "c"), "");
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "d"), "");
	CU_ASSERT_STRING_EQUAL(val_str_at(cluster_find(x.c, &pv_kind, NULL, "small")->doc, "status.phase"), "Bound");
	CU_ASSERT_STRING_EQUAL(val_str_at(cluster_find(x.c, &pv_kind, NULL, "tiny")->doc, "status.phase"), "Available");
	apply_delete(x.c, cluster_find(x.c, &pvc_kind, "default", "a"));
	cell_settle(&x);
	CU_ASSERT_STRING_EQUAL(val_str_at(cluster_find(x.c, &pv_kind, NULL, "small")->doc, "status.phase"), "Released");
	cell_free(&x);
}

TEST(classes_bind_at_once_or_with_the_first_pod)
{
	struct cell x = with(classes);

	claim(&x, "now", "fast", "ReadWriteOnce", "1Gi");
	claim(&x, "later", NULL, "ReadWriteOnce", "1Gi");      /* the default class */
	cell_settle(&x);
	CU_ASSERT(strncmp(volume_of(&x, "now"), "pvc-", 4) == 0);
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "later"), "");
	CU_ASSERT_STRING_EQUAL(val_str_at(cluster_find(x.c, &pvc_kind, "default", "later")->doc, "spec.storageClassName"), "standard");
	user(&x, "p", "later", "");
	cell_settle(&x);
	CU_ASSERT(strncmp(volume_of(&x, "later"), "pvc-", 4) == 0);
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "p")));
	apply_delete(x.c, cluster_find(x.c, &pvc_kind, "default", "now"));
	cell_settle(&x);
	CU_ASSERT_EQUAL(cluster_count(x.c, &pv_kind), 5);      /* the provisioned one was deleted with its claim */
	cell_free(&x);
}

TEST(pods_wait_for_their_claims)
{
	struct cell x = with(classes);

	claim(&x, "lost", "none-such", "ReadWriteOnce", "1Gi");
	claim(&x, "pinned", "local", "ReadWriteOnce", "1Gi");
	claim(&x, "second", "local", "ReadWriteOnce", "1Gi");
	user(&x, "immediate", "lost", "");
	user(&x, "missing", "gone", "");
	user(&x, "here", "pinned", "");
	cell_settle(&x);
	CU_ASSERT(says(&x, "immediate", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."));
	CU_ASSERT(says(&x, "missing", "persistentvolumeclaim \"gone\" not found"));
	CU_ASSERT_STRING_EQUAL(find_pod(x.c, "default", "here")->node, "worker-2");
	user(&x, "there", "pinned", "nodeSelector: {kubernetes.io/hostname: worker-1},");
	user(&x, "none", "second", "");
	cell_settle(&x);
	CU_ASSERT(says(&x, "there", FIT_VOLUME_NODE));
	CU_ASSERT(says(&x, "none", FIT_VOLUME_NONE));
	cell_apply(&x, "{apiVersion: v1, kind: PersistentVolume, metadata: {name: found}, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], storageClassName: none-such, hostPath: {path: /b}}}\n");
	cell_settle(&x);
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "lost"), "found");
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "immediate")));
	cell_free(&x);
}

TEST(a_statefulset_makes_claims_that_stay)
{
	struct cell x = with(classes);
	const char *volume;

	cell_apply(&x, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 2, serviceName: db, selector: {matchLabels: {app: db}}, "
		       "template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres}]}}, "
		       "volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}\n");
	cell_settle(&x);
	volume = arena_strdup(x.a, volume_of(&x, "data-db-1"));
	CU_ASSERT(strncmp(volume, "pvc-", 4) == 0 && strncmp(volume_of(&x, "data-db-0"), "pvc-", 4) == 0);
	CU_ASSERT_STRING_EQUAL(find_pod(x.c, "default", "db-1")->spec->volumes.v[0].claim, "data-db-1");
	apply_delete(x.c, &find_pod(x.c, "default", "db-1")->o);
	cell_settle(&x);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "db-1")));
	CU_ASSERT_STRING_EQUAL(volume_of(&x, "data-db-1"), volume);
	apply_delete(x.c, cluster_find(x.c, &statefulset_kind, "default", "db"));
	cell_settle(&x);
	CU_ASSERT_EQUAL(cluster_count(x.c, &pvc_kind), 2);
	cell_free(&x);
}

#define SET(replicas, policy) "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: " replicas ", serviceName: db, selector: {matchLabels: {app: db}}, " \
	"persistentVolumeClaimRetentionPolicy: " policy ", template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: postgres}]}}, "                       \
	"volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]}}\n"

/* Rows after pkg/controller/statefulset/stateful_set_utils_test.go TestClaimOwnerMatchesSetAndPod. */
TEST(claims_go_when_the_set_says_so)
{
	struct cell x = with(classes);

	cell_apply(&x, SET("2", "{whenScaled: Delete}"));
	cell_settle(&x);
	CU_ASSERT_EQUAL(cluster_count(x.c, &pvc_kind), 2);
	cell_apply(&x, SET("1", "{whenScaled: Delete}"));
	cell_settle(&x);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(cluster_count(x.c, &pvc_kind), 1);
	CU_ASSERT_PTR_NOT_NULL(cluster_find(x.c, &pvc_kind, "default", "data-db-0"));
	cell_apply(&x, SET("2", "{whenDeleted: Delete}"));      /* now those of a Pod that is scaled away stay, and all go with the set */
	cell_settle(&x);
	cell_apply(&x, SET("1", "{whenDeleted: Delete}"));
	cell_settle(&x);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(cluster_count(x.c, &pvc_kind), 2);
	apply_delete(x.c, cluster_find(x.c, &statefulset_kind, "default", "db"));
	cell_settle(&x);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_EQUAL(cluster_count(x.c, &pvc_kind), 0);
	cell_free(&x);
}

/* pvc_protection_controller.go askInformer: a Pod without a node does not count, one that has ended does; the last that goes lets the claim go. */
TEST(a_deleted_claim_stays_until_nobody_uses_it)
{
	struct cell x = with(classes);

	claim(&x, "shared", NULL, "ReadWriteOnce", "1Gi");
	user(&x, "one", "shared", "");
	user(&x, "two", "shared", "");
	user(&x, "nowhere", "shared", "nodeSelector: {no: node},");
	cell_settle(&x);
	apply_delete(x.c, cluster_find(x.c, &pvc_kind, "default", "shared"));
	cell_settle(&x);
	CU_ASSERT_PTR_NOT_NULL(cluster_find(x.c, &pvc_kind, "default", "shared"));
	apply_delete(x.c, &find_pod(x.c, "default", "one")->o);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_PTR_NOT_NULL(cluster_find(x.c, &pvc_kind, "default", "shared"));
	apply_delete(x.c, &find_pod(x.c, "default", "two")->o);
	control_advance(x.t, SECONDS(60));
	CU_ASSERT_PTR_NULL(cluster_find(x.c, &pvc_kind, "default", "shared"));
	CU_ASSERT_PTR_NOT_NULL(find_pod(x.c, "default", "nowhere"));
	cell_free(&x);
}

TEST(storage_of_which_nothing_is_told_holds_nobody_back)
{
	struct cell x = with("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}\n");

	user(&x, "p", "c", "");
	cell_settle(&x);
	CU_ASSERT(pod_is_ready(find_pod(x.c, "default", "p")));
	cell_free(&x);
}
