/* Ends as people write them, read into what they name. */
#include "sim/ask/end.h"

#include <stdlib.h>

static const char forms[] = "an end is pod/[NS/]NAME[:PORT], svc/[NS/]NAME:PORT, lb/…, deploy/…, node/NAME[:PORT], client[/IP], IP:PORT, NAME:PORT, "
			    "ip/ADDR@NODE, gateway/NS/NAME, controller/NAME or http[s]://HOST[:PORT]/PATH";

/* Small parsers on a cursor; true: *p is behind what was read; false: nothing has changed. */

static bool parse_lit(const char **p, const char *lit)
{
	size_t n = strlen(lit);

	if (strncmp(*p, lit, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool parse_word(struct cluster *c, const char **p, const char *until, str *out)
{
	size_t n = strcspn(*p, until);

	if (!n)
		return false;
	*out = str_intern_n(cluster_strings(c), *p, n);
	*p += n;
	return true;
}

static bool parse_number(const char *s, size_t n, uint16_t *out)
{
	unsigned v = 0;

	if (!n || n > 5)
		return false;
	for (size_t k = 0; k < n; k++) {
		if (s[k] < '0' || s[k] > '9')
			return false;
		v = v * 10 + (unsigned)(s[k] - '0');
	}
	if (v < 1 || v > 65535)
		return false;
	*out = (uint16_t)v;
	return true;
}

/* [:PORT] by number or name, up to the end. */
static bool parse_port(struct cluster *c, const char **p, struct end *e)
{
	const char *q = *p;

	if (!*q)
		return true;
	if (!parse_lit(&q, ":") || !*q || strchr(q, ':') || strchr(q, '/'))
		return false;
	if (!parse_number(q, strlen(q), &e->port)) {
		if (*q >= '0' && *q <= '9' && strspn(q, "0123456789") == strlen(q))
			return false;           /* a number that is no port */
		e->port_name = cluster_str(c, q);
	}
	*p = q + strlen(q);
	return true;
}

/* [NS/]NAME */
static bool parse_name(struct cluster *c, const char **p, const char *dflt_ns, struct end *e)
{
	const char *q = *p;
	str first, second;

	if (!parse_word(c, &q, "/:", &first))
		return false;
	e->ns = cluster_str(c, dflt_ns ? dflt_ns : "default");
	e->name = first;
	if (parse_lit(&q, "/")) {
		if (!parse_word(c, &q, "/:", &second))
			return false;
		e->ns = first;
		e->name = second;
	}
	*p = q;
	return true;
}

static bool parse_url(struct cluster *c, const char *p, struct end *e)
{
	size_t n = strcspn(p, ":/?");
	uint16_t port = 0;

	e->scheme = cluster_str(c, strncmp(p, "https", 5) == 0 ? "https" : "http");
	p += strlen(e->scheme) + 3;
	if (*p == '[') {
		n = strcspn(p, "]");
		if (!p[n])
			return false;
		e->name = str_intern_n(cluster_strings(c), p + 1, n - 1);
		p += n + 1;
	} else {
		n = strcspn(p, ":/?#");
		if (!n)
			return false;
		e->name = str_intern_n(cluster_strings(c), p, n);
		p += n;
	}
	if (*p == ':') {
		size_t first = strcspn(p + 1, ":/?#");

		if (p[1 + first] == ':') {
			if (!parse_number(p + 1, first, &port))
				return false;
			e->host = str_printf(cluster_strings(c), "%s:%u", e->name, port);
			p += 1 + first;
		}
		n = strcspn(p + 1, "/?#");
		if (!parse_number(p + 1, n, &port))
			return false;
		p += 1 + n;
	}
	e->kind = END_URL;
	e->port = port ? port : streq(e->scheme, "https") ? 443 : 80;
	e->path = *p == '/' ? cluster_str(c, p) : str_printf(cluster_strings(c), "/%s", p);
	e->has_ip = ip_parse(e->name, &e->ip);
	return true;
}

static bool parse_addr(struct cluster *c, const char *p, struct end *e)
{
	const char *colon;
	size_t n;

	(void)c;
	if (*p == '[') {
		n = strcspn(p, "]");
		if (!p[n] || !ip_parse_n(p + 1, n - 1, &e->ip))
			return false;
		if (p[n + 1] && (p[n + 1] != ':' || !parse_number(p + n + 2, strlen(p + n + 2), &e->port)))
			return false;
	} else if (ip_parse(p, &e->ip)) {
		/* without a port: icmp */
	} else {
		colon = strrchr(p, ':');
		if (!colon || !ip_parse_n(p, (size_t)(colon - p), &e->ip) || !parse_number(colon + 1, strlen(colon + 1), &e->port))
			return false;
	}
	e->kind = END_ADDR;
	e->has_ip = true;
	return true;
}

static bool parse_ip_at(struct cluster *c, const char *p, struct end *e)
{
	const char *at = strchr(p, '@');

	if (!at || !at[1] || !ip_parse_n(p, (size_t)(at - p), &e->ip))
		return false;
	e->kind = END_IP_AT;
	e->has_ip = true;
	e->node = cluster_str(c, at + 1);
	return true;
}

static bool parse_client(const char **p, struct end *e)
{
	const char *q = *p;

	e->kind = END_CLIENT;
	if (parse_lit(&q, "/")) {
		if (!ip_parse(q, &e->ip))
			return false;
		e->has_ip = true;
		q += strlen(q);
	}
	*p = q;
	return !*q;
}

static const struct { const char *prefix; enum end_kind kind; const struct kind *workload; } named[] = {
	{ "pod/", END_POD, NULL }, { "pods/", END_POD, NULL }, { "po/", END_POD, NULL },
	{ "svc/", END_SERVICE, NULL }, { "service/", END_SERVICE, NULL }, { "services/", END_SERVICE, NULL },
	{ "lb/", END_LB, NULL },
	{ "deploy/", END_WORKLOAD, &deployment_kind }, { "deployment/", END_WORKLOAD, &deployment_kind }, { "deployment.apps/", END_WORKLOAD, &deployment_kind },
	{ "sts/", END_WORKLOAD, &statefulset_kind }, { "statefulset/", END_WORKLOAD, &statefulset_kind }, { "statefulset.apps/", END_WORKLOAD, &statefulset_kind },
	{ "ds/", END_WORKLOAD, &daemonset_kind }, { "daemonset/", END_WORKLOAD, &daemonset_kind }, { "daemonset.apps/", END_WORKLOAD, &daemonset_kind },
	{ "rs/", END_WORKLOAD, &replicaset_kind }, { "replicaset/", END_WORKLOAD, &replicaset_kind }, { "replicaset.apps/", END_WORKLOAD, &replicaset_kind },
	{ "job/", END_WORKLOAD, &job_kind }, { "job.batch/", END_WORKLOAD, &job_kind },
};

static bool parse_end(struct cluster *c, const char *p, const char *dflt_ns, struct end *e)
{
	const char *q = p;

	if (strncmp(p, "http://", 7) == 0 || strncmp(p, "https://", 8) == 0)
		return parse_url(c, p, e);
	for (size_t k = 0; k < ARRAY_LEN(named); k++)
		if (parse_lit(&q, named[k].prefix)) {
			e->kind = named[k].kind;
			e->workload = named[k].workload;
			return parse_name(c, &q, dflt_ns, e) && parse_port(c, &q, e);
		}
	if (parse_lit(&q, "node/") || parse_lit(&q, "no/")) {
		e->kind = END_NODE;
		return parse_word(c, &q, "/:", &e->name) && parse_port(c, &q, e);
	}
	if (parse_lit(&q, "ip/"))
		return parse_ip_at(c, q, e);
	if (parse_lit(&q, "gateway/")) {
		e->kind = END_GATEWAY;
		return parse_name(c, &q, dflt_ns, e) && parse_port(c, &q, e);
	}
	if (parse_lit(&q, "controller/")) {         /* names hold slashes: k8s.io/ingress-nginx */
		e->kind = END_CONTROLLER;
		return parse_word(c, &q, ":", &e->name) && parse_port(c, &q, e);
	}
	if (strcmp(p, "client") == 0 || strncmp(p, "client/", 7) == 0) {
		q = p + 6;
		return parse_client(&q, e);
	}
	if (parse_addr(c, p, e))
		return true;
	*e = (struct end){ .kind = END_NAME, .text = e->text };
	return !strchr(p, '/') && parse_word(c, &q, ":", &e->name) && parse_port(c, &q, e);
}

bool end_parse(struct cluster *c, const char *text, const char *dflt_ns, struct end *out, struct err *err)
{
	struct end e = { .text = cluster_str(c, text) };

	if (!*text || !parse_end(c, text, dflt_ns, &e))
		return err_add(err, ERR_INPUT, NULL, "\"%s\" is not an end: %s", text, forms);
	*out = e;
	return true;
}
