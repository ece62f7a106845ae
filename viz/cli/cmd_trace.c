/* trace FROM TO: the way of one packet and of its answer, for people and as JSON (docs/cli.md, `trace -o json`). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/ask/captured.h"
#include "viz/cli/captured.h"
#include "viz/report/pcapng.h"
#include "sim/linux/verify.h"
#include "viz/cli/inside.h"
#include "viz/report/kernel_report.h"
#include "viz/report/trace_report.h"

/* In one line: who forbids it; what each rule says of it stands in the answer. */
static const char *briefly(struct world *w, const struct outcome_view *o, struct arena *a)
{
	struct denial d;

	return outcome_policies(w, o, a, &d) ? arena_printf(a, "%s; %s", o->walk->there.reason, reach_why_names(&d.why, d.from, d.to, a)) : o->reason;
}

static bool expected(const char *want, struct world *w, const struct answer *a, struct arena *arena, struct err *err)
{
	if (want) {
		bool known = false;

		for (int v = 0; v < V_COUNT; v++)
			known = known || strcmp(want, verdict_names[v]) == 0;
		if (!known)
			return err_add(err, ERR_INPUT, NULL, "--expect: \"%s\" is not a verdict (delivered, refused, rejected, dropped, unroutable, unresolved, lost, unknown)", want);
	}
	for (uint32_t k = 0; k < a->nr; k++) {
		const struct outcome_view *o = &a->v[k];

		if (want && strcmp(want, "delivered") != 0 && strcmp(verdict_names[o->verdict], want) == 0)
			continue;
		if (o->verdict == V_UNKNOWN)
			return err_add(err, ERR_UNKNOWN, NULL, "cannot tell: %s", o->reason);
		if (want ? strcmp(verdict_names[o->verdict], want) != 0 : o->verdict != V_DELIVERED || !o->answered)
			return err_add(err, ERR_FAILED, NULL, "%s%s", want ? "expected otherwise: " : "", briefly(w, o, arena));
	}
	return true;
}

static bool put_question(struct cli *cli, struct world *w, const struct question *q, struct arena *a, struct answer *out, struct err *err)
{
	return cli->dataplane ? captured_ask(w, q, cli->in, a, out, err) : question_ask(w, q, a, out, err);
}

/* ---- --batch: a question a line in, an answer a line out */

static const char *text_of(struct arena *a, const struct val *v)
{
	if (val_is(v, VAL_INT))
		return arena_printf(a, "%" PRId64, v->i);
	return val_str(v);
}

/* A list: the header is given more than once. */
static bool batch_headers(const struct val *v, const char *field, struct question *q, void (*add)(struct question *, struct arena *, const char *, const char *), struct arena *a, struct err *err)
{
	VAL_EACH(h, val_get(v, field)) {
		bool list = val_is(h, VAL_LIST);

		for (uint32_t k = 0; k < (list ? h->nr : 1); k++) {
			const char *text = text_of(a, list ? val_at(h, k) : h);

			if (!text)
				return err_add(err, ERR_INPUT, NULL, "\"%s\", header %s: a value is a text, a whole number, or a list of those", field, h->key);
			add(q, a, h->key, text);
		}
	}
	return true;
}

static bool batch_question(struct cli *cli, const struct val *v, struct question *q, struct arena *a, struct err *err)
{
	const char *from = val_str(val_get(v, "from")), *to = val_str(val_get(v, "to"));
	struct cli asked = *cli;

	if (!from || !to)
		return err_add(err, ERR_INPUT, NULL, "a question needs \"from\" and \"to\"");
	asked.arena = a;
	asked.protocol = val_str(val_get(v, "protocol")) ? val_str(val_get(v, "protocol")) : cli->protocol;
	asked.method = val_str(val_get(v, "method")) ? val_str(val_get(v, "method")) : cli->method;
	asked.resolve = val_str(val_get(v, "resolve")) ? val_str(val_get(v, "resolve")) : cli->resolve;
	asked.client_cert = val_str(val_get(v, "clientCertificate")) ? val_str(val_get(v, "clientCertificate")) : cli->client_cert;
	asked.backend_answers = val_get(v, "backendAnswers") ? text_of(a, val_get(v, "backendAnswers")) : cli->backend_answers;
	if (val_get(v, "backendAnswers") && !asked.backend_answers)
		return err_add(err, ERR_INPUT, NULL, "\"backendAnswers\": a text was expected, as in \"503\" or \"reset, 500 after 2s, 200\"");
	asked.size = val_get(v, "size") ? text_of(a, val_get(v, "size")) : cli->size;
	if (!cli_question(&asked, from, to, q, err))
		return false;
	if (!cli->verbose)
		q->flags &= ~(unsigned)WALK_RECORD;
	return batch_headers(v, "headers", q, question_header, a, err) && batch_headers(v, "backendResponseHeaders", q, question_backend_header, a, err);
}

