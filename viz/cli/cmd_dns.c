/* dns FROM [NAME]: what a Pod's resolver asks, and what cluster DNS answers; without a name, the Pod's resolv.conf. */
#include <strings.h>

#include "model/dns/dns.h"
#include "sim/ask/dns_race.h"
#include "sim/ask/names.h"
#include "viz/cli/cli.h"

static struct val *texts(struct arena *a, const str_list *l)
{
	struct val *v = val_new(a, VAL_LIST);

	for (uint32_t k = 0; k < l->nr; k++)
		val_add(a, v, val_string(a, l->v[k]));
	return v;
}

static void print(struct cli *cli, const struct val *v)
{
	struct sb out = { 0 };

	val_print_json(v, &out, 2, false);
	fprintf(cli->to, "%s\n", sb_text(&out));
	sb_free(&out);
}

static void print_conf(struct cli *cli, const struct resolv_conf *r)
{
	struct val *v = val_new(cli->arena, VAL_MAP);

	if (cli_output_is(cli, "json")) {
		val_put(cli->arena, v, "nameservers", texts(cli->arena, &r->nameservers));
		val_put(cli->arena, v, "searches", texts(cli->arena, &r->searches));
		val_put(cli->arena, v, "options", texts(cli->arena, &r->options));
		print(cli, v);
		return;
	}
	if (r->searches.nr) {
		fputs("search", cli->to);
		for (uint32_t k = 0; k < r->searches.nr; k++)
			fprintf(cli->to, " %s", r->searches.v[k]);
		fputc('\n', cli->to);
	}
	for (uint32_t k = 0; k < r->nameservers.nr; k++)
		fprintf(cli->to, "nameserver %s\n", r->nameservers.v[k]);
	for (uint32_t k = 0; k < r->options.nr; k++)
		fprintf(cli->to, "%s%s%s", k ? " " : "options ", r->options.v[k], k + 1 == r->options.nr ? "\n" : "");
}

static const char *rcode_of(const struct dns_answer *x)
{
	return x->unknown ? "UNKNOWN" : dns_rcode_names[x->rcode];
}

static void print_lookup(struct cli *cli, const struct dns_lookup *l)
{
	struct arena *a = cli->arena;
	struct val *v = val_new(a, VAL_MAP), *queries = val_put(a, v, "queries", val_new(a, VAL_LIST));

	for (uint32_t k = 0; k < l->nr; k++) {
		const struct dns_query_done *q = &l->v[k];
		struct val *one = val_add(a, queries, val_new(a, VAL_MAP));

		val_put(a, one, "name", val_string(a, q->name));
		val_put(a, one, "type", val_string(a, dns_type_names[q->type]));
		val_put(a, one, "rcode", val_string(a, rcode_of(&q->answer)));
		val_put(a, one, "answers", texts(a, &q->answer.answers));
		if (cli_output_is(cli, "json"))
			continue;
		fprintf(cli->to, "%3u  %-60s %-5s %s\n", k + 1, q->name, dns_type_names[q->type], rcode_of(&q->answer));
		for (uint32_t i = 0; i < q->answer.cname.nr; i++)
			fprintf(cli->to, "       CNAME %s\n", q->answer.cname.v[i]);
		for (uint32_t i = 0; i < q->answer.answers.nr; i++)
			fprintf(cli->to, "       %s\n", q->answer.answers.v[i]);
	}
	if (!l->nr && l->result.answers.nr && !cli_output_is(cli, "json")) {
		fprintf(cli->to, "  -  %-60s %-5s nobody is asked\n", HOSTS_FILE, "");
		for (uint32_t i = 0; i < l->result.answers.nr; i++)
			fprintf(cli->to, "       %s\n", l->result.answers.v[i]);
	}
	val_put(a, v, "rcode", val_string(a, rcode_of(&l->result)));
	val_put(a, v, "answers", texts(a, &l->result.answers));
	val_put(a, v, "cname", texts(a, &l->result.cname));
	if (cli_output_is(cli, "json"))
		print(cli, v);
}

/* With --kernel udp-clash=drop: what becomes of two queries that leave together. */
static void print_race(struct cli *cli, const struct dns_race *r)
{
	if (r->never) {
		fprintf(cli->to, "\nno race    %s\n", r->never);
		return;
	}
	fprintf(cli->to, "\nrace       A and AAAA leave together from one socket: %s:%u → %s:%u, twice\n", IP(r->sent.src), r->sent.sport, IP(r->sent.dst), r->sent.dport);
	fprintf(cli->to, "           %s translates each for itself (%s%s), for neither is in conntrack yet\n", r->netns, r->server, r->endpoints > 1 ? ", or another endpoint" : "");
	fprintf(cli->to, "           the one that is entered second finds the place taken: insert_failed, dropped\n");
	fprintf(cli->to, "           the resolver waits %gs for its answer and asks again\n", (double)r->again / 1e9);
	fprintf(cli->to, "           mended by Linux 5.7 (5.0 where both go to one endpoint), options single-request-reopen (glibc), or a NodeLocal DNSCache, which is not translated\n");
}

