/* An object as `get -o yaml` shows it: what was applied stays as it was written; defaults, assigned fields and status are laid over it. */
#include "model/api/fill.h"
#include "model/base/quantity.h"
#include "model/cluster/apply.h"
#include "model/cluster/render.h"

static const struct val *named(const struct val *list, const char *name)
{
	VAL_EACH(v, list)
		if (name && val_str_at(v, "name") && strcmp(val_str_at(v, "name"), name) == 0)
			return v;
	return NULL;
}

static void lay(struct arena *, struct val *to, const struct val *over);

/* Of another length than the document's: what was added or taken away by admission. Items keep what the document says of those of their name. */
static struct val *lay_named(struct arena *a, const struct val *have, const struct val *over)
{
	struct val *out = val_new(a, VAL_LIST);

	VAL_EACH(y, over) {
		const struct val *x = y->type == VAL_MAP ? named(have, val_str_at(y, "name")) : NULL;
		struct val *item = val_add(a, out, val_copy(a, x ? x : y));

		if (x)
			lay(a, item, y);
	}
	return out;
}

/* Lays the map `over` on `to`, member by member; lists of the same length are laid on each other item by item. What `to` has and `over` lacks stays. */
static void lay(struct arena *a, struct val *to, const struct val *over)
{
	VAL_EACH(m, over) {
		struct val *have = val_get_mut(to, m->key);

		if (have && have->type == VAL_MAP && m->type == VAL_MAP) {
			lay(a, have, m);
		} else if (have && have->type == VAL_LIST && m->type == VAL_LIST && have->nr == m->nr) {
			struct val *x = have->first;

			VAL_EACH(y, m) {
				if (x->type == VAL_MAP && y->type == VAL_MAP)
					lay(a, x, y);
				x = x->next;
			}
		} else if (have && have->type == VAL_LIST && m->type == VAL_LIST) {
			val_put(a, to, m->key, lay_named(a, have, m));
		} else if (!have || (m->type != VAL_MAP && !val_equal(have, m))) {
			val_put(a, to, m->key, val_copy(a, m));
		}
	}
}

static void put_pairs(struct arena *a, struct val *meta, const char *key, const pair_list *l)
{
	struct val *v;

	if (!l->nr)
		return;
	v = val_put(a, meta, key, val_new(a, VAL_MAP));
	for (uint32_t k = 0; k < l->nr; k++)
		val_put(a, v, l->v[k].key, val_string(a, l->v[k].value));
}

static void put_owners(struct arena *a, struct val *meta, const struct object *o)
{
	struct val *list;

	if (!o->owners.nr)
		return;
	list = val_put(a, meta, "ownerReferences", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < o->owners.nr; k++) {
		const struct owner_ref *r = &o->owners.v[k];
		struct val *v = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, v, "apiVersion", val_string(a, r->api ? r->api : "v1"));
		val_put(a, v, "blockOwnerDeletion", val_bool(a, r->block));
		val_put(a, v, "controller", val_bool(a, r->controller));
		val_put(a, v, "kind", val_string(a, r->kind ? r->kind : ""));
		val_put(a, v, "name", val_string(a, r->name ? r->name : ""));
		val_put(a, v, "uid", val_string(a, r->uid ? r->uid : ""));
	}
}

/* As kubectl leaves it with all that it applies; what came out of a living cluster has its own, or none. */
static void put_last_applied(struct arena *a, struct val *meta, const struct object *o, const struct val *was)
{
	const struct val *last = o->applied ? o->applied : o->doc;
	struct sb text = { 0 };

	if (!last || !last->nr || !o->file || !was || val_get(was, "uid") || val_get(val_get(meta, "annotations"), LAST_APPLIED))
		return;
	last_applied_print(last, o->ns, &text);
	val_put(a, val_get_or_put(a, meta, "annotations", VAL_MAP), LAST_APPLIED, val_string(a, sb_text(&text)));
	sb_free(&text);
}

/* Kinds of the API server whose strategies (pkg/registry/…/strategy.go PrepareForCreate) leave metadata.generation out. */
static const char *const without_generation[] = {
	"APIService", "CSINode", "CSIStorageCapacity", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding", "ComponentStatus", "ConfigMap", "ControllerRevision",
	"Endpoints", "Event", "HorizontalPodAutoscaler", "IPAddress", "Lease", "LimitRange", "Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "ResourceClaim",
	"ResourceClaimTemplate", "ResourceQuota", "Role", "RoleBinding", "RuntimeClass", "Secret", "Service", "ServiceAccount", "ServiceCIDR", "StorageClass",
	"VolumeAttachment", "VolumeAttributesClass", NULL,
};

