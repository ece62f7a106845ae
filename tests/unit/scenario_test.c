/* Scenarios: what is refused when they are read, the small languages, and how expectations are judged. */
#include <stdlib.h>

#include "tests/unit/test.h"
#include "viz/report/run_report.h"

#define HEAD "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec:\n  steps:\n"

static struct scenario *read_text(struct arena *a, const char *text, struct err *err)
{
	struct val *v = yaml_parse(a, "s.yaml", text, strlen(text), NULL, err);

	return v ? scenario_parse(a, "s.yaml", v, err) : NULL;
}

TEST(what_is_wrong_is_refused_with_its_place)
{
	static const struct { const char *text, *because; uint32_t line; } row[] = {
		{ HEAD "  - {tracee: {from: client, to: web}}\n", "unknown field \"spec.steps[0].tracee\"; did you mean \"trace\"?", 6 },
		{ HEAD "  - expect: []\n", "is empty, so it could never fail", 6 },
		{ HEAD "  - expect: [{object: svc/web}]\n", "checks nothing", 6 },
		{ HEAD "  - expect: [{verdict: delivered}]\n", "speaks of a trace, but the step makes none", 6 },
		{ HEAD "  - trace: {from: client, to: svc/web:80}\n    expect: [{verdict: deliverd}]\n", "did you mean \"delivered\"?", 7 },
		{ HEAD "  - trace: {from: client, to: svc/web:80}\n    expect: [{outcomes: {}}]\n", "ends or selectors", 7 },
		{ HEAD "  - trace: {from: client, to: svc/web:80}\n    expect: [{outcomes: {pod/a: many}}]\n", "a number was expected", 7 },
		{ HEAD "  - trace: {from: client, to: svc/web:80}\n    expect: [{when: {endpointNode: a}}]\n", "checks nothing", 7 },
		{ HEAD "  - trace: {from: client, to: svc/web:80}\n    expect: [{verdict: dropped, object: svc/web}]\n", "does not go with", 7 },
		{ HEAD "  - trace: {from: client}\n", "needs from and to", 6 },
		{ HEAD "  - trace: client svc/web:80 x\n", "two ends were expected", 6 },
		{ HEAD "  - expect: [{object: svc/web, path: '{.spec.clusterIp}', exists: true}]\n", "did you mean \"clusterIP\"?", 6 },
		{ HEAD "  - expect: [{object: svc/web, path: '{.metadata.label}', exists: true}]\n", "did you mean \"labels\"?", 6 },
		{ HEAD "  - expect: [{object: svc/web, path: '{.spec', exists: true}]\n", "bad JSONPath", 6 },
		{ HEAD "  - expect: [{object: svc/web, path: '{.spec.type}', matches: '('}]\n", "not a regular expression", 6 },
		{ HEAD "  - expect: [{object: svc/web, equals: 1}]\n", "which field?", 6 },
		{ HEAD "  - expect: [{path: '{.spec}', exists: true}]\n", "path needs an object", 6 },
		{ HEAD "  - expect: [{event: {count: 1}}]\n", "which event?", 6 },
		{ HEAD "  - expect: [{equals: x}]\n", "speaks of a matrix", 6 },
		{ HEAD "  - wait: svc/web has endpoins\n", "did you mean", 6 },
		{ HEAD "  - wait: {for: [svc/web ready], timeout: soon}\n", "a duration was expected", 6 },
		{ HEAD "  - wait: {for: []}\n", "waits for nothing", 6 },
		{ HEAD "  - advance: 40\n", "a duration was expected", 6 },
		{ HEAD "  - fault: {nod: worker-1}\n", "did you mean \"node\"?", 6 },
		{ HEAD "  - patch: {object: svc/web}\n", "needs object and merge", 6 },
		{ HEAD "  - delete: [web]\n  - scale: {object: deploy/web}\n", "needs object and replicas", 7 },
		{ HEAD "  - apply: {}\n", "applies nothing", 6 },
		{ HEAD "  - apply: {objects: [x]}\n", "an object with apiVersion and kind", 6 },
		{ HEAD "  - ask: {question: Why?, choices: [a, b], answer: 3}\n", "a number from 1 to 2", 6 },
		{ HEAD "  - ask: {question: Why?, choices: [a], answer: 1}\n", "at least two choices", 6 },
		{ HEAD "  - {name: x, solution: {advance: 1s}}\n", "solves nothing", 6 },
		{ HEAD "  - {solution: {advnce: 1s}, goal: [{object: svc/a, exists: true}]}\n", "did you mean \"advance\"?", 6 },
		{ HEAD "  - draw: {figure: cluster, out: ../x.svg}\n", "outside", 6 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec: {steps: []}\n", "a list of steps", 4 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {}\nspec: {steps: [{say: x}]}\n", "every scenario has a name", 1 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec: {modes: [real], steps: [{say: x}]}\n", "sim or linux", 4 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec: {files: [../a.yaml], steps: [{say: x}]}\n", "outside the scenario's folder", 4 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec: {files: [/etc/passwd], steps: [{say: x}]}\n", "outside the scenario's folder", 4 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec: {expectFailure: true, steps: [{say: x}]}\n", "needs its reason", 4 },
		{ "apiVersion: podwire.io/v1\nkind: Scenario\nmetadata: {name: s}\nspec: {sed: 4, steps: [{say: x}]}\n", "did you mean \"seed\"?", 4 },
	};

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct arena *a = arena_new(NULL, "test");
		struct err err = { 0 };
		struct scenario *s = read_text(a, row[k].text, &err);
		bool said = false;

		for (uint32_t i = 0; i < err.nr; i++)
			said = said || (strstr(err.v[i].text, row[k].because) && err.v[i].line == row[k].line);
		CU_ASSERT(!s);
		CU_ASSERT(said);
		if (!said) {
			fprintf(stderr, "\n%swanted line %u: %s\n", row[k].text, row[k].line, row[k].because);
			err_print(&err, stderr);
		}
		err_free(&err);
		arena_free(a);
	}
}

