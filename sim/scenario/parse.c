/* A Scenario document into its steps. Unknown keys are errors with the nearest known one; so is what could never fail. */
#include "sim/scenario/scenario.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "model/api/rows.h"
#include "model/base/quantity.h"
#include "model/control/control.h"

static const char *below(struct parse *p, const char *path, const char *name)
{
	return arena_printf(p->arena, "%s.%s", path, name);
}

static bool parse_duration(struct parse *p, const struct val *v, const char *path, nsec *out)
{
	if (val_is(v, VAL_INT) && v->i == 0)
		*out = 0;
	else if (!val_str(v) || !duration_parse(val_str(v), out) || *out < 0)
		return parse_failed(p, v, path, "a duration was expected, as in 40s, 1m30s or 250ms");
	return true;
}

/* ---- questions */

struct raw_question { struct question_doc q; const struct val *rate, *duration; };
#define Q(kind, key, member) ROW(kind, key, struct raw_question, q.member)
static const struct field question_fields[] = {
	Q(F_STR, "name", name), Q(F_STR, "from", from), Q(F_STR, "to", to), Q(F_STR, "url", to), Q(F_STR, "http", to), Q(F_STR, "protocol", protocol), Q(F_STR, "method", method),
	Q(F_STR, "resolve", resolve), Q(F_STR, "container", container), Q(F_STR, "namespace", ns), Q(F_STR, "type", type), Q(F_STR, "resolver", resolver),
	Q(F_PAIRS, "headers", headers), Q(F_PAIRS, "backendResponseHeaders", backend_headers), Q(F_STR, "backendAnswers", backend_answers), Q(F_STR, "clientCertificate", cert), Q(F_INT, "size", size), Q(F_BOOL, "df", df), Q(F_BOOL, "ipv4", v4),
	Q(F_BOOL, "ipv6", v6), Q(F_BOOL, "draw", draw), Q(F_STR, "keep", keep), Q(F_STR, "connection", connection), ROW(F_RAW, "rate", struct raw_question, rate), ROW(F_RAW, "duration", struct raw_question, duration),
	FIELD_END
};

/* 10, "10/s" */
static bool parse_rate(struct parse *p, const struct val *v, const char *path, int32_t *out)
{
	char *end;
	long n;

	*out = 10;
	if (!v)
		return true;
	if (val_is(v, VAL_INT) && v->i > 0 && v->i <= 10000) {
		*out = (int32_t)v->i;
		return true;
	}
	n = val_str(v) ? strtol(val_str(v), &end, 10) : 0;
	if (n > 0 && n <= 10000 && (strcmp(end, "/s") == 0 || !*end)) {
		*out = (int32_t)n;
		return true;
	}
	return parse_failed(p, v, path, "a rate was expected: how many a second, from 1 to 10000");
}

/* "FROM TO" */
static bool question_text(struct parse *p, const struct val *v, const char *path, struct question_doc *q)
{
	const char *s = v->s, *blank = strchr(s, ' ');

	if (!blank || strchr(blank + 1, ' '))
		return parse_failed(p, v, path, "\"%s\": two ends were expected, FROM TO", s);
	q->from = str_intern_n(p->strings, s, (size_t)(blank - s));
	q->to = str_intern(p->strings, blank + 1);
	return true;
}

static bool question_parse(struct parse *p, const struct val *v, const char *path, struct question_doc *out)
{
	struct decode d = parse_strictly(p);
	struct raw_question raw = { 0 };

	if (val_is(v, VAL_STRING)) {
		if (!question_text(p, v, path, out))
			return false;
		out->doc = v;
		return true;
	}
	if (!fields_decode(&d, question_fields, v, path, &raw))
		return false;
	*out = raw.q;
	out->doc = v;
	if (out->connection ? out->from || out->to || out->keep : !out->from || !out->to)
		return parse_failed(p, v, path, out->connection ? "a connection has its ends: it takes no from, to or keep" : "needs from and to");
	return parse_rate(p, raw.rate, below(p, path, "rate"), &out->rate) &&
	       (!raw.duration || parse_duration(p, raw.duration, below(p, path, "duration"), &out->duration));
}

bool questions_parse(struct parse *p, const struct val *v, const char *path, question_list *out)
{
	val_vec l = as_list(p->arena, v);
	bool ok = true;

	if (!v)
		return true;
	if (!l.nr)
		return parse_failed(p, v, path, "is empty: who asks whom? {from: …, to: …}");
	out->v = arena_array(p->arena, struct question_doc, l.nr);
	for (uint32_t k = 0; k < l.nr; k++)
		ok = question_parse(p, l.v[k], l.nr > 1 ? arena_printf(p->arena, "%s[%u]", path, k) : path, &out->v[out->nr++]) && ok;
	return ok;
}

