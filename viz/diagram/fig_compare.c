/* What changes between two sets of manifests: Services, workloads, who is behind which Service, who is told of whom, and what policies let through. What comes has a
 * plus and a thick border, what goes a minus and a dotted one; what stays is drawn where it touches a change. */
#include "sim/reachability/reach.h"
#include "viz/diagram/figure.h"

enum { MAX_ITEMS = 400, MAX_TIES = 4000, DRAW_ALL = 30 };

struct item { const char *key; const void *was, *is; bool service, near, changed; box_h box; };
struct tie { uint32_t from, to; uint8_t kind; bool was, is; const char *label; };
enum { TIE_BEHIND, TIE_TOLD, TIE_ALLOWED };

struct side { struct world *w; struct pod_groups groups; struct reach *r; };
struct drawing {
	struct scene *s;
	struct arena *a;
	struct side side[2];
	struct item item[MAX_ITEMS]; uint32_t nr;
	struct tie tie[MAX_TIES]; uint32_t nr_ties;
	struct map by_key;
	bool cut;
};

static uint64_t hash_of(const char *key)
{
	return hash_mix(fnv32a(key, strlen(key)), fnv32(key, strlen(key)));
}

static void add_item(struct drawing *d, int side, const char *key, const void *what, bool service)
{
	uint64_t *at = map_put(&d->by_key, d->a, hash_of(key));

	if (!*at) {
		if (d->nr == MAX_ITEMS) {
			d->cut = true;
			map_remove(&d->by_key, hash_of(key));
			return;
		}
		d->item[d->nr] = (struct item){ .key = key, .service = service };
		*at = ++d->nr;
	}
	*(side ? &d->item[*at - 1].is : &d->item[*at - 1].was) = what;
}

static const char *service_key(struct drawing *d, const struct service *v)
{
	return arena_printf(d->a, "Service/%s/%s", v->o.ns, v->o.name);
}

static const char *group_key(struct drawing *d, const struct pod_group *g)
{
	return arena_printf(d->a, "%s/%s/%s", g->kind, g->ns, g->name);
}

/* 0: it is not there. Items count from 1. */
static uint32_t item_of(struct drawing *d, const char *key)
{
	uint64_t *at = map_find(&d->by_key, hash_of(key));

	return at ? (uint32_t)*at : 0;
}

static void add_tie(struct drawing *d, int side, uint32_t from, uint32_t to, uint8_t kind, const char *label)
{
	if (!from || !to)
		return;
	for (uint32_t k = 0; k < d->nr_ties; k++) {
		struct tie *t = &d->tie[k];

		if (t->from == from && t->to == to && t->kind == kind && streq(t->label, label)) {
			*(side ? &t->is : &t->was) = true;
			return;
		}
	}
	if (d->nr_ties == MAX_TIES) {
		d->cut = true;
		return;
	}
	d->tie[d->nr_ties++] = (struct tie){ .from = from, .to = to, .kind = kind, .was = !side, .is = side, .label = label };
}

static void collect(struct drawing *d, int side, const struct figure_options *opt)
{
	struct side *x = &d->side[side];
	struct object_list l = cluster_list(x->w->cluster, &service_kind);

	x->groups = pods_grouped(x->w->cluster, opt, d->a);
	x->r = reach_new(x->w->cluster, NULL, 0);
	for (uint32_t k = 0; k < l.nr; k++)
		if (figure_shows(opt, l.v[k]) && !(streq(l.v[k]->ns, "default") && streq(l.v[k]->name, "kubernetes")))
			add_item(d, side, service_key(d, (const struct service *)l.v[k]), l.v[k], true);
	for (uint32_t k = 0; k < x->groups.nr; k++)
		add_item(d, side, group_key(d, x->groups.v[k]), x->groups.v[k], false);
}