TEST(what_a_scenario_may_say)
{
	static const char text[] = HEAD
		"  - name: all\n    say: text\n    notes: text\n    traffic: {from: client, to: svc/web:80, rate: 20/s, duration: 5s}\n"
		"    apply: {objects: [{apiVersion: v1, kind: Service}]}\n    delete: [svc/a, pod -l app=b]\n    patch: [{object: svc/a, merge: {}}]\n"
		"    scale: {object: deploy/a, replicas: 3}\n    label: {object: pod/a, labels: {a: b}}\n    fault: [{node: worker-1}, {link: worker-2, loss: 0.5}]\n"
		"    heal: {dns: down}\n    wait: {for: [pod -l app=web not ready, svc/web has no endpoints, deploy/a condition=Available, svc/a has an address,\n"
		"      'pod/a jsonpath={.status.phase}=Running', 'svc/b has >=2 endpoints', deploy/a rolled out], timeout: 2m}\n    advance: 1m30s\n"
		"    trace: [{name: first, from: client, to: svc/web:80}, {from: pod/a, to: 'http://web/', headers: {a: b}, method: PUT}]\n"
		"    http: {from: pod/a, url: 'http://x/'}\n    dns: {from: pod/a, name: web}\n    matrix: {port: 80}\n    draw: [cluster, {figure: clusterip, out: a.svg}]\n"
		"    expect:\n    - {trace: first, outcomes: {pod/a: 0.5, pod/b: '>=1', node/c: all}, not: {verdict: lost}}\n    - {not: {object: svc/a, exists: true}}\n"
		"    - {object: svc/a, path: '{.spec.type}', not: {equals: NodePort}}\n    - {lost: '<=2'}\n    - {event: {reason: Killing}}\n    - {rcode: NOERROR}\n"
		"    - {equals: 'a b'}\n    goal: [{object: svc/a, exists: true}]\n    hints: [one]\n    solution: {delete: svc/a}\n";
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	const struct scenario *s = read_text(a, text, &err);
	const struct step *step;

	err_print(&err, stderr);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s);
	step = &s->steps.v[0];
	CU_ASSERT(s->in_sim && s->in_linux);
	CU_ASSERT_EQUAL(step->trace.nr, 3);
	CU_ASSERT_EQUAL(step->changes.wait.nr, 7);
	CU_ASSERT_EQUAL(step->changes.timeout, MINUTES(2));
	CU_ASSERT_EQUAL(step->changes.advance, SECONDS(90));
	CU_ASSERT_EQUAL(step->changes.fault.nr, 2);
	CU_ASSERT_EQUAL(step->traffic.v[0].rate, 20);
	CU_ASSERT_EQUAL(step->expect.nr, 7);
	CU_ASSERT_EQUAL(step->expect.v[1].about, ABOUT_OBJECT);
	CU_ASSERT_EQUAL(step->expect.v[6].about, ABOUT_MATRIX);
	CU_ASSERT_EQUAL(step->draw.nr, 2);
	arena_free(a);
}

