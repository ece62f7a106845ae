/* matrix: who may reach whom by policy. A table in the form that is asked for, what a change adds and removes, why, and a gate. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim/reachability/gate.h"
#include "model/policy/tiers.h"
#include "viz/cli/gitref.h"
#include "viz/diagram/grid_scene.h"
#include "viz/report/findings.h"
#include "viz/report/matrix_report.h"
#include "viz/report/out.h"
#include "viz/report/run_report.h"

#include "model/dataplane/packet.h"

enum enforcement { ENFORCE_NONE, ENFORCE_SPEC, ENFORCE_CALICO };
static const char *const enforcement_names[] = { "none", "spec", "calico" };

struct matrix_asked {
	reach_ports ports;
	enum reach_rows rows; bool rows_given;
	VEC(ip_addr) external;
	struct reach_filter filter; struct selector labels; bool filtered;
};

static bool add_address(struct cli *cli, struct matrix_asked *q, ip_addr ip)
{
	for (uint32_t k = 0; k < q->external.nr; k++)
		if (ip_eq(q->external.v[k], ip))
			return true;
	vec_add(cli->arena, &q->external, ip);
	return true;
}

static bool read_asked(struct cli *cli, struct matrix_asked *q, struct err *err)
{
	static const char *const rows[] = { "pod", "workload", "namespace", "class", NULL };
	uint8_t proto = PROTO_TCP;

	*q = (struct matrix_asked){ 0 };
	if (cli->protocol && !reach_proto_parse(cli->protocol, &proto))
		return err_add(err, ERR_INPUT, NULL, "--protocol: \"%s\" is not tcp, udp or sctp", cli->protocol);
	if (!reach_ports_parse(cli->port ? cli->port : "80", proto, "--port", cli->arena, &q->ports, err))
		return false;
	for (uint32_t k = 0; rows[k] && cli->by; k++)
		if (strcmp(cli->by, rows[k]) == 0) {
			q->rows = (enum reach_rows)k;
			q->rows_given = true;
		}
	if (cli->by && !q->rows_given)
		return err_add(err, ERR_INPUT, NULL, "--by: \"%s\" is not pod, workload, namespace or class", cli->by);
	for (const char *p = cli->with_external; p && *p;) {
		size_t n = strcspn(p, ",");
		ip_addr ip;

		if (!ip_parse_n(p, n, &ip))
			return err_add(err, ERR_INPUT, NULL, "--with-external: \"%.*s\" is not an address", (int)n, p);
		add_address(cli, q, ip);
		p += n + (p[n] == ',');
	}
	return true;
}

static bool read_filter(struct cli *cli, struct world *w, struct matrix_asked *q, struct err *err)
{
	q->filter.ns = cli->ns && !cli->all_ns ? cli->ns : NULL;
	if (cli->selector) {
		if (!selector_parse(cluster_strings(w->cluster), cli->arena, cli->selector, &q->labels, err))
			return false;
		q->filter.labels = &q->labels;
	}
	q->filtered = q->filter.ns || q->filter.labels;
	return true;
}

/* ---- who enforces */

static enum enforcement network_enforces(struct cluster *c)
{
	return cluster_settings(c)->cni == CNI_CALICO ? ENFORCE_CALICO : ENFORCE_NONE;
}

static struct reach *make_reach(struct cluster *c, const struct matrix_asked *q, enum enforcement e)
{
	struct reach *r = reach_new(c, q->external.v, q->external.nr);

	reach_set_nodes(r, e == ENFORCE_SPEC ? REACH_NODE_BOTH : REACH_NODE_IN);
	if (e == ENFORCE_NONE)
		reach_without_policies(r);
	return r;
}

/* What policies say is judged as Calico judges it, unless --enforce says otherwise. */
static enum enforcement chosen(const struct cli *cli)
{
	enum enforcement e = ENFORCE_CALICO;

	for (int k = 0; cli->enforce && k < 3; k++)
		if (strcmp(cli->enforce, enforcement_names[k]) == 0)
			e = (enum enforcement)k;
	return e;
}

