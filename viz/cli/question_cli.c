/* A question from the command line: what trace asks, and what `draw trace` draws. */
#include <stdlib.h>
#include <strings.h>

#include "model/dataplane/packet.h"
#include "sim/ask/question.h"
#include "viz/cli/cli.h"

bool cli_question(struct cli *cli, const char *from, const char *to, struct question *q, struct err *err)
{
	static const struct { const char *name; enum l4 l4; uint8_t proto; } protocols[] = {
		{ "tcp", L4_TCP, PROTO_TCP }, { "udp", L4_UDP, PROTO_UDP }, { "sctp", L4_SCTP, PROTO_SCTP }, { "icmp", L4_NONE, PROTO_ICMP },
	};
	const char *protocol = cli->protocol ? cli->protocol : "tcp";

	*q = (struct question){ .from = from, .to = to, .ns = cli_ns(cli), .method = cli->method, .resolve = cli->resolve, .backend_answers = cli->backend_answers, .cert = cli->client_cert, .container = cli->container,
				.v4 = cli->v4, .v6 = cli->v6, .df = cli->df, .flags = WALK_RECORD };
	if (cli->draw)
		q->flags |= WALK_DRAW;
	if (cli->considered || cli->verbose)
		q->flags |= WALK_CONSIDERED;
	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcasecmp(protocol, protocols[k].name) == 0) {
			q->l4 = protocols[k].l4;
			q->proto = protocols[k].proto;
		}
	if (!q->proto)
		return err_add(err, ERR_INPUT, NULL, "--protocol: \"%s\" is not tcp, udp, sctp or icmp", protocol);
	if (cli->size) {
		char *end;
		unsigned long n = strtoul(cli->size, &end, 10);

		if (*end || n > 65507)
			return err_add(err, ERR_INPUT, NULL, "--size: \"%s\" is not a number of bytes up to 65507", cli->size);
		q->size = (uint32_t)n;
	}
	for (uint32_t k = 0; k < cli->headers.nr; k++) {
		const char *colon = strchr(cli->headers.v[k], ':');

		if (!colon)
			return err_add(err, ERR_INPUT, NULL, "-H: \"%s\" is not a header, as in 'Name: value'", cli->headers.v[k]);
		question_header(q, cli->arena, arena_strndup(cli->arena, cli->headers.v[k], (size_t)(colon - cli->headers.v[k])), colon + 1 + strspn(colon + 1, " "));
	}
	return true;
}
