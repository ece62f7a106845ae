/* rollout: status, restart, undo, history, pause, resume. The words are kubectl's (staging/src/k8s.io/kubectl/pkg/polymorphichelpers/{rollout_status,history,rollback}.go). */
#include <stdlib.h>

#include "model/base/quantity.h"
#include "model/control/revisions.h"
#include "viz/cli/labwork.h"
#include "viz/cli/select.h"
#include "viz/report/describe.h"
#include "viz/report/table.h"
#include "viz/report/tabs.h"

#define REVISION  "deployment.kubernetes.io/revision"
#define CAUSE     "kubernetes.io/change-cause"
#define RESTARTED "kubectl.kubernetes.io/restartedAt"

/* ---- status */

/* One sentence, with its line end; *done: the rollout has come to its end. false: it has failed. */
static bool deployment_status(const struct workload *w, bool *done, struct sb *out, struct err *err)
{
	const struct condition *progress = condition_get(&w->conditions, "Progressing");

	*done = false;
	if (w->st_observed < w->o.generation) {
		sb_add(out, "Waiting for deployment spec update to be observed...\n");
	} else if (progress && streq(progress->reason, "ProgressDeadlineExceeded")) {
		return err_add(err, ERR_FAILED, NULL, "deployment \"%s\" exceeded its progress deadline", w->o.name);
	} else if (w->st_updated < w->replicas) {
		sb_printf(out, "Waiting for deployment \"%s\" rollout to finish: %d out of %d new replicas have been updated...\n", w->o.name, w->st_updated, w->replicas);
	} else if (w->st_replicas > w->st_updated) {
		sb_printf(out, "Waiting for deployment \"%s\" rollout to finish: %d old replicas are pending termination...\n", w->o.name, w->st_replicas - w->st_updated);
	} else if (w->st_available < w->st_updated) {
		sb_printf(out, "Waiting for deployment \"%s\" rollout to finish: %d of %d updated replicas are available...\n", w->o.name, w->st_available, w->st_updated);
	} else {
		sb_printf(out, "deployment \"%s\" successfully rolled out\n", w->o.name);
		*done = true;
	}
	return true;
}

static bool daemon_status(const struct workload *w, bool *done, struct sb *out, struct err *err)
{
	*done = false;
	if (!streq(w->strategy, "RollingUpdate"))
		return err_add(err, ERR_FAILED, NULL, "rollout status is only available for RollingUpdate strategy type");
	if (w->st_observed < w->o.generation) {
		sb_add(out, "Waiting for daemon set spec update to be observed...\n");
	} else if (w->st_updated < w->st_desired) {
		sb_printf(out, "Waiting for daemon set \"%s\" rollout to finish: %d out of %d new pods have been updated...\n", w->o.name, w->st_updated, w->st_desired);
	} else if (w->st_available < w->st_desired) {
		sb_printf(out, "Waiting for daemon set \"%s\" rollout to finish: %d of %d updated pods are available...\n", w->o.name, w->st_available, w->st_desired);
	} else {
		sb_printf(out, "daemon set \"%s\" successfully rolled out\n", w->o.name);
		*done = true;
	}
	return true;
}

static bool stateful_status(const struct workload *w, bool *done, struct sb *out, struct err *err)
{
	*done = false;
	if (!streq(w->strategy, "RollingUpdate"))
		return err_add(err, ERR_FAILED, NULL, "rollout status is only available for RollingUpdate strategy type");
	if (w->st_ready < w->replicas) {
		sb_printf(out, "Waiting for %d pods to be ready...\n", w->replicas - w->st_ready);
	} else if (w->partition > 0) {
		if (w->st_updated < w->replicas - w->partition) {
			sb_printf(out, "Waiting for partitioned roll out to finish: %d out of %d new pods have been updated...\n", w->st_updated, w->replicas - w->partition);
		} else {
			sb_printf(out, "partitioned roll out complete: %d new pods have been updated...\n", w->st_updated);
			*done = true;
		}
	} else if (!streq(w->st_update_revision, w->st_current_revision)) {
		sb_printf(out, "waiting for statefulset rolling update to complete %d pods at revision %s...\n", w->st_updated, w->st_update_revision);
	} else {
		sb_printf(out, "statefulset rolling update complete %d pods at revision %s...\n", w->st_current, w->st_current_revision);
		*done = true;
	}
	return true;
}

