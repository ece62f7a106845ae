/* compare --dataplane DIR -f OBJECTS: where what the nodes have departs from what the objects imply. Every Service port is asked for on every captured node, from a process
 * of the node and from outside, and what the node does with the packet is compared: verdict, destinations with their shares, masquerade. What happens behind the node is not. */
#include <stdlib.h>

#include "sim/ask/captured.h"
#include "viz/cli/captured.h"

struct comparing {
	struct cli *cli;
	struct capture c;
	struct world have, want;                /* the capture; the objects */
	uint32_t asked, unknown;
	struct sb *out;
	struct val *differs;
};

static const char *class_of(const struct outcome_view *o)
{
	switch (o->verdict) {
	case V_REJECTED: return "rejected";
	case V_DROPPED: return "dropped";
	case V_UNKNOWN: return "unknown";
	case V_UNRESOLVED:
	case V_DELIVERED:
	case V_REFUSED:
	case V_UNROUTABLE:
	case V_LOST:
	case V_COUNT: break;
	}
	return "sent on";
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What the node does, in one line: "1/2 sent on to 10.1.1.1:80 masqueraded, 1/2 …". */
static const char *doings(struct arena *a, const struct answer *w, bool *unknown)
{
	const char **v = arena_array(a, const char *, w->nr);
	struct sb b = { 0 };
	const char *s;

	for (uint32_t k = 0; k < w->nr; k++) {
		const struct outcome_view *o = &w->v[k];
		bool dnat = o->walk && o->walk->dnat;

		*unknown = *unknown || o->verdict == V_UNKNOWN;
		v[k] = arena_printf(a, "%" PRIu64 "/%" PRIu64 " %s%s%s%s%s", o->p.num, o->p.den, class_of(o), dnat ? " to " : "", dnat ? IP(o->walk->first_nat.dst) : "",
				    dnat ? arena_printf(a, ":%u", o->walk->first_nat.dport) : "", o->masqueraded ? ", masqueraded" : "");
	}
	qsort(v, w->nr, sizeof(*v), by_text);
	for (uint32_t k = 0; k < w->nr; k++)
		sb_printf(&b, "%s%s", k ? "; " : "", v[k]);
	s = arena_strdup(a, sb_text(&b));
	sb_free(&b);
	return s;
}

static void report(struct comparing *x, const struct service *s, const char *node, const char *from, const char *to, const char *want, const char *have)
{
	struct arena *a = x->cli->arena;
	struct val *v = val_add(a, x->differs, val_new(a, VAL_MAP));

	val_put(a, v, "service", val_string(a, arena_printf(a, "%s/%s", s->o.ns, s->o.name)));
	val_put(a, v, "node", val_string(a, node));
	val_put(a, v, "from", val_string(a, from));
	val_put(a, v, "to", val_string(a, to));
	val_put(a, v, "objects", val_string(a, want));
	val_put(a, v, "node_has", val_string(a, have));
	sb_printf(x->out, "Service %s/%s, %s → %s on %s\n  objects say  %s\n  node has     %s\n", s->o.ns, s->o.name, from, to, node, want, have);
}

static void ask(struct comparing *x, const struct service *s, const char *node, const char *from, const char *from_captured, ip_addr ip, uint16_t port, uint8_t protocol)
{
	struct arena *a = x->cli->arena;
	const char *to = arena_printf(a, ip_is4(ip) ? "%s:%u" : "[%s]:%u", IP(ip), port), *want, *have;
	struct question q = { .from = from, .to = to, .ns = "default", .l4 = protocol == PROTO_UDP ? L4_UDP : protocol == PROTO_SCTP ? L4_SCTP : L4_TCP, .proto = protocol };
	struct question qc = q;
	struct answer implied, captured;
	struct err err = { 0 };
	bool unknown = false;

	qc.from = from_captured;
	if (question_ask(&x->want, &q, a, &implied, &err) && captured_ask(&x->have, &qc, NULL, a, &captured, &err)) {
		want = doings(a, &implied, &unknown);
		have = doings(a, &captured, &unknown);
		x->asked++;
		if (unknown)
			x->unknown++;
		else if (strcmp(want, have) != 0)
			report(x, s, node, from, to, want, have);
	}
	err_free(&err);
}

static void ask_service(struct comparing *x, const struct service *s, const char *node)
{
	static const uint8_t protocols[] = { [L4_TCP] = PROTO_TCP, [L4_UDP] = PROTO_UDP, [L4_SCTP] = PROTO_SCTP };
	struct arena *a = x->cli->arena;
	const char *process = arena_printf(a, "node/%s", node), *outside = arena_printf(a, "ip/203.0.113.10@%s", node);

	for (uint32_t p = 0; p < s->ports.nr; p++) {
		uint8_t protocol = s->ports.v[p].protocol < ARRAY_LEN(protocols) && protocols[s->ports.v[p].protocol] ? protocols[s->ports.v[p].protocol] : PROTO_TCP;
		ip_addr ip;

		if (!ip_parse(s->cluster_ip ? s->cluster_ip : "", &ip) || !ip_is4(ip))
			continue;
		ask(x, s, node, process, process, ip, (uint16_t)s->ports.v[p].port, protocol);
		ask(x, s, node, outside, outside, ip, (uint16_t)s->ports.v[p].port, protocol);
		if (s->ports.v[p].node_port) {
			const struct node *n = (const struct node *)cluster_find(x->want.cluster, &node_kind, NULL, node);

			for (uint32_t k = 0; n && k < n->addresses.nr; k++)
				if (streq(n->addresses.v[k].type, "InternalIP") && ip_parse(n->addresses.v[k].address, &ip) && ip_is4(ip)) {
					ask(x, s, node, outside, outside, ip, (uint16_t)s->ports.v[p].node_port, protocol);
					break;
				}
		}
	}
}

static bool ask_all(struct comparing *x, struct err *err)
{
	struct object_list l = cluster_list(x->want.cluster, &service_kind);
	uint32_t nodes = 0;

	world_dataplane(&x->want);
	for (uint32_t k = 1; k < x->c.dp->netns.nr; k++) {
		const char *node = netns_get(x->c.dp, (netns_h){ k })->hostname;

		if (!cluster_find(x->want.cluster, &node_kind, NULL, node)) {
			err_warn(err, NULL, "the capture's node \"%s\" has no Node object: left out", node);
			continue;
		}
		nodes++;
		for (uint32_t i = 0; i < l.nr; i++)
			ask_service(x, (const struct service *)l.v[i], node);
	}
	return nodes || err_add(err, ERR_FAILED, NULL, "no captured node is a Node of the objects; captured nodes are named by their folder, file or prompt");
}

enum err_kind captured_compare(struct cli *cli, struct err *err)
{
	struct texts files = cli->files;
	struct comparing x = { .cli = cli };
	struct sb out = { 0 }, json = { 0 };

	if (cli->args.nr || !files.nr)
		return cli_usage(cli, err, "compare --dataplane DIR needs -f with the objects");
	cli->files.nr = 0;
	if (!captured_open(cli, &x.c, &x.have, err))
		return err_kind(err);
	cli->files = files;
	x.out = &out;
	x.differs = val_new(cli->arena, VAL_LIST);
	if (cli_world_from(cli, files.v, files.nr, &x.want, err)) {
		if (ask_all(&x, err)) {
			if (cli_output_is(cli, "json")) {
				struct val *v = val_new(cli->arena, VAL_MAP);

				val_put(cli->arena, v, "asked", val_int(cli->arena, x.asked));
				val_put(cli->arena, v, "unknown", val_int(cli->arena, x.unknown));
				val_put(cli->arena, v, "differs", x.differs);
				val_print_json(v, &json, 2, false);
				fprintf(cli->to, "%s\n", sb_text(&json));
			} else {
				fprintf(cli->to, "%s%u asked, %u differ, %u cannot be told\n", sb_text(&out), x.asked, x.differs->nr, x.unknown);
			}
			if (x.differs->nr)
				err_add(err, ERR_FAILED, NULL, "the nodes depart from what the objects imply");
			else if (x.unknown)
				err_add(err, ERR_UNKNOWN, NULL, "%u of %u connections cannot be told: podwire show capture says what is missing", x.unknown, x.asked);
		}
		world_free(&x.want);
	}
	sb_free(&out);
	sb_free(&json);
	captured_close(&x.c, &x.have);
	return err_kind(err);
}
