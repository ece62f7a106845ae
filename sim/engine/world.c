#include "sim/engine/connections.h"

#include "model/cluster/proxy_view.h"
#include "model/control/defaults.h"

void world_init(struct world *w, const struct world_options *opt)
{
	struct settings_flags *flags;

	*w = (struct world){ 0 };
	w->cluster = cluster_new(NULL, opt->seed ? opt->seed : 1);
	flags = cluster_flags(w->cluster);
	*flags = opt->flags;
	flags->cni = cluster_str(w->cluster, opt->flags.cni);
	flags->respect = opt->ask || opt->flags.respect;
	w->control = control_new(w->cluster);
	if (opt->watch)
		world_watch(w, opt->watch, opt->watch_ctx);
}

static void look(void *ctx)
{
	struct world *w = ctx;

	w->watch(w->watch_ctx, w);
}

void world_watch(struct world *w, void (*watch)(void *, struct world *), void *ctx)
{
	w->watch = watch;
	w->watch_ctx = ctx;
	control_observe(w->control, watch ? look : NULL, w);
}

void world_free(struct world *w)
{
	dataplane_free(w->dp);
	arena_free(w->routes_arena);
	connections_free(w->connections);
	cluster_free(w->cluster);
	*w = (struct world){ 0 };
}

struct reading {
	struct world *world;
	const struct world_options *opt;
	world_scenario scenario;
	void *ctx;
	struct docs_later later;
};

bool world_apply_doc(struct world *w, const struct world_options *opt, const struct doc *d, struct err *err)
{
	return apply_doc(w->cluster, d, &opt->apply, NULL, err) != APPLY_ERROR;
}

static bool take(void *ctx, const struct doc *d, struct err *err)
{
	struct reading *r = ctx;
	uint32_t mark = err->nr;

	if (d->root && streq(val_str(val_get(d->root, "kind")), "Scenario") && streq(val_str(val_get(d->root, "apiVersion")), "podwire.io/v1")) {
		struct where place = { .file = d->file, .line = d->root->line };

		if (r->scenario)
			return r->scenario(r->ctx, d, err);
		return err_add(err, ERR_INPUT, &place, "a Scenario does not belong here: podwire run plays it");
	}
	if (!world_apply_doc(r->world, r->opt, d, err))
		apply_later(&r->later, r->world->cluster, cluster_arena(r->world->cluster), d, mark, err);
	return true;
}

bool world_apply_paths(struct world *w, const struct world_options *opt, const char *const *paths, uint32_t nr, world_scenario scenario, void *ctx, struct err *err)
{
	struct reading r = { .world = w, .opt = opt, .scenario = scenario, .ctx = ctx };

	for (uint32_t k = 0; k < nr; k++)
		docs_read_path(paths[k], NULL, take, &r, err);
	apply_due(&r.later, w->cluster, err);
	for (uint32_t k = 0; k < r.later.docs.nr; k++)
		world_apply_doc(w, opt, &r.later.docs.v[k].doc, err);
	return !err_any(err);
}

void world_settle(struct world *w, const struct world_options *opt)
{
	if (!opt->flags.no_defaults)
		defaults_add(w->cluster);
	if (opt->timed)
		control_advance_until(w->control, opt->until, NULL, NULL);
	else if (!opt->no_settle)
		w->settled = control_settle(w->control);
}

struct dataplane *world_dataplane(struct world *w)
{
	if (w->dp && w->dp_rev == cluster_rev(w->cluster) && w->dp_views == cluster_proxy_views(w->cluster))
		return w->dp;
	if (!w->dp || !dataplane_update(w->dp)) {
		dataplane_free(w->dp);
		w->dp = dataplane_compile(w->cluster, NULL);
	}
	w->dp_rev = cluster_rev(w->cluster);
	w->dp_views = cluster_proxy_views(w->cluster);
	return w->dp;
}