/* A look-up is asked for a name, where a trace goes to an end. */
bool lookups_parse(struct parse *p, const struct val *v, const char *path, question_list *out)
{
	static const struct field fields[] = {
		ROW(F_STR, "from", struct question_doc, from), ROW(F_STR, "name", struct question_doc, to), ROW(F_STR, "type", struct question_doc, type),
		ROW(F_STR, "resolver", struct question_doc, resolver), ROW(F_STR, "namespace", struct question_doc, ns),
		FIELD_END
	};
	struct decode d = parse_strictly(p);
	val_vec l = as_list(p->arena, v);
	bool ok = true;

	if (!v)
		return true;
	out->v = arena_array(p->arena, struct question_doc, l.nr + 1);
	for (uint32_t k = 0; k < l.nr; k++) {
		struct question_doc *q = &out->v[out->nr++];

		ok = fields_decode(&d, fields, l.v[k], path, q) && ok;
		q->doc = l.v[k];
		if (!q->from || !q->to)
			ok = parse_failed(p, l.v[k], path, "needs from and name");
	}
	return ok && (l.nr || parse_failed(p, v, path, "is empty: who asks for which name? {from: …, name: …}"));
}

/* ---- changes */

struct raw_apply { str_list files; const struct val *objects; };
static const struct field apply_fields[] = { ROW(F_STRS, "files", struct raw_apply, files), ROW(F_RAW, "objects", struct raw_apply, objects), FIELD_END };
struct raw_wait { const struct val *conditions, *timeout; };
static const struct field wait_fields[] = { ROW(F_RAW, "for", struct raw_wait, conditions), ROW(F_RAW, "timeout", struct raw_wait, timeout), FIELD_END };

static bool parse_apply(struct parse *p, const struct val *v, const char *path, struct changes *out)
{
	struct decode d = parse_strictly(p);
	struct raw_apply raw = { 0 };
	bool ok = true;

	if (!v)
		return true;
	if (!fields_decode(&d, apply_fields, v, path, &raw))
		return false;
	out->apply_files = raw.files;
	out->apply = as_list(p->arena, raw.objects);
	if (!out->apply.nr && !raw.files.nr)
		return parse_failed(p, v, path, "applies nothing: objects or files were expected");
	for (uint32_t k = 0; k < out->apply.nr; k++)
		if (!val_is(out->apply.v[k], VAL_MAP))
			ok = parse_failed(p, out->apply.v[k], below(p, path, "objects"), "an object with apiVersion and kind was expected");
	return ok;
}

/* What each kind of change may hold; `object` of one, or several in a list. */
struct raw_change { str object; const struct val *body, *more; };
struct change_spec { const char *name; const struct field *fields; const char *needs; };
static const struct field patch_fields[] = {
	ROW(F_STR, "object", struct raw_change, object), ROW(F_RAW, "merge", struct raw_change, body),
	FIELD_END
};
static const struct field scale_fields[] = { ROW(F_STR, "object", struct raw_change, object), ROW(F_RAW, "replicas", struct raw_change, body), FIELD_END };
static const struct field label_fields[] = { ROW(F_STR, "object", struct raw_change, object), ROW(F_RAW, "labels", struct raw_change, body), FIELD_END };
static const struct field annotate_fields[] = { ROW(F_STR, "object", struct raw_change, object), ROW(F_RAW, "annotations", struct raw_change, body), FIELD_END };
static const struct change_spec patch_spec = { "patch", patch_fields, "merge" }, scale_spec = { "scale", scale_fields, "replicas" },
				label_spec = { "label", label_fields, "labels" }, annotate_spec = { "annotate", annotate_fields, "annotations" };

static bool parse_changes_of(struct parse *p, const struct val *v, const char *path, const struct change_spec *spec, val_vec *out)
{
	struct decode d = parse_strictly(p);
	bool ok = true;

	*out = as_list(p->arena, v);
	path = below(p, path, spec->name);
	for (uint32_t k = 0; k < out->nr; k++) {
		struct raw_change raw = { 0 };
		struct pick pick;

		if (!fields_decode(&d, spec->fields, out->v[k], path, &raw))
			ok = false;
		else if (!raw.object || !raw.body)
			ok = parse_failed(p, out->v[k], path, "needs object and %s", spec->needs);
		else
			ok = pick_parse(p, raw.object, val_get(out->v[k], "object"), &pick) && ok;
	}
	return ok;
}

/* An object as `apply` takes it, by its name. */
static const struct val *name_of(struct parse *p, const struct val *v)
{
	const char *kind = val_str_at(v, "kind"), *name = val_str_at(v, "metadata.name"), *ns = val_str_at(v, "metadata.namespace");
	struct val *s;

	if (!kind || !name)
		return v;
	s = val_string(p->arena, arena_printf(p->arena, "%s/%s%s%s", kind, ns ? ns : "", ns ? "/" : "", name));
	s->line = v->line;
	s->col = v->col;
	return s;
}

