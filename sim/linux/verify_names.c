/* Names: what a resolver in a Pod really gets, against what the model answers. */
#include <stdio.h>
#include <stdlib.h>

#include "sim/linux/names.h"

#define WAIT     SECONDS(1)
#define BY_TCP   8                      /* one in so many is asked by TCP, one after another: only where it arrives */

/* Who may ask: a Pod, or a node, with a name server of the cluster; and whether queries get there. */
struct asker { const struct space *space; ip_addr server; bool outside /* the server is none of the cluster's */, arrives[2], lost[2], unknown; /* by UDP, by TCP; both: it depends on the choice */ };
struct naming {
	struct live *live;
	struct world *w;
	const struct zone *outside;
	struct arena *arena;
	struct verified *out;
	struct err *err;
};

/* Its first name server, if that is cluster DNS, or stands on the router. */
static bool first_server(struct naming *x, const struct resolv_conf *conf, struct asker *out)
{
	const struct settings *s = cluster_settings(x->w->cluster);
	const struct space *router = live_find(x->live, "router");

	if (!conf->nameservers.nr || !ip_parse(conf->nameservers.v[0], &out->server))
		return false;
	for (uint32_t k = 0; k < s->cluster_dns.nr; k++)
		if (streq(conf->nameservers.v[0], s->cluster_dns.v[k]))
			return true;
	for (uint32_t k = 0; router && k < router->now.addrs.nr; k++)
		out->outside = out->outside || ip_eq(router->now.addrs.v[k].ip, out->server);
	return out->outside;
}

static void see_way(struct naming *x, struct asker *a)
{
	for (int tcp = 0; tcp < 2; tcp++) {
		struct arena *scratch = arena_new(NULL, "walk");
		struct walk_from from = { .from = a->space->ns, .t = { .dst = a->server, .dport = 53, .proto = tcp ? PROTO_TCP : PROTO_UDP } };
		struct trace t = walk(x->w->dp, flows_new(scratch, 0, 1), &from, 0, scratch);
		struct ways ways = ways_of(x->w->dp, a->space->ns, &t, scratch);

		a->unknown = a->unknown || ways.unknown;
		for (uint32_t k = 0; k < ways.nr; k++) {
			if (ways.v[k].end == DIAL_CONNECTED && ip_is_loopback(ways.v[k].at))
				continue;               /* the Pod's own sidecar took it: what becomes of it there is no question of names */
			a->arrives[tcp] = a->arrives[tcp] || ways.v[k].end == DIAL_CONNECTED;
			a->lost[tcp] = a->lost[tcp] || ways.v[k].end != DIAL_CONNECTED;
		}
		arena_free(scratch);
	}
}

static bool make_asker(struct naming *x, const struct space *s, struct asker *out)
{
	const struct netns *ns = s && s->ns.i ? netns_get(x->w->dp, s->ns) : NULL;
	const struct object *o = ns && ns->kind == NS_POD && ns->object ? obj_get(x->w->cluster, (obj_h){ ns->object }) : NULL;
	struct resolv_conf conf;

	*out = (struct asker){ .space = s };
	if (!ns || ns->down || (ns->node.i && netns_get(x->w->dp, ns->node)->down) || (ns->kind != NS_NODE && (!o || o->kind != &pod_kind)))
		return false;
	conf = o ? dns_resolv_conf(x->w->cluster, (const struct pod *)o, x->arena) : dns_node_resolv_conf(x->w->cluster, x->arena);
	if (!first_server(x, &conf, out))
		return false;
	see_way(x, out);
	return true;
}

static const char *expected(struct naming *x, const struct asker *a, const struct name_ask *q, bool *fits)
{
	struct dns_answer want = a->outside ? zone_query(x->outside, q->name, q->type, x->arena) : dns_query(x->w->cluster, x->outside, q->name, q->type, x->arena);
	bool answered = q->end == DIAL_CONNECTED, right = answered && dns_same_answer(&want, &q->answer, q->type);

	*fits = right ? a->arrives[q->tcp] : !answered && a->lost[q->tcp];
	if (a->arrives[q->tcp])
		return arena_printf(x->arena, "%s%s", dns_answer_text(&want, x->arena), a->lost[q->tcp] ? ", or no answer" : "");
	return "no answer";
}

/* What is not as expected is told, or (told false) left to be asked again. */
static bool judge(struct naming *x, const struct asker *a, const struct name_ask *q, bool told)
{
	const char *walk;
	bool fits;

	walk = expected(x, a, q, &fits);
	x->out->names.asked += fits || told;
	x->out->names.agreed += fits;
	if (fits || !told)
		return fits;
	vec_add(x->arena, &x->out->differences, (struct difference){
		.what = arena_printf(x->arena, "%s asks %s for %s %s by %s", q->from->name, IP(q->server), dns_type_names[q->type], q->name, q->by_tcp ? "TCP" : "UDP"),
		.walk = walk, .kernel = q->end == DIAL_CONNECTED ? dns_answer_text(&q->answer, x->arena) : dial_end_names[q->end] });
	return false;
}

