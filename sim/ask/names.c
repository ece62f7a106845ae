#include "sim/ask/names.h"

#include "sim/ask/question.h"

#define DNS_PORT 53

static bool is_cluster_dns(struct world *w, const char *server)
{
	const struct settings *s = cluster_settings(w->cluster);

	for (uint32_t k = 0; k < s->cluster_dns.nr; k++)
		if (streq(s->cluster_dns.v[k], server))
			return true;
	return false;
}

struct reply { bool answered, unknown, refused; enum verdict verdict; const char *reason; };

/* One endpoint that answers is enough: the resolver asks again. */
static struct reply query(struct world *w, const struct source *from, ip_addr server, struct arena *a)
{
	const struct walk_from p = { .from = from->netns, .t = { .dst = server, .dport = DNS_PORT, .proto = PROTO_UDP } };
	struct trace t = walk(w->dp, flows_new(a, cluster_now(w->cluster), cluster_seed(w->cluster)), &p, 0, a);
	struct reply r = { 0 };

	for (uint32_t k = 0; k < t.nr; k++) {
		struct outcome_view v = outcome_view_of(w, &t.v[k], (struct frac){ 1, 1 });

		if (v.verdict == V_DELIVERED && v.answered)
			return (struct reply){ .answered = true };
		if (r.reason && !r.unknown)
			continue;
		r = (struct reply){ .unknown = v.verdict == V_UNKNOWN, .refused = v.verdict == V_REFUSED || v.verdict == V_REJECTED, .verdict = v.verdict, .reason = v.reason };
	}
	return r;
}

/* What becomes of queries to one of the nameservers. */
static enum dns_server asked(struct world *w, const struct source *from, const char *server, struct arena *a, struct names *out)
{
	bool inside, of_cluster;
	ip_addr ip;
	struct reply r;

	if (!ip_parse(server, &ip))
		return DNS_BY_OUTSIDE;
	inside = find_service_by_ip(w->cluster, ip) != NULL;
	of_cluster = inside || is_cluster_dns(w, server);
	/* cluster DNS that no Service has: a cache on the node (169.254.20.10), or a dump without the Service */
	if (!from->netns.i || from->enters || (of_cluster && !inside))
		return of_cluster ? DNS_BY_CLUSTER : DNS_BY_OUTSIDE;
	r = query(w, from, ip, a);
	if (!r.answered && r.unknown && !out->why) {
		out->unknown = true;
		out->why = arena_printf(a, "it is not known whether the nameserver %s answers: %s", server, r.reason ? r.reason : verdict_names[r.verdict]);
	}
	if (r.answered || r.unknown)
		return of_cluster ? DNS_BY_CLUSTER : DNS_BY_OUTSIDE;
	if (!of_cluster && r.verdict != V_DROPPED && r.verdict != V_REJECTED && !ip_is_loopback(ip))
		return DNS_BY_OUTSIDE;
	if (!out->why)
		out->why = arena_printf(a, "the nameserver %s does not answer: %s", server, r.reason ? r.reason : verdict_names[r.verdict]);
	return r.refused ? DNS_BY_REFUSAL : DNS_BY_SILENCE;
}

struct source names_source(struct world *w, struct pod *p)
{
	struct dataplane *dp = world_dataplane(w);

	return (struct source){ .netns = pod_sockets(dp, p), .pod = p, .kind = "Pod" };
}

const char *names_untold(struct world *w, const struct dns_lookup *l)
{
	if (l->result.answers.nr || cluster_settings(w->cluster)->flags->zone)
		return NULL;
	for (uint32_t k = 0; k < l->nr; k++)
		if (!l->v[k].answer.own && l->v[k].answer.rcode == DNS_NXDOMAIN && strcspn(l->v[k].name, ".") + 1 < strlen(l->v[k].name))
			return "names outside the cluster are taken not to exist; --zone FILE says which do";
	return NULL;
}

struct names names_resolve(struct world *w, const struct source *from, const struct resolv_conf *conf, enum resolver lib, const char *name, enum dns_type type, struct arena *a)
{
	const char *text = cluster_settings(w->cluster)->flags->zone;
	struct err err = { 0 };
	struct zone *zone = text ? zone_parse(a, text, &err) : NULL;
	struct names out = { .by = DNS_BY_REFUSAL };

	err_free(&err);
	if (hosts_lookup(w, from->pod, name, type, a, &out.l.result)) {
		out.server = HOSTS_FILE;
		return out;
	}
	for (uint32_t k = 0; k < conf->nameservers.nr && !out.server; k++) {
		out.by = asked(w, from, conf->nameservers.v[k], a, &out);
		if (out.by == DNS_BY_CLUSTER || out.by == DNS_BY_OUTSIDE)
			out.server = conf->nameservers.v[k];
	}
	if (!conf->nameservers.nr)
		out.why = "resolv.conf names no nameserver";
	else if (out.server && !out.unknown)
		out.why = NULL;
	out.l = dns_resolve(w->cluster, zone, out.by, conf, lib, name, type, a);
	if (out.l.result.unknown) {
		out.unknown = true;
		out.why = out.l.result.unknown;
	}
	if (out.by == DNS_BY_OUTSIDE && !out.l.result.answers.nr && !out.why)
		out.why = arena_printf(a, "the nameserver %s is outside and knows nothing of the cluster%s", out.server,
				       !from->pod ? "" : from->pod->spec->host_network && !streq(from->pod->spec->dns_policy, "None") ?
				       ": hostNetwork with dnsPolicy ClusterFirst means Default; ClusterFirstWithHostNet asks cluster DNS" : ": its dnsPolicy is not ClusterFirst");
	if (!out.why)
		out.why = names_untold(w, &out.l);
	return out;
}
