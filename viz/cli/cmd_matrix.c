/* matrix: who may reach whom by policy. A table, JSON, CSV, what a change adds and removes, and why. */
#include <stdlib.h>
#include <strings.h>

#include "sim/reachability/reach.h"
#include "viz/cli/cli.h"

#include "model/dataplane/packet.h"

struct asked { uint16_t port; uint8_t proto; const char *proto_word; ip_addr *external; uint32_t nr_external; };

static bool read_asked(struct cli *cli, struct asked *q, struct err *err)
{
	static const struct { const char *word; uint8_t proto; } protocols[] = { { "TCP", PROTO_TCP }, { "UDP", PROTO_UDP }, { "SCTP", PROTO_SCTP } };
	const char *protocol = cli->protocol ? cli->protocol : "tcp";
	char *rest;
	unsigned long port = strtoul(cli->port ? cli->port : "80", &rest, 10);

	*q = (struct asked){ 0 };
	if (*rest || port < 1 || port > 65535)
		return err_add(err, ERR_INPUT, NULL, "--port: \"%s\" is not a port", cli->port);
	q->port = (uint16_t)port;
	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcasecmp(protocol, protocols[k].word) == 0) {
			q->proto = protocols[k].proto;
			q->proto_word = protocols[k].word;
		}
	if (!q->proto)
		return err_add(err, ERR_INPUT, NULL, "--protocol: \"%s\" is not tcp, udp or sctp", protocol);
	for (const char *p = cli->with_external; p && *p;) {
		size_t n = strcspn(p, ",");
		ip_addr ip, *v;

		if (!ip_parse_n(p, n, &ip))
			return err_add(err, ERR_INPUT, NULL, "--with-external: \"%.*s\" is not an address", (int)n, p);
		v = arena_array(cli->arena, ip_addr, q->nr_external + 1);
		if (q->nr_external)
			memcpy(v, q->external, q->nr_external * sizeof(*v));
		v[q->nr_external++] = ip;
		q->external = v;
		p += n + (p[n] == ',');
	}
	return true;
}

/* allowed[from * nr + to] as bits of rows; the matrix itself is only made where it is printed. */
struct grid { uint32_t nr; bool *allowed; const char **names; };

static struct grid make_table(struct cli *cli, struct reach *r, const struct asked *q)
{
	struct grid t = { .nr = reach_nr(r) };

	t.allowed = arena_array(cli->arena, bool, (size_t)t.nr * t.nr);
	t.names = arena_array(cli->arena, const char *, t.nr + 1);
	for (uint32_t to = 0; to < t.nr; to++) {
		const uint64_t *row = reach_row(r, to, q->proto, q->port);

		t.names[to] = reach_name(r, to, cli->arena);
		for (uint32_t from = 0; from < t.nr; from++)
			t.allowed[(size_t)from * t.nr + to] = row[from / 64] >> (from % 64) & 1;
	}
	return t;
}

static void print_json(struct cli *cli, const struct grid *t, const struct asked *q, struct sb *out)
{
	sb_printf(out, "{\"port\": %u, \"protocol\": \"%s\", \"names\": [", q->port, q->proto_word);
	for (uint32_t k = 0; k < t->nr; k++) {
		sb_add(out, k ? ", " : "");
		json_quote(out, t->names[k]);
	}
	sb_add(out, "],\n \"allowed\": [");
	for (uint32_t k = 0; k < t->nr; k++) {
		sb_add(out, k ? ",\n  [" : "\n  [");
		for (uint32_t i = 0; i < t->nr; i++)
			sb_printf(out, "%s%s", i ? ", " : "", t->allowed[(size_t)k * t->nr + i] ? "true" : "false");
		sb_addc(out, ']');
	}
	sb_add(out, "]}\n");
	(void)cli;
}

static void print_csv(const struct grid *t, struct sb *out)
{
	sb_add(out, "from,to,allowed\n");
	for (uint32_t k = 0; k < t->nr; k++)
		for (uint32_t i = 0; i < t->nr; i++)
			sb_printf(out, "%s,%s,%s\n", t->names[k], t->names[i], t->allowed[(size_t)k * t->nr + i] ? "true" : "false");
}

static char cell(const struct grid *t, const struct grid *was, uint32_t from, uint32_t to)
{
	bool now = t->allowed[(size_t)from * t->nr + to], before = now;

	for (uint32_t k = 0; was && k < was->nr; k++)
		for (uint32_t i = 0; streq(was->names[k], t->names[from]) && i < was->nr; i++)
			if (streq(was->names[i], t->names[to]))
				before = was->allowed[(size_t)k * was->nr + i];
	return now == before ? now ? '.' : 'X' : now ? '+' : '-';
}