static bool has_generation(const struct kind *k)
{
	const char *slash = strchr(k->apis[0], '/'), *dot = slash ? memchr(k->apis[0], '.', (size_t)(slash - k->apis[0])) : NULL;
	bool built_in = !dot || (slash - k->apis[0] > 7 && strncmp(slash - 7, ".k8s.io", 7) == 0);

	for (uint32_t i = 0; built_in && without_generation[i]; i++)
		if (streq(k->name, without_generation[i]))
			return false;
	return true;
}

/* What the name was drawn behind; of slices it follows from their Service. */
static void put_generate_name(struct arena *a, struct val *meta, const struct object *o)
{
	if (o->generate_name && *o->generate_name)
		val_put(a, meta, "generateName", val_string(a, o->generate_name));
	else if (o->kind == &endpointslice_kind && !o->doc && o->owners.nr && o->owners.v[0].name)
		val_put(a, meta, "generateName", val_string(a, arena_printf(a, "%s-", o->owners.v[0].name)));
}

void render_finalizers(struct arena *a, struct val *meta, const struct object *o)
{
	struct val *list;

	if (!meta)
		return;
	if (!o->finalizers.nr) {
		val_del(meta, "finalizers");
		return;
	}
	list = val_put(a, meta, "finalizers", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < o->finalizers.nr; k++)
		val_add(a, list, val_string(a, o->finalizers.v[k]));
}

static void put_meta(struct arena *a, struct val *v, const struct object *o)
{
	const struct val *was = val_get(v, "metadata");
	struct val *meta = val_put(a, v, "metadata", was ? val_copy(a, was) : val_new(a, VAL_MAP));
	char time[32];

	val_put(a, meta, "name", val_string(a, o->name));
	put_generate_name(a, meta, o);
	if (o->ns)
		val_put(a, meta, "namespace", val_string(a, o->ns));
	if (o->uid)
		val_put(a, meta, "uid", val_string(a, o->uid));
	val_put(a, meta, "resourceVersion", val_string(a, arena_printf(a, "%u", o->rev)));
	if (has_generation(o->kind))
		val_put(a, meta, "generation", val_int(a, o->generation));
	if (!val_str_at(meta, "creationTimestamp"))
		val_put(a, meta, "creationTimestamp", val_string(a, time_text(o->created, time)));
	if (o->deleted != NEVER && !val_get(meta, "deletionTimestamp"))
		val_put(a, meta, "deletionTimestamp", val_string(a, time_text(o->deleted, time)));
	if (o->deleted != NEVER && o->kind == &pod_kind && !val_get(meta, "deletionGracePeriodSeconds"))
		val_put(a, meta, "deletionGracePeriodSeconds", val_int(a, o->grace ? o->grace - 1 : ((const struct pod *)o)->spec->grace));
	put_pairs(a, meta, "labels", &o->labels);
	put_pairs(a, meta, "annotations", &o->annotations);
	put_last_applied(a, meta, o, was);
	put_owners(a, meta, o);
	render_finalizers(a, meta, o);
}

/* A Pod's addresses are values in its struct and texts in its status. */
static void put_pod(struct cluster *c, struct arena *a, struct val *v, const struct pod *p)
{
	struct val *spec = val_get_or_put(a, v, "spec", VAL_MAP), *status, *ips;

	render_admitted(c, a, spec, p);
	if (p->node)
		val_put(a, spec, "nodeName", val_string(a, p->node));
	if (p->hostname && !p->spec->hostname)
		val_put(a, spec, "hostname", val_string(a, p->hostname));
	status = val_get_or_put(a, v, "status", VAL_MAP);
	render_pod_status(a, status, p);
	if (!p->given) {
		render_running(a, val_get_mut(status, "containerStatuses"), spec);
		render_running(a, val_get_mut(status, "initContainerStatuses"), spec);
	}
	if (ip_set(p->host_ip))
		val_put(a, status, "hostIP", val_string(a, IP(p->host_ip)));
	if (!ip_set(p->ip))
		return;
	val_put(a, status, "podIP", val_string(a, IP(p->ip)));
	ips = val_put(a, status, "podIPs", val_new(a, VAL_LIST));
	val_put(a, val_add(a, ips, val_new(a, VAL_MAP)), "ip", val_string(a, IP(p->ip)));
	if (ip_set(p->ip2))
		val_put(a, val_add(a, ips, val_new(a, VAL_MAP)), "ip", val_string(a, IP(p->ip2)));
}

/* The template of a set that a controller made. */
static const struct val *own_template(const struct object *o)
{
	return o->kind == &replicaset_kind ? ((const struct workload *)o)->template.doc : o->kind == &job_kind ? ((const struct job *)o)->template.doc : NULL;
}

