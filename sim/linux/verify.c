/* Real connections against the walk: from every Pod, every node and the client to every port of every Service by every address that it has, to Pods and to nodes; or to
 * a sample of these. Where chance decides, each is made again until all ways that the walk allows have been seen. */
#include "sim/linux/verify.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/api/core.h"
#include "sim/linux/features.h"

#define PARALLEL 256u
#define ONE_SYN  MILLIS(900)            /* one packet, one choice: TCP sends its second SYN after a second */
#define LOSSY_TRIES 6u                  /* of a connection over a link that loses some packets */
#define TWO_SYNS MILLIS(1400)           /* an ICMP error for the first may be lost: the socket was locked */

struct asked_end { ip_addr ip; uint16_t port; uint8_t proto; const char *text; bool affinity, some; /* affinity: the first choice holds; some: not all ways need be seen */ };
struct connection { const struct space *from; ip_addr src; struct asked_end to; struct ways ways; uint32_t seen; uint32_t tries; uint32_t size; bool df, done, failed; ip_addr stays; double lost; /* by a link that loses some: the share */ };
struct verifying {
	struct live *live;
	struct world *w;
	const struct verify_options *opt;
	struct arena *arena;
	struct verified *out;
	struct dialer dialer;
	bool lossy;                             /* there are links that lose some packets */
	VEC(struct asked_end) targets;
	VEC(struct connection) pairs;
	struct { double expected, spread; uint32_t lost, tries; } losses;    /* of tries over links that lose some */
	struct err *err;
};

/* ---- whom to ask */

static uint8_t l4_proto(uint8_t l4)
{
	return l4 == L4_UDP ? PROTO_UDP : l4 == L4_SCTP ? PROTO_SCTP : PROTO_TCP;
}

static void add_target(struct verifying *v, ip_addr ip, int32_t port, uint8_t proto, bool affinity, const char *text)
{
	if (ip_set(ip) && port > 0)
		vec_add(v->arena, &v->targets, (struct asked_end){ ip, (uint16_t)port, proto, text, affinity, false });
}

static void node_ports(struct verifying *v, const struct service *s, const struct svc_port *p, bool affinity)
{
	struct object_list nodes = cluster_list(v->w->cluster, &node_kind);

	for (uint32_t k = 0; k < nodes.nr; k++) {
		const struct node *n = (const struct node *)nodes.v[k];

		for (uint32_t i = 0; i < n->addresses.nr; i++) {
			ip_addr ip;

			if (streq(n->addresses.v[i].type, "InternalIP") && n->addresses.v[i].address && ip_parse(n->addresses.v[i].address, &ip))
				add_target(v, ip, p->node_port, l4_proto(p->protocol), affinity, arena_printf(v->arena, "NodePort %s/%s on node/%s", s->o.ns, s->o.name, n->o.name));
		}
	}
}

static void service_targets(struct verifying *v, const struct service *s)
{
	bool affinity = streq(s->affinity, "ClientIP");
	ip_addr ip;

	for (uint32_t k = 0; service_has_vip(s) && k < s->ports.nr; k++) {
		const struct svc_port *p = &s->ports.v[k];
		uint8_t proto = l4_proto(p->protocol);

		for (uint32_t i = 0; i < MAX(s->cluster_ips.nr, 1u); i++) {
			const char *text = s->cluster_ips.nr ? s->cluster_ips.v[i] : s->cluster_ip;

			if (text && ip_parse(text, &ip))
				add_target(v, ip, p->port, proto, affinity, arena_printf(v->arena, "svc/%s/%s", s->o.ns, s->o.name));
		}
		for (uint32_t i = 0; i < s->external_ips.nr; i++)
			if (ip_parse(s->external_ips.v[i], &ip))
				add_target(v, ip, p->port, proto, affinity, arena_printf(v->arena, "external address of svc/%s/%s", s->o.ns, s->o.name));
		for (uint32_t i = 0; i < s->lb_ingress.nr; i++)
			if (s->lb_ingress.v[i].ip && ip_parse(s->lb_ingress.v[i].ip, &ip))
				add_target(v, ip, p->port, proto, affinity, arena_printf(v->arena, "lb/%s/%s", s->o.ns, s->o.name));
		if (p->node_port)
			node_ports(v, s, p, affinity);
	}
}

