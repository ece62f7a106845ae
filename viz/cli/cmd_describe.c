/* describe and events: an object with what belongs to it, and what happened. */
#include "model/base/quantity.h"
#include "viz/cli/select.h"
#include "viz/report/table.h"

static bool about(const struct cluster *c, const struct event *e, const struct object *only, const struct cli *cli)
{
	const struct object *o = obj_get(c, e->object);

	if (only)
		return o == only;
	return !o || !o->ns || cli->all_ns || strcmp(o->ns, cli_ns(cli)) == 0;
}

/* kubectl's columns: LAST SEEN TYPE REASON OBJECT MESSAGE; equal events of one object are one line with a count. */
static void print_events(struct cli *cli, struct cluster *c, const struct object *only, const char *indent, struct sb *out)
{
	uint32_t nr;
	const struct event *v = cluster_events(c, &nr);
	struct table_text t;
	bool any = false, with_ns = cli->all_ns && !only;

	table_begin(&t, cli->arena, (only ? 5 : 5) + with_ns);
	for (const char *const *h = only ? (const char *const[]){ "Type", "Reason", "Age", "From", "Message", NULL }
					 : (const char *const[]){ "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE", NULL };
	     *h; h++) {
		if (with_ns && strcmp(*h, "LAST SEEN") == 0)
			table_cell(&t, "NAMESPACE");
		table_cell(&t, *h);
	}
	for (uint32_t i = 0; i < nr; i++) {
		const struct object *o = obj_get(c, v[i].object);
		uint32_t count = 1;
		bool later = false;
		char age[16], *low;

		if (!about(c, &v[i], only, cli))
			continue;
		for (uint32_t j = i + 1; j < nr && !later; j++)
			later = v[j].object.i == v[i].object.i && v[j].reason == v[i].reason && v[j].message == v[i].message;
		if (later && !cli->watch)
			continue;
		for (uint32_t j = 0; j < i && !cli->watch; j++)
			count += v[j].object.i == v[i].object.i && v[j].reason == v[i].reason && v[j].message == v[i].message;
		any = true;
		age_text(cluster_now(c) - v[i].at, age);
		if (only) {
			table_cell(&t, v[i].warning ? "Warning" : "Normal");
			table_cell(&t, v[i].reason);
			table_cell(&t, count > 1 ? arena_printf(cli->arena, "%s (x%u)", age, count) : age);
			table_cell(&t, v[i].component);
			table_cell(&t, v[i].message);
			continue;
		}
		if (with_ns)
			table_cell(&t, o && o->ns ? o->ns : "");
		low = arena_strdup(cli->arena, o ? o->kind->name : "");
		for (char *p = low; *p; p++)
			*p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
		table_cell(&t, count > 1 ? arena_printf(cli->arena, "%s (x%u)", age, count) : age);
		table_cell(&t, v[i].warning ? "Warning" : "Normal");
		table_cell(&t, v[i].reason);
		table_cell(&t, arena_printf(cli->arena, "%s/%s", low, o ? o->name : ""));
		table_cell(&t, v[i].message);
	}
	if (!any) {
		sb_printf(out, "%s<none>\n", indent);
		return;
	}
	table_print(&t, out);
}

enum err_kind cmd_events(struct cli *cli, struct err *err)
{
	struct world w;
	struct sb out = { 0 };

