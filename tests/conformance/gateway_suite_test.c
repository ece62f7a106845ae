/* The conformance suite of the Gateway API, test by test, in a world with its controllers: conditions in status, and requests the whole way. data/l7/gateway-suite.yaml says what
 * is asked, each case with the test's name; data/l7/gateway-suite.tsv where each of the suite's tests is held. */
#include <stdlib.h>

#include "model/cluster/apply.h"
#include "model/l7/controllers.h"
#include "sim/ask/question.h"
#include "tests/conformance/requests.h"
#include "tests/unit/feed.h"

#define DATA "tests/conformance/data/l7/gateway-suite"

struct suite { struct world w; struct world_options opt; struct arena *a; const char *id; };

static void wrong(const struct suite *s, const char *what, const char *got, const char *want)
{
	fprintf(stderr, "  %s: %s is \"%s\", not \"%s\"\n", s->id, what, got, want);
	CU_FAIL("differs");
}

static const struct val *suite_data(struct arena *a)
{
	struct err err = { 0 };
	size_t n = 0;
	const char *text = test_file(a, DATA ".yaml", &n);
	const struct val *v;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	v = yaml_parse(a, DATA ".yaml", text, n, NULL, &err);
	if (err_any(&err))
		err_print(&err, stderr);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	err_free(&err);
	return v;
}

/* ---- the world of a case */

static void take(struct suite *s, const struct val *objects)
{
	VAL_EACH(o, objects) {
		struct doc d = { "suite", val_copy(s->a, case_object(s->a, o)) };
		struct err err = { 0 };

		if (!world_apply_doc(&s->w, &s->opt, &d, &err)) {
			fprintf(stderr, "  %s: ", s->id);
			err_print(&err, stderr);
			CU_FAIL("refused");
		}
		err_free(&err);
	}
}

/* "KIND/NAME", "KIND/NS/NAME" */
static struct object *find(struct suite *s, const char *text)
{
	const char *slash = strchr(text, '/'), *second = slash ? strchr(slash + 1, '/') : NULL;
	const char *kind = arena_strndup(s->a, text, slash ? (size_t)(slash - text) : strlen(text));
	const char *ns = second ? arena_strndup(s->a, slash + 1, (size_t)(second - slash - 1)) : "default", *name = second ? second + 1 : slash + 1;

	for (uint32_t k = 0; cluster_pool_kind(s->w.cluster, k); k++) {
		const struct kind *have = cluster_pool_kind(s->w.cluster, k);
		struct object *o = streq(have->name, kind) ? cluster_find(s->w.cluster, have, have->namespaced ? ns : NULL, name) : NULL;

		if (o)
			return o;
	}
	return NULL;
}

/* ---- status */

static const char *conditions_text(struct suite *s, const struct val *list, int64_t generation)
{
	struct sb out = { 0 };
	const char *text;

	VAL_EACH(c, list) {
		const char *type = val_str_at(c, "type");

		sb_printf(&out, "%s%s %s %s", out.len ? "; " : "", type, val_str_at(c, "status"), val_str_at(c, "reason"));
		if (!streq(val_str_at(c, "status"), "Unknown") && val_int_or(val_get(c, "observedGeneration"), -1) != generation)
			sb_printf(&out, " of an old generation");
	}
	text = arena_strdup(s->a, sb_text(&out));
	sb_free(&out);
	return text;
}

/* All parts of `want` ("A True B; C False D") are parts of `have`. "none": there is no condition. */
static bool holds(struct suite *s, const char *have, const char *want)
{
	for (const char *p = want; *p; p += strspn(p, "; ")) {
		size_t n = strcspn(p, ";");
		const char *part = arena_strndup(s->a, p, n), *at = have;

		while ((at = strstr(at, part)) && ((at != have && at[-1] != ' ') || (at[n] && at[n] != ';')))
			at++;
		if (!at)
			return false;
		p += n;
	}
	return true;
}

static const char *parent_text(struct suite *s, const struct val *ref)
{
	const char *section = val_str_at(ref, "sectionName");
	int64_t port = val_int_or(val_get(ref, "port"), 0);

	return arena_printf(s->a, "%s%s%s%s", val_str_at(ref, "name"), section ? "/" : "", section ? section : "", port ? arena_printf(s->a, ":%d", (int)port) : "");
}