static void own_targets(struct verifying *v, const struct space *s)
{
	const struct netns *ns = netns_get(v->w->dp, s->ns);
	ip_addr ip = { 0, 0 };
	bool any = false;

	for (uint32_t k = 0; k < s->now.addrs.nr && !ip_set(ip); k++)
		if (s->now.addrs.v[k].index != 1 && !ip_is_linklocal(s->now.addrs.v[k].ip))
			ip = s->now.addrs.v[k].ip;
	for (uint32_t k = 0; k < ns->listeners.nr; k++) {
		const struct listener *l = &ns->listeners.v[k];

		any = any || l->kind == LISTEN_ANY;
		if (l->kind == LISTEN_PORT && !ip_set(l->addr))
			add_target(v, ip, l->port, l->proto, false, s->name);
	}
	add_target(v, ip, any ? 80 : 9, PROTO_TCP, false, s->name);             /* an open port of those that listen anywhere; a closed one of others */
}

static void add_pairs(struct verifying *v)
{
	struct object_list services = cluster_list(v->w->cluster, &service_kind);
	uint64_t total, take;

	for (uint32_t k = 0; k < services.nr; k++)
		service_targets(v, (const struct service *)services.v[k]);
	for (uint32_t k = 0; k < v->live->spaces.nr; k++)
		if (v->live->spaces.v[k] && v->live->spaces.v[k]->kind != NS_ROUTER)
			own_targets(v, v->live->spaces.v[k]);
	total = (uint64_t)v->targets.nr * v->live->spaces.nr;
	take = v->opt->sample ? v->opt->sample : total;
	for (uint64_t n = 0, left = total; n < total; n++, left--) {            /* each with the chance that is left to it (Knuth 3.4.2, S) */
		const struct space *s = v->live->spaces.v[n / v->targets.nr];
		const struct netns *ns = s && s->ns.i ? netns_get(v->w->dp, s->ns) : NULL;

		if (!take || hash_mix(v->opt->seed, n) % left >= take)
			continue;
		take--;
		if (!ns || s->kind == NS_ROUTER || ns->down || (ns->node.i && netns_get(v->w->dp, ns->node)->down))
			continue;
		vec_push(v->arena, &v->pairs)->from = s;
		v->pairs.v[v->pairs.nr - 1].to = v->targets.v[n % v->targets.nr];
	}
}

/* ---- the walk's answers */

static struct walk_from question(const struct connection *p)
{
	return (struct walk_from){ .from = p->from->ns, .t = { .src = p->src, .dst = p->to.ip, .dport = p->to.port, .proto = p->to.proto } };
}

static bool has_family(const struct space *s, bool four)
{
	for (uint32_t k = 0; k < s->now.addrs.nr; k++)
		if (ip_is4(s->now.addrs.v[k].ip) == four && !ip_is_linklocal(s->now.addrs.v[k].ip))
			return true;
	return false;
}

/* Ends that listen wherever they are asked: somebody of ours listens there. */
static bool open_assumed(struct verifying *v, const struct trace *t)
{
	for (uint32_t k = 0; k < t->nr; k++) {
		const struct outcome *o = &t->v[k];
		struct space *s = o->listener && o->listener->kind == LISTEN_ANY && o->there.end.i ? live_find(v->live, netns_get(v->w->dp, o->there.end)->name) : NULL;

		if (s && !dialer_answer_at(&v->dialer, s, o->there.as_seen.proto, o->there.as_seen.dport, v->err))
			return false;
	}
	return true;
}