TEST(ranges)
{
	static const struct { const char *text; double value, of; bool holds; } row[] = {
		{ "3", 3, 9, true }, { "3", 2, 9, false }, { "0.5", 0.5, 9, true }, { "all", 4, 4, true }, { "all", 3, 4, false }, { "'>=1'", 1, 9, true }, { "'>1'", 1, 9, false },
		{ "'<=2'", 2, 9, true }, { "'<2'", 2, 9, false }, { "1..3", 3, 9, true }, { "1..3", 4, 9, false }, { "50%", 0.5, 9, true }, { "'>=33%'", 1.0 / 3, 9, true },
		{ "'>= 2'", 2, 9, true },
	};
	static const char *const bad[] = { "x", "1..", "3..1", "-1", "'>='", "1.5", "[1]" };
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct parse p = { a, strtab_new(a), "t", NULL, &err };
	struct range r;

	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		bool ok = range_parse(&p, yaml_parse(a, "t", row[k].text, strlen(row[k].text), NULL, &err), NULL, &r);

		CU_ASSERT(ok);
		CU_ASSERT_EQUAL(range_holds(&r, row[k].value, row[k].of), row[k].holds);
	}
	for (size_t k = 0; k < ARRAY_LEN(bad); k++)
		CU_ASSERT(!range_parse(&p, yaml_parse(a, "t", bad[k], strlen(bad[k]), NULL, &err), NULL, &r));
	err_free(&err);
	arena_free(a);
}

/* ---- playing, with answers that are made up */

static bool fake_ask(void *ctx, struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	struct outcome *walk = arena_array(a, struct outcome, 3);

	(void)ctx;
	if (strcmp(q->to, "nobody") == 0)
		return err_add(err, ERR_FAILED, NULL, "services \"nobody\" not found");
	*out = (struct answer){ .q = q, .v = arena_array(a, struct outcome_view, 3), .nr = 3 };
	for (uint32_t k = 0; k < 3; k++) {
		struct outcome_view *o = &out->v[k];

		ip_parse(k ? "203.0.113.9" : "172.18.0.3", &walk[k].there.as_seen.src);
		*o = (struct outcome_view){ .p = { k ? 1 : 2, 4 }, .verdict = k == 2 ? V_DROPPED : V_DELIVERED, .answered = k != 2, .walk = &walk[k], .reason = k == 2 ? "chain x drops" : "fine" };
		if (k == 2)
			continue;
		o->pod = find_pod(w->cluster, "default", k ? "web-b" : "web-a");
		o->end_ip = o->pod->ip;
		o->end_port = 80;
		o->node = o->pod->node;
	}
	return true;
}

static const char pods[] =
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web-a, labels: {app: web}}\nspec: {nodeName: worker-1, containers: [{name: c, image: nginx}]}\n"
	"status: {phase: Running, podIP: 10.244.1.5, conditions: [{type: Ready, status: \"True\"}]}\n"
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web-b, labels: {app: web}}\nspec: {nodeName: worker-2, containers: [{name: c, image: nginx}]}\n"
	"status: {phase: Running, podIP: 10.244.2.5, conditions: [{type: Ready, status: \"True\"}]}\n";

