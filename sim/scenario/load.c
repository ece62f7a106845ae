/* Scenario files: the document's frame, its steps, and what else lies in the file. */
#include "sim/scenario/scenario.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "model/api/rows.h"

/* ---- steps */

#define CHANGES                                                                                                                                       \
	ROW_KEEP("apply"), ROW_KEEP("delete"), ROW_KEEP("patch"), ROW_KEEP("scale"), ROW_KEEP("label"), ROW_KEEP("annotate"), ROW_KEEP("fault"), \
	ROW_KEEP("heal"), ROW_KEEP("wait"), ROW_KEEP("advance")

static const struct field matrix_fields[] = {
	ROW(F_STR, "protocol", struct matrix_doc, protocol), ROW(F_INT_OR_STR, "port", struct matrix_doc, port),
	ROW(F_STR, "namespace", struct matrix_doc, ns), ROW(F_STRS, "withExternal", struct matrix_doc, with_external), ROW(F_PAIRS, "labels", struct matrix_doc, labels),
	FIELD_END
};
static const struct field draw_fields[] = {
	ROW(F_STR, "figure", struct draw_doc, figure), ROW(F_STR, "out", struct draw_doc, out), ROW(F_STR, "theme", struct draw_doc, theme),
	ROW(F_STRS, "args", struct draw_doc, args), FIELD_END
};
static const struct field ask_fields[] = {
	ROW(F_STR, "question", struct ask_doc, question), ROW(F_STRS, "choices", struct ask_doc, choices), ROW(F_INT, "answer", struct ask_doc, answer),
	ROW(F_STR, "why", struct ask_doc, why), FIELD_END
};
struct raw_step { str name, say, notes; struct matrix_doc *matrix; struct ask_doc *ask; str_list hints; const struct val *solution; };
static const struct field solution_fields[] = { CHANGES, FIELD_END };
static const struct field step_fields[] = {
	ROW(F_STR, "name", struct raw_step, name), ROW(F_STR, "say", struct raw_step, say), ROW(F_STR, "notes", struct raw_step, notes), ROW_KEEP("traffic"), CHANGES,
	ROW_KEEP("trace"), ROW_KEEP("http"), ROW_KEEP("dns"), ROW_PTR("matrix", struct raw_step, matrix, struct matrix_doc, matrix_fields), ROW_KEEP("expect"),
	ROW_KEEP("draw"), ROW_PTR("ask", struct raw_step, ask, struct ask_doc, ask_fields), ROW_KEEP("goal"), ROW(F_STRS, "hints", struct raw_step, hints),
	ROW(F_RAW, "solution", struct raw_step, solution),
	FIELD_END
};

static const char *below(struct parse *p, const char *path, const char *name)
{
	return arena_printf(p->arena, "%s.%s", path, name);
}

static bool parse_draw(struct parse *p, const struct val *v, const char *path, struct step *out)
{
	struct decode d = parse_strictly(p);
	val_vec l = as_list(p->arena, v);
	bool ok = true;

	out->draw.v = arena_array(p->arena, struct draw_doc, l.nr);
	for (uint32_t k = 0; k < l.nr; k++) {
		struct draw_doc *one = &out->draw.v[out->draw.nr++];

		if (val_is(l.v[k], VAL_STRING))
			one->figure = str_intern(p->strings, l.v[k]->s);
		else
			ok = fields_decode(&d, draw_fields, l.v[k], path, one) && ok;
		if (!one->figure)
			ok = parse_failed(p, l.v[k], path, "which figure? figure: clusterip");
		if (one->out && (*one->out == '/' || strstr(one->out, "..")))
			ok = parse_failed(p, val_get(l.v[k], "out"), path, "\"%s\" leads outside the folder that --out names", one->out);
	}
	return ok;
}

static bool check_ask(struct parse *p, const struct val *v, const char *path, const struct ask_doc *ask)
{
	if (!ask)
		return true;
	if (!ask->question || ask->choices.nr < 2)
		return parse_failed(p, v, path, "needs a question and at least two choices");
	if (ask->answer < 1 || (uint32_t)ask->answer > ask->choices.nr)
		return parse_failed(p, val_get(v, "answer") ? val_get(v, "answer") : v, path, "answer: a number from 1 to %u was expected", ask->choices.nr);
	return true;
}

