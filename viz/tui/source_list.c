/* Lists of objects: the columns of `get`, put into words when a row is seen. */
#include "viz/tui/source.h"

#include "viz/diagram/figure.h"

#include "viz/report/columns.h"

#include <stdio.h>
#include <strings.h>

struct rows {
	struct tui_model *m;
	const struct kind *kind;
	struct object_list l;
	const struct column *columns[12]; uint32_t nr_columns;  /* NULL: the namespace */
	uint8_t sorts[12];                      /* enum sorts, of Pods */
	uint32_t name_at, age_at;
	struct arena *scratch;
	struct selector by; const char *by_text; bool by_ok; struct arena *arena;
};

/* Columns of Pods that have an order without being put into words. */
enum sorts { SORTS_TEXT, SORTS_IP, SORTS_RESTARTS, SORTS_NODE, SORTS_STATUS, SORTS_READY };
static const char *const sorts_heads[] = { [SORTS_IP] = "IP", [SORTS_RESTARTS] = "RESTARTS", [SORTS_NODE] = "NODE", [SORTS_STATUS] = "STATUS", [SORTS_READY] = "READY" };

static const struct object *row_object(void *ctx, uint32_t row) { return ((struct rows *)ctx)->l.v[row]; }

static void cell(void *ctx, uint32_t row, uint32_t column, struct sb *out)
{
	struct rows *r = ctx;
	struct row one = { .c = r->m->world->cluster, .o = r->l.v[row], .wide = true, .scratch = r->scratch };
	struct arena_mark mark = arena_mark(r->scratch);

	if (column < r->name_at)
		sb_add(out, one.o->ns);
	else if (column == r->name_at)
		sb_add(out, one.o->name);
	else
		column_print(&one, r->columns[column], out);
	arena_rewind(r->scratch, mark);
}

static void end_rows(void *ctx) { arena_free(((struct rows *)ctx)->scratch); }

static void ref(void *ctx, uint32_t row, struct sb *out) { ref_print(row_object(ctx, row), out); }
static uint8_t mark_pod(void *ctx, uint32_t row) { return pod_mark((const struct pod *)row_object(ctx, row)); }
static uint8_t mark_node(void *ctx, uint32_t row) { return node_mark((const struct node *)row_object(ctx, row)); }

/* Rows are mostly asked in their order, and each Pod lies elsewhere in memory. */
static void soon(const struct rows *r, uint32_t row)
{
	const struct pod *far, *near;

	if (r->kind != &pod_kind || row + 16 >= r->l.nr)
		return;
	far = (const struct pod *)r->l.v[row + 16];
	near = (const struct pod *)r->l.v[row + 8];
	__builtin_prefetch(&far->o.name);
	__builtin_prefetch(&far->o.deleted);
	__builtin_prefetch(&far->phase);
	__builtin_prefetch(&far->statuses);
	__builtin_prefetch(&far->node);
	__builtin_prefetch(near->o.name);
	__builtin_prefetch(near->statuses.v);
	__builtin_prefetch(near->node);
}

static void words(void *ctx, uint32_t row, const char *out[4])
{
	const struct object *o = row_object(ctx, row);
	int nr = 0;

	soon(ctx, row);

	if (o->ns)
		out[nr++] = o->ns;
	out[nr++] = o->name;
	if (o->kind == &pod_kind) {
		const struct pod *p = (const struct pod *)o;

		if (p->node)
			out[nr++] = p->node;
		if (nr < 4)
			out[nr++] = p->reason ? p->reason : pod_phase_names[p->phase ? p->phase : POD_PENDING];
	}
}

static bool selected(void *ctx, uint32_t row, const char *selector, struct sb *why)
{
	struct rows *r = ctx;

	if (!r->by_text || strcmp(r->by_text, selector) != 0) {
		struct err err = { 0 };

		r->by_text = arena_strdup(r->arena, selector);
		r->by = (struct selector){ 0 };
		r->by_ok = selector_parse(cluster_strings(r->m->world->cluster), r->arena, selector, &r->by, &err);
		if (!r->by_ok && why)
			sb_add(why, err.nr ? err.v[0].text : "not a selector");
		err_free(&err);
	}
	return r->by_ok && selector_matches(&r->by, &row_object(ctx, row)->labels);
}

/* What most Pods are: of containers without init containers, all running and ready, or the first waiting and none ready. Then READY and STATUS need no walk over
 * states (columns_core.c has all of it). → how many are ready; −1: it is not as plain as that. */
static int64_t plainly(const struct pod *p, const char **status)
{
	bool ready = p->phase == POD_RUNNING;

	if (p->o.deleted != NEVER || p->reason || p->spec->init_containers.nr || !p->statuses.nr || p->statuses.nr != p->spec->containers.nr || ready != pod_is_ready(p))
		return -1;
	for (uint32_t k = 0; k < p->statuses.nr; k++)
		if (ready ? p->statuses.v[k].state != CS_RUNNING || !p->statuses.v[k].ready : p->statuses.v[k].state != CS_WAITING || !p->statuses.v[k].reason)
			return -1;
	*status = ready ? "Running" : p->statuses.v[0].reason;
	return ready ? p->spec->containers.nr : 0;
}

