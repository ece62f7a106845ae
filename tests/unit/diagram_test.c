/* Figures: what is drawn does not depend on names, order or theme; what comes from outside is never markup; Graphviz has nothing to complain of. */
#include <stdlib.h>

#include "model/base/err.h"
#include "tests/unit/feed.h"
#include "tests/unit/xml_check.h"
#include "viz/diagram/figure.h"

static const char *const hostile[] = {
	"\"><script>alert(1)</script>", "</svg><svg onload=x>", "]]>", "ends in ]]", "[fd00::1]", "\\N\\G\\E\\n\\l\\r", "&amp;&lt;<B></B>", "<TABLE><TR>", "\x1b[31mred\x1b[0m", "a\tb\nc\rd", "\x01\x02\x7f",
	"\xff\xfe not UTF-8 \xc3", "\xed\xa0\x80 surrogate", "\xe2\x80\xae" "txet sti \xe2\x80\xac", "\xf0\x9f\x90\xb3\xf0\x9f\x8f\xbd \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", "'; DROP TABLE pods; --",
	"{{.Names}} %s %n $(id) `id`", "#quot; #35; end\nsubgraph x", "cluster_1", "b1", "legend", "", " ", "-->", "\xef\xbf\xbe\xef\xbf\xbf", "\xc2\x85\xc2\x9b" "31m", "\xef\xbb\xbf" "bom",
};

static void nasty_scene(struct scene *s, struct arena *a, const char *text)
{
	box_h g, x, y, z;

	scene_init(s, a, "test", text);
	s->description = text;
	g = scene_group(s, (box_h){ 0 }, ROLE_NODE, text, text, text);
	x = scene_box(s, g, ROLE_POD, text, text, text);
	y = scene_box(s, g, ROLE_RULES, arena_printf(a, "%s2", text), text, text);
	z = scene_box(s, (box_h){ 0 }, ROLE_STORAGE, arena_printf(a, "%s3", text), NULL, text);
	scene_get(s, z)->cylinder = true;
	scene_get(s, x)->title = scene_get(s, x)->details = text;
	for (int kind = ROW_TEXT; kind <= ROW_GAP; kind++)
		scene_row(s, y, (enum row_kind)kind, text, text);
	scene_get(s, y)->badge = 7;
	scene_get(s, y)->mark = MARK_ADDED;
	scene_line(s, x, z, LINE_PACKET, text)->changed = text;
	s->edges.v[0].rest = text;
	scene_line(s, y, z, LINE_REMOVED, text)->badge = 3;
	scene_legend(s, LINE_PACKET, 0, text);
	scene_legend(s, LINE_REMOVED, 3, text);
	scene_note(s, ROLE_DENIED, text, text);
}

static char *drawn(const struct scene *s, const char *format)
{
	struct err err = { 0 };
	struct sb out = { 0 };

	CU_ASSERT(scene_render(s, format, THEME_LIGHT, &out, &err));
	if (err.nr)
		fprintf(stderr, "\n%s: %s\n", format, err.v[0].text);
	CU_ASSERT(err.nr == 0);
	err_free(&err);
	return out.s ? out.s : calloc(1, 1);
}

TEST(hostile_names_harm_no_format)
{
	static char longest[254];

	memset(longest, 'x', 253);
	for (size_t k = 0; k <= ARRAY_LEN(hostile); k++) {
		struct arena *a = arena_new(NULL, "test");
		const char *name = k < ARRAY_LEN(hostile) ? hostile[k] : longest;
		struct scene s = { 0 };

		nasty_scene(&s, a, name);
		for (const char *const *f = (const char *const[]){ "dot", "svg", "html", "mermaid", NULL }; *f; f++) {
			char *text = drawn(&s, *f);

			CU_ASSERT(strstr(text, "<script>alert") == NULL);
			CU_ASSERT(strstr(text, "<svg onload") == NULL);
			CU_ASSERT(strchr(text, '\x1b') == NULL);
			CU_ASSERT(strstr(text, "\xe2\x80\xae") == NULL);
			if (strcmp(*f, "svg") == 0 && !xml_well_formed(text)) {
				fprintf(stderr, "\nnot well-formed with name %zu: %s\n", k, name);
				CU_FAIL("SVG is not XML");
			}
			free(text);
		}
		arena_free(a);
	}
}