/* An expectation needs what it speaks of. */
static bool check_subjects(struct parse *p, const struct step *s, const expect_list *l, const char *path)
{
	bool ok = true;

	for (uint32_t k = 0; k < l->nr; k++) {
		const struct expect *e = &l->v[k];
		const char *at = arena_printf(p->arena, "%s[%u]", path, k);

		if (e->about == ABOUT_TRACE && !s->trace.nr)
			ok = parse_failed(p, e->doc, at, "speaks of a trace, but the step makes none: trace: {from: …, to: …}");
		if (e->about == ABOUT_STREAM && !s->traffic.nr)
			ok = parse_failed(p, e->doc, at, "speaks of a stream, but the step has no traffic");
		if (e->about == ABOUT_MATRIX && !s->matrix)
			ok = parse_failed(p, e->doc, at, "speaks of a matrix, but the step makes none: matrix: {port: 80}");
		if (e->about == ABOUT_DNS && !s->dns.nr)
			ok = parse_failed(p, e->doc, at, "speaks of a look-up, but the step makes none: dns: {from: …, name: …}");
	}
	return ok;
}

static bool parse_goal(struct parse *p, const struct val *v, const char *path, struct step *out)
{
	const struct val *goal = val_get(v, "goal"), *solution = val_get(v, "solution");
	bool ok = expects_parse(p, val_is(goal, VAL_MAP) ? val_get(goal, "expect") : goal, below(p, path, "goal"), &out->goal);

	if (solution) {
		struct decode d = parse_strictly(p);
		struct raw_step none = { 0 };

		out->solution = arena_make(p->arena, struct changes);
		out->solution_doc = solution;
		ok = fields_decode(&d, solution_fields, solution, below(p, path, "solution"), &none) && ok;
		ok = changes_parse(p, solution, below(p, path, "solution"), out->solution) && ok;
	}
	if (goal && !out->goal.nr && ok)
		ok = parse_failed(p, goal, below(p, path, "goal"), "a list of expectations was expected");
	if (solution && !goal)
		ok = parse_failed(p, solution, below(p, path, "solution"), "solves nothing: the step has no goal");
	return check_subjects(p, out, &out->goal, below(p, path, "goal")) && ok;
}

static bool step_parse(struct parse *p, const struct val *v, uint32_t nr, struct step *out)
{
	const char *path = arena_printf(p->arena, "spec.steps[%u]", nr);
	struct decode d = parse_strictly(p);
	struct raw_step raw = { 0 };
	question_list http = { 0 };
	bool ok;

	if (!fields_decode(&d, step_fields, v, path, &raw))
		return false;
	*out = (struct step){ .say = raw.say, .notes = raw.notes, .line = v->line, .matrix = raw.matrix, .ask = raw.ask, .hints = raw.hints };
	out->name = raw.name ? raw.name : arena_printf(p->arena, "step %u", nr + 1);
	ok = changes_parse(p, v, path, &out->changes);
	ok = questions_parse(p, val_get(v, "traffic"), below(p, path, "traffic"), &out->traffic) && ok;
	ok = questions_parse(p, val_get(v, "trace"), below(p, path, "trace"), &out->trace) && ok;
	ok = questions_parse(p, val_get(v, "http"), below(p, path, "http"), &http) && ok;
	ok = lookups_parse(p, val_get(v, "dns"), below(p, path, "dns"), &out->dns) && ok;
	if (http.nr) {
		struct question_doc *all = arena_array(p->arena, struct question_doc, out->trace.nr + http.nr);

		if (out->trace.nr)
			memcpy(all, out->trace.v, out->trace.nr * sizeof(*all));
		memcpy(all + out->trace.nr, http.v, http.nr * sizeof(*all));
		out->trace.v = all;
		out->trace.nr += http.nr;
	}
	ok = expects_parse(p, val_get(v, "expect"), below(p, path, "expect"), &out->expect) && ok;
	ok = parse_draw(p, val_get(v, "draw"), below(p, path, "draw"), out) && ok;
	ok = check_ask(p, val_get(v, "ask"), below(p, path, "ask"), raw.ask) && ok;
	ok = parse_goal(p, v, path, out) && ok;
	return check_subjects(p, out, &out->expect, below(p, path, "expect")) && ok;
}