static void play_text(struct arena *a, const char *text, struct world *w, struct play *p, struct err *err)
{
	static const struct play_backend fake = { .ask = fake_ask };
	char path[] = "/tmp/podwire-scenario-XXXXXX";
	struct scenario_list all = { 0 };
	FILE *f = fdopen(mkstemp(path), "w");

	*w = (struct world){ .cluster = cluster_new(NULL, 1) };
	w->control = control_new(w->cluster);
	fputs(text, f);
	fclose(f);
	CU_ASSERT(scenarios_load(a, path, &all, err));
	remove(path);
	err_print(err, stderr);
	CU_ASSERT_EQUAL_FATAL(all.nr, 1);
	CU_ASSERT(play_begin(p, all.v[0], w, &fake, a, err));
	play_all(p);
}

TEST(expectations_are_judged)
{
	static const struct { const char *expect; bool holds; } row[] = {
		{ "verdict: delivered", false }, { "verdict: delivered, when: {answered: true}", true }, { "answered: true, when: {endpoint: pod/web-a}", true },
		{ "outcomes: {pod/web-a: 0.5, pod/web-b: 0.25}", true }, { "outcomes: {pod/web-a: 0.25}", false }, { "outcomes: {pod -l app=web: 0.75}", true },
		{ "outcomes: {pod -l app=web: all}", false }, { "outcomes: {pod -l app=web: all}, when: {verdict: delivered}", true }, { "outcomes: {pod -l app=web: 2}", true },
		{ "outcomes: {pod -l app=x: '>=1'}", false }, { "outcomes: {10.244.1.5: 1, '10.244.2.5:80': 1}", true }, { "sourceSeen: node/worker-1", false },
		{ "sourceSeen: 203.0.113.9, when: {endpointNode: worker-2}", true }, { "reason: x drops, when: {verdict: dropped}", true },
		{ "verdict: lost, when: {endpointNode: worker-9}", false }, { "not: {verdict: lost}", true }, { "not: {verdict: dropped}", false },
		{ "not: {outcomes: {pod/web-a: all}}", true }, { "endpoint: pod/web-a, when: {sourceSeen: 172.18.0.3}", true },
		{ "object: pod/web-a, exists: true", true }, { "object: pod/web-c, exists: true", false }, { "object: pod/web-c, exists: false", true },
		{ "object: pod -l app=web, count: 2", true }, { "object: pod -l app=web, count: '>2'", false }, { "object: pod/web-a, path: '{.spec.nodeName}', equals: worker-1", true },
		{ "object: pod/web-a, path: '{.spec.nodeName}', equals: worker-2", false }, { "object: pod/web-a, path: '{.spec.nodeName}', matches: '^worker-[12]$'", true },
		{ "object: pod -l app=web, path: '{.status.podIP}', matches: '^10.244'", true }, { "object: pod -l app=web, path: '{.spec.nodeName}', equals: worker-1", false },
		{ "object: pod/web-a, path: '{.spec.containers[*].name}', contains: c", true }, { "object: pod/web-a, path: '{.spec.containers[*].name}', contains: d", false }, { "object: pod/web-a, path: '{.metadata.labels}', contains: app", true },
		{ "object: pod/web-a, path: '{.spec.containers}', contains: {image: nginx}", true }, { "object: pod/web-a, path: '{.spec.hostNetwork}', exists: false", true },
		{ "object: pod/web-c, path: '{.spec.hostNetwork}', exists: false", false }, { "not: {object: pod/web-c, exists: true}", true },
		{ "object: pod/web-a, path: '{.spec.nodeName}', not: {equals: worker-2}", true }, { "event: {reason: NothingSuch}", false },
		{ "event: {reason: NothingSuch, count: 0}", true }, { "not: {event: {reason: NothingSuch}}", true },
	};
	struct sb text = { 0 };
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	struct world w;
	struct play p;

	sb_add(&text, HEAD "  - trace: {from: client, to: svc/web:80}\n    expect:\n");
	for (size_t k = 0; k < ARRAY_LEN(row); k++)
		sb_printf(&text, "    - {%s}\n", row[k].expect);
	sb_add(&text, pods);
	play_text(a, text.s, &w, &p, &err);
	CU_ASSERT_EQUAL_FATAL(p.records.nr, ARRAY_LEN(row) + 1);
	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		CU_ASSERT_EQUAL(p.records.v[k + 1].ok, row[k].holds);
		if (p.records.v[k + 1].ok != row[k].holds)
			fprintf(stderr, "\n%s\n%s: %s\n", row[k].expect, p.records.v[k + 1].ok ? "holds" : "does not hold", p.records.v[k + 1].actual);
	}
	sb_free(&text);
	cluster_free(w.cluster);
	err_free(&err);
	arena_free(a);
}