static const char *listener_text(struct suite *s, const struct val *l, int64_t generation)
{
	struct sb out = { 0 };
	const char *text;

	sb_printf(&out, "%d", (int)val_int_or(val_get(l, "attachedRoutes"), -1));
	VAL_EACH(k, val_get(l, "supportedKinds"))
		sb_printf(&out, " %s", val_str_at(k, "kind"));
	sb_printf(&out, "; %s; conditions", conditions_text(s, val_get(l, "conditions"), generation));
	VAL_EACH(c, val_get(l, "conditions"))
		sb_printf(&out, " %s", val_str_at(c, "type"));
	text = arena_strdup(s->a, sb_text(&out));
	sb_free(&out);
	return text;
}

/* key: "KIND/NAME"; of a listener "KIND/NAME listener L"; of a route or policy "KIND/NAME at PARENT[/SECTION][:PORT]"; "KIND/NAME parents", "… addresses", "… sets",
 * "… labels", "… annotations". */
static const char *status_text(struct suite *s, const char *key)
{
	const char *space = strchr(key, ' '), *what = space ? space + 1 : NULL;
	struct object *o = find(s, space ? arena_strndup(s->a, key, (size_t)(space - key)) : key);
	const struct val *status, *list;
	const char *out = NULL;
	uint32_t nr = 0;

	if (!o)
		return "no such object";
	status = val_get(object_render(s->w.cluster, o, s->a), "status");
	list = val_get(status, "parents") ? val_get(status, "parents") : val_get(status, "ancestors");
	if (!what)
		return conditions_text(s, val_get(status, "conditions"), o->generation);
	if (streq(what, "addresses")) {
		VAL_EACH(a, val_get(status, "addresses"))
			out = arena_printf(s->a, "%s%s%s %s", out ? out : "", out ? "; " : "", val_str_at(a, "type"), val_str_at(a, "value"));
		return out ? out : "none";
	}
	if (streq(what, "labels") || streq(what, "annotations")) {
		const pair_list *pairs = streq(what, "labels") ? &o->labels : &o->annotations;

		for (uint32_t k = 0; k < pairs->nr; k++)
			out = arena_printf(s->a, "%s%s%s=%s", out ? out : "", out ? "; " : "", pairs->v[k].key, pairs->v[k].value);
		return out ? out : "none";
	}
	if (streq(what, "sets"))
		return val_get(status, "attachedListenerSets") ? arena_printf(s->a, "%d", (int)val_int_or(val_get(status, "attachedListenerSets"), -1)) : "none";
	if (streq(what, "parents")) {
		VAL_EACH(p, list)
			nr++;
		return arena_printf(s->a, "%u", nr);
	}
	if (strncmp(what, "listener ", 9) == 0)
		VAL_EACH(l, val_get(status, "listeners"))
			if (streq(val_str_at(l, "name"), what + 9))
				return listener_text(s, l, o->generation);
	if (strncmp(what, "at ", 3) == 0)
		VAL_EACH(p, list)
			if (streq(parent_text(s, val_get(p, "parentRef") ? val_get(p, "parentRef") : val_get(p, "ancestorRef")), what + 3))
				return conditions_text(s, val_get(p, "conditions"), o->generation);
	return "not there";
}

static void check_status(struct suite *s, const struct val *want)
{
	VAL_EACH(w, want) {
		const char *have = status_text(s, w->key), *text = val_str(w) ? val_str(w) : arena_printf(s->a, "%d", (int)val_int_or(w, -1));

		if (!holds(s, have, text))
			wrong(s, w->key, have, text);
	}
}

/* ---- requests */

static const char *outcome_text(struct suite *s, const struct outcome_view *o)
{
	const char *backend = o->http ? o->http->backend : NULL;

	if (!o->http && o->verdict == V_DELIVERED)
		return arena_printf(s->a, "%s:%u", o->pod ? o->pod->o.name : "?", o->end_port);
	if (!o->http)
		return verdict_names[o->verdict];
	backend = backend && strncmp(backend, "default/", 8) == 0 ? backend + 8 : backend;
	return backend ? arena_printf(s->a, "%d %s", o->http->status, backend) : arena_printf(s->a, "%d", o->http->status);
}