static void batch_line(struct cli *cli, struct world *w, const char *line, size_t n, struct sb *out)
{
	struct arena *a = arena_new(NULL, "question");
	struct err err = { 0 };
	const struct val *v = json_parse(a, "batch", line, n, NULL, &err);
	struct val *json = NULL;
	struct question q;
	struct answer answer;

	if (v && batch_question(cli, v, &q, a, &err) && put_question(cli, w, &q, a, &answer, &err))
		json = trace_json(w, &answer, a);
	if (!json) {
		json = val_new(a, VAL_MAP);
		val_put(a, json, "error", val_string(a, err.nr ? err.v[0].text : "no answer"));
	}
	sb_reset(out);
	val_print_json(json, out, 0, false);
	fprintf(cli->to, "%s\n", sb_text(out));
	err_free(&err);
	arena_free(a);
}

static enum err_kind batch(struct cli *cli, struct world *w, struct err *err)
{
	FILE *f = strcmp(cli->batch, "-") == 0 ? stdin : fopen(cli->batch, "r");
	struct sb out = { 0 };
	char *line = NULL;
	size_t alloc = 0;
	ssize_t n;

	if (!f) {
		err_add(err, ERR_INPUT, NULL, "%s: %s", cli->batch, strerror(errno));
		return ERR_INPUT;
	}
	while ((n = getline(&line, &alloc, f)) >= 0) {
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' '))
			n--;
		if (n)
			batch_line(cli, w, line, (size_t)n, &out);
	}
	free(line);
	sb_free(&out);
	if (f != stdin)
		fclose(f);
	return ERR_NONE;
}

/* ---- one question */

/* A policy without an enforcer matters where it would have denied what passes. */
static void warn_unenforced(struct cli *cli, struct world *w, const struct answer *answer, struct err *err)
{
	const struct settings *s = cluster_settings(w->cluster);

	for (uint32_t k = 0; k < answer->nr && s->cni != CNI_CALICO && !cli->enforce && cluster_count(w->cluster, &network_policy_kind); k++) {
		const struct outcome *o = answer->v[k].walk;
		struct reach_end from = { 0 }, to = { 0 };
		struct reach_why y;

		if (!o || answer->v[k].verdict != V_DELIVERED)
			continue;
		from = (struct reach_end){ find_pod_by_ip(w->cluster, o->there.as_seen.src), o->there.as_seen.src };
		to = (struct reach_end){ find_pod_by_ip(w->cluster, o->there.as_seen.dst), o->there.as_seen.dst };
		y = policy_why(w->cluster, &from, &to, o->there.as_seen.proto, o->there.as_seen.dport, cli->arena);
		if (y.allowed)
			continue;
		err_warn(err, NULL, "policies say otherwise, but the Pod network is %s, which enforces none: %s", cni_names[s->cni],
			 reach_why_sentence(&y, cli->args.v[0], cli->args.v[1], cli->arena));
		return;
	}
}

static bool write_capture(const char *path, const struct sb *bytes, struct err *err)
{
	return file_write(path, bytes) || err_add(err, ERR_INPUT, NULL, "--pcap: %s cannot be written: %s", path, strerror(errno));
}

/* Felix' chains hang on the host's end of each Pod's own interface; where Pods hang on a bridge there is none, and a walk could show nothing. */
static bool can_enforce(const struct cli *cli, struct world *w, struct err *err)
{
	const struct settings *s = cluster_settings(w->cluster);

	return s->cni == CNI_CALICO || !cli->enforce || streq(cli->enforce, "none") ||
		err_add(err, ERR_INPUT, NULL, "--enforce %s: the Pod network is %s, in which nobody enforces policies, so no packet meets them; podwire matrix --enforce %s --explain FROM TO says what they "
			"would decide, and --cni calico walks through the rules", cli->enforce, cni_names[s->cni], cli->enforce);
}

/* list: takes the answer as JSON, in place of the terminal; NULL: none. */
static enum err_kind ask(struct cli *cli, struct world *w, const char *from, const char *to, struct val *list, struct err *err)
{
	struct arena *a = cli->arena;
	struct question q;
	struct answer answer;
	struct sb out = { 0 };