static bool status_of(const struct workload *w, bool *done, struct sb *out, struct err *err)
{
	if (w->o.kind == &daemonset_kind)
		return daemon_status(w, done, out, err);
	if (w->o.kind == &statefulset_kind)
		return stateful_status(w, done, out, err);
	return deployment_status(w, done, out, err);
}

/* Watches: time passes, and each new sentence is told, until the end, a failure, or --timeout. */
static void watch(struct cli *cli, struct labwork *w, const struct workload *d, struct sb *out, struct err *err)
{
	nsec limit = cluster_now(w->world.cluster) + timing(T_SETTLE_LIMIT), wait;
	struct sb last = { 0 }, now = { 0 };
	bool done = false;

	if (cli->timeout && duration_parse(cli->timeout, &wait) && wait > 0)
		limit = cluster_now(w->world.cluster) + wait;
	while (status_of(d, &done, &now, err)) {
		nsec next = control_next(w->world.control);

		if (strcmp(sb_text(&now), sb_text(&last)) != 0)
			sb_add(out, sb_text(&now));
		sb_reset(&last);
		sb_add(&last, sb_text(&now));
		sb_reset(&now);
		if (done)
			break;
		if (next > limit) {
			err_add(err, ERR_FAILED, NULL, "timed out waiting for the condition");
			break;
		}
		control_advance_until(w->world.control, next, NULL, NULL);
	}
	sb_free(&now);
	sb_free(&last);
}

/* ---- history, undo */

static int64_t revision_of(const struct object *o)
{
	const char *text = label_get(&o->annotations, REVISION);

	return text ? strtoll(text, NULL, 10) : 0;
}

static int by_revision(const void *a, const void *b)
{
	int64_t x = revision_of(*(struct object *const *)a), y = revision_of(*(struct object *const *)b);

	return (x > y) - (x < y);
}

static struct object_list sets_of(struct cli *cli, struct cluster *c, const struct object *d)
{
	struct object_list l = cluster_list_ns(c, &replicaset_kind, d->ns), out = { arena_array(cli->arena, struct object *, l.nr), 0 };

	for (uint32_t k = 0; k < l.nr; k++)
		if (owner_uid(l.v[k]) == d->uid)
			out.v[out.nr++] = l.v[k];
	if (out.nr)
		qsort(out.v, out.nr, sizeof(*out.v), by_revision);
	return out;
}

/* One entry of a history: a Deployment's ReplicaSet, or a ControllerRevision of the others. */
struct past { int64_t revision; const struct object *object; };
struct pasts { struct past *v; uint32_t nr; };

static struct pasts pasts_of(struct cli *cli, struct cluster *c, const struct object *o)
{
	struct pasts out = { 0 };

	if (o->kind == &deployment_kind) {
		struct object_list l = sets_of(cli, c, o);

		out.v = arena_array(cli->arena, struct past, l.nr);
		for (uint32_t k = 0; k < l.nr; k++)
			out.v[out.nr++] = (struct past){ revision_of(l.v[k]), l.v[k] };
	} else {
		uint32_t nr;
		struct controller_revision **v = revisions_of(c, o, cli->arena, &nr);

		out.v = arena_array(cli->arena, struct past, nr);
		for (uint32_t k = 0; k < nr; k++)
			out.v[out.nr++] = (struct past){ v[k]->revision, &v[k]->o };
	}
	return out;
}

static const struct object *past_of(const struct pasts *all, int64_t revision)
{
	for (uint32_t k = 0; k < all->nr; k++)
		if (all->v[k].revision == revision)
			return all->v[k].object;
	return NULL;
}

/* spec.template as it was then; NULL: it is not known. */
static struct val *template_of(struct cli *cli, struct cluster *c, const struct object *past)
{
	const struct workload *rs = (const struct workload *)past;
	const struct val *was;
	struct val *template, *labels;

	if (past->kind == &controller_revision_kind)
		return revision_template((const struct controller_revision *)past, cli->arena);
	was = rs->template.doc ? rs->template.doc : val_path(object_render(c, past, cli->arena), "spec.template");
	template = was ? val_copy(cli->arena, was) : NULL;
	labels = template ? val_path_mut(template, "metadata.labels") : NULL;
	if (labels)
		val_del(labels, "pod-template-hash");
	return template;
}

