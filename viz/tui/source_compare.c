/* Two moments of a lab side by side: what is only in one of them, and what changed. */
#include "viz/tui/source.h"

#include "viz/report/columns.h"

#include <stdio.h>

static const char *state_text(struct cluster *c, const struct object *o, struct arena *a)
{
	struct sb text = { 0 }, cell = { 0 };
	const char *s;

	for (const struct column *col = columns_of(c, o->kind, a); col->head; col++) {
		struct row r = { .c = c, .o = o, .scratch = a };

		if (col->flags & COL_WIDE || strcmp(col->head, "NAME") == 0 || strcmp(col->head, "AGE") == 0)
			continue;
		sb_reset(&cell);
		column_print(&r, col, &cell);
		sb_printf(&text, "%s%s", text.len ? "  " : "", sb_text(&cell));
	}
	s = arena_strdup(a, sb_text(&text));
	sb_free(&text);
	sb_free(&cell);
	return s;
}

struct sides { struct cluster *c[2]; struct arena *a; struct tui_pane *p[2]; uint32_t added, gone, changed; };

static void add_row(struct sides *x, const struct object *was, const struct object *is)
{
	const struct object *o[2] = { was, is };

	for (int k = 0; k < 2; k++) {
		const char *sign = was && is ? "~" : was ? "-" : "+";
		struct tui_line *l;

		if (!o[k]) {
			pane_line(x->a, x->p[k], TR_DIM, "");
			continue;
		}
		l = pane_printf(x->a, x->p[k], was && is ? TR_CHANGED : was ? TR_BAD : TR_GOOD, "%s %s  %s", sign, ref_of(x->a, o[k]), state_text(x->c[k], o[k], x->a));
		if (is)
			l->ref = ref_of(x->a, is);
	}
	x->added += !was;
	x->gone += !is;
	x->changed += was && is;
}

static void compare_kind(struct sides *x, const struct kind *k)
{
	struct object_list l[2] = { cluster_list(x->c[0], k), cluster_list(x->c[1], k) };
	uint32_t i = 0, j = 0;

	while (i < l[0].nr || j < l[1].nr) {
		int order = i == l[0].nr ? 1 : j == l[1].nr ? -1 : str_order(l[0].v[i]->ns, l[1].v[j]->ns);

		if (!order && i < l[0].nr && j < l[1].nr)
			order = strcmp(l[0].v[i]->name, l[1].v[j]->name);
		if (order < 0) {
			add_row(x, l[0].v[i++], NULL);
		} else if (order > 0) {
			add_row(x, NULL, l[1].v[j++]);
		} else {
			if (l[0].v[i]->rev != l[1].v[j]->rev || !streq(l[0].v[i]->uid, l[1].v[j]->uid))
				add_row(x, l[0].v[i], l[1].v[j]);
			i++;
			j++;
		}
	}
}

bool fill_compare(struct tui_model *m, const char *moments, struct arena *a, struct tui_object *out, struct err *err)
{
	char from[64] = "", to[64] = "";
	struct world w[2] = { 0 };
	struct sides x = { .a = a };
	bool other;

	if (sscanf(moments, "%63s %63s", from, to) < 1)
		return err_add(err, ERR_INPUT, NULL, "compare what? two moments, as rev:3 rev:7 or 2s 40s; one of them: with now");
	other = *to;
	if (!m->host.moment(m->host.ctx, from, &w[0], err))
		return false;
	if (other && !m->host.moment(m->host.ctx, to, &w[1], err)) {
		world_free(&w[0]);
		return false;
	}
	x.c[0] = w[0].cluster;
	x.c[1] = other ? w[1].cluster : m->world->cluster;
	for (int k = 0; k < 2; k++) {
		char at[32];
		nsec now = cluster_now(x.c[k]);

		x.p[k] = &out->panes[k];
		snprintf(at, sizeof(at), "%" PRId64 ".%03" PRId64 "s", now / SECONDS(1), now / MILLIS(1) % 1000);
		out->panes[k].title = arena_printf(a, "%s  t=%s", k ? other ? to : "now" : from, at);
	}
	for (uint32_t k = 0; kinds[k]; k++)
		compare_kind(&x, kinds[k]);
	out->title = arena_printf(a, "Compare %s with %s", from, other ? to : "now");
	out->layout = LAYOUT_TWO;
	out->nr_panes = 2;
	out->note = arena_printf(a, "%u added, %u gone, %u changed", x.added, x.gone, x.changed);
	if (!out->panes[0].nr)
		pane_line(a, &out->panes[0], TR_DIM, "nothing differs");
	world_free(&w[0]);
	if (other)
		world_free(&w[1]);
	return true;
}
