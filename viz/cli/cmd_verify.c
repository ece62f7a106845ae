/* verify: the kernel against the simulation. Exit status 1 where they differ. */
#include <stdlib.h>

#include "sim/linux/names.h"
#include "sim/linux/probes.h"
#include "sim/linux/verify.h"
#include "viz/cli/inside.h"
#include "viz/cli/labwork.h"
#include "viz/diagram/figure.h"
#include "viz/report/kernel_report.h"
#include "viz/report/run_report.h"

static bool number(const char *option, const char *text, uint32_t *out, struct err *err)
{
	char *end;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	if (text && (*end || !*text || n < 1 || n > 10000000))
		return err_add(err, ERR_INPUT, NULL, "--%s: \"%s\" is not a number from 1 to 10000000", option, text);
	*out = (uint32_t)n;
	return true;
}

/* What is asked besides the state, as it is told. */
struct part {
	const char *name, *told, *noun; /* "names", " asked with real queries", " names" */
	const char *nr;                 /* its field in JSON */
	bool all;                       /* nr counts those that were not asked, too; and there are tries */
	const struct verify_part *of;
};
#define NR_PARTS 4
static void parts_of(const struct verified *r, struct part out[NR_PARTS])
{
	const struct part parts[NR_PARTS] = {
		{ "connections", " pairs", "", "pairs", true, &r->connections },
		{ "requests", "", " requests", "requests", true, &r->requests },
		{ "names", " asked with real queries", " names", "asked", false, &r->names },
		{ "probes", " made from the nodes", " probes", "asked", false, &r->probes },
	};

	memcpy(out, parts, sizeof(parts));
}

static uint32_t part_nr(const struct part *p) { return p->of->asked + (p->all ? p->of->not_asked : 0); }

/* "12 pairs in 14 tries" */
static const char *part_words(const struct part *p, struct arena *a)
{
	return arena_printf(a, "%u%s%s", part_nr(p), p->told, p->all ? arena_printf(a, " in %u tries", p->of->tries) : "");
}

static void print_text(struct cli *cli, const struct verified *r)
{
	uint32_t shown = MIN(r->differences.nr, cli->verbose ? UINT32_MAX : 20u);
	struct part parts[NR_PARTS];

	fprintf(cli->to, "state        %u namespaces read back: %u links, addresses, neighbours and routes, rules of %u (%.0f ms)\n", r->namespaces, r->items, r->rulesets, r->state_ms);
	if (r->by_plugins)
		fprintf(cli->to, "CNI plugins  wired %u Pods; compared without hardware addresses, names of the nodes' ends and learned neighbours, which the plugins draw\n", r->by_plugins);
	parts_of(r, parts);
	for (size_t k = 0; k < NR_PARTS; k++) {
		const struct part *p = &parts[k];

		if (part_nr(p) || p->of == &r->connections)
			fprintf(cli->to, "%-12s %s: %u agree (%.0f ms)\n", p->name, part_words(p, cli->arena), p->of->agreed, p->of->ms);
		for (uint32_t i = 0; p->of == &r->requests && i < r->request_list.nr; i++)
			fprintf(cli->to, "             %s\n", r->request_list.v[i]);
		if (p->of->not_asked)
			fprintf(cli->to, "not asked    %u%s: %s\n", p->of->not_asked, p->noun, p->of->why_not);
	}
	for (uint32_t k = 0; k < shown; k++)
		fprintf(cli->to, "DIFFERS      %s\n  walk       %s\n  kernel     %s\n", r->differences.v[k].what, r->differences.v[k].walk, r->differences.v[k].kernel);
	if (shown < r->differences.nr)
		fprintf(cli->to, "             and %u more (-v shows all)\n", r->differences.nr - shown);
}

/* The first connection that differs, hop by hop: as the walk goes, and as the kernel says that it went. */
static void show_first(struct cli *cli, struct live *live, struct world *w, const struct verified *r, struct err *err)
{
	const struct difference *d = NULL;
	struct nftrace t = { 0 };
	struct dialer dialer;
	struct sb out = { 0 };
	struct trace walked;

	for (uint32_t k = 0; k < r->differences.nr && !d; k++)
		if (r->differences.v[k].is_connection)
			d = &r->differences.v[k];
	if (!d)
		return;
	walked = walk(w->dp, flows_new(cli->arena, 0, 1), &d->from, WALK_RECORD, cli->arena);
	sb_printf(&out, "\n%s\nthe walk:\n", d->what);
	for (uint32_t k = 0; k < walked.nr; k++) {
		const struct half *h = &walked.v[k].there;

		for (uint32_t i = 0; i < h->nr_hops; i++) {
			sb_printf(&out, "  %-28s %-12s %s", netns_get(w->dp, h->hops[i].netns)->name, stage_names[h->hops[i].stage], h->hops[i].decision);
			if (h->hops[i].rule != UINT32_MAX) {
				sb_add(&out, ": ");
				hop_rule_text(w->dp, &h->hops[i], &out);
			}
			sb_addc(&out, '\n');
		}
		sb_printf(&out, "→ %s%s\n", verdict_names[h->verdict], h->verdict == V_DELIVERED && !walked.v[k].answered ? ", not answered" : "");
	}
	sb_add(&out, "the kernel:\n");
	if (dialer_begin(&dialer, live, err)) {
		struct dial q = { .from = d->space, .src = d->from.t.src, .dst = d->from.t.dst, .port = d->from.t.dport, .proto = d->from.t.proto, .wait = MILLIS(900) };

		if (nftrace_dial(live, &dialer, &q, cli->arena, &t, err))
			kernel_text(&q, &t, &out);
		dialer_end(&dialer);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
}

static void print_json(struct cli *cli, const struct verified *r)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP), *state = val_put(a, v, "state", val_new(a, VAL_MAP));
	struct val *list;
	struct part parts[NR_PARTS];
	struct sb out = { 0 };

	val_put(a, state, "namespaces", val_int(a, r->namespaces));
	val_put(a, state, "items", val_int(a, r->items));
	val_put(a, state, "rulesets", val_int(a, r->rulesets));
	if (r->by_plugins)
		val_put(a, state, "wiredByPlugins", val_int(a, r->by_plugins));
	parts_of(r, parts);
	for (size_t k = 0; k < NR_PARTS; k++) {
		const struct part *p = &parts[k];
		struct val *part = val_put(a, v, p->name, val_new(a, VAL_MAP));

		val_put(a, part, p->nr, val_int(a, part_nr(p)));
		if (p->all)
			val_put(a, part, "tries", val_int(a, p->of->tries));
		val_put(a, part, "agree", val_int(a, p->of->agreed));
		val_put(a, part, "notAsked", val_int(a, p->of->not_asked));
		if (p->of->why_not)
			val_put(a, part, "whyNot", val_string(a, p->of->why_not));
	}
	list = val_put(a, v, "differences", val_new(a, VAL_LIST));
	for (uint32_t k = 0; k < r->differences.nr; k++) {
		struct val *d = val_add(a, list, val_new(a, VAL_MAP));

		val_put(a, d, "what", val_string(a, r->differences.v[k].what));
		val_put(a, d, "walk", val_string(a, r->differences.v[k].walk));
		val_put(a, d, "kernel", val_string(a, r->differences.v[k].kernel));
	}
	val_print_json(v, &out, 2, false);
	fprintf(cli->to, "%s\n", sb_text(&out));
	sb_free(&out);
}

