#include "viz/cli/applying.h"

#include "viz/cli/select.h"

static enum apply_result apply_now(struct applying *a, const struct doc *d, struct err *err)
{
	struct object *o = NULL;
	enum apply_result how = apply_doc(a->w->world.cluster, d, &a->w->opt.apply, &o, err);

	if (how == APPLY_ERROR)
		return how;
	vec_add(a->cli->arena, &a->w->docs, (struct doc){ arena_strdup(a->cli->arena, d->file), val_copy(a->cli->arena, d->root) });
	if (!o)
		return how;
	vec_add(a->cli->arena, &a->objects, o);
	if (!a->cli->quiet)
		fprintf(a->cli->to, "%s%s%s %s%s\n", resource_word(a->cli->arena, o->kind), &"/"[!*o->name], o->name, a->done ? a->done : apply_result_names[how], labwork_mark(a->cli));
	return how;
}

bool applying_take(void *ctx, const struct doc *d, struct err *err)
{
	struct applying *a = ctx;
	uint32_t mark = err->nr;

	if (d->root && streq(val_str(val_get(d->root, "kind")), "Scenario")) {
		struct where w = { .file = d->file, .line = d->root->line };

		return err_add(err, ERR_INPUT, &w, "a Scenario is not applied: podwire run plays it");
	}
	a->nr++;
	if (apply_now(a, d, err) == APPLY_ERROR)
		apply_later(&a->later, a->w->world.cluster, a->cli->arena, d, mark, err);
	return true;
}

void applying_rest(struct applying *a, struct err *err)
{
	apply_due(&a->later, a->w->world.cluster, err);
	for (uint32_t k = 0; k < a->later.docs.nr; k++)
		apply_now(a, &a->later.docs.v[k].doc, err);
}
