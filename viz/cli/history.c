#include "viz/cli/history.h"

#include "viz/cli/labwork.h"

#include "model/control/defaults.h"

/* The command's word; what it was called with stands behind it. */
static uint32_t word_at(const struct lab_entry *e)
{
	for (uint32_t k = 1; k < e->input.argc; k++)
		if (command_find(e->input.argv[k]))
			return k;
	return 0;
}

static bool is(const struct lab_entry *e, const char *command)
{
	return word_at(e) && strcmp(e->input.argv[word_at(e)], command) == 0;
}

static const char *line_of(struct arena *a, const struct lab_entry *e)
{
	struct sb text = { 0 };
	const char *line;

	for (uint32_t k = MAX(word_at(e), 1); k < e->input.argc; k++)
		sb_printf(&text, "%s%s", text.len ? " " : "", e->input.argv[k]);
	line = arena_strdup(a, sb_text(&text));
	sb_free(&text);
	return line;
}

/* As a scenario and Go write it: 40s, 0.25s. */
static const char *duration_text(struct arena *a, nsec t)
{
	char *s = arena_printf(a, "%" PRId64 ".%09" PRId64, t / SECONDS(1), t % SECONDS(1));
	size_t n = strlen(s);

	while (s[n - 1] == '0')
		n--;
	n -= s[n - 1] == '.';
	return arena_printf(a, "%.*ss", (int)n, s);
}

/* A document that says what went, not what came. */
static bool is_deletion(const struct lab_entry *e, uint32_t k)
{
	return is(e, "delete") || streq(val_str_at(e->input.docs[k].root, "$patch"), "delete");
}

static struct val *deleted(struct arena *a, const struct lab_entry *e)
{
	struct val *list = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < e->input.nr_docs; k++) {
		if (!is_deletion(e, k))
			continue;
		const struct val *d = e->input.docs[k].root;
		const char *kind = val_str_at(d, "kind"), *ns = val_str_at(d, "metadata.namespace"), *name = val_str_at(d, "metadata.name");

		val_add(a, list, val_string(a, arena_printf(a, "%s%s%s/%s", kind, ns ? "/" : "", ns ? ns : "", name)));
	}
	return list;
}

/* fault KIND TARGET [KEY=VALUE…] */
static struct val *faulted(struct arena *a, const struct lab_entry *e)
{
	uint32_t at = word_at(e) + 1;
	struct val *v = val_new(a, VAL_MAP);

	if (at >= e->input.argc)
		return v;
	val_put(a, v, e->input.argv[at], val_string(a, at + 1 < e->input.argc && !strchr(e->input.argv[at + 1], '=') ? e->input.argv[at + 1] : ""));
	for (uint32_t k = at + 1; k < e->input.argc; k++) {
		const char *eq = strchr(e->input.argv[k], '=');

		if (eq)
			val_put(a, v, arena_strndup(a, e->input.argv[k], (size_t)(eq - e->input.argv[k])), val_string(a, eq + 1));
	}
	return v;
}

/* connect FROM TO [--as NAME] [--protocol P]: the options may stand anywhere. */
static struct val *connected(struct arena *a, const struct lab_entry *e)
{
	const char *ends[2] = { NULL, NULL }, *name = NULL, *protocol = NULL;
	struct val *v = val_new(a, VAL_MAP);
	uint32_t nr = 0;

	for (uint32_t k = word_at(e) + 1; k < e->input.argc; k++) {
		const char *word = e->input.argv[k], *next = k + 1 < e->input.argc ? e->input.argv[k + 1] : NULL;

		if (strcmp(word, "--as") == 0 && next)
			name = e->input.argv[++k];
		else if (strcmp(word, "--protocol") == 0 && next)
			protocol = e->input.argv[++k];
		else if (word[0] != '-' && nr < 2)
			ends[nr++] = word;
	}
	if (nr < 2)
		return v;
	val_put(a, v, "from", val_string(a, ends[0]));
	val_put(a, v, "to", val_string(a, ends[1]));
	if (protocol)
		val_put(a, v, "protocol", val_string(a, protocol));
	val_put(a, v, "keep", val_string(a, name ? name : ends[1]));
	return v;
}

/* What a command did, as a step; NULL for one that changed nothing by itself. */
static struct val *history_step(struct arena *a, const struct lab_entry *e)
{
	struct val *step = val_new(a, VAL_MAP), *objects;

	val_put(a, step, "name", val_string(a, line_of(a, e)));
	if (is(e, "delete") && !e->input.nr_docs) {
		return NULL;
	} else if (is(e, "delete")) {
		val_put(a, step, "delete", deleted(a, e));
	} else if (is(e, "connect")) {
		val_put(a, step, "trace", connected(a, e));
	} else if (is(e, "advance")) {
		val_put(a, step, "advance", val_string(a, duration_text(a, e->to - e->input.from)));
	} else if (is(e, "fault") || is(e, "heal")) {
		val_put(a, step, e->input.argv[word_at(e)], faulted(a, e));
	} else if (e->input.nr_docs) {
		struct val *gone = deleted(a, e);

		objects = val_new(a, VAL_LIST);
		for (uint32_t k = 0; k < e->input.nr_docs; k++)
			if (!is_deletion(e, k))
				val_add(a, objects, val_copy(a, e->input.docs[k].root));
		if (objects->nr)
			val_put(a, val_put(a, step, "apply", val_new(a, VAL_MAP)), "objects", objects);
		if (gone->nr)
			val_put(a, step, "delete", gone);
	} else {
		return NULL;
	}
	return step;
}