/* What lies below: the document, or that of which a controller made the object. */
static struct val *ground(struct cluster *c, const struct object *o, struct arena *a)
{
	const struct val *template = o->doc ? NULL : own_template(o);
	struct val *v;

	if (o->doc)
		return val_copy(a, o->doc);
	if (o->kind == &pod_kind)
		return render_from_template(c, a, (const struct pod *)o);
	v = val_new(a, VAL_MAP);
	if (template)
		val_put(a, val_put(a, v, "spec", val_new(a, VAL_MAP)), "template", val_copy(a, template));
	return v;
}

/* In a template a container's port is no host port yet, whatever becomes of its Pods (SetDefaults_Pod alone has defaultHostNetworkPorts). */
static void bare_template_ports(struct val *own, const struct val *doc)
{
	static const char *const lists[] = { "containers", "initContainers" };
	struct val *to = val_path_mut(own, "spec.template.spec");
	const struct val *from = val_path(doc, "spec.template.spec");

	for (size_t l = 0; val_bool_or(val_get(to, "hostNetwork"), false) && l < ARRAY_LEN(lists); l++) {
		uint32_t i = 0;

		VAL_EACH_MUT(box, val_get_mut(to, lists[l])) {
			const struct val *said = val_get(val_at(val_get(from, lists[l]), i++), "ports");
			uint32_t k = 0;

			VAL_EACH_MUT(port, val_get_mut(box, "ports"))
				if (!val_get(val_at(said, k++), "hostPort"))
					val_del(port, "hostPort");
		}
	}
}

/* Fields of a status that the controllers here have no use for. */
static void put_workload(struct arena *a, struct val *v, const struct object *o)
{
	struct val *status = val_get_mut(v, "status");
	const struct workload *w = (const struct workload *)o;

	if (!status || val_get(o->doc, "status"))
		return;
	if (o->kind == &statefulset_kind && !val_get(status, "collisionCount"))
		val_put(a, status, "collisionCount", val_int(a, 0));
	if ((o->kind == &replicaset_kind || o->kind == &replication_controller_kind) && w->st_replicas)
		val_put(a, status, "fullyLabeledReplicas", val_int(a, w->st_replicas));
	if ((o->kind == &replicaset_kind || o->kind == &replication_controller_kind || o->kind == &statefulset_kind) && !val_get(status, "replicas"))
		val_put(a, status, "replicas", val_int(a, 0));
}

/* A CronJob's template is no Job yet: what a Job gets by default is not in it (zz_generated.defaults.go SetObjectDefaults_CronJob). */
static void bare_job_template(struct val *own, const struct val *doc)
{
	struct val *spec = val_path_mut(own, "spec.jobTemplate.spec");
	const struct val *said = val_path(doc, "spec.jobTemplate.spec");

	for (const struct val *m = val_first(spec), *next; m; m = next) {
		next = m->next;
		if (strcmp(m->key, "template") != 0 && !val_get(said, m->key))
			val_del(spec, m->key);
	}
}

struct val *object_render(struct cluster *c, const struct object *o, struct arena *a)
{
	struct val *v = ground(c, o, a), *own = val_new(a, VAL_MAP), *status;

	if (!val_get(v, "apiVersion"))
		val_put(a, v, "apiVersion", val_string(a, o->kind->apis[0]));
	if (!val_get(v, "kind"))
		val_put(a, v, "kind", val_string(a, o->kind->name));
	put_meta(a, v, o);
	kind_fill(o->kind, a, v);
	if (o->kind->fields)
		fields_encode(a, o->kind->fields, o, own);
	if (o->kind == &cron_job_kind)
		bare_job_template(own, o->doc);
	bare_template_ports(own, v);
	lay(a, v, own);
	if ((o->kind == &job_kind || o->kind == &cron_job_kind) && !val_get(v, "status"))
		val_put(a, v, "status", val_new(a, VAL_MAP));
	status = val_get_mut(v, "status");
	if (o->kind == &job_kind)
		render_job_status(a, status, (const struct job *)o);
	else if (o->kind == &cron_job_kind)
		render_cron_job_status(c, a, status, (const struct cron_job *)o);
	if (status && o->kind != &pod_kind && o->kind != &node_kind)
		render_condition_times(a, status, o);
	put_workload(a, v, o);
	if (o->kind == &pod_kind)
		put_pod(c, a, v, (const struct pod *)o);
	else if ((o->kind == &service_kind || o->kind == &ingress_kind) && !val_get(v, "status"))
		val_put(a, val_put(a, v, "status", val_new(a, VAL_MAP)), "loadBalancer", val_new(a, VAL_MAP));
	else if (o->kind == &node_kind && !val_get(val_get(o->doc, "status"), "conditions") && val_get(v, "status"))
		render_node_status(a, val_get_mut(v, "status"), (const struct node *)o);
	return v;
}