bool verify_lossy(const struct dataplane *dp)
{
	for (uint32_t k = 1; k < dp->nr_links; k++) {
		const struct link *l = link_get(dp, (link_h){ k });

		if (l->loss_permille && l->loss_permille < 1000)
			return true;
	}
	return false;
}

void verify_not_asked(struct verify_part *p, const char *why)
{
	if (!p->not_asked++)
		p->why_not = why;
}

static void count(struct verifying *v, struct connection *p)
{
	p->done = p->ways.unknown;
	if (p->ways.unknown)
		verify_not_asked(&v->out->connections, p->ways.why);
	else
		v->out->connections.asked++;
}

static double lost_share(const struct trace *t)
{
	double share = 0;

	for (uint32_t k = 0; k < t->nr; k++) {
		const struct outcome *o = &t->v[k];

		if (o->there.verdict == V_LOST || (o->there.verdict == V_DELIVERED && o->back.verdict == V_LOST))
			share += frac_value(o->p);
	}
	return share;
}

static bool walk_all(struct verifying *v)
{
	struct arena *scratch = arena_new(NULL, "walk");
	bool ok = true, sctp = feature_there(FEATURE_SCTP);

	for (uint32_t k = 0; ok && k < v->pairs.nr; k++) {
		struct connection *p = &v->pairs.v[k];
		struct arena_mark mark = arena_mark(scratch);
		struct walk_from from = question(p);
		struct trace t;

		if (!has_family(p->from, ip_is4(p->to.ip))) {
			p->done = true;
			continue;
		}
		t = walk(v->w->dp, flows_new(scratch, 0, v->opt->seed), &from, 0, scratch);
		p->ways = ways_of(v->w->dp, p->from->ns, &t, v->arena);
		if (p->ways.why)
			p->ways.why = arena_strdup(v->arena, p->ways.why);
		p->lost = v->lossy && p->ways.nr > 1 ? lost_share(&t) : 0;
		ok = open_assumed(v, &t);
		arena_rewind(scratch, mark);
		if (p->to.proto == PROTO_SCTP && !sctp) {
			p->ways.unknown = true;
			p->ways.why = "this kernel has no SCTP";
		}
		count(v, p);
	}
	arena_free(scratch);
	return ok;
}

/* ---- the kernel's */

static const char *pair_text(struct verifying *v, const struct connection *p)
{
	return arena_printf(v->arena, ip_is4(p->to.ip) ? "%s to %s (%s:%u/%s)" : "%s to %s ([%s]:%u/%s)", p->from->name, p->to.text, IP(p->to.ip), p->to.port, l4_name(p->to.proto));
}

static void report(struct verifying *v, struct connection *p, const char *kernel)
{
	struct difference *d = vec_push(v->arena, &v->out->differences);

	p->done = p->failed = true;
	*d = (struct difference){ pair_text(v, p), ways_text(&p->ways, v->arena), kernel, question(p), true, p->from };
}

/* A proxy answers in the words of HTTP, and does not say who it is: there it counts that it answers (verify_http.c asks it in its own language). */
static bool proxied(const struct verifying *v, const struct space *from, const struct way *w)
{
	for (uint32_t k = 0; w->end == DIAL_CONNECTED && k < v->live->haproxies.nr; k++) {
		const struct haproxy *h = &v->live->haproxies.v[k];
		const struct space *s = v->live->spaces.v[h->space - 1];

		if (s == from && h->sidecar && ip_is_loopback(w->at))
			return true;
		for (uint32_t i = 0; s && i < h->nr_ports; i++)
			for (uint32_t j = 0; w->port == h->ports[i] && j < s->now.addrs.nr; j++)
				if (ip_eq(s->now.addrs.v[j].ip, w->at))
					return true;
	}
	return false;
}