/* The destination's names stand above, numbered; a row is a source. */
static uint32_t print_text(const struct grid *t, const struct grid *was, const struct asked *q, struct sb *out)
{
	uint32_t changed = 0;

	sb_printf(out, "%s/%u   row: from, column: to   . allowed   X denied%s\n\n", q->proto_word, q->port, was ? "   + now allowed   - now denied" : "");
	for (uint32_t k = 0; k < t->nr; k++)
		sb_printf(out, "%4u  %s\n", k + 1, t->names[k]);
	sb_add(out, "\n     ");
	for (uint32_t k = 0; k < t->nr; k++)
		sb_printf(out, "%4u", k + 1);
	sb_addc(out, '\n');
	for (uint32_t k = 0; k < t->nr; k++) {
		sb_printf(out, "%4u ", k + 1);
		for (uint32_t i = 0; i < t->nr; i++) {
			char c = cell(t, was, k, i);

			changed += c == '+' || c == '-';
			sb_printf(out, "   %c", c);
		}
		sb_addc(out, '\n');
	}
	return changed;
}

static enum err_kind explain(struct cli *cli, struct cluster *c, struct reach *r, const struct asked *q, struct err *err)
{
	int64_t end[2];
	struct reach_why why;

	(void)c;
	if (cli->args.nr != 2)
		return cli_usage(cli, err, "--explain needs two ends, as NS/POD or an address");
	for (int k = 0; k < 2; k++) {
		const char *name = strncmp(cli->args.v[k], "pod/", 4) == 0 ? cli->args.v[k] + 4 : cli->args.v[k];

		end[k] = reach_find(r, name);
		if (end[k] < 0)
			end[k] = reach_find(r, arena_printf(cli->arena, "%s/%s", cli_ns(cli), name));
		if (end[k] < 0)
			return err_add(err, ERR_FAILED, NULL, "\"%s\" is neither a Pod (NS/NAME) nor an address of --with-external", cli->args.v[k]), ERR_FAILED;
	}
	why = reach_explain(r, (uint32_t)end[0], (uint32_t)end[1], q->proto, q->port, cli->arena);
	fprintf(cli->to, "%s → %s, %s/%u: %s\n", reach_name(r, (uint32_t)end[0], cli->arena), reach_name(r, (uint32_t)end[1], cli->arena), q->proto_word, q->port, why.allowed ? "allowed" : "denied");
	if (why.itself)
		fprintf(cli->to, "  a Pod always reaches itself\n");
	if (why.from_node)
		fprintf(cli->to, "  traffic from a Pod's own node is always let in\n");
	if (!why.nr)
		fprintf(cli->to, "  no policy selects either end\n");
	for (uint32_t k = 0; k < why.nr; k++) {
		const struct reach_reason *x = &why.v[k];

		fprintf(cli->to, "  %s NetworkPolicy %s/%s", x->dir == NP_EGRESS ? "egress " : "ingress", x->policy->o.ns, x->policy->o.name);
		if (x->policy->o.file)
			fprintf(cli->to, " (%s:%u)", x->policy->o.file, x->policy->o.line);
		if (x->allows >= 0)
			fprintf(cli->to, ": rule %d allows it\n", x->allows);
		else
			fprintf(cli->to, ": %s %s\n", x->nr ? x->v[0].path : "", x->nr ? x->v[0].text : "");
	}
	return why.allowed ? ERR_NONE : ERR_FAILED;
}

static enum err_kind answer(struct cli *cli, struct world *w, const struct asked *q, struct err *err)
{
	struct reach *r = reach_new(w->cluster, q->external, q->nr_external), *before = NULL;
	struct world other = { 0 };
	struct grid t, was = { 0 };
	struct sb out = { 0 };
	enum err_kind how = ERR_NONE;

	if (cli->explain) {
		how = explain(cli, w->cluster, r, q, err);
		reach_free(r);
		return how;
	}
	if (reach_nr(r) > 5000) {
		reach_free(r);
		return cli_usage(cli, err, "a table of more than 5,000 ends is no answer: ask with --explain FROM TO");
	}
	t = make_table(cli, r, q);
	if (cli->diff) {
		if (!cli_world_from(cli, &cli->diff, 1, &other, err)) {
			reach_free(r);
			return err_kind(err);
		}
		before = reach_new(other.cluster, q->external, q->nr_external);
		was = make_table(cli, before, q);
	}
	if (cli_output_is(cli, "json"))
		print_json(cli, &t, q, &out);
	else if (cli_output_is(cli, "csv"))
		print_csv(&t, &out);
	else if (print_text(&t, cli->diff ? &was : NULL, q, &out) && cli->diff)
		how = ERR_FAILED;
	fputs(sb_text(&out), cli->to);
	sb_free(&out);
	reach_free(before);
	reach_free(r);
	if (cli->diff)
		world_free(&other);
	return how;
}

enum err_kind cmd_matrix(struct cli *cli, struct err *err)
{
	struct world w;
	struct asked q;
	enum err_kind how;

	if (!read_asked(cli, &q, err) || !cli_world(cli, &w, err))
		return err_kind(err);
	if (cluster_count(w.cluster, &network_policy_kind) && cluster_settings(w.cluster)->cni != CNI_CALICO)
		err_warn(err, NULL, "the Pod network is %s, which enforces no NetworkPolicy: this is what the policies say, not what happens", cni_names[cluster_settings(w.cluster)->cni]);
	how = answer(cli, &w, &q, err);
	world_free(&w);
	return how;
}