static void tie_services(struct drawing *d, int side)
{
	struct side *x = &d->side[side];

	for (uint32_t k = 0; k < d->nr; k++) {
		const struct service *v = d->item[k].service ? side ? d->item[k].is : d->item[k].was : NULL;
		struct object_list ends = v ? part_endpoints(x->w->cluster, v, d->a) : (struct object_list){ 0 };
		const struct pod_group *last = NULL;

		for (uint32_t i = 0; i < ends.nr; i++) {
			const struct pod_group *g = pod_group_of(&x->groups, (const struct pod *)ends.v[i], d->a);

			if (g && g != last)
				add_tie(d, side, k + 1, item_of(d, group_key(d, g)), TIE_BEHIND, NULL);
			last = g;
		}
		for (uint32_t i = 0; v && i < x->groups.nr; i++)
			if (pod_names_service(x->groups.v[i]->first, v))
				add_tie(d, side, item_of(d, group_key(d, x->groups.v[i])), k + 1, TIE_TOLD, NULL);
	}
}

/* What policies allow, between workloads that both sides have: only there is a change the policies' own. */
static void tie_policies(struct drawing *d, int side)
{
	struct side *x = &d->side[side];
	int64_t *end = arena_array(d->a, int64_t, (size_t)d->nr + 1);

	for (uint32_t k = 0; k < d->nr; k++) {
		const struct pod_group *g = d->item[k].service ? NULL : side ? d->item[k].is : d->item[k].was;

		end[k] = g && d->item[k].was && d->item[k].is ? reach_find(x->r, arena_printf(d->a, "%s/%s", g->ns, g->first->o.name)) : -1;
	}
	for (uint32_t to = 0; to < d->nr; to++) {
		struct pod_ports p;

		if (end[to] < 0)
			continue;
		p = pod_ports(((const struct pod_group *)d->item[to].is)->first);
		for (uint32_t i = 0; i < p.nr; i++) {
			const uint64_t *row = reach_row(x->r, (uint32_t)end[to], p.proto[i], p.v[i]);

			for (uint32_t from = 0; from < d->nr; from++)
				if (from != to && end[from] >= 0 && (row[end[from] / 64] >> (end[from] % 64) & 1))
					add_tie(d, side, from + 1, to + 1, TIE_ALLOWED, arena_printf(d->a, ":%u", p.v[i]));
		}
	}
}

/* ---- what differs in what both have */

static const char *service_words(struct drawing *d, const struct service *v)
{
	struct sb text = { 0 };
	const char *out;

	sb_printf(&text, "%s", svc_type_names[v->type]);
	for (uint32_t k = 0; k < v->ports.nr && k < 4; k++)
		sb_printf(&text, "%s%s", k ? ", " : " ", port_text(d->a, v, k));
	out = arena_strdup(d->a, sb_text(&text));
	sb_free(&text);
	return out;
}

static const char *words(struct drawing *d, const struct item *x, const void *what)
{
	const struct pod_group *g = what;

	if (x->service)
		return service_words(d, what);
	return arena_printf(d->a, "%u Pod%s, %s", g->nr, g->nr == 1 ? "" : "s", g->first->spec->containers.nr ? g->first->spec->containers.v[0].image ? g->first->spec->containers.v[0].image : "" : "");
}

static void mark_near(struct drawing *d)
{
	for (uint32_t k = 0; k < d->nr; k++) {
		struct item *x = &d->item[k];

		x->changed = !x->was || !x->is || strcmp(words(d, x, x->was), words(d, x, x->is)) != 0;
		x->near = x->changed || d->nr <= DRAW_ALL;
	}
	for (uint32_t k = 0; k < d->nr_ties; k++) {
		struct tie *t = &d->tie[k];
		struct item *from = &d->item[t->from - 1], *to = &d->item[t->to - 1];

		if (t->was != t->is || (t->kind != TIE_ALLOWED && (from->changed || to->changed)))
			from->near = to->near = true;
	}
}

static void draw_item(struct drawing *d, struct item *x)
{
	const char *slash = strrchr(x->key, '/'), *kind = arena_strndup(d->a, x->key, strcspn(x->key, "/"));
	const char *now = words(d, x, x->is ? x->is : x->was), *was = x->was && x->is ? words(d, x, x->was) : now;
	struct box *b;

	x->box = scene_box(d->s, (box_h){ 0 }, x->service ? ROLE_SERVICE : ROLE_POD, x->key, arena_printf(d->a, "%s %s", kind, slash + 1), strcmp(now, was) == 0 ? now : NULL);
	b = scene_get(d->s, x->box);
	b->dashed = x->service;
	b->mark = (uint8_t)(!x->was ? MARK_ADDED : !x->is ? MARK_REMOVED : MARK_NONE);
	b->title = arena_printf(d->a, "%s, %s", x->key, !x->was ? "added" : !x->is ? "removed" : strcmp(now, was) != 0 ? "changed" : "as before");
	if (strcmp(now, was) != 0) {
		scene_row(d->s, x->box, ROW_NOTE, arena_printf(d->a, "was  %s", was), NULL);
		scene_row(d->s, x->box, ROW_CHANGED, arena_printf(d->a, "is  %s", now), NULL);
	}
}