/* "200 a:80", or with shares "0.25 500; 0.75 200 a:80", in the order of the texts. */
static const char *answer_text(struct suite *s, const struct answer *answer)
{
	struct { const char *text; double p; } v[32] = { { 0 } };
	const char *out = "";
	uint32_t nr = 0;

	for (uint32_t k = 0; k < answer->nr; k++) {
		const char *one = outcome_text(s, &answer->v[k]);
		uint32_t at = 0;

		while (at < nr && strcmp(v[at].text, one) != 0)
			at++;
		CU_ASSERT_FATAL(at < ARRAY_LEN(v));
		v[at].text = one;
		v[at].p += frac_value(answer->v[k].p);
		nr = MAX(nr, at + 1);
	}
	if (nr == 1)
		return v[0].text;
	for (uint32_t i = 0; i < nr; i++)
		for (uint32_t k = i + 1; k < nr; k++)
			if (strcmp(v[i].text, v[k].text) > 0) {
				__typeof__(v[0]) swap = v[i];

				v[i] = v[k];
				v[k] = swap;
			}
	for (uint32_t k = 0; k < nr; k++)
		out = arena_printf(s->a, "%s%s%g %s", out, k ? "; " : "", v[k].p, v[k].text);
	return out;
}

static double mirrored(const struct answer *answer, const char *to)
{
	double sum = 0;

	for (uint32_t k = 0; k < answer->nr; k++)
		for (uint32_t i = 0; answer->v[k].http && i < answer->v[k].http->nr_mirrors; i++)
			sum += streq(answer->v[k].http->mirrors[i], to) ? frac_value(answer->v[k].p) : 0;
	return sum;
}

static double number(const struct val *v) { return val_is(v, VAL_FLOAT) ? v->f : (double)val_int_or(v, -1); }

static void check_more(struct suite *s, const char *url, const struct val *more, const struct answer *answer)
{
	VAL_EACH(m, val_get(more, "mirrors"))
		if (mirrored(answer, m->key) < number(m) - 1e-9 || mirrored(answer, m->key) > number(m) + 1e-9)
			wrong(s, arena_printf(s->a, "%s, copied to %s", url, m->key), arena_printf(s->a, "%g", mirrored(answer, m->key)), arena_printf(s->a, "%g", number(m)));
	for (uint32_t k = 0; k < answer->nr; k++) {
		const struct http_view *h = answer->v[k].http;
		unsigned before = CU_get_number_of_failures();

		if (!h)
			continue;
		if (val_get(more, "location"))
			SAME_TEXT(h->location ? h->location : "none", val_str_at(more, "location"));
		if (val_get(more, "grpc"))
			SAME_TEXT(h->grpc ? h->grpc : "none", val_str_at(more, "grpc"));
		if (val_get(more, "why"))
			CU_ASSERT(h->why && strstr(h->why, val_str_at(more, "why")));
		case_check_message(val_get(more, "request"), h->req_path, h->req_host, h->req_headers, h->nr_req_headers);
		case_check_message(val_get(more, "response"), NULL, NULL, h->resp_headers, h->nr_resp_headers);
		if (CU_get_number_of_failures() != before)
			fprintf(stderr, "  in %s: %s\n", s->id, url);
	}
}

/* "{NS/POD}" in a text is that Pod's address. */
static const char *with_addresses(struct suite *s, const char *text)
{
	const char *open = strchr(text, '{'), *close = open ? strchr(open, '}') : NULL;
	struct object *o = close ? find(s, arena_printf(s->a, "Pod/%s", arena_strndup(s->a, open + 1, (size_t)(close - open - 1)))) : NULL;

	return o ? arena_printf(s->a, "%.*s%s%s", (int)(open - text), text, val_str_at(val_get(object_render(s->w.cluster, o, s->a), "status"), "podIP"), close + 1) : text;
}

/* [GATEWAY, "[METHOD ]URL" or "tcp PORT" or "udp PORT", OUTCOME, {more}]; "from [NS/]POD" instead of a Gateway: that Pod asks, and the mesh's routes are meant */
static void ask(struct suite *s, const struct val *row)
{
	const char *gateway = val_str(val_at(row, 0)), *text = val_str(val_at(row, 1)), *want = val_str(val_at(row, 2));
	const struct val *more = val_at(row, 3);
	struct question q = { .from = "client", .l4 = L4_TCP, .proto = PROTO_TCP, .flags = WALK_RECORD, .backend_answers = val_str_at(more, "answers"), .cert = val_str_at(more, "certificate") };
	const char *space = text ? strchr(text, ' ') : NULL, *word = space ? arena_strndup(s->a, text, (size_t)(space - text)) : NULL;
	bool meshed = gateway && strncmp(gateway, "from ", 5) == 0;
	const char *where = gateway && strchr(gateway, '/') ? gateway : arena_printf(s->a, "default/%s", gateway ? gateway : "?");
	struct err err = { 0 };
	struct answer answer = { 0 };

	CU_ASSERT_FATAL(gateway && text && want);
	q.resolve = meshed ? NULL : arena_printf(s->a, "gateway/%s", where);
	q.from = meshed ? arena_printf(s->a, "pod/%s", gateway + 5) : q.from;
	q.to = with_addresses(s, space ? space + 1 : text);
	q.method = word;
	if (streq(word, "tcp") || streq(word, "udp")) {
		q.to = arena_printf(s->a, "gateway/%s:%s", where, space + 1);
		q.method = q.resolve = NULL;
		q.l4 = streq(word, "udp") ? L4_UDP : L4_TCP;
		q.proto = q.l4 == L4_UDP ? PROTO_UDP : PROTO_TCP;
	}
	q.headers = case_pairs(s->a, val_get(more, "headers"), &q.nr_headers);
	q.backend_headers = case_pairs(s->a, val_get(more, "backend"), &q.nr_backend_headers);
	if (!question_ask(&s->w, &q, s->a, &answer, &err)) {
		wrong(s, text, err.nr ? err.v[0].text : "no answer", want);
		err_free(&err);
		return;
	}
	if (strcmp(answer_text(s, &answer), want) != 0) {
		wrong(s, arena_printf(s->a, "%s %s", gateway, text), answer_text(s, &answer), want);
		fprintf(stderr, "    %s\n", answer.v[0].reason ? answer.v[0].reason : "");
	}
	check_more(s, text, more, &answer);
}

