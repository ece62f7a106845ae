/* The controller of claims and volumes: volumes.h. */
#include "model/control/volumes.h"

#include "model/base/quantity.h"
#include "model/cluster/apply.h"
#include "model/control/finalizers.h"
#include "model/control/fit.h"
#include "model/control/workloads.h"

#define COMPONENT     "persistentvolume-controller"
#define NO_PROVISIONER "kubernetes.io/no-provisioner"
#define LOCAL_PATH     "rancher.io/local-path"          /* pins what it makes to the node */
#define DEFAULT_CLASS  "storageclass.kubernetes.io/is-default-class"
#define CLASS_NOTE     "volume.beta.kubernetes.io/storage-class"

struct memory {
	struct map said;                        /* claim → the reason of its last event */
	struct map users;                       /* namespace and name of a claim → how many volumes of Pods are it */
	struct table counted;                   /* Pod → the spec by which it is counted there; 0: it is not */
};

static struct memory *memory_of(const struct control *t)
{
	return control_state(t, CTL_VOLUME);
}

bool volumes_matter(struct cluster *c)
{
	return !cluster_flags(c)->no_defaults && (cluster_count(c, &storage_class_kind) || cluster_count(c, &pv_kind));
}

bool has_claims(const struct pod_spec *s)
{
	for (uint32_t k = 0; k < s->volumes.nr; k++)
		if (s->volumes.v[k].claim)
			return true;
	return false;
}

/* ---- what a claim or a volume says; both have their documents only */

const char *volume_class(const struct object *o)
{
	const char *s = label_get(&o->annotations, CLASS_NOTE);

	s = s ? s : val_str_at(o->doc, "spec.storageClassName");
	return s ? s : "";
}

static const char *phase_of(const struct object *o)
{
	const char *s = val_str_at(o->doc, "status.phase");

	return s ? s : "";
}

static bool is_bound(const struct object *claim)
{
	return streq(phase_of(claim), "Bound");
}

static const char *mode_of(const struct object *o)
{
	const char *s = val_str_at(o->doc, "spec.volumeMode");

	return s ? s : "Filesystem";
}

static bool waits_for_pod(struct cluster *c, const struct object *claim)
{
	const struct object *class = cluster_find(c, &storage_class_kind, NULL, volume_class(claim));

	return class && streq(val_str_at(class->doc, "volumeBindingMode"), "WaitForFirstConsumer");
}

static int64_t amount(const struct val *v)
{
	int64_t milli = 0;

	quantity_of(v, &milli);
	return milli;
}

const char *volume_lacks_mode(const struct object *volume, const struct object *claim)
{
	VAL_EACH(want, val_path(claim->doc, "spec.accessModes")) {
		bool found = false;

		VAL_EACH(have, val_path(volume->doc, "spec.accessModes"))
			found = found || streq(val_str(have), val_str(want));
		if (!found)
			return val_str(want) ? val_str(want) : "";
	}
	return NULL;
}

static bool selected(struct cluster *c, const struct object *claim, const struct object *volume)
{
	const struct val *v = val_path(claim->doc, "spec.selector");
	struct arena *scratch;
	struct selector s = { 0 };
	struct err none = { 0 };
	bool yes;

	if (!v)
		return true;
	scratch = arena_new(NULL, "selector");
	fields_decode(&(struct decode){ .strings = cluster_strings(c), .arena = scratch, .unknown = VALIDATE_IGNORE, .err = &none }, selector_fields, v, "", &s);
	yes = selector_matches(&s, &volume->labels);
	err_free(&none);
	arena_free(scratch);
	return yes;
}

static bool reachable_from(const struct object *volume, const struct node *n)
{
	const struct val *required = val_path(volume->doc, "spec.nodeAffinity.required");

	return !n || !val_is(required, VAL_MAP) || node_terms_match(val_get(required, "nodeSelectorTerms"), n);
}