static bool make_grids(struct cli *cli, struct cluster *c, const struct matrix_asked *q, enum enforcement e, reach_grids *out, struct err *err)
{
	struct reach *r = make_reach(c, q, e);
	bool ok = reach_grids_make(r, q->rows, q->filtered ? &q->filter : NULL, q->ports.v, q->ports.nr, cli->arena, out, err);

	reach_free(r);
	return ok;
}

/* ---- --explain */

/* NS/POD, pod/NS/POD, POD of -n, an address, node/NAME or client. */
static const char *end_name(struct cli *cli, struct cluster *c, const char *text, struct matrix_asked *q, struct err *err)
{
	const char *name = strncmp(text, "pod/", 4) == 0 ? text + 4 : text;
	ip_addr ip;

	if (strcmp(text, "client") == 0)
		name = "203.0.113.10";
	if (strncmp(text, "node/", 5) == 0) {
		const struct node *n = find_node(c, text + 5);

		if (!n || !n->addresses.nr)
			return err_add(err, ERR_FAILED, NULL, "there is no node \"%s\" with an address", text + 5), NULL;
		name = n->addresses.v[0].address;
	}
	if (ip_parse(name, &ip)) {
		add_address(cli, q, ip);
		return arena_strdup(cli->arena, IP(ip));
	}
	return strchr(name, '/') ? name : arena_printf(cli->arena, "%s/%s", cli_ns(cli), name);
}

static enum err_kind explain(struct cli *cli, struct world *w, struct matrix_asked *q, struct err *err)
{
	struct why_report report = { 0 };
	enum err_kind how = ERR_FAILED;
	struct near_misses near;
	struct sb out = { 0 };
	struct world copy;
	struct reach *r;
	int64_t from, to;