	if (!can_enforce(cli, w, err) || !cli_question(cli, from, to, &q, err) || (cli->connection && !question_connection(w, cli->connection, &q, err)) || !put_question(cli, w, &q, a, &answer, err))
		return err_kind(err);
	if (list) {
		val_add(a, list, trace_json(w, &answer, a));
	} else if (cli_output_is(cli, "json")) {
		val_print_json(trace_json(w, &answer, a), &out, 2, false);
		sb_addc(&out, '\n');
	} else {
		trace_text(w, &answer, cli->verbose, &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_reset(&out);
	if (cli->pcap) {
		trace_pcapng(w, &answer, &out);
		write_capture(cli->pcap, &out, err);
	}
	sb_free(&out);
	warn_unenforced(cli, w, &answer, err);
	expected(cli->expect, w, &answer, a, err);
	return err_kind(err);
}

/* --each: the question of every Pod of the workload; as JSON a list of the answers. */
static enum err_kind ask_each(struct cli *cli, struct world *w, const char *from, const char *to, struct err *err)
{
	struct val *list = cli_output_is(cli, "json") ? val_new(cli->arena, VAL_LIST) : NULL;
	struct object_list pods;
	struct sb out = { 0 };
	struct end end;

	if (!end_parse(w->cluster, from, cli_ns(cli), &end, err))
		return err_kind(err);
	if (end.kind != END_WORKLOAD)
		return cli_usage(cli, err, "--each: \"%s\" is no workload, as deploy/NAME", from);
	pods = end_pods(w->cluster, &end, cli->arena, err);
	for (uint32_t k = 0; k < pods.nr && err_kind(err) != ERR_INPUT; k++) {
		const char *pod = arena_printf(cli->arena, "pod/%s/%s", pods.v[k]->ns, pods.v[k]->name);
		struct err own = { 0 };                 /* an answer that is not as expected ends no other */

		if (k && !list)
			fputc('\n', cli->to);
		ask(cli, w, pod, to, list, &own);
		err_wrap(&own, 0, "%s", pod);
		for (uint32_t i = 0; i < own.nr; i++)
			err_push(err, own.v[i]);
		own.nr = 0;
		err_free(&own);
	}
	if (list && pods.nr) {
		val_print_json(list, &out, 2, false);
		fprintf(cli->to, "%s\n", sb_text(&out));
	}
	sb_free(&out);
	return err_kind(err);
}

/* A real connection, and the kernel's own trace of its first packet. */
static enum err_kind in_kernel(struct cli *cli, struct live *live, struct world *w, struct err *err)
{
	struct question q;
	struct answer answer;
	struct nftrace t = { 0 };
	struct http_dial h;
	struct dial d;
	struct sb out = { 0 };
	bool http;

	if (!cli_question(cli, cli->args.v[0], cli->args.v[1], &q, err) || !question_ask(w, &q, cli->arena, &answer, err))
		return err_kind(err);
	http = answer.to.kind == END_URL;
	if (!(http ? verify_request_trace(live, w, &answer, cli->arena, &h, &t, err) : verify_trace(live, w, &answer, cli->arena, &d, &t, err)))
		return err_kind(err);
	if (cli_output_is(cli, "json")) {
		val_print_json(http ? kernel_http_json(w, &answer, &h, &t, cli->arena) : kernel_json(w, &answer, &d, &t, cli->arena), &out, 2, false);
		sb_addc(&out, '\n');
	} else if (http) {
		kernel_http_text(&h, &t, &out);
	} else {
		kernel_text(&d, &t, &out);
	}
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	return (http ? h.status != 0 : d.end == DIAL_CONNECTED) ? ERR_NONE : ERR_FAILED;
}

enum err_kind cmd_trace(struct cli *cli, struct err *err)
{
	struct capture c;
	struct world w;
	enum err_kind how;

	if (cli->batch || cli->connection ? cli->args.nr != 0 : cli->args.nr != 2)
		return cli_usage(cli, err, cli->batch ? "with --batch the questions come from the file" : cli->connection ? "a connection has its ends" : "trace needs two ends");
	if (cli->batch && cli->pcap)
		return cli_usage(cli, err, "--pcap takes one question, not a batch");
	if (cli->each && (cli->batch || cli->connection || cli->dataplane || cli->pcap || streq(cli->mode, "linux")))
		return cli_usage(cli, err, "--each asks in memory, of the Pods of a workload: without --batch, --connection, --dataplane, --pcap and --mode linux");
	if (cli->output && !cli_output_is(cli, "json") && !cli_output_is(cli, "text"))
		return cli_usage(cli, err, "-o: \"%s\" is not text or json", cli->output);
	if (cli->mode && strcmp(cli->mode, "linux") == 0) {
		if (cli->batch || cli->dataplane || cli->connection)
			return cli_usage(cli, err, "--mode linux takes two ends of the cluster, and no %s", cli->batch ? "--batch" : cli->dataplane ? "--dataplane" : "--connection");
		if (cli->pcap)
			return cli_usage(cli, err, "--pcap writes simulated packets, and with --mode linux there are none: leave --mode linux out, or capture the real ones by podwire exec NODE -- tcpdump -i any -w %s",
					 cli->pcap);
		return inside_do(cli, in_kernel, err);
	}
	if (cli->dataplane ? !captured_open(cli, &c, &w, err) : !cli_world(cli, &w, err))
		return err_kind(err);
	if (cli->batch)
		how = batch(cli, &w, err);
	else if (cli->each)
		how = ask_each(cli, &w, cli->args.v[0], cli->args.v[1], err);
	else
		how = ask(cli, &w, cli->args.nr ? cli->args.v[0] : NULL, cli->args.nr ? cli->args.v[1] : NULL, NULL, err);
	if (cli->dataplane)
		captured_close(&c, &w);
	else
		world_free(&w);
	return how;
}