TEST(steps_change_wait_and_count)
{
	static const char text[] = HEAD
		"  - name: change\n    label: {object: pod/web-a, labels: {tier: front, app: null}}\n    annotate: {object: pod/web-b, annotations: {note: x}}\n"
		"    expect:\n    - {object: pod -l tier=front, count: 1}\n    - {object: pod -l app=web, count: 1}\n"
		"    - {object: pod/web-b, path: '{.metadata.annotations.note}', equals: x}\n"
		"  - name: wait\n    wait: {for: [pod/web-a ready, pod/web-a not failed, pod/none deleted, 'pod/web-a jsonpath={.status.phase}=Running'], timeout: 1s}\n"
		"  - name: too long\n    wait: {for: pod/none ready, timeout: 5s}\n"
		"  - name: nobody\n    trace: client nobody\n    expect: [{verdict: delivered}]\n"
		"  - name: impossible\n    delete: pod/none\n"
		"  - name: stream\n    traffic: {from: client, to: svc/web:80, rate: 10}\n    advance: 2s\n    expect: [{lost: '1..15'}]\n"
		"  - name: task\n    goal: [{object: cm/text, exists: false}]\n    solution: {delete: cm/text, wait: {for: cm/text deleted, timeout: 2m}}\n";
	struct sb all = { 0 }, out = { 0 };
	struct arena *a = arena_new(NULL, "test");
	struct val *records = val_new(a, VAL_LIST);
	struct err err = { 0 };
	struct run_sum sum;
	struct world w;
	struct play p;

	sb_printf(&all, "%s%s---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: text}\n", text, pods);
	play_text(a, all.s, &w, &p, &err);
	run_records(a, &p, records);
	sum = run_sum(records);
	CU_ASSERT_EQUAL(sum.scenarios, 1);
	CU_ASSERT_EQUAL(sum.failed, 3);         /* too long, nobody, impossible */
	if (sum.failed != 3) {
		run_format_find("text")->print(a, records, true, false, &out);
		fputs(sb_text(&out), stderr);
	}
	for (const struct run_format *f = run_formats; f->name; f++) {
		sb_reset(&out);
		f->print(a, records, true, false, &out);
		CU_ASSERT(out.len > 100);
	}
	sb_free(&all);
	sb_free(&out);
	cluster_free(w.cluster);
	err_free(&err);
	arena_free(a);
}