static uint64_t order_pod(const struct rows *r, const struct pod *p, uint32_t column)
{
	const char *status = NULL;
	uint64_t nr = 1;
	int64_t ready;
	char text[32];

	switch ((enum sorts)r->sorts[column]) {
	case SORTS_IP: return ip_is4(p->ip) ? (uint32_t)p->ip.lo + 1ull : 0;
	case SORTS_NODE: return list_text_key(p->node ? p->node : "<none>");
	case SORTS_RESTARTS:
		for (uint32_t k = 0; k < p->statuses.nr; k++)
			nr += (uint64_t)MAX(p->statuses.v[k].restarts, 0);
		return nr;
	case SORTS_STATUS: return plainly(p, &status) >= 0 ? list_text_key(status) : 0;
	case SORTS_READY:
		ready = plainly(p, &status);
		if (ready < 0)
			return 0;
		if (ready < 10 && p->spec->containers.nr < 10) {        /* as below, without printing */
			text[0] = (char)('0' + ready);
			text[1] = '/';
			text[2] = (char)('0' + p->spec->containers.nr);
			text[3] = '\0';
		} else {
			snprintf(text, sizeof(text), "%u/%u", (uint32_t)ready, p->spec->containers.nr);
		}
		return list_text_key(text);
	case SORTS_TEXT: break;
	}
	return 0;
}

static uint64_t order(void *ctx, uint32_t row, uint32_t column)
{
	const struct rows *r = ctx;
	const struct object *o = r->l.v[row];

	soon(r, row);
	if (column == r->age_at)
		return (uint64_t)(INT64_C(1) << 55) - (uint64_t)MIN(MAX(o->created, 0), (INT64_C(1) << 55) - 1);
	return o->kind == &pod_kind && column > r->name_at ? order_pod(r, (const struct pod *)o, column) : 0;
}

static void say_pod(void *ctx, uint32_t row, struct sb *out)
{
	const struct pod *p = (const struct pod *)row_object(ctx, row);
	const struct condition *c = condition_get(&p->conditions, "PodScheduled");

	if (!p->node && c && c->message)
		sb_printf(out, "%s/%s: %s", p->o.ns, p->o.name, c->message);
	for (uint32_t k = 0; k < p->statuses.nr && !out->len; k++)
		if (p->statuses.v[k].message)
			sb_printf(out, "%s/%s, %s: %s", p->o.ns, p->o.name, p->statuses.v[k].name, p->statuses.v[k].message);
}

static void say_service(void *ctx, uint32_t row, struct sb *out)
{
	const struct service *s = (const struct service *)row_object(ctx, row);

	if (service_has_vip(s) && s->cluster_ip)
		sb_printf(out, "%s is on no interface: it exists only in rules, the same on every node", s->cluster_ip);
	else if (service_is_headless(s))
		sb_add(out, "headless: DNS answers with the Pods' own addresses, no rule stands between");
}

bool fill_list(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_list *out, struct err *err)
{
	struct rows *r;
	struct tui_column *heads;
	const struct kind *k = NULL;
	uint32_t nr = 0;

	if (strcmp(want->a, "lessons") == 0)
		return fill_lessons(m, a, out, err);
	if (strncmp(want->a, "show ", 5) == 0)
		return fill_table(m, want, a, out, err);
	k = kind_by_word(want->a);
	for (uint32_t i = 0; !k && cluster_pool_kind(m->world->cluster, i); i++)
		if (strcasecmp(cluster_pool_kind(m->world->cluster, i)->plural, want->a) == 0)
			k = cluster_pool_kind(m->world->cluster, i);
	if (!k)
		return err_add(err, ERR_INPUT, NULL, "\"%s\" is no kind that podwire knows", want->a);
	r = arena_make(m->arena, struct rows);
	heads = arena_array(a, struct tui_column, ARRAY_LEN(r->columns));
	r->m = m;
	r->kind = k;
	r->arena = m->arena;
	r->scratch = arena_new(NULL, "cells");
	arena_alloc(r->scratch, 1, 1);                  /* the first block stays */
	model_at_end(m, end_rows, r);
	r->l = cluster_list(m->world->cluster, k);
	if (k->namespaced)
		heads[nr++] = (struct tui_column){ .head = "NAMESPACE", .keep = KEEP_NAME };
	r->name_at = nr;
	heads[nr++] = (struct tui_column){ .head = "NAME", .keep = KEEP_NAME };
	r->age_at = UINT32_MAX;
	for (const struct column *c = columns_of(m->world->cluster, k, a); c->head && nr < ARRAY_LEN(r->columns); c++) {
		bool age = strcmp(c->head, "AGE") == 0, always = strcmp(c->head, "IP") == 0 || strcmp(c->head, "NODE") == 0 || strcmp(c->head, "INTERNAL-IP") == 0;

		if (strcmp(c->head, "NAME") == 0)
			continue;
		if (age)
			r->age_at = nr;
		heads[nr] = (struct tui_column){ .head = c->head, .wide = !(c->flags & COL_WIDE) ? 0 : always ? 1 : 2, .right = age, .keep = strstr(c->head, "IP") ? KEEP_ADDRESS : KEEP_NOTHING };
		for (size_t i = 1; i < ARRAY_LEN(sorts_heads); i++)
			if (strcmp(c->head, sorts_heads[i]) == 0)
				r->sorts[nr] = (uint8_t)i;
		r->columns[nr++] = c;
	}
	*out = (struct tui_list){ .title = arena_printf(a, "%c%s", k->plural[0] & ~0x20, k->plural + 1), .kind = k->plural, .columns = heads, .nr_columns = nr, .nr = r->l.nr, .namespaced = k->namespaced,
				  .ctx = r, .cell = cell, .ref = ref, .words = words, .selected = selected, .order = order };
	r->nr_columns = nr;
	if (k == &pod_kind) {
		out->mark = mark_pod;
		out->say = say_pod;
	} else if (k == &node_kind) {
		out->mark = mark_node;
	} else if (k == &service_kind) {
		out->say = say_service;
	}
	return true;
}