static bool ask_and_judge(struct naming *x, struct name_ask *v, const struct asker **who, uint32_t nr)
{
	struct name_ask *again = arena_array(x->arena, struct name_ask, nr);
	const struct asker **whose = arena_array(x->arena, const struct asker *, nr);
	uint32_t nr_again = 0;

	if (!names_ask(x->live, v, nr, x->arena, x->err))
		return false;
	for (uint32_t k = 0; k < nr; k++) {
		if (judge(x, who[k], &v[k], false))
			continue;
		again[nr_again] = v[k];
		again[nr_again].wait = VERIFY_PATIENCE;
		whose[nr_again++] = who[k];
	}
	if (nr_again && !names_ask(x->live, again, nr_again, x->arena, x->err))
		return false;
	for (uint32_t k = 0; k < nr_again; k++)
		judge(x, whose[k], &again[k], true);
	return true;
}

static bool begin(struct naming *x)
{
	const char *text = cluster_settings(x->w->cluster)->flags->zone;

	world_dataplane(x->w);
	x->outside = text ? zone_parse(x->arena, text, x->err) : NULL;
	return !err_any(x->err);
}

#define FROM_OUTSIDE 6u         /* names that each asks whose server is none of the cluster's */

bool verify_names(struct live *live, struct world *w, const struct verify_options *opt, struct arena *a, struct verified *out, struct err *err)
{
	struct naming x = { .live = live, .w = w, .arena = a, .out = out, .err = err };
	struct dns_names names;
	struct asker *askers = arena_array(a, struct asker, live->spaces.nr + 1), *outside = arena_array(a, struct asker, live->spaces.nr + 1), one;
	uint32_t nr_askers = 0, nr_outside = 0, nr = 0, inside, all;
	uint64_t take;
	struct name_ask *v;
	const struct asker **who;
	nsec from = dial_clock();

	if (!begin(&x))
		return false;
	for (uint32_t k = 0; k < live->spaces.nr; k++)
		if (make_asker(&x, live->spaces.v[k], &one) && !one.unknown)
			*(one.outside ? &outside[nr_outside++] : &askers[nr_askers++]) = one;
	if (!live->zone.wanted)
		return true;
	names = dns_names(w->cluster, x.outside, a);
	inside = nr_askers ? names.nr : 0;
	all = inside + (names.nr ? nr_outside * FROM_OUTSIDE : 0);
	v = arena_array(a, struct name_ask, all);
	who = arena_array(a, const struct asker *, all);
	take = opt->sample ? MIN(opt->sample, all) : all;
	for (uint32_t k = 0, left = all; k < all; k++, left--) {
		uint64_t luck = hash_mix(opt->seed, k);
		uint32_t name = k < inside ? k : (uint32_t)(hash_mix(luck, 2) % names.nr);

		if (!take || luck % left >= take)
			continue;
		take--;
		who[nr] = k < inside ? &askers[hash_mix(luck, 1) % nr_askers] : &outside[(k - inside) % nr_outside];
		v[nr] = (struct name_ask){ .from = who[nr]->space, .server = who[nr]->server, .name = names.v[name].name, .type = names.v[name].type,
					   .tcp = who[nr]->arrives[1] && (luck >> 8) % BY_TCP == 0, .wait = WAIT };
		nr++;
	}
	if (!ask_and_judge(&x, v, who, nr))
		return false;
	out->names.ms = (double)(dial_clock() - from) / 1e6;
	return true;
}

bool verify_lookup(struct live *live, struct world *w, const struct pod *p, const struct dns_lookup *l, struct arena *a, struct verified *out, struct err *err)
{
	struct naming x = { .live = live, .w = w, .arena = a, .out = out, .err = err };
	struct name_ask *v = arena_array(a, struct name_ask, l->nr + 1);
	const struct asker **who = arena_array(a, const struct asker *, l->nr + 1);
	const struct settings *s = cluster_settings(w->cluster);
	struct asker asker = { 0 };
	bool can = begin(&x);

	if (p) {
		const char *name = pod_sockets_name(p, a);
		struct resolv_conf conf = dns_resolv_conf(w->cluster, p, a);

		asker.space = live_find(live, name);
		can = can && asker.space && first_server(&x, &conf, &asker);
	} else {
		for (uint32_t k = 0; k < live->spaces.nr && !asker.space; k++)
			if (live->spaces.v[k] && live->spaces.v[k]->kind == NS_NODE)
				asker.space = live->spaces.v[k];
		can = can && asker.space && s->cluster_dns.nr && ip_parse(s->cluster_dns.v[0], &asker.server);
	}
	if (!can)
		return err_any(err) ? false : err_add(err, ERR_UNKNOWN, NULL, "the kernel cannot be asked: its resolv.conf names a server that is not here");
	asker.lost[0] = l->nr && (l->v[0].answer.rcode == DNS_TIMEOUT || l->v[0].answer.rcode == DNS_UNREACHABLE);
	asker.arrives[0] = !asker.lost[0];
	for (uint32_t k = 0; k < l->nr; k++) {
		who[k] = &asker;
		v[k] = (struct name_ask){ .from = asker.space, .server = asker.server, .name = l->v[k].name, .type = l->v[k].type, .wait = WAIT };
	}
	return ask_and_judge(&x, v, who, l->nr);
}
