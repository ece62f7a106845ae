/* Inside a routing table: what compilers write and the matcher reads. A table has listeners; a listener has hosts; a host has routes in the order
 * of their precedence, which the compiler has decided: the first that matches is taken. Paths and hosts are found by hash, never by going through all. */
#ifndef PODWIRE_L7_TABLE_H
#define PODWIRE_L7_TABLE_H

#include "model/l7/cert.h"
#include "model/base/regex.h"
#include "model/l7/routes.h"

enum l7_path {
	L7_PATH_EXACT,
	L7_PATH_ELEMENTS,                       /* /foo matches /foo, /foo/, /foo/bar, not /foobar; a slash at its end does not count */
	L7_PATH_STRING,                         /* plain beginning of the text */
	L7_PATH_REGEX,
};
enum l7_how { L7_EXACT, L7_PREFIX, L7_REGEX, L7_PRESENT };
struct l7_cond { const char *name; uint8_t how; bool not, nocase, absent_is_empty /* what is not there is compared as "" */; const char *value; const struct regex *re; };
typedef VEC(struct l7_cond) l7_conds;

/* ---- what happens to a request that matched */
enum l7_change { L7_KEEP, L7_FULL, L7_PREFIX_MATCH, L7_STRING_MATCH, L7_CAPTURES /* $1 … of the route's own expression */, L7_REPLACE /* every match of re */ };
struct l7_path_change { uint8_t how; const char *text; const struct regex *re; };
struct l7_header_mod { struct http_pair *set, *add; uint32_t nr_set, nr_add; const char **remove; uint32_t nr_remove; };
struct l7_redirect { const char *scheme, *host; int32_t port; int status; struct l7_path_change path; bool keep_port /* the Host's own port stays */; };
struct l7_rewrite { const char *host; struct l7_path_change path; };

/* A reference to a Service, resolved when the table was compiled. */
struct l7_ref {
	str ns, name;
	int32_t port;                           /* as asked for; the Service's port number */
	const struct service *service;          /* NULL: status and why say what becomes of the request */
	int status; const char *why;
	const char *upstream;                   /* dialled by name */
	const pair_list *subset;
	bool via_service;
	bool as_sent;                           /* to where the connection was going (a sidecar's) */
	const char *protocol;                   /* to the backend, where it was said: HTTPS, GRPC, … */
	const struct backend_tls_policy *tls;   /* its certificate is verified as this says; NULL: not */
	const struct l7_ref *fallback;          /* where there is no ready endpoint; NULL: 503 */
};
struct l7_cors {
	str_list origins, methods, headers, expose;
	bool credentials, passes;               /* passes: a preflight request of another origin goes on to the backend (Istio) */
	int32_t max_age;                        /* seconds; 0: not said */
	const char *unknown;                    /* not NULL: what becomes of a request with an Origin cannot be told */
	bool nginx; const struct regex *origin; /* ingress-nginx: its headers whenever the Origin matches (NULL: always, and any); the lists hold one text each */
};
enum l7_filter_kind { L7_REQUEST_HEADERS, L7_RESPONSE_HEADERS, L7_REDIRECT, L7_REWRITE, L7_MIRROR, L7_CORS, L7_UNKNOWN };
struct l7_filter {
	uint8_t kind;
	uint64_t num, den;                      /* MIRROR: the share of requests that is copied; den 0: all */
	union {
		struct l7_header_mod headers;
		struct l7_redirect redirect;
		struct l7_rewrite rewrite;
		struct l7_ref mirror;
		const struct l7_cors *cors;
		const char *unknown;            /* why the answer cannot be told */
	};
};
typedef VEC(struct l7_filter) l7_filters;
struct l7_backend { struct l7_ref ref; uint64_t weight; l7_filters filters; };