static bool read_type(struct cli *cli, enum dns_type *type, bool *known, struct err *err)
{
	*type = cli->v6 ? DNS_AAAA : DNS_A;
	*known = true;
	if (!cli->type)
		return true;
	for (enum dns_type t = 0; t < DNS_TYPE_COUNT; t++)
		if (strcasecmp(cli->type, dns_type_names[t]) == 0) {
			*type = t;
			return true;
		}
	return err_add(err, ERR_INPUT, NULL, "--type: \"%s\" is not A, AAAA, SRV, PTR, CNAME, TXT or NS", cli->type);
}

static enum err_kind ask(struct cli *cli, struct world *w, struct err *err)
{
	const char *from = cli->args.v[0], *name = cli->args.nr > 1 ? cli->args.v[1] : NULL;
	enum resolver lib = cli->resolver && strcmp(cli->resolver, "musl") == 0 ? RESOLVER_MUSL : RESOLVER_GLIBC;
	const struct settings *s = cluster_settings(w->cluster);
	struct zone *zone = s->flags->zone ? zone_parse(cli->arena, s->flags->zone, err) : NULL;
	struct resolv_conf conf = { 0 };
	struct dns_lookup l = { 0 };
	struct end end;
	enum dns_type type;
	struct source source;
	struct names names = { 0 };
	bool known;

	if (err_any(err) || !read_type(cli, &type, &known, err))
		return err_kind(err);
	if (strcmp(from, "cluster") == 0) {
		if (!name)
			return cli_usage(cli, err, "cluster DNS itself has no resolv.conf: give a name");
		l.v = arena_make(cli->arena, struct dns_query_done);
		l.nr = 1;
		l.v[0] = (struct dns_query_done){ name, type, dns_query(w->cluster, zone, name, type, cli->arena) };
		l.result = l.v[0].answer;
		names.why = names_untold(w, &l);
	} else {
		struct pod *p;

		if (!end_parse(w->cluster, from, cli_ns(cli), &end, err))
			return err_kind(err);
		if (end.kind != END_POD && end.kind != END_WORKLOAD)
			return cli_usage(cli, err, "\"%s\": names are asked by a Pod, or by the word cluster", from);
		p = end_pod(w->cluster, &end, err);
		if (!p)
			return err_kind(err);
		conf = dns_resolv_conf(w->cluster, p, cli->arena);
		if (!name) {
			print_conf(cli, &conf);
			return ERR_NONE;
		}
		source = names_source(w, p);
		names = names_resolve(w, &source, &conf, lib, name, type, cli->arena);
		l = names.l;
	}
	print_lookup(cli, &l);
	if (!names.why && l.result.unknown)
		names = (struct names){ .unknown = true, .why = l.result.unknown };
	if (names.why)
		err_add(err, names.unknown ? ERR_UNKNOWN : ERR_FAILED, NULL, "%s", names.why);
	if (conf.nameservers.nr && !cli->type && s->kernel.clash_drop && !cli_output_is(cli, "json")) {
		struct dns_race race;

		if (dns_race(w, from, &conf, lib, cli->arena, &race, err))
			print_race(cli, &race);
	}
	return err_any(err) ? err_kind(err) : l.result.answers.nr ? ERR_NONE : ERR_FAILED;
}

enum err_kind cmd_dns(struct cli *cli, struct err *err)
{
	struct world w;
	enum err_kind how;

	if (cli->args.nr < 1 || cli->args.nr > 2)
		return cli_usage(cli, err, "dns needs who asks, and a name");
	if (cli->args.nr == 2 && !*cli->args.v[1])
		return cli_usage(cli, err, "dns: the name is empty");
	if (cli->resolver && strcmp(cli->resolver, "glibc") != 0 && strcmp(cli->resolver, "musl") != 0)
		return cli_usage(cli, err, "--resolver: \"%s\" is not glibc or musl", cli->resolver);
	if (!cli_world(cli, &w, err))
		return err_kind(err);
	how = ask(cli, &w, err);
	world_free(&w);
	return how;
}
