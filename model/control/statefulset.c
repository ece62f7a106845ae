/* StatefulSets: Pods with names that stay, made and updated one after another. Source: pkg/controller/statefulset/stateful_set_control.go, stateful_set_utils.go. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/control/admission.h"
#include "model/control/gc.h"
#include "model/control/limits.h"
#include "model/control/revisions.h"
#include "model/control/volumes.h"
#include "model/control/workloads.h"

/* The template that Pods below the partition still have. */
struct kept { str revision; struct pod_template template; };

struct place { int64_t nr; struct pod *pod; };           /* nr: the ordinal less the first; pod: NULL where none is */

struct setting {
	struct control *t;
	struct cluster *c;
	struct workload *s;
	struct arena *scratch;
	nsec now, again;
	str update;                             /* the revision of the template */
	struct pod **pods; uint32_t nr_pods;    /* all that are its own */
	struct place *places; uint32_t nr;      /* in their order */
	struct pod **condemned; uint32_t nr_condemned;  /* the highest ordinal first */
	bool ordered;
	uint32_t more;                          /* Pods that are still to be made */
	bool refused;                           /* by admission: no more are tried in this run */
};

struct memory { struct map kept; struct selector_index index; };       /* kept: StatefulSet → struct kept */

static struct selector_index *index_of(struct control *t)
{
	return &((struct memory *)control_state(t, CTL_STATEFULSET))->index;
}

/* A Pod that belongs to nobody goes: it may have stood in the way of one of that name. Kubernetes tries again after a back-off; here the next try comes at once. */
static void wake_namesake(struct control *t, const struct object *pod)
{
	const char *dash = strrchr(pod->name, '-');
	struct cluster *c = control_cluster(t);
	struct object *s = dash ? cluster_at(c, &statefulset_kind, pod->ns, str_intern_n(cluster_strings(c), pod->name, (size_t)(dash - pod->name))) : NULL;

	if (s)
		control_wake(t, CTL_STATEFULSET, s, 0);
}

static void watch(struct control *t, const struct change *ch)
{
	if (ch->object->kind == &pod_kind) {
		if (ch->kind == CHANGE_DELETE && !ch->object->owners.nr)
			wake_namesake(t, ch->object);
		wake_owner(t, CTL_STATEFULSET, &statefulset_kind, index_of(t), (struct pod *)ch->object);
		return;
	}
	if (ch->kind == CHANGE_DELETE)
		return;
	selector_index_add(t, index_of(t), ch->object, &((struct workload *)ch->object)->selector.labels);
	control_wake(t, CTL_STATEFULSET, ch->object, 0);
}

/* The whole text as a number; -1: it is none, or too large for an ordinal. */
static int32_t number_in(const char *s)
{
	int64_t v = 0;

	for (const char *c = s; *c; c++) {
		if (!isdigit((unsigned char)*c))
			return -1;
		v = MIN(v * 10 + (*c - '0'), (int64_t)INT32_MAX + 1);
	}
	return *s && v <= INT32_MAX ? (int32_t)v : -1;
}

/* What stands behind SET- in the Pod's name; "": it has another. */
static const char *behind_dash(const struct object *set, const struct pod *p)
{
	size_t n = strlen(set->name);

	return strncmp(p->o.name, set->name, n) == 0 && p->o.name[n] == '-' ? p->o.name + n + 1 : "";
}

/* isMemberOf: only a Pod of the name SET-DIGITS is its own, whatever labels others have. */
static bool is_member(const struct object *set, const struct pod *p)
{
	const char *s = behind_dash(set, p);

	return *s && !s[strspn(s, "0123456789")];
}