/* What is asked before the request goes on; the first that objects answers. */
enum l7_guard_kind { L7_GUARD_SOURCE, L7_GUARD_TLS, L7_GUARD_BASIC_AUTH, L7_GUARD_APP_ROOT, L7_GUARD_REDIRECT, L7_GUARD_PREFLIGHT, L7_GUARD_DENIED, L7_GUARD_FORWARDED /* X-Forwarded-* would be believed */,
		     L7_GUARD_UNKNOWN };
struct l7_guard {
	uint8_t kind;
	struct cidr *cidrs; uint32_t nr; bool deny;     /* SOURCE: allowed ranges, or denied ones; BASIC_AUTH: who needs no password */
	int status;                                     /* TLS, REDIRECT, DENIED */
	bool keep_slash;                                /* TLS: the one at the end stays */
	const char *text;                               /* APP_ROOT: the path; REDIRECT: the URL; DENIED, UNKNOWN: why */
	const struct l7_cors *cors;                     /* PREFLIGHT */
};
/* A client that brings this is led to where it was before. One without a name of its own: nobody says by what the proxy knows it. */
struct l7_session { bool header; const char *name; };
struct l7_fault { uint64_t abort_millionths, delay_millionths; int status; nsec delay; };
/* ingress-nginx: an alternative backend for some of the requests. Header first, then cookie, then chance. */
struct l7_canary { const char *header, *value, *cookie; const struct regex *pattern; uint32_t weight, total; struct l7_ref ref; };

struct l7_action {
	VEC(struct l7_guard) guards;
	l7_filters filters;
	VEC(struct l7_backend) backends;
	VEC(struct l7_canary) canaries;
	struct l7_fault *fault;
	const struct l7_patience *patience;     /* with its backends; NULL: nothing was said */
	const struct l7_session *session;       /* NULL: none */
	int direct;                             /* the proxy answers by itself with this status; 0: it does not */
	int without;                            /* the status where it has no backend, or all have the weight 0; 0: 500 */
	bool stream;                            /* a connection, or datagrams, passed on as they are: nothing is read or added, and what fails is a reset */
	const char *intercepts;                 /* statuses in the proxy's own answers that a default backend answers instead, as text; NULL */
	const char *unknown;                    /* cannot tell, because … */
};

/* ---- when */
struct l7_route {
	uint8_t path_kind;
	bool search;                            /* re is looked for anywhere in the path (nginx), not against the whole of it */
	bool nocase;                            /* re: capitals do not count */
	bool never;                             /* an earlier route takes all that this one could: found when the table is finished */
	bool behind;                            /* another of its VirtualService takes all before it */
	const char *path;                       /* as written; without its last slash the key of ELEMENTS */
	const struct regex *re;
	l7_conds methods, headers, query;       /* methods: any of them */
	const struct l7_action *action;
	obj_h cause; const char *cause_path;
	const char *text;                       /* the rule in a few words: "Prefix /foo" */
	uint32_t next;                          /* of the same host and key, in order of precedence; UINT32_MAX: none */
};

enum l7_host_kind { L7_HOST_EXACT, L7_HOST_SUFFIX /* *.foo.com: one or more labels */, L7_HOST_ANY };
struct l7_vhost {
	uint8_t kind;
	uint32_t group;                         /* → table->groups */
	const char *pattern;                    /* as written; "*" for any */
	VEC(struct l7_route) routes;            /* in order of precedence */
	VEC(uint32_t) others;                   /* those with regular expressions */
	VEC(uint32_t) lengths;                  /* of plain beginnings, ascending, distinct */
	bool has_elements, has_exact;
};

/* A group of virtual hosts that listeners may share. */
struct l7_hosts {
	bool one_label;                         /* a wildcard covers exactly one label (Ingress) */
	bool fall_through;                      /* where the best host has no route that matches, the next best is asked (HTTPRoute) */
	VEC(uint32_t) vhosts;                   /* → table->vhosts */
	uint32_t any;                           /* the vhost for all hosts; UINT32_MAX: none */
	const struct l7_action *dflt;           /* where nothing matches; NULL: 404 */
	obj_h dflt_cause; const char *dflt_path;
};