/* A command of the manifest's answers in its own way, or waits for more: there it counts that it takes the connection. Of datagrams nobody can say. */
static bool own_command_at(const struct verifying *v, const struct way *w)
{
	for (uint32_t k = 0; k < v->live->spaces.nr; k++) {
		const struct space *s = v->live->spaces.v[k];
		bool own = false, here = false;

		for (uint32_t i = 0; s && i < s->run.nr; i++)
			own = own || s->run.v[i].own;
		for (uint32_t i = 0; own && i < s->now.addrs.nr; i++)
			here = here || ip_eq(s->now.addrs.v[i].ip, w->at);
		if (here)
			return true;
	}
	return false;
}

static bool fits(const struct verifying *v, struct connection *p, const struct way *w, const struct dial *d)
{
	if (way_fits(w, d))
		return true;
	if (w->end == DIAL_CONNECTED && (d->out || d->proto == PROTO_UDP) && (d->end == DIAL_CONNECTED ? !ip_set(d->end_ip) : d->end != DIAL_REFUSED || d->error == ECONNRESET) && own_command_at(v, w)) {
		p->to.some = true;
		return true;
	}
	if ((d->end != DIAL_CONNECTED && d->error != ECONNRESET /* connected, and then cut off */) || !proxied(v, p->from, w))
		return false;
	p->to.some = true;
	return true;
}

/* Each try takes its whole time, and there is nothing to be drawn. */
static bool only_silence(const struct connection *p)
{
	return p->ways.nr == 1 && p->ways.v[0].end == DIAL_TIMEOUT;
}

/* Takes one answer into account: which way it was, and whether more have to be seen. */
static void judge(struct verifying *v, struct connection *p, const struct dial *d)
{
	uint32_t k = 0, least = only_silence(p) ? 1 : v->opt->tries ? v->opt->tries : p->ways.nr > 1 ? 3 : 1;

	while (k < p->ways.nr && !fits(v, p, &p->ways.v[k], d))
		k++;
	p->tries++;
	v->out->connections.tries++;
	if (k == p->ways.nr) {
		report(v, p, dial_text(d, v->arena));
		return;
	}
	p->seen |= 1u << MIN(k, 31u);
	if (p->lost > 0) {              /* chance: in the end, of all of them, losses() */
		v->losses.tries++;
		v->losses.lost += d->end == DIAL_TIMEOUT;
		v->losses.expected += p->lost;
		v->losses.spread += p->lost * (1 - p->lost);
		p->done = p->tries >= LOSSY_TRIES;
		return;
	}
	if (p->to.affinity) {           /* the first choice holds */
		if (d->end == DIAL_CONNECTED && ip_set(p->stays) && !ip_eq(p->stays, d->end_ip))
			report(v, p, arena_printf(v->arena, "%s, though the first went to %s and the Service has session affinity", dial_text(d, v->arena), IP(p->stays)));
		if (d->end == DIAL_CONNECTED)
			p->stays = d->end_ip;
		p->done = p->done || p->tries >= MAX(least, 3u);
		return;
	}
	if (p->tries < least)
		return;
	if (p->to.some || p->ways.nr == 1 || p->ways.nr > 31 || p->seen == (1u << p->ways.nr) - 1)
		p->done = true;
	else if ((double)p->tries * p->ways.least > VERIFY_MISSES)
		report(v, p, arena_printf(v->arena, "%u tries, and not all of these ways were seen", p->tries));
}

static bool round_of(struct verifying *v, bool patient, struct dial *dials, struct dial **asked, struct connection **whose, bool failed_only)
{
	uint32_t nr = 0;

	for (uint32_t k = 0; k < v->pairs.nr; k++) {
		struct connection *p = &v->pairs.v[k];

		if (failed_only ? !p->failed : p->done)
			continue;
		dials[nr] = (struct dial){ .from = p->from, .src = p->src, .dst = p->to.ip, .port = p->to.port, .proto = p->to.proto,
					   .size = p->size, .df = p->df, .wait = p->ways.nr > 1 || only_silence(p) ? ONE_SYN : patient ? VERIFY_PATIENCE : TWO_SYNS };
		asked[nr] = &dials[nr];
		whose[nr++] = p;
	}
	if (!nr || !dialer_ask(&v->dialer, asked, nr, PARALLEL, v->err))
		return false;
	for (uint32_t k = 0; k < nr; k++)
		judge(v, whose[k], asked[k]);
	return true;
}