static bool parse_delete(struct parse *p, const struct val *v, const char *path, val_vec *out)
{
	const struct val *names = val_is(v, VAL_MAP) ? (val_get(v, "objects") ? val_get(v, "objects") : val_get(v, "object")) : v;
	struct pick pick;
	bool ok = true;

	if (!v)
		return true;
	if (val_is(v, VAL_MAP) && (!names || v->nr != 1))
		return parse_failed(p, v, path, "object: KIND/NAME, or objects: [KIND/NAME …] was expected (or objects as apply takes them)");
	*out = as_list(p->arena, names);
	for (uint32_t k = 0; k < out->nr; k++)
		out->v[k] = name_of(p, out->v[k]);
	for (uint32_t k = 0; k < out->nr; k++)
		ok = val_str(out->v[k]) ? pick_parse(p, val_str(out->v[k]), out->v[k], &pick) && ok
					: parse_failed(p, out->v[k], path, "KIND/NAME was expected");
	return ok && (out->nr || parse_failed(p, v, path, "deletes nothing"));
}

static const char *const fault_kinds[] = { "node", "link", "bgp", "kubeProxy", "container", "pause", "cni", "dns", "loadBalancer", NULL };

const char *fault_kind(const struct val *v)
{
	for (int k = 0; fault_kinds[k]; k++)
		if (val_get(v, fault_kinds[k]))
			return fault_kinds[k];
	return NULL;
}

static bool parse_faults(struct parse *p, const struct val *v, const char *path, val_vec *out)
{
	bool ok = true;

	*out = as_list(p->arena, v);
	for (uint32_t k = 0; k < out->nr; k++) {
		const struct val *first = val_is(out->v[k], VAL_MAP) ? out->v[k]->first : NULL;
		const char *near = first ? nearest(first->key, fault_kinds) : NULL;

		if (!fault_kind(out->v[k]))
			ok = parse_failed(p, out->v[k], path, "\"%s\" cannot break%s%s%s (node, link, bgp, kubeProxy, container, pause, cni, dns, loadBalancer)",
					  first ? first->key : "", near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	}
	return ok && (!v || out->nr || parse_failed(p, v, path, "breaks nothing"));
}

static bool parse_wait(struct parse *p, const struct val *v, const char *path, struct changes *out)
{
	struct decode d = parse_strictly(p);
	struct raw_wait raw = { 0 };
	val_vec l;
	bool ok = true;

	out->timeout = timing(T_WAIT);
	if (!v)
		return true;
	if (val_is(v, VAL_MAP) && !fields_decode(&d, wait_fields, v, path, &raw))
		return false;
	l = as_list(p->arena, val_is(v, VAL_MAP) ? raw.conditions : v);
	if (!l.nr)
		return parse_failed(p, v, path, "waits for nothing: for: [svc/web has endpoints]");
	out->wait.v = arena_array(p->arena, struct wait_for, l.nr);
	for (uint32_t k = 0; k < l.nr; k++)
		ok = val_str(l.v[k]) ? wait_parse(p, val_str(l.v[k]), l.v[k], &out->wait.v[out->wait.nr++]) && ok
				     : parse_failed(p, l.v[k], path, "a condition was expected, as in svc/web has endpoints");
	return ok && (!raw.timeout || parse_duration(p, raw.timeout, below(p, path, "timeout"), &out->timeout));
}

/* Reads the keys of a map that are changes; the others belong to whom calls. */
bool changes_parse(struct parse *p, const struct val *v, const char *path, struct changes *out)
{
	const struct val *advance = val_get(v, "advance");
	bool ok = parse_apply(p, val_get(v, "apply"), below(p, path, "apply"), out);

	ok = parse_delete(p, val_get(v, "delete"), below(p, path, "delete"), &out->delete) && ok;
	ok = parse_changes_of(p, val_get(v, "patch"), path, &patch_spec, &out->patch) && ok;
	ok = parse_changes_of(p, val_get(v, "scale"), path, &scale_spec, &out->scale) && ok;
	ok = parse_changes_of(p, val_get(v, "label"), path, &label_spec, &out->label) && ok;
	ok = parse_changes_of(p, val_get(v, "annotate"), path, &annotate_spec, &out->annotate) && ok;
	ok = parse_faults(p, val_get(v, "fault"), below(p, path, "fault"), &out->fault) && ok;
	ok = parse_faults(p, val_get(v, "heal"), below(p, path, "heal"), &out->heal) && ok;
	ok = parse_wait(p, val_get(v, "wait"), below(p, path, "wait"), out) && ok;
	out->advances = advance;
	return (!advance || parse_duration(p, advance, below(p, path, "advance"), &out->advance)) && ok;
}