static int highest_first(const void *a, const void *b)
{
	const struct pod *p = *(struct pod *const *)a, *q = *(struct pod *const *)b;
	size_t np = strlen(p->o.name), nq = strlen(q->o.name);

	return np != nq ? (np < nq ? 1 : -1) : -strcmp(p->o.name, q->o.name);
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

static void all_places(struct setting *x, const struct place *had, uint32_t nr)
{
	x->nr = (uint32_t)MAX(x->s->replicas, 0);
	x->places = arena_array(x->scratch, struct place, x->nr);
	for (uint32_t k = 0; k < x->nr; k++)
		x->places[k].nr = k;
	for (uint32_t k = 0; k < nr; k++)
		x->places[had[k].nr].pod = had[k].pod;
}

/* Where more are to be made than a cluster may hold: those that have a Pod and the first that has none (which is refused). */
static void some_places(struct setting *x, struct place *had, uint32_t nr)
{
	uint32_t gap = 0;

	qsort(had, nr, sizeof(*had), by_place);
	while (gap < nr && had[gap].nr == gap)
		gap++;
	memmove(had + gap + 1, had + gap, (nr - gap) * sizeof(*had));
	had[gap] = (struct place){ gap, NULL };
	x->places = had;
	x->nr = nr + 1;
}

static void sort_out(struct setting *x)
{
	struct place *had;
	uint32_t nr = 0;

	x->pods = pods_claimed(x->t, &x->s->o, &x->s->selector, is_member, x->scratch, &x->nr_pods);
	x->condemned = arena_array(x->scratch, struct pod *, x->nr_pods);
	had = arena_array(x->scratch, struct place, x->nr_pods + 1);
	for (uint32_t k = 0; k < x->nr_pods; k++) {
		int32_t ordinal = number_in(behind_dash(&x->s->o, x->pods[k]));
		int64_t place = (int64_t)ordinal - x->s->ordinal_start;

		if (place >= 0 && place < x->s->replicas)
			had[nr++] = (struct place){ place, x->pods[k] };
		else if (ordinal >= 0)          /* what is no ordinal is left alone */
			x->condemned[x->nr_condemned++] = x->pods[k];
	}
	x->more = (uint32_t)MAX(x->s->replicas - (int64_t)nr, 0);
	if (x->more > MOST_PODS)
		some_places(x, had, nr);
	else
		all_places(x, had, nr);
	if (x->nr_condemned)
		qsort(x->condemned, x->nr_condemned, sizeof(*x->condemned), highest_first);
}

/* ---- making */

static void name_service(struct control *t, struct pod_spec *s, void *ctx)
{
	(void)t;
	s->subdomain = ((struct workload *)ctx)->service_name;
	s->hostname = NULL;             /* the Pod's name takes its place (initIdentity) */
}

/* ---- a claim of its own for each Pod and volumeClaimTemplate (getPersistentVolumeClaims): it outlives the Pod, and the next of that name has it again */

struct claiming { const struct val *templates; const char *pod; };

static const char *claim_name(struct arena *a, const struct val *template, const char *pod)
{
	return arena_printf(a, "%s-%s", val_str_at(template, "metadata.name") ? val_str_at(template, "metadata.name") : "", pod);
}

static bool deletes_claims(const struct setting *x, const char *when)
{
	const char *s = val_str_at(val_path(x->s->o.doc, "spec.persistentVolumeClaimRetentionPolicy"), when);

	return s && strcmp(s, "Delete") == 0;
}

/* The number at the end of TEMPLATE-SET-N; -1: it is no claim of this set. */
static int32_t claim_ordinal(const struct setting *x, const char *name)
{
	size_t n = strlen(x->s->o.name);

	VAL_EACH(t, val_path(x->s->o.doc, "spec.volumeClaimTemplates")) {
		const char *base = val_str_at(t, "metadata.name");
		size_t m = base ? strlen(base) : 0;

		if (m && strncmp(name, base, m) == 0 && name[m] == '-' && strncmp(name + m + 1, x->s->o.name, n) == 0 && name[m + 1 + n] == '-' && number_in(name + m + n + 2) >= 0)
			return number_in(name + m + n + 2);
	}
	return -1;
}

/* persistentVolumeClaimRetentionPolicy (updateClaimOwnerRefForSetAndPod): claims belong to a set with whose end they go; with whenScaled a claim goes when its Pod has been scaled away. */
static void tend_claims(struct setting *x)
{
	bool with_set = deletes_claims(x, "whenDeleted"), with_pod = deletes_claims(x, "whenScaled");
	struct object_list l = with_set || with_pod ? cluster_list_ns(x->c, &pvc_kind, x->s->o.ns) : (struct object_list){ 0 };
	struct object **claims = arena_copy(x->scratch, l.v, l.nr * sizeof(*l.v));

	for (uint32_t k = 0; k < l.nr; k++) {
		int32_t ordinal = claim_ordinal(x, claims[k]->name);
		int64_t place = (int64_t)ordinal - x->s->ordinal_start;
		bool scaled_away = place < 0 || place >= x->s->replicas;

		if (ordinal < 0 || claims[k]->deleted != NEVER)
			continue;
		if (with_set && !claims[k]->owners.nr) {
			own(x->c, claims[k], &x->s->o);
			gc_learn(x->t, claims[k]);
			cluster_touch(x->c, claims[k]);
		}
		if (with_pod && scaled_away && !cluster_find(x->c, &pod_kind, x->s->o.ns, arena_printf(x->scratch, "%s-%d", x->s->o.name, ordinal)))
			apply_delete(x->c, claims[k]);
	}
}

static void make_claims(struct setting *x, const struct val *templates, const char *pod)
{
	struct arena *a = cluster_arena(x->c);

	VAL_EACH(t, templates) {
		const char *name = claim_name(x->scratch, t, pod);
		const struct val *spec = val_get(t, "spec"), *labels = val_path(t, "metadata.labels");
		struct object *o;
		struct val *doc;

		if (cluster_find(x->c, &pvc_kind, x->s->o.ns, name))
			continue;
		o = object_new(x->c, &pvc_kind, x->s->o.ns, cluster_str(x->c, name));
		doc = val_new(a, VAL_MAP);
		val_put(a, doc, "apiVersion", val_string(a, "v1"));
		val_put(a, doc, "kind", val_string(a, "PersistentVolumeClaim"));
		if (spec)
			val_put(a, doc, "spec", val_copy(a, spec));
		o->doc = doc;
		o->labels = x->s->selector.labels;
		VAL_EACH(l, labels)
			if (val_str(l))
				o->labels = pairs_with(x->c, &o->labels, l->key, val_str(l));
		volume_protect(x->c, o);
		cluster_add(x->c, o);
		cluster_event(x->c, &x->s->o, false, "statefulset-controller", "SuccessfulCreate", "create Claim %s Pod %s in StatefulSet %s success", name, pod, x->s->o.name);
	}
}

/* updateStorage: a volume of the template's name is that claim. */
static void add_volumes(struct control *t, struct pod_spec *s, const struct claiming *k)
{
	struct cluster *c = control_cluster(t);
	struct volume *v = arena_array(cluster_arena(c), struct volume, s->volumes.nr + k->templates->nr);
	uint32_t nr = 0;

	VAL_EACH(one, k->templates)
		v[nr++] = (struct volume){ .name = cluster_str(c, val_str_at(one, "metadata.name")), .claim = cluster_str(c, claim_name(cluster_arena(c), one, k->pod)) };
	for (uint32_t i = 0; i < s->volumes.nr; i++) {
		bool replaced = false;

		for (uint32_t j = 0; j < k->templates->nr; j++)
			replaced = replaced || v[j].name == s->volumes.v[i].name;
		if (!replaced)
			v[nr++] = s->volumes.v[i];
	}
	s->volumes.v = v;
	s->volumes.nr = nr;
	s->volumes.set = true;
}

struct naming { struct workload *set; struct claiming claims; };

static void name_and_claim(struct control *t, struct pod_spec *s, void *ctx)
{
	struct naming *n = ctx;

	name_service(t, s, n->set);
	add_volumes(t, s, &n->claims);
}

static const struct pod_template *template_for(struct setting *x, int64_t place, str *revision)
{
	struct kept *k = map_get_ptr(&((struct memory *)control_state(x->t, CTL_STATEFULSET))->kept, x->s->o.id.i);

	*revision = x->update;
	if (k && k->revision != x->update && place < x->s->partition) {
		*revision = k->revision;
		return &k->template;
	}
	return &x->s->template;
}

static void make(struct setting *x, int64_t place)
{
	const char *ordinal = arena_printf(x->scratch, "%" PRId64, x->s->ordinal_start + place);
	str name = cluster_str(x->c, arena_printf(x->scratch, "%s-%s", x->s->o.name, ordinal)), revision;
	const struct pod_template *tpl = template_for(x, place, &revision);
	const struct val *claims = val_path(x->s->o.doc, "spec.volumeClaimTemplates");
	bool claimed = val_is(claims, VAL_LIST) && claims->nr && volumes_matter(x->c);
	const struct pod_spec *spec;
	struct pod *p;

	if (x->refused || cluster_at(x->c, &pod_kind, x->s->o.ns, name))      /* somebody else's has that name: AlreadyExists, of which no event tells (stateful_pod_control.go CreateStatefulPod) */
		return;
	if (claimed)
		make_claims(x, claims, name);
	x->refused = admission_refuses(x->t, CTL_STATEFULSET, &x->s->o, tpl->spec, x->more, name, "statefulset-controller",
				       arena_printf(x->scratch, "create Pod %s in StatefulSet %s failed error", name, x->s->o.name), x->scratch) != NULL;
	if (x->refused)
		return;
	x->more--;
	p = pod_from(x->t, &x->s->o, tpl, name);
	p->o.labels = pairs_with(x->c, &p->o.labels, REVISION_LABEL, revision);
	p->o.labels = pairs_with(x->c, &p->o.labels, "statefulset.kubernetes.io/pod-name", name);
	p->o.labels = pairs_with(x->c, &p->o.labels, "apps.kubernetes.io/pod-index", ordinal);
	p->o.generate_name = cluster_str(x->c, arena_printf(x->scratch, "%s-", x->s->o.name));
	spec = limits_apply(x->t, x->s->o.ns, tpl->spec);
	if (claimed)
		p->spec = spec_variant(x->t, spec, arena_printf(x->scratch, "statefulset %s %s", x->s->o.uid, name), name_and_claim, &(struct naming){ x->s, { claims, name } });
	else
		p->spec = spec_variant(x->t, spec, arena_printf(x->scratch, "statefulset %s", x->s->o.uid), name_service, x->s);
	p->hostname = name;
	cluster_add(x->c, &p->o);
	cluster_event(x->c, &x->s->o, false, "statefulset-controller", "SuccessfulCreate", "create Pod %s in StatefulSet %s successful", name, x->s->o.name);
}

static void unmake(struct setting *x, struct pod *p)
{
	cluster_event(x->c, &x->s->o, false, "statefulset-controller", "SuccessfulDelete", "delete Pod %s in StatefulSet %s successful", p->o.name, x->s->o.name);
	apply_delete(x->c, &p->o);
}

static bool terminating(const struct pod *p)
{
	return p->o.deleted != NEVER;
}

static bool healthy(const struct pod *p)
{
	return p->phase == POD_RUNNING && pod_is_ready(p) && !terminating(p);
}

/* One ordinal after another, each ready before the next. true: go on to the next. */
static bool tend(struct setting *x, const struct place *place)
{
	struct pod *p = place->pod;

	if (!p) {
		make(x, place->nr);
		return !x->ordered;
	}
	if (terminating(p))
		return !x->ordered;
	if (pod_is_terminal(p)) {
		unmake(x, p);           /* the next of its name comes when it is gone */
		return !x->ordered;
	}
	return !x->ordered || (healthy(p) && pod_is_available(p, x->s->min_ready_seconds, x->now, &x->again));
}

static bool available(struct setting *x, const struct pod *p)
{
	return healthy(p) && pod_is_available(p, x->s->min_ready_seconds, x->now, &x->again);
}

/* processCondemned: from the highest ordinal down, one after another; one that is not available blocks, unless it is the lowest such. */
static void drop_condemned(struct setting *x)
{
	const struct pod *first = NULL;

	for (uint32_t k = x->nr_condemned; k-- > 0 && !first;)
		if (!available(x, x->condemned[k]))
			first = x->condemned[k];
	for (uint32_t k = 0; k < x->nr_condemned; k++) {
		struct pod *p = x->condemned[k];

		if (!terminating(p) && (!x->ordered || available(x, p) || p == first))
			unmake(x, p);
		if (x->ordered)
			return;
	}
}

static str revision_of(const struct pod *p)
{
	return label_get(&p->o.labels, REVISION_LABEL);
}

/* From the highest ordinal down to the partition, one at a time. */
static void update(struct setting *x)
{
	if (streq(x->s->strategy, "OnDelete"))
		return;
	for (uint32_t k = x->nr; k-- > 0 && x->places[k].nr >= x->s->partition;) {
		struct pod *p = x->places[k].pod;

		if (!p)
			return;
		if (revision_of(p) != x->update && !terminating(p)) {
			unmake(x, p);
			return;
		}
		if (terminating(p) || !pod_is_available(p, x->s->min_ready_seconds, x->now, &x->again))
			return;
	}
}

/* ---- status */

static void write_status(struct setting *x)
{
	struct workload *s = x->s;
	struct workload was = *s;
	bool all_updated = x->nr_pods == (uint32_t)MAX(s->replicas, 0);         /* completeRollingUpdate */

	s->st_replicas = s->st_ready = s->st_available = s->st_updated = s->st_current = 0;
	for (uint32_t k = 0; k < x->nr_pods; k++) {
		const struct pod *p = x->pods[k];

		all_updated = all_updated && revision_of(p) == x->update && healthy(p);
		s->st_replicas++;
		s->st_ready += p->phase == POD_RUNNING && pod_is_ready(p);
		s->st_available += p->phase == POD_RUNNING && pod_is_available(p, s->min_ready_seconds, x->now, &x->again);
		s->st_updated += revision_of(p) == x->update && !terminating(p);
		s->st_current += revision_of(p) == s->st_current_revision && !terminating(p);
	}
	s->st_update_revision = x->update;
	if (!s->st_current_revision || all_updated)
		s->st_current_revision = x->update;
	if (s->st_current_revision == x->update)
		s->st_current = s->st_updated;
	s->st_observed = s->o.generation;
	if (memcmp(&was, s, sizeof(was)) != 0)
		cluster_touch(x->c, &s->o);
}

static void keep_template(struct setting *x)
{
	struct arena *a = cluster_arena(x->c);
	uint64_t *at = map_put(&((struct memory *)control_state(x->t, CTL_STATEFULSET))->kept, a, x->s->o.id.i);
	struct kept *k = (struct kept *)(uintptr_t)*at;

	if (k && k->revision != x->s->st_current_revision && x->s->st_current_revision)
		k = NULL;
	if (!k && (!x->s->st_current_revision || x->s->st_current_revision == x->update)) {
		k = arena_make(a, struct kept);
		*k = (struct kept){ x->update, x->s->template };
		*at = map_ptr(k);
	}
}

static void run(struct control *t, struct object *o, nsec now)
{
	struct setting x = { .t = t, .c = control_cluster(t), .s = (struct workload *)o, .now = now, .again = NEVER };
	char hash[11];
	bool on = true;

	if (o->gone || o->deleted != NEVER)
		return;
	x.scratch = arena_new(NULL, "statefulset");
	x.ordered = !streq(x.s->pod_management, "Parallel");
	template_hash(&x.s->template, 0, hash);
	x.update = cluster_str(x.c, arena_printf(x.scratch, "%s-%s", o->name, hash));
	keep_template(&x);
	sort_out(&x);
	revision_keep(t, x.s, x.update, x.pods, x.nr_pods);
	for (uint32_t k = 0; k < x.nr && on; k++)
		on = tend(&x, &x.places[k]);
	if (on) {
		drop_condemned(&x);
		if (!x.nr_condemned || !x.ordered)
			update(&x);
	}
	tend_claims(&x);
	write_status(&x);
	control_wake(t, CTL_STATEFULSET, o, x.again);
	arena_free(x.scratch);
}

static void *init(struct control *t)
{
	return arena_make(cluster_arena(control_cluster(t)), struct memory);
}

static const struct kind *const kinds_heard[] = { &pod_kind, &statefulset_kind, NULL };
static const struct kind *const owners[] = { &statefulset_kind, NULL };
const struct controller statefulset_controller = { .name = "statefulset", .kinds = kinds_heard, .owners = owners, .init = init, .watch = watch, .run = run };
