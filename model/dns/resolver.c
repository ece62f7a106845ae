/* A Pod's resolv.conf (kubernetes pkg/kubelet/network/dns/dns.go), and the names that a C library asks with it, one after another. */
#include <stdlib.h>

#include "model/dns/dns.h"

#define MAX_NDOTS       15      /* glibc RES_MAXNDOTS; musl src/network/resolvconf.c */
#define MUSL_LINE       255     /* a longer line of resolv.conf is left out (fgets of 256) */
#define MUSL_NAME       255     /* src/network/lookup_name.c: a longer one is not asked */
#define MAX_NAMESERVERS 3       /* pkg/apis/core/validation: MaxDNSNameservers */
#define MAX_SEARCHES    32
#define MAX_SEARCH_TEXT 2048
#define MAX_SEARCH      253     /* k8s.io/apimachinery/pkg/util/validation: DNS1123SubdomainMaxLength */
#define SPACES          " \t\r\v\f"

/* ---- resolv.conf */

static void add_once(struct arena *a, str_list *l, const char *text)
{
	for (uint32_t k = 0; k < l->nr; k++)
		if (streq(l->v[k], text))
			return;
	dns_add(a, l, text);
}

static void words(struct arena *a, const char *p, str_list *l)
{
	while (*(p += strspn(p, SPACES))) {
		size_t n = strcspn(p, SPACES);

		dns_add(a, l, arena_strndup(a, p, n));
		p += n;
	}
}

/* The last one of a name wins, in the place of the first. */
static void put_option(struct arena *a, str_list *l, const char *text)
{
	size_t n = strcspn(text, ":");

	for (uint32_t k = 0; k < l->nr; k++)
		if (strncmp(l->v[k], text, n) == 0 && (!l->v[k][n] || l->v[k][n] == ':')) {
			((const char **)l->v)[k] = text;
			return;
		}
	dns_add(a, l, text);
}

/* A domain with and without its last dot is one; the root alone is none. */
static void put_searches(struct arena *a, str_list *to, const str_list *words)
{
	*to = (str_list){ 0 };                  /* the last line counts */
	for (uint32_t k = 1; k < words->nr; k++) {
		size_t n = strlen(words->v[k]);

		if (!streq(words->v[k], "."))
			dns_add(a, to, words->v[k][n - 1] == '.' ? arena_strndup(a, words->v[k], n - 1) : words->v[k]);
	}
}

/* parseResolvConf. */
static struct resolv_conf parse_text(const char *text, struct arena *a)
{
	struct resolv_conf r = { 0 };

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");
		str_list w = { 0 };

		words(a, arena_strndup(a, p, n), &w);
		if (w.nr > 1 && streq(w.v[0], "nameserver"))
			dns_add(a, &r.nameservers, w.v[1]);
		else if (w.nr && streq(w.v[0], "search"))
			put_searches(a, &r.searches, &w);
		else if (w.nr && streq(w.v[0], "options"))
			for (uint32_t k = 1; k < w.nr; k++)
				put_option(a, &r.options, w.v[k]);
		p += n + (p[n] == '\n');
	}
	return r;
}

struct resolv_conf dns_node_resolv_conf(struct cluster *c, struct arena *a)
{
	const struct settings_flags *f = cluster_settings(c)->flags;
	struct resolv_conf r = { 0 };

	if (!f->node_resolv_conf_set)
		return parse_text("nameserver 203.0.113.1\n", a);
	if (*f->node_resolv_conf)
		return parse_text(f->node_resolv_conf, a);
	dns_add(a, &r.nameservers, "127.0.0.1");        /* kubelet --resolv-conf="" */
	dns_add(a, &r.searches, ".");
	return r;
}

static struct resolv_conf cluster_first(struct cluster *c, const struct pod *p, struct arena *a)
{
	const struct settings *s = cluster_settings(c);
	struct resolv_conf node = dns_node_resolv_conf(c, a), r = { 0 };

	for (uint32_t k = 0; k < s->cluster_dns.nr; k++)
		dns_add(a, &r.nameservers, s->cluster_dns.v[k]);
	if (s->domain && *s->domain) {
		dns_add(a, &r.searches, arena_printf(a, "%s.svc.%s", p->o.ns, s->domain));
		dns_add(a, &r.searches, arena_printf(a, "svc.%s", s->domain));
		dns_add(a, &r.searches, s->domain);
	}
	for (uint32_t k = 0; k < node.searches.nr; k++)
		if (!streq(node.searches.v[k], "."))    /* that one is for Pods that use the node's own */
			add_once(a, &r.searches, node.searches.v[k]);
	dns_add(a, &r.options, "ndots:5");
	return r;
}

