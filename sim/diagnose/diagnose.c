#include "sim/diagnose/diagnose.h"

#include "model/api/kept.h"

#include <stdarg.h>

const char *const severity_names[] = { [FINDING_CAUSE] = "cause", [FINDING_WARNING] = "warning", [FINDING_NOTE] = "note" };

static const char *format(struct arena *a, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	return arena_strdup(a, text);
}

struct finding *finding(struct diagnosis *d, enum severity severity, const char *code, const char *fmt, ...)
{
	struct finding *f = vec_push(d->arena, &d->findings);
	va_list ap;

	va_start(ap, fmt);
	*f = (struct finding){ .code = code, .severity = severity, .says = format(d->arena, fmt, ap) };
	va_end(ap);
	return f;
}

void remedy(struct diagnosis *d, struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	f->remedy = format(d->arena, fmt, ap);
	va_end(ap);
}

const char *object_name(struct diagnosis *d, const struct object *o)
{
	return arena_printf(d->arena, "%s %s%s%s", o->kind->name, o->ns ? o->ns : "", o->ns ? "/" : "", o->name);
}

static const struct object *owner_of(struct cluster *c, const struct object *o)
{
	for (uint32_t k = 0; k < o->owners.nr; k++)
		if (o->owners.v[k].controller && o->owners.v[k].api && o->owners.v[k].kind) {
			const struct kind *kind = kind_find(o->owners.v[k].api, o->owners.v[k].kind);

			return kind ? cluster_find(c, kind, kind->namespaced ? o->ns : NULL, o->owners.v[k].name) : NULL;
		}
	return NULL;
}

void findings_of(struct diagnosis *d, uint32_t from, const char *whose)
{
	for (uint32_t k = from; k < d->findings.nr; k++)
		d->findings.v[k].says = arena_printf(d->arena, "%s: %s", whose, d->findings.v[k].says);
}

const struct object *written_by(struct diagnosis *d, const struct object *o)
{
	for (int depth = 0; depth < 4 && !o->doc; depth++) {
		const struct object *up = owner_of(d->world->cluster, o);

		if (!up)
			break;
		o = up;
	}
	return o;
}

/* The value of a path whose members may be numbers; keys with dots in them stand as they are at the end. */
static const struct val *at_path(const struct val *v, const char *path)
{
	while (v && *path) {
		const struct val *whole = v->type == VAL_MAP ? val_get(v, path) : NULL;
		size_t n = strcspn(path, ".");
		char word[256];
		unsigned i;

		if (whole)
			return whole;
		if (n >= sizeof(word))
			return NULL;
		memcpy(word, path, n);
		word[n] = '\0';
		v = v->type == VAL_LIST ? sscanf(word, "%u", &i) == 1 ? val_at(v, i) : NULL : val_get(v, word);
		path += n + (path[n] == '.');
	}
	return v;
}

static uint32_t deepest_line(const struct val *v, const char *path)
{
	uint32_t line = v ? v->line : 0;
	char part[512];

	for (const char *p = path; v && *p;) {
		const struct val *to;

		p += strcspn(p, ".");
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		to = at_path(v, part);
		if (to && to->line)
			line = to->line;
		p += *p == '.';
	}
	return line;
}

void evidence(struct diagnosis *d, struct finding *f, const struct object *o, const char *path, const char *value)
{
	const struct object *source = written_by(d, o);
	const char *there = source != o && o->kind == &pod_kind ?
		arena_printf(d->arena, "%s%s", source->kind == &cron_job_kind ? "spec.jobTemplate.spec.template." : "spec.template.", path) : path;
	const struct val *v = source->doc ? at_path(source->doc, there) : NULL;
	struct sb text = { 0 };

	if (!value && v && val_is(v, VAL_STRING))
		value = v->s;
	if (!value && v) {
		val_print_json(v, &text, 0, false);
		value = arena_strdup(d->arena, sb_text(&text));
	}
	vec_add(d->arena, &f->evidence, (struct evidence){ object_name(d, o), path, value, source->file, source->file ? MAX(source->doc ? deepest_line(source->doc, there) : 0, source->line) : 0 });
	sb_free(&text);
}

void evidence_text(struct diagnosis *d, struct finding *f, const struct object *o, const char *field, const char *fmt, ...)
{
	const struct object *source = written_by(d, o);
	va_list ap;

	va_start(ap, fmt);
	vec_add(d->arena, &f->evidence, (struct evidence){ object_name(d, o), field, format(d->arena, fmt, ap), source->file, source->file ? source->line : 0 });
	va_end(ap);
}

void evidence_event(struct diagnosis *d, struct finding *f, const struct object *o, const struct event *e)
{
	vec_add(d->arena, &f->evidence, (struct evidence){ object_name(d, o), NULL,
		e->at == NEVER ? arena_printf(d->arena, "event %s: %s", e->reason, e->message) : arena_printf(d->arena, "event %s at %.1fs: %s", e->reason, (double)e->at / 1e9, e->message), NULL, 0 });
}