	if (cli->args.nr != 2)
		return cli_usage(cli, err, "--explain needs two ends: NS/POD, an address, node/NAME or client");
	if (q->ports.nr != 1 || q->ports.v[0].lo != q->ports.v[0].hi)
		return cli_usage(cli, err, "--explain needs one port");
	if (!(report.from = end_name(cli, w->cluster, cli->args.v[0], q, err)) || !(report.to = end_name(cli, w->cluster, cli->args.v[1], q, err)))
		return err_kind(err);
	r = make_reach(w->cluster, q, chosen(cli));
	from = reach_find(r, report.from);
	to = reach_find(r, report.to);
	report.port = q->ports.v[0];
	if (from < 0 || to < 0)
		err_add(err, ERR_FAILED, NULL, "\"%s\" is neither a Pod with an address (NS/NAME) nor an address", from < 0 ? report.from : report.to);
	if (from >= 0 && to >= 0 && report.port.name) {
		const struct pod *p = reach_end(r, (uint32_t)to)->pod;

		report.port.lo = report.port.hi = p ? pod_port_by_name(p->spec, report.port.name, report.port.proto == PROTO_UDP ? L4_UDP : report.port.proto == PROTO_SCTP ? L4_SCTP : L4_TCP) : 0;
		if (!report.port.lo)
			err_add(err, ERR_FAILED, NULL, "%s has no port that is called %s", report.to, report.port.name);
	}
	if (!err_any(err) && reach_unknown(r, (uint32_t)from, (uint32_t)to, report.port.proto, report.port.lo))
		err_add(err, ERR_UNKNOWN, NULL, "cannot tell: %s", reach_explain(r, (uint32_t)from, (uint32_t)to, report.port.proto, report.port.lo, cli->arena).unknown);
	how = err_any(err) ? err_kind(err) : how;
	if (!err_any(err)) {
		report.why = reach_explain(r, (uint32_t)from, (uint32_t)to, report.port.proto, report.port.lo, cli->arena);
		if (network_enforces(w->cluster) == ENFORCE_NONE && !cli->enforce && cluster_count(w->cluster, &network_policy_kind))
			report.enforced_by = arena_printf(cli->arena, "nobody enforces it: the Pod network is %s", cni_names[cluster_settings(w->cluster)->cni]);
		if (!report.why.itself && cli_world(cli, &copy, err)) {
			near = reach_nearest(copy.cluster, q->external.v, q->external.nr, report.from, report.to, report.port.proto, report.port.lo, cli->arena);
			report.near = &near;
			world_free(&copy);
		}
		if (cli_output_is(cli, "json"))
			matrix_why_json(&report, cli->arena, &out);
		else if (cli_output_is(cli, "sarif"))
			matrix_why_sarif(&report, cli->arena, &out);
		else
			matrix_why_text(&report, cli->arena, &out);
		how = report.why.allowed ? ERR_NONE : ERR_FAILED;
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	reach_free(r);
	return how;
}

/* ---- --must */

struct gating { struct cli *cli; struct reach *r; gate_results results; };

static bool take_gate(void *ctx, const struct doc *d, struct err *err)
{
	struct gating *g = ctx;

	return !d->root || gate_judge(g->r, val_copy(g->cli->arena, d->root), g->cli->expect_file, g->cli->arena, &g->results, err);
}

static const struct finding_rule gate_rules[] = { { "expectation-failed", "A connection is not as it must be" }, { NULL, NULL } };

static void gate_json(struct cli *cli, const gate_results *v, struct sb *out)
{
	struct val *root = val_new(cli->arena, VAL_MAP), *list = val_put(cli->arena, root, "expectations", val_new(cli->arena, VAL_LIST));

	for (uint32_t k = 0; k < v->nr; k++) {
		struct val *m = val_add(cli->arena, list, val_new(cli->arena, VAL_MAP));

		val_put(cli->arena, m, "ok", val_bool(cli->arena, v->v[k].ok));
		val_put(cli->arena, m, "expected", val_string(cli->arena, v->v[k].text));
		val_put(cli->arena, m, "actual", val_string(cli->arena, v->v[k].actual));
		val_put(cli->arena, m, "file", val_string(cli->arena, v->v[k].file));
		val_put(cli->arena, m, "line", val_int(cli->arena, v->v[k].line));
	}
	val_print_json(root, out, 2, false);
	sb_addc(out, '\n');
}

/* Only what fails has a reason; the text says it with the places where it stands. */
static void gate_findings(struct cli *cli, struct gating *g, struct sb *out)
{
	struct finding *f = arena_array(cli->arena, struct finding, g->results.nr + 1);
	uint32_t nr = 0, held = 0;

	for (uint32_t k = 0; k < g->results.nr; k++) {
		const struct gate_result *x = &g->results.v[k];

		held += x->ok;
		if (x->ok)
			continue;
		f[nr] = (struct finding){ .rule = "expectation-failed", .level = FINDING_ERROR, .object = x->text, .file = x->file, .line = x->line, .text = x->actual };
		if (x->from >= 0 && x->to >= 0 && !x->port.name) {
			struct why_report w = { .from = reach_name(g->r, (uint32_t)x->from, cli->arena), .to = reach_name(g->r, (uint32_t)x->to, cli->arena), .port = x->port };

			w.why = reach_explain(g->r, (uint32_t)x->from, (uint32_t)x->to, x->port.proto, x->port.lo, cli->arena);
			f[nr].remedy = matrix_why_sentence(&w, cli->arena);
		}
		nr++;
	}
	findings_print(cli->output, f, nr, gate_rules, out_wants_colour(cli->color, STDOUT_FILENO), cli->arena, out);
	if (!cli->output || strcmp(cli->output, "text") == 0)
		sb_printf(out, "%u of %u expectations hold\n", held, g->results.nr);
}

/* The same as checks, in the forms of a run; as a page with the table beside it. */
static bool gate_checks(struct cli *cli, struct world *w, const struct matrix_asked *q, const gate_results *v, struct sb *out, struct err *err)
{
	struct val *list = val_new(cli->arena, VAL_LIST);
	struct matrix_asked by_workload = *q;
	reach_grids grids = { 0 };
	struct sb svg = { 0 };

	for (uint32_t k = 0; k < v->nr; k++)
		run_check(cli->arena, &(struct run_check){ .noun = "gate", .group = cli->expect_file, .what = v->v[k].text, .actual = v->v[k].actual, .file = v->v[k].file, .line = v->v[k].line, .ok = v->v[k].ok }, list);
	by_workload.rows = ROWS_WORKLOAD;
	if (cli_output_is(cli, "html") && q->ports.nr == 1 && make_grids(cli, w->cluster, &by_workload, chosen(cli), &grids, err) && grids.nr == 1 && grids.v[0].nr <= 150) {
		struct scene s = { .arena = cli->arena };

		grid_scene(&grids.v[0], NULL, &s);
		if (scene_render(&s, "svg", THEME_LIGHT, &svg, err))
			run_figure(cli->arena, list, s.title, s.description, sb_text(&svg));
	}
	sb_free(&svg);
	run_format_find(cli->output)->print(cli->arena, list, cli->verbose, false, out);
	return !err_any(err);
}

static enum err_kind gate(struct cli *cli, struct world *w, const struct matrix_asked *q, struct err *err)
{
	struct gating g = { .cli = cli };
	struct sb out = { 0 };
	bool ok;