	if (!cli_world(cli, &w, err))
		return err_kind(err);
	print_events(cli, w.cluster, NULL, "", &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return ERR_NONE;
}

static void pairs_lines(const char *title, const pair_list *l, struct sb *out)
{
	sb_printf(out, "%s:", title);
	sb_pad(out, 18);
	for (uint32_t k = 0; k < l->nr; k++) {
		if (k)
			sb_pad(out, 18);
		sb_printf(out, "%s=%s\n", l->v[k].key, l->v[k].value);
	}
	if (!l->nr)
		sb_add(out, "<none>\n");
}

/* What a Service leads to, and why it may lead nowhere. */
static void service_lines(struct cluster *c, const struct service *s, struct sb *out)
{
	struct object_list l = service_slices(c, s);

	for (uint32_t p = 0; p < s->ports.nr; p++) {
		const struct svc_port *port = &s->ports.v[p];
		uint32_t nr = 0;

		sb_printf(out, "Endpoints (%s%s%d/%s):", port->name ? port->name : "", port->name ? " " : "", port->port, l4_names[port->protocol]);
		for (uint32_t k = 0; k < l.nr; k++) {
			const struct endpointslice *sl = (const struct endpointslice *)l.v[k];

			for (uint32_t e = 0; e < sl->endpoints.nr; e++)
				for (uint32_t q = 0; q < sl->ports.nr; q++)
					if (streq(sl->ports.v[q].name ? sl->ports.v[q].name : "", port->name ? port->name : "") && sl->ports.v[q].protocol == port->protocol &&
					    sl->endpoints.v[e].addresses.nr)
						sb_printf(out, "%s%s:%d%s", nr++ ? ", " : " ", sl->endpoints.v[e].addresses.v[0], sl->ports.v[q].port.v,
							  sl->endpoints.v[e].ready == TRI_FALSE ? " (not ready)" : "");
		}
		sb_add(out, nr ? "\n" : " <none>\n");
	}
}

static void describe(struct cli *cli, struct cluster *c, const struct object *o, struct sb *out)
{
	struct sb yaml = { 0 };
	struct val *v = object_render(c, o, cli->arena);

	sb_printf(out, "Name:             %s\n", o->name);
	if (o->ns)
		sb_printf(out, "Namespace:        %s\n", o->ns);
	pairs_lines("Labels", &o->labels, out);
	pairs_lines("Annotations", &o->annotations, out);
	if (o->file)
		sb_printf(out, "Applied from:     %s:%u\n", o->file, o->line);
	for (uint32_t k = 0; k < o->owners.nr; k++)
		if (o->owners.v[k].controller)
			sb_printf(out, "Controlled By:    %s/%s\n", o->owners.v[k].kind, o->owners.v[k].name);
	for (const struct column *col = o->kind->columns; col && col->head; col++) {
		struct sb cell = { 0 };

		col->print(c, o, &cell);
		sb_printf(out, "%c", col->head[0]);
		for (const char *p = col->head + 1; *p; p++)
			sb_addc(out, (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p));
		sb_addc(out, ':');
		sb_pad(out, 18);
		sb_printf(out, "%s\n", sb_text(&cell));
		sb_free(&cell);
	}
	if (o->kind == &service_kind)
		service_lines(c, (const struct service *)o, out);
	for (const char *const *part = (const char *const[]){ "spec", "status", NULL }; *part; part++) {
		const struct val *p = val_get(v, *part);

		if (!p || !p->nr)
			continue;
		sb_reset(&yaml);
		val_print_yaml(p, &yaml, true);
		sb_printf(out, "%c%s:\n", **part & ~0x20, *part + 1);
		for (const char *line = sb_text(&yaml); *line;) {
			size_t n = strcspn(line, "\n");

			sb_printf(out, "  %.*s\n", (int)n, line);
			line += n + (line[n] == '\n');
		}
	}
	sb_add(out, "Events:\n");
	print_events(cli, c, o, "  ", out);
	sb_free(&yaml);
}

enum err_kind cmd_describe(struct cli *cli, struct err *err)
{
	struct world w;
	struct selection s;
	struct sb out = { 0 };

	if (!cli_world(cli, &w, err))
		return err_kind(err);
	select_objects(cli, w.cluster, &s, err);
	for (uint32_t i = 0; i < s.objects.nr; i++) {
		sb_add(&out, i ? "\n\n" : "");
		describe(cli, w.cluster, s.objects.v[i], &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	world_free(&w);
	return err_kind(err);
}