static bool decode_template(struct cli *cli, struct cluster *c, const struct object *past, struct pod_template *out)
{
	const struct val *v;
	struct err err = { 0 };
	struct decode d = { .strings = cluster_strings(c), .arena = cli->arena, .unknown = VALIDATE_IGNORE, .object = "template", .err = &err };
	bool ok;

	if (past->kind != &controller_revision_kind) {
		*out = ((const struct workload *)past)->template;
		return true;
	}
	v = template_of(cli, c, past);
	*out = (struct pod_template){ 0 };
	ok = v && fields_decode(&d, pod_template_fields, v, "template", out);
	err_free(&err);
	return ok;
}

static void history(struct cli *cli, struct cluster *c, const struct object *o, struct sb *out, struct err *err)
{
	struct pasts all = pasts_of(cli, c, o);
	struct table_text t;

	if (cli->to_revision) {
		int64_t n = strtoll(cli->to_revision, NULL, 10);
		const struct object *past = past_of(&all, n);
		struct pod_template template;
		struct sb raw = { 0 };
		struct describe x = { c, o, cli->arena, &raw };

		if (!past || !decode_template(cli, c, past, &template)) {
			err_add(err, ERR_FAILED, NULL, "unable to find the specified revision");
			return;
		}
		say_template(&x, &template);
		sb_printf(out, "%s/%s with revision #%" PRId64 "\n", resource_word(cli->arena, o->kind), o->name, n);
		tabs_print(cli->arena, sb_text(&raw), out);
		sb_free(&raw);
		return;
	}
	sb_printf(out, "%s/%s \n", resource_word(cli->arena, o->kind), o->name);
	table_begin(&t, cli->arena, 2);
	table_cell(&t, "REVISION");
	table_cell(&t, "CHANGE-CAUSE");
	for (uint32_t k = 0; k < all.nr; k++) {
		const char *cause = label_get(&all.v[k].object->annotations, CAUSE);

		table_cell(&t, arena_printf(cli->arena, "%" PRId64, all.v[k].revision));
		table_cell(&t, cause ? cause : "<none>");
	}
	table_print(&t, out);
	sb_addc(out, '\n');
}

static struct val *no_history(const struct object *o, int64_t n, struct err *err)
{
	if (n)
		err_add(err, ERR_FAILED, NULL, "unable to find specified revision %" PRId64 " in history", n);
	else if (o->kind == &deployment_kind)
		err_add(err, ERR_FAILED, NULL, "no rollout history found for deployment \"%s\"", o->name);
	else
		err_add(err, ERR_FAILED, NULL, "no last revision to roll back to");
	return NULL;
}

/* The template of an older revision becomes the object's again. */
static struct val *undone(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct pasts all = pasts_of(cli, w->world.cluster, o);
	int64_t n = cli->to_revision ? strtoll(cli->to_revision, NULL, 10) : 0;
	const struct object *past = n ? past_of(&all, n) : all.nr > 1 ? all.v[all.nr - 2].object : NULL;
	struct val *doc = labwork_document(cli, w, o), *spec = val_get_mut(doc, "spec"), *template;

	if (!past)
		return no_history(o, n, err);
	if (o->kind == &deployment_kind && ((const struct workload *)o)->paused)
		return err_add(err, ERR_FAILED, NULL, "you cannot rollback a paused deployment; resume it first with 'podwire rollout resume deployment/%s' and try again", o->name), NULL;
	template = template_of(cli, w->world.cluster, past);
	if (!template)
		return err_add(err, ERR_UNKNOWN, NULL, "%s \"%s\": its template is not known", resource_plural(cli->arena, past->kind), past->name), NULL;
	val_put(cli->arena, spec, "template", template);
	return doc;
}