static struct object *find(struct cluster *c, const struct val *d)
{
	const char *api = val_str_at(d, "apiVersion"), *kind = val_str_at(d, "kind"), *name = val_str_at(d, "metadata.name");
	const struct kind *k = api && kind ? cluster_kind(c, api, kind) : NULL;

	return k && name ? cluster_find(c, k, val_str_at(d, "metadata.namespace"), name) : NULL;
}

bool history_redo(struct world *w, const struct lab_entry *e, nsec at, struct err *err)
{
	static const struct apply_options as_then = { .unknown = VALIDATE_IGNORE, .respect_status = true, .create_namespaces = true };

	if (is(e, "fault") || is(e, "heal"))
		return err_add(err, ERR_INPUT, NULL, "--at: a moment within \"%s\" cannot be shown: it breaks or mends at once; take the moment before or after", e->input.argv[word_at(e)]);
	for (uint32_t k = 0; k < e->input.nr_docs; k++) {
		const struct doc *d = &e->input.docs[k];
		struct object *o = is_deletion(e, k) ? find(w->cluster, d->root) : NULL;

		if (is_deletion(e, k)) {
			if (o)
				apply_delete(w->cluster, o);
		} else if (apply_doc(w->cluster, d, &as_then, NULL, err) == APPLY_ERROR) {
			return false;
		}
	}
	control_advance_until(w->control, at, NULL, NULL);
	return true;
}

/* All of a command again, with the time that it took: from the very beginning, each of them leads to the lab as it is. first: of the lab. */
static bool history_replay(struct world *w, const struct lab_entry *e, nsec to, bool first, struct err *err)
{
	struct arena *a = cluster_arena(w->cluster);
	uint32_t at = word_at(e) + 1;

	if (is(e, "fault") || is(e, "heal")) {
		const char *kind = at < e->input.argc ? e->input.argv[at] : "", *target = at + 1 < e->input.argc && !strchr(e->input.argv[at + 1], '=') ? e->input.argv[at + 1] : "";
		bool ok = is(e, "heal") ? control_heal(w->control, kind, target, err) : control_fault(w->control, kind, target, faulted(a, e), err);

		if (!ok)
			return false;
		control_advance_until(w->control, to, NULL, NULL);
		return true;
	}
	if (first) {
		defaults_add_namespaces(w->cluster);
		for (uint32_t k = 0; k < e->input.nr_docs; k++)         /* the documents come before the defaults, as they did */
			if (apply_doc(w->cluster, &e->input.docs[k], &(struct apply_options){ .unknown = VALIDATE_IGNORE, .respect_status = true, .create_namespaces = true }, NULL, err) == APPLY_ERROR)
				return false;
		if (!cluster_flags(w->cluster)->no_defaults)
			defaults_add(w->cluster);
		control_advance_until(w->control, to, NULL, NULL);
		return true;
	}
	return history_redo(w, e, to, err);
}

bool history_watch(struct cli *cli, struct watcher watcher, struct world *w, struct err *err)
{
	struct lab *lab = lab_open(cli_lab(cli), LAB_READ, NULL, err);
	struct lab_point at, begin = { 0, NEVER };
	struct lab_history h;
	bool ok = lab && lab_find(lab, cli->at, &at, err) && lab_history(lab, cli->arena, &h, err) && lab_load_world(lab, begin, w, err);

	lab_close(lab);
	if (!ok)
		return false;
	world_watch(w, watcher.look, watcher.ctx);
	for (uint32_t k = 0; ok && k < h.nr; k++) {
		bool within = h.v[k].nr == at.input + 1 && at.at != NEVER;

		if (h.v[k].nr > at.input && !within)
			break;
		ok = history_replay(w, &h.v[k], within ? at.at : h.v[k].to, k == 0, err);
	}
	if (!ok)
		world_free(w);
	return ok;
}

/* ---- export: what was done by hand becomes a lesson or a regression */

static struct val *scenario_of(struct cli *cli, struct lab *lab, const struct lab_history *h, struct err *err)
{
	struct arena *a = cli->arena;
	const char *path = cli_lab(cli), *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct val *root = val_new(a, VAL_MAP), *spec, *steps, *control;
	struct lab_point now;
	struct cluster *c;

	if (!lab_find(lab, NULL, &now, err) || !(c = lab_load(lab, now, &control, err)))
		return NULL;
	val_put(a, root, "apiVersion", val_string(a, "podwire.io/v1"));
	val_put(a, root, "kind", val_string(a, "Scenario"));
	val_put(a, val_put(a, root, "metadata", val_new(a, VAL_MAP)), "name", val_string(a, arena_strndup(a, base, strcspn(base, "."))));
	spec = val_put(a, root, "spec", val_new(a, VAL_MAP));
	val_put(a, spec, "seed", val_int(a, (int64_t)cluster_seed(c)));
	steps = val_put(a, spec, "steps", val_new(a, VAL_LIST));
	cluster_free(c);
	for (uint32_t k = 0; k < h->nr; k++) {
		struct val *step = history_step(a, &h->v[k]);

		if (step)
			val_add(a, steps, step);
	}
	return root;
}

enum err_kind cmd_export(struct cli *cli, struct err *err)
{
	struct lab *lab = lab_open(cli_lab(cli), LAB_READ, NULL, err);
	struct lab_history h;
	struct val *v = NULL;
	struct sb out = { 0 };

	if (lab && lab_history(lab, cli->arena, &h, err))
		v = scenario_of(cli, lab, &h, err);
	lab_close(lab);
	if (!v)
		return err_kind(err);
	if (cli_output_is(cli, "json")) {
		val_print_json(v, &out, 2, false);
		sb_addc(&out, '\n');
	} else {
		val_print_yaml(v, &out, false);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return ERR_NONE;
}
