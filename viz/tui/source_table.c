/* Lists of the dataplane's own things: routes, links, listeners, connections, address blocks; a line as its tool prints it, with the namespace before it. */
#include "viz/tui/source.h"

#include "sim/engine/connections.h"
#include "viz/diagram/figure.h"

#include <stdio.h>

struct table_row { const char *where, *text, *ref; };
struct lines { VEC(struct table_row) rows; };

static void cell(void *ctx, uint32_t row, uint32_t column, struct sb *out)
{
	const struct lines *t = ctx;

	sb_add(out, column ? t->rows.v[row].text : t->rows.v[row].where);
}

static void ref(void *ctx, uint32_t row, struct sb *out)
{
	const struct lines *t = ctx;

	if (t->rows.v[row].ref)
		sb_add(out, t->rows.v[row].ref);
}

static void words(void *ctx, uint32_t row, const char *out[4])
{
	const struct lines *t = ctx;

	out[0] = t->rows.v[row].where;
	out[1] = t->rows.v[row].text;
}

static void add_lines(struct arena *a, struct lines *t, const char *where, const char *owner, const struct sb *text)
{
	for (const char *s = sb_text(text); *s;) {
		size_t n = strcspn(s, "\n");

		if (n)
			vec_add(a, &t->rows, (struct table_row){ where, arena_strndup(a, s, n), owner });
		s += n + (s[n] == '\n');
	}
}

/* Of the connections that :connect has opened. */
static void print_flows(struct tui_model *m, const char *netns, bool affinity, struct sb *out)
{
	const struct flows *f = world_flows(m->world);

	if (f && affinity)
		flows_print_sets(f, netns, out);
	else if (f)
		flows_print(f, netns, out);
}

static bool one(struct tui_model *m, const char *what, netns_h h, struct sb *out, struct err *err)
{
	struct dataplane *dp = world_dataplane(m->world);

	if (strcmp(what, "routes") == 0)
		print_routes(dp, h, out);
	else if (strcmp(what, "links") == 0)
		print_links(dp, h, out);
	else if (strcmp(what, "listeners") == 0)
		print_listeners(dp, h, out);
	else if (strcmp(what, "conntrack") == 0 || strcmp(what, "affinity") == 0)
		print_flows(m, netns_get(dp, h)->name, *what == 'a', out);
	else
		return err_add(err, ERR_INPUT, NULL, "show \"%s\": there are routes, links, listeners, conntrack, affinity and ipam", what);
	return true;
}

/* Of one namespace, by name; one that is not there has nothing. */
static bool whole(struct tui_model *m, struct arena *a, struct lines *t, const char *what, const char *name, struct err *err)
{
	netns_h h = netns_find(world_dataplane(m->world), name);
	struct sb text = { 0 };
	bool ok = !h.i || one(m, what, h, &text, err);

	add_lines(a, t, name, strchr(name, '/') ? name : NULL, &text);
	sb_free(&text);
	return ok;
}

static void ipam(struct tui_model *m, struct arena *a, struct lines *t)
{
	struct dataplane *dp = world_dataplane(m->world);

	for (uint32_t k = 0; k < dp->blocks.nr; k++) {
		const struct netns *owner = netns_get(dp, dp->blocks.v[k].owner);

		vec_add(a, &t->rows, (struct table_row){ owner->name, arena_printf(a, "%s%s", CIDR(dp->blocks.v[k].cidr), dp->blocks.v[k].borrowed ? "  borrowed" : ""), owner->name });
	}
}

bool fill_table(struct tui_model *m, const struct tui_want *want, struct arena *a, struct tui_list *out, struct err *err)
{
	static const struct tui_column columns[] = { { .head = "NAMESPACE", .keep = KEEP_NAME }, { .head = "ENTRY" } };
	struct lines *t = arena_make(a, struct lines);
	struct dataplane *dp = world_dataplane(m->world);
	char what[32] = "", end[300] = "";
	struct sb text = { 0 };
	bool ok = true;

	sscanf(want->a, "show %31s %299s", what, end);
	if (strcmp(what, "ipam") == 0) {
		ipam(m, a, t);
	} else if (*end) {
		struct end e;
		struct source s;

		ok = end_parse(m->world->cluster, end, "default", &e, err) && end_source(m->world->cluster, dp, &e, false, &s, err) && one(m, what, s.netns, &text, err);
		if (ok)
			add_lines(a, t, netns_get(dp, s.netns)->name, netns_get(dp, s.netns)->name, &text);
	} else {
		struct object_list nodes = cluster_list(m->world->cluster, &node_kind), pods = cluster_list(m->world->cluster, &pod_kind);

		for (uint32_t k = 0; ok && k < MIN(nodes.nr, 200u); k++)
			ok = whole(m, a, t, what, ref_of(a, nodes.v[k]), err);
		for (uint32_t k = 0; ok && pods.nr < 200 && k < pods.nr; k++)
			ok = whole(m, a, t, what, ref_of(a, pods.v[k]), err);
		for (int k = 0; ok && k < 2; k++)
			ok = whole(m, a, t, what, k ? "client" : "router", err);
	}
	sb_free(&text);
	*out = (struct tui_list){ .title = arena_printf(a, "%c%s", *what ? *what & ~0x20 : '?', *what ? what + 1 : ""), .kind = "", .columns = columns, .nr_columns = 2, .nr = t->rows.nr, .ctx = t,
				  .cell = cell, .ref = ref, .words = words };
	return ok;
}