static bool reserved_for(const struct object *volume, const struct object *claim)
{
	const struct val *ref = val_path(volume->doc, "spec.claimRef");

	return ref && streq(val_str_at(ref, "name"), claim->name) && streq(val_str_at(ref, "namespace"), claim->ns) && (!val_str_at(ref, "uid") || streq(val_str_at(ref, "uid"), claim->uid));
}

/* The smallest volume that will do; one that is reserved for the claim comes before all others. */
static struct object *match(struct cluster *c, const struct object *claim, const struct node *n)
{
	struct object_list l = cluster_list(c, &pv_kind);
	const char *asked = val_str_at(claim->doc, "spec.volumeName");
	int64_t want = amount(val_path(claim->doc, "spec.resources.requests.storage")), least = INT64_MAX;
	struct object *best = NULL;

	for (uint32_t k = 0; k < l.nr; k++) {
		struct object *o = l.v[k];
		int64_t size = amount(val_path(o->doc, "spec.capacity.storage"));
		bool reserved = reserved_for(o, claim);

		if (o->deleted != NEVER || (asked && !streq(asked, o->name)) || (val_path(o->doc, "spec.claimRef") && !reserved) || streq(phase_of(o), "Released") || streq(phase_of(o), "Failed"))
			continue;
		if (size < want || !streq(mode_of(o), mode_of(claim)) || volume_lacks_mode(o, claim) || !reachable_from(o, n))
			continue;
		if (reserved)
			return o;
		if ((!asked && !streq(volume_class(o), volume_class(claim))) || !selected(c, claim, o) || size >= least)
			continue;
		least = size;
		best = o;
	}
	return best;
}

/* ---- protection (plugin/pkg/admission/storage/storageobjectinuseprotection, pkg/controller/volume/{pvcprotection,pvprotection}) */

static const char *finalizer_of(const struct object *o)
{
	return o->kind == &pvc_kind ? "kubernetes.io/pvc-protection" : "kubernetes.io/pv-protection";
}

void volume_protect(struct cluster *c, struct object *o)
{
	finalizer_add(c, o, finalizer_of(o));
}

static uint64_t *users_of(struct control *t, str ns, str claim)
{
	return map_put(&memory_of(t)->users, cluster_arena(control_cluster(t)), hash_mix(map_ptr(ns), map_ptr(claim)));
}

/* A claim by any Pod that has a node, ended ones too; a volume by being bound. */
static bool in_use(struct control *t, const struct object *o)
{
	return o->kind == &pv_kind ? streq(phase_of(o), "Bound") : *users_of(t, o->ns, o->name) != 0;
}

static void count_users(struct control *t, const struct pod *p, const struct pod_spec *spec, int sign)
{
	for (uint32_t k = 0; spec && k < spec->volumes.nr; k++)
		if (spec->volumes.v[k].claim)
			*users_of(t, p->o.ns, spec->volumes.v[k].claim) += (uint64_t)(int64_t)sign;
}

static bool has_claims_of(const struct control *t, const struct object *pod)
{
	(void)t;
	return has_claims(((const struct pod *)pod)->spec);
}

/* ---- binding */

static struct val *member(struct arena *a, struct val *map, const char *key) { return val_get_or_put(a, map, key, VAL_MAP); }

static void set_status(struct cluster *c, struct val *doc, const char *phase)
{
	struct arena *a = cluster_arena(c);

	val_put(a, member(a, doc, "status"), "phase", val_string(a, phase));
}