static void without_doubles(struct arena *a, str_list *l)
{
	str_list out = { 0 };

	for (uint32_t k = 0; k < l->nr; k++)
		add_once(a, &out, l->v[k]);
	*l = out;
}

/* What the Pod itself wants, after what its policy gives it (appendDNSConfig). */
static void append_config(struct arena *a, struct resolv_conf *r, const struct dns_config *want)
{
	without_doubles(a, &r->nameservers);
	without_doubles(a, &r->searches);
	for (uint32_t k = 0; k < want->nameservers.nr; k++)
		add_once(a, &r->nameservers, want->nameservers.v[k]);
	for (uint32_t k = 0; k < want->searches.nr; k++)
		add_once(a, &r->searches, want->searches.v[k]);
	for (uint32_t k = 0; k < want->options.nr; k++) {
		const struct dns_option *o = &want->options.v[k];

		put_option(a, &r->options, o->value && *o->value ? arena_printf(a, "%s:%s", o->name, o->value) : o->name);
	}
}

static void limit(struct resolv_conf *r)
{
	size_t len = 0;
	uint32_t to = 0;

	r->nameservers.nr = MIN(r->nameservers.nr, MAX_NAMESERVERS);
	r->searches.nr = MIN(r->searches.nr, MAX_SEARCHES);
	for (uint32_t k = 0; k < r->searches.nr; k++)
		if (strlen(r->searches.v[k]) <= MAX_SEARCH)
			((const char **)r->searches.v)[to++] = r->searches.v[k];
	r->searches.nr = to;
	for (uint32_t k = 0; k < r->searches.nr; k++) {
		len += strlen(r->searches.v[k]) + (k > 0);
		if (len > MAX_SEARCH_TEXT)
			r->searches.nr = k;
	}
}

struct resolv_conf dns_resolv_conf(struct cluster *c, const struct pod *p, struct arena *a)
{
	const struct pod_spec *s = p->spec;
	const char *policy = s->dns_policy ? s->dns_policy : "ClusterFirst";
	struct resolv_conf r = { 0 };

	if (streq(policy, "ClusterFirst") && s->host_network)
		policy = "Default";
	if ((streq(policy, "ClusterFirst") || streq(policy, "ClusterFirstWithHostNet")) && cluster_settings(c)->cluster_dns.nr)
		r = cluster_first(c, p, a);
	else if (!streq(policy, "None"))
		r = dns_node_resolv_conf(c, a);
	if (s->dns_config)
		append_config(a, &r, s->dns_config);
	limit(&r);
	return r;
}

static void put_words(struct sb *out, const char *key, const str_list *l)
{
	for (uint32_t k = 0; k < l->nr; k++)
		sb_printf(out, "%s %s%s", k ? "" : key, l->v[k], k + 1 == l->nr ? "\n" : "");
}

/* containerd, internal/cri/server/podsandbox/sandbox_run_linux.go: parseDNSOptions. */
void dns_resolv_conf_text(const struct resolv_conf *r, struct sb *out)
{
	put_words(out, "search", &r->searches);
	for (uint32_t k = 0; k < r->nameservers.nr; k++)
		sb_printf(out, "nameserver %s\n", r->nameservers.v[k]);
	put_words(out, "options", &r->options);
}

/* ---- the search walk */

struct walk {
	struct cluster *c;
	const struct zone *outside;
	enum dns_server by;
	enum dns_type type;
	struct arena *a;
	struct dns_lookup out;
	bool nodata, servfail;
	bool done;                              /* glibc: no more of the search list */
};

static struct dns_answer answer_of(const struct walk *w, const char *name)
{
	switch (w->by) {
	case DNS_BY_CLUSTER: return dns_query(w->c, w->outside, name, w->type, w->a);
	case DNS_BY_OUTSIDE: return zone_query(w->outside, name, w->type, w->a);
	case DNS_BY_SILENCE: return (struct dns_answer){ .rcode = DNS_TIMEOUT };
	case DNS_BY_REFUSAL: break;
	}
	return (struct dns_answer){ .rcode = DNS_UNREACHABLE };
}

static bool nobody(const struct walk *w) { return w->by == DNS_BY_SILENCE || w->by == DNS_BY_REFUSAL; }