TEST(reports)
{
	static const char records[] =
		"[{\"scenario\":\"a\",\"step\":\"one\",\"ok\":true,\"expected\":null,\"actual\":\"done\",\"time\":\"1.5s\",\"file\":\"a.yaml\",\"line\":5},"
		"{\"scenario\":\"a\",\"step\":\"one\",\"ok\":false,\"expected\":\"x # <y>\",\"actual\":\"z\",\"time\":\"2s\",\"file\":\"a.yaml\",\"line\":6},"
		"{\"scenario\":\"b\",\"step\":null,\"ok\":true,\"skipped\":\"not here\",\"file\":\"b.yaml\",\"line\":1},"
		"{\"scenario\":\"c\",\"step\":\"s\",\"ok\":false,\"expected\":\"e\",\"actual\":\"f\",\"todo\":\"gap\",\"time\":\"0s\",\"file\":\"c.yaml\",\"line\":2}]";
	static const struct { const char *format, *text; } row[] = {
		{ "tap",
		  "TAP version 14\n1..3\n# Subtest: a\n    1..2\n    ok 1 - one\n    not ok 2 - one: x \\# <y>\n      ---\n      expected: 'x # <y>'\n      actual: z\n"
		  "      time: 2s\n      file: a.yaml\n      line: 6\n      ...\nnot ok 1 - a\nok 2 - b # SKIP not here\n# Subtest: c\n    1..1\n    not ok 1 - s: e # TODO gap\n"
		  "      ---\n      expected: e\n      actual: f\n      time: 0s\n      file: c.yaml\n      line: 2\n      ...\nok 3 - c\n" },
		{ "junit",
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"podwire\" tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"2\">\n"
		  "  <testsuite name=\"a\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">\n"
		  "    <testcase classname=\"a\" name=\"one\" time=\"1.500\" file=\"a.yaml\" line=\"5\"/>\n"
		  "    <testcase classname=\"a\" name=\"one: x # &lt;y&gt;\" time=\"0.500\" file=\"a.yaml\" line=\"6\">\n"
		  "      <failure message=\"z\">expected: x # &lt;y&gt;&#10;actual: z</failure>\n    </testcase>\n  </testsuite>\n"
		  "  <testsuite name=\"b\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\">\n    <testcase classname=\"b\" name=\"b\" time=\"0.000\" file=\"b.yaml\" line=\"1\">\n"
		  "      <skipped message=\"not here\"/>\n    </testcase>\n  </testsuite>\n"
		  "  <testsuite name=\"c\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\">\n    <testcase classname=\"c\" name=\"s: e\" time=\"0.000\" file=\"c.yaml\" line=\"2\">\n"
		  "      <skipped message=\"known gap: gap\"/>\n    </testcase>\n  </testsuite>\n</testsuites>\n" },
		{ "text",
		  "a\n  FAILED  one\n            expected  x # <y>\n            actual    z\n            at        a.yaml:6\nb\n  skipped not here\nc\n  known   s\n"
		  "            expected  e\n            actual    f\n            known gap gap\n            at        c.yaml:2\n"
		  "3 scenarios: 1 passed, 1 failed, 1 skipped, 1 known to fail\n" },
	};
	struct arena *a = arena_new(NULL, "test");
	struct err err = { 0 };
	const struct val *v = json_parse(a, "records", records, sizeof(records) - 1, NULL, &err);

	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	for (size_t k = 0; k < ARRAY_LEN(row); k++) {
		struct sb out = { 0 };

		run_format_find(row[k].format)->print(a, v, false, false, &out);
		SAME_TEXT(sb_text(&out), row[k].text);
		sb_free(&out);
	}
	arena_free(a);
}

/* The scenarios that come with the program hold. */
TEST(own_scenarios_hold)
{
	struct arena *a = arena_new(NULL, "test");
	struct scenario_list all = { 0 };
	struct err err = { 0 };

	if (!scenarios_load(a, "scenarios", &all, &err))
		test_skip("scenarios cannot be read from here: %s", err.v[0].text);
	for (uint32_t k = 0; k < all.nr; k++) {
		struct world_options opt = { .seed = all.v[k]->seed };
		struct val *records = val_new(a, VAL_LIST);
		struct sb out = { 0 };
		struct world w;
		struct play p;

		world_init(&w, &opt);
		CU_ASSERT(play_begin(&p, all.v[k], &w, &play_sim, a, &err));
		play_all(&p);
		run_records(a, &p, records);
		CU_ASSERT_EQUAL(run_sum(records).failed, 0);
		if (run_sum(records).failed) {
			run_format_find("text")->print(a, records, false, false, &out);
			fputs(sb_text(&out), stderr);
		}
		sb_free(&out);
		world_free(&w);
	}
	err_free(&err);
	arena_free(a);
}