static void bind(struct control *t, struct object *claim, struct object *volume)
{
	struct cluster *c = control_cluster(t);
	struct arena *a = cluster_arena(c);
	struct val *v = object_edit(c, volume), *p = object_edit(c, claim), *ref = val_new(a, VAL_MAP), *status;
	const struct val *modes = val_path(v, "spec.accessModes"), *capacity = val_path(v, "spec.capacity");

	val_put(a, ref, "apiVersion", val_string(a, "v1"));
	val_put(a, ref, "kind", val_string(a, "PersistentVolumeClaim"));
	val_put(a, ref, "name", val_string(a, claim->name));
	val_put(a, ref, "namespace", val_string(a, claim->ns));
	val_put(a, ref, "uid", val_string(a, claim->uid));
	val_put(a, member(a, v, "spec"), "claimRef", ref);
	set_status(c, v, "Bound");
	val_put(a, member(a, p, "spec"), "volumeName", val_string(a, volume->name));
	set_status(c, p, "Bound");
	status = member(a, p, "status");
	if (modes)
		val_put(a, status, "accessModes", val_copy(a, modes));
	if (capacity)
		val_put(a, status, "capacity", val_copy(a, capacity));
	annotate(t, claim, "pv.kubernetes.io/bind-completed", "yes");
	annotate(t, claim, "pv.kubernetes.io/bound-by-controller", "yes");
	cluster_touch(c, volume);
	cluster_touch(c, claim);
}

/* What the class' provisioner makes. */
static void provision(struct control *t, struct object *claim, const struct object *class, const struct node *n)
{
	struct cluster *c = control_cluster(t);
	struct arena *a = cluster_arena(c);
	const char *provisioner = val_str_at(class->doc, "provisioner"), *reclaim = val_str_at(class->doc, "reclaimPolicy");
	const struct val *modes = val_path(claim->doc, "spec.accessModes"), *size = val_path(claim->doc, "spec.resources.requests.storage");
	struct object *o = object_new(c, &pv_kind, NULL, cluster_str(c, arena_printf(a, "pvc-%s", claim->uid)));
	struct val *doc = val_new(a, VAL_MAP), *spec;

	cluster_event(c, claim, false, COMPONENT, "ExternalProvisioning", "Waiting for a volume to be created either by the external provisioner '%s' or manually by the system administrator. "
		      "If volume creation is delayed, please verify that the provisioner is running and correctly registered.", provisioner);
	val_put(a, doc, "apiVersion", val_string(a, "v1"));
	val_put(a, doc, "kind", val_string(a, "PersistentVolume"));
	spec = val_put(a, doc, "spec", val_new(a, VAL_MAP));
	if (modes)
		val_put(a, spec, "accessModes", val_copy(a, modes));
	if (size)
		val_put(a, member(a, spec, "capacity"), "storage", val_copy(a, size));
	val_put(a, spec, "persistentVolumeReclaimPolicy", val_string(a, reclaim ? reclaim : "Delete"));
	val_put(a, spec, "storageClassName", val_string(a, class->name));
	val_put(a, spec, "volumeMode", val_string(a, mode_of(claim)));
	if (n && streq(provisioner, LOCAL_PATH)) {
		struct val *terms = val_put(a, member(a, member(a, spec, "nodeAffinity"), "required"), "nodeSelectorTerms", val_new(a, VAL_LIST)), *term = val_add(a, terms, val_new(a, VAL_MAP));
		struct val *one = val_add(a, val_put(a, term, "matchExpressions", val_new(a, VAL_LIST)), val_new(a, VAL_MAP));

		val_put(a, one, "key", val_string(a, "kubernetes.io/hostname"));
		val_put(a, one, "operator", val_string(a, "In"));
		val_add(a, val_put(a, one, "values", val_new(a, VAL_LIST)), val_string(a, n->o.name));
	}
	o->doc = doc;
	o->annotations = pairs_with(c, &o->annotations, "pv.kubernetes.io/provisioned-by", provisioner);
	volume_protect(c, o);
	cluster_add(c, o);
	bind(t, claim, o);
	cluster_event(c, claim, false, provisioner, "ProvisioningSucceeded", "Successfully provisioned volume %s", o->name);
}

static bool provisions(const struct object *class)
{
	const char *provisioner = class ? val_str_at(class->doc, "provisioner") : NULL;

	return provisioner && !streq(provisioner, NO_PROVISIONER);
}