/* Asks one absolute name. true: the walk is over. */
static bool try_name(struct walk *w, const char *name, enum resolver lib)
{
	struct dns_query_done *v = arena_array(w->a, struct dns_query_done, w->out.nr + 1);
	struct dns_answer ans = answer_of(w, name);

	if (w->out.nr)
		memcpy(v, w->out.v, w->out.nr * sizeof(*v));
	v[w->out.nr++] = (struct dns_query_done){ name, w->type, ans };
	w->out.v = v;
	w->nodata = w->nodata || (ans.rcode == DNS_NOERROR && !ans.answers.nr);
	w->servfail = w->servfail || ans.rcode == DNS_SERVFAIL;
	w->done = w->done || ans.rcode == DNS_REFUSED;
	if (ans.answers.nr || ans.unknown || (lib == RESOLVER_MUSL && ans.rcode != DNS_NXDOMAIN)) {
		w->out.result = ans;
		return true;
	}
	return false;
}

static uint32_t option_number(const struct resolv_conf *r, const char *name, uint32_t dflt)
{
	size_t n = strlen(name);

	for (uint32_t k = 0; k < r->options.nr; k++)
		if (strncmp(r->options.v[k], name, n) == 0 && r->options.v[k][n] == ':')
			dflt = (uint32_t)strtoul(r->options.v[k] + n + 1, NULL, 10);
	return dflt;
}

static bool has_option(const struct resolv_conf *r, const char *name)
{
	for (uint32_t k = 0; k < r->options.nr; k++)
		if (streq(r->options.v[k], name))
			return true;
	return false;
}

static size_t search_line(const struct resolv_conf *r)
{
	size_t n = strlen("search\n");

	for (uint32_t k = 0; k < r->searches.nr; k++)
		n += 1 + strlen(r->searches.v[k]);
	return n;
}

static bool try_search(struct walk *w, const struct resolv_conf *r, const char *name, enum resolver lib, bool *root)
{
	for (uint32_t k = 0; k < r->searches.nr && !(k && nobody(w)) && !w->done; k++) {
		const char *domain = r->searches.v[k];
		size_t n = strlen(domain);

		if (lib == RESOLVER_MUSL && strlen(name) + 1 + n > MUSL_NAME)
			continue;

		n -= n && domain[n - 1] == '.';
		if (!n)
			*root = true;           /* ".": the name itself */
		if (try_name(w, n ? arena_printf(w->a, "%s.%.*s.", name, (int)n, domain) : arena_printf(w->a, "%s.", name), lib))
			return true;
	}
	return false;
}

/* What glibc says in the end (__res_context_search): of a name that was asked as it is first, what came of that; else NODATA before SERVFAIL before "no such name". */
static void give_verdict(struct walk *w, bool as_is_first)
{
	const struct dns_answer *first = w->out.nr ? &w->out.v[0].answer : NULL, *last = w->out.nr ? &w->out.v[w->out.nr - 1].answer : NULL;

	if (!first || nobody(w))
		return;
	w->out.result.rcode = as_is_first ? first->rcode : w->nodata ? DNS_NOERROR : w->servfail ? DNS_SERVFAIL : last->rcode;
}

/* Where nobody answers: glibc 2.36 resolv/res_query.c __res_context_search asks no further domain after a time-out, but the name itself if it has not yet; a refusal (errno
 * ECONNREFUSED) ends the search at once. musl src/network/lookup_name.c name_from_dns_search ends with the first error. */
struct dns_lookup dns_resolve(struct cluster *c, const struct zone *outside, enum dns_server by, const struct resolv_conf *r, enum resolver lib, const char *name,
			      enum dns_type type, struct arena *a)
{
	struct walk w = { .c = c, .outside = outside, .by = by, .type = type, .a = a };
	size_t len = strlen(name);
	uint32_t dots = 0;
	bool absolute = len && name[len - 1] == '.', as_is_first, root = false;

	for (const char *p = name; *p; p++)
		dots += *p == '.';
	as_is_first = absolute || dots >= MIN(option_number(r, "ndots", 1), MAX_NDOTS);
	w.out.result.rcode = by == DNS_BY_SILENCE ? DNS_TIMEOUT : by == DNS_BY_REFUSAL ? DNS_UNREACHABLE : DNS_NXDOMAIN;
	if (as_is_first && try_name(&w, absolute ? name : arena_printf(a, "%s.", name), lib))
		return w.out;
	/* glibc goes on with the search list after a name with enough dots failed; musl never searches then. */
	if (!absolute && !(as_is_first && lib == RESOLVER_MUSL)) {
		bool searches = lib == RESOLVER_GLIBC || search_line(r) <= MUSL_LINE;

		if (searches && try_search(&w, r, name, lib, &root))
			return w.out;
		if (!as_is_first && !root && !(by == DNS_BY_REFUSAL && r->searches.nr) && (dots || lib == RESOLVER_MUSL || !has_option(r, "no-tld-query")) &&
		    try_name(&w, arena_printf(a, "%s.", name), lib))
			return w.out;
	}
	give_verdict(&w, as_is_first);
	return w.out;
}