/* ---- cases */

static void step(struct suite *s, const struct val *v)
{
	take(s, val_get(v, "apply"));
	VAL_EACH(d, val_get(v, "delete")) {
		struct object *o = find(s, val_str(d));

		CU_ASSERT_PTR_NOT_NULL_FATAL(o);
		apply_delete(s->w.cluster, o);
	}
	world_settle(&s->w, &s->opt);
	check_status(s, val_get(v, "status"));
	VAL_EACH(row, val_get(v, "ask"))
		ask(s, row);
}

static void one_case(const struct val *data, const struct val *test)
{
	struct suite s = { .a = arena_new(NULL, "suite"), .id = val_str_at(test, "id") };
	str controller = val_str_at(test, "controller") ? val_str_at(test, "controller") : "example.net/gateway";

	s.opt = (struct world_options){ .apply = { .unknown = VALIDATE_STRICT, .validate = true, .create_namespaces = true }, .flags.controllers = { &controller, 1, true } };
	world_init(&s.w, &s.opt);
	take(&s, val_get(data, "world"));
	take(&s, val_get(test, "objects"));
	step(&s, test);
	VAL_EACH(more, val_get(test, "steps"))
		step(&s, more);
	world_free(&s.w);
	arena_free(s.a);
}

/* ---- the list of the suite's tests */

static bool has_case(const struct val *cases, const char *id)
{
	VAL_EACH(c, cases)
		if (streq(val_str_at(c, "id"), id))
			return true;
	return false;
}

/* "FILE#CASE" */
static bool held(struct arena *a, const struct val *suite, const char *where)
{
	const char *mark = strchr(where, '#'), *file = mark ? arena_strndup(a, where, (size_t)(mark - where)) : NULL;

	if (!mark)
		return false;
	return has_case(strcmp(file, "gateway-suite") == 0 ? val_get(suite, "cases") : case_file(a, file), mark + 1);
}

TEST(each_test_of_the_conformance_suite_is_held_somewhere)
{
	struct arena *a = arena_new(NULL, "suite");
	const struct val *suite = suite_data(a);
	size_t n = 0;
	const char *text = test_file(a, DATA ".tsv", &n);
	unsigned tests = 0, open = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *one = arena_strndup(a, line, strcspn(line, "\n")), *where = strrchr(one, '\t');

		if (*one == '#' || strncmp(one, "test\t", 5) == 0)
			continue;
		CU_ASSERT_PTR_NOT_NULL_FATAL(where);
		tests++;
		open += where[1] == '-';
		if (where[1] != '-' && !held(a, suite, where + 1)) {
			fprintf(stderr, "  there is no case %s\n", where + 1);
			CU_FAIL("a test of the suite is held nowhere");
		}
	}
	CU_ASSERT(tests >= 162);
	CU_ASSERT(open <= 2);
	arena_free(a);
}

TEST(gateways_do_what_the_conformance_suite_asks)
{
	struct arena *a = arena_new(NULL, "suite");
	const struct val *data = suite_data(a);
	const char *only = getenv("SUITE_ONLY");
	uint32_t n = 0;

	VAL_EACH(test, val_get(data, "cases"))
		if (!only || streq(only, val_str_at(test, "id"))) {
			one_case(data, test);
			n++;
		}
	CU_ASSERT(only || n >= 35);
	arena_free(a);
}