/* ---- what the scheduler asks */

static struct object *claim_of(struct cluster *c, const struct pod *p, uint32_t k)
{
	return p->spec->volumes.v[k].claim ? cluster_find(c, &pvc_kind, p->o.ns, p->spec->volumes.v[k].claim) : NULL;
}

const char *claims_block(struct cluster *c, const struct pod *p, struct arena *a)
{
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		const struct object *o = claim_of(c, p, k);

		if (!p->spec->volumes.v[k].claim)
			continue;
		if (!o)
			return arena_printf(a, "persistentvolumeclaim \"%s\" not found", p->spec->volumes.v[k].claim);
		if (o->deleted != NEVER)
			return arena_printf(a, "persistentvolumeclaim \"%s\" is being deleted", o->name);
		if (!is_bound(o) && !waits_for_pod(c, o))
			return "pod has unbound immediate PersistentVolumeClaims";
	}
	return NULL;
}

const char *claims_problem(struct cluster *c, const struct pod *p, const struct node *n)
{
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		const struct object *o = claim_of(c, p, k), *volume;

		if (!o)
			continue;
		if (is_bound(o)) {
			volume = cluster_find(c, &pv_kind, NULL, val_str_at(o->doc, "spec.volumeName"));
			if (volume && !reachable_from(volume, n))
				return FIT_VOLUME_NODE;
		} else if (!match(c, o, n) && !provisions(cluster_find(c, &storage_class_kind, NULL, volume_class(o)))) {
			return FIT_VOLUME_NONE;
		}
	}
	return NULL;
}

void claims_bind(struct control *t, const struct pod *p, const struct node *n)
{
	struct cluster *c = control_cluster(t);

	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		struct object *o = claim_of(c, p, k), *volume;
		const struct object *class;

		if (!o || is_bound(o))
			continue;
		annotate(t, o, "volume.kubernetes.io/selected-node", n->o.name);
		volume = match(c, o, n);
		class = cluster_find(c, &storage_class_kind, NULL, volume_class(o));
		if (volume)
			bind(t, o, volume);
		else if (provisions(class))
			provision(t, o, class, n);
	}
}

/* ---- the controller */

static void say(struct control *t, const struct object *claim, bool warning, const char *reason, const char *text)
{
	struct cluster *c = control_cluster(t);
	uint64_t *at = map_put(&memory_of(t)->said, cluster_arena(c), claim->id.i);
	str word = cluster_str(c, reason);

	if (*at == map_ptr(word))
		return;
	*at = map_ptr(word);
	cluster_event(c, claim, warning, COMPONENT, reason, "%s", text);
}

/* A claim that names no class has the default one: the newest of those that are marked (assignDefaultStorageClass). */
static void default_class(struct cluster *c, struct object *claim)
{
	struct object_list l = cluster_list(c, &storage_class_kind);
	const struct object *best = NULL;

	if (val_path(claim->doc, "spec.storageClassName") || label_get(&claim->annotations, CLASS_NOTE))
		return;
	for (uint32_t k = 0; k < l.nr; k++)
		if (streq(label_get(&l.v[k]->annotations, DEFAULT_CLASS), "true") && (!best || l.v[k]->created > best->created))
			best = l.v[k];
	if (best) {
		struct val *doc = object_edit(c, claim);

		val_put(cluster_arena(c), member(cluster_arena(c), doc, "spec"), "storageClassName", val_string(cluster_arena(c), best->name));
		cluster_touch(c, claim);
	}
}

