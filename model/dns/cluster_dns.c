/* What a cluster's names are answered with: by the servers and plugins of its Corefile, or as kubeadm writes it. */
#include <stdlib.h>

#include "model/dns/kube_plugin.h"

#define PLUGIN_TTL  5           /* plugin/kubernetes: defaultTTL */
#define KUBEADM_TTL 30          /* kubeadm's Corefile */
#define HOSTS_TTL   3600        /* plugin/hosts */

static struct kube_conf as_kubeadm(struct cluster *c)
{
	return (struct kube_conf){ .domain = cluster_settings(c)->domain, .pods = PODS_INSECURE, .ttl = KUBEADM_TTL };
}

/* The words of a line as one selector. */
static const struct selector *selector_of(struct query *q, const str_list *w, struct kube_conf *conf)
{
	struct selector *s = arena_make(q->a, struct selector);
	struct err err = { 0 };
	const char *text = "";
	bool ok;

	for (uint32_t k = 1; k < w->nr; k++)
		text = arena_printf(q->a, "%s%s%s", text, k > 1 ? " " : "", w->v[k]);
	ok = selector_parse(cluster_strings(q->c), q->a, text, s, &err);
	err_free(&err);
	if (!ok)
		conf->wrong = arena_printf(q->a, "CoreDNS does not start with its Corefile: %s \"%s\" is no selector", w->v[0], text);
	return ok ? s : NULL;
}

/* Of the plugin's block, what bears on answers (plugin/kubernetes/setup.go). */
static struct kube_conf conf_of(struct query *q, const struct core_plugin *p, const char *domain)
{
	struct kube_conf conf = { .domain = domain, .pods = PODS_DISABLED, .ttl = PLUGIN_TTL };

	for (uint32_t k = 0; k < p->nr; k++) {
		const str_list *w = &p->lines[k].words;
		const char *value = w->nr > 1 ? w->v[1] : "";

		if (streq(w->v[0], "pods"))
			conf.pods = streq(value, "insecure") ? PODS_INSECURE : streq(value, "verified") ? PODS_VERIFIED : PODS_DISABLED;
		else if (streq(w->v[0], "endpoint_pod_names"))
			conf.endpoint_pod_names = true;
		else if (streq(w->v[0], "ignore"))
			conf.ignore_empty = streq(value, "empty_service");
		else if (streq(w->v[0], "noendpoints"))
			conf.no_endpoints = true;
		else if (streq(w->v[0], "labels"))
			conf.labels = selector_of(q, w, &conf);
		else if (streq(w->v[0], "namespace_labels"))
			conf.namespace_labels = selector_of(q, w, &conf);
		else if (streq(w->v[0], "namespaces"))
			for (uint32_t i = 1; i < w->nr; i++)
				dns_add(q->a, &conf.namespaces, w->v[i]);
		else if (streq(w->v[0], "ttl") && *value && strspn(value, "0123456789") == strlen(value) && strtoul(value, NULL, 10) <= 3600)
			conf.ttl = (uint32_t)strtoul(value, NULL, 10);
	}
	return conf;
}

static void from_outside(struct query *q)
{
	struct dns_answer o = zone_query(q->outside, q->name, q->type, q->a);

	q->out.rcode = o.rcode;
	q->out.cname = o.cname;
	for (uint32_t k = 0; k < o.answers.nr; k++) {
		if (q->type == DNS_A || q->type == DNS_AAAA)
			query_add_ip(q, o.answers.v[k]);
		else
			query_add(q, o.answers.v[k]);
	}
}

static void cannot_tell(struct query *q, const char *why)
{
	q->out.rcode = DNS_SERVFAIL;
	q->out.unknown = why;
}

/* Answers of the plugin kubernetes. false: it goes on. */
static bool by_kubernetes(struct query *q, const struct core_server *s, const struct core_plugin *p)
{
	const str_list *zones = p->args.nr ? &p->args : &s->zones;
	const char *zone = zone_of(zones, q->name), *primary = NULL, *base;

	if (!zone)
		return false;
	for (uint32_t k = 0; k < zones->nr && !primary; k++)
		if (!zone_is_reverse(zones->v[k]) && strcmp(zones->v[k], ".") != 0)
			primary = zones->v[k];
	if (!zone_is_reverse(zone) && strcmp(zone, ".") != 0)
		primary = zone;
	for (uint32_t k = 0; k < p->nr; k++)
		if (streq(p->lines[k].words.v[0], "multicluster") && zone_of(&(str_list){ p->lines[k].words.v + 1, p->lines[k].words.nr - 1, true }, zone)) {
			cannot_tell(q, arena_printf(q->a, "the Corefile answers for %s from other clusters (multicluster), of which nothing is known", zone));
			return true;
		}
	q->conf = conf_of(q, p, q->conf.domain);
	if (q->conf.wrong) {
		cannot_tell(q, q->conf.wrong);
		return true;
	}
	if (primary)
		q->conf.domain = arena_strndup(q->a, primary, strlen(primary) - (primary[strlen(primary) - 1] == '.'));
	base = kube_before_domain(q);
	if (base)
		kube_in_cluster(q, base);
	else
		kube_backwards(q, zone);
	if (q->out.rcode == DNS_NXDOMAIN && core_falls_through(p, q->name)) {
		q->out = (struct dns_answer){ 0 };
		return false;
	}
	q->out.own = true;
	q->out.ttl = q->conf.ttl;
	return true;
}