/* ---- the document */

struct raw_scenario { str name, title, ns, reason; pair_list labels; str_list modes, files; const struct val *cluster, *steps, *seed; bool expect_failure; };
static const struct field meta_fields[] = {
	ROW(F_STR, "name", struct raw_scenario, name), ROW(F_PAIRS, "labels", struct raw_scenario, labels), ROW_KEEP("annotations"),
	ROW(F_STR, "namespace", struct raw_scenario, ns),
	FIELD_END
};
static const struct field spec_fields[] = {
	ROW(F_STR, "title", struct raw_scenario, title), ROW(F_RAW, "cluster", struct raw_scenario, cluster), ROW(F_STRS, "modes", struct raw_scenario, modes),
	ROW(F_RAW, "seed", struct raw_scenario, seed), ROW(F_STRS, "files", struct raw_scenario, files), ROW(F_RAW, "steps", struct raw_scenario, steps),
	ROW(F_BOOL, "expectFailure", struct raw_scenario, expect_failure), ROW(F_STR, "reason", struct raw_scenario, reason),
	FIELD_END
};
static const struct field scenario_fields[] = { ROW_KEEP("apiVersion"), ROW_KEEP("kind"), ROW_HERE("metadata", meta_fields), ROW_HERE("spec", spec_fields), FIELD_END };

bool is_scenario(const struct val *root)
{
	return streq(val_str_at(root, "kind"), "Scenario") && streq(val_str_at(root, "apiVersion"), SCENARIO_API);
}

static bool parse_modes(struct parse *p, const struct val *v, const str_list *modes, struct scenario *s)
{
	for (uint32_t k = 0; k < modes->nr; k++) {
		if (strcmp(modes->v[k], "sim") == 0)
			s->in_sim = true;
		else if (strcmp(modes->v[k], "linux") == 0)
			s->in_linux = true;
		else
			return parse_failed(p, val_at(v, k), "spec.modes", "\"%s\" is no mode: sim or linux was expected", modes->v[k]);
	}
	if (!modes->set)
		s->in_sim = s->in_linux = true;
	return s->in_sim || s->in_linux || parse_failed(p, v, "spec.modes", "is empty: it could run nowhere");
}

static bool parse_cluster(struct parse *p, const struct raw_scenario *raw, struct scenario *s)
{
	if (!raw->cluster)
		return true;
	if (val_is(raw->cluster, VAL_STRING))
		s->cluster_file = str_intern(p->strings, raw->cluster->s);
	else if (val_is(raw->cluster, VAL_MAP))
		s->cluster = raw->cluster;
	else
		return parse_failed(p, raw->cluster, "spec.cluster", "kind's Cluster, or the name of a file with one, was expected");
	return true;
}

static bool parse_steps(struct parse *p, const struct val *root, const struct val *steps, struct scenario *s)
{
	uint32_t k = 0;
	bool ok = true;

	if (!val_is(steps, VAL_LIST) || !steps->nr)
		return parse_failed(p, steps ? steps : root, "spec.steps", "a list of steps was expected");
	s->steps.v = arena_array(p->arena, struct step, steps->nr);
	s->steps.nr = steps->nr;
	VAL_EACH(v, steps) {
		ok = step_parse(p, v, k, &s->steps.v[k]) && ok;
		k++;
	}
	return ok;
}

static const char *folder_of(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');

	return !slash ? "." : slash == file ? "/" : arena_strndup(a, file, (size_t)(slash - file));
}

struct scenario *scenario_parse(struct arena *a, const char *file, const struct val *read, struct err *err)
{
	const struct val *root = val_copy(a, read);
	const char *name = val_str_at(root, "metadata.name");
	struct parse p = { a, strtab_new(a), arena_strdup(a, file), arena_printf(a, "Scenario \"%s\"", name ? name : ""), err };
	struct decode d = parse_strictly(&p);
	struct scenario *s = arena_make(a, struct scenario);
	struct raw_scenario raw = { 0 };
	bool ok = fields_decode(&d, scenario_fields, root, "", &raw);