/* The claim is gone: its volume is deleted, or kept for whoever looks after it. */
static void release(struct control *t, const struct object *claim)
{
	struct cluster *c = control_cluster(t);
	struct object_list l = cluster_list(c, &pv_kind);

	for (uint32_t k = l.nr; k-- > 0;) {
		struct object *o = l.v[k];

		if (!reserved_for(o, claim) || !streq(phase_of(o), "Bound"))
			continue;
		set_status(c, object_edit(c, o), "Released");
		cluster_touch(c, o);
		if (streq(val_str_at(o->doc, "spec.persistentVolumeReclaimPolicy"), "Delete") && label_get(&o->annotations, "pv.kubernetes.io/provisioned-by"))
			apply_delete(c, o);
		return;
	}
}

static void run_claim(struct control *t, struct object *o)
{
	struct cluster *c = control_cluster(t);
	const struct object *class;
	struct object *volume;
	char text[320];

	if (is_bound(o) || o->deleted != NEVER)
		return;
	default_class(c, o);
	class = cluster_find(c, &storage_class_kind, NULL, volume_class(o));
	if (waits_for_pod(c, o) && !val_str_at(o->doc, "spec.volumeName")) {
		say(t, o, false, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
		return;
	}
	volume = match(c, o, NULL);
	if (volume) {
		bind(t, o, volume);
	} else if (val_str_at(o->doc, "spec.volumeName")) {
		return;
	} else if (provisions(class)) {
		provision(t, o, class, NULL);
	} else if (class) {
		say(t, o, true, "ProvisioningFailed", "no volume plugin matched name: " NO_PROVISIONER);
	} else if (*volume_class(o)) {
		snprintf(text, sizeof(text), "storageclass.storage.k8s.io \"%s\" not found", volume_class(o));
		say(t, o, true, "ProvisioningFailed", text);
	} else {
		say(t, o, false, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
	}
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct cluster *c = control_cluster(t);

	(void)now;
	if (!o->gone && o->kind != &storage_class_kind)
		if (o->deleted != NEVER && finalizer_has(o, finalizer_of(o)) && !in_use(t, o))
			finalizer_drop(c, o, finalizer_of(o));
	if (!volumes_matter(c))
		return;
	if (o->kind == &pvc_kind && o->gone)
		release(t, o);
	else if (o->kind == &pvc_kind)
		run_claim(t, o);
	else if (o->kind == &pv_kind && !o->gone && !*phase_of(o) && o->deleted == NEVER) {
		set_status(c, object_edit(c, o), "Available");
		cluster_touch(c, o);
	}
}

/* Who of its claims waits until nobody uses it? */
static void hear_pod(struct control *t, const struct pod *p)
{
	uint64_t *counted = table_at(t, &memory_of(t)->counted, p->o.id.i);
	const struct pod_spec *was = (const struct pod_spec *)(uintptr_t)*counted, *is = p->node && !p->o.gone ? p->spec : NULL;

	if (was == is)
		return;
	*counted = map_ptr(is);
	count_users(t, p, is, 1);
	count_users(t, p, was, -1);
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++) {
		struct object *o = claim_of(control_cluster(t), p, k);

		if (o && o->deleted != NEVER && !in_use(t, o))
			control_wake(t, CTL_VOLUME, o, 0);
	}
}

static void watch(struct control *t, const struct change *ch)
{
	struct object_list l;

	if (ch->object->kind == &pod_kind) {
		hear_pod(t, (const struct pod *)ch->object);
		return;
	}
	control_wake(t, CTL_VOLUME, ch->object, 0);
	if (ch->object->kind == &pvc_kind)
		return;
	l = cluster_list(control_cluster(t), &pvc_kind);
	for (uint32_t k = 0; k < l.nr; k++)
		if (!is_bound(l.v[k]))
			control_wake(t, CTL_VOLUME, l.v[k], 0);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct memory);
}

static const struct kind *const kinds_heard[] = { &pod_kind, &pvc_kind, &pv_kind, &storage_class_kind, NULL };
const struct controller volume_controller = { .name = "volume", .kinds = kinds_heard, .pods = POD_ADDED | POD_GONE | POD_BOUND | POD_OTHER, .concerns = has_claims_of, .init = init, .watch = watch, .run = run };
