#include "sim/ask/dns_race.h"

#include <stdlib.h>

#define DNS_PORT 53
#define MUSL_ATTEMPTS 2

static bool has_option(const struct resolv_conf *r, const char *word)
{
	for (uint32_t k = 0; k < r->options.nr; k++)
		if (streq(r->options.v[k], word))
			return true;
	return false;
}

static nsec timeout_of(const struct resolv_conf *r)
{
	for (uint32_t k = 0; k < r->options.nr; k++)
		if (strncmp(r->options.v[k], "timeout:", 8) == 0 && atoi(r->options.v[k] + 8) > 0)
			return SECONDS(MIN(atoi(r->options.v[k] + 8), 30));     /* resolv.h RES_MAXRETRANS */
	return timing(T_RESOLVER_TIMEOUT);
}

/* The node that gives the packet its entry and another destination. */
static const struct hop *translated(const struct dataplane *dp, const struct half *there)
{
	for (uint32_t k = 0; k < there->nr_hops; k++) {
		const struct hop *h = &there->hops[k];

		if (netns_get(dp, h->netns)->kind == NS_NODE && h->stage == ST_PREROUTING && !ip_eq(h->before.dst, h->after.dst))
			return h;
	}
	return NULL;
}

bool dns_race(struct world *w, const char *from, const struct resolv_conf *conf, enum resolver lib, struct arena *a, struct dns_race *out, struct err *err)
{
	struct question q = { .from = from, .l4 = L4_UDP, .proto = PROTO_UDP, .flags = WALK_RECORD };
	struct answer *answer = arena_make(a, struct answer);
	const struct hop *h = NULL;
	ip_addr server;

	*out = (struct dns_race){ .again = lib == RESOLVER_MUSL ? timeout_of(conf) / MUSL_ATTEMPTS : timeout_of(conf) };
	if (lib == RESOLVER_GLIBC)
		out->never = has_option(conf, "single-request") || has_option(conf, "single-request-reopen") ? "glibc asks for A and AAAA one after the other (options single-request)" :
			     has_option(conf, "use-vc") ? "the resolver asks by TCP (options use-vc)" : NULL;
	if (!out->never && (!conf->nameservers.nr || !ip_parse(conf->nameservers.v[0], &server)))
		out->never = "there is no nameserver to ask";
	if (out->never)
		return true;
	q.to = arena_printf(a, ip_is4(server) ? "%s:%d" : "[%s]:%d", IP(server), DNS_PORT);
	if (!question_ask(w, &q, a, answer, err))
		return false;
	for (uint32_t k = 0; k < answer->nr; k++) {
		const struct hop *here = answer->v[k].walk ? translated(w->dp, &answer->v[k].walk->there) : NULL;

		h = h ? h : here;
		out->endpoints += here != NULL;
	}
	if (!h) {
		out->never = "no node translates the queries: without NAT two packets of one flow share its entry";
		return true;
	}
	out->netns = netns_get(w->dp, h->netns)->name;
	out->sent = h->before;
	out->server = arena_printf(a, ip_is4(h->after.dst) ? "%s:%u" : "[%s]:%u", IP(h->after.dst), h->after.dport);
	return true;
}