static void draw_ties(struct drawing *d, uint32_t *added, uint32_t *removed)
{
	static const char *const names[] = { "endpoints", "calls", "allowed" };

	*added = *removed = 0;
	for (uint32_t k = 0; k < d->nr_ties; k++) {
		const struct tie *t = &d->tie[k];
		struct item *from = &d->item[t->from - 1], *to = &d->item[t->to - 1];
		bool same = t->was == t->is;
		struct scene_edge *e;

		if (same && t->kind == TIE_ALLOWED)
			continue;
		if (!from->box.i || !to->box.i)
			continue;
		e = scene_line(d->s, from->box, to->box, same ? LINE_SAME : t->is ? LINE_ADDED : LINE_REMOVED, NULL);
		if (!same)
			e->label = arena_printf(d->a, "%s %s%s%s", t->is ? "+" : "−", names[t->kind], t->label ? " " : "", t->label ? t->label : "");
		*added += !same && t->is;
		*removed += !same && t->was;
	}
}

static void draw_all(struct drawing *d, const char *a, const char *b)
{
	uint32_t plus = 0, minus = 0, altered = 0, hidden = 0, lines_plus, lines_minus;

	for (uint32_t k = 0; k < d->nr; k++) {
		struct item *x = &d->item[k];

		plus += !x->was;
		minus += !x->is;
		altered += x->changed && x->was && x->is;
		hidden += !x->near;
		if (x->near)
			draw_item(d, x);
	}
	draw_ties(d, &lines_plus, &lines_minus);
	scene_note(d->s, ROLE_PLAIN, arena_printf(d->a, "from %s to %s", a, b),
		   plus + minus + altered + lines_plus + lines_minus ? arena_printf(d->a, "%u added, %u removed, %u changed; %u connections added, %u removed", plus, minus, altered, lines_plus, lines_minus)
								     : "nothing changes for the network");
	if (hidden)
		scene_note(d->s, ROLE_PLAIN, arena_printf(d->a, "%u as before", hidden), "are not drawn: no change touches them");
	if (d->cut)
		scene_note(d->s, ROLE_DENIED, "not everything is compared", "there is too much: choose a namespace with -n");
	scene_legend(d->s, LINE_ADDED, 0, "added");
	scene_legend(d->s, LINE_REMOVED, 0, "removed");
	scene_legend(d->s, LINE_SAME, 0, "as before");
	d->s->description = arena_printf(d->a, "%u objects added, %u removed, %u changed; %u connections added, %u removed.", plus, minus, altered, lines_plus, lines_minus);
}

bool fig_compare(struct world *w, const struct figure_options *opt, const char *rest, const char *const *args, uint32_t nr, struct scene *s, struct err *err)
{
	struct drawing *d = arena_make(s->arena, struct drawing);
	struct world other;

	(void)rest;
	(void)nr;
	if (!opt->load)
		return err_add(err, ERR_INPUT, NULL, "compare needs two sets of manifests, and a scenario has one: use podwire draw compare A B");
	if (!opt->load(opt->ctx, args[1], &other, err))
		return false;
	scene_init(s, s->arena, "compare", arena_printf(s->arena, "What changes from %s to %s", args[0], args[1]));
	d->s = s;
	d->a = s->arena;
	d->side[0].w = w;
	d->side[1].w = &other;
	for (int side = 0; side < 2; side++)
		collect(d, side, opt);
	for (int side = 0; side < 2; side++) {
		tie_services(d, side);
		tie_policies(d, side);
	}
	mark_near(d);
	draw_all(d, args[0], args[1]);
	for (int side = 0; side < 2; side++)
		reach_free(d->side[side].r);
	world_free(&other);
	return true;
}