/* host: for which SNI (NULL: for those that the certificate names; where none fits and the proxy has no own one, the first). bad: why it is never shown. */
struct l7_cert { const char *host; const char *secret; struct cert_names names; const char *bad; };
enum l7_proto {
	L7_HTTP, L7_HTTPS, L7_TLS_PASSTHROUGH, L7_TCP,
	L7_TLS_TERMINATE,                       /* TLS ends here, and what it held is passed on as it is */
	L7_UDP, L7_NO_PROTO /* one that nobody knows */,
};
struct l7_listener {
	const char *name;
	uint16_t port;
	uint8_t proto;
	const char *host;                       /* NULL: any */
	const char *dst;                        /* of a sidecar: the address that must have been dialled, whatever the Host; NULL */
	uint32_t group;                         /* → table->groups */
	VEC(struct l7_cert) certs;              /* in order of preference */
	bool client_certificates;               /* it asks clients for a certificate, and lets none in without */
	const char *client_ca;                  /* who must have signed it, as PEM; NULL: not known */
	const char *unknown;                    /* what becomes of its connections cannot be told, because …; NULL */
	const char *dead;                       /* not programmed, because …: nobody listens */
	obj_h cause; const char *cause_path;
};

struct l7_finding { bool error; const char *text; obj_h object; const char *path; };   /* something that `podwire routes` points at */

/* What a request's header is to a condition where it is given more than once. */
enum l7_repeats {
	L7_REPEATS_OPEN,                        /* nobody says: where the readings below lead to different routes, the answer is unknown */
	L7_REPEATS_COMMA,                       /* one value, a comma between */
	L7_REPEATS_COMMA_SPACE,                 /* one value, a comma and a space between */
	L7_REPEATS_FIRST, L7_REPEATS_LAST,      /* that one alone */
	L7_REPEATS_ANY,                         /* one of them is enough */
};

/* What a second Host is. RFC 9112 3.2 has it refused; not all do. */
enum l7_second_host {
	L7_HOST_OPEN,                           /* nobody says */
	L7_HOST_REFUSED,                        /* 400 */
	L7_HOST_SAME,                           /* the same name again counts for nothing, another one is refused */
	L7_HOST_JOINED,                         /* one value, a comma between */
};

struct route_table {
	struct arena *arena;
	struct cluster *cluster;
	const char *name;                       /* ingress k8s.io/ingress-nginx; gateway default/gw */
	const char *controller;
	bool misdirected;                       /* a Host that belongs to another listener than the SNI's is answered 421 (Gateway API) */
	bool own_cert;                          /* where no certificate fits, the controller's own is shown (Ingress) */
	bool replace_forwarded;                 /* X-Forwarded-* from the client are overwritten (ingress-nginx), else appended to */
	bool keeps_forwarded;                   /* X-Forwarded-For is left as it came (a sidecar: Envoy without use_remote_address) */
	const struct pod *gate;                 /* whose AuthorizationPolicies are asked before a route (an Istio gateway's Pod); NULL */
	uint8_t repeats, second_host;           /* enum l7_repeats, l7_second_host */
	bool normal_paths;                      /* nginx: paths are compared decoded, slashes merged, dots resolved; false: nobody says whether */
	const char *server;                     /* who answers: for sentences ("controller k8s.io/ingress-nginx") */
	VEC(struct l7_listener) listeners;
	VEC(struct l7_hosts) groups;
	VEC(struct l7_vhost) vhosts;
	VEC(struct l7_finding) findings;
	struct map by_host;                     /* hash(group, kind, host) → vhost + 1 */
	struct map by_path;                     /* hash(vhost, kind, path) → route + 1, the first in precedence */
	struct map by_cert;                     /* hash(listener, kind, host) → certificate + 1, likewise */
};