static struct val *restarted(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	struct val *doc = labwork_document(cli, w, o), *template = val_path_mut(doc, "spec.template"), *notes;
	char time[32];

	if (!template)
		return err_add(err, ERR_INPUT, NULL, "%s \"%s\" has no template", o->kind->name, o->name), NULL;
	if (o->kind == &deployment_kind && ((const struct workload *)o)->paused)
		return err_add(err, ERR_FAILED, NULL, "%s/%s can't restart paused deployment (run rollout resume first)", resource_plural(cli->arena, o->kind), o->name), NULL;
	notes = val_get_or_put(cli->arena, val_get_or_put(cli->arena, template, "metadata", VAL_MAP), "annotations", VAL_MAP);
	val_put(cli->arena, notes, RESTARTED, val_string(cli->arena, time_text(cluster_now(w->world.cluster), time)));
	return doc;
}

static struct val *paused(struct cli *cli, struct labwork *w, const struct object *o, struct err *err)
{
	bool pause = strcmp(cli->rest.v[0], "pause") == 0;
	struct val *doc = labwork_document(cli, w, o), *spec = val_get_mut(doc, "spec");

	if (((const struct workload *)o)->paused == pause)
		return err_add(err, ERR_FAILED, NULL, "%s \"%s\" is %s paused", resource_plural(cli->arena, o->kind), o->name, pause ? "already" : "not"), NULL;
	if (pause)
		val_put(cli->arena, spec, "paused", val_bool(cli->arena, true));
	else
		val_del(spec, "paused");
	return doc;
}

typedef struct val *(*step_fn)(struct cli *, struct labwork *, const struct object *, struct err *);
static const struct { const char *word, *done; step_fn fn; bool deployments_only, reads; } words[] = {
	{ "status", NULL, NULL, false, false }, { "history", NULL, NULL, false, true }, { "restart", "restarted", restarted, false, false }, { "undo", "rolled back", undone, false, false },
	{ "pause", "paused", paused, true, false }, { "resume", "resumed", paused, true, false },
};

static bool rolls_out(const struct kind *k, bool deployments_only)
{
	return k == &deployment_kind || (!deployments_only && (k == &daemonset_kind || k == &statefulset_kind));
}

static void each(struct cli *cli, struct labwork *w, size_t word, struct selection *s, struct sb *out, struct err *err)
{
	for (uint32_t k = 0; k < s->objects.nr && !err_any(err); k++) {
		struct object *o = s->objects.v[k];

		if (!rolls_out(o->kind, words[word].deployments_only)) {
			err_add(err, ERR_INPUT, NULL, "%s/%s: rollout %s needs a Deployment%s", resource_word(cli->arena, o->kind), o->name, words[word].word,
				words[word].deployments_only ? "" : ", DaemonSet or StatefulSet");
		} else if (strcmp(words[word].word, "status") == 0) {
			watch(cli, w, (const struct workload *)o, out, err);
		} else if (strcmp(words[word].word, "history") == 0) {
			history(cli, w->world.cluster, o, out, err);
		} else {
			struct val *to = words[word].fn(cli, w, o, err);
			enum apply_result how = to ? labwork_change(cli, w, o, to, err) : APPLY_ERROR;

			if (how != APPLY_ERROR)
				sb_printf(out, "%s/%s %s%s\n", resource_word(cli->arena, o->kind), o->name, how == APPLY_UNCHANGED ? "skipped rollback (current template already matches)" : words[word].done,
					  labwork_mark(cli));
		}
	}
}

enum err_kind cmd_rollout(struct cli *cli, struct err *err)
{
	const char *word = cli->args.nr ? cli->args.v[0] : "";
	struct sb out = { 0 };
	struct selection s;
	struct labwork w;
	size_t at = 0;

	while (at < ARRAY_LEN(words) && strcmp(words[at].word, word) != 0)
		at++;
	if (at == ARRAY_LEN(words) || cli->args.nr < 2)
		return cli_usage(cli, err, "rollout status|history|restart|undo|pause|resume, and of what?");
	if (cli->to_revision && (strspn(cli->to_revision, "0123456789") != strlen(cli->to_revision) || !*cli->to_revision))
		return cli_usage(cli, err, "--to-revision: \"%s\" is not a number", cli->to_revision);
	cli->args.v++;
	cli->args.nr--;
	vec_add(cli->arena, &cli->rest, word);
	if (words[at].reads)
		cli->dry_run = true;
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	if (select_objects(cli, w.world.cluster, &s, err))
		each(cli, &w, at, &s, &out, err);
	if (strcmp(word, "status") == 0)
		cli->no_settle = true;
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	labwork_end(cli, &w, true, err);
	return err_kind(err);
}
