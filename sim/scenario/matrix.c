/* The matrix of a step: who may reach whom by policy, between the Pods of its selector and addresses outside. */
#include "sim/scenario/play.h"
#include "sim/reachability/reach.h"

static bool read_port(struct cluster *c, const struct matrix_doc *m, uint16_t *port, uint8_t *proto, struct err *err)
{
	static const struct { const char *word; uint8_t proto; } protocols[] = { { "tcp", PROTO_TCP }, { "udp", PROTO_UDP }, { "sctp", PROTO_SCTP } };

	(void)c;
	*proto = 0;
	for (size_t k = 0; k < ARRAY_LEN(protocols); k++)
		if (strcasecmp(m->protocol ? m->protocol : "tcp", protocols[k].word) == 0)
			*proto = protocols[k].proto;
	*port = m->port.set ? (uint16_t)m->port.i : 80;
	if (!*proto)
		return err_add(err, ERR_INPUT, NULL, "protocol: \"%s\" is not tcp, udp or sctp", m->protocol);
	return (!m->port.s && m->port.i >= 0 && m->port.i <= 65535) || err_add(err, ERR_INPUT, NULL, "port: a number from 1 to 65535 was expected");
}

static bool takes_part(const struct matrix_doc *m, const struct reach_end *e, bool outside)
{
	if (outside)
		return true;
	return (!m->ns || streq(m->ns, e->pod->o.ns)) && pairs_match(&m->labels, &e->pod->o.labels);
}

bool matrix_make(void *ctx, struct world *w, const struct matrix_doc *m, const char *ns, struct arena *a, struct matrix_table *out, struct err *err)
{
	ip_addr *outside = arena_array(a, ip_addr, m->with_external.nr + 1);
	struct reach *r;
	uint32_t *end, all;
	uint16_t port;
	uint8_t proto;

	(void)ctx;
	(void)ns;
	for (uint32_t k = 0; k < m->with_external.nr; k++)
		if (!ip_parse(m->with_external.v[k], &outside[k]))
			return err_add(err, ERR_INPUT, NULL, "withExternal: \"%s\" is not an address", m->with_external.v[k]);
	if (!read_port(w->cluster, m, &port, &proto, err))
		return false;
	r = reach_new(w->cluster, outside, m->with_external.nr);
	all = reach_nr(r);
	end = arena_array(a, uint32_t, all + 1);
	*out = (struct matrix_table){ .names = arena_array(a, const char *, all + 1) };
	for (uint32_t k = 0; k < all; k++)
		if (takes_part(m, reach_end(r, k), k >= all - m->with_external.nr)) {
			out->names[out->nr] = reach_name(r, k, a);
			end[out->nr++] = k;
		}
	out->allowed = arena_array(a, bool, (size_t)out->nr * out->nr);
	for (uint32_t to = 0; to < out->nr; to++) {
		const uint64_t *row = reach_row(r, end[to], proto, port);

		for (uint32_t from = 0; from < out->nr; from++)
			out->allowed[(size_t)from * out->nr + to] = row[end[from] / 64] >> (end[from] % 64) & 1;
	}
	reach_free(r);
	return out->nr || err_add(err, ERR_FAILED, NULL, "no Pod takes part in the matrix");
}
