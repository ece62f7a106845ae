/* cordon, uncordon, drain. Source: staging/src/k8s.io/kubectl/pkg/drain/{drain,filters}.go; the eviction API's words: pkg/registry/core/pod/storage/eviction.go. */
#include <stdlib.h>

#include "model/base/quantity.h"
#include "model/control/disruption.h"
#include "viz/cli/labwork.h"
#include "viz/cli/select.h"

static struct node *node_named(struct cli *cli, struct labwork *w, const char *name, struct err *err)
{
	const char *plain = strncmp(name, "node/", 5) == 0 ? name + 5 : name;
	struct node *n = find_node(w->world.cluster, plain);
	struct object_list l = cluster_list(w->world.cluster, &node_kind);
	const char **names = arena_array(cli->arena, const char *, l.nr + 1), *near;

	if (n)
		return n;
	for (uint32_t k = 0; k < l.nr; k++)
		names[k] = l.v[k]->name;
	near = nearest(plain, names);
	err_add(err, ERR_FAILED, NULL, "nodes \"%s\" not found%s%s%s", plain, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return NULL;
}

static void cordon(struct cli *cli, struct labwork *w, struct node *n, bool desired, struct sb *out, struct err *err)
{
	struct val *doc, *spec;

	if (n->unschedulable == desired) {
		sb_printf(out, "node/%s already %s%s\n", n->o.name, desired ? "cordoned" : "uncordoned", labwork_mark(cli));
		return;
	}
	doc = labwork_document(cli, w, &n->o);
	spec = val_get_or_put(cli->arena, doc, "spec", VAL_MAP);
	if (desired)
		val_put(cli->arena, spec, "unschedulable", val_bool(cli->arena, true));
	else
		val_del(spec, "unschedulable");
	if (labwork_change(cli, w, &n->o, doc, err) != APPLY_ERROR)
		sb_printf(out, "node/%s %s%s\n", n->o.name, desired ? "cordoned" : "uncordoned", labwork_mark(cli));
}

/* ---- drain */

enum fate { EVICT, SKIP, FORBIDDEN };
struct drain { struct cli *cli; struct labwork *w; struct node *node; struct sb daemons, unmanaged, empty_dirs; };

static void name_one(struct sb *l, const struct pod *p)
{
	sb_printf(l, "%s%s/%s", l->len ? ", " : "", p->o.ns, p->o.name);
}

static bool controller_lives(struct cluster *c, const struct pod *p, const char **kind)
{
	for (uint32_t k = 0; k < p->o.owners.nr; k++) {
		const struct owner_ref *r = &p->o.owners.v[k];

		if (!r->controller)
			continue;
		*kind = r->kind;
		if (streq(r->kind, "DaemonSet"))
			return cluster_find(c, &daemonset_kind, p->o.ns, r->name) != NULL;
		return true;
	}
	*kind = NULL;
	return false;
}

static enum fate fate_of(struct drain *d, const struct pod *p)
{
	bool empty_dir = false;
	const char *kind;

