/* What the API server does to an object between validation and storage: the admission plugins that are on by default, and the Service's allocations. */
#include "model/control/admission.h"

#include <stdlib.h>

#include "model/control/alloc.h"
#include "model/control/common.h"
#include "model/control/limits.h"
#include "model/control/quota.h"
#include "model/control/revisions.h"
#include "model/control/scheduler.h"
#include "model/control/volumes.h"
#include "model/control/workloads.h"
#include "model/l7/ingress.h"
#include "model/l7/mesh.h"

static bool admit_service(struct control *t, struct object *o, const struct object *old, struct check *check)
{
	return service_allocate(t, (struct service *)o, (const struct service *)old, check);
}

/* plugin/pkg/admission/nodetaint: a new node is tainted until it has said that it is ready. */
static bool admit_node(struct control *t, struct object *o, const struct object *old, struct check *check)
{
	static const char key[] = "node.kubernetes.io/not-ready";
	struct node *n = (struct node *)o;
	struct cluster *c = control_cluster(t);
	struct taint *v;

	(void)check;
	if (old || condition_status(&n->conditions, "Ready") != COND_NONE)
		return true;
	for (uint32_t k = 0; k < n->taints.nr; k++)
		if (streq(n->taints.v[k].key, key))
			return true;
	v = arena_array(cluster_arena(c), struct taint, n->taints.nr + 1);
	if (n->taints.nr)
		memcpy(v, n->taints.v, n->taints.nr * sizeof(*v));
	v[n->taints.nr] = (struct taint){ cluster_str(c, key), NULL, cluster_str(c, "NoSchedule"), NEVER };
	n->taints.v = v;
	n->taints.nr++;
	n->taints.set = true;
	return true;
}

static bool admit_ingress(struct control *t, struct object *o, const struct object *old, struct check *check)
{
	const struct ingress *before = (const struct ingress *)old;
	struct ingress *ing = (struct ingress *)o;

	(void)check;
	if (before && !ing->class_name && before->class_name && !val_path(before->o.doc, "spec.ingressClassName"))
		ing->class_name = before->class_name;   /* a default that no manifest holds is left where it is by kubectl's merge */
	if (!old && !cluster_flags(control_cluster(t))->no_defaults)     /* an import was admitted where it comes from */
		ingress_admit(control_cluster(t), (struct ingress *)o);
	return true;
}

static void inject(struct cluster *c, struct pod *p)
{
	if (mesh_injects(c, p))
		mesh_inject(c, p);
}

static const char *beyond_bound(struct cluster *c, uint32_t more, struct arena *a)
{
	uint32_t nr = cluster_count(c, &pod_kind);

	if (nr < MOST_PODS && more <= MOST_PODS - nr)
		return NULL;
	return arena_printf(a, more > 1 ? "podwire holds %d Pods at most in one cluster (Kubernetes is made for 150000): there are %u, and %u more are asked for" :
					  "podwire holds %d Pods at most in one cluster (Kubernetes is made for 150000)", MOST_PODS, nr, more);
}

const char *pod_refused(struct cluster *c, const char *ns, const struct pod_spec *s, uint32_t more, struct arena *a)
{
	const char *why = beyond_bound(c, more, a);

	if (!why)
		why = priority_refuses(c, s, a);
	if (!why)
		why = limits_refuse(c, ns, s, a);
	return why ? why : quota_refuses(c, ns, s, a);
}

/* plugin/pkg/admission/limitranger */
static void limit(struct control *t, struct pod *p, struct arena *scratch)
{
	const struct pod_spec *with = p->given ? p->spec : limits_apply(t, p->o.ns, p->spec);

	if (with == p->spec)
		return;
	p->o.annotations = pairs_with(control_cluster(t), &p->o.annotations, LIMITS_NOTE, limits_note(p->spec, with, scratch));
	p->spec = (struct pod_spec *)(uintptr_t)with;
}

static bool admit_pod(struct control *t, struct object *o, const struct object *old, struct check *check)
{
	struct arena *scratch;
	const char *why;

	if (old || cluster_flags(control_cluster(t))->no_defaults)
		return true;
	inject(control_cluster(t), (struct pod *)o);
	scratch = arena_new(NULL, "admission");
	limit(t, (struct pod *)o, scratch);
	why = ((struct pod *)o)->given ? NULL : pod_refused(control_cluster(t), o->ns, ((struct pod *)o)->spec, 1, scratch);      /* what carries its status is there already */
	if (why)
		err_add(check->err, ERR_INPUT, &(struct where){ .file = check->file, .line = check->root ? check->root->line : 0 }, "pods \"%s\" is forbidden: %s", o->name, why);
	arena_free(scratch);
	return !why;
}

/* pkg/registry/apps/daemonset/strategy.go: a template counts its generations from 1; apps/v1 has the number as an annotation. */
static bool admit_daemonset(struct control *t, struct object *o, const struct object *old, struct check *check)
{
	const char *had = old ? label_get(&old->annotations, TEMPLATE_GENERATION) : label_get(&o->annotations, TEMPLATE_GENERATION);
	long n = had ? strtol(had, NULL, 10) : 0;
	char now[11] = "", was[11] = "", text[24];

	(void)check;
	if (!old && cluster_flags(control_cluster(t))->no_defaults)
		return true;
	if (old) {
		template_hash(&((struct workload *)o)->template, 0, now);
		template_hash(&((const struct workload *)old)->template, 0, was);
	}
	if (n < 1 || n >= INT32_MAX)
		n = 1;
	else if (old && strcmp(now, was) != 0)
		n++;
	snprintf(text, sizeof(text), "%ld", n);
	o->annotations = pairs_with(control_cluster(t), &o->annotations, TEMPLATE_GENERATION, text);
	return true;
}

static bool admit_storage(struct control *t, struct object *o, const struct object *old, struct check *check)
{
	(void)check;
	if (!old && !cluster_flags(control_cluster(t))->no_defaults)
		volume_protect(control_cluster(t), o);
	return true;
}

static const struct { const struct kind *kind; bool (*admit)(struct control *, struct object *, const struct object *, struct check *); } plugins[] = {
	{ &service_kind, admit_service },
	{ &node_kind, admit_node },
	{ &ingress_kind, admit_ingress },
	{ &pod_kind, admit_pod },
	{ &daemonset_kind, admit_daemonset },
	{ &pvc_kind, admit_storage },
	{ &pv_kind, admit_storage },
};

bool control_admit(void *ctx, struct cluster *c, struct object *o, const struct object *old, struct check *check)
{
	(void)c;
	for (size_t k = 0; k < ARRAY_LEN(plugins); k++)
		if (plugins[k].kind == o->kind && !plugins[k].admit(ctx, o, old, check))
			return false;
	return true;
}