TEST(xml_check_can_fail)
{
	CU_ASSERT(xml_well_formed("<?xml?><a b=\"c\"><d/>x &amp; y &#38;</a>"));
	CU_ASSERT(!xml_well_formed("<a><b></a></b>"));
	CU_ASSERT(!xml_well_formed("<a b=\"<\"/>"));
	CU_ASSERT(!xml_well_formed("<a>&nope;</a>"));
	CU_ASSERT(!xml_well_formed("<a>\x01</a>"));
	CU_ASSERT(!xml_well_formed("<a/><a/>"));
	CU_ASSERT(!xml_well_formed("<a>"));
}

static const char *labelled(void (*write)(struct sb *, const char *), const char *text, struct sb *out)
{
	sb_reset(out);
	write(out, text);
	return sb_text(out);
}

TEST(labels_escape)
{
	struct sb out = { 0 };

	SAME_TEXT(labelled(label_html, "a<b>&\"c'\x1b", &out), "a&lt;b&gt;&amp;&quot;c&#39;");
	SAME_TEXT(labelled(label_plain, "a\\N&", &out), "a\\\\N&amp;");
	SAME_TEXT(labelled(label_id, "pod/a b\"\xc3\xa9-1", &out), "pod_a_b___-1");
	SAME_TEXT(labelled(label_json, "a</script>\"\\\nb\x01", &out), "\"a\\u003c/script\\u003e\\\"\\\\\\nb\"");
	SAME_TEXT(labelled(label_html, "\xff", &out), "\xef\xbf\xbd");
	sb_free(&out);
}

TEST(labels_fit)
{
	struct sb out = { 0 };

	label_fit(&out, "short", 5);
	SAME_TEXT(sb_text(&out), "short");
	sb_reset(&out);
	label_fit(&out, "abcdefghijklmnop", 9);
	SAME_TEXT(sb_text(&out), "abcde…nop");
	sb_reset(&out);
	label_fit(&out, "äöüäöüäöüäöü", 6);         /* characters, not bytes */
	SAME_TEXT(sb_text(&out), "äöü…öü");
	sb_free(&out);
}

/* ---- figures of a live cluster */

static const char manifests[] =
	"{kind: Cluster, apiVersion: kind.x-k8s.io/v1alpha4, nodes: [{role: control-plane}, {role: worker}, {role: worker}]}\n---\n"
	"{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: "
	"[{name: web, image: nginx, ports: [{containerPort: 8080}]}]}}}}\n---\n"
	"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}\n---\n"
	"{apiVersion: v1, kind: Pod, metadata: {name: client}, spec: {containers: [{name: c, image: alpine, env: [{name: WEB_URL, value: 'http://web/'}], volumeMounts: [{name: v, mountPath: /v}]}],"
	" volumes: [{name: v, emptyDir: {}}]}}\n---\n"
	"{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}}\n";

static void make_world(struct world *w, const char *yaml)
{
	struct world_options opt = { .seed = 1, .apply = { .create_namespaces = true } };

	world_init(w, &opt);
	feed_world(w, &opt, yaml);
	world_settle(w, &opt);
}

static const struct { const char *what, *args[2]; } all[] = {
	{ "cluster", { NULL } }, { "clusterip", { NULL } }, { "calico", { NULL } }, { "trace", { "pod/client", "svc/web:80" } }, { "node/worker-1", { NULL } }, { "pod/web", { NULL } },
	{ "pod/client", { NULL } }, { "svc/web", { NULL } }, { "routes", { NULL } }, { "bgp", { NULL } }, { "policy", { NULL } }, { "matrix", { NULL } }, { "timeline", { "pod/client" } },
};