	if (cli->output && !cli_output_is(cli, "github") && !run_format_find(cli->output))
		return cli_usage(cli, err, "-o: \"%s\" is not text, json, sarif, github, junit, tap, md or html", cli->output);
	g.r = make_reach(w->cluster, q, chosen(cli));
	ok = docs_read_path(cli->expect_file, NULL, take_gate, &g, err);

	if (ok && !g.results.nr)
		err_add(err, ERR_INPUT, NULL, "%s: it expects nothing", cli->expect_file);
	else if (ok && cli_output_is(cli, "json"))
		gate_json(cli, &g.results, &out);
	else if (ok && cli->output && !cli_output_is(cli, "text") && !cli_output_is(cli, "sarif") && run_format_find(cli->output))
		gate_checks(cli, w, q, &g.results, &out, err);
	else if (ok)
		gate_findings(cli, &g, &out);
	for (uint32_t k = 0; ok && k < g.results.nr; k++)
		ok = g.results.v[k].ok;
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	reach_free(g.r);
	return err_any(err) ? err_kind(err) : ok ? ERR_NONE : ERR_FAILED;
}

/* ---- the table */

static bool render_scene(struct cli *cli, const reach_grids *all, const reach_grids *was, const char *format, struct sb *out, struct err *err)
{
	struct scene s = { .arena = cli->arena };

	if (all->nr != 1)
		return err_add(err, ERR_INPUT, NULL, "a picture shows one port; these are %u tables", all->nr);
	if (all->v[0].nr > 150)
		return err_add(err, ERR_INPUT, NULL, "%u rows are too many for a picture; ask --by workload or --by namespace, or with -n NS", all->v[0].nr);
	grid_scene(&all->v[0], reach_grid_same(was, &all->v[0]), &s);
	return scene_render(&s, format, cli->theme && strcmp(cli->theme, "dark") == 0 ? THEME_DARK : THEME_LIGHT, out, err);
}

/* → how many cells changed; −1: err. */
static int64_t print_table(struct cli *cli, const reach_grids *all, const reach_grids *was, const struct matrix_asked *q, struct sb *out, struct err *err)
{
	const char *f = cli->output ? cli->output : "text";

	if (strcmp(f, "json") == 0)
		return matrix_json(all, was, q->rows == ROWS_POD, cli->arena, out);
	if (strcmp(f, "csv") == 0)
		return matrix_csv(all, was, cli->arena, out);
	if (strcmp(f, "md") == 0 || strcmp(f, "markdown") == 0)
		return matrix_markdown(all, was, cli->arena, out);
	if (strcmp(f, "dot") == 0)
		return matrix_dot(all, was, cli->arena, out);
	if (strcmp(f, "svg") == 0 || strcmp(f, "png") == 0 || strcmp(f, "pdf") == 0 || strcmp(f, "html") == 0) {
		struct sb unused = { 0 };
		uint32_t n = matrix_csv(all, was, cli->arena, &unused);

		sb_free(&unused);
		return render_scene(cli, all, was, f, out, err) ? (int64_t)n : -1;
	}
	if (strcmp(f, "text") != 0)
		return err_add(err, ERR_INPUT, NULL, "-o: \"%s\" is not text, json, csv, md, html, dot, svg, png or pdf%s", f, run_format_find(f) ? "; with --must it is" : ""), -1;
	return matrix_text(all, was, out_wants_colour(cli->color, STDOUT_FILENO), out);
}

/* What it is compared with: other manifests, the files at a commit, or what the network itself enforces. */
static bool make_before(struct cli *cli, struct world *w, const struct matrix_asked *q, reach_grids *was, bool *compared, struct err *err)
{
	struct gitref ref = { 0 };
	struct world other;
	bool ok;

	*compared = true;
	if (!cli->diff && !cli->diff_ref) {
		*compared = cli->enforce && chosen(cli) != network_enforces(w->cluster);
		return !*compared || make_grids(cli, w->cluster, q, network_enforces(w->cluster), was, err);
	}
	ok = !cli->diff_ref || gitref_take(cli, cli->diff_ref, &cli->files, &ref, err);
	if (ok)
		ok = cli_world_from(cli, cli->diff_ref ? ref.paths.v : &cli->diff, cli->diff_ref ? ref.paths.nr : 1, &other, err);
	gitref_remove(&ref);
	if (!ok)
		return false;
	ok = make_grids(cli, other.cluster, q, chosen(cli), was, err);
	world_free(&other);
	return ok;
}

static enum err_kind table(struct cli *cli, struct world *w, struct matrix_asked *q, struct err *err)
{
	reach_grids all = { 0 }, was = { 0 };
	bool compared = false;
	struct sb out = { 0 };
	int64_t changes = -1;