/* What agrees is one check of each kind, what differs is one each. */
static struct val *checks(struct cli *cli, const struct verified *r)
{
	struct arena *a = cli->arena;
	struct val *list = val_new(a, VAL_LIST);
	const char *file = cli->files.nr ? cli->files.v[0] : cli_lab(cli);
	struct run_check good = { .noun = "verification", .group = "kernel against simulation", .file = file, .ok = true };
	struct part parts[NR_PARTS];

	good.what = arena_printf(a, "state: %u namespaces, %u links, addresses, neighbours and routes, rules of %u", r->namespaces, r->items, r->rulesets);
	if (r->items && !r->state_differs)
		run_check(a, &good, list);
	parts_of(r, parts);
	for (size_t k = 0; k < NR_PARTS; k++) {
		good.what = arena_printf(a, "%s: %s", parts[k].name, part_words(&parts[k], a));
		if (parts[k].of->asked && parts[k].of->agreed == parts[k].of->asked)
			run_check(a, &good, list);
	}
	for (uint32_t k = 0; k < r->differences.nr; k++)
		run_check(a, &(struct run_check){ .noun = "verification", .group = "kernel against simulation", .what = r->differences.v[k].what, .expected = r->differences.v[k].walk, .actual = r->differences.v[k].kernel,
			.file = file }, list);
	return list;
}

static void print_checks(struct cli *cli, struct world *w, const struct verified *r, struct err *err)
{
	struct figure_options shown = { .dflt_ns = cli_ns(cli) };
	struct val *list = checks(cli, r);
	struct scene scene = { .arena = cli->arena };
	struct sb svg = { 0 }, out = { 0 };

	if (cli_output_is(cli, "html") && figure_fill(w, &shown, "cluster", NULL, 0, &scene, err) && scene_render(&scene, "svg", THEME_LIGHT, &svg, err))
		run_figure(cli->arena, list, scene.title, scene.description, sb_text(&svg));
	run_format_find(cli->output)->print(cli->arena, list, cli->verbose, false, &out);
	fputs(sb_text(&out), cli->to);
	sb_free(&svg);
	sb_free(&out);
}

static enum err_kind work(struct cli *cli, struct live *live, struct world *w, struct err *err)
{
	struct verify_options opt = { .list = cli->verbose, .seed = cli->seed ? strtoull(cli->seed, NULL, 0) : 1 };
	struct verified r = { 0 };

	if (!number("sample", cli->sample, &opt.sample, err) || !number("tries", cli->tries, &opt.tries, err))
		return ERR_INPUT;
	if (!verify_state(live, world_dataplane(w), cli->arena, &r, err) || !verify_connections(live, w, &opt, cli->arena, &r, err) ||
	    !verify_requests(live, w, &opt, cli->arena, &r, err) || !verify_names(live, w, &opt, cli->arena, &r, err) ||
	    !verify_probes(live, w, &opt, cli->arena, &r, err))
		return err_kind(err);
	if (cli_output_is(cli, "json"))
		print_json(cli, &r);
	else if (cli->output && !cli_output_is(cli, "text"))
		print_checks(cli, w, &r, err);
	else
		print_text(cli, &r);
	if (!cli->output || cli_output_is(cli, "text"))
		show_first(cli, live, w, &r, err);
	return r.differences.nr ? ERR_FAILED : ERR_NONE;
}

enum err_kind cmd_verify(struct cli *cli, struct err *err)
{
	if (cli->args.nr)
		return cli_usage(cli, err, "\"%s\": verify takes options only", cli->args.v[0]);
	if (cli->output && !run_format_find(cli->output))
		return cli_usage(cli, err, "-o: \"%s\" is not text, json, tap, junit, html, md or sarif", cli->output);
	return inside_do(cli, work, err);
}
