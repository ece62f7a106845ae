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

static void print_text(struct cli *cli, const struct verified *r)
{
	uint32_t shown = MIN(r->differences.nr, cli->verbose ? UINT32_MAX : 20u);

	fprintf(cli->to, "state        %u namespaces read back: %u links, addresses, neighbours and routes, rules of %u (%.0f ms)\n", r->namespaces, r->items, r->rulesets, r->state_ms);
	if (r->by_plugins)
		fprintf(cli->to, "CNI plugins  wired %u Pods; compared without hardware addresses, names of the nodes' ends and learned neighbours, which the plugins draw\n", r->by_plugins);
	fprintf(cli->to, "connections  %u pairs in %u tries: %u agree (%.0f ms)\n", r->pairs, r->tries, r->agreed, r->connect_ms);
	if (r->names)
		fprintf(cli->to, "names        %u asked with real queries: %u agree (%.0f ms)\n", r->names, r->names_agreed, r->names_ms);
	if (r->probes)
		fprintf(cli->to, "probes       %u made from the nodes: %u agree (%.0f ms)\n", r->probes, r->probes_agreed, r->probes_ms);
	if (r->probes_not_asked)
		fprintf(cli->to, "not asked    %u probes: %s\n", r->probes_not_asked, r->why_no_probe);
	if (r->not_asked)
		fprintf(cli->to, "not asked    %u: %s\n", r->not_asked, r->why_not);
	if (r->requests)
		fprintf(cli->to, "requests     %u in %u tries: %u agree (%.0f ms)\n", r->requests, r->request_tries, r->requests_agreed, r->request_ms);
	for (uint32_t k = 0; k < r->request_list.nr; k++)
		fprintf(cli->to, "             %s\n", r->request_list.v[k]);
	if (r->requests_not_asked)
		fprintf(cli->to, "not asked    %u requests: %s\n", r->requests_not_asked, r->why_no_request);
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
	struct val *v = val_new(a, VAL_MAP), *state = val_put(a, v, "state", val_new(a, VAL_MAP)), *connections = val_put(a, v, "connections", val_new(a, VAL_MAP));
	struct val *requests = val_put(a, v, "requests", val_new(a, VAL_MAP)), *names = val_put(a, v, "names", val_new(a, VAL_MAP));
	struct val *probes = val_put(a, v, "probes", val_new(a, VAL_MAP)), *list = val_put(a, v, "differences", val_new(a, VAL_LIST));
	struct sb out = { 0 };

	val_put(a, state, "namespaces", val_int(a, r->namespaces));
	val_put(a, state, "items", val_int(a, r->items));
	val_put(a, state, "rulesets", val_int(a, r->rulesets));
	if (r->by_plugins)
		val_put(a, state, "wiredByPlugins", val_int(a, r->by_plugins));
	val_put(a, connections, "pairs", val_int(a, r->pairs));
	val_put(a, connections, "tries", val_int(a, r->tries));
	val_put(a, connections, "agree", val_int(a, r->agreed));
	val_put(a, connections, "notAsked", val_int(a, r->not_asked));
	if (r->why_not)
		val_put(a, connections, "whyNot", val_string(a, r->why_not));
	val_put(a, requests, "requests", val_int(a, r->requests));
	val_put(a, requests, "tries", val_int(a, r->request_tries));
	val_put(a, requests, "agree", val_int(a, r->requests_agreed));
	val_put(a, requests, "notAsked", val_int(a, r->requests_not_asked));
	if (r->why_no_request)
		val_put(a, requests, "whyNot", val_string(a, r->why_no_request));
	val_put(a, probes, "asked", val_int(a, r->probes));
	val_put(a, probes, "agree", val_int(a, r->probes_agreed));
	val_put(a, probes, "notAsked", val_int(a, r->probes_not_asked));
	val_put(a, names, "asked", val_int(a, r->names));
	val_put(a, names, "agree", val_int(a, r->names_agreed));
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
	const struct { bool ok; const char *what; } kinds_of[] = {
		{ r->items, arena_printf(a, "state: %u namespaces, %u links, addresses, neighbours and routes, rules of %u", r->namespaces, r->items, r->rulesets) },
		{ r->pairs && r->agreed == r->pairs, arena_printf(a, "connections: %u pairs in %u tries", r->pairs, r->tries) },
		{ r->requests && r->requests_agreed == r->requests, arena_printf(a, "requests: %u in %u tries", r->requests, r->request_tries) },
		{ r->names && r->names_agreed == r->names, arena_printf(a, "names: %u asked with real queries", r->names) },
	};

	for (size_t k = 0; k < ARRAY_LEN(kinds_of); k++)
		if (kinds_of[k].ok)
			run_check(a, &(struct run_check){ .noun = "verification", .group = "kernel against simulation", .what = kinds_of[k].what, .file = file, .ok = true }, list);
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
