#include "model/cluster/apply.h"

#include "model/api/kept.h"
#include "model/api/meta.h"
#include "model/cluster/merge.h"
#include "model/cluster/render.h"

const char *const apply_result_names[] = { [APPLY_ERROR] = "", [APPLY_CREATED] = "created", [APPLY_CONFIGURED] = "configured", [APPLY_UNCHANGED] = "unchanged" };

static struct where place(const struct doc *d, const struct val *v, const char *object)
{
	return (struct where){ d->file, v ? v->line : 0, v ? v->col : 0, object, NULL };
}

/* As CustomResourceDefinitions mostly spell it, which kind and resource are not told: policy, policies. */
static const char *plural_of(const char *name, struct arena *a)
{
	size_t n = strlen(name);
	bool y = n > 1 && name[n - 1] == 'y' && !strchr("aeiou", name[n - 2]);

	return y ? arena_printf(a, "%.*sies", (int)n - 1, name) : arena_printf(a, "%s%s", name, n && strchr("sx", name[n - 1]) ? "es" : "s");
}

/* A kind that podwire does not know: kept, without effect. One struct kind for each (apiVersion, kind) of this cluster. */
static const struct kind *kind_keep(struct cluster *c, const char *api, const char *name, bool *first)
{
	struct arena *a = cluster_arena(c);
	struct kind *k;
	const char **apis;

	for (uint32_t i = 0; cluster_pool_kind(c, i); i++) {
		const struct kind *have = cluster_pool_kind(c, i);

		if (have->fields == unknown_kind.fields && have->note && streq(have->name, name) && streq(have->apis[0], api))
			return have;
	}
	k = arena_copy(a, &unknown_kind, sizeof(unknown_kind));
	k->name = cluster_str(c, name);
	k->namespaced = !kept_cluster_wide(api, name);
	k->plural = plural_of(name, a);
	for (char *p = (char *)k->plural; *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
	apis = arena_array(a, const char *, 2);
	apis[0] = cluster_str(c, api);
	k->apis = apis;
	*first = true;
	return k;
}

const struct kind *cluster_kind(struct cluster *c, const char *api, const char *name)
{
	const struct kind *k = kind_find(api, name);
	bool first;

	return k ? k : kind_keep(c, api, name, &first);
}

static const struct kind *kind_of(struct cluster *c, const struct doc *d, struct err *err)
{
	const struct val *api = val_get(d->root, "apiVersion"), *name = val_get(d->root, "kind");
	struct where w = place(d, name ? name : d->root, NULL);
	struct sb why = { 0 };
	const struct kind *k;
	bool first = false;

	if (!val_is(d->root, VAL_MAP))
		return err_add(err, ERR_INPUT, &w, "not an object: a map with apiVersion, kind and metadata was expected"), NULL;
	if (!val_str(name) || !*val_str(name))
		return err_add(err, ERR_INPUT, &w, "kind is missing: every object names its apiVersion and kind"), NULL;
	if (!val_str(api) || !*val_str(api))
		return err_add(err, ERR_INPUT, &w, "apiVersion is missing: every object names its apiVersion and kind"), NULL;
	k = kind_find(val_str(api), val_str(name));
	if (k == &kustomization_kind || k == &component_kind)
		err_warn(err, &w, "a %s is for kustomize, and is not followed: the files beside it are taken as they stand (kustomize build DIR | podwire … -f - gives what they become)", k->name);
	if (k)
		return k;
	if (kind_refused(val_str(api), val_str(name), &why)) {
		err_add(err, ERR_INPUT, &w, "%s", sb_text(&why));
		sb_free(&why);
		return NULL;
	}
	sb_free(&why);
	k = kind_keep(c, val_str(api), val_str(name), &first);
	if (first)
		err_warn(err, &w, "kind %s (%s) is not known to podwire: kept, %s", val_str(name), val_str(api),
			 kept_policy(val_str(api), val_str(name)) == KEPT_NO_POLICY ? "without effect on the network" : "read as another version of it that is known, and not checked");
	return k;
}

struct object *object_decode(struct cluster *c, const struct kind *k, const struct doc *d, const struct apply_options *opt, struct err *err)
{
	struct arena *a = cluster_arena(c);
	struct object *o = arena_alloc(a, k->size, 16);
	const char *name = val_str_at(d->root, "metadata.name");
	struct decode dec = { .strings = cluster_strings(c), .arena = a, .unknown = opt->unknown, .file = d->file, .err = err, .keeps = true };
	uint32_t before = err->nr;
	struct val *doc;
	bool ok;

	o->kind = k;
	o->deleted = NEVER;
	o->created = cluster_now(c);
	doc = val_copy_interned(a, dec.strings, d->root);
	o->doc = doc;
	dec.object = arena_printf(a, "%s \"%s\"", k->name, name ? name : "");
	ok = meta_decode(&dec, o->doc, o);
	if (k->namespaced && (!o->ns || !*o->ns))
		o->ns = cluster_str(c, opt->dflt_ns ? opt->dflt_ns : "default");
	if (!k->namespaced)
		o->ns = NULL;
	if (!name && o->generate_name && *o->generate_name) {   /* every time another, as `create` has it */
		o->name = generate_name(c, k, o->ns, o->generate_name, "applied", 0);
		val_put(a, val_get_mut(doc, "metadata"), "name", val_string(a, o->name));
	}
	ok = fields_decode(&dec, k->fields, o->doc, "", o) && ok;
	o->file = cluster_str(c, d->file);
	o->line = d->root->line;
	if (k->dflt)
		k->dflt(o, a, cluster_strings(c));
	if (ok && opt->validate) {
		const struct object *old = cluster_find(c, k, o->ns, o->name);
		struct check check = { .file = d->file, .object = dec.object, .root = d->root, .err = err, .was = old ? old->doc : NULL, .stands = opt->unknown != VALIDATE_STRICT };

		ok = object_check(&check, o);
	}
	for (uint32_t i = before; ok && i < err->nr; i++)
		ok = err->v[i].warning;
	return ok ? o : NULL;
}

/* Does the document say another status than the one before? What it only repeats (a copy that was edited) is older than what the controllers know. */
static bool brings_status(const struct object *to, const struct object *old)
{
	const struct val *now = val_get(to->doc, "status"), *was = val_get(old->doc, "status");

	return now && !(was && val_equal(now, was));
}

/* Status belongs to the controllers: a document that brings none keeps what there is. */
static void carry_status(struct cluster *c, struct object *to, const struct object *old)
{
	struct arena *a = cluster_arena(c);
	struct err none = { 0 };
	struct decode dec = { .strings = cluster_strings(c), .arena = a, .unknown = VALIDATE_IGNORE, .err = &none };
	struct val *all = val_new(a, VAL_MAP), *only = val_new(a, VAL_MAP);
	const struct val *status;

	if (!to->kind->fields || brings_status(to, old))
		return;
	fields_encode(a, to->kind->fields, old, all);
	status = val_get(all, "status");
	if (status) {
		val_put(a, only, "status", val_copy(a, status));
		fields_lay(&dec, to->kind->fields, only, "", to);
	}
	if (object_conditions(to))              /* with the times of their changes */
		*object_conditions(to) = *object_conditions(old);
	err_free(&none);
}

static void carry(struct cluster *c, struct object *to, const struct object *old)
{
	carry_status(c, to, old);
	if (to->kind == &pod_kind) {
		struct pod *p = (struct pod *)to;
		const struct pod *q = (const struct pod *)old;

		if (!p->node)
			p->node = q->node;
		if (!p->hostname)
			p->hostname = q->hostname;
		if (!brings_status(to, old)) {          /* what of status no field table says */
			p->ip = q->ip;
			p->ip2 = q->ip2;
			p->host_ip = q->host_ip;
			p->statuses = q->statuses;
			p->given = q->given;
		}
	}
	if (to->kind == &cron_job_kind && !brings_status(to, old)) {
		struct cron_job *j = (struct cron_job *)to;
		const struct cron_job *was = (const struct cron_job *)old;

		j->st_last_schedule = was->st_last_schedule;
		j->st_last_success = was->st_last_success;
		j->st_seen = was->st_seen;
	}
	if (to->kind == &job_kind && !brings_status(to, old)) {
		((struct job *)to)->st_start = ((const struct job *)old)->st_start;
		((struct job *)to)->st_completion = ((const struct job *)old)->st_completion;
	}
	if (!to->owners.set)
		to->owners.v = old->owners.v, to->owners.nr = old->owners.nr;
}

/* The same template to the API server, which compares what it wrote itself as well: then no controller sees a new one. */
static void keep_template(struct object *to, struct object *old, const struct val *now, const struct val *was)
{
	const struct val **now_at = template_place(to), **was_at = template_place(old);

	if (now_at && *now_at && *was_at && val_equal(val_get(now, "template"), val_get(was, "template")))
		*now_at = *was_at;
}

/* Does the spec change, defaults included? */
static bool spec_changes(struct cluster *c, struct object *to, struct object *old)
{
	struct arena *scratch;
	const struct val *now, *was;
	bool differs;

	if (val_equal(val_get(old->doc, "spec"), val_get(to->doc, "spec"))) {
		keep_template(to, old, NULL, NULL);
		return false;
	}
	scratch = arena_new(NULL, "update");
	now = val_get(object_render(c, to, scratch), "spec");
	was = val_get(object_render(c, old, scratch), "spec");
	differs = !val_equal(now, was);
	keep_template(to, old, now, was);
	arena_free(scratch);
	return differs;
}

/* The new content takes the old object's place: identity stays, so every pointer and handle does. */
static void replace(struct cluster *c, struct object *old, struct object *to)
{
	struct object was = *old;
	bool spec_changed = spec_changes(c, to, old);
	bool freed = was.deleted != NEVER && was.finalizers.nr && !to->finalizers.nr;

	memcpy(old, to, to->kind->size);
	old->id = was.id;
	old->uid = was.uid;
	old->created = was.created;
	old->deleted = was.deleted;
	old->life = was.life;
	old->grace = was.grace;
	old->generation = was.generation + spec_changed;
	cluster_relabel(c, old, to->labels);
	if (old->kind == &pod_kind)
		cluster_set_pod_ip(c, (struct pod *)old, ((struct pod *)old)->ip, ((struct pod *)old)->ip2, POD_OTHER);
	if (freed && old->kind != &pod_kind && old->kind != &namespace_kind)
		cluster_remove(c, old);         /* the last finalizer has gone from what was to be deleted */
}

/* An update is judged on whole objects, with what the API server wrote into them: who applies what `get -o yaml` said changes nothing. */
static bool whole_objects_agree(struct cluster *c, struct check *check, const struct object *to, const struct object *old)
{
	struct arena *scratch = arena_new(NULL, "update");
	struct object *was = arena_copy(scratch, old, old->kind->size), *now = arena_copy(scratch, to, to->kind->size);
	bool ok;

	was->doc = object_render(c, old, scratch);
	now->doc = three_way_merge(scratch, old->doc, to->doc, val_copy(scratch, was->doc), kind_is_strategic(to->kind));
	now->doc = object_render(c, now, scratch);              /* a default that was taken away comes back */
	ok = object_check_update(check, now, was);
	arena_free(scratch);
	return ok;
}

/* Kinds whose checks compare documents. */
static bool compared_by_document(const struct kind *k)
{
	return k == &pod_kind || k == &statefulset_kind || k == &job_kind || k == &pvc_kind || k == &pv_kind;
}

static enum apply_result update(struct cluster *c, struct object *old, struct object *to, const struct apply_options *opt, struct err *err)
{
	struct check check = { to->file, arena_printf(cluster_arena(c), "%s \"%s\"", to->kind->name, to->name), to->doc, err, 0, NULL, false, false };

	carry(c, to, old);
	to->uid = old->uid;
	if (opt->validate && !(compared_by_document(to->kind) ? whole_objects_agree(c, &check, to, old) : object_check_update(&check, to, old)))
		return APPLY_ERROR;
	if (!cluster_admitted(c, to, old, &check))
		return APPLY_ERROR;
	replace(c, old, to);
	return APPLY_CONFIGURED;
}

static bool namespace_exists(struct cluster *c, const struct object *o, const struct doc *d, const struct apply_options *opt, struct err *err)
{
	struct where w = place(d, val_path(d->root, "metadata.namespace"), NULL);
	struct object *ns;
	struct pair *pair;

	if (!o->ns || find_namespace(c, o->ns))
		return true;
	if (!opt->create_namespaces)
		return err_add(err, ERR_INPUT, &w, "%s \"%s\": namespaces \"%s\" not found: apply a Namespace of that name first", o->kind->name, o->name, o->ns);
	ns = object_new(c, &namespace_kind, NULL, o->ns);
	pair = arena_make(cluster_arena(c), struct pair);
	*pair = (struct pair){ cluster_str(c, "kubernetes.io/metadata.name"), o->ns };
	ns->labels = (pair_list){ pair, 1, true };
	((struct namespace_ *)ns)->phase = cluster_str(c, "Active");
	cluster_add(c, ns);
	return true;
}

static void without_status(struct val *doc)
{
	val_del(doc, "status");
}

void last_applied_print(const struct val *doc, const char *ns, struct sb *out)
{
	struct arena *a = arena_new(NULL, "last applied");
	struct val *v = val_copy(a, doc), *meta = val_get_mut(v, "metadata");

	if (meta)
		val_del(val_get_or_put(a, meta, "annotations", VAL_MAP), LAST_APPLIED);
	if (meta && ns && !val_get(meta, "namespace"))
		val_put(a, meta, "namespace", val_string(a, ns));
	val_print_json(v, out, 0, true);
	sb_addc(out, '\n');
	arena_free(a);
}

/* What the last apply said: our own memory, or the annotation that an object of a living cluster carries. NULL: it was never applied. */
static const struct val *last_applied(const struct object *o, struct arena *a)
{
	const char *text = label_get(&o->annotations, LAST_APPLIED);
	struct err none = { 0 };
	const struct val *v = NULL;

	if (text)
		v = json_parse(a, LAST_APPLIED, text, strlen(text), NULL, &none);
	err_free(&none);
	return v ? v : o->applied ? o->applied : o->doc;
}

/* Is the status kept as it stands in the document? Else the kind's table has it, and the controllers write it there. */
static bool status_in_doc(const struct kind *k)
{
	for (const struct field *f = k->fields; f && f->name; f++)
		for (const struct field *g = strcmp(f->name, "status") == 0 && f->type == F_STRUCT && !(f->flags & FIELD_KEPT) ? f->sub : NULL; g && g->name; g++)
			if (!(g->flags & FIELD_KEPT))
				return false;
	return true;
}

static void put_live(struct arena *a, struct val *doc, const char *key, const pair_list *l)
{
	struct val *meta = val_get_mut(doc, "metadata"), *map;

	if (!l->nr || !meta)
		return;
	map = val_put(a, meta, key, val_new(a, VAL_MAP));
	for (uint32_t k = 0; k < l->nr; k++)
		val_put(a, map, l->v[k].key, val_string(a, l->v[k].value));
}

struct val *object_live(const struct object *o, struct arena *a)
{
	struct val *live = o->doc ? val_copy(a, o->doc) : NULL;

	if (live) {
		put_live(a, live, "labels", &o->labels);
		put_live(a, live, "annotations", &o->annotations);
		render_finalizers(a, val_get_mut(live, "metadata"), o);
	}
	return live;
}

static struct val *merge(const struct object *o, const struct val *now, struct val *live, struct arena *a)
{
	if (!live)
		return val_copy(a, now);
	if (!val_get(now, "status") && !status_in_doc(o->kind))
		without_status(live);
	return three_way_merge(a, last_applied(o, a), now, val_copy(a, live), kind_is_strategic(o->kind));
}

static bool never_applied(const struct object *o)
{
	return o->applied && !o->applied->nr && !label_get(&o->annotations, LAST_APPLIED);
}

static enum apply_result apply_over(struct cluster *c, struct object *old, const struct doc *d, const struct apply_options *opt, struct object **out, struct err *err)
{
	const struct val *last = old->applied ? old->applied : old->doc;
	struct val *live = object_live(old, cluster_arena(c));
	struct doc merged = { d->file, merge(old, d->root, live, cluster_arena(c)) };
	struct where w = place(d, d->root, NULL);
	struct object *to;
	enum apply_result how;

	if (never_applied(old))                 /* kubectl's words (pkg/cmd/apply/apply.go warningNoLastAppliedConfigAnnotation) */
		err_warn(err, &w, "resource %s/%s is missing the " LAST_APPLIED " annotation: what it has and the file does not stays as it is; apply has written the annotation now", old->kind->plural, old->name);
	if (old->kind == &service_kind)
		service_drop_fields((const struct service *)old, merged.root);
	if (live && val_equal(live, merged.root) && val_equal(last, d->root)) {
		*out = old;
		return APPLY_UNCHANGED;
	}
	to = object_decode(c, old->kind, &merged, opt, err);
	if (!to)
		return APPLY_ERROR;
	to->applied = val_equal(merged.root, d->root) ? NULL : val_copy(cluster_arena(c), d->root);
	how = update(c, old, to, opt, err);
	*out = old;
	return how;
}

enum apply_result apply_doc(struct cluster *c, const struct doc *d, const struct apply_options *opt, struct object **out, struct err *err)
{
	enum apply_result result = APPLY_CREATED;
	const struct kind *k;
	struct object *o, *old;

	if (!d->root || val_is(d->root, VAL_NULL))
		return APPLY_UNCHANGED;
	k = kind_of(c, d, err);
	o = k ? object_decode(c, k, d, opt, err) : NULL;
	if (!o || !namespace_exists(c, o, d, opt, err))
		return APPLY_ERROR;
	old = cluster_find(c, k, o->ns, o->name);
	if (opt->create)
		o->applied = val_new(cluster_arena(c), VAL_MAP);
	if (old && opt->create) {
		const char *slash = strchr(k->apis[0], '/');
		struct where w = place(d, d->root, NULL);

		err_add(err, ERR_FAILED, &w, "%s%s%.*s \"%s\" already exists", k->plural, slash ? "." : "", slash ? (int)(slash - k->apis[0]) : 0, k->apis[0], o->name);
		return APPLY_ERROR;
	}
	if (old) {
		result = apply_over(c, old, d, opt, &o, err);
	} else {
		struct check check = { d->file, arena_printf(cluster_arena(c), "%s \"%s\"", k->name, o->name), d->root, err, 0, NULL, false, false };

		if (!cluster_admitted(c, o, NULL, &check))
			return APPLY_ERROR;
		cluster_add(c, o);
	}
	if (out)
		*out = o;
	return result;
}

void apply_later(struct docs_later *later, struct cluster *c, struct arena *a, const struct doc *d, uint32_t mark, const struct err *err)
{
	const char *api = val_str(val_get(d->root, "apiVersion")), *kind = val_str(val_get(d->root, "kind"));
	const struct settings *s = cluster_settings(c);

	if (!api || !kind || kind_find(api, kind) != &service_kind)
		return;
	vec_add(a, &later->docs, (struct doc_later){ { arena_strdup(a, d->file), val_copy(a, d->root) }, mark, err->nr,
						     arena_copy(a, s->service_cidrs.v, s->service_cidrs.nr * sizeof(*s->service_cidrs.v)), s->service_cidrs.nr });
}

static bool other_ranges(const struct doc_later *l, const struct settings *s)
{
	if (l->nr_ranges != s->service_cidrs.nr)
		return true;
	for (uint32_t k = 0; k < l->nr_ranges; k++)
		if (!ip_eq(l->ranges[k].addr, s->service_cidrs.v[k].addr) || l->ranges[k].len != s->service_cidrs.v[k].len)
			return true;
	return false;
}

void apply_due(struct docs_later *later, struct cluster *c, struct err *err)
{
	uint32_t nr = 0;

	for (uint32_t k = later->docs.nr; k-- > 0;)     /* from behind: places of messages stay what they are */
		if (other_ranges(&later->docs.v[k], cluster_settings(c)))
			err_cut(err, later->docs.v[k].from, later->docs.v[k].to);
	for (uint32_t k = 0; k < later->docs.nr; k++)
		if (other_ranges(&later->docs.v[k], cluster_settings(c)))
			later->docs.v[nr++] = later->docs.v[k];
	later->docs.nr = nr;
}

enum apply_result apply_replace(struct cluster *c, struct object *o, const struct val *to, const struct apply_options *opt, struct err *err)
{
	struct doc d = { o->file, val_copy(cluster_arena(c), to) };
	struct apply_options own = *opt;
	struct object *next;

	own.dflt_ns = o->ns;                    /* its document may have got it from the command line */
	if (o->kind == &service_kind)
		service_drop_fields((const struct service *)o, d.root);
	next = object_decode(c, o->kind, &d, &own, err);
	if (!next)
		return APPLY_ERROR;
	if (next->name != o->name || next->ns != o->ns) {
		err_add(err, ERR_INPUT, NULL, "%s \"%s\": metadata.name and metadata.namespace may not be changed", o->kind->name, o->name);
		return APPLY_ERROR;
	}
	next->line = o->line;
	next->applied = o->applied ? o->applied : o->doc;
	return update(c, o, next, opt, err);
}

void apply_delete_as(struct cluster *c, struct object *o, int64_t grace, bool force, enum cascade cascade)
{
	static const char foreground[] = "foregroundDeletion", orphan[] = "orphan";
	bool waits;

	if (cascade != CASCADE_BACKGROUND && o->deleted == NEVER) {     /* the garbage collector takes the finalizer away when it has done its work */
		str *v = arena_array(cluster_arena(c), str, o->finalizers.nr + 1);

		for (uint32_t k = 0; k < o->finalizers.nr; k++)
			v[k] = o->finalizers.v[k];
		v[o->finalizers.nr] = cluster_str(c, cascade == CASCADE_ORPHAN ? orphan : foreground);
		o->finalizers.v = v;
		o->finalizers.nr++;
		o->finalizers.set = true;
	}
	waits = o->finalizers.nr > 0 || o->kind == &namespace_kind;
	if (o->kind == &pod_kind) {
		const struct pod *p = (const struct pod *)o;

		waits = waits || (!(force && grace == 0) && p->node && !pod_is_terminal(p) && find_node(c, p->node));
	}
	if (!waits) {
		cluster_remove(c, o);
	} else if (o->deleted == NEVER || (grace >= 0 && (!o->grace || grace + 1 < o->grace))) {        /* a second deletion may only shorten the grace */
		o->deleted = o->deleted == NEVER ? cluster_now(c) : o->deleted;
		o->grace = grace >= 0 ? grace + 1 : o->grace;
		cluster_touch(c, o);
	}
}

void apply_delete(struct cluster *c, struct object *o)
{
	apply_delete_as(c, o, -1, false, CASCADE_BACKGROUND);
}