static char *figure(struct world *w, const struct figure_options *opt, const char *what, const char *const *args, const char *format)
{
	struct scene s = { .arena = arena_new(NULL, "figure") };
	struct err err = { 0 };
	struct sb out = { 0 };
	uint32_t nr = args[0] ? args[1] ? 2 : 1 : 0;

	if (!figure_fill(w, opt, what, args, nr, &s, &err) || !scene_render(&s, format, THEME_DARK, &out, &err) || err.nr) {
		fprintf(stderr, "\n%s as %s: %s\n", what, format, err.nr ? err.v[0].text : "?");
		CU_FAIL("a figure cannot be drawn, or with a warning");
	}
	err_free(&err);
	arena_free(s.arena);
	return out.s ? out.s : calloc(1, 1);
}

TEST(every_figure_is_drawn_without_a_complaint)
{
	struct figure_options opt = { .depth = 2 };
	struct world w;

	make_world(&w, manifests);
	for (size_t k = 0; k < ARRAY_LEN(all); k++) {
		char *svg = figure(&w, &opt, all[k].what, all[k].args, "svg"), *html = figure(&w, &opt, all[k].what, all[k].args, "html");

		CU_ASSERT(xml_well_formed(svg));
		CU_ASSERT(strstr(svg, "role=\"img\"") && strstr(svg, "<title id=\"title\">") && strstr(svg, "<desc id=\"desc\">"));
		CU_ASSERT(strstr(svg, "<title>b1") == NULL);
		CU_ASSERT(strstr(html, "http://www.w3.org/2000/svg") && !strstr(html, "src="));
		free(svg);
		free(html);
	}
	world_free(&w);
}

TEST(the_same_cluster_gives_the_same_bytes)
{
	struct figure_options opt = { .depth = 2 };
	struct world v, w;

	make_world(&v, manifests);
	make_world(&w, manifests);
	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		for (const char *const *f = (const char *const[]){ "dot", "svg", "mermaid", NULL }; *f; f++) {
			char *x = figure(&v, &opt, all[k].what, all[k].args, *f), *y = figure(&w, &opt, all[k].what, all[k].args, *f);

			SAME_TEXT(x, y);
			free(x);
			free(y);
		}
	world_free(&v);
	world_free(&w);
}

TEST(focus_and_collapse_choose)
{
	struct world w;
	char *near, *one;

	make_world(&w, manifests);
	near = figure(&w, &(struct figure_options){ .focus = "svc/web", .depth = 1 }, "cluster", all[0].args, "dot");
	one = figure(&w, &(struct figure_options){ .collapse = true }, "cluster", all[0].args, "dot");
	CU_ASSERT(strstr(near, "pod-default-client") != NULL);          /* is told of the Service */
	CU_ASSERT(strstr(one, "workload-default-web") && strstr(one, "3 Pods on") && !strstr(one, "pod-default-web"));
	free(near);
	free(one);
	near = figure(&w, &(struct figure_options){ .focus = "pod/client", .depth = 1 }, "cluster", all[0].args, "dot");
	CU_ASSERT(strstr(near, "service-default-web") && !strstr(near, "pod-default-web"));             /* one step away: the Service, not yet its Pods */
	free(near);
	world_free(&w);
}

TEST(a_figure_that_is_not_there_is_refused)
{
	static const struct { const char *what, *arg, *says; } bad[] = {
		{ "clusterp", NULL, "did you mean \"cluster" }, { "pod/nobody", NULL, "no Pod \"nobody\"" }, { "svc/nobody", NULL, "no Service \"nobody\"" }, { "node/nobody", NULL, "no node \"nobody\"" },
		{ "trace", "pod/client", "needs FROM TO" }, { "cluster", "more", "takes nothing" }, { "timeline", "client", "KIND/NAME" }, { "ingress", NULL, "no Ingress controller" },
	};
	struct world w;

	make_world(&w, manifests);
	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		struct scene s = { .arena = arena_new(NULL, "figure") };
		struct err err = { 0 };

		CU_ASSERT(!figure_fill(&w, &(struct figure_options){ .depth = 2 }, bad[k].what, &bad[k].arg, bad[k].arg ? 1 : 0, &s, &err));
		CU_ASSERT(err.nr == 1 && strstr(err.v[0].text, bad[k].says));
		if (err.nr && !strstr(err.v[0].text, bad[k].says))
			fprintf(stderr, "\n%s: %s\n", bad[k].what, err.v[0].text);
		err_free(&err);
		arena_free(s.arena);
	}
	world_free(&w);
}
