#include "viz/cli/fields.h"

#include "model/api/core.h"
#include "model/api/workload.h"

/* A label that is no path into the document, or whose field has a value when it is absent. */
struct known { const struct kind *kind; const char *label, *path, *dflt; };
#define SAME(kind, label) { kind, label, label, "" }
#define ABOUT(label) SAME(&event_kind, "involvedObject." label)

static const struct known known[] = {
	SAME(&pod_kind, "spec.nodeName"), { &pod_kind, "spec.host", "spec.nodeName", "" }, SAME(&pod_kind, "spec.restartPolicy"),
	SAME(&pod_kind, "spec.schedulerName"), { &pod_kind, "spec.serviceAccountName", "spec.serviceAccountName", "default" /* by admission */ }, { &pod_kind, "spec.hostNetwork", "spec.hostNetwork", "false" },
	SAME(&pod_kind, "status.phase"), SAME(&pod_kind, "status.podIP"), { &pod_kind, "status.podIPs", NULL, "" }, SAME(&pod_kind, "status.nominatedNodeName"),
	{ &node_kind, "spec.unschedulable", "spec.unschedulable", "false" },
	{ &replication_controller_kind, "status.replicas", "status.replicas", "0" },
	ABOUT("kind"), ABOUT("namespace"), ABOUT("name"), ABOUT("uid"), ABOUT("apiVersion"), ABOUT("resourceVersion"), ABOUT("fieldPath"),
	SAME(&event_kind, "reason"), SAME(&event_kind, "reportingComponent"), { &event_kind, "source", "source.component", "" }, SAME(&event_kind, "type"),
	SAME(&namespace_kind, "status.phase"),
	SAME(&secret_kind, "type"),
	SAME(&service_kind, "spec.clusterIP"), SAME(&service_kind, "spec.type"),
	{ &job_kind, "status.successful", "status.succeeded", "0" },
};

/* Defined by a CustomResourceDefinition, not compiled into the API server. */
static bool is_custom(const struct kind *k)
{
	const char *slash = strchr(k->apis[0], '/');
	size_t n = slash ? (size_t)(slash - k->apis[0]) : 0;
	bool of_k8s = n > 7 && strncmp(slash - 7, ".k8s.io", 7) == 0 && strncmp(k->apis[0], "gateway.networking", 18) != 0;

	return n && memchr(k->apis[0], '.', n) && !of_k8s;
}

static bool has_namespace_field(const struct kind *k)
{
	return k->namespaced || !(k == &node_kind || k == &namespace_kind || is_custom(k));
}

static const char *not_there(struct arena *a, const struct kind *k, const char *label)
{
	bool own = is_custom(k);

	if (k == &job_kind)
		return arena_printf(a, "field label \"%s\" not supported for batchv1.Job", label);
	for (size_t i = 0; i < ARRAY_LEN(known) && !own; i++)
		own = known[i].kind == k;
	return arena_printf(a, own ? "field label not supported: %s" : "\"%s\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"", label);
}

static bool find(const struct kind *k, const char *label, struct field_term *t)
{
	t->dflt = "";
	t->path = label;
	if (strcmp(label, "metadata.name") == 0 || (strcmp(label, "metadata.namespace") == 0 && has_namespace_field(k)))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].kind == k && strcmp(known[i].label, label) == 0) {
			t->path = known[i].path;
			t->dflt = known[i].dflt;
			return true;
		}
	return false;
}

/* \\ \, and \= stand for themselves; bare they end a value. NULL: *why. */
static const char *unescape(struct arena *a, const char *s, size_t n, const char **why)
{
	char *out = arena_strndup(a, s, n), *to = out;

	for (size_t k = 0; k < n; k++) {
		if (s[k] == '=')
			*why = "invalid field selector: unescaped character in value: =";
		else if (s[k] == '\\' && (k + 1 == n || !strchr("\\,=", s[k + 1])))
			*why = arena_printf(a, "invalid field selector: invalid escape sequence: %.*s", k + 1 == n ? 1 : 2, s + k);
		if (*why)
			return NULL;
		k += s[k] == '\\';
		*to++ = s[k];
	}
	*to = '\0';
	return out;
}

static bool term(struct arena *a, const struct kind *k, const char *all, const char *s, size_t n, struct field_term *t, const char **why)
{
	size_t at = 0, op;
	const char *label;

	while (at < n && s[at] != '=' && !(s[at] == '!' && at + 1 < n && s[at + 1] == '='))
		at++;
	if (at == n) {
		*why = arena_printf(a, "invalid selector: '%s'; can't understand '%.*s'", all, (int)n, s);
		return false;
	}
	t->differs = s[at] == '!';
	op = t->differs || (at + 1 < n && s[at + 1] == '=') ? 2 : 1;
	t->value = unescape(a, s + at + op, n - at - op, why);
	if (!t->value)
		return false;
	label = arena_strndup(a, s, at);
	if (!find(k, label, t))
		*why = not_there(a, k, label);
	return !*why;
}

bool fields_parse(struct arena *a, const struct kind *k, const char *text, const char *labels, struct field_terms *out, struct err *err)
{
	const char *why = NULL, *slash = strchr(k->apis[0], '/');

	*out = (struct field_terms){ 0 };
	for (const char *p = text; *p && !why;) {
		struct field_term t = { 0 };
		const char *end = p;

		while (*end && *end != ',')
			end += 1 + (*end == '\\' && end[1]);
		if (end > p && term(a, k, text, p, (size_t)(end - p), &t, &why))
			vec_add(a, &out->list, t);
		p = end + (*end == ',');
	}
	return !why || err_add(err, ERR_INPUT, NULL, "Unable to find \"%.*s/%s, Resource=%s\" that match label selector \"%s\", field selector \"%s\": %s",
			       slash ? (int)(slash - k->apis[0]) : 0, k->apis[0], slash ? slash + 1 : k->apis[0], k->plural, labels ? labels : "", text, why);
}

bool fields_match(const struct field_terms *f, const struct val *doc)
{
	for (uint32_t i = 0; i < f->list.nr; i++) {
		const struct field_term *t = &f->list.v[i];
		const struct val *v = t->path ? val_path(doc, t->path) : NULL;
		char number[24];
		const char *have = val_str(v);

		if (val_is(v, VAL_BOOL)) {
			have = val_bool_or(v, false) ? "true" : "false";
		} else if (val_is(v, VAL_INT)) {
			snprintf(number, sizeof(number), "%" PRId64, val_int_or(v, 0));
			have = number;
		}
		if ((strcmp(have ? have : t->dflt, t->value) == 0) == t->differs)
			return false;
	}
	return true;
}