	if (!q->rows_given && cluster_count(w->cluster, &pod_kind) > GRID_MAX_ENDS && !q->filtered) {
		q->rows = cluster_count(w->cluster, &namespace_kind) <= 200 ? ROWS_NAMESPACE : ROWS_CLASS;
		err_warn(err, NULL, "%u Pods: shown by %s; --by pod|workload|namespace|class chooses", cluster_count(w->cluster, &pod_kind), q->rows == ROWS_CLASS ? "class" : "namespace");
	}
	if (make_grids(cli, w->cluster, q, chosen(cli), &all, err) && make_before(cli, w, q, &was, &compared, err))
		changes = print_table(cli, &all, compared ? &was : NULL, q, &out, err);
	if (changes >= 0)
		fwrite(sb_text(&out), 1, out.len, cli->to);
	sb_free(&out);
	return changes < 0 ? err_kind(err) : (cli->diff || cli->diff_ref) && changes ? ERR_FAILED : ERR_NONE;
}

/* Of policies in tiers, what cannot be told. */
static void say_what_is_not_modelled(struct cli *cli, struct world *w, struct err *err)
{
	struct tiers t = chosen(cli) == ENFORCE_NONE ? (struct tiers){ 0 } : policy_tiers(w->cluster, cli->arena);
	uint32_t nr;
	const char *first = tiers_unmodelled(&t, &nr, cli->arena);

	if (first)
		err_warn(err, NULL, "%s is not modelled: connections that depend on it cannot be told%s", first, nr > 1 ? arena_printf(cli->arena, " (and so it is with %u more)", nr - 1) : "");
}

enum err_kind cmd_matrix(struct cli *cli, struct err *err)
{
	struct world w;
	struct matrix_asked q;
	enum err_kind how;

	if (cli->diff && cli->diff_ref)
		return cli_usage(cli, err, "--diff and --diff-ref exclude each other");
	if (!read_asked(cli, &q, err) || !cli_world(cli, &w, err))
		return err_kind(err);
	if (!cli->enforce && cluster_count(w.cluster, &network_policy_kind) && network_enforces(w.cluster) == ENFORCE_NONE)
		err_warn(err, NULL, "the Pod network is %s, which enforces no NetworkPolicy: this is what the policies say, not what happens", cni_names[cluster_settings(w.cluster)->cni]);
	say_what_is_not_modelled(cli, &w, err);
	if (!read_filter(cli, &w, &q, err))
		how = err_kind(err);
	else if (cli->explain || cli->args.nr)
		how = explain(cli, &w, &q, err);
	else if (cli->expect_file)
		how = gate(cli, &w, &q, err);
	else
		how = table(cli, &w, &q, err);
	world_free(&w);
	return how;
}