/* autopath @kubernetes, which works with `pods verified` alone: a name that is not there in the first domain of a Pod's search list is looked for in the others. */
static bool searches_itself(const struct query *q, const struct core_server *s)
{
	const struct core_plugin *p = core_plugin(s, "autopath");
	const char *first = arena_printf(q->a, "svc.%s", q->conf.domain);
	const char *at = p && q->conf.pods == PODS_VERIFIED ? strchr(q->name, '.') : NULL;

	return at && (at = strchr(at + 1, '.')) && zone_of(&(str_list){ .v = &first, .nr = 1 }, at + 1);
}

/* forward FROM TO… { except … }: a server outside knows what the zone outside says; one that is a Service of the cluster may say anything. */
static void forward(struct query *q, const struct core_server *s)
{
	const struct core_plugin *p = core_plugin(s, "forward");
	ip_addr ip;

	p = p ? p : core_plugin(s, "proxy");
	p = p ? p : core_plugin(s, "grpc");
	for (uint32_t k = 0; p && k < p->nr; k++) {
		str_list w = p->lines[k].words;

		if (!streq(w.v[0], "except"))
			continue;
		w.v++, w.nr--;
		p = w.nr && zone_of(&w, q->name) ? NULL : p;
	}
	q->out.rcode = DNS_SERVFAIL;            /* plugin.NextOrFailure */
	if (!p || (p->args.nr && !zone_of(&(str_list){ p->args.v, 1, true }, q->name)))
		return;
	for (uint32_t k = 1; k < p->args.nr; k++) {
		const struct service *to = ip_parse(p->args.v[k], &ip) ? find_service_by_ip(q->c, ip) : NULL;

		if (to)
			return cannot_tell(q, arena_printf(q->a, "the Corefile asks %s for %s: what Service %s/%s answers is not known", p->args.v[k], q->name, to->o.ns, to->o.name));
	}
	from_outside(q);
	q->out.ttl = KUBEADM_TTL;
}

static void by_corefile(struct query *q)
{
	const struct core_server *s = corefile_server(q->file, q->name);
	const struct core_plugin *kube = s ? core_plugin(s, "kubernetes") : NULL;
	struct core_step step;
	const char *why;

	if (!s) {
		q->out.rcode = DNS_REFUSED;
		return;
	}
	step = core_before(s, q->name, q->type, q->a);
	if (step.way == CORE_UNKNOWN)
		return cannot_tell(q, step.why);
	q->out.rcode = step.way == CORE_FAILED ? DNS_SERVFAIL : DNS_NOERROR;
	for (uint32_t k = 0; k < step.addresses.nr; k++)
		query_add_ip(q, step.addresses.v[k]);
	for (uint32_t k = 0; k < step.names.nr; k++)
		query_add(q, step.names.v[k]);
	q->out.ttl = HOSTS_TTL;
	if (step.way != CORE_ON)
		return;
	q->name = step.name;
	if (kube && by_kubernetes(q, s, kube)) {
		if (q->out.rcode == DNS_NXDOMAIN && searches_itself(q, s))
			cannot_tell(q, arena_printf(q->a, "the Corefile walks the search list itself (autopath): what it says of %s depends on the address that asks", q->name));
		return;
	}
	if ((why = core_between(s, q->name, q->type, q->a)))
		cannot_tell(q, why);
	else
		forward(q, s);
}

void query_run(struct query *q)
{
	const char *base;
	ip_addr ip;
	bool own;

	if (q->file->servers.nr) {
		by_corefile(q);
		return;
	}
	base = kube_before_domain(q);
	own = base || (q->type == DNS_PTR && kube_reverse_address(q->name, &ip) && kube_reverse(q, ip));
	if (base)
		kube_in_cluster(q, base);
	else if (!own)
		from_outside(q);
	q->out.own = own;
	q->out.ttl = own ? q->conf.ttl : KUBEADM_TTL;
}

struct dns_answer dns_query(struct cluster *c, const struct zone *outside, const char *name, enum dns_type type, struct arena *a)
{
	struct query q = { .c = c, .outside = outside, .conf = as_kubeadm(c), .file = corefile_of(c), .name = name, .type = type, .a = a };

	query_run(&q);
	return q.out;
}