	*s = (struct scenario){ .file = p.file, .dir = folder_of(a, p.file), .line = root->line, .name = raw.name, .title = raw.title, .ns = raw.ns ? raw.ns : "default",
				.labels = raw.labels, .files = raw.files, .expect_failure = raw.expect_failure, .failure_reason = raw.reason };
	if (!raw.name || !*raw.name)
		ok = parse_failed(&p, root, "metadata.name", "every scenario has a name");
	if (raw.seed && (!val_is(raw.seed, VAL_INT) || raw.seed->i < 0))
		ok = parse_failed(&p, raw.seed, "spec.seed", "a number from 0 on was expected");
	else
		s->seed = (uint64_t)val_int_or(raw.seed, 0);
	if (raw.expect_failure && !raw.reason)
		ok = parse_failed(&p, val_path(root, "spec.expectFailure"), "spec.expectFailure", "a known gap needs its reason: reason: …");
	for (uint32_t k = 0; k < raw.files.nr; k++)
		ok = scenario_path(a, s, raw.files.v[k], val_at(val_path(root, "spec.files"), k), err) && ok;
	ok = parse_modes(&p, val_path(root, "spec.modes"), &raw.modes, s) && ok;
	ok = parse_cluster(&p, &raw, s) && ok;
	ok = parse_steps(&p, root, raw.steps, s) && ok;
	return ok ? s : NULL;
}

/* Neither by its name nor by a link in it may a path leave the folder. */
const char *scenario_path(struct arena *a, const struct scenario *s, const char *name, const struct val *at, struct err *err)
{
	const char *path = arena_printf(a, "%s/%s", s->dir, name);
	struct where w = { s->file, at ? at->line : 0, at ? at->col : 0, NULL, NULL };
	char top[PATH_MAX], real[PATH_MAX];
	size_t n;

	if (*name == '/' || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 || strstr(name, "/../"))
		return err_add(err, ERR_INPUT, &w, "\"%s\" leads outside the scenario's folder", name), NULL;
	if (!realpath(s->dir, top) || !realpath(path, real))
		return err_add(err, ERR_INPUT, &w, "\"%s\": %s", name, strerror(errno)), NULL;
	n = strcmp(top, "/") == 0 ? 0 : strlen(top);
	if (strncmp(real, top, n) != 0 || (real[n] && real[n] != '/'))
		return err_add(err, ERR_INPUT, &w, "\"%s\" leads outside the scenario's folder, to \"%s\"", name, real), NULL;
	return path;
}

/* ---- files */

struct loading { struct arena *arena; struct scenario_list *out; const char *file; uint32_t first; VEC(const struct val *) documents; bool ok; };

/* The documents of one file belong to the scenarios of that file. */
static void close_file(struct loading *l)
{
	for (uint32_t k = l->first; k < l->out->nr; k++) {
		l->out->v[k]->documents.v = l->documents.v;
		l->out->v[k]->documents.nr = l->documents.nr;
	}
	l->first = l->out->nr;
	l->documents.v = NULL;
	l->documents.nr = l->documents.alloc = 0;
}

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	struct loading *l = ctx;
	struct scenario *s;

	if (!streq(l->file, d->file)) {
		close_file(l);
		l->file = arena_strdup(l->arena, d->file);
	}
	if (!is_scenario(d->root)) {
		vec_add(l->arena, &l->documents, val_copy(l->arena, d->root));
		return true;
	}
	s = scenario_parse(l->arena, d->file, d->root, err);
	if (s)
		vec_add(l->arena, l->out, s);
	l->ok = l->ok && s;
	return true;
}

bool scenario_has_task(const struct scenario *s)
{
	for (uint32_t k = 0; k < s->steps.nr; k++)
		if (s->steps.v[k].goal.nr)
			return true;
	return false;
}

bool scenarios_load(struct arena *a, const char *path, struct scenario_list *out, struct err *err)
{
	struct loading l = { .arena = a, .out = out, .first = out->nr, .ok = true };
	uint32_t before = out->nr;
	struct stat st;
	bool ok = docs_read_path(path, NULL, take, &l, err);

	close_file(&l);
	if (ok && l.ok && out->nr == before && !(stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return err_add(err, ERR_INPUT, &(struct where){ .file = path }, "holds no Scenario (apiVersion: " SCENARIO_API ", kind: Scenario)");
	if (ok && l.ok && out->nr == before)
		return err_add(err, ERR_INPUT, &(struct where){ .file = path }, "no file in this folder holds a Scenario");
	return ok && l.ok;
}