	if (label_get(&p->o.annotations, "kubernetes.io/config.mirror"))
		return SKIP;
	if (controller_lives(d->w->world.cluster, p, &kind) && streq(kind, "DaemonSet") && !pod_is_terminal(p)) {
		name_one(&d->daemons, p);
		return d->cli->ignore_daemonsets ? SKIP : FORBIDDEN;
	}
	if (p->o.deleted != NEVER)
		return SKIP;
	for (uint32_t k = 0; k < p->spec->volumes.nr; k++)
		empty_dir = empty_dir || p->spec->volumes.v[k].empty_dir;
	if (empty_dir && !pod_is_terminal(p) && !d->cli->delete_emptydir_data) {
		name_one(&d->empty_dirs, p);
		return FORBIDDEN;
	}
	if (!kind && !pod_is_terminal(p)) {
		name_one(&d->unmanaged, p);
		return d->cli->force ? EVICT : FORBIDDEN;
	}
	return EVICT;
}

static bool gone(const struct pod *const *v, uint32_t nr)
{
	for (uint32_t k = 0; k < nr; k++)
		if (!v[k]->o.gone)
			return false;
	return true;
}

/* Evicts what may be evicted, lets five seconds pass where a budget forbids it, and goes on until all have gone, or --timeout. */
static void evict(struct drain *d, struct pod **v, uint32_t nr, struct sb *out, struct err *err)
{
	struct cluster *c = d->w->world.cluster;
	nsec wait = 0, limit = cluster_now(c) + timing(T_SETTLE_LIMIT);
	bool *asked = arena_array(d->cli->arena, bool, nr);
	int64_t grace = d->cli->grace ? strtoll(d->cli->grace, NULL, 10) : -1;
	bool told = false;

	if (d->cli->timeout && duration_parse(d->cli->timeout, &wait) && wait > 0)
		limit = cluster_now(c) + wait;
	for (uint32_t k = 0; k < nr; k++)
		sb_printf(out, "%s pod %s/%s%s\n", d->cli->disable_eviction ? "deleting" : "evicting", v[k]->o.ns, v[k]->o.name, labwork_mark(d->cli));
	if (d->cli->dry_run)
		return;
	for (;;) {
		bool blocked = false;

		for (uint32_t k = 0; k < nr; k++) {
			const struct object *budget;
			bool many;

			if (asked[k] || v[k]->o.gone)
				continue;
			if (!d->cli->disable_eviction && !eviction_allowed(c, v[k], d->cli->arena, &budget, &many)) {
				blocked = true;
				if (!told && many)
					err_warn(err, NULL, "error when evicting pods/\"%s\" -n \"%s\": This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
						 v[k]->o.name, v[k]->o.ns);
				else if (!told)
					err_warn(err, NULL, "error when evicting pods/\"%s\" -n \"%s\" (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget. The disruption budget %s needs %d healthy pods and has %d currently",
						 v[k]->o.name, v[k]->o.ns, budget->name, budget_of(c, budget, d->cli->arena).desired, budget_of(c, budget, d->cli->arena).healthy);
				continue;
			}
			asked[k] = true;
			labwork_delete(d->cli, d->w, &v[k]->o, grace, false, CASCADE_BACKGROUND);
		}
		told = true;
		if (gone((const struct pod *const *)v, nr))
			break;
		if (cluster_now(c) >= limit) {
			err_add(err, ERR_FAILED, NULL, "error when waiting for pods to be gone from node \"%s\": %s", d->node->o.name,
				blocked ? "a PodDisruptionBudget forbids it; drain did not complete" : "timed out");
			break;
		}
		control_advance(d->w->world.control, MIN(timing(T_DRAIN_RETRY), limit - cluster_now(c)));
	}
	for (uint32_t k = 0; k < nr; k++)
		if (v[k]->o.gone)
			sb_printf(out, "pod/%s %s\n", v[k]->o.name, d->cli->disable_eviction ? "deleted" : "evicted");
}

static void drain(struct cli *cli, struct labwork *w, struct node *n, struct sb *out, struct err *err)
{
	struct drain d = { .cli = cli, .w = w, .node = n };
	struct object_list l = cluster_list(w->world.cluster, &pod_kind);
	struct pod **v = arena_array(cli->arena, struct pod *, l.nr);
	struct selector by = { 0 };
	uint32_t nr = 0;
	bool forbidden = false;

	cordon(cli, w, n, true, out, err);
	if (cli->selector && !selector_parse(cluster_strings(w->world.cluster), cli->arena, cli->selector, &by, err))
		return;
	for (uint32_t k = 0; k < l.nr; k++) {
		struct pod *p = (struct pod *)l.v[k];
		enum fate f;

		if (!streq(p->node, n->o.name) || (cli->selector && !selector_matches(&by, &p->o.labels)))
			continue;
		f = fate_of(&d, p);
		forbidden = forbidden || f == FORBIDDEN;
		if (f == EVICT)
			v[nr++] = p;
	}
	if (d.daemons.len && !cli->ignore_daemonsets)
		err_add(err, ERR_FAILED, NULL, "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): %s", sb_text(&d.daemons));
	if (d.unmanaged.len && !cli->force)
		err_add(err, ERR_FAILED, NULL, "cannot delete Pods that declare no controller (use --force to override): %s", sb_text(&d.unmanaged));
	if (d.empty_dirs.len)
		err_add(err, ERR_FAILED, NULL, "cannot delete Pods with local storage (use --delete-emptydir-data to override): %s", sb_text(&d.empty_dirs));
	if (!forbidden) {
		if (d.daemons.len)
			err_warn(err, NULL, "ignoring DaemonSet-managed Pods: %s", sb_text(&d.daemons));
		if (d.unmanaged.len)
			err_warn(err, NULL, "deleting Pods that declare no controller: %s", sb_text(&d.unmanaged));
		evict(&d, v, nr, out, err);
		if (!err_any(err))
			sb_printf(out, "node/%s drained%s\n", n->o.name, labwork_mark(cli));
	}
	sb_free(&d.daemons);
	sb_free(&d.unmanaged);
	sb_free(&d.empty_dirs);
}

/* What was done stays done, even where the rest could not be: as kubectl's, these commands are not all or nothing. */
static enum err_kind each_node(struct cli *cli, bool desired, bool drains, struct err *err)
{
	struct err failed = { 0 };
	struct sb out = { 0 };
	struct labwork w;

	if (!cli->args.nr)
		return cli_usage(cli, err, "which node?");
	if (cli->grace && strspn(cli->grace, "0123456789") != strlen(cli->grace))
		return cli_usage(cli, err, "--grace-period: \"%s\" is not a number of seconds", cli->grace);
	if (!labwork_begin(cli, &w, false, err))
		return err_kind(err);
	for (uint32_t k = 0; k < cli->args.nr; k++) {
		struct node *n = node_named(cli, &w, cli->args.v[k], err);

		if (n && !err_any(err) && drains)
			drain(cli, &w, n, &out, &failed);
		else if (n && !err_any(err))
			cordon(cli, &w, n, desired, &out, &failed);
	}
	labwork_end(cli, &w, true, err);
	if (!cli->quiet)
		fputs(sb_text(&out), cli->to);
	sb_free(&out);
	for (uint32_t k = 0; k < failed.nr; k++) {
		if (failed.v[k].warning)
			err_warn(err, NULL, "%s", failed.v[k].text);
		else
			err_add(err, failed.v[k].kind, NULL, "%s", failed.v[k].text);
	}
	err_free(&failed);
	return err_kind(err);
}

enum err_kind cmd_cordon(struct cli *cli, struct err *err) { return each_node(cli, true, false, err); }
enum err_kind cmd_uncordon(struct cli *cli, struct err *err) { return each_node(cli, false, false, err); }
enum err_kind cmd_drain(struct cli *cli, struct err *err) { return each_node(cli, true, true, err); }