struct route_table *table_new(struct cluster *, struct arena *, const char *name, const char *controller);
uint32_t table_group(struct route_table *, bool one_label, bool fall_through);
struct l7_listener *table_listener(struct route_table *, const char *name, uint16_t port, enum l7_proto, uint32_t group);      /* valid until the next */
/* Finds or adds. pattern: a host, *.suffix, or NULL or "" or "*" for any; lower case is made of it. */
struct l7_vhost *table_vhost(struct route_table *, uint32_t group, const char *pattern);
/* The next route of that host: the caller adds them in order of precedence. */
struct l7_route *table_route(struct route_table *, struct l7_vhost *, enum l7_path, const char *path);
void table_finding(struct route_table *, bool error, obj_h, const char *path, const char *fmt, ...) PRINTF(5, 6);
void table_finish(struct route_table *);        /* builds the indexes and looks for routes that can never match; call once */

/* A request, looked at once: host without port in lower case, path apart from query. */
struct l7_query {
	const struct http_request *rq;
	const char *host, *path, *query;        /* query without ?; NULL: none */
	const char *sent;                       /* the path as it came; `path` is what is compared */
	uint32_t path_len;
	uint8_t repeats;                        /* enum l7_repeats; OPEN is read as FIRST */
	struct arena *scratch;
};
struct l7_query query_make(const struct http_request *, struct arena *scratch);
const char *query_host(const char *host, struct arena *);       /* lower case, without port and last dot */
/* The route for this request among a group's hosts, and the host that it stands under (NULL: no host fits). */
const struct l7_route *table_find(const struct route_table *, uint32_t group, const struct l7_query *, const struct l7_vhost **host);
const char *route_misses(const struct l7_route *, const struct l7_query *);      /* the first thing that speaks against it; NULL: it matches */
bool host_matches(const char *pattern, const char *host, bool one_label);       /* pattern as in table_vhost */
/* The certificate that a listener shows for this name; NULL: none of its own. *why: what was wrong with one that was meant for it. */
const struct l7_cert *table_cert(const struct route_table *, uint32_t listener, const char *sni, const char **why);
/* When an object was made: its creationTimestamp where the document brought one, else later than all of those. */
nsec object_born(const struct object *);
int host_rank(const char *pattern);             /* more precise is larger: any 0, then wildcards by length, then names */

/* ---- headers of a request, whatever the case of the name; NULL: none (headers.c) */
const char *header_of(const struct http_request *, const char *name);            /* the first */
const char *header_joined(const struct http_request *, const char *name, const char *between, struct arena *);       /* all, as one text */
const char *header_read(const struct http_request *, const char *name, enum l7_repeats, struct arena *);             /* ANY: the first */
void header_reading(struct route_table *);       /* how the data plane of the table's controller reads what is given more than once */
const char *header_repeated(const struct http_request *);        /* the name of one that is given more than once */

/* ---- paths (paths.c) */
/* Dot segments resolved and unreserved characters decoded; all: everything decoded; merge: adjacent slashes are one. NULL: not a path that can be. */
const char *path_normal(const char *path, bool all, bool merge, struct arena *);
bool path_is_normal(const char *path);          /* there is nothing in it that path_normal could change */

/* ---- changing requests and answers (rewrite.c) */
const char *path_changed(const struct l7_path_change *, const struct l7_route *, const struct l7_query *);      /* without the query */
const char *location_of(const struct l7_redirect *, const struct l7_route *, const struct l7_query *);          /* a full URL */
struct headers { struct arena *arena; VEC(struct http_pair) v; };
void headers_change(struct headers *, const struct l7_header_mod *);
void headers_set(struct headers *, const char *name, const char *value);
void headers_add(struct headers *, const char *name, const char *value);        /* appended to the value that is there, as one line */
/* Adds what the answer to this request has (cors.c). true: the proxy itself answers, for it is a preflight request. */
bool cors_answers(const struct l7_cors *, const struct http_request *, struct headers *response);
bool cors_adds(const struct l7_cors *, const struct http_request *, struct headers *response);   /* ingress-nginx; false: the Origin is not allowed, nothing was added */

#endif