static bool ask_all(struct verifying *v)
{
	struct dial *dials = calloc(v->pairs.nr + 1, sizeof(*dials));
	struct dial **asked = arena_array(v->arena, struct dial *, v->pairs.nr + 1);
	struct connection **whose = arena_array(v->arena, struct connection *, v->pairs.nr + 1);
	uint32_t differences = v->out->differences.nr;

	if (!dials)
		abort();
	while (round_of(v, false, dials, asked, whose, false))
		;
	if (v->out->differences.nr > differences && !err_any(v->err)) {         /* a slow machine is no difference: those are asked once more, with patience */
		v->out->differences.nr = differences;
		for (uint32_t k = 0; k < v->pairs.nr; k++)
			if (v->pairs.v[k].failed)
				v->pairs.v[k].done = false;
		round_of(v, true, dials, asked, whose, true);
		for (uint32_t k = 0; k < v->pairs.nr; k++)
			v->pairs.v[k].failed = v->pairs.v[k].failed && v->pairs.v[k].done;
		while (round_of(v, true, dials, asked, whose, false))
			;
	}
	free(dials);
	return !err_any(v->err);
}

/* Chance is judged by numbers, and with room: what comes behind the handshake may be lost, too, and comes again. */
static void losses(struct verifying *v)
{
	double room = 6 * sqrt(v->losses.spread), want = v->losses.expected;
	bool few = v->losses.lost < want / 2 - room, all = v->losses.lost == v->losses.tries && v->losses.tries - want > room + 1;

	if (v->losses.tries && (few || all))
		vec_add(v->arena, &v->out->differences, (struct difference){ .what = arena_printf(v->arena, "%u connections over links that lose some packets", v->losses.tries),
			.walk = arena_printf(v->arena, "about %.0f of them lost", want), .kernel = arena_printf(v->arena, "%u lost", v->losses.lost) });
}

/* ICMP errors are few per second on a node; the walk knows no rates. Lifted while verify asks. */
static bool lift_limits(struct verifying *v, bool lift)
{
	static const struct { const char *path; int usual; } limits[] = { { "ipv4/icmp_ratelimit", 1000 }, { "ipv6/icmp/ratelimit", 1000 } };
	bool ok = true;

	for (uint32_t k = 0; ok && k < v->live->spaces.nr; k++) {
		const struct space *s = v->live->spaces.v[k];

		if (!s)
			continue;
		ok = live_enter(v->live, s, v->err);
		for (size_t i = 0; ok && i < ARRAY_LEN(limits); i++)
			ok = write_setting(limits[i].path, lift ? 0 : limits[i].usual, s->name, v->err);
	}
	return ok;
}

bool verify_connections(struct live *live, struct world *w, const struct verify_options *opt, struct arena *a, struct verified *out, struct err *err)
{
	struct verifying v = { .live = live, .w = w, .opt = opt, .arena = a, .out = out, .err = err };
	nsec from = dial_clock();
	uint32_t before = out->differences.nr;
	bool ok;

	world_dataplane(w);
	if (!dialer_begin(&v.dialer, live, err))
		return false;
	add_pairs(&v);
	v.lossy = verify_lossy(w->dp);
	ok = walk_all(&v) && lift_limits(&v, true) && ask_all(&v);
	losses(&v);
	ok = lift_limits(&v, false) && ok;
	dialer_end(&v.dialer);
	ok = live_enter(live, NULL, err) && ok;
	out->connections.agreed = out->connections.asked - MIN(out->connections.asked, out->differences.nr - before);
	out->connections.ms = (double)(dial_clock() - from) / 1e6;
	return ok;
}