/* An Event object that names it: those of a living cluster come as objects, without a place in virtual time. */
static const struct event *event_in_dump(struct cluster *c, const struct object *o, const char *reason)
{
	struct object_list l = o->ns ? cluster_list_ns(c, &event_kind, o->ns) : cluster_list(c, &event_kind);

	for (uint32_t k = l.nr; k-- > 0;) {
		const struct val *doc = l.v[k]->doc, *about = val_get(doc, "involvedObject") ? val_get(doc, "involvedObject") : val_get(doc, "regarding");
		const char *message = val_str_at(doc, "message") ? val_str_at(doc, "message") : val_str_at(doc, "note");
		struct event *e;

		if (!message || !streq(val_str_at(doc, "reason"), reason) || !streq(val_str_at(about, "name"), o->name) || !streq(val_str_at(about, "kind"), o->kind->name))
			continue;
		e = arena_make(cluster_arena(c), struct event);
		*e = (struct event){ .at = NEVER, .object = o->id, .reason = cluster_str(c, reason), .message = cluster_str(c, message), .warning = streq(val_str_at(doc, "type"), "Warning") };
		return e;
	}
	return NULL;
}

const struct event *event_of(struct cluster *c, const struct object *o, const char *reason)
{
	uint32_t nr;
	const struct event *e = cluster_events(c, &nr);

	while (nr-- > 0)
		if (e[nr].object.i == o->id.i && streq(e[nr].reason, reason))
			return &e[nr];
	return event_in_dump(c, o, reason);
}

static struct fix *new_fix(struct diagnosis *d, struct finding *f, const struct kind *k, const char *ns, const char *name)
{
	f->fix = arena_make(d->arena, struct fix);
	*f->fix = (struct fix){ .kind = k, .ns = ns ? arena_strdup(d->arena, ns) : NULL, .name = arena_strdup(d->arena, name) };
	return f->fix;
}

static const struct val *yaml(struct diagnosis *d, const char *text)
{
	struct err err = { 0 };
	const struct val *v = yaml_parse(d->arena, "fix", text, strlen(text), NULL, &err);

	err_free(&err);
	return v;
}

void fix_patch(struct diagnosis *d, struct finding *f, const struct object *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	new_fix(d, f, o->kind, o->ns, o->name)->patch = yaml(d, format(d->arena, fmt, ap));
	va_end(ap);
	if (!f->fix->patch)
		f->fix = NULL;
}

void fix_apply(struct diagnosis *d, struct finding *f, const struct kind *k, const char *ns, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	new_fix(d, f, k, ns, name)->doc = yaml(d, format(d->arena, fmt, ap));
	va_end(ap);
	if (!f->fix->doc)
		f->fix = NULL;
}

const char *first_cause(const struct diagnosis *d, uint32_t from)
{
	for (uint32_t k = from; k < d->findings.nr; k++)
		if (d->findings.v[k].severity == FINDING_CAUSE)
			return d->findings.v[k].says;
	return NULL;
}

bool diagnosis_ill(const struct diagnosis *d)
{
	return first_cause(d, 0) != NULL;
}

bool diagnosis_has(const struct diagnosis *d, const char *code)
{
	for (uint32_t k = 0; k < d->findings.nr; k++)
		if (streq(d->findings.v[k].code, code))
			return true;
	return false;
}

/* Its last warnings, where nothing else is known of the kind. */
static void why_other(struct diagnosis *d, const struct object *o)
{
	uint32_t nr;
	const struct event *e = cluster_events(d->world->cluster, &nr);

	for (uint32_t k = nr; k-- > 0 && d->findings.nr < 3;)
		if (e[k].object.i == o->id.i && e[k].warning)
			evidence_event(d, finding(d, FINDING_CAUSE, "event", "%s", e[k].message), o, &e[k]);
	if (o->deleted != NEVER && o->finalizers.nr) {
		struct finding *f = finding(d, FINDING_CAUSE, "finalizer", "it is being deleted and waits for the finalizer %s", o->finalizers.v[0]);

		evidence_text(d, f, o, "metadata.finalizers", "%s", o->finalizers.v[0]);
		remedy(d, f, "find who sets that finalizer and why it does not finish; take it away by hand only if that controller is gone");
	}
}

static bool is_route(const struct kind *kind)
{
	for (const struct kind *const *k = route_kinds; *k; k++)
		if (*k == kind)
			return true;
	return false;
}

void diagnose_object(struct diagnosis *d, struct world *w, struct arena *a, const struct object *o)
{
	*d = (struct diagnosis){ .arena = a, .world = w };
	d->subject = object_name(d, o);
	if (o->kind == &pod_kind)
		why_pod(d, (const struct pod *)o);
	else if (o->kind == &service_kind)
		why_service(d, (const struct service *)o);
	else if (o->kind == &node_kind)
		why_node(d, (const struct node *)o);
	else if (o->kind == &pvc_kind)
		why_claim(d, o);
	else if (o->kind == &job_kind)
		why_job(d, (const struct job *)o);
	else if (o->kind == &cron_job_kind)
		why_cron_job(d, (const struct cron_job *)o);
	else if (o->kind == &hpa_kind)
		why_autoscaler(d, o);
	else if (o->kind == &pdb_kind)
		why_budget(d, o);
	else if (o->kind == &network_policy_kind)
		why_policy_object(d, (const struct network_policy *)o);
	else if (o->kind == &gateway_kind)
		why_gateway(d, (const struct gateway *)o);
	else if (is_route(o->kind))
		why_route(d, (const struct gw_route *)o);
	else if (o->kind == &ingress_kind)
		why_ingress(d, (const struct ingress *)o);
	else if (o->kind == &deployment_kind || o->kind == &replicaset_kind || o->kind == &statefulset_kind || o->kind == &daemonset_kind || o->kind == &replication_controller_kind)
		why_workload(d, (const struct workload *)o);
	else
		why_other(d, o);
	if (!d->summary)
		d->summary = diagnosis_ill(d) ? "it does not work as it stands" : "nothing is wrong with it";
}