/* ---- one answer */

/* The outcomes of an answer that were asked of one address, as the walk gave them. */
static struct trace outcomes_of(const struct answer *a, ip_addr dst, uint16_t port, struct arena *arena)
{
	struct trace t = { arena_array(arena, struct outcome, a->nr), 0 };

	for (uint32_t k = 0; k < a->nr; k++) {
		const struct outcome *o = a->v[k].walk;

		if (o && ip_eq(o->there.as_sent.dst, dst) && o->there.as_sent.dport == port)
			t.v[t.nr++] = *o;
	}
	return t;
}

bool verify_answer(struct live *live, struct world *w, const struct answer *answer, const struct verify_options *opt, struct arena *a, struct verified *out, struct err *err)
{
	struct verifying v = { .live = live, .w = w, .opt = opt, .arena = a, .out = out, .err = err };
	const char *why = verify_cannot_ask(world_dataplane(w), answer);
	struct space *from = verify_sender(live, w, answer);
	bool ok;

	if (why || !from)
		return err_add(err, ERR_UNKNOWN, NULL, "%s", why ? why : "the source has no namespaces here");
	if (ip_set(answer->source.ip) && !verify_give_address(live, from, answer->source.ip, err))
		return false;
	if (!dialer_begin(&v.dialer, live, err))
		return false;
	ok = true;
	for (uint32_t k = 0; ok && k < answer->nr; k++) {
		const struct tuple *sent = &answer->v[k].walk->there.as_sent;
		struct trace t = outcomes_of(answer, sent->dst, sent->dport, a);
		struct connection *p;

		for (uint32_t i = 0; i < v.pairs.nr; i++)
			if (ip_eq(v.pairs.v[i].to.ip, sent->dst) && v.pairs.v[i].to.port == sent->dport)
				goto next;
		p = vec_push(a, &v.pairs);
		p->from = from;
		p->src = source_address(&answer->source, sent->dst);
		p->to = (struct asked_end){ sent->dst, sent->dport, sent->proto, answer->q->to, false, true };
		p->size = answer->q->size;
		p->df = answer->q->df;
		p->ways = ways_of(w->dp, from->ns, &t, a);
		count(&v, p);
		ok = open_assumed(&v, &t);
next:;
	}
	ok = ok && lift_limits(&v, true) && ask_all(&v);
	ok = lift_limits(&v, false) && ok;
	dialer_end(&v.dialer);
	return live_enter(live, NULL, err) && ok;
}

bool verify_trace(struct live *live, struct world *w, const struct answer *answer, struct arena *a, struct dial *d, struct nftrace *out, struct err *err)
{
	struct verifying v = { .live = live, .w = w, .arena = a, .err = err };
	const char *why = verify_cannot_ask(world_dataplane(w), answer);
	struct space *from = verify_sender(live, w, answer);
	struct trace t;
	bool ok;

	if (why || !from)
		return err_add(err, ERR_UNKNOWN, NULL, "%s", why ? why : "the source has no namespaces here");
	if ((ip_set(answer->source.ip) && !verify_give_address(live, from, answer->source.ip, err)) || !dialer_begin(&v.dialer, live, err))
		return false;
	t = outcomes_of(answer, answer->target, answer->port, a);
	*d = (struct dial){ .from = from, .src = source_address(&answer->source, answer->target), .dst = answer->target, .port = answer->port, .size = answer->q->size, .df = answer->q->df, .wait = TWO_SYNS,
			    .proto = answer->q->proto == PROTO_ICMP && !ip_is4(answer->target) ? PROTO_ICMPV6 : answer->q->proto };
	ok = open_assumed(&v, &t) && nftrace_dial(live, &v.dialer, d, a, out, err);
	dialer_end(&v.dialer);
	return ok;
}
